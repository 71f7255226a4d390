//! Where a number comes from, beside the number: what a template or a table puts there by a key leads to one
//! row of one table, `{{ origins() }}`, however often it is printed. HTML shows the row while the number is
//! pointed at or has the focus; PDF and DOCX print the mark that leads to it.
//!
//! A document whose templates ask for no such table has no marks and no links: those of earlier versions
//! render to what they were.

use std::collections::BTreeMap;

use super::tree::{Block, Cell, Column, Document, Inline, Link, Look, Row, Table};

/// What a row of the table says of a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Which number.
    pub what: String,
    /// Formula and method.
    pub how: String,
    /// From how many of what.
    pub n: String,
    /// What it was computed from, and which file has it under which name.
    pub recorded: String,
}

const OPEN: char = '\u{100002}';
const CLOSE: char = '\u{100003}';
/// Keys are spelled with ASCII moved here.
const LETTERS: u32 = 0x10_0100;

/// A text for Markdown that is known by a key once it is read ([`read`]).
pub(super) fn marked(markdown: &str, key: &str) -> String {
    let name: String = key
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .filter_map(|c| char::from_u32(LETTERS + u32::from(c)))
        .collect();
    format!("{OPEN}{name}{OPEN}{markdown}{CLOSE}")
}

/// The Markdown as people read it.
pub(super) fn unmarked(markdown: &str) -> String {
    let mut naming = false;
    markdown
        .chars()
        .filter(|c| {
            naming ^= *c == OPEN;
            !(naming || matches!(*c, OPEN | CLOSE))
        })
        .collect()
}

/// A text that no study and no template can have marked.
pub(super) fn without_marks(text: &str) -> String {
    text.chars().map(|c| if matches!(c, OPEN | CLOSE) { '\u{fffd}' } else { c }).collect()
}

/// A run of text with what is marked as numbers of their own.
pub(super) fn read(content: Vec<Inline>) -> Vec<Inline> {
    let is_marked = |inline: &Inline| matches!(inline, Inline::Text(text) if text.contains([OPEN, CLOSE]));
    if !content.iter().any(is_marked) {
        return content;
    }
    let mut run = Run::default();
    for inline in content {
        let Inline::Text(text) = inline else {
            run.flush();
            run.push(inline);
            continue;
        };
        for c in text.chars() {
            run.take(c);
        }
    }
    run.flush();
    // What is open at the end is text.
    if let Some((_, inside)) = run.open.take() {
        run.done.extend(inside);
    }
    run.done
}

#[derive(Default)]
struct Run {
    done: Vec<Inline>,
    open: Option<(String, Vec<Inline>)>,
    key: Option<String>,
    text: String,
}

impl Run {
    fn take(&mut self, c: char) {
        match (c, &mut self.key) {
            (OPEN, None) => {
                self.flush();
                self.key = Some(String::new());
            }
            (OPEN, Some(key)) => {
                let key = std::mem::take(key);
                self.key = None;
                if let Some((_, inside)) = self.open.replace((key, Vec::new())) {
                    self.done.extend(inside);
                }
            }
            (CLOSE, _) => {
                self.flush();
                if let Some((key, content)) = self.open.take() {
                    self.done.push(Inline::Number { link: Link::Key(key), content });
                }
            }
            (c, Some(key)) => {
                key.extend(u32::from(c).checked_sub(LETTERS).and_then(char::from_u32));
            }
            (c, None) => self.text.push(c),
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.push(Inline::Text(text));
        }
    }

    fn push(&mut self, inline: Inline) {
        match &mut self.open {
            Some((_, inside)) => inside.push(inline),
            None => self.done.push(inline),
        }
    }
}

/// Instead of a table without rows.
const NONE: &str = "No number in this document is an estimate of the study.";

/// The table, before it is known what stands in it.
pub(super) fn empty_table() -> Table {
    let mut table = Table::new(
        "Where the numbers come from",
        vec![
            Column::left("Mark", 0.0),
            Column::left("Number", 0.8),
            Column::left("How it is computed", 1.3),
            Column::left("Of how many", 0.7),
            Column::left("From what, and recorded where", 1.1),
        ],
        vec![Row::Group("None.".to_owned())],
    );
    table.link = Link::List;
    table
}

/// `a` to `z`, `aa`, ...: letters, so that no mark is taken for digits of the number before it.
fn letters(mut index: usize) -> String {
    let mut out = Vec::new();
    loop {
        out.push(char::from(b'a' + u8::try_from(index % 26).unwrap_or(0)));
        index /= 26;
        if index == 0 {
            break;
        }
        index -= 1;
    }
    out.iter().rev().collect()
}

