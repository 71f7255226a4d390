//! Leave-one-unit-out values, for the acceleration of BCa intervals.

use rayon::prelude::*;

use crate::bootstrap::resampler::Resampler;
use crate::confusion::Confusion;
use crate::estimate::ResamplingUnit;
use crate::ranks::key;

/// Leave-one-unit-out values of the AUC, in closed form from the placements: each with how many units
/// give it. Empty when a class is empty; units whose removal empties a class are left out.
pub fn auc_jackknife(resampler: &Resampler, labels: &[bool], scores: &[f64]) -> Vec<(f64, u64)> {
    #[derive(Clone, Default)]
    struct Leaf {
        positives: Vec<u64>,
        negatives: Vec<u64>,
        placements: u128,
    }
    let placements = crate::auc::placements(labels, scores);
    let m = labels.iter().filter(|&&l| l).count() as u64;
    let n = labels.len() as u64 - m;
    let wins: u128 = placements.iter().zip(labels).filter(|(_, l)| **l).map(|(&p, _)| u128::from(p)).sum();
    if matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified) {
        let without = placements.iter().zip(labels).filter_map(|(&placement, &label)| {
            let (kept_m, kept_n) = if label { (m.checked_sub(1)?, n) } else { (m, n.checked_sub(1)?) };
            let kept = wins - u128::from(placement);
            (kept_m > 0 && kept_n > 0).then(|| (kept as f64 / (2.0 * kept_m as f64 * kept_n as f64), 1))
        });
        return without.collect();
    }
    let (units, unit_of_leaf) = outer_units(resampler);
    let mut leaves = vec![Leaf::default(); units];
    for (case, (&leaf, &label)) in resampler.leaf_of_case.iter().zip(labels).enumerate() {
        let leaf = &mut leaves[unit_of_leaf[leaf as usize] as usize];
        leaf.placements += u128::from(placements[case]);
        if label { leaf.positives.push(key(scores[case])) } else { leaf.negatives.push(key(scores[case])) }
    }
    let mut out = Vec::with_capacity(units);
    for leaf in &leaves {
        let (kept_m, kept_n) = (m - leaf.positives.len() as u64, n - leaf.negatives.len() as u64);
        if kept_m == 0 || kept_n == 0 {
            continue;
        }
        // Pairs inside the unit are in both sums of placements.
        let mut inside = 0_u128;
        for p in &leaf.positives {
            for q in &leaf.negatives {
                inside += match p.cmp(q) {
                    std::cmp::Ordering::Greater => 2,
                    std::cmp::Ordering::Equal => 1,
                    std::cmp::Ordering::Less => 0,
                };
            }
        }
        let kept = wins + inside - leaf.placements;
        out.push((kept as f64 / (2.0 * kept_m as f64 * kept_n as f64), 1));
    }
    out
}

/// Leave-one-unit-out values of a number made from the 2×2 table.
pub fn confusion_jackknife(
    resampler: &Resampler,
    labels: &[bool],
    calls: &[bool],
    statistic: impl Fn(&Confusion) -> Option<f64>,
) -> Vec<(f64, u64)> {
    let mut table = Confusion::default();
    let mut tables = vec![Confusion::default(); resampler.leaves];
    for ((&leaf, &label), &call) in resampler.leaf_of_case.iter().zip(labels).zip(calls) {
        table.count(label, call);
        tables[leaf as usize].count(label, call);
    }
    if resampler.unit == ResamplingUnit::SiteThenPatient {
        let leaves = std::mem::take(&mut tables);
        for block in &resampler.blocks {
            let mut site = Confusion::default();
            for &leaf in block {
                site = plus(site, leaves[leaf as usize]);
            }
            tables.push(site);
        }
    }
    let key = |t: &Confusion| [t.true_positives, t.false_negatives, t.false_positives, t.true_negatives];
    tables.sort_unstable_by_key(key);
    let mut out = Vec::new();
    for same in tables.chunk_by(|a, b| a == b) {
        let kept = Confusion {
            true_positives: table.true_positives - same[0].true_positives,
            false_negatives: table.false_negatives - same[0].false_negatives,
            false_positives: table.false_positives - same[0].false_positives,
            true_negatives: table.true_negatives - same[0].true_negatives,
        };
        if let Some(value) = statistic(&kept) {
            out.push((value, same.len() as u64));
        }
    }
    out
}

