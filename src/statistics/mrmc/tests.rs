//! The analysis against plain sums over pairs and quadruples, and what has to hold for every study.

use proptest::prelude::*;

use super::*;

/// A study of random ratings; `missing` of a hundred are not read.
fn studies(missing: u32) -> impl Strategy<Value = ReaderStudy> {
    (2_usize..4, 3_usize..6, 4_usize..7, 4_usize..7).prop_flat_map(move |(modalities, readers, n, m)| {
        let rating = (0_u32..100, 0_i32..6);
        let one = prop::collection::vec(rating, n + m);
        prop::collection::vec(prop::collection::vec(one, readers), modalities).prop_filter_map(
            "every reader reads both classes",
            move |all| {
                let cell = |ratings: &Vec<(u32, i32)>| {
                    let rated: Vec<Option<f64>> =
                        ratings.iter().map(|(at, x)| (*at >= missing).then(|| f64::from(*x))).collect();
                    Cell::new(&rated[..n], &rated[n..]).ok()
                };
                let modalities: Option<Vec<Vec<(usize, Cell)>>> = all
                    .iter()
                    .map(|of| of.iter().enumerate().map(|(j, r)| Some((j, cell(r)?))).collect())
                    .collect();
                let enough = |of: &Vec<Vec<(usize, Cell)>>| {
                    of.iter().flatten().all(|(_, c)| c.read.iter().all(|n| *n > 1))
                };
                modalities.filter(enough).map(|modalities| ReaderStudy {
                    modalities,
                    cases: [n, m],
                    patients: None,
                })
            },
        )
    })
}

/// The moment of all pairs of ratings of which `keep` says that they count, by going through them.
fn moment(
    study: &ReaderStudy,
    modalities: [usize; 2],
    same_reader: bool,
    same: [bool; 2],
) -> Option<(f64, f64)> {
    let [n, m] = study.cases;
    let (mut sum, mut count) = (0.0, 0.0);
    for (reader, a) in &study.modalities[modalities[0]] {
        for (other, b) in &study.modalities[modalities[1]] {
            if (reader == other) != same_reader {
                continue;
            }
            let [a_reads, b_reads] =
                [a, b].map(|cell| [false, true].map(|class| cell.reads(class).collect::<Vec<_>>()));
            for i in (0..n).filter(|i| a_reads[0][*i]) {
                for j in (0..m).filter(|j| a_reads[1][*j]) {
                    for k in (0..n).filter(|k| b_reads[0][*k] && (*k == i) == same[0]) {
                        for l in (0..m).filter(|l| b_reads[1][*l] && (*l == j) == same[1]) {
                            sum += f64::from(a.kernel(i, j)) * f64::from(b.kernel(k, l)) / 4.0;
                            count += 1.0;
                        }
                    }
                }
            }
        }
    }
    (count > 0.0).then(|| (sum / count, count))
}

fn crossed(study: &ReaderStudy, matrix: &Matrix) -> Analysis {
    analysis::analyse(&study.aucs(), matrix, analysis::Meeting::Crossed, 0.95).expect("readers")
}

