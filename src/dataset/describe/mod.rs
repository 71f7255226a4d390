//! What sets of cases look like, in exact counts, and how far they lie apart. No file is read here: images come in as
//! histograms ([`crate::imaging::intensity`]), and `report` draws.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::facts::Fact;
use crate::digest::Digest;
use crate::imaging::intensity::Intensity;

mod age_band;
mod compare;
mod counts;
mod numbers;

pub use age_band::{AgeBand, age_level};
pub use numbers::{Numbers, Share};

/// The version of `description.json`.
pub const FORMAT: &str = "sequester-description/1";
/// How a level that was not recorded is named.
pub const NOT_RECORDED: &str = "not recorded";
/// Width of the bins of the age histogram, in years.
pub const AGE_BIN: u16 = 5;
/// With more sets than this, each is compared with the first alone.
const ALL_PAIRS: usize = 5;

/// A set of cases with its name.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// Its name in the output.
    pub name: String,
    /// In table order.
    pub cases: Vec<&'a Case>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The findings that make an image positive, for words and for what occurs beside them; may be empty.
    pub positive: Vec<String>,
    /// Age bands.
    pub bands: Vec<AgeBand>,
    /// Columns that the tables have, as [`super::cases::Cases::fields`].
    pub fields: BTreeSet<&'static str>,
    /// The sets overlap (a whole and its parts): the first is then not compared with the others.
    pub whole_first: bool,
}

/// One level of a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Its name; `not recorded` is a level.
    pub level: String,
    /// Images at this level, of all images of the set.
    pub images: Share,
    /// Patients with at least one image at this level.
    pub patients: u64,
    /// Positive images, of the labelled images at this level.
    pub positives: Share,
}

/// A variable with levels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Covariate {
    /// `sex`, `view`, `age_band`, `site`, ...
    pub field: Cow<'static, str>,
    /// In order: age bands by age, others by name, `not recorded` last.
    pub levels: Vec<Level>,
}

/// A bin of the age histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgeBin {
    /// Youngest age in it.
    pub first: u16,
    /// Oldest age in it.
    pub last: u16,
    /// Images.
    pub images: u64,
    /// Positive images among them.
    pub positives: u64,
}

/// A finding that came with the images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name.
    pub finding: String,
    /// Images with it, of all images.
    pub images: Share,
    /// Patients with at least one such image.
    pub patients: u64,
    /// Images with it, of the positive images.
    pub among_positives: Share,
    /// Images with it, of the negative images.
    pub among_negatives: Share,
    /// Positive images, of the labelled images with it.
    pub positives: Share,
}

/// Findings that occur on the same image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoOccurrence {
    /// Names, in the order of rows and columns.
    pub findings: Vec<String>,
    /// Images with both; the diagonal: images with the finding.
    pub images: Vec<Vec<u64>>,
}

/// All findings of an image together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// Sorted; a positive image with the positive finding alone has one.
    pub findings: Vec<String>,
    /// Images with exactly these, of the positive images.
    pub images: Share,
}

/// Images with so many findings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comorbidity {
    /// Findings on the image, the positive one included.
    pub findings: usize,
    /// Of all images.
    pub images: Share,
    /// Of the positive images.
    pub among_positives: Share,
}

/// Patients with so many images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImagesPerPatient {
    /// Images.
    pub images: u64,
    /// Patients with so many.
    pub patients: u64,
}

/// A cell of the positives by age band and sex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgeAndSex {
    /// Age band, or `not recorded`.
    pub age_band: String,
    /// Sex, or `not recorded`.
    pub sex: String,
    /// Images.
    pub images: u64,
    /// Positive images, of the labelled ones.
    pub positives: Share,
}

/// How much of a field is not recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// The field.
    pub field: Cow<'static, str>,
    /// Images without it, of all images.
    pub images: Share,
}

/// One set of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetDescription {
    /// Its name.
    pub name: String,
    /// Images, that is cases.
    pub images: u64,
    /// Patients.
    pub patients: u64,
    /// Positive images, of the labelled images: the prevalence.
    pub positives: Share,
    /// Patients with at least one positive image, of all patients.
    pub positive_patients: Share,
    /// Images without any finding, of all images; null where no table has findings.
    pub without_finding: Option<Share>,
    /// Age in completed years, one value an image.
    pub age: Option<Numbers>,
    /// Ages in bins of five years.
    pub age_histogram: Vec<AgeBin>,
    /// Variables with levels.
    pub covariates: Vec<Covariate>,
    /// By frequency, then by name.
    pub findings: Vec<Finding>,
    /// What occurs beside the positive finding, by frequency there: the same rows without the positive findings.
    pub co_occurring: Vec<Finding>,
    /// Every two findings.
    pub co_occurrence: CoOccurrence,
    /// The most frequent sets of findings of positive images.
    pub combinations: Vec<Combination>,
    /// Positive images with another combination.
    pub other_combinations: u64,
    /// Numbers of findings.
    pub comorbidity: Vec<Comorbidity>,
    /// Images a patient.
    pub images_per_patient: Numbers,
    /// The same, counted.
    pub images_per_patient_counts: Vec<ImagesPerPatient>,
    /// Positives by age band and sex.
    pub by_age_and_sex: Vec<AgeAndSex>,
    /// What is not recorded.
    pub missing: Vec<Missing>,
    /// Intensities of the images that were read, by group.
    pub intensity: Vec<Intensity>,
}

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// `age`, `images_per_patient`, `label`, a covariate, or `finding`.
    pub variable: String,
    /// The level, where a level is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// How it was computed.
    pub kind: DifferenceKind,
    /// The standardised difference; null when it cannot be computed.
    pub value: Option<f64>,
}

