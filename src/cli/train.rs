//! `sequester train`: trains an experiment on development cases, and picks up where it was interrupted.

use std::path::{Path, PathBuf};

use clap::Args;

use super::case_tables::Format;
use super::context::from_one;
use super::libtorch::{self, Libtorch};
use super::{Context, Outcome, cores};
use crate::dataset::cases::{self, CaseFormat};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::model::lock::Lock;
use crate::model::run::RunState;
use crate::report::comparison;
use crate::storage::{self, Alone};
use crate::workflow::compare::epochs;
use crate::workflow::study::{Study, run_folder};
use crate::workflow::train::{Store, TrainRequest, study_request};

/// Train a network as an experiment file declares.
///
/// With STUDY, experiment and development cases are those of its protocol, and the run lies in
/// model/run. Without, every path is given. Patients, not images, are divided into training and
/// tuning. The weights of the epoch with the best tuning AUC are kept for `sequester lock`. Ctrl-C
/// keeps what is done; the same command continues, with the same result as without the
/// interruption, on any number of workers.
///
///   sequester train my-study
///
///   sequester train --experiment protocols/exp-2a.toml --case-table dev.csv --images images --out model
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TrainArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY", required_unless_present = "case_table", conflicts_with = "case_table")]
    study: Option<PathBuf>,
    /// Folder that the study's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR", requires = "study")]
    data: Option<PathBuf>,
    /// Study: folder for everything that is written [default: the study folder]. Otherwise: the model's
    /// folder.
    #[arg(long, value_name = "DIR", required_unless_present = "study")]
    out: Option<PathBuf>,
    /// Experiment file [default: the one the study's protocol names].
    #[arg(long, value_name = "FILE", required_unless_present = "study")]
    experiment: Option<PathBuf>,
    /// Table of development cases.
    #[arg(long, alias = "cases", value_name = "FILE", requires = "images")]
    case_table: Option<PathBuf>,
    /// Table of tuning cases; --case-table then is for training alone. Otherwise the experiment's split
    /// divides them.
    #[arg(long, alias = "tuning", value_name = "FILE", requires = "case_table")]
    tuning_table: Option<PathBuf>,
    /// Format of the tables [default: what the header says].
    #[arg(long, value_name = "FORMAT", value_enum, requires = "case_table")]
    format: Option<Format>,
    /// NIH format: findings that make a label positive.
    #[arg(
        long,
        alias = "positive-finding",
        value_name = "FINDING",
        default_value = "Pneumonia",
        requires = "case_table"
    )]
    positive: Vec<String>,
    /// Folder that the image paths are relative to.
    #[arg(long, value_name = "DIR", requires = "case_table")]
    images: Option<PathBuf>,
    /// Start from this .safetensors file, or from `random` weights, whatever the experiment says; the lock
    /// records it.
    #[arg(long, value_name = "FILE|random")]
    initial_weights: Option<PathBuf>,
    /// Images that are worked on at a time, each on one thread [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = from_one())]
    workers: Option<usize>,
    /// Compute frozen layers in every epoch instead of storing their output: slower, less disk, same result.
    #[arg(long, conflicts_with = "cache")]
    no_store: bool,
    /// Keep resized images and the output of frozen layers here, for other trainings with the same images and
    /// frozen layers; `sequester cache` lists and removes them [default: in the run, removed when it is
    /// complete].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Where the network runs: cpu, cuda or cuda:N. Digests are comparable on the same device alone.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
}

/// Whether the network runs on a graphics processor.
pub fn on_graphics_processor(args: &TrainArgs) -> bool {
    args.device != "cpu"
}

