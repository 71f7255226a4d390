//! Two models on the same cases: the difference of their AUCs, and McNemar's test of their calls.

use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::estimate::{Estimate, IntervalMethod as By};
use crate::mcnemar;
use crate::mcnemar::McNemar;
use crate::metric::auc::{disjoint_pairs, exact_share};
use crate::metric::intervals::*;
use crate::metric::kind::Metric;
use crate::metric::plan::*;
use crate::special::{normal_two_sided, z_two_sided};
use crate::warning::Warning;
use crate::{auc, proportion, ranks};
use sequester_diagnostic::Code;

/// AUC of the sample's scores minus AUC of `other` scores on the same cases: `auc_difference`, with the p
/// value of the first method that has a variance. Methods: `delong`, `obuchowski` (patients), the bootstrap.
pub fn estimate_difference(sample: &Sample<'_>, other: &[f64], plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: "auc_difference".into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        ..Estimate::default()
    };
    let second = Sample { scores: other, ..*sample };
    if let Some(reason) = unusable(Metric::Auc, sample, None).or_else(|| unusable(Metric::Auc, &second, None))
    {
        out.not_evaluable = Some(reason);
        return out;
    }
    let Some(independent) = auc::paired(sample.labels, sample.scores, other, None) else {
        let which = if out.positives == 0 { "positive" } else { "negative" };
        out.not_evaluable = Some(format!("there is no {which} case"));
        return out;
    };
    let value = independent.difference;
    out.value = Some(value);
    let still = is_still(sample, other);
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in &plan.methods {
        if matches!(method, By::Delong | By::Obuchowski) {
            let variance = match (method, sample.patients) {
                (By::Obuchowski, Some(patients)) => {
                    auc::paired(sample.labels, sample.scores, other, Some(patients))
                        .and_then(|p| p.difference_variance)
                }
                _ => independent.difference_variance,
            };
            let se = variance.filter(|v| *v > 0.0 && !still).map(f64::sqrt);
            if let Some(se) = se.filter(|_| out.standard_error.is_none()) {
                out.standard_error = Some(se);
                out.p_value = Some(normal_two_sided(value / se));
            }
            let limits = se.map(|se| {
                let half = z_two_sided(plan.level) * se;
                ((value - half).max(-1.0), (value + half).min(1.0))
            });
            let why = if still {
                "the cases of a class do not vary in how the two scores place them"
            } else {
                "the difference has no variance to estimate"
            };
            push(&mut out, method, plan, limits, why);
        } else if method.draws_replicates() {
            let resampler = || Resampler::new(plan.unit, &cases_of(sample));
            let drawn = replicates.get_or_insert_with(|| {
                Ok(bootstrap::auc_difference(
                    &resampler()?,
                    sample.labels,
                    sample.scores,
                    other,
                    plan.replicates,
                    plan.seed,
                ))
            });
            push_bootstrap(&mut out, method, plan, value, drawn, || {
                resampler().map_or(Vec::new(), |r| {
                    let first = bootstrap::auc_jackknife(&r, sample.labels, sample.scores);
                    let second = bootstrap::auc_jackknife(&r, sample.labels, other);
                    first.iter().zip(&second).map(|(a, b)| (a.0 - b.0, a.1)).collect()
                })
            });
        }
    }
    if out.intervals.iter().any(|i| i.is_point()) || still && !plan.methods.is_empty() {
        match exact_difference(sample, other, value, plan.level) {
            Some((pairs, limits)) => {
                out.warnings.push(Warning::new(
                    Code::NoSpread,
                    format!(
                        "the two scores differ alike in every pair of a positive and a negative, so an \
                     interval collapsed to a point; the Clopper-Pearson interval is the exact one of \
                     {pairs} disjoint pairs"
                    ),
                ));
                push(&mut out, By::ClopperPearson, plan, Some(limits), "");
            }
            None => {
                let units = independent_pairs(sample);
                out.warnings.push(Warning::new(
                    Code::NoSpread,
                    format!(
                        "an interval collapsed to a point; the Hoeffding interval holds for any law of the \
                     scores, from {units} independent pairs of a positive and a negative"
                    ),
                ));
                let limits = hoeffding_of_difference(sample, value, plan.level).unwrap_or((-1.0, 1.0));
                push(&mut out, By::Hoeffding, plan, Some(limits), "");
            }
        }
    }
    warn_about_small_class(sample, "the difference", &mut out);
    warn_beyond_range((-1.0, 1.0), &mut out);
    warn_about_clusters(Metric::Auc, has_clusters(sample).is_some(), false, sample, &mut out);
    out
}

/// Limits of a difference of AUCs that hold for any law of the scores (Hoeffding 1963), from the number of
/// independent pairs of a positive and a negative; none without such a pair.
pub fn hoeffding_of_difference(sample: &Sample<'_>, value: f64, level: f64) -> Option<(f64, f64)> {
    let units = independent_pairs(sample);
    // The kernel lies in −1..1.
    let limits = (units > 0).then(|| proportion::hoeffding((value + 1.0) / 2.0, units, level));
    limits.map(|(lower, upper)| (2.0 * lower - 1.0, 2.0 * upper - 1.0))
}

