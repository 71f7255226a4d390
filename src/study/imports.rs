//! Which of the readers' files count: those that the protocol's patterns match, without the ones that a
//! correction took the place of. The register of imports lies among them and is no readers' file.

use std::collections::BTreeMap;
use std::path::Path;

use super::rounds::{OfRound, of_round};
use super::{Inputs, matches};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, RelativePath};
use crate::protocol::Protocol;
use crate::reads::case_map::CaseMap;
use crate::reads::files::Beside;
use crate::reads::register::FILE;
pub use crate::reads::register::{Import, Register};

/// Where the register of imports lies: in the folder of the first pattern.
pub fn register_path(protocol: &Protocol) -> Option<RelativePath> {
    let folder = protocol.reads.files.first()?.rsplit_once('/').map(|(folder, _)| folder);
    folder.map_or_else(|| FILE.to_owned(), |folder| format!("{folder}/{FILE}")).parse().ok()
}

/// Whether a file holds reads: a file that the protocol names for something else is none because a pattern
/// with
/// `*` happens to match it.
pub fn is_reads_file(protocol: &Protocol, path: &RelativePath) -> bool {
    let rule = &protocol.reference_standard;
    let named = protocol.reads.files.iter().any(|pattern| pattern == path.as_str());
    let matched = protocol.reads.files.iter().any(|pattern| matches(pattern, path.as_str()));
    let other = beside_the_reads(protocol, path);
    let register = register_path(protocol);
    let returned = matches!(of_round(protocol, path), Some(OfRound::Returned(_)));
    rule.has_reads && register.as_ref() != Some(path) && (named || returned || (matched && !other))
}

/// Whether the reference standard rests on a file.
pub fn is_reference_file(protocol: &Protocol, path: &RelativePath) -> bool {
    is_reads_file(protocol, path)
        || register_path(protocol).as_ref() == Some(path)
        || of_round(protocol, path).is_some()
        || beside_the_reads(protocol, path)
}

/// Whether a file is one that the reference standard rests on beside the readers' own; some are named by a
/// pattern.
fn beside_the_reads(protocol: &Protocol, path: &RelativePath) -> bool {
    let rule = &protocol.reference_standard;
    let tables = protocol.reads.tables().filter(|_| rule.has_reads);
    let mut ratings = protocol.reader_study.iter().flat_map(|source| source.tables());
    rule.files().chain(tables).any(|other| matches(other.as_str(), path.as_str()))
        || ratings.any(|pattern| matches(&pattern, path.as_str()))
}

/// Whether a file holds labels that were not computed here.
pub fn is_labels_file(protocol: &Protocol, path: &RelativePath) -> bool {
    let mut named = protocol.reference_standard.label_tables().flat_map(|table| &table.files);
    named.any(|pattern| matches(pattern.as_str(), path.as_str()))
}

/// Which case an id of the readers' files is, where the protocol names a table that says it.
///
/// # Errors
/// What is wrong with the table.
pub fn case_map(inputs: &Inputs) -> Result<Option<CaseMap>, Vec<Diagnostic>> {
    let Some(declared) = &inputs.protocol.reads.case_map else { return Ok(None) };
    let bytes = inputs.file(&declared.file).map_err(|error| error.diagnostics())?;
    let others = inputs.protocol.reference_standard.ignore_other_cases;
    CaseMap::parse(Path::new(declared.file.as_str()), &bytes, declared, others).map(Some)
}

/// The readers' files of a study.
#[derive(Clone, Debug)]
pub struct ReadersFiles<'a> {
    /// Those that count, by path.
    pub counting: BTreeMap<&'a RelativePath, &'a Bytes>,
    /// The register; empty where nothing was imported.
    pub register: Register,
    /// Files that nobody imported while others were.
    pub warnings: Vec<Diagnostic>,
}

impl ReadersFiles<'_> {
    /// What says how one of the files is read beside its bytes.
    pub fn beside<'a>(&'a self, file: &'a RelativePath, map: Option<&'a CaseMap>) -> Beside<'a> {
        Beside { map, named: Some(Path::new(self.register.first_of(file).as_str())) }
    }
}

/// A file that the reference standard rests on, and how it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroughtFile {
    /// Relative to the data folder.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// What was recorded; `None`: nobody imported it, it was put there.
    pub import: Option<Import>,
    /// The file that took its place.
    pub superseded_by: Option<String>,
}

impl BroughtFile {
    /// All of a study's readers' files and tables of given labels by path, those that were superseded too.
    ///
    /// # Errors
    /// As [`readers_files`].
    pub fn all(inputs: &Inputs) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let register = readers_files(inputs)?.register;
        let of = |(path, bytes): (&RelativePath, &Bytes)| Self {
            path: path.to_string(),
            sha256: bytes.digest().to_string(),
            import: register.of(path).cloned(),
            superseded_by: register.superseded_by(path).map(ToString::to_string),
        };
        let rests = |path: &RelativePath| {
            is_reads_file(&inputs.protocol, path) || is_labels_file(&inputs.protocol, path)
        };
        Ok(inputs.files.iter().filter(|(path, _)| rests(path)).map(of).collect())
    }

    /// Who brought it in, and in which role, as given.
    pub fn by(&self) -> Option<String> {
        let import = self.import.as_ref()?;
        let by = import.by.clone()?;
        Some(import.role.as_ref().map_or_else(|| by.clone(), |role| format!("{by} ({role})")))
    }

    /// What the readers saw and did not see, as given.
    pub fn blinding(&self) -> Option<&str> {
        self.import.as_ref()?.blinding.as_deref()
    }
}

/// The readers' files that count.
///
/// # Errors
/// `reads-register`, and `reads-replaced` for each file that is not the one that was imported.
pub fn readers_files(inputs: &Inputs) -> Result<ReadersFiles<'_>, Vec<Diagnostic>> {
    let protocol = &inputs.protocol;
    let mut counting: BTreeMap<&RelativePath, &Bytes> =
        inputs.files.iter().filter(|(path, _)| is_reads_file(protocol, path)).collect();
    let place = register_path(protocol);
    let Some((path, bytes)) = place.as_ref().and_then(|path| inputs.files.get_key_value(path)) else {
        return Ok(ReadersFiles { counting, register: Register::default(), warnings: Vec::new() });
    };
    let register = Register::parse(Path::new(path.as_str()), &bytes.read())?;
    let registered = inputs
        .files
        .iter()
        .filter(|(path, _)| is_reads_file(protocol, path) || is_labels_file(protocol, path));
    let digests = registered.map(|(path, bytes)| (path.clone(), bytes.digest())).collect();
    let problems = register.discrepancies(&digests);
    if !problems.is_empty() {
        return Err(problems);
    }
    let by_hand = |path: &&&RelativePath| register.of(path).is_none();
    let warnings = counting
        .keys()
        .filter(by_hand)
        .map(|path| {
            let message = "nobody imported this file, though others were: who brought it in is not recorded";
            Diagnostic::warning(Code::ReadsUnregistered, message)
                .at(Location::file(path.as_str()))
                .hint("`sequester reads import` records it where it lies")
        })
        .collect();
    counting.retain(|path, _| register.superseded_by(path).is_none());
    Ok(ReadersFiles { counting, register, warnings })
}
