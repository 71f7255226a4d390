//! The header: what the gate and the tables need of it.

use std::collections::BTreeMap;

use dicom_core::{DataDictionary as _, Tag};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::data_set::{DataSet, shown};
use super::file::Parsed;
use super::identifiers::{self, Identifier};
use super::pixels;
use super::transfer_syntax::Syntax;
use crate::diagnostic::{Code, Diagnostic};
use crate::imaging::observed::Observed;

/// What a header says, as far as it is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// For the gate.
    pub observed: Observed,
    /// The values as written, by tag such as `(0010,1010)`; absent elements are absent here.
    pub values: BTreeMap<String, RawValue>,
    /// SOP Instance UID (0008,0018); empty when absent.
    pub sop_instance_uid: String,
    /// Study Instance UID (0020,000D); empty when absent.
    pub study_instance_uid: String,
    /// Patient ID (0010,0020); empty when absent.
    pub patient_id: String,
    /// UID of the transfer syntax (0002,0010).
    pub transfer_syntax: String,
    /// Photometric Interpretation (0028,0004), upper case; empty when absent.
    pub photometric: String,
    /// Rows (0028,0010).
    pub rows: Option<u16>,
    /// Columns (0028,0011).
    pub columns: Option<u16>,
    /// By class or Image Type (0008,0008) the picture was captured from a screen or made afterwards.
    pub secondary: bool,
    /// Attributes that identify a person or describe the case, and those whose value stands in the file's
    /// name; no value.
    pub identifiers: Vec<Identifier>,
    /// What was read with a doubt, or not read: `dicom-irregular`, `dicom-presentation`, `dicom-age`,
    /// `dicom-view-from-position`.
    pub warnings: Vec<Diagnostic>,
}

/// One element as written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RawValue {
    /// Keyword of the standard, such as `PatientAge`.
    pub keyword: String,
    /// Values joined by `\`, without padding.
    pub value: String,
}

/// The elements whose values are shown. No name, no free text.
const SHOWN: [Tag; 28] = [
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::MODALITY,
    tags::MANUFACTURER,
    tags::STUDY_DATE,
    tags::PATIENT_ID,
    tags::PATIENT_SEX,
    tags::PATIENT_AGE,
    tags::BODY_PART_EXAMINED,
    tags::VIEW_POSITION,
    tags::PATIENT_POSITION,
    tags::PATIENT_ORIENTATION,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::NUMBER_OF_FRAMES,
    tags::BURNED_IN_ANNOTATION,
    tags::ROWS,
    tags::COLUMNS,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::PIXEL_REPRESENTATION,
    tags::RESCALE_SLOPE,
    tags::RESCALE_INTERCEPT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::VOILUT_FUNCTION,
];

