//! Comparisons and multiplicity against ground truth: every key of
//! `fixtures/reference-values/ref/comparative_*`, made by `make_comparative.py` with exact fractions and 50
//! digits, and the exact intervals of ExactCIdiff.

use std::collections::BTreeMap;

use sequester::statistics::comparative::{
    Aim, AucDifference, IndependentShares, MarginTests, PairedCalls, PredictiveValue, exact_interval,
    unconditional_p,
};
use sequester::statistics::multiplicity::{Graph, Rule, adjusted};
use sequester::statistics::paired_shares::PairedShares;
use sequester::statistics::special::normal_two_sided;

use crate::reference_values::{folder, reference, table};

const LEVEL: f64 = 0.95;
type Values = BTreeMap<String, f64>;

fn put(out: &mut Values, key: &str, value: Option<f64>) {
    if let Some(value) = value {
        out.insert(key.to_owned(), value);
    }
}

fn put_limits(out: &mut Values, key: &str, limits: Option<(f64, f64)>) {
    let separator = if key.ends_with('_') { "" } else { "." };
    put(out, &format!("{key}{separator}lo"), limits.map(|l| l.0));
    put(out, &format!("{key}{separator}hi"), limits.map(|l| l.1));
}

fn put_margin(out: &mut Values, margin: f64, method: &str, tests: Option<MarginTests>) {
    let key = |what: &str| format!("m{margin:.2}.{method}_{what}");
    put(out, &key("ni.z"), tests.map(|t| t.lower.z));
    put(out, &key("ni.p"), tests.map(|t| t.lower.p));
    put(out, &key("upper.z"), tests.map(|t| t.upper.z));
    put(out, &key("upper.p"), tests.map(|t| t.upper.p));
    put(out, &key("tost.p"), tests.map(|t| t.equivalence_p));
}

fn paired(shares: &PairedShares) -> Values {
    let mut out = Values::new();
    let counts = [
        ("n", shares.cases()),
        ("both", shares.both),
        ("onlyA", shares.only_first),
        ("onlyB", shares.only_second),
        ("neither", shares.neither),
    ];
    for (key, count) in counts {
        put(&mut out, key, Some(count as f64));
    }
    put(&mut out, "estA", shares.shares().map(|s| s[0]));
    put(&mut out, "estB", shares.shares().map(|s| s[1]));
    put(&mut out, "diff", shares.difference());
    put(&mut out, "wald.se", shares.wald_se());
    put_limits(&mut out, "wald", shares.wald(LEVEL));
    put(&mut out, "agresti_min.est", shares.agresti_min_estimate());
    put_limits(&mut out, "agresti_min", shares.agresti_min(LEVEL));
    put_limits(&mut out, "bonett_price", shares.bonett_price(LEVEL));
    put_limits(&mut out, "tango", shares.tango(LEVEL));
    put(&mut out, "newcombe10.phi", Some(shares.phi(true)));
    put(&mut out, "newcombe8.phi", Some(shares.phi(false)));
    put_limits(&mut out, "newcombe10", shares.newcombe(LEVEL));
    put_limits(&mut out, "newcombe8", shares.newcombe_uncorrected(LEVEL));
    let test = shares.discordant();
    put(&mut out, "mcnemar.stat", test.statistic());
    put(&mut out, "mcnemar.p", test.p());
    put(&mut out, "mcnemar.exact_p", test.exact_p());
    put(&mut out, "mcnemar.midp", test.mid_p());
    // Where both are equal, the mid-p of the paper's text is 1 less half of what was seen.
    let fagerland = match (shares.only_first == shares.only_second, test.exact_p(), test.mid_p()) {
        (true, Some(_), _) => {
            let n = shares.only_first + shares.only_second;
            let seen = sequester::statistics::special::binomial_density(n as f64 / 2.0, n as f64, 0.5, 0.5);
            Some(1.0 - seen / 2.0)
        }
        (_, _, mid) => mid,
    };
    put(&mut out, "mcnemar.midp_fagerland", fagerland);
    put(&mut out, "mcnemar.uncond_p", unconditional_p(shares));
    for margin in [0.05, 0.10] {
        put_margin(&mut out, margin, "tango", MarginTests::of(margin, |d| shares.tango_z(d)));
        put_margin(&mut out, margin, "wald", MarginTests::of(margin, |d| shares.wald_z(d)));
    }
    // A ratio of 0 has no logarithm, so it is left out where the first share is 0, as its error is.
    let ratio_se = shares.ratio_log_se();
    put(&mut out, "ratio.est", shares.ratio().filter(|_| ratio_se.is_some()));
    put(&mut out, "ratio.se_log", ratio_se);
    put_limits(&mut out, "ratio.wald_", shares.ratio_wald(LEVEL));
    let z = ratio_se.filter(|se| *se > 0.0).and_then(|se| Some(shares.ratio()?.ln() / se));
    put(&mut out, "ratio.wald_p", z.map(normal_two_sided));
    put_limits(&mut out, "ratio.tang_", shares.ratio_score(LEVEL));
    out
}

