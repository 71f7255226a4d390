//! Training in stages. What a stage freezes is computed once per image and flip and stored; the rest trains from
//! the stored activations, with exactly the results of computing everything each time.
//!
//! A step: the batch is cut into shards; each worker computes the gradient of a shard; the gradients are added in the
//! order of the shards; Adam follows. Every random choice is addressed by epoch and place. So equal inputs give equal
//! weights, whatever the number of workers and wherever a run was interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use tch::{Kind, TchError, Tensor};

use super::densenet::{BatchStatistics, shape_of, to_array, to_tensor};
use super::scorer::{image, probability};
use super::workers::Workers;
use super::{Dropout, Network, NormMode, failed};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::model::experiment::{Adam, Augmentation, Experiment, NormStatistics, Stage};
use crate::model::layers::{self, HEAD};
use crate::model::preprocessing::flipped;
use crate::model::random::{Purpose, dropout_mask, shuffled, stream, uniform};
use crate::model::records::Records;
use crate::model::run::{Best, EpochRecord, Recorded, RunState, Sample, TuningScore, tuning_scores_csv};
use crate::model::weights::{self, Weights};
use crate::storage;

/// Momentum of the running statistics, as torchvision has it.
const MOMENTUM: f64 = 0.1;
/// Seconds of work after which a finished epoch is saved; an interruption always saves.
const SAVE_AFTER: f64 = 20.0;

/// What a training says while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Frozen layers are computed once.
    Frozen {
        /// Name of the stage.
        stage: String,
        /// Finished.
        done: usize,
        /// All.
        total: usize,
    },
    /// A batch is done.
    Batch {
        /// Epoch from 1 through all stages.
        epoch: u32,
        /// All epochs.
        epochs: u32,
        /// Batches of the epoch that are done.
        done: usize,
        /// Batches of the epoch.
        total: usize,
        /// Mean loss of the epoch so far.
        loss: f64,
    },
    /// An epoch is done.
    Epoch(EpochRecord),
    /// The training continues after this many epochs.
    Resumed {
        /// Epochs that were done before.
        epochs_done: u32,
    },
}

/// Area under the ROC curve of labels and scores: given from outside, because `model` computes no statistic.
pub type Auc = dyn Fn(&[bool], &[f64]) -> Option<f64>;

/// Everything a training needs from outside.
pub struct TrainInput<'a> {
    /// Folder of the run.
    pub run: &'a Path,
    /// A new state, or the one that was read.
    pub state: RunState,
    /// Weights of base and head to begin with; not used when the state has a checkpoint.
    pub initial: Weights,
    /// The training side.
    pub training: &'a [Sample],
    /// The tuning side.
    pub tuning: &'a [Sample],
    /// Gives the resized image of the training samples, then of the tuning samples.
    pub plane: &'a (dyn Fn(usize) -> Result<Vec<f32>> + Sync),
    /// Workers; does not change results.
    pub workers: usize,
    /// Whether what frozen layers give is stored; does not change results.
    pub store: bool,
    /// Area under the ROC curve of labels and scores; `None` when it is not defined.
    pub auc: &'a Auc,
    /// Raised by the user to interrupt.
    pub stop: &'a AtomicBool,
    /// Seconds since some moment.
    pub seconds: &'a dyn Fn() -> f64,
}

/// Trains until every epoch is done; saves what can be resumed. Gives the complete state.
///
/// # Errors
/// [`Error::Interrupted`] after saving, when `stop` was raised; `loss-not-finite` with the place, keeping the last
/// saved state; `run-damaged`; what images, files and libtorch report.
pub fn train(mut input: TrainInput<'_>, progress: &mut dyn FnMut(Progress)) -> Result<RunState> {
    if input.state.is_complete() {
        return Ok(input.state);
    }
    let workers = Workers::new(input.workers)?;
    let initial = std::mem::take(&mut input.initial);
    let mut trainer = Trainer::start(&input, initial, &workers, progress)?;
    let mut end = 0;
    for (number, stage) in input.state.inputs.experiment.stages.iter().enumerate() {
        end += stage.epochs;
        if trainer.state.epochs_done < end {
            trainer.stage(number, stage, end, progress)?;
        }
    }
    trainer.finish()
}

/// Adam's moments by tensor name.
type Moments = BTreeMap<String, (Tensor, Tensor)>;

/// What every worker may see.
#[derive(Clone, Copy)]
struct Data<'a> {
    experiment: &'a Experiment,
    training: &'a [Sample],
    tuning: &'a [Sample],
    plane: &'a (dyn Fn(usize) -> Result<Vec<f32>> + Sync),
    class_weights: [f64; 2],
}

/// What a stage computes from, and what it trains.
struct Plan<'a> {
    stage: &'a Stage,
    /// Names of the trained tensors.
    trained: Vec<String>,
    /// Steps of the base that are frozen as a whole.
    frozen_steps: usize,
    /// Their output, stored for each sample and variant; `None`: computed each time.
    records: Option<Records>,
    /// One, or two with the mirrored image.
    variants: usize,
    /// Shape of one sample's activations, without the batch.
    shape: Vec<usize>,
}

/// A part of a batch.
struct Shard<'a> {
    network: Network,
    /// Number of the dropout stream.
    place: u64,
    /// Training samples.
    samples: &'a [usize],
}

