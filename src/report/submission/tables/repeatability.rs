//! Precision of the device: scores and calls of several images of one patient.

use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::study::results::{CallShare, Limited, PairDifferences, Repeatability, Results, UnderCondition};

fn dash() -> String {
    "\u{2013}".to_owned()
}

fn score(value: f64) -> String {
    format::fixed(value, 4)
}

fn between((low, high): (f64, f64)) -> String {
    format!("{} to {}", score(low), score(high))
}

fn limits(of: Option<&Limited>) -> String {
    of.and_then(|of| of.limits).map_or_else(dash, between)
}

fn value(of: Option<&Limited>) -> String {
    of.map_or_else(dash, |of| score(of.value))
}

/// A share with its interval.
fn share(of: Option<&CallShare>) -> String {
    let Some(of) = of else { return dash() };
    let percent = |value: f64| format::number(value, Style::Percent);
    let limits = of
        .share
        .limits
        .map_or_else(String::new, |(low, high)| format!(" ({} to {})", percent(low), percent(high)));
    format!("{}{limits}", percent(of.share.value))
}

fn columns(first: &str) -> Vec<Column> {
    vec![
        Column::left(first, 1.4),
        Column::right("Patients"),
        Column::right("Images"),
        Column::right("Value"),
        Column::left("Interval", 0.8),
    ]
}

/// Scores and calls of all repeated images. Nothing where the protocol declares none.
pub fn repeatability(results: &Results) -> Table {
    let Some(found) = &results.repeatability else {
        return Table::or_none("Repeatability", columns("Measure"), Vec::new());
    };
    let level = format::level(found.level);
    let row = |name: &str, patients: u64, images: Option<u64>, value: String, interval: String| {
        let images = images.map_or_else(dash, format::count);
        Row::plain([name.to_owned(), format::count(patients), images, value, interval])
    };
    let spread = |name: &str, of: Option<&Limited>| {
        row(name, found.patients, Some(found.images), value(of), limits(of))
    };
    let differences = &found.differences;
    let pair = |name: &str, of: Option<&Limited>| {
        row(name, differences.patients, Some(2 * differences.patients), value(of), limits(of))
    };
    let calls = |name: &str, of: Option<&CallShare>| {
        let percent = |value: f64| format::number(value, Style::Percent);
        let interval = of.and_then(|of| of.share.limits);
        let interval =
            interval.map_or_else(dash, |(low, high)| format!("{} to {}", percent(low), percent(high)));
        let value = of.map_or_else(dash, |of| percent(of.share.value));
        row(name, of.map_or(0, |of| of.patients), of.map(|of| of.images), value, interval)
    };
    let agreement = &found.agreement;
    let mut rows = vec![
        Row::Group("Scores of one patient".to_owned()),
        spread("Standard deviation within patients", Some(&found.within_sd)),
        spread("Repeatability coefficient", Some(&found.coefficient)),
        row(
            "Standard deviation between patients",
            found.patients + found.single,
            Some(found.images + found.single),
            score(found.between_sd),
            dash(),
        ),
        row(
            "Share of the variance between patients",
            found.patients + found.single,
            Some(found.images + found.single),
            value(found.intraclass.as_ref()),
            limits(found.intraclass.as_ref()),
        ),
        Row::Group("Second image less first, in the order of the table".to_owned()),
        pair("Mean difference", Some(&differences.mean)),
        row(
            "Standard deviation of the differences",
            differences.patients,
            Some(2 * differences.patients),
            differences.sd.map_or_else(dash, score),
            dash(),
        ),
        pair("Lower limit of agreement", differences.lower.as_ref()),
        pair("Upper limit of agreement", differences.upper.as_ref()),
    ];
    let threshold = format::threshold(found.threshold);
    rows.push(Row::Group(format!("Calls of one patient's images at {threshold}")));
    rows.push(calls("Agreement of all calls", Some(&agreement.overall)));
    rows.push(calls("Positive percent agreement", agreement.positive.as_ref()));
    rows.push(calls("Negative percent agreement", agreement.negative.as_ref()));
    let caption = format!("Repeated images of one patient: scores and calls, with {level} intervals");
    let mut table = Table::new(caption, columns("Measure"), rows);
    table.notes.push(notes(found, &level));
    table
}

