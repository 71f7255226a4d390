//! What the forward pass does to maps. Values of a pixel lie together (`[pixel][map]`), so every inner loop runs over maps
//! that are neighbours in memory; the compiler makes vectors of it, for the processor that `pulp` finds at run time.

use std::collections::BTreeMap;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Arch, NullaryFnOnce};

/// A function whose loops are compiled for each kind of processor. A closure would not do: what is not inlined into the
/// function with the processor's features is compiled without them.
macro_rules! vectorised {
    ($(#[$meta:meta])* $visible:vis fn $name:ident<$life:lifetime>($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $visible fn $name<$life>(arch: Arch, $($argument: $type),*) {
            struct Call<$life> {
                $($argument: $type),*
            }
            impl<$life> NullaryFnOnce for Call<$life> {
                type Output = ();
                #[inline(always)]
                fn call(self) {
                    let Self { $($argument),* } = self;
                    $body
                }
            }
            arch.dispatch(Call { $($argument),* });
        }
    };
}

/// Maps that one register of 512 bits holds.
const LANES: usize = 16;
/// Values of an operand that are worked on at once, so that they stay in the second cache.
const BLOCK: usize = 64 * 1024;
/// Tiles of a Winograd convolution that are worked on at once, about.
const TILES: usize = 64;

/// Maps of one image. A pixel's values begin `pitch` apart; `channels` of them count.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub values: &'a [f32],
    pub pitch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// What follows a linear operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    None,
    Relu,
    Relu6,
}

/// `scale * x + shift` for each map, and what follows.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    pub activation: Activation,
}

/// Memory that is used again, by its length: the next image asks for the same.
#[derive(Debug, Default)]
pub(super) struct Scratch(BTreeMap<usize, Vec<Vec<f32>>>);

impl Scratch {
    /// `len` values, whatever they are.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        self.0.get_mut(&len).and_then(Vec::pop).unwrap_or_else(|| vec![0.0; len])
    }

    /// At least `len` values, in one of few lengths.
    fn take_some(&mut self, len: usize) -> Vec<f32> {
        self.take(len.next_multiple_of(BLOCK))
    }

    pub fn give(&mut self, values: Vec<f32>) {
        self.0.entry(values.len()).or_default().push(values);
    }
}

impl Activation {
    /// The least and the largest value that comes through. Limits, because a choice within a loop would keep it from being
    /// made into vectors.
    #[inline(always)]
    fn limits(self) -> [f32; 2] {
        match self {
            Self::None => [f32::NEG_INFINITY, f32::INFINITY],
            Self::Relu => [0.0, f32::INFINITY],
            Self::Relu6 => [0.0, 6.0],
        }
    }
}

/// Within the limits; what is not a number stays so.
#[inline(always)]
fn limited(x: f32, [low, high]: [f32; 2]) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

impl Affine {
    /// Of every pixel.
    pub fn run(&self, arch: Arch, input: View<'_>, output: &mut [f32]) {
        affine(arch, self, input, output);
    }
}

vectorised! {
    fn affine<'a>(line: &'a Affine, input: View<'a>, output: &'a mut [f32]) {
        let Affine { scale, shift, activation } = line;
        let limits = activation.limits();
        for (x, y) in input.values.chunks(input.pitch).zip(output.chunks_exact_mut(input.channels)) {
            for ((y, x), (scale, shift)) in y.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
                *y = limited(scale * x + shift, limits);
            }
        }
    }
}

vectorised! {
    /// Adds to every row and follows it by the activation.
    fn finish<'a>(rows: &'a mut [f32], bias: &'a [f32], activation: Activation) {
        let limits = activation.limits();
        for row in rows.chunks_exact_mut(bias.len()) {
            for (y, bias) in row.iter_mut().zip(bias) {
                *y = limited(*y + bias, limits);
            }
        }
    }
}

