//! The readers: what each read, their agreement, and the device beside each.

use std::collections::BTreeMap;

use super::cases::{StudyCase, count, dense};
use super::plan::StudyPlan;
use crate::protocol::Protocol;
use crate::reads::consensus::Assembled;
use crate::reads::files::Read;
use crate::statistics::agreement::estimates::{self as agreement, Clusters};
use crate::statistics::estimate::{Estimate, IntervalMethod};
use crate::study::results::ReaderSummary;

pub(super) fn readers(protocol: &Protocol, drawn: &[StudyCase], assembled: &Assembled) -> Vec<ReaderSummary> {
    let mut summaries: BTreeMap<&str, ReaderSummary> = assembled
        .readers
        .iter()
        .map(|id| {
            let summary = ReaderSummary {
                id: id.clone(),
                reads: 0,
                positive: 0,
                negative: 0,
                indeterminate: 0,
                uninterpretable: 0,
                set_aside: 0,
                missing: None,
            };
            (id.as_str(), summary)
        })
        .collect();
    for case in drawn {
        let Some(reads) = assembled.cases.get(&case.case.case_id) else { continue };
        for (reader, read) in &reads.reads {
            if let Some(summary) = summaries.get_mut(reader.as_str()) {
                summary.reads += 1;
                *match read {
                    Read::Positive => &mut summary.positive,
                    Read::Negative => &mut summary.negative,
                    Read::Indeterminate => &mut summary.indeterminate,
                    Read::Uninterpretable => &mut summary.uninterpretable,
                } += 1;
            }
        }
        for reader in &reads.set_aside {
            if let Some(summary) = summaries.get_mut(reader.as_str()) {
                summary.set_aside += 1;
            }
        }
    }
    let mut summaries: Vec<_> = summaries.into_values().collect();
    if protocol.reference_standard.fixed_readers {
        for summary in &mut summaries {
            summary.missing = Some(count(drawn.len()) - summary.reads - summary.set_aside);
        }
    } else {
        summaries.retain(|summary| summary.reads + summary.set_aside > 0);
    }
    summaries
}

/// Most readers that are shown one by one beside the device.
pub(super) const MOST_READERS_BESIDE: usize = 6;

/// Agreement of the readers, and the device beside each of them.
pub(super) fn reader_estimates(
    plan: &StudyPlan,
    drawn: &[StudyCase],
    assembled: &Assembled,
) -> Vec<Estimate> {
    let (table, readers) = (read_matrix(drawn, assembled), reader_ids(assembled));
    let analysis = &plan.protocol.analysis;
    let patients = dense(drawn.iter().map(|case| case.case.patient_id.as_str()));
    let clusters = Clusters { patients: &patients, replicates: analysis.replicates, seed: analysis.seed };
    let mut out = agreement::estimates(&table, 2, &readers, analysis.level, Some(&clusters));
    if readers.len() <= MOST_READERS_BESIDE {
        let calls: Vec<Option<bool>> =
            drawn.iter().map(|c| c.score.map(|score| score >= plan.threshold)).collect();
        let exact = plan.plan(vec![IntervalMethod::ClopperPearson]);
        out.extend(agreement::device_beside_readers(&readers, &table, &calls, &exact));
    }
    out
}

pub(super) fn reader_ids(assembled: &Assembled) -> Vec<String> {
    assembled.readers.iter().cloned().collect()
}

/// Drawn cases by readers; a read that does not say yes or no is `None`.
pub(super) fn read_matrix(drawn: &[StudyCase], assembled: &Assembled) -> Vec<Vec<Option<bool>>> {
    drawn
        .iter()
        .map(|case| {
            let reads = assembled.cases.get(&case.case.case_id);
            assembled
                .readers
                .iter()
                .map(|reader| match reads.and_then(|r| r.reads.get(reader)) {
                    Some(Read::Positive) => Some(true),
                    Some(Read::Negative) => Some(false),
                    Some(Read::Indeterminate | Read::Uninterpretable) | None => None,
                })
                .collect()
        })
        .collect()
}
