//! A reader study as a part of a study: from its sessions to results, documents and `verify`; and the report
//! of ratings without a study.

use std::path::Path;

use serde_json::Value;

use crate::reference_values::folder;
use crate::support::{Study, sequester};

const READERS: usize = 5;

const DECLARED: &str = r#"
[reader_study]
files = ["reader-study/*.csv"]
unaided = "unaided"
aided = "aided"
design = "crossed"
order = "crossover"
washout_days = 28
time_column = "read_at"
seconds_column = "seconds"
scale = { min = 0, max = 100, positive_from = 50 }

[reader_study.planned]
metric = "auc"
readers = 5
variance = 0.002
cov1 = 0.0012
cov2 = 0.0011
cov3 = 0.0007
interaction = 0.0004
pilot_cases = 100
source = "a pilot of two readers"

[[endpoint]]
id = "readers-better"
metric = "auc"
role = "secondary"
against = "unaided-readers"
aim = "superiority"

[[endpoint]]
id = "alone-not-worse"
metric = "auc"
role = "secondary"
against = "reader-population"
aim = "non-inferiority"
margin = 0.1
justification = "two radiologists differ by as much"

[[expected]]
endpoint = "readers-better"
value = 0.9
comparator = 0.82
source = "the pilot"
"#;

/// How a reader rates a case: all see something, and the device helps.
pub fn rating(reader: usize, case: usize, aided: bool) -> usize {
    let noise = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7) % 41;
    let own = noise(case * 97 + reader * 1009 + usize::from(aided) * 5003);
    let found = if case.is_multiple_of(2) { 34 + if aided { 12 } else { 0 } + reader } else { 22 };
    (found + noise(case * 31 + 7) / 2 + own / 2).min(100)
}

/// A reader study of the 120 cases of the small study: declared, and read in two sessions.
pub fn add_to(study: &Study) {
    let protocol = study.read("protocol.toml");
    study.write("protocol.toml", &format!("{protocol}{DECLARED}"));
    for session in 0..2 {
        let mut text = "reader,case_id,modality,rating,read_at,seconds\n".to_owned();
        for reader in 0..READERS {
            for case in 0..120 {
                let aided = (case % 4 < 2) != (session == 1);
                let word = if aided { "aided" } else { "unaided" };
                let (month, day) = (1 + 2 * session, 10 + case % 9);
                let seconds = 40 + (case * 7 + reader) % 23 + if aided { 6 } else { 0 };
                text += &format!(
                    "A{},C{case:03},{word},{},2026-{month:02}-{day:02} 10:00,{seconds}\n",
                    reader + 1,
                    rating(reader, case, aided)
                );
            }
        }
        study.write(&format!("reader-study/session-{}.csv", session + 1), &text);
    }
}

fn studied() -> Study {
    let study = Study::small();
    add_to(&study);
    study
}

