//! A data set in memory: elements that borrow from the bytes of the file, and their values as text.

use std::collections::BTreeMap;

use dicom_core::dictionary::VirtualVr;
use dicom_core::{DataDictionary as _, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_encoding::text::{SpecificCharacterSet, TextCodec as _};

/// Elements by tag.
#[derive(Debug, Default)]
pub(super) struct DataSet<'a> {
    elements: BTreeMap<Tag, Element<'a>>,
    /// Of the texts; the one around it holds for an item without its own.
    characters: SpecificCharacterSet,
}

/// A data element.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// The dictionary's where the file has UN or none; UN where neither knows.
    pub vr: VR,
    pub value: Value<'a>,
    /// Of the bytes of a binary value.
    pub big_endian: bool,
}

/// Its value.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Items(Vec<DataSet<'a>>),
    /// Encapsulated pixel data, without the table of offsets.
    Fragments(Vec<&'a [u8]>),
}

impl Element<'_> {
    /// There is a value: bytes, an item or a fragment. A value of padding alone counts as one here.
    pub(super) fn is_filled(&self) -> bool {
        match &self.value {
            Value::Bytes(bytes) => !bytes.is_empty(),
            Value::Items(items) => !items.is_empty(),
            Value::Fragments(fragments) => !fragments.is_empty(),
        }
    }
}

impl<'a> DataSet<'a> {
    /// Empty, with the characters of what is around it.
    pub(super) fn within(characters: SpecificCharacterSet) -> Self {
        Self { elements: BTreeMap::new(), characters }
    }

    /// Takes an element; the one of the same tag that was there before.
    pub(super) fn put(&mut self, tag: Tag, element: Element<'a>) -> Option<Element<'a>> {
        let before = self.elements.insert(tag, element);
        if tag == tags::SPECIFIC_CHARACTER_SET {
            // Several are for code extensions, whose first is the one to begin with; it may be empty.
            let codes = self.text(tag).unwrap_or_default();
            let first = codes.split('\\').next().unwrap_or_default();
            self.characters = SpecificCharacterSet::from_code(first).unwrap_or_default();
        }
        before
    }

    pub(super) fn characters(&self) -> &SpecificCharacterSet {
        &self.characters
    }

    pub(super) fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.get(&tag)
    }

    /// In the order of tags.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Tag, &Element<'a>)> {
        self.elements.iter().map(|(tag, element)| (*tag, element))
    }

    /// An element that has a value; one that is present and empty says nothing.
    pub(super) fn filled(&self, tag: Tag) -> Option<&Element<'a>> {
        self.get(tag).filter(|element| element.is_filled())
    }

    /// The values of an element joined by `\`, without padding; `None` when absent, empty, or neither text
    /// nor numbers.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        let element = self.get(tag)?;
        let Value::Bytes(bytes) = element.value else { return None };
        let numbers = |width: usize, shown: fn(u64) -> String| {
            let number = |bytes: &[u8]| {
                let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
                if element.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
            };
            bytes.chunks_exact(width).map(|value| shown(number(value))).collect::<Vec<_>>()
        };
        let values = match element.vr {
            VR::US => numbers(2, |n| n.to_string()),
            VR::SS => numbers(2, |n| (n as i16).to_string()),
            VR::UL => numbers(4, |n| n.to_string()),
            VR::SL => numbers(4, |n| (n as i32).to_string()),
            VR::UV => numbers(8, |n| n.to_string()),
            VR::SV => numbers(8, |n| (n as i64).to_string()),
            VR::FL => numbers(4, |n| f32::from_bits(n as u32).to_string()),
            VR::FD => numbers(8, |n| f64::from_bits(n).to_string()),
            VR::LO | VR::LT | VR::PN | VR::SH | VR::ST | VR::UC | VR::UT => {
                let text = self.characters.decode(bytes).unwrap_or_else(|_| latin(bytes));
                split(&text)
            }
            VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI | VR::UR => {
                split(&latin(bytes))
            }
            _ => return None,
        };
        let given = values.iter().any(|value| !value.is_empty());
        let joined = values.join("\\").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        given.then_some(joined)
    }

    /// A whole number that is not negative; `None` when absent or empty, the text when it is something else.
    pub(super) fn whole(&self, tag: Tag) -> Result<Option<u32>, String> {
        let Some(text) = self.text(tag) else {
            return match self.filled(tag) {
                Some(Element { value: Value::Bytes(bytes), .. })
                    if bytes.iter().all(|b| b" \0\\".contains(b)) =>
                {
                    Ok(None)
                }
                Some(element) => Err(format!("a value of {}", element.vr)),
                None => Ok(None),
            };
        };
        text.parse().map(Some).map_err(|_| text.chars().take(32).collect())
    }
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn split(text: &str) -> Vec<String> {
    let padding = |c: char| c == '\0' || c.is_whitespace();
    text.split('\\').map(|value| value.trim_matches(padding).to_owned()).collect()
}

/// The representation of the dictionary: of Implicit VR, and of UN.
pub(super) fn vr_of_dictionary(tag: Tag) -> Option<VR> {
    match StandardDataDictionary.by_tag(tag)?.vr {
        VirtualVr::Exact(vr) => Some(vr),
        VirtualVr::Xs => Some(VR::US),
        VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt => Some(VR::OW),
        _ => None,
    }
}

/// A tag as the standard writes it.
pub(super) fn shown(tag: Tag) -> String {
    format!("({:04X},{:04X})", tag.group(), tag.element())
}
