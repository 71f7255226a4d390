//! The tables of the report.

use super::source::{MonitoringSource, Told};
use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::wording;

/// The ids of all tables.
pub const IDS: &[&str] = &[
    "seal",
    "thresholds",
    "batches",
    "alarms",
    "answers",
    "charts",
    "caveats",
    "drift",
    "refusals",
    "missing",
    "performance",
];

/// A table by its id. `None`: there is no such id.
pub fn build(source: &MonitoringSource, id: &str) -> Option<Table> {
    Some(match id {
        "seal" => seal(source),
        "thresholds" => thresholds(source),
        "batches" => batches(source),
        "alarms" => alarms(source),
        "answers" => answers(source),
        "charts" => charts(source),
        "caveats" => caveats(source),
        "drift" => drift(source),
        "refusals" => refusals(source),
        "missing" => missing(source),
        "performance" => performance(source),
        _ => return None,
    })
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

/// A value of a measure: a share in percent, a mean as an index.
fn measured(measure: &str, value: f64) -> String {
    format::number(value, if measure == "mean-score" { Style::Index } else { Style::Percent })
}

fn seal(source: &MonitoringSource) -> Table {
    let MonitoringSource { plan, seal, sealed_at, cohort, .. } = source;
    let lock = seal.lock_sha256.map_or("scored elsewhere: no lock".to_owned(), |lock| lock.to_string());
    let rows = [
        ("Plan", plan.id.clone(), Look::Plain),
        ("Sealed at", sealed_at.clone(), Look::Plain),
        ("Plan SHA-256", seal.plan_sha256.to_string(), Look::Code),
        ("Validation", format!("{} version {}", seal.study, seal.study_version), Look::Plain),
        ("Cases of the validation", format::count(cohort.cases.len() as u64), Look::Plain),
        ("Evidence root SHA-256", seal.bundle_root.to_string(), Look::Code),
        ("Model lock SHA-256", lock, Look::Code),
        ("Positive at or above", format::threshold(seal.threshold), Look::Plain),
        ("Ledger of batches SHA-256", source.ledger_head.clone(), Look::Code),
    ];
    let rows = rows.map(|(key, value, look)| {
        Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
    });
    Table::new(
        "What the plan was sealed with",
        vec![Column::left("", 0.0), Column::left("", 1.0)],
        rows.into(),
    )
}

fn thresholds(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Chart", 1.0),
        Column::left("Measure", 1.0),
        Column::right("In control"),
        Column::right("Reference"),
        Column::right("Limit"),
        Column::right("Run length"),
        Column::right("After 1 SE"),
        Column::right("After 2 SE"),
    ];
    let charts = source.plan.charts.iter().zip(&source.seal.charts);
    let rows = charts.map(|(chart, sealed)| {
        let ways = match chart.watched {
            [true, true] => "",
            [true, false] => ", upwards",
            _ => ", downwards",
        };
        Row::plain([
            chart.id.clone(),
            format!("{}{ways}", chart.measure.words()),
            measured(&sealed.measure, sealed.in_control),
            format::fixed(sealed.reference_value, 2),
            format::fixed(sealed.limit, 3),
            format::number(sealed.run_length, Style::Count),
            format::fixed(sealed.run_length_after_one, 1),
            format::fixed(sealed.run_length_after_two, 1),
        ])
    });
    let mut table = Table::or_none("Charts, declared before the first batch", columns, rows.collect());
    table.notes.push(
        "Reference value and limit are in standard errors (SE) of a batch. Run length: batches up to an \
         alarm, on average, in control and after a shift by one and two standard errors."
            .to_owned(),
    );
    table
}

fn batches(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Month", 0.0),
        Column::right("Rows"),
        Column::right("Duplicates"),
        Column::right("Cases"),
        Column::right("Patients"),
        Column::right("Refused"),
        Column::right("Calls"),
        Column::right("Positive calls"),
        Column::right("Labels"),
        Column::right("Alarms"),
    ];
    let rows = source.judgement.months.iter().map(|month| {
        let alarms = month.alarms.len() as u64;
        let look = if alarms > 0 { Look::Bad } else { Look::Plain };
        Row::Cells(vec![
            Cell::new(month.month.to_string()),
            Cell::count(month.rows),
            Cell::count(month.duplicates),
            Cell::count(month.cases),
            Cell::count(month.patients),
            Cell::count(month.refusals.values().sum()),
            Cell::count(month.calls),
            Cell::new(format::share(month.positive_calls, month.calls)),
            Cell::count(month.labels),
            Cell::count(alarms).look(look),
        ])
    });
    Table::or_none("Batches", columns, rows.collect())
}

fn alarms(source: &MonitoringSource) -> Table {
    let columns =
        vec![Column::left("Month", 0.0), Column::left("Alarm", 1.0), Column::left("What was seen", 3.0)];
    let rows = source.judgement.months.iter().flat_map(|month| {
        month.alarms.iter().map(|alarm| {
            Row::Cells(vec![
                Cell::new(month.month.to_string()),
                Cell::new(alarm.name.clone()).look(Look::Bad),
                Cell::new(alarm.message.clone()),
            ])
        })
    });
    Table::or_none("Alarms", columns, rows.collect())
}

fn answers(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Month", 0.0),
        Column::left("Written down at", 0.0),
        Column::left("By", 0.0),
        Column::left("What was found and done", 3.0),
    ];
    let row = |told: &Told| {
        Row::plain([told.month.to_string(), told.at.clone(), told.by.clone(), told.reason.clone()])
    };
    Table::new("Answers to alarms", columns, source.answers.iter().map(row).collect())
}

