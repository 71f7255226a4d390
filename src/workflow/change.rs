//! A new version of a device under a predetermined change control plan: its study is made from the
//! predecessor's bundle, the plan is locked, and a version is held against it before the test set is opened.

use std::path::{Path, PathBuf};

use super::change_permit::{BoundPlan, note, plan_of, refused_by_plan, violated};
use super::outside::Outside;
use super::report::find_bundle;
use super::study::{Study, run_folder};
use super::validate::{Validated, validate};
use crate::audit::{self, Beside};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle;
use crate::evidence::change::{Refusal, assessed, refusal};
use crate::evidence::ledger::{Entry, Event};
use crate::evidence::opening::Digests;
use crate::model::lock::{self, Lock};
use crate::protocol::change::{self, ChangeKind, Predecessor};
use crate::storage;
use crate::study::Step;
use crate::study::change::kinds;

/// The study that a plan, or its folder, is of.
///
/// # Errors
/// `change-plan-missing`; what is wrong in the protocol.
pub fn study_of(target: &Path, out: Option<&Path>) -> Result<Study> {
    let missing = |message: &str| -> Error {
        Diagnostic::error(Code::ChangePlanMissing, message)
            .at(Location::file(target))
            .hint("`sequester change init DIR --predecessor BUNDLE` makes the study of a new version")
            .into()
    };
    let folder = if target.is_dir() {
        target.to_path_buf()
    } else if target.ends_with(change::PLAN) {
        let folder = target.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_path_buf() }
    } else {
        return Err(missing("is no change/plan.toml in a study's folder"));
    };
    if !folder.join(change::PLAN).is_file() || !folder.join("protocol.toml").is_file() {
        return Err(missing("there is no study with a change/plan.toml here"));
    }
    Study::open(&folder, None, out)
}

/// Makes the study of a new version: what the predecessor's bundle was computed from, what a new version is
/// compared with, and a plan to be completed.
///
/// # Errors
/// `folder-exists`; `Error::Evidence` where the predecessor does not verify; `change-without-lock`.
pub fn init(folder: &Path, predecessor: &Path) -> Result<PathBuf> {
    for name in ["protocol.toml", change::PLAN, "ledger.jsonl"] {
        if folder.join(name).exists() {
            return Err(Diagnostic::error(Code::FolderExists, "there is a study here already")
                .at(Location::file(folder.join(name)))
                .hint("choose another folder; a study is never overwritten")
                .into());
        }
    }
    let bundle_folder = find_bundle(predecessor, None)?;
    let opened = intact(&bundle_folder, None)?;
    let Some(lock) = audit::lock_of(&opened) else {
        let message = "the predecessor was studied without a lock: no change of it can be found";
        return Err(Diagnostic::error(Code::ChangeWithoutLock, message)
            .at(Location::file(&bundle_folder))
            .hint("a device that lives elsewhere can have one too: model/lock.json beside its scores")
            .into());
    };
    let inputs = bundle::inputs(&opened.payload)?;
    let Some(root) = opened.root else { return Err(broken(&bundle_folder, Vec::new())) };
    let claim = Predecessor { bundle: relative(&bundle_folder, folder), root, lock };
    let scores = &inputs.protocol.scores.file;
    for (path, bytes) in &inputs.files {
        if path != scores && !crate::study::change::is_of_change(path.as_str()) {
            storage::write_atomic(&path.below(folder), &bytes.read())?;
        }
    }
    for (copy, original) in [
        (change::LOCK, bundle::MODEL_LOCK),
        (change::SCORES, "scores.csv"),
        (change::RESULTS, bundle::RESULTS),
        (change::LEDGER, bundle::LEDGER),
    ] {
        storage::write_atomic(&folder.join(copy), bundle::file(&opened.payload, original)?)?;
    }
    let subgroups: Vec<String> = inputs.protocol.subgroups.iter().map(|s| s.by.name()).collect();
    let text = change::template(&inputs.protocol.study.id, &claim, &subgroups);
    let plan = folder.join(change::PLAN);
    storage::write_atomic(&plan, text.as_bytes())?;
    storage::write_atomic(&folder.join("device.toml"), bundle::file(&opened.payload, bundle::DEVICE)?)?;
    // Last: with it the folder is a study.
    storage::write_atomic(&folder.join("protocol.toml"), bundle::file(&opened.payload, bundle::PROTOCOL)?)?;
    Ok(plan)
}

