//! A locked model scores, and an auditor scores again, in any build: no libtorch.

use std::path::Path;
use std::sync::LazyLock;

use sequester::dataset::gate::Gate;
use sequester::digest::Digest;
use sequester::model::architecture::{Architecture, Role};
use sequester::model::curve::EpochRecord;
use sequester::model::experiment::Experiment;
use sequester::model::lock::Lock;
use sequester::model::operating_point::choose;
use sequester::model::random::{Purpose, initial_weights, stream, uniform};
use sequester::model::run::{
    Best, InitialStatement, Inputs, Recorded, RunState, SideSummary, TuningScore, tuning_scores_csv,
};
use sequester::model::weights;
use sequester::statistics::operating_point::OperatingPointRule;
use sequester::storage;

use crate::support::{Ran, Study, files, sequester};

const EXPERIMENT: &str = r#"format = "sequester-experiment/1"
id = "tiny"
title = "random weights"

[network]
architecture = "efficientnet-lite0"
initial_weights = "random"
resolution = 32
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
dropout = [0.5, 0.3]

[split]
tuning_fraction = 0.2
seed = 3

[training]
optimiser = "adam"
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-7
loss = "weighted-binary-cross-entropy"
class_weights = "balanced"
augmentation = "horizontal-flip"
shard_size = 4
seed = 3

[[stage]]
name = "all"
epochs = 1
learning_rate = 1e-3
batch_size = 4
trainable = "all"
norm_statistics = "running"
"#;

/// A small EfficientNet-lite0, locked.
fn lock_model(folder: &Path, gate: Gate) -> Lock {
    lock_random(folder, Architecture::EfficientnetLite0, gate)
}

/// A model with random weights and statistics, locked as a training of one epoch would have been.
pub fn lock_random(folder: &Path, architecture: Architecture, gate: Gate) -> Lock {
    let run = folder.join("run");
    let text = EXPERIMENT.replace("efficientnet-lite0", architecture.name());
    let experiment = Experiment::parse(Path::new("experiment.toml"), &text).expect("valid");
    let mut weights = initial_weights(architecture, 3);
    let mut numbers = stream(3, Purpose::Order, 0);
    for spec in architecture.tensors() {
        for value in &mut weights.get_mut(&spec.name).expect("there").values {
            let u = (2.0 * uniform(&mut numbers) - 1.0) as f32;
            match spec.role {
                Role::Scale | Role::RunningVariance => *value = 1.0 + 0.3 * u,
                Role::Shift | Role::RunningMean => *value = 0.1 * u,
                Role::Weight { .. } | Role::Output { .. } => {}
            }
        }
    }
    let bytes = weights::to_bytes(&weights).expect("writes");
    storage::write_atomic(&run.join("best-1.safetensors"), &bytes).expect("writes");
    storage::write_atomic(&run.join("experiment.toml"), text.as_bytes()).expect("writes");
    let row = |case: &str, label, score| TuningScore {
        case_id: case.into(),
        patient_id: case.into(),
        label,
        score,
    };
    let tuning = [row("t1", true, 0.52), row("t2", false, 0.48)];
    let table = tuning_scores_csv(&tuning).expect("writes");
    storage::write_atomic(&run.join("tuning-scores.csv"), &table).expect("writes");
    let side = |manifest: &[u8]| SideSummary {
        cases: 2,
        positives: 1,
        patients: 2,
        manifest_sha256: Digest::of(manifest),
        patients_sha256: Digest::of(b"p"),
    };
    let inputs = Inputs {
        experiment,
        experiment_sha256: Digest::of(text.as_bytes()),
        initial_weights: InitialStatement::Random { seed: 3 },
        training: side(b"training"),
        tuning: side(b"tuning"),
        synthetic: true,
    };
    let mut state = RunState::new(inputs, "none".to_owned());
    state.epochs_done = 1;
    state.history.push(EpochRecord {
        epoch: 1,
        stage: "all".to_owned(),
        learning_rate: 1e-3,
        training_loss: 0.7,
        tuning_loss: 0.7,
        tuning_auc: 1.0,
        shard_size: None,
        seconds: None,
    });
    let weights = Recorded { file: "best-1.safetensors".to_owned(), sha256: Digest::of(&bytes) };
    state.best = Some(Best { epoch: 1, tuning_auc: 1.0, weights });
    state.tuning_scores_sha256 = Some(Digest::of(&table));
    state.write(&run).expect("writes");
    let point = choose(OperatingPointRule::Youden, &tuning, Digest::of(&table)).expect("chooses");
    Lock::create(folder, &run, &state, gate, point).expect("locks")
}

