//! Ages that no human has.

use std::path::Path;

use super::case::Case;
use super::nih::OLDEST;
use crate::diagnostic::{Code, Diagnostic, Location, few};

/// Ages that no human has, of one table by their lines, of several by the ids of the cases. NIH's are taken
/// as not recorded where they are read; elsewhere they stay, since a study that is verified again reads its
/// table as it was read.
pub fn too_old(table: Option<&Path>, cases: &[Case]) -> Option<Diagnostic> {
    let beyond: Vec<&Case> =
        cases.iter().filter(|case| case.age_years.is_some_and(|age| age > OLDEST)).collect();
    let first = beyond.first()?;
    let which = match table {
        Some(_) => {
            let lines: Vec<u64> = beyond.iter().map(|case| case.line).collect();
            format!("lines {}", few::and_so_on(&lines, 5))
        }
        None => {
            let ids: Vec<&str> = beyond.iter().map(|case| case.case_id.as_str()).collect();
            format!("cases {}", few::and_more(&ids, 5))
        }
    };
    let message =
        format!("{} ages are above {OLDEST} years; they are kept as they stand: {which}", beyond.len());
    let mut problem = Diagnostic::warning(Code::AgeImplausible, message);
    if let Some(path) = table {
        problem = problem.at(Location::line(path, first.line));
    }
    Some(problem.hint("correct them, or leave the cell empty where the age is not known"))
}
