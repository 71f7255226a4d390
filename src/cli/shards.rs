//! `sequester score --plan`, `--shard` and `--gather`: one study scored by many tasks.

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;

use super::{Context, Outcome};
use crate::diagnostic::line::shell_word;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::workflow::outside::Outside;
use crate::workflow::score::{Device, Scored};
use crate::workflow::sharded;
use crate::workflow::study::Study;

/// Which shard a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichShard {
    /// As typed: the number, from 1, and of how many.
    Typed(u32, u32),
    /// As the engine says that runs the task.
    Auto,
}

/// `3/64` or `auto`.
///
/// # Errors
/// In words, for the command line.
pub fn which_shard(text: &str) -> std::result::Result<WhichShard, String> {
    if text == "auto" {
        return Ok(WhichShard::Auto);
    }
    let parts = text.split_once('/').and_then(|(n, of)| Some((whole(n)?, whole(of)?)));
    match parts {
        Some((number, of)) if number >= 1 && number <= of => Ok(WhichShard::Typed(number, of)),
        _ => Err("it is written I/N with I from 1 to N, such as 3/64, or auto".to_owned()),
    }
}

/// A number as it is written: digits alone.
fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// From where on an engine numbers the tasks of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbering {
    /// From 0.
    FromZero,
    /// From 1; where tasks are submitted that are a part of them, they keep their numbers.
    FromOne,
    /// As whoever submits it says. A part of an array does not tell where the whole of it began.
    Anyhow,
}

/// What an engine tells its tasks, by the names of its variables.
struct Engine {
    name: &'static str,
    index: &'static str,
    counted: Numbering,
    /// Where there are any: the first and the last index that were submitted.
    ends: Option<(&'static str, &'static str)>,
    /// Where there is one: how many tasks.
    count: Option<&'static str>,
    /// Where there is one: how far indices are apart.
    step: Option<&'static str>,
}

const ENGINES: [Engine; 4] = [
    Engine {
        name: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        counted: Numbering::Anyhow,
        ends: Some(("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX")),
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
    },
    Engine {
        name: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        counted: Numbering::FromZero,
        ends: None,
        count: None,
        step: None,
    },
    Engine {
        name: "Grid Engine",
        index: "SGE_TASK_ID",
        counted: Numbering::FromOne,
        ends: Some(("SGE_TASK_FIRST", "SGE_TASK_LAST")),
        count: None,
        step: Some("SGE_TASK_STEPSIZE"),
    },
    Engine {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        counted: Numbering::FromZero,
        ends: None,
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        step: None,
    },
];

/// A task as its engine tells of it.
#[derive(Clone, Copy, Debug)]
struct Task {
    index: u32,
    first: Option<u32>,
    last: Option<u32>,
    count: Option<u32>,
    step: Option<u32>,
}

impl Task {
    /// Its shard of a plan of `of`; none where its array is not numbered as the plan is, or does not tell.
    fn shard(&self, counted: Numbering, of: u32) -> Option<u32> {
        let base = match counted {
            Numbering::FromZero => 0,
            Numbering::FromOne => 1,
            // As many tasks as shards are the whole array, and its first task is the first shard. Where
            // nothing is told of the array, as by whoever sets the index alone, it counts from 1.
            Numbering::Anyhow => match (self.first, self.count) {
                (None, None) if self.last.is_none() => 1,
                (first, count) => first.filter(|_| count == Some(of))?,
            },
        };
        let shard = |index: u32| index.checked_sub(base)?.checked_add(1).filter(|shard| *shard <= of);
        let fits = |told: Option<u32>, wanted: u32| told.is_none_or(|told| told == wanted);
        let within = |end: Option<u32>| end.is_none_or(|index| shard(index).is_some());
        let as_planned =
            fits(self.step, 1) && fits(self.count, of) && within(self.first) && within(self.last);
        shard(self.index).filter(|_| as_planned)
    }

    /// What was told of its array, and nothing else.
    fn array(&self) -> String {
        let mut told =
            self.count.map_or_else(|| "an array".to_owned(), |count| format!("an array of {count}"));
        for (word, end) in [("from", self.first), ("to", self.last), ("in steps of", self.step)] {
            told.extend(end.map(|number| format!(" {word} {number}")));
        }
        told
    }
}

