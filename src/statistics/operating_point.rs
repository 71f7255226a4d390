//! Choosing a threshold on a tuning table. Never on the test set: what calls this says where the
//! table came from.
//!
//! Candidates are the distinct scores of the table, and a case is called positive at or above the
//! threshold. Ties between candidates are resolved so that the result does not depend on the order
//! of cases: each rule states how.

use serde::{Deserialize, Serialize};

use crate::statistics::confusion::Confusion;
use crate::statistics::roc::{groups, score_of};

/// How a threshold is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The greatest sensitivity + specificity − 1; of equals the lowest threshold (more sensitive).
    Youden,
    /// The highest threshold whose sensitivity is at least this, in 0..1 (most specific that suffices).
    Sensitivity(f64),
    /// The lowest threshold whose specificity is at least this, in 0..1 (most sensitive that suffices).
    Specificity(f64),
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Youden => write!(f, "youden"),
            Self::Sensitivity(target) => write!(f, "sensitivity >= {target}"),
            Self::Specificity(target) => write!(f, "specificity >= {target}"),
        }
    }
}

/// A chosen threshold and what it does on the table it was chosen on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// Counts on the table it was chosen on.
    pub table: Confusion,
}

/// Applies a rule to a tuning table (`labels` and finite `scores`, one entry a case). None when a
/// class is empty or when no observed score satisfies the rule.
pub fn choose(rule: Rule, labels: &[bool], scores: &[f64]) -> Option<OperatingPoint> {
    let groups = groups(labels, scores);
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    let n: u64 = groups.iter().map(|g| g.negatives).sum();
    if m == 0 || n == 0 {
        return None;
    }
    let (mut tp, mut fp) = (0, 0);
    let mut best: Option<(i128, OperatingPoint)> = None;
    for g in groups.iter().rev() {
        tp += g.positives;
        fp += g.negatives;
        let table = Confusion {
            true_positives: tp,
            false_negatives: m - tp,
            false_positives: fp,
            true_negatives: n - fp,
        };
        let here = OperatingPoint { threshold: score_of(g.key), table };
        match rule {
            Rule::Youden => {
                let index = i128::from(tp) * i128::from(n) - i128::from(fp) * i128::from(m);
                if best.is_none_or(|(value, _)| index >= value) {
                    best = Some((index, here));
                }
            }
            Rule::Sensitivity(target) => {
                if tp as f64 / m as f64 >= target {
                    return Some(here);
                }
            }
            Rule::Specificity(target) => {
                if (n - fp) as f64 / (n as f64) < target {
                    break;
                }
                best = Some((0, here));
            }
        }
    }
    best.map(|(_, point)| point)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 6] = [false, false, true, false, true, true];
    const SCORES: [f64; 6] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

    fn check(rule: Rule, threshold: Option<f64>) {
        assert_eq!(choose(rule, &LABELS, &SCORES).map(|p| p.threshold), threshold, "{rule}");
    }

    #[test]
    fn rules_pick_the_declared_threshold() {
        check(Rule::Youden, Some(0.3)); // J = 2/3 at 0.3 and at 0.5: the lower one
        check(Rule::Sensitivity(0.6), Some(0.5));
        check(Rule::Sensitivity(0.7), Some(0.3));
        check(Rule::Specificity(1.0), Some(0.5));
        check(Rule::Specificity(0.6), Some(0.3));
        check(Rule::Specificity(0.0), Some(0.1));
    }

    #[test]
    fn a_rule_that_no_score_satisfies_gives_none() {
        assert_eq!(choose(Rule::Specificity(0.9), &[true, false], &[0.2, 0.9]), None);
        assert_eq!(choose(Rule::Youden, &[true, true], &[0.2, 0.9]), None);
    }
}
