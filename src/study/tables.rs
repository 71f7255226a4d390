//! The derived tables of a bundle, as CSV with a fixed column order.

use super::{Cohort, ReferenceStandard};
use crate::inference::scores::Scores;
use crate::protocol::Protocol;
use crate::reads::consensus::{Basis, Consensus};
use crate::reads::files::Read;

fn csv_of(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        out.write_record(&row).unwrap_or_else(|_| unreachable!("rows of one length into memory"));
    }
    out.into_inner().unwrap_or_default()
}

fn owned<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Every case considered: what was decided, and every reason.
pub fn cases(
    protocol: &Protocol,
    cohort: &Cohort,
    reference: &ReferenceStandard,
    scores: &Scores,
) -> Vec<u8> {
    let mut status = vec!["not-sampled"; cohort.cases.len()];
    for (index, consensus) in cohort.drawn.iter().zip(&reference.consensus) {
        let score = scores.get(&cohort.cases[*index].case_id).and_then(|s| s.score);
        status[*index] = match (consensus, score) {
            (Consensus::None, _) => "no-consensus",
            (_, None) => "no-score",
            _ => "analysed",
        };
    }
    let rows = cohort.cases.iter().zip(&cohort.failed).zip(status).map(|((case, failed), status)| {
        let id = |index: &usize| protocol.eligibility[*index].id.as_str();
        let status = if failed.is_empty() { status } else { "excluded" };
        let reasons: Vec<_> = failed.iter().map(id).collect();
        owned([
            &case.case_id,
            &case.patient_id,
            status,
            reasons.first().copied().unwrap_or_default(),
            &reasons.join(";"),
        ])
    });
    let header = owned(["case_id", "patient_id", "status", "excluded_by", "all_reasons"]);
    csv_of(std::iter::once(header).chain(rows))
}

/// The drawn cases: what the study's test set is.
pub fn cohort(cohort: &Cohort) -> Vec<u8> {
    let rows = cohort.drawn_cases().map(|case| owned([&case.case_id, &case.patient_id]));
    csv_of(std::iter::once(owned(["case_id", "patient_id"])).chain(rows))
}

/// One row a drawn case: votes and consensus.
pub fn reference(cohort: &Cohort, reference: &ReferenceStandard) -> Vec<u8> {
    let rows = cohort.drawn_cases().zip(&reference.consensus).map(|(case, consensus)| {
        let reads = reference.assembled.cases.get(&case.case_id);
        let count = |wanted: Read| {
            reads.map_or(0, |r| r.reads.values().filter(|read| **read == wanted).count()).to_string()
        };
        let (result, basis) = match consensus {
            Consensus::Reached { positive, basis } => (
                if *positive { "positive" } else { "negative" },
                match basis {
                    Basis::Unanimous => "unanimous",
                    Basis::Majority => "majority",
                    Basis::Incomplete => "incomplete",
                },
            ),
            Consensus::None => ("none", "none"),
        };
        owned([
            &case.case_id,
            &count(Read::Positive),
            &count(Read::Negative),
            &count(Read::Indeterminate),
            &reads.map_or(0, |r| r.set_aside.len()).to_string(),
            result,
            basis,
        ])
    });
    let header = owned([
        "case_id",
        "positive_reads",
        "negative_reads",
        "indeterminate_reads",
        "set_aside",
        "consensus",
        "basis",
    ]);
    csv_of(std::iter::once(header).chain(rows))
}

/// Tuning cases: what fixed the operating point.
pub fn tuning(rows: &[(String, String, bool, f64)]) -> Vec<u8> {
    let header = owned(["case_id", "patient_id", "label", "score"]);
    let rows = rows.iter().map(|(case, patient, label, score)| {
        owned([case, patient, if *label { "1" } else { "0" }, &score.to_string()])
    });
    csv_of(std::iter::once(header).chain(rows))
}
