//! `results.json`: the one file that feeds every document. Written by [`crate::study`], held by the
//! evidence bundle, read by `report`, recomputed by `audit`.

mod beside_readers;
mod by_level;
mod change;
mod comparisons;
mod intended_use;
mod other_standards;
mod reader_study;
mod repeatability;
mod rules;
mod sampled;
mod triage;
mod verdict;

use serde::{Deserialize, Serialize};

pub use self::beside_readers::{BesideReader, BesideReaders, MeanOfReaders, PairedTest, ShareBeside};
pub use self::by_level::{LevelClaim, LevelDifference};
pub use self::change::{Acceptance, AcceptedUnder, ChangeResult, DeviceVersion, FoundChange};
pub use self::comparisons::{ComparisonResult, FamilyMember, FamilyResult};
pub use self::intended_use::{CalibrationInUse, InIntendedUse, Limited, NetBenefit};
pub use self::other_standards::{OtherStandard, OtherStandards, UnderOtherStandard};
pub use self::reader_study::{
    AllAlike, DeclaredReading, ReaderCurve, ReaderEstimate, ReaderInference, ReaderMerit, ReaderMethod,
    ReaderStudyResult, ReaderValue, ReadingSession, ReadingTime, VarianceComponent,
};
pub use self::repeatability::{
    AtLevel, CallAgreement, CallShare, PairDifferences, Repeatability, UnderCondition,
};
pub use self::rules::Rules;
pub use self::sampled::{SampledStratum, Sampling, SiteAnswer, SiteSeparation, Weighted, WeightedEstimate};
pub use self::triage::{ProcessingTime, QuantileOfTime, TriageResult, Waiting};
pub use self::verdict::{FallbackRecord, Verdict};

use crate::protocol::{ReaderRole, Role};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use crate::statistics::metric::Metric;
use crate::statistics::multiplicity::Multiplicity;
use crate::statistics::operating_point::ChosenBy;
use crate::statistics::poolability::Poolability;
use crate::statistics::roc::{PrecisionRecallPoint, RocPoint};
use crate::statistics::roc_band::{BandMethod, BandPoint};
use crate::statistics::warning::Warning;

/// Version of the format; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-results/2";

/// Whether a field says nothing, and is left out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Everything a document may print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Results {
    /// [`FORMAT`].
    pub format: String,
    /// Which study.
    pub study: StudyIdentity,
    /// From considered to analysed, nothing dropped silently.
    pub flow: Flow,
    /// Who is in the analysed set.
    pub cohort: Vec<CohortRow>,
    /// The readers, one row each.
    pub readers: Vec<ReaderSummary>,
    /// How the consensus came about.
    pub consensus: ConsensusSummary,
    /// Agreement between readers: `cohen_kappa` (model = "R1 vs R2"), `fleiss_kappa`, ...
    pub agreement: Vec<Estimate>,
    /// Beside the kappa of each pair of reference readers: `percent_agreement`, `gwet_ac1`,
    /// `prevalence_index`, `bias_index`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreement_explained: Vec<Estimate>,
    /// Agreement of the reference readers in subgroups and sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agreement_by_group: Vec<Estimate>,
    /// Agreement of the reference readers on the declared scale: `weighted_kappa_...` of each pair,
    /// `gwet_ac2_...` of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ordinal_agreement: Vec<Estimate>,
    /// Agreement of a reader's first two reads of a case, of readers who read cases twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intra_reader: Vec<Estimate>,
    /// The operating point.
    pub operating_point: OperatingPointRecord,
    /// The analysis as it was run.
    pub method: AnalysisMethod,
    /// Overall estimates, subgroups and scenarios, in a fixed order.
    pub estimates: Vec<Estimate>,
    /// Endpoints with their verdicts.
    pub endpoints: Vec<EndpointResult>,
    /// Endpoints that are compared with another device or with readers, with their verdicts; absent without
    /// such endpoints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<ComparisonResult>,
    /// What the rule of multiplicity says of all endpoints together; absent where each is judged by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilyResult>,
    /// Readers who have no part in the reference standard, and the device, by it; absent without such
    /// readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside_readers: Option<BesideReaders>,
    /// The primary endpoints' metrics under other reference standards; absent in results of other sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_standards: Option<OtherStandards>,
    /// Levels of subgroups beside their reference level; absent where none is declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level_differences: Vec<LevelDifference>,
    /// Claims of levels of subgroups; absent where none is declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level_claims: Vec<LevelClaim>,
    /// How the sample was drawn; absent where it was drawn at random and no shortage is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// Sites of the study beside those of development; absent where the protocol states nothing of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<SiteSeparation>,
    /// Whether every primary endpoint is met.
    pub conclusion: Verdict,
    /// What each endpoint with a lower bound had to go on, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample_sizes: Vec<SampleSize>,
    /// Calibration and net benefit at the prevalence of intended use; absent where they are not declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_intended_use: Option<InIntendedUse>,
    /// Readers as a population; absent where no reader study is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_study: Option<ReaderStudyResult>,
    /// Precision of the device from repeated images; absent where none are declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeatability: Option<Repeatability>,
    /// What a triage device takes, and what its priority saves; absent where the protocol declares nothing
    /// of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triage: Option<TriageResult>,
    /// What a change control plan says of this version; absent in a study without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeResult>,
    /// Points for the figures.
    pub curves: Curves,
    /// Whether the sites agree; `None` where fewer than two are recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poolability: Option<Poolability>,
    /// Things the reader of the document has to know, sorted.
    pub warnings: Vec<Warning>,
}

