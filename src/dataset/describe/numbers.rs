//! A count of a total, and a whole-numbered variable.

use serde::{Deserialize, Serialize};

/// A count of a total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Share {
    /// How many.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// `numerator / denominator`; null when there is nothing to divide by.
    pub value: Option<f64>,
}

impl Share {
    /// A count of a total.
    #[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
    pub fn new(numerator: u64, denominator: u64) -> Self {
        let value = (denominator > 0).then(|| numerator as f64 / denominator as f64);
        Self { numerator, denominator, value }
    }

    pub(super) fn pair(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }
}

/// A whole-numbered variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Numbers {
    /// Recorded values.
    pub n: u64,
    /// Values that are not recorded.
    pub missing: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, with `n − 1`.
    pub sd: Option<f64>,
    /// Smallest.
    pub minimum: Option<u64>,
    /// Quartiles of type 7 (Hyndman and Fan 1996; R's and numpy's default).
    pub quartiles: Option<[f64; 3]>,
    /// Largest.
    pub maximum: Option<u64>,
}

impl Numbers {
    /// Of values in any order.
    #[expect(clippy::cast_precision_loss, reason = "sums of ages are far below 2^53")]
    pub fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let mut missing = 0;
        let mut sorted: Vec<u64> = values
            .filter_map(|value| {
                missing += u64::from(value.is_none());
                value
            })
            .collect();
        sorted.sort_unstable();
        let n = sorted.len() as u64;
        let (Some(&minimum), Some(&maximum)) = (sorted.first(), sorted.last()) else {
            return Self { missing, ..Self::default() };
        };
        // Whole sums: the result does not depend on the order of the rows.
        let sum: u128 = sorted.iter().map(|v| u128::from(*v)).sum();
        let squares: u128 = sorted.iter().map(|v| u128::from(*v) * u128::from(*v)).sum();
        let scatter = u128::from(n) * squares - sum * sum;
        let sd = (n > 1).then(|| (scatter as f64 / (n as f64 * (n - 1) as f64)).sqrt());
        let quantile = |q: f64| {
            let at = q * (sorted.len() - 1) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the slice")]
            let low = at.floor() as usize;
            let a = sorted[low] as f64;
            let b = sorted.get(low + 1).map_or(a, |v| *v as f64);
            a + (at - at.floor()) * (b - a)
        };
        Self {
            n,
            missing,
            mean: Some(sum as f64 / n as f64),
            sd,
            minimum: Some(minimum),
            quartiles: Some([0.25, 0.5, 0.75].map(quantile)),
            maximum: Some(maximum),
        }
    }

    pub(super) fn moments(self) -> (f64, f64) {
        (self.mean.unwrap_or(f64::NAN), self.sd.unwrap_or(f64::NAN))
    }
}
