//! How cases came into the analysis, and what they are.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::protocol::{Criterion, Missing, Protocol, Rule};
use crate::report::submission::source::Source;
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
    let sampling = results.sampling.as_ref();
    let lacking = sampling.map_or(0, |sampling| sampling.lacking);
    rows.extend([
        Row::Cells(vec![Cell::new("Eligible").look(Look::Strong), Cell::count(flow.eligible), none()]),
        Row::Cells(vec![Cell::new("Eligible, not sampled"), Cell::count(flow.not_sampled), none()]),
        Row::Cells(vec![
            Cell::new("Sampled into the test set").look(Look::Strong),
            Cell::count(flow.sampled),
            patients(flow.sampled_patients),
        ]),
    ]);
    for stratum in sampling.map_or(&[][..], |sampling| &sampling.strata).iter().filter(|s| !s.name.is_empty())
    {
        let name = format!("Of them: {}", stratum.name);
        rows.push(Row::Cells(vec![Cell::new(name), Cell::count(stratum.drawn), none()]));
    }
    if lacking > 0 {
        let name = "Asked for and not there";
        rows.push(Row::Cells(vec![Cell::new(name).look(Look::Bad), Cell::count(lacking), none()]));
    }
    rows.extend([
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

pub fn eligibility(source: &Source) -> Table {
    let results = &source.results;
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
    table.notes.extend(definitions(&source.protocol));
    table
}

/// How criteria are carried out, where the protocol says it in words or as a rule over columns.
pub(in crate::report) fn definitions(protocol: &Protocol) -> Vec<String> {
    let of = |criterion: &Criterion| {
        let definition = text::one_line(criterion.definition.as_ref()?);
        let stop = if definition.ends_with('.') { "" } else { "." };
        let rule = match &criterion.rule {
            Rule::Declared(rule) => {
                let missing = match criterion.missing {
                    Missing::Exclude => "excluded",
                    Missing::Include => "kept",
                };
                format!(" Rule: {}. A case of which it cannot be told is {missing}.", rule.in_words())
            }
            _ => String::new(),
        };
        Some(format!("{}: {definition}{stop}{rule}", criterion.id))
    };
    protocol.eligibility.iter().filter_map(of).collect()
}
