//! The ledger of batches: what happened to a plan and its batches, in the chain that every ledger here is.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::month::Month;
use crate::chained::{Chain, Link};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

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

impl Link for MonitoringEntry {
    fn sequence(&self) -> u64 {
        self.sequence
    }

    fn at(&self) -> &str {
        &self.at
    }

    fn previous(&self) -> &str {
        &self.previous
    }
}

/// The ledger in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchLedger {
    chain: Chain<MonitoringEntry>,
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
        self.chain.entries()
    }

    /// Whether the plan is sealed.
    pub fn is_sealed(&self) -> bool {
        !self.entries().is_empty()
    }

    /// The batches that came in, in order.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &MonitoringEntry> {
        batches(self.entries())
    }

    /// What followed from the alarms of a month, in order.
    pub fn answers(&self, month: Month) -> impl Iterator<Item = &MonitoringEntry> {
        let answered = |e: &&MonitoringEntry| e.event == MonitoringEvent::AlarmAnswered;
        self.entries().iter().filter(answered).filter(move |entry| entry.month == Some(month))
    }

    /// Months with alarms that nobody has answered.
    pub fn unanswered(&self) -> Vec<Month> {
        let open = self.batches().filter(|entry| !entry.alarms.is_empty());
        open.filter_map(|entry| entry.month).filter(|month| self.answers(*month).next().is_none()).collect()
    }

    /// Digest of the last line.
    pub fn head(&self) -> Option<Digest> {
        self.chain.head()
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.chain.to_bytes()
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
        if let Some(problem) = out_of_order(self.entries(), event, month, reason.as_deref()) {
            return Err(Diagnostic::error(Code::LedgerOrder, problem));
        }
        self.chain.push(acting.at, |place| MonitoringEntry {
            sequence: place.sequence,
            at: place.at,
            event,
            month,
            digests,
            alarms,
            by: acting.by.map(str::to_owned),
            role: acting.role.map(str::to_owned),
            reason,
            program: concat!("sequester ", env!("CARGO_PKG_VERSION")).to_owned(),
            previous: place.previous,
        });
        Ok(())
    }

    /// Reads a ledger and checks its chain and its order.
    ///
    /// # Errors
    /// `ledger-line`, `ledger-chain`, `ledger-order` and `ledger-cut` at each line that is wrong.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let judged = |before: &[MonitoringEntry], entry: &MonitoringEntry| {
            let problem = out_of_order(before, entry.event, entry.month, entry.reason.as_deref());
            problem.map(|problem| (Code::LedgerOrder, problem)).into_iter().collect()
        };
        Ok(Self { chain: Chain::parse(path, bytes, judged)? })
    }
}

fn batches(entries: &[MonitoringEntry]) -> impl DoubleEndedIterator<Item = &MonitoringEntry> {
    entries.iter().filter(|entry| entry.event == MonitoringEvent::BatchAdded)
}

/// Why an event may not come next.
fn out_of_order(
    before: &[MonitoringEntry],
    event: MonitoringEvent,
    month: Option<Month>,
    reason: Option<&str>,
) -> Option<String> {
    if event == MonitoringEvent::PlanSealed {
        return (!before.is_empty() || month.is_some()).then(|| "a plan is sealed once, and first".into());
    }
    if before.is_empty() {
        return Some("nothing comes before the sealing of the plan".to_owned());
    }
    let Some(month) = month else { return Some("an event of a batch names no month".to_owned()) };
    if event == MonitoringEvent::BatchAdded {
        let last = batches(before).next_back().and_then(|entry| entry.month);
        return last.filter(|last| *last >= month).map(|last| format!("{month} comes behind {last}"));
    }
    if reason.is_none_or(|reason| reason.trim().is_empty()) {
        return Some("an alarm is answered without a reason".to_owned());
    }
    let alarmed = batches(before).any(|e| e.month == Some(month) && !e.alarms.is_empty());
    (!alarmed).then(|| format!("{month} has no alarm that could be answered"))
}
