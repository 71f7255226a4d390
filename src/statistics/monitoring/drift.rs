//! Whether a batch is distributed as a cohort is. How far it lies from it, in standard deviations, is
//! `dataset::standardised`.

use crate::poolability::equal_shares;

/// Products of the two sizes up to which the law of the statistic is summed.
const EXACT_UP_TO: u64 = 4_000_000;

/// A two-sample Kolmogorov-Smirnov test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmirnovTest {
    /// The largest difference of the two empirical distribution functions.
    pub statistic: f64,
    /// Two-sided p value, in 0..=1.
    pub p: f64,
    /// Whether its law was summed, ties and all, or taken from the limit of large samples.
    pub exact: bool,
}

/// Compares two samples by their largest difference of distribution functions.
///
/// Up to 4,000,000 pairs the p value is exact given the ties (Schröer and Trenkler 1995, *Exact and
/// randomization distributions of Kolmogorov-Smirnov tests two or three samples*, Computational Statistics
/// and Data Analysis 20); beyond, Smirnov's limit (1948), which is conservative with ties. `None` where a
/// sample is empty or holds what is no number.
pub fn smirnov(first: &[f64], second: &[f64]) -> Option<SmirnovTest> {
    let (m, n) = (first.len() as u64, second.len() as u64);
    if m == 0 || n == 0 || first.iter().chain(second).any(|value| !value.is_finite()) {
        return None;
    }
    let mut pooled: Vec<(f64, bool)> = first.iter().map(|v| (*v, true)).collect();
    pooled.extend(second.iter().map(|v| (*v, false)));
    pooled.sort_by(|a, b| a.0.total_cmp(&b.0));
    // After how many pooled values a new value begins: only there do the functions have their values.
    let mut ends = vec![false; pooled.len() + 1];
    let (mut i, mut j, mut largest) = (0_u64, 0_u64, 0_u64);
    for (index, (value, is_first)) in pooled.iter().enumerate() {
        if *is_first {
            i += 1
        } else {
            j += 1
        }
        if pooled.get(index + 1).is_none_or(|next| next.0 > *value) {
            ends[index + 1] = true;
            largest = largest.max((i * n).abs_diff(j * m));
        }
    }
    let statistic = largest as f64 / (m * n) as f64;
    let exact = m.checked_mul(n).is_some_and(|pairs| pairs <= EXACT_UP_TO);
    let p = if exact { exact_p([m, n], largest, &ends) } else { limit_p(statistic, m as f64, n as f64) };
    Some(SmirnovTest { statistic, p: p.clamp(0.0, 1.0), exact })
}

/// The share of paths from (0, 0) to (m, n) that come as far from the diagonal as `largest`/(m·n) where one
/// of `ends` is: reached[j] is the share of those to (i, j).
fn exact_p([m, n]: [u64; 2], largest: u64, ends: &[bool]) -> f64 {
    if largest == 0 {
        return 1.0;
    }
    let far = |i: u64, j: u64| {
        ends.get((i + j) as usize).copied().unwrap_or(false) && (i * n).abs_diff(j * m) >= largest
    };
    let mut reached = vec![0.0_f64; n as usize + 1];
    for i in 0..=m {
        for j in 0..=n {
            let at = j as usize;
            reached[at] = if far(i, j) {
                1.0
            } else {
                let total = (i + j) as f64;
                let from_first = if i > 0 { i as f64 / total * reached[at] } else { 0.0 };
                let from_second = if j > 0 { j as f64 / total * reached[at - 1] } else { 0.0 };
                from_first + from_second
            };
        }
    }
    reached.last().copied().unwrap_or(1.0)
}

/// Smirnov's limit: 2·Σ(−1)^(i−1)·exp(−2i²λ²) with λ = D·√(mn/(m + n)).
fn limit_p(statistic: f64, m: f64, n: f64) -> f64 {
    let lambda = statistic * (m * n / (m + n)).sqrt();
    if lambda < 0.2 {
        return 1.0;
    }
    let terms = (1..=100).map(f64::from);
    2.0 * terms
        .map(|i| (if i % 2.0 == 1.0 { 1.0 } else { -1.0 }) * (-2.0 * i * i * lambda * lambda).exp())
        .sum::<f64>()
}

/// Tests that categories are as frequent on both sides: the exact conditional p value where it can be summed
/// (Fisher 1935; Freeman and Halton 1951), Pearson's chi-squared otherwise. Each pair holds the counts of one
/// category. `None` where one side is empty or there is one category alone.
pub fn category_test(counts: &[(u64, u64)]) -> Option<f64> {
    // Conditional on the margins the table of categories by sides is that of shares k/n, each category with
    // its cases and those of them on the first side.
    let shares: Vec<(u64, u64)> = counts.iter().map(|(a, b)| (*a, a + b)).collect();
    let test = equal_shares(&shares)?;
    Some(test.exact_p.unwrap_or(test.p_value))
}
