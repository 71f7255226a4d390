//! The size that was planned, the one that was achieved, and what it can show.

use crate::document::format::{self, Style};
use crate::document::tree::{Column, Row, Table};
use crate::report::submission::source::Source;
use crate::report::wording;
use crate::study::planning::{PlannedEndpoint, size_plan};
use crate::study::results::SampleSize;

/// One row an endpoint with a lower bound of sensitivity, specificity or the AUC.
pub fn sample_size(source: &Source) -> Table {
    let results = &source.results;
    let pair = |[positives, negatives]: [u64; 2]| {
        format!("{} / {}", format::count(positives), format::count(negatives))
    };
    let row = |size: &SampleSize| {
        let endpoint = results.endpoints.iter().find(|e| e.id == size.endpoint)?;
        let style = wording::style_of(endpoint.metric.id(), false);
        let number = |value: Option<f64>, none: &str| {
            value.map_or_else(|| none.to_owned(), |value| format::number(value, style))
        };
        Some(Row::plain([
            wording::metric(endpoint.metric.id()),
            endpoint.criterion.clone().unwrap_or_default(),
            size.planned.map_or_else(|| "not declared".to_owned(), pair),
            pair(size.analysed),
            number(size.half_width, "\u{2013}"),
            number(size.shown_from, "none below 1"),
        ]))
    };
    let rows = results.sample_sizes.iter().filter_map(row).collect();
    let mut table = Table::or_none(
        "Planned and achieved size of the study",
        vec![
            Column::left("Endpoint", 1.0),
            Column::left("Criterion", 0.7),
            Column::right("Planned"),
            Column::right("Analysed"),
            Column::right("Half width"),
            Column::right("Shown from"),
        ],
        rows,
    );
    let Some(power) = results.sample_sizes.first().map(|size| format::number(size.power, Style::Percent))
    else {
        return table;
    };
    table.notes.push(format!(
        "Shown from: the smallest true value whose lower bound satisfies the criterion with a probability \
         of {power} in a study of the analysed size: by the binomial law for shares (Clopper and Pearson \
         1934), with the variance of Hanley and McNeil (1982) for the AUC. It depends on the size and the \
         criterion, not on what was found."
    ));
    table.notes.push(
        "Planned and analysed: positive / negative cases, planned by source label, analysed by the \
         reference standard. Half width: of the interval that decided."
            .to_owned(),
    );
    if results.flow.analysed_patients < results.flow.analysed {
        table.notes.push(
            "Patients have several images; \"shown from\" takes each image as a patient's only one and is \
             optimistic."
                .to_owned(),
        );
    }
    table
}

/// The same of comparisons: expected and found differences.
fn compared(source: &Source) -> Vec<Row> {
    let results = &source.results;
    let plan = size_plan(&source.protocol);
    let row = |planned: &PlannedEndpoint| {
        let expected = planned.expected.as_ref()?;
        let found = results.comparisons.iter().find(|c| c.id == planned.endpoint)?;
        let style = wording::style_of(found.metric.id(), false);
        let number = |value: Option<f64>, style| {
            value.map_or_else(|| "\u{2013}".to_owned(), |value| format::number(value, style))
        };
        let at = planned.at_planned;
        let half = |(lower, upper): (f64, f64)| (upper - lower) / 2.0;
        Some(Row::plain([
            format!("{}, difference ({})", wording::metric(found.metric.id()), found.aim.id()),
            number(expected.comparator.map(|other| expected.value - other), style),
            number(found.difference, style),
            number(at.map(|at| half(at.interval)), style),
            number(found.interval.as_ref().map(|i| half((i.lower, i.upper))), style),
            number(at.map(|at| at.exact_power.unwrap_or(at.power)), Style::Percent),
            wording::verdict(Some(found.verdict)).to_owned(),
        ]))
    };
    plan.comparisons.iter().filter_map(row).collect()
}

/// What the protocol expected of an endpoint beside what was found.
pub fn planned_and_achieved(source: &Source) -> Table {
    let results = &source.results;
    let row = |size: &SampleSize| {
        let plan = size.plan?;
        let endpoint = results.endpoints.iter().find(|e| e.id == size.endpoint)?;
        let style = wording::style_of(endpoint.metric.id(), false);
        let number = |value: Option<f64>, style| {
            value.map_or_else(|| "\u{2013}".to_owned(), |value| format::number(value, style))
        };
        Some(Row::plain([
            wording::metric(endpoint.metric.id()),
            format::number(plan.expected, style),
            number(endpoint.value, style),
            number(plan.half_width, style),
            number(size.half_width, style),
            number(plan.power, Style::Percent),
            wording::verdict(endpoint.verdict).to_owned(),
        ]))
    };
    let rows = results.sample_sizes.iter().filter_map(row).chain(compared(source)).collect();
    let mut table = Table::or_none(
        "What was planned, and what was achieved",
        vec![
            Column::left("Endpoint", 1.0),
            Column::right("Expected"),
            Column::right("Found"),
            Column::right("Half width, planned"),
            Column::right("Half width, achieved"),
            Column::right("Power, planned"),
            Column::left("Verdict", 0.6),
        ],
        rows,
    );
    table.notes.push(
        "Expected values and their power are those of the protocol's [[expected]] at the planned size; the \
         power says nothing about what was found."
            .to_owned(),
    );
    table
}
