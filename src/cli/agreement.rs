//! `sequester reads agreement`: agreement of readers from a table of reads, without a study.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::metrics::text_table;
use super::score_table::{binary, columns_hint, separator_note, separator_of};
use super::{Context, Outcome};
use crate::analysis::agreement;
use crate::analysis::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::analysis::metric::Plan;
use crate::analysis::results::Warning;
use crate::diagnostic::{Diagnostic, Error, Location, Result};
use crate::storage;

/// Compute the agreement of readers from a table of reads.
///
/// FILE is a CSV with a header, one row a read. An empty read, and a value named by --missing, is a case that
/// the reader did not decide. Prints Cohen's kappa of each pair, Fleiss' and Conger's kappa, Krippendorff's alpha
/// and Gwet's AC1, and each reader against the majority of the others.
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
    /// Column of the read: 1/0, true/false, yes/no or positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// This reader is the device: it takes no part in the agreement, and is set beside each reader.
    #[arg(long, value_name = "READER")]
    device: Option<String>,
    /// Values that count as no decision, separated by commas.
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    missing: Vec<String>,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for a level outside (0, 1); located diagnostics for everything wrong in the file.
pub fn run(args: &AgreementArgs, context: Context) -> Result<Outcome> {
    if !(args.level > 0.0 && args.level < 1.0) {
        let message = format!("--level {} is not between 0 and 1", args.level);
        return Err(Error::usage(Diagnostic::error("option-out-of-range", message).hint("use 0.95, say")));
    }
    let mut reads = Reads::parse(args, &storage::read(&args.file)?)?;
    let calls = match &args.device {
        Some(device) => Some(reads.take(device)?),
        None => None,
    };
    let mut estimates = agreement::estimates(&reads.table, &reads.readers, args.level);
    let plan = Plan::new(args.level, vec![IntervalMethod::ClopperPearson], ResamplingUnit::Case, 0, 0);
    estimates.extend(agreement::against_others(&reads.readers, &reads.table, &plan));
    if let Some(calls) = calls {
        estimates.extend(agreement::device_beside_readers(&reads.readers, &reads.table, &calls, &plan));
    }
    if context.json {
        let value = |e: &Estimate| {
            let mut value = super::metrics::value_of(e, None);
            // A coefficient treats both answers alike: it has no reference, and so no positives.
            if COEFFICIENTS.contains(&e.id.as_str())
                && let Some(fields) = value.as_object_mut()
            {
                fields.remove("positives");
            }
            value
        };
        let report = json!({
            "format": "sequester-agreement/1", "n": reads.table.len(), "cases": reads.table.len(), "readers": reads.readers,
            "reads": reads.count, "estimates": estimates.iter().map(value).collect::<Vec<_>>(),
            "warnings": reads.warnings,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("{} cases, {} readers, {} reads", reads.table.len(), reads.readers.len(), reads.count);
    println!("{}", text_table(&estimates.iter().collect::<Vec<_>>()));
    for warning in &reads.warnings {
        println!("warning[{}]: {}", warning.code, warning.message);
    }
    let mut said = BTreeSet::new();
    for estimate in &estimates {
        for warning in &estimate.warnings {
            if said.insert(warning)
                && let Some((code, message)) = warning.split_once(": ")
            {
                println!("warning[{code}]: {}: {message}", estimate.model.as_deref().unwrap_or(&estimate.id));
            }
        }
    }
    Ok(Outcome::Done)
}

/// Estimates of agreement without a reference.
const COEFFICIENTS: [&str; 5] =
    ["cohen_kappa", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "gwet_ac1"];

/// Reads by case and reader.
struct Reads {
    readers: Vec<String>,
    table: Vec<Vec<Option<bool>>>,
    count: usize,
    warnings: Vec<Warning>,
}

impl Reads {
    /// Takes a reader out of the table; what it said of each case.
    fn take(&mut self, reader: &str) -> Result<Vec<Option<bool>>> {
        let Some(place) = self.readers.iter().position(|r| r == reader) else {
            let message = format!("no row is of the reader {reader:?} that --device names");
            let hint = format!("the readers are {}", self.readers.join(", "));
            return Err(Error::usage(Diagnostic::error("device-unknown", message).hint(hint)));
        };
        self.readers.remove(place);
        let calls: Vec<Option<bool>> = self.table.iter_mut().map(|row| row.remove(place)).collect();
        self.count = self.table.iter().flatten().flatten().count();
        Ok(calls)
    }

    fn parse(args: &AgreementArgs, bytes: &[u8]) -> Result<Self> {
        let separator = separator_of(bytes);
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(bytes);
        let wrong_table = |e: &csv::Error| {
            let line = e.position().map(csv::Position::line);
            let location = Location { line, ..Location::file(&args.file) };
            Diagnostic::error("table-malformed", format!("the table cannot be read: {e}")).at(location)
        };
        let header = reader.headers().map_err(|e| wrong_table(&e))?.clone();
        let mut problems = Vec::new();
        let mut place = |name: &str| {
            let names = || header.iter().map(|h| h.trim_start_matches('\u{feff}').trim());
            names().position(|h| h == name).unwrap_or_else(|| {
                problems.push(
                    Diagnostic::error("column-missing", format!("there is no column {name:?}"))
                        .at(Location::line(&args.file, 1))
                        .hint(columns_hint(&names().collect::<Vec<_>>())),
                );
                0
            })
        };
        let (case, who, label) = (place(&args.case), place(&args.reader), place(&args.label));
        if !problems.is_empty() {
            return Err(Error::Input(problems));
        }
        let mut cases: BTreeMap<String, BTreeMap<String, Option<bool>>> = BTreeMap::new();
        for row in reader.records() {
            let row = match row {
                Ok(row) => row,
                Err(e) => {
                    problems.push(wrong_table(&e));
                    break;
                }
            };
            let at = Location::line(&args.file, row.position().map_or(0, csv::Position::line));
            let cell = |place: usize| row.get(place).unwrap_or_default().trim();
            let text = cell(label).to_ascii_lowercase();
            let read = match binary(text.as_bytes()) {
                Some(read) => Some(read),
                None if text.is_empty() => None,
                None if args.missing.iter().any(|m| m.eq_ignore_ascii_case(&text)) => None,
                None => {
                    let message = format!(
                        "the read is not one of 1/0, true/false, yes/no, positive/negative: {text:?}"
                    );
                    let hint = "name values without a decision with --missing";
                    problems.push(Diagnostic::error("label-not-binary", message).at(at.clone()).hint(hint));
                    None
                }
            };
            if cell(case).is_empty() || cell(who).is_empty() {
                problems.push(
                    Diagnostic::error("read-without-id", "the case or the reader is empty").at(at.clone()),
                );
            }
            let reads = cases.entry(cell(case).to_owned()).or_default();
            if reads.insert(cell(who).to_owned(), read).is_some() {
                let message = format!("reader {} read case {} twice", cell(who), cell(case));
                problems.push(Diagnostic::error("repeated-read", message).at(at));
            }
        }
        if problems.is_empty() && cases.is_empty() {
            let message = "the table has no read";
            problems.push(Diagnostic::error("table-empty", message).at(Location::file(&args.file)));
        }
        if !problems.is_empty() {
            let more = problems.len().saturating_sub(20);
            problems.truncate(20);
            if more > 0 {
                let message = format!("{more} more problems are not listed");
                problems.push(Diagnostic::error("more-problems", message).at(Location::file(&args.file)));
            }
            return Err(Error::Input(problems));
        }
        let readers: BTreeSet<&String> = cases.values().flat_map(|c| c.keys()).collect();
        let table: Vec<Vec<Option<bool>>> =
            cases.values().map(|c| readers.iter().map(|r| c.get(*r).copied().flatten()).collect()).collect();
        let count = table.iter().flatten().flatten().count();
        let warnings = separator_note(separator).into_iter().collect();
        Ok(Self { readers: readers.into_iter().cloned().collect(), table, count, warnings })
    }
}
