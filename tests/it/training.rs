//! `sequester train` with input that is not as it must be: the message, the exit code, and what is kept.

use std::path::{Path, PathBuf};
use std::process::Command;

use sequester::model::architecture::Architecture;
use sequester::model::random::initial_weights;
use sequester::model::weights::{self, Weights};
use sequester::storage;

use crate::support::{Ran, sequester};

const EXPERIMENT: &str = r#"format = "sequester-experiment/1"
id = "small"
title = "two stages on small images"

[network]
architecture = "efficientnet-lite0"
initial_weights = "initial.safetensors"
resolution = 32
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
dropout = [0.5, 0.3]

[split]
tuning_fraction = 0.25
seed = 3

[training]
optimiser = "adam"
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-7
loss = "weighted-binary-cross-entropy"
class_weights = "balanced"
augmentation = "none"
shard_size = 8
seed = 3

[[stage]]
name = "head"
epochs = 2
learning_rate = 1e-3
batch_size = 8
trainable = "head"
norm_statistics = "running"

[[stage]]
name = "last blocks"
epochs = 1
learning_rate = 1e-4
batch_size = 8
unfreeze_from = "blocks.14"
norm_statistics = "running"
"#;

/// Twenty-four images of as many patients, an experiment, and its initial weights.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("folder") };
        std::fs::create_dir(bench.path("images")).expect("creates");
        let mut table = String::from("case_id,patient_id,image,label\n");
        for i in 0..24_u32 {
            let grey = |x: u32, y: u32| {
                let bright = if i % 2 == 1 && x > 8 { 90 } else { 0 };
                ::image::Luma([((x * 31 + y * (17 + i)) % 120) as u8 + bright])
            };
            ::image::GrayImage::from_fn(20, 20, grey)
                .save(bench.path(&format!("images/{i}.png")))
                .expect("saves");
            table.push_str(&format!("c{i},p{i},{i}.png,{}\n", i % 2));
        }
        std::fs::write(bench.path("dev.csv"), table).expect("writes");
        std::fs::write(bench.path("experiment.toml"), EXPERIMENT).expect("writes");
        bench.initial("initial.safetensors", &base(Architecture::EfficientnetLite0));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn initial(&self, name: &str, weights: &Weights) {
        storage::write_atomic(&self.path(name), &weights::to_bytes(weights).expect("writes"))
            .expect("writes");
    }

    /// What trains into a folder.
    pub(crate) fn arguments(&self, out: &str) -> Vec<String> {
        let [experiment, cases, images, out] =
            ["experiment.toml", "dev.csv", "images", out].map(|name| self.text(name));
        ["train", "--experiment", &experiment, "--case-table", &cases, "--images", &images]
            .into_iter()
            .chain(["--workers", "1", "--out", &out])
            .map(str::to_owned)
            .collect()
    }

    fn train(&self, out: &str, more: &[&str]) -> Ran {
        let all = self.arguments(out);
        sequester(&all.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// Random weights of a base, without a head.
fn base(architecture: Architecture) -> Weights {
    initial_weights(architecture, 3).into_iter().filter(|(name, _)| !name.starts_with("head.")).collect()
}

/// The weights that a complete run kept.
fn best(run: &Path) -> Vec<u8> {
    let best = std::fs::read_dir(run.join("run")).expect("lists").flatten().map(|entry| entry.path());
    let mut best =
        best.filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("best-")));
    std::fs::read(best.next().expect("the best weights")).expect("reads")
}

fn refused(ran: &Ran, code: &str, words: &str) {
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{code}]")) && ran.stderr.contains(words), "{}", ran.stderr);
}

#[test]
fn a_program_with_libtorch_that_is_not_there_is_named_with_the_way_out() {
    let bench = Bench::new();
    let output = Command::new(env!("CARGO_BIN_EXE_sequester"))
        .args([
            "train",
            "--experiment",
            "experiment.toml",
            "--case-table",
            "dev.csv",
            "--images",
            "images",
            "--out",
            "m",
        ])
        .current_dir(bench.folder.path())
        .env("SEQUESTER_TORCH", "elsewhere/sequester-torch")
        .output()
        .expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error[torch-missing]: `train` needs libtorch"), "{said}");
    assert!(said.contains("elsewhere/sequester-torch") && said.contains("--features torch"), "{said}");
}

/// Found before the training, and where the study's tables are not there yet nothing stands in its way.
#[test]
fn a_training_on_a_patient_or_a_case_of_the_study_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().expect("folder");
    let study = folder.path().join("study");
    let made = study.to_str().expect("UTF-8");
    let size = ["--cases", "20", "--development", "40", "--size", "64", "--only-cohort"];
    assert_eq!(sequester(&[&["demo", made][..], &size].concat()).code, 0);
    let read = |name: &str| std::fs::read_to_string(study.join(name)).expect("reads");
    let (cases, development) = (read("cases.csv"), read("development.csv"));
    let columns: Vec<&str> = cases.lines().next().expect("a header").split(',').collect();
    let at = |name: &str| columns.iter().position(|column| *column == name).expect("a column");
    let own: Vec<&str> = cases.lines().nth(1).expect("a case").split(',').collect();
    // A development that trains nothing stops everything behind the look at patients.
    std::fs::remove_dir_all(study.join("images")).expect("removes");
    let (patient, case) = ("patient-on-both-sides", "case-on-both-sides");
    for (column, code) in [("patient_id", patient), ("case_id", case)] {
        let place = at(column);
        let mut lines: Vec<String> = development.lines().map(str::to_owned).collect();
        let mut fields: Vec<&str> = lines[3].split(',').collect();
        assert_eq!(development.lines().next(), cases.lines().next(), "the same columns");
        fields[place] = own[place];
        lines[3] = fields.join(",");
        std::fs::write(study.join("development.csv"), lines.join("\n")).expect("writes");
        let ran = sequester(&["train", made]);
        refused(&ran, code, own[place]);
        assert!(ran.stderr.contains("development.csv:4"), "{}", ran.stderr);
        assert!(!study.join("model").exists());
        std::fs::rename(study.join("cases.csv"), study.join("later.csv")).expect("renames");
        let ran = sequester(&["train", made]);
        assert!(ran.code == 1 && !ran.stderr.contains("on-both-sides"), "{}", ran.stderr);
        std::fs::rename(study.join("later.csv"), study.join("cases.csv")).expect("renames");
    }
}

