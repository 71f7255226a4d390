//! Predictive values of two devices on the same cases, at the prevalence of the sample.

use serde::{Deserialize, Serialize};

use crate::paired_shares::PairedShares;
use crate::proportion::Limits;
use crate::special::{chi_squared_sf, normal_two_sided, z_two_sided};

/// The calls of two devices, by the reference standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCalls {
    /// Positive cases by who calls them positive.
    pub positives: CallTable,
    /// Negative cases by who calls them positive.
    pub negatives: CallTable,
}

/// Cases of one class by the calls of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallTable {
    /// Both call positive.
    pub both: u64,
    /// The first alone.
    pub only_first: u64,
    /// The second alone.
    pub only_second: u64,
    /// Both call negative.
    pub neither: u64,
}

impl CallTable {
    fn all(&self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }
}

/// Which predictive value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictiveValue {
    /// Of positive calls.
    Positive,
    /// Of negative calls.
    Negative,
}

/// A test that two predictive values are equal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PredictiveTest {
    /// χ² with one degree of freedom.
    pub statistic: f64,
    /// Its p value.
    pub p: f64,
}

impl PredictiveTest {
    fn of(statistic: f64) -> Option<Self> {
        statistic.is_finite().then(|| Self { statistic, p: chi_squared_sf(statistic, 1) })
    }
}

/// One predictive value divided by the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelativeValue {
    /// The ratio.
    pub value: f64,
    /// Standard error of its logarithm.
    pub log_se: f64,
}

impl RelativeValue {
    /// Limits on the log scale.
    pub fn limits(&self, level: f64) -> Limits {
        let reach = z_two_sided(level) * self.log_se;
        (self.value * (-reach).exp(), self.value * reach.exp())
    }

    /// Two-sided p value of a ratio of 1; none without spread.
    pub fn p(&self) -> Option<f64> {
        (self.log_se > 0.0).then(|| normal_two_sided(self.value.ln() / self.log_se))
    }
}

/// The cases that count for a predictive value, by who makes the call and whether it is right.
#[derive(Clone, Copy, Debug)]
struct Called {
    /// Called by both: right and all.
    both: [f64; 2],
    /// By the first alone.
    first: [f64; 2],
    /// By the second alone.
    second: [f64; 2],
}

impl PairedCalls {
    /// Counts one case.
    pub fn count(&mut self, label: bool, first: bool, second: bool) {
        let table = if label { &mut self.positives } else { &mut self.negatives };
        *match (first, second) {
            (true, true) => &mut table.both,
            (true, false) => &mut table.only_first,
            (false, true) => &mut table.only_second,
            (false, false) => &mut table.neither,
        } += 1;
    }

    /// All cases.
    pub fn cases(&self) -> u64 {
        self.positives.all() + self.negatives.all()
    }

    /// Positive cases by who is right: the table of the sensitivities.
    pub fn sensitivities(&self) -> PairedShares {
        let CallTable { both, only_first, only_second, neither } = self.positives;
        PairedShares { both, only_first, only_second, neither }
    }

    /// Negative cases by who is right: the table of the specificities.
    pub fn specificities(&self) -> PairedShares {
        let called = self.negatives;
        PairedShares {
            both: called.neither,
            only_first: called.only_second,
            only_second: called.only_first,
            neither: called.both,
        }
    }

    fn called(&self, of: PredictiveValue) -> Called {
        let (right, wrong) = match of {
            PredictiveValue::Positive => (self.positives, self.negatives),
            PredictiveValue::Negative => {
                let turned = |t: CallTable| CallTable {
                    both: t.neither,
                    only_first: t.only_second,
                    only_second: t.only_first,
                    neither: t.both,
                };
                (turned(self.negatives), turned(self.positives))
            }
        };
        let pair = |right: u64, wrong: u64| [right as f64, (right + wrong) as f64];
        Called {
            both: pair(right.both, wrong.both),
            first: pair(right.only_first, wrong.only_first),
            second: pair(right.only_second, wrong.only_second),
        }
    }

