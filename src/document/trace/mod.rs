//! What a document says, passage by passage, with how each word got into it: typed in a template, put there
//! by name, or by a program's table or figure. What is concluded from it is for the kinds of documents.
//!
//! A traced document is put together a second time, with marks around every value that a template names;
//! nothing of it is written, so that documents are the same bytes whether they are traced or not.

pub mod marks;
pub mod numerals;
mod passage;
mod passages;
pub(in crate::document) mod walk;

pub use self::passage::{Passage, Role, Span};
pub use self::passages::passages;
