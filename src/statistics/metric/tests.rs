//! Edges of every estimate.

use crate::estimate::{Estimate, Interval, IntervalMethod as By, ResamplingUnit};
use crate::metric::plan::classes_of_patients;
use crate::metric::weighted::WeightedGroups;
use crate::metric::*;
use crate::ranks;
use crate::roc;

const EVERY: [By; 16] = [
    By::Hoeffding,
    By::BootstrapExact,
    By::Delong,
    By::DelongLogit,
    By::HanleyMcneil,
    By::Obuchowski,
    By::UStatistic,
    By::ClopperPearson,
    By::Wilson,
    By::AgrestiCoull,
    By::Jeffreys,
    By::Log,
    By::Wald,
    By::BootstrapPercentile,
    By::BootstrapBasic,
    By::BootstrapBca,
];

fn plan(unit: ResamplingUnit) -> Plan {
    Plan::new(0.95, EVERY.to_vec(), unit, 200, 7)
}

/// Values and limits are finite, a missing value has a reason, and a point interval has company.
fn check_honest(estimate: &Estimate, what: &str) {
    assert_eq!(estimate.value.is_none(), estimate.not_evaluable.is_some(), "{what}: {estimate:?}");
    assert!(estimate.value.is_none_or(f64::is_finite), "{what}: {estimate:?}");
    assert!(estimate.standard_error.is_none_or(f64::is_finite), "{what}: {estimate:?}");
    for i in &estimate.intervals {
        assert!(i.lower.is_finite() && i.upper.is_finite() && i.lower <= i.upper, "{what}: {estimate:?}");
    }
    if estimate.intervals.iter().any(|i| i.is_point()) {
        assert!(!estimate.warnings.is_empty(), "{what}: {estimate:?}");
        assert!(estimate.intervals.iter().any(|i| !i.is_point()), "{what}: {estimate:?}");
    }
    for warning in &estimate.warnings {
        assert!(!warning.message.contains("NaN"), "{what}: {estimate:?}");
    }
}

fn every_estimate(sample: &Sample<'_>, unit: ResamplingUnit) -> Vec<Estimate> {
    let plan = plan(unit);
    let mut out: Vec<Estimate> = Metric::ALL.iter().map(|&m| estimate(m, sample, Some(0.5), &plan)).collect();
    for metric in [Metric::Ppv, Metric::Npv, Metric::F1] {
        out.push(estimate_at_prevalence(metric, sample, 0.5, 0.05, &plan));
    }
    out
}

#[test]
fn edges_give_values_or_reasons_and_never_nan() {
    let edges: [(&str, Vec<bool>, Vec<f64>); 8] = [
        ("no case", vec![], vec![]),
        ("one case", vec![true], vec![0.4]),
        ("one class", vec![false; 5], vec![0.1, 0.2, 0.6, 0.7, 0.8]),
        ("one of each", vec![true, false], vec![0.9, 0.1]),
        ("perfect", vec![true, true, false, false], vec![0.9, 0.8, 0.2, 0.1]),
        ("reversed", vec![false, false, true, true], vec![0.9, 0.8, 0.2, 0.1]),
        ("constant", vec![true, false, true, false], vec![0.5; 4]),
        ("ends", vec![true, false, true, false], vec![1.0, 0.0, 0.0, 1.0]),
    ];
    for (what, labels, scores) in &edges {
        let ids: Vec<u32> = (0..labels.len() as u32).map(|i| i / 2).collect();
        let sample = Sample { labels, scores, patients: Some(&ids), sites: Some(&ids) };
        for unit in [
            ResamplingUnit::Case,
            ResamplingUnit::CaseStratified,
            ResamplingUnit::Patient,
            ResamplingUnit::Site,
            ResamplingUnit::SiteThenPatient,
        ] {
            for estimate in every_estimate(&sample, unit) {
                check_honest(&estimate, what);
            }
        }
    }
}

