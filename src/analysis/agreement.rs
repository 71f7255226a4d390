//! Reader agreement as estimates; the coefficients are in `reference_standard::agreement`.

use super::estimate::{Estimate, Interval, IntervalMethod};
use super::special::z_two_sided;
use crate::reference_standard::agreement::{self, Coefficient};

/// Cohen's kappa of every pair that shares cases, then Fleiss', Conger's, Krippendorff's and Gwet's
/// coefficient over all readers. `table[case][reader]`; `None`: no determinate read.
///
/// Pairs are left out where more than six readers read, each of them only a part of the cases.
pub fn estimates(table: &[Vec<Option<bool>>], readers: &[String], level: f64) -> Vec<Estimate> {
    let mut estimates = Vec::new();
    if readers.len() <= 6 {
        for a in 0..readers.len() {
            for b in a + 1..readers.len() {
                let cohen = agreement::cohen(table, a, b);
                let mut estimate = from_coefficient("cohen_kappa", cohen.kappa, level);
                estimate.n = cohen.cases;
                estimate.model = Some(format!("{} vs {}", readers[a], readers[b]));
                estimates.push(estimate);
            }
        }
    }
    estimates.push(from_coefficient("fleiss_kappa", agreement::fleiss(table), level));
    estimates.push(from_coefficient("conger_kappa", agreement::conger(table), level));
    estimates.push(from_coefficient("krippendorff_alpha", agreement::krippendorff(table), level));
    estimates.push(from_coefficient("gwet_ac1", agreement::gwet_ac1(table), level));
    estimates
}

fn from_coefficient(id: &str, coefficient: Option<Coefficient>, level: f64) -> Estimate {
    let mut estimate = Estimate { id: id.to_owned(), ..Estimate::default() };
    let Some(coefficient) = coefficient.filter(|c| c.value.is_finite()) else {
        estimate.not_evaluable = Some("no two readers read the same cases, or all their reads are equal".to_owned());
        return estimate;
    };
    estimate.value = Some(coefficient.value);
    estimate.n = coefficient.cases;
    estimate.standard_error = coefficient.standard_error.filter(|se| se.is_finite());
    if let Some(se) = estimate.standard_error {
        let half = z_two_sided(level) * se;
        estimate.intervals.push(Interval {
            method: IntervalMethod::Wald,
            level,
            lower: (coefficient.value - half).max(-1.0),
            upper: (coefficient.value + half).min(1.0),
            unit: None,
            replicates: None,
            seed: None,
            dropped: None,
        });
    }
    estimate
}
