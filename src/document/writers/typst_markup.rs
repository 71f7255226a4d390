//! The tree as typst markup. Every text of a document enters typst inside a string literal (`#"..."`), never
//! as markup: what typst would read as syntax is text by construction.

#![cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the PDF needs the markup"))]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::document::text::typst_string;
use crate::document::tree::{Align, Block, Callout, Cell, Document, Figure, Inline, Look, Row, Table};

const STYLE: &str = include_str!("../../../templates/style.typ");

/// The whole typst source; images are files `/figures/<name>.svg`.
pub fn markup(document: &Document) -> String {
    let mut out = String::from(STYLE);
    let banner = document.facts.banner.as_ref().map_or_else(|| "none".to_owned(), |b| typst_string(b));
    let _ = writeln!(
        out,
        "\n#show: report.with(title: {}, author: {}, running: {}, banner: {banner}, footer: {}, date: {})\n",
        typst_string(&document.facts.title),
        typst_string(&document.facts.author),
        typst_string(&document.facts.running_title),
        typst_string(&document.facts.footer),
        typst_string(&document.facts.date),
    );
    let writer = Writer { footnotes: document.footnotes.iter().cloned().collect() };
    out.push_str("#cover[\n");
    writer.blocks(&mut out, &document.cover);
    out.push_str("]\n\n#contents()\n\n");
    writer.blocks(&mut out, &document.body);
    out
}

struct Writer {
    footnotes: BTreeMap<String, Vec<Block>>,
}

impl Writer {
    fn blocks(&self, out: &mut String, list: &[Block]) {
        for block in list {
            self.block(out, block);
            out.push('\n');
        }
    }

    fn block(&self, out: &mut String, block: &Block) {
        match block {
            Block::Heading { level, number, content, .. } => {
                // Level 1 is the title on the cover; sections are the outline's first level.
                let number =
                    number.as_ref().map(|n| format!("#{};#h(0.6em)", typst_string(n))).unwrap_or_default();
                let content = self.inlines(content);
                let _ = match level {
                    1 => write!(out, "#cover-title[{content}]"),
                    level => write!(out, "#heading(level: {})[{number}{content}]", level - 1),
                };
                out.push('\n');
            }
            Block::Paragraph(content) => {
                let _ = writeln!(out, "{}", self.inlines(content));
            }
            Block::List { start, items } => {
                match start {
                    Some(start) => {
                        let _ = write!(out, "#enum(start: {start}, ");
                    }
                    None => out.push_str("#list("),
                }
                for item in items {
                    out.push('[');
                    self.blocks(out, item);
                    out.push_str("], ");
                }
                out.push_str(")\n");
            }
            Block::Callout { kind, content } => {
                let kind = match kind {
                    Callout::Plain => "plain",
                    Callout::Note => "note",
                    Callout::Warning => "warning",
                };
                let _ = writeln!(out, "#callout(\"{kind}\")[");
                self.blocks(out, content);
                out.push_str("]\n");
            }
            Block::Code(code) => {
                let _ = writeln!(out, "#code-block({})", typst_string(code.trim_end()));
            }
            Block::Grid { alignments, header, rows } => {
                let columns = vec!["auto"; header.len()].join(", ");
                let alignments: Vec<&str> = alignments.iter().map(|a| align(*a)).collect();
                let _ = write!(
                    out,
                    "#plain-grid(columns: ({columns},), align: ({},), table.header({})",
                    alignments.join(", "),
                    header
                        .iter()
                        .map(|c| format!("[#strong[{}]]", self.inlines(c)))
                        .collect::<Vec<_>>()
                        .join(", ")
                );
                for cell in rows.iter().flatten() {
                    let _ = write!(out, ", [{}]", self.inlines(cell));
                }
                out.push_str(")\n");
            }
            Block::Table(t) => table(out, t),
            Block::Figure(f) => figure(out, f),
            Block::PageBreak => out.push_str("#pagebreak(weak: true)\n"),
        }
    }

