//! Training, scoring and preparing images: one line of JSON each; `benches/network.sh` runs it beside its
//! peers. Arguments: images to train on, then PNG files.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use sequester::digest::Digest;
use sequester::imaging::image;
use sequester::model::architecture::Architecture;
use sequester::model::experiment::Experiment;
use sequester::model::preprocessing::{Filter, Preprocessing};
use sequester::model::random::initial_weights;
use sequester::model::run::{InitialStatement, Inputs, RunState, Sample, manifest};
use tch::{Tensor, kind};

use engine::inference::Inference;
use engine::network::Network;
use engine::{TrainInput, device, train};

#[expect(dead_code, unused_imports, reason = "the program uses more of it")]
#[path = "../src/torch/engine/mod.rs"]
mod engine;

/// CPU seconds of the process, finished threads included.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |place: usize| fields.get(place).and_then(|t| t.parse::<f64>().ok()).unwrap_or(f64::NAN);
    // utime and stime, in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    tch::set_num_threads(1);
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let images: usize = arguments.first().and_then(|n| n.parse().ok()).unwrap_or(64);
    for architecture in Architecture::ALL {
        for workers in [1, 2] {
            scoring(architecture, workers);
        }
    }
    let files: Vec<PathBuf> = arguments.iter().skip(1).map(PathBuf::from).collect();
    if !files.is_empty() {
        preparing(&files);
    }
    training(images);
}

/// Images a second, each alone, several at a time.
fn scoring(architecture: Architecture, workers: usize) {
    let cpu_device = device("cpu").expect("cpu");
    let network = Network::new(architecture, &initial_weights(architecture, 1), cpu_device).expect("builds");
    let inference = Inference::new(&network).expect("compiles");
    let each = 24;
    let started = Instant::now();
    let spent = cpu();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let inference = inference.clone();
            scope.spawn(move || {
                tch::set_num_threads(1);
                let image = Tensor::rand([1, 3, 224, 224], kind::FLOAT_CPU);
                tch::no_grad(|| {
                    for _ in 0..each {
                        drop(std::hint::black_box(inference.logits(&image).expect("runs")));
                    }
                });
            });
        }
    });
    let count = (each * workers) as f64;
    println!(
        "{{\"what\":\"scoring {architecture}\",\"threads\":{workers},\"images_a_second\":{:.3},\
         \"core_seconds\":{:.5}}}",
        count / started.elapsed().as_secs_f64(),
        (cpu() - spent) / count
    );
}

/// PNG to a plane of 224 x 224.
fn preparing(files: &[PathBuf]) {
    let preprocessing =
        Preprocessing { resolution: 224, filter: Filter::TriangleAntialiased, mean: [0.5; 3], std: [0.5; 3] };
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("reads")).collect();
    let spent = cpu();
    let mut count = 0.0;
    while cpu() - spent < 2.0 {
        for (file, bytes) in files.iter().zip(&bytes) {
            let radiograph = image::from_bytes(bytes, file).expect("decodes");
            std::hint::black_box(preprocessing.plane(&radiograph));
            count += 1.0;
        }
    }
    println!(
        r#"{{"what":"PNG to 224 x 224","threads":1,"images_a_second":{:.3},"core_seconds":{:.5}}}"#,
        count / (cpu() - spent),
        (cpu() - spent) / count
    );
}

/// All 32 epochs of experiment 2A from random weights: core-seconds an image.
fn training(count: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols/exp-2a.toml");
    let (experiment, experiment_sha256) = Experiment::read(&path).expect("reads");
    let folder = tempfile::tempdir().expect("folder");
    let tuning = 8;
    let sample = |i: usize| Sample {
        case_id: format!("C{i}"),
        patient_id: format!("P{i}"),
        label: i.is_multiple_of(2),
        site: None,
        image: PathBuf::from("none.png"),
    };
    let samples: Vec<Sample> = (0..count + tuning).map(sample).collect();
    let side =
        |samples: &[Sample]| manifest(samples, &vec![Digest::of(b"image"); samples.len()]).expect("writes").1;
    let initial = initial_weights(experiment.architecture, 1);
    let len = experiment.preprocessing.plane_len();
    let inputs = Inputs {
        experiment,
        experiment_sha256,
        initial_weights: InitialStatement::Random { seed: 1 },
        training: side(&samples[..count]),
        tuning: side(&samples[count..]),
        synthetic: true,
    };
    let never = AtomicBool::new(false);
    let input = TrainInput {
        run: folder.path(),
        state: RunState::new(inputs, "bench".to_owned()),
        initial,
        training: &samples[..count],
        tuning: &samples[count..],
        plane: &|index| Ok((0..len).map(|i| ((i * 7 + index * 13) % 251) as f32 / 250.0).collect()),
        workers: 2,
        store: Some(folder.path()),
        device: device("cpu").expect("cpu"),
        auc: &|_, _| Some(0.5),
        stop: &never,
        seconds: &|| 0.0,
    };
    let (started, spent) = (Instant::now(), cpu());
    train(input, &mut |_| {}).expect("trains");
    println!(
        "{{\"what\":\"32 epochs of experiment 2A\",\"threads\":2,\"images\":{count},\
         \"core_seconds\":{:.4},\"seconds\":{:.4}}}",
        (cpu() - spent) / count as f64,
        started.elapsed().as_secs_f64() / count as f64
    );
}
