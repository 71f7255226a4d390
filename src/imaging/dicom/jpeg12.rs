//! JPEG of 12 bits (ISO/IEC 10918-1, ITU-T T.81) inside DICOM: one component, extended sequential DCT with
//! Huffman codes, which is process 4. Written from the recommendation; names in comments are its own.
//! Pictures of 8 bits and the lossless process are left to `jpeg-decoder`.
//!
//! The recommendation leaves the rounding of the inverse DCT to decoders. Here its sums are taken with 18
//! binary places and rounded once, so that a sample is the exactly computed one, rounded, but for ties.

/// Whether the picture is one of these: its frame header is SOF1 with a precision of 12.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let mut segments = Segments { bytes, at: 2 };
    while let Ok((marker, body)) = segments.next() {
        match marker {
            SOF1 => return body.first() == Some(&12),
            SOS => return false,
            _ => {}
        }
    }
    false
}

/// The samples, row by row, 0 to 4095.
pub(super) fn decode(bytes: &[u8], columns: u32, rows: u32) -> Result<Vec<u16>, String> {
    let (columns, rows) = (columns as usize, rows as usize);
    let mut segments = Segments { bytes, at: 2 };
    let mut quantisation = [const { None }; 4];
    let mut codes: [[Option<Codes>; 4]; 2] = Default::default();
    let mut restart = 0;
    let mut table = None;
    loop {
        let (marker, body) = segments.next()?;
        match marker {
            SOF1 => {
                let &[12, y1, y0, x1, x0, 1, component, _, tq @ 0..4] = body else {
                    return Err("this frame of a JPEG picture of 12 bits is not read".to_owned());
                };
                let (height, width) = (u16::from_be_bytes([y1, y0]), u16::from_be_bytes([x1, x0]));
                if (usize::from(width), usize::from(height)) != (columns, rows) {
                    return Err(format!(
                        "the JPEG picture has {width} x {height} pixels, the header says {columns} x {rows}"
                    ));
                }
                table = Some((component, usize::from(tq)));
            }
            DQT => quantisation_tables(body, &mut quantisation)?,
            DHT => code_tables(body, &mut codes)?,
            DRI => {
                let &[high, low] = body else { return Err(cut()) };
                restart = usize::from(u16::from_be_bytes([high, low]));
            }
            SOS => {
                let (component, tq) = table.ok_or("the JPEG picture has no frame header of its kind")?;
                // Ss, Se and Ah, Al are fixed in the sequential processes (table B.3).
                let &[1, selected, tables, 0, 63, 0] = body else {
                    return Err(
                        "the scan header of the JPEG picture is not that of a sequential one".to_owned()
                    );
                };
                if selected != component {
                    return Err(
                        "the scan of the JPEG picture names another component than its frame".to_owned()
                    );
                }
                let code = |class: usize, index: u8| {
                    let found = codes[class].get(usize::from(index)).and_then(Option::as_ref);
                    found.ok_or_else(|| "the JPEG picture lacks a Huffman table".to_owned())
                };
                let scan = Scan {
                    bits: Bits { bytes: segments.rest(), at: 0, held: 0, count: 0 },
                    dc: code(0, tables >> 4)?,
                    ac: code(1, tables & 15)?,
                    quantisation: quantisation[tq].ok_or("the JPEG picture lacks a quantisation table")?,
                    restart,
                };
                return scan.run(columns, rows);
            }
            // Application data, comments, and what may stand there without meaning.
            0xE0..=0xEF | 0xFE => {}
            other => return Err(format!("marker FF{other:02X} in a JPEG picture of 12 bits is not read")),
        }
    }
}

const SOF1: u8 = 0xC1;
const DHT: u8 = 0xC4;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;

fn cut() -> String {
    "the JPEG picture is cut".to_owned()
}

/// Marker segments (B.1.1).
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// A marker and what stands in its segment.
    fn next(&mut self) -> Result<(u8, &'a [u8]), String> {
        if self.bytes.get(self.at) != Some(&0xFF) {
            return Err(cut());
        }
        while self.bytes.get(self.at) == Some(&0xFF) {
            self.at += 1;
        }
        let marker = *self.bytes.get(self.at).ok_or_else(cut)?;
        let length = self.bytes.get(self.at + 1..).and_then(|b| b.first_chunk::<2>()).ok_or_else(cut)?;
        let end = self.at + 1 + usize::from(u16::from_be_bytes(*length));
        let body = self.bytes.get(self.at + 3..end).ok_or_else(cut)?;
        self.at = end;
        Ok((marker, body))
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
}

