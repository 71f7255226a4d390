//! Random numbers for resampling: one stream a replicate, the same on every machine and for any
//! number of threads.
//!
//! A ChaCha8 stream (`seed`, `replicate`) gives 256 bits that start a xoshiro256++ generator
//! (Blackman and Vigna 2021): streams are independent and addressable by construction, and a draw costs
//! under a nanosecond. Every discrete draw here is exact to the 64 bits of the generator.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// The generator of one replicate.
#[derive(Clone, Debug)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// The stream of a replicate under a seed.
    pub fn new(seed: u64, replicate: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(replicate);
        let mut state = [0; 4];
        for word in &mut state {
            *word = source.next_u64();
        }
        if state == [0; 4] {
            state[0] = 1;
        }
        Self { state }
    }

    /// 64 uniform bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// Uniform in (0, 1), never 0 and never 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Uniform in 0..n without bias (Lemire 2019). `n` > 0.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        loop {
            let product = u64::from((self.bits() >> 32) as u32) * u64::from(n);
            let low = product as u32;
            if low >= n || low >= n.wrapping_neg() % n {
                return (product >> 32) as u32;
            }
        }
    }

    /// Two independent uniform draws from 0..n out of one word.
    #[inline]
    pub fn two_below(&mut self, n: u32) -> (u32, u32) {
        let word = self.bits();
        // 32 bits times 32 bits fit 64.
        let wide = u64::from(n);
        let (a, b) = ((word >> 32).wrapping_mul(wide), (word & 0xffff_ffff).wrapping_mul(wide));
        if (a as u32) < n || (b as u32) < n {
            // Rarely, near the edge: reject what would be drawn too often.
            let biased = n.wrapping_neg() % n;
            let first = if (a as u32) < biased { self.below(n) } else { (a >> 32) as u32 };
            let second = if (b as u32) < biased { self.below(n) } else { (b >> 32) as u32 };
            return (first, second);
        }
        ((a >> 32) as u32, (b >> 32) as u32)
    }

    /// Binomial(n, p): inversion where n·min(p, q) < 10, else transformed rejection (BTRS, Hörmann 1993).
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            return 0;
        }
        if p >= 1.0 {
            return n;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        if n as f64 * p < 10.0 { self.binomial_by_inversion(n, p) } else { self.binomial_by_rejection(n, p) }
    }

    fn binomial_by_inversion(&mut self, n: u64, p: f64) -> u64 {
        let odds = p / (1.0 - p);
        let start = (n as f64 * (-p).ln_1p()).exp();
        loop {
            let (mut u, mut density) = (self.unit(), start);
            for k in 0..=n {
                if u < density {
                    return k;
                }
                u -= density;
                density *= odds * (n - k) as f64 / (k + 1) as f64;
                if density < 1e-300 {
                    break;
                }
            }
        }
    }

    fn binomial_by_rejection(&mut self, n: u64, p: f64) -> u64 {
        let nf = n as f64;
        let q = 1.0 - p;
        let spread = (nf * p * q).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = nf * p + 0.5;
        let vr = 0.92 - 4.2 / b;
        let alpha = (2.83 + 5.1 / b) * spread;
        let odds = p / q;
        let mode = ((nf + 1.0) * p).floor();
        loop {
            let u = self.unit() - 0.5;
            let mut v = self.unit();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if us >= 0.07 && v <= vr {
                return k as u64;
            }
            if k < 0.0 || k > nf {
                continue;
            }
            v = (v * alpha / (a / (us * us) + b)).ln();
            let bound = (mode + 0.5) * ((mode + 1.0) / (odds * (nf - mode + 1.0))).ln()
                + stirling_tail(mode)
                + stirling_tail(nf - mode)
                + (nf + 1.0) * ((nf - mode + 1.0) / (nf - k + 1.0)).ln()
                + (k + 0.5) * (odds * (nf - k + 1.0) / (k + 1.0)).ln()
                - stirling_tail(k)
                - stirling_tail(nf - k);
            if v <= bound {
                return k as u64;
            }
        }
    }
}

