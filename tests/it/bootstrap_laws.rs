//! The bootstrap against its laws: big Monte Carlo runs of another program (their own error is in the
//! file), closed-form laws, and the parts of BCa.

use sequester::statistics::bootstrap;
use sequester::statistics::bootstrap::{Cases, Replicates, Resampler};
use sequester::statistics::confusion::Confusion;
use sequester::statistics::estimate::ResamplingUnit;
use sequester::statistics::{auc, exact_law};

use crate::reference_values::{Table, reference, table};

const REPLICATES: u64 = 20_000;

fn resampler(t: &Table, unit: ResamplingUnit) -> Resampler {
    let cases = Cases { labels: &t.labels, patients: Some(&t.patients), sites: None };
    Resampler::new(unit, &cases).expect("unit")
}

fn replicates(t: &Table, unit: ResamplingUnit, metric: &str) -> Replicates {
    let resampler = resampler(t, unit);
    if metric == "auc" {
        return bootstrap::auc(&resampler, &t.labels, &t.scores, REPLICATES, 1);
    }
    let statistic = match metric {
        "sens@0.5" => |c: &Confusion| Some(c.sensitivity().0 as f64 / c.sensitivity().1 as f64),
        "spec@0.5" => |c: &Confusion| Some(c.specificity().0 as f64 / c.specificity().1 as f64),
        _ => |c: &Confusion| c.f1(),
    };
    let calls: Vec<bool> = t.scores.iter().map(|&s| s >= 0.5).collect();
    // The reference leaves out every replicate that lacks a class.
    let both = |c: &Confusion| (c.positives() > 0 && c.negatives() > 0).then(|| statistic(c)).flatten();
    bootstrap::confusion_with(&resampler, &t.labels, &calls, REPLICATES, 1, both)
}

#[test]
fn replicates_follow_the_reference_laws() {
    let laws = reference("boot_reference");
    let mut compared = 0;
    for (name, laws) in laws.as_object().expect("object") {
        let t = table(name);
        let counts = Confusion::at(&t.labels, &t.scores, 0.5);
        for (key, law) in laws.as_object().expect("object") {
            let Some((scheme, metric)) = key.split_once('.') else { continue };
            let unit = match scheme {
                "iid" => ResamplingUnit::Case,
                "stratified" => ResamplingUnit::CaseStratified,
                "cluster" => ResamplingUnit::Patient,
                _ => continue,
            };
            let ours = replicates(&t, unit, metric);
            let number = |v: &serde_json::Value| v.as_f64().expect("number");
            let theirs = number(&law["B"]);
            let both = (1.0 / REPLICATES as f64 + 1.0 / theirs).sqrt();
            let (mean, se) = (number(&law["mean"]), number(&law["se"]));
            let our_mean = ours.values.iter().sum::<f64>() / ours.values.len() as f64;
            assert!((our_mean - mean).abs() < 5.0 * se * both, "{name} {key}: mean {our_mean} {mean}");
            let our_se = ours.standard_error().expect("se");
            assert!((our_se / se - 1.0).abs() < 5.0 * both, "{name} {key}: se {our_se} {se}");
            // A quantile's Monte Carlo error, from the normal density there, and one step of a discrete law.
            let step = match metric {
                "auc" => 0.0,
                "spec@0.5" => 1.0 / counts.negatives() as f64,
                _ => 1.5 / counts.positives() as f64,
            };
            for (q, density) in [(0.025_f64, 0.0584), (0.5, 0.3989), (0.975, 0.0584)] {
                let expected = number(&law["quantiles"][format!("{q}")]);
                let error = 5.5 * (q * (1.0 - q)).sqrt() / density * se * both;
                let got = ours.quantile(q).expect("quantile");
                assert!(
                    (got - expected).abs() < error + step,
                    "{name} {key} {q}: {got} {expected} ± {error}"
                );
                compared += 1;
            }
            let dropped = number(&law["dropped"]) / theirs;
            let ours = ours.dropped as f64 / REPLICATES as f64;
            assert!((ours - dropped).abs() < 5.0 * (dropped.max(1e-5) * both * both).sqrt(), "{name} {key}");
        }
    }
    assert!(compared >= 200, "{compared}");
}