/// In the order of the scan (figure A.6): the place in the block, row by row.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// B.2.4.1: in the order of the scan.
fn quantisation_tables(mut body: &[u8], tables: &mut [Option<[i64; 64]>; 4]) -> Result<(), String> {
    while let Some((&head, rest)) = body.split_first() {
        let width = match head >> 4 {
            0 => 1,
            1 => 2,
            _ => {
                return Err(
                    "the precision of a quantisation table of the JPEG picture is not known".to_owned()
                );
            }
        };
        let slot = tables.get_mut(usize::from(head & 15)).ok_or_else(cut)?;
        let values = rest.get(..64 * width).ok_or_else(cut)?;
        let mut table = [0; 64];
        for (entry, value) in table.iter_mut().zip(values.chunks_exact(width)) {
            *entry = value.iter().fold(0, |sum, &byte| sum << 8 | i64::from(byte));
        }
        *slot = Some(table);
        body = &rest[64 * width..];
    }
    Ok(())
}

/// Length and value of the code that the next 16 bits begin with; a length of 0 is no code.
struct Codes(Vec<(u8, u8)>);

/// B.2.4.2 and annex C.
fn code_tables(mut body: &[u8], tables: &mut [[Option<Codes>; 4]; 2]) -> Result<(), String> {
    while let Some((&head, rest)) = body.split_first() {
        let slot = tables.get_mut(usize::from(head >> 4)).and_then(|c| c.get_mut(usize::from(head & 15)));
        let slot = slot.ok_or("a Huffman table of the JPEG picture has no place")?;
        let lengths = rest.first_chunk::<16>().ok_or_else(cut)?;
        let count: usize = lengths.iter().map(|&n| usize::from(n)).sum();
        let values = rest.get(16..16 + count).ok_or_else(cut)?;
        // A code of length l begins 2^(16 - l) of the 16-bit words, and codes of a length follow one another.
        let mut words = Vec::with_capacity(1 << 16);
        let mut next = values.iter();
        for (length, &number) in (1_u8..).zip(lengths) {
            for &value in next.by_ref().take(usize::from(number)) {
                let filled = words.len() + (1 << (16 - length));
                if filled > 1 << 16 {
                    return Err("a Huffman table of the JPEG picture has more codes than fit".to_owned());
                }
                words.resize(filled, (length, value));
            }
        }
        words.resize(1 << 16, (0, 0));
        *slot = Some(Codes(words));
        body = &rest[16 + count..];
    }
    Ok(())
}

/// Bits of a scan; a zero is stuffed after a byte of ones (F.1.2.3).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Holds at least 32 bits, unless a marker or the end comes first.
    fn fill(&mut self) {
        while self.count <= 48 {
            let step = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => 2,
                (Some(0xFF), _) | (None, _) => return,
                _ => 1,
            };
            self.held = self.held << 8 | u64::from(self.bytes[self.at]);
            self.count += 8;
            self.at += step;
        }
    }

    fn take(&mut self, count: u32) -> Result<i64, String> {
        if count > self.count {
            self.fill();
        }
        let left = self.count.checked_sub(count).ok_or("the JPEG picture ends before the image is full")?;
        self.count = left;
        Ok((self.held >> left & ((1 << count) - 1)) as i64)
    }

    fn code(&mut self, codes: &Codes) -> Result<u8, String> {
        self.fill();
        let word =
            if self.count >= 16 { self.held >> (self.count - 16) } else { self.held << (16 - self.count) };
        let (length, value) = codes.0[(word & 0xFFFF) as usize];
        if length == 0 {
            return Err("the JPEG picture holds no code of its Huffman table, or is cut".to_owned());
        }
        self.take(length.into())?;
        Ok(value)
    }

    /// EXTEND of RECEIVE (F.2.2.1).
    fn signed(&mut self, size: u8) -> Result<i64, String> {
        let value = self.take(size.into())?;
        Ok(if size > 0 && value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }

    /// Passes a restart marker of this number.
    fn restart(&mut self, number: usize) -> Result<(), String> {
        self.count = 0;
        while self.bytes.get(self.at) == Some(&0xFF) && self.bytes.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        if self.bytes.get(self.at..self.at + 2) != Some(&[0xFF, 0xD0 + (number % 8) as u8]) {
            return Err("a restart marker of the JPEG picture is not where it belongs".to_owned());
        }
        self.at += 2;
        Ok(())
    }
}

