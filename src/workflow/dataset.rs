//! The cohort: drawn from the case tables, and sealed once.

use std::collections::BTreeMap;

use super::outside::Outside;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::storage;
use crate::study::{self, Cohort, Step};

/// Draws the cohort from the files on disk, and refuses one that shares a patient with a model that is there.
///
/// # Errors
/// Whatever is wrong in the tables; `trained-on-test-set`.
pub fn draw(study: &Study, outside: &Outside<'_>) -> Result<Cohort> {
    outside.say("dataset", "reading the case tables");
    let inputs = study.inputs(Step::Cohort)?;
    let mut cohort = study::cohort(&inputs)?;
    cohort.warnings.extend(study::separate(&inputs, &cohort, None)?);
    Ok(cohort)
}

/// Locks the protocol and seals the cohort, or checks that both are what was locked and sealed.
///
/// # Errors
/// `Error::Lock` when the cohort is not the sealed one.
pub fn seal(study: &Study, cohort: &Cohort, outside: &Outside<'_>) -> Result<()> {
    study.lock_protocol(outside)?;
    let table = study::cohort_table(cohort);
    let digest = Digest::of(&table);
    match study.ledger()?.last(Event::TestSetSealed) {
        None => {
            storage::write_atomic(&study.out.join("work/cohort.csv"), &table)?;
            let digests = BTreeMap::from([("cohort.csv".to_owned(), digest)]);
            study.record(Event::TestSetSealed, outside, digests, None)
        }
        Some(entry) if entry.digests.get("cohort.csv") == Some(&digest) => Ok(()),
        Some(entry) => Err(Error::Lock(vec![
            Diagnostic::error(
                Code::SealedDataChanged,
                format!("the cohort was sealed at {}, and the case tables now give another one", entry.at),
            )
            .at(Location::file(study.out.join("work/cohort.csv")))
            .hint("put the sealed tables back; another cohort is another study (another --out)"),
        ])),
    }
}
