//! Sizes of studies whose criterion is a confidence bound, a margin, a width or a calibration, and assurance:
//! power averaged over what is uncertain. Beside [`crate::design`], with its conventions: sizes
//! are real numbers, and every function returns none outside its domain.

pub mod rates;

use crate::design::{AucVariance, Size, auc_bound_power};
use crate::special::{normal_cdf, normal_quantile};

fn inside(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

/// Largest number of cases that is looked for.
const MOST: f64 = 1e9;

/// Smallest size with `power` that the lower limit of the two-sided interval at `level` lies above `goal`
/// when the AUC is `auc`: the inverse of [`auc_bound_power`]. `negatives_per_positive` > 0.
pub fn auc_bound_size(
    variance: AucVariance,
    auc: f64,
    goal: f64,
    negatives_per_positive: f64,
    level: f64,
    power: f64,
) -> Option<Size> {
    let ratio = negatives_per_positive;
    if !(inside(power) && auc > goal && ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    let size = |m: f64| Size { positives: m, negatives: m * ratio };
    let reached = |m: f64| auc_bound_power(variance, auc, goal, size(m), level).map(|p| p >= power);
    smallest_size(1.0_f64.max(1.0 / ratio), reached).map(size)
}

/// Smallest size whose AUC interval at `level` has at most this half width when the AUC is `auc`.
pub fn auc_width_size(
    variance: AucVariance,
    auc: f64,
    negatives_per_positive: f64,
    half_width: f64,
    level: f64,
) -> Option<Size> {
    let ratio = negatives_per_positive;
    if !(inside(auc) && inside(level) && half_width > 0.0 && ratio > 0.0 && ratio.is_finite()) {
        return None;
    }
    let z = normal_quantile(f64::midpoint(1.0, level));
    let size = |m: f64| Size { positives: m, negatives: m * ratio };
    let reached = |m: f64| Some(z * variance.of(auc, m, m * ratio).sqrt() <= half_width);
    smallest_size(1.0_f64.max(1.0 / ratio), reached).map(size)
}

/// Smallest number from `least` on from which something that grows with it is reached, by doubling and
/// bisection. None beyond [`MOST`], and where the question has no answer.
pub(crate) fn smallest_size(least: f64, reached: impl Fn(f64) -> Option<bool>) -> Option<f64> {
    let mut high = least;
    while !reached(high)? {
        high *= 2.0;
        if high > MOST {
            return None;
        }
    }
    let mut low = if high > least { high / 2.0 } else { least };
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if reached(middle)? { high = middle } else { low = middle }
    }
    Some(high)
}

/// A paired comparison of two shares on the same cases, per pair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedShares {
    /// The device alone is right.
    pub device_alone: f64,
    /// The other alone is right.
    pub other_alone: f64,
}

impl PairedShares {
    /// From both shares and the share of pairs in which exactly one is right; none where no table has these.
    pub fn new(device: f64, other: f64, discordant: f64) -> Option<Self> {
        let found = Self {
            device_alone: f64::midpoint(discordant, device - other),
            other_alone: f64::midpoint(discordant, other - device),
        };
        // Both right, and both wrong, are shares as well.
        let both = device - found.device_alone;
        let none = 1.0 - both - discordant;
        let shares = [found.device_alone, found.other_alone, both, none];
        let usable = inside(device) && inside(other) && shares.iter().all(|s| (-1e-12..=1.0).contains(s));
        (usable && discordant > 0.0).then(|| Self {
            device_alone: found.device_alone.max(0.0),
            other_alone: found.other_alone.max(0.0),
        })
    }

    /// The share of discordant pairs of two that err independently of each other.
    pub fn independent(device: f64, other: f64) -> f64 {
        device * (1.0 - other) + other * (1.0 - device)
    }

    /// The device's share less the other's.
    pub fn difference(self) -> f64 {
        self.device_alone - self.other_alone
    }

    /// n times the variance of the difference: as it is, and under the hypothesis that it is −`margin`, where
    /// the table is estimated under that restriction (Tango 1998).
    pub(crate) fn variances(self, margin: f64) -> (f64, f64) {
        let (b, c, null) = (self.device_alone, self.other_alone, -margin);
        let linear = -b - c + (2.0 - b + c) * null;
        let constant = -c * null * (1.0 - null);
        let restricted = ((linear * linear - 8.0 * constant).max(0.0).sqrt() - linear) / 4.0;
        (b + c - (b - c) * (b - c), (2.0 * restricted + null * (1.0 - null)).max(0.0))
    }

    /// Power of Tango's (1998) score test that the device is worse by less than `margin`, with `n` pairs at
    /// one-sided `alpha` (Nam 1997).
    pub fn power(self, margin: f64, n: f64, alpha: f64) -> Option<f64> {
        if !(margin > 0.0 && margin < 1.0 && n >= 1.0 && inside(alpha)) {
            return None;
        }
        let (spread, restricted) = self.variances(margin);
        if spread <= 0.0 {
            return None;
        }
        let reach = n.sqrt() * (self.difference() + margin) + normal_quantile(alpha) * restricted.sqrt();
        Some(normal_cdf(reach / spread.sqrt()))
    }

