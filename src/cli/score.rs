//! `sequester score`: scores the sealed cohort, or single files, with the locked model and nothing else.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::libtorch::{self, Libtorch};
use super::study::{Study, StudyArgs};
use super::{Context, Outcome, cores, interrupted, say};
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::imaging::image_folder::ImageFolder;
use crate::inference::images::{self, Image};
use crate::inference::scores::{self, Score, Scores};
use crate::inference::scoring::{self, Scoring};
use crate::model::machine::Machine;
use crate::model::scorer::Scorer;
use crate::storage;
use crate::study::Cohort;

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
    let study =
        Study::open(&StudyArgs { folder: folder.clone(), data: args.data.clone(), out: args.out.clone() })?;
    let cohort = super::dataset::draw(&study)?;
    super::dataset::seal(&study, &cohort, context)?;
    let done =
        score(&study, &cohort, Place { device: &args.device, libtorch: context.libtorch }, args.workers)?;
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

/// What scoring a cohort left.
pub struct Scored {
    /// The score table.
    pub file: PathBuf,
    /// Images with a score.
    pub scored: usize,
    /// Images that the gate refused.
    pub refused: usize,
    /// Nothing had to be done.
    pub unchanged: bool,
}

/// Images between two writes of the partial table.
const CHUNK: usize = 128;

/// Where the network runs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    device: &'a str,
    libtorch: Option<&'a Libtorch>,
}

impl Place<'_> {
    /// On the processor, without libtorch.
    pub fn processor() -> Self {
        Self { device: PROCESSOR, libtorch: None }
    }

    /// A locked model there, and what its numbers depend on.
    fn open(self, model: &Path, workers: Option<usize>) -> Result<(Scorer, Machine)> {
        let workers = workers.unwrap_or_else(cores);
        let machine = super::machine();
        if self.device == PROCESSOR {
            return Ok((Scorer::open(model, workers)?, machine));
        }
        let libtorch =
            self.libtorch.ok_or_else(|| libtorch::missing(&format!("score --device {}", self.device)))?;
        let scorer = (libtorch.open_scorer)(model, workers, self.device)?;
        Ok((scorer, Machine { arithmetic: (libtorch.arithmetic)(), ..machine }))
    }
}

/// The device that needs no libtorch.
const PROCESSOR: &str = "cpu";

/// Whether the command is for the program with libtorch.
pub fn needs_libtorch(args: &ScoreArgs) -> bool {
    args.device != PROCESSOR
}

/// Judges and scores images in order; an error has the place of its image.
fn rows(scorer: &Scorer, gate: &Gate, images: &[Image], bar: &ProgressBar) -> Result<Vec<Result<Score>>> {
    let start = bar.position();
    let done = |done| bar.set_position(start + done as u64);
    let rows = images::score(scorer, gate, images, interrupted(), done);
    bar.set_position(start + images.len() as u64);
    rows
}

fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let style = ProgressStyle::with_template("    score  {wide_bar} {pos}/{len} {per_sec} eta {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Single files, which speak for themselves.
fn files(args: &ScoreArgs, model: &Path, context: Context) -> Result<Outcome> {
    let gate = args.gate.as_deref().map(read_gate).transpose()?;
    let place = Place { device: &args.device, libtorch: context.libtorch };
    let (scorer, _) = place.open(model, args.workers)?;
    let gate = gate.unwrap_or_else(|| scorer.lock().gate.clone());
    let images: Vec<Image> = args
        .targets
        .iter()
        .map(|path| Image { case_id: path.display().to_string(), path: path.clone(), known: None })
        .collect();
    let bar = bar(images.len());
    let rows = rows(&scorer, &gate, &images, &bar)?;
    bar.finish_and_clear();
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

/// Scores the cohort, or finds that it is scored already with this very model.
///
/// # Errors
/// As [`run`].
pub fn score(study: &Study, cohort: &Cohort, place: Place, workers: Option<usize>) -> Result<Scored> {
    let protocol = || Location::file(study.folder.join("protocol.toml"));
    if study.protocol.scores.external {
        let problem =
            Diagnostic::error(Code::ScoresExternal, "the protocol brings the scores of a device elsewhere");
        return Err(problem
            .at(protocol())
            .hint("`sequester validate` reads them; take `[scores]` out of the protocol to score here")
            .into());
    }
    let images_folder = study.protocol.data.images.as_ref().ok_or_else(|| {
        Diagnostic::error(Code::ImagesMissing, "the protocol names no image folder")
            .at(protocol())
            .hint("add `images = \"...\"` to [data]")
    })?;
    let images_folder = images_folder.below(&study.data);
    let file = study.protocol.scores.file.below(&study.out);
    let partial = study.out.join("work/scores-partial.csv");
    let stamp = study.out.join("work/scores-of.txt");
    let folder = study.model_folder();
    let (scorer, machine) = place.open(&folder, workers)?;
    let lock = storage::read(&folder.join("lock.json"))?;
    let key = Digest::of(&[lock.as_slice(), &crate::study::cohort_table(cohort)].concat());
    let mut table = Scores::new();
    if storage::read(&stamp).is_ok_and(|bytes| bytes == key.to_string().as_bytes()) {
        for path in [&file, &partial] {
            if let Ok(bytes) = storage::read(path) {
                let column = ["score".to_owned()];
                table = scores::parse(path, &bytes, "case_id", &column, |v| v[0]).unwrap_or_default();
                break;
            }
        }
    }
    let open: Vec<_> = cohort.drawn_cases().filter(|c| !table.contains_key(&c.case_id)).collect();
    let mut todo = Vec::with_capacity(open.len());
    // What is scored already needs no images.
    if !open.is_empty() {
        let images = ImageFolder::open(&images_folder)?;
        for case in open {
            todo.push(Image::of_case(case, &images)?);
        }
    }
    let unchanged = todo.is_empty() && file.is_file();
    if !unchanged {
        say("score", &format!("{} of {} images", todo.len(), cohort.drawn.len()));
        let scoring = study.out.join(scoring::FILE);
        let mut record = Scoring { machine: Some(machine), scores_sha256: None };
        // What another machine began is of no one kind of machine.
        if !table.is_empty() && Scoring::read(&scoring).is_none_or(|old| old.machine != record.machine) {
            record.machine = None;
        }
        // The old table was made by another model or for another cohort.
        if file.is_file() {
            std::fs::remove_file(&file).map_err(|e| Error::io("remove", &file, &e))?;
        }
        storage::write_atomic(&partial, &scores::to_csv(&table))?;
        storage::write_atomic(&scoring, &record.to_bytes())?;
        storage::write_atomic(&stamp, key.to_string().as_bytes())?;
        let bar = bar(todo.len());
        let gate = scorer.lock().gate.clone();
        let mut problems = Vec::new();
        for chunk in todo.chunks(CHUNK) {
            for (image, row) in chunk.iter().zip(rows(&scorer, &gate, chunk, &bar)?) {
                match row {
                    Ok(row) => {
                        table.insert(image.case_id.clone(), row);
                    }
                    Err(error) => problems.extend(error.diagnostics()),
                }
            }
            storage::write_atomic(&partial, &scores::to_csv(&table))?;
            if interrupted().load(Ordering::Relaxed) {
                return Err(Error::Interrupted(
                    "scoring stopped; the same command goes on from here".to_owned(),
                ));
            }
        }
        bar.finish_and_clear();
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let bytes = scores::to_csv(&table);
        storage::write_atomic(&file, &bytes)?;
        record.scores_sha256 = Some(Digest::of(&bytes));
        storage::write_atomic(&scoring, &record.to_bytes())?;
        let _ = std::fs::remove_file(&partial);
    }
    let scored = table.values().filter(|row| row.score.is_some()).count();
    Ok(Scored { file, scored, refused: table.len() - scored, unchanged })
}
