//! Order, washout and reading times, as far as ratings are dated and timed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReaderStudySource, ReadingOrder};
use crate::reads::reader_study::CaseRating;
use crate::statistics::quantile;
use crate::statistics::special::t_two_sided;
use crate::study::results::{ReadingSession, ReadingTime};

/// A reader's two reads of a case, without and with the device.
struct BothReads<'r> {
    reader: &'r str,
    case: &'r str,
    unaided: NaiveDateTime,
    aided: NaiveDateTime,
}

fn pairs(counted: &[CaseRating]) -> Vec<BothReads<'_>> {
    let mut of: BTreeMap<(&str, &str), [Option<NaiveDateTime>; 2]> = BTreeMap::new();
    for row in counted {
        of.entry((&row.reader, &row.case)).or_default()[usize::from(row.aided)] = row.time;
    }
    let both = |((reader, case), times): (_, [Option<NaiveDateTime>; 2])| {
        Some(BothReads { reader, case, unaided: times[0]?, aided: times[1]? })
    };
    of.into_iter().filter_map(both).collect()
}

/// What dated reads contradict of what is declared.
pub(super) fn warnings(source: &ReaderStudySource, counted: &[CaseRating], place: &str) -> Vec<Diagnostic> {
    let Some(order) = source.order else { return Vec::new() };
    let mut found = Vec::new();
    let mut warn = |code: Code, message: String, hint: &str| {
        found.push(Diagnostic::warning(code, message).at(Location::file(place)).hint(hint.to_owned()));
    };
    let twice: BTreeSet<(&str, &str)> = {
        let of = |aided: bool| -> BTreeSet<(&str, &str)> {
            let own = counted.iter().filter(|row| row.aided == aided);
            own.map(|row| (row.reader.as_str(), row.case.as_str())).collect()
        };
        of(false).intersection(&of(true)).copied().collect()
    };
    let dated = pairs(counted);
    if order.needs_washout()
        && let Some(days) = source.washout_days
    {
        let short: Vec<&BothReads> = dated.iter().filter(|pair| apart(pair) < days.cast_signed()).collect();
        if let Some(first) = short.iter().min_by_key(|pair| apart(pair)) {
            let message = format!(
                "{} of {} dated pairs of reads of one case by one reader lie less than {days} days apart, \
                 the closest {} days (reader `{}`, case `{}`)",
                short.len(),
                dated.len(),
                apart(first),
                first.reader,
                first.case
            );
            let hint = "a reader may have remembered the case: say so as a deviation, and show the result \
                        without these reads";
            warn(Code::WashoutBroken, message, hint);
        }
        if dated.len() < twice.len() {
            let message = format!(
                "of {} of {} pairs of reads the times are not known, so a washout of {days} days is not \
                 shown for them",
                twice.len() - dated.len(),
                twice.len()
            );
            warn(Code::WashoutNotShown, message, "name the column of times: `reader_study.time_column`");
        }
    }
    if order == ReadingOrder::Sequential {
        let early: Vec<&BothReads> = dated.iter().filter(|pair| pair.aided < pair.unaided).collect();
        if let Some(first) = early.first() {
            let message = format!(
                "{} of {} dated cases were read with the device first, and the order is declared as \
                 sequential: without it first (reader `{}`, case `{}`)",
                early.len(),
                dated.len(),
                first.reader,
                first.case
            );
            let hint = "who has seen the device's answer does not read without it";
            warn(Code::ReadingOrderBroken, message, hint);
        }
    }
    found
}

/// Whole days between both reads.
fn apart(pair: &BothReads<'_>) -> i64 {
    (pair.aided.date() - pair.unaided.date()).num_days().abs()
}

/// Fewest days between two reads of one case by one reader, where reads are dated.
pub(super) fn least_days(counted: &[CaseRating]) -> Option<u64> {
    pairs(counted).iter().map(|pair| apart(pair).unsigned_abs()).min()
}

/// One row a reader and modality.
pub(super) fn sessions(counted: &[CaseRating]) -> Vec<ReadingSession> {
    let mut of: BTreeMap<(&str, bool), Vec<&CaseRating>> = BTreeMap::new();
    for row in counted {
        of.entry((&row.reader, row.aided)).or_default().push(row);
    }
    let day = |time: &NaiveDateTime| time.format("%Y-%m-%d").to_string();
    of.into_iter()
        .map(|((reader, aided), rows)| {
            let times: BTreeSet<NaiveDateTime> = rows.iter().filter_map(|row| row.time).collect();
            let mut seconds: Vec<f64> = rows.iter().filter_map(|row| row.seconds).collect();
            seconds.sort_by(f64::total_cmp);
            let quartile = |p| quantile::of_ascending(&seconds, p).unwrap_or_default();
            ReadingSession {
                reader: reader.to_owned(),
                aided,
                reads: rows.len() as u64,
                first: times.first().map(day),
                last: times.last().map(day),
                seconds: (!seconds.is_empty()).then(|| [0.25, 0.5, 0.75].map(quartile)),
            }
        })
        .collect()
}

/// Mean reading time with the device less without it, over the cases that a reader timed both times. Readers
/// are the sample: each gives one difference, so cases of a reader are no independent trials. None with fewer
/// than two readers.
pub(super) fn time_difference(counted: &[CaseRating], level: f64) -> Option<ReadingTime> {
    let mut of: BTreeMap<(&str, &str), [Option<f64>; 2]> = BTreeMap::new();
    for row in counted {
        of.entry((&row.reader, &row.case)).or_default()[usize::from(row.aided)] = row.seconds;
    }
    let mut readers: BTreeMap<&str, Vec<[f64; 2]>> = BTreeMap::new();
    for ((reader, _), seconds) in of {
        if let [Some(unaided), Some(aided)] = seconds {
            readers.entry(reader).or_default().push([unaided, aided]);
        }
    }
    let count = readers.len();
    if count < 2 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let means: Vec<[f64; 2]> = readers
        .values()
        .map(|pairs| [0, 1].map(|place| mean(&pairs.iter().map(|pair| pair[place]).collect::<Vec<_>>())))
        .collect();
    let differences: Vec<f64> = means.iter().map(|[unaided, aided]| aided - unaided).collect();
    let difference = mean(&differences);
    let variance = differences.iter().map(|d| (d - difference).powi(2)).sum::<f64>() / (count - 1) as f64;
    let half = t_two_sided(level, (count - 1) as f64) * (variance / count as f64).sqrt();
    Some(ReadingTime {
        readers: count as u64,
        pairs: readers.values().map(Vec::len).sum::<usize>() as u64,
        unaided: mean(&means.iter().map(|pair| pair[0]).collect::<Vec<_>>()),
        aided: mean(&means.iter().map(|pair| pair[1]).collect::<Vec<_>>()),
        difference,
        lower: difference - half,
        upper: difference + half,
    })
}
