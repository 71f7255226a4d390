//! What identifies a person in a header or a file's name, by attribute and never by value: the attributes of
//! the Basic Application Confidentiality Profile (PS3.15, annex E) that matter for an exported radiograph.
//! Instance UIDs are not listed: every file has them, and they identify by the archive alone.

use std::collections::BTreeSet;
use std::path::Path;

use dicom_core::{DataDictionary as _, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use serde::Serialize;

use super::data_set::{DataSet, Value, shown};
use crate::imaging::traces;
use crate::imaging::traces::Trace;

/// An attribute that is filled, without its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Identifier {
    /// Such as `(0010,0010)`.
    pub tag: String,
    /// Keyword of the standard; empty for a private attribute.
    pub keyword: String,
    /// `name`, `identifier`, `date`, `address`, `description`, `text` (another attribute of free text with a
    /// trace), `private`, `burned-in` or `file-name`.
    pub kind: &'static str,
    /// What a description or a text seems to hold, by [`crate::imaging::traces`] and by the patient's name
    /// and identifier.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub traces: BTreeSet<Trace>,
}

const IDENTIFIERS: [Tag; 11] = [
    tags::PATIENT_ID,
    Tag(0x0010, 0x1000),
    tags::ISSUER_OF_PATIENT_ID,
    Tag(0x0010, 0x1090),
    tags::ACCESSION_NUMBER,
    tags::STUDY_ID,
    tags::ADMISSION_ID,
    tags::DEVICE_SERIAL_NUMBER,
    tags::STATION_NAME,
    tags::INSTITUTION_NAME,
    tags::INSTITUTIONAL_DEPARTMENT_NAME,
];
const ADDRESSES: [Tag; 5] = [
    tags::PATIENT_ADDRESS,
    tags::PATIENT_TELEPHONE_NUMBERS,
    tags::INSTITUTION_ADDRESS,
    tags::REGION_OF_RESIDENCE,
    tags::COUNTRY_OF_RESIDENCE,
];
const DESCRIPTIONS: [Tag; 9] = [
    tags::STUDY_DESCRIPTION,
    tags::SERIES_DESCRIPTION,
    tags::IMAGE_COMMENTS,
    tags::PATIENT_COMMENTS,
    tags::ADDITIONAL_PATIENT_HISTORY,
    tags::ADMITTING_DIAGNOSES_DESCRIPTION,
    tags::REQUESTED_PROCEDURE_DESCRIPTION,
    Tag(0x0032, 0x1030),
    tags::PROTOCOL_NAME,
];

/// Filled attributes of the data set and of its sequences, each once, sorted.
pub(super) fn find(data: &DataSet<'_>) -> Vec<Identifier> {
    let mut found = Vec::new();
    walk(data, &persons(data), &mut found);
    if data.text(tags::BURNED_IN_ANNOTATION).is_some_and(|value| value.eq_ignore_ascii_case("YES")) {
        found.push(of(tags::BURNED_IN_ANNOTATION, "burned-in", BTreeSet::new()));
    }
    found.sort();
    found.dedup();
    found
}

/// The patient's names and identifiers in lower case, of at least four characters, with what they are.
fn persons(data: &DataSet<'_>) -> Vec<(String, Trace)> {
    let parts = |tag: Tag, trace: Trace| {
        let value = data.text(tag).unwrap_or_default().to_lowercase();
        let parts = value.split(['^', ' ', '\\', '=']).filter(|part| part.chars().count() >= 4);
        parts.map(|part| (part.to_owned(), trace)).collect::<Vec<_>>()
    };
    let mut all = parts(tags::PATIENT_NAME, Trace::Name);
    for tag in [tags::PATIENT_ID, tags::ACCESSION_NUMBER] {
        all.extend(parts(tag, Trace::Identifier));
    }
    all
}

/// What a text seems to hold.
fn traces_of(text: &str, persons: &[(String, Trace)]) -> BTreeSet<Trace> {
    let mut found = traces::in_text(text);
    let lower = text.to_lowercase();
    found.extend(persons.iter().filter(|(part, _)| lower.contains(part)).map(|(_, trace)| *trace));
    found
}

fn walk(data: &DataSet<'_>, persons: &[(String, Trace)], found: &mut Vec<Identifier>) {
    for (tag, element) in data.iter() {
        if let Value::Items(items) = &element.value {
            items.iter().for_each(|item| walk(item, persons, found));
        }
        let private = tag.group() % 2 == 1;
        // A private value need not be text; that it is there is enough.
        let filled = if private { element.is_filled() } else { data.text(tag).is_some() };
        let kind = match element.vr {
            _ if private => "private",
            VR::PN => "name",
            VR::DA | VR::DT => "date",
            _ if IDENTIFIERS.contains(&tag) => "identifier",
            _ if ADDRESSES.contains(&tag) => "address",
            _ if DESCRIPTIONS.contains(&tag) => "description",
            VR::LO | VR::LT | VR::SH | VR::ST | VR::UC | VR::UT => "text",
            _ => continue,
        };
        let traces = match kind {
            "description" | "text" => traces_of(&data.text(tag).unwrap_or_default(), persons),
            _ => BTreeSet::new(),
        };
        if filled && !(kind == "text" && traces.is_empty()) {
            found.push(of(tag, kind, traces));
        }
    }
}

fn of(tag: Tag, kind: &'static str, traces: BTreeSet<Trace>) -> Identifier {
    let keyword = StandardDataDictionary.by_tag(tag).map_or("", |entry| entry.alias);
    let keyword = if kind == "private" { String::new() } else { keyword.to_owned() };
    Identifier { tag: shown(tag), keyword, kind, traces }
}

/// Attributes whose value stands in the file's name, in any case: the whole of an identifier or a date, or a
/// part of a name, of at least four characters.
pub(super) fn in_name(data: &DataSet<'_>, path: &Path) -> Vec<Identifier> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let tags = [tags::PATIENT_NAME, tags::PATIENT_ID, tags::ACCESSION_NUMBER, tags::PATIENT_BIRTH_DATE];
    let holds = |tag: &Tag| {
        let value = data.text(*tag).unwrap_or_default().to_lowercase();
        let parts = value.split(['^', ' ', '\\', '=']).filter(|part| part.chars().count() >= 4);
        parts.into_iter().any(|part| name.contains(part))
    };
    tags.iter().filter(|tag| holds(tag)).map(|&tag| of(tag, "file-name", BTreeSet::new())).collect()
}
