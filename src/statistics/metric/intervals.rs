//! Adding intervals to an estimate, and the warnings that belong to them.

use std::collections::BTreeMap;

use crate::bootstrap::{self, Replicates};
use crate::estimate::{Estimate, Interval, IntervalMethod as By, ResamplingUnit};
use crate::exact_law::ExactPercentile;
use crate::metric::kind::Metric;
use crate::metric::plan::{Plan, Sample, classes_of_patients, has_clusters};
use crate::warning::Warning;
use sequester_diagnostic::Code;

/// Adds an interval, or the warning that there is none.
pub(super) fn push(out: &mut Estimate, method: By, plan: &Plan, limits: Option<(f64, f64)>, why_none: &str) {
    match limits.filter(|l| l.0.is_finite() && l.1.is_finite()) {
        Some(limits) => out.intervals.push(Interval::closed(method, plan.level, limits)),
        None => out.warnings.push(Warning::new(
            Code::IntervalNotEvaluable,
            format!("no interval by {}: {why_none}", method.describe(out.quantity())),
        )),
    }
}

/// Adds a bootstrap interval from replicates that were drawn once for all methods.
pub(super) fn push_bootstrap(
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
pub(super) fn push_bootstrap_of(
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

/// Says so when a class is too small for what asymptotic and bootstrap intervals of `what` assume: they see
/// no spread that the few cases do not show. Exact intervals do not rest on it.
pub(super) fn warn_about_small_class(sample: &Sample<'_>, what: &str, out: &mut Estimate) {
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
    let exact = |i: &Interval| {
        use By::{ClopperPearson, ClopperPearsonPatients, Hoeffding, KornGraubard};
        matches!(i.method, ClopperPearson | ClopperPearsonPatients | KornGraubard | Hoeffding)
    };
    if count < FEW_UNITS && out.intervals.iter().any(|i| !exact(i)) {
        out.warnings.push(Warning::new(
            Code::SmallClass,
            format!(
                "with {count} {class} {units} the intervals of {what} cover less often than their level says"
            ),
        ));
    }
}

/// Says so where an interval holds values that are impossible: the basic bootstrap mirrors its quantiles at
/// the estimate and knows no bounds.
pub(super) fn warn_beyond_range((least, most): (f64, f64), out: &mut Estimate) {
    let of = out.quantity();
    for interval in &out.intervals {
        if interval.lower < least || interval.upper > most {
            out.warnings.push(Warning::new(
                Code::BeyondRange,
                format!(
                    "the interval by {} reaches from {} to {}, and possible values lie between {least} and \
                 {most}",
                    interval.method.describe(of),
                    interval.lower,
                    interval.upper
                ),
            ));
        }
    }
}

/// Adds the percentile interval of the bootstrap law itself.
pub(super) fn push_exact_law(
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

/// Whether a method leaves the cases of one patient together.
pub(super) fn respects_patients(
    metric: Metric,
    method: By,
    unit: ResamplingUnit,
    sample: &Sample<'_>,
) -> bool {
    match method {
        By::Obuchowski | By::Hoeffding | By::ClopperPearsonPatients | By::KornGraubard => true,
        // Of disjoint pairs of patients; from patients' worst cases.
        By::ClopperPearson => !metric.is_of_table(),
        _ if method.draws_replicates() => match unit {
            ResamplingUnit::Case | ResamplingUnit::CaseStratified => false,
            ResamplingUnit::Patient => true,
            ResamplingUnit::Site | ResamplingUnit::SiteThenPatient => lies_within_sites(sample),
        },
        _ => false,
    }
}

/// Whether every patient's cases are of one site.
fn lies_within_sites(sample: &Sample<'_>) -> bool {
    let (Some(patients), Some(sites)) = (sample.patients, sample.sites) else { return true };
    let mut site_of = BTreeMap::new();
    patients.iter().zip(sites).all(|(patient, site)| site_of.entry(patient).or_insert(site) == &site)
}

/// Says so when an interval treats several cases of one patient as independent. `clustered`: among the cases
/// that count, a patient has several.
pub(super) fn warn_about_clusters(
    metric: Metric,
    clustered: bool,
    at_prevalence: bool,
    sample: &Sample<'_>,
    out: &mut Estimate,
) {
    let Some((cases, patients)) = has_clusters(sample).filter(|_| clustered) else { return };
    let of = out.quantity();
    let respects = |i: &Interval| {
        let unit = i.unit.unwrap_or(ResamplingUnit::Case);
        let carried = at_prevalence && i.method == By::ClopperPearson;
        !carried && respects_patients(metric, i.method, unit, sample)
    };
    let naive: Vec<&str> =
        out.intervals.iter().filter(|i| !respects(i)).map(|i| i.method.describe(of)).collect();
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
pub(super) fn no_spread_beside_exact() -> Warning {
    Warning::new(
        Code::NoSpread,
        "the cases do not vary in what this counts, so an interval collapsed to a point; the interval \
         from Clopper-Pearson limits does not rest on that",
    )
}

/// Below this many units in a class, simulated intervals of the AUC cover less than 92 % at level 0.95
/// (`docs/coverage.md`): 75 % with four, 86 % with seven.
pub(super) const FEW_UNITS: u64 = 15;
