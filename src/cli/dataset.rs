//! `sequester dataset`: reads the case tables, applies the criteria, draws and seals the cohort.

use clap::{Args, Subcommand};
use serde_json::json;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use super::{describe, folder, leakage, split};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::workflow::dataset;

/// Read the cases, apply inclusion and exclusion, draw the cohort and seal it.
///
/// The protocol is locked by this step: from here on, another protocol needs another study. The drawn
/// cohort is written to work/cohort.csv and its digest to the ledger. Repeating the step checks that
/// nothing has changed. `--dry-run` shows the same numbers and writes nothing.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct DatasetArgs {
    #[command(subcommand)]
    command: Option<DatasetCommand>,
    #[command(flatten)]
    study: Option<StudyArgs>,
    /// Show what would be drawn; lock and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    Describe(describe::DescribeArgs),
    Folder(folder::FolderArgs),
    Leakage(leakage::LeakageArgs),
    Split(split::SplitArgs),
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in protocol or tables; `Error::Lock` when sealed data have changed.
pub fn run(args: &DatasetArgs, context: Context) -> Result<Outcome> {
    match &args.command {
        Some(DatasetCommand::Describe(args)) => return describe::run(args, context),
        Some(DatasetCommand::Folder(args)) => return folder::run(args, context),
        Some(DatasetCommand::Leakage(args)) => return leakage::run(args, context),
        Some(DatasetCommand::Split(args)) => return split::run(args, context),
        None => {}
    }
    let Some(study) = &args.study else {
        let missing = Diagnostic::error(Code::StudyMissing, "no study folder is named");
        return Err(Error::usage(
            missing.hint("sequester dataset STUDY, or sequester dataset leakage TABLE TABLE"),
        ));
    };
    let study = study.open()?;
    let _alone = study.alone()?;
    let outside = args.who.outside(context)?;
    let cohort = dataset::draw(&study, &outside)?;
    if !args.dry_run {
        dataset::seal(&study, &cohort, &outside)?;
    }
    for warning in &cohort.warnings {
        eprintln!("{warning}");
    }
    let protocol = &study.protocol;
    let mut reasons = Vec::new();
    for (index, criterion) in protocol.eligibility.iter().enumerate() {
        let first = cohort.failed.iter().filter(|f| f.first() == Some(&index)).count();
        let any = cohort.failed.iter().filter(|f| f.contains(&index)).count();
        reasons
            .push(json!({"id": criterion.id, "reason": criterion.reason, "count": first, "count_any": any}));
    }
    let eligible = cohort.failed.iter().filter(|f| f.is_empty()).count();
    if context.json {
        let report = json!({
            "considered": cohort.cases.len(), "excluded": reasons, "eligible": eligible,
            "drawn": cohort.drawn.len(), "sealed": !args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("considered {:>7} cases", cohort.cases.len());
    for reason in &reasons {
        let text = reason["reason"].as_str().unwrap_or_default();
        println!("excluded   {:>7}  {text}", reason["count"]);
    }
    println!("eligible   {eligible:>7}");
    println!("drawn      {:>7}  into the cohort", cohort.drawn.len());
    let plain = protocol.sample.method.is_random() && protocol.sample.shortage.refuses();
    for stratum in cohort.draw.strata.iter().filter(|stratum| !plain && !stratum.name.is_empty()) {
        let weight = stratum.weight().filter(|_| !cohort.draw.stratum_of.is_empty());
        let weight = weight.map(|weight| format!(", each for {weight:.2}")).unwrap_or_default();
        println!("           {:>7}  of {} {}{weight}", stratum.drawn, stratum.pool, stratum.name);
    }
    if args.dry_run {
        println!("dry run: nothing was locked or written");
    } else {
        println!("sealed in {}", study.out.join("work/cohort.csv").display());
    }
    Ok(Outcome::Done)
}