fn predictive(calls: &PairedCalls) -> Values {
    let mut out = Values::new();
    for (name, of) in [("ppv", PredictiveValue::Positive), ("npv", PredictiveValue::Negative)] {
        let key = |what: &str| format!("{name}.{what}");
        let values = calls.values(of);
        put(&mut out, &key("A"), values.map(|v| v[0]));
        put(&mut out, &key("B"), values.map(|v| v[1]));
        put(&mut out, &key("diff"), values.map(|v| v[0] - v[1]));
        for (test, found) in [("gs", calls.generalised_score(of)), ("wgs", calls.weighted_score(of))] {
            put(&mut out, &key(&format!("{test}.stat")), found.map(|t| t.statistic));
            put(&mut out, &key(&format!("{test}.p")), found.map(|t| t.p));
        }
        let relative = calls.relative(of);
        put(&mut out, &key("rel.est"), relative.map(|r| r.value));
        put(&mut out, &key("rel.se_log"), relative.map(|r| r.log_se));
        put(&mut out, &key("rel.p"), relative.and_then(|r| r.p()));
        put_limits(&mut out, &key("rel"), relative.map(|r| r.limits(LEVEL)));
    }
    out
}

fn independent(shares: &IndependentShares) -> Values {
    let mut out = Values::new();
    put(&mut out, "diff", Some(shares.difference()));
    put_limits(&mut out, "wald", Some(shares.wald(LEVEL)));
    put_limits(&mut out, "agresti_caffo", Some(shares.agresti_caffo(LEVEL)));
    put_limits(&mut out, "newcombe", Some(shares.newcombe(LEVEL)));
    for (method, unbiased) in [("mn", true), ("mee", false)] {
        put_limits(&mut out, method, Some(shares.score(LEVEL, unbiased)));
        for margin in [0.05, 0.10] {
            put_margin(&mut out, margin, method, shares.margin_tests(margin, unbiased));
        }
    }
    out
}

/// Every key of a set of reference values has a value of ours, within the tolerance; where `all` holds, we
/// give no value that the reference does not have.
fn compare(name: &str, ours: &BTreeMap<String, Values>, except: &[&str]) -> usize {
    let reference = reference(&format!("comparative_{name}"));
    let mut compared = 0;
    for (set, values) in reference.as_object().expect("sets") {
        let found = &ours[set];
        let expected = values.as_object().expect("values");
        for (key, text) in expected {
            let expected: f64 = text.as_str().and_then(|t| t.parse().ok()).expect("a number");
            let found = found.get(key).unwrap_or_else(|| panic!("{set} {key} is not computed"));
            let apart = (found - expected).abs() / expected.abs().max(1.0);
            let alike = apart < 1e-10 || *found == expected;
            assert!(alike, "{set} {key}: {found}, and the reference is {expected}");
            compared += 1;
        }
        for key in found.keys().filter(|key| !expected.contains_key(*key)) {
            assert!(except.iter().any(|e| key.contains(e)), "{set} {key} has no reference value");
        }
    }
    compared
}

