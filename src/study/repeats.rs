//! Repeated images of patients with their scores, as `[repeatability]` declares them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Inputs;
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::shared;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::inference::scores::Scores;
use crate::protocol::RepeatabilitySource;
use crate::table::{Table, limited};

/// A scored image.
#[derive(Clone, Debug, PartialEq)]
pub struct RepeatedImage {
    /// The device's score.
    pub score: f64,
    /// The level of each declared condition, in their order.
    pub conditions: Vec<String>,
}

/// What the table of repeated images holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repeats {
    /// Scored images of each patient, in the order of the table.
    pub patients: BTreeMap<String, Vec<RepeatedImage>>,
    /// Images that the device refused.
    pub refused: u64,
}

/// The repeated images; nothing where none are declared.
///
/// # Errors
/// What is wrong in the table, as for a score table; `patient-id-missing` for a row without a patient,
/// `value-empty` for one without a condition; `repeats-too-few` with fewer than two patients who have two
/// scored images; `patient-on-both-sides` where a patient is also one of the development cases or of a
/// training run.
pub fn repeats(inputs: &Inputs) -> Result<Option<Repeats>> {
    let Some(source) = &inputs.protocol.repeatability else { return Ok(None) };
    let path = Path::new(source.file.as_str());
    let bytes = inputs.file(&source.file)?;
    let scored = super::scores_of(inputs, &source.file, &|_| true)?;
    let table = Table::parse(path, &bytes).map_err(Error::Input)?;
    let found = patients(&table, path, source, &inputs.protocol.scores.case_column, &scored)?;
    let repeated = found.patients.values().filter(|images| images.len() > 1).count();
    if repeated < 2 {
        let message = format!(
            "{repeated} of {} patients have two scored images; repeatability needs two such patients at \
             least",
            found.patients.len()
        );
        let hint = "one row an image: the patient's id repeats where there are several";
        return Err(Diagnostic::error(Code::RepeatsTooFew, message)
            .at(Location::file(path))
            .hint(hint)
            .into());
    }
    if let Some(problem) = too_many_levels(&found, &source.conditions) {
        return Err(problem.at(Location::file(path)).into());
    }
    apart_from_development(inputs, source, &found)?;
    Ok(Some(found))
}

fn patients(
    table: &Table,
    path: &Path,
    source: &RepeatabilitySource,
    case_column: &str,
    scored: &Scores,
) -> Result<Repeats> {
    let mut problems = Vec::new();
    let mut column = |name: &str| table.required(name).map_err(|p| problems.push(p)).ok();
    let (case, patient) = (column(case_column), column(&source.patient_column));
    let conditions: Vec<_> = source.conditions.iter().map(|name| (name, column(name))).collect();
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let mut found = Repeats::default();
    for row in table.rows() {
        let Some(score) = row.get(case).and_then(|id| scored.get(id)) else { continue };
        let mut wrong = |code, message: String| {
            problems.push(Diagnostic::error(code, message).at(table.at(row.line)));
        };
        let Some(id) = row.get(patient) else {
            let message = format!("the cell `{}` is empty", source.patient_column);
            wrong(Code::PatientIdMissing, message);
            continue;
        };
        let mut levels = Vec::new();
        for (name, index) in &conditions {
            match row.get(*index) {
                Some(level) => levels.push(level.to_owned()),
                None => wrong(Code::ValueEmpty, format!("the condition `{name}` is empty")),
            }
        }
        match score.score {
            Some(score) => {
                let image = RepeatedImage { score, conditions: levels };
                found.patients.entry(id.to_owned()).or_default().push(image);
            }
            None => found.refused += 1,
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(Error::Input(limited(problems, path))) }
}

/// More levels than this are no condition: each is looked at by itself.
pub const MOST_LEVELS: usize = 50;

/// What is wrong with a column of conditions that has a level for nearly every image.
pub fn too_many_levels(repeats: &Repeats, columns: &[String]) -> Option<Diagnostic> {
    columns.iter().enumerate().find_map(|(place, column)| {
        let levels = repeats.patients.values().flatten().filter_map(|image| image.conditions.get(place));
        let levels: BTreeSet<&String> = levels.collect();
        let message = format!("the condition `{column}` has {} levels, at most {MOST_LEVELS}", levels.len());
        (levels.len() > MOST_LEVELS).then(|| {
            Diagnostic::error(Code::ValueRange, message)
                .hint("a condition is one of few, such as a scanner; leave columns of times and numbers out")
        })
    })
}

/// A device repeats itself better on patients whom it was made from.
fn apart_from_development(inputs: &Inputs, source: &RepeatabilitySource, found: &Repeats) -> Result<()> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    if let Some(development) = &inputs.protocol.data.development
        && inputs.files.contains_key(&development.path)
    {
        known.extend(inputs.case_table(development)?.cases.into_iter().map(|case| case.patient_id.into()));
    }
    for (path, bytes) in &inputs.manifests {
        let path = Path::new("model").join(path.as_str());
        let manifest =
            cases::parse(&path, &bytes.read(), CaseFormat::Cases, &[]).map_err(Error::Input)?.cases;
        known.extend(manifest.into_iter().map(|case| case.patient_id.into()));
    }
    let both: BTreeSet<String> = found.patients.keys().filter(|id| known.contains(*id)).cloned().collect();
    if both.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} patients are in development and among the repeated images: {}",
        both.len(),
        shared::some(&both)
    );
    Err(Diagnostic::error(Code::PatientOnBothSides, message)
        .at(Location::file(source.file.as_str()))
        .hint(
            "repeat images of other patients: on those it was made from a device agrees with itself too \
               well",
        )
        .into())
}
