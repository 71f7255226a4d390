//! What the predicate gave for the study's cases.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Cohort, Inputs};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::protocol::{Incomplete, PredicateOutput};
use crate::table::{Table, cell, limited};

/// What the predicate gave for a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given {
    /// A score on its own scale.
    Score(f64),
    /// Positive or negative.
    Answer(bool),
}

/// What the predicate gave, by case; cases that it refused are not there.
pub type Predicate = BTreeMap<String, Given>;

/// What the declared predicate gave for every drawn case; nothing where none is declared.
///
/// # Errors
/// `file-missing`; `column-missing`; `duplicate-case`, `case-id-missing`, `score-not-a-number`,
/// `label-not-binary` and `score-missing`, each where it stands; `score-missing` for drawn cases without a
/// row.
pub fn predicate(inputs: &Inputs, cohort: &Cohort) -> Result<Predicate> {
    let Some(source) = &inputs.protocol.predicate else { return Ok(Predicate::new()) };
    let path = Path::new(source.file.as_str());
    let table = Table::parse(path, &inputs.file(&source.file)?).map_err(Error::Input)?;
    let (case, output) = (table.required(&source.case_column), table.required(source.output.column()));
    let (case, output) = match (case, output) {
        (Ok(case), Ok(output)) => (case, output),
        (case, output) => {
            return Err(Error::Input([case.err(), output.err()].into_iter().flatten().collect()));
        }
    };
    let refused = table.column("refused");
    let mut found: BTreeMap<String, Option<Given>> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in table.rows() {
        let mut wrong = |code, message: String| {
            problems.push(Diagnostic::error(code, message).at(table.at(row.line)));
        };
        let Some(id) = row.get(Some(case)) else {
            wrong(Code::CaseIdMissing, format!("the cell `{}` is empty", source.case_column));
            continue;
        };
        let given = match (row.get(Some(output)), row.get(refused)) {
            (None, Some(_)) => None,
            (None, None) => {
                let message = format!("the predicate's output of the case `{id}` is empty, and no reason");
                wrong(Code::ScoreMissing, message);
                continue;
            }
            (Some(_), Some(reason)) => {
                let message = format!("the case `{id}` has an output and a reason for none: {reason}");
                wrong(Code::ScoreAndRefusal, message);
                continue;
            }
            (Some(text), None) => {
                let read = match source.output {
                    PredicateOutput::Scores { .. } => cell::number(text).map(Given::Score),
                    PredicateOutput::Answers { .. } => cell::binary(text).map(Given::Answer),
                };
                if read.is_none() {
                    let (code, what) = match source.output {
                        PredicateOutput::Scores { .. } => (Code::ScoreNotANumber, "no number"),
                        PredicateOutput::Answers { .. } => (Code::LabelNotBinary, "no yes or no"),
                    };
                    let shown = cell::shown(text);
                    wrong(code, format!("the predicate's output of the case `{id}` is \"{shown}\", {what}"));
                    continue;
                }
                read
            }
        };
        if found.insert(id.to_owned(), given).is_some() {
            wrong(Code::DuplicateCase, format!("the predicate's output of the case `{id}` stands twice"));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Input(limited(problems, path)));
    }
    let refuse = inputs.protocol.analysis.missing_score == Incomplete::Refuse;
    let missing: Vec<&str> = cohort
        .drawn_cases()
        .map(|c| c.case_id.as_str())
        .filter(|id| found.get(*id).is_none_or(|given| given.is_none() && refuse))
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "the predicate's output is missing for {} of {} cases: {}",
            missing.len(),
            cohort.drawn.len(),
            few::and_so_on(&missing, 10)
        );
        let hint = "run the predicate on these cases, or add rows with the reason in a column `refused`";
        return Err(Diagnostic::error(Code::ScoreMissing, message)
            .at(Location::file(path))
            .hint(hint)
            .into());
    }
    Ok(found.into_iter().filter_map(|(id, given)| Some((id, given?))).collect())
}
