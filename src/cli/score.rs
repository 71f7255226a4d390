//! `sequester score`: scores the sealed cohort, or single files, with the locked model and nothing else.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

#[cfg(not(feature = "torch"))]
use super::torch_missing;
use super::{Context, Outcome, cores, interrupted};
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::inference::images::{self, Image};
use crate::inference::scores::Score;
use crate::model::lock::Lock;
use crate::model::machine::Machine;
use crate::model::scorer::Scorer;
#[cfg(feature = "torch")]
use crate::model::torch::Inference;
use crate::storage;
use crate::workflow::dataset;
use crate::workflow::score::{self, Device as _, score};
use crate::workflow::study::Study;

/// Score the sealed cohort of a study, or single files, with a locked model.
///
/// Only a locked model scores, and only if its weights have the locked digest. The intended-use gate of
/// the lock decides for each image whether it is scored; a refused image gets a row with every reason
/// instead of a score. An interrupted study picks up after the images that are scored already.
///
///   sequester score my-study
///   sequester score --model my-study/model film1.dcm film2.dcm
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// A study folder; or, with --model, image files.
    #[arg(required = true, value_name = "STUDY|FILES")]
    targets: Vec<PathBuf>,
    /// Folder of a locked model: score the files with it.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// With --model: judge by the [gate] of this TOML file, for example a protocol, instead of the lock's.
    #[arg(long, value_name = "FILE", requires = "model")]
    gate: Option<PathBuf>,
    /// Folder that the study's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for everything that is written [default: the study folder]; with --model: not used.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Images that are decoded and scored at a time, each on one thread [default: the number of cores].
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Where the network runs: cpu, or cuda or cuda:N in a build with libtorch for CUDA.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
}

/// Runs the command.
///
/// # Errors
/// `Error::Lock` when the model is not locked or not what was locked; whatever is wrong with the images.
pub fn run(args: &ScoreArgs, context: Context) -> Result<Outcome> {
    if let Some(model) = &args.model {
        return files(args, model, context);
    }
    let [folder] = &args.targets[..] else {
        return Err(Error::usage(Diagnostic::error(
            Code::Usage,
            "several files need --model: the folder of the locked model that scores them",
        )));
    };
    let study = Study::open(folder, args.data.as_deref(), args.out.as_deref())?;
    let cohort = dataset::draw(&study, &context.outside())?;
    dataset::seal(&study, &cohort, &context.outside())?;
    let open = |model: &Path| Device::open(&args.device, model, args.workers);
    let done = score(&study, &cohort, open, &context.outside())?;
    if context.json {
        println!(
            "{:#}",
            serde_json::json!({"file": done.file, "scored": done.scored, "refused": done.refused})
        );
    } else {
        println!("{} scored, {} refused by the gate: {}", done.scored, done.refused, done.file.display());
    }
    Ok(Outcome::Done)
}

/// The `[gate]` table of a TOML file, such as a protocol, or the file itself as a gate.
///
/// # Errors
/// As for the gate of a protocol.
pub fn read_gate(path: &Path) -> Result<Gate> {
    let bytes = storage::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(Code::NotUtf8, "the gate is not UTF-8 text")
            .at(Location::file(path))
            .hint("save it as UTF-8")
    })?;
    crate::protocol::parse_gate(path, &text).map_err(Error::Input)
}

/// A locked model where it runs.
pub enum Device {
    /// On the processor, in plain Rust.
    Processor(Box<Scorer>),
    /// On a device of libtorch.
    #[cfg(feature = "torch")]
    Libtorch(Box<Scorer<Inference>>),
}

impl Device {
    /// Opens the model of a folder on a device of this name.
    ///
    /// # Errors
    /// `Error::Lock` when it is not locked or not what was locked; `torch-missing`.
    pub fn open(name: &str, model: &Path, workers: Option<usize>) -> Result<Self> {
        let workers = workers.unwrap_or_else(cores);
        if name == "cpu" {
            return Ok(Self::Processor(Box::new(Scorer::open(model, workers)?)));
        }
        Self::on_libtorch(name, model, workers)
    }

    #[cfg(feature = "torch")]
    fn on_libtorch(name: &str, model: &Path, workers: usize) -> Result<Self> {
        let device = crate::model::torch::device(name)?;
        Ok(Self::Libtorch(Box::new(crate::model::torch::open_scorer(model, workers, device)?)))
    }

    #[cfg(not(feature = "torch"))]
    fn on_libtorch(name: &str, _: &Path, _: usize) -> Result<Self> {
        Err(torch_missing(&format!("score --device {name}")).into())
    }
}

impl score::Device for Device {
    fn lock(&self) -> &Lock {
        match self {
            Self::Processor(scorer) => scorer.lock(),
            #[cfg(feature = "torch")]
            Self::Libtorch(scorer) => scorer.lock(),
        }
    }

    fn machine(&self) -> Machine {
        let machine = super::machine();
        match self {
            Self::Processor(_) => machine,
            #[cfg(feature = "torch")]
            Self::Libtorch(_) => Machine {
                arithmetic: format!(
                    "libtorch {} on a graphics processor",
                    crate::model::torch::LIBTORCH_VERSION
                ),
                ..machine
            },
        }
    }

    fn rows(
        &self,
        gate: &Gate,
        images: &[Image],
        stop: &AtomicBool,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Result<Score>>> {
        match self {
            Self::Processor(scorer) => images::score(scorer, gate, images, stop, done),
            #[cfg(feature = "torch")]
            Self::Libtorch(scorer) => images::score(scorer, gate, images, stop, done),
        }
    }
}

/// Single files, which speak for themselves.
fn files(args: &ScoreArgs, model: &Path, context: Context) -> Result<Outcome> {
    let gate = args.gate.as_deref().map(read_gate).transpose()?;
    let scorer = Device::open(&args.device, model, args.workers)?;
    let gate = gate.unwrap_or_else(|| scorer.lock().gate.clone());
    let images: Vec<Image> = args
        .targets
        .iter()
        .map(|path| Image { case_id: path.display().to_string(), path: path.clone(), known: None })
        .collect();
    let progress = context.outside().progress;
    progress.begin("score", images.len());
    let rows = scorer.rows(&gate, &images, interrupted(), &mut |done| progress.at(done));
    progress.end();
    let rows = rows?;
    let mut problems = Vec::new();
    let mut report = Vec::new();
    for (image, row) in images.iter().zip(rows) {
        match row {
            Ok(row) => {
                let positive = row.score.map(|s| s >= scorer.lock().operating_point.threshold);
                if !context.json {
                    match (row.score, &row.refused) {
                        (Some(score), _) => println!("{}  {score}", image.case_id),
                        (None, reasons) => {
                            println!("{}  refused: {}", image.case_id, reasons.clone().unwrap_or_default());
                        }
                    }
                }
                let refused: Option<Vec<&str>> = row.refused.as_deref().map(|r| r.split("; ").collect());
                report.push(serde_json::json!({
                    "file": image.case_id, "score": row.score, "positive": positive, "refused": refused,
                    "image_sha256": row.image_sha256,
                }));
            }
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    if context.json && problems.is_empty() {
        println!("{:#}", serde_json::json!({"model": model, "files": report}));
    }
    if problems.is_empty() { Ok(Outcome::Done) } else { Err(problems.into()) }
}
