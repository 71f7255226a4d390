//! Amendments: the protocol was changed after it was locked, with a written reason. Pure: it sees the
//! ledger's events and the protocols' texts.
//!
//! Every text that was locked stays: in the study beside the cohort and, where there is more than one, in the
//! bundle. What changed is told from those texts, key by key, so that an amendment cannot say less than it
//! does; the ledger says whether the test set had been opened by then.

use std::path::Path;

use serde::Serialize;

use super::bag::Payload;
use super::ledger::{Entry, Event};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::meaning::{self, Meaning};
use crate::protocol::{self, Protocol};

/// The name of a text that was locked, counted from 1, in the study's `work/` and in a bundle.
pub fn locked_name(number: usize) -> String {
    format!("protocol-locked-{number}.toml")
}

/// A text of the protocol with its place.
pub type Text<'a> = (&'a str, &'a [u8]);

/// The protocol was amended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amendment {
    /// From 1.
    pub number: usize,
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Who, in which role, or "not recorded".
    pub by: String,
    /// Why, as given.
    pub reason: String,
    /// How often the test set had been opened by then.
    pub openings: usize,
    /// What changed; `None` where one of the two texts is not there or not a protocol of this version.
    pub meaning: Option<Meaning>,
}

impl Amendment {
    /// Whether the test set had been opened.
    pub fn is_after_opening(&self) -> bool {
        self.openings > 0
    }
}

fn parsed((name, bytes): Text<'_>) -> Result<Protocol, Vec<Diagnostic>> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let problem = Diagnostic::error(Code::TomlSyntax, format!("not UTF-8: {e}"));
        vec![problem.at(Location::file(name))]
    })?;
    protocol::parse(Path::new(name), text)
}

/// What the second text means otherwise than the first.
///
/// # Errors
/// What is wrong in a text.
pub fn differences(before: Text<'_>, after: Text<'_>) -> Result<Meaning, Vec<Diagnostic>> {
    Ok(meaning::compare(&parsed(before)?, &parsed(after)?))
}

/// What the second text means otherwise than the first, where it is a protocol of the same study.
///
/// # Errors
/// `protocol-changed` where it is another study's, and what is wrong in a text.
pub fn of_one_study(locked: Text<'_>, now: Text<'_>) -> Result<Meaning, Vec<Diagnostic>> {
    let (before, after) = (parsed(locked)?, parsed(now)?);
    if before.study.id != after.study.id {
        let (a, b) = (&before.study.id, &after.study.id);
        let message = format!("the protocol that was locked is of study `{a}`, this one of `{b}`");
        return Err(vec![Diagnostic::error(Code::ProtocolChanged, message).at(Location::file(now.0))]);
    }
    Ok(meaning::compare(&before, &after))
}

/// Whether the second text changes nothing but words and columns of `[reads]`; the files of the reads stay.
///
/// # Errors
/// `protocol-changed` where it changes anything else, and what is wrong in a text.
pub fn confined(locked: Text<'_>, now: Text<'_>) -> Result<(), Vec<Diagnostic>> {
    let found = differences(locked, now)?;
    let more: Vec<&str> = found.changes.iter().map(|change| change.key.as_str()).collect();
    let more: Vec<&str> =
        more.into_iter().filter(|key| !key.starts_with("reads.") || *key == "reads.files").collect();
    if more.is_empty() {
        return Ok(());
    }
    let message = format!(
        "more than words and columns of [reads] was changed after the protocol was locked: {}",
        more.join(", ")
    );
    Err(vec![Diagnostic::error(Code::ProtocolChanged, message).at(Location::file(now.0))])
}

/// Every amendment that a ledger records, told from the texts that lie in the bundle.
pub fn amendments(entries: &[Entry], payload: &Payload) -> Vec<Amendment> {
    let text = |number: usize| -> Option<(String, &[u8])> {
        let name = locked_name(number);
        let bytes = name.parse().ok().and_then(|path| payload.get(&path))?;
        Some((name, bytes.as_slice()))
    };
    let mut openings = 0;
    let mut locked = 0;
    let mut found = Vec::new();
    for entry in entries {
        match entry.event {
            Event::TestSetOpened => openings += 1,
            Event::ProtocolLocked => {
                locked += 1;
                if locked == 1 {
                    continue;
                }
                let meaning = text(locked - 1)
                    .zip(text(locked))
                    .and_then(|(before, after)| differences((&before.0, before.1), (&after.0, after.1)).ok());
                found.push(Amendment {
                    number: locked - 1,
                    at: entry.at.clone(),
                    by: entry.who(),
                    reason: entry.reason.clone().unwrap_or_default(),
                    openings,
                    meaning,
                });
            }
            _ => {}
        }
    }
    found
}

