//! What is described.

use std::collections::BTreeSet;

use super::age_band::AgeBand;
use crate::dataset::case::Case;

/// A set of cases with its name.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// Its name in the output.
    pub name: String,
    /// In table order.
    pub cases: Vec<&'a Case>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The findings that make an image positive, for words and for what occurs beside them; may be empty.
    pub positive: Vec<String>,
    /// Age bands.
    pub bands: Vec<AgeBand>,
    /// Columns that the tables have, as [`crate::dataset::case::Cases::fields`].
    pub fields: BTreeSet<&'static str>,
    /// Patients without any label count as patients without a positive image: so the numbers stand in bundles
    /// of `sequester-evidence/2`, which later versions compute again to the byte. Elsewhere they do not
    /// count: who was not looked at is not negative.
    pub unlabelled_count: bool,
    /// The sets overlap (a whole and its parts): the first is then not compared with the others.
    pub whole_first: bool,
}
