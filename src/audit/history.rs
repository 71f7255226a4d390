//! Is the bundle the one that its study published, and is every other one that was published still there?
//!
//! The bundle's ledger ends with the results. The study's own goes on: it names the root of every bundle. So
//! a ledger that was cut, replaced or taken from elsewhere, and a bundle that was edited, renamed or removed,
//! is found without any key. Whoever rewrites both writes another history; that is for signatures to show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::answer::{Answer, State};
use super::beside;
use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::digest::Digest;
use crate::document::format;
use crate::evidence::bag::{Opened, Payload, TAG_MANIFEST};
use crate::evidence::bundle::{self, Environment};
use crate::evidence::deviation;
use crate::evidence::ledger::{Entry, Event, Ledger};
use crate::evidence::opening;

const WORDS: &str = "Does the study's own ledger go on from this one, and name every bundle that lies there?";

/// The study that a bundle lies in.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// `ledger.jsonl` of the study; `None`: there is none.
    pub ledger: Option<Vec<u8>>,
    /// The name of this bundle's folder.
    pub run: String,
    /// `deviations.toml` of the study; `None`: there is none.
    pub deviations: Option<Vec<u8>>,
    /// The root digest of every bundle below `evidence/`, by the name of its folder.
    pub runs: BTreeMap<String, Option<Digest>>,
    /// What is wrong with its other bundles, and documents without a bundle.
    pub others: Vec<Diagnostic>,
    /// The study's folder, where its files are to be compared with those of the bundle.
    pub study: Option<PathBuf>,
}

impl History {
    /// What lies around a bundle; nothing where it is not `evidence/<run>` of a study.
    ///
    /// # Errors
    /// When a folder or file that is there cannot be read.
    pub fn around(bundle: &Path) -> crate::diagnostic::Result<Option<Self>> {
        let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
        let (Some(run), Some(evidence)) = (bundle.file_name(), bundle.parent()) else { return Ok(None) };
        let Some(study) = evidence.parent() else { return Ok(None) };
        let name = |file: &std::ffi::OsStr| file.to_string_lossy().into_owned();
        let ledger = study.join(bundle::LEDGER);
        let is_run = name(run).strip_prefix("run-").is_some_and(|n| n.parse::<u64>().is_ok());
        let is_study = evidence.file_name().is_some_and(|name| name == "evidence");
        let in_study = ledger.is_file() || (is_run && is_study);
        if !in_study {
            return Ok(None);
        }
        let ledger = if ledger.is_file() { Some(crate::storage::read(&ledger)?) } else { None };
        let deviations = study.join(bundle::DEVIATIONS);
        let deviations = if deviations.is_file() { Some(crate::storage::read(&deviations)?) } else { None };
        let mut runs = BTreeMap::new();
        let wrong = |e: std::io::Error| crate::diagnostic::Error::io("list", evidence, &e);
        for entry in std::fs::read_dir(evidence).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let manifest = entry.path().join(TAG_MANIFEST);
            if manifest.is_file() {
                let root = crate::storage::read(&manifest)?;
                runs.insert(name(&entry.file_name()), Some(Digest::of(&root)));
            }
        }
        let mut others = beside::edited(study, &name(run), &runs);
        others.extend(beside::without_bundle(study, &runs));
        let study = Some(study.to_path_buf());
        Ok(Some(Self { ledger, run: name(run), deviations, runs, others, study }))
    }
}