#[test]
fn weights_of_another_network_and_weights_that_are_no_numbers_are_refused_before_anything_is_written() {
    let bench = Bench::new();
    bench.initial("dense.safetensors", &base(Architecture::Densenet121));
    let ran = bench.train("a", &["--initial-weights", &bench.text("dense.safetensors")]);
    refused(&ran, "weights-of-another", "weights of densenet121, and the network is efficientnet-lite0");
    let mut damaged = base(Architecture::EfficientnetLite0);
    damaged.get_mut("_conv_head.weight").expect("there").values[0] = f32::NAN;
    bench.initial("damaged.safetensors", &damaged);
    let ran = bench.train("a", &["--initial-weights", &bench.text("damaged.safetensors")]);
    refused(&ran, "weights-not-finite", "_conv_head.weight");
    assert!(!bench.path("a").exists());
}

#[test]
fn a_cache_of_other_weights_is_not_used() {
    let bench = Bench::new();
    let cache = bench.text("cache");
    assert_eq!(bench.train("first", &["--cache", &cache]).code, 0);
    let mut other = base(Architecture::EfficientnetLite0);
    other.get_mut("_blocks.3._project_conv.weight").expect("there").values[0] += 1.0;
    bench.initial("other.safetensors", &other);
    let other = bench.text("other.safetensors");
    let with = bench.train("with", &["--cache", &cache, "--initial-weights", &other]);
    assert!(with.stderr.contains("will be stored"), "{}", with.stderr);
    assert_eq!(bench.train("without", &["--no-store", "--initial-weights", &other]).code, 0);
    assert_eq!(best(&bench.path("with")), best(&bench.path("without")));
    assert_ne!(best(&bench.path("with")), best(&bench.path("first")));
    // The cache of the same weights is.
    let again = bench.train("again", &["--cache", &cache]);
    assert!(again.stderr.contains("is stored already"), "{}", again.stderr);
    assert_eq!(best(&bench.path("again")), best(&bench.path("first")));
}

#[test]
fn a_loss_that_is_not_finite_ends_with_its_place_and_keeps_the_run() {
    let bench = Bench::new();
    let text = EXPERIMENT.replace("efficientnet-lite0", "densenet121").replace("blocks.14", "denseblock4");
    std::fs::write(bench.path("experiment.toml"), text).expect("writes");
    // Finite, and too large for the sums that follow.
    let mut large = base(Architecture::Densenet121);
    large.get_mut("features.norm5.weight").expect("there").values.fill(3e38);
    bench.initial("initial.safetensors", &large);
    for _ in 0..2 {
        refused(&bench.train("a", &[]), "loss-not-finite", "in stage \"head\", epoch 1, in batch 1 (cases c");
        let state = std::fs::read_to_string(bench.path("a/run/state.json")).expect("reads");
        assert!(state.contains("\"epochs_done\": 0"), "{state}");
    }
}

/// A vanished image and a full disk stop a training; when both are mended it goes on to the very weights of a
/// training that nothing disturbed.
#[test]
fn a_full_disk_and_a_vanished_image_stop_a_training_that_then_goes_on() {
    let bench = Bench::new();
    assert_eq!(bench.train("plain", &[]).code, 0);
    let image = bench.path("images/5.png");
    let bytes = std::fs::read(&image).expect("reads");
    std::fs::remove_file(&image).expect("removes");
    let ran = bench.train("gone", &[]);
    refused(&ran, "file-missing", "case c5: ");
    assert!(!bench.path("gone/run/state.json").exists());
    std::fs::write(&image, &bytes).expect("writes");

    let small = bench.path("small");
    std::fs::create_dir(&small).expect("creates");
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&small);
        command.output().is_ok_and(|o| o.status.success())
    };
    // Room for the checkpoint of one epoch beside its best weights, not for the next.
    if !mount("size=60m") {
        eprintln!(
            "SKIPPED the full disk of a_full_disk_and_a_vanished_image_stop_a_training: mounting needs root"
        );
        return;
    }
    let full = bench.train("small/m", &[]);
    let state = std::fs::read_to_string(small.join("m/run/state.json")).unwrap_or_default();
    std::fs::remove_file(&image).expect("removes");
    let vanished = bench.train("small/m", &[]);
    let kept = std::fs::read_to_string(small.join("m/run/state.json")).unwrap_or_default();
    std::fs::write(&image, &bytes).expect("writes");
    let wider = mount("remount,size=400m");
    let done = bench.train("small/m", &[]);
    let weights = wider.then(|| best(&small.join("m")));
    let unmounted = Command::new("umount").arg(&small).status().is_ok_and(|s| s.success());
    assert!(wider && unmounted);
    refused(&full, "disk-full", "checkpoint-");
    assert!(state.contains("\"epochs_done\": 1"), "{state}");
    refused(&vanished, "file-missing", "case c5: ");
    assert_eq!(kept, state);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("continues after 1 epochs"), "{}", done.stderr);
    assert_eq!(weights, Some(best(&bench.path("plain"))));
}
