//! The test set is opened, by the rule of [`opening`], every result computed, and a bundle left.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::outside::Outside;
use super::study::Study;
use super::{amendment, change_permit, custody, dataset, deviation, names, reads, report};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::digest::{Bytes, Digest};
use crate::document::format;
use crate::evidence::bag::{self, Payload};
use crate::evidence::bundle::{self, Environment};
use crate::evidence::kept;
use crate::evidence::ledger::Event;
use crate::evidence::opening::{self, Decision, Refusal};
use crate::inference::scoring::{self, Scoring};
use crate::model::lock::Lock;
use crate::report::reader_study;
use crate::report::set::check_device;
use crate::storage;
use crate::study::results::Results;
use crate::study::{self, Derived, Step};

/// What `validate` left.
#[derive(Debug)]
pub struct Validated {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Its results.
    pub results: Results,
    /// Nothing had to be done.
    pub unchanged: bool,
}

/// Opens the test set and writes the bundle, or finds that nothing has changed.
///
/// # Errors
/// Whatever is wrong in the inputs; `Error::Lock` without a reason for a second opening.
pub fn validate(study: &Study, reason: Option<&str>, outside: &Outside<'_>) -> Result<Validated> {
    let (wrong, unportable): (Vec<_>, Vec<_>) =
        names::of_study(study).into_iter().partition(|problem| problem.severity == Severity::Error);
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    for warning in unportable {
        outside.say("validate", &warning.to_string());
    }
    custody::reads_are_here(study)?;
    let inputs = study.inputs(Step::All)?;
    outside.say("validate", "cohort and reference standard");
    let cohort = study::cohort(&inputs)?;
    dataset::seal(study, &cohort, outside)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    // A score table that cannot be read must not count as an opening of the test set.
    let scores = study::read_needed_scores(&inputs, &cohort)?;
    lock_model(study, &inputs, outside)?;
    reads::lock(study, &inputs, outside)?;

    let ledger = study.ledger()?;
    let opened = opening::digests(&inputs, &study.protocol_bytes);
    match opening::decide(ledger.entries(), &opened, None, reason) {
        Decision::Refused(why) => return Err(refused(study, why)),
        // No result is computed of what the custodian did not grant.
        Decision::Open => {
            custody::permits(study, &opened)?;
            change_permit::permits(study, &inputs, outside)?;
        }
        Decision::GoOn | Decision::Same => {}
    }
    outside.say("validate", "estimates, intervals and subgroups");
    let derived = study::derive_from(&inputs, &cohort, reference, scores)?;
    let recorded: BTreeMap<String, Digest> =
        derived.files.iter().map(|(path, bytes)| (path.to_string(), bytes.digest())).collect();
    match opening::decide(ledger.entries(), &opened, Some(&recorded), reason) {
        Decision::Refused(why) => return Err(refused(study, why)),
        Decision::Same => {
            if let Some(validated) = unchanged(study, &derived, outside)? {
                return Ok(validated);
            }
        }
        Decision::GoOn => study.record(Event::ResultsRecorded, outside, recorded, None)?,
        Decision::Open => {
            custody::permits(study, &opened)?;
            study.record(Event::TestSetOpened, outside, opened, reason.map(str::to_owned))?;
            study.record(Event::ResultsRecorded, outside, recorded, None)?;
        }
    }
    // Of a large study these are most of the memory.
    drop(cohort);
    publish(study, inputs, derived, outside)
}

/// What is said when the test set may not be opened.
fn refused(study: &Study, why: Refusal) -> Error {
    let (message, hint) = match why {
        Refusal::OtherInputs { openings } => (
            format!("the test set was opened {}, and the inputs have changed since", format::times(openings)),
            "put the inputs back, or give the reason in words with --reason; every document will print it",
        ),
        Refusal::OtherResults => (
            "the inputs are the same, but this version of the program gives other results".to_owned(),
            "use the version that the evidence names, or give the reason in words with --reason",
        ),
    };
    let problem = Diagnostic::error(Code::SecondOpening, message);
    Error::Lock(vec![problem.at(Location::file(study.out.join("ledger.jsonl"))).hint(hint)])
}

/// The last bundle, if its words are the ones that lie in the study.
fn unchanged(study: &Study, derived: &Derived, outside: &Outside<'_>) -> Result<Option<Validated>> {
    let Some((_, folder)) = study.runs().pop() else { return Ok(None) };
    let opened = bag::open(&folder)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    let same_words = words(study)?.iter().all(|(path, bytes)| opened.payload.get(path) == Some(bytes));
    let same_results = derived.files.iter().all(|(path, bytes)| opened.payload.get(path) == Some(bytes));
    // Interrupted between the bundle and the ledger's line: the bundle is there, and nobody said so.
    if let Some(root) = opened.root.filter(|_| same_words && same_results)
        && !study
            .ledger()?
            .entries()
            .iter()
            .any(|e| e.event == Event::EvidencePublished && e.digests.values().any(|digest| *digest == root))
    {
        let digests = BTreeMap::from([(bag::TAG_MANIFEST.to_owned(), root)]);
        study.record(Event::EvidencePublished, outside, digests, None)?;
    }
    Ok(same_words.then(|| Validated { bundle: folder, results: derived.results.clone(), unchanged: true }))
}

