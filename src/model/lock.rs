//! The model lock: `weights.safetensors`, and `lock.json`, which says what they are, what may be scored
//! with them, and how a score becomes a call. Written once; scoring refuses weights that do not match it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use super::curve::EpochRecord;
use super::operating_point::OperatingPoint;
use super::preprocessing::Preprocessing;
use super::run::{InitialStatement, Inputs, RunState, pretty};
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::storage;

/// Version of `lock.json`. A reader refuses any other; the number rises when a key changes its meaning.
pub const FORMAT: &str = "sequester-lock/1";
/// Name of the lock within the model's folder.
pub const FILE: &str = "lock.json";
/// Name of the weights within the model's folder.
pub const WEIGHTS: &str = "weights.safetensors";

/// What the run leaves beside the lock for documents and for auditors.
const COPIED: [&str; 5] = [
    "experiment.toml",
    "training.jsonl",
    "tuning-scores.csv",
    "training-manifest.csv",
    "tuning-manifest.csv",
];

/// The exact versions of every dependency this program was built with.
const CARGO_LOCK: &[u8] = include_bytes!("../../Cargo.lock");

/// Everything that makes a locked model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub format: String,
    /// The network.
    pub architecture: Architecture,
    /// Layers of its base, see [`Architecture::layers`].
    pub base_layers: usize,
    /// The weights' file.
    pub weights: WeightsFile,
    /// From an image to the network's input.
    pub preprocessing: Preprocessing,
    /// Which images are scored at all.
    pub gate: Gate,
    /// How a score becomes a call.
    pub operating_point: OperatingPoint,
    /// The whole experiment with its layers resolved, and digests of its file and of its data.
    pub experiment: Inputs,
    /// What came out.
    pub training: TrainingSummary,
    /// Which program trained and locked.
    pub code: Program,
    /// Where.
    pub environment: Environment,
}

/// A file with its digest and length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WeightsFile {
    /// Relative to the lock.
    pub path: RelativePath,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its length.
    pub bytes: u64,
}

/// What came out of the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrainingSummary {
    /// Epochs that ran.
    pub epochs: u32,
    /// The one whose weights are locked, from 1.
    pub best_epoch: u32,
    /// Its area under the ROC curve on the tuning cases: it chose the epoch, it is not a performance claim.
    pub tuning_auc: f64,
    /// The curve.
    pub history: Vec<EpochRecord>,
}

/// Which program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Version of Sequester.
    pub version: String,
    /// Digest of its list of exact dependency versions.
    pub cargo_lock_sha256: Digest,
}

impl Program {
    /// This program.
    pub fn this() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), cargo_lock_sha256: Digest::of(CARGO_LOCK) }
    }
}

/// Where the training ran. The same weights on another processor may differ in the last digits of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Version of libtorch, and the device unless it is the processor.
    pub libtorch: String,
    /// Threads inside libtorch for one image: always 1, so the number of workers does not change results.
    pub threads_per_worker: u32,
}

/// The digest by which ledgers, bundles and exports name a lock: of its exact bytes.
pub fn digest_of(lock: &[u8]) -> Digest {
    Digest::of(lock)
}

/// The same for the lock in a model's folder.
///
/// # Errors
/// When it cannot be read.
pub fn digest(folder: &Path) -> Result<Digest> {
    Ok(digest_of(&storage::read(&folder.join(FILE))?))
}

