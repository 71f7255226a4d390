//! `sequester score --plan`, `--shard` and `--gather`: one study scored by many tasks.

use std::path::Path;

use serde_json::json;

use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::workflow::outside::Outside;
use crate::workflow::score::{Device, Scored};
use crate::workflow::study::Study;
use crate::workflow::{dataset, sharded};

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
    let parts = text.split_once('/').and_then(|(n, of)| Some((n.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((number, of)) if number >= 1 && number <= of => Ok(WhichShard::Typed(number, of)),
        _ => Err("it is written I/N with I from 1 to N, such as 3/64, or auto".to_owned()),
    }
}

/// How an engine numbers the tasks of an array: the variable with the index, and the one with the first.
struct Engine {
    name: &'static str,
    index: &'static str,
    /// Where indices begin: a variable, or 0.
    first: Option<&'static str>,
    /// Where there is one: how many tasks.
    count: Option<&'static str>,
    /// Where there is one: how far indices are apart.
    step: Option<&'static str>,
}

const ENGINES: [Engine; 4] = [
    Engine {
        name: "Slurm",
        index: "SLURM_ARRAY_TASK_ID",
        first: Some("SLURM_ARRAY_TASK_MIN"),
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
    },
    Engine { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", first: None, count: None, step: None },
    Engine {
        name: "Grid Engine",
        index: "SGE_TASK_ID",
        first: Some("SGE_TASK_FIRST"),
        count: None,
        step: Some("SGE_TASK_STEPSIZE"),
    },
    Engine {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        first: None,
        count: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        step: None,
    },
];

/// The shard of a plan of `of` shards that the engine means, from the variables it sets for its tasks.
///
/// # Errors
/// `usage` where no engine, or more than one, says so, and where its tasks are not numbered one by one or are
/// not as many as the plan's shards: a task would score another shard than the one it is counted for.
fn of_engine(of: u32, variable: impl Fn(&str) -> Option<String>) -> Result<u32> {
    let wrong =
        |message: String, hint: String| Err(Error::usage(Diagnostic::error(Code::Usage, message).hint(hint)));
    // Grid Engine says `undefined` to what is no array.
    let set = |name: &str| variable(name).filter(|text| !text.is_empty() && text != "undefined");
    let found: Vec<&Engine> = ENGINES.iter().filter(|engine| set(engine.index).is_some()).collect();
    let engine = match found[..] {
        [engine] => engine,
        [] => {
            let names: Vec<&str> = ENGINES.iter().map(|engine| engine.index).collect();
            return wrong(
                "no engine says which task of an array this is".to_owned(),
                format!("--shard auto reads {}; elsewhere say --shard I/N", names.join(", ")),
            );
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|engine| engine.index).collect();
            return wrong(format!("{} are all set", names.join(" and ")), "say --shard I/N".to_owned());
        }
    };
    let number = |name: &str| -> Result<u32> {
        let text = set(name).unwrap_or_default();
        text.parse().or_else(|_| {
            let shown: String = text.chars().take(40).collect();
            wrong(format!("{name} is `{shown}`, which is no index"), "say --shard I/N".to_owned())
        })
    };
    let or = |name: Option<&'static str>, otherwise: u32| match name.filter(|name| set(name).is_some()) {
        Some(name) => number(name),
        None => Ok(otherwise),
    };
    let index = number(engine.index)?;
    let (first, step) = (or(engine.first, u32::from(engine.first.is_some()))?, or(engine.step, 1)?);
    let tasks = or(engine.count, of)?;
    let shard = index.checked_sub(first).and_then(|n| n.checked_add(1)).filter(|n| (1..=of).contains(n));
    match shard {
        Some(shard) if step == 1 && tasks == of => Ok(shard),
        _ => wrong(
            format!(
                "{} runs task {index} of an array of {tasks} from {first} in steps of {step}, and the plan \
                 has {of} shards",
                engine.name
            ),
            format!("submit an array of {of} tasks, numbered one by one"),
        ),
    }
}

/// Writes the plan.
///
/// # Errors
/// As for [`sharded::plan`].
pub fn plan(study: &Study, shards: u32, outside: &Outside<'_>, context: Context) -> Result<Outcome> {
    let _alone = study.alone()?;
    let cohort = dataset::draw(study, outside)?;
    dataset::seal(study, &cohort, outside)?;
    let planned = sharded::plan(study, &cohort, shards)?;
    if context.json {
        let told = json!({
            "plan": planned.file, "plan_sha256": planned.sha256, "shards": planned.plan.shards,
            "cases": planned.plan.cases, "lock_sha256": planned.plan.lock_sha256,
        });
        println!("{told:#}");
    } else {
        println!("plan      {} (SHA-256 {})", planned.file.display(), planned.sha256);
        println!("shards    {} of {} cases", planned.plan.shards, planned.plan.cases);
        println!(
            "next      sequester score {} --shard 1/{shards} and so on; then --gather",
            study.folder.display()
        );
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
            (of_engine(of, |name| std::env::var(name).ok())?, of)
        }
    };
    let done = sharded::shard(study, (number, of), open, outside)?;
    if context.json {
        let told = json!({
            "shard": number, "of": of, "file": done.file, "scored": done.scored, "refused": done.refused,
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
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
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
            (&[][..], "no engine"),
        ] {
            let error = of(64, variables).expect_err("refused");
            assert!(error.contains(word), "{variables:?}: {error}");
        }
    }

    #[test]
    fn a_shard_is_typed_in_one_way() {
        assert_eq!(which_shard("3/64"), Ok(WhichShard::Typed(3, 64)));
        assert_eq!(which_shard("auto"), Ok(WhichShard::Auto));
        for text in ["", "3", "0/4", "5/4", "/", "1/", "a/b", "-1/4", "1/4/2", "99999999999/99999999999"] {
            assert!(which_shard(text).is_err(), "{text}");
        }
    }
}
