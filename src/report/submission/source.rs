//! What a submission document is made of, and what it becomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::by_site::SiteFlow;
use super::identifiers::Identifiers;
use crate::dataset::describe::Description;
use crate::digest::RelativePath;
use crate::document::font::FontFile;
use crate::document::render::Look;
use crate::evidence::amendment::Amendment;
use crate::evidence::deviation::Deviation;
use crate::model::lock::Lock;
use crate::protocol::Protocol;
use crate::protocol::change::ChangePlan;
use crate::study::Derivation;
use crate::study::imports::BroughtFile;
use crate::study::results::Results;

/// Everything a document is made of: plain values, filled from the evidence bundle. No clock, no file.
#[derive(Clone, Debug)]
pub struct Source {
    /// `data/results.json`.
    pub results: Results,
    /// `data/device.toml` as a value; what is not there is printed as still to be completed.
    pub device: Value,
    /// `data/device.toml`, the exact text.
    pub device_text: String,
    /// `data/protocol.toml`.
    pub protocol: Protocol,
    /// `data/protocol.toml`, the exact text.
    pub protocol_text: String,
    /// `data/inputs/change/plan.toml`; `None` in a study without a change control plan.
    pub change_plan: Option<ChangePlan>,
    /// `data/model/lock.json`; `None` when the device was scored elsewhere.
    pub lock: Option<Lock>,
    /// Protocol and lock as templates see them.
    pub recorded: Recorded,
    /// `data/description.json`; `None` in a bundle that has none.
    pub description: Option<Description>,
    /// `data/derivation.csv`: one entry a sampled case; empty in a bundle that has none.
    pub derivation: Arc<[Derivation]>,
    /// The flow of cases at each site; empty where no site is recorded.
    pub flow_by_site: Arc<[SiteFlow]>,
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
    /// The user set the clock.
    pub clock_set: bool,
    /// How often the scores were looked at outside the protocol, from the ledger.
    pub examined: usize,
    /// Openings of the sealed test set, from the ledger, in order.
    pub openings: Vec<Opening>,
    /// Every step of the study, from the ledger, in order.
    pub steps: Vec<Step>,
    /// What made the evidence.
    pub maker: Maker,
    /// Ids of cases and patients, which no public document may hold.
    pub identifiers: Arc<Identifiers>,
    /// Changes of the protocol after it was locked, from ledger and texts, in order.
    pub amendments: Vec<Amendment>,
    /// Deviations from the protocol, in order.
    pub deviations: Vec<Deviation>,
    /// How the readers' files and tables of labels came in, as recorded, in order of their names.
    pub brought: Vec<BroughtFile>,
    /// Template name (`submission.md`, ...) → text. See `default_templates`.
    pub templates: BTreeMap<String, String>,
    /// The study's own fonts, from the bundle; the PDF takes what the built-in ones lack from them.
    pub fonts: Vec<FontFile>,
    /// Whether it is traced and not written.
    pub traced: bool,
    /// How drafts look; a document of the record does not know it.
    pub look: Look,
    /// `major.minor.patch` of the program that renders.
    pub program_version: String,
}

/// Files of the bundle as values: templates ask for a part of them by its path.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// `data/protocol.toml`.
    pub protocol: Value,
    /// `data/model/lock.json`.
    pub lock: Option<Value>,
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
    /// Mean loss on the tuning split, where it was evaluated.
    pub tuning_loss: Option<f64>,
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
    /// Who opened it, in which role, or "not recorded".
    pub by: String,
}

/// A step of the study, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub date: String,
    /// What: `protocol-locked`, ...
    pub event: &'static str,
    /// Who, in which role, or "not recorded".
    pub by: String,
    /// Why, where somebody said so.
    pub reason: Option<String>,
}

/// What made the evidence, as it is recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maker {
    /// `sequester 0.2.0`.
    pub program: String,
    /// Operating system and architecture.
    pub platform: String,
    /// Digest of the list of the program's libraries with their versions.
    pub libraries_sha256: String,
}

/// What was rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// `report.html`, `report.pdf` (feature `pdf`), `report.md`, `figures/*.svg`.
    pub files: BTreeMap<RelativePath, Vec<u8>>,
    /// Fields of `device.toml` that are still empty, as the document lists them.
    pub to_complete: Vec<String>,
}
