//! Any network of `model::architecture`, run operation by operation, and the head of the source project.

use std::collections::BTreeMap;

use tch::{Device, Kind, TchError, Tensor};

use super::failed;
use sequester::diagnostic::{Error, Result};
use sequester::model::architecture::{Architecture, Joined, Operation, Padding, Unit};
use sequester::model::weights::{Array, Weights, differences};

/// Which statistics a normalisation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormMode {
    /// The stored running statistics, everywhere: scoring, and training with frozen statistics.
    Running,
    /// The batch's own in layers from this one on, the stored ones before.
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

/// The tensors by name, all on one device. Cloning shares them.
#[derive(Debug)]
pub struct Network {
    architecture: Architecture,
    device: Device,
    tensors: BTreeMap<String, Tensor>,
    units: Vec<Unit>,
}

impl Clone for Network {
    fn clone(&self) -> Self {
        let tensors = self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
        let (architecture, device) = (self.architecture, self.device);
        Self { architecture, device, tensors: tensors.collect(), units: self.units.clone() }
    }
}

impl Network {
    /// The network with these weights, all of them, base and head.
    ///
    /// # Errors
    /// Every missing, unexpected or misshapen tensor; memory.
    pub fn new(architecture: Architecture, weights: &Weights, device: Device) -> Result<Self> {
        let wrong = differences(weights, architecture, true);
        if !wrong.is_empty() {
            return Err(Error::Input(wrong));
        }
        let mut tensors = BTreeMap::new();
        for (name, array) in weights {
            tensors.insert(name.clone(), to_tensor(array, device).map_err(failed)?);
        }
        Ok(Self { architecture, device, tensors, units: architecture.units() })
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

    /// The first steps of the base on images `[n, 3, height, width]`, `steps` of them. All of them give
    /// pooled features `[n, features]`, fewer give the feature maps at that place.
    pub(super) fn base(&self, images: &Tensor, steps: usize) -> Result<Tensor, TchError> {
        self.part(images, 0, steps)
    }

    /// The steps of the base from one number to another, on what the steps before gave.
    pub(super) fn part(&self, maps: &Tensor, from: usize, to: usize) -> Result<Tensor, TchError> {
        self.steps(maps, from, to, NormMode::Running, &mut BatchStatistics::new())
    }

    /// The same in 64 bits.
    #[cfg(test)]
    pub(super) fn in_double(&self) -> Self {
        let mut double = self.clone();
        for tensor in double.tensors.values_mut() {
            *tensor = tensor.detach().to_kind(Kind::Double);
        }
        double
    }

    /// Where its tensors are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Which network it is.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Values as a tensor where the network's tensors are.
    pub(super) fn input(&self, values: &[f32], shape: &[i64]) -> Result<Tensor, TchError> {
        Tensor::f_from_slice(values)?.f_view(shape)?.f_to_device(self.device)
    }

    /// Number of steps of the base.
    #[cfg(test)]
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
    #[cfg(test)]
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        self.plain_logits(images).map_err(failed)
    }

    /// The same with libtorch's own error.
    pub(super) fn plain_logits(&self, images: &Tensor) -> Result<Tensor, TchError> {
        self.rest(images, 0, NormMode::Running, None, &mut BatchStatistics::new())
    }

