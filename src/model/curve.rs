//! The training curve: what is known of each epoch.

use serde::{Deserialize, Serialize};

/// One line of `training.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EpochRecord {
    /// Counted from 1 through all stages.
    pub epoch: u32,
    /// Name of the stage.
    pub stage: String,
    /// Of this epoch.
    pub learning_rate: f64,
    /// Mean weighted loss over the training cases, with dropout, while the weights changed.
    pub training_loss: f64,
    /// Mean weighted loss over the tuning cases with the weights after the epoch.
    pub tuning_loss: f64,
    /// Area under the ROC curve on the tuning cases with the weights after the epoch.
    pub tuning_auc: f64,
    /// Images a shard, where memory forced fewer than declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_size: Option<usize>,
    /// Wall-clock time; the lock leaves it out, so that equal trainings give equal locks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}
