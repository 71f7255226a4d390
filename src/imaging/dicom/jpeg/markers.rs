//! Marker segments (B.1.1) and the tables in them.

use super::CUT;
use super::Wrong;
use super::bits::Codes;

pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// Behind the start of the picture.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Wrong> {
        if bytes.get(..2) != Some(&[0xFF, 0xD8]) {
            return Err("the pixel data hold no JPEG picture");
        }
        Ok(Self { bytes, at: 2 })
    }

    /// A marker and what stands in its segment.
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), Wrong> {
        if self.bytes.get(self.at) != Some(&0xFF) {
            return Err(CUT);
        }
        while self.bytes.get(self.at) == Some(&0xFF) {
            self.at += 1;
        }
        let marker = *self.bytes.get(self.at).ok_or(CUT)?;
        let length = self.bytes.get(self.at + 1..).and_then(|b| b.first_chunk::<2>()).ok_or(CUT)?;
        let end = self.at + 1 + usize::from(u16::from_be_bytes(*length));
        let body = self.bytes.get(self.at + 3..end).ok_or(CUT)?;
        self.at = end;
        Ok((marker, body))
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }
}

/// B.2.4.1: in the order of the scan.
pub(super) fn quantisation_tables(mut body: &[u8], tables: &mut [Option<[i64; 64]>; 4]) -> Result<(), Wrong> {
    while let Some((&head, rest)) = body.split_first() {
        let width = match head >> 4 {
            0 => 1,
            1 => 2,
            _ => return Err("the precision of a quantisation table of the JPEG picture is not known"),
        };
        let slot = tables.get_mut(usize::from(head & 15)).ok_or(CUT)?;
        let values = rest.get(..64 * width).ok_or(CUT)?;
        let mut table = [0; 64];
        for (entry, value) in table.iter_mut().zip(values.chunks_exact(width)) {
            *entry = value.iter().fold(0, |sum, &byte| sum << 8 | i64::from(byte));
        }
        *slot = Some(table);
        body = &rest[64 * width..];
    }
    Ok(())
}

/// B.2.4.2 and annex C.
pub(super) fn code_tables(mut body: &[u8], tables: &mut [[Option<Codes>; 4]; 2]) -> Result<(), Wrong> {
    while let Some((&head, rest)) = body.split_first() {
        let slot = tables.get_mut(usize::from(head >> 4)).and_then(|c| c.get_mut(usize::from(head & 15)));
        let slot = slot.ok_or("a Huffman table of the JPEG picture has no place")?;
        let lengths = rest.first_chunk::<16>().ok_or(CUT)?;
        let count: usize = lengths.iter().map(|&n| usize::from(n)).sum();
        let values = rest.get(16..16 + count).ok_or(CUT)?;
        *slot = Some(Codes::new(lengths, values)?);
        body = &rest[16 + count..];
    }
    Ok(())
}
