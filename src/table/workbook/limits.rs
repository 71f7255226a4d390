//! How much a workbook may hold before memory is taken for it, and how one is refused that cannot be read.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};

/// Bytes that one part may inflate to, and all of them together.
pub(super) const LARGEST_PART: u64 = 1 << 28;
pub(super) const LARGEST: u64 = 1 << 29;
/// Rows and columns that a sheet can have (ECMA-376, 18.3.1.73 and 18.3.1.13).
pub(super) const ROWS: u32 = 1 << 20;
pub(super) const COLUMNS: u32 = 1 << 14;
/// Cells that a table may have, empty ones counted.
pub(super) const CELLS: usize = 20_000_000;

/// The workbook cannot be read.
pub(super) fn unreadable(path: &Path, what: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(Code::WorkbookUnreadable, format!("the workbook cannot be read: {what}"))
        .at(Location::file(path))
        .hint("open it in a program for tables and save it again as XLSX or CSV; a truncated file ends early")
}
