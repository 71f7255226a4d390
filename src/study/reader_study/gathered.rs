//! The ratings that `[reader_study]` names, beside the reference standard: which count, what is missing, and
//! whether readers and cases meet as declared. Sees no score.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sessions;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::{Bytes, RelativePath};
use crate::protocol::reader_study::FEW_READERS;
use crate::protocol::{MissingReads, ReaderRole, ReaderStudySource, ReadingDesign};
use crate::reads::case_map::CaseMap;
use crate::reads::ratings::Ratings;
use crate::reads::reader_study::{self as reads, CaseRating};
use crate::study::results::Rules;
use crate::study::{Cohort, Inputs, ReferenceStandard, matches};
use crate::table::id::{Alike, folded};

/// So many cases are named in a message.
const NAMED: usize = 8;

/// The ratings of a study that count.
#[derive(Clone, Debug)]
pub struct Readings {
    /// Those of drawn cases with a reference standard; modalities are named as the protocol does, that
    /// without the device first.
    pub ratings: Ratings,
    /// The same, one by one, with times.
    pub counted: Vec<CaseRating>,
    /// Drawn cases with a reference standard that somebody rated.
    pub cases: BTreeSet<String>,
    /// Rated cases of the sample that have no reference standard.
    pub without_reference: u64,
    /// Drawn cases with a reference standard that nobody rated.
    pub not_rated: u64,
    /// Ratings that a complete reading of the design would have, and that are not there.
    pub missing: u64,
    /// Whether a patient has several of the cases.
    pub clustered: bool,
    /// Things to know.
    pub warnings: Vec<Diagnostic>,
}

/// The ratings; nothing where no reader study is declared.
///
/// # Errors
/// What is wrong in the files, located: `reads-missing` without one; what [`reads::parse`] says;
/// `unknown-case`, `case-contradicts`, `repeated-read`, `reader-without-reads`, `reading-design`,
/// `one-class`;
/// `reads-missing` where the protocol refuses missing reads.
pub fn readings(inputs: &Inputs, cohort: &Cohort, reference: &ReferenceStandard) -> Result<Option<Readings>> {
    let Some(source) = &inputs.protocol.reader_study else { return Ok(None) };
    let mut gathering = Gathering::new(source, cohort, reference);
    gathering.files(inputs)?;
    gathering.design();
    let place = gathering.place.clone();
    if !gathering.problems.is_empty() {
        return Err(Error::Input(crate::table::limited(gathering.problems, Path::new(&place))));
    }
    gathering.finish(inputs).map(Some)
}

/// A reader's cases in one modality.
type ReadCases<'a> = BTreeMap<(&'a str, bool), BTreeSet<&'a str>>;

struct Gathering<'a> {
    source: &'a ReaderStudySource,
    cohort: &'a Cohort,
    reference: &'a ReferenceStandard,
    /// What is true of drawn cases.
    truth: BTreeMap<&'a str, Option<bool>>,
    rows: Vec<CaseRating>,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// The first file.
    place: String,
}

impl<'a> Gathering<'a> {
    fn new(source: &'a ReaderStudySource, cohort: &'a Cohort, reference: &'a ReferenceStandard) -> Self {
        let decided = cohort.drawn_cases().zip(&reference.consensus);
        Self {
            source,
            cohort,
            reference,
            truth: decided.map(|(case, found)| (case.case_id.as_str(), found.positive())).collect(),
            rows: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            place: source.files.first().cloned().unwrap_or_default(),
        }
    }

    fn error(&mut self, code: Code, message: String, at: Location, hint: &str) {
        self.problems.push(Diagnostic::error(code, message).at(at).hint(hint.to_owned()));
    }

    fn warn(&mut self, code: Code, message: String, hint: &str) {
        let at = Location::file(&self.place);
        self.warnings.push(Diagnostic::warning(code, message).at(at).hint(hint.to_owned()));
    }