    /// Both predictive values; none where one makes no such call.
    pub fn values(&self, of: PredictiveValue) -> Option<[f64; 2]> {
        let called = self.called(of);
        let (first, second) = (called.first(), called.second());
        (first[1] > 0.0 && second[1] > 0.0).then(|| [first[0] / first[1], second[0] / second[1]])
    }

    /// The generalised score test of Leisenring, Alonzo and Pepe (2000). None where a value is, or where no
    /// case contributes.
    pub fn generalised_score(&self, of: PredictiveValue) -> Option<PredictiveTest> {
        self.values(of)?;
        let called = self.called(of);
        let (first, second) = (called.first(), called.second());
        let calls = first[1] + second[1];
        let (mean_first, mean_right) = (first[1] / calls, (first[0] + second[0]) / calls);
        // Of each case: Σ(Z − Z̄) over its calls, once times whether it is right, once times the residual.
        let parts = [
            (called.both, 1.0 - 2.0 * mean_first),
            (called.first, 1.0 - mean_first),
            (called.second, -mean_first),
        ];
        let sum: f64 = parts.iter().map(|([right, _], weight)| right * weight).sum();
        let spread = |([right, all], weight): &([f64; 2], f64)| {
            let residual = |right: f64| (right - mean_right) * weight;
            right * residual(1.0).powi(2) + (all - right) * residual(0.0).powi(2)
        };
        let squares: f64 = parts.iter().map(spread).sum();
        (squares > 0.0).then_some(sum * sum / squares).and_then(PredictiveTest::of)
    }

    /// The weighted generalised score test of Kosinski (2013). None where a value is, or where the difference
    /// has no variance.
    pub fn weighted_score(&self, of: PredictiveValue) -> Option<PredictiveTest> {
        let [first_value, second_value] = self.values(of)?;
        let called = self.called(of);
        let (first, second) = (called.first(), called.second());
        let pooled = (first[0] + second[0]) / (first[1] + second[1]);
        let [right, all] = called.both;
        let together = right * (1.0 - pooled).powi(2) + (all - right) * pooled * pooled;
        let variance = pooled * (1.0 - pooled) * (1.0 / first[1] + 1.0 / second[1])
            - 2.0 * together / (first[1] * second[1]);
        // Nothing but rounding where both make the same calls.
        let scale = pooled * (1.0 - pooled) * (1.0 / first[1] + 1.0 / second[1]);
        let gap = first_value - second_value;
        (variance > 1e-13 * scale && variance > 0.0)
            .then_some(gap * gap / variance)
            .and_then(PredictiveTest::of)
    }

    /// The ratio of both values (Moskowitz and Pepe 2006), by the delta method over the eight cells. None
    /// where one of them is 0 or has no calls.
    pub fn relative(&self, of: PredictiveValue) -> Option<RelativeValue> {
        let [first_value, second_value] = self.values(of)?;
        if first_value == 0.0 || second_value == 0.0 {
            return None;
        }
        let called = self.called(of);
        let (first, second) = (called.first(), called.second());
        // Derivative of the logarithm of the ratio by a cell, times all cases: their mean over cases is 0.
        let gradient = |right: bool, by_first: bool, by_second: bool| {
            let of = |by: bool, side: [f64; 2]| {
                let part = |holds: bool, k: f64| f64::from(u8::from(holds)) / k;
                part(by && right, side[0]) - part(by, side[1])
            };
            of(by_first, first) - of(by_second, second)
        };
        let cell = |[right, all]: [f64; 2], by_first: bool, by_second: bool| {
            right * gradient(true, by_first, by_second).powi(2)
                + (all - right) * gradient(false, by_first, by_second).powi(2)
        };
        let variance = cell(called.both, true, true)
            + cell(called.first, true, false)
            + cell(called.second, false, true);
        Some(RelativeValue { value: first_value / second_value, log_se: variance.max(0.0).sqrt() })
    }
}

impl Called {
    fn first(&self) -> [f64; 2] {
        [self.both[0] + self.first[0], self.both[1] + self.first[1]]
    }

    fn second(&self) -> [f64; 2] {
        [self.both[0] + self.second[0], self.both[1] + self.second[1]]
    }
}
