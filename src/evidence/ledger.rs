//! The ledger: who did what, when, to which digest, and why. One canonical JSON line (RFC 8785) an
//! event, each with the digest of the line before. Tens of events, never per-case data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::chained::{Chain, Link};
use crate::diagnostic::{Code, Diagnostic, line};
use crate::digest::Digest;

/// What happened. The order of the variants is the only allowed order within one opening; an import, a
/// deviation and, with a reason, an amendment of the protocol may stand anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The protocol is fixed from here on.
    ProtocolLocked,
    /// The test set is drawn and sealed.
    TestSetSealed,
    /// The model, or the device that lives elsewhere, is fixed.
    ModelLocked,
    /// Readers' files came in, or one that corrects another. At any time: what follows from it is asked at
    /// the opening.
    ReadsImported,
    /// The study's scores were looked at with labels, outside the protocol. At any time.
    ScoresExamined,
    /// The readers' files are in and the consensus is computed.
    ReferenceStandardLocked,
    /// Scores and reference standard meet. Every opening is counted.
    TestSetOpened,
    /// The results of the opening.
    ResultsRecorded,
    /// The bundle of the opening, with its root digest.
    EvidencePublished,
    /// A deviation from the protocol was written down. At any time after the protocol was locked.
    DeviationRecorded,
    /// What is fixed before the first score was written down in one file. At any time after the protocol was
    /// locked; what it shows depends on when.
    CommitmentMade,
    /// A time-stamp token of a commitment came in. At any time after the protocol was locked.
    CommitmentStamped,
    /// A signature of a commitment came in. At any time after the protocol was locked.
    CommitmentSigned,
    /// Readers' files were encrypted to a custodian. At any time after the protocol was locked.
    ReadsSealed,
    /// The custodian granted an opening. At any time after the protocol was locked.
    OpeningGranted,
    /// A change control plan is fixed from here on. Once, after the protocol was locked and before
    /// an opening.
    ChangePlanLocked,
    /// A new version was held against the plan, before the test set was opened for it or refused.
    ChangeAssessed,
}

impl Event {
    /// Whether it is written down beside the steps of a study: it may stand between any two of them and is no
    /// step's condition.
    pub fn is_beside(self) -> bool {
        matches!(
            self,
            Self::ReadsImported
                | Self::ScoresExamined
                | Self::DeviationRecorded
                | Self::CommitmentMade
                | Self::CommitmentStamped
                | Self::CommitmentSigned
                | Self::ReadsSealed
                | Self::OpeningGranted
                | Self::ChangePlanLocked
                | Self::ChangeAssessed
        )
    }

    /// As the ledger writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProtocolLocked => "protocol-locked",
            Self::TestSetSealed => "test-set-sealed",
            Self::ModelLocked => "model-locked",
            Self::ReadsImported => "reads-imported",
            Self::ScoresExamined => "scores-examined",
            Self::ReferenceStandardLocked => "reference-standard-locked",
            Self::TestSetOpened => "test-set-opened",
            Self::ResultsRecorded => "results-recorded",
            Self::EvidencePublished => "evidence-published",
            Self::DeviationRecorded => "deviation-recorded",
            Self::CommitmentMade => "commitment-made",
            Self::CommitmentStamped => "commitment-stamped",
            Self::CommitmentSigned => "commitment-signed",
            Self::ReadsSealed => "reads-sealed",
            Self::OpeningGranted => "opening-granted",
            Self::ChangePlanLocked => "change-plan-locked",
            Self::ChangeAssessed => "change-assessed",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1.
    pub sequence: u64,
    /// RFC 3339, UTC, whole seconds.
    pub at: String,
    /// What happened.
    pub event: Event,
    /// Digests it happened to, by name.
    pub digests: BTreeMap<String, Digest>,
    /// Who did it, as given; absent where nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In which role, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Why, where a reason is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which program did it.
    pub program: String,
    /// Digest of the line before, without its line feed; all zeros in the first line.
    pub previous: String,
}

