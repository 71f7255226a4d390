//! Two sets side by side.

use super::description::{Comparison, Difference, DifferenceKind, Level, SetDescription};
use crate::dataset::standardised;

/// First minus second.
pub(super) fn compare(first: &SetDescription, second: &SetDescription, shared_patients: u64) -> Comparison {
    use DifferenceKind::{Binary, Categorical, Continuous};
    let mut differences = Vec::new();
    let mut push = |variable: &str, level: Option<&str>, kind, value| {
        differences.push(Difference {
            variable: variable.to_owned(),
            level: level.map(str::to_owned),
            kind,
            value,
        });
    };
    if first.positives.denominator > 0 || second.positives.denominator > 0 {
        let value = standardised::binary(first.positives.pair(), second.positives.pair());
        push("label", Some("positive"), Binary, value);
    }
    if let (Some(a), Some(b)) = (first.age, second.age) {
        push("age", None, Continuous, standardised::continuous(a.moments(), b.moments()));
    }
    let (a, b) = (first.images_per_patient, second.images_per_patient);
    push("images_per_patient", None, Continuous, standardised::continuous(a.moments(), b.moments()));
    for covariate in &first.covariates {
        let Some(other) = second.covariates.iter().find(|c| c.field == covariate.field) else { continue };
        let at = |levels: &[Level], name: &str| {
            levels.iter().find(|l| l.level == name).map_or(0, |l| l.images.numerator)
        };
        let mut names: Vec<&str> = covariate.levels.iter().map(|l| l.level.as_str()).collect();
        names.extend(
            other
                .levels
                .iter()
                .map(|l| l.level.as_str())
                .filter(|name| !covariate.levels.iter().any(|l| l.level == *name)),
        );
        let counts: Vec<(u64, u64)> =
            names.iter().map(|name| (at(&covariate.levels, name), at(&other.levels, name))).collect();
        let (ours, theirs): (Vec<u64>, Vec<u64>) = counts.iter().copied().unzip();
        push(&covariate.field, None, Categorical, standardised::categorical(&ours, &theirs));
        for (name, (a, b)) in names.iter().zip(counts) {
            let value = standardised::binary((a, first.images), (b, second.images));
            push(&covariate.field, Some(name), Binary, value);
        }
    }
    let mut names: Vec<&str> = first.findings.iter().map(|f| f.finding.as_str()).collect();
    names.extend(
        second
            .findings
            .iter()
            .map(|f| f.finding.as_str())
            .filter(|name| !first.findings.iter().any(|f| f.finding == *name)),
    );
    for name in names {
        let at = |set: &SetDescription| {
            let found = set.findings.iter().find(|f| f.finding == name);
            (found.map_or(0, |f| f.images.numerator), set.images)
        };
        push("finding", Some(name), Binary, standardised::binary(at(first), at(second)));
    }
    let sizes = || differences.iter().filter_map(|d| d.value).map(f64::abs);
    Comparison {
        first: first.name.clone(),
        second: second.name.clone(),
        shared_patients,
        largest: sizes().reduce(f64::max),
        notable: sizes().filter(|size| *size > standardised::NOTABLE).count() as u64,
        differences,
    }
}
