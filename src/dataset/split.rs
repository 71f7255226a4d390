//! Training and tuning: whole patients on one side, stratified by whether a patient has a positive image,
//! seeded.

use crate::table::id::Form;
use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::shared;
use crate::diagnostic::{Code, Diagnostic, Error, Result, few};
use crate::random::Stream;

/// How a development table is divided.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SplitRule {
    /// Share of the patients, in each stratum, that goes to tuning. Between 0 and 1, both excluded.
    pub tuning_fraction: f64,
    /// Seed of the draw.
    pub seed: u64,
}

/// Numbers of the cases on each side, in table order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Places in the table.
    pub training: Vec<usize>,
    /// Places in the table.
    pub tuning: Vec<usize>,
}

/// Divides cases by patient. A patient is positive when any image of the patient has a positive source label.
/// In each of the two strata the patients, sorted by id, are put in random order; the first
/// `round(fraction * patients)` go to tuning, at least one and at most all but one.
///
/// # Errors
/// `label-missing` with every case that has no source label; `split-one-class` when a stratum has fewer than
/// two patients, because then one side would have one class alone.
pub fn by_patient(cases: &[Case], rule: SplitRule) -> Result<Split> {
    let positive = patients(cases)?;
    let mut tuning_patients = BTreeSet::new();
    let mut problems = Vec::new();
    for (number, stratum) in [false, true].into_iter().enumerate() {
        let mut ids: Vec<&str> =
            positive.iter().filter(|(_, is_positive)| **is_positive == stratum).map(|(id, _)| *id).collect();
        let name = if stratum { "positive" } else { "negative" };
        if ids.len() < 2 {
            let message = format!(
                "the development cases have {} patients whose label is {name}; training and tuning need \
                 one each",
                ids.len()
            );
            problems.push(Diagnostic::error(Code::SplitOneClass, message).hint(
                "both sides need positive and negative patients: give more cases, or another positive \
                 finding",
            ));
            continue;
        }
        Stream::new(rule.seed, number as u64).shuffle(&mut ids);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the count"
        )]
        let count =
            (rule.tuning_fraction * ids.len() as f64).round().clamp(1.0, ids.len() as f64 - 1.0) as usize;
        tuning_patients.extend(ids.into_iter().take(count));
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let (tuning, training) =
        (0..cases.len()).partition(|&i| tuning_patients.contains(cases[i].patient_id.as_str()));
    Ok(Split { training, tuning })
}

/// Refuses two tables that share a patient or a case; a warning where they probably share patients.
///
/// # Errors
/// `patient-on-both-sides` and `case-on-both-sides`, each with all ids.
pub fn check_separate(training: &[Case], tuning: &[Case]) -> Result<Option<Diagnostic>> {
    let mut items = shared::items(0, training, |_| None);
    items.extend(shared::items(1, tuning, |_| None));
    let found = shared::shared(&items, Form::Seen);
    let mut problems = Vec::new();
    let probable = shared::probably_shared(&found, "the training side", "the tuning side");
    let mut report = |code, what: &str, ids: BTreeSet<String>| {
        if !ids.is_empty() {
            let list = ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("{} {what} on both sides of the split: {list}", ids.len());
            problems.push(
                Diagnostic::error(code, message)
                    .hint("every image of a patient belongs to one side; move or remove these rows"),
            );
        }
    };
    report(Code::PatientOnBothSides, "patients are", found.patients);
    report(Code::CaseOnBothSides, "cases are", found.cases);
    if problems.is_empty() { Ok(probable) } else { Err(Error::Input(problems)) }
}

/// Refuses a side that lacks labels or has one class alone.
///
/// # Errors
/// `label-missing` with the cases, `split-one-class`.
pub fn check_classes(side: &str, cases: &[Case]) -> Result<()> {
    let _ = patients(cases)?;
    let positives = cases.iter().filter(|case| case.source_label == Some(true)).count();
    if positives > 0 && positives < cases.len() {
        return Ok(());
    }
    let message =
        format!("{positives} of the {} {side} cases are positive; both classes are needed", cases.len());
    Err(Diagnostic::error(Code::SplitOneClass, message)
        .hint("give cases of both classes on both sides")
        .into())
}

