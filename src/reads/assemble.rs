//! The reads of all files, brought together by case: who said what, and which reads count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDateTime;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReaderRole, ReferenceRule, RepeatedRead};
use crate::reads::by_reader::ByReader;
use crate::reads::files::{Rating, Read, ReadRow, Remark};
use crate::reads::roster::{Roster, colliding};
use crate::table::id::{self, Alike};
use crate::table::{LISTED, Word, limited};

/// The reads of one case, by reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseReads {
    /// Reads that count.
    pub reads: ByReader<Read>,
    /// What those read on a declared scale, where a reader read the case once.
    pub ratings: BTreeMap<String, Rating>,
    /// What readers said beside their answers, of each read one, by time where every one has a time; readers
    /// who said nothing are absent.
    pub remarks: BTreeMap<String, Vec<Remark>>,
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
    /// By case id; cases without any read are absent. Reads of ignored readers are not among them. Cases that
    /// were read alike share what is held of them.
    pub cases: BTreeMap<Word, Arc<CaseReads>>,
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
        let reads = case.iter().flat_map(|case| case.reads.iter());
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
    known: &BTreeSet<Word>,
    rule: &ReferenceRule,
    roster: &Roster,
) -> Result<Assembled, Vec<Diagnostic>> {
    let mut problems: Vec<Diagnostic> = roster.undeclared(rows).into_iter().collect();
    let mut assembled = Assembled::default();
    let mut alike: Option<Alike<'_>> = None;
    let mut said: Vec<&ReadRow> = Vec::new();
    for row in rows {
        if roster.role(&row.reader_id) == Some(ReaderRole::Ignored) {
            *assembled.ignored.entry(row.reader_id.to_string()).or_default() += 1;
            continue;
        }
        if known.contains(row.case_id.as_str()) {
            if let Some(time) = row.time {
                match assembled.times.get_mut(row.reader_id.as_str()) {
                    Some((first, last)) => (*first, *last) = (time.min(*first), time.max(*last)),
                    None => {
                        assembled.times.insert(row.reader_id.to_string(), (time, time));
                    }
                }
            }
            said.push(row);
            continue;
        }
        let likely =
            alike.get_or_insert_with(|| known.iter().map(Word::as_str).collect()).likely(&row.case_id);
        if rule.ignore_other_cases && likely.is_none() {
            assembled.of_other_cases += 1;
            continue;
        }
        let meant = likely.map_or_else(String::new, |id| format!("; `{id}` is, and probably meant"));
        problems.push(
            Diagnostic::error(
                Code::UnknownCase,
                format!("the case `{}` is not in the case table{meant}", id::visible(&row.case_id)),
            )
            .at(Location::line(&row.file, row.line))
            .hint(
                "correct the id in a new file from the reader, or declare `other_cases = \"ignore\"` where \
                 the \
                 readers read more than this study; the file that came stays as it is",
            ),
        );
    }
    // Those of one reader on one case stand together, in the order of the files.
    said.sort_by(|a, b| (&a.case_id, &a.reader_id).cmp(&(&b.case_id, &b.reader_id)));
    let mut kinds: BTreeSet<Arc<CaseReads>> = BTreeSet::new();
    let mut by_case: Vec<(Word, Arc<CaseReads>)> = Vec::new();
    for of_case in said.chunk_by(|a, b| a.case_id == b.case_id) {
        let mut case = CaseReads::default();
        for rows in of_case.chunk_by(|a, b| a.reader_id == b.reader_id) {
            let (case_id, reader_id) = (&rows[0].case_id, &rows[0].reader_id);
            let (counts_as, more) = one_read(rows, rule.repeated_read);
            problems.extend(more);
            if rows.len() > 1 {
                assembled.repeated.push(Repeated {
                    case_id: case_id.to_string(),
                    reader_id: reader_id.to_string(),
                    reads: rows.len(),
                    counts_as,
                    said: in_order(rows).map(|row| row.read).collect(),
                });
            }
            if let [ReadRow { rating: Some(rating), .. }] = rows[..] {
                case.ratings.insert(reader_id.to_string(), *rating);
            }
            if rows.iter().any(|row| !row.remark.is_empty()) {
                let remarks = in_order(rows).map(|row| row.remark.clone()).collect();
                case.remarks.insert(reader_id.to_string(), remarks);
            }
            match counts_as {
                Some(read) => case.reads.insert(reader_id.clone(), read),
                None => {
                    case.set_aside.insert(reader_id.to_string());
                }
            }
            if !assembled.readers.contains(reader_id.as_str()) {
                assembled.readers.insert(reader_id.to_string());
            }
        }
        // Three readers who say yes or no give eight kinds of cases, however many cases there are.
        let shared = kinds.get(&case).cloned().unwrap_or_else(|| {
            let shared = Arc::new(case);
            kinds.insert(shared.clone());
            shared
        });
        by_case.push((of_case[0].case_id.clone(), shared));
    }
    drop(said);
    assembled.cases = by_case.into_iter().collect();
    let voters = rows.iter().filter(|row| roster.role(&row.reader_id) != Some(ReaderRole::Ignored));
    problems.extend(colliding(voters.map(|row| (row.reader_id.as_str(), &row.file, row.line))));
    if problems.is_empty() {
        return Ok(assembled);
    }
    let one_file = rows.first().filter(|first| rows.iter().all(|row| row.file == first.file));
    Err(match one_file {
        Some(row) if problems.len() > LISTED => limited(problems, row.file.as_path()),
        _ => problems,
    })
}

