//! Readers' files: what the answers that an export holds mean by the protocol.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDateTime;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReadsFormat, ReadsSource, RowsAre, Scale, SeveralChoices};
use crate::reads::case_map::{CaseMap, Unknown};
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};
use crate::reads::import;
use crate::reads::words;
use crate::table::{Table, Word, Words, cell, limited};

/// What a reader said of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// The finding is present.
    Positive,
    /// The finding is absent.
    Negative,
    /// The reader could not tell.
    Indeterminate,
    /// The images could not be read: poor quality, wrong view, nothing to see.
    Uninterpretable,
}

impl Read {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Indeterminate => "indeterminate",
            Self::Uninterpretable => "uninterpretable",
        }
    }
}

/// An answer on a declared scale, as the number that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating(u64);

impl Rating {
    /// Of a finite number.
    pub fn new(value: f64) -> Self {
        // There is one zero.
        Self((value + 0.0).to_bits())
    }

    /// The number.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What a reader says beside an answer, as stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark(Option<Box<Told>>);

/// Held beside the read: most rows say nothing, and there are very many.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    confidence: Option<String>,
    comment: Option<String>,
}

impl Remark {
    /// A blank says nothing.
    pub fn new(confidence: Option<String>, comment: Option<String>) -> Self {
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let words = Told { confidence: said(confidence), comment: said(comment) };
        Self((words != Told::default()).then(|| Box::new(words)))
    }

    /// How sure the reader is.
    pub fn confidence(&self) -> Option<&str> {
        self.0.as_ref()?.confidence.as_deref()
    }

    /// What the reader wrote.
    pub fn comment(&self) -> Option<&str> {
        self.0.as_ref()?.comment.as_deref()
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Of several boxes of one answer: no one confidence, and all that was written, each once.
    fn with(self, other: Self) -> Self {
        let (one, other) = (self.0.unwrap_or_default(), other.0.unwrap_or_default());
        let confidence = one.confidence.filter(|sure| Some(sure) == other.confidence.as_ref());
        let comment = match (one.comment, other.comment) {
            (Some(comment), Some(more)) if !comment.contains(&more) => Some(format!("{comment}; {more}")),
            (Some(comment), _) => Some(comment),
            (None, more) => more,
        };
        Self::new(confidence, comment)
    }
}

/// One read with its place in the readers' files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRow {
    /// The case.
    pub case_id: Word,
    /// The reader.
    pub reader_id: Word,
    /// The read.
    pub read: Read,
    /// The number on the declared scale that the read is made of; `None` where no scale is declared, and for
    /// answers in words.
    pub rating: Option<Rating>,
    /// When it was given, where the file says so.
    pub time: Option<NaiveDateTime>,
    /// What else the reader said of it.
    pub remark: Remark,
    /// The file it came in.
    pub file: Word,
    /// Its line.
    pub line: u64,
}

/// One row of a table of reads, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'t> {
    /// The case.
    pub case_id: &'t str,
    /// The reader.
    pub reader_id: &'t str,
    /// The answer; `None` for an empty cell.
    pub answer: Option<&'t str>,
    /// Its line.
    pub line: u64,
}

/// The rows of a table of reads, and what is wrong with their ids.
#[derive(Debug)]
pub struct Said<'t> {
    /// Those that name case and reader, in the table's order.
    pub rows: Vec<Cells<'t>>,
    /// The others.
    pub problems: Vec<Diagnostic>,
}

