use proptest::prelude::*;

use super::deciding::*;
use super::*;
use crate::estimate::{IntervalMethod as By, ResamplingUnit};
use crate::metric::Metric;
use crate::metric::{Fallback, Plan, Sample};
use crate::paired_shares::PairedShares;
use sequester_diagnostic::Code;

fn shares() -> impl Strategy<Value = PairedShares> {
    let count = || prop_oneof![Just(0_u64), 0..4_u64, 0..60_u64, Just(1_000_000)];
    [count(), count(), count(), count()].prop_map(|[both, only_first, only_second, neither]| PairedShares {
        both,
        only_first,
        only_second,
        neither,
    })
}

fn finite(limits: Option<(f64, f64)>) -> bool {
    limits.is_none_or(|(l, u)| l.is_finite() && u.is_finite() && l <= u)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_paired_table_gives_what_is_no_number(shares in shares()) {
        for limits in [
            shares.wald(0.95), shares.agresti_min(0.95), shares.bonett_price(0.95), shares.tango(0.95),
            shares.newcombe(0.95), shares.newcombe_uncorrected(0.95), shares.exact_outer(0.95),
            shares.ratio_wald(0.95), shares.ratio_score(0.95),
        ] {
            prop_assert!(finite(limits), "{shares:?} {limits:?}");
        }
        for margin in [0.001, 0.05, 0.5] {
            for tests in [
                MarginTests::of(margin, |d| shares.tango_z(d)),
                MarginTests::of(margin, |d| shares.wald_z(d)),
            ].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&tests.equivalence_p), "{shares:?} {tests:?}");
            }
        }
    }

    #[test]
    fn tangos_interval_and_test_decide_alike(shares in shares(), margin in 0.01..0.4_f64) {
        let Some(limits) = shares.tango(0.95) else { return Ok(()) };
        for (_, aim) in Aim::NAMES {
            let Some(p) = aim.p(margin, |d| shares.tango_z(d)) else { continue };
            if (p - 0.025).abs() > 1e-9 {
                prop_assert_eq!(aim.holds(margin, limits), p < 0.025, "{:?} {:?} {}", shares, aim, p);
            }
        }
    }

    #[test]
    fn no_independent_table_gives_what_is_no_number(
        k in [0_u64..50, 0..50], more in [0_u64..50, 0..50], great in any::<bool>(),
    ) {
        let factor = if great { 100_000 } else { 1 };
        let pair = |i: usize| [k[i] * factor, (k[i] + more[i]) * factor];
        let Some(found) = IndependentShares::new(pair(0), pair(1)) else {
            prop_assert!((0..2).any(|i| k[i] + more[i] == 0));
            return Ok(());
        };
        for limits in [
            found.wald(0.95), found.agresti_caffo(0.95), found.newcombe(0.95), found.score(0.95, true),
            found.score(0.95, false),
        ] {
            prop_assert!(finite(Some(limits)), "{found:?} {limits:?}");
        }
        let score = found.score(0.95, true);
        prop_assert!(score.0 <= found.difference() + 1e-12 && found.difference() <= score.1 + 1e-12);
        prop_assert!(score.1 - score.0 > 1e-7, "a score interval is never a point: {found:?} {score:?}");
        prop_assert!(found.margin_tests(0.05, false).is_some(), "{found:?}");
    }

    #[test]
    fn predictive_values_change_sides_with_the_two(cells in prop::array::uniform8(0_u64..9)) {
        let mut calls = PairedCalls::default();
        let mut turned = PairedCalls::default();
        for (place, count) in cells.into_iter().enumerate() {
            for _ in 0..count {
                calls.count(place & 4 > 0, place & 2 > 0, place & 1 > 0);
                turned.count(place & 4 > 0, place & 1 > 0, place & 2 > 0);
            }
        }
        for of in [PredictiveValue::Positive, PredictiveValue::Negative] {
            let same = |x: Option<PredictiveTest>, y: Option<PredictiveTest>| match (x, y) {
                (Some(x), Some(y)) => (x.statistic - y.statistic).abs() < 1e-7 * (1.0 + x.statistic),
                (x, y) => x.is_none() == y.is_none(),
            };
            prop_assert!(same(calls.generalised_score(of), turned.generalised_score(of)), "{calls:?}");
            prop_assert!(same(calls.weighted_score(of), turned.weighted_score(of)), "{calls:?}");
            if let (Some(x), Some(y)) = (calls.relative(of), turned.relative(of)) {
                prop_assert!((x.value * y.value - 1.0).abs() < 1e-12 && (x.log_se - y.log_se).abs() < 1e-12);
            }
        }
    }

    /// The delta method against a numerical derivative of the metric by the weight of each case, and, of a
    /// sensitivity with one case a patient, against Wald's standard error.
    #[test]
    fn contributions_are_derivatives_by_the_weights_of_cases(
        rows in prop::collection::vec((any::<bool>(), any::<bool>()), 4..25),
        prevalence in prop_oneof![Just(None), (0.01..0.9_f64).prop_map(Some)],
    ) {
        let labels: Vec<bool> = rows.iter().map(|r| r.0).collect();
        let calls: Vec<Option<bool>> = rows.iter().map(|r| Some(r.1)).collect();
        let weighted = |metric: Metric, weights: &[f64]| -> f64 {
            let sum = |label: bool, call: bool| -> f64 {
                (0..rows.len()).filter(|i| rows[*i] == (label, call)).map(|i| weights[i]).sum()
            };
            let (tp, miss, fp, tn) = (sum(true, true), sum(true, false), sum(false, true), sum(false, false));
            let (se, sp) = (tp / (tp + miss), tn / (tn + fp));
            match (metric, prevalence) {
                (Metric::Sensitivity, _) => se,
                (Metric::Specificity, _) => sp,
                (Metric::Accuracy, _) => (tp + tn) / (tp + tn + fp + miss),
                (Metric::Ppv, None) => tp / (tp + fp),
                (Metric::Npv, None) => tn / (tn + miss),
                (Metric::Ppv, Some(p)) => p * se / (p * se + (1.0 - p) * (1.0 - sp)),
                (Metric::Npv, Some(p)) => (1.0 - p) * sp / ((1.0 - p) * sp + p * (1.0 - se)),
                (_, None) => 2.0 * tp / (2.0 * tp + fp + miss),
                (_, Some(p)) => 2.0 * p * se / (p * se + (1.0 - p) * (1.0 - sp) + p),
            }
        };
        for metric in [
            Metric::Sensitivity, Metric::Specificity, Metric::Accuracy, Metric::Ppv, Metric::Npv, Metric::F1,
        ] {
            let Ok(found) = Linearised::of(metric, &labels, &calls, prevalence) else { continue };
            let even = vec![1.0; rows.len()];
            prop_assert!((found.value - weighted(metric, &even)).abs() < 1e-12);
            for i in 0..rows.len() {
                let moved = |by: f64| {
                    let mut weights = even.clone();
                    weights[i] += by;
                    weighted(metric, &weights)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((slope - found.contributions[i]).abs() < 1e-6, "{metric:?} {slope} {found:?}");
            }
        }
    }

    #[test]
    fn with_one_case_a_patient_the_clustered_error_is_walds(
        calls in prop::collection::vec((any::<bool>(), any::<bool>()), 2..40),
    ) {
        let labels = vec![true; calls.len()];
        let of = |which: fn(&(bool, bool)) -> bool| -> Linearised {
            let calls: Vec<Option<bool>> = calls.iter().map(|c| Some(which(c))).collect();
            Linearised::of(Metric::Sensitivity, &labels, &calls, None).expect("positives")
        };
        let contrast = Contrast::of(&of(|c| c.0), &[of(|c| c.1)], None, |_| true).expect("a comparator");
        let mut table = PairedShares::default();
        calls.iter().for_each(|c| table.count(c.0, c.1));
        let n = calls.len() as f64;
        let wald = table.wald_se().expect("cases") * (n / (n - 1.0)).sqrt();
        prop_assert!((contrast.se.expect("patients") - wald).abs() < 1e-12);
        prop_assert_eq!(contrast.difference, contrast.values[0] - contrast.values[1]);
        prop_assert_eq!(contrast.freedom, (n - 1.0).max(1.0));
        // Tests and limits decide alike: a difference is a limit where its tail is that of the level.
        if let (Some((lower, _)), true) = (contrast.limits(0.95), contrast.contributing > 0) {
            let z = contrast.z(lower).expect("spread");
            prop_assert!((z - 1.959_963_984_540_054).abs() < 1e-6, "{z}");
        }
    }
}

