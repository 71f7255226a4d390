//! `[reader_study]`: readers as a population. Where their ratings stand, with and without the device, how
//! readers and cases meet, in which order was read, and what was assumed when the study was sized. What is to
//! be shown is an `[[endpoint]]` with `against = "unaided-readers"` or `"reader-population"`.

use serde::{Deserialize, Serialize};

use super::reads::case_map;
use super::{Against, CaseMapTable, ComparativeEndpoint};
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::RelativePath;
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::Metric;
use crate::statistics::mrmc::{CovarianceMethod, Population};

/// How readers and cases are declared to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadingDesign {
    /// The same readers read the same cases with and without the device.
    Crossed,
    /// Other readers with the device than without it, on the same cases.
    Nested,
    /// The same readers with and without the device, each group of readers with cases of its own.
    SplitPlot,
}

impl ReadingDesign {
    /// All with their names in protocols.
    pub const NAMES: [(&'static str, Self); 3] =
        [("crossed", Self::Crossed), ("nested", Self::Nested), ("split-plot", Self::SplitPlot)];

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Crossed => "the same readers read the same cases with and without the device",
            Self::Nested => "other readers read with the device than without it",
            Self::SplitPlot => {
                "the same readers read with and without the device, each group of them cases of its own"
            }
        }
    }
}

/// In which order a reader reads with and without the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadingOrder {
    /// Without, and right after it with the device, case by case.
    Sequential,
    /// All cases without in one session, all with in another.
    Independent,
    /// In each of two sessions half of the cases with, the other half without; then the other way round.
    Crossover,
}

impl ReadingOrder {
    /// All with their names in protocols.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("sequential", Self::Sequential),
        ("independent", Self::Independent),
        ("crossover", Self::Crossover),
    ];

    /// The name in protocols.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, order)| *order == self).map_or("", |(name, _)| name)
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Sequential => "each case without the device and right after it with the device",
            Self::Independent => "all cases without the device in one session, with it in another",
            Self::Crossover => {
                "half of the cases with and half without the device in each of two sessions, and the other \
                 way round in the second"
            }
        }
    }

    /// Whether a reader sees a case twice in sessions that a washout has to part.
    pub fn needs_washout(self) -> bool {
        self != Self::Sequential
    }
}

/// What happens with cases that a reader did not rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingReads {
    /// The reader's other cases count.
    Exclude,
    /// An error that names them.
    Refuse,
}

/// What the size of the reader study rests on: components of variance of a pilot, and how many read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedReading {
    /// The metric that the components are of.
    pub metric: Metric,
    /// Readers that will read.
    pub readers: u32,
    /// Variance of one reader's figure over cases.
    pub variance: f64,
    /// Covariance of one reader's figures with and without.
    pub cov1: f64,
    /// Covariance of two readers in one modality.
    pub cov2: f64,
    /// Covariance of two readers in two modalities.
    pub cov3: f64,
    /// Variance of modality by reader; below 0 counts as 0.
    pub interaction: f64,
    /// Variance of readers within a modality: of nested readers, and of the device alone beside readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_variance: Option<f64>,
    /// Variance of the device's figure over cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_variance: Option<f64>,
    /// Covariance of the device's figure and a reader's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_cov: Option<f64>,
    /// Groups of readers in a split-plot design, as large as each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<u32>,
    /// Cases of the study that the components come from.
    pub pilot_cases: u32,
    /// Where they come from.
    pub source: String,
}

/// The scale of the ratings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatingScale {
    /// The lowest rating.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// A rating of this or above is a positive call; none where no endpoint compares calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_from: Option<f64>,
}

/// `[reader_study]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderStudySource {
    /// Tables of ratings, one row a rating, relative to the data folder; the last component may hold `*`.
    pub files: Vec<String>,
    /// Column of the case.
    pub case_column: String,
    /// Column of the reader.
    pub reader_column: String,
    /// Column of the modality.
    pub modality_column: String,
    /// Column of the rating; an empty cell is a case that was not read.
    pub rating_column: String,
    /// Column of the time of the read, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_column: Option<String>,
    /// Column of the reading time in seconds, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_column: Option<String>,
    /// Which case an id of the ratings is; `None`: they name the cases themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_map: Option<CaseMapTable>,
    /// The word for reads without the device.
    pub unaided: String,
    /// The word for reads with the device; none where only the device alone is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aided: Option<String>,
    /// How readers and cases meet.
    pub design: ReadingDesign,
    /// In which order was read; none where nothing is read twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<ReadingOrder>,
    /// Days at least between two reads of a case by one reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub washout_days: Option<u64>,
    /// The scale.
    pub scale: RatingScale,
    /// Covariances of areas; `None`: as fits the reads.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "covariances_id")]
    pub covariances: Option<CovarianceMethod>,
    /// Whom the result is to hold for.
    #[serde(serialize_with = "population_id")]
    pub holds_for: Population,
    /// Cases that a reader did not rate.
    pub missing_reads: MissingReads,
    /// What its size rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlannedReading>,
}

