//! A convolution of each map by itself. A row of the window is added at once for a few neighbouring outputs,
//! which share its weights and most of its pixels. Each sum has the same terms in the same order wherever its
//! output lies, and a term is rounded before it is added, so that its bits do not depend on how many are
//! worked on at once.

use pulp::{Arch, Simd, WithSimd};

use super::{Activation, View, Window};

/// Pixels of a row that a few outputs look at, at most.
const MOST: usize = 8;

/// A convolution of each map by itself. Weights `[row, column][map]`, one bias a map.
pub fn depthwise(
    arch: Arch,
    input: View<'_>,
    window: Window,
    (weights, bias, activation): (&[f32], &[f32], Activation),
    output: &mut [f32],
) {
    for (at, output) in output.chunks_exact_mut(window.output[1] * input.channels).enumerate() {
        for pixel in output.chunks_exact_mut(input.channels) {
            pixel.copy_from_slice(bias);
        }
        arch.dispatch(Row { input, window, weights, at, output });
        activation.apply(arch, output);
    }
}

/// Row number `at` of the output, which holds the bias.
struct Row<'a> {
    input: View<'a>,
    window: Window,
    weights: &'a [f32],
    at: usize,
    output: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // The windows that networks have; of any other the pixels are added one after the other.
        match (self.window.kernel[1], self.window.stride) {
            (3, 1) => self.outputs::<S, 3, 1, 4>(simd),
            (3, 2) => self.outputs::<S, 3, 2, 1>(simd),
            (5, 1) => self.outputs::<S, 5, 1, 4>(simd),
            (5, 2) => self.outputs::<S, 5, 2, 2>(simd),
            _ => self.outputs::<S, 1, 1, 1>(simd),
        }
    }
}

impl Row<'_> {
    /// With windows that are `WIDE` and `STRIDE` apart, `OUTPUTS` at once where all of them lie inside.
    #[inline(always)]
    fn outputs<S: Simd, const WIDE: usize, const STRIDE: usize, const OUTPUTS: usize>(&mut self, simd: S) {
        let View { values, pitch, height, width, channels } = self.input;
        let window = self.window;
        let (row_first, row_end, top) = window.inside(0, self.at, height);
        let is_whole = |at: usize| {
            let (first, end, _) = window.inside(1, at, width);
            first == 0 && end == WIDE
        };
        let mut at = 0;
        while at < window.output[1] {
            let (first, end, left) = window.inside(1, at, width);
            let whole = WIDE == window.kernel[1] && is_whole(at);
            // What lies between two outputs whose windows lie inside does so too.
            let several = whole && at + OUTPUTS <= window.output[1] && is_whole(at + OUTPUTS - 1);
            let outputs = if several { OUTPUTS } else { 1 };
            let sums = &mut self.output[at * channels..][..outputs * channels];
            for row in row_first..row_end {
                let x = &values[((top + row - row_first) * width + left) * pitch..];
                let weights = &self.weights[(row * window.kernel[1] + first) * channels..];
                if several {
                    add::<S, WIDE, STRIDE, OUTPUTS>(simd, (x, pitch), weights, sums, channels);
                } else if whole {
                    add::<S, WIDE, STRIDE, 1>(simd, (x, pitch), weights, sums, channels);
                } else {
                    for column in 0..end - first {
                        let (x, weights) = (&x[column * pitch..], &weights[column * channels..]);
                        add::<S, 1, 1, 1>(simd, (x, pitch), weights, sums, channels);
                    }
                }
            }
            at += outputs;
        }
    }
}

/// To each of the sums of neighbouring outputs, one after the other, the pixels of a row of its window times
/// their weights. Pixels begin `pitch` apart.
#[inline(always)]
fn add<S: Simd, const WIDE: usize, const STRIDE: usize, const OUTPUTS: usize>(
    simd: S,
    (x, pitch): (&[f32], usize),
    weights: &[f32],
    sums: &mut [f32],
    channels: usize,
) {
    const { assert!((OUTPUTS - 1) * STRIDE + WIDE <= MOST) };
    let mut pixels: [&[S::f32s]; MOST] = [&[]; MOST];
    for (at, pixel) in pixels.iter_mut().enumerate().take((OUTPUTS - 1) * STRIDE + WIDE) {
        *pixel = S::as_simd_f32s(&x[at * pitch..][..channels]).0;
    }
    let mut factors: [&[S::f32s]; WIDE] = [&[]; WIDE];
    for (at, factor) in factors.iter_mut().enumerate() {
        *factor = S::as_simd_f32s(&weights[at * channels..][..channels]).0;
    }
    let mut all: [&mut [S::f32s]; OUTPUTS] = std::array::from_fn(|_| Default::default());
    for (own, sums) in all.iter_mut().zip(sums.chunks_exact_mut(channels)) {
        *own = S::as_mut_simd_f32s(sums).0;
    }
    for register in 0..channels / S::F32_LANES {
        let mut sum = [simd.splat_f32s(0.0); OUTPUTS];
        for (sum, own) in sum.iter_mut().zip(&all) {
            *sum = own[register];
        }
        for (at, factor) in factors.iter().enumerate() {
            for (output, sum) in sum.iter_mut().enumerate() {
                let pixel = pixels[output * STRIDE + at][register];
                *sum = simd.add_f32s(*sum, simd.mul_f32s(pixel, factor[register]));
            }
        }
        for (own, sum) in all.iter_mut().zip(sum) {
            own[register] = sum;
        }
    }
    let rest = channels - channels % S::F32_LANES;
    if rest == channels {
        return;
    }
    // What does not fill a register.
    for (output, sums) in sums.chunks_exact_mut(channels).enumerate() {
        let mut sum = simd.partial_load_f32s(&sums[rest..]);
        for at in 0..WIDE {
            let pixel = simd.partial_load_f32s(&x[(output * STRIDE + at) * pitch..][rest..channels]);
            let factor = simd.partial_load_f32s(&weights[at * channels..][rest..channels]);
            sum = simd.add_f32s(sum, simd.mul_f32s(pixel, factor));
        }
        simd.partial_store_f32s(&mut sums[rest..], sum);
    }
}
