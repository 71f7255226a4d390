//! Is every file of the bundle known, of its form, and bound to what it explains?
//!
//! A file that nobody reads is a place to hide in, and one that nobody misses can be removed: what a bundle
//! holds is therefore listed from the protocol and the lock, and compared in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::LOCK;
use super::answer::{Answer, State};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, Digest};
use crate::evidence::amendment;
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle::{self, Environment};
use crate::evidence::kept;
use crate::evidence::ledger::{Event, Ledger};
use crate::inference::scoring::Scoring;
use crate::model::curve::EpochRecord;
use crate::model::lock::Lock;
use crate::study::{self, Derived, Inputs, Step};

const WORDS: &str = "Is every file of the bundle known, of its form, and bound to what it explains?";

/// The answer; without inputs or results what they would name is not asked for.
pub(super) fn contents(opened: &Opened, inputs: Option<&Inputs>, derived: Option<&Derived>) -> Answer {
    let mut problems = environment(opened, inputs);
    problems.extend(device(opened));
    problems.extend(unknown(opened, inputs, derived));
    let (own, missing) = templates(opened);
    problems.extend(missing);
    if let Some(lock) = inputs.and_then(|inputs| inputs.lock.as_deref())
        && let Ok(lock) = Lock::from_bytes(lock, Path::new("data/model/lock.json"))
    {
        problems.extend(run_files(opened, &lock));
    }
    if let Some(inputs) = inputs {
        problems.extend(scoring(opened, inputs));
    }
    let templates = if own.is_empty() {
        "the templates are those of this program".to_owned()
    } else {
        format!("templates that are not those of this program: {}", own.join(", "))
    };
    let clock = bundle::environment(&opened.payload).and_then(|environment| environment.clock);
    let clock = if clock.is_some() { "; the user set the clock (SOURCE_DATE_EPOCH)" } else { "" };
    let looked_at = format!("{} files; {templates}{clock}", opened.payload.len());
    let without = unproved(opened, inputs);
    if problems.is_empty() && !without.is_empty() {
        let why = format!("{looked_at}; the bundle does not hold {}", without.join(", "));
        return Answer::open("contents", WORDS, State::NotShown, &why);
    }
    Answer::of("contents", WORDS, looked_at, problems)
}

/// What would explain a model that was locked here, or scores that were made here, and is not there: it was
/// taken out, or there never was any, as of a table that was replaced by hand.
fn unproved(opened: &Opened, inputs: Option<&Inputs>) -> Vec<String> {
    let Some(inputs) = inputs.filter(|inputs| inputs.lock.is_some()) else { return Vec::new() };
    let scored_here = (!inputs.protocol.scores.external).then_some(bundle::SCORING);
    let names = ["experiment.toml", "training.jsonl"].into_iter().chain(scored_here);
    let names = names.map(|name| format!("{}/{name}", bundle::MODEL));
    names.filter(|name| bundle::file(&opened.payload, name).is_err()).collect()
}

fn at(name: &str) -> Location {
    Location::file(format!("data/{name}"))
}

fn unreadable(name: &str, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::BundleUnreadable, why.to_string()).at(at(name))
}

fn unbound(name: &str, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::FileUnbound, message).at(at(name))
}

