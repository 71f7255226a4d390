//! Maps of an image in memory, windows on them, what follows a linear operation, and memory that is used
//! again.

use std::collections::BTreeMap;

use pulp::Arch;

use crate::vectorised::vectorised;

/// Maps that one register of 512 bits holds.
pub const LANES: usize = 16;
/// Values of an operand that are worked on at once, so that they stay in the second cache.
pub const BLOCK: usize = 64 * 1024;

/// Maps of one image. A pixel's values begin `pitch` apart; `channels` of them count.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Pixel after pixel, row after row.
    pub values: &'a [f32],
    /// From the first value of a pixel to that of the next; at least `channels`.
    pub pitch: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Maps.
    pub channels: usize,
}

/// Kernel, stride, zeros above and left.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one place to the next, in both directions.
    pub stride: usize,
    /// Zeros above the first row and before the first column.
    pub zeros: [usize; 2],
    /// Rows and columns of the output.
    pub output: [usize; 2],
}

impl Window {
    /// The taps `first..end` of `extent` that lie inside for output number `at`, and the input number of the
    /// first.
    #[inline(always)]
    pub fn inside(&self, axis: usize, at: usize, extent: usize) -> (usize, usize, usize) {
        let (start, zeros) = (at * self.stride, self.zeros[axis]);
        let first = zeros.saturating_sub(start);
        let end = (extent + zeros).saturating_sub(start).min(self.kernel[axis]);
        (first, end, (start + first).saturating_sub(zeros))
    }
}

/// What follows a linear operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// Not below 0.
    Relu,
    /// Not below 0 and not above 6.
    Relu6,
    /// `x / (1 + exp(-x))`.
    Silu,
}

/// `scale * x + shift` for each map, and what follows.
#[derive(Clone, Debug)]
pub struct Affine {
    /// One value a map.
    pub scale: Vec<f32>,
    /// One value a map.
    pub shift: Vec<f32>,
    /// What follows.
    pub activation: Activation,
}

/// Memory that is used again, by its length: the next image asks for the same.
#[derive(Debug, Default)]
pub struct Scratch(BTreeMap<usize, Vec<Vec<f32>>>);

impl Scratch {
    /// `len` values, whatever they are.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        self.0.get_mut(&len).and_then(Vec::pop).unwrap_or_else(|| vec![0.0; len])
    }

    /// At least `len` values, in one of few lengths.
    pub fn take_some(&mut self, len: usize) -> Vec<f32> {
        self.take(len.next_multiple_of(BLOCK))
    }

    /// Back, for whoever asks next for as many.
    pub fn give(&mut self, values: Vec<f32>) {
        self.0.entry(values.len()).or_default().push(values);
    }
}

impl Activation {
    /// The least and the largest value that comes through. Limits, because a choice within a loop would keep
    /// it from being made into vectors.
    #[inline(always)]
    pub fn limits(self) -> [f32; 2] {
        match self {
            // SiLU is no limit: [`Activation::finish`].
            Self::None | Self::Silu => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }

    /// The whole of it, on values that were just written.
    pub fn apply(self, arch: Arch, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu | Self::Relu6 => within(arch, self.limits(), values),
            Self::Silu => silu(arch, values),
        }
    }

    /// What is left to do after the limits, on values that were just written: they are still in a cache.
    pub fn finish(self, arch: Arch, values: &mut [f32]) {
        if self == Self::Silu {
            silu(arch, values);
        }
    }
}

/// Within the limits; what is not a number stays so.
#[inline(always)]
pub fn limited(x: f32, [low, high]: [f32; 2]) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `1 / (1 + exp(-x))` in arithmetic that a loop can make vectors of: `exp` as a power of two times the
/// Taylor series of what is left, in ±ln(2)/2, where its eighth term is below half a unit in the last place.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    // ln(2) in two parts, so that a whole multiple of the first is exact (Cody and Waite 1980).
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Added and taken away, it rounds to a whole number.
    const ROUNDS: f32 = 12_582_912.0;
    let x = limited(-x, [-87.0, 87.0]);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDS;
    let whole = shifted - ROUNDS;
    let r = x - whole * LN_2[0] - whole * LN_2[1];
    let series = 1.0 / 5_040.0;
    let series = series * r + 1.0 / 720.0;
    let series = series * r + 1.0 / 120.0;
    let series = series * r + 1.0 / 24.0;
    let series = series * r + 1.0 / 6.0;
    let series = series * r + 0.5;
    let series = (series * r + 1.0) * r + 1.0;
    // The last bits of `shifted` are the whole number: put into the exponent.
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    1.0 / (1.0 + series * power)
}

impl Affine {
    /// Of every pixel.
    pub fn run(&self, arch: Arch, input: View<'_>, output: &mut [f32]) {
        affine(arch, self, input, output);
        self.activation.finish(arch, output);
    }
}

vectorised! {
    fn within<'a>(limits: [f32; 2], values: &'a mut [f32]) {
        for x in values {
            *x = limited(*x, limits);
        }
    }
}

vectorised! {
    fn silu<'a>(values: &'a mut [f32]) {
        for x in values {
            *x *= logistic(*x);
        }
    }
}

vectorised! {
    pub fn affine<'a>(line: &'a Affine, input: View<'a>, output: &'a mut [f32]) {
        let Affine { scale, shift, activation } = line;
        let limits = activation.limits();
        for (x, y) in input.values.chunks(input.pitch).zip(output.chunks_exact_mut(input.channels)) {
            for ((y, x), (scale, shift)) in y.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
                *y = limited(scale * x + shift, limits);
            }
        }
    }
}
