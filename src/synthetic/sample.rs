//! A study at score level to start from: cases, scores of a device and reads, invented, and without images.
//! What is true of a case is known here alone: scores and reads follow from it with noise.

use std::fmt::Write as _;

use super::random::{Draw, Purpose};
use super::{Cohort, Item, write};

/// Readers beside the device: who they are called, from which perceived severity they call the finding, and
/// their noise.
const BESIDE: [(&str, f64, f64); 2] = [("reader-4", 0.35, 0.12), ("reader-5", 0.30, 0.10)];
/// Streams of the score and of these readers, apart from those of the three others.
const SCORES: u64 = 1 << 40;
/// Streams of how long the device takes.
const TIMES: u64 = 1 << 50;

/// A device's score: what is conspicuous raises it, and so does what could be taken for it.
fn score(item: &Item, draw: &mut Draw) -> f64 {
    let seen = 9.0 * item.truth.severity + 0.8 * item.truth.mimicry - 2.2 + draw.normal(0.0, 0.6);
    1.0 / (1.0 + (-seen).exp())
}

/// Files of a study relative to its folder: `cases.csv`, `scores.csv`, `reads/reader-N.csv`; with `beside`
/// the reads of two readers who have no vote, with `timed` the seconds
/// that the device takes in the score table. The case table says of every row that it is synthetic, and so
/// do documents.
pub fn sample(cohort: &Cohort, beside: bool, timed: bool) -> Vec<(String, Vec<u8>)> {
    let seed = cohort.settings().seed;
    let items = cohort.pool();
    let mut scores = String::from(if timed { "case_id,score,seconds\n" } else { "case_id,score\n" });
    for (index, item) in items.iter().enumerate() {
        let mut draw = Draw::new(seed, Purpose::Reader, SCORES + index as u64);
        let _ = write!(scores, "{},{:.4}", item.case.case_id, score(item, &mut draw));
        if timed {
            let mut draw = Draw::new(seed, Purpose::Reader, TIMES + index as u64);
            let _ = write!(scores, ",{:.2}", 9.0 * draw.normal(0.0, 0.3).exp());
        }
        scores.push('\n');
    }
    let mut files = vec![
        ("cases.csv".to_owned(), write::table_without_images(items)),
        ("scores.csv".to_owned(), scores.into_bytes()),
    ];
    for (reader, reads) in cohort.reads() {
        let mut text = String::from("case_id,reader_id,read,read_at\n");
        for read in &reads {
            let _ = writeln!(text, "{},{reader},{},{}", read.case_id, read.value.as_str(), read.read_at);
        }
        files.push((format!("reads/{reader}.csv"), text.into_bytes()));
    }
    for (number, (reader, threshold, noise)) in BESIDE.into_iter().enumerate().filter(|_| beside) {
        let mut text = String::from("case_id,reader_id,read\n");
        for (index, item) in items.iter().enumerate() {
            let stream = SCORES * (number as u64 + 2) + index as u64;
            let mut draw = Draw::new(seed, Purpose::Reader, stream);
            let seen = item.truth.severity + 0.2 * item.truth.mimicry + draw.normal(0.0, noise);
            let read = if seen >= threshold { "positive" } else { "negative" };
            let _ = writeln!(text, "{},{reader},{read}", item.case.case_id);
        }
        files.push((format!("reads/{reader}.csv"), text.into_bytes()));
    }
    files
}
