//! How a DOCX looks: the styles of this program, or those of a company's own file with ours for what it
//! lacks. Styles are known by their names, which Word keeps in English whatever its language; their ids
//! differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use super::super::super::package;
use crate::diagnostic::{Code, Diagnostic, Result};

/// What every part begins with, and the name space of its elements.
pub(super) const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
pub(super) const W: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

/// Every style that a document uses: its name, its kind, what it is made of.
const STYLES: &[(&str, &str, &str)] = &[
    ("Normal", "paragraph", "<w:pPr><w:spacing w:after=\"120\" w:line=\"264\" w:lineRule=\"auto\"/></w:pPr>"),
    (
        "Title",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:before=\"480\" w:after=\"240\"/></w:pPr>\
         <w:rPr><w:b/>\
         <w:color w:val=\"1F4E8C\"/><w:sz w:val=\"46\"/></w:rPr>",
    ),
    ("heading 1", "paragraph", "HEADING 0 480 200 30 1F4E8C"),
    ("heading 2", "paragraph", "HEADING 1 320 120 23 1B1F24"),
    ("heading 3", "paragraph", "HEADING 2 240 80 20 1B1F24"),
    ("heading 4", "paragraph", "HEADING 3 200 80 20 5A6370"),
    ("heading 5", "paragraph", "HEADING 4 200 80 20 5A6370"),
    (
        "caption",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:before=\"200\" w:after=\"80\"/></w:pPr>",
    ),
    ("List Paragraph", "paragraph", "<w:basedOn w:val=\"Normal\"/><w:pPr><w:contextualSpacing/></w:pPr>"),
    (
        "toc 1",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:before=\"80\" w:after=\"20\"/></w:pPr><w:rPr><w:b/>\
         </w:rPr>",
    ),
    (
        "toc 2",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:after=\"0\"/><w:ind w:left=\"240\"/></w:pPr>",
    ),
    (
        "header",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:after=\"40\"/></w:pPr><w:rPr><w:color \
         w:val=\"5A6370\"/><w:sz w:val=\"16\"/></w:rPr>",
    ),
    (
        "footer",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:tabs><w:tab w:val=\"right\" w:pos=\"9360\"/></w:tabs></w:pPr>\
         <w:rPr><w:color w:val=\"5A6370\"/><w:sz w:val=\"16\"/></w:rPr>",
    ),
    (
        "footnote text",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:after=\"0\"/></w:pPr><w:rPr>\
         <w:sz w:val=\"17\"/></w:rPr>",
    ),
    (
        "Sequester Quote",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:pBdr><w:left w:val=\"single\" w:sz=\"24\" w:space=\"8\" \
         w:color=\"C9CFD6\"/></w:pBdr><w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"F1F4F8\"/><w:ind \
         w:left=\"240\"/></w:pPr>",
    ),
    (
        "Sequester Note",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:pBdr><w:left w:val=\"single\" w:sz=\"24\" w:space=\"8\" \
         w:color=\"1F4E8C\"/></w:pBdr><w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"F1F4F8\"/><w:ind \
         w:left=\"240\"/></w:pPr>",
    ),
    (
        "Sequester Warning",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:pBdr><w:left w:val=\"single\" w:sz=\"24\" w:space=\"8\" \
         w:color=\"A8390F\"/></w:pBdr><w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"FDEEE8\"/><w:ind \
         w:left=\"240\"/></w:pPr>",
    ),
    (
        "Sequester Code",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr>\
         <w:spacing w:after=\"0\" w:line=\"240\" w:lineRule=\"auto\"/></w:pPr>\
         <w:rPr><w:rFonts w:ascii=\"Courier New\" w:hAnsi=\"Courier New\" w:cs=\"Courier New\"/><w:sz \
         w:val=\"15\"/></w:rPr>",
    ),
    (
        "Sequester Cell",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:before=\"20\" w:after=\"20\" w:line=\"240\" \
         w:lineRule=\"auto\"/></w:pPr><w:rPr><w:sz w:val=\"17\"/></w:rPr>",
    ),
    (
        "Sequester Table Note",
        "paragraph",
        "<w:basedOn w:val=\"Normal\"/><w:pPr><w:spacing w:before=\"40\" w:after=\"40\"/></w:pPr><w:rPr>\
         <w:color \
         w:val=\"5A6370\"/><w:sz w:val=\"16\"/></w:rPr>",
    ),
    ("Hyperlink", "character", "<w:rPr><w:color w:val=\"1F4E8C\"/><w:u w:val=\"single\"/></w:rPr>"),
    ("footnote reference", "character", "<w:rPr><w:vertAlign w:val=\"superscript\"/></w:rPr>"),
    (
        "Sequester Code Words",
        "character",
        "<w:rPr><w:rFonts w:ascii=\"Courier New\" w:hAnsi=\"Courier New\" w:cs=\"Courier New\"/><w:sz \
         w:val=\"16\"/></w:rPr>",
    ),
    (
        "Sequester Table",
        "table",
        "<w:tblPr><w:tblBorders><w:top w:val=\"single\" w:sz=\"12\" w:space=\"0\" w:color=\"1B1F24\"/>\
         <w:bottom \
         w:val=\"single\" w:sz=\"6\" w:space=\"0\" w:color=\"C9CFD6\"/>\
         <w:insideH w:val=\"single\" w:sz=\"4\" \
         w:space=\"0\" w:color=\"C9CFD6\"/></w:tblBorders><w:tblCellMar><w:left w:w=\"80\" w:type=\"dxa\"/>\
         <w:right w:w=\"80\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr>",
    ),
];

