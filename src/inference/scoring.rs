//! What made a score table: kept beside it, and with it in the bundle, so that an auditor knows whether
//! scores must come again to the last bit.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::model::machine::Machine;
use crate::storage;

/// Its place below the folder that a study writes to.
pub const FILE: &str = "work/scoring.json";

/// On which kind of machine a score table was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scoring {
    /// `None` where several kinds of machine had a part in it.
    pub machine: Option<Machine>,
    /// Digest of the table's bytes, when it is complete.
    pub scores_sha256: Option<Digest>,
}

impl Scoring {
    /// What lies there; `None` for nothing, or what is no such record.
    pub fn read(path: &Path) -> Option<Self> {
        Self::from_bytes(&storage::read(path).ok()?)
    }

    /// The same from bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The record's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The machine, if this is the record of a table with these bytes.
    pub fn machine_of(self, table: &[u8]) -> Option<Machine> {
        self.machine.filter(|_| self.scores_sha256 == Some(Digest::of(table)))
    }
}
