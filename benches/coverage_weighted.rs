//! How often each interval of a weighted measure contains the truth: `cargo bench --bench coverage_weighted`
//! prints a section of `docs/coverage.md`.
//!
//! A pool of patients with the finding in 5 % of them, and a source label that has a sensitivity of .8 and a
//! specificity of .9 for it. So many patients are drawn of each source label, and each stands for its share
//! of the pool. The device calls with a sensitivity of .85 and a specificity of .8. Clustered: three images a
//! patient with one label; with probability .5 the device says of all of them what it says of the first.

use std::collections::BTreeMap;

use sequester::statistics::random::Stream;
use sequester::statistics::weighted::{WeightedCase, measures};

const RUNS: u64 = 2000;
const LEVEL: f64 = 0.95;
const PREVALENCE: f64 = 0.05;
const SOURCE: [f64; 2] = [0.1, 0.8];
const CALLS: [f64; 2] = [0.2, 0.85];
/// Drawn patients with a positive and with a negative source label.
const SETTINGS: [(u32, u32); 5] = [(25, 25), (50, 150), (100, 100), (250, 250), (500, 500)];

/// Share of patients with a positive source label, and of those and of the others with the finding.
fn shares() -> (f64, [f64; 2]) {
    let labelled = PREVALENCE * SOURCE[1] + (1.0 - PREVALENCE) * SOURCE[0];
    let found = [PREVALENCE * (1.0 - SOURCE[1]) / (1.0 - labelled), PREVALENCE * SOURCE[1] / labelled];
    (labelled, found)
}

fn draw((with, without): (u32, u32), clustered: bool, stream: &mut Stream) -> Vec<WeightedCase> {
    let (labelled, found) = shares();
    let mut cases = Vec::new();
    for patient in 0..with + without {
        let source = usize::from(patient < with);
        let positive = stream.unit() < found[source];
        let weight =
            if source == 1 { labelled / f64::from(with) } else { (1.0 - labelled) / f64::from(without) };
        let share = CALLS[usize::from(positive)];
        let first = stream.unit() < share;
        for image in 0..if clustered { 3 } else { 1 } {
            let called = if image == 0 || stream.unit() < 0.5 { first } else { stream.unit() < share };
            cases.push(WeightedCase { positive, called, weight, patient, stratum: source as u32 });
        }
    }
    cases
}

fn truths() -> BTreeMap<&'static str, f64> {
    let (p, sensitivity, specificity) = (PREVALENCE, CALLS[1], 1.0 - CALLS[0]);
    let (tp, fp) = (p * sensitivity, (1.0 - p) * (1.0 - specificity));
    let (tn, fn_) = ((1.0 - p) * specificity, p * (1.0 - sensitivity));
    BTreeMap::from([
        ("prevalence", p),
        ("sensitivity", sensitivity),
        ("specificity", specificity),
        ("ppv", tp / (tp + fp)),
        ("npv", tn / (tn + fn_)),
        ("accuracy", tp + tn),
        ("f1", 2.0 * tp / (2.0 * tp + fp + fn_)),
    ])
}

fn main() {
    let truths = truths();
    let of = |(with, without): &(u32, u32)| format!(" {with} + {without} |");
    println!("| what | clustered |{}", SETTINGS.iter().map(of).collect::<String>());
    println!("|---|---|{}", "---|".repeat(SETTINGS.len()));
    let mut rows: BTreeMap<(&str, bool), Vec<String>> = BTreeMap::new();
    for clustered in [false, true] {
        for (number, setting) in (0..).zip(SETTINGS) {
            // Intervals that contain the truth, that there were, and their widths.
            let mut counts: BTreeMap<&str, (u64, u64, f64)> = BTreeMap::new();
            for run in 0..RUNS {
                let mut stream = Stream::new(20_261_127 + 10 * number + u64::from(clustered), run);
                for (id, ratio) in measures(&draw(setting, clustered, &mut stream)) {
                    let entry = counts.entry(id).or_default();
                    if let Some((low, high)) = ratio.and_then(|ratio| ratio.limits(LEVEL)) {
                        entry.0 += u64::from((low..=high).contains(&truths[id]));
                        entry.1 += 1;
                        entry.2 += high - low;
                    }
                }
            }
            for (id, (inside, all, width)) in counts {
                let covers = 100.0 * inside as f64 / all.max(1) as f64;
                let arrow = if covers < 93.7 {
                    " ↓"
                } else if covers > 96.3 {
                    " ↑"
                } else {
                    ""
                };
                let there = 100.0 * all as f64 / RUNS as f64;
                let rare = if all < RUNS { format!(" ({there:.0} %)") } else { String::new() };
                let cell = format!("{covers:.1}{arrow} · {:.3}{rare}", width / all.max(1) as f64);
                rows.entry((id, clustered)).or_default().push(cell);
            }
        }
    }
    for ((id, clustered), cells) in rows {
        println!("| {id} | {} | {} |", if clustered { "yes" } else { "no" }, cells.join(" | "));
    }
}
