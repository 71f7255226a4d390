//! The submission's templates, and its rendering.

use std::sync::Arc;

use serde_json::Value;

use super::content::Submission;
use super::source::{Rendered, Source};
use super::templates::of_report;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::document::render::{Wanted, compose};

/// Where a document starts.
pub const MAIN_TEMPLATE: &str = "submission.md";

/// An example `device.toml` with every field the default templates ask for, all empty.
pub const DEVICE_EXAMPLE: &str = include_str!("../../../templates/device.toml");

/// Which formats of a document are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Formats {
    /// HTML, PDF (feature `pdf`), Markdown.
    All,
    /// HTML and Markdown.
    WithoutPdf,
    /// DOCX alone: drafts to go on with, which are no evidence.
    Drafts,
    /// What the documents say passage by passage, for [`crate::report::trace`]; nothing to hand over.
    Traced,
}

impl Formats {
    /// The files of a document that are wanted, with what they take from the source.
    pub fn of(self, source: &Source) -> Wanted<'_> {
        match self {
            Self::All => Wanted::WithPdf(&source.fonts),
            Self::WithoutPdf => Wanted::Pages,
            Self::Traced => Wanted::Traced,
            Self::Drafts => Wanted::Draft(&source.look),
        }
    }
}

/// Renders every document and figure. The same source and formats give the same bytes.
///
/// # Errors
/// As [`compose`], and `unknown-estimate`, `unknown-digest`, `unknown-value`, `unknown-text` and
/// `unknown-show` of the submission's own functions; `font-missing` with the fields of `device.toml`.
pub fn render(source: &Source, formats: Formats) -> Result<Rendered> {
    let content = Arc::new(Submission::of(source.clone()));
    let composed = compose(&content, MAIN_TEMPLATE, &of_report(&source.templates))?;
    let files = composed.files("report", formats.of(source)).map_err(|e| with_way_out(e, source))?;
    Ok(Rendered { files, to_complete: content.to_complete() })
}

/// Characters that no font has, with the fields of `device.toml` that hold them, and what to do.
pub fn with_way_out(error: Error, source: &Source) -> Error {
    let Error::Input(problems) = error else { return error };
    let explain = |problem: Diagnostic| {
        if problem.code != Code::FontMissing {
            return problem;
        }
        let mut fields = Vec::new();
        holding(&source.device, "", &problem.message, &mut fields);
        let fields =
            if fields.is_empty() { String::new() } else { format!(" (device.toml: {})", fields.join(", ")) };
        let message = format!("{}{fields}", problem.message);
        Diagnostic { message, ..problem }.hint(
            "put a font that has them (.ttf, .otf, .ttc) into the study's `fonts/` folder and run \
             `sequester validate` \
             again: it becomes part of the evidence, and `verify` renders the same bytes; `sequester report \
             --no-pdf` writes the documents without PDF",
        )
    };
    Error::Input(problems.into_iter().map(explain).collect())
}

/// The fields, as dotted keys, with a character beyond ASCII that a message names as `(U+...)`.
fn holding(value: &Value, key: &str, message: &str, fields: &mut Vec<String>) {
    let named = |c: char| !c.is_ascii() && message.contains(&format!("(U+{:04X})", u32::from(c)));
    match value {
        Value::String(text) if text.chars().any(named) => fields.push(key.to_owned()),
        Value::Array(items) => items.iter().for_each(|item| holding(item, key, message, fields)),
        Value::Object(table) => {
            for (name, inner) in table {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                holding(inner, &key, message, fields);
            }
        }
        _ => {}
    }
}
