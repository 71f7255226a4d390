//! `[reads]`: where the readers' answers stand in the files, and what their words mean.

use std::collections::BTreeSet;

use serde::Serialize;

use super::reader::Section;
use crate::diagnostic::Code;
use crate::digest::RelativePath;

/// Where reads come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadsSource {
    /// Files relative to the data folder; the last component may hold `*`.
    pub files: Vec<String>,
    /// Column of the case id.
    pub case_column: String,
    /// Column of the reader's id.
    pub reader_column: String,
    /// Column of the read.
    pub read_column: String,
    /// Texts that mean positive.
    pub positive: Vec<String>,
    /// Texts that mean negative.
    pub negative: Vec<String>,
    /// Texts that mean indeterminate.
    pub indeterminate: Vec<String>,
}

/// `[reads]` as typed.
pub(super) fn reads(section: Section) -> ReadsSource {
    let word = |key, default: &str| section.string(key).unwrap_or_else(|| default.to_owned());
    let words = |key, default: &str| section.strings(key).unwrap_or_else(|| vec![default.to_owned()]);
    let reads = ReadsSource {
        files: words("files", "reads/*.csv"),
        case_column: word("case_column", "case_id"),
        reader_column: word("reader_column", "reader_id"),
        read_column: word("read_column", "read"),
        positive: words("positive", "positive"),
        negative: words("negative", "negative"),
        indeterminate: words("indeterminate", "indeterminate"),
    };
    for file in &reads.files {
        if file.parse::<RelativePath>().is_err() {
            section.wrong("files", Code::Path, format!("`{file}` is not a plain relative path"));
        }
    }
    let mut seen = BTreeSet::new();
    for value in reads.positive.iter().chain(&reads.negative).chain(&reads.indeterminate) {
        if !seen.insert(value.to_lowercase()) {
            section.wrong("positive", Code::ReadAmbiguous, format!("the read \"{value}\" has two meanings"));
        }
    }
    section.finish();
    reads
}
