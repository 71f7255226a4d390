//! The derived tables of a bundle, as CSV with a fixed column order.

use std::io::Write;

use super::{Cohort, ReferenceStandard};
use crate::digest::{Bytes, Packing};
use crate::inference::scores::Scores;
use crate::protocol::{Protocol, ReaderRole};
use crate::reads::consensus::Consensus;
use crate::reads::files::Read;
use crate::sampling::Stratum;

fn csv_of(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    written(Vec::new(), rows)
}

fn written<W: Write + Default>(into: W, rows: impl IntoIterator<Item = Vec<String>>) -> W {
    let mut out = csv::WriterBuilder::new().from_writer(into);
    for row in rows {
        out.write_record(&row).unwrap_or_else(|_| unreachable!("rows of one length into memory"));
    }
    out.into_inner().unwrap_or_default()
}

fn owned<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Every case considered: what was decided, and every reason.
pub fn cases(protocol: &Protocol, cohort: &Cohort, reference: &ReferenceStandard, scores: &Scores) -> Bytes {
    let mut status = vec!["not-sampled"; cohort.cases.len()];
    for (index, consensus) in cohort.drawn.iter().zip(&reference.consensus) {
        let score = scores.get(&cohort.cases[*index].case_id).and_then(|s| s.score);
        status[*index] = match (consensus, score) {
            (Consensus::None(_), _) => "no-consensus",
            (_, None) => "no-score",
            _ => "analysed",
        };
    }
    let weighted = protocol.sample.method.is_weighted();
    let all = cohort.cases.iter().zip(&cohort.failed).zip(status).enumerate();
    let rows = all.map(|(place, ((case, failed), status))| {
        let id = |index: &usize| protocol.eligibility[*index].id.as_str();
        let status = if failed.is_empty() { status } else { "excluded" };
        let reasons: Vec<_> = failed.iter().map(id).collect();
        let mut row = owned([
            &case.case_id,
            &case.patient_id,
            status,
            reasons.first().copied().unwrap_or_default(),
            &reasons.join(";"),
        ]);
        if weighted {
            row.extend(stratum_and_weight(cohort, place));
        }
        row
    });
    let mut header = owned(["case_id", "patient_id", "status", "excluded_by", "all_reasons"]);
    if weighted {
        header.extend(owned(["stratum", "weight"]));
    }
    written(Packing::default(), std::iter::once(header).chain(rows)).bytes()
}

/// The stratum of a case that could be drawn, and the weight of one that was.
fn stratum_and_weight(cohort: &Cohort, place: usize) -> [String; 2] {
    let stratum = cohort.draw.stratum_of.get(&place).and_then(|number| cohort.draw.strata.get(*number));
    let drawn = cohort.drawn.binary_search(&place).is_ok();
    let weight = stratum.filter(|_| drawn).and_then(Stratum::weight);
    [
        stratum.map(|stratum| stratum.name.clone()).unwrap_or_default(),
        weight.map(|weight| weight.to_string()).unwrap_or_default(),
    ]
}

/// The drawn cases: what the study's test set is, and where cases have a weight what each stands for.
pub fn cohort(cohort: &Cohort) -> Vec<u8> {
    let weighted = !cohort.draw.stratum_of.is_empty();
    let rows = cohort.drawn.iter().map(|place| {
        let case = &cohort.cases[*place];
        let mut row = owned([&case.case_id, &case.patient_id]);
        if weighted {
            row.extend(stratum_and_weight(cohort, *place));
        }
        row
    });
    let mut header = owned(["case_id", "patient_id"]);
    if weighted {
        header.extend(owned(["stratum", "weight"]));
    }
    csv_of(std::iter::once(header).chain(rows))
}

/// One row a drawn case: votes and consensus. What only some rules know stands in columns that only they
/// give: uninterpretable reads, and what an adjudicator said.
pub fn reference(protocol: &Protocol, cohort: &Cohort, reference: &ReferenceStandard) -> Vec<u8> {
    let uninterpretable = protocol.reference_standard.has_reads && {
        let mut reads = reference.assembled.cases.values().flat_map(|case| case.reads.values());
        reads.any(|read| *read == Read::Uninterpretable)
    };
    let adjudicated = protocol.reference_standard.has_adjudication();
    let rows = cohort.drawn_cases().zip(&reference.consensus).zip(&reference.adjudications).map(
        |((case, consensus), adjudication)| {
            let of = Reads::of(&case.case_id, reference);
            let (answer, basis) = match consensus {
                Consensus::Reached { basis, .. } => (answer(*consensus), basis.name()),
                Consensus::None(_) => ("none", "none"),
            };
            let mut row = vec![
                case.case_id.to_string(),
                of.count(Read::Positive),
                of.count(Read::Negative),
                of.count(Read::Indeterminate),
            ];
            if uninterpretable {
                row.push(of.count(Read::Uninterpretable));
            }
            row.push(of.set_aside.to_string());
            if adjudicated {
                row.push(adjudication.map_or("", Read::name).to_owned());
            }
            row.extend([answer.to_owned(), basis.to_owned()]);
            row
        },
    );
    let mut header = vec!["case_id", "positive_reads", "negative_reads", "indeterminate_reads"];
    header.extend(uninterpretable.then_some("uninterpretable_reads"));
    header.push("set_aside");
    header.extend(adjudicated.then_some("adjudication"));
    header.extend(["consensus", "basis"]);
    csv_of(std::iter::once(header.into_iter().map(str::to_owned).collect()).chain(rows))
}

fn answer(consensus: Consensus) -> &'static str {
    match consensus.positive() {
        Some(true) => "positive",
        Some(false) => "negative",
        None => "none",
    }
}

/// The reads of the reference readers on one case.
struct Reads {
    reads: Vec<Read>,
    set_aside: usize,
}

