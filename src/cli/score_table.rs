//! A CSV of labels and scores, read row by row with every problem located.

use std::collections::BTreeMap;
use std::path::Path;

use csv::ByteRecord;

use crate::analysis::results::Warning;
use crate::diagnostic::{Diagnostic, Error, Location, Result};

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
        let mut reader = csv::ReaderBuilder::new().from_path(path).map_err(|e| of_csv(path, &e))?;
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
                            problems.wrong(line, "cluster-missing", "the cluster is empty".into());
                        }
                        clusters.push(cell(place));
                    }
                    for (group, &place) in groups.iter_mut().zip(&places.groups) {
                        group.push(cell(place));
                    }
                }
                _ => {
                    if label.is_none() {
                        let text = show(cell(places.label));
                        problems.wrong(line, "label-not-binary", labels.complaint(columns.label, &text));
                    }
                    if score.is_none() {
                        let text = show(cell(places.score));
                        let message = format!("{} is not a finite number: {text}", columns.score);
                        problems.wrong(line, "score-not-a-number", message);
                    }
                    if other == Some(None) {
                        let text = show(places.compare.map_or(&[][..], cell));
                        let name = columns.compare.unwrap_or_default();
                        problems.wrong(
                            line,
                            "score-not-a-number",
                            format!("{name} is not a finite number: {text}"),
                        );
                    }
                }
            }
        }
        problems.finish()?;
        if table.labels.is_empty() {
            let what = if skipped > 0 { "no row with a label and a score" } else { "no row" };
            return Err(Diagnostic::error("table-empty", format!("the table has {what}"))
                .at(Location::file(path))
                .hint("one row a case is needed below the header")
                .into());
        }
        if skipped > 0 {
            table.warnings.push(Warning {
                code: "rows-skipped".into(),
                message: format!("{skipped} rows without label or score were left out"),
            });
        }
        table.clusters = places.cluster.map(|_| clusters.rows);
        table.groups =
            groups.into_iter().zip(columns.groups).map(|(g, name)| g.into_group(name.clone())).collect();
        Ok(table)
    }
}

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
            const POSITIVE: [&str; 5] = ["1", "1.0", "true", "yes", "positive"];
            const NEGATIVE: [&str; 5] = ["0", "0.0", "false", "no", "negative"];
            let is = |list: &[&str]| list.iter().any(|w| cell.eq_ignore_ascii_case(w.as_bytes()));
            return if is(&POSITIVE) {
                Some(true)
            } else if is(&NEGATIVE) {
                Some(false)
            } else {
                None
            };
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
                    Diagnostic::error("column-missing", format!("there is no column {name:?}"))
                        .at(Location::line(columns.path, 1))
                        .hint(format!("the columns are {}", names.join(", "))),
                );
            }
            if found.next().is_some() {
                problems.push(
                    Diagnostic::error("column-repeated", format!("the column {name:?} is there twice"))
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
            return Err(Diagnostic::error("table-empty", "the file is empty")
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
    fn wrong(&mut self, line: u64, code: &'static str, message: String) {
        self.push(Diagnostic::error(code, message).at(Location::line(self.path, line)));
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
                Diagnostic::error("more-problems", format!("{count} more problems are not listed"))
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
    Diagnostic::error("table-malformed", message).at(location)
}
