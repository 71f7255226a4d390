//! What a comparison aims at, and its one-sided tests against a margin.

use serde::{Deserialize, Serialize};

use crate::special::normal_cdf;

/// What a comparison aims at. The one-sided error of each test is α = (1 − level)/2, so that the two-sided
/// interval at the level decides the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// The difference is above the margin, which may be 0: H0 says Δ ≤ margin.
    Superiority,
    /// The difference is above minus the margin: H0 says Δ ≤ −margin.
    NonInferiority,
    /// The difference lies between minus the margin and the margin (two one-sided tests, Schuirmann 1987): H0
    /// says |Δ| ≥ margin.
    Equivalence,
}

impl Aim {
    /// Every aim with its name in files and on the command line.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("superiority", Self::Superiority),
        ("non-inferiority", Self::NonInferiority),
        ("equivalence", Self::Equivalence),
    ];

    /// The name in files and on the command line.
    pub fn id(self) -> &'static str {
        Self::NAMES.iter().find(|(_, aim)| *aim == self).map_or("", |(name, _)| name)
    }

    /// Whether limits of the difference lie where H0 does not.
    pub fn holds(self, margin: f64, (lower, upper): (f64, f64)) -> bool {
        match self {
            Self::Superiority => lower > margin,
            Self::NonInferiority => lower > -margin,
            Self::Equivalence => lower > -margin && upper < margin,
        }
    }

    /// One-sided p value from the statistic z(Δ) of the hypothesis that the difference is Δ, positive where
    /// the observed one is greater.
    pub fn p(self, margin: f64, z: impl Fn(f64) -> Option<f64>) -> Option<f64> {
        let above = |delta: f64| z(delta).map(|z| normal_cdf(-z));
        let below = |delta: f64| z(delta).map(normal_cdf);
        match self {
            Self::Superiority => above(margin),
            Self::NonInferiority => above(-margin),
            Self::Equivalence => Some(above(-margin)?.max(below(margin)?)),
        }
    }

    /// H0 and H1 in symbols, such as `Δ ≤ −0.05` and `Δ > −0.05`.
    pub fn hypotheses(self, margin: f64) -> [String; 2] {
        match self {
            Self::Superiority => [format!("Δ ≤ {margin}"), format!("Δ > {margin}")],
            Self::NonInferiority => [format!("Δ ≤ −{margin}"), format!("Δ > −{margin}")],
            Self::Equivalence => [format!("|Δ| ≥ {margin}"), format!("|Δ| < {margin}")],
        }
    }
}

/// A statistic that is standard normal under its hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NormalTest {
    /// The statistic.
    pub z: f64,
    /// Its p value.
    pub p: f64,
}

/// The tests of a difference against a margin by one statistic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginTests {
    /// Against Δ ≤ −margin (non-inferiority of the first).
    pub lower: NormalTest,
    /// Against Δ ≥ margin (non-inferiority of the second).
    pub upper: NormalTest,
    /// The larger of both p values (equivalence).
    pub equivalence_p: f64,
}

impl MarginTests {
    /// By a statistic z(Δ) as in [`Aim::p`]; none where it does not exist at both margins.
    pub fn of(margin: f64, z: impl Fn(f64) -> Option<f64>) -> Option<Self> {
        let (at_lower, at_upper) = (z(-margin)?, z(margin)?);
        let lower = NormalTest { z: at_lower, p: normal_cdf(-at_lower) };
        let upper = NormalTest { z: at_upper, p: normal_cdf(at_upper) };
        Some(Self { lower, upper, equivalence_p: lower.p.max(upper.p) })
    }
}