impl Results {
    /// The rules of the version that made them.
    pub fn rules(&self) -> Rules {
        Rules::of(&self.method.program_version)
    }
}

/// Which study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StudyIdentity {
    /// `study.id` of the protocol.
    pub id: String,
    /// `study.title`.
    pub title: String,
    /// `study.version`.
    pub version: String,
    /// `study.finding`.
    pub finding: String,
    /// Whether any case was made by a program. Every document then says so.
    pub synthetic: bool,
    /// Whether this is a rehearsal on simulated scores and reads. Every document then says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rehearsal: bool,
}

/// Study flow (STARD 2015, item 19). `considered = sum(excluded) + eligible`;
/// `eligible = not_sampled + sampled`; `sampled = without_consensus + without_score + analysed`, where a
/// case that lacks both is counted under `without_consensus`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Flow {
    /// Rows of the case table.
    pub considered: u64,
    /// Patients among them.
    pub considered_patients: u64,
    /// Excluded cases under their first reason, in the protocol's order; zero counts included.
    pub excluded: Vec<ReasonCount>,
    /// Cases that meet every criterion.
    pub eligible: u64,
    /// Eligible but not drawn.
    pub not_sampled: u64,
    /// Drawn into the test set.
    pub sampled: u64,
    /// Patients in the test set.
    pub sampled_patients: u64,
    /// Sampled, but the readers gave no consensus.
    pub without_consensus: u64,
    /// Sampled, with consensus, but without a score.
    pub without_score: u64,
    /// In the primary analysis.
    pub analysed: u64,
    /// Patients in the primary analysis.
    pub analysed_patients: u64,
    /// Positive by the reference standard, in the primary analysis.
    pub positives: u64,
    /// Negative by the reference standard, in the primary analysis.
    pub negatives: u64,
}

/// How many cases a criterion excluded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReasonCount {
    /// The criterion's id.
    pub id: String,
    /// Its reason in words.
    pub reason: String,
    /// Cases counted under it: it was the first criterion they failed.
    pub count: u64,
    /// Cases that fail it at all, whatever else they fail.
    pub count_any: u64,
}

/// One row of the cohort table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CohortRow {
    /// `sex`, `age`, `view`, `site`, `manufacturer`, ...
    pub variable: String,
    /// Level, such as `F` or `18-44`; `not recorded` for missing values.
    pub level: String,
    /// Analysed cases.
    pub cases: u64,
    /// Their patients.
    pub patients: u64,
    /// Positive by the reference standard.
    pub positives: u64,
}

