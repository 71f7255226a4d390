//! What sets of cases look like, in exact counts, and how far they lie apart. No file is read here: images come in as
//! histograms ([`super::intensity`]), and `report` draws.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::case::Case;
use super::facts::Fact;
use super::intensity::Intensity;
use super::standardised;
use crate::digest::Digest;

/// The version of `description.json`.
pub const FORMAT: &str = "sequester-description/1";
/// How a level that was not recorded is named.
pub const NOT_RECORDED: &str = "not recorded";
/// Width of the bins of the age histogram, in years.
pub const AGE_BIN: u16 = 5;
/// Combinations of findings that are listed; the rest is counted.
const COMBINATIONS: usize = 20;
/// With more sets than this, each is compared with the first alone.
const ALL_PAIRS: usize = 5;

/// Ages from `first` to `last`, both included; `None`: without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeBand {
    /// Youngest age in it.
    pub first: u16,
    /// Oldest age in it.
    pub last: Option<u16>,
}

impl AgeBand {
    /// Children, three bands of the intended use of 18-80 years, and the old.
    pub const USUAL: [Self; 5] = [
        Self { first: 0, last: Some(17) },
        Self { first: 18, last: Some(39) },
        Self { first: 40, last: Some(59) },
        Self { first: 60, last: Some(80) },
        Self { first: 81, last: None },
    ];

    /// Whether an age lies in it.
    pub fn holds(self, age: u16) -> bool {
        age >= self.first && self.last.is_none_or(|last| age <= last)
    }
}

impl fmt::Display for AgeBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) => write!(f, "{}-{last}", self.first),
            None => write!(f, "{}-", self.first),
        }
    }
}

impl FromStr for AgeBand {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no age band such as 18-39 or 81-");
        let (first, last) = text.trim().split_once('-').ok_or_else(wrong)?;
        let first = first.trim().parse().map_err(|_| wrong())?;
        let last = match last.trim() {
            "" => None,
            last => Some(last.parse().map_err(|_| wrong())?),
        };
        if last.is_some_and(|last| last < first) {
            return Err(format!("the age band `{text}` ends before it begins"));
        }
        Ok(Self { first, last })
    }
}

/// The level of an age: the first band that holds it.
pub fn age_level(age: Option<u16>, bands: &[AgeBand]) -> String {
    let Some(age) = age else { return NOT_RECORDED.to_owned() };
    bands
        .iter()
        .find(|band| band.holds(age))
        .map_or_else(|| "outside the bands".to_owned(), ToString::to_string)
}

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

/// A count of a total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// How many.
    pub numerator: u64,
    /// Of how many.
    pub denominator: u64,
    /// `numerator / denominator`; null when there is nothing to divide by.
    pub value: Option<f64>,
}

impl Share {
    /// A count of a total.
    #[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
    pub fn new(numerator: u64, denominator: u64) -> Self {
        let value = (denominator > 0).then(|| numerator as f64 / denominator as f64);
        Self { numerator, denominator, value }
    }

    fn pair(self) -> (u64, u64) {
        (self.numerator, self.denominator)
    }
}

/// A whole-numbered variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// Recorded values.
    pub n: u64,
    /// Values that are not recorded.
    pub missing: u64,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, with `n − 1`.
    pub sd: Option<f64>,
    /// Smallest.
    pub minimum: Option<u64>,
    /// Quartiles of type 7 (Hyndman and Fan 1996; R's and numpy's default).
    pub quartiles: Option<[f64; 3]>,
    /// Largest.
    pub maximum: Option<u64>,
}

