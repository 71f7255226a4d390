//! What several primary criteria mean for the level of each.

use serde::{Deserialize, Serialize};

/// What several primary endpoints mean for each one's level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Multiplicity {
    /// All have to be met, so each keeps the level (intersection-union test, Berger 1982).
    #[default]
    CoPrimary,
    /// Each claim has to stand by itself: with k criteria, each is judged at level 1 − (1 − level)/k.
    Bonferroni,
}
