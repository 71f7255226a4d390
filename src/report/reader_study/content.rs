//! The reader-study report as a kind of document: of a study the submission's words and functions, and the
//! tables and figures of the readers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{figures, tables};
use crate::diagnostic::Result;
use crate::document::content::{Answer, Arguments, Content, Notice, Refusal};
use crate::document::format;
use crate::document::render::{Files, compose};
use crate::document::text;
use crate::document::tree::{Facts, Figure, Table};
use crate::report::submission::{Formats, Rendered, Source, Submission, of_report, with_way_out};
use crate::study::results::{ComparisonResult, ReaderStudyResult, Rules};

/// Where the document starts. A bundle without this template has no reader-study report.
pub const MAIN_TEMPLATE: &str = "reader-study.md";

/// All files of a study's report: `reader-study.html`, `reader-study.pdf` (feature `pdf`), `reader-study.md`
/// and figures. Nothing where the study has no reader study, or its templates no such document.
///
/// # Errors
/// As the submission's.
pub fn render(source: &Source, formats: Formats) -> Result<Option<Rendered>> {
    let Some(found) = source.results.reader_study.clone() else { return Ok(None) };
    if !source.templates.contains_key(MAIN_TEMPLATE) {
        return Ok(None);
    }
    let endpoints =
        source.results.comparisons.iter().filter(|c| c.against.is_reader_study()).cloned().collect();
    let content = Arc::new(OfStudy {
        submission: Submission::of(source.clone()),
        traced: source.traced,
        readers: Readers { found, endpoints, rules: source.results.rules() },
    });
    let composed = compose(&content, MAIN_TEMPLATE, &of_report(&source.templates))?;
    let files = composed.files("reader-study", formats.of(source)).map_err(|e| with_way_out(e, source))?;
    Ok(Some(Rendered { files, to_complete: content.submission.to_complete() }))
}

/// A reader study without a protocol, from the ratings alone.
#[derive(Clone, Debug)]
pub struct Alone {
    /// Everything that is printed.
    pub found: ReaderStudyResult,
    /// SHA-256 of the file of ratings.
    pub digest: String,
    /// RFC 3339.
    pub date: String,
    /// `major.minor.patch` of the program.
    pub program_version: String,
    /// What was asked for, and whether it is shown, in words; none where nothing was.
    pub decision: Option<String>,
}

/// The same report of ratings without a study: words about a protocol, its lock and openings are left out.
///
/// # Errors
/// `font-missing` where names have characters that no font has.
pub fn render_alone(alone: &Alone, formats: Formats) -> Result<Files> {
    let template = include_str!("../../../templates/reader-study.md").to_owned();
    let templates = BTreeMap::from([(MAIN_TEMPLATE.to_owned(), template)]);
    let fonts = (formats == Formats::All).then_some(&[][..]);
    let readers = Readers { found: alone.found.clone(), endpoints: Vec::new(), rules: Rules::Current };
    let content = Arc::new(WithoutStudy { alone: alone.clone(), readers });
    compose(&content, MAIN_TEMPLATE, &templates)?.files("reader-study", fonts)
}

/// What both kinds print of readers.
struct Readers {
    found: ReaderStudyResult,
    endpoints: Vec<ComparisonResult>,
    rules: Rules,
}

impl Readers {
    /// What templates see as `reader_study`.
    fn context(&self) -> Json {
        let found = &self.found;
        let declared = found.declared.as_ref();
        json!({
            "readers": found.readers.len(),
            "cases": found.negatives + found.positives,
            "positives": found.positives,
            "negatives": found.negatives,
            "patients": found.patients,
            "ratings": found.ratings,
            "missing": found.missing,
            "without_reference": found.without_reference,
            "not_rated": found.not_rated,
            "design": found.design,
            "level": format::level(found.level),
            "holds_for": tables::population(&found.holds_for),
            "declared_design": declared.map(|declared| declared.design.describe()),
            "order": declared.and_then(|declared| declared.order).map(|order| order.describe()),
            "washout_days": declared.and_then(|declared| declared.washout_days),
            "least_days": found.least_days,
            "has_dates": found.least_days.is_some(),
            "has_device": found.device.is_some(),
            "has_sessions": tables::has_times(found),
            "has_reading_time": found.reading_time.is_some(),
            "has_endpoints": !self.endpoints.is_empty(),
            "has_warnings": tables::has_warnings(found),
            "negative_components": tables::negative_components(found),
        })
    }

    fn table(&self, id: &str) -> Option<Table> {
        tables::build(&self.found, &self.endpoints, self.rules, id)
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        figures::build(&self.found, id)
    }
}

struct OfStudy {
    submission: Submission,
    traced: bool,
    readers: Readers,
}

impl Content for OfStudy {
    fn facts(&self) -> Facts {
        let facts = self.submission.facts();
        let running = format!("Reader study \u{2013} {}", facts.running_title);
        Facts {
            title: format!("Reader study: {}", facts.title),
            running_title: text::fit(&running, 8.0, 460.0),
            identifier: format!("reader-study {}", facts.identifier),
            ..facts
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.submission.notice()
    }

    fn traced(&self) -> bool {
        self.traced
    }

    fn context(&self) -> Json {
        let mut context = self.submission.context();
        if let Json::Object(fields) = &mut context {
            fields.insert("of_study".to_owned(), json!(true));
            fields.insert("reader_study".to_owned(), self.readers.context());
        }
        context
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, path: &str) -> Option<Table> {
        if tables::SHARED.contains(&id) {
            return self.submission.table(id, path);
        }
        self.readers.table(id)
    }

    fn figure_ids(&self) -> &[&str] {
        figures::IDS
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        self.readers.figure(id)
    }

    fn functions(&self) -> &'static [&'static str] {
        self.submission.functions()
    }

    fn answer(&self, function: &str, arguments: &Arguments<'_>) -> std::result::Result<Answer, Refusal> {
        self.submission.answer(function, arguments)
    }
}

struct WithoutStudy {
    alone: Alone,
    readers: Readers,
}

impl Content for WithoutStudy {
    fn facts(&self) -> Facts {
        let alone = &self.alone;
        Facts {
            title: "Reader study".to_owned(),
            running_title: "Reader study".to_owned(),
            author: String::new(),
            banner: None,
            footer: format!(
                "Sequester {} \u{2013} ratings {}\u{2026}",
                alone.program_version,
                alone.digest.get(..16).unwrap_or(&alone.digest)
            ),
            date: alone.date.clone(),
            identifier: format!("reader-study {}", alone.digest),
        }
    }

    fn context(&self) -> Json {
        json!({
            "of_study": false,
            "synthetic": false,
            "banner": "",
            "study": {"title": "", "finding": ""},
            "digest": self.alone.digest,
            "decision": self.alone.decision,
            "reader_study": self.readers.context(),
        })
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        if tables::SHARED.contains(&id) {
            return Some(Table::or_none("", Vec::new(), Vec::new()));
        }
        self.readers.table(id)
    }

    fn figure_ids(&self) -> &[&str] {
        figures::IDS
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        self.readers.figure(id)
    }
}
