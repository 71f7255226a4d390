//! Rendering: a document with every kind of block, whose digest is known, and a study's documents twice.

use std::path::Path;

use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::document::render::Files;
use crate::evidence::bag;
use crate::qualification::Finding;
use crate::report::{self, Formats, qualification};

/// The digest of the specimen as this version renders it.
const KNOWN: &str = include_str!("../../../templates/qualification-specimen.sha256");

/// One digest of files: of the lines `SHA-256  name` in the order of names.
fn of_files(files: &Files) -> String {
    let lines: String =
        files.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect();
    Digest::of(lines.as_bytes()).to_string()
}

/// The digest of the specimen: its page, its figure and its Markdown.
///
/// # Errors
/// When the engine refuses the specimen.
pub fn digest() -> Result<String> {
    Ok(of_files(&qualification::specimen(Formats::WithoutPdf)?))
}

/// Renders the specimen and compares with the digest that is known.
pub fn known() -> Finding {
    let known = KNOWN.trim();
    let expected = format!("HTML, Markdown and figure of the specimen: {known}");
    match digest() {
        Ok(found) => Finding::of(found == known, expected, found),
        Err(error) => Finding::of(false, expected, error.to_string()),
    }
}

/// Renders the documents of a bundle twice, and the specimen as PDF where PDF can be written.
pub fn twice(bundle: &Path) -> Finding {
    let expected = "both times the same bytes, in every format that this build writes";
    let render = || -> Result<Files> {
        let opened = bag::open(bundle)?;
        let source = report::from_bundle(&opened.payload, opened.root)?;
        let mut files = report::render(&source, report::Documents::Report, Formats::All)?.files;
        for (name, bytes) in qualification::specimen(Formats::All)? {
            // The specimen's figure has a name of its own.
            files.insert(name, bytes);
        }
        Ok(files)
    };
    match (render(), render()) {
        (Ok(first), Ok(second)) => {
            let found = format!("{} files, together {}", first.len(), of_files(&first));
            Finding::of(first == second && first.len() > 2, expected, found)
        }
        (Err(error), _) | (_, Err(error)) => Finding::of(false, expected, error.to_string()),
    }
}
