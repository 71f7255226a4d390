//! Repeated images of one patient, from their table to results, documents and `verify`; what a comparison
//! can be expected to show, before there are data; and the graph of several endpoints.

use serde_json::Value;

use crate::support::{Ran, Study, sequester};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}\n{}{}", ran.stdout, ran.stderr))
}

/// 24 patients with two images on each of two scanners; the second adds .04.
fn repeats() -> String {
    let mut text = "case_id,patient_id,score,scanner,operator,refused\n".to_owned();
    for patient in 0..24 {
        for image in 0..4 {
            let own = 0.1 + 0.8 * f64::from(patient) / 23.0;
            let noise = f64::from((patient * 7 + image * 5) % 9 - 4) / 200.0;
            let scanner = if image % 2 == 0 { "north" } else { "south" };
            let score = own + noise + if image % 2 == 0 { 0.0 } else { 0.04 };
            text += &format!("r{patient}-{image},q{patient},{score:.4},{scanner},o{},\n", image / 2);
        }
    }
    text + "r99,q99,0.5,north,o1,\nr98,q98,,south,o0,too dark\n"
}

const DECLARED: &str = "\n[repeatability]\nfile = \"repeats.csv\"\nconditions = [\"scanner\", \
                        \"operator\"]\n";

const COMPARED: &str = r#"
[predicate]
name = "an earlier version"
file = "predicate.csv"
threshold = 0.45
[[endpoint]]
id = "not-worse"
metric = "sensitivity"
role = "key-secondary"
against = "predicate"
aim = "non-inferiority"
margin = 0.15
justification = "what two readings of one reader differ by"
weight = 0
passes_on = { auc = 1 }
[[expected]]
endpoint = "not-worse"
value = 0.9
comparator = 0.88
discordant = 0.1
source = "both versions on the tuning split"
"#;

/// The small study with repeated images, a predicate and a graph.
fn study() -> Study {
    let study = Study::small();
    study.write("repeats.csv", &repeats());
    let scores = study.read("scores.csv");
    study.write("predicate.csv", &scores.replace("0.6", "0.5").replace("0.3", "0.4"));
    let mut protocol = study.read("protocol.toml");
    protocol = protocol.replacen("[analysis]", "[analysis]\nmultiplicity = \"graph\"", 1);
    let first = protocol.find("role = \"primary\"").expect("a primary endpoint");
    protocol.insert_str(first, "weight = 1\npasses_on = { not-worse = 1 }\n");
    study.write("protocol.toml", &format!("{protocol}{DECLARED}{COMPARED}"));
    study
}

