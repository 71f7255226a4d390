//! What a training leaves on disk: manifests of its cases, its state for resuming, its curve, its tuning
//! scores. Knows no tensor library, so that `lock` and documents read a run on any build.
//!
//! ```text
//! run/
//!   training-manifest.csv  tuning-manifest.csv   case, patient, label, digest of the image file
//!   state.json                                   where the training stands; names the files below
//!   checkpoint-<n>.safetensors                   weights and Adam's moments after <n> saves
//!   best-<epoch>.safetensors                     weights of the best epoch so far
//!   training.jsonl                               one line an epoch
//!   training.svg                                 the same as a figure, when the training is complete
//!   tuning-scores.csv                            scores of the best weights, when the training is complete
//!   cache/                                       derived, deleted when the training is complete
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::curve::EpochRecord;
use super::experiment::Experiment;
use super::schedule;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::storage;
use crate::table::labelled::{LabelledScores, Wanted};

/// Version of `state.json`. A reader refuses any other.
pub const FORMAT: &str = "sequester-run/1";

/// One case of the development data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Unique.
    pub case_id: String,
    /// Images of one patient share it.
    pub patient_id: String,
    /// The source label.
    pub label: bool,
    /// Where it was acquired, where the table says so.
    pub site: Option<String>,
    /// The image file.
    pub image: PathBuf,
}

/// What is known of one side of the split, for the lock and for documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SideSummary {
    /// Images.
    pub cases: u64,
    /// Images with a positive label.
    pub positives: u64,
    /// Patients.
    pub patients: u64,
    /// Digest of the manifest's bytes.
    pub manifest_sha256: Digest,
    /// Digest of the patients' ids, sorted, one a line.
    pub patients_sha256: Digest,
}

/// The manifest of one side: `case_id,patient_id,label,image_sha256`, and `site` where one is known, sorted
/// by case. From it the sites of development are told from those of a study.
///
/// # Errors
/// None that memory does not give.
pub fn manifest(samples: &[Sample], digests: &[Digest]) -> Result<(Vec<u8>, SideSummary)> {
    let mut rows: Vec<(&Sample, &Digest)> = samples.iter().zip(digests).collect();
    rows.sort_by(|a, b| a.0.case_id.cmp(&b.0.case_id));
    let cells = |sample: &Sample, digest: &Digest| {
        let label = if sample.label { "1" } else { "0" };
        [sample.case_id.clone(), sample.patient_id.clone(), label.to_owned(), digest.to_string()]
    };
    let header = ["case_id", "patient_id", "label", "image_sha256"];
    let bytes = if samples.iter().any(|sample| sample.site.is_some()) {
        let [a, b, c, d] = header;
        let table = rows.iter().map(|(sample, digest)| {
            let [a, b, c, d] = cells(sample, digest);
            [a, b, c, d, sample.site.clone().unwrap_or_default()]
        });
        csv_bytes([a, b, c, d, "site"], table)?
    } else {
        csv_bytes(header, rows.iter().map(|(sample, digest)| cells(sample, digest)))?
    };
    let mut patients: Vec<&str> = samples.iter().map(|sample| sample.patient_id.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let listed: String = patients.iter().map(|id| format!("{id}\n")).collect();
    let summary = SideSummary {
        cases: samples.len() as u64,
        positives: samples.iter().filter(|sample| sample.label).count() as u64,
        patients: patients.len() as u64,
        manifest_sha256: Digest::of(&bytes),
        patients_sha256: Digest::of(listed.as_bytes()),
    };
    Ok((bytes, summary))
}

/// A file of the run with its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Name within the run's folder.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// The best epoch so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Its area under the ROC curve on the tuning cases.
    pub tuning_auc: f64,
    /// Its weights.
    pub weights: Recorded,
}

/// Everything a run is made of; two trainings with equal inputs give equal weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The experiment with its layers resolved.
    pub experiment: Experiment,
    /// Digest of the experiment's file.
    pub experiment_sha256: Digest,
    /// What the base started from, in words that documents print.
    pub initial_weights: InitialStatement,
    /// The training side.
    pub training: SideSummary,
    /// The tuning side.
    pub tuning: SideSummary,
    /// Whether any case was made by a program.
    pub synthetic: bool,
}

