//! From cases to estimates: each metric with its value, its standard error and the intervals that exist for
//! it. What cannot be computed says why; nothing is NaN, and an interval that collapses is
//! accompanied by one that does not.

mod auc;
mod kind;
mod paired;
mod prevalence;
mod table;
mod weighted;

#[cfg(test)]
mod tests;

use crate::diagnostic::Code;
use crate::statistics::bootstrap;
use crate::statistics::bootstrap::{Cases, Replicates};
use crate::statistics::calibration;
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use crate::statistics::exact_law::ExactPercentile;
use crate::statistics::proportion;
use crate::statistics::roc;
use crate::statistics::special::z_two_sided;
use crate::statistics::warning::Warning;

pub use kind::Metric;
pub use paired::{estimate_difference, estimate_mcnemar};
pub use prevalence::estimate_at_prevalence;
pub use table::estimate_from_table;

use auc::{classes_of_patients, disjoint_pairs, estimate_auc, exact_share};
use table::estimate_table;
use weighted::estimate_weighted;

use IntervalMethod as By;

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
    /// Edges of the bins of `ece` and `mce`, ascending from 0 to 1; bins are closed on the left, the last on both sides.
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

/// One estimate of a metric. `threshold` is required by metrics that [need one](Metric::needs_threshold);
/// positive is score >= threshold. The intervals come in the order of `plan.methods`; one that collapses to
/// a point is followed by one that does not, with a warning.
pub fn estimate(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>, plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: threshold.filter(|_| metric.needs_threshold()),
        ..Estimate::default()
    };
    if let Some(reason) = unusable(metric, sample, threshold) {
        out.not_evaluable = Some(reason);
        return out;
    }
    match metric {
        Metric::Auc => estimate_auc(sample, plan, &mut out),
        _ if metric.is_of_table() => {
            let cut = threshold.unwrap_or(0.0);
            let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= cut).collect();
            estimate_table(metric, sample, &calls, plan, &mut out);
        }
        _ => estimate_weighted(metric, sample, plan, &mut out),
    }
    warn_beyond_range(metric.range(), &mut out);
    warn_about_clusters(sample, &mut out);
    out
}

fn unusable(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>) -> Option<String> {
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

fn cases_of<'a>(sample: &Sample<'a>) -> Cases<'a> {
    Cases { labels: sample.labels, patients: sample.patients, sites: sample.sites }
}

/// Adds an interval, or the warning that there is none.
fn push(out: &mut Estimate, method: By, plan: &Plan, limits: Option<(f64, f64)>, why_none: &str) {
    match limits.filter(|l| l.0.is_finite() && l.1.is_finite()) {
        Some((lower, upper)) => out.intervals.push(Interval {
            method,
            level: plan.level,
            lower,
            upper,
            unit: None,
            replicates: None,
            seed: None,
            dropped: None,
        }),
        None => out.warnings.push(Warning::new(
            Code::IntervalNotEvaluable,
            format!("no interval by {}: {why_none}", method.describe()),
        )),
    }
}

/// Adds a bootstrap interval from replicates that were drawn once for all methods.
fn push_bootstrap(
    out: &mut Estimate,
    method: By,
    plan: &Plan,
    value: f64,
    drawn: &Result<Replicates, String>,
    jackknife: impl FnOnce() -> Vec<(f64, u64)>,
) {
    push_bootstrap_of(out, method, plan, plan.unit, value, drawn, jackknife);
}

/// [`push_bootstrap`] where another unit was drawn than the plan's.
fn push_bootstrap_of(
    out: &mut Estimate,
    method: By,
    plan: &Plan,
    unit: ResamplingUnit,
    value: f64,
    drawn: &Result<Replicates, String>,
    jackknife: impl FnOnce() -> Vec<(f64, u64)>,
) {
    let replicates = match drawn {
        Ok(replicates) => replicates,
        Err(reason) => return push(out, method, plan, None, reason),
    };
    let limits = match method {
        By::BootstrapBasic => replicates.basic(value, plan.level),
        By::BootstrapBca => replicates.bca(value, bootstrap::acceleration(&jackknife()), plan.level),
        _ => replicates.percentile(plan.level),
    };
    let why_none = if replicates.values.is_empty() {
        "no replicate could be evaluated"
    } else {
        "every replicate lies on one side of the estimate"
    };
    let before = out.intervals.len();
    push(out, method, plan, limits, why_none);
    if let Some(interval) = out.intervals.get_mut(before) {
        interval.unit = Some(unit);
        interval.replicates = Some(plan.replicates);
        interval.seed = Some(plan.seed);
        interval.dropped = Some(replicates.dropped);
    }
    let code = Code::ReplicatesDropped;
    if replicates.dropped > 0 && !out.warnings.iter().any(|w| w.code == code) {
        out.warnings.push(Warning::new(
            code,
            format!(
                "{} of {} replicates could not be evaluated and were left out of the quantiles",
                replicates.dropped, plan.replicates
            ),
        ));
    }
}

