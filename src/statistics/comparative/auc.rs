//! The difference of two AUCs of the same cases as a statistic that can be tested against a margin.

use crate::auc::paired;
use crate::proportion::Limits;
use crate::special::z_two_sided;

/// The AUC of the first scores less that of the second, with its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AucDifference {
    /// AUC of the first and of the second.
    pub values: [f64; 2],
    /// First less second.
    pub difference: f64,
    /// DeLong's variance (1988), or Obuchowski's (1997) where patients are given; none where it cannot be
    /// estimated.
    pub variance: Option<f64>,
}

impl AucDifference {
    /// Of two scores of the same cases; `patients` has one id a case. None where a class is empty.
    pub fn of(labels: &[bool], first: &[f64], second: &[f64], patients: Option<&[u32]>) -> Option<Self> {
        let found = paired(labels, first, second, patients)?;
        Some(Self {
            values: [found.auc_a, found.auc_b],
            difference: found.difference,
            variance: found.difference_variance,
        })
    }

    /// The standard error; none where the scores differ by no case, or the estimate is negative.
    pub fn se(&self) -> Option<f64> {
        self.variance.filter(|v| *v > 0.0).map(f64::sqrt)
    }

    /// The statistic of the hypothesis that the difference is Δ.
    pub fn z(&self, delta: f64) -> Option<f64> {
        self.se().map(|se| (self.difference - delta) / se)
    }

    /// Symmetric limits, not clipped.
    pub fn limits(&self, level: f64) -> Option<Limits> {
        let half = z_two_sided(level) * self.se()?;
        Some((self.difference - half, self.difference + half))
    }
}
