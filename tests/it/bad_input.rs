//! Bad input: a located error, the documented exit code, and nothing half-written.

use crate::support::{CASES, Ran, Study, sequester, with_pdf};

/// Runs a study, expects a failure with a code at a place, and that no evidence was written.
fn check(study: &Study, exit: i32, code: &str, place: &str) -> Ran {
    let ran = study.run("run", &[]);
    assert_eq!(ran.code, exit, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{code}]")), "expected {code}:\n{}", ran.stderr);
    assert!(ran.stderr.contains(place), "expected {place}:\n{}", ran.stderr);
    assert!(!study.file("evidence").exists(), "evidence was written");
    assert!(!study.file("reports").exists(), "documents were written");
    let left_over: Vec<_> = study
        .snapshot()
        .into_keys()
        .filter(|p| p.components().any(|c| c.as_os_str().to_string_lossy().starts_with(".sequester-")))
        .collect();
    assert!(left_over.is_empty(), "{left_over:?}");
    ran
}

#[test]
fn a_missing_column_is_named_with_those_that_are_there() {
    let study = Study::small();
    study.replace("cases.csv", "age_years", "years");
    check(&study, 1, "column-missing", "cases.csv:1");
    let study = Study::small();
    study.replace("scores.csv", "score", "probability");
    let ran = check(&study, 1, "column-missing", "scores.csv:1");
    assert!(ran.stderr.contains("the columns are: case_id, probability"));
    let study = Study::small();
    study.replace("reads/reader-2.csv", "reader_id", "reader");
    check(&study, 1, "column-missing", "reads/reader-2.csv:1");
}

