//! A batch: the rows of one month, read as the plan declares them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::month::Month;
use super::plan::{InputKind, MonitoringPlan};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::table::cell::{BINARY, binary, is_word, number, shown};
use crate::table::{Row, Table, limited};

/// What a seal binds batches to.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoundTo<'a> {
    /// Digest of the model's lock, where the device has one.
    pub lock: Option<Digest>,
    /// Positive at or above.
    pub threshold: f64,
    /// The version that rows name.
    pub version: Option<&'a str>,
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchRow {
    /// Unique in the batch.
    pub case: String,
    /// Whom it shows, where patients are declared.
    pub patient: Option<String>,
    /// The score, where scores are declared and this is none.
    pub score: Option<f64>,
    /// The call: the score beside the threshold, or what the column says.
    pub call: Option<bool>,
    /// Why the device refused.
    pub refused: Option<String>,
    /// The reference standard, where it is known.
    pub label: Option<bool>,
    /// Numbers of declared columns; empty where the cell is.
    pub numbers: BTreeMap<String, f64>,
    /// Words of declared columns.
    pub words: BTreeMap<String, String>,
}

/// A batch that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which.
    pub month: Month,
    /// In the file's order.
    pub rows: Vec<BatchRow>,
    /// Empty cells of each declared column that should be filled.
    pub missing: BTreeMap<String, u64>,
    /// How the table was read.
    pub notes: Vec<Diagnostic>,
}

/// Where the declared columns are.
struct Places<'p> {
    case: usize,
    patient: Option<usize>,
    result: usize,
    result_name: &'p str,
    refused: Option<usize>,
    label: Option<usize>,
    date: Option<usize>,
    lock: Option<usize>,
    version: Option<usize>,
    inputs: Vec<usize>,
}

impl<'p> Places<'p> {
    fn find(table: &Table, plan: &'p MonitoringPlan) -> Result<Self, Vec<Diagnostic>> {
        let columns = &plan.columns;
        let mut problems = Vec::new();
        let mut find = |name: &str| {
            table.required(name).unwrap_or_else(|problem| {
                problems.push(problem);
                0
            })
        };
        let result_name = columns.score.as_deref().or(columns.call.as_deref()).unwrap_or_default();
        let places = Self {
            case: find(&columns.case),
            patient: columns.patient.as_deref().map(&mut find),
            result: find(result_name),
            result_name,
            refused: columns.refused.as_deref().map(&mut find),
            // Labels come later or never: a batch may be without the column.
            label: columns.label.as_deref().and_then(|name| table.column(name)),
            date: columns.date.as_deref().map(&mut find),
            lock: columns.lock.as_deref().map(&mut find),
            version: columns.version.as_deref().map(&mut find),
            inputs: plan.inputs.iter().map(|input| find(&input.column)).collect(),
        };
        if problems.is_empty() { Ok(places) } else { Err(problems) }
    }
}

