//! The record of a bundle's signatures: who signed, as what, meaning what, as a document beside the others.

use std::path::Path;

use super::outside::Outside;
use super::report::publish;
use crate::audit::{self, Beside, History, Signatures};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::evidence::bag;
use crate::report::Formats;
use crate::report::signatures;

/// Writes the record of a bundle and of the signatures in a folder, and gives the names of its files.
///
/// # Errors
/// `Error::Evidence` where bundle or signatures are contradicted; `file-missing` where nobody signed.
pub fn write(
    bundle: &Path,
    lying: &Path,
    folder: &Path,
    formats: Formats,
    outside: &Outside<'_>,
) -> Result<Vec<String>> {
    outside.say("verify", &bundle.display().to_string());
    let (found, history) = (Signatures::in_folder(lying)?, History::around(bundle)?);
    let beside = Beside { history: history.as_ref(), signatures: Some(&found), ..Beside::default() };
    let audit = audit::audit(bundle, &beside)?;
    if !audit.holds() {
        return Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()));
    }
    if audit.signatures.is_empty() {
        let problem = Diagnostic::error(Code::FileMissing, "nobody signed: there is nothing to record");
        let hint = "`sequester sign` signs a bundle; --signatures names the folder where they lie elsewhere";
        return Err(problem.at(Location::file(lying)).hint(hint).into());
    }
    let record = audit::record(&bag::open(bundle)?, &audit.signatures)?;
    let files = signatures::render(&record, formats)?;
    publish(&files, folder)?;
    Ok(files.keys().map(ToString::to_string).collect())
}

/// Writes the record again where one lies already: somebody signed since.
///
/// # Errors
/// As [`write`].
pub fn refresh(bundle: &Path, lying: &Path, folder: &Path, outside: &Outside<'_>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let with_pdf = folder.join(format!("{}.pdf", signatures::NAME)).is_file();
    let formats = if with_pdf { Formats::All } else { Formats::WithoutPdf };
    write(bundle, lying, folder, formats, outside).map(|_| ())
}
