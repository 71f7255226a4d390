//! Does the ledger hold, and is what its events name what lies in the bundle?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::answer::Answer;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, Digest, RelativePath};
use crate::document::format;
use crate::evidence::amendment;
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::evidence::change;
use crate::evidence::deviation;
use crate::evidence::kept;
use crate::evidence::ledger::{Entry, Event, Ledger};
use crate::evidence::opening::{self, Digests};
use crate::study::{self, Cohort, Derived, Inputs};

const WORDS: &str = "Does the ledger's chain hold, in the allowed order, and does it name these files?";
const PLACE: &str = "data/ledger.jsonl";

/// What the bundle's inputs give; the reason why not is the next question's.
pub(super) struct Recomputed<'a> {
    pub(super) inputs: Option<&'a Inputs>,
    pub(super) cohort: Option<&'a Cohort>,
    pub(super) derived: Option<&'a Derived>,
}

/// The ledger of the bundle.
pub(super) fn ledger(opened: &Opened, recomputed: &Recomputed<'_>) -> Answer {
    let parsed = bundle::file(&opened.payload, bundle::LEDGER)
        .map_err(|e| e.diagnostics())
        .and_then(|bytes| Ledger::parse(Path::new(PLACE), bytes));
    let ledger = match parsed {
        Ok(ledger) => ledger,
        Err(problems) => return Answer::of("ledger", WORDS, "the ledger".to_owned(), problems),
    };
    let mut problems = openings(&ledger);
    problems.extend(empty_events(&ledger));
    problems.extend(amendment::problems(ledger.entries(), &opened.payload));
    let deviations = bundle::file(&opened.payload, bundle::DEVIATIONS).ok();
    let place = format!("data/{}", bundle::DEVIATIONS);
    problems.extend(deviation::problems(ledger.entries(), deviations, Path::new(&place)).1);
    problems.extend(kept::problems(ledger.entries(), &opened.payload));
    problems.extend(events(opened, recomputed, &ledger));
    problems.extend(change::problems(ledger.entries(), recomputed.inputs, recomputed.derived));
    let who: std::collections::BTreeSet<String> = ledger.entries().iter().map(Entry::who).collect();
    let who: Vec<String> = who.into_iter().collect();
    let examined = match ledger.count(Event::ScoresExamined) {
        0 => String::new(),
        times => format!("; scores looked at outside the protocol {}", format::times(times)),
    };
    let succeeds = recomputed.derived.and_then(|derived| derived.results.change.as_ref());
    let succeeds = succeeds.map_or_else(String::new, |change| {
        let before = change.history.last().map_or_else(String::new, |version| version.root.short());
        format!(" of {} that the plan allows, predecessor {before}...", change.openings)
    });
    let looked_at = format!(
        "{}, test set opened {}{succeeds}{}{examined}; who acted: {}",
        format::counted(ledger.entries().len(), "event"),
        format::times(ledger.count(Event::TestSetOpened)),
        changes(&ledger, opened),
        who.join(", ")
    );
    Answer::of("ledger", WORDS, looked_at, problems)
}

/// Amendments and deviations in words; nothing where there are none.
fn changes(ledger: &Ledger, opened: &Opened) -> String {
    let mut words = String::new();
    let amendments = amendment::amendments(ledger.entries(), &opened.payload);
    if !amendments.is_empty() {
        let after = amendments.iter().filter(|amendment| amendment.is_after_opening()).count();
        let times = format::times(amendments.len());
        let _ = write!(words, ", protocol amended {times} ({after} after an opening)");
    }
    match ledger.count(Event::DeviationRecorded) {
        0 => {}
        1 => words.push_str(", 1 deviation recorded"),
        count => {
            let _ = write!(words, ", {count} deviations recorded");
        }
    }
    words
}

fn at_line(position: usize) -> Location {
    Location::line(PLACE, position as u64 + 1)
}

/// Openings of the test set that the rule of `validate` would have refused.
fn openings(ledger: &Ledger) -> Vec<Diagnostic> {
    let entries = ledger.entries();
    let problem = |position: usize| {
        let message = format!("the test set was opened again at {} without a reason", entries[position].at);
        Diagnostic::error(Code::OpeningWithoutReason, message).at(at_line(position))
    };
    opening::without_reason(entries).into_iter().map(problem).collect()
}