/// Whether all cases of a class are placed differently by the same amount: then a variance, a test or a
/// bootstrap sees the spread of the other class alone.
fn is_still(sample: &Sample<'_>, other: &[f64]) -> bool {
    let first = auc::placements(sample.labels, sample.scores);
    let second = auc::placements(sample.labels, other);
    let differences = |label: bool| {
        let of = (0..first.len()).filter(move |&i| sample.labels[i] == label);
        of.map(|i| first[i] as i64 - second[i] as i64).collect::<Vec<i64>>()
    };
    [true, false].into_iter().any(|label| differences(label).windows(2).all(|w| w[0] == w[1]))
}

/// How many independent pairs of a positive and a negative a mean over all pairs is worth, at least: the
/// smaller class (Hoeffding 1963, section 5b), divided by what one patient holds of a class; a patient who
/// holds both classes ties three pairs together.
pub(super) fn independent_pairs(sample: &Sample<'_>) -> u64 {
    let positives = sample.labels.iter().filter(|&&l| l).count() as u64;
    let classes = [sample.labels.len() as u64 - positives, positives];
    let Some(patients) = sample.patients else { return classes[0].min(classes[1]) };
    let (dense, count) = ranks::dense_ids(patients);
    let mut cases = vec![[0_u64; 2]; count];
    for (&patient, &label) in dense.iter().zip(sample.labels) {
        cases[patient as usize][usize::from(label)] += 1;
    }
    let hand = |class: usize| classes[class] / cases.iter().map(|c| c[class]).max().unwrap_or(1).max(1);
    let tied = if cases.iter().any(|c| c[0] > 0 && c[1] > 0) { 3 } else { 1 };
    hand(0).min(hand(1)) / tied
}

/// Limits of a difference of AUCs where it is the same in every pair of a positive and a negative: disjoint
/// pairs are independent, so with the exact bound u on the share of pairs that differ otherwise, the
/// difference moves by at most u(1 + |difference|). With the number of pairs; none where pairs are not alike.
fn exact_difference(sample: &Sample<'_>, other: &[f64], value: f64, level: f64) -> Option<(u64, (f64, f64))> {
    let alike = if value.abs() == 1.0 {
        true
    } else {
        // The same order in both scores, ties included.
        let mut order: Vec<usize> = (0..other.len()).collect();
        order.sort_by(|&i, &j| {
            sample.scores[i].total_cmp(&sample.scores[j]).then(other[i].total_cmp(&other[j]))
        });
        value == 0.0
            && order.windows(2).all(|w| {
                let [i, j] = [w[0], w[1]];
                (sample.scores[i] == sample.scores[j]) == (other[i] == other[j]) && other[i] <= other[j]
            })
    };
    if !alike {
        return None;
    }
    let pairs = disjoint_pairs(sample, &auc::auc_sums(sample.labels, sample.scores));
    let reach = exact_share(0, pairs, level).1 * (1.0 + value.abs());
    Some((pairs, ((value - reach).max(-1.0), (value + reach).min(1.0))))
}

/// Accuracy of the sample's calls minus accuracy of the calls of `other` scores at one threshold: `mcnemar`,
/// with the exact p value of McNemar's test; numerator: cases that only the first calls right; denominator:
/// cases on which exactly one is right.
pub fn estimate_mcnemar(sample: &Sample<'_>, other: &[f64], threshold: f64) -> (Estimate, McNemar) {
    let mut out = Estimate {
        id: "mcnemar".into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: Some(threshold),
        ..Estimate::default()
    };
    let second = Sample { scores: other, ..*sample };
    let unusable = |sample: &Sample<'_>| unusable(Metric::Accuracy, sample, Some(threshold));
    if let Some(reason) = unusable(sample).or_else(|| unusable(&second)) {
        out.not_evaluable = Some(reason);
        return (out, McNemar::default());
    }
    let calls = |scores: &[f64]| -> Vec<bool> { scores.iter().map(|&s| s >= threshold).collect() };
    let test = mcnemar::mcnemar(sample.labels, &calls(sample.scores), &calls(other));
    let (b, c) = (test.only_first_correct, test.only_second_correct);
    out.value = Some((b as f64 - c as f64) / out.n as f64);
    out.numerator = Some(b);
    out.denominator = Some(b + c);
    out.p_value = test.exact_p();
    if out.p_value.is_none() {
        out.warnings.push(Warning::new(
            Code::NoDiscordantCase,
            "both are right on the same cases, so there is no test",
        ));
    }
    if has_clusters(sample).is_some() {
        out.warnings.push(Warning::new(
            Code::ClusteringIgnored,
            "McNemar's test treats several cases of one patient as independent",
        ));
    }
    (out, test)
}
