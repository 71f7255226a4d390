//! What was imported: the register beside the readers' files, which is part of the evidence.
//!
//! It says of each file who brought it in, when, with which digest, what was withheld from it, and which file
//! it corrects. A file that the register names and that is another one now is refused; a file that another
//! one supersedes stays where it is and does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Digest, RelativePath};

/// Its name, in the folder of the first pattern of `reads.files`.
pub const FILE: &str = "imports.json";
/// Version of its form.
pub const FORMAT: &str = "sequester-reads-imports/1";

/// All imports in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// [`FORMAT`].
    pub format: String,
    /// In the order in which they came.
    pub imports: Vec<Import>,
}

/// One file that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Where it lies, relative to the data folder.
    pub file: RelativePath,
    /// Digest of its bytes there.
    pub sha256: Digest,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who brought it in, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In which role, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the readers saw and did not see, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blinding: Option<String>,
    /// What was taken out of the file before it became evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// What it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
}

/// Columns that identify a person and are no part of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Their names.
    pub columns: Vec<String>,
    /// Where the file as it came lies, relative to the data folder.
    pub original: RelativePath,
    /// Digest of the file as it came.
    pub original_sha256: Digest,
}

/// A file takes the place of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// The file that no longer counts.
    pub supersedes: RelativePath,
    /// Why.
    pub reason: String,
    /// Every read that is another one, appeared or went.
    pub reads: Vec<ChangedRead>,
    /// Every case whose reference standard is another one.
    pub reference: Vec<ChangedReference>,
}

/// A read before and after a correction; `None`: there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedRead {
    /// The case.
    pub case: String,
    /// The reader.
    pub reader: String,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

/// A case's reference standard before and after a correction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedReference {
    /// The case.
    pub case: String,
    /// Before: positive, negative or none.
    pub before: String,
    /// After.
    pub after: String,
}

impl Default for Register {
    fn default() -> Self {
        Self { format: FORMAT.to_owned(), imports: Vec::new() }
    }
}