/// One reader.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReaderSummary {
    /// The reader's id as in the files.
    pub id: String,
    /// What the reader's reads are for; `None` where the protocol declares no readers, so that all are
    /// reference readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ReaderRole>,
    /// As declared of this reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualification: Option<String>,
    /// As declared of this reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specialty: Option<String>,
    /// Years of experience, as declared of this reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<f64>,
    /// Whether the reader labelled data that the device was trained on, as declared.
    #[serde(default, skip_serializing_if = "is_default")]
    pub labelled_training_data: bool,
    /// When the first of the answers was given (`2026-01-31T12:00:00`), where the files say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_read: Option<String>,
    /// When the last one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_read: Option<String>,
    /// Sampled cases read.
    pub reads: u64,
    /// Positive reads.
    pub positive: u64,
    /// Negative reads.
    pub negative: u64,
    /// Indeterminate reads.
    pub indeterminate: u64,
    /// Uninterpretable reads.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uninterpretable: u64,
    /// Reads set aside because the reader read the case twice.
    pub set_aside: u64,
    /// Sampled cases assigned to the reader but not read; `None` where readers are not fixed.
    pub missing: Option<u64>,
}

/// How the consensus came about, over the sampled cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConsensusSummary {
    /// All votes equal, with the full number of votes.
    pub unanimous: u64,
    /// A majority with the full number of votes.
    pub majority: u64,
    /// Agreeing votes although a read was missing, indeterminate or set aside.
    pub incomplete: u64,
    /// As many votes for it as against it, decided as declared.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tie: u64,
    /// Decided by an adjudicator or a panel.
    #[serde(default, skip_serializing_if = "is_default")]
    pub adjudicated: u64,
    /// Made elsewhere, and given as a table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub given: u64,
    /// No consensus.
    pub none: u64,
    /// Positive by consensus.
    pub positive: u64,
    /// Negative by consensus.
    pub negative: u64,
    /// Cases without consensus, sorted.
    pub cases_without: Vec<String>,
    /// How many cases have how many reads of reference readers; empty where the same readers read every case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads_per_case: Vec<ReadsPerCase>,
    /// Several reads of one reader on one case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<RepeatedReads>,
    /// The labels that came with the reads beside the computed answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<LabelComparison>,
}

/// How many cases have so many reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReadsPerCase {
    /// Reads of reference readers, one a reader.
    pub reads: u64,
    /// Sampled cases.
    pub cases: u64,
}

/// Several reads of one reader on one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RepeatedReads {
    /// The case.
    pub case_id: String,
    /// The reader.
    pub reader_id: String,
    /// How many.
    pub reads: u64,
    /// What they count as together; `None`: they were set aside.
    pub counts_as: Option<String>,
}

/// Labels that came with the reads, beside the computed answers, over the sampled cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelComparison {
    /// Where the labels come from, as declared.
    pub source: String,
    /// Cases with a computed answer and a label, each positive or negative.
    pub compared: u64,
    /// Cases with a label, and without a computed answer.
    pub without_consensus: u64,
    /// Cases without a label, or with an indeterminate one.
    pub without_label: u64,
    /// Every compared case on which the two differ, in the order of the sample.
    pub differences: Vec<LabelDifference>,
}

/// A case on which the computed answer and the label that came with the reads differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LabelDifference {
    /// The case.
    pub case_id: String,
    /// The computed answer: `positive` or `negative`.
    pub computed: String,
    /// How it came about: `unanimous`, `majority`, ...
    pub level: String,
    /// The label that came: `positive` or `negative`.
    pub label: String,
}

/// The operating point, and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperatingPointRecord {
    /// A case is called positive when score >= threshold.
    pub threshold: f64,
    /// `youden`, `sensitivity=0.9`, `declared`, ...
    pub rule: ChosenBy,
    /// In words: data, cases, patients, positives, rationale.
    pub provenance: String,
}

