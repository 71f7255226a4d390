//! Whether everything in the folder of a plan is as it was recorded, and follows from what it follows from.

use std::collections::BTreeSet;
use std::path::Path;

use super::folder::{BATCHES, COHORT, LEDGER, Monitored, PLAN, SEAL, batch_name};
use super::sealing;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::storage;

impl Monitored {
    /// Everything that is not as it was recorded: digests, alarms and, with the evidence at hand, what the
    /// seal took from it. The ledger's chain was checked when the plan was opened.
    ///
    /// # Errors
    /// When a file cannot be read, the plan is another one, or the evidence beside it does not verify.
    pub fn verify(&self, bundle: Option<&Path>) -> Result<Vec<Diagnostic>> {
        let mut problems = self.not_added()?;
        let standing = match self.standing() {
            Ok(standing) => standing,
            Err(error @ (Error::Input(_) | Error::Lock(_))) => return Err(error),
            Err(error) => {
                problems.extend(error.diagnostics());
                return Ok(problems);
            }
        };
        let again = sealing::charts(&self.plan, &standing.cohort, standing.seal.threshold, &self.path(PLAN));
        if again.as_ref().ok() != Some(&standing.seal.charts) {
            problems.push(self.not_recorded(SEAL, "has charts that plan and cohort do not give"));
        }
        if standing.seal.plan_sha256 != Digest::of(&self.plan_bytes) {
            problems.push(self.not_recorded(SEAL, "names another plan"));
        }
        if Some(standing.seal.cohort_sha256) != self.sealed_digest(COHORT) {
            problems.push(self.not_recorded(SEAL, "names another cohort"));
        }
        for (entry, judged) in self.ledger.batches().zip(&standing.judgement.months) {
            let alarms: Vec<&String> = judged.alarms.iter().map(|alarm| &alarm.name).collect();
            if !entry.alarms.iter().eq(alarms.iter().copied()) {
                let what = format!(
                    "records the alarms [{}] of {}, and its batch gives [{}]",
                    entry.alarms.join(", "),
                    judged.month,
                    judged.alarms.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", "),
                );
                problems.push(self.not_recorded(LEDGER, &what));
            }
        }
        if let Some(bundle) = bundle {
            let (seal, cohort) = self.of_bundle(bundle)?;
            if cohort.to_bytes(&self.plan) != self.recorded(COHORT, self.sealed_digest(COHORT))? {
                problems.push(self.not_recorded(COHORT, "is not the cohort of that evidence"));
            }
            if seal != standing.seal {
                problems.push(self.not_recorded(SEAL, "is not what that evidence gives"));
            }
        }
        Ok(problems)
    }

    /// Files among the batches that no event knows.
    fn not_added(&self) -> Result<Vec<Diagnostic>> {
        let folder = self.path(BATCHES);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let added: BTreeSet<String> =
            self.ledger.batches().filter_map(|entry| entry.month).map(batch_name).collect();
        let mut problems = Vec::new();
        for path in storage::listed(&folder)? {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !added.contains(&format!("{BATCHES}/{name}")) {
                problems.push(
                    Diagnostic::warning(Code::BatchNotAdded, "no event says that this batch was added")
                        .at(Location::file(path))
                        .hint("the same `sequester monitor add` again, or remove the file"),
                );
            }
        }
        Ok(problems)
    }
}
