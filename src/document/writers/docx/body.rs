//! The blocks of the tree as paragraphs, tables and pictures of WordprocessingML (ECMA-376-1, 17.3, 17.4,
//! 20.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::look::Look;
use crate::document::emf;
use crate::document::text::{html, width};
use crate::document::tree::{
    Align, Block, Callout, Cell, Document, Figure, Inline, Link, Look as CellLook, Row, Table, plain,
};

/// A twentieth of a point in the units of drawings.
const TWIP: f64 = 635.0;
/// The highest picture, in twentieths of a point: eight inches.
const HIGHEST: f64 = 11_520.0;
/// A word of a cell that is longer than so many ems is parted where it has to be.
const LONGEST: f64 = 12.0;
/// Points of a letter in a table, for the widths of its columns.
const CELL_SIZE: f64 = 8.5;
/// Levels that a list may have.
const LEVELS: usize = 9;

/// What the writer of a document has so far.
pub(super) struct Body<'a> {
    look: &'a Look,
    /// The blocks.
    pub(super) out: String,
    /// The pictures, in order.
    pub(super) pictures: Vec<Vec<u8>>,
    /// Where links lead, in order.
    pub(super) links: Vec<String>,
    /// Footnotes, in the order of their marks.
    pub(super) footnotes: Vec<String>,
    /// The first number of each numbered list.
    pub(super) lists: Vec<u64>,
    notes: BTreeMap<String, Vec<Block>>,
    numbered: BTreeMap<String, usize>,
    /// What a text may refer to, and its bookmark: `Table 3`, `section "Limits"`.
    targets: BTreeMap<String, String>,
    bookmarks: usize,
    headings: usize,
    drawings: usize,
    inside_note: bool,
}

/// Where a paragraph stands: its style, the level of its list, and the number of that list's numbering.
#[derive(Clone, Copy)]
struct Place {
    style: &'static str,
    list: Option<(usize, usize)>,
    /// The list's mark stands at the item's first paragraph alone.
    marked: bool,
}

const NORMAL: Place = Place { style: "Normal", list: None, marked: false };

impl<'a> Body<'a> {
    pub(super) fn new(document: &Document, look: &'a Look) -> Self {
        Self {
            look,
            out: String::new(),
            pictures: Vec::new(),
            links: Vec::new(),
            footnotes: Vec::new(),
            lists: Vec::new(),
            notes: document.footnotes.iter().cloned().collect(),
            numbered: BTreeMap::new(),
            targets: targets(document),
            bookmarks: 0,
            headings: 0,
            drawings: 0,
            inside_note: false,
        }
    }

    /// The whole document, with `notice` before everything.
    pub(super) fn document(&mut self, document: &Document, notice: &str) {
        let notice = vec![Inline::Text(notice.to_owned())];
        self.paragraph(&notice, Place { style: "Sequester Warning", ..NORMAL });
        self.blocks(&document.cover, NORMAL);
        self.contents(document);
        self.page_break();
        self.blocks(&document.body, NORMAL);
    }

    fn page_break(&mut self) {
        self.out.push_str("<w:p><w:r><w:br w:type=\"page\"/></w:r></w:p>");
    }

