//! How often each interval contains the truth: `cargo bench --bench coverage` prints the first part of
//! `docs/coverage.md`; `coverage_comparisons` prints the rest.
//!
//! Two scores a case are normal, 1.2 and 0.9 apart between the classes and correlated, with a patient's share
//! of the spread where cases are clustered (three images a patient, one label a patient). The first is turned
//! into the probability that it stands for, so it is calibrated, and the threshold is the prevalence:
//! sensitivity = specificity = Φ(0.6). Every truth is a closed form or an integral over the population.
//! What readers do is said in `readers.rs`; `cargo bench --bench coverage -- readers` prints that part alone.

mod readers;
mod simulate;

use std::time::Instant;

use sequester::statistics::estimate::{IntervalMethod as By, ResamplingUnit};
use sequester::statistics::metric::{
    Metric, Plan, Sample, estimate, estimate_at_prevalence, estimate_difference,
};
use sequester::statistics::random::Stream;
use sequester::statistics::special::{normal_cdf, normal_quantile};
use simulate::{FEW, PREVALENCES, REPLICATES, RUNS, Rows, SIZES, header, print, settings, simulate};

/// Fits of the calibration are repeated less often: each replicate is a fit.
const FIT_RUNS: u64 = 400;
const FIT_REPLICATES: u64 = 200;
const APART: f64 = 1.2;
const APART_B: f64 = 0.9;
/// Correlation of the two scores within a class.
const CORRELATION: f64 = 0.5;
/// The declared prevalence that predictive values are carried to.
const DECLARED: f64 = 0.1;

struct Table {
    labels: Vec<bool>,
    scores: Vec<f64>,
    other: Vec<f64>,
    patients: Vec<u32>,
}

fn logistic(u: f64) -> f64 {
    1.0 / (1.0 + (-u).exp())
}

/// The probability of a positive that a normal score stands for.
fn probability(x: f64, prevalence: f64) -> f64 {
    logistic(APART * x - APART * APART / 2.0 + (prevalence / (1.0 - prevalence)).ln())
}

fn draw(n: usize, prevalence: f64, clustered: bool, stream: &mut Stream) -> Table {
    let mut out = Table { labels: vec![], scores: vec![], other: vec![], patients: vec![] };
    let mut patient = 0;
    let pair = |stream: &mut Stream| {
        let first = normal_quantile(stream.unit());
        let rest = normal_quantile(stream.unit());
        (first, CORRELATION * first + (1.0 - CORRELATION * CORRELATION).sqrt() * rest)
    };
    while out.labels.len() < n {
        let label = stream.unit() < prevalence;
        let shared = pair(stream);
        for _ in 0..if clustered { 3 } else { 1 } {
            let own = pair(stream);
            let mix = |own: f64, shared: f64| if clustered { 0.8 * own + 0.6 * shared } else { own };
            let shift = |apart: f64| if label { apart } else { 0.0 };
            out.labels.push(label);
            out.scores.push(probability(mix(own.0, shared.0) + shift(APART), prevalence));
            out.other.push(mix(own.1, shared.1) + shift(APART_B));
            out.patients.push(patient);
        }
        patient += 1;
    }
    out
}

/// ∫ f over 0..1 by midpoints.
fn integral(f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: u32 = 200_000;
    (0..STEPS).map(|i| f((f64::from(i) + 0.5) / f64::from(STEPS))).sum::<f64>() / f64::from(STEPS)
}

/// The value in the population; none for what has no population value here.
fn truth(metric: Metric, p: f64) -> Option<f64> {
    let (se, sp) = (normal_cdf(APART / 2.0), normal_cdf(APART / 2.0));
    let (tp, fn_, fp, tn) = (p * se, p * (1.0 - se), (1.0 - p) * (1.0 - sp), (1.0 - p) * sp);
    // Mean over the population of a function of (probability, label).
    let mean = |f: &dyn Fn(f64, bool) -> f64| {
        integral(|u| {
            let x = normal_quantile(u);
            p * f(probability(x + APART, p), true) + (1.0 - p) * f(probability(x, p), false)
        })
    };
    Some(match metric {
        Metric::Auc => normal_cdf(APART / 2.0_f64.sqrt()),
        Metric::AveragePrecision => integral(|recall| {
            // The rate of false positives at the threshold with this recall.
            let rate = normal_cdf(-(APART - normal_quantile(recall)));
            p * recall / (p * recall + (1.0 - p) * rate)
        }),
        Metric::PartialAuc => {
            let bound = 0.1;
            let area = bound * integral(|u| normal_cdf(APART + normal_quantile(bound * u)));
            let least = bound * bound / 2.0;
            0.5 * (1.0 + (area - least) / (bound - least))
        }
        Metric::Sensitivity => se,
        Metric::Specificity => sp,
        Metric::Ppv => tp / (tp + fp),
        Metric::Npv => tn / (tn + fn_),
        Metric::Accuracy => tp + tn,
        Metric::Prevalence => p,
        Metric::F1 => 2.0 * tp / (2.0 * tp + fp + fn_),
        Metric::BalancedAccuracy => (se + sp) / 2.0,
        Metric::Youden => se + sp - 1.0,
        Metric::Mcc => (tp * tn - fp * fn_) / ((tp + fp) * p * (1.0 - p) * (tn + fn_)).sqrt(),
        Metric::LrPositive => se / (1.0 - sp),
        Metric::LrNegative => (1.0 - se) / sp,
        Metric::DiagnosticOddsRatio => se * sp / ((1.0 - se) * (1.0 - sp)),
        Metric::Brier => mean(&|q, label| if label { (1.0 - q) * (1.0 - q) } else { q * q }),
        Metric::LogLoss => mean(&|q, label| -(if label { q } else { 1.0 - q }).ln()),
        // The scores are calibrated.
        Metric::CalibrationSlope => 1.0,
        Metric::CalibrationIntercept | Metric::CalibrationInTheLarge | Metric::Ece | Metric::Mce => 0.0,
    })
}

