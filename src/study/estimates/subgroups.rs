//! Levels of declared subgroups: the cohort table, and estimates in each level.

use std::collections::BTreeMap;

use super::cases::{Analysed, NOT_RECORDED, count, patients};
use super::plan::StudyPlan;
use crate::dataset::case::Case;
use crate::diagnostic::Code;
use crate::protocol::{Field, Protocol, Variable};
use crate::statistics::estimate::{Estimate, IntervalMethod, SubgroupLevel};
use crate::statistics::metric::Metric;
use crate::statistics::warning::Warning;
use crate::study::results::CohortRow;

/// The level of a case in a subgroup variable.
pub(super) fn level_of(variable: &Variable, case: &Case) -> String {
    variable.level(case).unwrap_or_else(|| NOT_RECORDED.to_owned())
}

/// Levels in the order of the protocol (bands) or of the alphabet, `not recorded` last.
pub(super) fn levels<'a>(variable: &Variable, analysed: &[Analysed<'a>]) -> Vec<(String, Vec<Analysed<'a>>)> {
    let mut by_level: BTreeMap<String, Vec<Analysed>> = BTreeMap::new();
    for case in analysed {
        by_level.entry(level_of(variable, case.case)).or_default().push(*case);
    }
    let declared = variable.declared_levels();
    for level in &declared {
        by_level.entry(level.clone()).or_default();
    }
    // Levels of crossed variables in the order of each of them.
    let parts: Vec<Vec<String>> = match variable {
        Variable::Crossed { of } => of.iter().map(Variable::declared_levels).collect(),
        _ => Vec::new(),
    };
    let place = |level: &str| -> Vec<usize> {
        if parts.is_empty() {
            return vec![declared.iter().position(|name| name == level).unwrap_or(usize::MAX)];
        }
        let of = |(part, declared): (&str, &Vec<String>)| {
            declared.iter().position(|name| name == part).unwrap_or(usize::MAX)
        };
        level.split(", ").zip(&parts).map(of).collect()
    };
    let mut levels: Vec<_> = by_level.into_iter().collect();
    levels.sort_by_key(|(level, _)| (level == NOT_RECORDED, place(level), level.clone()));
    levels
}

pub(super) fn cohort_table(protocol: &Protocol, analysed: &[Analysed]) -> Vec<CohortRow> {
    let mut variables: Vec<Variable> = protocol.subgroups.iter().map(|s| s.by.clone()).collect();
    for always in [Variable::Field { field: Field::Sex }, Variable::Field { field: Field::View }] {
        if !variables.contains(&always) {
            variables.push(always);
        }
    }
    let mut rows = Vec::new();
    for variable in &variables {
        for (level, cases) in levels(variable, analysed) {
            rows.push(CohortRow {
                variable: variable.name(),
                level,
                cases: count(cases.len()),
                patients: patients(cases.iter().map(|c| c.case)),
                positives: count(cases.iter().filter(|c| c.positive).count()),
            });
        }
    }
    rows
}

impl StudyPlan<'_> {
    pub(super) fn subgroups(&self, cases: &[Analysed]) -> Vec<Estimate> {
        use IntervalMethod::{ClopperPearson, Delong, Wilson};
        let mut estimates = Vec::new();
        for subgroup in &self.protocol.subgroups {
            for (level, members) in levels(&subgroup.by, cases) {
                for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity, Metric::F1] {
                    let mut estimate = self.one(metric, &members, &[Delong, ClopperPearson, Wilson]);
                    estimate.subgroup = Some(SubgroupLevel::new(subgroup.by.name(), level.as_str()));
                    let minimum = self.protocol.analysis.subgroup_minimum;
                    if estimate.n < minimum {
                        estimate.warnings.push(Warning::new(
                            Code::Insufficient,
                            format!(
                                "{} cases, fewer than the {minimum} that the protocol asks for",
                                estimate.n
                            ),
                        ));
                    }
                    estimates.push(estimate);
                }
            }
        }
        estimates
    }
}
