//! The forward pass with fixed weights, one image at a time on one core, without libtorch: what scoring and
//! frozen layers run.
//!
//! Every rewrite is exact but for rounding (tested: as close to a forward pass in 64 bits as the plain one):
//! a normalisation after a convolution becomes part of its weights; one before it, and the gates of squeeze
//! and excitation, are applied on the way into the matrix product; a 1 × 1 convolution followed by average
//! pooling pools first; a 3 × 3 convolution of stride 1 is Winograd's F(4 × 4, 3 × 3) or F(2 × 2, 3 × 3); the
//! maps of a dense block grow in one buffer.
//! Results depend on the kind of processor (how wide its registers are) and on nothing else.
//!
//! Written by hand (judged again by `benches/engines`, in one run on two shared cores with AVX-512, one image
//! of 224 x 224 at a time on one thread, the same weights): 0.047 s an image, tract-onnx 0.137 s (2.9 times
//! as long), candle-core 0.635 s (13 times); on two threads 0.028, 0.086 and 0.422 s. All three repeat their
//! own bits; the logits differ by 4e-6 at most. So it stays: rescoring to the last bit without libtorch, and
//! fast.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::architecture::{Architecture, Joined, Operation, Padding};
use super::weights::{Array, Weights, differences};
use crate::diagnostic::{Error, Result};
use crate::kernels::product::Matrix;
use crate::kernels::winograd::{self, Tile};
use crate::kernels::{self, Activation, Affine, Arch, Scratch, View, Window};

/// Changes whenever the numbers do: part of the key of stored activations.
pub const VERSION: &str = "forward-2";

/// The base and the head, ready to run. A clone shares the weights and has memory of its own.
#[derive(Debug)]
pub struct Forward {
    network: Arc<Compiled>,
    scratch: RefCell<Scratch>,
    arch: Arch,
}

#[derive(Debug)]
struct Compiled {
    units: Vec<Unit>,
    head: Vec<Linear<Vec<f32>>>,
}

#[derive(Debug)]
struct Unit {
    steps: Vec<Step>,
    joined: Joined,
    /// Maps of the output.
    channels: usize,
}

/// Weights as the kernel wants them, one bias an output, and what follows.
#[derive(Debug)]
struct Linear<W> {
    weights: W,
    bias: Vec<f32>,
    activation: Activation,
}

#[derive(Debug)]
enum Step {
    Affine(Affine),
    Pointwise(Before, Linear<Matrix>),
    Winograd(Tile, Linear<Vec<Matrix>>),
    Patches([usize; 2], usize, Padding, Linear<Matrix>),
    Depthwise([usize; 2], usize, Padding, Linear<Vec<f32>>),
    SqueezeExcitation([Linear<Vec<f32>>; 2]),
    MaxPool,
    AveragePool,
    GlobalAverage,
}

/// What each map is multiplied by, and what is added, on the way into a product.
#[derive(Debug)]
enum Before {
    Nothing,
    Affine(Affine),
    /// Squeeze and excitation: its gates follow from the maps.
    Gates([Linear<Vec<f32>>; 2]),
}

/// Maps of one image: `[height * width][channels]`, the values of a pixel together.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    values: Vec<f32>,
    pitch: usize,
    height: usize,
    width: usize,
    channels: usize,
}

impl Maps {
    /// From `[channels][height][width]`, as images and stored activations are.
    pub fn from_planes(planes: &[f32], [channels, height, width]: [usize; 3]) -> Self {
        let mut values = vec![0.0; planes.len()];
        for (channel, plane) in planes.chunks_exact((height * width).max(1)).enumerate() {
            for (value, pixel) in plane.iter().zip(values.chunks_exact_mut(channels)) {
                pixel[channel] = *value;
            }
        }
        Self { values, pitch: channels, height, width, channels }
    }

    /// `[channels][height][width]`.
    pub fn to_planes(&self) -> Vec<f32> {
        let pixels = self.height * self.width;
        let mut planes = vec![0.0; pixels * self.channels];
        for (at, pixel) in self.values.chunks(self.pitch).enumerate() {
            for (channel, value) in pixel[..self.channels].iter().enumerate() {
                planes[channel * pixels + at] = *value;
            }
        }
        planes
    }

    /// Channels, height, width. Pooled features are one pixel.
    pub fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    fn view(&self) -> View<'_> {
        let Self { values, pitch, height, width, channels } = self;
        View { values, pitch: *pitch, height: *height, width: *width, channels: *channels }
    }
}

impl Clone for Forward {
    fn clone(&self) -> Self {
        Self { network: Arc::clone(&self.network), scratch: RefCell::default(), arch: self.arch }
    }
}