/// `output[row][out] = Σ input[row][in] * weights[in][out]`.
fn product(input: &[f32], pitch: usize, rows: usize, weights: &[f32], outputs: usize, output: &mut [f32]) {
    let inputs = weights.len() / outputs;
    let last = rows.saturating_sub(1) * pitch + inputs;
    let x = MatRef::from_column_major_slice_with_stride(&input[..last], inputs, rows, pitch);
    let w = MatRef::from_column_major_slice(weights, outputs, inputs);
    let y = MatMut::from_column_major_slice_mut(&mut output[..rows * outputs], outputs, rows);
    matmul(y, Accum::Replace, w, x, 1.0, Par::Seq);
}

/// A 1 × 1 convolution of stride 1, after a normalisation of its input where there is one.
pub(super) fn pointwise(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    before: Option<&Affine>,
    (weights, bias, activation): (&[f32], &[f32], Activation),
    output: &mut [f32],
) {
    let (channels, outputs) = (input.channels, bias.len());
    // A multiple of what the matrix product handles at once.
    let rows = (BLOCK / channels).next_multiple_of(LANES).max(4 * LANES);
    let mut block = scratch.take_some(before.map_or(0, |_| rows * channels));
    let pixels = input.height * input.width;
    for (x, y) in input.values.chunks(rows * input.pitch).zip(output.chunks_mut(rows * outputs)) {
        let count = y.len() / outputs;
        match before {
            Some(affine) => {
                let part = View { values: x, height: 1, width: count, ..input };
                affine.run(arch, part, &mut block[..count * channels]);
                product(&block, channels, count, weights, outputs, y);
            }
            None => product(x, input.pitch, count, weights, outputs, y),
        }
        finish(arch, y, bias, activation);
    }
    debug_assert_eq!(output.len(), pixels * outputs);
    scratch.give(block);
}

/// Kernel, stride, zeros above and left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub kernel: [usize; 2],
    pub stride: usize,
    pub zeros: [usize; 2],
    /// Rows and columns of the output.
    pub output: [usize; 2],
}

impl Window {
    /// The taps `first..end` of `extent` that lie inside for output number `at`, and the input number of the first.
    #[inline(always)]
    fn inside(&self, axis: usize, at: usize, extent: usize) -> (usize, usize, usize) {
        let (start, zeros) = (at * self.stride, self.zeros[axis]);
        let first = zeros.saturating_sub(start);
        let end = (extent + zeros).saturating_sub(start).min(self.kernel[axis]);
        (first, end, (start + first).saturating_sub(zeros))
    }
}

vectorised! {
    /// The patches of whole rows of the output from row `first` on, one after the other.
    fn copy_patches<'a>(input: View<'a>, window: Window, first: usize, block: &'a mut [f32]) {
        let (channels, [_, width]) = (input.channels, window.output);
        let patch = window.kernel[0] * window.kernel[1] * channels;
        for (at, out) in block.chunks_exact_mut(patch).enumerate() {
            let (y, x) = (first + at / width, at % width);
            let (row_first, row_end, top) = window.inside(0, y, input.height);
            let (column_first, column_end, left) = window.inside(1, x, input.width);
            if row_end - row_first < window.kernel[0] || column_end - column_first < window.kernel[1] {
                out.fill(0.0);
            }
            for row in row_first..row_end {
                for column in column_first..column_end {
                    let pixel = (top + row - row_first) * input.width + left + column - column_first;
                    let source = &input.values[pixel * input.pitch..][..channels];
                    out[(row * window.kernel[1] + column) * channels..][..channels].copy_from_slice(source);
                }
            }
        }
    }
}

/// Any convolution without groups: its patches side by side, then a matrix product. Weights `[row, column, in][out]`.
pub(super) fn patches(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    window: Window,
    (weights, bias, activation): (&[f32], &[f32], Activation),
    output: &mut [f32],
) {
    let (outputs, channels) = (bias.len(), input.channels);
    let [height, width] = window.output;
    let patch = window.kernel[0] * window.kernel[1] * channels;
    let rows = (BLOCK / (patch * width)).max(1);
    let mut block = scratch.take_some(rows * width * patch);
    for first in (0..height).step_by(rows) {
        let last = (first + rows).min(height);
        copy_patches(arch, input, window, first, &mut block[..(last - first) * width * patch]);
        let y = &mut output[first * width * outputs..last * width * outputs];
        product(&block, patch, (last - first) * width, weights, outputs, y);
        finish(arch, y, bias, activation);
    }
    scratch.give(block);
}