#[test]
fn a_reader_study_is_evidence_results_and_a_document() {
    let study = studied();
    let checked = study.run("check", &["--json"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let ran = study.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let found = &results["reader_study"];
    assert_eq!(
        (&found["readers"].as_array().expect("readers").len(), &found["missing"]),
        (&5, &Value::from(0))
    );
    assert_eq!(found["declared"]["order"], "crossover");
    assert!(found["reading_time"]["difference"].as_f64().expect("a time") > 4.0);
    let better = &results["comparisons"][0];
    assert_eq!((&better["id"], &better["verdict"]), (&Value::from("readers-better"), &Value::from("met")));
    assert_eq!(better["interval"]["method"], "obuchowski-rockette");
    for session in ["session-1", "session-2"] {
        assert!(study.file(&format!("evidence/run-1/data/inputs/reader-study/{session}.csv")).is_file());
    }
    let report = study.read("reports/run-1/reader-study.md");
    for says in [
        "Reader study: A small study",
        "What Was to Be Shown",
        "readers-better",
        "Components of Variance",
        "Sessions and Reading Times",
        "with the device",
        "half of the cases with and half without the device",
    ] {
        assert!(report.contains(says), "{says}\n{report}");
    }
    for figure in ["reader-roc", "reader-forest"] {
        let page = study.read("reports/run-1/reader-study.html");
        assert!(page.contains(figure) || report.contains(figure), "{figure}");
    }
    assert!(study.read("reports/run-1/report.md").contains("readers with the device: superiority to"));
    let verified = study.run("verify", &[]);
    assert!(verified.code != 20, "{}{}", verified.stdout, verified.stderr);
    // What was recorded is bound: another rating gives other results, and another page is another page.
    let page = study.read("reports/run-1/reader-study.html");
    study.write("reports/run-1/reader-study.html", &page.replacen("Reader study", "Readers' study", 1));
    assert_eq!(study.run("verify", &[]).code, 20);
    study.write("reports/run-1/reader-study.html", &page);
    let input = "evidence/run-1/data/inputs/reader-study/session-1.csv";
    study.write(input, &study.read(input).replacen(",unaided,", ",aided,", 1));
    assert_eq!(study.run("verify", &[]).code, 20);
}

#[test]
fn a_study_without_readers_has_no_template_and_no_field_of_them() {
    let study = Study::small();
    assert!([0, 10].contains(&study.run("run", &["--no-pdf"]).code));
    assert!(!study.file("evidence/run-1/data/templates/reader-study.md").exists());
    assert!(!study.file("reports/run-1/reader-study.html").exists());
    assert!(!study.read("evidence/run-1/data/results.json").contains("reader_study"));
}

#[test]
fn the_plan_says_what_readers_can_be_expected_to_show() {
    let study = studied();
    let ran = study.run("plan", &["--no-pdf"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let plan = study.read("reports/plan/plan.md");
    for says in
        ["readers with the device", "components of variance as declared", "the mean of readers without it"]
    {
        assert!(plan.contains(says), "{says}\n{plan}");
    }
}

#[test]
fn both_sessions_are_made_with_codes_and_come_back_as_ratings() {
    let study = studied();
    std::fs::remove_dir_all(study.file("reader-study")).expect("removes");
    study.replace(
        "protocol.toml",
        "unaided = \"unaided\"\n",
        "unaided = \"unaided\"\ncase_map = { file = \"reader-study/key/codes.csv\", id_column = \"code\" }\n",
    );
    let folder = study.path().to_str().expect("UTF-8").to_owned();
    let words = ["reads", "worklist", &folder, "--sessions", "--json"];
    let readers: Vec<String> = (1..=READERS).flat_map(|n| ["--reader".to_owned(), format!("A{n}")]).collect();
    let readers: Vec<&str> = readers.iter().map(String::as_str).collect();
    let nobody = sequester(&words);
    assert_eq!(nobody.code, 2, "{}", nobody.stderr);
    let made = sequester(&[&words[..], &readers].concat());
    assert_eq!(made.code, 0, "{}{}", made.stdout, made.stderr);
    let report: Value = serde_json::from_str(&made.stdout).expect("JSON");
    let forms = report["readers"].as_array().expect("forms");
    assert_eq!((forms.len(), &report["already"]), (2 * READERS, &Value::from(false)));
    let case_of = |code: &str| -> usize {
        let codes = study.read("reader-study/key/codes.csv");
        let row = codes.lines().find(|line| line.starts_with(code)).expect("a code").to_owned();
        row.split(',').nth(1).expect("a case")[1..].parse().expect("a number")
    };
    let first = std::fs::read_to_string(forms[0]["form"].as_str().expect("a path")).expect("a form");
    assert!(
        first.starts_with("reader,case_id,modality,rating,read_at,seconds,position,session\n"),
        "{first}"
    );
    assert!(!first.contains(",C0") && !first.contains("positive"), "no id and no label: {first}");
    // The readers fill them.
    for form in forms {
        let path = Path::new(form["form"].as_str().expect("a path"));
        let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        let empty = std::fs::read_to_string(path).expect("a form");
        let mut lines = empty.lines();
        let mut filled = format!("{}\n", lines.next().expect("a header"));
        for line in lines {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            let reader: usize = cells[0][1..].parse().expect("a number");
            let month = if cells[7] == "1" { "01" } else { "03" };
            cells[3] = rating(reader - 1, case_of(&cells[1]), cells[2] == "aided").to_string();
            cells[4] = format!("2026-{month}-12 09:00");
            filled += &format!("{}\n", cells.join(","));
        }
        study.write(&format!("reader-study/{name}"), &filled);
    }
    let again = sequester(&[&words[..], &readers].concat());
    assert!(
        again.code == 0 && again.stdout.contains("\"already\": true"),
        "{}{}",
        again.stdout,
        again.stderr
    );
    let ran = study.run("run", &["--no-pdf"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let found = &results["reader_study"];
    assert_eq!((&found["ratings"], &found["missing"]), (&Value::from(800), &Value::from(0)));
    assert!(study.run("verify", &[]).code != 20);
}

#[test]
fn ratings_without_a_study_have_the_same_report() {
    let room = tempfile::tempdir().expect("a folder");
    let to = room.path().join("out").to_str().expect("UTF-8").to_owned();
    let input = folder().join("mrmc/inputs/m1_crossed.csv").to_str().expect("UTF-8").to_owned();
    let words = ["reads", "mrmc", &input, "--threshold", "0.8", "--report", &to, "--no-pdf"];
    let ran = sequester(&words);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let text = std::fs::read_to_string(room.path().join("out/reader-study.md")).expect("a report");
    for says in ["No protocol, no lock", "A - B", "Sensitivity", "Components of Variance"] {
        assert!(text.contains(says), "{says}\n{text}");
    }
    assert!(!text.contains("Openings"), "nothing is said of evidence that is not there");
    // Its own report is written again; another folder is left alone.
    assert_eq!(sequester(&words).code, 0);
    let other = room.path().join("other");
    std::fs::create_dir_all(&other).expect("creates");
    std::fs::write(other.join("mine.txt"), "mine").expect("writes");
    let to = other.to_str().expect("UTF-8");
    let refused = sequester(&["reads", "mrmc", &input, "--report", to, "--no-pdf"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(other.join("mine.txt").is_file());
}
