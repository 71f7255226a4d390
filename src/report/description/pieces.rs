//! The tables and figures of a description, collected by their ids in the order of the page.

use crate::document::canvas::Canvas;
use crate::document::text;
use crate::document::tree::{Figure, Table};

/// Sets that get a figure of their own where a figure shows one set; the tables show all.
pub const DRAWN: usize = 4;

/// What there is to show; a table without rows and a figure without images are not there.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// With the names of their files.
    pub tables: Vec<(&'static str, Table)>,
    /// With the names of their files.
    pub figures: Vec<(&'static str, Figure)>,
}

impl Pieces {
    /// Adds a table.
    pub fn table(&mut self, id: &'static str, table: Table) {
        if !table.rows.is_empty() {
            self.tables.push((id, table));
        }
    }

    /// Adds a figure.
    pub fn figure(&mut self, id: &'static str, caption: String, alt: &str, images: Vec<Canvas>) {
        if !images.is_empty() {
            let facts = (caption, alt.to_owned());
            self.figures.push((id, Figure::drawn(id, facts, images, text::humanise)));
        }
    }
}
