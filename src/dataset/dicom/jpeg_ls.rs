//! JPEG-LS (ISO/IEC 14495-1, ITU-T T.87) inside DICOM: one component, 2 to 16 bits, lossless and near-lossless. Written
//! from the recommendation; names in comments are its own. Mapping tables and restart intervals are refused.

/// What the markers before the scan say.
struct Frame {
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

/// The samples, row by row.
pub(super) fn decode(bytes: &[u8], columns: u32, rows: u32) -> Result<Vec<u16>, String> {
    let (frame, scan) = markers(bytes)?;
    if (frame.width, frame.height) != (columns as usize, rows as usize) {
        return Err(format!(
            "the JPEG-LS picture has {} x {} pixels, the header says {columns} x {rows}",
            frame.width, frame.height
        ));
    }
    Scan::new(&frame, scan).run()
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
    Ok(Frame { width, height, largest, near, thresholds, reset })
}

/// Bits of a scan; after a byte of ones a bit of zero is stuffed (A.1).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn bit(&mut self) -> Result<u32, String> {
        if self.count == 0 {
            let ended = || "the JPEG-LS picture ends before the image is full".to_owned();
            let stuffed = self.at > 0 && self.bytes[self.at - 1] == 0xFF;
            let byte = *self.bytes.get(self.at).ok_or_else(ended)?;
            // A marker: a byte of ones, and then one that is not stuffed.
            if stuffed && byte >= 0x80 {
                return Err(ended());
            }
            self.at += 1;
            self.held = u32::from(byte);
            self.count = if stuffed { 7 } else { 8 };
        }
        self.count -= 1;
        Ok((self.held >> self.count) & 1)
    }

    fn bits(&mut self, count: i32) -> Result<i32, String> {
        (0..count).try_fold(0, |value, _| Ok(value << 1 | self.bit()? as i32))
    }

    /// A value in a Golomb code of limited length (A.5.3).
    fn golomb(&mut self, k: i32, limit: i32, escape: i32) -> Result<i32, String> {
        let most = limit - escape - 1;
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > most {
                return Err("a code of the JPEG-LS picture is too long".to_owned());
            }
        }
        if zeros < most { Ok((zeros << k) + self.bits(k)?) } else { Ok(self.bits(escape)? + 1) }
    }
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
            bits: Bits { bytes: scan, at: 0, held: 0, count: 0 },
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
        // One sample more on each side (A.2.1): left of the line the first sample above, right of the line above its last.
        let mut above = vec![0_i32; width + 2];
        let mut line = vec![0_i32; width + 2];
        for _ in 0..height {
            line[0] = above[1];
            above[width + 1] = above[width];
            self.line(&above, &mut line)?;
            out.extend(line[1..=width].iter().map(|&value| value as u16));
            std::mem::swap(&mut above, &mut line);
        }
        Ok(out)
    }

    fn line(&mut self, above: &[i32], line: &mut [i32]) -> Result<(), String> {
        let width = self.frame.width;
        let near = self.frame.near;
        let mut x = 1;
        while x <= width {
            let (a, b, c, d) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
            let gradients = [d - b, b - c, c - a];
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
                        return Err("a run of the JPEG-LS picture is longer than its line".to_owned());
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

    /// The region of a gradient (A.3.3).
    fn quantised(&self, gradient: i32) -> i32 {
        let [one, two, three] = self.frame.thresholds;
        let size = gradient.abs();
        let region = match size {
            _ if size <= self.frame.near => 0,
            _ if size < one => 1,
            _ if size < two => 2,
            _ if size < three => 3,
            _ => 4,
        };
        region * gradient.signum()
    }

    /// A sample out of the prediction and its error, which was coded modulo RANGE (A.4.5).
    fn restored(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.frame.near + 1;
        let value = predicted + error * step;
        let around = self.range * step;
        let value = if value < -self.frame.near {
            value + around
        } else if value > self.frame.largest + self.frame.near {
            value - around
        } else {
            value
        };
        value.clamp(0, self.frame.largest)
    }

    fn regular(&mut self, gradients: [i32; 3], a: i32, b: i32, c: i32) -> Result<i32, String> {
        let [one, two, three] = gradients.map(|g| self.quantised(g));
        let index = 81 * one + 9 * two + three;
        let sign = if index < 0 { -1 } else { 1 };
        let index = index.unsigned_abs() as usize;
        let edge = if c >= a.max(b) {
            a.min(b)
        } else if c <= a.min(b) {
            a.max(b)
        } else {
            a + b - c
        };
        let mut context = self.contexts[index];
        let predicted = (edge + sign * context.c).clamp(0, self.frame.largest);
        let mut k = 0;
        while context.n << k < context.a && k < 24 {
            k += 1;
        }
        let mapped = self.bits.golomb(k, self.limit, self.escape)?;
        // A.5.2, backwards.
        let mut error = if mapped & 1 == 0 { mapped >> 1 } else { -((mapped + 1) >> 1) };
        if self.frame.near == 0 && k == 0 && 2 * context.b <= -context.n {
            error = -error - 1;
        }
        let step = 2 * self.frame.near + 1;
        // A.6.
        context.b += error * step;
        context.a += error.abs();
        if context.n == self.frame.reset {
            context.a >>= 1;
            context.b >>= 1;
            context.n >>= 1;
        }
        context.n += 1;
        if context.b <= -context.n {
            context.b = (context.b + context.n).max(1 - context.n);
            context.c = (context.c - 1).max(-128);
        } else if context.b > 0 {
            context.b = (context.b - context.n).min(0);
            context.c = (context.c + 1).min(127);
        }
        self.contexts[index] = context;
        Ok(self.restored(predicted, sign * error))
    }

    /// The sample that ends a run (A.7.2).
    fn interruption(&mut self, a: i32, b: i32) -> Result<i32, String> {
        let alike = (a - b).abs() <= self.frame.near;
        let [mut sum, mut count, mut negative] = self.after_run[usize::from(alike)];
        let scale = sum + if alike { count >> 1 } else { 0 };
        let mut k = 0;
        while count << k < scale && k < 24 {
            k += 1;
        }
        let limit = self.limit - RUNS[self.run_index] - 1;
        let mapped = self.bits.golomb(k, limit, self.escape)?;
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