/// Whether each patient has a positive image.
fn patients(cases: &[Case]) -> Result<BTreeMap<&str, bool>> {
    let mut positive: BTreeMap<&str, bool> = BTreeMap::new();
    let mut unlabelled = Vec::new();
    for case in cases {
        match case.source_label {
            Some(label) => *positive.entry(&case.patient_id).or_default() |= label,
            None => unlabelled.push(case.case_id.as_str()),
        }
    }
    if unlabelled.is_empty() {
        return Ok(positive);
    }
    let shown = few::and_more(&unlabelled, 12);
    Err(Diagnostic::error(
        Code::LabelMissing,
        format!("{} of {} cases have no label to train with: {shown}", unlabelled.len(), cases.len()),
    )
    .hint("give the column `label` (0 or 1) for every development case")
    .into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dataset::case::Attributes;

    fn case(number: usize, patient: usize, label: bool) -> Case {
        Case {
            case_id: format!("C{number:04}").into(),
            patient_id: format!("P{patient:04}").into(),
            attributes: Attributes { source_label: Some(label), ..Attributes::default() }.into(),
            ..Case::default()
        }
    }

    /// Patients of one to three images; every fourth patient has one positive image.
    fn cohort(patients: usize) -> Vec<Case> {
        let images = |p: usize| (0..1 + p % 3).map(move |i| (p, p.is_multiple_of(4) && i == p % 3));
        let all = (0..patients).flat_map(images).enumerate();
        all.map(|(number, (patient, label))| case(number, patient, label)).collect()
    }

    #[test]
    fn patients_stay_whole_and_both_strata_are_divided_by_the_fraction() {
        let cases = cohort(400);
        let rule = SplitRule { tuning_fraction: 0.2, seed: 11 };
        let split = by_patient(&cases, rule).expect("splits");
        let ids = |side: &[usize]| -> BTreeSet<&str> {
            side.iter().map(|&i| cases[i].patient_id.as_str()).collect()
        };
        let (training, tuning) = (ids(&split.training), ids(&split.tuning));
        assert!(training.is_disjoint(&tuning));
        assert_eq!((training.len(), tuning.len()), (320, 80));
        let positive = |ids: &BTreeSet<&str>| {
            ids.iter().filter(|id| id[1..].parse::<usize>().expect("number").is_multiple_of(4)).count()
        };
        assert_eq!((positive(&training), positive(&tuning)), (80, 20));
        assert_eq!(by_patient(&cases, rule).expect("splits"), split);
        assert_ne!(by_patient(&cases, SplitRule { seed: 12, ..rule }).expect("splits"), split);
    }

    #[test]
    fn one_class_and_missing_labels_are_refused_with_the_ids() {
        let rule = SplitRule { tuning_fraction: 0.5, seed: 1 };
        let negative: Vec<Case> = (0..4).map(|i| case(i, i, false)).collect();
        let code =
            |cases: &[Case]| by_patient(cases, rule).expect_err("refused").diagnostics()[0].code.as_str();
        assert_eq!(code(&negative), "split-one-class");
        let mut unlabelled = cohort(8);
        unlabelled[3].source_label = None;
        let error = by_patient(&unlabelled, rule).expect_err("refused");
        assert!(error.to_string().contains("1 of 15 cases have no label to train with: C0003"), "{error}");
    }

    #[test]
    fn a_patient_on_both_sides_is_named() {
        let training = [case(1, 1, true), case(2, 2, false)];
        let tuning = [case(3, 2, false), case(4, 3, true)];
        let error = check_separate(&training, &tuning).expect_err("shared");
        assert_eq!(error.diagnostics().len(), 1);
        assert!(error.to_string().contains("1 patients are on both sides of the split: P0002"), "{error}");
        assert!(check_separate(&training, &[case(5, 9, true)]).is_ok());
        let both = check_separate(&training, &training).expect_err("shared");
        assert_eq!(both.diagnostics().len(), 2);
    }

    proptest! {
        #[test]
        fn every_case_is_on_exactly_one_side(
            patients in 8_usize..60,
            fraction in 0.01_f64..0.99,
            seed in any::<u64>(),
        ) {
            let cases = cohort(patients);
            let split = by_patient(&cases, SplitRule { tuning_fraction: fraction, seed }).expect("splits");
            let mut all = [split.training.clone(), split.tuning.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..cases.len()).collect::<Vec<_>>());
            prop_assert!(!split.training.is_empty() && !split.tuning.is_empty());
        }
    }
}
