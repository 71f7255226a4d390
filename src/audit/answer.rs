//! One question of an auditor with its answer.

use serde::Serialize;

use crate::diagnostic::Diagnostic;

/// What the evidence says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Looked at, and it holds.
    Yes,
    /// Contradicted.
    No,
    /// What would show it is not there.
    NotShown,
    /// There is nothing that could be shown.
    NotApplicable,
}

impl State {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "NO",
            Self::NotShown => "not shown",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// The questions, by the name that `--require` takes, in the order of the answers; `sites` is answered where
/// the protocol states something of them.
pub const QUESTIONS: [&str; 12] = [
    "bytes",
    "contents",
    "ledger",
    "history",
    "results",
    "report",
    "model",
    "threshold",
    "separation",
    "sites",
    "scores",
    SIGNATURES,
];

/// The question who signed.
pub(super) const SIGNATURES: &str = "signatures";

/// One question with its answer.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// One of [`QUESTIONS`].
    pub question: &'static str,
    /// The question in words.
    pub words: &'static str,
    /// The answer.
    pub answer: State,
    /// What was looked at, or why it was not.
    pub looked_at: String,
    /// Every discrepancy, sorted; none unless the answer is no.
    pub discrepancies: Vec<Diagnostic>,
}

impl Answer {
    /// Yes without a discrepancy, else no.
    pub(super) fn of(
        question: &'static str,
        words: &'static str,
        looked_at: String,
        mut discrepancies: Vec<Diagnostic>,
    ) -> Self {
        discrepancies.sort();
        discrepancies.dedup();
        let answer = if discrepancies.is_empty() { State::Yes } else { State::No };
        Self { question, words, answer, looked_at, discrepancies }
    }

    /// Neither yes nor no, and why.
    pub(super) fn open(question: &'static str, words: &'static str, answer: State, why: &str) -> Self {
        Self { question, words, answer, looked_at: why.to_owned(), discrepancies: Vec::new() }
    }
}
