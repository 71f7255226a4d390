//! 3 × 3 convolutions of stride 1 by minimal filtering, F(m × m, 3 × 3) of Lavin and Gray (CVPR 2016): a tile
//! of pixels is spread out, each place of the tile is a matrix product of its own, and the products are
//! gathered to m × m pixels.
//!
//! With m = 2 there are 2.25 times fewer multiplications than plainly, with m = 4 four times fewer, for
//! weights that are four times as many: larger tiles where there are many pixels, smaller ones where the
//! weights would cost more than the products. The places of m = 4 are 0, ±3/4, ±3/2 and infinity instead of
//! the usual 0, ±1, ±2: every constant is exact in 32 bits, and sums over 128 maps are 3.5 times closer to
//! the exact ones (6.4e-7 of their size instead of 2.3e-6; the plain sum has 4e-7).

use pulp::{Arch, Simd, WithSimd};

use super::product::{Matrix, Rows, limited, load, store};
use super::{Activation, LANES, Scratch, View};

/// Values of all places that are worked on at once, about: they stay in the second cache.
const GROUP: usize = 144 * 1024;

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// 4 × 4 pixels in, 2 × 2 out.
    Two,
    /// 6 × 6 pixels in, 4 × 4 out.
    Four,
}

/// One row or column of the transforms of a tile of `IN` pixels in and `OUT` pixels out.
trait Filtering<const IN: usize, const OUT: usize> {
    /// Bᵀd.
    fn spread<S: Simd>(simd: S, pixels: [S::f32s; IN]) -> [S::f32s; IN];
    /// Aᵀm.
    fn gather<S: Simd>(simd: S, products: [S::f32s; IN]) -> [S::f32s; OUT];
}

struct Two;

impl Filtering<4, 2> for Two {
    #[inline(always)]
    fn spread<S: Simd>(simd: S, d: [S::f32s; 4]) -> [S::f32s; 4] {
        [
            simd.sub_f32s(d[0], d[2]),
            simd.add_f32s(d[1], d[2]),
            simd.sub_f32s(d[2], d[1]),
            simd.sub_f32s(d[1], d[3]),
        ]
    }

    #[inline(always)]
    fn gather<S: Simd>(simd: S, m: [S::f32s; 4]) -> [S::f32s; 2] {
        let sum = simd.add_f32s(m[1], m[2]);
        let difference = simd.sub_f32s(m[1], m[2]);
        [simd.add_f32s(m[0], sum), simd.sub_f32s(difference, m[3])]
    }
}

struct Four;

/// The places of [`Tile::Four`] are 0, ±NEAR, ±FAR and infinity.
const NEAR: f32 = 0.75;
const FAR: f32 = 1.5;
const NEAR_2: f32 = NEAR * NEAR;
const FAR_2: f32 = FAR * FAR;

impl Filtering<6, 4> for Four {
    #[inline(always)]
    fn spread<S: Simd>(simd: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
        let number = |value: f32| simd.splat_f32s(value);
        let plus = |a, b, c| simd.mul_add_e_f32s(a, b, c);
        // x⁴ - (near² + far²) x² + near² far², without its factors one after the other.
        let (sum, product) = (number(-(NEAR_2 + FAR_2)), number(NEAR_2 * FAR_2));
        let first = plus(product, d[0], plus(sum, d[2], d[4]));
        let last = plus(product, d[1], plus(sum, d[3], d[5]));
        let near_even = plus(number(-FAR_2), d[2], d[4]);
        let near_odd = plus(number(-FAR_2), d[1], d[3]);
        let far_even = plus(number(-NEAR_2), d[2], d[4]);
        let far_odd = plus(number(-NEAR_2), d[1], d[3]);
        [
            first,
            plus(number(NEAR), near_odd, near_even),
            plus(number(-NEAR), near_odd, near_even),
            plus(number(FAR), far_odd, far_even),
            plus(number(-FAR), far_odd, far_even),
            last,
        ]
    }

    #[inline(always)]
    fn gather<S: Simd>(simd: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
        let times = |number: f32, x| simd.mul_f32s(simd.splat_f32s(number), x);
        let plus = |number: f32, x, y| simd.mul_add_e_f32s(simd.splat_f32s(number), x, y);
        let (near_even, near_odd) = (simd.add_f32s(m[1], m[2]), simd.sub_f32s(m[1], m[2]));
        let (far_even, far_odd) = (simd.add_f32s(m[3], m[4]), simd.sub_f32s(m[3], m[4]));
        [
            simd.add_f32s(m[0], simd.add_f32s(near_even, far_even)),
            plus(NEAR, near_odd, times(FAR, far_odd)),
            plus(NEAR_2, near_even, times(FAR_2, far_even)),
            simd.add_f32s(plus(NEAR * NEAR_2, near_odd, times(FAR * FAR_2, far_odd)), m[5]),
        ]
    }
}

