//! A study's change control plan, and what it permits: asked before the test set is opened, whichever command
//! opens it.

use std::path::PathBuf;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::change::{Refusal, assessed, plan_refusal, refusal};
use crate::evidence::ledger::{Entry, Event};
use crate::evidence::opening::Digests;
use crate::protocol::change::{self, ChangeKind, ChangePlan};
use crate::storage;
use crate::study::Inputs;
use crate::study::change::{read_plan, succession};

/// A plan with what is bound to it.
#[derive(Clone, Debug)]
pub struct BoundPlan {
    /// The valid plan.
    pub plan: ChangePlan,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// Where it lies.
    pub path: PathBuf,
}

impl BoundPlan {
    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// The plan of a study.
///
/// # Errors
/// Everything that is wrong in it, also beside the protocol.
pub fn plan_of(study: &Study) -> Result<BoundPlan> {
    let path = study.data.join(change::PLAN);
    let bytes = storage::read(&path)?;
    let plan = read_plan(&path, &bytes)?;
    let wrong = plan.disagreements(&path, &study.protocol);
    if wrong.is_empty() { Ok(BoundPlan { plan, bytes, path }) } else { Err(wrong.into()) }
}

/// What is doubtful in a plan: texts that nobody has written yet, margins that a reviewer will ask about.
pub fn doubts(planned: &BoundPlan) -> Vec<Diagnostic> {
    let warning = |name: &str| {
        let message = format!("`{name}` is as the template left it; documents print it so");
        Diagnostic::warning(Code::ChangeUnwritten, message)
    };
    let unwritten = planned.plan.unwritten().into_iter().map(warning);
    let all = unwritten.chain(planned.plan.wide_margins());
    all.map(|one| one.at(Location::file(&planned.path))).collect()
}

/// Refuses a plan that was not locked, or is not the one that was.
///
/// # Errors
/// `Error::Lock`.
pub(super) fn refused_by_plan(entries: &[Entry], planned: &BoundPlan) -> Result<()> {
    match plan_refusal(entries, planned.digest()) {
        None => Ok(()),
        Some(why) => Err(violated(&why, planned)),
    }
}

/// What a plan refuses, as an error.
pub(super) fn violated(why: &Refusal, planned: &BoundPlan) -> Error {
    Error::Lock(vec![why.problem(planned.plan.openings).at(Location::file(&planned.path))])
}

/// Writes down that a version was held against the plan, once.
///
/// # Errors
/// When the ledger cannot be written.
pub(super) fn note(
    study: &Study,
    digests: Digests,
    refused: Option<&Refusal>,
    planned: &BoundPlan,
    outside: &Outside<'_>,
) -> Result<()> {
    let reason = refused.map(|why| format!("refused: {}", why.problem(planned.plan.openings).message));
    let ledger = study.ledger()?;
    let same = |entry: &Entry| entry.digests == digests && entry.reason == reason;
    // Before a plan is locked there is nothing that anything could be held against.
    if ledger.last(Event::ChangePlanLocked).is_none() || ledger.last(Event::ChangeAssessed).is_some_and(same)
    {
        return Ok(());
    }
    study.record(Event::ChangeAssessed, outside, digests, reason)
}

/// Asks the plan, where there is one, whether the test set may be opened with these inputs, and records it.
///
/// # Errors
/// `Error::Lock` where it may not.
pub(super) fn permits(study: &Study, inputs: &Inputs, outside: &Outside<'_>) -> Result<()> {
    let Some(found) = succession(inputs)? else {
        let locked = study.ledger()?.last(Event::ChangePlanLocked).is_some();
        if !locked {
            return Ok(());
        }
        let message =
            "a change control plan was locked in this study, and change/plan.toml is not there any more";
        let problem = Diagnostic::error(Code::ChangePlanChanged, message).at(Location::file(&study.folder));
        return Err(Error::Lock(vec![problem.hint("put the locked plan back")]));
    };
    let planned = plan_of(study)?;
    let (kinds, _) = found.found();
    let forbidden: Vec<ChangeKind> =
        kinds.iter().filter(|kind| !kind.allowed).map(|kind| kind.kind).collect();
    let table = &study.protocol.scores.file;
    let scores = inputs.files.get(table).map_or(&[][..], |bytes| bytes.as_slice());
    let lock = inputs.lock.as_deref().unwrap_or_default();
    let digests = assessed(&planned.bytes, lock, (table.as_str(), scores));
    let refused = refusal(study.ledger()?.entries(), &planned.plan, planned.digest(), &forbidden);
    note(study, digests, refused.as_ref(), &planned, outside)?;
    match refused {
        None => Ok(()),
        Some(why) => Err(violated(&why, &planned)),
    }
}
