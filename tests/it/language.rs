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
