//! The reference standard of the drawn cases, from the readers' files and what else the protocol names. Sees
//! no score.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Cohort, Inputs, answers, imports};
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::RelativePath;
use crate::protocol::{ConsensusRule, DeclaredReaders, LabelTable, Protocol, ReaderRole};
use crate::reads::assemble::{Assembled, Repeated, assemble};
use crate::reads::consensus::Basis;
use crate::reads::consensus::{Consensus, Undecided, Voting, consensus};
use crate::reads::export::NoRead;
use crate::reads::files as reads;
use crate::reads::files::{Read, ReadRow};
use crate::reads::labels::{Labels, Marked};
use crate::reads::register::Register;
use crate::reads::roster::Roster;
use crate::table::Word;
use crate::table::id::Alike;

/// The reference standard of the drawn cases.
#[derive(Clone, Debug)]
pub struct ReferenceStandard {
    /// Who reads, and what for.
    pub roster: Roster,
    /// All reads that came, by case.
    pub assembled: Assembled,
    /// The rule with its numbers.
    pub voting: Voting,
    /// One answer a drawn case, in the order of `cohort.drawn`.
    pub consensus: Vec<Consensus>,
    /// What an adjudicator or a panel said of each drawn case, where they said something.
    pub adjudications: Vec<Option<Read>>,
    /// The given label of each drawn case, where the reference standard is given.
    pub given: Option<Vec<Option<Read>>>,
    /// The label that came with the reads, one a drawn case; `None`: the protocol names no such labels.
    pub came: Option<Vec<Option<Read>>>,
    /// Things to know that are not wrong.
    pub warnings: Vec<Diagnostic>,
}

impl ReferenceStandard {
    /// Drawn cases on which the computed answer and the label that came with the reads differ: both are
    /// positive or negative, and not the same.
    pub fn differences<'a>(&'a self, cohort: &'a Cohort) -> Vec<Difference<'a>> {
        let came = self.came.as_deref().unwrap_or_default();
        cohort
            .drawn_cases()
            .zip(&self.consensus)
            .zip(came)
            .filter_map(|((case, computed), label)| {
                let Consensus::Reached { positive, basis } = *computed else { return None };
                let label = yes_or_no(*label)?;
                (label != positive).then_some(Difference { case, computed: positive, basis, label })
            })
            .collect()
    }

    /// Repeated reads of the drawn cases.
    pub fn repeated<'a>(&'a self, cohort: &'a Cohort) -> impl Iterator<Item = &'a Repeated> {
        let drawn: BTreeSet<&str> = cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
        self.assembled.repeated.iter().filter(move |repeated| drawn.contains(repeated.case_id.as_str()))
    }

    /// How many drawn cases have how many reads of reference readers, those that were set aside included.
    pub fn reads_per_case(&self, cohort: &Cohort) -> BTreeMap<u64, u64> {
        let mut numbers = BTreeMap::new();
        for case in cohort.drawn_cases() {
            let found = self.assembled.cases.get(&case.case_id);
            let is_reference = |id: &str| self.roster.role(id) == Some(ReaderRole::Reference);
            let reads = found.map_or(0, |found| {
                found.reads.keys().filter(|id| is_reference(id)).count()
                    + found.set_aside.iter().filter(|id| is_reference(id)).count()
            });
            *numbers.entry(reads as u64).or_default() += 1;
        }
        numbers
    }
}

/// A case whose computed answer is not the label that came with its reads.
#[derive(Clone, Copy, Debug)]
pub struct Difference<'a> {
    /// The case.
    pub case: &'a Case,
    /// Whether the finding is present by the computed answer.
    pub computed: bool,
    /// How that came about.
    pub basis: Basis,
    /// Whether it is present by the label that came.
    pub label: bool,
}

/// A label or read as yes or no; `None`: neither.
pub fn yes_or_no(read: Option<Read>) -> Option<bool> {
    match read? {
        Read::Positive => Some(true),
        Read::Negative => Some(false),
        Read::Indeterminate | Read::Uninterpretable => None,
    }
}

/// Reads the readers' files and computes what every drawn case is judged by.
///
/// # Errors
/// Whatever is wrong in the files, all at once.
pub fn reference_standard(inputs: &Inputs, cohort: &Cohort) -> Result<ReferenceStandard> {
    let so_far = standard(inputs, cohort, true)?;
    Ok(so_far.standard)
}

/// What the readers said so far, while some of them are still missing.
#[derive(Clone, Debug)]
pub struct SoFar {
    /// What would be the reference standard.
    pub standard: ReferenceStandard,
    /// Every read, in the order of the files.
    pub rows: Vec<ReadRow>,
    /// What is no read, and why.
    pub no_reads: Vec<NoRead>,
}

