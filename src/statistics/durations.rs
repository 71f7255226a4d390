//! Mean and quantiles of durations, with limits: of what a device takes for an examination.

use crate::proportion::Limits;
use crate::quantile;
use crate::special::{binomial_tails, t_two_sided};

/// Durations in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    sorted: Vec<f64>,
}

impl Durations {
    /// Of finite values; None without any.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        (!sorted.is_empty()).then_some(Self { sorted })
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.sorted.len() as u64
    }

    /// The longest.
    pub fn longest(&self) -> f64 {
        self.sorted.last().copied().unwrap_or_default()
    }

    /// Mean.
    pub fn mean(&self) -> f64 {
        self.sorted.iter().sum::<f64>() / self.sorted.len() as f64
    }

    /// Standard deviation with n − 1; None of one value.
    pub fn standard_deviation(&self) -> Option<f64> {
        let mean = self.mean();
        let sum: f64 = self.sorted.iter().map(|value| (value - mean).powi(2)).sum();
        (self.sorted.len() > 1).then(|| (sum / (self.sorted.len() - 1) as f64).sqrt())
    }

    /// Limits of the mean by Student's t (1908); None of one value.
    pub fn mean_limits(&self, level: f64) -> Option<Limits> {
        let n = self.sorted.len() as f64;
        let half = t_two_sided(level, n - 1.0) * self.standard_deviation()? / n.sqrt();
        Some((self.mean() - half, self.mean() + half))
    }

    /// The quantile of a share in 0..=1.
    pub fn quantile(&self, share: f64) -> f64 {
        quantile::of_ascending(&self.sorted, share).unwrap_or_default()
    }

    /// Limits of the quantile of a share from order statistics, whatever the law (David and Nagaraja 2003,
    /// 7.1): the narrowest that leave at most half of 1 − `level` on each side. None where there are too few
    /// values for one of them.
    pub fn quantile_limits(&self, share: f64, level: f64) -> Option<Limits> {
        let n = self.count();
        let outside = (1.0 - level) / 2.0;
        // X_(r) is above the quantile where fewer than r values lie at or below it: P(B <= r − 1).
        let lower = (1..=n).take_while(|r| binomial_tails(r - 1, n, share).0 <= outside).last()?;
        // X_(s) is below it where at least s do: P(B >= s).
        let upper = (1..=n).rev().take_while(|s| binomial_tails(*s, n, share).1 <= outside).last()?;
        let at = |rank: u64| self.sorted.get(usize::try_from(rank - 1).ok()?).copied();
        Some((at(lower)?, at(upper)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_of_the_median_are_those_of_the_tables() {
        // n = 10 at 95 %: the 2nd and the 9th value; n = 25: the 8th and the 18th (Conover 1999, table A3).
        for (n, lower, upper) in [(10, 2.0, 9.0), (25, 8.0, 18.0)] {
            let of = Durations::of((1..=n).map(f64::from)).expect("some");
            assert_eq!(of.quantile_limits(0.5, 0.95), Some((lower, upper)));
        }
        let few = Durations::of((1..=5).map(f64::from)).expect("some");
        assert_eq!(few.quantile_limits(0.5, 0.95), None, "five values have no such limits");
        assert_eq!(few.quantile_limits(0.95, 0.95), None);
        assert_eq!(Durations::of([]), None);
    }

    #[test]
    fn mean_and_quantiles_are_those_of_r() {
        // R: x <- c(3.1, 4.7, 2.2, 9.8, 5.0, 4.4); mean, sd, quantile(x, .9), t.test(x)$conf.int
        let of = Durations::of([3.1, 4.7, 2.2, 9.8, 5.0, 4.4]).expect("some");
        assert!((of.mean() - 29.2 / 6.0).abs() < 1e-12);
        assert!((of.quantile(0.9) - 7.4).abs() < 1e-12 && (of.quantile(0.5) - 4.55).abs() < 1e-12);
        let (lower, upper) = of.mean_limits(0.95).expect("limits");
        let half = 2.570_581_835_636_314 * of.standard_deviation().expect("one") / 6.0_f64.sqrt();
        assert!((upper - lower - 2.0 * half).abs() < 1e-9, "{lower} {upper}");
        assert_eq!(Durations::of([2.0]).expect("one").mean_limits(0.95), None);
    }

    proptest! {
        #[test]
        fn limits_hold_the_quantile_and_the_level(
            values in proptest::collection::vec(0.0..1e6_f64, 1..200), share in 0.01..0.99_f64,
        ) {
            let of = Durations::of(values).expect("some");
            let n = of.count();
            if let Some((lower, upper)) = of.quantile_limits(share, 0.9) {
                prop_assert!(lower <= of.quantile(share) + 1e-9 && of.quantile(share) <= upper + 1e-9);
                let rank = |value: f64| of.sorted.iter().take_while(|v| **v < value).count() as u64 + 1;
                if of.sorted.windows(2).all(|pair| pair[0] < pair[1]) {
                    let covered = 1.0 - binomial_tails(rank(lower) - 1, n, share).0
                        - binomial_tails(rank(upper), n, share).1;
                    prop_assert!(covered >= 0.9 - 1e-12, "{covered}");
                }
            }
        }
    }
}
