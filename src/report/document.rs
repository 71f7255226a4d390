//! One Markdown text to one tree, from which HTML and typst markup are written. Markdown that could carry
//! something else than text (raw HTML, images from elsewhere) is refused here.

use std::collections::BTreeSet;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{Source, format, text};
use crate::diagnostic::{Code, Diagnostic, Result};

/// A whole document.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says beside its text.
    pub facts: Facts,
    /// What stands before the first thematic break.
    pub cover: Vec<Block>,
    /// The rest.
    pub body: Vec<Block>,
    /// Footnote definitions by label, in order of definition.
    pub footnotes: Vec<(String, Vec<Block>)>,
}

/// Something with a place of its own.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading; level 2 is a section, with its number and anchor.
    Heading { level: u8, number: Option<String>, anchor: String, content: Vec<Inline> },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list; `Some(start)` when it is numbered.
    List { start: Option<u64>, items: Vec<Vec<Block>> },
    /// A box that stands out.
    Callout { kind: Callout, content: Vec<Block> },
    /// Text as it is.
    Code(String),
    /// A table that a template typed.
    Grid { alignments: Vec<Align>, header: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>> },
    /// A table from data.
    Table(Table),
    /// A figure from data.
    Figure(Figure),
    /// A new page.
    PageBreak,
}

/// How a box stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callout {
    /// A quotation or an aside.
    Plain,
    /// Good to know.
    Note,
    /// Has to be known.
    Warning,
}

/// A run of text.
#[derive(Clone, Debug)]
pub enum Inline {
    /// Plain.
    Text(String),
    /// Emphasised.
    Emphasis(Vec<Inline>),
    /// Strong.
    Strong(Vec<Inline>),
    /// Monospaced.
    Code(String),
    /// A link to an `http`, `https` or `mailto` address.
    Link { to: String, content: Vec<Inline> },
    /// A line break.
    Break,
    /// A footnote's mark.
    Footnote(String),
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Short words.
    Center,
    /// Numbers.
    Right,
}

/// A table from data.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// `Table 3`, given when the document is put together.
    pub number: usize,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Below the table.
    pub notes: Vec<String>,
}

/// A column of a table from data.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its header.
    pub header: String,
    /// Its alignment.
    pub align: Align,
    /// Its share of the width; 0: as wide as its content.
    pub weight: f64,
}

/// A row of a table from data.
#[derive(Clone, Debug)]
pub enum Row {
    /// One cell a column.
    Cells(Vec<Cell>),
    /// One cell over all columns, which heads the rows below.
    Group(String),
}

/// A cell of a table from data.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// How it looks; the text alone says everything.
    pub look: Look,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// As usual.
    #[default]
    Plain,
    /// A key or a total.
    Strong,
    /// A criterion that is met.
    Good,
    /// A criterion that is not met or not evaluable.
    Bad,
    /// Too few cases to rely on.
    Muted,
    /// Monospaced: digests, ids.
    Code,
}

/// A figure from data: one or several SVG images under one caption.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it shows.
    pub caption: String,
    /// `Figure 3`, given when the document is put together.
    pub number: usize,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// The images.
    pub images: Vec<Image>,
}

/// One SVG image.
#[derive(Clone, Debug)]
pub struct Image {
    /// File name without extension.
    pub name: String,
    /// The SVG text.
    pub svg: String,
    /// Share of the text width it takes, in 0..=1.
    pub width: f64,
}

/// What a template function put into the Markdown as a placeholder.
#[derive(Clone, Debug)]
pub enum Piece {
    /// `table(id=...)`
    Table(Table),
    /// `figure(id=...)`
    Figure(Figure),
    /// `text_of(id=...)`
    Text(String),
}

impl Document {
    /// Every image, in document order, once.
    pub fn figures(&self) -> Vec<&Image> {
        let mut seen = BTreeSet::new();
        self.cover
            .iter()
            .chain(&self.body)
            .filter_map(|block| if let Block::Figure(figure) = block { Some(&figure.images) } else { None })
            .flatten()
            .filter(|image| seen.insert(image.name.clone()))
            .collect()
    }
}

impl Piece {
    /// The placeholder in the Markdown, with the content in a form that people can read there.
    pub fn placeholder(&self, index: usize) -> String {
        let (name, body) = match self {
            Self::Table(table) => ("table", table.to_markdown()),
            Self::Figure(figure) => ("figure", figure_to_markdown(figure)),
            Self::Text(text) => ("text", format!("{} lines as they are\n", text.lines().count())),
        };
        format!("\n\n~~~~{{{name}}} {index}\n{body}~~~~\n\n")
    }
}

