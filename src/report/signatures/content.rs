//! The document: its template, its tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::record::{NAME, Record, Signature};
use crate::diagnostic::Result;
use crate::document::content::Content;
use crate::document::render::{Files, compose};
use crate::document::text;
use crate::document::tree::{Cell, Column, Facts, Figure, Look, Row, Table};
use crate::report::submission::Formats;

/// Where the document starts.
const TEMPLATE: &str = "signatures.md";

/// `signatures.html`, `signatures.pdf` (feature `pdf`) and `signatures.md`.
///
/// # Errors
/// `font-missing` where a name has characters that no font has.
pub fn render(record: &Record, formats: Formats) -> Result<Files> {
    let template = include_str!("../../../templates/signatures.md").to_owned();
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template)]);
    let fonts = (formats == Formats::All).then_some(&record.fonts[..]);
    compose(&Arc::new(Signed(record.clone())), TEMPLATE, &templates)?.files(NAME, fonts)
}

struct Signed(Record);

impl Content for Signed {
    fn facts(&self) -> Facts {
        let Record { study, run, root, created, .. } = &self.0;
        let running = format!("Record of signatures \u{2013} {study}, {run}");
        Facts {
            title: format!("Record of signatures of {}, {run}", text::one_line(study)),
            running_title: text::fit(&text::one_line(&running), 8.0, 460.0),
            author: String::new(),
            banner: None,
            footer: format!("Root SHA-256 {}\u{2026}", root.get(..16).unwrap_or(root)),
            date: created.clone(),
            identifier: format!("signatures {root} {}", self.0.signatures.len()),
        }
    }

    fn context(&self) -> Json {
        json!({})
    }

    fn table_ids(&self) -> &[&str] {
        &["bundle", "verdicts", "signatures"]
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        match id {
            "bundle" => Some(bundle(&self.0)),
            "verdicts" => Some(verdicts(&self.0)),
            "signatures" => Some(signatures(&self.0.signatures)),
            _ => None,
        }
    }

    fn figure_ids(&self) -> &[&str] {
        &[]
    }

    fn figure(&self, _: &str) -> Option<Figure> {
        None
    }
}

fn fact(key: &str, value: &str, look: Look) -> Row {
    Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
}

fn bundle(record: &Record) -> Table {
    let columns = vec![Column::left("", 0.0), Column::left("", 1.0)];
    let rows = vec![
        fact("Study", &record.study, Look::Plain),
        fact("Bundle", &record.run, Look::Plain),
        fact("Root digest, SHA-256", &record.root, Look::Code),
        fact("Bundle made", &record.created, Look::Plain),
        fact("Signatures", &record.signatures.len().to_string(), Look::Plain),
    ];
    Table::new("", columns, rows)
}

fn verdicts(record: &Record) -> Table {
    let columns = vec![
        Column::left("Endpoint", 1.0),
        Column::left("Criterion", 1.0),
        Column::right("Bound or value"),
        Column::left("Verdict", 0.0),
    ];
    let rows = record.verdicts.iter().map(|judged| {
        let of = [&judged.id, &judged.criterion, &judged.bound, &judged.verdict];
        Row::plain(
            of.into_iter().map(|text| if text.is_empty() { "\u{2013}".to_owned() } else { text.clone() }),
        )
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.push(Row::Cells(vec![
        Cell::new("Conclusion").look(Look::Strong),
        Cell::new("all primary endpoints"),
        Cell::new(""),
        Cell::new(&record.conclusion).look(Look::Strong),
    ]));
    Table::new("Verdicts with their thresholds, in the texts of the results", columns, rows)
}

fn signatures(signatures: &[Signature]) -> Table {
    let columns = vec![Column::left("What", 0.0), Column::left("Value", 1.0)];
    let mut rows = Vec::new();
    for signature in signatures {
        rows.push(Row::Group(signature.name.clone()));
        rows.push(fact("Role", &signature.role, Look::Plain));
        rows.push(fact("Meaning", &signature.meaning, Look::Plain));
        rows.push(fact("Of", &signature.of, Look::Plain));
        rows.push(fact("Time, by the signer's clock", &signature.at, Look::Plain));
        rows.push(fact("Time, shown by others", "not shown", Look::Plain));
        rows.push(fact("Key, SHA-256", &signature.key, Look::Code));
        rows.push(fact("File", &signature.file, Look::Code));
    }
    Table::new("Signatures that hold", columns, rows)
}