/// Where the output of frozen layers is to be stored.
fn store_of(args: &TrainArgs) -> Store {
    match &args.cache {
        Some(folder) => Store::Shared(folder.clone()),
        None if args.no_store => Store::No,
        None => Store::Run,
    }
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with experiment, cases and images, all of a kind at once; `Error::Lock` when the model
/// is locked already; `Error::Interrupted` after saving.
pub fn run(args: &TrainArgs, context: Context) -> Result<Outcome> {
    let request = request(args)?;
    // A folder that is not there yet is nobody's; it is made when all is found to be well.
    let folder = args.study.as_ref().map_or(&request.out, |study| args.out.as_ref().unwrap_or(study));
    let _alone = if folder.exists() { Some(Alone::in_folder(folder, &["model", "run"])?) } else { None };
    let state = train_run(&request, context.libtorch)?;
    show(&state, &run_folder(&request.out), context);
    Ok(Outcome::Done)
}

fn request(args: &TrainArgs) -> Result<TrainRequest> {
    if let Some(folder) = &args.study {
        let study = Study::open(folder, args.data.as_deref(), args.out.as_deref())?;
        let mut request = study_request(&study, args.workers.unwrap_or_else(cores))?;
        if let Some(experiment) = &args.experiment {
            request.experiment.clone_from(experiment);
        }
        request.initial_weights.clone_from(&args.initial_weights);
        request.store = store_of(args);
        request.device.clone_from(&args.device);
        return Ok(request);
    }
    let (Some(table), Some(images), Some(experiment), Some(out)) =
        (&args.case_table, &args.images, &args.experiment, &args.out)
    else {
        return Err(Error::usage(Diagnostic::error(
            Code::Usage,
            "without a study, --case-table, --images, --experiment and --out are all needed",
        )));
    };
    let read = |path: &Path| {
        let format = args.format.map(CaseFormat::from);
        let table = cases::parse_as(path, &storage::read(path)?, format, &args.positive);
        table.map(|table| table.cases).map_err(Error::Input)
    };
    Ok(TrainRequest {
        experiment: experiment.clone(),
        cases: read(table)?,
        tuning: args.tuning_table.as_deref().map(read).transpose()?,
        images: images.clone(),
        out: out.clone(),
        initial_weights: args.initial_weights.clone(),
        workers: args.workers.unwrap_or_else(cores),
        store: store_of(args),
        device: args.device.clone(),
    })
}

/// Trains, or continues, with progress on standard error. A complete run with the same inputs is given back
/// as it is.
///
/// # Errors
/// As [`run`]; `torch-missing` without libtorch.
pub fn train_run(request: &TrainRequest, libtorch: Option<&Libtorch>) -> Result<RunState> {
    Lock::refuse_second(&request.out)?;
    let libtorch = libtorch.ok_or_else(|| libtorch::missing("train"))?;
    let state = (libtorch.train)(request)?;
    let svg = comparison::training_svg(&state.inputs.experiment.id, &epochs(&state.history));
    storage::write_atomic(&run_folder(&request.out).join("training.svg"), svg.as_bytes())?;
    Ok(state)
}

fn show(state: &RunState, run: &Path, context: Context) {
    let Some(best) = &state.best else { return };
    let inputs = &state.inputs;
    if context.json {
        let report = serde_json::json!({
            "run": run, "epochs": state.epochs_done, "best_epoch": best.epoch,
            "best_tuning_auc": best.tuning_auc, "weights_sha256": best.weights.sha256,
            "initial_weights": inputs.initial_weights.describe(),
            "training": inputs.training, "tuning": inputs.tuning,
        });
        println!("{report:#}");
        return;
    }
    println!("experiment       {} ({})", inputs.experiment.id, inputs.experiment.title);
    println!("initial weights  {}", inputs.initial_weights.describe());
    for (name, side) in [("training", &inputs.training), ("tuning", &inputs.tuning)] {
        println!(
            "{name:<16} {} images of {} patients, {} positive",
            side.cases, side.patients, side.positives
        );
    }
    println!(
        "best epoch       {} of {}, tuning AUC {:.4}: it chose the epoch, it is no performance claim",
        best.epoch, state.epochs_done, best.tuning_auc
    );
    println!("weights          {} (SHA-256 {})", run.join(&best.weights.file).display(), best.weights.sha256);
    println!("next             sequester lock");
}
