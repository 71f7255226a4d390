//! PEM (RFC 7468) in the form that `openssl` and OpenSSH write: one block, lines of one length, LF.

use super::encoding::{base64, from_base64};

/// Columns of PKIX text (RFC 7468, 2).
pub(super) const PKIX: usize = 64;
/// Columns that OpenSSH writes.
pub(super) const OPENSSH: usize = 70;

/// One block with a label.
pub(super) fn encode(label: &str, bytes: &[u8], columns: usize) -> String {
    let body = base64(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        // Base64 is ASCII: every place is between characters.
        let (line, after) = rest.split_at(columns.min(rest.len()));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The label of a text that begins as PEM does.
pub(super) fn label(text: &str) -> Option<&str> {
    text.strip_prefix("-----BEGIN ")?.lines().next()?.strip_suffix("-----")
}

/// The bytes of one block with this label; none for anything else before, in or after it. Line ends of
/// Windows and a missing last one are taken as they are.
pub(super) fn decode(label: &str, text: &str, columns: usize) -> Option<Vec<u8>> {
    let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text.to_owned() };
    let body = text.strip_prefix(&format!("-----BEGIN {label}-----\n"))?;
    let body = body.strip_suffix('\n').unwrap_or(body).strip_suffix(&format!("-----END {label}-----"))?;
    let lines: Vec<&str> = body.strip_suffix('\n')?.split('\n').collect();
    let (last, full) = lines.split_last()?;
    let fine = full.iter().all(|line| line.len() == columns) && !last.is_empty() && last.len() <= columns;
    if fine { from_base64(&lines.concat()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_one_form() {
        for length in [1, 47, 48, 49, 96, 97, 200] {
            let bytes: Vec<u8> = (0..length).collect();
            let text = encode("X", &bytes, PKIX);
            assert_eq!(decode("X", &text, PKIX).as_deref(), Some(&bytes[..]));
            assert_eq!(decode("X", &text.replace('\n', "\r\n"), PKIX).as_deref(), Some(&bytes[..]));
            assert_eq!(decode("X", text.trim_end(), PKIX).as_deref(), Some(&bytes[..]));
            assert_eq!(label(&text), Some("X"));
            for other in
                [format!(" {text}"), format!("{text}\n"), format!("{text}x"), text.replacen('\n', "\n\n", 1)]
            {
                assert_eq!(decode("X", &other, PKIX), None, "{other:?}");
            }
            assert_eq!(decode("Y", &text, PKIX), None);
        }
        assert_eq!(decode("X", &encode("X", &[], PKIX), PKIX), None);
        assert_eq!(decode("X", "-----BEGIN X-----\n-----END X-----\n", PKIX), None);
    }
}
