//! `sequester check`: everything that is wrong with a study, before anything is locked.

use clap::Args;

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::protocol::{Field, Protocol, Rule};
use crate::statistics::metric::Metric;
use crate::storage;
use crate::study;
use crate::workflow::study::Study;

/// Check protocol, device file and data, and list everything that is wrong at once.
///
/// Errors stop the study; warnings name places where protocol, gate and indications disagree. Nothing
/// is locked or written.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Check the protocol alone, without looking for the data.
    #[arg(long)]
    protocol_only: bool,
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
    if !args.protocol_only {
        match data(&study) {
            Ok(more) => found.extend(more),
            Err(error) => found.extend(error.diagnostics()),
        }
    }
    let errors: Vec<_> = found.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    if context.json {
        println!("{:#}", serde_json::json!({"valid": errors.is_empty(), "diagnostics": found}));
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
        println!("the study is valid; {} warnings", found.len());
    }
    Ok(Outcome::Done)
}

/// What is wrong with the data: the cohort as it would be drawn, and what it shares with a model that is
/// there.
fn data(study: &Study) -> Result<Vec<Diagnostic>> {
    let inputs = study.known()?;
    let cohort = study::cohort(&inputs)?;
    // Scores are looked at when they are needed; here they only bring the digests of the images.
    let scores = study::read_scores(&inputs).ok();
    let mut found = cohort.warnings.clone();
    let protocol = study.folder.join("protocol.toml");
    found.extend(
        study::endpoints_that_ignore_patients(&study.protocol, &cohort)
            .into_iter()
            .map(|d| d.at(Location::file(&protocol))),
    );
    if let Err(error) = study::separate(&inputs, &cohort, scores.as_ref()) {
        found.extend(error.diagnostics());
    }
    Ok(found)
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
            found.push(
                Diagnostic::warning(Code::PrevalenceDependent, message)
                    .hint("declare `analysis.intended_use_prevalence`, so that it is also shown where the device is used"),
            );
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
