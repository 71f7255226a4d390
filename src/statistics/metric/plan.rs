//! What an estimate is made from, and what is to be computed beside its value.

use crate::bootstrap::Cases;
use crate::calibration;
use crate::estimate::{IntervalMethod, ResamplingUnit};
use crate::metric::kind::Metric;
use crate::ranks;

/// The cases an estimate is made from: one entry a case everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Reference standard.
    pub labels: &'a [bool],
    /// Scores; higher means positive.
    pub scores: &'a [f64],
    /// Patient of each case.
    pub patients: Option<&'a [u32]>,
    /// Site of each case.
    pub sites: Option<&'a [u32]>,
}

/// What is to be computed beside the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Two-sided confidence level in (0, 1).
    pub level: f64,
    /// Interval methods in the order wanted; those that a metric does not accept are passed over.
    pub methods: Vec<IntervalMethod>,
    /// What the bootstrap draws.
    pub unit: ResamplingUnit,
    /// Bootstrap replicates.
    pub replicates: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Upper end of the false positive rates of `partial_auc`, in (0, 1].
    pub partial_fpr: f64,
    /// Edges of the bins of `ece` and `mce`, ascending from 0 to 1; bins are closed on the left, the last on
    /// both sides.
    pub bin_edges: Vec<f64>,
}

impl Plan {
    /// A plan with `partial_fpr` 0.1 and ten equal bins.
    pub fn new(
        level: f64,
        methods: Vec<IntervalMethod>,
        unit: ResamplingUnit,
        replicates: u64,
        seed: u64,
    ) -> Self {
        let bin_edges = calibration::equal_edges(10);
        Self { level, methods, unit, replicates, seed, partial_fpr: 0.1, bin_edges }
    }
}

/// Why a metric has no value on these cases, whatever the plan.
pub(super) fn unusable(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>) -> Option<String> {
    let n = sample.labels.len();
    let fits = |len: usize| len == n;
    let aligned = fits(sample.scores.len())
        && sample.patients.is_none_or(|p| fits(p.len()))
        && sample.sites.is_none_or(|s| fits(s.len()));
    if !aligned {
        return Some("labels, scores, patients and sites do not have the same length".into());
    }
    if n == 0 {
        return Some("there are no cases".into());
    }
    if let Some(bad) = sample.scores.iter().find(|s| !s.is_finite()) {
        return Some(format!("a score is not a finite number: {bad}"));
    }
    if metric.needs_threshold() && !threshold.is_some_and(f64::is_finite) {
        return Some("it holds at a threshold, and none was given".into());
    }
    if metric.needs_probabilities() && sample.scores.iter().any(|s| !(0.0..=1.0).contains(s)) {
        return Some("the scores are not probabilities in 0..1".into());
    }
    None
}

pub(super) fn cases_of<'a>(sample: &Sample<'a>) -> Cases<'a> {
    Cases { labels: sample.labels, patients: sample.patients, sites: sample.sites }
}

pub(super) fn has_clusters(sample: &Sample<'_>) -> Option<(usize, usize)> {
    let (_, patients) = ranks::dense_ids(sample.patients?);
    (patients < sample.labels.len()).then_some((sample.labels.len(), patients))
}

/// For each patient, whether there is a negative and a positive case.
pub(super) fn classes_of_patients(sample: &Sample<'_>, patients: &[u32]) -> Vec<[bool; 2]> {
    let (dense, count) = ranks::dense_ids(patients);
    let mut seen = vec![[false; 2]; count];
    for (&patient, &label) in dense.iter().zip(sample.labels) {
        seen[patient as usize][usize::from(label)] = true;
    }
    seen
}
