//! `sequester reads import`: readers' files come in as they are.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::document::format;
use crate::protocol::ReadsFormat;
use crate::workflow::import::{self, Found, Plan, Request};

/// Bring readers' files in as their platform exported them.
///
/// Says first who read how many cases with which answers, what is no read and why, and what would be a read
/// of a case or a reader that the study does not have; only then, and only if all of it can be read as the
/// protocol's `[reads]` declares, are the files kept byte for byte in the readers' folder. Who brought them
/// in (--by), when, with which digest and what the readers saw (--blinding) goes to the register beside them
/// and to the ledger, and both are part of the evidence. Start with --dry-run.
///
/// A correction never replaces a file: import the new one under another name with --supersedes OLD --reason
/// "...". Both files stay; every read and every case's reference standard that changes is listed and kept.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Files as they were exported.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What the files are taken for; must be what `[reads]` declares.
    #[arg(long = "from", value_name = "FORMAT", value_parser = formats())]
    format: Option<String>,
    /// Only look: write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Keep this column (of JSON: this key) out of the evidence; the file as it came stays beside the study.
    /// Repeatable.
    #[arg(long, value_name = "COLUMN")]
    withhold: Vec<String>,
    /// Keep columns that identify a person, such as e-mail addresses: they are then part of the evidence,
    /// which is never changed. Without it such files are refused until --withhold names the columns.
    #[arg(long)]
    keep_identifying: bool,
    /// The imported file that this one corrects, relative to the data folder.
    #[arg(long, value_name = "FILE", requires = "reason")]
    supersedes: Option<String>,
    /// Why it is corrected.
    #[arg(long, value_name = "TEXT", requires = "supersedes")]
    reason: Option<String>,
    /// What the readers saw and did not see, in words.
    #[arg(long, value_name = "TEXT")]
    blinding: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
}

