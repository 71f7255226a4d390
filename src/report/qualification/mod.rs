//! A qualification as a kind of document, and the specimen whose rendering is a part of it. Nothing is
//! computed here: every number comes from [`crate::qualification`].

mod content;
mod specimen;
mod tables;

pub use content::{draft, render};
pub use specimen::specimen;
