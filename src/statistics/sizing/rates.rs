//! PPV, NPV and F1 at the sampled prevalence before there are data: power and size of a criterion on them,
//! from the sensitivity and specificity that are expected.
//!
//! All three are normal on the logit scale by the delta method: with se, sp and the share p of positive
//! cases, PPV has the odds p·se / ((1−p)(1−sp)), NPV (1−p)·sp / (p(1−se)) (Mercaldo, Lau and Zhou 2007), and
//! F1 2p·se / (p(1−se) + (1−p)(1−sp)), as F = 2·TP / (2·TP + FP + FN) has itself the odds 2·TP / (FP + FN).

use super::smallest_size;
use crate::design::Size;
use crate::special::{logistic, normal_cdf, normal_quantile};

/// What is made from sensitivity, specificity and the share of positive cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Positive predictive value.
    Ppv,
    /// Negative predictive value.
    Npv,
    /// Harmonic mean of sensitivity and PPV.
    F1,
}

/// Sensitivity and specificity as they are expected, with the share of positive cases in the sample; all
/// three in (0, 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedRates {
    /// What is made from them.
    pub measure: Measure,
    /// Share of positive cases.
    pub positives: f64,
    /// Sensitivity.
    pub sensitivity: f64,
    /// Specificity.
    pub specificity: f64,
}

/// Whose share of positive cases is left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    /// That of the sample: cases are taken without regard to their class.
    pub sampled: bool,
    /// That which the interval reckons with, as an interval of a proportion among the calls does, and a
    /// bootstrap of cases.
    pub in_interval: bool,
}

impl ExpectedRates {
    /// The rates that give `value`: of a PPV with this sensitivity, else with this specificity. None where
    /// no other rate in (0, 1) does.
    pub fn with_value(measure: Measure, value: f64, positives: f64, known: f64) -> Option<Self> {
        let p = positives;
        let odds = value / (1.0 - value);
        let (sensitivity, specificity) = match measure {
            Measure::Ppv => (known, 1.0 - p * known / ((1.0 - p) * odds)),
            Measure::Npv => (1.0 - (1.0 - p) * known / (p * odds), known),
            Measure::F1 => (odds * (p + (1.0 - p) * (1.0 - known)) / (p * (2.0 + odds)), known),
        };
        let found = Self { measure, positives, sensitivity, specificity };
        (inside(value) && found.is_one()).then_some(found)
    }

    fn is_one(self) -> bool {
        [self.positives, self.sensitivity, self.specificity].into_iter().all(inside)
    }

    /// FP + FN of F1, per case.
    fn wrong(self) -> f64 {
        let p = self.positives;
        p * (1.0 - self.sensitivity) + (1.0 - p) * (1.0 - self.specificity)
    }

    fn odds(self) -> f64 {
        let (p, se, sp) = (self.positives, self.sensitivity, self.specificity);
        match self.measure {
            Measure::Ppv => p * se / ((1.0 - p) * (1.0 - sp)),
            Measure::Npv => (1.0 - p) * sp / (p * (1.0 - se)),
            Measure::F1 => 2.0 * p * se / self.wrong(),
        }
    }

    /// Its value.
    pub fn value(self) -> f64 {
        let odds = self.odds();
        odds / (1.0 + odds)
    }

    /// Standard error on the logit scale.
    fn logit_se(self, size: Size, by_chance: bool) -> f64 {
        let (p, se, sp) = (self.positives, self.sensitivity, self.specificity);
        // Derivatives of the logit by se, sp and p.
        let [by_se, by_sp, by_p] = match self.measure {
            Measure::Ppv => [1.0 / se, 1.0 / (1.0 - sp), 1.0 / (p * (1.0 - p))],
            Measure::Npv => [1.0 / (1.0 - se), 1.0 / sp, -1.0 / (p * (1.0 - p))],
            Measure::F1 => {
                let wrong = self.wrong();
                [1.0 / se + p / wrong, (1.0 - p) / wrong, 1.0 / p - (sp - se) / wrong]
            }
        };
        let of_share = if by_chance { p * (1.0 - p) / (size.positives + size.negatives) } else { 0.0 };
        let variance = by_se * by_se * se * (1.0 - se) / size.positives
            + by_sp * by_sp * sp * (1.0 - sp) / size.negatives
            + by_p * by_p * of_share;
        variance.sqrt()
    }