struct Scan<'a> {
    bits: Bits<'a>,
    dc: &'a Codes,
    ac: &'a Codes,
    quantisation: [i64; 64],
    restart: usize,
}

impl Scan<'_> {
    fn run(mut self, columns: usize, rows: usize) -> Result<Vec<u16>, String> {
        let (across, down) = (columns.div_ceil(8), rows.div_ceil(8));
        let mut out = vec![0_u16; columns * rows];
        let mut dc = 0;
        for index in 0..across * down {
            if self.restart > 0 && index > 0 && index % self.restart == 0 {
                self.bits.restart(index / self.restart - 1)?;
                dc = 0;
            }
            let block = inverse(&self.block(&mut dc)?);
            let (left, top) = (8 * (index % across), 8 * (index / across));
            let width = 8.min(columns - left);
            for (y, line) in block.chunks_exact(8).take(rows - top).enumerate() {
                let begin = (top + y) * columns + left;
                out[begin..begin + width].copy_from_slice(&line[..width]);
            }
        }
        Ok(out)
    }

    /// Dequantised coefficients of a block (F.2.2).
    fn block(&mut self, dc: &mut i64) -> Result<[i64; 64], String> {
        let mut block = [0; 64];
        let wild = || "a coefficient of the JPEG picture is larger than 12 bits give".to_owned();
        // Sixteen bits hold every coefficient of samples of 12 bits, with their error of quantisation.
        let keep = |value: i64| if value.abs() < 1 << 16 { Ok(value) } else { Err(wild()) };
        let size = self.bits.code(self.dc)?;
        if size > 15 {
            return Err(wild());
        }
        *dc = keep(*dc + self.bits.signed(size)?)?;
        block[0] = keep(*dc * self.quantisation[0])?;
        let mut place = 1;
        while place < 64 {
            let code = self.bits.code(self.ac)?;
            let (run, size) = (usize::from(code >> 4), code & 15);
            match (run, size) {
                (15, 0) => place += 16,
                (_, 0) => break,
                _ => {
                    place += run;
                    let at = *ZIGZAG.get(place).ok_or("a run of the JPEG picture leaves its block")?;
                    block[usize::from(at)] = keep(self.bits.signed(size)? * self.quantisation[place])?;
                    place += 1;
                }
            }
        }
        Ok(block)
    }
}

/// Binary places of the factors.
const PLACES: u32 = 18;

/// `sqrt(2) cos(k pi / 16)`, for k from 0 to 16, with 18 binary places; the first as the 1 of the term
/// without frequency.
const COSINES: [i64; 17] = {
    let half = [370_728, 363_604, 342_508, 308_249, 262_144, 205_965, 141_871, 72_325, 0];
    let mut all = [0; 17];
    let mut k = 0;
    while k <= 8 {
        all[k] = half[k];
        all[16 - k] = -half[k];
        k += 1;
    }
    all
};

/// Of sample `n` and frequency `k` in one dimension, times the square root of 8.
const FACTORS: [[i64; 8]; 8] = {
    let mut factors = [[1 << PLACES; 8]; 8];
    let mut n = 0;
    while n < 8 {
        let mut k = 1;
        while k < 8 {
            let angle = (2 * n + 1) * k % 32;
            factors[n][k] = COSINES[if angle > 16 { 32 - angle } else { angle }];
            k += 1;
        }
        n += 1;
    }
    factors
};

