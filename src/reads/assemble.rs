//! The reads of all files, brought together by case: who said what, and which reads count.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReaderRole, ReferenceRule, RepeatedRead};
use crate::reads::files::{Rating, Read, ReadRow};
use crate::reads::roster::{Roster, colliding};
use crate::table::id::Alike;
use crate::table::{LISTED, limited};

/// The reads of one case, by reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseReads {
    /// Reads that count.
    pub reads: BTreeMap<String, Read>,
    /// What those read on a declared scale, where a reader read the case once.
    pub ratings: BTreeMap<String, Rating>,
    /// Readers whose reads were set aside because they read the case more than once.
    pub set_aside: BTreeSet<String>,
}

/// Several reads of one reader on one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The case.
    pub case_id: String,
    /// The reader.
    pub reader_id: String,
    /// How many there are.
    pub reads: usize,
    /// What they count as; `None`: they were set aside.
    pub counts_as: Option<Read>,
    /// What each says: by time where every one has a time, else in the order of the files.
    pub said: Vec<Read>,
}

/// The reads of every case, checked against the list of cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// By case id; cases without any read are absent. Reads of ignored readers are not among them.
    pub cases: BTreeMap<String, CaseReads>,
    /// Everybody but the ignored who read at least one case, sorted.
    pub readers: BTreeSet<String>,
    /// When each of them gave the first and the last answer, where the files say it.
    pub times: BTreeMap<String, (NaiveDateTime, NaiveDateTime)>,
    /// Rows of each ignored reader.
    pub ignored: BTreeMap<String, u64>,
    /// Repeated reads, by case and reader.
    pub repeated: Vec<Repeated>,
    /// Reads of cases that are in no case table, where the protocol leaves them out.
    pub of_other_cases: u64,
}

impl Assembled {
    /// The reads of a case by the readers of a role.
    pub fn of_role(&self, case_id: &str, roster: &Roster, role: ReaderRole) -> Vec<Read> {
        let case = self.cases.get(case_id);
        let reads = case.iter().flat_map(|case| &case.reads);
        reads.filter(|(reader, _)| roster.role(reader) == Some(role)).map(|(_, read)| *read).collect()
    }

    /// The readers of a role who read at least one case, sorted.
    pub fn readers_of(&self, roster: &Roster, role: ReaderRole) -> Vec<String> {
        self.readers.iter().filter(|id| roster.role(id) == Some(role)).cloned().collect()
    }
}

/// Brings the reads of all files together.
///
/// # Errors
/// `reader-undeclared` for all readers at once who are not declared where readers are; `unknown-case` for
/// reads of a case that is not in the case table; `repeated-read` where the protocol refuses it; `read-time`
/// where the last of several reads cannot be told; each with its line.
pub fn assemble(
    rows: &[ReadRow],
    known: &BTreeSet<&str>,
    rule: &ReferenceRule,
    roster: &Roster,
) -> Result<Assembled, Vec<Diagnostic>> {
    let mut problems: Vec<Diagnostic> = roster.undeclared(rows).into_iter().collect();
    let mut assembled = Assembled::default();
    let mut alike: Option<Alike<'_>> = None;
    let mut said: BTreeMap<(&str, &str), Vec<&ReadRow>> = BTreeMap::new();
    for row in rows {
        if roster.role(&row.reader_id) == Some(ReaderRole::Ignored) {
            *assembled.ignored.entry(row.reader_id.clone()).or_default() += 1;
            continue;
        }
        if known.contains(row.case_id.as_str()) {
            if let Some(time) = row.time {
                let (first, last) = assembled.times.entry(row.reader_id.clone()).or_insert((time, time));
                *first = time.min(*first);
                *last = time.max(*last);
            }
            said.entry((&row.case_id, &row.reader_id)).or_default().push(row);
            continue;
        }
        let likely = alike.get_or_insert_with(|| known.iter().copied().collect()).likely(&row.case_id);
        if rule.ignore_other_cases && likely.is_none() {
            assembled.of_other_cases += 1;
            continue;
        }
        let meant = likely.map_or_else(String::new, |id| format!("; `{id}` is, and probably meant"));
        problems.push(
            Diagnostic::error(
                Code::UnknownCase,
                format!("the case `{}` is not in the case table{meant}", row.case_id),
            )
            .at(Location::line(&row.file, row.line))
            .hint(
                "correct the id in a new file from the reader, or declare `other_cases = \"ignore\"` where \
                 the \
                 readers read more than this study; the file that came stays as it is",
            ),
        );
    }
    for ((case_id, reader_id), rows) in said {
        let (counts_as, more) = one_read(&rows, rule.repeated_read);
        problems.extend(more);
        if rows.len() > 1 {
            assembled.repeated.push(Repeated {
                case_id: case_id.to_owned(),
                reader_id: reader_id.to_owned(),
                reads: rows.len(),
                counts_as,
                said: in_order(&rows),
            });
        }
        let case = assembled.cases.entry(case_id.to_owned()).or_default();
        if let [ReadRow { rating: Some(rating), .. }] = rows[..] {
            case.ratings.insert(reader_id.to_owned(), *rating);
        }
        match counts_as {
            Some(read) => {
                case.reads.insert(reader_id.to_owned(), read);
            }
            None => {
                case.set_aside.insert(reader_id.to_owned());
            }
        }
        if !assembled.readers.contains(reader_id) {
            assembled.readers.insert(reader_id.to_owned());
        }
    }
    let voters = rows.iter().filter(|row| roster.role(&row.reader_id) != Some(ReaderRole::Ignored));
    problems.extend(colliding(voters.map(|row| (row.reader_id.as_str(), &row.file, row.line))));
    if problems.is_empty() {
        return Ok(assembled);
    }
    let one_file = rows.first().filter(|first| rows.iter().all(|row| row.file == first.file));
    Err(match one_file {
        Some(row) if problems.len() > LISTED => limited(problems, &row.file),
        _ => problems,
    })
}

