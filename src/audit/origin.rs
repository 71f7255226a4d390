//! Where do the differences begin? One changed file contradicts many others: what is derived from it, the
//! ledger that names it, the documents. Named is the file from which the others follow.
//!
//! The order is that of the evidence: bytes and manifests; what people and devices brought; what is derived
//! from it; records bound to these; the study's ledger; documents. Where two files contradict each other and
//! nothing else decides between them, both are named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::answer::{Answer, State};
use crate::diagnostic::{Code, Diagnostic};
use crate::evidence::bag::{Opened, TAG_MANIFEST};
use crate::evidence::bundle;
use crate::evidence::ledger::Event;
use crate::evidence::ledger::Ledger;

const LEDGER: &str = "data/ledger.jsonl";
/// Folders of what events beside the steps name.
const KEPT: [&str; 2] = ["data/custody/", "data/commitments/"];

/// The files in which the differences begin, by their names in the bundle, in the study, or below the folder
/// of documents; none where nothing is contradicted.
pub(super) fn begins(
    opened: &Opened,
    answers: &[Answer],
    folder: &Path,
    reports: Option<&Path>,
) -> Vec<String> {
    let of = |question: &str| answers.iter().find(|a| a.question == question);
    let found = |question: &str| of(question).map_or(&[][..], |a| a.discrepancies.as_slice());
    let names = |problems: &[Diagnostic]| -> BTreeSet<String> {
        problems.iter().filter_map(|p| name(p, folder, reports)).collect()
    };
    let bytes = found("bytes");
    if !bytes.is_empty() {
        return in_bytes(bytes, &names, found("contents")).into_iter().collect();
    }
    let holds = |question: &str| of(question).is_none_or(|a| a.answer != State::No);
    let steps: [&dyn Fn() -> BTreeSet<String>; 9] = [
        &|| in_ledger(opened, found("ledger"), &names(found("results")), holds("results")),
        &|| with_ledger(in_contents(found("contents"), &names)),
        &|| names(found("results")),
        &|| names(&[found("threshold"), found("separation")].concat()),
        &|| names(&[found("model"), found("scores")].concat()),
        &|| with_ledger(names(found("custody"))),
        &|| names(found("bar")),
        &|| names(found("history")),
        &|| names(found("report")),
    ];
    steps.iter().map(|step| step()).find(|names| !names.is_empty()).unwrap_or_default().into_iter().collect()
}

/// A kept file that no event names may have been put in, or its event taken out: both are named.
fn with_ledger(mut names: BTreeSet<String>) -> BTreeSet<String> {
    if names.iter().any(|name| KEPT.iter().any(|folder| name.starts_with(folder))) {
        names.insert(LEDGER.to_owned());
    }
    names
}

/// The file of a discrepancy, relative to what it lies in.
fn name(problem: &Diagnostic, folder: &Path, reports: Option<&Path>) -> Option<String> {
    let path = &problem.location.as_ref()?.path;
    let inside = path.strip_prefix(folder).ok().or_else(|| path.strip_prefix(reports?).ok());
    Some(inside.unwrap_or(path).to_string_lossy().into_owned())
}

/// Bytes that are not those recorded: a manifest that is another one contradicts every file it names.
fn in_bytes(
    bytes: &[Diagnostic],
    names: &dyn Fn(&[Diagnostic]) -> BTreeSet<String>,
    contents: &[Diagnostic],
) -> BTreeSet<String> {
    let all = names(bytes);
    let with = |codes: &[Code]| {
        let of: Vec<Diagnostic> = bytes.iter().filter(|p| codes.contains(&p.code)).cloned().collect();
        names(&of)
    };
    let is_tag = |name: &&String| !name.contains('/') && name.ends_with(".txt");
    let form = with(&[Code::ManifestForm, Code::ManifestLine, Code::ManifestIncomplete]);
    if let Some(first) = form.first() {
        // What is not in its own form was not written so.
        let first = if form.contains(TAG_MANIFEST) { TAG_MANIFEST } else { first };
        return BTreeSet::from([first.to_owned()]);
    }
    let lost: BTreeSet<String> = with(&[Code::FileLost]).iter().filter(is_tag).cloned().collect();
    if !lost.is_empty() {
        return lost;
    }
    let changed: BTreeSet<String> = with(&[Code::FileChanged]).iter().filter(is_tag).cloned().collect();
    if changed.is_empty() {
        return all;
    }
    // A manifest or label that is another one would contradict what it speaks of; where it does not, the tag
    // manifest is the one that changed.
    let contradicted = |name: &String| match name.as_str() {
        "bagit.txt" => bytes.iter().any(|p| p.code == Code::BagDeclaration),
        "bag-info.txt" => {
            bytes.iter().any(|p| p.code == Code::PayloadOxum) || names(contents).contains("bag-info.txt")
        }
        _ => all.iter().any(|other| other.starts_with("data/")),
    };
    if changed.iter().any(contradicted) { changed } else { BTreeSet::from([TAG_MANIFEST.to_owned()]) }
}

