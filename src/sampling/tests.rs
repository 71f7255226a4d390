use proptest::prelude::*;

use super::*;
use crate::dataset::case::Attributes;
use crate::protocol::SampleTarget;

fn draw(cases: &[Case], eligible: &[usize], sample: &Sample) -> Result<Vec<usize>, Diagnostic> {
    crate::sampling::draw(cases, eligible, sample).map(|draw| draw.drawn)
}

fn cases(n: usize) -> Vec<Case> {
    (0..n)
        .map(|i| Case {
            case_id: format!("C{i:04}").into(),
            patient_id: format!("P{}", i / 2).into(),
            attributes: Attributes { source_label: Some(i % 4 == 0), ..Attributes::default() }.into(),
            ..Case::default()
        })
        .collect()
}

#[test]
fn the_draw_is_balanced_and_does_not_depend_on_the_order_of_the_table() {
    let cases = cases(200);
    let eligible: Vec<usize> = (0..200).collect();
    let target = Some(SampleTarget { cases: 40, positives: Some(20) });
    let sample = Sample { target, one_image_per_patient: false, seed: 3, ..Sample::default() };
    let drawn = draw(&cases, &eligible, &sample).expect("enough");
    assert_eq!(drawn.iter().filter(|i| cases[**i].source_label == Some(true)).count(), 20);
    assert_eq!(drawn.len(), 40);
    let mut reversed = cases.clone();
    reversed.reverse();
    let again = draw(&reversed, &eligible, &sample).expect("enough");
    let ids = |cases: &[Case], drawn: &[usize]| {
        let mut ids: Vec<_> = drawn.iter().map(|i| cases[*i].case_id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&cases, &drawn), ids(&reversed, &again));
}

#[test]
fn one_image_per_patient_gives_as_many_cases_as_patients() {
    let cases = cases(20);
    let sample = Sample { target: None, one_image_per_patient: true, seed: 3, ..Sample::default() };
    assert_eq!(draw(&cases, &(0..20).collect::<Vec<_>>(), &sample).expect("draws").len(), 10);
}

#[test]
fn too_few_eligible_cases_give_the_numbers() {
    let target = Some(SampleTarget { cases: 20, positives: Some(10) });
    let sample = Sample { target, one_image_per_patient: false, seed: 3, ..Sample::default() };
    let problem = draw(&cases(20), &(0..20).collect::<Vec<_>>(), &sample).expect_err("too few");
    assert_eq!(problem.code.as_str(), "too-few-eligible");
    assert!(problem.message.contains("10 cases with and 10 without the source label; eligible are 5 and 15"));
}

#[test]
fn the_draw_keeps_to_eligible_cases_and_stands_in_the_order_of_the_table() {
    let cases = cases(60);
    let eligible: Vec<usize> = (0..60).filter(|i| i % 3 != 0).collect();
    for positives in [None, Some(4)] {
        let target = Some(SampleTarget { cases: 12, positives });
        let drawn = draw(
            &cases,
            &eligible,
            &Sample { target, one_image_per_patient: false, seed: 5, ..Sample::default() },
        )
        .expect("enough");
        assert_eq!(drawn.len(), 12);
        assert!(drawn.is_sorted() && drawn.iter().all(|index| eligible.contains(index)), "{drawn:?}");
        let positive = drawn.iter().filter(|i| cases[**i].source_label == Some(true)).count();
        assert!(positives.is_none_or(|wanted| wanted == positive as u64), "{positive}");
    }
    let all = draw(
        &cases,
        &eligible,
        &Sample { target: None, one_image_per_patient: false, seed: 5, ..Sample::default() },
    );
    assert_eq!(all.expect("draws"), eligible);
}

#[test]
fn the_seed_decides_the_draw() {
    let cases = cases(100);
    let eligible: Vec<usize> = (0..100).collect();
    let with = |seed, one_image_per_patient| {
        let target = Some(SampleTarget { cases: 10, positives: None });
        draw(&cases, &eligible, &Sample { target, one_image_per_patient, seed, ..Sample::default() })
            .expect("enough")
    };
    assert_eq!(with(1, false), with(1, false));
    assert_ne!(with(1, false), with(2, false));
    assert_ne!(with(1, false), (0..10).collect::<Vec<_>>(), "not the first of the table");
    assert_ne!(with(1, true), with(2, true), "which image of a patient is drawn, too");
    assert_eq!(with(1, true).len(), 10);
}

