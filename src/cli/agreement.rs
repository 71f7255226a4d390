//! `sequester reads agreement`: agreement of readers from a table of reads, without a study.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::domain::{level, replicates, usage};
use super::metrics::text_table;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::reads;
use crate::statistics::agreement::estimates::{self as agreement, Clusters};
use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::statistics::metric::Plan;
use crate::statistics::warning::Warning;
use crate::storage;
use crate::table::{Table, cell, limited};
use crate::workflow::metrics::value_of;

/// Compute the agreement of readers from a table of reads.
///
/// FILE is a CSV with a header, one row a read. An empty read, and a value named by --missing, is a case that
/// the reader did not decide. Prints Cohen's kappa of each pair, Fleiss' and Conger's kappa, Krippendorff's
/// alpha and Gwet's AC1, and each reader against the majority of the others. With --patient, where patients
/// have several cases, intervals of the coefficients are those of a bootstrap of patients. Each interval that
/// is missing has its reason; two readers whose reads are the same, or nearly so, are named.
///
/// Findings with more answers than yes and no are nominal: name the answers with --categories, or take them
/// from the file with --nominal (each is then printed with its count, so that a misspelt one shows). The
/// majority of the others and --device-reader are for yes and no.
#[derive(Debug, Args)]
pub struct AgreementArgs {
    /// CSV with a header, one row a read.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Column of the case.
    #[arg(long, value_name = "COLUMN", default_value = "case_id")]
    case: String,
    /// Column of the reader.
    #[arg(long, value_name = "COLUMN", default_value = "reader_id")]
    reader: String,
    /// Column of the read: 1/0, true/false, yes/no or positive/negative, or words with --categories or
    /// --nominal [default: read, or label in a table without a column read].
    #[arg(long, alias = "label", value_name = "COLUMN")]
    read: Option<String>,
    /// Column of the patient, where patients have several cases.
    #[arg(long, value_name = "COLUMN")]
    patient: Option<String>,
    /// This reader is the device: it takes no part in the agreement, and is set beside each reader.
    #[arg(long, alias = "device", value_name = "READER")]
    device_reader: Option<String>,
    /// Values that count as no decision, separated by commas.
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    missing: Vec<String>,
    /// The answers to choose from, separated by commas, upper and lower case alike; one that nobody gave
    /// counts in Gwet's AC1.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with_all = ["nominal", "device_reader"]
    )]
    categories: Vec<String>,
    /// Every distinct value of the column is an answer.
    #[arg(long, conflicts_with = "device_reader")]
    nominal: bool,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// With --patient: bootstrap replicates.
    #[arg(
        long,
        value_name = "B",
        default_value_t = 2000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000)
    )]
    bootstrap: u64,
    /// With --patient: seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for a level outside (0, 1); located diagnostics for everything wrong in the file.
