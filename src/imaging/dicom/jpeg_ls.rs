//! JPEG-LS (ISO/IEC 14495-1, ITU-T T.87) inside DICOM: one component, 2 to 16 bits, lossless and
//! near-lossless. Written from the recommendation; names in comments are its own. Mapping tables and restart
//! intervals are refused.
//!
//! No crate decodes it without C++. One run on one of two shared cores, 16 radiographs of 1024 x 1024 and 12
//! bits, core-milliseconds an image: 33, from the file to intensities; pydicom with CharLS 35, to samples.
//! Ours stays because it gives what `scripts/decoders.sh` wants of 856 streams and runs no unsafe code on
//! foreign bytes.

use super::jpeg::Picture;

/// What the markers before the scan say.
struct Frame {
    /// P.
    precision: u32,
    width: usize,
    height: usize,
    /// MAXVAL.
    largest: i32,
    /// NEAR.
    near: i32,
    /// T1, T2, T3.
    thresholds: [i32; 3],
    /// RESET.
    reset: i32,
}

/// The picture, which has to be as large as the header says.
pub(super) fn decode(bytes: &[u8], columns: u32, rows: u32) -> Result<Picture, String> {
    let (frame, scan) = markers(bytes)?;
    if (frame.width, frame.height) != (columns as usize, rows as usize) {
        return Err(format!(
            "the JPEG-LS picture has {} x {} pixels, the header says {columns} x {rows}",
            frame.width, frame.height
        ));
    }
    let samples = Scan::new(&frame, scan).run()?;
    Ok(Picture { precision: frame.precision, samples })
}

fn markers(bytes: &[u8]) -> Result<(Frame, &[u8]), String> {
    let cut = || "the JPEG-LS picture ends before its scan".to_owned();
    if bytes.get(..2) != Some(&[0xFF, 0xD8]) {
        return Err("the pixel data hold no JPEG-LS picture".to_owned());
    }
    let mut at = 2;
    let (mut size, mut preset) = (None, [0_i32; 5]);
    loop {
        if bytes.get(at) != Some(&0xFF) {
            return Err(cut());
        }
        let marker = *bytes.get(at + 1).ok_or_else(cut)?;
        if marker == 0xFF {
            at += 1;
            continue;
        }
        let length = bytes.get(at + 2..).and_then(|b| b.first_chunk::<2>()).ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let body = bytes.get(at + 4..at + 2 + length).ok_or_else(cut)?;
        let word = |i: usize| body.get(i..)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b));
        at += 2 + length;
        match marker {
            // SOF55.
            0xF7 => {
                let read = || Some((body.first()?, word(1)?, word(3)?, body.get(5)?));
                let (&bits, height, width, &components) = read().ok_or_else(cut)?;
                if components != 1 || !(2..=16).contains(&bits) {
                    return Err(format!(
                        "{components} components of {bits} bits of a JPEG-LS picture are not read"
                    ));
                }
                size = Some((bits, usize::from(height), usize::from(width)));
            }
            // LSE: only the parameters.
            0xF8 => {
                if body.first() != Some(&1) {
                    return Err("mapping tables and oversize pictures of JPEG-LS are not read".to_owned());
                }
                for (index, value) in preset.iter_mut().enumerate() {
                    *value = i32::from(word(1 + 2 * index).ok_or_else(cut)?);
                }
            }
            0xDD if body.iter().any(|&byte| byte != 0) => {
                return Err("restart intervals of JPEG-LS are not read".to_owned());
            }
            // SOS: one component, no mapping table, NEAR, no interleave, no point transform.
            0xDA => {
                let (bits, height, width) = size.ok_or_else(cut)?;
                let &[1, _, 0, near, _, 0] = body else {
                    return Err("this scan of a JPEG-LS picture is not read".to_owned());
                };
                let rest = bytes.get(at..).ok_or_else(cut)?;
                return Ok((frame(bits, height, width, i32::from(near), preset)?, rest));
            }
            _ => {}
        }
    }
}

