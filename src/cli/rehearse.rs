//! `sequester rehearse`: the whole pipeline on simulated scores and reads.

use std::path::PathBuf;

use clap::Args;

use super::who::WhoArgs;
use super::{Context, Outcome, say};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::document::format;
use crate::evidence::ledger::Event;
use crate::protocol::Protocol;
use crate::statistics::metric::Metric;
use crate::study::rehearsal::{Quality, Separation};
use crate::workflow::rehearsal;
use crate::workflow::study::Study;

/// Run the whole study on simulated scores and reads, in a folder of its own.
///
/// Case tables, protocol, words and templates are the study's; scores and reads are drawn with the quality
/// that is said here or declared in [[expected]]. The study is read and never written: no event enters its
/// ledger, and its test set is not opened. Every page of the documents and every audit says REHEARSAL, and a
/// study that is none refuses the simulated tables. So statistics and documents are agreed on before anybody
/// sees a real score.
#[derive(Debug, Args)]
pub struct RehearseArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Folder that the protocol's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// New folder for the rehearsal [default: rehearsal in the study folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// AUC of the simulated device [default: what [[expected]] declares, else 0.9].
    #[arg(long, value_name = "AUC", conflicts_with_all = ["sensitivity", "specificity"])]
    auc: Option<f64>,
    /// Its sensitivity at the operating point; needs --specificity.
    #[arg(long, value_name = "P", requires = "specificity")]
    sensitivity: Option<f64>,
    /// Its specificity at the operating point; needs --sensitivity.
    #[arg(long, value_name = "P", requires = "sensitivity")]
    specificity: Option<f64>,
    /// The probability with which a simulated reader is right.
    #[arg(long, value_name = "P", default_value_t = 0.92)]
    reader_accuracy: f64,
    /// The probability that a case without a label of its source is positive.
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    prevalence: f64,
    /// Seed: the same seed and quality give the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Say what would be simulated, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: WhoArgs,
}

/// Runs the command.
///
/// # Errors
/// `option-out-of-range` for a quality outside (0, 1); `file-exists` for a folder that is there; whatever a
/// step reports.
pub fn run(args: &RehearseArgs, context: Context) -> Result<Outcome> {
    let study = Study::open(&args.study, args.data.as_deref(), None)?;
    let quality = quality(args, &study.protocol)?;
    // Refused before anything is written.
    args.who.outside(context)?;
    let folder = args.out.clone().unwrap_or_else(|| rehearsal::place(&study));
    let prepared = rehearsal::prepare(&study, &quality)?;
    let openings = study.ledger()?.count(Event::TestSetOpened);
    let device = match quality.device {
        Separation::Auc(auc) => format!("an AUC of {auc}"),
        Separation::AtPoint { sensitivity, specificity } => {
            format!("a sensitivity of {sensitivity} and a specificity of {specificity}")
        }
    };
    if openings > 0 {
        let times = format::times(openings);
        say("rehearse", &format!("the study's own test set was opened {times} already"));
    }
    if args.dry_run {
        if context.json {
            let report = serde_json::json!({
                "folder": folder, "cases": prepared.cases, "seed": quality.seed, "dry_run": true,
                "simulated": prepared.simulated.keys().map(ToString::to_string).collect::<Vec<_>>(),
            });
            println!("{report:#}");
            return Ok(Outcome::Done);
        }
        println!("would rehearse the study in {} with {} cases", folder.display(), prepared.cases);
        println!(
            "the device would have {device}, readers be right with a probability of {}",
            quality.reader_accuracy
        );
        println!("dry run: nothing was done");
        return Ok(Outcome::Done);
    }
    rehearsal::write(&study, &prepared, &folder)?;
    say(
        "rehearse",
        &format!("simulated scores and reads of {} cases: a device with {device}", prepared.cases),
    );
    match super::run::study(&folder, &args.who, context)? {
        // Whether simulated cases meet a criterion is no answer of the study.
        Outcome::Done | Outcome::CriterionNotMet => {}
        other => return Ok(other),
    }
    if !context.json {
        println!("REHEARSAL: scores and reads were simulated; the study and its ledger were not touched");
    }
    Ok(Outcome::Done)
}

/// What is said, or else what the protocol expects.
fn quality(args: &RehearseArgs, protocol: &Protocol) -> Result<Quality> {
    let expected = |metric: Metric| {
        let endpoint = protocol.endpoints.iter().find(|endpoint| endpoint.metric == metric)?;
        protocol.planning.of(endpoint).map(|expected| expected.value)
    };
    let at_point = |pair: (Option<f64>, Option<f64>)| match pair {
        (Some(sensitivity), Some(specificity)) => Some(Separation::AtPoint { sensitivity, specificity }),
        _ => None,
    };
    let device = at_point((args.sensitivity, args.specificity))
        .or(args.auc.map(Separation::Auc))
        .or_else(|| at_point((expected(Metric::Sensitivity), expected(Metric::Specificity))))
        .or_else(|| expected(Metric::Auc).map(Separation::Auc))
        .unwrap_or(Separation::Auc(0.9));
    let numbers = match device {
        Separation::Auc(auc) => vec![("--auc", auc)],
        Separation::AtPoint { sensitivity, specificity } => {
            vec![("--sensitivity", sensitivity), ("--specificity", specificity)]
        }
    };
    let others = [("--reader-accuracy", args.reader_accuracy), ("--prevalence", args.prevalence)];
    for (name, value) in numbers.into_iter().chain(others) {
        if !(value > 0.0 && value < 1.0) {
            let message = format!("{name} is {value}, must lie between 0 and 1, both excluded");
            return Err(Error::usage(Diagnostic::error(Code::OptionOutOfRange, message)));
        }
    }
    Ok(Quality {
        device,
        reader_accuracy: args.reader_accuracy,
        prevalence: args.prevalence,
        seed: args.seed,
    })
}
