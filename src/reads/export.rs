//! What an export of readers' answers says, whatever platform wrote it, before any word has a meaning.
//!
//! Every format gives the same: the answers, and, apart from them, what is no read and why. Absence is never
//! an answer: a form that was not completed, an annotation that was cancelled and a box that nobody ticked
//! are
//! [`NoRead`]s or refusals, never a negative.

use chrono::NaiveDateTime;

use crate::diagnostic::{Diagnostic, Location};
use crate::table::Word;

/// Stands between the choices of one answer that has several.
pub const SEVERAL: char = '\u{1f}';

/// One answer of one reader on one case, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The case, as the export names it.
    pub case_id: Word,
    /// The reader, as the export names them.
    pub reader_id: Word,
    /// The answer's words; what they mean the protocol declares. Several choices with [`SEVERAL`] between
    /// them.
    pub text: Word,
    /// When it was given: as stated, and in UTC where the export states a zone.
    pub time: Option<NaiveDateTime>,
    /// The reading session, event or instance, where the export has one.
    pub session: Option<Word>,
    /// The reader's confidence as stated.
    pub confidence: Option<Word>,
    /// What the reader wrote beside the answer.
    pub comment: Option<Word>,
    /// File and line, or the place inside a file that has no lines.
    pub at: Location,
}

/// Why something in an export is no read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoReadReason {
    /// The answer is empty.
    Empty,
    /// The form or the annotation is not marked as complete.
    NotCompleted,
    /// The reader cancelled or skipped it.
    Cancelled,
    /// A row that carries something else: another instrument, another question, a parent record.
    Elsewhere,
}

impl NoReadReason {
    /// In JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotCompleted => "not-completed",
            Self::Cancelled => "cancelled",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// For people, after their number.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "answers are empty",
            Self::NotCompleted => "are not marked as completed",
            Self::Cancelled => "were cancelled or skipped",
            Self::Elsewhere => "rows carry something else",
        }
    }
}

/// Something in an export that is no read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRead {
    /// The case, where it says one.
    pub case_id: Option<String>,
    /// The reader, where it says one.
    pub reader_id: Option<String>,
    /// Why it is none.
    pub reason: NoReadReason,
    /// What the reader wrote all the same.
    pub comment: Option<String>,
    /// Where it stands.
    pub at: Location,
}

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// The answers, in the order of the file.
    pub answers: Vec<Answer>,
    /// Labels that the file marks as ground truth or as adjudicated: they never vote.
    pub given: Vec<Answer>,
    /// What is no read, and why.
    pub no_reads: Vec<NoRead>,
    /// What a person should know: predictions that readers may have seen, columns that were not understood.
    pub warnings: Vec<Diagnostic>,
}
