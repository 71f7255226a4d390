//! The common radiograph, an 8-bit grey PNG, decoded fast.
//!
//! Most rows of a radiograph are filtered by Paeth's predictor (PNG, third edition, 9.4), in which every pixel waits for the one to its
//! left. Pixels of different rows do not wait for one another when each row runs one pixel behind the row above it, so
//! sixteen rows are taken at once. Whatever is out of the ordinary is left to the `image` crate, which also names every fault.

use fdeflate::Decompressor;
use pulp::Arch;

use super::image::{LARGEST_SIDE, MOST_PIXELS};
use crate::vectorised::vectorised;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Rows at once.
const ROWS: usize = 16;
/// Room that the decompressor wants behind its output to stay on its fast path.
const SLACK: usize = 64;

/// Columns, rows and row-major pixels; nothing for every other kind of file and for a damaged one.
pub(super) fn grey_8_bits(bytes: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let (width, height, compressed) = parts(bytes)?;
    let columns = width as usize;
    let len = height as usize * (columns + 1);
    let mut filtered = vec![0; len + SLACK];
    let mut decompressor = Decompressor::new();
    let (_, produced) = decompressor.read(&compressed, &mut filtered, 0, true).ok()?;
    if produced != len || !decompressor.is_done() {
        return None;
    }
    filtered.truncate(len);
    Some((width, height, reconstructed(&filtered, columns)?))
}

/// Columns, rows and the compressed data, if the file is of the kind and every checksum is right.
fn parts(bytes: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    let mut size = None;
    let mut compressed = Vec::with_capacity(bytes.len());
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let checked = after.get(..length.checked_add(4)?)?;
        let (crc, after) = after[checked.len()..].split_first_chunk::<4>()?;
        if crc32fast::hash(checked) != u32::from_be_bytes(*crc) {
            return None;
        }
        let (kind, data) = checked.split_first_chunk::<4>()?;
        match (kind, size) {
            (b"IHDR", None) => {
                let (width, data) = data.split_first_chunk::<4>()?;
                let (height, data) = data.split_first_chunk::<4>()?;
                // 8 bits, grey, the one method of compression and of filtering, not interlaced.
                if data != [8, 0, 0, 0, 0] {
                    return None;
                }
                let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
                let pixels = u64::from(width) * u64::from(height);
                if pixels == 0 || pixels > MOST_PIXELS || width.max(height) > LARGEST_SIDE {
                    return None;
                }
                size = Some((width, height));
            }
            (b"IDAT", Some(_)) => compressed.extend_from_slice(data),
            (b"IEND", Some((width, height))) => return Some((width, height, compressed)),
            // Ancillary chunks have a small first letter; transparency would change what the pixels mean.
            ([b'a'..=b'z', ..], Some(_)) if kind != b"tRNS" => {}
            _ => return None,
        }
        rest = after;
    }
}

/// The pixels of rows that each begin with the number of their filter; nothing if there is no such filter.
fn reconstructed(filtered: &[u8], columns: usize) -> Option<Vec<u8>> {
    let arch = Arch::new();
    let mut pixels = vec![0; filtered.len() / (columns + 1) * columns];
    let mut above = vec![0; columns];
    let mut wave = Wave::new(columns);
    let some = filtered.chunks(ROWS * (columns + 1)).zip(pixels.chunks_mut(ROWS * columns));
    for (filtered, pixels) in some {
        if filtered.iter().step_by(columns + 1).any(|filter| *filter > 4) {
            return None;
        }
        run(arch, &mut wave, filtered, &above, pixels);
        above.copy_from_slice(&pixels[pixels.len() - columns..]);
    }
    Some(pixels)
}

/// Values of sixteen rows, each one column behind the row above it.
type Lanes = [i16; ROWS];

/// What sixteen rows are worked on in.
struct Wave {
    /// Sixteen rows, with zeros around them.
    rows: Vec<u8>,
    /// What one of them is long.
    pitch: usize,
    /// The row above, with zeros behind it.
    above: Vec<u8>,
}

impl Wave {
    fn new(columns: usize) -> Self {
        // Every row begins as many places late as it lies below the first, and there are whole blocks of columns.
        let steps = (columns + ROWS).next_multiple_of(BLOCK);
        let pitch = steps + 2 * ROWS;
        Self { rows: vec![0; ROWS * pitch], pitch, above: vec![0; steps] }
    }
}

/// Columns that are turned at once.
const BLOCK: usize = 64;

