//! Every text of a document with the place where a reader finds it, so that what cannot be printed is named
//! before anything is typeset.

use super::tree::{Block, Document, Figure, Row, Table, plain};

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// In words: `Table 3, row "Site"`.
    pub place: String,
    /// The text.
    pub text: String,
    /// Whether it is part of a drawing, whose lines have one font each.
    pub drawn: bool,
}

/// Every text that is printed, in document order.
pub fn texts(document: &Document) -> Vec<Placed> {
    let facts = &document.facts;
    let mut list = List { section: "the cover".to_owned(), found: Vec::new() };
    list.add("the running header", &facts.running_title);
    list.add("the banner", facts.banner.as_deref().unwrap_or_default());
    list.add("the running footer", &facts.footer);
    list.blocks(&document.cover);
    "the beginning".clone_into(&mut list.section);
    list.blocks(&document.body);
    for (label, content) in &document.footnotes {
        list.section = format!("footnote {label}");
        list.blocks(content);
    }
    list.found
}

struct List {
    /// Where blocks without a name of their own stand.
    section: String,
    found: Vec<Placed>,
}

impl List {
    fn add(&mut self, place: impl Into<String>, text: &str) {
        self.found.push(Placed { place: place.into(), text: text.to_owned(), drawn: false });
    }

    fn here(&mut self, text: &str) {
        self.add(self.section.clone(), text);
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Heading { number, content, .. } => {
                    let words = plain(content);
                    self.section = match number {
                        Some(number) => format!("section {number}"),
                        None => format!("the part \"{words}\""),
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
        self.add(format!("the caption of {name}"), &table.caption);
        for column in &table.columns {
            self.add(format!("{name}, header"), &column.header);
        }
        for row in &table.rows {
            match row {
                Row::Group(group) => self.add(format!("{name}, row \"{group}\""), group),
                Row::Cells(cells) => {
                    let first = cells.first().map_or("", |cell| cell.text.as_str());
                    for cell in cells {
                        self.add(format!("{name}, row \"{first}\""), &cell.text);
                    }
                }
            }
        }
        for note in &table.notes {
            self.add(format!("a note of {name}"), note);
        }
    }

    fn figure(&mut self, figure: &Figure) {
        let name = format!("Figure {}", figure.number);
        self.add(format!("the caption of {name}"), &figure.caption);
        for image in &figure.images {
            self.found.push(Placed { place: name.clone(), text: image.svg.clone(), drawn: true });
        }
    }
}
