//! Three simulated readers: one perceived severity a case, seen by each with its own noise and threshold.

use chrono::{Days, NaiveDate};

use super::plan::epoch;
use super::random::{Draw, Purpose};
use super::{Item, ReadValue, Reading};

/// How one reader reads.
struct Reader {
    id: &'static str,
    /// Perceived severity from which it calls pneumonia.
    threshold: f64,
    /// Deviation of its own noise.
    noise: f64,
    /// How much other shadows mislead it.
    misled: f64,
    /// Within this distance of the threshold it may not decide.
    doubt: f64,
    /// Share of cases it never reads.
    missing: f64,
    /// Cases a day.
    pace: u64,
}

const READERS: [Reader; 3] = [
    Reader {
        id: "reader-1",
        threshold: 0.27,
        noise: 0.06,
        misled: 0.5,
        doubt: 0.02,
        missing: 0.004,
        pace: 70,
    },
    Reader {
        id: "reader-2",
        threshold: 0.34,
        noise: 0.09,
        misled: 0.5,
        doubt: 0.03,
        missing: 0.008,
        pace: 55,
    },
    Reader {
        id: "reader-3",
        threshold: 0.22,
        noise: 0.11,
        misled: 0.8,
        doubt: 0.03,
        missing: 0.012,
        pace: 45,
    },
];

/// How many readers there are.
pub(super) const COUNT: usize = READERS.len();

/// Every reader's reads of the cases, each in the order in which it read them.
pub(super) fn reads(seed: u64, items: &[Item]) -> Vec<(String, Vec<Reading>)> {
    READERS
        .iter()
        .enumerate()
        .map(|(number, reader)| (reader.id.to_owned(), of(seed, number, reader, items)))
        .collect()
}

fn of(seed: u64, number: usize, reader: &Reader, items: &[Item]) -> Vec<Reading> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    let shuffle = &mut Draw::new(seed, Purpose::Reader, ((number as u64 + 1) << 40) | 0xFFFF_FFFF);
    for last in (1..order.len()).rev() {
        order.swap(last, shuffle.index(last + 1));
    }
    let mut reads = Vec::with_capacity(items.len());
    for index in order {
        let item = &items[index];
        // What is common to all readers: how the case looks.
        let shared = Draw::new(seed, Purpose::Truth, item.stream).normal(0.0, 0.05);
        let own = &mut Draw::new(seed, Purpose::Reader, ((number as u64 + 1) << 40) | item.stream);
        if own.chance(reader.missing) {
            continue;
        }
        let perceived =
            item.truth.severity + reader.misled * item.truth.mimicry + shared + own.normal(0.0, reader.noise);
        let value = if (perceived - reader.threshold).abs() < reader.doubt && own.chance(0.5) {
            ReadValue::Indeterminate
        } else if perceived > reader.threshold {
            ReadValue::Positive
        } else {
            ReadValue::Negative
        };
        let day = 3_300 + 3 * number as u64 + reads.len() as u64 / reader.pace;
        reads.push(Reading { case_id: item.case.case_id.to_string(), value, read_at: date(day) });
    }
    reads
}

fn date(day: u64) -> NaiveDate {
    epoch().checked_add_days(Days::new(day)).unwrap_or_else(epoch)
}
