//! The protocol: what was declared before the test set was opened.
//!
//! [`parse`] takes the text as typed and gives either a [`Protocol`] that is known to be valid or every
//! problem at once. Imports `dataset` and `statistics` alone, besides leaves.

pub mod change;
mod columns;
mod comparisons;
mod criterion;
mod eligibility;
mod endpoints;
mod family;
mod gate;
pub mod language;
mod lint;
pub mod meaning;
mod parse;
mod paths;
pub mod planning;
pub mod question;
pub mod reader_study;
mod reads;
mod reference;
mod repeatability;
pub mod rule;
mod sample;
mod subgroups;
mod triage;
use crate::statistics::estimate::IntervalMethod;
pub use crate::statistics::estimate::ResamplingUnit;
pub use crate::statistics::metric::Fallback;
use crate::statistics::metric::Metric;
use crate::statistics::multiplicity::Multiplicity;
use crate::statistics::operating_point::OperatingPointRule;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::dataset::case::Cases;
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::gate::Gate;
use crate::dataset::mapped::{self, CaseColumns};
use crate::dataset::other_columns::{self, OtherColumn};
use crate::diagnostic::Diagnostic;
use crate::digest::{Bytes, RelativePath};

pub use comparisons::{Against, COMPARABLE, ComparativeEndpoint, PredicateOutput, PredicateSource};
pub use family::Family;
pub use gate::parse_gate;
pub use lint::{
    ANSWERED_BY_DATA, FEW_CASES, Places, disagreements_of_device, is_normal, lint, typed_results,
};
pub use parse::{FORMAT, parse};
pub use planning::{Expected, Planning, Spread};
pub use reader_study::{
    MissingReads, PlannedReading, RatingScale, ReaderStudySource, ReadingDesign, ReadingOrder,
};
pub use reads::{CaseMapTable, ReaderFrom, ReadsFormat, ReadsSource, RowsAre, Scale, SeveralChoices};
pub use reference::{
    AdjudicateOn, ConsensusRule, DeclaredReader, DeclaredReaders, IndeterminateRule, LabelTable, MOST_YEARS,
    ReaderRole, ReferenceRule, RepeatedRead, TieRule, UninterpretableRule, fits,
};

pub use repeatability::RepeatabilitySource;
pub use sample::{Sample, SampleMethod, SampleTarget, Shortage, StratumCount};
pub use subgroups::{Bands, OUTSIDE, PoweredClaim, Subgroup, Variable};
pub use triage::{Priority, Triage};

/// A valid protocol.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Protocol {
    /// What is studied.
    pub study: Study,
    /// Where cases come from.
    pub data: Data,
    /// The intended-use gate.
    pub gate: Gate,
    /// Criteria in the order in which a case is counted under them.
    pub eligibility: Vec<Criterion>,
    /// How the test set is drawn.
    pub sample: Sample,
    /// Where reads come from.
    pub reads: ReadsSource,
    /// How reads become the reference standard.
    pub reference_standard: ReferenceRule,
    /// Where scores come from.
    pub scores: ScoresSource,
    /// The model that is trained and locked in this study, where it is.
    pub model: Option<ModelSource>,
    /// The operating point, and where it comes from.
    pub operating_point: OperatingPointSource,
    /// The analysis.
    pub analysis: Analysis,
    /// Endpoints in order of declaration.
    pub endpoints: Vec<Endpoint>,
    /// Endpoints that are compared with another device or with readers, in order of declaration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<ComparativeEndpoint>,
    /// The endpoints that the rule of multiplicity decides about together; `None` where each is judged by
    /// itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Family>,
    /// The predicate's scores or answers on the same cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<PredicateSource>,
    /// Readers as a population, with and without the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_study: Option<ReaderStudySource>,
    /// Repeated images of patients, from which the device's own precision is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeatability: Option<RepeatabilitySource>,
    /// What is declared of a device for triage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<Triage>,
    /// Subgroups in order of declaration.
    pub subgroups: Vec<Subgroup>,
    /// What the size of the study rests on before there are data.
    #[serde(skip_serializing_if = "Planning::is_default")]
    pub planning: Planning,
}

/// What is studied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Study {
    /// Kebab-case id; part of file names.
    pub id: String,
    /// Title for documents.
    pub title: String,
    /// Version of the protocol.
    pub version: String,
    /// The target condition in words.
    pub finding: String,
    /// A rehearsal of a study, on simulated scores and reads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rehearsal: bool,
}

/// A case table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseTable {
    /// Relative to the study's data folder.
    pub path: RelativePath,
    /// Its format.
    pub format: CaseFormat,
    /// Finding labels that make the source label positive.
    pub positive_findings: Vec<String>,
    /// Where the fields stand in a table of another's making.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Box<CaseColumns>>,
    /// Columns beyond those that every study knows, by which subgroups are made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<OtherColumn>,
}

