//! Statistics that pass over all cases in each replicate: average precision, partial area, calibration.

use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::estimate::{Estimate, IntervalMethod as By, Quantity};
use crate::metric::auc::exact_share;
use crate::metric::intervals::*;
use crate::metric::kind::Metric;
use crate::metric::plan::*;
use crate::special::z_two_sided;
use crate::warning::Warning;
use crate::{calibration, proportion, ranks, roc};
use sequester_diagnostic::Code;

/// A number of the cases, each counted as often as its weight says (once without weights).
type Statistic<'a> = Box<dyn Fn(Option<&[u32]>) -> Option<f64> + Sync + Send + 'a>;

/// Replicates that were drawn for several metrics of the same cases at once.
pub(super) type Drawn = Result<Replicates, String>;

/// Replicates of those metrics that follow from the same refits, drawn once for all of them where two or more
/// are asked for; none of other metrics, and none where no method of the plan draws.
pub(super) fn drawn_together(metrics: &[Metric], sample: &Sample<'_>, plan: &Plan) -> Vec<Option<Drawn>> {
    const TOGETHER: [Metric; 3] =
        [Metric::CalibrationInTheLarge, Metric::CalibrationIntercept, Metric::CalibrationSlope];
    let draws = |metric: &Metric| plan.methods.iter().any(|m| m.draws_replicates() && metric.accepts(*m));
    let wanted = |metric: &Metric| TOGETHER.contains(metric) && draws(metric);
    if metrics.iter().filter(|metric| wanted(metric)).count() < 2 {
        return metrics.iter().map(|_| None).collect();
    }
    let fits = calibration::Refits::new(sample.labels, sample.scores);
    let replicates = Resampler::new(plan.unit, &cases_of(sample)).map(|resampler| {
        bootstrap::weighted_each(&resampler, plan.replicates, plan.seed, TOGETHER.len(), |weights| {
            let line = fits.recalibrate(Some(weights));
            [
                fits.in_the_large(Some(weights)).map(|c| c.value),
                line.map(|r| r.intercept.value),
                line.map(|r| r.slope.value),
            ]
        })
    });
    let of = |metric: &Metric| {
        let nth = TOGETHER.iter().position(|one| one == metric)?;
        wanted(metric).then(|| replicates.as_ref().map(|all| all[nth].clone()).map_err(String::clone))
    };
    metrics.iter().map(of).collect()
}

pub(super) fn estimate_weighted(
    metric: Metric,
    sample: &Sample<'_>,
    plan: &Plan,
    drawn: Option<Drawn>,
    out: &mut Estimate,
) {
    let (labels, scores) = (sample.labels, sample.scores);
    let statistic: Statistic<'_> = match metric {
        Metric::AveragePrecision | Metric::PartialAuc => {
            let ordered = WeightedGroups::new(labels, scores);
            let bound = plan.partial_fpr;
            Box::new(move |weights| {
                let groups = ordered.weigh(weights);
                if metric == Metric::AveragePrecision {
                    roc::average_precision_of(&groups)
                } else {
                    roc::partial_area_of(&groups, bound).map(|area| roc::mcclish(area, bound))
                }
            })
        }
        Metric::Brier => Box::new(|w| calibration::brier(labels, scores, w)),
        Metric::LogLoss => Box::new(|w| calibration::log_loss(labels, scores, w)),
        Metric::Ece | Metric::Mce => {
            let error =
                if metric == Metric::Ece { calibration::expected_error } else { calibration::maximum_error };
            let edges = &plan.bin_edges;
            Box::new(move |w| {
                error(&calibration::reliability(labels, scores, w, edges, calibration::Edge::Left))
            })
        }
        _ => {
            let fits = calibration::Refits::new(labels, scores);
            match metric {
                Metric::CalibrationSlope => Box::new(move |w| fits.recalibrate(w).map(|r| r.slope.value)),
                Metric::CalibrationIntercept => {
                    Box::new(move |w| fits.recalibrate(w).map(|r| r.intercept.value))
                }
                _ => Box::new(move |w| fits.in_the_large(w).map(|c| c.value)),
            }
        }
    };
    let Some(value) = statistic(None) else {
        out.not_evaluable = Some(why_not_weighted(metric, sample, out.positives));
        return;
    };
    out.value = Some(value);
    out.standard_error = standard_error_of(metric, sample);
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    let mut replicates = drawn;
    for &method in plan.methods.iter().filter(|m| metric.accepts(**m)) {
        if let By::Wald | By::Hoeffding = method {
            push_closed(out, metric, method, sample, plan, value);
            continue;
        }
        let drawn = replicates.get_or_insert_with(|| {
            Ok(bootstrap::weighted(&resampler()?, plan.replicates, plan.seed, |w| statistic(Some(w))))
        });
        push_bootstrap(out, method, plan, value, drawn, || {
            resampler().map_or(Vec::new(), |r| bootstrap::weighted_jackknife(&r, |w| statistic(Some(w))))
        });
    }
    if out.intervals.iter().any(|i| i.is_point()) {
        guard_weighted(metric, sample, plan, value, out);
    }
    match metric {
        // Where calibration is perfect, both are above 0 by chance alone, and replicates lie higher still.
        Metric::Ece | Metric::Mce => {
            if !out.intervals.is_empty() {
                out.warnings.push(Warning::new(
                    Code::BiasedUpwards,
                    format!(
                        "{} is above 0 by chance alone where calibration is perfect, and its bootstrap \
                     intervals do not hold 0 then; judge calibration by slope, intercept and in the large",
                        metric.id()
                    ),
                ));
            }
        }
        _ => warn_about_small_class(sample, metric.id(), out),
    }
}