/// A path as seen from a folder, where both are known; else as it was given.
fn relative(path: &Path, from: &Path) -> String {
    let given = || path.display().to_string();
    let absolute = |path: &Path| {
        // A folder that is not there yet.
        let whole = std::path::absolute(path).ok()?;
        std::fs::canonicalize(&whole).ok().or(Some(whole))
    };
    let (Some(path), Some(from)) = (absolute(path), absolute(from)) else { return given() };
    let common = path.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    if common <= 1 {
        return path.display().to_string();
    }
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = path.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

fn broken(folder: &Path, more: Vec<Diagnostic>) -> Error {
    let problem = Diagnostic::error(Code::ChangePredecessor, "the predecessor's bundle does not verify")
        .at(Location::file(folder))
        .hint("nothing is built on evidence that is not intact: get the bundle from who keeps it");
    Error::Evidence(std::iter::once(problem).chain(more).collect())
}

/// A predecessor's bundle that holds.
fn intact(folder: &Path, root: Option<Digest>) -> Result<Opened> {
    let audit = audit::audit(folder, &Beside { root, ..Beside::default() })?;
    if !audit.holds() {
        return Err(broken(folder, audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()));
    }
    bag::open(folder)
}

/// Checks that the predecessor verifies and that the study holds what is the predecessor's. `bundle` is where
/// its bundle lies, where that is not where the plan says.
///
/// # Errors
/// `Error::Evidence` where one of them does not hold.
pub fn check_predecessor(study: &Study, planned: &BoundPlan, bundle: Option<&Path>) -> Result<()> {
    let claim = &planned.plan.predecessor;
    let folder = match bundle {
        Some(folder) => find_bundle(folder, None)?,
        None => study.folder.join(&claim.bundle),
    };
    if !folder.is_dir() {
        return Err(Diagnostic::error(Code::FileMissing, "the predecessor's bundle is not here")
            .at(Location::file(&folder))
            .hint("say with --predecessor where it lies")
            .into());
    }
    let opened = intact(&folder, Some(claim.root))?;
    let files = study.inputs_but(Step::All, |path| *path == study.protocol.scores.file)?.files;
    let problems = audit::problems_of_succession(&files, &study.protocol_bytes, &planned.plan, &opened);
    if problems.is_empty() {
        return Ok(());
    }
    let first = Diagnostic::error(Code::ChangePredecessor, "the study is not built on what its plan names")
        .at(Location::file(&planned.path));
    Err(Error::Evidence(std::iter::once(first).chain(problems).collect()))
}

/// A plan that is locked.
#[derive(Clone, Debug)]
pub struct LockedPlan {
    /// The plan.
    pub planned: BoundPlan,
    /// When it was locked, where it was before.
    pub before: Option<String>,
}

/// Locks a plan: its digest goes to the ledger, and another one is refused from then on.
///
/// # Errors
/// `change-plan-changed` as `Error::Lock`; what is wrong in the plan; `Error::Evidence` where the predecessor
/// does not hold.
pub fn lock_plan(
    study: &Study,
    bundle: Option<&Path>,
    dry_run: bool,
    outside: &Outside<'_>,
) -> Result<LockedPlan> {
    let planned = plan_of(study)?;
    let locked = study.ledger()?.last(Event::ChangePlanLocked).cloned();
    if let Some(entry) = locked {
        refused_by_plan(study.ledger()?.entries(), &planned)?;
        return Ok(LockedPlan { planned, before: Some(entry.at) });
    }
    check_predecessor(study, &planned, bundle)?;
    if !dry_run {
        study.lock_protocol(outside)?;
        let digests = Digests::from([(format!("{}/{}", bundle::INPUTS, change::PLAN), planned.digest())]);
        study.record(Event::ChangePlanLocked, outside, digests, None)?;
    }
    Ok(LockedPlan { planned, before: None })
}

/// What is held against the plan.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// `lock.json` of the new version, with its weights beside it.
    pub lock: &'a Path,
    /// Its scores of the study's cases.
    pub scores: &'a Path,
    /// Where the predecessor's bundle lies, where that is not where the plan says.
    pub predecessor: Option<&'a Path>,
    /// Why the test set is opened again; what a plan foresees needs none.
    pub reason: Option<&'a str>,
}

