//! From a radiograph to the numbers the network receives. What is done here is recorded in the model lock.

use serde::{Deserialize, Serialize};

use crate::imaging::radiograph::Radiograph;
use crate::kernels::resize;

/// The resizing filter. Pixels are resized to a square without keeping the aspect ratio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// A triangle whose half width is the larger of one source pixel and the reduction factor (antialiased
    /// bilinear): Pillow's `BILINEAR` in mode F, and torchvision's `antialias=True`.
    #[default]
    TriangleAntialiased,
}

/// Resizing and normalisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Rows and columns of the network's input.
    pub resolution: u32,
    /// How pixels are resized.
    pub filter: Filter,
    /// Subtracted from the intensities in 0..=1, one for each of the three equal channels.
    pub mean: [f32; 3],
    /// Divides what is left.
    pub std: [f32; 3],
}

impl Preprocessing {
    /// Values of one plane.
    pub fn plane_len(&self) -> usize {
        self.resolution as usize * self.resolution as usize
    }

    /// The resized image: `resolution * resolution` intensities in 0..=1, row-major.
    pub fn plane(&self, image: &Radiograph) -> Vec<f32> {
        match self.filter {
            Filter::TriangleAntialiased => {
                let [width, height, size] =
                    [image.width(), image.height(), self.resolution].map(|n| n as usize);
                resize::triangle(image.pixels(), [height, width], size)
            }
        }
    }

    /// A plane as the network's input `[3, resolution, resolution]`: three equal channels, each less its mean
    /// and divided by its deviation. Appended to `out`, so that a batch is one allocation.
    pub fn normalise_into(&self, plane: &[f32], out: &mut Vec<f32>) {
        for (mean, std) in self.mean.iter().zip(&self.std) {
            out.extend(plane.iter().map(|value| (value - mean) / std));
        }
    }

    /// The network's input `[3, resolution, resolution]` of a radiograph, row-major.
    pub fn tensor(&self, image: &Radiograph) -> Vec<f32> {
        let mut out = Vec::with_capacity(3 * self.plane_len());
        self.normalise_into(&self.plane(image), &mut out);
        out
    }
}

/// A plane mirrored left to right, as flipping the radiograph before resizing would give.
pub fn flipped(plane: &[f32], width: usize) -> Vec<f32> {
    plane.chunks(width).flat_map(|row| row.iter().rev().copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn preprocessing(resolution: u32) -> Preprocessing {
        let filter = Filter::TriangleAntialiased;
        Preprocessing { resolution, filter, mean: [0.0, 0.5, 0.25], std: [1.0, 0.5, 0.25] }
    }

    #[test]
    fn halving_four_pixels_gives_the_weights_worked_out_by_hand() {
        // Scale 2, half width 2. Target 0 has its centre at 1: pixels 0, 1, 2 lie at distances 0.5, 0.5 and
        // 1.5 (weights 0.75, 0.75, 0.25; pixel 3 at 2.5 has none); their sum is 1.75.
        let image = Radiograph::new(4, 1, vec![1.0, 0.0, 0.0, 0.0]);
        let plane = preprocessing(2).plane(&image);
        assert!((f64::from(plane[0]) - 0.75 / 1.75).abs() < 1e-7, "{plane:?}");
        // The second target's centre is 3: pixels 1, 2, 3.
        assert_eq!(plane[1], 0.0);
    }

    #[test]
    fn resizing_matches_pillow() {
        let text = include_str!("../../fixtures/reference-values/resize/expected.json");
        let expected: serde_json::Value = serde_json::from_str(text).expect("JSON");
        for case in expected["cases"].as_array().expect("cases") {
            let number = |key: &str| u32::try_from(case[key].as_u64().expect("number")).expect("small");
            let (width, height, size) = (number("width"), number("height"), number("size"));
            let pixel = |i: u32| {
                let (x, y) = (i % width, i / width);
                ((37 * x + 91 * y + x * y) % 256) as f32 / 255.0
            };
            let image = Radiograph::new(width, height, (0..width * height).map(pixel).collect());
            let plane = preprocessing(size).plane(&image);
            let values = case["values"].as_array().expect("values");
            assert_eq!(plane.len(), values.len());
            for (index, (ours, theirs)) in plane.iter().zip(values).enumerate() {
                let theirs = theirs.as_f64().expect("number");
                let what = format!("{width}x{height} to {size}, value {index}: {ours} against {theirs}");
                assert!((f64::from(*ours) - theirs).abs() < 1e-6, "{what}");
            }
        }
    }

    #[test]
    fn each_channel_has_its_own_mean_and_deviation() {
        let image = Radiograph::new(1, 1, vec![0.75]);
        assert_eq!(preprocessing(1).tensor(&image), [0.75, 0.5, 2.0]);
    }

    proptest! {
        #[test]
        fn resized_values_stay_within_the_images_range(
            width in 1_u32..40, height in 1_u32..40, size in 1_u32..40, seed in any::<u32>(),
        ) {
            let mixed = |i: u32| i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8;
            let pixel = |i: u32| mixed(i) as f32 / 16_777_216.0;
            let image = Radiograph::new(width, height, (0..width * height).map(pixel).collect());
            let plane = preprocessing(size).plane(&image);
            prop_assert_eq!(plane.len(), (size * size) as usize);
            let widened = |(low, high): (f32, f32), p: &f32| (low.min(*p), high.max(*p));
            let (low, high) = image.pixels().iter().fold((1.0, 0.0), widened);
            prop_assert!(plane.iter().all(|v| (low - 1e-6..=high + 1e-6).contains(v)));
        }

        #[test]
        fn flipping_before_and_after_resizing_agree(width in 1_usize..30, size in 1_u32..30) {
            let pixels: Vec<f32> = (0..width * 3).map(|i| ((i * 97) % 101) as f32 / 100.0).collect();
            let wide = u32::try_from(width).expect("small");
            let before = Radiograph::new(wide, 3, flipped(&pixels, width));
            let before = preprocessing(size).plane(&before);
            let after = preprocessing(size).plane(&Radiograph::new(wide, 3, pixels));
            for (a, b) in before.iter().zip(flipped(&after, size as usize)) {
                prop_assert!((a - b).abs() < 1e-6);
            }
        }
    }
}
