//! A piece of text of a document, and how its words got there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What kind of text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Words of a template.
    Template,
    /// What every page says, a table or a figure: words of the program.
    Program,
    /// The caption of a table or a figure.
    Caption,
}

/// A stretch of a passage that was not typed where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Bytes of the passage's text.
    pub at: Range<usize>,
    /// What put it there: `estimate auc`, `device submitter.name`, `a value`.
    pub from: String,
}

/// A piece of text with a place of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// In words: `Table 3, row "Site"`.
    pub place: String,
    /// What kind of text it is.
    pub role: Role,
    /// What stands around it: of a cell the names of its row and column, of a caption what it is of.
    pub around: String,
    /// The text.
    pub text: String,
    /// What in it was put there by name.
    pub spans: Vec<Span>,
}

impl Passage {
    /// What put the byte there; `None`: it was typed.
    pub fn origin(&self, byte: usize) -> Option<&str> {
        self.spans.iter().find(|span| span.at.contains(&byte)).map(|span| span.from.as_str())
    }
}
