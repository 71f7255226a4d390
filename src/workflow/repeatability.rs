//! Repeated images of patients in a table of their own, without a study: what `sequester metrics
//! repeatability` computes.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::study::estimates::repeatability;
use crate::study::results::Repeatability;
use crate::study::{RepeatedImage, Repeats, too_many_levels};
use crate::table::{Table, cell, limited};

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
    let conditions: Vec<_> = asked.conditions.iter().map(|name| (name, column(name))).collect();
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let mut repeats = Repeats::default();
    for row in table.rows() {
        let mut wrong = |code, message: String| {
            problems.push(Diagnostic::error(code, message).at(table.at(row.line)));
        };
        let Some(id) = row.get(patient) else {
            wrong(Code::PatientIdMissing, format!("the cell `{}` is empty", asked.patient));
            continue;
        };
        let mut levels = Vec::new();
        for (name, index) in &conditions {
            match row.get(*index) {
                Some(level) => levels.push(level.to_owned()),
                None => wrong(Code::ValueEmpty, format!("the condition `{name}` is empty")),
            }
        }
        match row.get(score) {
            None => repeats.refused += 1,
            Some(text) => match cell::number(text) {
                Some(score) => {
                    let image = RepeatedImage { score, conditions: levels };
                    repeats.patients.entry(id.to_owned()).or_default().push(image);
                }
                None => {
                    let shown = cell::shown(text);
                    wrong(Code::ScoreNotANumber, format!("`{}` is \"{shown}\", no number", asked.score));
                }
            },
        }
    }
    if !problems.is_empty() {
        return Err(Error::Input(limited(problems, path)));
    }
    if let Some(problem) = too_many_levels(&repeats, &asked.conditions) {
        return Err(problem.at(Location::file(path)).into());
    }
    let repeated = repeats.patients.values().filter(|images| images.len() > 1).count();
    let found = (repeated > 1)
        .then(|| repeatability(&repeats, &asked.conditions, asked.threshold, asked.level))
        .flatten();
    found.ok_or_else(|| {
        let message = format!(
            "{repeated} of {} patients have two scored images; repeatability needs two such patients at \
             least",
            repeats.patients.len()
        );
        let hint = "one row an image: the patient's id repeats where there are several";
        Diagnostic::error(Code::RepeatsTooFew, message).at(Location::file(path)).hint(hint).into()
    })
}
