//! The file around a data set (PS3.10): preamble, file meta information, compression.

use std::borrow::Cow;
use std::io::Read as _;

use dicom_dictionary_std::tags;

use super::data_set::DataSet;
use super::reader::{Extent, looks_explicit, looks_implicit, read};
use super::transfer_syntax::{DEFLATED, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Syntax, syntax};
use crate::diagnostic::{Code, Diagnostic};

fn unreadable(what: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::DicomUnreadable, what)
        .hint("replace the file with a complete DICOM file (PS3.10), or leave it out")
}

/// A file whose data set can be read.
pub(super) struct File<'a> {
    /// Inflated where it was deflated.
    bytes: Cow<'a, [u8]>,
    /// Where the data set begins.
    start: usize,
    /// Its transfer syntax.
    pub syntax: Syntax,
    /// What is not as the standard has it, and how it was taken.
    irregular: Vec<String>,
}

/// A data set with what was found on the way.
pub(super) struct Parsed<'a> {
    /// Without the pixel data where only the header was wanted.
    pub data: DataSet<'a>,
    /// There are pixel data.
    pub pixel_data: bool,
    /// What is not as the standard has it, and how it was taken.
    pub irregular: Vec<String>,
}

/// Whether the bytes are a DICOM file: with its preamble (PS3.10, 7.1), or one that begins with an element of
/// group 2 or 8, as some archives write it.
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    begin(bytes).is_some()
}

/// Where the first element is.
fn begin(bytes: &[u8]) -> Option<usize> {
    if bytes.get(128..132) == Some(b"DICM") {
        return Some(132);
    }
    let first = bytes.get(..8)?;
    let explicit = looks_explicit(bytes, 0);
    let bare = match first {
        [2, 0, _, 0, ..] => explicit,
        [8, 0, _, 0, ..] => explicit || (looks_implicit(bytes, 0) && first[6..8] == [0, 0]),
        _ => false,
    };
    bare.then_some(0)
}

impl<'a> File<'a> {
    /// Reads the file meta information.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Diagnostic> {
        let begin = begin(bytes).ok_or_else(|| unreadable("there is no DICOM preamble"))?;
        let mut irregular = Vec::new();
        if begin == 0 {
            irregular.push("the file has no preamble (PS3.10, 7.1)".to_owned());
        }
        if bytes.get(begin..begin + 2) != Some(&[2, 0]) {
            if begin != 0 {
                return Err(unreadable("the file meta information names no transfer syntax"));
            }
            let encoding = if looks_explicit(bytes, 0) { EXPLICIT_LITTLE } else { IMPLICIT_LITTLE };
            let uid = if encoding.explicit { "1.2.840.10008.1.2.1" } else { "1.2.840.10008.1.2" };
            let syntax = syntax(uid)?;
            irregular.push(format!("the file has no meta information; read as {}", syntax.name));
            return Ok(Self { bytes: Cow::Borrowed(bytes), start: 0, syntax, irregular });
        }
        let meta = read(bytes, begin, EXPLICIT_LITTLE, Extent::Meta).map_err(unreadable)?;
        let uid = meta.data.text(tags::TRANSFER_SYNTAX_UID);
        let uid = uid.ok_or_else(|| unreadable("the file meta information names no transfer syntax"))?;
        irregular.extend(meta.irregular);
        // The group ends where its last element does; its length says the same, or is wrong.
        match meta.data.whole(tags::FILE_META_INFORMATION_GROUP_LENGTH) {
            Ok(Some(length)) if begin + 12 + length as usize == meta.end => {}
            Ok(Some(length)) => irregular.push(format!(
                "the group length of the file meta information is {length}; it ends at byte {}",
                meta.end
            )),
            _ => irregular.push("the file meta information has no group length (0002,0000)".to_owned()),
        }
        let mut file =
            Self { bytes: Cow::Borrowed(bytes), start: meta.end, syntax: syntax(&uid)?, irregular };
        if file.syntax.uid == DEFLATED {
            file.bytes = Cow::Owned(inflate(&bytes[meta.end..])?);
            file.start = 0;
        }
        file.other_encoding();
        Ok(file)
    }

    /// A data set that is not in the encoding that the meta information names, by its first element.
    fn other_encoding(&mut self) {
        let encoding = &mut self.syntax.encoding;
        let explicit = looks_explicit(&self.bytes, self.start);
        let implicit = looks_implicit(&self.bytes, self.start);
        if encoding.big_endian || explicit == encoding.explicit || implicit == explicit {
            return;
        }
        let found = if explicit { "Explicit" } else { "Implicit" };
        *encoding = if explicit { EXPLICIT_LITTLE } else { IMPLICIT_LITTLE };
        self.irregular.push(format!(
            "the data set is in {found} VR Little Endian, the meta information says {}",
            self.syntax.name
        ));
    }

    /// Reads the data set.
    pub(super) fn data_set(&self, header_only: bool) -> Result<Parsed<'_>, Diagnostic> {
        let extent = if header_only { Extent::Header } else { Extent::Whole };
        let found = read(&self.bytes, self.start, self.syntax.encoding, extent).map_err(unreadable)?;
        let irregular = self.irregular.iter().cloned().chain(found.irregular).collect();
        Ok(Parsed { data: found.data, pixel_data: found.pixel_data, irregular })
    }
}

/// Largest data set that a deflated file may hold: 16 bits for the most pixels that are read, and a header.
pub(super) const MOST_INFLATED: u64 = 2 * crate::imaging::limits::MOST_PIXELS + (1 << 24);

/// The data set of a deflated file (PS3.5, A.5).
fn inflate(packed: &[u8]) -> Result<Vec<u8>, Diagnostic> {
    let mut out = Vec::new();
    let mut data = flate2::read::DeflateDecoder::new(packed).take(MOST_INFLATED + 1);
    data.read_to_end(&mut out)
        .map_err(|error| unreadable(format!("the deflated data set cannot be inflated: {error}")))?;
    if out.len() as u64 > MOST_INFLATED {
        return Err(unreadable(format!("the deflated data set holds more than {MOST_INFLATED} bytes")));
    }
    Ok(out)
}
