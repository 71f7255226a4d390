//! The custodian's own ledger: every grant, counted by what is sealed and not by what a study calls itself. A
//! second folder, a new id or a rewritten protocol asks for the same files and goes on with the count.

use serde::{Deserialize, Serialize};

use super::canonical;
use super::request::{Head, OpeningRequest};
use super::sealed::SealedSet;
use crate::chained::is_time;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// Version of the format, in every line.
pub const FORMAT: &str = "sequester-grants/1";
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A line: an opening that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// When, by the custodian's clock: RFC 3339, UTC.
    pub at: String,
    /// Digests of the files that were decrypted, sorted.
    pub files: Vec<Digest>,
    /// [`FORMAT`].
    pub format: String,
    /// Which opening of these files.
    pub number: u64,
    /// SHA-256 of the line before, without its line end; zeros in the first.
    pub previous: String,
    /// The request that was granted.
    pub request: Digest,
    /// The sealed set that it was of.
    pub sealed: Digest,
    /// From 1.
    pub sequence: u64,
    /// The study's id.
    pub study: String,
}

/// The ledger in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    lines: Vec<Line>,
    text: String,
}

impl Register {
    /// Every grant in order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The head of the chain; `None` before the first grant.
    pub fn head(&self) -> Option<Head> {
        Head::of(self.to_bytes())
    }

