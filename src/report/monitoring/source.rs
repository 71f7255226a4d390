//! What a report is made of: plain values.

use crate::document::font::FontFile;
use crate::monitoring::judgement::Judgement;
use crate::monitoring::month::Month;
use crate::monitoring::plan::MonitoringPlan;
use crate::monitoring::sealed::{Seal, ValidationCohort};

/// Printed where a month has no labels.
pub const NO_CLAIM: &str = "Without labels this report makes no statement on how well the device \
                            performs: it says whether what comes in and what goes out has changed.";

/// What followed from the alarms of a month.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which month.
    pub month: Month,
    /// When it was written down.
    pub at: String,
    /// Who did it, as given.
    pub by: String,
    /// In words.
    pub reason: String,
}

/// Everything that a report prints: plain values. No clock, no file.
#[derive(Clone, Debug)]
pub struct MonitoringSource {
    /// The plan.
    pub plan: MonitoringPlan,
    /// What it was sealed with.
    pub seal: Seal,
    /// When it was sealed.
    pub sealed_at: String,
    /// The cohort of the validation.
    pub cohort: ValidationCohort,
    /// Scores of each batch that counted, in order.
    pub scores: Vec<Vec<f64>>,
    /// What the batches say.
    pub judgement: Judgement,
    /// Answers to alarms, in order.
    pub answers: Vec<Told>,
    /// Months with alarms that nobody has answered.
    pub unanswered: Vec<Month>,
    /// Digest of the last line of the ledger of batches.
    pub ledger_head: String,
    /// RFC 3339.
    pub date: String,
    /// `monitoring.json`: everything as data.
    pub data: Vec<u8>,
    /// The user's own fonts for the PDF; `None` for no PDF.
    pub fonts: Option<Vec<FontFile>>,
}
