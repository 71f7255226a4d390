//! What may still be changed in a protocol after it was locked: the words and columns of `[reads]`, before
//! the test set is opened, with a written reason. Pure: it sees the ledger's events and the protocols' texts.
//!
//! Every text that was locked stays: in the study beside the cohort and, where there is more than one, in the
//! bundle, so that an auditor sees what was changed.

use std::path::Path;

use super::bag::Payload;
use super::ledger::{Entry, Event};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::protocol::{self, Protocol};

/// The name of a text that was locked, counted from 1, in the study's `work/` and in a bundle.
pub fn locked_name(number: usize) -> String {
    format!("protocol-locked-{number}.toml")
}

/// Whether the second text changes nothing but words and columns of `[reads]`; the files of the reads stay.
///
/// # Errors
/// `protocol-changed` where it changes anything else, and what is wrong in a text.
pub fn confined(locked: (&str, &[u8]), now: (&str, &[u8])) -> Result<(), Vec<Diagnostic>> {
    let parsed = |(name, bytes): (&str, &[u8])| {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let problem = Diagnostic::error(Code::TomlSyntax, format!("not UTF-8: {e}"));
            vec![problem.at(Location::file(name))]
        })?;
        protocol::parse(Path::new(name), text)
    };
    let (before, after) = (parsed(locked)?, parsed(now)?);
    let same =
        before.reads.files == after.reads.files && Protocol { reads: after.reads.clone(), ..before } == after;
    if same {
        return Ok(());
    }
    let message = "more than words and columns of [reads] was changed after the protocol was locked";
    Err(vec![Diagnostic::error(Code::ProtocolChanged, message).at(Location::file(now.0))])
}

/// What is wrong with the amendments of a bundle: a text that was locked is not there, or more was changed
/// than may be.
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
            Some(bytes) if entry.digests.get("protocol.toml") == Some(&Digest::of(bytes)) => {
                texts.push((place, bytes));
            }
            _ => {
                let found = bytes.map_or_else(|| "nothing".to_owned(), |bytes| Digest::of(bytes).short());
                let message =
                    format!("the protocol that was locked at {} is not there: found {found}", entry.at);
                problems.push(Diagnostic::error(Code::LedgerDigest, message).at(Location::file(place)));
            }
        }
    }
    for two in texts.windows(2) {
        let ((before, old), (after, new)) = (&two[0], &two[1]);
        problems.extend(confined((before, old), (after, new)).err().into_iter().flatten());
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
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
            named.map(|(t, n)| (locked_name(n).parse().expect("a path"), t.as_bytes().to_vec())).collect()
        };
        assert_eq!(problems(ledger.entries(), &with(&[])), []);
        ledger.append(Event::ProtocolLocked, "t", digests(&mended), Some("why".to_owned())).expect("amended");
        assert_eq!(problems(ledger.entries(), &with(&[TEXT, &mended])), []);
        let codes = |texts: &[&str]| -> Vec<Code> {
            problems(ledger.entries(), &with(texts)).into_iter().map(|p| p.code).collect()
        };
        assert_eq!(codes(&[]), [Code::LedgerDigest; 2]);
        assert_eq!(codes(&[TEXT, TEXT]), [Code::LedgerDigest]);
        let more = mended.replace("level = 0.95", "level = 0.9");
        let mut other = Ledger::default();
        other.append(Event::ProtocolLocked, "t", digests(TEXT), None).expect("first");
        other.append(Event::ProtocolLocked, "t", digests(&more), Some("why".to_owned())).expect("in order");
        let found = problems(other.entries(), &with(&[TEXT, &more]));
        assert_eq!(found.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::ProtocolChanged]);
    }
}
