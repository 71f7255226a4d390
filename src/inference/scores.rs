//! The score table, our own and that of a device elsewhere.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;
use crate::table::{Source, Table, Word, Words, cell, limited};

/// How several score columns become one score.
pub type CombineFn = fn(&[f64]) -> f64;

/// What a device gave for a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Probability in 0..=1; `None` when the device refused the image.
    pub score: Option<f64>,
    /// Why the device gave no score.
    pub refused: Option<Word>,
    /// Digest of the image file that was scored, where it is known.
    pub image_sha256: Option<Box<Digest>>,
    /// Line in the table.
    pub line: u64,
}

/// Scores by case id.
pub type Scores = BTreeMap<Word, Score>;

/// Reads a score table: the case column, one or more score columns, and optionally `refused` (the
/// reason why there is no score) and `image_sha256`.
///
/// # Errors
/// Everything wrong at once: missing columns, `duplicate-case`, `score-not-a-number`,
/// `score-out-of-range` outside 0..=1, `score-missing` for an empty score without a reason.
pub fn parse<'s>(
    path: &Path,
    bytes: impl Into<Source<'s>>,
    case_column: &str,
    columns: &[String],
    combine: CombineFn,
) -> Result<Scores, Vec<Diagnostic>> {
    parse_needed(path, bytes, case_column, columns, combine, &|_| true)
}

/// The same, of which only the scores of some cases are kept: a study may have scores of very many more cases
/// than it draws. All are checked.
///
/// # Errors
/// As [`parse`].
pub fn parse_needed<'s>(
    path: &Path,
    bytes: impl Into<Source<'s>>,
    case_column: &str,
    columns: &[String],
    combine: CombineFn,
    is_needed: &dyn Fn(&str) -> bool,
) -> Result<Scores, Vec<Diagnostic>> {
    let (mut problems, mut scores, mut words) = (Vec::new(), Vec::new(), Words::default());
    let mut others = Others::default();
    let table = Table::parse_in_parts(path, bytes, |table| {
        let mut missing = Vec::new();
        let mut column = |name: &str| table.required(name).map_err(|p| missing.push(p)).ok();
        let case = column(case_column);
        let score_columns: Vec<_> = columns.iter().map(|name| (name, column(name))).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let (refused, image) = (table.column("refused"), table.column("image_sha256"));
        for row in table.rows() {
            let mut wrong = |code, message: String, hint: &str| {
                let problem = Diagnostic::error(code, message).at(table.at(row.line));
                problems.push(if hint.is_empty() { problem } else { problem.hint(hint) });
            };
            let Some(case_id) = row.get(case) else {
                wrong(Code::CaseIdMissing, format!("the cell `{case_column}` is empty"), "");
                continue;
            };
            let reason = row.get(refused).map(|text| words.word(text));
            let mut values = Vec::with_capacity(score_columns.len());
            for (name, index) in &score_columns {
                match row.get(*index) {
                    None => {
                        if reason.is_none() {
                            wrong(
                                Code::ScoreMissing,
                                format!("no `{name}` for the case `{case_id}`, and no reason"),
                                "score the case again, or say in a column `refused` why the device gave no \
                                 score",
                            );
                        }
                    }
                    Some(text) => match cell::number(text) {
                        Some(value) if (0.0..=1.0).contains(&value) => values.push(value),
                        Some(value) => wrong(
                            Code::ScoreOutOfRange,
                            format!("the `{name}` of the case `{case_id}` is {value}, outside 0 to 1"),
                            "a score is a probability; scale the device's output before the study, not after",
                        ),
                        None => {
                            let text: String = text.chars().take(40).collect();
                            wrong(
                                Code::ScoreNotANumber,
                                format!("the `{name}` of the case `{case_id}` is `{text}`"),
                                "a score is a decimal number from 0 to 1",
                            );
                        }
                    },
                }
            }
            let image_sha256 = row.get(image).and_then(|text| {
                text.parse()
                    .map_err(|e: crate::digest::DigestError| wrong(Code::ValueUnreadable, e.to_string(), ""))
                    .ok()
            });
            if let (Some(reason), false) = (&reason, values.is_empty()) {
                wrong(
                    Code::ScoreAndRefusal,
                    format!("the case `{case_id}` has a score and a reason for none: {reason}"),
                    "",
                );
            }
            let score = (values.len() == score_columns.len()).then(|| combine(&values));
            let row_score =
                Score { score, refused: reason, image_sha256: image_sha256.map(Box::new), line: row.line };
            if is_needed(case_id) {
                scores.push((case_id.into(), row_score));
            } else {
                others.push(case_id, row.line);
            }
        }
        Ok(())
    })?;
    // From a sorted list the map has full leaves: of a million cases half of its memory.
    scores.sort_by(|a: &(Word, Score), b| a.0.cmp(&b.0));
    let already = |id: &str, first: u64, line: u64| {
        let message = format!("the case `{id}` already has a score on line {first}");
        Diagnostic::error(Code::DuplicateCase, message).at(table.at(line))
    };
    let twice = scores.windows(2).filter(|two| two[0].0 == two[1].0);
    problems.extend(twice.map(|two| already(&two[1].0, two[0].1.line, two[1].1.line)));
    problems.extend(others.twice().into_iter().map(|(id, first, line)| already(&id, first, line)));
    problems.sort_by_key(|problem| problem.location.as_ref().and_then(|at| at.line));
    if problems.is_empty() { Ok(scores.into_iter().collect()) } else { Err(limited(problems, path)) }
}

