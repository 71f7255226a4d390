//! Readers' files of every platform: one small study reads the same from each, each trap is refused by its name or
//! read right, and nothing that is absent ever becomes a read. The fixtures are made by `fixtures/reads/make.py`.

use std::path::{Path, PathBuf};

use sequester::diagnostic::Diagnostic;
use sequester::protocol::{self, ReadsSource};
use sequester::reads::files::{Read, ReadFile, ReadRow, read_file};
use serde_json::Value;

/// Case, reader, read.
pub type Said = (String, String, &'static str);

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reads")
}

pub fn json(name: &str) -> Value {
    let bytes = std::fs::read(fixtures().join(name)).expect("made by make.py");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// `[reads]` with these keys, in a protocol that is valid otherwise.
pub fn declared(keys: &str) -> Result<ReadsSource, Vec<Diagnostic>> {
    const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");
    let begin = PROTOCOL.find("[reads]").expect("a section");
    let end = begin + PROTOCOL[begin..].find("\n[").expect("a section follows");
    let text = format!("{}[reads]\n{keys}\n{}", &PROTOCOL[..begin], &PROTOCOL[end..]);
    protocol::parse(Path::new("protocol.toml"), &text).map(|protocol| protocol.reads)
}

pub fn word(read: Read) -> &'static str {
    match read {
        Read::Positive => "positive",
        Read::Negative => "negative",
        Read::Indeterminate => "indeterminate",
        Read::Uninterpretable => "uninterpretable",
    }
}

pub fn said(rows: &[ReadRow]) -> Vec<Said> {
    let mut said: Vec<Said> =
        rows.iter().map(|row| (row.case_id.clone(), row.reader_id.clone(), word(row.read))).collect();
    said.sort();
    said
}

fn expected(list: &Value) -> Vec<Said> {
    let words = ["positive", "negative", "indeterminate", "uninterpretable"];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let read = |value: &Value| *words.iter().find(|word| **word == value).expect("a read");
    let mut all: Vec<Said> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (text(&row[0]), text(&row[1]), read(&row[2])))
        .collect();
    all.sort();
    all
}

pub fn codes(problems: &[Diagnostic]) -> Vec<&'static str> {
    let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

/// The files of one format of the small study, as a study on disk has them: path and bytes.
pub fn small_files(name: &str, files: &Value) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for file in files.as_array().expect("a list") {
        let file = file.as_str().expect("a name");
        let bytes = std::fs::read(fixtures().join("small").join(name).join(file)).expect("made by make.py");
        // V7 writes one file an item: a line each here.
        if let Some(reader) = file.strip_suffix(".jsonl") {
            for (nth, line) in
                bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty())
            {
                found.push((format!("reads/{reader}/{nth}.json").into(), line.to_vec()));
            }
        } else {
            found.push((format!("reads/{file}").into(), bytes));
        }
    }
    found
}

pub fn read_all(files: &[(PathBuf, Vec<u8>)], source: &ReadsSource) -> Result<ReadFile, Vec<Diagnostic>> {
    let mut all = ReadFile::default();
    for (path, bytes) in files {
        let one = read_file(path, bytes, source)?;
        all.rows.extend(one.rows);
        all.given.extend(one.given);
        all.no_reads.extend(one.no_reads);
        all.warnings.extend(one.warnings);
    }
    Ok(all)
}

#[test]
fn one_small_study_reads_the_same_from_every_format() {
    let small = json("small.json");
    let wanted = expected(&small["expected"]);
    assert_eq!(wanted.len(), 3 * 40 - 2 + 1, "a missing, a cancelled and a repeated read");
    let formats = small["formats"].as_object().expect("a map");
    assert!(formats.len() >= 20, "{}", formats.len());
    for (name, format) in formats {
        let source =
            declared(format["reads"].as_str().expect("keys")).unwrap_or_else(|p| panic!("{name}: {p:#?}"));
        let read = read_all(&small_files(name, &format["files"]), &source)
            .unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        assert_eq!(said(&read.rows), wanted, "{name}");
    }
}

#[test]
fn every_trap_is_refused_by_its_name_or_read_right() {
    let traps = json("traps.json");
    let traps = traps.as_array().expect("a list");
    assert!(traps.len() >= 100, "{}", traps.len());
    let mut wrong = Vec::new();
    for trap in traps {
        let file = trap["file"].as_str().expect("a name");
        let keys = trap["reads"].as_str().expect("keys");
        let bytes = std::fs::read(fixtures().join("traps").join(file)).expect("made by make.py");
        let path = Path::new("reads").join(file);
        let found = declared(keys).and_then(|source| read_file(&path, &bytes, &source));
        let about = format!("{file} ({}) [{keys}]", trap["about"].as_str().expect("words"));
        match (found, trap["refused"].as_str()) {
            (Err(problems), Some(code)) => {
                if !codes(&problems).contains(&code) {
                    wrong.push(format!("{about}: refused as {:?}, not as {code}", codes(&problems)));
                }
                // A problem is located, or of the protocol.
                assert!(problems.iter().all(|p| p.location.is_some()), "{about}: {problems:#?}");
            }
            (Err(problems), None) => wrong.push(format!("{about}: refused: {problems:#?}")),
            (Ok(read), Some(code)) => {
                wrong.push(format!("{about}: read, not {code}: {:?}", said(&read.rows)))
            }
            (Ok(read), None) => {
                let wanted = expected(&trap["reads_wanted"]);
                if said(&read.rows) != wanted {
                    wrong.push(format!("{about}: {:?}, not {wanted:?}", said(&read.rows)));
                }
                if read.given.len() as u64 != trap["given"].as_u64().expect("a number") {
                    wrong.push(format!("{about}: {} given", read.given.len()));
                }
                let warnings: Vec<&str> =
                    trap["warnings"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
                if codes(&read.warnings) != warnings {
                    wrong.push(format!("{about}: warned {:?}, not {warnings:?}", codes(&read.warnings)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
