//! What a training shows on standard error.

use indicatif::ProgressBar;

use crate::engine::Progress;
use sequester::cli::say;
use sequester::model::run::RunState;

/// A bar for one kind of work.
pub(super) fn bar(message: &'static str, length: usize) -> ProgressBar {
    let bar = sequester::cli::bar("    train  {msg} {wide_bar} {pos}/{len} eta {eta}", Some(length));
    bar.set_message(message);
    bar
}

/// One bar over all batches of all epochs, and a line for each epoch.
pub(super) struct Screen {
    bar: ProgressBar,
    /// Batches of all epochs before the one with this index.
    before: Vec<u64>,
    frozen: Option<ProgressBar>,
}

impl Screen {
    /// For a run as it stands, with so many training images.
    pub fn new(state: &RunState, training: usize) -> Self {
        let mut before = vec![0];
        for stage in &state.inputs.experiment.stages {
            for _ in 0..stage.epochs {
                let last = before.last().copied().unwrap_or(0);
                before.push(last + training.div_ceil(stage.batch_size) as u64);
            }
        }
        let all = before.last().copied().unwrap_or(0);
        let bar = bar("", usize::try_from(all).unwrap_or(usize::MAX));
        let done = usize::try_from(state.epochs_done).unwrap_or(0);
        bar.set_position(before.get(done).copied().unwrap_or(0) + state.batches_done);
        bar.reset_eta();
        Self { bar, before, frozen: None }
    }

    /// Shows one step.
    pub fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Resumed { epochs_done } => {
                self.say(&format!("continues after {epochs_done} epochs"));
            }
            Progress::Storing { stage, bytes, there } => self.say(&format!(
                "stage \"{stage}\": the output of its frozen layers {} {} (32-bit floats)",
                if there { "is stored already:" } else { "will be stored:" },
                indicatif::HumanBytes(bytes)
            )),
            Progress::OutOfMemory { epoch, shard_size } => self
                .say(&format!("epoch {epoch}: memory ran out; goes on with shards of {shard_size} images")),
            Progress::Frozen { stage, done, total } => {
                let frozen = self.frozen.get_or_insert_with(|| bar("frozen layers, once", total));
                frozen.set_position(done as u64);
                if done == total {
                    frozen.finish_and_clear();
                    self.frozen = None;
                    self.say(&format!("stage \"{stage}\": frozen layers are computed and stored"));
                }
            }
            Progress::Batch { epoch, epochs, done, loss, .. } => {
                let before = usize::try_from(epoch).ok().and_then(|e| self.before.get(e - 1));
                self.bar.set_position(before.copied().unwrap_or(0) + done as u64);
                self.bar.set_message(format!("epoch {epoch}/{epochs} loss {loss:.4}"));
            }
            Progress::Epoch(record) => self.say(&format!(
                "epoch {:>3}  {}  loss {:.4}  tuning loss {:.4}  tuning AUC {:.4}  {:.1} s",
                record.epoch,
                record.stage,
                record.training_loss,
                record.tuning_loss,
                record.tuning_auc,
                record.seconds.unwrap_or(0.0)
            )),
        }
    }

    /// The bar goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| say("train", text));
    }
}