impl Register {
    /// Reads a register. `path` is for messages.
    ///
    /// # Errors
    /// `reads-register` for what is none, of another form, or contradicts itself: a file that came twice, a
    /// correction of a file that never came, without a reason, or of one that was corrected already.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let wrong = |message: String| {
            Diagnostic::error(Code::ReadsRegister, message).at(Location::file(path)).hint(
                "put back the register that `sequester reads import` wrote: it is evidence, and never edited",
            )
        };
        let register: Self =
            serde_json::from_slice(bytes).map_err(|e| vec![wrong(format!("no register of imports: {e}"))])?;
        let mut problems = Vec::new();
        if register.format != FORMAT {
            let message = format!("the format is \"{}\", this program reads \"{FORMAT}\"", register.format);
            problems.push(wrong(message));
        }
        let (mut came, mut superseded) = (BTreeSet::new(), BTreeSet::new());
        for import in &register.imports {
            let file = &import.file;
            if let Some(correction) = &import.correction {
                let old = &correction.supersedes;
                if !came.contains(old) {
                    problems.push(wrong(format!("`{file}` corrects `{old}`, which did not come before it")));
                }
                if !superseded.insert(old) {
                    problems.push(wrong(format!("`{old}` is corrected twice")));
                }
                if correction.reason.trim().is_empty() {
                    problems.push(wrong(format!("`{file}` corrects `{old}` without a reason")));
                }
            }
            if !came.insert(file) {
                problems.push(wrong(format!("`{file}` came twice")));
            }
        }
        if problems.is_empty() { Ok(register) } else { Err(problems) }
    }

    /// The register's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The import of a file.
    pub fn of(&self, file: &RelativePath) -> Option<&Import> {
        self.imports.iter().find(|import| import.file == *file)
    }

    /// The file that took the place of this one.
    pub fn superseded_by(&self, file: &RelativePath) -> Option<&RelativePath> {
        let takes = |import: &&Import| import.correction.as_ref().is_some_and(|c| c.supersedes == *file);
        self.imports.iter().find(takes).map(|import| &import.file)
    }

    /// The file that came first of those that this one corrects, one after another; itself, where it corrects
    /// none. Its name is the one that may say who read.
    pub fn first_of<'a>(&'a self, file: &'a RelativePath) -> &'a RelativePath {
        let mut first = file;
        // A file corrects one that came before it, so this ends.
        for import in self.imports.iter().rev() {
            if import.file == *first
                && let Some(correction) = &import.correction
            {
                first = &correction.supersedes;
            }
        }
        first
    }

    /// Files that are other ones than those that were imported, and files that are gone. `files` are those
    /// that the protocol's patterns match, with their digests.
    pub fn discrepancies(&self, files: &BTreeMap<RelativePath, Digest>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for import in &self.imports {
            let place = Location::file(import.file.as_str());
            match files.get(&import.file) {
                Some(found) if *found == import.sha256 => {}
                Some(found) => problems.push(
                    Diagnostic::error(
                        Code::ReadsReplaced,
                        format!(
                            "the file was imported at {} with digest {}..., it is now {}...",
                            import.at,
                            import.sha256.short(),
                            found.short()
                        ),
                    )
                    .at(place)
                    .hint(
                        "put the imported file back and bring the corrected one in under a name of its own: \
                         `sequester reads import STUDY NEW --supersedes OLD --reason \"...\"`",
                    ),
                ),
                None => problems.push(
                    Diagnostic::error(
                        Code::ReadsReplaced,
                        format!("the file was imported at {} and is gone", import.at),
                    )
                    .at(place)
                    .hint("put it back, or check that `reads.files` of the protocol still matches it"),
                ),
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(file: &str, correction: Option<(&str, &str)>) -> Import {
        Import {
            file: file.parse().expect("a path"),
            sha256: Digest::of(file.as_bytes()),
            at: "2026-01-01T00:00:00Z".to_owned(),
            by: None,
            role: None,
            blinding: None,
            withheld: None,
            correction: correction.map(|(old, reason)| Correction {
                supersedes: old.parse().expect("a path"),
                reason: reason.to_owned(),
                reads: Vec::new(),
                reference: Vec::new(),
            }),
        }
    }

    fn parsed(imports: Vec<Import>) -> Result<Register, Vec<Diagnostic>> {
        let register = Register { imports, ..Register::default() };
        Register::parse(Path::new("imports.json"), &register.to_bytes())
    }

    #[test]
    fn a_register_round_trips_and_what_contradicts_itself_is_refused() {
        let good = vec![import("reads/a.csv", None), import("reads/b.csv", Some(("reads/a.csv", "typo")))];
        let register = parsed(good.clone()).expect("good");
        assert_eq!(register.imports, good);
        let a: RelativePath = "reads/a.csv".parse().expect("a path");
        let b: RelativePath = "reads/b.csv".parse().expect("a path");
        assert_eq!((register.first_of(&b), register.first_of(&a)), (&a, &a));
        assert_eq!(register.superseded_by(&a).map(RelativePath::as_str), Some("reads/b.csv"));
        for (bad, says) in [
            (vec![import("reads/a.csv", None), import("reads/a.csv", None)], "came twice"),
            (vec![import("reads/b.csv", Some(("reads/a.csv", "typo")))], "did not come before"),
            (vec![import("reads/a.csv", Some(("reads/a.csv", "typo")))], "did not come before"),
            (vec![good[0].clone(), import("reads/b.csv", Some(("reads/a.csv", " ")))], "without a reason"),
            (
                [&good[..], &[import("reads/c.csv", Some(("reads/a.csv", "again")))]].concat(),
                "corrected twice",
            ),
        ] {
            let problems = parsed(bad).expect_err(says);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].message.contains(says), "{problems:?}");
            assert_eq!(problems[0].code, Code::ReadsRegister);
        }
    }

    #[test]
    fn every_cut_or_changed_byte_of_a_register_is_refused_or_means_something_else() {
        let register = Register { imports: vec![import("reads/a.csv", None)], ..Register::default() };
        let bytes = register.to_bytes();
        for at in 0..bytes.len() - 2 {
            assert!(Register::parse(Path::new("r"), &bytes[..at]).is_err(), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 0x01;
            let white = bytes[at].is_ascii_whitespace();
            if let Ok(other) = Register::parse(Path::new("r"), &changed) {
                assert!(other != register || white, "byte {at}");
            }
        }
    }

    #[test]
    fn a_file_that_is_another_one_or_gone_is_found() {
        let register = Register {
            imports: vec![import("reads/a.csv", None), import("reads/b.csv", None)],
            ..Register::default()
        };
        let digests = |pairs: &[(&str, &str)]| -> BTreeMap<RelativePath, Digest> {
            let of =
                |(file, text): &(&str, &str)| (file.parse().expect("a path"), Digest::of(text.as_bytes()));
            pairs.iter().map(of).collect()
        };
        let same = digests(&[("reads/a.csv", "reads/a.csv"), ("reads/b.csv", "reads/b.csv")]);
        assert!(register.discrepancies(&same).is_empty());
        let other = register.discrepancies(&digests(&[("reads/a.csv", "x")]));
        assert_eq!(other.len(), 2);
        assert!(other.iter().all(|d| d.code == Code::ReadsReplaced && d.hint.is_some()));
        assert!(other[1].message.contains("is gone"));
    }
}
