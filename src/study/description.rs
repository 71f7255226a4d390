//! The data of a study in counts: the cases for development, where the protocol names a table of them, beside
//! the drawn test set. Neither reads nor scores are seen.

use std::path::Path;

use super::{Cohort, Inputs};
use crate::dataset::case::Case;
use crate::dataset::describe::{self, AgeBand, Input, Request, Set};
use crate::diagnostic::{Code, Diagnostic, Result};

/// `description.json`.
pub(super) fn json(inputs: &Inputs, cohort: &Cohort) -> Result<Vec<u8>> {
    let data = &inputs.protocol.data;
    let mut fields = cohort.fields.clone();
    let mut development = Vec::new();
    if let Some(table) = &data.development {
        let read = inputs.case_table(table)?;
        // A column of one side alone is said to be missing on the other.
        fields.extend(read.fields);
        development = read.cases;
    }
    let mut sets = Vec::new();
    if !development.is_empty() {
        sets.push(Set { name: "Development".to_owned(), cases: development.iter().collect::<Vec<&Case>>() });
    }
    sets.push(Set { name: "Test set".to_owned(), cases: cohort.drawn_cases().collect() });
    let mut positive: Vec<String> = Vec::new();
    let tables = || data.cases.iter().chain(&data.development);
    for finding in tables().flat_map(|table| &table.positive_findings) {
        if !positive.contains(finding) {
            positive.push(finding.clone());
        }
    }
    let bands = AgeBand::USUAL.to_vec();
    let request = Request { positive, bands, fields, unlabelled_count: true, whole_first: false };
    let mut description = describe::describe(&sets, &request);
    for table in tables() {
        description
            .inputs
            .push(Input::of(Path::new(table.path.as_str()), inputs.held(&table.path)?.digest()));
    }
    let mut json = serde_json::to_vec_pretty(&description).map_err(|e| {
        Diagnostic::error(Code::ResultsNotFinite, format!("a description cannot be written: {e}"))
    })?;
    json.push(b'\n');
    Ok(json)
}
