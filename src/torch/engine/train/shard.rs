//! What workers do: the frozen part of an image, and the loss and gradients of a part of a batch.

use tch::{Device, Kind, Reduction, TchError, Tensor};

use super::super::failed;
use super::super::inference::Inference;
use super::super::network::{BatchStatistics, Dropout, Network, NormMode, shape_of, to_array};
use super::super::scorer::image;
use sequester::diagnostic::Result;
use sequester::model::architecture::HEAD;
use sequester::model::augmentation::View;
use sequester::model::experiment::Experiment;
use sequester::model::loss::Loss;
use sequester::model::random::{Purpose, dropout_mask, stream};
use sequester::model::records::Records;
use sequester::model::run::Sample;
use sequester::model::schedule::{NormStatistics, Stage};

/// What every worker may see.
#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub experiment: &'a Experiment,
    pub training: &'a [Sample],
    pub tuning: &'a [Sample],
    pub plane: &'a (dyn Fn(usize) -> Result<Vec<f32>> + Sync),
    pub class_weights: [f64; 2],
    pub device: Device,
}

/// What a stage computes from, and what it trains.
pub(super) struct Plan<'a> {
    pub stage: &'a Stage,
    /// Names of the trained tensors.
    pub trained: Vec<String>,
    /// Steps of the base that are frozen as a whole.
    pub frozen_steps: usize,

    /// Their output, stored for each sample and view; `None`: computed each time.
    pub records: Option<Records>,
    /// Samples from this one on are stored.
    pub stored_from: usize,
    /// Views that are stored of each sample.
    pub views: &'static [View],
    /// Shape of one sample's activations, without the batch.
    pub shape: Vec<usize>,
}

/// A part of a batch.
pub(super) struct Shard<'a> {
    pub network: Network,
    /// Runs the frozen steps.
    pub frozen: Inference,
    /// Number of the dropout stream.
    pub place: u64,
    /// Training samples.
    pub samples: &'a [usize],
}

/// What a worker gives back.
pub(super) struct ShardOutcome {
    /// This shard's part of the batch's mean loss.
    pub loss: f64,
    /// In the order of the trained tensors.
    pub gradients: Vec<Tensor>,
    pub statistics: BatchStatistics,
    pub share: f64,
}

impl Plan<'_> {
    /// `[n, ...shape]`.
    pub fn batch(&self, network: &Network, values: &[f32], n: usize) -> Result<Tensor, TchError> {
        let mut shape = vec![n];
        shape.extend(&self.shape);
        network.input(values, &shape_of(&shape))
    }
}

impl Data<'_> {
    /// One sample's activations after each of these numbers of steps, which rise. Always one image at a time:
    /// stored or not, the same numbers.
    pub fn frozen(
        &self,
        network: &Inference,
        index: usize,
        view: View,
        steps: &[usize],
    ) -> Result<Vec<Vec<f32>>> {
        let preprocessing = &self.experiment.preprocessing;
        let plane = view.of((self.plane)(index)?, preprocessing.resolution as usize);
        if steps == [0] {
            let mut values = Vec::with_capacity(3 * plane.len());
            preprocessing.normalise_into(&plane, &mut values);
            return Ok(vec![values]);
        }
        let mut maps = image(preprocessing, &plane, self.device)?;
        let mut from = 0;
        let mut outputs = Vec::with_capacity(steps.len());
        for &to in steps {
            maps = tch::no_grad(|| network.part(&maps, from, to)).map_err(failed)?;
            from = to;
            outputs.push(to_array(&maps).map_err(failed)?.values);
        }
        Ok(outputs)
    }

    /// Appends the input of the trained part for one sample.
    pub fn gather(
        &self,
        plan: &Plan<'_>,
        frozen: &Inference,
        index: usize,
        view: View,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        match &plan.records {
            Some(records) if index >= plan.stored_from => {
                records.read_into((index - plan.stored_from) * plan.views.len() + view.number(), out)
            }
            _ => {
                out.extend(self.frozen(frozen, index, view, &[plan.frozen_steps])?.into_iter().flatten());
                Ok(())
            }
        }
    }

    /// Loss and gradients of one shard of a batch of `whole` samples.
    pub fn shard(
        &self,
        plan: &Plan<'_>,
        shard: &Shard<'_>,
        whole: usize,
        views: &[View],
    ) -> Result<ShardOutcome> {
        let n = shard.samples.len();
        let mut values = Vec::new();
        for &sample in shard.samples {
            self.gather(plan, &shard.frozen, sample, views[sample], &mut values)?;
        }
        let labels: Vec<bool> = shard.samples.iter().map(|&sample| self.training[sample].label).collect();
        let mode = match plan.stage.norm_statistics {
            NormStatistics::Running => NormMode::Running,
            // One image has no spread of its own where the maps are a single pixel.
            NormStatistics::Batch if n == 1 => NormMode::Running,
            NormStatistics::Batch => NormMode::BatchFrom(plan.stage.trainable.first_layer),
        };
        let work = || -> Result<ShardOutcome, TchError> {
            let network = &shard.network;
            let x = plan.batch(network, &values, n)?;
            let mut generator = stream(self.experiment.seed, Purpose::Dropout, shard.place);
            let mut mask = |number: usize| -> Result<Tensor, TchError> {
                let (width, rate) = (HEAD[number], self.experiment.dropout[number]);
                let values = dropout_mask(n * width, rate, &mut generator);
                network.input(&values, &shape_of(&[n, width]))
            };
            let dropout = Dropout { masks: [mask(0)?, mask(1)?] };
            let mut statistics = BatchStatistics::new();
            let logits = shard.network.rest(&x, plan.frozen_steps, mode, Some(&dropout), &mut statistics)?;
            let targets: Vec<f32> = labels.iter().map(|label| f32::from(u8::from(*label))).collect();
            let weight = |label: &bool| (self.class_weights[usize::from(*label)] / whole as f64) as f32;
            let weights: Vec<f32> = labels.iter().map(weight).collect();
            let place = shape_of(&[n]);
            let (targets, weights) = (network.input(&targets, &place)?, network.input(&weights, &place)?);
            let loss = mean_loss(self.experiment.loss, &logits, &targets, weights)?;
            let mut trained = Vec::with_capacity(plan.trained.len());
            for name in &plan.trained {
                trained.push(shard.network.tensor(name)?);
            }
            let gradients = Tensor::f_run_backward(&[&loss], &trained, false, false)?;
            let loss = loss.f_double_value(&[])?;
            Ok(ShardOutcome { loss, gradients, statistics, share: n as f64 / whole as f64 })
        };
        work().map_err(failed)
    }
}

