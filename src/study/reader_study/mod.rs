//! Readers as a population: their ratings from a study's files, what the files say of design, washout and
//! reading times, and every figure that is computed from them. Without a study `reads mrmc` computes the
//! same.

mod asked;
mod curves;
mod figures_of_merit;
mod gathered;
mod json;
mod record;
mod report;
mod sessions;
mod standalone;

pub use asked::Asked;
pub use figures_of_merit::{Line, Merit, Section};
pub use gathered::{Readings, readings};
pub use record::{AnalysedReaders, DeviceScores, record, record_of};
pub use report::{Decision, Report};
