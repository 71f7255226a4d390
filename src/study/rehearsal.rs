//! A rehearsal: a study's own protocol and case tables with simulated scores and reads of declared quality,
//! so that statistics and documents are agreed on before anybody sees a real one. Pure: it gives texts.
//!
//! What is simulated is marked where it is: the protocol says `rehearsal = true`, which every page of every
//! document and every audit repeats, and each simulated table has a column that a study refuses which is no
//! rehearsal.

mod beside;
mod ratings;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

use super::{Cohort, Files, Inputs};
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Bytes, Digest, RelativePath};
use crate::protocol::{
    ConsensusRule, DeclaredReaders, Incomplete, LabelTable, OperatingPointSource, Protocol, ReaderRole,
};
use crate::random::Stream;
use crate::reads::roster::Roster;
use crate::statistics::special::normal_quantile;

/// The column of every simulated table.
const MARK: &str = "sequester_rehearsal";
/// Longest id that a study may have.
const LONGEST_ID: usize = 64;

/// How well the simulated device tells the classes apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Separation {
    /// An AUC in (0, 1); the operating point lies halfway between the classes.
    Auc(f64),
    /// Sensitivity and specificity at the operating point, both in (0, 1).
    AtPoint {
        /// Sensitivity.
        sensitivity: f64,
        /// Specificity.
        specificity: f64,
    },
}

impl Separation {
    /// Distance of the means of both classes, whose latent scores are normal with variance 1, and where
    /// between them the operating point lies.
    fn classes(self) -> (f64, f64) {
        match self {
            Self::Auc(auc) => {
                let distance = std::f64::consts::SQRT_2 * normal_quantile(auc);
                (distance, distance / 2.0)
            }
            Self::AtPoint { sensitivity, specificity } => {
                let cut = normal_quantile(specificity);
                (normal_quantile(sensitivity) + cut, cut)
            }
        }
    }
}

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// The device.
    pub device: Separation,
    /// The probability in (0, 1) with which a reader is right, in either class.
    pub reader_accuracy: f64,
    /// The probability in (0, 1) that a case without a source label is positive.
    pub prevalence: f64,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

/// What a rehearsal is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// The text of its protocol.
    pub protocol: String,
    /// Simulated tables.
    pub simulated: Files,
    /// Files of the study that it takes as they are.
    pub taken: BTreeSet<RelativePath>,
    /// Cases in its test set.
    pub cases: usize,
}

