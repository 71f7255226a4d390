//! Three reads make a consensus by the declared rule, or none; both are shown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{IndeterminateRule, ReferenceRule, RepeatedRead};
use crate::reads::files::{Read, ReadRow};
use crate::table::id::{self, Alike};

/// How a consensus came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Three equal votes.
    Unanimous,
    /// Two of three votes.
    Majority,
    /// Enough agreeing votes although a read is missing, indeterminate or set aside.
    Incomplete,
}

/// What the reads of one case give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// Positive or negative.
    Reached {
        /// Whether the finding is present.
        positive: bool,
        /// How.
        basis: Basis,
    },
    /// The rule gives nothing.
    None,
}

impl Consensus {
    /// Present, absent, or nothing.
    pub fn positive(self) -> Option<bool> {
        match self {
            Self::Reached { positive, .. } => Some(positive),
            Self::None => None,
        }
    }
}

/// The consensus of three reads, `None` for a missing one.
pub fn consensus(reads: [Option<Read>; 3], rule: &ReferenceRule) -> Consensus {
    if rule.require_all_readers && reads.iter().any(Option::is_none) {
        return Consensus::None;
    }
    let mut positive = 0;
    let mut negative = 0;
    for read in reads.into_iter().flatten() {
        match (read, rule.indeterminate) {
            (Read::Positive, _) | (Read::Indeterminate, IndeterminateRule::Positive) => positive += 1,
            (Read::Negative, _) | (Read::Indeterminate, IndeterminateRule::Negative) => negative += 1,
            (Read::Indeterminate, IndeterminateRule::NoVote) | (Read::Uninterpretable, _) => {}
        }
    }
    let (winner, votes) = if positive > negative { (true, positive) } else { (false, negative) };
    if positive == negative || votes < rule.minimum_agreeing {
        return Consensus::None;
    }
    let basis = match (positive + negative, votes) {
        (3, 3) => Basis::Unanimous,
        (3, _) => Basis::Majority,
        _ => Basis::Incomplete,
    };
    Consensus::Reached { positive: winner, basis }
}

/// The reads of one case, by reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseReads {
    /// Reads that count.
    pub reads: BTreeMap<String, Read>,
    /// Readers whose reads were set aside because they read the case more than once.
    pub set_aside: BTreeSet<String>,
}

/// The reads of every case, checked against the list of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// By case id; cases without any read are absent.
    pub cases: BTreeMap<String, CaseReads>,
    /// Everybody who read at least one case, sorted.
    pub readers: BTreeSet<String>,
}

/// Brings the reads of all files together.
///
/// # Errors
/// `unknown-case` for reads of a case that is not in the case table, `repeated-read` where the protocol
/// refuses it, each with its line.
pub fn assemble(
    rows: &[ReadRow],
    known: &BTreeSet<&str>,
    rule: &ReferenceRule,
) -> Result<Assembled, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut first: BTreeMap<(&str, &str), &ReadRow> = BTreeMap::new();
    let mut assembled = Assembled::default();
    let mut alike: Option<Alike<'_>> = None;
    for row in rows {
        if !known.contains(row.case_id.as_str()) {
            let likely = alike.get_or_insert_with(|| known.iter().copied().collect()).likely(&row.case_id);
            let meant = likely.map_or_else(String::new, |id| format!("; `{id}` is, and probably meant"));
            problems.push(
                Diagnostic::error(
                    Code::UnknownCase,
                    format!("the case `{}` is not in the case table{meant}", row.case_id),
                )
                .at(Location::line(&row.file, row.line))
                .hint("correct the id in a new file from the reader; the file that came stays as it is"),
            );
            continue;
        }
        assembled.readers.insert(row.reader_id.clone());
        let case = assembled.cases.entry(row.case_id.clone()).or_default();
        if let Some(earlier) = first.insert((&row.case_id, &row.reader_id), row) {
            if rule.repeated_read == RepeatedRead::Refuse {
                let place = Location::line(&earlier.file, earlier.line);
                problems.push(
                    Diagnostic::error(
                        Code::RepeatedRead,
                        format!(
                            "the reader `{}` read the case `{}` already in {place}",
                            row.reader_id, row.case_id
                        ),
                    )
                    .at(Location::line(&row.file, row.line))
                    .hint("find out which read counts, or declare `repeated_read = \"set-aside\"`"),
                );
            }
            case.reads.remove(&row.reader_id);
            case.set_aside.insert(row.reader_id.clone());
        } else if !case.set_aside.contains(&row.reader_id) {
            case.reads.insert(row.reader_id.clone(), row.read);
        }
    }
    problems.extend(colliding(rows.iter().map(|row| (row.reader_id.as_str(), &row.file, row.line))));
    if problems.is_empty() { Ok(assembled) } else { Err(problems) }
}

