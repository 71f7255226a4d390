//! Repeated images of patients with their scores: how a table of them is read, in a study as
//! `[repeatability]` declares it, and by `sequester metrics repeatability` without one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Inputs;
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::shared;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::inference::scores::Scores;
use crate::protocol::RepeatabilitySource;
use crate::table::{Row, Table, limited};

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

impl Repeats {
    /// Patients with two scored images or more.
    pub fn repeated(&self) -> usize {
        self.patients.values().filter(|images| images.len() > 1).count()
    }

    /// What is wrong with a table that holds fewer than two such patients.
    pub fn too_few(&self, path: &Path) -> Diagnostic {
        let message = format!(
            "{} of {} patients have two scored images; repeatability needs two such patients at least",
            self.repeated(),
            self.patients.len()
        );
        let hint = "one row an image: the patient's id repeats where there are several";
        Diagnostic::error(Code::RepeatsTooFew, message).at(Location::file(path)).hint(hint)
    }
}

/// What a row says of the score of its image.
#[derive(Clone, Debug)]
pub enum RowScore {
    /// The device gave none.
    Refused,
    /// The score.
    Of(f64),
    /// It cannot be read: why.
    Unreadable(Code, String),
}

/// Where a table of repeated images says whose they are and how they were taken: names of columns with their
/// places.
#[derive(Clone, Debug)]
pub struct RepeatColumns<'a> {
    /// The patient.
    pub patient: (&'a str, Option<usize>),
    /// Conditions, in the order in which they are reported.
    pub conditions: Vec<(&'a str, Option<usize>)>,
}

impl RepeatColumns<'_> {
    /// The images of a table; `score_of` says what a row holds of its score, nothing where it is left out.
    ///
    /// # Errors
    /// `patient-id-missing` for a row without a patient, `value-empty` for one without a condition, and what
    /// `score_of` cannot read, each where it stands.
    pub fn images<'t>(
        &self,
        table: &'t Table,
        path: &Path,
        score_of: impl Fn(Row<'t>) -> Option<RowScore>,
    ) -> Result<Repeats> {
        let mut problems = Vec::new();
        let mut found = Repeats::default();
        for row in table.rows() {
            let Some(score) = score_of(row) else { continue };
            let mut wrong = |code, message: String| {
                problems.push(Diagnostic::error(code, message).at(table.at(row.line)));
            };
            let Some(id) = row.get(self.patient.1) else {
                wrong(Code::PatientIdMissing, format!("the cell `{}` is empty", self.patient.0));
                continue;
            };
            let mut levels = Vec::new();
            for (name, index) in &self.conditions {
                match row.get(*index) {
                    Some(level) => levels.push(level.to_owned()),
                    None => wrong(Code::ValueEmpty, format!("the condition `{name}` is empty")),
                }
            }
            match score {
                RowScore::Refused => found.refused += 1,
                RowScore::Of(score) => {
                    let image = RepeatedImage { score, conditions: levels };
                    found.patients.entry(id.to_owned()).or_default().push(image);
                }
                RowScore::Unreadable(code, message) => wrong(code, message),
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(Error::Input(limited(problems, path))) }
    }
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
    if found.repeated() < 2 {
        return Err(found.too_few(path).into());
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
    let conditions = source.conditions.iter().map(|name| (name.as_str(), column(name))).collect();
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let columns = RepeatColumns { patient: (&source.patient_column, patient), conditions };
    columns.images(table, path, |row| {
        let found = scored.get(row.get(case)?)?;
        Some(found.score.map_or(RowScore::Refused, RowScore::Of))
    })
}

/// More levels than this are no condition: each is looked at by itself.
const MOST_LEVELS: usize = 50;

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
