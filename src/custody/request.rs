//! A request to open the sealed set: which opening it is, of exactly which inputs, at which place in the
//! study's ledger. What is granted is this and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::canonical;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// Version of the format.
pub const FORMAT: &str = "sequester-opening-request/1";

/// The name of a request and of its grant, counted from 1, in a study and in a bundle.
pub fn names(number: u64) -> (String, String) {
    (format!("custody/request-{number}.json"), format!("custody/grant-{number}.json"))
}

/// The head of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many lines.
    pub events: u64,
    /// SHA-256 of the last of them, without its line end.
    pub head: Digest,
}

impl Head {
    /// The head of a ledger's bytes; `None` of an empty one.
    pub fn of(ledger: &[u8]) -> Option<Self> {
        let lines = ledger.strip_suffix(b"\n")?.split(|byte| *byte == b'\n');
        let (events, last) = lines.fold((0, None), |(count, _), line| (count + 1, Some(line)));
        last.map(|line| Self { events, head: Digest::of(line) })
    }

    /// Whether a ledger goes on from here.
    pub fn stands_in(&self, ledger: &[u8]) -> bool {
        let position = self.events.checked_sub(1).and_then(|last| usize::try_from(last).ok());
        let whole = ledger.iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = position.and_then(|position| ledger.split(|byte| *byte == b'\n').nth(position));
        self.events <= whole && line.is_some_and(|line| Digest::of(line) == self.head)
    }
}

/// `custody/request-N.json`. Fields in the order of canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRequest {
    /// The drawn cases, as sealing the test set records them.
    pub cohort: Digest,
    /// The last commitment of the study; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Digest>,
    /// Protocol, every input and the lock: what the opening in the ledger will name.
    pub digests: BTreeMap<String, Digest>,
    /// [`FORMAT`].
    pub format: String,
    /// The study's ledger when it was asked.
    pub ledger: Head,
    /// Which opening: openings so far and one.
    pub number: u64,
    /// Why, from the second on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `custody/sealed.json`.
    pub sealed: Digest,
    /// The study's id.
    pub study: String,
}

impl OpeningRequest {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Reads it.
    ///
    /// # Errors
    /// `custody-unreadable`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        let read: Self = canonical::parse(bytes, "request to open", FORMAT, |read: &Self| &read.format)?;
        if read.number == 0 || read.number >= 1 << 53 {
            let why = "is no request to open: openings count from 1";
            return Err(Diagnostic::error(Code::CustodyUnreadable, why));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_stands_in_every_ledger_that_goes_on_from_it() {
        let head = Head::of(b"one\ntwo\n").expect("two lines");
        assert_eq!(head.events, 2);
        assert!(head.stands_in(b"one\ntwo\n") && head.stands_in(b"one\ntwo\nthree\n"));
        for other in [&b""[..], b"one\n", b"two\n", b"one\ntwo", b"one\nother\n", b"other\nthing\ntwo\n"] {
            assert!(!head.stands_in(other), "{other:?}");
        }
        assert_eq!(Head::of(b""), None);
        assert_eq!(Head::of(b"cut"), None);
    }
}