    /// Reads every file; one rating of a reader, a case and a modality.
    fn files(&mut self, inputs: &Inputs) -> Result<()> {
        let map = match &self.source.case_map {
            Some(declared) => {
                let path = Path::new(declared.file.as_str());
                let bytes = inputs.file(&declared.file)?;
                Some(CaseMap::parse(path, &bytes, declared, false).map_err(Error::Input)?)
            }
            None => None,
        };
        let own = |path: &RelativePath| {
            let is_map = self.source.case_map.as_ref().is_some_and(|map| map.file == *path);
            !is_map && self.source.files.iter().any(|pattern| matches(pattern, path.as_str()))
        };
        let found: Vec<(&RelativePath, &Bytes)> = inputs.files.iter().filter(|(path, _)| own(path)).collect();
        match found.first() {
            Some((path, _)) => self.place = path.to_string(),
            None => {
                let patterns = self.source.files.join(", ");
                let message = format!("no file matches `reader_study.files` ({patterns})");
                let hint = "put the tables of ratings there, one row a rating";
                return Err(Diagnostic::error(Code::ReadsMissing, message).hint(hint).into());
            }
        }
        let mut truths = Vec::new();
        let mut seen: BTreeMap<(String, String, bool), Location> = BTreeMap::new();
        for (path, bytes) in found {
            let file = match reads::parse(Path::new(path.as_str()), &bytes.read(), self.source, map.as_ref())
            {
                Ok(file) => file,
                Err(problems) => {
                    self.problems.extend(problems);
                    continue;
                }
            };
            self.warnings.extend(file.notes);
            truths.extend(file.truths);
            for row in file.ratings {
                let key = (row.reader.clone(), row.case.clone(), row.aided);
                match seen.get(&key) {
                    // Within one file it is told where the file is read.
                    Some(first) if first.path != row.at.path => {
                        let message = format!(
                            "reader `{}` rated the case `{}` twice in one modality, first in {first}",
                            row.reader, row.case
                        );
                        let hint = "keep the rating that counts";
                        self.error(Code::RepeatedRead, message, row.at.clone(), hint);
                    }
                    Some(_) => {}
                    None => {
                        seen.insert(key, row.at.clone());
                    }
                }
                self.rows.push(row);
            }
        }
        self.cases_are_known();
        self.told_truths(truths);
        self.ids_are_apart();
        if self.problems.is_empty() { Ok(()) } else { Err(Error::Input(std::mem::take(&mut self.problems))) }
    }

    /// A rating of a case that is in no case table is none of this study.
    fn cases_are_known(&mut self) {
        let known: BTreeSet<&str> = self.cohort.cases.iter().map(|case| case.case_id.as_str()).collect();
        let alike: Alike<'_> = known.iter().copied().collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let mut problems = Vec::new();
        for row in self.rows.iter().filter(|row| !known.contains(row.case.as_str())) {
            if told.insert(&row.case) {
                let meant = alike.likely(&row.case);
                let meant = meant.map_or_else(String::new, |id| format!("; `{id}` is probably meant"));
                let message = format!("the case `{}` is in no case table{meant}", row.case);
                problems.push(
                    Diagnostic::error(Code::UnknownCase, message)
                        .at(row.at.clone())
                        .hint("ids are compared as they stand; a `case_map` says which case an id is"),
                );
            }
        }
        self.problems.extend(problems);
    }

    /// What iMRMC's list says is true and the reference standard is not that: a mix-up of cases.
    fn told_truths(&mut self, truths: Vec<(String, bool, Location)>) {
        for (case, said, at) in truths {
            if let Some(Some(known)) = self.truth.get(case.as_str())
                && *known != said
            {
                let word = |positive: bool| if positive { "positive" } else { "negative" };
                let message = format!(
                    "the case `{case}` is {} by its truth line and {} by the reference standard",
                    word(said),
                    word(*known)
                );
                let hint = "the reference standard counts; find out whether cases were mixed up, or take the \
                            truth lines out";
                self.error(Code::CaseContradicts, message, at, hint);
            }
        }
    }

    fn ids_are_apart(&mut self) {
        let readers: BTreeSet<&str> = self.rows.iter().map(|row| row.reader.as_str()).collect();
        let alike: Alike<'_> = readers.iter().copied().collect();
        let named: Vec<String> = alike.groups().into_iter().map(crate::table::id::named).collect();
        for names in named {
            let message = format!("the readers {names} are probably one: {}", crate::table::id::DIFFERENCE);
            let at = Location::file(&self.place);
            self.error(Code::ReadersAlike, message, at, "write one id for one reader");
        }
    }

