//! Labelled scores: a table with the reference standard and a score of each case, read row by row.

use std::collections::BTreeMap;
use std::path::Path;

use csv::StringRecord;

use super::cell::{BINARY, binary, is_word, number, shown};
use super::problems::{LISTED, not_listed};
use super::rows::{Columns, Rows};
use super::text::text;
use crate::diagnostic::{Code, Diagnostic, Location};

/// Which columns to read, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Column of the reference standard.
    pub label: &'a str,
    /// The label that means positive, where it is named.
    pub positive: Option<&'a str>,
    /// Column of the scores.
    pub score: &'a str,
    /// Column of a second score.
    pub second: Option<&'a str>,
    /// Column of the cases, each of which has one row.
    pub case: Option<&'a str>,
    /// Column of clusters.
    pub cluster: Option<&'a str>,
    /// The table may be without the column of clusters.
    pub cluster_optional: bool,
    /// Columns of subgroups and sites.
    pub groups: &'a [String],
    /// Scores are probabilities: 0..=1.
    pub probability: bool,
    /// Leave out rows without label or score instead of refusing them; without it, the option that would is
    /// not named either.
    pub skip_missing: Option<bool>,
}

/// One column with few distinct values: 0..levels.len() for each row, levels in ascending order.
#[derive(Debug)]
pub struct Group {
    /// The column.
    pub name: String,
    /// Distinct values, ascending.
    pub levels: Vec<String>,
    /// Place in `levels` of each row.
    pub ids: Vec<u32>,
}

/// The table: one entry a row everywhere.
#[derive(Debug, Default)]
pub struct LabelledScores {
    /// Reference standard.
    pub labels: Vec<bool>,
    /// Scores, all finite.
    pub scores: Vec<f64>,
    /// A second score, all finite.
    pub second: Option<Vec<f64>>,
    /// Case ids, all different.
    pub cases: Vec<String>,
    /// Clusters; no cell is empty.
    pub clusters: Option<Group>,
    /// Subgroup and site columns; an empty cell is `not recorded`.
    pub groups: Vec<Group>,
    /// How the table was read, and what was left out.
    pub warnings: Vec<Diagnostic>,
}

/// Distinct values of a column, numbered as they come.
#[derive(Default)]
struct Interner {
    ids: BTreeMap<String, u32>,
    rows: Vec<u32>,
}

impl Interner {
    fn push(&mut self, value: &str) {
        let next = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let id = match self.ids.get(value) {
            Some(&id) => id,
            None => {
                self.ids.insert(value.to_owned(), next);
                next
            }
        };
        self.rows.push(id);
    }

    /// With numbers in the order of the values.
    fn into_group(self, name: &str) -> Group {
        let mut order = vec![0; self.ids.len()];
        let mut levels = Vec::with_capacity(self.ids.len());
        for (place, (value, id)) in (0_u32..).zip(self.ids) {
            order[id as usize] = place;
            levels.push(if value.is_empty() { "not recorded".into() } else { value });
        }
        let ids = self.rows.into_iter().map(|id| order[id as usize]).collect();
        Group { name: name.to_owned(), levels, ids }
    }
}

impl LabelledScores {
    /// Reads the table.
    ///
    /// # Errors
    /// What [`Rows::new`] refuses; every missing column at once; then the first wrong rows with their lines
    /// (`label-not-binary`, `score-not-a-number`, `score-out-of-range`, `case-id-missing`, `duplicate-case`,
    /// `cluster-missing`, `row-length`) and the count of the rest; `table-empty`.
    pub fn parse(path: &Path, bytes: &[u8], wanted: &Wanted<'_>) -> Result<Self, Vec<Diagnostic>> {
        let text = text(path, bytes)?;
        let mut rows = Rows::new(path, &text)?;
        let places = Places::find(rows.columns(), wanted)?;
        let mut reading = Reading {
            path,
            wanted,
            labels: Labels {
                positive: wanted.positive,
                negative: None,
                skips: wanted.skip_missing.is_some(),
            },
            table: Self { second: wanted.second.map(|_| Vec::new()), ..Self::default() },
            seen: BTreeMap::new(),
            clusters: Interner::default(),
            groups: wanted.groups.iter().map(|_| Interner::default()).collect(),
            skipped: 0,
            listed: Vec::new(),
            more: 0,
        };
        while let Some(row) = rows.next() {
            match row {
                Ok((line, record)) => reading.row(line, record, &places),
                Err(problem) => reading.push(problem),
            }
        }
        reading.finish(rows.notes(), &places)
    }
}

