//! Exact intervals of a share where patients have several cases.
//!
//! Two of them. On patients: a patient is right when all of its cases are, which is the least, and wrong when
//! none is, which is the most; each is one trial, so Clopper-Pearson limits hold whatever binds the cases of
//! a patient together. On the effective number (Korn and Graubard 1998): Clopper-Pearson limits of n/deff
//! cases, with the design effect estimated from the patients and a t quotient for how few they are. The
//! second is nearer to the level and needs cases that differ; the first is wide where patients have many
//! cases.

use crate::proportion::{Limits, clopper_pearson, clopper_pearson_effective};
use crate::special::t_two_sided;

/// The cases of one patient that count, and how many of them are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patient {
    /// Cases that are right.
    pub right: u64,
    /// Cases that count.
    pub cases: u64,
}

/// A share of cases, by patient. Patients without a case that counts are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    patients: Vec<Patient>,
}

impl Shares {
    /// From `count` patients and one entry a case that counts: its patient (below `count`) and whether it is
    /// right.
    pub fn of(count: usize, cases: impl IntoIterator<Item = (u32, bool)>) -> Self {
        let mut patients = vec![Patient::default(); count];
        for (patient, right) in cases {
            let patient = &mut patients[patient as usize];
            patient.cases += 1;
            patient.right += u64::from(right);
        }
        patients.retain(|p| p.cases > 0);
        Self { patients }
    }

    /// Cases that count.
    pub fn cases(&self) -> u64 {
        self.patients.iter().map(|p| p.cases).sum()
    }

    /// Cases that are right.
    pub fn right(&self) -> u64 {
        self.patients.iter().map(|p| p.right).sum()
    }

    /// Patients with a case that counts.
    pub fn patients(&self) -> u64 {
        self.patients.len() as u64
    }

    /// Patients all of whose cases are right.
    pub fn all_right(&self) -> u64 {
        self.patients.iter().filter(|p| p.right == p.cases).count() as u64
    }

    /// Patients any of whose cases is right.
    pub fn any_right(&self) -> u64 {
        self.patients.iter().filter(|p| p.right > 0).count() as u64
    }

    /// The same cases, all of them right or all of them wrong.
    pub fn all(&self, right: bool) -> Self {
        let of = |p: &Patient| Patient { right: if right { p.cases } else { 0 }, cases: p.cases };
        Self { patients: self.patients.iter().map(of).collect() }
    }

    /// Whether a patient has several cases that count.
    pub fn is_clustered(&self) -> bool {
        self.patients.iter().any(|p| p.cases > 1)
    }

    /// Clopper-Pearson limits on patients: below of those all of whose cases are right, above of those any of
    /// whose cases are. They are limits of a patient's share, averaged over patients. None without a case,
    /// and where they do not hold the share of cases: then patients with more cases are right more or less
    /// often than others, and the one says nothing of the other.
    pub fn on_patients(&self, level: f64) -> Option<Limits> {
        let patients = self.patients();
        if patients == 0 {
            return None;
        }
        let share = self.right() as f64 / self.cases() as f64;
        let lower = clopper_pearson(self.all_right(), patients, level).0;
        let upper = clopper_pearson(self.any_right(), patients, level).1;
        (lower <= share && share <= upper).then_some((lower, upper))
    }

    /// The design effect: the variance of the share as a ratio over patients, K/(K−1)·Σ(kᵢ − p·nᵢ)²/n², over
    /// that of as many independent cases, p(1−p)/n; at least 1. None where it cannot be estimated: one
    /// patient, all cases right or wrong, or patients that do not differ.
    pub fn design_effect(&self) -> Option<f64> {
        let (k, n) = (self.right() as f64, self.cases() as f64);
        let patients = self.patients.len() as f64;
        if patients < 2.0 || k == 0.0 || k == n {
            return None;
        }
        let p = k / n;
        let square = |patient: &Patient| (patient.right as f64 - p * patient.cases as f64).powi(2);
        let spread: f64 = self.patients.iter().map(square).sum();
        let variance = patients / (patients - 1.0) * spread / (n * n);
        (variance > 0.0).then(|| (variance * n / (p * (1.0 - p))).max(1.0))
    }

