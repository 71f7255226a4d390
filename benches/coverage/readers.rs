//! Intervals of readers' agreement. Three readers read every case and err independently of each other given
//! the case: with the finding or without (sensitivity 0.8, specificity 0.9), or on a scale of five levels.
//! Where cases are clustered a patient has three images and one label, and with probability 0.6 a reader says
//! of all of them what the reader says of the first: that leaves the distribution of each case, and so every
//! coefficient of the population, as it is without clusters.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;
use sequester::statistics::agreement::estimates::{self as agreement, Clusters};
use sequester::statistics::agreement::ordinal::{self, Weights};
use sequester::statistics::estimate::{Estimate, IntervalMethod as By};
use sequester::statistics::random::Stream;

use crate::simulate::{
    PREVALENCES, REPLICATES, RUNS, Rows, SIZES, Seen, header, print as print_rows, settings,
};

const SENSITIVITY: f64 = 0.8;
const SPECIFICITY: f64 = 0.9;
/// Levels of the scale, and how often each is said of a case without the finding; with it, the other way.
const SCALE: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
const WITHOUT: [f64; 5] = [0.50, 0.25, 0.12, 0.08, 0.05];
const READERS: usize = 3;
const IMAGES: usize = 3;
/// So often a reader says of all images of a patient what the reader says of the first.
const SAME: f64 = 0.6;

/// How often each answer is said of a case; `of` is negative and positive, or the levels of the scale.
type Answers<const N: usize> = [[f64; N]; 2];

const TWO: Answers<2> = [[SPECIFICITY, 1.0 - SPECIFICITY], [1.0 - SENSITIVITY, SENSITIVITY]];

fn five() -> Answers<5> {
    let mut with = WITHOUT;
    with.reverse();
    [WITHOUT, with]
}

struct Table {
    rows: Vec<Vec<Option<usize>>>,
    patients: Vec<u32>,
}

fn draw<const N: usize>(
    n: usize,
    prevalence: f64,
    answers: &Answers<N>,
    clustered: bool,
    stream: &mut Stream,
) -> Table {
    let said = |label: bool, stream: &mut Stream| {
        let (u, mut below) = (stream.unit(), 0.0);
        let level = answers[usize::from(label)].iter().position(|p| {
            below += p;
            u < below
        });
        Some(level.unwrap_or(N - 1))
    };
    let mut table = Table { rows: Vec::new(), patients: Vec::new() };
    let mut patient = 0;
    while table.rows.len() < n {
        let label = stream.unit() < prevalence;
        let first: Vec<_> = (0..READERS).map(|_| said(label, stream)).collect();
        let same: Vec<bool> = (0..READERS).map(|_| stream.unit() < SAME).collect();
        for image in 0..if clustered { IMAGES } else { 1 } {
            let of = |reader: usize, stream: &mut Stream| {
                if image == 0 || same[reader] { first[reader] } else { said(label, stream) }
            };
            table.rows.push((0..READERS).map(|reader| of(reader, stream)).collect());
            table.patients.push(patient);
        }
        patient += 1;
    }
    table
}

/// The coefficient in the population: all readers have one rate of each answer there, so that Cohen's,
/// Fleiss' and Conger's kappa and Krippendorff's alpha are one number.
fn truth<const N: usize>(id: &str, p: f64, answers: &Answers<N>, weights: Option<Weights>) -> f64 {
    let width = (N - 1) as f64;
    let weight = |a: usize, b: usize| {
        let distance = a.abs_diff(b) as f64 / width;
        match weights {
            None => f64::from(u8::from(a == b)),
            Some(Weights::Linear) => 1.0 - distance,
            Some(Weights::Quadratic) => 1.0 - distance * distance,
        }
    };
    let alike = |f: &[f64; N], g: &[f64; N]| -> f64 {
        (0..N).map(|a| (0..N).map(|b| weight(a, b) * f[a] * g[b]).sum::<f64>()).sum()
    };
    let [without, with] = answers;
    let observed = p * alike(with, with) + (1.0 - p) * alike(without, without);
    let mut rates = [0.0; N];
    for (rate, (a, b)) in rates.iter_mut().zip(with.iter().zip(without)) {
        *rate = p * a + (1.0 - p) * b;
    }
    let expected = if id.starts_with("gwet") {
        let all: f64 = (0..N).map(|a| (0..N).map(|b| weight(a, b)).sum::<f64>()).sum();
        let choices = N as f64;
        all / (choices * (choices - 1.0)) * rates.iter().map(|rate| rate * (1.0 - rate)).sum::<f64>()
    } else {
        alike(&rates, &rates)
    };
    (observed - expected) / (1.0 - expected)
}

