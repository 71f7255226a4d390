//! Scoring in parts: which case is in which part, what a part left, and what all parts together are.
//!
//! A plan fixes the sealed cohort and the lock by their digests and gives every case its shard, so that no
//! task looks at a list that may have changed. A shard's record names the plan; parts are put together only
//! where every one is of this plan and holds the cases that the plan gave it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::scores::{self, Scores};
use crate::dataset::case::{Attributes, Case, Kinds};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::{Digest, RelativePath};
use crate::model::machine::Machine;
use crate::table::{Table, Word, limited};

/// Version of `plan.json`. A reader refuses any other.
pub const PLAN_FORMAT: &str = "sequester-score-plan/1";
/// Version of a shard's `shard.json`.
pub const SHARD_FORMAT: &str = "sequester-score-shard/1";
/// Name of a shard's record within its folder.
pub const RECORD: &str = "shard.json";
/// Name of a shard's finished table within its folder.
pub const TABLE: &str = "scores.csv";
/// The way out of a shard that is not as it was finished.
pub const AGAIN: &str = "remove this folder and run its shard again";
/// Most shards that a plan may have: that many tasks an array of the engines takes.
pub const MOST: u32 = 99_999;

/// What is scored, by what, in how many parts. Its digest is that of the file's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_FORMAT`].
    pub format: String,
    /// Digest of `lock.json`.
    pub lock_sha256: Digest,
    /// Digest of the locked weights.
    pub weights_sha256: Digest,
    /// Digest of the sealed cohort's table.
    pub cohort_sha256: Digest,
    /// Digest of the list of cases with their shards.
    pub cases_sha256: Digest,
    /// Cases.
    pub cases: u64,
    /// Shards, from 1 on.
    pub shards: u32,
}

impl Plan {
    /// The bytes of `plan.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// A plan as it was written.
    ///
    /// # Errors
    /// `shard-plan-unreadable`, also of another version.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let plan: Self = read(bytes, PLAN_FORMAT).map_err(|message| unreadable(path, message))?;
        if plan.shards == 0 || plan.shards > MOST || u64::from(plan.shards) > plan.cases {
            let message = format!("{} shards for {} cases", plan.shards, plan.cases);
            return Err(unreadable(path, message));
        }
        Ok(plan)
    }
}

/// What is known of one shard: written when it begins, and again when it is finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SHARD_FORMAT`].
    pub format: String,
    /// The plan.
    pub plan_sha256: Digest,
    /// Which, from 1.
    pub shard: u32,
    /// The kind of machine; none where more than one took part.
    pub machine: Option<Machine>,
    /// Digest of the finished table; none while it is not finished.
    pub scores_sha256: Option<Digest>,
}

impl Record {
    /// The bytes of `shard.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        json(self)
    }

    /// A record as it was written.
    ///
    /// # Errors
    /// `shard-damaged`, also of another version: a node that crashed may leave an empty file, and of all
    /// shards that is one.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        read(bytes, SHARD_FORMAT).map_err(|message| {
            let message = format!("the record of this shard cannot be read: {message}");
            Diagnostic::error(Code::ShardDamaged, message).at(Location::file(path)).hint(AGAIN).into()
        })
    }
}

fn json(of: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(of).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn unreadable(path: &Path, message: impl std::fmt::Display) -> Error {
    Diagnostic::error(Code::ShardPlanUnreadable, format!("this cannot be read: {message}"))
        .at(Location::file(path))
        .hint("make it again: sequester score STUDY --plan N, of as many shards as before; they are kept")
        .into()
}

/// What stands there in this format, or in words why it does not.
fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8], format: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    let found: Format = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if found.format != format {
        let shown: String = found.format.chars().take(60).collect();
        return Err(format!("its format is `{shown}`, and this version reads `{format}`"));
    }
    serde_json::from_slice(bytes).map_err(|e| e.to_string())
}

/// A case of a plan, with all that scoring it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCase {
    /// The case; of its fields those that the gate looks at, and the image.
    pub case: Case,
    /// Its shard, from 1.
    pub shard: u32,
}

const COLUMNS: [&str; 7] = ["case_id", "image", "modality", "body_part", "view", "age_years", "shard"];

/// Gives every case its shard: one after the other, so that all are of a size.
///
/// # Errors
/// `image-missing` of every case that names none.
pub fn assign<'a>(cases: impl IntoIterator<Item = &'a Case>, shards: u32) -> Result<Vec<PlannedCase>> {
    let mut problems = Vec::new();
    let (mut planned, mut kinds) = (Vec::new(), Kinds::default());
    for (case, number) in cases.into_iter().zip((1..=shards).cycle()) {
        if case.image.is_none() {
            problems.push(
                Diagnostic::error(Code::ImageMissing, format!("the case `{}` names no image", case.case_id))
                    .hint("fill the column `image`, relative to `data.images`"),
            );
        }
        let case = Case {
            case_id: case.case_id.clone(),
            image: case.image.clone(),
            age_years: case.age_years,
            attributes: kinds.shared(Attributes {
                modality: case.modality.clone(),
                body_part: case.body_part.clone(),
                view: case.view.clone(),
                ..Attributes::default()
            }),
            ..Case::default()
        };
        planned.push(PlannedCase { case, shard: number });
    }
    if problems.is_empty() { Ok(planned) } else { Err(limited(problems, Path::new("")).into()) }
}

