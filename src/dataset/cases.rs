//! The case table: Sequester's own `cases.csv`, and NIH's `Data_Entry_2017*.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::case::{Attributes, Case, Cases, Kinds};
use super::nih;
use super::shared::alike;
use crate::diagnostic::{Code, Diagnostic, Error, Result, few};
use crate::imaging::traces;
use crate::table::{Row, Source, Table, Texts, Word, Words, cell, limited};

/// The columns of `cases.csv`; only the first two are required, the others when the protocol uses them.
pub const COLUMNS: [&str; 16] = [
    "case_id",
    "patient_id",
    "image",
    "site",
    "country",
    "manufacturer",
    "sex",
    "age_years",
    "view",
    "modality",
    "body_part",
    "follow_up",
    "days_since_prior_finding",
    "findings",
    "label",
    "origin",
];

/// Which table format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseFormat {
    /// `cases.csv`, one row a case, columns as in [`COLUMNS`].
    #[default]
    Cases,
    /// NIH ChestX-ray14: `Image Index`, `Finding Labels`, `Follow-up #`, `Patient ID`, `Patient Age`,
    /// `Patient Gender`, `View Position`.
    Nih,
}

/// Reads a case table from disk.
///
/// # Errors
/// As [`parse`], and when the file cannot be read.
pub fn read(path: &Path, format: CaseFormat, positive_findings: &[String]) -> Result<Cases> {
    parse(path, &crate::storage::read(path)?, format, positive_findings).map_err(Error::Input)
}

/// Reads a case table. `path` is for messages and for `.gz`. In the NIH format the source label is
/// positive when any of `positive_findings` is among the finding labels.
///
/// # Errors
/// Everything wrong at once: `column-missing`, `case-id-missing`, `patient-id-missing`,
/// `finding-labels-missing`, `duplicate-case`, `value-unreadable`, and what [`Table::parse`] reports.
pub fn parse<'s>(
    path: &Path,
    bytes: impl Into<Source<'s>>,
    format: CaseFormat,
    positive_findings: &[String],
) -> Result<Cases, Vec<Diagnostic>> {
    parse_as(path, bytes, Some(format), positive_findings)
}

/// The same; without a format the header tells: a table with a column `Image Index` is NIH's.
///
/// # Errors
/// As [`parse`].
pub fn parse_as<'s>(
    path: &Path,
    bytes: impl Into<Source<'s>>,
    format: Option<CaseFormat>,
    positive_findings: &[String],
) -> Result<Cases, Vec<Diagnostic>> {
    let (mut own, mut of_nih) = (OwnTable::default(), nih::NihTable::default());
    let is_nih = |table: &Table| match format {
        Some(format) => format == CaseFormat::Nih,
        None => table.column("Image Index").is_some(),
    };
    let table = Table::parse_in_parts(path, bytes, |part| match is_nih(part) {
        true => of_nih.take(part, positive_findings),
        false => own.take(part),
    })?;
    let (cases, problems) = match is_nih(&table) {
        true => of_nih.finish(&table, positive_findings),
        false => (own.cases, own.problems),
    };
    checked(path, &table, cases, problems)
}

/// What is wrong with the cases of a table together, and what should be known of them.
///
/// # Errors
/// `problems` and `duplicate-case`, `table-empty`.
pub(super) fn checked(
    path: &Path,
    table: &Table,
    mut cases: Cases,
    mut problems: Vec<Diagnostic>,
) -> Result<Cases, Vec<Diagnostic>> {
    cases.warnings.splice(..0, table.notes().iter().cloned());
    for [line, again] in twice(&cases.cases) {
        let case = &cases.cases[again];
        let message = format!("the case `{}` is already on line {}", case.case_id, cases.cases[line].line);
        problems.push(
            Diagnostic::error(Code::DuplicateCase, message)
                .at(table.at(case.line))
                .hint("a case is one image; give each its own case_id and remove the duplicate row"),
        );
    }
    cases.warnings.extend(telling_names(&cases.cases, table));
    cases.warnings.extend(alike(&cases.cases).into_iter().map(|w| w.at(table.at(1))));
    if cases.cases.is_empty() {
        problems.push(Diagnostic::error(Code::TableEmpty, "the table has no rows").at(table.at(1)));
    }
    if problems.is_empty() { Ok(cases) } else { Err(limited(problems, path)) }
}

/// Cases whose id another has before them, each after that one, in the table's order. Places in a list are a
/// quarter of a map.
pub fn twice(cases: &[Case]) -> Vec<[usize; 2]> {
    let mut places: Vec<u32> = (0..).zip(cases).map(|(place, _)| place).collect();
    places.sort_unstable_by_key(|place| (&cases[*place as usize].case_id, *place));
    let same = |two: &&[u32]| cases[two[0] as usize].case_id == cases[two[1] as usize].case_id;
    let pairs = places.windows(2).filter(same).map(|two| [two[0] as usize, two[1] as usize]);
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable_by_key(|[_, again]| *again);
    pairs
}

