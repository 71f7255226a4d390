//! More of two shares of the same cases: intervals of their difference and of their ratio, and tests against
//! a margin.

use crate::mcnemar::McNemar;
use crate::paired_shares::PairedShares;
use crate::proportion::{Limits, clopper_pearson};
use crate::special::z_two_sided;

impl PairedShares {
    /// The cases on which exactly one of the two is right.
    pub fn discordant(&self) -> McNemar {
        McNemar { only_first_correct: self.only_first, only_second_correct: self.only_second }
    }

    /// The two shares; none without cases.
    pub fn shares(&self) -> Option<[f64; 2]> {
        let n = self.cases() as f64;
        (n > 0.0).then(|| [self.both + self.only_first, self.both + self.only_second].map(|k| k as f64 / n))
    }

    /// Standard error from the observed table, √(b + c − (b − c)²/n)/n; none without cases.
    pub fn wald_se(&self) -> Option<f64> {
        let (n, b, c) = (self.cases() as f64, self.only_first as f64, self.only_second as f64);
        (n > 0.0).then(|| (b + c - (b - c) * (b - c) / n).max(0.0).sqrt() / n)
    }

    /// Difference and its standard error on the table that they leave: z(Δ) = (difference − Δ)/se. None
    /// without cases or spread.
    pub fn wald_z(&self, delta: f64) -> Option<f64> {
        let se = self.wald_se().filter(|se| *se > 0.0)?;
        Some((self.difference()? - delta) / se)
    }

    /// Symmetric interval from [`Self::wald_se`]; none without cases.
    pub fn wald(&self, level: f64) -> Option<Limits> {
        let (difference, half) = (self.difference()?, z_two_sided(level) * self.wald_se()?);
        Some((difference - half, difference + half))
    }

    /// The estimate of Agresti and Min (2005): half a case more in each cell; none without cases.
    pub fn agresti_min_estimate(&self) -> Option<f64> {
        let n = self.cases();
        (n > 0).then(|| (self.only_first as f64 - self.only_second as f64) / (n as f64 + 2.0))
    }

    /// Wald's interval of that table, around that estimate; none without cases.
    pub fn agresti_min(&self, level: f64) -> Option<Limits> {
        let estimate = self.agresti_min_estimate()?;
        let (m, b, c) = (self.cases() as f64 + 2.0, self.only_first as f64, self.only_second as f64);
        let half = z_two_sided(level) * (b + c + 1.0 - (b - c) * (b - c) / m).max(0.0).sqrt() / m;
        Some((estimate - half, estimate + half))
    }

    /// Bonett and Price (2012): Wald's interval with one case more on each discordant side; none without
    /// cases.
    pub fn bonett_price(&self, level: f64) -> Option<Limits> {
        let m = self.cases() as f64 + 2.0;
        self.difference()?;
        let (x, y) = ((self.only_first + 1) as f64 / m, (self.only_second + 1) as f64 / m);
        let half = z_two_sided(level) * ((x + y - (x - y) * (x - y)) / m).max(0.0).sqrt();
        Some((x - y - half, x - y + half))
    }

    /// Exact limits that hold however few are discordant: the difference is at least minus the share that
    /// only the second has right, and at most the share that only the first has, each with its one-sided
    /// Clopper-Pearson bound. Wide where many are discordant. None without cases.
    pub fn exact_outer(&self, level: f64) -> Option<Limits> {
        let n = self.cases();
        (n > 0).then(|| {
            (-clopper_pearson(self.only_second, n, level).1, clopper_pearson(self.only_first, n, level).1)
        })
    }

    /// The first share divided by the second; none where the second is 0.
    pub fn ratio(&self) -> Option<f64> {
        let second = self.both + self.only_second;
        (second > 0).then(|| (self.both + self.only_first) as f64 / second as f64)
    }

    /// Standard error of the ratio's logarithm, √((b + c)/((a + b)(a + c))); none where a share is 0.
    pub fn ratio_log_se(&self) -> Option<f64> {
        let (first, second) = ((self.both + self.only_first) as f64, (self.both + self.only_second) as f64);
        let discordant = (self.only_first + self.only_second) as f64;
        (first > 0.0 && second > 0.0).then(|| (discordant / (first * second)).sqrt())
    }

    /// Wald's interval of the ratio on the log scale; none where a share is 0.
    pub fn ratio_wald(&self, level: f64) -> Option<Limits> {
        let (ratio, reach) = (self.ratio()?, z_two_sided(level) * self.ratio_log_se()?);
        Some((ratio * (-reach).exp(), ratio * reach.exp()))
    }

    /// The score interval of the ratio (Nam and Blackwelder 2002; Tang, Tang and Chan 2003). None where a
    /// share is 0 or no case is discordant: then the score has no variance at a ratio of 1.
    pub fn ratio_score(&self, level: f64) -> Option<Limits> {
        let ratio = self.ratio().filter(|ratio| *ratio > 0.0)?;
        if self.only_first + self.only_second == 0 {
            return None;
        }
        let [a, b, c] = [self.both, self.only_first, self.only_second].map(|k| k as f64);
        let n = self.cases() as f64;
        let z = z_two_sided(level);
        let rejected = |log_ratio: f64| {
            let r = log_ratio.exp();
            let (square, linear) = (n * (1.0 + r), (a + c) * r * r - (a + b + 2.0 * c));
            let constant = c * (1.0 - r) * (a + b + c) / n;
            let root = (linear * linear - 4.0 * square * constant).max(0.0).sqrt();
            let q = match linear > 0.0 {
                true => -2.0 * constant / (linear + root),
                false => (root - linear) / (2.0 * square),
            };
            let variance = (n * (1.0 + r) * q + (a + b + c) * (r - 1.0)).max(0.0);
            ((a + b) - (a + c) * r).abs() > z * variance.sqrt()
        };
        let centre = ratio.ln();
        let limit = |end: f64| {
            let (mut kept, mut beyond) = (centre, end);
            for _ in 0..200 {
                let middle = kept + (beyond - kept) / 2.0;
                *(if rejected(middle) { &mut beyond } else { &mut kept }) = middle;
            }
            (kept + (beyond - kept) / 2.0).exp()
        };
        Some((limit(centre - 60.0), limit(centre + 60.0)))
    }
}
