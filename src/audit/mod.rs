//! Is every byte the one that was recorded? Does the ledger hold? Do the recorded inputs give the
//! recorded results? Does the report render to the same bytes? Does the locked model give the scores again?
//! Everything is answered, every discrepancy is listed, and nothing here needs libtorch.

mod rescore;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle;
use crate::evidence::ledger::{Entry, Event, Ledger};
use crate::evidence::opening::{self, Digests};
use crate::model::lock::Lock;
use crate::model::operating_point;
use crate::model::run::read_tuning_scores;
use crate::report::Formats;
use crate::study;

pub use rescore::{Rescore, TOLERANCE};

/// Name of the lock in the bundle and beside the weights.
const LOCK: &str = crate::model::lock::FILE;

/// One question with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// `bytes`, `ledger`, `results`, `report`, `model`, `scores`.
    pub question: &'static str,
    /// The question in words.
    pub words: &'static str,
    /// `None` when there was nothing to ask, for example no report.
    pub holds: Option<bool>,
    /// What was looked at, or why it was not.
    pub looked_at: String,
    /// Every discrepancy, sorted.
    pub discrepancies: Vec<Diagnostic>,
}

/// What an audit of one bundle found.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Digest of the tag manifest: compare it with the one in the document.
    pub root: Option<Digest>,
    /// In a fixed order.
    pub answers: Vec<Answer>,
}

impl Audit {
    /// Whether every question that could be asked has a good answer.
    pub fn holds(&self) -> bool {
        self.answers.iter().all(|a| a.holds != Some(false))
    }
}

fn answer(
    question: &'static str,
    words: &'static str,
    looked_at: String,
    mut discrepancies: Vec<Diagnostic>,
) -> Answer {
    discrepancies.sort();
    Answer { question, words, holds: Some(discrepancies.is_empty()), looked_at, discrepancies }
}

/// What is audited besides the bundle.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Folder of the documents rendered from it.
    pub reports: Option<&'a Path>,
    /// Folder of the locked model.
    pub model: Option<&'a Path>,
    /// The root digest that somebody got on another way, for example from a document.
    pub root: Option<Digest>,
    /// Where the images are, when they are to be scored again.
    pub rescore: Option<Rescore<'a>>,
}

/// Audits a bundle and, where they lie there, the documents rendered from it and the locked weights.
///
/// # Errors
/// Only when there is no bundle to look at, a file cannot be read, the images cannot be scored again, or the bundle
/// is intact and of a format that this version does not read.
pub fn audit(folder: &Path, beside: &Beside<'_>) -> Result<Audit> {
    let mut opened = bag::open(folder)?;
    if let Some(expected) = beside.root
        && opened.root != Some(expected)
    {
        let found = opened.root.map_or("nothing".to_owned(), |r| r.to_string());
        opened.discrepancies.push(
            Diagnostic::error(Code::RootDigest, format!("the root digest is {found}, expected {expected}"))
                .at(Location::file(folder.join("tagmanifest-sha256.txt"))),
        );
    }
    let bytes = answer(
        "bytes",
        "Is every byte the one that was recorded?",
        format!("{} files against their manifests", opened.payload.len()),
        std::mem::take(&mut opened.discrepancies),
    );
    if bytes.holds == Some(true) {
        bundle::readable(&opened.payload)?;
    }
    let mut answers = vec![
        bytes,
        ledger(&opened),
        results(&opened),
        report(&opened, beside.reports)?,
        weights(&opened, beside.model)?,
    ];
    if let Some(rescore) = &beside.rescore {
        answers.push(rescore::scores(&opened, beside.model, rescore)?);
    }
    Ok(Audit { root: opened.root, answers })
}

fn ledger(opened: &Opened) -> Answer {
    let words = "Does the ledger's chain hold, in the allowed order, and does it name these files?";
    let parsed = bundle::file(&opened.payload, bundle::LEDGER)
        .map_err(|e| e.diagnostics())
        .and_then(|bytes| Ledger::parse(Path::new("data/ledger.jsonl"), bytes));
    let ledger = match parsed {
        Ok(ledger) => ledger,
        Err(problems) => return answer("ledger", words, "the ledger".to_owned(), problems),
    };
    let mut problems = Vec::new();
    let recorded = ledger.last(Event::ResultsRecorded).map(|e| e.digests.clone()).unwrap_or_default();
    if recorded.is_empty() {
        problems.push(Diagnostic::error(Code::LedgerOrder, "the ledger records no results"));
    }
    let opening = ledger.last(Event::TestSetOpened).map(|e| e.digests.clone()).unwrap_or_default();
    problems.extend(openings(&ledger));
    problems.extend(unnamed(opened, &opening));
    let locked = ledger.last(Event::ProtocolLocked).map(|e| e.digests.clone()).unwrap_or_default();
    for (name, digest) in recorded.iter().chain(&opening).chain(&locked) {
        let found = name
            .parse::<RelativePath>()
            .ok()
            .and_then(|path| opened.payload.get(&path))
            .map(|bytes| Digest::of(bytes));
        if found != Some(*digest) {
            let found = found.map_or("nothing".to_owned(), |d| d.short());
            problems.push(
                Diagnostic::error(
                    Code::LedgerDigest,
                    format!("the ledger names {}, found {found}", digest.short()),
                )
                .at(Location::file(format!("data/{name}"))),
            );
        }
    }
    let events = ledger.entries().len();
    let count = ledger.count(Event::TestSetOpened);
    let mut who: Vec<String> = ledger.entries().iter().map(Entry::who).collect();
    who.sort();
    who.dedup();
    let looked_at = format!("{events} events, test set opened {count} times; who acted: {}", who.join(", "));
    answer("ledger", words, looked_at, problems)
}

