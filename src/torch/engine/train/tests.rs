//! Whole trainings of a small network input: reproducible, resumable, stopped where they must.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::engine::{open_scorer, torchscript};
use sequester::dataset::gate::Gate;
use sequester::imaging::radiograph::Radiograph;
use sequester::model::architecture::Architecture;
use sequester::model::experiment::Experiment;
use sequester::model::lock::Lock;
use sequester::model::operating_point::choose;
use sequester::model::random::{initial_weights, uniform};
use sequester::model::run::{InitialStatement, Inputs, manifest, read_tuning_scores};
use sequester::model::scorer::Scorer;
use sequester::statistics::operating_point::OperatingPointRule;

/// 12 training and 6 tuning images of 32 x 32: a bright spot where the label is positive, on noise.
struct Bench {
    folder: tempfile::TempDir,
    experiment: Experiment,
    samples: Vec<Sample>,
}

const TRAINING: usize = 12;
const TUNING: usize = 6;

const EXPERIMENT: &str = include_str!("../../../../protocols/exp-random-smoke.toml");

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
            site: None,
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
        let cache = run.join("cache");
        let input = TrainInput {
            run: &run,
            state,
            initial: initial_weights(Architecture::Densenet121, 5),
            training: &self.samples[..TRAINING],
            tuning: &self.samples[TRAINING..],
            plane: &plane,
            workers,
            store: store.then_some(cache.as_path()),
            device: Device::Cpu,
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
        let of: Vec<f64> = labels.iter().zip(scores).filter(|(l, _)| **l == label).map(|(_, s)| *s).collect();
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
    let point = choose(OperatingPointRule::Youden, &scores, Digest::of(&table)).expect("chooses");
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
        // libtorch's operations, which a graphics processor runs, are close.
        let other = open_scorer(&model, workers, Device::Cpu).expect("opens").score(&planes).expect("scores");
        assert!(other.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-5), "{other:?} {again:?}");
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
        text.replacen("epochs = 1", "epochs = 15", 1).replace("trainable = \"all\"", "trainable = \"head\"")
    });
    let state = bench.train("run", 2, true, ALL).expect("trains");
    let (first, last) = (&state.history[0], &state.history[14]);
    // The tuning loss is taken without dropout: with a batch of 4 the training loss is mostly its noise.
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
        initial: initial_weights(Architecture::Densenet121, 5),
        training: &bench.samples[..TRAINING],
        tuning: &bench.samples[TRAINING..],
        plane: &plane,
        workers: 1,
        store: Some(&run),
        device: Device::Cpu,
        auc: &mean_difference,
        stop: &stop,
        seconds: &|| 0.0,
    };
    let error = train(input, &mut |_| {}).expect_err("stops");
    assert_eq!(error.diagnostics()[0].code.as_str(), "loss-not-finite");
    assert!(error.to_string().contains("stage \"all layers\", epoch 1"), "{error}");
    assert_eq!(RunState::read(&run).expect("reads"), Some(state));
}

#[test]
fn when_memory_runs_out_shards_are_halved_as_declared_and_no_further() {
    // A real failure of libtorch's allocator for shards above 4.
    let work = |size: usize| -> Result<usize> {
        let extent = if size > 4 { 1 << 50 } else { 1 };
        Tensor::f_empty([extent], (tch::Kind::Float, Device::Cpu)).map_err(failed).map(|_| size)
    };
    assert_eq!(halving(16, Some(2), work).expect("works"), (4, 4));
    assert_eq!(halving(4, None, work).expect("works"), (4, 4));
    for smallest in [None, Some(5)] {
        let error = halving(16, smallest, work).expect_err("too large");
        assert!(is_out_of_memory(&error), "{smallest:?}");
    }
    let mut tried = Vec::new();
    let other = halving(16, Some(2), |size| {
        tried.push(size);
        Err::<(), _>(Diagnostic::error(Code::TorchFailed, "not memory").into())
    });
    assert!(other.is_err() && tried == [16]);
}

#[test]
fn early_stopping_schedules_and_random_views_resume_to_the_same_weights() {
    let bench = Bench::new(|text| {
        let affine = "[training.affine]\nrotation_degrees = 10\nshift = 0.1\nzoom = 0.1\nbrightness = 0.1\n\
                      horizontal_flip = true\n\n[[stage]]\nname = \"all";
        text.replace("augmentation = \"horizontal-flip\"", "augmentation = \"affine\"")
            .replace("augmentation = \"none\"", "augmentation = \"affine\"")
            .replacen("[[stage]]\nname = \"all", affine, 1)
            .replacen(
                "epochs = 1",
                "epochs = 6\nearly_stopping_patience = 1\nschedule = \"cosine\"\nfinal_learning_rate = 1e-6",
                1,
            )
    });
    let plain = bench.train("plain", 1, true, ALL).expect("trains");
    assert!(plain.is_complete());
    // The first stage stopped early, and the second ran.
    let stages: Vec<&str> = plain.history.iter().map(|record| record.stage.as_str()).collect();
    assert!(stages.len() < 7 && stages.windows(2).any(|pair| pair[0] != pair[1]), "{stages:?}");
    assert!(plain.history[0].learning_rate > plain.history[1].learning_rate);
    let mut attempts = 0;
    let interrupted = loop {
        attempts += 1;
        match bench.train("interrupted", 2, true, 2) {
            Ok(state) => break state,
            Err(error) => assert_eq!(error.exit_code(), 130, "{error}"),
        }
        assert!(attempts < 40, "an interrupted run has to get on");
    };
    assert_eq!((interrupted.best, interrupted.history), (plain.best, plain.history));
}

#[test]
fn an_exported_module_gives_the_locked_models_logits() {
    let bench = Bench::new(|text| text);
    let state = bench.train("run", 2, true, ALL).expect("trains");
    let run = bench.run("run");
    let table = storage::read(&run.join("tuning-scores.csv")).expect("reads");
    let scores = read_tuning_scores(&run, &table).expect("reads");
    let point = choose(OperatingPointRule::Youden, &scores, Digest::of(&table)).expect("chooses");
    let model = bench.run("model");
    let lock = Lock::create(&model, &run, &state, Gate::default(), point).expect("locks");
    let out = bench.run("model.pt");
    let agreement = torchscript(&model, &lock, &out).expect("exports");
    assert!(agreement.largest <= 1e-5, "{agreement:?}");
    // Another batch than the traced one, and another reader than the exporter.
    let module = tch::CModule::load(&out).expect("loads");
    let images = Tensor::randn([3, 3, 32, 32], tch::kind::FLOAT_CPU);
    let logits = module.forward_ts(&[&images]).expect("runs");
    assert_eq!(logits.size(), [3]);
}