/// Fills in the default parameters (C.2.4.1.1).
fn frame(bits: u8, height: usize, width: usize, near: i32, preset: [i32; 5]) -> Result<Frame, String> {
    let largest = if preset[0] == 0 { (1 << bits) - 1 } else { preset[0] };
    if near > 255.min(largest / 2) || largest >= 1 << bits || largest < 1 {
        return Err("the parameters of the JPEG-LS picture contradict each other".to_owned());
    }
    let clamp = |value: i32, least: i32| if value > largest || value < least { least } else { value };
    let defaults = if largest >= 128 {
        let factor = (largest.min(4095) + 128) / 256;
        let one = clamp(factor + 2 + 3 * near, near + 1);
        let two = clamp(factor * 4 + 3 + 5 * near, one);
        [one, two, clamp(factor * 17 + 4 + 7 * near, two)]
    } else {
        let factor = 256 / (largest + 1);
        let one = clamp((3 / factor + 3 * near).max(2), near + 1);
        let two = clamp((7 / factor + 5 * near).max(3), one);
        [one, two, clamp((21 / factor + 7 * near).max(4), two)]
    };
    let or = |value: i32, default: i32| if value == 0 { default } else { value };
    let thresholds = [0, 1, 2].map(|i| or(preset[i + 1], defaults[i]));
    let reset = or(preset[4], 64);
    if !(near + 1..=thresholds[1]).contains(&thresholds[0])
        || !(thresholds[1]..=largest).contains(&thresholds[2])
        || reset < 3
    {
        return Err("the parameters of the JPEG-LS picture contradict each other".to_owned());
    }
    Ok(Frame { precision: bits.into(), width, height, largest, near, thresholds, reset })
}

impl Frame {
    /// The region of a gradient (A.3.3).
    fn region(&self, gradient: i32) -> i8 {
        let [one, two, three] = self.thresholds;
        let size = gradient.abs();
        let region = match size {
            _ if size <= self.near => 0,
            _ if size < one => 1,
            _ if size < two => 2,
            _ if size < three => 3,
            _ => 4,
        };
        if gradient < 0 { -region } else { region }
    }
}

/// Bits of a scan; after a byte of ones a bit of zero is stuffed (A.1).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the uppermost down; zeros below.
    held: u64,
    count: u32,
    /// The last byte was of ones: the next one has seven bits.
    stuffed: bool,
}

/// What is wrong with a scan; short, because every sample may bring one.
type Wrong = &'static str;

const OUT_OF_RANGE: Wrong = "an error of the JPEG-LS picture is out of range";
const ENDED: Wrong = "the JPEG-LS picture ends before the image is full";

impl Bits<'_> {
    /// Holds more than 56 bits, unless a marker or the end comes first.
    #[inline]
    fn fill(&mut self) {
        const LOWEST: u64 = u64::from_ne_bytes([1; 8]);
        let next = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        match next.map(|next| u64::from_be_bytes(*next)) {
            // No byte of ones among the eight: no byte of the others is 0.
            Some(word)
                if self.count <= 56
                    && !self.stuffed
                    && (!word).wrapping_sub(LOWEST) & word & (LOWEST << 7) == 0 =>
            {
                // The bits of a byte that is not held whole are the same when it comes again.
                self.held |= word >> self.count;
                let bytes = 63_u32.wrapping_sub(self.count) >> 3;
                self.at = self.at.wrapping_add(bytes as usize);
                self.count |= 56;
            }
            _ => self.fill_bytewise(),
        }
    }

    #[inline(never)]
    fn fill_bytewise(&mut self) {
        while self.count <= 56 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            let width = if self.stuffed { 7 } else { 8 };
            // A marker: a byte of ones, and then one that is not stuffed.
            if self.stuffed && byte >= 0x80 {
                return;
            }
            self.held |= u64::from(byte) << (64 - width - self.count);
            self.count += width;
            self.stuffed = byte == 0xFF;
            self.at += 1;
        }
    }

    #[inline]
    fn skip(&mut self, count: u32) -> Result<(), Wrong> {
        self.count = self.count.checked_sub(count).ok_or(ENDED)?;
        self.held = self.held.wrapping_shl(count);
        Ok(())
    }

    #[inline]
    fn bit(&mut self) -> Result<u32, Wrong> {
        self.bits(1).map(|bit| bit as u32)
    }

    /// At most 31 bits.
    #[inline]
    fn bits(&mut self, count: i32) -> Result<i32, Wrong> {
        let count = count as u32;
        if count == 0 {
            return Ok(0);
        }
        if self.count < count {
            self.fill();
        }
        let value = self.held.wrapping_shr(count.wrapping_neg());
        self.skip(count)?;
        Ok(value as i32)
    }

    /// A value in a Golomb code of limited length (A.5.3).
    #[inline]
    fn golomb(&mut self, k: i32, limit: i32, escape: i32) -> Result<i32, Wrong> {
        // At most 55 zeros lead: 64 bits less an escape of 8, which 16 bits and the largest error have, and
        // the one that ends them.
        let most = limit - escape - 1;
        if self.count < 32 {
            self.fill();
        }
        let mut zeros = self.held.leading_zeros();
        if zeros >= self.count {
            self.fill();
            zeros = self.held.leading_zeros().min(self.count);
        }
        if zeros as i32 > most {
            return Err("a code of the JPEG-LS picture is too long");
        }
        self.skip(zeros.wrapping_add(1))?;
        let zeros = zeros as i32;
        if zeros < most {
            Ok(zeros.wrapping_shl(k as u32) | self.bits(k)?)
        } else {
            Ok(self.bits(escape)?.wrapping_add(1))
        }
    }
}