/// Openings of the test set that the rule of `validate` would have refused.
fn openings(ledger: &Ledger) -> Vec<Diagnostic> {
    let entries = ledger.entries();
    let problem = |position: usize| {
        let message = format!("the test set was opened again at {} without a reason", entries[position].at);
        Diagnostic::error(Code::OpeningWithoutReason, message)
            .at(Location::line("data/ledger.jsonl", position as u64 + 1))
    };
    opening::without_reason(entries).into_iter().map(problem).collect()
}

/// Inputs that lie in the bundle and that the last opening does not name.
fn unnamed(opened: &Opened, named: &Digests) -> Vec<Diagnostic> {
    // What cannot be read is answered by the next question.
    let Ok(inputs) = bundle::inputs(&opened.payload) else { return Vec::new() };
    let Ok(protocol) = bundle::file(&opened.payload, bundle::PROTOCOL) else { return Vec::new() };
    let problem = |name: String| {
        let problem =
            Diagnostic::error(Code::LedgerDigest, "the opening in the ledger does not name this input");
        problem.at(Location::file(format!("data/{name}")))
    };
    let mut own = opening::digests(&inputs, protocol);
    own.retain(|name, _| !named.contains_key(name));
    own.into_keys().map(problem).collect()
}

fn results(opened: &Opened) -> Answer {
    let words = "Do the recorded inputs give the recorded results, byte for byte?";
    let derived = match bundle::inputs(&opened.payload).and_then(|inputs| study::derive(&inputs)) {
        Ok(derived) => derived,
        Err(error) => return answer("results", words, "the inputs".to_owned(), error.diagnostics()),
    };
    let mut problems = Vec::new();
    for (path, bytes) in &derived.files {
        let at = Location::file(format!("data/{path}"));
        match opened.payload.get(path) {
            None => {
                problems.push(Diagnostic::error(Code::ResultLost, "derived, but not in the bundle").at(at))
            }
            Some(recorded) if recorded != bytes => {
                let line = recorded
                    .split(|b| *b == b'\n')
                    .zip(bytes.split(|b| *b == b'\n'))
                    .position(|(a, b)| a != b)
                    .map(|index| index as u64 + 1);
                let text = |bytes: &[u8]| {
                    let line =
                        bytes.split(|b| *b == b'\n').nth(line.unwrap_or(1) as usize - 1).unwrap_or_default();
                    String::from_utf8_lossy(line).trim().chars().take(80).collect::<String>()
                };
                let message = format!("recorded `{}`, the inputs give `{}`", text(recorded), text(bytes));
                problems.push(Diagnostic::error(Code::ResultDiffers, message).at(Location { line, ..at }));
            }
            Some(_) => {}
        }
    }
    let looked_at = format!(
        "{} estimates of {} cases computed again",
        derived.results.estimates.len() + derived.results.agreement.len(),
        derived.results.flow.analysed
    );
    answer("results", words, looked_at, problems)
}

fn report(opened: &Opened, reports: Option<&Path>) -> Result<Answer> {
    let words = "Does the report render to the same bytes?";
    let not_asked = |looked_at: &str| Answer {
        question: "report",
        words,
        holds: None,
        looked_at: looked_at.to_owned(),
        discrepancies: Vec::new(),
    };
    let Some(folder) = reports.filter(|folder| folder.is_dir()) else {
        return Ok(not_asked("no documents beside the evidence"));
    };
    let mut on_disk = BTreeMap::new();
    list(folder, "", &mut on_disk)?;
    // Documents may be written without a PDF; one that is there is rendered again.
    let has_pdf = on_disk.keys().any(|name| name.ends_with(".pdf"));
    let formats = if has_pdf { Formats::All } else { Formats::WithoutPdf };
    let rendered = match crate::report::from_bundle(&opened.payload, opened.root)
        .and_then(|s| crate::report::render(&s, formats))
    {
        Ok(rendered) => rendered.files,
        Err(error) => return Ok(answer("report", words, "the bundle".to_owned(), error.diagnostics())),
    };
    let mut problems = Vec::new();
    let mut compared = 0;
    for (name, bytes) in &on_disk {
        let at = Location::file(folder.join(name));
        match name.parse::<RelativePath>().ok().and_then(|path| rendered.get(&path)) {
            Some(expected) if expected == bytes => compared += 1,
            Some(_) => problems.push(
                Diagnostic::error(Code::ReportDiffers, "is not what the bundle renders to")
                    .at(at)
                    .hint("`sequester report` renders it again; the bundle is the record"),
            ),
            None if name.ends_with(".pdf") && !cfg!(feature = "pdf") => {}
            None => {
                problems.push(Diagnostic::error(Code::ReportExtra, "is not rendered from the bundle").at(at))
            }
        }
    }
    for path in rendered.keys().filter(|path| !on_disk.contains_key(path.as_str())) {
        problems
            .push(Diagnostic::error(Code::ReportLost, "is not there").at(Location::file(path.below(folder))));
    }
    let pdf = match (has_pdf, cfg!(feature = "pdf")) {
        (false, _) => "; no PDF beside them",
        (true, false) => "; this build cannot render PDF",
        (true, true) => "",
    };
    Ok(answer("report", words, format!("{compared} files rendered again{pdf}"), problems))
}

