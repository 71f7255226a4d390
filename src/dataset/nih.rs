//! NIH's `Data_Entry_2017*.csv` of ChestX-ray14, read as it was published.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::case::{Attributes, Case, Cases, Kinds};
use crate::diagnostic::{Code, Diagnostic};
use crate::table::{Row, Table, Words, cell};

/// Older than any documented human age: taken as a slip in the data, as NIH's `411Y`.
pub const OLDEST: u16 = 122;

/// The findings of ChestX-ray14, spelled as its tables do.
pub const NIH_FINDINGS: [&str; 14] = [
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
];
/// What the tables say of an image with none of them.
const NO_FINDING: &str = "No Finding";

/// The columns that are read, by their place.
struct Columns {
    image: Option<usize>,
    labels: Option<usize>,
    follow_up: Option<usize>,
    patient: Option<usize>,
    age: Option<usize>,
    sex: Option<usize>,
    view: Option<usize>,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, Vec<Diagnostic>> {
        let mut missing = Vec::new();
        let mut column = |name: &str| match table.required(name) {
            Ok(index) => Some(index),
            Err(problem) => {
                missing.push(problem);
                None
            }
        };
        let columns = Self {
            image: column("Image Index"),
            labels: column("Finding Labels"),
            follow_up: column("Follow-up #"),
            patient: column("Patient ID"),
            age: column("Patient Age"),
            sex: column("Patient Gender"),
            view: column("View Position"),
        };
        if missing.is_empty() { Ok(columns) } else { Err(missing) }
    }
}

/// A table that is being read.
#[derive(Default)]
pub(super) struct NihTable {
    cases: Vec<Case>,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    unknown: UnknownFindings,
    words: Words,
    kinds: Kinds,
}

impl NihTable {
    /// The cases of one part; the source label is positive when any of `positive_findings` is among the
    /// finding labels.
    ///
    /// # Errors
    /// `column-missing` for each column that is not there.
    pub(super) fn take(
        &mut self,
        table: &Table,
        positive_findings: &[String],
    ) -> Result<(), Vec<Diagnostic>> {
        let columns = Columns::of(table)?;
        let mut rows = Rows { table, problems: Vec::new(), warnings: Vec::new() };
        for row in table.rows() {
            let image_index = row.get(columns.image).unwrap_or_default().to_owned();
            // As it came: releases differ, `13` here and `00000013` there, and only the ids as they
            // stand tell which.
            let patient_id = row.get(columns.patient).unwrap_or_default().to_owned();
            rows.named(Code::CaseIdMissing, "Image Index", &image_index, row.line);
            rows.named(Code::PatientIdMissing, "Patient ID", &patient_id, row.line);
            let findings = rows.findings(row, columns.labels, &image_index);
            for finding in findings.iter().filter(|finding| !positive_findings.contains(finding)) {
                self.unknown.note(finding, row.line);
            }
            let source_label = (!positive_findings.is_empty())
                .then(|| findings.iter().any(|finding| positive_findings.contains(finding)));
            let age_years = rows.age(row, columns.age, &image_index);
            // An empty one is told of already.
            let image = Some(image_index.as_str()).filter(|text| !text.is_empty());
            let image = image.and_then(|text| rows.read("Image Index", text, text.parse(), row.line));
            let sex = row.get(columns.sex);
            let sex = sex.and_then(|text| rows.read("Patient Gender", text, text.parse(), row.line));
            let follow_up = row.get(columns.follow_up);
            let follow_up =
                follow_up.and_then(|text| rows.read("Follow-up #", text, cell::whole_of(text), row.line));
            let attributes = self.kinds.shared(Attributes {
                findings,
                source_label,
                sex,
                view: row.get(columns.view).map(|text| self.words.word(&text.to_uppercase())),
                ..Attributes::default()
            });
            self.cases.push(Case {
                case_id: image_index.into(),
                patient_id: patient_id.into(),
                image,
                age_years,
                follow_up,
                days_since_prior_finding: None,
                line: row.line,
                attributes,
            });
        }
        self.problems.append(&mut rows.problems);
        self.warnings.append(&mut rows.warnings);
        Ok(())
    }

