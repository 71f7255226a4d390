//! A study of a new version under a change control plan: what was taken from the predecessor's bundle, which
//! kinds of change the two locks show, and what the plan says of them. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::Inputs;
use super::results::{Acceptance, AcceptedUnder, ChangeResult, DeviceVersion, FoundChange, Results, Verdict};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::inference::scores::{self, Scores};
use crate::model::differences::{self, Differing};
use crate::model::lock::{self, Lock};
use crate::protocol::change::{self, ChangeKind, ChangePlan};

/// What a new version is judged by: the plan, and the predecessor as its bundle has it.
#[derive(Clone, Debug)]
pub struct Succession {
    /// The valid plan.
    pub plan: ChangePlan,
    /// Digest of its exact bytes.
    pub plan_sha256: Digest,
    /// The predecessor's lock.
    pub before: Lock,
    /// The new version's lock.
    pub now: Lock,
    /// Digest of the new version's lock.
    pub now_sha256: Digest,
    /// The predecessor's scores.
    pub scores: Scores,
    /// The predecessor's results.
    pub results: Box<Results>,
    /// Openings of the test set by the versions before.
    pub openings_before: u64,
}

/// Whether inputs are those of a new version under a plan.
pub fn is_change(inputs: &Inputs) -> bool {
    inputs.files.keys().any(|path| path.as_str() == change::PLAN)
}

/// Whether a path among the inputs is one of the files of a change.
pub fn is_of_change(path: &str) -> bool {
    change::FILES.contains(&path)
}

/// The plan and the predecessor; `None` for a study without a plan.
///
/// # Errors
/// What is wrong in the plan or in the predecessor's files; `change-predecessor` where the lock is not the
/// one that the plan names, or where the predecessor was itself a version that its plan did not accept;
/// `change-without-lock` without a lock of the new version; `change-none` where the two locks are one.
pub fn succession(inputs: &Inputs) -> Result<Option<Succession>> {
    if !is_change(inputs) {
        return Ok(None);
    }
    let file = |name: &str| -> Result<Cow<'_, [u8]>> {
        let path: RelativePath = name
            .parse()
            .map_err(|e: crate::digest::RelativePathError| Diagnostic::error(Code::Path, e.to_string()))?;
        inputs.file(&path)
    };
    let bytes = file(change::PLAN)?;
    let plan = read_plan(Path::new(change::PLAN), &bytes)?;
    let wrong = plan.disagreements(Path::new(change::PLAN), &inputs.protocol);
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let before_bytes = file(change::LOCK)?;
    let before = Lock::from_bytes(&before_bytes, Path::new(change::LOCK))?;
    let of_predecessor = |name: &str, message: String| {
        Error::Evidence(vec![
            Diagnostic::error(Code::ChangePredecessor, message).at(Location::file(name)).hint(
                "the files in change/ are those of the predecessor's bundle; `sequester change init` writes \
                 them",
            ),
        ])
    };
    let found = lock::digest_of(&before_bytes);
    if found != plan.predecessor.lock {
        let named = plan.predecessor.lock.short();
        let message =
            format!("the plan's predecessor has the lock {named}..., this one is {}...", found.short());
        return Err(of_predecessor(change::LOCK, message));
    }
    let Some(now_bytes) = inputs.lock.as_deref() else {
        let message = "a change is found by comparing locks, and this version has none";
        return Err(Diagnostic::error(Code::ChangeWithoutLock, message)
            .hint("`sequester change assess PLAN --lock MODEL/lock.json --scores SCORES`")
            .into());
    };
    let now = Lock::from_bytes(now_bytes, Path::new("model/lock.json"))?;
    if differences::of_locks(&before, &now).is_empty() {
        let message = "the lock is the predecessor's: there is no change to assess";
        return Err(Diagnostic::error(Code::ChangeNone, message)
            .at(Location::file("model/lock.json"))
            .hint("give the lock of the new version")
            .into());
    }
    let results: Results = serde_json::from_slice(&file(change::RESULTS)?)
        .map_err(|e| of_predecessor(change::RESULTS, format!("cannot be understood: {e}")))?;
    if results.change.as_ref().is_some_and(|change| change.verdict != Verdict::Met) {
        let message = "the predecessor is a version that its own plan did not accept".to_owned();
        return Err(of_predecessor(change::RESULTS, message));
    }
    // As the predecessor's bundle derived them: one column, whatever the protocol's own table looks like.
    let one: scores::CombineFn = |values| values.first().copied().unwrap_or_default();
    let path = Path::new(change::SCORES);
    let scores = scores::parse(path, &*file(change::SCORES)?, "case_id", &["score".to_owned()], one)
        .map_err(Error::Input)?;
    let earlier = results.change.as_ref().map_or(0, |change| change.openings_before);
    let openings_before = earlier + openings(&file(change::LEDGER)?);
    Ok(Some(Succession {
        plan,
        plan_sha256: Digest::of(&bytes),
        before,
        now,
        now_sha256: lock::digest_of(now_bytes),
        scores,
        results: Box::new(results),
        openings_before,
    }))
}

