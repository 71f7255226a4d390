//! What the protocol declares: the checks of images, and the acceptance criteria.

use crate::document::tree::{Column, Row, Table};
use crate::report::submission::gate;
use crate::report::submission::source::Source;
use crate::report::wording;

pub fn gate(source: &Source) -> Table {
    let rows = gate::checks(source)
        .into_iter()
        .map(|check| Row::plain([check.name.to_owned(), check.attribute.to_owned(), check.accepted]))
        .collect();
    let locked = source.lock.is_some();
    let mut table = Table::or_none(
        if locked {
            "DICOM checks: an image that fails any of them is refused and not scored"
        } else {
            "Checks that the protocol declares for the study's images; what the device itself checks is \
             not part \
             of this evidence"
        },
        vec![Column::left("Check", 1.2), Column::left("Attribute", 0.8), Column::left("Accepted", 1.0)],
        rows,
    );
    if locked {
        let note = "An attribute that a rule needs and the image does not give is refused as well.";
        table.notes.push(note.to_owned());
    }
    table
}

pub fn acceptance(source: &Source) -> Table {
    let rows = source
        .protocol
        .endpoints
        .iter()
        .map(|e| {
            Row::plain([
                e.id.clone(),
                wording::metric(e.metric.id()),
                e.role.name().to_owned(),
                e.interval.describe(e.metric.quantity()).to_owned(),
                e.fallback.id().to_owned(),
                e.criterion.as_ref().map_or_else(|| "\u{2013}".to_owned(), |c| c.text.clone()),
            ])
        })
        .collect();
    Table::or_none(
        "Performance standard: endpoints and acceptance criteria as declared in the protocol",
        vec![
            Column::left("Endpoint", 1.0),
            Column::left("Measure", 1.0),
            Column::left("Role", 0.7),
            Column::left("Interval", 1.8),
            Column::left("Fallback", 0.8),
            Column::left("Acceptance criterion", 1.2),
        ],
        rows,
    )
}