#[test]
fn one_image_per_patient_takes_each_patient_once_whatever_the_target() {
    let cases = cases(40);
    let target = Some(SampleTarget { cases: 8, positives: Some(4) });
    let sample = Sample { target, one_image_per_patient: true, seed: 9, ..Sample::default() };
    let drawn = draw(&cases, &(0..40).collect::<Vec<_>>(), &sample).expect("enough");
    let patients: BTreeSet<_> = drawn.iter().map(|index| cases[*index].patient_id.as_str()).collect();
    assert_eq!((drawn.len(), patients.len()), (8, 8));
}

#[test]
fn exactly_enough_is_enough_and_one_less_is_not() {
    let cases = cases(20);
    let eligible: Vec<usize> = (0..20).collect();
    let with = |cases_wanted, positives| {
        let target = Some(SampleTarget { cases: cases_wanted, positives });
        draw(
            &cases,
            &eligible,
            &Sample { target, one_image_per_patient: false, seed: 3, ..Sample::default() },
        )
        .map(|drawn| drawn.len())
        .map_err(|problem| problem.message)
    };
    assert_eq!(with(20, None), Ok(20));
    let problem = with(21, None).expect_err("too few");
    assert!(problem.contains("21 cases") && problem.contains("eligible are 20"), "{problem}");
    // 5 cases with and 15 without the source label are there.
    assert_eq!(with(20, Some(5)), Ok(20));
    assert_eq!(with(5, Some(5)), Ok(5), "no negative is wanted");
    assert!(with(6, Some(6)).is_err(), "too few positives");
    assert!(with(16, Some(0)).is_err(), "too few negatives");
}

#[test]
fn a_patient_with_any_number_of_images_gives_one() {
    let patients = ["a", "b", "b", "c", "c", "c", "c", "d"];
    let case = |(i, patient): (usize, &&str)| Case {
        case_id: format!("C{i}").into(),
        patient_id: (*patient).into(),
        ..Case::default()
    };
    let cases: Vec<Case> = patients.iter().enumerate().map(case).collect();
    for seed in 0..8 {
        let sample = Sample { target: None, one_image_per_patient: true, seed, ..Sample::default() };
        let drawn = draw(&cases, &(0..8).collect::<Vec<_>>(), &sample).expect("draws");
        let found: Vec<_> = drawn.iter().map(|index| patients[*index]).collect();
        assert_eq!(found, ["a", "b", "c", "d"], "seed {seed}");
    }
}

/// Cases of two sites and both labels, each with a day; every seventh of no site.
fn pool(n: usize) -> Vec<Case> {
    let mut cases = cases(n);
    for (i, case) in cases.iter_mut().enumerate() {
        let site = ["north", "north", "south"][i % 3];
        case.site = (i % 7 != 0).then(|| site.into());
        case.other
            .insert("acquired".to_owned(), format!("2024-{:02}-{:02}", 1 + i * 5 % 12, 1 + i * 11 % 28));
    }
    cases
}

fn by_site(total: u64, counts: &[(&str, u64)]) -> Sample {
    let counts =
        counts.iter().map(|(level, cases)| StratumCount { levels: vec![(*level).to_owned()], cases: *cases });
    Sample {
        target: Some(SampleTarget { cases: total, positives: None }),
        seed: 11,
        method: SampleMethod::Stratified { by: vec!["site".to_owned()], counts: counts.collect() },
        ..Sample::default()
    }
}

fn whole(cases: &[Case], sample: &Sample) -> Result<Draw, Diagnostic> {
    crate::sampling::draw(cases, &(0..cases.len()).collect::<Vec<_>>(), sample)
}

#[test]
fn strata_are_drawn_in_proportion_or_as_declared() {
    let cases = pool(210);
    // 60 of north, 30 of south and 15 of no site among each 105.
    let found = whole(&cases, &by_site(21, &[])).expect("draws");
    let told: Vec<(&str, u64, u64)> =
        found.strata.iter().map(|s| (s.name.as_str(), s.pool, s.drawn)).collect();
    assert_eq!(told, [("north", 120, 12), ("not recorded", 30, 3), ("south", 60, 6)]);
    assert!(found.drawn.iter().all(|place| found.weight(*place) == Some(10.0)));
    // The largest remainders: 22 cases are 12.57, 3.14 and 6.29.
    let drawn = |n| -> Vec<u64> {
        whole(&cases, &by_site(n, &[])).expect("draws").strata.iter().map(|s| s.drawn).collect()
    };
    assert_eq!((drawn(22), drawn(23), drawn(210)), (vec![13, 3, 6], vec![13, 3, 7], vec![120, 30, 60]));
    let found = whole(&cases, &by_site(40, &[("north", 20), ("south", 20)])).expect("draws");
    assert_eq!(found.drawn.len(), 40);
    let weights: Vec<Option<f64>> = found.strata.iter().map(Stratum::weight).collect();
    assert_eq!(weights, [Some(6.0), None, Some(3.0)]);
    let [warning] = &found.warnings[..] else { panic!("{:?}", found.warnings) };
    assert_eq!(warning.code, Code::StratumNotDrawn);
    assert!(warning.message.contains("not recorded (30)"), "{}", warning.message);
}

