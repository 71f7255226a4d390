//! The reader-study report: readers as a population, with and without the device, and the device alone beside
//! them. Of a study it is rendered from the evidence bundle, without one from what `reads mrmc` computed;
//! nothing is computed here.

mod content;
mod figures;
mod tables;

pub use content::{Alone, MAIN_TEMPLATE, render, render_alone};
