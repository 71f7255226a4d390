//! `sequester check`: everything that is wrong with a study, before anything is locked.

use clap::Args;

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::protocol::{Field, Protocol, Rule};
use crate::statistics::metric::Metric;
use crate::storage;
use crate::workflow::check::look;

/// Check protocol, device file and data, and list everything that is wrong at once.
///
/// Errors stop the study; warnings name places where protocol, gate and indications disagree. Case tables,
/// readers' files, scores, manifests of a training, templates and the presence of images are all looked at,
/// so that `run` does not stop on its input where this says that the study is valid. Nothing is locked or
/// written; no read and no score is shown and no statistic of the test set is computed, so this is no
/// opening. Exits with 10 where patients of the study are probably those that the model was made from.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Check the protocol alone, without looking for the data.
    #[arg(long)]
    protocol_only: bool,
    /// Patients whose ids differ in zero padding, capitals, spaces, dots or `.0` alone are different people:
    /// say so where such ids are in the study and in what the model was made from. The report holds that it
    /// was said.
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
    let mut found: Vec<Diagnostic> =
        disagreements(&study.protocol).into_iter().map(|d| d.at(Location::file(&path))).collect();
    let device = study.folder.join("device.toml");
    if device.is_file() {
        let text = String::from_utf8_lossy(&storage::read(&device)?).into_owned();
        if let Err(e) = toml::from_str::<toml::Table>(&text) {
            found.push(
                Diagnostic::error(Code::TomlSyntax, e.message().to_owned()).at(Location::file(&device)),
            );
        }
        found.extend(indications(&study.protocol, &text).map(|d| d.at(Location::file(&device))));
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
    if !args.protocol_only {
        let looked = look(&study);
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
        let error = Error::from(errors);
        if !context.json {
            return Err(error);
        }
        // The one JSON document is printed already.
        eprintln!("{error}");
        return Ok(Outcome::NotAllCouldBeDone);
    }
    if !context.json {
        let warnings = found.len();
        if args.distinct_ids {
            println!("as said with --distinct-ids, ids that differ in form alone are of different patients");
        }
        if shared {
            println!("patients of the study are probably known to the model; {warnings} warnings");
        } else if args.protocol_only {
            println!("the protocol is valid; {warnings} warnings");
        } else if absent.is_empty() {
            println!("the study is valid; {warnings} warnings");
        } else {
            println!("what is there is valid; {warnings} warnings");
            println!("`sequester run` stops until these are there: {}", absent.join("; "));
        }
    }
    Ok(if shared { Outcome::CriterionNotMet } else { Outcome::Done })
}

/// Places where the protocol contradicts itself.
fn disagreements(protocol: &Protocol) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for criterion in &protocol.eligibility {
        if let (Rule::Age { min, max }, Some(gate)) = (&criterion.rule, protocol.gate.age_years)
            && (*min, *max) != (gate.min, gate.max)
        {
            let message = format!(
                "the criterion `{}` admits {min}-{max} years, the intended-use gate {}-{}",
                criterion.id, gate.min, gate.max
            );
            found.push(
                Diagnostic::warning(Code::GateDisagrees, message)
                    .hint("study and device should mean the same patients"),
            );
        }
        if let (Rule::OneOf { field: Field::View, allowed }, Some(gate)) =
            (&criterion.rule, &protocol.gate.view)
            && allowed.iter().any(|view| !gate.contains(view))
        {
            let message = format!(
                "the criterion `{}` admits {}, the intended-use gate {}",
                criterion.id,
                allowed.join(", "),
                gate.join(", ")
            );
            found.push(Diagnostic::warning(Code::GateDisagrees, message));
        }
    }
    let dependent = protocol.endpoints.iter().filter(|e| {
        [Metric::F1, Metric::Ppv, Metric::Npv, Metric::Accuracy, Metric::Mcc].contains(&e.metric)
    });
    for endpoint in dependent {
        if protocol.analysis.intended_use_prevalence.is_none() {
            let message = format!("the endpoint `{}` depends on the prevalence of the sample", endpoint.id);
            found.push(Diagnostic::warning(Code::PrevalenceDependent, message).hint(
                "declare `analysis.intended_use_prevalence`, so that it is also shown where the \
                        device is used",
            ));
        }
    }
    found
}

/// Ages in the indications that are not those of the gate.
fn indications<'a>(protocol: &'a Protocol, device: &'a str) -> impl Iterator<Item = Diagnostic> + 'a {
    let gate = protocol.gate.age_years;
    device
        .lines()
        .filter(|line| line.to_lowercase().contains("year") || line.to_lowercase().contains("age"))
        .filter_map(move |line| {
            let gate = gate?;
            let numbers: Vec<u16> = line
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|word| word.parse().ok())
                .filter(|n| (1..=120).contains(n))
                .collect();
            let [min, max] = numbers[..] else { return None };
            (min < max && (min, max) != (gate.min, gate.max)).then(|| {
                Diagnostic::warning(
                    Code::IndicationsDisagree,
                    format!(
                        "the text speaks of {min}-{max} years, the gate admits {}-{}",
                        gate.min, gate.max
                    ),
                )
            })
        })
}
