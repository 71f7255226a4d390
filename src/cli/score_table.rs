//! A CSV of labels and scores, read row by row with every problem located.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use csv::ByteRecord;

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::statistics::warning::Warning;
use crate::storage;

/// Which columns to read.
pub struct Columns<'a> {
    /// The file.
    pub path: &'a Path,
    /// Column of the reference standard.
    pub label: &'a str,
    /// The label that means positive, where it is named.
    pub positive: Option<&'a str>,
    /// Column of the scores.
    pub score: &'a str,
    /// Column of a second score.
    pub compare: Option<&'a str>,
    /// Column of clusters.
    pub cluster: Option<&'a str>,
    /// Columns of subgroups and sites.
    pub groups: &'a [String],
    /// Leave out rows without label or score instead of refusing them.
    pub skip_missing: bool,
}

/// One column with few distinct values: 0..levels.len() for each row, levels in ascending order.
pub struct Group {
    /// The column.
    pub name: String,
    /// Distinct values, ascending.
    pub levels: Vec<String>,
    /// Place in `levels` of each row.
    pub ids: Vec<u32>,
}

/// The table: one entry a row everywhere.
#[derive(Default)]
pub struct ScoreTable {
    /// Reference standard.
    pub labels: Vec<bool>,
    /// Scores, all finite.
    pub scores: Vec<f64>,
    /// A second score, all finite.
    pub compare: Option<Vec<f64>>,
    /// Clusters as 0..count.
    pub clusters: Option<Vec<u32>>,
    /// Subgroup and site columns.
    pub groups: Vec<Group>,
    /// What was left out.
    pub warnings: Vec<Warning>,
}

/// Problems that are listed one by one; the rest are counted.
const LISTED: usize = 20;

/// Distinct values of a column, numbered as they come.
#[derive(Default)]
struct Interner {
    ids: BTreeMap<Vec<u8>, u32>,
    rows: Vec<u32>,
}

impl Interner {
    fn push(&mut self, value: &[u8]) {
        let next = self.ids.len() as u32;
        let id = match self.ids.get(value) {
            Some(&id) => id,
            None => {
                self.ids.insert(value.to_vec(), next);
                next
            }
        };
        self.rows.push(id);
    }

    /// With numbers in the order of the values.
    fn into_group(self, name: String) -> Group {
        let mut order = vec![0; self.ids.len()];
        let mut levels = Vec::with_capacity(self.ids.len());
        for (place, (value, id)) in (0_u32..).zip(self.ids) {
            order[id as usize] = place;
            let text = String::from_utf8_lossy(&value).into_owned();
            levels.push(if text.is_empty() { "not recorded".into() } else { text });
        }
        Group { name, levels, ids: self.rows.into_iter().map(|id| order[id as usize]).collect() }
    }
}

