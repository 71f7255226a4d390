//! Scoring in parts on disk: a plan is sealed, each task scores its shard in a folder of its own, and the
//! finished shards are put together to the very table that one process writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::dataset;
use super::outside::Outside;
use super::score::{self, Device, Scored};
use super::study::Study;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Digest;
use crate::document::format::counted;
use crate::evidence::ledger::Event;
use crate::imaging::image_folder::ImageFolder;
use crate::inference::images::Image;
use crate::inference::scores::{self, Scores};
use crate::inference::scoring::{self, Scoring};
use crate::inference::shards::{self, AGAIN, Gathered, Part, Plan, RECORD, Record, TABLE};
use crate::model::lock::{self, Lock};
use crate::storage;
use crate::storage::Alone;
use crate::study::cohort_table;

/// Where plan and shards lie, below the study.
pub const FOLDER: &str = "work/shards";
const PLAN: &str = "plan.json";
const CASES: &str = "cases.csv";
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

/// Seals the cohort and writes its plan, or finds that it stands there already. Of a plan that cannot be
/// nothing is written, neither seal nor ledger. A file of the plan that was lost or damaged comes back: the
/// plan follows from the sealed cohort, the lock and the number, and the shards of this very plan stay.
///
/// # Errors
/// `scores-external`, `images-missing`, `shard-count`; what is wrong in the tables; `Error::Lock` without a
/// lock, for other weights than the locked ones and for another cohort than the sealed one, and
/// `shard-plan-differs` while shards of another plan lie there.
pub fn plan(study: &Study, shards: u32, outside: &Outside<'_>) -> Result<Planned> {
    score::scored_here(study)?;
    let cohort = dataset::draw(study, outside)?;
    let cases = cohort.drawn.len();
    if !(1..=shards::MOST).contains(&shards) || shards as usize > cases {
        let message = format!("{} in {}", counted(cases, "case"), counted(shards as usize, "shard"));
        return Err(Diagnostic::error(Code::ShardCount, message)
            .hint(format!("a plan has from 1 to {} shards", cases.min(shards::MOST as usize)))
            .into());
    }
    let model = study.model_folder();
    let locked = Lock::read(&model)?;
    locked.verify_weights(&model)?;
    let list = shards::assign(cohort.drawn_cases(), shards)?;
    dataset::seal(study, &cohort, outside)?;
    let table = shards::cases_csv(&list);
    let plan = Plan {
        format: shards::PLAN_FORMAT.to_owned(),
        lock_sha256: lock::digest(&model)?,
        weights_sha256: locked.weights.sha256,
        cohort_sha256: Digest::of(&cohort_table(&cohort)),
        cases_sha256: Digest::of(&table),
        cases: list.len() as u64,
        shards,
    };
    let folder = study.out.join(FOLDER);
    let (file, bytes) = (folder.join(PLAN), plan.to_bytes());
    let planned = Planned { sha256: Digest::of(&bytes), plan, file: file.clone() };
    if !holds(&file, &bytes) {
        refuse_another(&folder, planned.sha256)?;
    }
    // The plan comes last: where it stands, its cases do.
    for (path, bytes) in [(folder.join(CASES), table), (file, bytes)] {
        if !holds(&path, &bytes) {
            storage::write_atomic(&path, &bytes)?;
        }
    }
    Ok(planned)
}

/// Refuses to plan where shards lie that are not of this plan.
fn refuse_another(folder: &Path, plan_sha256: Digest) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let mut others = Vec::new();
    for part in parts_of(folder)? {
        let state = part.join(RECORD);
        // What has no record, or half of one, is of no plan: a task that was killed, or a crash. Its shard is
        // scored again.
        let record = there(&state)?.and_then(|bytes| Record::parse(&state, &bytes).ok());
        if record.is_some_and(|record| record.plan_sha256 != plan_sha256) {
            others.push(named(&part));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let is = if others.len() == 1 { "is" } else { "are" };
    let (shards, names) = (counted(others.len(), "shard"), few::and_more(&others, 20));
    let message = format!("{shards} here {is} not of this plan: {names}");
    Err(Error::Lock(vec![
        Diagnostic::error(Code::ShardPlanDiffers, message).at(Location::file(folder)).hint(
            "give the number that they were planned with, or remove what is named: another model, cohort or \
             number is another plan",
        ),
    ]))
}

/// Whether a file is there and holds these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    path.is_file() && storage::read(path).is_ok_and(|found| found == bytes)
}

