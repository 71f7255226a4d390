//! DICOM files: what the gate and the tables need of a header, and grey pixels.
//!
//! Read: Implicit and Explicit VR Little Endian, Deflated, Explicit VR Big Endian, Encapsulated Uncompressed, JPEG
//! Baseline, JPEG Extended, JPEG Lossless, JPEG-LS, JPEG 2000, RLE Lossless; 1, 8, 16 and 32 bits allocated. Every other
//! transfer syntax, colour, several frames and look-up tables are refused by name. The data set is parsed by `dicom-object` after
//! [`structure`] has bounded its lengths and depth; pixels are decoded here, so that an image that does not
//! fill its rows and columns is an error and never silently black.
//!
//! Not read: names and descriptions. The former identify a person, the latter may give the finding away.

mod identifiers;
mod jpeg12;
mod jpeg2000;
mod jpeg_ls;
mod pixels;
mod structure;

pub use identifiers::Identifier;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use dicom_core::{DataDictionary as _, Tag};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_object::{DefaultDicomObject, InMemDicomObject, OpenFileOptions};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::imaging::observed::Observed;
use crate::imaging::radiograph::Radiograph;
use crate::storage;
use structure::{EXPLICIT_LITTLE, Encoding, IMPLICIT_LITTLE};

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
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u16>,
    /// Bits Stored (0028,0101).
    pub bits_stored: Option<u16>,
    /// Attributes that identify a person or describe the case, and those whose value stands in the file's name; no value.
    pub identifiers: Vec<Identifier>,
    /// What was read with a doubt, or not read: `dicom-age`, `dicom-view-from-position`.
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

