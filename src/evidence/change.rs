//! When a new version may be studied under a change control plan: the one rule that `change assess` and
//! `validate` ask before an opening and `verify` asks of every opening that a ledger holds. Pure.
//!
//! The plan is locked before anything is opened and does not change afterwards; no kind of change is there
//! that it does not allow; the test set is opened as often as it says at most, whatever came of it; and every
//! version that was held against it is in the ledger, those that were refused too.

use super::bundle;
use super::ledger::{Entry, Event};
use super::opening::Digests;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::protocol::change::{self, ChangeKind, ChangePlan};
use crate::study::change::is_change;
use crate::study::{Derived, Inputs};

/// Why a new version is not studied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The plan was not locked.
    NotLocked,
    /// The plan is not the one that was locked, which had this digest.
    PlanChanged(Option<Digest>),
    /// Kinds of change that the plan does not allow.
    Forbidden(Vec<ChangeKind>),
    /// The test set was opened so many times, and no more openings are allowed.
    Openings(usize),
}

impl Refusal {
    /// What is said of it.
    pub fn problem(&self, allowed: u64) -> Diagnostic {
        match self {
            Self::NotLocked => {
                let message = "the change control plan was not locked before a version was held against it";
                Diagnostic::error(Code::ChangePlanUnlocked, message)
                    .hint("`sequester change lock PLAN`, before the test set is opened")
            }
            Self::PlanChanged(locked) => {
                let locked = locked.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
                let message =
                    format!("the change control plan is not the one that was locked with digest {locked}...");
                Diagnostic::error(Code::ChangePlanChanged, message)
                    .hint("put the locked plan back; another plan is another study: `sequester change init`")
            }
            Self::Forbidden(kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let message = format!("the plan does not allow a change of {}", kinds.join(", "));
                Diagnostic::error(Code::ChangeForbidden, message).hint(
                    "`sequester verify --diff` of the two locks says what differs; a change outside the plan \
                     is not covered by it",
                )
            }
            Self::Openings(made) => {
                let message = format!("the test set was opened {made} times, and the plan allows {allowed}");
                Diagnostic::error(Code::ChangeOpenings, message)
                    .hint("a further version needs another test set, or another plan that says why")
            }
        }
    }
}

/// Whether the plan is the one that was locked.
pub fn plan_refusal(entries: &[Entry], plan: Digest) -> Option<Refusal> {
    let Some(locked) = entries.iter().find(|entry| entry.event == Event::ChangePlanLocked) else {
        return Some(Refusal::NotLocked);
    };
    let locked = locked.digests.get(&name(change::PLAN)).copied();
    (locked != Some(plan)).then_some(Refusal::PlanChanged(locked))
}

/// Why the test set may not be opened for a version; `forbidden` are the kinds of change that it shows and
/// the plan does not allow.
pub fn refusal(
    entries: &[Entry],
    plan: &ChangePlan,
    plan_digest: Digest,
    forbidden: &[ChangeKind],
) -> Option<Refusal> {
    let made = entries.iter().filter(|entry| entry.event == Event::TestSetOpened).count();
    if let Some(refusal) = plan_refusal(entries, plan_digest) {
        Some(refusal)
    } else if !forbidden.is_empty() {
        Some(Refusal::Forbidden(forbidden.to_vec()))
    } else {
        (made as u64 >= plan.openings).then_some(Refusal::Openings(made))
    }
}

/// What an event says of a version that was held against its plan: the plan, the lock and the scores.
pub fn assessed(plan: &[u8], lock: &[u8], scores: (&str, &[u8])) -> Digests {
    Digests::from([
        (name(change::PLAN), Digest::of(plan)),
        super::opening::lock_digest(lock),
        (name(scores.0), Digest::of(scores.1)),
    ])
}

/// A file among the inputs as a bundle names it.
fn name(path: &str) -> String {
    format!("{}/{path}", bundle::INPUTS)
}

/// Whether an event of a plan names what it is about, and nothing else: the plan; or what [`assessed`] says
/// of it, the table of scores being the protocol's.
fn is_whole(entry: &Entry, scores: &str) -> bool {
    let mut names = vec![name(change::PLAN)];
    if entry.event == Event::ChangeAssessed {
        names.extend([bundle::MODEL_LOCK.to_owned(), name(scores)]);
    }
    names.sort();
    entry.digests.keys().eq(&names)
}

/// What in a bundle's ledger does not follow the rule. What cannot be derived is another question's answer.
pub fn problems(entries: &[Entry], inputs: Option<&Inputs>, derived: Option<&Derived>) -> Vec<Diagnostic> {
    let place = Location::file(format!("data/{}", bundle::LEDGER));
    let Some(inputs) = inputs else { return Vec::new() };
    let of_plan = |entry: &&Entry| matches!(entry.event, Event::ChangePlanLocked | Event::ChangeAssessed);
    if !is_change(inputs) {
        let named = entries.iter().find(of_plan);
        let problem = named.map(|entry| {
            let message =
                format!("line {} is of a change control plan, and the bundle holds none", entry.sequence);
            Diagnostic::error(Code::LedgerDigest, message).at(place)
        });
        return problem.into_iter().collect();
    }
    let at_plan = Location::file(format!("data/{}", name(change::PLAN)));
    let mut found = Vec::new();
    let scores = inputs.protocol.scores.file.as_str();
    for entry in entries.iter().filter(of_plan).filter(|entry| !is_whole(entry, scores)) {
        let message = format!("line {} does not name what an event of a plan names", entry.sequence);
        found.push(Diagnostic::error(Code::LedgerDigest, message).at(place.clone()));
    }
    let plan = inputs.files.iter().find(|(path, _)| path.as_str() == change::PLAN);
    let change = derived.and_then(|derived| derived.results.change.as_ref());
    let allowed = change.map_or(0, |change| change.openings);
    if let Some((_, bytes)) = plan
        && let Some(refusal) = plan_refusal(entries, bytes.digest())
    {
        found.push(refusal.problem(allowed).at(at_plan.clone()));
    }
    let Some(change) = change else { return found };
    let forbidden = change.forbidden();
    if !forbidden.is_empty() {
        found.push(Refusal::Forbidden(forbidden).problem(allowed).at(at_plan.clone()));
    }
    let openings: Vec<(usize, &Entry)> =
        entries.iter().enumerate().filter(|(_, entry)| entry.event == Event::TestSetOpened).collect();
    if openings.len() as u64 > allowed {
        found.push(Refusal::Openings(openings.len()).problem(allowed).at(at_plan));
    }
    for (position, opening) in openings {
        let covers = |entry: &&Entry| {
            entry.event == Event::ChangeAssessed
                && entry.reason.is_none()
                && !entry.digests.is_empty()
                && entry.digests.iter().all(|(name, digest)| opening.digests.get(name) == Some(digest))
        };
        if !entries[..position].iter().any(|entry| covers(&entry)) {
            let message = format!(
                "line {} opens the test set, and no line before holds that version against the plan",
                opening.sequence
            );
            found.push(Diagnostic::error(Code::LedgerOrder, message).at(place.clone()));
        }
    }
    found
}

#[cfg(test)]
mod tests;
