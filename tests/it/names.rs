//! Names of files on the way into a bundle, and bundles before the public tools: coreutils' `sha256sum -c`
//! and, where `SEQUESTER_BAGIT_PYTHON` names a Python with the package `bagit`, the Library of Congress's
//! `bagit.py --validate`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use sequester::diagnostic::{Location, Severity};
use sequester::digest::RelativePath;
use sequester::evidence::bag::{self, Payload};
use sequester::evidence::names::{self, Named};

use crate::support::Study;

/// Every command that could lock something, and `check`, refuse the study and write nothing.
fn refused(study: &Study, code: &str, place: &str) {
    for command in ["check", "dataset", "run"] {
        let before = study.snapshot();
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1, "{command} {place}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{command} {place}: {}", ran.stderr);
        assert!(ran.stderr.contains(place), "{command} {place}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: rename"), "{command} {place}: {}", ran.stderr);
        assert_eq!(before, study.snapshot(), "{command} {place}");
    }
}

#[test]
fn a_readers_file_whose_name_tools_read_differently_is_refused_before_anything_is_locked() {
    for name in ["100%.csv", "a%0Ab.csv", "a\u{2028}b.csv", "a\nb.csv", "a\rb.csv", "a\\b.csv", "a:b.csv"] {
        let study = Study::small();
        std::fs::rename(study.file("reads/reader-1.csv"), study.file("reads").join(name)).expect("renames");
        refused(&study, "file-name", "reads");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_readers_file_whose_name_is_not_utf8_is_refused_and_not_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let study = Study::small();
    let name = study.file("reads").join(std::ffi::OsStr::from_bytes(b"reader\xff.csv"));
    std::fs::rename(study.file("reads/reader-1.csv"), name).expect("renames");
    refused(&study, "file-name", "not UTF-8");
}

#[test]
fn names_in_the_protocol_pass_the_same_check() {
    for (key, old, new) in [
        ("cases", "cases.csv", "50%.csv"),
        ("file", "scores.csv", "scores \\u2028.csv"),
        // One file with the case table where capitals are ignored.
        ("file", "scores.csv", "Cases.csv"),
    ] {
        let study = Study::small();
        study.replace("protocol.toml", &format!("{key} = \"{old}\""), &format!("{key} = \"{new}\""));
        let new = new.replace("\\u2028", "\u{2028}");
        std::fs::rename(study.file(old), study.file(&new)).expect("renames");
        refused(&study, if new == "Cases.csv" { "file-names-alike" } else { "file-name" }, ".csv");
    }
}

#[test]
fn readers_files_that_another_system_takes_for_one_are_refused() {
    for [a, b] in [["EF.csv", "ef.csv"], ["Jos\u{e9}.csv", "Jose\u{301}.csv"], ["a .csv", "A .csv"]] {
        let study = Study::small();
        for (reader, name) in [(1, a), (2, b)] {
            let from = study.file(&format!("reads/reader-{reader}.csv"));
            std::fs::rename(from, study.file("reads").join(name)).expect("renames");
        }
        refused(&study, "file-names-alike", "reads");
    }
}

#[test]
fn a_template_beside_the_built_in_one_of_another_case_is_refused() {
    let study = Study::small();
    study.write("templates/Verification.md", "words\n");
    let ran = study.run("check", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("error[file-names-alike]"), "{}", ran.stderr);
    let ran = study.run("run", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("error[file-names-alike]"), "{}", ran.stderr);
    assert!(!study.file("evidence").exists());
    assert!(!study.read("ledger.jsonl").contains("test-set-opened"));
}

#[test]
fn a_name_that_windows_does_not_keep_is_a_warning_and_the_study_runs() {
    for name in ["NUL.csv", "com1.csv", "a?.csv", "e\u{301}.csv", "a\u{200b}.csv"] {
        let study = Study::small();
        std::fs::rename(study.file("reads/reader-1.csv"), study.file("reads").join(name)).expect("renames");
        let ran = study.run("check", &[]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stdout.contains("warning[file-name-unportable]"), "{name}: {}", ran.stdout);
        let ran = study.run("run", &[]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("warning[file-name-unportable]"), "{name}: {}", ran.stderr);
    }
}

#[test]
fn a_folder_that_is_named_like_a_signature_does_not_verify() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let run = study.file("evidence/run-1");
    std::fs::write(run.join("tagmanifest-sha256.txt.asc"), "a signature").expect("writes");
    assert_eq!(study.run("verify", &[]).code, 0);
    for extra in ["tagmanifest-sha256.txt.d", "data/inputs/empty"] {
        std::fs::create_dir(run.join(extra)).expect("creates");
        let ran = study.run("verify", &[]);
        assert_eq!(ran.code, 20, "{extra}: {}", ran.stdout);
        assert!(ran.stderr.contains("file-extra") && ran.stderr.contains(extra), "{}", ran.stderr);
        std::fs::remove_dir(run.join(extra)).expect("removes");
    }
}