/// Every table of up to five cases with five scores, every unit, all methods at once and each bootstrap
/// alone.
#[test]
fn no_small_table_gives_nan_or_a_point_alone() {
    const SCORES: [f64; 5] = [0.0, 0.3, 0.5, 0.8, 1.0];
    let units = [ResamplingUnit::Case, ResamplingUnit::CaseStratified, ResamplingUnit::Patient];
    let alone = [By::BootstrapPercentile, By::BootstrapBasic, By::BootstrapBca, By::BootstrapExact];
    let mut tables: Vec<Vec<usize>> = vec![vec![]];
    let mut checked = 0_u64;
    for _ in 0..5 {
        // Kinds of cases in ascending order: the order of cases means nothing.
        tables = tables
            .iter()
            .flat_map(|t| {
                let least = t.last().copied().unwrap_or(0);
                (least..2 * SCORES.len()).map(move |kind| [&t[..], &[kind]].concat())
            })
            .collect();
        for (number, table) in tables.iter().enumerate() {
            let labels: Vec<bool> = table.iter().map(|k| k % 2 == 1).collect();
            let scores: Vec<f64> = table.iter().map(|k| SCORES[k / 2]).collect();
            let other: Vec<f64> = (0..table.len()).map(|i| SCORES[(number / (i + 1) + 3 * i) % 5]).collect();
            let ids: Vec<u32> = (0..table.len()).map(|i| ((i * (1 + number % 3)) / 2) as u32).collect();
            let sample = Sample { labels: &labels, scores: &scores, patients: Some(&ids), sites: None };
            let unit = units[number % 3];
            let sample =
                if unit == ResamplingUnit::Patient { sample } else { Sample { patients: None, ..sample } };
            let what = format!("{labels:?} {scores:?} {other:?} {ids:?} {unit:?}");
            let one = alone[number / 3 % 4];
            for methods in [EVERY.to_vec(), vec![one]] {
                let plan = Plan::new(0.95, methods, unit, 20, 7);
                for &metric in &Metric::ALL {
                    check_honest(&estimate(metric, &sample, Some(0.5), &plan), &what);
                    checked += 1;
                }
                for metric in [Metric::Ppv, Metric::Npv, Metric::F1] {
                    check_honest(&estimate_at_prevalence(metric, &sample, 0.5, 0.05, &plan), &what);
                }
                check_honest(&estimate_difference(&sample, &other, &plan), &what);
                check_honest(&estimate_mcnemar(&sample, &other, 0.5).0, &what);
            }
        }
    }
    assert_eq!(checked, 2 * 23 * 3002);
}

#[test]
fn an_estimate_without_spread_keeps_no_point_alone() {
    let labels = [true, true, false, false];
    let scores = [0.9, 0.9, 0.1, 0.1];
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let percentile = Plan::new(0.95, vec![By::BootstrapPercentile], ResamplingUnit::Case, 100, 7);
    let brier = estimate(Metric::Brier, &sample, None, &percentile);
    let wide = brier.intervals.iter().find(|i| i.method == By::Hoeffding).expect("bounded terms");
    assert!(wide.lower < 0.01 && wide.upper > 0.5, "{brier:?}");
    for metric in [Metric::LogLoss, Metric::Ece, Metric::Mce] {
        let none = estimate(metric, &sample, None, &percentile);
        assert!(none.value.is_some() && none.intervals.is_empty(), "{none:?}");
        assert!(none.warnings[0].code.as_str() == "interval-not-evaluable", "{none:?}");
    }
}

#[test]
fn an_interval_beyond_what_is_possible_is_said() {
    let labels: Vec<bool> = (0..40).map(|i| i >= 20).collect();
    let scores: Vec<f64> = (0..40).map(|i| if i == 5 { 0.9 } else { f64::from(i) / 40.0 }).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let basic = Plan::new(0.95, vec![By::BootstrapBasic], ResamplingUnit::CaseStratified, 200, 7);
    let specificity = estimate(Metric::Specificity, &sample, Some(0.5), &basic);
    assert!(specificity.intervals[0].upper > 1.0, "{specificity:?}");
    assert!(specificity.warnings.iter().any(|w| w.code.as_str() == "beyond-range"), "{specificity:?}");
}