/// `environment.json`, and what the bag says of itself beside it.
fn environment(opened: &Opened, inputs: Option<&Inputs>) -> Vec<Diagnostic> {
    let name = bundle::ENVIRONMENT;
    let bytes = match bundle::file(&opened.payload, name) {
        Ok(bytes) => bytes,
        Err(error) => return error.diagnostics(),
    };
    let environment: Environment = match serde_json::from_slice(bytes) {
        Ok(environment) => environment,
        Err(e) => return vec![unreadable(name, e)],
    };
    let mut problems = Vec::new();
    if environment.format != bundle::FORMAT {
        problems.push(unreadable(name, format!("the format is \"{}\"", environment.format)));
    }
    let number = environment.run.strip_prefix("run-").and_then(|n| n.parse::<u64>().ok());
    if number.is_none_or(|n| n == 0) {
        problems.push(unreadable(name, format!("`{}` is the name of no run", environment.run)));
    }
    if chrono::DateTime::parse_from_rfc3339(&environment.created).is_err() {
        problems.push(unreadable(name, format!("`{}` is no time", environment.created)));
    }
    if environment.clock.as_deref().is_some_and(|clock| clock != bundle::CLOCK_SET) {
        problems.push(unreadable(name, "`clock` is not what this program writes there"));
    }
    if environment.cargo_lock_sha256.parse::<Digest>().is_err() {
        problems.push(unreadable(name, "`cargo_lock_sha256` is no digest"));
    }
    let version = environment.program.strip_prefix("sequester ");
    if version
        .is_none_or(|v| v.is_empty() || !v.chars().all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c)))
    {
        problems.push(unreadable(name, format!("`{}` is no version of this program", environment.program)));
    }
    let mut said = vec![
        ("Bagging-Date", environment.created.chars().take(10).collect::<String>()),
        ("Bag-Software-Agent", environment.program.clone()),
    ];
    if let Some(inputs) = inputs {
        said.push(("External-Identifier", format!("{}/{}", inputs.protocol.study.id, environment.run)));
        said.push(("External-Description", bag::label_value(&inputs.protocol.study.title)));
    }
    for (label, expected) in said {
        let found = opened.info.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str());
        if found != Some(expected.as_str()) {
            let found = found.unwrap_or("nothing");
            let message = format!("{label} is `{found}`, the bundle itself says `{expected}`");
            problems.push(Diagnostic::error(Code::FileUnbound, message).at(Location::file("bag-info.txt")));
        }
    }
    // One of each, and no other: a label that nothing else says is a place to say anything.
    let mut seen = BTreeSet::new();
    for (label, _) in &opened.info {
        if !bundle::LABELS.contains(&label.as_str()) || !seen.insert(label) {
            let message = format!("{label} is no label of a bundle, or stands there twice");
            problems.push(Diagnostic::error(Code::FileExtra, message).at(Location::file("bag-info.txt")));
        }
    }
    problems
}

fn device(opened: &Opened) -> Vec<Diagnostic> {
    match bundle::text(&opened.payload, bundle::DEVICE) {
        Ok(text) => {
            let parsed = toml::from_str::<toml::Table>(text);
            parsed.err().map(|e| unreadable(bundle::DEVICE, e.message())).into_iter().collect()
        }
        Err(error) => error.diagnostics(),
    }
}

/// Names of templates that are not those of this program, of this version or an earlier one.
pub(super) fn own_templates(opened: &Opened) -> Vec<String> {
    let there = bundle::below(&opened.payload, bundle::TEMPLATES);
    let by_name: BTreeMap<String, &[u8]> =
        there.iter().map(|(name, bytes)| (name.to_string(), bytes.as_slice())).collect();
    crate::report::own_templates(&by_name)
}

/// The same, and a problem where there are none at all.
fn templates(opened: &Opened) -> (Vec<String>, Vec<Diagnostic>) {
    let there = bundle::below(&opened.payload, bundle::TEMPLATES);
    let own = own_templates(opened);
    // What another version of the program does not have its documents do not ask for; this one would say so
    // when it renders. Without any there is nothing to render from.
    let missing = there.is_empty().then(|| {
        Diagnostic::error(Code::BundleIncomplete, "the bundle has no templates").at(at(bundle::TEMPLATES))
    });
    (own, missing.into_iter().collect())
}

