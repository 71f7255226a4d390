//! Words and columns of `[reads]` are mended after the protocol was locked.

use std::collections::BTreeMap;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::amendment::{confined, locked_name};
use crate::evidence::bag::Payload;
use crate::evidence::ledger::Event;
use crate::storage;

/// Locks the protocol as it is now, where it was locked before with other words or columns in `[reads]` and
/// the test set was not opened since; whether there was anything to do.
///
/// # Errors
/// `Error::Lock` where the test set was opened, where the locked text is not kept, or where more was changed.
pub fn amend(study: &Study, reason: &str, outside: &Outside<'_>) -> Result<bool> {
    let ledger = study.ledger()?;
    let digest = Digest::of(&study.protocol_bytes);
    let Some(locked) = ledger.last(Event::ProtocolLocked).and_then(|e| e.digests.get("protocol.toml")) else {
        return Ok(false);
    };
    if *locked == digest {
        return Ok(false);
    }
    let here = study.folder.join("protocol.toml");
    let refused = |message: String, hint: &str| {
        let problem = Diagnostic::error(Code::ProtocolChanged, message);
        Err(Error::Lock(vec![problem.at(Location::file(&here)).hint(hint)]))
    };
    let start = "put the locked text back, or start a new study (another --out) with a new protocol version";
    let openings = ledger.count(Event::TestSetOpened);
    if openings > 0 {
        return refused(format!("the test set was opened {openings} times: [reads] is mended before"), start);
    }
    let number = ledger.count(Event::ProtocolLocked);
    let before = study.locked_text(number);
    let bytes = if before.is_file() { storage::read(&before)? } else { Vec::new() };
    if Digest::of(&bytes) != *locked {
        let message =
            format!("the text that was locked is not in {}, so nobody can compare", before.display());
        return refused(message, start);
    }
    let (before, now) = (before.display().to_string(), here.display().to_string());
    confined((&before, &bytes), (&now, &study.protocol_bytes))
        .map_err(|problems| Error::Lock(problems.into_iter().map(|problem| problem.hint(start)).collect()))?;
    study.keep_locked(number + 1)?;
    let digests = BTreeMap::from([("protocol.toml".to_owned(), digest)]);
    study.record(Event::ProtocolLocked, outside, digests, Some(reason.to_owned()))?;
    Ok(true)
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
            texts.insert(path, storage::read(&study.locked_text(number))?);
        }
    }
    Ok(texts)
}
