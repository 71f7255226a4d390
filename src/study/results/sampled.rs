//! How the sample was drawn, what its cases stand for, and the sites on both sides, where the protocol
//! declares more than a plain draw.

use serde::{Deserialize, Serialize};

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How the sample was drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sampling {
    /// `random`, `stratified`, `enriched` or `consecutive`.
    pub method: String,
    /// What it goes by: columns of the strata, or the column of days.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Each stratum; one without a name where there are none.
    pub strata: Vec<SampledStratum>,
    /// Eligible cases that could not be drawn, because another image of their patient could.
    pub other_images: u64,
    /// Cases that could be drawn and are in no stratum, because the data came without a label for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_stratum: u64,
    /// Cases that were asked for and are not there.
    pub lacking: u64,
    /// What follows for the eligible cases, where each drawn one has a weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighted: Option<Weighted>,
}

/// One stratum: `pool` and `drawn` give the weight, `pool / drawn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampledStratum {
    /// Its levels.
    pub name: String,
    /// Cases that could be drawn.
    pub pool: u64,
    /// Cases that were asked for; `None`: every one.
    pub wanted: Option<u64>,
    /// Cases that were drawn.
    pub drawn: u64,
    /// Cases in the primary analysis.
    pub analysed: u64,
    /// How many of the pool each drawn case stands for; `None` where cases have no weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
}

/// Measures with each analysed case counted by its weight: those of the cases that could be drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Weighted {
    /// Sum of the weights of the analysed cases.
    pub cases: f64,
    /// Kish's (1965) effective number of cases: (Σw)² / Σw².
    pub effective: f64,
    /// Two-sided level of the limits.
    pub level: f64,
    /// `prevalence`, then each measure.
    pub estimates: Vec<WeightedEstimate>,
}

/// One weighted measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WeightedEstimate {
    /// `prevalence`, or the name of a metric.
    pub id: String,
    /// The value; `None` where nothing is counted.
    pub value: Option<f64>,
    /// Standard error by Taylor's linearisation; `None` where there is no spread.
    pub standard_error: Option<f64>,
    /// Limits on the logit scale.
    pub limits: Option<(f64, f64)>,
}

/// What the evidence says of the sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SiteAnswer {
    /// No site is on both sides, and tables show it.
    Yes,
    /// A site is on both sides.
    No,
    /// It may be so; no table shows it.
    NotShown,
}

/// The sites of the study beside those of development.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteSeparation {
    /// Whether the protocol states that they are separate.
    pub stated: bool,
    /// Whether they are.
    pub answer: SiteAnswer,
    /// Sites of the cases considered, sorted.
    pub study: Vec<String>,
    /// Sites of development, by tables and as stated, sorted.
    pub development: Vec<String>,
    /// Sites of the study that are sites of development.
    pub shared: Vec<String>,
    /// Cases of either side whose site nobody recorded.
    pub unknown: u64,
    /// Tables that show the sites of development; empty: they are stated alone.
    pub shown_by: Vec<String>,
}

impl SiteSeparation {
    /// Why there is no better answer, or what was compared.
    pub fn why(&self) -> String {
        let sites = |n: usize| if n == 1 { "1 site".to_owned() } else { format!("{n} sites") };
        if !self.shared.is_empty() {
            let of = sites(self.study.len());
            return format!(
                "{} of {of} of the study are sites of development: {}",
                self.shared.len(),
                self.shared.join(", ")
            );
        }
        if self.study.is_empty() {
            return "no case of the study has a site".to_owned();
        }
        if self.development.is_empty() {
            return "nothing says which sites the development data come from".to_owned();
        }
        if self.shown_by.is_empty() {
            return format!(
                "the protocol states that development data come from {}, and no table shows it",
                self.development.join(", ")
            );
        }
        if self.unknown > 0 {
            return format!("{} cases of the study or of development have no recorded site", self.unknown);
        }
        format!(
            "{} of the study beside {} of development ({})",
            sites(self.study.len()),
            sites(self.development.len()),
            self.shown_by.join(", ")
        )
    }
}