impl Lock {
    /// Reads `lock.json` of a model's folder.
    ///
    /// # Errors
    /// `lock-missing`, `lock-unreadable`, `lock-format` as [`Error::Lock`].
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(violated(
                Diagnostic::error(Code::LockMissing, "the model is not locked: there is no lock.json")
                    .at(Location::file(&path))
                    .hint("train and lock a model first: `sequester train`, then `sequester lock`"),
            ));
        }
        Self::from_bytes(&storage::read(&path)?, &path)
    }

    /// The same from bytes; `path` is for messages.
    ///
    /// # Errors
    /// As [`Lock::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: String,
        }
        let unreadable = |e: serde_json::Error| {
            let line = u64::try_from(e.line()).ok();
            violated(
                Diagnostic::error(Code::LockUnreadable, format!("this is not a model lock: {e}"))
                    .at(Location { path: path.into(), line, column: None })
                    .hint("a lock is never edited; restore it from where it was archived"),
            )
        };
        let version: Version = serde_json::from_slice(bytes).map_err(unreadable)?;
        if version.format != FORMAT {
            let message = format!("format is \"{}\", this program reads \"{FORMAT}\"", version.format);
            return Err(violated(Diagnostic::error(Code::LockFormat, message).at(Location::file(path))));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// The bytes that `lock.json` holds.
    ///
    /// # Errors
    /// None that memory does not give.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(pretty(self)?.into_bytes())
    }

    /// Where the weights are.
    pub fn weights_path(&self, folder: &Path) -> PathBuf {
        self.weights.path.below(folder)
    }

    /// Checks that the weights in the folder are those that were locked.
    ///
    /// # Errors
    /// `weights-not-there` and `weights-differ` as [`Error::Lock`].
    pub fn verify_weights(&self, folder: &Path) -> Result<()> {
        self.read_weights(folder).map(drop)
    }

    /// The bytes of the locked weights: read once, checked, and then used.
    ///
    /// # Errors
    /// As [`Lock::verify_weights`].
    pub fn read_weights(&self, folder: &Path) -> Result<Vec<u8>> {
        let path = self.weights_path(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(violated(
                    Diagnostic::error(Code::WeightsNotThere, "the locked weights are missing")
                        .at(Location::file(&path))
                        .hint(format!("restore the file whose SHA-256 is {}", self.weights.sha256)),
                ));
            }
            Err(e) => return Err(Error::io("read", &path, &e)),
        };
        let found = Digest::of(&bytes);
        if found == self.weights.sha256 {
            return Ok(bytes);
        }
        Err(violated(
            Diagnostic::error(
                Code::WeightsDiffer,
                format!(
                    "the weights are not those that were locked: locked {} ({} bytes), found {found} ({} \
                     bytes)",
                    self.weights.sha256,
                    self.weights.bytes,
                    bytes.len()
                ),
            )
            .at(Location::file(&path))
            .hint(
                "restore the locked weights; a changed model is a new model and needs its own lock and \
                study",
            ),
        ))
    }

    /// Locks the best weights of a complete run: writes the weights, then the lock, which makes it a model.
    ///
    /// # Errors
    /// `already-locked` as [`Error::Lock`] when the folder has a lock; `run-incomplete` when training is not
    /// complete; what writing reports.
    pub fn create(
        folder: &Path,
        run: &Path,
        state: &RunState,
        gate: Gate,
        point: OperatingPoint,
    ) -> Result<Self> {
        Self::refuse_second(folder)?;
        let (lock, weights) = Self::of(run, state, gate, point)?;
        for name in COPIED {
            if run.join(name).is_file() {
                storage::write_atomic(&folder.join(name), &storage::read(&run.join(name))?)?;
            }
        }
        storage::write_atomic(&lock.weights_path(folder), &weights)?;
        storage::write_atomic(&folder.join(FILE), &lock.to_bytes()?)?;
        Ok(lock)
    }

    /// The lock that a complete run gives, and its weights; nothing is written.
    ///
    /// # Errors
    /// `run-incomplete`; `run-damaged` where the weights are not those that the run recorded.
    pub fn of(run: &Path, state: &RunState, gate: Gate, point: OperatingPoint) -> Result<(Self, Vec<u8>)> {
        let (Some(best), true) = (&state.best, state.is_complete()) else {
            return Err(incomplete(run, state));
        };
        let weights = RunState::recorded_bytes(run, &best.weights)?;
        let experiment = &state.inputs.experiment;
        let lock = Self {
            format: FORMAT.to_owned(),
            architecture: experiment.architecture,
            base_layers: experiment.architecture.layers(),
            weights: WeightsFile {
                path: WEIGHTS.parse().map_err(|_| Diagnostic::error(Code::Path, "the weights' name"))?,
                sha256: best.weights.sha256,
                bytes: weights.len() as u64,
            },
            preprocessing: experiment.preprocessing.clone(),
            gate,
            operating_point: point,
            experiment: state.inputs.clone(),
            training: TrainingSummary {
                epochs: state.epochs_done,
                best_epoch: best.epoch,
                tuning_auc: best.tuning_auc,
                history: state.history.iter().cloned().map(|r| EpochRecord { seconds: None, ..r }).collect(),
            },
            code: Program::this(),
            environment: Environment {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                libtorch: state.libtorch.clone(),
                threads_per_worker: 1,
            },
        };
        Ok((lock, weights))
    }

    /// Refuses a folder that has a lock.
    ///
    /// # Errors
    /// `already-locked` as [`Error::Lock`].
    pub fn refuse_second(folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(());
        }
        Err(violated(
            Diagnostic::error(Code::AlreadyLocked, "this model is locked; a lock is never replaced")
                .at(Location::file(&path))
                .hint("train and lock another model in another folder"),
        ))
    }

    /// What the base started from.
    pub fn initial_weights(&self) -> &InitialStatement {
        &self.experiment.initial_weights
    }
}

/// A run that cannot be locked yet.
pub fn incomplete(run: &Path, state: &RunState) -> Error {
    let (done, all) = (state.epochs_done, state.inputs.experiment.epochs());
    Diagnostic::error(
        Code::RunIncomplete,
        format!("the training is not complete: {done} of {all} epochs are done"),
    )
    .at(Location::file(run))
    .hint("run `sequester train` again: it continues where it stopped")
    .into()
}