#[test]
fn a_shortage_is_refused_or_taken_as_declared_and_said() {
    let cases = pool(42);
    let declared = by_site(50, &[("east", 5), ("north", 20), ("south", 25)]);
    let problem = whole(&cases, &declared).expect_err("too few");
    assert_eq!(problem.code, Code::TooFewEligible);
    assert!(problem.message.contains("east: 0 of 5; south: 12 of 25"), "{}", problem.message);
    let take = Sample { shortage: Shortage::Take, ..declared };
    let found = whole(&cases, &take).expect("takes what there is");
    assert_eq!(found.strata.iter().map(Stratum::lacking).collect::<Vec<_>>(), [5, 0, 0, 13]);
    assert_eq!(found.warnings[0].code, Code::SampleShort);
    assert!(found.warnings[0].message.contains("18 fewer than asked for"), "{}", found.warnings[0].message);
    for (sample, lacking) in [
        (by_site(50, &[]), 8),
        (Sample { target: Some(SampleTarget { cases: 50, positives: None }), ..Sample::default() }, 8),
        (Sample { target: Some(SampleTarget { cases: 30, positives: Some(15) }), ..Sample::default() }, 4),
    ] {
        assert_eq!(whole(&cases, &sample).expect_err("refuses").code, Code::TooFewEligible);
        let found = whole(&cases, &Sample { shortage: Shortage::Take, ..sample }).expect("takes");
        assert_eq!(found.strata.iter().map(Stratum::lacking).sum::<u64>(), lacking);
    }
    // Nobody at all is refused whatever is declared.
    let nobody = by_site(5, &[("east", 5)]);
    assert!(whole(&cases, &Sample { shortage: Shortage::Take, ..nobody }).is_err());
}

#[test]
fn consecutive_cases_are_the_first_by_day_and_need_one() {
    let mut cases = pool(60);
    let sample = Sample {
        target: Some(SampleTarget { cases: 10, positives: None }),
        method: SampleMethod::Consecutive { order_by: "acquired".to_owned() },
        ..Sample::default()
    };
    let found = whole(&cases, &sample).expect("draws");
    let last = found.drawn.iter().map(|i| &cases[*i].other["acquired"]).max().expect("ten");
    let rest = (0..60).filter(|i| !found.drawn.contains(i)).map(|i| &cases[i].other["acquired"]).min();
    assert!(Some(last) <= rest, "{last} {rest:?}");
    assert!(found.stratum_of.is_empty());
    assert_eq!(whole(&cases, &Sample { seed: 99, ..sample.clone() }).expect("draws").drawn, found.drawn);
    let one = Sample { one_image_per_patient: true, ..sample.clone() };
    for place in whole(&cases, &one).expect("draws").drawn {
        let of_patient = cases.iter().filter(|c| c.patient_id == cases[place].patient_id);
        assert_eq!(of_patient.map(|c| &c.other["acquired"]).min(), Some(&cases[place].other["acquired"]));
    }
    cases[3].other.clear();
    let problem = whole(&cases, &sample).expect_err("no day");
    assert_eq!(problem.code, Code::SampleOrderMissing);
    assert!(problem.message.contains("1 eligible cases") && problem.message.contains("C0003"), "{problem}");
}

#[test]
fn an_enriched_draw_is_the_balanced_one_with_weights() {
    let cases = cases(200);
    let target = Some(SampleTarget { cases: 40, positives: Some(20) });
    let plain = Sample { target, seed: 3, ..Sample::default() };
    let (without, with) = (
        whole(&cases, &plain).expect("draws"),
        whole(&cases, &Sample { method: SampleMethod::Enriched, ..plain }).expect("draws"),
    );
    assert_eq!(without.drawn, with.drawn);
    assert_eq!((without.weight(without.drawn[0]), without.stratum_of.len()), (None, 0));
    for place in &with.drawn {
        let weight = if cases[*place].source_label == Some(true) { 2.5 } else { 7.5 };
        assert_eq!(with.weight(*place), Some(weight));
    }
}

