//! One study scored in parts is the study that one process scores, whatever happens to a part.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::locked_model::study as with_model;
use crate::support::{Ran, Study, files, sequester};

const SHARDS: u32 = 7;

fn planned() -> Study {
    let study = with_model();
    let ran = study.run("score", &["--plan", "7"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    study
}

fn shard(study: &Study, number: u32) -> Ran {
    study.run("score", &["--shard", &format!("{number}/{SHARDS}"), "--workers", "1"])
}

/// A study of which every shard is finished and nothing is gathered.
fn finished() -> Study {
    let study = planned();
    for number in 1..=SHARDS {
        assert_eq!(shard(&study, number).code, 0);
    }
    study
}

/// The program with variables of an engine, and with names that need not be text.
fn program(arguments: &[&OsStr], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequester"));
    command.args(arguments).env("SOURCE_DATE_EPOCH", "1767225600").envs(variables.iter().copied());
    command.output().expect("the program starts").into()
}

fn folder(study: &Study, number: u32) -> PathBuf {
    study.file(&format!("work/shards/{number:05}"))
}

/// Everything but what only parts leave, by its name in the study.
fn without_shards(study: &Study) -> BTreeMap<PathBuf, Vec<u8>> {
    let name = |path: &PathBuf| path.strip_prefix(study.path()).expect("in the study").to_owned();
    let mut found: BTreeMap<PathBuf, Vec<u8>> =
        study.snapshot().into_iter().map(|(path, bytes)| (name(&path), bytes)).collect();
    found.retain(|path, _| !path.starts_with("work/shards"));
    found
}

fn refused(ran: &Ran, code: i32, word: &str) {
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{word}]")), "{word}: {}", ran.stderr);
}

#[test]
fn shards_give_the_bytes_of_one_process_and_every_step_can_be_repeated() {
    let whole = with_model();
    assert_eq!(whole.run("score", &["--workers", "1"]).code, 0);
    let study = planned();
    let plan = study.read("work/shards/plan.json");
    assert_eq!(study.run("score", &["--plan", "7"]).code, 0, "the same plan again");
    assert_eq!(study.read("work/shards/plan.json"), plan);
    // Nothing of the study but the seal is written by a plan, and nothing is gathered too early.
    refused(&study.run("score", &["--gather"]), 1, "shard-missing");
    for number in (1..=SHARDS).rev() {
        let ran = shard(&study, number);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("shard {number} of 7: ")), "{}", ran.stdout);
        let early = study.run("score", &["--gather"]);
        if number > 1 {
            refused(&early, 1, "shard-missing");
            assert!(!study.file("scores.csv").exists(), "nothing half done");
        }
    }
    let before = study.snapshot();
    assert_eq!(shard(&study, 3).code, 0);
    let gathered = study.run("score", &["--gather"]);
    assert_eq!(gathered.code, 0, "{}", gathered.stderr);
    assert!(study.snapshot() == before, "a finished shard and a gathered table stay as they are");
    assert!(without_shards(&study) == without_shards(&whole), "as if one process had scored");
    // The study goes on from there, and scores nothing again.
    assert_eq!(study.run("score", &[]).stdout, gathered.stdout);
    assert!([0, 10].contains(&study.run("validate", &[]).code));
    assert_eq!(study.run("verify", &["--rescore"]).code, 0);
}

/// Tasks that look at a list which changes score another case than the one they are counted for.
#[test]
fn a_task_scores_what_was_planned_whatever_happens_to_the_tables() {
    let study = planned();
    let before = study.read("cases.csv");
    let mut lines: Vec<&str> = before.lines().collect();
    lines[1..].rotate_left(1);
    lines.remove(5);
    study.write("cases.csv", &format!("{}\n", lines.join("\n")));
    for number in 1..=SHARDS {
        assert_eq!(shard(&study, number).code, 0);
    }
    assert_eq!(study.run("score", &["--gather"]).code, 0, "the sealed cohort is the one of the plan");
    let table = study.read("scores.csv");
    study.write("cases.csv", &before);
    let one = with_model();
    assert_eq!(one.run("score", &[]).code, 0);
    assert_eq!(table, one.read("scores.csv"));
    // Whoever goes on with changed tables is stopped by the seal.
    study.replace("cases.csv", "C000", "C999");
    assert_eq!(study.run("validate", &[]).code, 30);
}

