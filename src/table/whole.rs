//! A whole table in memory.

use std::path::Path;
use std::sync::Arc;

use super::problems::limited;
use super::rows::{Columns, Rows};
use super::source::Source;
use super::text::text;
use super::workbook::{CellKind, Grid, Sheet, is_workbook, sheet};
use crate::diagnostic::{Code, Diagnostic, Location};

/// Rows of one part of a table that is read in parts.
const PART: usize = 1 << 15;

/// A table in memory: about the size of its text and four bytes a cell.
#[derive(Clone, Debug)]
pub struct Table {
    path: Arc<Path>,
    columns: Columns,
    /// All cells one after another, trimmed.
    cells: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    /// The line of each row.
    lines: Vec<u64>,
    notes: Vec<Diagnostic>,
    /// Of each cell of a workbook; empty for a text.
    kinds: Vec<CellKind>,
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

    /// What the cell is taken for.
    pub fn kind(&self, column: usize) -> CellKind {
        let width = self.table.columns.names().len();
        self.table.kinds.get(self.nth * width + column).copied().unwrap_or(CellKind::Text)
    }
}

impl Table {
    /// Parses a table; gzip is decompressed first, by its content or by the name's ending `.gz`. Of a
    /// workbook it is the only sheet.
    ///
    /// # Errors
    /// `table-unreadable` for bytes that are no text, what [`Rows::new`] refuses, and `row-length` for each
    /// row with a wrong number of cells; of a workbook those of [`Table::parse_sheet`].
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        if is_workbook(bytes) {
            Self::parse_sheet(path, bytes, &Sheet::default())
        } else {
            Self::of_text(path, bytes, 1)
        }
    }

    /// Parses a table, of a workbook the named sheet, with its columns named in the given row.
    ///
    /// # Errors
    /// As [`Table::parse`]; `workbook-unreadable`, `workbook-sheet` where it is open which sheet is meant,
    /// `workbook-header` for a sheet with a title above its columns' names, `workbook-formula` for formulas
    /// that nobody computed. A sheet's name, and a text: `workbook-sheet`; a header row that the text does
    /// not
    /// have: `table-header`.
    pub fn parse_sheet(path: &Path, bytes: &[u8], wanted: &Sheet<'_>) -> Result<Self, Vec<Diagnostic>> {
        if is_workbook(bytes) {
            return Self::of_grid(path, sheet(path, bytes, wanted)?);
        }
        if wanted.name.is_some() {
            let message = "a sheet is declared, and this is no workbook";
            return Err(vec![
                Diagnostic::error(Code::WorkbookSheet, message)
                    .at(Location::file(path))
                    .hint("give the XLSX file, or remove `sheet`"),
            ]);
        }
        Self::of_text(path, bytes, wanted.header_row.unwrap_or(1))
    }

    /// The cells of a sheet as a table; a row's line is its number.
    fn of_grid(path: &Path, grid: Grid) -> Result<Self, Vec<Diagnostic>> {
        let columns = Columns::new(path, grid.names, grid.header_row)?;
        let width = columns.names().len();
        let (mut cells, mut ends, mut kinds, mut lines) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        for (line, row) in grid.rows {
            let mut filled = row.into_iter().peekable();
            for column in 0..width {
                let cell = filled.next_if(|(at, ..)| *at == column);
                kinds.push(cell.as_ref().map_or(CellKind::Text, |(_, kind, _)| *kind));
                cells.push_str(cell.as_ref().map_or("", |(.., text)| text.trim()));
                ends.push(u32::try_from(cells.len()).unwrap_or(u32::MAX));
            }
            lines.push(line);
        }
        if u32::try_from(cells.len()).is_err() {
            return Err(vec![
                Diagnostic::error(Code::TableUnreadable, "the sheet holds more than four gigabytes of text")
                    .at(Location::file(path)),
            ]);
        }
        Ok(Self { path: path.into(), columns, cells, ends, lines, notes: grid.notes, kinds })
    }

    /// Parses a table in parts of very many rows, each given to `of` and then forgotten: beside what is made
    /// of it a large table is never in memory as a whole. `of` is asked once at least. Gives the table
    /// without its rows.
    ///
    /// # Errors
    /// As [`Table::parse`], and where the table is none of these what `of` says first.
    pub fn parse_in_parts<'s>(
        path: &Path,
        bytes: impl Into<Source<'s>>,
        of: impl FnMut(&Self) -> Result<(), Vec<Diagnostic>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let source = bytes.into();
        match source.pieces() {
            Some(pieces) => Self::of_pieces(PART, path, pieces, of),
            None => Self::in_parts_of(PART, path, &source.whole(), of),
        }
    }

    pub(super) fn in_parts_of(
        most: usize,
        path: &Path,
        bytes: &[u8],
        mut of: impl FnMut(&Self) -> Result<(), Vec<Diagnostic>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        if is_workbook(bytes) {
            let mut table = Self::parse(path, bytes)?;
            of(&table).map_err(|problems| limited(problems, path))?;
            table.forget();
            return Ok(table);
        }
        let text = text(path, bytes)?;
        let mut rows = Rows::new(path, &text)?;
        let mut parts = Parts::new(most, Self::without_rows(path, rows.columns().clone()));
        parts.take(&mut rows, &mut of);
        parts.end(path, rows, &mut of)
    }

    /// The same of a text that comes in pieces of whole lines, none of which holds a quote.
    pub(super) fn of_pieces(
        most: usize,
        path: &Path,
        mut pieces: impl Iterator<Item = String>,
        mut of: impl FnMut(&Self) -> Result<(), Vec<Diagnostic>>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let first = pieces.next().unwrap_or_default();
        let first = text(path, first.as_bytes())?;
        let mut rows = Rows::new(path, &first)?;
        let mut parts = Parts::new(most, Self::without_rows(path, rows.columns().clone()));
        parts.take(&mut rows, &mut of);
        let mut ended = rows.ended();
        for piece in pieces {
            let mut rows = Rows::resumed(path, &piece, ended);
            parts.take(&mut rows, &mut of);
            ended = rows.ended();
        }
        parts.end(path, Rows::resumed(path, "", ended), &mut of)
    }

    fn of_text(path: &Path, bytes: &[u8], header_row: u64) -> Result<Self, Vec<Diagnostic>> {
        let text = text(path, bytes)?;
        let mut rows = Rows::below(path, &text, header_row)?;
        let mut table = Self::without_rows(path, rows.columns().clone());
        let problems = table.fill(&mut rows, usize::MAX);
        table.notes = rows.notes();
        if problems.is_empty() { Ok(table) } else { Err(limited(problems, path)) }
    }

    fn without_rows(path: &Path, columns: Columns) -> Self {
        let (cells, ends, lines) = (String::new(), Vec::new(), Vec::new());
        Self { path: path.into(), columns, cells, ends, lines, notes: Vec::new(), kinds: Vec::new() }
    }

    fn forget(&mut self) {
        self.cells.clear();
        self.ends.clear();
        self.lines.clear();
        self.kinds.clear();
    }

    /// Takes further rows until it has so many, and says what is wrong with those that it does not take.
    fn fill(&mut self, rows: &mut Rows<'_>, most: usize) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        while self.lines.len() < most
            && let Some(row) = rows.next()
        {
            match row {
                Ok((line, record)) => {
                    for cell in record {
                        self.cells.push_str(cell.trim());
                        self.ends.push(u32::try_from(self.cells.len()).unwrap_or(u32::MAX));
                    }
                    self.lines.push(line);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if u32::try_from(self.cells.len()).is_err() {
            problems.push(
                Diagnostic::error(Code::TableUnreadable, "the table holds more than four gigabytes of text")
                    .at(Location::file(&*self.path))
                    .hint("give the part that is needed"),
            );
        }
        problems
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

    /// Whether it came from a workbook, where cells have a kind.
    pub fn is_typed(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// A place in this table.
    pub fn at(&self, line: u64) -> Location {
        Location { path: self.path.clone(), line: Some(line), column: None }
    }

    /// What is to be said of a cell that cannot be read, and why.
    pub fn unreadable(&self, column: &str, value: &str, why: &str, line: u64) -> Diagnostic {
        let value: String = value.chars().take(60).collect();
        Diagnostic::error(Code::ValueUnreadable, format!("`{value}` in column `{column}`: {why}"))
            .at(self.at(line))
    }
}

/// A table that is given away part by part.
struct Parts {
    most: usize,
    part: Table,
    problems: Vec<Diagnostic>,
    said: Result<(), Vec<Diagnostic>>,
}

impl Parts {
    fn new(most: usize, part: Table) -> Self {
        Self { most, part, problems: Vec::new(), said: Ok(()) }
    }

    /// All rows of a text; what does not fill a part waits for the next.
    fn take(&mut self, rows: &mut Rows<'_>, of: &mut impl FnMut(&Table) -> Result<(), Vec<Diagnostic>>) {
        loop {
            self.problems.extend(self.part.fill(rows, self.most));
            if self.part.lines.len() < self.most {
                return;
            }
            self.give(of);
        }
    }

    fn give(&mut self, of: &mut impl FnMut(&Table) -> Result<(), Vec<Diagnostic>>) {
        if self.problems.is_empty() && self.said.is_ok() {
            self.said = of(&self.part);
        }
        self.part.forget();
    }

    fn end(
        mut self,
        path: &Path,
        rows: Rows<'_>,
        of: &mut impl FnMut(&Table) -> Result<(), Vec<Diagnostic>>,
    ) -> Result<Table, Vec<Diagnostic>> {
        self.give(of);
        self.part.notes = rows.notes();
        match self.said {
            _ if !self.problems.is_empty() => Err(limited(self.problems, path)),
            Ok(()) => Ok(self.part),
            Err(problems) => Err(limited(problems, path)),
        }
    }
}
