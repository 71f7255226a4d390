//! What is said of the levels of a subgroup beyond their estimates: differences to a reference level, and
//! claims.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::statistics::estimate::Interval;
use crate::statistics::metric::Metric;

/// A level's estimate less that of the reference level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LevelDifference {
    /// The subgroup's variable.
    pub variable: String,
    /// The level.
    pub level: String,
    /// The level that it is compared with.
    pub reference: String,
    /// Of what.
    pub metric: Metric,
    /// Level less reference, −1..1.
    pub value: f64,
    /// Lower limit by the square-and-add method (Zou and Donner 2008) from the first intervals of both.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Two-sided confidence level.
    pub confidence: f64,
    /// Patients who are in both levels; the method takes the levels as independent.
    pub shared_patients: u64,
}

/// What was claimed of a level, and whether it is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LevelClaim {
    /// The subgroup's variable.
    pub variable: String,
    /// The level.
    pub level: String,
    /// Id of the endpoint whose metric and interval are taken.
    pub endpoint: String,
    /// The criterion as typed.
    pub criterion: String,
    /// Analysed cases of the level.
    pub cases: u64,
    /// The estimate.
    pub value: Option<f64>,
    /// The interval that decides; `None`: none is sound.
    pub interval: Option<Interval>,
    /// Met, not met or not evaluable.
    pub verdict: Verdict,
}