impl Reads {
    fn of(case_id: &str, reference: &ReferenceStandard) -> Self {
        let role = |id: &&String| reference.roster.role(id) == Some(ReaderRole::Reference);
        let case = reference.assembled.cases.get(case_id);
        Self {
            reads: reference.assembled.of_role(case_id, &reference.roster, ReaderRole::Reference),
            set_aside: case.map_or(0, |case| case.set_aside.iter().filter(role).count()),
        }
    }

    fn count(&self, wanted: Read) -> String {
        self.reads.iter().filter(|read| **read == wanted).count().to_string()
    }
}

/// How the header of [`reference_for_people`] begins, whatever else some studies have.
pub const FOR_PEOPLE: &[u8] = b"case_id,reference,level,reason_for_none,";

/// The reference standard before any score exists: one row a drawn case, with who said what. How sure readers
/// were and what they wrote stand in columns that are there where anybody said it.
pub fn reference_for_people(cohort: &Cohort, reference: &ReferenceStandard) -> Vec<u8> {
    let header = [
        "case_id",
        "reference",
        "level",
        "reason_for_none",
        "positive_reads",
        "negative_reads",
        "indeterminate_reads",
        "uninterpretable_reads",
        "set_aside",
        "adjudication",
        "label_that_came",
        "readers",
    ];
    let came = reference.came.clone().unwrap_or_else(|| vec![None; cohort.drawn.len()]);
    let said = |of: Said| cohort.drawn_cases().any(|case| !remarks(&case.case_id, reference, of).is_empty());
    let beside: Vec<(&str, Said)> = [("confidence", Said::HowSure), ("comments", Said::Comment)]
        .into_iter()
        .filter(|(_, of)| said(*of))
        .collect();
    let rows =
        cohort.drawn_cases().zip(&reference.consensus).zip(reference.adjudications.iter().zip(came)).map(
            |((case, consensus), (adjudication, came))| {
                let of = Reads::of(&case.case_id, reference);
                let (level, reason) = match consensus {
                    Consensus::Reached { basis, .. } => (basis.name(), ""),
                    Consensus::None(why) => ("none", why.name()),
                };
                let mut row = owned([
                    &case.case_id,
                    answer(*consensus),
                    level,
                    reason,
                    &of.count(Read::Positive),
                    &of.count(Read::Negative),
                    &of.count(Read::Indeterminate),
                    &of.count(Read::Uninterpretable),
                    &of.set_aside.to_string(),
                    adjudication.map_or("", Read::name),
                    came.map_or("", Read::name),
                    &who_said_what(&case.case_id, reference),
                ]);
                row.extend(beside.iter().map(|(_, of)| remarks(&case.case_id, reference, *of)));
                row
            },
        );
    let header = header.into_iter().chain(beside.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    csv_of(std::iter::once(header).chain(rows))
}

/// What a reader says beside an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    HowSure,
    Comment,
}

/// What the readers of a case said beside their answers: `R1=4; R2=3`, `R1: an effusion | R2: rotated`. Of
/// several reads of one reader each, but the same words once. A line of its own in a comment becomes a blank.
fn remarks(case_id: &str, reference: &ReferenceStandard, of: Said) -> String {
    let Some(case) = reference.assembled.cases.get(case_id) else { return String::new() };
    let told = case.remarks.iter().filter_map(|(reader, remarks)| {
        let said = remarks.iter().filter_map(|remark| match of {
            Said::HowSure => remark.confidence(),
            Said::Comment => remark.comment(),
        });
        let mut said: Vec<String> = said.map(in_one_line).collect();
        if of == Said::Comment {
            said.dedup();
        }
        let sign = if of == Said::HowSure { "=" } else { ": " };
        (!said.is_empty()).then(|| format!("{reader}{sign}{}", said.join(" / ")))
    });
    told.collect::<Vec<_>>().join(if of == Said::HowSure { "; " } else { " | " })
}

fn in_one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every reader of a case with the answer: `R1=positive; R2=negative; R3=set aside`. A role other than that
/// of a reference reader is named.
fn who_said_what(case_id: &str, reference: &ReferenceStandard) -> String {
    let Some(case) = reference.assembled.cases.get(case_id) else { return String::new() };
    let aside = case.set_aside.iter().map(|reader| (reader.as_str(), "set aside"));
    let mut said: Vec<_> =
        case.reads.iter().map(|(reader, read)| (reader, read.name())).chain(aside).collect();
    said.sort_unstable();
    let told: Vec<String> = said
        .into_iter()
        .map(|(reader, read)| match reference.roster.role(reader) {
            Some(role) if role != ReaderRole::Reference => format!("{reader}={read} ({})", role.name()),
            _ => format!("{reader}={read}"),
        })
        .collect();
    told.join("; ")
}

/// Cases on which the computed answer and the label that came with the reads differ.
pub fn differences(cohort: &Cohort, reference: &ReferenceStandard) -> Vec<u8> {
    let word = |positive| if positive { "positive" } else { "negative" };
    let rows = reference.differences(cohort).into_iter().map(|difference| {
        owned([
            &difference.case.case_id,
            word(difference.computed),
            difference.basis.name(),
            word(difference.label),
        ])
    });
    csv_of(std::iter::once(owned(["case_id", "consensus", "basis", "label_that_came"])).chain(rows))
}

/// Tuning cases: what fixed the operating point.
pub fn tuning(rows: &[(String, String, bool, f64)]) -> Vec<u8> {
    let header = owned(["case_id", "patient_id", "label", "score"]);
    let rows = rows.iter().map(|(case, patient, label, score)| {
        owned([case, patient, if *label { "1" } else { "0" }, &score.to_string()])
    });
    csv_of(std::iter::once(header).chain(rows))
}