#[test]
fn words_that_no_font_has_are_known_before_the_test_set_is_opened() {
    if !cfg!(feature = "pdf") {
        eprintln!("SKIPPED words without a font: this program writes no PDF");
        return;
    }
    let changes: [(&[&str], &str, &str, &str); 4] = [
        (&["protocol.toml"], "A small study", "A small study \u{5f35}", "protocol.toml:5"),
        (&["protocol.toml"], "[data]", "# \u{5f35}\n[data]", "protocol.toml:9"),
        (&["device.toml"], "Example device", "\u{5f35}", "device.toml"),
        (&["reads/reader-1.csv", "reads/reader-2.csv", "reads/reader-3.csv"], "R", "\u{5f35}", "a reader"),
    ];
    for (files, from, to, place) in changes {
        let study = Study::small();
        for file in files {
            study.write(file, &study.read(file).replace(from, to));
        }
        let ran = study.run("check", &[]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let said = "warning[font-missing]: no font has \u{5f35} (U+5F35)";
        assert!(ran.stdout.contains(said) && ran.stdout.contains(place), "{place}: {}", ran.stdout);
        let ran = with_pdf(&["run", study.path().to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("error[font-missing]: no font has \u{5f35} (U+5F35)"), "{}", ran.stderr);
        assert!(!study.file("evidence").exists() && !study.file("ledger.jsonl").exists());
        // The way out that needs nothing.
        let ran = study.run("run", &["--no-pdf"]);
        assert!(matches!(ran.code, 0 | 10), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn what_needs_no_cases_is_looked_at_beside_case_tables_that_cannot_be_read() {
    let study = Study::small();
    study.replace("cases.csv", "C002,", "C001,");
    for file in ["reads/reader-1.csv", "reads/reader-2.csv", "reads/reader-3.csv", "scores.csv"] {
        std::fs::remove_file(study.file(file)).expect("was there");
    }
    study.write("reads/notes.CSV", "case_id\n");
    let ran = study.run("check", &["--json"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let absent = said["absent"].as_array().expect("a list");
    let is_absent = |what: &str| absent.iter().any(|one| one.as_str().is_some_and(|one| one.contains(what)));
    assert!(is_absent("readers' files") && is_absent("scores.csv"), "{said:#}");
    let codes: Vec<&str> = said["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert!(codes.contains(&"duplicate-case") && codes.contains(&"reads-file-unmatched"), "{codes:?}");
    // In words too.
    let ran = study.run("check", &[]);
    assert!(
        ran.stderr.contains("not there yet, and needed by `sequester run`: the readers' files"),
        "{}",
        ran.stderr
    );
    // A draw that finds too few is told at the protocol that asks for them.
    let study = Study::small();
    study.replace("protocol.toml", "cases = 80\npositives = 40", "cases = 120\npositives = 60");
    let ran = study.run("check", &[]);
    assert!(
        ran.stderr.contains("error[too-few-eligible]") && ran.stderr.contains("protocol.toml"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_reader_whose_file_came_twice_is_told_before_the_opening() {
    let study = Study::small();
    let said = || study.run("check", &[]).stdout;
    assert!(!said().contains("reads-identical"), "{}", said());
    study.write("reads/reader-3.csv", &study.read("reads/reader-1.csv").replace(",R1,", ",R3,"));
    assert!(
        said().contains("warning[reads-identical]: the readers R1, R3 read the same cases"),
        "{}",
        said()
    );
    assert!(said().contains("reads/reader-3.csv:2"), "{}", said());
    // One word for every case is no sign of a copy.
    for reader in [1, 3] {
        let file = format!("reads/reader-{reader}.csv");
        study.write(&file, &study.read(&file).replace("positive", "negative"));
    }
    assert!(!said().contains("reads-identical"), "{}", said());
    // Beside what refuses the reads: the copy is the reader who is one too many.
    let study = Study::small();
    study.write("reads/reader-4.csv", &study.read("reads/reader-1.csv").replace(",R1,", ",R4,"));
    let ran = study.run("check", &[]);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains("error[too-many-readers]"), "{said}");
    assert!(said.contains("[reads-identical]: the readers R1, R4 read the same cases"), "{said}");
}

#[test]
fn image_files_that_are_no_images_are_found_by_check() {
    let study = Study::small();
    study.write("cases.csv", &{
        let table = study.read("cases.csv");
        let mut lines = table.lines();
        let mut named = format!("{},image\n", lines.next().expect("a header"));
        for line in lines {
            named += &format!("{line},{}.png\n", line.split(',').next().expect("a case"));
        }
        named
    });
    study.replace("protocol.toml", "cases = \"cases.csv\"", "cases = \"cases.csv\"\nimages = \"images\"");
    study.replace("protocol.toml", "[scores]\nfile = \"scores.csv\"\n", "");
    std::fs::remove_file(study.file("scores.csv")).expect("was there");
    let picture = b"\x89PNG\r\n\x1a\n and what follows is looked at when it is scored";
    for number in 0..CASES {
        let file = study.file(&format!("images/C{number:03}.png"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("makes");
        std::fs::write(file, picture).expect("writes");
    }
    let looked = || study.run("check", &[]).stderr;
    assert!(!looked().contains("image-unreadable"), "{}", looked());
    for number in 0..CASES {
        let bytes: &[u8] = [&b""[..], b"GIF89a", b"hello"][number % 3];
        std::fs::write(study.file(&format!("images/C{number:03}.png")), bytes).expect("writes");
    }
    let said = looked();
    assert!(
        said.contains("error[image-unreadable]: 80 of 80 images are neither PNG nor JPEG nor DICOM: "),
        "{said}"
    );
    assert!(said.contains("(empty)"), "{said}");
}

#[test]
fn a_duplicate_case_is_located() {
    let study = Study::small();
    study.replace("cases.csv", "C005,", "C004,");
    check(&study, 1, "duplicate-case", "cases.csv:7");
    let study = Study::small();
    study.replace("scores.csv", "C005,", "C004,");
    check(&study, 1, "duplicate-case", "scores.csv:7");
}

#[test]
fn a_patient_on_both_sides_is_named() {
    let study = Study::small();
    study.write("development.csv", "case_id,patient_id,label\nD1,Q1,1\nD2,P003,0\n");
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"",
        "cases = \"cases.csv\"\ndevelopment = \"development.csv\"",
    );
    let ran = check(&study, 1, "patient-on-both-sides", "development.csv:3");
    assert!(ran.stderr.contains("P003"));
}

/// A study whose scores name their images, beside a model that was trained on these rows.
fn trained_on(folder: &str, rows: &str) -> Study {
    let study = Study::small();
    let digest = |case: &str| sequester::digest::Digest::of(case.as_bytes());
    let mut scores = String::new();
    for (number, line) in study.read("scores.csv").lines().enumerate() {
        let case = line.split(',').next().unwrap_or_default();
        let added = if number == 0 { "image_sha256".to_owned() } else { digest(case).to_string() };
        scores += &format!("{line},{added}\n");
    }
    study.write("scores.csv", &scores);
    std::fs::create_dir_all(study.file(folder)).expect("creates");
    let rows = rows.replace("{digest of C004}", &digest("C004").to_string());
    let header = "case_id,patient_id,label,image_sha256\n";
    study.write(&format!("{folder}/training-manifest.csv"), &format!("{header}{rows}"));
    study.write(&format!("{folder}/tuning-manifest.csv"), &format!("{header}T9,Q9,0,{}\n", digest("T9")));
    study
}

#[test]
fn patients_cases_and_images_that_trained_the_model_are_found_before_anything_is_scored() {
    // Wherever the manifests lie, and whether or not the model is locked.
    for folder in ["model/run", "model"] {
        let study = trained_on(folder, "T1,P003,1,\nC002,Q1,0,\nT2,Q2,0,{digest of C004}\n");
        let ran = study.run("check", &[]);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        for part in [
            "error[trained-on-test-set]: 4 cases of the study",
            "1 by patient (P003); 1 by case (C002); 1 by image file (C004)",
            "model/training-manifest.csv",
        ] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("tuning-manifest"), "{}", ran.stderr);
    }
    let apart = trained_on("model/run", "T1,Q3,1,\n");
    let ran = apart.run("check", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn scores_outside_0_to_1_and_missing_scores_are_located() {
    let study = Study::small();
    study.replace("scores.csv", "C000,0.", "C000,7.");
    study.replace("scores.csv", "C002,0.", "C002,-0.");
    study.replace("scores.csv", "C004,0.", "C004,x");
    let ran = check(&study, 1, "score-out-of-range", "scores.csv:2");
    assert!(
        ran.stderr.contains("scores.csv:4") && ran.stderr.contains("error[score-not-a-number]"),
        "{}",
        ran.stderr
    );
    let study = Study::small();
    let text = study.read("scores.csv");
    let without: String = text.lines().filter(|l| !l.starts_with("C01")).map(|l| format!("{l}\n")).collect();
    study.write("scores.csv", &without);
    let ran = check(&study, 1, "score-missing", "scores.csv");
    assert!(ran.stderr.contains("the score is missing for"), "{}", ran.stderr);
}

#[test]
fn a_reader_who_read_a_case_twice_is_located() {
    let study = Study::small();
    let reads = study.read("reads/reader-1.csv");
    study.write("reads/reader-1.csv", &format!("{reads}C009,R1,negative\n"));
    let ran = check(&study, 1, "repeated-read", &format!("reader-1.csv:{}", CASES + 2));
    assert!(ran.stderr.contains("reads/reader-1.csv:11"), "{}", ran.stderr);
}

#[test]
fn a_read_that_means_nothing_and_an_unknown_case_are_located() {
    let study = Study::small();
    study.replace("reads/reader-3.csv", "C001,R3,negative", "C001,R3,perhaps");
    check(&study, 1, "read-unknown", "reads/reader-3.csv:3");
    let study = Study::small();
    study.replace("reads/reader-3.csv", "C001,", "C999,");
    check(&study, 1, "unknown-case", "reads/reader-3.csv:3");
}

#[test]
fn an_unknown_key_in_the_protocol_is_located_and_the_nearest_is_named() {
    let study = Study::small();
    study.replace("protocol.toml", "replicates = 200", "replicats = 200");
    let ran = check(&study, 1, "unknown-key", "protocol.toml:45:1");
    assert!(ran.stderr.contains("did you mean `replicates`?"), "{}", ran.stderr);
}

#[test]
fn too_few_eligible_cases_give_the_numbers() {
    let study = Study::small();
    study.replace("protocol.toml", "cases = 80\npositives = 40", "cases = 130\npositives = 65");
    let ran = check(&study, 1, "too-few-eligible", "the target is 65 cases with and 65 without");
    assert!(!study.file("ledger.jsonl").exists(), "the protocol was locked: {}", ran.stderr);
}

#[test]
fn one_class_only_is_not_evaluable() {
    let study = Study::small();
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        let text = study.read(&name).replace("positive", "negative");
        study.write(&name, &text);
    }
    check(&study, 1, "one-class", "are negative by the reference standard");
}

/// The same rule and the same end as at the lock: no threshold above every score.
#[test]
fn an_operating_point_that_no_tuning_score_reaches_is_refused_with_the_way_out() {
    let tuned = |labels: &str| {
        let study = Study::small();
        study.write("tuning.csv", &format!("case_id,patient_id,label\n{labels}"));
        study.write("scores.csv", &format!("{}T1,0.9\nT2,0.4\n", study.read("scores.csv")));
        study.replace(
            "protocol.toml",
            "source = \"declared\"\nthreshold = 0.5\nrationale = \"declared before the study\"",
            "source = \"tuning\"\ncases = \"tuning.csv\"\nrule = \"specificity\"\ntarget = 0.9",
        );
        study
    };
    let ran = check(&tuned("T1,Q1,0\nT2,Q2,1\n"), 1, "operating-point", "tuning.csv");
    assert!(ran.stderr.contains("`specificity=0.9`") && ran.stderr.contains("hint: name a target"));
    check(&tuned("T1,Q1,1\nT2,Q2,1\n"), 1, "tuning-one-class", "tuning.csv");
    let ran = tuned("T1,Q1,1\nT2,Q2,0\n").run("run", &[]);
    assert!(!ran.stderr.contains("error[operating-point]"), "{}", ran.stderr);
}

#[test]
fn missing_files_are_all_named_at_once() {
    let study = Study::small();
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    check(&study, 1, "file-missing", "scores.csv");
    let study = Study::small();
    std::fs::remove_file(study.file("cases.csv")).expect("removes");
    check(&study, 1, "file-missing", "cases.csv");
    let study = Study::small();
    std::fs::remove_dir_all(study.file("reads")).expect("removes");
    check(&study, 1, "reads-missing", "reads/*.csv");
}

#[test]
fn bytes_that_are_no_text_and_empty_files_are_errors() {
    for name in ["cases.csv", "scores.csv", "reads/reader-1.csv", "protocol.toml"] {
        for bytes in [&b""[..], b"\xff\xfe\x00\x00", b"\n\n\n", b"\"", b"a,b\n\"unclosed"] {
            let study = Study::small();
            std::fs::write(study.file(name), bytes).expect("writes");
            let ran = study.run("run", &[]);
            assert_eq!(ran.code, 1, "{name} {bytes:?}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("error["), "{name} {bytes:?}: {}", ran.stderr);
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            assert!(!study.file("evidence").exists());
        }
    }
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let study = Study::small();
    study.replace("cases.csv", "C005,", "C004,");
    let ran = study.run("run", &["--json"]);
    assert_eq!(ran.code, 1);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON alone on standard output");
    assert_eq!(report["exit_code"], 1);
    assert_eq!(report["diagnostics"][0]["code"], "duplicate-case");
    assert_eq!(report["diagnostics"][0]["location"]["line"], 7);
}

#[test]
fn a_folder_that_is_no_study_says_how_to_begin() {
    let folder = tempfile::tempdir().expect("a folder");
    for command in ["run", "dataset", "validate", "verify", "report", "check"] {
        let ran = sequester(&[command, folder.path().to_str().expect("UTF-8")]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint:"), "{command}: {}", ran.stderr);
    }
}

/// On a file system of 64 KiB the bundle does not fit.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_leaves_nothing_half_written() {
    let study = Study::small();
    let full = study.file("full");
    std::fs::create_dir(&full).expect("creates");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs", full.to_str().expect("UTF-8")])
        .output()
        .is_ok_and(|o| o.status.success());
    if !mounted {
        eprintln!("SKIPPED a_full_disk_is_an_error_and_leaves_nothing_half_written: mounting needs root");
        return;
    }
    let ran = study.run("run", &["--out", full.to_str().expect("UTF-8")]);
    let evidence = full.join("evidence/run-1").exists();
    let left_over = crate::support::files(&full)
        .into_keys()
        .filter(|p| p.components().any(|c| c.as_os_str().to_string_lossy().starts_with(".sequester-")))
        .count();
    let unmounted = std::process::Command::new("umount").arg(&full).status().is_ok_and(|s| s.success());
    assert!(unmounted);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("error[disk-full]"), "{}", ran.stderr);
    assert!(!evidence, "a bundle that is not complete was published");
    assert_eq!(left_over, 0);
}

#[test]
fn a_protocol_that_is_no_text_is_told_with_line_and_column() {
    let study = Study::small();
    let mut bytes = study.read("protocol.toml").into_bytes();
    let lines = bytes.iter().filter(|b| **b == b'\n').count();
    bytes.extend(b"# L\xfcngen\n");
    std::fs::write(study.file("protocol.toml"), bytes).expect("writes");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let place = format!("protocol.toml:{}:4", lines + 1);
    assert!(ran.stderr.contains(&place) && ran.stderr.contains("0xfc"), "{}", ran.stderr);
    assert!(ran.stderr.contains("save the file as UTF-8"), "{}", ran.stderr);
}

#[test]
fn a_run_that_is_not_there_is_told_beside_those_that_are() {
    let study = Study::small();
    assert!([0, 10].contains(&study.run("run", &[]).code));
    for name in ["run-3", "1", ""] {
        let ran = study.run("verify", &["--run", name]);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("has no `{name}`")) && ran.stderr.contains("there is run-1"));
    }
}

#[test]
fn a_name_that_a_key_and_a_code_share_is_explained_as_both() {
    for name in ["margin", "criterion"] {
        let ran = sequester(&["explain", name, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let all = told["explained"].as_array().expect("a list");
        assert!(all.iter().any(|one| one["code"] == name), "{name}: {told:#}");
        assert!(all.iter().any(|one| one.get("code").is_none()), "{name}: {told:#}");
    }
}

#[test]
fn a_design_refuses_components_that_no_pilot_can_have() {
    let design = |cov1: &str, cov2: &str| {
        let words = ["design", "mrmc", "--difference", "0.08", "--variance", "0.002", "--cov1", cov1];
        let more = ["--cov2", cov2, "--cov3", "0.0007", "--interaction", "0.0004", "--pilot-cases", "100"];
        sequester(&[&words[..], &more, &["--readers", "5"]].concat())
    };
    assert_eq!(design("0.0012", "0.0011").code, 0);
    for (cov1, cov2) in [("0.003", "0.0011"), ("0.1", "0.0011"), ("0.0012", "0.005"), ("0.0019", "0.0019")] {
        let ran = design(cov1, cov2);
        assert!(ran.code == 2 && ran.stdout.is_empty(), "{cov1} {cov2}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn one_person_under_two_spellings_is_no_second_reader() {
    for (spelt, again) in [("M\u{fc}ller", "Mu\u{308}ller"), ("R1", "R1\u{200b}"), ("R1", "\u{ff32}\u{ff11}")]
    {
        let study = Study::small();
        let text = study.read("reads/reader-1.csv");
        let reader =
            text.lines().nth(1).and_then(|line| line.split(',').nth(1)).expect("a reader").to_owned();
        let respelt = |(nth, line): (usize, &str)| {
            let name = if nth % 2 == 0 { spelt } else { again };
            format!("{}\n", line.replace(&format!(",{reader},"), &format!(",{name},")))
        };
        study.write("reads/reader-1.csv", &text.lines().enumerate().map(respelt).collect::<String>());
        for command in ["check", "run"] {
            let ran = study.run(command, &[]);
            assert_eq!(ran.code, 1, "{command} {spelt}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("readers-alike"), "{command} {spelt}: {}", ran.stderr);
        }
        assert!(!study.file("evidence").exists(), "nothing was opened");
    }
}

#[test]
fn a_table_of_ratings_in_which_one_reader_is_two_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ratings.csv");
    let table = |third: &str, case: &str, aided: &str| {
        let mut text = "reader,case,modality,truth,rating\n".to_owned();
        for nth in 0..20 {
            for (reader, shift) in [("R1", 3), ("R2", 5), (if nth < 10 { "R3" } else { third }, 7)] {
                for (modality, gain) in [(if nth == 3 { aided } else { "aided" }, 2), ("unaided", 0)] {
                    let rating = (nth * shift) % 10 + if nth % 2 == 0 { 3 + gain } else { 0 };
                    let name =
                        if nth == 0 && reader == "R2" { case.to_owned() } else { format!("c{nth:02}") };
                    text += &format!("{reader},{name},{modality},{},{rating}\n", u8::from(nth % 2 == 0));
                }
            }
        }
        std::fs::write(&file, text).expect("writes");
        sequester(&["reads", "mrmc", file.to_str().expect("UTF-8"), "--label", "truth", "--score", "rating"])
    };
    assert_eq!(table("R3", "c00", "aided").code, 0, "the table as it should be");
    for (third, case, aided, code) in [
        ("r3", "c00", "aided", "readers-alike"),
        ("R3\u{200b}", "c00", "aided", "readers-alike"),
        ("R3", "C00", "aided", "ids-alike"),
        ("R3", "c00", "Aided", "ids-alike"),
    ] {
        let ran = table(third, case, aided);
        assert!(
            ran.code == 1 && ran.stderr.contains(code),
            "{third} {case} {aided}: {}{}",
            ran.stdout,
            ran.stderr
        );
        assert!(ran.stderr.contains("ratings.csv"), "{}", ran.stderr);
    }
}
