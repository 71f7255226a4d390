//! The tables of a reader study, from what the results hold.

use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::wording;
use crate::study::results::{
    ComparisonResult, ReaderEstimate, ReaderMerit, ReaderStudyResult, Rules, Verdict,
};

/// The ids of all tables.
pub const IDS: &[&str] = &[
    "title",
    "openings",
    "amendments",
    "deviations",
    "reader-endpoints",
    "reader-estimates",
    "reader-values",
    "reader-components",
    "reading-sessions",
    "reading-time",
    "reader-warnings",
];

/// Those of the study's submission.
pub const SHARED: &[&str] = &["title", "openings", "amendments", "deviations"];

/// A table by its id.
pub fn build(
    found: &ReaderStudyResult,
    endpoints: &[ComparisonResult],
    rules: Rules,
    id: &str,
) -> Option<Table> {
    Some(match id {
        "reader-endpoints" => of_endpoints(found, endpoints, rules),
        "reader-estimates" => estimates(found),
        "reader-values" => values(found),
        "reader-components" => components(found),
        "reading-sessions" => sessions(found),
        "reading-time" => reading_time(found),
        "reader-warnings" => warnings(found),
        _ => return None,
    })
}

/// Whom an interval holds for, in words.
pub fn population(id: &str) -> &'static str {
    match id {
        "cases" => "other cases, read by these readers",
        "readers" => "other readers, reading these cases",
        _ => "other readers and other cases",
    }
}

/// Whether anything is known of times.
pub fn has_times(found: &ReaderStudyResult) -> bool {
    found.sessions.iter().any(|session| session.first.is_some() || session.seconds.is_some())
}

/// Whether anything has to be known.
pub fn has_warnings(found: &ReaderStudyResult) -> bool {
    !found.warnings.is_empty() || found.merits.iter().any(|merit| !merit.warnings.is_empty())
}