    /// n/deff·(t₍ₙ₋₁₎/t₍ₖ₋₁₎)² with K patients (Korn and Graubard 1998), which is never more than n: as many
    /// independent cases say as much. None where the design effect cannot be estimated.
    pub fn effective_number(&self, level: f64) -> Option<f64> {
        let effect = self.design_effect()?;
        let (n, patients) = (self.cases() as f64, self.patients.len() as f64);
        let quotient = t_two_sided(level, n - 1.0) / t_two_sided(level, patients - 1.0);
        Some(n / effect * quotient * quotient)
    }

    /// Clopper-Pearson limits on the effective number; on the cases themselves where no patient has several.
    /// None where the design effect cannot be estimated.
    pub fn korn_graubard(&self, level: f64) -> Option<Limits> {
        if !self.is_clustered() {
            return (self.cases() > 0).then(|| clopper_pearson(self.right(), self.cases(), level));
        }
        let effective = self.effective_number(level)?;
        let share = self.right() as f64 / self.cases() as f64;
        Some(clopper_pearson_effective(share * effective, effective, level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(rows: &[(u64, u64)]) -> Shares {
        Shares { patients: rows.iter().map(|&(right, cases)| Patient { right, cases }).collect() }
    }

    #[test]
    fn patients_of_one_case_are_clopper_pearson_to_the_bit() {
        let own = shares(&[(1, 1); 7].into_iter().chain([(0, 1); 3]).collect::<Vec<_>>());
        let exact = clopper_pearson(7, 10, 0.95);
        assert_eq!(own.on_patients(0.95), Some(exact));
        assert_eq!(own.korn_graubard(0.95), Some(exact));
    }

    #[test]
    fn what_cannot_be_estimated_is_none() {
        assert_eq!(shares(&[(2, 2), (3, 3)]).korn_graubard(0.95), None);
        assert_eq!(shares(&[(0, 2), (0, 3)]).korn_graubard(0.95), None);
        assert_eq!(shares(&[(1, 2), (1, 2)]).korn_graubard(0.95), None);
        assert_eq!(shares(&[(1, 2)]).korn_graubard(0.95), None);
        assert_eq!(shares(&[]).on_patients(0.95), None);
        assert_eq!(shares(&[]).korn_graubard(0.95), None);
    }

    proptest! {
        #[test]
        fn limits_hold_the_share_and_are_never_narrower_than_of_as_many_cases(
            rows in prop::collection::vec((0..4_u64, 1..4_u64), 1..20), level in 0.6..0.999
        ) {
            let rows: Vec<(u64, u64)> = rows.into_iter().map(|(k, n)| (k.min(n), n)).collect();
            let shares = shares(&rows);
            let value = shares.right() as f64 / shares.cases() as f64;
            let perfect = clopper_pearson(shares.cases(), shares.cases(), level).0;
            let none = clopper_pearson(0, shares.cases(), level).1;
            let found = [shares.on_patients(level), shares.korn_graubard(level)];
            // The share of patients and that of cases are one where every patient has as many cases.
            let alike = rows.iter().all(|row| row.1 == rows[0].1);
            prop_assert!(found[0].is_some() || !alike);
            for (lower, upper) in found.into_iter().flatten() {
                prop_assert!(lower < upper && lower <= value && value <= upper, "{rows:?} {lower} {upper}");
                prop_assert!(lower <= perfect + 1e-12 && upper >= none - 1e-12, "{rows:?} {lower} {upper}");
            }
            if let Some(effective) = shares.effective_number(level) {
                prop_assert!(effective > 0.0 && effective <= shares.cases() as f64 + 1e-9);
            }
        }
    }
}