const SHARED: [(bool, [bool; 2]); 8] = [
    (true, [true, true]),
    (true, [false, true]),
    (true, [true, false]),
    (true, [false, false]),
    (false, [true, true]),
    (false, [false, true]),
    (false, [true, false]),
    (false, [false, false]),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn moments_are_sums_over_pairs_of_ratings(study in studies(20)) {
        let moments = Moments::new(&study);
        let averages = u_statistics::averages(&study, &moments);
        let (_, crossed) = u_statistics::difference(&study, &moments, &averages, 0, 1);
        for (found, modalities) in [(&averages[0].1, [0, 0]), (&crossed, [0, 1])] {
            for (k, (reader, same)) in SHARED.into_iter().enumerate() {
                let plain = moment(&study, modalities, reader, same).map_or(0.0, |(mean, _)| mean);
                prop_assert!((found.moments[k] - plain).abs() < 1e-12, "M{}", k + 1);
            }
            let plain: f64 = found.coefficients.iter().zip(&found.moments).map(|(c, m)| c * m).sum();
            prop_assert!((plain - found.value).abs() < 1e-12);
        }
    }

    #[test]
    fn components_and_names_do_not_depend_on_the_order_of_modalities(study in studies(0)) {
        let moments = Moments::new(&study);
        let matrix = covariances(&study, &moments, CovarianceMethod::DeLong).expect("all is read");
        let here = crossed(&study, &matrix);
        let turned = ReaderStudy { modalities: study.modalities.iter().rev().cloned().collect(), ..study };
        let moments = Moments::new(&turned);
        let matrix = covariances(&turned, &moments, CovarianceMethod::DeLong).expect("all is read");
        let there = crossed(&turned, &matrix);
        prop_assert!((here.components.cov1.unwrap() - there.components.cov1.unwrap()).abs() < 1e-14);
        prop_assert!((here.components.cov2 - there.components.cov2).abs() < 1e-14);
        prop_assert!((here.components.cov3 - there.components.cov3).abs() < 1e-14);
        let global = |a: &Analysis| a.readers_and_cases.global.map(|g| g.p);
        if let (Some(a), Some(b)) = (global(&here), global(&there)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }

    #[test]
    fn pseudovalues_give_what_the_jackknife_gives(study in studies(0)) {
        let found = dbm::dbm(&study).expect("crossed");
        let moments = Moments::new(&study);
        let matrix = covariances(&study, &moments, CovarianceMethod::Jackknife).expect("all is read");
        let by = crossed(&study, &matrix);
        let cases = (study.cases[0] + study.cases[1]) as f64;
        let readers = study.modalities[0].len() as f64;
        let apart = found.mean_squares[4] - found.mean_squares[6];
        let expected = cases * readers * (by.components.cov2 - by.components.cov3);
        prop_assert!((apart - expected).abs() < 1e-9 * (1.0 + apart.abs()), "{apart} {expected}");
    }
}

#[test]
fn readers_who_separate_everything_have_a_variance_of_exactly_zero() {
    let cell = || Cell::new(&[Some(1.0), Some(2.0), Some(3.0)], &[Some(4.0), Some(5.0)]).expect("both");
    let study = ReaderStudy {
        modalities: vec![vec![(0, cell()), (1, cell())], vec![(0, cell()), (1, cell())]],
        cases: [3, 2],
        patients: None,
    };
    let moments = Moments::new(&study);
    let averages = u_statistics::averages(&study, &moments);
    assert_eq!(averages[0].0.variance, 0.0);
    assert_eq!(averages[0].0.infer(0.95), None, "an interval of no width is none");
    let matrix = covariances(&study, &moments, CovarianceMethod::Unbiased).expect("all is read");
    let found = crossed(&study, &matrix);
    assert_eq!(found.readers_and_cases.global, None);
    assert_eq!(found.readers_and_cases.differences, vec![(0, 1, None)]);
}

#[test]
fn a_class_that_nobody_read_has_no_area() {
    assert_eq!(Cell::new(&[None, None], &[Some(1.0)]).err(), Some(false));
    assert_eq!(Cell::new(&[Some(1.0)], &[]).err(), Some(true));
}

#[test]
fn more_cases_and_more_readers_have_more_power() {
    let assumed = design::Assumed {
        difference: 0.05,
        interaction: 4e-4,
        variance: 2e-3,
        cov1: 1.2e-3,
        cov2: 1.1e-3,
        cov3: 7e-4,
        pilot_cases: 100.0,
    };
    let of = |readers, cases| {
        design::power(&assumed, readers, cases, Population::ReadersAndCases, 0.05).expect("a variance").power
    };
    assert!(of(6, 200) > of(5, 200) && of(5, 200) > of(5, 100));
    let (cases, found) =
        design::fewest_cases(&assumed, 8, Population::ReadersAndCases, 0.05, 0.8, 5000).expect("enough");
    assert!(found.power > 0.8 && of(8, cases - 1) <= 0.8);
    let (readers, found) =
        design::fewest_readers(&assumed, 400, Population::ReadersAndCases, 0.05, 0.8, 200).expect("enough");
    assert!(found.power > 0.8 && of(readers - 1, 400) <= 0.8);
}
