//! An experiment: every choice of a training, declared in a TOML file before it starts.
//!
//! Nothing has a silent default: a key that is missing is an error, so the file says all there is to say. The
//! exceptions switch something on that is off without them: `schedule`, `early_stopping_patience`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::architecture::Architecture;
use super::augmentation::{Affine, Augmentation};
use super::layers::{ResolvedLayers, Trainable};
use super::loss::{ClassWeights, Loss};
use super::preprocessing::{Filter, Preprocessing};
use super::schedule::{NormStatistics, Schedule, Stage};
use crate::dataset::split::SplitRule;
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;

/// Version of the file. A reader refuses any other; the number rises when a key changes its meaning.
pub const FORMAT: &str = "sequester-experiment/1";

/// A valid experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Short name, such as `2A`.
    pub id: String,
    /// One line for documents.
    pub title: String,
    /// The network.
    pub architecture: Architecture,
    /// Where the base's weights come from.
    pub initial_weights: InitialWeights,
    /// Resolution, filter, mean and deviation.
    pub preprocessing: Preprocessing,
    /// Shares of the head's hidden values that are dropped while training: after the 1024 and after the 512.
    pub dropout: [f64; 2],
    /// How development cases are divided when no tuning table is given.
    pub split: SplitRule,
    /// Weights of the two classes in the loss.
    pub class_weights: ClassWeights,
    /// What the optimiser makes small.
    #[serde(default, skip_serializing_if = "Loss::is_cross_entropy")]
    pub loss: Loss,
    /// What is done to training images.
    pub augmentation: Augmentation,
    /// The optimiser and its constants.
    pub adam: Adam,
    /// Images whose gradient is computed at once; a batch is the sum of its shards. Normalisation with batch
    /// statistics sees one shard. Results depend on it, never on the number of workers.
    pub shard_size: usize,
    /// When memory runs out, shards are halved down to this; `None`: the training ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest_shard_size: Option<usize>,
    /// Seed of the order, the augmentation, the dropout and the head's initial weights.
    pub seed: u64,
    /// In order; each starts with the last weights of the one before.
    pub stages: Vec<Stage>,
}

/// Where the base's weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum InitialWeights {
    /// Drawn, with the experiment's seed.
    Random,
    /// A `.safetensors` file, relative to the experiment's own folder.
    File {
        /// As written in the experiment.
        path: PathBuf,
        /// The digest it must have, where declared.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha256: Option<Digest>,
    },
}

/// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Experiment {
    /// Reads a file. Gives the digest of its bytes as well.
    ///
    /// # Errors
    /// As [`Experiment::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<(Self, Digest)> {
        let bytes = crate::storage::read(path)?;
        let text = crate::diagnostic::utf8(path, &bytes, Code::NotUtf8)?;
        let experiment = Self::parse(path, text).map_err(Error::Input)?;
        Ok((experiment, Digest::of(&bytes)))
    }

    /// All epochs of all stages, where none stops early.
    pub fn epochs(&self) -> u32 {
        self.stages.iter().map(|stage| stage.epochs).sum()
    }

    /// Parses and checks; `path` is for messages.
    ///
    /// # Errors
    /// Everything that is wrong at once, each with line and column.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::new(path, text);
        let Some(table) = document.parse() else { return Err(document.into_problems()) };
        let experiment = read_experiment(Section::root(&document, &table));
        match (experiment, document.into_problems()) {
            (Some(experiment), problems) if problems.is_empty() => Ok(experiment),
            (_, problems) => Err(problems),
        }
    }
}

