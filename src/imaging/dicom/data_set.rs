//! From the bytes of a file to a data set whose structure is bounded.

use std::io::{Cursor, Read as _};

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, OpenFileOptions};

use super::structure;
use super::transfer_syntax::{DEFLATED, Syntax, syntax};
use crate::diagnostic::{Code, Diagnostic};

fn unreadable(what: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::DicomUnreadable, what)
        .hint("replace the file with a complete DICOM file (PS3.10), or leave it out")
}

/// A data set with what the walk before its parsing found.
pub(super) struct Parsed<'a> {
    /// Without the pixel data where only the header was wanted.
    pub object: DefaultDicomObject,
    /// Its transfer syntax.
    pub syntax: Syntax,
    /// There are pixel data.
    pub pixel_data: bool,
    /// Their value in the bytes of the file, where it needs neither inflating nor another order; it is not in
    /// `object` then.
    pub native: Option<&'a [u8]>,
}

/// Bounds the structure, then parses; without the pixel data when `header_only`.
pub(super) fn parse(file: &[u8], header_only: bool) -> Result<Parsed<'_>, Diagnostic> {
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
pub(super) const MOST_INFLATED: u64 = 2 * crate::imaging::limits::MOST_PIXELS + (1 << 24);

/// The file with its data set inflated (PS3.5, A.5) and a transfer syntax of the same encoding that is not
/// deflated, its UID padded to the length of the one it replaces, so that a parser does not inflate it again.
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