impl CaseTable {
    /// Reads the table as declared.
    ///
    /// # Errors
    /// Everything wrong in it at once.
    pub fn parse(&self, path: &std::path::Path, bytes: &Bytes) -> Result<Cases, Vec<Diagnostic>> {
        let mut cases = match &self.columns {
            Some(columns) => mapped::parse(path, &bytes.read(), columns, &self.positive_findings),
            None => cases::parse(path, bytes, self.format, &self.positive_findings),
        }?;
        if !self.other.is_empty() {
            other_columns::attach(path, &bytes.read(), self.columns.as_deref(), &self.other, &mut cases)?;
        }
        Ok(cases)
    }
}

/// Where cases come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Data {
    /// Tables of the cases that are considered.
    pub cases: Vec<CaseTable>,
    /// Folder of the images, relative to the data folder; none for a study at score level.
    pub images: Option<RelativePath>,
    /// Cases for training and tuning; their patients must not be in the study.
    pub development: Option<CaseTable>,
    /// Modality of every image, where the source documents it and the table has no such column.
    pub modality: Option<String>,
    /// Body part of every image, where the source documents it and the table has no such column.
    pub body_part: Option<String>,
    /// Where the data come from, for documents.
    pub source: Option<String>,
    /// The protocol states that no site of the study is one of development.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub separate_sites: bool,
    /// Sites that development data come from, as stated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub development_sites: Vec<String>,
}

/// What happens when the datum a criterion needs is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The case is excluded.
    Exclude,
    /// The case is kept.
    Include,
}

/// An eligibility criterion: a case that does not satisfy it is excluded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Criterion {
    /// Unique, kebab-case.
    pub id: String,
    /// The reason for exclusion in words.
    pub reason: String,
    /// How anybody would carry it out, in words; there with every boolean rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
    /// When the datum is not recorded.
    pub missing: Missing,
    /// The rule.
    pub rule: Rule,
}

/// A field of a case that a rule or a subgroup looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Patient's sex.
    Sex,
    /// Projection.
    View,
    /// Site.
    Site,
    /// Country of the site.
    Country,
    /// Manufacturer.
    Manufacturer,
    /// Modality.
    Modality,
    /// Body part.
    BodyPart,
}

impl Field {
    /// All fields with the names protocols use.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("sex", Self::Sex),
        ("view", Self::View),
        ("site", Self::Site),
        ("country", Self::Country),
        ("manufacturer", Self::Manufacturer),
        ("modality", Self::Modality),
        ("body_part", Self::BodyPart),
    ];

    /// The name in protocols and in the case table.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// The value of a case, `None` when it is not recorded.
    pub fn of(self, case: &crate::dataset::case::Case) -> Option<String> {
        let text = match self {
            Self::Sex => return case.sex.map(|sex| sex.to_string()),
            Self::View => &case.view,
            Self::Site => &case.site,
            Self::Country => &case.country,
            Self::Manufacturer => &case.manufacturer,
            Self::Modality => &case.modality,
            Self::BodyPart => &case.body_part,
        };
        text.as_deref().map(str::to_owned)
    }
}

/// What a criterion asks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Rule {
    /// Completed years within both ends.
    Age {
        /// Youngest.
        min: u16,
        /// Oldest.
        max: u16,
    },
    /// The field's value is one of these.
    OneOf {
        /// Which field.
        field: Field,
        /// Allowed values.
        allowed: Vec<String>,
    },
    /// No earlier episode of the finding within the look-back window.
    NoPriorFinding {
        /// How the earlier episode is known.
        source: PriorSource,
    },
    /// The case id stands in a table, for example of the images for which scores exist.
    ListedIn {
        /// The table, relative to the data folder.
        path: RelativePath,
        /// Its column.
        column: String,
    },
    /// The intended-use gate accepts the case.
    Gate,
    /// A boolean rule over columns.
    #[serde(rename = "rule")]
    Declared(rule::DeclaredRule),
}

/// How an earlier episode is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum PriorSource {
    /// Column `days_since_prior_finding`, at most so many days.
    Days {
        /// The look-back window.
        lookback_days: u32,
    },
    /// An image of the same patient with a lower follow-up number carries one of these findings.
    EarlierImages {
        /// Finding labels.
        findings: Vec<String>,
    },
}

