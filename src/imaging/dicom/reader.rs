//! From bytes to a data set. Every length has to fit into the bytes that are there, and sequences may nest
//! only so deep: a reader that reserves what a length claims, or that descends as deep as a file says, would
//! take all memory or overflow its stack on a few bytes. Values are not copied.
//!
//! Ours, because archives write what a strict reader refuses or misreads: standard attributes as UN (PS3.5,
//! 6.2.2: the dictionary's representation holds), UN of undefined length (CP-246: Implicit VR Little Endian
//! inside), odd lengths, zeros after the last element. What is not as the standard has it is told.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::text::SpecificCharacterSet;

use crate::diagnostic::few;

use super::data_set::{DataSet, Element, Value, shown, vr_of_dictionary};
use super::transfer_syntax::{Encoding, IMPLICIT_LITTLE};

const DEEPEST: usize = 24;
/// Elements and items of one file.
const MOST_ELEMENTS: usize = 1_000_000;
const UNDEFINED: u32 = u32::MAX;
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// A data set with what was found on the way.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub data: DataSet<'a>,
    /// Pixel Data (7FE0,0010) that are not empty; they are not in the data set where only the header was
    /// wanted.
    pub pixel_data: bool,
    /// Where the walk ended.
    pub end: usize,
    /// What is not as the standard has it, and how it was taken.
    pub irregular: Vec<String>,
}

/// Up to what a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Group 2 alone.
    Meta,
    /// The elements before the pixel data.
    Header,
    /// All of it.
    Whole,
}

/// Reads the data set from `start` on.
pub(super) fn read(
    bytes: &[u8],
    start: usize,
    encoding: Encoding,
    extent: Extent,
) -> Result<Read<'_>, String> {
    let mut walk = Walk {
        bytes,
        at: start,
        encoding,
        extent,
        elements: 0,
        pixel_data: false,
        odd: Vec::new(),
        irregular: Vec::new(),
    };
    let data = walk.elements(bytes.len(), 0, &SpecificCharacterSet::default())?;
    let Walk { at: end, pixel_data, odd, mut irregular, .. } = walk;
    if !odd.is_empty() {
        let first = few::and_more(odd.into_iter().map(shown), 1);
        irregular.push(format!("{first} has an odd length; read as it is"));
    }
    Ok(Read { data, pixel_data, end, irregular })
}

/// Whether an element at this place has a representation of the standard, as Explicit VR has.
pub(super) fn looks_explicit(bytes: &[u8], at: usize) -> bool {
    let vr = bytes.get(at + 4..).and_then(|rest| rest.first_chunk::<2>());
    vr.is_some_and(|&vr| VR::from_binary(vr).is_some())
}

/// Whether an element at this place has a length of Implicit VR that fits.
pub(super) fn looks_implicit(bytes: &[u8], at: usize) -> bool {
    let length = bytes.get(at + 4..).and_then(|rest| rest.first_chunk::<4>());
    let length = length.map(|length| u32::from_le_bytes(*length));
    length.is_some_and(|length| length == UNDEFINED || length as usize <= bytes.len() - at - 8)
}

/// Representations with a length of four bytes (PS3.5, 7.1.2).
fn has_long_length(vr: VR) -> bool {
    use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
    matches!(vr, OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV)
}

