//! How bright images are: the distribution of their stored intensities, each image with the same weight.

use serde::{Deserialize, Serialize};

use crate::imaging::radiograph::Radiograph;

/// Bins of equal width over 0..=1.
pub const BINS: usize = 64;

/// The intensities of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    counts: [u64; BINS],
    mean: f64,
    sd: f64,
}

impl Histogram {
    /// Of an image's pixels. 1 belongs to the last bin.
    #[expect(clippy::cast_precision_loss, reason = "an image has far less than 2^53 pixels")]
    pub fn of(image: &Radiograph) -> Self {
        let mut counts = [0; BINS];
        let (mut sum, mut squares) = (0.0, 0.0);
        for pixel in image.pixels() {
            let value = f64::from(pixel.clamp(0.0, 1.0));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=BINS")]
            let bin = ((value * BINS as f64) as usize).min(BINS - 1);
            counts[bin] += 1;
            sum += value;
            squares += value * value;
        }
        let n = image.pixels().len() as f64;
        let mean = sum / n;
        Self { counts, mean, sd: (squares / n - mean * mean).max(0.0).sqrt() }
    }
}

/// The intensities of a group of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Intensity {
    /// `positive`, `no finding`, `other finding`, or `negative` where findings are not recorded.
    pub group: String,
    /// Images of the group in the set.
    pub of: u64,
    /// Images of the group whose files are there.
    pub there: u64,
    /// Images that were read.
    pub read: u64,
    /// Mean share of an image's pixels in each of the bins over 0..=1.
    pub bins: Vec<f64>,
    /// Mean over images of the mean intensity of an image.
    pub mean: Option<f64>,
    /// Standard deviation over images of the mean intensity, with `n − 1`.
    pub mean_sd: Option<f64>,
    /// Mean over images of the standard deviation within an image: the contrast.
    pub contrast: Option<f64>,
    /// Standard deviation over images of the contrast, with `n − 1`.
    pub contrast_sd: Option<f64>,
}

impl Intensity {
    /// Of a group; histograms in a fixed order, so that the sums are the same whatever read them.
    #[expect(clippy::cast_precision_loss, reason = "counts of pixels are far below 2^53")]
    pub fn of(group: &str, of: u64, there: u64, images: &[&Histogram]) -> Self {
        let n = images.len() as f64;
        let mut bins = vec![0.0; BINS];
        for image in images {
            let pixels: u64 = image.counts.iter().sum();
            for (bin, count) in bins.iter_mut().zip(image.counts) {
                *bin += count as f64 / pixels as f64 / n;
            }
        }
        let moments = |value: fn(&Histogram) -> f64| {
            let mean = images.iter().map(|i| value(i)).sum::<f64>() / n;
            let scatter: f64 = images.iter().map(|i| (value(i) - mean).powi(2)).sum();
            let sd = (images.len() > 1).then(|| (scatter / (n - 1.0)).sqrt());
            ((!images.is_empty()).then_some(mean), sd)
        };
        let (mean, mean_sd) = moments(|i| i.mean);
        let (contrast, contrast_sd) = moments(|i| i.sd);
        Self {
            group: group.to_owned(),
            of,
            there,
            read: images.len() as u64,
            bins,
            mean,
            mean_sd,
            contrast,
            contrast_sd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_weighs_the_same_and_shares_sum_to_one() {
        let dark = Histogram::of(&Radiograph::new(2, 2, vec![0.0, 0.0, 0.0, 1.0]));
        let bright = Histogram::of(&Radiograph::new(1, 1, vec![1.0]));
        let group = Intensity::of("positive", 5, 3, &[&dark, &bright]);
        assert_eq!((group.bins[0], group.bins[BINS - 1]), (0.375, 0.625));
        assert_eq!((group.of, group.there, group.read), (5, 3, 2));
        assert_eq!((group.mean, group.contrast), (Some(0.625), Some(0.1875_f64.sqrt() / 2.0)));
        assert!((group.mean_sd.expect("two") - 0.28125_f64.sqrt()).abs() < 1e-12);
        let none = Intensity::of("positive", 0, 0, &[]);
        assert_eq!((none.mean, none.mean_sd, none.bins[0]), (None, None, 0.0));
    }
}
