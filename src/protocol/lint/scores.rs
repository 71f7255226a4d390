//! Scores and the threshold they are compared with.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::OperatingPointSource;

/// Words of a rationale that say that the threshold was found on the cases it is to be judged on.
const THESE: [&str; 12] = [
    "test",
    "testing",
    "study",
    "validation",
    "evaluation",
    "holdout",
    "pivotal",
    "final",
    "this",
    "these",
    "same",
    "our",
];
const CASES: [&str; 16] = [
    "set",
    "sets",
    "dataset",
    "data",
    "cases",
    "case",
    "cohort",
    "sample",
    "samples",
    "split",
    "images",
    "patients",
    "study",
    "scores",
    "population",
    "out",
];
/// Words after which a sentence says that they are other cases.
const OTHERS: [&str; 16] = [
    "not",
    "no",
    "none",
    "never",
    "nobody",
    "without",
    "outside",
    "other",
    "others",
    "separate",
    "separately",
    "disjoint",
    "independent",
    "apart",
    "before",
    "nor",
];

/// The words of a sentence that say that the threshold was found on the cases that it is judged on.
fn found_there(rationale: &str) -> Option<String> {
    let said = rationale.to_lowercase().replace("hold-out", "holdout").replace("held-out", "holdout");
    said.split(['.', ';']).find_map(|sentence| {
        let words: Vec<&str> =
            sentence.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        if words.iter().any(|word| OTHERS.contains(word)) {
            return None;
        }
        let pair = words.windows(2).find(|two| THESE.contains(&two[0]) && CASES.contains(&two[1]))?;
        Some(pair.join(" "))
    })
}

impl Look<'_> {
    pub(super) fn scores(&mut self) {
        let scores = &self.protocol.scores;
        if scores.columns.len() > 1 && !self.places.has("scores.combine") {
            self.asks(
                Code::CombineUndeclared,
                "scores.columns",
                format!(
                    "{} columns become one score by the largest of them, which nobody declared",
                    scores.columns.len()
                ),
                "`combine = \"max\"`, \"mean\" or \"noisy-or\" in [scores] says what was meant",
            );
        }
    }

    pub(super) fn operating_point(&mut self) {
        match &self.protocol.operating_point {
            OperatingPointSource::Tuning { cases, .. } => {
                if self.protocol.data.cases.iter().any(|table| table.path == cases.path) {
                    self.refuses(
                        Code::ThresholdOnTestSet,
                        "operating_point.cases",
                        format!(
                            "the threshold would be chosen on `{}`, the table that the test set is \
                         drawn from",
                            cases.path
                        ),
                        "name a table of scored cases of other patients, or declare a number beforehand",
                    );
                }
            }
            OperatingPointSource::Declared { threshold, rationale } => {
                if let Some(words) = found_there(rationale) {
                    self.asks(
                        Code::ThresholdOnTestSet,
                        "operating_point.rationale",
                        format!(
                            "the rationale of the threshold speaks of the {words}: a threshold that \
                         was found \
                                 on the cases it is judged on looks better than it is"
                        ),
                        "choose it on other patients, and say on which",
                    );
                }
                if *threshold == 0.0 {
                    self.refuses(
                        Code::ThresholdDegenerate,
                        "operating_point.threshold",
                        "a case is positive when its score is at least 0: every case is",
                        "give the threshold at which the device is used",
                    );
                } else if *threshold == 1.0 {
                    self.asks(
                        Code::ThresholdDegenerate,
                        "operating_point.threshold",
                        "a case is positive when its score is 1: hardly any is",
                        "give the threshold at which the device is used",
                    );
                }
            }
            OperatingPointSource::Lock => {}
        }
    }
}