/// Adds an interval in closed form.
fn push_closed(out: &mut Estimate, metric: Metric, method: By, sample: &Sample<'_>, plan: &Plan, value: f64) {
    if method == By::Hoeffding {
        let units = independent_terms(sample);
        let limits = (units > 0).then(|| proportion::hoeffding(value, units, plan.level));
        return push(out, method, plan, limits, "one patient holds more than all cases");
    }
    let (least, most) = metric.range();
    let limits = out.standard_error.map(|se| {
        let half = z_two_sided(plan.level) * se;
        ((value - half).max(least), (value + half).min(most))
    });
    push(out, method, plan, limits, "there is no standard error");
}

/// How many independent terms a mean over the cases is worth, at least: cases in the order of their patients,
/// dealt in turn to as many hands as the largest patient has cases, give hands of independent cases, none of
/// which is smaller than this (the argument of Hoeffding 1963, section 5d).
fn independent_terms(sample: &Sample<'_>) -> u64 {
    let n = sample.labels.len() as u64;
    let Some(patients) = sample.patients else { return n };
    let (dense, count) = ranks::dense_ids(patients);
    let mut cases = vec![0_u64; count];
    for patient in dense {
        cases[patient as usize] += 1;
    }
    n / cases.into_iter().max().unwrap_or(1)
}

/// An interval that collapsed to a point: another one beside it where one exists, else none at all and the
/// reason.
fn guard_weighted(metric: Metric, sample: &Sample<'_>, plan: &Plan, value: f64, out: &mut Estimate) {
    let exact = match metric {
        Metric::PartialAuc => exact_partial_auc(sample, plan),
        Metric::AveragePrecision => exact_average_precision(sample, plan.level),
        _ => None,
    };
    if let Some(limits) = exact {
        out.warnings.push(Warning::new(
            Code::NoSpread,
            "an interval collapsed to a point; the Clopper-Pearson interval carries exact limits of \
             the sensitivity and the specificity at a negative of fixed rank through the curve",
        ));
        return push(out, By::ClopperPearson, plan, Some(limits), "");
    }
    let beside = match metric {
        Metric::Brier => Some(By::Hoeffding),
        Metric::CalibrationSlope | Metric::CalibrationIntercept | Metric::CalibrationInTheLarge => {
            Some(By::Wald)
        }
        _ => None,
    };
    if let Some(method) = beside.filter(|m| !out.intervals.iter().any(|i| i.method == *m)) {
        push_closed(out, metric, method, sample, plan, value);
    }
    if out.intervals.iter().any(|i| !i.is_point()) {
        let method = beside.map_or("another method", |m| m.describe(out.quantity()));
        out.warnings.push(Warning::new(Code::NoSpread, format!(
            "the cases do not vary in what this counts, so an interval collapsed to a point; the interval \
             by {method} does not rest on that"
        )));
        return;
    }
    let why = match metric {
        Metric::LogLoss => {
            "all terms are alike, and terms without a bound have no interval that rests on nothing else \
             (Bahadur and Savage 1956)"
        }
        _ => "every replicate gave one value, and there is no interval that does not rest on replicates",
    };
    for interval in std::mem::take(&mut out.intervals) {
        out.warnings.push(Warning::new(
            Code::IntervalNotEvaluable,
            format!("no interval by {}: it is a point: {why}", interval.method.describe(Quantity::Projected)),
        ));
    }
}

