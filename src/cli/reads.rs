//! `sequester reads`: brings in the readers' files and computes the reference standard.

use clap::{Args, Subcommand};
use serde_json::json;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome, agreement, import, mrmc, page, reference, status, worklist};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::protocol::ReaderRole;
use crate::study::{self, Step};
use crate::workflow::{amendment, check, dataset, reads};

/// Bring in the readers' files as they came and compute the reference standard.
///
/// Shows who read how much, in which role, who is missing what, how the reference standard came about and
/// which cases have none, by reason. The digests of the files go to the ledger; a reader file that arrives
/// later is brought in by repeating the step. `reads reference` gives the reference standard case by case.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReadsArgs {
    #[command(subcommand)]
    command: Option<ReadsCommand>,
    #[command(flatten)]
    study: Option<StudyArgs>,
    /// Why words or columns of [reads] were mended after the protocol was locked; possible until the test set
    /// is opened.
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run")]
    reason: Option<String>,
    /// Only show; record nothing in the ledger.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Subcommand)]
enum ReadsCommand {
    Agreement(agreement::AgreementArgs),
    Import(import::ImportArgs),
    Mrmc(Box<mrmc::MrmcArgs>),
    Page(page::PageArgs),
    Reference(reference::ReferenceArgs),
    Status(status::StatusArgs),
    Worklist(worklist::WorklistArgs),
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the files.
pub fn run(args: &ReadsArgs, context: Context) -> Result<Outcome> {
    match &args.command {
        Some(ReadsCommand::Agreement(args)) => return agreement::run(args, context),
        Some(ReadsCommand::Import(args)) => return import::run(args, context),
        Some(ReadsCommand::Mrmc(args)) => return mrmc::run(args, context),
        Some(ReadsCommand::Page(args)) => return page::run(args, context),
        Some(ReadsCommand::Reference(args)) => return reference::run(args, context),
        Some(ReadsCommand::Status(args)) => return status::run(args, context),
        Some(ReadsCommand::Worklist(args)) => return worklist::run(args, context),
        None => {}
    }
    let Some(study) = &args.study else {
        let missing = Diagnostic::error(Code::StudyMissing, "no study folder is named");
        return Err(Error::usage(
            missing.hint("sequester reads STUDY, or sequester reads agreement FILE.csv"),
        ));
    };
    let study = study.open()?;
    let _alone = study.alone()?;
    let outside = args.who.outside(context)?;
    let inputs = study.inputs(Step::Reads)?;
    outside.say("reads", "reading the readers' files");
    let cohort = study::cohort(&inputs)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    if let Some(reason) = args.reason.as_deref().filter(|reason| !reason.trim().is_empty()) {
        let amended = amendment::mend_reads(&study, reason, &outside)?;
        outside.say(
            "reads",
            if amended {
                "the protocol is locked again, with other words or columns in [reads]"
            } else {
                "the protocol is as it was locked, or not locked yet: no reason is needed or recorded"
            },
        );
    }
    if !args.dry_run {
        dataset::seal(&study, &cohort, &outside)?;
        reads::lock(&study, &inputs, &outside)?;
    }
    for warning in reference.warnings.iter().chain(&check::unmatched(&study)) {
        eprintln!("{warning}");
    }
    let none: Vec<&str> = cohort
        .drawn_cases()
        .zip(&reference.consensus)
        .filter(|(_, c)| c.positive().is_none())
        .map(|(case, _)| case.case_id.as_str())
        .collect();
    let readers = reads::per_reader(&study, &cohort, &reference);
    let positive = reference.consensus.iter().filter(|c| c.positive() == Some(true)).count();
    if context.json {
        let mut report = json!({
            "cases": cohort.drawn.len(), "positive": positive,
            "negative": cohort.drawn.len() - positive - none.len(),
            "without_consensus": none,
            "readers": readers.iter()
                .map(|r| json!({"id": r.id, "role": r.role.name(), "reads": r.reads, "missing": r.missing}))
                .collect::<Vec<_>>(),
        });
        if let (Some(report), Some(levels)) =
            (report.as_object_mut(), reference::levels_json(&reference).as_object())
        {
            report.extend(levels.clone());
        }
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("{}", reference::told(&study, &cohort, &reference));
    for reader in &readers {
        let role = if reader.role == ReaderRole::Reference { "reader" } else { reader.role.name() };
        match reader.missing {
            Some(0) | None => println!("{role} {}: {} cases", reader.id, reader.reads),
            Some(missing) => println!("{role} {}: {} cases, {missing} missing", reader.id, reader.reads),
        }
    }
    Ok(Outcome::Done)
}
