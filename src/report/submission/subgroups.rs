//! The subgroups of a study's estimates, as tables and figures show them.

use crate::diagnostic::Code;
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::study::results::{Results, Rules};

/// The levels of all subgroups in the order of the results: (variable, level).
pub fn subgroup_levels(results: &Results) -> Vec<(String, String)> {
    let mut levels: Vec<(String, String)> = Vec::new();
    for subgroup in results.estimates.iter().filter_map(|e| e.subgroup.as_ref()) {
        let pair = (subgroup.variable.clone(), subgroup.level.clone());
        if !levels.contains(&pair) {
            levels.push(pair);
        }
    }
    // Levels of one variable stand together, variables in the order they first appear.
    let order: Vec<String> = levels.iter().fold(Vec::new(), |mut order, (variable, _)| {
        if !order.contains(variable) {
            order.push(variable.clone());
        }
        order
    });
    levels.sort_by_key(|(variable, _)| order.iter().position(|v| v == variable));
    levels
}

/// An estimate of the primary scenario in a subgroup, at the sample's prevalence.
pub fn in_subgroup<'a>(results: &'a Results, id: &str, variable: &str, level: &str) -> Option<&'a Estimate> {
    let subgroup = Some(SubgroupLevel::new(variable, level));
    let of = |e: &&Estimate| e.subgroup == subgroup && e.scenario.is_none() && e.prevalence.is_none();
    results.estimates.iter().filter(|e| e.id == id).find(of)
}

/// With fewer cases of a class an exact interval of their share is wider than a half, even if all are right.
const FEW_OF_A_CLASS: u64 = 5;

/// Whether a subgroup is too small to rely on: by the protocol's minimum, or (since 1.1) with too few cases
/// of one class.
pub fn is_insufficient(results: &Results, estimate: &Estimate) -> bool {
    let class = estimate.positives.min(estimate.n.saturating_sub(estimate.positives));
    estimate.n < results.method.subgroup_minimum
        || results.rules() == Rules::Current && class < FEW_OF_A_CLASS
        || estimate.warnings.iter().any(|w| matches!(w.code, Code::Insufficient | Code::SubgroupInsufficient))
}
