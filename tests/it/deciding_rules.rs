//! Which interval decides an endpoint: never one that collapsed, that sees no spread where a share has no
//! error, or that takes the cases of one patient as independent. The rule alone; `deciding` has what the
//! program says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sequester::statistics::clustered::Shares;
use sequester::statistics::estimate::{IntervalMethod as By, ResamplingUnit};
use sequester::statistics::metric::{Decision, Fallback, Metric, Plan, Sample, decide, estimate};
use sequester::statistics::proportion::clopper_pearson;

use crate::reference_values::reference;

const UNITS: [ResamplingUnit; 5] = [
    ResamplingUnit::Case,
    ResamplingUnit::CaseStratified,
    ResamplingUnit::Patient,
    ResamplingUnit::Site,
    ResamplingUnit::SiteThenPatient,
];

fn decision(metric: Metric, sample: &Sample<'_>, by: By, unit: ResamplingUnit, rule: Fallback) -> Decision {
    let plan = Plan::new(0.95, vec![by], unit, 100, 7);
    let found = estimate(metric, sample, Some(0.5), &plan);
    decide(&found, metric, sample, Some(0.5), by, rule, &plan)
}

/// Labels, scores on both sides of 0.5 with ties, patients and sites of 2 to 24 cases.
fn cases() -> impl Strategy<Value = (Vec<bool>, Vec<f64>, Vec<u32>, Vec<u32>)> {
    let row = (any::<bool>(), 0..6_u32, 0..12_u32, 0..3_u32);
    (prop::collection::vec(row, 2..24), any::<bool>()).prop_map(|(rows, alone)| {
        let labels = rows.iter().map(|r| r.0).collect();
        // Half of the tables are close to perfect, where intervals collapse.
        let score = |r: &(bool, u32, u32, u32)| match r.1 {
            0 => 0.5,
            1 => f64::from(u8::from(!r.0)),
            level => f64::from(level) / 8.0 * if r.0 { 1.0 } else { 0.3 } + if r.0 { 0.3 } else { 0.0 },
        };
        let scores = rows.iter().map(score).collect();
        let patients = rows.iter().zip(0..).map(|(r, i)| if alone { i } else { r.2 }).collect();
        (labels, scores, patients, rows.iter().map(|r| r.3).collect())
    })
}

