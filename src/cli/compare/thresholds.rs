//! At which score each contender calls a case positive: from the command line, its lock, or a rule on its own
//! cases.

use crate::comparison::{Kind, Threshold};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::model::operating_point;
use crate::model::run::TuningScore;
use crate::statistics::operating_point::OperatingPointRule;
use crate::workflow::compare::{Loaded, Shared, unknown};

/// Thresholds from the command line.
pub(super) struct Thresholds {
    all: Option<f64>,
    named: Vec<(String, f64)>,
}

impl Thresholds {
    /// Reads `T` and `NAME=T`.
    ///
    /// # Errors
    /// `option-out-of-range`; a name that no contender has.
    pub fn parse(given: &[String], names: &[String]) -> Result<Self> {
        let mut thresholds = Self { all: None, named: Vec::new() };
        for text in given {
            let (name, number) = match text.rsplit_once('=') {
                Some((name, number)) => (Some(name), number),
                None => (None, text.as_str()),
            };
            let value = number.trim().parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
                let message = format!("--threshold {text}: `{number}` is not a finite number");
                Error::usage(
                    Diagnostic::error(Code::OptionOutOfRange, message).hint("use 0.5 or NAME=0.5, say"),
                )
            })?;
            match name {
                Some(name) if !names.iter().any(|n| n == name) => {
                    return Err(unknown(name, names));
                }
                Some(name) => thresholds.named.push((name.to_owned(), value)),
                None => thresholds.all = Some(value),
            }
        }
        Ok(thresholds)
    }

    fn given(&self, name: &str) -> Option<Threshold> {
        let named = self.named.iter().rev().find(|(n, _)| n == name).map(|(_, value)| *value);
        named.or(self.all).map(|threshold| Threshold {
            threshold,
            rule: "given beforehand".to_owned(),
            provenance: "command line".to_owned(),
            on_these_cases: false,
        })
    }

    /// From the command line, the lock, or by the rule on the contender's own cases.
    ///
    /// # Errors
    /// As [`operating_point::choose`].
    pub fn of(&self, loaded: &Loaded, rule: OperatingPointRule) -> Result<Threshold> {
        if let Some(given) = self.given(&loaded.name) {
            return Ok(given);
        }
        if let Some(point) = &loaded.locked {
            let p = &point.provenance;
            return Ok(Threshold {
                threshold: point.threshold,
                rule: point.rule.describe(),
                provenance: format!("lock; {} split, {} cases, {} positive", p.split, p.cases, p.positives),
                on_these_cases: !matches!(point.rule, OperatingPointRule::Threshold(_)),
            });
        }
        let split = if loaded.kind == Kind::Run { "its tuning split" } else { "its own table" };
        chosen(rule, &loaded.rows, &format!("{split}, {} cases", loaded.rows.len()))
            .map_err(|problem| problem.at(Location::file(&loaded.path)).into())
    }

    /// Of an average, on the compared cases.
    ///
    /// # Errors
    /// As [`operating_point::choose`].
    pub fn of_scores(
        &self,
        name: &str,
        shared: &Shared,
        scores: &[f64],
        rule: OperatingPointRule,
    ) -> Result<Threshold> {
        if let Some(given) = self.given(name) {
            return Ok(given);
        }
        let rows: Vec<TuningScore> = scores
            .iter()
            .zip(&shared.labels)
            .map(|(score, label)| TuningScore {
                case_id: String::new(),
                patient_id: String::new(),
                label: *label,
                score: *score,
            })
            .collect();
        chosen(rule, &rows, &format!("the compared cases, {}", rows.len())).map_err(|mut problem| {
            problem.message = format!("{name}: {}", problem.message);
            problem.into()
        })
    }
}

fn chosen(rule: OperatingPointRule, rows: &[TuningScore], on: &str) -> Result<Threshold, Diagnostic> {
    let point = operating_point::choose(rule, rows, Digest::of(b""))?;
    let fixed = matches!(rule, OperatingPointRule::Threshold(_));
    Ok(Threshold {
        threshold: point.threshold,
        rule: rule.describe().replace("the tuning split", "these cases"),
        provenance: if fixed { "command line".to_owned() } else { on.to_owned() },
        on_these_cases: !fixed,
    })
}