/// The answer; `history` is `None` for a bundle that lies by itself.
pub(super) fn history(opened: &Opened, history: Option<&History>) -> Answer {
    let Some(history) = history else {
        return Answer::open(
            "history",
            WORDS,
            State::NotShown,
            "the bundle lies by itself, without its study",
        );
    };
    let problem =
        |code, message: String, place: &str| Diagnostic::error(code, message).at(Location::file(place));
    let Some(bytes) = &history.ledger else {
        let message = "the study has evidence and no ledger".to_owned();
        let problems = vec![problem(Code::LedgerLost, message, bundle::LEDGER)];
        return Answer::of("history", WORDS, "the study's folder".to_owned(), problems);
    };
    let ledger = match Ledger::parse(Path::new(bundle::LEDGER), bytes) {
        Ok(ledger) => ledger,
        Err(problems) => return Answer::of("history", WORDS, "the study's ledger".to_owned(), problems),
    };
    let mut problems = Vec::new();
    problems.extend(goes_on(opened, bytes, &ledger));
    problems.extend(opening::without_reason(ledger.entries()).into_iter().map(|position| {
        let message = "the test set was opened again without a reason";
        let place = Location::line(bundle::LEDGER, position as u64 + 1);
        Diagnostic::error(Code::OpeningWithoutReason, message).at(place)
    }));
    let published: BTreeMap<Digest, usize> = ledger
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.event == Event::EvidencePublished)
        .flat_map(|(position, entry)| entry.digests.values().map(move |root| (*root, position)))
        .collect();
    for (run, root) in &history.runs {
        let place = format!("evidence/{run}");
        if !root.is_some_and(|root| published.contains_key(&root)) {
            let found = root.map_or("no root".to_owned(), |root| format!("{}...", root.short()));
            let message = format!(
                "the study's ledger does not name this bundle's root ({found}): it was edited, or never \
                 published"
            );
            problems.push(problem(Code::BundleUnpublished, message, &place).hint(
                "after an interruption `sequester validate` records what it left; otherwise the bundle is \
                 not the one \
                 that was published",
            ));
        }
    }
    for (root, position) in &published {
        if !history.runs.values().any(|run| run.as_ref() == Some(root)) {
            let message =
                format!("the bundle with the root {}... was published and is not there", root.short());
            let place = Location::line(bundle::LEDGER, *position as u64 + 1);
            problems.push(Diagnostic::error(Code::BundleLost, message).at(place));
        }
    }
    let inside = run_of(&opened.payload);
    if let Some(inside) = inside.filter(|inside| *inside != history.run) {
        let message = format!("the folder is named {}, the bundle says that it is {inside}", history.run);
        problems.push(problem(Code::BundleRenamed, message, &format!("evidence/{}", history.run)));
    }
    let (_, differing) =
        deviation::problems(ledger.entries(), history.deviations.as_deref(), Path::new(bundle::DEVIATIONS));
    problems.extend(differing);
    problems.extend(history.others.iter().cloned());
    let changed = history.study.as_ref().map(|study| beside::changed(study, opened)).unwrap_or_default();
    let changed = match changed.len() {
        0 => String::new(),
        _ => format!("; not as in this bundle any more: {}", few::and_more(&changed, 5)),
    };
    let looked_at = format!(
        "{} of the study's ledger, {} below evidence/{}{changed}",
        format::counted(ledger.entries().len(), "event"),
        format::counted(history.runs.len(), "bundle"),
        since(opened, &ledger)
    );
    Answer::of("history", WORDS, looked_at, problems)
}

/// Whether nothing was recorded but what stands beside the steps: an interruption before the line of the
/// publication.
fn no_step(entries: &[Entry]) -> bool {
    entries.iter().all(|entry| entry.event.is_beside())
}

/// What was changed or written down since this bundle, in words: its documents cannot list it.
fn since(opened: &Opened, ledger: &Ledger) -> String {
    let own = bundle::file(&opened.payload, bundle::LEDGER).unwrap_or_default();
    let lines = own.iter().filter(|b| **b == b'\n').count();
    let later = ledger.entries().get(lines..).unwrap_or_default();
    let mut words = String::new();
    for (event, one, several) in [
        (Event::ProtocolLocked, "amendment", "amendments"),
        (Event::DeviationRecorded, "deviation", "deviations"),
        (Event::TestSetOpened, "opening of the test set", "openings of the test set"),
        (Event::ScoresExamined, "look at its scores", "looks at its scores"),
    ] {
        match later.iter().filter(|entry| entry.event == event).count() {
            0 => {}
            1 => words.push_str(&format!("; 1 {one} recorded since this bundle")),
            count => words.push_str(&format!("; {count} {several} recorded since this bundle")),
        }
    }
    words
}

fn run_of(payload: &Payload) -> Option<String> {
    let bytes = bundle::file(payload, bundle::ENVIRONMENT).ok()?;
    serde_json::from_slice::<Environment>(bytes).ok().map(|environment| environment.run)
}