fn main() {
    let begun = Instant::now();
    if std::env::args().any(|argument| argument == "readers") {
        readers::print();
        return;
    }
    let closed = [
        By::Delong,
        By::DelongLogit,
        By::HanleyMcneil,
        By::UStatistic,
        By::ClopperPearson,
        By::ClopperPearsonPatients,
        By::KornGraubard,
        By::Wilson,
        By::AgrestiCoull,
        By::Jeffreys,
        By::Wald,
        By::Log,
        By::Hoeffding,
    ];
    let bootstraps = [By::BootstrapPercentile, By::BootstrapBasic, By::BootstrapBca];
    println!("# Coverage of the intervals\n");
    println!(
        "Made by `cargo bench --bench coverage`: {RUNS} tables each with {REPLICATES} bootstrap replicates \
         ({FIT_RUNS} with {FIT_REPLICATES} for the three fits of the calibration), level 0.95. A cell is \
         \"coverage % · mean width\" at \"cases, prevalence\". ↓ and ↑: below and above 95 % by more than \
         2.576 standard errors of the simulation (1.8 points of {RUNS} tables, 2.8 of {FIT_RUNS}, more \
         where fewer tables gave an interval): 1 of 100 exact intervals would be marked by chance. In \
         brackets: the share of tables that gave an interval, where it is below 99 %; coverage is of those \
         alone (– below {FEW} tables).\n"
    );
    println!(
        "In clustered tables (three images a patient, correlation 0.36 of scores, one label a patient) the \
         bootstrap draws patients; methods that ignore clustering are shown for what they cost. Scores are \
         calibrated, so the truth of ECE and MCE is 0, which no interval of theirs can hold: both are \
         biased upwards. `@ {DECLARED}`: carried to that prevalence. At 50 cases and prevalence 0.02 a \
         table has one positive case on average.\n"
    );
    header();
    let cells = SIZES.len() * PREVALENCES.len();
    for metric in Metric::ALL {
        let fit = metric >= Metric::CalibrationSlope;
        let (runs, replicates) = if fit { (FIT_RUNS, FIT_REPLICATES) } else { (RUNS, REPLICATES) };
        for clustered in [false, true] {
            let mut methods = closed.to_vec();
            methods.extend(bootstraps.iter().filter(|m| !fit || **m != By::BootstrapBca));
            // Without clusters Obuchowski's interval is DeLong's.
            methods.extend(clustered.then_some(By::Obuchowski));
            let unit = if clustered { ResamplingUnit::Patient } else { ResamplingUnit::Case };
            let plan = Plan::new(0.95, methods, unit, replicates, 7);
            let sampled = |n: usize, p: f64, run: u64| draw(n, p, clustered, &mut Stream::new(n as u64, run));
            let mut rows = Rows::new();
            let mut carried = Rows::new();
            for (cell, p, n) in settings() {
                let Some(expected) = truth(metric, p) else { continue };
                // The threshold is the prevalence, apart from rounding.
                let one = |run: u64| {
                    let t = sampled(n, p, run);
                    let patients = clustered.then_some(t.patients.as_slice());
                    let sample = Sample { labels: &t.labels, scores: &t.scores, patients, sites: None };
                    estimate(metric, &sample, Some(p), &plan)
                };
                simulate(&mut rows, cell, cells, runs, expected, one, |m| metric.accepts(m));
                if matches!(metric, Metric::Ppv | Metric::Npv | Metric::F1) {
                    let expected = truth(metric, DECLARED).unwrap_or_default();
                    let one = |run: u64| {
                        let t = sampled(n, p, run);
                        let patients = clustered.then_some(t.patients.as_slice());
                        let sample = Sample { labels: &t.labels, scores: &t.scores, patients, sites: None };
                        estimate_at_prevalence(metric, &sample, p, DECLARED, &plan)
                    };
                    simulate(&mut carried, cell, cells, runs, expected, one, |_| true);
                }
            }
            print(metric.id(), clustered, &rows);
            print(&format!("{} @ {DECLARED}", metric.id()), clustered, &carried);
        }
        eprintln!("{} after {:.0} s", metric.id(), begun.elapsed().as_secs_f64());
    }
    for clustered in [false, true] {
        let mut methods = vec![By::Delong];
        methods.extend(clustered.then_some(By::Obuchowski));
        methods.extend(bootstraps);
        let unit = if clustered { ResamplingUnit::Patient } else { ResamplingUnit::Case };
        let plan = Plan::new(0.95, methods, unit, REPLICATES, 7);
        let mut rows = Rows::new();
        let expected = normal_cdf(APART / 2.0_f64.sqrt()) - normal_cdf(APART_B / 2.0_f64.sqrt());
        for (cell, p, n) in settings() {
            let one = |run: u64| {
                let t = draw(n, p, clustered, &mut Stream::new(n as u64, run));
                let patients = clustered.then_some(t.patients.as_slice());
                let sample = Sample { labels: &t.labels, scores: &t.scores, patients, sites: None };
                estimate_difference(&sample, &t.other, &plan)
            };
            simulate(&mut rows, cell, cells, RUNS, expected, one, |_| true);
        }
        print("auc_difference", clustered, &rows);
    }
    readers::print();
    eprintln!("done after {:.0} s", begun.elapsed().as_secs_f64());
}