/// What only people write, and what it is printed with: device.toml, deviations, templates and fonts.
fn words(study: &Study) -> Result<Payload> {
    let mut words = Payload::new();
    let device = study.folder.join("device.toml");
    let device = if device.is_file() { storage::read(&device)? } else { Vec::new() };
    if let (_, Some(deviations)) = deviation::recorded(study)? {
        words.insert(bundle::path("", bundle::DEVIATIONS)?, deviations.into());
    }
    if let Err(e) = toml::from_str::<toml::Table>(&String::from_utf8_lossy(&device)) {
        let problem = Diagnostic::error(Code::TomlSyntax, e.message().to_owned());
        return Err(problem.at(Location::file(study.folder.join("device.toml"))).into());
    }
    let path = study.folder.join("device.toml");
    let mut wrong = check_device(&path, &String::from_utf8_lossy(&device));
    wrong.retain(|problem| problem.severity == Severity::Error);
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    words.insert(bundle::path("", bundle::DEVICE)?, device.into());
    // Commitments with their tokens, requests and grants: what the ledger names lies in the bundle.
    for name in kept::kept(study.ledger()?.entries()).into_keys() {
        words.insert(bundle::path("", name)?, storage::read(&study.out.join(name))?.into());
    }
    if study.has_change_plan() {
        for (name, text) in crate::report::change_templates() {
            words.insert(bundle::path(bundle::TEMPLATES, &name)?, text.into());
        }
    }
    for (name, text) in report::templates(&study.folder)? {
        // The words of a document that the study does not have are none of its evidence.
        if name == reader_study::MAIN_TEMPLATE && study.protocol.reader_study.is_none() {
            continue;
        }
        words.insert(bundle::path(bundle::TEMPLATES, &name)?, text.into());
    }
    for (name, bytes) in report::fonts(&study.folder)? {
        words.insert(bundle::path(bundle::FONTS, &name)?, bytes.into());
    }
    Ok(words)
}

fn lock_model(study: &Study, inputs: &study::Inputs, outside: &Outside<'_>) -> Result<()> {
    let digests = if let Some(bytes) = &inputs.lock {
        let folder = study.model_folder();
        Lock::read(&folder)?.verify_weights(&folder)?;
        BTreeMap::from([opening::lock_digest(bytes)])
    } else {
        let file = &study.protocol.scores.file;
        let scores = inputs.files.get(file).map(Bytes::digest);
        scores.map(|digest| (format!("inputs/{file}"), digest)).into_iter().collect()
    };
    if study.ledger()?.last(Event::ModelLocked).is_some_and(|e| e.digests == digests) {
        return Ok(());
    }
    study.record(Event::ModelLocked, outside, digests, None)
}

fn publish(
    study: &Study,
    inputs: study::Inputs,
    derived: Derived,
    outside: &Outside<'_>,
) -> Result<Validated> {
    outside.say("validate", "writing the evidence bundle");
    let mut payload = words(study)?;
    payload.insert(bundle::path("", bundle::PROTOCOL)?, study.protocol_bytes.clone().into());
    payload.extend(amendment::texts(study)?);
    if let Some(lock) = &inputs.lock {
        payload.insert(bundle::path(bundle::MODEL, "lock.json")?, lock.clone().into());
        for name in bundle::RUN_FILES {
            if let Some(path) = study.run_file(name) {
                payload.insert(bundle::path(bundle::MODEL, name)?, storage::read(&path)?.into());
            }
        }
        // Only what made this very table: it may have been replaced by hand.
        let path = study.out.join(scoring::FILE);
        let table = inputs.files.get(&study.protocol.scores.file);
        if let (Some(record), Some(table)) = (Scoring::read(&path), table)
            && record.clone().machine_of(&table.read()).is_some()
        {
            payload.insert(bundle::path(bundle::MODEL, bundle::SCORING)?, record.to_bytes().into());
        }
    }
    for (path, bytes) in inputs.files {
        payload.insert(bundle::path(bundle::INPUTS, path.as_str())?, bytes);
    }
    payload.extend(derived.files);
    payload.insert(bundle::path("", bundle::LEDGER)?, study.ledger()?.to_bytes().into());
    let number = study.runs().last().map_or(1, |(number, _)| number + 1);
    let run = format!("run-{number}");
    let created = outside.at();
    let environment = Environment {
        format: bundle::FORMAT.to_owned(),
        run: run.clone(),
        created: created.clone(),
        clock: outside.clock_set.then(|| bundle::CLOCK_SET.to_owned()),
        program: format!("sequester {}", env!("CARGO_PKG_VERSION")),
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        cargo_lock_sha256: Digest::of(include_bytes!("../../Cargo.lock")).to_string(),
    };
    let mut json = serde_json::to_vec_pretty(&environment).unwrap_or_default();
    json.push(b'\n');
    payload.insert(bundle::path("", bundle::ENVIRONMENT)?, json.into());
    let folder = study.out.join("evidence").join(&run);
    let info = [
        ("Bagging-Date", created[..10].to_owned()),
        ("External-Identifier", format!("{}/{run}", study.protocol.study.id)),
        ("Bag-Software-Agent", format!("sequester {}", env!("CARGO_PKG_VERSION"))),
        ("External-Description", study.protocol.study.title.clone()),
    ];
    let root = bag::write(&folder, &payload, &info)?;
    let digests = BTreeMap::from([(bag::TAG_MANIFEST.to_owned(), root)]);
    study.record(Event::EvidencePublished, outside, digests, None)?;
    Ok(Validated { bundle: folder, results: derived.results, unchanged: false })
}
