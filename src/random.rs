//! Seeded, value-stable random numbers: ChaCha8 with addressable streams. Nothing here reads entropy.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A stream of random numbers; the same seed and stream give the same numbers on every machine.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// Stream `stream` of seed `seed`; streams of one seed do not overlap.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// A uniform whole number below `bound` (Lemire 2019, with rejection: exactly uniform). 0 where the bound
    /// is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts a slice in uniformly random order (Fisher and Yates; Durstenfeld 1964).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_order_forever() {
        let mut items: Vec<u32> = (0..10).collect();
        Stream::new(7, 0).shuffle(&mut items);
        let mut again: Vec<u32> = (0..10).collect();
        Stream::new(7, 0).shuffle(&mut again);
        assert_eq!(items, again);
        let mut other: Vec<u32> = (0..10).collect();
        Stream::new(7, 1).shuffle(&mut other);
        assert_ne!(items, other);
    }

    #[test]
    fn below_is_uniform_within_sampling_error() {
        let mut stream = Stream::new(1, 0);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[stream.below(7) as usize] += 1;
        }
        // Chi-squared with 6 degrees of freedom: 22.5 is the 99.9 % quantile.
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi2 < 22.5, "{counts:?}");
    }
}