fn rows(name: &str) -> BTreeMap<String, Vec<u64>> {
    let mut reader = csv::Reader::from_path(folder().join(format!("comparative/{name}.csv"))).expect("input");
    let of = |row: csv::StringRecord| {
        let counts = row.iter().skip(1).map(|cell| cell.parse().expect("a count")).collect();
        (row[0].to_owned(), counts)
    };
    reader.records().map(|row| of(row.expect("row"))).collect()
}

fn calls(t: &[u64]) -> PairedCalls {
    let mut calls = PairedCalls::default();
    for (place, count) in t.iter().enumerate() {
        for _ in 0..*count {
            calls.count(place < 4, place & 2 == 0, place & 1 == 0);
        }
    }
    calls
}

#[test]
fn paired_tables_match_exact_fractions() {
    let ours = rows("paired").into_iter().map(|(name, t)| {
        let calls = calls(&t);
        let mut out = predictive(&calls);
        for (side, shares) in [("sens", calls.sensitivities()), ("spec", calls.specificities())] {
            out.extend(paired(&shares).into_iter().map(|(key, value)| (format!("{side}.{key}"), value)));
        }
        (name, out)
    });
    assert_eq!(compare("paired", &ours.collect(), &["wald_upper"]), 2408);
}

#[test]
fn exact_paired_intervals_match_exact_ci_diff() {
    let reference = reference("comparative_paired_ExactCIdiff2.1");
    let rows = rows("paired");
    let mut compared = 0;
    for (name, values) in reference.as_object().expect("tables") {
        let calls = calls(&rows[name]);
        for (side, shares) in [("sens", calls.sensitivities()), ("spec", calls.specificities())] {
            let Some(expected) = values.get(format!("{side}.exact_wang_only.lo")) else { continue };
            let upper = values[format!("{side}.exact_wang_only.hi")].as_f64().expect("a number");
            let expected = (expected.as_f64().expect("a number"), upper);
            let found = exact_interval(&shares, LEVEL).expect("few cases");
            let apart = (found.0 - expected.0).abs().max((found.1 - expected.1).abs());
            assert!(apart < 1e-5, "{name} {side} {found:?} {expected:?}");
            compared += 2;
        }
    }
    assert_eq!(compared, 22);
}

#[test]
fn independent_tables_match_exact_fractions() {
    let ours = rows("unpaired").into_iter().map(|(name, t)| {
        let shares = IndependentShares::new([t[0], t[1]], [t[2], t[3]]).expect("counts");
        (name, independent(&shares))
    });
    assert_eq!(compare("unpaired", &ours.collect(), &[]), 434);
}

#[test]
fn differences_of_aucs_match_exact_fractions() {
    let reference = reference("comparative_auc");
    let mut ours = BTreeMap::new();
    for name in reference.as_object().expect("inputs").keys() {
        let t = table(name);
        let found = AucDifference::of(&t.labels, &t.scores, &t.scores_b, None).expect("both classes");
        let mut out = Values::new();
        put(&mut out, "auc", Some(found.values[0]));
        put(&mut out, "auc_b", Some(found.values[1]));
        put(&mut out, "diff", Some(found.difference));
        put(&mut out, "var_diff", found.variance);
        put(&mut out, "se", found.se());
        for (percent, level) in [(95, 0.95), (90, 0.90)] {
            put(&mut out, &format!("lo{percent}"), found.limits(level).map(|l| l.0));
            put(&mut out, &format!("hi{percent}"), found.limits(level).map(|l| l.1));
        }
        put(&mut out, "sup.z", found.z(0.0));
        put(&mut out, "sup.p2", found.z(0.0).map(normal_two_sided));
        let tests = MarginTests::of(0.05, |d| found.z(d));
        put(&mut out, "ni.z", tests.map(|t| t.lower.z));
        put(&mut out, "ni.p", Aim::NonInferiority.p(0.05, |d| found.z(d)));
        put(&mut out, "ni_b.z", tests.map(|t| -t.upper.z));
        put(&mut out, "ni_b.p", tests.map(|t| t.upper.p));
        put(&mut out, "tost.p_lower", tests.map(|t| t.lower.p));
        put(&mut out, "tost.p_upper", tests.map(|t| t.upper.p));
        put(&mut out, "tost.p", Aim::Equivalence.p(0.05, |d| found.z(d)));
        ours.insert(name.clone(), out);
    }
    assert_eq!(compare("auc", &ours, &[]), 180);
}

