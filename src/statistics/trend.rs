//! Whether a share changes along an order.

use super::special::normal_two_sided;

/// A test of trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Above 0 where the share rises along the order.
    pub z: f64,
    /// Two-sided, by the normal distribution.
    pub p: f64,
}

/// The test of Cochran (1954) and Armitage (1955) for a trend of a share over scores, one a case:
/// z = √n · r, with Pearson's correlation r of outcome and score (Agresti 2002, 5.3.5). `None` where the
/// outcomes or the scores do not vary.
pub fn cochran_armitage(cases: &[(bool, f64)]) -> Option<Trend> {
    let n = cases.len() as f64;
    let outcome = |case: &(bool, f64)| f64::from(u8::from(case.0));
    let mean = |of: &dyn Fn(&(bool, f64)) -> f64| cases.iter().map(of).sum::<f64>() / n;
    let (share, centre) = (mean(&outcome), mean(&|case| case.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        cases.iter().map(|case| of(outcome(case) - share, case.1 - centre)).sum::<f64>()
    };
    let (together, outcomes, scores) = (sum(&|y, x| y * x), sum(&|y, _| y * y), sum(&|_, x| x * x));
    if !(outcomes > 0.0 && scores > 0.0) {
        return None;
    }
    let z = n.sqrt() * together / (outcomes * scores).sqrt();
    Some(Trend { z, p: normal_two_sided(z) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(groups: &[(u32, u32)]) -> Vec<(bool, f64)> {
        let of = |(nth, (with, all)): (usize, &(u32, u32))| {
            let score = nth as f64 + 1.0;
            (0..*all).map(move |i| (i < *with, score)).collect::<Vec<_>>()
        };
        groups.iter().enumerate().flat_map(of).collect()
    }

    /// The example of `prop.trend.test` in R 4.2: smokers <- c(83, 90, 129, 70), patients <- c(86, 93, 136,
    /// 82): X-squared = 8.2249, df = 1, p-value = 0.004132.
    #[test]
    fn trend_matches_r_on_fleiss_smokers() {
        let found = cochran_armitage(&cases(&[(83, 86), (90, 93), (129, 136), (70, 82)])).expect("a trend");
        assert!((found.z * found.z - 8.2249).abs() < 5e-5, "{found:?}");
        assert!((found.p - 0.004_132).abs() < 5e-7 && found.z < 0.0, "{found:?}");
    }

    #[test]
    fn what_does_not_vary_has_no_trend() {
        assert_eq!(cochran_armitage(&[]), None);
        assert_eq!(cochran_armitage(&cases(&[(0, 5), (0, 5)])), None);
        assert_eq!(cochran_armitage(&cases(&[(3, 5)])), None);
        let even = cochran_armitage(&cases(&[(2, 4), (2, 4)])).expect("a trend");
        assert_eq!((even.z, even.p), (0.0, 1.0));
    }
}