/// What each row says, by time where every one has a time.
fn in_order(rows: &[&ReadRow]) -> Vec<Read> {
    let mut rows = rows.to_vec();
    if rows.iter().all(|row| row.time.is_some()) {
        rows.sort_by_key(|row| row.time);
    }
    rows.iter().map(|row| row.read).collect()
}

/// What the rows of one reader on one case count as, and what is wrong with them; `None`: they are set aside.
fn one_read(rows: &[&ReadRow], rule: RepeatedRead) -> (Option<Read>, Vec<Diagnostic>) {
    let [first, rest @ ..] = rows else { return (None, Vec::new()) };
    if rest.is_empty() {
        return (Some(first.read), Vec::new());
    }
    match rule {
        RepeatedRead::SetAside => (None, Vec::new()),
        RepeatedRead::Refuse => {
            let refused = rows.windows(2).map(|two| {
                let (earlier, row) = (two[0], two[1]);
                let place = Location::line(&earlier.file, earlier.line);
                Diagnostic::error(
                    Code::RepeatedRead,
                    format!(
                        "the reader `{}` read the case `{}` already in {place}",
                        row.reader_id, row.case_id
                    ),
                )
                .at(Location::line(&row.file, row.line))
                .hint(
                    "find out which read counts, or declare what several reads of one reader count as: \
                     `repeated_read` is \"set-aside\", \"any-positive\", \"last\" or \"all-agree\"",
                )
            });
            (None, refused.collect())
        }
        RepeatedRead::AllAgree => {
            (Some(first.read).filter(|read| rest.iter().all(|row| row.read == *read)), Vec::new())
        }
        RepeatedRead::AnyPositive => {
            // Only reads that all say so make a negative one: a row that is no answer is none.
            let order = [Read::Positive, Read::Indeterminate, Read::Uninterpretable, Read::Negative];
            (order.into_iter().find(|read| rows.iter().any(|row| row.read == *read)), Vec::new())
        }
        RepeatedRead::Last => match last(rows) {
            Ok(read) => (Some(read), Vec::new()),
            Err(problem) => (None, vec![problem]),
        },
    }
}

