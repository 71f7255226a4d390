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
use crate::model::operating_point;
use crate::model::run::{RunState, read_tuning_scores};
use crate::statistics::operating_point::OperatingPointRule;
use crate::storage;

/// Locks the model that was trained in a study, with its protocol's gate and rule, and records it in the
/// ledger.
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
    let lock = lock_run(&run_folder(&folder), &folder, study.protocol.gate.clone(), model.operating_point)?;
    let digests = BTreeMap::from([opening::lock_digest(&storage::read(&folder.join(lock::FILE))?)]);
    study.record(Event::ModelLocked, outside, digests, None)?;
    Ok(lock)
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
    let path = run.join("tuning-scores.csv");
    let Some(recorded) = state.tuning_scores_sha256 else {
        return Err(lock::incomplete(run, &state));
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
    let point = operating_point::choose(rule, &read_tuning_scores(&path, &bytes)?, found)
        .map_err(|problem| problem.at(Location::file(&path)))?;
    Lock::create(out, run, &state, gate, point)
}