impl Forward {
    /// From the weights of base and head.
    ///
    /// # Errors
    /// Every missing, unexpected or misshapen tensor.
    pub fn new(architecture: Architecture, weights: &Weights) -> Result<Self> {
        let wrong = differences(weights, architecture, true);
        if !wrong.is_empty() {
            return Err(Error::Input(wrong));
        }
        let arch = Arch::new();
        // How many pixels of the image one of the maps is wide.
        let mut scale = 1;
        let units = architecture.units().into_iter().map(|unit| Unit {
            steps: compile(arch, weights, unit.operations.into(), &mut scale),
            joined: unit.joined,
            channels: unit.channels,
        });
        let units = units.collect();
        let head = (1..=3).map(|number| {
            let part = |part: &str| &weights[&format!("head.fc{number}.{part}")];
            let weight = part("weight");
            let activation = if number < 3 { Activation::Relu } else { Activation::None };
            Linear { weights: transposed(weight), bias: part("bias").values.clone(), activation }
        });
        let network = Compiled { units, head: head.collect() };
        Ok(Self { network: Arc::new(network), scratch: RefCell::default(), arch })
    }

    /// Number of steps of the base.
    pub fn steps_of_base(&self) -> usize {
        self.network.units.len()
    }

    /// The steps of the base from one number to another, on what the steps before gave. All of them, from an
    /// image of three maps, give pooled features.
    pub fn part(&self, input: Maps, from: usize, to: usize) -> Maps {
        let scratch = &mut *self.scratch.borrow_mut();
        let mut x = input;
        let mut units = self.network.units[from..to].iter().peekable();
        while let Some(unit) = units.next() {
            let mut y = if unit.joined == Joined::Concatenated {
                let mut block = vec![unit];
                while let Some(next) = units.next_if(|next| next.joined == Joined::Concatenated) {
                    block.push(next);
                }
                self.grow(scratch, &x, &block)
            } else {
                self.unit(scratch, unit, x.view())
            };
            if unit.joined == Joined::Added {
                for (y, x) in y.values.iter_mut().zip(&x.values) {
                    *y += x;
                }
            }
            scratch.give(std::mem::replace(&mut x, y).values);
        }
        x
    }

    /// The logit of an image `[3][height][width]`.
    pub fn logit(&self, image: Maps) -> f32 {
        let features = self.part(image, 0, self.steps_of_base());
        let mut x = features.values;
        for layer in &self.network.head {
            let mut y = vec![0.0; layer.bias.len()];
            kernels::dense(self.arch, &x, layer.parts(), &mut y);
            x = y;
        }
        x[0]
    }

    /// A dense block: each layer reads the maps so far and writes its own behind them.
    fn grow(&self, scratch: &mut Scratch, x: &Maps, block: &[&Unit]) -> Maps {
        let pitch = block.last().map_or(x.channels, |last| last.channels);
        let values = scratch.take(x.height * x.width * pitch);
        let mut maps = Maps { values, pitch, ..*x };
        for (pixel, own) in maps.values.chunks_exact_mut(pitch).zip(x.values.chunks(x.pitch)) {
            pixel[..x.channels].copy_from_slice(&own[..x.channels]);
        }
        for unit in block {
            let y = self.unit(scratch, unit, maps.view());
            for (pixel, new) in maps.values.chunks_exact_mut(pitch).zip(y.values.chunks_exact(y.channels)) {
                pixel[maps.channels..unit.channels].copy_from_slice(new);
            }
            maps.channels = unit.channels;
            scratch.give(y.values);
        }
        maps
    }

    fn unit(&self, scratch: &mut Scratch, unit: &Unit, input: View<'_>) -> Maps {
        let mut now: Option<Maps> = None;
        for step in &unit.steps {
            let input = now.as_ref().map_or(input, Maps::view);
            let y = self.step(scratch, step, input);
            if let Some(old) = now.replace(y) {
                scratch.give(old.values);
            }
        }
        now.unwrap_or_else(|| Maps {
            values: input.values.to_vec(),
            pitch: input.pitch,
            height: input.height,
            width: input.width,
            channels: input.channels,
        })
    }

