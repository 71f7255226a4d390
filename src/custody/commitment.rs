//! A commitment: what is fixed before the first score, in one file whose digest stands for all of it. It
//! can be signed, time-stamped, filed or mailed.
//!
//! It holds no time: when it existed is shown by what is done with it, never by a clock that its maker
//! sets. The same study gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// Version of the format.
pub const FORMAT: &str = "sequester-commitment/1";
/// Where commitments lie, in a study and in a bundle.
pub const FOLDER: &str = "commitments";

/// What is committed to. Fields in the order of canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// Every endpoint in the protocol's words: id, metric, role, criterion.
    pub bar: Vec<String>,
    /// The case tables and lists that the cohort is drawn from, by their name in a bundle.
    pub cases: BTreeMap<String, Digest>,
    /// The drawn cases: the table that sealing the test set records.
    pub cohort: Digest,
    /// [`FORMAT`].
    pub format: String,
    /// The locked model; absent where none was locked here by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Digest>,
    /// `protocol.toml`, exact bytes.
    pub protocol: Digest,
    /// The protocol's rules on readers, reads and reference standard, as canonical JSON.
    pub reader_rules: Digest,
    /// The table of scores where it was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Digest>,
    /// What a custodian keeps: `custody/sealed.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Digest>,
    /// The seed that draws the test set, as text.
    pub seed: String,
    /// The study's id.
    pub study: String,
    /// The protocol's version.
    pub version: String,
}

/// The name of a commitment, counted from 1.
pub fn name(number: usize) -> String {
    format!("{FOLDER}/commitment-{number}.json")
}

/// The name of a token of a commitment, both counted from 1.
pub fn token_name(commitment: usize, token: usize) -> String {
    format!("{FOLDER}/commitment-{commitment}-token-{token}.tsr")
}

