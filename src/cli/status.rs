//! `sequester reads status`: how far the reading is, without any score.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Location, Result, few};
use crate::reads::status::{ReaderStatus, Status};
use crate::storage;
use crate::workflow::status::{self, copy_in_words, drift_in_words, overall, summary};

/// Show how far the reading is: who is missing what, where readers disagree, what needs adjudication.
///
/// Counts the cases of each reader, names the missing ones, and says who is late, how well reference readers
/// agree so far, whose reads are the same beyond what the other readers make probable, and whether the share
/// of positive answers of a reader changes over time. No score is read, nothing is recorded, and it is no
/// opening of the test set: do it as often as you like.
///
/// With --csv one row a reader and a case, with --html a page with everything in it, with --json all of it.
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// A reader who has cases left and gave no answer for longer than so many days is late.
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 7,
        value_parser = clap::value_parser!(i64).range(0..=3650)
    )]
    late_after: i64,
    /// Write one row a reader and a case to this file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a page to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// So many ids are named in the terminal; the files and `--json` have all.
const NAMED: usize = 10;

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in case tables and readers' files.
pub fn run(args: &StatusArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let looked = status::look(&study, context.now.naive_utc(), args.late_after)?;
    if let Some(path) = &args.csv {
        write(path, &looked.csv, b"reader_id,role,case_id,state,read,time")?;
    }
    if let Some(path) = &args.html {
        let page = status::page(&looked.status, &study.protocol.study.title, &context.timestamp())?;
        write(path, &page, b"<!DOCTYPE html>")?;
    }
    for warning in &looked.warnings {
        eprintln!("{warning}");
    }
    if context.json {
        let mut report = serde_json::to_value(&looked.status).unwrap_or_default();
        if let Value::Object(fields) = &mut report {
            fields.insert("warnings".to_owned(), json!(looked.warnings));
        }
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    print!("{}", text(&looked.status));
    Ok(Outcome::Done)
}

/// Replaces an earlier file of this kind, and nothing else.
fn write(path: &Path, bytes: &[u8], begin: &[u8]) -> Result<()> {
    if path.exists() && !storage::read(path)?.starts_with(begin) {
        return Err(Diagnostic::error(Code::FileExists, "the file is there and is none of this kind")
            .at(Location::file(path))
            .hint("give another name; nothing was written")
            .into());
    }
    storage::write_atomic(path, bytes)
}

fn some(ids: &[String]) -> String {
    few::and_more(ids, NAMED)
}

fn text(status: &Status) -> String {
    let mut out = format!("{}\n\n", summary(status));
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "reader",
        "role",
        "read",
        "expected",
        "missing",
        "positive",
        "negative",
        "cannot tell",
        "unreadable",
        "not completed",
        "last read",
    ]);
    for reader in &status.readers {
        table.add_row(row(reader));
    }
    out += &format!("{table}\n");
    for round in &status.rounds {
        let waiting = if round.waiting.is_empty() { "nobody".to_owned() } else { some(&round.waiting) };
        out += &format!(
            "round {} ({}), {} cases: {} of {} readers gave something back; waiting for {waiting}\n",
            round.name,
            round.kind,
            round.cases,
            round.returned.len(),
            round.returned.len() + round.waiting.len()
        );
    }
    for reader in &status.readers {
        if let Some(missing) = reader.missing.as_ref().filter(|missing| !missing.is_empty()) {
            let late = if reader.late { ", late" } else { "" };
            out += &format!("missing of {}{late}: {}: {}\n", reader.id, missing.len(), some(missing));
        }
    }
    if !status.disagreements.is_empty() {
        let ids: Vec<String> = status.disagreements.iter().map(|one| one.case_id.clone()).collect();
        out += &format!("reference readers disagree: {}: {}\n", ids.len(), some(&ids));
    }
    if !status.to_adjudicate.is_empty() {
        let ids = &status.to_adjudicate;
        out += &format!("needs adjudication: {}: {}\n", ids.len(), some(ids));
    }
    for (why, ids) in &status.open {
        out += &format!("no reference standard yet, {why}: {}: {}\n", ids.len(), some(ids));
    }
    if !status.pairs.is_empty() {
        out += "\nagreement so far, on cases that both answered with yes or no\n";
        for pair in &status.pairs {
            let kappa = pair.kappa.map_or("not evaluable".to_owned(), |kappa| format!("{kappa:.3}"));
            out += &format!(
                "{} and {}: same answer on {} of {}, kappa {kappa}\n",
                pair.readers[0], pair.readers[1], pair.agreed, pair.cases
            );
        }
        out += &format!("{}\n", overall(status));
    }
    if !status.comments.is_empty() {
        out += &format!("\ncomments: {}; --csv, --html and --json have them\n", status.comments.len());
    }
    if !status.copies.is_empty() {
        out += "\nprobably copied\n";
        for copy in &status.copies {
            out += &format!("{} {} and {}: {}\n", copy.what, copy.of[0], copy.of[1], copy_in_words(copy));
        }
        out += &format!("{}\n", status::COPIES);
    }
    let drifting: Vec<&ReaderStatus> = status.readers.iter().filter(|reader| reader.drift.told).collect();
    if !drifting.is_empty() {
        out += "\nthe share of positive answers changes over time\n";
        for reader in drifting {
            out += &format!("{}: positive in each quarter {}\n", reader.id, drift_in_words(&reader.drift));
        }
        out += &format!("{}\n", status::DRIFT);
    }
    out
}

fn row(reader: &ReaderStatus) -> Vec<String> {
    let or_any = |n: Option<usize>| n.map_or("any".to_owned(), |n| n.to_string());
    let last = reader.last_read.map(|last| last.date().to_string()).unwrap_or_default();
    let last = if reader.late { format!("{last} late").trim().to_owned() } else { last };
    vec![
        reader.id.clone(),
        reader.role.to_owned(),
        reader.read.to_string(),
        or_any(reader.expected),
        or_any(reader.missing.as_ref().map(Vec::len)),
        reader.positive.to_string(),
        reader.negative.to_string(),
        reader.indeterminate.to_string(),
        reader.uninterpretable.to_string(),
        reader.not_completed.to_string(),
        last,
    ]
}
