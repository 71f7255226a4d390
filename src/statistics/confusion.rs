//! The 2×2 table at a threshold, and every number that is made from it.

use crate::proportion::Limits;
use crate::special::z_two_sided;
use serde::{Deserialize, Serialize};

/// 2x2 counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Confusion {
    /// True positives.
    #[serde(rename = "tp")]
    pub true_positives: u64,
    /// False negatives.
    #[serde(rename = "fn")]
    pub false_negatives: u64,
    /// False positives.
    #[serde(rename = "fp")]
    pub false_positives: u64,
    /// True negatives.
    #[serde(rename = "tn")]
    pub true_negatives: u64,
}

impl Confusion {
    /// Counts at a threshold: a case is called positive when its score is at or above it.
    pub fn at(labels: &[bool], scores: &[f64], threshold: f64) -> Self {
        let mut table = Self::default();
        for (&label, &score) in labels.iter().zip(scores) {
            table.count(label, score >= threshold);
        }
        table
    }

    /// Counts one case.
    pub fn count(&mut self, label: bool, call: bool) {
        match (label, call) {
            (true, true) => self.true_positives += 1,
            (true, false) => self.false_negatives += 1,
            (false, true) => self.false_positives += 1,
            (false, false) => self.true_negatives += 1,
        }
    }

    /// Cases that are positive by the reference standard.
    pub fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Cases that are negative by the reference standard.
    pub fn negatives(&self) -> u64 {
        self.false_positives + self.true_negatives
    }

