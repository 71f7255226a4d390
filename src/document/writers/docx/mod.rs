//! The tree as a DOCX (WordprocessingML, ECMA-376-1, 5th edition, clause 17): an editable draft of what the
//! PDF records.
//!
//! Written by hand with `zip` and the one escape in `document::text` (judged: `docx-rs` 0.4.22). That crate
//! brings another `zip`, `image` and two XML parsers, decodes every picture into PNG, so that a drawing could
//! not stay a drawing, has its own styles and cannot take those of a company's file, and prints a raw table
//! of contents. What a report needs of the language is 60 elements; they are here and in `body`.
//!
//! A DOCX is for going on with: it says on its first page and in every footer that it is a draft and no
//! evidence, and `verify --against` names the words in which it differs from the evidence.

mod body;
mod look;
mod words;

use std::fmt::Write as _;

use self::body::Body;
pub use self::look::Look;
use self::look::{W, XML};
pub use self::words::words;
use super::super::package;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::document::text::html;
use crate::document::tree::Document;

const R: &str = "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const MAIN: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml";

/// What stands before everything.
const DRAFT: &str = "Editable draft of a document that sequester rendered from the evidence named in the \
     footer. The documents of record are those as HTML and PDF: once this file is edited it is no evidence. \
     The command \"sequester verify\" with the option \"--against\" and this file names every word and \
     number in which it differs from the evidence.";

/// The DOCX; the same document and look give the same bytes.
///
/// # Errors
/// `typesetting` when the parts cannot be put together.
pub fn write(document: &Document, look: &Look) -> Result<Vec<u8>> {
    let mut body = Body::new(document, look);
    body.document(document, DRAFT);
    let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: String| parts.push((name.to_owned(), text.into_bytes()));
    let noted = !body.footnotes.is_empty();
    add("[Content_Types].xml", content_types(look, noted));
    add("_rels/.rels", relations(&package_relations()));
    add("docProps/core.xml", core(document));
    add("docProps/app.xml", app());
    add("word/document.xml", main(&body, look));
    add("word/_rels/document.xml.rels", relations(&document_relations(&body, look, noted)));
    add("word/styles.xml", look.styles().to_owned());
    if let Some(theme) = look.theme() {
        add("word/theme/theme1.xml", theme.to_owned());
    }
    add("word/numbering.xml", numbering(&body.lists));
    add("word/settings.xml", settings(noted));
    add("word/header1.xml", header(document, look));
    add("word/footer1.xml", footer(document, look));
    if noted {
        add("word/footnotes.xml", footnotes(&body));
    }
    for (number, picture) in body.pictures.iter().enumerate() {
        parts.push((format!("word/media/figure{}.emf", number + 1), picture.clone()));
    }
    package::written(&parts).map_err(|e| {
        Diagnostic::error(Code::Typesetting, format!("the DOCX cannot be put together: {e}")).into()
    })
}

fn content_types(look: &Look, noted: bool) -> String {
    let mut out = format!(
        "{XML}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default \
         Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"emf\" \
         ContentType=\"image/x-emf\"/>"
    );
    let mut part = |name: &str, kind: &str| {
        let _ = write!(out, "<Override PartName=\"/{name}\" ContentType=\"{kind}\"/>");
    };
    part("word/document.xml", &format!("{MAIN}.document.main+xml"));
    for (name, kind) in [
        ("styles", "styles"),
        ("numbering", "numbering"),
        ("settings", "settings"),
        ("header1", "header"),
        ("footer1", "footer"),
    ] {
        part(&format!("word/{name}.xml"), &format!("{MAIN}.{kind}+xml"));
    }
    if noted {
        part("word/footnotes.xml", &format!("{MAIN}.footnotes+xml"));
    }
    if look.theme().is_some() {
        part("word/theme/theme1.xml", "application/vnd.openxmlformats-officedocument.theme+xml");
    }
    part("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml");
    part("docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml");
    out.push_str("</Types>");
    out
}

/// One relation: its id, its kind, its target, and whether that lies outside.
type Relation = (String, String, String, bool);

