//! How far the reading is, and what a coordinator should look at before it is over: who is missing, where
//! readers disagree, whose reads look copied or drift. Pure, and without any score.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDateTime;
use serde::Serialize;

use crate::protocol::ReaderRole;
use crate::reads::assemble::Assembled;
use crate::reads::consensus::{Consensus, Undecided, Voting};
use crate::reads::export::{NoRead, NoReadReason};
use crate::reads::files::{Read, ReadRow};
use crate::reads::roster::Roster;
use crate::statistics::agreement;
use crate::statistics::proportion::clopper_pearson;
use crate::statistics::special::binomial_tails;
use crate::statistics::trend::cochran_armitage;

/// Below so many common cases nothing is said of copies.
const COMMON: usize = 10;
/// From so many common cases on equal reads of all of them are told whatever the other readers do.
const ALL_EQUAL: usize = 20;
/// So improbable a number of equal reads is told, for all pairs together.
const IMPROBABLE: f64 = 0.001;
/// A trend needs so many reads, and so many of each answer.
const DRIFT_READS: usize = 20;
const DRIFT_ANSWERS: usize = 5;
/// A trend is told from here on.
const DRIFT_P: f64 = 0.01;
/// Parts of the order in which shares are shown.
const PARTS: usize = 4;

/// A time without a zone, in UTC.
pub type Moment = NaiveDateTime;

/// What is looked at.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The drawn cases.
    pub cases: &'a [&'a str],
    /// Who reads, and what for.
    pub roster: &'a Roster,
    /// The reads that count.
    pub assembled: &'a Assembled,
    /// The rule with its numbers.
    pub voting: &'a Voting,
    /// The same readers read every case.
    pub fixed: bool,
    /// One answer a drawn case.
    pub consensus: &'a [Consensus],
    /// Every read.
    pub rows: &'a [ReadRow],
    /// What is no read.
    pub no_reads: &'a [NoRead],
    /// The reading rounds.
    pub rounds: &'a [Assigned],
    /// Now.
    pub now: Moment,
    /// A reader who has cases left and gave none for longer than so many days is late.
    pub late_after: i64,
}

/// A round and who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: &'static str,
    /// Its cases.
    pub cases: BTreeSet<String>,
    /// Its readers.
    pub readers: Vec<String>,
    /// Those from whom something came back.
    pub returned: BTreeSet<String>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Version of this form.
    pub format: &'static str,
    /// Drawn cases.
    pub cases: usize,
    /// By id.
    pub readers: Vec<ReaderStatus>,
    /// By name.
    pub rounds: Vec<RoundStatus>,
    /// Cases that reference readers answered with yes and with no.
    pub disagreements: Vec<Disagreement>,
    /// Cases that wait for an adjudicator and lack no read of a reference reader.
    pub to_adjudicate: Vec<String>,
    /// Other cases without a reference standard, by reason.
    pub open: BTreeMap<&'static str, Vec<String>>,
    /// Reference readers two by two, on the cases that both answered with yes or no.
    pub pairs: Vec<Pair>,
    /// All reference readers together; none below two readers or without common cases.
    pub overall: Overall,
    /// Readers, or files, whose reads are the same beyond what the others make probable.
    pub copies: Vec<Copied>,
}

/// One reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderStatus {
    /// The reader.
    pub id: String,
    /// What the reads are for.
    pub role: &'static str,
    /// Cases that the reader is to read; none where nothing says so.
    pub expected: Option<usize>,
    /// Of the drawn cases read, set aside ones included.
    pub read: usize,
    /// With the finding.
    pub positive: usize,
    /// Without it.
    pub negative: usize,
    /// The reader could not tell.
    pub indeterminate: usize,
    /// The images could not be read.
    pub uninterpretable: usize,
    /// Read more than once, and set aside by the declared rule.
    pub set_aside: usize,
    /// Begun or answered, and not marked as completed.
    pub not_completed: usize,
    /// Expected and not read.
    pub missing: Option<Vec<String>>,
    /// When the last read was given, where files say so.
    pub last_read: Option<NaiveDateTime>,
    /// Whole days since then.
    pub days_since: Option<i64>,
    /// Cases are missing, and the last read is longer ago than asked for, or there is none.
    pub late: bool,
    /// How the share of positive answers goes along the time.
    pub drift: Drift,
}

/// The share of positive answers along the order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Drift {
    /// Reads with yes or no and a time.
    pub reads: usize,
    /// Positive answers and answers, in equal parts of the order.
    pub parts: Vec<[usize; 2]>,
    /// Two-sided, of a test for trend (Cochran 1954, Armitage 1955) over the places in the order.
    pub p: Option<f64>,
    /// It is improbable by chance alone.
    pub told: bool,
    /// Why there is no test.
    pub why_none: Option<&'static str>,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundStatus {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: &'static str,
    /// Its cases.
    pub cases: usize,
    /// From whom something came back.
    pub returned: Vec<String>,
    /// From whom nothing did.
    pub waiting: Vec<String>,
}

