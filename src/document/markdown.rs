//! One Markdown text to one tree. Markdown that could carry something else than text (raw HTML, images from
//! elsewhere) is refused here.

use std::collections::BTreeSet;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::tree::{Align, Block, Callout, Document, Facts, Inline, Piece, plain};
use super::{origins, text};
use crate::diagnostic::{Code, Diagnostic, Result};

/// Reads the Markdown and puts the pieces in their places.
///
/// # Errors
/// `raw-html` and `image-in-template` when a template holds them, `unknown-placeholder` when it imitates one.
pub fn assemble(markdown: &str, pieces: Vec<Piece>, facts: Facts) -> Result<Document> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_GFM;
    let mut reader = Reader {
        events: Parser::new_ext(markdown, options).collect(),
        at: 0,
        pieces,
        footnotes: Vec::new(),
        depth: 0,
    };
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
fn number(blocks: &mut [Block]) {
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

struct Reader<'a> {
    events: Vec<Event<'a>>,
    at: usize,
    pieces: Vec<Piece>,
    footnotes: Vec<(String, Vec<Block>)>,
    depth: usize,
}

/// Quotes, lists and emphasis within each other.
pub const DEEPEST: usize = 50;

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Event<'a>> {
        let event = self.events.get(self.at).cloned();
        self.at += 1;
        event
    }

    /// One level deeper, within what the writers can follow.
    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        let message = format!("more than {DEEPEST} quotes, lists or emphases within each other");
        Err(Diagnostic::error(Code::TemplateCost, message).hint("write them one after another").into())
    }

    /// Blocks up to the end of `within`. Tight list items hold bare inlines: they become paragraphs.
    fn blocks(&mut self, within: Option<TagEnd>) -> Result<Vec<Block>> {
        self.deeper()?;
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
        self.depth -= 1;
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
        Ok(origins::read(content))
    }

    fn inlines(&mut self, end: TagEnd) -> Result<Vec<Inline>> {
        self.deeper()?;
        let mut content = Vec::new();
        while let Some(event) = self.next() {
            if event == Event::End(end) {
                break;
            }
            content.extend(self.inline(event)?);
        }
        self.depth -= 1;
        Ok(origins::read(content))
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
            ("{origins}", Some(Piece::Origins)) => Ok(Block::Table(origins::empty_table())),
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