/// Text of ten points in a font that every machine has, as English.
const DEFAULTS: &str = "<w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii=\"Arial\" w:hAnsi=\"Arial\" \
     w:cs=\"Arial\"/><w:color w:val=\"1B1F24\"/><w:sz w:val=\"20\"/><w:szCs w:val=\"20\"/><w:lang \
     w:val=\"en-US\"/></w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>";

/// Letter, with margins of an inch.
const PAGE: &str = "<w:pgSz w:w=\"12240\" w:h=\"15840\"/><w:pgMar w:top=\"1440\" w:right=\"1440\" \
     w:bottom=\"1300\" w:left=\"1440\" w:header=\"600\" w:footer=\"600\" w:gutter=\"0\"/>";

/// How a DOCX looks.
#[derive(Clone, Debug)]
pub struct Look {
    styles: String,
    theme: Option<String>,
    page: String,
    width: u32,
    /// Ids by name and kind.
    ids: BTreeMap<(&'static str, &'static str), String>,
}

impl Default for Look {
    fn default() -> Self {
        let mut ids = BTreeMap::new();
        let own = lacking(&[], &mut ids);
        let styles = format!("{XML}<w:styles {W}>{DEFAULTS}{own}</w:styles>");
        Self { styles, theme: None, page: PAGE.to_owned(), width: 9360, ids }
    }
}

impl Look {
    /// The styles, the theme and the page of a DOCX or a DOTX; `name` is for messages. Its text, its header
    /// and its numbering are not taken: sections have their numbers already.
    ///
    /// # Errors
    /// `docx-template` when it is none, or its styles cannot be read.
    pub fn of(name: &str, bytes: &[u8]) -> Result<Self> {
        let refused = |what: String| {
            Diagnostic::error(Code::DocxTemplate, format!("{name}: {what}"))
                .hint("save a document with your styles from a program for text as .docx or .dotx")
        };
        let given = package::part(bytes, "word/styles.xml")
            .ok_or_else(|| refused("there are no styles in it (word/styles.xml)".to_owned()))?;
        let given = read(&given).map_err(|e| refused(format!("its styles cannot be read: {e}")))?;
        let mut ids = BTreeMap::new();
        let own = lacking(&given.found, &mut ids);
        let Some((before, after)) = given.text.rsplit_once("</w:styles>") else {
            return Err(refused("its styles are not those of WordprocessingML".to_owned()).into());
        };
        let theme = package::part(bytes, "word/theme/theme1.xml").filter(|theme| is_whole(theme));
        let page = package::part(bytes, "word/document.xml").and_then(|text| page(&text));
        let (page, width) = page.unwrap_or_else(|| (PAGE.to_owned(), 9360));
        Ok(Self { styles: format!("{before}{own}</w:styles>{after}"), theme, page, width, ids })
    }

    /// `word/styles.xml`.
    pub(super) fn styles(&self) -> &str {
        &self.styles
    }

    /// `word/theme/theme1.xml`, where there is one.
    pub(super) fn theme(&self) -> Option<&str> {
        self.theme.as_deref()
    }