/// The rows by time where every one has a time.
fn in_order<'a>(rows: &[&'a ReadRow]) -> impl Iterator<Item = &'a ReadRow> + use<'a> {
    let mut rows = rows.to_vec();
    if rows.iter().all(|row| row.time.is_some()) {
        rows.sort_by_key(|row| row.time);
    }
    rows.into_iter()
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
            case_id: case.into(),
            reader_id: reader.into(),
            read,
            rating: None,
            time: None,
            remark: Remark::default(),
            file: "r.csv".into(),
            line,
        }
    }

    fn repeated(rule_name: &str, reads: &[Read]) -> Result<Option<Read>, Vec<Diagnostic>> {
        let rows: Vec<ReadRow> =
            reads.iter().zip(2..).map(|(read, line)| row("a", "1", *read, line)).collect();
        let rule = rule(&format!("repeated_read = \"{rule_name}\""));
        let found = assemble(&rows, &BTreeSet::from([Word::from("a")]), &rule, &Roster::default())?;
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
            assemble(&rows, &BTreeSet::from([Word::from("a")]), &rule, &Roster::default())
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
        let known = BTreeSet::from(["a1"].map(Word::from));
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

    /// The readers of a protocol by id and role.
    fn roster(readers: &[(&str, &str)]) -> (ReferenceRule, Roster) {
        let sections: String = readers
            .iter()
            .map(|(id, role)| format!("[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\n"))
            .collect();
        let rule = rule(&format!("\n{sections}"));
        let roster = Roster::of(&rule, None).expect("declared");
        (rule, roster)
    }

    #[test]
    fn readers_are_those_who_read_and_the_reads_of_the_ignored_are_counted_alone() {
        let all = [
            ("R1", "reference"),
            ("R2", "reference"),
            ("R3", "reference"),
            ("x", "comparison"),
            ("r2", "ignored"),
        ];
        let (rule, roster) = roster(&all[..4]);
        let rows = [row("a", "R1", P, 2), row("a", "R2", N, 3), row("b", "R1", U, 4), row("b", "x", I, 5)];
        let known = BTreeSet::from(["a", "b", "c"].map(Word::from));
        let found = assemble(&rows, &known, &rule, &roster).expect("assembled");
        assert_eq!(found.readers.iter().map(String::as_str).collect::<Vec<_>>(), ["R1", "R2", "x"]);
        assert_eq!(found.of_role("a", &roster, ReaderRole::Reference), [P, N]);
        assert_eq!(found.of_role("b", &roster, ReaderRole::Reference), [U]);
        assert_eq!(found.of_role("b", &roster, ReaderRole::Comparison), [I]);
        assert_eq!(found.of_role("c", &roster, ReaderRole::Reference), []);
        assert_eq!(found.readers_of(&roster, ReaderRole::Reference), ["R1", "R2"]);
        assert_eq!(found.readers_of(&roster, ReaderRole::Comparison), ["x"]);
        assert!(!found.cases.contains_key("c") && found.repeated.is_empty() && found.ignored.is_empty());
        // Whoever is not declared is told, and two ids of one reader among those who count.
        let undeclared = assemble(&[row("a", "Q", P, 2)], &known, &rule, &roster).expect_err("nobody");
        assert_eq!(undeclared.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::ReaderUndeclared]);
        let everybody = Roster::default();
        let rows = [row("a", "R1", P, 2), row("b", "r1", N, 3)];
        let alike = assemble(&rows, &known, &rule, &everybody).expect_err("one reader");
        assert_eq!(alike.iter().map(|p| p.code).collect::<Vec<_>>(), [Code::ReadersAlike]);
    }

    #[test]
    fn an_ignored_reader_takes_part_in_nothing() {
        let (rule, roster) =
            roster(&[("R1", "reference"), ("R2", "reference"), ("R3", "reference"), ("zz", "ignored")]);
        let known = BTreeSet::from(["a"].map(Word::from));
        // Whatever the ignored read: another case, twice, under an id that is like another.
        let rows =
            [row("a", "R1", P, 2), row("a", "zz", N, 3), row("a", "zz", P, 4), row("other", "zz", P, 5)];
        let found = assemble(&rows, &known, &rule, &roster).expect("assembled");
        assert_eq!(found.ignored, BTreeMap::from([("zz".to_owned(), 3)]));
        assert_eq!(found.readers.iter().map(String::as_str).collect::<Vec<_>>(), ["R1"]);
        assert_eq!(found.cases["a"].reads.len(), 1);
    }

    #[test]
    fn of_one_file_the_first_problems_are_told_and_the_number_of_the_others() {
        let known = BTreeSet::from(["a"].map(Word::from));
        let rows = |n: u64, file: &dyn Fn(u64) -> &'static str| -> Vec<ReadRow> {
            (0..n)
                .map(|i| ReadRow { file: file(i).into(), ..row(&format!("x{i}y"), "1", P, i + 2) })
                .collect()
        };
        let told = |rows: &[ReadRow]| {
            let found = assemble(rows, &known, &rule(""), &Roster::default()).expect_err("unknown");
            (found.len(), found.last().map(|p| p.code).expect("the last"))
        };
        let listed = LISTED as u64;
        assert_eq!(told(&rows(listed, &|_| "r.csv")), (LISTED, Code::UnknownCase));
        assert_eq!(told(&rows(listed + 2, &|_| "r.csv")), (LISTED + 1, Code::MoreProblems));
        let two = |i| if i == 0 { "r.csv" } else { "s.csv" };
        assert_eq!(told(&rows(listed + 2, &two)), (LISTED + 2, Code::UnknownCase), "of several files, all");
    }

    #[test]
    fn several_reads_are_listed_with_what_they_count_as() {
        let rows = [row("a", "1", N, 2), row("a", "2", P, 3), row("a", "1", P, 4), row("b", "1", I, 5)];
        let known = BTreeSet::from(["a", "b"].map(Word::from));
        let of = |keys: &str| assemble(&rows, &known, &rule(keys), &Roster::default()).expect("assembled");
        let found = of("repeated_read = \"any-positive\"");
        let expected = Repeated {
            case_id: "a".into(),
            reader_id: "1".into(),
            reads: 2,
            counts_as: Some(P),
            said: vec![N, P],
        };
        assert_eq!(found.repeated.iter().collect::<Vec<_>>(), [&expected]);
        assert_eq!((found.cases["a"].reads["1"], found.cases["a"].set_aside.len()), (P, 0));
        let found = of("repeated_read = \"set-aside\"");
        assert_eq!(found.repeated, [Repeated { counts_as: None, ..expected }]);
        assert_eq!(found.cases["a"].set_aside, BTreeSet::from(["1".to_owned()]));
        assert_eq!(found.cases["a"].reads.iter().collect::<Vec<_>>(), [("2", &P)]);
        assert_eq!(found.readers.len(), 2, "who was set aside has read");
    }
}
