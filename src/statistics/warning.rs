//! What the reader of a result has to know.

use crate::diagnostic::Code;
use serde::{Deserialize, Serialize};

/// Something the reader of a document has to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code.
    pub code: Code,
    /// In words, with the values.
    pub message: String,
}
