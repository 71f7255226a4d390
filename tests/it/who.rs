//! Who acts, from the command line and the environment to ledger, documents and `verify`.

use std::process::Command;

use crate::support::{Ran, Study};

#[test]
fn who_acts_stands_in_ledger_documents_and_verify() {
    let study = Study::small();
    let ran = study.run("run", &["--by", "A. Example", "--role", "statistician"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ledger = study.read("ledger.jsonl");
    assert!(ledger.lines().all(|line| line.contains(r#""by":"A. Example""#)), "{ledger}");
    assert!(ledger.lines().all(|line| line.contains(r#""role":"statistician""#)), "{ledger}");
    assert!(study.read("reports/run-1/report.html").contains("A. Example (statistician)"));
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert!(verified.stdout.contains("who acted: A. Example (statistician)"), "{}", verified.stdout);
}

#[test]
fn nobody_is_named_who_was_not_named() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let ledger = study.read("ledger.jsonl");
    assert!(!ledger.contains(r#""by""#) && !ledger.contains(r#""role""#), "{ledger}");
    assert!(study.run("verify", &[]).stdout.contains("who acted: not recorded"));
    assert!(study.read("reports/run-1/report.html").contains("not recorded"));
}

#[test]
fn the_environment_names_and_the_option_counts_before_it() {
    for (arguments, expected) in [(&[][..], "R. Example"), (&["--by", "A. Example"], "A. Example")] {
        let study = Study::small();
        let ran = Command::new(env!("CARGO_BIN_EXE_sequester"))
            .arg("dataset")
            .arg(study.path())
            .args(arguments)
            .envs([("SEQUESTER_BY", "R. Example"), ("SEQUESTER_ROLE", "reader"), ("USER", "login")])
            .output()
            .expect("starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let ledger = study.read("ledger.jsonl");
        assert!(ledger.contains(&format!(r#""by":"{expected}""#)), "{ledger}");
        assert!(ledger.contains(r#""role":"reader""#) && !ledger.contains("login"), "{ledger}");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused_and_nothing_is_written() {
    use std::os::unix::ffi::OsStrExt as _;

    let bad = std::ffi::OsStr::from_bytes(b"A. \xff");
    for (variable, arguments, code) in [
        ("SEQUESTER_BY", &[][..], "who-invalid"),
        ("SEQUESTER_ROLE", &["--by", "A. Example"], "who-invalid"),
        ("SOURCE_DATE_EPOCH", &[], "usage"),
    ] {
        let study = Study::small();
        let before = study.snapshot();
        let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
        program.arg("dataset").arg(study.path()).args(arguments).env(variable, bad);
        let ran: Ran = program.output().expect("starts").into();
        assert_eq!(ran.code, 2, "{variable}: {}", ran.stderr);
        let said = format!("error[{code}]: the variable {variable} is not UTF-8 text");
        assert!(ran.stderr.contains(&said), "{variable}: {}", ran.stderr);
        assert_eq!(before, study.snapshot());
    }
    // Who is named by an option needs no variable.
    let study = Study::small();
    let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
    program.arg("dataset").arg(study.path()).args(["--by", "A. Example"]).env("SEQUESTER_BY", bad);
    let ran: Ran = program.output().expect("starts").into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // A passphrase: not asked for at the terminal instead.
    let key = study.file("key.pem");
    let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
    program.args(["keys", "new", "--out"]).arg(&key).env("SEQUESTER_PASSPHRASE", bad);
    let ran: Ran = program.output().expect("starts").into();
    assert!(ran.code == 2 && !key.exists(), "{} {}", ran.code, ran.stderr);
}

/// The clock in its place would make other documents than those that were asked for.
#[test]
fn a_given_time_that_is_none_is_refused_and_nothing_is_written() {
    for bad in ["", " ", "now", "-1", "1.5", "1767225600 ", "253402300800", "99999999999999999999"] {
        let study = Study::small();
        let before = study.snapshot();
        let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
        program.arg("dataset").arg(study.path()).env("SOURCE_DATE_EPOCH", bad);
        let ran: Ran = program.output().expect("starts").into();
        assert_eq!(ran.code, 2, "{bad:?}: {}", ran.stderr);
        let said = format!("error[usage]: the variable SOURCE_DATE_EPOCH is no time: `{bad}`");
        assert!(ran.stderr.contains(&said), "{bad:?}: {}", ran.stderr);
        assert_eq!(before, study.snapshot());
    }
    for (first_or_last, written) in [("0", "1970-01-01T00:00:00Z"), ("253402300799", "9999-12-31T23:59:59Z")]
    {
        let study = Study::small();
        let mut program = Command::new(env!("CARGO_BIN_EXE_sequester"));
        program.arg("dataset").arg(study.path()).env("SOURCE_DATE_EPOCH", first_or_last);
        let ran: Ran = program.output().expect("starts").into();
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(study.read("ledger.jsonl").contains(written));
    }
}

#[test]
fn a_name_that_is_none_is_refused_and_nothing_is_written() {
    for command in ["dataset", "reads", "validate", "run"] {
        for bad in ["", " ", "a\nb", "a\u{1b}[31m"] {
            for option in ["--by", "--role"] {
                let study = Study::small();
                let before = study.snapshot();
                let ran = study.run(command, &[option, bad]);
                assert_eq!(ran.code, 2, "{command} {option} {bad:?}: {}", ran.stderr);
                assert!(ran.stderr.contains("error[who-invalid]"), "{command}: {}", ran.stderr);
                assert_eq!(before, study.snapshot());
            }
        }
    }
}
