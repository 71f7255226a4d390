//! What a training starts from. The training itself is of the program with libtorch.

use std::path::PathBuf;

use crate::dataset::case::Case;

/// Where the output of frozen layers is stored.
#[derive(Clone, Debug)]
pub enum Store {
    /// Nowhere: it is computed each time.
    No,
    /// In the run's folder, until the training is complete.
    Run,
    /// In a folder that several trainings share.
    Shared(PathBuf),
}

/// What a training starts from.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// The experiment file.
    pub experiment: PathBuf,
    /// Development cases; training cases alone where `tuning` is given.
    pub cases: Vec<Case>,
    /// Tuning cases, where the split is given and not drawn.
    pub tuning: Option<Vec<Case>>,
    /// Folder that image paths are relative to.
    pub images: PathBuf,
    /// The model's folder; the run lies below it in `run`.
    pub out: PathBuf,
    /// Instead of the experiment's: a file, or `random`.
    pub initial_weights: Option<PathBuf>,
    /// Workers; does not change results.
    pub workers: usize,
    /// Where the output of frozen layers is stored; `None`: it is not. Does not change results.
    pub store: Store,
    /// `cpu`, or a graphics processor.
    pub device: String,
}
