//! Calibration and net benefit at the prevalence of intended use.

use crate::document::format::{self, Style};
use crate::document::tree::{Column, Row, Table};
use crate::study::results::{InIntendedUse, Limited, Results};

fn number(value: f64) -> String {
    format::number(value, Style::Index)
}

fn limits(of: Option<&Limited>) -> String {
    of.and_then(|of| of.limits)
        .map_or_else(|| "\u{2013}".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high)))
}

/// Nothing where the protocol does not declare it.
pub fn calibration(results: &Results) -> Table {
    let found = results.in_intended_use.as_ref();
    let calibration = found.and_then(|found| found.calibration);
    let mut rows = Vec::new();
    if let Some(of) = calibration {
        rows.push(Row::plain([
            "Mean score to be expected".to_owned(),
            number(of.mean_score),
            limits(None),
            String::new(),
        ]));
        for (name, known, ideal) in [
            ("Observed / expected", of.observed_to_expected, 1.0),
            ("Calibration intercept", of.intercept, 0.0),
            ("Calibration slope", of.slope, 1.0),
        ] {
            let value = known.map_or_else(|| "not evaluable".to_owned(), |known| number(known.value));
            rows.push(Row::plain([name.to_owned(), value, limits(known.as_ref()), number(ideal)]));
        }
    }
    let mut table = Table::new(
        found.map_or_else(String::new, |found| caption("Calibration", found)),
        vec![
            Column::left("Measure", 1.0),
            Column::right("Value"),
            Column::left("Interval", 0.8),
            Column::right("Ideal"),
        ],
        rows,
    );
    table.notes.push(
        "Each class is weighted to that prevalence, so this is the calibration of the device in use and not \
         that of an enriched sample. The intercept is moved there (Prentice and Pyke 1979), the slope does \
         not depend on it. Intervals take patients as units (Binder 1983)."
            .to_owned(),
    );
    table
}

/// Nothing where the protocol declares no thresholds.
pub fn net_benefit(results: &Results) -> Table {
    let found = results.in_intended_use.as_ref();
    let rows = found.into_iter().flat_map(|found| &found.net_benefit).map(|at| {
        Row::plain([
            format::threshold(at.threshold),
            format::fixed(at.device.value, 4),
            at.device.limits.map_or_else(
                || "\u{2013}".to_owned(),
                |(low, high)| format!("{} to {}", format::fixed(low, 4), format::fixed(high, 4)),
            ),
            format::fixed(at.treat_all, 4),
        ])
    });
    let mut table = Table::new(
        found.map_or_else(String::new, |found| caption("Net benefit", found)),
        vec![
            Column::right("Threshold"),
            Column::right("Device"),
            Column::left("Interval", 1.0),
            Column::right("Everybody treated"),
        ],
        rows.collect(),
    );
    table.notes.push(
        "In true positives a patient (Vickers and Elkin 2006): acting on a score at or above the threshold, \
         where a false positive costs threshold / (one \u{2212} threshold) of a true positive. Treating \
         nobody has zero. Intervals take patients as units."
            .to_owned(),
    );
    table
}

fn caption(what: &str, found: &InIntendedUse) -> String {
    format!(
        "{what} at the prevalence of intended use, {}, with {} intervals",
        format::prevalence(found.prevalence),
        format::level(found.level)
    )
}