    /// The table of contents as a field with its result, so that it reads without being computed.
    fn contents(&mut self, document: &Document) {
        let first = self.headings;
        let entries: Vec<(usize, &'static str, String)> = document
            .body
            .iter()
            .filter_map(|block| match block {
                Block::Heading { level, number, content, .. } => Some((level, number, content)),
                _ => None,
            })
            .enumerate()
            .filter_map(|(index, (level, number, content))| {
                let style = match level {
                    2 => "toc 1",
                    3 => "toc 2",
                    _ => return None,
                };
                let words = format!("{} {}", number.as_deref().unwrap_or_default(), plain(content));
                Some((first + index + 1, style, words.trim().to_owned()))
            })
            .collect();
        if entries.is_empty() {
            return;
        }
        self.page_break();
        let count = entries.len();
        for (index, (heading, style, words)) in entries.into_iter().enumerate() {
            let _ = write!(self.out, "<w:p><w:pPr>{}</w:pPr>", self.look.style(style));
            if index == 0 {
                self.out.push_str(
                    "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText \
                     xml:space=\"preserve\"> TOC \\o \"1-2\" \\n \\h \\z \\u </w:instrText></w:r><w:r>\
                     <w:fldChar w:fldCharType=\"separate\"/></w:r>",
                );
            }
            let _ = write!(
                self.out,
                "<w:hyperlink w:anchor=\"_Toc{heading}\" w:history=\"1\">{}</w:hyperlink>",
                run(&words, "")
            );
            if index + 1 == count {
                self.out.push_str("<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>");
            }
            self.out.push_str("</w:p>");
        }
    }

    fn blocks(&mut self, list: &[Block], place: Place) {
        let mut place = place;
        for block in list {
            self.block(block, place);
            place.marked = false;
        }
    }

    fn block(&mut self, block: &Block, place: Place) {
        match block {
            Block::Heading { level, number, content, .. } => {
                self.heading(*level, number.as_deref(), content);
            }
            Block::Paragraph(content) => self.paragraph(content, place),
            Block::List { start, items } => self.list(*start, items, place),
            Block::Callout { kind, content } => {
                let style = match kind {
                    Callout::Plain => "Sequester Quote",
                    Callout::Note => "Sequester Note",
                    Callout::Warning => "Sequester Warning",
                };
                self.blocks(content, Place { style, ..place });
            }
            Block::Code(code) => {
                let style = self.look.style("Sequester Code");
                for line in code.trim_end().split('\n') {
                    let _ = write!(self.out, "<w:p><w:pPr>{style}</w:pPr>{}</w:p>", run(line, ""));
                }
            }
            Block::Grid { alignments, header, rows } => self.grid(alignments, header, rows),
            Block::Table(table) => self.table(table),
            Block::Figure(figure) => self.figure(figure),
            Block::PageBreak => self.page_break(),
        }
    }

    fn heading(&mut self, level: u8, number: Option<&str>, content: &[Inline]) {
        self.headings += 1;
        // Level 1 is the title on the cover; sections are the outline's first level.
        let style = match level {
            1 => "Title",
            2 => "heading 1",
            3 => "heading 2",
            4 => "heading 3",
            5 => "heading 4",
            _ => "heading 5",
        };
        let mark = self.mark(&format!("_Toc{}", self.headings));
        let number = number.map(|n| run(&format!("{n}\u{2002}"), "")).unwrap_or_default();
        let content = self.inlines(content, "");
        let _ = write!(
            self.out,
            "<w:p><w:pPr>{}</w:pPr>{number}{}{content}{}</w:p>",
            self.look.style(style),
            mark.0,
            mark.1
        );
    }

    /// The start and the end of a bookmark.
    fn mark(&mut self, name: &str) -> (String, String) {
        self.bookmarks += 1;
        let id = self.bookmarks;
        (
            format!("<w:bookmarkStart w:id=\"{id}\" w:name=\"{name}\"/>"),
            format!("<w:bookmarkEnd w:id=\"{id}\"/>"),
        )
    }

    fn paragraph(&mut self, content: &[Inline], place: Place) {
        let content = self.inlines(content, "");
        let style = match (place.list, place.style) {
            (Some(_), "Normal") => "List Paragraph",
            (_, style) => style,
        };
        let list = match place.list {
            Some((level, id)) if place.marked => {
                format!("<w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{id}\"/></w:numPr>")
            }
            Some((level, _)) => format!("<w:ind w:left=\"{}\"/>", 360 * (level + 1)),
            None => String::new(),
        };
        let _ = write!(self.out, "<w:p><w:pPr>{}{list}</w:pPr>{content}</w:p>", self.look.style(style));
    }

    fn list(&mut self, start: Option<u64>, items: &[Vec<Block>], place: Place) {
        let level = place.list.map_or(0, |(level, _)| (level + 1).min(LEVELS - 1));
        let id = match start {
            None => 1,
            Some(start) => {
                self.lists.push(start);
                self.lists.len() + 1
            }
        };
        for item in items {
            // An item whose first block is no paragraph still has its mark.
            if !matches!(item.first(), Some(Block::Paragraph(_))) {
                self.paragraph(&[], Place { list: Some((level, id)), marked: true, ..place });
                self.blocks(item, Place { list: Some((level, id)), marked: false, ..place });
            } else {
                self.blocks(item, Place { list: Some((level, id)), marked: true, ..place });
            }
        }
    }

    fn inlines(&mut self, content: &[Inline], properties: &str) -> String {
        let mut out = String::new();
        for inline in content {
            match inline {
                Inline::Text(text) => self.referring(&mut out, text, properties),
                Inline::Emphasis(c) => out.push_str(&self.inlines(c, &format!("{properties}<w:i/>"))),
                Inline::Strong(c) => {
                    // The order of properties is part of the format: bold before italic.
                    out.push_str(&self.inlines(c, &format!("<w:b/>{}", properties.replace("<w:b/>", ""))));
                }
                Inline::Code(text) => out.push_str(&self.code(text)),
                Inline::Link { to, content } if !self.inside_note => {
                    self.links.push(to.clone());
                    let id = self.links.len();
                    let style = format!("<w:rStyle w:val=\"{}\"/>", self.look.id("character", "Hyperlink"));
                    let _ = write!(
                        out,
                        "<w:hyperlink r:id=\"r-link{id}\">{}</w:hyperlink>",
                        run(&plain(content), &style)
                    );
                }
                Inline::Link { to, content } => {
                    out.push_str(&run(&format!("{} ({to})", plain(content)), properties));
                }
                Inline::Number { link, content } => {
                    out.push_str(&self.inlines(content, properties));
                    out.push_str(&superscript(link));
                }
                Inline::Break => out.push_str("<w:r><w:br/></w:r>"),
                Inline::Footnote(label) => out.push_str(&self.footnote(label)),
            }
        }
        out
    }

    fn code(&self, text: &str) -> String {
        let style = self.look.id("character", "Sequester Code Words");
        run(text, &format!("<w:rStyle w:val=\"{style}\"/>"))
    }

    /// The mark of a footnote; its text is written where the first mark stands.
    fn footnote(&mut self, label: &str) -> String {
        // A note inside a note is not followed.
        if self.inside_note {
            return String::new();
        }
        let known = self.numbered.get(label).copied();
        let number = match known {
            Some(number) => number,
            None => {
                let Some(content) = self.notes.get(label).cloned() else { return String::new() };
                let before = std::mem::take(&mut self.out);
                self.inside_note = true;
                let mark = format!(
                    "<w:p><w:pPr>{}</w:pPr><w:r><w:rPr><w:rStyle w:val=\"{}\"/></w:rPr><w:footnoteRef/></w:r>\
                     {}</w:p>",
                    self.look.style("footnote text"),
                    self.look.id("character", "footnote reference"),
                    run(" ", "")
                );
                self.blocks(&content, Place { style: "footnote text", ..NORMAL });
                self.inside_note = false;
                let note = std::mem::replace(&mut self.out, before);
                // The mark belongs into the first paragraph.
                let (opening, _) = mark.split_at(mark.len() - "</w:p>".len());
                let note = match note.find("</w:pPr>") {
                    Some(at) if note.starts_with("<w:p>") => {
                        format!("{opening}{}", &note[at + "</w:pPr>".len()..])
                    }
                    _ => format!("{mark}{note}"),
                };
                self.footnotes.push(note);
                self.numbered.insert(label.to_owned(), self.footnotes.len());
                self.footnotes.len()
            }
        };
        format!(
            "<w:r><w:rPr><w:rStyle w:val=\"{}\"/></w:rPr><w:footnoteReference w:id=\"{number}\"/></w:r>",
            self.look.id("character", "footnote reference")
        )
    }

    /// A text in which what names a table, a figure or a section refers to it.
    fn referring(&self, out: &mut String, text: &str, properties: &str) {
        let mut rest = text;
        while let Some((at, words, bookmark)) = self.next_reference(rest) {
            out.push_str(&run(&rest[..at], properties));
            let _ = write!(
                out,
                "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r>\
                 <w:instrText xml:space=\"preserve\"> REF \
                 {bookmark} \\h </w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/></w:r>{}<w:r>\
                 <w:fldChar w:fldCharType=\"end\"/></w:r>",
                run(words, properties)
            );
            rest = &rest[at + words.len()..];
        }
        out.push_str(&run(rest, properties));
    }

    /// The first place of a text that names a target: where, its words, and the bookmark.
    fn next_reference<'t>(&self, text: &'t str) -> Option<(usize, &'t str, &str)> {
        let mut starts: Vec<(usize, &str)> =
            ["Table ", "Figure ", "section \""].iter().flat_map(|word| text.match_indices(word)).collect();
        starts.sort_unstable();
        starts.into_iter().find_map(|(at, word)| {
            let after = &text[at + word.len()..];
            // Of a section the words between the quotes are its heading.
            let (start, length) = if word.ends_with('"') {
                (at + word.len(), after.find('"')?)
            } else {
                (at, word.len() + after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()))
            };
            let words = text.get(start..start + length)?;
            let key = if word.ends_with('"') { format!("\"{words}\"") } else { words.to_owned() };
            let bookmark = self.targets.get(&key)?;
            Some((start, words, bookmark.as_str()))
        })
    }

    fn caption(&mut self, kind: &str, number: usize, words: &str, link: &Link, before: bool) {
        let label = format!("{kind} {number}");
        let bookmark = self.targets.get(&label).cloned().unwrap_or_default();
        let (start, end) = self.mark(&bookmark);
        let keep = if before { "<w:keepNext/>" } else { "" };
        let _ = write!(
            self.out,
            "<w:p><w:pPr>{}{keep}</w:pPr>{start}{}<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r>\
             <w:instrText xml:space=\"preserve\"> SEQ {kind} \\* ARABIC </w:instrText></w:r><w:r><w:fldChar \
             w:fldCharType=\"separate\"/></w:r>{}<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>\
             {end}{}{}{}</w:p>",
            self.look.style("caption"),
            run(&format!("{kind} "), "<w:b/>"),
            run(&number.to_string(), "<w:b/>"),
            run(". ", "<w:b/>"),
            run(words, ""),
            superscript(link),
        );
    }

    fn table(&mut self, table: &Table) {
        let facts = table.caption.is_empty();
        if !facts {
            self.caption("Table", table.number, &table.caption, &table.link, true);
        }
        let widths = widths(table, self.look.width());
        let headers: Vec<String> = table.columns.iter().map(|c| c.header.clone()).collect();
        let described =
            if facts { headers.join(", ") } else { format!("{} ({})", table.caption, headers.join(", ")) };
        self.open_table(&widths, &described, !facts);
        if !facts {
            let cells: Vec<String> = table
                .columns
                .iter()
                .zip(&widths)
                .map(|(column, width)| {
                    self.cell(*width, 1, column.align, &run(&column.header, "<w:b/>"), true)
                })
                .collect();
            self.row(&cells.concat(), true);
        }
        for row in &table.rows {
            let cells = match row {
                Row::Group(name) => {
                    let all = widths.iter().sum();
                    self.cell(all, widths.len(), Align::Left, &run(name, "<w:b/>"), true)
                }
                Row::Cells(cells) => cells
                    .iter()
                    .enumerate()
                    .zip(&widths)
                    .map(|((index, cell), width)| {
                        let align = table.columns.get(index).map_or(Align::Left, |c| c.align);
                        let content = self.looked(cell, facts && index == 0);
                        self.cell(*width, 1, align, &content, false)
                    })
                    .collect::<String>(),
            };
            self.row(&cells, false);
        }
        self.out.push_str("</w:tbl>");
        let style = self.look.style("Sequester Table Note");
        // Two tables without a paragraph between them would be one.
        let empty = [String::new()];
        for note in if table.notes.is_empty() { &empty[..] } else { &table.notes } {
            let mut words = String::new();
            self.referring(&mut words, note, "");
            let _ = write!(self.out, "<w:p><w:pPr>{style}</w:pPr>{words}</w:p>");
        }
    }

    fn grid(&mut self, alignments: &[Align], header: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) {
        let count = u32::try_from(header.len().max(1)).unwrap_or(1);
        let widths = vec![self.look.width() / count; header.len()];
        let described = header.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(", ");
        self.open_table(&widths, &described, true);
        for (index, row) in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)).enumerate() {
            let mut cells = String::new();
            for ((column, cell), width) in row.iter().enumerate().zip(&widths) {
                let content = self.inlines(cell, if index == 0 { "<w:b/>" } else { "" });
                let align = alignments.get(column).copied().unwrap_or(Align::Left);
                cells.push_str(&self.cell(*width, 1, align, &content, index == 0));
            }
            self.row(&cells, index == 0);
        }
        let _ =
            write!(self.out, "</w:tbl><w:p><w:pPr>{}</w:pPr></w:p>", self.look.style("Sequester Table Note"));
    }

    fn open_table(&mut self, widths: &[u32], described: &str, headed: bool) {
        let described: String = described.chars().take(250).collect();
        let _ = write!(
            self.out,
            "<w:tbl><w:tblPr><w:tblStyle w:val=\"{}\"/><w:tblW w:w=\"{}\" w:type=\"dxa\"/><w:tblLayout \
             w:type=\"fixed\"/><w:tblLook w:val=\"0020\" w:firstRow=\"{}\" w:lastRow=\"0\" \
             w:firstColumn=\"0\" w:lastColumn=\"0\" w:noHBand=\"1\" w:noVBand=\"1\"/><w:tblCaption \
             w:val=\"{}\"/></w:tblPr><w:tblGrid>",
            self.look.id("table", "Sequester Table"),
            widths.iter().sum::<u32>(),
            u8::from(headed),
            html(&described),
        );
        for width in widths {
            let _ = write!(self.out, "<w:gridCol w:w=\"{width}\"/>");
        }
        self.out.push_str("</w:tblGrid>");
    }

    fn row(&mut self, cells: &str, header: bool) {
        let header = if header { "<w:tblHeader/>" } else { "" };
        let _ = write!(self.out, "<w:tr><w:trPr><w:cantSplit/>{header}</w:trPr>{cells}</w:tr>");
    }

    fn cell(&self, width: u32, span: usize, align: Align, content: &str, shaded: bool) -> String {
        let span = if span > 1 { format!("<w:gridSpan w:val=\"{span}\"/>") } else { String::new() };
        let shaded = if shaded { "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"F1F4F8\"/>" } else { "" };
        let align = match align {
            Align::Left => "",
            Align::Center => "<w:jc w:val=\"center\"/>",
            Align::Right => "<w:jc w:val=\"right\"/>",
        };
        format!(
            "<w:tc><w:tcPr><w:tcW w:w=\"{width}\" w:type=\"dxa\"/>{span}{shaded}</w:tcPr><w:p><w:pPr>\
             {}{align}\
             </w:pPr>{content}</w:p></w:tc>",
            self.look.style("Sequester Cell")
        )
    }

    fn looked(&self, cell: &Cell, key: bool) -> String {
        let properties = match cell.look {
            CellLook::Code => return self.code(&cell.text) + &superscript(&cell.link),
            _ if key => "<w:b/>",
            CellLook::Plain => "",
            CellLook::Strong => "<w:b/>",
            CellLook::Good => "<w:b/><w:color w:val=\"1D6B3A\"/>",
            CellLook::Bad => "<w:b/><w:color w:val=\"A8390F\"/>",
            CellLook::Muted => "<w:color w:val=\"5A6370\"/>",
        };
        run(&cell.text, properties) + &superscript(&cell.link)
    }

    fn figure(&mut self, figure: &Figure) {
        let count = figure.images.len();
        for (index, image) in figure.images.iter().enumerate() {
            self.drawings += 1;
            self.pictures.push(emf::metafile(&image.drawing));
            let room = f64::from(self.look.width());
            let shape = image.drawing.height().max(1.0) / image.drawing.width().max(1.0);
            let wide = (room * image.width.clamp(0.02, 1.0)).min(HIGHEST / shape);
            let (cx, cy) = ((wide * TWIP).round() as i64, (wide * shape * TWIP).round() as i64);
            let id = self.drawings;
            let described = if count > 1 {
                format!("{} ({} of {count})", figure.alt, index + 1)
            } else {
                figure.alt.clone()
            };
            let named = format!(
                "<wp:docPr id=\"{id}\" name=\"{}\" descr=\"{}\"/>",
                html(&image.name),
                html(&described)
            );
            let _ = write!(
                self.out,
                "<w:p><w:pPr>{}<w:keepNext/></w:pPr><w:r><w:drawing><wp:inline distT=\"0\" distB=\"0\" \
                 distL=\"0\" distR=\"0\"><wp:extent cx=\"{cx}\" cy=\"{cy}\"/>{named}<a:graphic>\
                 <a:graphicData \
                 uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:pic><pic:nvPicPr>\
                 <pic:cNvPr id=\"{id}\" name=\"{}\"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip \
                 r:embed=\"r-figure{}\"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr>\
                 <a:xfrm>\
                 <a:off x=\"0\" y=\"0\"/><a:ext cx=\"{cx}\" cy=\"{cy}\"/></a:xfrm><a:prstGeom prst=\"rect\">\
                 <a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>\
                 </w:drawing></w:r></w:p>",
                self.look.style("Normal"),
                html(&image.name),
                self.pictures.len(),
            );
        }
        self.caption("Figure", figure.number, &figure.caption, &figure.link, false);
    }
}

