//! `sequester run`: every step that is not done yet, in order.

use std::path::Path;

use clap::Args;

use super::libtorch::Libtorch;
use super::score::{Opened, Place};
use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome, cores, train, validate, verify};
use crate::diagnostic::{Error, Result};
use crate::document::format;
use crate::model::run::RunState;
use crate::report::Formats;
use crate::workflow::run::{self, Engines};
use crate::workflow::study::Study;
use crate::workflow::train::study_request;

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
    #[command(flatten)]
    who: WhoArgs,
    /// Write the documents without PDF.
    #[arg(long)]
    no_pdf: bool,
    /// Say which steps would be done; do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Training with libtorch, where it is there, and scoring on this processor.
pub(super) struct Here<'a> {
    /// Training and graphics processors, where this program is linked with it.
    pub(super) libtorch: Option<&'a Libtorch>,
}

impl Engines for Here<'_> {
    type Device = Opened;

    fn train(&self, study: &Study) -> Result<RunState> {
        train::train_run(&study_request(study, cores())?, self.libtorch)
    }

    fn open(&self, model: &Path) -> Result<Opened> {
        Place::processor().open(model, None)
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever a step reports; `Error::Evidence` when the bundle that was written does not verify.
pub fn run(args: &RunArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    if args.dry_run {
        return show_plan(&study, context);
    }
    let _alone = study.alone()?;
    let outside = args.who.outside(context)?;
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let engines = Here { libtorch: context.libtorch };
    let ran = run::run(&study, args.reason.as_deref(), formats, &engines, &outside)?;
    if !context.json {
        verify::show(&ran.audit, &ran.validated.bundle, context);
        println!();
    }
    validate::show(&ran.validated, context);
    if !context.json {
        for file in ran.files.iter().filter(|f| f.ends_with(".html") || f.ends_with(".pdf")) {
            println!("document: {}", ran.documents.join(file).display());
        }
        println!("verify with: sequester verify {}", study.out.display());
    }
    if !ran.audit.holds() {
        let discrepancies = ran.audit.answers.into_iter().flat_map(|a| a.discrepancies).collect();
        return Err(Error::Evidence(discrepancies));
    }
    Ok(validate::outcome(&ran.validated.results))
}

/// Runs the study in a folder, as `sequester run FOLDER` does.
///
/// # Errors
/// As [`run`].
pub fn study(folder: &Path, who: &WhoArgs, context: Context) -> Result<Outcome> {
    let study = StudyArgs { folder: folder.to_path_buf(), data: None, out: None };
    run(&RunArgs { study, reason: None, who: who.clone(), no_pdf: false, dry_run: false }, context)
}

/// Whether the command will train: a study that cannot be opened does not.
pub fn trains(args: &RunArgs) -> bool {
    !args.dry_run && args.study.open().is_ok_and(|study| run::trains(&study))
}

/// Says which steps would be done.
fn show_plan(study: &Study, context: Context) -> Result<Outcome> {
    let (steps, opened) = run::plan(study)?;
    if context.json {
        let steps: Vec<_> = steps
            .iter()
            .map(|planned| serde_json::json!({"step": planned.step, "done": planned.done}))
            .collect();
        println!("{:#}", serde_json::json!({"steps": steps, "openings": opened}));
        return Ok(Outcome::Done);
    }
    for planned in steps {
        let what = if planned.done { "done before; its inputs are checked again" } else { "to be done" };
        println!("{:<9} {what}", planned.step);
    }
    println!("the test set was opened {}; dry run: nothing was done", format::times(opened));
    Ok(Outcome::Done)
}
