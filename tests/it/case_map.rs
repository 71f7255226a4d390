//! Readers' files that name images by UID, accession number or another id: a table says which case it is;
//! labels that the readers' files mark, and tables of labels, are imported and used.

use std::path::Path;

use crate::support::{Ran, Study, sequester};

fn import(study: &Study, files: &[&Path], more: &[&str]) -> Ran {
    let mut arguments = vec!["reads", "import", study.path().to_str().expect("UTF-8")];
    arguments.extend(files.iter().map(|file| file.to_str().expect("UTF-8")));
    arguments.extend(more);
    sequester(&arguments)
}

/// The small study whose readers name UIDs; the case table says which is which.
fn by_uid() -> Study {
    let study = Study::small();
    let uid = |case: &str| format!("1.2.840.99.{}", case[1..].parse::<usize>().expect("a number"));
    let mut cases = String::from("case_id,patient_id,sex,age_years,view,label,SOPInstanceUID\n");
    for line in study.read("cases.csv").lines().skip(1) {
        cases.push_str(&format!("{line},{}\n", uid(&line[..4])));
    }
    study.write("cases.csv", &cases);
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        let mut text = String::from("uid,reader_id,read\n");
        for line in study.read(&name).lines().skip(1) {
            text.push_str(&format!("{}{}\n", uid(&line[..4]), &line[4..]));
        }
        study.write(&name, &text);
    }
    study.replace(
        "protocol.toml",
        "[scores]",
        "[reads]\ncase_column = \"uid\"\ncase_map = { file = \"cases.csv\", id_column = \"SOPInstanceUID\" \
        }\n\n[scores]",
    );
    study
}

#[test]
fn reads_by_uid_are_the_reads_of_the_cases() {
    let (plain, mapped) = (Study::small(), by_uid());
    for study in [&plain, &mapped] {
        let ran = study.run("run", &[]);
        assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
        assert_eq!(study.run("verify", &[]).code, 0);
    }
    let table = "evidence/run-1/data/reference.csv";
    assert_eq!(plain.read(table), mapped.read(table));
}

