//! What the commands of `sequester design` have in common: several images of one patient, and how sizes are
//! said.

use clap::Args;
use serde_json::{Value, json};

use super::domain::usage;
use crate::diagnostic::Result;
use crate::statistics::design;

/// Several images of one patient.
#[derive(Debug, Args)]
pub(super) struct Clusters {
    /// Mean number of images a patient.
    #[arg(long, value_name = "MEAN", default_value_t = 1.0)]
    images_per_patient: f64,
    /// Coefficient of variation of that number.
    #[arg(long, value_name = "CV", default_value_t = 0.0)]
    cv: f64,
    /// Correlation of two images of one patient.
    #[arg(long, value_name = "RHO", default_value_t = 0.0, allow_negative_numbers = true)]
    icc: f64,
}

impl Clusters {
    pub(super) fn effect(&self) -> Result<f64> {
        design::design_effect(self.images_per_patient, self.cv, self.icc).ok_or_else(|| {
            usage(
                format!(
                    "no design effect for {} images a patient, cv {} and icc {}",
                    self.images_per_patient, self.cv, self.icc
                ),
                "the mean is at least 1, the cv at least 0, the correlation between -1 and 1",
            )
        })
    }
}

/// Whole cases, rounded up.
pub(super) fn whole(n: f64) -> u64 {
    n.ceil() as u64
}

/// Said where a design effect enlarges the size.
pub(super) fn effect_text(effect: f64) -> String {
    if effect == 1.0 { String::new() } else { format!("\n  with a design effect of {effect:.3}") }
}

/// The share of cases that count is one.
pub(super) fn checked_share(share: Option<f64>) -> Result<()> {
    match share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
        Some(share) => Err(usage(format!("--share {share} is not in (0, 1]"), "use the prevalence, say 0.5")),
        None => Ok(()),
    }
}

/// Adds how many cases there are in all where so many count and only a share of them does.
pub(super) fn cases_in_all(share: Option<f64>, counted: u64, text: &mut String, report: &mut Value) {
    let Some(share) = share else { return };
    let all = whole(counted as f64 / share);
    *text += &format!("\n  {all} cases in all, when a share of {share} of them counts");
    report["cases_in_all"] = json!(all);
}
