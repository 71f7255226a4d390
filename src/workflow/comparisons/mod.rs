//! Two devices, or several hypotheses, without a study: what `sequester metrics paired`, `unpaired` and
//! `multiplicity` print.

mod found;
mod hypotheses;
mod independent;
mod paired;
mod read;
mod scored;

pub use self::found::{
    Answer, Asked, Comparison, Decided, Interval, Margin, Report, Table, Test, Unavailable,
};
pub use self::hypotheses::{Adjusted, Hypotheses, Multiple, multiple};
pub use self::independent::independent;
pub use self::paired::paired;
pub use self::read::{IndependentRow, PairedCounts, PairedRow, independent_rows, paired_rows};
pub use self::scored::{Scored, scored};