/// Of each coefficient its rows: the first pair where it is one of pairs.
fn simulated<const N: usize>(
    ids: &[(&'static str, Option<Weights>)],
    answers: &Answers<N>,
    clustered: bool,
    of: impl Fn(&Table, Option<&Clusters<'_>>) -> Vec<Estimate> + Sync,
) -> Vec<(&'static str, Rows)> {
    let cells = SIZES.len() * PREVALENCES.len();
    let mut found: Vec<(&'static str, Rows)> = ids.iter().map(|(id, _)| (*id, Rows::new())).collect();
    for (cell, p, n) in settings() {
        let truths: Vec<f64> = ids.iter().map(|(id, weights)| truth(id, p, answers, *weights)).collect();
        let one = |run: u64| -> Vec<(usize, By, bool, f64)> {
            let table = draw(n, p, answers, clustered, &mut Stream::new(1000 + n as u64, run));
            let clusters = Clusters { patients: &table.patients, replicates: REPLICATES, seed: 7 };
            // What ignores that patients have several images is shown for what it costs.
            let mut all = of(&table, None);
            if clustered {
                all.extend(of(&table, Some(&clusters)));
            }
            let pairs = |e: &Estimate| e.model.as_deref().is_none_or(|model| model == "R1 vs R2");
            all.iter()
                .filter(|e| pairs(e))
                .filter_map(|e| Some((ids.iter().position(|(id, _)| *id == e.id)?, e)))
                .flat_map(|(place, e)| e.intervals.iter().map(move |i| (place, i)))
                .map(|(place, i)| {
                    let holds = i.lower <= truths[place] && truths[place] <= i.upper;
                    (place, i.method, holds, i.upper - i.lower)
                })
                .collect()
        };
        let seen: Vec<Vec<_>> = (0..RUNS).into_par_iter().map(one).collect();
        for (place, method, holds, width) in seen.into_iter().flatten() {
            let seen =
                &mut found[place].1.entry(method).or_insert_with(|| vec![Seen::default(); cells])[cell];
            seen.count += 1;
            seen.holds += u64::from(holds);
            seen.width += width;
        }
        for row in found.iter_mut().flat_map(|(_, rows)| rows.values_mut()) {
            row[cell].runs = RUNS;
        }
    }
    found
}

/// The part of the document that is about readers.
pub fn print() {
    let begun = Instant::now();
    println!(
        "\nReaders: three readers of every case (Cohen's and weighted kappa: the first two), with the \
         finding or without, and below on a scale of five levels. Intervals are from the standard error, and \
         in clustered tables (three images a patient, one label a patient; with probability {SAME} a reader \
         says of all of them what the reader says of the first) from a bootstrap of patients, which is what \
         documents print there; those from the standard error are shown for what they cost.\n"
    );
    header();
    let readers = ["R1", "R2", "R3"].map(str::to_owned);
    let two: Vec<_> = ["cohen_kappa", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "gwet_ac1"]
        .map(|id| (id, None))
        .to_vec();
    let scale: Vec<_> = [
        ("weighted_kappa_linear", Weights::Linear),
        ("weighted_kappa_quadratic", Weights::Quadratic),
        ("gwet_ac2_linear", Weights::Linear),
        ("gwet_ac2_quadratic", Weights::Quadratic),
    ]
    .map(|(id, weights)| (id, Some(weights)))
    .to_vec();
    let mut all: BTreeMap<(usize, bool), (&str, Rows)> = BTreeMap::new();
    for clustered in [false, true] {
        let found = simulated(&two, &TWO, clustered, |table, clusters| {
            agreement::estimates(&table.rows, 2, &readers, 0.95, clusters)
        });
        let on_scale = simulated(&scale, &five(), clustered, |table, clusters| {
            ordinal::estimates(&readers, &table.rows, &SCALE, 0.95, clusters)
        });
        let found = found.into_iter().chain(on_scale).enumerate();
        all.extend(found.map(|(place, rows)| ((place, clustered), rows)));
        eprintln!("readers, clustered: {clustered}, after {:.0} s", begun.elapsed().as_secs_f64());
    }
    for ((_, clustered), (id, rows)) in all {
        print_rows(id, clustered, &rows);
    }
}