impl Batch {
    /// Reads a batch.
    ///
    /// # Errors
    /// Exit code 1: what the table's reader refuses, `column-missing`, and for each wrong row
    /// `case-id-missing`, `duplicate-case`, `score-not-a-number`, `label-not-binary`, `batch-month`;
    /// `table-empty`. Exit code 30: `batch-device` for rows of another lock or version, and nothing else is
    /// wrong.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        month: Month,
        plan: &MonitoringPlan,
        bound: &BoundTo<'_>,
    ) -> Result<Self> {
        let table = Table::parse(path, bytes)?;
        let places = Places::find(&table, plan)?;
        let mut reading = Reading {
            plan,
            bound,
            places,
            month,
            table: &table,
            seen: BTreeMap::new(),
            rows: Vec::new(),
            missing: BTreeMap::new(),
            problems: Vec::new(),
            foreign: Vec::new(),
        };
        for row in table.rows() {
            reading.row(row);
        }
        let Reading { rows, missing, mut problems, foreign, .. } = reading;
        if table.rows().len() == 0 {
            let message = "the batch has no row";
            problems.push(
                Diagnostic::error(Code::TableEmpty, message)
                    .at(Location::file(path))
                    .hint("a month without cases needs no batch: add the next one"),
            );
        }
        if !problems.is_empty() {
            return Err(Error::Input(limited(problems, path)));
        }
        if !foreign.is_empty() {
            return Err(Error::Lock(limited(foreign, path)));
        }
        Ok(Self { month, rows, missing, notes: table.notes().to_vec() })
    }

    /// The months that the rows' days lie in, where a column of days is declared: for a batch whose month is
    /// not named.
    ///
    /// # Errors
    /// What the table's reader refuses; `column-missing`; `batch-month` where no row or several months are
    /// there, or a cell is no day.
    pub fn month_of(path: &Path, bytes: &[u8], plan: &MonitoringPlan) -> Result<Month> {
        let Some(column) = &plan.columns.date else {
            return Err(Diagnostic::error(Code::BatchMonth, "the plan declares no column of days")
                .at(Location::file(path))
                .hint("say which month it is with --month, such as --month 2026-03")
                .into());
        };
        let table = Table::parse(path, bytes)?;
        let place = table.required(column)?;
        let found: BTreeSet<Month> =
            table.rows().filter_map(|row| Month::of_day(row.get(Some(place))?)).collect();
        match found.iter().collect::<Vec<_>>()[..] {
            [month] => Ok(*month),
            _ => {
                let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
                let message =
                    format!("the days of `{column}` name {} months: {}", found.len(), shown.join(", "));
                Err(Diagnostic::error(Code::BatchMonth, message)
                    .at(Location::file(path))
                    .hint("a batch holds one month; --month names it, and the rows of others are then told")
                    .into())
            }
        }
    }
}

