//! Columns of a case table beyond those that every study knows: race, severity, scanner, date of acquisition.
//!
//! They are read where the protocol names them, and for that alone.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::case::{Cases, change_all};
use super::mapped::CaseColumns;
use crate::diagnostic::{Code, Diagnostic};
use crate::table::{Sheet, Table, cell, limited};

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellKind {
    /// Any text.
    Text,
    /// Finite numbers.
    Number,
    /// Days: `2024-01-31`, `20240131` or `2024/01/31`, the rest of a time left out.
    Date,
}

/// A column that the protocol names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherColumn {
    /// As in the header.
    pub name: String,
    /// What its cells are.
    pub kind: CellKind,
}

/// A day as `2024-01-31`; `None` where the text is none. The year comes first: what comes first elsewhere
/// cannot be told.
pub fn day(text: &str) -> Option<String> {
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    let plain = date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> =
        if plain { vec![&date[..4], &date[4..6], &date[6..]] } else { date.split(['-', '/', '.']).collect() };
    let [year, month, day] = parts[..] else { return None };
    let digits = |part: &str, length: std::ops::RangeInclusive<usize>| {
        (length.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let (year, month, day) = (digits(year, 4..=4)?, digits(month, 1..=2)?, digits(day, 1..=2)?);
    chrono::NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
        .map(|date| date.format("%Y-%m-%d").to_string())
}

/// Reads the columns of a table whose cases were read already, and gives each case its cells. `path` is for
/// messages.
///
/// # Errors
/// Everything wrong at once: `column-missing`, `value-unreadable`, `case-contradicts` where a case stands
/// in several rows, and what [`Table::parse_sheet`] reports.
pub fn attach(
    path: &Path,
    bytes: &[u8],
    mapped: Option<&CaseColumns>,
    columns: &[OtherColumn],
    cases: &mut Cases,
) -> Result<(), Vec<Diagnostic>> {
    let sheet = Sheet {
        name: mapped.and_then(|m| m.sheet.as_deref()),
        header_row: mapped.and_then(|m| m.header_row),
    };
    let table = Table::parse_sheet(path, bytes, &sheet)?;
    let mut problems = Vec::new();
    let mut places = Vec::new();
    for column in columns {
        match table.required(&column.name) {
            Ok(place) => places.push((column, place)),
            Err(problem) => problems.push(problem),
        }
    }
    let id = mapped.filter(|m| m.several_rows).and_then(|m| table.column(m.columns.get("case_id")?));
    let mut first: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut by_line: BTreeMap<u64, BTreeMap<String, String>> = BTreeMap::new();
    for row in table.rows() {
        let mut cells = BTreeMap::new();
        for (column, place) in &places {
            let Some(text) = row.get(Some(*place)) else { continue };
            let read = match column.kind {
                CellKind::Text => Some(text.to_owned()),
                CellKind::Number => cell::number(text).map(|n| n.to_string()),
                CellKind::Date => day(text),
            };
            let what = if column.kind == CellKind::Number { "a number" } else { "a day, the year first" };
            match read {
                Some(read) => {
                    cells.insert(column.name.clone(), read);
                }
                None => problems.push(
                    Diagnostic::error(
                        Code::ValueUnreadable,
                        format!("`{}` of `{}` is not {what}", cell::short(text), column.name),
                    )
                    .at(table.at(row.line))
                    .hint(
                        "a rule, and a subgroup with bands, reads every cell; leave a cell empty where \
                         nothing is recorded",
                    ),
                ),
            }
        }
        if let Some(case) = id.and_then(|place| row.get(Some(place))) {
            let known = first.entry(case).or_insert_with(|| cells.clone());
            if *known != cells {
                let message = format!("two rows of `{}` do not say the same", cell::short(case));
                problems.push(Diagnostic::error(Code::CaseContradicts, message).at(table.at(row.line)));
            }
        }
        by_line.insert(row.line, cells);
    }
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    change_all(&mut cases.cases, |line, case| case.other = by_line.remove(&line).unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::cases::{CaseFormat, parse};

    #[test]
    fn days_are_read_where_the_year_comes_first() {
        for text in ["2024-01-31", "20240131", "2024/1/31", "2024-01-31T10:00:00", "2024-01-31 10:00"] {
            assert_eq!(day(text).as_deref(), Some("2024-01-31"), "{text}");
        }
        for text in ["31.01.2024", "2024-13-01", "2024-02-30", "", "yesterday", "2024", "２024-01-31"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn cells_go_to_their_cases_and_wrong_ones_are_told_with_their_line() {
        let path = Path::new("cases.csv");
        let text = "case_id,patient_id,severity,scanned\na,p,2.50,20240131\nb,q,,\n";
        let mut cases = parse(path, text.as_bytes(), CaseFormat::Cases, &[]).expect("cases");
        let column = |name: &str, kind| OtherColumn { name: name.to_owned(), kind };
        let columns = [column("severity", CellKind::Number), column("scanned", CellKind::Date)];
        attach(path, text.as_bytes(), None, &columns, &mut cases).expect("fits");
        assert_eq!(cases.cases[0].other["severity"], "2.5");
        assert_eq!(cases.cases[0].other["scanned"], "2024-01-31");
        assert!(cases.cases[1].other.is_empty());
        let wrong = text.replace("2.50", "much");
        let columns = [columns[0].clone(), column("race", CellKind::Text)];
        let problems = attach(path, wrong.as_bytes(), None, &columns, &mut cases).expect_err("wrong");
        let codes: Vec<Code> = problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, [Code::ColumnMissing, Code::ValueUnreadable]);
        assert_eq!(problems[1].location.as_ref().and_then(|l| l.line), Some(2));
    }
}
