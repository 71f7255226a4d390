//! What is asked of a table, and what is said of it.

use serde_json::Value;

use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, ResamplingUnit};
use crate::statistics::metric::{Metric, Sample};
use crate::statistics::poolability::Poolability;
use crate::statistics::warning::Warning;

/// What is asked of a table.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Name of the scores.
    pub score: String,
    /// Name of the second model's scores, where two are compared.
    pub compare: Option<String>,
    /// Thresholds for calls, each once.
    pub threshold: Vec<f64>,
    /// Whether cases belong to patients.
    pub clustered: bool,
    /// The column of the site.
    pub site: Option<String>,
    /// The columns of subgroups, each once.
    pub subgroup: Vec<String>,
    /// Subgroups with fewer cases are marked.
    pub subgroup_minimum: u64,
    /// Whether the metrics were named; otherwise what takes minutes is left out.
    pub named: bool,
    /// What is estimated.
    pub wanted: Wanted,
    /// How bootstrap intervals are made.
    pub bootstrap: Bootstrap,
    /// Of the bootstrap.
    pub seed: u64,
    /// What the bootstrap draws.
    pub unit: ResamplingUnit,
    /// Two-sided confidence level.
    pub level: f64,
    /// PPV, NPV and F1 are also carried to this prevalence.
    pub prevalence: Option<f64>,
    /// Upper end of the false positive rates of the partial AUC.
    pub max_fpr: f64,
    /// Edges of the bins of calibration.
    pub bin_edges: Vec<f64>,
    /// Whether curves are given.
    pub curves: bool,
}

/// How bootstrap intervals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// From so many replicates.
    Replicates(u64),
    /// From the law itself.
    Exact,
}

impl Bootstrap {
    /// Replicates; none where the law is summed.
    pub fn replicates(self) -> u64 {
        match self {
            Self::Replicates(count) => count,
            Self::Exact => 0,
        }
    }
}

impl std::fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Replicates(count) => count.fmt(f),
            Self::Exact => f.write_str("exact"),
        }
    }
}

impl std::str::FromStr for Bootstrap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exact" => Ok(Self::Exact),
            _ => {
                text.parse().map(Self::Replicates).map_err(|_| "not a number of replicates, nor exact".into())
            }
        }
    }
}

/// Which estimates are asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of each model.
    pub metrics: Vec<Metric>,
    /// Of two models: the difference of their AUCs.
    pub difference: bool,
    /// Of two models: McNemar's test.
    pub mcnemar: bool,
}

/// Everything that is printed.
#[derive(Clone, Debug)]
pub struct Report {
    /// Cases.
    pub n: usize,
    /// Positive ones.
    pub positives: usize,
    /// Estimates as JSON has them.
    pub estimates: Vec<Value>,
    /// The same.
    pub rows: Vec<Estimate>,
    /// Of the table and of what was left out.
    pub warnings: Vec<Warning>,
    /// Threshold, model or subgroup, and the 2x2 table.
    pub tables: Vec<(f64, Option<String>, Confusion)>,
    /// What 1,000 patients may expect.
    pub sentences: Vec<Sentences>,
    /// The reliability curves.
    pub curve: Vec<Value>,
    /// Over sites.
    pub poolability: Option<Poolability>,
    /// ROC and precision-recall curves.
    pub curves: Option<Value>,
}

/// What 1,000 patients may expect of one model at one threshold.
#[derive(Clone, Debug)]
pub struct Sentences {
    /// Positive at or above.
    pub threshold: f64,
    /// Where there are two.
    pub model: Option<String>,
    /// Of intended use.
    pub prevalence: f64,
    /// One a sentence.
    pub lines: Vec<String>,
}

/// The rows of the whole table or of a subgroup.
pub(super) struct Part<'a> {
    pub(super) labels: &'a [bool],
    pub(super) scores: &'a [f64],
    pub(super) other: Option<&'a [f64]>,
    pub(super) patients: Option<&'a [u32]>,
    pub(super) sites: Option<&'a [u32]>,
}

impl Part<'_> {
    pub(super) fn sample(&self) -> Sample<'_> {
        Sample { labels: self.labels, scores: self.scores, patients: self.patients, sites: self.sites }
    }
}
