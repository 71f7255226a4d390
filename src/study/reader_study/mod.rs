//! Readers as a population: their ratings from a study's files, what the files say of design, washout and
//! reading times, and every figure that is computed from them. Without a study `reads mrmc` computes the
//! same.

mod curves;
mod gathered;
mod record;
mod report;
mod sessions;

pub use gathered::{Readings, readings};
pub use record::{AnalysedReaders, DeviceScores, record, record_of};
pub use report::{Asked, Decision, Line, Merit, Report, Section};
