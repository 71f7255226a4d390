//! Why a key or a code is there, with the source.

use std::collections::BTreeMap;

use serde::Deserialize;

const REASONS: &str = include_str!("reasons.toml");

/// Reasons by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    /// Of keys, such as `endpoint.interval`.
    pub key: BTreeMap<String, String>,
    /// Of codes.
    pub code: BTreeMap<String, String>,
}

impl Reasons {
    /// Those that come with the program; a test reads them.
    pub fn all() -> Self {
        toml::from_str(REASONS).unwrap_or_default()
    }
}
