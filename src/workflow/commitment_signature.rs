//! Signatures of a commitment: made from its file alone, wherever that was mailed, and taken into the study
//! before the test set is opened, so that the opening rests on them.

use std::collections::BTreeMap;
use std::path::Path;

use super::commitment::made;
use super::outside::Outside;
use super::sign::Signing;
use super::study::Study;
use crate::attestation::{PublicKey, Signed, Signer, Statement, open_envelope, open_ssh};
use crate::audit::{ENVELOPE, SSH, STATEMENT};
use crate::custody::signed;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::storage;

/// What is said of the file of a commitment; nothing else of the study is needed.
///
/// # Errors
/// `commitment-unreadable`; `statement-malformed` for a name or role that does not print.
pub fn statement(file: &Path, key: &PublicKey, signing: &Signing<'_>) -> Result<Statement> {
    let signer = Signer {
        key: key.to_base64(),
        meaning: signing.meaning,
        name: signing.name.to_owned(),
        role: signing.role.to_owned(),
    };
    let program = format!("sequester {}", env!("CARGO_PKG_VERSION"));
    let said = signed::statement(&storage::read(file)?, signer, signing.at, &program);
    said.map_err(|problem| problem.at(Location::file(file)).into())
}

/// A signature that came in, or would.
#[derive(Clone, Debug)]
pub struct TakenIn {
    /// The commitment that it is of.
    pub commitment: String,
    /// Where it lies below the study's folder; of an SSHSIG the statement, and the signature.
    pub files: Vec<String>,
    /// What was signed, by whom.
    pub signed: Signed,
    /// It came in before.
    pub already: bool,
    /// The test set had not been opened: the opening will rest on it.
    pub before_opening: bool,
}

/// Takes a signature of the last commitment that it is of; with `dry_run` it is checked alone.
///
/// # Errors
/// `commitment-missing`; why it is no signature of a commitment of this study, `Error::Input`.
pub fn take(study: &Study, file: &Path, dry_run: bool, outside: &Outside<'_>) -> Result<TakenIn> {
    let ledger = study.ledger()?;
    let made = made(ledger.entries());
    let at = |problem: Diagnostic| Error::from(problem.at(Location::file(file)));
    let bytes = storage::read(file)?;
    let name = file.to_string_lossy();
    let (signed, parts) = if name.ends_with(STATEMENT) {
        let mut beside = file.as_os_str().to_owned();
        beside.push(SSH);
        let signature = storage::read(Path::new(&beside))?;
        let signed = open_ssh(&bytes, &signature).map_err(at)?;
        (signed, vec![(STATEMENT.to_owned(), bytes), (format!("{STATEMENT}{SSH}"), signature)])
    } else {
        (open_envelope(&bytes).map_err(at)?, vec![(ENVELOPE.to_owned(), bytes)])
    };
    let mut refusal = Diagnostic::error(Code::CommitmentMissing, "no commitment was made here")
        .hint("`sequester commit STUDY` makes one");
    let mut of = None;
    for (number, (name, _)) in made.iter().enumerate().rev() {
        match signed::is_of(&signed, &storage::read(&study.out.join(name))?) {
            Ok(()) => of = of.or(Some((number + 1, (*name).to_owned()))),
            // The reason of the last commitment is told: the others are most likely not meant.
            Err(why) if refusal.code == Code::CommitmentMissing => refusal = why,
            Err(_) => {}
        }
    }
    let Some((number, commitment)) = of else { return Err(at(refusal)) };
    let events = || ledger.entries().iter().filter(|entry| entry.event == Event::CommitmentSigned);
    let digests: Vec<Digest> = parts.iter().map(|(_, bytes)| Digest::of(bytes)).collect();
    let known = events().find(|entry| entry.digests.values().all(|digest| digests.contains(digest)));
    let files: Vec<String> = match known {
        Some(entry) => entry.digests.keys().cloned().collect(),
        None => {
            let stem = signed::stem(number, events().count() + 1);
            parts.iter().map(|(ending, _)| format!("{stem}{ending}")).collect()
        }
    };
    let before_opening = ledger.last(Event::TestSetOpened).is_none();
    let taken = TakenIn { commitment, files, signed, already: known.is_some(), before_opening };
    if !dry_run && !taken.already {
        let mut recorded = BTreeMap::new();
        for (name, ((_, bytes), digest)) in taken.files.iter().zip(parts.iter().zip(digests)) {
            storage::write_atomic(&study.out.join(name), bytes)?;
            recorded.insert(name.clone(), digest);
        }
        study.record(Event::CommitmentSigned, outside, recorded, None)?;
    }
    Ok(taken)
}
