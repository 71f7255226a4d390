//! What one image shows: a patient's anatomy, how the image was acquired, and what is in the lungs. Drawing
//! these is cheap; `render` turns them into pixels.

use super::canvas::Pose;
use super::random::Draw;
use crate::dataset::case::Sex;

/// How the beam went through the patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Projection {
    Posteroanterior,
    Anteroposterior,
    Lateral,
}

impl Projection {
    /// View Position (0018,5101).
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Posteroanterior => "PA",
            Self::Anteroposterior => "AP",
            Self::Lateral => "LL",
        }
    }
}

/// What stays the same from one image of a patient to the next.
#[derive(Clone, Debug)]
pub(super) struct Anatomy {
    /// Half-width of the thoracic cage in body units.
    pub(super) cage: f32,
    /// -1 slender ... 1 stout.
    pub(super) habitus: f32,
    /// Size of the heart; 1 is usual.
    pub(super) heart: f32,
    /// Distance between ribs.
    pub(super) rib_spacing: f32,
    /// How steeply ribs fall.
    pub(super) rib_slope: f32,
    pub(super) rib_offset: f32,
    /// How dense bones are.
    pub(super) bone: f32,
    /// Breast shadow, 0 for none.
    pub(super) breast: f32,
    /// Height of the diaphragm on the right and on the left of the patient.
    pub(super) domes: [f32; 2],
    /// How far the aorta is unfolded.
    pub(super) aorta: f32,
    /// Sideways curve of the spine.
    pub(super) spine: f32,
    /// Overall size on the detector; children are smaller.
    pub(super) stature: f32,
    /// Stream of the vessels' branching and of texture.
    pub(super) texture: u64,
}

impl Anatomy {
    pub(super) fn draw(draw: &mut Draw, sex: Sex, age: f32) -> Self {
        let child = ((16.0 - age) / 16.0).clamp(0.0, 1.0);
        let old = ((age - 55.0) / 40.0).clamp(0.0, 1.0);
        let habitus = (draw.normal(0.0, 0.45) as f32).clamp(-1.0, 1.0);
        let female = sex == Sex::F;
        Self {
            cage: draw.span(0.66, 0.74) - if female { 0.02 } else { 0.0 },
            habitus,
            heart: draw.span(0.9, 1.1) + 0.10 * old + 0.14 * child + 0.04 * habitus,
            rib_spacing: draw.span(0.125, 0.142),
            rib_slope: draw.span(0.85, 1.2) + 0.2 * old - 0.25 * child,
            rib_offset: draw.span(-0.03, 0.03),
            bone: draw.span(0.85, 1.15) * (1.0 - 0.3 * old) * (1.0 - 0.25 * child),
            breast: if female && age > 13.0 { draw.span(0.4, 1.0) * (1.0 + 0.4 * habitus) } else { 0.0 },
            domes: [draw.span(0.33, 0.39), draw.span(0.37, 0.44)],
            aorta: draw.span(0.85, 1.1) + 0.35 * old - 0.3 * child,
            spine: draw.normal(0.0, 0.015 + f64::from(old) * 0.015) as f32,
            stature: draw.span(0.95, 1.04) - 0.12 * child,
            texture: draw.bits64() >> 16,
        }
    }
}

/// How one image was made.
#[derive(Clone, Debug)]
pub(super) struct Acquisition {
    pub(super) projection: Projection,
    pub(super) pose: Pose,
    /// How deep the breath was, in body units of the diaphragm.
    pub(super) inspiration: f32,
    /// Contrast, brightness and curve of the display.
    pub(super) gain: f32,
    pub(super) offset: f32,
    pub(super) gamma: f32,
    /// Quantum noise, as a deviation of the intensity behind average thickness.
    pub(super) noise: f32,
    /// Edge enhancement of the maker's processing.
    pub(super) sharpening: f32,
    /// Turn about the long axis: moves the mediastinum sideways.
    pub(super) turn: f32,
    /// Width of the collimated border at left, right, top and bottom, in body units.
    pub(super) collimation: [f32; 4],
    /// Whether the side is marked.
    pub(super) marker: bool,
}

impl Acquisition {
    pub(super) fn draw(draw: &mut Draw, projection: Projection, manufacturer: usize, stature: f32) -> Self {
        let bedside = projection == Projection::Anteroposterior;
        let sharpening = [0.15, 0.45, 0.0, 0.7][manufacturer % 4];
        let gamma = [1.0, 0.9, 1.12, 1.0][manufacturer % 4];
        let noise = [0.010, 0.014, 0.018, 0.012][manufacturer % 4];
        let mut collimation = [0.0; 4];
        if draw.chance(0.3) {
            for border in &mut collimation {
                *border = draw.span(-0.02, 0.06).max(0.0);
            }
        }
        Self {
            projection,
            pose: Pose {
                rotation: draw.normal(0.0, if bedside { 0.035 } else { 0.015 }) as f32,
                scale: stature * if bedside { draw.span(1.0, 1.08) } else { draw.span(0.96, 1.03) },
                shift: (draw.normal(0.0, 0.02) as f32, draw.normal(0.02, 0.025) as f32),
            },
            inspiration: if bedside { draw.span(-0.10, 0.02) } else { draw.span(-0.04, 0.06) },
            gain: draw.span(0.9, 1.1),
            offset: draw.normal(0.0, 0.025) as f32,
            gamma: gamma * draw.span(0.93, 1.07),
            noise: noise * draw.span(0.7, 1.5) * if bedside { 1.3 } else { 1.0 },
            sharpening,
            turn: draw.normal(0.0, if bedside { 0.03 } else { 0.012 }) as f32,
            collimation,
            marker: draw.chance(0.8),
        }
    }
}

/// Something seen that is not the patient's usual anatomy. `side` is -1 for the left of the image (the
/// patient's right) and 1 for its right. Strengths say which share of the air is replaced, 0..=1.
#[derive(Clone, Debug)]
pub(super) enum Shadow {
    /// Pneumonia: an opacity, patchy or homogeneous.
    Opacity {
        side: f32,
        /// Position in the lung: 0 medial ... 1 lateral, and 0 apex ... 1 base.
        place: (f32, f32),
        /// Half axes in body units.
        extent: (f32, f32),
        angle: f32,
        strength: f32,
        /// 0 homogeneous ... 1 patchy.
        patchy: f32,
        /// Where in the noise it lies.
        phase: (f32, f32),
    },
    /// Pneumonia of the interstitium: a net of fine lines.
    Net {
        side: f32,
        place: (f32, f32),
        extent: f32,
        strength: f32,
        phase: (f32, f32),
    },
    /// Fluid in the pleural space; `level` is its height above the base.
    Effusion {
        side: f32,
        level: f32,
    },
    /// A band of collapsed lung.
    Band {
        side: f32,
        place: (f32, f32),
        length: f32,
        angle: f32,
        strength: f32,
    },
    Nodule {
        side: f32,
        place: (f32, f32),
        radius: f32,
        strength: f32,
    },
    /// Wide vessels and a haze about the hila on both sides.
    Congestion {
        strength: f32,
    },
    Wires {
        paths: Vec<[(f32, f32); 4]>,
    },
    Pacemaker {
        side: f32,
        place: (f32, f32),
        leads: u8,
    },
    CentralLine {
        side: f32,
    },
    /// A tube in the windpipe.
    Tube,
}

/// Everything the pixels follow from, besides the noise.
#[derive(Clone, Debug)]
pub(super) struct Phantom {
    pub(super) anatomy: Anatomy,
    pub(super) acquisition: Acquisition,
    pub(super) shadows: Vec<Shadow>,
}