    /// Reads a custodian's ledger and checks its chain and its counts.
    ///
    /// # Errors
    /// `custody-unreadable` with the line.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        let mut register = Self::default();
        let wrong = |number: usize, why: &str| {
            Diagnostic::error(
                Code::CustodyUnreadable,
                format!("is no custodian's ledger: line {number} {why}"),
            )
        };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(1, "is not UTF-8"))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(wrong(text.lines().count(), "does not end: the ledger was cut"));
        }
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let number = index + 1;
            let read: Line =
                canonical::parse(line.as_bytes(), "grant in a custodian's ledger", FORMAT, |read: &Line| {
                    &read.format
                })
                .map_err(|problem| wrong(number, &problem.message))?;
            if read.sequence != number as u64 || read.previous != register.previous() {
                return Err(wrong(number, "does not follow the one before it"));
            }
            if !is_time(&read.at) {
                return Err(wrong(number, "has a time that is not RFC 3339 in UTC with whole seconds"));
            }
            let earlier = register.lines.iter().any(|line| line.at > read.at);
            let alike = register.of(&read.files, read.sealed).count() as u64;
            if read.number != alike + 1 || earlier {
                return Err(wrong(number, "has another number or an earlier time than it can have"));
            }
            register.text.push_str(line);
            register.lines.push(read);
        }
        Ok(register)
    }

    fn previous(&self) -> String {
        self.head().map_or_else(|| NOTHING.to_owned(), |head| head.head.to_string())
    }

    /// The grants of any of these files.
    pub fn of<'a>(&'a self, files: &'a [Digest], sealed: Digest) -> impl Iterator<Item = &'a Line> {
        self.lines
            .iter()
            .filter(move |line| line.sealed == sealed || line.files.iter().any(|file| files.contains(file)))
    }

    /// The line with which a request is granted: the one that is there for this very request, or a new one
    /// that is not added yet.
    ///
    /// # Errors
    /// `grant-differs` where the request is of another sealed set; `opening-number` where this custodian has
    /// counted otherwise, or a further opening has no reason.
    pub fn decide(
        &self,
        request: &OpeningRequest,
        sealed: &SealedSet,
        at: &str,
    ) -> Result<(Line, bool), Diagnostic> {
        if request.sealed != sealed.digest() || request.study != sealed.study {
            let message = "the request is of another sealed set than the one that lies here";
            return Err(Diagnostic::error(Code::GrantDiffers, message)
                .hint("name with --sealed the folder with this set's `sealed.json`"));
        }
        for file in &sealed.files {
            if request.digests.get(&file.name) != Some(&file.sha256) {
                let message = format!("the request is of another {} than the one that was sealed", file.name);
                return Err(Diagnostic::error(Code::GrantDiffers, message)
                    .hint("the readers' files must be those that were sealed: ask who changed them"));
            }
        }
        let digest = Digest::of(&request.to_bytes());
        if let Some(line) = self.lines.iter().find(|line| line.request == digest) {
            return Ok((line.clone(), true));
        }
        let mut files: Vec<Digest> = sealed.files.iter().map(|file| file.sha256).collect();
        files.sort_unstable();
        files.dedup();
        let before: Vec<&Line> = self.of(&files, sealed.digest()).collect();
        if request.number != before.len() as u64 + 1 {
            let told = before.iter().map(|line| format!("{} of {} at {}", line.number, line.study, line.at));
            let message = format!(
                "the study asks for opening {}, and {} openings of these files were granted here ({})",
                request.number,
                before.len(),
                told.collect::<Vec<_>>().join("; ")
            );
            return Err(Diagnostic::error(Code::OpeningNumber, message).hint(
                "the study's ledger does not know every opening: ask for the folder where the others were, \
                 and grant nothing before",
            ));
        }
        if request.number > 1 && request.reason.as_deref().is_none_or(|reason| reason.trim().len() < 3) {
            let message = format!("opening {} has no reason", request.number);
            return Err(Diagnostic::error(Code::OpeningNumber, message)
                .hint("`custodian request --reason TEXT`: documents print it"));
        }
        // A clock that was set back does not go back here.
        let at = self.lines.last().map_or(at, |last| at.max(last.at.as_str())).to_owned();
        let line = Line {
            at,
            files,
            format: FORMAT.to_owned(),
            number: request.number,
            previous: self.previous(),
            request: digest,
            sealed: sealed.digest(),
            sequence: self.lines.len() as u64 + 1,
            study: sealed.study.clone(),
        };
        Ok((line, false))
    }

    /// Adds a line that [`Register::decide`] gave.
    pub fn add(&mut self, line: Line) {
        self.text.push_str(&canonical::line(&line));
        self.text.push('\n');
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sealed::SealedFile;
    use super::*;

    fn sealed(study: &str, texts: &[&str]) -> SealedSet {
        let file = |(number, text): (usize, &&str)| SealedFile {
            encrypted: Digest::of(format!("{study}{text}").as_bytes()),
            name: format!("inputs/reads/r{number}.csv"),
            sha256: Digest::of(text.as_bytes()),
        };
        SealedSet {
            custodian: "key".to_owned(),
            files: texts.iter().enumerate().map(file).collect(),
            format: super::super::sealed::FORMAT.to_owned(),
            recipient: "age1".to_owned(),
            study: study.to_owned(),
        }
    }

    fn request(sealed: &SealedSet, number: u64, seed: &str, reason: Option<&str>) -> OpeningRequest {
        let mut digests: BTreeMap<String, Digest> =
            sealed.files.iter().map(|file| (file.name.clone(), file.sha256)).collect();
        digests.insert("protocol.toml".to_owned(), Digest::of(seed.as_bytes()));
        OpeningRequest {
            cohort: Digest::of(seed.as_bytes()),
            commitment: None,
            digests,
            format: super::super::request::FORMAT.to_owned(),
            ledger: Head { events: 4, head: Digest::of(b"line") },
            number,
            reason: reason.map(str::to_owned),
            sealed: sealed.digest(),
            study: sealed.study.clone(),
        }
    }

    #[test]
    fn openings_are_counted_by_the_files_whatever_the_study_calls_itself() {
        let mut register = Register::default();
        let set = sealed("a", &["one", "two"]);
        let first = request(&set, 1, "seed 1", None);
        let (line, already) = register.decide(&first, &set, "2026-01-01T00:00:00Z").expect("granted");
        assert!(!already);
        register.add(line.clone());
        // A time in another form, which would sort before every other.
        let text = String::from_utf8(register.to_bytes().to_vec()).expect("text");
        assert!(Register::parse(text.as_bytes()).is_ok());
        assert!(Register::parse(text.replace("-01T00", "-01 00").as_bytes()).is_err());
        // The same request is the same grant, and no second one.
        assert_eq!(register.decide(&first, &set, "2026-02-01T00:00:00Z"), Ok((line, true)));
        let code = |set: &SealedSet, number, seed: &str, reason| {
            register
                .decide(&request(set, number, seed, reason), set, "2026-01-02T00:00:00Z")
                .map_err(|d| d.code)
        };
        // Another seed, in the same folder or in a second one that knows of no opening.
        assert_eq!(code(&set, 1, "seed 2", None), Err(Code::OpeningNumber));
        // The same reads under another study's name, one of them, or beside others.
        assert_eq!(code(&sealed("b", &["one", "two"]), 1, "seed 1", None), Err(Code::OpeningNumber));
        assert_eq!(code(&sealed("b", &["two", "three"]), 1, "seed 1", None), Err(Code::OpeningNumber));
        assert!(code(&sealed("b", &["three"]), 1, "seed 1", None).is_ok());
        assert_eq!(code(&set, 2, "seed 2", None), Err(Code::OpeningNumber), "without a reason");
        assert_eq!(code(&set, 3, "seed 2", Some("a reader was ill")), Err(Code::OpeningNumber));
        let second = code(&set, 2, "seed 2", Some("a reader was ill")).expect("granted").0;
        // Rewritten reads are not those that were sealed.
        let mut rewritten = request(&set, 2, "seed 1", Some("a reader was ill"));
        rewritten.digests.insert("inputs/reads/r0.csv".to_owned(), Digest::of(b"better"));
        let refused = register.decide(&rewritten, &set, "2026-01-02T00:00:00Z").expect_err("refused");
        assert_eq!(refused.code, Code::GrantDiffers);
        register.add(second);
        assert_eq!(Register::parse(register.to_bytes()), Ok(register.clone()));
        let bytes = register.to_bytes();
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("two lines");
        for at in 0..last {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            assert!(Register::parse(&changed).is_err(), "byte {at}");
        }
        assert!(Register::parse(&bytes[..bytes.len() - 1]).is_err(), "cut");
        assert!(Register::parse(&bytes[last + 1..]).is_err(), "without its beginning");
    }
}
