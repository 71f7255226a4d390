//! What a valid protocol says that cannot be meant, or that a reviewer will ask about: beyond syntax,
//! without any data. What needs cases, readers' files or a lock stands in `workflow::check`.
//!
//! An error is what no study can be (a goal that no result meets, a threshold chosen on the test set); a
//! warning is what has to be answered for. Errors keep `check` from calling a study valid and the protocol
//! from being locked; a protocol that is locked is not asked again, so old evidence verifies as it did.

mod analysis;
mod compared;
mod device;
mod eligibility;
mod endpoints;
mod places;
mod planned;
mod reader_study;
mod reference;
mod rules;
mod sample;
mod scores;
mod subgroups;
mod texts;

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::Protocol;

pub use device::{disagreements_of_device, typed_results};
pub use endpoints::{FEW as FEW_CASES, is_normal};
pub use places::Places;

/// Codes whose question the data answer better: where the cases were looked at, what the protocol alone
/// made one expect is not told beside it.
pub const ANSWERED_BY_DATA: [Code; 3] =
    [Code::IntervalAssumesOneImage, Code::ReaderLabelledTraining, Code::SubgroupUnreachable];

/// Everything that is doubtful or impossible in a protocol; `text` is what `protocol` was parsed from, and
/// `path` its name for messages. In the order of the text.
pub fn lint(path: &Path, text: &str, protocol: &Protocol) -> Vec<Diagnostic> {
    let mut look = Look { protocol, places: Places::new(path, text), found: Vec::new() };
    look.endpoints();
    look.compared();
    look.planned();
    look.analysis();
    look.sample();
    look.eligibility();
    look.gate();
    look.subgroups();
    look.reference();
    look.readers();
    look.reader_study();
    look.scores();
    look.operating_point();
    look.texts();
    let mut found = look.found;
    found.sort_by_key(|one| one.location.as_ref().map(|at| (at.line, at.column)));
    found
}

/// A protocol that is looked at, with what was found so far.
struct Look<'a> {
    protocol: &'a Protocol,
    places: Places,
    found: Vec<Diagnostic>,
}

impl Look<'_> {
    /// Where the endpoint with this id stands among all of the text, such as `endpoint[2]`.
    fn endpoint_place(&self, id: &str) -> String {
        let own = |(key, text): &&(String, String)| {
            text == id && key.starts_with("endpoint[") && key.ends_with("].id")
        };
        let found = self.places.texts().iter().find(own);
        found.map_or("endpoint".to_owned(), |(key, _)| key.trim_end_matches(".id").to_owned())
    }

    /// What a reviewer will ask about, at a place such as `endpoint[2].interval`.
    fn asks(&mut self, code: Code, place: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Diagnostic::warning(code, message).at(self.places.at(place)).hint(hint));
    }

    /// What cannot be.
    fn refuses(&mut self, code: Code, place: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.found.push(Diagnostic::error(code, message).at(self.places.at(place)).hint(hint));
    }
}

#[cfg(test)]
mod tests;