/// Readers whose ids differ in form alone: two votes of one person, or one id of two.
///
/// `reads` are readers with the file and line of each read.
pub fn colliding<'a>(reads: impl Iterator<Item = (&'a str, &'a PathBuf, u64)>) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, (&PathBuf, u64)> = BTreeMap::new();
    for (reader, file, line) in reads {
        first.entry(reader).or_insert((file, line));
    }
    let alike: Alike<'_> = first.keys().copied().collect();
    alike
        .groups()
        .map(|ids| {
            let places = ids.iter().filter_map(|id| first.get(id)).skip(1);
            let place = places.map(|(file, line)| Location::line(file, *line)).next().unwrap_or_default();
            let message = format!(
                "the readers {} are probably one: {}",
                id::named(ids.iter().copied()),
                id::DIFFERENCE
            );
            Diagnostic::error(Code::ReadersAlike, message)
                .at(place)
                .hint("write one id for one reader, and ids that differ in more than their form for two")
        })
        .collect()
}

/// The three reads of a case for [`consensus`].
///
/// # Errors
/// `too-many-readers` when more than three readers count.
pub fn three(case_id: &str, reads: Option<&CaseReads>) -> Result<[Option<Read>; 3], Diagnostic> {
    let mut three = [None; 3];
    let counted = reads.map_or(0, |r| r.reads.len());
    if counted > 3 {
        return Err(Diagnostic::error(
            Code::TooManyReaders,
            format!("{counted} readers read the case `{case_id}`; the consensus is of three"),
        )
        .hint("give the files of the three readers of this study only"));
    }
    for (slot, read) in three.iter_mut().zip(reads.iter().flat_map(|r| r.reads.values())) {
        *slot = Some(*read);
    }
    Ok(three)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Read::{Indeterminate as I, Negative as N, Positive as P};

    fn rule() -> ReferenceRule {
        ReferenceRule {
            qualification: "radiologist".to_owned(),
            require_all_readers: false,
            minimum_agreeing: 2,
            indeterminate: IndeterminateRule::NoVote,
            repeated_read: RepeatedRead::Refuse,
            fixed_readers: true,
        }
    }

    fn check(reads: [Option<Read>; 3], rule: &ReferenceRule, expect: Option<(bool, Basis)>) {
        let expect =
            expect.map_or(Consensus::None, |(positive, basis)| Consensus::Reached { positive, basis });
        assert_eq!(consensus(reads, rule), expect, "{reads:?}");
        let [a, b, c] = reads;
        assert_eq!(consensus([c, a, b], rule), expect, "the order of readers does not matter");
    }

    #[test]
    fn a_majority_of_three_decides_and_two_agreeing_suffice() {
        let rule = rule();
        check([Some(P), Some(P), Some(P)], &rule, Some((true, Basis::Unanimous)));
        check([Some(P), Some(N), Some(N)], &rule, Some((false, Basis::Majority)));
        check([Some(P), Some(P), None], &rule, Some((true, Basis::Incomplete)));
        check([Some(P), Some(P), Some(I)], &rule, Some((true, Basis::Incomplete)));
        check([Some(P), Some(N), None], &rule, None);
        check([Some(P), Some(N), Some(I)], &rule, None);
        check([Some(N), None, None], &rule, None);
        check([None, None, None], &rule, None);
    }

    #[test]
    fn declared_variants_change_what_counts() {
        let all = ReferenceRule { require_all_readers: true, ..rule() };
        check([Some(P), Some(P), None], &all, None);
        let positive = ReferenceRule { indeterminate: IndeterminateRule::Positive, ..rule() };
        check([Some(P), Some(N), Some(I)], &positive, Some((true, Basis::Majority)));
        let unanimous = ReferenceRule { minimum_agreeing: 3, ..rule() };
        check([Some(P), Some(P), Some(N)], &unanimous, None);
        check([Some(N), Some(N), Some(N)], &unanimous, Some((false, Basis::Unanimous)));
    }

    fn row(reader: &str, read: Read, line: u64) -> ReadRow {
        ReadRow {
            case_id: "a".to_owned(),
            reader_id: reader.to_owned(),
            read,
            time: None,
            file: "r.csv".into(),
            line,
        }
    }

    #[test]
    fn a_repeated_read_is_refused_or_set_aside_as_declared() {
        let known = BTreeSet::from(["a"]);
        let rows = [row("1", P, 2), row("1", P, 3), row("2", N, 4), row("1", N, 5)];
        let problems = assemble(&rows, &known, &rule()).expect_err("refused");
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].code.as_str(), "repeated-read");
        let aside = ReferenceRule { repeated_read: RepeatedRead::SetAside, ..rule() };
        let assembled = assemble(&rows, &known, &aside).expect("set aside");
        assert_eq!(assembled.cases["a"].reads, BTreeMap::from([("2".to_owned(), N)]));
        assert_eq!(assembled.cases["a"].set_aside, BTreeSet::from(["1".to_owned()]));
    }

    #[test]
    fn a_read_of_a_case_that_does_not_exist_is_an_error() {
        let problems = assemble(&[row("1", P, 2)], &BTreeSet::new(), &rule()).expect_err("unknown");
        assert_eq!(problems[0].code.as_str(), "unknown-case");
    }
}
