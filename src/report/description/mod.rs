//! A description of sets of cases, as a page, as Markdown, as CSV tables and as figures; the same words for a
//! terminal and for the tables of a submission.

mod content;
mod figures;
mod findings;
mod groups;
mod images;
mod overview;
mod pieces;
mod side_by_side;
mod words;

#[cfg(test)]
mod tests;

pub use content::render;
pub use overview::overview_cells;
pub use side_by_side::for_submission;
pub use words::{fact_numbers, sentence, share};
