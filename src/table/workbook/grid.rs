//! A sheet's cells as a table: the row that names the columns, the rows below it, and what is said of rows
//! and columns that are hidden, of cells that are merged, and of formulas without a value.

use std::collections::BTreeMap;
use std::path::Path;

use super::limits::{CELLS, ROWS, unreadable};
use super::notation::{letters, shown};
use crate::diagnostic::{Code, Diagnostic, Location, few};

/// What a program for tables takes a cell for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// A text; every cell of a CSV is one.
    Text,
    /// A number: leading zeros are lost, and digits behind the fifteenth.
    Number,
    /// A date or a time, written as ISO 8601 here.
    Date,
    /// True or false.
    Truth,
}

/// Which sheet of a workbook, and which row names the columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sheet<'a> {
    /// Its name; `None`: the only one.
    pub name: Option<&'a str>,
    /// Counted from 1; `None`: the first that is not empty.
    pub header_row: Option<u64>,
}

/// A filled cell: its column, its kind, its text.
type Filled = (usize, CellKind, String);

/// A sheet as a table.
#[derive(Debug)]
pub(in super::super) struct Grid {
    pub names: Vec<String>,
    pub header_row: u64,
    /// Filled rows below the header, each with its number and its cells in order.
    pub rows: Vec<(u64, Vec<Filled>)>,
    pub notes: Vec<Diagnostic>,
}

/// What stands in a sheet; rows and columns from 1.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) cells: BTreeMap<(u32, u32), (CellKind, String)>,
    pub(super) uncomputed: Vec<(u32, u32)>,
    pub(super) hidden_rows: Vec<u32>,
    pub(super) hidden_columns: Vec<(u32, u32)>,
    pub(super) merged: Vec<((u32, u32), (u32, u32))>,
}

impl Cells {
    pub(super) fn into_grid(
        self,
        path: &Path,
        sheet: &str,
        wanted: &Sheet<'_>,
        mut notes: Vec<Diagnostic>,
    ) -> Result<Grid, Vec<Diagnostic>> {
        let sheet: String = sheet.chars().take(60).collect();
        let at = |(row, column): (u32, u32)| Location {
            path: path.into(),
            line: Some(u64::from(row)),
            column: Some(u64::from(column)),
        };
        let first = self.cells.keys().next().map_or(1, |(row, _)| *row);
        let header = match wanted.header_row {
            Some(row) => u32::try_from(row).unwrap_or(u32::MAX),
            None => first,
        };
        let filled = |row: u32| self.cells.range((row, 0)..(row + 1, 0)).count();
        let wider = self.cells.keys().find(|(row, _)| *row > header && filled(*row) > 1);
        if let (None, 1, Some((names, _))) = (wanted.header_row, filled(header), wider) {
            let title = self.cells.get(&first_key(&self.cells)).map_or("", |(_, text)| text);
            let title: String = title.chars().take(60).collect();
            let message =
                format!("row {header} of the sheet `{sheet}` holds `{title}` alone, and no columns' names");
            return Err(vec![Diagnostic::error(Code::WorkbookHeader, message).at(at((header, 1))).hint(
                format!(
                    "say which row names the columns, such as header_row = {names} in [reads]; elsewhere \
                     delete the rows above"
                ),
            )]);
        }
        if !self.uncomputed.iter().all(|(row, _)| *row < header) {
            let cells: Vec<(u32, u32)> =
                self.uncomputed.into_iter().filter(|(row, _)| *row >= header).collect();
            let message = format!(
                "{} cells of the sheet `{sheet}` hold a formula and no value, the first is {}",
                cells.len(),
                cells.first().map_or_else(String::new, |cell| shown(*cell))
            );
            let place = cells.first().map_or_else(|| Location::file(path), |cell| at(*cell));
            return Err(vec![
                Diagnostic::error(Code::WorkbookFormula, message).at(place).hint(
                    "open the workbook in a program for tables, which computes them, and save it again",
                ),
            ]);
        }
        let body = |row: u32| row >= header && row <= ROWS;
        let width =
            self.cells.keys().filter(|(row, _)| body(*row)).map(|(_, column)| *column).max().unwrap_or(0);
        notes.extend(self.told(path, &sheet, header, width));
        let mut names = vec![String::new(); width as usize];
        let mut rows: Vec<(u64, Vec<Filled>)> = Vec::new();
        let mut empty = 0;
        let mut last = header;
        for ((row, column), (kind, text)) in self.cells.into_iter().filter(|((row, _), _)| body(*row)) {
            if row == header {
                if let Some(name) = names.get_mut(column as usize - 1) {
                    *name = text.trim().to_owned();
                }
                continue;
            }
            if rows.last().is_none_or(|(line, _)| *line != u64::from(row)) {
                empty += row - last - 1;
                rows.push((u64::from(row), Vec::new()));
            }
            last = row;
            if let Some((_, cells)) = rows.last_mut() {
                cells.push((column as usize - 1, kind, text));
            }
        }
        if rows.len().saturating_mul(names.len()) > CELLS {
            return Err(vec![unreadable(path, "its rows and columns make too many cells")]);
        }
        if empty > 0 {
            let message = format!("{empty} rows have no cell and were left out");
            notes.push(Diagnostic::warning(Code::RowsEmpty, message).at(Location::file(path)));
        }
        Ok(Grid { names, header_row: u64::from(header), rows, notes })
    }

