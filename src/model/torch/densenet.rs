//! DenseNet121 with torchvision's tensor names, and the head of the source project.

use std::collections::BTreeMap;

use tch::{Kind, TchError, Tensor};

use super::failed;
use crate::diagnostic::{Error, Result};
use crate::model::layers::{self, Unit, UnitKind, tensors};
use crate::model::weights::{Array, Weights, differences};

/// Added to variances before the root, as torchvision has it.
const EPSILON: f64 = 1e-5;

/// Which statistics a normalisation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormMode {
    /// The stored running statistics, everywhere: scoring, and training with frozen statistics.
    Running,
    /// The batch's own in layers from this one on (counted as Keras counts), the stored ones before.
    BatchFrom(usize),
}

/// Multipliers for the outputs of the head's hidden layers: 0 or `1 / (1 - rate)`.
#[derive(Debug)]
pub struct Dropout {
    /// `[n, 1024]` and `[n, 512]`.
    pub masks: [Tensor; 2],
}

/// Mean and unbiased variance of one batch for each normalisation that used the batch's own statistics,
/// under the normalisation's name.
pub type BatchStatistics = BTreeMap<String, (Tensor, Tensor)>;

/// The tensors by name. Cloning shares them.
#[derive(Debug)]
pub struct Network {
    tensors: BTreeMap<String, Tensor>,
    units: Vec<Unit>,
}

impl Clone for Network {
    fn clone(&self) -> Self {
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        Self { tensors: tensors.collect(), units: self.units.clone() }
    }
}

impl Network {
    /// The network with these weights, all of them, base and head.
    ///
    /// # Errors
    /// Every missing, unexpected or misshapen tensor; memory.
    pub fn new(weights: &Weights) -> Result<Self> {
        let wrong = differences(weights, &tensors());
        if !wrong.is_empty() {
            return Err(Error::Input(wrong));
        }
        let mut tensors = BTreeMap::new();
        for (name, array) in weights {
            tensors.insert(name.clone(), to_tensor(array).map_err(failed)?);
        }
        Ok(Self { tensors, units: layers::units() })
    }

    /// A copy of the weights as they are now.
    ///
    /// # Errors
    /// When libtorch cannot give the values.
    pub fn weights(&self) -> Result<Weights> {
        let mut weights = Weights::new();
        for (name, tensor) in &self.tensors {
            weights.insert(name.clone(), to_array(tensor).map_err(failed)?);
        }
        Ok(weights)
    }

    /// One tensor; the constructor saw that all are there.
    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor, TchError> {
        self.tensors.get(name).ok_or_else(|| TchError::Shape(format!("no tensor is called {name}")))
    }

    /// The first steps of the base on images `[n, 3, height, width]`, `steps` of them. All of them give pooled
    /// features `[n, 1024]`, fewer give the feature maps at that place.
    pub(super) fn base(&self, images: &Tensor, steps: usize) -> Result<Tensor, TchError> {
        self.steps(images, 0, steps, NormMode::Running, &mut BatchStatistics::new())
    }

    /// Number of steps of the base.
    pub fn steps_of_base(&self) -> usize {
        self.units.len()
    }

    /// The rest of the base after `from` steps, and the head: one logit an image, `[n]`.
    pub(super) fn rest(
        &self,
        stored: &Tensor,
        from: usize,
        mode: NormMode,
        dropout: Option<&Dropout>,
        statistics: &mut BatchStatistics,
    ) -> Result<Tensor, TchError> {
        let features = self.steps(stored, from, self.units.len(), mode, statistics)?;
        self.head(&features, dropout)
    }