#[test]
fn perfect_separation_is_never_a_bare_one() {
    let labels: Vec<bool> = (0..100).map(|i| i >= 60).collect();
    let scores: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let plan = Plan::new(0.95, vec![By::Delong], ResamplingUnit::Case, 200, 7);
    let auc = estimate(Metric::Auc, &sample, None, &plan);
    assert_eq!(auc.value, Some(1.0));
    assert!(auc.warnings[0].code.as_str() == "perfect-separation");
    let exact = auc.intervals.iter().find(|i| i.method == By::ClopperPearson).expect("exact");
    // 40 disjoint pairs, all won.
    assert!((exact.lower - 0.025_f64.powf(1.0 / 40.0)).abs() < 1e-14);
    assert_eq!(exact.upper, 1.0);
    let sensitivity = estimate(
        Metric::Sensitivity,
        &sample,
        Some(0.6),
        &Plan { methods: vec![By::BootstrapPercentile], ..plan },
    );
    assert_eq!(sensitivity.value, Some(1.0));
    assert!(sensitivity.intervals.iter().any(|i| i.method == By::ClopperPearson && i.lower < 0.95));
}

#[test]
fn one_on_separated_classes_always_has_another_interval() {
    let labels: Vec<bool> = (0..100).map(|i| i >= 60).collect();
    let scores: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
    let reversed: Vec<f64> = scores.iter().map(|s| 1.0 - s).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let stratified = plan(ResamplingUnit::CaseStratified);
    let exact = |e: &Estimate| {
        let wide = |i: &&Interval| i.method == By::ClopperPearson && i.lower < i.upper;
        e.intervals.iter().find(wide).map(|i| (i.lower, i.upper)).unwrap_or_else(|| panic!("{e:?}"))
    };
    let partial = exact(&estimate(Metric::PartialAuc, &sample, None, &stratified));
    // A quarter of the error each: 0.0125 for 40 of 40 positives and for 0 of 60 negatives.
    let (se, rate) = (0.0125_f64.powf(1.0 / 40.0), 1.0 - 0.0125_f64.powf(1.0 / 60.0));
    assert!((partial.0 - roc::mcclish(se * (0.1 - rate).max(0.0), 0.1)).abs() < 1e-12, "{partial:?}");
    assert_eq!(partial.1, 1.0);
    let precision = exact(&estimate(Metric::AveragePrecision, &sample, None, &stratified));
    assert!(precision.0 > 0.5 && precision.0 < 1.0 && precision.1 == 1.0, "{precision:?}");
    let difference = exact(&estimate_difference(&sample, &reversed, &stratified));
    let reach = 2.0 * (1.0 - 0.025_f64.powf(1.0 / 40.0));
    assert!((difference.0 - (1.0 - reach)).abs() < 1e-12 && difference.1 == 1.0, "{difference:?}");
    // One patient holds both classes: there is no pair, and nothing is excluded.
    let (labels, scores) = ([true, false], [0.9, 0.1]);
    let sample = Sample { labels: &labels, scores: &scores, patients: Some(&[4, 4]), sites: None };
    let auc = estimate(Metric::Auc, &sample, None, &plan(ResamplingUnit::Patient));
    assert_eq!(exact(&auc), (0.0, 1.0));
}

#[test]
fn an_interval_at_another_prevalence_names_the_unit_that_was_drawn() {
    let labels = [true, true, false, false, false];
    let scores = [0.9, 0.4, 0.6, 0.1, 0.2];
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let carried = estimate_at_prevalence(Metric::Npv, &sample, 0.5, 0.05, &plan(ResamplingUnit::Case));
    let units: Vec<_> = carried.intervals.iter().filter_map(|i| i.unit).collect();
    assert!(!units.is_empty() && units.iter().all(|u| *u == ResamplingUnit::CaseStratified), "{carried:?}");
}

