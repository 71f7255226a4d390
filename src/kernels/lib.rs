//! Loops over pixels and over maps of a network, compiled for each kind of processor and chosen when the
//! program runs (`pulp`). Values of a pixel lie together (`[pixel][map]`), so every inner loop runs over maps
//! that are neighbours in memory, and the compiler makes vectors of it.

mod depthwise;
mod maps;
pub mod product;
pub mod resize;
mod vectorised;
pub mod winograd;

pub use pulp::Arch;

use self::maps::{BLOCK, LANES, limited, logistic};
use self::product::{Matrix, Rows};
use crate::vectorised::vectorised;

pub use self::depthwise::depthwise;
pub use self::maps::{Activation, Affine, Scratch, View, Window};

/// Values as bytes, the least significant first, as every format here has them.
pub fn to_bytes(values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * values.len()];
    for (four, value) in bytes.as_chunks_mut().0.iter_mut().zip(values) {
        *four = value.to_le_bytes();
    }
    bytes
}

/// The values of such bytes; fewer than four at the end are left out.
pub fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// A 1 × 1 convolution of stride 1, after a normalisation of its input, or gates on it, where there are any.
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
    let rows = (BLOCK / channels.max(outputs)).next_multiple_of(48).max(48);
    let mut block = scratch.take_some(before.map_or(0, |_| rows * channels));
    for (x, y) in input.values.chunks(rows * input.pitch).zip(output.chunks_mut(rows * outputs)) {
        let count = y.len() / outputs;
        // The product writes a few outputs of every row, far apart in memory, and would wait for each line of
        // it. One pass in order brings them all into the second cache first.
        y.fill(0.0);
        match before {
            Some(affine) => {
                let part = View { values: x, height: 1, width: count, ..input };
                affine.run(arch, part, &mut block[..count * channels]);
                matrix.times(arch, Rows::new(&block, channels, count, channels), follow, y);
            }
            None => matrix.times(arch, Rows::new(x, input.pitch, count, channels), follow, y),
        }
        activation.finish(arch, y);
    }
    scratch.give(block);
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
        // As in [`pointwise`]: brought into a cache in order.
        output.fill(0.0);
        matrix.times(arch, x, Some((bias, activation)), output);
        activation.finish(arch, output);
    }
    scratch.give(padded);
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

/// The gates of squeeze and excitation, one a map: the logistic function of the second layer (`excite`) of
/// the first (`squeeze`, with what follows it) of the means of all maps.
pub fn gates(
    arch: Arch,
    input: View<'_>,
    squeeze: (&[f32], &[f32], Activation),
    excite: (&[f32], &[f32], Activation),
) -> Vec<f32> {
    let mut means = vec![0.0; input.channels];
    global_average(arch, input, &mut means);
    let mut hidden = vec![0.0; squeeze.1.len()];
    dense(arch, &means, squeeze, &mut hidden);
    let mut gates = means;
    dense(arch, &hidden, excite, &mut gates);
    for gate in &mut gates {
        *gate = logistic(*gate);
    }
    gates
}

/// A layer of the head. Weights `[in][out]`; inputs of zero, as ReLU leaves many, cost nothing.
pub fn dense(arch: Arch, input: &[f32], linear: (&[f32], &[f32], Activation), output: &mut [f32]) {
    layer(arch, input, linear, output);
    linear.2.finish(arch, output);
}

