//! A deviation from the protocol is written down: in the study's file of deviations, and in its ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Digest;
use crate::evidence::bundle::DEVIATIONS;
use crate::evidence::deviation::{self, Deviation, Grade};
use crate::evidence::ledger::Event;
use crate::storage;
use crate::study::cohort;

/// What is said of a deviation.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The day on which it happened.
    pub date: &'a str,
    /// How much it matters.
    pub grade: Grade,
    /// What was done otherwise.
    pub description: &'a str,
    /// What it means for the results.
    pub impact: &'a str,
    /// Cases that it affects.
    pub cases: &'a [String],
}

/// Where the study's deviations are.
pub fn place(study: &Study) -> PathBuf {
    study.out.join(DEVIATIONS)
}

/// The deviations of a study, and the file where there is one.
///
/// # Errors
/// `Error::Evidence` where the file is not what the ledger records.
pub fn recorded(study: &Study) -> Result<(Vec<Deviation>, Option<Vec<u8>>)> {
    let place = place(study);
    let file = if place.is_file() { Some(storage::read(&place)?) } else { None };
    let (deviations, problems) = deviation::problems(study.ledger()?.entries(), file.as_deref(), &place);
    if problems.is_empty() { Ok((deviations, file)) } else { Err(Error::Evidence(problems)) }
}

/// The deviation as it would be recorded next; nothing is written.
///
/// # Errors
/// `protocol-not-locked`, `deviation-invalid`, and as [`recorded`].
pub fn proposed(study: &Study, said: &Said<'_>, outside: &Outside<'_>) -> Result<Deviation> {
    if study.ledger()?.last(Event::ProtocolLocked).is_none() {
        let problem = Diagnostic::error(
            Code::ProtocolNotLocked,
            "the protocol is not locked yet: there is nothing to deviate from",
        );
        return Err(problem
            .at(Location::file(&study.folder))
            .hint("`sequester protocol lock STUDY` locks it")
            .into());
    }
    affected(study, said.cases)?;
    let before = recovered(study, said)?;
    deviation::checked(Deviation {
        number: before.len() as u64 + 1,
        recorded: outside.at(),
        date: said.date.to_owned(),
        grade: said.grade,
        description: said.description.trim().to_owned(),
        impact: said.impact.trim().to_owned(),
        cases: said.cases.iter().map(|case| case.trim().to_owned()).collect(),
    })
    .map_err(|mut problems| Error::usage(problems.remove(0)))
}

/// Cases that a deviation affects are cases of the study, each named once: what is written down stays.
fn affected(study: &Study, cases: &[String]) -> Result<()> {
    let wrong = |message: String, hint: &str| {
        Error::usage(Diagnostic::error(Code::DeviationInvalid, message).hint(hint))
    };
    let mut named: Vec<&str> = cases.iter().map(|case| case.trim()).collect();
    named.sort_unstable();
    if let Some(twice) = named.windows(2).find(|two| two[0] == two[1]) {
        return Err(wrong(format!("the case `{}` is named twice", twice[0]), "name each case once"));
    }
    // Where the case tables are not here, ids cannot be compared.
    let Ok(cohort) = study.known().and_then(|inputs| cohort(&inputs)) else { return Ok(()) };
    let known: BTreeSet<&str> = cohort.cases.iter().map(|case| case.case_id.as_str()).collect();
    named.retain(|case| !known.contains(case));
    if named.is_empty() {
        return Ok(());
    }
    let message = format!("these are no cases of the study: {}", few::and_more(&named, 5));
    Err(wrong(message, "--affects takes ids of the case tables, separated by commas"))
}

/// Writes a deviation down.
///
/// # Errors
/// As [`proposed`], and when a file cannot be written.
pub fn record(study: &Study, said: &Said<'_>, outside: &Outside<'_>) -> Result<Deviation> {
    let new = proposed(study, said, outside)?;
    let mut deviations = recovered(study, said)?;
    deviations.push(new.clone());
    let file = deviation::render(&deviations);
    // The file first: what an interruption leaves without its event the same command writes again.
    storage::write_atomic(&place(study), file.as_bytes())?;
    let digests = BTreeMap::from([(DEVIATIONS.to_owned(), Digest::of(file.as_bytes()))]);
    study.record(Event::DeviationRecorded, outside, digests, Some(new.description.clone()))?;
    Ok(new)
}

/// The recorded deviations, without a last one that an interruption of the same command left in the file
/// before its event.
fn recovered(study: &Study, said: &Said<'_>) -> Result<Vec<Deviation>> {
    let error = match recorded(study) {
        Ok((deviations, _)) => return Ok(deviations),
        Err(error) => error,
    };
    let place = place(study);
    if !place.is_file() {
        return Err(error);
    }
    let Ok(mut deviations) = deviation::parse(&place, &storage::read(&place)?) else { return Err(error) };
    let left = deviations.pop().is_some_and(|last| {
        (last.date.as_str(), last.description.as_str()) == (said.date, said.description.trim())
    });
    let without = deviation::render(&deviations);
    let file = if deviations.is_empty() { None } else { Some(without.as_bytes()) };
    let (deviations, problems) = deviation::problems(study.ledger()?.entries(), file, &place);
    if left && problems.is_empty() { Ok(deviations) } else { Err(error) }
}