/// `None` only when something was reported.
fn read_experiment(root: Section<'_, '_>) -> Option<Experiment> {
    root.format(FORMAT);
    let id = root.required_string("id");
    let title = root.required_string("title");

    let network = root.required_section("network");
    let architecture = word(&network, "architecture", &Architecture::ALL.map(|one| (one.name(), one)));
    let initial_weights = read_initial_weights(&network);
    let resolution = whole_in(&network, "resolution", 32, 1024);
    let mean = numbers(&network, "mean", |_| true, "finite");
    let std = numbers(&network, "std", |v| v > 0.0, "above 0");
    let dropout = numbers(&network, "dropout", |v| (0.0..1.0).contains(&v), "from 0 to below 1");
    network.finish();

    let split = root.required_section("split");
    let within = |v: f64| v > 0.0 && v < 1.0;
    let tuning_fraction = number(&split, "tuning_fraction", "between 0 and 1", within);
    let split_seed = split.required_whole("seed");
    split.finish();

    let training = root.required_section("training");
    one_word(&training, "optimiser", "adam");
    let decay = |v: f64| (0.0..1.0).contains(&v);
    let beta1 = number(&training, "beta1", "from 0 to below 1", decay);
    let beta2 = number(&training, "beta2", "from 0 to below 1", decay);
    let epsilon = number(&training, "epsilon", "above 0", |v| v > 0.0);
    let loss = read_loss(&training);
    let class_weights = read_class_weights(&training);
    let augmentation = read_augmentation(&training);
    let shard_size = whole_in(&training, "shard_size", 1, 1024);
    let smallest = training.has("smallest_shard_size");
    let smallest =
        smallest.then(|| whole_in(&training, "smallest_shard_size", 1, shard_size.unwrap_or(1024)));
    let seed = training.required_whole("seed");
    training.finish();

    let sections = root.sections("stage");
    if sections.is_empty() && !root.faulty(&["stage"]) {
        root.report(
            Diagnostic::error(Code::KeyMissing, "there is no [[stage]]: nothing would be trained")
                .at(root.here())
                .hint(
                    "add a [[stage]] with name, epochs, learning_rate, batch_size, trainable, \
                    norm_statistics",
                ),
        );
    }
    let stages: Vec<Option<Stage>> =
        sections.into_iter().map(|section| read_stage(section, architecture)).collect();
    root.finish();
    Some(Experiment {
        id,
        title,
        architecture: architecture?,
        initial_weights: initial_weights?,
        preprocessing: Preprocessing {
            resolution: u32::try_from(resolution?).ok()?,
            filter: Filter::TriangleAntialiased,
            mean: mean?.map(|v| v as f32),
            std: std?.map(|v| v as f32),
        },
        dropout: dropout?,
        split: SplitRule { tuning_fraction: tuning_fraction?, seed: split_seed },
        class_weights: class_weights?,
        loss: loss?,
        augmentation: augmentation?,
        adam: Adam { beta1: beta1?, beta2: beta2?, epsilon: epsilon? },
        shard_size: usize::try_from(shard_size?).ok()?,
        smallest_shard_size: match smallest {
            None => None,
            Some(size) => Some(usize::try_from(size?).ok()?),
        },
        seed,
        stages: stages.into_iter().collect::<Option<_>>()?,
    })
}

fn read_initial_weights(network: &Section<'_, '_>) -> Option<InitialWeights> {
    let declared = network.required_string("initial_weights");
    let sha256 = network.string("initial_weights_sha256");
    if declared.is_empty() {
        return None;
    }
    if declared == "random" {
        if sha256.is_some() {
            let message = "`network.initial_weights_sha256` has no meaning with random initial weights";
            network.wrong("initial_weights_sha256", Code::ValueContradiction, message);
        }
        return Some(InitialWeights::Random);
    }
    if !declared.ends_with(".safetensors") {
        let message = format!(
            "`network.initial_weights` is \"{declared}\", must be \"random\" or a file that ends in \
             .safetensors"
        );
        network.wrong("initial_weights", Code::ValueUnknown, message);
    }
    let sha256 = match sha256.map(|text| text.parse::<Digest>()) {
        None => None,
        Some(Ok(digest)) => Some(digest),
        Some(Err(e)) => {
            network.wrong("initial_weights_sha256", Code::ValueUnreadable, e.to_string());
            None
        }
    };
    Some(InitialWeights::File { path: PathBuf::from(declared), sha256 })
}

/// `with` is required where the choice is `chosen`, and has no meaning otherwise; where nobody knows what is
/// chosen, neither.
fn companion(
    section: &Section<'_, '_>,
    with: &'static str,
    chosen: Option<bool>,
    choice: &str,
    range: &str,
    accept: fn(f64) -> bool,
) -> Option<f64> {
    if chosen? {
        return number(section, with, range, accept);
    }
    if section.has(with) {
        let _ = section.number(with);
        let message = format!("`{with}` has no meaning without {choice}");
        section.wrong(with, Code::ValueContradiction, message);
    }
    None
}

fn read_loss(training: &Section<'_, '_>) -> Option<Loss> {
    let focal = word(training, "loss", &[("weighted-binary-cross-entropy", false), ("focal", true)]);
    let (choice, range) = ("`loss = \"focal\"`", "from 0 to 10");
    let gamma = companion(training, "focal_gamma", focal, choice, range, |v| (0.0..=10.0).contains(&v));
    if focal? { gamma.map(|gamma| Loss::Focal { gamma }) } else { Some(Loss::WeightedBinaryCrossEntropy) }
}

