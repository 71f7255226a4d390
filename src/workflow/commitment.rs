//! What is fixed before the first score is written down in one file, and tokens of it come in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::outside::Outside;
use super::study::Study;
use super::{dataset, names};
use crate::custody::commitment::{self, Commitment};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::digest::Digest;
use crate::evidence::bar;
use crate::evidence::ledger::{Entry, Event};
use crate::storage;
use crate::study::{self, Step};
use crate::timestamp::{self, Authorities, Stamp};

/// A commitment as it is, or would be.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its name below the study's folder.
    pub name: String,
    /// What it says.
    pub commitment: Commitment,
    /// It was made before, with the same bytes.
    pub already: bool,
}

impl Committed {
    /// Digest of the file.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.commitment.to_bytes())
    }

    /// The text to be mailed or filed.
    pub fn text(&self) -> String {
        self.commitment.to_text(&self.name)
    }

    /// Where the text lies, beside the file.
    pub fn text_name(&self) -> String {
        self.name.replace(".json", ".txt")
    }
}

/// The commitments of a ledger, in order.
pub fn made(entries: &[Entry]) -> Vec<(&str, Digest)> {
    let made = entries.iter().filter(|entry| entry.event == Event::CommitmentMade);
    made.filter_map(|entry| entry.digests.iter().next())
        .map(|(name, digest)| (name.as_str(), *digest))
        .collect()
}

/// What would be committed to now; nothing is written.
///
/// # Errors
/// `commitment-late` (`Error::Lock`) once the test set was opened; what is wrong with the study.
pub fn proposed(study: &Study, outside: &Outside<'_>) -> Result<Committed> {
    let wrong = names::of_study(study).into_iter().filter(|problem| problem.severity == Severity::Error);
    let wrong: Vec<_> = wrong.collect();
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let ledger = study.ledger()?;
    if let Some(opened) = ledger.entries().iter().find(|entry| entry.event == Event::TestSetOpened) {
        let message =
            format!("the test set was opened at {}: nothing is before the result any more", opened.at);
        let problem = Diagnostic::error(Code::CommitmentLate, message).at(Location::file(&study.folder));
        return Err(Error::Lock(vec![
            problem.hint("commit before `validate`; an amendment is told as such"),
        ]));
    }
    let inputs = study.inputs(Step::Cohort)?;
    let cohort = dataset::draw(study, outside)?;
    let mut commitment = bar::stated(&inputs, &cohort, &study.protocol_bytes);
    let scores = &study.protocol.scores;
    let scores = scores.file.below(if scores.external { &study.data } else { &study.out });
    if scores.is_file() {
        commitment.scores = Some(Digest::of(&storage::read(&scores)?));
    }
    let sealed = ledger.last(Event::ReadsSealed).and_then(|entry| entry.digests.values().next());
    commitment.sealed = sealed.copied();
    let made = made(ledger.entries());
    let digest = Digest::of(&commitment.to_bytes());
    if let Some((name, _)) = made.last().filter(|(_, last)| *last == digest) {
        return Ok(Committed { name: (*name).to_owned(), commitment, already: true });
    }
    Ok(Committed { name: commitment::name(made.len() + 1), commitment, already: false })
}

/// Writes a commitment: locks the protocol, seals the cohort, and records the file's digest.
///
/// # Errors
/// As [`proposed`], and where protocol or cohort are not those that were locked and sealed.
pub fn commit(study: &Study, outside: &Outside<'_>) -> Result<Committed> {
    let inputs = study.inputs(Step::Cohort)?;
    dataset::seal(study, &study::cohort(&inputs)?, outside)?;
    let committed = proposed(study, outside)?;
    let bytes = committed.commitment.to_bytes();
    storage::write_atomic(&study.out.join(&committed.name), &bytes)?;
    storage::write_atomic(&study.out.join(committed.text_name()), committed.text().as_bytes())?;
    if !committed.already {
        let digests = BTreeMap::from([(committed.name.clone(), Digest::of(&bytes))]);
        study.record(Event::CommitmentMade, outside, digests, None)?;
    }
    Ok(committed)
}

/// A token that came in, or would.
#[derive(Clone, Debug)]
pub struct Stamped {
    /// The commitment that it is of.
    pub commitment: String,
    /// Where the token lies below the study's folder.
    pub name: String,
    /// What it shows, where certificates were given.
    pub stamp: Option<Stamp>,
    /// It came in before.
    pub already: bool,
    /// The test set had not been opened: the opening will rest on it.
    pub before_opening: bool,
}

/// Takes a token of the last commitment that it is of; with `dry_run` it is checked alone.
///
/// # Errors
/// `commitment-missing`; why the token does not count, `Error::Input`.
pub fn stamp(
    study: &Study,
    token: &std::path::Path,
    authorities: Option<&Authorities>,
    dry_run: bool,
    outside: &Outside<'_>,
) -> Result<Stamped> {
    let ledger = study.ledger()?;
    let made = made(ledger.entries());
    let bytes = storage::read(token)?;
    let mut refusal = None;
    for (number, (name, _)) in made.iter().enumerate().rev() {
        let committed = storage::read(&study.out.join(name))?;
        let found = match authorities {
            Some(authorities) => timestamp::check(&bytes, &committed, authorities).map(Some),
            None => timestamp::is_of(&bytes, &committed).map(|()| None),
        };
        match found {
            Ok(stamp) => return take(study, (number + 1, name), &bytes, stamp, dry_run, outside),
            // The reason of the last commitment is told: the others are most likely not meant.
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(match refusal {
        Some(why) => Diagnostic::error(why.code(), why.to_string())
            .at(Location::file(token))
            .hint(format!(
                "a token of the file's bytes: `openssl ts -query -data {} -sha256 -cert -out query.tsq` \
                 makes the question for an authority",
                study.out.join(made.last().map_or("", |(name, _)| name)).display()
            ))
            .into(),
        None => Diagnostic::error(Code::CommitmentMissing, "there is no commitment that a token could be of")
            .at(Location::file(&study.folder))
            .hint("`sequester commit STUDY` makes one")
            .into(),
    })
}

fn take(
    study: &Study,
    (number, name): (usize, &str),
    token: &[u8],
    stamp: Option<Stamp>,
    dry_run: bool,
    outside: &Outside<'_>,
) -> Result<Stamped> {
    let ledger = study.ledger()?;
    let digest = Digest::of(token);
    let tokens: Vec<(&String, &Digest)> = ledger
        .entries()
        .iter()
        .filter(|entry| entry.event == Event::CommitmentStamped)
        .flat_map(|entry| &entry.digests)
        .filter(|(file, _)| file.starts_with(&format!("{}/commitment-{number}-token-", commitment::FOLDER)))
        .collect();
    let before_opening = ledger.last(Event::TestSetOpened).is_none();
    let known = tokens.iter().find(|(_, recorded)| **recorded == digest);
    let file =
        known.map_or_else(|| commitment::token_name(number, tokens.len() + 1), |(file, _)| (*file).clone());
    let stamped =
        Stamped { commitment: name.to_owned(), name: file, stamp, already: known.is_some(), before_opening };
    if !dry_run && !stamped.already {
        let to: PathBuf = study.out.join(&stamped.name);
        storage::write_atomic(&to, token)?;
        let digests = BTreeMap::from([(stamped.name.clone(), digest)]);
        study.record(Event::CommitmentStamped, outside, digests, None)?;
    }
    Ok(stamped)
}
