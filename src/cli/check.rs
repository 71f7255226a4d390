//! `sequester check`: everything that is wrong with a study, before anything is locked.

use clap::Args;

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::document::format;
use crate::protocol::{self, ANSWERED_BY_DATA};
use crate::report::set::{check_device, unknown_keys};
use crate::storage;
use crate::workflow::check::look;
use crate::workflow::report::templates;

/// Check protocol, device file and data, and list everything that is wrong at once.
///
/// Errors stop the study: what cannot be read, and what no study can be. Warnings name what a reviewer will
/// ask about: places where protocol, gate, indications and lock disagree, intervals that do not fit the data,
/// goals that cannot be shown; `sequester explain CODE` says more of each. Case tables, readers' files,
/// scores, manifests of a training, templates and words that no font has are all looked at, so that `run`
/// does not stop on its input where this says that the study is valid; of images it is looked whether they
/// are there and of a kind that is read, and only scoring reads them. What is compared with the cases is
/// looked at once the case tables can be read. Nothing is locked or written; no read and no score is shown
/// and no statistic of the test set is computed, so this is no opening. Exits with 10 where patients of the
/// study are probably those that the model was made from.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Check the protocol alone, without looking for the data.
    #[arg(long)]
    protocol_only: bool,
    /// Patients whose ids differ in zero padding, capitals, spaces, dots or `.0` alone, or are written with
    /// other characters that look alike, are different people: say so where such ids are in the study and in
    /// what the model was made from. The report holds that it was said.
    #[arg(long)]
    distinct_ids: bool,
}

/// Runs the command.
///
/// # Errors
/// Every error that was found.
pub fn run(args: &CheckArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let path = study.folder.join("protocol.toml");
    let text = String::from_utf8_lossy(&study.protocol_bytes).into_owned();
    let mut found: Vec<Diagnostic> = protocol::lint(&path, &text, &study.protocol);
    let device = study.folder.join("device.toml");
    if device.is_file() {
        let text = String::from_utf8_lossy(&storage::read(&device)?).into_owned();
        if let Err(e) = toml::from_str::<toml::Table>(&text) {
            found.push(
                Diagnostic::error(Code::TomlSyntax, e.message().to_owned()).at(Location::file(&device)),
            );
        }
        found.extend(protocol::disagreements_of_device(&device, &text, &study.protocol));
        found.extend(protocol::typed_results(&device, &text));
        found.extend(check_device(&device, &text));
        found.extend(unknown_keys(&device, &text, &templates(&study.folder)?));
    } else {
        found.push(
            Diagnostic::warning(
                Code::DeviceMissing,
                "there is no device.toml: the documents will show empty fields",
            )
            .at(Location::file(&study.folder)),
        );
    }
    let mut absent = Vec::new();
    let mut cohort = true;
    if !args.protocol_only {
        let looked = look(&study);
        cohort = looked.cohort;
        // Where the cases and reads themselves were looked at, what the protocol made one expect is not told.
        let answered = |d: &Diagnostic| {
            looked.found.iter().any(|other| other.code == d.code)
                || (looked.cohort && d.code == Code::IntervalAssumesOneImage)
        };
        found.retain(|d| !(ANSWERED_BY_DATA.contains(&d.code) && answered(d)));
        found.extend(looked.found);
        absent = looked.absent;
    }
    let shared = found.iter().any(|d| d.code == Code::PatientProbablyShared) && !args.distinct_ids;
    let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if context.json {
        let valid = errors.is_empty() && !shared;
        let report = serde_json::json!({
            "valid": valid, "ready": valid && absent.is_empty(), "absent": absent,
            "distinct_ids": args.distinct_ids, "diagnostics": found,
        });
        println!("{report:#}");
    } else {
        for warning in found.iter().filter(|d| d.severity == Severity::Warning) {
            println!("{warning}");
        }
    }
    if !errors.is_empty() {
        if !cohort {
            eprintln!(
                "without its cases nothing of the study could be compared with them: what readers' files, \
                 scores and images say of cases is looked at once the cases can be read"
            );
        }
        let error = Error::from(errors);
        if !context.json {
            if !absent.is_empty() {
                eprintln!("not there yet, and needed by `sequester run`: {}", absent.join("; "));
            }
            return Err(error);
        }
        // The one JSON document is printed already.
        eprintln!("{error}");
        return Ok(Outcome::NotAllCouldBeDone);
    }
    if !context.json {
        let warnings = format::counted(found.len(), "warning");
        if args.distinct_ids {
            println!("as said with --distinct-ids, ids that differ in form alone are of different patients");
        }
        if shared {
            println!("patients of the study are probably known to the model; {warnings}");
        } else if args.protocol_only {
            println!("the protocol is valid; {warnings}");
        } else if absent.is_empty() {
            println!("the study is valid; {warnings}");
        } else {
            println!("what is there is valid; {warnings}");
            println!("`sequester run` stops until these are there: {}", absent.join("; "));
        }
    }
    Ok(if shared { Outcome::CriterionNotMet } else { Outcome::Done })
}
