use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// `fixtures/reference-values/make_comparative_power.py`: 30 digits by another route.
fn reference() -> Value {
    serde_json::from_str(include_str!("../../../../fixtures/reference-values/ref/comparative_power.json"))
        .expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).expect("a number")
}

fn claim(row: &[Value]) -> Claim {
    let aim = Aim::NAMES.iter().find(|(name, _)| Some(*name) == row[0].as_str()).expect("an aim").1;
    Claim { aim, margin: number(&row[1]), alpha: number(&row[2]) }
}

/// Rows of a kind, with the power by the normal law and the exact one, where each was computed.
fn rows(kind: &str) -> Vec<Vec<Value>> {
    let all = reference();
    let rows = all[kind].as_array().expect("rows");
    rows.iter().map(|row| row.as_array().expect("a row").clone()).collect()
}

fn agrees(found: Option<f64>, expected: &Value, within: f64, row: &[Value]) {
    if !expected.is_null() {
        let found = found.expect("a power");
        assert!((found - number(expected)).abs() < within, "{row:?}: {found}");
    }
}

#[test]
fn power_of_paired_shares_matches_thirty_digits() {
    for row in rows("paired") {
        let (claim, n) = (claim(&row), number(&row[5]));
        let pair = PairedShares { device_alone: number(&row[3]), other_alone: number(&row[4]) };
        agrees(pair.power_of(claim, n), &row[6], 1e-10, &row);
        agrees(pair.exact_power_of(claim, n as u64), &row[7], 1e-10, &row);
    }
}

#[test]
fn power_of_independent_shares_matches_thirty_digits() {
    for row in rows("independent") {
        let (claim, m, n) = (claim(&row), number(&row[5]), number(&row[6]));
        let shares = ExpectedShares { device: number(&row[3]), other: number(&row[4]) };
        agrees(shares.power_of(claim, [m, n]), &row[7], 1e-10, &row);
        agrees(shares.exact_power_of(claim, [m as u64, n as u64]), &row[8], 1e-10, &row);
    }
}

#[test]
fn power_of_areas_matches_thirty_digits() {
    for row in rows("areas") {
        let areas =
            ExpectedAreas { device: number(&row[3]), other: number(&row[4]), correlation: number(&row[5]) };
        let size = Size { positives: number(&row[6]), negatives: number(&row[7]) };
        agrees(areas.power_of(claim(&row), [size; 2]), &row[8], 1e-12, &row);
    }
}

#[test]
fn the_size_of_nam_is_the_size_of_the_claim() {
    let pair = PairedShares::new(0.9, 0.88, 0.12).expect("a table");
    let claim = Claim { aim: Aim::NonInferiority, margin: 0.05, alpha: 0.025 };
    let (closed, found) =
        (pair.size(0.05, 0.025, 0.9).expect("a size"), pair.size_of(claim, 0.9).expect("a size"));
    assert!((closed - found).abs() < 1e-6 * closed, "{closed} {found}");
    assert!(
        (pair.power(0.05, 300.0, 0.025).expect("power") - pair.power_of(claim, 300.0).expect("power")).abs()
            < 1e-12
    );
}

/// Nothing is shown more often than its error where it is only just false, but for what a score test of few
/// cases exceeds it by.
#[test]
fn the_exact_error_of_what_decides_is_near_the_level() {
    for aim in [Aim::Superiority, Aim::NonInferiority] {
        let claim = Claim { aim, margin: 0.1, alpha: 0.025 };
        for (other, n) in [(0.05, 60), (0.1, 200), (0.2, 500)] {
            let device = other + claim.above();
            if device <= 0.0 {
                continue;
            }
            let pair = PairedShares { device_alone: device, other_alone: other };
            let error = pair.exact_power_of(claim, n).expect("power");
            assert!(error < 0.035, "{aim:?} {other} {n}: {error}");
        }
        for n in [40, 150] {
            let shares = ExpectedShares { device: 0.8 + claim.above(), other: 0.8 };
            let error = shares.exact_power_of(claim, [n, n]).expect("power");
            assert!(error < 0.035, "{aim:?} {n}: {error}");
        }
    }
}

