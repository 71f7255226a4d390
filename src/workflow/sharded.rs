//! Scoring in parts on disk: a plan is sealed, each task scores its shard in a folder of its own, and the
//! finished shards are put together to the very table that one process writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::score::{self, Device, Scored};
use super::study::Study;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::ledger::Event;
use crate::imaging::image_folder::ImageFolder;
use crate::inference::images::Image;
use crate::inference::scores::{self, Scores};
use crate::inference::scoring::{self, Scoring};
use crate::inference::shards::{self, Gathered, Part, Plan, Record};
use crate::model::lock::{self, Lock};
use crate::storage;
use crate::storage::Alone;
use crate::study::{Cohort, cohort_table};

/// Where plan and shards lie, below the study.
pub const FOLDER: &str = "work/shards";
const PLAN: &str = "plan.json";
const CASES: &str = "cases.csv";
const RECORD: &str = "shard.json";
const TABLE: &str = "scores.csv";
const PARTIAL: &str = "partial.csv";

/// Name of a shard's folder: five digits, so that names sort as numbers do.
pub fn folder_name(shard: u32) -> String {
    format!("{shard:05}")
}

/// A sealed plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Digest of its file.
    pub sha256: Digest,
    /// What it says.
    pub plan: Plan,
    /// The file.
    pub file: PathBuf,
}

/// Writes the plan of a sealed cohort, or finds that it stands there already.
///
/// # Errors
/// `scores-external`, `images-missing`, `shard-count`; `shard-plan-differs` while shards of another plan lie
/// there; `Error::Lock` without a lock.
pub fn plan(study: &Study, cohort: &Cohort, shards: u32) -> Result<Planned> {
    score::scored_here(study)?;
    let cases = cohort.drawn.len();
    if !(1..=shards::MOST).contains(&shards) || shards as usize > cases {
        let message = format!("{cases} cases in {shards} shards");
        return Err(Diagnostic::error(Code::ShardCount, message)
            .hint(format!("a plan has from 1 to {} shards", cases.min(shards::MOST as usize)))
            .into());
    }
    let model = study.model_folder();
    let locked = Lock::read(&model)?;
    let list = shards::assign(cohort.drawn_cases(), shards)?;
    let table = shards::cases_csv(&list);
    let plan = Plan {
        format: shards::PLAN_FORMAT.to_owned(),
        lock_sha256: lock::digest(&model)?,
        weights_sha256: locked.weights.sha256,
        cohort_sha256: Digest::of(&cohort_table(cohort)),
        cases_sha256: Digest::of(&table),
        cases: list.len() as u64,
        shards,
    };
    let folder = study.out.join(FOLDER);
    let (file, bytes) = (folder.join(PLAN), plan.to_bytes());
    let planned = Planned { sha256: Digest::of(&bytes), plan, file: file.clone() };
    if file.exists() && storage::read(&file)? == bytes && folder.join(CASES).is_file() {
        return Ok(planned);
    }
    let begun = if folder.is_dir() { parts_of(&folder)?.len() } else { 0 };
    if begun > 0 {
        let message = format!("{begun} shards of another plan lie here");
        return Err(Error::Lock(vec![
            Diagnostic::error(Code::ShardPlanDiffers, message)
                .at(Location::file(&folder))
                .hint("gather them, or remove the folder: another model, cohort or number is another plan"),
        ]));
    }
    storage::create_folder(&folder)?;
    storage::write_atomic(&folder.join(CASES), &table)?;
    storage::write_atomic(&file, &bytes)?;
    Ok(planned)
}

/// The list of cases, with the digest that the plan says.
struct List {
    path: PathBuf,
    table: Vec<u8>,
}

