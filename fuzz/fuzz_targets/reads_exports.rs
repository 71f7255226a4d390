//! Exports of readers' platforms: the first byte picks what is declared, the rest is the file.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sequester::protocol::{self, ReadsSource};
use sequester::reads::files::read_file;
use sequester::reads::import::sniff;

const KEYS: [&str; 12] = [
    "",
    "rows = \"boxes\"",
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
    static DECLARED: LazyLock<Vec<ReadsSource>> = LazyLock::new(|| KEYS.iter().map(|keys| declared(keys)).collect());
    let Some((which, file)) = bytes.split_first() else { return };
    let _ = sniff(Path::new("reads/export"), file);
    if let Some(source) = DECLARED.get(usize::from(*which) % KEYS.len()) {
        let _ = read_file(Path::new("reads/export"), file, source);
    }
});
