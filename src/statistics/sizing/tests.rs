//! Each size beside a second route: a closed form, an enumeration of every table, or simulation.

use super::*;
use crate::auc::hanley_mcneil_variance;
use crate::random::Stream;
use crate::special::binomial_tails;

#[test]
fn the_size_of_an_auc_bound_is_the_closed_form_where_there_is_one() {
    // Obuchowski's variance is inverse to the size: m = ((z + z_power)/(AUC - goal))^2 V(1, ratio).
    for (auc, goal, ratio, power) in [(0.88, 0.8, 1.0, 0.9), (0.9, 0.85, 3.0, 0.8), (0.7, 0.6, 0.5, 0.95)] {
        let by = AucVariance::Obuchowski;
        let reach = normal_quantile(0.975) + normal_quantile(power);
        let expected = (reach / (auc - goal)).powi(2) * by.of(auc, 1.0, ratio);
        let found = auc_bound_size(by, auc, goal, ratio, 0.95, power).expect("a size");
        assert!((found.positives / expected - 1.0).abs() < 1e-9, "{found:?} {expected}");
        let by = AucVariance::HanleyMcneil;
        let size = auc_bound_size(by, auc, goal, ratio, 0.95, power).expect("a size");
        let reached = auc_bound_power(by, auc, goal, size, 0.95).expect("a power");
        assert!((reached - power).abs() < 1e-9, "{reached}");
    }
    assert_eq!(auc_bound_size(AucVariance::HanleyMcneil, 0.67, 0.8, 1.0, 0.95, 0.9), None);
}

#[test]
fn a_width_is_reached_at_its_size_and_not_below() {
    let by = AucVariance::HanleyMcneil;
    let size = auc_width_size(by, 0.85, 2.0, 0.03, 0.95).expect("a size");
    let half = |m: f64| normal_quantile(0.975) * hanley_mcneil_variance(0.85, m, 2.0 * m).sqrt();
    assert!((half(size.positives) - 0.03).abs() < 1e-9 && half(size.positives - 0.1) > 0.03);
}

/// The power of Tango's score test by enumeration of every table with `n` pairs.
fn enumerated(pair: PairedShares, margin: f64, n: u64, alpha: f64) -> f64 {
    let z = normal_quantile(1.0 - alpha);
    let ln_factorial = |k: u64| (1..=k).map(|i| (i as f64).ln()).sum::<f64>();
    let rest = 1.0 - pair.device_alone - pair.other_alone;
    let mut power = 0.0;
    for b in 0..=n {
        for c in 0..=n - b {
            let (share_b, share_c) = (b as f64 / n as f64, c as f64 / n as f64);
            let observed = PairedShares { device_alone: share_b, other_alone: share_c };
            let (_, restricted) = observed.variances(margin);
            let statistic = (share_b - share_c + margin) * (n as f64).sqrt() / restricted.sqrt();
            if statistic >= z {
                let ln = ln_factorial(n) - ln_factorial(b) - ln_factorial(c) - ln_factorial(n - b - c)
                    + b as f64 * pair.device_alone.ln()
                    + c as f64 * pair.other_alone.ln()
                    + (n - b - c) as f64 * rest.ln();
                power += ln.exp();
            }
        }
    }
    power
}

#[test]
fn the_power_of_a_paired_margin_is_that_of_every_table_added_up() {
    for (device, other, discordant, margin) in
        [(0.85, 0.85, 0.2, 0.1), (0.9, 0.88, 0.14, 0.08), (0.8, 0.82, 0.25, 0.12)]
    {
        let pair = PairedShares::new(device, other, discordant).expect("a table");
        let n = pair.size(margin, 0.025, 0.8).expect("a size").ceil();
        assert!((pair.power(margin, n, 0.025).expect("a power") - 0.8).abs() < 0.01);
        let exact = enumerated(pair, margin, n as u64, 0.025);
        assert!((exact - 0.8).abs() < 0.035, "{device} {other}: {exact} with {n}");
    }
    assert_eq!(PairedShares::new(0.9, 0.5, 0.1), None, "shares this far apart are discordant more often");
    let worse = PairedShares::new(0.7, 0.85, 0.3).expect("a table");
    assert_eq!(worse.size(0.1, 0.025, 0.9), None, "worse by more than the margin");
    // With the margin's variance at its own restricted value a test of no difference at the boundary has
    // its level.
    let boundary = PairedShares::new(0.75, 0.85, 0.2).expect("a table");
    assert!((boundary.power(0.1, 400.0, 0.025).expect("a power") - 0.025).abs() < 0.002);
}

