//! Files that events beside the steps name, and that lie in a bundle as they came: commitments with their
//! tokens and signatures, what is sealed with a custodian, requests and grants. Pure.

use std::collections::BTreeMap;

use super::bag::Payload;
use super::ledger::{Entry, Event};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, Digest, RelativePath};

/// Whether every file that an event of this kind names is kept.
pub fn is_kept(event: Event) -> bool {
    matches!(
        event,
        Event::CommitmentMade
            | Event::CommitmentStamped
            | Event::CommitmentSigned
            | Event::ReadsSealed
            | Event::OpeningGranted
    )
}

/// Every kept file of a ledger by its name, with its digest and the position of the event that names it last.
pub fn kept(entries: &[Entry]) -> BTreeMap<&str, (Digest, usize)> {
    let mut files = BTreeMap::new();
    for (position, entry) in entries.iter().enumerate().filter(|(_, entry)| is_kept(entry.event)) {
        files.extend(entry.digests.iter().map(|(name, digest)| (name.as_str(), (*digest, position))));
    }
    files
}

/// What of it a bundle does not hold as it was recorded.
pub fn problems(entries: &[Entry], payload: &Payload) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut first: BTreeMap<&str, Digest> = BTreeMap::new();
    for (position, entry) in entries.iter().enumerate().filter(|(_, entry)| is_kept(entry.event)) {
        for (name, digest) in &entry.digests {
            // A file of these is written once: another one under its name was put in its place.
            let before = *first.entry(name.as_str()).or_insert(*digest);
            let there = name.parse::<RelativePath>().ok().and_then(|path| payload.get(&path));
            let there = there.map(Bytes::digest);
            if there != Some(*digest) || before != *digest {
                let found = there.map_or("nothing".to_owned(), |digest| digest.short());
                let line = position + 1;
                let event = entry.event.name();
                let message =
                    format!("line {line} of the ledger ({event}) names {}, found {found}", digest.short());
                let at = Location::file(format!("data/{name}"));
                problems.push(Diagnostic::error(Code::LedgerDigest, message).at(at));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ledger::Ledger;

    #[test]
    fn every_kept_file_is_there_as_it_was_recorded() {
        let mut ledger = Ledger::default();
        let mut add = |event, name: &str, text: &str| {
            let digests = BTreeMap::from([(name.to_owned(), Digest::of(text.as_bytes()))]);
            ledger.append(event, "2026-01-01T00:00:00Z", digests, None).expect("in order");
        };
        add(Event::ProtocolLocked, "protocol.toml", "p");
        add(Event::CommitmentMade, "commitments/commitment-1.json", "c");
        add(Event::ReadsSealed, "custody/sealed.json", "s");
        let payload = |files: &[(&str, &str)]| -> Payload {
            files.iter().map(|(name, text)| (name.parse().expect("a path"), (*text).into())).collect()
        };
        let all = [("commitments/commitment-1.json", "c"), ("custody/sealed.json", "s")];
        assert_eq!(problems(ledger.entries(), &payload(&all)), [] as [Diagnostic; 0]);
        assert_eq!(problems(ledger.entries(), &payload(&all[..1])).len(), 1);
        assert_eq!(problems(ledger.entries(), &payload(&[all[0], ("custody/sealed.json", "x")])).len(), 1);
        let names: Vec<&str> = kept(ledger.entries()).into_keys().collect();
        assert_eq!(names, ["commitments/commitment-1.json", "custody/sealed.json"]);
        // The same name a second time with other bytes.
        let digests = BTreeMap::from([("custody/sealed.json".to_owned(), Digest::of(b"x"))]);
        ledger.append(Event::ReadsSealed, "2026-01-01T00:00:00Z", digests, None).expect("in order");
        let other = payload(&[all[0], ("custody/sealed.json", "x")]);
        assert_eq!(problems(ledger.entries(), &other).len(), 2);
    }
}
