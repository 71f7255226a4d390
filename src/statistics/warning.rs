//! What the reader of a result has to know.

use serde::{Deserialize, Serialize};

/// Something the reader of a document has to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code.
    pub code: String,
    /// In words, with the values.
    pub message: String,
}
