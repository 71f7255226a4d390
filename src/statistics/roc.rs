//! The ROC and the precision-recall curve, and the areas that are read from them. The full area with its
//! variances is in `auc`.
//!
//! Ties between a positive and a negative count half, and the direction is never flipped: higher
//! scores mean positive.

use serde::{Deserialize, Serialize};

use crate::ranks::{Group, groups, score_of};
use crate::special::CompensatedSum;

/// One operating point of the ROC curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct RocPoint {
    /// Positive is score >= threshold; `None` at (0, 0), where nothing is called positive.
    pub threshold: Option<f64>,
    /// 1 - specificity.
    pub fpr: f64,
    /// Sensitivity.
    pub tpr: f64,
}

/// One operating point of the precision-recall curve, at the sample's prevalence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct PrecisionRecallPoint {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// Sensitivity.
    pub recall: f64,
    /// Positive predictive value.
    pub precision: f64,
}

/// The ROC curve from (0, 0) to (1, 1), without the points that lie on a straight line between their
/// neighbours. Empty when a class is empty.
pub fn roc_points(labels: &[bool], scores: &[f64]) -> Vec<RocPoint> {
    let groups = groups(labels, scores);
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    let n: u64 = groups.iter().map(|g| g.negatives).sum();
    if m == 0 || n == 0 {
        return Vec::new();
    }
    // (false positives, true positives, threshold)
    let mut corners: Vec<(u64, u64, Option<f64>)> = vec![(0, 0, None)];
    let (mut fp, mut tp) = (0, 0);
    for g in groups.iter().rev() {
        fp += g.negatives;
        tp += g.positives;
        if let [.., before, last] = corners[..] {
            let straight = u128::from(last.0 - before.0) * u128::from(tp - last.1)
                == u128::from(last.1 - before.1) * u128::from(fp - last.0);
            if straight {
                corners.pop();
            }
        }
        corners.push((fp, tp, Some(score_of(g.key))));
    }
    let point = |(fp, tp, threshold): (u64, u64, Option<f64>)| RocPoint {
        threshold,
        fpr: fp as f64 / n as f64,
        tpr: tp as f64 / m as f64,
    };
    corners.into_iter().map(point).collect()
}

/// Partial area (McClish 1989) over false positive rates 0..`max_fpr` (0 < max_fpr <= 1), trapezoids, linear
/// at the bound; in 0..=`max_fpr`. None when a class is empty.
pub fn partial_area(labels: &[bool], scores: &[f64], max_fpr: f64) -> Option<f64> {
    partial_area_of(&groups(labels, scores), max_fpr)
}

pub(crate) fn partial_area_of(groups: &[Group], max_fpr: f64) -> Option<f64> {
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    let n: u64 = groups.iter().map(|g| g.negatives).sum();
    if m == 0 || n == 0 {
        return None;
    }
    let (mf, nf) = (m as f64, n as f64);
    let bound = max_fpr * nf;
    let (mut fp, mut tp, mut doubled) = (0_u64, 0_u64, 0_u128);
    for g in groups.iter().rev() {
        let next = fp + g.negatives;
        if next as f64 > bound {
            let width = bound - fp as f64;
            let rise = g.positives as f64 * width / g.negatives as f64;
            let rest = width * (2.0 * tp as f64 + rise);
            return Some((doubled as f64 + rest) / (2.0 * mf * nf));
        }
        doubled += u128::from(g.negatives) * u128::from(2 * tp + g.positives);
        fp = next;
        tp += g.positives;
    }
    Some(doubled as f64 / (2.0 * mf * nf))
}

/// What each case adds to the partial area, as [`crate::auc::placements`] are what each adds to the whole
/// one: of a positive the false positives, up to `max_fpr` of the negatives, at which it is called already
/// (their mean over the positives, divided by the number of negatives, is the partial area); of a negative
/// its placement where it is among those false positives, with the part of it that is where it is tied.
pub fn partial_placements(labels: &[bool], scores: &[f64], max_fpr: f64) -> Vec<f64> {
    let n = labels.iter().filter(|l| !**l).count() as u64;
    let bound = max_fpr * n as f64;
    let whole = crate::auc::placements(labels, scores);
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&i, &j| scores[j].total_cmp(&scores[i]));
    let (mut out, mut above) = (vec![0.0; labels.len()], 0_u64);
    for tied in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
        let here = tied.iter().filter(|i| !labels[**i]).count() as u64;
        let (width, left) = (here as f64, bound - above as f64);
        for &i in tied {
            out[i] = match labels[i] {
                true if width <= left => left - width / 2.0,
                true if left <= 0.0 => 0.0,
                true => left.powi(2) / (2.0 * width),
                false => (left / width).clamp(0.0, 1.0) * whole[i] as f64,
            };
        }
        above += here;
    }
    out
}

