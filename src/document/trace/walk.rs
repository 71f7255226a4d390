//! The one walk over everything that a document says, in the order in which it is read, with the place where
//! a reader finds it. What is made of it is for those who ask: what cannot be printed (`places`), and where
//! numbers come from (`trace`).

use super::marks;
use super::passage::Role;
use crate::document::tree::{Block, Document, Figure, Row, Table, plain};

/// A text with a place of its own.
#[derive(Debug)]
pub(in crate::document) struct Said<'a> {
    /// In words: `Table 3, row "Site"`.
    pub(in crate::document) place: String,
    /// What kind of text it is.
    pub(in crate::document) role: Role,
    /// What stands around it: of a cell the names of its row and column, of a caption what it is of.
    pub(in crate::document) around: Vec<&'a str>,
    /// The text.
    pub(in crate::document) text: &'a str,
}

/// Takes what a document says.
pub(in crate::document) trait Visitor {
    /// A text; it may be empty.
    fn said(&mut self, said: Said<'_>);
    /// A figure, behind its caption: its description, which is heard, and its drawings.
    fn drawn(&mut self, place: &str, figure: &Figure);
}

/// Every text and drawing of a document, and what every page says with them.
pub(in crate::document) fn walk(document: &Document, visitor: &mut impl Visitor) {
    let facts = &document.facts;
    let mut walk = Walk { section: "the cover".to_owned(), visitor };
    for (place, text) in [
        ("the running header", facts.running_title.as_str()),
        ("the banner", facts.banner.as_deref().unwrap_or_default()),
        ("the running footer", facts.footer.as_str()),
    ] {
        walk.say(place.to_owned(), Role::Program, Vec::new(), text);
    }
    walk.blocks(&document.cover);
    "the beginning".clone_into(&mut walk.section);
    walk.blocks(&document.body);
    for (label, content) in &document.footnotes {
        walk.section = format!("footnote {label}");
        walk.blocks(content);
    }
}

struct Walk<'v, V> {
    /// Where blocks without a name of their own stand.
    section: String,
    visitor: &'v mut V,
}

impl<V: Visitor> Walk<'_, V> {
    fn say(&mut self, place: String, role: Role, around: Vec<&str>, text: &str) {
        self.visitor.said(Said { place, role, around, text });
    }

    fn here(&mut self, text: &str) {
        self.say(self.section.clone(), Role::Template, Vec::new(), text);
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Heading { number, content, .. } => {
                    let words = plain(content);
                    let (clean, _) = marks::read(&words);
                    self.section = match number {
                        Some(number) => format!("section {number} \"{clean}\""),
                        None => format!("the part \"{clean}\""),
                    };
                    self.here(&words);
                }
                Block::Paragraph(content) => self.here(&plain(content)),
                Block::List { items, .. } => items.iter().for_each(|item| self.blocks(item)),
                Block::Callout { content, .. } => self.blocks(content),
                Block::Code(code) => self.here(code),
                Block::Grid { header, rows, .. } => {
                    header.iter().chain(rows.iter().flatten()).for_each(|cell| self.here(&plain(cell)));
                }
                Block::Table(table) => self.table(table),
                Block::Figure(figure) => self.figure(figure),
                Block::PageBreak => {}
            }
        }
    }

    fn table(&mut self, table: &Table) {
        let name = if table.caption.is_empty() {
            format!("the list in {}", self.section)
        } else {
            format!("Table {}", table.number)
        };
        let headers = table.columns.iter().map(|column| column.header.as_str());
        let cells = table.rows.iter().flat_map(|row| match row {
            Row::Group(group) => vec![group.as_str()],
            Row::Cells(cells) => cells.iter().map(|cell| cell.text.as_str()).collect(),
        });
        let held = headers.chain(cells).collect();
        self.say(format!("the caption of {name}"), Role::Caption, held, &table.caption);
        for column in &table.columns {
            self.say(format!("{name}, header"), Role::Program, Vec::new(), &column.header);
        }
        let mut group = "";
        for row in &table.rows {
            match row {
                Row::Group(words) => {
                    group = words;
                    self.say(format!("{name}, row \"{words}\""), Role::Program, Vec::new(), words);
                }
                Row::Cells(cells) => {
                    let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
                    let first = texts.first().copied().unwrap_or_default();
                    for (index, text) in texts.iter().enumerate() {
                        let column = table.columns.get(index).map_or("", |column| column.header.as_str());
                        let around = [column, group].into_iter().chain(texts.iter().copied()).collect();
                        self.say(format!("{name}, row \"{first}\""), Role::Program, around, text);
                    }
                }
            }
        }
        for note in &table.notes {
            self.say(format!("a note of {name}"), Role::Program, vec![&table.caption], note);
        }
    }

    fn figure(&mut self, figure: &Figure) {
        let name = format!("Figure {}", figure.number);
        let drawn = figure.images.iter().flat_map(|image| image.drawing.lines());
        let around = std::iter::once(figure.alt.as_str()).chain(drawn).collect();
        self.say(format!("the caption of {name}"), Role::Caption, around, &figure.caption);
        self.visitor.drawn(&name, figure);
    }
}
