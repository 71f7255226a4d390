//! What a triage device takes, and what its priority saves on the declared worklist.

use serde::{Deserialize, Serialize};

use super::Limited;

/// Of a device for triage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TriageResult {
    /// Level of the limits.
    pub level: f64,
    /// How long the device takes; absent without a column of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing: Option<ProcessingTime>,
    /// Waiting on the declared worklist; absent without positive or without negative cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
}

/// Seconds from the image to the device's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProcessingTime {
    /// Column of the score table.
    pub column: String,
    /// Drawn cases with a score and a time.
    pub cases: u64,
    /// Mean; limits by Student's t.
    pub mean: Limited,
    /// Standard deviation; absent of one case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
    /// Quantiles in ascending order; limits by order statistics.
    pub quantiles: Vec<QuantileOfTime>,
    /// The longest.
    pub longest: f64,
}

/// A quantile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct QuantileOfTime {
    /// Share of cases that take no longer.
    pub share: f64,
    /// Its value, with limits where there are enough cases.
    pub time: Limited,
}

/// Mean minutes until reading begins, by the declared queue with the device's sensitivity and specificity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Waiting {
    /// Sensitivity in the primary analysis, with limits at the level of both together.
    pub sensitivity: Limited,
    /// Specificity in the primary analysis, likewise.
    pub specificity: Limited,
    /// Level of each of these limits: both hold at once with the level of the whole (Bonferroni).
    pub level_of_each: f64,
    /// Share of time in which somebody reads.
    pub occupancy: f64,
    /// Share of examinations that are flagged.
    pub flagged_share: f64,
    /// Mean minutes that the device takes, which every examination waits before it is on the list; 0 where
    /// they are not recorded.
    pub processing_minutes: f64,
    /// Any examination, without the device.
    pub without_device: f64,
    /// A flagged one, from its arrival.
    pub flagged: Limited,
    /// One that is not flagged.
    pub unflagged: Limited,
    /// One with the finding, with the device: time to notification or to reading.
    pub positive: Limited,
    /// One without the finding, with the device.
    pub negative: Limited,
    /// What an examination with the finding waits less with the device; below 0 where it waits longer.
    pub saved: Limited,
}