    /// Pairs with which that test has `power`. None where the device is expected to be worse by the margin or
    /// more.
    pub fn size(self, margin: f64, alpha: f64, power: f64) -> Option<f64> {
        let gain = self.difference() + margin;
        if !(margin > 0.0 && margin < 1.0 && gain > 0.0 && inside(alpha) && inside(power)) {
            return None;
        }
        let (spread, restricted) = self.variances(margin);
        let reach = normal_quantile(1.0 - alpha) * restricted.sqrt() + normal_quantile(power) * spread.sqrt();
        (reach > 0.0).then(|| (reach / gain).powi(2).max(1.0))
    }
}

/// Sizes for a calibration that is known well enough (Riley, Debray, Collins et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CalibrationSize {
    /// Cases for the interval of the ratio of observed to expected.
    pub observed_to_expected: f64,
    /// Cases for the interval of the slope.
    pub slope: f64,
}

/// Cases for which the interval at `level` of the ratio of observed to expected positives is `ratio_width`
/// wide around 1, and that of the calibration slope `slope_width` wide, when the device is well calibrated,
/// its log odds are normal with one spread in each class and its AUC is `auc` > .5.
pub fn calibration_size(
    auc: f64,
    prevalence: f64,
    ratio_width: f64,
    slope_width: f64,
    level: f64,
) -> Option<CalibrationSize> {
    let usable = inside(auc) && auc > 0.5 && inside(prevalence) && inside(level);
    if !(usable && ratio_width > 0.0 && slope_width > 0.0) {
        return None;
    }
    let z = normal_quantile(f64::midpoint(1.0, level));
    // exp(z·SE) − exp(−z·SE) is the width around 1.
    let ratio_error = (ratio_width / 2.0).asinh() / z;
    let observed_to_expected = (1.0 - prevalence) / (prevalence * ratio_error * ratio_error);
    let slope_error = slope_width / (2.0 * z);
    let slope = slope_variance(auc, prevalence)? / (slope_error * slope_error);
    Some(CalibrationSize { observed_to_expected, slope })
}

/// n times the variance of the calibration slope of a well calibrated device: Iα/(Iα·Iβ − Iαβ²), where the
/// entries of the information are means over its log odds (Riley et al. 2021, eq. 5). Log odds that are
/// normal in each class with a common variance s² lie s² apart when they are well calibrated, and their AUC
/// is
/// Φ(s/√2).
fn slope_variance(auc: f64, prevalence: f64) -> Option<f64> {
    let spread = std::f64::consts::SQRT_2 * normal_quantile(auc);
    let middle = (prevalence / (1.0 - prevalence)).ln();
    let shift = spread * spread / 2.0;
    let (mut whole, mut mixed, mut square) = (0.0, 0.0, 0.0);
    // Simpson's rule over ±9 standard deviations of each class.
    const STEPS: usize = 2000;
    let step = 18.0 / STEPS as f64;
    for (share, center) in [(prevalence, middle + shift), (1.0 - prevalence, middle - shift)] {
        for index in 0..=STEPS {
            let weight = match index {
                0 | STEPS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            let x = -9.0 + step * index as f64;
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let log_odds = center + spread * x;
            let p = 1.0 / (1.0 + (-log_odds).exp());
            let information = share * weight * step / 3.0 * density * p * (1.0 - p);
            whole += information;
            mixed += information * log_odds;
            square += information * log_odds * log_odds;
        }
    }
    let determinant = whole * square - mixed * mixed;
    (determinant > 0.0).then_some(whole / determinant)
}

/// What is expected where it is not known for certain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Uncertain {
    /// Every value between both ends as likely as any other.
    Uniform {
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
    },
    /// Most likely `mode`, and linearly less so towards both ends.
    Triangular {
        /// Lowest.
        low: f64,
        /// Most likely.
        mode: f64,
        /// Highest.
        high: f64,
    },
}

impl Uncertain {
    /// The value below which a share `q` lies.
    pub fn quantile(self, q: f64) -> f64 {
        match self {
            Self::Uniform { low, high } => low + q * (high - low),
            Self::Triangular { low, mode, high } => {
                let turn = (mode - low) / (high - low);
                if q < turn {
                    low + (q * (high - low) * (mode - low)).sqrt()
                } else {
                    high - ((1.0 - q) * (high - low) * (high - mode)).sqrt()
                }
            }
        }
    }
}

/// Assurance (O'Hagan, Stevens and Campbell 2005): the power averaged over what is uncertain, by the midpoint
/// rule over quantiles. None where the power of a value is.
pub fn assurance(over: Uncertain, power: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    const POINTS: usize = 400;
    let mut sum = 0.0;
    for index in 0..POINTS {
        sum += power(over.quantile((index as f64 + 0.5) / POINTS as f64))?;
    }
    Some(sum / POINTS as f64)
}

#[cfg(test)]
mod tests;