/// Which formula a standardised difference has ([`super::standardised`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Of means.
    Continuous,
    /// Of shares.
    Binary,
    /// Over all levels: a distance, never negative.
    Categorical,
}

/// Two sets side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the first set.
    pub first: String,
    /// Name of the second set.
    pub second: String,
    /// Patients in both sets.
    pub shared_patients: u64,
    /// First minus second.
    pub differences: Vec<Difference>,
    /// The largest absolute value.
    pub largest: Option<f64>,
    /// Differences beyond [`super::standardised::NOTABLE`].
    pub notable: u64,
}

/// A file that a description or a split follows from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The file's name. Its folder is left out: it differs between machines, and documents travel.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
}

impl Input {
    /// Of a file and its bytes.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        Self { name: file_name(path), sha256: Digest::of(bytes) }
    }
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// All sets, and how far they lie apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// [`FORMAT`].
    pub format: Cow<'static, str>,
    /// The files it follows from.
    pub inputs: Vec<Input>,
    /// The findings that make an image positive.
    pub positive: Vec<String>,
    /// Stated facts and what was found; empty where none were to be checked.
    pub facts: Vec<Fact>,
    /// Whether any case was made by a program.
    pub synthetic: bool,
    /// In the order given.
    pub sets: Vec<SetDescription>,
    /// Pairs of sets.
    pub comparisons: Vec<Comparison>,
}

/// Describes sets and compares each two of them.
pub fn describe(sets: &[Set<'_>], request: &Request) -> Description {
    let described: Vec<SetDescription> = sets.iter().map(|set| counts::of_set(set, request)).collect();
    let compared = if request.whole_first && sets.len() > 1 { 1 } else { 0 };
    let mut comparisons = Vec::new();
    for first in compared..sets.len() {
        if first > compared && sets.len() - compared > ALL_PAIRS {
            break;
        }
        for second in first + 1..sets.len() {
            let shared = shared_patients(&sets[first], &sets[second]);
            comparisons.push(compare::compare(&described[first], &described[second], shared));
        }
    }
    Description {
        format: FORMAT.into(),
        inputs: Vec::new(),
        facts: Vec::new(),
        positive: request.positive.clone(),
        synthetic: sets.iter().flat_map(|s| &s.cases).any(|case| case.is_synthetic()),
        sets: described,
        comparisons,
    }
}

/// Patients of both sets.
pub fn shared_patients(first: &Set<'_>, second: &Set<'_>) -> u64 {
    let ids = |set: &Set<'_>| set.cases.iter().map(|c| c.patient_id.clone()).collect::<BTreeSet<_>>();
    ids(first).intersection(&ids(second)).count() as u64
}

/// The fields with levels, as `--stratify` and `--by` name them.
pub const FIELDS: [&str; 9] =
    ["sex", "view", "age_band", "site", "country", "manufacturer", "modality", "body_part", "label"];

/// The level of a case in a field of [`FIELDS`].
pub fn level(case: &Case, field: &str, bands: &[AgeBand]) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| NOT_RECORDED.to_owned());
    match field {
        "sex" => case.sex.map_or_else(|| NOT_RECORDED.to_owned(), |sex| sex.to_string()),
        "view" => text(&case.view),
        "age_band" => age_level(case.age_years, bands),
        "site" => text(&case.site),
        "country" => text(&case.country),
        "manufacturer" => text(&case.manufacturer),
        "modality" => text(&case.modality),
        "body_part" => text(&case.body_part),
        "label" => match case.source_label {
            Some(true) => "positive".to_owned(),
            Some(false) => "negative".to_owned(),
            None => NOT_RECORDED.to_owned(),
        },
        _ => NOT_RECORDED.to_owned(),
    }
}

/// Whether the tables give what a field of [`FIELDS`] needs.
pub fn has_field(fields: &BTreeSet<&'static str>, field: &str) -> bool {
    fields.contains(if field == "age_band" { "age_years" } else { field })
}

#[cfg(test)]
mod tests;