/// Counts of independent units for bounds at the negative of rank `rank` (1 is the highest): (positives at or
/// above it, positives), where several cases of one patient count once: a patient's positives are at or above
/// when all (for lower bounds) or any (for upper bounds) of them are.
fn positives_above(sample: &Sample<'_>, cut: f64, strictly: bool, any: bool) -> (u64, u64) {
    let own: Vec<u32>;
    let patients = match sample.patients {
        Some(patients) => patients,
        None => {
            own = (0..sample.labels.len() as u32).collect();
            &own
        }
    };
    let (dense, count) = ranks::dense_ids(patients);
    let mut seen: Vec<Option<bool>> = vec![None; count];
    for ((&patient, &label), &score) in dense.iter().zip(sample.labels).zip(sample.scores) {
        if label {
            let above = if strictly { score > cut } else { score >= cut };
            let so_far = &mut seen[patient as usize];
            *so_far = Some(match *so_far {
                None => above,
                Some(before) if any => before || above,
                Some(before) => before && above,
            });
        }
    }
    let positives = seen.iter().flatten();
    (positives.clone().filter(|a| **a).count() as u64, positives.count() as u64)
}

/// The highest score of each patient's (or case's) negatives, descending: independent draws that lie at or
/// above those of the cases.
fn highest_negatives(sample: &Sample<'_>, lowest: bool) -> Vec<f64> {
    let mut best: std::collections::BTreeMap<u32, f64> = std::collections::BTreeMap::new();
    for (i, (&label, &score)) in sample.labels.iter().zip(sample.scores).enumerate() {
        if !label {
            let unit = sample.patients.map_or(i as u32, |p| p[i]);
            let entry = best.entry(unit).or_insert(score);
            *entry = if lowest { entry.min(score) } else { entry.max(score) };
        }
    }
    let mut out: Vec<f64> = best.into_values().collect();
    out.sort_unstable_by(|a, b| b.total_cmp(a));
    out
}

/// Lowest sensitivity above the highest negative, and the most negatives that can lie above it: exact
/// one-sided bounds at a quarter of the error each. The share of negatives above the highest of n has the law
/// Beta(1, n), which is the Clopper-Pearson bound of 0 of n.
fn bound_above_negatives(sample: &Sample<'_>, level: f64) -> Option<(f64, f64)> {
    let negatives = highest_negatives(sample, false);
    let each = (1.0 + level) / 2.0;
    let (above, positives) = positives_above(sample, *negatives.first()?, true, false);
    let sensitivity = exact_share(above, positives, each).0;
    Some((sensitivity, exact_share(0, negatives.len() as u64, each).1))
}

/// Exact limits of the standardised partial area, conservative: below, the curve is at least the sensitivity
/// bound from the highest negative on; above, it is at most the bound at the first negative whose rank is
/// certain to lie beyond the rate.
fn exact_partial_auc(sample: &Sample<'_>, plan: &Plan) -> Option<(f64, f64)> {
    let bound = plan.partial_fpr;
    let (sensitivity, rate) = bound_above_negatives(sample, plan.level)?;
    let lower = sensitivity * (bound - rate).max(0.0);
    let negatives = highest_negatives(sample, true);
    let each = (1.0 + plan.level) / 2.0;
    let n = negatives.len() as u64;
    let least = |rank: u64| exact_share(rank, n, each).0;
    let rank = (1..=n).find(|&rank| least(rank) >= bound).unwrap_or(n);
    let (above, positives) = positives_above(sample, negatives[rank as usize - 1], false, true);
    let most = exact_share(above, positives, each).1;
    let reached = least(rank).min(bound);
    let upper = most * reached + (bound - reached);
    Some((roc::mcclish(lower, bound).clamp(0.0, 1.0), roc::mcclish(upper, bound).clamp(0.0, 1.0)))
}