    /// Logits of images `[n, 3, height, width]` with stored statistics and without dropout: `[n]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let mut none = BatchStatistics::new();
        self.rest(images, 0, NormMode::Running, None, &mut none).map_err(failed)
    }

    /// Pooled features of images: `[n, 1024]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn features(&self, images: &Tensor) -> Result<Tensor> {
        self.base(images, self.units.len()).map_err(failed)
    }

    fn steps(
        &self,
        input: &Tensor,
        from: usize,
        to: usize,
        mode: NormMode,
        statistics: &mut BatchStatistics,
    ) -> Result<Tensor, TchError> {
        let mut x = input.shallow_clone();
        for unit in &self.units[from..to] {
            x = self.step(unit, &x, mode, statistics)?;
        }
        Ok(x)
    }

    fn step(
        &self,
        unit: &Unit,
        x: &Tensor,
        mode: NormMode,
        statistics: &mut BatchStatistics,
    ) -> Result<Tensor, TchError> {
        let (name, first) = (unit.name.as_str(), unit.first_layer);
        let mut norm = |part: &str, layer: usize, x: &Tensor| -> Result<Tensor, TchError> {
            self.normalise(part, layer, x, mode, statistics)?.f_relu_()
        };
        match unit.kind {
            UnitKind::Stem => {
                let x = self.convolve("features.conv0", x, 2, 3)?;
                let x = norm("features.norm0", first + 3, &x)?;
                x.f_max_pool2d(3, 2, 1, 1, false)
            }
            UnitKind::Dense { .. } => {
                let y = norm(&format!("{name}.norm1"), first, x)?;
                let y = self.convolve(&format!("{name}.conv1"), &y, 1, 0)?;
                let y = norm(&format!("{name}.norm2"), first + 3, &y)?;
                let y = self.convolve(&format!("{name}.conv2"), &y, 1, 1)?;
                Tensor::f_cat(&[x, &y], 1)
            }
            UnitKind::Transition { .. } => {
                let y = norm(&format!("{name}.norm"), first, x)?;
                let y = self.convolve(&format!("{name}.conv"), &y, 1, 0)?;
                y.f_avg_pool2d(2, 2, 0, false, true, None)
            }
            UnitKind::Last => {
                let y = norm(name, first, x)?;
                y.f_adaptive_avg_pool2d([1, 1])?.f_flatten(1, -1)
            }
        }
    }

    fn convolve(&self, name: &str, x: &Tensor, stride: i64, padding: i64) -> Result<Tensor, TchError> {
        let weight = self.tensor(&format!("{name}.weight"))?;
        x.f_conv2d(weight, None::<&Tensor>, stride, padding, 1, 1)
    }

    fn normalise(
        &self,
        name: &str,
        layer: usize,
        x: &Tensor,
        mode: NormMode,
        statistics: &mut BatchStatistics,
    ) -> Result<Tensor, TchError> {
        let part = |part: &str| self.tensor(&format!("{name}.{part}"));
        let (scale, shift) = (Some(part("weight")?), Some(part("bias")?));
        if matches!(mode, NormMode::BatchFrom(first) if layer >= first) {
            // With momentum 1 the running tensors become the batch's own statistics.
            let (mean, variance) =
                (part("running_mean")?.f_zeros_like()?, part("running_var")?.f_ones_like()?);
            let y = x.f_batch_norm(scale, shift, Some(&mean), Some(&variance), true, 1.0, EPSILON, false)?;
            statistics.insert(name.to_owned(), (mean, variance));
            return Ok(y);
        }
        let (mean, variance) = (Some(part("running_mean")?), Some(part("running_var")?));
        x.f_batch_norm(scale, shift, mean, variance, false, 0.0, EPSILON, false)
    }

    fn head(&self, features: &Tensor, dropout: Option<&Dropout>) -> Result<Tensor, TchError> {
        let mut x = features.shallow_clone();
        for number in 1..=3 {
            let weight = self.tensor(&format!("head.fc{number}.weight"))?;
            let bias = self.tensor(&format!("head.fc{number}.bias"))?;
            x = x.f_linear(weight, Some(bias))?;
            if number < 3 {
                x = x.f_relu_()?;
                if let Some(dropout) = dropout {
                    x = x.f_mul(&dropout.masks[number - 1])?;
                }
            }
        }
        x.f_squeeze_dim(1)
    }
}

/// A tensor of its own.
pub(super) fn to_tensor(array: &Array) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(&array.values)?.f_reshape(shape_of(&array.shape).as_slice())
}

/// The values of a tensor, row-major.
pub(super) fn to_array(tensor: &Tensor) -> Result<Array, TchError> {
    let shape: Vec<usize> = tensor.size().iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
    let flat = tensor.f_detach()?.f_contiguous()?.f_view(-1)?.f_to_kind(Kind::Float)?;
    let mut values = vec![0.0_f32; flat.numel()];
    let count = values.len();
    flat.f_copy_data(&mut values, count)?;
    Ok(Array { shape, values })
}

/// Extents as libtorch wants them.
pub(super) fn shape_of(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::initial_weights;

    #[test]
    fn weights_pass_through_the_network_unchanged() {
        let weights = initial_weights(3);
        let network = Network::new(&weights).expect("builds");
        assert_eq!(network.weights().expect("copies"), weights);
    }

    #[test]
    fn the_forward_pass_has_the_declared_shapes_at_every_step() {
        tch::set_num_threads(1);
        let network = Network::new(&initial_weights(3)).expect("builds");
        let image = Tensor::ones([2, 3, 64, 64], (Kind::Float, tch::Device::Cpu));
        tch::no_grad(|| {
            for (index, unit) in layers::units().iter().enumerate().take(layers::units().len() - 1) {
                let x = network.base(&image, index + 1).expect("runs");
                assert_eq!(x.size()[1], unit.channels as i64, "{}", unit.name);
            }
            assert_eq!(network.features(&image).expect("runs").size(), [2, 1024]);
            assert_eq!(network.logits(&image).expect("runs").size(), [2]);
        });
    }
}