/// Whether [`run`] can do it.
pub fn possible(shape: [usize; 4], stride: usize, groups: usize, zeros: usize) -> bool {
    shape[2..] == [3, 3]
        && stride == 1
        && groups == 1
        && zeros == 1
        && shape[0].is_multiple_of(LANES)
        && shape[1].is_multiple_of(LANES)
}

/// `[out, in, 3, 3]` as the matrices of G g Gᵀ, one for each place of the tile, in 64 bits.
pub fn weights(arch: Arch, tile: Tile, weights: &[f64], outputs: usize, inputs: usize) -> Vec<Matrix> {
    let rows: Vec<[f64; 3]> = match tile {
        Tile::Two => vec![[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]],
        Tile::Four => {
            let places = [0.0, NEAR, -NEAR, FAR, -FAR].map(f64::from);
            let row = |(at, place): (usize, &f64)| {
                let others = places.iter().enumerate().filter(|(other, _)| *other != at);
                let scale: f64 = others.map(|(_, other)| place - other).product();
                [1.0 / scale, place / scale, place * place / scale]
            };
            let rows = places.iter().enumerate().map(row);
            rows.chain([[0.0, 0.0, 1.0]]).collect()
        }
    };
    let side = rows.len();
    let mut all = vec![0.0; side * side * inputs * outputs];
    for (number, kernel) in weights.chunks_exact(9).enumerate() {
        let (output, input) = (number / inputs, number % inputs);
        for (i, down) in rows.iter().enumerate() {
            for (j, across) in rows.iter().enumerate() {
                let mut sum = 0.0;
                for (row, kernel) in kernel.chunks_exact(3).enumerate() {
                    for (column, value) in kernel.iter().enumerate() {
                        sum += down[row] * value * across[column];
                    }
                }
                all[((side * i + j) * inputs + input) * outputs + output] = sum as f32;
            }
        }
    }
    all.chunks_exact(inputs * outputs).map(|place| Matrix::new(arch, place, outputs)).collect()
}

/// A 3 × 3 convolution of stride 1 with one zero on each side. Weights of the same tile.
pub fn run(
    arch: Arch,
    scratch: &mut Scratch,
    input: View<'_>,
    tile: Tile,
    (matrices, bias, activation): (&[Matrix], &[f32], Activation),
    output: &mut [f32],
) {
    let (channels, outputs) = (input.channels, bias.len());
    let [side, step] = match tile {
        Tile::Two => [4, 2],
        Tile::Four => [6, 4],
    };
    let [down, across] = [input.height.div_ceil(step), input.width.div_ceil(step)];
    let rows = (GROUP / (side * side * channels * across)).clamp(1, down);
    let tiles = rows * across;
    // Places a little apart from a power of two, which would all want the same lines of the first cache.
    let apart = [tiles * channels + LANES, tiles * outputs + LANES];
    let mut spread = scratch.take(side * side * apart[0]);
    let mut products = scratch.take(side * side * apart[1]);
    let written = rows * step * input.width * outputs;
    for (first, own) in (0..down).step_by(rows).zip(output.chunks_mut(written)) {
        let count = rows.min(down - first) * across;
        let group = Group { input, first, across, count, apart };
        let (x, y) = (&mut spread[..], &mut products[..]);
        match tile {
            Tile::Two => arch.dispatch(Spread { group, out: x, filtering: Two }),
            Tile::Four => arch.dispatch(Spread { group, out: x, filtering: Four }),
        }
        let each = x.chunks_exact(apart[0]).zip(y.chunks_exact_mut(apart[1]));
        for (matrix, (x, y)) in matrices.iter().zip(each) {
            matrix.times(arch, Rows::new(x, channels, count, channels), None, y);
        }
        let y = &products[..];
        match tile {
            Tile::Two => {
                arch.dispatch(Gather { group, products: y, bias, activation, output: own, filtering: Two })
            }
            Tile::Four => {
                arch.dispatch(Gather { group, products: y, bias, activation, output: own, filtering: Four })
            }
        }
        activation.finish(arch, own);
    }
    scratch.give(spread);
    scratch.give(products);
}

/// `count` tiles from row `first` of tiles on, `across` in a row; the places of the tiles lie `apart`, before
/// and after the products.
#[derive(Clone, Copy)]
struct Group<'a> {
    input: View<'a>,
    first: usize,
    across: usize,
    count: usize,
    apart: [usize; 2],
}