    /// Power that the lower limit of the two-sided interval at `level` lies above `goal`. None outside the
    /// domain.
    pub fn power(self, goal: f64, size: Size, level: f64, chance: Chance) -> Option<f64> {
        let cases = size.positives > 0.0 && size.negatives > 0.0;
        if !(self.is_one() && inside(goal) && inside(level) && cases) {
            return None;
        }
        let z = normal_quantile(f64::midpoint(1.0, level));
        let logit = |value: f64| value.ln() - (-value).ln_1p();
        let known = if self.measure == Measure::Ppv { self.sensitivity } else { self.specificity };
        // The smallest estimate that shows it: its own standard error counts, not that of what is expected.
        let shows = |value: f64| {
            let rates = Self::with_value(self.measure, value, self.positives, known)?;
            Some(logit(value) - z * rates.logit_se(size, chance.in_interval) >= logit(goal))
        };
        let (mut low, mut high) = (goal, 1.0 - 1e-12);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            // Below what a PPV or an NPV can be with that rate nothing is shown, above what an F1 can be
            // neither.
            let enough = shows(middle).unwrap_or(self.measure == Measure::F1);
            *(if enough { &mut high } else { &mut low }) = middle;
        }
        if shows(high) != Some(true) {
            return Some(0.0);
        }
        Some(normal_cdf((self.odds().ln() - logit(high)) / self.logit_se(size, chance.sampled)))
    }

    /// Cases, of which the share of positive ones is positive, with which it has this power. None where the
    /// value is not above the goal.
    pub fn size(self, goal: f64, power: f64, level: f64, chance: Chance) -> Option<f64> {
        if !(inside(power) && self.value() > goal) {
            return None;
        }
        let least = 1.0 / self.positives.min(1.0 - self.positives);
        smallest_size(least, |n| Some(self.power(goal, self.of(n), level, chance)? >= power))
    }

    fn of(self, cases: f64) -> Size {
        Size { positives: cases * self.positives, negatives: cases * (1.0 - self.positives) }
    }

    /// The interval that is to be expected.
    pub fn interval(self, size: Size, level: f64, chance: Chance) -> (f64, f64) {
        let half = normal_quantile(f64::midpoint(1.0, level)) * self.logit_se(size, chance.in_interval);
        let centre = self.odds().ln();
        (logistic(centre - half).0, logistic(centre + half).0)
    }
}

