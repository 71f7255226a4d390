//! Numbers and names in words, and the parts of a table.

use crate::dataset::describe::Fact;
use crate::dataset::describe::{Description, Share};
use crate::dataset::standardised::NOTABLE;
use crate::report::document::{Align, Cell, Column, Look, Row, Table};
use crate::report::{format, text};

/// A share in percent: one decimal from 10 % on, two below.
pub(super) fn percent(value: f64) -> String {
    if value == 0.0 {
        return "0%".to_owned();
    }
    if value > 0.0 && value < 0.000_05 {
        return "<0.01%".to_owned();
    }
    let decimals = if value < 0.1 && value > 0.0 { 2 } else { 1 };
    format!("{}%", format::fixed(value * 100.0, decimals))
}

/// `1,431/112,120 (1.28%)`.
pub fn share(share: Share) -> String {
    let counts = format!("{}/{}", format::count(share.numerator), format::count(share.denominator));
    share.value.map_or_else(|| counts.clone(), |value| format!("{counts} ({})", percent(value)))
}

/// The stated number of a fact and the found one, the latter with two more decimals.
pub fn fact_numbers(fact: &Fact) -> (String, String) {
    let stated = fact.stated.to_string();
    let decimals = stated.split_once('.').map_or(0, |(_, after)| after.len());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 10^15")]
    let words = |value: f64, decimals: usize| {
        if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
            format::count(value as u64)
        } else {
            format::fixed(value, decimals)
        }
    };
    let found = fact.found.map_or_else(|| "not there".to_owned(), |found| words(found, decimals + 2));
    (words(fact.stated, decimals), found)
}

/// A finding's name in words.
pub(super) fn finding_name(name: &str) -> String {
    text::one_line(&name.replace('_', " "))
}

/// A level in words: an age band without an end says so.
pub(super) fn level_words(field: &str, level: &str) -> String {
    match level.strip_suffix('-') {
        Some(first) if field == "age_band" => format!("{first} and over"),
        _ => text::one_line(level),
    }
}

pub(super) fn difference(value: Option<f64>) -> Cell {
    match value {
        None => Cell::new("not evaluable").look(Look::Muted),
        Some(value) if value.abs() > NOTABLE => Cell::new(format::fixed(value, 3)).look(Look::Strong),
        Some(value) => Cell::new(format::fixed(value, 3)),
    }
}

/// A variable's name in words, with its level.
pub(super) fn variable(name: &str, level: Option<&str>) -> String {
    let words = match name {
        "label" => "Label".to_owned(),
        "finding" => String::new(),
        "age" => "Age".to_owned(),
        other => text::humanise(&other.replace('_', "-")),
    };
    match level {
        None => words,
        Some(level) if words.is_empty() => text::one_line(&level.replace('_', " ")),
        Some(level) => format!("{words}: {}", level_words(name, level)),
    }
}

pub(super) fn columns(first: &str, rest: impl Iterator<Item = String>) -> Vec<Column> {
    let mut out = vec![Column { header: first.to_owned(), align: Align::Left, weight: 1.0 }];
    out.extend(rest.map(|header| Column { header, align: Align::Right, weight: 0.0 }));
    out
}

pub(super) fn names(description: &Description) -> impl Iterator<Item = String> {
    description.sets.iter().map(|s| text::one_line(&s.name))
}

pub(super) fn table(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Table {
    Table { caption: caption.into(), number: 0, columns, rows, notes: Vec::new() }
}

pub(super) fn row(first: impl Into<String>, rest: impl Iterator<Item = String>) -> Row {
    let mut cells = vec![Cell::new(first)];
    cells.extend(rest.map(Cell::new));
    Row::Cells(cells)
}

pub(super) fn finding_words(description: &Description) -> String {
    if description.positive.is_empty() {
        "positive".to_owned()
    } else {
        text::one_line(&description.positive.join(" or "))
    }
}
