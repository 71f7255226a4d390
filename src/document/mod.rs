//! The engine of all documents, which knows no study: templates (Tera and Markdown) become one Markdown text,
//! one tree, and from it HTML, typst markup and PDF, and DOCX. A kind of document is a [`content::Content`]:
//! what it says beside its text, what its templates see, and its tables and figures by id. Nothing is
//! computed here, numbers are only formatted.

pub mod budget;
pub mod canvas;
pub mod content;
mod emf;
pub mod font;
pub mod format;
pub mod lint;
mod markdown;
pub mod origins;
mod package;
pub mod page;
#[cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the PDF needs the places"))]
mod places;
pub mod plot;
pub mod reading;
pub mod render;
pub mod template;
pub mod text;
pub mod trace;
pub mod tree;
pub mod writers;
