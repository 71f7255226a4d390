//! Planned power of comparisons beside simulated: `cargo bench --bench power_comparisons` prints a table of
//! `docs/statistics.md`.
//!
//! Two scores a case are normal, correlated within a class, with the AUCs that are planned; the difference
//! is judged by DeLong's interval, as a study judges it. The correlation of both estimates that the plan is
//! given is that of the simulated tables.

use sequester::statistics::comparative::power::{Claim, ExpectedAreas};
use sequester::statistics::comparative::{Aim, AucDifference};
use sequester::statistics::design::Size;
use sequester::statistics::random::Stream;
use sequester::statistics::special::normal_quantile;

const RUNS: u64 = 1000;
const LEVEL: f64 = 0.95;

fn main() {
    for (aim, margin, aucs, scores, positives, negatives) in [
        (Aim::NonInferiority, 0.05, [0.85, 0.85], 0.5, 150, 150),
        (Aim::NonInferiority, 0.05, [0.88, 0.86], 0.6, 80, 320),
        (Aim::Superiority, 0.0, [0.90, 0.85], 0.5, 120, 120),
        (Aim::Superiority, 0.0, [0.85, 0.80], 0.3, 200, 200),
        (Aim::Equivalence, 0.05, [0.90, 0.90], 0.6, 150, 150),
        (Aim::Equivalence, 0.07, [0.80, 0.80], 0.4, 200, 400),
    ] {
        let apart = aucs.map(|auc| 2.0_f64.sqrt() * normal_quantile(auc));
        let (mut shown, mut estimates) = (0_u64, [Vec::new(), Vec::new()]);
        for run in 0..RUNS {
            let mut stream = Stream::new(run, 77);
            let (mut labels, mut table) = (Vec::new(), [Vec::new(), Vec::new()]);
            for case in 0..positives + negatives {
                let positive = case < positives;
                let first = normal_quantile(stream.unit());
                let other = normal_quantile(stream.unit());
                let second = scores * first + (1.0_f64 - scores * scores).sqrt() * other;
                for (k, z) in [first, second].into_iter().enumerate() {
                    table[k].push(z + if positive { apart[k] } else { 0.0 });
                }
                labels.push(positive);
            }
            let Some(found) = AucDifference::of(&labels, &table[0], &table[1], None) else { continue };
            for k in 0..2 {
                estimates[k].push(found.values[k]);
            }
            shown += u64::from(found.limits(LEVEL).is_some_and(|limits| aim.holds(margin, limits)));
        }
        let correlation = correlation(&estimates[0], &estimates[1]);
        let areas = ExpectedAreas { device: aucs[0], other: aucs[1], correlation };
        let size = Size { positives: f64::from(positives), negatives: f64::from(negatives) };
        let claim = Claim { aim, margin, alpha: (1.0 - LEVEL) / 2.0 };
        let planned = areas.power_of(claim, [size; 2]).unwrap_or_default();
        println!(
            "| {} by {margin} | {} and {} | {positives} / {negatives} | {correlation:.2} | {planned:.3} | \
             {:.3} |",
            aim.id(),
            aucs[0],
            aucs[1],
            shown as f64 / RUNS as f64
        );
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
    let (ma, mb) = (mean(a), mean(b));
    let cross: f64 = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb)).sum();
    let square = |x: &[f64], m: f64| x.iter().map(|v| (v - m).powi(2)).sum::<f64>();
    cross / (square(a, ma) * square(b, mb)).sqrt()
}
