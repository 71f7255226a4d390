//! The AUC with its intervals, and what stands beside them at the edges.

use crate::auc;
use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::estimate::{Estimate, IntervalMethod as By};
use crate::metric::intervals::*;
use crate::metric::kind::Metric;
use crate::metric::plan::*;
use crate::proportion;
use crate::warning::Warning;
use sequester_diagnostic::Code;

pub(super) fn estimate_auc(sample: &Sample<'_>, plan: &Plan, out: &mut Estimate) {
    let sums = auc::auc_sums(sample.labels, sample.scores);
    let Some(value) = sums.auc() else {
        let which = if sums.positives == 0 { "positive" } else { "negative" };
        out.not_evaluable = Some(format!("there is no {which} case"));
        return;
    };
    out.value = Some(value);
    let delong = sums.delong_variance();
    let obuchowski = sample
        .patients
        .and_then(|p| auc::obuchowski_variance(sample.labels, sample.scores, p))
        .or(if sample.patients.is_none() { delong } else { None });
    let wants = |method| plan.methods.contains(&method);
    let variance = if wants(By::Obuchowski) { obuchowski } else { delong };
    out.standard_error = variance.map(f64::sqrt);
    let too_few = "each class needs at least two cases";
    let symmetric = |variance: Option<f64>| {
        variance.filter(|v| *v >= 0.0).map(|v| auc::clipped_interval(value, v.sqrt(), plan.level))
    };
    let mut replicates: Option<Result<Replicates, String>> = None;
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    for &method in plan.methods.iter().filter(|m| Metric::Auc.accepts(**m)) {
        match method {
            By::Delong => push(out, method, plan, symmetric(delong), too_few),
            By::DelongLogit => {
                let limits = delong.and_then(|v| auc::logit_interval(value, v.sqrt(), plan.level));
                let why = if delong.is_none() { too_few } else { "the AUC or its variance is at a boundary" };
                push(out, method, plan, limits, why);
            }
            By::HanleyMcneil => {
                let variance = sums.hanley_mcneil_se().map(|se| se * se);
                push(out, method, plan, symmetric(variance), too_few);
            }
            By::UStatistic => {
                let variance = sums.u_statistic_variance();
                let why = if variance.is_some() { "the unbiased variance is negative" } else { too_few };
                push(out, method, plan, symmetric(variance), why);
            }
            By::Obuchowski => {
                let why = "two patients with positive and two with negative cases are needed, and a \
                           variance that is not negative";
                push(out, method, plan, symmetric(obuchowski), why);
            }
            _ => {
                let drawn = replicates.get_or_insert_with(|| {
                    Ok(bootstrap::auc(
                        &resampler()?,
                        sample.labels,
                        sample.scores,
                        plan.replicates,
                        plan.seed,
                    ))
                });
                push_bootstrap(out, method, plan, value, drawn, || {
                    resampler()
                        .map_or(Vec::new(), |r| bootstrap::auc_jackknife(&r, sample.labels, sample.scores))
                });
            }
        }
    }
    guard_auc(sample, plan, value, &sums, out);
    warn_about_small_class(sample, "the AUC", out);
}

/// An AUC without spread: say why, and add an interval that does not collapse.
fn guard_auc(sample: &Sample<'_>, plan: &Plan, value: f64, sums: &auc::AucSums, out: &mut Estimate) {
    let collapsed = out.intervals.iter().any(|i| i.is_point());
    let extreme = value == 0.0 || value == 1.0;
    if extreme {
        let pairs = disjoint_pairs(sample, sums);
        out.warnings.push(Warning::new(
            Code::PerfectSeparation,
            format!(
                "the classes do not overlap, so variances estimated from them are zero; the \
             Clopper-Pearson interval is the exact one of {pairs} disjoint pairs, all of them in one order"
            ),
        ));
        let won = if value == 1.0 { pairs } else { 0 };
        push(out, By::ClopperPearson, plan, Some(exact_share(won, pairs, plan.level)), "");
    } else if collapsed {
        out.warnings.push(Warning::new(
            Code::NoSpread,
            "the placements do not vary (constant scores), so the estimated variance is zero; the \
             Hanley-McNeil interval does not rest on them",
        ));
        if !out.intervals.iter().any(|i| i.method == By::HanleyMcneil) {
            let limits = sums.hanley_mcneil_se().map(|se| auc::clipped_interval(value, se, plan.level));
            push(out, By::HanleyMcneil, plan, limits, "a class is empty");
        }
    }
}

/// Clopper-Pearson limits; no trial excludes nothing.
pub(super) fn exact_share(k: u64, n: u64, level: f64) -> (f64, f64) {
    if n == 0 { (0.0, 1.0) } else { proportion::clopper_pearson(k, n, level) }
}

/// How many pairs of a positive and a negative share neither case nor patient.
pub(super) fn disjoint_pairs(sample: &Sample<'_>, sums: &auc::AucSums) -> u64 {
    let Some(patients) = sample.patients else { return sums.positives.min(sums.negatives) };
    let seen = classes_of_patients(sample, patients);
    let with = |class: usize| seen.iter().filter(|s| s[class]).count() as u64;
    with(0).min(with(1)).min(seen.len() as u64 / 2)
}
