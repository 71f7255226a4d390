//! How cases came into the analysis, and what they are.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::study::results::Results;

pub fn cohort(results: &Results) -> Table {
    let analysed = results.flow.analysed;
    let mut rows = Vec::new();
    let mut variable = "";
    for row in &results.cohort {
        if row.variable != variable {
            variable = &row.variable;
            rows.push(Row::Group(text::humanise(variable)));
        }
        rows.push(Row::plain([
            row.level.clone(),
            format::count(row.cases),
            format::share(row.cases, analysed),
            format::count(row.patients),
            format!("{} ({})", format::count(row.positives), format::share(row.positives, row.cases)),
        ]));
    }
    let mut table = Table::or_none(
        format!(
            "Characteristics of the analysed cases ({} cases of {} patients)",
            format::count(analysed),
            format::count(results.flow.analysed_patients)
        ),
        vec![
            Column::left("Characteristic", 1.0),
            Column::right("Cases"),
            Column::right("Share of cases"),
            Column::right("Patients"),
            Column::right("Positive by reference standard"),
        ],
        rows,
    );
    table
        .notes
        .push("A patient with several cases can appear at several levels of one characteristic.".to_owned());
    table
}

pub fn flow(results: &Results) -> Table {
    let flow = &results.flow;
    let patients = |n: u64| Cell::count(n);
    let none = || Cell::new("");
    let mut rows = vec![Row::Cells(vec![
        Cell::new("Considered").look(Look::Strong),
        Cell::count(flow.considered),
        patients(flow.considered_patients),
    ])];
    for reason in &flow.excluded {
        let name = format!("Excluded: {}", reason.reason);
        rows.push(Row::Cells(vec![Cell::new(name), Cell::count(reason.count), none()]));
    }
    rows.extend([
        Row::Cells(vec![Cell::new("Eligible").look(Look::Strong), Cell::count(flow.eligible), none()]),
        Row::Cells(vec![Cell::new("Eligible, not sampled"), Cell::count(flow.not_sampled), none()]),
        Row::Cells(vec![
            Cell::new("Sampled into the test set").look(Look::Strong),
            Cell::count(flow.sampled),
            patients(flow.sampled_patients),
        ]),
        Row::Cells(vec![
            Cell::new("Without a reference standard"),
            Cell::count(flow.without_consensus),
            none(),
        ]),
        Row::Cells(vec![
            Cell::new("With a reference standard, without a score"),
            Cell::count(flow.without_score),
            none(),
        ]),
        Row::Cells(vec![
            Cell::new("In the primary analysis").look(Look::Strong),
            Cell::count(flow.analysed),
            patients(flow.analysed_patients),
        ]),
        Row::Cells(vec![
            Cell::new("Positive by the reference standard"),
            Cell::count(flow.positives),
            none(),
        ]),
        Row::Cells(vec![
            Cell::new("Negative by the reference standard"),
            Cell::count(flow.negatives),
            none(),
        ]),
    ]);
    Table::or_none(
        "Accounting for every case considered",
        vec![Column::left("Step", 1.0), Column::right("Cases"), Column::right("Patients")],
        rows,
    )
}

pub fn eligibility(results: &Results) -> Table {
    let rows = results
        .flow
        .excluded
        .iter()
        .map(|r| {
            Row::plain([
                r.id.clone(),
                r.reason.clone(),
                format::count(r.count),
                format::share(r.count, results.flow.considered),
                format::count(r.count_any),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        format!(
            "Exclusions by criterion, of {} cases considered; {} are eligible",
            format::count(results.flow.considered),
            format::count(results.flow.eligible)
        ),
        vec![
            Column::left("Criterion", 0.6),
            Column::left("Reason for exclusion", 1.0),
            Column::right("First reason"),
            Column::right("Share"),
            Column::right("Any reason"),
        ],
        rows,
    );
    table.notes.push(
        "Criteria are applied in this order. A case is counted once under \u{201c}first reason\u{201d} and \
         under every criterion it fails under \u{201c}any reason\u{201d}."
            .to_owned(),
    );
    table
}