fn plus(a: Confusion, b: Confusion) -> Confusion {
    Confusion {
        true_positives: a.true_positives + b.true_positives,
        false_negatives: a.false_negatives + b.false_negatives,
        false_positives: a.false_positives + b.false_positives,
        true_negatives: a.true_negatives + b.true_negatives,
    }
}

/// Leave-one-unit-out values of any statistic of weighted cases, by brute force: one evaluation a unit.
pub fn weighted_jackknife(
    resampler: &Resampler,
    statistic: impl Fn(&[u32]) -> Option<f64> + Sync + Send,
) -> Vec<(f64, u64)> {
    let (units, unit_of_leaf) = outer_units(resampler);
    let values: Vec<Option<f64>> = (0..units as u32)
        .into_par_iter()
        .map_init(
            || vec![1_u32; resampler.leaf_of_case.len()],
            |weights, removed| {
                for (weight, &leaf) in weights.iter_mut().zip(&resampler.leaf_of_case) {
                    *weight = u32::from(unit_of_leaf[leaf as usize] != removed);
                }
                statistic(weights)
            },
        )
        .collect();
    values.into_iter().flatten().map(|v| (v, 1)).collect()
}

/// How many units the acceleration leaves out one by one, and the unit of each leaf. Two-stage resampling is
/// accelerated by its outer unit.
fn outer_units(resampler: &Resampler) -> (usize, Vec<u32>) {
    if resampler.unit != ResamplingUnit::SiteThenPatient {
        return (resampler.leaves, (0..resampler.leaves as u32).collect());
    }
    let mut unit_of_leaf = vec![0; resampler.leaves];
    for (site, block) in (0_u32..).zip(&resampler.blocks) {
        for &leaf in block {
            unit_of_leaf[leaf as usize] = site;
        }
    }
    (resampler.blocks.len(), unit_of_leaf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc::auc;
    use crate::bootstrap::resampler::Cases;
    use crate::calibration::brier;

    #[test]
    fn site_then_patient_leaves_out_whole_sites() {
        let labels = [true, false, true, false, true, false, false, true, false];
        let scores = [0.9, 0.4, 0.3, 0.3, 0.7, 0.8, 0.1, 0.6, 0.5];
        let patients = [0, 0, 1, 2, 3, 3, 4, 5, 6];
        let sites = [0, 0, 0, 1, 1, 1, 2, 2, 2];
        let cases = Cases { labels: &labels, patients: Some(&patients), sites: Some(&sites) };
        let resampler = Resampler::new(ResamplingUnit::SiteThenPatient, &cases).expect("resampler");
        let without = |site: u32| -> (Vec<bool>, Vec<f64>) {
            (0..labels.len()).filter(|&i| sites[i] != site).map(|i| (labels[i], scores[i])).unzip()
        };
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        // One value a site, and not one a patient.
        let expanded = |found: Vec<(f64, u64)>| {
            sorted(found.into_iter().flat_map(|(v, times)| std::iter::repeat_n(v, times as usize)).collect())
        };
        let by_hand = |statistic: &dyn Fn(&[bool], &[f64]) -> f64| {
            sorted((0..3).map(without).map(|(l, s)| statistic(&l, &s)).collect())
        };
        let aucs = expanded(auc_jackknife(&resampler, &labels, &scores));
        assert_eq!(aucs, by_hand(&|l, s| auc(l, s).expect("auc")));
        let calls = scores.map(|s| s >= 0.5);
        let accuracy = |t: &Confusion| {
            let (k, n) = t.accuracy();
            Some(k as f64 / n as f64)
        };
        let accuracies = expanded(confusion_jackknife(&resampler, &labels, &calls, accuracy));
        let right = |l: &[bool], s: &[f64]| {
            l.iter().zip(s).filter(|(l, s)| **l == (**s >= 0.5)).count() as f64 / l.len() as f64
        };
        assert_eq!(accuracies, by_hand(&right));
        let briers = expanded(weighted_jackknife(&resampler, |w| brier(&labels, &scores, Some(w))));
        for (found, expected) in briers.iter().zip(by_hand(&|l, s| brier(l, s, None).expect("brier"))) {
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
        assert_eq!(briers.len(), 3);
    }
}
