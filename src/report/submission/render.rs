//! The submission's templates, and its rendering.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::Submission;
use super::source::{Rendered, Source};
use crate::diagnostic::Result;
use crate::document::render::compose;

/// Where a document starts.
pub const MAIN_TEMPLATE: &str = "submission.md";

/// An example `device.toml` with every field the default templates ask for, all empty.
pub const DEVICE_EXAMPLE: &str = include_str!("../../../templates/device.toml");

/// The templates that come with the program. A study may replace any of them.
pub fn default_templates() -> BTreeMap<String, String> {
    macro_rules! templates {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../../templates/", $name)))),*]
        };
    }
    templates![
        "submission.md",
        "title.md",
        "general.md",
        "design.md",
        "training.md",
        "initial-weights.md",
        "databases.md",
        "ground-truth.md",
        "validation-plan.md",
        "validation-results.md",
        "limits.md",
        "conclusion.md",
        "verification.md",
        "appendix.md",
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

/// Renders every document and figure. The same source gives the same bytes.
///
/// # Errors
/// As [`compose`], and `unknown-estimate`, `unknown-digest`, `unknown-value`, `unknown-text` and
/// `unknown-show` of the submission's own functions.
pub fn render(source: &Source) -> Result<Rendered> {
    let content = Arc::new(Submission::of(source.clone()));
    let files = compose(&content, MAIN_TEMPLATE, &source.templates)?.files("report")?;
    Ok(Rendered { files, to_complete: content.to_complete() })
}
