//! The lossless process with Huffman codes (annex H): all seven predictors, every precision, the point
//! transform and restart intervals.

use super::bits::{Bits, Codes};
use super::{Scan, Wrong};

/// The samples, row by row, each shifted back by the point transform.
pub(super) fn decode(scan: &Scan<'_>) -> Result<Vec<u16>, Wrong> {
    let (columns, rows) = (scan.frame.columns, scan.frame.rows);
    if !(1..=7).contains(&scan.predictor) {
        return Err("the predictor of the lossless JPEG picture is none of the seven");
    }
    let Some(kept) = scan.frame.precision.checked_sub(scan.point.into()).filter(|&bits| bits > 0) else {
        return Err("the point transform of the lossless JPEG picture leaves no bit");
    };
    // H.1.1: whole lines.
    if !scan.restart.is_multiple_of(columns) {
        return Err("a restart interval of the lossless JPEG picture is no multiple of its lines");
    }
    let codes = scan.codes[0].ok_or("the JPEG picture lacks a Huffman table")?;
    let lines = scan.restart / columns;
    let mut bits = Bits::new(scan.bytes);
    let mut out = vec![0_u16; columns * rows];
    let line_of: Line = match scan.predictor {
        1 => |bits, codes, above, line| predict(bits, codes, above, line, |a, _, _| a),
        2 => |bits, codes, above, line| predict(bits, codes, above, line, |_, b, _| b),
        3 => |bits, codes, above, line| predict(bits, codes, above, line, |_, _, c| c),
        4 => |bits, codes, above, line| predict(bits, codes, above, line, |a, b, c| a + b - c),
        5 => |bits, codes, above, line| predict(bits, codes, above, line, |a, b, c| a + ((b - c) >> 1)),
        6 => |bits, codes, above, line| predict(bits, codes, above, line, |a, b, c| b + ((a - c) >> 1)),
        _ => |bits, codes, above, line| predict(bits, codes, above, line, |a, b, _| (a + b) >> 1),
    };
    for row in 0..rows {
        let (before, line) = out.split_at_mut(row * columns);
        let line = &mut line[..columns];
        let restarts = lines > 0 && row > 0 && row % lines == 0;
        if restarts {
            bits.restart(row / lines)?;
        }
        if row == 0 || restarts {
            // H.1.2.1: half of the range first, then the sample to the left.
            let mut left = 1 << (kept - 1);
            for sample in line {
                left = restored(&mut bits, codes, left)?;
                *sample = left as u16;
            }
        } else {
            line_of(&mut bits, codes, &before[(row - 1) * columns..], line)?;
        }
    }
    if out.iter().any(|&sample| u32::from(sample) >> kept != 0) {
        return Err("the lossless JPEG picture holds samples of more bits than it says");
    }
    out.iter_mut().for_each(|sample| *sample <<= scan.point);
    Ok(out)
}

/// Decodes a line below another one.
type Line = fn(&mut Bits<'_>, &Codes, &[u16], &mut [u16]) -> Result<(), Wrong>;

/// A line from the samples to the left (Ra), above (Rb) and above to the left (Rc); its first sample from the
/// one above (table H.1).
#[inline(always)]
fn predict(
    bits: &mut Bits<'_>,
    codes: &Codes,
    above: &[u16],
    line: &mut [u16],
    predictor: impl Fn(i32, i32, i32) -> i32,
) -> Result<(), Wrong> {
    let mut corner = i32::from(above[0]);
    let mut left = restored(bits, codes, corner)?;
    line[0] = left as u16;
    for (sample, &up) in line[1..].iter_mut().zip(&above[1..]) {
        let up = i32::from(up);
        left = restored(bits, codes, predictor(left, up, corner))?;
        *sample = left as u16;
        corner = up;
    }
    Ok(())
}

/// A prediction and the difference that is coded, modulo 2^16 (H.1.2.1, table H.2).
#[inline(always)]
fn restored(bits: &mut Bits<'_>, codes: &Codes, predicted: i32) -> Result<i32, Wrong> {
    let difference = match bits.code(codes)? {
        size @ 0..=15 => bits.signed(size)? as i32,
        16 => 1 << 15,
        _ => return Err("a difference of the lossless JPEG picture has more than 16 bits"),
    };
    Ok((predicted + difference) & 0xFFFF)
}
