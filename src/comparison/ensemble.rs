//! Weighted averages of several models' scores, and the search for weights.

use crate::statistics::auc;

/// Steps of a weight when weights are searched: a twentieth, a tenth for more than three members.
const STEPS: (usize, usize) = (20, 10);

/// The weighted average of scores, one list a member, one entry a case in each. Terms are added in the order
/// given.
pub fn weighted_average(members: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let cases = members.first().map_or(0, |scores| scores.len());
    (0..cases).map(|i| members.iter().zip(weights).map(|(scores, weight)| weight * scores[i]).sum()).collect()
}

/// The weights with the highest AUC on these cases, from a grid of equal steps; of equals those nearest to
/// equal weights, then the first in order. What comes out fits these cases better than any others.
pub fn search_weights(labels: &[bool], members: &[&[f64]]) -> Vec<f64> {
    let steps = if members.len() <= 3 { STEPS.0 } else { STEPS.1 };
    let mut best: Option<(f64, usize, Vec<usize>)> = None;
    let mut parts = vec![0; members.len()];
    each_composition(&mut parts, 0, steps, &mut |parts| {
        let weights: Vec<f64> = parts.iter().map(|p| *p as f64 / steps as f64).collect();
        let Some(auc) = auc::auc(labels, &weighted_average(members, &weights)) else { return };
        let uneven: usize = parts.iter().map(|p| p * p).sum();
        let better = best.as_ref().is_none_or(|(a, u, _)| auc > *a || (auc == *a && uneven < *u));
        if better {
            best = Some((auc, uneven, parts.to_vec()));
        }
    });
    let chosen = best.map_or(parts, |(_, _, parts)| parts);
    chosen.iter().map(|p| *p as f64 / steps as f64).collect()
}

/// Calls `visit` with every way to divide `rest` among the entries from `at` on.
fn each_composition(parts: &mut [usize], at: usize, rest: usize, visit: &mut dyn FnMut(&[usize])) {
    if at + 1 >= parts.len() {
        if let Some(last) = parts.last_mut() {
            *last = rest;
        }
        return visit(parts);
    }
    for part in 0..=rest {
        parts[at] = part;
        each_composition(parts, at + 1, rest - part, visit);
    }
}
