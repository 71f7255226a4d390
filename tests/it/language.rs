//! Help in writing a protocol: a study to start from, what `check` asks beyond syntax, `explain`, and
//! subgroups by any column.

use serde_json::Value;

use crate::support::{Ran, Study, sequester};

fn codes(ran: &Ran) -> Vec<String> {
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let list = report["diagnostics"].as_array().expect("a list");
    list.iter().map(|d| d["code"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn keys_and_codes_are_explained_and_a_name_that_is_none_is_answered_with_the_nearest() {
    let key = sequester(&["explain", "endpoint.interval"]);
    assert_eq!(key.code, 0, "{}", key.stderr);
    for part in ["obuchowski", "required", "why", "Obuchowski 1997", "good", "interval = \"delong\"", "bad"] {
        assert!(key.stdout.contains(part), "{part} is not in\n{}", key.stdout);
    }
    // As it is typed, and by its end alone.
    assert_eq!(sequester(&["explain", "endpoint[2].interval"]).stdout, key.stdout);
    assert_eq!(sequester(&["explain", "interval"]).stdout, key.stdout);
    let code = sequester(&["explain", "threshold-on-test-set"]);
    for part in ["way out", "Leeflang", "as somebody wrote it", "cases = \"cases.csv\"", "said of it"] {
        assert!(code.stdout.contains(part), "{part} is not in\n{}", code.stdout);
    }
    let wrong = sequester(&["explain", "endpoint.intervall"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("error[name-unknown]") && wrong.stderr.contains("`endpoint.interval`"));
    let list = sequester(&["explain"]);
    assert!(list.stdout.contains("  reads.scale.positive_from\n") && list.stdout.contains("  bands-gap\n"));
    let json: Value = serde_json::from_str(&sequester(&["explain", "kind", "--json"]).stdout).expect("JSON");
    assert_eq!(json["explained"][0]["key"], "eligibility.kind");
    let schema: Value = serde_json::from_str(&sequester(&["explain", "--schema"]).stdout).expect("JSON");
    assert_eq!(schema["properties"]["endpoint"]["minItems"], 1);
}

#[test]
fn a_study_to_start_from_runs_before_the_first_edit() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in ["triage", "detection", "diagnosis", "standalone", "beside-readers"] {
        let study = folder.path().join(kind);
        let path = study.to_str().expect("UTF-8");
        let ran = sequester(&["init", path, "--kind", kind]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let protocol = std::fs::read_to_string(study.join("protocol.toml")).expect("reads");
        assert!(protocol.starts_with("#:schema ./protocol.schema.json\n"), "{protocol}");
        assert!(study.join("protocol.schema.json").is_file());
        let checked = sequester(&["check", path, "--json"]);
        assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
        assert_eq!(sequester(&["init", path, "--kind", kind]).code, 1, "nothing is overwritten");
        if ["triage", "beside-readers"].contains(&kind) {
            let ran = sequester(&["run", path]);
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
            let results =
                std::fs::read_to_string(study.join("evidence/run-1/data/results.json")).expect("reads");
            let results: Value = serde_json::from_str(&results).expect("JSON");
            assert_eq!(results["study"]["synthetic"], true);
            assert_eq!(results["beside_readers"].is_null(), kind != "beside-readers");
            assert_eq!(results["triage"]["processing"].is_null(), kind != "triage");
            let traced = sequester(&["report", path, "--trace"]);
            let last = traced.stdout.lines().last().unwrap_or_default();
            assert_eq!((traced.code, last), (0, "nothing contradicts the evidence"), "{kind}");
        }
    }
}

#[test]
fn a_protocol_that_no_study_can_be_is_not_locked() {
    let study = Study::small();
    study.replace("protocol.toml", "lower > 0.70", "lower >= 0");
    for command in ["check", "run"] {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.stdout);
        assert!(ran.stderr.contains("error[goal-says-nothing]"), "{}", ran.stderr);
        assert!(ran.stderr.contains("protocol.toml:"), "{}", ran.stderr);
    }
    assert!(!study.file("ledger.jsonl").exists());
    // One that was locked is not asked again.
    let locked = Study::small();
    assert_eq!(locked.run("dataset", &[]).code, 0);
    assert_eq!(locked.run("run", &[]).code, 0);
}

#[test]
fn what_the_cases_say_of_the_protocol_is_told_with_its_line() {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "[sample]\n",
        "[[eligibility]]\nid = \"view\"\nkind = \"one-of\"\nfield = \"view\"\nallowed = [\"PA\", \"AP\", \
         \"LLL\"]\n\
         reason = \"view\"\n\n[sample]\n",
    );
    study.replace("protocol.toml", "bands = [[18, 49], [50, 80]]", "bands = [[0, 1], [18, 49], [50, 80]]");
    study.replace("protocol.toml", "subgroup_minimum = 20", "subgroup_minimum = 60");
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"",
        "cases = \"cases.csv\"\ndevelopment = \"dev.csv\"",
    );
    let with_site = |text: &str, site: &str| -> String {
        let lines = text.lines().enumerate();
        lines.map(|(i, line)| format!("{line},{}\n", if i == 0 { "site" } else { site })).collect()
    };
    study.write("cases.csv", &with_site(&study.read("cases.csv"), "north"));
    study.write("dev.csv", "case_id,patient_id,label,site\nd1,q1,1,north\nd2,q2,0,south\n");
    study.write("device.toml", "[device]\ndescription = \"The threshold is 0.4.\"\n");
    let ran = study.run("check", &["--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let found = codes(&ran);
    for code in [
        "value-not-encountered",
        "subgroup-not-encountered",
        "subgroup-unreachable",
        "one-site",
        "site-on-both-sides",
        "threshold-disagrees",
        "band-outside-eligibility",
        "gate-disagrees",
    ] {
        assert!(found.iter().any(|one| one == code), "{code} is not among {found:?}");
    }
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    for one in report["diagnostics"].as_array().expect("a list") {
        let meaning = one["location"]["path"].as_str().is_some_and(|path| path.ends_with("protocol.toml"));
        assert!(!meaning || one["code"] == "clustering-ignored" || one["location"]["line"].is_u64(), "{one}");
    }
}

/// The small study with columns of its own and subgroups by them.
fn with_columns() -> Study {
    let study = Study::small();
    let cases = study.read("cases.csv");
    let lines = cases.lines().enumerate().map(|(i, line)| match i {
        0 => format!("{line},race,severity,acquired\n"),
        _ => {
            let race = ["A", "B", ""][i % 3];
            format!("{line},{race},{}.5,2023{:02}15\n", i % 5, 1 + i % 12)
        }
    });
    let table: String = lines.collect();
    study.write("cases.csv", &table);
    let more = "\n[[subgroup]]\nby = \"column\"\ncolumn = \"race\"\nreference = \"A\"\nclaim = \"powered\"\n\
                endpoint = \"auc\"\ncriterion = \"lower > 0.5\"\n\n[[subgroup]]\nby = \"column\"\ncolumn = \
                \"severity\"\n\
                bands = [[0, 2], [2.1, 5]]\n\n[[subgroup]]\nby = \"column\"\ncolumn = \"acquired\"\n\
                bands = [[\"2023-01-01\", \"2023-06-30\"], [\"2023-07-01\", \"2023-12-31\"]]\n\n\
                [[subgroup]]\nby = \"crossed\"\nof = [\"sex\", \"age\"]\nreference = \"F, 18-49\"\n";
    study.write("protocol.toml", &(study.read("protocol.toml") + more));
    study
}

#[test]
fn any_column_is_a_subgroup_with_differences_and_claims() {
    let study = with_columns();
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let levels: Vec<&str> = results["estimates"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|e| e["subgroup"].as_str())
        .collect();
    for level in [
        "race=A",
        "race=not recorded",
        "severity=0 to 2",
        "severity=2.1 to 5",
        "acquired=2023-07-01 to 2023-12-31",
        "sex \u{d7} age=F, 18-49",
        "sex \u{d7} age=M, 50-80",
    ] {
        assert!(levels.contains(&level), "{level} is not among {levels:?}");
    }
    let differences = results["level_differences"].as_array().expect("a list");
    let of = |variable: &str, level: &str, metric: &str| {
        differences
            .iter()
            .find(|d| d["variable"] == variable && d["level"] == level && d["metric"] == metric)
            .unwrap_or_else(|| panic!("{variable} {level} {metric}: {differences:#?}"))
    };
    let one = of("race", "B", "auc");
    let (value, lower, upper) = (one["value"].as_f64(), one["lower"].as_f64(), one["upper"].as_f64());
    assert!(lower < value && value < upper, "{one}");
    let auc = |level: &str| {
        let found = results["estimates"].as_array().expect("a list").iter();
        let found = found.filter(|e| e["id"] == "auc" && e["scenario"].is_null());
        found.filter(|e| e["subgroup"] == level).find_map(|e| e["value"].as_f64()).expect("an AUC")
    };
    assert!((value.expect("a number") - (auc("race=B") - auc("race=A"))).abs() < 1e-12);
    of("sex \u{d7} age", "M, 18-49", "sensitivity");
    let claims = results["level_claims"].as_array().expect("a list");
    assert_eq!(claims.len(), 2, "the level that is not recorded has no claim: {claims:#?}");
    assert!(claims.iter().all(|c| c["verdict"] == "met" || c["verdict"] == "not_met"), "{claims:#?}");
    let report = study.read("reports/run-1/report.md");
    assert!(report.contains("less A") && report.contains("Claimed of"), "{report}");
    assert_eq!(study.run("verify", &[]).code, 0);
    // A study that declares none has neither field.
    let plain = Study::small();
    assert_eq!(plain.run("run", &[]).code, 0);
    let results = plain.read("evidence/run-1/data/results.json");
    assert!(!results.contains("level_differences") && !results.contains("level_claims"));
}

#[test]
fn a_column_that_is_not_there_or_not_of_its_kind_is_an_error_with_its_line() {
    let study = with_columns();
    study.replace("cases.csv", ",0.5,", ",mild,");
    for command in ["check", "dataset"] {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("error[value-unreadable]: `mild` of `severity`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("cases.csv:"), "{}", ran.stderr);
    }
    let other = with_columns();
    other.replace("cases.csv", ",race,", ",ethnicity,");
    assert!(other.run("check", &[]).stderr.contains("error[column-missing]"));
}

/// Answers that are piped in are nobody's: without a terminal nothing is asked.
#[test]
fn init_asks_nothing_where_nobody_sits_at_a_terminal() {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().expect("a folder");
    for (name, answers) in [("one", "1\n1\n"), ("none", ""), ("odd", "\u{0}\u{1b}[A\n\n")] {
        let study = folder.path().join(name);
        let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
        program.args(["init", study.to_str().expect("UTF-8")]);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = program.spawn().expect("starts");
        // The program may have ended before it is asked to read.
        let _ = running.stdin.take().expect("a pipe").write_all(answers.as_bytes());
        let ran = running.wait_with_output().expect("ends");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(!String::from_utf8_lossy(&ran.stderr).contains("What does the device do?"));
        let protocol = std::fs::read_to_string(study.join("protocol.toml")).expect("reads");
        assert!(protocol.contains("id = \"pneumonia-exp2a\""), "{protocol}");
    }
}