    /// All cases, and what is wrong with them.
    pub(super) fn finish(self, table: &Table, positive_findings: &[String]) -> (Cases, Vec<Diagnostic>) {
        let Self { cases, problems, mut warnings, unknown, .. } = self;
        warnings.extend(unknown.warnings(table));
        let mut fields: BTreeSet<&'static str> =
            ["case_id", "patient_id", "image", "sex", "age_years", "view", "follow_up", "findings"].into();
        if !positive_findings.is_empty() {
            fields.insert("label");
        }
        (Cases { cases, fields, warnings }, problems)
    }
}

/// Reads cells, and keeps what is to be said of them.
struct Rows<'a> {
    table: &'a Table,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Rows<'_> {
    /// An id must be there.
    fn named(&mut self, code: Code, name: &str, value: &str, line: u64) {
        if value.is_empty() {
            let problem = Diagnostic::error(code, format!("the cell `{name}` is empty"));
            self.problems.push(problem.at(self.table.at(line)));
        }
    }

    /// A cell as read; what cannot be read is a problem.
    fn read<T, E: Display>(&mut self, name: &str, text: &str, read: Result<T, E>, line: u64) -> Option<T> {
        read.map_err(|why| self.problems.push(self.table.unreadable(name, text, &why.to_string(), line))).ok()
    }

    /// The findings of an image, sorted, each once; none where the cell says so.
    fn findings(&mut self, row: Row<'_>, column: Option<usize>, image: &str) -> Vec<String> {
        let cell = row.get(column).unwrap_or_default();
        let mut findings: Vec<String> =
            cell.split('|').map(|f| f.trim().to_owned()).filter(|f| !f.is_empty()).collect();
        let listed = findings.len();
        // Who did not look is not negative.
        if listed == 0 {
            self.problems.push(
                Diagnostic::error(Code::FindingLabelsMissing, "the cell `Finding Labels` names no finding")
                    .at(self.table.at(row.line))
                    .hint(
                        "an image without findings says `No Finding`; leave out a row whose findings are not \
                         known",
                    ),
            );
        }
        findings.retain(|f| f != NO_FINDING);
        if findings.len() < listed && !findings.is_empty() {
            let cell: String = cell.chars().take(120).collect();
            let message =
                format!("`{cell}` of `{image}` names findings and none; `{NO_FINDING}` is left out");
            self.warnings.push(
                Diagnostic::warning(Code::FindingContradiction, message)
                    .at(self.table.at(row.line))
                    .hint("correct the source"),
            );
        }
        findings.sort();
        findings.dedup();
        findings
    }

    /// Completed years; an age that no human has is as good as none, and said.
    fn age(&mut self, row: Row<'_>, column: Option<usize>, image: &str) -> Option<u16> {
        let text = row.get(column)?;
        let why = match age(text) {
            Ok(years) if years <= OLDEST => return Some(years),
            Ok(_) => "is not a human age",
            Err(()) => "is not readable as an age",
        };
        let message = format!("`{text}` of `{image}` {why}; it is taken as not recorded");
        self.warnings.push(Diagnostic::warning(Code::AgeImplausible, message).at(self.table.at(row.line)));
        None
    }
}

/// Findings that ChestX-ray14 does not have: on how many images, and the line of the first.
#[derive(Default)]
struct UnknownFindings(BTreeMap<String, (u64, u64)>);

impl UnknownFindings {
    fn note(&mut self, finding: &str, line: u64) {
        if !NIH_FINDINGS.contains(&finding) {
            self.0.entry(finding.to_owned()).or_insert((0, line)).0 += 1;
        }
    }

    fn warnings(self, table: &Table) -> impl Iterator<Item = Diagnostic> {
        self.0.into_iter().map(|(finding, (images, line))| {
            let spelled = finding.replace(' ', "_");
            let meant = NIH_FINDINGS.iter().find(|known| known.eq_ignore_ascii_case(&spelled));
            let hint = match meant {
                Some(known) => format!("`{known}` may be meant: findings are compared letter by letter"),
                None => format!("the findings are: {}", NIH_FINDINGS.join(", ")),
            };
            let shown: String = finding.chars().take(60).collect();
            let message = format!(
                "`{shown}`, on {images} images, is no finding of ChestX-ray14; it is kept as it stands"
            );
            Diagnostic::warning(Code::FindingUnknown, message).at(table.at(line)).hint(hint)
        })
    }
}

