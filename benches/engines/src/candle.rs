//! Our description of a network as candle's operations. Normalisations are folded as far as engines do: into
//! the convolution before them, and to one multiplication and one addition elsewhere.

use candle_core::{Device, Result, Tensor};
use sequester::model::architecture::{Architecture, Joined, Operation, Padding};
use sequester::model::weights::Weights;

/// A network, ready to run. A clone shares the weights.
#[derive(Clone)]
pub struct Network {
    units: Vec<(Joined, Vec<Step>)>,
    head: Vec<[Tensor; 2]>,
}

#[derive(Clone)]
enum Step {
    Convolution { kernel: Tensor, bias: Option<Tensor>, stride: usize, zeros: usize, groups: usize },
    Affine(Tensor, Tensor),
    Relu,
    MaxPool,
    AveragePool,
    GlobalAverage,
}

impl Network {
    pub fn new(architecture: Architecture, weights: &Weights) -> Result<Self> {
        let units = architecture.units().into_iter().map(|unit| {
            let mut steps = Vec::new();
            for operation in &unit.operations {
                push(&mut steps, operation, weights)?;
            }
            Ok((unit.joined, steps))
        });
        let head = (1..=3).map(|number| {
            let weight = tensor(weights, &format!("head.fc{number}.weight"))?.t()?.contiguous()?;
            let bias = tensor(weights, &format!("head.fc{number}.bias"))?;
            Ok([weight, bias.unsqueeze(0)?])
        });
        Ok(Self { units: units.collect::<Result<_>>()?, head: head.collect::<Result<_>>()? })
    }

    /// The logit of an image `[3][side][side]`.
    pub fn forward(&self, image: &[f32], side: usize) -> Result<f32> {
        let mut x = Tensor::from_slice(image, (1, 3, side, side), &Device::Cpu)?;
        for (joined, steps) in &self.units {
            let mut y = x.clone();
            for step in steps {
                y = step.run(&y)?;
            }
            x = match joined {
                Joined::Replaced => y,
                Joined::Concatenated => Tensor::cat(&[&x, &y], 1)?,
                Joined::Added => (x + y)?,
            };
        }
        for (number, [weight, bias]) in self.head.iter().enumerate() {
            x = x.matmul(weight)?.add(bias)?;
            if number + 1 < self.head.len() {
                x = x.relu()?;
            }
        }
        x.flatten_all()?.get(0)?.to_scalar()
    }
}

impl Step {
    fn run(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Convolution { kernel, bias, stride, zeros, groups } => {
                let y = x.conv2d(kernel, *zeros, *stride, 1, *groups)?;
                bias.as_ref().map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
            }
            Self::Affine(scale, shift) => x.broadcast_mul(scale)?.broadcast_add(shift),
            Self::Relu => x.relu(),
            // Zeros beside maps that are never negative change no maximum.
            Self::MaxPool => x.pad_with_zeros(2, 1, 1)?.pad_with_zeros(3, 1, 1)?.max_pool2d_with_stride(3, 2),
            Self::AveragePool => x.avg_pool2d(2),
            Self::GlobalAverage => x.mean((2, 3)),
        }
    }
}

fn push(steps: &mut Vec<Step>, operation: &Operation, weights: &Weights) -> Result<()> {
    let step = match operation {
        Operation::Convolution { name, stride, groups, padding, .. } => {
            let Padding::Each(zeros) = padding else {
                candle_core::bail!("padding that candle does not know")
            };
            let kernel = tensor(weights, &format!("{name}.weight"))?;
            Step::Convolution { kernel, bias: None, stride: *stride, zeros: *zeros, groups: *groups }
        }
        Operation::Normalisation { name, epsilon, channels, .. } => {
            let part = |part: &str| tensor(weights, &format!("{name}.{part}"));
            let scale = (part("weight")? / (part("running_var")? + *epsilon)?.sqrt()?)?;
            let shift = (part("bias")? - (part("running_mean")? * &scale)?)?;
            if let Some(Step::Convolution { kernel, bias: bias @ None, .. }) = steps.last_mut() {
                *kernel = kernel.broadcast_mul(&scale.reshape((*channels, 1, 1, 1))?)?;
                *bias = Some(shift.reshape((1, *channels, 1, 1))?);
                return Ok(());
            }
            let [scale, shift] = [scale, shift].map(|values| values.reshape((1, *channels, 1, 1)));
            Step::Affine(scale?, shift?)
        }
        Operation::Relu => Step::Relu,
        Operation::MaxPool => Step::MaxPool,
        Operation::AveragePool => Step::AveragePool,
        Operation::GlobalAverage => Step::GlobalAverage,
        Operation::Relu6 => candle_core::bail!("DenseNet121 has no ReLU6"),
    };
    steps.push(step);
    Ok(())
}

fn tensor(weights: &Weights, name: &str) -> Result<Tensor> {
    let array = &weights[name];
    Tensor::from_slice(&array.values, array.shape.as_slice(), &Device::Cpu)
}
