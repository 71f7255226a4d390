//! The ratings of a reader study as its protocol says where they stand: who rated which case how high, with
//! or without the device, when, and how long it took. No truth and no score is here.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDateTime;

use super::case_map::{CaseMap, Unknown};
use super::import::{imrmc, time};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReaderStudySource;
use crate::table::{Table, cell, limited, text};

/// One rating.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRating {
    /// Who.
    pub reader: String,
    /// The case.
    pub case: String,
    /// With the device.
    pub aided: bool,
    /// How high, on the declared scale; none where the case was not read.
    pub rating: Option<f64>,
    /// When.
    pub time: Option<NaiveDateTime>,
    /// How long, in seconds.
    pub seconds: Option<f64>,
    /// Where it stands.
    pub at: Location,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct RatingFile {
    /// The ratings, in the order of the rows.
    pub ratings: Vec<CaseRating>,
    /// What the file says is true of cases: iMRMC's list does, a table does not.
    pub truths: Vec<(String, bool, Location)>,
    /// How it was read.
    pub notes: Vec<Diagnostic>,
}

/// What a row says, as text.
struct RatingRow<'t> {
    reader: &'t str,
    case: &'t str,
    modality: &'t str,
    rating: Option<&'t str>,
    time: Option<&'t str>,
    seconds: Option<&'t str>,
    at: Location,
}

/// Reads a table, or iMRMC's list, which is told by its line `BEGIN DATA:`. `map` says which case an id is.
///
/// # Errors
/// Everything that is wrong, located: `column-missing`, `value-missing`, `modality-unknown`,
/// `score-not-a-number`, `read-off-scale`, `time-unreadable`, `repeated-read`, `case-map-unknown`,
/// `label-not-binary`, and those of the list.
pub fn parse(
    path: &Path,
    bytes: &[u8],
    source: &ReaderStudySource,
    map: Option<&CaseMap>,
) -> Result<RatingFile, Vec<Diagnostic>> {
    let is_list = bytes
        .split(|b| *b == b'\n')
        .any(|line| line.trim_ascii().eq_ignore_ascii_case(imrmc::BEGIN.as_bytes()));
    let mut reading = Parsing::new(source, map);
    if is_list {
        let text = text(path, bytes)?;
        reading.file.notes.clone_from(&text.notes);
        let (scores, problems) = imrmc::scores(path, &text.text)?;
        reading.problems.extend(problems);
        for score in &scores {
            if imrmc::is_truth(score.reader) {
                reading.truth(score.case, score.score, &score.at);
            } else {
                let rating = Some(score.score).filter(|text| !text.is_empty());
                let (reader, case, modality) = (score.reader, score.case, score.modality);
                let at = score.at.clone();
                reading.row(&RatingRow { reader, case, modality, rating, time: None, seconds: None, at });
            }
        }
    } else {
        let table = Table::parse(path, bytes)?;
        reading.file.notes = table.notes().to_vec();
        reading.table(&table)?;
    }
    reading.done(path)
}

struct Parsing<'s> {
    source: &'s ReaderStudySource,
    map: Option<&'s CaseMap>,
    file: RatingFile,
    problems: Vec<Diagnostic>,
    unknown: Unknown,
    /// By reader, case and aid: where it stands first.
    seen: BTreeMap<(String, String, bool), u64>,
}

impl<'s> Parsing<'s> {
    fn new(source: &'s ReaderStudySource, map: Option<&'s CaseMap>) -> Self {
        let (file, problems, unknown) = (RatingFile::default(), Vec::new(), Unknown::default());
        Self { source, map, file, problems, unknown, seen: BTreeMap::new() }
    }

    fn wrong(&mut self, code: Code, message: String, at: &Location) {
        self.problems.push(Diagnostic::error(code, message).at(at.clone()));
    }