/// What the base started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum InitialStatement {
    /// Drawn at random.
    Random {
        /// Seed of the draw.
        seed: u64,
    },
    /// Taken from a file.
    File {
        /// Name of the file.
        name: String,
        /// Digest of its bytes.
        sha256: Digest,
        /// Whether the head came from the file as well, or was drawn at random.
        with_head: bool,
    },
}

impl InitialStatement {
    /// For documents.
    pub fn describe(&self) -> String {
        match self {
            Self::Random { seed } => {
                format!("random initialisation of all layers, seed {seed}; no pretrained weights were used")
            }
            Self::File { name, sha256, with_head } => {
                let head = if *with_head { "base and head" } else { "base; the head was drawn at random" };
                format!("{name}, SHA-256 {sha256} ({head})")
            }
        }
    }
}

/// `state.json`: replaced in one step, after the files it names are on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// [`FORMAT`].
    pub format: String,
    /// What is trained, and on what.
    pub inputs: Inputs,
    /// Version of libtorch that the program was built with, and the device unless it is the processor.
    pub libtorch: String,
    /// Number of the last save; names the checkpoint.
    pub saves: u64,
    /// Weights and Adam's moments as they stand; `None` before the first step.
    pub checkpoint: Option<Recorded>,
    /// Epochs that are done.
    pub epochs_done: u32,
    /// Batches of the next epoch that are done already.
    pub batches_done: u64,
    /// Sum of the losses of those batches.
    pub loss_sum: f64,
    /// Seconds spent on those batches.
    pub seconds: f64,
    /// Steps of the optimiser in the current stage.
    pub steps: u64,
    /// Images a shard, where memory forced fewer than declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_size: Option<usize>,
    /// The curve.
    pub history: Vec<EpochRecord>,
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Digest of `tuning-scores.csv` when the training is complete.
    pub tuning_scores_sha256: Option<Digest>,
}

impl RunState {
    /// A run that has not begun.
    pub fn new(inputs: Inputs, libtorch: String) -> Self {
        Self {
            format: FORMAT.to_owned(),
            inputs,
            libtorch,
            saves: 0,
            checkpoint: None,
            epochs_done: 0,
            batches_done: 0,
            loss_sum: 0.0,
            seconds: 0.0,
            steps: 0,
            shard_size: None,
            history: Vec::new(),
            best: None,
            tuning_scores_sha256: None,
        }
    }

    /// Whether every epoch is done and the tuning cases are scored.
    pub fn is_complete(&self) -> bool {
        schedule::position(&self.inputs.experiment.stages, &self.history).is_none()
            && self.tuning_scores_sha256.is_some()
    }

    /// Reads `state.json`; `None` when the folder has none.
    ///
    /// # Errors
    /// `run-unreadable` when it is not the state of a run.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join("state.json");
        if !path.exists() {
            return Ok(None);
        }
        let wrong = |message: String| {
            Error::from(
                Diagnostic::error(Code::RunUnreadable, message)
                    .at(Location::file(&path))
                    .hint("move the run folder away and train again"),
            )
        };
        let state: Self = serde_json::from_slice(&storage::read(&path)?).map_err(|e| wrong(e.to_string()))?;
        if state.format != FORMAT {
            return Err(wrong(format!("format is \"{}\", this program reads \"{FORMAT}\"", state.format)));
        }
        Ok(Some(state))
    }

    /// Replaces `state.json` and `training.jsonl`.
    ///
    /// # Errors
    /// When they cannot be written; the old ones are then untouched.
    pub fn write(&self, run: &Path) -> Result<()> {
        let mut lines = String::new();
        for record in &self.history {
            lines.push_str(&json(record)?);
            lines.push('\n');
        }
        storage::write_atomic(&run.join("training.jsonl"), lines.as_bytes())?;
        storage::write_atomic(&run.join("state.json"), pretty(self)?.as_bytes())
    }

    /// What separates a run's inputs from others, in words; empty: nothing.
    pub fn differences(&self, inputs: &Inputs, libtorch: &str) -> Vec<String> {
        let mut differences = Vec::new();
        let mut differ = |same: bool, what: &str| {
            if !same {
                differences.push(what.to_owned());
            }
        };
        let ours = &self.inputs;
        differ(ours.experiment_sha256 == inputs.experiment_sha256, "the experiment file");
        differ(ours.experiment == inputs.experiment, "the experiment");
        differ(ours.initial_weights == inputs.initial_weights, "the initial weights");
        differ(ours.training == inputs.training, "the training cases or their images");
        differ(ours.tuning == inputs.tuning, "the tuning cases or their images");
        differ(ours.synthetic == inputs.synthetic, "the origin of the cases");
        differ(self.libtorch == libtorch, "the version of libtorch or the device");
        differences
    }

    /// A file that the state names, with its digest checked.
    ///
    /// # Errors
    /// `run-damaged` when its bytes are not those that were recorded.
    pub fn recorded_bytes(run: &Path, recorded: &Recorded) -> Result<Vec<u8>> {
        let path = run.join(&recorded.file);
        let bytes = storage::read(&path)?;
        let found = Digest::of(&bytes);
        if found == recorded.sha256 {
            return Ok(bytes);
        }
        Err(Diagnostic::error(
            Code::RunDamaged,
            format!("the file changed since the run wrote it: recorded {}, found {found}", recorded.sha256),
        )
        .at(Location::file(&path))
        .hint("move the run folder away and train again")
        .into())
    }
}