vectorised! {
/// A convolution of each map by itself. Weights `[row, column][map]`.
pub(super) fn depthwise<'a>(input: View<'a>, window: Window, linear: (&'a [f32], &'a [f32], Activation), output: &'a mut [f32]) {
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
pub(super) fn max_pool<'a>(input: View<'a>, window: Window, output: &'a mut [f32]) {
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
pub(super) fn average_pool<'a>(input: View<'a>, output: &'a mut [f32]) {
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
pub(super) fn global_average<'a>(input: View<'a>, output: &'a mut [f32]) {
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

vectorised! {
    /// A layer of the head. Weights `[in][out]`; inputs of zero, as ReLU leaves many, cost nothing.
    pub(super) fn dense<'a>(input: &'a [f32], linear: (&'a [f32], &'a [f32], Activation), output: &'a mut [f32]) {
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

/// Maps of one pixel or one tile's place, as many as a register holds.
#[derive(Clone, Copy)]
struct Lane([f32; LANES]);

impl Lane {
    const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        let mut sum = self;
        for (a, b) in sum.0.iter_mut().zip(other.0) {
            *a += b;
        }
        sum
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        let mut difference = self;
        for (a, b) in difference.0.iter_mut().zip(other.0) {
            *a -= b;
        }
        difference
    }
}

/// One row of the input transform of F(2, 3): Bᵀd.
#[inline(always)]
fn spread(d: [Lane; 4]) -> [Lane; 4] {
    [d[0].minus(d[2]), d[1].plus(d[2]), d[2].minus(d[1]), d[1].minus(d[3])]
}

/// One row of the output transform of F(2, 3): Aᵀm.
#[inline(always)]
fn gather(m: [Lane; 4]) -> [Lane; 2] {
    [m[0].plus(m[1]).plus(m[2]), m[1].minus(m[2]).minus(m[3])]
}

/// Whether [`winograd`] can do it.
pub(super) fn is_winograd(shape: [usize; 4], stride: usize, groups: usize, zeros: usize) -> bool {
    shape[2..] == [3, 3]
        && stride == 1
        && groups == 1
        && zeros == 1
        && shape[0].is_multiple_of(LANES)
        && shape[1].is_multiple_of(LANES)
}

/// `[out, in, 3, 3]` as the sixteen matrices `[in][out]` of G g Gᵀ, in 64 bits.
pub(super) fn winograd_weights(weights: &[f64], outputs: usize, inputs: usize) -> Vec<f32> {
    const G: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
    let mut all = vec![0.0; 16 * inputs * outputs];
    for (place, kernel) in weights.chunks_exact(9).enumerate() {
        let (output, input) = (place / inputs, place % inputs);
        for i in 0..4 {
            for j in 0..4 {
                let mut sum = 0.0;
                for r in 0..3 {
                    for c in 0..3 {
                        sum += G[i][r] * kernel[3 * r + c] * G[j][c];
                    }
                }
                all[((4 * i + j) * inputs + input) * outputs + output] = sum as f32;
            }
        }
    }
    all
}

/// A 3 × 3 convolution of stride 1 with one zero on each side, by the minimal filtering F(2 × 2, 3 × 3) of Lavin and Gray (CVPR
/// 2016): tiles of 4 × 4 pixels, sixteen matrix products, 2 × 2 pixels out: 2.25 times fewer multiplications.
pub(super) fn winograd(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    (weights, bias, activation): (&[f32], &[f32], Activation),
    output: &mut [f32],
) {
    let (channels, outputs) = (input.channels, bias.len());
    let [down, across] = [input.height.div_ceil(2), input.width.div_ceil(2)];
    let rows = (TILES / across).clamp(1, down);
    let tiles = rows * across;
    let mut spread_out = scratch.take(16 * tiles * channels);
    let mut products = scratch.take(16 * tiles * outputs);
    for first in (0..down).step_by(rows) {
        let count = rows.min(down - first) * across;
        spread_tiles(arch, input, first, count, tiles, &mut spread_out);
        let each = weights.chunks_exact(channels * outputs);
        let planes =
            spread_out.chunks_exact(tiles * channels).zip(products.chunks_exact_mut(tiles * outputs));
        for (weights, (x, y)) in each.zip(planes) {
            product(x, channels, count, weights, outputs, y);
        }
        gather_tiles(arch, input, first, count, &products, bias, activation, output);
    }
    scratch.give(spread_out);
    scratch.give(products);
}

vectorised! {
/// The input transform of `count` tiles, row `first` of tiles on.
fn spread_tiles<'a>(input: View<'a>, first: usize, count: usize, tiles: usize, out: &'a mut [f32]) {
    let (channels, across) = (input.channels, input.width.div_ceil(2));
    let mut planes = out.chunks_exact_mut(tiles * channels);
    let planes: [&mut [f32]; 16] = std::array::from_fn(|_| planes.next().unwrap_or_default());
    for tile in 0..count {
        let (top, left) = (2 * (first + tile / across), 2 * (tile % across));
        // Pixel (i, j) of the tile is (top + i - 1, left + j - 1) of the map; outside there are zeros.
        let mut pixels: [Option<&[[f32; LANES]]>; 16] = [None; 16];
        for (place, pixel) in pixels.iter_mut().enumerate() {
            let (y, x) = (top + place / 4, left + place % 4);
            if (1..=input.height).contains(&y) && (1..=input.width).contains(&x) {
                let at = ((y - 1) * input.width + x - 1) * input.pitch;
                *pixel = Some(input.values[at..at + channels].as_chunks::<LANES>().0);
            }
        }
        for lane in 0..channels / LANES {
            let load = |place: usize| pixels[place].map_or(Lane::ZERO, |pixel| Lane(pixel[lane]));
            let columns = [
spread([load(0), load(4), load(8), load(12)]),
spread([load(1), load(5), load(9), load(13)]),
spread([load(2), load(6), load(10), load(14)]),
spread([load(3), load(7), load(11), load(15)])
];
            for i in 0..4 {
                let row = spread([columns[0][i], columns[1][i], columns[2][i], columns[3][i]]);
                for (j, value) in row.iter().enumerate() {
                    let at = tile * channels + lane * LANES;
                    planes[4 * i + j][at..at + LANES].copy_from_slice(&value.0);
                }
            }
        }
    }
}
}

