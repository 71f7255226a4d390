//! One set, counted.

use std::collections::{BTreeMap, BTreeSet};

use super::age_band::{AgeBand, NOT_RECORDED};
use super::description::{
    AgeAndSex, AgeBin, CoOccurrence, Combination, Comorbidity, Covariate, Finding, ImagesPerPatient, Level,
    Missing, SetDescription,
};
use super::levels::{FIELDS, has_field, level};
use super::numbers::{Numbers, Share};
use super::request::{Request, Set};
use crate::dataset::case::Case;

/// Width of the bins of the age histogram, in years.
const AGE_BIN: u16 = 5;

/// Combinations of findings that are listed; the rest is counted.
const COMBINATIONS: usize = 20;

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

/// The images of one patient.
#[derive(Default)]
struct OfPatient {
    images: u64,
    labelled: bool,
    positive: bool,
}

pub(super) fn of_set(set: &Set<'_>, request: &Request) -> SetDescription {
    let cases = &set.cases;
    let all = cases.len() as u64;
    let labelled = cases.iter().filter(|c| c.source_label.is_some()).count() as u64;
    let positives = cases.iter().filter(|c| c.source_label == Some(true)).count() as u64;
    let has = |field: &str| has_field(&request.fields, field);
    let mut per_patient: BTreeMap<&str, OfPatient> = BTreeMap::new();
    for case in cases {
        let entry = per_patient.entry(&case.patient_id).or_default();
        entry.images += 1;
        entry.labelled |= case.source_label.is_some();
        entry.positive |= case.source_label == Some(true);
    }
    let patients_with =
        |holds: fn(&OfPatient) -> bool| per_patient.values().filter(|patient| holds(patient)).count() as u64;
    let patients = per_patient.len() as u64;
    let told = if request.unlabelled_count { patients } else { patients_with(|patient| patient.labelled) };
    let positive_patients = Share::new(patients_with(|patient| patient.positive), told);
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for patient in per_patient.values() {
        *counts.entry(patient.images).or_default() += 1;
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
        positive_patients,
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
        images_per_patient: Numbers::of(per_patient.values().map(|patient| Some(patient.images))),
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
    Covariate { field: field.into(), levels }
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
    // Sorted by the band's place, then by the sex, with what is not recorded last.
    type Key = (usize, String, bool, String);
    let mut counts: BTreeMap<Key, [u64; 3]> = BTreeMap::new();
    for case in cases {
        let band = level(case, "age_band", bands);
        let place = case.age_years.and_then(|age| bands.iter().position(|b| b.holds(age)));
        let rank = place.unwrap_or(bands.len() + usize::from(case.age_years.is_none()));
        let key = (rank, band, case.sex.is_none(), level(case, "sex", bands));
        let entry = counts.entry(key).or_default();
        entry[0] += 1;
        entry[1] += u64::from(case.source_label.is_some());
        entry[2] += u64::from(case.source_label == Some(true));
    }
    counts
        .into_iter()
        .map(|((_, age_band, _, sex), [images, labelled, positives])| AgeAndSex {
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
            field: field.into(),
            images: Share::new(cases.iter().filter(|c| absent(c)).count() as u64, cases.len() as u64),
        })
        .collect()
}