/// The inverse DCT (A.3.3), the level shift, and the range of 12 bits. At most 2^16 a coefficient, the sums
/// stay below 2^61.
fn inverse(block: &[i64; 64]) -> [u16; 64] {
    let mut rows = [0_i64; 64];
    for (line, out) in block.chunks_exact(8).zip(rows.chunks_exact_mut(8)) {
        if line[1..].iter().all(|&c| c == 0) {
            out.fill(line[0] << PLACES);
            continue;
        }
        for (sample, factors) in out.iter_mut().zip(&FACTORS) {
            *sample = factors.iter().zip(line).map(|(f, c)| f * c).sum();
        }
    }
    let mut out = [0; 64];
    for (y, factors) in FACTORS.iter().enumerate() {
        for x in 0..8 {
            let sum: i64 = factors.iter().enumerate().map(|(k, f)| f * rows[8 * k + x]).sum();
            let shift = 2 * PLACES + 3;
            let value = ((sum + (1 << (shift - 1))) >> shift) + 2048;
            out[8 * y + x] = value.clamp(0, 4095) as u16;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one block, with one code a table: a DC difference of `size` bits, then the end of the
    /// block.
    fn picture(size: u8, scan: &[u8]) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, SOF1, 0, 11, 12, 0, 8, 0, 8, 1, 1, 0x11, 0];
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
    fn the_factors_are_those_of_the_transform() {
        for (n, line) in FACTORS.iter().enumerate() {
            for (k, factor) in line.iter().enumerate() {
                let angle = ((2 * n + 1) * k) as f64 * std::f64::consts::PI / 16.0;
                let exact = if k == 0 { 1.0 } else { std::f64::consts::SQRT_2 * angle.cos() };
                assert!((*factor as f64 - exact * f64::from(1 << PLACES)).abs() <= 0.5, "{n} {k}");
            }
        }
    }

    #[test]
    fn a_block_is_the_exact_transform_rounded() {
        let mut seed = 7_u64;
        for _ in 0..200 {
            let block: [i64; 64] = std::array::from_fn(|place| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let most = 4000 / (1 + place as i64);
                (seed >> 33) as i64 % (2 * most + 1) - most
            });
            let found = inverse(&block);
            for y in 0..8 {
                for x in 0..8 {
                    let mut exact = 2048.0;
                    for v in 0..8 {
                        for u in 0..8 {
                            let c = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
                            let cos = |n: usize, k: usize| {
                                (((2 * n + 1) * k) as f64 * std::f64::consts::PI / 16.0).cos()
                            };
                            exact += c(u) * c(v) / 4.0 * block[8 * v + u] as f64 * cos(x, u) * cos(y, v);
                        }
                    }
                    let apart = (f64::from(found[8 * y + x]) - exact.clamp(0.0, 4095.0)).abs();
                    assert!(apart <= 0.51, "{apart}");
                }
            }
        }
    }

    #[test]
    fn a_flat_block_is_read_and_what_is_wrong_is_said() {
        // The code 0, the difference 100 in seven bits, the code 0 of the end, ones for padding: 100 * 16 / 8
        // above 2048.
        let flat = picture(7, &[0b0110_0100, 0b0111_1111, 0xFF, 0xD9]);
        assert!(is_one(&flat));
        assert_eq!(decode(&flat, 8, 8).expect("reads"), [2248; 64]);
        let said = |bytes: &[u8], columns| decode(bytes, columns, 8).expect_err("refused");
        assert!(said(&flat, 9).contains("8 x 8 pixels, the header says 9 x 8"));
        assert!(said(&picture(7, &[0b0110_0100]), 8).contains("ends before"));
        assert!(said(&picture(7, &[0x80, 0]), 8).contains("no code"));
        assert!(said(&picture(16, &[0; 8]), 8).contains("larger than 12 bits"));
        for end in 0..flat.len() - 4 {
            assert!(decode(&flat[..end], 8, 8).is_err(), "{end}");
        }
        let mut progressive = flat.clone();
        progressive[3] = 0xC2;
        assert!(!is_one(&progressive));
        assert!(said(&progressive, 8).contains("FFC2"));
        // A spectral selection that stops at the first coefficient belongs to another process.
        let mut spectral = flat.clone();
        let at = spectral.windows(2).position(|w| w == [63, 0]).expect("Se");
        spectral[at] = 0;
        assert!(said(&spectral, 8).contains("sequential"));
    }
}
