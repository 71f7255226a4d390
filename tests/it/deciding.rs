//! Which interval decides an endpoint: never one that collapsed, that sees no spread where a share has no
//! error, or that takes the cases of one patient as independent.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sequester::statistics::clustered::Shares;
use sequester::statistics::estimate::{IntervalMethod as By, ResamplingUnit};
use sequester::statistics::metric::{Decision, Fallback, Metric, Plan, Sample, decide, estimate};
use sequester::statistics::proportion::clopper_pearson;

use crate::reference_values::reference;
use crate::support::Study;

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
            let clustered = has_clusters(metric, &labels, &scores, &patients);
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
        // With fewer errors the bound that decides is no lower, whatever the method.
        for by in Metric::Sensitivity.methods() {
            let bound = |wrong: u64| {
                let labels = vec![true; cases as usize];
                let scores: Vec<f64> = (0..cases).map(|i| if i < wrong { 0.1 } else { 0.9 }).collect();
                let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
                let plan = Plan::new(0.95, vec![by], ResamplingUnit::Case, 2000, 7);
                let found = estimate(Metric::Sensitivity, &sample, Some(0.5), &plan);
                let rule = Fallback::default();
                let decided = decide(&found, Metric::Sensitivity, &sample, Some(0.5), by, rule, &plan);
                decided.interval.map(|i| i.lower)
            };
            if matches!(by, By::ClopperPearson | By::Wilson | By::BootstrapExact | By::BootstrapPercentile) {
                prop_assert!(bound(errors) <= bound(0), "{by:?} {cases} {errors}: {:?} \
                    {:?}", bound(errors), bound(0));
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

/// A small study whose device makes no error, every patient with one case, and its declared endpoints.
fn perfect(endpoints: &str) -> Study {
    let study = Study::small();
    let text = study.read("protocol.toml");
    let (before, after) = text.split_once("[[endpoint]]").expect("an endpoint");
    let (_, subgroups) = after.split_once("[[subgroup]]").expect("a subgroup");
    study.write("protocol.toml", &format!("{before}{endpoints}\n[[subgroup]]{subgroups}"));
    study.replace("protocol.toml", "[sample]\n", "[sample]\nimages_per_patient = \"one\"\n");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let scores: String = std::iter::once("case_id,score\n".to_owned())
        .chain((0..120).map(|i| format!("C{i:03},{}\n", if i % 2 == 0 { 0.9 } else { 0.1 })))
        .collect();
    study.write("scores.csv", &scores);
    for reader in 1..=3 {
        let reads: String =
            std::iter::once("case_id,reader_id,read\n".to_owned())
                .chain((0..120).map(|i| {
                    format!("C{i:03},R{reader},{}\n", if i % 2 == 0 { "positive" } else { "negative" })
                }))
                .collect();
        study.write(&format!("reads/reader-{reader}.csv"), &reads);
    }
    study
}

fn endpoint(id: &str, metric: &str, interval: &str, criterion: &str) -> String {
    format!(
        "[[endpoint]]\nid = \"{id}\"\nmetric = \"{metric}\"\nrole = \"primary\"\ninterval = \"{interval}\"\n\
         criterion = \"{criterion}\"\n\n"
    )
}

#[test]
fn a_perfect_device_is_judged_by_exact_intervals_and_every_output_says_so() {
    let study = perfect(
        &(endpoint("auc", "auc", "delong", "lower > 0.99")
            + &endpoint("sensitivity", "sensitivity", "bootstrap-percentile", "lower > 0.80")),
    );
    let ran = study.run("validate", &["--json"]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let auc = &told["endpoints"][0];
    assert_eq!(auc["verdict"], "not-met", "{auc}");
    assert_eq!(auc["interval_method"], "delong");
    assert_eq!(auc["interval"]["method"], "clopper-pearson");
    assert_eq!(auc["fallback"]["rule"], "effective-number");
    assert_eq!(auc["fallback"]["reason"], "interval-collapsed");
    assert_eq!(auc["fallback"]["declared"]["lower"], 1.0);
    let sensitivity = &told["endpoints"][1];
    assert_eq!(sensitivity["verdict"], "met", "{sensitivity}");
    let lower = sensitivity["bound"].as_f64().expect("a bound");
    assert!(lower > 0.8 && lower < 0.95, "{lower}");
    let results: serde_json::Value =
        serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    assert_eq!(results["endpoints"], told["endpoints"]);
    let of = |id: &str| {
        let all = results["estimates"].as_array().expect("estimates");
        all.iter().find(|e| e["id"] == id && e.get("subgroup").is_none()).expect("an estimate").clone()
    };
    // The quoted interval is the sound one.
    assert_eq!(of("auc")["intervals"][0]["method"], "clopper-pearson");
    assert!(results["warnings"].to_string().contains("fallback-decided"));
    let text = study.run("validate", &[]);
    assert!(text.stdout.contains("Clopper and Pearson (1934) of disjoint pairs"), "{}", text.stdout);
    assert!(
        text.stdout.contains("not by the declared interval (DeLong (1988), 1.000 to 1.000)"),
        "{}",
        text.stdout
    );
    assert_eq!(study.run("report", &[]).code, 0);
    let html = study.read("reports/run-1/report.html");
    assert!(html.contains("not by the declared interval"));
    assert!(html.contains("interval-collapsed"));
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn a_declared_none_is_not_evaluable() {
    let declared =
        endpoint("auc", "auc", "delong", "lower > 0.5").replace("role", "fallback = \"none\"\nrole");
    let ran = perfect(&declared).run("validate", &["--json"]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["conclusion"], "not-evaluable");
    assert_eq!(told["endpoints"][0]["interval"], serde_json::Value::Null);
}

#[test]
fn several_images_a_patient_are_said_before_and_decided_by_patients_after() {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "[[subgroup]]",
        &(endpoint("accuracy", "accuracy", "clopper-pearson", "lower > 0.20") + "[[subgroup]]"),
    );
    // The declared intervals are right for one image a patient.
    let checked = study.run("check", &[]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    for id in ["auc", "accuracy"] {
        let words = format!("warning[clustering-ignored]: the endpoint `{id}` declares");
        assert!(checked.stdout.contains(&words), "{}", checked.stdout);
    }
    let ran = study.run("validate", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let [auc, accuracy] = [&told["endpoints"][0], &told["endpoints"][1]];
    assert_eq!(auc["interval"]["method"], "obuchowski", "{auc}");
    assert_eq!(accuracy["interval"]["method"], "korn-graubard", "{accuracy}");
    assert_eq!(accuracy["fallback"]["reason"], "clustering-ignored");
    study.replace("protocol.toml", "[sample]\n", "[sample]\nimages_per_patient = \"one\"\n");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let checked = study.run("check", &[]);
    assert!(!checked.stdout.contains("clustering-ignored"), "{}", checked.stdout);
}

#[test]
fn a_protocol_of_format_1_is_refused_with_what_changed() {
    let study = Study::small();
    study.replace("protocol.toml", "sequester-protocol/2", "sequester-protocol/1");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    for words in
        ["format-unknown", "protocol.toml:1", "sequester-protocol/1", "`fallback`", "sequester 0.1 reads"]
    {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
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