/// Who said what of which case; the columns are those of the case, the reader and the answer.
///
/// # Errors
/// `column-missing`, all at once.
pub fn said<'t>(table: &'t Table, columns: [&str; 3]) -> Result<Said<'t>, Vec<Diagnostic>> {
    let mut missing = Vec::new();
    // One column may be asked for twice, and is missing once.
    let mut tell = |problem| {
        if !missing.contains(&problem) {
            missing.push(problem);
        }
    };
    let places = columns.map(|name| table.required(name).map_err(&mut tell).ok());
    if !missing.is_empty() {
        return Err(missing);
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for row in table.rows() {
        let [case_id, reader_id, answer] = places.map(|place| row.get(place));
        for (name, cell) in [(columns[0], case_id), (columns[1], reader_id)] {
            if cell.is_none() {
                let message = format!("the cell `{name}` is empty");
                let hint = "say which case and which reader it is, or remove the row";
                problems
                    .push(Diagnostic::error(Code::ValueMissing, message).at(table.at(row.line)).hint(hint));
            }
        }
        if let (Some(case_id), Some(reader_id)) = (case_id, reader_id) {
            rows.push(Cells { case_id, reader_id, answer, line: row.line });
        }
    }
    Ok(Said { rows, problems })
}

/// What one reader's file gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadFile {
    /// The reads, in the order of the file.
    pub rows: Vec<ReadRow>,
    /// Labels that the file marks as ground truth, as far as their words have a declared meaning: no reads.
    pub given: Vec<ReadRow>,
    /// Such labels whose words have no declared meaning: wrong only where the labels are used.
    pub given_unknown: Vec<Diagnostic>,
    /// What is no read, and why.
    pub no_reads: Vec<NoRead>,
    /// What a person should know of the file.
    pub warnings: Vec<Diagnostic>,
}

/// The reads of a reader's file; see [`read_file`].
///
/// # Errors
/// As [`read_file`].
pub fn parse(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<Vec<ReadRow>, Vec<Diagnostic>> {
    read_file(path, bytes, source).map(|file| file.rows)
}

/// Reads a reader's file in the declared format, and gives its words their declared meaning. What is empty,
/// was cancelled or not completed is no read.
///
/// # Errors
/// Everything wrong at once: what [`import::export`] refuses; `read-unknown` for words without a meaning,
/// `read-off-scale` for numbers outside the declared scale, `choices-contradict` for several choices that do
/// not mean the same.
pub fn read_file(path: &Path, bytes: &[u8], source: &ReadsSource) -> Result<ReadFile, Vec<Diagnostic>> {
    read_with(path, bytes, source, Beside::default())
}

/// What beside its bytes says how a readers' file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Which case an id is.
    pub map: Option<&'a CaseMap>,
    /// The file whose name says who read, where it is not this one: the one that it corrects.
    pub named: Option<&'a Path>,
}

/// The same with what stands elsewhere.
///
/// # Errors
/// As [`read_file`], and what [`CaseMap::apply`] refuses.
pub fn read_with(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    beside: Beside<'_>,
) -> Result<ReadFile, Vec<Diagnostic>> {
    let map = beside.map;
    let mut export = import::export_named(path, beside.named.unwrap_or(path), bytes, source)?;
    let problems = map.map(|map| map.apply(path, &mut export)).and_then(Result::err).unwrap_or_default();
    with_meaning(path, export, source, problems)
}

/// Gives the words of an export their declared meaning.
///
/// # Errors
/// `read-unknown`, `read-off-scale`, `choices-contradict`, as [`read_file`].
pub fn meant(path: &Path, export: Export, source: &ReadsSource) -> Result<ReadFile, Vec<Diagnostic>> {
    with_meaning(path, export, source, Vec::new())
}