fn figure_to_markdown(figure: &Figure) -> String {
    let mut out = String::new();
    for image in &figure.images {
        out.push_str(&format!("image: figures/{}.svg\n", image.name));
    }
    out.push_str(&format!("caption: {}\n", text::markdown(&figure.caption)));
    out.push_str(&format!("alt: {}\n", text::markdown(&figure.alt)));
    out
}

impl Table {
    /// A pipe table, for reading and for comparing versions.
    pub(super) fn to_markdown(&self) -> String {
        let mut out = format!("caption: {}\n", text::markdown(&self.caption));
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out.push_str(&line(self.columns.iter().map(|c| text::markdown(&c.header)).collect()));
        let rule = |align| match align {
            Align::Left => "---",
            Align::Center => ":-:",
            Align::Right => "--:",
        };
        out.push_str(&line(self.columns.iter().map(|c| rule(c.align).to_owned()).collect()));
        for row in &self.rows {
            out.push_str(&match row {
                Row::Cells(cells) => line(cells.iter().map(|c| text::markdown(&c.text)).collect()),
                Row::Group(name) => line(vec![format!("**{}**", text::markdown(name))]),
            });
        }
        for note in &self.notes {
            out.push_str(&format!("note: {}\n", text::markdown(note)));
        }
        out
    }
}

/// What a document says beside its text.
#[derive(Clone, Debug)]
pub struct Facts {
    /// For metadata: the first heading of the cover, or this where the text has none.
    pub title: String,
    /// For the running header.
    pub running_title: String,
    /// For metadata.
    pub author: String,
    /// The banner of every page, when there is one.
    pub banner: Option<String>,
    /// For the running footer.
    pub footer: String,
    /// RFC 3339.
    pub date: String,
    /// Identifies the document for ever.
    #[cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only a PDF has an identifier"))]
    pub identifier: String,
}

impl Facts {
    fn of(source: &Source) -> Self {
        let word = |path: [&str; 2]| {
            source
                .device
                .get(path[0])
                .and_then(|v| v.get(path[1]))
                .and_then(|v| v.as_str())
                .unwrap_or_default()
        };
        let study = &source.results.study;
        let device =
            if word(["device", "name"]).trim().is_empty() { &study.title } else { word(["device", "name"]) };
        Self {
            title: study.title.clone(),
            running_title: text::fit(
                &text::one_line(&format!("{device} \u{2013} study {} version {}", study.id, study.version)),
                8.0,
                460.0,
            ),
            author: text::one_line(word(["submitter", "name"])),
            banner: study.synthetic.then(|| super::tables::SYNTHETIC_BANNER.to_owned()),
            footer: text::one_line(&format!(
                "Run {} \u{2013} bundle root {}\u{2026}",
                text::fit(&text::one_line(&source.run_id), 8.0, 220.0),
                source.root_digest.get(..16).unwrap_or(&source.root_digest)
            )),
            date: source.date.clone(),
            identifier: format!("{} {} {}", study.id, source.run_id, source.root_digest),
        }
    }
}

/// Reads the Markdown of a study's document and puts the pieces in their places.
///
/// # Errors
/// As [`assemble`].
pub fn parse(markdown: &str, pieces: Vec<Piece>, source: &Source) -> Result<Document> {
    assemble(markdown, pieces, Facts::of(source))
}

/// Reads the Markdown and puts the pieces in their places.
///
/// # Errors
/// `raw-html` and `image-in-template` when a template holds them, `unknown-placeholder` when it imitates one.
pub fn assemble(markdown: &str, pieces: Vec<Piece>, facts: Facts) -> Result<Document> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_GFM;
    let mut reader =
        Reader { events: Parser::new_ext(markdown, options).collect(), at: 0, pieces, footnotes: Vec::new() };
    let mut blocks = reader.blocks(None)?;
    number(&mut blocks);
    let split = blocks.iter().position(|b| matches!(b, Block::PageBreak));
    let body = split.map(|at| blocks.split_off(at).into_iter().skip(1).collect()).unwrap_or_default();
    let title = blocks
        .iter()
        .find_map(|b| if let Block::Heading { content, .. } = b { Some(plain(content)) } else { None })
        .unwrap_or_else(|| facts.title.clone());
    Ok(Document {
        facts: Facts { title: text::one_line(&title), ..facts },
        cover: blocks,
        body,
        footnotes: reader.footnotes,
    })
}

