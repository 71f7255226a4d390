//! `sequester demo`: writes a synthetic study.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::who::WhoArgs;
use super::{Context, Outcome, interrupted, progress};
use crate::diagnostic::Result;
use crate::synthetic::{self, Cohort, Part, Progress, Settings};

/// Write a complete synthetic study (phantoms, labels, three simulated readers, a protocol) and run it.
///
/// Training needs a build with libtorch; with --only-cohort the study is written and not run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write; it must not exist yet.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Seed: the same seed and sizes give the same bytes.
    #[arg(long, value_name = "N", default_value_t = Settings::default().seed)]
    pub seed: u64,
    /// Images from which the study is sampled.
    #[arg(long, value_name = "N", default_value_t = Settings::default().pool)]
    pub cases: usize,
    /// Images of other patients, for training and tuning.
    #[arg(long, value_name = "N", default_value_t = Settings::default().development)]
    pub development: usize,
    /// Columns and rows of an image.
    #[arg(long, value_name = "PX", default_value_t = Settings::default().size)]
    pub size: usize,
    /// Write the study and stop; do not run it.
    #[arg(long)]
    pub only_cohort: bool,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub who: WhoArgs,
}

impl Args {
    /// What the cohort follows from.
    pub fn settings(&self) -> Settings {
        Settings { seed: self.seed, pool: self.cases, development: self.development, size: self.size }
    }
}

/// The experiment that a demonstration study trains.
const EXPERIMENT: &str = include_str!("../../protocols/exp-demo.toml");

/// Runs the command.
///
/// # Errors
/// As [`synthetic::write`].
pub fn run(args: &Args, context: Context) -> Result<Outcome> {
    let cohort = write(args, context)?;
    if !trains(args) {
        if !context.json && cohort.is_some() {
            println!("next: sequester run {}", args.folder.display());
        }
        return Ok(Outcome::Done);
    }
    super::run::study(&args.folder, &args.who, context)
}

/// Whether the command will train.
pub fn trains(args: &Args) -> bool {
    !args.dry_run && !args.only_cohort
}

/// Writes the study and says what is in it; `None` after a dry run.
///
/// # Errors
/// As [`synthetic::write`].
pub fn write(args: &Args, context: Context) -> Result<Option<Cohort>> {
    let cohort = Cohort::generate(&args.settings())?;
    if !args.dry_run {
        let bar = progress::bar("     demo  {msg} {wide_bar} {pos}/{len} {per_sec} eta {eta}", None);
        let report = |now: Progress| {
            if now.part == Part::Images {
                bar.set_message("drawing phantoms");
                bar.set_length(now.total as u64);
                bar.inc(1);
            }
            if interrupted().load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let written = synthetic::write(&cohort, &args.folder, EXPERIMENT, &report);
        bar.finish_and_clear();
        written?;
        super::init::write_schema(&args.folder)?;
    }
    let summary = cohort.summary();
    if context.json {
        let document = serde_json::json!({
            "folder": args.folder,
            "written": !args.dry_run,
            "seed": args.seed,
            "size": args.size,
            "bytes_estimated": summary.bytes,
            "cases": summary.pool.images,
            "patients": summary.pool.patients,
            "positives": summary.pool.positives,
            "development_cases": summary.development.images,
            "development_patients": summary.development.patients,
            "sample": summary.sample,
        });
        println!("{document:#}");
    } else {
        let verb = if args.dry_run { "would write" } else { "wrote" };
        println!("{verb} a synthetic study to {}", args.folder.display());
        for (name, set) in [("cases.csv", summary.pool), ("development.csv", summary.development)] {
            println!(
                "  {name:<16} {} images of {} patients, {} with the label pneumonia",
                set.images, set.patients, set.positives
            );
        }
        println!("  reads/           {} simulated readers of every case in cases.csv", summary.readers);
        println!("  protocol.toml    a sample of {} cases", summary.sample);
        println!(
            "  about {} MB, {} x {} pixels, seed {}",
            summary.bytes.div_ceil(1_000_000),
            args.size,
            args.size,
            args.seed
        );
    }
    Ok((!args.dry_run).then_some(cohort))
}
