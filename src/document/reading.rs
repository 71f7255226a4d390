//! The words of a finished document that somebody was handed: HTML, PDF, DOCX, Markdown.
//!
//! What is read here comes from outside. It is used for one thing: to say which words and numbers differ from
//! those that a bundle renders to, and which digests a document names. Nothing is concluded from words that
//! agree; that the bytes agree is another question.

use super::text;

/// Documents beyond this many bytes are compared by their bytes alone.
const LARGEST: usize = 64 << 20;

/// What kind of file a finished document is, told from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// `%PDF-`.
    Pdf,
    /// A page of HTML.
    Html,
    /// A draft in the format of programs for text; a ZIP file whose name says so.
    Docx,
    /// Markdown or plain text; told by the file's name.
    Text,
}

impl Finished {
    /// The kind that the bytes say; `name` decides where these say nothing.
    pub fn of(name: &str, bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
        if head.starts_with(b"PK\x03\x04") {
            return name.to_lowercase().ends_with(".docx").then_some(Self::Docx);
        }
        let head = String::from_utf8_lossy(head).trim_start().to_lowercase();
        if head.starts_with("%pdf-") {
            Some(Self::Pdf)
        } else if head.starts_with("<!doctype html") || head.starts_with("<html") {
            Some(Self::Html)
        } else {
            let lower = name.to_lowercase();
            let text = [".md", ".txt"].iter().any(|ending| lower.ends_with(ending));
            text.then_some(Self::Text)
        }
    }

    /// How its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Html => "html",
            Self::Docx => "docx",
            Self::Text => "md",
        }
    }

    /// Words and numbers in the order in which they stand; `None` where they cannot be read.
    pub fn words(self, bytes: &[u8]) -> Option<Vec<String>> {
        if bytes.len() > LARGEST {
            return None;
        }
        let text = match self {
            Self::Html => without_tags(&String::from_utf8_lossy(bytes)),
            Self::Text => String::from_utf8_lossy(bytes).into_owned(),
            Self::Pdf => pdf_text(bytes)?,
            Self::Docx => super::writers::docx::words(bytes)?,
        };
        Some(text.split_whitespace().map(str::to_owned).collect())
    }
}

/// Whether a digest stands in the words, also where it was broken over lines.
pub fn names(words: &[String], digest: &str) -> bool {
    words.concat().to_lowercase().contains(digest)
}

/// The text between the tags of HTML. Scripts and styles are left out, and the five entities that our writer
/// uses are read; others stay as they are, on both sides of a comparison.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 4);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        out.push(' ');
        let tag = &rest[at..];
        let hidden = ["script", "style"]
            .into_iter()
            .find(|name| tag.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
        let end = match hidden {
            // ASCII lower case keeps every offset.
            Some(name) => tag.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(tag.len()),
            None => tag.find('>').map_or(tag.len(), |end| end + 1),
        };
        // A hidden element ends with its closing tag, which is then the next tag.
        rest = &tag[end.max(1)..];
    }
    out.push_str(rest);
    text::of_html(&out)
}

/// The text of a PDF, page by page.
#[cfg(feature = "pdf")]
fn pdf_text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.to_vec();
    // The library is written for files that are well; one that is not must not end the audit. A thread of its
    // own has room for what is nested deeply.
    let read = move || {
        std::panic::catch_unwind(|| {
            let document = lopdf::Document::load_mem(&bytes).ok()?;
            let pages: Vec<u32> = document.get_pages().into_keys().collect();
            let texts: Vec<String> =
                pages.iter().map(|page| document.extract_text(&[*page]).unwrap_or_default()).collect();
            Some(texts.join("\n"))
        })
        .ok()
        .flatten()
    };
    std::thread::Builder::new().stack_size(256 << 20).spawn(read).ok()?.join().ok()?
}

#[cfg(not(feature = "pdf"))]
fn pdf_text(_bytes: &[u8]) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn tags_scripts_and_styles_are_no_words() {
        let html = "<!DOCTYPE html><html><style>p { margin: 3px }</style><p>AUC <b>0.97</b> &lt; 1</p>\
                    <SCRIPT>let x = 5 < 6;</SCRIPT>end";
        assert_eq!(Finished::of("x", html.as_bytes()), Some(Finished::Html));
        assert_eq!(Finished::Html.words(html.as_bytes()), Some(words("AUC 0.97 < 1 end")));
    }

    #[test]
    fn a_digest_that_a_line_breaks_is_found() {
        let digest = "c7ae061933bbc3d34d25dc1cee82823e07e460b197f2505f639bd588a5c8e922";
        let broken = words(&format!("root {} {}", &digest[..40].to_uppercase(), &digest[40..]));
        assert!(names(&broken, digest));
        assert!(!names(&broken, &digest.replace('c', "d")));
    }

    proptest! {
        /// Nobody knows what was handed over.
        #[test]
        fn no_bytes_end_the_reading(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..4) {
            let (kind, head): (Finished, &[u8]) = match kind {
                0 => (Finished::Pdf, b"%PDF-1.7\n"),
                1 => (Finished::Html, b"<html><scrip"),
                2 => (Finished::Docx, b"PK\x03\x04"),
                _ => (Finished::Text, b""),
            };
            let bytes = [head, &bytes].concat();
            if let Some(read) = kind.words(&bytes) {
                prop_assert!(read.iter().all(|word| !word.is_empty()));
            }
        }
    }
}
