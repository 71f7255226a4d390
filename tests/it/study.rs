//! A study at score level as a team runs it: once, again, interrupted, changed, and verified.

#[cfg(feature = "pdf")]
use crate::support::with_pdf;
use crate::support::{Study, files, sequester};

#[test]
fn a_study_runs_once_and_a_repetition_changes_nothing() {
    let study = Study::small();
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("every primary endpoint is met"), "{}", ran.stdout);
    let before = study.snapshot();
    let again = study.run("run", &[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.contains("evidence unchanged"), "{}", again.stdout);
    assert_eq!(before, study.snapshot());
}

#[test]
fn an_endpoint_that_is_not_met_ends_with_10_and_the_document_says_so() {
    let study = Study::small();
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.99");
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let html = study.read("reports/run-1/report.html");
    assert!(html.contains("not met"));
    assert!(
        !html.contains("support a conclusion of substantial equivalence in the sense")
            || html.contains("do not support")
    );
}

#[test]
fn every_step_is_a_command_of_its_own() {
    let study = Study::small();
    for (command, code) in
        [("check", 0), ("dataset", 0), ("reads", 0), ("validate", 0), ("report", 0), ("verify", 0)]
    {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, code, "{command}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn the_same_study_in_another_folder_gives_the_same_bytes() {
    let (one, two) = (Study::small(), Study::small());
    assert_eq!(one.run("run", &[]).code, 0);
    assert_eq!(two.run("run", &[]).code, 0);
    let relative = |study: &Study| {
        let strip = |path: &std::path::PathBuf| path.strip_prefix(study.path()).expect("below").to_path_buf();
        study.snapshot().iter().map(|(path, bytes)| (strip(path), bytes.clone())).collect::<Vec<_>>()
    };
    assert_eq!(relative(&one), relative(&two));
}

#[test]
fn a_changed_protocol_violates_its_lock() {
    let study = Study::small();
    assert_eq!(study.run("dataset", &[]).code, 0);
    study.replace("protocol.toml", "lower > 0.70", "lower > 0.60");
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 30, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[protocol-changed]"), "{}", ran.stderr);
}

#[test]
fn changed_scores_need_a_reason_and_the_documents_print_it() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.replace("scores.csv", "C000,", "C000,0");
    let refused = study.run("run", &[]);
    assert_eq!(refused.code, 30, "{}", refused.stderr);
    assert!(refused.stderr.contains("error[second-opening]"), "{}", refused.stderr);
    assert!(!study.file("evidence/run-2").exists());
    let reason = "the score of C000 was typed wrongly";
    let ran = study.run("run", &["--reason", reason]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(study.read("reports/run-2/report.html").contains(reason));
    assert!(study.file("evidence/run-1").is_dir(), "evidence is never removed");
}

#[test]
fn new_words_are_published_without_another_opening() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.write("device.toml", "[device]\nname = \"Renamed device\"\n");
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(study.read("reports/run-2/report.html").contains("Renamed device"));
    assert_eq!(study.read("ledger.jsonl").matches("test-set-opened").count(), 1);
    let results = |run: &str| study.read(&format!("evidence/{run}/data/results.json"));
    assert_eq!(results("run-1"), results("run-2"));
}

#[test]
fn one_changed_byte_anywhere_is_found() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    for part in ["evidence/run-1", "reports/run-1"] {
        for (path, original) in files(&study.file(part)) {
            // Every position of every file is tried where the bag is read; here the program is run once a
            // file.
            let mut changed = original.clone();
            changed[original.len() / 2] ^= 0x01;
            std::fs::write(&path, &changed).expect("writes");
            let ran = study.run("verify", &[]);
            assert_eq!(ran.code, 20, "{}: {}", path.display(), ran.stdout);
            std::fs::write(&path, &original).expect("writes");
        }
    }
    assert_eq!(study.run("verify", &[]).code, 0);
}

