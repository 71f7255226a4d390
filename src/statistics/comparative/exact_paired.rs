//! Exact statistics of two shares of the same cases that are not conditional on the discordant ones: the test
//! of equality, and the interval by Wang's order.

use crate::paired_shares::PairedShares;
use crate::proportion::Limits;
use crate::special::{CompensatedSum, binomial_density, binomial_tails};

/// The exact interval is computed for at most so many cases: its work grows with the fifth power of them.
pub const MOST_CASES_FOR_INTERVAL: u64 = 30;
/// The unconditional test is computed for at most so many cases.
pub const MOST_CASES_FOR_TEST: u64 = 20_000;

/// Unconditional exact p value of McNemar's statistic (Suissa and Shuster 1991): the greatest probability,
/// whatever share of cases is discordant, of a statistic at least as great as the observed one, no discordant
/// case counting as none. None without discordant cases or with more than [`MOST_CASES_FOR_TEST`] cases.
pub fn unconditional_p(shares: &PairedShares) -> Option<f64> {
    let n = shares.cases();
    let (b, c) = (shares.only_first, shares.only_second);
    if b + c == 0 || n > MOST_CASES_FOR_TEST {
        return None;
    }
    // Two-sided tails of every number of discordant cases.
    let tails: Vec<f64> = (0..=n).map(|s| tail(s, b, c)).collect();
    let probability = |p: f64| -> f64 {
        let (centre, reach) = (n as f64 * p, 12.0 * (n as f64 * p * (1.0 - p)).sqrt() + 40.0);
        let first = (centre - reach).max(1.0) as u64;
        let last = ((centre + reach) as u64).min(n);
        let terms = (first..=last).filter(|s| tails[*s as usize] > 0.0);
        terms
            .map(|s| tails[s as usize] * binomial_density(s as f64, n as f64, p, 1.0 - p))
            .collect::<CompensatedSum>()
            .total()
    };
    // On the angle of the share the probability varies alike everywhere, on a scale of 1/(2√n).
    let steps = 200 + (16.0 * (n as f64).sqrt()) as usize;
    let share = |angle: f64| angle.sin().powi(2);
    let quarter = std::f64::consts::FRAC_PI_2;
    let angle = |k: usize| quarter * k as f64 / steps as f64;
    let seen: Vec<f64> = (0..=steps).map(|k| probability(share(angle(k)))).collect();
    let most = seen.iter().copied().fold(0.0, f64::max);
    let mut best = most;
    for k in 0..=steps {
        let is_peak = (k == 0 || seen[k] >= seen[k - 1]) && (k == steps || seen[k] >= seen[k + 1]);
        if is_peak && seen[k] > 0.98 * most {
            let (low, high) = (angle(k.saturating_sub(1)), angle((k + 1).min(steps)));
            best = best.max(greatest(low, high, 45, |a| probability(share(a))));
        }
    }
    Some(best.min(1.0))
}

/// P(|2X − s|²/s >= (b − c)²/(b + c)) of a fair binomial X of s.
fn tail(s: u64, b: u64, c: u64) -> f64 {
    if s == 0 {
        return 0.0;
    }
    let (gap, discordant) = (u128::from(b.abs_diff(c)), u128::from(b + c));
    let enough = |d: u64| u128::from(d) * u128::from(d) * discordant >= gap * gap * u128::from(s);
    // The least gap |2X − s| that is enough, of the parity of s.
    let estimate = ((gap * gap * u128::from(s)) as f64 / discordant as f64).sqrt() as u64;
    let mut d = estimate.saturating_sub(2);
    d += (d + s) % 2;
    while !enough(d) {
        d += 2;
    }
    match d {
        0 => 1.0,
        _ if d > s => 0.0,
        _ => (2.0 * binomial_tails((s - d) / 2, s, 0.5).0).min(1.0),
    }
}

/// Golden section for the greatest value of a function with one peak between two ends.
fn greatest(mut low: f64, mut high: f64, steps: usize, of: impl Fn(f64) -> f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut x, mut y) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_x, mut at_y) = (of(x), of(y));
    let mut best = at_x.max(at_y);
    for _ in 0..steps {
        if at_x < at_y {
            (low, x, at_x) = (x, y, at_y);
            y = low + ratio * (high - low);
            at_y = of(y);
            best = best.max(at_y);
        } else {
            (high, y, at_y) = (y, x, at_x);
            x = high - ratio * (high - low);
            at_x = of(x);
            best = best.max(at_x);
        }
    }
    best
}

/// The exact unconditional interval of the difference: both one-sided smallest intervals of Wang (2012, *An
/// inductive order construction for the difference of two dependent proportions*), each at half the error.
///
/// Tables are ranked from the most favourable on: of those whose better neighbours have their rank, the one
/// with the greatest lower limit is next, ties together; the limit of a table is the difference below which
/// all ranked so far have less than half the error, whatever share is concordant. None without cases or with
/// more than [`MOST_CASES_FOR_INTERVAL`].
pub fn exact_interval(shares: &PairedShares, level: f64) -> Option<Limits> {
    let n = shares.cases();
    if n == 0 || n > MOST_CASES_FOR_INTERVAL {
        return None;
    }
    let (b, c) = (shares.only_first as usize, shares.only_second as usize);
    let tables = Tables::new(n as usize, (1.0 - level) / 2.0);
    Some((tables.lower(b, c), -tables.lower(c, b)))
}

