//! From the bytes of a reader's file to answers, one format a platform: [`export`]. Pure: no file, no clock.
//! The bytes are those of the export as it came, so whoever has them derives the same reads again.

mod columns;
mod cvat;
mod dicom_sr;
mod grand_challenge;
pub(crate) mod imrmc;
mod json;
mod label_studio;
mod place;
mod redcap;
mod sniff;
mod v7;

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReadsFormat, ReadsSource};
use crate::reads::export::Export;
use crate::reads::form;
use crate::table::{Sheet, Table, limited, pattern};

pub use place::time;
pub use sniff::{Guess, sniff};

/// What a reader's file says.
///
/// # Errors
/// Everything that is wrong in it, each with its place; what cannot be understood as the declared format is
/// refused with the way out.
pub fn export(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<Export, Vec<Diagnostic>> {
    export_named(path, path, bytes, source)
}

/// The same where the name of another file says who read: of the one that this one corrects.
///
/// # Errors
/// As [`export`].
pub fn export_named(
    path: &Path,
    named: &Path,
    bytes: &[u8],
    source: &ReadsSource,
) -> Result<Export, Vec<Diagnostic>> {
    form::refuse(path, bytes)?;
    let reader = place::reader_of_path(named, source).map_err(|problem| vec![problem])?;
    let reader = reader.as_deref();
    let sheet = Sheet { name: source.sheet.as_deref(), header_row: source.header_row };
    let table = || Table::parse_sheet(path, bytes, &sheet);
    let mut export = match source.format {
        ReadsFormat::Table => columns::long(path, &table()?, source, reader),
        ReadsFormat::Wide => columns::wide(path, &table()?, source, reader),
        ReadsFormat::Redcap => {
            let table = table().map_err(redcap::labels_for_names)?;
            redcap::read(path, &table, source, reader)
        }
        ReadsFormat::LabelStudio => match starts_json(bytes) {
            true => label_studio::json(path, bytes, source, reader),
            false if bytes.starts_with(b"<") => Err(vec![labels_of_a_project(path)]),
            false => label_studio::csv(path, &table()?, source, reader),
        },
        ReadsFormat::Imrmc => imrmc::read(path, bytes, source, reader),
        // JSON from which writers of reports make one.
        ReadsFormat::DicomSr if starts_json(bytes) => {
            let keys = json::text(path, bytes).map(json::first_keys).unwrap_or_default();
            let at = Location::file(path);
            Err(vec![json::another_platform(&keys, at.clone()).unwrap_or_else(|| json::unknown(at))])
        }
        ReadsFormat::DicomSr => dicom_sr::read(path, bytes, source, reader),
        ReadsFormat::Cvat => cvat::read(path, bytes, source, reader),
        ReadsFormat::V7 => v7::read(path, bytes, source, reader),
        ReadsFormat::GrandChallenge => match grand_challenge::is_ground_truth(bytes) {
            true => grand_challenge::ground_truth(path, bytes, source),
            false => grand_challenge::answers(path, &table()?, source, reader),
        },
    }?;
    if source.case_pattern.is_some() {
        cases(path, source, &mut export)?;
    }
    // Where a file is one item, one without an answer is nothing to warn of.
    let of_one = matches!(source.format, ReadsFormat::V7 | ReadsFormat::DicomSr);
    if export.answers.is_empty() && export.given.is_empty() && !of_one {
        let message = "no read stands in this file";
        export.warnings.push(Diagnostic::warning(Code::ReadsNone, message).at(Location::file(path)));
    }
    Ok(export)
}

/// XML where answers are expected: the labels that a project of Label Studio offers.
fn labels_of_a_project(path: &Path) -> Diagnostic {
    let message = "this is XML, such as the labels that a project of Label Studio offers: it holds no reads";
    Diagnostic::error(Code::ExportWithoutReads, message)
        .at(Location::file(path))
        .hint("give the export of the annotations as JSON")
}

/// Whether the text begins as JSON does.
fn starts_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'[' | b'{'))
}

/// The columns of the case and of the reader in a table.
pub fn id_columns(source: &ReadsSource) -> [&str; 2] {
    [
        source.case_column.as_deref().unwrap_or(columns::CASE),
        source.reader_column.as_deref().unwrap_or(columns::READER),
    ]
}

/// The case that a text names; `None` where it does not fit the declared pattern.
pub fn case_of<'t>(text: &'t str, source: &ReadsSource) -> Option<&'t str> {
    match &source.case_pattern {
        Some(declared) => pattern::case_in(declared, text),
        None => Some(text),
    }
}

/// A text that holds no case.
pub fn no_case(text: &str, source: &ReadsSource, at: Location) -> Diagnostic {
    let pattern = source.case_pattern.as_deref().unwrap_or("*");
    let message = format!("`{}` holds no case: it does not fit `{pattern}`", place::short(text));
    Diagnostic::error(Code::CasePattern, message)
        .at(at)
        .hint("`case_pattern` in [reads]: `*` stands for the case, `?` for any sign")
}

/// Puts the case in place of the text that holds it.
fn cases(path: &Path, source: &ReadsSource, export: &mut Export) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for answer in export.answers.iter_mut().chain(&mut export.given) {
        match case_of(&answer.case_id, source) {
            Some(case) => answer.case_id = case.into(),
            None => problems.push(no_case(&answer.case_id, source, answer.at.clone())),
        }
    }
    for none in &mut export.no_reads {
        if let Some(case) = none.case_id.as_deref().and_then(|text| case_of(text, source)) {
            none.case_id = Some(case.to_owned());
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(limited(problems, path)) }
}

#[cfg(test)]
mod tests;
