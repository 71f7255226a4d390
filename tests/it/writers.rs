//! One writer at a time, nothing lost to a kill, and nothing that a pipe, a full disk or a hostile name can
//! do.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Study, files, sequester};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sequester");

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_second_writer_is_told_so_and_a_reader_is_not() {
    let study = Study::small();
    assert_eq!(study.run("validate", &[]).code, 0);
    let before = files(study.path());
    // Another process that writes here.
    let other = File::open(study.path()).expect("opens");
    other.lock().expect("locks");
    for command in ["dataset", "reads", "validate", "run", "score"] {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("study-busy") && ran.stderr.contains("hint"),
            "{command}: {}",
            ran.stderr
        );
    }
    assert_eq!(files(study.path()), before);
    for command in ["verify", "check"] {
        assert_eq!(study.run(command, &[]).code, 0, "{command} only reads");
    }
    assert_eq!(study.run("run", &["--dry-run"]).code, 0);
    drop(other);
    assert_eq!(study.run("reads", &[]).code, 0);
}

#[test]
fn two_openings_at_once_are_one_or_an_error() {
    let study = Study::small();
    let mut started: Vec<_> = (0..4)
        .map(|_| {
            Command::new(PROGRAM)
                .args(["validate", text(study.path())])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts")
        })
        .collect();
    let codes: Vec<i32> =
        started.iter_mut().map(|child| child.wait().expect("ends").code().expect("a code")).collect();
    assert!(codes.contains(&0), "{codes:?}");
    assert!(codes.iter().all(|code| [0, 1].contains(code)), "{codes:?}");
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

/// Everything below a study but what tells when it happened.
fn finished(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder)
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(folder).expect("below").to_path_buf(), bytes))
        .collect()
}

fn start(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["run", text(folder)]).env("SOURCE_DATE_EPOCH", "1767225600");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
#[expect(clippy::disallowed_methods, reason = "each kill has to come at a moment of its own")]
fn whenever_it_is_killed_the_next_run_ends_with_the_same_bytes() {
    let whole = Study::small();
    let began = Instant::now();
    assert!(start(whole.path()).status().expect("runs").success());
    let lasted = began.elapsed();
    let expected = finished(whole.path());
    const KILLS: u32 = 12;
    for number in 0..KILLS {
        let study = Study::small();
        let mut child = start(study.path()).spawn().expect("starts");
        std::thread::sleep(lasted * number / KILLS + Duration::from_millis(u64::from(number * 7 % 5)));
        // It may have ended before.
        let _ = child.kill();
        child.wait().expect("ends");
        let again = start(study.path()).status().expect("runs");
        assert!(again.success(), "kill {number}: {again}");
        let found = finished(study.path());
        let names = |of: &BTreeMap<PathBuf, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "kill {number}");
        for (path, bytes) in &expected {
            assert!(found[path] == *bytes, "kill {number}: {}", path.display());
        }
    }
}

#[test]
fn an_answer_that_nobody_could_read_is_none() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    };
    let study = Study::small();
    assert_eq!(study.run("validate", &[]).code, 0);
    for arguments in [&["verify"][..], &["verify", "--json"], &["check"]] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg(study.path()).stdout(full.try_clone().expect("a handle"));
        let ran = command.output().expect("runs");
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("disk-full") && !told.contains("panicked"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused_and_not_waited_for() {
    let study = Study::small();
    for name in ["cases.csv", "reads/reader-1.csv", "protocol.toml"] {
        let original = study.read(name);
        std::fs::remove_file(study.file(name)).expect("removes");
        let made = Command::new("mkfifo").arg(study.file(name)).status().expect("mkfifo");
        assert!(made.success());
        let ran = study.run("check", &[]);
        assert!([1, 10].contains(&ran.code), "{name}: {} {}", ran.code, ran.stderr);
        std::fs::remove_file(study.file(name)).expect("removes");
        study.write(name, &original);
    }
    let pipe = study.file("handed.pdf");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let ran = sequester(&["verify", text(&pipe), text(study.path())]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("not-a-file"), "{}", ran.stderr);
}

#[test]
fn no_name_and_no_cell_is_obeyed_by_a_terminal() {
    let study = Study::small();
    let cases = study.read("cases.csv").replacen("C003", "C\u{1b}]0;owned\u{7}003\u{9b}", 1);
    study.write("cases.csv", &cases);
    let obeyed = |told: &str| told.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    for command in ["check", "dataset", "reads", "run"] {
        let ran = study.run(command, &[]);
        assert!(!obeyed(&ran.stdout) && !obeyed(&ran.stderr), "{command}: {:?} {:?}", ran.stdout, ran.stderr);
    }
    let ran = sequester(&["verify", "no such\u{1b}[2Jfolder"]);
    assert!(ran.code == 1 && !obeyed(&ran.stderr), "{:?}", ran.stderr);
}