/// Fewer readers stand for no population: their spread is known with few degrees of freedom.
pub const FEW_READERS: u32 = 5;

/// What readers are compared by.
pub const METRICS: [Metric; 3] = [Metric::Auc, Metric::Sensitivity, Metric::Specificity];

/// Populations with their names in protocols, which are those of `reads mrmc --for`.
pub const POPULATIONS: [(&str, Population); 3] = [
    ("readers-and-cases", Population::ReadersAndCases),
    ("cases", Population::Cases),
    ("readers", Population::Readers),
];

/// The name of a population in protocols and results.
pub fn population_name(population: Population) -> &'static str {
    POPULATIONS.iter().find(|(_, own)| *own == population).map_or("", |(name, _)| name)
}

fn population_id<S: serde::Serializer>(value: &Population, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(population_name(*value))
}

fn covariances_id<S: serde::Serializer>(
    value: &Option<CovarianceMethod>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(method) => serializer.serialize_str(method.id()),
        None => serializer.serialize_none(),
    }
}

impl ReaderStudySource {
    /// The words of the modalities, without the device first.
    pub fn modalities(&self) -> Vec<&str> {
        std::iter::once(self.unaided.as_str()).chain(self.aided.as_deref()).collect()
    }

    /// Tables that it names, patterns included.
    pub fn tables(&self) -> impl Iterator<Item = String> + '_ {
        let map = self.case_map.iter().map(|map| map.file.to_string());
        self.files.iter().cloned().chain(map)
    }
}

/// `[reader_study]`, where it is.
pub(super) fn reader_study(section: Section) -> Option<ReaderStudySource> {
    if !section.is_present() {
        return None;
    }
    let column = |key, usual: &str| section.string(key).unwrap_or_else(|| usual.to_owned());
    if !section.has("files") {
        let message = "`reader_study.files` names the tables of ratings";
        section.wrong("files", Code::KeyMissing, message);
    }
    let files = section.strings("files").unwrap_or_default();
    if section.has("files") && files.is_empty() {
        section.wrong("files", Code::ValueEmpty, "`reader_study.files` names no table");
    }
    for file in &files {
        if file.parse::<RelativePath>().is_err() {
            let message = format!("`{file}` is not a plain relative path");
            section.wrong("files", Code::Path, message);
        }
    }
    let unaided = section.required_string("unaided");
    let aided = section.string("aided");
    if aided.as_ref() == Some(&unaided) && section.has("unaided") {
        let message = "`aided` and `unaided` are one word: nobody could tell the reads apart";
        section.wrong("aided", Code::ReadAmbiguous, message);
    }
    section.required_string("design");
    let design = section.choice("design", &ReadingDesign::NAMES, ReadingDesign::Crossed);
    let order = section
        .has("order")
        .then(|| section.choice("order", &ReadingOrder::NAMES, ReadingOrder::Independent));
    let twice = aided.is_some() && design != ReadingDesign::Nested;
    if twice && order.is_none() && section.has("design") {
        let message = "readers who read with and without the device need an `order`: \"sequential\", \
                       \"independent\" or \"crossover\"";
        section.wrong("order", Code::KeyMissing, message);
    }
    let washout_days = section.whole("washout_days").filter(|_| section.has("washout_days"));
    let missing = [("exclude", MissingReads::Exclude), ("refuse", MissingReads::Refuse)];
    let methods: Vec<(&str, CovarianceMethod)> =
        CovarianceMethod::ALL.iter().map(|method| (method.id(), *method)).collect();
    let source = ReaderStudySource {
        files,
        case_column: column("case_column", "case_id"),
        reader_column: column("reader_column", "reader"),
        modality_column: column("modality_column", "modality"),
        rating_column: column("rating_column", "rating"),
        time_column: section.string("time_column"),
        seconds_column: section.string("seconds_column"),
        case_map: case_map(&section),
        unaided,
        aided,
        design,
        order,
        washout_days,
        scale: scale(&section),
        covariances: section
            .has("covariances")
            .then(|| section.choice("covariances", &methods, CovarianceMethod::DeLong)),
        holds_for: section.choice("holds_for", &POPULATIONS, Population::ReadersAndCases),
        missing_reads: section.choice("missing_reads", &missing, MissingReads::Exclude),
        planned: planned(&section),
    };
    section.finish();
    Some(source)
}