/// Files that are not what they explain. A label beside `environment.json`: either may be the one.
fn in_contents(
    problems: &[Diagnostic],
    names: &dyn Fn(&[Diagnostic]) -> BTreeSet<String>,
) -> BTreeSet<String> {
    let mut all = names(problems);
    let label = |p: &&Diagnostic| {
        p.code == Code::FileUnbound && p.location.as_ref().is_some_and(|l| l.path.ends_with("bag-info.txt"))
    };
    if problems.iter().any(|p| label(&p)) {
        all.insert(format!("data/{}", bundle::ENVIRONMENT));
    }
    all
}

/// What the ledger names with another digest: the file, or the ledger.
fn in_ledger(
    opened: &Opened,
    problems: &[Diagnostic],
    differing: &BTreeSet<String>,
    results_hold: bool,
) -> BTreeSet<String> {
    let place = |p: &Diagnostic| p.location.as_ref().map(|l| l.path.to_string_lossy().into_owned());
    if problems.iter().any(|p| place(p).as_deref() == Some(LEDGER)) {
        return BTreeSet::from([LEDGER.to_owned()]);
    }
    let mut contradicted: BTreeMap<String, usize> = BTreeMap::new();
    for name in problems.iter().filter_map(place) {
        *contradicted.entry(name).or_default() += 1;
    }
    let bytes = bundle::file(&opened.payload, bundle::LEDGER).unwrap_or_default();
    let ledger = Ledger::parse(Path::new(LEDGER), bytes).unwrap_or_default();
    // How many events name a file, each as the last of its kind.
    let named = |name: &str| {
        let name = name.strip_prefix("data/").unwrap_or(name);
        let kinds: BTreeSet<_> = ledger
            .entries()
            .iter()
            .filter(|entry| {
                entry.digests.contains_key(name)
                    && (!entry.event.is_beside() || entry.event == Event::DeviationRecorded)
            })
            .map(|entry| entry.event)
            .collect();
        kinds.len()
    };
    let is_there = |name: &str| {
        let inside = name.strip_prefix("data/").and_then(|name| name.parse().ok());
        inside.is_some_and(|path| opened.payload.contains_key(&path))
    };
    let (mut brought, mut derived, mut undecided) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (name, times) in &contradicted {
        let is_input = ["data/inputs/", "data/model/", "data/protocol"].iter().any(|p| name.starts_with(p));
        if !is_there(name) {
            // The cohort is computed; another file was taken out, or the ledger names what never was.
            if name != "data/cohort.csv" {
                undecided.insert(name.clone());
            }
            undecided.insert(LEDGER.to_owned());
        } else if KEPT.iter().any(|folder| name.starts_with(folder)) {
            // Files of custody and commitments: one event names each, and nothing else decides.
            undecided.extend([name.clone(), LEDGER.to_owned()]);
        } else if is_input && *times >= named(name) && (*times > 1 || !results_hold) {
            brought.insert(name.clone());
        } else if is_input && *times < named(name) {
            undecided.insert(LEDGER.to_owned());
        } else if is_input {
            undecided.extend([name.clone(), LEDGER.to_owned()]);
        } else if differing.contains(name) {
            derived.insert(name.clone());
        } else {
            undecided.insert(LEDGER.to_owned());
        }
    }
    [brought, derived, undecided].into_iter().find(|names| !names.is_empty()).unwrap_or_default()
}