#[test]
fn a_killed_task_goes_on_and_what_it_left_is_not_gathered() {
    let study = planned();
    for number in 1..=SHARDS {
        assert_eq!(shard(&study, number).code, 0);
    }
    let finished = files(&folder(&study, 2));
    let whole = String::from_utf8(finished[&folder(&study, 2).join("scores.csv")].clone()).expect("text");
    // As it is after a kill between two chunks: a part of the rows, and no digest in the record.
    let some: String = whole.lines().take(4).map(|line| format!("{line}\n")).collect();
    study.write("work/shards/00002/partial.csv", &some);
    let record = study.read("work/shards/00002/shard.json");
    let from = record.find("\"scores_sha256\"").expect("a digest");
    study.write("work/shards/00002/shard.json", &format!("{}\"scores_sha256\": null\n}}\n", &record[..from]));
    std::fs::remove_file(study.file("work/shards/00002/scores.csv")).expect("removes");
    refused(&study.run("score", &["--gather"]), 1, "shard-missing");
    let images = study.file("images");
    let scored_already = some.lines().nth(1).and_then(|l| l[1..4].parse::<usize>().ok()).expect("a case");
    // What is in the partial table needs its image no more.
    std::fs::remove_file(images.join(format!("{scored_already}.png"))).expect("removes");
    assert_eq!(shard(&study, 2).code, 0);
    assert!(files(&folder(&study, 2)) == finished, "the same bytes as without the kill");
    assert_eq!(study.run("score", &["--gather"]).code, 0);
}

#[test]
fn what_is_not_of_the_plan_is_refused_by_name() {
    let study = planned();
    for number in 1..=SHARDS {
        assert_eq!(shard(&study, number).code, 0);
    }
    // Another plan is refused while shards lie there.
    refused(&study.run("score", &["--plan", "5"]), 30, "shard-plan-differs");
    refused(&study.run("score", &["--shard", "1/5"]), 1, "shard-count");
    refused(&study.run("score", &["--plan", "81"]), 1, "shard-count");
    let copy = |from: u32, to: u32| {
        for name in ["shard.json", "scores.csv"] {
            let bytes = std::fs::read(folder(&study, from).join(name)).expect("reads");
            std::fs::create_dir_all(folder(&study, to)).expect("creates");
            std::fs::write(folder(&study, to).join(name), bytes).expect("writes");
        }
    };
    copy(1, 8);
    refused(&study.run("score", &["--gather"]), 1, "shard-foreign");
    std::fs::remove_dir_all(folder(&study, 8)).expect("removes");
    let third = files(&folder(&study, 3));
    copy(1, 3);
    refused(&study.run("score", &["--gather"]), 1, "shard-foreign");
    for (path, bytes) in third {
        std::fs::write(path, bytes).expect("writes");
    }
    let scores = study.read("work/shards/00004/scores.csv");
    study.write("work/shards/00004/scores.csv", &scores.replacen("0.", "0.1", 1));
    refused(&study.run("score", &["--gather"]), 1, "shard-damaged");
    study.write("work/shards/00004/scores.csv", &scores);
    let plan = study.read("work/shards/plan.json");
    let cases = study.read("work/shards/cases.csv");
    study.replace("work/shards/cases.csv", "PA", "AP");
    refused(&study.run("score", &["--gather"]), 1, "shard-plan-unreadable");
    study.replace("work/shards/plan.json", "\"shards\": 7", "\"shards\": 0");
    refused(&shard(&study, 1), 1, "shard-plan-unreadable");
    study.write("work/shards/plan.json", &plan);
    study.write("work/shards/cases.csv", &cases);
    let lock = study.read("model/lock.json");
    study.replace("model/lock.json", "\"threshold\": 0.5", "\"threshold\": 0.4");
    refused(&shard(&study, 1), 30, "shard-plan-differs");
    refused(&study.run("score", &["--gather"]), 30, "shard-plan-differs");
    study.write("model/lock.json", &lock);
    assert!(!study.file("scores.csv").exists(), "nothing was gathered");
    refused(&with_model().run("score", &["--shard", "1/7"]), 1, "shard-plan-missing");
    for more in
        [&["--shard", "8/7"][..], &["--shard", "x"], &["--shard", "1/7", "--gather"], &["--shard", "auto"]]
    {
        assert_eq!(study.run("score", more).code, 2, "{more:?}");
    }
}

