//! Scoring on a device of libtorch. On the processor `model::scorer` does without it.

use std::path::Path;

use tch::{Device, TchError, Tensor};

use super::failed;
use super::inference::Inference;
use super::network::Network;
use super::workers::callers;
use sequester::diagnostic::Result;
use sequester::model::lock::Lock;
use sequester::model::parallel::Pool;
use sequester::model::preprocessing::Preprocessing;
use sequester::model::scorer::{Engine, Scorer, locked_weights};

/// A locked model on a device, its weights checked against the lock.
///
/// # Errors
/// [`Error::Lock`](sequester::diagnostic::Error::Lock) when there is no lock or the weights are not the
/// locked ones; what libtorch reports.
pub fn open(folder: &Path, workers: usize, device: Device) -> Result<Scorer> {
    let lock = Lock::read(folder)?;
    let network = Network::new(lock.architecture, &locked_weights(&lock, folder)?, device)?;
    tch::set_num_threads(1);
    let pool = Pool::new(callers(workers, device), || tch::set_num_threads(1))?;
    Ok(Scorer::new(lock, Box::new(Inference::on_libtorch(&network)?), pool))
}

impl Engine for Inference {
    fn logit(&self, image: &[f32], side: usize) -> Result<f64> {
        match self.on_processor() {
            Some(forward) => Engine::logit(forward, image, side),
            None => tch::no_grad(|| {
                let image = tensor(image, side, self.device())?;
                self.logits(&image)?.f_double_value(&[0])
            })
            .map_err(failed),
        }
    }

    fn beside(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }
}

/// One image as the network wants it: `[1, 3, resolution, resolution]`.
pub(super) fn image(preprocessing: &Preprocessing, plane: &[f32], device: Device) -> Result<Tensor> {
    let mut values = Vec::with_capacity(3 * plane.len());
    preprocessing.normalise_into(plane, &mut values);
    tensor(&values, preprocessing.resolution as usize, device).map_err(failed)
}

fn tensor(image: &[f32], side: usize, device: Device) -> Result<Tensor, TchError> {
    let side = super::network::extent(side);
    Tensor::f_from_slice(image)?.f_view([1, 3, side, side])?.f_to_device(device)
}
