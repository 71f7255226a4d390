//! Endpoints with their verdicts, and the estimates of the primary analysis.

use std::collections::BTreeMap;

use super::rows::{
    clustering_notes, estimate_row, is_calibration, is_per_thousand, is_primary, method_note,
    quoting_clusters, row_name,
};
use crate::diagnostic::Code;
use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::origins::{of_endpoint, of_estimate};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::statistics::metric::Metric;
use crate::study::results::{Results, Rules, Verdict};

pub fn endpoints(results: &Results, level: &str) -> Table {
    let rows = results
        .endpoints
        .iter()
        .map(|e| {
            let style = wording::style_of(e.metric.id(), false);
            let look = match e.verdict {
                Some(Verdict::Met) => Look::Good,
                Some(_) => Look::Bad,
                None => Look::Plain,
            };
            Row::Cells(vec![
                Cell::new(format!("{} ({})", wording::metric(e.metric.id()), e.role.name()))
                    .look(Look::Strong),
                Cell::new(e.criterion.clone().unwrap_or_else(|| "none declared".to_owned())),
                Cell::new(e.value.map_or_else(|| "not evaluable".to_owned(), |v| format::number(v, style)))
                    .of(of_endpoint(e)),
                Cell::new(e.interval.as_ref().map_or_else(
                    || "\u{2013}".to_owned(),
                    |i| match format::level(i.level) {
                        own if own == level => wording::limits(i, style),
                        own => format!("{} ({own})", wording::limits(i, style)),
                    },
                )),
                Cell::new(
                    e.bound
                        .map_or_else(|| "\u{2013}".to_owned(), |b| format::bound(b, e.criterion.as_deref())),
                ),
                Cell::new(wording::verdict(e.verdict)).look(look),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "Endpoints, acceptance criteria and verdicts",
        vec![
            Column::left("Endpoint", 1.2),
            Column::left("Criterion", 0.8),
            Column::right("Estimate"),
            Column::right(&format!("{level} CI")),
            Column::right("Bound"),
            Column::left("Verdict", 0.0),
        ],
        rows,
    );
    let methods: BTreeMap<&str, Vec<String>> =
        results.endpoints.iter().fold(BTreeMap::new(), |mut map, e| {
            map.entry(e.interval_method.describe(e.metric.quantity()))
                .or_insert_with(Vec::new)
                .push(wording::metric(e.metric.id()));
            map
        });
    if !methods.is_empty() {
        let list: Vec<String> =
            methods.into_iter().map(|(method, names)| format!("{}: {method}", names.join(", "))).collect();
        table.notes.push(format!("Declared interval methods. {}.", list.join("; ")));
    }
    if results.method.criterion_level.is_some() {
        table.notes.push(format!("Several primary endpoints: {}.", wording::multiplicity(&results.method)));
    }
    for e in &results.endpoints {
        if let Some(words) = wording::fallback(e) {
            table.notes.push(format!("{} is {words}.", wording::metric(e.metric.id())));
        }
    }
    for e in results.endpoints.iter().filter(|_| results.rules() == Rules::Current) {
        let of = |found: &&Estimate| {
            found.id == e.metric.id() && found.subgroup.is_none() && found.scenario.is_none()
        };
        let small = results
            .estimates
            .iter()
            .find(of)
            .and_then(|found| found.warnings.iter().find(|w| w.code == Code::SmallClass));
        table.notes.extend(small.map(|w| format!("{}: {}.", wording::metric(e.metric.id()), w.message)));
    }
    table.notes.push(if results.family.is_some() && results.rules() == Rules::Current {
        format!(
            "The verdict follows the rule of multiplicity: {}. It compares adjusted p values with \u{3b1}, \
             so that an endpoint can be not met although the bound of its two-sided interval lies on the \
             right side of the criterion.",
            wording::multiplicity(&results.method)
        )
    } else {
        "The bound of the deciding two-sided interval is compared with the criterion, on the scale of 0 to \
         1 and without rounding."
            .to_owned()
    });
    table
}

pub fn overall(results: &Results, level: &str) -> Table {
    let list: Vec<&Estimate> = results
        .estimates
        .iter()
        .filter(|e| is_primary(e) && e.prevalence.is_none() && !is_per_thousand(e) && !is_calibration(e))
        .collect();
    let rows = list.iter().map(|e| estimate_row(e, row_name(e))).collect();
    let mut table = Table::or_none(
        format!(
            "Performance in the primary analysis ({} positive and {} negative cases)",
            format::count(results.flow.positives),
            format::count(results.flow.negatives)
        ),
        vec![
            Column::left("Measure", 1.0),
            Column::right("Estimate"),
            Column::right(&format!("{level} CI")),
            Column::right("Count"),
            Column::right("Cases"),
        ],
        rows,
    );
    table.notes.extend(method_note(&list));
    table.notes.extend(clustering_notes(quoting_clusters(&list)));
    table.notes.push(format!(
        "Measures other than the AUC hold at the operating point: a case is called positive when its score \
         is at least {}.",
        format::threshold(results.operating_point.threshold)
    ));
    if list.iter().any(|e| matches!(e.id.as_str(), "ppv" | "npv" | "f1" | "accuracy")) {
        table.notes.push(format!(
            "Predictive values, accuracy and F1 depend on prevalence; here it is that of the sample, {} ({} \
             of {}).",
            format::share(results.flow.positives, results.flow.analysed),
            format::count(results.flow.positives),
            format::count(results.flow.analysed)
        ));
    }
    table
}

pub fn intervals(results: &Results) -> Table {
    let mut rows = Vec::new();
    let shown = || results.estimates.iter().filter(|e| is_primary(e) && !is_per_thousand(e));
    for e in shown() {
        let name = match e.prevalence {
            Some(p) => format!("{} at prevalence {}", row_name(e), format::prevalence(p)),
            None => row_name(e),
        };
        for (index, i) in e.intervals.iter().enumerate() {
            rows.push(Row::plain([
                if index == 0 { name.clone() } else { String::new() },
                wording::limits(i, wording::style(e)),
                format::level(i.level),
                wording::method(i, e.quantity()),
            ]));
        }
    }
    let mut table = Table::or_none(
        "Every interval of the primary analysis, the one to quote first",
        vec![
            Column::left("Measure", 0.8),
            Column::right("Interval"),
            Column::right("Level"),
            Column::left("Method", 1.2),
        ],
        rows,
    );
    table.notes.push(
        "Verdicts rest on the declared interval alone, or on the one that stands in for it where the table \
         of endpoints says so; the others show how little or how much depends on the method. Intervals that \
         collapsed or take a patient's cases as independent stand behind those that do not."
            .to_owned(),
    );
    table.notes.extend(clustering_notes(shown()));
    table
}

/// How far the scores are probabilities, in the sample.
pub fn calibration(results: &Results, level: &str) -> Table {
    let list: Vec<&Estimate> =
        results.estimates.iter().filter(|e| is_primary(e) && is_calibration(e)).collect();
    let ideal = |e: &Estimate| match Metric::from_id(&e.id) {
        Some(Metric::CalibrationSlope) => format::number(1.0, format::Style::Index),
        _ => format::number(0.0, format::Style::Index),
    };
    let rows = list
        .iter()
        .map(|e| {
            let value = Cell::new(wording::value(e)).of(of_estimate(e));
            let further = [wording::interval(e), ideal(e)].map(Cell::new);
            Row::Cells([Cell::new(row_name(e)), value].into_iter().chain(further).collect())
        })
        .collect();
    let mut table = Table::or_none(
        "Calibration of the scores in the sample",
        vec![
            Column::left("Measure", 1.0),
            Column::right("Estimate"),
            Column::right(&format!("{level} CI")),
            Column::right("Of a perfect score"),
        ],
        rows,
    );
    table.notes.extend(method_note(&list));
    table.notes.push(format!(
        "In the large: the intercept of a logistic regression with the score's logit as offset; intercept \
         and slope: of the regression on the logit (Cox 1958). They hold at the share of positive cases in \
         the sample, {}: where the sample is enriched, the scores are no probabilities of intended use.",
        format::share(results.flow.positives, results.flow.analysed)
    ));
    table
}

pub fn intended_use(results: &Results, level: &str) -> Table {
    let list: Vec<&Estimate> = results
        .estimates
        .iter()
        .filter(|e| is_primary(e) && e.prevalence.is_some() && !is_per_thousand(e))
        .collect();
    let rows = list
        .iter()
        .map(|e| {
            Row::Cells(vec![
                Cell::new(row_name(e)),
                Cell::new(e.prevalence.map(format::prevalence).unwrap_or_default()),
                Cell::new(wording::value(e)).of(of_estimate(e)),
                Cell::new(wording::interval(e)),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "Measures that depend on prevalence, at the prevalence of intended use",
        vec![
            Column::left("Measure", 1.0),
            Column::right("Prevalence"),
            Column::right("Estimate"),
            Column::right(&format!("{level} CI")),
        ],
        rows,
    );
    table.notes.extend(method_note(&list));
    table.notes.extend(clustering_notes(quoting_clusters(&list)));
    table
}

pub fn confusion(results: &Results) -> Table {
    let c = &results.curves.confusion;
    let row = |name: &str, a: u64, b: u64| {
        Row::Cells(vec![
            Cell::new(name).look(Look::Strong),
            Cell::count(a),
            Cell::count(b),
            Cell::count(a + b),
        ])
    };
    Table::or_none(
        format!(
            "Device against reference standard at the operating point (score at least {})",
            format::threshold(results.operating_point.threshold)
        ),
        vec![
            Column::left("Device", 1.0),
            Column::right("Reference positive"),
            Column::right("Reference negative"),
            Column::right("Total"),
        ],
        vec![
            row("Called positive", c.true_positives, c.false_positives),
            row("Called negative", c.false_negatives, c.true_negatives),
            row("Total", c.true_positives + c.false_negatives, c.false_positives + c.true_negatives),
        ],
    )
}
