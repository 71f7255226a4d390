//! A study is planned and rehearsed before its test set is opened, and neither touches it.

use serde_json::Value;

use crate::support::{Study, sequester};

const EXPECTED: &str = r#"
[planning]
images_per_patient = 2
icc = 0.3
[[expected]]
endpoint = "auc"
value = 0.85
range = [0.78, 0.90]
source = "a pilot on 60 cases"
"#;

#[test]
fn a_plan_needs_no_data_and_writes_nothing_but_itself() {
    let study = Study::small();
    for name in ["cases.csv", "scores.csv"] {
        std::fs::remove_file(study.file(name)).expect("removes");
    }
    study.write("protocol.toml", &format!("{}{EXPECTED}", study.read("protocol.toml")));
    let before = study.snapshot();
    let ran = study.run("plan", &["--no-pdf"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("auc: the planned size is too small (power "), "{}", ran.stdout);
    let plan = study.read("reports/plan/plan.md");
    assert!(study.read("reports/plan/plan.html").contains("AUC &gt; 0.700"));
    for says in ["not locked yet", "a pilot on 60 cases", "(assurance)", "design effect 1.30"] {
        assert!(plan.contains(says), "{says}\n{plan}");
    }
    let mut after = study.snapshot();
    after.retain(|path, _| !path.starts_with(study.file("reports")));
    assert_eq!(after, before);
    let again = study.read("reports/plan/plan.html");
    assert_eq!(study.run("plan", &["--no-pdf"]).code, 0);
    assert_eq!(
        study.read("reports/plan/plan.html"),
        again,
        "the same protocol and clock give the same bytes"
    );
    // What no size can show is said so.
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.90");
    let ran = study.run("plan", &["--no-pdf"]);
    assert!(ran.stdout.contains("cannot be shown"), "{}", ran.stdout);
    assert!(study.read("reports/plan/plan.md").contains("cannot show a lower bound above 0.900"));
    let unknown = EXPECTED.replace("\"auc\"", "\"aucc\"");
    study.write("protocol.toml", &study.read("protocol.toml").replace(EXPECTED, &unknown));
    assert!(study.run("plan", &[]).stderr.contains("expected-endpoint"));
}

#[test]
fn a_rehearsal_runs_to_the_end_says_what_it_is_and_leaves_the_study_alone() {
    let study = Study::small();
    for name in ["scores.csv", "reads/reader-1.csv", "reads/reader-2.csv", "reads/reader-3.csv"] {
        std::fs::remove_file(study.file(name)).expect("removes");
    }
    assert_eq!(study.run("dataset", &[]).code, 0);
    let before = study.snapshot();
    let dry = study.run("rehearse", &["--dry-run"]);
    assert!(dry.code == 0 && !study.file("rehearsal").exists(), "{}", dry.stderr);
    let ran = study.run("rehearse", &["--sensitivity", "0.9", "--specificity", "0.85", "--seed", "5"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("REHEARSAL"), "{}", ran.stdout);
    let mut after = study.snapshot();
    after.retain(|path, _| !path.starts_with(study.file("rehearsal")));
    assert_eq!(after, before, "the study and its ledger are as they were");
    let folder = study.file("rehearsal");
    let folder = folder.to_str().expect("UTF-8");
    for document in ["report", "truthing"] {
        let html = study.read(&format!("rehearsal/reports/run-1/{document}.html"));
        assert!(html.contains("REHEARSAL: scores and reads were simulated."), "{document}");
    }
    let verified = sequester(&["verify", folder]);
    assert!(verified.code == 0 && verified.stdout.contains("REHEARSAL"), "{}", verified.stdout);
    let key = study.file("key.pem");
    let key = key.to_str().expect("UTF-8");
    assert_eq!(sequester(&["keys", "new", "--out", key, "--no-passphrase"]).code, 0);
    let who = ["--by", "A. Example", "--role", "statistician", "--meaning", "approval"];
    let signed = sequester(&[&["sign", folder, "--key", key][..], &who].concat());
    assert!(signed.code == 1 && signed.stderr.contains("error[rehearsal]"), "{}", signed.stderr);
    let verified = sequester(&["verify", folder, "--json"]);
    let audit: Value = serde_json::from_str(&verified.stdout).expect("JSON");
    assert_eq!(audit["rehearsal"], true);
    // A second one is not written over the first.
    let again = study.run("rehearse", &[]);
    assert!(again.code == 1 && again.stderr.contains("file-exists"), "{}", again.stderr);
    for wrong in [&["--auc", "1"][..], &["--reader-accuracy", "0"], &["--sensitivity", "0.9"]] {
        assert_eq!(study.run("rehearse", wrong).code, 2, "{wrong:?}");
    }
    // Passed off as evidence: without the mark in the protocol the bundle contradicts itself ...
    let protocol = "rehearsal/evidence/run-1/data/protocol.toml";
    study.replace(protocol, "rehearsal = true\n", "");
    assert_eq!(sequester(&["verify", folder]).code, 20);
    // ... and no study takes what was simulated.
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        study.write(&name, &study.read(&format!("rehearsal/{name}")));
    }
    study.write("scores.csv", &study.read("rehearsal/scores.csv"));
    let ran = study.run("run", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("rehearsal-data"), "{}", ran.stderr);
}