/// `58`, `058Y`, `011M`, `013D`: completed years.
pub(super) fn age(text: &str) -> Result<u16, ()> {
    let (digits, days_per_unit) = match text.as_bytes().last() {
        Some(b'Y' | b'y') => (&text[..text.len() - 1], 365.25),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 365.25 / 12.0),
        Some(b'W' | b'w') => (&text[..text.len() - 1], 7.0),
        Some(b'D' | b'd') => (&text[..text.len() - 1], 1.0),
        _ => (text, 365.25),
    };
    let number: u16 = cell::whole_of(digits).map_err(|_| ())?;
    if days_per_unit == 365.25 {
        return Ok(number);
    }
    // Months divide evenly into years; weeks and days do up to the leap day, which no age band needs.
    Ok((f64::from(number) * days_per_unit / 365.25 + 1e-9).floor() as u16)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::cases::{self, CaseFormat};

    fn codes(problems: &[Diagnostic]) -> Vec<(&'static str, Option<u64>)> {
        problems.iter().map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line))).collect()
    }

    #[test]
    fn ages_are_completed_years() {
        for (text, years) in [("58", 58), ("060Y", 60), ("023M", 1), ("011M", 0), ("364D", 0), ("411Y", 411)]
        {
            assert_eq!(age(text), Ok(years), "{text}");
        }
        assert_eq!(age("Y"), Err(()));
    }

    #[test]
    fn findings_that_nobody_wrote_are_no_negative_and_odd_ones_are_named() {
        let table = |labels: &[&str]| {
            let mut text = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,\
                            View Position\n"
                .to_owned();
            for (nth, label) in labels.iter().enumerate() {
                text.push_str(&format!("{nth}.png,{label},0,{nth},50,F,PA\n"));
            }
            cases::parse(Path::new("n.csv"), text.as_bytes(), CaseFormat::Nih, &["Pneumonia".to_owned()])
        };
        let problems = table(&["No Finding", "", " | "]).expect_err("problems");
        assert_eq!(
            codes(&problems),
            [("finding-labels-missing", Some(3)), ("finding-labels-missing", Some(4))]
        );
        let odd = ["No Finding|Mass", "pneumonia", "Cough|Mass|Mass", "Cough", "Pneumonia|No Finding"];
        let cases = table(&odd).expect("reads");
        assert_eq!(
            codes(&cases.warnings),
            [
                ("finding-contradiction", Some(2)),
                ("finding-contradiction", Some(6)),
                ("finding-unknown", Some(4)),
                ("finding-unknown", Some(3)),
            ]
        );
        assert!(cases.warnings[2].message.contains("`Cough`, on 2 images"), "{}", cases.warnings[2].message);
        let hint = cases.warnings[3].hint.as_deref().expect("a hint");
        assert!(hint.starts_with("`Pneumonia` may be meant"), "{hint}");
        let labels: Vec<_> = cases.cases.iter().map(|c| c.source_label == Some(true)).collect();
        assert_eq!(labels, [false, false, false, false, true]);
        assert_eq!(cases.cases[2].findings, ["Cough", "Mass"]);
    }

    #[test]
    fn header_with_its_unquoted_commas_is_read() {
        let text = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View \
            Position,\
                    OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n\
                    00000013_008.png,Edema|Pneumonia,8,00000013,411Y,M,AP,3056,2544,0.139,0.139\n";
        let cases =
            cases::parse(Path::new("n.csv"), text.as_bytes(), CaseFormat::Nih, &["Pneumonia".to_owned()])
                .expect("reads");
        let case = &cases.cases[0];
        assert_eq!(
            (case.patient_id.as_str(), case.age_years, case.source_label),
            ("00000013", None, Some(true))
        );
        assert_eq!(cases.warnings[0].code.as_str(), "age-implausible");
    }
}