/// Refuses what a rehearsal simulated where the study is none.
///
/// # Errors
/// `rehearsal-data` for each such table.
pub(super) fn refuse_simulated(inputs: &Inputs) -> Result<()> {
    if inputs.protocol.study.rehearsal {
        return Ok(());
    }
    let is_marked = |bytes: &Bytes| {
        let mut header = Vec::new();
        for piece in bytes.pieces() {
            let end = piece.iter().position(|b| *b == b'\n');
            header.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            if end.is_some() {
                break;
            }
        }
        header.windows(MARK.len()).any(|part| part == MARK.as_bytes())
    };
    let problems: Vec<Diagnostic> = inputs
        .files
        .iter()
        .filter(|(_, bytes)| is_marked(bytes))
        .map(|(path, _)| {
            Diagnostic::error(Code::RehearsalData, "this table was simulated for a rehearsal")
                .at(Location::file(path.as_str()))
                .hint("put the real one there: a study does not take simulated scores or reads")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// A rehearsal of the study with this protocol; `text` is the protocol as typed, `inputs` hold its case
/// tables and, where there are some, its table of readers and the cases that the operating point is tuned on.
///
/// # Errors
/// What is wrong in those tables, or where the protocol that results is none.
pub fn rehearse(text: &str, inputs: &Inputs, cohort: &Cohort, quality: &Quality) -> Result<Rehearsal> {
    let protocol = &inputs.protocol;
    let mut table: Table = toml::from_str(text)
        .map_err(|e| Error::from(Diagnostic::error(Code::TomlSyntax, e.message().to_owned())))?;
    let mut simulation = Simulation::new(protocol, quality);
    let truth: Vec<bool> = cohort.drawn_cases().map(|case| simulation.truth(case)).collect();
    let tuned = tuning_cases(inputs)?;
    mark(&mut table, protocol);
    let threshold = operating_point(&mut table, protocol, tuned.is_some());
    let mut simulated = Files::new();
    let scores = scores_place(&mut table, protocol)?;
    simulated.insert(scores, simulation.scores(cohort, &truth, &tuned.unwrap_or_default(), threshold).into());
    beside::beside(&mut table, protocol, cohort, &truth, quality, threshold, &mut simulated)?;
    ratings::ratings(&mut table, protocol, cohort, &truth, quality, &mut simulated)?;
    let readers = readers(inputs)?;
    reference(&mut table, protocol, cohort, &truth, &readers, &mut simulation, &mut simulated)?;
    let head = format!(
        "# REHEARSAL of the protocol with SHA-256 {}.\n# Scores and reads are simulated: nothing here is \
         evidence about a device.\n\n",
        Digest::of(text.as_bytes())
    );
    let written = toml::to_string(&table)
        .map_err(|e| Error::from(Diagnostic::error(Code::TomlSyntax, format!("cannot be written: {e}"))))?;
    let text = head + &written;
    // What cannot be rehearsed is better known here than in the middle of it.
    crate::protocol::parse(Path::new("protocol.toml"), &text).map_err(Error::Input)?;
    let taken = inputs.files.keys().filter(|path| !simulated.contains_key(*path)).cloned().collect();
    Ok(Rehearsal { protocol: text, simulated, taken, cases: cohort.drawn.len() })
}

fn section<'t>(table: &'t mut Table, key: &str) -> &'t mut Table {
    let value = table.entry(key).or_insert_with(|| Value::Table(Table::new()));
    if !value.is_table() {
        *value = Value::Table(Table::new());
    }
    value.as_table_mut().unwrap_or_else(|| unreachable!("made one above"))
}

/// The study says that it is a rehearsal; nothing is trained in it, and no image is opened.
fn mark(table: &mut Table, protocol: &Protocol) {
    let study = section(table, "study");
    let most = LONGEST_ID - "-rehearsal".len();
    let id: String = protocol.study.id.chars().take(most).collect();
    study.insert("id".to_owned(), Value::from(format!("{id}-rehearsal")));
    study.insert("title".to_owned(), Value::from(format!("Rehearsal: {}", protocol.study.title)));
    study.insert("rehearsal".to_owned(), Value::from(true));
    section(table, "data").remove("images");
    table.remove("model");
}

/// Where the operating point of a rehearsal stands: as declared, on simulated scores of the declared tuning
/// cases, or in the middle where a lock would say it.
fn operating_point(table: &mut Table, protocol: &Protocol, has_tuning: bool) -> f64 {
    const MIDDLE: f64 = 0.5;
    match &protocol.operating_point {
        OperatingPointSource::Declared { threshold, .. } => return *threshold,
        OperatingPointSource::Tuning { .. } if has_tuning => return MIDDLE,
        OperatingPointSource::Tuning { .. } | OperatingPointSource::Lock => {}
    }
    let declared = [
        ("source", Value::from("declared")),
        ("threshold", Value::from(MIDDLE)),
        ("rationale", Value::from("rehearsal: the real one is fixed before the test set is opened")),
    ];
    let declared: Table = declared.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    table.insert("operating_point".to_owned(), Value::Table(declared));
    MIDDLE
}

/// The score table's place. A table that is no CSV is rehearsed as one.
fn scores_place(table: &mut Table, protocol: &Protocol) -> Result<RelativePath> {
    let file = &protocol.scores.file;
    let section = section(table, "scores");
    if protocol.scores.external && has_ending(file) {
        return Ok(file.clone());
    }
    section.insert("file".to_owned(), Value::from("scores.csv"));
    place("scores.csv")
}

fn has_ending(path: &RelativePath) -> bool {
    path.as_str().to_lowercase().ends_with(".csv")
}

fn place(text: &str) -> Result<RelativePath> {
    text.parse()
        .map_err(|e: crate::digest::RelativePathError| Diagnostic::error(Code::Path, e.to_string()).into())
}

/// Cases with their labels on which the operating point is tuned, where their table is there.
fn tuning_cases(inputs: &Inputs) -> Result<Option<Vec<(String, bool)>>> {
    let OperatingPointSource::Tuning { cases, .. } = &inputs.protocol.operating_point else {
        return Ok(None);
    };
    if !inputs.files.contains_key(&cases.path) {
        return Ok(None);
    }
    let read = inputs.case_table(cases)?;
    Ok(Some(
        read.cases
            .into_iter()
            .filter_map(|case| case.source_label.map(|label| (case.case_id.into(), label)))
            .collect(),
    ))
}

/// Who reads: the declared readers but those who are ignored, or as many as the rule wants.
fn readers(inputs: &Inputs) -> Result<Vec<String>> {
    let rule = &inputs.protocol.reference_standard;
    let table = match &rule.declared {
        DeclaredReaders::File(path) => match inputs.files.get(path) {
            Some(bytes) => Some((Path::new(path.as_str()), bytes.as_slice())),
            None => {
                let message = "the table of readers is not there, so nobody can be simulated";
                return Err(Diagnostic::error(Code::FileMissing, message)
                    .at(Location::file(path.as_str()))
                    .into());
            }
        },
        _ => None,
    };
    let roster = Roster::of(rule, table).map_err(Error::Input)?;
    Ok(match roster.declared() {
        Some(declared) => declared
            .values()
            .filter(|reader| reader.role != ReaderRole::Ignored)
            .map(|reader| reader.id.clone())
            .collect(),
        None => {
            let count = rule.readers.unwrap_or_else(|| rule.agreeing(None).max(3));
            (1..=count).map(|number| format!("reader-{number}")).collect()
        }
    })
}

/// Simulated reads or labels, and the sections of the protocol that say how they are read.
fn reference(
    table: &mut Table,
    protocol: &Protocol,
    cohort: &Cohort,
    truth: &[bool],
    readers: &[String],
    simulation: &mut Simulation<'_>,
    simulated: &mut Files,
) -> Result<()> {
    let rule = &protocol.reference_standard;
    section(table, "reference_standard").remove("compare_with");
    if let ConsensusRule::Given(labels) = &rule.rule {
        let declared = section(section(table, "reference_standard"), "given");
        let (path, labels) = labels_place(declared, labels)?;
        simulated.insert(path, simulation.labels(cohort, truth, &labels).into());
    }
    if rule.has_reads {
        // Where the answers stand in the platform's files is not rehearsed.
        let mut reads = Table::new();
        reads.insert("files".to_owned(), Value::Array(vec![Value::from("reads/*.csv")]));
        table.insert("reads".to_owned(), Value::Table(reads));
        for (number, reader) in readers.iter().enumerate() {
            let path = place(&format!("reads/reader-{}.csv", number + 1))?;
            simulated.insert(path, simulation.reads(cohort, truth, reader).into());
        }
    }
    Ok(())
}

/// Where simulated labels lie, and how they are read.
fn labels_place(declared: &mut Table, labels: &LabelTable) -> Result<(RelativePath, LabelTable)> {
    declared.remove("case_pattern");
    match labels.files.first() {
        Some(file) if has_ending(file) && !file.as_str().contains('*') => {
            declared.insert("file".to_owned(), Value::from(file.as_str()));
            Ok((file.clone(), labels.clone()))
        }
        _ => {
            // Labels that the readers' files mark, and tables that are no single CSV.
            let label = "label".to_owned();
            let changed = LabelTable {
                label_column: label.clone(),
                case_column: "case_id".to_owned(),
                positive: vec!["positive".to_owned()],
                negative: vec!["negative".to_owned()],
                ..labels.clone()
            };
            declared.clear();
            for (key, value) in [("file", "labels.csv"), ("label_column", &label), ("source", &labels.source)]
            {
                declared.insert(key.to_owned(), Value::from(value));
            }
            Ok((place("labels.csv")?, changed))
        }
    }
}

/// A cell of a CSV table.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';', '\t']) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Draws everything, each kind from a stream of its own.
struct Simulation<'p> {
    protocol: &'p Protocol,
    quality: &'p Quality,
    truths: Stream,
    device: Stream,
    readers: Stream,
}

