//! A study's own scores looked at beside labels, outside the protocol: the ledger says so. Whoever knows how
//! a device does before the protocol is locked, or between two openings, plans another study.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::storage;

/// How far above a table its study is looked for.
const FURTHEST: usize = 8;

/// Writes the event where the table is the study's score table, or lies in its evidence or among what its
/// steps wrote; gives the study. Nothing happens for any other table.
///
/// # Errors
/// When the ledger cannot be written: what cannot be recorded is not shown.
pub fn record(table: &Path, outside: &Outside<'_>) -> Result<Option<PathBuf>> {
    let Some((study, name)) = study_of(table) else { return Ok(None) };
    let _alone = study.alone()?;
    let digests = BTreeMap::from([(name, Digest::of(&storage::read(table)?))]);
    study.record(Event::ScoresExamined, outside, digests, None)?;
    Ok(Some(study.folder))
}

/// The study whose scores a table holds, and the table's name in it.
fn study_of(table: &Path) -> Option<(Study, String)> {
    let table = std::fs::canonicalize(table).ok()?;
    for folder in table.ancestors().skip(1).take(FURTHEST) {
        let is_bundle = folder.parent().is_some_and(|parent| parent.join("bagit.txt").is_file());
        if is_bundle || !folder.join("protocol.toml").is_file() {
            continue;
        }
        // A protocol that cannot be read is no study whose results could be spoilt.
        let study = Study::open(folder, None, None).ok()?;
        let scores = std::fs::canonicalize(study.protocol.scores.file.below(folder)).ok();
        let within = ["evidence", "work", "reports"].iter().any(|part| table.starts_with(folder.join(part)));
        let name = table.strip_prefix(folder).ok()?.to_string_lossy().into_owned();
        return (scores.as_ref() == Some(&table) || within).then_some((study, name));
    }
    None
}