/// The last of several reads by its time.
fn last(rows: &[&ReadRow]) -> Result<Read, Diagnostic> {
    let wrong = |row: &ReadRow, why: &str| {
        let message = format!(
            "which of the {} reads of the case `{}` by `{}` is the last one cannot be told: {why}",
            rows.len(),
            row.case_id,
            row.reader_id
        );
        Diagnostic::error(Code::ReadLast, message).at(Location::line(&row.file, row.line)).hint(
            "name the column of the time in [reads], ask which read counts, or declare another \
             `repeated_read`",
        )
    };
    if let Some(row) = rows.iter().find(|row| row.time.is_none()) {
        return Err(wrong(row, "this one has no time"));
    }
    let latest = rows.iter().map(|row| row.time).max().flatten();
    let mut at_end = rows.iter().filter(|row| row.time == latest);
    match (at_end.next(), at_end.next()) {
        (Some(row), None) => Ok(row.read),
        (Some(row), Some(_)) | (None, Some(row)) => Err(wrong(row, "two have the same time")),
        (None, None) => Err(wrong(rows[0], "none has a time")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::protocol;
    use Read::{Indeterminate as I, Negative as N, Positive as P, Uninterpretable as U};

    fn rule(more: &str) -> ReferenceRule {
        let declared = include_str!("../../protocols/pneumonia-exp2a.toml");
        let typed = declared.replace("fixed_readers = true", &format!("fixed_readers = true\n{more}"));
        assert_ne!(declared, typed);
        let typed = if more.contains("repeated_read") {
            typed.replace("repeated_read = \"refuse\" ", "# ")
        } else {
            typed
        };
        protocol::parse(Path::new("p.toml"), &typed).expect("valid").reference_standard
    }

    fn row(case: &str, reader: &str, read: Read, line: u64) -> ReadRow {
        ReadRow {
            case_id: case.to_owned(),
            reader_id: reader.to_owned(),
            read,
            rating: None,
            time: None,
            file: "r.csv".into(),
            line,
        }
    }

    fn repeated(rule_name: &str, reads: &[Read]) -> Result<Option<Read>, Vec<Diagnostic>> {
        let rows: Vec<ReadRow> =
            reads.iter().zip(2..).map(|(read, line)| row("a", "1", *read, line)).collect();
        let rule = rule(&format!("repeated_read = \"{rule_name}\""));
        let found = assemble(&rows, &BTreeSet::from(["a"]), &rule, &Roster::default())?;
        assert_eq!(found.repeated[0].reads, reads.len());
        let case = &found.cases["a"];
        assert_eq!(case.set_aside.is_empty(), !case.reads.is_empty());
        Ok(case.reads.get("1").copied())
    }

    #[test]
    fn a_repeated_read_counts_as_declared() {
        let problems = repeated("refuse", &[P, P, N]).expect_err("refused");
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[0].code, Code::RepeatedRead);
        assert_eq!(problems[1].location, Some(Location::line("r.csv", 4)));
        let table: [(&str, &[Read], Option<Read>); 9] = [
            ("set-aside", &[P, P], None),
            ("all-agree", &[N, N, N], Some(N)),
            ("all-agree", &[N, N, P], None),
            ("all-agree", &[I, U], None),
            ("any-positive", &[N, N, P, N], Some(P)),
            ("any-positive", &[N, N], Some(N)),
            ("any-positive", &[N, I], Some(I)),
            ("any-positive", &[N, U], Some(U)),
            ("any-positive", &[U, I, P], Some(P)),
        ];
        for (rule, reads, expected) in table {
            assert_eq!(repeated(rule, reads).expect("counted"), expected, "{rule} {reads:?}");
        }
    }

    #[test]
    fn the_last_read_is_told_by_its_time_or_not_at_all() {
        let rule = rule("repeated_read = \"last\"");
        let at =
            |hour: u32| chrono::NaiveDate::from_ymd_opt(2024, 5, 1).and_then(|d| d.and_hms_opt(hour, 0, 0));
        let last = |times: &[(Read, Option<u32>)]| {
            let rows: Vec<ReadRow> = times
                .iter()
                .zip(2..)
                .map(|((read, hour), line)| ReadRow { time: hour.and_then(at), ..row("a", "1", *read, line) })
                .collect();
            assemble(&rows, &BTreeSet::from(["a"]), &rule, &Roster::default())
                .map(|a| a.cases["a"].reads["1"])
        };
        assert_eq!(last(&[(P, Some(9)), (N, Some(8))]).expect("told"), P);
        assert_eq!(last(&[(P, Some(9)), (N, Some(9)), (I, Some(10))]).expect("told"), I);
        assert_eq!(last(&[(P, None)]).expect("one read needs no time"), P);
        for wrong in [[(P, Some(9)), (N, None)], [(P, Some(9)), (P, Some(9))], [(P, None), (P, None)]] {
            let problems = last(&wrong).expect_err("not told");
            assert_eq!((problems.len(), problems[0].code), (1, Code::ReadLast), "{wrong:?}");
        }
    }

    #[test]
    fn a_read_of_a_case_that_does_not_exist_is_an_error_or_left_out_as_declared() {
        let rows = [row("a1", "1", P, 2), row("b", "1", P, 3), row("A01", "1", N, 4)];
        let known = BTreeSet::from(["a1"]);
        let problems = assemble(&rows, &known, &rule(""), &Roster::default()).expect_err("unknown");
        assert_eq!(problems.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::UnknownCase; 2]);
        let ignore = rule("other_cases = \"ignore\"");
        let found = assemble(&rows[..2], &known, &ignore, &Roster::default()).expect("left out");
        assert_eq!((found.of_other_cases, found.cases.len()), (1, 1));
        // An id that differs in form alone is no other case.
        assert!(assemble(&rows, &known, &ignore, &Roster::default()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Several rows of one reader are a negative read only where every one of them is negative, in any
        /// order.
        #[test]
        fn only_negative_rows_make_a_negative_read(
            (reads, shuffled) in prop::collection::vec(prop::sample::select(vec![P, N, I, U]), 2..6)
                .prop_flat_map(|reads| (Just(reads.clone()), Just(reads).prop_shuffle())),
        ) {
            for rule in [RepeatedRead::SetAside, RepeatedRead::AnyPositive, RepeatedRead::AllAgree] {
                let of = |reads: &[Read]| {
                    let rows: Vec<ReadRow> = reads.iter().map(|read| row("a", "1", *read, 2)).collect();
                    one_read(&rows.iter().collect::<Vec<_>>(), rule).0
                };
                let found = of(&reads);
                prop_assert_eq!(found, of(&shuffled));
                prop_assert!(found != Some(N) || reads.iter().all(|read| *read == N));
                prop_assert!(rule != RepeatedRead::AnyPositive || (found == Some(P)) == reads.contains(&P));
            }
        }
    }
}
