//! The report on a device in use: what the batches so far show beside the validation. Made of
//! [`crate::monitoring`]; nothing is computed here.

mod content;
mod figures;
mod source;
mod tables;

pub use content::{TEMPLATE, default_template, render};
pub use source::{MonitoringSource, NO_CLAIM, Told};
