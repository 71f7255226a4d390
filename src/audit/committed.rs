//! Who signed what was committed to: the signatures that the ledger of a bundle names, each of its
//! commitment, and whether the opening rests on it.

use std::path::Path;

use super::signatures::{ENVELOPE, STATEMENT};
use crate::attestation::{Signed, open_envelope, open_ssh};
use crate::custody::signed;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::evidence::ledger::{Event, Ledger};

/// A signature of a commitment.
#[derive(Clone, Debug)]
pub(super) struct Committed {
    /// The file of the envelope, or of the statement, in the bundle.
    pub(super) file: String,
    /// The commitment that it is of.
    pub(super) commitment: String,
    /// It stands in the ledger before the first opening.
    pub(super) rests: bool,
    /// What was signed, or why it is no signature of that commitment.
    pub(super) signed: Result<Signed, Diagnostic>,
}

/// Every signature of a commitment that the ledger names, in its order. That a file is not there, or another
/// than was recorded, is told with the ledger as well.
pub(super) fn committed(opened: &Opened) -> Vec<Committed> {
    let Some(ledger) = bundle::file(&opened.payload, bundle::LEDGER)
        .ok()
        .and_then(|bytes| Ledger::parse(Path::new(bundle::LEDGER), bytes).ok())
    else {
        return Vec::new();
    };
    let entries = ledger.entries();
    let first = entries.iter().position(|entry| entry.event == Event::TestSetOpened).unwrap_or(entries.len());
    let mut found = Vec::new();
    for (position, entry) in entries.iter().enumerate().filter(|(_, e)| e.event == Event::CommitmentSigned) {
        let main = entry.digests.keys().find(|name| name.ends_with(ENVELOPE) || name.ends_with(STATEMENT));
        let file = main.or_else(|| entry.digests.keys().next()).cloned().unwrap_or_default();
        let commitment = signed::commitment_of(&file).unwrap_or_default();
        let signed = of(opened, &file, &commitment).map_err(|problem| match problem.location {
            Some(_) => problem,
            None => problem.at(Location::file(format!("data/{file}"))),
        });
        found.push(Committed { file, commitment, rests: position < first, signed });
    }
    found
}

fn of(opened: &Opened, file: &str, commitment: &str) -> Result<Signed, Diagnostic> {
    let read = |name: &str| {
        bundle::file(&opened.payload, name).map_err(|_| {
            Diagnostic::error(Code::SignatureMalformed, format!("`{name}` is not in the bundle"))
        })
    };
    let signed = if file.ends_with(ENVELOPE) {
        open_envelope(read(file)?)?
    } else if file.ends_with(STATEMENT) {
        open_ssh(read(file)?, read(&format!("{file}{}", super::signatures::SSH))?)?
    } else {
        let message = "the ledger names a signature that is neither an envelope nor a statement";
        return Err(Diagnostic::error(Code::SignatureMalformed, message));
    };
    signed::is_of(&signed, read(commitment)?)?;
    Ok(signed)
}
