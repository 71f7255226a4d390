//! The passages of a tree, in document order.

use super::marks;
use super::passage::{Passage, Role};
use super::walk::{Said, Visitor, walk};
use crate::document::tree::{Document, Figure};

/// Every passage of a document, drawings and what every page says with them.
pub fn passages(document: &Document) -> Vec<Passage> {
    let mut found = Read(Vec::new());
    walk(document, &mut found);
    found.0
}

struct Read(Vec<Passage>);

impl Visitor for Read {
    fn said(&mut self, said: Said<'_>) {
        if said.text.trim().is_empty() {
            return;
        }
        let (text, spans) = marks::read(said.text);
        let around = said.around.join(" | ");
        self.0.push(Passage { place: said.place, role: said.role, around, text, spans });
    }

    fn drawn(&mut self, place: &str, figure: &Figure) {
        let described = format!("the description of {place}");
        self.said(Said { place: described, role: Role::Program, around: Vec::new(), text: &figure.alt });
        for words in figure.images.iter().flat_map(|image| image.drawing.lines()) {
            let place = place.to_owned();
            self.said(Said { place, role: Role::Program, around: vec!["drawn"], text: words });
        }
    }
}