/// What a worker gives back.
struct ShardOutcome {
    /// This shard's part of the batch's mean loss.
    loss: f64,
    /// In the order of the trained tensors.
    gradients: Vec<Tensor>,
    statistics: BatchStatistics,
    share: f64,
}

struct Trainer<'a> {
    input: &'a TrainInput<'a>,
    data: Data<'a>,
    workers: &'a Workers,
    network: Network,
    moments: Moments,
    state: RunState,
    /// Weights of the best epoch, as file bytes, until they are saved.
    unsaved_best: Option<Vec<u8>>,
    saved_at: f64,
}

impl<'a> Trainer<'a> {
    fn start(
        input: &'a TrainInput<'a>,
        initial: Weights,
        workers: &'a Workers,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let state = input.state.clone();
        let (weights, moments) = match &state.checkpoint {
            None => (initial, Moments::new()),
            Some(recorded) => {
                progress(Progress::Resumed { epochs_done: state.epochs_done });
                let bytes = RunState::recorded_bytes(input.run, recorded)?;
                split_checkpoint(weights::from_bytes(&bytes).map_err(Error::Input)?).map_err(failed)?
            }
        };
        let experiment = &input.state.inputs.experiment;
        let positives = input.training.iter().filter(|sample| sample.label).count();
        let class_weights = experiment.class_weights.weights(input.training.len() - positives, positives);
        let data = Data {
            experiment,
            training: input.training,
            tuning: input.tuning,
            plane: input.plane,
            class_weights,
        };
        let network = Network::new(&weights)?;
        let saved_at = (input.seconds)();
        Ok(Self { input, data, workers, network, moments, state, unsaved_best: None, saved_at })
    }

    fn stage(
        &mut self,
        number: usize,
        stage: &Stage,
        end: u32,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let plan = self.plan(number, stage, progress)?;
        if self.state.steps == 0 {
            self.moments = Moments::new();
        }
        while self.state.epochs_done < end {
            self.epoch(&plan, progress)?;
            let stage_ends = self.state.epochs_done == end;
            if stage_ends {
                self.state.steps = 0;
                self.moments = Moments::new();
            }
            if stage_ends || (self.input.seconds)() - self.saved_at > SAVE_AFTER {
                self.save()?;
            }
        }
        Ok(())
    }

    /// Marks the trained tensors and stores what the frozen steps give.
    fn plan<'s>(
        &self,
        number: usize,
        stage: &'s Stage,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Plan<'s>> {
        let first_layer = stage.trainable.first_layer;
        let mut trained = Vec::new();
        for spec in layers::tensors() {
            let wanted = spec.role.has_gradient() && spec.layer >= first_layer;
            let tensor = self.network.tensor(&spec.name).map_err(failed)?;
            let _ = tensor.f_set_requires_grad(wanted).map_err(failed)?;
            if wanted {
                trained.push(spec.name);
            }
        }
        let frozen_steps = layers::units().iter().filter(|unit| unit.end_layer <= first_layer).count();
        let shape = self.activation_shape(frozen_steps)?;
        let variants = match self.data.experiment.augmentation {
            Augmentation::None => 1,
            Augmentation::HorizontalFlip => 2,
        };
        let mut plan = Plan { stage, trained, frozen_steps, records: None, variants, shape };
        if frozen_steps > 0 && self.input.store {
            plan.records = Some(self.stored(number, &plan, progress)?);
        }
        Ok(plan)
    }

