//! The answer to a criterion, and why another interval than the declared one gave it.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Code;
use crate::protocol::Fallback;
use crate::statistics::estimate::Interval;

/// The answer to an acceptance criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The confidence bound satisfies the criterion.
    Met,
    /// It does not.
    NotMet,
    /// There is no bound to compare.
    NotEvaluable,
}

/// Why another interval than the declared one decides an endpoint, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FallbackRecord {
    /// The rule that the protocol declares.
    pub rule: Fallback,
    /// `clustering-ignored`, `interval-not-evaluable`, `interval-collapsed`, `at-boundary`,
    /// `rests-on-one-case`.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[a-z0-9-]+$")))]
    pub reason: Code,
    /// The reason in words.
    pub message: String,
    /// The declared interval, where it exists.
    pub declared: Option<Interval>,
}
