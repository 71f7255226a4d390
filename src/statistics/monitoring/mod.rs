//! Statistics of a device in use: cumulative sums with their average run lengths, and whether a batch
//! is distributed as the cohort that the device was validated on.

mod cusum;
mod drift;
mod linear;
mod run_length;
mod share;

pub use cusum::{ChartPoint, Cusum, Side};
pub use drift::{SmirnovTest, category_test, smirnov};
pub use run_length::{LARGEST_RUN_LENGTH, Sides, average_run_length, decision_limit};
pub use share::{FARTHEST, share_from_control};

#[cfg(test)]
mod tests;
