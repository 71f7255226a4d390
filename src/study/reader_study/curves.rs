//! ROC curves of every reader, and averaged over readers.

use std::collections::BTreeSet;

use crate::reads::ratings::Ratings;
use crate::statistics::roc::roc_points;
use crate::study::results::ReaderCurve;

/// More points than this are read off at so many equal steps of the false positive rate.
const MOST_POINTS: usize = 200;

/// The curve of every reader in every modality, and the mean of each modality: sensitivities averaged at each
/// false positive rate, so that its area is the mean of the readers' areas.
pub(super) fn curves(ratings: &Ratings) -> Vec<ReaderCurve> {
    let mut out = Vec::new();
    for modality in &ratings.modalities {
        let mut own: Vec<Vec<(f64, f64)>> = Vec::new();
        for reader in &ratings.readers {
            let (mut labels, mut scores) = (Vec::new(), Vec::new());
            for ([m, r, case], rating) in ratings.rated() {
                if m == modality && r == reader {
                    labels.push(ratings.truth(case).unwrap_or_default());
                    scores.push(rating);
                }
            }
            let points: Vec<(f64, f64)> =
                roc_points(&labels, &scores).iter().map(|point| (point.fpr, point.tpr)).collect();
            if points.is_empty() {
                continue;
            }
            out.push(ReaderCurve {
                modality: modality.clone(),
                reader: Some(reader.clone()),
                points: thinned(&points),
            });
            own.push(points);
        }
        if own.len() > 1 {
            let grid: BTreeSet<u64> = own.iter().flatten().map(|(fpr, _)| fpr.to_bits()).collect();
            let mean = |end: bool, fpr: f64| {
                own.iter().map(|points| at(points, fpr, end)).sum::<f64>() / own.len() as f64
            };
            let mut points = Vec::new();
            // A curve may rise at one rate: both ends of the step are points.
            for fpr in grid.into_iter().map(f64::from_bits) {
                let ends = [mean(false, fpr), mean(true, fpr)];
                points.push((fpr, ends[0]));
                if ends[1] > ends[0] {
                    points.push((fpr, ends[1]));
                }
            }
            out.push(ReaderCurve { modality: modality.clone(), reader: None, points: thinned(&points) });
        }
    }
    out
}

/// The height of a curve at a false positive rate: where it rises there, the foot or the top of the step.
fn at(points: &[(f64, f64)], fpr: f64, top: bool) -> f64 {
    let here: Vec<f64> = points.iter().filter(|point| point.0 == fpr).map(|point| point.1).collect();
    if let (Some(first), Some(last)) = (here.first(), here.last()) {
        return if top { *last } else { *first };
    }
    let after = points.partition_point(|point| point.0 < fpr);
    let (Some(left), Some(right)) = (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after))
    else {
        return points.last().map_or(0.0, |point| point.1);
    };
    left.1 + (fpr - left.0) / (right.0 - left.0) * (right.1 - left.1)
}

fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let steps = MOST_POINTS / 2;
    let mut out = vec![(0.0, 0.0)];
    out.extend((0..=steps).map(|step| {
        let fpr = step as f64 / steps as f64;
        (fpr, at(points, fpr, true))
    }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_curve_has_the_mean_of_the_areas() {
        let cases = [("A", true), ("B", true), ("C", false), ("D", false), ("E", true), ("F", false)];
        let mut ratings = Ratings::of_cases(cases.map(|(id, positive)| (id, positive, None)));
        for (reader, rates) in
            [("R1", [5.0, 2.0, 1.0, 3.0, 3.0, 2.0]), ("R2", [1.0, 4.0, 2.0, 2.0, 5.0, 1.0])]
        {
            for ((case, _), rating) in cases.iter().zip(rates) {
                assert!(ratings.add([reader, case, "unaided"], rating));
            }
        }
        let curves = curves(&ratings);
        let area = |points: &[(f64, f64)]| -> f64 {
            points.windows(2).map(|two| (two[1].0 - two[0].0) * (two[1].1 + two[0].1) / 2.0).sum()
        };
        let areas: Vec<f64> = curves.iter().map(|curve| area(&curve.points)).collect();
        let aucs = ratings.study(&[0]).expect("a study").aucs()[0].clone();
        assert_eq!(curves.iter().filter(|curve| curve.reader.is_none()).count(), 1);
        for (area, auc) in areas.iter().zip(&aucs) {
            assert!((area - auc).abs() < 1e-12);
        }
        assert!((areas[2] - (aucs[0] + aucs[1]) / 2.0).abs() < 1e-12);
    }
}