/// What a metric of calls counts, for the number of patients.
fn of_class(metric: Metric, labels: &[bool]) -> impl Fn(usize) -> bool + '_ {
    move |i| match metric {
        Metric::Sensitivity => labels[i],
        Metric::Specificity => !labels[i],
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the metric: with one patient whose cases two devices call differently, both values differ,
    /// every case contributes, and nothing but that patient says so.
    #[test]
    fn a_difference_that_rests_on_one_patient_is_told_for_every_metric_of_calls(
        cases in prop::collection::vec((any::<bool>(), any::<bool>()), 6..40),
        which in any::<prop::sample::Index>(),
        images in 1_usize..3,
        prevalence in prop_oneof![Just(None), Just(Some(0.2))],
    ) {
        let (mut labels, mut calls): (Vec<bool>, Vec<Option<bool>>) =
            cases.iter().map(|(label, call)| (*label, Some(*call))).unzip();
        // Each metric has cases of two patients: of one there is no interval at all.
        labels.extend([true, true, true, true, false, false, false, false]);
        calls.extend([true, false, true, false, true, false, true, false].map(Some));
        let patients: Vec<u32> = (0..labels.len()).map(|i| (i / images) as u32).collect();
        let at = which.index(labels.len());
        let mut other = calls.clone();
        other[at] = other[at].map(|call| !call);
        use Metric::{Accuracy, F1, Npv, Ppv, Sensitivity, Specificity};
        for metric in [Sensitivity, Specificity, Ppv, Npv, Accuracy, F1] {
            let of = |calls: &[Option<bool>]| Linearised::of(metric, &labels, calls, prevalence).ok();
            let (Some(first), Some(second)) = (of(&calls), of(&other)) else { continue };
            let counts = of_class(metric, &labels);
            let counted = counts(at);
            let found = Contrast::of(&first, &[second], Some(&patients), counts).expect("a comparator");
            prop_assert_eq!(found.moving, u64::from(counted), "{:?}", metric);
            for rule in [Fallback::None, Fallback::EffectiveNumber] {
                let decided = decide_contrast(&found, By::Delta, 0.95, rule, None);
                prop_assert_eq!(decided.interval, None, "{:?}", metric);
                let code = decided.fault.expect("a fault").code;
                let why = if counted { Code::RestsOnOneCase } else { Code::AtBoundary };
                prop_assert_eq!(code, why);
            }
            // Two patients are enough for an interval that says how little they are.
            let two = Contrast { moving: 2, ..found };
            let decided = decide_contrast(&two, By::Delta, 0.95, Fallback::None, None);
            prop_assert_eq!(decided.interval.is_some(), counted);
        }
    }

    /// The same of areas, whole and partial.
    #[test]
    fn an_area_that_one_patient_moves_is_told(
        scores in prop::collection::vec(0..40_i32, 12..40),
        which in any::<prop::sample::Index>(),
        most in 0.1..1.0_f64,
    ) {
        let labels: Vec<bool> = (0..scores.len()).map(|i| i.is_multiple_of(2)).collect();
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let patients: Vec<u32> = (0..labels.len()).map(|i| i as u32).collect();
        let mut other = scores.clone();
        other[which.index(labels.len())] = -1.0;
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        prop_assert!(moving_partial_areas(&sample, &other, most) <= 1);
        prop_assert_eq!(moving_partial_areas(&sample, &scores, most), 0);
        let plan = Plan::new(0.95, Vec::new(), ResamplingUnit::Patient, 0, 0);
        for units in [Units::Cases, Units::Patients] {
            let decided = decide_auc(&sample, &other, By::Obuchowski, &plan, Fallback::None, units);
            prop_assert_eq!(decided.interval, None);
        }
    }
}

