//! What the document says beside its tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::tables;
use crate::diagnostic::Result;
use crate::document::content::Content;
use crate::document::render::{Composed, Files, Look, Wanted, compose};
use crate::document::text;
use crate::document::tree::{Facts, Figure, Table};
use crate::qualification::{Outcome, Qualification};
use crate::report::submission::Formats;

/// Where the document starts.
const TEMPLATE: &str = "qualification.md";
/// Name of its files.
const NAME: &str = "qualification";

/// All files of a qualification but its JSON: `qualification.html`, `qualification.pdf` (feature `pdf`) and
/// `qualification.md`.
///
/// # Errors
/// None that a qualification can cause; `font-missing` where the system's words have characters that no font
/// has.
pub fn render(qualification: &Qualification, formats: Formats) -> Result<Files> {
    composed(qualification)?.files(NAME, (formats == Formats::All).then_some(&[][..]))
}

/// The same as `qualification.docx`, a draft to go on with: the form of the performance qualification can be
/// filled in there.
///
/// # Errors
/// None that a qualification can cause.
pub fn draft(qualification: &Qualification) -> Result<Files> {
    composed(qualification)?.files(NAME, Wanted::Draft(&Look::default()))
}

fn composed(qualification: &Qualification) -> Result<Composed> {
    let template = include_str!("../../../templates/qualification.md").to_owned();
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template)]);
    compose(&Arc::new(Qualified(qualification.clone())), TEMPLATE, &templates)
}

struct Qualified(Qualification);

impl Content for Qualified {
    fn facts(&self) -> Facts {
        let Qualification { program, at, .. } = &self.0;
        let running = format!("Qualification of Sequester {} \u{2013} {at}", program.version);
        Facts {
            title: format!("Installation and operational qualification of Sequester {}", program.version),
            running_title: text::fit(&text::one_line(&running), 8.0, 460.0),
            author: String::new(),
            banner: None,
            footer: format!(
                "Program SHA-256 {}\u{2026}",
                program.sha256.get(..16).unwrap_or(&program.sha256)
            ),
            date: at.clone(),
            identifier: format!("qualification {} {at}", program.sha256),
        }
    }

    fn context(&self) -> Json {
        let of = |outcome| self.0.count(outcome);
        json!({
            "program": {"version": self.0.program.version},
            "passed": self.0.passed,
            "counts": {
                "all": self.0.tests.len(),
                "passed": of(Outcome::Passed),
                "failed": of(Outcome::Failed),
                "not_applicable": of(Outcome::NotApplicable),
            },
            "absent": self.0.absent,
        })
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        tables::build(&self.0, id)
    }

    fn figure_ids(&self) -> &[&str] {
        &[]
    }

    fn figure(&self, _: &str) -> Option<Figure> {
        None
    }
}