/// A run of text; lines of it become lines.
fn run(text: &str, properties: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let properties =
        if properties.is_empty() { String::new() } else { format!("<w:rPr>{properties}</w:rPr>") };
    format!("<w:r>{properties}<w:t xml:space=\"preserve\">{}</w:t></w:r>", html(text))
}

/// The mark of the row that says where a number comes from, behind the number.
fn superscript(link: &Link) -> String {
    let mark = link.mark().map(|mark| run(&format!("[{mark}]"), "<w:vertAlign w:val=\"superscript\"/>"));
    mark.unwrap_or_default()
}

/// What a text may refer to: every table and figure by its label, every heading by its words in quotes.
fn targets(document: &Document) -> BTreeMap<String, String> {
    let mut targets = BTreeMap::new();
    let mut headings = 0;
    for block in document.cover.iter().chain(&document.body) {
        match block {
            Block::Heading { content, .. } => {
                headings += 1;
                // Of headings with the same words the first is meant.
                targets.entry(format!("\"{}\"", plain(content))).or_insert(format!("_Toc{headings}"));
            }
            Block::Table(table) if !table.caption.is_empty() => {
                targets.insert(format!("Table {}", table.number), format!("_RefTable{}", table.number));
            }
            Block::Figure(figure) => {
                targets.insert(format!("Figure {}", figure.number), format!("_RefFigure{}", figure.number));
            }
            _ => {}
        }
    }
    targets
}

