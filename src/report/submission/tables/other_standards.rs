//! The primary endpoints' metrics under other reference standards.

use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::statistics::metric::Metric;
use crate::study::results::{EndpointResult, OtherStandard, Results, UnderOtherStandard};

/// What a case is judged by, in words.
fn standard(analysis: &UnderOtherStandard) -> String {
    let reader = analysis.reader.as_deref().unwrap_or("one reader");
    match analysis.standard {
        OtherStandard::UnanimousOnly => "unanimous cases alone".to_owned(),
        OtherStandard::OneReader => format!("what {reader} says"),
        OtherStandard::WithoutReader => format!("the declared rule without {reader}"),
        OtherStandard::IndeterminatePositive => "indeterminate answers as positive".to_owned(),
        OtherStandard::IndeterminateNegative => "indeterminate answers as negative".to_owned(),
        OtherStandard::SplitForDevice => "split votes turned for the device (bound)".to_owned(),
        OtherStandard::SplitAgainstDevice => "split votes turned against the device (bound)".to_owned(),
    }
}

fn row(name: String, estimate: &Estimate, changed: String) -> Row {
    let muted = if estimate.value.is_none() { Look::Muted } else { Look::Plain };
    Row::Cells(vec![
        Cell::new(name),
        Cell::new(wording::value(estimate)).look(muted),
        Cell::new(wording::interval(estimate)),
        Cell::new(wording::fraction(estimate).unwrap_or_else(|| "\u{2013}".to_owned())),
        Cell::count(estimate.n),
        Cell::new(changed),
    ])
}

/// The row of the declared reference standard, from the verdict's own numbers.
fn declared(results: &Results, endpoint: &EndpointResult) -> Option<Row> {
    let plain = |e: &&Estimate| {
        e.id == endpoint.metric.id() && e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none()
    };
    let estimate = results.estimates.iter().find(plain)?;
    let judged = Estimate { intervals: endpoint.interval.iter().cloned().collect(), ..estimate.clone() };
    Some(row("as declared".to_owned(), &judged, "\u{2013}".to_owned()))
}

/// How many cases have another answer; not of the AUC's own labelling of split votes, which is not counted.
fn changed(analysis: &UnderOtherStandard, estimate: &Estimate) -> String {
    let split =
        matches!(analysis.standard, OtherStandard::SplitForDevice | OtherStandard::SplitAgainstDevice);
    match split && estimate.id == Metric::Auc.id() {
        true => "\u{2013}".to_owned(),
        false => format::count(analysis.changed),
    }
}

/// One group a primary endpoint, one row an analysis.
pub fn other_standards(results: &Results, level: &str) -> Table {
    let columns = vec![
        Column::left("Reference standard", 1.0),
        Column::right("Estimate"),
        Column::right(&format!("{level} CI")),
        Column::right("Count"),
        Column::right("Cases"),
        Column::right("Changed"),
    ];
    let caption = "The primary endpoints under other reference standards (exploratory)";
    let Some(other) = &results.other_standards else {
        return Table::or_none(caption, columns, Vec::new());
    };
    let mut rows = Vec::new();
    for endpoint in &results.endpoints {
        let of = |e: &&Estimate| e.model.as_deref() == Some(endpoint.id.as_str());
        let found = other.analyses.iter().filter_map(|a| Some((a, a.estimates.iter().find(of)?)));
        let found: Vec<(&UnderOtherStandard, &Estimate)> = found.collect();
        if found.is_empty() {
            continue;
        }
        let metric = wording::metric(endpoint.metric.id());
        rows.push(Row::Group(match endpoint.id == endpoint.metric.id() {
            true => metric,
            false => format!("{metric} ({})", endpoint.id),
        }));
        rows.extend(declared(results, endpoint));
        rows.extend(found.iter().map(|(a, e)| row(standard(a), e, changed(a, e))));
    }
    let mut table = Table::or_none(caption, columns, rows);
    table.notes.push(
        "Exploratory: no endpoint is judged by any of them. Each interval is the one that would decide the \
         endpoint on these cases. Changed: sampled cases that are positive here and negative by the declared \
         standard, or the other way round."
            .to_owned(),
    );
    if other.analyses.iter().any(|a| a.standard == OtherStandard::SplitForDevice) {
        table.notes.push(
            "Split votes: every scored case with votes for and against the finding, however it was decided, \
             is labelled so that the estimate is as good, or as bad, as these cases can make it; for the AUC \
             no labelling of them goes beyond."
                .to_owned(),
        );
    }
    table.notes.extend(other.left_out.iter().map(|left| format!("Not done: {left}.")));
    let methods: Vec<&Estimate> = other.analyses.iter().flat_map(|a| &a.estimates).collect();
    table.notes.extend(super::rows::method_note(&methods));
    table.notes.extend(super::rows::wide_note(results, &methods));
    table
}
