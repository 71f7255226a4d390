//! The statistical analysis plan: what will be asked of the data and with what chance it can be answered,
//! before there are data. Made of the protocol and [`crate::study::planning`]; nothing is computed here.

mod compared;
mod content;
mod figures;
mod tables;
mod words;

#[cfg(test)]
mod tests;

pub use content::{Source, render, render_with};