    /// Size and margins of a page.
    pub(super) fn page(&self) -> &str {
        &self.page
    }

    /// Width of the text, in twentieths of a point.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// The id of a style.
    pub(super) fn id(&self, kind: &'static str, name: &'static str) -> &str {
        self.ids.get(&(name, kind)).map_or("Normal", String::as_str)
    }

    /// The property that gives a paragraph a style.
    pub(super) fn style(&self, name: &'static str) -> String {
        format!("<w:pStyle w:val=\"{}\"/>", self.id("paragraph", name))
    }
}

/// A style that a file has: kind, name, id.
type Found = (String, String, String);

/// Styles of a file.
struct Given {
    text: String,
    found: Vec<Found>,
}

/// Definitions of the styles that a file lacks; `ids` becomes those of all.
fn lacking(found: &[Found], ids: &mut BTreeMap<(&'static str, &'static str), String>) -> String {
    let has = |kind: &str, name: &str| {
        found.iter().find(|(k, n, _)| k == kind && n.eq_ignore_ascii_case(name)).map(|(_, _, id)| id.clone())
    };
    for (name, kind, _) in STYLES {
        let id = has(kind, name).unwrap_or_else(|| {
            let plain: String = name.split(' ').map(capital).collect();
            let taken = found.iter().any(|(.., id)| *id == plain);
            if taken { format!("{plain}OfSequester") } else { plain }
        });
        ids.insert((name, kind), id);
    }
    let mut out = String::new();
    for (name, kind, definition) in STYLES {
        if has(kind, name).is_some() {
            continue;
        }
        let id = ids.get(&(*name, *kind)).map_or("", String::as_str);
        let normal = ids.get(&("Normal", "paragraph")).map_or("Normal", String::as_str);
        let default = if *name == "Normal" { " w:default=\"1\"" } else { "" };
        let custom = if name.starts_with("Sequester") { " w:customStyle=\"1\"" } else { "" };
        let definition = match definition.split(' ').collect::<Vec<_>>().as_slice() {
            ["HEADING", level, before, after, size, color] => format!(
                "<w:basedOn w:val=\"Normal\"/><w:next w:val=\"Normal\"/><w:qFormat/><w:pPr><w:keepNext/>\
                 <w:keepLines/><w:spacing w:before=\"{before}\" w:after=\"{after}\"/><w:outlineLvl \
                 w:val=\"{level}\"/></w:pPr><w:rPr><w:b/><w:color w:val=\"{color}\"/><w:sz \
                 w:val=\"{size}\"/></w:rPr>"
            ),
            _ => (*definition).to_owned(),
        };
        let definition = definition.replace("w:val=\"Normal\"", &format!("w:val=\"{normal}\""));
        let _ = write!(
            out,
            "<w:style w:type=\"{kind}\"{default}{custom} w:styleId=\"{id}\"><w:name \
             w:val=\"{name}\"/>{definition}</w:style>"
        );
    }
    out
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).ok()??;
    found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

/// The styles of a file without what names its numbering, of which nothing is taken.
fn read(text: &str) -> std::result::Result<Given, String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new(Vec::new());
    let mut found: Vec<Found> = Vec::new();
    let (mut depth, mut skipped) = (0_usize, None);
    let wrong = |e: &dyn std::fmt::Display| e.to_string();
    loop {
        let event = reader.read_event().map_err(|e| wrong(&e))?;
        match &event {
            Event::Eof => break,
            Event::DocType(_) => return Err("it declares a document type".to_owned()),
            Event::Start(element) => {
                depth += 1;
                if element.name().as_ref() == "w:numPr" && skipped.is_none() {
                    skipped = Some(depth);
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if skipped == Some(depth + 1) {
                    skipped = None;
                    continue;
                }
            }
            Event::Empty(element) if element.name().as_ref() == "w:numPr" => continue,
            _ => {}
        }
        if let Event::Start(element) | Event::Empty(element) = &event {
            match element.name().as_ref() {
                "w:style" => {
                    let kind = attribute(element, "w:type").unwrap_or_else(|| "paragraph".to_owned());
                    let id = attribute(element, "w:styleId").unwrap_or_default();
                    found.push((kind, String::new(), id));
                }
                "w:name" => {
                    if let (Some(last), Some(name)) = (found.last_mut(), attribute(element, "w:val"))
                        && last.1.is_empty()
                    {
                        last.1 = name;
                    }
                }
                _ => {}
            }
        }
        if skipped.is_none() {
            writer.write_event(event).map_err(|e| wrong(&e))?;
        }
    }
    let text = String::from_utf8(writer.into_inner()).map_err(|e| wrong(&e))?;
    // An id goes into attributes of ours.
    found.retain(|(_, _, id)| {
        !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    });
    Ok(Given { text, found })
}

