use proptest::prelude::*;
use serde_json::Value;

use super::*;

const LEVEL: f64 = 0.95;

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).expect("a number")
}

fn near(found: f64, expected: &Value, what: &str) {
    let expected = number(expected);
    assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{what}: {found} {expected}");
}

fn same(found: Known, expected: &Value, what: &str) {
    near(found.value, &expected[0], what);
    let (low, high) = found.limits.expect("limits");
    near(low, &expected[1], what);
    near(high, &expected[2], what);
}

/// `fixtures/reference-values/make_repeatability.py`: exact fractions over all pairs, 30 digits.
#[test]
fn everything_matches_thirty_digits_by_another_route() {
    let text = include_str!("../../../fixtures/reference-values/ref/repeatability.json");
    let sets: Value = serde_json::from_str(text).expect("JSON");
    let sets = sets.as_array().expect("sets");
    for set in sets {
        let image =
            |v: &Value| Image { score: number(&v[0]), condition: v[1].as_u64().expect("a level") as u32 };
        let of = |v: &Value| v.as_array().expect("images").iter().map(image).collect::<Vec<_>>();
        let patients: Vec<Vec<Image>> =
            set["patients"].as_array().expect("patients").iter().map(of).collect();
        let expected = &set["found"];
        let found = components(&patients, LEVEL).expect("components");
        same(found.within, &expected["within"], "within");
        near(found.between, &expected["between"], "between");
        same(found.intraclass.expect("a correlation"), &expected["intraclass"], "intraclass");
        let repeated = patients.iter().filter(|images| images.len() > 1);
        let differences: Vec<f64> = repeated.map(|i| i[1].score - i[0].score).collect();
        let pairs = Differences::of(&differences, LEVEL).expect("differences");
        same(pairs.mean, &expected["mean"], "mean");
        near(pairs.sd.expect("a spread"), &expected["sd"], "sd");
        let agreement = pairs.agreement.expect("limits of agreement");
        same(agreement.lower, &expected["lower"], "lower");
        same(agreement.upper, &expected["upper"], "upper");
        let calls = Agreements::of(&patients, 0.5, Partners::All, LEVEL).expect("partners");
        for (kind, found) in
            [("overall", Some(calls.overall)), ("positive", calls.positive), ("negative", calls.negative)]
        {
            let (found, expected) = (found.expect("an agreement"), &expected[kind]);
            same(found.share, expected, kind);
            assert_eq!(
                (found.images, found.patients),
                (expected[3].as_u64().expect("images"), expected[4].as_u64().expect("patients"),)
            );
        }
        let by = by_condition(&patients, LEVEL).expect("conditions");
        same(by.different, &expected["different"], "different");
        match by.same {
            Some(found) => same(found, &expected["same"], "same"),
            None => assert!(expected["same"].is_null()),
        }
    }
    assert_eq!(sets.len(), 4);
}

fn images(scores: &[f64]) -> Vec<Image> {
    scores.iter().map(|score| Image { score: *score, condition: 0 }).collect()
}

#[test]
fn two_images_a_patient_agree_as_textbooks_count_it() {
    // 40 both positive, 10 one alone, 30 both negative: 2·40/(2·40 + 10) and 2·30/(2·30 + 10).
    let mut patients = vec![images(&[0.9, 0.8]); 40];
    patients.extend(vec![images(&[0.9, 0.1]); 10]);
    patients.extend(vec![images(&[0.2, 0.1]); 30]);
    let found = Agreements::of(&patients, 0.5, Partners::All, LEVEL).expect("partners");
    let value = |of: Option<Agreement>| of.expect("an agreement").share.value;
    assert!((value(found.positive) - 80.0 / 90.0).abs() < 1e-15);
    assert!((value(found.negative) - 60.0 / 70.0).abs() < 1e-15);
    assert!((found.overall.share.value - 70.0 / 80.0).abs() < 1e-15);
    assert_eq!(found.overall.patients, 80);
    assert_eq!(Agreements::of(&patients, 0.5, Partners::Different, LEVEL), None, "one condition");
}