pub fn run(args: &AgreementArgs, context: Context) -> Result<Outcome> {
    level(args.level)?;
    if args.patient.is_some() {
        replicates(args.bootstrap, args.level)?;
    }
    let mut reads = Reads::parse(args, &storage::read(&args.file)?)?;
    let calls = match &args.device_reader {
        Some(device) => Some(reads.take(device)?),
        None => None,
    };
    let choice = reads.categories.len();
    let clusters = reads.patients.as_ref().map(|patients| Clusters {
        patients,
        replicates: args.bootstrap,
        seed: args.seed,
    });
    let mut estimates =
        agreement::estimates(&reads.table, choice, &reads.readers, args.level, clusters.as_ref());
    if !args.is_nominal() {
        let plan = Plan::new(args.level, vec![IntervalMethod::ClopperPearson], ResamplingUnit::Case, 0, 0);
        let table: Vec<Vec<Option<bool>>> =
            reads.table.iter().map(|row| row.iter().map(|r| r.map(|r| r == YES)).collect()).collect();
        estimates.extend(agreement::against_others(&reads.readers, &table, &plan));
        if let Some(calls) = calls {
            let calls: Vec<Option<bool>> = calls.into_iter().map(|c| c.map(|c| c == YES)).collect();
            estimates.extend(agreement::device_beside_readers(&reads.readers, &table, &calls, &plan));
        }
    }
    if context.json {
        let value = |e: &Estimate| {
            let mut value = value_of(e, None);
            // A coefficient treats both answers alike: it has no reference, and so no positives.
            if COEFFICIENTS.contains(&e.id.as_str())
                && let Some(fields) = value.as_object_mut()
            {
                fields.remove("positives");
            }
            value
        };
        let report = json!({
            "format": "sequester-agreement/1", "categories": reads.categories_value(),
            "n": reads.table.len(), "cases": reads.table.len(), "readers": reads.readers,
            "reads": reads.count, "estimates": estimates.iter().map(value).collect::<Vec<_>>(),
            "warnings": reads.warnings,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("{} cases, {} readers, {} reads", reads.table.len(), reads.readers.len(), reads.count);
    if args.is_nominal() {
        let counts = reads.categories.iter().map(|(name, count)| format!("{name} {count}"));
        println!("answers: {}", counts.collect::<Vec<_>>().join(", "));
    }
    let (apart, shown): (Vec<&Estimate>, Vec<&Estimate>) = estimates.iter().partition(|e| {
        // Of many readers who each read a part, most pairs have nothing in common.
        reads.readers.len() > MANY_READERS && e.denominator == Some(0) && e.id == "cohen_kappa"
    });
    println!("{}", text_table(&shown));
    if !apart.is_empty() {
        println!("{} pairs of readers have no case in common and are not shown", apart.len());
    }
    for warning in &reads.warnings {
        println!("warning[{}]: {}", warning.code, warning.message);
    }
    let mut said = BTreeSet::new();
    for estimate in &estimates {
        for Warning { code, message } in &estimate.warnings {
            let of_interval = matches!(code, Code::NoSpread | Code::IntervalNotEvaluable);
            let what = match &estimate.model {
                Some(model) if of_interval => format!("{} of {model}", estimate.id),
                Some(model) => model.clone(),
                None => estimate.id.clone(),
            };
            // Every interval that is missing has its line; what holds for all estimates of a reader has one.
            let line = format!("warning[{code}]: {what}: {message}");
            if said.insert(line.clone()) {
                println!("{line}");
            }
        }
    }
    Ok(Outcome::Done)
}

/// From more readers on, pairs without a common case are counted instead of shown.
const MANY_READERS: usize = 6;

/// Estimates of agreement without a reference.
const COEFFICIENTS: [&str; 5] =
    ["cohen_kappa", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "gwet_ac1"];

/// The answers of a two-valued finding.
const NO: u32 = 0;
const YES: u32 = 1;

impl AgreementArgs {
    fn is_nominal(&self) -> bool {
        self.nominal || !self.categories.is_empty()
    }
}

/// The answers that can be given.
struct Answers<'a> {
    args: &'a AgreementArgs,
    /// As they are shown, with how they are compared.
    names: Vec<(String, String)>,
}

impl<'a> Answers<'a> {
    /// # Errors
    /// A category that is empty, repeated, or a value of --missing; fewer than two.
    fn new(args: &'a AgreementArgs) -> Result<Self> {
        let mut names: Vec<(String, String)> = Vec::new();
        for name in &args.categories {
            let (name, key) = (name.trim().to_owned(), cell::key_of(name.trim()));
            let missing = args.missing.iter().any(|m| cell::key_of(m.trim()) == key);
            if key.is_empty() || missing || names.iter().any(|n| n.1 == key) {
                let message =
                    format!("--categories names {name:?}, which is empty, repeated or named by --missing");
                let hint = "name each answer once";
                return Err(usage(message, hint));
            }
            names.push((name, key));
        }
        if names.len() == 1 {
            let message = "--categories names one answer, and agreement needs a choice";
            let hint = "name every answer that a reader can give";
            return Err(usage(message, hint));
        }
        if !args.is_nominal() {
            names = ["negative", "positive"].map(|n| (n.to_owned(), n.to_owned())).into();
        }
        Ok(Self { args, names })
    }

    /// The place of an answer; `Ok(None)` for no decision.
    fn read(&mut self, cell: &str) -> Result<Option<u32>, Diagnostic> {
        let key = cell::key_of(cell);
        if key.is_empty() || self.args.missing.iter().any(|m| cell::key_of(m.trim()) == key) {
            return Ok(None);
        }
        if !self.args.is_nominal() {
            let read = cell::binary(&key).map(|yes| if yes { YES } else { NO });
            return read.map(Some).ok_or_else(|| {
                let message = format!("the read is not one of {}: {cell:?}", cell::BINARY);
                Diagnostic::error(Code::LabelNotBinary, message).hint(
                    "name values without a decision with --missing, or the answers of a nominal finding \
                     with --categories",
                )
            });
        }
        if let Some(place) = self.names.iter().position(|n| n.1 == key) {
            return Ok(Some(place as u32));
        }
        if self.args.nominal {
            self.names.push((cell.to_owned(), key));
            return Ok(Some(self.names.len() as u32 - 1));
        }
        let known: Vec<&str> = self.names.iter().map(|n| n.0.as_str()).collect();
        Err(Diagnostic::error(Code::CategoryUnknown, format!("--categories does not name the read {cell:?}"))
            .hint(format!("named are {}; name values without a decision with --missing", known.join(", "))))
    }
}

/// Reads by case and reader.
struct Reads {
    readers: Vec<String>,
    /// Every answer with its number of reads.
    categories: Vec<(String, usize)>,
    table: Vec<Vec<Option<u32>>>,
    /// Patient of each case, where a column has them.
    patients: Option<Vec<u32>>,
    count: usize,
    warnings: Vec<Warning>,
}

impl Reads {
    /// Takes a reader out of the table; what it said of each case.
    fn take(&mut self, reader: &str) -> Result<Vec<Option<u32>>> {
        let Some(place) = self.readers.iter().position(|r| r == reader) else {
            let message = format!("no row is of the reader {reader:?} that --device-reader names");
            let hint = format!("the readers are {}", self.readers.join(", "));
            return Err(Error::usage(Diagnostic::error(Code::DeviceUnknown, message).hint(hint)));
        };
        self.readers.remove(place);
        let calls: Vec<Option<u32>> = self.table.iter_mut().map(|row| row.remove(place)).collect();
        self.count = self.table.iter().flatten().flatten().count();
        Ok(calls)
    }

    fn parse(args: &AgreementArgs, bytes: &[u8]) -> Result<Self> {
        let mut answers = Answers::new(args)?;
        let table = Table::parse(&args.file, bytes).map_err(Error::Input)?;
        let read = match &args.read {
            Some(named) => named.as_str(),
            None if table.column("read").is_none() && table.column("label").is_some() => "label",
            None => "read",
        };
        let columns = [&args.case[..], &args.reader, read];
        let said = reads::files::said(&table, columns).map_err(Error::Input)?;
        let mut problems = said.problems;
        let who = said.rows.iter().map(|row| (row.reader_id, &args.file, row.line));
        problems.extend(reads::roster::colliding(who));
        let patients = match &args.patient {
            Some(column) => Some(patients_of(&table, &args.case, column, &mut problems)?),
            None => None,
        };
        let mut cases: BTreeMap<String, BTreeMap<String, Option<u32>>> = BTreeMap::new();
        for row in said.rows {
            let read = answers.read(row.answer.unwrap_or_default()).unwrap_or_else(|problem| {
                problems.push(problem.at(table.at(row.line)));
                None
            });
            let reads = cases.entry(row.case_id.to_owned()).or_default();
            if reads.insert(row.reader_id.to_owned(), read).is_some() {
                let message = format!("reader {} read case {} twice", row.reader_id, row.case_id);
                let hint = "keep the read that counts";
                problems
                    .push(Diagnostic::error(Code::RepeatedRead, message).at(table.at(row.line)).hint(hint));
            }
        }
        if problems.is_empty() && cases.is_empty() {
            let problem = Diagnostic::error(Code::TableEmpty, "the table has no read");
            problems.push(problem.at(Location::file(&args.file)).hint("one row a read is needed"));
        }
        if !problems.is_empty() {
            return Err(Error::Input(limited(problems, &args.file)));
        }
        let patients = patients.map(|patients| {
            let distinct: BTreeSet<&String> = patients.values().collect();
            let number: BTreeMap<&String, u32> = distinct.into_iter().zip(0..).collect();
            // A case without its patient was refused above.
            cases.keys().filter_map(|case| number.get(patients.get(case)?).copied()).collect()
        });
        let readers: BTreeSet<&String> = cases.values().flat_map(|c| c.keys()).collect();
        let warnings = table.notes().iter().map(Warning::of).collect();
        let table: Vec<Vec<Option<u32>>> =
            cases.values().map(|c| readers.iter().map(|r| c.get(*r).copied().flatten()).collect()).collect();
        let count = table.iter().flatten().flatten().count();
        let reads_of = |place: u32| table.iter().flatten().flatten().filter(|r| **r == place).count();
        let categories = (0..).zip(answers.names).map(|(place, name)| (name.0, reads_of(place))).collect();
        // By name, whichever row comes first; places in the table mean nothing beyond being different.
        let mut categories: Vec<(String, usize)> = categories;
        if args.nominal {
            categories.sort();
        }
        Ok(Self {
            readers: readers.into_iter().cloned().collect(),
            categories,
            table,
            patients,
            count,
            warnings,
        })
    }

    fn categories_value(&self) -> serde_json::Value {
        self.categories.iter().map(|(name, reads)| json!({"name": name, "reads": reads})).collect()
    }
}

/// The patient of each case.
///
/// # Errors
/// There is no such column. Into `problems` go rows without a patient and cases of two patients.
fn patients_of(
    table: &Table,
    case: &str,
    column: &str,
    problems: &mut Vec<Diagnostic>,
) -> Result<BTreeMap<String, String>> {
    let place = table.required(column).map_err(|problem| Error::Input(vec![problem]))?;
    let mut patients: BTreeMap<String, String> = BTreeMap::new();
    for row in table.rows() {
        let Some(case) = row.get(table.column(case)) else { continue };
        let Some(patient) = row.get(Some(place)) else {
            let problem = Diagnostic::error(Code::ValueMissing, format!("the cell `{column}` is empty"));
            problems
                .push(problem.at(table.at(row.line)).hint("say which patient it is, or leave out --patient"));
            continue;
        };
        let known = patients.entry(case.to_owned()).or_insert_with(|| patient.to_owned());
        if known != patient {
            let message = format!("case {case} is of patient {known} above and of {patient} here");
            problems.push(
                Diagnostic::error(Code::CasePatients, message)
                    .at(table.at(row.line))
                    .hint("a case is of one patient"),
            );
        }
    }
    Ok(patients)
}
