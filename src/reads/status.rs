//! How far the reading is, and what a coordinator should look at before it is over: who is missing, where
//! readers disagree, whose reads look copied or drift. Pure, and without any score.

mod copies;
mod drift;
mod sheet;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::ReaderRole;
use crate::reads::consensus::{Consensus, Undecided, Voting};
use crate::reads::export::NoReadReason;
use crate::reads::files::Read;
use crate::statistics::agreement;
use copies::copies;
use drift::drift;

pub use sheet::csv;
pub use told::*;

/// The status of the reads.
pub fn status(seen: &Seen<'_>) -> Status {
    let drawn: BTreeSet<&str> = seen.cases.iter().copied().collect();
    let (to_adjudicate, open) = undecided(seen);
    let table = table(seen, ReaderRole::Reference);
    Status {
        format: "sequester-reads-status/1",
        cases: seen.cases.len(),
        readers: ids(seen).into_iter().map(|id| reader(seen, &drawn, &to_adjudicate, id)).collect(),
        rounds: seen.rounds.iter().map(round).collect(),
        disagreements: disagreements(seen),
        pairs: pairs(&table),
        overall: Overall {
            alpha: agreement::krippendorff(&table.rows).map(|found| found.value),
            ac1: agreement::gwet_ac1(&table.rows, 2).map(|found| found.value),
        },
        copies: copies(seen),
        comments: comments(seen, &drawn),
        to_adjudicate,
        open,
    }
}

/// What readers wrote on drawn cases, by case and reader; of the ignored nothing is looked at.
fn comments(seen: &Seen<'_>, drawn: &BTreeSet<&str>) -> Vec<Commented> {
    let of = |id: &str| seen.roster.role(id) != Some(ReaderRole::Ignored);
    let answered = seen.rows.iter().filter_map(|row| {
        let comment = row.remark.comment()?;
        Some((row.case_id.as_str(), row.reader_id.as_str(), row.read.name(), comment))
    });
    let open = seen.no_reads.iter().filter_map(|none| {
        Some((none.case_id.as_deref()?, none.reader_id.as_deref()?, "no answer", none.comment.as_deref()?))
    });
    let mut found: Vec<Commented> = answered
        .chain(open)
        .filter(|(case, reader, ..)| drawn.contains(case) && of(reader))
        .map(|(case, reader, answer, comment)| Commented {
            case_id: case.to_owned(),
            reader: reader.to_owned(),
            answer,
            comment: comment.to_owned(),
        })
        .collect();
    found.sort_by(|a, b| (&a.case_id, &a.reader).cmp(&(&b.case_id, &b.reader)));
    found
}

/// Everybody who is declared, has a part in a round or read.
fn ids<'a>(seen: &'a Seen<'_>) -> BTreeSet<&'a str> {
    let declared = seen.roster.declared().into_iter().flat_map(BTreeMap::keys);
    let assigned = seen.rounds.iter().flat_map(|round| &round.readers);
    let read = seen.assembled.readers.iter().chain(seen.assembled.ignored.keys());
    declared.chain(assigned).chain(read).map(String::as_str).collect()
}

fn round(round: &Assigned) -> RoundStatus {
    let came = |id: &&String| round.returned.contains(*id);
    RoundStatus {
        name: round.name.clone(),
        kind: round.kind,
        cases: round.cases.len(),
        returned: round.readers.iter().filter(came).cloned().collect(),
        waiting: round.readers.iter().filter(|id| !came(id)).cloned().collect(),
    }
}

/// The cases that a reader is to read.
fn expected<'a>(
    seen: &'a Seen<'_>,
    to_adjudicate: &'a [String],
    id: &str,
    role: ReaderRole,
) -> Option<BTreeSet<&'a str>> {
    let assigned = seen.rounds.iter().filter(|round| round.readers.iter().any(|reader| reader == id));
    let assigned: BTreeSet<&str> = assigned.flat_map(|round| &round.cases).map(String::as_str).collect();
    match role {
        _ if !assigned.is_empty() => Some(assigned),
        ReaderRole::Adjudicator => Some(to_adjudicate.iter().map(String::as_str).collect()),
        ReaderRole::Reference | ReaderRole::Comparison if seen.fixed => {
            Some(seen.cases.iter().copied().collect())
        }
        _ => None,
    }
}

