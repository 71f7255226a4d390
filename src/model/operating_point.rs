//! The threshold that turns a score into a call, chosen on the tuning cases before the test set is opened.
//!
//! Choosing is a rule of the model, not an estimate: nothing here has an interval or reaches a document as a
//! performance figure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::run::TuningScore;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;

/// How the threshold is chosen. A case is positive when its score is at or above it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The score with the largest sensitivity + specificity - 1 on the tuning cases (Youden 1950); of several
    /// the lowest, which has the highest sensitivity.
    Youden,
    /// The highest score at which the sensitivity on the tuning cases is at least this.
    Sensitivity(f64),
    /// The lowest score at which the specificity on the tuning cases is at least this; just above the highest
    /// negative score when no score gives it.
    Specificity(f64),
    /// The lowest expected cost,
    /// `ratio * prevalence * (1 - sensitivity) + (1 - prevalence) * (1 - specificity)` with both taken on the
    /// tuning cases (Metz, Semin Nucl Med 1978); of several thresholds the lowest.
    Cost {
        /// What a missed positive costs, in false alarms. Above 0.
        ratio: f64,
        /// Of the intended use, not of the tuning cases. Between 0 and 1.
        prevalence: f64,
    },
    /// Given beforehand.
    Threshold(f64),
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is not youden, sensitivity=0.9, specificity=0.9, threshold=0.4 (a number in \
                 0..=1 after the `=`) or \
                 cost=20@0.0136 (a missed positive costs as much as 20 false alarms, at a prevalence of \
                 0.0136)"
            )
        };
        if text == "youden" {
            return Ok(Self::Youden);
        }
        let (name, value) = text.split_once('=').ok_or_else(expected)?;
        if name.trim() == "cost" {
            let (ratio, prevalence) = value.split_once('@').ok_or_else(expected)?;
            let [ratio, prevalence] = [ratio, prevalence].map(|text| text.trim().parse::<f64>());
            return match (ratio, prevalence) {
                (Ok(ratio), Ok(prevalence))
                    if ratio > 0.0 && ratio.is_finite() && prevalence > 0.0 && prevalence < 1.0 =>
                {
                    Ok(Self::Cost { ratio, prevalence })
                }
                _ => Err(expected()),
            };
        }
        let value: f64 = value.trim().parse().map_err(|_| expected())?;
        match name.trim() {
            "sensitivity" if value > 0.0 && value <= 1.0 => Ok(Self::Sensitivity(value)),
            "specificity" if value > 0.0 && value <= 1.0 => Ok(Self::Specificity(value)),
            "threshold" if (0.0..=1.0).contains(&value) => Ok(Self::Threshold(value)),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Youden => f.write_str("youden"),
            Self::Sensitivity(value) => write!(f, "sensitivity={value}"),
            Self::Specificity(value) => write!(f, "specificity={value}"),
            Self::Cost { ratio, prevalence } => write!(f, "cost={ratio}@{prevalence}"),
            Self::Threshold(value) => write!(f, "threshold={value}"),
        }
    }
}

impl Rule {
    /// For documents.
    pub fn describe(self) -> String {
        match self {
            Self::Youden => {
                "the largest sensitivity + specificity - 1 on the tuning split (Youden 1950); of several \
                 thresholds the lowest"
                    .to_owned()
            }
            Self::Sensitivity(value) => {
                format!("the highest threshold with a sensitivity of at least {value} on the tuning split")
            }
            Self::Specificity(value) => {
                format!("the lowest threshold with a specificity of at least {value} on the tuning split")
            }
            Self::Cost { ratio, prevalence } => format!(
                "the lowest expected cost on the tuning split, where a missed positive costs as much as \
                 {ratio} false \
                 alarms, at a prevalence of {prevalence}; of several thresholds the lowest"
            ),
            Self::Threshold(value) => format!("fixed beforehand at {value}, not chosen on data"),
        }
    }
}

/// Which data chose the threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Positive at or above. In 0..=1.
    pub threshold: f64,
    /// How it was chosen.
    pub rule: Rule,
    /// On what it was chosen.
    pub provenance: Provenance,
}