struct Spread<'a, F> {
    group: Group<'a>,
    out: &'a mut [f32],
    filtering: F,
}

impl WithSimd for Spread<'_, Two> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { group, out, filtering: Two } = self;
        spread_tiles::<S, Two, 4, 2>(simd, group, out);
    }
}

impl WithSimd for Spread<'_, Four> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { group, out, filtering: Four } = self;
        spread_tiles::<S, Four, 6, 4>(simd, group, out);
    }
}

#[inline(always)]
fn spread_tiles<S: Simd, F: Filtering<IN, OUT>, const IN: usize, const OUT: usize>(
    simd: S,
    group: Group<'_>,
    out: &mut [f32],
) {
    let Group { input, first, across, count, apart: [apart, _] } = group;
    let channels = input.channels;
    let zeros = vec![0.0; channels];
    let mut places = [[simd.splat_f32s(0.0); IN]; IN];
    for tile in 0..count {
        let (top, left) = (OUT * (first + tile / across), OUT * (tile % across));
        // Pixel (i, j) of the tile is (top + i - 1, left + j - 1) of the map; outside there are zeros.
        let mut pixels: [[&[S::f32s]; IN]; IN] = [[S::as_simd_f32s(&zeros).0; IN]; IN];
        for (i, pixels) in pixels.iter_mut().enumerate() {
            for (j, pixel) in pixels.iter_mut().enumerate() {
                let (y, x) = (top + i, left + j);
                if (1..=input.height).contains(&y) && (1..=input.width).contains(&x) {
                    let at = ((y - 1) * input.width + x - 1) * input.pitch;
                    *pixel = S::as_simd_f32s(&input.values[at..at + channels]).0;
                }
            }
        }
        for vector in 0..channels / S::F32_LANES {
            for j in 0..IN {
                let mut column = [simd.splat_f32s(0.0); IN];
                for (value, pixels) in column.iter_mut().zip(&pixels) {
                    *value = pixels[j][vector];
                }
                let column = F::spread(simd, column);
                for (places, value) in places.iter_mut().zip(column) {
                    places[j] = value;
                }
            }
            let at = tile * channels + vector * S::F32_LANES;
            let mut rest = &mut *out;
            for places in &places {
                for value in F::spread(simd, *places) {
                    let (place, after) = rest.split_at_mut(apart);
                    store(simd, value, &mut place[at..]);
                    rest = after;
                }
            }
        }
    }
}

struct Gather<'a, F> {
    group: Group<'a>,
    products: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
    /// The rows of these tiles.
    output: &'a mut [f32],
    filtering: F,
}

impl WithSimd for Gather<'_, Two> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { group, products, bias, activation, output, filtering: Two } = self;
        gather_tiles::<S, Two, 4, 2>(simd, group, products, bias, activation, output);
    }
}

impl WithSimd for Gather<'_, Four> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { group, products, bias, activation, output, filtering: Four } = self;
        gather_tiles::<S, Four, 6, 4>(simd, group, products, bias, activation, output);
    }
}

#[inline(always)]
fn gather_tiles<S: Simd, F: Filtering<IN, OUT>, const IN: usize, const OUT: usize>(
    simd: S,
    group: Group<'_>,
    products: &[f32],
    bias: &[f32],
    activation: Activation,
    output: &mut [f32],
) {
    let Group { input, first, across, count, apart: [_, apart] } = group;
    let outputs = bias.len();
    let limits = activation.limits().map(|limit| simd.splat_f32s(limit));
    let mut places = [[simd.splat_f32s(0.0); IN]; OUT];
    for tile in 0..count {
        let (top, left) = (OUT * (first + tile / across), OUT * (tile % across));
        for from in (0..outputs).step_by(S::F32_LANES) {
            let bias = load(simd, &bias[from..]);
            let at = tile * outputs + from;
            for j in 0..IN {
                let mut column = [simd.splat_f32s(0.0); IN];
                for (i, value) in column.iter_mut().enumerate() {
                    *value = load(simd, &products[(i * IN + j) * apart + at..]);
                }
                for (places, value) in places.iter_mut().zip(F::gather(simd, column)) {
                    places[j] = value;
                }
            }
            for (i, places) in places.iter().enumerate() {
                for (j, value) in F::gather(simd, *places).into_iter().enumerate() {
                    let (y, x) = (top + i, left + j);
                    if y < input.height && x < input.width {
                        let value = limited(simd, simd.add_f32s(value, bias), limits);
                        store(
                            simd,
                            value,
                            &mut output[((y - OUT * first) * input.width + x) * outputs + from..],
                        );
                    }
                }
            }
        }
    }
}
