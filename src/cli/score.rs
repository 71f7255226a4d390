//! `sequester score`: scores the sealed cohort, or single files, with the locked model and nothing else.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::context::from_one;
use super::libtorch::{self, Libtorch};
use super::shards::{self, WhichShard};
use super::who::WhoArgs;
use super::{Context, Outcome, cores, interrupted};
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::inference::images::{self, Image};
use crate::inference::scores::Score;
use crate::model::lock::Lock;
use crate::model::machine::Machine;
use crate::model::scorer::Scorer;
use crate::storage;
use crate::workflow::dataset;
use crate::workflow::score::{self, Device as _, Scored, score};
use crate::workflow::study::Study;

/// Score the sealed cohort of a study, or single files, with a locked model.
///
/// Only a locked model scores, and only if its weights have the locked digest. The intended-use
/// gate of the lock decides for each image whether it is scored; a refused image gets a row with
/// every reason instead of a score. An interrupted study picks up after the images that are scored
/// already.
///
///   sequester score my-study
///   sequester score --model my-study/model film1.dcm film2.dcm
///
/// Many images on many machines: a plan seals which case is in which shard, each task scores one
/// shard and goes on where it was killed, and the finished shards give the very table that one
/// process writes. `export --engine` writes the job for Slurm, Snakemake or Kubernetes.
///
///   sequester score my-study --plan 64
///   sequester score my-study --shard 3/64
///   sequester score my-study --gather
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
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
    #[arg(long, value_name = "N", value_parser = from_one())]
    workers: Option<usize>,
    /// Where the network runs: cpu, or cuda or cuda:N in a build with libtorch for CUDA.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: String,
    /// Write the plan of N shards: of which every case is in one.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with_all = ["model", "shard", "gather"]
    )]
    plan: Option<u32>,
    /// Score one shard of the plan: I/N, or auto for the index that Slurm, Kubernetes, Grid Engine or AWS
    /// Batch sets for the tasks of an array.
    #[arg(
        long,
        value_name = "I/N",
        value_parser = shards::which_shard,
        conflicts_with_all = ["model", "gather"]
    )]
    shard: Option<WhichShard>,
    /// Put the finished shards together; refuses missing, double, foreign and damaged ones.
    #[arg(long, conflicts_with = "model")]
    gather: bool,
    #[command(flatten)]
    who: WhoArgs,
}

impl ScoreArgs {
    fn place(&self, context: Context) -> Place<'_> {
        Place { device: &self.device, libtorch: context.libtorch }
    }
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
    if let Some(count) = args.plan {
        return shards::plan(&study, count, &args.who.outside(context)?, context);
    }
    if let Some(which) = args.shard {
        let (place, outside) = (args.place(context), args.who.outside(context)?);
        return shards::shard(&study, which, |model| place.open(model, args.workers), &outside, context);
    }
    if args.gather {
        let done = shards::gather(&study, &args.who.outside(context)?)?;
        return Ok(told(&done, context));
    }
    let _alone = study.alone()?;
    let outside = args.who.outside(context)?;
    let cohort = dataset::draw(&study, &outside)?;
    dataset::seal(&study, &cohort, &outside)?;
    let place = args.place(context);
    let open = |model: &Path| place.open(model, args.workers);
    let done = score(&study, &cohort, open, &outside)?;
    Ok(told(&done, context))
}

/// Says what a score table holds.
fn told(done: &Scored, context: Context) -> Outcome {
    if context.json {
        println!(
            "{:#}",
            serde_json::json!({
                "file": done.file.display().to_string(), "scored": done.scored, "refused": done.refused,
            })
        );
    } else {
        println!("{} scored, {} refused by the gate: {}", done.scored, done.refused, done.file.display());
    }
    Outcome::Done
}

/// The `[gate]` table of a TOML file, such as a protocol, or the file itself as a gate.
///
/// # Errors
/// As for the gate of a protocol.
pub fn read_gate(path: &Path) -> Result<Gate> {
    let bytes = storage::read(path)?;
    let text = crate::diagnostic::utf8(path, &bytes, Code::NotUtf8)?;
    crate::protocol::parse_gate(path, text).map_err(Error::Input)
}

/// Where the network runs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    device: &'a str,
    libtorch: Option<&'a Libtorch>,
}

/// A locked model where it runs.
pub struct Opened {
    scorer: Scorer,
    machine: Machine,
}

impl Place<'_> {
    /// On the processor, without libtorch.
    pub fn processor() -> Self {
        Self { device: PROCESSOR, libtorch: None }
    }

    /// Opens the locked model of a folder there.
    ///
    /// # Errors
    /// `Error::Lock` when it is not locked or not what was locked; `torch-missing`.
    pub fn open(self, model: &Path, workers: Option<usize>) -> Result<Opened> {
        let workers = workers.unwrap_or_else(cores);
        let machine = super::machine();
        if self.device == PROCESSOR {
            return Ok(Opened { scorer: Scorer::open(model, workers)?, machine });
        }
        let libtorch =
            self.libtorch.ok_or_else(|| libtorch::missing(&format!("score --device {}", self.device)))?;
        let scorer = (libtorch.open_scorer)(model, workers, self.device)?;
        Ok(Opened { scorer, machine: Machine { arithmetic: (libtorch.arithmetic)(), ..machine } })
    }
}

/// The device that needs no libtorch.
const PROCESSOR: &str = "cpu";

/// Whether the network runs on a graphics processor, which takes libtorch.
pub fn on_graphics_processor(args: &ScoreArgs) -> bool {
    args.device != PROCESSOR
}

impl score::Device for Opened {
    fn lock(&self) -> &Lock {
        self.scorer.lock()
    }

    fn machine(&self) -> Machine {
        self.machine.clone()
    }

    fn rows(
        &self,
        gate: &Gate,
        images: &[Image],
        stop: &AtomicBool,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Result<Score>>> {
        images::score(&self.scorer, gate, images, stop, done)
    }
}

/// Single files, which speak for themselves.
fn files(args: &ScoreArgs, model: &Path, context: Context) -> Result<Outcome> {
    let gate = args.gate.as_deref().map(read_gate).transpose()?;
    let scorer = args.place(context).open(model, args.workers)?;
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
