//! Loops over pixels and over maps of a network, compiled for each kind of processor and chosen when the
//! program runs (`pulp`). Values of a pixel lie together (`[pixel][map]`), so every inner loop runs over maps
//! that are neighbours in memory, and the compiler makes vectors of it.

mod maps;
pub mod product;
pub mod resize;
mod vectorised;
pub mod winograd;

pub use pulp::Arch;

use self::maps::{BLOCK, LANES, limited, logistic};
use self::product::{Matrix, Rows};
use crate::vectorised::vectorised;

pub use self::maps::{Activation, Affine, Scratch, View};

/// A 1 × 1 convolution of stride 1, after a normalisation of its input where there is one.
pub fn pointwise(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    before: Option<&Affine>,
    (matrix, bias, activation): (&Matrix, &[f32], Activation),
    output: &mut [f32],
) {
    let (channels, outputs) = (input.channels, bias.len());
    let follow = Some((bias, activation));
    // A multiple of what the matrix product handles at once.
    let rows = (BLOCK / channels).next_multiple_of(48).max(48);
    let mut block = scratch.take_some(before.map_or(0, |_| rows * channels));
    for (x, y) in input.values.chunks(rows * input.pitch).zip(output.chunks_mut(rows * outputs)) {
        let count = y.len() / outputs;
        match before {
            Some(affine) => {
                let part = View { values: x, height: 1, width: count, ..input };
                affine.run(arch, part, &mut block[..count * channels]);
                matrix.times(arch, Rows::new(&block, channels, count, channels), follow, y);
            }
            None => matrix.times(arch, Rows::new(x, input.pitch, count, channels), follow, y),
        }
    }
    scratch.give(block);
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
    fn inside(&self, axis: usize, at: usize, extent: usize) -> (usize, usize, usize) {
        let (start, zeros) = (at * self.stride, self.zeros[axis]);
        let first = zeros.saturating_sub(start);
        let end = (extent + zeros).saturating_sub(start).min(self.kernel[axis]);
        (first, end, (start + first).saturating_sub(zeros))
    }
}

/// Any convolution without groups: the patch of an output is read where it lies, a row of the kernel at a
/// time.
pub fn patches(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    window: Window,
    (matrix, bias, activation): (&Matrix, &[f32], Activation),
    output: &mut [f32],
) {
    let (outputs, channels) = (bias.len(), input.channels);
    let [height, width] = window.output;
    // With the zeros around it, so that every patch is whole.
    let whole = |axis: usize, outputs: usize| (outputs - 1) * window.stride + window.kernel[axis];
    let [rows, columns] = [whole(0, height), whole(1, width)];
    let mut padded = scratch.take(rows * columns * channels);
    for (at, row) in padded.chunks_exact_mut(columns * channels).enumerate() {
        row.fill(0.0);
        let Some(y) = at.checked_sub(window.zeros[0]).filter(|y| *y < input.height) else { continue };
        let pixels = input.values[y * input.width * input.pitch..].chunks(input.pitch).take(input.width);
        let zeros = window.zeros[1] * channels;
        for (to, from) in row[zeros..].chunks_exact_mut(channels).zip(pixels) {
            to.copy_from_slice(&from[..channels]);
        }
    }
    for (y, output) in output.chunks_exact_mut(width * outputs).enumerate() {
        let x = Rows {
            values: &padded[y * window.stride * columns * channels..],
            pitch: window.stride * channels,
            count: width,
            part: window.kernel[1] * channels,
            apart: columns * channels,
        };
        matrix.times(arch, x, Some((bias, activation)), output);
    }
    scratch.give(padded);
}

