//! A trained model becomes the model: weights, gate and operating point, once.

use std::collections::BTreeMap;
use std::path::Path;

use super::outside::Outside;
use super::study::{Study, run_folder};
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::evidence::opening;
use crate::model::lock::{self, Lock};
use crate::model::operating_point::{self, OperatingPoint};
use crate::model::run::{RunState, read_tuning_scores};
use crate::statistics::operating_point::OperatingPointRule;
use crate::storage;

/// Locks the model that was trained in a study, with its protocol's gate and rule, and records it in the
/// ledger. A lock of this very run that a command wrote and was interrupted before it could record it is
/// recorded.
///
/// # Errors
/// `Error::Lock` when the model is locked already; `run-missing`, `run-incomplete`, `run-damaged`.
pub fn lock_study(study: &Study, outside: &Outside<'_>) -> Result<Lock> {
    let Some(model) = &study.protocol.model else {
        return Err(Diagnostic::error(Code::ModelNotDeclared, "the protocol trains no model")
            .at(Location::file(study.folder.join("protocol.toml")))
            .hint("declare `[model] experiment = \"experiment.toml\"` and `data.development`")
            .into());
    };
    study.lock_protocol(outside)?;
    let folder = study.model_folder();
    let (run, gate, rule) = (run_folder(&folder), study.protocol.gate.clone(), model.operating_point);
    let lock = match unrecorded(study, &folder, &run, &gate, rule)? {
        Some(lock) => lock,
        None => lock_run(&run, &folder, gate, rule)?,
    };
    let digests = BTreeMap::from([opening::lock_digest(&storage::read(&folder.join(lock::FILE))?)]);
    study.record(Event::ModelLocked, outside, digests, None)?;
    Ok(lock)
}

/// The lock of this run that lies there and that the ledger does not name; `None` for any other.
fn unrecorded(
    study: &Study,
    folder: &Path,
    run: &Path,
    gate: &Gate,
    rule: OperatingPointRule,
) -> Result<Option<Lock>> {
    let path = folder.join(lock::FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let there = storage::read(&path)?;
    let digests = BTreeMap::from([opening::lock_digest(&there)]);
    let is_recorded =
        study.ledger()?.entries().iter().any(|e| e.event == Event::ModelLocked && e.digests == digests);
    let Some(state) = RunState::read(run)?.filter(|_| !is_recorded) else { return Ok(None) };
    let Ok(point) = chosen(run, &state, rule) else { return Ok(None) };
    let (lock, _) = Lock::of(run, &state, gate.clone(), point)?;
    Ok((lock.to_bytes()? == there).then_some(lock))
}

/// Locks a complete run.
///
/// # Errors
/// `Error::Lock` when the model is locked already; `run-missing`, `run-incomplete`, `run-damaged`.
pub fn lock_run(run: &Path, out: &Path, gate: Gate, rule: OperatingPointRule) -> Result<Lock> {
    Lock::refuse_second(out)?;
    let Some(state) = RunState::read(run)? else {
        return Err(Diagnostic::error(Code::RunMissing, "there is no training run here")
            .at(Location::file(run))
            .hint("`sequester train` makes one")
            .into());
    };
    let point = chosen(run, &state, rule)?;
    Lock::create(out, run, &state, gate, point)
}

/// The operating point that a rule gives of a run's tuning scores.
fn chosen(run: &Path, state: &RunState, rule: OperatingPointRule) -> Result<OperatingPoint> {
    let path = run.join("tuning-scores.csv");
    let Some(recorded) = state.tuning_scores_sha256 else {
        return Err(lock::incomplete(run, state));
    };
    let bytes = storage::read(&path)?;
    let found = Digest::of(&bytes);
    if found != recorded {
        let message =
            format!("the tuning scores changed since the run wrote them: recorded {recorded}, found {found}");
        return Err(Diagnostic::error(Code::RunDamaged, message)
            .at(Location::file(&path))
            .hint("restore the file, or train again in another folder")
            .into());
    }
    let point = operating_point::choose(rule, &read_tuning_scores(&path, &bytes)?, found);
    Ok(point.map_err(|problem| problem.at(Location::file(&path)))?)
}
