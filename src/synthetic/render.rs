//! From a phantom to intensities: the attenuation along each ray, the detector's noise and blur, and the
//! display curve. A schematic, not a simulation of physics: thicknesses are shapes, and one number stands for
//! each tissue.

use super::canvas::{Frame, Layer, Profile};
use super::phantom::{Acquisition, Anatomy, Phantom, Projection, Shadow};
use super::random::{Draw, Noise, Purpose};

/// Row-major intensities in 0..=1, `size * size`, MONOCHROME2 sense. The same for the same arguments.
pub(super) fn render(phantom: &Phantom, size: usize, seed: u64, image: u64) -> Vec<f32> {
    let frame = Frame::new(phantom.acquisition.pose, size);
    let mut texture = Draw::new(seed, Purpose::Texture, phantom.anatomy.texture);
    let attenuation = match phantom.acquisition.projection {
        Projection::Lateral => lateral(phantom, frame, size, &mut texture),
        _ => frontal(phantom, frame, size, &mut texture),
    };
    develop(attenuation, size, &phantom.acquisition, &mut Draw::new(seed, Purpose::Pixels, image))
}

/// 0 below `low`, 1 above `high`, smooth between.
fn step(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn mix(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

/// The shape of one lung, on the side of `u`'s sign.
#[derive(Clone, Copy, Debug)]
struct Lung {
    cage: f32,
    apex: f32,
    dome: f32,
}

impl Lung {
    fn new(anatomy: &Anatomy, acquisition: &Acquisition, left: bool) -> Self {
        let dome = anatomy.domes[usize::from(left)] + acquisition.inspiration;
        Self { cage: anatomy.cage, apex: -0.74, dome }
    }

    /// Share of the way from the apex to the costophrenic angle, 0..=1.
    fn height(&self, v: f32) -> f32 {
        ((v - self.apex) / (self.dome + 0.24 - self.apex)).clamp(0.0, 1.0)
    }

    fn inner(&self, t: f32) -> f32 {
        let apex = (1.0 - t * 5.0).max(0.0);
        0.105 + 0.17 * apex * apex
    }

    fn outer(&self, t: f32) -> f32 {
        let rest = 1.0 - t;
        0.29 + (self.cage - 0.29) * (1.0 - rest * rest).max(0.0).sqrt()
    }

    /// Where the diaphragm cuts at distance `a` from the middle.
    fn base(&self, a: f32) -> f32 {
        let q = (a - 0.50 * self.cage) / (0.50 * self.cage);
        let q2 = q * q;
        self.dome + if q > 0.0 { 0.10 * q2 + 0.15 * q2 * q2 * q2 } else { 0.09 * q2 }
    }

    /// Body coordinates of a place in the lung: 0 medial ... 1 lateral, 0 apex ... 1 base.
    fn place(&self, side: f32, (across, down): (f32, f32)) -> (f32, f32) {
        let v = mix(self.apex + 0.08, self.dome + 0.06, down);
        let t = self.height(v);
        (side * mix(self.inner(t), self.outer(t), across), v)
    }
}

/// Layers that lesions and devices are drawn into.
struct Overlays {
    /// Share of the air that is replaced.
    opacity: Layer,
    vessels: Layer,
    bone: Layer,
    metal: Layer,
}

fn frontal(phantom: &Phantom, frame: Frame, size: usize, texture: &mut Draw) -> Vec<f32> {
    let Phantom { anatomy, acquisition, shadows } = phantom;
    let bedside = acquisition.projection == Projection::Anteroposterior;
    let lungs = [Lung::new(anatomy, acquisition, false), Lung::new(anatomy, acquisition, true)];
    let noise = Noise::new(texture);
    let congestion =
        shadows.iter().map(|s| if let Shadow::Congestion { strength } = s { *strength } else { 0.0 });
    let congestion = congestion.fold(0.0, f32::max);

    let mut overlays = Overlays {
        opacity: Layer::new(frame),
        vessels: Layer::new(frame),
        bone: Layer::new(frame),
        metal: Layer::new(frame),
    };
    vessels(&mut overlays.vessels, texture, congestion);
    skeleton(&mut overlays.bone, acquisition);
    let mut effusion = [f32::INFINITY; 2];
    let mut net = Vec::new();
    for shadow in shadows {
        draw_shadow(shadow, &mut overlays, &lungs, &noise, &mut effusion, &mut net);
    }
    if acquisition.marker {
        let (x, y) = (0.80, -0.84);
        overlays.metal.stroke(
            &[(x, y), (x, y + 0.09), (x + 0.045, y + 0.09)],
            0.008,
            0.008,
            0.8,
            Profile::Flat,
        );
    }
    let mut airway = Layer::new(frame);
    let turn = acquisition.turn;
    let carina = (turn * 0.5, -0.20);
    airway.stroke(&[(turn * 0.2, -1.05), (turn, -0.5), carina], 0.040, 0.034, 1.0, Profile::Rod);
    airway.stroke(&[carina, (-0.14, -0.05)], 0.028, 0.018, 0.8, Profile::Rod);
    airway.stroke(&[carina, (0.16, -0.08)], 0.026, 0.018, 0.8, Profile::Rod);

    let (opacity, vessel) = (overlays.opacity.values(), overlays.vessels.values());
    let (bone, metal, airway) = (overlays.bone.values(), overlays.metal.values(), airway.values());
    let ribs = Ribs::new(anatomy);
    let heart = Heart::new(anatomy, bedside, acquisition);
    let stout = 0.10 * anatomy.habitus;
    let wall = anatomy.cage + 0.11 + 0.07 * anatomy.habitus;
    let mut image = Vec::with_capacity(size * size);
    for row in 0..size {
        for column in 0..size {
            let pixel = row * size + column;
            let (u, v) = frame.body(column, row);
            let a = u.abs();
            let lung = &lungs[usize::from(u > 0.0)];

            // Soft tissue of the trunk, the shoulders and the neck.
            // The neck runs out of the image; the shoulders fall away from it.
            let top = -0.97 + 0.36 * ((a - 0.24).max(0.0) / 0.8) - 0.9 * step(0.30, 0.17, a);
            let shoulder = step(0.0, 0.05, v - top);
            let arm = step(-0.42, -0.62, v);
            let side = mix(wall, 1.5, arm);
            let q = (a / side).min(1.0);
            let trunk = (1.0 - q * q * q * q).max(0.0).sqrt() * shoulder;
            if trunk <= 0.0 {
                image.push(0.75 * metal[pixel]);
                continue;
            }
            let depth = trunk * mix(0.78, 1.0, step(-0.9, -0.3, v)) * (1.0 - 0.18 * step(0.55, 1.0, a) * arm);
            let mut ray = (0.62 + stout) * depth;
            // Belly.
            let base = lung.base(a);
            let below = step(base - 0.012, base + 0.02, v);
            if a < wall {
                ray += 0.12 * below * depth;
            }

            // Air.
            let t = lung.height(v);
            let (inner, outer) = (lung.inner(t) + turn * u.signum(), lung.outer(t));
            let s = (a - inner) / (outer - inner).max(0.05);
            let mut air = 0.0;
            if s > 0.0 && s < 1.0 && v > lung.apex {
                let across = (1.0 - s * s * s).sqrt() * step(0.0, 0.10, s);
                let recess = 0.14 * step(base + 0.16, base + 0.02, v);
                let down = mix(1.0, recess, below);
                let apex = mix(0.55, 1.0, step(0.0, 0.28, t));
                air = across * down * apex * (1.0 + 0.05 * noise.at(9.0 * u + 31.0, 9.0 * v));
            }
            let (cardiac, cardiac_edge) = heart.at(u - turn, v);
            air *= 1.0 - 0.72 * cardiac_edge * (1.0 - 0.5 * below);
            let mut replaced = opacity[pixel];
            let level = effusion[usize::from(u > 0.0)];
            if level < 2.0 {
                let surface = level + 0.16 * (1.0 - step(0.35, 1.02, s.max(0.0))) - 0.06;
                replaced = 1.0 - (1.0 - replaced) * (1.0 - 0.96 * step(0.0, 0.07, v - surface));
            }
            for &(centre, extent, strength, phase) in &net {
                let (centre, phase): ((f32, f32), (f32, f32)) = (centre, phase);
                let d = ((u - centre.0).powi(2) + (v - centre.1).powi(2)) / (extent * extent);
                if d < 1.0 {
                    let ridge = 1.0 - noise.rough(22.0 * u + phase.0, 22.0 * v + phase.1).abs() * 2.2;
                    replaced += (1.0 - replaced) * strength * (1.0 - d) * (0.35 + 0.65 * ridge.max(0.0));
                }
            }
            if congestion > 0.0 {
                let haze = (1.0 - (u * u / 0.16 + (v - 0.02) * (v - 0.02) / 0.14)).max(0.0);
                replaced += (1.0 - replaced) * congestion * 0.30 * haze;
            }
            ray -= 0.47 * air * (1.0 - replaced);
            // Where the air is gone, so are the edges of the vessels in it.
            ray += 0.13 * vessel[pixel] * air * (1.0 - replaced);

            // Middle: heart, great vessels, spine, windpipe.
            ray += (0.15 * cardiac + 0.04 * cardiac_edge) * (1.0 - 0.75 * below);
            let middle = step(0.17, 0.05, (u - turn).abs()) * shoulder;
            ray += 0.09 * middle;
            let from_spine =
                if a < 0.25 { (u - anatomy.spine * (3.0 * v).sin() + 0.3 * turn).abs() } else { a };
            if from_spine < 0.11 {
                let column_shape = Profile::Rod.at(from_spine / 0.088);
                let disc = 0.5 + 0.5 * ((v + 0.03) * std::f32::consts::TAU / 0.108).cos();
                let pedicle =
                    Profile::Soft.at(((from_spine - 0.052).powi(2) + (0.05 * disc).powi(2)).sqrt() / 0.035);
                let seen = mix(1.0, 0.55, step(-0.4, 0.5, v));
                ray += anatomy.bone
                    * seen
                    * (0.13 * column_shape * (0.72 + 0.28 * (1.0 - disc * disc)) + 0.05 * pedicle);
            }
            ray -= 0.15 * airway[pixel] * shoulder;

            // Ribs and other bones.
            ray += anatomy.bone
                * (ribs.at(u, v, a, outer, wall) * shoulder * (1.0 - 0.6 * below) + 0.20 * bone[pixel]);

            // Breasts and the air in the stomach.
            if anatomy.breast > 0.0 {
                let (bu, bv) = ((a - 0.40) / 0.31, (v - 0.30 - 0.05 * anatomy.breast) / 0.30);
                let d = bu * bu + bv * bv;
                if d < 1.0 {
                    let fold = if bv > 0.0 { 1.0 } else { 1.0 + 0.6 * bv };
                    ray += 0.085 * anatomy.breast * (1.0 - d).sqrt() * fold.max(0.0);
                }
            }
            let (gu, gv) = ((u - 0.34) / 0.13, (v - lungs[1].dome - 0.13) / 0.07);
            let bubble = gu * gu + gv * gv;
            if bubble < 1.0 {
                ray -= 0.17 * (1.0 - bubble).sqrt();
            }
            ray += 0.010 * depth * noise.at(7.0 * u + 3.0, 7.0 * v + 17.0);
            ray += 0.75 * metal[pixel];
            image.push(ray.max(0.0));
        }
    }
    image
}

/// Posterior and anterior ribs as a periodic family of curves: one evaluation finds the nearest rib.
struct Ribs {
    spacing: f32,
    slope: f32,
    offset: f32,
    cage: f32,
    /// Curve of a posterior and of an anterior rib, with the cosine of its slope, over `a / cage`.
    curves: Vec<[f32; 4]>,
    /// How far each rib strays from the family, right and left, from number -1.
    bends: [[f32; 12]; 2],
}

impl Ribs {
    const STEPS: usize = 128;

    fn new(anatomy: &Anatomy) -> Self {
        let posterior = |q: f32| 0.30 * q * q * (0.6 + 0.4 * q) - 0.045 * (4.2 * q.min(0.75)).sin().max(0.0);
        let anterior = |q: f32| 0.36 * (1.02 - q).max(0.0).powf(1.25);
        let mut curves = Vec::with_capacity(Self::STEPS + 2);
        for index in 0..Self::STEPS + 2 {
            let q = index as f32 * 1.1 / Self::STEPS as f32;
            let cosine = |curve: &dyn Fn(f32) -> f32| {
                let slope = (curve(q + 0.01) - curve(q)) / (0.01 * anatomy.cage);
                1.0 / (1.0 + slope * slope).sqrt()
            };
            curves.push([posterior(q), cosine(&posterior), anterior(q), cosine(&anterior)]);
        }
        Self {
            spacing: anatomy.rib_spacing,
            slope: anatomy.rib_slope,
            offset: anatomy.rib_offset,
            cage: anatomy.cage,
            curves,
            bends: [-1.0, 1.0].map(|side: f32| {
                std::array::from_fn(|index| 0.008 * ((index as f32 - 1.0) * 2.4 + side).sin())
            }),
        }
    }

    /// Thickness of bone along the ray.
    fn at(&self, u: f32, v: f32, a: f32, outer: f32, wall: f32) -> f32 {
        let edge = (outer + 0.035).min(wall);
        if a > edge || !(0.05..).contains(&a) {
            return 0.0;
        }
        let q = a / self.cage;
        let place = q * Self::STEPS as f32 / 1.1;
        let index = (place as usize).min(Self::STEPS);
        let (low, high) = (self.curves[index], self.curves[index + 1]);
        let curve = |i: usize| mix(low[i], high[i], place - index as f32);
        // The upper ribs are the steeper ones.
        let steep = self.slope * (1.0 - 0.12 * v);
        let mut bone = 0.0;
        let mut one = |centre_of: f32, first: f32, last: f32, half: f32, cosine: f32, strength: f32| {
            let rib = ((v - centre_of) / self.spacing).round().clamp(first, last);
            // No two ribs are alike.
            let bend = self.bends[usize::from(u > 0.0)][(rib + 1.0) as usize];
            let d = (v - centre_of - bend - rib * self.spacing).abs() * cosine / half;
            bone += strength * Profile::Shell.at(d);
        };
        let back = -0.70 + self.offset + steep * curve(0);
        one(back, 0.0, 10.0, 0.027, curve(1), 0.115 * step(0.04, 0.12, a));
        let front = -0.70 + self.offset + 0.30 * steep - 0.30 * (steep - 1.0) + curve(2);
        let seen = step(0.30, 0.62, q);
        if seen > 0.0 {
            one(front, -1.0, 6.0, 0.034, curve(3), 0.075 * seen);
        }
        // Along the wall the ribs run towards the beam.
        bone + 0.05 * step(outer - 0.045, outer, a) * step(edge, outer, a)
    }
}

struct Heart {
    size: f32,
    knob: f32,
    drop: f32,
}

impl Heart {
    fn new(anatomy: &Anatomy, bedside: bool, acquisition: &Acquisition) -> Self {
        let size = anatomy.heart * if bedside { 1.15 } else { 1.0 };
        let knob = anatomy.aorta * if bedside { 1.1 } else { 1.0 };
        Self { size, knob, drop: acquisition.inspiration }
    }

    /// Thickness, and whether the ray meets it at all (soft edge), both 0..=1.
    fn at(&self, u: f32, v: f32) -> (f32, f32) {
        let v = v - self.drop;
        if u.abs() > 0.55 || !(-0.75..0.65).contains(&v) {
            return (0.0, 0.0);
        }
        let mut thick: f32 = 0.0;
        let mut edge: f32 = 0.0;
        let k = self.size;
        // Left ventricle, right atrium, outflow, aortic knob, vena cava.
        let parts: [(f32, f32, f32, f32, f32, f32); 5] = [
            (0.135 * k, 0.20, 0.27 * k, 0.185 * k, 0.62, 1.0),
            (-0.030, 0.18, 0.150 * k, 0.20 * k, 0.0, 0.75),
            (0.085, -0.04, 0.105 * k, 0.17, 0.2, 0.6),
            (0.075, -0.27, 0.080 * self.knob, 0.085 * self.knob, 0.0, 0.6),
            (-0.085, -0.28, 0.062, 0.30, 0.0, 0.3),
        ];
        for (cu, cv, a, b, angle, weight) in parts {
            let (du, dv) = (u - cu, v - cv);
            if du.abs() > a.max(b) * 1.05 || dv.abs() > a.max(b) * 1.05 {
                continue;
            }
            let (sine, cosine) = if angle == 0.0 { (0.0, 1.0) } else { f32::sin_cos(angle) };
            let (x, y) = ((cosine * du + sine * dv) / a, (cosine * dv - sine * du) / b);
            let d = x * x + y * y;
            if d < 1.0 {
                thick = thick.max(weight * (1.0 - d).sqrt());
                edge = edge.max(weight.max(0.8) * ((1.0 - d) * 7.0).min(1.0));
            }
        }
        (thick, edge)
    }
}

/// Clavicles, shoulder blades and shoulder joints.
fn skeleton(bone: &mut Layer, acquisition: &Acquisition) {
    let bedside = acquisition.projection == Projection::Anteroposterior;
    let raise = if bedside { -0.07 } else { 0.0 };
    for side in [-1.0_f32, 1.0] {
        let tilt = 0.03 * side * (acquisition.turn * 20.0).clamp(-1.0, 1.0);
        let at = |u: f32, v: f32| (side * u, v + raise + tilt);
        let clavicle = [
            at(0.065, -0.555),
            at(0.17, -0.60),
            at(0.30, -0.645),
            at(0.44, -0.655),
            at(0.58, -0.685),
            at(0.74, -0.765),
        ];
        bone.stroke(&clavicle, 0.036, 0.028, 1.15, Profile::Shell);
        // Turned out of the lungs in PA, over them in AP.
        let out = if bedside { 0.0 } else { 0.13 };
        let (upper, lower, socket) =
            ((side * (0.50 + out), -0.62), (side * (0.56 + out), 0.02), (side * 0.86, -0.66));
        let mut blade = vec![upper, socket, lower];
        if side < 0.0 {
            blade.reverse();
        }
        bone.polygon(&blade, 0.05, 0.30);
        bone.stroke(&[upper, lower], 0.012, 0.010, 0.62, Profile::Soft);
        bone.stroke(&[lower, socket], 0.020, 0.024, 0.75, Profile::Soft);
        bone.stroke(&[(side * 0.62, -0.72), (side * 0.90, -0.80)], 0.020, 0.030, 0.85, Profile::Shell);
        bone.ellipse((side * 0.98, -0.66), 0.105, 0.11, 0.0, 1.0, Profile::Shell);
        bone.stroke(&[(side * 1.0, -0.60), (side * 1.10, 0.1)], 0.062, 0.052, 0.95, Profile::Shell);
    }
}

/// Two trees of vessels that leave the hila and thin out.
fn vessels(layer: &mut Layer, draw: &mut Draw, congestion: f32) {
    for side in [-1.0_f32, 1.0] {
        let hilum = if side < 0.0 { (-0.155, -0.02) } else { (0.165, -0.06) };
        layer.ellipse((hilum.0, hilum.1), 0.060, 0.10, 0.25 * side, 0.85, Profile::Soft);
        for branch in 0..11 {
            // From straight up, outwards, to straight down.
            let angle = -1.35 + 2.75 * (branch as f32 + draw.span(0.2, 0.8)) / 11.0;
            let heading = (side * angle.cos(), angle.sin());
            let length = 0.17 + 0.12 * angle.cos().abs() + draw.span(0.0, 0.05);
            let width = draw.span(0.014, 0.022) * (1.0 + 0.45 * congestion);
            branch_out(layer, draw, hilum, heading, length, width, 3);
        }
    }
}

fn branch_out(
    layer: &mut Layer,
    draw: &mut Draw,
    from: (f32, f32),
    heading: (f32, f32),
    length: f32,
    width: f32,
    generations: u32,
) {
    let bend = draw.span(-0.15, 0.15);
    let middle = (
        from.0 + heading.0 * length * 0.5 - heading.1 * bend * length * 0.5,
        from.1 + heading.1 * length * 0.5 + heading.0 * bend * length * 0.5,
    );
    let to = (from.0 + heading.0 * length, from.1 + heading.1 * length);
    let strength = (width / 0.020).min(1.0) * 0.95;
    layer.stroke(&[from, middle, to], width, width * 0.62, strength, Profile::Rod);
    if generations == 0 {
        return;
    }
    for turn in [-1.0_f32, 1.0] {
        let angle = turn * draw.span(0.18, 0.52);
        let (sine, cosine) = angle.sin_cos();
        let onward = (cosine * heading.0 - sine * heading.1, sine * heading.0 + cosine * heading.1);
        let next = length * draw.span(0.62, 0.85);
        branch_out(layer, draw, to, onward, next, width * 0.58, generations - 1);
    }
}

type Net = ((f32, f32), f32, f32, (f32, f32));

fn draw_shadow(
    shadow: &Shadow,
    overlays: &mut Overlays,
    lungs: &[Lung; 2],
    noise: &Noise,
    effusion: &mut [f32; 2],
    net: &mut Vec<Net>,
) {
    let lung = |side: f32| &lungs[usize::from(side > 0.0)];
    match shadow {
        Shadow::Opacity { side, place, extent, angle, strength, patchy, phase } => {
            let centre = lung(*side).place(*side, *place);
            let (sine, cosine) = angle.sin_cos();
            overlays.opacity.cloud(centre, extent.0.max(extent.1) * 1.35, |u, v| {
                let (du, dv) = (u - centre.0, v - centre.1);
                let (x, y) = ((cosine * du + sine * dv) / extent.0, (cosine * dv - sine * du) / extent.1);
                let rough = noise.rough(6.0 * u + phase.0, 6.0 * v + phase.1);
                let d = (x * x + y * y).sqrt() * (1.0 + 0.30 * rough);
                if d >= 1.0 {
                    return 0.0;
                }
                // Even in the middle, soft at the edge.
                let body = step(0.0, 0.7, 1.0 - d * d);
                let fine = noise.rough(17.0 * u + phase.1, 17.0 * v + phase.0);
                strength * body * (1.0 - patchy * (0.35 + 0.8 * fine)).clamp(0.0, 1.1)
            });
        }
        Shadow::Net { side, place, extent, strength, phase } => {
            net.push((lung(*side).place(*side, *place), *extent, *strength, *phase));
        }
        Shadow::Effusion { side, level } => {
            effusion[usize::from(*side > 0.0)] = lung(*side).dome + 0.18 - level;
        }
        Shadow::Band { side, place, length, angle, strength } => {
            let (u, v) = lung(*side).place(*side, *place);
            let (dv, du) = (angle.sin() * length / 2.0, angle.cos() * length / 2.0);
            overlays.opacity.stroke(
                &[(u - du, v - dv), (u, v - 0.01), (u + du, v + dv)],
                0.013,
                0.009,
                *strength,
                Profile::Rod,
            );
        }
        Shadow::Nodule { side, place, radius, strength } => {
            let centre = lung(*side).place(*side, *place);
            overlays.opacity.ellipse(centre, *radius, radius * 0.9, 0.4, *strength, Profile::Rod);
        }
        Shadow::Congestion { .. } => {}
        Shadow::Wires { paths } => {
            for path in paths {
                overlays.metal.stroke(&curve(path), 0.0045, 0.0045, 0.42, Profile::Rod);
                overlays.metal.ellipse(path[0], 0.026, 0.026, 0.0, 0.30, Profile::Flat);
                overlays.metal.ellipse(path[0], 0.011, 0.011, 0.0, 0.75, Profile::Flat);
            }
        }
        Shadow::Pacemaker { side, place, leads } => {
            let (u, v) = (side * place.0, place.1);
            let metal = &mut overlays.metal;
            metal.ellipse((u, v), 0.105, 0.082, 0.35 * side, 0.75, Profile::Flat);
            metal.ellipse((u - side * 0.03, v - 0.075), 0.055, 0.035, 0.0, 0.55, Profile::Flat);
            let vein =
                [(u - side * 0.05, v - 0.10), (side * 0.32, -0.60), (side * 0.02, -0.52), (-0.085, -0.30)];
            metal.stroke(&curve(&vein), 0.007, 0.007, 0.55, Profile::Rod);
            let ends = [
                [(-0.085, -0.30), (-0.11, 0.05), (-0.05, 0.30), (0.17, 0.33)],
                [(-0.085, -0.30), (-0.10, -0.08), (-0.13, 0.06), (-0.07, 0.03)],
            ];
            for end in ends.iter().take(usize::from(*leads)) {
                metal.stroke(&curve(end), 0.006, 0.006, 0.55, Profile::Rod);
            }
        }
        Shadow::CentralLine { side } => {
            let line = [(side * 0.24, -1.0), (side * 0.20, -0.72), (-0.05, -0.55), (-0.085, -0.12)];
            overlays.metal.stroke(&curve(&line), 0.008, 0.008, 0.34, Profile::Rod);
        }
        Shadow::Tube => {
            for offset in [-0.022, 0.022] {
                let line = [(offset, -1.05), (offset, -0.8), (offset, -0.55), (offset * 0.6, -0.34)];
                overlays.metal.stroke(&curve(&line), 0.006, 0.006, 0.25, Profile::Rod);
            }
        }
    }
}

/// A cubic Bézier curve as a polyline.
fn curve(points: &[(f32, f32); 4]) -> Vec<(f32, f32)> {
    (0..=14)
        .map(|step| {
            let t = step as f32 / 14.0;
            let s = 1.0 - t;
            let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
            weights.iter().zip(points).fold((0.0, 0.0), |sum, (w, p)| (sum.0 + w * p.0, sum.1 + w * p.1))
        })
        .collect()
}

/// Seen from the side: the sternum at the left of the image, the spine at the right.
fn lateral(phantom: &Phantom, frame: Frame, size: usize, texture: &mut Draw) -> Vec<f32> {
    let Phantom { anatomy, acquisition, shadows } = phantom;
    let noise = Noise::new(texture);
    let mut vessel = Layer::new(frame);
    for branch in 0..18 {
        let angle = std::f32::consts::TAU * (branch as f32 + texture.span(0.2, 0.8)) / 18.0;
        let (length, width) = (texture.span(0.14, 0.22), texture.span(0.012, 0.020));
        branch_out(&mut vessel, texture, (0.02, -0.02), (angle.cos(), angle.sin()), length, width, 2);
    }
    vessel.ellipse((0.02, -0.02), 0.10, 0.11, 0.0, 0.9, Profile::Soft);
    let mut bone = Layer::new(frame);
    let spine = |v: f32| 0.50 - 0.10 * (v + 0.15) * (v + 0.15) + 0.09 * (v + 0.2).max(0.0);
    let sternum = |v: f32| -0.50 - 0.16 * (v + 0.55).clamp(0.0, 0.75);
    for vertebra in 0..16 {
        let v = -0.98 + 0.128 * vertebra as f32;
        let u = spine(v);
        let size = 0.048 + 0.0014 * vertebra as f32;
        let body = [
            (u - size, v - size),
            (u + size, v - size),
            (u + size, v + size * 0.9),
            (u - size, v + size * 0.9),
        ];
        bone.polygon(&body, 0.02, 0.55);
        bone.stroke(&[(u + 0.06, v), (u + 0.17, v + 0.05)], 0.026, 0.014, 0.4, Profile::Soft);
    }
    let breastbone: Vec<_> = (0..8).map(|i| -0.62 + 0.1 * i as f32).map(|v| (sternum(v) - 0.02, v)).collect();
    bone.stroke(&breastbone, 0.034, 0.030, 0.7, Profile::Shell);
    for rib in 0..9 {
        let v = -0.72 + 0.135 * rib as f32 + anatomy.rib_offset;
        let fall = 0.26 * anatomy.rib_slope;
        let back = spine(v);
        let path = [(back + 0.09, v), (back + 0.05, v + 0.10), (0.05, v + fall), (-0.42, v + fall * 1.5)];
        bone.stroke(&curve(&path), 0.020, 0.018, 0.42, Profile::Shell);
    }
    bone.stroke(&[(0.30, -0.95), (0.52, -0.40), (0.60, -0.18)], 0.018, 0.012, 0.55, Profile::Soft);
    let mut opacity = Layer::new(frame);
    let mut fluid = 0.0_f32;
    let mut metal = Layer::new(frame);
    for shadow in shadows {
        match shadow {
            Shadow::Opacity { place, extent, strength, side, .. } => {
                let centre = (mix(-0.25, 0.35, place.0) + 0.05 * side, mix(-0.45, 0.45, place.1));
                opacity.ellipse(centre, extent.0, extent.1, 0.3, 0.6 * strength, Profile::Soft);
            }
            Shadow::Effusion { level, .. } => fluid = fluid.max(*level),
            Shadow::Nodule { place, radius, strength, .. } => {
                let centre = (mix(-0.3, 0.35, place.0), mix(-0.5, 0.4, place.1));
                opacity.ellipse(centre, *radius, *radius, 0.0, 0.6 * strength, Profile::Rod);
            }
            Shadow::Pacemaker { .. } => {
                metal.ellipse((-0.52, -0.42), 0.03, 0.09, 0.1, 0.75, Profile::Flat);
                let lead = [(-0.50, -0.50), (-0.2, -0.7), (0.0, -0.2), (-0.22, 0.34)];
                metal.stroke(&curve(&lead), 0.007, 0.007, 0.55, Profile::Rod);
            }
            _ => {}
        }
    }
    let (vessel, bone, opacity, metal) = (vessel.values(), bone.values(), opacity.values(), metal.values());
    let stout = 0.10 * anatomy.habitus;
    let mut image = Vec::with_capacity(size * size);
    for row in 0..size {
        for column in 0..size {
            let pixel = row * size + column;
            let (u, v) = frame.body(column, row);
            let front = sternum(v)
                - 0.09
                - 0.05 * anatomy.habitus
                - 0.13 * anatomy.breast * (1.0 - ((v - 0.12) / 0.32).powi(2)).max(0.0);
            let back = spine(v) + 0.26 + 0.04 * anatomy.habitus;
            let neck = step(-0.72, -0.95, v);
            let (front, back) = (mix(front, -0.22, neck), mix(back, 0.55, neck));
            let q = ((u - front) / (back - front) * 2.0 - 1.0).abs();
            let inside = if q < 1.0 { (1.0 - q * q * q * q).sqrt() } else { 0.0 };
            let mut ray = (0.70 + stout) * inside;
            // Raised arms.
            let arms = step(-0.62, -0.85, v) * step(0.75, 0.5, (u + 0.05).abs());
            ray += 0.22 * arms;
            let reach = (u - sternum(v) - 0.03) / (spine(v) + 0.07 - sternum(v) - 0.03);
            let dome = |lift: f32| {
                let x = (u + 0.12) / 0.55;
                0.30 + acquisition.inspiration + lift + 0.10 * x * x + 0.30 * (x.max(0.0)).powi(3)
            };
            let mut air = 0.0;
            if reach > 0.0 && reach < 1.0 && v > -0.82 {
                let across = (4.0 * reach * (1.0 - reach)).sqrt().min(1.0).sqrt();
                let top = step(-0.82, -0.45, v);
                let one = step(dome(0.0) + 0.012, dome(0.0) - 0.012, v);
                let two = step(dome(0.05) + 0.012, dome(0.05) - 0.012, v);
                air = across * top * (0.5 * one + 0.5 * two) * (1.0 + 0.05 * noise.at(9.0 * u, 9.0 * v));
            }
            let (hu, hv) = ((u + 0.22) / (0.34 * anatomy.heart), (v - 0.18) / (0.31 * anatomy.heart));
            let heart = (1.0 - hu * hu - hv * hv - 0.5 * hu * hv).max(0.0);
            air *= 1.0 - 0.55 * (heart * 3.0).min(1.0);
            let wet = step(0.0, 0.05, v - (0.62 - fluid)) * step(0.15, 0.4, u);
            ray -= 0.50 * air * (1.0 - opacity[pixel]) * (1.0 - 0.6 * wet);
            ray += 0.13 * vessel[pixel] * air + 0.08 * heart.sqrt();
            ray += 0.10 * step(dome(0.03) - 0.01, dome(0.03) + 0.02, v) * inside;
            let dim = 1.0 - 0.6 * step(dome(0.0), dome(0.0) + 0.04, v) * step(0.45, 0.35, u);
            ray += 0.20 * anatomy.bone * dim * bone[pixel];
            ray -= 0.14 * Profile::Rod.at((u + 0.02 - 0.10 * (v + 0.5)).abs() / 0.04) * step(-0.12, -0.2, v);
            ray += 0.012 * inside * noise.rough(5.0 * u, 5.0 * v) + 0.75 * metal[pixel];
            image.push(ray.max(0.0));
        }
    }
    image
}

/// The detector and the display: blur, noise that grows where little arrives, edge enhancement, contrast.
fn develop(mut image: Vec<f32>, size: usize, acquisition: &Acquisition, draw: &mut Draw) -> Vec<f32> {
    blur(&mut image, size, 0.25);
    let noise = acquisition.noise;
    for value in &mut image {
        // Sum of four bytes: mean 510, deviation 147.8, near enough to normal.
        let sum: u32 = draw.bits().to_le_bytes().into_iter().map(u32::from).sum();
        let deviate = (sum as f32 - 510.0) / 147.8;
        *value += noise * (0.45 + 0.9 * *value) * deviate;
    }
    if acquisition.sharpening > 0.0 {
        let mut smooth = image.clone();
        for _ in 0..(size / 64).clamp(1, 8) {
            blur(&mut smooth, size, 0.5);
        }
        for (value, smooth) in image.iter_mut().zip(&smooth) {
            *value += acquisition.sharpening * (*value - smooth);
        }
    }
    let pixel = 2.0 / size as f32;
    let [left, right, top, bottom] = acquisition.collimation;
    for row in 0..size {
        let y = row as f32 * pixel;
        for column in 0..size {
            let x = column as f32 * pixel;
            let value = &mut image[row * size + column];
            let shown = ((*value - 0.05) * acquisition.gain + acquisition.offset).clamp(0.0, 1.0);
            let open = x >= left && x < 2.0 - right && y >= top && y < 2.0 - bottom;
            *value = if open { shown.powf(acquisition.gamma) } else { 0.01 };
        }
    }
    image
}

/// One pass of the kernel `(share/2, 1 - share, share/2)` in each direction.
fn blur(image: &mut [f32], size: usize, share: f32) {
    for row in image.chunks_exact_mut(size) {
        let mut before = row[0];
        for column in 0..size {
            let here = row[column];
            let after = row[(column + 1).min(size - 1)];
            row[column] = here + share * (0.5 * (before + after) - here);
            before = here;
        }
    }
    let mut before = image[..size].to_vec();
    for row in 0..size {
        let next = (row + 1).min(size - 1);
        for (column, before) in before.iter_mut().enumerate() {
            let here = image[row * size + column];
            let after = if next == row { here } else { image[next * size + column] };
            image[row * size + column] = here + share * (0.5 * (*before + after) - here);
            *before = here;
        }
    }
}
