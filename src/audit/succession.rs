//! Does one bundle follow another? A new version names its predecessor by root digest; what it took from it,
//! its protocol, its cases and its reference standard have to be the predecessor's.

use std::collections::BTreeSet;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Digest, RelativePath};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::protocol::change::{self, ChangePlan};
use crate::protocol::{self, Protocol};
use crate::study::results::{Results, Verdict};
use crate::study::{Files, change as of_study};

/// The plan of a bundle; `None` where it has none, or none that can be read.
pub fn plan_in(opened: &Opened) -> Option<ChangePlan> {
    let bytes = bundle::file(&opened.payload, &format!("{}/{}", bundle::INPUTS, change::PLAN)).ok()?;
    of_study::read_plan(Path::new(change::PLAN), bytes).ok()
}

/// Digest of the lock in a bundle.
pub fn lock_of(opened: &Opened) -> Option<Digest> {
    bundle::file(&opened.payload, bundle::MODEL_LOCK).ok().map(crate::model::lock::digest_of)
}

/// What of a bundle does not follow from its predecessor's.
pub(super) fn problems_of(successor: &Opened, plan: &ChangePlan, predecessor: &Opened) -> Vec<Diagnostic> {
    let protocol = bundle::file(&successor.payload, bundle::PROTOCOL).unwrap_or_default();
    let inputs = bundle::below(&successor.payload, bundle::INPUTS);
    problems(&inputs, protocol, plan, predecessor)
}

/// What of a study's files does not follow from the predecessor's bundle; `files` are the inputs by their
/// path relative to the data folder.
pub fn problems(files: &Files, protocol: &[u8], plan: &ChangePlan, predecessor: &Opened) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut wrong = |name: &str, message: String| {
        found.push(Diagnostic::error(Code::ChangeChain, message).at(Location::file(name)));
    };
    if predecessor.root != Some(plan.predecessor.root) {
        let root = predecessor.root.map_or_else(|| "none".to_owned(), |root| root.short());
        let named = plan.predecessor.root.short();
        wrong(
            change::PLAN,
            format!("names the root {named}... as its predecessor, this bundle's is {root}..."),
        );
    }
    if lock_of(predecessor) != Some(plan.predecessor.lock) {
        wrong(change::PLAN, "names another lock than the predecessor's bundle holds".to_owned());
    }
    for (copy, original) in [
        (change::LOCK, bundle::MODEL_LOCK),
        (change::SCORES, "scores.csv"),
        (change::RESULTS, bundle::RESULTS),
        (change::LEDGER, bundle::LEDGER),
    ] {
        let copied = files.iter().find(|(path, _)| path.as_str() == copy).map(|(_, bytes)| bytes.as_slice());
        if copied.is_none() || copied != bundle::file(&predecessor.payload, original).ok() {
            wrong(copy, format!("is not data/{original} of the predecessor's bundle"));
        }
    }
    let accepted = bundle::file(&predecessor.payload, bundle::RESULTS)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Results>(bytes).ok())
        .is_none_or(|results| results.change.is_none_or(|change| change.verdict == Verdict::Met));
    if !accepted {
        wrong(change::RESULTS, "the predecessor was not accepted by its own plan".to_owned());
    }
    let before = bundle::file(&predecessor.payload, bundle::PROTOCOL).unwrap_or_default();
    let scores = match (parsed(protocol), parsed(before)) {
        (Some(now), Some(then)) => {
            if !same_study(&now, &then) {
                let message = "declares another study than the predecessor's protocol does: beside gate, \
                               model, title and version both have to mean the same";
                wrong(bundle::PROTOCOL, message.to_owned());
            }
            BTreeSet::from([now.scores.file, then.scores.file])
        }
        _ => {
            wrong(bundle::PROTOCOL, "one of the two protocols cannot be read".to_owned());
            BTreeSet::new()
        }
    };
    let theirs = bundle::below(&predecessor.payload, bundle::INPUTS);
    let is_compared =
        |path: &&RelativePath| !scores.contains(*path) && !of_study::is_of_change(path.as_str());
    let names: BTreeSet<&RelativePath> = files.keys().chain(theirs.keys()).filter(is_compared).collect();
    for name in names {
        if files.get(name) != theirs.get(name) {
            wrong(
                name.as_str(),
                "is not the predecessor's: cases and reference standard are to be the same".into(),
            );
        }
    }
    found
}

fn parsed(text: &[u8]) -> Option<Protocol> {
    protocol::parse(Path::new(bundle::PROTOCOL), std::str::from_utf8(text).ok()?).ok()
}

/// What a plan can allow to be another is left out: gate and model.
fn same_study(now: &Protocol, then: &Protocol) -> bool {
    let mut now = now.clone();
    now.gate.clone_from(&then.gate);
    now.model.clone_from(&then.model);
    now.study.title.clone_from(&then.study.title);
    now.study.version.clone_from(&then.study.version);
    now == *then
}

/// How a bundle stands to another that may be its predecessor; `None` where they have nothing to do with each
/// other.
pub(super) fn link(successor: &Opened, other: &Opened) -> Option<Result<(), Vec<Diagnostic>>> {
    let plan = plan_in(successor)?;
    let named = other.root == Some(plan.predecessor.root);
    if !named && lock_of(other) != Some(plan.predecessor.lock) {
        return None;
    }
    let problems = problems_of(successor, &plan, other);
    Some(if problems.is_empty() { Ok(()) } else { Err(problems) })
}
