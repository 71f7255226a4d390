//! The protocol is amended after it was locked: with a reason, and with every text that was locked kept.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::document::format;
use crate::evidence::amendment::{confined, locked_name, of_one_study};
use crate::evidence::bag::Payload;
use crate::evidence::ledger::{Event, Ledger};
use crate::evidence::opening::is_reason;
use crate::protocol::meaning::Meaning;
use crate::storage;
use crate::study::{self, Step};

/// An amendment as it would be, or was, recorded.
#[derive(Clone, Debug, Serialize)]
pub struct Amended {
    /// From 1.
    pub number: usize,
    /// What changed.
    pub meaning: Meaning,
    /// How often the test set had been opened by then.
    pub openings: usize,
    /// The test set was sealed, and the amended protocol draws another one, of so many cases.
    pub drawn_anew: Option<usize>,
    /// Digest of the text that is locked by it.
    pub digest: Digest,
}

/// A comparison of the protocol with the text that was locked, and the table of another cohort.
struct Proposed {
    amended: Amended,
    cohort: Option<Vec<u8>>,
}

fn refused(study: &Study, code: Code, message: String, hint: &str) -> Error {
    let problem = Diagnostic::error(code, message).at(Location::file(study.folder.join("protocol.toml")));
    Error::Lock(vec![problem.hint(hint)])
}

const START: &str =
    "put the locked text back, or start a new study (another --out) with a new protocol version";

/// What the next amendment would be; nothing is written. `None`: the protocol is the one that was locked.
///
/// # Errors
/// `protocol-not-locked`; `Error::Lock` where the locked text is not kept, is another study's, or where the
/// test set was opened and the protocol now draws another one.
pub fn proposed(study: &Study) -> Result<Option<Amended>> {
    Ok(propose(study)?.map(|proposed| proposed.amended))
}

fn propose(study: &Study) -> Result<Option<Proposed>> {
    let ledger = study.ledger()?;
    let Some(locked) = locked_digest(&ledger) else {
        let problem = Diagnostic::error(Code::ProtocolNotLocked, "the protocol is not locked yet");
        return Err(problem
            .at(Location::file(&study.folder))
            .hint("change it freely; `sequester protocol lock STUDY` locks it, and so does the first step")
            .into());
    };
    let digest = Digest::of(&study.protocol_bytes);
    if locked == digest {
        return Ok(None);
    }
    let number = ledger.count(Event::ProtocolLocked);
    let before = kept(study, number, locked)?;
    let place = study.locked_text(number).display().to_string();
    let here = study.folder.join("protocol.toml").display().to_string();
    let meaning = of_one_study((&place, &before), (&here, &study.protocol_bytes))
        .map_err(|problems| Error::Lock(problems.into_iter().map(|p| p.hint(START)).collect()))?;
    let openings = ledger.count(Event::TestSetOpened);
    let mut proposed =
        Proposed { amended: Amended { number, meaning, openings, drawn_anew: None, digest }, cohort: None };
    if let Some(sealed) = ledger.last(Event::TestSetSealed) {
        let cohort = study::cohort(&study.inputs(Step::Cohort)?)?;
        let table = study::cohort_table(&cohort);
        if sealed.digests.get("cohort.csv") != Some(&Digest::of(&table)) {
            if openings > 0 {
                let message =
                    "the test set was opened, and the amended protocol draws another one".to_owned();
                return Err(refused(study, Code::SealedDataChanged, message, START));
            }
            proposed.amended.drawn_anew = Some(cohort.drawn.len());
            proposed.cohort = Some(table);
        }
    }
    Ok(Some(proposed))
}

fn locked_digest(ledger: &Ledger) -> Option<Digest> {
    ledger.last(Event::ProtocolLocked).and_then(|entry| entry.digests.get("protocol.toml")).copied()
}

/// The text that was locked as so many-th.
fn kept(study: &Study, number: usize, locked: Digest) -> Result<Vec<u8>> {
    let path = study.locked_text(number);
    let bytes = if path.is_file() { storage::read(&path)? } else { Vec::new() };
    if Digest::of(&bytes) == locked {
        return Ok(bytes);
    }
    let message = format!("the text that was locked is not in {}, so nobody can compare", path.display());
    Err(refused(study, Code::ProtocolChanged, message, START))
}

/// Locks the protocol as it is now as an amendment of the one that was locked, and seals the test set again
/// where it was not opened and another one is drawn. `None`: there is nothing to amend.
///
/// # Errors
/// As [`proposed`]; `amendment-reason` where the reason says nothing.
pub fn amend(study: &Study, reason: &str, outside: &Outside<'_>) -> Result<Option<Amended>> {
    if !is_reason(reason) {
        let problem = Diagnostic::error(Code::AmendmentReason, format!("the reason {reason:?} says nothing"));
        return Err(Error::usage(problem.hint("say in words why: documents print it beside what changed")));
    }
    let Some(Proposed { amended, cohort }) = propose(study)? else { return Ok(None) };
    study.keep_locked(amended.number + 1)?;
    // Before the lock: whoever is interrupted in between amends again, and finds this done.
    if let Some(table) = cohort {
        storage::write_atomic(&study.out.join("work/cohort.csv"), &table)?;
        let digests = BTreeMap::from([("cohort.csv".to_owned(), Digest::of(&table))]);
        study.record(Event::TestSetSealed, outside, digests, Some(reason.to_owned()))?;
    }
    let digests = BTreeMap::from([("protocol.toml".to_owned(), amended.digest)]);
    study.record(Event::ProtocolLocked, outside, digests, Some(reason.to_owned()))?;
    Ok(Some(amended))
}

/// Locks the protocol as it is now, where it was locked before with other words or columns in `[reads]` and
/// the test set was not opened since; whether there was anything to do.
///
/// # Errors
/// `Error::Lock` where the test set was opened, where the locked text is not kept, or where more was changed.
pub fn mend_reads(study: &Study, reason: &str, outside: &Outside<'_>) -> Result<bool> {
    const AMEND: &str = "`sequester protocol amend STUDY --reason TEXT` records a change of the protocol as \
                         an amendment; `--dry-run` shows it first";
    let ledger = study.ledger()?;
    let Some(locked) = locked_digest(&ledger) else { return Ok(false) };
    if locked == Digest::of(&study.protocol_bytes) {
        return Ok(false);
    }
    let openings = ledger.count(Event::TestSetOpened);
    if openings > 0 {
        let message =
            format!("the test set was opened {}: [reads] is mended before", format::times(openings));
        return Err(refused(study, Code::ProtocolChanged, message, AMEND));
    }
    let number = ledger.count(Event::ProtocolLocked);
    let before = kept(study, number, locked)?;
    let place = study.locked_text(number).display().to_string();
    let here = study.folder.join("protocol.toml").display().to_string();
    confined((&place, &before), (&here, &study.protocol_bytes))
        .map_err(|problems| Error::Lock(problems.into_iter().map(|p| p.hint(AMEND)).collect()))?;
    Ok(amend(study, reason, outside)?.is_some())
}

/// Every text that was locked, for a bundle; nothing where only one was.
///
/// # Errors
/// When one cannot be read.
pub(super) fn texts(study: &Study) -> Result<Payload> {
    let locked = study.ledger()?.count(Event::ProtocolLocked);
    let mut texts = Payload::new();
    if locked < 2 {
        return Ok(texts);
    }
    for number in 1..=locked {
        if let Ok(path) = locked_name(number).parse() {
            texts.insert(path, storage::read(&study.locked_text(number))?.into());
        }
    }
    Ok(texts)
}
