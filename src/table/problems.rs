//! How many problems of one table are listed.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};

/// At most this many problems of one table are listed; the rest is counted.
pub const LISTED: usize = 50;

/// Keeps the first [`LISTED`] problems and says how many more there are.
pub fn limited(mut problems: Vec<Diagnostic>, path: &Path) -> Vec<Diagnostic> {
    if problems.len() > LISTED {
        let more = (problems.len() - LISTED) as u64;
        problems.truncate(LISTED);
        problems.push(not_listed(more, path));
    }
    problems
}

/// How many more problems a table has than are listed.
pub(super) fn not_listed(more: u64, path: &Path) -> Diagnostic {
    Diagnostic::error(Code::MoreProblems, format!("and {more} more problems in this file"))
        .at(Location::file(path))
}
