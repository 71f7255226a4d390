//! McNemar's test (1947): two models on the same cases, compared by the cases on which exactly one of them is
//! right.

use super::special::{binomial_density, binomial_tails, chi_squared_sf};

/// The discordant cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct McNemar {
    /// Cases that the first model calls right and the second wrong.
    pub only_first_correct: u64,
    /// Cases that the second model calls right and the first wrong.
    pub only_second_correct: u64,
}

/// Counts discordant cases; one entry a case in each slice.
pub fn mcnemar(labels: &[bool], first: &[bool], second: &[bool]) -> McNemar {
    let mut out = McNemar::default();
    for ((label, a), b) in labels.iter().zip(first).zip(second) {
        match (a == label, b == label) {
            (true, false) => out.only_first_correct += 1,
            (false, true) => out.only_second_correct += 1,
            _ => {}
        }
    }
    out
}

impl McNemar {
    fn discordant(&self) -> u64 {
        self.only_first_correct + self.only_second_correct
    }

    fn fewer(&self) -> u64 {
        self.only_first_correct.min(self.only_second_correct)
    }

    /// Exact two-sided p: 2·P(X <= fewer) of Binomial(discordant, ½), at most 1. None without discordant cases.
    pub fn exact_p(&self) -> Option<f64> {
        let n = self.discordant();
        (n > 0).then(|| (2.0 * binomial_tails(self.fewer(), n, 0.5).0).min(1.0))
    }

    /// Mid-p: the exact p less the probability of what was seen (Fagerland et al. 2013).
    pub fn mid_p(&self) -> Option<f64> {
        let n = self.discordant();
        (n > 0).then(|| {
            let seen = binomial_density(self.fewer() as f64, n as f64, 0.5, 0.5);
            (2.0 * binomial_tails(self.fewer(), n, 0.5).0 - seen).min(1.0)
        })
    }

    /// (b − c)²/(b + c).
    pub fn statistic(&self) -> Option<f64> {
        self.chi_squared(0.0)
    }

    /// (|b − c| − 1)²/(b + c), Edwards's correction.
    pub fn corrected_statistic(&self) -> Option<f64> {
        self.chi_squared(1.0)
    }

    /// p of [`Self::statistic`].
    pub fn p(&self) -> Option<f64> {
        self.statistic().map(|x| chi_squared_sf(x, 1.0))
    }

    /// p of [`Self::corrected_statistic`].
    pub fn corrected_p(&self) -> Option<f64> {
        self.corrected_statistic().map(|x| chi_squared_sf(x, 1.0))
    }

    fn chi_squared(&self, correction: f64) -> Option<f64> {
        let gap = self.only_first_correct.abs_diff(self.only_second_correct) as f64;
        let n = self.discordant() as f64;
        (n > 0.0).then(|| (gap - correction).max(0.0).powi(2) / n)
    }
}
