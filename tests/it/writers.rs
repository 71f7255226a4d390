//! One writer at a time, nothing lost to a kill, and nothing that a pipe, a full disk or a hostile name can
//! do.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::locked_model::trained;
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

fn start(folder: &Path, words: &[String]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words).env("SOURCE_DATE_EPOCH", "1767225600").current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A command that may be killed, from a study in the state before it.
struct Killed {
    name: &'static str,
    words: Vec<String>,
    before: fn() -> Study,
    /// How it may end when it is repeated after a kill.
    ends: &'static [i32],
    /// What goes on from there.
    then: &'static str,
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

const RUN: &str = "run . --no-pdf";

fn all_killed() -> [Killed; 5] {
    let validated = || {
        let study = Study::small();
        assert_eq!(study.run("validate", &[]).code, 0);
        study
    };
    let brought = || {
        let study = Study::small();
        study.write("brought.csv", &study.read("reads/reader-3.csv"));
        std::fs::remove_file(study.file("reads/reader-3.csv")).expect("removes");
        study
    };
    [
        Killed { name: "run", words: words(RUN), before: Study::small, ends: &[0], then: RUN },
        Killed { name: "reads", words: words("reads ."), before: Study::small, ends: &[0], then: RUN },
        Killed {
            name: "reads import",
            words: words("reads import . brought.csv"),
            before: brought,
            ends: &[0],
            then: RUN,
        },
        Killed {
            name: "report",
            words: words("report . --no-pdf"),
            before: validated,
            ends: &[0],
            then: RUN,
        },
        // A lock is never replaced: one that was whole already is refused.
        Killed { name: "lock", words: words("lock ."), before: trained, ends: &[0, 30], then: "reads ." },
    ]
}

/// Names that are written beside and not yet in their place: each stands before a sync and a rename.
fn beside(folder: &Path, seen: &mut std::collections::BTreeSet<PathBuf>) {
    for part in ["", "evidence", "reports", "work", "reads", "model"] {
        for entry in std::fs::read_dir(folder.join(part)).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(".sequester-") {
                seen.insert(entry.path());
            }
        }
    }
}

/// Kills at the sight of what is about to be renamed, every second time; else at a moment of its own.
#[expect(clippy::disallowed_methods, reason = "each kill has to come at a moment of its own")]
fn kill(child: &mut std::process::Child, folder: &Path, number: u32, of: u32, lasted: Duration) {
    if number.is_multiple_of(2) {
        std::thread::sleep(lasted * number / of + Duration::from_millis(u64::from(number * 7 % 5)));
    } else {
        let mut seen = std::collections::BTreeSet::new();
        while child.try_wait().expect("waits").is_none() && seen.len() <= (number as usize / 2) % 8 {
            beside(folder, &mut seen);
        }
    }
    // It may have ended before.
    let _ = child.kill();
    child.wait().expect("ends");
}

/// `SEQUESTER_KILLS` is their number; `scripts/campaign.sh` asks for 300.
#[test]
fn whenever_it_is_killed_the_same_commands_end_with_the_same_bytes() {
    let kills = std::env::var("SEQUESTER_KILLS").ok().map_or(10, |n| n.parse::<u32>().expect("a number"));
    let commands = all_killed();
    let each = kills.div_ceil(commands.len() as u32);
    for Killed { name, words: command, before, ends, then } in commands {
        let whole = before();
        let began = Instant::now();
        let then = words(then);
        assert!(start(whole.path(), &command).status().expect("runs").success(), "{name}");
        let lasted = began.elapsed();
        assert!(start(whole.path(), &then).status().expect("runs").success(), "{name}");
        let expected = finished(whole.path());
        for number in 0..each {
            let study = before();
            let mut child = start(study.path(), &command).spawn().expect("starts");
            kill(&mut child, study.path(), number, each, lasted);
            let again = start(study.path(), &command).status().expect("runs");
            assert!(again.code().is_some_and(|c| ends.contains(&c)), "{name}, kill {number}: {again}");
            let done = start(study.path(), &then).status().expect("runs");
            assert!(done.success(), "{name}, kill {number}: {done}");
            let found = finished(study.path());
            let names = |of: &BTreeMap<PathBuf, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&found), names(&expected), "{name}, kill {number}");
            for (path, bytes) in &expected {
                assert!(found[path] == *bytes, "{name}, kill {number}: {}", path.display());
            }
        }
    }
}

