//! Ratings of a reader study: which reader rated which case how high, in which modality, and what is true.
//! A table with one row a rating, or the list that FDA's iMRMC reads (and which is written for it).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::import::imrmc;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::statistics::mrmc::{Cell, ReaderStudy, Shares};
use crate::table::id::{self, Alike, Form};
use crate::table::{Table, cell, limited, text};

/// Columns of a table of ratings.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    /// The reader.
    pub reader: &'a str,
    /// The case.
    pub case: &'a str,
    /// The modality.
    pub modality: &'a str,
    /// What is true: 1/0, yes/no, positive/negative.
    pub truth: &'a str,
    /// The rating; higher means positive.
    pub rating: &'a str,
    /// The patient, where patients have several cases.
    pub patient: Option<&'a str>,
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
struct Case {
    positive: bool,
    patient: Option<String>,
}

/// Every rating of a study, with names.
#[derive(Clone, Debug, Default)]
pub struct Ratings {
    /// Modalities as they come.
    pub modalities: Vec<String>,
    /// Readers as they come.
    pub readers: Vec<String>,
    cases: BTreeMap<String, Case>,
    /// By modality, reader and case, with the place it stands at.
    rated: BTreeMap<(usize, usize, String), f64>,
    /// How the table was read.
    pub notes: Vec<Diagnostic>,
}

/// The place of a name in a list, which it is added to.
fn place(list: &mut Vec<String>, name: &str) -> usize {
    list.iter().position(|known| known == name).unwrap_or_else(|| {
        list.push(name.to_owned());
        list.len() - 1
    })
}

/// Ratings of one class, in the order of the cases.
type OfClass = Vec<Option<f64>>;

impl Ratings {
    /// Readers, cases and modalities that are probably one: they are told apart by capitals, blanks, zeros or
    /// characters that nobody sees, and each spelling would count for itself.
    pub fn alike(&self, path: &Path) -> Vec<Diagnostic> {
        let kinds: [(Code, &str, Vec<&str>); 3] = [
            (Code::ReadersAlike, "readers", self.readers.iter().map(String::as_str).collect()),
            (Code::IdsAlike, "cases", self.cases.keys().map(String::as_str).collect()),
            (Code::IdsAlike, "modalities", self.modalities.iter().map(String::as_str).collect()),
        ];
        let told = |(code, what, ids): (Code, &str, Vec<&str>)| {
            let groups = Alike::of(ids, Form::Seen).groups().into_iter().map(move |ids| {
                let names = id::named_visibly(ids);
                let message = format!("the {what} {names} are probably one, and would count as several");
                Diagnostic::error(code, message)
                    .at(Location::file(path))
                    .hint("write one id for one of them, in every row")
            });
            groups.collect::<Vec<_>>()
        };
        kinds.into_iter().flat_map(told).collect()
    }

    /// Reads a table or iMRMC's list, which is told by its line `BEGIN DATA:`.
    ///
    /// # Errors
    /// Everything that is wrong, located: `column-missing`, `value-missing`, `label-not-binary`,
    /// `score-not-a-number`, `repeated-read`, `case-contradicts`, `case-patients`, `labels-missing`,
    /// `one-class`, `table-empty`, and those of the list.
    pub fn parse(path: &Path, bytes: &[u8], columns: &Columns<'_>) -> Result<Self, Vec<Diagnostic>> {
        let is_list = bytes
            .split(|b| *b == b'\n')
            .any(|line| line.trim_ascii().eq_ignore_ascii_case(imrmc::BEGIN.as_bytes()));
        let (mut out, mut problems) =
            if is_list { Self::of_list(path, bytes)? } else { Self::of_table(path, bytes, columns)? };
        if problems.is_empty() {
            problems.extend(out.judged(path));
        }
        if problems.is_empty() { Ok(out) } else { Err(limited(problems, path)) }
    }