fn violated(diagnostic: Diagnostic) -> Error {
    Error::Lock(vec![diagnostic])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::curve::EpochRecord;
    use crate::model::operating_point::choose;
    use crate::model::run::tests::inputs;
    use crate::model::run::{Best, Recorded, TuningScore};
    use crate::statistics::operating_point::OperatingPointRule;

    fn complete(run: &Path) -> RunState {
        let bytes = b"weights";
        storage::write_atomic(&run.join("best-3.safetensors"), bytes).expect("writes");
        let mut state = RunState::new(inputs(), "2.13.0".to_owned());
        for stage in state.inputs.experiment.stages.clone() {
            for _ in 0..stage.epochs {
                state.epochs_done += 1;
                state.history.push(EpochRecord {
                    epoch: state.epochs_done,
                    stage: stage.name.clone(),
                    learning_rate: stage.learning_rate,
                    training_loss: 0.5,
                    tuning_loss: 0.5,
                    tuning_auc: 0.8,
                    shard_size: None,
                    seconds: Some(1.0),
                });
            }
        }
        state.tuning_scores_sha256 = Some(Digest::of(b"scores"));
        let weights = Recorded { file: "best-3.safetensors".to_owned(), sha256: Digest::of(bytes) };
        state.best = Some(Best { epoch: 3, tuning_auc: 0.8, weights });
        state
    }

    fn point() -> OperatingPoint {
        let row = |label, score| TuningScore { case_id: "c".into(), patient_id: "p".into(), label, score };
        choose(OperatingPointRule::Youden, &[row(true, 0.7), row(false, 0.2)], Digest::of(b"scores"))
            .expect("chooses")
    }

    fn locked() -> (tempfile::TempDir, Lock) {
        let folder = tempfile::tempdir().expect("folder");
        let run = folder.path().join("run");
        let lock =
            Lock::create(folder.path(), &run, &complete(&run), Gate::default(), point()).expect("locks");
        (folder, lock)
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written_and_its_weights_verify() {
        let (folder, lock) = locked();
        assert_eq!(Lock::read(folder.path()).expect("reads"), lock);
        lock.verify_weights(folder.path()).expect("intact");
        assert_eq!(
            lock.initial_weights().describe().split(';').next(),
            Some("random initialisation of all layers, seed 5")
        );
    }

    #[test]
    fn locking_twice_is_refused_with_exit_code_30() {
        let (folder, _) = locked();
        let run = folder.path().join("run");
        let again = Lock::create(folder.path(), &run, &complete(&run), Gate::default(), point());
        let error = again.expect_err("refused");
        assert_eq!((error.exit_code(), error.diagnostics()[0].code.as_str()), (30, "already-locked"));
    }

    #[test]
    fn changed_or_missing_weights_are_refused_with_exit_code_30() {
        let (folder, lock) = locked();
        let path = lock.weights_path(folder.path());
        storage::write_atomic(&path, b"weightz").expect("writes");
        let error = lock.verify_weights(folder.path()).expect_err("changed");
        assert_eq!((error.exit_code(), error.diagnostics()[0].code.as_str()), (30, "weights-differ"));
        std::fs::remove_file(&path).expect("removes");
        let error = lock.verify_weights(folder.path()).expect_err("missing");
        assert_eq!((error.exit_code(), error.diagnostics()[0].code.as_str()), (30, "weights-not-there"));
    }

    #[test]
    fn an_edited_or_foreign_lock_is_refused_with_exit_code_30() {
        let (folder, lock) = locked();
        let text = String::from_utf8(lock.to_bytes().expect("writes")).expect("text");
        for (changed, code) in [
            (text.replace("sequester-lock/1", "sequester-lock/9"), "lock-format"),
            (text.replace("\"threshold\": 0.7", "\"threshold\": \"0.7\""), "lock-unreadable"),
            (text.replace("\"architecture\"", "\"architektur\""), "lock-unreadable"),
            (text[..text.len() / 2].to_owned(), "lock-unreadable"),
        ] {
            let error = Lock::from_bytes(changed.as_bytes(), Path::new("lock.json")).expect_err(code);
            assert_eq!((error.exit_code(), error.diagnostics()[0].code.as_str()), (30, code));
        }
        std::fs::remove_file(folder.path().join(FILE)).expect("removes");
        assert_eq!(Lock::read(folder.path()).expect_err("none").exit_code(), 30);
    }

    #[test]
    fn an_unfinished_run_cannot_be_locked() {
        let folder = tempfile::tempdir().expect("folder");
        let mut state = complete(folder.path());
        state.tuning_scores_sha256 = None;
        let refused = Lock::create(&folder.path().join("m"), folder.path(), &state, Gate::default(), point());
        assert_eq!(refused.expect_err("unfinished").diagnostics()[0].code.as_str(), "run-incomplete");
        assert!(!folder.path().join("m").exists());
    }
}