/// The small study with images, and a model that was locked before it.
pub fn study() -> Study {
    let study = Study::small();
    study.replace("protocol.toml", "[scores]\nfile = \"scores.csv\"\n\n", "");
    study.replace("protocol.toml", "cases = \"cases.csv\"\n", "cases = \"cases.csv\"\nimages = \"images\"\n");
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    std::fs::create_dir(study.file("images")).expect("creates");
    let table = study.read("cases.csv");
    let mut lines = table.lines();
    let mut with_images = format!("{},image\n", lines.next().expect("a header"));
    for (i, line) in lines.enumerate() {
        let grey = |x: u32, y: u32| ::image::Luma([((x * 7 + y * (i as u32 + 3)) * 5 % 251) as u8]);
        // The lock's gate asks for a size, so that refusals are recorded as well.
        let image = ::image::GrayImage::from_fn(20, if i % 10 == 9 { 12 } else { 24 }, grey);
        image.save(study.file(&format!("images/{i}.png"))).expect("saves");
        with_images.push_str(&format!("{line},{i}.png\n"));
    }
    study.write("cases.csv", &with_images);
    lock_model(&study.file("model"), Gate { minimum_dimension: Some(20), ..Gate::default() });
    study
}

/// The small study with a model that was trained and is not locked.
pub fn trained() -> Study {
    static RUN: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        lock_random(folder.path(), Architecture::EfficientnetLite0, Gate::default());
        folder
    });
    let study = Study::small();
    let declared = "source = \"declared\"\nthreshold = 0.5\nrationale = \"declared before the study\"\n";
    study.replace("protocol.toml", declared, "source = \"lock\"\n");
    study.replace(
        "protocol.toml",
        "[scores]\nfile = \"scores.csv\"\n",
        "[model]\nexperiment = \"experiment.toml\"\n",
    );
    let cases = "cases = \"cases.csv\"\n";
    study.replace("protocol.toml", cases, &format!("{cases}development = \"development.csv\"\n"));
    study.write("experiment.toml", EXPERIMENT);
    study.write(
        "development.csv",
        "case_id,patient_id,sex,age_years,view,label\nt1,t1,F,40,PA,1\nt2,t2,M,50,PA,0\n",
    );
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    for (path, bytes) in files(&RUN.path().join("run")) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let to = study.file("model/run").join(name);
        std::fs::create_dir_all(study.file("model/run")).expect("makes");
        std::fs::write(to, bytes).expect("writes");
    }
    study
}

/// A kill between the lock and its line in the ledger: the same command ends with the same bytes. Any other
/// lock is still never replaced.
#[test]
fn a_lock_that_no_event_names_is_recorded_where_it_is_the_run_s_own() {
    let study = trained();
    let locked = study.run("lock", &[]);
    assert_eq!(locked.code, 0, "{}", locked.stderr);
    let whole = study.snapshot();
    let ledger = study.read("ledger.jsonl");
    let without = |event: &str| -> String {
        let kept = ledger.lines().filter(|line| !line.contains(event));
        kept.map(|line| format!("{line}\n")).collect()
    };
    study.write("ledger.jsonl", &without("model-locked"));
    let again = study.run("lock", &[]);
    assert_eq!((again.code, again.stdout), (0, locked.stdout), "{}", again.stderr);
    assert!(study.snapshot() == whole, "the same bytes as without the interruption");
    let refused = |study: &Study| {
        let before = study.read("ledger.jsonl");
        let ran = study.run("lock", &[]);
        assert!(ran.code == 30 && ran.stderr.contains("already-locked"), "{} {}", ran.code, ran.stderr);
        assert_eq!(study.read("ledger.jsonl"), before);
    };
    refused(&study);
    study.write("ledger.jsonl", &without("model-locked"));
    study.replace("model/lock.json", "\"threshold\": 0.5", "\"threshold\": 0.4");
    refused(&study);
}

