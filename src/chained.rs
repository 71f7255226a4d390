//! Lines of canonical JSON (RFC 8785), each with the digest of the line before: the form of every ledger
//! here. What its events are, and in which order they may stand, is said where they are declared.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;

/// What the first line names as the digest of the line before.
pub const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line of a chain.
pub trait Link: Serialize + DeserializeOwned {
    /// Its number, from 1.
    fn sequence(&self) -> u64;
    /// RFC 3339, UTC, whole seconds.
    fn at(&self) -> &str;
    /// Digest of the line before, without its line feed; [`NOTHING`] in the first line.
    fn previous(&self) -> &str;
}

/// What a chain says of its next line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub sequence: u64,
    /// Its time.
    pub at: String,
    /// The digest of the line before.
    pub previous: String,
}

/// A chain in memory; only [`Chain::push`] adds to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<E> {
    entries: Vec<E>,
    lines: Vec<String>,
}

impl<E> Default for Chain<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), lines: Vec::new() }
    }
}

impl<E: Link> Chain<E> {
    /// The lines in order.
    pub fn entries(&self) -> &[E] {
        &self.entries
    }

    /// Digest of the last line.
    pub fn head(&self) -> Option<Digest> {
        self.lines.last().map(|line| Digest::of(line.as_bytes()))
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
    }

    fn previous(&self) -> String {
        self.head().map_or_else(|| NOTHING.to_owned(), |head| head.to_string())
    }

    /// Adds a line at the end. A clock that was set back does not go back here: the order of the lines is the
    /// chain's.
    pub fn push(&mut self, at: &str, entry: impl FnOnce(Place) -> E) {
        let last = self.entries.last().map(Link::at);
        let at = last.filter(|last| is_time(at) && is_time(last) && *last > at).unwrap_or(at);
        let sequence = self.entries.len() as u64 + 1;
        let entry = entry(Place { sequence, at: at.to_owned(), previous: self.previous() });
        self.lines.push(canonical(&entry));
        self.entries.push(entry);
    }

    /// Reads a chain and checks its form, its numbers, its times and its digests; `judged` says what else is
    /// wrong with a line behind those before it.
    ///
    /// # Errors
    /// Every broken line: `ledger-cut`, `ledger-line`, `ledger-chain`, `ledger-order`.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        judged: impl Fn(&[E], &E) -> Vec<(Code, String)>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (mut chain, mut problems) = (Self::default(), Vec::new());
        let text = String::from_utf8_lossy(bytes);
        if !text.is_empty() && !text.ends_with('\n') {
            problems.push(
                Diagnostic::error(Code::LedgerCut, "the last line does not end: the ledger was cut")
                    .at(Location::line(path, text.lines().count() as u64)),
            );
        }
        for (index, line) in text.lines().enumerate() {
            let mut tell = |code: Code, message: String| {
                problems.push(Diagnostic::error(code, message).at(Location::line(path, index as u64 + 1)));
            };
            let entry: E = match serde_json::from_str(line) {
                Ok(entry) => entry,
                Err(e) => {
                    tell(Code::LedgerLine, format!("not an event: {e}"));
                    chain.lines.push(line.to_owned());
                    continue;
                }
            };
            if !is_time(entry.at()) {
                tell(Code::LedgerLine, format!("`{}` is no time such as 2026-01-31T12:00:00Z", entry.at()));
            } else if chain.entries.last().is_some_and(|last| is_time(last.at()) && last.at() > entry.at()) {
                tell(Code::LedgerOrder, "is of a time before that of the line before".to_owned());
            }
            if canonical(&entry) != line {
                tell(Code::LedgerLine, "not in canonical form".to_owned());
            }
            if entry.previous() != chain.previous() {
                tell(Code::LedgerChain, "does not hold the digest of the line before".to_owned());
            }
            if entry.sequence() != index as u64 + 1 {
                tell(Code::LedgerChain, format!("is numbered {}", entry.sequence()));
            }
            for (code, message) in judged(&chain.entries, &entry) {
                tell(code, message);
            }
            chain.lines.push(line.to_owned());
            chain.entries.push(entry);
        }
        if problems.is_empty() { Ok(chain) } else { Err(problems) }
    }
}

/// RFC 3339 in UTC with whole seconds, in the one form whose order as text is that of time: RFC 3339 lets a
/// blank or a small letter stand for the `T`, and those sort elsewhere.
pub fn is_time(text: &str) -> bool {
    text.len() == 20
        && text.ends_with('Z')
        && text.as_bytes()[10] == b'T'
        && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// A line without its line feed.
pub fn canonical<E: Serialize>(entry: &E) -> String {
    serde_json_canonicalizer::to_string(entry).unwrap_or_else(|_| unreachable!("text, numbers and maps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        assert!(is_time("2026-01-01T00:00:00Z"));
        for other in [
            "2026-01-01 00:00:00Z",
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00z",
            "2026-01-01T00:00:0Z",
            "2026-01-01T00:00:00.5Z",
            "2026-01-01T00:00:00+00:00",
            "2026-13-01T00:00:00Z",
            "",
        ] {
            assert!(!is_time(other), "{other}");
        }
    }
}
