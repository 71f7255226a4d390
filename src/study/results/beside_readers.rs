//! Readers who have no part in the reference standard, and the device, judged by it on the same cases.

use serde::{Deserialize, Serialize};

use crate::protocol::ReaderRole;
use crate::statistics::estimate::Estimate;

/// Readers beside the device. No reader study: these readers stand for themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BesideReaders {
    /// One entry a reader, by id.
    pub readers: Vec<BesideReader>,
    /// The mean over the readers who have both shares; absent with fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<MeanOfReaders>,
}

/// A reader and the device by the reference standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BesideReader {
    /// The reader.
    pub reader: String,
    /// As declared; absent where no readers are declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ReaderRole>,
    /// Cases with a reference standard on which the reader said neither yes nor no.
    pub undecided: u64,
    /// Of the positive cases.
    pub sensitivity: ShareBeside,
    /// Of the negative cases.
    pub specificity: ShareBeside,
}

/// A share of right calls of a reader and of the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ShareBeside {
    /// The reader, on all cases that the reader decided.
    pub reader: Estimate,
    /// The device, on those of these cases that it scored.
    pub device: Estimate,
    /// The device less the reader on those cases, with the p value of [`Self::test`].
    pub difference: Estimate,
    /// Cases on which both, the device alone, the reader alone, and neither are right.
    pub right: [u64; 4],
    /// Where the p value comes from.
    pub test: PairedTest,
}

/// A test of two shares of the same cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PairedTest {
    /// McNemar's test, exact.
    McnemarExact,
    /// Obuchowski 1998: patients with several cases.
    Obuchowski,
}

/// The readers' mean: each reader counts once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MeanOfReaders {
    /// How many readers.
    pub readers: u64,
    /// Mean of their sensitivities.
    pub sensitivity: f64,
    /// Mean of their specificities.
    pub specificity: f64,
}