    fn of_table(
        path: &Path,
        bytes: &[u8],
        columns: &Columns<'_>,
    ) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let mut out = Self { notes: table.notes().to_vec(), ..Self::default() };
        let mut problems = Vec::new();
        let names = [columns.reader, columns.case, columns.modality, columns.truth, columns.rating];
        let places = names.map(|name| table.required(name).map_err(|p| problems.push(p)).ok());
        let patient = match columns.patient {
            Some(name) => table.required(name).map_err(|p| problems.push(p)).ok(),
            None => None,
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        for row in table.rows() {
            let at = table.at(row.line);
            let cells = places.map(|place| row.get(place).filter(|cell| !cell.trim().is_empty()));
            let [Some(reader), Some(case), Some(modality), Some(truth), rating] = cells else {
                let lacking = names.iter().zip(cells).find(|(_, cell)| cell.is_none()).map_or("", |(n, _)| n);
                let message = format!("the cell `{lacking}` is empty");
                problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
                continue;
            };
            let Some(positive) = cell::binary(truth) else {
                let message = format!("the truth is not one of {}: `{truth}`", cell::BINARY);
                problems.push(Diagnostic::error(Code::LabelNotBinary, message).at(at));
                continue;
            };
            let patient = patient.map(|place| row.get(Some(place)).unwrap_or_default().to_owned());
            if patient.as_ref().is_some_and(String::is_empty) {
                let name = columns.patient.unwrap_or_default();
                let message = format!("the cell `{name}` is empty");
                problems.push(Diagnostic::error(Code::ValueMissing, message).at(at));
                continue;
            }
            problems.extend(out.case(case, Case { positive, patient }, &at));
            // A case without a rating was not read by this reader.
            if let Some(rating) = rating {
                problems.extend(out.rating([reader, case, modality], rating, at));
            }
        }
        Ok((out, problems))
    }

    fn of_list(path: &Path, bytes: &[u8]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        let text = text(path, bytes)?;
        let mut out = Self { notes: text.notes.clone(), ..Self::default() };
        let (scores, mut problems) = imrmc::scores(path, &text.text)?;
        for score in scores.iter().filter(|score| imrmc::is_truth(score.reader)) {
            match cell::binary(score.score) {
                Some(positive) => {
                    problems.extend(out.case(score.case, Case { positive, patient: None }, &score.at));
                }
                None => {
                    let message = format!("the truth is not 0 or 1: `{}`", score.score);
                    let problem = Diagnostic::error(Code::LabelNotBinary, message);
                    problems.push(problem.at(score.at.clone()));
                }
            }
        }
        for score in scores.iter().filter(|score| !imrmc::is_truth(score.reader)) {
            if !out.cases.contains_key(score.case) {
                let message = format!("no line of the reader `truth` says what is true of `{}`", score.case);
                let problem = Diagnostic::error(Code::LabelsMissing, message).at(score.at.clone());
                problems.push(problem.hint("every case needs a line: truth,CASE,truth,0 or 1"));
            } else if !score.score.is_empty() {
                let names = [score.reader, score.case, score.modality];
                problems.extend(out.rating(names, score.score, score.at.clone()));
            }
        }
        Ok((out, problems))
    }

    fn case(&mut self, id: &str, case: Case, at: &Location) -> Option<Diagnostic> {
        let known = match self.cases.get(id) {
            None => {
                self.cases.insert(id.to_owned(), case);
                return None;
            }
            Some(known) => known,
        };
        let problem = if known.positive != case.positive {
            Diagnostic::error(
                Code::CaseContradicts,
                format!("case `{id}` is positive in one row and negative in another"),
            )
            .hint("what is true of a case is the same for all readers")
        } else if known.patient != case.patient {
            Diagnostic::error(Code::CasePatients, format!("case `{id}` is of two patients"))
                .hint("a case is of one patient")
        } else {
            return None;
        };
        Some(problem.at(at.clone()))
    }