/// Bytes of one number of a binary representation (PS3.5, table 6.2-1).
fn unit(vr: VR) -> u32 {
    match vr {
        VR::US | VR::SS => 2,
        VR::AT | VR::FL | VR::SL | VR::UL => 4,
        VR::FD | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    extent: Extent,
    elements: usize,
    pixel_data: bool,
    odd: Vec<Tag>,
    irregular: Vec<String>,
}

struct Head {
    tag: Tag,
    /// As the file has it; none in Implicit VR and of items.
    vr: Option<VR>,
    length: u32,
}

impl<'a> Walk<'a> {
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

    /// The bytes of a value of known length.
    fn take(&mut self, length: u32) -> Result<&'a [u8], String> {
        let left = self.bytes.len() - self.at;
        if length == UNDEFINED || length as usize > left {
            return Err(format!("an element at byte {} claims {length} bytes, {left} are left", self.at));
        }
        let value = &self.bytes[self.at..self.at + length as usize];
        self.at += value.len();
        Ok(value)
    }

    fn head(&mut self) -> Result<Head, String> {
        self.elements += 1;
        if self.elements > MOST_ELEMENTS {
            return Err(format!("the file holds more than {MOST_ELEMENTS} elements"));
        }
        let tag = Tag(self.word()?, self.word()?);
        // Items and delimiters have no value representation in any encoding.
        if !self.encoding.explicit || tag.group() == 0xFFFE {
            return Ok(Head { tag, vr: None, length: self.long()? });
        }
        let vr = VR::from_binary(self.fixed()?)
            .ok_or_else(|| format!("byte {} holds no value representation of the standard", self.at - 2))?;
        let length = if has_long_length(vr) {
            self.word()?;
            self.long()?
        } else {
            u32::from(self.word()?)
        };
        Ok(Head { tag, vr: Some(vr), length })
    }

    /// Elements up to `end`, or up to an item's delimiter when inside one.
    fn elements(
        &mut self,
        end: usize,
        depth: usize,
        characters: &SpecificCharacterSet,
    ) -> Result<DataSet<'a>, String> {
        let mut data = DataSet::within(characters.clone());
        while self.at < end {
            if depth == 0 && self.stops() {
                break;
            }
            let head = self.head()?;
            if head.tag == ITEM_END && depth > 0 {
                break;
            }
            let pixels = head.tag == tags::PIXEL_DATA && depth == 0;
            if pixels {
                self.pixel_data |= head.length != 0;
                if self.extent == Extent::Header {
                    break;
                }
            }
            let tag = head.tag;
            let element = self.element(head, depth, data.characters())?;
            if data.put(tag, element).is_some() {
                self.irregular.push(format!("{} stands twice; the last is taken", shown(tag)));
            }
        }
        Ok(data)
    }

    /// The end of the part that is wanted, or nothing but zeros up to the end of the bytes.
    fn stops(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        if self.extent == Extent::Meta {
            return rest.get(..2) != Some(&[2, 0]);
        }
        if rest.iter().any(|&byte| byte != 0) {
            return false;
        }
        self.irregular.push(format!("{} zeros follow the last element; left", rest.len()));
        true
    }

    fn element(
        &mut self,
        head: Head,
        depth: usize,
        characters: &SpecificCharacterSet,
    ) -> Result<Element<'a>, String> {
        let Head { tag, vr: written, length } = head;
        let unknown = written.is_none_or(|vr| vr == VR::UN);
        let vr = written.filter(|&vr| vr != VR::UN).or_else(|| vr_of_dictionary(tag)).unwrap_or(VR::UN);
        // PS3.5, 6.2.2: what was written as UN keeps the order it had, which was that of Implicit VR.
        let big_endian = self.encoding.big_endian && written != Some(VR::UN);
        let value = match (length, vr) {
            (UNDEFINED, _) if tag == tags::PIXEL_DATA => self.fragments()?,
            (UNDEFINED, _) => {
                let end = self.bytes.len();
                self.inside(written, end, depth, characters)?
            }
            (_, VR::SQ) => {
                let begin = self.at;
                self.take(length)?;
                let end = std::mem::replace(&mut self.at, begin);
                let value = self.inside(written, end, depth, characters)?;
                self.ends_at(end)?;
                value
            }
            _ => {
                if length % unit(vr) != 0 {
                    let (at, unit) = (self.at, unit(vr));
                    return Err(format!(
                        "an element of {vr} before byte {at} has {length} bytes, which is no multiple of \
                         {unit}"
                    ));
                }
                let value = self.take(length)?;
                if length % 2 == 1 {
                    self.after_odd(tag);
                }
                Value::Bytes(value)
            }
        };
        let vr = match value {
            Value::Items(_) if unknown => VR::SQ,
            _ => vr,
        };
        Ok(Element { vr, value, big_endian })
    }

    /// Some writers pad an odd value without counting it, and some do not pad it.
    fn after_odd(&mut self, tag: Tag) {
        self.odd.push(tag);
        let padded = matches!(self.bytes.get(self.at), Some(0 | b' '));
        let next = self.at + 1;
        if padded && !self.follows(tag, self.at) && (self.follows(tag, next) || next == self.bytes.len()) {
            self.at = next;
        }
    }

    /// Whether an element that may follow this one seems to begin here.
    fn follows(&self, tag: Tag, at: usize) -> bool {
        let Some(&[a, b, c, d]) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) else {
            return false;
        };
        let word = if self.encoding.big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        let next = Tag(word([a, b]), word([c, d]));
        let known = next.group() % 2 == 1 || vr_of_dictionary(next).is_some();
        let head = match self.encoding.explicit {
            true => looks_explicit(self.bytes, at),
            false => looks_implicit(self.bytes, at) && known,
        };
        next.group() == 0xFFFE || (next > tag && head)
    }

    /// The items of a sequence; of one that was written as UN in Implicit VR Little Endian, unless its first
    /// element cannot be that.
    fn inside(
        &mut self,
        written: Option<VR>,
        end: usize,
        depth: usize,
        characters: &SpecificCharacterSet,
    ) -> Result<Value<'a>, String> {
        let around = self.encoding;
        if written == Some(VR::UN) {
            let first = self.at + 8;
            let implicit = looks_implicit(self.bytes, first) || !looks_explicit(self.bytes, first);
            self.encoding = if implicit { IMPLICIT_LITTLE } else { around };
        }
        let items = self.items(end, depth + 1, characters);
        self.encoding = around;
        items.map(Value::Items)
    }

    fn items(
        &mut self,
        end: usize,
        depth: usize,
        characters: &SpecificCharacterSet,
    ) -> Result<Vec<DataSet<'a>>, String> {
        if depth > DEEPEST {
            return Err(format!("sequences nest deeper than {DEEPEST}"));
        }
        let mut items = Vec::new();
        while self.at < end {
            let head = self.head()?;
            match (head.tag, head.length) {
                (SEQUENCE_END, _) => return Ok(items),
                (ITEM, UNDEFINED) => items.push(self.elements(self.bytes.len(), depth, characters)?),
                (ITEM, length) => {
                    let begin = self.at;
                    self.take(length)?;
                    let end = std::mem::replace(&mut self.at, begin);
                    items.push(self.elements(end, depth, characters)?);
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
        Ok(items)
    }

    /// What was walked ends where its length says.
    fn ends_at(&self, end: usize) -> Result<(), String> {
        if self.at == end {
            return Ok(());
        }
        Err(format!("a sequence or an item that should end at byte {end} ends at byte {}", self.at))
    }

    fn fragments(&mut self) -> Result<Value<'a>, String> {
        let mut all = Vec::new();
        loop {
            let head = self.head()?;
            match head.tag {
                SEQUENCE_END => break,
                ITEM => all.push(self.take(head.length)?),
                _ => {
                    return Err(format!(
                        "pixel data hold something else than fragments before byte {}",
                        self.at
                    ));
                }
            }
        }
        // The first item is the table of offsets, which may be empty (PS3.5, A.4).
        Ok(Value::Fragments(all.into_iter().skip(1).collect()))
    }
}