#[test]
fn outside_its_domain_there_is_no_power() {
    let pair = PairedShares { device_alone: 0.1, other_alone: 0.1 };
    let shares = ExpectedShares { device: 0.9, other: 0.9 };
    let areas = ExpectedAreas { device: 0.9, other: 0.9, correlation: 1.0 };
    for claim in [
        Claim { aim: Aim::NonInferiority, margin: 0.0, alpha: 0.025 },
        Claim { aim: Aim::Equivalence, margin: 1.0, alpha: 0.025 },
        Claim { aim: Aim::Superiority, margin: -0.1, alpha: 0.025 },
        Claim { aim: Aim::Superiority, margin: 0.0, alpha: 0.0 },
    ] {
        assert_eq!((pair.power_of(claim, 10.0), pair.exact_power_of(claim, 10)), (None, None), "{claim:?}");
        assert_eq!(shares.power_of(claim, [10.0; 2]), None, "{claim:?}");
    }
    let claim = Claim { aim: Aim::NonInferiority, margin: 0.1, alpha: 0.025 };
    assert_eq!(pair.exact_power_of(claim, 0), None);
    assert_eq!(pair.exact_power_of(claim, MOST_EXACT + 1), None);
    assert_eq!(areas.power_of(claim, [Size { positives: 9.0, negatives: 9.0 }; 2]), None);
    let worse = ExpectedShares { device: 0.7, other: 0.9 };
    assert_eq!(worse.size_of(claim, 1.0, 0.9), None, "what is not true is shown by no number of cases");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_exact_sum_is_that_over_every_table(
        (device, other) in (0.02..0.45, 0.02..0.45),
        n in 1_u64..26,
        margin in 0.02..0.5,
        aim in prop::sample::select(vec![Aim::Superiority, Aim::NonInferiority, Aim::Equivalence]),
    ) {
        let pair = PairedShares { device_alone: device, other_alone: other };
        let claim = Claim { aim, margin, alpha: 0.05 };
        let rest: f64 = 1.0 - device - other;
        let mut total = 0.0;
        for b in 0..=n {
            for c in 0..=n - b {
                let table = PairedTable { both: n - b - c, only_first: b, only_second: c, neither: 0 };
                let level = 1.0 - 2.0 * claim.alpha;
                let decides = decide_paired(&table, IntervalMethod::Tango, level, Fallback::EffectiveNumber);
                let shown = decides.interval.is_some_and(|i| aim.holds(margin, (i.lower, i.upper)));
                if shown {
                    let of_rest = binomial_density((b + c) as f64, n as f64, device + other, rest);
                    let share = device / (device + other);
                    total += of_rest * binomial_density(b as f64, (b + c) as f64, share, 1.0 - share);
                }
            }
        }
        let found = pair.exact_power_of(claim, n).expect("power");
        prop_assert!((found - total).abs() < 1e-9, "{pair:?} {claim:?} {n}: {found} {total}");
    }

    #[test]
    fn sizes_have_the_power_that_was_asked_for_and_grow_with_it(
        (device, other) in (0.55..0.97, 0.55..0.97),
        margin in 0.03..0.3,
        aim in prop::sample::select(vec![Aim::Superiority, Aim::NonInferiority, Aim::Equivalence]),
        ratio in 0.3..4.0,
    ) {
        let claim = Claim { aim, margin, alpha: 0.025 };
        let discordant = PairedShares::independent(device, other);
        let pair = PairedShares::new(device, other, discordant).expect("a table");
        let shares = ExpectedShares { device, other };
        let areas = ExpectedAreas { device, other, correlation: 0.4 };
        let is_true = claim.is_true_of(device - other);
        prop_assert_eq!(pair.size_of(claim, 0.8).is_some(), is_true);
        // As near to the margin as this the sizes are those of no study, and have no power to compute.
        let room = match aim {
            Aim::Superiority => device - other - margin,
            Aim::NonInferiority => device - other + margin,
            Aim::Equivalence => margin - (device - other).abs(),
        };
        if !is_true || room < 1e-3 {
            return Ok(());
        }
        let (less, more) = (pair.size_of(claim, 0.8).expect("a size"), pair.size_of(claim, 0.9).expect("a \
            size"));
        prop_assert!(less <= more);
        prop_assert!(pair.power_of(claim, more).expect("power") >= 0.9 - 1e-9);
        let cases = shares.size_of(claim, ratio, 0.9).expect("a size");
        prop_assert!(shares.power_of(claim, [cases, cases * ratio]).expect("power") >= 0.9 - 1e-9);
        let size = areas.size_of(claim, ratio, 0.9).expect("a size");
        prop_assert!(areas.power_of(claim, [size; 2]).expect("power") >= 0.9 - 1e-9);
    }
}
