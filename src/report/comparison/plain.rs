//! The tables of a comparison for a terminal.

use super::tables::{applies, table};
use crate::comparison::Comparison;
use crate::document::tree::Row;

/// A table for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTable {
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
    /// Notes below.
    pub notes: Vec<String>,
}

/// The tables for a terminal, in order; warnings are printed as such.
pub fn plain_tables(comparison: &Comparison) -> Vec<PlainTable> {
    let ids = [
        "contenders",
        "ensembles",
        "operating-points",
        "counts",
        "pairs",
        "calls",
        "calibration",
        "training",
    ];
    let shown = ids.into_iter().filter(|id| applies(comparison, id));
    shown.filter_map(|id| plain_table(comparison, id)).collect()
}

/// A table of the comparison as plain texts: caption, header, rows, notes. `None`: there is no such id.
fn plain_table(comparison: &Comparison, id: &str) -> Option<PlainTable> {
    let table = table(comparison, id)?;
    let rows = table.rows.into_iter().map(|row| match row {
        Row::Cells(cells) => cells.into_iter().map(|c| c.text).collect(),
        Row::Group(name) => vec![name],
    });
    Some(PlainTable {
        caption: table.caption,
        header: table.columns.into_iter().map(|c| c.header).collect(),
        rows: rows.collect(),
        notes: table.notes,
    })
}