fn inside(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::at_prevalence;
    use crate::confusion::Confusion;
    use crate::random::Stream;

    const ALL: [Measure; 3] = [Measure::Ppv, Measure::Npv, Measure::F1];

    fn known(rates: ExpectedRates) -> f64 {
        if rates.measure == Measure::Ppv { rates.sensitivity } else { rates.specificity }
    }

    fn carried(rates: ExpectedRates) -> f64 {
        let of = match rates.measure {
            Measure::Ppv => at_prevalence::ppv,
            Measure::Npv => at_prevalence::npv,
            Measure::F1 => at_prevalence::f1,
        };
        of(rates.sensitivity, rates.specificity, rates.positives).expect("inside")
    }

    proptest! {
        #[test]
        fn rates_and_value_are_the_same_thing(
            se in 0.01..0.99_f64, sp in 0.01..0.99_f64, p in 0.01..0.99_f64, which in 0..3_usize,
        ) {
            let rates = ExpectedRates { measure: ALL[which], positives: p, sensitivity: se, specificity: sp };
            prop_assert!((rates.value() - carried(rates)).abs() < 1e-12);
            let back = ExpectedRates::with_value(ALL[which], rates.value(), p, known(rates)).expect("rates");
            prop_assert!((back.sensitivity - se).abs() < 1e-9 && (back.specificity - sp).abs() < 1e-9);
        }

        #[test]
        fn the_standard_error_is_the_slope_of_the_logit(
            se in 0.05..0.95_f64, sp in 0.05..0.95_f64, p in 0.05..0.95_f64, which in 0..3_usize,
        ) {
            // By differences, a second way to the delta method.
            let logit = |se, sp, positives| {
                let measure = ALL[which];
                ExpectedRates { measure, positives, sensitivity: se, specificity: sp }.odds().ln()
            };
            let step = 1e-6;
            let slope = |high: f64, low: f64| (high - low) / (2.0 * step);
            let [by_se, by_sp, by_p] = [
                slope(logit(se + step, sp, p), logit(se - step, sp, p)),
                slope(logit(se, sp + step, p), logit(se, sp - step, p)),
                slope(logit(se, sp, p + step), logit(se, sp, p - step)),
            ];
            let (m, n) = (300.0 * p, 300.0 * (1.0 - p));
            let fixed = by_se * by_se * se * (1.0 - se) / m + by_sp * by_sp * sp * (1.0 - sp) / n;
            let all = fixed + by_p * by_p * p * (1.0 - p) / 300.0;
            let rates = ExpectedRates { measure: ALL[which], positives: p, sensitivity: se, specificity: sp };
            let size = Size { positives: m, negatives: n };
            prop_assert!((rates.logit_se(size, false) / fixed.sqrt() - 1.0).abs() < 1e-5);
            prop_assert!((rates.logit_se(size, true) / all.sqrt() - 1.0).abs() < 1e-5);
            // Among the calls a predictive value is a proportion like another.
            let calls = match ALL[which] {
                Measure::Ppv => m * se + n * (1.0 - sp),
                Measure::Npv => n * sp + m * (1.0 - se),
                Measure::F1 => return Ok(()),
            };
            let v = rates.value();
            prop_assert!((rates.logit_se(size, true) * (calls * v * (1.0 - v)).sqrt() - 1.0).abs() < 1e-9);
        }

        #[test]
        fn a_size_has_its_power_and_one_case_fewer_has_not(
            se in 0.3..0.95_f64, sp in 0.3..0.95_f64, p in 0.1..0.9_f64, which in 0..3_usize,
            below in 0.05..0.5_f64, sampled: bool, in_interval: bool,
        ) {
            let rates = ExpectedRates { measure: ALL[which], positives: p, sensitivity: se, specificity: sp };
            let goal = rates.value() * (1.0 - below);
            let chance = Chance { sampled, in_interval };
            let n = rates.size(goal, 0.8, 0.95, chance).expect("a size");
            let power = |n: f64| rates.power(goal, rates.of(n), 0.95, chance).expect("a power");
            prop_assert!(power(n) >= 0.8);
            prop_assert!(n <= 1.0 / p.min(1.0 - p) + 1.0 || power(n - 1.0) < 0.8);
            prop_assert_eq!(rates.size(rates.value(), 0.8, 0.95, chance), None);
        }
    }

    /// By simulation: how often the logit interval of a drawn table, with class sizes fixed, lies above the
    /// goal.
    #[test]
    fn the_power_is_that_of_drawn_tables() {
        let (m, n) = (200_u64, 300_u64);
        for measure in [Measure::Ppv, Measure::Npv] {
            let rates = ExpectedRates { measure, positives: 0.4, sensitivity: 0.8, specificity: 0.75 };
            let goal = rates.value() - 0.06;
            let mut stream = Stream::new(20_261_127, 3);
            let mut draw = |of: u64, p: f64| (0..of).filter(|_| stream.unit() < p).count() as u64;
            const RUNS: u32 = 4000;
            let mut shown = 0_u32;
            for _ in 0..RUNS {
                let (tp, tn) = (draw(m, 0.8), draw(n, 0.75));
                let table = Confusion {
                    true_positives: tp,
                    false_negatives: m - tp,
                    false_positives: n - tn,
                    true_negatives: tn,
                };
                let value = match measure {
                    Measure::Ppv => at_prevalence::of_table(&table, 0.4, at_prevalence::ppv),
                    _ => at_prevalence::of_table(&table, 0.4, at_prevalence::npv),
                };
                let se = match measure {
                    Measure::Ppv => at_prevalence::ppv_logit_se(&table),
                    _ => at_prevalence::npv_logit_se(&table),
                };
                let (value, se) = (value.expect("a value"), se.expect("inside"));
                let limits = at_prevalence::logit_limits(value, se, 0.95).expect("limits");
                shown += u32::from(limits.0 > goal);
            }
            let size = Size { positives: m as f64, negatives: n as f64 };
            let chance = Chance { sampled: false, in_interval: false };
            let planned = rates.power(goal, size, 0.95, chance).expect("a power");
            let found = f64::from(shown) / f64::from(RUNS);
            assert!((planned - found).abs() < 0.03, "{measure:?}: {planned} planned, {found} found");
            assert!((0.2..0.95).contains(&planned), "{planned}: a size that tells something");
        }
    }
}
