//! Readers' files as a study on disk holds them: large ones, and what the program says of them. What
//! stands in a file is `reads_formats`.

use std::path::Path;

use sequester::reads::files::read_file;
use serde_json::Value;

use crate::reads_formats::declared;
use crate::support::Study;

/// So many rows that a square of their number would be noticed by whoever waits; every one is read.
#[test]
fn large_tables_are_read_whole() {
    let read = |keys: &str, text: &str, reads: usize| {
        let source = declared(keys).expect("valid");
        let file = read_file(Path::new("reads/large.csv"), text.as_bytes(), &source).expect("reads");
        assert_eq!(file.rows.len(), reads);
    };
    let mut long = "case_id,reader_id,read\n".to_owned();
    for case in 0..15_000 {
        for reader in 0..3 {
            let read = if (case + reader) % 3 == 0 { "positive" } else { "negative" };
            long += &format!("C{case:05},R{reader},{read}\n");
        }
    }
    read("", &long, 45_000);
    let classes: Vec<String> = (0..22).map(|class| format!("\"class {class}\"")).collect();
    let boxes = format!(
        "rows = \"boxes\"\ncase_column = \"image_id\"\nreader_column = \"rad_id\"\nread_column = \
         \"class_name\"\n\
         positive = \"Consolidation\"\nnegative = [{}]",
        classes.join(", ")
    );
    let mut text = "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\n".to_owned();
    for row in 0..68_000 {
        let class = if row % 23 == 0 { "Consolidation".to_owned() } else { format!("class {}", row % 22) };
        text += &format!("{:032x},{class},R{},1.5,2.5,3.5,4.5\n", row / 12, row / 4 % 3);
    }
    read(&boxes, &text, 68_000 / 4);
}

#[test]
fn check_names_a_file_in_the_readers_folder_that_no_pattern_matches() {
    let study = Study::small();
    let said = |command: &str, more: &[&str]| {
        let ran = study.run(command, more);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran.stdout + &ran.stderr
    };
    assert!(!said("check", &[]).contains("reads-file-unmatched"));
    study.write("reads/AB.CSV", "case_id,reader_id,read\nC000,R4,positive\n");
    study.write("reads/.hidden", "");
    for told in [said("check", &[]), said("reads", &["--dry-run"])] {
        assert!(told.contains("warning[reads-file-unmatched]"), "{told}");
        assert!(told.contains("AB.CSV") && !told.contains(".hidden"), "{told}");
    }
}

/// The same reads, one column a reader and in forms of REDCap, make the same reference standard.
#[test]
fn a_study_gives_the_same_reads_whatever_the_form_of_its_files() {
    let long = Study::small();
    let readers = |study: &Study| {
        let ran = study.run("reads", &["--json"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        json["readers"].clone()
    };
    let wanted = readers(&long);
    assert_eq!(wanted.as_array().map(Vec::len), Some(3));
    let texts = [1, 2, 3].map(|reader| long.read(&format!("reads/reader-{reader}.csv")));
    let answers = texts.each_ref().map(|text| text.lines().skip(1).collect::<Vec<_>>());
    let mut wide = "case_id,R1_read,R2_read,R3_read\n".to_owned();
    let mut forms = "record_id,reader,finding___1,finding___0,reading_complete\n".to_owned();
    for (nth, line) in answers[0].iter().enumerate() {
        wide += line.split(',').next().expect("a case");
        for row in answers.each_ref().map(|rows| rows[nth]) {
            let [case, reader, read] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
            wide += &format!(",{read}");
            let ticked = if read == "positive" { "1,0" } else { "0,1" };
            forms += &format!("{case},{reader},{ticked},2\n");
            // A form that was saved and never completed says nothing.
            forms += &format!("{case},{reader},0,1,0\n");
        }
        wide += "\n";
    }
    for (file, text, keys) in [
        ("wide.csv", &wide, "format = \"wide\"\nreader_columns = \"*_read\""),
        (
            "forms.csv",
            &forms,
            "format = \"redcap\"\nreader_column = \"reader\"\nread_column = \"finding\"\npositive = \
             \"1\"\nnegative = \"0\"",
        ),
    ] {
        let study = Study::small();
        let section = format!("[reads]\nfiles = \"exports/{file}\"\n{keys}\n\n[scores]");
        study.replace("protocol.toml", "[scores]", &section);
        study.write(&format!("exports/{file}"), text);
        assert_eq!(readers(&study), wanted, "{file}");
    }
}
