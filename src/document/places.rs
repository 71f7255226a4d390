//! Every text of a document with the place where a reader finds it, so that what cannot be printed is named
//! before anything is typeset.

use super::trace::walk::{Said, Visitor, walk};
use super::tree::{Document, Figure};

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
    let mut found = Printed(Vec::new());
    walk(document, &mut found);
    found.0
}

struct Printed(Vec<Placed>);

impl Visitor for Printed {
    fn said(&mut self, said: Said<'_>) {
        self.0.push(Placed { place: said.place, text: said.text.to_owned(), drawn: false });
    }

    fn drawn(&mut self, place: &str, figure: &Figure) {
        for image in &figure.images {
            self.0.push(Placed { place: place.to_owned(), text: image.svg.clone(), drawn: true });
        }
    }
}