/// The list of cases as a table.
pub fn cases_csv(cases: &[PlannedCase]) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut write = |record: [&str; 7]| out.write_record(record).unwrap_or_else(|_| unreachable!("memory"));
    write(COLUMNS);
    for PlannedCase { case, shard } in cases {
        let text = |field: &Option<Word>| field.as_ref().map(Word::to_string).unwrap_or_default();
        write([
            &case.case_id,
            case.image.as_ref().map_or("", RelativePath::as_str),
            &text(&case.modality),
            &text(&case.body_part),
            &text(&case.view),
            &case.age_years.map(|age| age.to_string()).unwrap_or_default(),
            &shard.to_string(),
        ]);
    }
    out.into_inner().unwrap_or_default()
}

/// The cases of one shard.
///
/// # Errors
/// What is wrong in the table, each with its place.
pub fn cases_of(path: &Path, bytes: &[u8], plan: &Plan, shard: u32) -> Result<Vec<Case>> {
    let mut own = Vec::new();
    each_case(path, bytes, plan, |planned| {
        if planned.shard == shard {
            own.push(planned.case);
        }
    })?;
    Ok(own)
}

/// The shard of every case.
///
/// # Errors
/// What is wrong in the table, each with its place; another number of cases than the plan's.
pub fn shards_of(path: &Path, bytes: &[u8], plan: &Plan) -> Result<BTreeMap<String, u32>> {
    let mut shards = BTreeMap::new();
    each_case(path, bytes, plan, |planned| {
        shards.insert(planned.case.case_id.into(), planned.shard);
    })?;
    if shards.len() as u64 == plan.cases {
        return Ok(shards);
    }
    let message = format!("{} cases stand here, and the plan is of {}", shards.len(), plan.cases);
    Err(unreadable(path, message))
}

fn each_case(path: &Path, bytes: &[u8], plan: &Plan, mut take: impl FnMut(PlannedCase)) -> Result<()> {
    let table = Table::parse(path, bytes)?;
    let mut problems = Vec::new();
    let columns = COLUMNS.map(|name| table.required(name).map_err(|p| problems.push(p)).ok());
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let mut kinds = Kinds::default();
    for row in table.rows() {
        let text = |nth: usize| row.get(columns[nth]).map(str::to_owned);
        let word = |nth: usize| row.get(columns[nth]).map(Word::from);
        let image = text(1).and_then(|path| path.parse::<RelativePath>().ok());
        let age = text(5).map(|age| age.parse::<u16>());
        let shard = text(6).and_then(|shard| shard.parse::<u32>().ok());
        let shard = shard.filter(|shard| (1..=plan.shards).contains(shard));
        match (text(0), image, age.transpose(), shard) {
            (Some(case_id), Some(image), Ok(age_years), Some(shard)) => {
                let case = Case {
                    case_id: case_id.into(),
                    image: Some(image),
                    age_years,
                    line: row.line,
                    attributes: kinds.shared(Attributes {
                        modality: word(2),
                        body_part: word(3),
                        view: word(4),
                        ..Attributes::default()
                    }),
                    ..Case::default()
                };
                take(PlannedCase { case, shard });
            }
            _ => problems.push(
                Diagnostic::error(Code::ShardPlanUnreadable, "a case without id, image or shard of the plan")
                    .at(table.at(row.line)),
            ),
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(limited(problems, path).into()) }
}

/// What the folder of one shard holds.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its number, by the folder's name; none where it is no number of a shard.
    pub shard: Option<u32>,
    /// The folder, for messages.
    pub folder: std::path::PathBuf,
    /// Its record, where there is one.
    pub record: Option<Record>,
    /// Bytes of its finished table.
    pub table: Option<Vec<u8>>,
}

/// Parts that are put together one after the other.
pub struct Gathered<'a> {
    plan: &'a Plan,
    plan_sha256: Digest,
    /// The shard of each case.
    cases: &'a BTreeMap<String, u32>,
    finished: Vec<bool>,
    /// Shards of which nobody can say whether they are finished, or what stands in them.
    unknown: BTreeSet<u32>,
    of_one_machine: Option<Option<Machine>>,
    scores: Scores,
    problems: Vec<Diagnostic>,
}

impl<'a> Gathered<'a> {
    /// Nothing yet.
    pub fn new(plan: &'a Plan, plan_sha256: Digest, cases: &'a BTreeMap<String, u32>) -> Self {
        Self {
            plan,
            plan_sha256,
            cases,
            finished: vec![false; plan.shards as usize],
            unknown: BTreeSet::new(),
            of_one_machine: None,
            scores: Scores::new(),
            problems: Vec::new(),
        }
    }

    fn wrong(&mut self, code: Code, part: &Part, message: String, hint: &str) {
        self.problems.push(Diagnostic::error(code, message).at(Location::file(&part.folder)).hint(hint));
    }