/// Chooses the threshold on the tuning cases.
///
/// # Errors
/// `tuning-one-class` when the tuning cases have one class alone.
pub fn choose(rule: Rule, scores: &[TuningScore], scores_sha256: Digest) -> Result<OperatingPoint> {
    let positives = scores.iter().filter(|s| s.label).count();
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(Error::from(Diagnostic::error(
            Code::TuningOneClass,
            format!("the tuning cases are {positives} positive and {negatives} negative; both are needed"),
        )));
    }
    let mut patients: Vec<&str> = scores.iter().map(|s| s.patient_id.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let threshold = match rule {
        Rule::Threshold(value) => value,
        Rule::Youden => youden(scores, positives, negatives),
        Rule::Cost { ratio, prevalence } => {
            // Per positive and per negative case of the tuning split.
            let miss = ratio * prevalence / positives as f64;
            let alarm = (1.0 - prevalence) / negatives as f64;
            at_cost(scores, positives, miss, alarm)
        }
        Rule::Specificity(value) => at_specificity(scores, negatives, value),
        Rule::Sensitivity(value) => at_sensitivity(scores, positives, value),
    };
    let provenance = Provenance {
        split: "tuning".to_owned(),
        cases: scores.len() as u64,
        positives: positives as u64,
        patients: patients.len() as u64,
        scores_sha256,
    };
    Ok(OperatingPoint { threshold, rule, provenance })
}

