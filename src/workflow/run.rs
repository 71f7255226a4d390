//! A study from its files to verified documents: every step that is not done yet, in order.

use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::study::Study;
use super::validate::{Validated, validate};
use super::{check, custody, dataset, lock, reads, report, score, spelling};
use crate::audit::{self, Audit, Beside, History};
use crate::dataset::ages::too_old;
use crate::diagnostic::{Error, Result};
use crate::evidence::ledger::Event;
use crate::model::run::RunState;
use crate::report::Formats;
use crate::study::{self, Step};

/// What runs the network: the one thing that a study needs and the library does not hold.
pub trait Engines {
    /// Where a locked model scores.
    type Device: score::Device;

    /// Trains what the protocol declares, or goes on with it; the run lies in the model's folder.
    ///
    /// # Errors
    /// What is wrong with the experiment or its images; `torch-missing`.
    fn train(&self, study: &Study) -> Result<RunState>;

    /// Opens the locked model of a folder.
    ///
    /// # Errors
    /// `Error::Lock` when it is not locked or not what was locked.
    fn open(&self, model: &Path) -> Result<Self::Device>;
}

/// A study that has been run.
#[derive(Debug)]
pub struct Ran {
    /// The bundle and its results.
    pub validated: Validated,
    /// What the auditor says of it.
    pub audit: Audit,
    /// Folder of the documents.
    pub documents: PathBuf,
    /// The files in it, as relative paths.
    pub files: Vec<String>,
}

/// A step of a study, and whether it was done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The subcommand that does the step alone.
    pub step: &'static str,
    /// Done before: only its inputs are looked at again.
    pub done: bool,
}

/// Does every step whose outputs are not there, or whose inputs have changed. `reason` is why the test set is
/// opened again.
///
/// # Errors
/// Whatever a step reports. A bundle that does not verify is none: see [`Ran::audit`].
pub fn run(
    study: &Study,
    reason: Option<&str>,
    formats: Formats,
    engines: &impl Engines,
    outside: &Outside<'_>,
) -> Result<Ran> {
    custody::reads_are_here(study)?;
    let cohort = dataset::draw(study, outside)?;
    outside.warn(&cohort.warnings);
    outside.warn(&too_old(None, &cohort.cases).into_iter().collect::<Vec<_>>());
    outside.warn(&spelling::of_cases(&cohort));
    // A reader file that cannot be read is better known before the training than after it.
    let inputs = study.inputs(Step::Reads)?;
    let misspelt = spelling::of_reads(&inputs, &cohort);
    if !misspelt.is_empty() {
        return Err(Error::Input(misspelt));
    }
    let reference = study::reference_standard(&inputs, &cohort)?;
    outside.warn(&reference.warnings);
    if formats == Formats::All {
        check::have_fonts(study, &cohort, &reference.assembled.readers)?;
    }
    outside.warn(&check::unmatched(study));
    dataset::seal(study, &cohort, outside)?;
    outside
        .say("dataset", &format!("{} of {} cases are in the cohort", cohort.drawn.len(), cohort.cases.len()));
    if study.protocol.model.is_some() && make_model(study, engines, outside)? {
        // The model came into being after the cohort was drawn.
        outside.warn(&study::separate(&study.inputs(Step::Cohort)?, &cohort, None)?);
    }
    if !study.protocol.scores.external {
        let scored = score::score(study, &cohort, |model| engines.open(model), outside)?;
        let how = if scored.unchanged { "unchanged" } else { "done" };
        outside.say(
            "score",
            &format!("{how}: {} scored, {} refused by the gate", scored.scored, scored.refused),
        );
    }
    reads::lock(study, &inputs, outside)?;
    let without = reference.consensus.iter().filter(|c| c.positive().is_none()).count();
    let readers = reads::per_reader(study, &cohort, &reference).len();
    let none =
        if study.protocol.reference_standard.rule.is_vote() { "consensus" } else { "reference standard" };
    outside.say("reads", &format!("{readers} readers; {without} cases without {none}"));

    // Of a large study these are most of the memory, and what comes reads its own.
    drop((inputs, cohort, reference));
    let validated = validate(study, reason, outside)?;
    let documents = report::reports_of(&validated.bundle);
    let files = report::render(&validated.bundle, &documents, None, formats, outside)?;
    outside.say("verify", "recomputing everything from the bundle");
    let model = study.model_folder();
    let history = History::around(&validated.bundle)?;
    let beside = Beside {
        reports: Some(&documents),
        model: Some(&model),
        history: history.as_ref(),
        ..Beside::default()
    };
    let audit = audit::audit(&validated.bundle, &beside)?;
    Ok(Ran { validated, audit, documents, files })
}

/// The steps in order, and how often the test set was opened.
///
/// # Errors
/// A ledger that is not one.
pub fn plan(study: &Study) -> Result<(Vec<Planned>, usize)> {
    let ledger = study.ledger()?;
    let locked = is_locked(study);
    let planned = |step, done| Planned { step, done };
    let mut steps = vec![planned("dataset", ledger.last(Event::TestSetSealed).is_some())];
    if study.protocol.model.is_some() {
        steps.extend([planned("train", locked), planned("lock", locked)]);
    }
    if !study.protocol.scores.external {
        steps.push(planned("score", study.protocol.scores.file.below(&study.out).is_file()));
    }
    steps.push(planned("reads", ledger.last(Event::ReferenceStandardLocked).is_some()));
    let openings = ledger.count(Event::TestSetOpened);
    steps.push(planned("validate", openings > 0));
    steps.extend([planned("report", false), planned("verify", false)]);
    Ok((steps, openings))
}

/// Whether a run would train.
pub fn trains(study: &Study) -> bool {
    study.protocol.model.is_some() && !is_locked(study)
}

fn is_locked(study: &Study) -> bool {
    study.model_folder().join("lock.json").is_file()
}

/// Trains and locks, unless the model is locked already; whether there is a new one.
fn make_model(study: &Study, engines: &impl Engines, outside: &Outside<'_>) -> Result<bool> {
    if is_locked(study) {
        outside.say("lock", "unchanged: the model is locked");
        return Ok(false);
    }
    let state = engines.train(study)?;
    if let Some(best) = &state.best {
        outside.say("train", &format!("best epoch {}, tuning AUC {:.4}", best.epoch, best.tuning_auc));
    }
    let lock = lock::lock_study(study, outside)?;
    let (weights, threshold) = (lock.weights.sha256.short(), lock.operating_point.threshold);
    outside.say("lock", &format!("weights {weights}..., threshold {threshold}"));
    Ok(true)
}
