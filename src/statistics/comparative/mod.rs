//! A device against a comparator: what a comparison aims at, and the statistics of a difference, of the same
//! cases or of different ones, against a margin. The difference is always the first less the second.

mod aim;
mod auc;
pub mod deciding;
mod exact_paired;
mod independent;
mod linearised;
mod paired;
pub mod power;
mod predictive;

#[cfg(test)]
mod tests;

pub use aim::{Aim, MarginTests, NormalTest};
pub use auc::AucDifference;
pub use exact_paired::{MOST_CASES_FOR_INTERVAL, MOST_CASES_FOR_TEST, exact_interval, unconditional_p};
pub use independent::IndependentShares;
pub use linearised::{Calls, Contrast, Linearised};
pub use predictive::{CallTable, PairedCalls, PredictiveTest, PredictiveValue, RelativeValue};
