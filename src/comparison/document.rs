//! What a comparison holds: the JSON document, field by field.

use serde::Serialize;

use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::Estimate;
use crate::statistics::roc::{PrecisionRecallPoint, RocPoint};
use crate::statistics::warning::Warning;

/// Version of the JSON document. It rises when a key changes its meaning.
pub const FORMAT: &str = "sequester-comparison/1";

/// Everything that is compared, and what came out. What a document prints is here and nowhere else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`FORMAT`].
    pub format: String,
    /// `major.minor.patch` of the program.
    pub program_version: String,
    /// On which cases.
    pub data: Data,
    /// How.
    pub method: Method,
    /// In the order given.
    pub contenders: Vec<Contender>,
    /// Every comparison of the family.
    pub pairs: Vec<Pair>,
    /// `None`: there is one contender alone.
    pub best: Option<Best>,
    /// What the reader has to know.
    pub warnings: Vec<Warning>,
}

/// Where the scores or counts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The tuning split of training runs: it chose epochs and operating points.
    Tuning,
    /// Tables from elsewhere.
    Given,
    /// Counts and AUCs as somebody printed them: no cases.
    PublishedCounts,
}

/// On which cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// Where they come from.
    pub split: Split,
    /// Cases that every contender scored.
    pub cases: u64,
    /// Positive among them.
    pub positives: u64,
    /// Negative among them.
    pub negatives: u64,
    /// Patients, where every table names them.
    pub patients: Option<u64>,
    /// Patients have several cases, so that they and not cases are taken as independent.
    pub clustered: bool,
    /// The contenders' sets of cases differ, and only the common ones are compared.
    pub common_only: bool,
    /// A program made the images.
    pub synthetic: bool,
}

/// Which pairs are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Each with each.
    AllPairs,
    /// The one with the highest AUC with each other one. The same data choose it, so its p values are too
    /// small.
    AgainstBest,
    /// A contender that was named beforehand with each other one.
    AgainstReference(String),
}

/// How.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Method {
    /// Confidence level of the intervals; one minus it is the level of the tests.
    pub level: f64,
    /// Which pairs are compared.
    pub family: Family,
    /// How many there are: what p values are adjusted for.
    pub comparisons: u64,
    /// `holm` (Holm 1979), within each kind of test.
    pub correction: String,
    /// How AUCs are compared.
    pub auc_test: AucTest,
    /// How calls are compared; `None`: they are not.
    pub call_test: Option<CallTest>,
    /// Bootstrap replicates; 0: no bootstrap.
    pub replicates: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// A test of a difference of AUCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AucTest {
    /// Paired, independent cases: DeLong et al. 1988.
    Delong,
    /// Paired, several cases of a patient: Obuchowski 1997.
    Obuchowski,
    /// Not paired: standard errors of Hanley and McNeil 1982 from AUC and class sizes.
    HanleyMcneilUnpaired,
}

/// A test of a difference of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallTest {
    /// Exact McNemar test (1947), independent cases.
    McnemarExact,
    /// Obuchowski 1998, several cases of a patient.
    Obuchowski1998,
}

/// What a contender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A training run.
    Run,
    /// A table of scores.
    Table,
    /// A weighted average of others.
    Ensemble,
    /// Printed numbers.
    Counts,
}

/// A member of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// A contender's name.
    pub name: String,
    /// Its weight; weights sum to 1.
    pub weight: f64,
}

/// The threshold of a contender, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// The rule, in words.
    pub rule: String,
    /// On which data, in words.
    pub provenance: String,
    /// The cases that are compared chose it.
    pub on_these_cases: bool,
}

/// One epoch of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Counted from 1 over all stages.
    pub epoch: u32,
    /// Name of the stage.
    pub stage: String,
    /// Mean loss over the training cases.
    pub training_loss: f64,
    /// Mean loss over the tuning cases.
    pub tuning_loss: f64,
    /// AUC on the tuning cases.
    pub tuning_auc: f64,
}