/// The shard of a plan of `of` shards that the engine means, from the variables it sets for its tasks.
///
/// # Errors
/// `usage` where no engine, or more than one, says so, and where its tasks are not numbered as the plan is,
/// or do not tell how: a task would score another shard than the one it is counted for.
fn of_engine(of: u32, variable: impl Fn(&str) -> Option<OsString>) -> Result<u32> {
    let wrong =
        |message: String, hint: String| Error::usage(Diagnostic::error(Code::Usage, message).hint(hint));
    // Grid Engine says `undefined` to what is no array. What is not UTF-8 is there, and no number.
    let set = |name: &str| {
        let text = variable(name)?.to_string_lossy().into_owned();
        Some(text).filter(|text| !text.is_empty() && text != "undefined")
    };
    let found: Vec<&Engine> = ENGINES.iter().filter(|engine| set(engine.index).is_some()).collect();
    let engine = match found[..] {
        [engine] => engine,
        [] => {
            let names: Vec<&str> = ENGINES.iter().map(|engine| engine.index).collect();
            return Err(wrong(
                "no engine says which task of an array this is".to_owned(),
                format!("--shard auto reads {}; elsewhere say --shard I/N", names.join(", ")),
            ));
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|engine| engine.index).collect();
            let message = format!("{} are all set", names.join(" and "));
            return Err(wrong(message, "say --shard I/N".to_owned()));
        }
    };
    let number = |name: &'static str| -> Result<Option<u32>> {
        let Some(text) = set(name) else { return Ok(None) };
        let shown: String = text.chars().take(40).collect();
        let no_index =
            || wrong(format!("{name} is `{shown}`, which is no index"), "say --shard I/N".to_owned());
        whole(&text).map(Some).ok_or_else(no_index)
    };
    let told = |name: Option<&'static str>| name.map_or(Ok(None), number);
    let task = Task {
        index: number(engine.index)?.unwrap_or_default(),
        first: told(engine.ends.map(|(first, _)| first))?,
        last: told(engine.ends.map(|(_, last)| last))?,
        count: told(engine.count)?,
        step: told(engine.step)?,
    };
    if let Some(shard) = task.shard(engine.counted, of) {
        return Ok(shard);
    }
    let hint = match engine.counted {
        Numbering::FromZero => format!("submit an array of {of} tasks"),
        Numbering::FromOne => format!("submit tasks from 1 to {of}, or some of them, one by one"),
        Numbering::Anyhow => format!(
            "submit a whole array of {of} tasks, numbered one by one; any part of an array that is numbered \
             from 1 takes --shard \"${}/{of}\"",
            engine.index
        ),
    };
    let (name, index, array) = (engine.name, task.index, task.array());
    Err(wrong(format!("{name} runs task {index} of {array}, and the plan has {of} shards"), hint))
}

/// The command that scores this study, with the folders that were given, for a shell.
fn score_command(study: &Study) -> String {
    let word = |path: &Path| shell_word(&path.display().to_string());
    let mut words = vec!["sequester score".to_owned(), word(&study.folder)];
    for (option, folder) in [("--data", &study.data), ("--out", &study.out)] {
        if *folder != study.folder {
            words.extend([option.to_owned(), word(folder)]);
        }
    }
    words.join(" ")
}

/// Writes the plan.
///
/// # Errors
/// As for [`sharded::plan`].
pub fn plan(study: &Study, shards: u32, outside: &Outside<'_>, context: Context) -> Result<Outcome> {
    let _alone = study.alone()?;
    let planned = sharded::plan(study, shards, outside)?;
    if context.json {
        let told = json!({
            "plan": planned.file.display().to_string(), "plan_sha256": planned.sha256,
            "shards": planned.plan.shards, "cases": planned.plan.cases,
            "lock_sha256": planned.plan.lock_sha256,
        });
        println!("{told:#}");
    } else {
        println!("plan      {} (SHA-256 {})", planned.file.display(), planned.sha256);
        println!("shards    {} of {} cases", planned.plan.shards, planned.plan.cases);
        let next = score_command(study);
        println!("next      {next} --shard 1/{shards} and so on; then {next} --gather");
    }
    Ok(Outcome::Done)
}

