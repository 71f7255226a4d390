//! Scoring with a locked model, and with nothing else.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tch::{Device, Tensor};

use super::inference::Inference;
use super::workers::Workers;
use super::{Network, failed};
use crate::dataset::radiograph::Radiograph;
use crate::diagnostic::{Error, Location, Result};
use crate::model::lock::Lock;
use crate::model::preprocessing::Preprocessing;
use crate::model::weights;

/// A locked model, its weights checked against the lock. Every image is scored alone, so a score depends
/// on the image, the weights, the processor and the version of libtorch, never on its neighbours or on the
/// number of workers.
pub struct Scorer {
    lock: Lock,
    network: Inference,
    workers: Workers,
}

impl Scorer {
    /// Reads the lock of a model's folder, checks the weights against it, and builds the network from the
    /// very bytes that were checked.
    ///
    /// # Errors
    /// [`Error::Lock`] when there is no lock or the weights are not the locked ones.
    pub fn open(folder: &Path, workers: usize) -> Result<Self> {
        let lock = Lock::read(folder)?;
        let bytes = lock.read_weights(folder)?;
        let path = lock.weights_path(folder);
        let located = |list: Vec<crate::diagnostic::Diagnostic>| {
            Error::Lock(list.into_iter().map(|one| one.at(Location::file(&path))).collect())
        };
        let weights = weights::from_bytes(&bytes).map_err(located)?;
        let network = Network::new(lock.architecture, &weights, Device::Cpu)?;
        Ok(Self { lock, network: Inference::new(&network)?, workers: Workers::new(workers)? })
    }

    /// The lock.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Probabilities in 0..=1 of planes as [`Preprocessing::plane`] gives them, in their order.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn score(&self, planes: &[Vec<f32>]) -> Result<Vec<f64>> {
        let preprocessing = &self.lock.preprocessing;
        let never = AtomicBool::new(false);
        self.workers.each(
            &self.network,
            planes.len(),
            &never,
            |_| {},
            |network, index| score_plane(network, preprocessing, &planes[index]),
        )
    }

    /// Loads, preprocesses and scores `count` images; each worker holds one image at a time. An image that `load`
    /// cannot give has its own error in its place and does not stop the others. `done` hears how many are finished.
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
        self.workers.each(&self.network, count, stop, done, |network, index| {
            Ok(load(index)
                .and_then(|image| score_plane(network, preprocessing, &preprocessing.plane(&image))))
        })
    }
}

/// The probability of one image.
pub(super) fn score_plane(network: &Inference, preprocessing: &Preprocessing, plane: &[f32]) -> Result<f64> {
    let logits = network.logits(&image(preprocessing, plane, Device::Cpu)?);
    Ok(probability(logits.and_then(|logits| logits.f_double_value(&[0])).map_err(failed)?))
}

/// One image as the network wants it: `[1, 3, resolution, resolution]`.
pub(super) fn image(preprocessing: &Preprocessing, plane: &[f32], device: Device) -> Result<Tensor> {
    let mut values = Vec::with_capacity(3 * plane.len());
    preprocessing.normalise_into(plane, &mut values);
    let side = i64::from(preprocessing.resolution);
    let shaped = Tensor::f_from_slice(&values).and_then(|t| t.f_view([1, 3, side, side]));
    shaped.and_then(|t| t.f_to_device(device)).map_err(failed)
}

/// The logistic function of a 32-bit logit, in 64 bits so that order is kept near 0 and 1.
pub(super) fn probability(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}
