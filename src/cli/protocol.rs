//! `sequester protocol`: locks the protocol, amends it, says by meaning what differs, and writes deviations
//! down.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::document::format;
use crate::evidence::amendment::differences;
use crate::evidence::deviation::{Deviation, Grade};
use crate::evidence::ledger::Event;
use crate::protocol::meaning::Meaning;
use crate::storage;
use crate::workflow::deviation::{self, Said};
use crate::workflow::study::Study;
use crate::workflow::{amendment, names};

/// Lock the protocol, amend it with a reason, compare two by meaning, record deviations.
///
/// The first step of a study that writes locks the protocol as well. After that a change is an amendment: it
/// is numbered and dated, needs a reason, and documents list it with every key that means something else and
/// with whether the test set had been opened. What was done otherwise than declared is a deviation.
#[derive(Debug, Args)]
pub struct ProtocolArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Lock(LockArgs),
    Amend(AmendArgs),
    Diff(DiffArgs),
    Deviation(DeviationArgs),
}

/// Lock the protocol: its digest goes to the ledger, and a change is an amendment from then on.
///
/// No data are needed. The same protocol again does nothing.
#[derive(Debug, Args)]
struct LockArgs {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what would be locked, and lock nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Lock the protocol as it is now as an amendment of the one that was locked.
///
/// What changed is told key by key from the two texts; comments and order are no change of meaning. Before
/// the test set is opened an amendment may draw another one, which is sealed anew. Afterwards it may not, and
/// every page of the documents says that the protocol was amended after the opening. `validate` then needs a
/// reason too.
#[derive(Debug, Args)]
struct AmendArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Why the protocol is amended; documents print it.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what the amendment would be, and record nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Say by meaning how two protocols differ: key, before, since.
///
/// Exit code 0 where they mean the same, whatever their comments, their order and their zeros; 10 where they
/// differ.
#[derive(Debug, Args)]
struct DiffArgs {
    /// A protocol, or the folder of a study.
    #[arg(value_name = "PROTOCOL")]
    before: PathBuf,
    /// The protocol that it is compared with.
    #[arg(value_name = "PROTOCOL")]
    after: PathBuf,
}

/// Write down what was done otherwise than the locked protocol declares.
///
/// It is added to deviations.toml, a file that only grows: the ledger holds its digest after each, and
/// `verify` finds what was removed, edited or slipped in. A wrong entry is corrected by another one.
/// Documents
/// list all; `validate` publishes the same results again with those that came later.
#[derive(Debug, Args)]
struct DeviationArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// The day on which it happened, as 2026-01-31.
    #[arg(long, value_name = "DAY")]
    date: String,
    /// Whether it may affect results, conclusion or the rights of patients.
    #[arg(long, value_name = "GRADE", value_parser = ["major", "minor"])]
    grade: String,
    /// What was done otherwise.
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// What it means for the results.
    #[arg(long, value_name = "TEXT")]
    impact: String,
    /// Ids of the cases that it affects, separated by commas.
    #[arg(long, value_name = "CASES", value_delimiter = ',')]
    affects: Vec<String>,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what would be recorded, and record nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in a protocol; `Error::Lock` where an amendment is refused; `Error::Evidence` where the
/// file of deviations is not what the ledger records.
pub fn run(args: &ProtocolArgs, context: Context) -> Result<Outcome> {
    match &args.what {
        What::Lock(args) => lock(args, context),
        What::Amend(args) => amend(args, context),
        What::Diff(args) => diff(args, context),
        What::Deviation(args) => deviate(args, context),
    }
}

fn lock(args: &LockArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    let before = study.ledger()?.last(Event::ProtocolLocked).cloned();
    let digest = Digest::of(&study.protocol_bytes);
    let same = |entry: &crate::evidence::ledger::Entry| entry.digests.get("protocol.toml") == Some(&digest);
    // What is refused is refused in a dry run too; nothing is written where it is locked already.
    let writes = before.is_none() && !args.dry_run;
    if writes || before.as_ref().is_some_and(|entry| !same(entry)) {
        let _alone = study.alone()?;
        study.lock_protocol(&outside)?;
    }
    let at = study.ledger()?.last(Event::ProtocolLocked).map(|entry| entry.at.clone());
    if context.json {
        let report = json!({
            "study": study.protocol.study.id, "version": study.protocol.study.version, "digest": digest,
            "locked_at": at, "already_locked": before.is_some(), "dry_run": args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    let what = format!("{}, version {}", study.protocol.study.id, study.protocol.study.version);
    match (&before, args.dry_run) {
        (Some(entry), _) => println!("the protocol of {what} is as it was locked at {}", entry.at),
        (None, true) => println!("would lock the protocol of {what}; dry run: nothing was done"),
        (None, false) => println!("locked the protocol of {what}"),
    }
    println!("SHA-256 {digest}");
    Ok(Outcome::Done)
}

fn amend(args: &AmendArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    let amended = if args.dry_run {
        amendment::proposed(&study)?
    } else {
        let _alone = study.alone()?;
        refuse_names(&study)?;
        amendment::amend(&study, args.reason.as_deref().unwrap_or_default(), &outside)?
    };
    if context.json {
        println!("{:#}", json!({"amendment": amended, "recorded": amended.is_some() && !args.dry_run}));
        return Ok(Outcome::Done);
    }
    let Some(amended) = amended else {
        println!("the protocol is as it was locked: there is nothing to amend");
        return Ok(Outcome::Done);
    };
    let when = match amended.openings {
        0 => "before the test set was opened".to_owned(),
        openings => format!("AFTER the test set was opened ({})", format::times(openings)),
    };
    let recorded = if args.dry_run { "would be recorded" } else { "is recorded" };
    println!("amendment {} {recorded}, {when}", amended.number);
    told(&amended.meaning);
    if let Some(cases) = amended.drawn_anew {
        let sealed = if args.dry_run { "would be sealed" } else { "is sealed" };
        println!("another test set is drawn, of {cases} cases, and {sealed} anew");
    }
    if amended.openings > 0 {
        println!("every page of the documents will say that the protocol was amended after the opening");
    }
    println!("SHA-256 {}", amended.digest);
    if args.dry_run {
        println!("dry run: nothing was done");
    }
    Ok(Outcome::Done)
}

/// Names that no bundle can hold, as at the first lock.
fn refuse_names(study: &Study) -> Result<()> {
    let wrong: Vec<_> = names::of_study(study)
        .into_iter()
        .filter(|problem| problem.severity == crate::diagnostic::Severity::Error)
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// Prints what differs.
fn told(meaning: &Meaning) {
    for change in &meaning.changes {
        println!("  {}", change.in_words());
    }
    for list in &meaning.reordered {
        println!("  {list}: another order, which says nothing about what is done");
    }
    if meaning.is_same() {
        println!("  no change of meaning: comments, order or spelling alone");
    }
}

fn diff(args: &DiffArgs, context: Context) -> Result<Outcome> {
    let read = |path: &Path| -> Result<(String, Vec<u8>)> {
        let file = if path.is_dir() { path.join("protocol.toml") } else { path.to_path_buf() };
        Ok((file.display().to_string(), storage::read(&file)?))
    };
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let meaning = differences((&before.0, &before.1), (&after.0, &after.1))?;
    let identical = before.1 == after.1;
    if context.json {
        let report = json!({
            "before": before.0, "after": after.0, "same_meaning": meaning.is_same(),
            "same_bytes": identical, "changes": meaning.changes, "reordered": meaning.reordered,
        });
        println!("{report:#}");
    } else if identical {
        println!("the same bytes");
    } else {
        told(&meaning);
    }
    Ok(if meaning.is_same() { Outcome::Done } else { Outcome::CriterionNotMet })
}

fn deviate(args: &DeviationArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    let grade = Grade::NAMES.into_iter().find(|(name, _)| *name == args.grade).map_or(Grade::Major, |g| g.1);
    let said = Said {
        date: &args.date,
        grade,
        description: &args.description,
        impact: &args.impact,
        cases: &args.affects,
    };
    let deviation = if args.dry_run {
        deviation::proposed(&study, &said, &outside)?
    } else {
        let _alone = study.alone()?;
        deviation::record(&study, &said, &outside)?
    };
    let place = deviation::place(&study);
    if context.json {
        let report = json!({"deviation": deviation, "file": place, "recorded": !args.dry_run});
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    let Deviation { number, date, description, impact, .. } = &deviation;
    let recorded = if args.dry_run { "would be recorded" } else { "is recorded" };
    println!("deviation {number} ({}) of {date} {recorded} in {}", grade.name(), place.display());
    println!("  {description}");
    println!("  impact: {impact}");
    if args.dry_run {
        println!("dry run: nothing was done");
    } else if !study.runs().is_empty() {
        println!("next: sequester validate {}   publishes the results with it", study.folder.display());
    }
    Ok(Outcome::Done)
}