impl<'p> Simulation<'p> {
    fn new(protocol: &'p Protocol, quality: &'p Quality) -> Self {
        let stream = |number| Stream::new(quality.seed, number);
        Self { protocol, quality, truths: stream(1), device: stream(2), readers: stream(3) }
    }

    /// By the label that came with the data; drawn where there is none.
    fn truth(&mut self, case: &Case) -> bool {
        let drawn = unit(&mut self.truths) < self.quality.prevalence;
        case.source_label.unwrap_or(drawn)
    }

    /// The score of a case: logistic, so that the operating point lies where the declared sensitivity and
    /// specificity are reached.
    fn score(&mut self, positive: bool, shared: f64, threshold: f64) -> f64 {
        let (distance, cut) = self.quality.device.classes();
        let icc = self.protocol.planning.icc.clamp(0.0, 1.0);
        let noise = icc.sqrt() * shared + (1.0 - icc).sqrt() * normal_quantile(unit(&mut self.device));
        let seen = noise + if positive { distance } else { 0.0 };
        let threshold = threshold.clamp(1e-6, 1.0 - 1e-6);
        // The log odds of such classes grow by their distance, so the scores have a calibration slope of 1.
        let scale = if distance > 0.0 { distance } else { 1.0 };
        let odds = (threshold / (1.0 - threshold)).ln() + scale * (seen - cut);
        1.0 / (1.0 + (-odds).exp())
    }

