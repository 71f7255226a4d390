//! From a bundle to what a document is made of: reads, decides nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::by_site;
use super::identifiers::Identifiers;
use super::source::{Maker, Opening, Recorded, Source, Step, TrainingEpoch};
use crate::diagnostic::{Error, Result};
use crate::digest::Digest;
use crate::document::font::FontFile;
use crate::document::render::Look;
use crate::evidence::amendment;
use crate::evidence::bag::Payload;
use crate::evidence::bundle::{self, Environment};
use crate::evidence::deviation;
use crate::evidence::ledger::{Event, Ledger};
use crate::model::lock::Lock;
use crate::study::Derivation;
use crate::study::imports::BroughtFile;
use crate::study::results::Results;

/// Everything a document prints, out of a bundle.
///
/// # Errors
/// `Error::Evidence` when a file is missing or cannot be understood; `format-unknown` for another format.
pub fn from_bundle(payload: &Payload, root: Option<Digest>) -> Result<Source> {
    bundle::readable(payload)?;
    let results: Results = json(payload, bundle::RESULTS)?;
    let environment: Environment = json(payload, bundle::ENVIRONMENT)?;
    let protocol_text = bundle::text(payload, bundle::PROTOCOL)?.to_owned();
    let ledger = Ledger::parse(Path::new("data/ledger.jsonl"), bundle::file(payload, bundle::LEDGER)?)
        .map_err(Error::Evidence)?;
    let of = |event: Event| {
        let entries = ledger.entries().iter().filter(move |e| e.event == event);
        entries.map(|e| Opening { date: e.at.clone(), reason: e.reason.clone(), by: e.who() })
    };
    let openings = of(Event::TestSetOpened).collect();
    let steps = ledger.entries().iter().map(|e| Step {
        date: e.at.clone(),
        event: e.event.name(),
        by: e.who(),
        reason: e.reason.clone(),
    });
    let amendments = amendment::amendments(ledger.entries(), payload);
    let deviations = match payload.get(&bundle::path("", bundle::DEVIATIONS)?) {
        Some(bytes) => {
            deviation::parse(Path::new("data/deviations.toml"), &bytes.read()).map_err(Error::Evidence)?
        }
        None => Vec::new(),
    };
    let lock_path = bundle::path(bundle::MODEL, "lock.json")?;
    let (lock, recorded): (Option<Lock>, Option<Value>) = match payload.get(&lock_path) {
        Some(_) => (Some(json(payload, lock_path.as_str())?), Some(json(payload, lock_path.as_str())?)),
        None => (None, None),
    };
    let mut digests: BTreeMap<String, String> =
        payload.iter().map(|(path, bytes)| (format!("data/{path}"), bytes.digest().to_string())).collect();
    if let Some(lock) = &lock {
        // The weights stay with the model; the lock in the bundle holds their digest.
        digests.insert("data/model/weights.safetensors".to_owned(), lock.weights.sha256.to_string());
    }
    let description_path = bundle::DESCRIPTION.parse().ok();
    let description = match description_path.and_then(|path| payload.get(&path)) {
        Some(_) => Some(json(payload, bundle::DESCRIPTION)?),
        None => None,
    };
    let derivation: Arc<[Derivation]> = match payload.get(&bundle::path("", bundle::DERIVATION)?) {
        Some(bytes) => Derivation::parse(Path::new("data/derivation.csv"), &bytes.read())
            .map_err(Error::Evidence)?
            .into(),
        None => Arc::default(),
    };
    let device_text = bundle::text(payload, bundle::DEVICE)?.to_owned();
    let protocol =
        crate::protocol::parse(Path::new("data/protocol.toml"), &protocol_text).map_err(Error::Evidence)?;
    let change_path = bundle::path(bundle::INPUTS, crate::protocol::change::PLAN)?;
    let change_plan = match payload.get(&change_path) {
        Some(bytes) => Some(crate::study::change::read_plan(Path::new(change_path.as_str()), &bytes.read())?),
        None => None,
    };
    Ok(Source {
        change_plan,
        brought: BroughtFile::all(&bundle::inputs(payload)?).map_err(Error::Evidence)?,
        derivation,
        flow_by_site: by_site::flow_by_site(payload, &protocol)?.into(),
        description,
        device: toml_value(&device_text, bundle::DEVICE)?,
        device_text,
        steps: steps.collect(),
        maker: Maker {
            program: environment.program,
            platform: environment.platform,
            libraries_sha256: environment.cargo_lock_sha256,
        },
        identifiers: Arc::new(identifiers(payload)?),
        protocol,
        recorded: Recorded { protocol: toml_value(&protocol_text, bundle::PROTOCOL)?, lock: recorded },
        protocol_text,
        training: training(lock.as_ref()),
        lock,
        root_digest: root.map(|r| r.to_string()).unwrap_or_default(),
        digests,
        clock_set: environment.clock.is_some(),
        examined: ledger.count(Event::ScoresExamined),
        run_id: environment.run,
        date: environment.created,
        openings,
        amendments,
        deviations,
        templates: bundle::templates(payload)?,
        traced: false,
        look: Look::default(),
        fonts: fonts_of(payload),
        program_version: results.method.program_version.clone(),
        results,
    })
}

/// Ids of cases and patients, from the table of every case considered.
fn identifiers(payload: &Payload) -> Result<Identifiers> {
    let Some(bytes) = payload.get(&bundle::path("", bundle::CASES)?) else {
        return Ok(Identifiers::default());
    };
    let found = Identifiers::of_table(bytes.reader(), &["case_id", "patient_id"]);
    found.map_err(|e| bundle::unreadable(bundle::CASES, &e.to_string()))
}

/// The fonts that a bundle brings along.
pub fn fonts_of(payload: &Payload) -> Vec<FontFile> {
    let fonts = bundle::below(payload, bundle::FONTS).into_iter();
    fonts.map(|(path, bytes)| FontFile { name: path.to_string(), bytes: bytes.read().into_owned() }).collect()
}

fn json<T: serde::de::DeserializeOwned>(payload: &Payload, name: &str) -> Result<T> {
    serde_json::from_slice(bundle::file(payload, name)?).map_err(|e| bundle::unreadable(name, &e.to_string()))
}

fn toml_value(text: &str, name: &str) -> Result<Value> {
    toml::from_str::<Value>(text).map_err(|e| bundle::unreadable(name, e.message()))
}

/// The training curve, which the lock holds; stages are numbered in their order.
fn training(lock: Option<&Lock>) -> Vec<TrainingEpoch> {
    let mut stages: Vec<&str> = Vec::new();
    let history = lock.map_or(&[][..], |lock| &lock.training.history);
    history
        .iter()
        .map(|epoch| {
            if stages.last() != Some(&epoch.stage.as_str()) {
                stages.push(&epoch.stage);
            }
            TrainingEpoch {
                epoch: epoch.epoch,
                stage: stages.len() as u32,
                loss: epoch.training_loss,
                tuning_loss: Some(epoch.tuning_loss),
                tuning_auc: Some(epoch.tuning_auc),
            }
        })
        .collect()
}
