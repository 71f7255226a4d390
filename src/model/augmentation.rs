//! What is done to training images: the views of an image that an epoch may see, and how a view is made.

use serde::{Deserialize, Serialize};

use super::preprocessing::flipped;
use super::random::{Purpose, stream, uniform};

/// What is done to training images, as declared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Nothing.
    None,
    /// Mirrored left to right with probability one half.
    HorizontalFlip,
    /// Another view in every epoch.
    Affine(Affine),
}

/// Ranges of random views.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// The angle is uniform in plus or minus so many degrees.
    pub rotation_degrees: f64,
    /// Each of both shifts is uniform in plus or minus this share of the side.
    pub shift: f64,
    /// The magnification is uniform in 1 plus or minus this.
    pub zoom: f64,
    /// The factor on the intensities is uniform in 1 plus or minus this; intensities stay within 0 to 1.
    pub brightness: f64,
    /// Whether the view is mirrored left to right with probability one half.
    pub horizontal_flip: bool,
}

/// How one image is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum View {
    /// As it is.
    Plain,
    /// Mirrored left to right.
    Mirrored,
    /// Turned, shifted, magnified, brightened.
    Affine {
        /// Counter-clockwise, in radians.
        angle: f64,
        /// To the right and to the bottom, in shares of the side.
        shift: [f64; 2],
        /// Magnification.
        zoom: f64,
        /// Factor on the intensities.
        brightness: f64,
        /// Whether it is mirrored first.
        mirrored: bool,
    },
}

impl Augmentation {
    /// The views that there are, where they can be listed; their place in the list is [`View::number`].
    pub fn views(&self) -> Option<&'static [View]> {
        match self {
            Self::None => Some(&[View::Plain]),
            Self::HorizontalFlip => Some(&[View::Plain, View::Mirrored]),
            Self::Affine(_) => None,
        }
    }

    /// The view of each of `count` training images in an epoch.
    pub fn draw(&self, seed: u64, epoch: u32, count: usize) -> Vec<View> {
        match self {
            Self::None => vec![View::Plain; count],
            Self::HorizontalFlip => {
                let mut coin = stream(seed, Purpose::Flip, u64::from(epoch));
                let mut flip = || if uniform(&mut coin) < 0.5 { View::Mirrored } else { View::Plain };
                (0..count).map(|_| flip()).collect()
            }
            Self::Affine(ranges) => {
                let mut numbers = stream(seed, Purpose::Affine, u64::from(epoch));
                (0..count)
                    .map(|_| {
                        let mut within = |range: f64| range * (2.0 * uniform(&mut numbers) - 1.0);
                        View::Affine {
                            angle: within(ranges.rotation_degrees.to_radians()),
                            shift: [within(ranges.shift), within(ranges.shift)],
                            zoom: 1.0 + within(ranges.zoom),
                            brightness: 1.0 + within(ranges.brightness),
                            mirrored: within(1.0) < 0.0 && ranges.horizontal_flip,
                        }
                    })
                    .collect()
            }
        }
    }
}

impl View {
    /// Its place among [`Augmentation::views`].
    pub fn number(&self) -> usize {
        usize::from(*self == Self::Mirrored)
    }

    /// A square plane of intensities (0 to 1), `side` × `side`, as this view sees it. Turned and magnified
    /// about the centre, then shifted; bilinear; outside, the nearest edge goes on.
    pub fn of(&self, plane: Vec<f32>, side: usize) -> Vec<f32> {
        match *self {
            Self::Plain => plane,
            Self::Mirrored => flipped(&plane, side),
            Self::Affine { angle, shift, zoom, brightness, mirrored } => {
                let plane = if mirrored { flipped(&plane, side) } else { plane };
                let centre = (side as f64 - 1.0) / 2.0;
                let (sine, cosine) = angle.sin_cos();
                let mut out = Vec::with_capacity(plane.len());
                for row in 0..side {
                    for column in 0..side {
                        // Back from the view to the image: unshift, turn clockwise, shrink. Rows grow
                        // downwards.
                        let x = column as f64 - centre - shift[0] * side as f64;
                        let y = row as f64 - centre - shift[1] * side as f64;
                        let source_x = (cosine * x - sine * y) / zoom + centre;
                        let source_y = (sine * x + cosine * y) / zoom + centre;
                        let value = bilinear(&plane, side, source_x, source_y) * brightness;
                        #[expect(clippy::cast_possible_truncation, reason = "an intensity in 0..=1")]
                        out.push(value.clamp(0.0, 1.0) as f32);
                    }
                }
                out
            }
        }
    }
}

