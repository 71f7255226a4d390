//! Readers' files come in, are corrected, and are evidence from then on.

use std::path::{Path, PathBuf};

use crate::support::{Ran, Study, sequester};

/// A study whose readers' files lie elsewhere still.
fn before_reading() -> (Study, tempfile::TempDir, [PathBuf; 3]) {
    let study = Study::small();
    let outside = tempfile::tempdir().expect("a folder");
    let files = [1, 2, 3].map(|reader| {
        let name = format!("reader-{reader}.csv");
        let to = outside.path().join(&name);
        std::fs::rename(study.file(&format!("reads/{name}")), &to).expect("moves");
        to
    });
    (study, outside, files)
}

fn import(study: &Study, files: &[&Path], more: &[&str]) -> Ran {
    let mut arguments = vec!["reads", "import", study.path().to_str().expect("UTF-8")];
    arguments.extend(files.iter().map(|file| file.to_str().expect("UTF-8")));
    arguments.extend(more);
    sequester(&arguments)
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr))
}

#[test]
fn files_are_looked_at_first_then_kept_with_who_and_when_and_become_evidence() {
    let (study, _outside, files) = before_reading();
    let untouched = study.snapshot();
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let looked = import(&study, &all, &["--dry-run"]);
    assert_eq!(looked.code, 0, "{}", looked.stderr);
    for says in ["reader R1: 120 cases: 60 positive, 60 negative", "nothing was written"] {
        assert!(looked.stdout.contains(says), "{says}: {}", looked.stdout);
    }
    assert_eq!(study.snapshot(), untouched, "a dry run writes nothing");
    // The first of three: there is no reference standard yet, and that is no error.
    let first = import(&study, &all[..1], &["--by", "A. Example", "--blinding", "images alone, no score"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert!(first.stdout.contains("no reference standard yet"), "{}", first.stdout);
    let rest = import(&study, &all[1..], &["--json"]);
    assert_eq!(rest.code, 0, "{}", rest.stderr);
    assert_eq!(json(&rest)["imports"], 3);
    for file in &files {
        let kept = std::fs::read(study.file("reads").join(file.file_name().expect("a name"))).expect("kept");
        assert_eq!(kept, std::fs::read(file).expect("reads"), "byte for byte");
    }
    let whole = study.snapshot();
    let again = import(&study, &all, &[]);
    assert!(again.code == 0 && again.stdout.contains("imported already"), "{}{}", again.stdout, again.stderr);
    assert_eq!(study.snapshot(), whole, "what is there is not written again");
    assert_eq!(study.run("run", &[]).code, 0);
    let register = study.read("evidence/run-1/data/inputs/reads/imports.json");
    assert!(register.contains("A. Example") && register.contains("images alone, no score"), "{register}");
    assert!(study.read("ledger.jsonl").contains("\"event\":\"reads-imported\""));
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn a_replaced_file_is_an_error_and_a_file_put_there_by_hand_is_said() {
    let (study, outside, files) = before_reading();
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert_eq!(import(&study, &all, &[]).code, 0);
    study.replace("reads/reader-1.csv", "C000,R1,negative", "C000,R1,positive");
    for command in ["check", "reads", "run"] {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1, "{command}: {}", ran.stdout);
        assert!(ran.stderr.contains("error[reads-replaced]"), "{command}: {}", ran.stderr);
        assert!(ran.stderr.contains("--supersedes"), "{}", ran.stderr);
    }
    study.replace("reads/reader-1.csv", "C000,R1,positive", "C000,R1,negative");
    // The same name with other contents is no import either.
    let other = outside.path().join("sub");
    std::fs::create_dir(&other).expect("makes");
    let text =
        std::fs::read_to_string(&files[0]).expect("reads").replace("C004,R1,positive", "C004,R1,negative");
    std::fs::write(other.join("reader-1.csv"), text).expect("writes");
    let refused = import(&study, &[&other.join("reader-1.csv")], &[]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("error[reads-replaced]"), "{}", refused.stderr);
    std::fs::remove_file(study.file("reads/reader-2.csv")).expect("removes");
    assert!(study.run("reads", &[]).stderr.contains("and is gone"));
    std::fs::copy(&files[1], study.file("reads/reader-2.csv")).expect("copies");
    // A file that nobody imported counts, and is said.
    study.write("reads/late.csv", "case_id,reader_id,read\n");
    let ran = study.run("check", &[]);
    assert!(ran.stdout.contains("reads-unregistered"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_correction_keeps_both_files_lists_every_change_and_needs_a_reason_after_the_opening() {
    let (study, outside, files) = before_reading();
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert_eq!(import(&study, &all, &[]).code, 0);
    assert_eq!(study.run("run", &[]).code, 0);
    let corrected = outside.path().join("reader-1-corrected.csv");
    let text = std::fs::read_to_string(&files[0]).expect("reads");
    let text = text.replace("C002,R1,positive", "C002,R1,negative").replace("C011,R1,negative\n", "");
    std::fs::write(&corrected, text).expect("writes");
    let wrong: [(&[&str], i32); 5] = [
        (&["--supersedes", "reads/reader-1.csv"], 2),
        (&["--reason", "typing error"], 2),
        (&["--supersedes", "reads/reader-1.csv", "--reason", "."], 1),
        (&["--supersedes", "reads/reader-9.csv", "--reason", "typing error"], 1),
        (&["--supersedes", "../x", "--reason", "typing error"], 1),
    ];
    let whole = study.snapshot();
    for (more, code) in wrong {
        let ran = import(&study, &[&corrected], more);
        assert_eq!(ran.code, code, "{more:?}: {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(study.snapshot(), whole, "what was refused left nothing");
    let asked = ["--supersedes", "reads/reader-1.csv", "--reason", "two reads were mistyped"];
    let looked = import(&study, &[&corrected], &[&asked[..], &["--dry-run", "--json"]].concat());
    let changes = json(&looked)["correction"].clone();
    assert_eq!(changes["reads"].as_array().map(Vec::len), Some(2), "{changes}");
    assert_eq!(study.snapshot(), whole);
    let ran = import(&study, &[&corrected], &asked);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for says in ["case C002, reader R1: positive -> negative", "case C011, reader R1: negative -> none"] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    assert!(
        study.file("reads/reader-1.csv").is_file() && study.file("reads/reader-1-corrected.csv").is_file()
    );
    // What a second opening needs.
    assert_eq!(study.run("run", &[]).code, 30);
    let second = study.run("run", &["--reason", "two reads of R1 were corrected"]);
    assert!([0, 10].contains(&second.code), "{}", second.stderr);
    let register = study.read("evidence/run-2/data/inputs/reads/imports.json");
    assert!(register.contains("two reads were mistyped") && register.contains("C011"), "{register}");
    let readers = study.read("evidence/run-2/data/results.json");
    assert!(readers.contains("\"id\": \"R1\""));
    assert_eq!(study.run("verify", &[]).code, 0);
    // A second correction of the same file contradicts the first.
    let twice = outside.path().join("reader-1-again.csv");
    std::fs::copy(&files[0], &twice).expect("copies");
    assert_eq!(import(&study, &[&twice], &asked).code, 1);
}

#[test]
fn what_identifies_a_person_is_named_and_kept_out_where_it_is_asked() {
    let (study, outside, files) = before_reading();
    let named = outside.path().join("reader-1.csv");
    let text = std::fs::read_to_string(&files[0]).expect("reads");
    let lines = text.lines().enumerate().map(|(nth, line)| {
        if nth == 0 { format!("{line},e-mail\n") } else { format!("{line},reader@example.org\n") }
    });
    std::fs::write(&named, lines.collect::<String>()).expect("writes");
    let looked = import(&study, &[&named], &["--dry-run"]);
    assert!(looked.stderr.contains("warning[identifies-person]"), "{}", looked.stderr);
    assert!(looked.stderr.contains("--withhold"), "{}", looked.stderr);
    let refused = import(&study, &[&named], &[]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("error[identifies-person]"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--keep-identifying"), "{}", refused.stderr);
    assert!(!study.file("reads/reader-1.csv").exists() && !study.file("reads/imports.json").exists());
    let ran = import(&study, &[&named], &["--withhold", "e-mail"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("identifies-person"), "{}", ran.stderr);
    assert_eq!(study.read("reads/reader-1.csv"), text, "the file without the column");
    assert!(
        study.read("reads/withheld/reader-1.csv").contains("reader@example.org"),
        "as it came, beside it"
    );
    let rest: Vec<&Path> = files[1..].iter().map(PathBuf::as_path).collect();
    assert_eq!(import(&study, &rest, &[]).code, 0);
    assert_eq!(study.run("run", &[]).code, 0);
    for (path, bytes) in crate::support::files(&study.file("evidence")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("reader@example.org"), "{}", path.display());
    }
    let register = study.read("evidence/run-1/data/inputs/reads/imports.json");
    let original = sequester::digest::Digest::of(study.read("reads/withheld/reader-1.csv").as_bytes());
    assert!(register.contains(&original.to_string()), "both digests: {register}");
    let absent = import(&study, &[&named], &["--withhold", "telephone"]);
    assert!(absent.code == 1 && absent.stderr.contains("error[column-missing]"), "{}", absent.stderr);
}

#[test]
fn what_cannot_be_imported_is_refused_by_name_and_leaves_nothing() {
    let (study, outside, files) = before_reading();
    let whole = study.snapshot();
    let write = |name: &str, text: &str| {
        let path = outside.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    };
    let cases: [(&str, &str, &[&str], &str); 6] = [
        ("reads.txt", "case_id,reader_id,read\nC000,R1,positive\n", &[], "reads-not-matched"),
        ("a.csv", "case_id,reader_id,read\nX000,R1,positive\n", &[], "unknown-case"),
        ("b.csv", "case_id,reader_id,read\nC000,R1,perhaps\n", &[], "read-unknown"),
        ("c.csv", "case_id,reader_id,read\nC000,R1,positive\n", &["--from", "redcap"], "reads-format"),
        ("d.csv", "case_id,reader_id,read\nC000,R1,positive\nC000,R1,negative\n", &[], "repeated-read"),
        ("e.csv", "case_id,reader_id,read\n\"C000,R1,positive\n", &[], "quote-unclosed"),
    ];
    for (name, text, more, code) in cases {
        let ran = import(&study, &[&write(name, text)], more);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stdout);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{name}: {}", ran.stderr);
    }
    assert_eq!(import(&study, &[&outside.path().join("nothing.csv")], &[]).code, 1);
    assert_eq!(import(&study, &[&files[0]], &["--blinding", " "]).code, 2);
    // One bad file among good ones: none is kept.
    let mixed = import(&study, &[&files[0], &outside.path().join("b.csv")], &[]);
    assert_eq!(mixed.code, 1);
    assert_eq!(study.snapshot(), whole);
}

#[test]
fn an_import_that_was_killed_is_finished_by_the_same_command() {
    let (study, _outside, files) = before_reading();
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    assert_eq!(import(&study, &all, &[]).code, 0);
    let whole = study.snapshot();
    // After the first file; after all files; after the register.
    let remove = |names: &[&str]| {
        names.iter().for_each(|name| std::fs::remove_file(study.file(name)).expect("removes"))
    };
    for lost in [
        &["reads/reader-2.csv", "reads/reader-3.csv", "reads/imports.json", "ledger.jsonl"][..],
        &["reads/imports.json", "ledger.jsonl"],
        &["ledger.jsonl"],
    ] {
        remove(lost);
        assert_eq!(import(&study, &all, &[]).code, 0, "{lost:?}");
        assert_eq!(study.snapshot(), whole, "{lost:?}");
    }
}

#[test]
fn a_person_may_be_kept_where_somebody_says_so() {
    let (study, outside, files) = before_reading();
    let named = outside.path().join("reader-1.csv");
    let text = std::fs::read_to_string(&files[0]).expect("reads");
    let with = |(nth, line): (usize, &str)| format!("{line},{}\n", if nth == 0 { "e-mail" } else { "none" });
    std::fs::write(&named, text.lines().enumerate().map(with).collect::<String>()).expect("writes");
    let ran = import(&study, &[&named], &["--keep-identifying"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(study.read("reads/reader-1.csv").contains("e-mail"));
}

#[test]
fn what_is_not_read_yet_and_who_is_too_many_is_said_before_anything_is_kept() {
    let (study, outside, files) = before_reading();
    let short = outside.path().join("reader-1.csv");
    let text = std::fs::read_to_string(&files[0]).expect("reads");
    let half: String = text.lines().take(60).map(|line| format!("{line}\n")).collect();
    std::fs::write(&short, half).expect("writes");
    let ran = import(&study, &[&short], &["--dry-run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let told = ran.stdout.lines().find(|line| line.contains("not read by R1: ")).expect("says so");
    assert!(told.contains(" drawn cases of ") && told.contains("C"), "{told}");
    let listed = json(&import(&study, &[&short], &["--dry-run", "--json"]))["not_read"]["R1"].clone();
    let listed = listed.as_array().expect("a list").len();
    assert!(listed > 5 && told.contains(&format!("R1: {listed} drawn")), "{told}");
    assert_eq!(import(&study, &[&files[0]], &[]).code, 0);
    let rest: Vec<&Path> = files[1..].iter().map(PathBuf::as_path).collect();
    assert_eq!(import(&study, &rest, &[]).code, 0);
    let stranger = outside.path().join("reader-9.csv");
    let id = text.lines().nth(1).and_then(|line| line.split(',').nth(1)).expect("a reader").to_owned();
    std::fs::write(&stranger, text.replace(&format!(",{id},"), ",R9,")).expect("writes");
    let ran = import(&study, &[&stranger], &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("error[too-many-readers]") && ran.stderr.contains("R9"), "{}", ran.stderr);
    assert!(!study.file("reads/reader-9.csv").exists());
}
