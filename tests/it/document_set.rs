//! The documents beside the report, from the command line: written where they are asked for, kept, verified.

use crate::support::Study;

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