    /// Pooled features of images: `[n, features]`.
    ///
    /// # Errors
    /// What libtorch reports.
    #[cfg(test)]
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
        input: &Tensor,
        mode: NormMode,
        statistics: &mut BatchStatistics,
    ) -> Result<Tensor, TchError> {
        let mut x = input.shallow_clone();
        for operation in &unit.operations {
            x = match operation {
                Operation::Convolution { name, shape, stride, groups, padding, .. } => {
                    self.convolve(name, &x, shape, *stride, *groups, *padding)?
                }
                Operation::Normalisation { name, epsilon, layer, .. } => {
                    self.normalise(name, *layer, *epsilon, &x, mode, statistics)?
                }
                // In place: what comes before is always a normalisation, whose output nobody else reads.
                Operation::Relu => x.f_relu_()?,
                Operation::Relu6 => x.f_relu6_()?,
                // Not in place: its gradient needs the input.
                Operation::Silu => x.f_silu()?,
                Operation::SqueezeExcitation { name, .. } => {
                    let part = |part: &str| self.tensor(&format!("{name}.{part}"));
                    let squeeze = [part("fc1.weight")?, part("fc1.bias")?];
                    squeeze_excitation(&x, squeeze, [part("fc2.weight")?, part("fc2.bias")?])?
                }
                Operation::MaxPool => x.f_max_pool2d(3, 2, 1, 1, false)?,
                Operation::AveragePool => x.f_avg_pool2d(2, 2, 0, false, true, None)?,
                Operation::GlobalAverage => x.f_adaptive_avg_pool2d([1, 1])?.f_flatten(1, -1)?,
            };
        }
        match unit.joined {
            Joined::Replaced => Ok(x),
            Joined::Concatenated => Tensor::f_cat(&[input, &x], 1),
            Joined::Added => x.f_add(input),
        }
    }

    fn convolve(
        &self,
        name: &str,
        x: &Tensor,
        shape: &[usize; 4],
        stride: usize,
        groups: usize,
        padding: Padding,
    ) -> Result<Tensor, TchError> {
        let weight = self.tensor(&format!("{name}.weight"))?;
        let whole = |padding: [i64; 2], x: &Tensor| {
            x.f_conv2d(weight, None::<&Tensor>, extent(stride), padding, 1, extent(groups))
        };
        match padding {
            Padding::Each(each) => whole([extent(each); 2], x),
            Padding::Same => {
                let size = x.size();
                let [top, bottom] = zeros(padding, size[2], shape[2], stride);
                let [left, right] = zeros(padding, size[3], shape[3], stride);
                if top == bottom && left == right {
                    return whole([top, left], x);
                }
                whole([0, 0], &x.f_constant_pad_nd([left, right, top, bottom])?)
            }
        }
    }

    fn normalise(
        &self,
        name: &str,
        layer: usize,
        epsilon: f64,
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
            let y = x.f_batch_norm(scale, shift, Some(&mean), Some(&variance), true, 1.0, epsilon, false)?;
            statistics.insert(name.to_owned(), (mean, variance));
            return Ok(y);
        }
        let (mean, variance) = (Some(part("running_mean")?), Some(part("running_var")?));
        x.f_batch_norm(scale, shift, mean, variance, false, 0.0, epsilon, false)
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

/// Each map times its gate, from weights `[out, in, 1, 1]` and biases `[out]`.
pub(super) fn squeeze_excitation(
    x: &Tensor,
    squeeze: [&Tensor; 2],
    excite: [&Tensor; 2],
) -> Result<Tensor, TchError> {
    let layer = |x: &Tensor, [weight, bias]: [&Tensor; 2]| x.f_conv2d(weight, Some(bias), 1, 0, 1, 1);
    let gate = layer(&x.f_adaptive_avg_pool2d([1, 1])?, squeeze)?.f_silu()?;
    x.f_mul(&layer(&gate, excite)?.f_sigmoid()?)
}

/// Zeros before and after a side of a tensor.
pub(super) fn zeros(padding: Padding, size: i64, kernel: usize, stride: usize) -> [i64; 2] {
    padding.zeros(usize::try_from(size).unwrap_or(0), kernel, stride).map(extent)
}

/// A tensor of its own on a device.
pub(super) fn to_tensor(array: &Array, device: Device) -> Result<Tensor, TchError> {
    Tensor::f_from_slice(&array.values)?.f_reshape(shape_of(&array.shape).as_slice())?.f_to_device(device)
}

/// The values of a tensor, row-major.
pub(super) fn to_array(tensor: &Tensor) -> Result<Array, TchError> {
    let shape: Vec<usize> = tensor.size().iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
    let flat =
        tensor.f_detach()?.f_contiguous()?.f_view(-1)?.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?;
    let mut values = vec![0.0_f32; flat.numel()];
    let count = values.len();
    flat.f_copy_data(&mut values, count)?;
    Ok(Array { shape, values })
}

/// Extents as libtorch wants them.
pub(super) fn shape_of(shape: &[usize]) -> Vec<i64> {
    shape.iter().copied().map(extent).collect()
}

pub(super) fn extent(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sequester::model::random::initial_weights;

    #[test]
    fn weights_pass_through_the_network_unchanged() {
        for architecture in Architecture::ALL {
            let weights = initial_weights(architecture, 3);
            let network = Network::new(architecture, &weights, Device::Cpu).expect("builds");
            assert_eq!(network.weights().expect("copies"), weights);
        }
    }

    #[test]
    fn the_forward_pass_has_the_declared_shapes_at_every_step() {
        tch::set_num_threads(1);
        let image = Tensor::ones([2, 3, 64, 64], (Kind::Float, Device::Cpu));
        for architecture in Architecture::ALL {
            let weights = initial_weights(architecture, 3);
            let network = Network::new(architecture, &weights, Device::Cpu).expect("builds");
            tch::no_grad(|| {
                for (index, unit) in architecture.units().iter().enumerate() {
                    let x = network.base(&image, index + 1).expect("runs");
                    assert_eq!(x.size()[1], unit.channels as i64, "{}", unit.name);
                }
                assert_eq!(
                    network.features(&image).expect("runs").size(),
                    [2, architecture.features() as i64]
                );
                assert_eq!(network.logits(&image).expect("runs").size(), [2]);
            });
        }
    }
}
