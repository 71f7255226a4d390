//! A monitoring plan on disk: sealing it, adding batches, what they say, and whether everything is as it was
//! recorded.

mod checking;
mod folder;
pub mod report;
mod sealing;

pub use folder::{BATCHES, COHORT, LEDGER, Monitored, PLAN, REPORTS, SEAL, Standing, batch_name, init};