vectorised! {
    fn layer<'a>(
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
    fn values_are_their_bytes_and_come_back_to_the_last_bit() {
        assert_eq!(to_bytes(&[1.0, -2.5]), [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
        let all = [0.0, -0.0, f32::MIN_POSITIVE / 4.0, f32::INFINITY, f32::from_bits(0x7fc0_1234)];
        let back = from_bytes(&[&to_bytes(&all)[..], &[1, 2, 3]].concat());
        assert_eq!(back.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), all.map(f32::to_bits));
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
        let mut y = x.clone();
        Activation::Silu.finish(arch, &mut y);
        for (x, y) in x.iter().zip(&y) {
            let exact = f64::from(*x) / (1.0 + (-f64::from(*x)).exp());
            // Two units in the last place; below 1e-30 what is left is nothing beside any other value.
            let off = (f64::from(*y) - exact).abs();
            assert!(off <= 2.5e-7 * exact.abs() + 1e-30, "{x}: {y} for {exact}");
        }
        for x in [f32::NAN, f32::INFINITY] {
            let mut y = [x];
            Activation::Silu.finish(arch, &mut y);
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

    #[test]
    fn a_convolution_of_each_map_by_itself_adds_its_terms_in_the_order_of_the_window() {
        for (channels, kernel, stride, height, width) in
            [(3, 3, 1, 7, 9), (8, 3, 2, 8, 8), (24, 5, 1, 6, 11), (17, 5, 2, 9, 10), (48, 3, 1, 1, 2)]
        {
            let pitch = channels + 3;
            let x = values(height * width * pitch, 6);
            let (weights, bias) = (values(kernel * kernel * channels, 7), values(channels, 8));
            let output = [height, width].map(|side: usize| side.div_ceil(stride));
            let zeros = [kernel / 2; 2];
            let window = Window { kernel: [kernel; 2], stride, zeros, output };
            let input = View { values: &x, pitch, height, width, channels };
            let one = |at: usize| {
                let (pixel, map) = (at / channels, at % channels);
                let corner = [pixel / output[1], pixel % output[1]].map(|place| place * stride);
                let mut sum = bias[map];
                for place in 0..kernel * kernel {
                    let row = (corner[0] + place / kernel).wrapping_sub(zeros[0]);
                    let column = (corner[1] + place % kernel).wrapping_sub(zeros[1]);
                    if row < height && column < width {
                        let value = x[(row * width + column) * pitch + map];
                        sum += value * weights[place * channels + map];
                    }
                }
                sum
            };
            let wanted: Vec<f32> = (0..output[0] * output[1] * channels).map(one).collect();
            let mut y = vec![f32::NAN; wanted.len()];
            depthwise(Arch::new(), input, window, (&weights, &bias, Activation::None), &mut y);
            assert_eq!(y, wanted, "{channels} maps, {kernel} wide, stride {stride}, {height} x {width}");
        }
    }

    #[test]
    fn what_follows_is_the_same_by_itself_and_in_any_operation() {
        let arch = Arch::new();
        let (height, width, channels, outputs) = (9, 13, 16, 32);
        let x = values(height * width * channels, 9);
        let input = View { values: &x, pitch: channels, height, width, channels };
        let kernel: Vec<f64> = values(outputs * channels * 9, 10).into_iter().map(f64::from).collect();
        let (weights, bias) = (values(9 * channels * outputs, 11), values(outputs, 12));
        let matrix = Matrix::new(arch, &weights[..channels * outputs], outputs);
        let patch = Matrix::new(arch, &weights, outputs);
        let tiles = winograd::weights(arch, Tile::Four, &kernel, outputs, channels);
        let window = Window { kernel: [3, 3], stride: 1, zeros: [1, 1], output: [height, width] };
        let all = |activation: Activation| {
            let mut scratch = Scratch::default();
            let mut made = [height * width * outputs; 3].map(|len| vec![0.0; len]).to_vec();
            pointwise(arch, &mut scratch, input, None, (&matrix, &bias, activation), &mut made[0]);
            patches(arch, &mut scratch, input, window, (&patch, &bias, activation), &mut made[1]);
            winograd::run(arch, &mut scratch, input, Tile::Four, (&tiles, &bias, activation), &mut made[2]);
            made.extend([vec![0.0; x.len()], vec![0.0; outputs], vec![0.0; x.len()]]);
            let own = (&weights[..9 * channels], &bias[..channels], activation);
            depthwise(arch, input, window, own, &mut made[3]);
            dense(arch, &x[..channels], (&weights[..channels * outputs], &bias, activation), &mut made[4]);
            let (scale, shift) = (weights[..channels].to_vec(), bias[..channels].to_vec());
            Affine { scale, shift, activation }.run(arch, input, &mut made[5]);
            made
        };
        let mut wanted = all(Activation::None);
        for values in &mut wanted {
            Activation::Silu.finish(arch, values);
        }
        assert_eq!(all(Activation::Silu), wanted);
        let mut wanted = all(Activation::None);
        wanted.iter_mut().flatten().for_each(|value| *value = limited(*value, [0.0, 6.0]));
        assert_eq!(all(Activation::Relu6), wanted);
    }
}