/// Eight rows of eight bytes, the first byte lowest, as eight columns.
#[inline(always)]
fn turn(mut m: [u64; 8]) -> [u64; 8] {
    for (distance, bits, mask) in
        [(4, 32, 0x0000_0000_ffff_ffff), (2, 16, 0x0000_ffff_0000_ffff), (1, 8, 0x00ff_00ff_00ff_00ff_u64)]
    {
        for at in 0..8 {
            if at & distance == 0 {
                let swap = ((m[at] >> bits) ^ m[at + distance]) & mask;
                m[at + distance] ^= swap;
                m[at] ^= swap << bits;
            }
        }
    }
    m
}

/// The next value of every row from its left, upper and upper left neighbours (PNG, third edition, 9.2).
#[inline(always)]
fn predicted(left: Lanes, up: Lanes, corner: Lanes, filters: &[Lanes; 4]) -> Lanes {
    let mut all = [0; ROWS];
    for lane in 0..ROWS {
        let (a, b, c) = (left[lane], up[lane], corner[lane]);
        // Bytes cannot overflow 16 bits; without the check the compiler makes vectors of it.
        let (from_up, from_left) = (b.wrapping_sub(c), a.wrapping_sub(c));
        let both = from_up.wrapping_add(from_left);
        let (pa, pb, pc) = (from_up.wrapping_abs(), from_left.wrapping_abs(), both.wrapping_abs());
        let (nearer, distance) = if pb <= pc { (b, pb) } else { (c, pc) };
        let paeth = if pa <= distance { a } else { nearer };
        let average = a.wrapping_add(b) >> 1;
        all[lane] = (a & filters[0][lane])
            | (b & filters[1][lane])
            | (average & filters[2][lane])
            | (paeth & filters[3][lane]);
    }
    all
}

