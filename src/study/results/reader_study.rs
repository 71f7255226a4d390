//! A reader study in the results: readers as a population, with and without the device, and the device alone
//! beside them.

use serde::{Deserialize, Serialize};

use crate::protocol::{ReadingDesign, ReadingOrder};
use crate::statistics::warning::Warning;

/// Everything of a reader study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderStudyResult {
    /// Two-sided level of its intervals.
    pub level: f64,
    /// Whom the deciding intervals hold for: `readers-and-cases`, `cases` or `readers`.
    pub holds_for: String,
    /// What the protocol declares; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<DeclaredReading>,
    /// The modalities as they are named, in the order of the differences; the device alone is none of them.
    pub modalities: Vec<String>,
    /// The device's name, where it stands beside the readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The readers.
    pub readers: Vec<String>,
    /// How readers and cases meet in the ratings, in words.
    pub design: String,
    /// Rated cases without the finding.
    pub negatives: u64,
    /// Rated cases with it.
    pub positives: u64,
    /// Patients, where some have several of the cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patients: Option<u64>,
    /// Ratings that count.
    pub ratings: u64,
    /// Ratings that a complete reading would have besides.
    pub missing: u64,
    /// Rated cases of the sample without a reference standard.
    pub without_reference: u64,
    /// Cases of the sample with a reference standard that nobody rated.
    pub not_rated: u64,
    /// Figures of merit.
    pub merits: Vec<ReaderMerit>,
    /// ROC curves of readers, and averaged.
    pub curves: Vec<ReaderCurve>,
    /// Sessions; empty where nothing is known of times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<ReadingSession>,
    /// Fewest days between two reads of one case by one reader, where reads are dated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_days: Option<u64>,
    /// Reading times with and without the device, where reads are timed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading_time: Option<ReadingTime>,
    /// What its reader has to know, sorted.
    pub warnings: Vec<Warning>,
}

/// What a protocol declares of reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeclaredReading {
    /// How readers and cases are to meet.
    pub design: ReadingDesign,
    /// In which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<ReadingOrder>,
    /// Days at least between two reads of a case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub washout_days: Option<u64>,
    /// The lowest and the highest rating.
    pub scale: (f64, f64),
    /// A rating of this or above is a positive call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_from: Option<f64>,
    /// A score of the device of this or above is one.
    pub threshold: f64,
}

/// One figure of merit: `auc`, `sensitivity` or `specificity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderMerit {
    /// Its id.
    pub metric: String,
    /// Each reader's value in each modality.
    pub each: Vec<ReaderValue>,
    /// Every method with its estimates.
    pub methods: Vec<ReaderMethod>,
    /// Components of variance; negative ones stand as they are.
    pub components: Vec<VarianceComponent>,
    /// What is to be known of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// A reader's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderValue {
    /// The modality.
    pub modality: String,
    /// The reader.
    pub reader: String,
    /// The value.
    pub value: f64,
}

/// One method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderMethod {
    /// `readers-and-cases`, `cases`, `readers`, `each-reader`, `u-statistics`, and those of the device.
    pub id: String,
    /// In words, with its source.
    pub method: String,
    /// Its estimates.
    pub lines: Vec<ReaderEstimate>,
    /// The test that all modalities are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_alike: Option<AllAlike>,
}

/// An estimate of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderEstimate {
    /// Of what: a modality, a difference of two, a reader in a modality.
    pub of: String,
    /// The estimate.
    pub value: f64,
    /// Its interval and test; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<ReaderInference>,
}

/// Interval and test of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderInference {
    /// Standard error.
    pub standard_error: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Degrees of freedom of Student's law; none for the normal one.
    pub degrees_of_freedom: Option<f64>,
    /// Two-sided p value: of a difference against 0, of one modality against ½.
    pub p: f64,
}

/// The test that all modalities are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AllAlike {
    /// `F` or `chi2`.
    pub statistic: String,
    /// Its value.
    pub value: f64,
    /// Degrees of freedom of modalities.
    pub df1: f64,
    /// Of the denominator; none for χ².
    pub df2: Option<f64>,
    /// P value.
    pub p: f64,
}

/// A component of variance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VarianceComponent {
    /// `variance`, `cov1`, `cov2`, `cov3`, `readers`, `modality_by_reader`.
    pub name: String,
    /// Its estimate.
    pub value: f64,
}

/// A ROC curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderCurve {
    /// The modality.
    pub modality: String,
    /// The reader; absent for the mean of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<String>,
    /// False positive rate and sensitivity, ascending.
    pub points: Vec<(f64, f64)>,
}

/// A reader's reads in one modality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadingSession {
    /// The reader.
    pub reader: String,
    /// With the device.
    pub aided: bool,
    /// Ratings that count.
    pub reads: u64,
    /// Day of the first read, where it is dated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// Day of the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Lower quartile, median and upper quartile of the reading time in seconds, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<[f64; 3]>,
}

/// Reading times in seconds, as means of the readers' means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadingTime {
    /// Readers who were timed both with and without the device.
    pub readers: u64,
    /// Cases that a reader was timed on both times, over all readers.
    pub pairs: u64,
    /// Without the device.
    pub unaided: f64,
    /// With it.
    pub aided: f64,
    /// With less without.
    pub difference: f64,
    /// Lower limit, by Student's law over readers.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}
