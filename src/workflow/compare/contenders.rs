//! What is compared: training runs and tables of scores, read, checked, and brought onto the same cases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::comparison::{self, Kind};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Digest;
use crate::model::curve::EpochRecord;
use crate::model::lock::{self, Lock};
use crate::model::operating_point::OperatingPoint;
use crate::model::run::{RunState, SideSummary, TuningScore, read_tuning_scores};
use crate::storage;
use crate::table::Table;
use crate::table::labelled::{LabelledScores, Wanted};

/// A training's curve as documents take it.
pub fn epochs(history: &[EpochRecord]) -> Vec<comparison::Epoch> {
    history
        .iter()
        .map(|record| comparison::Epoch {
            epoch: record.epoch,
            stage: record.stage.clone(),
            training_loss: record.training_loss,
            tuning_loss: record.tuning_loss,
            tuning_auc: record.tuning_auc,
        })
        .collect()
}

/// So many cases are named in a message.
const NAMED: usize = 5;

/// One contender as it lies on disk.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Unique.
    pub name: String,
    /// A run or a table.
    pub kind: Kind,
    /// The experiment's title, or nothing.
    pub title: String,
    /// Where the scores are.
    pub path: PathBuf,
    /// Scores, sorted by case. A table without patients leaves `patient_id` empty.
    pub rows: Vec<TuningScore>,
    /// Whether patients are named.
    pub has_patients: bool,
    /// Digest of each case's image file, where a manifest has them.
    pub images: BTreeMap<String, String>,
    /// Digest of the table of scores.
    pub scores_sha256: Digest,
    /// The operating point of a locked run.
    pub locked: Option<OperatingPoint>,
    /// The training curve of a run.
    pub history: Vec<EpochRecord>,
    /// A program made the images.
    pub synthetic: bool,
}

/// A name that no contender has.
pub fn unknown(name: &str, names: &[String]) -> Error {
    Error::usage(
        Diagnostic::error(Code::ContenderUnknown, format!("there is no contender `{name}`"))
            .hint(format!("the contenders are {}", names.join(", "))),
    )
}

/// A name that two contenders have.
pub fn repeated(name: &str) -> Error {
    Diagnostic::error(Code::NameRepeated, format!("two contenders are called `{name}`"))
        .hint("give each its own name: NAME=PATH")
        .into()
}

/// Reads every contender; all problems of all of them at once.
///
/// # Errors
/// `run-missing`, `run-incomplete`, `run-damaged`, `run-repeated`, `name-repeated`, and what is wrong in
/// tables.
pub fn load(given: &[String]) -> Result<Vec<Loaded>> {
    let mut loaded: Vec<Loaded> = Vec::new();
    let mut problems = Vec::new();
    for text in given {
        match one(text) {
            Ok(next) => {
                if let Some(before) = loaded.iter().find(|l| l.scores_sha256 == next.scores_sha256) {
                    problems.push(
                        Diagnostic::error(
                            Code::RunRepeated,
                            format!(
                                "{} and {} have the same scores, byte for byte: one run is given twice",
                                before.name, next.name
                            ),
                        )
                        .at(Location::file(&next.path))
                        .hint("give each run once; two trainings with the same seed are one"),
                    );
                } else if loaded.iter().any(|l| l.name == next.name) {
                    problems.extend(repeated(&next.name).diagnostics());
                }
                loaded.push(next);
            }
            // A lock that cannot be read says so with its own exit code.
            Err(Error::Lock(list)) => return Err(Error::Lock(list)),
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    if problems.is_empty() { Ok(loaded) } else { Err(problems.into()) }
}

/// `PATH` or `NAME=PATH`; a path that exists as it stands is one, whatever it holds.
fn one(text: &str) -> Result<Loaded> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) if !Path::new(text).exists() && !name.trim().is_empty() => {
            (Some(name.trim().to_owned()), Path::new(path))
        }
        _ => (None, Path::new(text)),
    };
    let mut loaded = if path.is_dir() {
        run(path)?
    } else if path.exists() {
        table(path)?
    } else {
        return Err(Diagnostic::error(
            Code::RunMissing,
            "there is no training run and no table of scores here",
        )
        .at(Location::file(path))
        .hint("name a folder that `sequester train` wrote, or a CSV with case_id, label, score")
        .into());
    };
    if let Some(name) = name {
        loaded.name = name;
    }
    Ok(loaded)
}

