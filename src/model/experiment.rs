//! An experiment: every choice of a training, declared in a TOML file before it starts.
//!
//! Nothing has a silent default: a key that is missing is an error, so the file says all there is to say.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layers::{ResolvedLayers, Trainable};
use super::preprocessing::{Filter, Preprocessing};
use crate::dataset::split::SplitRule;
use crate::declared::{Document, Section};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::digest::Digest;

/// Version of the file. A reader refuses any other; the number rises when a key changes its meaning.
pub const FORMAT: &str = "sequester-experiment/1";

/// A valid experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Short name, such as `2A`.
    pub id: String,
    /// One line for documents.
    pub title: String,
    /// Always `densenet121` so far.
    pub architecture: String,
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
    /// What is done to training images.
    pub augmentation: Augmentation,
    /// The optimiser and its constants.
    pub adam: Adam,
    /// Images whose gradient is computed at once; a batch is the sum of its shards. Normalisation with batch
    /// statistics sees one shard. Results depend on it, never on the number of workers.
    pub shard_size: usize,
    /// Seed of the order, the flips, the dropout and the head's initial weights.
    pub seed: u64,
    /// In order; each starts with the last weights of the one before.
    pub stages: Vec<Stage>,
}

/// Where the base's weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Weights of the two classes in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// All cases weigh 1.
    None,
    /// `cases / (2 * cases of the class)`, counted on the training cases.
    Balanced,
}

impl ClassWeights {
    /// Weight of a negative and of a positive case. Both counts are positive.
    pub fn weights(self, negatives: usize, positives: usize) -> [f64; 2] {
        let share = |class: usize| (negatives + positives) as f64 / (2.0 * class as f64);
        match self {
            Self::None => [1.0, 1.0],
            Self::Balanced => [share(negatives), share(positives)],
        }
    }
}

/// What is done to training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Nothing.
    None,
    /// Mirrored left to right with probability one half.
    HorizontalFlip,
}

/// Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

/// Statistics that the trained normalisations use; frozen ones always use their stored statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormStatistics {
    /// The stored running statistics, which stay as they are.
    Running,
    /// The shard's own; the running statistics follow with momentum 0.1.
    Batch,
}

/// One stage of the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Name for the training curve.
    pub name: String,
    /// Passes over the training cases.
    pub epochs: u32,
    /// Constant within the stage.
    pub learning_rate: f64,
    /// Cases a step.
    pub batch_size: usize,
    /// What is trained.
    pub trainable: ResolvedLayers,
    /// Statistics of the trained normalisations.
    pub norm_statistics: NormStatistics,
}

impl Experiment {
    /// Reads a file. Gives the digest of its bytes as well.
    ///
    /// # Errors
    /// As [`Experiment::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<(Self, Digest)> {
        let bytes = crate::storage::read(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            Diagnostic::error("not-utf8", format!("the experiment is not UTF-8 text: {e}"))
                .at(crate::diagnostic::Location::file(path))
        })?;
        let experiment = Self::parse(path, text).map_err(Error::Input)?;
        Ok((experiment, Digest::of(&bytes)))
    }

    /// All epochs of all stages.
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
    let format = root.required_string("format");
    if root.has("format") && format != FORMAT {
        let message = format!("`format` is \"{format}\", this program reads \"{FORMAT}\"");
        root.wrong("format", "format-unknown", message);
    }
    let id = root.required_string("id");
    let title = root.required_string("title");

    let network = root.required_section("network");
    let architecture = network.required_string("architecture");
    if network.has("architecture") && architecture != "densenet121" {
        network.wrong(
            "architecture",
            "value-unknown",
            format!("`network.architecture` is \"{architecture}\", must be \"densenet121\""),
        );
    }
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
    one_word(&training, "loss", "weighted-binary-cross-entropy");
    let decay = |v: f64| (0.0..1.0).contains(&v);
    let beta1 = number(&training, "beta1", "from 0 to below 1", decay);
    let beta2 = number(&training, "beta2", "from 0 to below 1", decay);
    let epsilon = number(&training, "epsilon", "above 0", |v| v > 0.0);
    let class_weights = word(
        &training,
        "class_weights",
        &[("none", ClassWeights::None), ("balanced", ClassWeights::Balanced)],
    );
    let augmentation = word(
        &training,
        "augmentation",
        &[("none", Augmentation::None), ("horizontal-flip", Augmentation::HorizontalFlip)],
    );
    let shard_size = whole_in(&training, "shard_size", 1, 1024);
    let seed = training.required_whole("seed");
    training.finish();

    let sections = root.sections("stage");
    if sections.is_empty() {
        root.report(
            Diagnostic::error("key-missing", "there is no [[stage]]: nothing would be trained")
                .at(root.here())
                .hint("add a [[stage]] with name, epochs, learning_rate, batch_size, trainable, norm_statistics"),
        );
    }
    let stages: Vec<Option<Stage>> = sections.into_iter().map(read_stage).collect();
    root.finish();
    Some(Experiment {
        id,
        title,
        architecture,
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
        augmentation: augmentation?,
        adam: Adam { beta1: beta1?, beta2: beta2?, epsilon: epsilon? },
        shard_size: usize::try_from(shard_size?).ok()?,
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
            network.wrong("initial_weights_sha256", "value-contradiction", message);
        }
        return Some(InitialWeights::Random);
    }
    if !declared.ends_with(".safetensors") {
        let message = format!(
            "`network.initial_weights` is \"{declared}\", must be \"random\" or a file that ends in .safetensors"
        );
        network.wrong("initial_weights", "value-unknown", message);
    }
    let sha256 = match sha256.map(|text| text.parse::<Digest>()) {
        None => None,
        Some(Ok(digest)) => Some(digest),
        Some(Err(e)) => {
            network.wrong("initial_weights_sha256", "value-unreadable", e.to_string());
            None
        }
    };
    Some(InitialWeights::File { path: PathBuf::from(declared), sha256 })
}

