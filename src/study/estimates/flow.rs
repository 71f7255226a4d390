//! From considered to analysed (STARD 2015, item 19): nobody is dropped silently.

use super::cases::{Analysed, StudyCase, count, patients};
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::Protocol;
use crate::reads::consensus::{Basis, Consensus};
use crate::reads::files::Read;
use crate::study::results::{
    ConsensusSummary, Flow, LabelComparison, LabelDifference, ReadsPerCase, ReasonCount, RepeatedReads,
};
use crate::study::{Cohort, ReferenceStandard, yes_or_no};

pub(super) fn one_class(flow: &Flow) -> Diagnostic {
    let which = if flow.positives == 0 { "negative" } else { "positive" };
    let message = if flow.analysed == 0 {
        "no case has both a reference standard and a score".to_owned()
    } else {
        format!("all {} analysed cases are {which} by the reference standard", flow.analysed)
    };
    Diagnostic::error(Code::OneClass, message).hint(
        "discrimination needs both classes: check the readers' files and the meaning of their reads \
               in [reads]",
    )
}

pub(super) fn flow(protocol: &Protocol, cohort: &Cohort, drawn: &[StudyCase], analysed: &[Analysed]) -> Flow {
    let (considered, failed) = (&cohort.cases, &cohort.failed);
    let excluded: Vec<ReasonCount> = protocol
        .eligibility
        .iter()
        .enumerate()
        .map(|(index, criterion)| ReasonCount {
            id: criterion.id.clone(),
            reason: criterion.reason.clone(),
            count: count(failed.iter().filter(|reasons| reasons.first() == Some(&index)).count()),
            count_any: count(failed.iter().filter(|reasons| reasons.contains(&index)).count()),
        })
        .collect();
    let eligible = count(failed.iter().filter(|reasons| reasons.is_empty()).count());
    let without_consensus = count(drawn.iter().filter(|c| c.consensus.positive().is_none()).count());
    let sampled = count(drawn.len());
    let positives = count(analysed.iter().filter(|a| a.positive).count());
    Flow {
        considered: count(considered.len()),
        considered_patients: patients(considered.iter()),
        excluded,
        eligible,
        not_sampled: eligible - sampled,
        sampled,
        sampled_patients: patients(drawn.iter().map(|c| c.case)),
        without_consensus,
        without_score: sampled - without_consensus - count(analysed.len()),
        analysed: count(analysed.len()),
        analysed_patients: patients(analysed.iter().map(|a| a.case)),
        positives,
        negatives: count(analysed.len()) - positives,
    }
}

pub(super) fn consensus_summary(
    protocol: &Protocol,
    cohort: &Cohort,
    drawn: &[StudyCase],
    reference: &ReferenceStandard,
) -> ConsensusSummary {
    let mut summary = ConsensusSummary::default();
    for case in drawn {
        match case.consensus {
            Consensus::Reached { positive, basis } => {
                *match basis {
                    Basis::Unanimous => &mut summary.unanimous,
                    Basis::Majority => &mut summary.majority,
                    Basis::Incomplete => &mut summary.incomplete,
                    Basis::Tie => &mut summary.tie,
                    Basis::Adjudicated => &mut summary.adjudicated,
                    Basis::Given => &mut summary.given,
                } += 1;
                *(if positive { &mut summary.positive } else { &mut summary.negative }) += 1;
            }
            Consensus::None(_) => {
                summary.none += 1;
                summary.cases_without.push(case.case.case_id.to_string());
            }
        }
    }
    summary.cases_without.sort();
    if !protocol.reference_standard.fixed_readers {
        let numbers = reference.reads_per_case(cohort);
        summary.reads_per_case =
            numbers.into_iter().map(|(reads, cases)| ReadsPerCase { reads, cases }).collect();
    }
    summary.repeated = reference
        .repeated(cohort)
        .map(|repeated| RepeatedReads {
            case_id: repeated.case_id.clone(),
            reader_id: repeated.reader_id.clone(),
            reads: count(repeated.reads),
            counts_as: repeated.counts_as.map(|read| read.name().to_owned()),
        })
        .collect();
    summary.compared = compared(protocol, cohort, reference);
    summary
}

/// The computed answers beside the labels that came with the reads.
fn compared(protocol: &Protocol, cohort: &Cohort, reference: &ReferenceStandard) -> Option<LabelComparison> {
    let source = &protocol.reference_standard.compare_with.as_ref()?.source;
    let came = reference.came.as_ref()?;
    let word = |positive| if positive { Read::Positive } else { Read::Negative }.name().to_owned();
    let pairs = || reference.consensus.iter().zip(came);
    let labelled = |(_, label): &(&Consensus, &Option<Read>)| yes_or_no(**label).is_some();
    Some(LabelComparison {
        source: source.clone(),
        compared: count(pairs().filter(labelled).filter(|(c, _)| c.positive().is_some()).count()),
        without_consensus: count(pairs().filter(labelled).filter(|(c, _)| c.positive().is_none()).count()),
        without_label: count(pairs().filter(|pair| !labelled(pair)).count()),
        differences: reference
            .differences(cohort)
            .into_iter()
            .map(|difference| LabelDifference {
                case_id: difference.case.case_id.to_string(),
                computed: word(difference.computed),
                level: difference.basis.name().to_owned(),
                label: word(difference.label),
            })
            .collect(),
    })
}
