//! `sequester metrics` as its users run it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::reference_values::{folder, reference};

pub(crate) fn sequester(args: &[&str], threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sequester"))
        .args(args)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .expect("runs")
}

pub(crate) fn input(name: &str) -> String {
    folder().join(format!("inputs/{name}.csv")).to_string_lossy().into_owned()
}

pub(crate) fn json(args: &[&str]) -> Value {
    let mut all = args.to_vec();
    all.push("--json");
    let output = sequester(&all, "2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The value of an estimate, or a limit of one of its intervals.
pub(crate) fn find<'a>(report: &'a Value, id: &str, keys: &[(&str, Value)]) -> &'a Value {
    let fits = |e: &&Value| e["id"] == id && keys.iter().all(|(k, v)| &e[*k] == v);
    let mut found = report["estimates"].as_array().expect("estimates").iter().filter(fits);
    let first = found.next().unwrap_or_else(|| panic!("no {id} {keys:?}"));
    assert!(found.next().is_none(), "{id} {keys:?} twice");
    first
}

pub(crate) fn limit(estimate: &Value, method: &str, end: &str) -> f64 {
    let intervals = estimate["intervals"].as_array().expect("intervals");
    let interval = intervals.iter().find(|i| i["method"] == method).expect("method");
    interval[end].as_f64().expect("number")
}