fn list(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let here = folder.join(below);
    let wrong = |e: std::io::Error| crate::diagnostic::Error::io("list", &here, &e);
    for entry in std::fs::read_dir(&here).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            list(folder, &path, files)?;
        } else {
            files.insert(path, crate::storage::read(&entry.path())?);
        }
    }
    Ok(())
}

fn weights(opened: &Opened, model: Option<&Path>) -> Result<Answer> {
    let words = "Is the model the one that was locked, and were its patients kept out of the study?";
    let lock = bundle::path(bundle::MODEL, LOCK)?;
    let not_asked = |looked_at: &str| Answer {
        question: "model",
        words,
        holds: None,
        looked_at: looked_at.to_owned(),
        discrepancies: Vec::new(),
    };
    let Some(recorded) = opened.payload.get(&lock) else {
        return Ok(not_asked("the device lives elsewhere: no lock in the bundle"));
    };
    let mut problems = Vec::new();
    let mut looked_at = vec!["the lock in the bundle"];
    if let Err(error) = operating_point(opened, recorded) {
        problems.extend(error.diagnostics());
    }
    if let Err(error) = shared_patients(opened) {
        problems.extend(error.diagnostics());
    }
    if let Some(folder) = model.filter(|folder| folder.is_dir()) {
        looked_at.push("lock.json and weights beside the evidence");
        if crate::storage::read(&folder.join(LOCK)).ok().as_ref() != Some(recorded) {
            let at = Location::file(folder.join(LOCK));
            problems.push(Diagnostic::error(Code::LockDiffers, "is not the lock in the bundle").at(at));
        }
        if let Err(error) = Lock::read(folder).and_then(|lock| lock.verify_weights(folder)) {
            problems.extend(error.diagnostics());
        }
    } else {
        looked_at.push("no model folder beside the evidence");
    }
    Ok(answer("model", words, looked_at.join("; "), problems))
}

/// The locked operating point follows from the tuning scores by the locked rule.
fn operating_point(opened: &Opened, recorded: &[u8]) -> Result<()> {
    let lock = Lock::from_bytes(recorded, Path::new("data/model/lock.json"))?;
    let [training, tuning] = [&lock.experiment.training, &lock.experiment.tuning];
    for (name, side) in [("model/training-manifest.csv", training), ("model/tuning-manifest.csv", tuning)] {
        if bundle::file(&opened.payload, name).is_ok_and(|bytes| Digest::of(bytes) != side.manifest_sha256) {
            let problem = Diagnostic::error(Code::ManifestDiffers, "is not the manifest that the lock names");
            return Err(problem.at(Location::file(format!("data/{name}"))).into());
        }
    }
    let name = "model/tuning-scores.csv";
    let Ok(bytes) = bundle::file(&opened.payload, name) else { return Ok(()) };
    let scores = read_tuning_scores(Path::new("data/model/tuning-scores.csv"), bytes)?;
    let chosen = operating_point::choose(lock.operating_point.rule, &scores, Digest::of(bytes))
        .map_err(|problem| problem.at(Location::file(format!("data/{name}"))))?;
    if chosen == lock.operating_point {
        return Ok(());
    }
    let message = format!(
        "the locked threshold is {}, the tuning scores give {}",
        lock.operating_point.threshold, chosen.threshold
    );
    Err(Diagnostic::error(Code::OperatingPointDiffers, message)
        .at(Location::file(format!("data/{name}")))
        .into())
}

/// Patients, cases and image files of the training and tuning manifests that are in the study.
fn shared_patients(opened: &Opened) -> Result<()> {
    let inputs = bundle::inputs(&opened.payload)?;
    let cohort = study::cohort(&inputs)?;
    let scores = study::read_scores(&inputs)?;
    study::separate(&inputs, &cohort, Some(&scores)).map(drop)
}
