//! The documents beside the report, from the command line: written where they are asked for, kept, verified.

use std::path::Path;

use crate::support::{Study, sequester};

/// Runs a command that has to end well; its verdict may be either.
fn done(study: &Study, command: &str, more: &[&str]) {
    let ran = study.run(command, more);
    assert!(matches!(ran.code, 0 | 10), "{command} {more:?}: {} {}", ran.stdout, ran.stderr);
}

#[test]
fn the_set_is_written_when_asked_for_kept_and_verified() {
    let study = Study::small();
    done(&study, "validate", &[]);
    done(&study, "report", &["--no-pdf"]);
    assert!(!study.file("reports/run-1/summary.html").exists(), "not asked for");
    done(&study, "report", &["--no-pdf", "--documents", "all"]);
    for name in [
        "summary.html",
        "summary.txt",
        "evidence-map.html",
        "coverage.csv",
        "model-card-chai.xml",
        "plan.html",
    ] {
        assert!(study.file(&format!("reports/run-1/{name}")).exists(), "{name}");
    }
    done(&study, "verify", &[]);
    done(&study, "report", &["--no-pdf"]);
    assert!(study.file("reports/run-1/summary.html").exists(), "what was asked for stays");
    study.replace("reports/run-1/summary.txt", "510(k) Summary", "510(k) summary");
    let said = study.run("verify", &[]);
    assert_eq!(said.code, 20, "{}", said.stdout);
    assert!(said.stdout.contains("summary.txt") || said.stderr.contains("summary.txt"), "{}", said.stdout);
    std::fs::remove_file(study.file("reports/run-1/summary.txt")).expect("removes");
    assert_eq!(study.run("verify", &[]).code, 20, "a document that is gone is missed");
    done(&study, "report", &["--no-pdf", "--documents", "report"]);
    assert!(!study.file("reports/run-1/summary.html").exists());
    done(&study, "verify", &[]);
}

