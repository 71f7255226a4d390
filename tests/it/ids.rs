//! Ids that differ in form alone, and `check`, which opens everything that a study brings.

use crate::support::{Ran, Study, sequester};

fn written(tables: &[(&str, &str)], command: &[&str], more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let mut arguments: Vec<String> = command.iter().map(|&s| s.to_owned()).collect();
    for (name, text) in tables {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        arguments.push(path.display().to_string());
    }
    arguments.extend(more.iter().map(|&s| s.to_owned()));
    sequester(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn patients_whose_ids_differ_in_form_alone_are_a_leak_until_it_is_said_that_they_differ() {
    let pairs = [("00000001", "1"), ("p07", "P 7"), ("12.0", "12"), ("A.1", "a1")];
    for (one, other) in pairs {
        let tables = [
            ("a.csv", &*format!("case_id,patient_id\na,{one}\n")),
            ("b.csv", &*format!("case_id,patient_id\nb,{other}\n")),
        ];
        let ran = written(&tables, &["dataset", "leakage"], &[]);
        assert_eq!(ran.code, 10, "{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("patients {one} and {other}")), "{}", ran.stdout);
        let ran = written(&tables, &["dataset", "leakage"], &["--distinct-ids", "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!((&report["distinct_ids"], &report["separate"]), (&true.into(), &true.into()));
        assert_eq!(report["in_common"][0]["kind"], "probable-patient");
    }
    let tables = [("a.csv", "case_id,patient_id\na,10\n"), ("b.csv", "case_id,patient_id\nb,1\n")];
    let ran = written(&tables, &["dataset", "leakage"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

#[test]
fn a_split_keeps_the_ids_of_patients_as_they_came() {
    let mut table =
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
            .to_owned();
    for n in 0..40 {
        let finding = if n % 2 == 0 { "Pneumonia" } else { "No Finding" };
        table += &format!("{n:08}_000.png,{finding},0,{n:08},50,F,PA\n");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (path, out) = (folder.path().join("d.csv"), folder.path().join("out"));
    std::fs::write(&path, &table).expect("writes");
    let text = |path: &std::path::Path| path.display().to_string();
    let ran = sequester(&[
        "dataset",
        "split",
        &text(&path),
        "--positive",
        "Pneumonia",
        "--images",
        "20,10,rest",
        "--out",
        &text(&out),
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let written = std::fs::read_to_string(out.join("split.csv")).expect("reads");
    for row in written.lines().skip(1) {
        let mut cells = row.split(',');
        let (case, patient) = (cells.next().expect("case"), cells.next().expect("patient"));
        assert_eq!(patient, &case[..8], "{row}");
    }
}

#[test]
fn readers_whose_ids_differ_in_form_alone_do_not_vote_twice() {
    for (one, other) in [("EF", "ef"), ("R 1", "R1"), ("reader01", "reader1")] {
        let study = Study::small();
        study.replace("reads/reader-1.csv", ",R1,", &format!(",{one},"));
        study.replace("reads/reader-2.csv", ",R2,", &format!(",{other},"));
        for command in ["check", "reads", "run"] {
            let ran = study.run(command, &[]);
            assert_eq!(ran.code, 1, "{command}: {}{}", ran.stdout, ran.stderr);
            let both = ran.stderr.contains(&format!("`{one}`")) && ran.stderr.contains(&format!("`{other}`"));
            assert!(ran.stderr.contains("error[readers-alike]") && both, "{}", ran.stderr);
        }
        let table = format!("case_id,reader_id,read\na,{one},1\na,{other},1\nb,{one},0\nb,{other},0\n");
        let ran = written(&[("r.csv", &table)], &["reads", "agreement"], &[]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stderr.contains("error[readers-alike]"), "{}", ran.stderr);
    }
}

#[test]
fn an_unknown_case_names_the_one_that_is_probably_meant() {
    let study = Study::small();
    study.replace("reads/reader-1.csv", "C007,", "c7,");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the case `c7` is not in the case table; `C007` is"), "{}", ran.stderr);
    let study = Study::small();
    study.replace("scores.csv", "C0", "c0");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error[score-missing]") && ran.stderr.contains("`c0"), "{}", ran.stderr);
}

#[test]
fn patients_of_development_that_are_probably_in_the_study_end_check_with_10_and_are_told_in_the_document() {
    let study = Study::small();
    let mut development = String::from("case_id,patient_id,sex,age_years,view,label\n");
    for n in 0..20 {
        development += &format!("D{n:03},Q{n:03},F,50,PA,{}\n", n % 2);
    }
    development += "D900,p 1,F,50,PA,1\n";
    study.write("development.csv", &development);
    study.replace("protocol.toml", "[data]\n", "[data]\ndevelopment = \"development.csv\"\n");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("warning[patient-probably-shared]"), "{}", ran.stdout);
    assert!(ran.stdout.contains("`P001` and `p 1`"), "{}", ran.stdout);
    let ran = study.run("check", &["--distinct-ids"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("as said with --distinct-ids"), "{}", ran.stdout);
    assert_eq!(study.run("run", &[]).code, 0);
    assert!(study.read("evidence/run-1/data/results.json").contains("patient-probably-shared"));
    assert!(study.read("reports/run-1/report.html").contains("are probably patients of development"));
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn what_check_calls_valid_run_does_not_stop_on() {
    // Each way to break an input: `check` finds it, in the words that `run` would.
    type Break = (&'static str, fn(&Study));
    let breaks: [Break; 9] = [
        ("read-unknown", |s| s.replace("reads/reader-1.csv", "C007,R1,", "C007,R1,un")),
        ("reader-count", |s| s.write("reads/reader-3.csv", "case_id,reader_id,read\n")),
        ("repeated-read", |s| s.replace("reads/reader-2.csv", ",R2,", ",R1,")),
        ("quote-unclosed", |s| s.replace("reads/reader-2.csv", "C010,R2,", "C010,R2,\"")),
        ("score-out-of-range", |s| s.replace("scores.csv", "C000,0", "C000,7")),
        ("score-missing", |s| s.write("scores.csv", "case_id,score\nC000,0.5\n")),
        ("column-missing", |s| s.replace("scores.csv", "score", "probability")),
        ("template", |s| {
            std::fs::create_dir_all(s.file("templates")).expect("a folder");
            std::fs::write(s.file("templates/report.md"), [0xff, 0xfe, 0x41]).expect("writes");
        }),
        ("no-consensus", |s| {
            s.replace("protocol.toml", "no_consensus = \"exclude\"", "no_consensus = \"refuse\"");
            s.replace("reads/reader-2.csv", "positive", "");
            s.replace("reads/reader-3.csv", "negative", "");
        }),
    ];
    for (code, broken) in breaks {
        let study = Study::small();
        broken(&study);
        let before = study.snapshot();
        let ran = study.run("check", &[]);
        assert_eq!(ran.code, 1, "{code}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{code}: {}", ran.stderr);
        assert_eq!(before, study.snapshot(), "{code}: check writes nothing");
        assert_ne!(study.run("run", &[]).code, 0, "{code}");
    }
    // Nothing is written, no score and no read is shown.
    let study = Study::small();
    let before = study.snapshot();
    let ran = study.run("check", &["--json"]);
    assert_eq!(before, study.snapshot());
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&report["valid"], &report["ready"]), (&true.into(), &true.into()));
    for word in ["positive\"", "0.35", "C000"] {
        assert!(!ran.stdout.contains(word), "{word}: {}", ran.stdout);
    }
    assert_eq!(study.run("run", &[]).code, 0);
}

#[test]
fn what_is_not_there_yet_is_said_and_is_no_error() {
    let study = Study::small();
    std::fs::remove_dir_all(study.file("reads")).expect("removes");
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("the study is valid"), "{}", ran.stdout);
    for words in
        ["what is there is valid", "the readers' files (reads/*.csv)", "the score table (scores.csv)"]
    {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
}

#[test]
fn patients_whose_ids_look_alike_are_no_two_patients() {
    let study = Study::small();
    let cases = study.read("cases.csv").replace("C004,P002", "C004,M\u{fc}ller");
    study.write("cases.csv", &cases);
    study.write("other.csv", "case_id,patient_id,label\nD1,Mu\u{308}ller,1\nD2,Q2,0\n");
    let (cases, other) = (study.file("cases.csv"), study.file("other.csv"));
    let both = ["dataset", "leakage", cases.to_str().expect("UTF-8"), other.to_str().expect("UTF-8")];
    let ran = sequester(&both);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("patients M\u{fc}ller and Mu\\u{308}ller"), "{}", ran.stdout);
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"",
        "cases = \"cases.csv\"\ndevelopment = \"other.csv\"",
    );
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    let said = "probably patients of development: `M\u{fc}ller` and `Mu\\u{308}ller`; they look alike";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    // Within one table it is a warning: ids are compared as they stand.
    let study = Study::small();
    study.write("cases.csv", &study.read("cases.csv").replace("C004,P002", "C004,P003\u{200b}"));
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("patients are probably the same: `P003`, `P003\\u{200b}`; they look"),
        "{}",
        ran.stdout
    );
}