/// The PDFs of a run are typeset again byte for byte, and one changed byte is found.
#[cfg(feature = "pdf")]
#[test]
fn one_changed_byte_of_a_pdf_is_found() {
    let study = Study::small();
    let ran = with_pdf(&["run", study.path().to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for document in ["report", "truthing"] {
        let path = study.file(&format!("reports/run-1/{document}.pdf"));
        let mut bytes = std::fs::read(&path).expect("typeset");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x01;
        std::fs::write(&path, &bytes).expect("writes");
    }
    let ran = study.run("verify", &[]);
    assert_eq!(ran.code, 20, "{}", ran.stdout);
    for document in ["report.pdf", "truthing.pdf"] {
        assert!(ran.stderr.contains("report-differs") && ran.stderr.contains(document), "{}", ran.stderr);
    }
}

/// Puts another text into a bundle and repairs manifest and tag manifest.
fn replace_in_bag(bag: &std::path::Path, name: &str, text: &str) {
    let digest = |text: &str| sequester::digest::Digest::of(text.as_bytes()).to_string();
    let read = |name: &str| std::fs::read_to_string(bag.join(name)).expect("reads");
    let write = |name: &str, text: &str| std::fs::write(bag.join(name), text).expect("writes");
    let (old, manifest) = (read(&format!("data/{name}")), read("manifest-sha256.txt"));
    write(&format!("data/{name}"), text);
    let repaired = manifest.replace(&digest(&old), &digest(text));
    write("manifest-sha256.txt", &repaired);
    write(
        "tagmanifest-sha256.txt",
        &read("tagmanifest-sha256.txt").replace(&digest(&manifest), &digest(&repaired)),
    );
}

/// The codes that `verify` reports of the newest run, which is not intact.
fn discrepancies(study: &Study) -> Vec<String> {
    let ran = study.run("verify", &["--json"]);
    assert_eq!(ran.code, 20, "{}", ran.stdout);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let answers = report["answers"].as_array().expect("answers");
    let all = answers.iter().flat_map(|a| a["discrepancies"].as_array().expect("a list").iter());
    all.filter_map(|d| d["code"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_second_opening_whose_reason_was_taken_out_of_the_ledger_is_found() {
    use sequester::evidence::ledger::Ledger;
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.replace("scores.csv", "C000,", "C000,0");
    assert_eq!(study.run("run", &["--reason", "a typing error"]).code, 0);
    assert_eq!(study.run("verify", &[]).code, 0);
    // The whole ledger is written again without the reason: its chain and every manifest hold.
    let bag = study.file("evidence/run-2");
    let bytes = std::fs::read(bag.join("data/ledger.jsonl")).expect("reads");
    let mut forged = Ledger::default();
    for entry in Ledger::parse(std::path::Path::new("l"), &bytes).expect("holds").entries() {
        forged.append(entry.event, &entry.at, entry.digests.clone(), None).expect("in order");
    }
    replace_in_bag(&bag, "ledger.jsonl", &String::from_utf8(forged.to_bytes()).expect("text"));
    std::fs::remove_dir_all(study.file("reports/run-2")).expect("removes");
    let found = discrepancies(&study);
    assert!(found.iter().any(|code| code == "opening-without-reason"), "{found:?}");
    // The study's own ledger says something else.
    assert!(found.iter().any(|code| code == "ledger-foreign"), "{found:?}");
}

#[test]
fn consistent_forgery_is_found_by_recomputation() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    // Somebody raises the AUC in results.json and repairs manifest and tag manifest.
    let bag = study.file("evidence/run-1");
    let results = std::fs::read_to_string(bag.join("data/results.json")).expect("reads");
    let value = results
        .split("\"value\": 0.")
        .nth(1)
        .expect("an estimate")
        .split(',')
        .next()
        .expect("digits")
        .to_owned();
    let forged = results.replace(&format!("\"value\": 0.{value}"), "\"value\": 0.9999");
    assert_ne!(results, forged);
    replace_in_bag(&bag, "results.json", &forged);
    let codes = discrepancies(&study);
    assert!(codes.iter().any(|code| code == "result-differs"), "{codes:?}");
    assert!(codes.iter().any(|code| code == "ledger-digest"), "{codes:?}");
}

#[test]
fn the_bundle_is_checked_by_sha256sum() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let check = std::process::Command::new("sha256sum")
        .args(["--check", "--quiet", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
        .current_dir(study.file("evidence/run-1"))
        .output();
    match check {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(e) => eprintln!("SKIPPED the_bundle_is_checked_by_sha256sum: {e}"),
    }
}

#[test]
fn an_expected_root_digest_is_compared() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let root = sequester::digest::Digest::of_file(&study.file("evidence/run-1/tagmanifest-sha256.txt"))
        .expect("reads");
    assert_eq!(study.run("verify", &["--root", &root.to_string()]).code, 0);
    assert_eq!(study.run("verify", &["--root", &"0".repeat(64)]).code, 20);
    assert_eq!(study.run("verify", &["--root", "zero"]).code, 2);
    assert!(study.read("reports/run-1/report.html").contains(&root.to_string()));
}

#[test]
fn help_teaches_every_command() {
    let help = sequester(&["--help"]);
    assert_eq!(help.code, 0);
    for command in
        ["demo", "check", "dataset", "train", "lock", "score", "reads", "validate", "report", "verify", "run"]
    {
        assert!(help.stdout.contains(command), "{command} is not in --help");
        let own = sequester(&[command, "--help"]);
        assert_eq!(own.code, 0);
        assert!(own.stdout.len() > 300, "{command} --help is thin:\n{}", own.stdout);
    }
    assert_eq!(sequester(&["no-such-command"]).code, 2);
}

#[test]
fn init_writes_a_study_whose_protocol_needs_only_a_rationale() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, more) in [("own", &[][..]), ("external", &["--external-scores"][..])] {
        let study = folder.path().join(name);
        let study = study.to_str().expect("UTF-8");
        let ran = sequester(&[&["init", study], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let again = sequester(&["init", study]);
        assert_eq!(again.code, 1, "{}", again.stderr);
        let checked = sequester(&["check", study, "--protocol-only"]);
        if more.is_empty() {
            assert_eq!(checked.code, 0, "{}", checked.stderr);
        } else {
            assert_eq!(checked.code, 1);
            assert!(checked.stderr.contains("`operating_point.rationale` is empty"), "{}", checked.stderr);
            assert_eq!(checked.stderr.matches("error[").count(), 1, "{}", checked.stderr);
        }
    }
}

#[test]
fn claims_that_stand_by_themselves_are_judged_at_a_corrected_level() {
    let study = Study::small();
    study.replace("protocol.toml", "seed = 7\n", "seed = 7\nmultiplicity = \"bonferroni\"\n");
    let second = "[[endpoint]]\nid = \"sensitivity\"\nmetric = \"sensitivity\"\nrole = \
        \"primary\"\ninterval = \"clopper-pearson\"\ncriterion = \"lower > 0.30\"\n\n[[subgroup]]\nby = \
        \"sex\"";
    study.replace("protocol.toml", "[[subgroup]]\nby = \"sex\"", second);
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let results: serde_json::Value =
        serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    for endpoint in results["endpoints"].as_array().expect("endpoints") {
        let interval = &endpoint["interval"];
        assert_eq!(interval["level"], 0.975, "two criteria at 0.95");
        // The interval at the study's level lies inside the one that decides.
        let estimate = results["estimates"]
            .as_array()
            .and_then(|list| list.iter().find(|e| e["id"] == endpoint["metric"]))
            .expect("estimate");
        let plain = estimate["intervals"]
            .as_array()
            .and_then(|list| list.iter().find(|i| i["method"] == interval["method"] && i["level"] == 0.95))
            .expect("plain interval");
        assert!(interval["lower"].as_f64() < plain["lower"].as_f64());
        assert_eq!(endpoint["bound"], interval["lower"]);
    }
    let html = study.read("reports/run-1/report.html");
    assert!(html.contains("97.5%") && html.contains("Bonferroni"), "the document says how it was judged");
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn what_a_thousand_patients_may_expect_adds_up() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let results: serde_json::Value =
        serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let value = |id: &str| {
        let list = results["estimates"].as_array().expect("estimates");
        list.iter().find(|e| e["id"] == id).and_then(|e| e["value"].as_f64()).expect("value")
    };
    let with = value("per-1000-true-positives") + value("per-1000-false-negatives");
    let without = value("per-1000-true-negatives") + value("per-1000-false-positives");
    assert!((with - 100.0).abs() < 1e-9 && (without - 900.0).abs() < 1e-9, "{with} {without}");
    assert!((value("per-1000-true-positives") - 100.0 * value("sensitivity")).abs() < 1e-9);
    assert!(study.read("reports/run-1/report.html").contains("among 1,000 examinations"));
}