#[test]
fn differences_that_do_not_vary_have_no_interval() {
    // The second set is 0.1 in every pair, give or take the last bit.
    for same in [vec![1.0, 1.0, 1.0], vec![0.3 - 0.2, 0.2 - 0.1, 0.4 - 0.3], vec![0.0; 5], vec![0.25]] {
        let found = Differences::of(&same, LEVEL).expect("differences").without_points();
        assert_eq!(found.mean.limits, None, "{same:?}");
        let limits = found.agreement.iter().flat_map(|of| [of.lower.limits, of.upper.limits]);
        assert!(limits.flatten().next().is_none(), "{same:?}");
    }
    for varied in [vec![0.0, 1e-6], vec![1.0, 1.0, 1.0 + 1e-6], vec![-0.5, 0.5]] {
        let found = Differences::of(&varied, LEVEL).expect("differences");
        assert_eq!(found.without_points(), found, "{varied:?}");
        assert!(found.mean.limits.is_some());
    }
}

#[test]
fn a_device_that_never_differs_has_an_exact_bound_and_no_spread() {
    let patients: Vec<Vec<Image>> = (0..30).map(|i| images(&[f64::from(i) / 30.0; 2])).collect();
    let found = components(&patients, LEVEL).expect("components");
    assert_eq!((found.within.value, found.within.limits), (0.0, None));
    assert_eq!(found.repeatability.value, 0.0);
    assert_eq!(found.intraclass.expect("a correlation").value, 1.0);
    let calls = Agreements::of(&patients, 0.5, Partners::All, LEVEL).expect("partners");
    let positive = calls.positive.expect("positives");
    // 15 patients of 15: (α/2)^(1/15), as if each patient were one trial.
    let (low, high) = positive.share.limits.expect("limits");
    assert!((low - 0.025_f64.powf(1.0 / 15.0)).abs() < 1e-12 && high == 1.0, "{low} {high}");
    assert_eq!(components(&[images(&[0.1]), images(&[0.9])], LEVEL), None, "nobody has two images");
    assert_eq!(components(&[], LEVEL), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_scores_limits_hold_their_value_and_nothing_is_no_number(
        sizes in prop::collection::vec(prop::collection::vec((0_u32..=20, 0_u32..3), 0..5), 0..12),
        level in 0.6..0.999,
    ) {
        let patients: Vec<Vec<Image>> = sizes
            .iter()
            .map(|p| p.iter().map(|(s, c)| Image { score: f64::from(*s) / 20.0, condition: *c }).collect())
            .collect();
        let mut known = Vec::new();
        if let Some(found) = components(&patients, level) {
            known.extend([found.within, found.repeatability]);
            known.extend(found.intraclass);
            prop_assert!(found.between.is_finite());
        }
        if let Some(found) = by_condition(&patients, level) {
            known.extend(found.same.into_iter().chain([found.different]));
            prop_assert!(found.condition.is_none_or(f64::is_finite));
        }
        for partners in [Partners::All, Partners::Same, Partners::Different] {
            let Some(found) = Agreements::of(&patients, 0.5, partners, level) else { continue };
            for share in [Some(found.overall), found.positive, found.negative].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&share.share.value));
                let (low, high) = share.share.limits.expect("limits");
                prop_assert!(low >= 0.0 && high <= 1.0);
                known.push(share.share);
            }
        }
        for one in known {
            prop_assert!(one.value.is_finite());
            if let Some((low, high)) = one.limits {
                prop_assert!(low <= one.value + 1e-9 && one.value <= high + 1e-9, "{one:?} {patients:?}");
            }
        }
    }

    #[test]
    fn the_order_of_patients_and_a_shift_of_all_scores_change_nothing(
        patients in prop::collection::vec(prop::collection::vec(0.0..1.0_f64, 2..5), 3..10),
        shift in -0.5..0.5,
    ) {
        let one: Vec<Vec<Image>> = patients.iter().map(|scores| images(scores)).collect();
        let mut turned = one.clone();
        turned.reverse();
        turned.iter_mut().flatten().for_each(|image| image.score += shift);
        let (a, b) = (components(&one, LEVEL).expect("a"), components(&turned, LEVEL).expect("b"));
        prop_assert!((a.within.value - b.within.value).abs() < 1e-9);
        prop_assert!((a.between - b.between).abs() < 1e-6);
        let (a, b) = (a.within.limits.expect("limits"), b.within.limits.expect("limits"));
        prop_assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
    }
}