/// A study, a model's folder, or a run's folder.
fn run(path: &Path) -> Result<Loaded> {
    let has = |folder: &PathBuf, file: &str| folder.join(file).is_file();
    let runs = [path.to_path_buf(), path.join("run"), path.join("model").join("run")];
    let folder = runs.into_iter().find(|folder| has(folder, "state.json"));
    let mut models = vec![path.to_path_buf(), path.join("model")];
    if let Some(parent) = folder.as_ref().and_then(|f| std::path::absolute(f).ok()) {
        models.extend(parent.parent().map(Path::to_path_buf));
    }
    let model = models.into_iter().find(|folder| has(folder, lock::FILE));
    let lock = model.as_deref().map(Lock::read).transpose()?;
    match (folder, model, lock) {
        (Some(folder), model, lock) => of_state(&folder, model.as_deref().zip(lock)),
        (None, Some(model), Some(lock)) => of_lock(&model, lock),
        _ => Err(Diagnostic::error(Code::RunMissing, "there is no training run here")
            .at(Location::file(path))
            .hint("`sequester train` makes one; name the study, its model folder or the run folder")
            .into()),
    }
}

fn of_state(folder: &Path, locked: Option<(&Path, Lock)>) -> Result<Loaded> {
    let Some(state) = RunState::read(folder)? else {
        return Err(Diagnostic::error(Code::RunMissing, "there is no training run here")
            .at(Location::file(folder))
            .hint("`sequester train` makes one")
            .into());
    };
    let Some(recorded) = state.tuning_scores_sha256.filter(|_| state.is_complete()) else {
        return Err(lock::incomplete(folder, &state));
    };
    let point = match locked {
        Some((model, lock)) if lock.operating_point.provenance.scores_sha256 != recorded => {
            return Err(Diagnostic::error(
                Code::LockOfAnotherRun,
                "the lock beside the run was made from other tuning scores than those of the run",
            )
            .at(Location::file(model.join(lock::FILE)))
            .hint("name the run or the locked model that is meant, each in a folder of its own")
            .into());
        }
        Some((_, lock)) => Some(lock.operating_point),
        None => None,
    };
    let experiment = &state.inputs.experiment;
    let (rows, path) = tuning_scores(folder, recorded)?;
    Ok(Loaded {
        name: experiment.id.clone(),
        kind: Kind::Run,
        title: experiment.title.clone(),
        images: images(folder, &state.inputs.tuning)?,
        path,
        rows,
        has_patients: true,
        scores_sha256: recorded,
        locked: point,
        history: state.history,
        synthetic: state.inputs.synthetic,
    })
}

/// A locked model whose run is not there any more.
fn of_lock(model: &Path, lock: Lock) -> Result<Loaded> {
    let recorded = lock.operating_point.provenance.scores_sha256;
    let (rows, path) = tuning_scores(model, recorded)?;
    let inputs = &lock.experiment;
    Ok(Loaded {
        name: inputs.experiment.id.clone(),
        kind: Kind::Run,
        title: inputs.experiment.title.clone(),
        images: images(model, &inputs.tuning)?,
        path,
        rows,
        has_patients: true,
        scores_sha256: recorded,
        synthetic: inputs.synthetic,
        history: lock.training.history,
        locked: Some(lock.operating_point),
    })
}

fn damaged(path: &Path, recorded: Digest, found: Digest) -> Error {
    Diagnostic::error(
        Code::RunDamaged,
        format!("the file changed since the run wrote it: recorded {recorded}, found {found}"),
    )
    .at(Location::file(path))
    .hint("restore the file, or train again in another folder")
    .into()
}

fn tuning_scores(folder: &Path, recorded: Digest) -> Result<(Vec<TuningScore>, PathBuf)> {
    let path = folder.join("tuning-scores.csv");
    let bytes = storage::read(&path)?;
    let found = Digest::of(&bytes);
    if found != recorded {
        return Err(damaged(&path, recorded, found));
    }
    Ok((read_tuning_scores(&path, &bytes)?, path))
}