#[test]
fn coverage_names_what_is_missing_and_counts_and_writes_nothing() {
    let study = Study::small();
    done(&study, "validate", &[]);
    let before = study.snapshot();
    let said = study.run("report", &["--coverage"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let last: Vec<&str> = said.stdout.lines().rev().take(3).collect();
    assert_eq!(last[0], "127 of 127 that people answer have a place to be typed");
    assert!(
        last[1].starts_with("127 answered by people: ")
            && last[2].starts_with("225 answered by the program: ")
    );
    assert!(said.stdout.contains("nonclinical.summary is empty"), "{}", said.stdout);
    assert_eq!(study.snapshot(), before);
}

#[test]
fn a_device_file_is_looked_at_before_anything_is_published() {
    let study = Study::small();
    study.write("device.toml", "[device]\nname = \"x\"\nintented_use = \"y\"\n");
    let said = study.run("check", &[]);
    assert!(
        said.stdout.contains("device-key-unknown") && said.stdout.contains("device.toml:3"),
        "{}",
        said.stdout
    );
    let row = "[[comparison]]\ncharacteristic = \"AUC\"\nsubject = \"auto:auc\"\npredicate = \"0.95\"\n\
               same = true\n";
    study.write("device.toml", row);
    for command in ["check", "validate"] {
        let said = study.run(command, &[]);
        assert_eq!(said.code, 1, "{command}: {}", said.stdout);
        let all = said.stdout + &said.stderr;
        assert!(all.contains("comparison-source") && all.contains("device.toml:4"), "{command}: {all}");
    }
    assert!(!study.file("evidence/run-1").exists());
    study.write("device.toml", &row.replace("same", "source = \"K123456, page 7\"\nsame"));
    done(&study, "validate", &[]);
    done(&study, "report", &["--no-pdf", "--documents", "all"]);
    assert!(study.read("reports/run-1/predicate.html").contains("K123456, page 7"));
}

/// Documents that a reviewer may read alone.
const ALONE: [&str; 5] = ["report.md", "summary.md", "labelling.md", "model-card.md", "fda-submission.md"];

/// A study of a kind, with its protocol changed, that was run and of which every document was written.
fn documented(kind: &str, change: impl FnOnce(String, &Path) -> String) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let study = folder.path().join("study");
    let place = study.to_str().expect("UTF-8").to_owned();
    assert_eq!(sequester(&["init", &place, "--kind", kind]).code, 0);
    let protocol = study.join("protocol.toml");
    let text = change(std::fs::read_to_string(&protocol).expect("reads"), &study);
    std::fs::write(&protocol, text).expect("writes");
    let ran = sequester(&["run", &place]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let ran = sequester(&["report", &place, "--documents", "all"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    (folder, place)
}

fn document(place: &str, run: &str, name: &str) -> String {
    let path = Path::new(place).join("reports").join(run).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn a_primary_comparison_stands_in_every_document_that_gives_a_conclusion() {
    let (_folder, place) = documented("standalone", |protocol, study| {
        let cases = std::fs::read_to_string(study.join("cases.csv")).expect("reads");
        let rows = cases.lines().skip(1).filter_map(|line| line.split(',').next());
        let scores: String = rows.map(|case| format!("{case},0.9\n")).collect();
        std::fs::write(study.join("predicate.csv"), format!("case_id,score\n{scores}")).expect("writes");
        protocol
            + "\n[predicate]\nname = \"Predicate Y\"\nfile = \"predicate.csv\"\nthreshold = 0.5\n\
               [[endpoint]]\nid = \"better\"\nmetric = \"sensitivity\"\nrole = \"primary\"\n\
               against = \"predicate\"\naim = \"superiority\"\n"
    });
    for name in ALONE {
        let text = document(&place, "run-1", name);
        assert!(text.contains("Predicate Y"), "{name} does not name what the device is compared with");
    }
    let named = "Superiority of the sensitivity to Predicate Y";
    for name in ["report.md", "summary.md", "model-card.md"] {
        let text = document(&place, "run-1", name);
        let line = text.lines().find(|line| line.contains(named)).unwrap_or_else(|| panic!("{name}"));
        assert!(line.contains("not met"), "{name}: {line}");
    }
    assert!(document(&place, "run-1", "model-card.json").contains("\"comparisons\""));
}

#[test]
fn under_a_rule_of_multiplicity_documents_say_what_decides() {
    let (_folder, place) = documented("standalone", |protocol, _| {
        protocol
            .replace("seed = 7", "seed = 7\nmultiplicity = \"holm\"")
            .replace("lower > 0.80", "lower > 0.9996")
            .replacen("lower > 0.70", "lower > 0.975", 1)
            .replacen("lower > 0.70", "lower > 0.9655", 1)
    });
    for name in ["report.md", "summary.md", "labelling.md"] {
        let text = document(&place, "run-1", name);
        assert!(text.contains("The verdict follows the rule of multiplicity: Holm"), "{name}");
        assert!(!text.contains("is compared with the criterion"), "{name}");
    }
    assert!(document(&place, "run-1", "model-card.md").contains("rule of multiplicity: Holm"));
    // The goals as they were declared, and not as they would be rounded.
    let plan = document(&place, "run-1", "plan.md");
    assert!(plan.contains("0.9996") && plan.contains("96.55%"), "{plan}");
    assert!(!plan.contains("AUC \u{2264} 1.000"), "{plan}");
    assert!(plan.contains("adjusted by the rule of multiplicity") && plan.contains("2.5%, shared"));
    let traced = sequester(&["report", &place, "--trace"]);
    assert_eq!(traced.code, 0, "{}{}", traced.stdout, traced.stderr);
}

#[test]
fn what_differed_from_the_plan_stands_in_every_document() {
    let (_folder, place) = documented("diagnosis", |protocol, _| protocol);
    let protocol = Path::new(&place).join("protocol.toml");
    let text = std::fs::read_to_string(&protocol).expect("reads").replace("lower > 0.70", "lower > 0.60");
    std::fs::write(&protocol, text).expect("writes");
    let done = |words: &[&str]| {
        let ran = sequester(words);
        assert!([0, 10].contains(&ran.code), "{words:?}: {}{}", ran.stdout, ran.stderr);
    };
    done(&["protocol", "amend", &place, "--reason", "the goal was lowered"]);
    done(&["validate", &place, "--reason", "because of the lowered goal"]);
    let deviation = ["--date", "2026-01-01", "--grade", "major", "--description", "a reader saw the labels"];
    done(&[&["protocol", "deviation", &place][..], &deviation, &["--impact", "not known"]].concat());
    done(&["validate", &place]);
    done(&["report", &place, "--documents", "all"]);
    for name in ["report", "summary", "labelling", "model-card", "data", "sites", "software", "truthing"] {
        let path = Path::new(&place).join(format!("reports/run-3/{name}.md"));
        // A study of one site has no document on sites.
        let Ok(text) = std::fs::read_to_string(&path) else {
            assert_eq!(name, "sites");
            continue;
        };
        assert!(text.contains("a reader saw the labels"), "{name}: the deviation");
        assert!(text.contains("because of the lowered goal"), "{name}: the second opening");
        assert!(!text.contains("what was declared before the test set was opened"), "{name}");
    }
    let plan = document(&place, "run-3", "plan.html");
    assert!(plan.contains("AMENDED AFTER THE TEST SET WAS OPENED"), "the plan's banner");
    let card = document(&place, "run-3", "model-card-chai.xml");
    assert!(!card.contains("A protocol locked before the test set was opened"), "the card's process");
    assert!(card.contains("A protocol that was amended after the test set was opened"));
    assert!(document(&place, "run-3", "software.md").contains("Scores fixed"));
}
