//! Power and size of a comparison before there are data: two shares of the same cases or of different ones,
//! and two AUCs. By the normal approximation of the test that decides, and of shares exactly as well, as the
//! sum over every table that can come out.

use crate::comparative::aim::Aim;
use crate::comparative::deciding::decide_paired;
use crate::comparative::independent::IndependentShares;
use crate::design::{AucVariance, Size};
use crate::estimate::IntervalMethod;
use crate::metric::Fallback;
use crate::paired_shares::PairedShares as PairedTable;
use crate::sizing::{PairedShares, smallest_size};
use crate::special::{binomial_density, binomial_tails, normal_cdf, normal_quantile};

/// What is to be shown of a difference, and at which one-sided error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// What is to be shown.
    pub aim: Aim,
    /// Without a sign: from 0 for superiority, else above 0; below 1.
    pub margin: f64,
    /// One-sided error in (0, 1).
    pub alpha: f64,
}

impl Claim {
    fn is_one(self) -> bool {
        let least = self.aim == Aim::Superiority && self.margin == 0.0;
        let margin = self.margin > 0.0 && self.margin < 1.0;
        (margin || least) && self.alpha > 0.0 && self.alpha < 1.0
    }

    fn z(self) -> f64 {
        normal_quantile(1.0 - self.alpha)
    }

    /// The difference above which it has to lie.
    pub fn above(self) -> f64 {
        if self.aim == Aim::Superiority { self.margin } else { -self.margin }
    }

    /// Whether a true difference is one that it claims.
    pub fn is_true_of(self, difference: f64) -> bool {
        difference > self.above() && (self.aim != Aim::Equivalence || difference < self.margin)
    }

    /// Probability that it is shown by an estimate that is normal around `difference` with standard error
    /// `se`, where the test against Δ takes the standard error `under(Δ)`.
    fn power(self, difference: f64, se: f64, under: impl Fn(f64) -> f64) -> f64 {
        let se = se.max(f64::MIN_POSITIVE);
        let above = normal_cdf((difference - self.above() - self.z() * under(self.above())) / se);
        if self.aim != Aim::Equivalence {
            return above;
        }
        let below = normal_cdf((self.margin - difference - self.z() * under(self.margin)) / se);
        (above + below - 1.0).max(0.0)
    }

    /// Smallest size from `least` on with this power; none where the claim is not true.
    fn size(self, difference: f64, power: f64, least: f64, of: impl Fn(f64) -> Option<f64>) -> Option<f64> {
        let usable = self.is_one() && self.is_true_of(difference) && power > 0.0 && power < 1.0;
        usable.then(|| smallest_size(least, |n| Some(of(n)? >= power)))?
    }
}

impl PairedShares {
    /// Power of Tango's (1998) score tests of a claim about the device less the other, with `n` pairs (Nam
    /// 1997; with a margin of 0 that of McNemar's test, Connor 1987). None outside the domain.
    pub fn power_of(self, claim: Claim, n: f64) -> Option<f64> {
        if !(claim.is_one() && n >= 1.0) {
            return None;
        }
        let (spread, _) = self.variances(0.0);
        let under = |null: f64| (self.variances(-null).1 / n).sqrt();
        Some(claim.power(self.difference(), (spread / n).sqrt(), under))
    }

    /// Pairs with which those tests have `power`. None where the claim is not true of these shares.
    pub fn size_of(self, claim: Claim, power: f64) -> Option<f64> {
        claim.size(self.difference(), power, 1.0, |n| self.power_of(claim, n))
    }

    /// Standard error of the difference of `n` pairs.
    pub fn standard_error(self, n: f64) -> f64 {
        (self.variances(0.0).0 / n).max(0.0).sqrt()
    }

