//! How long the device took for each case, from the column of the score table that `[triage]` names.

use std::path::Path;

use super::{Cohort, Inputs};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::inference::scores::Scores;
use crate::table::{Table, cell, limited};

/// The longest time that is read, in seconds: a week.
const LONGEST: f64 = 604_800.0;

/// Seconds of the drawn cases that have a score, in the order of the table; nothing where no column is
/// declared.
///
/// # Errors
/// `column-missing`; `value-empty` for a scored case without a time, `value-unreadable` and `value-range` for
/// what is no duration.
pub fn processing_times(inputs: &Inputs, cohort: &Cohort, scores: &Scores) -> Result<Option<Vec<f64>>> {
    let declared = inputs.protocol.triage.as_ref().and_then(|triage| triage.processing_column.as_ref());
    let Some(column) = declared else { return Ok(None) };
    let source = &inputs.protocol.scores;
    let path = Path::new(source.file.as_str());
    let table = Table::parse(path, &inputs.file(&source.file)?).map_err(Error::Input)?;
    let mut problems = Vec::new();
    let mut index = |name: &str| table.required(name).map_err(|p| problems.push(p)).ok();
    let (case, time) = (index(&source.case_column), index(column));
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let drawn: std::collections::BTreeSet<&str> =
        cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
    let is_scored = |id: &str| scores.get(id).is_some_and(|score| score.score.is_some());
    let mut times = Vec::new();
    for row in table.rows() {
        let Some(id) = row.get(case).filter(|id| is_scored(id)) else { continue };
        let mut wrong = |code, message: String| {
            let hint = "seconds from the image to the device's answer, a number from 0; \
                        `triage.processing_column` names the column";
            problems.push(Diagnostic::error(code, message).at(table.at(row.line)).hint(hint));
        };
        match row.get(time).map(|text| (text, cell::number(text))) {
            None => wrong(Code::ValueEmpty, format!("the case `{id}` has a score and no `{column}`")),
            Some((_, Some(seconds))) if (0.0..=LONGEST).contains(&seconds) => {
                times.extend(drawn.contains(id).then_some(seconds));
            }
            Some((_, Some(seconds))) => {
                wrong(Code::ValueRange, format!("the `{column}` of the case `{id}` is {seconds} seconds"));
            }
            Some((text, None)) => {
                let text: String = text.chars().take(40).collect();
                wrong(Code::ValueUnreadable, format!("the `{column}` of the case `{id}` is `{text}`"));
            }
        }
    }
    if problems.is_empty() { Ok(Some(times)) } else { Err(Error::Input(limited(problems, path))) }
}
