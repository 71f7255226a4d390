//! What has to hold of every metric, whatever the cases are.

use proptest::prelude::*;
use sequester::statistics::auc;
use sequester::statistics::estimate::{IntervalMethod, ResamplingUnit};
use sequester::statistics::metric::{Metric, Plan, Sample, estimate};

type Cases = (Vec<bool>, Vec<f64>);

/// 4 to 60 cases with many ties, scores in (0, 1), the threshold 0.5 between two of them.
fn cases() -> impl Strategy<Value = Cases> {
    prop::collection::vec((any::<bool>(), 0..16_u32), 4..60)
        .prop_map(|v| v.into_iter().map(|(l, s)| (l, (f64::from(s) + 0.5) / 16.0)).unzip())
}

const CLOSED: [IntervalMethod; 11] = [
    IntervalMethod::Hoeffding,
    IntervalMethod::Delong,
    IntervalMethod::DelongLogit,
    IntervalMethod::HanleyMcneil,
    IntervalMethod::UStatistic,
    IntervalMethod::ClopperPearson,
    IntervalMethod::Wilson,
    IntervalMethod::AgrestiCoull,
    IntervalMethod::Jeffreys,
    IntervalMethod::Log,
    IntervalMethod::Wald,
];

fn of(
    metric: Metric,
    labels: &[bool],
    scores: &[f64],
    threshold: f64,
) -> sequester::statistics::estimate::Estimate {
    let sample = Sample { labels, scores, patients: None, sites: None };
    let threshold = metric.needs_threshold().then_some(threshold);
    estimate(metric, &sample, threshold, &Plan::new(0.95, CLOSED.to_vec(), ResamplingUnit::Case, 0, 0))
}

