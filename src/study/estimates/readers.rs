//! The readers: what each read, their agreement, and the device beside each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::cases::{StudyCase, count, dense};
use super::plan::StudyPlan;
use crate::protocol::{Protocol, ReaderRole, ReferenceRule};
use crate::reads::files::Read;
use crate::statistics::agreement::estimates::{self as agreement, Clusters};
use crate::statistics::estimate::{Estimate, IntervalMethod};
use crate::study::results::ReaderSummary;
use crate::study::{ReferenceStandard, yes_or_no};

pub(super) fn readers(
    protocol: &Protocol,
    drawn: &[StudyCase],
    reference: &ReferenceStandard,
) -> Vec<ReaderSummary> {
    let (roster, assembled) = (&reference.roster, &reference.assembled);
    let written = |time: &NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S").to_string();
    let times = |id: &str| assembled.times.get(id).map(|(first, last)| (written(first), written(last)));
    let declared = roster.declared().into_iter().flat_map(BTreeMap::keys);
    let ids: BTreeSet<&str> = assembled.readers.iter().chain(declared).map(String::as_str).collect();
    let mut summaries: BTreeMap<&str, ReaderSummary> = ids
        .into_iter()
        .map(|id| {
            let declared = roster.reader(id);
            let summary = ReaderSummary {
                id: id.to_owned(),
                role: declared.map(|reader| reader.role),
                qualification: declared.and_then(|reader| reader.qualification.clone()),
                specialty: declared.and_then(|reader| reader.specialty.clone()),
                years: declared.and_then(|reader| reader.years),
                labelled_training_data: declared.is_some_and(|reader| reader.labelled_training_data),
                first_read: times(id).map(|(first, _)| first),
                last_read: times(id).map(|(_, last)| last),
                // An ignored reader's rows are counted as they stand, and not looked at.
                reads: assembled.ignored.get(id).copied().unwrap_or_default(),
                ..ReaderSummary::default()
            };
            (id, summary)
        })
        .collect();
    for case in drawn {
        let Some(reads) = assembled.cases.get(&case.case.case_id) else { continue };
        for (reader, read) in reads.reads.iter() {
            if let Some(summary) = summaries.get_mut(reader) {
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
    let rule = &protocol.reference_standard;
    if rule.fixed_readers && rule.rule.is_vote() {
        for summary in &mut summaries {
            if matches!(summary.role, None | Some(ReaderRole::Reference | ReaderRole::Comparison)) {
                summary.missing = Some(count(drawn.len()) - summary.reads - summary.set_aside);
            }
        }
    } else {
        summaries.retain(|summary| summary.role.is_some() || summary.reads + summary.set_aside > 0);
    }
    summaries
}

/// Most readers that are shown one by one beside the device.
pub(super) const MOST_READERS_BESIDE: usize = 6;

/// Agreement of the reference readers, the device beside each of a few, and the agreement of every reader who
/// has no part in the reference standard with it. Adjudicators are in neither: what they read is chosen by
/// what the others said.
pub(super) fn reader_estimates(
    plan: &StudyPlan,
    drawn: &[StudyCase],
    reference: &ReferenceStandard,
) -> Vec<Estimate> {
    let analysis = &plan.protocol.analysis;
    let voters = reference.assembled.readers_of(&reference.roster, ReaderRole::Reference);
    let patients = dense(drawn.iter().map(|case| case.patient));
    let clusters = Clusters { patients: &patients, replicates: analysis.replicates, seed: analysis.seed };
    let calls: Vec<Option<bool>> =
        drawn.iter().map(|c| c.score.map(|score| score >= plan.threshold)).collect();
    let exact = plan.plan(vec![IntervalMethod::ClopperPearson]);
    let mut out = Vec::new();
    let table = read_matrix(drawn, reference, &voters);
    if voters.len() > 1 {
        out.extend(agreement::estimates(&table, 2, &voters, analysis.level, Some(&clusters)));
    }
    // A reader who votes is judged by the others: the reference standard holds the reader's own vote.
    let is_vote = plan.protocol.reference_standard.rule.is_vote();
    if is_vote && (2..=MOST_READERS_BESIDE).contains(&voters.len()) {
        out.extend(agreement::device_beside_readers(&voters, &table, &calls, &exact));
    }
    let apart = apart(&plan.protocol.reference_standard, reference);
    let table = read_matrix(drawn, reference, &apart);
    let truth: Vec<Option<bool>> = drawn.iter().map(|case| case.consensus.positive()).collect();
    out.extend(agreement::with_reference(&apart, &table, &truth, analysis.level, Some(&clusters)));
    out
}

/// Readers who have no part in the reference standard: those with the role, and every reader where no votes
/// are counted. Adjudicators are never among them.
pub(super) fn apart(rule: &ReferenceRule, reference: &ReferenceStandard) -> Vec<String> {
    let of = |role| reference.assembled.readers_of(&reference.roster, role);
    let comparison = of(ReaderRole::Comparison);
    if rule.rule.is_vote() { comparison } else { [of(ReaderRole::Reference), comparison].concat() }
}

/// Drawn cases by readers; a read that does not say yes or no is `None`.
pub(super) fn read_matrix(
    drawn: &[StudyCase],
    reference: &ReferenceStandard,
    readers: &[String],
) -> Vec<Vec<Option<bool>>> {
    drawn
        .iter()
        .map(|case| {
            let reads = reference.assembled.cases.get(&case.case.case_id);
            let read = |reader| reads.and_then(|r| r.reads.get(reader)).copied();
            readers.iter().map(|reader| yes_or_no(read(reader))).collect()
        })
        .collect()
}