#[test]
fn metrics_print_the_exact_reference_values() {
    let exact = reference("exact");
    let mut compared = 0;
    for name in ["d01_tiny20", "d02_bal1000", "d05_ties2000", "d07_subgroups600", "d08_clustered"] {
        let truth = &exact[name];
        let report = json(&[
            "metrics",
            &input(name),
            "--compare",
            "score_b",
            "--threshold",
            "0.5,0.4",
            "--patient",
            "patient_id",
            "--bootstrap",
            "100",
        ]);
        assert_eq!(report["n"], truth["n"]);
        assert_eq!(report["positives"], truth["n_pos"]);
        let mut check = |got: f64, key: &str| {
            let expected: f64 = match &truth[key] {
                Value::String(s) => s.parse().expect("number"),
                other => panic!("{name} {key}: {other}"),
            };
            assert!(
                (got - expected).abs() / expected.abs().max(1e-3) < 1e-12,
                "{name} {key}: {got} {expected}"
            );
            compared += 1;
        };
        let score = ("model", Value::from("score"));
        let auc = find(&report, "auc", std::slice::from_ref(&score));
        check(auc["value"].as_f64().expect("value"), "auc");
        for (method, low, high) in
            [("delong", "delong_lo", "delong_hi"), ("delong-logit", "delong_logit_lo", "delong_logit_hi")]
        {
            check(limit(auc, method, "lower"), low);
            check(limit(auc, method, "upper"), high);
        }
        let se = auc["standard_error"].as_f64().expect("se");
        check(se * se, "obuchowski_var");
        for (id, key) in [
            ("average_precision", "ap"),
            ("partial_auc", "pauc_mcclish_fpr10"),
            ("brier", "brier"),
            ("log_loss", "logloss"),
            ("ece", "ece10_left_closed"),
            ("mce", "mce10_left_closed"),
            ("calibration_slope", "cal_slope"),
            ("calibration_intercept", "cal_intercept"),
            ("calibration_in_the_large", "cal_in_the_large"),
        ] {
            let estimate = find(&report, id, std::slice::from_ref(&score));
            check(estimate["value"].as_f64().expect("value"), key);
        }
        for t in ["0.5", "0.4"] {
            let at = ("threshold", Value::from(t.parse::<f64>().expect("number")));
            for (id, key) in [
                ("sensitivity", "sens"),
                ("specificity", "spec"),
                ("ppv", "ppv"),
                ("npv", "npv"),
                ("accuracy", "acc"),
            ] {
                let estimate = find(&report, id, &[score.clone(), at.clone()]);
                check(estimate["value"].as_f64().expect("value"), &format!("thr{t}.{key}.est"));
                for (method, short) in [
                    ("clopper-pearson", "cp"),
                    ("wilson", "wilson"),
                    ("jeffreys", "jeff"),
                    ("agresti-coull", "ac"),
                ] {
                    check(
                        limit(estimate, method, "lower").clamp(0.0, 1.0),
                        &format!("thr{t}.{key}.{short}_lo"),
                    );
                    check(
                        limit(estimate, method, "upper").clamp(0.0, 1.0),
                        &format!("thr{t}.{key}.{short}_hi"),
                    );
                }
            }
            for (id, key) in [
                ("f1", "f1"),
                ("balanced_accuracy", "balacc"),
                ("youden", "youden"),
                ("mcc", "mcc"),
                ("lr_positive", "lrpos"),
                ("lr_negative", "lrneg"),
                ("diagnostic_odds_ratio", "dor"),
            ] {
                let estimate = find(&report, id, &[score.clone(), at.clone()]);
                check(estimate["value"].as_f64().expect("value"), &format!("thr{t}.{key}"));
            }
            let test = find(&report, "mcnemar", &[at]);
            check(test["p_value"].as_f64().expect("p"), &format!("thr{t}.mcnemar_exact_p"));
            check(test["tests"]["corrected_p"].as_f64().expect("p"), &format!("thr{t}.mcnemar_cc_p"));
        }
        let difference = find(&report, "auc_difference", &[]);
        check(difference["value"].as_f64().expect("value"), "auc_diff");
        check(limit(difference, "delong", "lower"), "paired_diff_lo");
        check(limit(difference, "delong", "upper"), "paired_diff_hi");
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn every_estimate_has_a_value_or_a_reason_and_warnings_are_data() {
    for name in ["d06_perfect200", "d07_subgroups600", "d09_const50"] {
        let report = json(&[
            "metrics",
            &input(name),
            "--compare",
            "score_b",
            "--subgroup",
            "site,sex",
            "--site",
            "site",
            "--unit",
            "case-stratified",
            "--bootstrap",
            "50",
            "--prevalence",
            "0.05",
        ]);
        let estimates = report["estimates"].as_array().expect("estimates");
        assert!(estimates.len() > 50);
        for e in estimates {
            assert_ne!(e["value"].is_null(), e["not_evaluable"].is_null(), "{name} {e}");
            for warning in e["warnings"].as_array().into_iter().flatten() {
                assert!(warning["code"].is_string() && warning["message"].is_string(), "{name} {e}");
            }
        }
    }
    let report = json(&["metrics", &input("d07_subgroups600"), "--subgroup", "site", "--bootstrap", "40"]);
    let c = find(&report, "auc", &[("subgroup", "site=C".into())]);
    assert_eq!(c["not_evaluable"], "there is no positive case");
    let d = find(&report, "sensitivity", &[("subgroup", "site=D".into())]);
    assert_eq!(d["warnings"][0]["code"], "insufficient");
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let file = input("d05_ties2000");
    let run = |threads| {
        let output = sequester(
            &["metrics", &file, "--patient", "patient_id", "--bootstrap", "200", "--seed", "11", "--json"],
            threads,
        );
        assert!(output.status.success());
        output.stdout
    };
    assert_eq!(run("1"), run("3"));
}

fn refused(text: &str, args: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).expect("writes");
    let mut all = vec!["metrics", path.to_str().expect("path")];
    all.extend(args);
    let output = sequester(&all, "1");
    let shown = String::from_utf8_lossy(&output.stderr).replace(&*folder.path().to_string_lossy(), "");
    (output.status.code(), shown)
}

#[test]
fn bad_tables_are_refused_with_a_place_and_a_way_out() {
    let check = |text: &str, args: &[&str], code: i32, parts: &[&str]| {
        let (status, shown) = refused(text, args);
        assert_eq!(status, Some(code), "{shown}");
        for part in parts {
            assert!(shown.contains(part), "{part} is not in:\n{shown}");
        }
    };
    check(
        "label,score\n1,0.5\n0,high\n1,NaN\n",
        &[],
        1,
        &["error[score-not-a-number]", "t.csv:3", "t.csv:4", "high"],
    );
    check("label,score\n1,0.5\n2,0.4\n", &[], 1, &["error[label-not-binary]", "t.csv:3"]);
    check(
        "label,score\na,0.5\nb,0.4\nc,0.1\n",
        &["--positive", "a"],
        1,
        &["more than two values", "t.csv:4"],
    );
    check("label,score\n", &[], 1, &["error[table-empty]"]);
    check("", &[], 1, &["error[table-empty]"]);
    check("truth,score\n1,0.5\n", &[], 1, &["error[column-missing]", "the columns are: truth, score"]);
    check("label,score\n1,0.5,9\n", &[], 1, &["error[row-length]", "t.csv:2"]);
    check("label,score\n1,0.5\n", &["--level", "1"], 2, &["error[option-out-of-range]"]);
    check("label,score\n1,0.5\n", &["--metric", "auroc"], 2, &["error[metric-unknown]", "average_precision"]);
    check("label,score\n1,0.5\n", &["--unit", "patient"], 2, &["add --patient"]);
    check(
        "label,score\nsick,0.5\nwell,0.4\n",
        &[],
        1,
        &["name the value that means positive with --positive"],
    );
    check("label,score\n1,0.5\n,0.4\n", &[], 1, &["t.csv:3", "--skip-missing"]);
    check("label,score\n1,0.5\n0,\n", &[], 1, &["t.csv:3", "--skip-missing"]);
    check("label,score,b\n1,0.5,1\n0,1,\n", &["--compare", "b"], 1, &["t.csv:3", "--skip-missing"]);
    check("label;score\n1;0,5\n0;0,1\n", &[], 1, &["t.csv:2", "write decimals with a point"]);
    check("label;score,b\n1;0.5,2\n", &[], 1, &["error[table-separator]", "both fit all rows"]);
    check("label;score,b\n1;0.5\n", &[], 1, &["error[column-missing]", "separate the cells by commas"]);
    let wide = (0..10_000).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    let (_, shown) = refused(&format!("{wide}\n"), &[]);
    assert!(shown.contains("c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and 9988 more"), "{shown}");
    assert!(!shown.contains("c12"), "{shown}");
    let many = format!("label,score\n{}", "x,y\n".repeat(100));
    check(&many, &[], 1, &["and 150 more problems in this file"]);
    let (status, shown) = refused("label,score\n1,0.5\n,0.4\n0,\n0,0.1\n", &["--skip-missing"]);
    assert_eq!(status, Some(0), "{shown}");
}

#[test]
fn other_separators_and_labels_as_decimals_are_read() {
    let folder = tempfile::tempdir().expect("folder");
    let read = |name: &str, text: &str, command: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        json(&[command, &[path.to_str().expect("path")]].concat())
    };
    let metrics = |text: &str| read("t.csv", text, &["metrics", "--bootstrap", "0"]);
    let comma = metrics("label,score\n1.00,0.5\n1.0,0.3\n0.0,0.4\n0.00,0.2\n1,0.9\n0,0.1\n");
    assert_eq!((&comma["n"], &comma["positives"]), (&6.into(), &3.into()));
    assert_eq!(comma["warnings"], serde_json::json!([]));
    for (sign, name) in [(";", "semicolons"), ("\t", "tabs")] {
        let rows = "\"la,bel\"|label|score\nx|1|0.5\nx|1|0.3\nx|0|0.4\nx|0|0.2\nx|1|0.9\nx|0|0.1\n";
        let other = metrics(&rows.replace('|', sign));
        assert_eq!(other["estimates"], comma["estimates"]);
        assert_eq!(other["warnings"][0]["code"], "table-separator");
        assert!(other["warnings"][0]["message"].as_str().expect("text").contains(name));
        let reads = "case_id|reader_id|label\nA|R1|1.00\nA|R2|1\nB|R1|0.0\nB|R2|no\n";
        let agreement = read("r.csv", &reads.replace('|', sign), &["reads", "agreement"]);
        assert_eq!(agreement["n"], 2);
        assert_eq!(agreement["reads"], 4);
        assert_eq!(agreement["warnings"][0]["code"], "table-separator");
        let kappa = find(&agreement, "cohen_kappa", &[("model", "R1 vs R2".into())]);
        assert_eq!(kappa["value"], 1.0);
        assert!(kappa.get("positives").is_none(), "{kappa}");
        let sensitivity =
            find(&agreement, "sensitivity", &[("model", "R1 vs majority of the others".into())]);
        assert_eq!((&sensitivity["n"], &sensitivity["positives"]), (&2.into(), &1.into()));
    }
}

