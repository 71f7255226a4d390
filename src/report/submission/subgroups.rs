//! The subgroups of a study's estimates, as tables and figures show them.

use crate::diagnostic::Code;
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::study::results::Results;

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

/// Whether the protocol's minimum says that a subgroup is too small to rely on.
pub fn is_insufficient(results: &Results, estimate: &Estimate) -> bool {
    estimate.n < results.method.subgroup_minimum
        || estimate.warnings.iter().any(|w| matches!(w.code, Code::Insufficient | Code::SubgroupInsufficient))
}
