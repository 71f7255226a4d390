//! Tables as the programs write them that people use: openpyxl, pandas, R (base, readr, openxlsx) and
//! LibreOffice. Every file of `fixtures/reads/programs` holds the same reads;
//! `scripts/reads-from-programs.py` makes them.

use std::path::Path;

use sequester::reads::files::read_file;
use sequester::table::Table;

use crate::reads_formats::{declared, fixtures, json, word};

#[test]
fn every_program_s_table_holds_the_same_reads() {
    let programs = json("programs/programs.json");
    let expected: Vec<(String, String, String)> = programs["expected"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            let text = |nth: usize| row[nth].as_str().expect("text").to_owned();
            (text(0), text(1), text(2))
        })
        .collect();
    let files = programs["missing"].as_object().expect("a map");
    assert!(files.len() >= 14, "{}", files.len());
    for (name, missing) in files {
        let missing = missing.as_str().expect("text");
        let missing = if missing.is_empty() { String::new() } else { format!("missing = [\"{missing}\"]") };
        let source = declared(&format!(
            "positive = [\"1\"]\nnegative = [\"0\"]\ntime_column = \"read_at\"\n{missing}"
        ));
        let bytes = std::fs::read(fixtures().join("programs").join(name)).expect("made by the script");
        let read = read_file(Path::new(name), &bytes, &source.expect("valid"))
            .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let found: Vec<(String, String, String)> = read
            .rows
            .iter()
            .map(|row| (row.case_id.to_string(), row.reader_id.to_string(), word(row.read).to_owned()))
            .collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(read.no_reads.len(), 1, "{name}: the answer that is missing");
        let last = read.rows.last().and_then(|row| row.time).expect("a time");
        assert_eq!(last.to_string(), "2026-03-02 09:41:00", "{name}");
    }
}

#[test]
fn zeros_that_a_program_took_off_are_said() {
    for name in json("programs/programs.json")["zeros_lost"].as_array().expect("a list") {
        let name = name.as_str().expect("text");
        let bytes = std::fs::read(fixtures().join("programs").join(name)).expect("made by the script");
        let source = declared("positive = [\"1\"]\nnegative = [\"0\"]").expect("valid");
        let read = read_file(Path::new(name), &bytes, &source).expect("read");
        assert!(read.rows.iter().any(|row| row.case_id == "7"), "{name}");
        assert!(
            read.warnings.iter().any(|w| w.code.as_str() == "workbook-number"),
            "{name}: {:?}",
            read.warnings
        );
        assert!(Table::parse(Path::new(name), &bytes).expect("a table").is_typed());
    }
}