/// What is wrong with the amendments of a bundle: a text that was locked is not there, is no protocol, or is
/// another study's.
pub fn problems(entries: &[Entry], payload: &Payload) -> Vec<Diagnostic> {
    let locked: Vec<&Entry> = entries.iter().filter(|entry| entry.event == Event::ProtocolLocked).collect();
    if locked.len() < 2 {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    for (entry, number) in locked.iter().zip(1..) {
        let name = locked_name(number);
        let bytes = name.parse().ok().and_then(|path| payload.get(&path));
        let place = format!("data/{name}");
        match bytes {
            Some(bytes) if entry.digests.get("protocol.toml") == Some(&bytes.digest()) => {
                texts.push((place, bytes));
            }
            _ => {
                let found = bytes.map_or_else(|| "nothing".to_owned(), |bytes| bytes.digest().short());
                let message =
                    format!("the protocol that was locked at {} is not there: found {found}", entry.at);
                problems.push(Diagnostic::error(Code::LedgerDigest, message).at(Location::file(place)));
            }
        }
    }
    for two in texts.windows(2) {
        let ((before, old), (after, new)) = (&two[0], &two[1]);
        problems
            .extend(of_one_study((before, &old.read()), (after, &new.read())).err().into_iter().flatten());
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::digest::Digest;
    use crate::evidence::ledger::Ledger;

    const TEXT: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

    fn mended() -> String {
        let mended = TEXT.replace("[reads]\n", "[reads]\nread_column = \"answer\"\npositive = [\"yes\"]\n");
        assert_ne!(mended, TEXT);
        mended
    }

    #[test]
    fn words_and_columns_of_reads_may_be_mended_and_nothing_else() {
        let check =
            |now: &str| confined(("a", TEXT.as_bytes()), ("b", now.as_bytes())).map_err(|p| p[0].code);
        assert_eq!(check(&mended()), Ok(()));
        assert_eq!(check(&format!("# a comment\n{TEXT}")), Ok(()));
        for (from, to) in [
            ("reads/*.csv", "reads/r*.csv"),
            ("level = 0.95", "level = 0.9"),
            ("rule = \"majority\"", "rule = \"majority\"\ntie = \"negative\""),
            ("criterion = \"lower > 0.80\"", "criterion = \"lower > 0.70\""),
        ] {
            assert!(TEXT.contains(from), "{from}");
            assert_eq!(check(&mended().replace(from, to)), Err(Code::ProtocolChanged), "{from}");
        }
        assert_eq!(check("["), Err(Code::TomlSyntax));
    }

    #[test]
    fn a_bundle_holds_every_text_that_was_locked() {
        let mended = mended();
        let mut ledger = Ledger::default();
        let digests =
            |text: &str| BTreeMap::from([("protocol.toml".to_owned(), Digest::of(text.as_bytes()))]);
        ledger.append(Event::ProtocolLocked, "t", digests(TEXT), None).expect("first");
        let with = |texts: &[&str]| -> Payload {
            let named = texts.iter().zip(1..);
            named.map(|(t, n)| (locked_name(n).parse().expect("a path"), (*t).into())).collect()
        };
        assert_eq!(problems(ledger.entries(), &with(&[])), []);
        ledger.append(Event::ProtocolLocked, "t", digests(&mended), Some("why".to_owned())).expect("amended");
        assert_eq!(problems(ledger.entries(), &with(&[TEXT, &mended])), []);
        let codes = |texts: &[&str]| -> Vec<Code> {
            problems(ledger.entries(), &with(texts)).into_iter().map(|p| p.code).collect()
        };
        assert_eq!(codes(&[]), [Code::LedgerDigest; 2]);
        assert_eq!(codes(&[TEXT, TEXT]), [Code::LedgerDigest]);
        let more = mended.replace("id = \"pneumonia-exp2a\"", "id = \"another\"");
        let mut other = Ledger::default();
        other.append(Event::ProtocolLocked, "t", digests(TEXT), None).expect("first");
        other.append(Event::ProtocolLocked, "t", digests(&more), Some("why".to_owned())).expect("in order");
        let found = problems(other.entries(), &with(&[TEXT, &more]));
        assert_eq!(found.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::ProtocolChanged]);
    }

    #[test]
    fn an_amendment_says_what_changed_and_whether_the_test_set_had_been_opened() {
        let digests =
            |text: &str| BTreeMap::from([("protocol.toml".to_owned(), Digest::of(text.as_bytes()))]);
        let (second, third) = (mended(), mended().replace("level = 0.95", "level = 0.9"));
        let mut ledger = Ledger::default();
        let mut add = |event, text: &str, reason: Option<&str>| {
            ledger.append(event, "t", digests(text), reason.map(str::to_owned)).expect("in order");
        };
        add(Event::ProtocolLocked, TEXT, None);
        add(Event::ProtocolLocked, &second, Some("the platform writes yes"));
        for event in [
            Event::TestSetSealed,
            Event::ModelLocked,
            Event::ReferenceStandardLocked,
            Event::TestSetOpened,
            Event::ResultsRecorded,
        ] {
            add(event, &second, None);
        }
        add(Event::ProtocolLocked, &third, Some("another level"));
        let texts = [TEXT, &second, &third].into_iter().zip(1..);
        let texts: Payload =
            texts.map(|(t, n)| (locked_name(n).parse().expect("a path"), (*t).into())).collect();
        let found = amendments(ledger.entries(), &texts);
        let told: Vec<_> = found.iter().map(|a| (a.number, a.is_after_opening(), a.openings)).collect();
        assert_eq!(told, [(1, false, 0), (2, true, 1)]);
        let keys = |a: &Amendment| -> Vec<String> {
            a.meaning.iter().flat_map(|m| &m.changes).map(|c| c.key.clone()).collect()
        };
        assert_eq!(keys(&found[0]), ["reads.positive", "reads.read_column"]);
        assert_eq!(keys(&found[1]), ["analysis.level"]);
        assert_eq!(amendments(ledger.entries(), &Payload::new())[0].meaning, None);
    }
}
