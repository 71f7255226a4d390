//! Whatever is done to an export, what was absent, cancelled or not completed never becomes a negative; and
//! no bytes make a parser panic.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sequester::protocol::ReadsSource;
use sequester::reads::files::{Read, read_file};
use sequester::reads::import::sniff;
use serde_json::Value;

use crate::reads_formats::{codes, declared, fixtures, json, read_all, said, small_files};

/// What nobody answered in the small study.
const ABSENT: [(&str, &str); 2] = [("C007", "R2"), ("C031", "R2")];
/// What a damaged byte becomes: no letter or digit, so that no id becomes another and no mark is set.
const BYTES: &[u8] = b",;\t\n\r\"' {}[]:<>/=&\0\xff\xc3";

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % end.max(1)
    }
}

/// A row of a text is deleted or a cell of it made empty; a byte is damaged; the end is cut off.
fn of_text(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    let ends: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    let row = random.below(ends.len());
    let line = match (row.checked_sub(1).and_then(|before| ends.get(before)), ends.get(row)) {
        (Some(before), Some(end)) => before + 1..end + 1,
        (None, Some(end)) => 0..end + 1,
        _ => 0..0,
    };
    match random.below(6) {
        0 => drop(bytes.drain(line)),
        1..=3 => {
            let cells: Vec<usize> =
                line.clone().filter(|at| matches!(bytes[*at], b',' | b';' | b'\t' | b'\n' | b'\r')).collect();
            let cell = random.below(cells.len());
            let begin = cell.checked_sub(1).map_or(line.start, |before| cells[before] + 1);
            if let Some(end) = cells.get(cell) {
                bytes.drain(begin.min(*end)..*end);
            }
        }
        4 => {
            let at = random.below(bytes.len());
            bytes[at] = BYTES[random.below(BYTES.len())];
        }
        _ => bytes.truncate(random.below(bytes.len())),
    }
    bytes
}

/// Something of a task or an annotation of Label Studio, or of an item of V7, is taken away, or it is
/// cancelled.
fn of_json(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return bytes.to_vec() };
    if let Some(tasks) = value.as_array_mut() {
        let task = random.below(tasks.len());
        let annotations = tasks[task]["annotations"].as_array_mut().expect("a list");
        let nth = random.below(annotations.len());
        let annotation = annotations.get_mut(nth).and_then(Value::as_object_mut);
        match (random.below(9), annotation) {
            (0, Some(annotation)) => drop(annotation.insert("was_cancelled".into(), true.into())),
            (1, Some(annotation)) => drop(annotation.remove("was_cancelled")),
            (2, Some(annotation)) => drop(annotation.insert("was_cancelled".into(), Value::Null)),
            (3, Some(annotation)) => drop(annotation.insert("result".into(), Value::Array(Vec::new()))),
            (4, Some(annotation)) => drop(annotation.remove("result")),
            (5, Some(annotation)) => drop(annotation.remove("completed_by")),
            (6, Some(annotation)) => drop(annotation.insert("last_action".into(), "rejected".into())),
            (7, Some(_)) => drop(annotations.remove(nth)),
            _ => drop(tasks.remove(task)),
        }
    } else if let Some(properties) = value["properties"].as_array_mut() {
        let nth = random.below(properties.len());
        match random.below(3) {
            0 => drop(properties.remove(nth)),
            1 => properties[nth]["value"] = Value::Null,
            _ => properties.clear(),
        }
    }
    serde_json::to_vec(&value).expect("writes")
}

struct Format {
    name: String,
    source: ReadsSource,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// Of each reader and case, what was answered.
    answered: BTreeMap<(String, String), BTreeSet<Read>>,
}

fn formats() -> Vec<Format> {
    let small = json("small.json");
    let formats = small["formats"].as_object().expect("a map").clone();
    let one = |(name, format): (String, Value)| {
        let source = declared(format["reads"].as_str().expect("keys")).expect("valid");
        let files = small_files(&name, &format["files"]);
        let mut answered: BTreeMap<_, BTreeSet<Read>> = BTreeMap::new();
        for row in read_all(&files, &source).expect("reads").rows {
            answered
                .entry((row.case_id.to_string(), row.reader_id.to_string()))
                .or_default()
                .insert(row.read);
        }
        Format { name, source, files, answered }
    };
    formats.into_iter().map(one).collect()
}

