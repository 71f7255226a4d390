//! Readers' files of every platform: one small study reads the same from each, each trap is refused by its
//! name or read right, and nothing that is absent ever becomes a read. The fixtures are made by
//! `fixtures/reads/make.py`.

use std::path::{Path, PathBuf};

use sequester::diagnostic::Diagnostic;
use sequester::protocol::{self, ReadsSource};
use sequester::reads::files::{Read, ReadFile, ReadRow, read_file, without_boxes};
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
        rows.iter().map(|row| (row.case_id.to_string(), row.reader_id.to_string(), word(row.read))).collect();
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

/// A data element in Explicit VR Little Endian (PS3.5, 7.1.2), the value padded to an even length.
fn element(tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    out.extend(vr.as_bytes());
    if ["SQ", "UT", "OB"].contains(&vr) {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

fn sequence(tag: (u16, u16), items: &[Vec<u8>]) -> Vec<u8> {
    let item = |item: &Vec<u8>| {
        let mut out = vec![0xfe, 0xff, 0x00, 0xe0];
        out.extend((item.len() as u32).to_le_bytes());
        out.extend(item);
        out
    };
    element(tag, "SQ", &items.iter().flat_map(item).collect::<Vec<u8>>())
}

fn coded(value: &str, scheme: &str, meaning: &str) -> Vec<u8> {
    let text = |tag, vr, text: &str| element((8, tag), vr, text.as_bytes());
    [text(0x100, "SH", value), text(0x102, "SH", scheme), text(0x104, "LO", meaning)].concat()
}

/// A content item with a concept name, its own value, and items below it.
fn item(kind: &str, name: Vec<u8>, value: Vec<u8>, below: &[Vec<u8>]) -> Vec<u8> {
    let kind = element((0x40, 0xa040), "CS", kind.as_bytes());
    let mut out = [kind, sequence((0x40, 0xa043), &[name])].concat();
    out.extend(value);
    if !below.is_empty() {
        out.extend(sequence((0x40, 0xa730), below));
    }
    out
}

/// A report of TID 1500 of one person on one case; `None`: nothing was evaluated.
fn report(case: &str, reader: &str, answer: Option<&str>) -> Vec<u8> {
    let code = |value, meaning| sequence((0x40, 0xa168), &[coded(value, "DCM", meaning)]);
    let observer = item("CODE", coded("121005", "DCM", "Observer Type"), code("121006", "Person"), &[]);
    let name = element((0x40, 0xa123), "PN", reader.as_bytes());
    let name = item("PNAME", coded("121008", "DCM", "Person Observer Name"), name, &[]);
    let answer = answer.map(|answer| {
        let value = sequence((0x40, 0xa168), &[coded(&answer[..3], "99TEST", answer)]);
        item("CODE", coded("1", "99TEST", "Pneumonia"), value, &[])
    });
    let session = element((0x40, 0xa160), "UT", b"1");
    let session = item("TEXT", coded("C67447", "NCIt", "Activity Session"), session, &[]);
    let below: Vec<Vec<u8>> = std::iter::once(session).chain(answer).collect();
    let group = item("CONTAINER", coded("125007", "DCM", "Measurement Group"), Vec::new(), &below);
    let measured = item("CONTAINER", coded("126010", "DCM", "Imaging Measurements"), Vec::new(), &[group]);
    let mut data = element((8, 0x16), "UI", b"1.2.840.10008.5.1.4.1.1.88.22");
    data.extend(element((0x10, 0x20), "LO", case.as_bytes()));
    data.extend(element((0x40, 0xa040), "CS", b"CONTAINER"));
    data.extend(sequence((0x40, 0xa043), &[coded("126000", "DCM", "Imaging Measurement Report")]));
    data.extend(element((0x40, 0xa491), "CS", b"COMPLETE"));
    data.extend(element((0x40, 0xa493), "CS", b"VERIFIED"));
    data.extend(sequence((0x40, 0xa730), &[observer, name, measured]));
    let syntax = element((2, 0x10), "UI", b"1.2.840.10008.1.2.1");
    let length = element((2, 0), "UL", &(syntax.len() as u32).to_le_bytes());
    [vec![0; 128], b"DICM".to_vec(), length, syntax, data].concat()
}

#[test]
fn the_small_study_reads_the_same_from_reports_of_dicom() {
    let wanted = expected(&json("small.json")["expected"]);
    let keys = "files = \"reads/*.dcm\"\nformat = \"dicom-sr\"\ncase_column = \"PatientID\"\nquestion = \
                \"Pneumonia\"";
    let source = declared(keys).expect("valid");
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (case, reader, answer) in &wanted {
        files.push((format!("reads/{}.dcm", files.len()).into(), report(case, reader, Some(answer))));
    }
    // What was cancelled is a report without an evaluation; what is missing has no report.
    files.push(("reads/cancelled.dcm".into(), report("C031", "R2", None)));
    let read = read_all(&files, &source).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(said(&read.rows), wanted);
    assert_eq!(read.no_reads.len(), 1);
    // Cut off anywhere, a report gives no read that it did not hold.
    for end in 0..files[0].1.len() {
        if let Ok(cut) = read_file(&files[0].0, &files[0].1[..end], &source) {
            assert!(said(&cut.rows).iter().all(|row| *row == wanted[0]), "{end}");
        }
    }
}

/// Without a row for an image that has no box, a list of what was read makes it a negative; nothing else
/// does.
#[test]
fn a_case_without_a_box_is_negative_where_a_list_says_that_it_was_read() {
    let boxes = "rows = \"boxes\"\nread_column = \"class\"\npositive = \"Opacity\"\nnegative = \"Nodule\"\n";
    let source = declared(&format!("{boxes}read_list = \"list.csv\"")).expect("valid");
    let table = b"case_id,reader_id,class\na,R1,Opacity\na,R1,Nodule\nb,R2,Nodule\n";
    let rows = read_file(Path::new("reads/boxes.csv"), table, &source).expect("reads").rows;
    let list = |text: &str| without_boxes(Path::new("list.csv"), text.as_bytes(), &source, None, &rows);
    let listed = list("case_id,reader_id\na,R1\nb,R2\nc,R1\nc,R2\nc,R2\n").expect("a list");
    assert_eq!(said(&listed), [("c".into(), "R1".into(), "negative"), ("c".into(), "R2".into(), "negative")]);
    assert_eq!(codes(&list("case_id,reader_id\na,R1\n").expect_err("b is not listed")), ["read-unlisted"]);
    assert_eq!(
        codes(&list("case_id,reader_id\na,\n").expect_err("nobody")),
        ["read-unlisted", "read-unlisted", "value-missing"]
    );
    let elsewhere = declared("read_list = \"list.csv\"").expect_err("no boxes");
    assert_eq!(codes(&elsewhere), ["reads-key-unused"]);
}
