//! The common radiograph, an 8-bit grey PNG, decoded fast.
//!
//! Most rows of a radiograph are filtered by Paeth's predictor (PNG, third edition, 9.4), in which every
//! pixel waits for the one to its left. Pixels of different rows do not wait for one another when each row
//! runs one pixel behind the row above it, so thirty-two rows are taken at once. Whatever is out of the
//! ordinary is left to the `image` crate, which also names every fault.

use fdeflate::Decompressor;
use pulp::Arch;

use crate::imaging::limits::{LARGEST_SIDE, MOST_PIXELS};
use crate::vectorised::vectorised;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Rows at once.
const ROWS: usize = 32;
/// Room that the decompressor wants behind its output to stay on its fast path.
const SLACK: usize = 64;

/// Columns, rows and row-major pixels; nothing for every other kind of file and for a damaged one.
pub(super) fn grey_8_bits(bytes: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let (width, height, compressed) = parts(bytes)?;
    let columns = width as usize;
    let len = height as usize * (columns + 1);
    let mut filtered = vec![0; len + SLACK];
    let mut decompressor = Decompressor::new();
    let mut at = 0;
    for (number, part) in compressed.iter().enumerate() {
        let last = number + 1 == compressed.len();
        let (read, written) = decompressor.read(part, &mut filtered, at, last).ok()?;
        at += written;
        // All of it is read unless the data end, or fill the room, before the chunk does.
        if read < part.len() && !decompressor.is_done() {
            return None;
        }
    }
    if at != len || !decompressor.is_done() {
        return None;
    }
    filtered.truncate(len);
    reconstruct(&mut filtered, columns)?;
    Some((width, height, filtered))
}

/// Columns, rows and the parts of the compressed data, if the file is of the kind and every checksum is
/// right.
fn parts(bytes: &[u8]) -> Option<(u32, u32, Vec<&[u8]>)> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    let mut size = None;
    let mut compressed = Vec::new();
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
            (b"IDAT", Some(_)) => compressed.push(data),
            (b"IEND", Some((width, height))) => return Some((width, height, compressed)),
            // Ancillary chunks have a small first letter; transparency would change what the pixels mean.
            ([b'a'..=b'z', ..], Some(_)) if kind != b"tRNS" => {}
            _ => return None,
        }
        rest = after;
    }
}

/// From rows that each begin with the number of their filter to pixels, in place; nothing if there is no such
/// filter.
fn reconstruct(values: &mut Vec<u8>, columns: usize) -> Option<()> {
    let arch = Arch::new();
    let mut wave = Wave::new(columns);
    let rows = values.len() / (columns + 1);
    for first in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - first);
        // Pixels never reach the rows that are still to be read: these lie behind one number a row.
        let (filtered, pixels) = (first * (columns + 1), first * columns);
        wave.fill(&values[filtered..filtered + count * (columns + 1)], columns)?;
        run(arch, &mut wave);
        wave.empty(&mut values[pixels..pixels + count * columns], columns);
    }
    values.truncate(rows * columns);
    Some(())
}

/// Values of all rows at once, each one column behind the row above it.
type Lanes = [i16; ROWS];

/// What the rows are worked on in.
struct Wave {
    /// The rows, each as many columns late as it lies below the first, with zeros around them.
    rows: Vec<u8>,
    /// What one of them is long.
    pitch: usize,
    /// The row above, with zeros behind it.
    above: Vec<u8>,
    /// For each filter all bits of the rows that have it.
    filters: [Lanes; 4],
}

impl Wave {
    fn new(columns: usize) -> Self {
        // Whole blocks of columns.
        let steps = (columns + ROWS).next_multiple_of(BLOCK);
        Self { rows: vec![0; ROWS * steps], pitch: steps, above: vec![0; steps], filters: [[0; ROWS]; 4] }
    }

    /// Takes rows that each begin with the number of their filter; nothing if there is no such filter.
    fn fill(&mut self, filtered: &[u8], columns: usize) -> Option<()> {
        self.filters = [[0; ROWS]; 4];
        let rows = filtered.chunks_exact(columns + 1).zip(self.rows.chunks_exact_mut(self.pitch));
        for (lane, (filtered, row)) in rows.enumerate() {
            if let Some(filter) = usize::from(filtered[0]).checked_sub(1) {
                self.filters.get_mut(filter)?[lane] = -1;
            }
            row[..lane].fill(0);
            row[lane..lane + columns].copy_from_slice(&filtered[1..]);
            row[lane + columns..].fill(0);
        }
        Some(())
    }

    /// Gives as many rows of pixels as there is room for; the last of them is the row above the next.
    fn empty(&mut self, pixels: &mut [u8], columns: usize) {
        let rows = pixels.chunks_exact_mut(columns).zip(self.rows.chunks_exact(self.pitch));
        for (lane, (pixels, row)) in rows.enumerate() {
            pixels.copy_from_slice(&row[lane..lane + columns]);
            self.above[..columns].copy_from_slice(pixels);
        }
    }
}

/// Columns that are turned at once.
const BLOCK: usize = 64;

