//! PPV, NPV and F1 at a declared prevalence.

use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::confusion::Confusion;
use crate::estimate::{Estimate, Interval, IntervalMethod as By, ResamplingUnit};
use crate::metric::counted::counted;
use crate::metric::intervals::*;
use crate::metric::kind::Metric;
use crate::metric::plan::*;
use crate::{at_prevalence, exact_law};

/// PPV, NPV or F1 carried to another prevalence (in 0..1, exclusive); see [`at_prevalence`]. Intervals:
/// `log` (PPV, NPV), `clopper-pearson` and its clustered kin, and the bootstrap with each class's size fixed;
/// those that can decide come first.
pub fn estimate_at_prevalence(
    metric: Metric,
    sample: &Sample<'_>,
    threshold: f64,
    prevalence: f64,
    plan: &Plan,
) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: Some(threshold),
        prevalence: Some(prevalence),
        ..Estimate::default()
    };
    type Carried = fn(f64, f64, f64) -> Option<f64>;
    type LogitSe = fn(&Confusion) -> Option<f64>;
    let (carried, logit_se): (Carried, Option<LogitSe>) = match metric {
        Metric::Ppv => (at_prevalence::ppv, Some(at_prevalence::ppv_logit_se)),
        Metric::Npv => (at_prevalence::npv, Some(at_prevalence::npv_logit_se)),
        Metric::F1 => (at_prevalence::f1, None),
        _ => {
            out.not_evaluable = Some("only PPV, NPV and F1 are carried to another prevalence".into());
            return out;
        }
    };
    if !(prevalence > 0.0 && prevalence < 1.0) {
        out.not_evaluable = Some(format!("the prevalence {prevalence} is not between 0 and 1"));
        return out;
    }
    if let Some(reason) = unusable(metric, sample, Some(threshold)) {
        out.not_evaluable = Some(reason);
        return out;
    }
    let table = Confusion::at(sample.labels, sample.scores, threshold);
    let Some(value) = at_prevalence::of_table(&table, prevalence, carried) else {
        out.not_evaluable = Some(Metric::Youden.why_none(&table));
        if table.youden().is_some() {
            out.not_evaluable = Some(metric.why_none(&table));
        }
        return out;
    };
    out.value = Some(value);
    // The prevalence is not the sample's, so each class keeps its size.
    let unit = if plan.unit == ResamplingUnit::Case { ResamplingUnit::CaseStratified } else { plan.unit };
    let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= threshold).collect();
    // Sensitivity and specificity are what it is made from.
    let counted = counted(Metric::Youden, sample, &calls);
    let exact = |method: By| {
        let each = counted.limits_of_each(method, plan.level)?;
        let [sensitivity, specificity] = each[..] else { return None };
        Some(at_prevalence::carried_limits(sensitivity, specificity, prevalence, carried))
    };
    let statistic = |t: &Confusion| at_prevalence::of_table(t, prevalence, carried);
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in &plan.methods {
        match method {
            By::Log => {
                if let Some(se) = logit_se {
                    let limits = se(&table).and_then(|se| at_prevalence::logit_limits(value, se, plan.level));
                    push(&mut out, method, plan, limits, "sensitivity or specificity is 0 or 1");
                }
            }
            By::ClopperPearson | By::ClopperPearsonPatients | By::KornGraubard => {
                let limits = exact(method);
                let why = match method {
                    By::ClopperPearson => "a class is empty",
                    _ => {
                        "the design effect cannot be estimated, or patients with more cases differ from \
                         others"
                    }
                };
                push(&mut out, method, plan, limits, why);
            }
            By::BootstrapExact => push_exact_law(&mut out, plan, unit, |stratified| {
                exact_law::table_percentile(&table, stratified, plan.level, statistic)
            }),
            By::BootstrapPercentile | By::BootstrapBasic | By::BootstrapBca => {
                let resampler = || Resampler::new(unit, &cases_of(sample));
                let drawn = replicates.get_or_insert_with(|| {
                    Ok(bootstrap::confusion_with(
                        &resampler()?,
                        sample.labels,
                        &calls,
                        plan.replicates,
                        plan.seed,
                        statistic,
                    ))
                });
                push_bootstrap_of(&mut out, method, plan, unit, value, drawn, || {
                    resampler().map_or(Vec::new(), |r| {
                        bootstrap::confusion_jackknife(&r, sample.labels, &calls, statistic)
                    })
                });
            }
            _ => {}
        }
    }
    let collapsed = out.intervals.iter().any(|i| i.is_point());
    if collapsed {
        out.warnings.push(no_spread_beside_exact());
    }
    let has_exact = out.intervals.iter().any(|i| i.method == By::ClopperPearson);
    if !has_exact && (collapsed || out.intervals.is_empty()) {
        let limits = exact(By::ClopperPearson);
        push(&mut out, By::ClopperPearson, plan, limits, "a class is empty");
    }
    warn_about_small_class(sample, metric.id(), &mut out);
    warn_beyond_range(metric.range(), &mut out);
    warn_about_clusters(metric, counted.is_clustered(), true, sample, &mut out);
    let clustered = counted.is_clustered();
    let sound = |i: &Interval| {
        let unit = i.unit.unwrap_or(ResamplingUnit::Case);
        !i.is_point() && (!clustered || respects_patients(metric, i.method, unit, sample))
    };
    out.intervals.sort_by_key(|i| !sound(i));
    out
}