#[test]
fn the_job_of_an_engine_names_the_plan_and_every_shard() {
    let study = planned();
    let folder = study.path().to_str().expect("UTF-8").to_owned();
    for (engine, more) in [
        ("slurm", &[][..]),
        ("snakemake", &[]),
        ("kubernetes", &["--image", "sequester:0.2", "--claim", "study"]),
    ] {
        let out = study.file(engine);
        let mut arguments =
            vec!["export", &folder, "--engine", engine, "--out", out.to_str().expect("UTF-8")];
        arguments.extend(more);
        let ran = sequester(&arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let plan = sequester::digest::Digest::of(study.read("work/shards/plan.json").as_bytes()).to_string();
        let text = study.read(engine);
        assert!(text.contains(&plan) && ran.stdout.contains(&plan), "{text}");
        refused(&sequester(&arguments), 1, "file-exists");
    }
    let out = study.file("job.yaml");
    let without = ["export", &folder, "--engine", "kubernetes", "--out", out.to_str().expect("UTF-8")];
    assert_eq!(sequester(&without).code, 2);
}

#[test]
fn a_gathering_that_failed_half_way_is_completed_by_the_same_command() {
    let study = finished();
    std::fs::create_dir(study.file("work/scoring.json")).expect("creates");
    assert_eq!(study.run("score", &["--gather"]).code, 1, "a folder lies where the record belongs");
    std::fs::remove_dir(study.file("work/scoring.json")).expect("removes");
    assert_eq!(study.run("score", &["--gather"]).code, 0);
    let whole = with_model();
    assert_eq!(whole.run("score", &["--workers", "1"]).code, 0);
    assert!(without_shards(&study) == without_shards(&whole), "as if one process had scored");
    // A record or a stamp of another table beside the right one is mended as well.
    let all = study.snapshot();
    let digest = sequester::digest::Digest::of(study.read("scores.csv").as_bytes()).to_string();
    let other = sequester::digest::Digest::of(b"another table").to_string();
    study.replace("work/scoring.json", &digest, &other);
    assert_eq!(study.run("score", &["--gather"]).code, 0);
    assert!(study.snapshot() == all, "the record");
    study.write("work/scores-of.txt", &other);
    assert_eq!(study.run("score", &["--gather"]).code, 0);
    assert!(study.snapshot() == all, "the stamp");
    std::fs::remove_file(study.file("work/scores-of.txt")).expect("removes");
    assert_eq!(study.run("score", &["--gather"]).code, 0);
    assert!(study.snapshot() == all, "no stamp");
}

#[test]
fn a_task_of_grid_engine_that_is_submitted_again_scores_its_own_shard() {
    let study = planned();
    let task = |id: &str, first: &str, last: &str| {
        let arguments = ["score", study.path().to_str().expect("UTF-8"), "--shard", "auto"].map(OsStr::new);
        let array = [("SGE_TASK_ID", id), ("SGE_TASK_FIRST", first), ("SGE_TASK_LAST", last)];
        program(&arguments, &[&array[..], &[("SGE_TASK_STEPSIZE", "1")]].concat())
    };
    let ran = task("3", "3", "3");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("shard 3 of 7: "), "{}", ran.stdout);
    let before = study.snapshot();
    refused(&task("1", "1", "50"), 2, "usage");
    assert!(study.snapshot() == before, "an array of fifty is not numbered as the plan is");
}

#[test]
fn a_record_that_cannot_be_read_is_one_damaged_shard_among_all() {
    let study = finished();
    let whole = files(&folder(&study, 2));
    study.write("work/shards/00002/shard.json", "");
    std::fs::remove_file(study.file("work/shards/00005/scores.csv")).expect("removes");
    let ran = study.run("score", &["--gather"]);
    refused(&ran, 1, "shard-damaged");
    refused(&ran, 1, "shard-missing");
    for part in ["00002/shard.json", "remove this folder and run its shard again", "not finished: 2, 5"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("remove work/shards"), "{}", ran.stderr);
    refused(&shard(&study, 2), 1, "shard-damaged");
    std::fs::remove_dir_all(folder(&study, 2)).expect("removes");
    assert_eq!((shard(&study, 2).code, shard(&study, 5).code), (0, 0));
    assert!(files(&folder(&study, 2)) == whole);
    assert_eq!(study.run("score", &["--gather"]).code, 0);
}

