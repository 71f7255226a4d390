//! A buffer in body coordinates: strokes and discs are drawn here before the image is composed.
//!
//! Coordinates run from -1 to 1, `u` to the right of the image and `v` downwards.

/// How body coordinates lie in the image: rotation, scale and shift of the patient on the detector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    pub(super) rotation: f32,
    pub(super) scale: f32,
    pub(super) shift: (f32, f32),
}

/// The pose with its sines worked out for an image of `size` pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    sine: f32,
    cosine: f32,
    scale: f32,
    shift: (f32, f32),
    size: usize,
}

impl Frame {
    pub(super) fn new(pose: Pose, size: usize) -> Self {
        let (sine, cosine) = pose.rotation.sin_cos();
        Self { sine, cosine, scale: pose.scale, shift: pose.shift, size }
    }

    /// Body coordinates of a pixel's centre.
    pub(super) fn body(&self, column: usize, row: usize) -> (f32, f32) {
        let pixel = 2.0 / self.size as f32;
        let x = (column as f32 + 0.5) * pixel - 1.0 - self.shift.0;
        let y = (row as f32 + 0.5) * pixel - 1.0 - self.shift.1;
        ((self.cosine * x + self.sine * y) / self.scale, (self.cosine * y - self.sine * x) / self.scale)
    }

    /// Pixel position of body coordinates.
    fn pixel(&self, (u, v): (f32, f32)) -> (f32, f32) {
        let x = (self.cosine * u - self.sine * v) * self.scale + self.shift.0;
        let y = (self.sine * u + self.cosine * v) * self.scale + self.shift.1;
        let half = self.size as f32 / 2.0;
        ((x + 1.0) * half - 0.5, (y + 1.0) * half - 0.5)
    }

    /// Pixels per body unit.
    fn resolution(&self) -> f32 {
        self.scale * self.size as f32 / 2.0
    }
}

/// Across a stroke or a disc, from 0 at the middle to 1 at the edge.
#[derive(Clone, Copy, Debug)]
pub(super) enum Profile {
    /// A solid rod: the chord through a circle.
    Rod,
    /// A shell: brighter near the edge, as cortical bone is.
    Shell,
    /// Soft towards the edge.
    Soft,
    /// The same everywhere.
    Flat,
}

impl Profile {
    pub(super) fn at(self, d: f32) -> f32 {
        if d >= 1.0 {
            return 0.0;
        }
        let inside = 1.0 - d * d;
        match self {
            Self::Rod => inside.sqrt(),
            Self::Shell => {
                let edge = (d - 0.78) / 0.24;
                0.62 * inside.sqrt() + 0.5 * (1.0 - edge * edge).max(0.0)
            }
            Self::Soft => inside * inside,
            Self::Flat => (6.0 * (1.0 - d)).min(1.0),
        }
    }
}

/// One layer. What is drawn combines by maximum, so that joints of a stroke do not count twice.
pub(super) struct Layer {
    frame: Frame,
    values: Vec<f32>,
}