#[test]
fn several_cases_of_a_patient_are_noticed() {
    let labels = [true, true, false, false, true, false];
    let scores = [0.9, 0.4, 0.6, 0.1, 0.7, 0.3];
    let patients = [0, 0, 1, 1, 2, 3];
    let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
    let delong = Plan::new(0.95, vec![By::Delong], ResamplingUnit::Patient, 200, 7);
    let warned = estimate(Metric::Auc, &sample, None, &delong);
    assert!(warned.warnings.iter().any(|w| w.code.as_str() == "clustering-ignored"));
    let robust = Plan { methods: vec![By::Obuchowski, By::BootstrapPercentile], ..delong };
    let quiet = estimate(Metric::Auc, &sample, None, &robust);
    assert!(!quiet.warnings.iter().any(|w| w.code.as_str() == "clustering-ignored"), "{quiet:?}");
    assert_eq!(quiet.intervals.len(), 2);
    let few = "small-class: with 2 positive patients the intervals of the AUC cover less often than their \
               level says";
    assert!(quiet.warnings.iter().any(|w| w.to_string() == few), "{quiet:?}");
}

#[test]
fn an_interval_for_clusters_is_missing_only_with_too_few_patients_and_says_so() {
    let patients = [0, 0, 1, 1, 2, 2];
    let obuchowski = Plan::new(0.95, vec![By::Obuchowski], ResamplingUnit::Patient, 0, 7);
    let why = "two patients with positive and two with negative cases are needed, and a variance that is \
               not negative";
    let (mut given, mut missing) = (0, 0);
    for code in 0..64 * 729_u32 {
        let labels: Vec<bool> = (0..6).map(|i| (code % 64) >> i & 1 == 1).collect();
        let scores: Vec<f64> = (0..6).map(|i| f64::from(code / 64 / 3_u32.pow(i) % 3)).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        let auc = estimate(Metric::Auc, &sample, None, &obuchowski);
        if auc.value.is_none() {
            continue;
        }
        let seen = classes_of_patients(&sample, &patients);
        let enough = (0..2).all(|class| seen.iter().filter(|s| s[class]).count() >= 2);
        let found = auc.intervals.iter().any(|i| i.method == By::Obuchowski);
        let said = auc
            .warnings
            .iter()
            .any(|w| w.code.as_str() == "interval-not-evaluable" && w.message.ends_with(why));
        assert_eq!((found, said), (enough, !enough), "{auc:?}");
        *(if enough { &mut given } else { &mut missing }) += 1;
    }
    assert!(given > 1000 && missing > 1000, "{given} {missing}");
}

#[test]
fn serialised_names_are_the_ids() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_value(metric).expect("json"), metric.id());
        assert_eq!(Metric::from_id(metric.id()), Some(metric));
    }
}

#[test]
fn weighted_statistics_with_weights_of_one_are_the_plain_ones() {
    let labels = [true, false, true, false, false];
    let scores = [0.9, 0.4, 0.6, 0.6, 0.3];
    let groups = WeightedGroups::new(&labels, &scores);
    assert_eq!(groups.weigh(None), ranks::groups(&labels, &scores));
    assert_eq!(groups.weigh(Some(&[1; 5])), ranks::groups(&labels, &scores));
}

/// The intervals of `docs/statistics.md`, metric by metric.
#[test]
fn a_metric_accepts_the_intervals_that_are_defined_for_it_and_no_other() {
    let drawn = [By::BootstrapPercentile, By::BootstrapBasic, By::BootstrapBca];
    let exact = [By::ClopperPearson, By::ClopperPearsonPatients, By::KornGraubard];
    let score = [By::Wilson, By::AgrestiCoull, By::Jeffreys];
    let of_auc = [By::Delong, By::DelongLogit, By::HanleyMcneil, By::Obuchowski, By::UStatistic];
    let check = |metrics: &[Metric], lists: &[&[By]]| {
        let expected = [lists.concat(), drawn.to_vec()].concat();
        for metric in metrics {
            for method in By::ALL {
                assert_eq!(metric.accepts(method), expected.contains(&method), "{metric:?} {method:?}");
            }
        }
    };
    let law = [By::BootstrapExact];
    check(&[Metric::Auc], &[&of_auc]);
    use Metric::{Accuracy, F1, Npv, Ppv, Prevalence, Sensitivity, Specificity};
    let shares = [Sensitivity, Specificity, Ppv, Npv, Accuracy, Prevalence, F1];
    check(&shares, &[&exact, &score, &law]);
    check(&[Metric::Youden, Metric::BalancedAccuracy], &[&exact, &law, &[By::Wald]]);
    check(&[Metric::Mcc], &[&exact, &law]);
    let ratios = [Metric::LrPositive, Metric::LrNegative, Metric::DiagnosticOddsRatio];
    check(&ratios, &[&exact, &law, &[By::Log]]);
    check(&[Metric::Brier], &[&[By::Wald, By::Hoeffding]]);
    use Metric::{CalibrationInTheLarge, CalibrationIntercept, CalibrationSlope, LogLoss};
    check(&[LogLoss, CalibrationSlope, CalibrationIntercept, CalibrationInTheLarge], &[&[By::Wald]]);
    check(&[Metric::AveragePrecision, Metric::PartialAuc, Metric::Ece, Metric::Mce], &[]);
}

