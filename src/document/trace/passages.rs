//! The passages of a tree, in document order.

use super::marks;
use super::passage::{Passage, Role};
use crate::document::tree::{Block, Document, Figure, Row, Table, plain};

/// Every passage of a document, drawings and what every page says with them.
pub fn passages(document: &Document) -> Vec<Passage> {
    let facts = &document.facts;
    let mut list = List { section: "the cover".to_owned(), found: Vec::new() };
    let said = [
        ("the running header", facts.running_title.as_str()),
        ("the banner", facts.banner.as_deref().unwrap_or_default()),
        ("the running footer", facts.footer.as_str()),
    ];
    for (place, text) in said {
        list.add(place.to_owned(), Role::Program, String::new(), text);
    }
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
    section: String,
    found: Vec<Passage>,
}

impl List {
    fn add(&mut self, place: String, role: Role, around: String, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let (text, spans) = marks::read(text);
        self.found.push(Passage { place, role, around, text, spans });
    }

    fn here(&mut self, text: &str) {
        self.add(self.section.clone(), Role::Template, String::new(), text);
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
        let held: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.header.as_str())
            .chain(table.rows.iter().flat_map(|row| match row {
                Row::Group(group) => vec![group.as_str()],
                Row::Cells(cells) => cells.iter().map(|cell| cell.text.as_str()).collect(),
            }))
            .collect();
        self.add(format!("the caption of {name}"), Role::Caption, held.join(" | "), &table.caption);
        for column in &table.columns {
            self.add(format!("{name}, header"), Role::Program, String::new(), &column.header);
        }
        let mut group = String::new();
        for row in &table.rows {
            match row {
                Row::Group(words) => {
                    group.clone_from(words);
                    self.add(format!("{name}, row \"{words}\""), Role::Program, String::new(), words);
                }
                Row::Cells(cells) => {
                    let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
                    let first = texts.first().copied().unwrap_or_default();
                    for (index, text) in texts.iter().enumerate() {
                        let column = table.columns.get(index).map_or("", |column| column.header.as_str());
                        let around = format!("{column} | {group} | {}", texts.join(" | "));
                        self.add(format!("{name}, row \"{first}\""), Role::Program, around, text);
                    }
                }
            }
        }
        for note in &table.notes {
            self.add(format!("a note of {name}"), Role::Program, table.caption.clone(), note);
        }
    }

    fn figure(&mut self, figure: &Figure) {
        let name = format!("Figure {}", figure.number);
        let drawn: Vec<&str> = figure.images.iter().flat_map(|image| image.drawing.lines()).collect();
        let around = format!("{} | {}", figure.alt, drawn.join(" | "));
        self.add(format!("the caption of {name}"), Role::Caption, around, &figure.caption);
        self.add(format!("the description of {name}"), Role::Program, String::new(), &figure.alt);
        for words in drawn {
            self.add(name.clone(), Role::Program, "drawn".to_owned(), words);
        }
    }
}