/// Distinct scores from the highest, each with the positives and the negatives at or above it.
fn steps(scores: &[TuningScore]) -> Vec<(f64, usize, usize)> {
    let mut sorted: Vec<(f64, bool)> = scores.iter().map(|s| (s.score, s.label)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut steps: Vec<(f64, usize, usize)> = Vec::new();
    let (mut positives, mut negatives) = (0, 0);
    for (score, label) in sorted {
        if label {
            positives += 1;
        } else {
            negatives += 1;
        }
        match steps.last_mut() {
            Some(last) if last.0 == score => *last = (score, positives, negatives),
            _ => steps.push((score, positives, negatives)),
        }
    }
    steps
}

/// Of equal costs the last wins: the lowest threshold. Calling nobody positive is a choice as well.
fn at_cost(scores: &[TuningScore], positives: usize, miss: f64, alarm: f64) -> f64 {
    let steps = steps(scores);
    let nobody = steps.first().map_or(1.0, |highest| highest.0.next_up());
    let (mut best, mut lowest) = (nobody, positives as f64 * miss);
    for (threshold, tp, fp) in steps {
        let cost = (positives - tp) as f64 * miss + fp as f64 * alarm;
        if cost <= lowest {
            (best, lowest) = (threshold, cost);
        }
    }
    best
}

/// Compared as whole numbers, so that ties are exact.
fn youden(scores: &[TuningScore], positives: usize, negatives: usize) -> f64 {
    let index = |tp: usize, fp: usize| (tp * negatives) as i128 - (fp * positives) as i128;
    let best = steps(scores).into_iter().max_by(|a, b| {
        // Of equals the last wins: the lowest threshold.
        index(a.1, a.2).cmp(&index(b.1, b.2))
    });
    best.map_or(1.0, |step| step.0)
}

fn at_sensitivity(scores: &[TuningScore], positives: usize, wanted: f64) -> f64 {
    let reached = |step: &(f64, usize, usize)| step.1 as f64 / positives as f64 >= wanted;
    steps(scores).into_iter().find(reached).map_or(0.0, |step| step.0)
}

fn at_specificity(scores: &[TuningScore], negatives: usize, wanted: f64) -> f64 {
    let reached = |step: &(f64, usize, usize)| (negatives - step.2) as f64 / negatives as f64 >= wanted;
    let lowest = steps(scores).into_iter().take_while(reached).last();
    let highest = scores.iter().map(|s| s.score).fold(0.0, f64::max);
    lowest.map_or_else(|| highest.next_up(), |step| step.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rows: &[(f64, bool)]) -> Vec<TuningScore> {
        let row = |(i, &(score, label)): (usize, &(f64, bool))| TuningScore {
            case_id: format!("c{i}"),
            patient_id: format!("p{}", i / 2),
            label,
            score,
        };
        rows.iter().enumerate().map(row).collect()
    }

    fn threshold(rule: &str, rows: &[(f64, bool)]) -> f64 {
        let rule = rule.parse().expect("a rule");
        choose(rule, &scores(rows), Digest::of(b"")).expect("chooses").threshold
    }

    const ROWS: [(f64, bool); 6] =
        [(0.9, true), (0.8, false), (0.7, true), (0.6, true), (0.3, false), (0.1, false)];

    #[test]
    fn youden_takes_the_largest_index_and_of_ties_the_lowest_threshold() {
        // At 0.6: sensitivity 1, specificity 2/3.
        assert_eq!(threshold("youden", &ROWS), 0.6);
        // At 0.8 and at 0.2 the index is one half; the lower has the higher sensitivity.
        assert_eq!(threshold("youden", &[(0.8, true), (0.5, false), (0.2, true), (0.1, false)]), 0.2);
    }

    #[test]
    fn a_wanted_sensitivity_gives_the_highest_threshold_that_reaches_it() {
        assert_eq!(threshold("sensitivity=0.6", &ROWS), 0.7);
        assert_eq!(threshold("sensitivity=0.7", &ROWS), 0.6);
        assert_eq!(threshold("sensitivity=1", &ROWS), 0.6);
        assert_eq!(threshold("sensitivity=0.5", &[(0.5, true), (0.5, false)]), 0.5);
    }

    #[test]
    fn a_wanted_specificity_gives_the_lowest_threshold_that_reaches_it() {
        assert_eq!(threshold("specificity=0.6", &ROWS), 0.6);
        assert_eq!(threshold("specificity=1", &ROWS), 0.9);
        assert_eq!(threshold("specificity=0.3", &ROWS), 0.3);
        assert_eq!(threshold("specificity=1", &[(0.5, false), (0.4, true)]), 0.5_f64.next_up());
    }

    #[test]
    fn a_cost_gives_the_cheapest_threshold_at_the_prevalence_of_use() {
        // Costs at a ratio of 1 and a prevalence of 0.5 are the errors: 0.6 has one false alarm alone.
        assert_eq!(threshold("cost=1@0.5", &ROWS), 0.6);
        // At 1 %, misses cost 0.01 * ratio / 3 each and alarms 0.33: with a ratio of 1 nobody but 0.9 is
        // worth calling.
        assert_eq!(threshold("cost=1@0.01", &ROWS), 0.9);
        assert_eq!(threshold("cost=1@0.01", &[(0.9, false), (0.2, true)]), 0.9_f64.next_up());
        assert_eq!(threshold("cost=1000@0.01", &[(0.9, false), (0.2, true), (0.1, false)]), 0.2);
    }

    #[test]
    fn a_fixed_threshold_is_kept_and_provenance_counts() {
        let point = choose(Rule::Threshold(0.4), &scores(&ROWS), Digest::of(b"x")).expect("chooses");
        assert_eq!(point.threshold, 0.4);
        let provenance = point.provenance;
        assert_eq!((provenance.cases, provenance.positives, provenance.patients), (6, 3, 3));
    }

    #[test]
    fn rules_read_back_as_they_print_and_others_are_refused() {
        for text in ["youden", "sensitivity=0.9", "specificity=0.9", "threshold=0.4", "cost=20@0.0136"] {
            assert_eq!(text.parse::<Rule>().expect("a rule").to_string(), text);
        }
        for text in [
            "",
            "best",
            "threshold",
            "threshold=2",
            "sensitivity=0",
            "threshold=x",
            "youden=1",
            "cost=20",
            "cost=0@0.5",
            "cost=2@1",
        ] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
        assert!(choose(Rule::Youden, &scores(&[(0.5, true)]), Digest::of(b"")).is_err());
    }
}
