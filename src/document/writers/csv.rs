//! A table as CSV, for spreadsheets.

use std::borrow::Borrow;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::document::tree::{Column, Row, Table};

/// The cells as the page has them; a group's name in a column of its own where there are groups.
///
/// # Errors
/// None that a table can cause.
pub fn table(table: &Table) -> Result<Vec<u8>> {
    let grouped = table.rows.iter().any(|r| matches!(r, Row::Group(_)));
    rows(&table.columns, grouped, table.rows.iter())
}

/// The same of rows that are made one after another: of a large study they are never all there.
///
/// # Errors
/// None that a table can cause.
pub fn rows<R: Borrow<Row>>(
    columns: &[Column],
    grouped: bool,
    rows: impl Iterator<Item = R>,
) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Diagnostic::error(Code::TableUnwritable, e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |group: &str, cells: &[&str]| {
        let mut record: Vec<String> = Vec::new();
        if grouped {
            record.push(group.to_owned());
        }
        // A spreadsheet takes a leading `=` for a formula (CSV injection); a quote in front keeps it text.
        record.extend(cells.iter().map(|cell| {
            let cell = cell.trim_start_matches('\u{2003}');
            if cell.starts_with(['=', '+', '@']) { format!("'{cell}") } else { cell.to_owned() }
        }));
        writer.write_record(record).map_err(failed)
    };
    let heads: Vec<&str> = columns.iter().map(|c| c.header.as_str()).collect();
    write("group", &heads)?;
    let mut group = String::new();
    for row in rows {
        let row: &Row = row.borrow();
        match row {
            Row::Group(name) => group.clone_from(name),
            Row::Cells(cells) => {
                write(&group, &cells.iter().map(|c| c.text.as_str()).collect::<Vec<_>>())?;
            }
        }
    }
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}