/// A tuning case's score.
#[derive(Clone, Debug, PartialEq)]
pub struct TuningScore {
    /// The case.
    pub case_id: String,
    /// Its patient.
    pub patient_id: String,
    /// Its source label.
    pub label: bool,
    /// Probability in 0..=1.
    pub score: f64,
}

impl TuningScore {
    /// The rows of a table of labelled scores, in its order; without clusters no patient is named.
    pub fn of_table(table: LabelledScores) -> Vec<Self> {
        let LabelledScores { cases, labels, scores, clusters, .. } = table;
        let patient = |nth: usize| {
            clusters.as_ref().map_or_else(String::new, |c| c.levels[c.ids[nth] as usize].clone())
        };
        let rows = cases.into_iter().zip(labels).zip(scores).enumerate();
        rows.map(|(nth, ((case_id, label), score))| Self { case_id, patient_id: patient(nth), label, score })
            .collect()
    }
}

/// `tuning-scores.csv`: `case_id,patient_id,label,score`, sorted by case.
///
/// # Errors
/// None that memory does not give.
pub fn tuning_scores_csv(scores: &[TuningScore]) -> Result<Vec<u8>> {
    let mut rows: Vec<&TuningScore> = scores.iter().collect();
    rows.sort_by(|a, b| a.case_id.cmp(&b.case_id));
    let table = rows.into_iter().map(|row| {
        let label = if row.label { "1" } else { "0" };
        [row.case_id.clone(), row.patient_id.clone(), label.to_owned(), row.score.to_string()]
    });
    csv_bytes(["case_id", "patient_id", "label", "score"], table)
}

/// Reads `tuning-scores.csv`.
///
/// # Errors
/// What [`LabelledScores::parse`] refuses, and a score outside 0..=1.
pub fn read_tuning_scores(path: &Path, bytes: &[u8]) -> Result<Vec<TuningScore>> {
    let columns = Wanted {
        label: "label",
        score: "score",
        case: Some("case_id"),
        cluster: Some("patient_id"),
        probability: true,
        ..Wanted::default()
    };
    LabelledScores::parse(path, bytes, &columns).map(TuningScore::of_table).map_err(Error::Input)
}

fn csv_bytes<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Result<Vec<u8>> {
    let wrong = |e: String| Error::from(Diagnostic::error(Code::TableUnwritable, e));
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(header).map_err(|e| wrong(e.to_string()))?;
    for row in rows {
        out.write_record(&row).map_err(|e| wrong(e.to_string()))?;
    }
    out.into_inner().map_err(|e| wrong(e.to_string()))
}

/// One line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Diagnostic::error(Code::Json, e.to_string()).into())
}