#[test]
fn ten_thousand_damaged_exports_turn_nothing_absent_into_a_negative() {
    let formats = formats();
    let mut random = Random(7);
    let (mut damaged, mut read) = (0, 0);
    while damaged < 10_000 {
        for format in &formats {
            let file = random.below(format.files.len());
            let (path, bytes) = &format.files[file];
            let structured = path.extension().is_some_and(|e| e == "json") && random.below(3) > 0;
            let changed = if structured { of_json(bytes, &mut random) } else { of_text(bytes, &mut random) };
            damaged += 1;
            let Ok(found) = read_file(path, &changed, &format.source) else { continue };
            read += 1;
            for row in &found.rows {
                let pair = (row.case_id.to_string(), row.reader_id.to_string());
                let absent = ABSENT.iter().any(|(case, reader)| *case == pair.0 && *reader == pair.1);
                let about = format!("{} {} {pair:?}: {:?}", format.name, path.display(), row.read);
                assert!(!absent, "{about}\n{}", String::from_utf8_lossy(&changed));
                // Nothing is read of anybody that was not there before: an answer, or the like with other
                // words for ids.
                if let Some(answered) = format.answered.get(&pair) {
                    assert!(answered.contains(&row.read), "{about}\n{}", String::from_utf8_lossy(&changed));
                }
            }
        }
    }
    // Both happen: most damage is refused or loses a read, and some of it changes nothing.
    assert!(read > damaged / 10 && read < damaged, "{read} of {damaged} were read");
}

/// Everything cancelled, or not completed, gives no read at all.
#[test]
fn an_export_in_which_nothing_is_completed_gives_no_read() {
    for format in formats() {
        let mut left = Vec::new();
        for (path, bytes) in &format.files {
            let text = String::from_utf8_lossy(bytes);
            let changed = match format.name.as_str() {
                "label-studio" | "label-studio-image" => {
                    text.replace("\"was_cancelled\": false", "\"was_cancelled\": true")
                }
                "table" | "table-semicolon" | "table-tsv" => text.replace("yes", "no"),
                // The status is the last cell of a row, for each reader where each has a column.
                "redcap-instrument" | "redcap-events" | "redcap-entries-checkboxes" => {
                    text.replace(",2\n", ",0\n")
                }
                "redcap-labels" => text.replace(",Complete\n", ",Incomplete\n"),
                "redcap-columns" => text.replace(",2,", ",0,").replace(",2,", ",0,").replace(",2\n", ",0\n"),
                "cvat" => {
                    let tags = ["<tag", "<attribute", "</tag>"];
                    let kept = |line: &&str| !tags.iter().any(|tag| line.contains(tag));
                    text.lines().filter(kept).collect::<Vec<_>>().join("\n")
                }
                "v7" => text.replace("\"finding\"", "\"other\""),
                _ => continue,
            };
            match read_file(path, changed.as_bytes(), &format.source) {
                Ok(found) => left.extend(found.rows),
                // Boxes are left: that is no export of answers any more.
                Err(problems) => assert_eq!(codes(&problems), ["reads-presence-only"], "{}", format.name),
            }
        }
        // Enrolment forms that are complete are no reads either.
        assert!(left.is_empty(), "{}: {:?}", format.name, said(&left));
    }
}

/// Every fixture, and damage of every kind anywhere in it, given to every format.
#[test]
fn no_bytes_make_a_parser_panic() {
    let keys = [
        "",
        "rows = \"boxes\"",
        "scale = { min = 0, max = 5, positive_from = 2 }\ntime_column = \"read_at\"",
        "format = \"wide\"\nreader_columns = \"*_read\"",
        "format = \"wide\"\ncase_columns = \"*_1\"",
        "format = \"redcap\"\nread_column = \"finding\"",
        "format = \"redcap\"\nreader_from = \"record\"\nread_column = \"finding\"",
        "format = \"label-studio\"",
        "format = \"label-studio\"\ncancelled = \"not-exported\"\nquestion = \"finding\"",
        "format = \"imrmc\"",
        "format = \"dicom-sr\"",
        "format = \"cvat\"\nreader_from = \"file\"",
        "format = \"v7\"\nreader_from = \"folder\"\ncase_pattern = \"*.png\"",
        "format = \"grand-challenge\"",
    ];
    let sources: Vec<ReadsSource> = keys.iter().map(|keys| declared(keys).expect(keys)).collect();
    let mut random = Random(11);
    let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures().join("traps"))
        .expect("made by make.py")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    assert!(files.len() > 100);
    for file in files {
        let bytes = std::fs::read(&file).expect("reads");
        let path = Path::new("reads").join(file.file_name().expect("a name"));
        for round in 0..6 {
            let mut bytes = bytes.clone();
            for _ in 0..round {
                let at = random.below(bytes.len());
                match random.below(4) {
                    _ if bytes.is_empty() => {}
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, BYTES[random.below(BYTES.len())]),
                    _ => bytes[at] = random.below(256) as u8,
                }
            }
            let _ = sniff(&path, &bytes);
            for source in &sources {
                let _ = read_file(&path, &bytes, source);
            }
        }
    }
}