#[test]
fn a_lost_or_damaged_file_of_the_plan_comes_back_and_the_shards_stay() {
    let study = finished();
    let all = study.snapshot();
    for (name, code) in [("plan.json", "shard-plan-missing"), ("cases.csv", "shard-plan-unreadable")] {
        let name = format!("work/shards/{name}");
        std::fs::remove_file(study.file(&name)).expect("removes");
        let ran = study.run("score", &["--gather"]);
        refused(&ran, 1, code);
        assert!(ran.stderr.contains("score STUDY --plan "), "{}", ran.stderr);
        refused(&shard(&study, 1), 1, code);
        for damage in [None, Some(""), Some("{\"format\": 1}\n")] {
            if let Some(text) = damage {
                study.write(&name, text);
                refused(&study.run("score", &["--gather"]), 1, "shard-plan-unreadable");
            }
            let ran = study.run("score", &["--plan", "7"]);
            assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
            assert!(study.snapshot() == all, "{name} is as it was, and so is every shard");
        }
    }
    // What a killed task or a crash left without a record, or with half of one, is of no other plan.
    std::fs::remove_file(study.file("work/shards/plan.json")).expect("removes");
    std::fs::remove_file(study.file("work/shards/00001/shard.json")).expect("removes");
    study.write("work/shards/00002/shard.json", "");
    assert_eq!(study.run("score", &["--plan", "7"]).code, 0);
    let ran = study.run("score", &["--gather"]);
    refused(&ran, 1, "shard-missing");
    assert!(ran.stderr.contains("shard-damaged") && !ran.stderr.contains("shard-foreign"), "{}", ran.stderr);
    std::fs::remove_dir_all(study.file("work/shards/00002")).expect("removes");
    for number in [1, 2] {
        assert_eq!(shard(&study, number).code, 0);
    }
    // The number that they were planned with is told from another one.
    std::fs::remove_file(study.file("work/shards/plan.json")).expect("removes");
    let ran = study.run("score", &["--plan", "5"]);
    refused(&ran, 30, "shard-plan-differs");
    assert!(ran.stderr.contains("7 shards here are not of this plan: 00001, "), "{}", ran.stderr);
    assert_eq!(study.run("score", &["--plan", "7"]).code, 0);
    assert_eq!(study.run("score", &["--gather"]).code, 0);
}