/// One model with what it does on the cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contender {
    /// Unique.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// In words, such as the experiment's title.
    pub title: String,
    /// The cases that are compared chose its weights: it is shown, and not tested.
    pub exploratory: bool,
    /// It has two scores alone, as calls have: its ROC curve is one point, and its AUC the mean of
    /// sensitivity and specificity there. It is tested, and no headline.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub two_valued: bool,
    /// Members of an ensemble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// Digest of the table of scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores_sha256: Option<String>,
    /// Cases in its table that are not compared.
    pub left_out: u64,
    /// Its operating point.
    pub operating_point: Option<Threshold>,
    /// Counts at it.
    pub confusion: Option<Confusion>,
    /// Its estimates.
    pub estimates: Vec<Estimate>,
    /// Its curves.
    pub curves: Curves,
    /// Its training.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub training: Vec<Epoch>,
}

impl Contender {
    /// An estimate by its id.
    pub fn estimate(&self, id: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|e| e.id == id)
    }

    /// The area under its ROC curve.
    pub fn auc(&self) -> Option<f64> {
        self.estimate("auc")?.value
    }
}

/// Points for figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curves {
    /// Corners of the ROC curve.
    pub roc: Vec<RocPoint>,
    /// Precision against recall, from high to low thresholds.
    pub precision_recall: Vec<PrecisionRecallPoint>,
    /// Sensitivity and specificity at equidistant thresholds.
    pub thresholds: Vec<ThresholdPoint>,
    /// Bins of equal width that hold a case; empty where scores are no probabilities.
    pub reliability: Vec<ReliabilityPoint>,
}

/// Sensitivity and specificity at a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThresholdPoint {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// In 0..1.
    pub sensitivity: f64,
    /// In 0..1.
    pub specificity: f64,
}

/// One bin of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityPoint {
    /// Mean score in the bin.
    pub mean_score: f64,
    /// Share of positives in the bin.
    pub observed: f64,
    /// Cases in the bin.
    pub cases: u64,
}

/// Two contenders, the one with the higher AUC first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Name of the one with the higher AUC; of equals the name that sorts first.
    pub first: String,
    /// Name of the other.
    pub second: String,
    /// First minus second, never below 0, with its unadjusted p value.
    pub auc_difference: Estimate,
    /// The p value, adjusted for the number of comparisons; `None`: there is no test.
    pub adjusted_p: Option<f64>,
    /// Not paired: how high the correlation of the two AUCs would have to be for the unadjusted p value to
    /// fall below the level of the test; `None`: it is below already, or no correlation is high enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_needed: Option<f64>,
    /// Differences of calls, each at the contenders' own operating points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallDifference>,
}

/// A difference of shares of right calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallDifference {
    /// `accuracy`, `sensitivity` or `specificity`.
    pub id: String,
    /// Cases that count: all, the positive, or the negative.
    pub n: u64,
    /// Cases that the first alone calls right.
    pub only_first_correct: u64,
    /// Cases that the second alone calls right.
    pub only_second_correct: u64,
    /// Share of the first minus share of the second; `None` without cases.
    pub difference: Option<f64>,
    /// Of [`Method::call_test`]; `None`: both are right on the same cases, or there are no cases.
    pub p_value: Option<f64>,
    /// The same, adjusted for the number of comparisons.
    pub adjusted_p: Option<f64>,
    /// Exact McNemar test, which takes cases as independent.
    pub exact_p: Option<f64>,
    /// Mid-p McNemar test, which takes cases as independent.
    pub mid_p: Option<f64>,
}

/// Whether the highest AUC is shown to be the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its adjusted p value is below the level of the test against every other one.
    Shown,
    /// At least one is not.
    NotShown,
    /// It was not compared with every other one.
    NotCompared,
}

/// The contender with the highest AUC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    /// Its name; of equals the one that sorts first.
    pub name: String,
    /// Its AUC.
    pub auc: f64,
    /// Others with the same AUC, sorted: nobody is the best alone then.
    pub tied: Vec<String>,
    /// Whether it is shown to be the best.
    pub verdict: Verdict,
    /// The others that it was compared with, from the smallest difference.
    pub against: Vec<Against>,
    /// The others that it was not compared with.
    pub not_compared: Vec<String>,
}

/// The best against one other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// Its name.
    pub name: String,
    /// How much lower its AUC is.
    pub difference: f64,
    /// Adjusted for the number of comparisons.
    pub adjusted_p: Option<f64>,
    /// The adjusted p value is below the level of the test.
    pub shown: bool,
}
