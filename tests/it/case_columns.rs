//! Case tables of another's making: declared columns, patients by column, by pattern or one a case, through
//! every command to evidence that verifies; and what is wrong is said with its place.

use std::path::Path;

use proptest::prelude::*;
use sequester::dataset::case::Case;
use sequester::dataset::case::Cases;
use sequester::diagnostic::Diagnostic;
use sequester::protocol;

use crate::support::{Study, sequester};

const DECLARED: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

/// The case table of a protocol whose `[data]` holds these keys.
fn declared(keys: &str) -> Result<protocol::CaseTable, Vec<Diagnostic>> {
    let begin = DECLARED.find("[data]").expect("a section");
    let end = begin + DECLARED[begin..].find("\n[").expect("a section follows");
    let data = format!("[data]\ncases = \"t.csv\"\ndevelopment = \"d.csv\"\n{keys}\n");
    let text = format!("{}{data}{}", &DECLARED[..begin], &DECLARED[end..]).replace("positives = 500", "");
    protocol::parse(Path::new("p.toml"), &text).map(|protocol| protocol.data.cases[0].clone())
}

fn read(columns: &str, table: &str) -> Result<Cases, Vec<Diagnostic>> {
    let keys = format!("[data.columns]\n{columns}");
    let declared = declared(&keys).unwrap_or_else(|e| panic!("{columns}: {e:?}"));
    declared.parse(Path::new("t.csv"), &table.into())
}

fn refused(columns: &str, table: &str, expected: &[(&str, Option<u64>)]) -> Vec<Diagnostic> {
    let problems = read(columns, table).expect_err(columns);
    let found: Vec<(&str, Option<u64>)> =
        problems.iter().map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line))).collect();
    assert_eq!(found, expected, "{problems:?}");
    problems
}

fn ids(cases: &[Case]) -> Vec<(&str, &str)> {
    cases.iter().map(|case| (case.case_id.as_str(), case.patient_id.as_str())).collect()
}

#[test]
fn columns_of_any_name_are_read_as_declared_and_no_other() {
    let table = "Image;Subject;Gender;Age;label;Diagnosis;View\n\
                 img/a.png;7;female;063Y;whatever;TB;pa\nimg/b.png;8;Male;11;2;normal;ap\n";
    let found = read(
        "case_id = \"Image\"\ncase_pattern = \"*.png\"\npatient_id = \"Subject\"\nimage = \"Image\"\nsex = \
        \"Gender\"\n\
         age_years = \"Age\"\nlabel = \"Diagnosis\"\npositive = \"tb\"\nnegative = \"normal\"\nview = \
         \"View\"",
        table,
    )
    .expect("read");
    assert_eq!(ids(&found.cases), [("a", "7"), ("b", "8")]);
    let first = &found.cases[0];
    assert_eq!(first.image.as_ref().map(|i| i.as_str()), Some("img/a.png"));
    assert_eq!(
        (first.age_years, first.source_label, first.view.as_deref()),
        (Some(63), Some(true), Some("PA"))
    );
    assert_eq!(found.cases[1].source_label, Some(false));
    assert!(found.fields.contains("sex") && !found.fields.contains("site"));
    // Not declared, not read: a column `label` with other words is no matter.
    assert_eq!(
        read("case_id = \"Image\"\npatient_id = \"Subject\"", table).expect("read").cases[0].source_label,
        None
    );
}

