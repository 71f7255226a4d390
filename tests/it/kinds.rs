//! Every kind of study that `init` writes, from its first file to its documents: it runs as it is, and every
//! number in every document of it has an origin.

use std::path::Path;

use serde_json::Value;

use crate::reader_study_endpoint;
use crate::support::{Study, sequester};

/// The least documents that any kind has: report, truthing report, the set and its map.
const LEAST: usize = 12;

/// Runs a study and reads every number of its documents back.
fn every_number_has_an_origin(folder: &Path) {
    let folder = folder.to_str().expect("UTF-8");
    let ran = sequester(&["run", folder]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let traced = sequester(&["report", folder, "--trace", "--json"]);
    let told: Value = serde_json::from_str(&traced.stdout).expect("JSON");
    assert_eq!(told["findings"], Value::Array(Vec::new()), "what contradicts, or has no origin");
    assert_eq!(traced.code, 0, "{}", traced.stderr);
    let numerals = told["numerals"].as_array().expect("a list");
    let strays: Vec<&Value> = numerals.iter().filter(|one| one["kind"] == "untraced").collect();
    assert_eq!(strays, Vec::<&Value>::new());
    let documents: std::collections::BTreeSet<&str> =
        numerals.iter().filter_map(|one| one["document"].as_str()).collect();
    assert!(documents.len() >= LEAST, "{documents:?}");
}

fn of_kind(kind: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let study = folder.path().join("study");
    let made = sequester(&["init", study.to_str().expect("UTF-8"), "--kind", kind]);
    assert_eq!(made.code, 0, "{}{}", made.stdout, made.stderr);
    every_number_has_an_origin(&study);
}

#[test]
fn a_triage_study_is_traced() {
    of_kind("triage");
}

#[test]
fn a_detection_study_is_traced() {
    of_kind("detection");
}

#[test]
fn a_diagnosis_study_is_traced() {
    of_kind("diagnosis");
}

#[test]
fn a_standalone_study_is_traced() {
    of_kind("standalone");
}

#[test]
fn a_study_beside_readers_is_traced() {
    of_kind("beside-readers");
}

/// The list above is all kinds there are: the program names them where one is unknown.
#[test]
fn every_kind_is_among_these() {
    let said = sequester(&["init", "nowhere", "--kind", "another"]).stderr;
    let listed = said.split("[possible values: ").nth(1).and_then(|rest| rest.split(']').next());
    assert_eq!(listed, Some("triage, detection, diagnosis, standalone, beside-readers"), "{said}");
}

const EXPECTED_OF_PREDICATE: &str = r#"
[predicate]
name = "Example device 1.0"
file = "predicate.csv"
threshold = 0.5

[[endpoint]]
id = "area"
metric = "auc"
role = "secondary"
against = "predicate"
aim = "non-inferiority"
margin = 0.1
justification = "it would not change who is read first"

[[endpoint]]
id = "found"
metric = "sensitivity"
role = "secondary"
against = "predicate"
aim = "non-inferiority"
margin = 0.15
justification = "the same"

[[expected]]
endpoint = "area"
value = 0.86
comparator = 0.84
correlation = 0.4
source = "a pilot"

[[expected]]
endpoint = "found"
value = 0.82
comparator = 0.78
discordant = 0.13
source = "a pilot"
"#;

/// Readers with and without the device, and a predicate, of which the protocol says what is expected.
#[test]
fn a_reader_study_and_a_predicate_with_expectations_are_traced() {
    let study = Study::small();
    reader_study_endpoint::add_to(&study);
    let scores = study.read("scores.csv");
    let moved = scores.lines().skip(1).enumerate().map(|(place, line)| {
        let (case, score) = line.split_once(',').expect("two cells");
        let score: f64 = score.parse().expect("a number");
        format!("{case},{}\n", if place % 7 == 3 { score / 2.0 } else { score * 0.9 + 0.02 })
    });
    study.write("predicate.csv", &format!("case_id,score\n{}", moved.collect::<String>()));
    study.write("protocol.toml", &format!("{}{EXPECTED_OF_PREDICATE}", study.read("protocol.toml")));
    every_number_has_an_origin(study.path());
    let report = study.read("reports/run-1/report.md");
    for words in ["AUC, difference (superiority)", "Sensitivity, difference (non-inferiority)"] {
        assert!(report.contains(words), "{words}");
    }
}
