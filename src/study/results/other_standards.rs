//! What the primary endpoints' metrics become under another reference standard than the declared one.

use serde::{Deserialize, Serialize};

use crate::statistics::estimate::Estimate;

/// Sensitivity analyses of the reference standard. Exploratory: none of them decides an endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OtherStandards {
    /// Always true: no criterion is judged by any of them.
    pub exploratory: bool,
    /// In the order of [`OtherStandard`], and of the readers' ids within it.
    pub analyses: Vec<UnderOtherStandard>,
    /// Which analyses there are not, and why, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// What a case is judged by instead of the declared reference standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OtherStandard {
    /// The declared one, of cases alone whose reads were all given and all equal.
    UnanimousOnly,
    /// What one reader says.
    OneReader,
    /// The declared rule without one reader.
    WithoutReader,
    /// The declared rule, an indeterminate answer counting as positive.
    IndeterminatePositive,
    /// The declared rule, an indeterminate answer counting as negative.
    IndeterminateNegative,
    /// Cases on which votes differ are what is best for the device.
    SplitForDevice,
    /// Cases on which votes differ are what is worst for the device.
    SplitAgainstDevice,
}

impl OtherStandard {
    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnanimousOnly => "unanimous-only",
            Self::OneReader => "one-reader",
            Self::WithoutReader => "without-reader",
            Self::IndeterminatePositive => "indeterminate-positive",
            Self::IndeterminateNegative => "indeterminate-negative",
            Self::SplitForDevice => "split-for-device",
            Self::SplitAgainstDevice => "split-against-device",
        }
    }
}

/// The primary endpoints' metrics under one other reference standard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnderOtherStandard {
    /// Which one.
    pub standard: OtherStandard,
    /// The reader it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// Cases with an answer under it and a score.
    pub cases: u64,
    /// Sampled cases that it gives no answer for.
    pub without_answer: u64,
    /// Sampled cases that both standards have an answer for, and another one. Of split votes by the labels
    /// that the 2×2 table is made from; the AUC has labels of its own.
    pub changed: u64,
    /// One an endpoint, in the order of the protocol; `model` is the endpoint's id, and the one interval is
    /// that which would decide the endpoint on these cases.
    pub estimates: Vec<Estimate>,
}
