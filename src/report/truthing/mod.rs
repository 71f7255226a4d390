//! The truthing report of a study: how its reference standard came about, from who read to the answer of each
//! case. Rendered from the evidence bundle beside the submission; nothing is computed here.

mod content;
mod tables;

#[cfg(test)]
mod tests;

pub use content::render;
