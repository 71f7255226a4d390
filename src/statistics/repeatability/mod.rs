//! Precision of a score: several images of one patient, taken where nothing about the patient has changed.
//! How far scores of a patient lie apart (variance components, repeatability coefficient, limits of
//! agreement), and how often calls of two images of a patient are the same.
//!
//! The patient is the unit that varies: every interval speaks of other patients, with t quantiles of the
//! patients less one where it is not exact. The limits of agreement alone take the differences as normal.

mod agreement;
mod differences;
mod variance;

#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Agreements, Partners};
pub use differences::{Differences, LimitsOfAgreement};
pub use variance::{Components, Known, by_condition, components};

/// An image of a patient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// The device's score.
    pub score: f64,
    /// The condition under which it was taken, as a number; 0 where none is looked at.
    pub condition: u32,
}

/// The images of each patient, patients and images in their order.
pub type Patients = [Vec<Image>];

/// A t quantile for statistics that rest on so many patients.
fn t_quantile(level: f64, patients: usize) -> f64 {
    crate::special::t_two_sided(level, (patients as f64 - 1.0).max(1.0))
}
