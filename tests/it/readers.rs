//! Who reads and how reads become the reference standard: roles, every rule, labels that are given, labels
//! that came with the reads, and `reads reference`; each through to evidence that verifies.

use serde_json::Value;

use crate::support::{Study, sequester};

const THREE: &str = "readers = 3\nqualification = \"radiologist\"\nrule = \"majority\"\n";

/// The small study with another `[reference_standard]`, and readers with roles where `roles` has any.
fn study(rule: &str, roles: &[(&str, &str)]) -> Study {
    let study = Study::small();
    let readers: String = roles
        .iter()
        .map(|(id, role)| {
            format!("\n[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\nqualification = \"radiologist\"\n")
        })
        .collect();
    study.replace("protocol.toml", THREE, &format!("{rule}\n{readers}"));
    study
}

fn json(study: &Study, arguments: &[&str]) -> Value {
    let folder = study.path().to_str().expect("UTF-8");
    let ran = sequester(&[arguments, &[folder, "--json"]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// Runs the study to its documents and verifies them; gives results and the Markdown document.
fn through(study: &Study) -> (Value, String) {
    let ran = study.run("run", &["--json"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let results = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    (results, study.read("reports/run-1/report.md"))
}

/// Fails `command` with a code and words.
fn refused(study: &Study, command: &str, code: &str, words: &[&str]) {
    let ran = study.run(command, &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert!(!study.file("ledger.jsonl").exists(), "nothing is locked");
}

fn models(results: &Value) -> Vec<String> {
    let agreement = results["agreement"].as_array().expect("a list");
    agreement.iter().filter_map(|e| Some(e["model"].as_str()?.to_owned())).collect()
}

#[test]
fn two_readers_and_an_adjudicator_on_disagreement() {
    let study = study(
        "rule = \"adjudicated\"\nadjudicate = \"disagreement\"",
        &[("R1", "reference"), ("R2", "reference"), ("R3", "adjudicator")],
    );
    let report = json(&study, &["reads", "reference"]);
    let (unanimous, adjudicated) = (&report["levels"]["unanimous"], &report["levels"]["adjudicated"]);
    assert!(unanimous.as_u64() > Some(50) && adjudicated.as_u64() > Some(2), "{}", report["levels"]);
    assert_eq!(report["none"], 0);
    // The adjudicator's reads are missing where nobody asked for them, and where they were asked for.
    let reads: String = study.read("reads/reader-3.csv");
    let none = "case_id,reader_id,read\nC002,R3,positive\n";
    study.write("reads/reader-3.csv", none);
    let report = json(&study, &["reads", "reference"]);
    assert_eq!(&report["none"], adjudicated);
    let waiting = report["standard"].as_array().expect("a list").iter().filter(|row| row["level"] == "none");
    assert!(waiting.into_iter().all(|row| row["reason_for_none"] == "awaits-adjudication"));
    study.write("reads/reader-3.csv", &reads);
    let (results, document) = through(&study);
    assert_eq!(&results["consensus"]["adjudicated"], adjudicated);
    assert_eq!(results["readers"][2]["role"], "adjudicator");
    assert_eq!(results["readers"][2]["missing"], Value::Null);
    assert!(models(&results).iter().all(|model| !model.contains("R3")), "{:?}", models(&results));
    assert!(models(&results).contains(&"R1 vs R2".to_owned()));
    assert!(
        study.read("evidence/run-1/data/reference.csv").contains("set_aside,adjudication,consensus,basis")
    );
    for words in ["otherwise an adjudicator", "By an adjudicator", "The readers as declared before they read"]
    {
        assert!(document.contains(words), "{words}\n{document}");
    }
}

#[test]
fn a_comparison_reader_is_shown_beside_the_reference_standard_and_has_no_vote() {
    let study = study(
        "rule = \"majority\"\nminimum_agreeing = 1",
        &[("R1", "reference"), ("R2", "ignored"), ("R3", "comparison")],
    );
    let (results, document) = through(&study);
    let consensus = &results["consensus"];
    let first = &results["readers"][0];
    // The one vote is the reference standard.
    assert_eq!((&consensus["positive"], &consensus["negative"]), (&first["positive"], &first["negative"]));
    assert_eq!(models(&results), ["R3 vs reference standard"]);
    let beside = &results["beside_readers"]["readers"];
    assert_eq!((beside[0]["reader"].as_str(), beside[0]["role"].as_str()), (Some("R3"), Some("comparison")));
    for share in ["sensitivity", "specificity"] {
        let methods: Vec<&str> = beside[0][share]["difference"]["intervals"]
            .as_array()
            .expect("intervals")
            .iter()
            .filter_map(|i| i["method"].as_str())
            .collect();
        assert!(methods.ends_with(&["tango", "newcombe"]), "{methods:?}");
    }
    assert!(results["beside_readers"]["mean"].is_null(), "one reader has no mean");
    for words in ["Readers beside the device", "This is no reader study", "R3 (comparison)"] {
        assert!(document.contains(words), "{words}\n{document}");
    }
    assert!(results["agreement"].as_array().expect("a list").iter().all(|e| e["id"] != "conger_kappa"));
    assert_eq!(
        (&results["readers"][1]["role"], &results["readers"][1]["reads"]),
        (&"ignored".into(), &120.into())
    );
    assert_eq!(results["readers"][1]["positive"], 0);
    assert!(document.contains("R3 vs reference standard"), "{document}");
}

#[test]
fn every_rule_leads_to_evidence_that_verifies_and_words_that_are_true() {
    const ALL: [(&str, &str); 3] = [("R1", "reference"), ("R2", "reference"), ("R3", "reference")];
    const TIE: [(&str, &str); 3] = [("R1", "reference"), ("R2", "reference"), ("R3", "ignored")];
    const PANEL: [(&str, &str); 3] = [("R1", "reference"), ("R2", "comparison"), ("R3", "adjudicator")];
    type Roles = &'static [(&'static str, &'static str)];
    let table: [(&str, Roles, &str, &str); 5] = [
        ("rule = \"unanimous\"", &ALL, "unanimous", "at least 3 agreeing reads of 3, and none against"),
        ("rule = \"k-of-n\"\nagreeing = 2", &ALL, "majority", "k of n: at least 2 agreeing reads of 3"),
        ("rule = \"majority\"\ntie = \"negative\"", &TIE, "tie", "counts as negative"),
        ("rule = \"panel\"", &PANEL, "adjudicated", "the one label that a panel agreed on"),
        (
            "rule = \"adjudicated\"\nadjudicate = \"no-majority\"\nfixed_readers = false\nminimum_agreeing \
             = 2",
            &[("R1", "reference"), ("R2", "reference"), ("R3", "adjudicator")],
            "adjudicated",
            "the majority of the reference readers",
        ),
    ];
    for (rule, roles, level, words) in table {
        let study = study(rule, roles);
        let (results, document) = through(&study);
        assert!(results["consensus"][level].as_u64() > Some(0), "{rule}: {}", results["consensus"]);
        assert!(document.contains(words), "{rule}: {document}");
        let scenarios = results["estimates"].as_array().expect("a list");
        let unanimous = scenarios.iter().any(|e| e["scenario"] == "unanimous-only");
        assert_eq!(unanimous, !rule.contains("panel"), "{rule}");
    }
}

#[test]
fn readers_who_are_not_declared_are_one_error_that_lists_them() {
    let study = study("rule = \"unanimous\"", &[("R1", "reference"), ("r02", "reference")]);
    let words = ["2 readers are not declared: `R2` (120 reads, `r02` is probably meant), `R3` (120 reads)"];
    for command in ["check", "reads", "run"] {
        refused(&study, command, "reader-undeclared", &words);
        let ran = study.run(command, &[]);
        assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn a_table_of_readers_says_the_same_as_sections() {
    let roles = [("R1", "reference"), ("R2", "reference"), ("R3", "reference")];
    let listed = json(&study("rule = \"majority\"", &roles), &["reads", "reference"]);
    let file = study("rule = \"majority\"\nreaders_file = \"reads/readers.csv\"", &[]);
    let table = "id,role,qualification,specialty,years,labelled_training_data\n\
                 R1,reference,radiologist,thoracic \
                 radiology,12.5,no\nR2,Reference,radiologist,,3,\nR3,reference,resident,,,yes\n";
    file.write("reads/readers.csv", table);
    let mut found = json(&file, &["reads", "reference"]);
    assert_eq!(found["warnings"][0]["code"], "reader-labelled-training");
    found["warnings"] = listed["warnings"].clone();
    assert_eq!(found, listed);
    let (results, document) = through(&file);
    assert_eq!(results["readers"][0]["years"], 12.5);
    let warning = "the reference reader R3 labelled data that the device was trained on";
    let warnings = results["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|w| w["code"] == "reader-labelled-training" && w["message"] == warning));
    for words in [
        "thoracic radiology",
        "12.5",
        "resident",
        "Readers who labelled data that the device was trained on: R3",
    ] {
        assert!(document.contains(words), "{words}\n{document}");
    }
    let ledger = study_ledger(&file);
    assert!(ledger.contains("inputs/reads/readers.csv"), "{ledger}");

    let wrong: [(&str, &str, &str, &str); 9] = [
        (
            "labelled_training_data",
            "labeled_training_data",
            "column-missing",
            "`labelled_training_data` is probably meant",
        ),
        ("specialty", "Speciality", "column-missing", "`specialty` is probably meant"),
        ("R2,Reference,", "R2,judge,", "value-unknown", "readers.csv:3"),
        ("12.5", "many", "value-range", "readers.csv:2"),
        ("yes", "perhaps", "value-unknown", "readers.csv:4"),
        ("resident,,,", ",,,", "value-missing", "qualified"),
        ("R3,reference", "R1,reference", "duplicate-id", "readers.csv:4"),
        ("R3,reference", "r1,reference", "readers-alike", "`R1`, `r1`"),
        ("id,role", "id,function", "column-missing", "`role`"),
    ];
    for (from, to, code, words) in wrong {
        let study = study("rule = \"majority\"\nreaders_file = \"reads/readers.csv\"", &[]);
        study.write("reads/readers.csv", &table.replacen(from, to, 1));
        for command in ["check", "reads"] {
            refused(&study, command, code, &["readers.csv", words]);
        }
    }
    let none = study("rule = \"majority\"\nreaders_file = \"reads/readers.csv\"", &[]);
    none.write("reads/readers.csv", "id,role,qualification\nR1,ignored,\n");
    refused(&none, "check", "reference-rule", &["no reader has the role \"reference\""]);
    let both = study("rule = \"majority\"\nreaders_file = \"reads/readers.csv\"", &roles);
    refused(&both, "check", "reference-rule", &["declared twice"]);
}

fn study_ledger(study: &Study) -> String {
    study.read("ledger.jsonl")
}

const GIVEN: &str = "rule = \"given\"\ngiven = { file = \"culture.csv\", label_column = \"growth\", \
 positive = [\"yes\"], \
                     negative = [\"no\"], indeterminate = [\"contaminated\"], source = \"sputum culture, \
                     *site* laboratory\" }";

fn cultures() -> String {
    let label = |i: usize| match i {
        3 => "contaminated",
        4 => "",
        _ if i.is_multiple_of(2) => "yes",
        _ => "no",
    };
    let rows = (0..120).map(|i| format!("C{i:03},{}\n", label(i)));
    "case_id,growth\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn a_given_reference_standard_needs_no_reader() {
    let study = study(GIVEN, &[]);
    study.write("culture.csv", &cultures());
    std::fs::remove_dir_all(study.file("reads")).expect("removes");
    let check = study.run("check", &[]);
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
    let report = json(&study, &["reads", "reference"]);
    let none = report["none"].as_u64().expect("a number");
    assert_eq!(report["levels"]["given"].as_u64(), Some(80 - none));
    let (results, document) = through(&study);
    assert_eq!(results["consensus"]["given"].as_u64(), Some(80 - none));
    assert_eq!(results["agreement"].as_array().map(Vec::len), Some(0));
    assert!(document.contains("sputum culture, \\*site\\* laboratory"), "{document}");
    assert!(document.contains("The reference standard was made elsewhere and is given"));
    for untrue in ["consensus of the readers", "three", "Number of readers"] {
        let part = document.split("## Ground Truth").nth(1).and_then(|rest| rest.split("\n## ").next());
        assert!(!part.expect("the section").contains(untrue), "{untrue}");
    }
}

#[test]
fn readers_of_a_given_reference_standard_are_set_beside_it() {
    let study = study(&format!("{GIVEN}\nqualification = \"radiologist\"\n[reads]"), &[]);
    study.write("culture.csv", &cultures());
    let (results, document) = through(&study);
    let found = models(&results);
    assert!(found.contains(&"R1 vs R2".to_owned()) && found.contains(&"R1 vs reference standard".to_owned()));
    assert!(found.iter().all(|model| !model.contains("others")), "{found:?}");
    assert!(document.contains("R1 vs reference standard"));
}

#[test]
fn what_is_wrong_with_given_labels_stops_before_anything_is_locked() {
    let wrong: [(&str, &str, &str, &str); 5] = [
        ("C010,yes", "C010,maybe", "read-unknown", "culture.csv:12"),
        ("C010,yes\n", "C010,yes\nC010,no\n", "label-contradicts", "culture.csv:13"),
        ("case_id,", "case,", "column-missing", "culture.csv:1"),
        ("C010,", ",", "value-missing", "culture.csv:12"),
        ("\nC0", "\nX0", "", ""),
    ];
    for (from, to, code, words) in wrong {
        let study = study(GIVEN, &[]);
        if code.is_empty() {
            let other = cultures().replace("\nC0", "\nC000").replace("\nC1", "\nC001");
            study.write("culture.csv", &other);
            refused(&study, "check", "labels-missing", &["is probably meant"]);
            continue;
        }
        study.write("culture.csv", &cultures().replacen(from, to, 1));
        for command in ["check", "reads"] {
            refused(&study, command, code, &[words]);
        }
    }
    refused(&study(GIVEN, &[]), "check", "file-missing", &["culture.csv"]);
}

#[test]
fn every_difference_from_the_label_that_came_is_listed() {
    let rule = "rule = \"majority\"\nreaders = 3\nqualification = \"radiologist\"\ncompare_with = { file = \
     \"cases.csv\", \
                label_column = \"label\", positive = [\"1\"], negative = [\"0\"], source = \"the report\" }";
    let study = study(rule, &[]);
    // Two of three say otherwise than the label on one case.
    for reader in ["1", "2", "3"] {
        let name = format!("reads/reader-{reader}.csv");
        let reads = study.read(&name).replace(",positive", ",x").replace(",negative", ",positive");
        study.write(&name, &reads.replace(",x", ",negative"));
    }
    let report = json(&study, &["reads", "reference"]);
    let compared = &report["compared"];
    assert_eq!((&compared["compared"], &compared["source"]), (&80.into(), &"the report".into()));
    let differing = compared["differences"].as_array().expect("a list");
    assert!(differing.len() > 60, "{compared}");
    assert_eq!(compared["differing"].as_u64(), Some(differing.len() as u64));
    assert!(differing.iter().all(|d| d["computed"] != d["label"]));
    assert_eq!(report["warnings"][0]["code"], "reference-differs");
    let (results, document) = through(&study);
    assert_eq!(&results["consensus"]["compared"]["differences"], &compared["differences"]);
    let table = study.read("evidence/run-1/data/reference-differences.csv");
    assert_eq!(table.lines().count(), differing.len() + 1);
    assert!(document.contains("The label that came with the reads"), "{document}");
}

#[test]
fn the_reference_standard_is_a_table_before_any_score_exists() {
    let study = study(
        "rule = \"majority\"\nfixed_readers = false\nreaders = 3\nqualification = \"radiologist\"",
        &[],
    );
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    let reads = study.read("reads/reader-1.csv");
    study.write(
        "reads/reader-1.csv",
        &reads.replace("C001,R1,negative\n", "").replace("C002,R1,positive", "C002,R1,indeterminate"),
    );
    let folder = study.path().to_str().expect("UTF-8");
    let shown = sequester(&["reads", "reference", folder]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert_eq!(shown.stdout.lines().count(), 81);
    assert!(shown.stdout.starts_with("case_id,reference,level,reason_for_none,"), "{}", shown.stdout);
    assert!(shown.stderr.contains("80 cases: "), "{}", shown.stderr);
    let out = study.file("reference.csv");
    let out = out.to_str().expect("UTF-8");
    for _ in 0..2 {
        let written = sequester(&["reads", "reference", folder, "--out", out]);
        assert_eq!(written.code, 0, "{}", written.stderr);
        assert_eq!(study.read("reference.csv"), shown.stdout);
    }
    let reader = study.file("reads/reader-2.csv");
    let before = study.read("reads/reader-2.csv");
    let refused = sequester(&["reads", "reference", folder, "--out", reader.to_str().expect("UTF-8")]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("error[file-exists]"), "{}", refused.stderr);
    assert_eq!(study.read("reads/reader-2.csv"), before);
    assert!(!study.file("ledger.jsonl").exists(), "nothing is recorded");
}

#[test]
fn repeated_reads_count_as_declared_and_are_listed() {
    for (rule, counts_as) in
        [("set-aside", Value::Null), ("any-positive", "positive".into()), ("all-agree", Value::Null)]
    {
        let study = study(
            &format!(
                "rule = \"majority\"\nreaders = 3\nqualification = \"radiologist\"\nrepeated_read = \
                 \"{rule}\""
            ),
            &[],
        );
        study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
        let reads = study.read("reads/reader-1.csv") + "C001,R1,positive\n";
        study.write("reads/reader-1.csv", &reads);
        let (results, document) = through(&study);
        let expected =
            serde_json::json!([{"case_id": "C001", "reader_id": "R1", "reads": 2, "counts_as": counts_as}]);
        assert_eq!(results["consensus"]["repeated"], expected, "{rule}");
        assert!(document.contains("Several reads of one reader on one case"), "{document}");
    }
    let study = study(
        "rule = \"majority\"\nreaders = 3\nqualification = \"radiologist\"\nrepeated_read = \"last\"",
        &[],
    );
    study.write("reads/reader-1.csv", &(study.read("reads/reader-1.csv") + "C001,R1,positive\n"));
    refused(&study, "check", "read-last", &["has no time", "C001"]);
}

#[test]
fn reads_of_other_cases_are_left_out_and_counted_where_that_is_declared() {
    let study = study(
        "rule = \"majority\"\nreaders = 3\nqualification = \"radiologist\"\nother_cases = \"ignore\"",
        &[],
    );
    study.write(
        "reads/reader-1.csv",
        &(study.read("reads/reader-1.csv") + "D001,R1,positive\nD002,R1,negative\n"),
    );
    let report = json(&study, &["reads", "reference"]);
    assert_eq!(report["reads_of_other_cases"], 2);
    assert_eq!(report["warnings"][0]["code"], "reads-of-other-cases");
}

#[test]
fn adjudicators_who_do_not_say_the_same_are_told() {
    let study =
        study("rule = \"panel\"", &[("R1", "adjudicator"), ("R2", "adjudicator"), ("R3", "comparison")]);
    refused(&study, "check", "adjudicators-disagree", &["do not say the same"]);
}

#[test]
fn words_of_the_reads_may_be_mended_with_a_reason_until_the_test_set_is_opened() {
    let study = Study::small();
    assert_eq!(study.run("dataset", &[]).code, 0);
    // The platform exports other words than were declared.
    for reader in ["1", "2", "3"] {
        let name = format!("reads/reader-{reader}.csv");
        study.write(&name, &study.read(&name).replace(",positive", ",yes").replace(",negative", ",no"));
    }
    let stopped = study.run("reads", &[]);
    assert!(stopped.code == 1 && stopped.stderr.contains("error[read-unknown]"), "{}", stopped.stderr);
    let locked = study.read("protocol.toml");
    let mended = locked.clone() + "\n[reads]\npositive = [\"yes\"]\nnegative = [\"no\"]\n";
    study.write("protocol.toml", &mended);
    for command in ["reads", "run"] {
        let stopped = study.run(command, &[]);
        assert_eq!(stopped.code, 30, "{}", stopped.stderr);
        assert!(stopped.stderr.contains("sequester reads STUDY --reason TEXT"), "{}", stopped.stderr);
    }
    // Nothing else may change beside the words.
    study.write("protocol.toml", &mended.replace("level = 0.95", "level = 0.90"));
    let stopped = study.run("reads", &["--reason", "the platform says yes"]);
    assert_eq!(stopped.code, 30, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("more than words and columns of [reads]"), "{}", stopped.stderr);
    study.write("protocol.toml", &mended);
    let amended = study.run("reads", &["--reason", "the platform says yes", "--by", "A. Example"]);
    assert_eq!(amended.code, 0, "{}", amended.stderr);
    assert_eq!(study_ledger(&study).matches("protocol-locked\"").count(), 2, "{}", study_ledger(&study));
    let (_, document) = through(&study);
    assert!(
        document.contains("by A. Example, before the test set was opened: the platform says yes"),
        "{document}"
    );
    let bundle = "evidence/run-1/data/protocol-locked-";
    assert_eq!(study.read(&format!("{bundle}1.toml")), locked);
    assert_eq!(study.read(&format!("{bundle}2.toml")), mended);
    // After the opening it is too late.
    study.write("protocol.toml", &(mended + "indeterminate = [\"unsure\"]\n"));
    let stopped = study.run("reads", &["--reason", "again"]);
    assert_eq!(stopped.code, 30, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("the test set was opened once"), "{}", stopped.stderr);
}

#[test]
fn the_truthing_report_is_rendered_and_verified_beside_the_submission() {
    let study = study(
        "rule = \"majority\"\nminimum_agreeing = 1",
        &[("R1", "reference"), ("R2", "reference"), ("R3", "comparison")],
    );
    let folder = study.path().to_str().expect("UTF-8").to_owned();
    let file = study.file("reads/reader-1.csv").display().to_string();
    let said = ["--by", "A. Example", "--role", "coordinator", "--blinding", "images alone, no score"];
    let ran = sequester(&[&["reads", "import", &folder, &file], &said[..]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    through(&study);
    let report = study.read("reports/run-1/truthing.md");
    for words in [
        "images alone, no score",
        "by A. Example (coordinator)",
        "Cases on which reference readers disagree",
        "This is no reader study",
        "the declared rule without R1",
        "R3=",
    ] {
        assert!(report.contains(words), "{words}\n{report}");
    }
    let cases = study.read("reports/run-1/truthing-cases.csv");
    let derivation = study.read("evidence/run-1/data/derivation.csv");
    assert_eq!(cases.lines().count(), derivation.lines().count());
    assert!(study.file("reports/run-1/truthing.html").is_file());
    study.write("reports/run-1/truthing-cases.csv", &cases.replacen("positive", "negative", 1));
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 20, "{}{}", verified.stdout, verified.stderr);
    assert!(verified.stdout.contains("truthing-cases.csv") || verified.stderr.contains("truthing-cases.csv"));
}

/// Five reference readers, two who read beside the device, and an adjudicator of every split.
#[test]
fn a_study_of_eight_readers_says_what_every_reader_and_every_other_standard_gives() {
    let roles = [
        ("R1", "reference"),
        ("R2", "reference"),
        ("R3", "reference"),
        ("R4", "reference"),
        ("R5", "reference"),
        ("C1", "comparison"),
        ("C2", "comparison"),
        ("A1", "adjudicator"),
    ];
    let study = study("rule = \"adjudicated\"\nadjudicate = \"disagreement\"", &roles);
    let first = study.read("reads/reader-1.csv");
    let cases: Vec<(String, bool)> = first
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            let case = cells.next()?.to_owned();
            Some((case, cells.nth(1)? == "positive"))
        })
        .collect();
    for number in 1..=3 {
        std::fs::remove_file(study.file(&format!("reads/reader-{number}.csv"))).expect("removes");
    }
    for (place, (reader, _)) in (2_usize..).zip(roles) {
        // Each reader is of another mind on another few cases.
        let rows = cases.iter().enumerate().map(|(number, (case, positive))| {
            let turned = (number * 7 + place * 13) % 11 == 0 && reader != "A1";
            format!("{case},{reader},{}\n", if *positive != turned { "positive" } else { "negative" })
        });
        let table = format!("case_id,reader_id,read\n{}", rows.collect::<String>());
        study.write(&format!("reads/{reader}.csv"), &table);
    }
    let (results, document) = through(&study);
    let analyses = results["other_standards"]["analyses"].as_array().expect("a list");
    let count = |name: &str| analyses.iter().filter(|a| a["standard"] == name).count();
    assert_eq!((count("one-reader"), count("without-reader"), count("unanimous-only")), (5, 5, 1));
    assert_eq!((count("split-for-device"), count("split-against-device")), (1, 1));
    let beside = &results["beside_readers"];
    assert_eq!(beside["readers"].as_array().map(Vec::len), Some(2));
    assert_eq!(beside["mean"]["readers"], 2);
    assert_eq!(results["agreement_explained"].as_array().map(Vec::len), Some(40), "ten pairs of voters");
    assert!(models(&results).iter().all(|model| !model.contains("A1")), "the adjudicator is apart");
    for words in ["Mean of 2 readers", "what R5 says", "Pairs of readers"] {
        assert!(document.contains(words), "{words}");
    }
    assert!(study.read("reports/run-1/truthing.md").contains("C1="));
}
