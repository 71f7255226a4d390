//! Differences to a reference level under the rows of a subgroup, and what was claimed of its levels.

use std::collections::BTreeMap;

use crate::document::tree::{Cell, Look, Row};
use crate::document::{format, text};
use crate::statistics::metric::Metric;
use crate::study::results::{LevelDifference, Results, Verdict};

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{}", format::fixed(value.abs(), 3))
}

fn shown(difference: &LevelDifference) -> String {
    format!("{} ({} to {})", signed(difference.value), signed(difference.lower), signed(difference.upper))
}

/// The row under a level with its differences to the reference level; none where none is declared.
pub fn differences(results: &Results, variable: &str, level: &str) -> Option<Row> {
    let of = |metric: Metric| {
        let here = |d: &&LevelDifference| d.variable == variable && d.level == level && d.metric == metric;
        results.level_differences.iter().find(here)
    };
    let all = [Metric::Auc, Metric::Sensitivity, Metric::Specificity].map(of);
    let reference = &all.iter().flatten().next()?.reference;
    let mut row = vec![Cell::new(format!("less {reference}")).look(Look::Muted), Cell::new(String::new())];
    row.extend(all.map(|one| Cell::new(one.map_or_else(|| "\u{2013}".to_owned(), shown)).look(Look::Muted)));
    Some(Row::Cells(row))
}

/// How the differences were made, and what was claimed of which level.
pub fn notes(results: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    if !results.level_differences.is_empty() {
        notes.push(
            "\u{201c}less\u{201d}: the level's estimate less that of the reference level, with the \
             interval of two \
             independent estimates by the square-and-add method (Zou and Donner 2008). No correction for \
             the number of \
             comparisons."
                .to_owned(),
        );
        let shared: BTreeMap<&str, u64> = results
            .level_differences
            .iter()
            .map(|d| (d.variable.as_str(), d.shared_patients))
            .fold(BTreeMap::new(), |mut most, (variable, n)| {
                let known = most.entry(variable).or_default();
                *known = n.max(*known);
                most
            });
        for (variable, patients) in shared.into_iter().filter(|(_, patients)| *patients > 0) {
            notes.push(format!(
                "{} patients are in two levels of {}: the interval of a difference takes them as \
                 independent.",
                format::count(patients),
                text::humanise(variable)
            ));
        }
    }
    for claim in &results.level_claims {
        let verdict = match claim.verdict {
            Verdict::Met => "met",
            Verdict::NotMet => "not met",
            Verdict::NotEvaluable => "not evaluable",
        };
        let limits = claim.interval.as_ref().map_or_else(String::new, |interval| {
            format!(" ({} to {})", format::fixed(interval.lower, 3), format::fixed(interval.upper, 3))
        });
        notes.push(format!(
            "Claimed of {} {}: {}, {}: {verdict}{limits}.",
            text::humanise(&claim.variable),
            claim.level,
            claim.endpoint,
            claim.criterion
        ));
    }
    notes
}