/// The reads of a study that are there, whether or not every reader has read.
///
/// # Errors
/// As [`reference_standard`], but for what is still to come: readers and files that are missing.
pub fn reads_so_far(inputs: &Inputs, cohort: &Cohort) -> Result<SoFar> {
    standard(inputs, cohort, false)
}

/// Every read that could be understood, in the order of the files, whatever else is wrong with them or with
/// who gave them.
pub fn reads_that_came(inputs: &Inputs, cohort: &Cohort) -> Vec<ReadRow> {
    let ids: BTreeSet<Word> = cohort.cases.iter().map(|case| case.case_id.clone()).collect();
    said(inputs, &ids, &mut Vec::new(), &mut Vec::new()).rows
}

/// `complete`: readers and files that are missing are errors.
fn standard(inputs: &Inputs, cohort: &Cohort, complete: bool) -> Result<SoFar> {
    super::rehearsal::refuse_simulated(inputs)?;
    let protocol = &inputs.protocol;
    let rule = &protocol.reference_standard;
    let mut problems = Vec::new();
    let table = match &rule.declared {
        DeclaredReaders::File(path) => Some((Path::new(path.as_str()), inputs.file(path)?)),
        _ => None,
    };
    let roster =
        Roster::of(rule, table.as_ref().map(|(path, bytes)| (*path, &**bytes))).unwrap_or_else(|more| {
            problems.extend(more);
            Roster::default()
        });
    let mut of_files = Vec::new();
    let mut wrong = Vec::new();
    // Readers' files name the cases of the tables: an id is held once, whoever reads it.
    let ids: BTreeSet<Word> = cohort.cases.iter().map(|case| case.case_id.clone()).collect();
    let Said { rows, given: marked, register, no_reads } = said(inputs, &ids, &mut wrong, &mut of_files);
    problems.extend(wrong.into_iter().filter(|problem| complete || problem.code != Code::ReadsMissing));
    let mut labels = |table: &LabelTable| {
        let found = if table.from_reads {
            marked.iter().try_fold(Labels::default(), |mut labels, file| {
                labels.add_marked(file).map_err(Error::Input)?;
                Ok(labels)
            })
        } else {
            of_tables(inputs, table, &register)
        };
        found.and_then(|labels| of_drawn(labels, table, cohort)).unwrap_or_else(|error| {
            problems.extend(error.diagnostics());
            Labels::default()
        })
    };
    let given = match &rule.rule {
        ConsensusRule::Given(table) => Some(labels(table)),
        _ => None,
    };
    let came = rule.compare_with.as_ref().map(labels);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let assembled = assemble(&rows, &ids, rule, &roster).map_err(Error::Input)?;
    drop(ids);
    if complete {
        readers_are_all_there(protocol, &roster, &assembled)?;
    }
    let voters = roster.declared().map(|_| roster.of_role(ReaderRole::Reference).count() as u32);
    let voting = Voting::of(rule, voters);
    let mut standard = ReferenceStandard {
        consensus: Vec::with_capacity(cohort.drawn.len()),
        adjudications: Vec::with_capacity(cohort.drawn.len()),
        given: given.as_ref().map(|given| cohort.drawn_cases().map(|case| given.of(&case.case_id)).collect()),
        came: came.map(|came| cohort.drawn_cases().map(|case| came.of(&case.case_id)).collect()),
        warnings: Vec::new(),
        roster,
        assembled,
        voting,
    };
    for case in cohort.drawn_cases() {
        match of_case(&case.case_id, &standard, given.as_ref()) {
            Ok((consensus, adjudication)) => {
                standard.consensus.push(consensus);
                standard.adjudications.push(adjudication);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    standard.warnings = told_once(of_files);
    standard.warnings.extend(warnings(protocol, cohort, &standard));
    Ok(SoFar { standard, rows, no_reads })
}

/// What is said of many files in the same words is said of the first, with the number of the others.
fn told_once(warnings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told: Vec<(Diagnostic, usize)> = Vec::new();
    let mut places: BTreeMap<(Code, String), usize> = BTreeMap::new();
    for warning in warnings {
        match places.get(&(warning.code, warning.message.clone())).and_then(|place| told.get_mut(*place)) {
            Some((_, more)) => *more += 1,
            None => {
                places.insert((warning.code, warning.message.clone()), told.len());
                told.push((warning, 0));
            }
        }
    }
    let with_number = |(mut warning, more): (Diagnostic, usize)| {
        if more > 0 {
            warning.message += &format!("; the same of {more} more files");
        }
        warning
    };
    told.into_iter().map(with_number).collect()
}

/// What the readers' files say.
#[derive(Default)]
struct Said {
    /// The reads of all files.
    rows: Vec<ReadRow>,
    /// Labels that a file marks as ground truth, by file: none of them is a read.
    given: Vec<Marked>,
    /// What was imported.
    register: Register,
    /// What is no read, and why.
    no_reads: Vec<NoRead>,
}

/// The reads of all readers' files, and what a person should know of these; how a table was written is no
/// matter of the study.
fn said(
    inputs: &Inputs,
    ids: &BTreeSet<Word>,
    problems: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) -> Said {
    let of_study = |warning: &Diagnostic| {
        !matches!(warning.code, Code::TableSeparator | Code::TableUtf16 | Code::RowsEmpty)
    };
    let source = &inputs.protocol.reads;
    let files = match imports::readers_files(inputs) {
        Ok(files) => files,
        Err(more) => {
            problems.extend(more);
            return Said::default();
        }
    };
    if !inputs.protocol.reference_standard.has_reads {
        return Said { register: files.register, ..Said::default() };
    }
    let map = match imports::case_map(inputs) {
        Ok(map) => map,
        Err(more) => {
            problems.extend(more);
            return Said { register: files.register, ..Said::default() };
        }
    };
    let (mut rows, mut given, mut no_reads) = (Vec::new(), Vec::new(), Vec::new());
    warnings.extend(files.warnings.iter().cloned());
    let (read, more) = answers::read_all(inputs, &files, map.as_ref(), ids);
    problems.extend(more);
    for read in read {
        // One file after another: all of them and their copies would be twice as much.
        rows.reserve_exact(read.rows.len());
        rows.extend(read.rows);
        no_reads.extend(read.no_reads);
        given.push(Marked { labels: read.given, unknown: read.given_unknown });
        warnings.extend(read.warnings.into_iter().filter(of_study));
    }
    if let Some(path) = &source.read_list {
        match inputs
            .file(path)
            .map(|bytes| reads::without_boxes(Path::new(path.as_str()), &bytes, source, map.as_ref(), &rows))
        {
            Ok(Ok(read)) => rows.extend(read),
            Ok(Err(more)) => problems.extend(more),
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    if files.counting.is_empty() {
        let message = format!("no reader file matches {}", source.files.join(", "));
        problems.push(Diagnostic::error(Code::ReadsMissing, message).hint(
            if inputs.protocol.reference_standard.rule.is_vote() {
                "put the readers' files there as they came, one row a read: case_id, reader_id, read"
            } else {
                "put the readers' files there as they came; where nobody read for a given reference \
                     standard, \
                     take [reads] out of the protocol"
            },
        ));
    }
    Said { rows, given, register: files.register, no_reads }
}

/// The labels of all files of a table of labels, without those that a correction took the place of.
fn of_tables(inputs: &Inputs, table: &LabelTable, register: &Register) -> Result<Labels> {
    let mut labels = Labels::default();
    let mut problems = Vec::new();
    for pattern in &table.files {
        let named = |path: &&RelativePath| super::matches(pattern.as_str(), path.as_str());
        let paths: Vec<&RelativePath> = inputs.files.keys().filter(named).collect();
        // A name that is none of the files is told as missing.
        let paths = if paths.is_empty() { vec![pattern] } else { paths };
        for path in paths.into_iter().filter(|path| register.superseded_by(path).is_none()) {
            let added = labels.add(Path::new(path.as_str()), &inputs.file(path)?, table);
            problems.extend(added.err().into_iter().flatten());
        }
    }
    if problems.is_empty() { Ok(labels) } else { Err(problems.into()) }
}

/// The same labels, of which at least one is of a drawn case.
fn of_drawn(labels: Labels, table: &LabelTable, cohort: &Cohort) -> Result<Labels> {
    let of_drawn = cohort.drawn_cases().any(|case| labels.of(&case.case_id).is_some());
    if !of_drawn {
        let known: Alike<'_> = labels.cases().collect();
        let meant = cohort.drawn_cases().find_map(|case| Some((&case.case_id, known.likely(&case.case_id)?)));
        let meant = meant.map_or_else(String::new, |(id, likely)| {
            format!("; `{likely}` has one, and `{id}` is probably meant: ids are compared as they stand")
        });
        let (what, hint) = if table.from_reads {
            (
                "the readers' files mark no label as ground truth",
                "from = \"reads\" takes labels that the export marks; a table of labels is named with `file`",
            )
        } else {
            ("the table has no label", "`case_column` names the column of the ids that the case table has")
        };
        let message = format!("{what} for any of the {} cases{meant}", cohort.drawn.len());
        let place = table.files.first().map_or_else(Location::default, |path| Location::file(path.as_str()));
        return Err(Diagnostic::error(Code::LabelsMissing, message).at(place).hint(hint).into());
    }
    Ok(labels)
}

/// Where the same readers read every case, each of them read something.
fn readers_are_all_there(protocol: &Protocol, roster: &Roster, assembled: &Assembled) -> Result<()> {
    let rule = &protocol.reference_standard;
    if !rule.fixed_readers || !rule.rule.is_vote() {
        return Ok(());
    }
    let hint =
        "add the missing reader's file, or declare `fixed_readers = false` when readers differ by case";
    let message = if roster.declared().is_some() {
        let silent: Vec<&str> =
            roster.of_role(ReaderRole::Reference).filter(|id| !assembled.readers.contains(*id)).collect();
        if silent.is_empty() {
            return Ok(());
        }
        format!("{} declared reference readers read no case: {}", silent.len(), silent.join(", "))
    } else {
        let wanted = rule.readers.map_or(0, |n| n as usize);
        if assembled.readers.len() == wanted {
            return Ok(());
        }
        let names: Vec<_> = assembled.readers.iter().map(String::as_str).collect();
        let readers = if names.len() == 1 { "reader" } else { "readers" };
        let message =
            format!("{} {readers} read, the protocol declares {wanted}: {}", names.len(), names.join(", "));
        if names.len() > wanted {
            let hint = "look whether a reader's id is mistyped: the mended file comes in with --supersedes, \
                        where the wrong one was imported; a reader beyond those is declared with a role \
                        (`[[reference_standard.reader]]`)";
            return Err(Diagnostic::error(Code::TooManyReaders, message).hint(hint).into());
        }
        message
    };
    Err(Diagnostic::error(Code::ReaderCount, message).hint(hint).into())
}

/// The answer of one case, and what an adjudicator said of it.
fn of_case(
    case_id: &str,
    standard: &ReferenceStandard,
    given: Option<&Labels>,
) -> std::result::Result<(Consensus, Option<Read>), Diagnostic> {
    let of = |role| standard.assembled.of_role(case_id, &standard.roster, role);
    let reads = of(ReaderRole::Reference);
    if let Some(most) = standard.voting.readers.filter(|most| reads.len() > *most) {
        let message =
            format!("{} readers read the case `{case_id}`; the consensus is of {most}", reads.len());
        return Err(Diagnostic::error(Code::TooManyReaders, message).hint(
            "give the files of this study's readers only, declare the readers with their roles, or leave out \
             `readers` where any number may read a case",
        ));
    }
    let adjudications = of(ReaderRole::Adjudicator);
    let adjudication = adjudications.first().copied();
    if adjudications.iter().any(|read| Some(*read) != adjudication) {
        let message = format!("the adjudicators of the case `{case_id}` do not say the same");
        let hint = "adjudication ends in one answer: ask for it, and bring a corrected file";
        return Err(Diagnostic::error(Code::AdjudicatorsDisagree, message).hint(hint));
    }
    let consensus = match given {
        Some(labels) => match yes_or_no(labels.of(case_id)) {
            Some(positive) => Consensus::Reached { positive, basis: Basis::Given },
            None => Consensus::None(Undecided::NotGiven),
        },
        None => consensus(&reads, adjudication, &standard.voting),
    };
    Ok((consensus, adjudication))
}

/// What a person should know of readers and labels.
fn warnings(protocol: &Protocol, cohort: &Cohort, standard: &ReferenceStandard) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut warn = |code, message: String| warnings.push(Diagnostic::warning(code, message));
    for reader in standard.roster.declared().into_iter().flat_map(BTreeMap::values) {
        let read = standard.assembled.readers.contains(&reader.id);
        if reader.role == ReaderRole::Ignored {
            continue;
        }
        if reader.labelled_training_data {
            warn(
                Code::ReaderLabelledTraining,
                format!(
                    "the {} reader {} labelled data that the device was trained on",
                    reader.role.name(),
                    reader.id
                ),
            );
        }
        if !read {
            warn(
                Code::ReaderWithoutReads,
                format!("the declared {} reader {} read no case", reader.role.name(), reader.id),
            );
        }
    }
    if standard.assembled.of_other_cases > 0 {
        let reads = standard.assembled.of_other_cases;
        warn(Code::ReadsOfOtherCases, format!("{reads} reads are of cases that are in no case table"));
    }
    if let (Some(table), Some(came)) = (&protocol.reference_standard.compare_with, &standard.came) {
        let differing = standard.differences(cohort).len();
        let labelled = came.iter().filter(|label| yes_or_no(**label).is_some()).count();
        if differing > 0 {
            let message = format!(
                "the computed reference standard differs from the label that came with the reads ({}) on \
                 {differing} of {labelled} cases",
                table.source
            );
            warn(Code::ReferenceDiffers, message);
        }
    }
    warnings
}
