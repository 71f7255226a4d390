//! The readers' files: who read how much, and their digests in the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::protocol::ReaderRole;
use crate::study::{self, Cohort, Inputs, ReferenceStandard};

/// A reader, and how many cases of the cohort they read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderCount {
    /// The reader.
    pub id: String,
    /// What the reader's reads are for.
    pub role: ReaderRole,
    /// Cases read; an ignored reader's rows are counted as they stand.
    pub reads: usize,
    /// Cases that are missing, where the same readers read every case.
    pub missing: Option<usize>,
}

/// Who read how many cases of the cohort, declared readers who read none included.
pub fn per_reader(study: &Study, cohort: &Cohort, reference: &ReferenceStandard) -> Vec<ReaderCount> {
    let rule = &study.protocol.reference_standard;
    let fixed = rule.fixed_readers && rule.rule.is_vote();
    let (roster, assembled) = (&reference.roster, &reference.assembled);
    let declared = roster.declared().into_iter().flat_map(BTreeMap::keys);
    let ids: BTreeSet<&String> = assembled.readers.iter().chain(declared).collect();
    let count = |id: &String| {
        let role = roster.role(id).unwrap_or(ReaderRole::Reference);
        let read = cohort
            .drawn_cases()
            .filter_map(|case| assembled.cases.get(&case.case_id))
            .filter(|reads| reads.reads.contains_key(id) || reads.set_aside.contains(id))
            .count();
        let ignored = assembled.ignored.get(id).copied().unwrap_or_default();
        let expected = fixed && matches!(role, ReaderRole::Reference | ReaderRole::Comparison);
        ReaderCount {
            id: id.clone(),
            role,
            reads: read + usize::try_from(ignored).unwrap_or(usize::MAX),
            missing: expected.then(|| cohort.drawn.len() - read),
        }
    };
    let mut readers: Vec<_> = ids.into_iter().map(count).collect();
    readers.retain(|reader| fixed || roster.declared().is_some() || reader.reads > 0);
    readers
}

/// Records the readers' files in the ledger, unless they are the ones that are recorded already.
///
/// # Errors
/// When the ledger cannot be written.
pub fn lock(study: &Study, inputs: &Inputs, outside: &Outside<'_>) -> Result<()> {
    let digests: BTreeMap<String, Digest> = inputs
        .files
        .iter()
        .filter(|(path, _)| study::is_reference_file(&study.protocol, path))
        .map(|(path, bytes)| (format!("inputs/{path}"), bytes.digest()))
        .collect();
    if study.ledger()?.last(Event::ReferenceStandardLocked).is_some_and(|e| e.digests == digests) {
        return Ok(());
    }
    study.record(Event::ReferenceStandardLocked, outside, digests, None)
}
