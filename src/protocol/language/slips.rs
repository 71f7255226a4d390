//! What goes wrong in protocols, by example: lines as they should be, lines that somebody wrote, and the
//! code that says so. `explain CODE` shows them, and the tests run every one.

use serde::Deserialize;

use crate::diagnostic::Code;

/// A protocol in which `check --protocol-only` finds nothing.
pub const EXAMPLE: &str = include_str!("example.toml");
const SLIPS: &str = include_str!("slips.toml");

/// Lines as they should be, and as they should not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// What says so.
    pub code: Code,
    /// Lines that stand once in [`EXAMPLE`], or in the `device.toml` beside it.
    pub good: String,
    /// What somebody wrote instead.
    pub bad: String,
}

impl Slip {
    /// [`EXAMPLE`] with the slip in it.
    pub fn protocol(&self) -> String {
        EXAMPLE.replacen(&self.good, &self.bad, 1)
    }
}

/// All slips.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slips {
    /// Of protocols.
    #[serde(rename = "slip")]
    pub protocol: Vec<Slip>,
    /// Of `device.toml`.
    pub device: Vec<Slip>,
}

impl Slips {
    /// Those that come with the program; a test reads them.
    pub fn all() -> Self {
        toml::from_str(SLIPS).unwrap_or_default()
    }
}
