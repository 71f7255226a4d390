//! `sequester train`: trains an experiment on development cases, and picks up where it was interrupted.

use std::path::{Path, PathBuf};

use clap::Args;

use super::study::{Study, StudyArgs};
use super::{Context, Outcome, cores};
use crate::dataset::case::Case;
use crate::dataset::cases::{self, CaseFormat};
use crate::diagnostic::{Diagnostic, Error, Location, Result};
use crate::model::lock::Lock;
use crate::model::run::RunState;
use crate::report::figures;
use crate::storage;

/// Train a network as an experiment file declares.
///
/// With STUDY, experiment and development cases are those of its protocol, and the run lies in model/run.
/// Without, every path is given. Patients, not images, are divided into training and tuning. The weights of
/// the epoch with the best tuning AUC are kept for `sequester lock`. Ctrl-C keeps what is done; the same
/// command continues, with the same result as without the interruption, on any number of workers.
///
///   sequester train my-study
///
///   sequester train --experiment protocols/exp-2a.toml --cases dev.csv --images images --out model
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY", required_unless_present = "cases", conflicts_with = "cases")]
    study: Option<PathBuf>,
    /// Folder that the study's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR", requires = "study")]
    data: Option<PathBuf>,
    /// Study: folder for everything that is written [default: the study folder]. Otherwise: the model's folder.
    #[arg(long, value_name = "DIR", required_unless_present = "study")]
    out: Option<PathBuf>,
    /// Experiment file [default: the one the study's protocol names].
    #[arg(long, value_name = "FILE", required_unless_present = "study")]
    experiment: Option<PathBuf>,
    /// Table of development cases.
    #[arg(long, value_name = "FILE", requires = "images")]
    cases: Option<PathBuf>,
    /// Table of tuning cases; --cases then is for training alone. Otherwise the experiment's split divides them.
    #[arg(long, value_name = "FILE", requires = "cases")]
    tuning: Option<PathBuf>,
    /// Format of the tables.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "cases", requires = "cases")]
    format: Format,
    /// NIH format: findings that make a label positive.
    #[arg(long, value_name = "NAME", default_value = "Pneumonia", requires = "cases")]
    positive_finding: Vec<String>,
    /// Folder that the image paths are relative to.
    #[arg(long, value_name = "DIR", requires = "cases")]
    images: Option<PathBuf>,
    /// Start from this .safetensors file, or from `random` weights, whatever the experiment says; the lock records it.
    #[arg(long, value_name = "FILE|random")]
    initial_weights: Option<PathBuf>,
    /// Images that are worked on at a time, each on one thread [default: the number of cores].
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Compute frozen layers in every epoch instead of storing their output: slower, less disk, same result.
    #[arg(long, conflicts_with = "cache")]
    no_store: bool,
    /// Keep resized images and the output of frozen layers here, for other trainings with the same images and frozen
    /// layers; `sequester cache` lists and removes them [default: in the run, removed when it is complete].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Where the network runs: cpu, cuda or cuda:N. Digests are comparable on the same device alone.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Cases,
    Nih,
}

/// Where the output of frozen layers is stored.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "torch"), expect(dead_code, reason = "read where libtorch is"))]
pub enum Store {
    /// Nowhere: it is computed each time.
    No,
    /// In the run's folder, until the training is complete.
    Run,
    /// In a folder that several trainings share.
    Shared(PathBuf),
}

impl Store {
    fn of(args: &TrainArgs) -> Self {
        match &args.cache {
            Some(folder) => Self::Shared(folder.clone()),
            None if args.no_store => Self::No,
            None => Self::Run,
        }
    }
}

/// What a training starts from.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "torch"), expect(dead_code, reason = "read where libtorch is"))]
pub struct TrainRequest {
    /// The experiment file.
    pub experiment: PathBuf,
    /// Development cases; training cases alone where `tuning` is given.
    pub cases: Vec<Case>,
    /// Tuning cases, where the split is given and not drawn.
    pub tuning: Option<Vec<Case>>,
    /// Folder that image paths are relative to.
    pub images: PathBuf,
    /// The model's folder; the run lies below it in `run`.
    pub out: PathBuf,
    /// Instead of the experiment's: a file, or `random`.
    pub initial_weights: Option<PathBuf>,
    /// Workers; does not change results.
    pub workers: usize,
    /// Where the output of frozen layers is stored; `None`: it is not. Does not change results.
    pub store: Store,
    /// `cpu`, or a graphics processor.
    pub device: String,
}

