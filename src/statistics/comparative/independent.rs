//! Two shares of different cases: their difference.

use crate::comparative::aim::MarginTests;
use crate::proportion::{Limits, wilson};
use crate::special::z_two_sided;

/// Two shares of different cases. The difference is that of the first less that of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndependentShares {
    /// Cases of the first that are right, at most as many as all.
    right: [u64; 2],
    /// All cases of the two, at least one.
    cases: [u64; 2],
}

impl IndependentShares {
    /// None where a share has no cases or more right ones than cases.
    pub fn new([first, of_first]: [u64; 2], [second, of_second]: [u64; 2]) -> Option<Self> {
        let fits = |k: u64, n: u64| n > 0 && k <= n;
        (fits(first, of_first) && fits(second, of_second))
            .then_some(Self { right: [first, second], cases: [of_first, of_second] })
    }

    /// The two shares.
    pub fn shares(&self) -> [f64; 2] {
        [0, 1].map(|i| self.right[i] as f64 / self.cases[i] as f64)
    }

    /// The first less the second.
    pub fn difference(&self) -> f64 {
        let [[x, y], [m, n]] = [self.right, self.cases].map(|pair| pair.map(u128::from));
        // As integers, so that equal shares differ by exactly 0.
        ((x * n) as i128 - (y * m) as i128) as f64 / (m * n) as f64
    }

    /// Standard error from the two observed shares.
    pub fn wald_se(&self) -> f64 {
        let [p, q] = self.shares();
        let [m, n] = self.cases.map(|n| n as f64);
        (p * (1.0 - p) / m + q * (1.0 - q) / n).sqrt()
    }

    /// Symmetric interval from [`Self::wald_se`].
    pub fn wald(&self, level: f64) -> Limits {
        let (difference, half) = (self.difference(), z_two_sided(level) * self.wald_se());
        (difference - half, difference + half)
    }

    /// Agresti and Caffo (2000): Wald's interval with a right and a wrong case more in each share.
    pub fn agresti_caffo(&self, level: f64) -> Limits {
        let of = |i: usize| {
            let (k, n) = (self.right[i] as f64 + 1.0, self.cases[i] as f64 + 2.0);
            (k / n, k / n * (1.0 - k / n) / n)
        };
        let ((p, vp), (q, vq)) = (of(0), of(1));
        let half = z_two_sided(level) * (vp + vq).sqrt();
        (p - q - half, p - q + half)
    }

    /// Newcombe (1998, method 10 of his independent comparison): Wilson's limits of both, squared and added.
    pub fn newcombe(&self, level: f64) -> Limits {
        let [p, q] = self.shares();
        let (l1, u1) = wilson(self.right[0], self.cases[0], level);
        let (l2, u2) = wilson(self.right[1], self.cases[1], level);
        let difference = self.difference();
        (difference - (p - l1).hypot(u2 - q), difference + (u1 - p).hypot(q - l2))
    }

    /// The score statistic of the hypothesis that the difference is Δ, with the shares that are most likely
    /// under it: of Mee (1984), which is that of Farrington and Manning (1990), or with the factor N/(N − 1)
    /// of Miettinen and Nurminen (1985). None where it has no variance.
    pub fn score_z(&self, delta: f64, unbiased: bool) -> Option<f64> {
        let variance = self.score_variance(delta, unbiased);
        (variance > 0.0).then(|| (self.difference() - delta) / variance.sqrt())
    }

    fn score_variance(&self, delta: f64, unbiased: bool) -> f64 {
        let [m, n] = self.cases.map(|n| n as f64);
        let q = self.most_likely_second(delta);
        let p = (q + delta).clamp(0.0, 1.0);
        let all = m + n;
        let factor = if unbiased { all / (all - 1.0) } else { 1.0 };
        factor * (p * (1.0 - p) / m + q * (1.0 - q) / n)
    }

    /// The second share that is most likely where the first is greater by Δ: the root of the score, which
    /// falls.
    fn most_likely_second(&self, delta: f64) -> f64 {
        let [x1, x2] = self.right.map(|k| k as f64);
        let [y1, y2] = [self.cases[0] - self.right[0], self.cases[1] - self.right[1]].map(|k| k as f64);
        let score = |q: f64| {
            let part = |count: f64, share: f64| match (count > 0.0, share > 0.0) {
                (false, _) => 0.0,
                (true, true) => count / share,
                (true, false) => f64::INFINITY,
            };
            let p = q + delta;
            part(x2, q) + part(x1, p) - part(y2, 1.0 - q) - part(y1, 1.0 - p)
        };
        let (mut low, mut high) = ((-delta).max(0.0), (1.0 - delta).min(1.0));
        for _ in 0..1100 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            *(if score(middle) > 0.0 { &mut low } else { &mut high }) = middle;
        }
        low + (high - low) / 2.0
    }

    /// The differences that [`Self::score_z`] does not reject.
    pub fn score(&self, level: f64, unbiased: bool) -> Limits {
        let (difference, z) = (self.difference(), z_two_sided(level));
        let limit = |end: f64| {
            let (mut kept, mut beyond) = (difference, end);
            for _ in 0..100 {
                let middle = kept + (beyond - kept) / 2.0;
                let reach = z * self.score_variance(middle, unbiased).sqrt();
                *(if (difference - middle).abs() > reach { &mut beyond } else { &mut kept }) = middle;
            }
            kept + (beyond - kept) / 2.0
        };
        (limit(-1.0), limit(1.0))
    }

    /// Tests against a margin in (0, 1) by the score.
    pub fn margin_tests(&self, margin: f64, unbiased: bool) -> Option<MarginTests> {
        MarginTests::of(margin, |delta| self.score_z(delta, unbiased))
    }
}
