//! Which of the readers' files count: those that the protocol's patterns match, without the ones that a
//! correction took the place of. The register of imports lies among them and is no readers' file.

use std::collections::BTreeMap;
use std::path::Path;

use super::rounds::{OfRound, of_round};
use super::{Inputs, matches};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Digest, RelativePath};
use crate::protocol::Protocol;
use crate::reads::register::{FILE, Register};

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
    let other = rule.files().chain(&protocol.reads.read_list).any(|other| other == path);
    let register = register_path(protocol);
    let returned = matches!(of_round(protocol, path), Some(OfRound::Returned(_)));
    rule.has_reads && register.as_ref() != Some(path) && (named || returned || (matched && !other))
}

/// Whether the reference standard rests on a file.
pub fn is_reference_file(protocol: &Protocol, path: &RelativePath) -> bool {
    is_reads_file(protocol, path)
        || register_path(protocol).as_ref() == Some(path)
        || of_round(protocol, path).is_some()
        || protocol.reference_standard.files().chain(&protocol.reads.read_list).any(|other| other == path)
}

/// The readers' files of a study.
#[derive(Clone, Debug)]
pub struct ReadersFiles<'a> {
    /// Those that count, by path.
    pub counting: BTreeMap<&'a RelativePath, &'a [u8]>,
    /// The register; empty where nothing was imported.
    pub register: Register,
    /// Files that nobody imported while others were.
    pub warnings: Vec<Diagnostic>,
}

/// The readers' files that count.
///
/// # Errors
/// `reads-register`, and `reads-replaced` for each file that is not the one that was imported.
pub fn readers_files(inputs: &Inputs) -> Result<ReadersFiles<'_>, Vec<Diagnostic>> {
    let protocol = &inputs.protocol;
    let mut counting: BTreeMap<&RelativePath, &[u8]> = inputs
        .files
        .iter()
        .filter(|(path, _)| is_reads_file(protocol, path))
        .map(|(path, bytes)| (path, bytes.as_slice()))
        .collect();
    let place = register_path(protocol);
    let Some((path, bytes)) = place.as_ref().and_then(|path| inputs.files.get_key_value(path)) else {
        return Ok(ReadersFiles { counting, register: Register::default(), warnings: Vec::new() });
    };
    let register = Register::parse(Path::new(path.as_str()), bytes)?;
    let digests = counting.iter().map(|(path, bytes)| ((*path).clone(), Digest::of(bytes))).collect();
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
