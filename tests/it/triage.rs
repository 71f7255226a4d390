//! A device for triage: processing times from the score table, time to notification by the declared worklist,
//! through results and documents to `verify`; and where every number of the whole set comes from.

use serde_json::Value;

use crate::support::Study;

const DECLARED: &str = r#"
[triage]
processing_column = "seconds"
arrivals_per_hour = 6
prevalence = 0.1
reading_minutes = 4
reading_minutes_positive = 6
source = "worklists of a year"
"#;

/// The small study with seconds for each case.
fn study() -> Study {
    let study = Study::small();
    let scores = study.read("scores.csv");
    let timed = scores.lines().enumerate().map(|(line, row)| match line {
        0 => format!("{row},seconds\n"),
        _ => format!("{row},{:.2}\n", 6.0 + f64::from(u32::try_from(line * 37 % 91).expect("small")) / 10.0),
    });
    study.write("scores.csv", &timed.collect::<String>());
    study.write("protocol.toml", &format!("{}{DECLARED}", study.read("protocol.toml")));
    study
}

#[test]
fn times_and_waiting_are_results_a_part_of_the_documents_and_derived_again() {
    let study = study();
    let checked = study.run("check", &["--json"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let ran = study.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let found = &results["triage"];
    let number = |value: &Value| value.as_f64().expect("a number");
    let mean = number(&found["processing"]["mean"]["value"]);
    assert!((6.0..15.1).contains(&mean), "{mean}");
    let waiting = &found["waiting"];
    assert!((number(&waiting["processing_minutes"]) - mean / 60.0).abs() < 1e-12);
    // 6 an hour, of which a tenth takes 6 minutes and the others 4.
    assert!((number(&waiting["occupancy"]) - 0.42).abs() < 1e-12, "{waiting}");
    let saved = &waiting["saved"];
    let difference = number(&waiting["without_device"]) - number(&waiting["positive"]["value"]);
    assert!((number(&saved["value"]) - difference).abs() < 1e-12, "{saved}");
    assert!(number(&saved["limits"][0]) <= difference && difference <= number(&saved["limits"][1]));
    let page = study.read("reports/run-1/report.html");
    for words in ["Processing time of the device", "Mean time to notification", "worklists of a year"] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(study.run("verify", &[]).code, 0);
    let traced = study.run("report", &["--trace", "--json"]);
    assert_eq!(traced.code, 0, "{}", traced.stdout.split("\"findings\"").last().unwrap_or_default());
    let traced: Value = serde_json::from_str(&traced.stdout).expect("JSON");
    let numerals = traced["numerals"].as_array().expect("a list");
    assert!(numerals.iter().all(|one| one["kind"] != "untraced"));
    let documents =
        ["report", "truthing", "summary", "predicate", "sites", "labelling", "plan", "evidence-map"];
    for document in documents {
        assert!(numerals.iter().any(|one| one["document"] == document), "{document}");
    }
    // Drafts of every document, and each the same twice.
    let drafted = study.run("report", &["--docx", "--documents", "all"]);
    assert_eq!(drafted.code, 0, "{}", drafted.stderr);
    let names: Vec<String> = drafted.stdout.lines().map(str::to_owned).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    for name in ["plan", "evidence-map", "summary", "model-card"] {
        assert!(study.file(&format!("drafts/run-1/{name}.docx")).is_file(), "{name}");
    }
    assert_eq!(study.run("report", &["--docx", "--documents", "all"]).code, 0, "the same bytes");
}

#[test]
fn a_time_that_is_none_is_named_with_its_line() {
    let study = study();
    let scores = study.read("scores.csv");
    let row = scores.lines().find(|row| row.starts_with("C004,")).expect("a row").to_owned();
    let (start, _) = row.rsplit_once(',').expect("cells");
    for (cell, code) in [("soon", "value-unreadable"), ("-3", "value-range"), ("", "value-empty")] {
        study.write("scores.csv", &scores.replace(&row, &format!("{start},{cell}")));
        let ran = study.run("run", &["--no-pdf"]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stderr.contains(code) && ran.stderr.contains("scores.csv:6"), "{}", ran.stderr);
    }
    study.write("scores.csv", &scores.replace(",seconds", ",duration"));
    let ran = study.run("run", &["--no-pdf"]);
    assert!(ran.code == 1 && ran.stderr.contains("column-missing"), "{}", ran.stderr);
    // A rehearsal scores on no machine.
    study.write("scores.csv", &scores);
    let rehearsed = study.file("rehearsed");
    let ran = study.run("rehearse", &["--out", rehearsed.to_str().expect("UTF-8")]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
}
