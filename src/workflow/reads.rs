//! The readers' files: who read how much, and their digests in the ledger.

use std::collections::BTreeMap;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::study::{self, Cohort, Inputs, ReferenceStandard};

/// Who read how many cases of the cohort, and how many are missing where the readers are fixed.
pub fn per_reader(
    study: &Study,
    cohort: &Cohort,
    reference: &ReferenceStandard,
) -> Vec<(String, usize, Option<usize>)> {
    let fixed = study.protocol.reference_standard.fixed_readers;
    let mut readers: Vec<_> = reference
        .assembled
        .readers
        .iter()
        .map(|reader| {
            let reads = cohort
                .drawn_cases()
                .filter_map(|case| reference.assembled.cases.get(&case.case_id))
                .filter(|reads| reads.reads.contains_key(reader) || reads.set_aside.contains(reader))
                .count();
            (reader.clone(), reads, fixed.then(|| cohort.drawn.len() - reads))
        })
        .collect();
    readers.retain(|(_, reads, _)| fixed || *reads > 0);
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
        .filter(|(path, _)| study.protocol.reads.files.iter().any(|p| study::matches(p, path.as_str())))
        .map(|(path, bytes)| (format!("inputs/{path}"), Digest::of(bytes)))
        .collect();
    if study.ledger()?.last(Event::ReferenceStandardLocked).is_some_and(|e| e.digests == digests) {
        return Ok(());
    }
    study.record(Event::ReferenceStandardLocked, outside, digests, None)
}
