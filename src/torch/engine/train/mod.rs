//! Training in stages. What a stage freezes is computed once per image and flip and stored; the rest trains
//! from the stored activations, with exactly the results of computing everything each time.
//!
//! A step: the batch is cut into shards; each worker computes the gradient of a shard; the gradients are
//! added in the order of the shards; Adam follows. Every random choice is addressed by epoch and place. So
//! equal inputs give equal weights, whatever the number of workers and wherever a run was interrupted.

mod adam;
mod shard;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use tch::{Device, TchError, Tensor};

pub(super) use self::adam::adam_step;
use self::adam::{Moments, Moving, adam_step_of_all, join_checkpoint, split_checkpoint};
#[cfg(test)]
pub(super) use self::shard::mean_loss;
use self::shard::{Data, Plan, Shard, ShardOutcome, shards};
use super::inference::{Inference, VERSION};
use super::network::{BatchStatistics, to_array};
use super::network::{Network, NormMode};
use super::scorer::image;
use super::workers::{Workers, callers};
use super::{failed, is_out_of_memory};
use sequester::diagnostic::{Code, Diagnostic, Error, Result};
use sequester::digest::Digest;
use sequester::kernels;
use sequester::model::augmentation::View;
use sequester::model::curve::EpochRecord;
use sequester::model::random::{Purpose, shuffled, stream};
use sequester::model::records::Records;
use sequester::model::run::{Best, Recorded, RunState, Sample, TuningScore, tuning_scores_csv};
use sequester::model::schedule;
use sequester::model::schedule::Stage;
use sequester::model::scorer::{probability, score_plane};
use sequester::model::weights::{self, Weights};
use sequester::storage;

/// Momentum of the running statistics, as torchvision has it.
const MOMENTUM: f64 = 0.1;

/// Tuning cases that a graphics processor evaluates at once.
const EVALUATED: usize = 32;