/// Which image file each tuning case is.
fn images(folder: &Path, side: &SideSummary) -> Result<BTreeMap<String, String>> {
    let path = folder.join("tuning-manifest.csv");
    let bytes = storage::read(&path)?;
    let found = Digest::of(&bytes);
    if found != side.manifest_sha256 {
        return Err(damaged(&path, side.manifest_sha256, found));
    }
    let table = Table::parse(&path, &bytes).map_err(Error::Input)?;
    let (case, image) = (table.column("case_id"), table.column("image_sha256"));
    let pair = |row: crate::table::Row<'_>| Some((row.get(case)?.to_owned(), row.get(image)?.to_owned()));
    Ok(table.rows().filter_map(pair).collect())
}

/// A table of scores.
fn table(path: &Path) -> Result<Loaded> {
    let bytes = storage::read(path)?;
    let columns = Wanted {
        label: "label",
        score: "score",
        case: Some("case_id"),
        cluster: Some("patient_id"),
        cluster_optional: true,
        ..Wanted::default()
    };
    let table = LabelledScores::parse(path, &bytes, &columns).map_err(Error::Input)?;
    let has_patients = table.clusters.is_some();
    let mut rows = TuningScore::of_table(table);
    rows.sort_by(|a, b| a.case_id.cmp(&b.case_id));
    let stem = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.trim_end_matches(".gz").trim_end_matches(".csv").to_owned();
    Ok(Loaded {
        name: stem,
        kind: Kind::Table,
        title: "table of scores".to_owned(),
        path: path.to_path_buf(),
        rows,
        has_patients,
        images: BTreeMap::new(),
        scores_sha256: Digest::of(&bytes),
        locked: None,
        history: Vec::new(),
        synthetic: false,
    })
}

/// The cases that are compared, sorted by id; one entry a case everywhere.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The label that all agree on.
    pub labels: Vec<bool>,
    /// Scores of each contender, in the order given.
    pub scores: Vec<Vec<f64>>,
    /// Number of patients, where they are known.
    pub patients: Option<u64>,
    /// Patient of each case, where patients have several.
    pub clusters: Option<Vec<u32>>,
    /// The sets of cases differ.
    pub differ: bool,
}

impl Shared {
    /// Cases of a contender that are not compared.
    pub fn left_out(&self, loaded: &Loaded) -> u64 {
        loaded.rows.len().saturating_sub(self.labels.len()) as u64
    }
}

fn named(cases: &[&str]) -> String {
    few::and_more(cases, NAMED)
}

