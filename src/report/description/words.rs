//! Numbers and names in words, and the parts of a table.

use crate::dataset::describe::{Comparison, Description, Difference, Fact, Share};
use crate::dataset::standardised::NOTABLE;
use crate::diagnostic::few;
use crate::document::tree::{Align, Cell, Column, Link, Look, Row, Table};
use crate::document::{format, text};

/// `1,431/112,120 (1.3%)`.
pub fn share(share: Share) -> String {
    let counts = format!("{}/{}", format::count(share.numerator), format::count(share.denominator));
    share.value.map_or_else(
        || counts.clone(),
        |value| format!("{counts} ({})", format::number(value, format::Style::Percent)),
    )
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
    Table { caption: caption.into(), number: 0, columns, rows, notes: Vec::new(), link: Link::Nowhere }
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

/// How far two sets lie apart, in a sentence.
pub fn sentence(comparison: &Comparison) -> String {
    let mut notable: Vec<&Difference> =
        comparison.differences.iter().filter(|d| d.value.is_some_and(|v| v.abs() > NOTABLE)).collect();
    let size = |d: &Difference| d.value.unwrap_or(0.0).abs();
    notable.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let (first, second) = (text::one_line(&comparison.first), text::one_line(&comparison.second));
    let largest = comparison.largest.map_or_else(|| "none".to_owned(), |v| format::fixed(v, 3));
    if notable.is_empty() {
        return format!(
            "{first} and {second}: no standardised difference beyond {NOTABLE}; the largest is {largest}"
        );
    }
    let named = notable.iter().map(|d| {
        let name = variable(&d.variable, d.level.as_deref());
        format!("{name} {}", format::fixed(d.value.unwrap_or(0.0), 3))
    });
    let named = few::and_more(named, 6);
    format!("{first} and {second}: standardised differences beyond {NOTABLE}: {named}")
}