/// Exact limits of average precision at the sample's prevalence, conservative: precision at recall r is at
/// least pr/(pr + (1 − p)f), where f is the bound on the rate above the highest negative up to the
/// sensitivity bound, and 1 beyond.
pub(super) fn exact_average_precision(sample: &Sample<'_>, level: f64) -> Option<(f64, f64)> {
    let (sensitivity, rate) = bound_above_negatives(sample, level)?;
    let m = sample.labels.iter().filter(|&&l| l).count() as f64;
    let odds = (sample.labels.len() as f64 - m) / m;
    // Integral of r/(r + c) from 0 to x.
    let area = |x: f64, c: f64| if c > 0.0 { x - c * (x / c).ln_1p() } else { x };
    let lower = area(sensitivity, odds * rate) + area(1.0, odds) - area(sensitivity, odds);
    Some((lower.clamp(0.0, 1.0), 1.0))
}

fn why_not_weighted(metric: Metric, sample: &Sample<'_>, positives: u64) -> String {
    if positives == 0 {
        return "there is no positive case".into();
    }
    if positives == sample.labels.len() as u64 {
        return "there is no negative case".into();
    }
    match metric {
        Metric::LogLoss => "probability zero was given to what occurred".into(),
        Metric::CalibrationSlope | Metric::CalibrationIntercept | Metric::CalibrationInTheLarge => {
            if sample.scores.iter().any(|&s| s <= 0.0 || s >= 1.0) {
                "a score of 0 or 1 has no logit".into()
            } else {
                "the scores are constant or separate the classes: there is no finite fit".into()
            }
        }
        _ => "it is undefined for these cases".into(),
    }
}

fn standard_error_of(metric: Metric, sample: &Sample<'_>) -> Option<f64> {
    let (labels, scores) = (sample.labels, sample.scores);
    let terms = |term: fn(f64) -> f64| -> Vec<f64> {
        labels.iter().zip(scores).map(|(&l, &s)| term(if l { 1.0 - s } else { s })).collect()
    };
    match metric {
        Metric::Brier => calibration::mean_standard_error(&terms(|miss| miss * miss)),
        Metric::LogLoss => calibration::mean_standard_error(&terms(|miss| -(-miss).ln_1p())),
        Metric::CalibrationSlope => {
            calibration::recalibrate(labels, scores, None).map(|r| r.slope.standard_error)
        }
        Metric::CalibrationIntercept => {
            calibration::recalibrate(labels, scores, None).map(|r| r.intercept.standard_error)
        }
        Metric::CalibrationInTheLarge => {
            calibration::in_the_large(labels, scores, None).map(|c| c.standard_error)
        }
        _ => None,
    }
}

/// Distinct scores with their cases, so that a replicate is weighed without sorting.
pub(super) struct WeightedGroups {
    /// (group, label) of each case.
    place: Vec<(u32, bool)>,
    keys: Vec<u64>,
}

impl WeightedGroups {
    pub(super) fn new(labels: &[bool], scores: &[f64]) -> Self {
        let keys: Vec<u64> = ranks::groups(labels, scores).iter().map(|g| g.key).collect();
        let place = labels
            .iter()
            .zip(scores)
            .map(|(&l, &s)| (keys.partition_point(|k| *k < ranks::key(s)) as u32, l))
            .collect();
        Self { place, keys }
    }

    pub(super) fn weigh(&self, weights: Option<&[u32]>) -> Vec<ranks::Group> {
        let mut groups: Vec<ranks::Group> =
            self.keys.iter().map(|&key| ranks::Group { key, positives: 0, negatives: 0 }).collect();
        for (case, &(group, label)) in self.place.iter().enumerate() {
            let weight = weights.map_or(1, |w| u64::from(w[case]));
            let group = &mut groups[group as usize];
            if label { group.positives += weight } else { group.negatives += weight }
        }
        groups.retain(|g| g.positives + g.negatives > 0);
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_above_with_all_positives_for_a_lower_bound_and_with_any_for_an_upper_one() {
        let labels = [true, true, true, true, true, false];
        let scores = [0.9, 0.1, 0.9, 0.5, 0.1, 0.9];
        let patients = [7, 7, 3, 3, 5, 5];
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        let of = |strictly, any| positives_above(&sample, 0.5, strictly, any);
        assert_eq!((of(false, false), of(true, false)), ((1, 3), (0, 3)));
        assert_eq!((of(false, true), of(true, true)), ((2, 3), (2, 3)));
        let alone = Sample { patients: None, ..sample };
        assert_eq!(positives_above(&alone, 0.5, false, false), (3, 5));
        assert_eq!(positives_above(&alone, 0.5, true, true), (2, 5));
    }
}
