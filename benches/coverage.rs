//! How often each interval contains the truth: `cargo bench --bench coverage > docs/coverage.md`.
//!
//! Scores are normal, 1.2 apart between the classes, with a patient's share of the spread where cases are
//! clustered (three images a patient, one label a patient). The truth is known: AUC = Φ(1.2/√2), sensitivity =
//! specificity = Φ(0.6) at threshold 0.6.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sequester::analysis::estimate::{IntervalMethod as By, ResamplingUnit};
use sequester::analysis::metric::{Metric, Plan, Sample, estimate};
use sequester::analysis::random::Stream;
use sequester::analysis::special::{normal_cdf, normal_quantile};

const RUNS: u64 = 1000;
const REPLICATES: u64 = 400;
const APART: f64 = 1.2;
const THRESHOLD: f64 = 0.6;

struct Table {
    labels: Vec<bool>,
    scores: Vec<f64>,
    patients: Vec<u32>,
}

fn draw(n: usize, prevalence: f64, clustered: bool, stream: &mut Stream) -> Table {
    let mut out = Table { labels: Vec::new(), scores: Vec::new(), patients: Vec::new() };
    let mut patient = 0;
    while out.labels.len() < n {
        let label = stream.unit() < prevalence;
        let shared = normal_quantile(stream.unit());
        for _ in 0..if clustered { 3 } else { 1 } {
            let own = normal_quantile(stream.unit());
            let noise = if clustered { 0.8 * own + 0.6 * shared } else { own };
            out.labels.push(label);
            out.scores.push(noise + if label { APART } else { 0.0 });
            out.patients.push(patient);
        }
        patient += 1;
    }
    out
}

fn main() {
    let methods = vec![
        By::Delong,
        By::DelongLogit,
        By::HanleyMcneil,
        By::UStatistic,
        By::Obuchowski,
        By::ClopperPearson,
        By::Wilson,
        By::AgrestiCoull,
        By::Jeffreys,
        By::Wald,
        By::Log,
        By::BootstrapPercentile,
        By::BootstrapBasic,
        By::BootstrapBca,
    ];
    println!("# Coverage of the intervals\n");
    println!(
        "Made by `cargo bench --bench coverage`: {RUNS} tables each, {REPLICATES} bootstrap replicates, level 0.95. A share of 0.95 \
         over {RUNS} tables has a standard error of 0.7 points. \"Evaluable\" is the share of tables that gave an \
         interval. In clustered tables (three images a patient, correlation 0.36 of scores, one label a patient) \
         the bootstrap draws patients; methods that ignore clustering are shown for what they cost.\n"
    );
    println!("| metric | cases | prevalence | clustered | method | coverage % | mean width | evaluable % |");
    println!("|---|---|---|---|---|---|---|---|");
    let truth = |metric, p: f64| {
        let se = normal_cdf(APART - THRESHOLD);
        let sp = normal_cdf(THRESHOLD);
        match metric {
            Metric::Auc => normal_cdf(APART / 2.0_f64.sqrt()),
            Metric::Sensitivity => se,
            Metric::Specificity => sp,
            Metric::Youden => se + sp - 1.0,
            Metric::LrPositive => se / (1.0 - sp),
            _ => 2.0 * p * se / (p * se + (1.0 - p) * (1.0 - sp) + p),
        }
    };
    let metrics = [
        Metric::Auc,
        Metric::Sensitivity,
        Metric::Specificity,
        Metric::F1,
        Metric::Youden,
        Metric::LrPositive,
    ];
    for metric in metrics {
        for (clustered, prevalence, n) in [false, true]
            .into_iter()
            .flat_map(|c| [0.02, 0.5].into_iter().flat_map(move |p| [50, 200, 1000].map(|n| (c, p, n))))
        {
            let unit = if clustered { ResamplingUnit::Patient } else { ResamplingUnit::Case };
            let plan = Plan::new(0.95, methods.clone(), unit, REPLICATES, 7);
            let expected = truth(metric, prevalence);
            let runs: Vec<Vec<(By, bool, f64)>> = (0..RUNS)
                .into_par_iter()
                .map(|run| {
                    let t = draw(n, prevalence, clustered, &mut Stream::new(n as u64, run));
                    let patients = clustered.then_some(t.patients.as_slice());
                    let sample = Sample { labels: &t.labels, scores: &t.scores, patients, sites: None };
                    let found = estimate(metric, &sample, Some(THRESHOLD), &plan);
                    let wanted = found.intervals.iter().filter(|i| metric.accepts(i.method));
                    wanted
                        .map(|i| (i.method, i.lower <= expected && expected <= i.upper, i.upper - i.lower))
                        .collect()
                })
                .collect();
            let mut sums: BTreeMap<By, (u64, u64, f64)> = BTreeMap::new();
            for (method, holds, width) in runs.into_iter().flatten() {
                let sum = sums.entry(method).or_default();
                sum.0 += 1;
                sum.1 += u64::from(holds);
                sum.2 += width;
            }
            for (method, (count, holds, width)) in sums {
                println!(
                    "| {} | {n} | {prevalence} | {} | {} | {:.1} | {:.3} | {:.1} |",
                    metric.id(),
                    if clustered { "yes" } else { "no" },
                    method.describe(),
                    100.0 * holds as f64 / count as f64,
                    width / count as f64,
                    100.0 * count as f64 / RUNS as f64
                );
            }
        }
    }
}