/// Indented JSON with a final newline.
pub(super) fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|e| Diagnostic::error(Code::Json, e.to_string()).into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::dataset::cases::{self, CaseFormat};

    pub(in crate::model) fn inputs() -> Inputs {
        let text = include_str!("../../protocols/exp-random-smoke.toml");
        let side = |n| SideSummary {
            cases: n,
            positives: n / 2,
            patients: n,
            manifest_sha256: Digest::of(b"m"),
            patients_sha256: Digest::of(b"p"),
        };
        Inputs {
            experiment: Experiment::parse(Path::new("e.toml"), text).expect("valid"),
            experiment_sha256: Digest::of(text.as_bytes()),
            initial_weights: InitialStatement::Random { seed: 5 },
            training: side(40),
            tuning: side(10),
            synthetic: true,
        }
    }

    #[test]
    fn the_state_survives_its_file_exactly() {
        let folder = tempfile::tempdir().expect("folder");
        let mut state = RunState::new(inputs(), "2.13.0".to_owned());
        state.loss_sum = 0.1 + 0.2;
        state.history.push(EpochRecord {
            epoch: 1,
            stage: "all".to_owned(),
            learning_rate: 1e-3,
            training_loss: 1.0 / 3.0,
            tuning_loss: 0.7,
            tuning_auc: 0.5,
            shard_size: None,
            seconds: Some(1.5),
        });
        state.write(folder.path()).expect("writes");
        assert_eq!(RunState::read(folder.path()).expect("reads"), Some(state));
        let lines = storage::read(&folder.path().join("training.jsonl")).expect("reads");
        assert_eq!(lines.iter().filter(|b| **b == b'\n').count(), 1);
    }

    #[test]
    fn a_damaged_state_is_refused_with_its_path() {
        let folder = tempfile::tempdir().expect("folder");
        assert_eq!(RunState::read(folder.path()).expect("none"), None);
        storage::write_atomic(&folder.path().join("state.json"), b"{\"format\":").expect("writes");
        let error = RunState::read(folder.path()).expect_err("damaged");
        assert_eq!(error.diagnostics()[0].code.as_str(), "run-unreadable");
    }

    #[test]
    fn a_manifest_is_sorted_and_counts_patients() {
        let sample = |case: &str, patient: &str, label| Sample {
            case_id: case.to_owned(),
            patient_id: patient.to_owned(),
            label,
            site: None,
            image: PathBuf::from("x.png"),
        };
        let mut samples = [sample("b", "p1", true), sample("a", "p1", false), sample("c", "p2", false)];
        let digests = [Digest::of(b"b"), Digest::of(b"a"), Digest::of(b"c")];
        let (bytes, summary) = manifest(&samples, &digests).expect("writes");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("case_id,patient_id,label,image_sha256\na,p1,0,"), "{text}");
        assert_eq!((summary.cases, summary.positives, summary.patients), (3, 1, 2));
        assert_eq!(summary.patients_sha256, Digest::of(b"p1\np2\n"));
        samples[0].site = Some("Harbor, Clinic".to_owned());
        let (bytes, summary) = manifest(&samples, &digests).expect("writes");
        assert_eq!(summary.manifest_sha256, Digest::of(&bytes));
        let read = cases::parse(Path::new("m.csv"), &bytes, CaseFormat::Cases, &[]).expect("reads");
        let sites: Vec<Option<&str>> = read.cases.iter().map(|case| case.site.as_deref()).collect();
        assert_eq!(sites, [None, Some("Harbor, Clinic"), None]);
    }

    #[test]
    fn tuning_scores_survive_their_table_exactly_and_bad_ones_are_located() {
        let row = |case: &str, score| TuningScore {
            case_id: case.to_owned(),
            patient_id: "p".to_owned(),
            label: score > 0.5,
            score,
        };
        let rows = vec![row("a", 1.0 / 3.0), row("b", f64::from(0.7_f32))];
        let bytes = tuning_scores_csv(&rows).expect("writes");
        assert_eq!(read_tuning_scores(Path::new("t.csv"), &bytes).expect("reads"), rows);
        let error = read_tuning_scores(Path::new("t.csv"), b"case_id,patient_id,label,score\na,p,1,1.5\n");
        assert_eq!(error.expect_err("range").diagnostics()[0].location, Some(Location::line("t.csv", 2)));
    }
}