/// Sum of the weighted losses of logits `[n]`, see [`Loss`].
pub(in super::super) fn mean_loss(
    loss: Loss,
    logits: &Tensor,
    targets: &Tensor,
    weights: Tensor,
) -> Result<Tensor, TchError> {
    let cross_entropy = |weights: Option<Tensor>, reduction| {
        logits.f_binary_cross_entropy_with_logits(targets, weights, None::<Tensor>, reduction)
    };
    match loss {
        Loss::WeightedBinaryCrossEntropy => cross_entropy(Some(weights), Reduction::Sum),
        Loss::Focal { gamma } => {
            let each = cross_entropy(None, Reduction::None)?;
            // 1 - p without cancellation; kept off 0, where a power below 1 has no slope.
            let miss = each.f_neg()?.f_expm1()?.f_neg()?.f_clamp_min(1e-12)?;
            miss.f_pow_tensor_scalar(gamma)?.f_mul(&each)?.f_mul(&weights)?.f_sum(Kind::Float)
        }
    }
}

/// Parts of `size`; what is left over and smaller than half of that joins the part before.
pub(super) fn shards(batch: &[usize], size: usize) -> Vec<&[usize]> {
    let rest = batch.len() % size;
    let joined = batch.len() > size && rest > 0 && rest < size.div_ceil(2);
    let whole = if joined { batch.len() - rest - size } else { batch.len() };
    let (even, last) = batch.split_at(whole);
    even.chunks(size).chain((!last.is_empty()).then_some(last)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_even_and_small_remainders_join_the_one_before() {
        let sizes = |count: usize, size: usize| -> Vec<usize> {
            let all: Vec<usize> = (0..count).collect();
            let parts = shards(&all, size);
            assert_eq!(parts.concat(), all);
            parts.iter().map(|part| part.len()).collect()
        };
        assert_eq!(sizes(32, 16), [16, 16]);
        assert_eq!(sizes(39, 16), [16, 23]);
        assert_eq!(sizes(40, 16), [16, 16, 8]);
        assert_eq!(sizes(17, 16), [17]);
        assert_eq!(sizes(5, 16), [5]);
        assert_eq!(sizes(3, 1), [1, 1, 1]);
        assert_eq!(sizes(0, 4), Vec::<usize>::new());
    }

    #[test]
    fn losses_and_their_slopes_are_those_of_their_definitions() {
        let logits = [-9.0_f32, -1.5, 0.0, 0.7, 3.0, 30.0];
        for loss in [Loss::WeightedBinaryCrossEntropy, Loss::Focal { gamma: 2.0 }, Loss::Focal { gamma: 0.5 }]
        {
            for label in [false, true] {
                let x = Tensor::from_slice(&logits).set_requires_grad(true);
                let targets = Tensor::from_slice(&[f32::from(u8::from(label)); 6]);
                let weights = [1.0_f32, 2.0, 3.0, 0.5, 1.0, 1.0];
                let sum = mean_loss(loss, &x, &targets, Tensor::from_slice(&weights)).expect("computes");
                let of = |i: usize, z: f64| f64::from(weights[i]) * loss.of_logit(z, label);
                let wanted: f64 = (0..6).map(|i| of(i, f64::from(logits[i]))).sum();
                assert!((sum.double_value(&[]) - wanted).abs() < 1e-5 * wanted, "{loss:?} {label}");
                sum.backward();
                for (i, logit) in logits.iter().enumerate() {
                    let (z, h) = (f64::from(*logit), 1e-5);
                    let slope = (of(i, z + h) - of(i, z - h)) / (2.0 * h);
                    let ours = x.grad().double_value(&[i as i64]);
                    assert!((ours - slope).abs() < 1e-4, "{loss:?} {label} {z}: {ours} against {slope}");
                }
            }
        }
    }
}
