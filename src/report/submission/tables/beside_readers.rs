//! Readers who have no part in the reference standard, and the device on the same cases.

use crate::document::format;
use crate::document::tree::{Column, Row, Table};
use crate::protocol::{Against, ReaderRole};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::study::results::{PairedTest, Results, Rules, ShareBeside};

fn share(estimate: &Estimate) -> String {
    let parts: Vec<String> = wording::fraction(estimate)
        .into_iter()
        .chain(estimate.intervals.first().map(|i| wording::limits(i, wording::style(estimate))))
        .collect();
    match parts.is_empty() {
        true => wording::value(estimate),
        false => format!("{} ({})", wording::value(estimate), parts.join("; ")),
    }
}

fn row(name: &str, share_of: &ShareBeside) -> Row {
    let difference = &share_of.difference;
    let points = |value: f64| format::fixed(format::hundredfold(value), 1);
    let limits = difference.intervals.first();
    let limits = limits.map(|i| format!(" ({} to {})", points(i.lower), points(i.upper)));
    let value = difference.value.map_or_else(|| wording::not_evaluable(difference), points);
    Row::plain([
        name.to_owned(),
        share(&share_of.reader),
        share(&share_of.device),
        format!("{value}{}", limits.unwrap_or_default()),
        difference.p_value.map_or_else(|| "\u{2013}".to_owned(), format::p_value),
    ])
}

/// One group a reader.
pub fn beside_readers(results: &Results, level: &str) -> Table {
    let columns = vec![
        Column::left("Measure", 0.8),
        Column::right(&format!("Reader ({level} CI)")),
        Column::right(&format!("Device, same cases ({level} CI)")),
        Column::right(&format!("Device less reader, percentage points ({level} CI)")),
        Column::right("p"),
    ];
    let caption = "Readers who have no part in the reference standard, and the device on the cases they read";
    let Some(beside) = &results.beside_readers else {
        return Table::or_none(caption, columns, Vec::new());
    };
    let mut rows = Vec::new();
    for reader in &beside.readers {
        let role = reader.role.map_or_else(String::new, |role: ReaderRole| format!(" ({})", role.name()));
        rows.push(Row::Group(format!("{}{role}", reader.reader)));
        rows.push(row("Sensitivity", &reader.sensitivity));
        rows.push(row("Specificity", &reader.specificity));
    }
    if let Some(mean) = &beside.mean {
        let none = || "\u{2013}".to_owned();
        rows.push(Row::Group(format!("Mean of {} readers", format::count(mean.readers))));
        for (name, value) in [("Sensitivity", mean.sensitivity), ("Specificity", mean.specificity)] {
            let value = format::number(value, format::Style::Percent);
            rows.push(Row::plain([name.to_owned(), value, none(), none(), none()]));
        }
    }
    let mut table = Table::or_none(caption, columns, rows);
    let judged = results.rules() == Rules::Current
        && results.comparisons.iter().any(|c| c.against == Against::ComparisonReaders);
    table.notes.push(format!(
        "This is no reader study. The readers stand for themselves: nothing here holds for other readers, \
         and {}.",
        if judged {
            "the endpoint that is judged by a comparison with them stands among the comparisons"
        } else {
            "no endpoint is judged by it"
        }
    ));
    let shares = || beside.readers.iter().flat_map(|r| [&r.sensitivity, &r.specificity]);
    let by = |test| shares().any(|share| share.test == test);
    let mut tests = Vec::new();
    if by(PairedTest::McnemarExact) {
        tests.push("McNemar's exact test");
    }
    if by(PairedTest::Obuchowski) {
        tests.push("the test of Obuchowski (1998) where patients have several cases");
    }
    table.notes.push(format!(
        "A reader is judged on all cases that the reader decided, the device and the difference on those of \
         them that the device scored. p: {}, two-sided, not corrected for their number. results.json has \
         every interval of each difference, and the counts.",
        tests.join("; ")
    ));
    let undecided: Vec<String> = beside
        .readers
        .iter()
        .filter(|r| r.undecided > 0)
        .map(|r| format!("{} on {}", r.reader, format::count(r.undecided)))
        .collect();
    if !undecided.is_empty() {
        table.notes.push(format!("Said neither yes nor no, and left out: {}.", undecided.join(", ")));
    }
    let methods: Vec<&Estimate> = shares().flat_map(|s| [&s.reader, &s.device, &s.difference]).collect();
    table.notes.extend(super::rows::method_note(&methods));
    table
}