impl Layer {
    pub(super) fn new(frame: Frame) -> Self {
        Self { frame, values: vec![0.0; frame.size * frame.size] }
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// A line through points in body coordinates whose half-width goes evenly from `from` to `to`. A stroke
    /// thinner than a pixel is drawn a pixel wide and correspondingly fainter.
    pub(super) fn stroke(
        &mut self,
        points: &[(f32, f32)],
        from: f32,
        to: f32,
        strength: f32,
        profile: Profile,
    ) {
        let segments = points.len().saturating_sub(1);
        for (index, pair) in points.windows(2).enumerate() {
            let width = |i: usize| from + (to - from) * i as f32 / segments as f32;
            self.segment(pair[0], pair[1], width(index), width(index + 1), strength, profile);
        }
    }

    /// A disc, or an ellipse with half axes `a` along `angle` and `b` across it.
    pub(super) fn ellipse(
        &mut self,
        centre: (f32, f32),
        a: f32,
        b: f32,
        angle: f32,
        strength: f32,
        profile: Profile,
    ) {
        let (sine, cosine) = angle.sin_cos();
        let reach = a.max(b);
        let frame = self.frame;
        self.each(centre, reach, |value, column, row| {
            let (u, v) = frame.body(column, row);
            let (du, dv) = (u - centre.0, v - centre.1);
            let (along, across) = ((cosine * du + sine * dv) / a, (cosine * dv - sine * du) / b);
            let d = (along * along + across * across).sqrt();
            value.max(strength * profile.at(d))
        });
    }

    /// Any shape within `reach` of `centre`: `shape` gives the value at body coordinates; values combine as
    /// independent obstacles do, `1 - (1 - old)(1 - new)`.
    pub(super) fn cloud(&mut self, centre: (f32, f32), reach: f32, shape: impl Fn(f32, f32) -> f32) {
        let frame = self.frame;
        self.each(centre, reach, |value, column, row| {
            let (u, v) = frame.body(column, row);
            1.0 - (1.0 - value) * (1.0 - shape(u, v))
        });
    }

    /// A filled convex polygon with soft edges; points clockwise on the image.
    pub(super) fn polygon(&mut self, points: &[(f32, f32)], softness: f32, strength: f32) {
        let count = points.len() as f32;
        let centre = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / count, sum.1 + p.1 / count));
        let reach = points.iter().map(|p| (p.0 - centre.0).hypot(p.1 - centre.1)).fold(0.0, f32::max);
        // Signed distance from each edge as a linear function of the position.
        let edges: Vec<(f32, f32, f32)> = (0..points.len())
            .map(|index| {
                let (p, q) = (points[index], points[(index + 1) % points.len()]);
                let length = (q.0 - p.0).hypot(q.1 - p.1).max(1e-6);
                let (x, y) = ((p.1 - q.1) / length, (q.0 - p.0) / length);
                (x, y, -(x * p.0 + y * p.1))
            })
            .collect();
        let frame = self.frame;
        self.each(centre, reach + softness, |value, column, row| {
            let (u, v) = frame.body(column, row);
            let inside = edges.iter().map(|e| e.0 * u + e.1 * v + e.2).fold(f32::INFINITY, f32::min);
            value.max(strength * (0.5 + inside / softness).clamp(0.0, 1.0))
        });
    }

    /// Visits the pixels of a square around a point.
    fn each(&mut self, centre: (f32, f32), reach: f32, mut change: impl FnMut(f32, usize, usize) -> f32) {
        let (x, y) = self.frame.pixel(centre);
        let radius = reach * self.frame.resolution() * 1.05 + 1.0;
        let size = self.frame.size;
        let clip = |value: f32| (value.max(0.0) as usize).min(size);
        for row in clip(y - radius)..clip(y + radius + 1.0) {
            for column in clip(x - radius)..clip(x + radius + 1.0) {
                let value = &mut self.values[row * size + column];
                *value = change(*value, column, row);
            }
        }
    }

    fn segment(&mut self, p: (f32, f32), q: (f32, f32), from: f32, to: f32, strength: f32, profile: Profile) {
        let resolution = self.frame.resolution();
        let (p, q) = (self.frame.pixel(p), self.frame.pixel(q));
        let (from, to) = (from * resolution, to * resolution);
        let widest = from.max(to).max(0.75) + 1.0;
        let size = self.frame.size;
        let clip = |value: f32| (value.max(0.0) as usize).min(size);
        let (eu, ev) = (q.0 - p.0, q.1 - p.1);
        let square = (eu * eu + ev * ev).max(1e-9);
        for row in clip(p.1.min(q.1) - widest)..clip(p.1.max(q.1) + widest + 1.0) {
            for column in clip(p.0.min(q.0) - widest)..clip(p.0.max(q.0) + widest + 1.0) {
                let (du, dv) = (column as f32 - p.0, row as f32 - p.1);
                let along = ((du * eu + dv * ev) / square).clamp(0.0, 1.0);
                let (nu, nv) = (du - along * eu, dv - along * ev);
                let distance = (nu * nu + nv * nv).sqrt();
                let width = from + (to - from) * along;
                let (drawn, share) = if width < 0.75 { (0.75, width / 0.75) } else { (width, 1.0) };
                let value = &mut self.values[row * size + column];
                *value = value.max(strength * share * profile.at(distance / (drawn + 0.25)));
            }
        }
    }
}
