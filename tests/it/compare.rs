//! `sequester compare` as its users run it.

use std::path::Path;

use serde_json::Value;

use crate::reference_values::{folder, reference};
use crate::support::{Ran, sequester};

/// Writes one of the two scores of a reference input as a table.
fn table(out: &Path, input: &str, column: usize, keep: impl Fn(usize) -> bool, patients: bool) -> String {
    let mut reader = csv::Reader::from_path(folder().join(format!("inputs/{input}.csv"))).expect("input");
    let mut text =
        String::from(if patients { "case_id,patient_id,label,score\n" } else { "case_id,label,score\n" });
    for (index, row) in reader.records().enumerate() {
        let row = row.expect("row");
        if !keep(index) {
            continue;
        }
        let patient = if patients { format!("{},", &row[1]) } else { String::new() };
        text.push_str(&format!("{},{patient}{},{}\n", &row[0], &row[6], &row[column]));
    }
    let path = out.join(format!("{input}-{column}.csv"));
    std::fs::write(&path, text).expect("writes");
    path.to_string_lossy().into_owned()
}

fn json(args: &[&str]) -> Value {
    let mut all = vec!["compare", "--json", "--bootstrap", "50"];
    all.extend(args);
    let ran = sequester(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

fn refused(args: &[&str], code: i32, diagnostic: &str) -> Ran {
    let mut all = vec!["compare"];
    all.extend(args);
    let ran = sequester(&all);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{diagnostic}]")), "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
    ran
}

#[test]
fn paired_delong_and_mcnemar_match_the_references() {
    let exact = reference("exact");
    let out = tempfile::tempdir().expect("folder");
    for name in ["d01_tiny20", "d02_bal1000", "d05_ties2000", "d07_subgroups600"] {
        let [a, b] = [7, 8].map(|column| table(out.path(), name, column, |_| true, false));
        let (a, b) = (format!("a={a}"), format!("b={b}"));
        let report = json(&[&a, &b, "--threshold", "0.5"]);
        let swapped = json(&[&b, &a, "--threshold", "0.5"]);
        assert_eq!(report["pairs"], swapped["pairs"]);
        assert_eq!(report["best"], swapped["best"]);
        let truth = |key: &str| exact[name][key].as_str().expect(key).parse::<f64>().expect("number");
        let pair = &report["pairs"][0];
        let check = |got: &Value, expected: f64| {
            let got = got.as_f64().expect("number");
            assert!((got - expected).abs() / expected.abs().max(1e-3) < 1e-12, "{name}: {got} {expected}");
        };
        check(&pair["auc_difference"]["value"], truth("auc_diff").abs());
        check(&pair["auc_difference"]["p_value"], truth("paired_p"));
        check(&pair["adjusted_p"], truth("paired_p"));
        check(&pair["calls"][0]["p_value"], truth("thr0.5.mcnemar_exact_p"));
    }
}

#[test]
fn published_counts_do_not_show_that_2a_is_best() {
    let path = folder().join("source-project.csv");
    let report = json(&["--counts", path.to_str().expect("UTF-8")]);
    assert_eq!(report["data"]["split"], "published-counts");
    assert_eq!(report["method"]["comparisons"], 6);
    assert_eq!((&report["best"]["name"], &report["best"]["verdict"]), (&"2A".into(), &"not-shown".into()));
    let sentence = report["conclusion"][0].as_str().expect("text");
    assert!(sentence.starts_with("The highest AUC (2A, 0.674) is not shown to be higher"), "{sentence}");
    for pair in report["pairs"].as_array().expect("pairs") {
        assert_eq!(pair["adjusted_p"], 1.0);
    }
}

#[test]
fn equal_areas_are_said_to_tie_and_a_dash_has_its_reason() {
    let out = tempfile::tempdir().expect("folder");
    let write = |name: &str, scores: [f64; 6]| {
        let path = out.path().join(format!("{name}.csv"));
        let rows = scores.iter().enumerate().map(|(i, s)| format!("c{i},{},{s}\n", u8::from(i % 2 == 1)));
        let text = format!("case_id,label,score\n{}", rows.collect::<String>());
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    // a and b separate the classes with other scores, c does not.
    let a = write("a", [0.1, 0.9, 0.2, 0.8, 0.3, 0.7]);
    let b = write("b", [0.2, 0.6, 0.1, 0.9, 0.3, 0.8]);
    let c = write("c", [0.1, 0.9, 0.85, 0.8, 0.3, 0.2]);
    let report = json(&[&b, &c, &a]);
    assert_eq!(report["best"]["tied"], serde_json::json!(["b"]));
    assert_eq!(report["conclusion"][0], "a and b tie for the highest AUC (1.000).");
    let second = report["conclusion"][1].as_str().expect("text");
    assert!(second.starts_with("That of a is not shown to be higher than that of c"), "{second}");
    // Two alone that tie: nothing is said to be the highest.
    let report = json(&[&b, &a]);
    assert_eq!(report["conclusion"][0], "a and b tie for the highest AUC (1.000).");
    assert!(!report["conclusion"].to_string().contains("The highest AUC"), "{report}");
    let ran = sequester(&["compare", &a, "--bootstrap", "0"]);
    let note = "a: not evaluable where a dash stands: the scores are constant or separate the classes";
    assert!(ran.stdout.contains(note), "{}", ran.stdout);
    let saturated = write("s", [0.1, 1.0, 0.2, 0.8, 0.9, 0.7]);
    let ran = sequester(&["compare", &saturated, "--bootstrap", "0"]);
    assert!(ran.stdout.contains("s: not evaluable where a dash stands: a score of 0 or 1 has no logit"));
}

#[test]
fn documents_hold_every_section_and_are_the_same_twice() {
    let out = tempfile::tempdir().expect("folder");
    let [a, b] = [7, 8].map(|column| table(out.path(), "d08_clustered", column, |_| true, true));
    let (a, b) = (format!("a={a}"), format!("b={b}"));
    let target = out.path().join("report");
    let to = target.to_str().expect("UTF-8");
    let args =
        ["compare", &a, &b, "--ensemble", "both=a:0.5,b:0.5", "--explore-ensemble", "x=a,b", "--out", to];
    let mut all = args.to_vec();
    all.extend(["--bootstrap", "50"]);
    let ran = sequester(&all);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let first = crate::support::files(&target);
    assert_eq!(sequester(&all).code, 0);
    assert_eq!(first, crate::support::files(&target));
    let html = std::fs::read_to_string(target.join("comparison.html")).expect("HTML");
    for words in ["Obuchowski", "exploratory", "Holm (1979)", "Precision-recall", "Calibration", "<svg"] {
        assert!(html.contains(words), "{words}");
    }
    let report: Value = serde_json::from_slice(&first[&target.join("comparison.json")]).expect("JSON");
    assert_eq!(report["data"]["clustered"], true);
    // The explored average is shown and not tested: three contenders are.
    assert_eq!(report["pairs"].as_array().expect("pairs").len(), 3);
}

#[test]
fn bad_input_is_refused_with_its_code() {
    let out = tempfile::tempdir().expect("folder");
    let a = table(out.path(), "d01_tiny20", 7, |_| true, false);
    let b = table(out.path(), "d01_tiny20", 8, |i| i > 1, false);
    refused(&[&a, "nowhere"], 1, "run-missing");
    refused(&[&a, &a], 1, "run-repeated");
    let ran = refused(&[&a, &b], 1, "cases-differ");
    assert!(ran.stderr.contains("did not score 2 of the 20 cases: C000000, C000001"), "{}", ran.stderr);
    let report = json(&[&a, &b, "--common"]);
    assert_eq!((&report["data"]["cases"], &report["data"]["common_only"]), (&18.into(), &true.into()));
    let one = table(out.path(), "d02_bal1000", 7, |i| i == 0, false);
    refused(&[&one], 1, "one-class");
    refused(&[&a, &one], 1, "cases-differ");
    let text = std::fs::read_to_string(&a).expect("reads");
    let flipped = out.path().join("flipped.csv");
    std::fs::write(&flipped, text.replacen(",0,", ",1,", 1)).expect("writes");
    let flipped = flipped.to_str().expect("UTF-8");
    refused(&[&a, flipped], 1, "labels-disagree");
    let (x, y) = (format!("x={a}"), format!("y={b}"));
    refused(&[&x, &y, "--common", "--ensemble", "e=x:0.5,y:0.6"], 1, "ensemble-weights");
    refused(&[&x, &y, "--common", "--ensemble", "e=x:0.5,z:0.5"], 2, "contender-unknown");
    refused(&[&x, &format!("x={b}"), "--common"], 1, "name-repeated");
    let occupied = out.path().to_str().expect("UTF-8");
    refused(&[&a, "--out", occupied], 1, "out-occupied");
}

/// Real training runs, as small as they come: what a table of scores cannot show.
#[cfg(feature = "torch")]
mod runs {
    use std::path::Path;

    use super::{Value, json, refused};
    use crate::support::{files, interrupted_once, sequester};

    const EXPERIMENT: &str = include_str!("../../protocols/exp-random-smoke.toml");

    /// The smoke experiment at the lowest resolution. The split's seed stays, so runs share their tuning
    /// cases.
    fn experiment(folder: &Path, name: &str, seed: u32, epochs: u32) -> String {
        let (head, training) = EXPERIMENT.split_once("[training]").expect("a section");
        let text = format!("{head}[training]{}", training.replace("seed = 5", &format!("seed = {seed}")))
            .replace("resolution = 96", "resolution = 32")
            .replace("batch_size = 32", "batch_size = 8")
            .replace("epochs = 2", &format!("epochs = {epochs}"))
            .replace("id = \"random-smoke\"", &format!("id = \"{name}\""));
        let path = folder.join(format!("{name}.toml"));
        std::fs::write(&path, text).expect("writes");
        path.to_string_lossy().into_owned()
    }

    fn arguments(study: &Path, experiment: &str, out: &str) -> Vec<String> {
        let at = |name: &str| study.join(name).to_string_lossy().into_owned();
        [
            "train",
            "--experiment",
            experiment,
            "--case-table",
            &at("development.csv"),
            "--images",
            &at("images"),
        ]
        .into_iter()
        .chain(["--out", out])
        .map(str::to_owned)
        .collect()
    }

    /// Trains for so many epochs that it cannot be complete, and is interrupted after the first.
    fn interrupted(arguments: &[String], out: &Path) {
        let curve = out.join("run").join("training.jsonl");
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let has_epoch = || std::fs::metadata(&curve).is_ok_and(|m| m.len() > 0);
        assert_eq!(interrupted_once(&arguments, has_epoch).code, 130);
    }

    #[test]
    fn trained_runs_are_compared_and_an_interrupted_one_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let study = folder.path().join("study");
        let made = study.to_str().expect("UTF-8");
        let size = ["--cases", "20", "--development", "40", "--size", "64", "--only-cohort"];
        let ran = sequester(&[&["demo", made][..], &size].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let model = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
        for (name, seed) in [("one", 5), ("two", 6)] {
            let file = experiment(folder.path(), name, seed, 1);
            let all = arguments(&study, &file, &model(name));
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let ran = sequester(&all);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let svg = folder.path().join(name).join("run/training.svg");
            assert!(std::fs::read_to_string(svg).expect("a curve").contains(&format!("Training of {name}")));
        }
        let (one, two) = (model("one"), model("two"));

        let report = json(&[&one, &two]);
        assert_eq!(
            (&report["data"]["split"], &report["data"]["synthetic"]),
            (&"tuning".into(), &true.into())
        );
        for (contender, name) in report["contenders"].as_array().expect("list").iter().zip(["one", "two"]) {
            assert_eq!((&contender["name"], &contender["kind"]), (&name.into(), &"run".into()));
            // The comparison shows what training recorded, epoch by epoch.
            let curve = folder.path().join(name).join("run/training.jsonl");
            let lines = std::fs::read_to_string(curve).expect("reads");
            let recorded: Vec<Value> =
                lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let shown = contender["training"].as_array().expect("a curve");
            assert_eq!(shown.len(), 2);
            assert_eq!(recorded.len(), 2);
            for (shown, recorded) in shown.iter().zip(&recorded) {
                for key in ["epoch", "stage", "training_loss", "tuning_loss", "tuning_auc"] {
                    assert_eq!(shown[key], recorded[key], "{key}");
                }
            }
            // The AUC of the kept weights is the one that kept them.
            let kept = recorded.iter().filter_map(|r| r["tuning_auc"].as_f64()).fold(0.0, f64::max);
            let auc = contender["estimates"].as_array().expect("estimates").iter().find(|e| e["id"] == "auc");
            let auc = auc.expect("an AUC")["value"].as_f64().expect("a number");
            assert!((auc - kept).abs() < 1e-12, "{auc} {kept}");
        }

        let out = folder.path().join("comparison");
        let to = out.to_str().expect("UTF-8");
        let ran = sequester(&["compare", &one, &two, "--bootstrap", "50", "--out", to]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("Tuning split, selection only"), "{}", ran.stdout);
        let written = files(&out);
        let html = String::from_utf8_lossy(&written[&out.join("comparison.html")]).into_owned();
        for words in ["Training curves", "tuning split of the training runs", "Kept epoch"] {
            assert!(html.contains(words), "{words}");
        }
        assert!(written.contains_key(&out.join("figures/training.svg")));

        // The study's run folder is the same contender as the model's folder that holds it.
        let below = format!("again={two}/run");
        refused(&[&two, &below], 1, "run-repeated");

        let file = experiment(folder.path(), "unfinished", 7, 5000);
        let unfinished = folder.path().join("unfinished");
        let name = model("unfinished");
        interrupted(&arguments(&study, &file, &name), &unfinished);
        let target = folder.path().join("nothing");
        let to = target.to_str().expect("UTF-8");
        let ran = refused(&[&one, &name, "--out", to], 1, "run-incomplete");
        assert!(ran.stderr.contains("of 5001 epochs are done"), "{}", ran.stderr);
        assert!(!target.exists(), "nothing is written");
    }
}
