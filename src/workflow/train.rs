//! What a training starts from. The training itself is of the program with libtorch.

use std::path::PathBuf;

use super::study::Study;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;
use crate::study::no_shared_patients;
use crate::table::id::Form;

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

/// What a study's protocol declares, where the study has no patient and no case of the development: before
/// hours of training, not after them. Case tables may come later than the model; `dataset` and `run` look
/// again, at all of them.
///
/// # Errors
/// `model-not-declared` when the protocol trains no model, what the tables report, `patient-on-both-sides`
/// and `case-on-both-sides`.
pub fn study_request(study: &Study, workers: usize) -> Result<TrainRequest> {
    let protocol = Location::file(study.folder.join("protocol.toml"));
    let (Some(model), Some(development)) = (&study.protocol.model, &study.protocol.data.development) else {
        return Err(Diagnostic::error(Code::ModelNotDeclared, "the protocol trains no model")
            .at(protocol)
            .hint("declare `[model] experiment = \"experiment.toml\"` and `data.development`")
            .into());
    };
    let Some(images) = &study.protocol.data.images else {
        return Err(Diagnostic::error(Code::ImagesMissing, "the protocol names no image folder")
            .at(protocol)
            .hint("add `images = \"images\"` to [data]")
            .into());
    };
    let path = development.path.below(&study.data);
    let table = development.parse(&path, &storage::read(&path)?.into()).map_err(Error::Input)?;
    let mut considered = Vec::new();
    for source in &study.protocol.data.cases {
        let path = source.path.below(&study.data);
        if path.exists() {
            let read = source.parse(&path, &storage::read(&path)?.into()).map_err(Error::Input)?;
            considered.extend(read.cases);
        }
    }
    // Of those that are only probably shared `check`, `dataset` and `run` tell.
    no_shared_patients(&table.cases, &considered, development, Form::Seen)?;
    Ok(TrainRequest {
        experiment: model.experiment.below(&study.folder),
        cases: table.cases,
        tuning: None,
        images: images.below(&study.data),
        out: study.model_folder(),
        initial_weights: None,
        workers,
        store: Store::Run,
        device: "cpu".to_owned(),
    })
}
