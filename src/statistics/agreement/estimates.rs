//! Agreement of readers as estimates. The coefficients are those of [`crate::statistics::agreement`];
//! intervals are value ± z·standard error within −1..1.

use crate::diagnostic::Code;
use crate::statistics::agreement;
use crate::statistics::agreement::Coefficient;

use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod};
use crate::statistics::metric::{Metric, Plan, Sample, estimate_from_table, estimate_mcnemar};
use crate::statistics::special::z_two_sided;
use crate::statistics::warning::Warning;

/// Cohen's kappa of every pair (`model` is "R1 vs R2"), then Fleiss', Conger's, Krippendorff's and Gwet's
/// coefficient over all readers. `table` has one row a case and one entry a reader, in the order of
/// `readers`; `None`: no determinate read. `categories`: how many answers there are to choose from (2 for yes
/// and no).
///
/// Pairs are left out where more than six readers read, each of them only a part of the cases.
pub fn estimates<A: Copy + Ord>(
    table: &[Vec<Option<A>>],
    categories: usize,
    readers: &[String],
    level: f64,
) -> Vec<Estimate> {
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
    out.push(of_coefficient(
        "gwet_ac1",
        agreement::gwet_ac1(table, categories),
        "no case has two reads, or there is no choice",
        level,
    ));
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
                estimate.warnings.push(Warning::new(
                    Code::OthersUndecided,
                    format!(
                        "{} cases that {reader} read are left out, because the others have no \
                     majority there",
                        against.undecided
                    ),
                ));
            }
            out.push(estimate);
        }
    }
    out
}

/// The device beside each reader, on the cases that the reader decided, the device called and the other
/// readers have a majority on, which is the reference there: sensitivity and specificity of both ("R1 /
/// others", "device / others, cases of R1") and `mcnemar`, accuracy of the device minus that of the reader
/// with the exact p value. `calls` has one entry a row of `table`; `None`: no call.
pub fn device_beside_readers(
    readers: &[String],
    table: &[Vec<Option<bool>>],
    calls: &[Option<bool>],
    plan: &Plan,
) -> Vec<Estimate> {
    let mut out = Vec::new();
    for (place, reader) in readers.iter().enumerate() {
        let (mut labels, mut own, mut device) = (Vec::new(), Vec::new(), Vec::new());
        for (row, call) in table.iter().zip(calls) {
            let (Some(Some(read)), Some(call)) = (row.get(place), call) else { continue };
            let Some(others) = agreement::majority_without(row, place) else { continue };
            labels.push(others);
            own.push(*read);
            device.push(*call);
        }
        for (calls, name) in
            [(&own, format!("{reader} / others")), (&device, format!("device / others, cases of {reader}"))]
        {
            let mut counts = Confusion::default();
            for (&label, &call) in labels.iter().zip(calls) {
                counts.count(label, call);
            }
            for metric in [Metric::Sensitivity, Metric::Specificity] {
                let mut estimate = estimate_from_table(metric, &counts, plan);
                estimate.model = Some(name.clone());
                out.push(estimate);
            }
        }
        let score = |calls: &[bool]| calls.iter().map(|&c| f64::from(u8::from(c))).collect::<Vec<f64>>();
        let (device, own) = (score(&device), score(&own));
        let sample = Sample { labels: &labels, scores: &device, patients: None, sites: None };
        let (mut estimate, _) = estimate_mcnemar(&sample, &own, 0.5);
        estimate.threshold = None;
        estimate.model = Some(format!("device - {reader}, by the others"));
        out.push(estimate);
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
    out.numerator = Some(pair.agreed);
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
        Some(_) => out.warnings.push(Warning::new(
            Code::NoSpread,
            "the cases do not vary in their agreement, so there is no standard error and no interval",
        )),
        None => {
            out.warnings.push(Warning::new(Code::IntervalNotEvaluable, "too few cases for a standard error"))
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::estimate::ResamplingUnit;

    #[test]
    fn the_device_is_judged_on_the_cases_and_by_the_reference_of_each_reader() {
        let (yes, no) = (Some(true), Some(false));
        // Readers R1, R2, R3, and what the device calls.
        let rows = [
            (vec![yes, yes, yes], yes),
            (vec![no, yes, yes], yes),
            (vec![yes, no, no], no),
            (vec![no, no, no], yes),
            // The others are tied for R1, nobody else reads for R2's and R3's part.
            (vec![yes, yes, no], no),
            // No call.
            (vec![yes, yes, yes], None),
        ];
        let (table, calls): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let readers = ["R1", "R2", "R3"].map(str::to_owned);
        let plan = Plan::new(0.95, vec![IntervalMethod::ClopperPearson], ResamplingUnit::Case, 0, 0);
        let all = device_beside_readers(&readers, &table, &calls, &plan);
        assert_eq!(all.len(), 15);
        let of = |id: &str, model: &str| {
            let found = all.iter().find(|e| e.id == id && e.model.as_deref() == Some(model)).expect(model);
            (found.numerator, found.denominator, found.p_value)
        };
        // By the others R1's cases are + + - -, R1 says + - + -, the device + + - +.
        assert_eq!(of("sensitivity", "R1 / others"), (Some(1), Some(2), None));
        assert_eq!(of("specificity", "R1 / others"), (Some(1), Some(2), None));
        assert_eq!(of("sensitivity", "device / others, cases of R1"), (Some(2), Some(2), None));
        assert_eq!(of("specificity", "device / others, cases of R1"), (Some(1), Some(2), None));
        // Only the device is right on two, only R1 on one: an exact p of 1.
        assert_eq!(of("mcnemar", "device - R1, by the others"), (Some(2), Some(3), Some(1.0)));
    }
}