    fn inlines(&self, content: &[Inline]) -> String {
        content
            .iter()
            .map(|inline| match inline {
                Inline::Text(t) => format!("#{};", typst_string(t)),
                Inline::Emphasis(c) => format!("#emph[{}];", self.inlines(c)),
                Inline::Strong(c) => format!("#strong[{}];", self.inlines(c)),
                Inline::Code(t) => format!("#code({});", typst_string(t)),
                Inline::Link { to, content } => {
                    format!("#link({})[{}];", typst_string(to), self.inlines(content))
                }
                Inline::Break => "#linebreak();".to_owned(),
                Inline::Footnote(label) => {
                    let mut note = String::new();
                    if let Some(content) = self.footnotes.get(label) {
                        // A note inside a note is not followed.
                        Self { footnotes: BTreeMap::new() }.blocks(&mut note, content);
                    }
                    format!("#footnote[{note}];")
                }
            })
            .collect()
    }
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Left => "left",
        Align::Center => "center",
        Align::Right => "right",
    }
}

fn table(out: &mut String, table: &Table) {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| if c.weight > 0.0 { format!("{:.2}fr", c.weight) } else { "auto".to_owned() })
        .collect();
    let alignments: Vec<&str> = table.columns.iter().map(|c| align(c.align)).collect();
    let function = if table.caption.is_empty() { "facts" } else { "data-table" };
    let _ =
        write!(out, "#{function}(columns: ({},), align: ({},)", columns.join(", "), alignments.join(", "));
    if !table.caption.is_empty() {
        let _ = write!(out, ", number: {}, caption: {}", table.number, typst_string(&table.caption));
        let notes: Vec<String> = table.notes.iter().map(|n| typst_string(n)).collect();
        let _ = write!(out, ", notes: ({})", notes.iter().map(|n| format!("{n},")).collect::<String>());
        let header: Vec<String> = table.columns.iter().map(|c| typst_string(&c.header)).collect();
        let _ = write!(out, ", header: ({},)", header.join(", "));
    }
    out.push_str(",\n");
    let width = table.columns.len();
    for row in &table.rows {
        match row {
            Row::Group(name) => {
                let _ = writeln!(out, "  group-cell({width}, {}),", typst_string(name));
            }
            Row::Cells(cells) => {
                out.push_str("  ");
                for item in cells {
                    let _ = write!(out, "{}, ", cell(item));
                }
                out.push('\n');
            }
        }
    }
    out.push_str(")\n");
}

fn cell(cell: &Cell) -> String {
    let text = typst_string(&breakable(&cell.text, if cell.look == Look::Code { 200 } else { 22 }));
    let look = match cell.look {
        Look::Plain => return format!("[#{text}]"),
        Look::Strong => "strong",
        Look::Good => "good",
        Look::Bad => "bad",
        Look::Muted => "muted",
        Look::Code => return format!("code({text})"),
    };
    format!("look-{look}({text})")
}

/// A word longer than a column gets places to break, so that no cell overflows.
fn breakable(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let long = word.chars().count() > longest;
        let mut run = 0;
        for c in word.chars() {
            // The typesetter breaks after hyphens by itself.
            run = if c == '-' { 0 } else { run + 1 };
            out.push(c);
            if long && (run >= longest || matches!(c, '_' | '/' | '.')) {
                out.push('\u{200b}');
                run = 0;
            }
        }
    }
    out
}

fn figure(out: &mut String, figure: &Figure) {
    let images: Vec<String> = figure
        .images
        .iter()
        .map(|image| {
            format!(
                "image({}, width: {:.0}%, alt: {})",
                typst_string(&format!("/figures/{}.svg", image.name)),
                image.width * 100.0,
                typst_string(&figure.alt)
            )
        })
        .collect();
    let _ = writeln!(
        out,
        "#data-figure(number: {}, caption: {}, {})",
        figure.number,
        typst_string(&figure.caption),
        images.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_get_places_to_break_and_short_ones_do_not() {
        assert_eq!(breakable("abc def", 5), "abc def");
        assert_eq!(breakable("abcdefg", 5), "abcde\u{200b}fg");
        assert_eq!(breakable("abc-defg", 5), "abc-defg");
        assert_eq!(breakable("a_b 0.871", 5), "a_b 0.871");
        assert_eq!(breakable("features.block", 9), "features.\u{200b}block");
    }

    #[test]
    fn study_text_reaches_typst_as_a_string_alone() {
        let writer = Writer { footnotes: BTreeMap::new() };
        let hostile = Inline::Text("#import \"x\": * $a$ *b* \\ ] <l> @r".to_owned());
        assert_eq!(writer.inlines(&[hostile]), "#\"#import \\\"x\\\": * $a$ *b* \\\\ ] <l> @r\";");
    }
}
