//! The analysis against plain sums over pairs and quadruples, and what has to hold for every study.

use proptest::prelude::*;

use super::design::{Assumed, Layout};
use super::device::against_device;
use super::*;
use crate::random::Stream;
use crate::special::normal_quantile;

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
        let cov1 = |a: &Analysis| a.components.cov1.expect("crossed");
        prop_assert!((cov1(&here) - cov1(&there)).abs() < 1e-14);
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
    let assumed = planned(Layout::Crossed, 0.05, None);
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

const DEVICE: Layout = Layout::DeviceAlone { reader: 6e-4, device: 1.8e-3, with_reader: 9e-4 };

fn planned(layout: Layout, difference: f64, within: Option<f64>) -> Assumed {
    Assumed {
        layout,
        difference,
        within,
        interaction: 4e-4,
        variance: 2e-3,
        cov1: 1.2e-3,
        cov2: 1.1e-3,
        cov3: 7e-4,
        pilot_cases: 100.0,
    }
}

/// Figures of readers as the model has them, every error of cases a sum of what is shared, and the analysis
/// of them with the covariances that are true: how often the difference of `assumed` is shown.
struct Simulated<'a> {
    assumed: &'a Assumed,
    readers: usize,
    /// Of the pilot's covariances.
    shrunk: f64,
    alpha: f64,
}

impl Simulated<'_> {
    fn normal(stream: &mut Stream, variance: f64) -> f64 {
        variance.sqrt() * normal_quantile(stream.unit())
    }

    /// Whose cases are the same.
    fn group(&self, reader: usize) -> usize {
        match self.assumed.layout {
            Layout::SplitPlot { groups } => reader * groups as usize / self.readers,
            _ => 0,
        }
    }

    /// Of two readers in two modalities.
    fn covariance(&self, (i, j): (usize, usize), (k, l): (usize, usize)) -> f64 {
        let of = self.assumed;
        let nested = matches!(of.layout, Layout::Nested { .. });
        let covariance = match (i == k, j == l) {
            _ if self.group(j) != self.group(l) => 0.0,
            (true, true) => of.variance,
            (false, true) if !nested => of.cov1,
            (true, false) => of.cov2,
            _ => of.cov3,
        };
        self.shrunk * covariance
    }

    fn two_modalities(&self, stream: &mut Stream) -> Option<Inference> {
        let (of, n) = (self.assumed, self.readers);
        let groups = self.group(n - 1) + 1;
        let mut error = |variance: f64| Self::normal(stream, self.shrunk * variance);
        let shared: Vec<f64> = (0..groups).map(|_| error(of.cov3)).collect();
        let of_modality: Vec<Vec<f64>> =
            (0..2).map(|_| (0..groups).map(|_| error(of.cov2 - of.cov3)).collect()).collect();
        let (own, within, meeting) = match of.layout {
            Layout::Nested { reader } => (0.0, reader, analysis::Meeting::ReadersWithinModalities),
            _ => (of.cov1 - of.cov3, of.interaction, analysis::Meeting::Crossed),
        };
        let of_reader: Vec<f64> = (0..n).map(|_| error(own)).collect();
        let rest = of.variance - own - of.cov2;
        let merit: Vec<Vec<f64>> = (0..2)
            .map(|i| {
                let one = |j: usize| {
                    let g = self.group(j);
                    let cases = shared[g] + of_modality[i][g] + of_reader[j];
                    let more = Self::normal(stream, self.shrunk * rest) + Self::normal(stream, within);
                    [of.difference, 0.0][i] + cases + more
                };
                (0..n).map(one).collect()
            })
            .collect();
        let matrix = Matrix::of(2 * n, |x, y| self.covariance((x / n, x % n), (y / n, y % n)));
        let found = analysis::analyse(&merit, &matrix, meeting, 1.0 - self.alpha)?;
        found.readers_and_cases.differences[0].2
    }

    fn device_alone(&self, stream: &mut Stream) -> Option<Inference> {
        let (of, n) = (self.assumed, self.readers);
        let Layout::DeviceAlone { reader, device, with_reader } = of.layout else { return None };
        let shared = normal_quantile(stream.unit());
        let together = with_reader / of.cov2.sqrt();
        let alone = of.difference
            + self.shrunk.sqrt() * together * shared
            + Self::normal(stream, self.shrunk * (device - together * together));
        let merit: Vec<f64> = (0..n)
            .map(|_| {
                (self.shrunk * of.cov2).sqrt() * shared
                    + Self::normal(stream, self.shrunk * (of.variance - of.cov2))
                    + Self::normal(stream, reader)
            })
            .collect();
        let matrix = Matrix::of(n + 1, |x, y| {
            self.shrunk
                * match (x == n, y == n) {
                    (true, true) => device,
                    (true, false) | (false, true) => with_reader,
                    _ if x == y => of.variance,
                    _ => of.cov2,
                }
        });
        // Readers less device.
        let found = against_device(&merit, alone, &matrix, 1.0 - self.alpha)?.readers_and_cases?;
        Some(Inference { estimate: -found.estimate, limits: (-found.limits.1, -found.limits.0), ..found })
    }

    fn share(&self, runs: u64) -> f64 {
        let shown = |run: u64| {
            let mut stream = Stream::new(20_261_128, run);
            let found = match self.assumed.layout {
                Layout::DeviceAlone { .. } => self.device_alone(&mut stream),
                _ => self.two_modalities(&mut stream),
            };
            let (lower, upper) = found.expect("an interval").limits;
            match self.assumed.within {
                Some(margin) => lower > -margin && upper < margin,
                None => lower > 0.0 || upper < 0.0,
            }
        };
        (0..runs).filter(|run| shown(*run)).count() as f64 / runs as f64
    }
}