vectorised! {
    /// Up to sixteen rows.
    fn run<'a>(wave: &'a mut Wave, filtered: &'a [u8], above: &'a [u8], pixels: &'a mut [u8]) {
        let columns = above.len();
        let pitch = wave.pitch;
        // All bits for the rows of each filter.
        let mut filters = [[0; ROWS]; 4];
        let rows = filtered.chunks_exact(columns + 1).zip(wave.rows.chunks_exact_mut(pitch));
        for (lane, (filtered, row)) in rows.enumerate() {
            if let Some(filter) = usize::from(filtered[0]).checked_sub(1) {
                filters[filter][lane] = -1;
            }
            row[..lane].fill(0);
            row[lane..lane + columns].copy_from_slice(&filtered[1..]);
            row[lane + columns..].fill(0);
        }
        wave.above[..columns].copy_from_slice(above);
        let (mut left, mut corner) = ([0; ROWS], [0; ROWS]);
        let mut block = [[0_u8; ROWS]; BLOCK];
        for (number, above) in wave.above.chunks_exact(BLOCK).enumerate() {
            let from = number * BLOCK;
            let part = |row: usize, column: usize| row * pitch + from + column;
            for half in [0, 8] {
                for column in (0..BLOCK).step_by(8) {
                    let mut rows = [0; 8];
                    for (at, row) in rows.iter_mut().enumerate() {
                        let mut bytes = [0; 8];
                        bytes.copy_from_slice(&wave.rows[part(half + at, column)..][..8]);
                        *row = u64::from_le_bytes(bytes);
                    }
                    for (at, column) in turn(rows).into_iter().zip(&mut block[column..]) {
                        column[half..half + 8].copy_from_slice(&at.to_le_bytes());
                    }
                }
            }
            for (column, above) in block.iter_mut().zip(above) {
                let mut up = [0; ROWS];
                up[0] = i16::from(*above);
                up[1..].copy_from_slice(&left[..ROWS - 1]);
                let predicted = predicted(left, up, corner, &filters);
                for lane in 0..ROWS {
                    let value = i16::from(column[lane]).wrapping_add(predicted[lane]) & 255;
                    left[lane] = value;
                    column[lane] = value as u8;
                }
                corner = up;
            }
            for half in [0, 8] {
                for column in (0..BLOCK).step_by(8) {
                    let mut columns = [0; 8];
                    for (at, column) in columns.iter_mut().zip(&block[column..]) {
                        let mut bytes = [0; 8];
                        bytes.copy_from_slice(&column[half..half + 8]);
                        *at = u64::from_le_bytes(bytes);
                    }
                    for (at, row) in turn(columns).into_iter().enumerate() {
                        wave.rows[part(half + at, column)..][..8].copy_from_slice(&row.to_le_bytes());
                    }
                }
            }
        }
        let rows = pixels.chunks_exact_mut(columns).zip(wave.rows.chunks_exact(pitch));
        for (lane, (pixels, row)) in rows.enumerate() {
            pixels.copy_from_slice(&row[lane..lane + columns]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By the `png` crate, in 8 bits grey.
    fn reference(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().ok()?;
        let mut pixels = vec![0; reader.output_buffer_size()?];
        reader.next_frame(&mut pixels).ok()?;
        Some(pixels)
    }

    fn encoded(width: u32, pixels: &[u8], filter: ::png::Filter) -> Vec<u8> {
        let mut bytes = Vec::new();
        let height = u32::try_from(pixels.len()).expect("small") / width;
        let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(::png::ColorType::Grayscale);
        encoder.set_depth(::png::BitDepth::Eight);
        encoder.set_filter(filter);
        encoder.write_header().expect("writes").write_image_data(pixels).expect("writes");
        bytes
    }

    const FILTERS: [::png::Filter; 6] = [
        ::png::Filter::NoFilter,
        ::png::Filter::Sub,
        ::png::Filter::Up,
        ::png::Filter::Avg,
        ::png::Filter::Paeth,
        ::png::Filter::Adaptive,
    ];

    proptest! {
        #[test]
        fn pixels_are_those_of_the_png_crate(
            width in 1_u32..150, height in 1_u32..50, filter in 0_usize..6, smooth in 1_u32..300, seed in any::<u32>(),
        ) {
            let value = |i: u32| {
                let noise = i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 20;
                (i / width * 3 + i % width * 5 + noise % smooth) as u8
            };
            let pixels: Vec<u8> = (0..width * height).map(value).collect();
            let bytes = encoded(width, &pixels, FILTERS[filter]);
            prop_assert_eq!(grey_8_bits(&bytes), Some((width, height, pixels)));
        }

        #[test]
        fn a_changed_byte_is_left_to_the_png_crate_or_gives_what_it_gives(at in 0_usize..10_000, flip in 1_u8..=255) {
            let pixels: Vec<u8> = (0..40_u32 * 30).map(|i| (i * i / 7) as u8).collect();
            let mut bytes = encoded(40, &pixels, ::png::Filter::Adaptive);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            if let Some((_, _, pixels)) = grey_8_bits(&bytes) {
                prop_assert_eq!(Some(pixels), reference(&bytes));
            }
        }

        #[test]
        fn arbitrary_rows_are_those_of_the_definition(columns in 1_usize..80, rows in 1_usize..40, seed in any::<u64>()) {
            let mut state = seed | 1;
            let mut byte = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let mut filtered = Vec::new();
            for _ in 0..rows {
                filtered.push(byte() % 5);
                filtered.extend((0..columns).map(|_| byte()));
            }
            let mut wanted: Vec<Vec<u8>> = vec![vec![0; columns]];
            for row in filtered.chunks(columns + 1) {
                let up = wanted.last().expect("a row").clone();
                let mut own: Vec<u8> = Vec::new();
                for (x, value) in row[1..].iter().enumerate() {
                    let a = x.checked_sub(1).map_or(0, |x| i32::from(own[x]));
                    let (b, c) = (i32::from(up[x]), x.checked_sub(1).map_or(0, |x| i32::from(up[x])));
                    let p = a + b - c;
                    let paeth = [a, b, c].into_iter().min_by_key(|n| (p - n).abs()).expect("three");
                    let predictor = [0, a, b, (a + b) / 2, paeth][usize::from(row[0])];
                    own.push(value.wrapping_add(predictor as u8));
                }
                wanted.push(own);
            }
            prop_assert_eq!(reconstructed(&filtered, columns), Some(wanted[1..].concat()));
        }
    }

    #[test]
    fn other_kinds_and_damaged_files_are_left_to_others() {
        let pixels: Vec<u8> = (0..=255).collect();
        let good = encoded(16, &pixels, ::png::Filter::Paeth);
        assert!(grey_8_bits(&good).is_some());
        for end in 0..good.len() {
            assert!(grey_8_bits(&good[..end]).is_none(), "cut at {end}");
        }
        let mut colour = Vec::new();
        let mut encoder = ::png::Encoder::new(&mut colour, 4, 4);
        encoder.set_color(::png::ColorType::Rgb);
        encoder.write_header().expect("writes").write_image_data(&[7; 48]).expect("writes");
        assert!(grey_8_bits(&colour).is_none());
        assert!(reconstructed(&[5, 0, 0], 2).is_none(), "no such filter");
    }
}