#[test]
fn the_one_pass_bootstrap_and_the_collapsed_one_have_one_law() {
    // Every case its own patient: drawing patients is drawing cases, by another route.
    for name in ["d01_tiny20", "d05_ties2000", "d10_reversed300"] {
        let t = table(name);
        let cases = replicates(&t, ResamplingUnit::Case, "auc");
        let patients = replicates(&t, ResamplingUnit::Patient, "auc");
        let se = cases.standard_error().expect("se");
        for q in [0.025, 0.25, 0.5, 0.75, 0.975] {
            let (a, b) = (cases.quantile(q).expect("q"), patients.quantile(q).expect("q"));
            assert!((a - b).abs() < 0.12 * se, "{name} {q}: {a} {b}");
        }
    }
}

#[test]
fn closed_form_laws_give_the_reference_quantiles() {
    let laws = reference("boot_reference");
    let mut compared = 0;
    for (name, laws) in laws.as_object().expect("object") {
        let t = table(name);
        let c = Confusion::at(&t.labels, &t.scores, 0.5);
        for (key, law) in laws.as_object().expect("object") {
            if !key.contains("_exact.") {
                continue;
            }
            for (p, expected) in law.as_object().expect("object") {
                let p: f64 = p.parse().expect("p");
                let mixed = |(k, n): (u64, u64)| {
                    exact_law::mixed_size_quantiles(k, n, c.total(), &[p]).expect("law")[0]
                };
                let fixed = |(k, n): (u64, u64)| exact_law::fixed_size_quantile(k, n, p);
                let got = match key.as_str() {
                    "stratified_exact.sens@0.5" => fixed(c.sensitivity()),
                    "stratified_exact.spec@0.5" => fixed(c.specificity()),
                    "iid_exact.acc@0.5" => fixed(c.accuracy()),
                    "iid_exact.sens@0.5" => mixed(c.sensitivity()),
                    "iid_exact.spec@0.5" => mixed(c.specificity()),
                    other => panic!("{other}"),
                };
                let expected = expected.as_f64().expect("number");
                assert!((got - expected).abs() < 1e-12, "{name} {key} {p}: {got} {expected}");
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared}");
}

#[test]
fn acceleration_and_bca_limits_match_the_reference() {
    let laws = reference("boot_reference");
    for (name, laws) in laws.as_object().expect("object") {
        let law = &laws["bca_iid.auc"];
        let t = table(name);
        let cases = resampler(&t, ResamplingUnit::Case);
        let a = bootstrap::acceleration(&bootstrap::auc_jackknife(&cases, &t.labels, &t.scores));
        let expected = law["a"].as_f64().expect("a");
        assert!((a - expected).abs() < 1e-12, "{name}: {a} {expected}");
        let drawn = replicates(&t, ResamplingUnit::Case, "auc");
        let value = auc::auc(&t.labels, &t.scores).expect("auc");
        let (lower, upper) = drawn.bca(value, a, 0.95).expect("limits");
        let se = drawn.standard_error().expect("se");
        for (got, key) in [(lower, "lo"), (upper, "hi")] {
            let expected = law[key].as_f64().expect("limit");
            assert!((got - expected).abs() < 0.13 * se, "{name} {key}: {got} {expected}");
        }
    }
}

#[test]
fn jackknife_in_closed_form_is_the_one_by_brute_force() {
    for (name, unit) in [
        ("d01_tiny20", ResamplingUnit::Case),
        ("d08_clustered", ResamplingUnit::Patient),
        ("d08_clustered", ResamplingUnit::Case),
    ] {
        let t = table(name);
        let resampler = resampler(&t, unit);
        let quick = bootstrap::auc_jackknife(&resampler, &t.labels, &t.scores);
        for leaf in (0..resampler.leaves).step_by(7) {
            let keep: Vec<usize> =
                (0..t.labels.len()).filter(|&i| resampler.leaf_of_case[i] as usize != leaf).collect();
            let labels: Vec<bool> = keep.iter().map(|&i| t.labels[i]).collect();
            let scores: Vec<f64> = keep.iter().map(|&i| t.scores[i]).collect();
            let slow = auc::auc(&labels, &scores).expect("auc");
            assert!((quick[leaf].0 - slow).abs() < 1e-14, "{name} {leaf}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let t = table("d03_prev1000");
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let units = [ResamplingUnit::Case, ResamplingUnit::CaseStratified, ResamplingUnit::Patient];
            units.map(|unit| bootstrap::auc(&resampler(&t, unit), &t.labels, &t.scores, 500, 7))
        })
    };
    assert_eq!(run(1), run(3));
}
