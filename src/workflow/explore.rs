//! The page to look at the evidence with, from a bundle: its tables of cases and scores are read here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::evidence::{bag, bundle};
use crate::report::explore::{Case, page};
use crate::storage;
use crate::table::Table;

/// Name of the page.
pub const PAGE: &str = "evidence.html";

/// `views/<run>` beside `evidence/<run>`.
pub fn views_of(bundle: &Path) -> PathBuf {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let run = bundle.file_name().unwrap_or_default();
    let study = bundle.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    study.join("views").join(run)
}

/// Writes the page of a bundle.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact, or its tables cannot be read.
pub fn write(bundle: &Path, to: &Path) -> Result<()> {
    let opened = bag::open(bundle)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    let source = crate::report::from_bundle(&opened.payload, opened.root)?;
    let table = |name: &str| {
        let bytes = bundle::file(&opened.payload, name)?;
        Table::parse(&Path::new("data").join(name), bytes).map_err(Error::Evidence)
    };
    let cases = cases(&table("cases.csv")?, &table("scores.csv")?).map_err(Error::Evidence)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        storage::create_folder(folder)?;
    }
    storage::write_atomic(to, page(&source, &cases)?.as_bytes())
}

/// Cases with their scores.
fn cases(listed: &Table, scores: &Table) -> std::result::Result<Vec<Case>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut scored: BTreeMap<String, (Option<f64>, String)> = BTreeMap::new();
    let [id, score] =
        ["case_id", "score"].map(|name| scores.required(name).map_err(|p| problems.push(p)).ok());
    let refused = scores.column("refused");
    for row in scores.rows() {
        let [id, score, refused] = [id, score, refused].map(|place| row.get(place).unwrap_or_default());
        let number = score.parse::<f64>().ok().filter(|number| number.is_finite());
        if number.is_none() && !score.is_empty() {
            let place = Location::line("data/scores.csv", row.line);
            let message = format!("`{score}` is no score");
            problems.push(Diagnostic::error(Code::BundleUnreadable, message).at(place));
        }
        scored.insert(id.to_owned(), (number, refused.to_owned()));
    }
    let places = ["case_id", "patient_id", "status", "excluded_by"]
        .map(|name| listed.required(name).map_err(|p| problems.push(p)).ok());
    let cases = listed
        .rows()
        .map(|row| {
            let [id, patient, status, excluded_by] =
                places.map(|place| row.get(place).unwrap_or_default().to_owned());
            let (score, refused) = scored.get(&id).cloned().unwrap_or_default();
            Case { id, patient, status, excluded_by, score, refused }
        })
        .collect();
    if problems.is_empty() { Ok(cases) } else { Err(problems) }
}
