//! Resizing of a grey image with a filter that does not alias.

use pulp::Arch;

use crate::vectorised::vectorised;

/// Which source pixels make one target pixel, and how much of each; the weights sum to 1.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

/// For target pixel `t` the centre in the source is `(t + 0.5) * scale`; source pixel `s` weighs
/// `max(0, 1 - |s + 0.5 - centre| / max(scale, 1))`, normalised; pixels outside do not exist.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixel numbers, clamped to the image"
)]
fn taps(source: usize, target: usize) -> Vec<Taps> {
    let scale = source as f64 / target as f64;
    let half = scale.max(1.0);
    let tap = |t: usize| {
        let centre = (t as f64 + 0.5) * scale;
        let first = ((centre - half + 0.5).max(0.0)) as usize;
        let end = ((centre + half + 0.5) as usize).min(source).max(first + 1);
        let weight = |s: usize| (1.0 - ((s as f64 + 0.5 - centre) / half).abs()).max(0.0);
        let mut weights: Vec<f64> = (first..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        Taps { first, weights }
    };
    (0..target).map(tap).collect()
}

/// Rows that are narrowed side by side: their sums do not wait for one another.
const ROWS: usize = 8;

/// Narrows `N` rows; each sum goes from left to right, whatever `N` is.
fn narrow_rows<const N: usize>(rows: &[f64], width: usize, taps: &[Taps], narrow: &mut [f32]) {
    for (place, tap) in taps.iter().enumerate() {
        let mut sums = [0.0_f64; N];
        let windows: [&[f64]; N] =
            std::array::from_fn(|row| &rows[row * width + tap.first..][..tap.weights.len()]);
        for (at, weight) in tap.weights.iter().enumerate() {
            for (sum, window) in sums.iter_mut().zip(windows) {
                *sum += window[at] * weight;
            }
        }
        for (row, sum) in sums.into_iter().enumerate() {
            narrow[row * taps.len() + place] = sum as f32;
        }
    }
}

vectorised! {
    /// Adds rows of pixels, each as often as its weight says.
    fn add_rows<'a>(rows: &'a [f32], weights: &'a [f64], sums: &'a mut [f64]) {
        sums.fill(0.0);
        for (row, weight) in rows.chunks_exact(sums.len()).zip(weights) {
            for (sum, pixel) in sums.iter_mut().zip(row) {
                *sum += f64::from(*pixel) * weight;
            }
        }
    }
}

/// An image of `[rows, columns]` pixels, row after row, as a square of `size` by `size`, without keeping the
/// aspect ratio: a triangle whose half width is the larger of one source pixel and the reduction factor.
/// Columns first, then rows, in 64 bits until the end.
pub fn triangle(pixels: &[f32], [height, width]: [usize; 2], size: usize) -> Vec<f32> {
    if (width, height) == (size, size) {
        return pixels.to_vec();
    }
    let arch = Arch::new();
    let mut low = vec![0.0; size * width];
    for (tap, sums) in taps(height, size).iter().zip(low.chunks_exact_mut(width)) {
        add_rows(arch, &pixels[tap.first * width..], &tap.weights, sums);
    }
    let taps = taps(width, size);
    let mut square = vec![0.0; size * size];
    for (rows, narrow) in low.chunks(ROWS * width).zip(square.chunks_mut(ROWS * size)) {
        if narrow.len() == ROWS * size {
            narrow_rows::<ROWS>(rows, width, &taps, narrow);
        } else {
            for (row, narrow) in rows.chunks_exact(width).zip(narrow.chunks_exact_mut(size)) {
                narrow_rows::<1>(row, width, &taps, narrow);
            }
        }
    }
    square
}