/// Where the columns are.
struct Places {
    label: usize,
    score: usize,
    second: Option<usize>,
    case: Option<usize>,
    cluster: Option<usize>,
    groups: Vec<usize>,
}

impl Places {
    fn find(columns: &Columns, wanted: &Wanted<'_>) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut find = |name: &str| {
            columns.required(name).unwrap_or_else(|problem| {
                problems.push(problem);
                0
            })
        };
        let cluster = wanted.cluster.filter(|name| !wanted.cluster_optional || columns.find(name).is_some());
        let places = Self {
            case: wanted.case.map(&mut find),
            label: find(wanted.label),
            score: find(wanted.score),
            second: wanted.second.map(&mut find),
            cluster: cluster.map(&mut find),
            groups: wanted.groups.iter().map(|g| find(g)).collect(),
        };
        if problems.is_empty() { Ok(places) } else { Err(problems) }
    }
}

/// A table that is being read.
struct Reading<'a> {
    path: &'a Path,
    wanted: &'a Wanted<'a>,
    labels: Labels<'a>,
    table: LabelledScores,
    /// Cases with their lines.
    seen: BTreeMap<String, u64>,
    clusters: Interner,
    groups: Vec<Interner>,
    skipped: u64,
    listed: Vec<Diagnostic>,
    more: u64,
}

impl Reading<'_> {
    fn row(&mut self, line: u64, record: &StringRecord, places: &Places) {
        let cell = |place: usize| record.get(place).unwrap_or_default().trim();
        let missing = |place: Option<usize>| place.is_some_and(|p| cell(p).is_empty());
        if self.wanted.skip_missing == Some(true)
            && (missing(Some(places.label)) || missing(Some(places.score)) || missing(places.second))
        {
            self.skipped += 1;
            return;
        }
        let label = self.labels.read(cell(places.label));
        if label.is_none() {
            let text = cell(places.label);
            let (message, hint) = (self.labels.complaint(self.wanted.label, text), self.labels.hint(text));
            self.wrong(line, Code::LabelNotBinary, message, hint);
        }
        let score = self.score(line, self.wanted.score, cell(places.score));
        let second = match (self.wanted.second, places.second) {
            (Some(name), Some(place)) => Some(self.score(line, name, cell(place))),
            _ => None,
        };
        if let Some(place) = places.case {
            self.case(line, cell(place));
        }
        if missing(places.cluster) {
            let hint = if self.wanted.skip_missing.is_some() {
                "fill it, or leave out the option that names the column"
            } else {
                "fill it, or remove the column"
            };
            let message = format!("the cell `{}` is empty", self.wanted.cluster.unwrap_or_default());
            self.wrong(line, Code::ClusterMissing, message, hint);
        }
        let (Some(label), Some(score), None | Some(Some(_))) = (label, score, second) else { return };
        self.table.labels.push(label);
        self.table.scores.push(score);
        if let (Some(list), Some(Some(second))) = (&mut self.table.second, second) {
            list.push(second);
        }
        if let Some(place) = places.case {
            self.table.cases.push(cell(place).to_owned());
        }
        if let Some(place) = places.cluster {
            self.clusters.push(cell(place));
        }
        for (group, &place) in self.groups.iter_mut().zip(&places.groups) {
            group.push(cell(place));
        }
    }

    fn score(&mut self, line: u64, column: &str, text: &str) -> Option<f64> {
        let Some(value) = number(text) else {
            let message = format!("{column} is not a finite number: {}", shown(text));
            let hint = score_hint(text, self.wanted.skip_missing.is_some());
            self.wrong(line, Code::ScoreNotANumber, message, hint);
            return None;
        };
        if self.wanted.probability && !(0.0..=1.0).contains(&value) {
            let message = format!("{column} is {value}, outside 0 to 1");
            self.wrong(line, Code::ScoreOutOfRange, message, "a score is a probability");
            return None;
        }
        Some(value)
    }

    fn case(&mut self, line: u64, id: &str) {
        if id.is_empty() {
            let message = format!("the cell `{}` is empty", self.wanted.case.unwrap_or_default());
            self.wrong(line, Code::CaseIdMissing, message, "name the case, or remove the row");
        } else if let Some(earlier) = self.seen.insert(id.to_owned(), line) {
            let message = format!("the case `{id}` is already on line {earlier}");
            self.wrong(line, Code::DuplicateCase, message, "a case has one score; remove the duplicate row");
        }
    }

    fn wrong(&mut self, line: u64, code: Code, message: String, hint: &str) {
        self.push(Diagnostic::error(code, message).at(Location::line(self.path, line)).hint(hint));
    }

    /// Kept up to what is listed: a long table with a wrong column has a problem in every row.
    fn push(&mut self, problem: Diagnostic) {
        if self.listed.len() < LISTED { self.listed.push(problem) } else { self.more += 1 }
    }

    fn finish(mut self, notes: Vec<Diagnostic>, places: &Places) -> Result<LabelledScores, Vec<Diagnostic>> {
        if self.more > 0 {
            self.listed.push(not_listed(self.more, self.path));
        }
        if self.listed.is_empty() && self.table.labels.is_empty() {
            let what = if self.skipped > 0 { "no row with a label and a score" } else { "no row" };
            self.listed.push(
                Diagnostic::error(Code::TableEmpty, format!("the table has {what}"))
                    .at(Location::file(self.path))
                    .hint("one row a case is needed below the header"),
            );
        }
        if !self.listed.is_empty() {
            return Err(self.listed);
        }
        let mut table = self.table;
        table.warnings = notes;
        if self.skipped > 0 {
            let message = format!("{} rows without label or score were left out", self.skipped);
            table
                .warnings
                .push(Diagnostic::warning(Code::RowsSkipped, message).at(Location::file(self.path)));
        }
        table.clusters =
            places.cluster.map(|_| self.clusters.into_group(self.wanted.cluster.unwrap_or_default()));
        let named = self.groups.into_iter().zip(self.wanted.groups);
        table.groups = named.map(|(group, name)| group.into_group(name)).collect();
        Ok(table)
    }
}

