//! From considered to analysed (STARD 2015, item 19): nobody is dropped silently.

use super::cases::{Analysed, StudyCase, count, patients};
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::Protocol;
use crate::reads::consensus::{Basis, Consensus};
use crate::study::results::{ConsensusSummary, Flow, ReasonCount};

pub(super) fn one_class(flow: &Flow) -> Diagnostic {
    let which = if flow.positives == 0 { "negative" } else { "positive" };
    let message = if flow.analysed == 0 {
        "no case has both a consensus and a score".to_owned()
    } else {
        format!("all {} analysed cases are {which} by the reference standard", flow.analysed)
    };
    Diagnostic::error(Code::OneClass, message).hint(
        "discrimination needs both classes: check the readers' files and the meaning of their reads \
               in [reads]",
    )
}

pub(super) fn flow(
    protocol: &Protocol,
    considered: &[Case],
    failed: &[Vec<usize>],
    drawn: &[StudyCase],
    analysed: &[Analysed],
) -> Flow {
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

pub(super) fn consensus_summary(drawn: &[StudyCase]) -> ConsensusSummary {
    let mut summary = ConsensusSummary::default();
    for case in drawn {
        match case.consensus {
            Consensus::Reached { positive, basis } => {
                *match basis {
                    Basis::Unanimous => &mut summary.unanimous,
                    Basis::Majority => &mut summary.majority,
                    Basis::Incomplete => &mut summary.incomplete,
                } += 1;
                *(if positive { &mut summary.positive } else { &mut summary.negative }) += 1;
            }
            Consensus::None => {
                summary.none += 1;
                summary.cases_without.push(case.case.case_id.clone());
            }
        }
    }
    summary.cases_without.sort();
    summary
}