/// Identifiers and names of files that look as if they named somebody: they would be copied into evidence. By
/// line, never by value.
fn telling_names(cases: &[Case], table: &Table) -> Option<Diagnostic> {
    let tells = |case: &&Case| {
        let image = case.image.as_ref().map_or("", |image| image.as_str());
        [case.case_id.as_str(), case.patient_id.as_str(), image]
            .iter()
            .any(|name| !traces::in_name(name).is_empty())
    };
    let lines: Vec<u64> = cases.iter().filter(tells).map(|case| case.line).collect();
    let first = *lines.first()?;
    let message = format!(
        "{} case ids, patient ids or image names look as if they held a name or a date: lines {}",
        lines.len(),
        few::and_so_on(&lines, 5)
    );
    Some(
        Diagnostic::warning(Code::IdentifierTelling, message)
            .at(table.at(first))
            .hint("case and patient ids are copied into evidence and documents: give pseudonyms instead"),
    )
}

/// The table's bytes in the format [`CaseFormat::Cases`], with the columns of `fields`.
///
/// # Errors
/// None that memory does not give.
pub fn write<'a>(cases: impl Iterator<Item = &'a Case>, fields: &BTreeSet<&'static str>) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Error::from(Diagnostic::error(Code::TableUnwritable, e.to_string()));
    let columns: Vec<&str> = COLUMNS.into_iter().filter(|name| fields.contains(name)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns).map_err(failed)?;
    for case in cases {
        writer.write_record(columns.iter().map(|column| written(case, column))).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

/// What a case says in a column of [`COLUMNS`]; empty where it says nothing.
pub(super) fn written(case: &Case, column: &str) -> String {
    let text = |value: &Option<Word>| value.as_deref().unwrap_or_default().to_owned();
    fn shown<T: Display>(value: Option<T>) -> String {
        value.map_or_else(String::new, |v| v.to_string())
    }
    match column {
        "case_id" => case.case_id.to_string(),
        "patient_id" => case.patient_id.to_string(),
        "image" => shown(case.image.as_ref()),
        "site" => text(&case.site),
        "country" => text(&case.country),
        "manufacturer" => text(&case.manufacturer),
        "sex" => shown(case.sex),
        "age_years" => shown(case.age_years),
        "view" => text(&case.view),
        "modality" => text(&case.modality),
        "body_part" => text(&case.body_part),
        "follow_up" => shown(case.follow_up),
        "days_since_prior_finding" => shown(case.days_since_prior_finding),
        "findings" => case.findings.join("|"),
        "label" => shown(case.source_label.map(u8::from)),
        "origin" => text(&case.origin),
        _ => String::new(),
    }
}

/// The way out where a table is not one of ours.
const ELSEWHERE: &str = "[data.columns] of the protocol says which column is which";

/// A table of ours that is being read.
#[derive(Default)]
struct OwnTable {
    cases: Cases,
    problems: Vec<Diagnostic>,
    words: Words,
    kinds: Kinds,
}

impl OwnTable {
    /// The cases of one part.
    ///
    /// # Errors
    /// `column-missing`.
    fn take(&mut self, table: &Table) -> Result<(), Vec<Diagnostic>> {
        let mut missing = Vec::new();
        for name in ["case_id", "patient_id"] {
            if let Err(problem) = table.required(name) {
                let hint = problem.hint.clone().unwrap_or_default();
                missing.push(
                    problem.hint(format!("{hint}; where a study's table has other names, {ELSEWHERE}")),
                );
            }
        }
        if !missing.is_empty() {
            return Err(missing);
        }
        self.cases.fields = COLUMNS.into_iter().filter(|name| table.column(name).is_some()).collect();
        let (before, mut texts, mut places) = (self.cases.cases.len(), Texts::default(), Vec::new());
        for row in table.rows() {
            let case = self.case(table, row);
            let image = case.image.as_ref().map(|image| texts.push(image.as_str()));
            places.push((texts.push(&case.case_id), texts.push(&case.patient_id), image));
            let (case_id, patient_id) = Default::default();
            self.cases.cases.push(Case { case_id, patient_id, image: None, ..case });
        }
        let texts = texts.shared();
        for (case, (case_id, patient_id, image)) in self.cases.cases[before..].iter_mut().zip(places) {
            (case.case_id, case.patient_id) = (texts.word(case_id), texts.word(patient_id));
            case.image = image.and_then(|place| texts.part(place).try_into().ok());
        }
        Ok(())
    }

    /// A case, with its own texts.
    fn case(&mut self, table: &Table, row: Row<'_>) -> Case {
        let Self { problems, words, kinds, .. } = self;
        let text = |name: &str| row.get(table.column(name)).map(str::to_owned);
        let mut required = |name: &'static str, code| {
            text(name).unwrap_or_else(|| {
                problems.push(
                    Diagnostic::error(code, format!("the cell `{name}` is empty")).at(table.at(row.line)),
                );
                String::new()
            })
        };
        let case_id = required("case_id", Code::CaseIdMissing);
        let patient_id = required("patient_id", Code::PatientIdMissing);
        let source_label = row.get(table.column("label")).and_then(|text| {
            let read = cell::binary(text);
            if read.is_none() {
                let why = format!("must be one of {}", cell::BINARY);
                problems.push(table.unreadable("label", text, &why, row.line));
            }
            read
        });
        let mut findings: Vec<String> = text("findings")
            .map(|t| t.split('|').map(|f| f.trim().to_owned()).filter(|f| !f.is_empty()).collect())
            .unwrap_or_default();
        findings.sort();
        let mut word = |name: &str, as_it_stands: bool| {
            let text = row.get(table.column(name))?;
            Some(if as_it_stands { words.word(text) } else { words.word(&text.to_uppercase()) })
        };
        let attributes = kinds.shared(Attributes {
            findings,
            source_label,
            sex: parsed(table, row, "sex", problems),
            view: word("view", false),
            site: word("site", true),
            country: word("country", true),
            manufacturer: word("manufacturer", true),
            modality: word("modality", false),
            body_part: word("body_part", false),
            origin: word("origin", true),
            other: BTreeMap::new(),
        });
        Case {
            case_id: case_id.into(),
            patient_id: patient_id.into(),
            image: parsed(table, row, "image", problems),
            age_years: age(table, row, problems),
            follow_up: whole(table, row, "follow_up", problems),
            days_since_prior_finding: whole(table, row, "days_since_prior_finding", problems),
            line: row.line,
            attributes,
        }
    }
}