#[test]
fn several_images_of_one_patient_are_one_patient_who_moves_an_area() {
    let labels: Vec<bool> = (0..24).map(|i| i % 2 == 0).collect();
    let patients: Vec<u32> = (0..24).map(|i| i / 6).collect();
    let scores: Vec<f64> = (0..24).map(|i| f64::from(i * 7 % 24)).collect();
    // Every positive image of the first patient goes to the bottom.
    let other: Vec<f64> =
        (0..24).map(|i| if i < 6 && i % 2 == 0 { -f64::from(i) - 1.0 } else { scores[i as usize] }).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
    let plan = Plan::new(0.95, Vec::new(), ResamplingUnit::Patient, 0, 0);
    let decided = |units| decide_auc(&sample, &other, By::Obuchowski, &plan, Fallback::None, units);
    assert_eq!(decided(Units::Patients).fault.map(|f| f.code), Some(Code::RestsOnOneCase));
    // Versions before 1.1 counted images.
    assert!(decided(Units::Cases).fault.is_none());
}

#[test]
fn a_p_value_is_at_most_alpha_where_the_criterion_holds_and_not_elsewhere() {
    // Drawn limits are steps: they are a point at a level near 0, and can be the goal itself.
    let limits = |level: f64| {
        Some(if level < 0.2 {
            (0.02, 0.02)
        } else if level < 0.96 {
            (0.0, 0.1)
        } else {
            (-0.1, 0.2)
        })
    };
    let alpha = 0.025;
    for (goal, side, met) in [
        (-0.001, Side::Beyond, true),
        (0.0, Side::Beyond, false),
        (0.0, Side::AtOrBeyond, true),
        (0.001, Side::AtOrBeyond, false),
    ] {
        let p = p_of_bound(PRECISION[1], side, &|level| {
            limits(level).map(|(lower, upper): (f64, f64)| (lower - goal, upper - goal))
        });
        assert_eq!(p <= alpha, met, "{goal} {side:?}: {p}");
        assert!(p < 0.5, "the limits lie above the goal at some level: {p}");
    }
}

