//! JSON of platforms: the place of a value in the text, and whose export it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::diagnostic::{Code, Diagnostic, Location};

/// The text of a JSON file.
///
/// # Errors
/// `json-unreadable` for bytes that are not UTF-8.
pub fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Vec<Diagnostic>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        vec![
            Diagnostic::error(Code::JsonUnreadable, format!("this is not JSON in UTF-8: {error}"))
                .at(Location::file(path))
                .hint("give the file as the platform exports it"),
        ]
    })
}

/// What the parser says.
pub fn unreadable(path: &Path, error: &serde_json::Error) -> Diagnostic {
    let mut at = Location::file(path);
    if error.line() > 0 {
        at.line = Some(error.line() as u64);
        at.column = Some(error.column().max(1) as u64);
    }
    Diagnostic::error(
        Code::JsonUnreadable,
        format!("this is not JSON, or not what is expected here: {error}"),
    )
    .at(at)
    .hint("give the file as the platform exports it; a truncated file ends early")
}

/// Finds lines and columns of the parts of a text.
pub struct Places<'t> {
    path: &'t Path,
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'t> Places<'t> {
    /// The lines of a text.
    pub fn of(path: &'t Path, text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { path, text, lines: std::iter::once(0).chain(ends).collect() }
    }

    /// Where a part begins that was borrowed from the text; columns count bytes.
    pub fn at(&self, part: &str) -> Location {
        let offset = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let Some(offset) = offset.filter(|offset| *offset <= self.text.len()) else {
            return Location::file(self.path);
        };
        let line = self.lines.partition_point(|begin| *begin <= offset);
        let begin = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Location {
            path: self.path.into(),
            line: Some(line as u64),
            column: Some((offset - begin) as u64 + 1),
        }
    }
}

/// A value as text: a text without its quotes, everything else as JSON has it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Refuses the export of a platform that is known and not read, by the keys of one object.
pub fn another_platform(keys: &BTreeSet<String>, at: Location) -> Option<Diagnostic> {
    let has = |name: &str| keys.contains(name);
    let refuse = |whose: &str, hint: &str| {
        let message = format!("this is {whose}, which is not read");
        Some(Diagnostic::error(Code::ExportUnsupported, message).at(at.clone()).hint(hint))
    };
    if has("labelGroups") && has("datasets") {
        return refuse(
            "MD.ai's JSON: it names studies by UID and holds what readers found, not what they read",
            "in MD.ai export the annotations as CSV with a label for the absent finding, write the case \
             beside \
             each UID, and declare format = \"table\"",
        );
    }
    if has("Measurements") && (has("observerContext") || has("@schema")) {
        return refuse(
            "the input of dcmqi's tid1500writer",
            "give the DICOM Structured Report that it writes, with format = \"dicom-sr\"",
        );
    }
    if has("data_units") || has("label_hash") || has("classification_answers") {
        return refuse(
            "Encord's JSON",
            "export the classifications as CSV, one row a reader and a case, and declare format = \"table\"",
        );
    }
    if has("images") && has("annotations") && has("categories") {
        return refuse(
            "a COCO data set: it holds boxes, and says neither who drew them nor what was read without one",
            "export the readers' answers on whole images instead",
        );
    }
    None
}

/// Refuses an export that holds what was found and not what was read.
pub fn presence_only(path: &Path, kinds: &str) -> Diagnostic {
    let message = format!(
        "the export holds what readers marked ({kinds}) and no answer on a whole image: an image without a \
         mark \
         cannot be told from one that nobody read"
    );
    Diagnostic::error(Code::ReadsPresenceOnly, message).at(Location::file(path)).hint(
        "ask the readers a question on each image, such as \"finding: present, absent\", and export its \
         answers; \
         or make a table of boxes in which images without a box have a row (rows = \"boxes\")",
    )
}

/// Refuses JSON of no known platform.
pub fn unknown(at: Location) -> Diagnostic {
    Diagnostic::error(Code::ExportUnsupported, "this JSON is of no platform that is known here")
        .at(at)
        .hint("export the answers as a table, one row a reader and a case, and declare format = \"table\"")
}

/// Keys of the object that a text is, or of the first one in its list.
pub fn first_keys(text: &str) -> BTreeSet<String> {
    fn object(text: &str) -> Option<BTreeMap<String, &RawValue>> {
        serde_json::from_str(text).ok()
    }
    let first = || object(serde_json::from_str::<Vec<&RawValue>>(text).ok()?.first()?.get());
    object(text).or_else(first).unwrap_or_default().into_keys().collect()
}
