//! What a rehearsal simulates beside scores and reads: the predicate's output and repeated images.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::{MARK, Quality, cell, has_ending, place, section, unit};
use crate::diagnostic::Result;
use crate::protocol::{Combine, PredicateOutput, Protocol};
use crate::random::Stream;
use crate::statistics::special::normal_quantile;
use crate::study::{Cohort, Files};

/// Patients with repeated images, and images of each under every level of a condition.
const REPEATED: (usize, usize) = (30, 2);
/// Levels of each condition.
const LEVELS: [&str; 2] = ["A", "B"];
/// Correlation of the latent scores of two images of one patient, taken on one day.
const ALIKE: f64 = 0.9;

/// Simulated tables that the protocol names beside scores and reads, and where they lie.
pub(super) fn beside(
    table: &mut Table,
    protocol: &Protocol,
    cohort: &Cohort,
    truth: &[bool],
    quality: &Quality,
    threshold: f64,
    simulated: &mut Files,
) -> Result<()> {
    if let Some(source) = &protocol.predicate {
        let path = csv(section(table, "predicate"), &source.file, "predicate.csv")?;
        simulated.insert(path, predicate(protocol, cohort, truth, quality).into());
    }
    if let Some(source) = &protocol.repeatability {
        let path = csv(section(table, "repeatability"), &source.file, "repeats.csv")?;
        simulated.insert(path, repeats(protocol, quality, threshold).into());
    }
    // A rehearsal scores on no machine: how long the device takes is not simulated.
    if protocol.triage.is_some() {
        section(table, "triage").remove("processing_column");
    }
    Ok(())
}

/// The table's place. What is no CSV is rehearsed as one.
fn csv(
    section: &mut Table,
    file: &crate::digest::RelativePath,
    instead: &str,
) -> Result<crate::digest::RelativePath> {
    if has_ending(file) {
        return Ok(file.clone());
    }
    section.insert("file".to_owned(), Value::from(instead));
    place(instead)
}

/// A predicate as good as the simulated device that errs independently of it, on a scale of its own.
fn predicate(protocol: &Protocol, cohort: &Cohort, truth: &[bool], quality: &Quality) -> Vec<u8> {
    let Some(source) = &protocol.predicate else { return Vec::new() };
    let mut stream = Stream::new(quality.seed, 4);
    let (distance, cut) = quality.device.classes();
    let column = cell(source.output.column());
    let mut text = format!("{},{column},{MARK}\n", cell(&source.case_column));
    for (case, positive) in cohort.drawn_cases().zip(truth) {
        let seen = normal_quantile(unit(&mut stream)) + if *positive { distance } else { 0.0 };
        let output = match source.output {
            PredicateOutput::Scores { threshold, .. } => {
                format!("{:.6}", threshold.unwrap_or_default() + seen - cut)
            }
            PredicateOutput::Answers { .. } => if seen >= cut { "positive" } else { "negative" }.to_owned(),
        };
        let _ = writeln!(text, "{},{output},simulated", cell(&case.case_id));
    }
    text.into_bytes()
}

/// Patients of both classes with images under every level, alike as images of one day are.
fn repeats(protocol: &Protocol, quality: &Quality, threshold: f64) -> Vec<u8> {
    let Some(source) = &protocol.repeatability else { return Vec::new() };
    let mut stream = Stream::new(quality.seed, 5);
    let (distance, cut) = quality.device.classes();
    let scores = &protocol.scores;
    let columns: Vec<String> = scores.columns.iter().map(|column| cell(column)).collect();
    let conditions: Vec<String> = source.conditions.iter().map(|column| cell(column)).collect();
    let mut head = vec![cell(&scores.case_column), cell(&source.patient_column)];
    head.extend(columns.iter().cloned().chain(conditions.iter().cloned()));
    let mut text = format!("{},{MARK}\n", head.join(","));
    let threshold = threshold.clamp(1e-6, 1.0 - 1e-6);
    let scale = if distance > 0.0 { distance } else { 1.0 };
    let images = REPEATED.1 * if conditions.is_empty() { 1 } else { LEVELS.len() };
    for patient in 1..=REPEATED.0 {
        let own = normal_quantile(unit(&mut stream));
        let mean = if patient % 2 == 0 { distance } else { 0.0 };
        for image in 1..=images {
            let noise = normal_quantile(unit(&mut stream));
            let seen = ALIKE.sqrt() * own + (1.0 - ALIKE).sqrt() * noise + mean;
            let odds = (threshold / (1.0 - threshold)).ln() + scale * (seen - cut);
            let score = 1.0 / (1.0 + (-odds).exp());
            let part = match scores.combine {
                Combine::NoisyOr => 1.0 - (1.0 - score).powf(1.0 / columns.len().max(1) as f64),
                Combine::Max | Combine::Mean => score,
            };
            let mut cells = vec![format!("repeat-{patient}-{image}"), format!("repeated-{patient}")];
            cells.extend(columns.iter().map(|_| format!("{part:.6}")));
            cells.extend(conditions.iter().map(|_| LEVELS[image % LEVELS.len()].to_owned()));
            let _ = writeln!(text, "{},simulated", cells.join(","));
        }
    }
    text.into_bytes()
}