/// Whether a patient has several cases among those that `metric` counts, or cases of both classes where it
/// rests on both.
fn has_clusters(metric: Metric, labels: &[bool], scores: &[f64], patients: &[u32]) -> bool {
    let mut seen: BTreeMap<u32, u32> = BTreeMap::new();
    for ((&label, &score), &patient) in labels.iter().zip(scores).zip(patients) {
        let call = score >= 0.5;
        let counts = match metric {
            Metric::Sensitivity => label,
            Metric::Specificity => !label,
            Metric::Ppv => call,
            Metric::Npv => !call,
            Metric::F1 => label || call,
            _ => true,
        };
        *seen.entry(patient).or_default() += u32::from(counts);
    }
    seen.values().any(|&n| n > 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_criterion_is_judged_by_an_interval_that_is_none((labels, scores, patients, sites) in cases()) {
        let (labels, scores) = (&labels, &scores);
        let sample = Sample { labels, scores, patients: Some(&patients), sites: Some(&sites) };
        for metric in Metric::ENDPOINTS {
            let clustered = has_clusters(metric, labels, scores, &patients);
            for unit in UNITS {
                for by in metric.methods().filter(|m| m.exists_for(unit)) {
                    for (_, rule) in Fallback::NAMES {
                        let decided = decision(metric, &sample, by, unit, rule);
                        let what = format!("{metric:?} {by:?} {unit:?} {rule:?}: {decided:?}");
                        let sound = decided.fault.is_none() || decided.interval.is_none();
                        prop_assert!(rule != Fallback::None || sound, "{what}");
                        let Some(interval) = decided.interval else { continue };
                        prop_assert!(interval.upper - interval.lower > 1e-9, "{what}");
                        prop_assert!(decided.fault.is_some() || interval.method == by, "{what}");
                        use ResamplingUnit::{Patient, Site, SiteThenPatient};
                        let drawn = matches!(interval.unit, Some(Patient | Site | SiteThenPatient));
                        let together = matches!(
                            interval.method,
                            By::Obuchowski | By::KornGraubard | By::ClopperPearsonPatients | By::Hoeffding
                        ) || interval.method == By::ClopperPearson && !metric.is_of_table();
                        prop_assert!(!clustered || drawn || together, "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_perfect_result_meets_no_bound_above_the_exact_one(positives in 1..40_u64, negatives in 1..40_u64) {
        let labels: Vec<bool> = (0..positives + negatives).map(|i| i < positives).collect();
        let scores: Vec<f64> = labels.iter().map(|&l| if l { 0.9 } else { 0.1 }).collect();
        let patients: Vec<u32> = (0..labels.len() as u32).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        for (metric, units) in [
            (Metric::Sensitivity, positives),
            (Metric::Ppv, positives),
            (Metric::Specificity, negatives),
            (Metric::Npv, negatives),
            (Metric::Accuracy, positives + negatives),
            (Metric::Auc, positives.min(negatives)),
        ] {
            let exact = clopper_pearson(units, units, 0.95).0;
            for by in metric.methods() {
                let decided = decision(metric, &sample, by, ResamplingUnit::Case, Fallback::default());
                let interval = decided.interval.expect("decides");
                prop_assert!((interval.lower - exact).abs() < 1e-12, "{metric:?} {by:?} {interval:?} \
                    {exact}");
            }
        }
    }

    #[test]
    fn one_error_less_never_loses_what_was_met(cases in 4..80_u64, errors in 1..4_u64) {
        // With one error less the bound that decides is no lower, as long as the same interval decides: where
        // a bootstrap has too few errors to go on, the exact one takes its place, and that is the wider.
        for by in [
            By::ClopperPearson,
            By::Wilson,
            By::AgrestiCoull,
            By::Jeffreys,
            By::BootstrapExact,
            By::BootstrapPercentile,
        ] {
            let decided = |wrong: u64| {
                let labels = vec![true; cases as usize];
                let scores: Vec<f64> = (0..cases).map(|i| if i < wrong { 0.1 } else { 0.9 }).collect();
                let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
                let plan = Plan::new(0.95, vec![by], ResamplingUnit::Case, 2000, 7);
                let found = estimate(Metric::Sensitivity, &sample, Some(0.5), &plan);
                let rule = Fallback::default();
                decide(&found, Metric::Sensitivity, &sample, Some(0.5), by, rule, &plan)
            };
            let (more, fewer) = (decided(errors), decided(errors - 1));
            if more.fault.is_some() == fewer.fault.is_some() {
                let [more, fewer] = [more, fewer].map(|one| one.interval.expect("decides").lower);
                prop_assert!(more <= fewer, "{by:?} {cases} {errors}: {more} {fewer}");
            }
        }
    }
}

#[test]
fn an_errorless_bootstrap_and_a_perfect_order_have_the_exact_bound() {
    let judged = |n: usize| {
        let (labels, scores) = (vec![true; n], vec![0.9; n]);
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let by = By::BootstrapPercentile;
        let decided = decision(Metric::Sensitivity, &sample, by, ResamplingUnit::Case, Fallback::default());
        (decided.interval.expect("decides").lower, decided.fault.expect("a fault").code.as_str())
    };
    let (lower, code) = judged(70);
    assert!((lower - 0.948_66).abs() < 1e-5 && code == "interval-collapsed", "{lower} {code}");
    let (lower, _) = judged(30);
    assert!((lower - 0.884_30).abs() < 1e-5, "{lower}");
    let labels = [true, true, true, true, true, false, false, false, false, false];
    let scores = labels.map(|l| if l { 0.8 } else { 0.2 });
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let decided = decision(Metric::Auc, &sample, By::Delong, ResamplingUnit::Case, Fallback::default());
    let interval = decided.interval.expect("decides");
    assert!((interval.lower - 0.478_18).abs() < 1e-5 && interval.upper == 1.0, "{interval:?}");
}

/// `make_clustered.py` computes the same from the formulas with 50 digits and no code of ours.
#[test]
fn clustered_exact_intervals_agree_with_fifty_digits() {
    let all = reference("clustered");
    let tables = all["tables"].as_array().expect("tables");
    assert!(tables.len() >= 12, "{}", tables.len());
    for table in tables {
        let level = table["level"].as_f64().expect("level");
        let rows: Vec<(u64, u64)> = serde_json::from_value(table["patients"].clone()).expect("rows");
        let cases =
            rows.iter().zip(0..).flat_map(|(&(right, n), patient)| (0..n).map(move |i| (patient, i < right)));
        let shares = Shares::of(rows.len(), cases);
        let close = |what: &str, ours: Option<f64>| {
            let theirs = table[what].as_f64();
            match (ours, theirs) {
                (Some(a), Some(b)) => {
                    assert!((a - b).abs() <= 1e-11 * b.abs().max(1e-3), "{what} {table} {a}")
                }
                (a, b) => assert_eq!(a, b, "{what} {table}"),
            }
        };
        close("design_effect", shares.design_effect());
        close("effective_number", shares.effective_number(level));
        close("kg_lower", shares.korn_graubard(level).map(|l| l.0));
        close("kg_upper", shares.korn_graubard(level).map(|l| l.1));
        close("patients_lower", shares.on_patients(level).map(|l| l.0));
        close("patients_upper", shares.on_patients(level).map(|l| l.1));
    }
}

/// What decides the sensitivity of patients with one or three images covers as its level says, where a
/// declared Clopper-Pearson interval does not.
#[test]
fn what_decides_covers_where_patients_have_several_images() {
    use sequester::statistics::random::Stream;
    let (runs, patients, truth) = (1000_u64, 60_u32, 0.8);
    let (mut decided, mut naive) = (0_u64, 0_u64);
    for run in 0..runs {
        let mut stream = Stream::new(11, run);
        let (mut scores, mut ids) = (Vec::new(), Vec::new());
        for patient in 0..patients {
            // With probability 0.4 one draw holds for all images of the patient: an intra-patient correlation
            // of 0.4.
            let (common, shared) = (stream.unit() < truth, stream.unit() < 0.4);
            for _ in 0..if patient % 2 == 0 { 3 } else { 1 } {
                let right = if shared { common } else { stream.unit() < truth };
                scores.push(if right { 0.9 } else { 0.1 });
                ids.push(patient);
            }
        }
        let labels = vec![true; scores.len()];
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&ids), sites: None };
        let rule = Fallback::default();
        let found = decision(Metric::Sensitivity, &sample, By::ClopperPearson, ResamplingUnit::Patient, rule);
        let interval = found.interval.expect("decides");
        decided += u64::from(interval.lower <= truth && truth <= interval.upper);
        let right = scores.iter().filter(|s| **s > 0.5).count() as u64;
        let (lower, upper) = clopper_pearson(right, scores.len() as u64, 0.95);
        naive += u64::from(lower <= truth && truth <= upper);
    }
    assert!(decided >= 940, "{decided} of {runs}");
    assert!(naive < 935, "{naive} of {runs}");
}