fn scale(section: &Section) -> RatingScale {
    let declared = section.required_section("scale");
    let end = |key: &'static str| {
        if declared.is_present() && !declared.has(key) {
            let message = format!("`reader_study.scale` needs `{key}`: which ratings can be given");
            declared.wrong(key, Code::KeyMissing, message);
        }
        declared.number(key)
    };
    let (min, max) = (end("min"), end("max"));
    let positive_from = declared.number("positive_from");
    if let (Some(min), Some(max)) = (min, max)
        && (min >= max || positive_from.is_some_and(|from| from <= min || from > max))
    {
        let message = "of `reader_study.scale` `min` is below `max`, and `positive_from` above `min` and at \
                       most `max`";
        section.wrong("scale", Code::ValueRange, message);
    }
    declared.finish();
    RatingScale { min: min.unwrap_or(0.0), max: max.unwrap_or(1.0), positive_from }
}

fn planned(section: &Section) -> Option<PlannedReading> {
    let table = section.section("planned");
    if !table.is_present() {
        return None;
    }
    let required = |key: &'static str| {
        if !table.has(key) {
            table.wrong(key, Code::KeyMissing, format!("`reader_study.planned` needs `{key}`"));
        }
        table.number(key).unwrap_or_default()
    };
    let variance = required("variance");
    let [cov1, cov2, cov3] = ["cov1", "cov2", "cov3"].map(required);
    let interaction = table.number("interaction").unwrap_or_default();
    let whole = |key: &'static str, count: u64| {
        let within = (2..=1_000_000).contains(&count);
        if table.has(key) && !within {
            table.wrong(key, Code::ValueRange, format!("`{key}` is {count}, must be 2 to 1000000"));
        }
        u32::try_from(count).unwrap_or(2)
    };
    let [reader_variance, device_variance] = ["reader_variance", "device_variance"].map(|key| {
        let variance = table.number(key);
        if variance.is_some_and(|variance| variance < 0.0) {
            table.wrong(key, Code::ValueRange, format!("`{key}` is below 0, and a variance is not"));
        }
        variance
    });
    let device_cov = table.number("device_cov");
    let groups = table.whole("groups").map(|count| whole("groups", count));
    table.required_string("metric");
    let metric = table.choice("metric", &METRICS.map(|metric| (metric.id(), metric)), Metric::Auc);
    let [readers, pilot_cases] = ["readers", "pilot_cases"].map(|key| whole(key, table.required_whole(key)));
    if groups.is_some_and(|groups| !readers.is_multiple_of(groups)) {
        table.wrong("groups", Code::ValueRange, "`readers` is no multiple of `groups`".to_owned());
    }
    let source = table.required_string("source");
    if table.has("variance") && variance <= 0.0 {
        let message = format!("`variance` is {variance}, must be above 0");
        table.wrong("variance", Code::ValueRange, message);
    }
    table.finish();
    Some(PlannedReading {
        metric,
        readers,
        variance,
        cov1,
        cov2,
        cov3,
        interaction,
        reader_variance,
        device_variance,
        device_cov,
        groups,
        pilot_cases,
        source,
    })
}

/// What is compared is declared, and what is declared is compared.
pub(super) fn check_reader_study(
    root: &Section,
    comparisons: &[ComparativeEndpoint],
    source: Option<&ReaderStudySource>,
) {
    let wrong = |message: String, hint: &str| {
        let problem = Diagnostic::error(Code::ComparatorMissing, message);
        root.report(problem.at(root.at("endpoint")).hint(hint.to_owned()));
    };
    for endpoint in comparisons.iter().filter(|endpoint| endpoint.against.is_reader_study()) {
        let id = &endpoint.id;
        let Some(source) = source else {
            wrong(
                format!("`{id}` is of a reader study, and none is declared"),
                "add [reader_study] with files, unaided, design and scale",
            );
            continue;
        };
        if endpoint.against == Against::UnaidedReaders && source.aided.is_none() {
            wrong(
                format!("`{id}` compares reads with the device, and `reader_study.aided` is not declared"),
                "add the word for reads with the device: aided = \"aided\"",
            );
        }
        if endpoint.interval == Some(IntervalMethod::UStatistic)
            && source.holds_for != Population::ReadersAndCases
        {
            let problem = Diagnostic::error(
                Code::EndpointKeys,
                format!("`{id}` is judged by U-statistics, which hold for other readers and other cases"),
            );
            let hint = "declare `holds_for = \"readers-and-cases\"`, or `interval = \"obuchowski-rockette\"`";
            root.report(problem.at(root.at("reader_study")).hint(hint));
        }
        if endpoint.metric != Metric::Auc && source.scale.positive_from.is_none() {
            wrong(
                format!("`{id}` compares calls, and no rating is declared from which on one is positive"),
                "add `positive_from` to reader_study.scale",
            );
        }
    }
    if source.is_some() && !comparisons.iter().any(|e| e.against.is_reader_study()) {
        let problem = Diagnostic::error(
            Code::ComparatorMissing,
            "[reader_study] is declared, and no endpoint is compared with its readers",
        );
        let hint = "add an endpoint with `against = \"unaided-readers\"` or \"reader-population\", or remove \
                    [reader_study]";
        root.report(problem.at(root.at("reader_study")).hint(hint));
    }
}
