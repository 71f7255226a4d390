//! What a description holds: the shape of `description.json`.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::numbers::{Numbers, Share};
use crate::digest::Digest;
use crate::imaging::intensity::Intensity;

/// The version of `description.json`.
pub const FORMAT: &str = "sequester-description/1";

/// One level of a variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Covariate {
    /// `sex`, `view`, `age_band`, `site`, ...
    pub field: Cow<'static, str>,
    /// In order: age bands by age, others by name, `not recorded` last.
    pub levels: Vec<Level>,
}

/// A bin of the age histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CoOccurrence {
    /// Names, in the order of rows and columns.
    pub findings: Vec<String>,
    /// Images with both; the diagonal: images with the finding.
    pub images: Vec<Vec<u64>>,
}

/// All findings of an image together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Combination {
    /// Sorted; a positive image with the positive finding alone has one.
    pub findings: Vec<String>,
    /// Images with exactly these, of the positive images.
    pub images: Share,
}

/// Images with so many findings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImagesPerPatient {
    /// Images.
    pub images: u64,
    /// Patients with so many.
    pub patients: u64,
}

/// A cell of the positives by age band and sex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Missing {
    /// The field.
    pub field: Cow<'static, str>,
    /// Images without it, of all images.
    pub images: Share,
}

/// One set of cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SetDescription {
    /// Its name.
    pub name: String,
    /// Images, that is cases.
    pub images: u64,
    /// Patients.
    pub patients: u64,
    /// Positive images, of the labelled images: the prevalence.
    pub positives: Share,
    /// Patients with a positive image: in a bundle of all patients, elsewhere of those with a known label.
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
    /// What occurs beside the positive finding, by frequency there: the same rows without the positive
    /// findings.
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// Which formula a standardised difference has ([`crate::dataset::standardised`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Differences beyond [`crate::dataset::standardised::NOTABLE`].
    pub notable: u64,
}

/// A file that a description or a split follows from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Input {
    /// The file's name. Its folder is left out: it differs between machines, and documents travel.
    pub name: String,
    /// Digest of its bytes.
    pub sha256: Digest,
}

impl Input {
    /// Of a file and its digest.
    pub fn of(path: &Path, sha256: Digest) -> Self {
        Self { name: file_name(path), sha256 }
    }
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A stated fact beside what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fact {
    /// In words.
    pub statement: String,
    /// The number that was stated.
    pub stated: f64,
    /// The number that the data give; null when they give none.
    pub found: Option<f64>,
    /// Whether the found number rounds to the stated one.
    pub holds: bool,
}

/// All sets, and how far they lie apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
