//! From a request to a run: images, sides, initial weights, and the training itself.

use std::path::Path;
use std::time::Instant;

use crate::engine::{TrainInput, arithmetic, device, train};
use crate::screen::{Screen, bar};
use sequester::cli::{interrupted, say};
use sequester::dataset::case::Case;
use sequester::dataset::split;
use sequester::diagnostic::{Code, Diagnostic, Error, Location, Result};
use sequester::digest::Digest;
use sequester::model::experiment::{Experiment, InitialWeights};
use sequester::model::prepare::prepare;
use sequester::model::random;
use sequester::model::run::{InitialStatement, Inputs, RunState, Sample, manifest};
use sequester::model::weights::{self, Weights};
use sequester::statistics::auc;
use sequester::storage;
use sequester::workflow::study::run_folder;
use sequester::workflow::train::{Store, TrainRequest};

/// Trains, or continues.
///
/// # Errors
/// As `sequester train`.
pub fn train_run(request: &TrainRequest) -> Result<RunState> {
    let device = device(&request.device)?;
    let (experiment, experiment_sha256) = Experiment::read(&request.experiment)?;
    let (training, tuning) = sides(request, &experiment)?;
    let (initial, statement) = initial_weights(request, &experiment)?;
    say("train", &format!("experiment {}: {}", experiment.id, statement.describe()));

    let run = run_folder(&request.out);
    let mut samples = samples(&training, &request.images)?;
    let training_count = samples.len();
    samples.extend(self::samples(&tuning, &request.images)?);
    let bar = bar("reading images", samples.len());
    let preprocessing = experiment.preprocessing.clone();
    let cache = match &request.store {
        Store::Shared(folder) => folder.clone(),
        Store::Run | Store::No => run.join("cache"),
    };
    let planes = prepare(&samples, &preprocessing, &cache, request.workers, interrupted(), |done| {
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();

    let (training_samples, tuning_samples) = samples.split_at(training_count);
    let (training_digests, tuning_digests) = planes.digests.split_at(training_count);
    let (training_table, training_side) = manifest(training_samples, training_digests)?;
    let (tuning_table, tuning_side) = manifest(tuning_samples, tuning_digests)?;
    let synthetic = training.iter().chain(&tuning).any(|case| case.is_synthetic());
    let inputs = Inputs {
        experiment,
        experiment_sha256,
        initial_weights: statement,
        training: training_side,
        tuning: tuning_side,
        synthetic,
    };
    let libtorch = arithmetic(device);
    let state = match RunState::read(&run)? {
        None => {
            storage::write_atomic(&run.join("experiment.toml"), &storage::read(&request.experiment)?)?;
            storage::write_atomic(&run.join("training-manifest.csv"), &training_table)?;
            storage::write_atomic(&run.join("tuning-manifest.csv"), &tuning_table)?;
            let state = RunState::new(inputs, libtorch);
            state.write(&run)?;
            state
        }
        Some(state) => {
            let differences = state.differences(&inputs, &libtorch);
            if !differences.is_empty() {
                let message =
                    format!("this folder holds another run; what differs: {}", differences.join(", "));
                return Err(Diagnostic::error(Code::RunOfAnother, message)
                    .at(Location::file(&run))
                    .hint("train in another folder, or move this one away")
                    .into());
            }
            state
        }
    };
    let begun = Instant::now();
    let mut screen = Screen::new(&state, training_count);
    let input = TrainInput {
        run: &run,
        state,
        initial,
        training: training_samples,
        tuning: tuning_samples,
        plane: &|index| planes.plane(index),
        workers: request.workers,
        store: (!matches!(request.store, Store::No)).then_some(cache.as_path()),
        device,
        auc: &auc::auc,
        stop: interrupted(),
        seconds: &|| begun.elapsed().as_secs_f64(),
    };
    let state = train(input, &mut |progress| screen.show(progress))?;
    screen.finish();
    let _ = std::fs::remove_dir_all(run.join("cache"));
    Ok(state)
}

/// Training and tuning cases, drawn or given, with both classes on both sides.
fn sides(request: &TrainRequest, experiment: &Experiment) -> Result<(Vec<Case>, Vec<Case>)> {
    let Some(tuning) = &request.tuning else {
        let split = split::by_patient(&request.cases, experiment.split)?;
        let pick = |places: &[usize]| places.iter().map(|&place| request.cases[place].clone()).collect();
        return Ok((pick(&split.training), pick(&split.tuning)));
    };
    if let Some(warning) = split::check_separate(&request.cases, tuning)? {
        eprintln!("{warning}");
    }
    split::check_classes("training", &request.cases)?;
    split::check_classes("tuning", tuning)?;
    Ok((request.cases.clone(), tuning.clone()))
}

fn samples(cases: &[Case], images: &Path) -> Result<Vec<Sample>> {
    let folder = sequester::imaging::image_folder::ImageFolder::open(images)?;
    let mut samples = Vec::with_capacity(cases.len());
    let mut without = Vec::new();
    for case in cases {
        match &case.image {
            Some(image) => samples.push(Sample {
                case_id: case.case_id.to_string(),
                patient_id: case.patient_id.to_string(),
                label: case.source_label == Some(true),
                site: case.site.as_ref().map(ToString::to_string),
                image: folder.inside(image)?,
            }),
            None => without.push(case.case_id.as_str()),
        }
    }
    if without.is_empty() {
        return Ok(samples);
    }
    let shown = without.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    let message = format!("{} development cases name no image: {shown}", without.len());
    Err(Diagnostic::error(Code::ImageMissing, message)
        .hint("fill the column `image`, relative to the image folder")
        .into())
}

/// The weights to begin with, complete with a head, and what to say of them.
fn initial_weights(request: &TrainRequest, experiment: &Experiment) -> Result<(Weights, InitialStatement)> {
    let declared = experiment.initial_weights.clone();
    let beside = request.experiment.parent().unwrap_or(Path::new("."));
    let (path, sha256) = match (&request.initial_weights, declared) {
        (Some(given), _) if given.as_os_str() == "random" => (None, None),
        (Some(given), _) => (Some(given.clone()), None),
        (None, InitialWeights::Random) => (None, None),
        (None, InitialWeights::File { path, sha256 }) => (Some(beside.join(path)), sha256),
    };
    let seed = experiment.seed;
    let mut all = random::initial_weights(experiment.architecture, seed);
    let Some(path) = path else {
        return Ok((all, InitialStatement::Random { seed }));
    };
    if !path.is_file() {
        return Err(Diagnostic::error(Code::InitialWeightsMissing, "the initial weights are not there")
            .at(Location::file(&path))
            .hint(format!(
                "put {} there, name another file with --initial-weights, or train with `--initial-weights \
                 random`",
                experiment.architecture.source()
            ))
            .into());
    }
    let (file, found) = weights::read(&path)?;
    check_digest(&path, sha256, found)?;
    let chosen = weights::select(file, experiment.architecture, &path)?;
    let with_head = chosen.keys().any(|name| name.starts_with("head."));
    all.extend(chosen);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((all, InitialStatement::File { name, sha256: found, with_head }))
}

fn check_digest(path: &Path, wanted: Option<Digest>, found: Digest) -> Result<()> {
    match wanted {
        Some(wanted) if wanted != found => Err(Error::from(
            Diagnostic::error(
                Code::InitialWeightsDiffer,
                format!("the experiment declares SHA-256 {wanted}, the file has {found}"),
            )
            .at(Location::file(path))
            .hint("bring the declared file, or correct the experiment before training"),
        )),
        _ => Ok(()),
    }
}