impl Numbers {
    /// Of values in any order.
    #[expect(clippy::cast_precision_loss, reason = "sums of ages are far below 2^53")]
    pub fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let mut missing = 0;
        let mut sorted: Vec<u64> = values
            .filter_map(|value| {
                missing += u64::from(value.is_none());
                value
            })
            .collect();
        sorted.sort_unstable();
        let n = sorted.len() as u64;
        let (Some(&minimum), Some(&maximum)) = (sorted.first(), sorted.last()) else {
            return Self { missing, ..Self::default() };
        };
        // Whole sums: the result does not depend on the order of the rows.
        let sum: u128 = sorted.iter().map(|v| u128::from(*v)).sum();
        let squares: u128 = sorted.iter().map(|v| u128::from(*v) * u128::from(*v)).sum();
        let scatter = u128::from(n) * squares - sum * sum;
        let sd = (n > 1).then(|| (scatter as f64 / (n as f64 * (n - 1) as f64)).sqrt());
        let quantile = |q: f64| {
            let at = q * (sorted.len() - 1) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the slice")]
            let low = at.floor() as usize;
            let a = sorted[low] as f64;
            let b = sorted.get(low + 1).map_or(a, |v| *v as f64);
            a + (at - at.floor()) * (b - a)
        };
        Self {
            n,
            missing,
            mean: Some(sum as f64 / n as f64),
            sd,
            minimum: Some(minimum),
            quartiles: Some([0.25, 0.5, 0.75].map(quantile)),
            maximum: Some(maximum),
        }
    }

    fn moments(self) -> (f64, f64) {
        (self.mean.unwrap_or(f64::NAN), self.sd.unwrap_or(f64::NAN))
    }
}

/// One level of a variable.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Covariate {
    /// `sex`, `view`, `age_band`, `site`, ...
    pub field: &'static str,
    /// In order: age bands by age, others by name, `not recorded` last.
    pub levels: Vec<Level>,
}

/// A bin of the age histogram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CoOccurrence {
    /// Names, in the order of rows and columns.
    pub findings: Vec<String>,
    /// Images with both; the diagonal: images with the finding.
    pub images: Vec<Vec<u64>>,
}

/// All findings of an image together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Combination {
    /// Sorted; a positive image with the positive finding alone has one.
    pub findings: Vec<String>,
    /// Images with exactly these, of the positive images.
    pub images: Share,
}

/// Images with so many findings.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comorbidity {
    /// Findings on the image, the positive one included.
    pub findings: usize,
    /// Of all images.
    pub images: Share,
    /// Of the positive images.
    pub among_positives: Share,
}

/// Patients with so many images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ImagesPerPatient {
    /// Images.
    pub images: u64,
    /// Patients with so many.
    pub patients: u64,
}

/// A cell of the positives by age band and sex.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// The field.
    pub field: &'static str,
    /// Images without it, of all images.
    pub images: Share,
}

/// One set of cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// `age`, `images_per_patient`, `label`, a covariate, or `finding`.
    pub variable: String,
    /// The level, where a level is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// How it was computed.
    pub kind: DifferenceKind,
    /// The standardised difference; null when it cannot be computed.
    pub value: Option<f64>,
}

/// Which formula a standardised difference has ([`standardised`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Differences beyond [`standardised::NOTABLE`].
    pub notable: u64,
}

/// A file that a description or a split follows from.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// [`FORMAT`].
    pub format: &'static str,
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
    let described: Vec<SetDescription> = sets.iter().map(|set| of_set(set, request)).collect();
    let compared = if request.whole_first && sets.len() > 1 { 1 } else { 0 };
    let mut comparisons = Vec::new();
    for first in compared..sets.len() {
        if first > compared && sets.len() - compared > ALL_PAIRS {
            break;
        }
        for second in first + 1..sets.len() {
            let shared = shared_patients(&sets[first], &sets[second]);
            comparisons.push(compare(&described[first], &described[second], shared));
        }
    }
    Description {
        format: FORMAT,
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

#[derive(Default)]
struct Count<'a> {
    images: u64,
    labelled: u64,
    positives: u64,
    patients: BTreeSet<&'a str>,
}

impl<'a> Count<'a> {
    fn add(&mut self, case: &'a Case) {
        self.images += 1;
        self.labelled += u64::from(case.source_label.is_some());
        self.positives += u64::from(case.source_label == Some(true));
        // Images of one patient stand together in most tables: the look-up is skipped then.
        self.patients.insert(&case.patient_id);
    }
}