/// Equal to ten digits, or both missing.
fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-10 * a.abs().max(1.0),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn splitting_every_case_into_equal_parts_changes_no_value(
        (labels, scores) in cases(),
        parts in 2..5_usize,
    ) {
        let repeat = |n: usize| (0..n).flat_map(|i| std::iter::repeat_n(i, parts)).collect::<Vec<_>>();
        let rows = repeat(labels.len());
        let many_labels: Vec<bool> = rows.iter().map(|&i| labels[i]).collect();
        let many_scores: Vec<f64> = rows.iter().map(|&i| scores[i]).collect();
        for metric in Metric::ALL {
            // A fit that has no finite maximum stops somewhere: both say so.
            let one = of(metric, &labels, &scores, 0.5);
            let many = of(metric, &many_labels, &many_scores, 0.5);
            let digits = if metric >= Metric::CalibrationSlope { 1e-6 } else { 1e-10 };
            match (one.value, many.value) {
                (Some(a), Some(b)) => {
                    prop_assert!((a - b).abs() <= digits * a.abs().max(1.0), "{metric:?} {a} {b}");
                }
                (a, b) => prop_assert_eq!(a, b, "{:?}", metric),
            }
        }
    }

    #[test]
    fn clusters_of_one_are_no_clusters_and_copies_within_a_cluster_add_nothing(
        (labels, scores) in cases(),
        moved in prop::collection::vec(0..16_u32, 60),
        group in prop::collection::vec(0..12_u32, 60),
        parts in 2..5_usize,
    ) {
        let n = labels.len();
        let other: Vec<f64> = (0..n).map(|i| (scores[i] * 16.0 + f64::from(moved[i])) / 40.0).collect();
        let alone: Vec<u32> = (0..n as u32).rev().collect();
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * (a.abs() + b.abs()) + 1e-16,
            (a, b) => a == b,
        };
        let plain = auc::auc_sums(&labels, &scores).delong_variance();
        prop_assert!(close(plain, auc::obuchowski_variance(&labels, &scores, &alone)));
        let of_pairs = |patients: Option<&[u32]>| {
            auc::paired(&labels, &scores, &other, patients).and_then(|p| p.difference_variance)
        };
        prop_assert!(close(of_pairs(None), of_pairs(Some(&alone))));
        // Every case in equal parts, all with their patient.
        let patients = &group[..n];
        let rows: Vec<usize> = (0..n).flat_map(|i| std::iter::repeat_n(i, parts)).collect();
        let many_labels: Vec<bool> = rows.iter().map(|&i| labels[i]).collect();
        let many = |column: &[f64]| rows.iter().map(|&i| column[i]).collect::<Vec<f64>>();
        let many_patients: Vec<u32> = rows.iter().map(|&i| patients[i]).collect();
        prop_assert!(close(
            auc::obuchowski_variance(&labels, &scores, patients),
            auc::obuchowski_variance(&many_labels, &many(&scores), &many_patients),
        ));
        prop_assert!(close(
            of_pairs(Some(patients)),
            auc::paired(&many_labels, &many(&scores), &many(&other), Some(&many_patients))
                .and_then(|p| p.difference_variance),
        ));
    }

    #[test]
    fn intervals_contain_the_value_and_stay_in_order((labels, scores) in cases()) {
        for metric in Metric::ALL {
            let estimate = of(metric, &labels, &scores, 0.5);
            let Some(value) = estimate.value else {
                prop_assert!(estimate.not_evaluable.is_some(), "{metric:?}");
                prop_assert!(estimate.intervals.is_empty(), "{metric:?}");
                continue;
            };
            prop_assert!(value.is_finite());
            for i in &estimate.intervals {
                prop_assert!(i.lower.is_finite() && i.upper.is_finite() && i.lower <= i.upper);
                // At 0 of n and n of n, rounding may put a limit one unit in the last place beyond the value.
                prop_assert!(i.lower <= value + 1e-15 && value - 1e-15 <= i.upper, "{metric:?} {value} \
                    {i:?}");
            }
        }
    }

    #[test]
    fn a_rising_transform_of_the_scores_changes_nothing_that_ranks((labels, scores) in cases()) {
        let rise = |s: f64| (3.0 * s).exp() / 30.0;
        let risen: Vec<f64> = scores.iter().map(|&s| rise(s)).collect();
        for metric in Metric::ALL.into_iter().filter(|m| !m.needs_probabilities()) {
            let (plain, risen) = (of(metric, &labels, &scores, 0.5), of(metric, &labels, &risen, rise(0.5)));
            prop_assert_eq!(plain.value, risen.value, "{:?}", metric);
            prop_assert_eq!(plain.intervals, risen.intervals, "{:?}", metric);
        }
    }

    #[test]
    fn swapping_the_classes_swaps_what_belongs_to_them((labels, scores) in cases()) {
        let swapped: Vec<bool> = labels.iter().map(|l| !l).collect();
        // No score is 0.5, so "at or above" and "above" are one.
        let mirrored: Vec<f64> = scores.iter().map(|s| 1.0 - s).collect();
        use Metric::*;
        for (here, there) in [
            (Auc, Auc), (Sensitivity, Specificity), (Specificity, Sensitivity), (Ppv, Npv), (Npv, Ppv),
            (Accuracy, Accuracy), (BalancedAccuracy, BalancedAccuracy), (Youden, Youden), (Mcc, Mcc),
            (Brier, Brier),
            (LogLoss, LogLoss), (DiagnosticOddsRatio, DiagnosticOddsRatio),
        ] {
            let (a, b) = (of(here, &labels, &scores, 0.5), of(there, &swapped, &mirrored, 0.5));
            prop_assert!(same(a.value, b.value), "{here:?} {:?} {:?}", a.value, b.value);
            // Hanley and McNeil's formula gives the two classes different parts.
            let symmetric = |e: &sequester::statistics::estimate::Estimate| {
                let mut list = e.intervals.clone();
                list.retain(|i| i.method != IntervalMethod::HanleyMcneil);
                list
            };
            for (x, y) in symmetric(&a).iter().zip(&symmetric(&b)) {
                let (lower, upper) = (same(Some(x.lower), Some(y.lower)), same(Some(x.upper), Some(y.upper)));
                prop_assert!(lower && upper, "{here:?}");
            }
        }
        let down: Vec<f64> = scores.iter().map(|s| -s).collect();
        let (up, down) = (of(Auc, &labels, &scores, 0.5).value, of(Auc, &labels, &down, 0.5).value);
        prop_assert!(same(up, down.map(|a| 1.0 - a)), "the direction is never flipped");
    }
}
