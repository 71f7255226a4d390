//! The truthing report as a kind of document: the submission's words, numbers and tables of the reference
//! standard, and those that only this report has.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::tables;
use crate::diagnostic::Result;
use crate::document::content::{Answer, Arguments, Content, Notice, Refusal};
use crate::document::origins::Origin;
use crate::document::render::{add, compose};
use crate::document::text;
use crate::document::tree::{Facts, Figure, Table};
use crate::report::submission::{Formats, Rendered, Source, Submission, of_report, with_way_out};

/// Where the document starts. A bundle without this template has no truthing report.
pub(super) const MAIN_TEMPLATE: &str = "truthing.md";

/// All files of the report: `truthing.html`, `truthing.pdf` (feature `pdf`), `truthing.md`, and
/// `truthing-cases.csv` with the derivation of every case. Nothing where the templates have no such document.
///
/// # Errors
/// As the submission's.
pub fn render(source: &Source, formats: Formats) -> Result<Option<Rendered>> {
    if !source.templates.contains_key(MAIN_TEMPLATE) {
        return Ok(None);
    }
    let content = Arc::new(Truthing { submission: Submission::of(source.clone()), source: source.clone() });
    let composed = compose(&content, MAIN_TEMPLATE, &of_report(&source.templates))?;
    let mut files = composed.files("truthing", formats.of(source)).map_err(|e| with_way_out(e, source))?;
    if matches!(formats, Formats::All | Formats::WithoutPdf) {
        add(&mut files, "truthing-cases.csv", tables::every_case(source)?)?;
    }
    Ok(Some(Rendered { files, to_complete: content.submission.to_complete() }))
}

struct Truthing {
    submission: Submission,
    source: Source,
}

impl Content for Truthing {
    fn facts(&self) -> Facts {
        let facts = self.submission.facts();
        Facts {
            title: format!("Truthing report: {}", facts.title),
            running_title: text::fit(
                &format!("Truthing report \u{2013} {}", facts.running_title),
                8.0,
                460.0,
            ),
            identifier: format!("truthing {}", facts.identifier),
            ..facts
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.submission.notice()
    }

    fn traced(&self) -> bool {
        self.source.traced
    }

    fn context(&self) -> Json {
        let mut context = self.submission.context();
        if let Json::Object(fields) = &mut context {
            let source = &self.source;
            fields.insert("derived".to_owned(), json!(source.derivation.len()));
            fields.insert("has_comments".to_owned(), json!(tables::any_comment(source)));
            fields.insert("blinding".to_owned(), json!(tables::blinding(source)));
        }
        context
    }

    fn origin(&self, key: &str) -> Option<Origin> {
        self.submission.origin(key)
    }

    fn origin_notes(&self) -> Vec<String> {
        self.submission.origin_notes()
    }

    fn table_ids(&self) -> &[&str] {
        &tables::IDS
    }

    fn table(&self, id: &str, path: &str) -> Option<Table> {
        if tables::SHARED.contains(&id) {
            return self.submission.table(id, path);
        }
        tables::build(&self.source, id)
    }

    fn figure_ids(&self) -> &[&str] {
        self.submission.figure_ids()
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        self.submission.figure(id)
    }

    fn functions(&self) -> &'static [&'static str] {
        self.submission.functions()
    }

    fn answer(&self, function: &str, arguments: &Arguments<'_>) -> std::result::Result<Answer, Refusal> {
        self.submission.answer(function, arguments)
    }
}
