//! The quantile of a sample, the one way in which every room takes it.

/// Quantile of type 7 (Hyndman and Fan 1996), as numpy's and R's default: the values, which are finite and in
/// ascending order, stand at equal distances from 0 to 1, and between two of them the line is taken. `p`
/// outside 0..1 counts as the nearer end; none without a value.
pub fn of_ascending(values: &[f64], p: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let at = p.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let low = values[below];
    let high = values[(below + 1).min(last)];
    Some(low + (at - below as f64) * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R: quantile(c(2.2, 3.1, 4.4, 4.7, 5, 9.8), c(0, .25, .5, .9, 1))
    #[test]
    fn quantiles_are_those_of_r() {
        let values = [2.2, 3.1, 4.4, 4.7, 5.0, 9.8];
        for (p, expected) in [(0.0, 2.2), (0.25, 3.425), (0.5, 4.55), (0.9, 7.4), (1.0, 9.8)] {
            let found = of_ascending(&values, p).expect("values");
            assert!((found - expected).abs() < 1e-12, "{p}: {found}");
        }
        assert_eq!((of_ascending(&values, -1.0), of_ascending(&values, 2.0)), (Some(2.2), Some(9.8)));
        assert_eq!((of_ascending(&[3.0], 0.3), of_ascending(&[], 0.5)), (Some(3.0), None));
    }
}
