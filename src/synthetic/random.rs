//! Draws from addressable streams: what an image looks like depends on the seed and on its own number,
//! never on the order in which threads got to it.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// What a stream is for. The number is part of the format: changing it changes every cohort.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Patient = 1,
    Image = 2,
    Truth = 3,
    Reader = 4,
    Pixels = 5,
    Texture = 6,
}

/// A generator for one purpose and one index.
#[derive(Clone, Debug)]
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(((purpose as u64) << 48) | index);
        Self(generator)
    }

    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    pub(super) fn bits64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in 0..1, with 53 bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// The same for image geometry, where single precision is plenty.
    pub(super) fn span(&mut self, low: f32, high: f32) -> f32 {
        self.between(f64::from(low), f64::from(high)) as f32
    }

    /// Box and Muller 1958; one of the pair is thrown away.
    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + deviation * radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..count`; 0 when `count` is 0.
    pub(super) fn index(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// An index with probability proportional to its weight.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

/// Smooth value noise on a lattice that wraps: texture of lungs and of opacities.
pub(super) struct Noise(Box<[f32; 64 * 64]>);

impl Noise {
    pub(super) fn new(draw: &mut Draw) -> Self {
        let mut lattice = Box::new([0.0; 64 * 64]);
        for value in lattice.iter_mut() {
            *value = draw.bits() as f32 * (2.0 / u32::MAX as f32) - 1.0;
        }
        Self(lattice)
    }

    /// In -1..=1; one lattice cell is one unit.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fx, fy) = (ease(x - left), ease(y - top));
        let (column, row) = (left as i32, top as i32);
        let value = |dx: i32, dy: i32| self.0[((((row + dy) & 63) << 6) | ((column + dx) & 63)) as usize];
        let upper = value(0, 0) + (value(1, 0) - value(0, 0)) * fx;
        let lower = value(0, 1) + (value(1, 1) - value(0, 1)) * fx;
        upper + (lower - upper) * fy
    }

    /// Three octaves, in about -1..=1.
    pub(super) fn rough(&self, x: f32, y: f32) -> f32 {
        0.57 * self.at(x, y) + 0.29 * self.at(2.1 * x + 7.3, 2.1 * y + 1.9) + 0.14 * self.at(4.3 * x, 4.3 * y)
    }
}