fn bilinear(plane: &[f32], side: usize, x: f64, y: f64) -> f64 {
    let last = (side - 1) as f64;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the plane")]
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(side - 1), (top + 1).min(side - 1));
    let (fx, fy) = (x - left as f64, y - top as f64);
    let at = |row: usize, column: usize| f64::from(plane[row * side + column]);
    let upper = at(top, left) * (1.0 - fx) + at(top, right) * fx;
    let lower = at(bottom, left) * (1.0 - fx) + at(bottom, right) * fx;
    upper * (1.0 - fy) + lower * fy
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::*;

    const STILL: View =
        View::Affine { angle: 0.0, shift: [0.0, 0.0], zoom: 1.0, brightness: 1.0, mirrored: false };

    fn plane() -> Vec<f32> {
        (0..16).map(|i| i as f32 / 16.0).collect()
    }

    fn changed(change: impl Fn(&mut f64, &mut [f64; 2], &mut f64, &mut f64)) -> Vec<f32> {
        let View::Affine { mut angle, mut shift, mut zoom, mut brightness, mirrored } = STILL else {
            unreachable!("STILL is affine")
        };
        change(&mut angle, &mut shift, &mut zoom, &mut brightness);
        View::Affine { angle, shift, zoom, brightness, mirrored }.of(plane(), 4)
    }

    #[test]
    fn nothing_changes_nothing_and_a_quarter_turn_moves_every_pixel() {
        assert_eq!(STILL.of(plane(), 4), plane());
        let turned = changed(|angle, _, _, _| *angle = FRAC_PI_2);
        // Counter-clockwise: the last column becomes the first row.
        for row in 0..4 {
            for column in 0..4 {
                let (ours, source) = (turned[row * 4 + column], plane()[column * 4 + 3 - row]);
                assert!((ours - source).abs() < 1e-6, "{row} {column}: {ours} {source}");
            }
        }
    }

    #[test]
    fn shifts_zooms_and_brightness_do_what_their_names_say() {
        let right = changed(|_, shift, _, _| shift[0] = 0.25);
        assert_eq!(right[4..8], [4.0, 4.0, 5.0, 6.0].map(|v: f32| v / 16.0));
        let down = changed(|_, shift, _, _| shift[1] = 0.25);
        assert_eq!(down[0..8], [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0].map(|v: f32| v / 16.0));
        let near = changed(|_, _, zoom, _| *zoom = 1e9);
        assert!(near.iter().all(|v| (v - 7.5 / 16.0).abs() < 1e-6), "the centre fills the view");
        let bright = changed(|_, _, _, brightness| *brightness = 2.0);
        assert_eq!((bright[3], bright[15]), (6.0 / 16.0, 1.0));
        let mirrored =
            View::Affine { angle: 0.0, shift: [0.0; 2], zoom: 1.0, brightness: 1.0, mirrored: true };
        assert_eq!(mirrored.of(plane(), 4), View::Mirrored.of(plane(), 4));
    }

    #[test]
    fn views_stay_within_the_ranges_and_follow_seed_and_epoch() {
        let ranges =
            Affine { rotation_degrees: 20.0, shift: 0.1, zoom: 0.2, brightness: 0.3, horizontal_flip: true };
        let augmentation = Augmentation::Affine(ranges);
        let views = augmentation.draw(5, 2, 4000);
        let mut mirrored_views = 0;
        for view in &views {
            let View::Affine { angle, shift, zoom, brightness, mirrored } = *view else { panic!("affine") };
            assert!(angle.abs() <= 20_f64.to_radians() && shift.iter().all(|s| s.abs() <= 0.1));
            assert!((0.8..=1.2).contains(&zoom) && (0.7..=1.3).contains(&brightness));
            mirrored_views += usize::from(mirrored);
        }
        assert!((1_850..2_150).contains(&mirrored_views), "{mirrored_views}");
        assert_eq!(augmentation.draw(5, 2, 4000), views);
        assert_ne!(augmentation.draw(5, 3, 4000), views);
        assert_ne!(augmentation.draw(6, 2, 4000), views);
        assert!(augmentation.views().is_none());
    }
}
