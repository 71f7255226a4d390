//! A monitoring plan on disk: sealing it, adding batches, what they say, and whether everything is as it was
//! recorded.
//!
//! A batch is written first and recorded after that: whatever is killed in between leaves a file that no
//! event knows, and the same command again does the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::sealing;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::monitoring::batch::{Batch, BoundTo};
use crate::monitoring::judgement::{Judgement, MonthJudged, judge};
use crate::monitoring::ledger::{Acting, BatchLedger, MonitoringEntry, MonitoringEvent};
use crate::monitoring::month::Month;
use crate::monitoring::plan::MonitoringPlan;
use crate::monitoring::sealed::{Seal, ValidationCohort};
use crate::storage::{self, Alone};
use crate::workflow::outside::Outside;

/// The plan.
pub const PLAN: &str = "monitoring.toml";
/// What it was sealed with.
pub const SEAL: &str = "seal.json";
/// The cohort of the validation.
pub const COHORT: &str = "cohort.csv";
/// The ledger of batches.
pub const LEDGER: &str = "ledger.jsonl";
/// The folder of batches.
pub const BATCHES: &str = "batches";
/// The folder of reports.
pub const REPORTS: &str = "reports";
/// The plan that `monitor init` writes.
const TEMPLATE: &str = include_str!("../../../protocols/monitoring.toml");

/// A folder with a plan.
#[derive(Debug)]
pub struct Monitored {
    /// The folder.
    pub folder: PathBuf,
    /// The plan, as it lies there.
    pub plan: MonitoringPlan,
    pub(super) plan_bytes: Vec<u8>,
    /// Its ledger.
    pub ledger: BatchLedger,
}

/// Everything that was sealed and added, read and judged.
#[derive(Debug)]
pub struct Standing {
    /// What the plan was sealed with.
    pub seal: Seal,
    /// The cohort of the validation.
    pub cohort: ValidationCohort,
    /// The batches in order.
    pub batches: Vec<Batch>,
    /// What they say.
    pub judgement: Judgement,
}

/// Writes a plan to begin from.
///
/// # Errors
/// `folder-exists` where a plan is there.
pub fn init(folder: &Path) -> Result<PathBuf> {
    let path = folder.join(PLAN);
    if path.exists() {
        return Err(Diagnostic::error(Code::FolderExists, "there is a monitoring plan already")
            .at(Location::file(path))
            .hint("edit it, or name another folder")
            .into());
    }
    storage::create_folder(folder)?;
    storage::write_atomic(&path, TEMPLATE.as_bytes())?;
    Ok(path)
}

