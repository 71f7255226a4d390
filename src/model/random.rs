//! Every random choice of training, drawn from ChaCha8 streams that are addressed by purpose and number:
//! nothing depends on the order of work, on the number of workers or on where a run was interrupted.

use super::architecture::{Architecture, Role};
use super::weights::{Array, Weights};
use crate::random::Stream;

/// What a stream is for. The numbers are part of the format of a run: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial value of a tensor; number: its place in the network.
    Initialisation = 1,
    /// Order of the training cases in an epoch; number: the epoch.
    Order = 2,
    /// Which cases are flipped in an epoch; number: the epoch.
    Flip = 3,
    /// Dropout of one shard; number: epoch, batch and shard.
    Dropout = 4,
    /// Views of the training images in an epoch; number: the epoch.
    Affine = 5,
}

/// The stream of one purpose and number.
pub fn stream(seed: u64, purpose: Purpose, number: u64) -> Stream {
    Stream::new(seed, ((purpose as u64) << 56) | (number & ((1 << 56) - 1)))
}

/// Uniform in 0..1 with 53 bits.
pub fn uniform(stream: &mut Stream) -> f64 {
    stream.below(1 << 53) as f64 / (1_u64 << 53) as f64
}

/// 0..count in a random order.
pub fn shuffled(count: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    stream.shuffle(&mut order);
    order
}

/// Multipliers of dropout: 0 with probability `rate`, else `1 / (1 - rate)`.
pub fn dropout_mask(count: usize, rate: f64, stream: &mut Stream) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "rounded to the network's precision")]
    let kept = (1.0 / (1.0 - rate)) as f32;
    (0..count).map(|_| if uniform(stream) < rate { 0.0 } else { kept }).collect()
}

/// Random initialisation of the whole network: weights He-normal with standard deviation `sqrt(2 / fan-in)`
/// (He, Zhang, Ren and Sun, ICCV 2015), the last layer `sqrt(1 / fan-in)`; scales and running
/// variances 1, biases, shifts and running means 0.
pub fn initial_weights(network: Architecture, seed: u64) -> Weights {
    let mut weights = Weights::new();
    for (number, spec) in network.tensors().into_iter().enumerate() {
        let normal = |variance: f64| {
            let mut generator = stream(seed, Purpose::Initialisation, number as u64);
            normals(&mut generator, spec.len(), variance.sqrt())
        };
        let values = match spec.role {
            Role::Weight { fan_in } => normal(2.0 / fan_in as f64),
            Role::Output { fan_in } => normal(1.0 / fan_in as f64),
            Role::Shift | Role::RunningMean => vec![0.0; spec.len()],
            Role::Scale | Role::RunningVariance => vec![1.0; spec.len()],
        };
        weights.insert(spec.name.clone(), Array { shape: spec.shape.clone(), values });
    }
    weights
}

/// Box and Muller's transform, two values a pair of uniforms, computed in 64 bits and rounded once.
fn normals(generator: &mut Stream, count: usize, deviation: f64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = (-2.0 * (1.0 - uniform(generator)).ln()).sqrt() * deviation;
        let angle = std::f64::consts::TAU * uniform(generator);
        #[expect(clippy::cast_possible_truncation, reason = "rounded to the weights' precision")]
        values.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
    }
    values.truncate(count);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initial_weights_have_the_declared_spread_and_follow_the_seed() {
        let network = Architecture::Densenet121;
        let weights = initial_weights(network, 7);
        assert_eq!(weights.len(), network.tensors().len());
        let conv = &weights["features.denseblock3.denselayer9.conv2.weight"].values;
        let mean = conv.iter().map(|v| f64::from(*v)).sum::<f64>() / conv.len() as f64;
        let variance = conv.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / conv.len() as f64;
        let expected = 2.0 / (128.0 * 9.0);
        // 36,864 values: the relative standard error of a variance is sqrt(2 / n) = 0.7 %.
        assert!((variance / expected - 1.0).abs() < 0.04, "{variance} against {expected}");
        assert!(mean.abs() < 4.0 * (expected / conv.len() as f64).sqrt());
        assert_eq!(initial_weights(network, 7), weights);
        assert_ne!(initial_weights(network, 8)["head.fc1.weight"], weights["head.fc1.weight"]);
    }

    #[test]
    fn an_order_is_a_permutation_and_streams_differ() {
        let first = shuffled(100, &mut stream(1, Purpose::Order, 0));
        let second = shuffled(100, &mut stream(1, Purpose::Order, 1));
        assert_ne!(first, second);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(first, shuffled(100, &mut stream(1, Purpose::Order, 0)));
        assert!(shuffled(0, &mut stream(1, Purpose::Order, 0)).is_empty());
    }

    #[test]
    fn dropout_keeps_the_declared_share_and_the_mean() {
        let mask = dropout_mask(100_000, 0.3, &mut stream(3, Purpose::Dropout, 0));
        let dropped = mask.iter().filter(|m| **m == 0.0).count() as f64 / 100_000.0;
        assert!((dropped - 0.3).abs() < 0.006, "{dropped}");
        let mean = mask.iter().map(|m| f64::from(*m)).sum::<f64>() / 100_000.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }
}