fn read_stage(section: Section<'_, '_>) -> Option<Stage> {
    let name = section.required_string("name");
    let epochs = whole_in(&section, "epochs", 1, 10_000);
    let learning_rate = number(&section, "learning_rate", "above 0 and at most 1", |v| v > 0.0 && v <= 1.0);
    let batch_size = whole_in(&section, "batch_size", 1, 65_536);
    let statistics = [("running", NormStatistics::Running), ("batch", NormStatistics::Batch)];
    let norm_statistics = word(&section, "norm_statistics", &statistics);
    let trainable = read_trainable(&section);
    section.finish();
    Some(Stage {
        name,
        epochs: u32::try_from(epochs?).ok()?,
        learning_rate: learning_rate?,
        batch_size: usize::try_from(batch_size?).ok()?,
        trainable: trainable?,
        norm_statistics: norm_statistics?,
    })
}

/// Exactly one of `trainable = "head" | "all"`, `trainable_top_share = 0.20`, `unfreeze_from = "denseblock4"`.
fn read_trainable(section: &Section<'_, '_>) -> Option<ResolvedLayers> {
    let given: Vec<&'static str> = ["trainable", "trainable_top_share", "unfreeze_from"]
        .into_iter()
        .filter(|key| section.has(key))
        .collect();
    let [key] = given[..] else {
        let what = if given.is_empty() { "none is there".to_owned() } else { given.join(" and ") };
        section.report(
            Diagnostic::error(
                "stage-trainable",
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
    declared?.resolve().map_err(|message| section.wrong(key, "value-range", message)).ok()
}

fn require(section: &Section<'_, '_>, key: &'static str, what: &str) -> bool {
    let there = section.has(key);
    if !there && section.is_present() {
        let problem = Diagnostic::error("key-missing", format!("`{key}` is missing: {what}"));
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
    section.wrong(key, "value-range", format!("`{key}` is {value}, must be from {min} to {max}"));
    None
}

fn word<T: Copy>(section: &Section<'_, '_>, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
    let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    if !require(section, key, &format!("one of {}", names.join(", "))) {
        return None;
    }
    choices.first().map(|first| section.choice(key, choices, first.1))
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
        section.wrong(key, "value-range", format!("`{key}` must have {N} numbers"));
        return None;
    };
    if !array.iter().all(|v| accept(*v)) {
        section.wrong(key, "value-range", format!("every number of `{key}` must be {range}"));
        return None;
    }
    Some(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOLS: [(&str, &str); 3] = [
        ("exp-2a.toml", include_str!("../../protocols/exp-2a.toml")),
        ("exp-demo.toml", include_str!("../../protocols/exp-demo.toml")),
        ("exp-random-smoke.toml", include_str!("../../protocols/exp-random-smoke.toml")),
    ];

    fn parse(text: &str) -> Result<Experiment, Vec<Diagnostic>> {
        Experiment::parse(Path::new("exp.toml"), text)
    }

    #[test]
    fn the_declared_experiments_are_valid() {
        for (name, text) in PROTOCOLS {
            let problems = Experiment::parse(Path::new(name), text).err().unwrap_or_default();
            assert!(problems.is_empty(), "{name}: {problems:#?}");
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
            .replace("epsilon", "epsilom")
            .replace("trainable = \"all\"", "unfreeze_from = \"denseblock9\"");
        let problems = parse(&text).expect_err("wrong");
        let codes: Vec<_> = problems.iter().map(|p| p.code).collect();
        for code in ["value-unknown", "value-range", "unknown-key", "key-missing"] {
            assert!(codes.contains(&code), "{code} in {problems:#?}");
        }
        assert!(problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())));
        assert!(problems.iter().any(|p| p.message.contains("denseblock9")));
    }

    #[test]
    fn a_stage_that_says_twice_what_it_trains_is_refused() {
        let text =
            PROTOCOLS[2].1.replace("trainable = \"all\"", "trainable = \"all\"\ntrainable_top_share = 0.2");
        assert_eq!(parse(&text).expect_err("wrong")[0].code, "stage-trainable");
    }

    #[test]
    fn balanced_weights_give_both_classes_the_same_sum() {
        let [negative, positive] = ClassWeights::Balanced.weights(900, 100);
        assert_eq!(900.0 * negative, 100.0 * positive);
        assert_eq!(900.0 * negative + 100.0 * positive, 1000.0);
    }
}