fn read_class_weights(training: &Section<'_, '_>) -> Option<ClassWeights> {
    let choices = [
        ("none", ClassWeights::None),
        ("balanced", ClassWeights::Balanced),
        ("effective-number", ClassWeights::EffectiveNumber { beta: 0.0 }),
    ];
    let weights = word(training, "class_weights", &choices);
    let chosen = weights.map(|weights| matches!(weights, ClassWeights::EffectiveNumber { .. }));
    let (choice, range) = ("`class_weights = \"effective-number\"`", "from 0 to below 1");
    let beta =
        companion(training, "effective_number_beta", chosen, choice, range, |v| (0.0..1.0).contains(&v));
    if chosen? { beta.map(|beta| ClassWeights::EffectiveNumber { beta }) } else { weights }
}

fn read_augmentation(training: &Section<'_, '_>) -> Option<Augmentation> {
    let choices = [("none", 0), ("horizontal-flip", 1), ("affine", 2)];
    let choice = word(training, "augmentation", &choices)?;
    if choice != 2 {
        if training.has("affine") {
            let message = "`[training.affine]` has no meaning without `augmentation = \"affine\"`";
            training.wrong("affine", Code::ValueContradiction, message);
            // Its keys are read, so that only this is reported.
            let _ = read_affine(training.section("affine"));
        }
        return Some(if choice == 0 { Augmentation::None } else { Augmentation::HorizontalFlip });
    }
    read_affine(training.required_section("affine")).map(Augmentation::Affine)
}

fn read_affine(section: Section<'_, '_>) -> Option<Affine> {
    let share = |v: f64| (0.0..1.0).contains(&v);
    let rotation = number(&section, "rotation_degrees", "from 0 to 180", |v| (0.0..=180.0).contains(&v));
    let shift = number(&section, "shift", "from 0 to below 1", share);
    let zoom = number(&section, "zoom", "from 0 to below 1", share);
    let brightness = number(&section, "brightness", "from 0 to below 1", share);
    let flip = require(&section, "horizontal_flip", "true or false")
        .then(|| section.boolean("horizontal_flip"))
        .flatten();
    section.finish();
    Some(Affine {
        rotation_degrees: rotation?,
        shift: shift?,
        zoom: zoom?,
        brightness: brightness?,
        horizontal_flip: flip?,
    })
}

fn read_schedule(section: &Section<'_, '_>) -> Option<Schedule> {
    let choices = [("constant", 0), ("cosine", 1), ("plateau", 2)];
    let choice = section.choice("schedule", &choices, 0);
    let is = |one: i32| (!section.faulty(&["schedule"])).then_some(choice == one);
    let cosine = "`schedule = \"cosine\"`";
    let plateau = "`schedule = \"plateau\"`";
    let end =
        companion(section, "final_learning_rate", is(1), cosine, "from 0 to 1", |v| (0.0..=1.0).contains(&v));
    let factor =
        companion(section, "plateau_factor", is(2), plateau, "between 0 and 1", |v| v > 0.0 && v < 1.0);
    let whole = |v: f64| v.fract() == 0.0 && (1.0..=10_000.0).contains(&v);
    let range = "that is whole, from 1 to 10000";
    let patience = companion(section, "plateau_patience", is(2), plateau, range, whole);
    match choice {
        0 => Some(Schedule::Constant),
        1 => end.map(|final_learning_rate| Schedule::Cosine { final_learning_rate }),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, 1 to 10000")]
        _ => factor
            .zip(patience)
            .map(|(factor, patience)| Schedule::Plateau { factor, patience: patience as u32 }),
    }
}

fn read_stage(section: Section<'_, '_>, network: Option<Architecture>) -> Option<Stage> {
    let name = section.required_string("name");
    let epochs = whole_in(&section, "epochs", 1, 10_000);
    let learning_rate = number(&section, "learning_rate", "above 0 and at most 1", |v| v > 0.0 && v <= 1.0);
    let batch_size = whole_in(&section, "batch_size", 1, 65_536);
    let statistics = [("running", NormStatistics::Running), ("batch", NormStatistics::Batch)];
    let norm_statistics = word(&section, "norm_statistics", &statistics);
    let schedule = read_schedule(&section);
    let patience = section.has("early_stopping_patience");
    let patience = patience.then(|| whole_in(&section, "early_stopping_patience", 1, 10_000));
    let trainable = read_trainable(&section, network);
    section.finish();
    Some(Stage {
        name,
        epochs: u32::try_from(epochs?).ok()?,
        learning_rate: learning_rate?,
        schedule: schedule?,
        early_stopping_patience: match patience {
            None => None,
            Some(epochs) => Some(u32::try_from(epochs?).ok()?),
        },
        batch_size: usize::try_from(batch_size?).ok()?,
        trainable: trainable?,
        norm_statistics: norm_statistics?,
    })
}

