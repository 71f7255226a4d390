//! A locked model as TorchScript, for engines that read it.

use std::path::Path;

use tch::{CModule, Device, Kind, TchError, Tensor};

use super::failed;
use super::inference::Inference;
use super::network::Network;
use sequester::diagnostic::{Code, Diagnostic, Error, Location, Result};
use sequester::model::lock::Lock;
use sequester::model::weights;

/// How the exported model differs from the locked one on images of random intensities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Images.
    pub images: usize,
    /// Largest difference of a logit.
    pub largest: f64,
}

/// Largest difference of a logit that an export may have.
const TOLERANCE: f64 = 1e-5;

/// Writes a module whose `forward` takes `[n, 3, resolution, resolution]`, normalised as the lock says, and
/// gives `[n]` logits; then reads it back and compares it with the locked model.
///
/// # Errors
/// [`Error::Lock`] when the weights are not the locked ones; `export-differs` when the module that was read
/// back gives other logits; what libtorch and the file system report.
pub fn torchscript(folder: &Path, lock: &Lock, out: &Path) -> Result<Agreement> {
    tch::set_num_threads(1);
    let bytes = lock.read_weights(folder)?;
    let weights = weights::from_bytes(&bytes).map_err(Error::Input)?;
    let network = Network::new(lock.architecture, &weights, Device::Cpu)?;
    let side = i64::from(lock.preprocessing.resolution);
    tch::manual_seed(1);
    let images = Tensor::f_randn([4, 3, side, side], (Kind::Float, Device::Cpu)).map_err(failed)?;
    let compare = || -> Result<f64, TchError> {
        let mut first_error = None;
        // Two images, so that nothing in the trace is bound to a batch of one.
        let example = [images.f_narrow(0, 0, 2)?];
        let module =
            CModule::create_by_tracing("Classifier", "forward", &example, &mut |inputs: &[Tensor]| {
                match inputs.first().map(|input| network.plain_logits(input)) {
                    Some(Ok(logits)) => vec![logits],
                    Some(Err(error)) => {
                        first_error = Some(error);
                        vec![Tensor::new()]
                    }
                    None => vec![Tensor::new()],
                }
            });
        if let Some(error) = first_error {
            return Err(error);
        }
        module?.save(out)?;
        let again = CModule::load(out)?;
        let inference = Inference::new(&network).map_err(|e| TchError::Torch(e.to_string()))?;
        let mut largest = 0.0_f64;
        for index in 0..4 {
            let one = images.f_narrow(0, index, 1)?;
            let [theirs, ours] = [again.forward_ts(&[&one])?, inference.logits(&one)?];
            largest = largest.max((theirs.f_double_value(&[0])? - ours.f_double_value(&[0])?).abs());
        }
        Ok(largest)
    };
    let largest = tch::no_grad(compare).map_err(failed)?;
    if !largest.is_finite() || largest > TOLERANCE {
        let message = format!("the exported module gives other logits: they differ by up to {largest}");
        return Err(Diagnostic::error(Code::ExportDiffers, message)
            .at(Location::file(out))
            .hint("use the .safetensors weights with the lock instead")
            .into());
    }
    Ok(Agreement { images: 4, largest })
}
