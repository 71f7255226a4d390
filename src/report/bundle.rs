//! From a bundle to what a document is made of: reads, decides nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Opening, Source, TrainingEpoch};
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::evidence::bag::Payload;
use crate::evidence::bundle::{self, Environment};
use crate::evidence::ledger::{Event, Ledger};
use crate::study::results::Results;

/// Everything a document prints, out of a bundle.
///
/// # Errors
/// `Error::Evidence` when a file is missing or cannot be understood.
pub fn from_bundle(payload: &Payload, root: Option<Digest>) -> Result<Source> {
    let results: Results = json(payload, bundle::RESULTS)?;
    let environment: Environment = json(payload, bundle::ENVIRONMENT)?;
    let protocol_text = bundle::text(payload, bundle::PROTOCOL)?.to_owned();
    let ledger =
        Ledger::parse(std::path::Path::new("data/ledger.jsonl"), bundle::file(payload, bundle::LEDGER)?)
            .map_err(crate::diagnostic::Error::Evidence)?;
    let openings = ledger
        .entries()
        .iter()
        .filter(|e| e.event == Event::TestSetOpened)
        .map(|e| Opening { date: e.at.clone(), reason: e.reason.clone() })
        .collect();
    let lock_path = bundle::path(bundle::MODEL, "lock.json")?;
    let lock: Option<Value> = match payload.get(&lock_path) {
        Some(_) => Some(json(payload, lock_path.as_str())?),
        None => None,
    };
    let mut digests: BTreeMap<String, String> =
        payload.iter().map(|(path, bytes)| (format!("data/{path}"), Digest::of(bytes).to_string())).collect();
    let weights = lock.as_ref().and_then(|l| l.get("weights")?.get("sha256")?.as_str());
    if let Some(weights) = weights {
        // The weights stay with the model; the lock in the bundle holds their digest.
        digests.insert("data/model/weights.safetensors".to_owned(), weights.to_owned());
    }
    let description_path = bundle::DESCRIPTION.parse().ok();
    let description = match description_path.and_then(|path| payload.get(&path)) {
        Some(_) => Some(json(payload, bundle::DESCRIPTION)?),
        None => None,
    };
    Ok(Source {
        description,
        device: toml_value(bundle::text(payload, bundle::DEVICE)?, bundle::DEVICE)?,
        protocol: toml_value(&protocol_text, bundle::PROTOCOL)?,
        protocol_text,
        training: training(lock.as_ref()),
        lock,
        root_digest: root.map(|r| r.to_string()).unwrap_or_default(),
        digests,
        run_id: environment.run,
        date: environment.created,
        openings,
        templates: bundle::templates(payload)?,
        program_version: results.method.program_version.clone(),
        results,
    })
}

fn json<T: serde::de::DeserializeOwned>(payload: &Payload, name: &str) -> Result<T> {
    serde_json::from_slice(bundle::file(payload, name)?).map_err(|e| bundle::unreadable(name, &e.to_string()))
}

fn toml_value(text: &str, name: &str) -> Result<Value> {
    toml::from_str::<Value>(text).map_err(|e| bundle::unreadable(name, e.message()))
}

/// The training curve, which the lock holds; stages are numbered in their order.
fn training(lock: Option<&Value>) -> Vec<TrainingEpoch> {
    let history = lock.and_then(|l| l.get("training")?.get("history")?.as_array());
    let mut stages: Vec<&str> = Vec::new();
    history
        .into_iter()
        .flatten()
        .filter_map(|epoch| {
            let number = |key: &str| epoch.get(key).and_then(Value::as_f64);
            let name = epoch.get("stage")?.as_str()?;
            if stages.last() != Some(&name) {
                stages.push(name);
            }
            Some(TrainingEpoch {
                epoch: number("epoch")? as u32,
                stage: stages.len() as u32,
                loss: number("training_loss")?,
                tuning_auc: number("tuning_auc"),
            })
        })
        .collect()
}