/// The plan on disk with its cases.
///
/// # Errors
/// `shard-plan-missing`, `shard-plan-unreadable`; `Error::Lock` where the model is not that of the plan.
fn read_plan(study: &Study) -> Result<(Planned, List)> {
    let folder = study.out.join(FOLDER);
    let file = folder.join(PLAN);
    if !file.is_file() {
        return Err(Diagnostic::error(Code::ShardPlanMissing, "there is no plan of shards")
            .at(Location::file(&file))
            .hint("make one: sequester score STUDY --plan N")
            .into());
    }
    let bytes = storage::read(&file)?;
    let plan = Plan::parse(&file, &bytes)?;
    let path = folder.join(CASES);
    let table = storage::read(&path)?;
    if Digest::of(&table) != plan.cases_sha256 {
        return Err(Diagnostic::error(Code::ShardPlanUnreadable, "these are not the cases of the plan")
            .at(Location::file(&path))
            .hint("remove work/shards and make a new plan: sequester score STUDY --plan N")
            .into());
    }
    let model = lock::digest(&study.model_folder())?;
    if model != plan.lock_sha256 {
        let message = format!("the plan is of the lock {}, and here is the lock {model}", plan.lock_sha256);
        return Err(Error::Lock(vec![
            Diagnostic::error(Code::ShardPlanDiffers, message)
                .at(Location::file(&file))
                .hint("put the planned model back, or remove work/shards and make a new plan"),
        ]));
    }
    Ok((Planned { sha256: Digest::of(&bytes), plan, file }, List { path, table }))
}

/// How many shards the plan on disk has.
///
/// # Errors
/// As for reading the plan.
pub fn planned(study: &Study) -> Result<Planned> {
    Ok(read_plan(study)?.0)
}

/// Scores one shard, or finds it finished. The cases are those of the plan and of no list beside it.
///
/// # Errors
/// As for [`score::score`]; `shard-count` where there is no such shard, `shard-foreign` where the folder
/// holds one of another plan; `study-busy` while another process scores it.
pub fn shard<D: Device>(
    study: &Study,
    (number, of): (u32, u32),
    open: impl FnOnce(&Path) -> Result<D>,
    outside: &Outside<'_>,
) -> Result<Scored> {
    let images_folder = score::scored_here(study)?;
    let (planned, list) = read_plan(study)?;
    let plan = &planned.plan;
    if of != plan.shards || !(1..=of).contains(&number) {
        let message = format!("there is no shard {number}/{of}: the plan has {} shards", plan.shards);
        return Err(Diagnostic::error(Code::ShardCount, message)
            .at(Location::file(&planned.file))
            .hint(format!("--shard takes 1/{0} to {0}/{0}", plan.shards))
            .into());
    }
    let folder = study.out.join(FOLDER).join(folder_name(number));
    let _alone = Alone::in_folder(&folder, &[])?;
    let (file, partial, state) = (folder.join(TABLE), folder.join(PARTIAL), folder.join(RECORD));
    let own = shards::cases_of(&list.path, &list.table, plan, number)?;
    drop(list);
    let old = state.is_file().then(|| Record::parse(&state, &storage::read(&state)?)).transpose()?;
    if old.as_ref().is_some_and(|old| old.plan_sha256 != planned.sha256 || old.shard != number) {
        return Err(Diagnostic::error(Code::ShardForeign, "this folder holds a shard of another plan")
            .at(Location::file(&folder))
            .hint("remove the folder; its cases are then scored by this plan")
            .into());
    }
    let read = |path: &Path| -> Option<Scores> {
        let bytes = storage::read(path).ok()?;
        scores::parse(path, &bytes, "case_id", &["score".to_owned()], |v| v[0]).ok()
    };
    if let Some(digest) = old.as_ref().and_then(|old| old.scores_sha256)
        && Digest::of_file(&file).is_ok_and(|found| found == digest)
        && let Some(rows) = read(&file)
    {
        return Ok(Scored::of(file, &rows, true));
    }
    // Whatever a killed task had finished of its own cases; a table without a record proves nothing.
    let mut table = old.as_ref().and_then(|_| read(&partial)).unwrap_or_default();
    let known: BTreeSet<&str> = own.iter().map(|case| case.case_id.as_str()).collect();
    table.retain(|case_id, _| known.contains(case_id.as_str()));
    let scorer = open(&study.model_folder())?;
    let machine = Some(scorer.machine());
    let same = old.is_none_or(|old| old.machine == machine) || table.is_empty();
    let mut record = Record {
        format: shards::SHARD_FORMAT.to_owned(),
        plan_sha256: planned.sha256,
        shard: number,
        machine: machine.filter(|_| same),
        scores_sha256: None,
    };
    storage::write_atomic(&partial, &scores::to_csv(&table))?;
    storage::write_atomic(&state, &record.to_bytes())?;
    let todo: Vec<&Case> = own.iter().filter(|case| !table.contains_key(&case.case_id)).collect();
    if !todo.is_empty() {
        let images = ImageFolder::open(&images_folder)?;
        let todo = todo.into_iter().map(|case| Image::of_case(case, &images)).collect::<Result<Vec<_>>>()?;
        outside.say("score", &format!("shard {number} of {of}: {} of {} images", todo.len(), own.len()));
        outside.progress.begin("score", todo.len());
        let done = score::in_chunks(&scorer, &todo, &mut table, &partial, outside);
        outside.progress.end();
        done?;
    }
    let bytes = scores::to_csv(&table);
    storage::write_atomic(&file, &bytes)?;
    record.scores_sha256 = Some(Digest::of(&bytes));
    storage::write_atomic(&state, &record.to_bytes())?;
    let _ = std::fs::remove_file(&partial);
    Ok(Scored::of(file, &table, false))
}