/// A batch that is being read.
struct Reading<'a> {
    plan: &'a MonitoringPlan,
    bound: &'a BoundTo<'a>,
    places: Places<'a>,
    month: Month,
    table: &'a Table,
    seen: BTreeMap<String, u64>,
    rows: Vec<BatchRow>,
    missing: BTreeMap<String, u64>,
    problems: Vec<Diagnostic>,
    foreign: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn wrong(&mut self, line: u64, code: Code, message: String, hint: &str) {
        self.problems.push(Diagnostic::error(code, message).at(self.table.at(line)).hint(hint));
    }

    fn absent(&mut self, column: &str) {
        *self.missing.entry(column.to_owned()).or_default() += 1;
    }

    fn row(&mut self, row: Row<'_>) {
        let cell = |place: Option<usize>| row.get(place).map(str::trim).filter(|text| !text.is_empty());
        let line = row.line;
        let mut read = BatchRow::default();
        match cell(Some(self.places.case)) {
            None => {
                let message = format!("the cell `{}` is empty", self.plan.columns.case);
                self.wrong(line, Code::CaseIdMissing, message, "name the case, or remove the row");
            }
            Some(case) => {
                if let Some(earlier) = self.seen.insert(case.to_owned(), line) {
                    let message = format!("the case `{case}` is already on line {earlier}");
                    let hint = "a case has one row in a batch; remove the duplicate";
                    self.wrong(line, Code::DuplicateCase, message, hint);
                }
                read.case = case.to_owned();
            }
        }
        self.of_device(line, cell(self.places.lock), cell(self.places.version));
        self.of_month(line, cell(self.places.date));
        read.patient = cell(self.places.patient).map(str::to_owned);
        if self.places.patient.is_some() && read.patient.is_none() {
            let column = self.plan.columns.patient.clone().unwrap_or_default();
            self.absent(&column);
        }
        read.refused = cell(self.places.refused).map(str::to_owned);
        self.result(line, cell(Some(self.places.result)), &mut read);
        if let Some(text) = cell(self.places.label) {
            read.label = binary(text);
            if read.label.is_none() {
                let column = self.plan.columns.label.as_deref().unwrap_or_default();
                let message = format!("{column} is not one of {BINARY}: {}", shown(text));
                self.wrong(
                    line,
                    Code::LabelNotBinary,
                    message,
                    "leave the cell empty where no label is known",
                );
            }
        }
        let inputs: Vec<(usize, usize)> = self.places.inputs.iter().copied().enumerate().collect();
        for (nth, place) in inputs {
            let input = &self.plan.inputs[nth];
            let (column, kind) = (input.column.clone(), input.kind);
            match (cell(Some(place)), kind) {
                (None, _) => self.absent(&column),
                (Some(text), InputKind::Category) => {
                    read.words.insert(column, text.to_owned());
                }
                (Some(text), InputKind::Number) => match number(text) {
                    Some(value) => {
                        read.numbers.insert(column, value);
                    }
                    None => {
                        let message = format!("{column} is not a finite number: {}", shown(text));
                        let hint = "leave the cell empty where the value is not known";
                        self.wrong(line, Code::ValueUnreadable, message, hint);
                    }
                },
            }
        }
        self.rows.push(read);
    }

    /// The score or the call.
    fn result(&mut self, line: u64, cell: Option<&str>, read: &mut BatchRow) {
        let column = self.places.result_name.to_owned();
        let Some(text) = cell else {
            if read.refused.is_none() {
                self.absent(&column);
            }
            return;
        };
        if read.refused.is_some() {
            let message = format!("the row has a result ({}) and a reason for having none", shown(text));
            let hint = "a case is refused or has a result: empty one of the two cells";
            self.wrong(line, Code::ScoreNotANumber, message, hint);
            return;
        }
        if self.plan.columns.score.is_some() {
            let Some(score) = number(text).filter(|score| (0.0..=1.0).contains(score)) else {
                let message = format!("{column} is not a number from 0 to 1: {}", shown(text));
                let hint = "a score is a probability; leave the cell empty where there is none";
                self.wrong(line, Code::ScoreNotANumber, message, hint);
                return;
            };
            (read.score, read.call) = (Some(score), Some(score >= self.bound.threshold));
            return;
        }
        read.call = match &self.plan.columns.positive {
            Some(positive) => Some(text == positive || is_word(positive, text)),
            None => binary(text),
        };
        if read.call.is_none() {
            let message = format!("{column} is not one of {BINARY}: {}", shown(text));
            let hint = "name the word that means positive with `positive` in [columns]";
            self.wrong(line, Code::LabelNotBinary, message, hint);
        }
    }

    /// Rows of another device than the sealed one.
    fn of_device(&mut self, line: u64, lock: Option<&str>, version: Option<&str>) {
        let mut foreign = |column: &str, found: Option<&str>, sealed: &str| {
            let found = found.map_or("empty".to_owned(), shown);
            let message = format!("`{column}` is {found}; the plan is sealed for {sealed}");
            self.foreign.push(
                Diagnostic::error(Code::BatchDevice, message)
                    .at(self.table.at(line))
                    .hint("another version of the device is watched by a plan of its own"),
            );
        };
        if let Some(column) = &self.plan.columns.lock {
            let sealed = self.bound.lock.map(|lock| lock.to_string()).unwrap_or_default();
            if lock.is_none_or(|lock| !lock.eq_ignore_ascii_case(&sealed)) {
                foreign(column, lock, &sealed);
            }
        }
        if let (Some(column), Some(sealed)) = (&self.plan.columns.version, self.bound.version)
            && version != Some(sealed)
        {
            foreign(column, version, sealed);
        }
    }

    fn of_month(&mut self, line: u64, day: Option<&str>) {
        let Some(column) = self.plan.columns.date.clone() else { return };
        let Some(text) = day else {
            self.absent(&column);
            return;
        };
        match Month::of_day(text) {
            Some(month) if month == self.month => {}
            Some(month) => {
                let message = format!("{column} lies in {month}, and the batch is of {}", self.month);
                self.wrong(
                    line,
                    Code::BatchMonth,
                    message,
                    "a batch holds one month; put the row into its own",
                );
            }
            None => {
                let message = format!("{column} is no day: {}", shown(text));
                self.wrong(line, Code::BatchMonth, message, "write days as 2026-03-14 or 20260314");
            }
        }
    }
}