/// The way out for a cell that is no score.
fn score_hint(text: &str, skips: bool) -> &'static str {
    match (text.is_empty(), skips) {
        (true, true) => SKIP,
        (true, false) => "every case needs a score; remove the row from all tables to leave a case out",
        (false, _) if text.contains(',') => "write decimals with a point: 0.5",
        (false, true) => {
            "write a number such as 0.5; a case without a score has an empty cell, which --skip-missing \
             leaves out"
        }
        (false, false) => "write a number such as 0.5; remove the row from all tables to leave a case out",
    }
}

/// The way out for an empty cell.
const SKIP: &str = "fill it, or leave out rows with an empty label or score with --skip-missing";

/// How labels are understood.
struct Labels<'a> {
    positive: Option<&'a str>,
    /// The one other value, where the positive is named.
    negative: Option<String>,
    /// There is an option that leaves rows out, and one that names the positive value.
    skips: bool,
}

impl Labels<'_> {
    fn read(&mut self, cell: &str) -> Option<bool> {
        let Some(positive) = self.positive else {
            return binary(cell);
        };
        if cell == positive || (positive.parse::<f64>().is_ok() && is_word(positive, cell)) {
            return Some(true);
        }
        if cell.is_empty() {
            return None;
        }
        let negative = self.negative.get_or_insert_with(|| cell.to_owned());
        (negative == cell || (number(cell).is_some() && is_word(negative, cell))).then_some(false)
    }

    fn hint(&self, cell: &str) -> &'static str {
        if !self.skips {
            "every case needs a label; remove the row from all tables to leave a case out"
        } else if cell.is_empty() {
            SKIP
        } else if self.positive.is_some() {
            "two classes are compared: write a column with two values, and name the positive one with \
             --positive"
        } else {
            "name the value that means positive with --positive VALUE; the one other value is then negative"
        }
    }

    fn complaint(&self, column: &str, text: &str) -> String {
        let text = shown(text);
        match (self.positive, &self.negative) {
            (Some(positive), Some(negative)) => {
                format!("{column} has more than two values: {positive:?}, {negative:?} and {text}")
            }
            (Some(_), None) => format!("{column} has no value: {text}"),
            (None, _) => format!("{column} is not one of {BINARY}: {text}"),
        }
    }
}
