//! What a user sees first, as snapshots: every `--help`, and one error of each kind on standard error.

use std::path::Path;

use crate::support::{Ran, Study, sequester};
#[cfg(unix)]
use crate::support::{bundle_copy, interrupted_once};

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

/// Every help page, as `docs/commands.md` has it; `SEQUESTER_WRITE_GUIDE=1` writes them there.
#[test]
fn every_help_is_as_it_was_read_last() {
    let mut found = Vec::new();
    commands(&[], &mut found);
    assert!(found.len() > 30, "only {} commands were found", found.len());
    let mut all =
        "# Every command\n\nWhat `--help` says of each, written and held by a test. What the words \
                   mean everywhere is in [command-line.md](command-line.md); `sequester man DIR` writes the \
                   same as manual pages.\n"
            .to_owned();
    for path in found {
        let name = [&["sequester".to_owned()], &path[..]].concat().join(" ");
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = sequester(&arguments).stdout;
        // Blank-only lines come from clap's wrapping and say nothing.
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        all += &format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n"));
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    if std::env::var_os("SEQUESTER_WRITE_GUIDE").is_some() {
        std::fs::write(&page, &all).expect("writes");
    }
    let shown = std::fs::read_to_string(&page).expect("the page");
    for (nth, (says, happens)) in shown.lines().zip(all.lines()).enumerate() {
        assert_eq!(says, happens, "docs/commands.md, line {}: SEQUESTER_WRITE_GUIDE=1 writes it", nth + 1);
    }
    assert_eq!(shown.lines().count(), all.lines().count());
}

/// One page a command, with what its help says, in a form that `man` takes.
#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("man1");
    let ran = sequester(&["man", to.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut found = Vec::new();
    commands(&[], &mut found);
    let wanted: std::collections::BTreeSet<String> = found
        .iter()
        .map(|path| format!("{}.1", [&["sequester".to_owned()], &path[..]].concat().join("-")))
        .collect();
    let written: std::collections::BTreeSet<String> = std::fs::read_dir(&to)
        .expect("lists")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(written, wanted);
    let page = std::fs::read_to_string(to.join("sequester-dataset-split.1")).expect("a page");
    for part in [".TH SEQUESTER-DATASET-SPLIT 1", ".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", "\\-\\-sizes"] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
    let top = std::fs::read_to_string(to.join("sequester.1")).expect("a page");
    assert!(top.contains("sequester\\-verify(1)") && top.contains("the evidence is not intact"), "{top}");
}

#[test]
fn quiet_says_warnings_and_errors_alone_and_verbose_when_and_how_long() {
    let (usual, quiet, verbose) = (Study::small(), Study::small(), Study::small());
    let (usual, quiet, verbose) =
        (usual.run("validate", &[]), quiet.run("validate", &["--quiet"]), verbose.run("validate", &["-v"]));
    assert_eq!([usual.code, quiet.code, verbose.code], [0; 3], "{}", verbose.stderr);
    let steps = |ran: &Ran| ran.stderr.lines().filter(|line| line.starts_with(" validate  ")).count();
    assert_eq!((steps(&usual) > 2, steps(&quiet), steps(&verbose) > 2), (true, 0, true), "{}", quiet.stderr);
    // What it answers is not told less of.
    let endpoints = |ran: &Ran| -> String { ran.stdout.lines().take(4).collect::<Vec<_>>().join("\n") };
    assert_eq!(endpoints(&usual), endpoints(&quiet));
    assert!(endpoints(&quiet).contains("endpoint"), "{}", quiet.stdout);
    let lines: Vec<&str> = verbose.stderr.lines().collect();
    let (first, last) = (lines[0], lines[lines.len() - 1]);
    assert!(
        first.contains(&format!(" s] {}", env!("CARGO_PKG_VERSION"))) && first.contains("cores: "),
        "{first}"
    );
    assert!(last.starts_with("sequester  [") && last.ends_with(" s] exit code 0"), "{last}");
    // A warning is told in any case, and both at once mean nothing.
    let warned = Study::small();
    warned.write("reads/other.csv", "case_id,reader_id,read\nnone,R9,positive\n");
    let (aloud, quiet) = (warned.run("check", &[]), warned.run("check", &["-q"]));
    let problems = |ran: &Ran| -> Vec<String> {
        let lines =
            ran.stderr.lines().filter(|line| line.starts_with("warning[") || line.starts_with("error["));
        lines.map(str::to_owned).collect()
    };
    assert!(!problems(&aloud).is_empty() && problems(&aloud) == problems(&quiet), "{}", quiet.stderr);
    assert_eq!(warned.run("check", &["-q", "-v"]).code, 2);
}

#[test]
fn colours_are_shown_where_they_are_wanted_and_never_against_no_color() {
    let help = |variables: &[(&str, &str)]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_sequester"));
        program.arg("--help").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let ran = program.envs(variables.iter().copied()).output().expect("starts");
        String::from_utf8(ran.stdout).expect("text").contains('\u{1b}')
    };
    assert!(!help(&[]), "no terminal");
    assert!(help(&[("CLICOLOR_FORCE", "1")]), "asked for");
    assert!(!help(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
}

#[test]
fn a_command_or_option_that_was_mistyped_is_answered_with_the_nearest() {
    for (typed, nearest) in [
        (&["veryfy", "s"][..], "'verify'"),
        (&["keys", "pubilc", "key"], "'public'"),
        (&["keys", "nw"], "'new'"),
        (&["dataset", "descibe"], "'describe'"),
        (&["dataset", "descibe", "x"], "'describe'"),
        (&["help", "dataset", "descibe"], "'describe'"),
        (&["reads", "stauts", "x"], "'status'"),
        (&["metrics", "paird"], "'paired'"),
        (&["metrics", "-q", "pared", "x.csv"], "'paired'"),
        (&["verify", "--rescor", "s"], "'--rescore'"),
        (&["metrics", "t.csv", "--tresh", "0.5"], "'--threshold'"),
        (&["init", "s", "--kind", "diagnosys"], "'diagnosis'"),
    ] {
        let ran = sequester(typed);
        assert_eq!(ran.code, 2, "{typed:?}");
        assert!(ran.stderr.contains("similar") && ran.stderr.contains(nearest), "{typed:?}: {}", ran.stderr);
    }
}

#[test]
fn a_folder_with_a_name_like_a_command_is_a_folder() {
    let place = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(place.path().join("descibe")).expect("makes");
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_sequester"));
    let ran: Ran =
        program.args(["dataset", "descibe"]).current_dir(place.path()).output().expect("starts").into();
    assert!(ran.code == 1 && !ran.stderr.contains("similar"), "{} {}", ran.code, ran.stderr);
}

/// What a command prints where a line is wrong and JSON is asked for.
fn wrong_line(arguments: &[&str]) -> serde_json::Value {
    let ran = sequester(arguments);
    assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|e| panic!("{arguments:?} prints no JSON document: {e}\n{}", ran.stdout));
    assert_eq!(document["exit_code"], 2, "{arguments:?}");
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(1), "{arguments:?}");
    let problem = document["diagnostics"][0].clone();
    assert!(!ran.stderr.is_empty() && problem["severity"] == "error", "{arguments:?}");
    for part in ["message", "hint"] {
        let said = problem[part].as_str().unwrap_or_default();
        assert!(!said.is_empty() && !said.contains(['\u{1b}', '\n']), "{arguments:?}: {part} {said:?}");
    }
    problem
}

/// With `--json` standard output is one document, also where the command line is wrong.
#[test]
fn every_command_answers_a_wrong_line_with_one_document_where_json_is_asked_for() {
    let mut found = Vec::new();
    commands(&[], &mut found);
    for path in found {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.extend(["--json", "--no-such-option"]);
        let problem = wrong_line(&arguments);
        assert_eq!(problem["code"], "usage", "{arguments:?}");
        assert_eq!(problem["message"], "unexpected argument '--no-such-option' found", "{arguments:?}");
    }
    for arguments in [
        &["check", "--json"][..],
        &["--json", "keys"],
        &["--json"],
        &["score", "x", "--plan", "x", "--json"],
        &["design", "auc", "--json"],
        &["init", "x", "--kind", "nope", "--json"],
        &["frobnicate", "--json"],
        &["dataset", "descibe", "--json"],
        &["dataset", "describe", "x.csv", "--age-bands", "0-17,10-20", "--json"],
    ] {
        wrong_line(arguments);
    }
    // Without `--json`, or where it is no option, standard output has nothing.
    for arguments in [&["check"][..], &["check", "a", "b", "--", "--json"]] {
        let ran = sequester(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
    }
}

/// Of a path that JSON cannot say none is made up, and none stops the program.
#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_refused_with_json_and_shown_where_it_was_found() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let home = tempfile::tempdir().expect("a folder");
    let bad = home.path().join(OsStr::from_bytes(b"study \xff"));
    let ran = |words: &[&str], path: &Path| {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sequester"))
            .args(words)
            .arg(path)
            .output()
            .expect("starts");
        let printed: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("one document");
        (ran.status.code(), printed)
    };
    for words in [
        &["check", "--json"][..],
        &["run", "--json"],
        &["verify", "--json"],
        &["man", "--json"],
        &["keys", "new", "--json", "--out"],
        &["init", "--kind", "diagnosis", "--json"],
        &["dataset", "describe", "--json"],
        &["metrics", "--json"],
        &["dicom", "phi", "--json"],
    ] {
        let (code, printed) = ran(words, &bad);
        assert_eq!((code, &printed["diagnostics"][0]["code"]), (Some(2), &"not-utf8".into()), "{words:?}");
        assert!(std::fs::read_dir(home.path()).expect("lists").next().is_none(), "{words:?} wrote");
    }
    // In a folder that can be named.
    let (_home, bundle) = bundle_copy(2, "adjudicated");
    std::fs::write(bundle.join("data").join(OsStr::from_bytes(b"study \xff")), "x").expect("writes");
    let (code, printed) = ran(&["verify", "--json"], &bundle);
    assert!(code == Some(20) && printed.to_string().contains("data/study \u{fffd}"), "{code:?} {printed}");
}

#[test]
fn nothing_is_worked_on_by_nobody() {
    for arguments in [
        &["verify", "x", "--rescore", "--workers", "0"][..],
        &["train", "x", "--workers", "0"],
        &["score", "x", "--workers", "0"],
    ] {
        let ran = sequester(arguments);
        assert!(ran.code == 2 && ran.stderr.contains("'--workers <N>'"), "{arguments:?}: {}", ran.stderr);
    }
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