#[test]
fn a_patient_is_found_by_a_pattern_or_each_case_is_one_and_that_is_said() {
    let table = "file\nperson1_bacteria_4.jpeg\nperson1_virus_6.jpeg\nperson12_bacteria_46.jpeg\n";
    let by_case = "case_id = \"file\"\ncase_pattern = \"*.jpeg\"\npatient_from = \"case\"\n\
                   patient_pattern = \"^(person[0-9]+)_\"\nimage_pattern = \"train/*.jpeg\"";
    let found = read(by_case, table).expect("read");
    let patients: Vec<&str> = found.cases.iter().map(|c| c.patient_id.as_str()).collect();
    assert_eq!(patients, ["person1", "person1", "person12"]);
    assert_eq!(found.cases[0].image.as_ref().map(|i| i.as_str()), Some("train/person1_bacteria_4.jpeg"));
    let each = read("case_id = \"file\"\npatient_from = \"each-case\"", table).expect("read");
    assert!(each.cases.iter().all(|case| case.case_id == case.patient_id));
    assert!(
        each.warnings
            .iter()
            .any(|w| w.code.as_str() == "patient-each-case" && w.message.contains("of its own"))
    );
    let problems =
        refused(by_case, "file\nperson1_a.jpeg\nIM-1.jpeg\nIM-2.jpeg\n", &[("patient-pattern", Some(3))]);
    assert!(problems[0].message.contains("2 of 3 rows: `IM-1`, `IM-2`"), "{}", problems[0].message);
    // A pattern within a column.
    let within = "case_id = \"p\"\npatient_id = \"p\"\npatient_pattern = \"patient\\\\d+\"";
    let found = read(within, "p\nx/patient64/study1\nx/patient64/study2\n").expect("read");
    assert_eq!(ids(&found.cases), [("x/patient64/study1", "patient64"), ("x/patient64/study2", "patient64")]);
}

#[test]
fn rows_of_boxes_give_each_case_once_where_they_say_the_same_of_it() {
    let table = "image_id,class,rad,sex\nb,Nodule,R1,F\na,No finding,R1,M\nb,Mass,R2,F\nb,Nodule,R2,F\n";
    let columns = "case_id = \"image_id\"\npatient_from = \"each-case\"\nsex = \"sex\"\n";
    let several = format!("{columns}rows = \"several\"");
    assert_eq!(ids(&read(&several, table).expect("read").cases), [("b", "b"), ("a", "a")]);
    refused(columns, table, &[("duplicate-case", Some(4)), ("duplicate-case", Some(5))]);
    let problems =
        refused(&several, &table.replace("Mass,R2,F", "Mass,R2,M"), &[("case-contradicts", Some(4))]);
    assert!(problems[0].message.contains("another sex on line 2"), "{}", problems[0].message);
}

#[test]
fn what_is_wrong_in_the_table_is_said_with_its_line() {
    let columns = "case_id = \"id\"\npatient_id = \"p\"\nsex = \"s\"\nlabel = \"l\"\npositive = \
    \"y\"\nnegative = \"n\"";
    let problems = refused(columns, "id,patient\na,b\n", &[("column-missing", Some(1)); 3]);
    assert!(problems[0].message.contains("declares as `label`"), "{}", problems[0].message);
    refused(
        columns,
        "id,p,s,l\na,1,F,y\n,1,F,n\nb,,F,n\nc,2,X,?\n",
        &[
            ("case-id-missing", Some(3)),
            ("patient-id-missing", Some(4)),
            ("value-unreadable", Some(5)),
            ("value-unreadable", Some(5)),
        ],
    );
    refused(&format!("{columns}\nheader_row = 9"), "id,p,s,l\n", &[("table-header", None)]);
    refused(
        &format!("{columns}\nheader_row = 3"),
        "A title\n\nid;p;s;l\na;1;F;maybe\n",
        &[("value-unreadable", Some(4))],
    );
    let below =
        read(&format!("{columns}\nheader_row = 3"), "A title\r\n\r\nid;p;s;l\r\na;1;F;y\r\n").expect("read");
    assert_eq!((ids(&below.cases), below.cases[0].line), (vec![("a", "1")], 4));
}

