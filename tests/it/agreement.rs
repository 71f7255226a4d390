//! `reads agreement`: what is said of intervals that are missing, of many readers, of clusters and of copies;
//! and `compare` beside a contender of two values.

use crate::support::sequester;

fn written(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("table.csv");
    std::fs::write(&path, text).expect("writes");
    let path = path.to_str().expect("path").to_owned();
    (folder, path)
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let ran = sequester(&[arguments, &["--json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// Reads of `readers` readers of `cases` cases, two cases a patient; a reader is wrong now and then.
fn reads(readers: usize, cases: usize) -> String {
    let mut text = String::from("case_id,patient_id,reader_id,read\n");
    for case in 0..cases {
        for reader in 0..readers {
            let wrong = (case * 7 + reader * 11) % 13 < 3;
            let read = u8::from((case % 3 == 0) != wrong);
            text += &format!("C{case:03},P{:03},R{reader:02},{read}\n", case / 2);
        }
    }
    text
}

#[test]
fn every_pair_of_many_readers_is_there() {
    let (_folder, file) = written(&reads(9, 40));
    let report = json(&["reads", "agreement", &file]);
    let pairs = report["estimates"].as_array().expect("list").iter().filter(|e| {
        e["id"] == "cohen_kappa" && !e["model"].as_str().unwrap_or_default().contains("majority")
    });
    assert_eq!(pairs.count(), 36);
}

#[test]
fn each_missing_interval_has_its_reason_and_none_is_zero_wide() {
    // R1 says yes throughout.
    let mut text = String::from("case_id,reader_id,read\n");
    for case in 0..8 {
        for (reader, read) in [("R1", 1), ("R2", case % 2), ("R3", case % 3 % 2)] {
            text += &format!("c{case},{reader},{read}\n");
        }
    }
    let (_folder, file) = written(&text);
    let ran = sequester(&["reads", "agreement", &file]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for pair in ["R1 vs R2", "R1 vs R3"] {
        let line = format!("warning[no-spread]: cohen_kappa of {pair}: the asymptotic variance is exactly 0");
        assert!(ran.stdout.contains(&line), "{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("-0.0000"), "{}", ran.stdout);
    for estimate in json(&["reads", "agreement", &file])["estimates"].as_array().expect("list") {
        for interval in estimate["intervals"].as_array().into_iter().flatten() {
            let of = |key: &str| interval[key].as_f64().expect("number");
            assert!(of("upper") - of("lower") > 1e-6, "{estimate}");
        }
    }
}

#[test]
fn patients_with_several_cases_are_drawn_whole() {
    let (_folder, file) = written(&reads(3, 40));
    let report = json(&["reads", "agreement", &file, "--patient", "patient_id", "--bootstrap", "300"]);
    let mut drawn = 0;
    for estimate in report["estimates"].as_array().expect("list") {
        for interval in estimate["intervals"].as_array().into_iter().flatten() {
            if interval["method"] == "bootstrap-percentile" {
                assert_eq!(interval["unit"], "patient");
                drawn += 1;
            }
        }
    }
    // Three pairs and four coefficients over all.
    assert_eq!(drawn, 7, "{report}");
    let two_patients = reads(3, 40).replace("C001,P000,R00", "C001,P999,R00");
    let (_folder, file) = written(&two_patients);
    let ran = sequester(&["reads", "agreement", &file, "--patient", "patient_id"]);
    assert!(ran.code == 1 && ran.stderr.contains("error[case-patients]"), "{}", ran.stderr);
}

#[test]
fn a_copied_reader_is_named_with_the_share() {
    let copied: String = reads(3, 40)
        .lines()
        .flat_map(|line| {
            let copy = line.contains(",R00,").then(|| line.replace(",R00,", ",R77,"));
            [Some(line.to_owned()), copy]
        })
        .flatten()
        .map(|line| line + "\n")
        .collect();
    let (_folder, file) = written(&copied);
    let ran = sequester(&["reads", "agreement", &file]);
    let words = "warning[reads-identical]: R00 vs R77: R00 and R77 gave the same read on 40 of the 40 cases";
    assert!(ran.stdout.contains(words), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("reads-identical").count(), 1, "{}", ran.stdout);
    let (_folder, file) = written(&reads(3, 40));
    assert!(!sequester(&["reads", "agreement", &file]).stdout.contains("reads-identical"));
}

#[test]
fn readers_with_few_reads_or_none_leave_congers_kappa() {
    let few = reads(2, 40) + "C000,P000,R05,1\nC001,P000,R06,\n";
    let (_folder, file) = written(&few);
    let report = json(&["reads", "agreement", &file]);
    let conger = report["estimates"].as_array().expect("list").iter().find(|e| e["id"] == "conger_kappa");
    let conger = conger.expect("conger");
    assert!(conger["value"].is_number() && conger["standard_error"].is_number(), "{conger}");
}

#[test]
fn the_auc_of_two_values_is_no_headline() {
    let (mut scores, mut calls) =
        (String::from("case_id,label,score\n"), String::from("case_id,label,score\n"));
    for case in 0..60 {
        let label = u8::from(case % 2 == 0);
        let score = f64::from(label).mul_add(0.4, f64::from(case * 37 % 60) / 100.0);
        scores += &format!("C{case},{label},{score}\n");
        calls += &format!("C{case},{label},{}\n", u8::from(score > 0.5));
    }
    let (_one, scores) = written(&scores);
    let (_two, calls) = written(&calls);
    let (graded, binary) = (format!("graded={scores}"), format!("binary={calls}"));
    let ran = sequester(&["compare", &graded, &binary, "--bootstrap", "0"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning[two-valued-scores]: binary"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("The highest AUC"), "{}", ran.stdout);
    assert!(ran.stdout.contains("binary gives two values alone"), "{}", ran.stdout);
}
