//! Tables of foreign origin: bytes in, rows with line numbers out, every error located. Every table that a
//! command reads comes through here.
//!
//! What a spreadsheet makes of a CSV is read where it can be read in one way only, and said: semicolons or
//! tabs instead of commas, Excel's `sep=` line, UTF-16, gzip, rows without a cell, `1.0` for 1; and so is a
//! workbook (XLSX). Where two readings are possible the table is refused.

pub mod cell;
mod dialect;
pub mod id;
pub mod labelled;
pub mod pattern;
mod problems;
mod rows;
mod source;
mod text;
mod typed;
mod whole;
mod word;
mod workbook;
pub mod xml;

pub use self::problems::{LISTED, limited};
pub use self::rows::{Columns, Rows};
pub use self::source::Source;
pub use self::text::{Text, text};
pub use self::typed::typed;
pub use self::whole::{Row, Table};
pub use self::word::{Texts, Word, Words};
pub use self::workbook::{CellKind, Sheet};

#[cfg(test)]
mod tests;