/// Whether a part can be read to its end.
fn is_whole(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(Event::DocType(_)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// Size and margins of the last section of a document, and the width of its text.
fn page(text: &str) -> Option<(String, u32)> {
    let mut reader = Reader::from_str(text);
    let (mut size, mut margins) = (None, None);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                let number =
                    |name: &str| attribute(&element, name)?.parse::<u32>().ok().filter(|n| *n < 60_000);
                match element.name().as_ref() {
                    "w:pgSz" => size = number("w:w").zip(number("w:h")),
                    "w:pgMar" => {
                        let all = ["w:top", "w:right", "w:bottom", "w:left", "w:header", "w:footer"];
                        margins = all.map(number).into_iter().collect::<Option<Vec<u32>>>();
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let ((width, height), margins) = size.zip(margins)?;
    let [top, right, bottom, left, header, footer] = margins.try_into().ok()?;
    let text = width.checked_sub(right)?.checked_sub(left).filter(|text| *text >= 4000)?;
    let page = format!(
        "<w:pgSz w:w=\"{width}\" w:h=\"{height}\"/><w:pgMar w:top=\"{top}\" w:right=\"{right}\" \
         w:bottom=\"{bottom}\" w:left=\"{left}\" w:header=\"{header}\" w:footer=\"{footer}\" w:gutter=\"0\"/>"
    );
    Some((page, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file of a company with these styles.
    fn company(styles: &str, document: &str) -> Vec<u8> {
        let parts = [("word/styles.xml", styles), ("word/document.xml", document)];
        let parts = parts.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        package::written(&parts).expect("writes")
    }

    #[test]
    fn the_styles_of_a_company_are_taken_by_name_and_ours_fill_what_it_lacks() {
        let styles = format!(
            "{XML}<w:styles {W}><w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Standard\"><w:name \
             w:val=\"Normal\"/></w:style><w:style w:type=\"paragraph\" w:styleId=\"berschrift1\"><w:name \
             w:val=\"heading 1\"/><w:pPr><w:numPr><w:numId w:val=\"9\"/></w:numPr></w:pPr></w:style><w:style \
             w:type=\"paragraph\" w:styleId=\"Heading2\"><w:name w:val=\"Another\"/></w:style></w:styles>"
        );
        let document = "<w:document xmlns:w=\"x\"><w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar \
                        w:top=\"1417\" w:right=\"1417\" w:bottom=\"1134\" w:left=\"1417\" w:header=\"708\" \
                        w:footer=\"708\" w:gutter=\"0\"/></w:sectPr></w:document>";
        let look = Look::of("house.dotx", &company(&styles, document)).expect("reads");
        assert_eq!(look.id("paragraph", "heading 1"), "berschrift1");
        assert_eq!(look.id("paragraph", "heading 2"), "Heading2OfSequester");
        assert_eq!(look.id("paragraph", "caption"), "Caption");
        assert_eq!(look.width(), 11906 - 2 * 1417);
        assert!(!look.styles().contains("numPr") && look.styles().contains("berschrift1"));
        assert!(look.styles().contains("<w:basedOn w:val=\"Standard\"/>"));
        assert_eq!(look.styles().matches("w:val=\"heading 1\"").count(), 1);
        assert!(is_whole(look.styles()) && is_whole(Look::default().styles()));
    }

    #[test]
    fn what_has_no_styles_is_refused_by_name() {
        let broken = [
            b"no file".to_vec(),
            company("<w:styles", ""),
            company("<!DOCTYPE a [<!ENTITY b \"c\">]><w:styles></w:styles>", ""),
            company("<other/>", ""),
        ];
        for bytes in broken {
            let problem = Look::of("house.docx", &bytes).expect_err("is refused").diagnostics().remove(0);
            assert_eq!(problem.code, Code::DocxTemplate);
            assert!(problem.message.starts_with("house.docx"), "{}", problem.message);
        }
    }
}
