//! Bootstrap laws in closed form: what the percentile interval tends to as replicates grow without bound.
//!
//! A share k/n resampled by case within its class is Binomial(n, k/n)/n. Resampled by case from all
//! cases, the class size itself is binomial, and the law is a mixture over it. Quantiles are
//! inverses of the distribution function (the smallest value whose cumulated probability reaches p).

use super::special::binomial_density;

/// Probabilities that differ by less are taken as equal when a quantile falls on a step.
const STEP: f64 = 1e-14;

/// Most (class size, count) pairs that a mixture is summed over: above, use replicates.
const MOST_TERMS: f64 = 5e6;

/// Quantile at `p` of the share k/n when its `n` > 0 cases are resampled with n fixed.
pub fn fixed_size_quantile(k: u64, n: u64, p: f64) -> f64 {
    let share = k as f64 / n as f64;
    let (first, last) = range(n, share);
    let mut sum = 0.0;
    for x in first..=last {
        sum += binomial_density(x as f64, n as f64, share, 1.0 - share);
        if sum >= p - STEP {
            return x as f64 / n as f64;
        }
    }
    last as f64 / n as f64
}

/// Quantiles at each of `p` of the share `k` of `class` cases when all `total` cases are resampled; replicates
/// without a case of the class are left out. None when the class is empty or the sum would be too long.
pub fn mixed_size_quantiles(k: u64, class: u64, total: u64, p: &[f64]) -> Option<Vec<f64>> {
    if class == 0 || class > total {
        return None;
    }
    let rate = class as f64 / total as f64;
    let share = k as f64 / class as f64;
    let (first, last) = range(total, rate);
    let width = |n: u64| {
        let (a, b) = range(n, share);
        (b - a + 1) as f64
    };
    if (last - first + 1) as f64 * width(last) > MOST_TERMS {
        return None;
    }
    let mut law: Vec<(f64, f64)> = Vec::new();
    let mut evaluable = 0.0;
    for size in first.max(1)..=last {
        let outer = binomial_density(size as f64, total as f64, rate, 1.0 - rate);
        evaluable += outer;
        if outer < 1e-16 {
            continue;
        }
        let (a, b) = range(size, share);
        for x in a..=b {
            let inner = binomial_density(x as f64, size as f64, share, 1.0 - share);
            law.push((x as f64 / size as f64, outer * inner));
        }
    }
    law.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    let quantile = |p: f64| {
        let mut sum = 0.0;
        for &(value, weight) in &law {
            sum += weight / evaluable;
            if sum >= p - STEP {
                return Some(value);
            }
        }
        law.last().map(|l| l.0)
    };
    p.iter().map(|&p| quantile(p)).collect()
}

/// Where Binomial(n, p) has all but less than 10⁻¹⁸ of its mass.
fn range(n: u64, p: f64) -> (u64, u64) {
    let mean = n as f64 * p;
    let reach = 9.0 * (mean * (1.0 - p)).sqrt() + 20.0;
    ((mean - reach).max(0.0) as u64, ((mean + reach) as u64 + 1).min(n))
}
