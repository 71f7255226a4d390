//! One estimate of any metric.

use crate::estimate::Estimate;
use crate::metric::auc::estimate_auc;
use crate::metric::counted::counted;
use crate::metric::intervals::{warn_about_clusters, warn_beyond_range};
use crate::metric::kind::Metric;
use crate::metric::plan::{Plan, Sample, has_clusters, unusable};
use crate::metric::table::estimate_table;
use crate::metric::weighted::{Drawn, drawn_together, estimate_weighted};

/// One estimate of a metric. `threshold` is required by metrics that [need one](Metric::needs_threshold);
/// positive is score >= threshold. The intervals come in the order of `plan.methods`; one that collapses to
/// a point is followed by one that does not, with a warning.
pub fn estimate(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>, plan: &Plan) -> Estimate {
    estimate_drawn(metric, sample, threshold, plan, None)
}

/// One estimate of each of several metrics, the same as each by itself; what follows from the same replicates
/// is drawn and fitted once.
pub fn estimates(
    metrics: &[Metric],
    sample: &Sample<'_>,
    threshold: Option<f64>,
    plan: &Plan,
) -> Vec<Estimate> {
    let usable = metrics.iter().all(|metric| unusable(*metric, sample, threshold).is_none());
    let drawn =
        if usable { drawn_together(metrics, sample, plan) } else { metrics.iter().map(|_| None).collect() };
    let each = metrics.iter().zip(drawn);
    each.map(|(metric, drawn)| estimate_drawn(*metric, sample, threshold, plan, drawn)).collect()
}

fn estimate_drawn(
    metric: Metric,
    sample: &Sample<'_>,
    threshold: Option<f64>,
    plan: &Plan,
    drawn: Option<Drawn>,
) -> Estimate {
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
    let mut clustered = has_clusters(sample).is_some();
    match metric {
        Metric::Auc => estimate_auc(sample, plan, &mut out),
        _ if metric.is_of_table() => {
            let cut = threshold.unwrap_or(0.0);
            let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= cut).collect();
            let counted = counted(metric, sample, &calls);
            clustered = counted.is_clustered();
            estimate_table(metric, sample, &calls, &counted, plan, &mut out);
        }
        _ => estimate_weighted(metric, sample, plan, drawn, &mut out),
    }
    warn_beyond_range(metric.range(), &mut out);
    warn_about_clusters(metric, clustered, false, sample, &mut out);
    out
}
