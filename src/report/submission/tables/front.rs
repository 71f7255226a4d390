//! The title page, and what the submitter still has to fill.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::submission::source::Source;
use crate::report::submission::values::{TO_COMPLETE, at, words};

pub fn title(source: &Source) -> Table {
    let results = &source.results;
    let study = &results.study;
    let field = |path: &str| {
        at(&source.device, path)
            .map(words)
            .filter(|text| !text.trim().is_empty())
            .unwrap_or_else(|| TO_COMPLETE.to_owned())
    };
    let digest = |path: &str| source.digests.get(path).cloned();
    let mut rows: Vec<(&str, String, Look)> = vec![
        ("Device", field("device.name"), Look::Strong),
        ("Device version", field("device.version"), Look::Plain),
        ("Submitter", field("submitter.name"), Look::Plain),
        ("Predicate device", field("predicate.name"), Look::Plain),
        ("Study protocol", format!("{}, version {}: {}", study.id, study.version, study.title), Look::Plain),
        ("Finding", study.finding.clone(), Look::Plain),
        ("Run", source.run_id.clone(), Look::Plain),
        ("Date of the evidence", source.date.clone(), Look::Plain),
        (
            "Program",
            format!(
                "Sequester {} (analysis), {} (this document)",
                results.method.program_version, source.program_version
            ),
            Look::Plain,
        ),
    ];
    if let Some(digest) = digest("data/protocol.toml") {
        rows.push(("Protocol, SHA-256", digest, Look::Code));
    }
    match (&source.lock, digest("data/model/weights.safetensors").or_else(|| digest("data/model/lock.json")))
    {
        (Some(_), Some(digest)) => rows.push(("Locked model, SHA-256", digest, Look::Code)),
        (Some(_), None) => rows.push(("Locked model", "digest not recorded".to_owned(), Look::Plain)),
        (None, _) => {
            rows.push(("Model", "scored elsewhere; no model in this evidence".to_owned(), Look::Plain))
        }
    }
    rows.push(("Bundle root, SHA-256", source.root_digest.clone(), Look::Code));
    let rows = rows
        .into_iter()
        .map(|(key, value, look)| {
            Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
        })
        .collect();
    // No caption and no header: the title page says what it is.
    Table::or_none("", vec![Column::left("", 0.0), Column::left("", 1.0)], rows)
}

pub fn completion(to_complete: &[String]) -> Table {
    let rows = to_complete
        .iter()
        .map(|line| {
            let (field, what) = line.split_once(": ").unwrap_or((line, ""));
            Row::Cells(vec![Cell::new(field).look(Look::Code), Cell::new(what)])
        })
        .collect();
    Table::or_none(
        "Fields of device.toml that the submitter still has to fill",
        vec![Column::left("Field", 0.7), Column::left("What it says", 1.0)],
        rows,
    )
}