/// A plan from its bytes.
///
/// # Errors
/// Everything that is wrong in it.
pub fn read_plan(path: &Path, bytes: &[u8]) -> Result<ChangePlan> {
    let text = crate::diagnostic::utf8(path, bytes, Code::TomlSyntax)?;
    change::parse(path, text).map_err(Error::Input)
}

/// Openings of the test set that a ledger records. The chain is the predecessor's auditor's question.
fn openings(ledger: &[u8]) -> u64 {
    let is_opening = |line: &[u8]| {
        let event: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        event.is_some_and(|event| event.get("event").and_then(|e| e.as_str()) == Some("test-set-opened"))
    };
    ledger.split(|byte| *byte == b'\n').filter(|line| is_opening(line)).count() as u64
}

/// Kinds of change between two locks with what differs, and what differs beside the device.
pub type Kinds = (BTreeMap<ChangeKind, Vec<Differing>>, Vec<Differing>);

/// Which kinds of change two locks show. Every difference belongs to one kind, or to none: names, texts,
/// program and machine.
pub fn kinds(before: &Lock, now: &Lock) -> Kinds {
    let mut kinds: BTreeMap<ChangeKind, Vec<Differing>> = BTreeMap::new();
    let mut circumstances = Vec::new();
    for difference in differences::of_locks(before, now) {
        match kind_of(&difference.key) {
            Some(kind) => kinds.entry(kind).or_default().push(difference),
            None => circumstances.push(difference),
        }
    }
    (kinds, circumstances)
}

/// Of which kind a difference at a key of a lock is.
fn kind_of(key: &str) -> Option<ChangeKind> {
    let below = |part: &str| key == part || key.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'));
    let any = |parts: &[&str]| parts.iter().any(|part| below(part));
    if any(&["architecture", "base_layers", "experiment.experiment.architecture"]) {
        Some(ChangeKind::Architecture)
    } else if any(&["preprocessing", "experiment.experiment.preprocessing"]) {
        Some(ChangeKind::Preprocessing)
    } else if below("gate") {
        Some(ChangeKind::Gate)
    } else if any(&["operating_point.threshold", "operating_point.rule"]) {
        Some(ChangeKind::Threshold)
    } else if any(&[
        "code",
        "environment",
        "format",
        "weights.path",
        "experiment.experiment.id",
        "experiment.experiment.title",
        "experiment.experiment_sha256",
    ]) {
        None
    } else {
        Some(ChangeKind::Weights)
    }
}

impl Succession {
    /// Kinds that the locks show, each with whether the plan allows it, and what differs beside the device.
    pub fn found(&self) -> (Vec<FoundChange>, Vec<Differing>) {
        let (kinds, circumstances) = kinds(&self.before, &self.now);
        let found = kinds.into_iter().map(|(kind, differences)| FoundChange {
            kind,
            allowed: self.plan.allows(kind),
            differences,
        });
        (found.collect(), circumstances)
    }

    /// What the plan says of the new version, whose results are known.
    pub(super) fn assess(&self, acceptance: Vec<Acceptance>, results: &Results) -> ChangeResult {
        let (found, circumstances) = self.found();
        let goals = results.conclusion;
        let verdict = verdict(&found, &acceptance, goals);
        let before = &self.results;
        let mut history = before.change.as_ref().map(|change| change.history.clone()).unwrap_or_default();
        history.push(DeviceVersion {
            root: self.plan.predecessor.root,
            lock_sha256: self.plan.predecessor.lock,
            weights_sha256: self.before.weights.sha256,
            threshold: before.operating_point.threshold,
            goals: before.conclusion,
            change: before.change.as_ref().map(|change| AcceptedUnder {
                plan: change.plan.clone(),
                plan_sha256: change.plan_sha256,
                verdict: change.verdict,
            }),
        });
        ChangeResult {
            plan: self.plan.id.clone(),
            plan_sha256: self.plan_sha256,
            lock_sha256: self.now_sha256,
            found,
            circumstances,
            acceptance,
            goals,
            openings: self.plan.openings,
            openings_before: self.openings_before,
            history,
            verdict,
        }
    }
}

/// All has to be met: nothing forbidden was changed, every judged comparison is met, and so are the goals.
fn verdict(found: &[FoundChange], acceptance: &[Acceptance], goals: Verdict) -> Verdict {
    let mut all: Vec<Verdict> = acceptance.iter().filter(|a| a.judged).map(|a| a.result.verdict).collect();
    all.push(goals);
    if found.iter().any(|found| !found.allowed) || all.contains(&Verdict::NotMet) {
        Verdict::NotMet
    } else if all.contains(&Verdict::NotEvaluable) {
        Verdict::NotEvaluable
    } else {
        Verdict::Met
    }
}

#[cfg(test)]
mod tests;
