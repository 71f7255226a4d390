//! What every document of a set is made of.

use super::coverage::Answer;
use crate::report::submission::Source;

/// What every document of a set is made of.
#[derive(Debug)]
pub struct Shared {
    /// The facts of the bundle.
    pub source: Source,
    /// How the requirements stand; empty until every other document is rendered.
    pub answers: Vec<Answer>,
}