/// A file's bytes, and none only where nothing of that name lies there: what may not be read, or is a
/// folder, is not absent.
fn there(path: &Path) -> Result<Option<Vec<u8>>> {
    if path.is_dir() {
        return Err(Diagnostic::error(Code::ShardDamaged, "a folder lies where a file of the shard belongs")
            .at(Location::file(path))
            .hint(AGAIN)
            .into());
    }
    match storage::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.diagnostics().iter().all(|d| d.code == Code::FileMissing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The last part of a path.
fn named(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
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
    if !file.exists() {
        return Err(Diagnostic::error(Code::ShardPlanMissing, "there is no plan of shards")
            .at(Location::file(&file))
            .hint("make one: sequester score STUDY --plan N; the number that it had brings a lost one back")
            .into());
    }
    let bytes = storage::read(&file)?;
    let plan = Plan::parse(&file, &bytes)?;
    let path = folder.join(CASES);
    let wrong = |message: &str| {
        Diagnostic::error(Code::ShardPlanUnreadable, message)
            .at(Location::file(&path))
            .hint(format!("they come back by: sequester score STUDY --plan {}", plan.shards))
    };
    if !path.exists() {
        return Err(wrong("the cases of the plan are missing").into());
    }
    let table = storage::read(&path)?;
    if Digest::of(&table) != plan.cases_sha256 {
        return Err(wrong("these are not the cases of the plan").into());
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
    let old = there(&state)?.map(|bytes| Record::parse(&state, &bytes)).transpose()?;
    // What cannot be read or written over is said before anything is scored.
    let (finished, begun) = (there(&file)?, there(&partial)?);
    if old.as_ref().is_some_and(|old| old.plan_sha256 != planned.sha256 || old.shard != number) {
        return Err(Diagnostic::error(Code::ShardForeign, "this folder holds a shard of another plan")
            .at(Location::file(&folder))
            .hint("remove the folder; its cases are then scored by this plan")
            .into());
    }
    let parse = |path: &Path, bytes: &[u8]| -> Option<Scores> {
        scores::parse(path, bytes, "case_id", &["score".to_owned()], |v| v[0]).ok()
    };
    let known: BTreeSet<&str> = own.iter().map(|case| case.case_id.as_str()).collect();
    // Finished is what has its digest and a row of every case of the plan; anything else is scored again.
    if let (Some(digest), Some(bytes)) = (old.as_ref().and_then(|old| old.scores_sha256), &finished)
        && Digest::of(bytes) == digest
        && let Some(rows) = parse(&file, bytes)
        && rows.len() == known.len()
        && rows.keys().all(|case_id| known.contains(case_id.as_str()))
    {
        return Ok(Scored::of(file, &rows, true));
    }
    drop(finished);
    // Whatever a killed task had finished of its own cases; a table without a record proves nothing.
    let begun = begun.filter(|_| old.is_some());
    let mut table = begun.and_then(|bytes| parse(&partial, &bytes)).unwrap_or_default();
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
/// `shard-missing`, `shard-foreign`, `shard-damaged`, and what may not be read, all at once; `Error::Lock`
/// where cohort, lock or weights are not those of the plan. Nothing is written then.
pub fn gather(study: &Study, outside: &Outside<'_>) -> Result<Scored> {
    score::scored_here(study)?;
    let (planned, list) = read_plan(study)?;
    let plan = &planned.plan;
    let differs = |message: &str, hint: &str| {
        let problem = Diagnostic::error(Code::ShardPlanDiffers, message).at(Location::file(&planned.file));
        Error::Lock(vec![problem.hint(hint)])
    };
    let model = study.model_folder();
    let locked = Lock::read(&model)?;
    if locked.weights.sha256 != plan.weights_sha256 {
        return Err(differs(
            "the weights of the lock are not those of the plan",
            "remove work/shards and make a new plan",
        ));
    }
    locked.verify_weights(&model)?;
    let table = storage::read(&study.out.join("work/cohort.csv"))?;
    let sealed =
        study.ledger()?.last(Event::TestSetSealed).and_then(|e| e.digests.get("cohort.csv").copied());
    if Digest::of(&table) != plan.cohort_sha256 || sealed != Some(plan.cohort_sha256) {
        return Err(differs(
            "the cohort that is sealed here is not the one of the plan",
            "put the sealed cohort back, or remove work/shards and make a new plan",
        ));
    }
    let parts = parts_of(&study.out.join(FOLDER))?;
    let shard_of = shards::shards_of(&list.path, &list.table, plan)?;
    drop(list);
    let mut gathered = Gathered::new(plan, planned.sha256, &shard_of);
    outside.progress.begin("gather", parts.len());
    for (nth, folder) in parts.iter().enumerate() {
        let name = named(folder);
        let number = name.parse().ok().filter(|shard| folder_name(*shard) == name);
        match (number.filter(|shard| (1..=plan.shards).contains(shard)), storage::listed(folder)) {
            // A task of another plan that failed before it wrote anything left nothing to refuse.
            (None, Ok(found)) if found.is_empty() => {}
            (None, _) => {
                gathered.add(&Part { shard: None, folder: folder.clone(), record: None, table: None })
            }
            (Some(shard), _) => match part(shard, folder) {
                Ok(part) => gathered.add(&part),
                Err(error) => gathered.unreadable(shard, &error),
            },
        }
        outside.progress.at(nth + 1);
    }
    outside.progress.end();
    let (rows, machine) = gathered.finish()?;
    let bytes = scores::to_csv(&rows);
    let lock = storage::read(&model.join(lock::FILE))?;
    let file = study.protocol.scores.file.below(&study.out);
    let record = Scoring { machine, scores_sha256: Some(Digest::of(&bytes)) };
    let key = score::key(&lock, &table).to_string();
    let unchanged = put(study, &file, [&bytes, &record.to_bytes(), key.as_bytes()])?;
    Ok(Scored::of(file, &rows, unchanged))
}

/// Puts the table, the record of what made it and the stamp of what it is of in their places; whether all
/// three stood there already. Where it fails, the same command does what is left to do.
fn put(study: &Study, file: &Path, [table, record, key]: [&[u8]; 3]) -> Result<bool> {
    let (scoring, stamp) = (study.out.join(scoring::FILE), score::stamp(study));
    let wanted = [(file, table), (scoring.as_path(), record), (stamp.as_path(), key)];
    let unchanged = wanted.iter().all(|(path, bytes)| holds(path, bytes));
    if !unchanged {
        // The stamp of another model or cohort must at no moment vouch for this table: it goes first and
        // comes last.
        if !holds(&stamp, key) && stamp.exists() {
            std::fs::remove_file(&stamp).map_err(|e| Error::io("remove", &stamp, &e))?;
        }
        for (path, bytes) in wanted {
            storage::write_atomic(path, bytes)?;
        }
    }
    Ok(unchanged)
}

/// What the folder of a shard holds.
fn part(shard: u32, folder: &Path) -> Result<Part> {
    // A folder that may not be looked into is no empty one.
    storage::listed(folder)?;
    let state = folder.join(RECORD);
    let record = there(&state)?.map(|bytes| Record::parse(&state, &bytes)).transpose()?;
    let table = there(&folder.join(TABLE))?;
    Ok(Part { shard: Some(shard), folder: folder.to_owned(), record, table })
}
