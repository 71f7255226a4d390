//! The forward pass with fixed weights: what scoring and frozen layers run. On the processor it is
//! [`Forward`]; on a graphics processor libtorch's operations, with the same rewrites as far as they go.
//!
//! Three rewrites, each exact but for rounding (tested: as close to a forward pass in 64 bits as the plain
//! one): a normalisation after a convolution becomes part of its weights; a 1 × 1 convolution followed by
//! average pooling pools first; the maps of a dense block grow in one buffer instead of being copied by each
//! layer. A 1 × 1 convolution of one image is a matrix product.

use std::collections::VecDeque;

use tch::{Device, Kind, TchError, Tensor};

use super::failed;
use super::network::{Network, extent, shape_of, squeeze_excitation, to_array, zeros};
use sequester::diagnostic::Result;
use sequester::model::architecture::{Joined, Operation, Padding};
use sequester::model::forward::{self, Forward, Maps};

/// Changes whenever the numbers do: part of the key of stored activations.
pub(super) const VERSION: [&str; 2] = ["inference-1", forward::VERSION];

/// The steps of the base and the head, ready to run.
#[derive(Debug)]
pub struct Inference {
    /// On the processor; the rest is empty then.
    forward: Option<Forward>,
    units: Vec<Unit>,
    /// Weight and bias of each layer.
    head: Vec<[Tensor; 2]>,
    device: Device,
}

#[derive(Debug)]
struct Unit {
    steps: Vec<Step>,
    joined: Joined,
    /// Maps of the output.
    channels: i64,
}

#[derive(Debug)]
enum Step {
    Convolution(Convolution),
    /// Scale, shift, mean, variance; and what is added to the variance.
    Normalisation([Tensor; 4], f64),
    Relu,
    Relu6,
    Silu,
    /// Weight and bias of the two layers.
    SqueezeExcitation([Tensor; 4]),
    MaxPool,
    AveragePool,
    GlobalAverage,
}

#[derive(Debug)]
struct Convolution {
    /// `[out, in / groups, height, width]`.
    weight: Tensor,
    /// `[out]`.
    bias: Option<Tensor>,
    /// `[out, in]` and `[out, 1]`, where the convolution of one image is a matrix product.
    matrix: Option<(Tensor, Option<Tensor>)>,
    kernel: [usize; 2],
    stride: usize,
    groups: i64,
    padding: Padding,
}

impl Clone for Inference {
    fn clone(&self) -> Self {
        let units = self.units.iter().map(|unit| Unit {
            steps: unit.steps.iter().map(Step::share).collect(),
            joined: unit.joined,
            channels: unit.channels,
        });
        let head = self.head.iter().map(|pair| pair.each_ref().map(Tensor::shallow_clone));
        Self {
            forward: self.forward.clone(),
            units: units.collect(),
            head: head.collect(),
            device: self.device,
        }
    }
}

impl Inference {
    /// From the weights as they are now; later changes of the network do not reach it.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(network: &Network) -> Result<Self> {
        if network.device() != Device::Cpu {
            return Self::on_libtorch(network);
        }
        let forward = Forward::new(network.architecture(), &network.weights()?)?;
        Ok(Self { forward: Some(forward), units: Vec::new(), head: Vec::new(), device: Device::Cpu })
    }

    /// With libtorch's operations, on any device.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn on_libtorch(network: &Network) -> Result<Self> {
        tch::no_grad(|| Self::compile(network)).map_err(failed)
    }

    fn compile(network: &Network) -> Result<Self, TchError> {
        let mut units = Vec::new();
        for unit in network.architecture().units() {
            let steps = compile(network, unit.operations.into())?;
            units.push(Unit { steps, joined: unit.joined, channels: extent(unit.channels) });
        }
        let mut head = Vec::new();
        for number in 1..=3 {
            let part = |part: &str| network.tensor(&format!("head.fc{number}.{part}"))?.f_detach_copy();
            head.push([part("weight")?, part("bias")?]);
        }
        Ok(Self { forward: None, units, head, device: network.device() })
    }

    /// The forward pass without libtorch, where that is what runs.
    pub(super) fn on_processor(&self) -> Option<&Forward> {
        self.forward.as_ref()
    }

    /// Where its tensors are.
    pub(super) fn device(&self) -> Device {
        self.device
    }

    /// The steps of the base from one number to another, on what the steps before gave. All of them, from
    /// images `[n, 3, height, width]`, give pooled features `[n, features]`.
    pub(super) fn part(&self, maps: &Tensor, from: usize, to: usize) -> Result<Tensor, TchError> {
        if let Some(forward) = &self.forward {
            if from == to {
                return Ok(maps.shallow_clone());
            }
            let mut values = Vec::new();
            let mut shape = maps.size();
            for image in images(maps)? {
                let maps = forward.part(image, from, to);
                let [channels, height, width] = shape_of(&maps.shape())[..] else { continue };
                // Pooled features have no rows and columns.
                let pooled = to == forward.steps_of_base();
                shape.truncate(1);
                shape.extend(if pooled { vec![channels] } else { vec![channels, height, width] });
                values.extend(maps.to_planes());
            }
            return Tensor::f_from_slice(&values)?.f_view(shape.as_slice());
        }
        let mut x = maps.shallow_clone();
        let mut units = self.units[from..to].iter().peekable();
        while let Some(unit) = units.next() {
            if unit.joined != Joined::Concatenated {
                let y = unit.run(&x)?;
                x = if unit.joined == Joined::Added { y.f_add(&x)? } else { y };
                continue;
            }
            let mut block = vec![unit];
            while let Some(next) = units.next_if(|next| next.joined == Joined::Concatenated) {
                block.push(next);
            }
            x = grow(&x, &block)?;
        }
        Ok(x)
    }

    /// Logits of images `[n, 3, height, width]`: `[n]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn logits(&self, images: &Tensor) -> Result<Tensor, TchError> {
        if let Some(forward) = &self.forward {
            let logits: Vec<f32> =
                self::images(images)?.into_iter().map(|image| forward.logit(image)).collect();
            return Tensor::f_from_slice(&logits);
        }
        let mut x = self.part(images, 0, self.units.len())?;
        for (number, [weight, bias]) in self.head.iter().enumerate() {
            x = x.f_linear(weight, Some(bias))?;
            if number + 1 < self.head.len() {
                x = x.f_relu_()?;
            }
        }
        x.f_squeeze_dim(1)
    }
}