    fn table(&mut self, table: &Table) -> Result<(), Vec<Diagnostic>> {
        let source = self.source;
        let names =
            [&source.reader_column, &source.case_column, &source.modality_column, &source.rating_column];
        let mut missing = Vec::new();
        let mut find = |name: &String| table.required(name).map_err(|p| missing.push(p)).ok();
        let [reader, case, modality, rating] = names.map(&mut find);
        let time = source.time_column.as_ref().and_then(&mut find);
        let seconds = source.seconds_column.as_ref().and_then(&mut find);
        if !missing.is_empty() {
            return Err(missing);
        }
        for row in table.rows() {
            let at = table.at(row.line);
            let get = |place: Option<usize>| row.get(place).map(str::trim).filter(|text| !text.is_empty());
            let named = [reader, case, modality].map(get);
            let [Some(reader), Some(case), Some(modality)] = named else {
                let lacking = names.iter().zip(named).find(|(_, cell)| cell.is_none());
                let lacking = lacking.map_or("", |(name, _)| name.as_str());
                self.wrong(Code::ValueMissing, format!("the cell `{lacking}` is empty"), &at);
                continue;
            };
            let (rating, time, seconds) = (get(rating), get(time), get(seconds));
            self.row(&RatingRow { reader, case, modality, rating, time, seconds, at });
        }
        Ok(())
    }

    fn case(&mut self, id: &str, at: &Location) -> Option<String> {
        let Some(map) = self.map else { return Some(id.to_owned()) };
        let case = map.of(id).map(str::to_owned);
        if case.is_none() {
            self.unknown.add(id, at);
        }
        case
    }

    fn truth(&mut self, case: &str, text: &str, at: &Location) {
        match cell::binary(text) {
            Some(positive) => {
                if let Some(case) = self.case(case, at) {
                    self.file.truths.push((case, positive, at.clone()));
                }
            }
            None => {
                let message = format!("the truth is not 0 or 1: `{}`", cell::short(text));
                self.wrong(Code::LabelNotBinary, message, at);
            }
        }
    }

    fn row(&mut self, said: &RatingRow<'_>) {
        let at = &said.at;
        let aided = if cell::is_word(&self.source.unaided, said.modality) {
            false
        } else if self.source.aided.as_ref().is_some_and(|word| cell::is_word(word, said.modality)) {
            true
        } else {
            let known = self.source.modalities().join("\", \"");
            let message = format!("the modality `{}` is none of \"{known}\"", cell::short(said.modality));
            let hint = "[reader_study] says the words for reads without and with the device; the device \
                        alone comes from [scores]";
            self.problems.push(Diagnostic::error(Code::ModalityUnknown, message).at(at.clone()).hint(hint));
            return;
        };
        let Some(case) = self.case(said.case, at) else { return };
        let rating = said.rating.and_then(|text| self.rating(text, at));
        let time = said.time.and_then(|text| {
            let read = time(text, None);
            if read.is_none() {
                let message = format!("`{}` is no time", cell::short(text));
                let hint = "write the year first: 2026-01-31 12:00";
                self.problems
                    .push(Diagnostic::error(Code::TimeUnreadable, message).at(at.clone()).hint(hint));
            }
            read
        });
        let seconds = said.seconds.and_then(|text| {
            let read = cell::number(text).filter(|seconds| *seconds >= 0.0);
            if read.is_none() {
                let message = format!("`{}` is no number of seconds", cell::short(text));
                self.wrong(Code::ScoreNotANumber, message, at);
            }
            read
        });
        let key = (said.reader.to_owned(), case.clone(), aided);
        let line = at.line.unwrap_or_default();
        if let Some(first) = self.seen.insert(key, line) {
            let message = format!(
                "reader `{}` rated the case `{case}` twice in `{}`, first on line {first}",
                said.reader, said.modality
            );
            let hint = "keep the rating that counts";
            self.problems.push(Diagnostic::error(Code::RepeatedRead, message).at(at.clone()).hint(hint));
        }
        let (reader, at) = (said.reader.to_owned(), at.clone());
        self.file.ratings.push(CaseRating { reader, case, aided, rating, time, seconds, at });
    }

    fn rating(&mut self, text: &str, at: &Location) -> Option<f64> {
        let scale = self.source.scale;
        let Some(rating) = cell::number(text) else {
            let message = format!("the rating is not a finite number: `{}`", cell::short(text));
            self.wrong(Code::ScoreNotANumber, message, at);
            return None;
        };
        if rating < scale.min || rating > scale.max {
            let message =
                format!("the rating {rating} is not on the scale from {} to {}", scale.min, scale.max);
            self.wrong(Code::ReadOffScale, message, at);
        }
        Some(rating)
    }

    fn done(mut self, path: &Path) -> Result<RatingFile, Vec<Diagnostic>> {
        if let Some(map) = self.map {
            self.problems.extend(self.unknown.problem(path, map));
        }
        if self.problems.is_empty() { Ok(self.file) } else { Err(limited(self.problems, path)) }
    }
}