/// Numbers sections, tables and figures in document order.
pub(super) fn number(blocks: &mut [Block]) {
    let (mut section, mut subsection, mut table, mut figure) = (0_usize, 0_usize, 0, 0);
    let mut anchors = BTreeSet::new();
    for block in blocks {
        match block {
            Block::Heading { level, number, anchor, content } => {
                let words = plain(content);
                if *level == 2 {
                    (section, subsection) = (section + 1, 0);
                    *number = Some(section.to_string());
                } else if *level == 3 {
                    subsection += 1;
                    *number = Some(format!("{section}.{subsection}"));
                }
                let base = format!("s-{}", text::slug(&words));
                *anchor = (1..)
                    .map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") })
                    .find(|candidate| anchors.insert(candidate.clone()))
                    .unwrap_or(base);
            }
            Block::Table(t) if !t.caption.is_empty() => {
                table += 1;
                t.number = table;
            }
            Block::Figure(f) => {
                figure += 1;
                f.number = figure;
            }
            _ => {}
        }
    }
}

/// The words of a run of text.
pub fn plain(content: &[Inline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            Inline::Text(t) | Inline::Code(t) => t.clone(),
            Inline::Emphasis(c) | Inline::Strong(c) | Inline::Link { content: c, .. } => plain(c),
            Inline::Break => " ".to_owned(),
            Inline::Footnote(_) => String::new(),
        })
        .collect()
}

