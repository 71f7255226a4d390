//! A walk over a DICOM data set before a parser is trusted with it: every length has to fit into the bytes
//! that are there, and sequences may nest only so deep. A parser that reserves what a length claims, or that
//! descends as deep as a file says, would otherwise take all memory or overflow its stack on a few bytes.

use dicom_core::dictionary::VirtualVr;
use dicom_core::{DataDictionary as _, Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// How the data set after the file meta information is encoded (PS3.5, 7.1 and annex A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) big_endian: bool,
}

pub(super) const EXPLICIT_LITTLE: Encoding = Encoding { explicit: true, big_endian: false };
pub(super) const IMPLICIT_LITTLE: Encoding = Encoding { explicit: false, big_endian: false };

const DEEPEST: usize = 24;
const UNDEFINED: u32 = u32::MAX;
const ITEM: (u16, u16) = (0xFFFE, 0xE000);
const ITEM_END: (u16, u16) = (0xFFFE, 0xE00D);
const SEQUENCE_END: (u16, u16) = (0xFFFE, 0xE0DD);
const PIXEL_DATA: (u16, u16) = (0x7FE0, 0x0010);

/// Value representations with a length of four bytes (PS3.5, 7.1.2).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// The file meta information: the transfer syntax's UID, and where the data set begins.
pub(super) fn meta(bytes: &[u8]) -> Result<(String, usize), String> {
    if bytes.get(128..132) != Some(b"DICM") {
        return Err("there is no DICOM preamble".to_owned());
    }
    let mut walk = Walk { bytes, at: 132, encoding: EXPLICIT_LITTLE, found: Found::default() };
    let (mut syntax, mut end) = (None, None);
    while walk.peek_group() == Some(0x0002) {
        let element = walk.header()?;
        let value = walk.take(element.length)?;
        if element.tag == (0x0002, 0x0000) {
            let length = value.first_chunk::<4>().map(|value| u32::from_le_bytes(*value) as usize);
            end = length.map(|length| (132 + 12) + length);
            continue;
        }
        if element.tag == (0x0002, 0x0010) {
            let text = String::from_utf8_lossy(value);
            syntax = Some(text.trim_end_matches(['\0', ' ']).to_owned());
        }
    }
    let syntax = syntax.ok_or("the file meta information names no transfer syntax")?;
    // The parser goes by the group's length.
    if end.is_some_and(|end| end != walk.at) {
        return Err(format!("the file meta information ends at byte {}, not where its length says", walk.at));
    }
    Ok((syntax, walk.at))
}

/// Checks the data set from `start` to the end of the bytes; `stop_at_pixels` leaves the pixel data alone.
pub(super) fn check(
    bytes: &[u8],
    start: usize,
    encoding: Encoding,
    stop_at_pixels: bool,
) -> Result<Found, String> {
    let mut walk = Walk { bytes, at: start, encoding, found: Found::default() };
    walk.elements(bytes.len(), 0, stop_at_pixels)?;
    Ok(walk.found)
}

/// What a walk came across.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// Pixel Data (7FE0,0010) that are not empty.
    pub(super) pixel_data: bool,
    /// Where their value lies, when it is not encapsulated.
    pub(super) native: Option<(usize, usize)>,
}

/// Value representations with a length of two bytes. A parser may take an unknown one to have four, and read
/// something else as its length: those are refused.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL",
    b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];

/// The representation that the parser takes from the dictionary, in Implicit VR.
fn of_dictionary((group, element): (u16, u16)) -> Option<[u8; 2]> {
    let vr = match StandardDataDictionary.by_tag(Tag(group, element))?.vr {
        VirtualVr::Exact(vr) => vr,
        VirtualVr::Xs => VR::US,
        VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt => VR::OW,
        _ => return None,
    };
    Some(vr.to_bytes())
}