/// Says so when a class is too small for what asymptotic and bootstrap intervals of `what` assume: they see no spread
/// that the few cases do not show. Exact intervals do not rest on it.
fn warn_about_small_class(sample: &Sample<'_>, what: &str, out: &mut Estimate) {
    let (units, positives, negatives) = match (has_clusters(sample), sample.patients) {
        (Some(_), Some(patients)) => {
            let seen = classes_of_patients(sample, patients);
            let with = |class: usize| seen.iter().filter(|s| s[class]).count() as u64;
            ("patients", with(1), with(0))
        }
        _ => ("cases", out.positives, sample.labels.len() as u64 - out.positives),
    };
    let (class, count) =
        if positives <= negatives { ("positive", positives) } else { ("negative", negatives) };
    let exact = |i: &Interval| matches!(i.method, By::ClopperPearson | By::Hoeffding);
    if count < FEW_UNITS && out.intervals.iter().any(|i| !exact(i)) {
        out.warnings.push(Warning::new(
            Code::SmallClass,
            format!(
                "with {count} {class} {units} the intervals of {what} cover less often than their level says"
            ),
        ));
    }
}

/// Says so where an interval holds values that are impossible: the basic bootstrap mirrors its quantiles at the
/// estimate and knows no bounds.
fn warn_beyond_range((least, most): (f64, f64), out: &mut Estimate) {
    for interval in &out.intervals {
        if interval.lower < least || interval.upper > most {
            out.warnings.push(Warning::new(
                Code::BeyondRange,
                format!(
                    "the interval by {} reaches from {} to {}, and possible values lie between {least} and \
                 {most}",
                    interval.method.describe(),
                    interval.lower,
                    interval.upper
                ),
            ));
        }
    }
}

/// Adds the percentile interval of the bootstrap law itself.
fn push_exact_law(
    out: &mut Estimate,
    plan: &Plan,
    unit: ResamplingUnit,
    law: impl FnOnce(bool) -> Option<ExactPercentile>,
) {
    let stratified = match unit {
        ResamplingUnit::Case => false,
        ResamplingUnit::CaseStratified => true,
        _ => {
            return push(out, By::BootstrapExact, plan, None, "its law is known where cases are drawn alone");
        }
    };
    let law = law(stratified);
    let why_none = "more tables can be drawn than are summed, or none of them has a value";
    let before = out.intervals.len();
    push(out, By::BootstrapExact, plan, law.map(|l| (l.lower, l.upper)), why_none);
    if let Some(interval) = out.intervals.get_mut(before) {
        interval.unit = Some(unit);
    }
    if let Some(law) = law.filter(|l| l.dropped > 1e-12) {
        out.warnings.push(Warning::new(
            Code::ReplicatesDropped,
            format!(
                "a share of {:.3e} of all replicates cannot be evaluated and is left out of the law",
                law.dropped
            ),
        ));
    }
}

fn has_clusters(sample: &Sample<'_>) -> Option<(usize, usize)> {
    let (_, patients) = roc::dense_ids(sample.patients?);
    (patients < sample.labels.len()).then_some((sample.labels.len(), patients))
}

/// Says so when an interval treats several cases of one patient as independent.
fn warn_about_clusters(sample: &Sample<'_>, out: &mut Estimate) {
    let Some((cases, patients)) = has_clusters(sample) else { return };
    let naive: Vec<&str> = out
        .intervals
        .iter()
        .filter(|i| {
            !matches!(i.method, By::Obuchowski | By::Hoeffding)
                && !matches!(
                    i.unit,
                    Some(ResamplingUnit::Patient | ResamplingUnit::Site | ResamplingUnit::SiteThenPatient)
                )
        })
        .map(|i| i.method.describe())
        .collect();
    if !naive.is_empty() {
        out.warnings.push(Warning::new(
            Code::ClusteringIgnored,
            format!(
                "{} {} the {cases} cases of {patients} patients as independent",
                naive.join(", "),
                if naive.len() == 1 { "treats" } else { "treat" }
            ),
        ));
    }
}

/// Said where a collapsed interval has an exact one beside it.
fn no_spread_beside_exact() -> Warning {
    Warning::new(
        Code::NoSpread,
        "the cases do not vary in what this counts, so an interval collapsed to a point; the Clopper-Pearson \
         interval does not rest on that",
    )
}

/// Below this many units in a class, simulated intervals of the AUC cover less than 92 % at level 0.95
/// (`docs/coverage.md`): 75 % with four, 86 % with seven.
const FEW_UNITS: u64 = 15;