/// The analysis as it was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AnalysisMethod {
    /// Confidence level, two-sided.
    pub level: f64,
    /// What the bootstrap drew.
    pub resampling_unit: ResamplingUnit,
    /// Replicates.
    pub replicates: u64,
    /// Seed.
    pub seed: u64,
    /// Smaller subgroups are marked insufficient.
    pub subgroup_minimum: u64,
    /// Prevalence for PPV, NPV and F1 in intended use.
    pub intended_use_prevalence: Option<f64>,
    /// What several primary endpoints mean for each one's level.
    #[serde(default)]
    pub multiplicity: Multiplicity,
    /// Two-sided level of the intervals that primary criteria are judged by; `level`, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion_level: Option<f64>,
    /// `major.minor.patch` of the program.
    pub program_version: String,
}

/// An endpoint with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EndpointResult {
    /// The endpoint's id in the protocol.
    pub id: String,
    /// The metric, whose name is the estimate's id.
    pub metric: Metric,
    /// Whether it decides.
    pub role: Role,
    /// The criterion as declared, such as `lower > 0.80`.
    pub criterion: Option<String>,
    /// The method declared for the interval.
    pub interval_method: IntervalMethod,
    /// The estimate's value.
    pub value: Option<f64>,
    /// The interval that decides: the declared one, or what stands in for it as [`Self::fallback`] says.
    pub interval: Option<Interval>,
    /// Why the declared interval does not decide, where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<FallbackRecord>,
    /// The bound that was compared.
    pub bound: Option<f64>,
    /// The answer; endpoints without criterion have none.
    pub verdict: Option<Verdict>,
}

/// The size that was planned and the one that was achieved, and what can be shown with it: of an endpoint on
/// sensitivity, specificity or the AUC whose criterion is a lower bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SampleSize {
    /// The endpoint's id.
    pub endpoint: String,
    /// Positive and negative cases that the protocol asks for, by source label; `None` where it does not say.
    pub planned: Option<[u64; 2]>,
    /// Positive and negative cases in the primary analysis, by the reference standard.
    pub analysed: [u64; 2],
    /// Half the width of the interval that decided.
    pub half_width: Option<f64>,
    /// Smallest true value whose lower bound satisfies the criterion with probability [`Self::power`] in a
    /// study of the analysed size with one image a patient; `None` where no value below 1 does.
    pub shown_from: Option<f64>,
    /// That probability.
    pub power: f64,
    /// What the protocol expected of the endpoint; absent where it expects nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlannedValue>,
}

/// What was planned of an endpoint, as the protocol declares it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedValue {
    /// The expected value.
    pub expected: f64,
    /// The power at the planned size; `None` where no size was planned.
    pub power: Option<f64>,
    /// Half the expected width of the interval.
    pub half_width: Option<f64>,
}

/// Points for the figures. All of the primary analysis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Curves {
    /// ROC operating points from (0, 0) to (1, 1), thinned to the corners of the curve.
    pub roc: Vec<RocPoint>,
    /// Pointwise confidence band of the ROC curve on a grid of false positive rates.
    pub roc_band: Vec<BandPoint>,
    /// How the band was made; `None` in results that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roc_band_method: Option<BandMethod>,
    /// Histogram of scores on 0..1 by reference standard.
    pub histogram: ScoreHistogram,
    /// 2x2 table at the operating point.
    pub confusion: Confusion,
    /// Precision against recall, from high to low thresholds; empty where it was not computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precision_recall: Vec<PrecisionRecallPoint>,
}

/// Counts in equal bins, right-closed only in the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScoreHistogram {
    /// Bin edges, one more than counts.
    pub edges: Vec<f64>,
    /// Positive cases in each bin.
    pub positives: Vec<u64>,
    /// Negative cases in each bin.
    pub negatives: Vec<u64>,
}
