//! What a kind of document gives the engine, and what the engine gives it in return: the arguments of a
//! template's call, and the ways to answer one.

use serde_json::Value as Json;
use tera::Kwargs;

use super::origins::Origin;
use super::tree::{Facts, Figure, Piece, Table};
use crate::diagnostic::{Code, Diagnostic};

/// A kind of document: everything that its templates may ask for. The same content gives the same bytes.
pub trait Content: Send + Sync + 'static {
    /// What the document says beside its text.
    fn facts(&self) -> Facts;

    /// What the document says first and last, whatever its templates say.
    fn notice(&self) -> Option<Notice> {
        None
    }

    /// Whether what templates name is to be marked: a document is traced and not written then.
    fn traced(&self) -> bool {
        false
    }

    /// What templates see under a name.
    fn context(&self) -> Json;

    /// Where the numbers of a key come from; `None`: that is not known, or is not to be said.
    fn origin(&self, _: &str) -> Option<Origin> {
        None
    }
    /// What holds of all of them, below the table: what the inputs are, and what computes them again.
    fn origin_notes(&self) -> Vec<String> {
        Vec::new()
    }
    /// The ids of all tables, for the error that names them.
    fn table_ids(&self) -> &[&str];

    /// A table by its id; `path` selects a part of it where it has parts. `None`: there is no such id. A
    /// table without rows is left out of the document.
    fn table(&self, id: &str, path: &str) -> Option<Table>;

    /// The ids of all figures, for the error that names them.
    fn figure_ids(&self) -> &[&str];

    /// A figure by its id. `None`: there is no such id. A figure without images is left out of the document.
    fn figure(&self, id: &str) -> Option<Figure>;

    /// The template functions that this kind has beside `table` and `figure`.
    fn functions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Answers one of [`Content::functions`].
    ///
    /// # Errors
    /// When an argument is missing, or names what does not exist.
    fn answer(&self, function: &str, _: &Arguments<'_>) -> Result<Answer, Refusal> {
        Err(Diagnostic::error(Code::Template, format!("there is no function `{function}`")).into())
    }
}

/// Markdown that no template can take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Stands before everything.
    pub first: String,
    /// Stands behind everything; may be empty.
    pub last: String,
}

/// What a template function gives.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Markdown, in which whatever came from a study is escaped already.
    Markdown(String),
    /// The same, of a number whose origin is known by a key ([`Content::origin`]).
    Number {
        /// As it is printed.
        markdown: String,
        /// The key.
        key: String,
    },
    /// Yes or no, for `{% if %}`.
    Flag(bool),
    /// Something with a place of its own.
    Piece(Piece),
}

/// Why a template function gives nothing.
#[derive(Debug)]
pub enum Refusal {
    /// An argument is missing or of another kind.
    Argument(tera::Error),
    /// What it names does not exist.
    Said(Box<Diagnostic>),
}

impl From<Diagnostic> for Refusal {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Said(Box::new(diagnostic))
    }
}

impl From<tera::Error> for Refusal {
    fn from(error: tera::Error) -> Self {
        Self::Argument(error)
    }
}

/// The named arguments of a template's call.
#[derive(Debug)]
pub struct Arguments<'a>(pub(super) &'a Kwargs);

impl Arguments<'_> {
    /// The call in words: what is asked for, and which of it.
    pub(super) fn named(&self, function: &str) -> String {
        let one = |key| self.0.get::<String>(key).ok().flatten();
        let mut words: Vec<String> = vec![function.to_owned()];
        words.extend(["id", "path", "of", "show"].into_iter().filter_map(one));
        let further = ["subgroup", "scenario", "prevalence", "model"];
        words.extend(further.into_iter().filter_map(|key| Some(format!("{key} {}", one(key)?))));
        words.join(" ")
    }

    /// A text that has to be given.
    ///
    /// # Errors
    /// When it is missing or no text.
    pub fn required(&self, name: &str) -> Result<String, Refusal> {
        Ok(self.0.must_get::<String>(name)?)
    }

    /// A text that may be given.
    ///
    /// # Errors
    /// When it is no text.
    pub fn optional(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.0.get::<String>(name)?)
    }

    /// Whether a flag is given and true.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.0.get::<bool>(name)?.unwrap_or(false))
    }
}