#[test]
fn what_a_task_left_that_wrote_nothing_is_of_no_plan() {
    let study = planned();
    std::fs::create_dir(folder(&study, 6)).expect("creates");
    assert_eq!(study.run("score", &["--plan", "5"]).code, 0);
    // A folder beyond the plan with nothing in it is in nobody's way.
    let ran = study.run("score", &["--gather"]);
    refused(&ran, 1, "shard-missing");
    assert!(!ran.stderr.contains("shard-foreign"), "{}", ran.stderr);
    assert_eq!(study.run("score", &["--shard", "2/5"]).code, 0);
    let ran = study.run("score", &["--plan", "7"]);
    refused(&ran, 30, "shard-plan-differs");
    assert!(ran.stderr.contains("1 shard here is not of this plan: 00002\n"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_not_called_unfinished() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let study = finished();
    let state = study.file("work/shards/00003/shard.json");
    let told = || {
        let ran = study.run("score", &["--gather"]);
        assert!(ran.stderr.contains("00003/"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("shard-missing"), "it may be finished: {}", ran.stderr);
        ran
    };
    let record = study.read("work/shards/00003/shard.json");
    // A link that leads to itself is there for everybody, also for root, who may read everything.
    std::fs::remove_file(&state).expect("removes");
    symlink("shard.json", &state).expect("links");
    refused(&told(), 1, "io");
    refused(&shard(&study, 3), 1, "io");
    std::fs::remove_file(&state).expect("removes");
    study.write("work/shards/00003/shard.json", &record);
    let mode = |mode: u32| {
        std::fs::set_permissions(&state, std::fs::Permissions::from_mode(mode)).expect("changes");
    };
    mode(0o000);
    if std::fs::read(&state).is_err() {
        let ran = told();
        refused(&ran, 1, "io");
        assert!(ran.stderr.contains("Permission denied"), "{}", ran.stderr);
    }
    mode(0o644);
    // A folder where the table belongs is refused before anything is scored.
    let table = study.file("work/shards/00003/scores.csv");
    std::fs::remove_file(&table).expect("removes");
    std::fs::remove_file(&state).expect("removes");
    std::fs::create_dir(&table).expect("creates");
    refused(&study.run("score", &["--gather"]), 1, "shard-damaged");
    refused(&shard(&study, 3), 1, "shard-damaged");
    assert!(files(&folder(&study, 3)).is_empty(), "nothing was begun");
    std::fs::remove_dir(&table).expect("removes");
    assert_eq!(shard(&study, 3).code, 0);
    assert_eq!(study.run("score", &["--gather"]).code, 0);
}

#[test]
fn weights_that_are_not_the_locked_ones_end_planning_and_gathering() {
    let study = finished();
    let path = study.file("model/weights.safetensors");
    let damage = |path: &Path| {
        let mut bytes = std::fs::read(path).expect("reads");
        *bytes.last_mut().expect("a byte") ^= 1;
        std::fs::write(path, bytes).expect("writes");
    };
    damage(&path);
    refused(&study.run("score", &["--gather"]), 30, "weights-differ");
    refused(&study.run("score", &["--plan", "7"]), 30, "weights-differ");
    assert!(!study.file("scores.csv").exists(), "nothing was gathered");
    std::fs::remove_file(&path).expect("removes");
    refused(&study.run("score", &["--gather"]), 30, "weights-not-there");
    // Of a plan that cannot be nothing is sealed.
    let study = with_model();
    damage(&study.file("model/weights.safetensors"));
    let before = study.snapshot();
    refused(&study.run("score", &["--plan", "7"]), 30, "weights-differ");
    assert!(study.snapshot() == before);
}

#[test]
fn a_plan_of_a_number_that_cannot_be_writes_nothing() {
    let study = with_model();
    let before = study.snapshot();
    assert_eq!(study.run("score", &["--plan", "0"]).code, 2);
    for number in ["81", "4000000000"] {
        refused(&study.run("score", &["--plan", number]), 1, "shard-count");
    }
    assert!(study.snapshot() == before, "neither seal nor ledger");
}

#[test]
fn a_finished_shard_that_lacks_a_case_is_scored_again() {
    let study = finished();
    let whole = files(&folder(&study, 1));
    let table = study.read("work/shards/00001/scores.csv");
    let mut lines: Vec<&str> = table.lines().collect();
    let last = lines.pop().expect("a row");
    let digest = |text: &str| sequester::digest::Digest::of(text.as_bytes()).to_string();
    let short = format!("{}\n", lines.join("\n"));
    let twice = format!("{table}{last}\n");
    for (other, code) in [(&short, "shard-damaged"), (&twice, "duplicate-case")] {
        study.write("work/shards/00001/scores.csv", other);
        study.replace("work/shards/00001/shard.json", &digest(&table), &digest(other));
        let ran = study.run("score", &["--gather"]);
        refused(&ran, 1, code);
        let lacks = ran.stderr.matches("has no row of the case").count();
        assert_eq!(lacks, usize::from(code == "shard-damaged"), "{}", ran.stderr);
        assert_eq!(shard(&study, 1).code, 0);
        assert!(files(&folder(&study, 1)) == whole, "every case of the plan");
    }
}

/// Exports the job of an engine of what lies at a path; the answer, and the text if one was written.
fn exported(at: &Path, engine: &str, more: &[&str]) -> (Ran, Option<String>) {
    let to = tempfile::tempdir().expect("a folder");
    let out = to.path().join("job");
    let mut arguments =
        vec![OsStr::new("export"), at.as_os_str(), OsStr::new("--engine"), OsStr::new(engine)];
    arguments.extend([OsStr::new("--out"), out.as_os_str()]);
    arguments.extend(more.iter().map(OsStr::new));
    let ran = program(&arguments, &[]);
    (ran, std::fs::read_to_string(out).ok())
}

const NAMED: [&str; 4] = ["--image", "sequester:1.0", "--claim", "study"];

#[test]
fn a_job_names_the_study_s_own_folder_however_it_was_named() {
    let study = planned();
    std::fs::create_dir(study.file("sub")).expect("creates");
    let name = study.path().file_name().and_then(OsStr::to_str).expect("a name");
    let within = study.file("sub/..");
    let (ran, text) = exported(&within, "kubernetes", &NAMED);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = text.expect("written");
    assert!(text.contains(&format!("\"score\", \"/data/{name}\", ")) && !text.contains(".."), "{text}");
    for engine in ["slurm", "snakemake"] {
        let text = exported(&within, engine, &[]).1.expect("written");
        assert!(text.contains(&format!("/{name}")) && !text.contains("/.."), "{text}");
    }
    for wrong in [
        &["--image", "", "--claim", "study"][..],
        &["--image", "sequester:1.0", "--claim", " "],
        &[&NAMED[..], &["--mount", "data"]].concat(),
        &[&NAMED[..], &["--mount", ""]].concat(),
        &[&NAMED[..], &["--mount", "/data:ro"]].concat(),
        &[&NAMED[..], &["--data", "films"]].concat(),
    ] {
        let (ran, text) = exported(study.path(), "kubernetes", wrong);
        assert_eq!((ran.code, text), (2, None), "{wrong:?}: {}", ran.stderr);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_a_job_file_cannot_hold_is_refused_and_none_is_invented() {
    use std::os::unix::ffi::OsStrExt as _;

    let study = planned();
    let links = tempfile::tempdir().expect("a folder");
    let link = |name: &[u8]| {
        let link = links.path().join(OsStr::from_bytes(name));
        std::os::unix::fs::symlink(study.path(), &link).expect("links");
        link
    };
    let binary = link(b"non\xff");
    for (engine, more) in [("slurm", &[][..]), ("snakemake", &[]), ("kubernetes", &NAMED)] {
        for (more, code) in [(more, 1), (&[more, &["--json"]].concat(), 2)] {
            let (ran, text) = exported(&binary, engine, more);
            refused(&ran, code, "not-utf8");
            assert!(text.is_none() && ran.stderr.contains("hint: "), "{}", ran.stderr);
        }
    }
    let braces = link(b"{shard}");
    let (ran, text) = exported(&braces, "snakemake", &[]);
    refused(&ran, 2, "usage");
    assert!(text.is_none());
    assert_eq!(exported(&braces, "slurm", &[]).0.code, 0, "to a shell they are nothing");
}

#[test]
fn a_plan_in_another_folder_is_exported_and_the_next_step_names_it() {
    let study = with_model();
    let other = tempfile::tempdir().expect("a folder");
    let out = other.path().join("a b");
    std::fs::create_dir(&out).expect("creates");
    std::fs::rename(study.file("model"), out.join("model")).expect("moves");
    let text = out.to_str().expect("UTF-8");
    let ran = study.run("score", &["--plan", "3", "--out", text]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let next = format!("score {} --out '{text}' --shard 1/3", study.path().display());
    assert!(ran.stdout.contains(&next), "{}", ran.stdout);
    refused(&exported(study.path(), "slurm", &[]).0, 1, "shard-plan-missing");
    let (ran, job) = exported(study.path(), "slurm", &["--study-out", text]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let job = job.expect("written");
    assert!(job.contains(&format!("score {} --out '{text}' \\\n", study.path().display())), "{job}");
    let job = exported(study.path(), "snakemake", &["--study-out", text]).1.expect("written");
    assert!(job.contains(&format!("FOLDER = \"{text}/work/shards\"")), "{job}");
    let named = [&NAMED[..], &["--study-out", text]].concat();
    let job = exported(study.path(), "kubernetes", &named).1.expect("written");
    assert!(job.contains("\"--out\", \"/data/a b\", \"--shard\", \"auto\""), "{job}");
}