#[test]
fn an_exact_interval_holds_its_error_for_every_share() {
    // All tables of six cases: at each difference and tied share the intervals that miss have at most 5 %.
    let n = 6_u64;
    let mut tables = Vec::new();
    for b in 0..=n {
        for c in 0..=n - b {
            let shares = PairedShares { both: n - b - c, only_first: b, only_second: c, neither: 0 };
            tables.push((b, c, exact_interval(&shares, 0.95).expect("few cases")));
        }
    }
    let choose = |n: u64, k: u64| (0..k).fold(1.0, |v, i| v * (n - i) as f64 / (i + 1) as f64);
    for step in 0..=40 {
        let difference = -1.0 + f64::from(step) / 20.0;
        for tied in 0..=20 {
            let tied = (1.0 - difference.abs()) * f64::from(tied) / 20.0;
            let (p, q) = ((1.0 - tied + difference) / 2.0, (1.0 - tied - difference) / 2.0);
            let missed: f64 = tables
                .iter()
                .filter(|(_, _, (lower, upper))| difference < lower - 1e-9 || difference > upper + 1e-9)
                .map(|(b, c, _)| {
                    choose(n, *b)
                        * choose(n - b, *c)
                        * p.powi(*b as i32)
                        * q.powi(*c as i32)
                        * tied.powi((n - b - c) as i32)
                })
                .sum();
            assert!(missed <= 0.05 + 1e-9, "{difference} {tied} {missed}");
        }
    }
    let many = PairedShares { both: MOST_CASES_FOR_INTERVAL, only_first: 1, ..PairedShares::default() };
    assert_eq!(exact_interval(&many, 0.95), None);
    assert_eq!(exact_interval(&PairedShares::default(), 0.95), None);
}

#[test]
fn the_unconditional_test_of_many_cases_is_near_the_asymptotic_one() {
    let table = PairedShares { both: 9_000, only_first: 260, only_second: 200, neither: 540 };
    let (exact, asymptotic) = (unconditional_p(&table), table.discordant().p());
    let (exact, asymptotic) = (exact.expect("a test"), asymptotic.expect("a test"));
    assert!((exact - asymptotic).abs() < 0.002, "{exact} {asymptotic}");
    assert_eq!(unconditional_p(&PairedShares { both: 5, ..PairedShares::default() }), None);
    let most = PairedShares { both: MOST_CASES_FOR_TEST, only_first: 1, ..PairedShares::default() };
    assert_eq!(unconditional_p(&most), None);
}
