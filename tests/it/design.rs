//! `sequester design` as a quality engineer uses it before writing a protocol.

use serde_json::Value;

use crate::support::sequester;

fn json(arguments: &[&str]) -> Value {
    let ran = sequester(&[arguments, &["--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn an_exact_design_needs_as_many_successes_as_the_interval_says() {
    let arguments = ["design", "proportion", "--expected", "0.85", "--goal", "0.80", "--cases", "500"];
    let plan = json(&arguments);
    let (n, k) = (plan["cases"].as_u64().expect("n"), plan["successes_needed"].as_u64().expect("k"));
    let lower = |k| sequester::statistics::proportion::clopper_pearson(k, n, 0.95).0;
    assert!(lower(k) > 0.80 && lower(k - 1) <= 0.80, "{k} of {n}");
    // The exact binomial tail P(X >= 418), X of 500 at 0.85, in rational arithmetic.
    assert!((plan["power_of"]["power"].as_f64().expect("power") - 0.826_720_672_104_632_4).abs() < 1e-13);
}

#[test]
fn clusters_multiply_the_size_and_a_share_divides_it() {
    let plain = json(&["design", "auc", "--expected", "0.85", "--goal", "0.8"]);
    let clustered = json(&[
        "design",
        "auc",
        "--expected",
        "0.85",
        "--goal",
        "0.8",
        "--images-per-patient",
        "3",
        "--icc",
        "0.5",
    ]);
    assert_eq!(clustered["design_effect"], 2.0);
    for (one, two) in plain["sizes"]
        .as_array()
        .into_iter()
        .flatten()
        .zip(clustered["sizes"].as_array().into_iter().flatten())
    {
        let of = |v: &Value| v["positives"].as_f64().expect("size");
        assert!((of(two) - 2.0 * of(one)).abs() <= 2.0);
    }
    let all = json(&["design", "proportion", "--expected", "0.9", "--goal", "0.8", "--share", "0.1"]);
    assert_eq!(all["cases_in_all"].as_u64(), all["cases"].as_u64().map(|n| n * 10));
}

#[test]
fn goals_follow_from_predictive_values() {
    let goals = json(&["design", "goals", "--ppv", "0.30", "--npv", "0.98", "--prevalence", "0.10"]);
    assert!((goals["sensitivity"].as_f64().expect("se") - 6.0 / 7.0).abs() < 1e-12);
    assert!((goals["specificity"].as_f64().expect("sp") - 7.0 / 9.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_shown_is_refused_with_the_reason() {
    for (arguments, words) in [
        (&["design", "auc", "--expected", "0.7", "--goal", "0.8"][..], "is not above --goal"),
        (&["design", "auc", "--expected", "1.2", "--goal", "0.8"], "between 0 and 1"),
        (
            &["design", "auc", "--expected", "0.9", "--goal", "0.8", "--negatives-per-positive", "0"],
            "not above 0",
        ),
        (
            &["design", "auc", "--expected", "0.9", "--goal", "0.8", "--images-per-patient", "0.5"],
            "no design effect",
        ),
        (&["design", "proportion", "--expected", "0.9", "--goal", "0.8", "--share", "2"], "--share 2"),
        (&["design", "proportion", "--expected", "0.80001", "--goal", "0.8"], "more than a million"),
        (&["design", "goals", "--ppv", "0.05", "--npv", "0.98", "--prevalence", "0.1"], "no device gives"),
        (
            &[
                "design",
                "difference",
                "--difference",
                "0",
                "--pilot-se",
                "0.1",
                "--pilot-positives",
                "9",
                "--pilot-negatives",
                "9",
            ],
            "no size follows",
        ),
    ] {
        let ran = sequester(arguments);
        assert_eq!(ran.code, 2, "{arguments:?} {}", ran.stderr);
        assert!(ran.stderr.contains(words) && ran.stderr.contains("hint:"), "{}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn margins_widths_and_calibration_have_their_sizes() {
    let paired = json(&[
        "design",
        "noninferiority",
        "--expected",
        "0.85",
        "--predicate",
        "0.85",
        "--margin",
        "0.05",
        "--discordant",
        "0.15",
        "--power",
        "0.8",
        "--cases",
        "500",
        "--share",
        "0.5",
    ]);
    // Worked by hand: the restricted share is (sqrt(.0625 - .0315) + .25)/4, V0 = .16054, V1 = .15, and
    // n = (1.96 sqrt(V0) + .8416 sqrt(V1))^2/.05^2 = 493.99.
    let n = paired["cases"].as_f64().expect("cases");
    assert_eq!(n, 494.0);
    assert_eq!(paired["cases_in_all"].as_f64(), Some(2.0 * n));
    let worse = sequester(&[
        "design",
        "noninferiority",
        "--expected",
        "0.7",
        "--predicate",
        "0.85",
        "--margin",
        "0.1",
    ]);
    assert!(worse.code == 2 && worse.stderr.contains("option-out-of-range"), "{}", worse.stderr);
    let width = json(&["design", "precision", "--expected", "0.9", "--half-width", "0.05"]);
    for size in width["sizes"].as_array().expect("sizes") {
        let n = size["cases"].as_u64().expect("cases");
        let by = match size["method"].as_str() {
            Some("wilson") => sequester::statistics::proportion::wilson,
            _ => sequester::statistics::proportion::clopper_pearson,
        };
        let half = |n: u64| {
            let (low, high) = by((0.9 * n as f64).round_ties_even() as u64, n, 0.95);
            (high - low) / 2.0
        };
        assert!(half(n) <= 0.05 && half(n - 1) > 0.05, "{size}");
    }
    let calibration = json(&["design", "calibration", "--expected", "0.85", "--prevalence", "0.1"]);
    let (ratio, slope) = (&calibration["cases_for_ratio"], &calibration["cases_for_slope"]);
    assert_eq!(calibration["cases"].as_u64(), ratio.as_u64().max(slope.as_u64()));
    let pilot = ["--pilot-se", "0.03", "--pilot-positives", "50", "--pilot-negatives", "50"];
    let with = |more: &[&str]| json(&[&["design", "difference"], &pilot[..], more].concat())["cases"].clone();
    assert_eq!(with(&["--difference", "0", "--margin", "0.05"]), with(&["--difference", "0.05"]));
}
