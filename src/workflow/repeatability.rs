//! Repeated images of patients in a table of their own, without a study: what `sequester metrics
//! repeatability` computes.

use std::path::Path;

use crate::diagnostic::{Code, Error, Location, Result};
use crate::study::estimates::repeatability;
use crate::study::results::{Repeatability, Rules};
use crate::study::{RepeatColumns, RowScore, too_many_levels};
use crate::table::{Table, cell};

/// Where the columns stand, and what is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Column of the patient.
    pub patient: String,
    /// Column of the score: any finite number.
    pub score: String,
    /// Columns of conditions.
    pub conditions: Vec<String>,
    /// Called positive is a score at or above it.
    pub threshold: f64,
    /// Two-sided level.
    pub level: f64,
}

/// Everything of a table of repeated images. A row whose score is empty is an image without one.
///
/// # Errors
/// `column-missing`; `patient-id-missing`, `score-not-a-number` and `value-empty`, each where it stands;
/// `repeats-too-few`.
pub fn of_table(path: &Path, bytes: &[u8], asked: &Asked) -> Result<Repeatability> {
    let table = Table::parse(path, bytes).map_err(Error::Input)?;
    let mut problems = Vec::new();
    let mut column = |name: &str| table.required(name).map_err(|p| problems.push(p)).ok();
    let (patient, score) = (column(&asked.patient), column(&asked.score));
    let conditions = asked.conditions.iter().map(|name| (name.as_str(), column(name))).collect();
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let columns = RepeatColumns { patient: (&asked.patient, patient), conditions };
    let score_in = |text: &str| match cell::number(text) {
        Some(score) => RowScore::Of(score),
        None => {
            let message = format!("`{}` is \"{}\", no number", asked.score, cell::shown(text));
            RowScore::Unreadable(Code::ScoreNotANumber, message)
        }
    };
    let repeats =
        columns.images(&table, path, |row| Some(row.get(score).map_or(RowScore::Refused, score_in)))?;
    if let Some(problem) = too_many_levels(&repeats, &asked.conditions) {
        return Err(problem.at(Location::file(path)).into());
    }
    let found = (repeats.repeated() > 1)
        .then(|| repeatability(&repeats, &asked.conditions, asked.threshold, asked.level, Rules::Current))
        .flatten();
    found.ok_or_else(|| repeats.too_few(path).into())
}
