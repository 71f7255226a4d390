//! Agreement of readers as estimates. The coefficients are those of [`crate::reference_standard::agreement`];
//! intervals are value ± z·standard error within −1..1.

use crate::reference_standard::agreement::{self, Coefficient};

use super::confusion::Confusion;
use super::estimate::{Estimate, Interval, IntervalMethod};
use super::metric::{Metric, Plan, estimate_from_table};
use super::special::z_two_sided;

/// Cohen's kappa of every pair (`model` is "R1 vs R2"), then Fleiss', Conger's, Krippendorff's and Gwet's
/// coefficient over all readers. `table` has one row a case and one entry a reader, in the order of
/// `readers`; `None`: no determinate read.
///
/// Pairs are left out where more than six readers read, each of them only a part of the cases.
pub fn estimates(table: &[Vec<Option<bool>>], readers: &[String], level: f64) -> Vec<Estimate> {
    let mut out = Vec::new();
    let pairs = if readers.len() <= 6 { readers.len() } else { 0 };
    for first in 0..pairs {
        for second in first + 1..pairs {
            let mut estimate = of_cohen(&agreement::cohen(table, first, second), level);
            estimate.model = Some(format!("{} vs {}", readers[first], readers[second]));
            out.push(estimate);
        }
    }
    let undefined = "no case has two reads, or there is only one answer";
    out.push(of_coefficient("fleiss_kappa", agreement::fleiss(table), undefined, level));
    out.push(of_coefficient("conger_kappa", agreement::conger(table), undefined, level));
    out.push(of_coefficient("krippendorff_alpha", agreement::krippendorff(table), undefined, level));
    out.push(of_coefficient("gwet_ac1", agreement::gwet_ac1(table), "no case has two reads", level));
    out
}

/// Each reader against the majority of the others: `cohen_kappa`, `sensitivity` and `specificity` with the
/// others as reference (`model` is "R1 vs majority of the others"). Ties among the others are left out and
/// counted in a warning.
pub fn against_others(readers: &[String], table: &[Vec<Option<bool>>], plan: &Plan) -> Vec<Estimate> {
    let mut out = Vec::new();
    for (reader, against) in readers.iter().zip(agreement::against_others(table)) {
        let [both, reader_only, others_only, neither] = against.table;
        let counts = Confusion {
            true_positives: both,
            false_positives: reader_only,
            false_negatives: others_only,
            true_negatives: neither,
        };
        let mut estimates = vec![of_cohen(&agreement::cohen_of_counts(against.table), plan.level)];
        estimates.extend(
            [Metric::Sensitivity, Metric::Specificity].map(|m| estimate_from_table(m, &counts, plan)),
        );
        for mut estimate in estimates {
            estimate.model = Some(format!("{reader} vs majority of the others"));
            if against.undecided > 0 {
                estimate.warnings.push(format!(
                    "others-undecided: {} cases that {reader} read are left out, because the others have no \
                     majority there",
                    against.undecided
                ));
            }
            out.push(estimate);
        }
    }
    out
}

fn of_cohen(pair: &agreement::Cohen, level: f64) -> Estimate {
    let why = if pair.cases == 0 {
        "the two have no case in common"
    } else {
        "both gave one and the same answer throughout"
    };
    let mut out = of_coefficient("cohen_kappa", pair.kappa, why, level);
    out.n = pair.cases;
    out.numerator = Some(pair.table[0] + pair.table[3]);
    out.denominator = Some(pair.cases);
    out
}

fn of_coefficient(id: &str, coefficient: Option<Coefficient>, why_none: &str, level: f64) -> Estimate {
    let mut out = Estimate { id: id.into(), ..Estimate::default() };
    let Some(found) = coefficient else {
        out.not_evaluable = Some(why_none.into());
        return out;
    };
    out.value = Some(found.value);
    out.n = found.cases;
    out.standard_error = found.standard_error;
    match found.standard_error {
        Some(se) if se > 0.0 => {
            let half = z_two_sided(level) * se;
            out.intervals.push(Interval {
                method: IntervalMethod::Wald,
                level,
                lower: (found.value - half).max(-1.0),
                upper: (found.value + half).min(1.0),
                unit: None,
                replicates: None,
                seed: None,
                dropped: None,
            });
        }
        Some(_) => out.warnings.push(
            "no-spread: the cases do not vary in their agreement, so there is no standard error and no interval"
                .into(),
        ),
        None => out.warnings.push("interval-not-evaluable: too few cases for a standard error".into()),
    }
    out
}
