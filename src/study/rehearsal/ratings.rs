//! Ratings of a reader study as a rehearsal simulates them: binormal readers who see a little more with the
//! device, in the declared design, dated as the declared order and washout ask.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::{MARK, Quality, cell, place, section, unit};
use crate::diagnostic::Result;
use crate::protocol::{Protocol, ReaderStudySource, ReadingDesign};
use crate::random::Stream;
use crate::statistics::special::{normal_cdf, normal_quantile};
use crate::study::{Cohort, Files};

/// Readers where none are planned, and the most that are simulated.
const READERS: (u32, u32) = (5, 20);
/// By how much more classes lie apart with the device, and how far readers differ.
const GAIN: f64 = 0.3;
const SPREAD: f64 = 0.2;
/// Correlation of two readers' latent ratings of one case.
const ALIKE: f64 = 0.5;
const FILE: &str = "simulated-ratings.csv";

/// The simulated ratings, where the protocol declares a reader study; the protocol of the rehearsal names
/// them, and no table of codes.
pub(super) fn ratings(
    table: &mut Table,
    protocol: &Protocol,
    cohort: &Cohort,
    truth: &[bool],
    quality: &Quality,
    simulated: &mut Files,
) -> Result<()> {
    let Some(source) = &protocol.reader_study else { return Ok(()) };
    let declared = section(table, "reader_study");
    declared.insert("files".to_owned(), Value::from(vec![FILE]));
    declared.remove("case_map");
    simulated.insert(place(FILE)?, of_cases(source, cohort, truth, quality).into());
    Ok(())
}

/// Whether a reader reads a case in a modality; `group` is the case's in a split-plot design.
fn reads(design: ReadingDesign, (reader, readers): (u32, u32), group: bool, aided: bool) -> bool {
    match design {
        ReadingDesign::Crossed => true,
        // The second half of the readers reads with the device.
        ReadingDesign::Nested => (reader >= readers / 2) == aided,
        ReadingDesign::SplitPlot => (reader % 2 == 0) == group,
    }
}

fn of_cases(source: &ReaderStudySource, cohort: &Cohort, truth: &[bool], quality: &Quality) -> Vec<u8> {
    let mut stream = Stream::new(quality.seed, 6);
    let groups: Vec<bool> = truth.iter().map(|_| unit(&mut stream) < 0.5).collect();
    let mut normal = || normal_quantile(unit(&mut stream));
    let (distance, _) = quality.device.classes();
    let least = if source.design == ReadingDesign::Crossed { 2 } else { 4 };
    let readers = source.planned.as_ref().map_or(READERS.0, |planned| planned.readers);
    let readers = readers.clamp(least, READERS.1);
    let of_case: Vec<f64> = truth.iter().map(|_| normal()).collect();
    let mut head: Vec<String> =
        [&source.reader_column, &source.case_column, &source.modality_column, &source.rating_column]
            .map(|column| cell(column))
            .into();
    head.extend([&source.time_column, &source.seconds_column].into_iter().flatten().map(|name| cell(name)));
    let mut text = format!("{},{MARK}\n", head.join(","));
    let words = [Some(&source.unaided), source.aided.as_ref()];
    let apart = source.washout_days.unwrap_or(0);
    let width = source.scale.max - source.scale.min;
    for reader in 0..readers {
        let own = SPREAD * normal();
        for (aided, word) in [false, true].into_iter().zip(words) {
            let Some(word) = word else { continue };
            let gain = if aided { GAIN } else { 0.0 };
            for (place, (case, positive)) in cohort.drawn_cases().zip(truth).enumerate() {
                let noise = normal();
                if !reads(source.design, (reader, readers), groups[place], aided) {
                    continue;
                }
                let mean = if *positive { (distance + own + gain).max(0.0) } else { 0.0 };
                let seen = ALIKE.sqrt() * of_case[place] + (1.0 - ALIKE).sqrt() * noise + mean;
                let share = normal_cdf(seen - distance / 2.0);
                let rating = (source.scale.min + width * share).clamp(source.scale.min, source.scale.max);
                let mut cells = vec![
                    format!("simulated-reader-{}", reader + 1),
                    cell(&case.case_id),
                    cell(word),
                    format!("{rating:.4}"),
                ];
                if source.time_column.is_some() {
                    cells.push(day(if aided { apart } else { 0 }));
                }
                if source.seconds_column.is_some() {
                    cells.push(format!("{:.1}", 40.0 + 20.0 * (noise / 3.0).abs()));
                }
                let _ = writeln!(text, "{},simulated", cells.join(","));
            }
        }
    }
    text.into_bytes()
}

/// So many days after the first of January 2000, which no real read is dated on.
fn day(after: u64) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    let day = first.checked_add_days(chrono::Days::new(after)).unwrap_or(first);
    format!("{day} 09:00")
}