    /// The exact probability that the claim is shown with `n` pairs by what decides: Tango's interval, and
    /// the exact one where hardly a pair is discordant. Discordant pairs are binomial, and so are those of
    /// them in which the device alone is right. None outside the domain, and above [`MOST_EXACT`] pairs.
    pub fn exact_power_of(self, claim: Claim, n: u64) -> Option<f64> {
        if !(claim.is_one() && (1..=MOST_EXACT).contains(&n)) {
            return None;
        }
        let (level, z) = (1.0 - 2.0 * claim.alpha, claim.z());
        let table =
            |b: u64, c: u64| PairedTable { both: n - b - c, only_first: b, only_second: c, neither: 0 };
        // With so few discordant pairs another interval may stand in.
        let limits = |b: u64, c: u64| {
            let decides =
                decide_paired(&table(b, c), IntervalMethod::Tango, level, Fallback::EffectiveNumber);
            decides.interval.map(|i| (i.lower, i.upper))
        };
        let shows = |b: u64, c: u64, null: f64, above: bool| {
            if b + c <= 1 {
                return limits(b, c).is_some_and(|(low, high)| if above { low > null } else { high < null });
            }
            table(b, c).tango_z(null).is_some_and(|found| if above { found > z } else { found < -z })
        };
        let discordant = (self.device_alone + self.other_alone).min(1.0);
        let device = self.device_alone / discordant;
        let of = |pairs: u64| {
            let low = first(pairs + 1, |b| shows(b, pairs - b, claim.above(), true));
            let end = match claim.aim {
                Aim::Equivalence => first(pairs + 1, |b| !shows(b, pairs - b, claim.margin, false)),
                _ => pairs + 1,
            };
            if low < end { at_least(low, pairs, device) - at_least(end, pairs, device) } else { 0.0 }
        };
        Some(sum(n, discordant, of))
    }
}

/// Largest number of cases whose tables are summed.
pub const MOST_EXACT: u64 = 100_000;

/// Two shares of different cases as they are expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedShares {
    /// Of the device, in (0, 1).
    pub device: f64,
    /// Of the other, in (0, 1).
    pub other: f64,
}

impl ExpectedShares {
    fn is_one(self, cases: [f64; 2]) -> bool {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        inside(self.device) && inside(self.other) && cases.iter().all(|n| *n >= 1.0 && n.is_finite())
    }

    /// Standard error of the difference.
    pub fn standard_error(self, [m, n]: [f64; 2]) -> f64 {
        (self.device * (1.0 - self.device) / m + self.other * (1.0 - self.other) / n).sqrt()
    }

    /// The same with the shares that are most likely where the difference is `null` (Farrington and Manning
    /// 1990): the root of the score, which falls.
    fn under(self, null: f64, [m, n]: [f64; 2]) -> f64 {
        let score = |q: f64| {
            let p = q + null;
            n * (self.other / q - (1.0 - self.other) / (1.0 - q))
                + m * (self.device / p - (1.0 - self.device) / (1.0 - p))
        };
        let (mut low, mut high) = ((-null).max(0.0), (1.0 - null).min(1.0));
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            *(if score(middle) > 0.0 { &mut low } else { &mut high }) = middle;
        }
        let q = f64::midpoint(low, high);
        let p = (q + null).clamp(0.0, 1.0);
        (p * (1.0 - p) / m + q * (1.0 - q) / n).max(0.0).sqrt()
    }

    /// Power of the score tests of a claim with so many cases of the device and of the other (Farrington and
    /// Manning 1990). None outside the domain.
    pub fn power_of(self, claim: Claim, cases: [f64; 2]) -> Option<f64> {
        if !(claim.is_one() && self.is_one(cases)) {
            return None;
        }
        let se = self.standard_error(cases);
        Some(claim.power(self.device - self.other, se, |null| self.under(null, cases)))
    }

    /// Cases of the device with which those tests have `power`, where the other has `ratio` times as many.
    pub fn size_of(self, claim: Claim, ratio: f64, power: f64) -> Option<f64> {
        if !(ratio > 0.0 && ratio.is_finite()) {
            return None;
        }
        let of = |m: f64| self.power_of(claim, [m, m * ratio]);
        claim.size(self.device - self.other, power, fewest(ratio), of)
    }

    /// The exact probability that the claim is shown by the score interval of Miettinen and Nurminen (1985).
    /// None outside the domain, and above 10 000 cases of either.
    pub fn exact_power_of(self, claim: Claim, [m, n]: [u64; 2]) -> Option<f64> {
        const MOST: u64 = 10_000;
        if !(claim.is_one() && self.is_one([m as f64, n as f64]) && m.max(n) <= MOST) {
            return None;
        }
        let z = claim.z();
        let shows = |x: u64, y: u64, null: f64, above: bool| {
            let found = IndependentShares::new([x, m], [y, n]).and_then(|s| s.score_z(null, true));
            found.is_some_and(|found| if above { found > z } else { found < -z })
        };
        let of = |y: u64| {
            let low = first(m + 1, |x| shows(x, y, claim.above(), true));
            let end = match claim.aim {
                Aim::Equivalence => first(m + 1, |x| !shows(x, y, claim.margin, false)),
                _ => m + 1,
            };
            if low < end { at_least(low, m, self.device) - at_least(end, m, self.device) } else { 0.0 }
        };
        Some(sum(n, self.other, of))
    }
}