/// Where scores come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScoresSource {
    /// Relative to the data folder. Without `[scores]` it is `scores.csv`, which `score` writes.
    pub file: RelativePath,
    /// Column of the case id.
    pub case_column: String,
    /// Columns of scores.
    pub columns: Vec<String>,
    /// How several columns become one score.
    pub combine: Combine,
    /// Declared in the protocol: the device lives elsewhere.
    pub external: bool,
}

/// How several scores become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// The largest.
    Max,
    /// The arithmetic mean.
    Mean,
    /// 1 - product of (1 - score).
    NoisyOr,
}

/// The model that is trained in this study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSource {
    /// The experiment file, relative to the study.
    pub experiment: RelativePath,
    /// Rule that fixes the operating point on the tuning split at the lock.
    #[serde(serialize_with = "as_declared")]
    pub operating_point: OperatingPointRule,
}

/// As a protocol declares it: `rule`, and `target` where it has one.
fn as_declared<S: Serializer>(rule: &OperatingPointRule, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("rule", rule.name())?;
    if let Some(target) = rule.target() {
        map.serialize_entry("target", &target)?;
    }
    map.end()
}

/// The operating point, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum OperatingPointSource {
    /// From the model lock.
    Lock,
    /// A number given beforehand.
    Declared {
        /// Positive is score >= threshold.
        threshold: f64,
        /// Why this number.
        rationale: String,
    },
    /// By a rule on scored cases of patients outside the study.
    Tuning {
        /// Where their labels stand.
        cases: CaseTable,
        /// The rule.
        #[serde(serialize_with = "as_declared")]
        rule: OperatingPointRule,
    },
}

/// What happens to a case that cannot be analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Incomplete {
    /// Left out of the primary analysis, counted, and shown in best and worst case.
    Exclude,
    /// The study cannot be analysed.
    Refuse,
}

/// The analysis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Two-sided confidence level.
    pub level: f64,
    /// What the bootstrap draws.
    pub resampling_unit: ResamplingUnit,
    /// Bootstrap replicates.
    pub replicates: u64,
    /// Bootstrap seed.
    pub seed: u64,
    /// Cases without score.
    pub missing_score: Incomplete,
    /// Cases without consensus.
    pub no_consensus: Incomplete,
    /// Prevalence for PPV, NPV and F1 in intended use.
    pub intended_use_prevalence: Option<f64>,
    /// Smaller subgroups are marked insufficient.
    pub subgroup_minimum: u64,
    /// What several primary endpoints mean for each one's level.
    pub multiplicity: Multiplicity,
    /// Scores are probabilities in intended use, and their calibration there is reported.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub calibration_in_use: bool,
    /// Thresholds at which the net benefit in intended use is reported, ascending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub net_benefit_thresholds: Vec<f64>,
}

/// Primary endpoints decide; key secondary ones are claims under the same rule of multiplicity; secondary
/// ones are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// All primary endpoints have to be met.
    Primary,
    /// A claim of its own under the rule of multiplicity; it does not decide about the study.
    KeySecondary,
    /// Reported with its own verdict.
    Secondary,
}

impl Role {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::KeySecondary => "key secondary",
            Self::Secondary => "secondary",
        }
    }
}

impl Analysis {
    /// The two-sided level at which each of `criteria` primary criteria is judged.
    pub fn criterion_level(&self, criteria: usize) -> f64 {
        match self.multiplicity {
            Multiplicity::Bonferroni if criteria > 1 => 1.0 - (1.0 - self.level) / criteria as f64,
            _ => self.level,
        }
    }
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Endpoint {
    /// Unique id.
    pub id: String,
    /// The metric.
    pub metric: Metric,
    /// Role.
    pub role: Role,
    /// How its interval is computed.
    pub interval: IntervalMethod,
    /// What decides where that interval is none.
    pub fallback: Fallback,
    /// Acceptance criterion.
    pub criterion: Option<AcceptanceCriterion>,
}

/// Which confidence bound is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The lower one.
    Lower,
    /// The upper one.
    Upper,
}

/// Comparison of a confidence bound with a goal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AcceptanceCriterion {
    /// Which bound.
    pub bound: Bound,
    /// `>` or `>=` for lower bounds, `<` or `<=` for upper ones.
    pub strict: bool,
    /// The goal.
    pub goal: f64,
    /// As typed.
    pub text: String,
}

impl AcceptanceCriterion {
    /// Whether the interval satisfies it.
    pub fn accepts(&self, lower: f64, upper: f64) -> bool {
        match (self.bound, self.strict) {
            (Bound::Lower, true) => lower > self.goal,
            (Bound::Lower, false) => lower >= self.goal,
            (Bound::Upper, true) => upper < self.goal,
            (Bound::Upper, false) => upper <= self.goal,
        }
    }
}

#[cfg(test)]
mod tests;