fn of_set(set: &Set<'_>, request: &Request) -> SetDescription {
    let cases = &set.cases;
    let all = cases.len() as u64;
    let labelled = cases.iter().filter(|c| c.source_label.is_some()).count() as u64;
    let positives = cases.iter().filter(|c| c.source_label == Some(true)).count() as u64;
    let has = |field: &str| has_field(&request.fields, field);
    let mut per_patient: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    for case in cases {
        let entry = per_patient.entry(&case.patient_id).or_default();
        entry.0 += 1;
        entry.1 |= case.source_label == Some(true);
    }
    let patients = per_patient.len() as u64;
    let positive_patients = per_patient.values().filter(|(_, positive)| *positive).count() as u64;
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for (images, _) in per_patient.values() {
        *counts.entry(*images).or_default() += 1;
    }
    let (findings, co_occurrence) =
        if has("findings") { findings(cases, labelled, positives) } else { Default::default() };
    let mut co_occurring: Vec<Finding> = findings
        .iter()
        .filter(|f| !request.positive.contains(&f.finding) && f.among_positives.numerator > 0)
        .cloned()
        .collect();
    co_occurring.sort_by_key(|f| std::cmp::Reverse(f.among_positives.numerator));
    if request.positive.is_empty() {
        co_occurring.clear();
    }
    let (combinations, other_combinations) =
        if has("findings") { combinations(cases, positives) } else { Default::default() };
    SetDescription {
        name: set.name.clone(),
        images: all,
        patients,
        positives: Share::new(positives, labelled),
        positive_patients: Share::new(positive_patients, patients),
        without_finding: has("findings")
            .then(|| Share::new(cases.iter().filter(|c| c.findings.is_empty()).count() as u64, all)),
        age: has("age_years").then(|| Numbers::of(cases.iter().map(|c| c.age_years.map(u64::from)))),
        age_histogram: if has("age_years") { age_histogram(cases) } else { Vec::new() },
        covariates: FIELDS
            .into_iter()
            .filter(|field| *field != "label" && has(field))
            .map(|field| covariate(cases, field, &request.bands, all))
            .collect(),
        findings,
        co_occurring,
        co_occurrence,
        combinations,
        other_combinations,
        comorbidity: if has("findings") { comorbidity(cases, positives) } else { Vec::new() },
        images_per_patient: Numbers::of(per_patient.values().map(|(images, _)| Some(*images))),
        images_per_patient_counts: counts
            .into_iter()
            .map(|(images, patients)| ImagesPerPatient { images, patients })
            .collect(),
        by_age_and_sex: if has("age_years") && has("sex") {
            by_age_and_sex(cases, &request.bands)
        } else {
            Vec::new()
        },
        missing: missing(cases, &request.fields),
        intensity: Vec::new(),
    }
}

fn covariate(cases: &[&Case], field: &'static str, bands: &[AgeBand], all: u64) -> Covariate {
    let mut counts: BTreeMap<String, Count<'_>> = BTreeMap::new();
    for case in cases {
        counts.entry(level(case, field, bands)).or_default().add(case);
    }
    let rank = |level: &str| match field {
        "age_band" => bands.iter().position(|band| band.to_string() == level).unwrap_or(bands.len()),
        _ => 0,
    };
    let mut levels: Vec<Level> = counts
        .into_iter()
        .map(|(level, count)| Level {
            level,
            images: Share::new(count.images, all),
            patients: count.patients.len() as u64,
            positives: Share::new(count.positives, count.labelled),
        })
        .collect();
    levels.sort_by_key(|l| (l.level == NOT_RECORDED, rank(&l.level)));
    Covariate { field, levels }
}

fn age_histogram(cases: &[&Case]) -> Vec<AgeBin> {
    let mut bins: Vec<AgeBin> = Vec::new();
    for case in cases {
        let Some(age) = case.age_years else { continue };
        let bin = usize::from(age / AGE_BIN);
        while bins.len() <= bin {
            let first = u16::try_from(bins.len()).unwrap_or(u16::MAX).saturating_mul(AGE_BIN);
            bins.push(AgeBin { first, last: first.saturating_add(AGE_BIN - 1), images: 0, positives: 0 });
        }
        bins[bin].images += 1;
        bins[bin].positives += u64::from(case.source_label == Some(true));
    }
    bins
}

