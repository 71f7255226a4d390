//! What a triage device takes, and what its priority saves on the declared worklist.

use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::protocol::Protocol;
use crate::report::submission::source::Source;
use crate::study::results::{Limited, Results};

const NONE: &str = "\u{2013}";

fn limits(of: Limited) -> String {
    of.limits.map_or_else(
        || NONE.to_owned(),
        |(lower, upper)| {
            format!(
                "{} to {}",
                format::number(lower, format::Style::Ratio),
                format::number(upper, format::Style::Ratio)
            )
        },
    )
}

/// Seconds from the image to the answer.
pub fn processing_time(results: &Results, level: &str) -> Table {
    let found = results.triage.as_ref().and_then(|triage| triage.processing.as_ref());
    let mut rows = Vec::new();
    if let Some(found) = found {
        let row = |name: String, of: Limited| {
            Row::Cells(vec![
                Cell::new(name),
                Cell::new(format::number(of.value, format::Style::Ratio)),
                Cell::new(limits(of)),
            ])
        };
        rows.push(row("Mean".to_owned(), found.mean));
        for quantile in &found.quantiles {
            let name = if (quantile.share - 0.5).abs() < 1e-9 {
                "Median".to_owned()
            } else {
                format!("{} of cases take no longer than", format::level(quantile.share))
            };
            rows.push(row(name, quantile.time));
        }
        rows.push(row("Longest".to_owned(), Limited { value: found.longest, limits: None }));
    }
    let mut table = Table::or_none(
        "Processing time of the device, seconds a case",
        vec![Column::left("What", 1.0), Column::right("Seconds"), Column::right(&format!("{level} CI"))],
        rows,
    );
    if let Some(found) = found {
        let spread = found.standard_deviation.map_or_else(String::new, |sd| {
            format!(" Standard deviation {} s.", format::number(sd, format::Style::Ratio))
        });
        table.notes.push(format!(
            "From the column {} of the score table, {} cases with a score.{spread} Mean: Student's t; \
             quantiles: order statistics, whatever the law; without limits where there are too few cases. \
             It is the time on the machine that scored, and says nothing of transfer and display.",
            found.column,
            format::count(found.cases)
        ));
    }
    table
}

/// Minutes until reading begins, without the device and with it.
pub fn time_to_notification(source: &Source, level: &str) -> Table {
    let found = source.results.triage.as_ref().and_then(|triage| triage.waiting.as_ref());
    let mut rows = Vec::new();
    if let Some(found) = found {
        let plain = |value| Limited { value, limits: None };
        let row = |name: &str, of: Limited, look: Look| {
            Row::Cells(vec![
                Cell::new(name).look(look),
                Cell::new(format::number(of.value, format::Style::Ratio)).look(look),
                Cell::new(limits(of)).look(look),
            ])
        };
        rows.push(row("Any examination, without the device", plain(found.without_device), Look::Plain));
        rows.push(row("With the finding, with the device", found.positive, Look::Plain));
        rows.push(row("Without the finding, with the device", found.negative, Look::Plain));
        rows.push(row("Flagged", found.flagged, Look::Plain));
        rows.push(row("Not flagged", found.unflagged, Look::Plain));
        rows.push(row("Saved for an examination with the finding", found.saved, Look::Strong));
    }
    let mut table = Table::or_none(
        "Mean time to notification by the declared worklist, minutes until reading begins",
        vec![
            Column::left("Examination", 1.0),
            Column::right("Minutes"),
            Column::right(&format!("{level} CI")),
        ],
        rows,
    );
    if let (Some(found), Some(declared)) = (found, &source.protocol.triage) {
        table.notes.push(format!(
            "Computed and not observed: a queue with one reading place and Poisson arrivals (M/G/1). \
             Declared are {} examinations an hour, {} of them with the finding, {} minutes of reading \
             without the finding and {} with it, coefficient of variation {}, priority {}; somebody reads \
             {} of the time. Source of these numbers: {}.",
            declared.arrivals_per_hour,
            format::prevalence(declared.prevalence),
            declared.reading_minutes,
            declared.reading_minutes_positive,
            declared.reading_cv,
            declared.priority.id(),
            format::prevalence(found.occupancy),
            declared.source.trim_end_matches('.')
        ));
        let of = |limited: Limited| {
            let percent = |value| format::number(value, format::Style::Percent);
            limited.limits.map_or_else(String::new, |(lower, upper)| {
                format!("{} ({} to {})", percent(limited.value), percent(lower), percent(upper))
            })
        };
        let device = if found.processing_minutes > 0.0 {
            format!(
                "Every examination waits {} minutes for the device first, its mean processing time.",
                format::number(found.processing_minutes, format::Style::Ratio)
            )
        } else {
            "The time that the device takes is not recorded, and is not in these minutes.".to_owned()
        };
        table.notes.push(format!(
            "{device} Limits: the least and the greatest over sensitivity {} and specificity {}, both at {} \
             so that both hold at once (Bonferroni; Korn and Graubard (1998) where patients have several \
             cases). They are of the device alone: the worklist is taken as declared. {} of examinations \
             are flagged. Without the device after Pollaczek and Khinchine, with it after Cobham (1954) and \
             Conway, Maxwell and Miller (1967), judged as Thompson et al. (2024) propose.",
            of(found.sensitivity),
            of(found.specificity),
            format::level(found.level_of_each),
            format::prevalence(found.flagged_share)
        ));
        if found.saved.limits.is_none_or(|(lower, _)| lower <= 0.0) {
            table.notes.push(
                "That the device saves time is not shown: the limits of what is saved hold zero, or it is \
                 less."
                    .to_owned(),
            );
        }
    }
    table
}

/// What the protocol declares, before any result.
pub fn declared(protocol: &Protocol) -> Table {
    let rows = protocol.triage.iter().flat_map(|declared| {
        let row = |name: &str, value: String| {
            Row::Cells(vec![Cell::new(name).look(Look::Strong), Cell::new(value)])
        };
        vec![
            row("Examinations an hour", declared.arrivals_per_hour.to_string()),
            row("With the finding", format::prevalence(declared.prevalence)),
            row("Minutes of reading without the finding", declared.reading_minutes.to_string()),
            row("Minutes of reading with the finding", declared.reading_minutes_positive.to_string()),
            row("Coefficient of variation of both", declared.reading_cv.to_string()),
            row("Priority of the flagged", declared.priority.id().to_owned()),
            row(
                "Processing time",
                declared.processing_column.clone().unwrap_or_else(|| "not recorded".to_owned()),
            ),
            row("Source", declared.source.clone()),
        ]
    });
    Table::or_none(
        "The worklist by which triage is judged, as declared",
        vec![Column::left("What", 1.0), Column::left("Which", 1.0)],
        rows.collect(),
    )
}