/// ln k! − [½ ln 2π + (k+½) ln(k+1) − (k+1)], from a table below 10 and from the series above.
fn stirling_tail(k: f64) -> f64 {
    const TABLE: [f64; 10] = [
        0.081_061_466_795_327_26,
        0.041_340_695_955_409_29,
        0.027_677_925_684_998_34,
        0.020_790_672_103_765_09,
        0.016_644_691_189_821_19,
        0.013_876_128_823_070_75,
        0.011_896_709_945_891_77,
        0.010_411_265_261_972_09,
        0.009_255_462_182_712_733,
        0.008_330_563_433_362_87,
    ];
    if k < 10.0 {
        return TABLE[k as usize];
    }
    let x = k + 1.0;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * x * x)) / (x * x)) / x
}

/// Finite laws sampled by one table look-up each (Walker 1977, alias method), all in one array.
///
/// An entry is a threshold of 48 bits and an alias of 16: probabilities are kept to 2⁻⁴⁸ of a slot, as finely
/// as a double holds them.
#[derive(Clone, Debug, Default)]
pub struct AliasTables {
    entries: Vec<u64>,
}

/// Values of each number of a pair: 0 to 31.
const PAIR_SIDE: usize = 32;

/// One law of [`AliasTables`]: values `first`, `first` + 1, ...
#[derive(Clone, Copy, Debug)]
pub struct Law {
    offset: u32,
    first: u32,
    bits: u32,
}