impl Commitment {
    /// The file: canonical JSON (RFC 8785) and a line end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = serde_json_canonicalizer::to_string(self)
            .unwrap_or_else(|_| unreachable!("texts and maps of texts"));
        text.push('\n');
        text.into_bytes()
    }

    /// Reads a commitment.
    ///
    /// # Errors
    /// `commitment-unreadable` for anything that [`Commitment::to_bytes`] would not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        let wrong = |why: String| {
            Diagnostic::error(Code::CommitmentUnreadable, format!("is no commitment: {why}"))
                .hint("put the file back as `sequester commit` wrote it")
        };
        let read: Self = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        if read.format != FORMAT {
            return Err(wrong(format!("the format is \"{}\", not \"{FORMAT}\"", read.format.escape_debug())));
        }
        if read.to_bytes() != bytes {
            return Err(wrong("not in canonical form".to_owned()));
        }
        Ok(read)
    }

    /// What another one, of the study as it is, does not hold: what, committed, found. Scores and sealed
    /// reads are left to other questions.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut differing = Vec::new();
        let mut compare = |what: &str, committed: String, found: String| {
            if committed != found {
                differing.push(format!("{what}: committed {committed}, found {found}"));
            }
        };
        let short = |digest: &Digest| digest.short();
        compare("the study", self.study.clone(), found.study.clone());
        compare("protocol.toml", short(&self.protocol), short(&found.protocol));
        compare("the bar", self.bar.join("; "), found.bar.join("; "));
        compare("the seed", self.seed.clone(), found.seed.clone());
        compare("the drawn cases", short(&self.cohort), short(&found.cohort));
        compare("the rules on readers", short(&self.reader_rules), short(&found.reader_rules));
        let names = self.cases.keys().chain(found.cases.keys());
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            let of = |cases: &BTreeMap<String, Digest>| cases.get(name).map_or("nothing".to_owned(), short);
            compare(name, of(&self.cases), of(&found.cases));
        }
        // A model that was locked later was not committed to; one that was committed to has to be the one.
        if let Some(lock) = &self.lock {
            compare("the locked model", short(lock), found.lock.as_ref().map_or("none".to_owned(), short));
        }
        differing
    }

    /// A text to be mailed or filed, with the file's digest in full and how to check it.
    pub fn to_text(&self, name: &str) -> String {
        let file = name.rsplit('/').next().unwrap_or(name);
        let mut text = String::new();
        let _ = writeln!(text, "Commitment of the study {}, version {}\n", self.study, self.version);
        let _ = writeln!(text, "SHA-256 of the file {file}:\n\n    {}\n", Digest::of(&self.to_bytes()));
        let _ = writeln!(text, "The bar, fixed before the test set is opened:\n");
        for line in &self.bar {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "\nThe file holds the digests of\n");
        let mut row = |what: &str, value: &str| {
            let _ = writeln!(text, "    {what:<22}{value}");
        };
        row("protocol.toml", &self.protocol.to_string());
        for (name, digest) in &self.cases {
            row(name.strip_prefix("inputs/").unwrap_or(name), &digest.to_string());
        }
        row("drawn cases", &self.cohort.to_string());
        row("seed of the draw", &self.seed);
        row("rules on readers", &self.reader_rules.to_string());
        row("locked model", &self.lock.map_or("none is locked here".to_owned(), |d| d.to_string()));
        row("scores", &self.scores.map_or("none are here yet".to_owned(), |d| d.to_string()));
        row("sealed with custodian", &self.sealed.map_or("nothing".to_owned(), |d| d.to_string()));
        let _ = write!(
            text,
            "\nWhoever keeps this text, and knows when it came, can check later what was handed over:\n\n    \
             sha256sum {file}\n    sha256sum protocol.toml\n\nThe first has to print the digest at the top, \
             the second the one that the file holds. This text alone shows no time: that is shown by whoever \
             received it, or by a time-stamp token of the file.\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn example() -> Commitment {
        Commitment {
            bar: vec!["auc: auc, primary, lower > 0.7".to_owned()],
            cases: BTreeMap::from([("inputs/cases.csv".to_owned(), Digest::of(b"cases"))]),
            cohort: Digest::of(b"cohort"),
            format: FORMAT.to_owned(),
            lock: None,
            protocol: Digest::of(b"protocol"),
            reader_rules: Digest::of(b"rules"),
            scores: None,
            sealed: None,
            seed: "7".to_owned(),
            study: "s".to_owned(),
            version: "1".to_owned(),
        }
    }

    #[test]
    fn a_commitment_has_one_form_and_every_changed_byte_is_noticed() {
        let bytes = example().to_bytes();
        assert_eq!(Commitment::parse(&bytes), Ok(example()));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            // What is still a commitment is another one.
            assert!(!Commitment::parse(&changed).is_ok_and(|other| other == example()), "byte {at}");
        }
        for bad in [&b""[..], b"{}", b"null\n", &bytes[..bytes.len() - 1]] {
            assert!(Commitment::parse(bad).is_err());
        }
    }

    #[test]
    fn what_differs_is_named() {
        let found = Commitment { seed: "8".to_owned(), cohort: Digest::of(b"other"), ..example() };
        let differing = example().differences(&found);
        assert_eq!(differing.len(), 2, "{differing:?}");
        assert!(differing[0].starts_with("the seed: committed 7, found 8"));
        assert_eq!(example().differences(&example()), [] as [String; 0]);
        // A model that is locked later is none that was committed to.
        let later = Commitment { lock: Some(Digest::of(b"lock")), ..example() };
        assert_eq!(example().differences(&later), [] as [String; 0]);
        assert_eq!(later.differences(&example()).len(), 1);
    }

    #[test]
    fn the_text_holds_the_digest_in_full() {
        let text = example().to_text("commitments/commitment-1.json");
        assert!(text.contains(&Digest::of(&example().to_bytes()).to_string()));
        assert!(text.contains("sha256sum commitment-1.json") && text.contains("lower > 0.7"));
        assert!(text.lines().all(|line| line.len() < 200));
    }
}