/// Exactly one of `trainable = "head" | "all"`, `trainable_top_share = 0.20`,
/// `unfreeze_from = "denseblock4"`.
fn read_trainable(section: &Section<'_, '_>, network: Option<Architecture>) -> Option<ResolvedLayers> {
    let given: Vec<&'static str> = ["trainable", "trainable_top_share", "unfreeze_from"]
        .into_iter()
        .filter(|key| section.has(key))
        .collect();
    let [key] = given[..] else {
        let what = if given.is_empty() { "none is there".to_owned() } else { given.join(" and ") };
        section.report(
            Diagnostic::error(
                Code::StageTrainable,
                format!("a stage says what it trains in exactly one way, but {what}"),
            )
            .at(section.here())
            .hint(
                "`trainable = \"head\"` or \"all\", `trainable_top_share = 0.20`, or \
                 `unfreeze_from = \"denseblock4\"`",
            ),
        );
        return None;
    };
    let declared = match key {
        "trainable" => word(section, key, &[("head", false), ("all", true)])
            .map(|all| if all { Trainable::All } else { Trainable::Head }),
        "trainable_top_share" => section.number(key).map(Trainable::TopShare),
        _ => section.string(key).map(Trainable::From),
    };
    declared?.resolve(network?).map_err(|message| section.wrong(key, Code::ValueRange, message)).ok()
}

fn require(section: &Section<'_, '_>, key: &'static str, what: &str) -> bool {
    let there = section.has(key);
    if !there && section.is_present() {
        let problem = Diagnostic::error(Code::KeyMissing, format!("`{key}` is missing: {what}"));
        section.report(problem.at(section.here()));
    }
    there
}

fn number(section: &Section<'_, '_>, key: &'static str, range: &str, accept: fn(f64) -> bool) -> Option<f64> {
    require(section, key, &format!("a number {range}"))
        .then(|| section.number_in(key, range, accept))
        .flatten()
}

fn whole_in(section: &Section<'_, '_>, key: &'static str, min: u64, max: u64) -> Option<u64> {
    if !require(section, key, &format!("a whole number from {min} to {max}")) {
        return None;
    }
    let value = section.whole(key)?;
    if (min..=max).contains(&value) {
        return Some(value);
    }
    section.wrong(key, Code::ValueRange, format!("`{key}` is {value}, must be from {min} to {max}"));
    None
}

fn word<T: Copy>(section: &Section<'_, '_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
    let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    if !require(section, key, &format!("one of {}", names.join(", "))) {
        return None;
    }
    let chosen = choices.first().map(|first| section.choice(key, choices, first.1));
    chosen.filter(|_| !section.faulty(&[key]))
}

fn one_word(section: &Section<'_, '_>, key: &'static str, only: &str) {
    word(section, key, &[(only, ())]);
}

fn numbers<const N: usize>(
    section: &Section<'_, '_>,
    key: &'static str,
    accept: fn(f64) -> bool,
    range: &str,
) -> Option<[f64; N]> {
    if !require(section, key, &format!("a list of {N} numbers, each {range}")) {
        return None;
    }
    let list = section.numbers(key)?;
    let Ok(array) = <[f64; N]>::try_from(list) else {
        section.wrong(key, Code::ValueRange, format!("`{key}` must have {N} numbers"));
        return None;
    };
    if !array.iter().all(|v| accept(*v)) {
        section.wrong(key, Code::ValueRange, format!("every number of `{key}` must be {range}"));
        return None;
    }
    Some(array)
}

