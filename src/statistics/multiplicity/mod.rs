//! What several criteria mean for each other: rules that keep the chance of any false claim at α, as adjusted
//! p values and as a graph that passes α on.

mod graph;
mod rules;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use graph::{Graph, GraphFault, Step};
pub use rules::{Rule, adjusted};

/// Whether an adjusted p value rejects at α: a p value that equals its bound but for rounding does.
pub fn is_rejected(adjusted: f64, alpha: f64) -> bool {
    adjusted <= alpha * (1.0 + 1e-12)
}

/// What several endpoints mean for each one's level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Multiplicity {
    /// All have to be met, so each keeps the level (intersection-union test, Berger 1982).
    #[default]
    CoPrimary,
    /// Each claim has to stand by itself: with k criteria, each is judged at level 1 − (1 − level)/k.
    Bonferroni,
    /// The same stepwise, from the smallest p value on (Holm 1979).
    Holm,
    /// Stepwise from the largest p value on (Hochberg 1988).
    Hochberg,
    /// In the declared order, each at the whole α, until the first that is not met (Maurer, Hothorn and
    /// Lehmacher 1995).
    FixedSequence,
    /// In the declared order, each with a share of α and what those before it leave (Wiens 2003).
    Fallback,
    /// Shares of α that are passed on along a graph (Bretz, Maurer, Brannath and Posch 2009).
    Graph,
}

impl Multiplicity {
    /// Every rule with its name in protocols and on the command line.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("co-primary", Self::CoPrimary),
        ("bonferroni", Self::Bonferroni),
        ("holm", Self::Holm),
        ("hochberg", Self::Hochberg),
        ("fixed-sequence", Self::FixedSequence),
        ("fallback", Self::Fallback),
        ("graph", Self::Graph),
    ];

    /// The name in protocols and on the command line.
    pub fn id(self) -> &'static str {
        Self::NAMES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }

    /// Whether each endpoint's answer depends on the p values of all.
    pub fn adjusts_p(self) -> bool {
        !matches!(self, Self::CoPrimary | Self::Bonferroni)
    }

    /// Whether it takes a share of α for each endpoint.
    pub fn takes_weights(self) -> bool {
        matches!(self, Self::Fallback | Self::Graph)
    }
}
