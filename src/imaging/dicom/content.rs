//! Structured Reports (PS3.3, C.17.3): the tree of content items, as far as texts, codes, names and
//! references go. What an item means its reader decides; relationship types are kept and not judged, because
//! writers get them wrong.

use dicom_dictionary_std::tags;

use super::data_set::{DataSet, Value};
use super::file::File;
use crate::diagnostic::{Code, Diagnostic};

/// A coded entry (PS3.3, 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coded {
    /// Code Value (0008,0100), or its long or URN form; empty when absent.
    pub value: String,
    /// Coding Scheme Designator (0008,0102); empty when absent.
    pub scheme: String,
    /// Code Meaning (0008,0104); empty when absent.
    pub meaning: String,
}

impl Coded {
    /// Whether it is this code of this scheme.
    pub fn is(&self, value: &str, scheme: &str) -> bool {
        self.value == value && self.scheme == scheme
    }

    fn of(data: &DataSet<'_>) -> Self {
        let text = |tag| data.text(tag).filter(|text| !text.is_empty());
        let value = text(tags::CODE_VALUE)
            .or_else(|| text(tags::LONG_CODE_VALUE))
            .or_else(|| text(tags::URN_CODE_VALUE));
        Self {
            value: value.unwrap_or_default(),
            scheme: text(tags::CODING_SCHEME_DESIGNATOR).unwrap_or_default(),
            meaning: text(tags::CODE_MEANING).unwrap_or_default(),
        }
    }
}

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentValue {
    /// A code.
    Code(Coded),
    /// A text, or the name of a person.
    Text(String),
    /// SOP Instance UID of what is referenced.
    Reference(String),
    /// Something else, or nothing.
    Other,
}

/// A content item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentItem {
    /// Value Type (0040,A040): `CODE`, `TEXT`, `CONTAINER`, ...; empty when absent.
    pub kind: String,
    /// Concept Name Code Sequence (0040,A043).
    pub name: Option<Coded>,
    /// What it holds.
    pub value: ContentValue,
    /// What stands below it.
    pub children: Vec<ContentItem>,
}

impl ContentItem {
    /// Whether its concept name is this code of DICOM's own scheme.
    pub fn is_named(&self, value: &str) -> bool {
        self.name.as_ref().is_some_and(|name| name.is(value, "DCM"))
    }

    /// This item and all below it.
    pub fn all(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        let mut left = vec![self];
        while let Some(item) = left.pop() {
            found.push(item);
            left.extend(item.children.iter().rev());
        }
        found
    }
}

/// A Structured Report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The root of the content.
    pub root: ContentItem,
    /// Completion Flag (0040,A491): `COMPLETE`, `PARTIAL`; empty when absent.
    pub completion: String,
    /// Verification Flag (0040,A493): `VERIFIED`, `UNVERIFIED`; empty when absent.
    pub verification: String,
    /// Patient ID (0010,0020).
    pub patient_id: String,
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: String,
    /// Accession Number (0008,0050).
    pub accession_number: String,
    /// Content Date (0008,0023), as `YYYYMMDD`, and Content Time (0008,0033), as `HHMMSS`; empty when absent.
    pub content_time: (String, String),
    /// What is not as the standard has it, and how it was taken.
    pub irregular: Vec<String>,
}

/// Reads the Structured Report in the bytes of a file.
///
/// # Errors
/// `dicom-unreadable` for a file that is none, or has no content; what reading a file reports.
pub fn report(bytes: &[u8]) -> Result<Report, Diagnostic> {
    let file = File::open(bytes)?;
    let parsed = file.data_set(true)?;
    let data = &parsed.data;
    if data.text(tags::VALUE_TYPE).as_deref() != Some("CONTAINER") {
        return Err(Diagnostic::error(Code::DicomUnreadable, "this DICOM file is no Structured Report")
            .hint("give the report that holds the reader's answers, not the image"));
    }
    let text = |tag| data.text(tag).unwrap_or_default();
    Ok(Report {
        root: item(data),
        completion: text(tags::COMPLETION_FLAG),
        verification: text(tags::VERIFICATION_FLAG),
        patient_id: text(tags::PATIENT_ID),
        study_instance_uid: text(tags::STUDY_INSTANCE_UID),
        accession_number: text(tags::ACCESSION_NUMBER),
        content_time: (text(tags::CONTENT_DATE), text(tags::CONTENT_TIME)),
        irregular: parsed.irregular.clone(),
    })
}

/// An item and what stands below it; sequences nest only so deep (`reader`).
fn item(data: &DataSet<'_>) -> ContentItem {
    let kind = data.text(tags::VALUE_TYPE).unwrap_or_default();
    let first = |tag| items(data, tag).first();
    let value = match kind.as_str() {
        "CODE" => first(tags::CONCEPT_CODE_SEQUENCE).map(|code| ContentValue::Code(Coded::of(code))),
        "TEXT" => data.text(tags::TEXT_VALUE).map(ContentValue::Text),
        "PNAME" => data.text(tags::PERSON_NAME).map(ContentValue::Text),
        "IMAGE" | "COMPOSITE" | "WAVEFORM" => first(tags::REFERENCED_SOP_SEQUENCE)
            .and_then(|one| one.text(tags::REFERENCED_SOP_INSTANCE_UID))
            .map(ContentValue::Reference),
        _ => None,
    };
    ContentItem {
        name: first(tags::CONCEPT_NAME_CODE_SEQUENCE).map(Coded::of),
        value: value.unwrap_or(ContentValue::Other),
        children: items(data, tags::CONTENT_SEQUENCE).iter().map(item).collect(),
        kind,
    }
}

fn items<'d, 'a>(data: &'d DataSet<'a>, tag: dicom_core::Tag) -> &'d [DataSet<'a>] {
    match data.get(tag).map(|element| &element.value) {
        Some(Value::Items(items)) => items,
        _ => &[],
    }
}