fn parsed<T: FromStr<Err: Display>>(
    table: &Table,
    row: Row<'_>,
    name: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    let text = row.get(table.column(name))?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(e) => {
            let why: &dyn Display = &e;
            problems.push(table.unreadable(name, text, &why.to_string(), row.line));
            None
        }
    }
}

/// Completed years; an age of another form is told where it would be read.
fn age(table: &Table, row: Row<'_>, problems: &mut Vec<Diagnostic>) -> Option<u16> {
    let before = problems.len();
    let years = whole(table, row, "age_years", problems);
    if row.get(table.column("age_years")).is_some_and(|text| nih::age(text).is_ok()) {
        let hint = "an age such as `063Y` is read where the protocol declares the table in [data.columns]";
        for problem in problems.split_off(before) {
            problems.push(problem.hint(hint));
        }
    }
    years
}

/// A whole number, as `50` or as `50.0`.
fn whole<T: TryFrom<i64>>(
    table: &Table,
    row: Row<'_>,
    name: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<T> {
    let text = row.get(table.column(name))?;
    let read = cell::whole_of(text);
    read.map_err(|e| problems.push(table.unreadable(name, text, &e.to_string(), row.line))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(problems: &[Diagnostic]) -> Vec<(&'static str, Option<u64>)> {
        problems.iter().map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line))).collect()
    }

    fn check(text: &str) -> Result<Cases, Vec<Diagnostic>> {
        parse(Path::new("cases.csv"), text.as_bytes(), CaseFormat::Cases, &[])
    }

    #[test]
    fn everything_wrong_is_reported_at_once_with_its_line() {
        let problems = check("case_id,patient_id,sex,age_years,label\na,p,F,40,1\na,p,X,old,2\n,p,F,1,0\n")
            .expect_err("problems");
        assert_eq!(
            codes(&problems),
            [
                ("value-unreadable", Some(3)),
                ("value-unreadable", Some(3)),
                ("value-unreadable", Some(3)),
                ("case-id-missing", Some(4)),
                ("duplicate-case", Some(3)),
            ]
        );
    }

    #[test]
    fn an_age_that_another_form_of_table_has_is_told_with_the_way_to_it() {
        let problems =
            check("case_id,patient_id,age_years\na,p,058Y\nb,q,old\nc,r,58\n").expect_err("problems");
        assert_eq!(codes(&problems), [("value-unreadable", Some(2)), ("value-unreadable", Some(3))]);
        assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.contains("[data.columns]")));
        assert_eq!(problems[1].hint, None);
    }

    #[test]
    fn a_missing_column_names_those_that_are_there() {
        let problems = check("case,patient_id\na,b\n").expect_err("problem");
        assert_eq!(codes(&problems), [("column-missing", Some(1))]);
        let hint = problems[0].hint.as_deref().expect("a hint");
        assert!(
            hint.starts_with("the columns are: case, patient_id") && hint.contains("[data.columns]"),
            "{hint}"
        );
    }

    #[test]
    fn tables_without_header_or_rows_and_ragged_rows_are_errors() {
        assert_eq!(check("").expect_err("empty")[0].code.as_str(), "table-empty");
        assert_eq!(check("case_id,patient_id\n").expect_err("empty")[0].code.as_str(), "table-empty");
        assert_eq!(codes(&check("case_id,patient_id\na\n").expect_err("ragged")), [("row-length", Some(2))]);
        let bytes = b"case_id,patient_id\n\xff\xfe,b\n";
        let problems = parse(Path::new("c.csv"), bytes, CaseFormat::Cases, &[]).expect_err("not UTF-8");
        assert_eq!(codes(&problems), [("table-unreadable", Some(2))]);
    }
}
