//! A whole table in memory.

use std::path::{Path, PathBuf};

use super::problems::limited;
use super::rows::{Columns, Rows};
use super::text::text;
use crate::diagnostic::{Code, Diagnostic, Location};

/// A table in memory: about the size of its text and four bytes a cell.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: Columns,
    /// All cells one after another, trimmed.
    cells: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    /// The line of each row.
    lines: Vec<u64>,
    notes: Vec<Diagnostic>,
}

/// One row with its line in the file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    /// Line, counted from 1.
    pub line: u64,
    table: &'t Table,
    nth: usize,
}

impl<'t> Row<'t> {
    /// The trimmed cell, `None` when the column is absent or the cell is empty.
    pub fn get(&self, column: Option<usize>) -> Option<&'t str> {
        let width = self.table.columns.names().len();
        let index = self.nth * width + column.filter(|c| *c < width)?;
        let end = *self.table.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.table.ends[before] as usize);
        Some(&self.table.cells[start..end]).filter(|text| !text.is_empty())
    }
}

impl Table {
    /// Parses a table; gzip is decompressed first, by its content or by the name's ending `.gz`.
    ///
    /// # Errors
    /// `table-unreadable` for bytes that are no text, what [`Rows::new`] refuses, and `row-length` for each
    /// row with a wrong number of cells.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let text = text(path, bytes)?;
        let mut rows = Rows::new(path, &text)?;
        let columns = rows.columns().clone();
        let (mut cells, mut ends, mut lines) = (String::new(), Vec::new(), Vec::new());
        let mut problems = Vec::new();
        while let Some(row) = rows.next() {
            match row {
                Ok((line, record)) => {
                    for cell in record {
                        cells.push_str(cell.trim());
                        ends.push(u32::try_from(cells.len()).unwrap_or(u32::MAX));
                    }
                    lines.push(line);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if u32::try_from(cells.len()).is_err() {
            problems.push(
                Diagnostic::error(Code::TableUnreadable, "the table holds more than four gigabytes of text")
                    .at(Location::file(path))
                    .hint("give the part that is needed"),
            );
        }
        let table = Self { path: path.to_path_buf(), columns, cells, ends, lines, notes: rows.notes() };
        if problems.is_empty() { Ok(table) } else { Err(limited(problems, path)) }
    }

    /// The rows in file order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.lines.iter().enumerate().map(|(nth, line)| Row { line: *line, table: self, nth })
    }

    /// The header as it stands.
    pub fn header(&self) -> &[String] {
        self.columns.names()
    }

    /// What was read other than as plain CSV in UTF-8: warnings.
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }

    /// Where the column is, if it is there.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.find(name)
    }

    /// Where the column is.
    ///
    /// # Errors
    /// `column-missing` with the columns that are there.
    pub fn required(&self, name: &str) -> Result<usize, Diagnostic> {
        self.columns.required(name)
    }

    /// A place in this table.
    pub fn at(&self, line: u64) -> Location {
        Location::line(&self.path, line)
    }
}