fn findings(cases: &[&Case], labelled: u64, positives: u64) -> (Vec<Finding>, CoOccurrence) {
    let mut counts: BTreeMap<&str, Count<'_>> = BTreeMap::new();
    for case in cases {
        let distinct: BTreeSet<&str> = case.findings.iter().map(String::as_str).collect();
        for finding in distinct {
            counts.entry(finding).or_default().add(case);
        }
    }
    let all = cases.len() as u64;
    let mut list: Vec<Finding> = counts
        .into_iter()
        .map(|(finding, count)| Finding {
            finding: finding.to_owned(),
            images: Share::new(count.images, all),
            patients: count.patients.len() as u64,
            among_positives: Share::new(count.positives, positives),
            among_negatives: Share::new(count.labelled - count.positives, labelled - positives),
            positives: Share::new(count.positives, count.labelled),
        })
        .collect();
    list.sort_by_key(|f| std::cmp::Reverse(f.images.numerator));
    let names: Vec<String> = list.iter().map(|f| f.finding.clone()).collect();
    let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(i, n)| (n.as_str(), i)).collect();
    // A table with thousands of "findings" is a table of something else; a matrix of it helps nobody.
    if names.len() > 40 {
        return (list, CoOccurrence::default());
    }
    let mut images = vec![vec![0; names.len()]; names.len()];
    for case in cases {
        let places: BTreeSet<usize> =
            case.findings.iter().filter_map(|f| place.get(f.as_str()).copied()).collect();
        for &a in &places {
            for &b in &places {
                images[a][b] += 1;
            }
        }
    }
    (list, CoOccurrence { findings: names, images })
}

fn combinations(cases: &[&Case], positives: u64) -> (Vec<Combination>, u64) {
    let mut counts: BTreeMap<&[String], u64> = BTreeMap::new();
    for case in cases.iter().filter(|c| c.source_label == Some(true)) {
        *counts.entry(&case.findings).or_default() += 1;
    }
    let mut list: Vec<(&[String], u64)> = counts.into_iter().collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rest = list.iter().skip(COMBINATIONS).map(|(_, count)| count).sum();
    list.truncate(COMBINATIONS);
    let listed = list
        .into_iter()
        .map(|(findings, count)| Combination {
            findings: findings.to_vec(),
            images: Share::new(count, positives),
        })
        .collect();
    (listed, rest)
}

fn comorbidity(cases: &[&Case], positives: u64) -> Vec<Comorbidity> {
    let mut counts: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for case in cases {
        let entry = counts.entry(case.findings.len()).or_default();
        entry.0 += 1;
        entry.1 += u64::from(case.source_label == Some(true));
    }
    counts
        .into_iter()
        .map(|(findings, (images, positive))| Comorbidity {
            findings,
            images: Share::new(images, cases.len() as u64),
            among_positives: Share::new(positive, positives),
        })
        .collect()
}

fn by_age_and_sex(cases: &[&Case], bands: &[AgeBand]) -> Vec<AgeAndSex> {
    let mut counts: BTreeMap<(usize, String, bool, String), (u64, u64, u64)> = BTreeMap::new();
    for case in cases {
        let band = level(case, "age_band", bands);
        let place = case.age_years.and_then(|age| bands.iter().position(|b| b.holds(age)));
        let rank = place.unwrap_or(bands.len() + usize::from(case.age_years.is_none()));
        let key = (rank, band, case.sex.is_none(), level(case, "sex", bands));
        let entry = counts.entry(key).or_default();
        entry.0 += 1;
        entry.1 += u64::from(case.source_label.is_some());
        entry.2 += u64::from(case.source_label == Some(true));
    }
    counts
        .into_iter()
        .map(|((_, age_band, _, sex), (images, labelled, positives))| AgeAndSex {
            age_band,
            sex,
            images,
            positives: Share::new(positives, labelled),
        })
        .collect()
}

