//! The cohort, drawn from the eligible cases with the protocol's seed. Pure.

use std::collections::BTreeMap;

use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::Sample;
use crate::random::Stream;

/// Draws the cohort: positions of the drawn cases, ascending. The draw depends on the seed and on the
/// set of eligible case ids, not on their order in the table.
///
/// # Errors
/// `too-few-eligible` with the numbers that are there.
pub fn draw(cases: &[Case], eligible: &[usize], sample: &Sample) -> Result<Vec<usize>, Diagnostic> {
    let mut pool = eligible.to_vec();
    pool.sort_by(|a, b| cases[*a].case_id.cmp(&cases[*b].case_id));
    let mut stream = Stream::new(sample.seed, 0);
    stream.shuffle(&mut pool);
    if sample.one_image_per_patient {
        let mut first = BTreeMap::new();
        for (rank, index) in pool.iter().enumerate() {
            first.entry(cases[*index].patient_id.as_str()).or_insert(rank);
        }
        let kept: Vec<usize> = pool
            .iter()
            .enumerate()
            .filter(|(rank, index)| first.get(cases[**index].patient_id.as_str()) == Some(rank))
            .map(|(_, index)| *index)
            .collect();
        pool = kept;
    }
    let mut drawn = match sample.target {
        None => pool,
        Some(target) => match target.positives {
            None => {
                enough("cases", pool.len(), target.cases)?;
                pool.truncate(target.cases as usize);
                pool
            }
            Some(positives) => {
                let with = |label| {
                    let of_label = |index: &usize| cases[*index].source_label == Some(label);
                    pool.iter().copied().filter(of_label).collect::<Vec<_>>()
                };
                let (mut positive, mut negative) = (with(true), with(false));
                let negatives = target.cases - positives;
                if (positive.len() as u64) < positives || (negative.len() as u64) < negatives {
                    return Err(too_few(&format!(
                        "the target is {positives} cases with and {negatives} without the source label; \
                         eligible are {} and {}",
                        positive.len(),
                        negative.len()
                    )));
                }
                positive.truncate(positives as usize);
                negative.truncate(negatives as usize);
                positive.append(&mut negative);
                positive
            }
        },
    };
    drawn.sort_unstable();
    Ok(drawn)
}

fn enough(what: &str, found: usize, wanted: u64) -> Result<(), Diagnostic> {
    if found as u64 >= wanted {
        return Ok(());
    }
    Err(too_few(&format!("the target is {wanted} {what}; eligible are {found}")))
}

fn too_few(message: &str) -> Diagnostic {
    Diagnostic::error(Code::TooFewEligible, message).hint(
        "collect more cases, or lower `sample.cases` and `sample.positives` in a new version of the \
         protocol, before any score is seen",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SampleTarget;

    fn cases(n: usize) -> Vec<Case> {
        (0..n)
            .map(|i| Case {
                case_id: format!("C{i:04}"),
                patient_id: format!("P{}", i / 2),
                source_label: Some(i % 4 == 0),
                ..Case::default()
            })
            .collect()
    }

    #[test]
    fn the_draw_is_balanced_and_does_not_depend_on_the_order_of_the_table() {
        let cases = cases(200);
        let eligible: Vec<usize> = (0..200).collect();
        let target = Some(SampleTarget { cases: 40, positives: Some(20) });
        let sample = Sample { target, one_image_per_patient: false, seed: 3 };
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
        let sample = Sample { target: None, one_image_per_patient: true, seed: 3 };
        assert_eq!(draw(&cases, &(0..20).collect::<Vec<_>>(), &sample).expect("draws").len(), 10);
    }

    #[test]
    fn too_few_eligible_cases_give_the_numbers() {
        let target = Some(SampleTarget { cases: 20, positives: Some(10) });
        let sample = Sample { target, one_image_per_patient: false, seed: 3 };
        let problem = draw(&cases(20), &(0..20).collect::<Vec<_>>(), &sample).expect_err("too few");
        assert_eq!(problem.code.as_str(), "too-few-eligible");
        assert!(
            problem.message.contains("10 cases with and 10 without the source label; eligible are 5 and 15")
        );
    }

    #[test]
    fn the_draw_keeps_to_eligible_cases_and_stands_in_the_order_of_the_table() {
        let cases = cases(60);
        let eligible: Vec<usize> = (0..60).filter(|i| i % 3 != 0).collect();
        for positives in [None, Some(4)] {
            let target = Some(SampleTarget { cases: 12, positives });
            let drawn = draw(&cases, &eligible, &Sample { target, one_image_per_patient: false, seed: 5 })
                .expect("enough");
            assert_eq!(drawn.len(), 12);
            assert!(drawn.is_sorted() && drawn.iter().all(|index| eligible.contains(index)), "{drawn:?}");
            let positive = drawn.iter().filter(|i| cases[**i].source_label == Some(true)).count();
            assert!(positives.is_none_or(|wanted| wanted == positive as u64), "{positive}");
        }
        let all = draw(&cases, &eligible, &Sample { target: None, one_image_per_patient: false, seed: 5 });
        assert_eq!(all.expect("draws"), eligible);
    }

    #[test]
    fn the_seed_decides_the_draw() {
        let cases = cases(100);
        let eligible: Vec<usize> = (0..100).collect();
        let with = |seed, one_image_per_patient| {
            let target = Some(SampleTarget { cases: 10, positives: None });
            draw(&cases, &eligible, &Sample { target, one_image_per_patient, seed }).expect("enough")
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
        let sample = Sample { target, one_image_per_patient: true, seed: 9 };
        let drawn = draw(&cases, &(0..40).collect::<Vec<_>>(), &sample).expect("enough");
        let patients: std::collections::BTreeSet<_> =
            drawn.iter().map(|index| cases[*index].patient_id.as_str()).collect();
        assert_eq!((drawn.len(), patients.len()), (8, 8));
    }

    #[test]
    fn exactly_enough_is_enough_and_one_less_is_not() {
        let cases = cases(20);
        let eligible: Vec<usize> = (0..20).collect();
        let with = |cases_wanted, positives| {
            let target = Some(SampleTarget { cases: cases_wanted, positives });
            draw(&cases, &eligible, &Sample { target, one_image_per_patient: false, seed: 3 })
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
            case_id: format!("C{i}"),
            patient_id: (*patient).to_owned(),
            ..Case::default()
        };
        let cases: Vec<Case> = patients.iter().enumerate().map(case).collect();
        for seed in 0..8 {
            let sample = Sample { target: None, one_image_per_patient: true, seed };
            let drawn = draw(&cases, &(0..8).collect::<Vec<_>>(), &sample).expect("draws");
            let found: Vec<_> = drawn.iter().map(|index| patients[*index]).collect();
            assert_eq!(found, ["a", "b", "c", "d"], "seed {seed}");
        }
    }
}