/// Bytes of one value of a binary representation (PS3.5, table 6.2-1). A parser that reads whole values would
/// take the rest of a length that is no multiple for the next element.
fn unit(vr: [u8; 2]) -> u32 {
    match &vr {
        b"US" | b"SS" | b"OW" => 2,
        b"AT" | b"FL" | b"SL" | b"UL" | b"OF" | b"OL" => 4,
        b"FD" | b"OD" | b"OV" | b"SV" | b"UV" => 8,
        _ => 1,
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    found: Found,
}

struct Element {
    tag: (u16, u16),
    vr: Option<[u8; 2]>,
    length: u32,
}

impl Walk<'_> {
    fn word(&mut self) -> Result<u16, String> {
        let bytes: [u8; 2] = self.fixed()?;
        Ok(if self.encoding.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(&mut self) -> Result<u32, String> {
        let bytes: [u8; 4] = self.fixed()?;
        Ok(if self.encoding.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let found = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let found =
            *found.ok_or_else(|| format!("the file ends inside a data element, at byte {}", self.at))?;
        self.at += N;
        Ok(found)
    }

    fn peek_group(&self) -> Option<u16> {
        let bytes = self.bytes.get(self.at..)?.first_chunk::<2>()?;
        Some(u16::from_le_bytes(*bytes))
    }

    /// The bytes of a value of known length.
    fn take(&mut self, length: u32) -> Result<&[u8], String> {
        let end = self
            .at
            .checked_add(length as usize)
            .filter(|&end| length != UNDEFINED && end <= self.bytes.len());
        let end = end.ok_or_else(|| {
            format!(
                "an element at byte {} claims {length} bytes, {} are left",
                self.at,
                self.bytes.len() - self.at
            )
        })?;
        let value = &self.bytes[self.at..end];
        self.at = end;
        Ok(value)
    }

    fn header(&mut self) -> Result<Element, String> {
        let tag = (self.word()?, self.word()?);
        // Items and delimiters have no value representation in any encoding.
        if !self.encoding.explicit || tag.0 == 0xFFFE {
            return Ok(Element { tag, vr: None, length: self.long()? });
        }
        let vr: [u8; 2] = self.fixed()?;
        let length = if LONG.contains(&&vr) {
            self.word()?;
            self.long()?
        } else if SHORT.contains(&&vr) {
            u32::from(self.word()?)
        } else {
            return Err(format!("byte {} holds no value representation of the standard", self.at - 2));
        };
        Ok(Element { tag, vr: Some(vr), length })
    }

    /// Elements up to `end`, or up to an item's delimiter when inside one.
    fn elements(&mut self, end: usize, depth: usize, stop_at_pixels: bool) -> Result<(), String> {
        while self.at < end {
            let element = self.header()?;
            if element.tag == PIXEL_DATA && depth == 0 && element.length != 0 {
                self.found.pixel_data = true;
            }
            let vr = element.vr.or_else(|| of_dictionary(element.tag));
            if let Some(vr) = vr.filter(|&vr| element.length != UNDEFINED && element.length % unit(vr) != 0) {
                let (vr, unit) = (String::from_utf8_lossy(&vr).into_owned(), unit(vr));
                return Err(format!(
                    "an element of {vr} before byte {} has {} bytes, which is no multiple of {unit}",
                    self.at, element.length
                ));
            }
            match element {
                Element { tag: ITEM_END, .. } if depth > 0 => return Ok(()),
                Element { tag: PIXEL_DATA, .. } if depth == 0 && stop_at_pixels => return Ok(()),
                // As the parser takes them: fragments whatever the representation, and the inside of a
                // sequence of unknown representation like its outside.
                Element { tag: PIXEL_DATA, length: UNDEFINED, .. } => self.fragments()?,
                Element { tag: PIXEL_DATA, length, .. } if depth == 0 => {
                    let begin = self.at;
                    self.take(length)?;
                    self.found.native = Some((begin, self.at));
                }
                Element { length: UNDEFINED, .. } => self.items(self.bytes.len(), depth + 1)?,
                Element { length, .. } if vr == Some(*b"SQ") => {
                    let begin = self.at;
                    self.take(length)?;
                    let end = self.at;
                    self.at = begin;
                    self.items(end, depth + 1)?;
                    self.ends_at(end)?;
                }
                Element { length, .. } => {
                    self.take(length)?;
                }
            }
        }
        Ok(())
    }

    fn items(&mut self, end: usize, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("sequences nest deeper than {DEEPEST}"));
        }
        while self.at < end {
            let element = self.header()?;
            match (element.tag, element.length) {
                (SEQUENCE_END, _) => return Ok(()),
                (ITEM, UNDEFINED) => self.elements(self.bytes.len(), depth, false)?,
                (ITEM, length) => {
                    let begin = self.at;
                    self.take(length)?;
                    let end = self.at;
                    self.at = begin;
                    self.elements(end, depth, false)?;
                    self.ends_at(end)?;
                }
                _ => {
                    return Err(format!(
                        "a sequence holds something else than items before byte {}",
                        self.at
                    ));
                }
            }
        }
        Ok(())
    }

    /// What was walked ends where its length says, so that a parser and this walk go on at the same byte.
    fn ends_at(&self, end: usize) -> Result<(), String> {
        if self.at == end {
            return Ok(());
        }
        Err(format!("a sequence or an item that should end at byte {end} ends at byte {}", self.at))
    }

    fn fragments(&mut self) -> Result<(), String> {
        loop {
            let element = self.header()?;
            match element.tag {
                SEQUENCE_END => return Ok(()),
                ITEM => {
                    self.take(element.length)?;
                }
                _ => {
                    return Err(format!(
                        "pixel data hold something else than fragments before byte {}",
                        self.at
                    ));
                }
            }
        }
    }
}
