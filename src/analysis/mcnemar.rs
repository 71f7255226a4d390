//! McNemar's test (1947): two models on the same cases, compared by the cases on which exactly one of them is
//! right.

use super::roc::dense_ids;
use super::special::{binomial_density, binomial_tails, chi_squared_sf};

/// The discordant cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct McNemar {
    /// Cases that the first model calls right and the second wrong.
    pub only_first_correct: u64,
    /// Cases that the second model calls right and the first wrong.
    pub only_second_correct: u64,
}

/// Counts discordant cases; one entry a case in each slice.
pub fn mcnemar(labels: &[bool], first: &[bool], second: &[bool]) -> McNemar {
    let mut out = McNemar::default();
    for ((label, a), b) in labels.iter().zip(first).zip(second) {
        match (a == label, b == label) {
            (true, false) => out.only_first_correct += 1,
            (false, true) => out.only_second_correct += 1,
            _ => {}
        }
    }
    out
}

/// The same comparison where patients have several cases (Obuchowski 1998): with dₖ the cases of patient k on which the
/// first alone is right less those on which the second alone is, (Σdₖ)²·(K − 1)/(K·Σdₖ²) is χ² with one degree of
/// freedom when both are right equally often. With one case a patient it is McNemar's statistic times (K − 1)/K. One
/// entry a case in each slice; `None` with fewer than two patients, or when no patient has a difference.
pub fn clustered_p(labels: &[bool], first: &[bool], second: &[bool], patients: &[u32]) -> Option<f64> {
    let (dense, count) = dense_ids(patients);
    let mut gaps = vec![0_i64; count];
    for (i, &patient) in dense.iter().enumerate() {
        gaps[patient as usize] += i64::from(first[i] == labels[i]) - i64::from(second[i] == labels[i]);
    }
    let sum = gaps.iter().sum::<i64>() as f64;
    let squares = gaps.iter().map(|d| d * d).sum::<i64>() as f64;
    let k = count as f64;
    (count >= 2 && squares > 0.0).then(|| chi_squared_sf(sum * sum * (k - 1.0) / (k * squares), 1.0))
}

impl McNemar {
    fn discordant(&self) -> u64 {
        self.only_first_correct + self.only_second_correct
    }

    fn fewer(&self) -> u64 {
        self.only_first_correct.min(self.only_second_correct)
    }

    /// Exact two-sided p: 2·P(X <= fewer) of Binomial(discordant, ½), at most 1. None without discordant cases.
    pub fn exact_p(&self) -> Option<f64> {
        let n = self.discordant();
        (n > 0).then(|| (2.0 * binomial_tails(self.fewer(), n, 0.5).0).min(1.0))
    }

    /// Mid-p: the exact p less the probability of what was seen (Fagerland et al. 2013).
    pub fn mid_p(&self) -> Option<f64> {
        let n = self.discordant();
        (n > 0).then(|| {
            let seen = binomial_density(self.fewer() as f64, n as f64, 0.5, 0.5);
            (2.0 * binomial_tails(self.fewer(), n, 0.5).0 - seen).min(1.0)
        })
    }

    /// (b − c)²/(b + c).
    pub fn statistic(&self) -> Option<f64> {
        self.chi_squared(0.0)
    }

    /// (|b − c| − 1)²/(b + c), Edwards's correction.
    pub fn corrected_statistic(&self) -> Option<f64> {
        self.chi_squared(1.0)
    }

    /// p of [`Self::statistic`].
    pub fn p(&self) -> Option<f64> {
        self.statistic().map(|x| chi_squared_sf(x, 1.0))
    }

    /// p of [`Self::corrected_statistic`].
    pub fn corrected_p(&self) -> Option<f64> {
        self.corrected_statistic().map(|x| chi_squared_sf(x, 1.0))
    }

    fn chi_squared(&self, correction: f64) -> Option<f64> {
        let gap = self.only_first_correct.abs_diff(self.only_second_correct) as f64;
        let n = self.discordant() as f64;
        (n > 0.0).then(|| (gap - correction).max(0.0).powi(2) / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: four patients with gaps 2, 1, -1, 0 give (2)^2 * 3 / (4 * 6) = 0.5, and P(X >= 0.5) = 0.4795.
    #[test]
    fn patients_with_several_cases_match_a_value_by_hand() {
        let labels = [true; 7];
        let first = [true, true, true, true, false, true, true];
        let second = [false, false, false, true, true, true, true];
        let p = clustered_p(&labels, &first, &second, &[0, 0, 1, 1, 2, 3, 3]).expect("a test");
        assert!((p - 0.479_500_122_186_953_5).abs() < 1e-12, "{p}");
        assert_eq!(clustered_p(&labels, &first, &first, &[0, 0, 1, 1, 2, 3, 3]), None);
    }

    #[test]
    fn one_case_a_patient_is_mcnemar_up_to_its_factor() {
        let labels = [true; 5];
        let (first, second) = ([true, true, true, false, true], [false, false, false, true, true]);
        let plain = mcnemar(&labels, &first, &second).statistic().expect("discordant");
        let p = clustered_p(&labels, &first, &second, &[0, 1, 2, 3, 4]).expect("a test");
        assert!((p - chi_squared_sf(plain * 4.0 / 5.0, 1.0)).abs() < 1e-15);
    }
}