#[test]
fn contradicting_declarations_are_refused_at_their_key() {
    let check = |keys: &str, codes: &[&str]| {
        let problems = declared(&format!("[data.columns]\n{keys}")).expect_err(keys);
        let found: Vec<&str> = problems.iter().map(|p| p.code.as_str()).collect();
        assert_eq!(found, codes, "{keys}: {problems:?}");
        assert!(problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())));
    };
    check("patient_id = \"p\"", &["key-missing"]);
    check("case_id = \"c\"", &["key-missing"]);
    check("case_id = \"c\"\npatient_from = \"case\"", &["key-missing"]);
    check("case_id = \"c\"\npatient_from = \"case\"\npatient_pattern = \"(\"", &["regex"]);
    check("case_id = \"c\"\npatient_from = \"image\"\npatient_pattern = \"x\"", &["key-missing"]);
    check("case_id = \"c\"\npatient_id = \"p\"\npatient_from = \"each-case\"", &["columns-key-unused"]);
    check("case_id = \"c\"\npatient_from = \"each-case\"\npatient_pattern = \"x\"", &["columns-key-unused"]);
    check(
        "case_id = \"c\"\npatient_id = \"p\"\nimage = \"i\"\nimage_pattern = \"*.png\"",
        &["columns-key-unused"],
    );
    check("case_id = \"c\"\npatient_id = \"p\"\nimage_pattern = \"x.png\"", &["value-range"]);
    check("case_id = \"c\"\npatient_id = \"p\"\npositive = \"x\"\nnegative = \"y\"", &["columns-key-unused"]);
    check("case_id = \"c\"\npatient_id = \"p\"\nlabel = \"l\"\npositive = \"x\"", &["key-missing"]);
    check(
        "case_id = \"c\"\npatient_id = \"p\"\nlabel = \"l\"\npositive = \"x\"\nnegative = \"X\"",
        &["read-ambiguous"],
    );
    check("case_id = \"c\"\npatient_id = \"p\"\nname = \"x\"", &["unknown-key"]);
    let nih = declared(
        "format = \"nih\"\npositive_findings = \"x\"\n[data.columns]\ncase_id = \"c\"\npatient_id = \"p\"",
    );
    let problems = nih.expect_err("both");
    assert!(problems.iter().all(|p| p.code.as_str() == "columns-key-unused"), "{problems:?}");
}

#[test]
fn development_cases_may_have_columns_of_their_own_or_ours() {
    let own = declared("development_columns = {}\n[data.columns]\ncase_id = \"c\"\npatient_id = \"p\"")
        .expect("valid");
    assert!(own.columns.is_some());
    let parse = |keys: &str| {
        let begin = DECLARED.find("[data]").expect("a section");
        let end = begin + DECLARED[begin..].find("\n[").expect("a section follows");
        let data = format!("[data]\ncases = \"t.csv\"\ndevelopment = \"d.csv\"\n{keys}\n");
        let text = format!("{}{data}{}", &DECLARED[..begin], &DECLARED[end..]).replace("positives = 500", "");
        protocol::parse(Path::new("p.toml"), &text).expect("valid").data.development.expect("there").columns
    };
    let columns = "[data.columns]\ncase_id = \"c\"\npatient_id = \"p\"";
    assert_eq!(parse(columns).expect("the same").columns["case_id"], "c");
    assert_eq!(parse(&format!("development_columns = {{}}\n{columns}")), None);
    let other = format!("{columns}\n[data.development_columns]\ncase_id = \"d\"\npatient_id = \"p\"");
    assert_eq!(parse(&other).expect("its own").columns["case_id"], "d");
}

