//! Exports of readers' platforms: the first byte picks what is declared, the rest is the file.
#![cfg_attr(not(test), no_main)]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sequester::protocol::{self, ReadsSource};
use sequester::reads::case_map::CaseMap;
use sequester::reads::files::{Beside, read_with, without_boxes};
use sequester::reads::import::sniff;

const KEYS: [&str; 14] = [
    "",
    "rows = \"boxes\"",
    "header_row = 3\nscale = { min = 0, max = 5, positive_from = 2 }",
    "case_map = { file = \"map.csv\", case_column = \"case_id\", id_column = \"id\" }",
    "scale = { min = 0, max = 5, positive_from = 2 }\ntime_column = \"read_at\"",
    "format = \"wide\"\nreader_columns = \"*_read\"",
    "format = \"redcap\"\nread_column = \"finding\"",
    "format = \"label-studio\"",
    "format = \"label-studio\"\ncancelled = \"not-exported\"\nquestion = \"finding\"",
    "format = \"imrmc\"",
    "format = \"dicom-sr\"",
    "format = \"cvat\"\nreader_from = \"file\"",
    "format = \"v7\"\nreader_from = \"folder\"\ncase_pattern = \"*.png\"",
    "format = \"grand-challenge\"",
];

fn declared(keys: &str) -> ReadsSource {
    let text = include_str!("../../protocols/pneumonia-exp2a.toml");
    let begin = text.find("[reads]").expect("a section");
    let end = begin + text[begin..].find("\n[").expect("a section follows");
    let text = format!("{}[reads]\n{keys}\n{}", &text[..begin], &text[end..]);
    protocol::parse(Path::new("protocol.toml"), &text).expect("valid").reads
}

fuzz_target!(|bytes: &[u8]| {
    static DECLARED: LazyLock<Vec<ReadsSource>> =
        LazyLock::new(|| KEYS.iter().map(|keys| declared(keys)).collect());
    let Some((which, file)) = bytes.split_first() else { return };
    let _ = sniff(Path::new("reads/export"), file);
    if let Some(source) = DECLARED.get(usize::from(*which) % KEYS.len()) {
        let path = Path::new("reads/export");
        // The file is its own map of cases as well, and its own list of what was read.
        let map =
            source.case_map.as_ref().and_then(|declared| CaseMap::parse(path, file, declared, true).ok());
        let read = read_with(path, file, source, Beside { map: map.as_ref(), named: None });
        let rows = read.map(|read| read.rows).unwrap_or_default();
        let _ = without_boxes(path, file, source, map.as_ref(), &rows);
    }
});
