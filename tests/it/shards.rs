//! One study scored in parts is the study that one process scores, whatever happens to a part.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
