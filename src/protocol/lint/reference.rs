//! Who reads, and what becomes of their reads.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::{ConsensusRule, DeclaredReaders, ReaderRole, TieRule};

/// Words of a source that say that nobody looked at the images for it.
const FROM_TEXT: [&str; 6] =
    ["nlp", "natural language", "report text", "radiology report", "mined", "text mining"];

impl Look<'_> {
    pub(super) fn reference(&mut self) {
        let reference = &self.protocol.reference_standard;
        let listed = match &reference.declared {
            DeclaredReaders::Listed(readers) => {
                Some(readers.iter().filter(|r| r.role == ReaderRole::Reference).count() as u32)
            }
            _ => None,
        };
        let voters = reference.reads_per_case(listed);
        let place = if self.places.has("reference_standard.readers") {
            "reference_standard.readers"
        } else {
            "reference_standard.rule"
        };
        if reference.rule.is_vote() {
            match voters {
                Some(1) => self.asks(
                    Code::SingleReader,
                    place,
                    "one reader is the reference standard: how far a reader differs from the next cannot \
                     be said",
                    "let two or more read independently, with a rule for where they disagree",
                ),
                Some(n)
                    if n % 2 == 0
                        && reference.tie == TieRule::None
                        && reference.rule == ConsensusRule::Majority =>
                {
                    self.asks(
                        Code::TiePossible,
                        place,
                        format!(
                            "{n} readers can be divided evenly, and such cases then have no reference \
                         standard: the \
                                 difficult ones leave the analysis"
                        ),
                        "add a reader, or `rule = \"adjudicated\"`, or say with `tie` what a tie is",
                    );
                }
                _ => {}
            }
            if reference.agreeing(listed) == 1 && voters != Some(1) {
                let key = if reference.minimum_agreeing.is_some() { "minimum_agreeing" } else { "agreeing" };
                self.asks(
                    Code::ConsensusOfOne,
                    &format!("reference_standard.{key}"),
                    "the word of one reader makes a consensus, where others were to read too",
                    "ask for two agreeing votes at least",
                );
            }
        }
        if let ConsensusRule::Given(table) = &reference.rule {
            let cases = &self.protocol.data.cases;
            if table.files.iter().any(|file| cases.iter().any(|t| t.path == *file)) {
                self.asks(
                    Code::ReferenceIsSourceLabel,
                    "reference_standard.given",
                    "the reference standard is a column of the case table: the label by which the sample \
                     is drawn \
                     would also judge the device",
                    "bring labels that were made for the study, by readers who did not see the device's \
                     score",
                );
            }
            let source = table.source.to_lowercase();
            if let Some(words) = FROM_TEXT.iter().find(|words| source.contains(**words)) {
                self.asks(
                    Code::ReferenceFromReports,
                    "reference_standard.given.source",
                    format!(
                        "the reference standard comes from text (\"{words}\"): such labels train a \
                     model, and do \
                             not judge one"
                    ),
                    "let readers look at the images of the test set, or bring an independent diagnosis",
                );
            }
        }
    }

    pub(super) fn readers(&mut self) {
        let DeclaredReaders::Listed(readers) = &self.protocol.reference_standard.declared else { return };
        for (index, reader) in readers.iter().enumerate() {
            let place = format!("reader[{}]", index + 1);
            let decides = matches!(reader.role, ReaderRole::Reference | ReaderRole::Adjudicator);
            if reader.labelled_training_data && decides {
                self.asks(
                    Code::ReaderLabelledTraining,
                    &format!("{place}.labelled_training_data"),
                    format!(
                        "the reader `{}` labelled data that the device was trained on, and is part of \
                     the reference \
                             standard: the device may agree with this reader's habits",
                        reader.id
                    ),
                    "let readers decide who did not label training data, or give the role \"comparison\"",
                );
            }
            if reader.role == ReaderRole::Ignored {
                self.asks(
                    Code::ReaderIgnored,
                    &format!("{place}.role"),
                    format!(
                        "the reads of `{}` are set aside: a reader who is left out needs a reason",
                        reader.id
                    ),
                    "say in the truthing report why, and that it was decided before the reads were seen",
                );
            }
        }
    }
}