    /// Takes down why the folder of a shard cannot be read; the others are looked at all the same.
    pub fn unreadable(&mut self, shard: u32, error: &Error) {
        let problems = error.diagnostics();
        // A damaged shard is to be run again and stands among those that are; what may not be read may be
        // finished.
        if problems.iter().any(|problem| problem.code != Code::ShardDamaged) {
            self.unknown.insert(shard);
        }
        self.problems.extend(problems);
    }

    /// Adds a part, or what is wrong with it.
    pub fn add(&mut self, part: &Part) {
        let within = |shard: &u32| (1..=self.plan.shards).contains(shard);
        let Some(shard) = part.shard.filter(within) else {
            let message = format!("this is none of the {} shards of the plan", self.plan.shards);
            return self.wrong(Code::ShardForeign, part, message, "move it away");
        };
        // Without its record or its table it is not finished; the end names it.
        let Some(record) = &part.record else { return };
        if record.plan_sha256 != self.plan_sha256 {
            let message = format!(
                "the shard was scored by the plan {}, and the plan is {}",
                record.plan_sha256.short(),
                self.plan_sha256.short()
            );
            return self.wrong(Code::ShardForeign, part, message, AGAIN);
        }
        if record.shard != shard {
            let message = format!("the folder of shard {shard} holds shard {}", record.shard);
            return self.wrong(Code::ShardForeign, part, message, AGAIN);
        }
        let (Some(digest), Some(bytes)) = (record.scores_sha256, &part.table) else { return };
        if Digest::of(bytes) != digest {
            let message = format!("the table of shard {shard} is not the one that was finished");
            return self.wrong(Code::ShardDamaged, part, message, AGAIN);
        }
        if std::mem::replace(&mut self.finished[shard as usize - 1], true) {
            return self.wrong(Code::ShardForeign, part, format!("shard {shard} is there twice"), AGAIN);
        }
        let path = part.folder.join(TABLE);
        match scores::parse(&path, bytes, "case_id", &["score".to_owned()], |v| v[0]) {
            Ok(rows) => self.rows(shard, part, rows),
            Err(problems) => {
                // What is wrong with its rows is said; which cases it has besides, nobody can say.
                self.unknown.insert(shard);
                self.problems.extend(problems.into_iter().map(|problem| problem.hint(AGAIN)));
            }
        }
        match &self.of_one_machine {
            None => self.of_one_machine = Some(record.machine.clone()),
            Some(machine) if *machine != record.machine => self.of_one_machine = Some(None),
            Some(_) => {}
        }
    }

    fn rows(&mut self, shard: u32, part: &Part, rows: Scores) {
        for (case_id, row) in rows {
            match self.cases.get(case_id.as_str()) {
                Some(planned) if *planned == shard => {
                    self.scores.insert(case_id, row);
                }
                Some(planned) => {
                    let message = format!("the case `{case_id}` is of shard {planned} and stands in {shard}");
                    self.wrong(Code::ShardForeign, part, message, AGAIN);
                }
                None => {
                    let message = format!("the case `{case_id}` is not in the plan");
                    self.wrong(Code::ShardForeign, part, message, AGAIN);
                }
            }
        }
    }

    /// The rows of every case, and the kind of machine where it was one.
    ///
    /// # Errors
    /// `shard-missing`, `shard-foreign`, `shard-damaged`: everything that is wrong at once; nothing is
    /// gathered then.
    pub fn finish(mut self) -> Result<(Scores, Option<Machine>)> {
        let missing: Vec<u32> = (1..)
            .zip(&self.finished)
            .filter(|(nth, done)| !**done && !self.unknown.contains(nth))
            .map(|(nth, _)| nth)
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "{} of {} shards are not finished: {}",
                missing.len(),
                self.plan.shards,
                ranges(&missing)
            );
            let hint = format!("run them: sequester score STUDY --shard {}/{}", missing[0], self.plan.shards);
            self.problems.push(Diagnostic::error(Code::ShardMissing, message).hint(hint));
        }
        let left = |(case, shard): (&String, &u32)| {
            let known = self.finished[*shard as usize - 1] && !self.unknown.contains(shard);
            (known && !self.scores.contains_key(case.as_str())).then(|| {
                let message = format!("shard {shard} has no row of the case `{case}`");
                Diagnostic::error(Code::ShardDamaged, message)
                    .hint("remove the shard's folder and run it again")
            })
        };
        let without: Vec<Diagnostic> = self.cases.iter().filter_map(left).collect();
        self.problems.extend(without);
        if self.problems.is_empty() {
            Ok((self.scores, self.of_one_machine.flatten()))
        } else {
            Err(limited(self.problems, Path::new("work/shards")).into())
        }
    }
}

/// Numbers in ascending order as ranges: `1, 3-5`; of very many the first.
fn ranges(numbers: &[u32]) -> String {
    let mut found: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match found.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => found.push((*number, *number)),
        }
    }
    let range = |(first, last): &(u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    few::and_so_on(found.iter().map(range), 20)
}

#[cfg(test)]
mod tests;
