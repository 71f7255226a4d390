//! Estimates in subgroups, and with incomplete cases handled differently.

use super::by_level;
use super::rows::{
    clustering_notes, estimate_row, is_primary, method_note, quoting_clusters, row_name, wide_note,
};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::report::origins;
use crate::report::submission::subgroups::{in_subgroup, is_insufficient, subgroup_levels};
use crate::report::wording;
use crate::statistics::estimate::{Estimate, Scenario, SubgroupLevel};
use crate::study::results::{Results, Rules};

pub fn subgroups(results: &Results, level: &str) -> Table {
    let mut rows = Vec::new();
    let mut current = String::new();
    let mut shown = Vec::new();
    for (variable, name) in subgroup_levels(results) {
        if variable != current {
            current.clone_from(&variable);
            rows.push(Row::Group(text::humanise(&variable)));
        }
        let metrics: Vec<Option<&Estimate>> = ["auc", "sensitivity", "specificity"]
            .iter()
            .map(|id| in_subgroup(results, id, &variable, &name))
            .collect();
        let first = results
            .estimates
            .iter()
            .find(|e| e.subgroup == Some(SubgroupLevel::new(&variable, &name)) && e.scenario.is_none());
        // Sensitivity alone has the positives as its cases: take the largest n the subgroup has.
        let insufficient = metrics.iter().flatten().any(|e| is_insufficient(results, e))
            || first.is_some_and(|e| is_insufficient(results, e));
        let look = if insufficient { Look::Muted } else { Look::Plain };
        let auc = metrics.first().copied().flatten().or(first);
        let mut row = vec![
            Cell::new(if insufficient { format!("{name} \u{2020}") } else { name.clone() }).look(look),
            Cell::new(auc.map_or_else(
                || "\u{2013}".to_owned(),
                |e| format!("{} ({})", format::count(e.n), format::count(e.positives)),
            ))
            .look(look),
        ];
        for estimate in &metrics {
            let text = match estimate {
                Some(e) if e.value.is_some() => match e.intervals.first() {
                    Some(i) => format!("{} ({})", wording::value(e), wording::limits(i, wording::style(e))),
                    None => wording::value(e),
                },
                Some(_) => "not evaluable".to_owned(),
                None => "\u{2013}".to_owned(),
            };
            row.push(origins::cell(text, *estimate).look(look));
        }
        shown.extend(metrics.into_iter().flatten());
        rows.push(Row::Cells(row));
        rows.extend(by_level::differences(results, &variable, &name));
    }
    let header = |name: &str| Column::right(&format!("{name} ({level} CI)"));
    let mut table = Table::or_none(
        "Performance in subgroups",
        vec![
            Column::left("Subgroup", 1.0),
            Column::right("Cases (positive)"),
            header("AUC"),
            header("Sensitivity"),
            header("Specificity"),
        ],
        rows,
    );
    if !shown.is_empty() {
        table.notes.push(format!(
            "\u{2020} Insufficient: fewer cases than the protocol's minimum of {}, or too few of one class. \
             Shown, but not to be relied on.",
            format::count(results.method.subgroup_minimum)
        ));
        table.notes.extend(by_level::notes(results));
        table.notes.extend(method_note(&shown));
        table.notes.extend(wide_note(results, &shown));
        table.notes.extend(clustering_notes(quoting_clusters(&shown)));
        let reasons: Vec<String> = shown
            .iter()
            .filter_map(|e| {
                let reason = e.not_evaluable.as_ref()?;
                Some(format!(
                    "{} in {}: {reason}",
                    wording::metric(&e.id),
                    e.subgroup.as_ref().map(ToString::to_string).unwrap_or_default()
                ))
            })
            .collect();
        if !reasons.is_empty() {
            table.notes.push(format!("Not evaluable. {}.", reasons.join("; ")));
        }
    }
    table
}

pub fn sensitivity_analyses(results: &Results, level: &str) -> Table {
    let scenarios = |e: &&Estimate| e.scenario.is_some() && e.subgroup.is_none() && e.prevalence.is_none();
    let mut ids: Vec<(&str, Option<&str>)> = Vec::new();
    for e in results.estimates.iter().filter(scenarios) {
        let key = (e.id.as_str(), e.model.as_deref());
        if !ids.contains(&key) {
            ids.push(key);
        }
    }
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for (id, model) in ids {
        let of = |e: &&Estimate| e.id == id && e.model.as_deref() == model;
        let primary = results.estimates.iter().filter(of).find(|e| is_primary(e) && e.prevalence.is_none());
        let name = primary.map_or_else(|| wording::metric(id), row_name);
        rows.push(Row::Group(name));
        if let Some(e) = primary {
            rows.push(estimate_row(e, "primary analysis".to_owned()));
            shown.push(e);
        }
        for e in results.estimates.iter().filter(of).filter(scenarios) {
            let scenario = e.scenario.map_or("", Scenario::name);
            rows.push(estimate_row(e, scenario.replace(['-', '_'], " ")));
            shown.push(e);
        }
    }
    let mut table = Table::or_none(
        "Sensitivity analyses: cases without a reference standard or without a score handled differently",
        vec![
            Column::left("Analysis", 1.0),
            Column::right("Estimate"),
            Column::right(&format!("{level} CI")),
            Column::right("Count"),
            Column::right("Cases"),
        ],
        rows,
    );
    if results.rules() == Rules::Current {
        table.notes.extend(method_note(&shown));
        table.notes.extend(wide_note(results, &shown));
        table.notes.extend(clustering_notes(quoting_clusters(&shown)));
    }
    table
}