#[test]
fn a_missing_file_is_named() {
    let output = sequester(&["metrics", "/nowhere/t.csv"], "1");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/t.csv"));
}

#[test]
fn comparisons_are_metrics_of_their_own() {
    let file = input("d02_bal1000");
    let run = |ids: &str| {
        let compared = ["metrics", &file, "--compare", "score_b", "--bootstrap", "0", "--metric", ids];
        let report = json(&compared);
        let list = report["estimates"].as_array().expect("estimates").clone();
        list.into_iter().map(|e| e["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(run("auc_difference"), ["auc_difference"]);
    assert_eq!(run("mcnemar,mcnemar"), ["mcnemar"]);
    assert_eq!(run("auc"), ["auc", "auc", "auc_difference"]);
    assert_eq!(run("f1"), ["f1", "f1"]);
    let report = json(&["metrics", &file, "--compare", "score_b", "--metric", "auc_difference"]);
    let difference = find(&report, "auc_difference", &[("model", "score - score_b".into())]);
    let expected: f64 =
        reference("exact")["d02_bal1000"]["auc_diff"].as_str().expect("text").parse().expect("number");
    assert!((difference["value"].as_f64().expect("value") - expected).abs() < 1e-14);
    let alone = sequester(&["metrics", &file, "--metric", "mcnemar"], "1");
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("there is no --compare"));
}

#[test]
fn bins_curves_and_sentences_come_for_every_model_and_threshold() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("t.csv");
    // In [0, 0.5): mean score 0.2, observed 0; in [0.5, 1]: mean 0.75, observed 0.5.
    let rows = "label,score,b,sex\n0,0.1,0.3,F\n0,0.3,0.6,M\n1,0.5,0.9,F\n0,1,0.2,M\n";
    std::fs::write(&path, rows).expect("writes");
    let file = path.to_str().expect("path");
    let common = ["metrics", file, "--compare", "b", "--bootstrap", "0", "--prevalence", "0.1"];
    let report = json(&[&common[..], &["--bin-edges", "0,0.5,1", "--threshold", "0.5,0.2,0.5"]].concat());
    let ece = find(&report, "ece", &[("model", "score".into())]);
    assert!((ece["value"].as_f64().expect("ece") - (0.5 * 0.2 + 0.5 * 0.25)).abs() < 1e-15);
    assert_eq!(ece["bin_edges"], serde_json::json!([0.0, 0.5, 1.0]));
    let mce = find(&report, "mce", &[("model", "score".into())]);
    assert!((mce["value"].as_f64().expect("mce") - 0.25).abs() < 1e-15);
    let bins = report["reliability"].as_array().expect("curve");
    let of = |model: &str| bins.iter().filter(|b| b["model"] == model).count();
    assert_eq!((of("score"), of("b"), bins.len()), (2, 2, 4));
    assert_eq!((&bins[1]["cases"], &bins[1]["observed"]), (&2.into(), &0.5.into()));
    let told: Vec<(Value, Value)> = report["per_thousand"]
        .as_array()
        .expect("sentences")
        .iter()
        .map(|s| {
            assert!(s["sentences"][0].as_str().expect("text").starts_with("Of 1,000 patients, 100 have"));
            (s["model"].clone(), s["threshold"].clone())
        })
        .collect();
    let each = |model: &str, t: f64| (Value::from(model), Value::from(t));
    assert_eq!(told, [each("score", 0.5), each("score", 0.2), each("b", 0.5), each("b", 0.2)]);
    // A threshold or a column named twice gives nothing twice: `find` panics where it does.
    find(&report, "f1", &[("model", "b".into()), ("threshold", 0.5.into()), ("prevalence", Value::Null)]);
    let report = json(&["metrics", file, "--subgroup", "sex,sex", "--bootstrap", "0"]);
    find(&report, "auc", &[("subgroup", "sex=F".into())]);
    let shown = sequester(&[&common[..], &["--threshold", "0.5,0.2"]].concat(), "1");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("b, score >= 0.2, prevalence 0.1:\nOf 1,000 patients"), "{shown}");
    assert!(shown.contains("partial_auc: false positive rates 0 to 0.1"), "{shown}");
    // One negative of three is above the positive: the curve is flat at 0 up to 1/3, then rises to 1.
    let report = json(&["metrics", file, "--max-fpr", "0.5", "--bootstrap", "0", "--metric", "partial_auc"]);
    let partial = find(&report, "partial_auc", &[]);
    assert_eq!(partial["max_fpr"], 0.5);
    let raw = partial["raw_area"].as_f64().expect("area");
    assert!((raw - (0.5 - 1.0 / 3.0)).abs() < 1e-15, "{raw}");
    let standardised = 0.5 * (1.0 + (raw - 0.125) / (0.5 - 0.125));
    assert!((partial["value"].as_f64().expect("value") - standardised).abs() < 1e-15);
    for edges in ["0,0.5", "0,0.5,0.5,1", "0.1,1", "0,NaN,1"] {
        let output = sequester(&["metrics", file, "--bin-edges", edges], "1");
        assert_eq!(output.status.code(), Some(2), "{edges}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("do not ascend from 0 to 1"), "{edges}");
    }
}

#[test]
fn the_exact_bootstrap_is_the_law_that_replicates_tend_to() {
    let laws = reference("boot_reference");
    for name in ["d01_tiny20", "d02_bal1000", "d03_prev1000"] {
        let file = input(name);
        for (unit, law) in [("case", "iid_exact"), ("case-stratified", "stratified_exact")] {
            let report = json(&["metrics", &file, "--bootstrap", "exact", "--unit", unit]);
            for (id, key) in [("sensitivity", "sens"), ("specificity", "spec"), ("accuracy", "acc")] {
                let Some(law) = laws[name].get(format!("{law}.{key}@0.5")) else { continue };
                let estimate = find(&report, id, &[]);
                for (end, p) in [("lower", "0.025"), ("upper", "0.975")] {
                    let got = limit(estimate, "bootstrap-exact", end);
                    assert!(
                        (got - law[p].as_f64().expect("number")).abs() < 1e-12,
                        "{name} {unit} {id} {got}"
                    );
                }
                let intervals = estimate["intervals"].as_array().expect("list");
                let exact = intervals.iter().find(|i| i["method"] == "bootstrap-exact").expect("exact");
                assert_eq!(
                    (&exact["unit"], &exact["replicates"], &exact["seed"]),
                    (&unit.into(), &Value::Null, &Value::Null)
                );
            }
            let warnings = report["warnings"].as_array().expect("list");
            let left = warnings.iter().find(|w| w["code"] == "bootstrap-left-out").expect("said");
            assert!(left["message"].as_str().expect("text").contains("auc, average_precision"), "{left}");
        }
    }
    // Many replicates come to the same limits, within one step of the count.
    let file = input("d01_tiny20");
    let exact = json(&[
        "metrics",
        &file,
        "--bootstrap",
        "exact",
        "--unit",
        "case-stratified",
        "--metric",
        "youden,mcc",
    ]);
    let drawn = json(&[
        "metrics",
        &file,
        "--bootstrap",
        "200000",
        "--unit",
        "case-stratified",
        "--metric",
        "youden,mcc",
    ]);
    for id in ["youden", "mcc"] {
        for end in ["lower", "upper"] {
            let law = limit(find(&exact, id, &[]), "bootstrap-exact", end);
            let replicates = limit(find(&drawn, id, &[]), "bootstrap-percentile", end);
            assert!((law - replicates).abs() < 0.05, "{id} {end}: {law} {replicates}");
        }
    }
    for (more, says) in [
        (
            &["--bootstrap", "exact", "--patient", "patient_id"][..],
            "there is none where patients or sites are drawn",
        ),
        (&["--bootstrap", "some"], "not a number of replicates, nor exact"),
        (&["--score", "label"], "--score names the column \"label\" that --label names, too"),
        (&["--compare", "score"], "--compare names the column \"score\" that --score names, too"),
    ] {
        let output = sequester(&[&["metrics", file.as_str()], more].concat(), "1");
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && shown.contains(says), "{shown}");
    }
}

