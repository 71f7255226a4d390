//! The sequential processes of the DCT (annexes A and F): baseline and extended, 8 or 12 bits.
//!
//! The recommendation leaves the rounding of the inverse DCT to decoders. Here its sums are taken with 18
//! binary places and rounded once, so that a sample is the exactly computed one, rounded, but for ties.

use super::bits::{Bits, Codes};
use super::{Scan, Wrong};

/// The samples, row by row.
pub(super) fn decode(scan: &Scan<'_>) -> Result<Vec<u16>, Wrong> {
    let (columns, rows) = (scan.frame.columns, scan.frame.rows);
    let [Some(dc), Some(ac)] = scan.codes else { return Err("the JPEG picture lacks a Huffman table") };
    let quantisation = scan.quantisation.ok_or("the JPEG picture lacks a quantisation table")?;
    let mut blocks = Blocks { bits: Bits::new(scan.bytes), dc, ac, quantisation, last: 0 };
    // A single component is not interleaved: block after block, whatever its sampling factors (A.2.2).
    let (across, down) = (columns.div_ceil(8), rows.div_ceil(8));
    let mut out = vec![0_u16; columns * rows];
    for index in 0..across * down {
        if scan.restart > 0 && index > 0 && index % scan.restart == 0 {
            blocks.bits.restart(index / scan.restart)?;
            blocks.last = 0;
        }
        let block = inverse(&blocks.next()?, scan.frame.precision);
        let (left, top) = (8 * (index % across), 8 * (index / across));
        let width = 8.min(columns - left);
        for (y, line) in block.chunks_exact(8).take(rows - top).enumerate() {
            let begin = (top + y) * columns + left;
            out[begin..begin + width].copy_from_slice(&line[..width]);
        }
    }
    Ok(out)
}

struct Blocks<'a> {
    bits: Bits<'a>,
    dc: &'a Codes,
    ac: &'a Codes,
    quantisation: &'a [i64; 64],
    /// PRED: the term without frequency of the last block.
    last: i64,
}

/// Sixteen bits hold every coefficient of samples of 12 bits, with their error of quantisation.
fn kept(value: i64) -> Result<i64, Wrong> {
    if value.abs() < 1 << 16 { Ok(value) } else { Err(WILD) }
}

const WILD: Wrong = "a coefficient of the JPEG picture is larger than 12 bits give";

impl Blocks<'_> {
    /// Dequantised coefficients of a block (F.2.2).
    fn next(&mut self) -> Result<[i64; 64], Wrong> {
        let mut block = [0; 64];
        let size = self.bits.code(self.dc)?;
        if size > 15 {
            return Err(WILD);
        }
        self.last = kept(self.last + self.bits.signed(size)?)?;
        block[0] = kept(self.last * self.quantisation[0])?;
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
                    block[usize::from(at)] = kept(self.bits.signed(size)? * self.quantisation[place])?;
                    place += 1;
                }
            }
        }
        Ok(block)
    }
}

/// In the order of the scan (figure A.6): the place in the block, row by row.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

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

/// Eight values of one dimension: the halves of even and of odd frequencies, their sum and their difference.
#[inline(always)]
fn inverse_8(line: [i64; 8]) -> [i64; 8] {
    let mut out = [0; 8];
    for n in 0..4 {
        let f = &FACTORS[n];
        let even = f[0] * line[0] + f[2] * line[2] + f[4] * line[4] + f[6] * line[6];
        let odd = f[1] * line[1] + f[3] * line[3] + f[5] * line[5] + f[7] * line[7];
        out[n] = even + odd;
        out[7 - n] = even - odd;
    }
    out
}

/// The inverse DCT (A.3.3), the level shift, and the range of the precision. At most 2^16 a coefficient, the
/// sums stay below 2^61.
fn inverse(block: &[i64; 64], precision: u32) -> [u16; 64] {
    let mut rows = [0_i64; 64];
    for (line, out) in block.as_chunks::<8>().0.iter().zip(rows.as_chunks_mut::<8>().0) {
        *out = if line[1..].iter().all(|&c| c == 0) { [line[0] << PLACES; 8] } else { inverse_8(*line) };
    }
    let (shift, half) = (2 * PLACES + 3, 1 << (precision - 1));
    let mut out = [0; 64];
    for x in 0..8 {
        let column = inverse_8(std::array::from_fn(|y| rows[8 * y + x]));
        for (y, sum) in column.into_iter().enumerate() {
            let value = ((sum + (1 << (shift - 1))) >> shift) + half;
            out[8 * y + x] = value.clamp(0, 2 * half - 1) as u16;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = inverse(&block, 12);
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
}
