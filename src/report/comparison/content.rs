//! A comparison of models as a kind of document. Nothing is computed here: every number comes out of
//! [`Comparison`] and is only formatted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::sentences::{conclusion, method, statement};
use super::{figures, tables};
use crate::comparison::{Comparison, Split};
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::document::content::Content;
use crate::document::font::FontFile;
use crate::document::render::{Files, add, compose};
use crate::document::tree::{Facts, Figure, Table};
use crate::document::{format, text};
use crate::report::banner::banner;

/// Where the document starts.
pub const TEMPLATE: &str = "comparison.md";

/// What a document is made of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Everything that is printed.
    pub comparison: Comparison,
    /// RFC 3339.
    pub date: String,
    /// Template name → text.
    pub templates: BTreeMap<String, String>,
    /// The user's own fonts for the PDF; `None` for no PDF.
    pub fonts: Option<Vec<FontFile>>,
}

/// The templates that come with the program.
pub fn default_templates() -> BTreeMap<String, String> {
    BTreeMap::from([(TEMPLATE.to_owned(), include_str!("../../../templates/comparison.md").to_owned())])
}

/// The comparison as JSON, with its conclusion in words: what `--json` prints and the document is identified
/// by.
pub fn to_json(comparison: &Comparison) -> serde_json::Value {
    let mut value = json!(comparison);
    value["conclusion"] = json!(conclusion(comparison));
    value
}

/// Renders `comparison.html`, `comparison.pdf` (feature `pdf`), `comparison.md`, `comparison.json` and the
/// figures.
///
/// # Errors
/// As [`compose`].
pub fn render(source: &Source) -> Result<Files> {
    let data = format!("{:#}\n", to_json(&source.comparison)).into_bytes();
    let content = Arc::new(Written {
        comparison: source.comparison.clone(),
        date: source.date.clone(),
        digest: Digest::of(&data).to_string(),
    });
    let mut files =
        compose(&content, TEMPLATE, &source.templates)?.files("comparison", source.fonts.as_deref())?;
    add(&mut files, "comparison.json", data)?;
    Ok(files)
}

/// A comparison that is written down.
struct Written {
    comparison: Comparison,
    date: String,
    /// Of `comparison.json`, by which the document is identified.
    digest: String,
}

impl Content for Written {
    fn facts(&self) -> Facts {
        let comparison = &self.comparison;
        let names: Vec<&str> = comparison.contenders.iter().map(|c| c.name.as_str()).collect();
        let running = text::one_line(&format!("Comparison of {}", names.join(", ")));
        Facts {
            title: "Comparison of models".to_owned(),
            running_title: text::fit(&running, 8.0, 460.0),
            author: String::new(),
            banner: banner(comparison.data.synthetic),
            footer: format!(
                "Sequester {} \u{2013} comparison.json {}\u{2026}",
                comparison.program_version,
                self.digest.get(..16).unwrap_or(&self.digest)
            ),
            date: self.date.clone(),
            identifier: format!("sequester comparison {}", self.digest),
        }
    }

    fn context(&self) -> Json {
        let comparison = &self.comparison;
        json!({
            "contenders": comparison.contenders.len(),
            "names": comparison.contenders.iter().map(|c| &c.name).collect::<Vec<_>>(),
            "conclusion": conclusion(comparison),
            "statement": statement(comparison),
            "method": method(comparison),
            "verdict": comparison.best.as_ref().map(|b| b.verdict),
            "data": comparison.data,
            "date": self.date,
            "digest": self.digest,
            "program_version": comparison.program_version,
            "level": format::level(comparison.method.level),
            "published": comparison.data.split == Split::PublishedCounts,
            "has_pairs": tables::applies(comparison, "pairs"),
            "has_calls": tables::applies(comparison, "calls"),
            "has_roc": comparison.contenders.iter().any(|c| !c.curves.roc.is_empty()),
            "has_counts": tables::applies(comparison, "counts"),
            "has_calibration": tables::applies(comparison, "calibration"),
            "has_training": tables::applies(comparison, "training"),
            "has_ensembles": tables::applies(comparison, "ensembles"),
            "has_warnings": tables::applies(comparison, "warnings"),
        })
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        tables::table(&self.comparison, id)
    }

    fn figure_ids(&self) -> &[&str] {
        figures::IDS
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        figures::build(&self.comparison, id)
    }
}
