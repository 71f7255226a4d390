//! iMRMC, list mode (Gallas; github.com/DIDSR/iMRMC): free lines, `BEGIN DATA:`, then one line a score:
//! reader, case, modality, score. Truth is written as lines of the reader `truth` (of `-1` in old files): it
//! is given and does not vote. Not every reader has to score every case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::place::some;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason};
use crate::table::{limited, text};

/// The line before the data.
pub(crate) const BEGIN: &str = "BEGIN DATA:";

/// Numbers that the lines before the data may state.
#[derive(Default)]
struct Stated {
    /// `N0`, `N1`, `NR`, `NM`: negatives, positives, readers, modalities.
    counts: BTreeMap<&'static str, u64>,
}

/// Scores of a list.
///
/// # Errors
/// `imrmc-begin` without the line before the data, `row-length`, `value-missing`, `question-needed` for
/// several modalities, `imrmc-counts` where the stated numbers are not those of the data, which a truncated
/// file has: everything at once.
pub fn read(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let text = text(path, bytes)?;
    let mut export = Export { warnings: text.notes.clone(), ..Export::default() };
    let (scores, mut problems) = scores(path, &text.text)?;
    let modality = match modality(&scores, source, path) {
        Ok(modality) => modality,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    for score in scores {
        let Score { reader, case, modality: of, score, at } = score;
        let truth = is_truth(reader);
        let reader = if truth { reader } else { reader_of_path.unwrap_or(reader) };
        let none = |reason| NoRead {
            case_id: Some(case.to_owned()),
            reader_id: Some(reader.to_owned()),
            reason,
            comment: None,
            at: at.clone(),
        };
        if !truth && modality.as_deref().is_some_and(|wanted| wanted != of) {
            export.no_reads.push(none(NoReadReason::Elsewhere));
        } else if score.is_empty() {
            export.no_reads.push(none(NoReadReason::Empty));
        } else {
            let answer = Answer {
                case_id: case.into(),
                reader_id: reader.into(),
                text: score.into(),
                time: None,
                session: (!truth).then(|| of.into()),
                confidence: None,
                comment: None,
                at,
            };
            if truth { export.given.push(answer) } else { export.answers.push(answer) }
        }
    }
    Ok(export)
}

/// The lines of the data, with everything that is wrong in them.
///
/// # Errors
/// `imrmc-begin`.
pub(crate) fn scores<'t>(
    path: &Path,
    text: &'t str,
) -> Result<(Vec<Score<'t>>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines().map(str::trim)).collect();
    let Some(begin) = lines.iter().position(|(_, line)| line.eq_ignore_ascii_case(BEGIN)) else {
        let message = format!("there is no line `{BEGIN}`: this is not iMRMC's list");
        let hint = "give the file that iMRMC reads; a table with a header is format = \"table\"";
        return Err(vec![Diagnostic::error(Code::ImrmcBegin, message).at(Location::file(path)).hint(hint)]);
    };
    let stated = stated(&lines[..begin]);
    let mut problems = Vec::new();
    let mut scores = Vec::new();
    for (line, row) in lines[begin + 1..].iter().filter(|(_, row)| !row.is_empty()) {
        let at = Location::line(path, *line);
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        let [reader, case, modality, score] = cells[..] else {
            let message = format!("{} cells where a line has 4: reader, case, modality, score", cells.len());
            let hint = "a truncated file ends within a line";
            problems.push(Diagnostic::error(Code::RowLength, message).at(at).hint(hint));
            continue;
        };
        if reader.is_empty() || case.is_empty() {
            let message = "the reader or the case is empty";
            problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
            continue;
        }
        scores.push(Score { reader, case, modality, score, at });
    }
    problems.extend(stated.compared(&scores, path));
    Ok((scores, problems))
}

/// One line of the data.
pub(crate) struct Score<'t> {
    pub(crate) reader: &'t str,
    pub(crate) case: &'t str,
    pub(crate) modality: &'t str,
    pub(crate) score: &'t str,
    pub(crate) at: Location,
}

pub(crate) fn is_truth(reader: &str) -> bool {
    reader.eq_ignore_ascii_case("truth") || reader == "-1"
}

/// The modality that is read: the declared one, or the only one.
fn modality(scores: &[Score<'_>], source: &ReadsSource, path: &Path) -> Result<Option<String>, Diagnostic> {
    let of: BTreeSet<&str> =
        scores.iter().filter(|score| !is_truth(score.reader)).map(|score| score.modality).collect();
    let told = || some(of.iter().copied());
    let wrong = |message: String, hint: String| {
        Err(Diagnostic::error(Code::QuestionNeeded, message).at(Location::file(path)).hint(hint))
    };
    match &source.question {
        Some(wanted) if of.contains(wanted.as_str()) || of.is_empty() => Ok(Some(wanted.clone())),
        Some(wanted) => wrong(
            format!("no score is of the modality `{wanted}`"),
            format!("the modalities are: {}", told()),
        ),
        None if of.len() > 1 => wrong(
            format!("the readers scored {} modalities: {}", of.len(), told()),
            "name the one whose scores are read: question = \"...\" in [reads]".to_owned(),
        ),
        None => Ok(None),
    }
}

fn stated(lines: &[(u64, &str)]) -> Stated {
    let mut stated = Stated::default();
    for (_, line) in lines {
        for name in ["N0", "N1", "NR", "NM"] {
            let number = line
                .get(..2)
                .filter(|start| start.eq_ignore_ascii_case(name))
                .and_then(|_| line[2..].trim_start().strip_prefix(':'))
                .and_then(|number| number.trim().parse().ok());
            if let Some(number) = number {
                stated.counts.insert(name, number);
            }
        }
    }
    stated
}

impl Stated {
    /// What is stated and not so.
    fn compared(&self, scores: &[Score<'_>], path: &Path) -> Vec<Diagnostic> {
        let truth = |label: &str| {
            let cases: BTreeSet<&str> = scores
                .iter()
                .filter(|score| is_truth(score.reader) && crate::table::cell::is_word(label, score.score))
                .map(|score| score.case)
                .collect();
            cases.len()
        };
        let readers: BTreeSet<&str> =
            scores.iter().filter(|s| !is_truth(s.reader)).map(|score| score.reader).collect();
        let modalities: BTreeSet<&str> =
            scores.iter().filter(|s| !is_truth(s.reader)).map(|score| score.modality).collect();
        let found = [
            ("N0", "negative cases", truth("0")),
            ("N1", "positive cases", truth("1")),
            ("NR", "readers", readers.len()),
            ("NM", "modalities", modalities.len()),
        ];
        let differs = |(name, what, found): (&str, &str, usize)| {
            let stated = *self.counts.get(name)?;
            if stated == found as u64 {
                return None;
            }
            let message = format!("`{name}` states {stated} {what}, the data have {found}");
            let hint = "a truncated file has fewer; correct the line where it is wrong";
            Some(Diagnostic::error(Code::ImrmcCounts, message).at(Location::file(path)).hint(hint))
        };
        found.into_iter().filter_map(differs).collect()
    }
}
