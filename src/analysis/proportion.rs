//! Intervals for a binomial proportion k/n.
//!
//! Conventions, as the documents state them: Wilson's lower limit is exactly 0 at k = 0 and its upper
//! limit exactly 1 at k = n; Agresti-Coull is computed unclipped and reported within 0..1; Jeffreys
//! follows Brown, Cai and DasGupta (2001) with 0 and 1 at the boundary.

use super::special::{beta_quantile, z_two_sided};

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
