//! The stages of a training; where it stands in them and how fast it learns, from its curve alone: so an
//! interrupted training goes on as if it had not been.

use serde::{Deserialize, Serialize};

use super::curve::EpochRecord;
use super::layers::ResolvedLayers;

/// How the learning rate of a stage goes on after its first epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// As it is.
    #[default]
    Constant,
    /// Half a cosine over the stage's epochs, without restarts: Loshchilov and Hutter, "SGDR", ICLR 2017,
    /// equation 5.
    Cosine {
        /// What it approaches after the last epoch.
        final_learning_rate: f64,
    },
    /// Multiplied whenever the tuning loss has not improved for some epochs.
    Plateau {
        /// Between 0 and 1.
        factor: f64,
        /// Epochs in a row without a tuning loss below the lowest so far; counted anew after each change.
        patience: u32,
    },
}

impl Schedule {
    /// Whether the rate stays as it is.
    pub fn is_constant(&self) -> bool {
        *self == Self::Constant
    }
}

/// Statistics that the trained normalisations use; frozen ones always use their stored statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NormStatistics {
    /// The stored running statistics, which stay as they are.
    Running,
    /// The shard's own; the running statistics follow with momentum 0.1.
    Batch,
}

/// One stage of the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Name for the training curve.
    pub name: String,
    /// Passes over the training cases.
    pub epochs: u32,
    /// At the start of the stage.
    pub learning_rate: f64,
    /// How the learning rate goes on.
    #[serde(default, skip_serializing_if = "Schedule::is_constant")]
    pub schedule: Schedule,
    /// The stage ends after so many epochs in a row whose tuning AUC is not above the stage's best. `None`:
    /// never early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping_patience: Option<u32>,
    /// Cases a step.
    pub batch_size: usize,
    /// What is trained.
    pub trainable: ResolvedLayers,
    /// Statistics of the trained normalisations.
    pub norm_statistics: NormStatistics,
}

/// The stage (from 0) that a training is in, and where in the curve that stage begins. `None`: every stage is
/// done.
pub fn position(stages: &[Stage], history: &[EpochRecord]) -> Option<(usize, usize)> {
    let mut begin = 0;
    for (number, stage) in stages.iter().enumerate() {
        let rest = history.get(begin..).unwrap_or_default();
        match epochs_of(stage, rest) {
            None => return Some((number, begin)),
            Some(epochs) => begin += epochs,
        }
    }
    None
}

/// How many of these records, which begin with the stage, the finished stage has; `None` while it is not
/// finished.
fn epochs_of(stage: &Stage, records: &[EpochRecord]) -> Option<usize> {
    let mut best = f64::NEG_INFINITY;
    let mut since = 0;
    for (index, record) in records.iter().enumerate() {
        if record.tuning_auc > best {
            (best, since) = (record.tuning_auc, 0);
        } else {
            since += 1;
        }
        let stopped = stage.early_stopping_patience.is_some_and(|patience| since >= patience);
        if stopped || index + 1 == stage.epochs as usize {
            return Some(index + 1);
        }
    }
    None
}

/// The learning rate of a stage's next epoch, given the stage's records so far.
pub fn learning_rate(stage: &Stage, records: &[EpochRecord]) -> f64 {
    let start = stage.learning_rate;
    match stage.schedule {
        Schedule::Constant => start,
        Schedule::Cosine { final_learning_rate } => {
            let done = records.len() as f64 / f64::from(stage.epochs);
            let share = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            final_learning_rate + (start - final_learning_rate) * share
        }
        Schedule::Plateau { factor, patience } => {
            let (mut rate, mut best, mut since) = (start, f64::INFINITY, 0);
            for record in records {
                if record.tuning_loss < best {
                    (best, since) = (record.tuning_loss, 0);
                } else {
                    since += 1;
                }
                if since >= patience {
                    (rate, since) = (rate * factor, 0);
                }
            }
            rate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::Architecture;
    use crate::model::layers::Trainable;

    fn stage(epochs: u32, schedule: Schedule, early_stopping_patience: Option<u32>) -> Stage {
        Stage {
            name: "s".to_owned(),
            epochs,
            learning_rate: 0.1,
            schedule,
            early_stopping_patience,
            batch_size: 1,
            trainable: Trainable::Head.resolve(Architecture::Densenet121).expect("resolves"),
            norm_statistics: NormStatistics::Running,
        }
    }

    fn record(tuning_auc: f64, tuning_loss: f64) -> EpochRecord {
        EpochRecord {
            epoch: 1,
            stage: "s".to_owned(),
            learning_rate: 0.1,
            training_loss: 1.0,
            tuning_loss,
            tuning_auc,
            shard_size: None,
            seconds: None,
        }
    }

    #[test]
    fn a_stage_ends_after_its_epochs_or_when_patience_is_over() {
        let stages = [stage(5, Schedule::Constant, Some(2)), stage(2, Schedule::Constant, None)];
        let aucs = |values: &[f64]| values.iter().map(|auc| record(*auc, 1.0)).collect::<Vec<_>>();
        assert_eq!(position(&stages, &[]), Some((0, 0)));
        // An equal AUC is no improvement.
        assert_eq!(position(&stages, &aucs(&[0.5, 0.6, 0.6])), Some((0, 0)));
        assert_eq!(position(&stages, &aucs(&[0.5, 0.6, 0.6, 0.55])), Some((1, 4)));
        assert_eq!(position(&stages, &aucs(&[0.5, 0.6, 0.6, 0.7, 0.6])), Some((1, 5)));
        assert_eq!(position(&stages, &aucs(&[0.5, 0.6, 0.6, 0.55, 0.1])), Some((1, 4)));
        assert_eq!(position(&stages, &aucs(&[0.5, 0.6, 0.6, 0.55, 0.1, 0.1])), None);
    }

    #[test]
    fn learning_rates_follow_their_schedules() {
        let flat = [record(0.5, 1.0), record(0.5, 1.0), record(0.5, 1.0), record(0.5, 1.0)];
        assert_eq!(learning_rate(&stage(9, Schedule::Constant, None), &flat), 0.1);
        let cosine = stage(4, Schedule::Cosine { final_learning_rate: 0.02 }, None);
        assert_eq!(learning_rate(&cosine, &[]), 0.1);
        assert!((learning_rate(&cosine, &flat[..2]) - 0.06).abs() < 1e-15);
        assert!((learning_rate(&cosine, &flat) - 0.02).abs() < 1e-15);
        let plateau = stage(9, Schedule::Plateau { factor: 0.5, patience: 2 }, None);
        let rates: Vec<f64> = (0..=4).map(|n| learning_rate(&plateau, &flat[..n])).collect();
        assert_eq!(rates, [0.1, 0.1, 0.1, 0.05, 0.05]);
    }
}
