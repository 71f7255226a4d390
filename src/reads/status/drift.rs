//! Whether the share of positive answers of a reader changes along the time.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use super::told::{Drift, Seen};
use crate::reads::files::{Read, ReadRow};
use crate::statistics::trend::cochran_armitage;

/// A trend needs so many reads, and so many of each answer.
const DRIFT_READS: usize = 20;
const DRIFT_ANSWERS: usize = 5;
/// A trend is told from here on.
const DRIFT_P: f64 = 0.01;
/// Parts of the order in which shares are shown.
const PARTS: usize = 4;

/// The reads of one reader in the order of their times. The order of a file says nothing: exports are sorted.
pub fn drift(seen: &Seen<'_>, drawn: &BTreeSet<&str>, id: &str) -> Drift {
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