fn with_meaning(
    path: &Path,
    export: Export,
    source: &ReadsSource,
    mut problems: Vec<Diagnostic>,
) -> Result<ReadFile, Vec<Diagnostic>> {
    let Export { answers, given, mut no_reads, mut warnings } = export;
    let meaning = Meaning { source };
    let mut rows = Vec::with_capacity(answers.len());
    let mut unknown = words::Unknown::default();
    let (file, mut readers) = (Word::from(&*path.to_string_lossy()), Words::default());
    let mut row = |answer, read| row(answer, read, &file, &mut readers);
    for answer in answers {
        match meaning.of(&answer) {
            Ok(Some(read)) => {
                let rating = meaning.rating(&answer);
                rows.push(ReadRow { rating, ..row(answer, read) });
            }
            Ok(None) => no_reads.push(NoRead {
                case_id: Some(answer.case_id.into()),
                reader_id: Some(answer.reader_id.into()),
                reason: NoReadReason::Empty,
                comment: answer.comment.map(String::from),
                at: answer.at,
            }),
            Err(problem) => {
                let unknown_word = |word: &str| meaning.of_one(word, &answer).is_err();
                // Each word is told where it stands first; how often it stands is told of all together.
                if problem.code != Code::ReadUnknown || unknown.add(&answer.text, unknown_word) {
                    problems.push(problem);
                }
            }
        }
    }
    if source.rows == RowsAre::Boxes {
        rows = of_boxes(rows);
    }
    let marked = given.len();
    let (mut labels, mut given_unknown) = (Vec::new(), Vec::new());
    for label in given {
        match meaning.of_given(&label) {
            Ok(Some(read)) => labels.push(row(label, read)),
            Ok(None) => {}
            Err(problem) => given_unknown.push(problem),
        }
    }
    let given = labels;
    warnings.extend(not_counted(path, &no_reads));
    if marked > 0 {
        let message = format!(
            "{marked} labels are marked as ground truth: they are no reads and do not vote; {} of them have \
             words with a declared meaning",
            given.len()
        );
        warnings.push(Diagnostic::warning(Code::ReadsGiven, message).at(Location::file(path)));
    }
    if problems.is_empty() {
        Ok(ReadFile { rows, given, given_unknown: limited(given_unknown, path), no_reads, warnings })
    } else {
        let mut problems = limited(problems, path);
        problems.extend(unknown.proposal(path, source));
        Err(problems)
    }
}

fn row(answer: Answer, read: Read, file: &Word, readers: &mut Words) -> ReadRow {
    ReadRow {
        case_id: answer.case_id,
        reader_id: readers.word(&answer.reader_id),
        read,
        rating: None,
        time: answer.time,
        remark: Remark::new(answer.confidence.map(String::from), answer.comment.map(String::from)),
        file: file.clone(),
        line: answer.at.line.unwrap_or(1),
    }
}

/// What answers mean.
struct Meaning<'s> {
    source: &'s ReadsSource,
}

