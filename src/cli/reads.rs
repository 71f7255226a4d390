//! `sequester reads`: brings in the readers' files and computes the consensus.

use clap::{Args, Subcommand};
use serde_json::json;

use super::agreement;
use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::reads::consensus::{Basis, Consensus};
use crate::study::{self, Step};
use crate::workflow::{dataset, reads};

/// Bring in the readers' files as they came and compute the consensus.
///
/// Shows who read how much, who is missing what, and how the consensus came about. The digests of the
/// files go to the ledger; a reader file that arrives later is brought in by repeating the step.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReadsArgs {
    #[command(subcommand)]
    command: Option<ReadsCommand>,
    #[command(flatten)]
    study: Option<StudyArgs>,
    /// Only show; record nothing in the ledger.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Subcommand)]
enum ReadsCommand {
    Agreement(agreement::AgreementArgs),
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the files.
pub fn run(args: &ReadsArgs, context: Context) -> Result<Outcome> {
    if let Some(ReadsCommand::Agreement(args)) = &args.command {
        return agreement::run(args, context);
    }
    let Some(study) = &args.study else {
        let missing = Diagnostic::error(Code::StudyMissing, "no study folder is named");
        return Err(Error::usage(
            missing.hint("sequester reads STUDY, or sequester reads agreement FILE.csv"),
        ));
    };
    let study = study.open()?;
    let outside = args.who.outside(context)?;
    let inputs = study.inputs(Step::Reads)?;
    outside.say("reads", "reading the readers' files");
    let cohort = study::cohort(&inputs)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    if !args.dry_run {
        dataset::seal(&study, &cohort, &outside)?;
        reads::lock(&study, &inputs, &outside)?;
    }
    let of = |wanted: Basis| {
        let is = |c: &&Consensus| matches!(c, Consensus::Reached { basis, .. } if *basis == wanted);
        reference.consensus.iter().filter(is).count()
    };
    let none: Vec<&str> = cohort
        .drawn_cases()
        .zip(&reference.consensus)
        .filter(|(_, c)| c.positive().is_none())
        .map(|(case, _)| case.case_id.as_str())
        .collect();
    let readers = reads::per_reader(&study, &cohort, &reference);
    let positive = reference.consensus.iter().filter(|c| c.positive() == Some(true)).count();
    if context.json {
        let report = json!({
            "cases": cohort.drawn.len(), "positive": positive,
            "negative": cohort.drawn.len() - positive - none.len(),
            "unanimous": of(Basis::Unanimous), "majority": of(Basis::Majority),
            "incomplete": of(Basis::Incomplete), "without_consensus": none,
            "readers": readers
                .iter()
                .map(|(id, reads, missing)| json!({"id": id, "reads": reads, "missing": missing}))
                .collect::<Vec<_>>(),
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!(
        "{} cases: {positive} positive, {} negative, {} without consensus",
        cohort.drawn.len(),
        cohort.drawn.len() - positive - none.len(),
        none.len()
    );
    println!(
        "unanimous {}, two of three {}, with an incomplete set of reads {}",
        of(Basis::Unanimous),
        of(Basis::Majority),
        of(Basis::Incomplete)
    );
    for (id, reads, missing) in &readers {
        match missing {
            Some(0) | None => println!("reader {id}: {reads} cases"),
            Some(missing) => println!("reader {id}: {reads} cases, {missing} missing"),
        }
    }
    if !none.is_empty() {
        println!("without consensus: {}", none.join(", "));
    }
    Ok(Outcome::Done)
}
