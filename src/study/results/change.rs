//! A new version under a predetermined change control plan, in the results.

use serde::{Deserialize, Serialize};

use super::comparisons::ComparisonResult;
use super::verdict::Verdict;
use crate::digest::Digest;
use crate::model::differences::Differing;
use crate::protocol::change::{ChangeKind, JudgedBy};
use crate::statistics::estimate::SubgroupLevel;

/// What a plan says of this version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeResult {
    /// The plan's id.
    pub plan: String,
    /// Digest of the plan's exact bytes.
    pub plan_sha256: Digest,
    /// Digest of this version's lock.
    pub lock_sha256: Digest,
    /// Kinds of change that the two locks show, in a fixed order.
    pub found: Vec<FoundChange>,
    /// What else the locks do not say alike: program, machine, names. No change of the device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub circumstances: Vec<Differing>,
    /// Comparisons with the predecessor: each endpoint overall, then in each level.
    pub acceptance: Vec<Acceptance>,
    /// Whether every primary endpoint of the protocol is met, as it has to be by any version.
    pub goals: Verdict,
    /// Openings of the test set that the plan allows.
    pub openings: u64,
    /// Openings of the same test set by the versions before, as their ledgers count them.
    pub openings_before: u64,
    /// The versions before, the oldest first; the last one is the predecessor.
    pub history: Vec<DeviceVersion>,
    /// Met where nothing that the plan forbids was changed, every judged comparison is met, and the
    /// goals are.
    pub verdict: Verdict,
}

impl ChangeResult {
    /// Kinds that were changed and that the plan does not allow.
    pub fn forbidden(&self) -> Vec<ChangeKind> {
        self.found.iter().filter(|found| !found.allowed).map(|found| found.kind).collect()
    }
}

/// A kind of change that two locks show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FoundChange {
    /// Which.
    pub kind: ChangeKind,
    /// Whether the plan allows it.
    pub allowed: bool,
    /// What is another: predecessor first.
    pub differences: Vec<Differing>,
}

/// A comparison of this version with its predecessor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Acceptance {
    /// In which level of which subgroup; `None`: overall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subgroup: Option<SubgroupLevel>,
    /// Whether it decides: levels with too few cases, as the plan declares, do not.
    pub judged: bool,
    /// By what.
    pub judged_by: JudgedBy,
    /// The comparison; its verdict is by `judged_by`.
    pub result: ComparisonResult,
}

/// A version of the device that was studied before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeviceVersion {
    /// Root digest of its bundle.
    pub root: Digest,
    /// Digest of its lock.
    pub lock_sha256: Digest,
    /// Digest of its weights.
    pub weights_sha256: Digest,
    /// Its operating point.
    pub threshold: f64,
    /// Whether it met every primary endpoint.
    pub goals: Verdict,
    /// Under which plan it came, and whether that accepted it; `None` of a version without predecessor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<AcceptedUnder>,
}

/// What a version's own plan said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AcceptedUnder {
    /// The plan's id.
    pub plan: String,
    /// Its digest.
    pub plan_sha256: Digest,
    /// The answer.
    pub verdict: Verdict,
}