/// Widths of the columns, in twentieths of a point: those without a share as wide as their content, within
/// what the others leave them.
fn widths(table: &Table, room: u32) -> Vec<u32> {
    let room = f64::from(room);
    // Fonts that stand in for Arial are wider.
    let twips = |ems: f64| ems * CELL_SIZE * 20.0 * 1.15 + 200.0;
    let words = |text: &str, bold: f64| {
        text.split_whitespace().map(|word| width(word).min(LONGEST) * bold).fold(0.0, f64::max)
    };
    let columns: Vec<(f64, f64)> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = || {
                table.rows.iter().filter_map(move |row| match row {
                    Row::Cells(cells) => cells.get(index).map(|cell| cell.text.as_str()),
                    Row::Group(_) => None,
                })
            };
            // A header may have several lines, and no word is parted.
            let least = cells().map(|text| words(text, 1.0)).fold(words(&column.header, 1.08), f64::max);
            (cells().map(width).fold(least, f64::max), least)
        })
        .map(|(natural, least)| (twips(natural), twips(least)))
        .collect();
    let weight = |index: usize| table.columns.get(index).map_or(0.0, |column| column.weight.max(0.0));
    let shared: f64 = (0..columns.len()).map(weight).sum();
    let of =
        |shares: bool| columns.iter().enumerate().filter(move |(index, _)| (weight(*index) > 0.0) == shares);
    let kept: f64 = of(true).map(|(_, (_, least))| least).sum();
    let most = if shared > 0.0 { (room - kept).clamp(room * 0.5, room * 0.85) } else { room };
    let own: f64 = of(false).map(|(_, (natural, _))| natural).sum();
    let slack: f64 = of(false).map(|(_, (natural, least))| natural - least).sum();
    let (over, least) = (own - most, own - slack);
    let fitted = |natural: f64, least_of: f64| {
        if shared <= 0.0 && over < 0.0 {
            natural * most / own.max(1.0)
        } else if over <= 0.0 {
            natural
        } else if slack >= over {
            // Columns that can break their lines give way, the others do not.
            natural - over * (natural - least_of) / slack.max(1e-9)
        } else {
            least_of * most / least.max(1.0)
        }
    };
    let wanted: Vec<f64> = columns
        .iter()
        .enumerate()
        .map(|(index, (natural, least))| if weight(index) > 0.0 { 0.0 } else { fitted(*natural, *least) })
        .collect();
    let left = room - wanted.iter().sum::<f64>();
    wanted
        .iter()
        .enumerate()
        .map(|(index, wanted)| {
            let wide = if weight(index) > 0.0 { left * weight(index) / shared } else { *wanted };
            (wide.floor() as u32).max(100)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tree::Column;

    #[test]
    fn no_short_word_is_parted_by_a_narrow_column() {
        let heads = ["Cases", "Share", "AUC (95% CI)", "Sensitivity (95% CI)", "Specificity (95% CI)"];
        let mut columns = vec![Column::left("Subgroup", 0.8)];
        columns.extend(heads.map(Column::right));
        let cells = ["Site B", "1,088", "14.8%", "1.000 (0.903 to 1.000)", "97.8% (88.4% to 99.9%)"];
        let row = Row::plain(cells.into_iter().chain(["100.0% (90.3% to 100.0%)"]).map(str::to_owned));
        let room = 9_000;
        let found = widths(&Table::new("c", columns, vec![row]), room);
        let word = |text: &str| (width(text) * 1.15 * CELL_SIZE * 20.0) as u32;
        for (index, text) in ["Subgroup", "1,088", "14.8%", "(0.903", "(88.4%", "100.0%)"].iter().enumerate()
        {
            assert!(found[index] > word(text), "{text}: {found:?}");
        }
        let all: u32 = found.iter().sum();
        assert!(all <= room && all > room - 20, "{found:?}");
        // Nothing shares the rest: together they take the room.
        let alone = widths(&Table::new("c", vec![Column::right("A"), Column::right("B")], Vec::new()), room);
        assert!(alone.iter().sum::<u32>() > room - 5, "{alone:?}");
    }
}
