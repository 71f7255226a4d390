//! Rules over columns, strata with weights, consecutive cases and sites, from the protocol to documents that
//! verify, and what is refused.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Study, real_data, sequester};

const RULE: &str = r#"
[[eligibility]]
id = "washout"
kind = "rule"
rule = 'not earlier within 30 days by acquired'
definition = "another image of the same patient 1 to 30 days before"
reason = "an image of the same patient within the last 30 days"

[[eligibility]]
id = "period"
kind = "rule"
rule = 'acquired between 2024-01-01 and 2024-12-31 and not (site = "closed" or severity is missing)'
definition = "acquired in 2024 at a site that was open, with a recorded severity"
missing = "exclude"
reason = "outside of the period, or nothing recorded"

[[eligibility]]
id = "adults"
kind = "rule"
rule = 'age_years >= 18'
per = "patient"
holds = "every"
definition = "every image of the patient is of an adult"
reason = "a patient who was a child at one of the images"

[sample]
"#;

/// The small study with dates, sites and a severity; `sample` stands instead of its own draw.
fn study(sample: &str) -> Study {
    let study = Study::small();
    let mut lines = Vec::new();
    for (row, line) in study.read("cases.csv").lines().enumerate() {
        if row == 0 {
            lines.push(format!("{line},acquired,site,severity"));
            continue;
        }
        let i = row - 1;
        // Two images a patient: 10, 30, 31 or 200 days apart.
        let gap = [10, 30, 31, 200][(i / 2) % 4] * (i % 2);
        let day = u32::try_from(1 + (i / 2) % 20 + gap).expect("a day of the year");
        let day = chrono::NaiveDate::from_yo_opt(2024, day).expect("a day");
        let site = ["north", "south", "south", "closed"][(i / 2) % 17 % 4];
        let severity = if i % 19 == 3 { String::new() } else { (i % 5).to_string() };
        lines.push(format!("{line},{day},{site},{severity}"));
    }
    study.write("cases.csv", &(lines.join("\n") + "\n"));
    study.replace("protocol.toml", "\n[sample]\n", RULE);
    study.replace("protocol.toml", "cases = 80\npositives = 40\nseed = 1\n", sample);
    study
}

fn told(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr)
}

fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("a row");
        names.iter().zip(row.iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect()
    };
    reader.records().map(row).collect()
}

fn results(study: &Study) -> Value {
    serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON")
}

#[test]
fn a_study_with_rules_and_weights_is_counted_exactly_and_verifies() {
    let study = study("method = \"enriched\"\ncases = 36\npositives = 20\nseed = 1\n");
    let checked = study.run("check", &[]);
    assert_eq!(checked.code, 0, "{}", told(&checked));
    let ran = study.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}", told(&ran));
    let (results, cases) = (results(&study), table(&study.read("evidence/run-1/data/cases.csv")));
    // Every case is in one place, and each criterion counts what the table says.
    let count = |status: &str| cases.iter().filter(|row| row["status"] == status).count() as u64;
    let flow = &results["flow"];
    let number = |name: &str| flow[name].as_u64().expect("a number");
    let excluded = flow["excluded"].as_array().expect("a list");
    assert_eq!(excluded.len(), 4);
    for reason in excluded {
        let id = reason["id"].as_str().expect("text");
        let first = cases.iter().filter(|row| row["excluded_by"] == id).count();
        let any = cases.iter().filter(|row| row["all_reasons"].split(';').any(|one| one == id)).count();
        assert_eq!(
            (reason["count"].as_u64(), reason["count_any"].as_u64()),
            (Some(first as u64), Some(any as u64))
        );
        assert!(any > 0, "{id} matched nothing");
    }
    assert_eq!(number("considered"), count("excluded") + number("eligible"));
    assert_eq!(number("eligible"), count("not-sampled") + number("sampled"));
    assert_eq!(number("sampled"), 36);
    // By hand: the second image 10 or 30 days after the first, and none 31 or 200 days after it.
    let of = |id: &str| cases.iter().filter(|row| row["all_reasons"].split(';').any(|one| one == id)).count();
    assert_eq!(of("washout"), 30);
    // Every image of a patient of whom one is of a child.
    for row in cases.iter().filter(|row| row["all_reasons"].contains("adults")) {
        let patient = cases.iter().filter(|other| other["patient_id"] == row["patient_id"]);
        assert!(patient.clone().all(|other| other["all_reasons"].contains("adults")));
    }
    // Weights are recomputed from the table, and are those of the sealed cohort.
    let sealed = table(&study.read("work/cohort.csv"));
    for row in &sealed {
        let stratum = |other: &&BTreeMap<String, String>| other["stratum"] == row["stratum"];
        let pool = cases.iter().filter(stratum).count();
        let drawn = sealed.iter().filter(stratum).count();
        let weight: f64 = row["weight"].parse().expect("a number");
        assert!((weight - pool as f64 / drawn as f64).abs() < 1e-12);
        assert_eq!(
            cases.iter().find(|c| c["case_id"] == row["case_id"]).expect("there")["weight"],
            row["weight"]
        );
    }
    let weighted = &results["sampling"]["weighted"];
    assert_eq!(weighted["cases"].as_f64().map(f64::round), flow["eligible"].as_f64());
    assert_eq!(weighted["estimates"][0]["id"], "prevalence");
    // Documents print rule, definition, strata and which prevalence.
    let html = study.read("reports/run-1/report.html");
    for words in [
        "another image of the same patient 1 to 30 days before",
        "not earlier within 30 days by acquired",
        "every image of the patient: age_years &gt;= 18",
        "source label positive",
        "Weighted to the eligible cases",
    ] {
        assert!(html.contains(words), "{words} is not in the document");
    }
    let verify = study.run("verify", &[]);
    assert_eq!(verify.code, 0, "{}", told(&verify));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.py");
    let python = |study: &Study| Command::new("python3").arg(script).arg(study.path()).output();
    if let Ok(ran) = python(&study) {
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success() && said.contains("(not judged here)"), "{said}");
    }
    // Another weight, or another reason, is told by both.
    let weight = sealed[0]["weight"].clone();
    let name = "evidence/run-1/data/cases.csv";
    study.replace(name, &format!(",{weight}\n"), ",1.25\n");
    assert_eq!(study.run("verify", &[]).code, 20);
    if let Ok(ran) = python(&study) {
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(said.contains("is not that of its stratum"), "{said}");
    }
}