#[test]
fn a_band_of_the_roc_curve_says_how_it_was_made() {
    let file = input("d01_tiny20");
    let report =
        json(&["metrics", &file, "--curves", "--bootstrap", "200", "--seed", "5", "--metric", "auc"]);
    let curves = &report["curves"][0];
    assert_eq!(curves["roc_band"].as_array().map(Vec::len), Some(51));
    let method = &curves["roc_band_method"];
    assert_eq!(
        (&method["unit"], &method["seed"], &method["replicates"]),
        (&"case".into(), &5.into(), &200.into())
    );
    assert_eq!((&method["level"], &method["dropped"]), (&0.95.into(), &0.into()));
}

/// The real data, where it is; `None` is said aloud.
fn data(path: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var("SEQUESTER_DATA").unwrap_or_else(|_| "../shared/data".into());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(root).join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}; set SEQUESTER_DATA to the folder of real data", path.display());
    None
}

#[test]
fn fourteen_published_aucs_of_a_chest_network_come_out() {
    use std::collections::BTreeMap;
    let (Some(scores), Some(metadata)) =
        (data("chexnet-scores/preds.csv"), data("nih-metadata/Data_Entry_2017_v2020.csv.gz"))
    else {
        return;
    };
    let unpacked = Command::new("gzip").arg("-dc").arg(&metadata).output().expect("gzip");
    let mut findings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // NIH's header has unquoted commas in names, so rows are read by place.
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(true).from_reader(unpacked.stdout.as_slice());
    for row in reader.records() {
        let row = row.expect("row");
        findings.insert(row[0].into(), row[1].split('|').map(str::to_owned).collect());
    }
    let mut reader = csv::Reader::from_path(scores).expect("scores");
    let names: Vec<String> =
        reader.headers().expect("header").iter().skip(1).map(|n| n.replace("prob_", "")).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("row")).collect();
    let published = data("chexnet-scores/aucs.csv").expect("table");
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("table.csv");
    let mut compared = 0;
    for row in csv::Reader::from_path(published).expect("table").records() {
        let row = row.expect("row");
        let (name, expected) = (&row[0], row[1].parse::<f64>().expect("number"));
        let place = 1 + names.iter().position(|n| n == name).expect("finding");
        let labels: Vec<bool> = rows.iter().map(|r| findings[&r[0]].iter().any(|f| f == name)).collect();
        let values: Vec<f64> = rows.iter().map(|r| r[place].parse().expect("score")).collect();
        let auc = sequester::statistics::auc::auc(&labels, &values).expect("auc");
        assert!((auc - expected).abs() < 1e-14, "{name}: {auc:?} {expected:?}");
        // And through the command, from a table as its user has it.
        let mut table = String::from("image,truth,probability\n");
        for (row, label) in rows.iter().zip(&labels) {
            table.push_str(&format!("{},{},{}\n", &row[0], u8::from(*label), &row[place]));
        }
        std::fs::write(&file, table).expect("writes");
        let columns = ["--label", "truth", "--score", "probability", "--metric", "auc", "--bootstrap", "0"];
        let report = json(&[&["metrics", file.to_str().expect("path")][..], &columns].concat());
        assert_eq!(report["n"], rows.len());
        let shown = find(&report, "auc", &[])["value"].as_f64().expect("value");
        assert_eq!(shown.to_bits(), auc.to_bits(), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 14);
}

