//! Precision of the device: scores and calls of several images of one patient.

use serde::{Deserialize, Serialize};

use super::intended_use::Limited;

/// What repeated images of patients show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repeatability {
    /// Two-sided level of all intervals and of the limits of agreement.
    pub level: f64,
    /// Called positive is a score at or above it.
    pub threshold: f64,
    /// Patients with two scored images at least.
    pub patients: u64,
    /// Their scored images.
    pub images: u64,
    /// Patients with one scored image; they count for the variance between patients alone.
    pub single: u64,
    /// Images that the device refused.
    pub refused: u64,
    /// Standard deviation of the scores of one patient.
    pub within_sd: Limited,
    /// Two scores of a patient differ by less with a probability of the level, where differences are normal.
    pub coefficient: Limited,
    /// Standard deviation between patients.
    pub between_sd: f64,
    /// Share of the variance that is between patients.
    pub intraclass: Option<Limited>,
    /// The second image of each patient less the first, in the order of the table.
    pub differences: PairDifferences,
    /// Calls of all images of a patient.
    pub agreement: CallAgreement,
    /// By each declared condition, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<UnderCondition>,
    /// Mean and difference of the first two images, for the figure: of the first patients by id.
    pub points: Vec<(f64, f64)>,
}

/// Differences, one a patient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PairDifferences {
    /// How many.
    pub patients: u64,
    /// Their mean.
    pub mean: Limited,
    /// Their standard deviation; none of one patient.
    pub sd: Option<f64>,
    /// Lower limit of agreement.
    pub lower: Option<Limited>,
    /// Upper limit of agreement.
    pub upper: Option<Limited>,
}

/// How often calls of two images of a patient are the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallAgreement {
    /// Of either call.
    pub overall: CallShare,
    /// Of positive calls; none where there is none.
    pub positive: Option<CallShare>,
    /// Of negative calls.
    pub negative: Option<CallShare>,
}

/// A share of agreement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CallShare {
    /// The share, with its limits.
    pub share: Limited,
    /// Images that it counts.
    pub images: u64,
    /// Their patients.
    pub patients: u64,
}

/// The same by a condition that should make no difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnderCondition {
    /// The column.
    pub column: String,
    /// Its levels, by name.
    pub levels: Vec<AtLevel>,
    /// Standard deviation of images of one patient under one level.
    pub same_sd: Option<Limited>,
    /// Of images of one patient under different levels; none where no patient has such.
    pub different_sd: Option<Limited>,
    /// What the condition adds.
    pub condition_sd: Option<f64>,
    /// Calls under one level.
    pub same: Option<CallAgreement>,
    /// Calls under different levels.
    pub different: Option<CallAgreement>,
}

/// One level of a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AtLevel {
    /// Its name.
    pub level: String,
    /// Patients with a scored image under it.
    pub patients: u64,
    /// Scored images.
    pub images: u64,
    /// Standard deviation of images of one patient.
    pub within_sd: Option<Limited>,
    /// Mean scores of patients less those under the first level, of patients who have both; none for the
    /// first.
    pub difference: Option<PairDifferences>,
}