/// Two AUCs as they are expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedAreas {
    /// Of the device, in (0, 1).
    pub device: f64,
    /// Of the other, in (0, 1).
    pub other: f64,
    /// Correlation of the two estimates, from 0 to below 1; 0 of different cases (Hanley and McNeil 1983).
    pub correlation: f64,
}

impl ExpectedAreas {
    /// Standard error of the difference with the variance of Hanley and McNeil (1982). None outside the
    /// domain.
    pub fn standard_error(self, [of_device, of_other]: [Size; 2]) -> Option<f64> {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        let size = |size: Size| size.positives >= 1.0 && size.negatives >= 1.0;
        let usable = inside(self.device) && inside(self.other) && (0.0..1.0).contains(&self.correlation);
        if !(usable && size(of_device) && size(of_other)) {
            return None;
        }
        let variance =
            |auc: f64, size: Size| AucVariance::HanleyMcneil.of(auc, size.positives, size.negatives);
        let (v, w) = (variance(self.device, of_device), variance(self.other, of_other));
        Some((v + w - 2.0 * self.correlation * (v * w).sqrt()).max(0.0).sqrt())
    }

    /// Power of the tests of a claim by the difference and its standard error. None outside the domain.
    pub fn power_of(self, claim: Claim, sizes: [Size; 2]) -> Option<f64> {
        let se = self.standard_error(sizes).filter(|_| claim.is_one())?;
        Some(claim.power(self.device - self.other, se, |_| se))
    }

    /// Size of each with `power`, where both have as many and `ratio` negative cases for each positive one.
    pub fn size_of(self, claim: Claim, ratio: f64, power: f64) -> Option<Size> {
        if !(ratio > 0.0 && ratio.is_finite()) {
            return None;
        }
        let size = |m: f64| Size { positives: m, negatives: m * ratio };
        let of = |m: f64| self.power_of(claim, [size(m); 2]);
        claim.size(self.device - self.other, power, fewest(ratio), of).map(size)
    }
}

/// The fewest whole cases of the one of which the other has one at least: 1 / `ratio` itself can be a hair
/// too few.
fn fewest(ratio: f64) -> f64 {
    let cases = (1.0 / ratio).ceil().max(1.0);
    if cases * ratio < 1.0 { cases + 1.0 } else { cases }
}

/// The first of 0..`end` at which something holds that holds from there on; `end` where nowhere.
fn first(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The mean over counts of `n` that occur with a share `p`, but for some that are rarer than 1 of 10¹⁵
/// together.
fn sum(n: u64, p: f64, of: impl Fn(u64) -> f64) -> f64 {
    let (mean, reach) = (n as f64 * p, 9.0 * (n as f64 * p * (1.0 - p)).max(0.0).sqrt() + 40.0);
    let counts = (mean - reach).max(0.0) as u64..=((mean + reach) as u64).min(n);
    counts.map(|k| binomial_density(k as f64, n as f64, p, 1.0 - p) * of(k)).sum::<f64>().clamp(0.0, 1.0)
}

/// Probability of at least `k` of `n`.
fn at_least(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        k if k > n || p <= 0.0 => 0.0,
        _ if p >= 1.0 => 1.0,
        k => binomial_tails(k, n, p).1,
    }
}

#[cfg(test)]
mod tests;
