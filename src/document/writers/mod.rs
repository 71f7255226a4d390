//! From the tree to files: one writer a format.

mod columns;
pub mod csv;
pub mod docx;
pub mod html;
#[cfg(feature = "pdf")]
pub mod pdf;
mod typst_markup;
