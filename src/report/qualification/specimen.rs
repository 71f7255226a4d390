//! A document with every kind of block, always the same: its rendering has a known digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::diagnostic::Result;
use crate::document::canvas::{Anchor, BLUE, Canvas, INK, RED, Stroke};
use crate::document::content::Content;
use crate::document::format::{self, Style};
use crate::document::render::{Files, compose};
use crate::document::tree::{Cell, Column, Facts, Figure, Look, Row, Table};
use crate::report::submission::Formats;

const TEMPLATE: &str = "qualification-specimen.md";

/// `specimen.html`, `specimen.md`, `figures/specimen.svg`, and `specimen.pdf` where PDF is wanted and built
/// in.
///
/// # Errors
/// None: the specimen is fixed.
pub fn specimen(formats: Formats) -> Result<Files> {
    let template = include_str!("../../../templates/qualification-specimen.md").to_owned();
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template)]);
    let fonts = (formats == Formats::All).then_some(&[][..]);
    compose(&Arc::new(Specimen), TEMPLATE, &templates)?.files("specimen", fonts)
}

struct Specimen;

impl Content for Specimen {
    fn facts(&self) -> Facts {
        Facts {
            title: "A specimen of every block".to_owned(),
            running_title: "Specimen".to_owned(),
            author: String::new(),
            banner: Some("A SPECIMEN: no result of any study.".to_owned()),
            footer: "Specimen".to_owned(),
            date: "2026-01-01T00:00:00Z".to_owned(),
            identifier: "specimen".to_owned(),
        }
    }

    fn context(&self) -> Json {
        json!({
            "escaped": "<b> & *stars* | _lines_ `code` \u{2264} \u{b1} \u{e9}",
            "rounded": format::number(0.123_456, Style::Percent),
            "cases": 1_234_567,
        })
    }

    fn table_ids(&self) -> &[&str] {
        &["facts", "every-look"]
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        let columns = || vec![Column::left("Look", 0.0), Column::left("Words", 1.0), Column::right("Number")];
        let looks = [
            ("plain", Look::Plain),
            ("strong", Look::Strong),
            ("good", Look::Good),
            ("bad", Look::Bad),
            ("muted", Look::Muted),
            ("code", Look::Code),
        ];
        let rows = looks.into_iter().enumerate().map(|(place, (name, look))| {
            let number = format::fixed(place as f64 / 7.0, 3);
            Row::Cells(vec![Cell::new(name), Cell::new("a < b & c").look(look), Cell::new(number)])
        });
        match id {
            "facts" => {
                let row =
                    Row::Cells(vec![Cell::new("Of").look(Look::Strong), Cell::new("every kind of block")]);
                Some(Table::new("", vec![Column::left("", 0.0), Column::left("", 1.0)], vec![row]))
            }
            "every-look" => {
                let rows = std::iter::once(Row::Group("A group".to_owned())).chain(rows).collect();
                let mut table = Table::new("Every look of a cell", columns(), rows);
                table.notes.push("A note below the table.".to_owned());
                Some(table)
            }
            _ => None,
        }
    }

    fn figure_ids(&self) -> &[&str] {
        &["specimen"]
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        (id == "specimen").then(|| {
            let mut canvas = Canvas::new(400.0, 200.0);
            canvas.rect(20.0, 20.0, 120.0, 60.0, BLUE, Some(Stroke::new(INK, 1.0)));
            canvas.line((20.0, 150.0), (380.0, 150.0), Stroke::dashed(INK, 1.2));
            canvas.polyline(&[(160.0, 80.0), (220.0, 30.0), (280.0, 80.0)], Stroke::new(RED, 1.6));
            canvas.polygon(&[(300.0, 80.0), (340.0, 30.0), (380.0, 80.0)], BLUE);
            canvas.circle((200.0, 120.0), 12.5, RED, None);
            canvas.text((20.0, 180.0), 12.0, Anchor::Start, INK, "text < & \u{e9}");
            canvas.bold((380.0, 180.0), 12.0, Anchor::End, INK, "bold");
            let words = ("A drawing of every element".to_owned(), "Shapes and words".to_owned());
            Figure::drawn("specimen", words, vec![canvas], str::to_owned)
        })
    }
}