fn relations(all: &[Relation]) -> String {
    let mut out = format!("{XML}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    for (id, kind, target, outside) in all {
        let mode = if *outside { " TargetMode=\"External\"" } else { "" };
        let _ = write!(out, "<Relationship Id=\"{id}\" Type=\"{kind}\" Target=\"{}\"{mode}/>", html(target));
    }
    out.push_str("</Relationships>");
    out
}

fn package_relations() -> Vec<Relation> {
    let core = format!("{PACKAGE}/relationships/metadata/core-properties");
    vec![
        ("rId1".to_owned(), format!("{OFFICE}/officeDocument"), "word/document.xml".to_owned(), false),
        ("rId2".to_owned(), core, "docProps/core.xml".to_owned(), false),
        ("rId3".to_owned(), format!("{OFFICE}/extended-properties"), "docProps/app.xml".to_owned(), false),
    ]
}

fn document_relations(body: &Body<'_>, look: &Look, noted: bool) -> Vec<Relation> {
    let mut kinds = vec![
        ("styles", "styles.xml"),
        ("numbering", "numbering.xml"),
        ("settings", "settings.xml"),
        ("header", "header1.xml"),
        ("footer", "footer1.xml"),
    ];
    if noted {
        kinds.push(("footnotes", "footnotes.xml"));
    }
    if look.theme().is_some() {
        kinds.push(("theme", "theme/theme1.xml"));
    }
    let mut all: Vec<Relation> = kinds
        .into_iter()
        .map(|(kind, target)| (format!("r-{kind}"), format!("{OFFICE}/{kind}"), target.to_owned(), false))
        .collect();
    for number in 1..=body.pictures.len() {
        all.push((
            format!("r-figure{number}"),
            format!("{OFFICE}/image"),
            format!("media/figure{number}.emf"),
            false,
        ));
    }
    for (number, to) in body.links.iter().enumerate() {
        all.push((format!("r-link{}", number + 1), format!("{OFFICE}/hyperlink"), to.clone(), true));
    }
    all
}

fn core(document: &Document) -> String {
    let facts = &document.facts;
    // Dates of the metadata are of ISO 8601, as those of evidence are; anything else is left out.
    let dated =
        !facts.date.is_empty() && facts.date.chars().all(|c| c.is_ascii_digit() || "-:TZ+.".contains(c));
    let dates = if dated {
        ["created", "modified"]
            .map(|at| format!("<dcterms:{at} xsi:type=\"dcterms:W3CDTF\">{}</dcterms:{at}>", facts.date))
            .concat()
    } else {
        String::new()
    };
    format!(
        "{XML}<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{}</dc:title>\
         <dc:creator>{}</dc:creator><dc:identifier>{}</dc:identifier><dc:language>en-US</dc:language>\
         <cp:contentStatus>Draft</cp:contentStatus>{dates}</cp:coreProperties>",
        html(&facts.title),
        html(&facts.author),
        html(&facts.identifier),
    )
}

fn app() -> String {
    format!(
        "{XML}<Properties \
         xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/extended-properties\">\
         <Application>Sequester</Application></Properties>"
    )
}

fn main(body: &Body<'_>, look: &Look) -> String {
    format!(
        "{XML}<w:document {W} {R} \
         xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\" \
         xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\" \
         xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><w:body>{}<w:sectPr>\
         <w:headerReference w:type=\"default\" r:id=\"r-header\"/><w:footerReference w:type=\"default\" \
         r:id=\"r-footer\"/>{}</w:sectPr></w:body></w:document>",
        body.out,
        look.page(),
    )
}