impl AliasTables {
    /// Adds a law from the weights of `first`, `first` + 1, ... (at most 65,536); they need not sum to one.
    pub fn add(&mut self, first: u32, weights: &[f64]) -> Law {
        let size = weights.len().next_power_of_two().max(2);
        let total: f64 = weights.iter().sum();
        let mut share: Vec<f64> =
            (0..size).map(|i| weights.get(i).map_or(0.0, |w| w / total * size as f64)).collect();
        let full = (1_u64 << 48) - 1;
        let mut cells: Vec<(u64, usize)> = (0..size).map(|i| (full, i)).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..size).partition(|&i| share[i] < 1.0);
        while let (Some(s), Some(&l)) = (small.pop(), large.last()) {
            cells[s] = (((share[s] * 2_f64.powi(48)) as u64).min(full), l);
            share[l] -= 1.0 - share[s];
            if share[l] < 1.0 {
                large.pop();
                small.push(l);
            }
        }
        let offset = self.entries.len() as u32;
        self.entries.extend(cells.iter().map(|&(threshold, alias)| threshold << 16 | alias as u64));
        Law { offset, first, bits: size.trailing_zeros() }
    }

    /// Adds the Poisson law of mean `mean`, 0 < mean <= 10⁶, cut where less than 10⁻²⁰ lies outside.
    pub fn add_poisson(&mut self, mean: f64) -> Law {
        let reach = 9.5 * mean.sqrt() + 20.0;
        let first = (mean - reach).max(0.0).floor();
        let last = (mean + reach).ceil();
        let mut weights = vec![0.0; (last - first) as usize + 1];
        let at = (mean.floor() - first) as usize;
        weights[at] = 1.0;
        for i in at + 1..weights.len() {
            weights[i] = weights[i - 1] * mean / (first + i as f64);
        }
        for i in (0..at).rev() {
            weights[i] = weights[i + 1] * (first + i as f64 + 1.0) / mean;
        }
        self.add(first as u32, &weights)
    }

    /// Adds the joint law of two independent Poisson numbers of one mean, 0 < mean <= 1, for
    /// [`Self::draw_two`]; cut at 31, beyond which less than 10⁻³⁵ lies.
    pub fn add_poisson_pair(&mut self, mean: f64) -> Law {
        let mut one = [1.0_f64; PAIR_SIDE];
        for k in 1..PAIR_SIDE {
            one[k] = one[k - 1] * mean / k as f64;
        }
        let weights: Vec<f64> = one.iter().flat_map(|a| one.iter().map(move |b| a * b)).collect();
        self.add(0, &weights)
    }

    /// Two independent numbers from a law of [`Self::add_poisson_pair`], for one word and one look-up.
    #[inline]
    pub fn draw_two(&self, law: Law, stream: &mut Stream) -> [u32; 2] {
        let both = self.draw(law, stream);
        [both / PAIR_SIDE as u32, both % PAIR_SIDE as u32]
    }

    /// One draw from a law of this array.
    #[inline]
    pub fn draw(&self, law: Law, stream: &mut Stream) -> u32 {
        let word = stream.bits();
        // The top bits choose the slot, the next 48 are compared with its threshold.
        let slot = (word >> (64 - law.bits)) as u32;
        let entry = self.entries[law.offset.wrapping_add(slot) as usize];
        let fraction = word << law.bits;
        let alias = (entry & 0xffff) as u32;
        // Without a branch: which of the two it is cannot be predicted.
        let kept = u32::from(fraction >> 16 < entry >> 16).wrapping_neg();
        law.first.wrapping_add(alias ^ ((slot ^ alias) & kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_replicate_and_seed_and_repeat() {
        let first = |seed, replicate| Stream::new(seed, replicate).bits();
        assert_eq!(first(7, 3), first(7, 3));
        assert_ne!(first(7, 3), first(7, 4));
        assert_ne!(first(7, 3), first(8, 3));
    }

    fn moments(mut draw: impl FnMut() -> f64, n: usize) -> (f64, f64) {
        let values: Vec<f64> = (0..n).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1) as f64;
        (mean, variance)
    }

    #[test]
    fn draws_have_the_moments_of_their_laws() {
        let mut stream = Stream::new(1, 0);
        for (n, p) in [(20, 0.3), (500, 0.01), (500, 0.4), (16_370, 0.986), (100_000, 0.5)] {
            let (mean, variance) = moments(|| stream.binomial(n, p) as f64, 40_000);
            let (m, v) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!((mean - m).abs() < 5.0 * (v / 40_000.0).sqrt(), "binomial {n} {p}: {mean}");
            assert!((variance / v - 1.0).abs() < 0.05, "binomial {n} {p}: {variance} {v}");
        }
        for mean in [0.4, 3.0, 37.5, 900.0] {
            let mut tables = AliasTables::default();
            let _ = tables.add_poisson(1.0);
            let law = tables.add_poisson(mean);
            let (got, variance) = moments(|| f64::from(tables.draw(law, &mut stream)), 40_000);
            assert!((got - mean).abs() < 5.0 * (mean / 40_000.0).sqrt(), "poisson {mean}: {got}");
            assert!((variance / mean - 1.0).abs() < 0.05, "poisson {mean}: {variance}");
        }
        let mut tables = AliasTables::default();
        let pair = tables.add_poisson_pair(0.9);
        let drawn: Vec<[u32; 2]> = (0..40_000).map(|_| tables.draw_two(pair, &mut stream)).collect();
        for i in [0, 1] {
            let mut values = drawn.iter().map(|d| f64::from(d[i]));
            let (got, variance) = moments(|| values.next().expect("a value"), 40_000);
            assert!((got - 0.9).abs() < 5.0 * (0.9_f64 / 40_000.0).sqrt(), "{got}");
            assert!((variance / 0.9 - 1.0).abs() < 0.05, "{variance}");
        }
        let products = drawn.iter().map(|d| (f64::from(d[0]) - 0.9) * (f64::from(d[1]) - 0.9)).sum::<f64>();
        assert!((products / 40_000.0).abs() < 5.0 * 0.9 / 200.0, "the two are not correlated");
        let (mean, _) = moments(|| f64::from(stream.below(6)), 60_000);
        assert!((mean - 2.5).abs() < 0.04);
    }

    #[test]
    fn poisson_table_has_the_exact_frequencies() {
        let mut tables = AliasTables::default();
        let law = tables.add_poisson(2.0);
        let mut stream = Stream::new(5, 0);
        let mut counts = [0_u32; 6];
        for _ in 0..200_000 {
            let k = tables.draw(law, &mut stream) as usize;
            if k < 6 {
                counts[k] += 1;
            }
        }
        let mut p = (-2.0_f64).exp();
        for (k, &count) in counts.iter().enumerate() {
            let expected = 200_000.0 * p;
            assert!((f64::from(count) - expected).abs() < 5.0 * expected.sqrt(), "{k}");
            p *= 2.0 / (k + 1) as f64;
        }
    }
}