/// A study as published: no case table of ours, one file a reader with other words, no prepared file.
fn published() -> Study {
    let study = Study::small();
    let mut images = String::from("Collection of images\n\nFile;Sex;AgeYears;Projection;Diagnosis\n");
    for line in study.read("cases.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let sex = if cells[2] == "F" { "Female" } else { "Male" };
        let finding = if cells[5] == "1" { "Pneumonia" } else { "Normal" };
        images.push_str(&format!(
            "train/{}_{}.png;{sex};0{}Y;{};{finding}\n",
            cells[1], cells[0], cells[3], cells[4]
        ));
    }
    std::fs::remove_file(study.file("cases.csv")).expect("removes");
    study.write("images.csv", &images);
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        let text = study.read(&name);
        let mut rows = String::from("image;answer\n");
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let case = cells[0];
            let number: usize = case[1..].parse().expect("a number");
            let answer = if cells[2] == "positive" { "Present" } else { "Absent" };
            rows.push_str(&format!("P{:03}_{case}.png;{answer}\n", number / 2));
        }
        study.write(&format!("reads/annotator_{reader}_final.csv"), &rows);
        std::fs::remove_file(study.file(&name)).expect("removes");
    }
    let scores = study.read("scores.csv").replace("case_id", "id");
    let mut lines = scores.lines();
    let mut named = format!("{}\n", lines.next().expect("a header"));
    for line in lines {
        let number: usize = line[1..4].parse().expect("a number");
        named.push_str(&format!("P{:03}_{line}\n", number / 2));
    }
    study.write("scores.csv", &named);
    study.replace("protocol.toml", "file = \"scores.csv\"", "file = \"scores.csv\"\ncase_column = \"id\"");
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"\n",
        "cases = \"images.csv\"\n[data.columns]\nheader_row = 3\ncase_id = \"File\"\ncase_pattern = \
        \"*.png\"\n\
         image = \"File\"\nsex = \"Sex\"\nage_years = \"AgeYears\"\nview = \"Projection\"\nlabel = \
         \"Diagnosis\"\n\
         positive = \"Pneumonia\"\nnegative = \"Normal\"\npatient_from = \"case\"\npatient_pattern = \
         '^(P\\d+)_'\n",
    );
    study.replace(
        "protocol.toml",
        "[scores]",
        "[reads]\nfiles = \"reads/annotator_*_final.csv\"\nreader_from = \"file\"\n\
         reader_pattern = \"annotator_*_final.csv\"\ncase_column = \"image\"\ncase_pattern = \"*.png\"\n\
         read_column = \"answer\"\npositive = \"Present\"\nnegative = \"Absent\"\n\n[scores]",
    );
    study
}

#[test]
fn published_files_and_a_protocol_give_the_evidence_of_the_prepared_study() {
    let (prepared, published) = (Study::small(), published());
    for study in [&prepared, &published] {
        let checked = study.run("check", &[]);
        assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
        let ran = study.run("run", &[]);
        assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
        let verified = study.run("verify", &[]);
        assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    }
    let results = |study: &Study| -> serde_json::Value {
        let text = study.read("evidence/run-1/data/results.json").replace("annotator", "R");
        serde_json::from_str(&text).expect("JSON")
    };
    let (one, other) = (results(&prepared), results(&published));
    assert_eq!(one["flow"]["considered"], other["flow"]["considered"]);
    assert_eq!(one["flow"]["eligible"], other["flow"]["eligible"]);
    assert!(published.file("evidence/run-1/data/inputs/images.csv").exists());
    // A changed column name after the lock is no way around it.
    published.replace("protocol.toml", "sex = \"Sex\"", "site = \"Sex\"");
    assert_eq!(published.run("check", &[]).code, 1);
}

#[test]
fn each_case_its_own_patient_is_printed_in_documents() {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "cases = \"cases.csv\"\n",
        "cases = \"cases.csv\"\n[data.columns]\ncase_id = \"case_id\"\nsex = \"sex\"\nage_years = \
        \"age_years\"\n\
         view = \"view\"\nlabel = \"label\"\npatient_from = \"each-case\"\n",
    );
    let ran = study.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("warning[patient-each-case]"), "{}", ran.stderr);
    let document = study.read("reports/run-1/report.md");
    assert!(document.contains("taken as a patient of its own"), "{document}");
    assert_eq!(study.run("verify", &[]).code, 0);
    let wrong = Study::small();
    wrong.replace(
        "protocol.toml",
        "cases = \"cases.csv\"\n",
        "cases = \"cases.csv\"\n[data.columns]\ncase_id = \"Image\"\npatient_id = \"Who\"\n",
    );
    for command in ["check", "dataset", "validate"] {
        let ran = wrong.run(command, &[]);
        assert_eq!(ran.code, 1, "{command}");
        for says in [
            "no column `Image`, which the protocol declares as `case_id`",
            "cases.csv:1",
            "the columns are: case_id",
        ] {
            assert!(ran.stderr.contains(says), "{command}: {says}\n{}", ran.stderr);
        }
    }
}

