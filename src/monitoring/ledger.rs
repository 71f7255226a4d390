//! The ledger of batches: one canonical JSON line (RFC 8785) an event, each with the digest of the line
//! before, as the study's ledger has them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::month::Month;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;

const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What happened to a plan or a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MonitoringEvent {
    /// The plan is fixed from here on.
    PlanSealed,
    /// A batch came in.
    BatchAdded,
    /// What followed from the alarms of a batch was written down.
    AlarmAnswered,
}

/// One line of the ledger of batches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonitoringEntry {
    /// From 1.
    pub sequence: u64,
    /// RFC 3339, UTC, whole seconds.
    pub at: String,
    /// What happened.
    pub event: MonitoringEvent,
    /// Of which batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Month>,
    /// Digests of the files, by name.
    pub digests: BTreeMap<String, Digest>,
    /// The alarms of the batch, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
    /// Who did it, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In which role, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What followed from an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which program did it.
    pub program: String,
    /// Digest of the line before, without its line feed; all zeros in the first line.
    pub previous: String,
}

/// The ledger in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchLedger {
    entries: Vec<MonitoringEntry>,
    lines: Vec<String>,
}

/// Who acts, and when.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    /// RFC 3339, UTC, whole seconds.
    pub at: &'a str,
    /// The name, where it was said.
    pub by: Option<&'a str>,
    /// The role, where it was said.
    pub role: Option<&'a str>,
}

impl BatchLedger {
    /// The events in order.
    pub fn entries(&self) -> &[MonitoringEntry] {
        &self.entries
    }

    /// Whether the plan is sealed.
    pub fn is_sealed(&self) -> bool {
        !self.entries.is_empty()
    }

    /// The batches that came in, in order.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &MonitoringEntry> {
        self.entries.iter().filter(|entry| entry.event == MonitoringEvent::BatchAdded)
    }

    /// What followed from the alarms of a month, in order.
    pub fn answers(&self, month: Month) -> impl Iterator<Item = &MonitoringEntry> {
        let answered = |e: &&MonitoringEntry| e.event == MonitoringEvent::AlarmAnswered;
        self.entries.iter().filter(answered).filter(move |entry| entry.month == Some(month))
    }

    /// Months with alarms that nobody has answered.
    pub fn unanswered(&self) -> Vec<Month> {
        let open = self.batches().filter(|entry| !entry.alarms.is_empty());
        open.filter_map(|entry| entry.month).filter(|month| self.answers(*month).next().is_none()).collect()
    }

    /// Digest of the last line.
    pub fn head(&self) -> Option<Digest> {
        self.lines.last().map(|line| Digest::of(line.as_bytes()))
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }

    /// Adds an event at the end of the chain.
    ///
    /// # Errors
    /// `ledger-order` where it may not follow what is there.
    pub fn append(
        &mut self,
        acting: Acting<'_>,
        event: MonitoringEvent,
        month: Option<Month>,
        digests: BTreeMap<String, Digest>,
        alarms: Vec<String>,
        reason: Option<String>,
    ) -> Result<(), Diagnostic> {
        let last = self.entries.last().map(|entry| entry.at.clone());
        let mut entry = MonitoringEntry {
            sequence: self.entries.len() as u64 + 1,
            // A clock that was set back does not go back here.
            at: last.filter(|last| last.as_str() > acting.at).unwrap_or_else(|| acting.at.to_owned()),
            event,
            month,
            digests,
            alarms,
            by: acting.by.map(str::to_owned),
            role: acting.role.map(str::to_owned),
            reason,
            program: concat!("sequester ", env!("CARGO_PKG_VERSION")).to_owned(),
            previous: String::new(),
        };
        if let Some(problem) = self.out_of_order(&entry) {
            return Err(Diagnostic::error(Code::LedgerOrder, problem));
        }
        entry.previous = self.expected();
        self.lines.push(canonical(&entry));
        self.entries.push(entry);
        Ok(())
    }

    fn expected(&self) -> String {
        self.head().map_or_else(|| NOTHING.to_owned(), |head| head.to_string())
    }

    /// Why an event may not come next.
    fn out_of_order(&self, next: &MonitoringEntry) -> Option<String> {
        if next.event == MonitoringEvent::PlanSealed {
            return (self.is_sealed() || next.month.is_some())
                .then(|| "a plan is sealed once, and first".into());
        }
        if !self.is_sealed() {
            return Some("nothing comes before the sealing of the plan".to_owned());
        }
        let Some(month) = next.month else { return Some("an event of a batch names no month".to_owned()) };
        if next.event == MonitoringEvent::BatchAdded {
            let last = self.batches().next_back().and_then(|entry| entry.month);
            return last.filter(|last| *last >= month).map(|last| format!("{month} comes behind {last}"));
        }
        if next.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
            return Some("an alarm is answered without a reason".to_owned());
        }
        let alarmed = self.batches().any(|e| e.month == Some(month) && !e.alarms.is_empty());
        (!alarmed).then(|| format!("{month} has no alarm that could be answered"))
    }

    /// Reads a ledger and checks its chain and its order.
    ///
    /// # Errors
    /// `ledger-line`, `ledger-chain`, `ledger-order` and `ledger-cut` at each line that is wrong.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let (mut ledger, mut problems) = (Self::default(), Vec::new());
        let text = String::from_utf8_lossy(bytes);
        for (index, line) in text.lines().enumerate() {
            let at = || Location::line(path, index as u64 + 1);
            let mut tell = |code: Code, message: String| {
                problems.push(Diagnostic::error(code, message).at(at()));
            };
            let entry: MonitoringEntry = match serde_json::from_str(line) {
                Ok(entry) => entry,
                Err(error) => {
                    tell(Code::LedgerLine, format!("not a line of a ledger of batches: {error}"));
                    break;
                }
            };
            if canonical(&entry) != line {
                tell(Code::LedgerLine, "not in canonical form".to_owned());
            }
            if entry.previous != ledger.expected() {
                tell(Code::LedgerChain, "does not hold the digest of the line before".to_owned());
            }
            if entry.sequence != index as u64 + 1 {
                tell(Code::LedgerChain, format!("has the number {}", entry.sequence));
            }
            if let Some(problem) = ledger.out_of_order(&entry) {
                tell(Code::LedgerOrder, problem);
            }
            ledger.lines.push(line.to_owned());
            ledger.entries.push(entry);
        }
        if !bytes.is_empty() && bytes.last() != Some(&b'\n') {
            let cut = Diagnostic::error(Code::LedgerCut, "the last line does not end");
            problems.push(cut.at(Location::line(path, text.lines().count() as u64)));
        }
        if problems.is_empty() { Ok(ledger) } else { Err(problems) }
    }
}

fn canonical(entry: &MonitoringEntry) -> String {
    serde_json_canonicalizer::to_string(entry).unwrap_or_else(|_| unreachable!("text, numbers and maps"))
}
