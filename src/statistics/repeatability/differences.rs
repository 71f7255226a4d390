//! Differences of two images of a patient.

use super::t_quantile;
use crate::repeatability::variance::Known;
use crate::special::{chi_squared_sf, z_two_sided};

/// Limits that lie nearer than this, as a share of their size, are one number and what rounding left of it.
const POINT: f64 = 1e-10;

/// Differences of scores, one a patient: their mean and spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Differences {
    /// How many patients.
    pub patients: u64,
    /// Mean difference with its t interval.
    pub mean: Known,
    /// Standard deviation of the differences; none with one patient.
    pub sd: Option<f64>,
    /// Limits of agreement; none with one patient.
    pub agreement: Option<LimitsOfAgreement>,
}

/// Between which a share of differences lies that is the level, where they are normal (Bland and Altman
/// 1986), each with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitsOfAgreement {
    /// Mean less z standard deviations.
    pub lower: Known,
    /// Mean and z standard deviations.
    pub upper: Known,
}

impl Differences {
    /// Without intervals where nothing varies: of differences that are all one value they are points, and a
    /// point says that the difference is known without error.
    #[must_use]
    pub fn without_points(mut self) -> Self {
        let is_spread = |(low, high): (f64, f64)| high - low > POINT * low.abs().max(high.abs());
        if !self.mean.limits.is_some_and(is_spread) {
            self.mean.limits = None;
            if let Some(agreement) = &mut self.agreement {
                (agreement.lower.limits, agreement.upper.limits) = (None, None);
            }
        }
        self
    }

    /// Of differences, one a patient; none without any.
    pub fn of(differences: &[f64], level: f64) -> Option<Self> {
        let n = differences.len();
        if n == 0 {
            return None;
        }
        let mean = differences.iter().sum::<f64>() / n as f64;
        if n < 2 {
            let mean = Known { value: mean, limits: None };
            return Some(Self { patients: 1, mean, sd: None, agreement: None });
        }
        let squares = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
        let sd = (squares / (n as f64 - 1.0)).sqrt();
        let half = t_quantile(level, n) * sd / (n as f64).sqrt();
        Some(Self {
            patients: n as u64,
            mean: Known { value: mean, limits: Some((mean - half, mean + half)) },
            sd: Some(sd),
            agreement: Some(limits_of_agreement(mean, sd, n, half, level)),
        })
    }
}

/// Limits of agreement, with the variance estimates recovery of Zou (2013): the distances of mean and
/// standard deviation to their own limits, squared and added.
fn limits_of_agreement(mean: f64, sd: f64, n: usize, half: f64, level: f64) -> LimitsOfAgreement {
    let z = z_two_sided(level);
    let freedom = n as u64 - 1;
    let tail = (1.0 - level) / 2.0;
    let root = |p: f64| (freedom as f64 / chi_squared_quantile(p, freedom)).sqrt();
    // The standard deviation lies between these, where the differences are normal.
    let (low, high) = (sd * root(1.0 - tail), sd * root(tail));
    let below = half.hypot(z * (high - sd));
    let above = half.hypot(z * (sd - low));
    LimitsOfAgreement {
        lower: Known { value: mean - z * sd, limits: Some((mean - z * sd - below, mean - z * sd + above)) },
        upper: Known { value: mean + z * sd, limits: Some((mean + z * sd - above, mean + z * sd + below)) },
    }
}

/// The x below which a chi-squared variable with `df` degrees of freedom lies with probability `p`, by
/// bisection.
fn chi_squared_quantile(p: f64, df: u64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0 * df as f64 + 10.0);
    while chi_squared_sf(high, df) > 1.0 - p {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        *(if chi_squared_sf(middle, df) > 1.0 - p { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}