/// Reads a header; the pixel data stay untouched.
///
/// # Errors
/// `dicom-unreadable`, `dicom-transfer-syntax` when not even the header can be read in it, and what reading
/// the file reports.
pub fn read_header(path: &Path) -> Result<Header> {
    let read = |bytes: &[u8]| {
        let parsed = parse(bytes, true)?;
        let mut header = header(&parsed.object, parsed.syntax, parsed.pixel_data);
        header.identifiers.extend(identifiers::in_name(&parsed.object, path));
        Ok(header)
    };
    read(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// Reads the pixels: rescaled (0028,1052-1053), windowed by the first window (0028,1050-1051) or else scaled
/// from the range that the bits stored can hold, and inverted for MONOCHROME1.
///
/// # Errors
/// `dicom-unreadable`, `dicom-transfer-syntax`, `dicom-pixels-missing`, `dicom-multi-frame`, `dicom-colour`,
/// `dicom-bits`, `dicom-lookup-table`, `dicom-window`, `dicom-pixels-unreadable`, `image-too-large`, and what
/// reading the file reports.
pub fn load(path: &Path) -> Result<Radiograph> {
    from_bytes(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// Stored values as the file holds them: after decompression, before Modality LUT, window and inversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Columns (0028,0011).
    pub columns: u32,
    /// Rows (0028,0010).
    pub rows: u32,
    /// Bits Stored (0028,0101).
    pub bits: u32,
    /// Pixel Representation (0028,0103) is 1.
    pub signed: bool,
    /// Row-major.
    pub values: Vec<i64>,
}

/// Reads the stored values, for whoever wants them before they are made intensities.
///
/// # Errors
/// As [`load`], without `dicom-window`.
pub fn stored(path: &Path) -> Result<Stored> {
    let read = |bytes: &[u8]| {
        let parsed = parse(bytes, false)?;
        pixels::stored(&parsed.object, &parsed.syntax, parsed.native)
    };
    read(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// The header in the bytes of a file, without what the file's name may say.
///
/// # Errors
/// As [`read_header`].
pub fn header_from_bytes(bytes: &[u8]) -> Result<Header, Diagnostic> {
    let parsed = parse(bytes, true)?;
    Ok(header(&parsed.object, parsed.syntax, parsed.pixel_data))
}

/// The pixels in the bytes of a file.
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Radiograph, Diagnostic> {
    let parsed = parse(bytes, false)?;
    pixels::decode(&parsed.object, &parsed.syntax, parsed.native)
}

fn located(problem: Diagnostic, path: &Path) -> Error {
    problem.at(Location::file(path)).into()
}

/// Deflated Explicit VR Little Endian.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// How pixels are encoded in a transfer syntax that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codec {
    Native,
    EncapsulatedNative,
    Jpeg,
    JpegLs,
    Jpeg2000,
    Rle,
}

/// Transfer syntaxes (PS3.6, annex A): UID, name, encoding of the data set, and how pixels are decoded.
const SYNTAXES: [(&str, &str, Encoding, Option<Codec>); 27] = [
    ("1.2.840.10008.1.2", "Implicit VR Little Endian", IMPLICIT_LITTLE, Some(Codec::Native)),
    ("1.2.840.10008.1.2.1", "Explicit VR Little Endian", EXPLICIT_LITTLE, Some(Codec::Native)),
    (
        "1.2.840.10008.1.2.2",
        "Explicit VR Big Endian",
        Encoding { explicit: true, big_endian: true },
        Some(Codec::Native),
    ),
    (
        "1.2.840.10008.1.2.1.98",
        "Encapsulated Uncompressed Explicit VR Little Endian",
        EXPLICIT_LITTLE,
        Some(Codec::EncapsulatedNative),
    ),
    (DEFLATED, "Deflated Explicit VR Little Endian", EXPLICIT_LITTLE, Some(Codec::Native)),
    ("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    ("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    ("1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", EXPLICIT_LITTLE, Some(Codec::Jpeg)),
    (
        "1.2.840.10008.1.2.4.70",
        "JPEG Lossless (Process 14, Selection Value 1)",
        EXPLICIT_LITTLE,
        Some(Codec::Jpeg),
    ),
    ("1.2.840.10008.1.2.5", "RLE Lossless", EXPLICIT_LITTLE, Some(Codec::Rle)),
    ("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", EXPLICIT_LITTLE, Some(Codec::JpegLs)),
    ("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", EXPLICIT_LITTLE, Some(Codec::JpegLs)),
    ("1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)", EXPLICIT_LITTLE, Some(Codec::Jpeg2000)),
    ("1.2.840.10008.1.2.4.91", "JPEG 2000", EXPLICIT_LITTLE, Some(Codec::Jpeg2000)),
    ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.112", "JPEG XL", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL (Lossless Only)", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", EXPLICIT_LITTLE, None),
    ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", EXPLICIT_LITTLE, None),
];

/// A transfer syntax that is known, with whether and how its pixels are decoded.
#[derive(Clone, Copy, Debug)]
struct Syntax {
    uid: &'static str,
    name: &'static str,
    encoding: Encoding,
    codec: Option<Codec>,
}

fn syntax(uid: &str) -> Result<Syntax, Diagnostic> {
    let known = SYNTAXES.iter().find(|(known, ..)| *known == uid);
    let &(uid, name, encoding, codec) = known.ok_or_else(|| {
        let uid: String = uid.chars().take(64).collect::<String>().escape_default().to_string();
        refused_syntax(&uid)
    })?;
    Ok(Syntax { uid, name, encoding, codec })
}

fn refused_syntax(name: &str) -> Diagnostic {
    Diagnostic::error(Code::DicomTransferSyntax, format!("the transfer syntax {name} is not read")).hint(
        "convert the file to Explicit VR Little Endian, for example with `gdcmconv --raw` or `dcmdjpeg`",
    )
}

fn unreadable(what: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::DicomUnreadable, what)
        .hint("replace the file with a complete DICOM file (PS3.10), or leave it out")
}

/// A data set with what the walk before its parsing found.
struct Parsed<'a> {
    object: DefaultDicomObject,
    syntax: Syntax,
    /// There are pixel data.
    pixel_data: bool,
    /// Their value in the bytes of the file, where it needs neither inflating nor another order; it is not in `object` then.
    native: Option<&'a [u8]>,
}

/// Bounds the structure, then parses; without the pixel data when `header_only`.
fn parse(file: &[u8], header_only: bool) -> Result<Parsed<'_>, Diagnostic> {
    let bytes = file;
    let (uid, start) = structure::meta(bytes).map_err(unreadable)?;
    let syntax = syntax(&uid)?;
    let inflated;
    let mut bytes = bytes;
    if syntax.uid == DEFLATED {
        inflated = inflate(bytes, start)?;
        bytes = &inflated;
    }
    let found = structure::check(bytes, start, syntax.encoding, header_only).map_err(unreadable)?;
    let as_it_lies = syntax.uid != DEFLATED && !syntax.encoding.big_endian;
    let native = found.native.filter(|_| as_it_lies).and_then(|(begin, end)| file.get(begin..end));
    let mut options = OpenFileOptions::new();
    if header_only || native.is_some() {
        options = options.read_until(tags::PIXEL_DATA);
    }
    let object = options.from_reader(Cursor::new(bytes)).map_err(|error| unreadable(chain(&error)))?;
    Ok(Parsed { object, syntax, pixel_data: found.pixel_data, native })
}

/// Largest data set that a deflated file may hold: 16 bits for the most pixels that are read, and a header.
const MOST_INFLATED: u64 = 2 * crate::imaging::image::MOST_PIXELS + (1 << 24);

/// The file with its data set inflated (PS3.5, A.5) and a transfer syntax of the same encoding that is not deflated,
/// its UID padded to the length of the one it replaces, so that a parser does not inflate it again.
fn inflate(bytes: &[u8], start: usize) -> Result<Vec<u8>, Diagnostic> {
    let (meta, packed) = bytes.split_at(start);
    let mut out = meta.to_vec();
    let at = meta.windows(DEFLATED.len()).position(|window| window == DEFLATED.as_bytes());
    let at = at.ok_or_else(|| unreadable("the file meta information names no transfer syntax"))?;
    let plain = b"1.2.840.10008.1.2.1";
    out[at..at + DEFLATED.len()].fill(0);
    out[at..at + plain.len()].copy_from_slice(plain);
    let mut data = flate2::read::DeflateDecoder::new(packed).take(MOST_INFLATED + 1);
    data.read_to_end(&mut out)
        .map_err(|error| unreadable(format!("the deflated data set cannot be inflated: {error}")))?;
    if (out.len() - start) as u64 > MOST_INFLATED {
        return Err(unreadable(format!("the deflated data set holds more than {MOST_INFLATED} bytes")));
    }
    Ok(out)
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.chars().take(400).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The values of an element joined by `\`, trimmed; `None` when absent or empty.
fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let element = object.get(tag)?;
    let values = element.value().to_multi_str().ok()?;
    let joined: Vec<&str> = values.iter().map(|v| v.trim_matches([' ', '\0'])).collect();
    let joined: String = joined.join("\\").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!joined.is_empty()).then_some(joined)
}

/// A whole number of an element; `None` when absent or not one.
fn whole(object: &InMemDicomObject, tag: Tag) -> Option<u32> {
    text(object, tag)?.parse().ok()
}

fn header(object: &InMemDicomObject, syntax: Syntax, pixel_data: bool) -> Header {
    let mut values = BTreeMap::new();
    for tag in SHOWN {
        if let Some(value) = text(object, tag) {
            let keyword = StandardDataDictionary.by_tag(tag).map_or("", |entry| entry.alias).to_owned();
            values.insert(shown(tag), RawValue { keyword, value });
        }
    }
    let get = |tag: Tag| text(object, tag);
    let small = |tag: Tag| whole(object, tag).and_then(|value| u16::try_from(value).ok());
    let mut warnings = Vec::new();
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
            pixels: Some(pixels::admit(object, &syntax, pixel_data)),
        },
        values,
        sop_instance_uid: get(tags::SOP_INSTANCE_UID).unwrap_or_default(),
        study_instance_uid: get(tags::STUDY_INSTANCE_UID).unwrap_or_default(),
        patient_id: get(tags::PATIENT_ID).unwrap_or_default(),
        transfer_syntax: syntax.uid.to_owned(),
        photometric: upper(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default(),
        rows,
        columns,
        bits_allocated: small(tags::BITS_ALLOCATED),
        bits_stored: small(tags::BITS_STORED),
        identifiers: identifiers::find(object),
        warnings,
    }
}

/// A tag as the standard writes it.
fn shown(tag: Tag) -> String {
    format!("({:04X},{:04X})", tag.group(), tag.element())
}

/// Completed years from an Age String (PS3.5, 6.2: three digits and D, W, M or Y). Fewer digits are taken as
/// they are, and digits without a unit as years, both with a warning; above 130 years is not an age.
fn age(text: &str) -> (Option<u16>, Option<Diagnostic>) {
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

/// Completed years between two dates (PS3.5, 6.2: YYYYMMDD); `None` when either is absent, no date, or they are not in
/// order. Only the years leave this function: a birth date identifies a person.
fn years_between(birth: Option<String>, study: Option<String>) -> Option<u16> {
    let date = |text: Option<String>| {
        let text = text?;
        let date = text.split('\\').next()?.replace('.', "");
        (date.len() == 8).then(|| chrono::NaiveDate::parse_from_str(&date, "%Y%m%d").ok())?
    };
    date(study)?.years_since(date(birth)?).and_then(|years| u16::try_from(years).ok()).filter(|&y| y <= 130)
}

/// Terms that Patient Position (0018,5100) is defined for (PS3.3, C.7.3.1.1.2): they do not name a projection.
const PATIENT_POSITIONS: [&str; 16] = [
    "HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS", "LFP", "LFS", "RFP", "RFS", "AFDR", "AFDL",
    "PFDR", "PFDL",
];

/// View Position, or, where that is absent, what some exports put into Patient Position instead.
fn projection(view: Option<String>, position: Option<String>) -> (Option<String>, Option<Diagnostic>) {
    if let Some(view) = view {
        return (Some(view.to_uppercase()), None);
    }
    let position = position.map(|p| p.to_uppercase()).filter(|p| !PATIENT_POSITIONS.contains(&p.as_str()));
    let doubt = position.as_ref().map(|position| {
        Diagnostic::warning(
            Code::DicomViewFromPosition,
            format!("ViewPosition (0018,5101) is absent; PatientPosition (0018,5100) `{position}` is taken as the view"),
        )
    });
    (position, doubt)
}

#[cfg(test)]
mod tests;
