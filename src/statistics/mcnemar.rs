//! McNemar's test (1947): two models on the same cases, compared by the cases on which exactly one of them is
//! right.

use crate::ranks::dense_ids;
use crate::special::{binomial_density, binomial_tails, chi_squared_sf};

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

/// The same comparison where patients have several cases (Obuchowski 1998, her pooled form under the null
/// hypothesis).
///
/// With xₖ and yₖ the numbers of right calls among the nₖ cases of patient k, and p̄ the share of right calls
/// of both models together, variances and covariance of the two shares are (K/(K − 1))·N⁻² times the sums of
/// squares and products of xₖ − nₖp̄ and yₖ − nₖp̄. Both residuals have the same nₖp̄, so it leaves their
/// difference, and with dₖ = xₖ − yₖ the statistic is (Σdₖ)²·(K − 1)/(K·Σdₖ²): χ² with one degree of freedom
/// when both are right equally often. K counts every patient, those without a discordant case too. Yang et
/// al. (2010) average this variance with the one that uses each model's own share; in their simulations the
/// form here is the most conservative.
///
/// With one case a patient it is McNemar's statistic times (K − 1)/K. One entry a case in each slice; `None`
/// with fewer than two patients, or when no patient has a difference.
pub fn clustered_p(labels: &[bool], first: &[bool], second: &[bool], patients: &[u32]) -> Option<f64> {
    let (dense, count) = dense_ids(patients);
    let mut gaps = vec![0_i64; count];
    for (i, &patient) in dense.iter().enumerate() {
        gaps[patient as usize] += i64::from(first[i] == labels[i]) - i64::from(second[i] == labels[i]);
    }
    let sum = gaps.iter().sum::<i64>() as f64;
    let squares = gaps.iter().map(|d| d * d).sum::<i64>() as f64;
    let k = count as f64;
    (count >= 2 && squares > 0.0).then(|| chi_squared_sf(sum * sum * (k - 1.0) / (k * squares), 1))
}

impl McNemar {
    fn discordant(&self) -> u64 {
        self.only_first_correct + self.only_second_correct
    }

    fn fewer(&self) -> u64 {
        self.only_first_correct.min(self.only_second_correct)
    }

    /// Exact two-sided p: 2·P(X <= fewer) of Binomial(discordant, ½), at most 1. None without discordant
    /// cases.
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
        self.statistic().map(|x| chi_squared_sf(x, 1))
    }

    /// p of [`Self::corrected_statistic`].
    pub fn corrected_p(&self) -> Option<f64> {
        self.corrected_statistic().map(|x| chi_squared_sf(x, 1))
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
        assert!((p - chi_squared_sf(plain * 4.0 / 5.0, 1)).abs() < 1e-15);
    }

    /// The variance as the paper writes it, from residuals, against the short form; patients of 1 to 3 cases,
    /// one of them without any right call and one without a discordant case.
    #[test]
    fn the_short_form_is_the_published_one() {
        let labels = [true, false, true, true, false, true, false, false, true, true, true];
        let patients = [7_u32, 7, 7, 2, 2, 9, 4, 4, 4, 1, 1];
        let first = [true, false, true, true, false, true, true, false, true, false, false];
        let second = [true, true, false, false, false, true, false, false, false, false, true];
        let ids = [7_u32, 2, 9, 4, 1];
        let (k, n) = (ids.len() as f64, labels.len() as f64);
        let right = |calls: &[bool], id: u32| {
            (0..labels.len()).filter(|&i| patients[i] == id && calls[i] == labels[i]).count() as f64
        };
        let size = |id: u32| patients.iter().filter(|p| **p == id).count() as f64;
        let share = |calls: &[bool]| ids.iter().map(|id| right(calls, *id)).sum::<f64>() / n;
        let pooled = (share(&first) + share(&second)) / 2.0;
        let product = |a: &[bool], b: &[bool]| {
            let of = |id: u32| (right(a, id) - size(id) * pooled) * (right(b, id) - size(id) * pooled);
            k / (k - 1.0) / (n * n) * ids.iter().map(|id| of(*id)).sum::<f64>()
        };
        let variance = product(&first, &first) + product(&second, &second) - 2.0 * product(&first, &second);
        let published = (share(&first) - share(&second)).powi(2) / variance;
        let p = clustered_p(&labels, &first, &second, &patients).expect("a test");
        assert!((p - chi_squared_sf(published, 1)).abs() < 1e-13, "{p} {published}");
    }
}