fn verify(study: &Study, more: &[&str]) -> Ran {
    let mut arguments = vec!["--rescore"];
    arguments.extend(more);
    study.run("verify", &arguments)
}

#[test]
fn a_locked_model_scores_a_cohort_and_an_auditor_gets_the_very_scores_again() {
    let study = study();
    let scored = study.run("score", &["--workers", "2"]);
    assert_eq!(scored.code, 0, "{}", scored.stderr);
    let table = study.read("scores.csv");
    assert_eq!(table.lines().count(), 81);
    let refused = table.lines().filter(|line| line.contains("is smaller than 20")).count();
    assert!((1..20).contains(&refused), "{table}");
    assert!(
        scored.stdout.contains(&format!("{} scored, {refused} refused", 80 - refused)),
        "{}",
        scored.stdout
    );
    // Whatever the number of workers, and whoever was scored already.
    let again = study.run("score", &[]);
    assert_eq!((again.code, study.read("scores.csv")), (0, table.clone()), "{}", again.stderr);
    std::fs::remove_dir_all(study.file("work")).expect("removes");
    assert_eq!(study.run("score", &["--workers", "1"]).code, 0);
    assert_eq!(study.read("scores.csv"), table);

    let validated = study.run("validate", &[]);
    assert!([0, 10].contains(&validated.code), "{}", validated.stderr);
    let plain = study.run("verify", &[]);
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(!plain.stdout.contains("scored again"));
    let verified = verify(&study, &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let known = Path::new("/proc/cpuinfo").is_file();
    let asked = if known { "equal to the last bit is asked" } else { "at most 1e-5 is asked" };
    for part in [
        "yes             Does the locked model give",
        "80 images scored again, largest difference 0.0e0",
        asked,
    ] {
        assert!(verified.stdout.contains(part), "{part}: {}", verified.stdout);
    }
    // Somebody else has the bundle alone, and names weights and images.
    let bundle = study.file("evidence/run-1");
    let folder = study.path().to_str().expect("UTF-8");
    let model = format!("{folder}/model");
    let arguments = [
        "--json",
        "verify",
        bundle.to_str().expect("UTF-8"),
        "--rescore",
        "--model",
        &model,
        "--data",
        folder,
    ];
    let json = sequester(&arguments);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    let last = json["answers"].as_array().and_then(|answers| answers.last()).expect("answers");
    assert_eq!((&last["question"], &last["answer"]), (&"scores".into(), &"yes".into()));
}

#[test]
fn changed_scores_are_found_even_where_the_bundle_agrees_with_itself() {
    let study = study();
    assert_eq!(study.run("score", &[]).code, 0);
    let table = study.read("scores.csv");
    let victim =
        table.lines().find(|line| line.split(',').nth(1).is_some_and(|s| !s.is_empty() && s != "score"));
    let victim = victim.expect("a scored case");
    let cells: Vec<&str> = victim.split(',').collect();
    let forged = format!("{},0.987,{},{}", cells[0], cells[2], cells[3]);
    study.replace("scores.csv", victim, &forged);
    // Everything is made from the forged table, so bytes, ledger, results and report all hold.
    assert!([0, 10].contains(&study.run("validate", &[]).code));
    assert_eq!(study.run("verify", &[]).code, 0);
    let verified = verify(&study, &[]);
    assert_eq!(verified.code, 20, "{}", verified.stdout);
    assert!(verified.stdout.contains("NO              Does the locked model give"), "{}", verified.stdout);
    // The forged table is not the one that the record names, so no machine is known for it.
    assert!(verified.stdout.contains("on a machine that is not recorded: at most 1e-5"));
    let told = format!("case {}: recorded 0.987, scored again {}", cells[0], cells[1]);
    assert!(verified.stderr.contains("error[score-differs]") && verified.stderr.contains(&told));
    assert_eq!(verified.stderr.matches("error[").count(), 1, "{}", verified.stderr);
}

#[test]
fn a_changed_image_is_named_and_missing_images_or_weights_cannot_answer() {
    let study = study();
    assert_eq!(study.run("score", &[]).code, 0);
    assert!([0, 10].contains(&study.run("validate", &[]).code));
    let table = study.read("scores.csv");
    let first: usize = table.lines().nth(1).and_then(|l| l[1..4].parse().ok()).expect("a case");
    let image = study.file(&format!("images/{first}.png"));
    ::image::GrayImage::from_pixel(20, 24, ::image::Luma([7])).save(&image).expect("saves");
    let verified = verify(&study, &[]);
    assert_eq!(verified.code, 20);
    assert!(
        verified.stderr.contains("error[image-differs]") && verified.stderr.contains(&format!("C{first:03}"))
    );
    std::fs::remove_file(&image).expect("removes");
    let verified = verify(&study, &[]);
    assert_eq!((verified.code, verified.stderr.matches("error[file-missing]").count()), (20, 1));

    let elsewhere = tempfile::tempdir().expect("folder");
    let none = elsewhere.path().to_str().expect("UTF-8");
    let without = verify(&study, &["--data", none]);
    assert_eq!(without.code, 1);
    assert!(without.stderr.contains("error[rescore-without-images]") && without.stderr.contains("--data"));
    let without = verify(&study, &["--model", &format!("{none}/nowhere")]);
    assert_eq!(without.code, 1);
    assert!(without.stderr.contains("error[rescore-without-model]") && without.stderr.contains("--model"));
    assert_eq!(verify(&study, &["--tolerance", "-1"]).code, 2);
}

#[test]
fn one_changed_byte_of_the_weights_is_refused_by_score_and_named_by_verify() {
    let study = study();
    assert_eq!(study.run("score", &[]).code, 0);
    assert!([0, 10].contains(&study.run("validate", &[]).code));
    let path = study.file("model/weights.safetensors");
    let mut bytes = std::fs::read(&path).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).expect("writes");
    std::fs::remove_file(study.file("scores.csv")).expect("removes");
    let scored = study.run("score", &[]);
    assert_eq!(scored.code, 30);
    assert!(scored.stderr.contains("error[weights-differ]"), "{}", scored.stderr);
    assert!(!study.file("scores.csv").exists());
    let verified = verify(&study, &[]);
    assert_eq!(verified.code, 20);
    assert!(verified.stderr.contains("error[weights-differ]"), "{}", verified.stderr);
    assert!(verified.stdout.contains("not scored again: the weights are not the locked ones"));
}