impl Meaning<'_> {
    /// What a label that is given means, where its words say it. iMRMC's truth is 0 or 1 and on no scale.
    fn of_given(&self, label: &Answer) -> Result<Option<Read>, Diagnostic> {
        if self.source.format == ReadsFormat::Imrmc {
            let shown = cell::shown(&label.text);
            let unknown = || {
                let message = format!("the truth {shown} is neither 0 nor 1");
                Diagnostic::error(Code::ReadUnknown, message).at(label.at.clone())
            };
            let positive = cell::binary(&label.text).ok_or_else(unknown)?;
            return Ok(Some(if positive { Read::Positive } else { Read::Negative }));
        }
        self.of(label)
    }

    /// The read; `None` for an answer that says that there is none.
    fn of(&self, answer: &Answer) -> Result<Option<Read>, Diagnostic> {
        let mut read: Option<Read> = None;
        for text in answer.text.split(SEVERAL).map(str::trim).filter(|text| !text.is_empty()) {
            let Some(one) = self.of_one(text, answer)? else { continue };
            read = Some(match (read, self.source.several) {
                (None, _) => one,
                (Some(before), SeveralChoices::AnyPositive) => stronger(before, one),
                (Some(before), SeveralChoices::Agree) if before == one => one,
                (Some(_), SeveralChoices::Agree) => {
                    let shown = answer.text.replace(SEVERAL, "; ");
                    let shown: String = shown.chars().take(60).collect();
                    let message = format!("the answer `{shown}` has choices of different meaning");
                    let hint = "ask the reader; or declare several = \"any-positive\" in [reads] where one \
                                positive \
                                choice makes the answer positive";
                    return Err(Diagnostic::error(Code::ChoicesContradict, message)
                        .at(answer.at.clone())
                        .hint(hint));
                }
            });
        }
        Ok(read)
    }

    fn of_one(&self, text: &str, answer: &Answer) -> Result<Option<Read>, Diagnostic> {
        let source = self.source;
        let is = |words: &[String]| words.iter().any(|word| cell::is_word(word, text));
        // Words before numbers: a scale may have one for an image that cannot be read.
        if is(&source.missing) {
            return Ok(None);
        }
        for (words, read) in
            [(&source.uninterpretable, Read::Uninterpretable), (&source.indeterminate, Read::Indeterminate)]
        {
            if is(words) {
                return Ok(Some(read));
            }
        }
        if let Some(scale) = &source.scale {
            return self.on_scale(text, scale, answer).map(Some);
        }
        for (words, read) in [(&source.positive, Read::Positive), (&source.negative, Read::Negative)] {
            if is(words) {
                return Ok(Some(read));
            }
        }
        let shown: String = text.chars().take(60).collect();
        let words =
            [&source.positive[..], &source.negative, &source.indeterminate, &source.uninterpretable].concat();
        Err(Diagnostic::error(Code::ReadUnknown, format!("the read `{shown}` has no declared meaning"))
            .at(answer.at.clone())
            .hint(format!("declared in [reads] are: {}", words.join(", "))))
    }

    /// The one number on the declared scale that an answer is.
    fn rating(&self, answer: &Answer) -> Option<Rating> {
        let source = self.source;
        let (scale, text) = (source.scale.as_ref()?, answer.text.trim());
        let words = [&source.missing, &source.uninterpretable, &source.indeterminate];
        let is_word = words.into_iter().flatten().any(|word| cell::is_word(word, text));
        let number = text.strip_suffix('%').map_or(text, str::trim_end);
        let value = cell::number(number).filter(|value| (scale.min..=scale.max).contains(value));
        value.filter(|_| !is_word).map(Rating::new)
    }

    fn on_scale(&self, text: &str, scale: &Scale, answer: &Answer) -> Result<Read, Diagnostic> {
        let number = text.strip_suffix('%').map_or(text, str::trim_end);
        let value = cell::number(number).filter(|value| (scale.min..=scale.max).contains(value));
        let Some(value) = value else {
            let shown: String = text.chars().take(60).collect();
            let message = format!("the read `{shown}` is no number from {} to {}", scale.min, scale.max);
            let hint = "ask the reader; a comma is no decimal point, and a text such as `NA` is declared in \
                        `missing` or `uninterpretable`";
            return Err(Diagnostic::error(Code::ReadOffScale, message).at(answer.at.clone()).hint(hint));
        };
        Ok(if value >= scale.positive_from {
            Read::Positive
        } else if scale.indeterminate_from.is_some_and(|from| value >= from) {
            Read::Indeterminate
        } else {
            Read::Negative
        })
    }
}

/// Of several choices or boxes where one positive makes a positive: a doubt outweighs a negative.
fn stronger(one: Read, other: Read) -> Read {
    let weight = |read: Read| match read {
        Read::Positive => 3,
        Read::Indeterminate => 2,
        Read::Uninterpretable => 1,
        Read::Negative => 0,
    };
    if weight(other) > weight(one) { other } else { one }
}