#[test]
fn unknown_and_ambiguous_ids_are_errors_by_name() {
    let study = by_uid();
    study.replace("reads/reader-1.csv", "1.2.840.99.5,", "1.2.840.99.555,");
    study.replace("reads/reader-1.csv", "1.2.840.99.6,", "1.2.840.99.666,");
    for command in ["check", "reads"] {
        let ran = study.run(command, &[]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        for says in [
            "error[case-map-unknown]",
            "2 ids are not in the map of cases (cases.csv): `1.2.840.99.555`, `1.2.840.99.666`",
            "reader-1.csv:7",
        ] {
            assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
        }
    }
    study.replace("protocol.toml", "rule = \"majority\"", "rule = \"majority\"\nother_cases = \"ignore\"");
    let ran = study.run("check", &[]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(ran.code == 0 && said.contains("warning[reads-of-other-cases]"), "{said}");
    let study = by_uid();
    study.replace("cases.csv", "1.2.840.99.5\n", "1.2.840.99.6\n");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    for says in
        ["error[case-map-ambiguous]", "the id `1.2.840.99.6` is the case `C006` here and `C005` on line 7"]
    {
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
    study.replace("protocol.toml", "id_column = \"SOPInstanceUID\"", "id_column = \"StudyInstanceUID\"");
    let ran = study.run("check", &[]);
    assert!(ran.stderr.contains("there is no column `StudyInstanceUID`"), "{}", ran.stderr);
    // Boxes of one reader on several UIDs of one case are one read, and a list of what was read is mapped
    // too.
    let study = by_uid();
    study.write("map.csv", "case,id\nC000,u1\nC000,u2\nC002,u3\n");
    study.write("read.csv", "uid,reader_id\nu1,R1\nu2,R1\nu3,R1\n");
    study.write("reads/reader-1.csv", "uid,reader_id,read\nu1,R1,positive\nu2,R1,positive\n");
    for reader in [2, 3] {
        study.write(&format!("reads/reader-{reader}.csv"), "uid,reader_id,read\n");
    }
    study.replace(
        "protocol.toml",
        "case_map = { file = \"cases.csv\", id_column = \"SOPInstanceUID\" }",
        "rows = \"boxes\"\nread_list = \"read.csv\"\ncase_map = { file = \"map.csv\", case_column = \
        \"case\", id_column = \"id\" }",
    );
    study.replace("protocol.toml", "readers = 3", "readers = 3\nfixed_readers = false\nminimum_agreeing = 1");
    let ran = study.run("reads", &["--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let reads: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(!ran.stderr.contains("repeated"), "{}", ran.stderr);
    assert!(reads.to_string().contains("R1"), "{reads}");
}

#[test]
fn an_import_proposes_the_lines_for_words_without_a_meaning() {
    let study = Study::small();
    let other = study.file("export.csv");
    let text = study.read("reads/reader-1.csv").replace("positive", "Present").replace("negative", "Absent");
    std::fs::write(&other, text.replacen("Absent", "Blurred", 1)).expect("writes");
    let ran = import(&study, &[&other], &["--dry-run"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr.matches("error[read-unknown]").count(), 3, "each word once: {}", ran.stderr);
    for says in [
        "error[reads-words]",
        "3 different answers have no declared meaning: `Absent` (59), `Blurred` (1), `Present` (60)",
        "positive = [\"Present\"]",
        "negative = [\"Absent\"]",
        "# positive, negative, indeterminate, uninterpretable or missing? \"Blurred\"",
    ] {
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
}

#[test]
fn a_given_reference_standard_is_imported_and_corrected_like_reads() {
    let study = Study::small();
    let begin = study.read("protocol.toml");
    let rule = "readers = 3\nqualification = \"radiologist\"\nrule = \"majority\"\n";
    assert!(begin.contains(rule));
    study.replace(
        "protocol.toml",
        rule,
        "rule = \"given\"\ngiven = { file = \"labels/cultures*.csv\", label_column = \"result\", positive = \
        \"growth\", \
         negative = \"none\", source = \"culture\" }\n",
    );
    for reader in 1..=3 {
        std::fs::remove_file(study.file(&format!("reads/reader-{reader}.csv"))).expect("removes");
    }
    let labels = |flip: &str| {
        let mut text = String::from("case_id,result\n");
        for i in 0..crate::support::CASES {
            let case = format!("C{i:03}");
            let positive = (i % 2 == 0) != (case == flip);
            text.push_str(&format!("{case},{}\n", if positive { "growth" } else { "none" }));
        }
        text
    };
    let outside = tempfile::tempdir().expect("a folder");
    let file = outside.path().join("cultures-1.csv");
    std::fs::write(&file, labels("")).expect("writes");
    let looked = import(&study, &[&file], &["--dry-run"]);
    assert_eq!(looked.code, 0, "{}", looked.stderr);
    assert!(looked.stdout.contains("labels of 120 cases: 60 positive, 60 negative"), "{}", looked.stdout);
    assert!(!study.file("labels").exists());
    let kept = import(&study, &[&file], &["--by", "A. Example", "--blinding", "the laboratory saw no image"]);
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    assert_eq!(study.run("check", &[]).code, 0);
    study.replace("labels/cultures-1.csv", "C000,growth", "C000,none");
    let replaced = study.run("check", &[]);
    assert!(replaced.code == 1 && replaced.stderr.contains("error[reads-replaced]"), "{}", replaced.stderr);
    study.replace("labels/cultures-1.csv", "C000,none", "C000,growth");
    let later = outside.path().join("cultures-2.csv");
    std::fs::write(&later, labels("C004")).expect("writes");
    let corrected = import(
        &study,
        &[&later],
        &[
            "--supersedes",
            "labels/cultures-1.csv",
            "--reason",
            "one culture was mislabelled",
            "--by",
            "A. Example",
        ],
    );
    assert_eq!(corrected.code, 0, "{}", corrected.stderr);
    let ran = study.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let document = study.read("reports/run-1/report.md");
    for says in [
        "How the files came in",
        "the laboratory saw no image",
        "does not count: superseded by labels/cultures-2.csv",
        "takes the place of labels/cultures-1.csv (one culture was mislabelled)",
        "not recorded",
    ] {
        assert!(document.contains(says), "{says}\n{document}");
    }
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let reference = study.read("evidence/run-1/data/reference.csv");
    assert!(reference.contains("given"), "{reference}");
}

#[test]
fn documents_say_who_brought_the_reads_and_what_was_not_recorded() {
    let study = Study::small();
    let outside = tempfile::tempdir().expect("a folder");
    for reader in 1..=2 {
        let name = format!("reader-{reader}.csv");
        let file = outside.path().join(&name);
        std::fs::rename(study.file(&format!("reads/{name}")), &file).expect("moves");
        let more: &[&str] = if reader == 1 {
            &["--by", "A. Example", "--role", "coordinator", "--blinding", "images alone, no score"]
        } else {
            &[]
        };
        let ran = import(&study, &[&file], more);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let ran = study.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let document = study.read("reports/run-1/report.md");
    let begin = document.find("How the files came in").expect("the table");
    let rows: Vec<&str> =
        document[begin..].lines().filter(|line| line.contains("reads/reader-")).take(3).collect();
    assert!(
        rows[0].contains("A. Example (coordinator)") && rows[0].contains("images alone, no score"),
        "{rows:?}"
    );
    assert!(rows[0].contains("2026-01-01") && rows[1].contains("2026-01-01"), "{rows:?}");
    assert_eq!(rows[1].matches("not recorded").count(), 2, "{rows:?}");
    assert_eq!(rows[2].matches("not recorded").count(), 3, "{rows:?}");
}

/// The small study whose readers' files hold labels that are marked as truth.
fn with_truth(rule: &str) -> Study {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "readers = 3\nqualification = \"radiologist\"\nrule = \"majority\"\n",
        rule,
    );
    study.replace("protocol.toml", "[scores]", "[reads]\nfiles = \"reads/*.csv\"\n\n[scores]");
    let mut truth = String::from("case_id,reader_id,read\n");
    for i in 0..crate::support::CASES {
        truth.push_str(&format!("C{i:03},truth,{}\n", if i % 2 == 0 { "positive" } else { "negative" }));
    }
    study.write("reads/truth.csv", &truth);
    study
}

#[test]
fn labels_that_came_with_the_reads_are_given_or_compared() {
    let given = with_truth(
        "qualification = \"radiologist\"\nrule = \"given\"\ngiven = { from = \"reads\", source = \"a panel \
        elsewhere\" }\n",
    );
    let ran = given.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(given.run("verify", &[]).code, 0);
    let reference = given.read("evidence/run-1/data/reference.csv");
    for row in reference.lines().skip(1) {
        let even = row[1..4].parse::<usize>().expect("a number").is_multiple_of(2);
        assert!(row.contains(if even { ",positive,given" } else { ",negative,given" }), "{row}");
    }
    let majority = "readers = 3\nqualification = \"radiologist\"\nrule = \"majority\"\n";
    let compared =
        with_truth(&format!("{majority}compare_with = {{ from = \"reads\", source = \"a panel\" }}\n"));
    // With a truth that is wrong for one case that every reader reads alike.
    for i in (1..20).step_by(2) {
        let case = format!("C{i:03},truth,");
        compared.replace("reads/truth.csv", &format!("{case}negative"), &format!("{case}positive"));
    }
    let folder = compared.path().to_str().expect("UTF-8").to_owned();
    let ran = sequester(&["reads", "reference", &folder, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("reference-differs") || ran.stdout.contains("reference-differs"),
        "{}",
        ran.stdout
    );
    // A truth whose word has no meaning is no matter where nobody uses it, and an error where it is used.
    given.replace("reads/truth.csv", "C003,truth,negative", "C003,truth,maybe");
    let ran = given.run("check", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("error[read-unknown]"), "{}", ran.stderr);
    let unused = with_truth(majority);
    unused.replace("reads/truth.csv", "C003,truth,negative", "C003,truth,maybe");
    assert_eq!(unused.run("check", &[]).code, 0);
    // Contradictions of the declaration.
    let wrong = with_truth(
        "qualification = \"r\"\nrule = \"given\"\ngiven = { from = \"reads\", file = \"x.csv\", source = \
        \"s\" }\n",
    );
    assert!(wrong.run("check", &[]).stderr.contains("error[reference-rule]"));
    let none = with_truth(
        "qualification = \"radiologist\"\nrule = \"given\"\ngiven = { from = \"reads\", source = \"a \
        panel\" }\n",
    );
    std::fs::remove_file(none.file("reads/truth.csv")).expect("removes");
    let ran = none.run("check", &[]);
    assert!(ran.stderr.contains("the readers' files mark no label as ground truth"), "{}", ran.stderr);
}

#[test]
fn a_corrected_file_keeps_the_reader_whom_the_first_one_s_name_says() {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "[scores]",
        "[reads]\nfiles = \"reads/*.csv\"\nreader_from = \"file\"\nreader_pattern = \
        \"reader-*.csv\"\n\n[scores]",
    );
    let outside = tempfile::tempdir().expect("a folder");
    for reader in 1..=3 {
        let name = format!("reader-{reader}.csv");
        let file = outside.path().join(&name);
        std::fs::rename(study.file(&format!("reads/{name}")), &file).expect("moves");
        assert_eq!(import(&study, &[&file], &[]).code, 0);
    }
    let mut old = "reader-2.csv".to_owned();
    for (nth, to) in [(1, "positive"), (2, "negative")] {
        let text = std::fs::read_to_string(outside.path().join("reader-2.csv")).expect("reads");
        let name = format!("second try {nth}.csv");
        let file = outside.path().join(&name);
        std::fs::write(&file, text.replace("C003,R2,negative", &format!("C003,R2,{to}"))).expect("writes");
        let ran =
            import(&study, &[&file], &["--supersedes", &format!("reads/{old}"), "--reason", "mistyped"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("reader 2: 120 cases"), "{}", ran.stdout);
        assert!(ran.stdout.contains("case C003, reader 2: "), "{}", ran.stdout);
        old = name;
    }
    let ran = study.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn a_folder_of_dicom_files_gives_the_map_of_its_uids() {
    let study = by_uid();
    let images = tempfile::tempdir().expect("a folder");
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reads/traps/sr.dcm");
    std::fs::copy(report, images.path().join("C000.dcm")).expect("copies");
    std::fs::write(images.path().join("C002.png"), b"no DICOM").expect("writes");
    let out = study.file("map.csv");
    let [folder, out] = [images.path(), &out].map(|path| path.to_str().expect("UTF-8").to_owned());
    let ran = sequester(&["dataset", "folder", &folder, "--each-case", "--uids", "--out", &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = "case_id,patient_id,image,sop_instance_uid,study_instance_uid\n\
                    C000,C000,C000.dcm,1.2.3.4,1.2.5\nC002,C002,C002.png,,\n";
    assert_eq!(study.read("map.csv"), expected);
    study.replace(
        "protocol.toml",
        "{ file = \"cases.csv\", id_column = \"SOPInstanceUID\" }",
        "{ file = \"map.csv\", id_column = \"sop_instance_uid\" }",
    );
    let file = images.path().join("reader-9.csv");
    std::fs::write(&file, "uid,reader_id,read\n1.2.3.4,R9,positive\n").expect("writes");
    for reader in 1..=3 {
        std::fs::remove_file(study.file(&format!("reads/reader-{reader}.csv"))).expect("removes");
    }
    let ran = import(&study, &[&file], &["--dry-run"]);
    assert!(
        ran.code == 0 && ran.stdout.contains("reader R9: 1 cases: 1 positive"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    std::fs::write(images.path().join("broken.dcm"), b"x").expect("writes");
    let ran = sequester(&["dataset", "folder", &folder, "--each-case", "--uids", "--out", &out]);
    assert!(ran.code == 1 && ran.stderr.contains("error[dicom-unreadable]"), "{}", ran.stderr);
}