vectorised! {
    /// A convolution of each map by itself. Weights `[row, column][map]`.
    pub fn depthwise<'a>(
        input: View<'a>,
        window: Window,
        linear: (&'a [f32], &'a [f32], Activation),
        output: &'a mut [f32],
    ) {
        let (weights, bias, activation) = linear;
        let limits = activation.limits();
        let channels = input.channels;
        let [_, width] = window.output;
        for (at, out) in output.chunks_exact_mut(channels).enumerate() {
            let (row_first, row_end, top) = window.inside(0, at / width, input.height);
            let (column_first, column_end, left) = window.inside(1, at % width, input.width);
            out.copy_from_slice(bias);
            for row in row_first..row_end {
                for column in column_first..column_end {
                    let pixel = (top + row - row_first) * input.width + left + column - column_first;
                    let source = &input.values[pixel * input.pitch..][..channels];
                    let weights = &weights[(row * window.kernel[1] + column) * channels..][..channels];
                    for ((y, x), w) in out.iter_mut().zip(source).zip(weights) {
                        *y += x * w;
                    }
                }
            }
            for y in out {
                *y = limited(*y, limits);
            }
        }
    }
}

vectorised! {
    /// The largest of each window, zeros at the borders not counted.
    pub fn max_pool<'a>(input: View<'a>, window: Window, output: &'a mut [f32]) {
        let channels = input.channels;
        let [_, width] = window.output;
        for (at, out) in output.chunks_exact_mut(channels).enumerate() {
            let (row_first, row_end, top) = window.inside(0, at / width, input.height);
            let (column_first, column_end, left) = window.inside(1, at % width, input.width);
            out.fill(f32::NEG_INFINITY);
            for row in 0..row_end - row_first {
                for column in 0..column_end - column_first {
                    let pixel = (top + row) * input.width + left + column;
                    for (y, x) in out.iter_mut().zip(&input.values[pixel * input.pitch..][..channels]) {
                        *y = y.max(*x);
                    }
                }
            }
        }
    }
}

vectorised! {
    /// The mean of 2 × 2 pixels; an odd row or column is left out.
    pub fn average_pool<'a>(input: View<'a>, output: &'a mut [f32]) {
        let (channels, width) = (input.channels, input.width / 2);
        for (at, out) in output.chunks_exact_mut(channels).enumerate() {
            let corner = 2 * (at / width) * input.width + 2 * (at % width);
            let pixel = |at: usize| &input.values[at * input.pitch..][..channels];
            let upper = pixel(corner).iter().zip(pixel(corner + 1));
            let lower = pixel(corner + input.width).iter().zip(pixel(corner + input.width + 1));
            for ((y, (a, b)), (c, d)) in out.iter_mut().zip(upper).zip(lower) {
                *y = 0.25 * ((a + b) + (c + d));
            }
        }
    }
}

vectorised! {
    /// The mean of all pixels.
    pub fn global_average<'a>(input: View<'a>, output: &'a mut [f32]) {
        let share = 1.0 / (input.height * input.width) as f32;
        output.fill(0.0);
        for pixel in input.values.chunks(input.pitch) {
            for (y, x) in output.iter_mut().zip(&pixel[..input.channels]) {
                *y += x;
            }
        }
        for y in output {
            *y *= share;
        }
    }
}

/// Each map times its gate: the logistic function of a layer, of SiLU of a layer, of the means of all maps.
pub fn squeeze_excitation(
    arch: Arch,
    input: View<'_>,
    squeeze: (&[f32], &[f32], Activation),
    excite: (&[f32], &[f32], Activation),
    output: &mut [f32],
) {
    let mut means = vec![0.0; input.channels];
    global_average(arch, input, &mut means);
    let mut squeezed = vec![0.0; squeeze.1.len()];
    dense(arch, &means, squeeze, &mut squeezed);
    let one =
        |values| View { values, pitch: squeeze.1.len(), height: 1, width: 1, channels: squeeze.1.len() };
    let mut hidden = vec![0.0; squeezed.len()];
    silu(arch, one(&squeezed), &mut hidden);
    let mut gates = means;
    dense(arch, &hidden, excite, &mut gates);
    gated(arch, input, &mut gates, output);
}

