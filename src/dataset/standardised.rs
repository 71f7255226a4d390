//! Standardised differences: how far two groups lie apart in a variable, in units of its spread and not of
//! the groups' sizes. A p value would call every difference between 80,000 and 16,000 images significant.
//!
//! Austin (2009), "Balance diagnostics for comparing the distribution of baseline covariates between
//! treatment groups in propensity-score matched samples", Statistics in Medicine 28:3083-3107; for variables
//! with several levels Yang and Dalton (2012), "A unified approach to measuring the effect size between two
//! groups using SAS", SAS Global Forum 335.

/// Above this a difference is usually called worth a look (Austin 2009, section 4).
pub const NOTABLE: f64 = 0.1;

/// Of a continuous variable: `(mean₁ − mean₂) / √((s₁² + s₂²) / 2)`, variances with `n − 1`. `None` when a
/// side has fewer than two values, or when nothing varies and the means differ. 0 where both sides hold one
/// and the same value.
pub fn continuous(first: (f64, f64), second: (f64, f64)) -> Option<f64> {
    let ((mean_1, sd_1), (mean_2, sd_2)) = (first, second);
    over(mean_1 - mean_2, (sd_1 * sd_1 + sd_2 * sd_2) / 2.0)
}

/// Of a share: `(p₁ − p₂) / √((p₁(1 − p₁) + p₂(1 − p₂)) / 2)`. `None` when a side is empty, or when one share
/// is 0 and the other 1.
pub fn binary(first: (u64, u64), second: (u64, u64)) -> Option<f64> {
    shares(share(first)?, share(second)?)
}

/// The same of two shares in `[0, 1]` whose counts are not known.
pub fn shares(p: f64, q: f64) -> Option<f64> {
    over(p - q, (p * (1.0 - p) + q * (1.0 - q)) / 2.0)
}

/// Of a variable with several levels: `√((p₁ − p₂)ᵀ S⁻¹ (p₁ − p₂))` over all levels but one, `S` the mean of
/// the two multinomial covariance matrices (Yang and Dalton 2012). It does not depend on which level is left
/// out; with two levels it is the absolute value of [`binary`]. Counts of the same levels in the same order.
/// `None` when a side is empty or the matrix has no inverse, as when no level occurs on both sides.
pub fn categorical(first: &[u64], second: &[u64]) -> Option<f64> {
    let (n, m) = (first.iter().sum::<u64>(), second.iter().sum::<u64>());
    // Levels that occur nowhere would make the matrix singular and say nothing.
    let levels: Vec<(f64, f64)> = first
        .iter()
        .zip(second)
        .filter(|(a, b)| **a + **b > 0)
        .map(|(&a, &b)| Some((share((a, n))?, share((b, m))?)))
        .collect::<Option<_>>()?;
    let kept = levels.get(..levels.len().checked_sub(1)?)?;
    if kept.is_empty() {
        return Some(0.0);
    }
    let covariance = |i: usize, j: usize| {
        let one = |p: f64, q: f64| if i == j { p * (1.0 - p) } else { -p * q };
        (one(kept[i].0, kept[j].0) + one(kept[i].1, kept[j].1)) / 2.0
    };
    let mut rows: Vec<Vec<f64>> = (0..kept.len())
        .map(|i| {
            let mut row: Vec<f64> = (0..kept.len()).map(|j| covariance(i, j)).collect();
            row.push(kept[i].0 - kept[i].1);
            row
        })
        .collect();
    let solved = solve(&mut rows)?;
    let squared: f64 = kept.iter().zip(&solved).map(|((p, q), x)| (p - q) * x).sum();
    Some(squared.max(0.0).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
fn share((count, of): (u64, u64)) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}

fn over(difference: f64, variance: f64) -> Option<f64> {
    if difference == 0.0 && variance.is_finite() {
        return Some(0.0);
    }
    let value = difference / variance.sqrt();
    value.is_finite().then_some(value)
}

/// Gauss's elimination with the largest pivot; the last column is the right side. `None` when singular.
fn solve(rows: &mut [Vec<f64>]) -> Option<Vec<f64>> {
    let size = rows.len();
    for column in 0..size {
        let pivot =
            (column..size).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        if rows[pivot][column].abs() < 1e-14 {
            return None;
        }
        rows.swap(column, pivot);
        let (done, rest) = rows.split_at_mut(column + 1);
        let top = &done[column];
        for row in rest {
            let factor = row[column] / top[column];
            for (cell, above) in row.iter_mut().zip(top).skip(column) {
                *cell -= factor * above;
            }
        }
    }
    let mut out = vec![0.0; size];
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|j| rows[row][j] * out[j]).sum();
        out[row] = (rows[row][size] - known) / rows[row][row];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(value: Option<f64>, expected: f64) {
        let value = value.expect("a value");
        assert!((value - expected).abs() < 1e-12, "{value} is not {expected}");
    }

    /// By hand: (62 − 58) / √((10² + 6²)/2) = 4/√68; shares 0.3 and 0.5: −0.2/√0.23.
    #[test]
    fn continuous_and_binary_differences_are_those_of_austin() {
        near(continuous((62.0, 10.0), (58.0, 6.0)), 4.0 / 68.0_f64.sqrt());
        near(binary((30, 100), (100, 200)), -0.2 / 0.23_f64.sqrt());
        near(continuous((5.0, 0.0), (5.0, 0.0)), 0.0);
        near(binary((0, 10), (0, 20)), 0.0);
        assert_eq!(continuous((5.0, 0.0), (6.0, 0.0)), None);
        assert_eq!(continuous((5.0, f64::NAN), (5.0, 1.0)), None);
        assert_eq!(binary((10, 10), (0, 10)), None);
        assert_eq!(binary((0, 0), (0, 10)), None);
    }

    /// Three levels by hand: p₁ = (1/2, 1/4, 1/4), p₂ = (1/4, 1/4, 1/2). S over the first two levels is
    /// ½[(1/4, −1/8; −1/8, 3/16) + (3/16, −1/16; −1/16, 3/16)] = (7/32, −3/32; −3/32, 6/32), determinant
    /// 33/1024; d = (1/4, 0), so d² = (1/16)·(6/32)/(33/1024) = 4/11.
    #[test]
    fn a_variable_with_several_levels_has_the_distance_of_yang_and_dalton() {
        near(categorical(&[2, 1, 1], &[1, 1, 2]), (4.0_f64 / 11.0).sqrt());
        near(categorical(&[2, 0, 1, 1], &[1, 0, 1, 2]), (4.0_f64 / 11.0).sqrt());
        near(categorical(&[30, 70], &[100, 100]), (0.2 / 0.23_f64.sqrt()).abs());
        near(categorical(&[7], &[9]), 0.0);
        assert_eq!(categorical(&[3, 0], &[0, 4]), None);
        assert_eq!(categorical(&[0, 0], &[1, 4]), None);
        assert_eq!(categorical(&[], &[]), None);
    }

    proptest! {
        #[test]
        fn the_distance_does_not_depend_on_the_order_of_levels(
            levels in proptest::collection::vec((1_u64..500, 1_u64..500), 2..7),
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = levels.iter().copied().unzip();
            let (c, d): (Vec<u64>, Vec<u64>) = levels.iter().rev().copied().unzip();
            let (one, other) = (categorical(&a, &b).expect("regular"), categorical(&c, &d).expect("regular"));
            prop_assert!((one - other).abs() < 1e-9 * one.max(1.0), "{one} {other}");
        }
    }
}
