//! How far the reading is: who is missing, where readers differ, whose reads look copied or drift.

use serde_json::{Value, json};

use crate::reading::{CASES, done, filled, give_back, reads, refused, study, truth};
use crate::support::Study;

#[test]
fn the_status_says_who_is_missing_what_without_any_score() {
    let study = study();
    study.write("scores.csv", "not a table of scores");
    let before = reads(&study, "status", &["--json"]);
    done(&before);
    let before: Value = serde_json::from_str(&before.stdout).expect("JSON");
    assert_eq!(before["readers"].as_array().map(Vec::len), Some(4));
    assert_eq!(before["readers"][2]["missing"].as_array().map(Vec::len), Some(12));
    assert_eq!(before["readers"][2]["late"], true, "nobody has begun");
    done(&reads(&study, "worklist", &["--round", "first"]));
    let wrong = |case: &str| match case {
        "person3_virus" => "positive",
        "person4_bacteria" => "",
        other => truth(other),
    };
    done(&give_back(&study, "R1.csv", &filled(&study, "first", "R1", truth), &[]));
    done(&give_back(&study, "R2.csv", &filled(&study, "first", "R2", wrong), &[]));
    let csv = study.file("status.csv");
    let html = study.file("status.html");
    let files = ["--csv", csv.to_str().expect("UTF-8"), "--html", html.to_str().expect("UTF-8")];
    let ledger = study.file("ledger.jsonl");
    let recorded = std::fs::read(&ledger).expect("reads");
    let ran = reads(&study, "status", &files);
    done(&ran);
    assert_eq!(std::fs::read(&ledger).expect("reads"), recorded, "nothing is recorded");
    for says in [
        "12 cases, 4 readers",
        "missing of R2: 1: person4_bacteria",
        "reference readers disagree: 1: person3_virus",
        "needs adjudication: 1: person3_virus",
        "round first (reading), 12 cases: 2 of 3 readers gave something back; waiting for C",
        "and 2 more",
        "R1 and R2: same answer on 10 of 11",
    ] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    let table = study.read("status.csv");
    assert!(table.contains("R2,reference,person4_bacteria,missing,,\n"), "{table}");
    assert!(table.contains("R1,reference,person3_virus,read,negative,\n"), "{table}");
    assert_eq!(table.lines().count(), 1 + 4 * CASES);
    let page = study.read("status.html");
    for says in ["person4_bacteria", "person3_virus", "Cohen&#39;s kappa", "Two-sided test for trend"] {
        assert!(page.contains(says) || page.contains(&says.replace("&#39;", "'")), "{says}");
    }
    assert!(
        !page.contains("http://") && !page.contains("https://") && !page.contains("<script"),
        "a page with everything in it"
    );
    // Another file is not replaced.
    refused(
        &reads(&study, "status", &["--csv", study.file("cases.csv").to_str().expect("UTF-8")]),
        1,
        "file-exists",
    );
}

#[test]
fn copies_and_drift_are_told_and_honest_readers_are_not() {
    let study = Study::small();
    let told = |study: &Study| {
        let ran = reads(study, "status", &["--json"]);
        done(&ran);
        serde_json::from_str::<Value>(&ran.stdout).expect("JSON")
    };
    assert_eq!(told(&study)["copies"], json!([]), "three readers with some errors each");
    let own = study.read("reads/reader-1.csv");
    study.write("reads/reader-3.csv", &own.replace(",R1,", ",R3,"));
    let copies = told(&study)["copies"].clone();
    let whats: Vec<&str> =
        copies.as_array().expect("a list").iter().filter_map(|c| c["what"].as_str()).collect();
    assert_eq!(whats, ["readers", "files"], "{copies}");
    assert_eq!(copies[0]["of"], json!(["R1", "R3"]));
    assert!(copies[0]["p"].as_f64().is_some_and(|p| p < 0.001), "{copies}");
    let ran = reads(&study, "status", &[]);
    assert!(ran.stdout.contains("probably copied") && ran.stdout.contains("no proof"), "{}", ran.stdout);
    // Times: one reader calls more and more cases positive, another one does not.
    study.replace("protocol.toml", "[scores]", "[reads]\ntime_column = \"time\"\n\n[scores]");
    let cases: Vec<&str> = own.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let timed = |reader: &str, positive: &dyn Fn(usize) -> bool| {
        let mut text = String::from("case_id,reader_id,read,time\n");
        for (nth, case) in cases.iter().enumerate() {
            let read = if positive(nth) { "positive" } else { "negative" };
            text += &format!("{case},{reader},{read},2025-12-{:02} 10:{:02}\n", 1 + nth / 60, nth % 60);
        }
        text
    };
    study.write("reads/reader-1.csv", &timed("R1", &|nth| nth * 7 % 120 < nth));
    study.write("reads/reader-2.csv", &timed("R2", &|nth| nth % 2 == 0));
    study.write("reads/reader-3.csv", &timed("R3", &|nth| nth % 3 == 0));
    let status = told(&study);
    let drift = |nth: usize| status["readers"][nth]["drift"].clone();
    assert_eq!((&drift(0)["told"], &drift(1)["told"]), (&json!(true), &json!(false)), "{}", drift(0));
    assert_eq!(drift(0)["parts"].as_array().map(Vec::len), Some(4));
    assert_eq!(status["readers"][0]["days_since"], 29);
    let ran = reads(&study, "status", &[]);
    assert!(ran.stdout.contains("R1: positive in each quarter"), "{}", ran.stdout);
}