/// Events that happened to nothing.
fn empty_events(ledger: &Ledger) -> impl Iterator<Item = Diagnostic> {
    let empty = |(_, entry): &(usize, &Entry)| entry.digests.is_empty();
    ledger.entries().iter().enumerate().filter(empty).map(|(position, entry)| {
        let message = format!("the event {} names no file", entry.event.name());
        Diagnostic::error(Code::LedgerDigest, message).at(at_line(position))
    })
}

/// The last event of each kind names, with the right digest, everything that it happened to, and nothing
/// else.
fn events(opened: &Opened, recomputed: &Recomputed<'_>, ledger: &Ledger) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut expect = |event: Event, expected: Option<Digests>| {
        let Some(position) = ledger.entries().iter().rposition(|entry| entry.event == event) else {
            if event != Event::ReadsImported && event != Event::DeviationRecorded {
                let message = format!("the ledger has no event {}", event.name());
                problems.push(Diagnostic::error(Code::LedgerOrder, message).at(Location::file(PLACE)));
            }
            return;
        };
        let named = &ledger.entries()[position].digests;
        match expected {
            Some(expected) => problems.extend(compared(event, named, &expected, position)),
            None => problems.extend(named.iter().filter_map(|(name, digest)| found(opened, name, *digest))),
        }
    };
    let of = |name: &str| bundle::digest(&opened.payload, name);
    let one = |name: &str, digest: Option<Digest>| Some(BTreeMap::from([(name.to_owned(), digest?)]));
    expect(Event::ProtocolLocked, one(bundle::PROTOCOL, of(bundle::PROTOCOL)));
    let cohort = recomputed.cohort.map(|cohort| Digest::of(&study::cohort_table(cohort)));
    expect(Event::TestSetSealed, one("cohort.csv", cohort));
    let model = recomputed.inputs.and_then(|inputs| match &inputs.lock {
        Some(lock) => Some(Digests::from([opening::lock_digest(lock)])),
        None => {
            let name = format!("{}/{}", bundle::INPUTS, inputs.protocol.scores.file);
            one(&name, of(&name))
        }
    });
    expect(Event::ModelLocked, model);
    let reference = recomputed.inputs.map(|inputs| {
        let files = inputs.files.iter().filter(|(path, _)| study::is_reference_file(&inputs.protocol, path));
        files.map(|(path, bytes)| (format!("{}/{path}", bundle::INPUTS), bytes.digest())).collect()
    });
    expect(Event::ReferenceStandardLocked, reference);
    expect(Event::ReadsImported, None);
    let protocol = bundle::file(&opened.payload, bundle::PROTOCOL).ok();
    let inputs = recomputed.inputs.zip(protocol);
    expect(Event::TestSetOpened, inputs.map(|(inputs, protocol)| opening::digests(inputs, protocol)));
    let results = recomputed.derived.map(|derived| {
        // What the results are is the next question; here it is whether the ledger names those of the bundle.
        derived.files.keys().filter_map(|path| Some((path.to_string(), of(path.as_str())?))).collect()
    });
    expect(Event::ResultsRecorded, results);
    problems
}

fn compared(event: Event, named: &Digests, expected: &Digests, position: usize) -> Vec<Diagnostic> {
    let differs = |message: String, name: &str| {
        Diagnostic::error(Code::LedgerDigest, message).at(Location::file(format!("data/{name}")))
    };
    let line = position + 1;
    let mut problems = Vec::new();
    for (name, digest) in expected {
        match named.get(name) {
            Some(found) if found == digest => {}
            Some(found) => {
                let (named, found) = (found.short(), digest.short());
                problems.push(differs(
                    format!("line {line} of the ledger ({}) names {named}, found {found}", event.name()),
                    name,
                ));
            }
            None => problems.push(differs(
                format!("line {line} of the ledger ({}) does not name this", event.name()),
                name,
            )),
        }
    }
    for name in named.keys().filter(|name| !expected.contains_key(*name)) {
        let message = format!(
            "line {line} of the ledger ({}) names this, and it has no part in the event",
            event.name()
        );
        problems.push(differs(message, name));
    }
    problems
}

fn found(opened: &Opened, name: &str, digest: Digest) -> Option<Diagnostic> {
    let path = name.parse::<RelativePath>().ok();
    let found = path.and_then(|path| opened.payload.get(&path)).map(Bytes::digest);
    (found != Some(digest)).then(|| {
        let found = found.map_or("nothing".to_owned(), |d| d.short());
        let message = format!("the ledger names {}, found {found}", digest.short());
        Diagnostic::error(Code::LedgerDigest, message).at(Location::file(format!("data/{name}")))
    })
}