    /// The stored output of the frozen steps, computed now unless an interrupted run left it complete.
    fn stored(&self, number: usize, plan: &Plan<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Records> {
        let total = self.data.training.len() + self.data.tuning.len();
        let (variants, steps, data) = (plan.variants, plan.frozen_steps, self.data);
        let len: usize = plan.shape.iter().product();
        let path = self.input.run.join("cache").join(format!("stage-{}.f32", number + 1));
        let key = self.frozen_key(steps, variants)?;
        if let Some(records) = Records::finished(&path, &key, len) {
            return Ok(records);
        }
        let records = Records::create(&path, total * variants, len)?;
        let stage = plan.stage.name.clone();
        let done = |done| progress(Progress::Frozen { stage: stage.clone(), done, total });
        self.workers.each(&self.network, total, self.input.stop, done, |network, index| {
            for variant in 0..variants {
                records
                    .write(index * variants + variant, &data.frozen(network, index, variant == 1, steps)?)?;
            }
            Ok(())
        })?;
        records.finish(&key)?;
        Ok(records)
    }

    fn activation_shape(&self, frozen_steps: usize) -> Result<Vec<usize>> {
        let side = i64::from(self.data.experiment.preprocessing.resolution);
        let blank = Tensor::f_zeros([1, 3, side, side], (Kind::Float, tch::Device::Cpu)).map_err(failed)?;
        let shape = tch::no_grad(|| self.network.base(&blank, frozen_steps)).map_err(failed)?.size();
        Ok(shape.iter().skip(1).map(|&n| usize::try_from(n).unwrap_or(0)).collect())
    }

    /// Changes whenever stored activations would.
    fn frozen_key(&self, frozen_steps: usize, variants: usize) -> Result<Digest> {
        let inputs = &self.state.inputs;
        let mut text = format!(
            "{frozen_steps} {variants} {} {} {} {:?}",
            self.state.libtorch,
            inputs.training.manifest_sha256,
            inputs.tuning.manifest_sha256,
            inputs.experiment.preprocessing
        );
        let end = layers::units().get(frozen_steps.saturating_sub(1)).map_or(0, |unit| unit.end_layer);
        for spec in layers::base_tensors().iter().filter(|spec| spec.layer < end) {
            let array = to_array(self.network.tensor(&spec.name).map_err(failed)?).map_err(failed)?;
            let bytes: Vec<u8> = array.values.iter().flat_map(|value| value.to_le_bytes()).collect();
            text.push_str(&Digest::of(&bytes).to_string());
        }
        Ok(Digest::of(text.as_bytes()))
    }

    fn epoch(&mut self, plan: &Plan<'_>, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let (count, experiment) = (self.data.training.len(), self.data.experiment);
        let epoch = self.state.epochs_done;
        let order = shuffled(count, &mut stream(experiment.seed, Purpose::Order, u64::from(epoch)));
        let flips = self.flips(epoch);
        let batches: Vec<&[usize]> = order.chunks(plan.stage.batch_size).collect();
        let started = (self.input.seconds)() - self.state.seconds;
        let first = usize::try_from(self.state.batches_done).unwrap_or(0);
        let mut seen: usize = batches.iter().take(first).map(|batch| batch.len()).sum();
        for (number, batch) in batches.iter().enumerate().skip(first) {
            if self.input.stop.load(Ordering::Relaxed) {
                let place = format!("after {number} of {} batches", batches.len());
                return Err(self.interrupted(started, &place));
            }
            let loss = self.step(plan, batch, &flips, number)?;
            if !loss.is_finite() {
                return Err(self.not_finite(plan.stage, number, batch));
            }
            seen += batch.len();
            self.state.loss_sum += loss * batch.len() as f64;
            self.state.batches_done = number as u64 + 1;
            progress(Progress::Batch {
                epoch: epoch + 1,
                epochs: experiment.epochs(),
                done: number + 1,
                total: batches.len(),
                loss: self.state.loss_sum / seen as f64,
            });
        }
        let (tuning_loss, tuning_auc) = match self.evaluate(plan) {
            Err(Error::Interrupted(_)) => {
                return Err(self.interrupted(started, "while scoring the tuning cases"));
            }
            other => other?,
        };
        if !tuning_loss.is_finite() {
            return Err(self.not_finite(plan.stage, batches.len(), &[]));
        }
        let record = EpochRecord {
            epoch: epoch + 1,
            stage: plan.stage.name.clone(),
            learning_rate: plan.stage.learning_rate,
            training_loss: self.state.loss_sum / count as f64,
            tuning_loss,
            tuning_auc,
            seconds: Some((self.input.seconds)() - started),
        };
        if self.state.best.as_ref().is_none_or(|best| tuning_auc > best.tuning_auc) {
            let bytes = weights::to_bytes(&self.network.weights()?)?;
            let file = format!("best-{}.safetensors", epoch + 1);
            let recorded = Recorded { file, sha256: Digest::of(&bytes) };
            self.state.best = Some(Best { epoch: epoch + 1, tuning_auc, weights: recorded });
            self.unsaved_best = Some(bytes);
        }
        progress(Progress::Epoch(record.clone()));
        self.state.history.push(record);
        self.state.epochs_done += 1;
        self.state.batches_done = 0;
        self.state.loss_sum = 0.0;
        self.state.seconds = 0.0;
        Ok(())
    }

    /// Which training samples are mirrored in an epoch.
    fn flips(&self, epoch: u32) -> Vec<bool> {
        let count = self.data.training.len();
        match self.data.experiment.augmentation {
            Augmentation::None => vec![false; count],
            Augmentation::HorizontalFlip => {
                let mut coin = stream(self.data.experiment.seed, Purpose::Flip, u64::from(epoch));
                (0..count).map(|_| uniform(&mut coin) < 0.5).collect()
            }
        }
    }

    /// Saves what is done, and says so.
    fn interrupted(&mut self, started: f64, place: &str) -> Error {
        self.state.seconds = (self.input.seconds)() - started;
        let epoch = self.state.epochs_done + 1;
        match self.save() {
            Ok(()) => Error::Interrupted(format!(
                "interrupted in epoch {epoch} {place}; run the same command again to continue"
            )),
            Err(error) => error,
        }
    }

    fn not_finite(&self, stage: &Stage, batch: usize, cases: &[usize]) -> Error {
        let ids: Vec<&str> = cases.iter().take(8).map(|&i| self.data.training[i].case_id.as_str()).collect();
        let place = if cases.is_empty() {
            "on the tuning cases".to_owned()
        } else {
            format!("in batch {} (cases {}, ...)", batch + 1, ids.join(", "))
        };
        Diagnostic::error(
            "loss-not-finite",
            format!(
                "the loss is not a finite number in stage \"{}\", epoch {}, {place}; the last saved state is kept",
                stage.name,
                self.state.epochs_done + 1
            ),
        )
        .hint("declare a smaller learning rate for this stage and train in another folder")
        .into()
    }

    /// One step on a batch; gives its mean loss. The weights stay as they are when the loss is not finite.
    fn step(&mut self, plan: &Plan<'_>, batch: &[usize], flips: &[bool], number: usize) -> Result<f64> {
        let (data, epoch) = (self.data, u64::from(self.state.epochs_done));
        let shards: Vec<Shard<'_>> = shards(batch, data.experiment.shard_size)
            .into_iter()
            .enumerate()
            .map(|(shard, samples)| Shard {
                network: self.network.clone(),
                // Room for 2^20 epochs of 2^24 batches of 2^12 shards.
                place: (epoch << 36) | ((number as u64) << 12) | shard as u64,
                samples,
            })
            .collect();
        let outcomes: Vec<Result<ShardOutcome>> = self.workers.pool().install(|| {
            shards.into_par_iter().map(|shard| data.shard(plan, &shard, batch.len(), flips)).collect()
        });
        let outcomes: Vec<ShardOutcome> = outcomes.into_iter().collect::<Result<_>>()?;
        let loss: f64 = outcomes.iter().map(|outcome| outcome.loss).sum();
        if loss.is_finite() {
            self.follow_statistics(&outcomes).map_err(failed)?;
            self.descend(plan, outcomes).map_err(failed)?;
        }
        Ok(loss)
    }

    /// Moves running statistics towards those of the batch: the mean of its shards', by their sizes.
    fn follow_statistics(&self, outcomes: &[ShardOutcome]) -> Result<(), TchError> {
        let names: BTreeSet<&String> = outcomes.iter().flat_map(|o| o.statistics.keys()).collect();
        for name in names {
            let follow = |part: &str, pick: fn(&(Tensor, Tensor)) -> &Tensor| -> Result<(), TchError> {
                let mut running = self.network.tensor(&format!("{name}.{part}"))?.shallow_clone();
                let mut mean = running.f_zeros_like()?;
                for outcome in outcomes {
                    // A shard of one image has none; it leaves them where they are.
                    let own = outcome.statistics.get(name).map_or(&running, pick);
                    mean = mean.f_add(&own.f_mul_scalar(outcome.share)?)?;
                }
                let moved = running.f_mul_scalar(1.0 - MOMENTUM)?.f_add(&mean.f_mul_scalar(MOMENTUM)?)?;
                running.f_copy_(&moved)
            };
            tch::no_grad(|| {
                follow("running_mean", |statistics| &statistics.0)?;
                follow("running_var", |statistics| &statistics.1)
            })?;
        }
        Ok(())
    }

    /// Adam on the sum of the shards' gradients, tensors spread over the workers.
    fn descend(&mut self, plan: &Plan<'_>, outcomes: Vec<ShardOutcome>) -> Result<(), TchError> {
        self.state.steps += 1;
        let (adam, rate, step) = (self.data.experiment.adam, plan.stage.learning_rate, self.state.steps);
        let mut gradients: Vec<Vec<Tensor>> = plan.trained.iter().map(|_| Vec::new()).collect();
        for outcome in outcomes {
            for (place, gradient) in gradients.iter_mut().zip(outcome.gradients) {
                place.push(gradient);
            }
        }
        let mut jobs = Vec::with_capacity(gradients.len());
        for (name, gradients) in plan.trained.iter().zip(gradients) {
            let tensor = self.network.tensor(name)?.shallow_clone();
            jobs.push((name.clone(), tensor, self.moments.remove(name), gradients));
        }
        type Moved = Result<(String, (Tensor, Tensor)), TchError>;
        let moved: Vec<Moved> = self.workers.pool().install(|| {
            jobs.into_par_iter()
                .map(|(name, tensor, moments, gradients)| {
                    tch::no_grad(|| Ok((name, adam_step(tensor, moments, gradients, adam, rate, step)?)))
                })
                .collect()
        });
        self.moments = moved.into_iter().collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Mean weighted loss and area under the curve on the tuning cases, each image alone as in scoring.
    fn evaluate(&self, plan: &Plan<'_>) -> Result<(f64, f64)> {
        let (data, first) = (self.data, self.data.training.len());
        let stop = self.input.stop;
        let logits = self.workers.each(
            &self.network,
            data.tuning.len(),
            stop,
            |_| {},
            |network, index| {
                let mut values = Vec::new();
                data.gather(network, plan, first + index, false, &mut values)?;
                let x = plan.batch(&values, 1).map_err(failed)?;
                let mut none = BatchStatistics::new();
                let logits = network.rest(&x, plan.frozen_steps, NormMode::Running, None, &mut none);
                logits.and_then(|l| l.f_double_value(&[0])).map_err(failed)
            },
        )?;
        let labels: Vec<bool> = data.tuning.iter().map(|sample| sample.label).collect();
        let loss = |(logit, label): (&f64, &bool)| {
            data.class_weights[usize::from(*label)] * cross_entropy(*logit, *label)
        };
        let loss = logits.iter().zip(&labels).map(loss).sum::<f64>() / labels.len() as f64;
        if !loss.is_finite() {
            return Ok((loss, f64::NAN));
        }
        let scores: Vec<f64> = logits.into_iter().map(probability).collect();
        Ok((loss, self.auc(&labels, &scores)?))
    }

    fn auc(&self, labels: &[bool], scores: &[f64]) -> Result<f64> {
        (self.input.auc)(labels, scores).ok_or_else(|| {
            Diagnostic::error(
                "tuning-one-class",
                "the tuning cases have one class alone; the best epoch cannot be chosen",
            )
            .hint("give tuning cases of both classes")
            .into()
        })
    }

    /// Writes the checkpoint, the best weights, then the state that names them; then removes what no state names.
    fn save(&mut self) -> Result<()> {
        let run = self.input.run;
        let old = self.state.checkpoint.take();
        self.state.saves += 1;
        let bytes =
            weights::to_bytes(&join_checkpoint(self.network.weights()?, &self.moments).map_err(failed)?)?;
        let file = format!("checkpoint-{}.safetensors", self.state.saves);
        storage::write_atomic(&run.join(&file), &bytes)?;
        self.state.checkpoint = Some(Recorded { file, sha256: Digest::of(&bytes) });
        self.save_best()?;
        self.state.write(run)?;
        if let Some(old) = old {
            let _ = std::fs::remove_file(run.join(old.file));
        }
        self.remove_old_best();
        self.saved_at = (self.input.seconds)();
        Ok(())
    }

    fn save_best(&mut self) -> Result<()> {
        if let (Some(bytes), Some(best)) = (&self.unsaved_best, &self.state.best) {
            storage::write_atomic(&self.input.run.join(&best.weights.file), bytes)?;
            self.unsaved_best = None;
        }
        Ok(())
    }

    fn remove_old_best(&self) {
        let kept = self.state.best.as_ref().map(|best| best.weights.file.as_str());
        let Ok(entries) = std::fs::read_dir(self.input.run) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("best-") && name.ends_with(".safetensors") && Some(name.as_ref()) != kept {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Scores the tuning cases with the best weights as scoring will, and leaves what is needed to lock.
    fn finish(mut self) -> Result<RunState> {
        self.save_best()?;
        let run = self.input.run;
        let Some(best) = &self.state.best else {
            return Err(Diagnostic::error("run-incomplete", "no epoch was trained").into());
        };
        let bytes = RunState::recorded_bytes(run, &best.weights)?;
        let network = Network::new(&weights::from_bytes(&bytes).map_err(Error::Input)?)?;
        let (data, first) = (self.data, self.data.training.len());
        let scores = self.workers.each(
            &network,
            data.tuning.len(),
            self.input.stop,
            |_| {},
            |network, index| {
                let x = image(&data.experiment.preprocessing, &(data.plane)(first + index)?)?;
                Ok(probability(network.logits(&x)?.f_double_value(&[0]).map_err(failed)?))
            },
        )?;
        let rows = data.tuning.iter().zip(scores).map(|(sample, score)| TuningScore {
            case_id: sample.case_id.clone(),
            patient_id: sample.patient_id.clone(),
            label: sample.label,
            score,
        });
        let table = tuning_scores_csv(&rows.collect::<Vec<_>>())?;
        storage::write_atomic(&run.join("tuning-scores.csv"), &table)?;
        let checkpoint = self.state.checkpoint.take();
        self.state.tuning_scores_sha256 = Some(Digest::of(&table));
        self.state.write(run)?;
        if let Some(checkpoint) = checkpoint {
            let _ = std::fs::remove_file(run.join(checkpoint.file));
        }
        let _ = std::fs::remove_dir_all(run.join("cache"));
        Ok(self.state)
    }
}

impl Plan<'_> {
    /// `[n, ...shape]`.
    fn batch(&self, values: &[f32], n: usize) -> Result<Tensor, TchError> {
        let mut shape = vec![n];
        shape.extend(&self.shape);
        Tensor::f_from_slice(values)?.f_view(shape_of(&shape).as_slice())
    }
}

impl Data<'_> {
    /// One sample's activations after the frozen steps. Always one image at a time: stored or not, the same numbers.
    fn frozen(&self, network: &Network, index: usize, flip: bool, steps: usize) -> Result<Vec<f32>> {
        let preprocessing = &self.experiment.preprocessing;
        let mut plane = (self.plane)(index)?;
        if flip {
            plane = flipped(&plane, preprocessing.resolution as usize);
        }
        if steps == 0 {
            let mut values = Vec::with_capacity(3 * plane.len());
            preprocessing.normalise_into(&plane, &mut values);
            return Ok(values);
        }
        let x = image(preprocessing, &plane)?;
        let maps = tch::no_grad(|| network.base(&x, steps)).map_err(failed)?;
        Ok(to_array(&maps).map_err(failed)?.values)
    }

    /// Appends the input of the trained part for one sample.
    fn gather(
        &self,
        network: &Network,
        plan: &Plan<'_>,
        index: usize,
        flip: bool,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        match &plan.records {
            Some(records) => records.read_into(index * plan.variants + usize::from(flip), out),
            None => {
                out.extend(self.frozen(network, index, flip, plan.frozen_steps)?);
                Ok(())
            }
        }
    }

    /// Loss and gradients of one shard of a batch of `whole` samples.
    fn shard(
        &self,
        plan: &Plan<'_>,
        shard: &Shard<'_>,
        whole: usize,
        flips: &[bool],
    ) -> Result<ShardOutcome> {
        let n = shard.samples.len();
        let mut values = Vec::new();
        for &sample in shard.samples {
            self.gather(&shard.network, plan, sample, flips[sample], &mut values)?;
        }
        let labels: Vec<bool> = shard.samples.iter().map(|&sample| self.training[sample].label).collect();
        let mode = match plan.stage.norm_statistics {
            NormStatistics::Running => NormMode::Running,
            // One image has no spread of its own where the maps are a single pixel.
            NormStatistics::Batch if n == 1 => NormMode::Running,
            NormStatistics::Batch => NormMode::BatchFrom(plan.stage.trainable.first_layer),
        };
        let work = || -> Result<ShardOutcome, TchError> {
            let x = plan.batch(&values, n)?;
            let mut generator = stream(self.experiment.seed, Purpose::Dropout, shard.place);
            let mut mask = |number: usize| -> Result<Tensor, TchError> {
                let (width, rate) = (HEAD[number], self.experiment.dropout[number]);
                let values = dropout_mask(n * width, rate, &mut generator);
                Tensor::f_from_slice(&values)?.f_view(shape_of(&[n, width]).as_slice())
            };
            let dropout = Dropout { masks: [mask(0)?, mask(1)?] };
            let mut statistics = BatchStatistics::new();
            let logits = shard.network.rest(&x, plan.frozen_steps, mode, Some(&dropout), &mut statistics)?;
            let targets: Vec<f32> = labels.iter().map(|label| f32::from(u8::from(*label))).collect();
            let weight = |label: &bool| (self.class_weights[usize::from(*label)] / whole as f64) as f32;
            let weights: Vec<f32> = labels.iter().map(weight).collect();
            let loss = logits.f_binary_cross_entropy_with_logits(
                &Tensor::f_from_slice(&targets)?,
                Some(Tensor::f_from_slice(&weights)?),
                None::<Tensor>,
                tch::Reduction::Sum,
            )?;
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

/// `ln(1 + e^-z)` for a positive case with logit `z`, `ln(1 + e^z)` for a negative one, without overflow.
fn cross_entropy(logit: f64, label: bool) -> f64 {
    let z = if label { -logit } else { logit };
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// Parts of `size`; what is left over and smaller than half of that joins the part before.
fn shards(batch: &[usize], size: usize) -> Vec<&[usize]> {
    let rest = batch.len() % size;
    let joined = batch.len() > size && rest > 0 && rest < size.div_ceil(2);
    let whole = if joined { batch.len() - rest - size } else { batch.len() };
    let (even, last) = batch.split_at(whole);
    even.chunks(size).chain((!last.is_empty()).then_some(last)).collect()
}

/// Kingma and Ba 2015, algorithm 1, on the sum of the gradients in their order.
fn adam_step(
    mut tensor: Tensor,
    moments: Option<(Tensor, Tensor)>,
    gradients: Vec<Tensor>,
    adam: Adam,
    rate: f64,
    step: u64,
) -> Result<(Tensor, Tensor), TchError> {
    let mut gradients = gradients.into_iter();
    let mut gradient = match gradients.next() {
        Some(first) => first,
        None => tensor.f_zeros_like()?,
    };
    for next in gradients {
        gradient = gradient.f_add_(&next)?;
    }
    let (mut first, mut second) = match moments {
        Some(moments) => moments,
        None => (tensor.f_zeros_like()?, tensor.f_zeros_like()?),
    };
    let square = gradient.f_square()?;
    first = first.f_mul_scalar_(adam.beta1)?.f_add_(&gradient.f_mul_scalar_(1.0 - adam.beta1)?)?;
    second = second.f_mul_scalar_(adam.beta2)?;
    second = second.f_add_(&square.f_mul_scalar(1.0 - adam.beta2)?)?;
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 steps")]
    let powers = (adam.beta1.powf(step as f64), adam.beta2.powf(step as f64));
    let root = second.f_sqrt()?.f_mul_scalar_(1.0 / (1.0 - powers.1).sqrt())?.f_add_scalar_(adam.epsilon)?;
    let change = first.f_div(&root)?.f_mul_scalar_(-rate / (1.0 - powers.0))?;
    let _ = tensor.f_add_(&change)?;
    Ok((first, second))
}

const FIRST: &str = "adam.first/";
const SECOND: &str = "adam.second/";

fn join_checkpoint(mut weights: Weights, moments: &Moments) -> Result<Weights, TchError> {
    for (name, (first, second)) in moments {
        weights.insert(format!("{FIRST}{name}"), to_array(first)?);
        weights.insert(format!("{SECOND}{name}"), to_array(second)?);
    }
    Ok(weights)
}

fn split_checkpoint(mut all: Weights) -> Result<(Weights, Moments), TchError> {
    let names: Vec<String> =
        all.keys().filter_map(|name| name.strip_prefix(FIRST)).map(str::to_owned).collect();
    let mut moments = Moments::new();
    for name in names {
        let first = all.remove(&format!("{FIRST}{name}"));
        let second = all.remove(&format!("{SECOND}{name}"));
        if let (Some(first), Some(second)) = (first, second) {
            moments.insert(name, (to_tensor(&first)?, to_tensor(&second)?));
        }
    }
    Ok((all, moments))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::dataset::gate::Gate;
    use crate::dataset::radiograph::Radiograph;
    use crate::model::lock::Lock;
    use crate::model::operating_point::{Rule, choose};
    use crate::model::random::initial_weights;
    use crate::model::run::{InitialStatement, Inputs, manifest, read_tuning_scores};
    use crate::model::torch::Scorer;

    /// 12 training and 6 tuning images of 32 x 32: a bright spot where the label is positive, on noise.
    struct Bench {
        folder: tempfile::TempDir,
        experiment: Experiment,
        samples: Vec<Sample>,
    }

    const TRAINING: usize = 12;
    const TUNING: usize = 6;

    const EXPERIMENT: &str = include_str!("../../../protocols/exp-random-smoke.toml");

    impl Bench {
        fn new(change: impl Fn(String) -> String) -> Self {
            let text = EXPERIMENT
                .replace("resolution = 96", "resolution = 32")
                .replace("batch_size = 32", "batch_size = 4")
                .replace("shard_size = 16", "shard_size = 2")
                .replace("epochs = 2", "epochs = 1");
            let experiment = Experiment::parse(Path::new("e.toml"), &change(text)).expect("valid");
            let sample = |i: usize| Sample {
                case_id: format!("C{i:02}"),
                patient_id: format!("P{i:02}"),
                label: i.is_multiple_of(2),
                image: PathBuf::from("none.png"),
            };
            let folder = tempfile::tempdir().expect("folder");
            Self { folder, experiment, samples: (0..TRAINING + TUNING).map(sample).collect() }
        }

        fn run(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn image(&self, index: usize) -> Radiograph {
            let side = self.experiment.preprocessing.resolution;
            let mut noise = stream(1, Purpose::Flip, index as u64);
            let label = self.samples[index].label;
            let pixel = |i: u32| {
                let (x, y) = (i % side, i / side);
                let spot = label && (8..20).contains(&x) && (8..20).contains(&y);
                uniform(&mut noise) as f32 * 0.5 + if spot { 0.5 } else { 0.0 }
            };
            Radiograph::new(side, side, (0..side * side).map(pixel).collect())
        }

        fn inputs(&self) -> Inputs {
            let (training, tuning) = self.samples.split_at(TRAINING);
            let side = |samples: &[Sample]| {
                let digests = vec![Digest::of(b"image"); samples.len()];
                manifest(samples, &digests).expect("writes").1
            };
            Inputs {
                experiment: self.experiment.clone(),
                experiment_sha256: Digest::of(b"experiment"),
                initial_weights: InitialStatement::Random { seed: 5 },
                training: side(training),
                tuning: side(tuning),
                synthetic: true,
            }
        }

        /// Trains in a folder, and raises the stop after some batches.
        fn train(&self, name: &str, workers: usize, store: bool, batches: usize) -> Result<RunState> {
            let run = self.run(name);
            let state = match RunState::read(&run)? {
                Some(state) => state,
                None => RunState::new(self.inputs(), "test".to_owned()),
            };
            let stop = AtomicBool::new(false);
            let seen = AtomicUsize::new(0);
            let plane = |index: usize| Ok(self.experiment.preprocessing.plane(&self.image(index)));
            let input = TrainInput {
                run: &run,
                state,
                initial: initial_weights(5),
                training: &self.samples[..TRAINING],
                tuning: &self.samples[TRAINING..],
                plane: &plane,
                workers,
                store,
                auc: &mean_difference,
                stop: &stop,
                seconds: &|| 0.0,
            };
            train(input, &mut |progress| {
                if matches!(progress, Progress::Batch { .. })
                    && seen.fetch_add(1, Ordering::Relaxed) + 1 == batches
                {
                    stop.store(true, Ordering::Relaxed);
                }
            })
        }
    }

    /// Stands for the area under the curve: `model` computes no statistic of its own.
    fn mean_difference(labels: &[bool], scores: &[f64]) -> Option<f64> {
        let mean = |label: bool| {
            let of: Vec<f64> =
                labels.iter().zip(scores).filter(|(l, _)| **l == label).map(|(_, s)| *s).collect();
            of.iter().sum::<f64>() / of.len() as f64
        };
        Some(mean(true) - mean(false))
    }

    const ALL: usize = usize::MAX;

    #[test]
    fn equal_inputs_give_equal_weights_for_any_workers_storage_and_interruptions() {
        let bench = Bench::new(|text| text);
        let plain = bench.train("plain", 1, true, ALL).expect("trains");
        assert!(plain.is_complete());
        assert_eq!(plain.history.len(), 2);
        let others = [
            bench.train("two-workers", 2, true, ALL).expect("trains"),
            bench.train("not-stored", 2, false, ALL).expect("trains"),
        ];
        let mut name = 0;
        let interrupted = loop {
            name += 1;
            match bench.train("interrupted", 2, true, 2) {
                Ok(state) => break state,
                Err(error) => assert_eq!(error.exit_code(), 130, "{error}"),
            }
            assert!(name < 20, "an interrupted run has to get on");
        };
        assert!(name > 2, "the run was interrupted several times");
        for other in others.iter().chain([&interrupted]) {
            assert_eq!(other.best, plain.best);
            assert_eq!(other.history, plain.history);
            assert_eq!(other.tuning_scores_sha256, plain.tuning_scores_sha256);
        }
        // What is left is what is named: no checkpoint, no cache, one set of weights.
        let mut left: Vec<String> = std::fs::read_dir(bench.run("interrupted"))
            .expect("lists")
            .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        let best = plain.best.expect("best").weights.file;
        assert_eq!(left, [best.as_str(), "state.json", "training.jsonl", "tuning-scores.csv"]);
    }

    #[test]
    fn a_locked_model_gives_the_tuning_scores_again_and_refuses_changed_weights() {
        let bench = Bench::new(|text| text);
        let state = bench.train("run", 2, true, ALL).expect("trains");
        let run = bench.run("run");
        let table = storage::read(&run.join("tuning-scores.csv")).expect("reads");
        let scores = read_tuning_scores(&run, &table).expect("reads");
        let point = choose(Rule::Youden, &scores, Digest::of(&table)).expect("chooses");
        let model = bench.run("model");
        Lock::create(&model, &run, &state, Gate::default(), point).expect("locks");

        let never = AtomicBool::new(false);
        let load = |index: usize| Ok(bench.image(TRAINING + index));
        for workers in [1, 2] {
            let scorer = Scorer::open(&model, workers).expect("opens");
            let values = scorer.score_each(TUNING, load, &never, |_| {}).expect("scores");
            for (value, row) in values.into_iter().zip(&scores) {
                assert_eq!(value.expect("scored"), row.score, "{}", row.case_id);
            }
            let planes: Vec<Vec<f32>> =
                (0..TUNING).map(|i| scorer.lock().preprocessing.plane(&bench.image(TRAINING + i))).collect();
            let again = scorer.score(&planes).expect("scores");
            assert!(again.iter().zip(&scores).all(|(value, row)| *value == row.score));
        }

        let weights = model.join("weights.safetensors");
        let mut bytes = storage::read(&weights).expect("reads");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        storage::write_atomic(&weights, &bytes).expect("writes");
        assert_eq!(Scorer::open(&model, 1).err().expect("refused").exit_code(), 30);
    }

    #[test]
    fn the_head_learns_from_stored_features() {
        // From random weights and statistics, the frozen base still tells a bright spot from none.
        let bench = Bench::new(|text| {
            text.replacen("epochs = 1", "epochs = 15", 1)
                .replace("trainable = \"all\"", "trainable = \"head\"")
        });
        let state = bench.train("run", 2, true, ALL).expect("trains");
        let (first, last) = (&state.history[0], &state.history[14]);
        assert!(last.tuning_loss < first.tuning_loss * 0.7, "{first:?} {last:?}");
        assert!(last.tuning_auc > 0.2, "means differ: {last:?}");
    }

    #[test]
    fn a_loss_that_is_not_finite_stops_with_its_place_and_keeps_the_last_state() {
        let bench = Bench::new(|text| text);
        let run = bench.run("run");
        let stop = AtomicBool::new(false);
        let plane = |index: usize| {
            let mut plane = bench.experiment.preprocessing.plane(&bench.image(index));
            if index == 3 {
                plane[0] = f32::NAN;
            }
            Ok(plane)
        };
        let state = RunState::new(bench.inputs(), "test".to_owned());
        state.write(&run).expect("writes");
        let input = TrainInput {
            run: &run,
            state: state.clone(),
            initial: initial_weights(5),
            training: &bench.samples[..TRAINING],
            tuning: &bench.samples[TRAINING..],
            plane: &plane,
            workers: 1,
            store: true,
            auc: &mean_difference,
            stop: &stop,
            seconds: &|| 0.0,
        };
        let error = train(input, &mut |_| {}).expect_err("stops");
        assert_eq!(error.diagnostics()[0].code, "loss-not-finite");
        assert!(error.to_string().contains("stage \"all layers\", epoch 1"), "{error}");
        assert_eq!(RunState::read(&run).expect("reads"), Some(state));
    }

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
    fn an_adam_step_is_the_one_worked_out_by_hand() {
        // Gradient 2 at step 1: both moments are corrected to 2 and 4, so the step is -rate * 2 / (2 + epsilon).
        let tensor = Tensor::from_slice(&[1.0_f32]);
        let gradients = vec![Tensor::from_slice(&[1.5_f32]), Tensor::from_slice(&[0.5_f32])];
        let adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
        let (first, second) =
            adam_step(tensor.shallow_clone(), None, gradients, adam, 0.1, 1).expect("steps");
        assert!((tensor.double_value(&[0]) - 0.9).abs() < 1e-6);
        assert!((first.double_value(&[0]) - 0.2).abs() < 1e-7);
        assert!((second.double_value(&[0]) - 0.004).abs() < 1e-7);
    }

    #[test]
    fn cross_entropy_agrees_with_its_definition_and_does_not_overflow() {
        for logit in [-3.0, 0.0, 0.7, 5.0] {
            let p = probability(logit);
            assert!((cross_entropy(logit, true) + p.ln()).abs() < 1e-12);
            assert!((cross_entropy(logit, false) + (1.0 - p).ln()).abs() < 1e-12);
        }
        assert_eq!(cross_entropy(-1000.0, true), 1000.0);
        assert_eq!(cross_entropy(1000.0, true), 0.0);
    }
}
