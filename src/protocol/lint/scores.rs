//! Scores and the threshold they are compared with.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::OperatingPointSource;

/// Words of a rationale that say that the threshold was found on the cases it is to be judged on.
const FOUND_THERE: [&str; 6] =
    ["test set", "test data", "study data", "these cases", "this study", "validation set"];

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
                let said = rationale.to_lowercase();
                if let Some(words) = FOUND_THERE.iter().find(|words| said.contains(**words)) {
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