    /// Whether readers and cases meet as declared.
    fn design(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let mut read: ReadCases<'_> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.rating.is_some()) {
            read.entry((&row.reader, row.aided)).or_default().insert(&row.case);
        }
        let words = [Some(&self.source.unaided), self.source.aided.as_ref()];
        for (aided, word) in [false, true].into_iter().zip(words) {
            if let Some(word) = word.filter(|_| !read.keys().any(|(_, own)| *own == aided)) {
                let message = format!("no case is rated in the modality `{word}`");
                let at = Location::file(&self.place);
                let hint = "bring the tables of this session; `reader_study.files` says where they lie";
                self.error(Code::ReadsMissing, message, at, hint);
            }
        }
        if !self.problems.is_empty() {
            return;
        }
        let readers: BTreeSet<&str> = rows.iter().map(|row| row.reader.as_str()).collect();
        for reader in &readers {
            self.of_reader(reader, &read);
        }
        if self.source.design == ReadingDesign::SplitPlot {
            self.groups_are_apart(&readers, &read);
        }
        self.rows = rows;
    }

    fn of_reader(&mut self, reader: &str, read: &ReadCases<'_>) {
        let place = Location::file(&self.place);
        let [without, with] = [false, true].map(|aided| read.contains_key(&(reader, aided)));
        if !without && !with {
            let message = format!("reader `{reader}` rated no case");
            let hint = "bring the ratings, or take the reader's rows out";
            return self.error(Code::ReaderWithoutReads, message, place, hint);
        }
        let Some(aided) = &self.source.aided else { return };
        if self.source.design == ReadingDesign::Nested {
            if without && with {
                let message = format!(
                    "reader `{reader}` read with and without the device, and readers are declared as nested"
                );
                let hint = "declare `design = \"crossed\"` or \"split-plot\", or find out who read";
                self.error(Code::ReadingDesign, message, place, hint);
            }
        } else if without != with {
            let lacking = if with { self.source.unaided.clone() } else { aided.clone() };
            let message = format!("reader `{reader}` has no reads in the modality `{lacking}`");
            let hint = "bring the other session; a reader without one cannot be compared with themselves, \
                        and is taken out of the tables by a decision that is written down";
            self.error(Code::ReaderWithoutReads, message, place, hint);
        }
    }

    /// Groups of readers have the same cases, or none in common.
    fn groups_are_apart(&mut self, readers: &BTreeSet<&str>, read: &ReadCases<'_>) {
        let of = |reader: &str| -> BTreeSet<&str> {
            [false, true].iter().filter_map(|aided| read.get(&(reader, *aided))).flatten().copied().collect()
        };
        let all: Vec<(&str, BTreeSet<&str>)> = readers.iter().map(|reader| (*reader, of(reader))).collect();
        let distinct: BTreeSet<&BTreeSet<&str>> = all.iter().map(|(_, cases)| cases).collect();
        if distinct.len() < 2 {
            let message = "all readers read the same cases, and the design is declared as split-plot";
            let at = Location::file(&self.place);
            let hint = "declare `design = \"crossed\"`";
            return self.error(Code::ReadingDesign, message.to_owned(), at, hint);
        }
        let shares = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| a.intersection(b).count();
        // A reader who lacks some reads of a group still belongs to it.
        let apart = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| {
            let (common, less) = (shares(a, b), a.len().min(b.len()));
            common == 0 || 2 * common > less
        };
        let mixed = all.iter().enumerate().find_map(|(place, (reader, cases))| {
            let other = all[..place].iter().find(|(_, others)| !apart(cases, others))?;
            Some(format!(
                "readers `{}` and `{reader}` have {} cases in common, which are neither all nor none",
                other.0,
                shares(cases, &other.1)
            ))
        });
        if let Some(message) = mixed {
            let at = Location::file(&self.place);
            let hint = "in a split-plot design a group of readers reads cases of its own";
            self.error(Code::ReadingDesign, message, at, hint);
        }
    }

    fn finish(mut self, inputs: &Inputs) -> Result<Readings> {
        let rated: BTreeSet<&str> =
            self.rows.iter().filter(|row| row.rating.is_some()).map(|row| row.case.as_str()).collect();
        let with_truth = |case: &&&str| matches!(self.truth.get(**case), Some(Some(_)));
        let cases: BTreeSet<String> =
            rated.iter().filter(with_truth).map(|case| (*case).to_owned()).collect();
        let in_sample = |case: &&&str| self.truth.contains_key(**case);
        let without_reference = rated.iter().filter(in_sample).count() - cases.len();
        let outside = rated.len() - cases.len() - without_reference;
        let known = self.truth.iter().filter(|(_, truth)| truth.is_some()).count();
        let of_patient: BTreeMap<&str, &str> =
            self.cohort.drawn_cases().map(|case| (case.case_id.as_str(), case.patient_id.as_str())).collect();
        let patients: BTreeSet<&str> =
            cases.iter().filter_map(|case| of_patient.get(case.as_str()).copied()).collect();
        let clustered = patients.len() < cases.len();
        let mut ratings = Ratings::of_cases(cases.iter().map(|case| {
            let truth = self.truth.get(case.as_str()).copied().flatten().unwrap_or_default();
            let patient = of_patient.get(case.as_str()).copied().filter(|_| clustered);
            (case.as_str(), truth, patient)
        }));
        let counted: Vec<CaseRating> = self
            .rows
            .iter()
            .filter(|row| row.rating.is_some() && cases.contains(&row.case))
            .cloned()
            .collect();
        let words = [Some(&self.source.unaided), self.source.aided.as_ref()];
        for aided in [false, true] {
            for row in counted.iter().filter(|row| row.aided == aided) {
                if let (Some(word), Some(rating)) = (words[usize::from(aided)], row.rating) {
                    ratings.add([&row.reader, &row.case, word], rating);
                }
            }
        }
        let [negatives, positives] = ratings.cases();
        let named = words.iter().flatten().count();
        if !cases.is_empty() && ratings.modalities.len() < named {
            let message = "in one modality no drawn case with a reference standard is rated";
            let at = Location::file(&self.place);
            let hint = "readers read cases of this study with and without the device";
            return Err(Diagnostic::error(Code::ReadsMissing, message).at(at).hint(hint).into());
        }
        if negatives == 0 || positives == 0 {
            let class = if positives == 0 { "negative" } else { "positive" };
            let message = if cases.is_empty() {
                "no rated case is a drawn case with a reference standard".to_owned()
            } else {
                format!("every rated case is {class}; both classes are needed")
            };
            let at = Location::file(&self.place);
            let hint = "readers read cases of both classes, and of this study";
            return Err(Diagnostic::error(Code::OneClass, message).at(at).hint(hint).into());
        }
        if outside > 0 {
            let message = format!("{outside} rated cases are not in the drawn sample, and do not count");
            self.warn(Code::ReadsOfOtherCases, message, "a reader study is of the cases that were drawn");
        }
        let missing = self.missing(&counted, &cases)?;
        self.readers_stand_for_others(inputs);
        self.warnings.extend(sessions::warnings(self.source, &counted, &self.place));
        Ok(Readings {
            ratings,
            counted,
            without_reference: without_reference as u64,
            not_rated: (known - cases.len()) as u64,
            cases,
            missing,
            clustered,
            warnings: self.warnings,
        })
    }

    /// Ratings that are lacking: of readers and modalities that the design has, of the cases that the reader,
    /// or in a split-plot design the reader in any modality, read.
    fn missing(&self, counted: &[CaseRating], cases: &BTreeSet<String>) -> Result<u64> {
        let mut read: ReadCases<'_> = BTreeMap::new();
        for row in counted {
            read.entry((&row.reader, row.aided)).or_default().insert(&row.case);
        }
        let all: BTreeSet<&str> = cases.iter().map(String::as_str).collect();
        let mut missing = 0;
        let mut first = None;
        for ((reader, aided), own) in &read {
            let expected: BTreeSet<&str> = if self.source.design == ReadingDesign::SplitPlot {
                read.iter()
                    .filter(|(_, cases)| cases.intersection(own).next().is_some())
                    .flat_map(|(_, cases)| cases.iter().copied())
                    .collect()
            } else {
                all.clone()
            };
            let lacking: Vec<&str> = expected.difference(own).copied().collect();
            missing += lacking.len() as u64;
            if !lacking.is_empty() && first.is_none() {
                first = Some((*reader, *aided, lacking));
            }
        }
        if let (MissingReads::Refuse, Some((reader, aided, lacking))) = (self.source.missing_reads, first) {
            let word = if aided { self.source.aided.as_deref() } else { Some(self.source.unaided.as_str()) };
            let message = format!(
                "reader `{reader}` did not rate {} of the cases in `{}`: {}; {missing} ratings are \
                 missing in all",
                lacking.len(),
                word.unwrap_or_default(),
                few::and_so_on(&lacking, NAMED)
            );
            return Err(Diagnostic::error(Code::ReadsMissing, message)
                .at(Location::file(&self.place))
                .hint("have them read; the protocol declares `missing_reads = \"refuse\"`")
                .into());
        }
        Ok(missing)
    }

    /// What a reviewer asks of the readers: how many there are, and whether they are apart from those who
    /// made the reference standard and the training labels.
    fn readers_stand_for_others(&mut self, inputs: &Inputs) {
        let readers: BTreeSet<String> = self.rows.iter().map(|row| row.reader.clone()).collect();
        let mut of: [BTreeSet<&str>; 2] = Default::default();
        for row in &self.rows {
            of[usize::from(row.aided)].insert(&row.reader);
        }
        let fewest = of.iter().filter(|readers| !readers.is_empty()).map(BTreeSet::len).min().unwrap_or(0);
        let words = |ids: Vec<&String>| crate::table::id::named(ids.into_iter().map(String::as_str));
        if fewest < 2 {
            let message =
                "one reader is no sample of readers: nothing can be said of other readers".to_owned();
            self.warn(Code::ReadersFew, message, "two readers at least; a study of readers has five or more");
        } else if fewest < FEW_READERS as usize {
            let message = format!(
                "{fewest} readers stand for a population: their spread is known with {} degrees of freedom",
                fewest - 1
            );
            self.warn(Code::ReadersFew, message, "let more readers read, or say why so few are enough");
        }
        let roster = &self.reference.roster;
        let voted = |id: &&String| match roster.declared() {
            Some(_) => {
                matches!(roster.role(id), Some(ReaderRole::Reference | ReaderRole::Adjudicator))
            }
            None => {
                inputs.protocol.reference_standard.has_reads && self.reference.assembled.readers.contains(*id)
            }
        };
        // The same person, written with other capitals or blanks; bundles of 1.0 were not asked that.
        let by_form = Rules::of(&inputs.program_version) == Rules::Current;
        let forms: BTreeSet<String> = match roster.declared() {
            Some(declared) => declared.keys().filter(|id| voted(id)).map(|id| folded(id)).collect(),
            None => {
                self.reference.assembled.readers.iter().filter(|id| voted(id)).map(|id| folded(id)).collect()
            }
        };
        let labelled = readers.iter().filter(|id| voted(id) || by_form && forms.contains(&folded(id)));
        let labelled: Vec<&String> = labelled.collect();
        if !labelled.is_empty() {
            let message = format!(
                "readers of the study also made the reference standard that they are judged by: {}",
                words(labelled)
            );
            let hint = "others make the reference standard: who labelled a case agrees with the label";
            self.warn(Code::ReaderOfReference, message, hint);
        }
        let trained = |id: &&String| roster.reader(id).is_some_and(|reader| reader.labelled_training_data);
        let trained: Vec<&String> = readers.iter().filter(trained).collect();
        if !trained.is_empty() {
            let message = format!(
                "readers of the study labelled data that the device was trained on: {}",
                words(trained)
            );
            let hint = "a device that learned a reader's habits helps this reader more than others";
            self.warn(Code::ReaderLabelledTraining, message, hint);
        }
    }
}
