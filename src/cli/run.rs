//! `sequester run`: every step that is not done yet, in order.

use clap::Args;

use super::study::{Study, StudyArgs};
use super::{Context, Outcome, dataset, reads, report, say, validate, verify};
use crate::audit;
use crate::diagnostic::{Error, Result};
use crate::study::{self, Step};

/// Run a study: dataset, train, lock, score, reads, validate, report, verify.
///
/// A step that is done and whose inputs have not changed is not done again, so an interrupted run picks
/// up where it stopped. Ends with exit code 10 when a primary endpoint is not met.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Why the test set is opened again, when inputs have changed since it was opened.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say which steps would be done; do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever a step reports.
pub fn run(args: &RunArgs, context: Context) -> Result<Outcome> {
    let study = Study::open(&args.study)?;
    let _ = args.dry_run;
    let cohort = dataset::draw(&study)?;
    for warning in &cohort.warnings {
        eprintln!("{warning}");
    }
    dataset::seal(&study, &cohort, context)?;
    say("dataset", &format!("{} of {} cases are in the cohort", cohort.drawn.len(), cohort.cases.len()));

    let inputs = study.inputs(Step::Reads)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    reads::lock(&study, &inputs, context)?;
    let without = reference.consensus.iter().filter(|c| c.positive().is_none()).count();
    say(
        "reads",
        &format!("{} readers; {without} cases without consensus", reference.assembled.readers.len()),
    );

    let validated = validate::validate(&study, args.reason.as_deref(), context)?;
    let documents = report::reports_of(&validated.bundle);
    let files = report::render(&validated.bundle, &documents)?;
    say("verify", "recomputing everything from the bundle");
    let model = study.model_folder();
    let audit = audit::audit(&validated.bundle, Some(&documents), Some(&model), None)?;
    if !context.json {
        verify::show(&audit, &validated.bundle, context);
        println!();
    }
    validate::show(&validated, context);
    if !context.json {
        for file in files.iter().filter(|f| f.starts_with("report.")) {
            println!("document: {}", documents.join(file).display());
        }
        println!("verify with: sequester verify {}", study.out.display());
    }
    if !audit.holds() {
        return Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()));
    }
    Ok(validate::outcome(&validated.results))
}
