//! Levels of declared subgroups: the cohort table, and estimates in each level.

use std::collections::BTreeMap;

use super::cases::{Analysed, NOT_RECORDED, count, patients};
use super::plan::StudyPlan;
use crate::dataset::case::Case;
use crate::diagnostic::Code;
use crate::protocol::{Field, Protocol, Subgroup};
use crate::statistics::estimate::{Estimate, IntervalMethod, SubgroupLevel};
use crate::statistics::metric::Metric;
use crate::statistics::warning::Warning;
use crate::study::results::CohortRow;

/// The level of a case in a subgroup variable.
pub(super) fn level_of(subgroup: &Subgroup, case: &Case) -> String {
    match subgroup {
        Subgroup::Field { field } => field.of(case).unwrap_or_else(|| NOT_RECORDED.to_owned()),
        Subgroup::Age { bands } => match case.age_years {
            None => NOT_RECORDED.to_owned(),
            Some(age) => bands
                .iter()
                .find(|(from, to)| (*from..=*to).contains(&age))
                .map_or_else(|| "outside the bands".to_owned(), |(from, to)| format!("{from}-{to}")),
        },
    }
}

pub(super) fn variable_of(subgroup: &Subgroup) -> &'static str {
    match subgroup {
        Subgroup::Field { field } => field.name(),
        Subgroup::Age { .. } => "age",
    }
}

/// Levels in the order of the protocol (bands) or of the alphabet, `not recorded` last.
pub(super) fn levels<'a>(subgroup: &Subgroup, analysed: &[Analysed<'a>]) -> Vec<(String, Vec<Analysed<'a>>)> {
    let mut by_level: BTreeMap<String, Vec<Analysed>> = BTreeMap::new();
    for case in analysed {
        by_level.entry(level_of(subgroup, case.case)).or_default().push(*case);
    }
    if let Subgroup::Age { bands } = subgroup {
        for (from, to) in bands {
            by_level.entry(format!("{from}-{to}")).or_default();
        }
    }
    let band = |level: &str| match subgroup {
        Subgroup::Age { bands } => bands.iter().position(|(from, to)| format!("{from}-{to}") == level),
        Subgroup::Field { .. } => None,
    };
    let mut levels: Vec<_> = by_level.into_iter().collect();
    levels
        .sort_by_key(|(level, _)| (level == NOT_RECORDED, band(level).unwrap_or(usize::MAX), level.clone()));
    levels
}

pub(super) fn cohort_table(protocol: &Protocol, analysed: &[Analysed]) -> Vec<CohortRow> {
    let mut subgroups = protocol.subgroups.clone();
    for always in [Subgroup::Field { field: Field::Sex }, Subgroup::Field { field: Field::View }] {
        if !subgroups.contains(&always) {
            subgroups.push(always);
        }
    }
    let mut rows = Vec::new();
    for subgroup in &subgroups {
        for (level, cases) in levels(subgroup, analysed) {
            rows.push(CohortRow {
                variable: variable_of(subgroup).to_owned(),
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
            for (level, members) in levels(subgroup, cases) {
                for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity, Metric::F1] {
                    let mut estimate = self.one(metric, &members, &[Delong, ClopperPearson, Wilson]);
                    estimate.subgroup = Some(SubgroupLevel::new(variable_of(subgroup), level.as_str()));
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