impl Monitored {
    /// Opens a plan: its folder, or its file.
    ///
    /// # Errors
    /// `file-missing`; every problem of the plan; a ledger that does not hold (exit code 20). A plan that
    /// does not parse and is another one than was sealed: `monitoring-plan-changed`.
    pub fn open(place: &Path) -> Result<Self> {
        let folder = match place.file_name() {
            Some(name) if name == PLAN && !place.is_dir() => place.parent().unwrap_or(Path::new("")),
            _ => place,
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let path = folder.join(PLAN);
        let plan_bytes = storage::read(&path)?;
        let ledger_path = folder.join(LEDGER);
        let ledger = if ledger_path.exists() {
            let bytes = storage::read(&ledger_path)?;
            BatchLedger::parse(&ledger_path, &bytes).map_err(Error::Evidence)?
        } else {
            BatchLedger::default()
        };
        let text = crate::diagnostic::utf8(&path, &plan_bytes, Code::TomlSyntax).map_err(Error::from);
        let parsed = text.and_then(|text| MonitoringPlan::parse(&path, text).map_err(Error::Input));
        let recorded = ledger.entries().first().and_then(|entry| entry.digests.get(PLAN));
        let plan = match (parsed, recorded) {
            (Ok(plan), _) => plan,
            (Err(_), Some(sealed)) if *sealed != Digest::of(&plan_bytes) => {
                return Err(Error::Lock(vec![changed(&path, *sealed, &plan_bytes)]));
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Self { folder: folder.to_path_buf(), plan, plan_bytes, ledger })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The digest of a file as the sealing recorded it.
    pub(super) fn sealed_digest(&self, name: &str) -> Option<Digest> {
        self.ledger.entries().first()?.digests.get(name).copied()
    }

    /// Reads what was sealed and added, and judges it.
    ///
    /// # Errors
    /// Exit code 1: `monitoring-not-sealed`. Exit code 30: `monitoring-plan-changed`. Exit code 20:
    /// `monitoring-file` for whatever is not as it was recorded.
    pub fn standing(&self) -> Result<Standing> {
        let Some(sealed) = self.sealed_digest(PLAN) else {
            return Err(Diagnostic::error(Code::MonitoringNotSealed, "the plan is not sealed")
                .at(Location::file(self.path(PLAN)))
                .hint("`sequester monitor seal` binds it to the evidence of a validation")
                .into());
        };
        if sealed != Digest::of(&self.plan_bytes) {
            return Err(Error::Lock(vec![changed(&self.path(PLAN), sealed, &self.plan_bytes)]));
        }
        let seal_bytes = self.recorded(SEAL, self.sealed_digest(SEAL))?;
        let cohort_bytes = self.recorded(COHORT, self.sealed_digest(COHORT))?;
        let seal: Seal = serde_json::from_slice(&seal_bytes)
            .map_err(|e| Error::Evidence(vec![self.not_recorded(SEAL, &format!("cannot be read: {e}"))]))?;
        let cohort = ValidationCohort::parse(&self.path(COHORT), &cohort_bytes, &self.plan)
            .map_err(Error::Evidence)?;
        let mut batches = Vec::new();
        for entry in self.ledger.batches() {
            let Some(month) = entry.month else { continue };
            let name = batch_name(month);
            let bytes = self.recorded(&name, entry.digests.get(&name).copied())?;
            let batch = Batch::parse(&self.path(&name), &bytes, month, &self.plan, &self.bound(&seal));
            batches.push(batch.map_err(|error| Error::Evidence(error.diagnostics()))?);
        }
        let judgement = judge(&self.plan, &seal, &cohort, &batches);
        Ok(Standing { seal, cohort, batches, judgement })
    }

    fn bound<'a>(&'a self, seal: &Seal) -> BoundTo<'a> {
        BoundTo { lock: seal.lock_sha256, threshold: seal.threshold, version: self.plan.version.as_deref() }
    }

    pub(super) fn not_recorded(&self, name: &str, what: &str) -> Diagnostic {
        Diagnostic::error(Code::MonitoringFile, format!("{name} {what}"))
            .at(Location::file(self.path(name)))
            .hint("restore the file as it was; nothing sealed or added is edited")
    }

    /// A file that has the digest that was recorded.
    pub(super) fn recorded(&self, name: &str, digest: Option<Digest>) -> Result<Vec<u8>> {
        let path = self.path(name);
        let bytes = if path.is_file() { storage::read(&path)? } else { Vec::new() };
        let found = Digest::of(&bytes);
        match digest {
            Some(digest) if digest == found => Ok(bytes),
            Some(_) if !path.is_file() => Err(Error::Evidence(vec![self.not_recorded(name, "is not there")])),
            Some(digest) => {
                let what = format!("has the digest {}, recorded is {}", found.short(), digest.short());
                Err(Error::Evidence(vec![self.not_recorded(name, &what)]))
            }
            None => Err(Error::Evidence(vec![self.not_recorded(name, "is not in the ledger of batches")])),
        }
    }

    /// Binds the plan to the evidence of a validation, a bundle or the last one of a study, and gives what it
    /// was sealed with.
    ///
    /// # Errors
    /// `monitoring-sealed`; evidence that does not verify or is a rehearsal's (exit code 20);
    /// `monitoring-chart` for each chart and column that the validation has nothing for.
    pub fn seal(&mut self, evidence: &Path, outside: &Outside<'_>) -> Result<Seal> {
        let _alone = Alone::in_folder(&self.folder, &[])?;
        *self = Self::open(&self.folder)?;
        if self.ledger.is_sealed() {
            let message = "the plan is sealed already";
            return Err(Diagnostic::error(Code::MonitoringSealed, message)
                .at(Location::file(self.path(PLAN)))
                .hint("a changed plan is a new plan in a folder of its own")
                .into());
        }
        outside.say("seal", "verifying the evidence of the validation");
        let (seal, cohort) = self.of_bundle(evidence)?;
        let cohort_bytes = cohort.to_bytes(&self.plan);
        let mut seal_bytes = serde_json::to_vec_pretty(&seal)
            .map_err(|e| Diagnostic::error(Code::Io, format!("the seal cannot be written: {e}")))?;
        seal_bytes.push(b'\n');
        storage::write_atomic(&self.path(COHORT), &cohort_bytes)?;
        storage::write_atomic(&self.path(SEAL), &seal_bytes)?;
        let mut digests = BTreeMap::from([
            (PLAN.to_owned(), seal.plan_sha256),
            (COHORT.to_owned(), seal.cohort_sha256),
            (SEAL.to_owned(), Digest::of(&seal_bytes)),
            ("bundle".to_owned(), seal.bundle_root),
        ]);
        digests.extend(seal.lock_sha256.map(|lock| ("model".to_owned(), lock)));
        self.record(outside, MonitoringEvent::PlanSealed, None, digests, Vec::new(), None)?;
        Ok(seal)
    }

    /// What the plan is sealed with, from evidence that verifies.
    pub(super) fn of_bundle(&self, place: &Path) -> Result<(Seal, ValidationCohort)> {
        sealing::of_bundle(&self.plan, Digest::of(&self.plan_bytes), &self.path(PLAN), place)
    }

    /// Adds a batch and judges it. The month is named, or follows from the days of the rows.
    ///
    /// # Errors
    /// As [`Monitored::standing`]; `batch-twice`, `batch-out-of-order`, and what [`Batch::parse`] refuses.
    pub fn add(&mut self, file: &Path, month: Option<Month>, outside: &Outside<'_>) -> Result<MonthJudged> {
        let _alone = Alone::in_folder(&self.folder, &[BATCHES, REPORTS])?;
        // What another process added since this one opened the folder.
        *self = Self::open(&self.folder)?;
        let standing = self.standing()?;
        let bytes = storage::read(file)?;
        let month = match month {
            Some(month) => month,
            None => Batch::month_of(file, &bytes, &self.plan)?,
        };
        self.refuse_out_of_order(file, month, Digest::of(&bytes))?;
        // A month that is typed wrongly would keep out every month before it, for ever. A clock that was set
        // knows no future.
        if !outside.clock_set && outside.at().get(..7).is_some_and(|now| month.to_string().as_str() > now) {
            let message = format!("{month} has not begun: it is {} by this computer's clock", outside.at());
            let problem = Diagnostic::error(Code::BatchOutOfOrder, message).at(Location::file(file));
            return Err(problem.hint("look how the month is written, in --month or in the days").into());
        }
        let batch = Batch::parse(file, &bytes, month, &self.plan, &self.bound(&standing.seal))?;
        outside.warn(&batch.notes);
        let mut batches = standing.batches;
        batches.push(batch);
        let mut judgement = judge(&self.plan, &standing.seal, &standing.cohort, &batches);
        let Some(judged) = judgement.months.pop() else {
            return Err(self.not_recorded(&batch_name(month), "was not judged").into());
        };
        let name = batch_name(month);
        storage::create_folder(&self.path(BATCHES))?;
        storage::write_atomic(&self.path(&name), &bytes)?;
        let alarms = judged.alarms.iter().map(|alarm| alarm.name.clone()).collect();
        let digests = BTreeMap::from([(name, Digest::of(&bytes))]);
        self.record(outside, MonitoringEvent::BatchAdded, Some(month), digests, alarms, None)?;
        Ok(judged)
    }

    fn refuse_out_of_order(&self, file: &Path, month: Month, digest: Digest) -> Result<()> {
        let problem = |code: Code, message: String, hint: &str| -> Error {
            Diagnostic::error(code, message).at(Location::file(file)).hint(hint).into()
        };
        if let Some(entry) = self.ledger.batches().find(|entry| entry.digests.values().any(|d| *d == digest))
        {
            let of = entry.month.map(|month| month.to_string()).unwrap_or_default();
            let message = format!("the same bytes were added as the batch of {of}");
            return Err(problem(Code::BatchTwice, message, "nothing is to be done"));
        }
        let months: BTreeSet<Month> = self.ledger.batches().filter_map(|entry| entry.month).collect();
        if months.contains(&month) {
            let hint = "what was added is not replaced; a corrected batch begins a new plan";
            return Err(problem(Code::BatchTwice, format!("{month} was added already"), hint));
        }
        match months.last() {
            Some(last) if *last > month => {
                let message = format!("{month} lies before {last}, which was added");
                let hint = "batches are added in the order of time: a sum that was judged does not change";
                Err(problem(Code::BatchOutOfOrder, message, hint))
            }
            _ => Ok(()),
        }
    }

    fn record(
        &mut self,
        outside: &Outside<'_>,
        event: MonitoringEvent,
        month: Option<Month>,
        digests: BTreeMap<String, Digest>,
        alarms: Vec<String>,
        reason: Option<String>,
    ) -> Result<()> {
        let acting = Acting { at: &outside.at(), by: outside.who.by(), role: outside.who.role() };
        let mut ledger = self.ledger.clone();
        ledger
            .append(acting, event, month, digests, alarms, reason)
            .map_err(|problem| problem.at(Location::file(self.path(LEDGER))))?;
        storage::write_atomic(&self.path(LEDGER), &ledger.to_bytes())?;
        self.ledger = ledger;
        Ok(())
    }

    /// Writes down what followed from the alarms of a month.
    ///
    /// # Errors
    /// As [`Monitored::standing`]; `ledger-order` for a month without an alarm, or a blank reason.
    pub fn answer(&mut self, month: Month, reason: &str, outside: &Outside<'_>) -> Result<()> {
        let _alone = Alone::in_folder(&self.folder, &[])?;
        *self = Self::open(&self.folder)?;
        self.standing()?;
        let reason = Some(reason.trim().to_owned());
        let event = MonitoringEvent::AlarmAnswered;
        self.record(outside, event, Some(month), BTreeMap::new(), Vec::new(), reason)
    }

    /// What `--json` prints of a plan that is sealed.
    ///
    /// # Errors
    /// As [`Monitored::standing`].
    pub fn json(&self, standing: &Standing) -> Value {
        let answers = |month: Month| -> Vec<Value> {
            let told =
                |entry: &MonitoringEntry| json!({"at": entry.at, "by": entry.by, "reason": entry.reason});
            self.ledger.answers(month).map(told).collect()
        };
        let months = standing.judgement.months.iter().map(|judged| {
            let mut value = serde_json::to_value(judged).unwrap_or_default();
            value["answers"] = json!(answers(judged.month));
            value
        });
        json!({
            "format": "sequester-monitor-status/1",
            "plan": self.plan.id,
            "title": self.plan.title,
            "seal": standing.seal,
            "ledger_head": self.ledger.head().map(|head| head.to_string()),
            "months": months.collect::<Vec<_>>(),
            "caveats": standing.judgement.caveats,
            "unanswered": self.ledger.unanswered(),
        })
    }
}

/// Where a batch lies in the folder of its plan.
pub fn batch_name(month: Month) -> String {
    format!("{BATCHES}/{month}.csv")
}

fn changed(path: &Path, sealed: Digest, bytes: &[u8]) -> Diagnostic {
    let found = Digest::of(bytes).short();
    let message = format!("the plan has the digest {found}, sealed was {}", sealed.short());
    Diagnostic::error(Code::MonitoringPlanChanged, message)
        .at(Location::file(path))
        .hint("restore the plan as it was sealed; a changed plan is a new plan in a folder of its own")
}