    /// Hidden rows and columns and merged cells of the table.
    fn told(&self, path: &Path, sheet: &str, header: u32, width: u32) -> Vec<Diagnostic> {
        const SHOWN: usize = 12;
        let list = |names: &[String]| few::and_more(names, SHOWN);
        let mut notes = Vec::new();
        let mut note = |code, line: u32, message: String, hint: &str| {
            let at = Location::line(path, u64::from(line));
            notes.push(Diagnostic::warning(code, message).at(at).hint(hint));
        };
        let has_cells =
            |row: &u32| *row >= header && self.cells.range((*row, 0)..(*row + 1, 0)).next().is_some();
        let rows: Vec<u32> =
            self.hidden_rows.iter().copied().filter(|row| *row < ROWS && has_cells(row)).collect();
        if let Some(first) = rows.first() {
            let names: Vec<String> = rows.iter().map(u32::to_string).collect();
            let message = format!("rows of the sheet `{sheet}` are hidden, and were read: {}", list(&names));
            note(
                Code::WorkbookHidden,
                *first,
                message,
                "show them, or remove them, and save the workbook again",
            );
        }
        let columns: Vec<String> = self
            .hidden_columns
            .iter()
            .flat_map(|(from, to)| *from..=(*to).min(width))
            .filter(|column| self.cells.contains_key(&(header, *column)))
            .map(letters)
            .collect();
        if !columns.is_empty() {
            let message =
                format!("columns of the sheet `{sheet}` are hidden, and were read: {}", list(&columns));
            note(Code::WorkbookHidden, header, message, "look at what they hold");
        }
        let merged: Vec<_> = self.merged.iter().filter(|(_, (last, _))| *last >= header).collect();
        if let Some(((row, _), _)) = merged.first() {
            let names: Vec<String> =
                merged.iter().map(|(from, to)| format!("{}:{}", shown(*from), shown(*to))).collect();
            let message = format!(
                "cells of the sheet `{sheet}` are merged: {}; what stands there is that of the first cell \
                 alone",
                list(&names)
            );
            note(Code::WorkbookMerged, *row, message, "take the merging off and fill every cell");
        }
        notes
    }
}

fn first_key(cells: &BTreeMap<(u32, u32), (CellKind, String)>) -> (u32, u32) {
    cells.keys().next().copied().unwrap_or_default()
}
