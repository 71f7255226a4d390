//! Does the locked model give the recorded scores again from the images? The only question that needs more
//! than the bundle: the weights and the images stay where they are.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::answer::{Answer, State};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::imaging::image_folder::ImageFolder;
use crate::inference::images::{self, Image};
use crate::inference::scores::Score;
use crate::inference::scoring::Scoring;
use crate::model::lock::Lock;
use crate::model::machine::Machine;
use crate::model::scorer::Scorer;
use crate::study;

/// How far a score may be off when it was made on another kind of machine: an absolute difference of
/// probabilities. The forward passes of all kinds agree to about 1e-6 of the largest logit.
pub const TOLERANCE: f64 = 1e-5;

/// What scoring again needs from outside the bundle.
#[derive(Clone, Copy)]
pub struct Rescore<'a> {
    /// Folder that the protocol's image folder is relative to.
    pub data: &'a Path,
    /// Largest difference of a score made on another kind of machine.
    pub tolerance: f64,
    /// This machine.
    pub machine: &'a Machine,
    /// Images at a time; does not change results.
    pub workers: usize,
    /// Raised to stop.
    pub stop: &'a AtomicBool,
    /// Hears how many images of how many are finished.
    pub done: &'a dyn Fn(usize, usize),
}

/// Scores every case of the cohort again and compares. A score made on this kind of machine must be equal to
/// the last bit.
///
/// # Errors
/// When there is nothing to score with: no folder of the model, no folder of images; [`Error::Interrupted`].
pub(super) fn scores(opened: &Opened, model: Option<&Path>, rescore: &Rescore<'_>) -> Result<Answer> {
    let words = "Does the locked model give the recorded scores again from the images?";
    let answer = |looked_at, problems| Ok(Answer::of("scores", words, looked_at, problems));
    let open = |state, why: &str| Ok(Answer::open("scores", words, state, why));
    let lock = bundle::path(bundle::MODEL, super::LOCK)?;
    let Some(lock) = opened.payload.get(&lock) else {
        return open(State::NotApplicable, "the device lives elsewhere: no lock in the bundle");
    };
    let recorded = (|| {
        let inputs = bundle::inputs(&opened.payload)?;
        let cohort = study::cohort(&inputs)?;
        let scores = study::read_scores(&inputs)?;
        Ok((inputs, cohort, scores, Lock::from_bytes(&lock.read(), Path::new("data/model/lock.json"))?))
    })();
    let (inputs, cohort, recorded, lock) = match recorded {
        Ok(recorded) => recorded,
        Err(error) => return answer("the inputs".to_owned(), Error::diagnostics(&error)),
    };
    let folder = model.filter(|folder| folder.is_dir()).ok_or_else(|| {
        Diagnostic::error(Code::RescoreWithoutModel, "the locked weights are needed to score again")
            .hint("name the folder of the locked model with --model")
    })?;
    let images_folder = inputs.protocol.data.images.as_ref().map(|images| images.below(rescore.data));
    let images_folder = images_folder.filter(|folder| folder.is_dir()).ok_or_else(|| {
        Diagnostic::error(Code::RescoreWithoutImages, "the study's images are needed to score again")
            .at(Location::file(rescore.data))
            .hint("name the folder that the protocol's `data.images` is relative to with --data")
    })?;
    let scorer = match Scorer::with_lock(lock, folder, rescore.workers) {
        Ok(scorer) => scorer,
        // The question before names them.
        Err(Error::Lock(_)) => {
            return open(State::NotShown, "not scored again: the weights are not the locked ones");
        }
        Err(error) => return Err(error),
    };
    let below = ImageFolder::open(&images_folder)?;
    let (mut todo, mut problems) = (Vec::new(), Vec::new());
    for case in cohort.drawn_cases() {
        match Image::of_case(case, &below) {
            Ok(image) => todo.push(image),
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    let total = todo.len();
    let gate = scorer.lock().gate.clone();
    let rows = images::score(&scorer, &gate, &todo, rescore.stop, |done| (rescore.done)(done, total))?;

    let table =
        inputs.files.get(&inputs.protocol.scores.file).map(|bytes| bytes.as_slice()).unwrap_or_default();
    let record = bundle::path(bundle::MODEL, bundle::SCORING)?;
    let record = opened.payload.get(&record).and_then(|bytes| Scoring::from_bytes(&bytes.read()));
    let machine = record.and_then(|record| record.machine_of(table));
    let exact = machine.as_ref().is_some_and(|machine| machine.is_same_kind(rescore.machine));
    let tolerance = if exact { 0.0 } else { rescore.tolerance };
    let threshold = scorer.lock().operating_point.threshold;
    let (mut largest, mut crossed) = (0.0_f64, 0);
    for (image, row) in todo.iter().zip(rows) {
        let recorded = recorded.get(image.case_id.as_str());
        match row {
            Err(error) => problems.extend(error.diagnostics()),
            Ok(row) => {
                if let (Some(new), Some(old)) = (row.score, recorded.and_then(|score| score.score)) {
                    largest = largest.max((new - old).abs());
                    crossed += usize::from((new >= threshold) != (old >= threshold));
                }
                problems.extend(difference(image, recorded, &row, tolerance));
            }
        }
    }
    let how = match &machine {
        Some(_) if exact => {
            "made by this program on this kind of machine: equal to the last bit is asked".to_owned()
        }
        Some(other) => format!("made by {}: at most {tolerance:e} is asked", other.describe()),
        None => format!("made on a machine that is not recorded: at most {tolerance:e} is asked"),
    };
    let looked_at = format!(
        "{total} images scored again, largest difference {largest:.1e}, {crossed} calls differ; {how}"
    );
    answer(looked_at, problems)
}

/// What separates a recorded row from the new one.
fn difference(image: &Image, recorded: Option<&Score>, new: &Score, tolerance: f64) -> Option<Diagnostic> {
    let case = &image.case_id;
    let at = Location::file(&image.path);
    if let (Some(then), Some(now)) = (recorded.and_then(|old| old.image_sha256.as_ref()), &new.image_sha256)
        && then != now
    {
        let message = format!("case {case}: the image scored had SHA-256 {then}, this one has {now}");
        return Some(Diagnostic::error(Code::ImageDiffers, message).at(at));
    }
    let why = |row: &Score| row.refused.clone().unwrap_or_default();
    let message = match recorded.map(|old| (old, old.score, new.score)) {
        None => "no score is recorded".to_owned(),
        Some((_, Some(old), Some(new))) => {
            let off = (old - new).abs();
            if off <= tolerance {
                return None;
            }
            format!("recorded {old}, scored again {new}: they differ by {off:.1e}")
        }
        Some((_, Some(old), None)) => format!("recorded {old}, the gate refuses the image: {}", why(new)),
        Some((old, None, Some(new))) => {
            format!("recorded as refused ({}), the gate accepts it with score {new}", why(old))
        }
        Some((old, None, None)) if old.refused == new.refused => return None,
        Some((old, None, None)) => format!("recorded as refused ({}), refused now ({})", why(old), why(new)),
    };
    Some(Diagnostic::error(Code::ScoreDiffers, format!("case {case}: {message}")).at(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn every_kind_of_difference_is_told() {
        let image = Image { case_id: "c".to_owned(), path: "c.png".into(), known: None };
        let row = |score: Option<f64>, refused: Option<&str>, bytes: &[u8]| Score {
            score,
            refused: refused.map(Into::into),
            image_sha256: Some(Box::new(Digest::of(bytes))),
            line: 0,
        };
        let new = row(Some(0.5), None, b"a");
        let check = |old: Option<&Score>, new: &Score, tolerance| {
            difference(&image, old, new, tolerance).map(|problem| (problem.code.as_str(), problem.message))
        };
        assert_eq!(check(Some(&new), &new, 0.0), None);
        let near = row(Some(0.5 + 1e-6), None, b"a");
        assert_eq!(check(Some(&near), &new, 1e-5), None);
        let told = |found: Option<(&'static str, String)>, code: &str, part: &str| {
            let (found, message) = found.expect("differs");
            assert!(found == code && message.contains(part), "{found} {message}");
        };
        told(check(Some(&near), &new, 0.0), "score-differs", "they differ by 1.0e-6");
        told(check(None, &new, 0.0), "score-differs", "no score is recorded");
        told(check(Some(&row(Some(0.5), None, b"b")), &new, 1.0), "image-differs", "this one has");
        let refused = row(None, Some("view LL"), b"a");
        told(check(Some(&new), &refused, 1.0), "score-differs", "refuses the image: view LL");
        told(check(Some(&refused), &new, 1.0), "score-differs", "recorded as refused (view LL)");
        assert_eq!(check(Some(&refused), &refused, 0.0), None);
        told(
            check(Some(&row(None, Some("age"), b"a")), &refused, 0.0),
            "score-differs",
            "refused now (view LL)",
        );
    }
}