/// Gives every number that has a key the mark of its row, and the table its rows in the order in which they
/// are met; without a table nothing has a mark.
pub(super) fn resolve(document: &mut Document, of: impl Fn(&str) -> Option<Origin>, notes: Vec<String>) {
    let has_table = document.body.iter().chain(&document.cover).any(is_list);
    let mut marks = Marks { of, known: BTreeMap::new(), rows: Vec::new(), has_table };
    marks.blocks(&mut document.cover);
    marks.blocks(&mut document.body);
    document.footnotes.iter_mut().for_each(|(_, content)| marks.blocks(content));
    let rows = marks.rows;
    let Some(list) = document.cover.iter_mut().chain(&mut document.body).find(|block| is_list(block)) else {
        return;
    };
    match list {
        Block::Table(table) if !rows.is_empty() => (table.rows, table.notes) = (rows, notes),
        _ => *list = Block::Paragraph(vec![Inline::Text(NONE.to_owned())]),
    }
}

fn is_list(block: &Block) -> bool {
    matches!(block, Block::Table(table) if table.link == Link::List)
}

struct Marks<F> {
    of: F,
    known: BTreeMap<String, Option<String>>,
    rows: Vec<Row>,
    has_table: bool,
}

impl<F: Fn(&str) -> Option<Origin>> Marks<F> {
    fn blocks(&mut self, blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Heading { content, .. } | Block::Paragraph(content) => self.inlines(content),
                Block::List { items, .. } => items.iter_mut().for_each(|item| self.blocks(item)),
                Block::Callout { content, .. } => self.blocks(content),
                Block::Grid { header, rows, .. } => {
                    header.iter_mut().chain(rows.iter_mut().flatten()).for_each(|cell| self.inlines(cell));
                }
                Block::Table(table) => {
                    self.link(&mut table.link);
                    for row in &mut table.rows {
                        if let Row::Cells(cells) = row {
                            cells.iter_mut().for_each(|cell| self.link(&mut cell.link));
                        }
                    }
                }
                Block::Figure(figure) => self.link(&mut figure.link),
                Block::Code(_) | Block::PageBreak => {}
            }
        }
    }

    fn inlines(&mut self, content: &mut [Inline]) {
        for inline in content {
            match inline {
                Inline::Number { link, content } => {
                    self.link(link);
                    self.inlines(content);
                }
                Inline::Emphasis(c) | Inline::Strong(c) | Inline::Link { content: c, .. } => self.inlines(c),
                Inline::Text(_) | Inline::Code(_) | Inline::Break | Inline::Footnote(_) => {}
            }
        }
    }

    fn link(&mut self, link: &mut Link) {
        let Link::Key(key) = link else { return };
        if !self.has_table {
            *link = Link::Nowhere;
            return;
        }
        let mark = match self.known.get(key) {
            Some(known) => known.clone(),
            None => {
                let mark = (self.of)(key).map(|origin| {
                    let mark = letters(self.rows.len());
                    let first = Cell {
                        text: format!("[{mark}]"),
                        look: Look::Strong,
                        link: Link::Here(mark.clone()),
                    };
                    let more = [origin.what, origin.how, origin.n, origin.recorded];
                    self.rows.push(Row::Cells(std::iter::once(first).chain(more.map(Cell::new)).collect()));
                    mark
                });
                self.known.insert(key.clone(), mark.clone());
                mark
            }
        };
        *link = mark.map_or(Link::Nowhere, Link::To);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::tree::plain;

    #[test]
    fn letters_count_without_a_gap() {
        let all: Vec<String> = (0..800).map(letters).collect();
        assert_eq!((all[0].as_str(), all[25].as_str(), all[26].as_str()), ("a", "z", "aa"));
        assert_eq!((all[51].as_str(), all[52].as_str(), all[702].as_str()), ("az", "ba", "aaa"));
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn what_is_marked_is_a_number_of_its_own() {
        let text = format!("AUC {} of it", marked("0.871", "estimate auc"));
        assert_eq!(unmarked(&text), "AUC 0.871 of it");
        let (start, end) = text.split_at(text.find("0.8").expect("there") + 2);
        // The reader of Markdown may give a text in pieces.
        let read = read(vec![Inline::Text(start.to_owned()), Inline::Text(end.to_owned())]);
        let [Inline::Text(_), Inline::Number { link, content }, Inline::Text(_)] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!((link, plain(content).as_str()), (&Link::Key("estimate auc".to_owned()), "0.871"));
    }

    proptest! {
        #[test]
        fn no_text_is_lost_whatever_its_marks(
            text in "[a-z0-9 \u{100002}\u{100003}]{0,40}",
            key in "\\PC{0,9}",
        ) {
            let read = read(vec![Inline::Text(text.clone()), Inline::Text(marked("7", &key)), Inline::Break]);
            let kept = plain(&read);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
            prop_assert!(digits(&kept) <= digits(&text) + 1);
            prop_assert!(!kept.contains([OPEN, CLOSE]));
            prop_assert!(!without_marks(&text).contains([OPEN, CLOSE]));
            prop_assert!(!unmarked(&text).contains([OPEN, CLOSE]));
        }
    }
}