/// The second route to every power: the model is simulated, and the analysis asked. Where equivalence or
/// another layout is planned nothing else of the field computes it.
#[test]
fn the_planned_power_is_what_the_analysis_of_simulated_figures_has() {
    const RUNS: u64 = 4000;
    let nested = Layout::Nested { reader: 6e-4 };
    for (layout, difference, within, readers, cases) in [
        (Layout::Crossed, 0.06, None, 5, 200),
        (Layout::Crossed, 0.01, Some(0.06), 8, 400),
        (nested, 0.06, None, 6, 300),
        (nested, 0.0, Some(0.07), 8, 400),
        (Layout::SplitPlot { groups: 2 }, 0.06, None, 6, 300),
        (Layout::SplitPlot { groups: 6 }, 0.06, None, 6, 600),
        (DEVICE, 0.06, None, 5, 200),
        (DEVICE, 0.01, Some(0.07), 6, 300),
    ] {
        let assumed = planned(layout, difference, within);
        let found = design::power(&assumed, readers, cases, Population::ReadersAndCases, 0.05);
        let expected = found.expect("a variance").power;
        let of = Simulated {
            assumed: &assumed,
            readers: readers as usize,
            shrunk: match layout {
                Layout::SplitPlot { groups } => 100.0 * f64::from(groups) / f64::from(cases),
                _ => 100.0 / f64::from(cases),
            },
            alpha: 0.05,
        };
        let simulated = of.share(RUNS);
        let error = (expected * (1.0 - expected) / RUNS as f64).sqrt();
        // The degrees of freedom are found anew in every study, and planned with what they are on average.
        let apart = (simulated - expected).abs();
        assert!(apart < 4.0 * error + 0.02, "{layout:?} {within:?}: {expected} planned, {simulated}");
        assert!((0.2..0.95).contains(&expected), "{layout:?} {within:?}: {expected} shows little");
    }
}

#[test]
fn layouts_that_are_one_have_one_power() {
    let of = |layout, within, readers, cases, population| {
        let assumed = planned(layout, 0.04, within);
        design::power(&assumed, readers, cases, population, 0.05).expect("a variance").power
    };
    for population in [Population::ReadersAndCases, Population::Readers, Population::Cases] {
        let crossed = of(Layout::Crossed, None, 6, 300, population);
        let groups = of(Layout::SplitPlot { groups: 1 }, None, 6, 300, population);
        assert!((crossed - groups).abs() < 1e-14, "one group: {crossed} {groups}");
        // Where one margin is far away, what is left is one one-sided test of a difference from the other.
        let power = |difference: f64, within: Option<f64>| {
            let assumed = planned(Layout::Crossed, difference, within);
            design::power(&assumed, 6, 300, population, 0.05).expect("a variance").power
        };
        let (near, one) = (power(0.08 - 5.0, Some(5.0)), power(0.08, None));
        assert!((near - one).abs() < 1e-5, "{population:?}: {near} {one}");
    }
    let fixed = Population::ReadersAndCases;
    // A device whose figure is known and goes with nobody: one modality against a number.
    let alone = Layout::DeviceAlone { reader: 6e-4, device: 0.0, with_reader: 0.0 };
    assert!(of(alone, None, 6, 300, fixed) > of(DEVICE, None, 6, 300, fixed));
    // Readers of their own show less than the same readers in both.
    assert!(
        of(Layout::Nested { reader: 6e-4 }, None, 6, 300, fixed) < of(Layout::Crossed, None, 6, 300, fixed)
    );
    // Groups that do not fit are none.
    let misfit = planned(Layout::SplitPlot { groups: 4 }, 0.04, None);
    assert_eq!(design::power(&misfit, 6, 300, fixed, 0.05), None);
    let (readers, _) = design::fewest_readers(
        &planned(Layout::SplitPlot { groups: 4 }, 0.06, None),
        800,
        fixed,
        0.05,
        0.8,
        100,
    )
    .expect("enough");
    assert!(readers.is_multiple_of(4));
}