/// Eight rows of eight bytes, the first byte lowest, as eight columns: quarters, then their quarters, change
/// places.
#[inline(always)]
fn turn(mut m: [u64; 8]) -> [u64; 8] {
    exchange(&mut m, [(0, 4), (1, 5), (2, 6), (3, 7)], 32, 0x0000_0000_ffff_ffff);
    exchange(&mut m, [(0, 2), (1, 3), (4, 6), (5, 7)], 16, 0x0000_ffff_0000_ffff);
    exchange(&mut m, [(0, 1), (2, 3), (4, 5), (6, 7)], 8, 0x00ff_00ff_00ff_00ff);
    m
}

#[inline(always)]
fn exchange(m: &mut [u64; 8], pairs: [(usize, usize); 4], bits: u32, mask: u64) {
    for (upper, lower) in pairs {
        let both = ((m[upper] >> bits) ^ m[lower]) & mask;
        m[lower] ^= both;
        m[upper] ^= both << bits;
    }
}

/// All bits where `a <= b`, for values far from the limits.
#[inline(always)]
fn not_above(a: i16, b: i16) -> i16 {
    a.wrapping_sub(b).wrapping_sub(1) >> 15
}

/// The one where the bits are set, else the other.
#[inline(always)]
fn either(bits: i16, one: i16, other: i16) -> i16 {
    (one & bits) | (other & !bits)
}

/// The prediction for every row from its left, upper and upper left neighbours (PNG, third edition, 9.2).
#[inline(always)]
fn predicted(left: Lanes, up: Lanes, corner: Lanes, filters: &[Lanes; 4]) -> Lanes {
    let mut all = [0; ROWS];
    for lane in 0..ROWS {
        let (a, b, c) = (left[lane], up[lane], corner[lane]);
        // Bytes cannot overflow 16 bits; without the check, and without choices, the compiler makes short
        // vectors of it.
        let (from_up, from_left) = (b.wrapping_sub(c), a.wrapping_sub(c));
        let both = from_up.wrapping_add(from_left);
        let (pa, pb, pc) = (from_up.wrapping_abs(), from_left.wrapping_abs(), both.wrapping_abs());
        let nearer = either(not_above(pb, pc), b, c);
        let paeth = either(not_above(pa, pb.min(pc)), a, nearer);
        let average = a.wrapping_add(b) >> 1;
        all[lane] = (a & filters[0][lane])
            | (b & filters[1][lane])
            | (average & filters[2][lane])
            | (paeth & filters[3][lane]);
    }
    all
}

vectorised! {
    /// From what the filters left to pixels.
    fn run<'a>(wave: &'a mut Wave) {
        let Wave { rows: all, pitch, above, filters } = wave;
        let (pitch, filters) = (*pitch, &*filters);
        let (mut left, mut corner) = ([0; ROWS], [0; ROWS]);
        let mut block = [[0_u8; ROWS]; BLOCK];
        for (number, above) in above.chunks_exact(BLOCK).enumerate() {
            let from = number * BLOCK;
            let part = |row: usize, column: usize| row * pitch + from + column;
            for half in (0..ROWS).step_by(8) {
                for column in (0..BLOCK).step_by(8) {
                    let mut rows = [0; 8];
                    for (at, row) in rows.iter_mut().enumerate() {
                        let mut bytes = [0; 8];
                        bytes.copy_from_slice(&all[part(half + at, column)..][..8]);
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
                let predicted = predicted(left, up, corner, filters);
                for lane in 0..ROWS {
                    // Less 256 where it is above 255: below it, that is the larger number without a sign.
                    let sum = u16::from(column[lane]).wrapping_add(predicted[lane] as u16);
                    let value = sum.min(sum.wrapping_sub(256));
                    left[lane] = value as i16;
                    column[lane] = value as u8;
                }
                corner = up;
            }
            for half in (0..ROWS).step_by(8) {
                for column in (0..BLOCK).step_by(8) {
                    let mut columns = [0; 8];
                    for (at, column) in columns.iter_mut().zip(&block[column..]) {
                        let mut bytes = [0; 8];
                        bytes.copy_from_slice(&column[half..half + 8]);
                        *at = u64::from_le_bytes(bytes);
                    }
                    for (at, row) in turn(columns).into_iter().enumerate() {
                        all[part(half + at, column)..][..8].copy_from_slice(&row.to_le_bytes());
                    }
                }
            }
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
            width in 1_u32..150,
            height in 1_u32..50,
            filter in 0_usize..6,
            smooth in 1_u32..300,
            seed in any::<u32>(),
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
        fn a_changed_byte_is_left_to_the_png_crate_or_gives_what_it_gives(
            at in 0_usize..10_000,
            flip in 1_u8..=255,
        ) {
            let pixels: Vec<u8> = (0..40_u32 * 30).map(|i| (i * i / 7) as u8).collect();
            let mut bytes = encoded(40, &pixels, ::png::Filter::Adaptive);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            if let Some((_, _, pixels)) = grey_8_bits(&bytes) {
                prop_assert_eq!(Some(pixels), reference(&bytes));
            }
        }

        #[test]
        fn arbitrary_rows_are_those_of_the_definition(
            columns in 1_usize..80,
            rows in 1_usize..80,
            seed in any::<u64>(),
        ) {
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
            let mut values = filtered.clone();
            prop_assert_eq!(reconstruct(&mut values, columns), Some(()));
            prop_assert_eq!(values, wanted[1..].concat());
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
        assert!(reconstruct(&mut vec![5, 0, 0], 2).is_none(), "no such filter");
    }
}