/// How far two candidates may differ and still be tied.
const TIE: f64 = 1e-8;

/// The trinomial tables of n cases.
struct Tables {
    n: usize,
    error: f64,
    /// n!/(i! j! (n − i − j)!) at `[j][i]`, i with the first alone, j with the second alone.
    coefficients: Vec<Vec<f64>>,
}

/// A set of tables: of those with j cases of the second alone, all with at least `[j]` of the first alone.
type UpSet = Vec<usize>;

impl Tables {
    fn new(n: usize, error: f64) -> Self {
        let choose = |n: usize, k: usize| (0..k).fold(1.0, |v, i| v * (n - i) as f64 / (i + 1) as f64);
        let row = |j: usize| (0..=n - j).map(|i| choose(n, j) * choose(n - j, i)).collect();
        Self { n, error, coefficients: (0..=n).map(row).collect() }
    }

    /// Probability of a set where `tied` is the share of cases on which the two agree.
    fn probability(&self, set: &UpSet, difference: f64, tied: f64) -> f64 {
        let n = self.n;
        let powers = |x: f64| -> Vec<f64> {
            let x = x.max(0.0);
            std::iter::successors(Some(1.0), |v| Some(v * x)).take(n + 1).collect()
        };
        let first = powers((1.0 - tied + difference) / 2.0);
        let second = powers((1.0 - tied - difference) / 2.0);
        let tied = powers(tied);
        let of_row = |j: usize| -> f64 {
            (set[j]..=n - j).map(|i| self.coefficients[j][i] * first[i] * tied[n - i - j]).sum::<f64>()
        };
        (0..=n).filter(|j| set[*j] <= n - j).map(|j| second[j] * of_row(j)).sum()
    }

    /// The greatest probability of a set at a difference.
    fn most_probable(&self, set: &UpSet, difference: f64) -> f64 {
        const STEPS: usize = 20;
        let top = 1.0 - difference.abs();
        let at = |k: usize| top * k as f64 / STEPS as f64;
        let seen: Vec<f64> = (0..=STEPS).map(|k| self.probability(set, difference, at(k))).collect();
        let best = (0..=STEPS).max_by(|x, y| seen[*x].total_cmp(&seen[*y])).unwrap_or(0);
        let (low, high) = (at(best.saturating_sub(1)), at((best + 1).min(STEPS)));
        seen[best].max(greatest(low, high, 28, |tied| self.probability(set, difference, tied)))
    }

    /// The difference below which a set has less than the error, at most `top`. The probability grows with
    /// the difference, since a set holds with a table all that are better.
    fn limit(&self, set: &UpSet, top: f64) -> f64 {
        let excess = |difference: f64| self.most_probable(set, difference) - self.error;
        let (mut high, mut at_high) = (top, excess(top));
        if at_high <= 0.0 {
            return top;
        }
        // Limits of sets that follow each other lie near each other.
        let mut reach = 0.02;
        let (mut low, mut at_low) = loop {
            let low = (top - reach).max(-1.0);
            let at_low = excess(low);
            if at_low <= 0.0 {
                break (low, at_low);
            }
            if low == -1.0 {
                return low;
            }
            (high, at_high) = (low, at_low);
            reach *= 4.0;
        };
        // False position; an end that stays counts half (Dowell and Jarratt 1971).
        let mut above = None;
        for _ in 0..100 {
            if high - low < 1e-12 {
                break;
            }
            let next = (low * at_high - high * at_low) / (at_high - at_low);
            let at_next = excess(next);
            if at_next.abs() < 1e-12 {
                return next;
            }
            let is_above = at_next > 0.0;
            let stays = above == Some(is_above);
            if is_above {
                (high, at_high) = (next, at_next);
                at_low *= if stays { 0.5 } else { 1.0 };
            } else {
                (low, at_low) = (next, at_next);
                at_high *= if stays { 0.5 } else { 1.0 };
            }
            above = Some(is_above);
        }
        low
    }

    /// The lower limit of the table with `first` and `second` cases of one alone.
    fn lower(&self, first: usize, second: usize) -> f64 {
        let n = self.n;
        let mut set: UpSet = (0..=n).map(|j| n - j + 1).collect();
        set[0] = n;
        let mut limit = self.limit(&set, 1.0);
        while set[second] > first {
            let mut found: Vec<(usize, f64)> = Vec::new();
            let mut best = f64::NEG_INFINITY;
            for j in 0..=n {
                let better_have_rank = set[j] > 0 && (j == 0 || set[j - 1] < set[j]);
                if !better_have_rank {
                    continue;
                }
                let mut with = set.clone();
                with[j] -= 1;
                if best > f64::NEG_INFINITY && self.most_probable(&with, best - TIE) > self.error {
                    continue;
                }
                let reached = self.limit(&with, (limit + 1e-9).min(1.0));
                found.push((j, reached));
                best = best.max(reached);
            }
            for (j, reached) in found {
                if reached >= best - TIE {
                    set[j] -= 1;
                }
            }
            limit = self.limit(&set, (limit + 1e-9).min(1.0));
        }
        limit
    }
}
