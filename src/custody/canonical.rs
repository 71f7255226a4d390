//! One form for every file of custody: canonical JSON (RFC 8785) and a line end.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::diagnostic::{Code, Diagnostic};

/// Bytes of a file at most.
const LARGEST: usize = 16 << 20;

/// Canonical JSON without a line end.
pub(super) fn line(value: &impl Serialize) -> String {
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| unreachable!("texts, numbers and maps"))
}

/// A file of one line.
pub(super) fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    (line(value) + "\n").into_bytes()
}

/// Reads what [`to_bytes`] wrote and nothing else.
///
/// # Errors
/// `custody-unreadable`.
pub(super) fn parse<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    what: &str,
    format: &str,
    format_of: impl Fn(&T) -> &str,
) -> Result<T, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error(Code::CustodyUnreadable, format!("is no {what}: {why}"))
            .hint("put the file back as it was written")
    };
    if bytes.len() > LARGEST {
        return Err(wrong("larger than any".to_owned()));
    }
    let read: T = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
    if format_of(&read) != format {
        return Err(wrong(format!("the format is \"{}\"", format_of(&read).escape_debug())));
    }
    if to_bytes(&read) != bytes {
        return Err(wrong("not in canonical form".to_owned()));
    }
    Ok(read)
}
