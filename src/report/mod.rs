//! Documents and figures from the facts of an evidence bundle. Nothing is computed here: every number
//! comes from `results.json` by the id of an estimate and is only formatted, so that an auditor renders
//! the same bytes from the same bundle.
//!
//! Templates (Tera and Markdown) → one Markdown text → one tree → HTML, and typst markup → PDF.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dataset::describe::Description;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::RelativePath;
use crate::study::results::Results;

mod bundle;
pub mod comparison;
pub mod description;
mod document;
pub mod figures;
pub mod format;
mod html;
pub mod lint;
#[cfg(feature = "pdf")]
mod pdf;
mod tables;
mod template;
mod text;
mod typst_markup;

#[cfg(test)]
mod tests;

/// Everything a document is made of: plain values, filled from the evidence bundle. No clock, no file.
#[derive(Clone, Debug)]
pub struct Source {
    /// `data/results.json`.
    pub results: Results,
    /// `data/device.toml` as a value; what is not there is printed as still to be completed.
    pub device: Value,
    /// `data/protocol.toml` as a value.
    pub protocol: Value,
    /// `data/protocol.toml`, the exact text.
    pub protocol_text: String,
    /// `data/model/lock.json`; `None` when the device was scored elsewhere.
    pub lock: Option<Value>,
    /// `data/description.json`; `None` in a bundle that has none.
    pub description: Option<Description>,
    /// One entry an epoch; empty when the training is not part of the bundle.
    pub training: Vec<TrainingEpoch>,
    /// Digest of `tagmanifest-sha256.txt`: the one digest that stands for the bundle.
    pub root_digest: String,
    /// Bundle path → SHA-256, as in the manifest. `data/model/weights.safetensors` is "the model".
    pub digests: BTreeMap<String, String>,
    /// Name of the run, and of the bundle's folder.
    pub run_id: String,
    /// RFC 3339 date or date and time, from the bundle.
    pub date: String,
    /// Openings of the sealed test set, from the ledger, in order.
    pub openings: Vec<Opening>,
    /// Template name (`submission.md`, ...) → text. See [`default_templates`].
    pub templates: BTreeMap<String, String>,
    /// `major.minor.patch` of the program that renders.
    pub program_version: String,
}

/// One epoch of training, as the training log has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingEpoch {
    /// Counted from 1 over all stages.
    pub epoch: u32,
    /// Stage, counted from 1.
    pub stage: u32,
    /// Mean training loss.
    pub loss: f64,
    /// AUC on the tuning split, where it was evaluated.
    pub tuning_auc: Option<f64>,
}

/// The sealed test set was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// As the ledger has it.
    pub date: String,
    /// Why; mandatory from the second time on.
    pub reason: Option<String>,
}

/// What was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// `report.html`, `report.pdf` (feature `pdf`), `report.md`, `figures/*.svg`.
    pub files: BTreeMap<RelativePath, Vec<u8>>,
    /// Fields of `device.toml` that are still empty, as the document lists them.
    pub to_complete: Vec<String>,
}

/// Where a document starts.
pub const MAIN_TEMPLATE: &str = "submission.md";

pub use bundle::from_bundle;

/// An example `device.toml` with every field the default templates ask for, all empty.
pub const DEVICE_EXAMPLE: &str = include_str!("../../templates/device.toml");

/// The templates that come with the program. A study may replace any of them.
pub fn default_templates() -> BTreeMap<String, String> {
    macro_rules! templates {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../templates/", $name)))),*]
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
/// Every `literal-number` and `unsafe-filter` of the templates at once; then the first template that asks
/// for something that does not exist (`unknown-estimate`, `unknown-table`, `unknown-figure`, ...), with its line.
pub fn render(source: &Source) -> Result<Rendered> {
    let problems: Vec<Diagnostic> =
        source.templates.iter().flat_map(|(name, text)| lint::lint(name, text)).collect();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let filled = template::fill(source)?;
    let document = document::parse(&filled.markdown, filled.pieces, source)?;

    let mut files = BTreeMap::new();
    let mut add = |path: &str, bytes: Vec<u8>| -> Result<()> {
        let path: RelativePath =
            path.parse().map_err(|e| Diagnostic::error(Code::FigureName, format!("{e}")))?;
        files.insert(path, bytes);
        Ok(())
    };
    for figure in document.figures() {
        add(&format!("figures/{}.svg", figure.name), figure.svg.clone().into_bytes())?;
    }
    add("report.md", filled.markdown.into_bytes())?;
    add("report.html", html::page(&document).into_bytes())?;
    #[cfg(feature = "pdf")]
    add("report.pdf", pdf::compile(&document)?)?;
    Ok(Rendered { files, to_complete: filled.to_complete })
}