#[test]
fn an_assurance_is_the_mean_over_draws() {
    let power = |p: f64| Some(binomial_tails(90, 100, p).1);
    let mut stream = Stream::new(7, 0);
    for over in [
        Uncertain::Uniform { low: 0.8, high: 0.95 },
        Uncertain::Triangular { low: 0.8, mode: 0.92, high: 0.95 },
    ] {
        let drawn = |stream: &mut Stream| match over {
            Uncertain::Uniform { low, high } => low + stream.unit() * (high - low),
            // The sum of what two uniform numbers say is another way to a triangle: accept or reject.
            Uncertain::Triangular { low, mode, high } => loop {
                let (x, y) = (low + stream.unit() * (high - low), stream.unit());
                let height = if x < mode { (x - low) / (mode - low) } else { (high - x) / (high - mode) };
                if y <= height {
                    break x;
                }
            },
        };
        let n = 40_000;
        let mean = (0..n).filter_map(|_| power(drawn(&mut stream))).sum::<f64>() / f64::from(n);
        let found = assurance(over, power).expect("an assurance");
        assert!((found - mean).abs() < 0.01, "{found} {mean}");
    }
    // Nothing uncertain: the power itself.
    let narrow = Uncertain::Uniform { low: 0.9, high: 0.9 };
    let found = assurance(narrow, power).expect("an assurance");
    assert!((found - power(0.9).expect("a power")).abs() < 1e-12);
}

#[test]
fn the_ratio_needs_what_the_paper_s_formula_says() {
    // Riley et al. 2021: (1 - prevalence)/(prevalence SE^2); a width of 2 sinh(z SE) has that SE.
    let z = normal_quantile(0.975);
    let width = 2.0 * (z * 0.051_f64).sinh();
    let found = calibration_size(0.8, 0.22, width, 0.2, 0.95).expect("a size");
    assert!((found.observed_to_expected - 0.78 / (0.22 * 0.051 * 0.051)).abs() < 1e-6, "{found:?}");
    assert_eq!(calibration_size(0.5, 0.2, 0.2, 0.2, 0.95), None);
}

#[test]
fn the_slope_of_simulated_cases_is_as_uncertain_as_planned() {
    let (auc, prevalence, width) = (0.8, 0.3, 0.4);
    let size = calibration_size(auc, prevalence, 0.2, width, 0.95).expect("a size");
    let n = size.slope.ceil() as usize;
    let spread = std::f64::consts::SQRT_2 * normal_quantile(auc);
    let middle = (prevalence / (1.0_f64 - prevalence)).ln();
    let mut stream = Stream::new(11, 0);
    let studies = 200;
    let mut slopes = Vec::new();
    for _ in 0..studies {
        let cases: Vec<(f64, bool)> = (0..n)
            .map(|_| {
                let positive = stream.unit() < prevalence;
                let side = if positive { 1.0 } else { -1.0 };
                let noise = normal_quantile(stream.unit().clamp(1e-12, 1.0 - 1e-12));
                (middle + side * spread * spread / 2.0 + spread * noise, positive)
            })
            .collect();
        slopes.push(fitted_slope(&cases));
    }
    let mean = slopes.iter().sum::<f64>() / f64::from(studies);
    let variance = slopes.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / f64::from(studies - 1);
    let planned = width / (2.0 * normal_quantile(0.975));
    // 200 studies know a standard error to 5 %.
    assert!((variance.sqrt() / planned - 1.0).abs() < 0.15, "{} {planned}", variance.sqrt());
    assert!((mean - 1.0).abs() < 4.0 * planned / f64::from(studies).sqrt() + 0.01, "{mean}");
}

/// Logistic regression of the outcome on the log odds by Newton's method: the slope.
fn fitted_slope(cases: &[(f64, bool)]) -> f64 {
    let (mut intercept, mut slope): (f64, f64) = (0.0, 1.0);
    for _ in 0..25 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, positive) in cases {
            let p = 1.0 / (1.0 + (-(intercept + slope * x)).exp());
            let (rest, weight) = (f64::from(u8::from(*positive)) - p, p * (1.0 - p));
            g0 += rest;
            g1 += rest * x;
            h00 += weight;
            h01 += weight * x;
            h11 += weight * x * x;
        }
        let determinant = h00 * h11 - h01 * h01;
        intercept += (h11 * g0 - h01 * g1) / determinant;
        slope += (h00 * g1 - h01 * g0) / determinant;
    }
    slope
}
