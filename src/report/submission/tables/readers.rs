//! Readers, their reads, their consensus and how far they agree.

use super::rows::method_note;
use crate::document::format;
use crate::document::tree::{Column, Row, Table};
use crate::report::wording;
use crate::study::results::Results;

pub fn readers(results: &Results) -> Table {
    let rows = results
        .readers
        .iter()
        .map(|r| {
            Row::plain([
                r.id.clone(),
                format::count(r.reads),
                format::count(r.positive),
                format::count(r.negative),
                format::count(r.indeterminate),
                format::count(r.set_aside),
                r.missing.map_or_else(|| "not fixed".to_owned(), format::count),
            ])
        })
        .collect();
    Table::or_none(
        format!("Readers and their reads of the {} sampled cases", format::count(results.flow.sampled)),
        vec![
            Column::left("Reader", 1.0),
            Column::right("Reads"),
            Column::right("Positive"),
            Column::right("Negative"),
            Column::right("Indeterminate"),
            Column::right("Set aside"),
            Column::right("Missing"),
        ],
        rows,
    )
}

pub fn consensus(results: &Results) -> Table {
    let c = &results.consensus;
    let sampled = results.flow.sampled;
    let row = |name: &str, n: u64| Row::plain([name.to_owned(), format::count(n), format::share(n, sampled)]);
    Table::or_none(
        format!("How the consensus of the {} sampled cases came about", format::count(sampled)),
        vec![Column::left("Consensus", 1.0), Column::right("Cases"), Column::right("Share of sampled")],
        vec![
            row("Unanimous, all votes given", c.unanimous),
            row("By majority, all votes given", c.majority),
            row("From fewer votes: a read was missing, indeterminate or set aside", c.incomplete),
            row("No consensus", c.none),
            row("Positive by consensus", c.positive),
            row("Negative by consensus", c.negative),
        ],
    )
}

pub fn agreement(results: &Results, level: &str) -> Table {
    let rows = results
        .agreement
        .iter()
        .map(|e| {
            Row::plain([
                wording::metric(&e.id),
                e.model.clone().unwrap_or_else(|| "all readers".to_owned()),
                match e.p_value {
                    Some(p) if p < 0.0001 => format!("{}, p < 0.0001", wording::value(e)),
                    Some(p) => format!("{}, p = {p:.4}", wording::value(e)),
                    None => wording::value(e),
                },
                wording::interval(e),
                format::count(e.n),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "Agreement between readers, and the device beside them",
        vec![
            Column::left("Measure", 0.7),
            Column::left("Between", 1.0),
            Column::right("Value"),
            Column::right(&format!("{level} CI")),
            Column::right("Cases"),
        ],
        rows,
    );
    table.notes.extend(method_note(&results.agreement.iter().collect::<Vec<_>>()));
    table
}