#[test]
fn a_missing_value_of_a_table_says_which_cell_is_missing() {
    let why = |metric: Metric, [tp, fn_, fp, tn]: [u64; 4]| {
        let labels = [vec![true; (tp + fn_) as usize], vec![false; (fp + tn) as usize]].concat();
        let scores: Vec<f64> = [(tp, 0.9), (fn_, 0.1), (fp, 0.9), (tn, 0.1)]
            .into_iter()
            .flat_map(|(n, score)| std::iter::repeat_n(score, n as usize))
            .collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        estimate(metric, &sample, Some(0.5), &plan(ResamplingUnit::Case)).not_evaluable.expect("a reason")
    };
    let no_positive = "there is no positive case";
    let no_negative = "there is no negative case";
    assert_eq!(why(Metric::Youden, [0, 0, 0, 0]), "there are no cases");
    assert_eq!(why(Metric::Sensitivity, [0, 0, 1, 1]), no_positive);
    assert_eq!(why(Metric::Specificity, [1, 1, 0, 0]), no_negative);
    assert_eq!(why(Metric::Ppv, [0, 1, 0, 1]), "no case is called positive");
    assert_eq!(why(Metric::Npv, [1, 0, 1, 0]), "no case is called negative");
    assert_eq!(why(Metric::F1, [0, 0, 0, 1]), "no case is positive or called positive");
    for metric in
        [Metric::Youden, Metric::BalancedAccuracy, Metric::Mcc, Metric::LrPositive, Metric::LrNegative]
    {
        assert_eq!(why(metric, [0, 0, 1, 1]), no_positive, "{metric:?}");
        assert_eq!(why(metric, [1, 1, 0, 0]), no_negative, "{metric:?}");
    }
    assert_eq!(why(Metric::Mcc, [1, 0, 1, 0]), "all calls are the same");
    let unbounded = |cell: &str| format!("{cell}: the ratio is unbounded");
    assert_eq!(why(Metric::LrPositive, [1, 1, 0, 1]), unbounded("no negative case is called positive"));
    assert_eq!(why(Metric::LrNegative, [1, 1, 1, 0]), unbounded("no negative case is called negative"));
    assert_eq!(
        why(Metric::DiagnosticOddsRatio, [1, 0, 1, 1]),
        unbounded("a cell of the table that divides is zero")
    );
}

/// "Clopper and Pearson, exact" is said of a share alone: elsewhere its limits are of pairs, or projected.
#[test]
fn an_interval_is_named_for_what_it_is_of() {
    use crate::estimate::Quantity;
    let named = |metric: Metric| By::ClopperPearson.describe(metric.quantity());
    use Metric::{Accuracy, Npv, Ppv, Prevalence, Sensitivity, Specificity};
    for share in [Sensitivity, Specificity, Ppv, Npv, Accuracy, Prevalence] {
        assert_eq!(share.quantity(), Quantity::Share, "{share:?}");
        assert_eq!(named(share), "Clopper and Pearson (1934), exact");
    }
    assert_eq!(Metric::Auc.quantity(), Quantity::Area);
    assert_eq!(named(Metric::Auc), "Clopper and Pearson (1934) of disjoint pairs");
    for projected in [Metric::F1, Metric::Youden, Metric::Mcc, Metric::LrPositive, Metric::Brier] {
        assert_eq!(projected.quantity(), Quantity::Projected, "{projected:?}");
        assert_eq!(named(projected), "projected from Clopper-Pearson (1934) limits");
    }
}

