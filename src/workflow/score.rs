//! The sealed cohort is scored by the locked model, image by image, and goes on where it was interrupted.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::outside::Outside;
use super::study::Study;
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::imaging::image_folder::ImageFolder;
use crate::inference::images::Image;
use crate::inference::scores::{self, Score, Scores};
use crate::inference::scoring::{self, Scoring};
use crate::model::lock::{self, Lock};
use crate::model::machine::Machine;
use crate::storage;
use crate::study::{Cohort, cohort_table};

/// A locked model where it runs.
pub trait Device {
    /// Its lock.
    fn lock(&self) -> &Lock;
    /// What its numbers depend on.
    fn machine(&self) -> Machine;
    /// Judges and scores images in order; an error has the place of its image. `done` hears how many are
    /// finished.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` was raised.
    fn rows(
        &self,
        gate: &Gate,
        images: &[Image],
        stop: &AtomicBool,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Result<Score>>>;
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

impl Scored {
    /// A table with its rows counted.
    pub fn of(file: PathBuf, table: &Scores, unchanged: bool) -> Self {
        let scored = table.values().filter(|row| row.score.is_some()).count();
        Self { file, scored, refused: table.len() - scored, unchanged }
    }
}

/// Images between two writes of the partial table.
const CHUNK: usize = 128;

/// The image folder of a study that is scored here.
///
/// # Errors
/// `scores-external`, `images-missing`.
pub(super) fn scored_here(study: &Study) -> Result<PathBuf> {
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
    Ok(images_folder.below(&study.data))
}

/// What a score table is of, for [`stamp`].
pub(super) fn key(lock: &[u8], cohort_table: &[u8]) -> Digest {
    Digest::of(&[lock, cohort_table].concat())
}

/// The file that says what the score table is of.
pub(super) fn stamp(study: &Study) -> PathBuf {
    study.out.join("work/scores-of.txt")
}

/// Scores the cohort, or finds that it is scored already with this very model.
///
/// # Errors
/// `Error::Lock` when the model is not locked or not what was locked; whatever is wrong with the images;
/// [`Error::Interrupted`] after saving.
pub fn score<D: Device>(
    study: &Study,
    cohort: &Cohort,
    open: impl FnOnce(&Path) -> Result<D>,
    outside: &Outside<'_>,
) -> Result<Scored> {
    let images_folder = scored_here(study)?;
    let file = study.protocol.scores.file.below(&study.out);
    let partial = study.out.join("work/scores-partial.csv");
    let stamp = stamp(study);
    let folder = study.model_folder();
    let scorer = open(&folder)?;
    let lock = storage::read(&folder.join(lock::FILE))?;
    let key = key(&lock, &cohort_table(cohort));
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
        outside.say("score", &format!("{} of {} images", todo.len(), cohort.drawn.len()));
        let scoring = study.out.join(scoring::FILE);
        let mut record = Scoring { machine: Some(scorer.machine()), scores_sha256: None };
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
        outside.progress.begin("score", todo.len());
        let done = in_chunks(&scorer, &todo, &mut table, &partial, outside);
        outside.progress.end();
        done?;
        let bytes = scores::to_csv(&table);
        storage::write_atomic(&file, &bytes)?;
        record.scores_sha256 = Some(Digest::of(&bytes));
        storage::write_atomic(&scoring, &record.to_bytes())?;
        let _ = std::fs::remove_file(&partial);
    }
    Ok(Scored::of(file, &table, unchanged))
}

/// Scores what is open and writes the partial table after each chunk.
pub(super) fn in_chunks(
    scorer: &impl Device,
    todo: &[Image],
    table: &mut Scores,
    partial: &Path,
    outside: &Outside<'_>,
) -> Result<()> {
    let gate = scorer.lock().gate.clone();
    let mut problems = Vec::new();
    let mut finished = 0;
    for chunk in todo.chunks(CHUNK) {
        let rows =
            scorer.rows(&gate, chunk, outside.stop, &mut |done| outside.progress.at(finished + done))?;
        finished += chunk.len();
        outside.progress.at(finished);
        for (image, row) in chunk.iter().zip(rows) {
            match row {
                Ok(row) => {
                    table.insert(image.case_id.as_str().into(), row);
                }
                Err(error) => problems.extend(error.diagnostics()),
            }
        }
        storage::write_atomic(partial, &scores::to_csv(&*table))?;
        if outside.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted("scoring stopped; the same command goes on from here".to_owned()));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}