#[test]
fn a_device_elsewhere_leaves_nothing_to_score_again() {
    let study = Study::small();
    assert!([0, 10].contains(&study.run("run", &[]).code));
    let verified = verify(&study, &[]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert_eq!(verified.stdout.matches("the device lives elsewhere: no lock in the bundle").count(), 3);
}

#[cfg(not(feature = "torch"))]
#[test]
fn other_devices_than_the_processor_need_libtorch_and_the_message_says_so() {
    let study = study();
    let scored = study.run("score", &["--device", "cuda"]);
    assert_eq!(scored.code, 1);
    assert!(scored.stderr.contains("error[torch-missing]: `score --device cuda` needs libtorch"));
}

#[test]
fn single_files_are_scored_by_a_model_alone() {
    let folder = tempfile::tempdir().expect("folder");
    lock_model(&folder.path().join("model"), Gate::default());
    let png = folder.path().join("a.png");
    ::image::GrayImage::from_pixel(30, 30, ::image::Luma([90])).save(&png).expect("saves");
    let model = folder.path().join("model");
    let (model, png) = (model.to_str().expect("UTF-8"), png.to_str().expect("UTF-8"));
    // A PNG says nothing about patient and projection: only a study can vouch for it.
    let scored = sequester(&["score", "--model", model, png]);
    assert_eq!(scored.code, 1);
    assert!(scored.stderr.contains("error[image-without-header]"), "{}", scored.stderr);
}
