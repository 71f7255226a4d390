//! From cases to estimates: each metric with its value, its standard error and the intervals that exist for
//! it. What cannot be computed says why; nothing is NaN, and an interval that collapses is
//! accompanied by one that does not.

mod auc;
mod contrast;
mod counted;
mod deciding;
mod intervals;
pub mod kind;
mod paired;
mod plan;
mod prevalence;
mod single;
mod table;
mod weighted;

#[cfg(test)]
mod tests;

pub use contrast::{estimate_contrast, partial_auc_of};
pub use deciding::{Decision, Fallback, Fault, decide, deciding_first, ignores_patients, sound_first};
pub use kind::Metric;
pub use paired::{estimate_difference, estimate_mcnemar, hoeffding_of_difference};
pub use plan::{Plan, Sample};
pub use prevalence::estimate_at_prevalence;
pub use single::{estimate, estimates};
pub use table::estimate_from_table;