/// `1/3` or `0.25`.
fn fraction(value: &serde_json::Value) -> f64 {
    let text = value.as_str().expect("a text");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    text.split_once('/').map_or_else(|| number(text), |(above, below)| number(above) / number(below))
}

#[test]
fn rules_of_multiplicity_match_exact_fractions() {
    let text = std::fs::read_to_string(folder().join("comparative/multiplicity.json")).expect("input");
    let graphs: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let mut ours = BTreeMap::new();
    for given in &graphs {
        let list = |of: &serde_json::Value| -> Vec<f64> {
            of.as_array().expect("a list").iter().map(fraction).collect()
        };
        let (w, p) = (list(&given["w"]), list(&given["p"]));
        let rows: Vec<Vec<f64>> = given["G"].as_array().expect("rows").iter().map(list).collect();
        let graph = Graph::new(w.clone(), rows).expect("a graph");
        let equal = vec![1.0 / p.len() as f64; p.len()];
        let mut rules = vec![
            ("bonferroni", Rule::Bonferroni),
            ("holm", Rule::Holm),
            ("hochberg", Rule::Hochberg),
            ("hommel", Rule::Hommel),
            ("fixed_sequence", Rule::FixedSequence),
            ("fallback_equal", Rule::Fallback(equal)),
            ("fallback_w", Rule::Fallback(w.clone())),
            ("weighted_bonferroni", Rule::WeightedBonferroni(w.clone())),
            ("graphical", Rule::Graph(graph.clone())),
        ];
        if (w.iter().sum::<f64>() - 1.0).abs() < 1e-12 {
            rules.push(("weighted_holm", Rule::WeightedHolm(w)));
        }
        let mut out = Values::new();
        for (name, rule) in rules {
            for (i, value) in adjusted(&rule, &p).into_iter().enumerate() {
                put(&mut out, &format!("{name}.H{}", i + 1), Some(value));
            }
        }
        let found = graph.adjusted(&p);
        for (name, alpha) in [("0.025", 0.025), ("0.05", 0.05)] {
            // An adjusted p value that is α but for rounding is rejected.
            let rejected: Vec<bool> = found.iter().map(|a| *a <= alpha * (1.0 + 1e-12)).collect();
            let left = graph.after(&rejected);
            for (i, rejected) in rejected.iter().enumerate() {
                let key = |what: &str| format!("graphical.{what}{name}");
                let reject = Some(f64::from(u8::from(*rejected)));
                put(&mut out, &format!("{}.H{}", key("reject"), i + 1), reject);
                put(&mut out, &format!("{}.H{}", key("final_w"), i + 1), Some(left.weights()[i]));
                for j in 0..p.len() {
                    let part = left.transitions()[i][j];
                    put(&mut out, &format!("{}.{}{}", key("final_G"), i + 1, j + 1), Some(part));
                }
            }
        }
        ours.insert(given["id"].as_str().expect("an id").to_owned(), out);
    }
    assert_eq!(compare("multiplicity", &ours, &[]), 749);
}

/// The same keys where the folder of shared oracles lies beside the project, in case it has grown.
#[test]
fn the_committed_values_are_those_of_the_shared_oracles() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles/comparative/ref");
    if !shared.is_dir() {
        eprintln!(
            "SKIPPED the_committed_values_are_those_of_the_shared_oracles: {} is not there",
            shared.display()
        );
        return;
    }
    for name in ["paired", "unpaired", "multiplicity", "auc"] {
        let text =
            std::fs::read_to_string(shared.join(format!("exact_{name}.json"))).expect("reference file");
        let theirs: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert!(theirs == reference(&format!("comparative_{name}")), "{name}");
    }
}
