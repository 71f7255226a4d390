//! The tree as typst markup. Every text of a document enters typst inside a string literal (`#"..."`), never
//! as markup: what typst would read as syntax is text by construction.

#![cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the PDF needs the markup"))]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::columns;
use crate::document::text::typst_string;
use crate::document::tree::{
    Align, Block, Callout, Cell, Column, Document, Figure, Inline, Link, Look, Row, Table, beside,
};

const STYLE: &str = include_str!("../../../templates/style.typ");

/// The whole typst source; images are files `/figures/<name>.svg`.
pub fn markup(document: &Document) -> String {
    let mut out = String::from(STYLE);
    let banner = document
        .facts
        .banner
        .as_ref()
        .map_or_else(|| "none".to_owned(), |b| typst_string(&breakable(b, IN_LINES)));
    let _ = writeln!(
        out,
        "\n#show: report.with(title: {}, author: {}, running: {}, banner: {banner}, footer: {}, date: {})\n",
        typst_string(&document.facts.title),
        typst_string(&document.facts.author),
        typst_string(&breakable(&document.facts.running_title, IN_LINES)),
        typst_string(&breakable(&document.facts.footer, IN_LINES)),
        typst_string(&document.facts.date),
    );
    let writer = Writer { footnotes: document.footnotes.iter().cloned().collect() };
    let listed = |block: &&Block| matches!(block, Block::Heading { level: 2 | 3, .. });
    let lines = document.body.iter().filter(listed).count();
    let brief = lines <= BRIEF;
    let _ = writeln!(out, "#cover(brief: {brief})[");
    writer.blocks(&mut out, &document.cover);
    out.push_str("]\n\n");
    if lines > FEW {
        let _ = write!(out, "#contents(brief: {brief})\n\n");
    }
    writer.blocks(&mut out, &document.body);
    out
}

/// Contents of up to so many lines stand on the cover, below what it says.
const BRIEF: usize = 20;

/// A document of up to so many headings is read as a whole: it has no contents, and goes on below its cover.
const FEW: usize = 3;

struct Writer {
    footnotes: BTreeMap<String, Vec<Block>>,
}

impl Writer {
    fn blocks(&self, out: &mut String, list: &[Block]) {
        let mut rest = list;
        while let Some(block) = rest.first() {
            let run: Vec<&Figure> =
                rest.iter().map_while(|b| if let Block::Figure(f) = b { Some(f) } else { None }).collect();
            if run.is_empty() {
                self.block(out, block);
            } else {
                figures(out, &run);
            }
            out.push('\n');
            rest = rest.get(run.len().max(1)..).unwrap_or_default();
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
            Block::Figure(f) => figures(out, &[f]),
            Block::PageBreak => out.push_str("#pagebreak(weak: true)\n"),
        }
    }