fn reader(seen: &Seen<'_>, drawn: &BTreeSet<&str>, to_adjudicate: &[String], id: &str) -> ReaderStatus {
    let role = seen.roster.role(id).unwrap_or(ReaderRole::Reference);
    let mut counts: BTreeMap<Read, usize> = BTreeMap::new();
    let mut read: BTreeSet<&str> = BTreeSet::new();
    let mut set_aside = 0;
    for (case, reads) in seen.assembled.cases.iter().filter(|(case, _)| drawn.contains(case.as_str())) {
        if let Some(said) = reads.reads.get(id) {
            *counts.entry(*said).or_default() += 1;
            read.insert(case);
        } else if reads.set_aside.contains(id) {
            set_aside += 1;
            read.insert(case);
        }
    }
    if role == ReaderRole::Ignored {
        // Their reads are counted as they stand.
        for row in seen.rows.iter().filter(|row| row.reader_id == id && drawn.contains(&*row.case_id)) {
            *counts.entry(row.read).or_default() += 1;
            read.insert(&row.case_id);
        }
    }
    let no_reads = seen.no_reads.iter().filter(|none| none.reader_id.as_deref() == Some(id));
    let not_completed = no_reads.filter(|none| none.reason == NoReadReason::NotCompleted);
    let not_completed: BTreeSet<&str> = not_completed
        .filter_map(|none| none.case_id.as_deref())
        .filter(|case| drawn.contains(case) && !read.contains(case))
        .collect();
    let expected = expected(seen, to_adjudicate, id, role);
    let missing = expected.as_ref().map(|expected| {
        expected
            .iter()
            .filter(|case| !read.contains(*case))
            .map(|case| (*case).to_owned())
            .collect::<Vec<_>>()
    });
    let last_read = seen.rows.iter().filter(|row| row.reader_id == id).filter_map(|row| row.time).max();
    let days_since = last_read.map(|last| (seen.now - last).num_days().max(0));
    let lacks = missing.as_ref().is_some_and(|missing| !missing.is_empty());
    let count = |said| counts.get(&said).copied().unwrap_or_default();
    ReaderStatus {
        id: id.to_owned(),
        role: role.name(),
        expected: expected.map(|expected| expected.len()),
        read: read.len(),
        positive: count(Read::Positive),
        negative: count(Read::Negative),
        indeterminate: count(Read::Indeterminate),
        uninterpretable: count(Read::Uninterpretable),
        set_aside,
        not_completed: not_completed.len(),
        missing,
        last_read,
        days_since,
        late: lacks && (read.is_empty() || days_since.is_some_and(|days| days > seen.late_after)),
        drift: drift(seen, drawn, id),
    }
}

/// Cases that wait for an adjudicator with nothing missing before, and the others without an answer.
fn undecided(seen: &Seen<'_>) -> (Vec<String>, BTreeMap<&'static str, Vec<String>>) {
    let (mut ready, mut open): (Vec<String>, BTreeMap<_, Vec<String>>) = Default::default();
    for (case, consensus) in seen.cases.iter().zip(seen.consensus) {
        let Consensus::None(why) = consensus else { continue };
        let reads = seen.assembled.of_role(case, seen.roster, ReaderRole::Reference).len();
        if *why == Undecided::AwaitsAdjudication && is_ready(reads, seen.voting) {
            ready.push((*case).to_owned());
            continue;
        }
        let reason = if *why == Undecided::AwaitsAdjudication { Undecided::TooFewReads } else { *why };
        open.entry(reason.name()).or_default().push((*case).to_owned());
    }
    (ready, open)
}

/// Whether a case with so many reads of reference readers can go to adjudication: none of them is missing.
pub fn is_ready(reads: usize, voting: &Voting) -> bool {
    voting.panel || reads >= voting.readers.unwrap_or(voting.minimum_reads).max(1)
}

fn disagreements(seen: &Seen<'_>) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for case in seen.cases {
        let Some(reads) = seen.assembled.cases.get(*case) else { continue };
        let of = |wanted: &[Read]| -> Vec<String> {
            let own = |id: &str| seen.roster.role(id) == Some(ReaderRole::Reference);
            let reads = reads.reads.iter().filter(|(id, read)| own(id) && wanted.contains(read));
            reads.map(|(id, _)| id.to_owned()).collect()
        };
        let (positive, negative) = (of(&[Read::Positive]), of(&[Read::Negative]));
        if !positive.is_empty() && !negative.is_empty() {
            let undecided = of(&[Read::Indeterminate, Read::Uninterpretable]);
            found.push(Disagreement { case_id: (*case).to_owned(), positive, negative, undecided });
        }
    }
    found
}

/// Answers with yes or no, one row a drawn case and one entry a reader.
struct Answers {
    readers: Vec<String>,
    rows: Vec<Vec<Option<bool>>>,
}

fn table(seen: &Seen<'_>, role: ReaderRole) -> Answers {
    let readers = seen.assembled.readers_of(seen.roster, role);
    let answer = |case: &str, id: &String| match seen.assembled.cases.get(case)?.reads.get(id)? {
        Read::Positive => Some(true),
        Read::Negative => Some(false),
        Read::Indeterminate | Read::Uninterpretable => None,
    };
    let row = |case: &&str| readers.iter().map(|id| answer(case, id)).collect();
    Answers { rows: seen.cases.iter().map(row).collect(), readers }
}

fn pairs(table: &Answers) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (a, first) in table.readers.iter().enumerate() {
        for (b, second) in table.readers.iter().enumerate().skip(a + 1) {
            let found = agreement::cohen(&table.rows, a, b);
            pairs.push(Pair {
                readers: [first.clone(), second.clone()],
                cases: found.cases,
                agreed: found.agreed,
                kappa: found.kappa.map(|kappa| kappa.value),
            });
        }
    }
    pairs
}
