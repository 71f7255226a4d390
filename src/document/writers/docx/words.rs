//! The words of a DOCX that somebody hands over, whoever edited it.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::super::package;

/// The text of the document, its footnotes behind it; `None` where it cannot be read. What was struck out
/// with changes tracked is not part of it, what was put in is.
pub fn words(bytes: &[u8]) -> Option<String> {
    let mut out = of(&package::part(bytes, "word/document.xml")?)?;
    if let Some(notes) = package::part(bytes, "word/footnotes.xml") {
        out.push_str(&of(&notes)?);
    }
    Some(out)
}

fn of(part: &str) -> Option<String> {
    let mut reader = Reader::from_str(part);
    let mut out = String::new();
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => return Some(out),
            Event::DocType(_) => return None,
            Event::Start(element) if element.local_name().as_ref() == "t" => inside = true,
            Event::End(element) => match element.local_name().as_ref() {
                "t" => inside = false,
                "p" => out.push('\n'),
                _ => {}
            },
            Event::Start(element) | Event::Empty(element) => {
                if matches!(element.local_name().as_ref(), "tab" | "br" | "cr") {
                    out.push(' ');
                }
            }
            Event::Text(text) if inside => out.push_str(&text),
            Event::CData(text) if inside => out.push_str(&text),
            Event::GeneralRef(name) if inside => out.push(sign(&name)?),
            _ => {}
        }
    }
}

/// The character that an entity stands for: XML's own five, and numbers.
fn sign(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}