vectorised! {
    /// `x / (1 + exp(-x))`.
    pub fn silu<'a>(input: View<'a>, output: &'a mut [f32]) {
        for (x, y) in input.values.chunks(input.pitch).zip(output.chunks_exact_mut(input.channels)) {
            for (y, x) in y.iter_mut().zip(x) {
                *y = x * logistic(*x);
            }
        }
    }
}

vectorised! {
    /// Each map times the logistic function of its number.
    fn gated<'a>(input: View<'a>, gates: &'a mut [f32], output: &'a mut [f32]) {
        for gate in gates.iter_mut() {
            *gate = logistic(*gate);
        }
        for (x, y) in input.values.chunks(input.pitch).zip(output.chunks_exact_mut(input.channels)) {
            for ((y, x), gate) in y.iter_mut().zip(x).zip(gates.iter()) {
                *y = x * gate;
            }
        }
    }
}

vectorised! {
    /// A layer of the head. Weights `[in][out]`; inputs of zero, as ReLU leaves many, cost nothing.
    pub fn dense<'a>(
        input: &'a [f32],
        linear: (&'a [f32], &'a [f32], Activation),
        output: &'a mut [f32]
    ) {
        let (weights, bias, activation) = linear;
        let limits = activation.limits();
        output.copy_from_slice(bias);
        for (x, row) in input.iter().zip(weights.chunks_exact(bias.len())) {
            if *x != 0.0 {
                for (y, w) in output.iter_mut().zip(row) {
                    *y += x * w;
                }
            }
        }
        for y in output {
            *y = limited(*y, limits);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::product::{Matrix, Rows};
    use super::winograd::{self, Tile};
    use super::*;

    /// Values in -1..1 that repeat after a long time.
    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i + seed) * 7_919 % 2_003) as f32 / 1_001.5 - 1.0).collect()
    }

    fn near(ours: &[f32], wanted: &[f64], what: &str) {
        assert_eq!(ours.len(), wanted.len(), "{what}");
        for (at, (ours, wanted)) in ours.iter().zip(wanted).enumerate() {
            assert!((f64::from(*ours) - wanted).abs() < 2e-5, "{what}, value {at}: {ours} for {wanted}");
        }
    }

    #[test]
    fn products_of_any_shape_are_those_of_the_definition() {
        for (rows, inputs, outputs) in
            [(1, 1, 1), (3, 7, 5), (6, 64, 64), (7, 129, 32), (13, 300, 24), (29, 40, 48), (5, 9, 130)]
        {
            let (x, w, bias) = (values(rows * inputs, 1), values(inputs * outputs, 2), values(outputs, 3));
            let matrix = Matrix::new(Arch::new(), &w, outputs);
            for follow in [None, Some((&bias[..], Activation::Relu6))] {
                let mut y = vec![f32::NAN; rows * outputs];
                matrix.times(Arch::new(), Rows::new(&x, inputs, rows, inputs), follow, &mut y);
                let one = |at: usize| {
                    let (row, output) = (at / outputs, at % outputs);
                    let term = |k: usize| f64::from(x[row * inputs + k]) * f64::from(w[k * outputs + output]);
                    let sum: f64 = (0..inputs).map(term).sum();
                    follow.map_or(sum, |(bias, _)| (sum + f64::from(bias[output])).clamp(0.0, 6.0))
                };
                let wanted: Vec<f64> = (0..rows * outputs).map(one).collect();
                near(&y, &wanted, &format!("{rows} x {inputs} x {outputs}"));
            }
        }
    }

    #[test]
    fn the_logistic_function_is_that_of_64_bits_and_keeps_what_is_not_a_number() {
        let arch = Arch::new();
        let x: Vec<f32> =
            (-40_000..=40_000).map(|i| i as f32 / 400.0).chain([0.0, -0.0, 1e30, -1e6]).collect();
        let mut y = vec![0.0; x.len()];
        silu(arch, View { values: &x, pitch: 1, height: 1, width: x.len(), channels: 1 }, &mut y);
        for (x, y) in x.iter().zip(&y) {
            let exact = f64::from(*x) / (1.0 + (-f64::from(*x)).exp());
            // Two units in the last place; below 1e-30 what is left is nothing beside any other value.
            let off = (f64::from(*y) - exact).abs();
            assert!(off <= 2.5e-7 * exact.abs() + 1e-30, "{x}: {y} for {exact}");
        }
        for x in [f32::NAN, f32::INFINITY] {
            let mut y = [0.0];
            silu(arch, View { values: &[x], pitch: 1, height: 1, width: 1, channels: 1 }, &mut y);
            assert!(if x.is_nan() { y[0].is_nan() } else { y[0] == x }, "{x}: {}", y[0]);
        }
    }

    /// `[out, in, 3, 3]`, one zero on each side.
    fn convolved(input: View<'_>, kernel: &[f64], stride: usize, outputs: usize) -> Vec<f64> {
        let [height, width] = [input.height, input.width].map(|side| (side - 1) / stride + 1);
        let mut all = Vec::new();
        for at in 0..height * width {
            let (y, x) = (at / width * stride, at % width * stride);
            for output in 0..outputs {
                let mut sum = 0.0;
                for (number, weight) in
                    kernel[output * input.channels * 9..][..input.channels * 9].iter().enumerate()
                {
                    let (channel, row, column) = (number / 9, number / 3 % 3, number % 3);
                    let (row, column) = ((y + row).wrapping_sub(1), (x + column).wrapping_sub(1));
                    if row < input.height && column < input.width {
                        sum += weight
                            * f64::from(input.values[(row * input.width + column) * input.pitch + channel]);
                    }
                }
                all.push(sum);
            }
        }
        all
    }

    #[test]
    fn convolutions_are_those_of_the_definition() {
        let arch = Arch::new();
        for (height, width, channels, outputs) in
            [(9, 6, 16, 32), (1, 1, 32, 16), (4, 4, 16, 16), (14, 13, 48, 32)]
        {
            // A pixel's values lie further apart than there are.
            let pitch = channels + 5;
            let x = values(height * width * pitch, 4);
            let input = View { values: &x, pitch, height, width, channels };
            let kernel: Vec<f64> = values(outputs * channels * 9, 5).into_iter().map(f64::from).collect();
            let bias = vec![0.0; outputs];
            let wanted = convolved(input, &kernel, 1, outputs);
            for tile in [Tile::Two, Tile::Four] {
                let weights = winograd::weights(arch, tile, &kernel, outputs, channels);
                let mut y = vec![f32::NAN; wanted.len()];
                let linear = (&weights[..], &bias[..], Activation::None);
                winograd::run(arch, &mut Scratch::default(), input, tile, linear, &mut y);
                near(&y, &wanted, &format!("{tile:?}, {height} x {width}"));
            }
            for stride in [1, 2] {
                let mut turned = vec![0.0; kernel.len()];
                for (at, value) in kernel.iter().enumerate() {
                    let (output, channel, place) = (at / 9 / channels, at / 9 % channels, at % 9);
                    turned[(place * channels + channel) * outputs + output] = *value as f32;
                }
                let wanted = convolved(input, &kernel, stride, outputs);
                let output = [height, width].map(|side| (side - 1) / stride + 1);
                let window = Window { kernel: [3, 3], stride, zeros: [1, 1], output };
                let matrix = Matrix::new(arch, &turned, outputs);
                let mut y = vec![f32::NAN; wanted.len()];
                let linear = (&matrix, &bias[..], Activation::None);
                patches(arch, &mut Scratch::default(), input, window, linear, &mut y);
                near(&y, &wanted, &format!("stride {stride}, {height} x {width}"));
            }
        }
    }
}