/// McClish's (1989) standardisation of a partial area to ½ for chance and 1 for perfection.
pub fn mcclish(partial: f64, max_fpr: f64) -> f64 {
    let least = max_fpr * max_fpr / 2.0;
    (1.0 + (partial - least) / (max_fpr - least)) / 2.0
}

/// Average precision Σ (Rₖ − Rₖ₋₁)·Pₖ over descending distinct scores, without interpolation (Davis and
/// Goadrich 2006 say why none); in (0, 1]. None without positives.
pub fn average_precision(labels: &[bool], scores: &[f64]) -> Option<f64> {
    average_precision_of(&groups(labels, scores))
}

pub(crate) fn average_precision_of(groups: &[Group]) -> Option<f64> {
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    if m == 0 {
        return None;
    }
    let (mut tp, mut called) = (0_u64, 0_u64);
    let mut sum = CompensatedSum::default();
    for g in groups.iter().rev() {
        tp += g.positives;
        called += g.positives + g.negatives;
        if g.positives > 0 {
            sum.add(g.positives as f64 * (tp as f64 / called as f64));
        }
    }
    Some(sum.total() / m as f64)
}

/// One point of the precision-recall curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecall {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// Sensitivity.
    pub recall: f64,
    /// Positive predictive value in this sample.
    pub precision: f64,
}

/// The precision-recall curve, by descending threshold. Empty without positives.
pub fn precision_recall_points(labels: &[bool], scores: &[f64]) -> Vec<PrecisionRecall> {
    let groups = groups(labels, scores);
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    let (mut tp, mut called) = (0_u64, 0_u64);
    let mut out = Vec::with_capacity(if m == 0 { 0 } else { groups.len() });
    for g in groups.iter().rev().filter(|_| m > 0) {
        tp += g.positives;
        called += g.positives + g.negatives;
        out.push(PrecisionRecall {
            threshold: score_of(g.key),
            recall: tp as f64 / m as f64,
            precision: tp as f64 / called as f64,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc::auc;
    use proptest::prelude::*;

    fn sample() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
        prop::collection::vec((any::<bool>(), 0..12_i32), 4..40)
            .prop_map(|v| v.into_iter().map(|(l, s)| (l, f64::from(s) / 8.0 - 0.5)).unzip())
    }

    proptest! {
        #[test]
        fn the_area_under_the_roc_points_is_the_auc((labels, scores) in sample()) {
            let points = roc_points(&labels, &scores);
            let area: f64 = points
                .windows(2)
                .map(|w| (w[1].fpr - w[0].fpr) * (w[1].tpr + w[0].tpr) / 2.0)
                .sum();
            if let Some(auc) = auc(&labels, &scores) {
                prop_assert!((area - auc).abs() < 1e-13);
                prop_assert!((partial_area(&labels, &scores, 1.0).expect("area") - auc).abs() < 1e-13);
            }
        }

        #[test]
        fn what_each_positive_adds_is_the_partial_area((labels, scores) in sample(), most in 0.05..1.0_f64) {
            let added = partial_placements(&labels, &scores, most);
            let own = || labels.iter().filter(|l| **l).count() as f64;
            if let Some(area) = partial_area(&labels, &scores, most) {
                let sum: f64 = added.iter().zip(&labels).filter(|(_, l)| **l).map(|(a, _)| a).sum();
                let negatives = labels.len() as f64 - own();
                prop_assert!((sum / own() / negatives - area).abs() < 1e-12, "{sum} {area}");
                // The whole curve: what each negative adds is its placement.
                let whole = partial_placements(&labels, &scores, 1.0);
                let placed = crate::auc::placements(&labels, &scores);
                for i in (0..labels.len()).filter(|i| !labels[*i]) {
                    prop_assert_eq!(whole[i], placed[i] as f64);
                }
            }
        }
    }
}
