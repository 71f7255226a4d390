//! The kinds of documents: a study's submission and its truthing report, a comparison of models, a
//! description of a data set. Each is a `Content` for the engine in `document`: it says what its templates
//! see, and has its tables and figures.

mod at_once;
mod banner;
mod citations;
pub mod comparison;
pub mod description;
mod documents;
pub mod explore;
mod graph;
pub mod monitoring;
mod origins;
pub mod plan;
pub mod qualification;
pub mod reader_study;
pub mod set;
pub mod signatures;
pub mod submission;
pub mod trace;
mod truthing;
pub mod wording;

pub use at_once::at_once;
pub use documents::{Documents, render};
pub use submission::{
    DEVICE_EXAMPLE, Formats, Offered, change_templates, default_templates, fonts_of, from_bundle, offered,
    own_templates,
};
