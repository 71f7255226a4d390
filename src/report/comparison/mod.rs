//! The document of a comparison of models, and the same tables and sentences for a terminal.

mod content;
mod differences;
mod figures;
mod plain;
mod sentences;
mod tables;

pub use content::{Source, TEMPLATE, default_templates, render, to_json};
pub use figures::training_svg;
pub use plain::{PlainTable, plain_tables};
pub use sentences::{conclusion, method, statement};