fn methods() -> impl Strategy<Value = Sample> {
    let method = prop::sample::select(vec![
        SampleMethod::Random,
        SampleMethod::Enriched,
        SampleMethod::Consecutive { order_by: "acquired".to_owned() },
        SampleMethod::Stratified { by: vec!["site".to_owned()], counts: Vec::new() },
        SampleMethod::Stratified { by: vec!["site".to_owned(), "label".to_owned()], counts: Vec::new() },
    ]);
    (method, 1_u64..80, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(method, n, one, take, seed)| {
            let positives = matches!(method, SampleMethod::Enriched).then_some(n / 3);
            Sample {
                target: Some(SampleTarget { cases: n, positives }),
                one_image_per_patient: one,
                seed,
                method,
                shortage: if take { Shortage::Take } else { Shortage::Refuse },
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_draw_accounts_for_every_case_and_does_not_see_the_order_of_rows(
        sample in methods(),
        n in 1_usize..60,
        gone in prop::collection::btree_set(0_usize..60, 0..20),
        turn in 0_usize..60,
    ) {
        let cases = pool(n);
        let eligible: Vec<usize> = (0..n).filter(|place| !gone.contains(place)).collect();
        let drawn = crate::sampling::draw(&cases, &eligible, &sample);
        let mut turned = cases.clone();
        turned.reverse();
        turned.rotate_left(turn % n);
        let there: Vec<usize> =
            {
            let was = |place: &usize| cases.iter().position(|c| *c == turned[*place]).expect("there");
            (0..n).filter(|place| !gone.contains(&was(place))).collect()
        };
        let again = crate::sampling::draw(&turned, &there, &sample);
        let (Ok(drawn), Ok(again)) = (&drawn, &again) else {
            prop_assert_eq!(drawn.is_err(), again.is_err());
            return Ok(());
        };
        let ids = |cases: &[Case], draw: &Draw| -> BTreeSet<String> {
            draw.drawn.iter().map(|place| cases[*place].case_id.to_string()).collect()
        };
        prop_assert_eq!(ids(&cases, drawn), ids(&turned, again));
        prop_assert_eq!(&drawn.strata, &again.strata);
        // With one image a patient the frame has each patient once.
        let of_frame: BTreeSet<&str> = eligible.iter().map(|p| cases[*p].patient_id.as_str()).collect();
        let frame = if sample.one_image_per_patient { of_frame.len() } else { eligible.len() };
        prop_assert_eq!(drawn.frame, frame as u64);
        // Who is drawn is eligible, once, and what was asked for is drawn or lacking.
        prop_assert!(drawn.drawn.is_sorted() && drawn.drawn.iter().all(|place| eligible.contains(place)));
        let sum = |of: fn(&Stratum) -> u64| drawn.strata.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|s| s.drawn), drawn.drawn.len() as u64);
        let target = sample.target.expect("a target").cases;
        prop_assert_eq!(sum(|s| s.drawn) + sum(Stratum::lacking), target);
        prop_assert!(sum(Stratum::lacking) == 0 || sample.shortage == Shortage::Take);
        if sample.one_image_per_patient {
            let of = drawn.drawn.iter().map(|place| cases[*place].patient_id.as_str());
            let patients: BTreeSet<&str> = of.collect();
            prop_assert_eq!(patients.len(), drawn.drawn.len());
        }
        // Weights of the drawn cases of a stratum sum up to its pool, and the pools to who could be drawn.
        if sample.method.is_weighted() {
            prop_assert_eq!(drawn.stratum_of.len() as u64, sum(|s| s.pool));
            for (number, stratum) in drawn.strata.iter().enumerate() {
                let own = drawn.drawn.iter().filter(|place| drawn.stratum_of[place] == number);
                let weights: f64 = own.filter_map(|place| drawn.weight(*place)).sum();
                let pool = if stratum.drawn > 0 { stratum.pool as f64 } else { 0.0 };
                prop_assert!((weights - pool).abs() < 1e-9, "{} {:?}", weights, stratum);
            }
        } else {
            prop_assert!(drawn.stratum_of.is_empty());
        }
    }
}