/// Brings all contenders onto the same cases.
///
/// # Errors
/// `cases-differ` unless `common`; `no-common-case`, `labels-disagree`, `patients-disagree`,
/// `images-disagree`, `one-class`.
pub fn align(loaded: &[Loaded], common: bool) -> Result<Shared> {
    let by_case: Vec<BTreeMap<&str, &TuningScore>> =
        loaded.iter().map(|l| l.rows.iter().map(|r| (r.case_id.as_str(), r)).collect()).collect();
    let in_all = |case: &&str| by_case.iter().all(|rows| rows.contains_key(case));
    let cases: Vec<&str> =
        by_case.first().into_iter().flat_map(BTreeMap::keys).copied().filter(|c| in_all(c)).collect();
    let differ = by_case.iter().any(|rows| rows.len() != cases.len());
    if differ && !common {
        return Err(differing(loaded, &by_case).into());
    }
    if cases.is_empty() {
        return Err(Diagnostic::error(Code::NoCommonCase, "no case was scored by all contenders")
            .hint("compare models on the same cases: the same tuning split, or tables of the same test set")
            .into());
    }
    let mut problems = disagreeing(loaded, &by_case, &cases);
    let labels: Vec<bool> = cases.iter().map(|case| by_case[0][case].label).collect();
    let positives = labels.iter().filter(|l| **l).count();
    if problems.is_empty() && (positives == 0 || positives == labels.len()) {
        problems.push(
            Diagnostic::error(
                Code::OneClass,
                format!(
                    "the cases are {positives} positive and {} negative; both are needed",
                    labels.len() - positives
                ),
            )
            .at(Location::file(&loaded[0].path)),
        );
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let source = loaded.iter().position(|l| l.has_patients);
    let patients: Option<Vec<&str>> =
        source.map(|s| cases.iter().map(|case| by_case[s][case].patient_id.as_str()).collect());
    let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
    let dense: Option<Vec<u32>> = patients.map(|list| {
        list.into_iter()
            .map(|patient| {
                let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
                *ids.entry(patient).or_insert(next)
            })
            .collect()
    });
    let count = dense.as_ref().map(|_| ids.len() as u64);
    Ok(Shared {
        scores: by_case.iter().map(|rows| cases.iter().map(|case| rows[case].score).collect()).collect(),
        clusters: dense.filter(|_| ids.len() < cases.len()),
        patients: count,
        labels,
        differ,
    })
}

/// Says of each contender which cases it has not.
fn differing(loaded: &[Loaded], by_case: &[BTreeMap<&str, &TuningScore>]) -> Vec<Diagnostic> {
    let all: BTreeSet<&str> = by_case.iter().flat_map(BTreeMap::keys).copied().collect();
    loaded
        .iter()
        .zip(by_case)
        .filter_map(|(one, rows)| {
            let missing: Vec<&str> = all.iter().copied().filter(|case| !rows.contains_key(case)).collect();
            let message = format!(
                "{} did not score {} of the {} cases: {}",
                one.name,
                missing.len(),
                all.len(),
                named(&missing)
            );
            (!missing.is_empty()).then(|| {
                Diagnostic::error(Code::CasesDiffer, message)
                    .at(Location::file(&one.path))
                    .hint("compare on the same cases, or add --common to compare those that all scored")
            })
        })
        .collect()
}

/// What contenders say differently of the same cases.
fn disagreeing(
    loaded: &[Loaded],
    by_case: &[BTreeMap<&str, &TuningScore>],
    cases: &[&str],
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (index, (other, rows)) in loaded.iter().zip(by_case).enumerate().skip(1) {
        let labels: Vec<&str> =
            cases.iter().copied().filter(|case| rows[case].label != by_case[0][case].label).collect();
        if !labels.is_empty() {
            problems.push(
                Diagnostic::error(
                    Code::LabelsDisagree,
                    format!(
                        "{} and {} have different labels of {} cases: {}",
                        loaded[0].name,
                        other.name,
                        labels.len(),
                        named(&labels)
                    ),
                )
                .at(Location::file(&other.path))
                .hint("find out which label is right, and correct the table or train again"),
            );
        }
        let before = |has: fn(&Loaded) -> bool| (0..index).find(|&i| has(&loaded[i]));
        if let Some(first) = before(|l| l.has_patients).filter(|_| other.has_patients) {
            let wrong: Vec<&str> = cases
                .iter()
                .copied()
                .filter(|case| rows[case].patient_id != by_case[first][case].patient_id)
                .collect();
            if !wrong.is_empty() {
                problems.push(
                    Diagnostic::error(
                        Code::PatientsDisagree,
                        format!(
                            "{} and {} name different patients for {} cases: {}",
                            loaded[first].name,
                            other.name,
                            wrong.len(),
                            named(&wrong)
                        ),
                    )
                    .at(Location::file(&other.path))
                    .hint("use the same patient ids in all tables"),
                );
            }
        }
        if let Some(first) = before(|l| !l.images.is_empty()).filter(|_| !other.images.is_empty()) {
            let differ = |case: &&str| match (loaded[first].images.get(*case), other.images.get(*case)) {
                (Some(a), Some(b)) => a != b,
                _ => false,
            };
            let wrong: Vec<&str> = cases.iter().copied().filter(differ).collect();
            if !wrong.is_empty() {
                problems.push(
                    Diagnostic::error(
                        Code::ImagesDisagree,
                        format!(
                            "{} and {} were trained with different image files for {} cases: {}",
                            loaded[first].name,
                            other.name,
                            wrong.len(),
                            named(&wrong)
                        ),
                    )
                    .at(Location::file(&other.path))
                    .hint("train both with the same images"),
                );
            }
        }
    }
    problems
}