    fn inlines(&self, content: &[Inline]) -> String {
        content
            .iter()
            .map(|inline| match inline {
                Inline::Text(t) => format!("#{};", typst_string(&breakable(t, IN_LINES))),
                Inline::Emphasis(c) => format!("#emph[{}];", self.inlines(c)),
                Inline::Strong(c) => format!("#strong[{}];", self.inlines(c)),
                Inline::Code(t) => format!("#code({});", typst_string(&breakable(t, 80))),
                Inline::Link { to, content } => {
                    format!("#link({})[{}];", typst_string(to), self.inlines(content))
                }
                Inline::Number { link, content } => {
                    format!("{}{}", self.inlines(content), superscript(link))
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

/// The mark of the row that says where a number comes from, behind the number.
fn superscript(link: &Link) -> String {
    link.mark().map(|mark| format!("#super({});", typst_string(&format!("[{mark}]")))).unwrap_or_default()
}

/// A caption with the mark of the row that says where its numbers come from.
fn captioned(caption: &str, link: &Link) -> String {
    let mark = link.mark().map(|mark| format!(" [{mark}]")).unwrap_or_default();
    typst_string(&breakable(&format!("{caption}{mark}"), IN_LINES))
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Left => "left",
        Align::Center => "center",
        Align::Right => "right",
    }
}

/// A numbered table of up to so many rows stays in one piece.
const WHOLE: usize = 5;

/// How many rows from each row on no page break may part; 0 where a row belongs to the run before. The first
/// two rows stand together below the header, the last two above the notes, and a group's name with what it
/// heads.
fn runs(rows: &[Row]) -> Vec<usize> {
    let count = rows.len();
    let mut runs = vec![0; count];
    let mut first = 0;
    for (index, row) in rows.iter().enumerate() {
        if let Some(run) = runs.get_mut(first) {
            *run += 1;
        }
        let kept = matches!(row, Row::Group(_)) || index == 0 || index + 2 == count;
        if !kept {
            first = index + 1;
        }
    }
    runs
}

fn table(out: &mut String, table: &Table) {
    let numbered = !table.caption.is_empty();
    let columns = if numbered {
        columns::declared(&table.columns, &table.rows, IN_CELLS)
    } else {
        let of = |c: &Column| if c.weight > 0.0 { format!("{:.2}fr", c.weight) } else { "auto".to_owned() };
        table.columns.iter().map(of).collect()
    };
    let alignments: Vec<&str> = table.columns.iter().map(|c| align(c.align)).collect();
    let function = if numbered { "data-table" } else { "facts" };
    let long = numbered && table.rows.len() > WHOLE;
    let _ =
        write!(out, "#{function}(columns: ({},), align: ({},)", columns.join(", "), alignments.join(", "));
    if numbered {
        let caption = captioned(&table.caption, &table.link);
        let _ = write!(out, ", number: {}, long: {long}, caption: {caption}", table.number);
        let header: Vec<String> =
            table.columns.iter().map(|c| typst_string(&breakable(&c.header, IN_CELLS))).collect();
        let _ = write!(out, ", header: ({},)", header.join(", "));
    }
    out.push_str(",\n");
    let width = table.columns.len();
    let notes = numbered && !table.notes.is_empty();
    let runs = runs(&table.rows);
    let last = runs.iter().rposition(|run| *run > 0);
    for (index, (row, run)) in table.rows.iter().zip(&runs).enumerate() {
        match row {
            Row::Group(name) => {
                let _ = write!(out, "  group-cell({width}, {}), ", typst_string(&breakable(name, IN_LINES)));
            }
            Row::Cells(cells) => {
                out.push_str("  ");
                for item in cells {
                    let _ = write!(out, "{}, ", cell(item));
                }
            }
        }
        if long && *run > 0 {
            let with_notes = usize::from(notes && Some(index) == last);
            let _ = write!(out, "keep({}), ", run + with_notes);
        }
        out.push('\n');
    }
    if notes {
        // The first note is a row below the last ones; further ones may go on overleaf, where no header is
        // repeated.
        let mut texts = table.notes.iter().map(|note| typst_string(&breakable(note, IN_LINES)));
        if let Some(first) = texts.next() {
            let _ = writeln!(out, "  first-note({width}, {first}),");
        }
        let further: Vec<String> = texts.collect();
        if !further.is_empty() {
            let _ = writeln!(out, "  notes: ({},),", further.join(", "));
        }
    }
    out.push_str(")\n");
}

fn cell(cell: &Cell) -> String {
    // A digest fits into the columns that have one.
    let digest = cell.look == Look::Code && cell.text.chars().all(|c| c.is_ascii_hexdigit());
    let text = typst_string(&breakable(&cell.text, if digest { 64 } else { IN_CELLS }));
    let written = match cell.look {
        Look::Plain => text,
        Look::Strong => format!("look-strong({text})"),
        Look::Good => format!("look-good({text})"),
        Look::Bad => format!("look-bad({text})"),
        Look::Muted => format!("look-muted({text})"),
        Look::Code => format!("code({text})"),
    };
    match (cell.look, superscript(&cell.link)) {
        (Look::Plain, mark) if mark.is_empty() => format!("[#{written}]"),
        (_, mark) if mark.is_empty() => written,
        (_, mark) => format!("[#{written};{mark}]"),
    }
}

/// The longest word in a cell, and in a line, that gets no places to break.
const IN_CELLS: usize = 22;
const IN_LINES: usize = 60;

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

/// Figures one after another, in rows: beside each other where they fit.
fn figures(out: &mut String, figures: &[&Figure]) {
    let mut panels = Vec::new();
    for figure in figures {
        let caption = captioned(&figure.caption, &figure.link);
        for (index, image) in figure.images.iter().enumerate() {
            let panel = format!(
                "(number: {}, last: {}, caption: {caption}, width: {:.1}%, alt: {}, file: {})",
                figure.number,
                index + 1 == figure.images.len(),
                image.width * 100.0,
                typst_string(&figure.alt),
                typst_string(&format!("/figures/{}.svg", image.name)),
            );
            panels.push((image.width, panel));
        }
    }
    let widths: Vec<f64> = panels.iter().map(|(width, _)| *width).collect();
    for row in beside(&widths) {
        let row: String =
            panels.iter().skip(row.start).take(row.len()).map(|(_, p)| format!("{p}, ")).collect();
        let _ = writeln!(out, "#data-figures({row})");
    }
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
    fn rows_that_stand_together_are_one_run() {
        let row = |c: char| if c == 'g' { Row::Group("g".to_owned()) } else { Row::plain(["r".to_owned()]) };
        let of = |rows: &str| runs(&rows.chars().map(row).collect::<Vec<_>>());
        assert_eq!(of("rrrrrr"), [2, 0, 1, 1, 2, 0]);
        assert_eq!(of("grrrgrrr"), [2, 0, 1, 1, 2, 0, 2, 0]);
        assert_eq!(of("rgrrgr"), [3, 0, 0, 1, 2, 0]);
        assert_eq!(of("rrr"), [3, 0, 0]);
        assert_eq!(of("r"), [1]);
        assert!(of("").is_empty());
        for count in 2..=80 {
            let runs = runs(&vec![row('r'); count]);
            assert_eq!(runs.iter().sum::<usize>(), count);
            assert!(
                runs.first().is_some_and(|run| *run >= 2) && runs.last() == Some(&0),
                "{count}: {runs:?}"
            );
        }
    }

    #[test]
    fn study_text_reaches_typst_as_a_string_alone() {
        let writer = Writer { footnotes: BTreeMap::new() };
        let hostile = Inline::Text("#import \"x\": * $a$ *b* \\ ] <l> @r".to_owned());
        assert_eq!(writer.inlines(&[hostile]), "#\"#import \\\"x\\\": * $a$ *b* \\\\ ] <l> @r\";");
    }
}