    fn rating(&mut self, names: [&str; 3], text: &str, at: Location) -> Option<Diagnostic> {
        let [reader, case, modality] = names;
        let Some(rating) = cell::number(text.trim()) else {
            let message = format!("the rating is not a finite number: `{text}`");
            return Some(Diagnostic::error(Code::ScoreNotANumber, message).at(at));
        };
        let key = (place(&mut self.modalities, modality), place(&mut self.readers, reader), case.to_owned());
        self.rated.insert(key, rating)?;
        let message = format!("reader `{reader}` rated case `{case}` twice in `{modality}`");
        Some(Diagnostic::error(Code::RepeatedRead, message).at(at).hint("keep the rating that counts"))
    }

    /// Cases with what is true of them, and their patients where patients have several; none is rated yet.
    pub fn of_cases<'a>(cases: impl IntoIterator<Item = (&'a str, bool, Option<&'a str>)>) -> Self {
        let case = |(id, positive, patient): (&str, bool, Option<&str>)| {
            (id.to_owned(), Case { positive, patient: patient.map(str::to_owned) })
        };
        Self { cases: cases.into_iter().map(case).collect(), ..Self::default() }
    }

    /// Adds a finite rating of a case that is known; false: this reader rated it before in this modality.
    pub fn add(&mut self, [reader, case, modality]: [&str; 3], rating: f64) -> bool {
        let key = (place(&mut self.modalities, modality), place(&mut self.readers, reader), case.to_owned());
        self.rated.insert(key, rating).is_none()
    }

    /// The ratings of one modality and of some cases; only these cases are left.
    #[must_use]
    pub fn only(&self, keeps: impl Fn(&str) -> bool, modality: &str) -> Self {
        let kept = self.cases.iter().filter(|(id, _)| keeps(id));
        let mut out =
            Self { cases: kept.map(|(id, case)| (id.clone(), case.clone())).collect(), ..Self::default() };
        for ([own, reader, case], rating) in self.rated() {
            if own == modality && keeps(case) {
                out.add([reader, case, own], rating);
            }
        }
        out
    }

    /// Every rating by modality, reader and case.
    pub fn rated(&self) -> impl Iterator<Item = ([&str; 3], f64)> {
        self.rated.iter().map(|((modality, reader, case), rating)| {
            ([self.modalities[*modality].as_str(), self.readers[*reader].as_str(), case.as_str()], *rating)
        })
    }

    /// What is true of a case.
    pub fn truth(&self, case: &str) -> Option<bool> {
        self.cases.get(case).map(|case| case.positive)
    }

    /// What a table may lack as a whole.
    fn judged(&mut self, path: &Path) -> Option<Diagnostic> {
        let positives = self.cases.values().filter(|case| case.positive).count();
        let (code, message) = if self.rated.is_empty() {
            (Code::TableEmpty, "the file has no rating".to_owned())
        } else if positives == 0 || positives == self.cases.len() {
            let class = if positives == 0 { "negative" } else { "positive" };
            (Code::OneClass, format!("every case is {class}; both classes are needed"))
        } else {
            return None;
        };
        Some(Diagnostic::error(code, message).at(Location::file(path)))
    }

    /// Number of ratings.
    pub fn count(&self) -> usize {
        self.rated.len()
    }

    /// Negative and positive cases.
    pub fn cases(&self) -> [usize; 2] {
        let positives = self.cases.values().filter(|case| case.positive).count();
        [self.cases.len() - positives, positives]
    }

    /// Number of patients, where they are known.
    pub fn patients(&self) -> Option<usize> {
        let ids: Option<BTreeSet<&String>> = self.cases.values().map(|case| case.patient.as_ref()).collect();
        ids.filter(|ids| !ids.is_empty()).map(|ids| ids.len())
    }

    /// The ratings of a reader in a modality, by class.
    fn of(&self, modality: usize, reader: usize) -> [OfClass; 2] {
        let mut out: [OfClass; 2] = Default::default();
        for (id, case) in &self.cases {
            let rating = self.rated.get(&(modality, reader, id.clone())).copied();
            out[usize::from(case.positive)].push(rating);
        }
        out
    }

    /// Readers who rated anything in a modality.
    fn readers_of(&self, modality: usize) -> Vec<usize> {
        let rated = |reader: &usize| {
            let from = (modality, *reader, String::new());
            self.rated.range(from..).next().is_some_and(|((m, r, _), _)| (*m, *r) == (modality, *reader))
        };
        (0..self.readers.len()).filter(rated).collect()
    }

    /// As a study of some modalities, in their order.
    ///
    /// # Errors
    /// `reader-without-reads`: a reader rated no case of one class in a modality.
    pub fn study(&self, modalities: &[usize]) -> Result<ReaderStudy, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut out = Vec::new();
        for modality in modalities {
            let mut cells = Vec::new();
            for reader in self.readers_of(*modality) {
                let [negatives, positives] = self.of(*modality, reader);
                match Cell::new(&negatives, &positives) {
                    Ok(cell) => cells.push((reader, cell)),
                    Err(positive) => {
                        let message = format!(
                            "reader `{}` rated no {} case in `{}`",
                            self.readers[reader],
                            if positive { "positive" } else { "negative" },
                            self.modalities[*modality]
                        );
                        problems.push(
                            Diagnostic::error(Code::ReaderWithoutReads, message).hint(
                                "an area under a curve needs cases of both classes: leave the reader out",
                            ),
                        );
                    }
                }
            }
            out.push(cells);
        }
        let patients = self.numbered_patients();
        if problems.is_empty() {
            Ok(ReaderStudy { modalities: out, cases: self.cases(), patients })
        } else {
            Err(problems)
        }
    }

    /// The patient of each negative and of each positive, as numbers, where patients are known.
    pub fn numbered_patients(&self) -> Option<[Vec<u32>; 2]> {
        self.patients()?;
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut of: [Vec<u32>; 2] = Default::default();
        for case in self.cases.values() {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let id = case.patient.as_deref().unwrap_or_default();
            of[usize::from(case.positive)].push(*numbers.entry(id).or_insert(next));
        }
        Some(of)
    }

    /// Right answers of one class where a rating at or above the threshold of its modality is a positive
    /// call.
    pub fn shares(&self, modalities: &[(usize, f64)], positive: bool) -> Shares {
        let of = |(modality, threshold): &(usize, f64)| {
            let answers = |reader: usize| {
                let [negatives, positives] = self.of(*modality, reader);
                let ratings = if positive { positives } else { negatives };
                ratings.into_iter().map(|r| r.map(|r| (r >= *threshold) == positive)).collect()
            };
            self.readers_of(*modality).into_iter().map(|reader| (reader, answers(reader))).collect()
        };
        Shares { modalities: modalities.iter().map(of).collect() }
    }

    /// The list that iMRMC reads. Names hold no comma and no line break.
    ///
    /// # Errors
    /// `value-unreadable` for a name that the list cannot hold.
    pub fn list(&self) -> Result<String, Diagnostic> {
        let names = self.readers.iter().chain(&self.modalities).chain(self.cases.keys());
        for name in names {
            let is_word = imrmc::is_truth(name) && self.readers.contains(name);
            if name.contains([',', '\n', '\r']) || name.trim() != name || is_word {
                let message = format!("iMRMC's list cannot hold the name `{}`", name.escape_debug());
                return Err(Diagnostic::error(Code::ValueUnreadable, message).hint(
                    "names without commas, line breaks and blanks at their ends; `truth` is no reader",
                ));
            }
        }
        let [negatives, positives] = self.cases();
        let mut out = format!(
            "N0: {negatives}\nN1: {positives}\nNR: {}\nNM: {}\n\n{}\n",
            self.readers.len(),
            self.modalities.len(),
            imrmc::BEGIN
        );
        for (id, case) in &self.cases {
            out += &format!("truth,{id},truth,{}\n", u8::from(case.positive));
        }
        for ((modality, reader, case), rating) in &self.rated {
            out += &format!("{},{case},{},{rating}\n", self.readers[*reader], self.modalities[*modality]);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: Columns<'_> = Columns {
        reader: "reader",
        case: "case",
        modality: "modality",
        truth: "truth",
        rating: "rating",
        patient: None,
    };

    fn parse(text: &str) -> Result<Ratings, Vec<Diagnostic>> {
        Ratings::parse(Path::new("ratings.csv"), text.as_bytes(), &COLUMNS)
    }

    fn codes(text: &str) -> Vec<Code> {
        parse(text).err().map_or(Vec::new(), |problems| problems.iter().map(|p| p.code).collect())
    }

    const HEAD: &str = "reader,case,modality,truth,rating\n";

    #[test]
    fn what_contradicts_itself_is_refused_with_its_place() {
        for (rows, code) in [
            ("R1,C1,A,1,3\nR2,C1,A,0,3\nR1,C2,A,0,1\n", Code::CaseContradicts),
            ("R1,C1,A,1,3\nR1,C1,A,1,2\nR1,C2,A,0,1\n", Code::RepeatedRead),
            ("R1,C1,A,1,high\nR1,C2,A,0,1\n", Code::ScoreNotANumber),
            ("R1,C1,A,1,inf\nR1,C2,A,0,1\n", Code::ScoreNotANumber),
            ("R1,C1,A,maybe,3\nR1,C2,A,0,1\n", Code::LabelNotBinary),
            (",C1,A,1,3\nR1,C2,A,0,1\n", Code::ValueMissing),
            ("R1,C1,A,1,3\nR1,C2,A,1,1\n", Code::OneClass),
            ("R1,C1,A,1,\nR1,C2,A,0,\n", Code::TableEmpty),
        ] {
            assert_eq!(codes(&format!("{HEAD}{rows}")), [code], "{rows}");
        }
        assert_eq!(codes("N0: 1\nBEGIN DATA:\nR1,C1,A,3\n").first(), Some(&Code::ImrmcCounts));
        assert_eq!(codes("BEGIN DATA:\nR1,C1,A,3\n"), [Code::LabelsMissing]);
    }

    #[test]
    fn a_reader_without_a_class_is_named() {
        let read = parse(&format!("{HEAD}R1,C1,A,1,3\nR1,C2,A,0,1\nR2,C1,A,1,2\n")).expect("reads");
        let said = read.study(&[0]).expect_err("refused");
        assert_eq!(said[0].code, Code::ReaderWithoutReads);
        assert!(said[0].message.contains("R2") && said[0].message.contains("negative"));
    }

    proptest! {
        #[test]
        fn a_list_reads_back_as_it_was(
            rows in prop::collection::btree_map((0_u32..3, 0_u32..6, 0_u32..2), -1e6..1e6_f64, 1..30),
        ) {
            let text: String = rows
                .iter()
                .map(|((r, c, m), x)| format!("R{r},C{c},M{m},{},{x}\n", c % 2))
                .collect();
            let Ok(read) = parse(&format!("{HEAD}{text}")) else { return Ok(()) };
            let again = parse(&read.list().expect("names fit")).expect("our own list");
            prop_assert_eq!(again.cases.len(), read.cases.len());
            let named = |r: &Ratings| -> BTreeMap<(String, String, String), u64> {
                r.rated
                    .iter()
                    .map(|((m, reader, case), x)| {
                        ((r.modalities[*m].clone(), r.readers[*reader].clone(), case.clone()), x.to_bits())
                    })
                    .collect()
            };
            prop_assert_eq!(named(&again), named(&read));
        }

        #[test]
        fn no_bytes_are_too_much(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Ratings::parse(Path::new("x"), &bytes, &COLUMNS);
            let list = [b"BEGIN DATA:\n", &bytes[..]].concat();
            let _ = Ratings::parse(Path::new("x"), &list, &COLUMNS);
        }
    }
}