#[test]
fn tables_that_programs_break_are_refused_by_every_command_that_reads_one() {
    // What is wrong, its code and its line, in a table of four columns that all these commands read.
    let header = "case_id,reader_id,label,score";
    let breaks: [(&str, Vec<u8>, &str, &str); 6] = [
        ("a quote", format!("{header}\na,r,1,0.9\nb,r,\"0,0.2\n").into_bytes(), "quote-unclosed", ":3"),
        ("a short row", format!("{header}\r\n\r\na,r,1,0.9\r\nb,r,0\r\n").into_bytes(), "row-length", ":4"),
        ("Latin-1", [header.as_bytes(), b"\na,r\xe9,1,0.9\n"].concat(), "table-unreadable", ":2"),
        ("two separators", format!("{header}\n").replace(',', "|").into_bytes(), "column-missing", ":1"),
        ("sep=", format!("sep=|\n{header}\n").into_bytes(), "table-separator", ":1"),
        ("a workbook", b"PK\x03\x04and so on".to_vec(), "table-unreadable", ".csv"),
    ];
    for (what, bytes, code, place) in breaks {
        let folder = tempfile::tempdir().expect("folder");
        let (path, other) = (folder.path().join("t.csv"), folder.path().join("u.csv"));
        std::fs::write(&path, bytes).expect("writes");
        std::fs::write(&other, "case_id,label,score\na,1,0.8\nb,0,0.1\n").expect("writes");
        let (path, other) = (path.display().to_string(), other.display().to_string());
        let commands: [&[&str]; 3] = [&["metrics"], &["reads", "agreement"], &["compare", &other]];
        for command in commands {
            let output = sequester(&[command, &[path.as_str()]].concat(), "1");
            let shown = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{what} by {command:?}: {shown}");
            assert!(shown.contains(&format!("error[{code}]")), "{what} by {command:?}: {shown}");
            assert!(shown.contains(&format!("t.csv{}", place.trim_start_matches(".csv"))), "{shown}");
        }
    }
}