#[test]
fn repeated_images_are_evidence_results_and_a_part_of_the_documents() {
    let study = study();
    let checked = study.run("check", &["--json"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let ran = study.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let found = &results["repeatability"];
    assert_eq!((&found["patients"], &found["images"]), (&Value::from(24), &Value::from(96)));
    assert_eq!((&found["single"], &found["refused"]), (&Value::from(1), &Value::from(1)));
    let scanner = &found["conditions"][0];
    assert_eq!(scanner["levels"][1]["level"], "south");
    let shift = scanner["levels"][1]["difference"]["mean"]["value"].as_f64().expect("a difference");
    assert!((shift - 0.04).abs() < 0.02, "{shift}");
    assert!(scanner["different_sd"]["value"].as_f64() > scanner["same_sd"]["value"].as_f64());
    assert!(study.file("evidence/run-1/data/inputs/repeats.csv").is_file());
    let report = study.read("reports/run-1/submission.md");
    for says in [
        "Precision: repeated images of one patient",
        "Positive percent agreement",
        "Repeatability coefficient",
        "Repeated images by condition",
        "The rule of multiplicity as a graph",
    ] {
        assert!(report.contains(says), "{says}\n{report}");
    }
    let page = study.read("reports/run-1/submission.html");
    assert!(page.contains("auc passes 1 on to not-worse"), "the graph has words beside it");
    let verified = study.run("verify", &[]);
    assert!(verified.code != 20, "{}{}", verified.stdout, verified.stderr);
    // What was recorded is bound: another table gives other results.
    let input = "evidence/run-1/data/inputs/repeats.csv";
    let forged = study.read(input).replacen("0.1", "0.2", 1);
    study.write(input, &forged);
    assert_eq!(study.run("verify", &[]).code, 20);
}

#[test]
fn a_table_without_repeats_and_patients_of_development_are_refused_where_they_stand() {
    let with = |table: &str, more: &str| {
        let study = Study::small();
        study.write("repeats.csv", table);
        study.write("protocol.toml", &format!("{}{DECLARED}{more}", study.read("protocol.toml")));
        study.run("check", &[])
    };
    let head = "case_id,patient_id,score,scanner,operator\n";
    let wrong = with(&format!("{head}a,p,0.5,n,o\nb,q,0.5,n,o\nc,q,0.4,n,o\n"), "");
    assert!(wrong.code == 1 && wrong.stderr.contains("repeats-too-few"), "{}", wrong.stderr);
    let wrong = with(&format!("{head}a,,0.5,n,o\nb,q,1.5,n,o\nc,q,0.4,,o\n"), "");
    assert!(wrong.stderr.contains("score-out-of-range"), "{}", wrong.stderr);
    let wrong = with(&format!("{head}a,,0.5,n,o\nb,q,0.5,n,o\nc,q,0.4,,o\n"), "");
    for says in ["patient-id-missing", "`scanner` is empty", "repeats.csv:2", "repeats.csv:4"] {
        assert!(wrong.stderr.contains(says), "{says}\n{}", wrong.stderr);
    }
    let wrong = with("case_id,patient_id,score\na,p,0.5\n", "");
    assert!(wrong.stderr.contains("column-missing"), "{}", wrong.stderr);
}

#[test]
fn a_rehearsal_simulates_the_predicate_and_the_repeated_images_too() {
    let study = study();
    for name in ["repeats.csv", "predicate.csv", "scores.csv"] {
        std::fs::remove_file(study.file(name)).expect("removes");
    }
    let ran = study.run("rehearse", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value =
        serde_json::from_str(&study.read("rehearsal/evidence/run-1/data/results.json")).expect("JSON");
    assert_eq!(results["repeatability"]["patients"], 30);
    assert_eq!(results["comparisons"][0]["id"], "not-worse");
    assert!(study.read("rehearsal/repeats.csv").contains("sequester_rehearsal"));
}

#[test]
fn the_plan_says_with_which_chance_a_comparison_is_shown_and_draws_the_graph() {
    let study = study();
    let ran = study.run("plan", &["--no-pdf"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("not-worse: "), "{}", ran.stdout);
    let plan = study.read("reports/plan/plan.md");
    for says in [
        "If the true values are 90.0% of the device and 88.0% of the predicate (exactly one is right on \
         10.0%)",
        "Power of the comparisons at the planned size",
        "The rule of multiplicity as a graph",
        "repeats.csv",
        "both versions on the tuning split",
    ] {
        assert!(plan.contains(says), "{says}\n{plan}");
    }
    assert!(!plan.contains("it is not computed here"), "{plan}");
    assert!(study.file("reports/plan/figures/multiplicity-graph.svg").is_file());
    // What is not true of what is expected is said so, and asked about.
    study.replace("protocol.toml", "value = 0.9\ncomparator = 0.88", "value = 0.70\ncomparator = 0.88");
    study.replace("protocol.toml", "discordant = 0.1", "discordant = 0.3");
    let plan = study.run("plan", &["--no-pdf"]);
    assert!(plan.stdout.contains("not-worse: cannot be shown"), "{}", plan.stdout);
    let checked = study.run("check", &["--json"]);
    let report = json(&checked);
    let found = report["diagnostics"].as_array().expect("a list");
    let one = found.iter().find(|d| d["code"] == "goal-beyond-expected");
    assert!(
        one.is_some_and(|d| d["message"].as_str().is_some_and(|m| m.contains("`not-worse`"))),
        "{report:#}"
    );
    study.replace("protocol.toml", "discordant = 0.3", "discordant = 0.05");
    assert!(study.run("check", &[]).stderr.contains("that share lies between 0.1800"));
}

#[test]
fn a_table_of_repeated_images_needs_no_study() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("repeats.csv");
    std::fs::write(&file, repeats()).expect("writes");
    let path = file.to_str().expect("UTF-8");
    let ran = sequester(&["metrics", "repeatability", path, "--condition", "scanner", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = &json(&ran)["repeatability"];
    // Counted by hand: squares around the mean of each patient's four, 72 degrees of freedom.
    let within = found["within_sd"]["value"].as_f64().expect("a number");
    let mut squares = 0.0;
    for patient in 0..24 {
        let scores: Vec<f64> = repeats()
            .lines()
            .filter(|line| line.contains(&format!(",q{patient},")))
            .map(|line| line.split(',').nth(2).and_then(|s| s.parse().ok()).expect("a score"))
            .collect();
        let mean = scores.iter().sum::<f64>() / 4.0;
        squares += scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>();
    }
    assert!((within - (squares / 72.0).sqrt()).abs() < 1e-12, "{within}");
    let text = sequester(&["metrics", "repeatability", path, "--condition", "scanner,operator"]);
    for says in [
        "24 patients with 96 scored images",
        "positive agreement",
        "by operator",
        "less the first \
                  level",
    ] {
        assert!(text.stdout.contains(says), "{says}\n{}", text.stdout);
    }
    assert_eq!(sequester(&["metrics", "repeatability", path, "--level", "1"]).code, 2);
    std::fs::write(&file, "patient_id,score\na,1\n").expect("writes");
    assert!(sequester(&["metrics", "repeatability", path]).stderr.contains("repeats-too-few"));
}

#[test]
fn the_size_of_a_comparison_has_the_power_that_was_asked_for() {
    let base = ["design", "comparison", "--expected", "0.9", "--predicate", "0.88"];
    let plan = |more: &[&str]| json(&sequester(&[&base[..], more, &["--json"]].concat()));
    let number = |value: &Value| value.as_f64().expect("a number");
    for aim in [
        ["--aim", "non-inferiority", "--margin", "0.05"],
        ["--aim", "superiority", "--margin", "0"],
        ["--aim", "equivalence", "--margin", "0.1"],
    ] {
        for kind in
            [&["--discordant", "0.1"][..], &["--unpaired"], &["--measure", "auc", "--correlation", "0.5"]]
        {
            let sized = plan(&[&aim[..], kind].concat());
            let cases = sized["cases"].to_string();
            let there = plan(&[&aim[..], kind, &["--cases", &cases]].concat());
            let power = number(&there["power_of"]["power"]);
            assert!((0.899..0.93).contains(&power), "{aim:?} {kind:?} {there:#}");
            let exact = &there["power_of"]["exact_power"];
            assert!(exact.is_null() || (number(exact) - power).abs() < 0.03, "{aim:?} {kind:?} {there:#}");
        }
    }
    // On the same cases, as the older command says it.
    let old = ["design", "noninferiority", "--expected", "0.9", "--predicate", "0.88", "--margin", "0.05"];
    let old = json(&sequester(&[&old[..], &["--discordant", "0.1", "--json"]].concat()));
    let new = plan(&["--aim", "non-inferiority", "--margin", "0.05", "--discordant", "0.1"]);
    assert_eq!(old["cases"], new["cases"]);
    let range =
        ["--aim", "non-inferiority", "--margin", "0.05", "--cases", "600", "--expected-range", "0.8,0.95"];
    let averaged = plan(&range);
    assert!(number(&averaged["power_of"]["assurance"]) < number(&averaged["power_of"]["power"]));
    for wrong in [
        &["--aim", "non-inferiority"][..],
        &["--aim", "superiority", "--margin", "0.05"],
        &["--aim", "equivalence", "--margin", "0.1", "--correlation", "0.5"],
        &["--aim", "equivalence", "--margin", "0.1", "--discordant", "0.01"],
        &["--aim", "equivalence", "--margin", "0.1", "--unpaired", "--predicate-cases", "0"],
        &["--aim", "equivalence", "--margin", "0.1", "--cases", "9", "--expected-range", "0.95,0.8"],
        &["--aim", "equivalence", "--margin", "0.1", "--measure", "auc", "--share", "0.5"],
    ] {
        let ran = sequester(&[&base[..], wrong].concat());
        assert_eq!(ran.code, 2, "{wrong:?} {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("hint"), "{wrong:?} {}", ran.stderr);
    }
}