    fn step(&self, scratch: &mut Scratch, step: &Step, input: View<'_>) -> Maps {
        let arch = self.arch;
        let [channels, height, width] = step.shape(input);
        let mut values = scratch.take(channels * height * width);
        let out = &mut values;
        let window = |kernel: [usize; 2], stride: usize, padding: Padding| Window {
            kernel,
            stride,
            zeros: [
                padding.before(input.height, kernel[0], stride),
                padding.before(input.width, kernel[1], stride),
            ],
            output: [height, width],
        };
        match step {
            Step::Affine(affine) => affine.run(arch, input, out),
            Step::Pointwise(before, linear) => {
                let gates;
                let before = match before {
                    Before::Nothing => None,
                    Before::Affine(affine) => Some(affine),
                    Before::Gates(layers) => {
                        gates = self.gates(layers, input);
                        Some(&gates)
                    }
                };
                kernels::pointwise(arch, scratch, input, before, linear.parts(), out);
            }
            Step::Winograd(tile, linear) => winograd::run(arch, scratch, input, *tile, linear.parts(), out),
            Step::Patches(kernel, stride, padding, linear) => {
                let window = window(*kernel, *stride, *padding);
                kernels::patches(arch, scratch, input, window, linear.parts(), out);
            }
            Step::Depthwise(kernel, stride, padding, linear) => {
                kernels::depthwise(arch, input, window(*kernel, *stride, *padding), linear.parts(), out);
            }
            Step::SqueezeExcitation(layers) => self.gates(layers, input).run(arch, input, out),
            Step::MaxPool => kernels::max_pool(arch, input, window([3, 3], 2, Padding::Each(1)), out),
            Step::AveragePool => kernels::average_pool(arch, input, out),
            Step::GlobalAverage => kernels::global_average(arch, input, out),
        }
        Maps { values, pitch: channels, height, width, channels }
    }

    /// Each map times its gate.
    fn gates(&self, [squeeze, excite]: &[Linear<Vec<f32>>; 2], input: View<'_>) -> Affine {
        let scale = kernels::gates(self.arch, input, squeeze.parts(), excite.parts());
        Affine { shift: vec![0.0; scale.len()], scale, activation: Activation::None }
    }
}

impl Linear<Matrix> {
    fn parts(&self) -> (&Matrix, &[f32], Activation) {
        (&self.weights, &self.bias, self.activation)
    }
}

impl<T> Linear<Vec<T>> {
    fn parts(&self) -> (&[T], &[f32], Activation) {
        (&self.weights, &self.bias, self.activation)
    }
}

impl Step {
    /// Channels, height and width of the output.
    fn shape(&self, input: View<'_>) -> [usize; 3] {
        let [channels, height, width] = [input.channels, input.height, input.width];
        match self {
            Self::Affine(_) | Self::SqueezeExcitation(_) => [channels, height, width],
            Self::Pointwise(_, Linear { bias, .. }) | Self::Winograd(_, Linear { bias, .. }) => {
                [bias.len(), height, width]
            }
            Self::Patches(kernel, stride, padding, Linear { bias, .. })
            | Self::Depthwise(kernel, stride, padding, Linear { bias, .. }) => {
                let [height, width] = [(height, kernel[0]), (width, kernel[1])]
                    .map(|(size, kernel)| padding.outputs(size, kernel, *stride));
                [bias.len(), height, width]
            }
            Self::MaxPool => {
                let [height, width] = [height, width].map(|size| Padding::Each(1).outputs(size, 3, 2));
                [channels, height, width]
            }
            Self::AveragePool => [channels, height / 2, width / 2],
            Self::GlobalAverage => [channels, 1, 1],
        }
    }
}

/// `[out, in]`, also with two sides of 1 behind, as `[in][out]`.
fn transposed(matrix: &Array) -> Vec<f32> {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1]);
    (0..rows * columns).map(|at| matrix.values[at % rows * columns + at / rows]).collect()
}

/// A normalisation as `scale * x + shift`, in 64 bits.
fn scale_and_shift(weights: &Weights, name: &str, epsilon: f64) -> Vec<[f64; 2]> {
    let part = |part: &str| weights[&format!("{name}.{part}")].values.iter().map(|&v| f64::from(v));
    let moments = part("running_mean").zip(part("running_var"));
    let line = |((weight, bias), (mean, variance)): ((f64, f64), (f64, f64))| {
        let scale = weight / (variance + epsilon).sqrt();
        [scale, bias - mean * scale]
    };
    part("weight").zip(part("bias")).zip(moments).map(line).collect()
}

/// What follows, taken off the list.
fn activation(operations: &mut VecDeque<Operation>) -> Activation {
    let activation = match operations.front() {
        Some(Operation::Relu) => Activation::Relu,
        Some(Operation::Relu6) => Activation::Relu6,
        Some(Operation::Silu) => Activation::Silu,
        _ => return Activation::None,
    };
    operations.pop_front();
    activation
}