vectorised! {
/// The output transform of the same tiles.
fn gather_tiles<'a>(
    input: View<'a>,
    first: usize,
    count: usize,
    products: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
    output: &'a mut [f32],
) {
    let (outputs, across) = (bias.len(), input.width.div_ceil(2));
    let limits = activation.limits();
        let plane = products.len() / 16;
    for tile in 0..count {
        let (top, left) = (2 * (first + tile / across), 2 * (tile % across));
        for (lane, bias) in bias.as_chunks::<LANES>().0.iter().enumerate() {
            let load = |place: usize| {
                let at = place * plane + tile * outputs + lane * LANES;
                let mut values = [0.0; LANES];
                values.copy_from_slice(&products[at..at + LANES]);
                Lane(values)
            };
            let columns = [
gather([load(0), load(4), load(8), load(12)]),
gather([load(1), load(5), load(9), load(13)]),
gather([load(2), load(6), load(10), load(14)]),
gather([load(3), load(7), load(11), load(15)])
];
            for i in 0..2 {
                let row = gather([columns[0][i], columns[1][i], columns[2][i], columns[3][i]]);
                for (j, value) in row.into_iter().enumerate() {
                    let (y, x) = (top + i, left + j);
                    if y < input.height && x < input.width {
                        let value = value.plus(Lane(*bias));
                        let at = (y * input.width + x) * outputs + lane * LANES;
                        for (y, x) in output[at..at + LANES].iter_mut().zip(value.0) {
                                *y = limited(x, limits);
                            }
                    }
                }
            }
        }
    }
}
}