/// Scores one shard.
///
/// # Errors
/// As for [`sharded::shard`] and [`of_engine`].
pub fn shard<D: Device>(
    study: &Study,
    which: WhichShard,
    open: impl FnOnce(&Path) -> Result<D>,
    outside: &Outside<'_>,
    context: Context,
) -> Result<Outcome> {
    let (number, of) = match which {
        WhichShard::Typed(number, of) => (number, of),
        WhichShard::Auto => {
            let of = sharded::planned(study)?.plan.shards;
            (of_engine(of, |name| std::env::var_os(name))?, of)
        }
    };
    let done = sharded::shard(study, (number, of), open, outside)?;
    if context.json {
        let told = json!({
            "shard": number, "of": of, "file": done.file.display().to_string(), "scored": done.scored,
            "refused": done.refused,
        });
        println!("{told:#}");
    } else {
        let (scored, refused) = (done.scored, done.refused);
        println!(
            "shard {number} of {of}: {scored} scored, {refused} refused by the gate: {}",
            done.file.display()
        );
    }
    Ok(Outcome::Done)
}

/// Puts the shards together.
///
/// # Errors
/// As for [`sharded::gather`].
pub fn gather(study: &Study, outside: &Outside<'_>) -> Result<Scored> {
    let _alone = study.alone()?;
    sharded::gather(study, outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shards: u32, variables: &[(&str, &str)]) -> std::result::Result<u32, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| OsString::from(*v));
        of_engine(shards, variable).map_err(|error| error.to_string())
    }

    #[test]
    fn every_engine_counts_its_tasks_in_its_own_way() {
        let slurm = |id, min, count| {
            [("SLURM_ARRAY_TASK_ID", id), ("SLURM_ARRAY_TASK_MIN", min), ("SLURM_ARRAY_TASK_COUNT", count)]
        };
        assert_eq!(of(64, &slurm("1", "1", "64")), Ok(1));
        assert_eq!(of(64, &slurm("63", "0", "64")), Ok(64), "an array from 0");
        assert_eq!(of(64, &[("JOB_COMPLETION_INDEX", "0")]), Ok(1));
        assert_eq!(of(64, &[("JOB_COMPLETION_INDEX", "63")]), Ok(64));
        let grid = [("SGE_TASK_ID", "5"), ("SGE_TASK_FIRST", "1"), ("SGE_TASK_STEPSIZE", "1")];
        assert_eq!(of(8, &grid), Ok(5));
        assert_eq!(of(8, &[("AWS_BATCH_JOB_ARRAY_INDEX", "7"), ("SGE_TASK_ID", "undefined")]), Ok(8));
        // An index that the plan does not have, arrays of another size and in steps, two engines, none.
        for (variables, word) in [
            (&[("JOB_COMPLETION_INDEX", "64")][..], "task 64"),
            (&slurm("3", "1", "32")[..], "array of 32"),
            (&[("SGE_TASK_ID", "3"), ("SGE_TASK_STEPSIZE", "2")][..], "steps of 2"),
            (&[("SGE_TASK_ID", "0")][..], "task 0"),
            (&[("SGE_TASK_ID", "1"), ("JOB_COMPLETION_INDEX", "1")][..], "all set"),
            (&[("JOB_COMPLETION_INDEX", "-1")][..], "no index"),
            (&[("JOB_COMPLETION_INDEX", "+3")][..], "no index"),
            (&[("AWS_BATCH_JOB_ARRAY_INDEX", "3"), ("AWS_BATCH_JOB_ARRAY_SIZE", "5")][..], "array of 5,"),
            (&[][..], "no engine"),
        ] {
            let error = of(64, variables).expect_err("refused");
            assert!(error.contains(word), "{variables:?}: {error}");
        }
    }

    /// Grid Engine keeps the numbers of tasks that are submitted again: a part of the array is that part.
    #[test]
    fn a_part_of_an_array_of_grid_engine_is_scored_as_what_it_is() {
        let of_array = |id: u32, first: u32, last: u32, step: u32| {
            let told = [id, first, last, step].map(|number| number.to_string());
            let names = ["SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", "SGE_TASK_STEPSIZE"];
            let variables: Vec<(&str, &str)> =
                names.into_iter().zip(told.iter().map(String::as_str)).collect();
            of(5, &variables)
        };
        assert_eq!(of_array(3, 3, 3, 1), Ok(3));
        for (first, last) in (1..=5).flat_map(|first| (first..=5).map(move |last| (first, last))) {
            for id in first..=last {
                assert_eq!(of_array(id, first, last, 1), Ok(id), "{first}-{last}");
            }
        }
        // An array of 50, one that begins behind the plan's first shards, one in steps.
        for (id, first, last, step) in [(1, 1, 50, 1), (5, 5, 9, 1), (1, 1, 5, 2), (6, 6, 6, 1)] {
            let error = of_array(id, first, last, step).expect_err("refused");
            assert!(error.contains("submit tasks from 1 to 5"), "{error}");
        }
    }

    /// Whatever part of whatever array of Slurm runs: a task scores the shard of its place in the whole
    /// array, or nothing.
    #[test]
    fn a_part_of_an_array_of_slurm_never_scores_another_shard() {
        let of_array = |plan: u32, id: u32, array: &[u32]| {
            let told = [id, array[0], array[array.len() - 1], array.len() as u32].map(|n| n.to_string());
            let names = [
                "SLURM_ARRAY_TASK_ID",
                "SLURM_ARRAY_TASK_MIN",
                "SLURM_ARRAY_TASK_MAX",
                "SLURM_ARRAY_TASK_COUNT",
            ];
            let mut variables: Vec<(&str, &str)> =
                names.into_iter().zip(told.iter().map(String::as_str)).collect();
            variables.push(("SLURM_ARRAY_TASK_STEP", "1"));
            of(plan, &variables)
        };
        for (plan, base) in (1..=5_u32).flat_map(|plan| (0..=6).map(move |base| (plan, base))) {
            for mask in 1..(1_u32 << plan) {
                let array: Vec<u32> =
                    (0..plan).filter(|bit| mask & (1 << bit) != 0).map(|bit| base + bit).collect();
                for id in &array {
                    match of_array(plan, *id, &array) {
                        Ok(shard) => assert_eq!(shard, id - base + 1, "{array:?} of {plan}"),
                        Err(error) => {
                            assert_ne!(array.len() as u32, plan, "the whole array: {error}");
                            assert!(error.contains("--shard \"$SLURM_ARRAY_TASK_ID/"), "{error}");
                        }
                    }
                }
            }
        }
        // As many tasks as shards, but not one by one.
        assert!(of_array(5, 0, &[0, 1, 2, 3, 7]).is_err());
        // What tells where it ends, and neither where it begins nor how many there are, could be any shard.
        assert!(of(5, &[("SLURM_ARRAY_TASK_ID", "3"), ("SLURM_ARRAY_TASK_MAX", "4")]).is_err());
        // The index alone, set by hand, counts as shards do.
        assert_eq!(of(5, &[("SLURM_ARRAY_TASK_ID", "3")]), Ok(3));
        assert!(of(5, &[("SLURM_ARRAY_TASK_ID", "0")]).is_err());
    }

    #[test]
    fn only_what_an_engine_told_is_said_of_its_array() {
        let error = of(5, &[("JOB_COMPLETION_INDEX", "5")]).expect_err("refused");
        assert!(
            error.contains("Kubernetes runs task 5 of an array, and the plan has 5 shards"),
            "no size was told: {error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn an_index_that_is_no_text_is_there_and_refused() {
        use std::os::unix::ffi::OsStringExt as _;

        let variable = |name: &str| (name == "SGE_TASK_ID").then(|| OsString::from_vec(b"3\xff".to_vec()));
        let error = of_engine(5, variable).expect_err("refused").to_string();
        assert!(error.contains("SGE_TASK_ID is `3\u{fffd}`, which is no index"), "{error}");
    }

    #[test]
    fn a_shard_is_typed_in_one_way() {
        assert_eq!(which_shard("3/64"), Ok(WhichShard::Typed(3, 64)));
        assert_eq!(which_shard("03/064"), Ok(WhichShard::Typed(3, 64)));
        assert_eq!(which_shard("auto"), Ok(WhichShard::Auto));
        for text in [
            "",
            "3",
            "0/4",
            "5/4",
            "/",
            "1/",
            "a/b",
            "-1/4",
            "1/4/2",
            "+3/5",
            "3/+5",
            "99999999999/99999999999",
        ] {
            assert!(which_shard(text).is_err(), "{text}");
        }
    }
}