/// What a training says while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// The output of frozen layers will be stored, as 32-bit floats.
    Storing {
        /// Name of the stage.
        stage: String,
        /// Bytes that it takes.
        bytes: u64,
        /// Whether it is there already, from this or from another training.
        there: bool,
    },
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
    /// Memory ran out; the batch is tried again in smaller shards.
    OutOfMemory {
        /// Epoch from 1 through all stages.
        epoch: u32,
        /// Images a shard from here on.
        shard_size: usize,
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
    /// Where what frozen layers give is stored; `None`: it is computed each time. Does not change results.
    pub store: Option<&'a Path>,
    /// Where the network runs.
    pub device: Device,
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
/// [`Error::Interrupted`] after saving, when `stop` was raised; `loss-not-finite` with the place, keeping the
/// last saved state; `run-damaged`; what images, files and libtorch report.
pub fn train(mut input: TrainInput<'_>, progress: &mut dyn FnMut(Progress)) -> Result<RunState> {
    if input.state.is_complete() {
        return Ok(input.state);
    }
    let workers = Workers::new(callers(input.workers, input.device))?;
    let initial = std::mem::take(&mut input.initial);
    let mut trainer = Trainer::start(&input, initial, &workers, progress)?;
    let stages = &input.state.inputs.experiment.stages;
    while let Some((number, begin)) = schedule::position(stages, &trainer.state.history) {
        trainer.stage(number, begin, progress)?;
    }
    trainer.finish()
}

struct Trainer<'a> {
    input: &'a TrainInput<'a>,
    data: Data<'a>,
    workers: &'a Workers,
    network: Network,
    /// The base as it was when the stage began: right for what the stage freezes.
    frozen: Inference,
    moments: Moments,
    state: RunState,
    /// Weights of the best epoch, as file bytes, until they are saved.
    unsaved_best: Option<Vec<u8>>,
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
                split_checkpoint(weights::from_bytes(&bytes).map_err(Error::Input)?, input.device)
                    .map_err(failed)?
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
            device: input.device,
        };
        let network = Network::new(experiment.architecture, &weights, input.device)?;
        let frozen = Inference::new(&network)?;
        Ok(Self { input, data, workers, network, frozen, moments, state, unsaved_best: None })
    }

    /// The rest of a stage whose records begin at `begin` in the curve. Every epoch is saved.
    fn stage(&mut self, number: usize, begin: usize, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let stages = &self.data.experiment.stages;
        self.frozen = Inference::new(&self.network)?;
        let plan = self.plan(number, progress)?;
        if self.state.steps == 0 {
            self.moments = Moments::new();
        }
        while schedule::position(stages, &self.state.history) == Some((number, begin)) {
            let rate = schedule::learning_rate(plan.stage, &self.state.history[begin..]);
            self.epoch(&plan, rate, progress)?;
            if schedule::position(stages, &self.state.history) != Some((number, begin)) {
                self.state.steps = 0;
                self.moments = Moments::new();
            }
            self.save()?;
        }
        Ok(())
    }

    /// Marks the trained tensors and stores what the frozen steps give.
    fn plan(&self, number: usize, progress: &mut dyn FnMut(Progress)) -> Result<Plan<'a>> {
        let stage = &self.data.experiment.stages[number];
        let first_layer = stage.trainable.first_layer;
        let mut trained = Vec::new();
        for spec in self.network.architecture().tensors() {
            let wanted = spec.role.has_gradient() && spec.layer >= first_layer;
            let tensor = self.network.tensor(&spec.name).map_err(failed)?;
            let _ = tensor.f_set_requires_grad(wanted).map_err(failed)?;
            if wanted {
                trained.push(spec.name);
            }
        }
        let frozen_steps = stage.trainable.frozen_steps(self.network.architecture());
        let shape = self.activation_shape(frozen_steps)?;
        // Views that cannot be listed are computed each time; the tuning cases have one view all the same.
        let (views, stored_from) = match self.data.experiment.augmentation.views() {
            Some(views) => (views, 0),
            None => (&[View::Plain][..], self.data.training.len()),
        };
        let mut plan = Plan { stage, trained, frozen_steps, records: None, stored_from, views, shape };
        if let (1.., Some(folder)) = (frozen_steps, self.input.store) {
            plan.records = Some(self.stored(number, folder, &plan, progress)?);
        }
        Ok(plan)
    }

    /// The stored output of the frozen steps, computed now unless an earlier attempt left it complete. What
    /// later stages will need and no stage before them changes is stored on the way: an image passes through
    /// the base once a view.
    fn stored(
        &self,
        number: usize,
        folder: &Path,
        plan: &Plan<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Records> {
        let (views, data) = (plan.views, self.data);
        let total = self.data.training.len() + self.data.tuning.len() - plan.stored_from;
        let open = |steps: usize| -> Result<(usize, Digest, Records)> {
            let len = self.activation_shape(steps)?.iter().product();
            let key = self.frozen_key(plan, steps)?;
            let path = folder.join(format!("activations-{}.f32", &key.to_string()[..16]));
            Ok((steps, key, Records::open(&path, total * views.len(), len)?))
        };
        let (_, key, records) = open(plan.frozen_steps)?;
        let mut stage = plan.stage.name.clone();
        if records.is_finished(&key) {
            let bytes = records.bytes();
            progress(Progress::Storing { stage, bytes, there: true });
            return Ok(records);
        }
        let mut wanted = vec![(plan.frozen_steps, key, records)];
        let mut unchanged = plan.frozen_steps;
        for later in &self.data.experiment.stages[number + 1..] {
            let steps = later.trainable.frozen_steps(self.network.architecture());
            unchanged = unchanged.min(steps);
            if steps > 0 && steps == unchanged && wanted.iter().all(|one| one.0 != steps) {
                stage.push_str(&format!("\" and \"{}", later.name));
                wanted.push(open(steps)?);
            }
        }
        let bytes = wanted.iter().map(|(_, _, records)| records.bytes()).sum();
        progress(Progress::Storing { stage: stage.clone(), bytes, there: false });
        wanted.sort_by_key(|one| one.0);
        let steps: Vec<usize> = wanted.iter().map(|one| one.0).collect();
        let done = |done| progress(Progress::Frozen { stage: stage.clone(), done, total });
        self.workers.each(&self.frozen, total, self.input.stop, done, |network, index| {
            for view in views {
                let place = index * views.len() + view.number();
                if wanted.iter().all(|(_, key, records)| records.has(place, key)) {
                    continue;
                }
                let outputs = data.frozen(network, plan.stored_from + index, *view, &steps)?;
                for ((_, key, records), values) in wanted.iter().zip(outputs) {
                    records.write(place, key, &values)?;
                }
            }
            Ok(())
        })?;
        for (_, key, records) in &wanted {
            records.finish(key)?;
        }
        let own = wanted.into_iter().find(|one| one.0 == plan.frozen_steps);
        own.map(|(_, _, records)| records)
            .ok_or_else(|| Diagnostic::error(Code::RunDamaged, "the stage's own activations are gone").into())
    }

    fn activation_shape(&self, frozen_steps: usize) -> Result<Vec<usize>> {
        let preprocessing = &self.data.experiment.preprocessing;
        let blank = image(preprocessing, &vec![0.0; preprocessing.plane_len()], self.input.device)?;
        let shape = tch::no_grad(|| self.network.base(&blank, frozen_steps)).map_err(failed)?.size();
        Ok(shape.iter().skip(1).map(|&n| usize::try_from(n).unwrap_or(0)).collect())
    }

    /// Changes whenever stored activations would: with the images and their order, the views, the
    /// preprocessing, the frozen weights, libtorch and the device.
    fn frozen_key(&self, plan: &Plan<'_>, steps: usize) -> Result<Digest> {
        let inputs = &self.state.inputs;
        let network = self.network.architecture();
        let mut text = format!(
            "{network} {VERSION:?} {} {:?} {} {:?} {} {} {:?}",
            steps,
            plan.views,
            self.state.libtorch,
            self.input.device,
            inputs.training.manifest_sha256,
            inputs.tuning.manifest_sha256,
            inputs.experiment.preprocessing
        );
        for sample in self.data.training[plan.stored_from..].iter().chain(self.data.tuning) {
            text.push_str(&format!("\n{:?}", sample.case_id));
        }
        let end = network.units().get(steps.saturating_sub(1)).map_or(0, |unit| unit.end_layer);
        for spec in network.base_tensors().iter().filter(|spec| spec.layer < end) {
            let array = to_array(self.network.tensor(&spec.name).map_err(failed)?).map_err(failed)?;
            text.push_str(&format!("\n{}", Digest::of(&kernels::to_bytes(&array.values))));
        }
        Ok(Digest::of(text.as_bytes()))
    }

    fn epoch(&mut self, plan: &Plan<'_>, rate: f64, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let (count, experiment) = (self.data.training.len(), self.data.experiment);
        let epoch = self.state.epochs_done;
        let order = shuffled(count, &mut stream(experiment.seed, Purpose::Order, u64::from(epoch)));
        let views = experiment.augmentation.draw(experiment.seed, epoch, count);
        let batches: Vec<&[usize]> = order.chunks(plan.stage.batch_size).collect();
        let started = (self.input.seconds)() - self.state.seconds;
        let first = usize::try_from(self.state.batches_done).unwrap_or(0);
        let mut seen: usize = batches.iter().take(first).map(|batch| batch.len()).sum();
        for (number, batch) in batches.iter().enumerate().skip(first) {
            if self.input.stop.load(Ordering::Relaxed) {
                let place = format!("after {number} of {} batches", batches.len());
                return Err(self.interrupted(started, &place));
            }
            let loss = self.step(plan, batch, &views, number, rate, progress)?;
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
            learning_rate: rate,
            training_loss: self.state.loss_sum / count as f64,
            tuning_loss,
            tuning_auc,
            shard_size: self.state.shard_size,
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
            Code::LossNotFinite,
            format!(
                "the loss is not a finite number in stage \"{}\", epoch {}, {place}; the last saved state \
                 is kept",
                stage.name,
                self.state.epochs_done + 1
            ),
        )
        .hint("declare a smaller learning rate for this stage and train in another folder")
        .into()
    }

    /// One step on a batch; gives its mean loss. The weights stay as they are when the loss is not finite.
    fn step(
        &mut self,
        plan: &Plan<'_>,
        batch: &[usize],
        views: &[View],
        number: usize,
        rate: f64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<f64> {
        let experiment = self.data.experiment;
        let declared = self.state.shard_size.unwrap_or(experiment.shard_size);
        let (outcomes, size) = halving(declared, experiment.smallest_shard_size, |size| {
            if size < declared {
                progress(Progress::OutOfMemory { epoch: self.state.epochs_done + 1, shard_size: size });
            }
            self.shards(plan, batch, views, number, size)
        })?;
        if size < declared {
            self.state.shard_size = Some(size);
        }
        let loss: f64 = outcomes.iter().map(|outcome| outcome.loss).sum();
        if loss.is_finite() {
            self.follow_statistics(&outcomes).map_err(failed)?;
            self.descend(plan, outcomes, rate).map_err(failed)?;
        }
        Ok(loss)
    }

    /// Losses and gradients of the parts of a batch.
    fn shards(
        &self,
        plan: &Plan<'_>,
        batch: &[usize],
        views: &[View],
        number: usize,
        size: usize,
    ) -> Result<Vec<ShardOutcome>> {
        let (data, epoch) = (self.data, u64::from(self.state.epochs_done));
        let shards: Vec<Shard<'_>> = shards(batch, size)
            .into_iter()
            .enumerate()
            .map(|(shard, samples)| Shard {
                network: self.network.clone(),
                frozen: self.frozen.clone(),
                // Room for 2^20 epochs of 2^24 batches of 2^12 shards.
                place: (epoch << 36) | ((number as u64) << 12) | shard as u64,
                samples,
            })
            .collect();
        let outcomes: Vec<Result<ShardOutcome>> = self.workers.pool().install(|| {
            shards.into_par_iter().map(|shard| data.shard(plan, &shard, batch.len(), views)).collect()
        });
        outcomes.into_iter().collect()
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

    /// Adam on the sum of the shards' gradients: tensors spread over the workers, or all at once where one
    /// device computes them.
    fn descend(&mut self, plan: &Plan<'_>, outcomes: Vec<ShardOutcome>, rate: f64) -> Result<(), TchError> {
        self.state.steps += 1;
        let (adam, step) = (self.data.experiment.adam, self.state.steps);
        let mut gradients: Vec<Vec<Tensor>> = plan.trained.iter().map(|_| Vec::new()).collect();
        for outcome in outcomes {
            for (place, gradient) in gradients.iter_mut().zip(outcome.gradients) {
                place.push(gradient);
            }
        }
        let mut moving = Vec::with_capacity(gradients.len());
        for (name, gradients) in plan.trained.iter().zip(gradients) {
            let tensor = self.network.tensor(name)?.shallow_clone();
            moving.push(Moving { tensor, moments: self.moments.remove(name), gradients });
        }
        let moved: Vec<(Tensor, Tensor)> = if self.input.device == Device::Cpu {
            let each = |one: Moving| {
                tch::no_grad(|| adam_step(one.tensor, one.moments, one.gradients, adam, rate, step))
            };
            let moved: Vec<Result<_, TchError>> =
                self.workers.pool().install(|| moving.into_par_iter().map(each).collect());
            moved.into_iter().collect::<Result<_, _>>()?
        } else {
            tch::no_grad(|| adam_step_of_all(moving, adam, rate, step))?
        };
        self.moments = plan.trained.iter().cloned().zip(moved).collect();
        Ok(())
    }

    /// Mean weighted loss and area under the curve on the tuning cases, each image alone as in scoring; on a
    /// graphics processor several at once, always the same ones together.
    fn evaluate(&self, plan: &Plan<'_>) -> Result<(f64, f64)> {
        let (data, first) = (self.data, self.data.training.len());
        let stop = self.input.stop;
        let together = if data.device == Device::Cpu { 1 } else { EVALUATED };
        let logits = self.workers.each(
            &(self.network.clone(), self.frozen.clone()),
            data.tuning.len().div_ceil(together),
            stop,
            |_| {},
            |(network, frozen), number| {
                let begin = number * together;
                let count = together.min(data.tuning.len() - begin);
                let mut values = Vec::new();
                for index in begin..begin + count {
                    data.gather(plan, frozen, first + index, View::Plain, &mut values)?;
                }
                let logits = || -> Result<Vec<f32>, TchError> {
                    let x = plan.batch(network, &values, count)?;
                    let mut none = BatchStatistics::new();
                    let logits = network.rest(&x, plan.frozen_steps, NormMode::Running, None, &mut none)?;
                    Ok(to_array(&logits)?.values)
                };
                logits().map_err(failed)
            },
        )?;
        let logits: Vec<f64> = logits.into_iter().flatten().map(f64::from).collect();
        let labels: Vec<bool> = data.tuning.iter().map(|sample| sample.label).collect();
        let loss = |(logit, label): (&f64, &bool)| {
            data.class_weights[usize::from(*label)] * data.experiment.loss.of_logit(*logit, *label)
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
                Code::TuningOneClass,
                "the tuning cases have one class alone; the best epoch cannot be chosen",
            )
            .hint("give tuning cases of both classes")
            .into()
        })
    }

    /// Writes the checkpoint, the best weights, then the state that names them; then removes what no state
    /// names.
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
            return Err(Diagnostic::error(Code::RunIncomplete, "no epoch was trained").into());
        };
        let bytes = RunState::recorded_bytes(run, &best.weights)?;
        let weights = weights::from_bytes(&bytes).map_err(Error::Input)?;
        let network = Network::new(self.network.architecture(), &weights, self.input.device)?;
        let (data, first) = (self.data, self.data.training.len());
        let scores = self.workers.each(
            &Inference::new(&network)?,
            data.tuning.len(),
            self.input.stop,
            |_| {},
            |network, index| {
                score_plane(network, &data.experiment.preprocessing, &(data.plane)(first + index)?)
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

/// `work(size)`; where memory runs out, again with half the size, down to the smallest. Gives the size that
/// did it, too.
fn halving<T>(
    mut size: usize,
    smallest: Option<usize>,
    mut work: impl FnMut(usize) -> Result<T>,
) -> Result<(T, usize)> {
    loop {
        match (work(size), smallest) {
            (Err(error), Some(smallest)) if size > smallest && is_out_of_memory(&error) => {
                size = (size / 2).max(smallest);
            }
            (other, _) => return other.map(|done| (done, size)),
        }
    }
}

#[cfg(test)]
mod tests;
