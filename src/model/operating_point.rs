//! The threshold of a model, chosen on its tuning cases by a rule of `statistics` before the test set is
//! opened.
//!
//! Choosing is a rule of the model, not an estimate: nothing here has an interval or reaches a document as a
//! performance figure.

use serde::{Deserialize, Serialize};

use super::run::TuningScore;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::statistics::operating_point::{self, OperatingPointRule};

/// Which data chose the threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Always `tuning`: never the test set.
    pub split: String,
    /// Cases.
    pub cases: u64,
    /// Positive by source label.
    pub positives: u64,
    /// Patients.
    pub patients: u64,
    /// Digest of the table of scores that were used.
    pub scores_sha256: Digest,
}

/// A threshold with its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Positive at or above. In 0..=1.
    pub threshold: f64,
    /// How it was chosen.
    pub rule: OperatingPointRule,
    /// On what it was chosen.
    pub provenance: Provenance,
}

/// Chooses the threshold on the tuning cases.
///
/// # Errors
/// As [`operating_point::choose`].
pub fn choose(
    rule: OperatingPointRule,
    scores: &[TuningScore],
    scores_sha256: Digest,
) -> Result<OperatingPoint, Diagnostic> {
    let labels: Vec<bool> = scores.iter().map(|s| s.label).collect();
    let values: Vec<f64> = scores.iter().map(|s| s.score).collect();
    let threshold = operating_point::choose(rule, &labels, &values)?.threshold;
    let mut patients: Vec<&str> = scores.iter().map(|s| s.patient_id.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let provenance = Provenance {
        split: "tuning".to_owned(),
        cases: scores.len() as u64,
        positives: labels.iter().filter(|label| **label).count() as u64,
        patients: patients.len() as u64,
        scores_sha256,
    };
    Ok(OperatingPoint { threshold, rule, provenance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn provenance_counts_and_a_rule_that_no_score_satisfies_locks_nothing() {
        let row = |(i, (score, label)): (usize, (f64, bool))| TuningScore {
            case_id: format!("c{i}"),
            patient_id: format!("p{}", i / 2),
            label,
            score,
        };
        let scores: Vec<TuningScore> =
            [(0.9, false), (0.8, true), (0.3, true), (0.1, false)].into_iter().enumerate().map(row).collect();
        let point = choose(OperatingPointRule::Sensitivity(0.5), &scores, Digest::of(b"x")).expect("chooses");
        assert_eq!(point.threshold, 0.8);
        let provenance = point.provenance;
        assert_eq!((provenance.cases, provenance.positives, provenance.patients), (4, 2, 2));
        let refused = choose(OperatingPointRule::Specificity(0.9), &scores, Digest::of(b"x"));
        assert_eq!(refused.expect_err("refused").code, Code::OperatingPoint);
    }
}