fn notes(found: &Repeatability, level: &str) -> String {
    let mut text = format!(
        "The repeatability coefficient is what two scores of a patient differ by less than with a \
         probability of {level}, where differences are normal; so are limits of agreement (Bland and \
         Altman 1986, 1999; their intervals by Zou 2013). Standard deviations: one-way analysis of \
         variance, intervals by the jackknife over patients. Positive (negative) percent agreement: of an \
         image that is called positive (negative), the share of the patient's other images that are called \
         so too (Fleiss 1981); intervals on the effective number of images (Korn and Graubard 1998), \
         patients kept together. Nobody judged these images: agreement is of the device with itself, and \
         says nothing of whether it is right."
    );
    if found.single > 0 {
        text += &format!(" Patients with one scored image alone: {}.", format::count(found.single));
    }
    if found.refused > 0 {
        text += &format!(" Images that the device refused: {}.", format::count(found.refused));
    }
    text
}

/// The same by each declared condition.
pub fn conditions(results: &Results) -> Table {
    let found = results.repeatability.as_ref();
    let mut rows = Vec::new();
    for condition in found.into_iter().flat_map(|found| &found.conditions) {
        rows.push(Row::Group(condition.column.clone()));
        rows.extend(levels(condition));
        rows.extend(together(condition));
    }
    let level = found.map(|found| format::level(found.level)).unwrap_or_default();
    let mut table = Table::or_none(
        format!("Repeated images by condition, with {level} intervals"),
        vec![
            Column::left("Condition", 0.9),
            Column::right("Patients"),
            Column::right("Images"),
            Column::left("SD within patients", 1.0),
            Column::left("Mean difference to the first", 1.0),
            Column::left("Limits of agreement", 0.9),
            Column::left("Positive agreement", 1.0),
            Column::left("Negative agreement", 1.0),
        ],
        rows,
    );
    table.notes.push(
        "SD: of images of one patient under one level; over all levels, of images under the same and under \
         different ones, the latter from the mean squared difference with each patient counted once. The \
         first is the first level by name; differences are of patients' mean scores under both."
            .to_owned(),
    );
    table
}

fn with_limits(of: Option<&Limited>) -> String {
    of.map_or_else(dash, |of| match of.limits {
        Some(limits) => format!("{} ({})", score(of.value), between(limits)),
        None => score(of.value),
    })
}

fn levels(condition: &UnderCondition) -> impl Iterator<Item = Row> {
    let of = |differences: Option<&PairDifferences>| {
        let agreement = differences.and_then(|d| Some((d.lower?.value, d.upper?.value)));
        [with_limits(differences.map(|d| &d.mean)), agreement.map_or_else(dash, between)]
    };
    condition.levels.iter().map(move |level| {
        let [mean, agreement] = of(level.difference.as_ref());
        Row::plain([
            level.level.clone(),
            format::count(level.patients),
            format::count(level.images),
            with_limits(level.within_sd.as_ref()),
            mean,
            agreement,
            dash(),
            dash(),
        ])
    })
}

/// What holds of all levels together.
fn together(condition: &UnderCondition) -> Vec<Row> {
    let row = |name: &str, spread: String, calls: Option<&crate::study::results::CallAgreement>| {
        Row::Cells(vec![
            Cell::new(name).look(Look::Strong),
            Cell::new(calls.map_or_else(dash, |c| format::count(c.overall.patients))),
            Cell::new(calls.map_or_else(dash, |c| format::count(c.overall.images))),
            Cell::new(spread),
            Cell::new(dash()),
            Cell::new(dash()),
            Cell::new(share(calls.and_then(|c| c.positive.as_ref()))),
            Cell::new(share(calls.and_then(|c| c.negative.as_ref()))),
        ])
    };
    vec![
        row("under the same", with_limits(condition.same_sd.as_ref()), condition.same.as_ref()),
        row(
            "under different ones",
            with_limits(condition.different_sd.as_ref()),
            condition.different.as_ref(),
        ),
        row("what the condition adds", condition.condition_sd.map_or_else(dash, score), None),
    ]
}
