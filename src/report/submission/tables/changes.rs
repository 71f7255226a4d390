//! What became otherwise than the protocol that was locked first: amendments of it, and deviations from it.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::evidence::amendment::Amendment;
use crate::evidence::deviation::Grade;
use crate::protocol::meaning::NOT_DECLARED;
use crate::report::submission::source::Source;

/// Every amendment with every key that means something else by it.
pub fn amendments(source: &Source) -> Table {
    let mut rows = Vec::new();
    for amendment in &source.amendments {
        let when = when(amendment);
        let (number, at, by, reason) = (amendment.number, &amendment.at, &amendment.by, &amendment.reason);
        rows.push(Row::Group(format!("Amendment {number}, {at}, by {by}, {when}: {reason}")));
        let alone = |text: &str| Row::plain([text, "", ""].map(str::to_owned));
        match &amendment.meaning {
            None => rows.push(alone("not shown: one of the two texts cannot be read")),
            Some(meaning) if meaning.is_same() => {
                rows.push(alone("no change of meaning: comments, order or spelling alone"));
            }
            Some(meaning) => rows.extend(meaning.changes.iter().map(|change| {
                let side = |side: &Option<String>| side.clone().unwrap_or_else(|| NOT_DECLARED.to_owned());
                Row::Cells(vec![
                    Cell::new(change.key.clone()).look(Look::Code),
                    Cell::new(side(&change.before)),
                    Cell::new(side(&change.after)),
                ])
            })),
        }
    }
    Table::or_none(
        "Amendments of the protocol after it was locked, told from the texts that were locked",
        vec![Column::left("What", 0.8), Column::left("Before", 1.0), Column::left("Since", 1.0)],
        rows,
    )
}

/// Whether an amendment came before or after the test set was opened.
fn when(amendment: &Amendment) -> String {
    match amendment.openings {
        0 => "before the test set was opened".to_owned(),
        1 => "AFTER the test set was opened".to_owned(),
        openings => format!("AFTER the test set was opened {openings} times"),
    }
}

/// Every deviation as it was recorded.
pub fn deviations(source: &Source) -> Table {
    let rows = source.deviations.iter().map(|deviation| {
        let cases =
            if deviation.cases.is_empty() { "none named".to_owned() } else { deviation.cases.join(", ") };
        let look = if deviation.grade == Grade::Major { Look::Strong } else { Look::Plain };
        let recorded = deviation.recorded.get(..10).unwrap_or(&deviation.recorded);
        Row::Cells(vec![
            Cell::new(deviation.number.to_string()),
            Cell::new(deviation.date.clone()),
            Cell::new(recorded),
            Cell::new(deviation.grade.name()).look(look),
            Cell::new(deviation.description.clone()),
            Cell::new(deviation.impact.clone()),
            Cell::new(cases),
        ])
    });
    let mut table = Table::or_none(
        "Deviations from the protocol",
        vec![
            Column::right("No."),
            Column::left("Date", 0.0),
            Column::left("Recorded", 0.0),
            Column::left("Grade", 0.0),
            Column::left("What was done otherwise", 1.0),
            Column::left("Impact", 0.8),
            Column::left("Cases", 0.5),
        ],
        rows.collect(),
    );
    if !source.deviations.is_empty() {
        table.notes.push(
            "As whoever recorded them judged; the ledger holds the digest of the list after each.".to_owned(),
        );
    }
    table
}
