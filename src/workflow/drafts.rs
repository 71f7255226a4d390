//! Drafts of the documents as DOCX: beside the record, never in its place, and never over what somebody
//! edited.

use std::path::{Path, PathBuf};

use super::outside::Outside;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::document::render::Look;
use crate::evidence::bag;
use crate::report::{Documents, Formats};
use crate::storage;

/// The styles of a study's drafts, in its `templates/` folder.
pub const STYLES: &str = "style.docx";

/// `drafts/<run>` beside `evidence/<run>`.
pub fn drafts_of(bundle: &Path) -> PathBuf {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let run = bundle.file_name().unwrap_or_default();
    study_of(&bundle).join("drafts").join(run)
}

/// The study in whose `evidence/` folder a bundle lies.
fn study_of(bundle: &Path) -> &Path {
    bundle.parent().and_then(Path::parent).unwrap_or(Path::new("."))
}

/// How drafts look: as `template` does, else as the study's own `templates/style.docx`, else as ours.
///
/// # Errors
/// `docx-template`, and when the file cannot be read.
pub fn look(bundle: &Path, template: Option<&Path>) -> Result<Look> {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let own = study_of(&bundle).join("templates").join(STYLES);
    let Some(path) = template.map(Path::to_path_buf).or_else(|| own.is_file().then_some(own)) else {
        return Ok(Look::default());
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Look::of(&name, &storage::read(&path)?)
}

/// Writes the drafts of a bundle into a folder and gives the names of the files.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact; `draft-there` for every draft that is another already,
/// and nothing is written then.
pub fn write(
    bundle: &Path,
    folder: &Path,
    documents: Documents,
    look: Look,
    outside: &Outside<'_>,
) -> Result<Vec<String>> {
    let opened = bag::open(bundle)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    outside.say("report", "rendering the drafts");
    let mut source = crate::report::from_bundle(&opened.payload, opened.root)?;
    source.look = look;
    let files = crate::report::render(&source, documents, Formats::Drafts)?.files;
    let mut problems = Vec::new();
    for (path, bytes) in &files {
        let there = path.below(folder);
        if there.exists() && storage::read(&there)? != *bytes {
            let problem = Diagnostic::error(Code::DraftThere, "a draft is there already, and is another");
            problems.push(problem.at(Location::file(&there)).hint(
                "it was edited, or is of other evidence: keep it elsewhere, or write into another folder \
                 with --out",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    storage::create_folder(folder)?;
    for (path, bytes) in &files {
        storage::write_atomic(&path.below(folder), bytes)?;
    }
    Ok(files.keys().map(ToString::to_string).collect())
}
