//! `[repeatability]`: the device's own precision, from several images of one patient that the device scored
//! as it scores the study's.

use serde::Serialize;

use crate::declared::Section;
use crate::diagnostic::Code;
use crate::digest::RelativePath;

/// Where repeated images and their scores stand. The scores are read as `[scores]` says: the same columns,
/// combined in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepeatabilitySource {
    /// Relative to the data folder.
    pub file: RelativePath,
    /// Column of the patient.
    pub patient_column: String,
    /// Columns of conditions that should make no difference, such as the scanner or who took the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
}

/// Most columns of conditions: each is looked at by itself.
const MOST: usize = 10;

/// `[repeatability]`, where it is; `file` has been read by the caller.
pub(super) fn repeatability(section: Section, file: RelativePath) -> Option<RepeatabilitySource> {
    if !section.is_present() {
        return None;
    }
    let patient_column = section.string("patient_column").unwrap_or_else(|| "patient_id".to_owned());
    let conditions = section.strings("conditions").unwrap_or_default();
    let repeated = |name: &String| conditions.iter().filter(|other| *other == name).count() > 1;
    if conditions.iter().any(|name| repeated(name) || *name == patient_column) {
        let message = "`repeatability.conditions` are columns of their own, each named once";
        section.wrong("conditions", Code::DuplicateId, message);
    }
    if conditions.iter().any(|name| name.trim().is_empty()) {
        section.wrong("conditions", Code::ValueEmpty, "a column of `repeatability.conditions` has no name");
    }
    if conditions.len() > MOST {
        let count = conditions.len();
        let message = format!("`repeatability.conditions` names {count} columns, at most {MOST}");
        section.wrong("conditions", Code::ValueRange, message);
    }
    section.finish();
    Some(RepeatabilitySource { file, patient_column, conditions })
}
