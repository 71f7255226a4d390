//! From a file's bytes to its text: gzip, byte order marks, UTF-16; what is no text is refused by name.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};

/// A compressed table may not grow beyond this, in bytes: a hundred times the NIH metadata.
pub const LARGEST: u64 = 1 << 30;
/// Nor, once it has grown beyond 16 MiB, by more than this: tables shrink to a tenth or a fiftieth.
pub const LARGEST_GROWTH: u64 = 250;
const FREE: u64 = 16 << 20;

/// A file's text, and what had to be done to get it.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// Without a byte order mark.
    pub text: Cow<'a, str>,
    /// Such as that it was UTF-16.
    pub notes: Vec<Diagnostic>,
}

/// The text of a file: decompressed where its content is gzip, UTF-8 with or without a byte order mark, or
/// UTF-16 with one.
///
/// # Errors
/// `table-unreadable`, with the line where the text ends to be text, and what else it may be.
pub fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<Text<'a>, Vec<Diagnostic>> {
    let unreadable = |message: String, hint: &str| {
        vec![Diagnostic::error(Code::TableUnreadable, message).at(Location::file(path)).hint(hint)]
    };
    let mut notes = Vec::new();
    let named = path.extension().is_some_and(|e| e == "gz");
    let bytes: Cow<'a, [u8]> = if bytes.starts_with(b"\x1f\x8b") || named {
        let most = LARGEST.min(FREE.max(bytes.len() as u64 * LARGEST_GROWTH));
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut inflated).map_err(|e| {
            if let Some(more) = after_the_end(bytes) {
                let hint = "fetch the file again, or decompress it and give the table as it is";
                return unreadable(format!("not gzip alone: {more} bytes follow its compressed data"), hint);
            }
            let hint = "fetch the file again, or decompress it; a truncated file ends early";
            unreadable(format!("not a whole gzip file: {e}"), hint)
        })?;
        if inflated.len() as u64 > most {
            let message = format!("its {} bytes of gzip grow beyond {most} bytes", bytes.len());
            let problem = Diagnostic::error(Code::TooLarge, message).at(Location::file(path));
            return Err(vec![
                problem.hint("give the part that is needed, or the table as it is, without gzip"),
            ]);
        }
        Cow::Owned(inflated)
    } else {
        Cow::Borrowed(bytes)
    };
    if let Some(what) = foreign(&bytes) {
        let hint = "save the table as CSV in UTF-8 with a comma between the cells";
        return Err(unreadable(format!("this is {what}, not CSV"), hint));
    }
    for (mark, big) in [(b"\xff\xfe", false), (b"\xfe\xff", true)] {
        let Some(rest) = bytes.strip_prefix(mark) else { continue };
        let units = rest.chunks(2).map(|pair| match *pair {
            [a, b] if big => u16::from_be_bytes([a, b]),
            [a, b] => u16::from_le_bytes([a, b]),
            _ => 0xd800,
        });
        let mut out = String::with_capacity(rest.len() / 2);
        for unit in char::decode_utf16(units) {
            let Ok(c) = unit else {
                let line = line_ends(out.as_bytes()) + 1;
                return Err(vec![
                    Diagnostic::error(Code::TableUnreadable, "not UTF-16 text, as its first two bytes say")
                        .at(Location::line(path, line))
                        .hint("save the table as CSV in UTF-8; a truncated file ends early"),
                ]);
            };
            out.push(c);
        }
        notes.push(
            Diagnostic::warning(
                Code::TableUtf16,
                "the table is UTF-16, as Excel's \"Unicode text\" is; it was read so",
            )
            .at(Location::file(path)),
        );
        return Ok(Text { text: Cow::Owned(out), notes });
    }
    let not_text = |bytes: &[u8], e: std::str::Utf8Error| {
        let line = line_ends(&bytes[..e.valid_up_to()]) + 1;
        vec![
            Diagnostic::error(Code::TableUnreadable, format!("not UTF-8 text: {e}"))
                .at(Location::line(path, line))
                .hint("save the table as \"CSV UTF-8\": plain \"CSV\" has the letters of one system only"),
        ]
    };
    let marked = usize::from(bytes.starts_with(b"\xef\xbb\xbf")) * 3;
    let text = match bytes {
        Cow::Borrowed(bytes) => {
            Cow::Borrowed(std::str::from_utf8(&bytes[marked..]).map_err(|e| not_text(&bytes[marked..], e))?)
        }
        Cow::Owned(mut bytes) => {
            bytes.drain(..marked);
            Cow::Owned(String::from_utf8(bytes).map_err(|e| not_text(e.as_bytes(), e.utf8_error()))?)
        }
    };
    Ok(Text { text, notes })
}

/// How many bytes follow compressed data that are whole; none where what is compressed is not whole. Asked of
/// files that could not be read to their end, so that nothing before it grows beyond what was allowed.
fn after_the_end(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while rest.starts_with(b"\x1f\x8b") {
        let mut part = flate2::bufread::GzDecoder::new(rest);
        std::io::copy(&mut part, &mut std::io::sink()).ok()?;
        rest = part.into_inner();
    }
    (rest.len() < bytes.len()).then_some(rest.len())
}

/// What a file is by its first bytes, where it is certainly no table.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    Some(match () {
        () if starts(b"PK\x03\x04") => "a ZIP archive, such as an Excel workbook",
        () if starts(b"\xd0\xcf\x11\xe0") => "an old Office file, such as an Excel workbook",
        () if starts(b"\x89PNG") => "a PNG image",
        () if starts(b"\xff\xd8\xff") => "a JPEG image",
        () if starts(b"%PDF") => "a PDF document",
        () if bytes.get(128..132) == Some(b"DICM") => "a DICOM file",
        () if starts(b"\xff\xfe\x00\x00") || starts(b"\x00\x00\xfe\xff") => "UTF-32 text",
        // Text has no NUL; UTF-16 without its mark has one beside every Latin letter.
        () if !starts(b"\xff\xfe") && !starts(b"\xfe\xff") && bytes.iter().take(4096).any(|b| *b == 0) => {
            "binary data or UTF-16 without its mark"
        }
        () => return None,
    })
}

/// Ends of lines: `\n`, `\r\n`, and `\r` alone as old Macintosh programs wrote it.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let feeds = bytes.iter().filter(|b| **b == b'\n').count();
    let returns = bytes.iter().filter(|b| **b == b'\r').count();
    let both = if returns == 0 { 0 } else { bytes.windows(2).filter(|pair| pair == b"\r\n").count() };
    (feeds + returns - both) as u64
}
