//! Whether sites may be pooled, as `sequester metrics --site` prints it, beside R.

use serde_json::Value;

use crate::metrics::{input, json, sequester};
use crate::reference_values::reference;

/// A number of `ref/sites_R4.2.2.json`.
fn from_r(key: &str) -> f64 {
    reference("sites_R4.2.2")[key].as_str().unwrap_or_else(|| panic!("{key}")).parse().expect("number")
}

fn check(got: &Value, key: &str) {
    let (got, expected) = (got.as_f64().unwrap_or_else(|| panic!("{key}: {got}")), from_r(key));
    let error = (got - expected).abs() / expected.abs().max(1e-3);
    assert!(error < 1e-12, "{key}: {got} {expected}");
}

#[test]
fn shares_over_sites_match_r() {
    for (name, clustered) in [("d07_subgroups600", false), ("d08_clustered", false), ("d08_clustered", true)]
    {
        let file = input(name);
        let mut args = vec!["metrics", &file, "--site", "site", "--bootstrap", "0", "--metric", "auc"];
        args.extend(["--patient", "patient_id"].into_iter().filter(|_| clustered));
        let report = json(&args);
        let pool = &report["poolability"];
        let point = &pool["operating_points"][0];
        for (what, test) in [
            ("sensitivity", &point["sensitivity"]["test"]),
            ("specificity", &point["specificity"]["test"]),
            ("prevalence", &pool["prevalence"]),
        ] {
            let key = |part: &str| format!("{name}.{what}.{part}");
            if clustered {
                assert_eq!(test["test"], "rao-scott-chi-squared");
                check(&test["statistic"], &key("rao_scott"));
                check(&test["p_value"], &key("rao_scott_p"));
                assert_eq!(test["exact_p"], Value::Null);
                continue;
            }
            assert_eq!(test["test"], "pearson-chi-squared");
            check(&test["statistic"], &key("statistic"));
            check(&test["p_value"], &key("p"));
            check(&test["smallest_expected"], &key("smallest_expected"));
            if !test["exact_p"].is_null() {
                // R's fisher.test keeps ten digits; `ref/sites_exact.json` is in whole numbers.
                let got = test["exact_p"].as_f64().expect("exact");
                let exact: f64 =
                    reference("sites_exact")[key("exact_p")].as_str().expect("text").parse().expect("number");
                assert!((got / exact - 1.0).abs() < 1e-12, "{what}: {got} {exact}");
                assert!((got - from_r(&key("exact_p"))).abs() < 1e-10, "{what}: {got}");
            }
        }
    }
}

#[test]
fn every_site_is_shown_with_all_others_and_what_is_needed_is_said() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("t.csv");
    let mut rows = String::from("label,score,site\n");
    // North finds 8 of 10 and clears 9 of 10, South finds 2 of 10 and clears 10 of 10, West has no positive.
    for (site, found, positives, cleared, negatives) in
        [("north", 8, 10, 9, 10), ("south", 2, 10, 10, 10), ("west", 0, 0, 5, 5)]
    {
        for i in 0..positives {
            rows += &format!("1,{},{site}\n", if i < found { 0.9 } else { 0.2 });
        }
        for i in 0..negatives {
            rows += &format!("0,{},{site}\n", if i < cleared { 0.1 } else { 0.8 });
        }
    }
    std::fs::write(&path, rows).expect("writes");
    let file = path.to_str().expect("path");
    let report = json(&["metrics", file, "--site", "site", "--metric", "auc", "--bootstrap", "0"]);
    let sensitivity = &report["poolability"]["operating_points"][0]["sensitivity"];
    // 8 of 10 against 2 of 10: Fisher's p is 2·(C(10,8)·C(10,2) + C(10,9)·10 + 1)/C(20,10).
    let p = sensitivity["test"]["exact_p"].as_f64().expect("exact");
    assert!((p - 2.0 * (45.0 * 45.0 + 100.0 + 1.0) / 184_756.0).abs() < 1e-14, "{p}");
    assert_eq!(sensitivity["test"]["sites"], 2);
    let south = &sensitivity["sites"][1];
    assert_eq!((&south["at_site"]["numerator"], &south["without_site"]["numerator"]), (&2.into(), &8.into()));
    assert_eq!(sensitivity["sites"][2]["at_site"]["value"], Value::Null);
    assert_eq!(report["poolability"]["warnings"][0]["code"], "sites-left-out");
    let shown = sequester(&["metrics", file, "--site", "site", "--bootstrap", "0"], "1");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains(
            "sensitivity at >= 0.5 between 2 sites: chi-squared = 7.20, p = 0.0073, exact p = 0.0230"
        ),
        "{shown}"
    );
    // One site: nothing to compare, and that is said.
    std::fs::write(&path, "label,score,site\n1,0.9,a\n0,0.1,a\n").expect("writes");
    let report = json(&["metrics", file, "--site", "site", "--bootstrap", "0"]);
    assert_eq!(report["poolability"], Value::Null);
    let codes: Vec<&Value> =
        report["warnings"].as_array().expect("list").iter().map(|w| &w["code"]).collect();
    assert!(codes.contains(&&Value::from("one-site")), "{codes:?}");
}
