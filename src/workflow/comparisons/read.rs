//! Tables of counts: one row a pair of devices.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::statistics::comparative::{CallTable, IndependentShares, PairedCalls};
use crate::statistics::paired_shares::PairedShares;
use crate::table::{Row, Table, cell, limited};

/// Counts above this are no counts of cases.
const MOST: u64 = 1_000_000_000_000;

/// Columns of a table of one share: by who is right.
const SHARES: [&str; 4] = ["both", "only_first", "only_second", "neither"];
/// Columns of a table by the calls of the two, positive cases before negative ones.
const CALLS: [&str; 8] = ["d_pp", "d_pn", "d_np", "d_nn", "n_pp", "n_pn", "n_np", "n_nn"];
/// Columns of two shares of different cases.
const PAIRS: [&str; 4] = ["x1", "n1", "x2", "n2"];
/// Columns that may name a row.
const NAMES: [&str; 4] = ["id", "table", "pair", "name"];

/// What a row of a paired table counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairedCounts {
    /// One share, by who is right.
    Shares(PairedShares),
    /// Calls of positive and negative cases.
    Calls(PairedCalls),
}

/// A row of counts of the same cases.
#[derive(Clone, Debug)]
pub struct PairedRow {
    /// Its name.
    pub id: String,
    /// Its counts.
    pub counts: PairedCounts,
}

/// A row of counts of different cases.
#[derive(Clone, Debug)]
pub struct IndependentRow {
    /// Its name.
    pub id: String,
    /// Right and all, of the first and of the second.
    pub counts: [[u64; 2]; 2],
    /// The shares.
    pub shares: IndependentShares,
}

impl PairedRow {
    /// Of four counts by who is right, or of eight by the calls.
    ///
    /// # Errors
    /// In words, for another number of counts or one that is too large.
    pub fn of(id: &str, counts: &[u64]) -> Result<Self, String> {
        if let Some(large) = counts.iter().find(|count| **count > MOST) {
            return Err(format!("{large} is no number of cases: at most {MOST} are counted"));
        }
        let counts = match *counts {
            [both, only_first, only_second, neither] => {
                PairedCounts::Shares(PairedShares { both, only_first, only_second, neither })
            }
            [a, b, c, d, e, f, g, h] => {
                let table = |[both, only_first, only_second, neither]: [u64; 4]| CallTable {
                    both,
                    only_first,
                    only_second,
                    neither,
                };
                PairedCounts::Calls(PairedCalls {
                    positives: table([a, b, c, d]),
                    negatives: table([e, f, g, h]),
                })
            }
            _ => return Err(format!("there are {} counts, and a table has 4 or 8", counts.len())),
        };
        Ok(Self { id: id.to_owned(), counts })
    }
}

impl IndependentRow {
    /// Of right and all of the two.
    ///
    /// # Errors
    /// In words, where a share has no cases, more right ones than cases, or too many.
    pub fn of(id: &str, first: [u64; 2], second: [u64; 2]) -> Result<Self, String> {
        let counts = [first, second];
        let many = counts.iter().flatten().any(|count| *count > MOST);
        let shares = IndependentShares::new(first, second).filter(|_| !many);
        let shares = shares.ok_or_else(|| {
            format!(
                "{}/{} and {}/{} are no two shares: each has at least one case, no more right ones than \
                 cases, and at most {MOST}",
                first[0], first[1], second[0], second[1]
            )
        })?;
        Ok(Self { id: id.to_owned(), counts, shares })
    }
}

fn whole(text: &str) -> Option<u64> {
    cell::whole_of::<u64>(text).ok().filter(|count| *count <= MOST)
}

/// The named columns as counts of each row, with the row's name; `make` turns them into what is wanted.
fn rows<T>(
    path: &Path,
    table: &Table,
    columns: &[&str],
    make: impl Fn(&str, &[u64]) -> Result<T, String>,
) -> Result<Vec<T>, Vec<Diagnostic>> {
    let found: Vec<Result<usize, Diagnostic>> = columns.iter().map(|c| table.required(c)).collect();
    let missing: Vec<Diagnostic> = found.iter().filter_map(|c| c.clone().err()).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let places: Vec<usize> = found.into_iter().flatten().collect();
    let name = NAMES.iter().find_map(|name| table.column(name));
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    for row in table.rows() {
        let id = row.get(name).map_or_else(|| format!("row {}", row.line), str::to_owned);
        let read = |row: &Row<'_>| -> Result<T, String> {
            let mut counts = Vec::new();
            for (place, column) in places.iter().zip(columns) {
                let text = row.get(Some(*place)).unwrap_or("");
                counts.push(whole(text).ok_or_else(|| {
                    format!("`{column}` is \"{}\", no whole number from 0 to {MOST}", cell::shown(text))
                })?);
            }
            make(&id, &counts)
        };
        match read(&row) {
            Ok(one) => out.push(one),
            Err(message) => problems.push(
                Diagnostic::error(Code::CountMalformed, message)
                    .at(table.at(row.line))
                    .hint("every count is a whole number of cases, 0 where there is none"),
            ),
        }
    }
    if out.is_empty() && problems.is_empty() {
        problems.push(Diagnostic::error(Code::TableEmpty, "the table has no row").at(table.at(1)));
    }
    if problems.is_empty() { Ok(out) } else { Err(limited(problems, path)) }
}

/// Rows of counts of the same cases: eight columns by the calls where the table has them, else four by who is
/// right.
///
/// # Errors
/// What [`Table::parse`] refuses; every missing column; rows that are no counts.
pub fn paired_rows(path: &Path, bytes: &[u8]) -> Result<Vec<PairedRow>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let by_calls = CALLS.iter().any(|column| table.column(column).is_some());
    let columns = if by_calls { &CALLS[..] } else { &SHARES[..] };
    rows(path, &table, columns, PairedRow::of)
}

/// Rows of counts of different cases.
///
/// # Errors
/// As [`paired_rows`].
pub fn independent_rows(path: &Path, bytes: &[u8]) -> Result<Vec<IndependentRow>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    rows(path, &table, &PAIRS, |id, counts| match *counts {
        [x1, n1, x2, n2] => IndependentRow::of(id, [x1, n1], [x2, n2]),
        _ => Err("four counts are needed".to_owned()),
    })
}