/// Holds a new version against the plan: what the plan forbids is refused and recorded; else the test set is
/// opened for it, and a bundle is written.
///
/// # Errors
/// `Error::Lock` where the plan is not locked or not the locked one, where it forbids a kind of change, and
/// where no opening is left; `Error::Evidence` where the predecessor does not hold; what is wrong in lock,
/// weights or scores.
pub fn assess(study: &Study, candidate: Candidate<'_>, outside: &Outside<'_>) -> Result<Validated> {
    let planned = plan_of(study)?;
    refused_by_plan(study.ledger()?.entries(), &planned)?;
    outside.say("change", "the predecessor");
    check_predecessor(study, &planned, candidate.predecessor)?;
    let lock_bytes = storage::read(candidate.lock)?;
    let lock = Lock::from_bytes(&lock_bytes, candidate.lock)?;
    let model = candidate.lock.parent().unwrap_or(Path::new("."));
    let weights = lock.read_weights(model)?;
    let before = Lock::from_bytes(&storage::read(&study.data.join(change::LOCK))?, Path::new(change::LOCK))?;
    let (kinds, circumstances) = kinds(&before, &lock);
    if kinds.is_empty() && circumstances.is_empty() {
        let message = "the lock is the predecessor's: there is no change to assess";
        return Err(Diagnostic::error(Code::ChangeNone, message)
            .at(Location::file(candidate.lock))
            .hint("give the lock of the new version")
            .into());
    }
    let scores = storage::read(candidate.scores)?;
    let table = study.protocol.scores.file.as_str();
    let digests = assessed(&planned.bytes, &lock_bytes, (table, &scores));
    let forbidden: Vec<ChangeKind> = kinds.into_keys().filter(|kind| !planned.plan.allows(*kind)).collect();
    let ledger = study.ledger()?;
    // What is the last opening's is none, and is only gone on with.
    let is_last = ledger.last(Event::TestSetOpened).is_some_and(|entry| covers(entry, &digests));
    if let Some(why) = refusal(ledger.entries(), &planned.plan, planned.digest(), &forbidden)
        && !(is_last && matches!(why, Refusal::Openings(_)))
    {
        note(study, digests, Some(&why), &planned, outside)?;
        return Err(violated(&why, &planned));
    }
    install(study, model, (&lock, &lock_bytes, &weights), (candidate.scores, &scores))?;
    let number = ledger.count(Event::TestSetOpened) + 1;
    let foreseen = format!(
        "version {} held against the change control plan {}: opening {number} of {}",
        lock::digest_of(&lock_bytes).short(),
        planned.plan.id,
        planned.plan.openings
    );
    validate(study, Some(candidate.reason.unwrap_or(&foreseen)), outside)
}

fn covers(opening: &Entry, digests: &Digests) -> bool {
    digests.iter().all(|(name, digest)| opening.digests.get(name) == Some(digest))
}

/// Puts the new version where a study has its model and its scores.
fn install(
    study: &Study,
    model: &Path,
    (lock, lock_bytes, weights): (&Lock, &[u8], &[u8]),
    (scores_from, scores): (&Path, &[u8]),
) -> Result<()> {
    let folder = study.model_folder();
    let same = |a: &Path, b: &Path| {
        std::fs::canonicalize(a).is_ok_and(|a| std::fs::canonicalize(b).is_ok_and(|b| a == b))
    };
    if !same(model, &folder) {
        for name in bundle::RUN_FILES {
            let mut places = [run_folder(model), model.to_path_buf()].into_iter().map(|at| at.join(name));
            // What another version left would be taken for this one's.
            for stale in [folder.join(name), run_folder(&folder).join(name)] {
                if stale.is_file() {
                    std::fs::remove_file(&stale).map_err(|e| Error::io("remove", &stale, &e))?;
                }
            }
            if let Some(found) = places.find(|place| place.is_file()) {
                storage::write_atomic(&folder.join(name), &storage::read(&found)?)?;
            }
        }
        storage::write_atomic(&lock.weights_path(&folder), weights)?;
        storage::write_atomic(&folder.join(lock::FILE), lock_bytes)?;
    }
    let source = &study.protocol.scores;
    let to = source.file.below(if source.external { &study.data } else { &study.out });
    if same(scores_from, &to) { Ok(()) } else { storage::write_atomic(&to, scores) }
}
