//! When the test set may be opened: the one rule that `validate` asks before an opening and `verify` asks of
//! every opening that a ledger holds. Pure: it sees the ledger's events and digests, nothing else.
//!
//! The first opening is free. An opening whose results nobody has recorded yet goes on without a reason, for
//! example after an interruption. Every other one needs a written reason, which the documents print: other
//! inputs, and also the same inputs from which another version of the program computes other results.

use std::collections::BTreeMap;

use super::bundle;
use super::ledger::{Entry, Event};
use crate::digest::Digest;
use crate::study::Inputs;

/// Digests by the name of the file in a bundle, as an event of the ledger holds them.
pub type Digests = BTreeMap<String, Digest>;

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The opening is recorded, with the reason where there is one.
    Open,
    /// The opening is counted already, and its results are not: only they are recorded.
    GoOn,
    /// Opened with these inputs before and, where results are compared, with these results: nothing is
    /// opened.
    Same,
    /// Not without a written reason.
    Refused(Refusal),
}

/// Why an opening needs a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The test set was opened so many times, and the inputs are not those of the last time.
    OtherInputs {
        /// Openings so far.
        openings: usize,
    },
    /// The inputs are those of the last opening, and the results are not.
    OtherResults,
}

/// Whether a text says anything: a word of three letters at least, or two signs of a script that writes words
/// with fewer. A dot, a dash or `n/a` is none.
pub fn is_reason(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.into_iter().any(|word| {
        let letters = word.chars().count();
        letters >= 3 || (letters >= 2 && word.chars().all(|c| c >= '\u{2e80}'))
    })
}

/// Whether the test set may be opened with these inputs after these events. Before results are computed they
/// are `None`; they are never computed for a refused opening.
pub fn decide(
    entries: &[Entry],
    inputs: &Digests,
    results: Option<&Digests>,
    reason: Option<&str>,
) -> Decision {
    let Some(last) = entries.iter().rposition(|entry| entry.event == Event::TestSetOpened) else {
        return Decision::Open;
    };
    let with_reason = reason.is_some_and(is_reason);
    if entries[last].digests != *inputs {
        let openings = entries.iter().filter(|entry| entry.event == Event::TestSetOpened).count();
        let refusal = Decision::Refused(Refusal::OtherInputs { openings });
        return if with_reason { Decision::Open } else { refusal };
    }
    let is_step = |entry: &&Entry| !entry.event.is_beside();
    let since: Vec<&Entry> = entries[last + 1..].iter().filter(is_step).collect();
    match since.iter().find(|entry| entry.event == Event::ResultsRecorded) {
        None if since.is_empty() => Decision::GoOn,
        // Preparations came in between, after which the ledger takes results only with an opening before
        // them.
        None => Decision::Open,
        Some(recorded) if results.is_none_or(|results| recorded.digests == *results) => Decision::Same,
        Some(_) if with_reason => Decision::Open,
        Some(_) => Decision::Refused(Refusal::OtherResults),
    }
}

/// Openings of a ledger that lack their reason, by their position.
pub fn without_reason(entries: &[Entry]) -> Vec<usize> {
    let lacks = |position: &usize| {
        let opening = &entries[*position];
        let results = entries.get(position + 1).filter(|next| next.event == Event::ResultsRecorded);
        // An opening that was recorded is an opening, also where its inputs and results are those of the last
        // one.
        let again = decide(&entries[..*position], &opening.digests, results.map(|next| &next.digests), None);
        let written = opening.reason.as_deref().is_some_and(is_reason);
        opening.event == Event::TestSetOpened
            && !written
            && matches!(again, Decision::Refused(_) | Decision::Same)
    };
    (0..entries.len()).filter(lacks).collect()
}

/// What counts as the same opening: protocol, everything the protocol names, and the lock, byte for byte.
pub fn digests(inputs: &Inputs, protocol: &[u8]) -> Digests {
    let mut digests: Digests = inputs
        .files
        .iter()
        .map(|(path, bytes)| (format!("{}/{path}", bundle::INPUTS), bytes.digest()))
        .collect();
    digests.insert(bundle::PROTOCOL.to_owned(), Digest::of(protocol));
    digests.extend(inputs.lock.as_deref().map(lock_digest));
    digests
}