/// The least `k` with `count << k` not below `sum` (A.5.1); both are positive.
#[inline]
fn golomb_parameter(count: i32, sum: i32) -> i32 {
    let k = count.leading_zeros().saturating_sub(sum.max(1).leading_zeros());
    k.wrapping_add(u32::from(count.wrapping_shl(k) < sum)) as i32
}

/// A context of regular mode (A.2).
#[derive(Clone, Copy)]
struct Context {
    a: i32,
    b: i32,
    c: i32,
    n: i32,
}

struct Scan<'a> {
    frame: &'a Frame,
    bits: Bits<'a>,
    /// RANGE, qbpp and LIMIT.
    range: i32,
    escape: i32,
    limit: i32,
    contexts: Vec<Context>,
    /// A, N and Nn of the two contexts after a run.
    after_run: [[i32; 3]; 2],
    /// RUNindex.
    run_index: usize,
    /// The region of every gradient, from the least.
    regions: Vec<i8>,
}

/// J (A.2.1).
const RUNS: [i32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

impl<'a> Scan<'a> {
    fn new(frame: &'a Frame, scan: &'a [u8]) -> Self {
        let range = (frame.largest + 2 * frame.near) / (2 * frame.near + 1) + 1;
        let log = |value: i32| (31 - (value - 1).max(1).leading_zeros() as i32 + 1).max(1);
        let bpp = log(frame.largest + 1).max(2);
        let start = ((range + 32) / 64).max(2);
        Self {
            frame,
            bits: Bits { bytes: scan, at: 0, held: 0, count: 0, stuffed: false },
            regions: (-frame.largest..=frame.largest).map(|gradient| frame.region(gradient)).collect(),
            range,
            escape: log(range),
            limit: 2 * (bpp + bpp.max(8)),
            contexts: vec![Context { a: start, b: 0, c: 0, n: 1 }; 365],
            after_run: [[start, 1, 0]; 2],
            run_index: 0,
        }
    }

    fn run(mut self) -> Result<Vec<u16>, String> {
        let (width, height) = (self.frame.width, self.frame.height);
        let mut out = Vec::with_capacity(width * height);
        // One sample more on each side (A.2.1): left of the line the first sample above, right of the line
        // above its last.
        let mut above = vec![0_i32; width + 2];
        let mut line = vec![0_i32; width + 2];
        for _ in 0..height {
            line[0] = above[1];
            above[width + 1] = above[width];
            self.line(&above, &mut line).map_err(str::to_owned)?;
            out.extend(line[1..=width].iter().map(|&value| value as u16));
            std::mem::swap(&mut above, &mut line);
        }
        Ok(out)
    }

    fn line(&mut self, above: &[i32], line: &mut [i32]) -> Result<(), Wrong> {
        let width = self.frame.width;
        let near = self.frame.near;
        let mut x = 1;
        while x <= width {
            let (a, b, c, d) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
            let gradients = [d.wrapping_sub(b), b.wrapping_sub(c), c.wrapping_sub(a)];
            if gradients.iter().any(|g| g.abs() > near) {
                line[x] = self.regular(gradients, a, b, c)?;
                x += 1;
                continue;
            }
            // A run of the sample to the left (A.7.1).
            let mut left = width + 1 - x;
            loop {
                let whole = 1_usize << RUNS[self.run_index];
                if self.bits.bit()? == 0 {
                    let length = self.bits.bits(RUNS[self.run_index])? as usize;
                    if length >= left {
                        return Err("a run of the JPEG-LS picture is longer than its line");
                    }
                    line[x..x + length].fill(a);
                    x += length;
                    line[x] = self.interruption(a, above[x])?;
                    x += 1;
                    self.run_index = self.run_index.saturating_sub(1);
                    break;
                }
                let length = whole.min(left);
                line[x..x + length].fill(a);
                x += length;
                left -= length;
                if length == whole {
                    self.run_index = (self.run_index + 1).min(31);
                }
                if left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A sample out of the prediction and its error, which was coded modulo RANGE (A.4.5).
    #[inline]
    fn restored(&self, predicted: i32, error: i32) -> i32 {
        let (near, largest) = (self.frame.near, self.frame.largest);
        let step = near.wrapping_mul(2).wrapping_add(1);
        let value = predicted.wrapping_add(error.wrapping_mul(step));
        let around = self.range.wrapping_mul(step);
        let more = if value < near.wrapping_neg() { around } else { 0 };
        let less = if value > largest.wrapping_add(near) { around } else { 0 };
        value.wrapping_add(more).wrapping_sub(less).max(0).min(largest)
    }

    /// A mapped error. No picture has one beyond RANGE, and sums of errors stay small for it.
    #[inline]
    fn error(&mut self, k: i32, limit: i32) -> Result<i32, Wrong> {
        let mapped = self.bits.golomb(k, limit, self.escape)?;
        if mapped <= self.range { Ok(mapped) } else { Err(OUT_OF_RANGE) }
    }

    /// A sample that no run holds. Choices whose outcome nobody can foresee are arithmetic: a processor that
    /// guesses them guesses wrong half of the time. No sum can wrap (no error is above 2^15, and no RESET
    /// above 2^16 - 1, so that A stays below 2^31), and to look at each would take a third of the time.
    #[inline]
    fn regular(&mut self, gradients: [i32; 3], a: i32, b: i32, c: i32) -> Result<i32, Wrong> {
        let (near, largest) = (self.frame.near, self.frame.largest);
        let region = |gradient: i32| i32::from(self.regions[gradient.wrapping_add(largest) as usize]);
        let (one, two, three) = (region(gradients[0]), region(gradients[1]), region(gradients[2]));
        let index = one.wrapping_mul(81).wrapping_add(two.wrapping_mul(9)).wrapping_add(three);
        // All ones where the sign is turned.
        let turned = index >> 31;
        let signed = |value: i32| (value ^ turned).wrapping_sub(turned);
        // A.4.1: the median of the three.
        let edge = a.wrapping_add(b).wrapping_sub(c).max(a.min(b)).min(a.max(b));
        let context = &mut self.contexts[index.unsigned_abs() as usize];
        let Context { a: sum, b: bias, c: correction, n: count } = *context;
        let predicted = edge.wrapping_add(signed(correction)).max(0).min(largest);
        let mapped = self.bits.golomb(golomb_parameter(count, sum), self.limit, self.escape)?;
        if mapped > self.range {
            return Err(OUT_OF_RANGE);
        }
        // A.5.2, backwards.
        let error = (mapped >> 1) ^ (mapped & 1).wrapping_neg();
        let mirrored = near == 0 && count >= sum && bias.wrapping_mul(2) <= count.wrapping_neg();
        let error = if mirrored { !error } else { error };
        // A.6.
        let step = near.wrapping_mul(2).wrapping_add(1);
        let bias = bias.wrapping_add(error.wrapping_mul(step));
        let sum = sum.wrapping_add(error.wrapping_abs());
        let half = i32::from(count == self.frame.reset) as u32;
        let (sum, bias) = (sum.wrapping_shr(half), bias.wrapping_shr(half));
        let count = count.wrapping_shr(half).wrapping_add(1);
        let (below, above) = (bias <= count.wrapping_neg(), bias > 0);
        let lifted = bias.wrapping_add(count).max(1_i32.wrapping_sub(count));
        let lowered = bias.wrapping_sub(count).min(0);
        let bias = if below { lifted } else { bias };
        let bias = if above { lowered } else { bias };
        let correction = correction.wrapping_add(above.into()).wrapping_sub(below.into()).clamp(-128, 127);
        *context = Context { a: sum, b: bias, c: correction, n: count };
        Ok(self.restored(predicted, signed(error)))
    }

    /// The sample that ends a run (A.7.2).
    fn interruption(&mut self, a: i32, b: i32) -> Result<i32, Wrong> {
        let alike = (a - b).abs() <= self.frame.near;
        let [mut sum, mut count, mut negative] = self.after_run[usize::from(alike)];
        let scale = sum + if alike { count >> 1 } else { 0 };
        let k = golomb_parameter(count, scale);
        let mapped = self.error(k, self.limit - RUNS[self.run_index] - 1)?;
        // EMErrval = 2 |Errval| - RItype - map, backwards.
        let doubled = mapped + i32::from(alike);
        let map = doubled & 1 == 1;
        let size = (doubled + 1) >> 1;
        let likely_negative = k != 0 || 2 * negative >= count;
        let error = if map == likely_negative { -size } else { size };
        if error < 0 {
            negative += 1;
        }
        sum += (mapped + 1 - i32::from(alike)) >> 1;
        if count == self.frame.reset {
            sum >>= 1;
            count >>= 1;
            negative >>= 1;
        }
        self.after_run[usize::from(alike)] = [sum, count + 1, negative];
        let (predicted, sign) = if alike { (a, 1) } else { (b, if a > b { -1 } else { 1 }) };
        Ok(self.restored(predicted, sign * error))
    }
}