fn missing(cases: &[&Case], fields: &BTreeSet<&'static str>) -> Vec<Missing> {
    type Absent = fn(&Case) -> bool;
    let fields_of: [(&'static str, Absent); 12] = [
        ("image", |c| c.image.is_none()),
        ("site", |c| c.site.is_none()),
        ("country", |c| c.country.is_none()),
        ("manufacturer", |c| c.manufacturer.is_none()),
        ("sex", |c| c.sex.is_none()),
        ("age_years", |c| c.age_years.is_none()),
        ("view", |c| c.view.is_none()),
        ("modality", |c| c.modality.is_none()),
        ("body_part", |c| c.body_part.is_none()),
        ("follow_up", |c| c.follow_up.is_none()),
        ("days_since_prior_finding", |c| c.days_since_prior_finding.is_none()),
        ("label", |c| c.source_label.is_none()),
    ];
    fields_of
        .into_iter()
        .filter(|(field, _)| fields.contains(field))
        .map(|(field, absent)| Missing {
            field,
            images: Share::new(cases.iter().filter(|c| absent(c)).count() as u64, cases.len() as u64),
        })
        .collect()
}

fn compare(first: &SetDescription, second: &SetDescription, shared_patients: u64) -> Comparison {
    use DifferenceKind::{Binary, Categorical, Continuous};
    let mut differences = Vec::new();
    let mut push = |variable: &str, level: Option<&str>, kind, value| {
        differences.push(Difference {
            variable: variable.to_owned(),
            level: level.map(str::to_owned),
            kind,
            value,
        });
    };
    if first.positives.denominator > 0 || second.positives.denominator > 0 {
        let value = standardised::binary(first.positives.pair(), second.positives.pair());
        push("label", Some("positive"), Binary, value);
    }
    if let (Some(a), Some(b)) = (first.age, second.age) {
        push("age", None, Continuous, standardised::continuous(a.moments(), b.moments()));
    }
    let (a, b) = (first.images_per_patient, second.images_per_patient);
    push("images_per_patient", None, Continuous, standardised::continuous(a.moments(), b.moments()));
    for covariate in &first.covariates {
        let Some(other) = second.covariates.iter().find(|c| c.field == covariate.field) else { continue };
        let at = |levels: &[Level], name: &str| {
            levels.iter().find(|l| l.level == name).map_or(0, |l| l.images.numerator)
        };
        let mut names: Vec<&str> = covariate.levels.iter().map(|l| l.level.as_str()).collect();
        names.extend(
            other
                .levels
                .iter()
                .map(|l| l.level.as_str())
                .filter(|name| !covariate.levels.iter().any(|l| l.level == *name)),
        );
        let counts: Vec<(u64, u64)> =
            names.iter().map(|name| (at(&covariate.levels, name), at(&other.levels, name))).collect();
        let (ours, theirs): (Vec<u64>, Vec<u64>) = counts.iter().copied().unzip();
        push(covariate.field, None, Categorical, standardised::categorical(&ours, &theirs));
        for (name, (a, b)) in names.iter().zip(counts) {
            let value = standardised::binary((a, first.images), (b, second.images));
            push(covariate.field, Some(name), Binary, value);
        }
    }
    let mut names: Vec<&str> = first.findings.iter().map(|f| f.finding.as_str()).collect();
    names.extend(
        second
            .findings
            .iter()
            .map(|f| f.finding.as_str())
            .filter(|name| !first.findings.iter().any(|f| f.finding == *name)),
    );
    for name in names {
        let at = |set: &SetDescription| {
            let found = set.findings.iter().find(|f| f.finding == name);
            (found.map_or(0, |f| f.images.numerator), set.images)
        };
        push("finding", Some(name), Binary, standardised::binary(at(first), at(second)));
    }
    let sizes = || differences.iter().filter_map(|d| d.value).map(f64::abs);
    Comparison {
        first: first.name.clone(),
        second: second.name.clone(),
        shared_patients,
        largest: sizes().reduce(f64::max),
        notable: sizes().filter(|size| *size > standardised::NOTABLE).count() as u64,
        differences,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::case::Sex;

    fn case(id: usize, patient: usize, age: Option<u16>, sex: Sex, findings: &[&str]) -> Case {
        Case {
            case_id: format!("C{id}"),
            patient_id: format!("P{patient}"),
            age_years: age,
            sex: Some(sex),
            findings: findings.iter().map(|f| (*f).to_owned()).collect(),
            source_label: Some(findings.contains(&"Pneumonia")),
            ..Case::default()
        }
    }

    fn request() -> Request {
        Request {
            positive: vec!["Pneumonia".to_owned()],
            bands: AgeBand::USUAL.to_vec(),
            fields: ["case_id", "patient_id", "sex", "age_years", "findings", "label"].into(),
            whole_first: false,
        }
    }

    fn cohort() -> Vec<Case> {
        vec![
            case(0, 0, Some(10), Sex::F, &["Edema", "Pneumonia"]),
            case(1, 0, Some(11), Sex::F, &[]),
            case(2, 1, Some(40), Sex::M, &["Edema"]),
            case(3, 2, None, Sex::M, &["Infiltration", "Pneumonia"]),
            case(4, 3, Some(90), Sex::F, &["Edema", "Infiltration", "Pneumonia"]),
        ]
    }

    #[test]
    fn every_count_of_a_small_table_is_as_counted_by_hand() {
        let cases = cohort();
        let set = Set { name: "all".into(), cases: cases.iter().collect() };
        let description = describe(&[set], &request());
        let all = &description.sets[0];
        assert_eq!((all.images, all.patients), (5, 4));
        assert_eq!(all.positives.pair(), (3, 5));
        assert_eq!(all.positive_patients.pair(), (3, 4));
        assert_eq!(all.without_finding.map(Share::pair), Some((1, 5)));
        let age = all.age.expect("ages");
        assert_eq!(
            (age.n, age.missing, age.mean, age.minimum, age.maximum),
            (4, 1, Some(37.75), Some(10), Some(90))
        );
        assert_eq!(age.quartiles, Some([10.75, 25.5, 52.5]));
        let bands: Vec<(&str, u64)> =
            all.covariates[1].levels.iter().map(|l| (l.level.as_str(), l.images.numerator)).collect();
        assert_eq!(bands, [("0-17", 2), ("40-59", 1), ("81-", 1), (NOT_RECORDED, 1)]);
        let beside: Vec<(&str, (u64, u64), (u64, u64))> = all
            .co_occurring
            .iter()
            .map(|f| (f.finding.as_str(), f.among_positives.pair(), f.among_negatives.pair()))
            .collect();
        assert_eq!(beside, [("Edema", (2, 3), (1, 2)), ("Infiltration", (2, 3), (0, 2))]);
        assert_eq!(all.co_occurrence.findings, ["Edema", "Pneumonia", "Infiltration"]);
        assert_eq!(all.co_occurrence.images, [[3, 2, 1], [2, 3, 2], [1, 2, 2]]);
        let numbers: Vec<(usize, u64, u64)> = all
            .comorbidity
            .iter()
            .map(|c| (c.findings, c.images.numerator, c.among_positives.numerator))
            .collect();
        assert_eq!(numbers, [(0, 1, 0), (1, 1, 0), (2, 2, 2), (3, 1, 1)]);
        assert_eq!(
            all.images_per_patient_counts,
            [ImagesPerPatient { images: 1, patients: 3 }, ImagesPerPatient { images: 2, patients: 1 }]
        );
        assert_eq!(all.missing.iter().map(|m| m.images.numerator).collect::<Vec<_>>(), [0, 1, 0]);
        let total: u64 = all.by_age_and_sex.iter().map(|c| c.images).sum();
        assert_eq!((total, all.by_age_and_sex[0].positives.pair()), (5, (1, 2)));
    }

    #[test]
    fn sets_are_compared_level_by_level_and_shared_patients_are_counted() {
        let cases = cohort();
        let first = Set { name: "one".into(), cases: vec![&cases[0], &cases[2]] };
        let second = Set { name: "two".into(), cases: vec![&cases[1], &cases[3], &cases[4]] };
        let both = describe(&[first, second], &request());
        let [comparison] = &both.comparisons[..] else { panic!("one pair") };
        assert_eq!(comparison.shared_patients, 1);
        let value = |variable: &str, level: Option<&str>| {
            comparison
                .differences
                .iter()
                .find(|d| d.variable == variable && d.level.as_deref() == level)
                .and_then(|d| d.value)
                .expect("a value")
        };
        // 1 of 2 and 2 of 3 are women.
        let expected = (0.5 - 2.0 / 3.0) / ((0.25 + 2.0 / 9.0) / 2.0_f64).sqrt();
        assert!((value("sex", Some("F")) - expected).abs() < 1e-12);
        assert!((value("sex", None) - expected.abs()).abs() < 1e-12);
        assert_eq!(comparison.differences.iter().filter(|d| d.variable == "finding").count(), 3);
    }

    #[test]
    fn age_bands_are_read_as_they_are_written() {
        for text in ["0-17", "18-18", "81-"] {
            assert_eq!(text.parse::<AgeBand>().expect("reads").to_string(), text);
        }
        for text in ["", "18", "40-39", "a-b", "-3", "70000-"] {
            assert!(text.parse::<AgeBand>().is_err(), "{text}");
        }
    }
}