/// The images of a batch `[n, channels, height, width]`, one by one.
fn images(maps: &Tensor) -> Result<Vec<Maps>, TchError> {
    let array = to_array(maps)?;
    let shape: [usize; 3] = std::array::from_fn(|axis| array.shape.get(axis + 1).copied().unwrap_or(1));
    let len = shape.iter().product::<usize>().max(1);
    Ok(array.values.chunks_exact(len).map(|planes| Maps::from_planes(planes, shape)).collect())
}

/// A dense block: each layer reads the maps so far and writes its own behind them.
fn grow(x: &Tensor, block: &[&Unit]) -> Result<Tensor, TchError> {
    let mut size = x.size();
    let mut channels = size[1];
    size[1] = block.last().map_or(channels, |last| last.channels);
    let maps = Tensor::f_empty(size.as_slice(), (x.kind(), x.device()))?;
    maps.f_narrow(1, 0, channels)?.f_copy_(x)?;
    for unit in block {
        let y = unit.run(&maps.f_narrow(1, 0, channels)?)?;
        maps.f_narrow(1, channels, unit.channels - channels)?.f_copy_(&y)?;
        channels = unit.channels;
    }
    Ok(maps)
}

impl Unit {
    fn run(&self, input: &Tensor) -> Result<Tensor, TchError> {
        let mut x = input.shallow_clone();
        for step in &self.steps {
            x = match step {
                Step::Convolution(convolution) => convolution.run(&x)?,
                Step::Normalisation([scale, shift, mean, variance], epsilon) => x.f_batch_norm(
                    Some(scale),
                    Some(shift),
                    Some(mean),
                    Some(variance),
                    false,
                    0.0,
                    *epsilon,
                    false,
                )?,
                // In place: what comes before is a convolution or a normalisation, whose output nobody else
                // reads.
                Step::Relu => x.f_relu_()?,
                Step::Relu6 => x.f_relu6_()?,
                Step::Silu => x.f_silu_()?,
                Step::SqueezeExcitation([weight1, bias1, weight2, bias2]) => {
                    squeeze_excitation(&x, [weight1, bias1], [weight2, bias2])?
                }
                Step::MaxPool => x.f_max_pool2d(3, 2, 1, 1, false)?,
                Step::AveragePool => x.f_avg_pool2d(2, 2, 0, false, true, None)?,
                Step::GlobalAverage => x.f_adaptive_avg_pool2d([1, 1])?.f_flatten(1, -1)?,
            };
        }
        Ok(x)
    }
}

impl Step {
    fn share(&self) -> Self {
        match self {
            Self::Convolution(one) => Self::Convolution(Convolution {
                weight: one.weight.shallow_clone(),
                bias: one.bias.as_ref().map(Tensor::shallow_clone),
                matrix: one
                    .matrix
                    .as_ref()
                    .map(|(w, b)| (w.shallow_clone(), b.as_ref().map(Tensor::shallow_clone))),
                ..*one
            }),
            Self::Normalisation(parts, epsilon) => {
                Self::Normalisation(parts.each_ref().map(Tensor::shallow_clone), *epsilon)
            }
            Self::Relu => Self::Relu,
            Self::Relu6 => Self::Relu6,
            Self::Silu => Self::Silu,
            Self::SqueezeExcitation(parts) => {
                Self::SqueezeExcitation(parts.each_ref().map(Tensor::shallow_clone))
            }
            Self::MaxPool => Self::MaxPool,
            Self::AveragePool => Self::AveragePool,
            Self::GlobalAverage => Self::GlobalAverage,
        }
    }
}

