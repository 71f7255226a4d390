//! Comparisons and rules of multiplicity in the results.

use serde::{Deserialize, Serialize};

use super::verdict::{FallbackRecord, Verdict};
use crate::protocol::{Against, Role};
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::{Interval, IntervalMethod};
use crate::statistics::metric::Metric;
use crate::statistics::multiplicity::Multiplicity;

/// An endpoint that is compared with another device or with readers, with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparisonResult {
    /// The endpoint's id in the protocol.
    pub id: String,
    /// The metric of both.
    pub metric: Metric,
    /// Whether it decides.
    pub role: Role,
    /// With what the device is compared.
    pub against: Against,
    /// Its name, or the readers.
    pub comparator: String,
    /// What is to be shown.
    pub aim: Aim,
    /// The margin, without a sign.
    pub margin: f64,
    /// Why this margin, as declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// The prevalence it holds at, where it is another than the sample's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevalence: Option<f64>,
    /// Partial AUC: up to this false positive rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_fpr: Option<f64>,
    /// Analysed cases for which both are known.
    pub n: u64,
    /// Positives among them.
    pub positives: u64,
    /// Their patients.
    pub patients: u64,
    /// Analysed cases without an answer of what is compared with.
    pub without_comparator: u64,
    /// Of the cases that the metric counts: both right, the device alone, the other alone, neither; where the
    /// metric is a share of a class and one device is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<[u64; 4]>,
    /// The device's value.
    pub device: Option<f64>,
    /// The value of what it is compared with.
    pub other: Option<f64>,
    /// The device less the other.
    pub difference: Option<f64>,
    /// Why there is no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_evaluable: Option<String>,
    /// The method of the interval: as declared, or as fits the cases where none is.
    pub interval_method: IntervalMethod,
    /// The interval of the difference that decides.
    pub interval: Option<Interval>,
    /// Why it is not by [`Self::interval_method`], where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackRecord>,
    /// One-sided p value of H0.
    pub p_value: Option<f64>,
    /// The same under the rule of multiplicity, where that adjusts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_p: Option<f64>,
    /// The answer.
    pub verdict: Verdict,
}

/// What a rule of multiplicity says of all primary and key secondary endpoints together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FamilyResult {
    /// The rule.
    pub rule: Multiplicity,
    /// The one-sided error that all share.
    pub alpha: f64,
    /// The endpoints in the order of the protocol.
    pub members: Vec<FamilyMember>,
}

/// One endpoint under the rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FamilyMember {
    /// The endpoint's id.
    pub id: String,
    /// Its role.
    pub role: Role,
    /// Its share of α, where the rule takes shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// What it passes on, to whom, once it is met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes_on: Vec<(String, f64)>,
    /// One-sided p value; `None` where no interval can decide, which counts as 1.
    pub p_value: Option<f64>,
    /// The same under the rule.
    pub adjusted_p: f64,
    /// The answer.
    pub verdict: Verdict,
}