/// A file system of its own in memory, where one may be mounted; unmounted when it goes.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!("{options},mode=755");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs", text(folder.path())]).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(folder))
    }

    fn again(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options, text(self.0.path())]).status();
        assert!(status.expect("mount").success(), "{options}");
    }

    fn put(&self, study: &Study) -> PathBuf {
        let folder = self.0.path().join("study");
        for (path, bytes) in finished(study.path()) {
            let to = folder.join(path);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
            std::fs::write(to, bytes).expect("writes");
        }
        folder
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_of_any_size_loses_nothing() {
    let whole = Study::small();
    assert_eq!(whole.run("run", &[]).code, 0);
    let expected = finished(whole.path());
    let bytes: usize = expected.values().map(|b| b.len().div_ceil(4096) * 4096).sum();
    let mut full = 0;
    for number in 1..=20 {
        let size = 96 * 1024 + bytes * number / 18;
        let Some(disk) = Mounted::new(&format!("size={size}")) else {
            eprintln!("SKIPPED a_full_disk_of_any_size_loses_nothing: nothing can be mounted here");
            return;
        };
        let folder = disk.put(&Study::small());
        let ran = sequester(&["run", text(&folder)]);
        if ran.code != 0 {
            full += 1;
            assert_eq!(ran.code, 1, "{size}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("disk-full") && !ran.stderr.contains("panicked"),
                "{size}: {}",
                ran.stderr
            );
        }
        disk.again("size=100m");
        let again = sequester(&["run", text(&folder)]);
        assert_eq!(again.code, 0, "{size}: {}", again.stderr);
        assert!(finished(&folder) == expected, "{size}: other bytes than on a disk with room");
    }
    assert!(full >= 5, "only {full} sizes were too small");
}

#[test]
fn on_a_disk_that_cannot_be_written_verify_answers_and_run_says_why_not() {
    let Some(disk) = Mounted::new("size=100m") else {
        eprintln!("SKIPPED on_a_disk_that_cannot_be_written: nothing can be mounted here");
        return;
    };
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let folder = disk.put(&study);
    let before = finished(&folder);
    disk.again("ro");
    assert_eq!(sequester(&["verify", text(&folder)]).code, 0);
    std::fs::remove_file(study.file("ledger.jsonl")).expect("removes");
    let ran = sequester(&["report", text(&folder)]);
    assert!(ran.code == 1 && !ran.stderr.contains("panicked"), "{} {}", ran.code, ran.stderr);
    assert!(finished(&folder) == before);
    disk.again("rw");
    assert_eq!(sequester(&["run", text(&folder)]).code, 0);
}

#[test]
fn a_clock_that_goes_back_changes_no_order_and_repeats_to_the_same_bytes() {
    let at = |study: &Study, command: &str, epoch: &str| {
        let mut started = start(study.path(), &words(&format!("{command} .")));
        assert!(started.env("SOURCE_DATE_EPOCH", epoch).status().expect("runs").success(), "{command}");
    };
    let run = || {
        let study = Study::small();
        at(&study, "dataset", "1767225600");
        at(&study, "reads", "1735689600");
        at(&study, "run --no-pdf", "1704067200");
        study
    };
    let (first, second) = (run(), run());
    assert_eq!(finished(first.path()), finished(second.path()));
    assert_eq!(first.run("verify", &[]).code, 0);
    at(&first, "run --no-pdf", "1672531200");
    assert_eq!(finished(first.path()), finished(second.path()), "done already, whatever the clock says");
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
fn a_no_that_nobody_could_read_is_none_either() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        eprintln!("SKIPPED: there is no /dev/full here");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("cases.csv");
    std::fs::write(&table, "case_id,patient_id\nC1,P1\n").expect("writes");
    let table = text(&table);
    let into = |arguments: &[&str], to: File| {
        let ran = Command::new(PROGRAM).args(arguments).stdout(to).output().expect("runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for (arguments, usual) in [
        (&["dataset", "leakage", table, table, "--json"][..], 10),
        (&["dataset", "leakage", table, table], 10),
        (&["check", "--json"], 2),
        (&["keys", "--help"], 0),
        (&["--version"], 0),
        (&["completions", "bash"], 0),
        (&["completions", "zsh", "--json"], 0),
    ] {
        let nowhere = File::options().write(true).open("/dev/null").expect("opens");
        assert_eq!(into(arguments, nowhere).0, Some(usual), "{arguments:?}");
        let (code, told) = into(arguments, full.try_clone().expect("a handle"));
        assert_eq!(code, Some(1), "{arguments:?}: {told}");
        assert!(told.contains("error[disk-full]") && !told.contains("panicked"), "{arguments:?}: {told}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("cases.csv");
    let rows: String = (0..2_000).map(|row| format!("C{row},P{row}\n")).collect();
    std::fs::write(&table, format!("case_id,patient_id\n{rows}")).expect("writes");
    let table = text(&table);
    for (arguments, code) in [
        (&["completions", "bash"][..], 0),
        (&["help", "dataset"], 0),
        (&["--version"], 0),
        (&["dataset", "leakage", table, table, "--json"], 10),
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        drop(child.stdout.take());
        let ran = child.wait_with_output().expect("ends");
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(!told.contains("panicked") && !told.contains("error["), "{arguments:?}: {told}");
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