impl ScoreTable {
    /// Reads the file.
    ///
    /// # Errors
    /// Every missing column at once; then up to 20 wrong rows with their lines, and the count of the rest; an
    /// empty table.
    pub fn read(columns: &Columns<'_>) -> Result<Self> {
        let path = columns.path;
        // As much of the header as is looked at for its separator.
        let mut input = BufReader::with_capacity(1 << 16, storage::open(path)?);
        let separator = separator_of(input.fill_buf().map_err(|e| Error::io("read", path, &e))?);
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(input);
        let header = reader.byte_headers().map_err(|e| of_csv(path, &e))?.clone();
        let places = Places::find(columns, &header)?;
        let mut table = Self { compare: columns.compare.map(|_| Vec::new()), ..Self::default() };
        let mut clusters = Interner::default();
        let mut groups: Vec<Interner> = columns.groups.iter().map(|_| Interner::default()).collect();
        let mut problems = Problems { path, listed: Vec::new(), more: 0 };
        let mut labels = Labels { positive: columns.positive, negative: None };
        let mut skipped = 0_u64;
        let mut record = ByteRecord::new();
        loop {
            match reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    problems.push(of_csv_diagnostic(path, &e));
                    break;
                }
            }
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |place: usize| record.get(place).unwrap_or_default().trim_ascii();
            let missing = |place: Option<usize>| place.is_some_and(|p| cell(p).is_empty());
            if columns.skip_missing
                && (missing(Some(places.label)) || missing(Some(places.score)) || missing(places.compare))
            {
                skipped += 1;
                continue;
            }
            let label = labels.read(cell(places.label));
            let score = number(cell(places.score));
            let other = places.compare.map(|p| number(cell(p)));
            match (label, score, other) {
                (Some(label), Some(score), None | Some(Some(_))) => {
                    table.labels.push(label);
                    table.scores.push(score);
                    if let (Some(list), Some(Some(other))) = (&mut table.compare, other) {
                        list.push(other);
                    }
                    if let Some(place) = places.cluster {
                        if cell(place).is_empty() {
                            let hint = "fill it, or leave out --cluster";
                            problems.wrong(line, Code::ClusterMissing, "the cluster is empty".into(), hint);
                        }
                        clusters.push(cell(place));
                    }
                    for (group, &place) in groups.iter_mut().zip(&places.groups) {
                        group.push(cell(place));
                    }
                }
                _ => {
                    if label.is_none() {
                        let text = cell(places.label);
                        let message = labels.complaint(columns.label, &show(text));
                        problems.wrong(line, Code::LabelNotBinary, message, labels.hint(text));
                    }
                    if score.is_none() {
                        let text = cell(places.score);
                        let message = format!("{} is not a finite number: {}", columns.score, show(text));
                        problems.wrong(line, Code::ScoreNotANumber, message, score_hint(text));
                    }
                    if other == Some(None) {
                        let text = places.compare.map_or(&[][..], cell);
                        let name = columns.compare.unwrap_or_default();
                        let message = format!("{name} is not a finite number: {}", show(text));
                        problems.wrong(line, Code::ScoreNotANumber, message, score_hint(text));
                    }
                }
            }
        }
        problems.finish()?;
        if table.labels.is_empty() {
            let what = if skipped > 0 { "no row with a label and a score" } else { "no row" };
            return Err(Diagnostic::error(Code::TableEmpty, format!("the table has {what}"))
                .at(Location::file(path))
                .hint("one row a case is needed below the header")
                .into());
        }
        if skipped > 0 {
            table.warnings.push(Warning {
                code: Code::RowsSkipped,
                message: format!("{skipped} rows without label or score were left out"),
            });
        }
        table.warnings.extend(separator_note(separator));
        table.clusters = places.cluster.map(|_| clusters.rows);
        table.groups =
            groups.into_iter().zip(columns.groups).map(|(g, name)| g.into_group(name.clone())).collect();
        Ok(table)
    }
}

/// What separates the cells of a table with this beginning: semicolons or tabs where the header has no comma
/// outside quotes, as spreadsheets write them where the comma is the decimal sign.
pub(super) fn separator_of(beginning: &[u8]) -> u8 {
    let mut quoted = false;
    let mut separator = b',';
    for &byte in beginning.iter().take_while(|b| !matches!(b, b'\n' | b'\r')) {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return b',',
            b';' if !quoted => separator = b';',
            b'\t' if !quoted && separator == b',' => separator = b'\t',
            _ => {}
        }
    }
    separator
}

/// Says so where the table is not separated by commas.
pub(super) fn separator_note(separator: u8) -> Option<Warning> {
    let name = match separator {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => return None,
    };
    Some(Warning {
        code: Code::Separator,
        message: format!("the header has no comma: the table was read as separated by {name}"),
    })
}

/// The first names of a table's columns; thousands would bury the message.
pub(super) fn columns_hint(names: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 12;
    let first: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mixed = if first.iter().any(|n| n.contains([';', '\t'])) {
        "; separate the cells by commas, or by one other sign throughout"
    } else {
        ""
    };
    format!("the columns are {}{more}{mixed}", first.join(", "))
}

/// Yes or no in words or as a number, such as `1`, `1.00`, `0.0`.
pub(super) fn binary(cell: &[u8]) -> Option<bool> {
    const POSITIVE: [&str; 4] = ["1", "true", "yes", "positive"];
    const NEGATIVE: [&str; 4] = ["0", "false", "no", "negative"];
    let is = |list: &[&str]| list.iter().any(|w| cell.eq_ignore_ascii_case(w.as_bytes()));
    if is(&POSITIVE) {
        return Some(true);
    }
    if is(&NEGATIVE) {
        return Some(false);
    }
    number(cell).filter(|n| *n == 0.0 || *n == 1.0).map(|n| n == 1.0)
}

/// The way out for a cell that is no score.
fn score_hint(cell: &[u8]) -> &'static str {
    if cell.is_empty() {
        SKIP
    } else if cell.contains(&b',') {
        "write decimals with a point: 0.5"
    } else {
        "write a number such as 0.5; a case without a score has an empty cell, which --skip-missing leaves \
         out"
    }
}

/// The way out for an empty cell.
const SKIP: &str = "fill it, or leave out rows with an empty label or score with --skip-missing";

