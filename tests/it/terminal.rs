//! What a user sees first, as snapshots: every `--help`, and one error of each kind on standard error.

#[cfg(unix)]
use std::path::Path;

#[cfg(unix)]
use crate::support::interrupted_once;
use crate::support::{Ran, Study, sequester};

/// Every command with its path, found by reading the help itself: a command that is added is in the snapshot
/// at once.
fn commands(path: &[String], found: &mut Vec<Vec<String>>) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let ran = sequester(&arguments);
    assert_eq!(ran.code, 0, "{path:?}: {}", ran.stderr);
    found.push(path.to_vec());
    let list = ran.stdout.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    for line in list.unwrap_or_default().lines() {
        // A name stands two blanks from the left; words of its description further in.
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let name = name.split_whitespace().next().unwrap_or_default();
        if name != "help" {
            commands(&[path, &[name.to_owned()]].concat(), found);
        }
    }
}

#[test]
fn every_help_is_as_it_was_read_last() {
    let mut found = Vec::new();
    commands(&[], &mut found);
    assert!(found.len() > 30, "only {} commands were found", found.len());
    let mut all = String::new();
    for path in found {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = sequester(&arguments).stdout;
        all += &format!("$ sequester {}\n{help}\n", arguments.join(" "));
    }
    // Blank-only lines come from clap's wrapping and say nothing.
    let lines: Vec<&str> = all.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("help", lines.join("\n"));
}

/// Standard error with the study's folder taken out.
fn told(study: &Study, ran: &Ran) -> String {
    let folder = study.path().to_str().expect("UTF-8");
    format!("exit code {}\n{}", ran.code, ran.stderr.replace(folder, "STUDY"))
}

/// A study that takes a minute to draw, interrupted once the first of its images is there.
#[cfg(unix)]
fn interrupted(study: &Study) -> Ran {
    let folder = study.file("drawn");
    let to = folder.to_str().expect("UTF-8");
    let arguments = ["demo", to, "--only-cohort", "--cases", "4000", "--size", "256"];
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let beside = || entries(study.path()).find(|path| path.to_string_lossy().contains("/.sequester-demo-"));
    let has_image = || beside().is_some_and(|path| entries(&path.join("drawn/images")).next().is_some());
    let ran = interrupted_once(&arguments, has_image);
    assert!(beside().is_none() && !folder.exists(), "{:?} is left", beside());
    ran
}

#[test]
fn one_error_of_each_kind_is_as_it_was_read_last() {
    let mut all = String::new();
    let mut add = |name: &str, study: &Study, ran: &Ran| {
        all += &format!("# {name}\n{}\n", told(study, ran));
    };
    let study = Study::small();
    add("usage: an option that does not exist", &study, &study.run("validate", &["--reasons", "x"]));
    let broken = Study::small();
    broken.replace("cases.csv", "C003,P001,F", "C002,P001,X");
    broken.replace("cases.csv", "C010,", ",");
    broken.replace("device.toml", "name", "nmae");
    add("input: everything that is wrong at once", &broken, &broken.run("check", &[]));
    assert_eq!(study.run("run", &[]).code, 0);
    study.replace("scores.csv", "C000,", "C000,0");
    add("lock: a second opening without a reason", &study, &study.run("run", &[]));
    study.replace("evidence/run-1/data/scores.csv", "C002,", "C002,0");
    // Without documents: which there are depends on the build.
    std::fs::remove_dir_all(study.file("reports")).expect("removes");
    add("evidence: a changed byte", &study, &study.run("verify", &[]));
    #[cfg(unix)]
    add("interrupted: what was begun is taken away", &study, &interrupted(&study));
    insta::assert_snapshot!("errors", all);
}