/// Ids of which only is asked whether any stands twice: one text, and where each ends there.
#[derive(Default)]
struct Others {
    text: String,
    /// Begin and end in the text, and the line; a file that is read has less than four gigabytes.
    places: Vec<(u32, u32, u64)>,
}

impl Others {
    fn push(&mut self, id: &str, line: u64) {
        let (from, to) = (u32::try_from(self.text.len()), u32::try_from(self.text.len() + id.len()));
        if let (Ok(from), Ok(to)) = (from, to) {
            self.text.push_str(id);
            self.places.push((from, to, line));
        }
    }

    /// Those that do, with the line before and the own.
    fn twice(mut self) -> Vec<(String, u64, u64)> {
        let id = |(from, to, _): &(u32, u32, u64)| &self.text[*from as usize..*to as usize];
        self.places.sort_unstable_by(|a, b| id(a).cmp(id(b)).then(a.2.cmp(&b.2)));
        let same = self.places.windows(2).filter(|two| id(&two[0]) == id(&two[1]));
        same.map(|two| (id(&two[1]).to_owned(), two[0].2, two[1].2)).collect()
    }
}

/// The table that `score` writes and that evidence holds, sorted by case id.
///
/// # Errors
/// None that memory does not give.
pub fn to_csv<'a>(scores: impl IntoIterator<Item = (&'a Word, &'a Score)>) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut write = |record: [&str; 4]| out.write_record(record).unwrap_or_else(|_| unreachable!("memory"));
    write(["case_id", "score", "refused", "image_sha256"]);
    for (case_id, score) in scores {
        write([
            case_id,
            &score.score.map(|s| s.to_string()).unwrap_or_default(),
            score.refused.as_deref().unwrap_or_default(),
            &score.image_sha256.as_ref().map(|d| d.to_string()).unwrap_or_default(),
        ]);
    }
    out.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Scores, Vec<(&'static str, u64)>> {
        parse(Path::new("scores.csv"), text.as_bytes(), "case_id", &["score".to_owned()], |v| v[0]).map_err(
            |p| {
                p.iter()
                    .map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line).unwrap_or(0)))
                    .collect()
            },
        )
    }

    #[test]
    fn every_wrong_score_is_located() {
        let text = "case_id,score\na,1.5\nb,x\nc,\nd,NaN\ne,-0.1\nf,0.5\nf,0.5\n,0.5\n";
        let expected = [
            ("score-out-of-range", 2),
            ("score-not-a-number", 3),
            ("score-missing", 4),
            ("score-not-a-number", 5),
            ("score-out-of-range", 6),
            ("duplicate-case", 8),
            ("case-id-missing", 9),
        ];
        assert_eq!(check(text).expect_err("problems"), expected);
        assert_eq!(check("case,score\n").expect_err("problem"), [("column-missing", 1)]);
    }

    #[test]
    fn a_refusal_with_its_reason_is_not_an_error_and_the_table_round_trips() {
        let text = "case_id,score,refused\na,0.1,\nb,,age 81 is outside 18-80 years\n";
        let scores = check(text).expect("reads");
        assert_eq!(scores["b"].score, None);
        let again = String::from_utf8(to_csv(&scores)).expect("text");
        let mut reread = check(&again).expect("reads");
        for (id, score) in &mut reread {
            score.line = scores[id].line;
        }
        assert_eq!(reread, scores);
    }
}
