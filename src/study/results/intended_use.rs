//! Calibration and net benefit at the prevalence of intended use, where the protocol declares them.

use serde::{Deserialize, Serialize};

/// What the scores are worth where the device is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InIntendedUse {
    /// The declared prevalence.
    pub prevalence: f64,
    /// Two-sided level of the intervals.
    pub level: f64,
    /// Calibration there, where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationInUse>,
    /// Net benefit at each declared threshold, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub net_benefit: Vec<NetBenefit>,
}

/// A value with its limits, where there are some.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limited {
    /// The value.
    pub value: f64,
    /// Lower and upper limit.
    pub limits: Option<(f64, f64)>,
}

/// Calibration of the scores as probabilities at the prevalence of intended use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CalibrationInUse {
    /// Mean score that is to be expected there.
    pub mean_score: f64,
    /// Prevalence over mean score; 1 is ideal.
    pub observed_to_expected: Option<Limited>,
    /// Intercept of the logistic recalibration; 0 is ideal.
    pub intercept: Option<Limited>,
    /// Its slope; 1 is ideal.
    pub slope: Option<Limited>,
}

/// Net benefit at one threshold, in true positives a patient; treating nobody has 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NetBenefit {
    /// Acted on is a score at or above it.
    pub threshold: f64,
    /// Of the device.
    pub device: Limited,
    /// Of treating everybody.
    pub treat_all: f64,
}