/// Whatever lies where shards lie: folders in the order of their names.
fn parts_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = storage::listed(folder)?;
    found.retain(|path| path.is_dir());
    found.sort();
    Ok(found)
}

/// Puts the finished shards together to the score table of the study.
///
/// # Errors
/// `shard-missing`, `shard-foreign`, `shard-damaged`, all at once; `Error::Lock` where cohort or model are
/// not those of the plan. Nothing is written then.
pub fn gather(study: &Study, outside: &Outside<'_>) -> Result<Scored> {
    score::scored_here(study)?;
    let (planned, list) = read_plan(study)?;
    let cohort = study.out.join("work/cohort.csv");
    let table = storage::read(&cohort)?;
    let sealed =
        study.ledger()?.last(Event::TestSetSealed).and_then(|e| e.digests.get("cohort.csv").copied());
    if Digest::of(&table) != planned.plan.cohort_sha256 || sealed != Some(planned.plan.cohort_sha256) {
        let message = "the cohort that is sealed here is not the one of the plan";
        return Err(Error::Lock(vec![
            Diagnostic::error(Code::ShardPlanDiffers, message)
                .at(Location::file(&planned.file))
                .hint("put the sealed cohort back, or remove work/shards and make a new plan"),
        ]));
    }
    let folder = study.out.join(FOLDER);
    let parts = parts_of(&folder)?;
    let shard_of = shards::shards_of(&list.path, &list.table, &planned.plan)?;
    drop(list);
    let mut gathered = Gathered::new(&planned.plan, planned.sha256, &shard_of);
    outside.progress.begin("gather", parts.len());
    for (nth, folder) in parts.iter().enumerate() {
        gathered.add(&part(folder)?);
        outside.progress.at(nth + 1);
    }
    outside.progress.end();
    let (rows, machine) = gathered.finish()?;
    let bytes = scores::to_csv(&rows);
    let file = study.protocol.scores.file.below(&study.out);
    let unchanged = file.is_file() && storage::read(&file)? == bytes;
    if !unchanged {
        let lock = storage::read(&study.model_folder().join(lock::FILE))?;
        storage::write_atomic(&file, &bytes)?;
        let record = Scoring { machine, scores_sha256: Some(Digest::of(&bytes)) };
        storage::write_atomic(&study.out.join(scoring::FILE), &record.to_bytes())?;
        storage::write_atomic(&score::stamp(study), score::key(&lock, &table).to_string().as_bytes())?;
    }
    Ok(Scored::of(file, &rows, unchanged))
}

/// What the folder of a shard holds.
fn part(folder: &Path) -> Result<Part> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let shard = name.parse().ok().filter(|shard| folder_name(*shard) == name);
    let (state, file) = (folder.join(RECORD), folder.join(TABLE));
    let record = state.is_file().then(|| Record::parse(&state, &storage::read(&state)?)).transpose()?;
    let table = file.is_file().then(|| storage::read(&file)).transpose()?;
    Ok(Part { shard, folder: folder.to_owned(), record, table })
}
