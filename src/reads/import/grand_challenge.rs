//! Grand Challenge reader studies: the table of answers, and the table of their ground truth.
//!
//! Answers are JSON within a cell. Display sets and questions are addresses there: the case and, of several
//! questions, the one that is read, have to be declared, or a column with them be added. Rows of ground truth
//! do not vote; a table of ground truth, one row a display set, is given as a whole.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::json::shown;
use super::place::{short, some, time};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};
use crate::table::{Table, cell, limited, text};

/// Column of the case of an answer where none is declared.
const DISPLAY_SET: &str = "display_set";
/// Column of the case in a table of ground truth.
const CASE: &str = "case";
/// Ending of the columns of a ground truth that explain.
const EXPLANATION: &str = "__explanation";

/// Whether the header is that of a table of ground truth: cells in single quotes, one row a display set.
pub fn is_ground_truth(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    line.starts_with(b"case,") && bytes.windows(2).any(|pair| pair == b",'")
}

/// Answers of readers.
///
/// # Errors
/// `grand-challenge-addresses` where the case is an address, `question-needed`, `column-missing`,
/// `json-unreadable` for a cell that is no JSON, `value-missing`, `time-unreadable`: everything at once.
pub fn answers(
    path: &Path,
    table: &Table,
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let mut missing = Vec::new();
    let mut find = |name: &str| table.required(name).map_err(|problem| missing.push(problem)).ok();
    let case = find(source.case_column.as_deref().unwrap_or(DISPLAY_SET));
    let answer = find("answer");
    // Without this column nobody knows which rows are ground truth.
    let truth = find("is_ground_truth");
    let reader = match reader_of_path {
        None => find(source.reader_column.as_deref().unwrap_or("creator")),
        Some(_) => None,
    };
    let asked = find("question");
    let stated = table.column(source.time_column.as_deref().unwrap_or("created"));
    if !missing.is_empty() {
        return Err(missing);
    }
    let questions: BTreeSet<&str> = table.rows().filter_map(|row| row.get(asked)).collect();
    let wanted = match &source.question {
        Some(wanted) => {
            let found = questions.iter().copied().find(|one| is_question(one, wanted));
            Some(found.ok_or_else(|| vec![question(path, &questions, Some(wanted))])?)
        }
        None if questions.len() > 1 => return Err(vec![question(path, &questions, None)]),
        None => questions.first().copied(),
    };
    let (mut export, mut problems) = (Export::default(), Vec::new());
    if source.case_pattern.is_none()
        && let Some(row) = table.rows().find(|row| row.get(case).is_some_and(|text| text.contains("://")))
    {
        return Err(vec![addresses(row.get(case).unwrap_or_default(), table.at(row.line))]);
    }
    for row in table.rows() {
        let at = table.at(row.line);
        let case_id = row.get(case).map(str::to_owned);
        let reader_id = row.get(reader).or(reader_of_path).map(str::to_owned);
        let mut none = |reason| {
            let (case_id, reader_id) = (case_id.clone(), reader_id.clone());
            export.no_reads.push(NoRead { case_id, reader_id, reason, comment: None, at: at.clone() });
        };
        if row.get(asked) != wanted {
            none(NoReadReason::Elsewhere);
            continue;
        }
        let texts = match row.get(answer).map(choices) {
            None => Vec::new(),
            Some(Ok(texts)) => texts,
            Some(Err(())) => {
                problems.push(no_json(row.get(answer).unwrap_or_default(), at));
                continue;
            }
        };
        let Some(given) = row.get(truth).and_then(cell::binary) else {
            none(NoReadReason::NotCompleted);
            continue;
        };
        if texts.is_empty() {
            none(NoReadReason::Empty);
            continue;
        }
        let (Some(case_id), Some(reader_id)) = (case_id.clone(), reader_id.clone()) else {
            let message = "an answer without its display set or its creator";
            problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
            continue;
        };
        let given_at = row.get(stated).and_then(|text| time(text, None));
        if let (Some(text), None) = (row.get(stated), given_at) {
            let message = format!("`{}` is no time", short(text));
            problems.push(Diagnostic::error(Code::TimeUnreadable, message).at(at.clone()));
        }
        let text = texts.join(&SEVERAL.to_string());
        let (session, confidence) = (None, None);
        let answer = Answer {
            case_id: case_id.into(),
            reader_id: reader_id.into(),
            text: text.into(),
            time: given_at,
            session,
            confidence,
            comment: None,
            at,
        };
        if given { export.given.push(answer) } else { export.answers.push(answer) }
    }
    export.warnings.extend(table.notes().iter().cloned());
    if problems.is_empty() { Ok(export) } else { Err(limited(problems, path)) }
}

/// Whether a cell names the declared question: as it stands, or by the last part of its address.
fn is_question(text: &str, wanted: &str) -> bool {
    text == wanted || text.trim_end_matches('/').rsplit('/').next() == Some(wanted)
}

