//! A case table of another's making: which of its columns are the case, the patient, the image and the
//! rest.
//!
//! Only what is declared is read: a column that happens to be called `label` or `sex` elsewhere has a
//! meaning here where the protocol gives it one. Where a table does not say who the patients are, either a
//! pattern finds them in the case id or in the image's name, or each case is declared to be a patient of
//! its own, which documents then say.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde::Serialize;

use super::case::{Attributes, Case, Cases, Kinds, Sex};
use super::cases::{self, COLUMNS};
use super::nih;
use crate::diagnostic::{Code, Diagnostic, few};
use crate::digest::RelativePath;
use crate::table::{Row, Sheet, Table, Word, Words, cell, limited, pattern, typed};

/// So many cases are named in a message.
const NAMED: usize = 5;

/// Where the patient of a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatientFrom {
    /// In a column.
    Column,
    /// In the case id.
    Case,
    /// In the image's path.
    Image,
    /// Nowhere: each case is taken as a patient of its own.
    EachCase,
}

impl PatientFrom {
    /// All of them with the names that protocols use.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("column", Self::Column),
        ("case", Self::Case),
        ("image", Self::Image),
        ("each-case", Self::EachCase),
    ];
}

/// Which columns of a case table are which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseColumns {
    /// Name of the field, out of [`COLUMNS`], to the name of the column; `case_id` is always there.
    pub columns: BTreeMap<&'static str, String>,
    /// How the case stands in its cell: `*` is the case, `?` any sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_pattern: Option<String>,
    /// Where the patient stands.
    pub patient_from: PatientFrom,
    /// A regular expression that finds the patient there: its first group, or the whole match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient_pattern: Option<String>,
    /// The image's path, where no column says it: `*` is the case id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pattern: Option<String>,
    /// A case may stand in several rows, which say the same of it.
    pub several_rows: bool,
    /// Texts of the label that mean positive; empty: what [`cell::binary`] reads.
    pub positive: Vec<String>,
    /// Texts of the label that mean negative.
    pub negative: Vec<String>,
    /// Sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Row that names the columns, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u64>,
}

/// Reads a case table as declared. `path` is for messages. Where the findings are declared and no label,
/// the label is positive when any of `positive_findings` is among them.
///
/// # Errors
/// Everything wrong at once: `column-missing`, `case-id-missing`, `patient-id-missing`, `case-pattern`,
/// `patient-pattern`, `case-contradicts`, `duplicate-case`, `value-unreadable`, and what
/// [`Table::parse_sheet`] reports.
pub fn parse(
    path: &Path,
    bytes: &[u8],
    declared: &CaseColumns,
    positive_findings: &[String],
) -> Result<Cases, Vec<Diagnostic>> {
    let sheet = Sheet { name: declared.sheet.as_deref(), header_row: declared.header_row };
    let table = Table::parse_sheet(path, bytes, &sheet)?;
    let mut reading = Reading::new(&table, declared, positive_findings)?;
    let mut found: Vec<Case> = Vec::with_capacity(table.rows().len());
    let mut places: BTreeMap<Word, usize> = BTreeMap::new();
    for row in table.rows() {
        let Some(case) = reading.case(row) else { continue };
        let first = declared.several_rows.then(|| places.get(&case.case_id)).flatten();
        match first.and_then(|place| found.get(*place)) {
            Some(first) => reading.same(first, &case),
            None => {
                places.insert(case.case_id.clone(), found.len());
                found.push(case);
            }
        }
    }
    let Reading { fields, mut problems, mut warnings, unmatched, .. } = reading;
    problems.extend(no_patient(&table, declared, &unmatched));
    if declared.patient_from == PatientFrom::EachCase {
        let message = format!(
            "each of the {} cases is taken as a patient of its own: the table does not say which images are \
             of one patient, so intervals take them as independent and shared patients cannot be found",
            found.len()
        );
        warnings.push(Diagnostic::warning(Code::PatientEachCase, message).at(table.at(1)));
    }
    cases::checked(path, &table, Cases { cases: found, fields, warnings }, problems)
        .map_err(|problems| limited(problems, path))
}

/// A table that is being read, with what is wrong so far.
struct Reading<'t> {
    table: &'t Table,
    declared: &'t CaseColumns,
    places: BTreeMap<&'static str, usize>,
    patient: Option<Regex>,
    positive_findings: &'t [String],
    fields: std::collections::BTreeSet<&'static str>,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Line and text of cases in which the pattern finds no patient.
    unmatched: Vec<(u64, String)>,
    words: Words,
    kinds: Kinds,
}

