//! Pictures written here over all parameters of the lossless process, and small ones of the others.

use proptest::prelude::*;

use super::*;

/// Writes bits, the uppermost first, with a zero after a byte of ones.
#[derive(Default)]
struct Writer {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl Writer {
    fn put(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            self.held = self.held << 1 | u64::from(value >> place & 1);
            self.count += 1;
            if self.count == 8 {
                self.out.push(self.held as u8);
                if self.held as u8 == 0xFF {
                    self.out.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    /// Ones up to the end of the byte.
    fn pad(&mut self) {
        while self.count != 0 {
            self.put(1, 1);
        }
    }
}

/// The parameters of a lossless picture.
#[derive(Clone, Copy, Debug)]
struct Form {
    precision: u32,
    columns: usize,
    rows: usize,
    predictor: u8,
    point: u32,
    /// Lines between restarts; 0 for none.
    lines: usize,
}

/// The picture and its samples as they come back: without the bits that the point transform drops.
fn lossless(form: Form, samples: &[u16]) -> (Vec<u8>, Vec<u16>) {
    let Form { precision, columns, rows, predictor, point, lines } = form;
    let kept: Vec<i32> = samples.iter().map(|&s| i32::from(s) >> point).collect();
    let (x, y) = ((columns as u16).to_be_bytes(), (rows as u16).to_be_bytes());
    let mut out = vec![0xFF, 0xD8, 0xFF, SOF3, 0, 11, precision as u8, y[0], y[1], x[0], x[1], 1, 7, 0x11, 0];
    // Seventeen sizes, each with five bits; the code of ones is not used.
    out.extend([0xFF, DHT, 0, 19 + 17, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..=16);
    let interval = ((lines * columns) as u16).to_be_bytes();
    out.extend([0xFF, DRI, 0, 4, interval[0], interval[1]]);
    out.extend([0xFF, SOS, 0, 8, 1, 7, 0, predictor, 0, point as u8]);
    let mut writer = Writer { out, ..Writer::default() };
    for row in 0..rows {
        let restarts = lines > 0 && row > 0 && row % lines == 0;
        if restarts {
            writer.pad();
            writer.out.extend([0xFF, 0xD0 + ((row / lines - 1) % 8) as u8]);
        }
        for column in 0..columns {
            let at = |row: usize, column: usize| kept[row * columns + column];
            let predicted = match (row == 0 || restarts, column) {
                (true, 0) => 1 << (precision - point - 1),
                (true, _) => at(row, column - 1),
                (false, 0) => at(row - 1, 0),
                (false, _) => {
                    let (a, b, c) = (at(row, column - 1), at(row - 1, column), at(row - 1, column - 1));
                    match predictor {
                        1 => a,
                        2 => b,
                        3 => c,
                        4 => a + b - c,
                        5 => a + ((b - c) >> 1),
                        6 => b + ((a - c) >> 1),
                        _ => (a + b) >> 1,
                    }
                }
            };
            let difference = (at(row, column) - predicted) as i16;
            let size = 16 - difference.unsigned_abs().leading_zeros();
            writer.put(size, 5);
            if size < 16 {
                let bits = if difference < 0 { difference.wrapping_sub(1) } else { difference };
                writer.put(bits as u16 as u32, size);
            }
        }
    }
    writer.pad();
    writer.out.extend([0xFF, 0xD9]);
    (writer.out, kept.iter().map(|&s| (s << point) as u16).collect())
}

proptest! {
    #[test]
    fn lossless_pictures_come_back_over_all_parameters(
        precision in 2_u32..=16,
        columns in 1_usize..20,
        rows in 1_usize..12,
        predictor in 1_u8..=7,
        point in 0_u32..16,
        lines in 0_usize..5,
        smooth in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let form = Form { precision, columns, rows, predictor, point: point % precision, lines };
        let value = |i: usize| {
            let noise = (i as u32).wrapping_add(seed).wrapping_mul(2_654_435_761) >> 16;
            let value = if smooth { seed + 3 * i as u32 + noise % 4 } else { noise };
            (value & ((1 << precision) - 1)) as u16
        };
        let samples: Vec<u16> = (0..columns * rows).map(value).collect();
        let (bytes, wanted) = lossless(form, &samples);
        let found = decode(&bytes, columns as u32, rows as u32).expect("reads");
        prop_assert_eq!(found.precision, precision);
        prop_assert_eq!(found.samples, wanted);
    }

    #[test]
    fn changed_bytes_never_panic(
        at in 0_usize..2000,
        flip in 1_u8..=255,
        predictor in 1_u8..=7,
        dct in any::<bool>(),
    ) {
        let mut bytes = if dct { picture(SOF1, 12, 7, &[0b0110_0100, 0b0111_1111, 0xFF, 0xD9]) } else {
            let form = Form { precision: 12, columns: 9, rows: 7, predictor, point: 1, lines: 2 };
            lossless(form, &std::array::from_fn::<u16, 63, _>(|i| (i * i) as u16 % 4096)).0
        };
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let _ = decode(&bytes, 9, 7);
        let _ = decode(&bytes, 8, 8);
    }
}

fn said(bytes: &[u8], columns: u32, rows: u32) -> String {
    match decode(bytes, columns, rows).expect_err("refused") {
        Refused::Wrong(what) | Refused::Process(what) => what,
        Refused::Colour(components) => format!("{components} components"),
    }
}

#[test]
fn what_a_lossless_picture_may_not_say_is_refused() {
    let form = Form { precision: 8, columns: 4, rows: 4, predictor: 1, point: 0, lines: 1 };
    let samples = [9; 16];
    let (good, _) = lossless(form, &samples);
    assert!(decode(&good, 4, 4).is_ok());
    let place = |marker: u8| good.windows(2).position(|w| w == [0xFF, marker]).expect("a marker");
    let changed = |marker: u8, offset: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[place(marker) + offset] = value;
        said(&bytes, 4, 4)
    };
    assert!(changed(SOS, 7, 0).contains("none of the seven"));
    assert!(changed(SOS, 7, 8).contains("none of the seven"));
    assert!(changed(SOS, 9, 8).contains("leaves no bit"));
    assert!(changed(DRI, 5, 3).contains("no multiple of its lines"));
    let misplaced = changed(DRI, 5, 8);
    assert!(misplaced.contains("is cut") || misplaced.contains("ends before"), "{misplaced}");
    assert!(changed(SOF3, 4, 17).contains("17 bits"));
    assert!(changed(SOF3, 4, 2).contains("more bits"), "9 in two bits");
    assert!(changed(SOF3, 9, 3).contains("3 components"));
    for (marker, name) in
        [(0xC2, "progressive"), (0xC7, "hierarchical"), (0xC9, "arithmetic"), (0xCF, "FFCF")]
    {
        assert!(changed(SOF3, 1, marker).contains(name));
    }
    for end in 0..good.len() - 2 {
        assert!(decode(&good[..end], 4, 4).is_err(), "{end}");
    }
}

/// A picture of one block, with one code a table: a DC difference of `size` bits, then the end of the block.
fn picture(process: u8, precision: u8, size: u8, scan: &[u8]) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8, 0xFF, process, 0, 11, precision, 0, 8, 0, 8, 1, 1, 0x22, 0];
    out.extend([0xFF, DQT, 0, 67, 0]);
    out.extend([16; 64]);
    for (class, value) in [(0x00, size), (0x10, 0)] {
        out.extend([0xFF, DHT, 0, 20, class, 1]);
        out.extend([0; 15]);
        out.push(value);
    }
    out.extend([0xFF, SOS, 0, 8, 1, 1, 0, 0, 63, 0]);
    out.extend(scan);
    out
}

#[test]
fn a_flat_block_is_read_and_what_is_wrong_is_said() {
    // The code 0, the difference 100 in seven bits, the code 0 of the end, ones for padding: 100 * 16 / 8
    // above the middle.
    let scan = [0b0110_0100, 0b0111_1111, 0xFF, 0xD9];
    for (process, precision, value) in [(SOF1, 12, 2248), (SOF1, 8, 255), (SOF0, 8, 255)] {
        let flat = picture(process, precision, 7, &scan);
        assert_eq!(decode(&flat, 8, 8).expect("reads").samples, [value; 64]);
        for end in 0..flat.len() - 4 {
            assert!(decode(&flat[..end], 8, 8).is_err(), "{end}");
        }
    }
    let flat = picture(SOF1, 12, 7, &scan);
    assert!(said(&flat, 9, 8).contains("8 x 8 pixels, the header says 9 x 8"));
    assert!(said(&picture(SOF1, 12, 7, &[0b0110_0100]), 8, 8).contains("ends before"));
    assert!(said(&picture(SOF1, 12, 7, &[0x80, 0]), 8, 8).contains("no code"));
    assert!(said(&picture(SOF1, 12, 16, &[0; 8]), 8, 8).contains("larger than 12 bits"));
    assert!(said(&picture(SOF0, 12, 7, &scan), 8, 8).contains("12 bits"));
    assert!(said(&picture(0xC2, 12, 7, &scan), 8, 8).contains("FFC2"));
    // A spectral selection that stops at the first coefficient belongs to another process.
    let mut spectral = flat.clone();
    let at = spectral.windows(2).position(|w| w == [63, 0]).expect("Se");
    spectral[at] = 0;
    assert!(said(&spectral, 8, 8).contains("sequential"));
}
