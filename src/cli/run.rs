//! `sequester run`: every step that is not done yet, in order.

use std::path::Path;

use clap::Args;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome, cores, say, score, train, validate, verify};
use crate::audit::{self, Beside, History};
use crate::diagnostic::{Error, Result};
use crate::evidence::ledger::Event;
use crate::report::Formats;
use crate::study::{self, Step};
use crate::workflow::outside::Outside;
use crate::workflow::study::Study;
use crate::workflow::train::study_request;
use crate::workflow::{self, check, dataset, lock, reads, report};

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
    /// Say which steps would be done; do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever a step reports.
pub fn run(args: &RunArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    if args.dry_run {
        return plan(&study, context);
    }
    let _alone = study.alone()?;
    let outside = args.who.outside(context)?;
    let cohort = dataset::draw(&study, &outside)?;
    for warning in &cohort.warnings {
        eprintln!("{warning}");
    }
    // A reader file that cannot be read is better known before the training than after it.
    let inputs = study.inputs(Step::Reads)?;
    let reference = study::reference_standard(&inputs, &cohort)?;
    for warning in reference.warnings.iter().chain(&check::unmatched(&study)) {
        eprintln!("{warning}");
    }
    dataset::seal(&study, &cohort, &outside)?;
    say("dataset", &format!("{} of {} cases are in the cohort", cohort.drawn.len(), cohort.cases.len()));
    if study.protocol.model.is_some() && make_model(&study, &outside, context)? {
        // The model came into being after the cohort was drawn.
        for warning in study::separate(&study.inputs(Step::Cohort)?, &cohort, None)? {
            eprintln!("{warning}");
        }
    }
    if !study.protocol.scores.external {
        let scored = workflow::score::score(
            &study,
            &cohort,
            |model| score::Place::processor().open(model, None),
            &outside,
        )?;
        let how = if scored.unchanged { "unchanged" } else { "done" };
        say("score", &format!("{how}: {} scored, {} refused by the gate", scored.scored, scored.refused));
    }
    reads::lock(&study, &inputs, &outside)?;
    let without = reference.consensus.iter().filter(|c| c.positive().is_none()).count();
    let readers = reads::per_reader(&study, &cohort, &reference).len();
    let none =
        if study.protocol.reference_standard.rule.is_vote() { "consensus" } else { "reference standard" };
    say("reads", &format!("{readers} readers; {without} cases without {none}"));

    let validated = workflow::validate::validate(&study, args.reason.as_deref(), &outside)?;
    let documents = report::reports_of(&validated.bundle);
    let files = report::render(&validated.bundle, &documents, Formats::All, &outside)?;
    say("verify", "recomputing everything from the bundle");
    let model = study.model_folder();
    let history = History::around(&validated.bundle)?;
    let audit = audit::audit(
        &validated.bundle,
        &Beside {
            reports: Some(&documents),
            model: Some(&model),
            history: history.as_ref(),
            ..Beside::default()
        },
    )?;
    if !context.json {
        verify::show(&audit, &validated.bundle, context);
        println!();
    }
    validate::show(&validated, context);
    if !context.json {
        for file in files.iter().filter(|f| f.ends_with(".html") || f.ends_with(".pdf")) {
            println!("document: {}", documents.join(file).display());
        }
        println!("verify with: sequester verify {}", study.out.display());
    }
    if !audit.holds() {
        return Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()));
    }
    Ok(validate::outcome(&validated.results))
}

/// Runs the study in a folder, as `sequester run FOLDER` does.
///
/// # Errors
/// As [`run`].
pub fn study(folder: &Path, who: &WhoArgs, context: Context) -> Result<Outcome> {
    let study = StudyArgs { folder: folder.to_path_buf(), data: None, out: None };
    run(&RunArgs { study, reason: None, who: who.clone(), dry_run: false }, context)
}

/// Whether the command will train: a study that cannot be opened does not.
pub fn trains(args: &RunArgs) -> bool {
    let open = || args.study.open().ok();
    !args.dry_run && open().is_some_and(|study| study.protocol.model.is_some() && !is_locked(&study))
}

fn is_locked(study: &Study) -> bool {
    study.model_folder().join("lock.json").is_file()
}

/// Trains and locks, unless the model is locked already; whether there is a new one.
fn make_model(study: &Study, outside: &Outside<'_>, context: Context) -> Result<bool> {
    if is_locked(study) {
        say("lock", "unchanged: the model is locked");
        return Ok(false);
    }
    let state = train::train_run(&study_request(study, cores())?, context.libtorch)?;
    if let Some(best) = &state.best {
        say("train", &format!("best epoch {}, tuning AUC {:.4}", best.epoch, best.tuning_auc));
    }
    let lock = lock::lock_study(study, outside)?;
    say(
        "lock",
        &format!("weights {}..., threshold {}", lock.weights.sha256.short(), lock.operating_point.threshold),
    );
    Ok(true)
}

/// Says which steps would be done.
fn plan(study: &Study, context: Context) -> Result<Outcome> {
    let ledger = study.ledger()?;
    let locked = is_locked(study);
    let scored = study.protocol.scores.file.below(&study.out).is_file();
    let mut steps = vec![("dataset", ledger.last(Event::TestSetSealed).is_some())];
    if study.protocol.model.is_some() {
        steps.extend([("train", locked), ("lock", locked)]);
    }
    if !study.protocol.scores.external {
        steps.push(("score", scored));
    }
    steps.push(("reads", ledger.last(Event::ReferenceStandardLocked).is_some()));
    let opened = ledger.count(Event::TestSetOpened);
    steps.extend([("validate", opened > 0), ("report", false), ("verify", false)]);
    if context.json {
        let steps: Vec<_> =
            steps.iter().map(|(step, done)| serde_json::json!({"step": step, "done": done})).collect();
        println!("{:#}", serde_json::json!({"steps": steps, "openings": opened}));
        return Ok(Outcome::Done);
    }
    for (step, done) in steps {
        println!(
            "{step:<9} {}",
            if done { "done before; its inputs are checked again" } else { "to be done" }
        );
    }
    println!("the test set was opened {opened} times; dry run: nothing was done");
    Ok(Outcome::Done)
}