    /// Images of one patient are alike as far as the protocol expects it.
    fn scores(
        &mut self,
        cohort: &Cohort,
        truth: &[bool],
        tuning: &[(String, bool)],
        threshold: f64,
    ) -> Vec<u8> {
        let source = &self.protocol.scores;
        let columns: Vec<String> = source.columns.iter().map(|column| cell(column)).collect();
        let mut text = format!("{},{},refused,{MARK}\n", cell(&source.case_column), columns.join(","));
        let refuses = self.protocol.analysis.missing_score == Incomplete::Exclude;
        let unusable = if refuses { self.protocol.planning.unusable } else { 0.0 };
        let mut patients: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
        let drawn = cohort
            .drawn_cases()
            .zip(truth)
            .map(|(case, positive)| (case.case_id.as_str(), Some(case.patient_id.as_str()), *positive));
        let tuned = tuning.iter().map(|(id, positive)| (id.as_str(), None, *positive));
        for (id, patient, positive) in drawn.chain(tuned) {
            let own = normal_quantile(unit(&mut self.device));
            let shared = patient.map_or(own, |patient| *patients.entry(patient).or_insert(own));
            let score = self.score(positive, shared, threshold);
            let refused = unit(&mut self.device) < unusable && patient.is_some();
            let parts = self.parts(score);
            let cells: Vec<String> =
                columns.iter().map(|_| if refused { String::new() } else { format!("{parts:.6}") }).collect();
            let reason = if refused { "simulated refusal" } else { "" };
            let _ = writeln!(text, "{},{},{reason},simulated", cell(id), cells.join(","));
        }
        text.into_bytes()
    }

    /// What each of several columns holds, so that together they give the score.
    fn parts(&self, score: f64) -> f64 {
        use crate::protocol::Combine;
        match self.protocol.scores.combine {
            Combine::NoisyOr => {
                1.0 - (1.0 - score).powf(1.0 / self.protocol.scores.columns.len().max(1) as f64)
            }
            Combine::Max | Combine::Mean => score,
        }
    }

    fn reads(&mut self, cohort: &Cohort, truth: &[bool], reader: &str) -> Vec<u8> {
        let mut text = format!("case_id,reader_id,read,{MARK}\n");
        for (case, positive) in cohort.drawn_cases().zip(truth) {
            let right = unit(&mut self.readers) < self.quality.reader_accuracy;
            let read = if *positive == right { "positive" } else { "negative" };
            let _ = writeln!(text, "{},{},{read},simulated", cell(&case.case_id), cell(reader));
        }
        text.into_bytes()
    }

    fn labels(&mut self, cohort: &Cohort, truth: &[bool], table: &LabelTable) -> Vec<u8> {
        let first = |words: &[String], default: &str| words.first().map_or(default.to_owned(), Clone::clone);
        let (yes, no) = (first(&table.positive, "positive"), first(&table.negative, "negative"));
        let mut text = format!("{},{},{MARK}\n", cell(&table.case_column), cell(&table.label_column));
        for (case, positive) in cohort.drawn_cases().zip(truth) {
            let label = if *positive { &yes } else { &no };
            let _ = writeln!(text, "{},{},simulated", cell(&case.case_id), cell(label));
        }
        text.into_bytes()
    }
}

/// Strictly between 0 and 1.
fn unit(stream: &mut Stream) -> f64 {
    const BITS: u64 = 1 << 53;
    (stream.below(BITS) as f64 + 0.5) / BITS as f64
}

#[cfg(test)]
mod tests;