fn question(path: &Path, questions: &BTreeSet<&str>, wanted: Option<&String>) -> Diagnostic {
    let told = some(questions.iter().copied());
    let message = match wanted {
        Some(wanted) => format!("no answer is to the question `{wanted}`"),
        None => format!("{} questions were answered", questions.len()),
    };
    Diagnostic::error(Code::QuestionNeeded, message).at(Location::file(path)).hint(format!(
        "question = \"...\" in [reads]: the address of the question or its last part; here are {told}"
    ))
}

fn addresses(text: &str, at: Location) -> Diagnostic {
    let message = format!("the case is an address: `{}`", short(text));
    Diagnostic::error(Code::GrandChallengeAddresses, message).at(at).hint(
        "export the display sets too, write the case of each beside the answers and name that column in \
         `case_column`; or, where the cases are named by display set, declare case_pattern = \"https://*\" \
         with `*` \
         for its last part",
    )
}

fn no_json(text: &str, at: Location) -> Diagnostic {
    let message = format!("the answer `{}` is no JSON", short(text));
    Diagnostic::error(Code::JsonUnreadable, message)
        .at(at)
        .hint("export again; a program for tables may have changed the quotes")
}

/// The choices of an answer in JSON; none for `null`, an empty text and an empty list.
fn choices(text: &str) -> Result<Vec<String>, ()> {
    let texts = match serde_json::from_str(text) {
        Ok(Value::Array(list)) => list.iter().map(shown).collect(),
        Ok(Value::Object(_)) | Err(_) => return Err(()),
        Ok(one) => vec![shown(&one)],
    };
    Ok(texts.into_iter().filter(|text: &String| !text.is_empty()).collect())
}

/// The table of ground truth: its labels are given.
///
/// # Errors
/// `json-unreadable` for a cell that is no JSON or has quotes that do not match, `row-length`,
/// `question-needed`: everything at once.
pub fn ground_truth(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<Export, Vec<Diagnostic>> {
    let text = text(path, bytes)?;
    let mut lines = (1_u64..).zip(text.text.lines());
    let header: Vec<&str> =
        lines.next().map(|(_, line)| line.split(',').map(str::trim).collect()).unwrap_or_default();
    let questions: BTreeSet<&str> =
        header.iter().copied().filter(|name| *name != CASE && !name.ends_with(EXPLANATION)).collect();
    let wanted = match &source.question {
        Some(wanted) if questions.contains(wanted.as_str()) => wanted.as_str(),
        Some(wanted) => return Err(vec![question(path, &questions, Some(wanted))]),
        None if questions.len() == 1 => questions.first().copied().unwrap_or_default(),
        None => return Err(vec![question(path, &questions, None)]),
    };
    let (mut export, mut problems) = (Export::default(), Vec::new());
    for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
        let at = Location::line(path, line);
        let Some(cells) = cells(row) else {
            problems.push(no_json(row, at));
            continue;
        };
        if cells.len() != header.len() {
            let message = format!("{} cells where the header has {}", cells.len(), header.len());
            problems.push(Diagnostic::error(Code::RowLength, message).at(at));
            continue;
        }
        let of = |name: &str| header.iter().position(|one| *one == name).and_then(|place| cells.get(place));
        let Some(case_id) = of(CASE).filter(|case| !case.is_empty()).map(|case| (*case).to_owned()) else {
            let message = "the cell `case` is empty";
            problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
            continue;
        };
        // Every cell must be JSON, not only the one that is read: quotes that do not match shift the others.
        let broken = header.iter().zip(&cells).find(|(name, text)| {
            **name != CASE && !text.is_empty() && serde_json::from_str::<Value>(text).is_err()
        });
        if let Some((_, text)) = broken {
            problems.push(no_json(text, at));
            continue;
        }
        let texts = of(wanted).filter(|text| !text.is_empty()).map_or(Ok(Vec::new()), |text| choices(text));
        match texts {
            Ok(texts) if texts.is_empty() => export.no_reads.push(NoRead {
                case_id: Some(case_id),
                reader_id: None,
                reason: NoReadReason::Empty,
                comment: None,
                at,
            }),
            Ok(texts) => export.given.push(Answer {
                case_id: case_id.into(),
                reader_id: "ground truth".into(),
                text: texts.join(&SEVERAL.to_string()).into(),
                time: None,
                session: None,
                confidence: None,
                comment: None,
                at,
            }),
            Err(()) => problems.push(no_json(row, at)),
        }
    }
    if problems.is_empty() { Ok(export) } else { Err(limited(problems, path)) }
}

/// The cells of a row whose quotes are single; none where a quote does not match.
fn cells(row: &str) -> Option<Vec<&str>> {
    let (mut rest, mut cells) = (row.trim_end_matches('\r'), Vec::new());
    loop {
        let (cell, behind) = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let (cell, behind) = quoted.split_once('\'')?;
                (cell, behind)
            }
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        cells.push(cell.trim());
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Some(cells),
            // Text behind the closing quote.
            None => return None,
        }
    }
}
