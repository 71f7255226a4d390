//! A statistic of weighted cases, such as a difference of two models' metrics, by the bootstrap.

use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::estimate::Estimate;
use crate::metric::intervals::push_bootstrap;
use crate::metric::plan::{Plan, Sample, cases_of};
use crate::metric::weighted::WeightedGroups;
use crate::roc;

/// An estimate of anything that is computed from how often each case counts (once without weights); intervals
/// are those of the plan's methods that draw replicates.
pub fn estimate_contrast(
    id: &str,
    sample: &Sample<'_>,
    plan: &Plan,
    statistic: impl Fn(Option<&[u32]>) -> Option<f64> + Sync + Send,
) -> Estimate {
    let mut out = Estimate {
        id: id.into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        ..Estimate::default()
    };
    let Some(value) = statistic(None) else {
        out.not_evaluable = Some("one of the two has no value on these cases".into());
        return out;
    };
    out.value = Some(value);
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in plan.methods.iter().filter(|m| m.draws_replicates()) {
        let drawn = replicates.get_or_insert_with(|| {
            Ok(bootstrap::weighted(&resampler()?, plan.replicates, plan.seed, |w| statistic(Some(w))))
        });
        push_bootstrap(&mut out, method, plan, value, drawn, || {
            resampler().map_or(Vec::new(), |r| bootstrap::weighted_jackknife(&r, |w| statistic(Some(w))))
        });
    }
    out
}

/// The standardised partial AUC (McClish 1989) up to a false positive rate, as a function of how often each
/// case counts.
pub fn partial_auc_of<'a>(
    labels: &'a [bool],
    scores: &'a [f64],
    most_fpr: f64,
) -> impl Fn(Option<&[u32]>) -> Option<f64> + Sync + Send + 'a {
    let ordered = WeightedGroups::new(labels, scores);
    move |weights| {
        roc::partial_area_of(&ordered.weigh(weights), most_fpr).map(|area| roc::mcclish(area, most_fpr))
    }
}
