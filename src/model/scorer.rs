//! Scoring with a locked model, and with nothing else.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::forward::{Forward, Maps};
use super::lock::Lock;
use super::parallel::{self, Pool};
use super::preprocessing::Preprocessing;
use super::weights::{self, Weights};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::imaging::radiograph::Radiograph;

/// What computes a logit with fixed weights.
pub trait Engine: Send {
    /// The logit of an image `[3][side][side]`, normalised as the network wants it.
    ///
    /// # Errors
    /// What the library beneath reports.
    fn logit(&self, image: &[f32], side: usize) -> Result<f64>;

    /// Another one that shares the weights and may work beside this one.
    fn beside(&self) -> Box<dyn Engine>;
}

impl Engine for Forward {
    fn logit(&self, image: &[f32], side: usize) -> Result<f64> {
        Ok(f64::from(Self::logit(self, Maps::from_planes(image, [3, side, side]))))
    }

    fn beside(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }
}

/// A locked model, its weights checked against the lock. Every image is scored alone, so a score depends
/// on the image, the weights and the kind of processor, never on its neighbours or on the number of workers.
pub struct Scorer {
    lock: Lock,
    engine: Box<dyn Engine>,
    pool: Pool,
}

impl Scorer {
    /// Reads the lock of a model's folder, checks the weights against it, and builds the forward pass from
    /// the very bytes that were checked.
    ///
    /// # Errors
    /// [`Error::Lock`] when there is no lock or the weights are not the locked ones.
    pub fn open(folder: &Path, workers: usize) -> Result<Self> {
        Self::with_lock(Lock::read(folder)?, folder, workers)
    }

    /// The same with a lock that lies elsewhere; the folder has the weights.
    ///
    /// # Errors
    /// [`Error::Lock`] when the weights are not the locked ones.
    pub fn with_lock(lock: Lock, folder: &Path, workers: usize) -> Result<Self> {
        let engine = Forward::new(lock.architecture, &locked_weights(&lock, folder)?)?;
        Ok(Self::new(lock, Box::new(engine), Pool::new(workers, || {})?))
    }

    /// From an engine that has the locked weights.
    pub fn new(lock: Lock, engine: Box<dyn Engine>, pool: Pool) -> Self {
        Self { lock, engine, pool }
    }

    /// The lock.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Probabilities in 0..=1 of planes as [`Preprocessing::plane`] gives them, in their order.
    ///
    /// # Errors
    /// What the engine reports.
    pub fn score(&self, planes: &[Vec<f32>]) -> Result<Vec<f64>> {
        let preprocessing = &self.lock.preprocessing;
        let never = AtomicBool::new(false);
        #[expect(clippy::borrowed_box, reason = "`each` lends every worker its own context, which is a box")]
        let work = |engine: &Box<dyn Engine>, index: usize| {
            score_plane(engine.as_ref(), preprocessing, &planes[index])
        };
        parallel::each(&self.pool, planes.len(), &never, |_| {}, || self.engine.beside(), work)
    }

    /// Loads, preprocesses and scores `count` images; each worker holds one image at a time. An image that
    /// `load` cannot give has its own error in its place and does not stop the others. `done` hears how many
    /// are finished.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `stop` was raised.
    pub fn score_each(
        &self,
        count: usize,
        load: impl Fn(usize) -> Result<Radiograph> + Sync,
        stop: &AtomicBool,
        done: impl FnMut(usize),
    ) -> Result<Vec<Result<f64>>> {
        let preprocessing = &self.lock.preprocessing;
        #[expect(clippy::borrowed_box, reason = "`each` lends every worker its own context, which is a box")]
        let work = |engine: &Box<dyn Engine>, index: usize| {
            let score = |image| score_plane(engine.as_ref(), preprocessing, &preprocessing.plane(&image));
            Ok(load(index).and_then(score))
        };
        parallel::each(&self.pool, count, stop, done, || self.engine.beside(), work)
    }
}

/// The weights of a model's folder, read once and checked against the lock.
///
/// # Errors
/// [`Error::Lock`] when they are not the locked ones, or no weights at all.
pub fn locked_weights(lock: &Lock, folder: &Path) -> Result<Weights> {
    let bytes = lock.read_weights(folder)?;
    let path = lock.weights_path(folder);
    weights::from_bytes(&bytes)
        .map_err(|list| Error::Lock(list.into_iter().map(|one| one.at(Location::file(&path))).collect()))
}

/// The probability of one image from its plane.
///
/// # Errors
/// What the engine reports; `score-not-finite` where the logit is no finite number.
pub fn score_plane(engine: &dyn Engine, preprocessing: &Preprocessing, plane: &[f32]) -> Result<f64> {
    let mut image = Vec::with_capacity(3 * plane.len());
    preprocessing.normalise_into(plane, &mut image);
    let logit = engine.logit(&image, preprocessing.resolution as usize)?;
    if logit.is_finite() {
        return Ok(probability(logit));
    }
    Err(Diagnostic::error(
        Code::ScoreNotFinite,
        format!("the network gives {logit} for this image, no score"),
    )
    .hint("the weights hold values too large for 32-bit floats; train again with a smaller learning rate")
    .into())
}

/// The logistic function of a 32-bit logit, in 64 bits so that order is kept near 0 and 1.
pub fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::preprocessing::Filter;

    struct Always(f64);

    impl Engine for Always {
        fn logit(&self, image: &[f32], side: usize) -> Result<f64> {
            assert_eq!((image.len(), side), (12, 2));
            // Channel by channel, normalised.
            assert_eq!((image[0], image[4], image[8]), (0.5, 1.0, 0.0));
            Ok(self.0)
        }

        fn beside(&self) -> Box<dyn Engine> {
            Box::new(Self(self.0))
        }
    }

    #[test]
    fn a_score_is_the_logistic_function_of_the_logit_and_never_nan() {
        let filter = Filter::TriangleAntialiased;
        let preprocessing =
            Preprocessing { resolution: 2, filter, mean: [0.0, 0.0, 0.5], std: [1.0, 0.5, 1.0] };
        let score = |logit| score_plane(&Always(logit), &preprocessing, &[0.5; 4]);
        assert_eq!(score(0.0).expect("scores"), 0.5);
        assert!((score(-30.0).expect("scores") - 9.357_622_968_839_3e-14).abs() < 1e-27);
        for logit in [f64::NAN, f64::INFINITY] {
            assert_eq!(
                score(logit).expect_err("no score").diagnostics()[0].code.as_str(),
                "score-not-finite"
            );
        }
    }
}