/// The operations of a unit, rewritten.
fn compile(
    arch: Arch,
    weights: &Weights,
    mut operations: VecDeque<Operation>,
    scale: &mut usize,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    while let Some(operation) = operations.pop_front() {
        match operation {
            Operation::Convolution { name, shape, stride, groups, padding, .. } => {
                let array = &weights[&format!("{name}.weight")];
                let mut values: Vec<f64> = array.values.iter().map(|&v| f64::from(v)).collect();
                let mut bias = vec![0.0; shape[0]];
                if let Some(Operation::Normalisation { name, epsilon, .. }) = operations.front() {
                    let lines = scale_and_shift(weights, name, *epsilon);
                    let each = values.chunks_exact_mut(shape[1] * shape[2] * shape[3]);
                    for ((kernel, bias), [scale, shift]) in each.zip(&mut bias).zip(lines) {
                        kernel.iter_mut().for_each(|value| *value *= scale);
                        *bias = shift as f32;
                    }
                    operations.pop_front();
                }
                let activation = activation(&mut operations);
                *scale *= stride;
                let pointwise = shape[2..] == [1, 1] && groups == 1 && stride == 1;
                let pooled = pointwise
                    && activation == Activation::None
                    && operations.front() == Some(&Operation::AveragePool);
                if pooled {
                    operations.pop_front();
                    *scale *= 2;
                    steps.push(Step::AveragePool);
                }
                // Where there are few pixels, reading the weights of the larger tile would cost more than it
                // saves.
                let tile = if *scale <= 8 { Tile::Four } else { Tile::Two };
                let geometry = (shape, stride, groups, padding);
                let follow = (bias, activation);
                let step = convolution(arch, &mut steps, &values, follow, geometry, tile);
                steps.push(step);
            }
            Operation::Normalisation { name, epsilon, .. } => {
                let lines = scale_and_shift(weights, &name, epsilon);
                let part = |at: usize| lines.iter().map(|line| line[at] as f32).collect();
                let (scale, shift) = (part(0), part(1));
                steps.push(Step::Affine(Affine { scale, shift, activation: activation(&mut operations) }));
            }
            // Taken with the convolution or normalisation before them; no network has one that stands alone.
            Operation::Relu | Operation::Relu6 | Operation::Silu => {}
            Operation::SqueezeExcitation { name, .. } => {
                let layer = |layer: &str, activation: Activation| {
                    let part = |part: &str| &weights[&format!("{name}.{layer}.{part}")];
                    let (weights, bias) = (transposed(part("weight")), part("bias").values.clone());
                    Linear { weights, bias, activation }
                };
                let layers = [layer("fc1", Activation::Silu), layer("fc2", Activation::None)];
                steps.push(Step::SqueezeExcitation(layers));
            }
            Operation::MaxPool | Operation::AveragePool => {
                *scale *= 2;
                let max = operation == Operation::MaxPool;
                steps.push(if max { Step::MaxPool } else { Step::AveragePool });
            }
            Operation::GlobalAverage => steps.push(Step::GlobalAverage),
        }
    }
    steps
}

/// The kernel for a convolution `[out, in / groups, rows, columns]`.
fn convolution(
    arch: Arch,
    steps: &mut Vec<Step>,
    values: &[f64],
    (bias, activation): (Vec<f32>, Activation),
    (shape, stride, groups, padding): ([usize; 4], usize, usize, Padding),
    tile: Tile,
) -> Step {
    let [outputs, inputs, rows, columns] = shape;
    let kernel = [rows, columns];
    let area = rows * columns;
    // From `[out][in][place]` to `[place][in][out]`.
    let turned = || {
        let mut turned = vec![0.0; values.len()];
        for (at, value) in values.iter().enumerate() {
            let (output, input, place) = (at / (inputs * area), at / area % inputs, at % area);
            turned[(place * inputs + input) * outputs + output] = *value as f32;
        }
        turned
    };
    let matrix = || Matrix::new(arch, &turned(), outputs);
    let winograd =
        matches!(padding, Padding::Each(zeros) if winograd::possible(shape, stride, groups, zeros));
    if winograd {
        let weights = winograd::weights(arch, tile, values, outputs, inputs);
        Step::Winograd(tile, Linear { weights, bias, activation })
    } else if groups > 1 {
        // Depthwise: the only grouping that a network here has.
        Step::Depthwise(kernel, stride, padding, Linear { weights: turned(), bias, activation })
    } else if area == 1 && stride == 1 {
        let before = match steps.pop() {
            Some(Step::Affine(affine)) => Before::Affine(affine),
            Some(Step::SqueezeExcitation(layers)) => Before::Gates(layers),
            Some(other) => {
                steps.push(other);
                Before::Nothing
            }
            None => Before::Nothing,
        };
        Step::Pointwise(before, Linear { weights: matrix(), bias, activation })
    } else {
        Step::Patches(kernel, stride, padding, Linear { weights: matrix(), bias, activation })
    }
}
