//! What the reader of a result has to know.

use std::fmt;

use serde::{Deserialize, Serialize};

use sequester_diagnostic::{Code, Diagnostic};

/// Something the reader of a document has to know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Warning {
    /// Stable code.
    #[cfg_attr(feature = "schemas", schemars(with = "String", regex(pattern = "^[a-z0-9-]+$")))]
    pub code: Code,
    /// In words, with the values.
    pub message: String,
}

impl Warning {
    /// A warning.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What was found while reading, for a result that has no places in files.
    pub fn of(found: &Diagnostic) -> Self {
        Self::new(found.code, found.message.clone())
    }
}

/// `code: message`, as it is printed below an estimate and written in one.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// For `#[serde(with = "texts")]`: warnings of an estimate or a band are written as texts `code: message`,
/// those of a whole result as objects.
pub mod texts {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Warning;
    use sequester_diagnostic::Code;

    /// Writes a list of texts.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(warnings: &[Warning], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(warnings.iter().map(Warning::to_string))
    }

    /// Reads a list of texts.
    ///
    /// # Errors
    /// For a text that does not begin with a known code and a colon.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Warning>, D::Error> {
        let read = |text: String| {
            let (code, message) = text.split_once(": ").unwrap_or((&text, ""));
            match Code::from_text(code) {
                Some(code) => Ok(Warning::new(code, message)),
                None => Err(D::Error::custom(format!("`{code}` is no code of a warning"))),
            }
        };
        Vec::<String>::deserialize(deserializer)?.into_iter().map(read).collect()
    }
}