impl Convolution {
    fn run(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let size = x.size();
        if let (Some((matrix, bias)), 1) = (&self.matrix, size[0]) {
            let columns = x.f_reshape([size[1], size[2] * size[3]])?;
            let y = match bias {
                Some(bias) => bias.f_addmm(matrix, &columns)?,
                None => matrix.f_mm(&columns)?,
            };
            return y.f_view([1, -1, size[2], size[3]]);
        }
        let whole = |padding: [i64; 2], x: &Tensor| {
            x.f_conv2d(&self.weight, self.bias.as_ref(), extent(self.stride), padding, 1, self.groups)
        };
        match self.padding {
            Padding::Each(each) => whole([extent(each); 2], x),
            Padding::Same => {
                let [top, bottom] = zeros(self.padding, size[2], self.kernel[0], self.stride);
                let [left, right] = zeros(self.padding, size[3], self.kernel[1], self.stride);
                if top == bottom && left == right {
                    return whole([top, left], x);
                }
                whole([0, 0], &x.f_constant_pad_nd([left, right, top, bottom])?)
            }
        }
    }
}

/// The operations of a unit, rewritten.
fn compile(network: &Network, operations: VecDeque<Operation>) -> Result<Vec<Step>, TchError> {
    let mut operations = operations;
    let mut steps = Vec::new();
    while let Some(operation) = operations.pop_front() {
        match operation {
            Operation::Convolution { name, shape, stride, groups, padding, .. } => {
                let mut weight = network.tensor(&format!("{name}.weight"))?.f_detach_copy()?;
                let mut bias = None;
                if let Some(Operation::Normalisation { name, epsilon, .. }) = operations.front() {
                    let [scale, shift] = scale_and_shift(network, name, *epsilon)?;
                    let scaled = weight.f_to_kind(Kind::Double)?.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
                    weight = scaled.f_to_kind(Kind::Float)?;
                    bias = Some(shift.f_to_kind(Kind::Float)?);
                    operations.pop_front();
                }
                let pointwise = shape[2..] == [1, 1] && groups == 1;
                if pointwise && operations.front() == Some(&Operation::AveragePool) {
                    operations.pop_front();
                    steps.push(Step::AveragePool);
                }
                let matrix = if pointwise && stride == 1 {
                    let column = bias.as_ref().map(|bias| bias.f_view([-1, 1])).transpose()?;
                    Some((weight.f_view([extent(shape[0]), extent(shape[1])])?, column))
                } else {
                    None
                };
                steps.push(Step::Convolution(Convolution {
                    weight,
                    bias,
                    matrix,
                    kernel: [shape[2], shape[3]],
                    stride,
                    groups: extent(groups),
                    padding,
                }));
            }
            Operation::Normalisation { name, epsilon, .. } => {
                let part = |part: &str| network.tensor(&format!("{name}.{part}"))?.f_detach_copy();
                let parts = [part("weight")?, part("bias")?, part("running_mean")?, part("running_var")?];
                steps.push(Step::Normalisation(parts, epsilon));
            }
            Operation::Relu => steps.push(Step::Relu),
            Operation::Relu6 => steps.push(Step::Relu6),
            Operation::Silu => steps.push(Step::Silu),
            Operation::SqueezeExcitation { name, .. } => {
                let part = |part: &str| network.tensor(&format!("{name}.{part}"))?.f_detach_copy();
                let [fc1, fc2] = [["fc1.weight", "fc1.bias"], ["fc2.weight", "fc2.bias"]];
                let parts = [part(fc1[0])?, part(fc1[1])?, part(fc2[0])?, part(fc2[1])?];
                steps.push(Step::SqueezeExcitation(parts));
            }
            Operation::MaxPool => steps.push(Step::MaxPool),
            Operation::AveragePool => steps.push(Step::AveragePool),
            Operation::GlobalAverage => steps.push(Step::GlobalAverage),
        }
    }
    Ok(steps)
}