struct Reader<'a> {
    events: Vec<Event<'a>>,
    at: usize,
    pieces: Vec<Piece>,
    footnotes: Vec<(String, Vec<Block>)>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        let event = self.events.get(self.at).cloned();
        self.at += 1;
        event
    }

    /// Blocks up to the end of `within`. Tight list items hold bare inlines: they become paragraphs.
    fn blocks(&mut self, within: Option<TagEnd>) -> Result<Vec<Block>> {
        let mut blocks = Vec::new();
        while let Some(event) = self.next() {
            let block = match event {
                Event::End(end) if Some(end) == within => break,
                Event::Start(Tag::Paragraph) => Block::Paragraph(self.inlines(TagEnd::Paragraph)?),
                Event::Start(Tag::Heading { level, .. }) => Block::Heading {
                    level: level as u8,
                    number: None,
                    anchor: String::new(),
                    content: self.inlines(TagEnd::Heading(level))?,
                },
                Event::Start(Tag::BlockQuote(kind)) => Block::Callout {
                    kind: match kind {
                        None => Callout::Plain,
                        Some(BlockQuoteKind::Note | BlockQuoteKind::Tip) => Callout::Note,
                        Some(_) => Callout::Warning,
                    },
                    content: self.blocks(Some(TagEnd::BlockQuote(kind)))?,
                },
                Event::Start(Tag::CodeBlock(kind)) => self.code(&kind)?,
                Event::Start(Tag::List(start)) => {
                    let mut items = Vec::new();
                    while let Some(Event::Start(Tag::Item)) = self.next() {
                        items.push(self.blocks(Some(TagEnd::Item))?);
                    }
                    Block::List { start, items }
                }
                Event::Start(Tag::Table(alignments)) => self.grid(&alignments)?,
                Event::Start(Tag::FootnoteDefinition(label)) => {
                    let content = self.blocks(Some(TagEnd::FootnoteDefinition))?;
                    self.footnotes.push((label.to_string(), content));
                    continue;
                }
                Event::Rule => Block::PageBreak,
                Event::Html(html) | Event::InlineHtml(html) => return Err(raw_html(&html)),
                Event::Start(Tag::HtmlBlock) => {
                    let html = if let Some(Event::Html(html)) = self.next() { html } else { "".into() };
                    return Err(raw_html(&html));
                }
                Event::End(_) => continue,
                _ => {
                    // A bare inline in a tight list item: take all that follow.
                    self.at -= 1;
                    let content = self.bare_inlines()?;
                    if content.is_empty() {
                        self.at += 1;
                        continue;
                    }
                    Block::Paragraph(content)
                }
            };
            blocks.push(block);
        }
        Ok(blocks)
    }

    fn bare_inlines(&mut self) -> Result<Vec<Inline>> {
        let mut content = Vec::new();
        while let Some(event) = self.events.get(self.at).cloned() {
            let inline = matches!(
                event,
                Event::Text(_)
                    | Event::Code(_)
                    | Event::SoftBreak
                    | Event::HardBreak
                    | Event::FootnoteReference(_)
                    | Event::InlineHtml(_)
                    | Event::Start(Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. })
            );
            if !inline {
                break;
            }
            self.at += 1;
            content.extend(self.inline(event)?);
        }
        Ok(content)
    }

    fn inlines(&mut self, end: TagEnd) -> Result<Vec<Inline>> {
        let mut content = Vec::new();
        while let Some(event) = self.next() {
            if event == Event::End(end) {
                break;
            }
            content.extend(self.inline(event)?);
        }
        Ok(content)
    }

    fn inline(&mut self, event: Event<'a>) -> Result<Option<Inline>> {
        Ok(Some(match event {
            Event::Text(text) => Inline::Text(text.to_string()),
            Event::Code(code) => Inline::Code(code.to_string()),
            Event::SoftBreak => Inline::Text(" ".to_owned()),
            Event::HardBreak => Inline::Break,
            Event::FootnoteReference(label) => Inline::Footnote(label.to_string()),
            Event::Start(Tag::Emphasis) => Inline::Emphasis(self.inlines(TagEnd::Emphasis)?),
            Event::Start(Tag::Strong) => Inline::Strong(self.inlines(TagEnd::Strong)?),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let content = self.inlines(TagEnd::Link)?;
                let safe = ["https://", "http://", "mailto:"].iter().any(|s| dest_url.starts_with(s));
                if safe {
                    Inline::Link { to: dest_url.to_string(), content }
                } else {
                    Inline::Emphasis(content)
                }
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                return Err(Diagnostic::error(
                    Code::ImageInTemplate,
                    format!("a template holds the image `{}`", text::one_line(&dest_url)),
                )
                .hint("figures come from data: use {{ figure(id=\"roc\") }}")
                .into());
            }
            Event::Html(html) | Event::InlineHtml(html) => return Err(raw_html(&html)),
            _ => return Ok(None),
        }))
    }

    fn code(&mut self, kind: &CodeBlockKind<'a>) -> Result<Block> {
        let mut body = String::new();
        while let Some(event) = self.next() {
            match event {
                Event::End(TagEnd::CodeBlock) => break,
                Event::Text(text) => body.push_str(&text),
                _ => {}
            }
        }
        let info = if let CodeBlockKind::Fenced(info) = kind { info.as_ref() } else { "" };
        let Some((name, index)) = info.split_once(' ').filter(|(name, _)| name.starts_with('{')) else {
            return Ok(Block::Code(body));
        };
        let piece = index.trim().parse::<usize>().ok().and_then(|index| self.pieces.get(index).cloned());
        match (name, piece) {
            ("{table}", Some(Piece::Table(table))) => Ok(Block::Table(table)),
            ("{figure}", Some(Piece::Figure(figure))) => Ok(Block::Figure(figure)),
            ("{text}", Some(Piece::Text(text))) => Ok(Block::Code(text)),
            _ => Err(Diagnostic::error(Code::UnknownPlaceholder, format!("`{info}` stands for nothing"))
                .hint("use {{ table(id=\"...\") }} or {{ figure(id=\"...\") }}")
                .into()),
        }
    }

    fn grid(&mut self, alignments: &[Alignment]) -> Result<Block> {
        let (mut header, mut rows, mut row) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(event) = self.next() {
            match event {
                Event::Start(Tag::TableCell) => row.push(self.inlines(TagEnd::TableCell)?),
                Event::End(TagEnd::TableHead) => header = std::mem::take(&mut row),
                Event::End(TagEnd::TableRow) => rows.push(std::mem::take(&mut row)),
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        let alignments = alignments
            .iter()
            .map(|a| match a {
                Alignment::Right => Align::Right,
                Alignment::Center => Align::Center,
                Alignment::Left | Alignment::None => Align::Left,
            })
            .collect();
        Ok(Block::Grid { alignments, header, rows })
    }
}

fn raw_html(html: &str) -> crate::diagnostic::Error {
    let start: String = text::one_line(html).chars().take(60).collect();
    Diagnostic::error(Code::RawHtml, format!("a template holds raw HTML: `{start}`"))
        .hint("write it in Markdown: the same text also becomes a PDF")
        .into()
}

impl Cell {
    /// A plain cell.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), look: Look::Plain }
    }

    /// A count.
    pub fn count(value: u64) -> Self {
        Self::new(format::count(value))
    }

    /// The same with another look.
    #[must_use]
    pub fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }
}