/// Given the cases that are positive or called so, F1 = 2J/(1+J) rises with the share J of true positives.
#[test]
fn limits_of_f1_are_those_of_its_share_carried_over() {
    use crate::proportion::{agresti_coull, clopper_pearson, jeffreys, wilson};
    // 12 true positives, 5 missed, 4 alarms.
    let labels: Vec<bool> = (0..40).map(|i| i < 17).collect();
    let scores: Vec<f64> = (0..40).map(|i| if i < 12 || (17..21).contains(&i) { 0.9 } else { 0.1 }).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let f1 = |share: f64| 2.0 * share / (1.0 + share);
    let found = estimate(Metric::F1, &sample, Some(0.5), &plan(ResamplingUnit::Case));
    assert!((found.value.expect("a value") - f1(12.0 / 21.0)).abs() < 1e-12);
    for (method, (lower, upper)) in [
        (By::Wilson, wilson(12, 21, 0.95)),
        (By::AgrestiCoull, agresti_coull(12, 21, 0.95)),
        (By::Jeffreys, jeffreys(12, 21, 0.95)),
        (By::ClopperPearson, clopper_pearson(12, 21, 0.95)),
    ] {
        let interval = found.intervals.iter().find(|i| i.method == method).expect("an interval");
        assert!((interval.lower - f1(lower)).abs() < 1e-12, "{method:?} {interval:?}");
        assert!((interval.upper - f1(upper)).abs() < 1e-12, "{method:?} {interval:?}");
    }
}

#[test]
fn a_class_is_small_below_fifteen_and_an_end_of_the_range_is_within_it() {
    let codes = |positives: usize, by: By, metric: Metric, perfect: bool| -> Vec<&'static str> {
        let labels: Vec<bool> = (0..positives + 20).map(|i| i < positives).collect();
        let score =
            |i: usize| if perfect { f64::from(u8::from(i < positives)) } else { (i * 7 % 11) as f64 / 11.0 };
        let scores: Vec<f64> = (0..labels.len()).map(score).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let plan = Plan::new(0.95, vec![by], ResamplingUnit::Case, 200, 7);
        estimate(metric, &sample, Some(0.5), &plan).warnings.iter().map(|w| w.code.as_str()).collect()
    };
    assert!(codes(14, By::Delong, Metric::Auc, false).contains(&"small-class"));
    assert!(!codes(15, By::Delong, Metric::Auc, false).contains(&"small-class"));
    // The limit of a perfect share is 1, which is possible.
    for by in [By::ClopperPearson, By::Wilson, By::Jeffreys] {
        assert!(!codes(15, by, Metric::Sensitivity, true).contains(&"beyond-range"), "{by:?}");
        assert!(!codes(15, by, Metric::Specificity, true).contains(&"beyond-range"), "{by:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]
    #[test]
    fn several_estimates_are_the_same_as_each_by_itself(
        cases in proptest::collection::vec((proptest::bool::ANY, 0.0_f64..1.0, 0_u32..12), 1..40),
        way in 0_usize..3,
    ) {
        let labels: Vec<bool> = cases.iter().map(|case| case.0).collect();
        let scores: Vec<f64> = cases.iter().map(|case| case.1).collect();
        let patients: Vec<u32> = cases.iter().map(|case| case.2).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        // Cases and patients; no site is recorded.
        let unit = [ResamplingUnit::Case, ResamplingUnit::Patient, ResamplingUnit::Site][way];
        let plan = Plan { replicates: 40, ..plan(unit) };
        let metrics = [&Metric::CALIBRATION[..], &[Metric::Auc, Metric::LogLoss]].concat();
        let alone: Vec<Estimate> =
            metrics.iter().map(|metric| estimate(*metric, &sample, Some(0.5), &plan)).collect();
        proptest::prop_assert_eq!(estimates(&metrics, &sample, Some(0.5), &plan), alone);
    }
}
