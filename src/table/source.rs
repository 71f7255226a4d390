//! Where the bytes of a table are: whole in memory, or packed and given out in pieces of whole lines, so that
//! a large table's text is never in memory at once.

use std::borrow::Cow;

use crate::digest::Bytes;

/// Lines with text that the first piece holds at least: more than are looked at to tell what separates cells.
const FIRST: usize = 300;
/// The byte order mark, in UTF-8.
const MARK: char = '\u{feff}';

/// The bytes of a table.
#[derive(Clone, Copy, Debug)]
pub enum Source<'s> {
    /// Whole.
    Whole(&'s [u8]),
    /// Of a file, which may be packed.
    Held(&'s Bytes),
}

impl<'s> From<&'s [u8]> for Source<'s> {
    fn from(bytes: &'s [u8]) -> Self {
        Self::Whole(bytes)
    }
}

impl<'s> From<&'s Vec<u8>> for Source<'s> {
    fn from(bytes: &'s Vec<u8>) -> Self {
        Self::Whole(bytes)
    }
}

impl<'s, const N: usize> From<&'s [u8; N]> for Source<'s> {
    fn from(bytes: &'s [u8; N]) -> Self {
        Self::Whole(bytes)
    }
}

impl<'s> From<&'s Cow<'_, [u8]>> for Source<'s> {
    fn from(bytes: &'s Cow<'_, [u8]>) -> Self {
        Self::Whole(bytes)
    }
}

impl<'s> From<&'s Bytes> for Source<'s> {
    fn from(bytes: &'s Bytes) -> Self {
        Self::Held(bytes)
    }
}

impl<'s> Source<'s> {
    /// All of them.
    pub fn whole(self) -> Cow<'s, [u8]> {
        match self {
            Self::Whole(bytes) => Cow::Borrowed(bytes),
            Self::Held(bytes) => bytes.read(),
        }
    }

    /// Texts of whole lines, one after another, where reading them so gives what reading the whole gives:
    /// plain UTF-8 in which no quote can hold a line's end. Everything else is read whole.
    pub(super) fn pieces(self) -> Option<impl Iterator<Item = String> + use<'s>> {
        let Self::Held(bytes) = self else { return None };
        if !bytes.is_packed() {
            return None;
        }
        let pieces = || bytes.pieces().map(|piece| piece.into_owned());
        can_be_in_pieces(pieces())
            .then(|| lines_of(pieces()).filter_map(|piece| String::from_utf8(piece).ok()))
    }
}

/// Whether they are plain lines, the first of which tell what separates the cells.
pub(super) fn can_be_in_pieces(pieces: impl Iterator<Item = Vec<u8>>) -> bool {
    let mut count = 0;
    for piece in lines_of(pieces) {
        let Ok(text) = std::str::from_utf8(&piece) else { return false };
        let is_first = count == 0;
        let text = if is_first { text.strip_prefix(MARK).unwrap_or(text) } else { text };
        // The reader of CSV takes a mark away wherever a text begins.
        if text.contains(['"', '\0', MARK]) {
            return false;
        }
        if is_first && text.lines().filter(|line| !line.is_empty()).nth(FIRST).is_none() {
            return false;
        }
        count += 1;
    }
    count > 1
}

/// The same bytes in pieces that end with a line's end, but for the last.
pub(super) fn lines_of(mut pieces: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = Vec::new();
    std::iter::from_fn(move || {
        for piece in pieces.by_ref() {
            let seen = rest.len();
            rest.extend(piece);
            if let Some(end) = rest[seen..].iter().rposition(|b| *b == b'\n') {
                let behind = rest.split_off(seen + end + 1);
                return Some(std::mem::replace(&mut rest, behind));
            }
        }
        (!rest.is_empty()).then(|| std::mem::take(&mut rest))
    })
}
