use super::*;
use crate::dataset::case::{Attributes, Case, Sex};

fn case(id: usize, patient: usize, age: Option<u16>, sex: Sex, findings: &[&str]) -> Case {
    Case {
        case_id: format!("C{id}").into(),
        patient_id: format!("P{patient}").into(),
        age_years: age,
        attributes: Attributes {
            sex: Some(sex),
            findings: findings.iter().map(|f| (*f).to_owned()).collect(),
            source_label: Some(findings.contains(&"Pneumonia")),
            ..Attributes::default()
        }
        .into(),
        ..Case::default()
    }
}

fn request() -> Request {
    Request {
        positive: vec!["Pneumonia".to_owned()],
        bands: AgeBand::USUAL.to_vec(),
        fields: ["case_id", "patient_id", "sex", "age_years", "findings", "label"].into(),
        unlabelled_count: false,
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
    let beside: Vec<_> = all
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
fn patients_whose_label_is_not_known_are_not_negative() {
    let unknown = |id: usize, patient: usize| {
        let mut case = case(id, patient, None, Sex::F, &[]);
        let attributes = Attributes { source_label: None, ..Attributes::clone(&case.attributes) };
        case.attributes = attributes.into();
        case
    };
    let counted = |cases: &[Case], request: &Request| {
        let set = Set { name: "all".into(), cases: cases.iter().collect() };
        let all = describe(&[set], request).sets.remove(0);
        (all.patients, all.positive_patients.pair())
    };
    let nobody = [unknown(0, 0), unknown(1, 1)];
    // The first patient has a known image beside an unknown one.
    let some = [case(0, 0, None, Sex::F, &["Pneumonia"]), unknown(1, 0), unknown(2, 1)];
    assert_eq!(counted(&nobody, &request()), (2, (0, 0)));
    assert_eq!(counted(&some, &request()), (2, (1, 1)));
    // As bundles have it.
    let all = Request { unlabelled_count: true, ..request() };
    assert_eq!((counted(&nobody, &all), counted(&some, &all)), ((2, (0, 2)), (2, (1, 2))));
}

#[test]
fn bands_that_share_an_age_or_go_back_do_not_ascend() {
    for (bands, ascend) in [
        ("0-17,18-39,81-", true),
        ("10-20", true),
        ("0-17,20-30", true),
        ("0-17,10-20", false),
        ("0-17,17-20", false),
        ("18-39,0-17", false),
        ("81-,90-95", false),
    ] {
        let read: Vec<AgeBand> = bands.split(',').map(|band| band.parse().expect("a band")).collect();
        assert_eq!(AgeBand::ascend(&read), ascend, "{bands}");
    }
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
