//! Two shares of the same cases, such as the sensitivities of two readers: their difference with score and
//! square-and-add intervals.

use crate::proportion::{Limits, wilson};
use crate::special::z_two_sided;

/// Cases by which of the two is right. The difference is that of the first less that of the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedShares {
    /// Both are right.
    pub both: u64,
    /// The first alone.
    pub only_first: u64,
    /// The second alone.
    pub only_second: u64,
    /// Neither.
    pub neither: u64,
}

impl PairedShares {
    /// Counts one case.
    pub fn count(&mut self, first: bool, second: bool) {
        *match (first, second) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.only_first,
            (false, true) => &mut self.only_second,
            (false, false) => &mut self.neither,
        } += 1;
    }

    /// All cases.
    pub fn cases(&self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// The first share less the second; none without cases.
    pub fn difference(&self) -> Option<f64> {
        let n = self.cases();
        (n > 0).then(|| (self.only_first as f64 - self.only_second as f64) / n as f64)
    }

    /// Tango's statistic (1998) of the hypothesis that the difference is Δ: (b − c − nΔ)/√(n(2q + Δ(1 − Δ))),
    /// with q the share of the second alone that is most likely under Δ. 0 where difference and deviation are
    /// both none, infinite where the deviation alone is; none without cases.
    pub fn tango_z(&self, delta: f64) -> Option<f64> {
        self.difference()?;
        let (n, b, c) = (self.cases() as f64, self.only_first as f64, self.only_second as f64);
        let (excess, deviation) = (b - c - n * delta, self.tango_deviation(delta));
        Some(if excess == 0.0 { 0.0 } else { excess / deviation })
    }

    fn tango_deviation(&self, delta: f64) -> f64 {
        let (n, b, c) = (self.cases() as f64, self.only_first as f64, self.only_second as f64);
        let (two, linear, constant) =
            (2.0 * n, (2.0 * n - b + c) * delta - b - c, -c * delta * (1.0 - delta));
        let root = (linear * linear - 4.0 * two * constant).max(0.0).sqrt();
        // Of the two forms of the root the one without cancellation.
        let q = match linear > 0.0 {
            true => -2.0 * constant / (linear + root),
            false => (root - linear) / (2.0 * two),
        };
        (n * (2.0 * q + delta * (1.0 - delta))).max(0.0).sqrt()
    }

    /// Tango's score interval (1998): the differences Δ that [`Self::tango_z`] does not reject. None without
    /// cases.
    pub fn tango(&self, level: f64) -> Option<Limits> {
        let difference = self.difference()?;
        let (n, b, c) = (self.cases() as f64, self.only_first as f64, self.only_second as f64);
        let z = z_two_sided(level);
        let excess = |delta: f64| b - c - n * delta;
        // Between a difference that is kept and the end of all differences.
        let limit = |end: f64| {
            let (mut kept, mut beyond) = (difference, end);
            for _ in 0..200 {
                let middle = kept + (beyond - kept) / 2.0;
                let rejected = excess(middle).abs() > z * self.tango_deviation(middle);
                *(if rejected { &mut beyond } else { &mut kept }) = middle;
            }
            kept + (beyond - kept) / 2.0
        };
        Some((limit(-1.0), limit(1.0)))
    }

    /// Newcombe's interval (1998, method 10): Wilson's limits of both shares, squared and added with the
    /// continuity-corrected correlation φ of the two. None without cases.
    pub fn newcombe(&self, level: f64) -> Option<Limits> {
        self.square_and_add(level, self.phi(true))
    }

    /// The same without the correction of φ (method 8). None without cases.
    pub fn newcombe_uncorrected(&self, level: f64) -> Option<Limits> {
        self.square_and_add(level, self.phi(false))
    }

    fn square_and_add(&self, level: f64, phi: f64) -> Option<Limits> {
        let difference = self.difference()?;
        let n = self.cases();
        let (first, second) = (self.both + self.only_first, self.both + self.only_second);
        let share = |k: u64| k as f64 / n as f64;
        let (l1, u1) = wilson(first, n, level);
        let (l2, u2) = wilson(second, n, level);
        let reach = |a: f64, b: f64| (a * a - 2.0 * phi * a * b + b * b).max(0.0).sqrt();
        Some((
            difference - reach(share(first) - l1, u2 - share(second)),
            difference + reach(u1 - share(first), share(second) - l2),
        ))
    }

    /// φ of the 2×2 table; `corrected`: its numerator less n/2 where it is positive, and at least 0. 0 where
    /// a margin of the table is.
    pub fn phi(&self, corrected: bool) -> f64 {
        let [a, b, c, d] = [self.both, self.only_first, self.only_second, self.neither].map(|k| k as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        let product = a * d - b * c;
        let numerator = match corrected && product >= 0.0 {
            true => (product - self.cases() as f64 / 2.0).max(0.0),
            false => product,
        };
        if margins > 0.0 { numerator / margins.sqrt() } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `fixtures/reference-values/make_paired_shares.py`: 50 digits, from the papers' formulas.
    #[test]
    fn limits_match_reference_values_of_fifty_digits() {
        let text = include_str!("../../fixtures/reference-values/ref/paired_shares.json");
        let reference: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let tables = reference.as_object().expect("tables");
        for (name, table) in tables {
            let count = |place: usize| table["counts"][place].as_u64().expect("a count");
            let shares = PairedShares {
                both: count(0),
                only_first: count(1),
                only_second: count(2),
                neither: count(3),
            };
            for (method, limits) in [("tango", shares.tango(0.95)), ("newcombe", shares.newcombe(0.95))] {
                let (lower, upper) = limits.expect("cases");
                for (place, found) in [lower, upper].into_iter().enumerate() {
                    let expected: f64 =
                        table[method][place].as_str().and_then(|t| t.parse().ok()).expect("a number");
                    assert!((found - expected).abs() < 1e-12, "{name} {method} {found} {expected}");
                }
            }
        }
        assert_eq!(tables.len(), 23);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn limits_hold_the_difference_and_change_sides_with_the_two(
            [both, only_first, only_second, neither] in [0_u64..40, 0..20, 0..20, 0..40],
        ) {
            let shares = PairedShares { both, only_first, only_second, neither };
            let turned = PairedShares { only_first: only_second, only_second: only_first, ..shares };
            for of in [PairedShares::tango, PairedShares::newcombe] {
                let (Some((lower, upper)), Some(difference)) = (of(&shares, 0.95), shares.difference()) else {
                    prop_assert_eq!(shares.cases(), 0);
                    continue;
                };
                prop_assert!(-1.0 - 1e-12 <= lower && lower <= difference + 1e-12, "{shares:?} {lower}");
                prop_assert!(difference - 1e-12 <= upper && upper <= 1.0 + 1e-12, "{shares:?} {upper}");
                // A score interval is never a point.
                prop_assert!(upper - lower > 1e-6, "{shares:?} {lower} {upper}");
                let (low, high) = of(&turned, 0.95).unwrap_or_default();
                prop_assert!((low + upper).abs() < 1e-9 && (high + lower).abs() < 1e-9, "{shares:?}");
            }
        }
    }
}