#[cfg(test)]
mod schema;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::replaced;

    const PROTOCOLS: [(&str, &str); 3] = [
        ("exp-2a.toml", include_str!("../../protocols/exp-2a.toml")),
        ("exp-demo.toml", include_str!("../../protocols/exp-demo.toml")),
        ("exp-random-smoke.toml", include_str!("../../protocols/exp-random-smoke.toml")),
    ];

    fn parse(text: &str) -> Result<Experiment, Vec<Diagnostic>> {
        Experiment::parse(Path::new("exp.toml"), text)
    }

    #[test]
    fn a_wrong_value_is_one_problem() {
        let problems = |text: &str| parse(text).err();
        let told = |(_, text)| [replaced::of_another_type(text, problems), replaced::words(text, problems)];
        for [mistyped, unknown] in PROTOCOLS.map(told) {
            assert!(mistyped > 50 && unknown > 3, "{mistyped} {unknown}");
        }
    }

    #[test]
    fn every_experiment_that_is_shipped_is_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).expect("lists") {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            if name.starts_with("exp-") && name.ends_with(".toml") {
                let problems = Experiment::read(&path).err().map(|e| e.to_string());
                assert_eq!(problems, None, "{name}");
                names.push(name);
            }
        }
        for id in ["1a", "1b", "2a", "2b"] {
            assert!(names.contains(&format!("exp-{id}.toml")), "{id} in {names:?}");
        }
    }

    #[test]
    fn experiment_2a_is_what_the_source_project_describes() {
        let experiment = parse(PROTOCOLS[0].1).expect("valid");
        assert_eq!(experiment.preprocessing.resolution, 224);
        assert_eq!(experiment.dropout, [0.5, 0.3]);
        assert_eq!(experiment.class_weights, ClassWeights::Balanced);
        assert_eq!(experiment.augmentation, Augmentation::HorizontalFlip);
        let [head, top] = &experiment.stages[..] else { panic!("two stages") };
        assert_eq!((head.epochs, head.batch_size, head.trainable.first_layer), (17, 64, 427));
        assert_eq!((top.epochs, top.batch_size, top.trainable.first_layer), (15, 32, 341));
        assert_eq!(top.learning_rate, 1e-5);
        assert_eq!(experiment.epochs(), 32);
    }

    #[test]
    fn everything_wrong_is_reported_at_once_with_its_line() {
        let text = PROTOCOLS[2]
            .1
            .replace("densenet121", "densenet169")
            .replace("beta1 = 0.9", "beta1 = 1.5")
            .replace("epsilon", "epsilom");
        let problems = parse(&text).expect_err("wrong");
        let codes: Vec<_> = problems.iter().map(|p| p.code.as_str()).collect();
        for code in ["value-unknown", "value-range", "unknown-key", "key-missing"] {
            assert!(codes.contains(&code), "{code} in {problems:#?}");
        }
        assert!(problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())));
        // Which blocks there are, the network says.
        let block = |text: &str| text.replace("trainable = \"all\"", "unfreeze_from = \"denseblock9\"");
        let problems = parse(&block(PROTOCOLS[2].1)).expect_err("wrong");
        assert!(problems.len() == 1 && problems[0].message.contains("denseblock9"), "{problems:#?}");
        assert_eq!(parse(&block(&text)).expect_err("wrong"), parse(&text).expect_err("wrong"));
    }

    #[test]
    fn a_stage_that_says_twice_what_it_trains_is_refused() {
        let text =
            PROTOCOLS[2].1.replace("trainable = \"all\"", "trainable = \"all\"\ntrainable_top_share = 0.2");
        assert_eq!(parse(&text).expect_err("wrong")[0].code.as_str(), "stage-trainable");
    }

    #[test]
    fn what_belongs_to_another_choice_is_refused_and_what_is_missing_is_named() {
        let smoke = PROTOCOLS[2].1;
        let codes = |from: &str, to: &str| -> Vec<&'static str> {
            assert!(smoke.contains(from), "{from}");
            parse(&smoke.replacen(from, to, 1))
                .err()
                .unwrap_or_default()
                .iter()
                .map(|p| p.code.as_str())
                .collect()
        };
        let loss = "loss = \"weighted-binary-cross-entropy\"";
        assert_eq!(codes(loss, "loss = \"focal\"\nfocal_gamma = 2.0"), [""; 0]);
        assert_eq!(codes(loss, "loss = \"focal\""), ["key-missing"]);
        assert_eq!(codes(loss, &format!("{loss}\nfocal_gamma = 2.0")), ["value-contradiction"]);
        assert_eq!(codes("epochs = 2", "epochs = 2\nschedule = \"cosine\""), ["key-missing"]);
        assert_eq!(codes("epochs = 2", "epochs = 2\nplateau_factor = 0.5"), ["value-contradiction"]);
        let plateau = "epochs = 2\nschedule = \"plateau\"\nplateau_factor = 0.5\nplateau_patience = 2.5";
        assert_eq!(codes("epochs = 2", plateau), ["value-range"]);
        assert_eq!(codes("epochs = 2", "epochs = 2\nearly_stopping_patience = 0"), ["value-range"]);
        let shard = "shard_size = 16";
        assert_eq!(codes(shard, "shard_size = 16\nsmallest_shard_size = 4"), [""; 0]);
        assert_eq!(codes(shard, "shard_size = 16\nsmallest_shard_size = 32"), ["value-range"]);
    }
}