impl Entry {
    /// Who did it, in which role, as documents print it.
    pub fn who(&self) -> String {
        match (&self.by, &self.role) {
            (Some(by), Some(role)) => format!("{by} ({role})"),
            (Some(by), None) => by.clone(),
            (None, Some(role)) => format!("{NOT_RECORDED} ({role})"),
            (None, None) => NOT_RECORDED.to_owned(),
        }
    }
}

/// Said where nobody said who acts.
pub const NOT_RECORDED: &str = "not recorded";

/// Who acts, as somebody said: never the login of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    by: Option<String>,
    role: Option<String>,
}

impl Who {
    /// A name and a role, each where it was said; white space around them is cut off.
    ///
    /// # Errors
    /// `who-invalid` for one that is empty or holds a control character.
    pub fn new(by: Option<&str>, role: Option<&str>) -> Result<Self, Diagnostic> {
        let checked = |what: &str, text: &str| {
            if is_name(text.trim()) {
                return Ok(text.trim().to_owned());
            }
            let message = format!("the {what} {text:?} is empty or holds a character that does not print");
            Err(Diagnostic::error(Code::WhoInvalid, message).hint("give a name, or leave it out"))
        };
        let by = by.map(|text| checked("name of who acts", text)).transpose()?;
        let role = role.map(|text| checked("role of who acts", text)).transpose()?;
        Ok(Self { by, role })
    }
}

impl Who {
    /// The name, where it was said.
    pub fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// The role, where it was said.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }
}

/// Neither empty nor with a character that ends a line, moves a cursor or turns the direction of what
/// follows.
fn is_name(text: &str) -> bool {
    !text.is_empty() && line::stays_in_line(text)
}

impl Link for Entry {
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

/// A ledger in memory; only [`Ledger::append`] adds to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    chain: Chain<Entry>,
}

impl Ledger {
    /// The events in order.
    pub fn entries(&self) -> &[Entry] {
        self.chain.entries()
    }

    /// The last event of a kind.
    pub fn last(&self, event: Event) -> Option<&Entry> {
        self.entries().iter().rev().find(|e| e.event == event)
    }

    /// How often an event occurred.
    pub fn count(&self, event: Event) -> usize {
        self.entries().iter().filter(|e| e.event == event).count()
    }

    /// Adds an event at the end of the chain, of which nobody said who did it.
    ///
    /// # Errors
    /// As [`Ledger::append_by`].
    pub fn append(
        &mut self,
        event: Event,
        at: &str,
        digests: BTreeMap<String, Digest>,
        reason: Option<String>,
    ) -> Result<(), Diagnostic> {
        self.append_by(&Who::default(), event, at, digests, reason)
    }

    /// Adds an event at the end of the chain.
    ///
    /// # Errors
    /// `ledger-order` when the event may not follow what is there.
    pub fn append_by(
        &mut self,
        who: &Who,
        event: Event,
        at: &str,
        digests: BTreeMap<String, Digest>,
        reason: Option<String>,
    ) -> Result<(), Diagnostic> {
        if let Some(problem) = out_of_order(self.entries(), event, reason.as_deref()) {
            return Err(Diagnostic::error(Code::LedgerOrder, problem));
        }
        self.chain.push(at, |place| Entry {
            sequence: place.sequence,
            at: place.at,
            event,
            digests,
            by: who.by.clone(),
            role: who.role.clone(),
            reason,
            program: format!("sequester {}", env!("CARGO_PKG_VERSION")),
            previous: place.previous,
        });
        Ok(())
    }

    /// Digest of the last line.
    pub fn head(&self) -> Option<String> {
        self.chain.head().map(|head| head.to_string())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.chain.to_bytes()
    }

    /// Reads a ledger and checks chain, numbering, form and order.
    ///
    /// # Errors
    /// Every broken line.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let judged = |before: &[Entry], entry: &Entry| {
            let mut wrong = Vec::new();
            if [&entry.by, &entry.role].into_iter().flatten().any(|name| !is_name(name)) {
                let message = "names who acts with nothing, or with a character that does not print";
                wrong.push((Code::LedgerLine, message.to_owned()));
            }
            let order = out_of_order(before, entry.event, entry.reason.as_deref());
            wrong.extend(order.map(|problem| (Code::LedgerOrder, problem)));
            wrong
        };
        Ok(Self { chain: Chain::parse(path, bytes, judged)? })
    }
}

