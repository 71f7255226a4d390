//! Published numbers of models: name, AUC and, where they were printed, counts.

use std::path::Path;

use crate::comparison::Published;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::statistics::confusion::Confusion;
use crate::statistics::warning::Warning;
use crate::storage;
use crate::table::{Row, Table, cell, limited};

/// Reads the table; lines that start with `#` are comments. `given` are positive and negative cases of rows
/// without counts; where they are not given, such a row takes those of the rows that have counts, when they
/// all agree.
///
/// # Errors
/// Everything wrong in the table, located: `column-missing`, `value-type`, `value-range`,
/// `counts-incomplete`, `class-sizes-missing`, `class-sizes-differ`, `one-class`, `name-repeated`.
pub fn read(path: &Path, given: Option<(u64, u64)>) -> Result<(Vec<Published>, Vec<Warning>)> {
    let bytes = without_comments(storage::read(path)?);
    let table = Table::parse(path, &bytes).map_err(Error::Input)?;
    let name = match table.column("name").or_else(|| table.column("experiment")) {
        Some(column) => column,
        None => table.required("name")?,
    };
    let auc = table.required("auc")?;
    let mut problems = Vec::new();
    let mut read: Vec<(Published, u64)> = Vec::new();
    for row in table.rows() {
        let place = table.at(row.line);
        let Some(label) = row.get(Some(name)) else {
            problems.push(Diagnostic::error(Code::KeyMissing, "the row has no name").at(place));
            continue;
        };
        if read.iter().any(|(r, _)| r.name == label) {
            problems.push(
                Diagnostic::error(Code::NameRepeated, format!("two contenders are called `{label}`"))
                    .at(place),
            );
            continue;
        }
        let text = row.get(Some(auc)).unwrap_or_default();
        let Some(value) = cell::number(text).filter(|a| (0.0..=1.0).contains(a)) else {
            problems.push(
                Diagnostic::error(Code::ValueRange, format!("the AUC of {label} is not in 0..=1: `{text}`"))
                    .at(place)
                    .hint("every row needs its AUC"),
            );
            continue;
        };
        match counts(&table, row, label) {
            Ok(confusion) => read.push((
                Published { name: label.to_owned(), auc: value, positives: 0, negatives: 0, confusion },
                row.line,
            )),
            Err(problem) => problems.push(problem.at(place)),
        }
    }
    if problems.is_empty() && read.is_empty() {
        problems.push(
            Diagnostic::error(Code::TableEmpty, "the table has no row")
                .at(table.at(1))
                .hint("one row a model is needed below the header"),
        );
    }
    if !problems.is_empty() {
        return Err(limited(problems, path).into());
    }
    sizes(&table, read, given)
}

/// Blank instead of comments, so that line numbers stay right.
fn without_comments(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    body.split_inclusive(|b| *b == b'\n')
        .flat_map(|line| if line.starts_with(b"#") { b"\n".as_slice() } else { line })
        .copied()
        .collect()
}

/// All four counts, or none.
fn counts(table: &Table, row: Row<'_>, label: &str) -> Result<Option<Confusion>, Diagnostic> {
    let cells = ["tp", "fn", "fp", "tn"].map(|name| row.get(table.column(name)));
    if cells.iter().all(Option::is_none) {
        return Ok(None);
    }
    let mut numbers = [0; 4];
    for ((cell, name), number) in cells.into_iter().zip(["tp", "fn", "fp", "tn"]).zip(&mut numbers) {
        let Some(text) = cell else {
            return Err(Diagnostic::error(
                Code::CountsIncomplete,
                format!("{label} has some of tp, fn, fp, tn, and no {name}"),
            )
            .hint("give all four or none"));
        };
        // Far above any study, and far below where sums would overflow.
        *number = cell::whole_of::<u64>(text).ok().filter(|n| *n <= 1_000_000_000).ok_or_else(|| {
            Diagnostic::error(Code::ValueType, format!("{name} of {label} is not a count: `{text}`"))
        })?;
    }
    let [tp, fn_, fp, tn] = numbers;
    Ok(Some(Confusion { true_positives: tp, false_negatives: fn_, false_positives: fp, true_negatives: tn }))
}

/// Positive and negative cases of a row: its own counts, what was given, or what the rows with counts agree
/// on.
fn size(row: &Published, given: Option<(u64, u64)>, known: &[(u64, u64)]) -> Result<(u64, u64), Diagnostic> {
    let own = row.confusion.as_ref().map(|c| (c.positives(), c.negatives()));
    let name = &row.name;
    let size = match (own, given, known) {
        (Some(own), Some(given), _) if own != given => {
            return Err(Diagnostic::error(
                Code::ClassSizesDiffer,
                format!(
                    "{name} has {} positive and {} negative cases, --positives and --negatives say {} and {}",
                    own.0, own.1, given.0, given.1
                ),
            ));
        }
        (Some(size), ..) | (None, Some(size), _) | (None, None, &[size]) => size,
        (None, None, _) => {
            let message = format!("{name} has no counts, so its numbers of cases are not known");
            return Err(Diagnostic::error(Code::ClassSizesMissing, message)
                .hint("give --positives and --negatives, or the columns tp, fn, fp, tn"));
        }
    };
    if size.0 == 0 || size.1 == 0 {
        let message =
            format!("{name} has {} positive and {} negative cases; both are needed", size.0, size.1);
        return Err(Diagnostic::error(Code::OneClass, message));
    }
    Ok(size)
}

/// How many positive and negative cases each row stands for.
fn sizes(
    table: &Table,
    read: Vec<(Published, u64)>,
    given: Option<(u64, u64)>,
) -> Result<(Vec<Published>, Vec<Warning>)> {
    let of = |c: &Confusion| (c.positives(), c.negatives());
    let mut known: Vec<(u64, u64)> = read.iter().filter_map(|(r, _)| r.confusion.as_ref().map(of)).collect();
    known.sort_unstable();
    known.dedup();
    let mut problems = Vec::new();
    let mut assumed = Vec::new();
    let mut rows = Vec::new();
    for (mut row, line) in read {
        match size(&row, given, &known) {
            Ok(size) => {
                if row.confusion.is_none() && given.is_none() {
                    assumed.push(row.name.clone());
                }
                (row.positives, row.negatives) = size;
                rows.push(row);
            }
            Err(problem) => problems.push(problem.at(table.at(line))),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let mut warnings = Vec::new();
    if let ([size], false) = (&known[..], assumed.is_empty()) {
        warnings.push(Warning {
            code: Code::ClassSizesAssumed,
            message: format!(
                "{} without counts: {} positive and {} negative cases are assumed, as in the rows that \
                 have counts",
                assumed.join(", "),
                size.0,
                size.1
            ),
        });
    }
    Ok((rows, warnings))
}