fn formats() -> clap::builder::PossibleValuesParser {
    ReadsFormat::NAMES.map(|(name, _)| name).into()
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the files or in what was asked for; nothing is kept then.
pub fn run(args: &ImportArgs, context: Context) -> Result<Outcome> {
    if args.blinding.as_ref().is_some_and(|text| text.trim().is_empty()) {
        let problem = Diagnostic::error(Code::ValueMissing, "the statement on blinding is empty");
        return Err(Error::usage(problem.hint("say what the readers saw and did not see, or leave it out")));
    }
    let study = args.study.open()?;
    let _alone = if args.dry_run { None } else { Some(study.alone()?) };
    let outside = args.who.outside(context)?;
    let named = |name: &String| ReadsFormat::NAMES.iter().find(|(known, _)| known == name).map(|(_, f)| *f);
    let request = Request {
        files: &args.files,
        format: args.format.as_ref().and_then(named),
        withhold: &args.withhold,
        supersedes: args.supersedes.as_deref(),
        reason: args.reason.as_deref(),
        blinding: args.blinding.as_deref(),
    };
    let plan = import::plan(&study, &request, &outside)?;
    let identifying: Vec<Diagnostic> = plan.files.iter().flat_map(identifying).collect();
    if !args.dry_run {
        if !args.keep_identifying && !identifying.is_empty() {
            return Err(Error::Input(identifying));
        }
        import::keep(&study, &plan, args.reason.as_deref(), &outside)?;
    }
    if context.json {
        println!("{:#}", value(&plan, args.dry_run));
    } else {
        print!("{}", text(&plan, args));
    }
    if args.dry_run {
        for mut told in identifying {
            told.severity = Severity::Warning;
            eprintln!("{told}");
        }
    }
    plan.files.iter().flat_map(|found| &found.warnings).for_each(|warning| eprintln!("{warning}"));
    Ok(Outcome::Done)
}

/// Columns that would make a person part of the evidence. Of a file that was kept already nothing is said: it
/// is too late.
fn identifying(found: &Found) -> Vec<Diagnostic> {
    let told = |(column, why): (&String, &&str)| {
        let message = format!("the column or key `{column}` identifies a person: {why}");
        Diagnostic::error(Code::IdentifiesPerson, message).at(Location::file(&found.source)).hint(format!(
            "--withhold {column:?} keeps it out of the evidence; --keep-identifying keeps it there, for good"
        ))
    };
    if found.already { Vec::new() } else { found.identifying.iter().map(told).collect() }
}

fn value(plan: &Plan, dry_run: bool) -> Value {
    let file = |found: &Found| {
        let readers: Vec<Value> = found
            .readers
            .iter()
            .map(|(id, counts)| {
                let reads: serde_json::Map<String, Value> =
                    counts.reads.iter().map(|(read, n)| (read.name().to_owned(), json!(n))).collect();
                json!({"id": id, "cases": counts.cases, "repeated": counts.repeated, "reads": reads})
            })
            .collect();
        let no_reads: serde_json::Map<String, Value> =
            found.no_reads.iter().map(|(reason, n)| (reason.name().to_owned(), json!(n))).collect();
        let labels: serde_json::Map<String, Value> =
            found.labels.iter().map(|(label, n)| (label.name().to_owned(), json!(n))).collect();
        json!({
            "source": found.source.to_string_lossy(), "file": found.file, "sha256": found.sha256.to_string(),
            "already": found.already, "readers": readers, "no_reads": no_reads, "given": found.given,
            "comments": found.comments,
            "labels": labels,
            "identifying": found.identifying, "warnings": found.warnings,
        })
    };
    json!({
        "dry_run": dry_run,
        "files": plan.files.iter().map(file).collect::<Vec<_>>(),
        "correction": plan.correction,
        "incomplete": plan.incomplete,
        "not_read": plan.not_read,
        "imports": plan.register.imports.len(),
    })
}

fn text(plan: &Plan, args: &ImportArgs) -> String {
    let mut out = String::new();
    for found in &plan.files {
        out += &format!("{} -> {}\n", found.source.display(), found.file);
        if found.already {
            out += "  imported already; nothing to do\n";
        }
        if !found.labels.is_empty() {
            let counts: Vec<String> =
                found.labels.iter().map(|(label, n)| format!("{n} {}", label.name())).collect();
            let all: usize = found.labels.values().sum();
            out += &format!("  labels of {all} cases: {}\n  sha256 {}\n", counts.join(", "), found.sha256);
            continue;
        }
        let reads: usize = found.readers.values().flat_map(|counts| counts.reads.values()).sum();
        let readers = if found.readers.len() == 1 { "reader" } else { "readers" };
        out += &format!("  {reads} reads of {} {readers}\n", found.readers.len());
        for (id, counts) in &found.readers {
            let answers: Vec<String> =
                counts.reads.iter().map(|(read, n)| format!("{n} {}", read.name())).collect();
            let again = match counts.repeated {
                0 => String::new(),
                n => format!("; {n} cases read more than once"),
            };
            out += &format!("  reader {id}: {} cases: {}{again}\n", counts.cases, answers.join(", "));
        }
        for (reason, n) in &found.no_reads {
            out += &format!("  no read: {n} {}\n", reason.words());
        }
        if found.given > 0 {
            out += &format!(
                "  {} labels marked as ground truth or adjudicated: they do not vote\n",
                found.given
            );
        }
        if found.comments > 0 {
            out += &format!(
                "  {}: free text that becomes evidence and stands in documents; read it, and keep it out \
                 with --withhold and the name of its column (`comment` in a form) if it names anybody\n",
                format::counted(found.comments, "comment")
            );
        }
        out += &format!("  sha256 {}\n", found.sha256);
    }
    for (reader, cases) in &plan.not_read {
        let some: Vec<&str> = cases.iter().take(5).map(String::as_str).collect();
        let more = if cases.len() > some.len() { ", ... (`sequester reads status` names all)" } else { "" };
        let number = format::counted(cases.len(), "drawn case");
        out += &format!("  not read by {reader}: {number} of {}: {}{more}\n", plan.drawn, some.join(", "));
    }
    for open in &plan.incomplete {
        out += &format!("no reference standard yet: {}\n", open.message);
    }
    if let Some(correction) = &plan.correction {
        out += &format!(
            "takes the place of {}: {} and the reference standard of {} changed\n",
            correction.supersedes,
            format::counted(correction.reads.len(), "read"),
            format::counted(correction.reference.len(), "case")
        );
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        for read in &correction.reads {
            let (before, after) = (shown(&read.before), shown(&read.after));
            out += &format!("  case {}, reader {}: {before} -> {after}\n", read.case, read.reader);
        }
        for case in &correction.reference {
            out += &format!("  case {}, reference standard: {} -> {}\n", case.case, case.before, case.after);
        }
    }
    let all_there = plan.files.iter().all(|found| found.already);
    if args.dry_run {
        out += "nothing was written; the same command without --dry-run keeps the files\n";
    } else if !all_there && args.blinding.is_none() {
        out += "kept, without a statement on blinding (--blinding \"...\")\n";
    } else if !all_there {
        out += "kept\n";
    }
    out
}