impl<'t> Reading<'t> {
    fn new(
        table: &'t Table,
        declared: &'t CaseColumns,
        positive_findings: &'t [String],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut places = BTreeMap::new();
        for (field, name) in &declared.columns {
            match table.required(name) {
                Ok(place) => {
                    places.insert(*field, place);
                }
                Err(problem) => {
                    let hint = problem.hint.clone().unwrap_or_default();
                    let message = format!("{}, which the protocol declares as `{field}`", problem.message);
                    problems.push(Diagnostic { message, ..problem }.hint(hint));
                }
            }
        }
        // The protocol was valid, so the pattern is.
        let patient = declared.patient_pattern.as_deref().map(Regex::new).transpose().map_err(|e| {
            vec![Diagnostic::error(Code::Regex, format!("`patient_pattern` is no regular expression: {e}"))]
        })?;
        let ids: Vec<usize> =
            ["case_id", "patient_id"].iter().filter_map(|field| places.get(field).copied()).collect();
        let warnings = match typed(table, &ids, &[]) {
            Ok(warnings) => warnings,
            Err(more) => {
                problems.extend(more);
                Vec::new()
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut fields: std::collections::BTreeSet<&'static str> = places.keys().copied().collect();
        fields.insert("patient_id");
        if declared.image_pattern.is_some() {
            fields.insert("image");
        }
        if fields.contains("findings") && !positive_findings.is_empty() {
            fields.insert("label");
        }
        Ok(Self {
            table,
            declared,
            places,
            patient,
            positive_findings,
            fields,
            problems,
            warnings,
            unmatched: Vec::new(),
            words: Words::default(),
            kinds: Kinds::default(),
        })
    }

    fn text(&self, row: Row<'t>, field: &str) -> Option<&'t str> {
        row.get(Some(*self.places.get(field)?))
    }

    /// A text that many rows have.
    fn word(&mut self, row: Row<'t>, field: &str) -> Option<Word> {
        self.text(row, field).map(|text| self.words.word(text))
    }

    /// The same in capitals.
    fn capitals(&mut self, row: Row<'t>, field: &str) -> Option<Word> {
        self.text(row, field).map(|text| self.words.word(&text.to_uppercase()))
    }

    fn wrong(&mut self, row: Row<'t>, code: Code, message: String, hint: &str) {
        self.problems.push(Diagnostic::error(code, message).at(self.table.at(row.line)).hint(hint));
    }

    /// A cell that is read by its form; `None` where it is empty or wrong.
    fn read<T>(&mut self, row: Row<'t>, field: &str, of: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(row, field)?;
        match of(text) {
            Ok(value) => Some(value),
            Err(why) => {
                let name = self.declared.columns.get(field).map_or(field, String::as_str);
                self.problems.push(self.table.unreadable(name, text, &why, row.line));
                None
            }
        }
    }

    /// The case of a row; `None` where it names none.
    fn case(&mut self, row: Row<'t>) -> Option<Case> {
        let case_id = self.case_id(row)?;
        let image = match &self.declared.image_pattern {
            Some(pattern) => {
                let path = pattern.replacen('*', &case_id, 1);
                let parsed = path.parse::<RelativePath>();
                parsed
                    .map_err(|e| {
                        self.problems.push(self.table.unreadable(
                            "image_pattern",
                            &path,
                            &e.to_string(),
                            row.line,
                        ))
                    })
                    .ok()
            }
            None => self.read(row, "image", |text| text.parse::<RelativePath>().map_err(|e| e.to_string())),
        };
        let patient_id = self.patient_id(row, &case_id, image.as_ref())?;
        let mut findings: Vec<String> = self
            .text(row, "findings")
            .map(|t| t.split('|').map(|f| f.trim().to_owned()).filter(|f| !f.is_empty()).collect())
            .unwrap_or_default();
        findings.sort();
        findings.dedup();
        let whole = |text: &str| cell::whole_of::<u32>(text).map_err(|e| e.to_string());
        let attributes = Attributes {
            source_label: self.label(row, &findings),
            findings,
            sex: self.read(row, "sex", str::parse::<Sex>),
            view: self.capitals(row, "view"),
            site: self.word(row, "site"),
            country: self.word(row, "country"),
            manufacturer: self.word(row, "manufacturer"),
            modality: self.capitals(row, "modality"),
            body_part: self.capitals(row, "body_part"),
            origin: self.word(row, "origin"),
            other: BTreeMap::new(),
        };
        Some(Case {
            age_years: self.read(row, "age_years", age),
            follow_up: self.read(row, "follow_up", whole),
            days_since_prior_finding: self.read(row, "days_since_prior_finding", whole),
            case_id: case_id.into(),
            patient_id: patient_id.into(),
            image,
            line: row.line,
            attributes: self.kinds.shared(attributes),
        })
    }

    fn case_id(&mut self, row: Row<'t>) -> Option<String> {
        let name = self.declared.columns.get("case_id").map_or("case_id", String::as_str);
        let Some(text) = self.text(row, "case_id") else {
            let message = format!("the cell `{name}` is empty");
            self.wrong(row, Code::CaseIdMissing, message, "say which case it is, or remove the row");
            return None;
        };
        let Some(declared) = &self.declared.case_pattern else { return Some(text.to_owned()) };
        let case = pattern::case_in(declared, text);
        if case.is_none() {
            let message = format!("`{}` holds no case: it does not fit `{declared}`", cell::short(text));
            let hint = "`case_pattern` in [data.columns]: `*` stands for the case, `?` for any sign";
            self.wrong(row, Code::CasePattern, message, hint);
        }
        case.map(str::to_owned)
    }

    fn patient_id(&mut self, row: Row<'t>, case_id: &str, image: Option<&RelativePath>) -> Option<String> {
        let text = match self.declared.patient_from {
            PatientFrom::EachCase => return Some(case_id.to_owned()),
            PatientFrom::Case => Some(case_id),
            PatientFrom::Image => image.map(RelativePath::as_str),
            PatientFrom::Column => self.text(row, "patient_id"),
        };
        let Some(text) = text else {
            let field = if self.declared.patient_from == PatientFrom::Image { "image" } else { "patient_id" };
            let name = self.declared.columns.get(field).map_or(field, String::as_str);
            let message = format!("the cell `{name}` is empty");
            let hint = "fill it; without a patient no overlap can be excluded";
            self.wrong(row, Code::PatientIdMissing, message, hint);
            return None;
        };
        let Some(regex) = &self.patient else { return Some(text.to_owned()) };
        let found = regex.captures(text).and_then(|found| found.get(1).or_else(|| found.get(0)));
        let found = found.map(|found| found.as_str()).filter(|found| !found.is_empty());
        if found.is_none() {
            self.unmatched.push((row.line, text.to_owned()));
        }
        found.map(str::to_owned)
    }

    fn label(&mut self, row: Row<'t>, findings: &[String]) -> Option<bool> {
        if !self.places.contains_key("label") {
            let known = !self.positive_findings.is_empty() && !findings.is_empty();
            return known.then(|| findings.iter().any(|finding| self.positive_findings.contains(finding)));
        }
        let declared = self.declared;
        self.read(row, "label", |text| {
            let is = |words: &[String]| words.iter().any(|word| cell::is_word(word, text));
            if declared.positive.is_empty() && declared.negative.is_empty() {
                return cell::binary(text).ok_or_else(|| {
                    format!("must be one of {}; or declare `positive` and `negative`", cell::BINARY)
                });
            }
            match (is(&declared.positive), is(&declared.negative)) {
                (true, _) => Ok(true),
                (_, true) => Ok(false),
                _ => {
                    let words = [&declared.positive[..], &declared.negative].concat().join(", ");
                    Err(format!("has no declared meaning; declared in [data.columns] are: {words}"))
                }
            }
        })
    }

    /// Two rows of one case: whatever they say of it is the same.
    fn same(&mut self, first: &Case, other: &Case) {
        let differing: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|column| cases::written(first, column) != cases::written(other, column))
            .collect();
        if !differing.is_empty() {
            let message = format!(
                "the case `{}` has another {} on line {}",
                cell::short(&other.case_id),
                differing.join(", "),
                first.line
            );
            let hint = "several rows of a case say the same of it: correct the source, or leave out of \
                        [data.columns] what belongs to the row and not to the case";
            let problem = Diagnostic::error(Code::CaseContradicts, message).at(self.table.at(other.line));
            self.problems.push(problem.hint(hint));
        }
    }
}

/// Completed years, as a number or as DICOM writes them: `63`, `063Y`, `011M`.
fn age(text: &str) -> Result<u16, String> {
    if let Ok(years) = cell::whole_of(text) {
        return Ok(years);
    }
    nih::age(text).map_err(|()| "must be a whole number of years, or an age such as 063Y".to_owned())
}

/// The cases in which the pattern finds no patient: how many, and the first by name.
fn no_patient(table: &Table, declared: &CaseColumns, unmatched: &[(u64, String)]) -> Option<Diagnostic> {
    let (line, _) = unmatched.first()?;
    let texts = unmatched.iter().map(|(_, text)| format!("`{}`", cell::short(text)));
    let pattern = declared.patient_pattern.as_deref().unwrap_or_default();
    let message = format!(
        "`{pattern}` finds no patient in {} of {} rows: {}",
        unmatched.len(),
        table.rows().len(),
        few::and_so_on(texts, NAMED)
    );
    Some(Diagnostic::error(Code::PatientPattern, message).at(table.at(*line)).hint(
        "correct `patient_pattern` in [data.columns]: a regular expression whose first group is the patient",
    ))
}