/// One read for all boxes that a reader drew on a case: positive if any is; at the place of the first, with
/// the latest time.
fn of_boxes(rows: Vec<ReadRow>) -> Vec<ReadRow> {
    let mut first: BTreeMap<(Word, Word), usize> = BTreeMap::new();
    let mut reads: Vec<ReadRow> = Vec::new();
    for row in rows {
        match first.entry((row.case_id.clone(), row.reader_id.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(reads.len());
                reads.push(row);
            }
            Entry::Occupied(place) => {
                if let Some(read) = reads.get_mut(*place.get()) {
                    read.read = stronger(read.read, row.read);
                    read.rating = None;
                    read.time = read.time.max(row.time);
                    read.remark = std::mem::take(&mut read.remark).with(row.remark);
                }
            }
        }
    }
    reads
}

/// The negative reads of a list of what was read: cases that a reader read and drew no box on. `rows` are the
/// reads of all tables of boxes.
///
/// # Errors
/// What a table of reads is refused for, and `read-unlisted` for boxes of a reader on a case that the list
/// does not have: then it is no list of what was read.
pub fn without_boxes(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    map: Option<&CaseMap>,
    rows: &[ReadRow],
) -> Result<Vec<ReadRow>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let columns = import::id_columns(source);
    let Said { rows: listed, mut problems } = said(&table, [columns[0], columns[1], columns[0]])?;
    let boxes: BTreeSet<(&str, &str)> = rows.iter().map(|row| (&*row.case_id, &*row.reader_id)).collect();
    let mut pairs: BTreeMap<(String, &str), u64> = BTreeMap::new();
    let mut unknown = Unknown::default();
    for Cells { case_id, reader_id, line, .. } in listed {
        match import::case_of(case_id, source) {
            Some(id) => match map.map_or(Some(id), |map| map.of(id)) {
                Some(case) => {
                    pairs.entry((case.to_owned(), reader_id)).or_insert(line);
                }
                None => unknown.add(id, &table.at(line)),
            },
            None => problems.push(import::no_case(case_id, source, table.at(line))),
        }
    }
    problems.extend(map.and_then(|map| unknown.problem(path, map)));
    for row in rows.iter().filter(|row| !pairs.contains_key(&(row.case_id.to_string(), &*row.reader_id))) {
        let message = format!(
            "the reader `{}` drew on the case `{}`, which the list of what was read ({}) does not have",
            row.reader_id,
            row.case_id,
            path.display()
        );
        problems.push(
            Diagnostic::error(Code::ReadUnlisted, message)
                .at(Location::line(&row.file, row.line))
                .hint("complete the list: it names every case that each reader read, with and without a box"),
        );
    }
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    let unboxed = pairs.into_iter().filter(|((case, reader), _)| !boxes.contains(&(case.as_str(), *reader)));
    let (file, mut readers) = (Word::from(&*path.to_string_lossy()), Words::default());
    let read = |((case_id, reader), line): ((String, &str), u64)| ReadRow {
        case_id: case_id.into(),
        reader_id: readers.word(reader),
        read: Read::Negative,
        rating: None,
        time: None,
        remark: Remark::default(),
        file: file.clone(),
        line,
    };
    Ok(unboxed.map(read).collect())
}

/// A warning of what was not counted; an empty answer is nothing to warn of.
fn not_counted(path: &Path, no_reads: &[NoRead]) -> Option<Diagnostic> {
    let count = |reason| no_reads.iter().filter(|none| none.reason == reason).count();
    let (open, cancelled) = (count(NoReadReason::NotCompleted), count(NoReadReason::Cancelled));
    let first = no_reads
        .iter()
        .find(|none| matches!(none.reason, NoReadReason::NotCompleted | NoReadReason::Cancelled))?;
    let message = match (open, cancelled) {
        (_, 0) => format!("{open} answers are not marked as completed: they are no reads"),
        (0, _) => format!("{cancelled} answers were cancelled: they are no reads"),
        _ => format!("{open} answers are not marked as completed and {cancelled} were cancelled: no reads"),
    };
    let place = if first.at.line.is_some() { first.at.clone() } else { Location::file(path) };
    Some(Diagnostic::warning(Code::ReadsNotCounted, message).at(place))
}

#[cfg(test)]
mod tests;