/// What the data set says.
pub(super) fn header(parsed: &Parsed<'_>, syntax: Syntax) -> Header {
    let data = &parsed.data;
    let mut values = BTreeMap::new();
    for tag in SHOWN {
        if let Some(value) = data.text(tag) {
            let keyword = StandardDataDictionary.by_tag(tag).map_or("", |entry| entry.alias).to_owned();
            values.insert(shown(tag), RawValue { keyword, value });
        }
    }
    let get = |tag: Tag| data.text(tag);
    let small = |tag: Tag| data.whole(tag).ok().flatten().and_then(|value| u16::try_from(value).ok());
    let mut warnings = irregular(parsed);
    warnings.extend(presentation(data));
    let age_years = get(tags::PATIENT_AGE).and_then(|text| {
        let (years, doubt) = age(&text);
        warnings.extend(doubt);
        years
    });
    let (view, doubt) = projection(get(tags::VIEW_POSITION), get(tags::PATIENT_POSITION));
    warnings.extend(doubt);
    let (rows, columns) = (small(tags::ROWS), small(tags::COLUMNS));
    let upper = |tag: Tag| get(tag).map(|value| value.to_uppercase());
    Header {
        observed: Observed {
            modality: upper(tags::MODALITY),
            body_part: upper(tags::BODY_PART_EXAMINED),
            view,
            age_years,
            age_from_dates: years_between(get(tags::PATIENT_BIRTH_DATE), get(tags::STUDY_DATE)),
            dimensions: columns.zip(rows).map(|(columns, rows)| (columns.into(), rows.into())),
            photometric: upper(tags::PHOTOMETRIC_INTERPRETATION),
            burned_in: upper(tags::BURNED_IN_ANNOTATION),
            pixels: Some(pixels::admit(data, &syntax, parsed.pixel_data)),
        },
        values,
        sop_instance_uid: get(tags::SOP_INSTANCE_UID).unwrap_or_default(),
        study_instance_uid: get(tags::STUDY_INSTANCE_UID).unwrap_or_default(),
        patient_id: get(tags::PATIENT_ID).unwrap_or_default(),
        transfer_syntax: syntax.uid.to_owned(),
        photometric: upper(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
        rows,
        columns,
        secondary: is_secondary(get(tags::SOP_CLASS_UID), upper(tags::IMAGE_TYPE)),
        identifiers: identifiers::find(data),
        warnings,
    }
}

/// Secondary Capture Image Storage and its multi-frame kin (PS3.6), or an Image Type (PS3.3, C.7.6.1.1.2)
/// that says secondary or names a screen.
fn is_secondary(class: Option<String>, image_type: Option<String>) -> bool {
    const CLASS: &str = "1.2.840.10008.5.1.4.1.1.7";
    let class = class.unwrap_or_default();
    let kin = class.strip_prefix(CLASS).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let says = |value: &str| value.trim() == "SECONDARY" || value.contains("SCREEN");
    kin || image_type.is_some_and(|text| text.split('\\').any(says))
}

/// What is not as the standard has it, and how it was taken.
fn irregular(parsed: &Parsed<'_>) -> Vec<Diagnostic> {
    let warning = |what: &String| Diagnostic::warning(Code::DicomIrregular, what);
    parsed.irregular.iter().map(warning).collect()
}

/// A Presentation LUT Shape that contradicts the photometric interpretation: IDENTITY belongs to MONOCHROME2,
/// INVERSE to MONOCHROME1 (PS3.3, C.8.11.3.1.2). The latter is what is followed.
fn presentation(data: &DataSet<'_>) -> Option<Diagnostic> {
    let shape = data.text(tags::PRESENTATION_LUT_SHAPE)?.to_uppercase();
    let photometric = data.text(tags::PHOTOMETRIC_INTERPRETATION)?.to_uppercase();
    let contradicts = matches!(
        (photometric.as_str(), shape.as_str()),
        ("MONOCHROME1", "IDENTITY" | "LIN OD") | ("MONOCHROME2", "INVERSE")
    );
    let what = format!(
        "PresentationLUTShape (2050,0020) `{shape}` contradicts the photometric interpretation \
         {photometric}, which is followed"
    );
    contradicts.then(|| {
        Diagnostic::warning(Code::DicomPresentation, what).hint("look whether the picture is inverted")
    })
}

/// Completed years from an Age String (PS3.5, 6.2: three digits and D, W, M or Y). Fewer digits are taken as
/// they are, and digits without a unit as years, both with a warning; above 130 years is not an age.
pub(super) fn age(text: &str) -> (Option<u16>, Option<Diagnostic>) {
    let doubt = |what: String| Some(Diagnostic::warning(Code::DicomAge, what));
    let (digits, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], Some(unit.to_ascii_uppercase())),
        _ => (text, None),
    };
    let count = if (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        digits.parse::<u16>().ok()
    } else {
        None
    };
    let years = count.and_then(|count| match unit {
        None | Some('Y') => Some(count),
        Some('M') => Some(count / 12),
        Some('W') => Some((f64::from(count) * 7.0 / 365.25) as u16),
        Some('D') => Some((f64::from(count) / 365.25) as u16),
        Some(_) => None,
    });
    let quoted = text.chars().take(16).collect::<String>();
    match years {
        None => (None, doubt(format!("PatientAge (0010,1010) `{quoted}` is not an age; taken as not given"))),
        Some(years) if years > 130 => {
            (None, doubt(format!("PatientAge (0010,1010) `{quoted}` is above 130 years; taken as not given")))
        }
        Some(years) if unit.is_none() => {
            (Some(years), doubt(format!("PatientAge (0010,1010) `{quoted}` has no unit; read as years")))
        }
        Some(years) => (Some(years), None),
    }
}

/// Completed years between two dates (PS3.5, 6.2: YYYYMMDD); `None` when either is absent, no date, or they
/// are not in order. Only the years leave this function: a birth date identifies a person.
fn years_between(birth: Option<String>, study: Option<String>) -> Option<u16> {
    let date = |text: Option<String>| {
        let text = text?;
        let date = text.split('\\').next()?.replace('.', "");
        (date.len() == 8).then(|| chrono::NaiveDate::parse_from_str(&date, "%Y%m%d").ok())?
    };
    date(study)?.years_since(date(birth)?).and_then(|years| u16::try_from(years).ok()).filter(|&y| y <= 130)
}

/// Terms that Patient Position (0018,5100) is defined for (PS3.3, C.7.3.1.1.2): they do not name a
/// projection.
const PATIENT_POSITIONS: [&str; 16] = [
    "HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS", "LFP", "LFS", "RFP", "RFS", "AFDR", "AFDL",
    "PFDR", "PFDL",
];

/// View Position, or, where that is absent, what some exports put into Patient Position instead.
pub(super) fn projection(
    view: Option<String>,
    position: Option<String>,
) -> (Option<String>, Option<Diagnostic>) {
    if let Some(view) = view {
        return (Some(view.to_uppercase()), None);
    }
    let position = position.map(|p| p.to_uppercase()).filter(|p| !PATIENT_POSITIONS.contains(&p.as_str()));
    let doubt = position.as_ref().map(|position| {
        Diagnostic::warning(
            Code::DicomViewFromPosition,
            format!(
                "ViewPosition (0018,5101) is absent; PatientPosition (0018,5100) `{position}` is \
                taken as the view"
            ),
        )
    });
    (position, doubt)
}