fn charts(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Month", 0.0),
        Column::right("Value"),
        Column::right("Cases"),
        Column::right("From control, SE"),
        Column::right("Sum up"),
        Column::right("Sum down"),
        Column::left("", 0.0),
    ];
    let mut rows = Vec::new();
    for chart in &source.plan.charts {
        rows.push(Row::Group(format!("{}: {}", chart.id, chart.measure.words())));
        for month in &source.judgement.months {
            let Some(found) = month.charts.iter().find(|found| found.id == chart.id) else { continue };
            rows.push(Row::Cells(vec![
                Cell::new(month.month.to_string()),
                Cell::new(measured(chart.measure.id(), found.value)),
                Cell::count(found.cases),
                Cell::new(format::fixed(found.z, 2)),
                Cell::new(format::fixed(found.up, 2)),
                Cell::new(format::fixed(found.down, 2)),
                if found.alarm { Cell::new("alarm").look(Look::Bad) } else { Cell::new("") },
            ]));
        }
    }
    let mut table = Table::or_none("Charts by month, one case of each patient", columns, rows);
    table.notes.push("Behind an alarm both sums begin again at 0.".to_owned());
    table
}

fn caveats(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Chart", 1.0),
        Column::right("Error of the value in control, SE of a month"),
        Column::right("Months before a false alarm, where it is off by that"),
    ];
    let rows = source.judgement.caveats.iter().map(|caveat| {
        let length = caveat.run_length_if_off.map_or_else(dash, |length| format::fixed(length, 1));
        Row::plain([caveat.id.clone(), format::fixed(caveat.reference_error, 2), length])
    });
    let mut table = Table::new("Values in control that are estimates", columns, rows.collect());
    table.notes.push(
        "The run lengths above hold where the value in control is the true one. The validation's value is an \
         estimate: its standard error is given in standard errors of a month of the mean size so far."
            .to_owned(),
    );
    table
}

fn drift(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Month", 0.0),
        Column::right("Cases"),
        Column::right("Validation"),
        Column::right("Difference, SD"),
        Column::right("p"),
        Column::right("p, adjusted"),
        Column::left("", 0.0),
    ];
    let mut what: Vec<&str> = Vec::new();
    for found in source.judgement.months.iter().flat_map(|month| &month.drift) {
        if !what.contains(&found.what.as_str()) {
            what.push(&found.what);
        }
    }
    let mut rows = Vec::new();
    for column in what {
        rows.push(Row::Group(column.to_owned()));
        for month in &source.judgement.months {
            let Some(found) = month.drift.iter().find(|found| found.what == column) else { continue };
            let p = |p: Option<f64>| p.map_or_else(dash, format::p_value);
            rows.push(Row::Cells(vec![
                Cell::new(month.month.to_string()),
                Cell::count(found.cases),
                Cell::count(found.cohort_cases),
                Cell::new(found.difference.map_or_else(dash, |d| format::fixed(d, 2))),
                Cell::new(p(found.p)),
                Cell::new(p(found.adjusted_p)),
                if found.alarm { Cell::new("alarm").look(Look::Bad) } else { Cell::new("") },
            ]));
        }
    }
    let mut table =
        Table::or_none("Distributions beside the validation's, one case of each patient", columns, rows);
    table.notes.push(
        "Numbers: two-sample Kolmogorov-Smirnov test and difference of means. Categories: equal shares, \
         and Mahalanobis distance of the shares, which has no sign. p values are adjusted for the tests of a \
         month (Holm)."
            .to_owned(),
    );
    table
}

fn counts_by(source: &MonitoringSource, caption: &str, what: &str, refusals: bool) -> Table {
    let columns = vec![Column::left("Month", 0.0), Column::left(what, 1.0), Column::right("Count")];
    let rows = source.judgement.months.iter().flat_map(|month| {
        let (counts, whole) =
            if refusals { (&month.refusals, month.cases) } else { (&month.missing, month.rows) };
        counts.iter().map(move |(name, count)| {
            Row::plain([month.month.to_string(), name.clone(), format::share(*count, whole)])
        })
    });
    Table::or_none(caption, columns, rows.collect())
}

fn refusals(source: &MonitoringSource) -> Table {
    counts_by(source, "Refused cases by reason, of all cases of the month", "Reason", true)
}

fn missing(source: &MonitoringSource) -> Table {
    counts_by(source, "Empty cells, of all rows of the month", "Column", false)
}

/// Only months with labels have rows.
fn performance(source: &MonitoringSource) -> Table {
    let columns = vec![
        Column::left("Month", 0.0),
        Column::left("Metric", 1.0),
        Column::right("Labelled cases"),
        Column::right("Value"),
        Column::right("Interval"),
        Column::left("Method", 1.0),
    ];
    let mut rows = Vec::new();
    for month in &source.judgement.months {
        for found in &month.performance {
            let style = wording::style_of(&found.id, false);
            let value = |v: f64| format::number(v, style);
            let interval = found.intervals.first();
            rows.push(Row::plain([
                month.month.to_string(),
                wording::metric(&found.id),
                format::count(found.n),
                found.value.map_or_else(|| found.not_evaluable.clone().unwrap_or_else(dash), value),
                interval.map_or_else(dash, |i| format!("{} to {}", value(i.lower), value(i.upper))),
                interval.map_or_else(dash, |i| i.method.describe(found.quantity()).to_owned()),
            ]));
        }
    }
    Table::new("Performance on the labelled cases of the month", columns, rows)
}
