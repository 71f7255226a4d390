//! Readers' files: one row a read.

use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::ReadsSource;
use crate::table::{Table, cell, limited};

/// What a reader said of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// The finding is present.
    Positive,
    /// The finding is absent.
    Negative,
    /// The reader could not tell.
    Indeterminate,
    /// The images could not be read: poor quality, wrong view, nothing to see.
    Uninterpretable,
}

impl Read {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Indeterminate => "indeterminate",
            Self::Uninterpretable => "uninterpretable",
        }
    }
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
    /// When it was given, where the file says so.
    pub time: Option<NaiveDateTime>,
    /// The file it came in.
    pub file: PathBuf,
    /// Its line.
    pub line: u64,
}

/// One row of a table of reads, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'t> {
    /// The case.
    pub case_id: &'t str,
    /// The reader.
    pub reader_id: &'t str,
    /// The answer; `None` for an empty cell.
    pub answer: Option<&'t str>,
    /// Its line.
    pub line: u64,
}

/// The rows of a table of reads, and what is wrong with their ids.
#[derive(Debug)]
pub struct Said<'t> {
    /// Those that name case and reader, in the table's order.
    pub rows: Vec<Cells<'t>>,
    /// The others.
    pub problems: Vec<Diagnostic>,
}

/// Who said what of which case; the columns are those of the case, the reader and the answer.
///
/// # Errors
/// `column-missing`, all at once.
pub fn said<'t>(table: &'t Table, columns: [&str; 3]) -> Result<Said<'t>, Vec<Diagnostic>> {
    let mut missing = Vec::new();
    let places = columns.map(|name| table.required(name).map_err(|p| missing.push(p)).ok());
    if !missing.is_empty() {
        return Err(missing);
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for row in table.rows() {
        let [case_id, reader_id, answer] = places.map(|place| row.get(place));
        for (name, cell) in [(columns[0], case_id), (columns[1], reader_id)] {
            if cell.is_none() {
                let message = format!("the cell `{name}` is empty");
                let hint = "say which case and which reader it is, or remove the row";
                problems
                    .push(Diagnostic::error(Code::ValueMissing, message).at(table.at(row.line)).hint(hint));
            }
        }
        if let (Some(case_id), Some(reader_id)) = (case_id, reader_id) {
            rows.push(Cells { case_id, reader_id, answer, line: row.line });
        }
    }
    Ok(Said { rows, problems })
}

/// Reads a reader file. An empty cell is a missing read and gives no row.
///
/// # Errors
/// Everything wrong at once: missing columns, empty ids, reads with a meaning that was not declared.
pub fn parse(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<Vec<ReadRow>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let Said { rows: said, mut problems } =
        said(&table, [&source.case_column, &source.reader_column, &source.read_column])?;
    let mut rows = Vec::new();
    for Cells { case_id, reader_id, answer, line } in said {
        let Some(text) = answer else { continue };
        let is = |words: &[String]| words.iter().any(|word| cell::is_word(word, text));
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
                    .at(table.at(line))
                    .hint(format!("declared in [reads] are: {}", words.join(", "))),
            );
            continue;
        };
        rows.push(ReadRow {
            case_id: case_id.to_owned(),
            reader_id: reader_id.to_owned(),
            read,
            time: None,
            file: path.to_path_buf(),
            line,
        });
    }
    if problems.is_empty() { Ok(rows) } else { Err(limited(problems, path)) }
}