/// Lists: bullets, and one numbering for each numbered list, which begins where the list does.
fn numbering(starts: &[u64]) -> String {
    let mut out = format!("{XML}<w:numbering {W}>");
    for (id, numbered) in [(1, false), (2, true)] {
        let _ =
            write!(out, "<w:abstractNum w:abstractNumId=\"{id}\"><w:multiLevelType w:val=\"multilevel\"/>");
        for level in 0..9 {
            let (format, text) = match (numbered, level % 3) {
                (true, 1) => ("lowerLetter", format!("%{}.", level + 1)),
                (true, 2) => ("lowerRoman", format!("%{}.", level + 1)),
                (true, _) => ("decimal", format!("%{}.", level + 1)),
                (false, 0) => ("bullet", "\u{2022}".to_owned()),
                (false, _) => ("bullet", "\u{2013}".to_owned()),
            };
            let _ = write!(
                out,
                "<w:lvl w:ilvl=\"{level}\"><w:start w:val=\"1\"/><w:numFmt w:val=\"{format}\"/><w:lvlText \
                 w:val=\"{text}\"/><w:lvlJc w:val=\"left\"/><w:pPr><w:ind w:left=\"{}\" \
                 w:hanging=\"280\"/></w:pPr></w:lvl>",
                360 * (level + 1)
            );
        }
        out.push_str("</w:abstractNum>");
    }
    out.push_str("<w:num w:numId=\"1\"><w:abstractNumId w:val=\"1\"/></w:num>");
    for (index, start) in starts.iter().enumerate() {
        let _ = write!(out, "<w:num w:numId=\"{}\"><w:abstractNumId w:val=\"2\"/>", index + 2);
        for level in 0..9 {
            let _ = write!(
                out,
                "<w:lvlOverride w:ilvl=\"{level}\"><w:startOverride w:val=\"{start}\"/></w:lvlOverride>"
            );
        }
        out.push_str("</w:num>");
    }
    out.push_str("</w:numbering>");
    out
}

fn settings(noted: bool) -> String {
    let notes = if noted {
        "<w:footnotePr><w:footnote w:id=\"-1\"/><w:footnote w:id=\"0\"/></w:footnotePr>"
    } else {
        ""
    };
    format!(
        "{XML}<w:settings {W}><w:defaultTabStop w:val=\"720\"/>{notes}<w:compat><w:compatSetting \
         w:name=\"compatibilityMode\" w:uri=\"http://schemas.microsoft.com/office/word\" \
         w:val=\"15\"/></w:compat></w:settings>"
    )
}

fn header(document: &Document, look: &Look) -> String {
    let style = look.style("header");
    let mut out = format!("{XML}<w:hdr {W}>");
    if let Some(banner) = &document.facts.banner {
        let _ = write!(
            out,
            "<w:p><w:pPr>{style}</w:pPr><w:r><w:rPr><w:b/><w:color w:val=\"A8390F\"/></w:rPr><w:t \
             xml:space=\"preserve\">{}</w:t></w:r></w:p>",
            html(banner)
        );
    }
    let _ = write!(
        out,
        "<w:p><w:pPr>{style}</w:pPr><w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p></w:hdr>",
        html(&document.facts.running_title)
    );
    out
}

fn footer(document: &Document, look: &Look) -> String {
    let field = |name: &str| {
        format!(
            "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText xml:space=\"preserve\"> {name} \
             </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>1</w:t></w:r>\
             <w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
        )
    };
    let words = |text: &str| format!("<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r>", html(text));
    format!(
        "{XML}<w:ftr {W}><w:p><w:pPr>{}</w:pPr>{}<w:r><w:tab/></w:r>{}{}{}</w:p></w:ftr>",
        look.style("footer"),
        words(&format!("Editable draft, no evidence \u{2013} {}", document.facts.footer)),
        field("PAGE"),
        words(" / "),
        field("NUMPAGES"),
    )
}

fn footnotes(body: &Body<'_>) -> String {
    let mut out = format!(
        "{XML}<w:footnotes {W} {R}><w:footnote w:type=\"separator\" w:id=\"-1\"><w:p><w:r><w:separator/>\
         </w:r></w:p></w:footnote><w:footnote w:type=\"continuationSeparator\" w:id=\"0\"><w:p><w:r>\
         <w:continuationSeparator/></w:r></w:p></w:footnote>"
    );
    for (number, note) in body.footnotes.iter().enumerate() {
        let _ = write!(out, "<w:footnote w:id=\"{}\">{note}</w:footnote>", number + 1);
    }
    out.push_str("</w:footnotes>");
    out
}