/// The bundle's ledger is the beginning of the study's, and the study's says next that this bundle was
/// published.
fn goes_on(opened: &Opened, study: &[u8], ledger: &Ledger) -> Option<Diagnostic> {
    let own = bundle::file(&opened.payload, bundle::LEDGER).ok()?;
    let differs = |message: String, line: usize| {
        Some(
            Diagnostic::error(Code::LedgerForeign, message)
                .at(Location::line(bundle::LEDGER, line as u64 + 1)),
        )
    };
    if !study.starts_with(own) {
        let line = own.split(|b| *b == b'\n').zip(study.split(|b| *b == b'\n')).take_while(|(a, b)| a == b);
        let message =
            "the study's ledger is not the one that this bundle's ledger is the beginning of".to_owned();
        return differs(message, line.count());
    }
    let lines = own.iter().filter(|b| **b == b'\n').count();
    let next = ledger.entries().get(lines);
    let root = opened.root;
    // The same results may have been published before, with other words.
    let named = ledger.entries()[lines..]
        .iter()
        .filter(|entry| !entry.event.is_beside())
        .take_while(|entry| entry.event == Event::EvidencePublished)
        .any(|entry| root.is_some_and(|root| entry.digests.values().any(|digest| *digest == root)));
    if named || next.is_none_or(|_| no_step(&ledger.entries()[lines..])) {
        return None;
    }
    differs(
        "the study's ledger does not say that this bundle was published after its results".to_owned(),
        lines,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ledger::Ledger;

    const ORDER: [Event; 6] = [
        Event::ProtocolLocked,
        Event::TestSetSealed,
        Event::ModelLocked,
        Event::ReferenceStandardLocked,
        Event::TestSetOpened,
        Event::ResultsRecorded,
    ];

    fn root(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn bundle_of(ledger: &Ledger, run: &str, root_of: &str) -> Opened {
        let environment = Environment {
            format: bundle::FORMAT.to_owned(),
            run: run.to_owned(),
            created: "2026-01-01T00:00:00Z".to_owned(),
            clock: None,
            program: "sequester 0.2.0".to_owned(),
            platform: "x".to_owned(),
            cargo_lock_sha256: root("x").to_string(),
        };
        let path = |name: &str| name.parse().expect("a path");
        let payload = Payload::from([
            (path(bundle::LEDGER), ledger.to_bytes().into()),
            (path(bundle::ENVIRONMENT), serde_json::to_vec(&environment).expect("JSON").into()),
        ]);
        Opened { payload, root: Some(root(root_of)), ..Opened::default() }
    }

    /// A study with two bundles: the first, its history.
    fn study() -> (Opened, Ledger, History) {
        let mut ledger = Ledger::default();
        let digests = |text: &str| BTreeMap::from([("tagmanifest-sha256.txt".to_owned(), root(text))]);
        let mut add = |event, text: &str| {
            ledger.append(event, "2026-01-01T00:00:00Z", digests(text), None).expect("in order");
        };
        ORDER.into_iter().for_each(|event| add(event, "x"));
        let first = bundle_of(&ledger, "run-1", "A");
        let mut add = |event, text: &str| {
            ledger
                .append(event, "2026-01-01T00:00:00Z", digests(text), Some("why".to_owned()))
                .expect("in order");
        };
        add(Event::EvidencePublished, "A");
        add(Event::TestSetOpened, "y");
        add(Event::ResultsRecorded, "y");
        add(Event::EvidencePublished, "B");
        let runs =
            BTreeMap::from([("run-1".to_owned(), Some(root("A"))), ("run-2".to_owned(), Some(root("B")))]);
        let history =
            History { ledger: Some(ledger.to_bytes()), run: "run-1".to_owned(), runs, ..History::default() };
        (first, ledger, history)
    }

    fn codes(opened: &Opened, around: &History) -> Vec<&'static str> {
        history(opened, Some(around)).discrepancies.iter().map(|d| d.code.as_str()).collect()
    }

    #[test]
    fn an_honest_history_holds_and_a_bundle_by_itself_shows_none() {
        let (opened, _, around) = study();
        assert_eq!(history(&opened, Some(&around)).answer, State::Yes);
        assert_eq!(history(&opened, None).answer, State::NotShown);
    }

    #[test]
    fn a_ledger_that_is_gone_cut_changed_or_foreign_is_found() {
        let (opened, ledger, around) = study();
        assert_eq!(codes(&opened, &History { ledger: None, ..around.clone() }), ["ledger-lost"]);
        let bytes = ledger.to_bytes();
        // Of the last line nothing but the root is said anywhere else: that is for a signed head to show.
        let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        for at in 0..bytes.len() {
            let cut = History { ledger: Some(bytes[..at].to_vec()), ..around.clone() };
            assert!(!codes(&opened, &cut).is_empty(), "cut at {at}");
            if at >= last {
                continue;
            }
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                !codes(&opened, &History { ledger: Some(changed), ..around.clone() }).is_empty(),
                "byte {at}"
            );
        }
        let mut foreign = Ledger::default();
        foreign
            .append(
                Event::ProtocolLocked,
                "2026-01-01T00:00:00Z",
                BTreeMap::from([("p".to_owned(), root("p"))]),
                None,
            )
            .expect("first");
        let foreign = History { ledger: Some(foreign.to_bytes()), ..around };
        assert!(codes(&opened, &foreign).contains(&"ledger-foreign"));
    }

    #[test]
    fn a_bundle_that_was_edited_renamed_or_removed_is_named() {
        let (opened, _, around) = study();
        let mut edited = around.clone();
        edited.runs.insert("run-2".to_owned(), Some(root("C")));
        assert_eq!(codes(&opened, &edited), ["bundle-lost", "bundle-unpublished"]);
        let mut removed = around.clone();
        removed.runs.remove("run-2");
        assert_eq!(codes(&opened, &removed), ["bundle-lost"]);
        let renamed = History { run: "run-7".to_owned(), ..around };
        assert_eq!(codes(&opened, &renamed), ["bundle-renamed"]);
    }
}