/// Folder of the run within the model's folder.
pub fn run_folder(model: &Path) -> PathBuf {
    model.join("run")
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with experiment, cases and images, all of a kind at once; `Error::Lock` when the model is
/// locked already; `Error::Interrupted` after saving.
pub fn run(args: &TrainArgs, context: Context) -> Result<Outcome> {
    let request = request(args)?;
    let state = train_run(&request)?;
    show(&state, &run_folder(&request.out), context);
    Ok(Outcome::Done)
}

fn request(args: &TrainArgs) -> Result<TrainRequest> {
    if let Some(folder) = &args.study {
        let study = Study::open(&StudyArgs {
            folder: folder.clone(),
            data: args.data.clone(),
            out: args.out.clone(),
        })?;
        let mut request = study_request(&study, args.workers)?;
        if let Some(experiment) = &args.experiment {
            request.experiment.clone_from(experiment);
        }
        request.initial_weights.clone_from(&args.initial_weights);
        request.store = Store::of(args);
        request.device.clone_from(&args.device);
        return Ok(request);
    }
    let (Some(table), Some(images), Some(experiment), Some(out)) =
        (&args.cases, &args.images, &args.experiment, &args.out)
    else {
        return Err(Error::usage(Diagnostic::error(
            "usage",
            "without a study, --cases, --images, --experiment and --out are all needed",
        )));
    };
    let format = match args.format {
        Format::Cases => CaseFormat::Cases,
        Format::Nih => CaseFormat::Nih,
    };
    let read = |path: &Path| cases::read(path, format, &args.positive_finding).map(|table| table.cases);
    Ok(TrainRequest {
        experiment: experiment.clone(),
        cases: read(table)?,
        tuning: args.tuning.as_deref().map(read).transpose()?,
        images: images.clone(),
        out: out.clone(),
        initial_weights: args.initial_weights.clone(),
        workers: args.workers.unwrap_or_else(cores),
        store: Store::of(args),
        device: args.device.clone(),
    })
}

/// What a study's protocol declares.
///
/// # Errors
/// `model-not-declared` when the protocol trains no model, and what the table reports.
pub fn study_request(study: &Study, workers: Option<usize>) -> Result<TrainRequest> {
    let protocol = Location::file(study.folder.join("protocol.toml"));
    let (Some(model), Some(development)) = (&study.protocol.model, &study.protocol.data.development) else {
        return Err(Diagnostic::error("model-not-declared", "the protocol trains no model")
            .at(protocol)
            .hint("declare `[model] experiment = \"experiment.toml\"` and `data.development`")
            .into());
    };
    let Some(images) = &study.protocol.data.images else {
        return Err(Diagnostic::error("images-missing", "the protocol names no image folder")
            .at(protocol)
            .hint("add `images = \"images\"` to [data]")
            .into());
    };
    let table = cases::read(
        &development.path.below(&study.data),
        development.format,
        &development.positive_findings,
    )?;
    Ok(TrainRequest {
        experiment: model.experiment.below(&study.folder),
        cases: table.cases,
        tuning: None,
        images: images.below(&study.data),
        out: study.model_folder(),
        initial_weights: None,
        workers: workers.unwrap_or_else(cores),
        store: Store::Run,
        device: "cpu".to_owned(),
    })
}

/// Trains, or continues, with progress on standard error. A complete run with the same inputs is given back as it is.
///
/// # Errors
/// As [`run`].
pub fn train_run(request: &TrainRequest) -> Result<RunState> {
    Lock::refuse_second(&request.out)?;
    let state = torch::train_run(request)?;
    let svg = figures::comparison::training_svg(
        &state.inputs.experiment.id,
        &super::compare::epochs(&state.history),
    );
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

#[cfg(not(feature = "torch"))]
mod torch {
    use super::{Result, RunState, TrainRequest};
    use crate::cli::torch_missing;

    pub fn train_run(_: &TrainRequest) -> Result<RunState> {
        Err(torch_missing("train").into())
    }
}

#[cfg(feature = "torch")]
mod torch {
    use std::path::Path;
    use std::time::Instant;

    use indicatif::{ProgressBar, ProgressStyle};

    use super::{Case, Diagnostic, Error, Location, Result, RunState, Store, TrainRequest, run_folder};
    use crate::analysis::roc;
    use crate::cli::{interrupted, say};
    use crate::dataset::split;
    use crate::digest::Digest;
    use crate::model::experiment::{Experiment, InitialWeights};
    use crate::model::prepare::prepare;
    use crate::model::random;
    use crate::model::run::{InitialStatement, Inputs, Sample, manifest};
    use crate::model::torch::{LIBTORCH_VERSION, Progress, TrainInput, device, train};
    use crate::model::weights::{self, Weights};
    use crate::storage;

    pub fn train_run(request: &TrainRequest) -> Result<RunState> {
        let device = device(&request.device)?;
        let (experiment, experiment_sha256) = Experiment::read(&request.experiment)?;
        let (training, tuning) = sides(request, &experiment)?;
        let (initial, statement) = initial_weights(request, &experiment)?;
        say("train", &format!("experiment {}: {}", experiment.id, statement.describe()));

        let run = run_folder(&request.out);
        let mut samples = samples(&training, &request.images)?;
        let training_count = samples.len();
        samples.extend(self::samples(&tuning, &request.images)?);
        let bar = bar("reading images", samples.len());
        let preprocessing = experiment.preprocessing.clone();
        let cache = match &request.store {
            Store::Shared(folder) => folder.clone(),
            Store::Run | Store::No => run.join("cache"),
        };
        let planes = prepare(&samples, &preprocessing, &cache, request.workers, interrupted(), |done| {
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();

        let (training_samples, tuning_samples) = samples.split_at(training_count);
        let (training_digests, tuning_digests) = planes.digests.split_at(training_count);
        let (training_table, training_side) = manifest(training_samples, training_digests)?;
        let (tuning_table, tuning_side) = manifest(tuning_samples, tuning_digests)?;
        let synthetic = training.iter().chain(&tuning).any(|case| case.is_synthetic());
        let inputs = Inputs {
            experiment,
            experiment_sha256,
            initial_weights: statement,
            training: training_side,
            tuning: tuning_side,
            synthetic,
        };
        let state = match RunState::read(&run)? {
            None => {
                storage::write_atomic(&run.join("experiment.toml"), &storage::read(&request.experiment)?)?;
                storage::write_atomic(&run.join("training-manifest.csv"), &training_table)?;
                storage::write_atomic(&run.join("tuning-manifest.csv"), &tuning_table)?;
                let state = RunState::new(inputs, LIBTORCH_VERSION.to_owned());
                state.write(&run)?;
                state
            }
            Some(state) => {
                let differences = state.differences(&inputs, LIBTORCH_VERSION);
                if !differences.is_empty() {
                    let message =
                        format!("this folder holds another run; what differs: {}", differences.join(", "));
                    return Err(Diagnostic::error("run-of-another", message)
                        .at(Location::file(&run))
                        .hint("train in another folder, or move this one away")
                        .into());
                }
                state
            }
        };
        let begun = Instant::now();
        let mut screen = Screen::new(&state, training_count);
        let input = TrainInput {
            run: &run,
            state,
            initial,
            training: training_samples,
            tuning: tuning_samples,
            plane: &|index| planes.plane(index),
            workers: request.workers,
            store: (!matches!(request.store, Store::No)).then_some(cache.as_path()),
            device,
            auc: &roc::auc,
            stop: interrupted(),
            seconds: &|| begun.elapsed().as_secs_f64(),
        };
        let state = train(input, &mut |progress| screen.show(progress))?;
        screen.bar.finish_and_clear();
        let _ = std::fs::remove_dir_all(run.join("cache"));
        Ok(state)
    }

    /// Training and tuning cases, drawn or given, with both classes on both sides.
    fn sides(request: &TrainRequest, experiment: &Experiment) -> Result<(Vec<Case>, Vec<Case>)> {
        let Some(tuning) = &request.tuning else {
            let split = split::by_patient(&request.cases, experiment.split)?;
            let pick = |places: &[usize]| places.iter().map(|&place| request.cases[place].clone()).collect();
            return Ok((pick(&split.training), pick(&split.tuning)));
        };
        split::check_separate(&request.cases, tuning)?;
        split::check_classes("training", &request.cases)?;
        split::check_classes("tuning", tuning)?;
        Ok((request.cases.clone(), tuning.clone()))
    }

    fn samples(cases: &[Case], images: &Path) -> Result<Vec<Sample>> {
        let folder = crate::dataset::image_folder::ImageFolder::open(images)?;
        let mut samples = Vec::with_capacity(cases.len());
        let mut without = Vec::new();
        for case in cases {
            match &case.image {
                Some(image) => samples.push(Sample {
                    case_id: case.case_id.clone(),
                    patient_id: case.patient_id.clone(),
                    label: case.source_label == Some(true),
                    image: folder.inside(image)?,
                }),
                None => without.push(case.case_id.as_str()),
            }
        }
        if without.is_empty() {
            return Ok(samples);
        }
        let shown = without.iter().take(12).copied().collect::<Vec<_>>().join(", ");
        let message = format!("{} development cases name no image: {shown}", without.len());
        Err(Diagnostic::error("image-missing", message)
            .hint("fill the column `image`, relative to the image folder")
            .into())
    }

    /// The weights to begin with, complete with a head, and what to say of them.
    fn initial_weights(
        request: &TrainRequest,
        experiment: &Experiment,
    ) -> Result<(Weights, InitialStatement)> {
        let declared = experiment.initial_weights.clone();
        let beside = request.experiment.parent().unwrap_or(Path::new("."));
        let (path, sha256) = match (&request.initial_weights, declared) {
            (Some(given), _) if given.as_os_str() == "random" => (None, None),
            (Some(given), _) => (Some(given.clone()), None),
            (None, InitialWeights::Random) => (None, None),
            (None, InitialWeights::File { path, sha256 }) => (Some(beside.join(path)), sha256),
        };
        let seed = experiment.seed;
        let mut all = random::initial_weights(experiment.architecture, seed);
        let Some(path) = path else {
            return Ok((all, InitialStatement::Random { seed }));
        };
        if !path.is_file() {
            return Err(Diagnostic::error("initial-weights-missing", "the initial weights are not there")
                .at(Location::file(&path))
                .hint(format!(
                    "put {} there, name another file with --initial-weights, or train with `--initial-weights random`",
                    experiment.architecture.source()
                ))
                .into());
        }
        let (file, found) = weights::read(&path)?;
        check_digest(&path, sha256, found)?;
        let chosen = weights::select(file, experiment.architecture, &path)?;
        let with_head = chosen.keys().any(|name| name.starts_with("head."));
        all.extend(chosen);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok((all, InitialStatement::File { name, sha256: found, with_head }))
    }

    fn check_digest(path: &Path, wanted: Option<Digest>, found: Digest) -> Result<()> {
        match wanted {
            Some(wanted) if wanted != found => Err(Error::from(
                Diagnostic::error(
                    "initial-weights-differ",
                    format!("the experiment declares SHA-256 {wanted}, the file has {found}"),
                )
                .at(Location::file(path))
                .hint("bring the declared file, or correct the experiment before training"),
            )),
            _ => Ok(()),
        }
    }

    fn bar(message: &'static str, length: usize) -> ProgressBar {
        let bar = ProgressBar::new(length as u64);
        let style = ProgressStyle::with_template("    train  {msg} {wide_bar} {pos}/{len} eta {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(message);
        bar
    }

    /// One bar over all batches of all epochs, and a line for each epoch.
    struct Screen {
        bar: ProgressBar,
        /// Batches of all epochs before the one with this index.
        before: Vec<u64>,
        frozen: Option<ProgressBar>,
    }

    impl Screen {
        fn new(state: &RunState, training: usize) -> Self {
            let mut before = vec![0];
            for stage in &state.inputs.experiment.stages {
                for _ in 0..stage.epochs {
                    let last = before.last().copied().unwrap_or(0);
                    before.push(last + training.div_ceil(stage.batch_size) as u64);
                }
            }
            let all = before.last().copied().unwrap_or(0);
            let bar = bar("", usize::try_from(all).unwrap_or(usize::MAX));
            let done = usize::try_from(state.epochs_done).unwrap_or(0);
            bar.set_position(before.get(done).copied().unwrap_or(0) + state.batches_done);
            bar.reset_eta();
            Self { bar, before, frozen: None }
        }

        fn show(&mut self, progress: Progress) {
            match progress {
                Progress::Resumed { epochs_done } => {
                    self.say(&format!("continues after {epochs_done} epochs"));
                }
                Progress::Storing { stage, bytes, there } => self.say(&format!(
                    "stage \"{stage}\": the output of its frozen layers {} {} (32-bit floats)",
                    if there { "is stored already:" } else { "will be stored:" },
                    indicatif::HumanBytes(bytes)
                )),
                Progress::OutOfMemory { epoch, shard_size } => self.say(&format!(
                    "epoch {epoch}: memory ran out; goes on with shards of {shard_size} images"
                )),
                Progress::Frozen { stage, done, total } => {
                    let frozen = self.frozen.get_or_insert_with(|| bar("frozen layers, once", total));
                    frozen.set_position(done as u64);
                    if done == total {
                        frozen.finish_and_clear();
                        self.frozen = None;
                        self.say(&format!("stage \"{stage}\": frozen layers are computed and stored"));
                    }
                }
                Progress::Batch { epoch, epochs, done, loss, .. } => {
                    let before = usize::try_from(epoch).ok().and_then(|e| self.before.get(e - 1));
                    self.bar.set_position(before.copied().unwrap_or(0) + done as u64);
                    self.bar.set_message(format!("epoch {epoch}/{epochs} loss {loss:.4}"));
                }
                Progress::Epoch(record) => self.say(&format!(
                    "epoch {:>3}  {}  loss {:.4}  tuning loss {:.4}  tuning AUC {:.4}  {:.1} s",
                    record.epoch,
                    record.stage,
                    record.training_loss,
                    record.tuning_loss,
                    record.tuning_auc,
                    record.seconds.unwrap_or(0.0)
                )),
            }
        }

        fn say(&self, text: &str) {
            self.bar.suspend(|| say("train", text));
        }
    }
}
