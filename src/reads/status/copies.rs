//! Readers, and files, whose reads are the same beyond what the others make probable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDateTime;

use super::told::{Copied, Seen};
use crate::reads::files::{Read, ReadRow};
use crate::statistics::proportion::clopper_pearson;
use crate::statistics::special::binomial_tails;

/// Below so many common cases nothing is said of copies.
const COMMON: usize = 10;
/// From so many common cases on equal reads of all of them are told whatever the other readers do.
const ALL_EQUAL: usize = 20;
/// So improbable a number of equal reads is told, for all pairs together.
const IMPROBABLE: f64 = 0.001;
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
pub fn copies(seen: &Seen<'_>) -> Vec<Copied> {
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
        contents.entry(row.file.as_path()).or_default().push(row);
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
