//! Intervals for a binomial proportion k/n.
//!
//! Conventions, as the documents state them: Wilson's lower limit is exactly 0 at k = 0 and its upper
//! limit exactly 1 at k = n; Agresti-Coull is computed unclipped and reported within 0..1; Jeffreys
//! follows Brown, Cai and DasGupta (2001) with 0 and 1 at the boundary.

use crate::special::{beta_quantile, deviance_part, z_two_sided};

/// Lower and upper limit.
pub type Limits = (f64, f64);

/// Clopper and Pearson (1934): beta quantiles B(α/2; k, n−k+1) and B(1−α/2; k+1, n−k). `n` > 0.
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Limits {
    let alpha = (1.0 - level) / 2.0;
    let (kf, rest) = (k as f64, (n - k) as f64);
    let lower = if k == 0 { 0.0 } else { beta_quantile(alpha, 1.0 - alpha, kf, rest + 1.0) };
    let upper = if k == n { 1.0 } else { beta_quantile(1.0 - alpha, alpha, kf + 1.0, rest) };
    (lower, upper)
}

/// Clopper-Pearson limits of `k` right of `n` where the numbers are effective ones and need not be whole
/// (Korn and Graubard 1998). 0 <= `k` <= `n`, `n` > 0.
pub fn clopper_pearson_effective(k: f64, n: f64, level: f64) -> Limits {
    let alpha = (1.0 - level) / 2.0;
    let lower = if k <= 0.0 { 0.0 } else { beta_quantile(alpha, 1.0 - alpha, k, n - k + 1.0) };
    let upper = if k >= n { 1.0 } else { beta_quantile(1.0 - alpha, alpha, k + 1.0, n - k) };
    (lower, upper)
}

/// Hoeffding (1963, theorem 1, in Chernoff's form): the means μ that the mean of `n` > 0 independent terms in
/// 0..1 does not exclude, n·KL(mean, μ) <= ln(2/α). It covers at least at the level whatever law the terms
/// have, and is never a point.
pub fn hoeffding(mean: f64, n: u64, level: f64) -> Limits {
    let mean = mean.clamp(0.0, 1.0);
    let most = (2.0 / (1.0 - level)).ln() / n as f64;
    let distance = |m: f64| deviance_part(mean, m) + deviance_part(1.0 - mean, 1.0 - m);
    // Between `inside`, where the distance is at most `most`, and `outside`.
    let limit = |mut inside: f64, mut outside: f64| {
        for _ in 0..200 {
            let middle = inside + (outside - inside) / 2.0;
            *(if distance(middle) <= most { &mut inside } else { &mut outside }) = middle;
        }
        inside
    };
    (if mean == 0.0 { 0.0 } else { limit(mean, 0.0) }, if mean == 1.0 { 1.0 } else { limit(mean, 1.0) })
}

/// Wilson (1927) score interval. `n` > 0.
pub fn wilson(k: u64, n: u64, level: f64) -> Limits {
    let z = z_two_sided(level);
    let (kf, nf, z2) = (k as f64, n as f64, z * z);
    let centre = (kf + z2 / 2.0) / (nf + z2);
    let half = z / (nf + z2) * (kf * (n - k) as f64 / nf + z2 / 4.0).sqrt();
    (if k == 0 { 0.0 } else { centre - half }, if k == n { 1.0 } else { centre + half })
}

/// Agresti and Coull (1998), not clipped to 0..1. `n` > 0.
pub fn agresti_coull_unclipped(k: u64, n: u64, level: f64) -> Limits {
    let z = z_two_sided(level);
    let z2 = z * z;
    let total = n as f64 + z2;
    let p = (k as f64 + z2 / 2.0) / total;
    let half = z * (p * (1.0 - p) / total).sqrt();
    (p - half, p + half)
}

/// Agresti and Coull (1998), clipped to 0..1. `n` > 0.
pub fn agresti_coull(k: u64, n: u64, level: f64) -> Limits {
    let (lower, upper) = agresti_coull_unclipped(k, n, level);
    (lower.max(0.0), upper.min(1.0))
}

/// Quantiles of Beta(k+½, n−k+½), without a rule at the boundary. `n` > 0.
pub fn jeffreys_raw(k: u64, n: u64, level: f64) -> Limits {
    let alpha = (1.0 - level) / 2.0;
    let (a, b) = (k as f64 + 0.5, (n - k) as f64 + 0.5);
    (beta_quantile(alpha, 1.0 - alpha, a, b), beta_quantile(1.0 - alpha, alpha, a, b))
}

/// Jeffreys interval with 0 at k = 0 and 1 at k = n (Brown, Cai and DasGupta 2001). `n` > 0.
pub fn jeffreys(k: u64, n: u64, level: f64) -> Limits {
    let (lower, upper) = jeffreys_raw(k, n, level);
    (if k == 0 { 0.0 } else { lower }, if k == n { 1.0 } else { upper })
}

/// Wald interval p ± z √(p(1−p)/n), not clipped. `n` > 0.
pub fn wald_unclipped(k: u64, n: u64, level: f64) -> Limits {
    let p = k as f64 / n as f64;
    let half = z_two_sided(level) * (p * ((n - k) as f64 / n as f64) / n as f64).sqrt();
    (p - half, p + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hoeffding_has_its_closed_ends_and_lies_around_the_mean() {
        for n in [1, 2, 10, 1000, 10_000_000] {
            // KL(0, μ) = −ln(1 − μ).
            let end = -(0.025_f64.ln() / n as f64).exp_m1();
            let (lower, upper) = hoeffding(0.0, n, 0.95);
            assert!(lower == 0.0 && (upper / end - 1.0).abs() < 1e-13, "{n}: {upper} {end}");
            let (lower, upper) = hoeffding(1.0, n, 0.95);
            assert!(upper == 1.0 && ((1.0 - lower) / end - 1.0).abs() < 1e-8, "{n}: {lower}");
            let (lower, upper) = hoeffding(0.3, n, 0.95);
            let distance = |m: f64| 0.3 * (0.3 / m).ln() + 0.7 * (0.7 / (1.0 - m)).ln();
            for limit in [lower, upper] {
                assert!((distance(limit) * n as f64 - 40.0_f64.ln()).abs() < 1e-6, "{n}: {limit}");
            }
            assert!(lower < 0.3 && 0.3 < upper);
            // It holds for any law of bounded terms, so it is no narrower than the exact binomial interval.
            let (low, high) = clopper_pearson(3 * n, 10 * n, 0.95);
            let (lower, upper) = hoeffding(0.3, 10 * n, 0.95);
            assert!(lower <= low && upper >= high, "{n}");
        }
    }
}