/// Files that neither the protocol nor the lock nor the results know.
fn unknown(opened: &Opened, inputs: Option<&Inputs>, derived: Option<&Derived>) -> Vec<Diagnostic> {
    let Some(inputs) = inputs else { return Vec::new() };
    let needed = study::needed_files(&inputs.protocol, Step::All);
    let named: BTreeSet<&str> =
        [bundle::PROTOCOL, bundle::DEVICE, bundle::LEDGER, bundle::ENVIRONMENT].into_iter().collect();
    let ledger = bundle::file(&opened.payload, bundle::LEDGER)
        .ok()
        .and_then(|bytes| Ledger::parse(Path::new(bundle::LEDGER), bytes).ok())
        .unwrap_or_default();
    let locked = ledger.count(Event::ProtocolLocked);
    let kept = kept::kept(ledger.entries());
    let amended: Vec<String> =
        if locked > 1 { (1..=locked).map(amendment::locked_name).collect() } else { Vec::new() };
    let is_known = |path: &str| {
        if named.contains(path) || kept.contains_key(path) {
            return true;
        }
        match path.split_once('/') {
            Some((bundle::INPUTS, rest)) => {
                study::register_path(&inputs.protocol).is_some_and(|register| register.as_str() == rest)
                    || needed.iter().any(|pattern| study::matches(pattern, rest))
                    || study::rounds::is_of_round(&inputs.protocol, rest)
                    || (study::change::is_change(inputs) && study::change::is_of_change(rest))
            }
            Some((bundle::MODEL, rest)) => {
                inputs.lock.is_some()
                    && (rest == LOCK || rest == bundle::SCORING || bundle::RUN_FILES.contains(&rest))
            }
            Some((bundle::TEMPLATES, rest)) => rest.ends_with(".md") && !rest.contains('/'),
            Some((bundle::FONTS, rest)) => !rest.contains('/'),
            // Whether it holds what the ledger records is that question's answer.
            None if path == bundle::DEVIATIONS => true,
            // Texts of the protocol that were locked before it was amended.
            None if amended.iter().any(|name| name == path) => true,
            // What is derived; if it cannot be derived, that is another question's answer.
            _ => derived.is_none_or(|derived| derived.files.keys().any(|name| name.as_str() == path)),
        }
    };
    opened
        .payload
        .keys()
        .filter(|path| !is_known(path.as_str()))
        .map(|path| {
            let message = "no part of a bundle of this protocol: nothing reads it";
            Diagnostic::error(Code::FileExtra, message).at(at(path.as_str()))
        })
        .collect()
}

/// The experiment and the training curve are those of the lock.
fn run_files(opened: &Opened, lock: &Lock) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let file = |name: &str| {
        let name = format!("{}/{name}", bundle::MODEL);
        let bytes = bundle::file(&opened.payload, &name).ok().map(<[u8]>::to_vec);
        bytes.map(|bytes| (name, bytes))
    };
    if let Some((name, bytes)) = file("experiment.toml")
        && Digest::of(&bytes) != lock.experiment.experiment_sha256
    {
        problems.push(unbound(&name, "is not the experiment that the lock names"));
    }
    if let Some((name, bytes)) = file("training.jsonl") {
        let epochs: Result<Vec<EpochRecord>, _> = bytes
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice::<EpochRecord>(line).map(|e| EpochRecord { seconds: None, ..e })
            })
            .collect();
        match epochs {
            Err(e) => problems.push(unreadable(&name, e)),
            Ok(epochs) => {
                let locked: Vec<EpochRecord> = lock
                    .training
                    .history
                    .iter()
                    .map(|e| EpochRecord { seconds: None, ..e.clone() })
                    .collect();
                if epochs != locked {
                    problems.push(unbound(&name, "is not the training curve that the lock holds"));
                }
            }
        }
    }
    problems
}

/// The record of the machine is that of the score table.
fn scoring(opened: &Opened, inputs: &Inputs) -> Vec<Diagnostic> {
    let name = format!("{}/{}", bundle::MODEL, bundle::SCORING);
    let Ok(bytes) = bundle::file(&opened.payload, &name) else { return Vec::new() };
    let Some(record) = Scoring::from_bytes(bytes) else {
        return vec![unreadable(&name, "is no record of what made a score table")];
    };
    let table = inputs.files.get(&inputs.protocol.scores.file).map(Bytes::digest);
    let same = record.scores_sha256.is_some() && record.scores_sha256 == table;
    if same { Vec::new() } else { vec![unbound(&name, "is the record of another score table")] }
}
