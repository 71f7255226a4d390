//! The bundle itself: openings of the test set, warnings, files.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::submission::source::Source;
use crate::study::results::Results;

pub fn openings(source: &Source) -> Table {
    let rows = source
        .openings
        .iter()
        .enumerate()
        .map(|(index, opening)| {
            Row::plain([
                (index + 1).to_string(),
                opening.date.clone(),
                opening.by.clone(),
                opening.reason.clone().unwrap_or_else(|| {
                    if index == 0 { "first opening" } else { "no reason recorded" }.to_owned()
                }),
            ])
        })
        .collect();
    Table::or_none(
        "Openings of the sealed test set",
        vec![
            Column::right("Opening"),
            Column::left("Date", 0.6),
            Column::left("By", 0.6),
            Column::left("Reason", 1.0),
        ],
        rows,
    )
}

pub fn warnings(results: &Results) -> Table {
    let rows = results.warnings.iter().map(|w| Row::plain([w.code.to_string(), w.message.clone()])).collect();
    Table::or_none(
        "Warnings of the analysis",
        vec![Column::left("Code", 0.5), Column::left("Meaning", 1.0)],
        rows,
    )
}

pub fn digests(source: &Source) -> Table {
    let rows = source
        .digests
        .iter()
        .map(|(path, digest)| {
            Row::Cells(vec![Cell::new(path.clone()), Cell::new(digest.clone()).look(Look::Code)])
        })
        .collect();
    Table::or_none(
        "Files of the evidence bundle and their SHA-256 digests",
        vec![Column::left("File", 0.48), Column::left("SHA-256", 1.0)],
        rows,
    )
}