/// A bag of every name of a broad family that is admitted, the accidental double left out.
fn bag_of_admitted_names(target: &Path) -> usize {
    let pieces = [
        "a",
        "B",
        " ",
        "  ",
        ".",
        "..",
        "-",
        "~",
        "*",
        "#",
        "%",
        "%25",
        "%0A",
        "%0d",
        "\\",
        ":",
        "\t",
        "\n",
        "\r",
        "é",
        "e\u{301}",
        "肺",
        "ß",
        "\u{85}",
        "\u{a0}",
        "\u{1c}",
        "\u{2028}",
        "\u{2029}",
        "\u{3000}",
        "\u{feff}",
        "'",
        "\"",
        "CON",
        "?",
        "$(x)",
        "=",
        "\u{1f3e5}",
        "\u{fffd}",
        "\u{202e}",
    ];
    let mut payload = Payload::new();
    // What is said of one name alone, and what only another says: that the two are one to some system.
    let admitted = |path: &RelativePath| {
        let alone = [Named { path: path.clone(), at: Location::file(path.as_str()) }];
        !names::check(&alone).iter().any(|problem| problem.severity == Severity::Error)
    };
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut is_free = |path: &str| {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let heres: Vec<(String, &str)> =
            ends.map(|end| (names::folded(&path[..end]), &path[..end])).collect();
        let free = heres.iter().all(|(folded, here)| taken.get(folded).is_none_or(|first| first == here));
        if free {
            taken.extend(heres.into_iter().map(|(folded, here)| (folded, here.to_owned())));
        }
        free
    };
    for first in pieces {
        for second in pieces {
            for name in
                [format!("{first}{second}"), format!("f{first}/{second}x"), format!("g/x{first}{second}y")]
            {
                let Ok(path) = name.parse::<RelativePath>() else { continue };
                if admitted(&path) && is_free(path.as_str()) {
                    payload.insert(path, name.into());
                }
            }
        }
    }
    let title = "a title\u{2028}with: two\u{85}lines\n and more".to_owned();
    bag::write(target, &payload, &[("External-Description", title)]).expect("writes");
    assert_eq!(bag::open(target).expect("opens").discrepancies, []);
    payload.len()
}

#[test]
fn every_bag_of_admitted_names_passes_sha256sum() {
    let Ok(found) = Command::new("sha256sum").arg("--version").output() else {
        eprintln!("SKIPPED every_bag_of_admitted_names_passes_sha256sum: there is no sha256sum");
        return;
    };
    assert!(found.status.success());
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("run-1");
    let names = bag_of_admitted_names(&target);
    assert!(names > 900, "{names}");
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let ran = Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", manifest])
            .current_dir(&target)
            .output()
            .expect("starts");
        assert!(ran.status.success(), "{manifest}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn every_bag_of_admitted_names_passes_bagit_py() {
    let Some(python) = std::env::var_os("SEQUESTER_BAGIT_PYTHON") else {
        eprintln!(
            "SKIPPED every_bag_of_admitted_names_passes_bagit_py: set SEQUESTER_BAGIT_PYTHON to a Python \
             with bagit"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let target = folder.path().join("run-1");
    bag_of_admitted_names(&target);
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let validates = |bag: &Path| {
        let ran =
            Command::new(&python).args(["-m", "bagit", "--validate"]).arg(bag).output().expect("starts");
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    for bag in [&target, &study.file("evidence/run-1")] {
        let (good, words) = validates(bag);
        assert!(good, "{words}");
    }
    std::fs::write(target.join("data/more"), "x").expect("writes");
    assert!(!validates(&target).0, "bagit.py finds what is there and not recorded");
}