#[test]
fn strata_and_consecutive_cases_are_drawn_as_declared_and_a_shortage_is_said() {
    let declared = study(
        "method = \"stratified\"\nby = [\"site\"]\nshortage = \"take\"\nseed = 1\n\
         stratum = [{ levels = \"north\", cases = 10 }, { levels = \"south\", cases = 300 }]\n",
    );
    let ran = declared.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}", told(&ran));
    let found = results(&declared);
    let strata = found["sampling"]["strata"].as_array().expect("strata").clone();
    assert_eq!((strata[0]["name"].as_str(), strata[0]["drawn"].as_u64()), (Some("north"), Some(10)));
    let south = strata[1]["pool"].as_u64().expect("a number");
    assert_eq!((strata[1]["drawn"].as_u64(), strata[1]["weight"].as_f64()), (Some(south), Some(1.0)));
    assert_eq!(found["sampling"]["lacking"].as_u64(), Some(300 - south));
    assert!(found["warnings"].to_string().contains("sample-short"), "{}", found["warnings"]);
    assert_eq!(declared.run("verify", &[]).code, 0);

    let first = study("method = \"consecutive\"\norder_by = \"acquired\"\ncases = 30\nseed = 1\n");
    let ran = first.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}", told(&ran));
    assert_eq!(results(&first)["sampling"]["method"], "consecutive");
    assert!(!first.read("work/cohort.csv").contains("weight"));
    assert_eq!(first.run("verify", &[]).code, 0);

    let refused = study("method = \"consecutive\"\norder_by = \"acquired\"\ncases = 300\nseed = 1\n");
    let ran = refused.run("run", &["--no-pdf"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("too-few-eligible") && ran.stderr.contains("the target is 300"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_rule_that_cannot_be_read_is_told_at_its_place() {
    let study = study("cases = 20\npositives = 10\nseed = 1\n");
    study.replace("protocol.toml", "site = \"closed\"", "site = closed");
    let text = study.read("protocol.toml");
    let line = text.lines().position(|line| line.contains("site = closed")).expect("there") + 1;
    let column = text.lines().nth(line - 1).and_then(|line| line.find("closed")).expect("there") + 1;
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[rule-syntax]"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("protocol.toml:{line}:{column}")), "{}", ran.stderr);
    // A cell that is no day is told with its line.
    study.replace("protocol.toml", "site = closed", "site = \"closed\"");
    let day = study
        .read("cases.csv")
        .lines()
        .nth(1)
        .and_then(|line| line.split(',').nth(6))
        .expect("a day")
        .to_owned();
    study.replace("cases.csv", &day, "31.01.2024");
    let ran = study.run("check", &[]);
    assert!(
        ran.stderr.contains("error[value-unreadable]") && ran.stderr.contains("cases.csv:2"),
        "{}",
        ran.stderr
    );
}

#[test]
fn separate_sites_are_shown_contradicted_or_not_shown() {
    let with = |development: Option<&str>, keys: &str| {
        let study = study("cases = 36\npositives = 20\nseed = 1\n");
        let more = development.map_or("", |_| "development = \"development.csv\"\n");
        study.replace(
            "protocol.toml",
            "cases = \"cases.csv\"\n",
            &format!("cases = \"cases.csv\"\n{keys}{more}"),
        );
        if let Some(rows) = development {
            study.write("development.csv", rows);
        }
        study
    };
    let answer = |study: &Study| -> String {
        let json: Value = serde_json::from_str(&study.run("verify", &["--json"]).stdout).expect("JSON");
        let answers = json["answers"].as_array().expect("answers").clone();
        let of = answers.iter().find(|answer| answer["question"] == "sites");
        of.map_or_else(|| "not asked".to_owned(), |of| of["answer"].as_str().expect("text").to_owned())
    };
    let others = "case_id,patient_id,label,site\nd1,q1,1,west\nd2,q2,0,east\n";
    for (development, keys, expected) in [
        (Some(others), "separate_sites = true\n", "yes"),
        (Some("case_id,patient_id,label\nd1,q1,1\n"), "separate_sites = true\n", "not-shown"),
        (
            Some("case_id,patient_id,label,site\nd1,q1,1,west\nd2,q2,0,\n"),
            "separate_sites = true\n",
            "not-shown",
        ),
        (None, "separate_sites = true\ndevelopment_sites = [\"west\"]\n", "not-shown"),
        (None, "development_sites = [\"North\"]\n", "not-applicable"),
        (Some(others), "", "not asked"),
    ] {
        let study = with(development, keys);
        let ran = study.run("run", &["--no-pdf"]);
        assert!([0, 10].contains(&ran.code), "{keys}: {}", told(&ran));
        assert_eq!(answer(&study), expected, "{development:?} {keys}");
        assert_eq!(study.run("verify", &["--require", "bytes,ledger"]).code, 0);
        let html = study.read("reports/run-1/report.html");
        assert_eq!(html.contains("Sites among those of training or tuning"), expected != "not asked");
    }
    for (development, keys) in [
        (Some("case_id,patient_id,label,site\nd1,q1,1,South \n"), "separate_sites = true\n"),
        (None, "separate_sites = true\ndevelopment_sites = [\"north\"]\n"),
    ] {
        let ran = with(development, keys).run("run", &["--no-pdf"]);
        assert_eq!(ran.code, 1, "{keys}");
        assert!(ran.stderr.contains("error[site-on-both-sides]"), "{}", ran.stderr);
    }
}

/// The built-in criterion and the rule that says the same exclude the same of 112,120 real images.
#[test]
fn a_rule_over_the_nih_table_excludes_what_the_built_in_criterion_does() {
    let Some(data) = real_data("a_rule_over_the_nih_table_excludes_what_the_built_in_criterion_does") else {
        return;
    };
    let study = Study::small();
    let kinds = [
        "kind = \"prior-finding\"\nsource = \"earlier-images\"\nfindings = [\"Pneumonia\"]\n",
        "kind = \"rule\"\ndefinition = \"x\"\nrule = 'not earlier where (findings has \"Pneumonia\") by \
         follow_up'\n",
        "kind = \"rule\"\nrule = 'first by follow_up'\ndefinition = \"x\"\n",
        "kind = \"rule\"\nrule = 'view in [\"PA\"] and age_years between 18 and 80'\ndefinition = \"x\"\n",
    ];
    let mut criteria = String::new();
    for (number, kind) in kinds.iter().enumerate() {
        criteria += &format!("[[eligibility]]\nid = \"c{number}\"\nreason = \"r\"\n{kind}\n");
    }
    study.replace("protocol.toml", "[sample]\ncases = 80\npositives = 40\nseed = 1\n", &criteria);
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"",
        "cases = \"nih-metadata/Data_Entry_2017_v2020.csv.gz\"\nformat = \"nih\"\npositive_findings = \
         [\"Pneumonia\"]",
    );
    let (folder, data) =
        (study.path().to_str().expect("UTF-8").to_owned(), data.to_str().expect("UTF-8").to_owned());
    let ran = sequester(&["dataset", &folder, "--data", &data, "--dry-run", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let any = |id: &str| {
        let list = report["excluded"].as_array().expect("a list");
        list.iter().find(|one| one["id"] == id).and_then(|one| one["count_any"].as_u64()).expect("a number")
    };
    assert_eq!(report["considered"], 112_120);
    assert!(any("c0") > 0);
    assert_eq!(any("c0"), any("c1"));
    // 30,805 patients, each with one first image.
    assert_eq!(any("c2"), 112_120 - 30_805);
}