#[test]
fn a_folder_of_images_becomes_a_study_without_a_script() {
    let folder = tempfile::tempdir().expect("a folder");
    for (nth, label) in [(1, 0), (2, 1), (3, 1)] {
        let name = format!("CHNCXR_000{nth}_{label}.png");
        std::fs::write(folder.path().join(name), b"no image").expect("writes");
    }
    let path = folder.path().to_str().expect("UTF-8");
    let out = folder.path().join("cases.csv");
    let ran = sequester(&[
        "dataset",
        "folder",
        path,
        "--positive",
        "1",
        "--label-pattern",
        r"_([01])\.png$",
        "--patient-pattern",
        r"^(CHNCXR_\d+)",
        "--out",
        out.to_str().expect("UTF-8"),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let table = std::fs::read_to_string(&out).expect("reads");
    assert!(table.contains("CHNCXR_0002_1,CHNCXR_0002,CHNCXR_0002_1.png,1\n"), "{table}");
    let each = sequester(&[
        "dataset",
        "folder",
        path,
        "--positive",
        "1",
        "--label-pattern",
        "_([01])",
        "--each-case",
        "--out",
        out.to_str().expect("UTF-8"),
        "--dry-run",
    ]);
    assert_eq!(each.code, 1, "another table is there: {}", each.stderr);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Whatever the columns are called and in which order they stand, the declared ones give the same
    /// cases.
    #[test]
    fn names_and_order_of_columns_are_no_matter(
        names in prop::collection::btree_set("[A-Za-z][A-Za-z0-9 _#-]{0,10}[A-Za-z]", 4..7),
        seed in any::<u64>(),
        rows in prop::collection::vec((0_u32..50, 0_u32..9, any::<bool>()), 1..20),
    ) {
        let mut names: Vec<String> = names.into_iter().collect();
        let turn = (seed % names.len() as u64) as usize;
        names.rotate_left(turn);
        let at = |field: usize| (field + turn) % names.len();
        let mut table = format!("{}\n", names.join("|").replace('|', ";"));
        let mut expected = Vec::new();
        for (nth, (case, patient, label)) in rows.iter().enumerate() {
            let mut cells = vec!["x".to_owned(); names.len()];
            cells[at(0)] = format!("c{case}-{nth}");
            cells[at(1)] = format!("p{patient}");
            cells[at(2)] = if *label { "ill".to_owned() } else { "well".to_owned() };
            expected.push((cells[at(0)].clone(), cells[at(1)].clone(), Some(*label)));
            table.push_str(&format!("{}\n", cells.join(";")));
        }
        let columns = format!(
            "case_id = \"{}\"\npatient_id = \"{}\"\nlabel = \"{}\"\npositive = \"ill\"\nnegative = \"well\"",
            names[at(0)], names[at(1)], names[at(2)]
        );
        let found = read(&columns, &table).expect("read");
        let row = |case: Case| (case.case_id.to_string(), case.patient_id.to_string(), case.source_label);
        let found: Vec<_> = found.cases.into_iter().map(row).collect();
        prop_assert_eq!(found, expected);
    }

    /// No bytes make the reader of a declared table panic.
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let keys = "[data.columns]\ncase_id = \"a\"\npatient_from = \"case\"\npatient_pattern = \
        \"(.)\"\nrows = \"several\"";
        let declared = declared(keys).expect("valid");
        let _ = declared.parse(Path::new("t.csv"), &bytes.clone().into());
        let text = String::from_utf8_lossy(&bytes);
        let _ = declared.parse(Path::new("t.csv"), &format!("a,b\n{text}").into());
    }
}