/// Protocol locked → test set sealed → model locked → reference standard locked → test set opened →
/// results recorded → evidence published. The preparing events may repeat before an opening (a reader
/// file arrives late); after an opening only another opening, or preparations for it, may follow.
fn out_of_order(entries: &[Entry], next: Event, reason: Option<&str>) -> Option<String> {
    let seen = |event| entries.iter().any(|e| e.event == event);
    // What is written down beside the steps comes between none of them.
    let last = entries.iter().rev().map(|e| e.event).find(|event| !event.is_beside());
    let need = |needed: &[Event]| {
        needed
            .iter()
            .find(|event| !seen(**event))
            .map(|event| format!("{} before {}", next.name(), event.name()))
    };
    match next {
        // An amendment: with its justification, before or after an opening of the test set.
        Event::ProtocolLocked if seen(Event::ProtocolLocked) => reason
            .is_none_or(|reason| reason.trim().is_empty())
            .then(|| "the protocol is locked twice, the second time without a reason".to_owned()),
        Event::ProtocolLocked | Event::ReadsImported | Event::ScoresExamined => None,
        Event::ChangePlanLocked if seen(Event::ChangePlanLocked) => {
            Some("the change control plan is locked twice: another plan is another study".to_owned())
        }
        Event::ChangePlanLocked if seen(Event::TestSetOpened) => {
            Some("the change control plan is locked after the test set was opened".to_owned())
        }
        Event::ChangeAssessed => need(&[Event::ChangePlanLocked]),
        Event::TestSetSealed if seen(Event::TestSetOpened) => {
            Some("the test set is sealed again after it was opened".to_owned())
        }
        Event::TestSetSealed
        | Event::ModelLocked
        | Event::DeviationRecorded
        | Event::CommitmentMade
        | Event::CommitmentStamped
        | Event::CommitmentSigned
        | Event::ReadsSealed
        | Event::OpeningGranted
        | Event::ChangePlanLocked => need(&[Event::ProtocolLocked]),
        Event::ReferenceStandardLocked => need(&[Event::ProtocolLocked, Event::TestSetSealed]),
        Event::TestSetOpened => need(&[
            Event::ProtocolLocked,
            Event::TestSetSealed,
            Event::ModelLocked,
            Event::ReferenceStandardLocked,
        ]),
        Event::ResultsRecorded => (last != Some(Event::TestSetOpened))
            .then(|| "results are recorded without an opening of the test set just before".to_owned()),
        // The same results may be published again with other words (device.toml, templates).
        Event::EvidencePublished => {
            (!matches!(last, Some(Event::ResultsRecorded | Event::EvidencePublished)))
                .then(|| "evidence is published without results just before".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chained::{NOTHING, canonical};

    const ORDER: [Event; 7] = [
        Event::ProtocolLocked,
        Event::TestSetSealed,
        Event::ModelLocked,
        Event::ReferenceStandardLocked,
        Event::TestSetOpened,
        Event::ResultsRecorded,
        Event::EvidencePublished,
    ];

    const TIME: &str = "2026-01-01T00:00:00Z";

    #[test]
    fn time_does_not_go_back_and_what_is_no_time_is_refused() {
        let mut ledger = Ledger::default();
        for (event, at) in ORDER.into_iter().zip([TIME, "2027-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]) {
            ledger.append(event, at, BTreeMap::new(), None).expect("in order");
        }
        let at: Vec<&str> = ledger.entries().iter().map(|entry| entry.at.as_str()).collect();
        assert_eq!(
            at,
            [TIME, "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
            "the clock went back, the ledger not"
        );
        assert_eq!(Ledger::parse(Path::new("l"), &ledger.to_bytes()).expect("holds"), ledger);
        for (at, code) in [
            ("2025-01-01T00:00:00Z", "ledger-order"),
            ("yesterday", "ledger-line"),
            ("2027-13-01T00:00:00Z", "ledger-line"),
            ("2027-01-01T00:00:00+00:00", "ledger-line"),
        ] {
            // A chain that is whole: whoever writes it by hand hashes it as well.
            let mut entries = ledger.entries().to_vec();
            entries.last_mut().expect("the last").at = at.to_owned();
            let problems = Ledger::parse(Path::new("l"), chained(entries).as_bytes()).expect_err(at);
            assert!(problems.iter().all(|d| d.code.as_str() == code), "{at}: {problems:?}");
        }
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for event in ORDER {
            let digests = BTreeMap::from([("x".to_owned(), Digest::of(b"x"))]);
            ledger.append(event, "2026-01-01T00:00:00Z", digests, None).expect("in order");
        }
        ledger
    }

    #[test]
    fn a_ledger_round_trips_and_every_changed_byte_is_noticed() {
        let bytes = ledger().to_bytes();
        assert_eq!(Ledger::parse(Path::new("l"), &bytes).expect("holds"), ledger());
        let last_line =
            bytes.len() - 1 - bytes[..bytes.len() - 1].iter().rev().position(|b| *b == b'\n').unwrap_or(0);
        for position in 0..last_line {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert!(Ledger::parse(Path::new("l"), &changed).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_deviation_stands_anywhere_after_the_protocol_and_comes_between_no_steps() {
        let mut ledger = Ledger::default();
        assert!(ledger.append(Event::DeviationRecorded, TIME, BTreeMap::new(), None).is_err());
        for event in ORDER {
            ledger.append(event, TIME, BTreeMap::new(), None).expect("in order");
            ledger.append(Event::DeviationRecorded, TIME, BTreeMap::new(), None).expect("at any time");
        }
        assert_eq!(Ledger::parse(Path::new("l"), &ledger.to_bytes()).expect("holds"), ledger);
    }

    #[test]
    fn events_out_of_order_are_refused() {
        for (first, second) in [(4, 3), (5, 4), (6, 5)] {
            let mut ledger = Ledger::default();
            let mut failed = false;
            for index in (0..first).filter(|i| *i != second).chain([first]) {
                failed |= ledger.append(ORDER[index], "t", BTreeMap::new(), None).is_err();
            }
            assert!(failed, "{:?} without {:?}", ORDER[first], ORDER[second]);
        }
        let mut twice = ledger();
        assert!(twice.append(Event::ProtocolLocked, "t", BTreeMap::new(), None).is_err(), "no reason");
        assert!(twice.append(Event::ProtocolLocked, "t", BTreeMap::new(), Some("why".to_owned())).is_ok());
        assert!(twice.append(Event::TestSetSealed, "t", BTreeMap::new(), None).is_err(), "opened already");
        assert!(twice.append(Event::EvidencePublished, "t", BTreeMap::new(), None).is_err(), "other results");
        let mut again = Ledger::default();
        let mut lock = |reason: Option<&str>| {
            again.append(Event::ProtocolLocked, "t", BTreeMap::new(), reason.map(str::to_owned)).is_ok()
        };
        assert!(lock(None) && !lock(None) && !lock(Some(" ")) && lock(Some("why")));
    }

    #[test]
    fn who_acts_is_recorded_as_said_and_absent_otherwise() {
        let mut ledger = Ledger::default();
        let who = Who::new(Some(" A. Example "), Some("statistician")).expect("a name");
        ledger.append_by(&who, Event::ProtocolLocked, TIME, BTreeMap::new(), None).expect("in order");
        ledger.append(Event::TestSetSealed, TIME, BTreeMap::new(), None).expect("in order");
        let bytes = ledger.to_bytes();
        let text = String::from_utf8(bytes.clone()).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains(r#""by":"A. Example""#) && lines[0].contains(r#""role":"statistician""#));
        assert!(!lines[1].contains(r#""by""#) && !lines[1].contains(r#""role""#), "{}", lines[1]);
        let read = Ledger::parse(Path::new("l"), &bytes).expect("holds");
        let who: Vec<String> = read.entries().iter().map(Entry::who).collect();
        assert_eq!(who, ["A. Example (statistician)", "not recorded"]);
        for bad in ["", "  ", "a\nb", "a\u{1b}[2J", "\u{202e}a", "\u{2028}"] {
            assert_eq!(Who::new(Some(bad), None).expect_err("refused").code, Code::WhoInvalid, "{bad:?}");
            assert_eq!(Who::new(None, Some(bad)).expect_err("refused").code, Code::WhoInvalid, "{bad:?}");
        }
    }

    #[test]
    fn a_removed_line_breaks_the_chain() {
        let bytes = ledger().to_bytes();
        let text = String::from_utf8(bytes).expect("text");
        let without_third: String =
            text.lines().enumerate().filter(|(i, _)| *i != 2).map(|(_, l)| format!("{l}\n")).collect();
        assert!(Ledger::parse(Path::new("l"), without_third.as_bytes()).is_err());
    }

    #[test]
    fn events_are_found_and_counted_by_their_kind() {
        let mut ledger = ledger();
        assert_eq!((ledger.count(Event::TestSetOpened), ledger.count(Event::ProtocolLocked)), (1, 1));
        let why = Some("why".to_owned());
        ledger.append(Event::TestSetOpened, "later", BTreeMap::new(), why.clone()).expect("in order");
        assert_eq!((ledger.count(Event::TestSetOpened), ledger.entries().len()), (2, 8));
        let last = ledger.last(Event::TestSetOpened).expect("an opening");
        assert_eq!((last.sequence, last.at.as_str(), &last.reason), (8, "later", &why));
        assert_eq!(ledger.last(Event::ProtocolLocked).map(|e| e.sequence), Some(1));
        assert_eq!(Ledger::default().last(Event::ProtocolLocked), None);
        // The head is the digest of the last line, as `sha256sum` gives it.
        let bytes = ledger.to_bytes();
        let line = bytes[..bytes.len() - 1].rsplit(|b| *b == b'\n').next().expect("a line");
        assert_eq!(ledger.head(), Some(Digest::of(line).to_string()));
        assert_eq!((Ledger::default().head(), Ledger::default().to_bytes()), (None, Vec::new()));
    }

    #[test]
    fn who_acted_is_printed_with_the_role_where_it_is_known() {
        let entry = |by: Option<&str>, role: Option<&str>| {
            let mut ledger = Ledger::default();
            let who = Who::new(by, role).expect("a name");
            ledger.append_by(&who, Event::ProtocolLocked, "t", BTreeMap::new(), None).expect("in order");
            ledger.entries()[0].who()
        };
        assert_eq!(entry(Some("A. Example"), None), "A. Example");
        assert_eq!(entry(None, Some("statistician")), "not recorded (statistician)");
    }

    /// A ledger of these entries with a whole chain, as somebody who forges one would write it.
    fn chained(entries: impl IntoIterator<Item = Entry>) -> String {
        let (mut text, mut previous) = (String::new(), NOTHING.to_owned());
        for entry in entries {
            let line = canonical(&Entry { previous, ..entry });
            previous = Digest::of(line.as_bytes()).to_string();
            text += &format!("{line}\n");
        }
        text
    }

    #[test]
    fn each_fault_of_a_line_is_named_at_its_line() {
        let found = |text: &str| -> Vec<_> {
            let problems = Ledger::parse(Path::new("l"), text.as_bytes()).expect_err("a fault");
            problems.iter().map(|p| (p.code, p.location.as_ref().and_then(|l| l.line))).collect()
        };
        let entries = ledger().entries().to_vec();
        let whole = chained(entries.clone());
        assert_eq!(whole.as_bytes(), ledger().to_bytes());
        assert_eq!(Ledger::parse(Path::new("l"), b""), Ok(Ledger::default()));
        assert_eq!(found(whole.trim_end()), [(Code::LedgerCut, Some(7))]);
        let renumbered = entries.iter().cloned().map(|e| Entry { sequence: e.sequence + 1, ..e });
        assert_eq!(
            found(&chained(renumbered.take(2))),
            [(Code::LedgerChain, Some(1)), (Code::LedgerChain, Some(2))]
        );
        let unnamed = entries.iter().cloned().map(|e| Entry { role: Some("a\nb".to_owned()), ..e });
        assert_eq!(found(&chained(unnamed.take(1))), [(Code::LedgerLine, Some(1))]);
        assert_eq!(
            found(&chained(entries[1..2].iter().cloned().map(|e| Entry { sequence: 1, ..e }))),
            [(Code::LedgerOrder, Some(1))]
        );
        assert_eq!(found("{}\n"), [(Code::LedgerLine, Some(1))]);
        let spaced = whole.replacen('{', "{ ", 1);
        let faults = found(&spaced);
        assert_eq!(faults, [(Code::LedgerLine, Some(1)), (Code::LedgerChain, Some(2))]);
    }

    #[test]
    fn preparations_may_repeat_and_a_publication_too() {
        let mut ledger = ledger();
        let mut add = |event| ledger.append(event, "t", BTreeMap::new(), None).is_ok();
        assert!(add(Event::EvidencePublished), "the same results with other words");
        assert!(!add(Event::ResultsRecorded), "no opening just before");
        assert!(add(Event::ReferenceStandardLocked) && add(Event::ModelLocked));
        assert!(!add(Event::TestSetSealed), "the test set was opened");
        assert!(!add(Event::EvidencePublished), "no results just before");
        assert!(add(Event::TestSetOpened) && !add(Event::EvidencePublished) && add(Event::ResultsRecorded));
        for missing in 0..4 {
            let mut ledger = Ledger::default();
            for (index, event) in ORDER.iter().enumerate().take(4).filter(|(index, _)| *index != missing) {
                let added = ledger.append(*event, "t", BTreeMap::new(), None);
                assert_eq!(
                    added.is_ok(),
                    missing != 0 && (missing, index) != (1, 3),
                    "{event:?} without {missing}"
                );
            }
            assert!(
                ledger.append(Event::TestSetOpened, "t", BTreeMap::new(), None).is_err(),
                "without {missing}"
            );
        }
    }

    #[test]
    fn the_last_event_of_a_kind_is_that_one() {
        let mut ledger = ledger();
        ledger.append(Event::EvidencePublished, TIME, BTreeMap::new(), None).expect("in order");
        let sequence = |event| ledger.last(event).map(|entry| (entry.event, entry.sequence));
        for (event, number) in ORDER.into_iter().zip(1..7) {
            assert_eq!(sequence(event), Some((event, number)));
        }
        assert_eq!(sequence(Event::EvidencePublished), Some((Event::EvidencePublished, 8)));
        assert_eq!(sequence(Event::ReadsImported), None);
        assert_eq!((ledger.count(Event::EvidencePublished), ledger.count(Event::ModelLocked)), (2, 1));
    }

    #[test]
    fn an_event_is_said_in_messages_as_the_ledger_writes_it() {
        for event in ORDER.into_iter().chain([Event::ReadsImported]) {
            assert_eq!(serde_json::to_value(event).expect("text"), event.name());
        }
        let problem = Ledger::default().append(Event::TestSetSealed, TIME, BTreeMap::new(), None);
        assert_eq!(problem.expect_err("too early").message, "test-set-sealed before protocol-locked");
    }

    #[test]
    fn who_acts_is_a_name_and_a_role_as_they_were_said_without_the_space_around_them() {
        let who = Who::new(Some(" A. Example "), Some("\tstatistician")).expect("both");
        assert_eq!((who.by(), who.role()), (Some("A. Example"), Some("statistician")));
        assert_eq!(Who::new(None, None), Ok(Who::default()));
        assert_eq!((Who::default().by(), Who::default().role()), (None, None));
        for wrong in ["", "  ", "a\nb", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "a\u{7}"] {
            for said in [Who::new(Some(wrong), None), Who::new(None, Some(wrong))] {
                assert_eq!(said.expect_err(wrong).code, Code::WhoInvalid, "{wrong:?}");
            }
        }
        let mut ledger = Ledger::default();
        ledger.append_by(&who, Event::ProtocolLocked, TIME, BTreeMap::new(), None).expect("in order");
        let entry = &ledger.entries()[0];
        assert_eq!((entry.by.as_deref(), entry.role.as_deref()), (who.by(), who.role()));
        assert_eq!(entry.who(), "A. Example (statistician)");
    }
}
