//! The claim of kind `verified`: a bundle was verified, its ledger has so many events, and these are the
//! verdicts of its endpoints.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoding::canonical;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// The subject that is the bundle's root.
pub const ROOT: &str = "tagmanifest-sha256.txt";

/// What `sign` says of a bundle that passed `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// What `verify` answered, by question: `yes`, `not-shown` or `not-applicable`.
    pub answers: std::collections::BTreeMap<String, String>,
    /// `met`, `not-met`, `not-evaluable`: over all primary endpoints.
    pub conclusion: String,
    /// Every endpoint in the order of `results.json`.
    pub endpoints: Vec<Endpoint>,
    /// The ledger as it was.
    pub ledger: Head,
    /// `run-1`.
    pub run: String,
    /// The study's id.
    pub study: String,
    /// The operating point's threshold, the text of `results.json`.
    pub threshold: String,
}

/// A verdict with what it was judged by; numbers are the texts of `results.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The bound that was compared; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// The criterion with its threshold, such as `lower >= 0.8`; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criterion: Option<String>,
    /// The endpoint.
    pub id: String,
    /// The metric, or of a comparison the metric of both.
    pub metric: String,
    /// `primary`, `secondary`, ...
    pub role: String,
    /// The estimate; absent where it was not evaluable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `met`, `not-met`, `not-evaluable`; absent where there is no criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// Which ledger a head is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// The study's own, which goes on after the bundle.
    Study,
    /// The one in the bundle, where it lies by itself.
    Bundle,
}

/// The head of a ledger and its length: what a chain cannot show by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many events.
    pub events: u64,
    /// SHA-256 of the last line, without its line end.
    pub head: Digest,
    /// Which ledger.
    pub of: Of,
    /// How often the test set had been opened.
    pub openings: u64,
}

impl Verified {
    /// The claim as a statement holds it.
    pub fn to_claim(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => unreachable!("a struct of texts and numbers"),
        }
    }

    /// Reads a claim.
    ///
    /// # Errors
    /// `statement-malformed`.
    pub fn of(claim: &Map<String, Value>) -> Result<Self, Diagnostic> {
        let wrong = |why: String| {
            Diagnostic::error(Code::StatementMalformed, format!("the claim is none of `verified`: {why}"))
        };
        let read: Self =
            serde_json::from_value(Value::Object(claim.clone())).map_err(|e| wrong(e.to_string()))?;
        if canonical(&read) != canonical(claim) {
            return Err(wrong("it is written in another form".to_owned()));
        }
        Ok(read)
    }
}

impl Head {
    /// What a ledger contradicts; nothing where it holds the signed head, and goes on from it or not.
    ///
    /// # Errors
    /// `ledger-behind-signature`, with the place of the line.
    pub fn stands_in(&self, ledger: &[u8]) -> Result<(), Diagnostic> {
        let behind = |message: String| {
            Err(Diagnostic::error(Code::LedgerBehindSignature, message)
                .hint("events were cut off or rewritten after somebody had signed them"))
        };
        let lines: Vec<&[u8]> = ledger.split(|byte| *byte == b'\n').collect();
        let there = lines.len() as u64 - 1;
        let Some(line) = self.events.checked_sub(1).filter(|_| self.events <= there) else {
            return behind(format!("the signed ledger has {} events, this one {there}", self.events));
        };
        let found = Digest::of(lines[line as usize]);
        if found != self.head {
            return behind(format!(
                "event {} of the signed ledger is {}..., here it is {}...",
                self.events,
                self.head.short(),
                found.short()
            ));
        }
        Ok(())
    }
}