/// A case on which reference readers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The case.
    pub case_id: String,
    /// Readers with yes.
    pub positive: Vec<String>,
    /// Readers with no.
    pub negative: Vec<String>,
    /// Readers who could not tell or not read it.
    pub undecided: Vec<String>,
}

/// Two reference readers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Who.
    pub readers: [String; 2],
    /// Cases that both answered with yes or no.
    pub cases: u64,
    /// With the same answer.
    pub agreed: u64,
    /// Cohen's kappa; none where both gave one and the same answer throughout.
    pub kappa: Option<f64>,
}

/// All reference readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Overall {
    /// Krippendorff's alpha, nominal.
    pub alpha: Option<f64>,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
}

/// Reads that are the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copied {
    /// `readers` or `files`.
    pub what: &'static str,
    /// Two ids or two files.
    pub of: [String; 2],
    /// Cases that both have.
    pub cases: usize,
    /// With the same read.
    pub same: usize,
    /// With the same read at the same second.
    pub same_time: usize,
    /// So probable are so few differences if the two differ as rarely as any other pair of readers does
    /// (lower 95 % limit); none without another pair.
    pub p: Option<f64>,
}

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
        to_adjudicate,
        open,
    }
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

/// The reads of one reader in the order of their times. The order of a file says nothing: exports are sorted.
fn drift(seen: &Seen<'_>, drawn: &BTreeSet<&str>, id: &str) -> Drift {
    let own = seen.rows.iter().filter(|row| row.reader_id == id && drawn.contains(row.case_id.as_str()));
    let own: Vec<&ReadRow> = own.collect();
    let mut timed: Vec<(NaiveDateTime, bool)> = own
        .iter()
        .filter_map(|row| match row.read {
            Read::Positive => Some((row.time?, true)),
            Read::Negative => Some((row.time?, false)),
            Read::Indeterminate | Read::Uninterpretable => None,
        })
        .collect();
    timed.sort_unstable();
    let none = |why| Drift { reads: timed.len(), why_none: Some(why), ..Drift::default() };
    let positive = timed.iter().filter(|(_, positive)| *positive).count();
    if own.is_empty() {
        return none("no reads");
    }
    if timed.is_empty() {
        return none("no times");
    }
    if timed.len() < DRIFT_READS || positive.min(timed.len() - positive) < DRIFT_ANSWERS {
        return none("too few reads of each answer");
    }
    if timed.first().map(|first| first.0) == timed.last().map(|last| last.0) {
        return none("one time for all");
    }
    // Reads of one time share a place.
    let place = |time: NaiveDateTime| {
        let before = timed.partition_point(|(other, _)| *other < time);
        let up_to = timed.partition_point(|(other, _)| *other <= time);
        (before + up_to) as f64 / 2.0
    };
    let cases: Vec<(bool, f64)> = timed.iter().map(|(time, positive)| (*positive, place(*time))).collect();
    let p = cochran_armitage(&cases).map(|trend| trend.p);
    let part = |nth: usize| {
        let part = &timed[nth * timed.len() / PARTS..(nth + 1) * timed.len() / PARTS];
        [part.iter().filter(|(_, positive)| *positive).count(), part.len()]
    };
    Drift {
        reads: timed.len(),
        parts: (0..PARTS).map(part).collect(),
        p,
        told: p.is_some_and(|p| p < DRIFT_P),
        why_none: None,
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
            reads.map(|(id, _)| id.clone()).collect()
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

/// What two readers have in common.
struct Common {
    of: [usize; 2],
    cases: usize,
    differing: usize,
    /// They gave more than one answer.
    several: bool,
    same_time: usize,
}

/// Readers, and files, whose reads are the same.
///
/// Two readers are told whose reads are equal on all of 20 common cases or more, and those whose reads on ten
/// or more differ less often than is probable (0.001 for all pairs together) if they differ as rarely as any
/// other pair does, by the lower 95 % limit of that pair (Clopper and Pearson 1934). There are more answers
/// than one: equal reads of one kind say nothing. Two files are told that hold the same reads of ten cases or
/// more in the same order.
fn copies(seen: &Seen<'_>) -> Vec<Copied> {
    let ids: Vec<&String> = seen.assembled.readers.iter().collect();
    let mut times: BTreeMap<(&str, &str), NaiveDateTime> = BTreeMap::new();
    for row in seen.rows {
        if let Some(time) = row.time {
            times.insert((&row.case_id, &row.reader_id), time);
        }
    }
    let mut found: Vec<Common> = Vec::new();
    for a in 0..ids.len() {
        for b in a + 1..ids.len() {
            found
                .extend(common(seen, &times, [ids[a], ids[b]]).map(|common| Common { of: [a, b], ..common }));
        }
    }
    let rarest = |pair: &Common| {
        let others = found.iter().filter(|other| other.of != pair.of);
        let limit = |other: &Common| clopper_pearson(other.differing as u64, other.cases as u64, 0.95).0;
        others.map(limit).min_by(f64::total_cmp)
    };
    let mut copies = Vec::new();
    for pair in &found {
        let p = rarest(pair).map(|rate| binomial_tails(pair.differing as u64, pair.cases as u64, rate).0);
        let all_equal = pair.differing == 0 && pair.cases >= ALL_EQUAL;
        let improbable = p.is_some_and(|p| p < IMPROBABLE / found.len() as f64);
        if pair.several && (all_equal || improbable) {
            copies.push(Copied {
                what: "readers",
                of: pair.of.map(|id| ids[id].clone()),
                cases: pair.cases,
                same: pair.cases - pair.differing,
                same_time: pair.same_time,
                p,
            });
        }
    }
    copies.extend(files(seen.rows));
    copies
}

/// What two readers have in common; `None` below ten cases.
fn common(
    seen: &Seen<'_>,
    times: &BTreeMap<(&str, &str), NaiveDateTime>,
    of: [&String; 2],
) -> Option<Common> {
    let mut rows = Vec::new();
    let mut same_time = 0;
    for (case, reads) in &seen.assembled.cases {
        let [Some(first), Some(second)] = of.map(|id| reads.reads.get(id)) else { continue };
        rows.push([*first, *second]);
        let [at_first, at_second] = of.map(|id| times.get(&(case.as_str(), id.as_str())));
        same_time += usize::from(first == second && at_first.is_some() && at_first == at_second);
    }
    if rows.len() < COMMON {
        return None;
    }
    let answers: BTreeSet<Read> = rows.iter().flatten().copied().collect();
    Some(Common {
        of: [0, 0],
        cases: rows.len(),
        differing: rows.iter().filter(|row| row[0] != row[1]).count(),
        several: answers.len() > 1,
        same_time,
    })
}

/// Files with the same reads of the same cases in the same order, whoever is said to have read.
fn files(rows: &[ReadRow]) -> Vec<Copied> {
    let mut contents: BTreeMap<&Path, Vec<&ReadRow>> = BTreeMap::new();
    for row in rows {
        contents.entry(&row.file).or_default().push(row);
    }
    let mut by_reads: BTreeMap<Vec<(&str, Read)>, Vec<&Path>> = BTreeMap::new();
    for (file, rows) in &contents {
        let several = rows.iter().any(|row| row.read != rows[0].read);
        if rows.len() >= COMMON && several {
            let reads = rows.iter().map(|row| (row.case_id.as_str(), row.read)).collect();
            by_reads.entry(reads).or_default().push(file);
        }
    }
    let mut copies = Vec::new();
    for files in by_reads.values() {
        for two in files.windows(2) {
            let [first, second] = [&contents[two[0]], &contents[two[1]]];
            let timed =
                first.iter().zip(second).filter(|(a, b)| a.time.is_some() && a.time == b.time).count();
            copies.push(Copied {
                what: "files",
                of: [two[0].display().to_string(), two[1].display().to_string()],
                cases: first.len(),
                same: first.len(),
                same_time: timed,
                p: None,
            });
        }
    }
    copies
}

/// One row a reader, but for the ignored, and a drawn case: in which state it is, the read and its time, as
/// CSV.
pub fn csv(seen: &Seen<'_>, status: &Status) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut times: BTreeMap<(&str, &str), NaiveDateTime> = BTreeMap::new();
    for row in seen.rows {
        if let Some(time) = row.time {
            let last = times.entry((&row.reader_id, &row.case_id)).or_insert(time);
            *last = (*last).max(time);
        }
    }
    let mut write = |cells: [&str; 6]| writer.write_record(cells).is_ok();
    write(["reader_id", "role", "case_id", "state", "read", "time"]);
    for reader in status.readers.iter().filter(|reader| reader.role != ReaderRole::Ignored.name()) {
        let missing: BTreeSet<&str> = reader.missing.iter().flatten().map(String::as_str).collect();
        let begun: BTreeSet<&str> = seen
            .no_reads
            .iter()
            .filter(|none| none.reader_id.as_deref() == Some(&reader.id))
            .filter(|none| none.reason == NoReadReason::NotCompleted)
            .filter_map(|none| none.case_id.as_deref())
            .collect();
        for case in seen.cases {
            let reads = seen.assembled.cases.get(*case);
            let read = reads.and_then(|reads| reads.reads.get(&reader.id));
            let set_aside = reads.is_some_and(|reads| reads.set_aside.contains(&reader.id));
            let state = match read {
                Some(_) => "read",
                None if set_aside => "set-aside",
                None if begun.contains(case) => "not-completed",
                None if missing.contains(case) => "missing",
                None => "not-expected",
            };
            let time = times.get(&(reader.id.as_str(), *case));
            let time = time.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
            write([&reader.id, reader.role, case, state, read.map_or("", |read| read.name()), &time]);
        }
    }
    writer.into_inner().unwrap_or_default()
}