/// A finite number.
fn number(cell: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

fn show(cell: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(cell).chars().take(40).collect();
    if text.is_empty() { "it is empty".into() } else { format!("{text:?}") }
}

/// How labels are understood.
struct Labels<'a> {
    positive: Option<&'a str>,
    /// The one other value, where the positive is named.
    negative: Option<Vec<u8>>,
}

impl Labels<'_> {
    fn read(&mut self, cell: &[u8]) -> Option<bool> {
        let Some(positive) = self.positive else {
            return binary(cell);
        };
        if cell == positive.as_bytes() {
            return Some(true);
        }
        if cell.is_empty() {
            return None;
        }
        let negative = self.negative.get_or_insert_with(|| cell.to_vec());
        (negative == cell).then_some(false)
    }

    fn hint(&self, cell: &[u8]) -> &'static str {
        if cell.is_empty() {
            SKIP
        } else if self.positive.is_some() {
            "two classes are compared: write a column with two values, and name the positive one with \
             --positive"
        } else {
            "name the value that means positive with --positive VALUE; the one other value is then negative"
        }
    }

    fn complaint(&self, column: &str, text: &str) -> String {
        match (self.positive, &self.negative) {
            (Some(positive), Some(negative)) => format!(
                "{column} has more than two values: {positive:?}, {:?} and {text}",
                String::from_utf8_lossy(negative)
            ),
            (Some(_), None) => format!("{column} has no value: {text}"),
            (None, _) => {
                format!("{column} is not one of 1/0, true/false, yes/no, positive/negative: {text}")
            }
        }
    }
}

/// Where the columns are.
struct Places {
    label: usize,
    score: usize,
    compare: Option<usize>,
    cluster: Option<usize>,
    groups: Vec<usize>,
}

impl Places {
    fn find(columns: &Columns<'_>, header: &ByteRecord) -> Result<Self> {
        let names: Vec<String> = header
            .iter()
            .map(|n| String::from_utf8_lossy(n).trim_start_matches('\u{feff}').trim().to_owned())
            .collect();
        let mut problems = Vec::new();
        let mut find = |name: &str| -> usize {
            let mut found = (0..names.len()).filter(|&i| names[i] == name);
            let place = found.next();
            if place.is_none() {
                problems.push(
                    Diagnostic::error(Code::ColumnMissing, format!("there is no column {name:?}"))
                        .at(Location::line(columns.path, 1))
                        .hint(columns_hint(&names)),
                );
            }
            if found.next().is_some() {
                problems.push(
                    Diagnostic::error(Code::ColumnRepeated, format!("the column {name:?} is there twice"))
                        .at(Location::line(columns.path, 1)),
                );
            }
            place.unwrap_or(0)
        };
        let places = Self {
            label: find(columns.label),
            score: find(columns.score),
            compare: columns.compare.map(&mut find),
            cluster: columns.cluster.map(&mut find),
            groups: columns.groups.iter().map(|g| find(g)).collect(),
        };
        if header.is_empty() {
            return Err(Diagnostic::error(Code::TableEmpty, "the file is empty")
                .at(Location::file(columns.path))
                .hint("a header and one row a case are needed")
                .into());
        }
        if problems.is_empty() { Ok(places) } else { Err(Error::Input(problems)) }
    }
}

/// What is wrong in the rows.
struct Problems<'a> {
    path: &'a Path,
    listed: Vec<Diagnostic>,
    more: u64,
}

impl Problems<'_> {
    fn wrong(&mut self, line: u64, code: Code, message: String, hint: &str) {
        self.push(Diagnostic::error(code, message).at(Location::line(self.path, line)).hint(hint));
    }

    fn push(&mut self, problem: Diagnostic) {
        if self.listed.len() < LISTED { self.listed.push(problem) } else { self.more += 1 }
    }

    fn finish(mut self) -> Result<()> {
        if self.listed.is_empty() {
            return Ok(());
        }
        if self.more > 0 {
            let count = self.more;
            self.listed.push(
                Diagnostic::error(Code::MoreProblems, format!("{count} more problems are not listed"))
                    .at(Location::file(self.path)),
            );
        }
        Err(Error::Input(self.listed))
    }
}

fn of_csv(path: &Path, error: &csv::Error) -> Error {
    if let csv::ErrorKind::Io(source) = error.kind() {
        return Error::io("read", path, source);
    }
    of_csv_diagnostic(path, error).into()
}

fn of_csv_diagnostic(path: &Path, error: &csv::Error) -> Diagnostic {
    let line = error.position().map(csv::Position::line);
    let location = Location { line, ..Location::file(path) };
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("the row has {len} cells, the header {expected_len}")
        }
        other => format!("the table cannot be read: {other:?}"),
    };
    Diagnostic::error(Code::TableMalformed, message).at(location)
}