/// The lock's name in a bundle with its digest, as every event that concerns the model holds it.
pub fn lock_digest(lock: &[u8]) -> (String, Digest) {
    (bundle::MODEL_LOCK.to_owned(), crate::model::lock::digest_of(lock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ledger::Ledger;

    fn of(text: &str) -> Digests {
        BTreeMap::from([("x".to_owned(), Digest::of(text.as_bytes()))])
    }

    /// Events after the preparations: `o` and `r` with the text their digests are of, `p` and `m` without.
    fn ledger(events: &[(char, &str, Option<&str>)]) -> Ledger {
        let mut ledger = Ledger::default();
        let mut add = |event, text, reason: Option<&str>| {
            ledger.append(event, "t", of(text), reason.map(str::to_owned)).expect("in order");
        };
        for event in
            [Event::ProtocolLocked, Event::TestSetSealed, Event::ModelLocked, Event::ReferenceStandardLocked]
        {
            add(event, "", None);
        }
        for (event, text, reason) in events {
            let event = match event {
                'o' => Event::TestSetOpened,
                'r' => Event::ResultsRecorded,
                'p' => Event::EvidencePublished,
                _ => Event::ModelLocked,
            };
            add(event, text, *reason);
        }
        ledger
    }

    #[test]
    fn every_branch_of_the_rule() {
        use Decision::{GoOn, Open, Refused, Same};
        let other = |openings| Refused(Refusal::OtherInputs { openings });
        let results = Refused(Refusal::OtherResults);
        let done: &[_] = &[('o', "A", None), ('r', "R", None), ('p', "", None)];
        let cut: &[_] = &[('o', "A", None)];
        let between: &[_] = &[('o', "A", None), ('m', "", None)];
        let twice: &[_] = &[('o', "A", None), ('r', "R", None), ('o', "B", Some("why"))];
        // What happened, inputs, results, reason, decision.
        let table = [
            (&[][..], "A", None, None, Open),
            (&[][..], "A", Some("R"), Some("why"), Open),
            (cut, "A", None, None, GoOn),
            (cut, "A", Some("R"), None, GoOn),
            (cut, "A", Some("R"), Some("why"), GoOn),
            (cut, "B", None, None, other(1)),
            (cut, "B", None, Some("why"), Open),
            (between, "A", Some("R"), None, Open),
            (between, "B", Some("R"), None, other(1)),
            (done, "A", None, None, Same),
            (done, "A", Some("R"), None, Same),
            (done, "A", Some("R"), Some("why"), Same),
            (done, "A", Some("S"), None, results),
            (done, "A", Some("S"), Some(" \n"), results),
            (done, "A", Some("S"), Some("."), results),
            (done, "A", Some("S"), Some("n/a"), results),
            (done, "A", Some("S"), Some("読影者の訂正"), Open),
            (done, "A", Some("S"), Some("why"), Open),
            (done, "B", None, None, other(1)),
            (done, "B", Some("R"), Some(""), other(1)),
            (done, "B", Some("S"), Some("why"), Open),
            // The results on record are those of the opening before: these were never seen.
            (twice, "B", Some("S"), None, GoOn),
            (twice, "B", Some("R"), None, GoOn),
            // The first opening's inputs again are a third opening.
            (twice, "A", Some("R"), None, other(2)),
        ];
        for (number, (events, inputs, results, reason, expected)) in table.into_iter().enumerate() {
            let ledger = ledger(events);
            let results = results.map(of);
            let decided = decide(ledger.entries(), &of(inputs), results.as_ref(), reason);
            assert_eq!(decided, expected, "row {number}");
        }
    }

    #[test]
    fn an_opening_without_its_reason_is_found_in_a_ledger() {
        type Events<'a> = &'a [(char, &'a str, Option<&'a str>)];
        let table: [(Events<'_>, &[usize]); 8] = [
            (&[], &[]),
            (&[('o', "A", None), ('r', "R", None)], &[]),
            (&[('o', "A", None), ('r', "R", None), ('o', "B", Some("why")), ('r', "S", None)], &[]),
            (&[('o', "A", None), ('r', "R", None), ('o', "B", None), ('r', "S", None)], &[6]),
            (&[('o', "A", None), ('r', "R", None), ('o', "B", Some(" ")), ('r', "S", None)], &[6]),
            (&[('o', "A", None), ('o', "B", None), ('r', "S", None)], &[5]),
            (&[('o', "A", None), ('m', "", None), ('o', "A", None), ('r', "S", None)], &[]),
            (&[('o', "A", None), ('r', "R", None), ('o', "A", None), ('r', "R", None)], &[6]),
        ];
        for (number, (events, expected)) in table.into_iter().enumerate() {
            assert_eq!(without_reason(ledger(events).entries()), expected, "row {number}");
        }
        let other_results = ledger(&[('o', "A", None), ('r', "R", None), ('o', "A", None), ('r', "S", None)]);
        assert_eq!(without_reason(other_results.entries()), [6]);
    }

    #[test]
    fn an_opening_is_of_the_protocol_every_file_and_the_lock() {
        let text = include_str!("../../protocols/pneumonia-exp2a.toml");
        let protocol = crate::protocol::parse(std::path::Path::new("p"), text).expect("valid");
        let files = [("cases.csv", b"c"), ("reads/r.csv", b"r")];
        let files = files.map(|(name, bytes)| (name.parse().expect("a path"), bytes.to_vec().into())).into();
        let mut inputs = Inputs {
            protocol,
            files,
            lock: None,
            manifests: crate::study::Files::new(),
            program_version: "0".to_owned(),
        };
        let found = digests(&inputs, b"text");
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["inputs/cases.csv", "inputs/reads/r.csv", "protocol.toml"]);
        assert_eq!(
            (found["inputs/cases.csv"], found["protocol.toml"]),
            (Digest::of(b"c"), Digest::of(b"text"))
        );
        inputs.lock = Some(b"lock".to_vec());
        let with = digests(&inputs, b"text");
        assert_eq!(with.len(), 4);
        assert_eq!(with.get(bundle::MODEL_LOCK), Some(&lock_digest(b"lock").1));
        assert_ne!(lock_digest(b"lock"), lock_digest(b"other"));
    }

    #[test]
    fn a_reason_holds_a_word() {
        for text in ["why", "a typing error", "n/a: reader 2 was ill", "訂正", "읽기", "1. new reads"] {
            assert!(is_reason(text), "{text}");
        }
        // Two letters are a word where a sign is more than a letter, and nowhere else.
        for text in ["", ".", "-", "n/a", "ok", "no", "12 34", "a b c", "訂", "éà", "я я", "a訂"] {
            assert!(!is_reason(text), "{text}");
        }
    }
}
