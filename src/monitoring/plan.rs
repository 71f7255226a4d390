//! The monitoring plan as known valid: what is watched, and by which thresholds, before the first batch.

use serde::Serialize;

use crate::statistics::metric::Metric;

/// Version of the plan's file; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-monitoring/1";

/// A valid plan.
#[derive(Clone, Debug, PartialEq)]
pub struct MonitoringPlan {
    /// What it is called.
    pub id: String,
    /// In words.
    pub title: String,
    /// Batches with fewer usable cases are counted and shown, and judge nothing.
    pub batch_minimum: u64,
    /// Two-sided confidence level of intervals.
    pub level: f64,
    /// Which columns a batch has.
    pub columns: BatchColumns,
    /// The version of the device that every row names, where a column of it is declared.
    pub version: Option<String>,
    /// The charts, each id once.
    pub charts: Vec<ChartPlan>,
    /// Columns whose distribution is compared with the cohort's.
    pub inputs: Vec<InputColumn>,
    /// How far scores and inputs may move.
    pub drift: Drift,
    /// What else is an alarm.
    pub limits: Limits,
    /// Metrics of batches with labels.
    pub performance: Vec<PerformancePlan>,
}

/// Columns of a batch by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchColumns {
    /// Of the case; each case stands once in a batch.
    pub case: String,
    /// Of the patient, where patients may have several cases.
    pub patient: Option<String>,
    /// Of the score; `None` where batches hold calls.
    pub score: Option<String>,
    /// Of the call; `None` where batches hold scores.
    pub call: Option<String>,
    /// The word of the call's column that means positive; `None`: a word for yes or no.
    pub positive: Option<String>,
    /// Of the reason for which the device refused.
    pub refused: Option<String>,
    /// Of the reference standard, which may be empty.
    pub label: Option<String>,
    /// Of the day; every row lies in the batch's month.
    pub date: Option<String>,
    /// Of the digest of the locked model.
    pub lock: Option<String>,
    /// Of the device's version.
    pub version: Option<String>,
}

/// What a chart watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The mean of the scores.
    MeanScore,
    /// The share of positive calls among cases with a call.
    PositiveCalls,
    /// The share of cases that the device refused.
    Refusals,
    /// The share of positives among labelled cases.
    Prevalence,
    /// Positive calls among positives.
    Sensitivity,
    /// Negative calls among negatives.
    Specificity,
}

impl Measure {
    /// With their words in a plan.
    pub const ALL: [(&'static str, Self); 6] = [
        ("mean-score", Self::MeanScore),
        ("positive-calls", Self::PositiveCalls),
        ("refusals", Self::Refusals),
        ("prevalence", Self::Prevalence),
        ("sensitivity", Self::Sensitivity),
        ("specificity", Self::Specificity),
    ];

    /// As a plan writes it.
    pub fn id(self) -> &'static str {
        Self::ALL.iter().find(|(_, measure)| *measure == self).map_or("", |(id, _)| id)
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::MeanScore => "mean score",
            Self::PositiveCalls => "share of positive calls",
            Self::Refusals => "share of refused cases",
            Self::Prevalence => "share of positives by the labels",
            Self::Sensitivity => "sensitivity",
            Self::Specificity => "specificity",
        }
    }

    /// Whether it is a statement on labels, and so is not there without them.
    pub fn needs_labels(self) -> bool {
        matches!(self, Self::Prevalence | Self::Sensitivity | Self::Specificity)
    }
}

/// A cumulative sum over batches.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartPlan {
    /// Unique in the plan.
    pub id: String,
    /// What is watched.
    pub measure: Measure,
    /// Which sums decide: up, down.
    pub watched: [bool; 2],
    /// In standard errors of a batch: half the shift that is to be found.
    pub reference_value: f64,
    /// How many batches in control lie before a false alarm, on average.
    pub run_length: f64,
    /// The limit that follows, in standard errors of a batch.
    pub limit: f64,
    /// The value in control; `None`: the validation cohort's.
    pub in_control: Option<f64>,
    /// Mean score: the standard deviation of a score in control; declared with the value.
    pub deviation: Option<f64>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// Numbers: two-sample Kolmogorov-Smirnov.
    Number,
    /// Words: a test of equal shares.
    Category,
}

/// A column that is compared with the cohort's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputColumn {
    /// In batches.
    pub column: String,
    /// In the study's case table, by the name that protocols have for it.
    pub cohort: String,
    /// What it holds.
    pub kind: InputKind,
}

/// When a distribution has moved: both hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// The p value, adjusted for the number of tests of a batch (Holm 1979), is at most this.
    pub alpha: f64,
    /// The standardised difference is at least this, in standard deviations.
    pub minimum_difference: f64,
}

/// Shares of a batch above which there is an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Of empty cells in a declared column.
    pub missing: f64,
    /// Of rows whose case is in an earlier batch.
    pub duplicates: f64,
}

/// A metric of batches with labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerformancePlan {
    /// Which.
    pub metric: Metric,
    /// An interval that lies below it altogether is an alarm.
    pub at_least: Option<f64>,
}