/// Whether an estimate of a component is negative.
pub fn negative_components(found: &ReaderStudyResult) -> bool {
    found.merits.iter().flat_map(|merit| &merit.components).any(|component| component.value < 0.0)
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

fn style(metric: &str) -> Style {
    wording::style_of(metric, false)
}

/// A variance: many of them are smaller than what decimals show.
fn small(value: f64) -> String {
    let text = format!("{:.3e}", value.abs());
    if value < 0.0 { format!("\u{2212}{text}") } else { text }
}

fn of_endpoints(found: &ReaderStudyResult, endpoints: &[ComparisonResult], rules: Rules) -> Table {
    let rows = endpoints.iter().map(|c| {
        let style = style(c.metric.id());
        let number = |v: Option<f64>| v.map_or_else(dash, |v| format::number(v, style));
        let interval = c.interval.as_ref();
        let limits = interval.map_or_else(dash, |i| wording::limits_beside_margin(c, i, rules));
        let look = if c.verdict == Verdict::Met { Look::Good } else { Look::Bad };
        Row::Cells(vec![
            Cell::new(format!("{} ({})", c.id, c.role.name())).look(Look::Strong),
            Cell::new(wording::metric(c.metric.id())),
            Cell::new(c.aim.id().to_owned()),
            Cell::new(format!("{} / {}", number(c.device), number(c.other))),
            Cell::new(number(c.difference)),
            Cell::new(limits),
            Cell::new(if c.margin == 0.0 { "0".to_owned() } else { format::number(c.margin, style) }),
            Cell::new(c.p_value.map_or_else(dash, format::p_value)),
            Cell::new(wording::verdict(Some(c.verdict))).look(look),
        ])
    });
    let mut table = Table::or_none(
        "Endpoints on the readers, as the protocol declares them",
        vec![
            Column::left("Endpoint", 1.0),
            Column::left("Measure", 0.8),
            Column::left("Aim", 0.8),
            Column::right("Means"),
            Column::right("Difference"),
            Column::right(&format!("{} CI", format::level(found.level))),
            Column::right("Margin"),
            Column::right("p"),
            Column::left("Verdict", 0.0),
        ],
        rows.collect(),
    );
    for c in endpoints {
        let device = if c.against == crate::protocol::Against::UnaidedReaders {
            "readers with the device less readers without it"
        } else {
            "the device alone less readers without it"
        };
        let method = match &c.not_evaluable {
            Some(why) => format!("not evaluable: {why}"),
            None => c.interval_method.describe(crate::statistics::estimate::Quantity::Projected).to_owned(),
        };
        table.notes.push(format!(
            "{}: {device}, on {} cases, {} positive; {method}.",
            c.id,
            format::count(c.n),
            format::count(c.positives)
        ));
        if let Some(why) = &c.justification {
            table.notes.push(format!("Margin of {}: {why}", c.id));
        }
    }
    table.notes.push("p values are one-sided, of the null hypothesis that the protocol declares.".to_owned());
    table
}

fn row(merit: &ReaderMerit, line: &ReaderEstimate) -> Row {
    let style = style(&merit.metric);
    let number = |v: f64| format::number(v, style);
    let found = line.found;
    Row::plain([
        line.of.clone(),
        number(line.value),
        found.map_or_else(dash, |f| format!("{} to {}", number(f.lower), number(f.upper))),
        found.map_or_else(dash, |f| format::fixed(f.standard_error, 4)),
        found.map_or_else(dash, |f| {
            f.degrees_of_freedom.map_or_else(|| "normal".to_owned(), |df| format::fixed(df, 1))
        }),
        found.map_or_else(dash, |f| format::p_value(f.p)),
    ])
}

fn estimate_columns(level: f64) -> Vec<Column> {
    vec![
        Column::left("Of", 1.4),
        Column::right("Estimate"),
        Column::right(&format!("{} CI", format::level(level))),
        Column::right("Standard error"),
        Column::right("Degrees of freedom"),
        Column::right("p"),
    ]
}

/// Means and differences by every method.
fn estimates(found: &ReaderStudyResult) -> Table {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for merit in &found.merits {
        let methods = merit.methods.iter().filter(|method| !method.id.starts_with("each-"));
        for method in methods.filter(|method| !method.lines.is_empty()) {
            rows.push(Row::Group(format!("{}: {}", wording::metric(&merit.metric), method.method)));
            rows.extend(method.lines.iter().map(|line| row(merit, line)));
            if let Some(test) = &method.all_alike {
                let df2 = test.df2.map_or_else(String::new, |df2| format!(", {}", format::fixed(df2, 1)));
                let name = if test.statistic == "F" { "F" } else { "\u{3c7}\u{b2}" };
                notes.push(format!(
                    "{}, {}: all modalities alike, {name}({}{df2}) = {}, p {}.",
                    wording::metric(&merit.metric),
                    method.id,
                    format::fixed(test.df1, 0),
                    format::fixed(test.value, 3),
                    format::p_is(test.p)
                ));
            }
        }
    }
    let caption = "Means over readers and their differences, by population and method";
    let mut table = Table::or_none(caption, estimate_columns(found.level), rows);
    table.notes = notes;
    table.notes.push(
        "Two-sided p values: of a difference against 0, of an area under the curve against one half."
            .to_owned(),
    );
    table
}

/// Every reader's values and differences.
fn values(found: &ReaderStudyResult) -> Table {
    let mut rows = Vec::new();
    for merit in &found.merits {
        let own = merit.methods.iter().filter(|method| method.id.starts_with("each-"));
        let mut any = false;
        for method in own.filter(|method| !method.lines.is_empty()) {
            any = true;
            rows.push(Row::Group(format!("{}: {}", wording::metric(&merit.metric), method.method)));
            rows.extend(method.lines.iter().map(|line| row(merit, line)));
        }
        if !any && !merit.each.is_empty() {
            rows.push(Row::Group(wording::metric(&merit.metric)));
            let lines = merit.each.iter().map(|value| ReaderEstimate {
                of: format!("{}, {}", value.reader, value.modality),
                value: value.value,
                found: None,
            });
            rows.extend(lines.map(|line| row(merit, &line)));
        }
    }
    Table::or_none("Each reader", estimate_columns(found.level), rows)
}

fn words_of(component: &str) -> &str {
    match component {
        "variance" => "variance of one reader's figure over cases",
        "cov1" => "covariance of one reader in two modalities",
        "cov2" => "covariance of two readers in one modality",
        "cov3" => "covariance of two readers in two modalities",
        "readers" => "variance of readers",
        "modality_by_reader" => "variance of modality by reader",
        other => other,
    }
}

fn components(found: &ReaderStudyResult) -> Table {
    let mut rows = Vec::new();
    for merit in found.merits.iter().filter(|merit| !merit.components.is_empty()) {
        rows.push(Row::Group(wording::metric(&merit.metric)));
        rows.extend(merit.components.iter().map(|component| {
            let value = Cell::new(small(component.value));
            let value = if component.value < 0.0 { value.look(Look::Bad) } else { value };
            Row::Cells(vec![Cell::new(words_of(&component.name)), value])
        }));
    }
    let columns = vec![Column::left("Component", 1.6), Column::right("Estimate")];
    let mut table = Table::or_none("Components of variance (Obuchowski and Rockette 1995)", columns, rows);
    if negative_components(found) {
        table.notes.push(
            "Negative estimates stand as they are: a component near zero is estimated on either side of it. \
             Where readers are random, the difference of the covariances of two readers counts as 0 where it \
             is negative."
                .to_owned(),
        );
    }
    table
}

fn sessions(found: &ReaderStudyResult) -> Table {
    let seconds = |value: f64| format::fixed(value, 1);
    let rows = found.sessions.iter().map(|session| {
        let days = match (&session.first, &session.last) {
            (Some(first), Some(last)) if first == last => first.clone(),
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => dash(),
        };
        Row::plain([
            session.reader.clone(),
            if session.aided { "with the device" } else { "without the device" }.to_owned(),
            format::count(session.reads),
            days,
            session.seconds.map_or_else(dash, |q| seconds(q[1])),
            session.seconds.map_or_else(dash, |q| format!("{} to {}", seconds(q[0]), seconds(q[2]))),
        ])
    });
    Table::or_none(
        "Sessions and reading times",
        vec![
            Column::left("Reader", 0.8),
            Column::left("Modality", 1.0),
            Column::right("Reads"),
            Column::left("Days", 1.0),
            Column::right("Median (s)"),
            Column::right("Quartiles (s)"),
        ],
        rows.collect(),
    )
}

fn reading_time(found: &ReaderStudyResult) -> Table {
    let seconds = |value: f64| format::fixed(value, 1);
    let rows = found.reading_time.iter().map(|time| {
        Row::plain([
            format::count(time.readers),
            format::count(time.pairs),
            seconds(time.unaided),
            seconds(time.aided),
            seconds(time.difference),
            format!("{} to {}", seconds(time.lower), seconds(time.upper)),
        ])
    });
    let mut table = Table::or_none(
        "Reading time in seconds, mean of the readers' means",
        vec![
            Column::right("Readers"),
            Column::right("Pairs of reads"),
            Column::right("Without the device"),
            Column::right("With the device"),
            Column::right("Difference"),
            Column::right(&format!("{} CI", format::level(found.level))),
        ],
        rows.collect(),
    );
    table.notes.push("Student's t over readers: cases of one reader are no independent trials.".to_owned());
    table
}

fn warnings(found: &ReaderStudyResult) -> Table {
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |of: String, code: String, message: String| rows.push(Row::plain([of, code, message]));
    for warning in &found.warnings {
        add("the reading".to_owned(), warning.code.to_string(), warning.message.clone());
    }
    for merit in &found.merits {
        for warning in &merit.warnings {
            add(wording::metric(&merit.metric), warning.code.to_string(), warning.message.clone());
        }
    }
    Table::or_none(
        "What has to be known of this reader study",
        vec![Column::left("Of", 0.6), Column::left("Code", 0.7), Column::left("What", 2.4)],
        rows,
    )
}