    /// All cases.
    pub fn total(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// TP / (TP + FN) as counts.
    pub fn sensitivity(&self) -> (u64, u64) {
        (self.true_positives, self.positives())
    }

    /// TN / (TN + FP) as counts.
    pub fn specificity(&self) -> (u64, u64) {
        (self.true_negatives, self.negatives())
    }

    /// TP / (TP + FP) as counts.
    pub fn ppv(&self) -> (u64, u64) {
        (self.true_positives, self.true_positives + self.false_positives)
    }

    /// TN / (TN + FN) as counts.
    pub fn npv(&self) -> (u64, u64) {
        (self.true_negatives, self.true_negatives + self.false_negatives)
    }

    /// (TP + TN) / n as counts.
    pub fn accuracy(&self) -> (u64, u64) {
        (self.true_positives + self.true_negatives, self.total())
    }

    /// (TP + FN) / n as counts.
    pub fn prevalence(&self) -> (u64, u64) {
        (self.positives(), self.total())
    }

    /// F1 = 2TP / (2TP + FP + FN).
    pub fn f1(&self) -> Option<f64> {
        share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// Mean of sensitivity and specificity.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        (m > 0.0 && n > 0.0)
            .then(|| (self.true_positives as f64 * n + self.true_negatives as f64 * m) / (2.0 * m * n))
    }

    /// Sensitivity + specificity − 1 (Youden 1950), in −1..1.
    pub fn youden(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        (m > 0.0 && n > 0.0)
            .then(|| (self.true_positives as f64 * n - self.false_positives as f64 * m) / (m * n))
    }

    /// Matthews correlation coefficient (1975), in −1..1; none when a margin is empty.
    pub fn mcc(&self) -> Option<f64> {
        let [tp, fn_, fp, tn] = self.cells();
        let margins = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        (margins > 0.0).then(|| {
            let root = ((tp + fp) * (tp + fn_)).sqrt() * ((tn + fp) * (tn + fn_)).sqrt();
            (tp * tn - fp * fn_) / root
        })
    }

    /// Cohen's (1960) kappa of calls against the reference standard, in -1..=1.
    pub fn kappa(&self) -> Option<f64> {
        let [tp, fn_, fp, tn] = self.cells();
        let n = tp + fn_ + fp + tn;
        let expected = (tp + fp) * (tp + fn_) + (fn_ + tn) * (fp + tn);
        let room = n * n - expected;
        (n > 0.0 && room > 0.0).then(|| (n * (tp + tn) - expected) / room)
    }

    /// Sensitivity / (1 − specificity); none unless FP > 0 and both classes exist.
    pub fn lr_positive(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        (m > 0.0 && self.false_positives > 0)
            .then(|| self.true_positives as f64 * n / (m * self.false_positives as f64))
    }

    /// (1 − sensitivity) / specificity; none unless TN > 0 and both classes exist.
    pub fn lr_negative(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        (m > 0.0 && self.true_negatives > 0)
            .then(|| self.false_negatives as f64 * n / (m * self.true_negatives as f64))
    }

    /// TP·TN / (FP·FN); none unless FP and FN are both above zero.
    pub fn diagnostic_odds_ratio(&self) -> Option<f64> {
        let [tp, fn_, fp, tn] = self.cells();
        (fp > 0.0 && fn_ > 0.0).then(|| tp * tn / (fp * fn_))
    }

    /// Standard error of ln LR+ (Simel, Samsa and Matchar 1991): √(1/TP − 1/m + 1/FP − 1/n).
    pub fn lr_positive_log_se(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        let [tp, _, fp, _] = self.cells();
        (tp > 0.0 && fp > 0.0)
            .then(|| (self.false_negatives as f64 / (tp * m) + self.true_negatives as f64 / (fp * n)).sqrt())
    }

    /// Standard error of ln LR−: √(1/FN − 1/m + 1/TN − 1/n).
    pub fn lr_negative_log_se(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        let [_, fn_, _, tn] = self.cells();
        (fn_ > 0.0 && tn > 0.0)
            .then(|| (self.true_positives as f64 / (fn_ * m) + self.false_positives as f64 / (tn * n)).sqrt())
    }

    /// Standard error of ln DOR (Woolf 1955): √(1/TP + 1/FP + 1/FN + 1/TN).
    pub fn diagnostic_odds_ratio_log_se(&self) -> Option<f64> {
        let cells = self.cells();
        cells.iter().all(|&c| c > 0.0).then(|| cells.iter().map(|c| 1.0 / c).sum::<f64>().sqrt())
    }

    /// Standard error of Youden's (1950) index and, halved, of balanced accuracy, with m and n fixed: the
    /// root of the sum of two binomial variances.
    pub fn youden_se(&self) -> Option<f64> {
        let (m, n) = (self.positives() as f64, self.negatives() as f64);
        let [tp, fn_, fp, tn] = self.cells();
        (m > 0.0 && n > 0.0).then(|| (tp * fn_ / (m * m * m) + fp * tn / (n * n * n)).sqrt())
    }

    /// [TP, FN, FP, TN] as numbers.
    pub fn cells(&self) -> [f64; 4] {
        [
            self.true_positives as f64,
            self.false_negatives as f64,
            self.false_positives as f64,
            self.true_negatives as f64,
        ]
    }
}

/// k/n, none when n is 0.
pub fn share(k: u64, n: u64) -> Option<f64> {
    (n > 0).then(|| k as f64 / n as f64)
}

/// Interval that is symmetric on the log scale: value·exp(±z·se). `value` > 0.
pub fn log_interval(value: f64, log_se: f64, level: f64) -> Limits {
    let half = z_two_sided(level) * log_se;
    (value * (-half).exp(), value * half.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threshold_belongs_to_the_positive_calls() {
        let table = Confusion::at(&[true, true, false, false], &[0.5, 0.4, 0.5, 0.4], 0.5);
        assert_eq!(table.cells(), [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(table.youden(), Some(0.0));
    }

    #[test]
    fn empty_denominators_give_none_and_never_nan() {
        let table = Confusion::default();
        assert_eq!(table.f1(), None);
        assert_eq!(table.mcc(), None);
        assert_eq!(table.youden(), None);
        assert_eq!(table.lr_positive(), None);
        assert_eq!(table.kappa(), None);
    }
}
