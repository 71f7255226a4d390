//! Reading a CSV table of foreign origin: bytes in, rows with line numbers out, every error located.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Location};

/// At most this many problems of one table are listed; the rest is counted.
pub const LISTED: usize = 50;

/// A table in memory. Column names are as in the header, trimmed, without a byte order mark.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: BTreeMap<String, usize>,
    header: Vec<String>,
    rows: Vec<Row>,
}

/// One row with its line in the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line, counted from 1; the header is line 1.
    pub line: u64,
    cells: csv::StringRecord,
}

impl Row {
    /// The trimmed cell, `None` when the column is absent or the cell is empty.
    pub fn get(&self, column: Option<usize>) -> Option<&str> {
        column.and_then(|index| self.cells.get(index)).map(str::trim).filter(|text| !text.is_empty())
    }
}

impl Table {
    /// Parses CSV; a name that ends in `.gz` is decompressed first.
    ///
    /// # Errors
    /// `table-unreadable` for bytes that are not CSV or not UTF-8, `table-empty` for no header,
    /// `column-duplicate`, and `row-length` for each row with a wrong number of cells.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let inflated;
        let bytes = if path.extension().is_some_and(|e| e == "gz") {
            let mut text = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).map_err(|e| {
                vec![
                    Diagnostic::error("table-unreadable", format!("not a gzip file: {e}"))
                        .at(Location::file(path)),
                ]
            })?;
            inflated = text;
            &inflated[..]
        } else {
            bytes
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let unreadable = |e: &csv::Error| {
            let line = e.position().map(csv::Position::line);
            let location = Location { line, ..Location::file(path) };
            let what = match e.kind() {
                csv::ErrorKind::Utf8 { err, .. } => format!("not UTF-8 text: {err}"),
                _ => e.to_string(),
            };
            Diagnostic::error("table-unreadable", what)
                .at(location)
                .hint("save the table as CSV in UTF-8 with a comma between the cells")
        };
        let header: Vec<String> =
            reader.headers().map_err(|e| vec![unreadable(&e)])?.iter().map(|h| h.trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            return Err(vec![
                Diagnostic::error("table-empty", "the table is empty: there is no header line")
                    .at(Location::file(path))
                    .hint("the first line names the columns, each further line is one row"),
            ]);
        }
        let mut problems = Vec::new();
        let mut columns = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            if !name.is_empty() && columns.insert(name.clone(), index).is_some() {
                problems.push(
                    Diagnostic::error("column-duplicate", format!("the column `{name}` occurs twice"))
                        .at(Location::line(path, 1)),
                );
            }
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let cells = match record {
                Ok(cells) => cells,
                Err(e) => {
                    problems.push(unreadable(&e));
                    break;
                }
            };
            let line = cells.position().map_or(0, csv::Position::line);
            if cells.len() != header.len() {
                problems.push(
                    Diagnostic::error(
                        "row-length",
                        format!("{} cells where the header has {}", cells.len(), header.len()),
                    )
                    .at(Location::line(path, line)),
                );
                continue;
            }
            rows.push(Row { line, cells });
        }
        if problems.is_empty() {
            Ok(Self { path: path.to_path_buf(), columns, header, rows })
        } else {
            Err(limited(problems, path))
        }
    }

    /// The rows in file order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The header as it stands.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Where the column is, if it is there.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// Where the column is.
    ///
    /// # Errors
    /// `column-missing` with the columns that are there.
    pub fn required(&self, name: &str) -> Result<usize, Diagnostic> {
        self.column(name).ok_or_else(|| {
            Diagnostic::error("column-missing", format!("there is no column `{name}`"))
                .at(Location::line(&self.path, 1))
                .hint(format!("the columns are: {}", self.header.join(", ")))
        })
    }

    /// A place in this table.
    pub fn at(&self, line: u64) -> Location {
        Location::line(&self.path, line)
    }
}

/// Keeps the first [`LISTED`] problems and says how many more there are.
pub fn limited(mut problems: Vec<Diagnostic>, path: &Path) -> Vec<Diagnostic> {
    if problems.len() > LISTED {
        let more = problems.len() - LISTED;
        problems.truncate(LISTED);
        problems.push(
            Diagnostic::error("more-problems", format!("and {more} more problems in this file"))
                .at(Location::file(path)),
        );
    }
    problems
}
