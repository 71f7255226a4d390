//! Readers' files: one row a read.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::ReadsSource;
use crate::table::{Table, limited};

/// What a reader said of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// The finding is present.
    Positive,
    /// The finding is absent.
    Negative,
    /// The reader could not tell.
    Indeterminate,
}

/// One read with its place in the readers' files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRow {
    /// The case.
    pub case_id: String,
    /// The reader.
    pub reader_id: String,
    /// The read.
    pub read: Read,
    /// The file it came in.
    pub file: PathBuf,
    /// Its line.
    pub line: u64,
}

/// Reads a reader file. An empty cell is a missing read and gives no row.
///
/// # Errors
/// Everything wrong at once: missing columns, empty ids, reads with a meaning that was not declared.
pub fn parse(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<Vec<ReadRow>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let mut problems = Vec::new();
    let mut column = |name: &str| table.required(name).map_err(|p| problems.push(p)).ok();
    let case = column(&source.case_column);
    let reader = column(&source.reader_column);
    let read = column(&source.read_column);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut rows = Vec::new();
    for row in table.rows() {
        for (name, index) in [(&source.case_column, case), (&source.reader_column, reader)] {
            if row.get(index).is_none() {
                problems.push(
                    Diagnostic::error(Code::ValueMissing, format!("the cell `{name}` is empty"))
                        .at(table.at(row.line)),
                );
            }
        }
        let (Some(case_id), Some(reader_id)) = (row.get(case), row.get(reader)) else { continue };
        let Some(text) = row.get(read) else { continue };
        let is = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        let read = if is(&source.positive) {
            Read::Positive
        } else if is(&source.negative) {
            Read::Negative
        } else if is(&source.indeterminate) {
            Read::Indeterminate
        } else {
            let text: String = text.chars().take(60).collect();
            let words = [&source.positive[..], &source.negative[..], &source.indeterminate[..]].concat();
            problems.push(
                Diagnostic::error(Code::ReadUnknown, format!("the read `{text}` has no declared meaning"))
                    .at(table.at(row.line))
                    .hint(format!("declared in [reads] are: {}", words.join(", "))),
            );
            continue;
        };
        rows.push(ReadRow {
            case_id: case_id.to_owned(),
            reader_id: reader_id.to_owned(),
            read,
            file: path.to_path_buf(),
            line: row.line,
        });
    }
    if problems.is_empty() { Ok(rows) } else { Err(limited(problems, path)) }
}