/// A normalisation as `scale * x + shift`, in 64 bits.
fn scale_and_shift(network: &Network, name: &str, epsilon: f64) -> Result<[Tensor; 2], TchError> {
    let part = |part: &str| network.tensor(&format!("{name}.{part}"))?.f_detach()?.f_to_kind(Kind::Double);
    let root = part("running_var")?.f_add_scalar(epsilon)?.f_sqrt()?;
    let scale = part("weight")?.f_div(&root)?;
    let shift = part("bias")?.f_sub(&part("running_mean")?.f_mul(&scale)?)?;
    Ok([scale, shift])
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use sequester::model::architecture::{Architecture, Role};
    use sequester::model::random::{Purpose, initial_weights, stream, uniform};

    /// Random weights with statistics that are not 0 and 1.
    fn network(architecture: Architecture) -> Network {
        let mut weights = initial_weights(architecture, 9);
        let mut numbers = stream(9, Purpose::Order, 0);
        for spec in architecture.tensors() {
            let array = weights.get_mut(&spec.name).expect("there");
            for value in &mut array.values {
                let u = (2.0 * uniform(&mut numbers) - 1.0) as f32;
                match spec.role {
                    Role::Scale | Role::RunningVariance => *value = 1.0 + 0.3 * u,
                    Role::Shift | Role::RunningMean => *value = 0.1 * u,
                    Role::Weight { .. } | Role::Output { .. } => {}
                }
            }
        }
        Network::new(architecture, &weights, Device::Cpu).expect("builds")
    }

    #[test]
    fn steps_and_logits_are_as_exact_as_those_of_the_plain_forward_pass() {
        tch::set_num_threads(1);
        tch::manual_seed(9);
        for architecture in Architecture::ALL {
            let network = network(architecture);
            let exact = network.in_double();
            let engines =
                [Inference::new(&network), Inference::on_libtorch(&network)].map(|e| e.expect("compiles"));
            for (size, inference) in [0, 0, 1, 1]
                .iter()
                .zip(engines.iter().cycle())
                .map(|(at, engine)| ([[1, 3, 67, 64], [2, 3, 64, 64]][*at], engine))
            {
                let images = Tensor::rand(size, tch::kind::FLOAT_CPU);
                let double = images.to_kind(Kind::Double);
                let check = |exact: Tensor, plain: Tensor, fast: Tensor, what: &str| {
                    assert_eq!(exact.size(), fast.size());
                    let off = |x: &Tensor| (x.to_kind(Kind::Double) - &exact).abs().max().double_value(&[]);
                    let largest = exact.abs().max().double_value(&[]);
                    let (plain, fast) = (off(&plain) / largest, off(&fast) / largest);
                    assert!(fast <= 2.0 * plain + 1e-6, "{architecture} {what}: {fast:e}, plain {plain:e}");
                };
                tch::no_grad(|| {
                    let count = network.steps_of_base();
                    for to in [1, 3, 9, count / 2, count - 1, count] {
                        let wanted = exact.base(&double, to).expect("runs");
                        let plain = network.base(&images, to).expect("runs");
                        let fast = inference.part(&images, 0, to).expect("runs");
                        check(wanted, plain, fast, &format!("after {to}"));
                    }
                    // A logit is one number, and that of the plain pass can by luck be far more exact than
                    // its terms are, which depends on the processor. So the head is judged on the features
                    // it had, and against the size of what it adds up (Higham 2002, section 3.1), not
                    // against a sum near 0.
                    let features = inference.part(&images, 0, count).expect("runs");
                    let features = features.to_kind(Kind::Double);
                    let head = |of: &dyn Fn(&Tensor) -> Tensor| {
                        [1, 2, 3].iter().fold(of(&features), |x, number| {
                            let part = |part: &str| {
                                of(exact.tensor(&format!("head.fc{number}.{part}")).expect("there"))
                            };
                            let y = x.linear(&part("weight"), Some(&part("bias")));
                            if *number < 3 { y.relu() } else { y.squeeze_dim(1) }
                        })
                    };
                    let [wanted, terms] = [head(&Tensor::shallow_clone), head(&Tensor::abs)];
                    let fast = inference.logits(&images).expect("runs").to_kind(Kind::Double);
                    let off = ((fast - wanted).abs() / terms).max().double_value(&[]);
                    assert!(off <= 1e-9, "{architecture}, the head: {off:e} of its terms");
                });
            }
        }
    }

    #[test]
    fn parts_one_after_the_other_give_the_very_numbers_of_the_whole() {
        tch::set_num_threads(1);
        let network = network(Architecture::Densenet121);
        let inference = Inference::new(&network).expect("compiles");
        let image = Tensor::rand([1, 3, 64, 64], tch::kind::FLOAT_CPU);
        tch::no_grad(|| {
            let count = network.steps_of_base();
            let whole = inference.part(&image, 0, count).expect("runs");
            for at in [2, 30, count - 5] {
                let first = inference.part(&image, 0, at).expect("runs");
                assert_eq!(inference.part(&first, at, count).expect("runs"), whole, "{at}");
            }
        });
    }
}
