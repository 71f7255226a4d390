//! A protocol is locked, amended, compared and departed from: what was changed cannot be hidden.

use serde_json::Value;

use crate::support::{Ran, Study, sequester};

fn protocol(study: &Study, what: &str, more: &[&str]) -> Ran {
    let folder = study.path().to_str().expect("UTF-8").to_owned();
    let mut arguments = vec!["protocol", what, folder.as_str()];
    arguments.extend(more);
    sequester(&arguments)
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).expect("one document")
}

/// The newest run's report as a text.
fn report(study: &Study, run: &str) -> String {
    study.read(&format!("reports/{run}/report.md"))
}

const DEVIATION: [&str; 8] = [
    "--date",
    "2020-01-02",
    "--grade",
    "major",
    "--description",
    "reader 2 saw the radiology report of one case",
    "--impact",
    "the read of one case is not independent",
];

#[test]
fn lock_needs_no_data_and_a_change_is_refused_from_then_on() {
    let study = Study::small();
    std::fs::remove_file(study.file("cases.csv")).expect("removes");
    let dry = protocol(&study, "lock", &["--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    assert!(!study.file("ledger.jsonl").exists(), "a dry run writes nothing");
    let locked = protocol(&study, "lock", &["--by", "Jo", "--role", "sponsor"]);
    assert_eq!(locked.code, 0, "{}", locked.stderr);
    assert!(study.read("ledger.jsonl").contains("\"by\":\"Jo\""));
    let before = study.read("ledger.jsonl");
    assert_eq!(json(&protocol(&study, "lock", &["--json"]))["already_locked"], true);
    assert_eq!(study.read("ledger.jsonl"), before);
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.60");
    let changed = protocol(&study, "lock", &[]);
    assert_eq!(changed.code, 30);
    assert!(changed.stderr.contains("protocol amend"), "{}", changed.stderr);
}

#[test]
fn an_amendment_before_the_opening_is_listed_and_another_test_set_is_sealed_anew() {
    let study = Study::small();
    let unlocked = protocol(&study, "amend", &["--reason", "no reason is needed yet"]);
    assert_eq!(unlocked.code, 1, "{}", unlocked.stderr);
    assert_eq!(study.run("dataset", &[]).code, 0);
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.60");
    study.replace("protocol.toml", "cases = 80", "cases = 70");
    assert_eq!(study.run("validate", &[]).code, 30, "not without an amendment");
    let dry = protocol(&study, "amend", &["--dry-run", "--json"]);
    assert_eq!(json(&dry)["amendment"]["drawn_anew"], 70);
    assert_eq!(protocol(&study, "amend", &["--reason", "n/a"]).code, 2);
    let amended = protocol(&study, "amend", &["--reason", "fewer patients were enrolled"]);
    assert_eq!(amended.code, 0, "{}", amended.stderr);
    for told in ["endpoint[auc].criterion: lower > 0.7 \u{2192} lower > 0.6", "sample.cases: 80 \u{2192} 70"]
    {
        assert!(amended.stdout.contains(told), "{}", amended.stdout);
    }
    assert!(amended.stdout.contains("before the test set was opened"));
    assert_eq!(protocol(&study, "amend", &["--reason", "nothing to do"]).code, 0);
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("protocol amended once (0 after an opening)"), "{}", ran.stdout);
    let report = report(&study, "run-1");
    assert!(report.contains("The protocol was amended after it was locked."), "{report}");
    assert!(!report.contains("AMENDED AFTER"));
    let html = study.read("reports/run-1/report.html");
    assert!(html.contains("fewer patients were enrolled") && html.contains("endpoint[auc].criterion"));
    assert!(study.read("reports/run-1/truthing.html").contains("fewer patients were enrolled"));
}

#[test]
fn an_amendment_after_the_opening_stands_on_every_page_and_draws_no_other_test_set() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.replace("protocol.toml", "cases = 80", "cases = 70");
    let other = protocol(&study, "amend", &["--reason", "fewer cases are enough"]);
    assert_eq!(other.code, 30, "{}", other.stdout);
    assert!(other.stderr.contains("sealed-data-changed"), "{}", other.stderr);
    study.replace("protocol.toml", "cases = 70", "cases = 80");
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.40");
    let amended = protocol(&study, "amend", &["--reason", "the goal was too high"]);
    assert!(
        amended.code == 0 && amended.stdout.contains("AFTER the test set was opened"),
        "{}",
        amended.stderr
    );
    let before = study.run("verify", &[]);
    assert!(before.code == 0 && before.stdout.contains("1 amendment recorded since"), "{}", before.stdout);
    assert_eq!(study.run("validate", &[]).code, 30, "another opening needs a reason too");
    let again = study.run("run", &["--reason", "the goal was too high"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("protocol amended once (1 after an opening)"), "{}", again.stdout);
    let html = study.read("reports/run-2/report.html");
    assert!(html.contains("AMENDED AFTER THE TEST SET WAS OPENED"));
    let reason = "<li>the protocol was amended after the test set was opened</li>";
    assert!(html.contains(reason), "no conclusion then");
    // Another study's protocol is no amendment.
    study.replace("protocol.toml", "id = \"small\"", "id = \"other\"");
    assert_eq!(protocol(&study, "amend", &["--reason", "another study"]).code, 30);
}

#[test]
fn columns_that_read_the_same_data_are_an_amendment_of_the_same_study() {
    let study = Study::small();
    assert_eq!(study.run("dataset", &[]).code, 0);
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        let text = study.read(&name).replace("case_id,reader_id,read", "case_id,reader_id,answer");
        study.write(&name, &text.replace("positive", "yes").replace("negative", "no"));
    }
    study.write("scores.csv", &study.read("scores.csv").replace("case_id,score", "case,p"));
    let reads = "[reads]\nread_column = \"answer\"\npositive = [\"yes\"]\nnegative = \
                 [\"no\"]\n\n[scores]\ncase_column = \"case\"\ncolumns = [\"p\"]";
    study.replace("protocol.toml", "[scores]", reads);
    assert_eq!(study.run("run", &[]).code, 30);
    let amended = protocol(&study, "amend", &["--reason", "the platform names its columns otherwise"]);
    assert_eq!(amended.code, 0, "{}", amended.stderr);
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_difference_is_told_by_meaning_with_its_exit_code() {
    let study = Study::small();
    let text = study.read("protocol.toml");
    let diff = |now: &str, more: &[&str]| {
        study.write("other.toml", now);
        let file = |name: &str| study.file(name).to_str().expect("UTF-8").to_owned();
        let (a, b) = (study.path().to_str().expect("UTF-8").to_owned(), file("other.toml"));
        let mut arguments = vec!["protocol", "diff", a.as_str(), b.as_str()];
        arguments.extend(more);
        sequester(&arguments)
    };
    assert_eq!(diff(&text, &[]).stdout.trim(), "the same bytes");
    let same = diff(&format!("# a comment\n{}", text.replace("0.70\"", "0.7\"")), &[]);
    assert!(same.code == 0 && same.stdout.contains("no change of meaning"), "{}", same.stdout);
    let other = diff(&text.replace("seed = 7", "seed = 8"), &["--json"]);
    assert_eq!(other.code, 10);
    assert_eq!(json(&other)["changes"][0]["key"], "analysis.seed");
    assert_eq!(diff("[", &[]).code, 1);
    let files: Vec<String> = study.snapshot().keys().map(|path| path.display().to_string()).collect();
    assert!(!files.iter().any(|path| path.ends_with("ledger.jsonl")), "nothing is written");
}

#[test]
fn deviations_are_listed_and_cannot_be_taken_back() {
    let study = Study::small();
    assert_eq!(protocol(&study, "deviation", &DEVIATION).code, 1, "nothing is locked to deviate from");
    assert_eq!(study.run("run", &[]).code, 0);
    let mut dry = DEVIATION.to_vec();
    dry.push("--dry-run");
    assert_eq!(protocol(&study, "deviation", &dry).code, 0);
    assert!(!study.file("deviations.toml").exists(), "a dry run writes nothing");
    let mut tomorrow = DEVIATION.to_vec();
    tomorrow[1] = "2999-01-01";
    assert_eq!(protocol(&study, "deviation", &tomorrow).code, 2);
    for (affected, said) in [("C001,NOSUCH", "NOSUCH"), ("C001,C001", "named twice")] {
        let wrong = protocol(&study, "deviation", &[&DEVIATION[..], &["--affects", affected]].concat());
        assert!(wrong.code == 2 && wrong.stderr.contains(said), "{affected}: {}", wrong.stderr);
    }
    let mut with_cases = DEVIATION.to_vec();
    with_cases.extend(["--affects", "C001,C003"]);
    let recorded = protocol(&study, "deviation", &with_cases);
    assert_eq!(recorded.code, 0, "{}", recorded.stderr);
    let late = study.run("verify", &[]);
    assert!(late.code == 0 && late.stdout.contains("1 deviation recorded since"), "{}", late.stdout);
    // The same results again, with the deviation: no other opening.
    let again = study.run("run", &[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("test set opened once, 1 deviation recorded"), "{}", again.stdout);
    for document in ["report", "truthing"] {
        let html = study.read(&format!("reports/run-2/{document}.html"));
        assert!(
            html.contains("reader 2 saw the radiology report") && html.contains("C001, C003"),
            "{document}"
        );
    }
    let kept = study.read("deviations.toml");
    study.write("deviations.toml", &kept.replace("major", "minor"));
    let edited = study.run("verify", &[]);
    assert!(edited.code == 20 && edited.stderr.contains("deviations-differ"), "{}", edited.stderr);
    assert_eq!(protocol(&study, "deviation", &DEVIATION).code, 20, "nothing is added to an edited file");
    std::fs::remove_file(study.file("deviations.toml")).expect("removes");
    assert_eq!(study.run("verify", &[]).code, 20);
    study.write("deviations.toml", &kept);
    assert_eq!(study.run("verify", &[]).code, 0);
    // Out of the bundle, with manifests that fit: the ledger still knows it.
    let bundle = study.file("evidence/run-2");
    std::fs::remove_file(bundle.join("data/deviations.toml")).expect("removes");
    assert_eq!(study.run("verify", &[]).code, 20);
}

/// A line of a protocol with another value: the first number is larger by a little, the first text longer,
/// the first truth turned. `None` for a line without a value.
fn mutated(line: &str) -> Option<String> {
    let (key, rest) = line.split_once('=')?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ' ';
    if !key.chars().all(is_key) || key.trim().is_empty() {
        return None;
    }
    let number = regex::Regex::new(r"^([^\x22#]*?)(\d+(\.\d+)?)(.*)$").expect("a pattern");
    let text = regex::Regex::new(r"^([^#]*?\x22[^\x22]*)(\x22.*)$").expect("a pattern");
    let value = if let Some(found) = number.captures(rest) {
        let old: f64 = found[2].parse().expect("a number");
        let new =
            if found[2].contains('.') { format!("{:.4}", old + 0.001) } else { (old + 1.0).to_string() };
        format!("{}{new}{}", &found[1], &found[4])
    } else if let Some(found) = text.captures(rest) {
        format!("{}z{}", &found[1], &found[2])
    } else if rest.contains("true") {
        rest.replacen("true", "false", 1)
    } else if rest.contains("false") {
        rest.replacen("false", "true", 1)
    } else {
        return None;
    };
    Some(format!("{key}={value}"))
}

#[test]
fn every_single_value_of_four_protocols_is_caught_or_changes_the_meaning() {
    use sequester::protocol::{meaning, parse};
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols");
    let mut tried = 0;
    for name in [
        "pneumonia-exp2a.toml",
        "nih-airspace-opacity/protocol.toml",
        "nih-adjudicated-test/protocol.toml",
        "nih-adjudicated-validation/protocol.toml",
    ] {
        let text = std::fs::read_to_string(root.join(name)).expect("a protocol");
        let lines: Vec<&str> = text.lines().collect();
        let place = std::path::Path::new(name);
        let before = parse(place, &text).expect("valid");
        for (index, line) in lines.iter().enumerate() {
            let Some(other) = mutated(line) else { continue };
            let mut changed = lines.clone();
            changed[index] = &other;
            tried += 1;
            if let Ok(after) = parse(place, &changed.join("\n")) {
                let found = meaning::compare(&before, &after);
                assert!(!found.is_same(), "{name}:{}: {other}", index + 1);
            }
        }
    }
    assert!(tried > 150, "{tried}");
}
