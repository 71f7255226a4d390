//! `sequester change`: a predetermined change control plan is made, checked and locked, and a new version is
//! held against it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::who::WhoArgs;
use super::{Context, Outcome, validate};
use crate::diagnostic::Result;
use crate::evidence::ledger::Event;
use crate::study::results::{Acceptance, ChangeResult, Verdict};
use crate::workflow::change::{self, Candidate};
use crate::workflow::change_permit;

/// Plan changes of a device after it is cleared, and hold new versions against the plan.
///
/// A predetermined change control plan says beforehand which kinds of change a new version may
/// show, how it is made, by which comparisons with the version before it is accepted, how often the
/// test set may be opened, and what the changes mean. The study of a new version is made from its
/// predecessor's bundle: the same protocol, cases and reference standard.
///
///   sequester change init v2 --predecessor v1          a study with a plan to be completed
///   sequester change check v2/change/plan.toml         everything that is wrong at once
///   sequester change lock v2/change/plan.toml          the plan does not change any more
///   sequester change assess v2/change/plan.toml --lock NEW/lock.json --scores NEW.csv
///   sequester verify v2 --predecessor v1               does the chain hold?
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ChangeArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Init(InitArgs),
    Check(CheckArgs),
    Lock(LockArgs),
    Assess(AssessArgs),
}

/// Make the study of a new version from its predecessor's bundle, with a commented plan.
///
/// The bundle has to verify, and holds a lock. Protocol, cases and readers' files are taken from it byte for
/// byte, and so are the scores that a new version is compared with.
#[derive(Debug, Args)]
struct InitArgs {
    /// Folder of the new study.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Bundle of the version that is built on, or its study (its newest run is taken).
    #[arg(long, value_name = "BUNDLE")]
    predecessor: PathBuf,
}

/// Say everything that is wrong with a plan; nothing is written.
#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    plan: PlanArgs,
}

/// Lock a plan: its digest goes to the ledger, and a changed plan is refused from then on.
///
/// The protocol is locked with it. The predecessor has to verify, and what the study took from it has to be
/// its own. The same plan again does nothing.
#[derive(Debug, Args)]
struct LockArgs {
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what would be locked, and lock nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Hold a new version against the locked plan.
///
/// Its kinds of change are found by comparing its lock with the predecessor's. Where the plan allows them and
/// an opening is left, the test set is opened for it: it is compared with its predecessor overall and in the
/// declared subgroups, the study's own endpoints are judged as before, and a bundle is written that names its
/// predecessor. Exit code 0 where it is accepted, 10 where it is not, 30 where the plan forbids a kind of
/// change or no opening is left, 20 where the predecessor does not verify. Every assessment is in the ledger.
#[derive(Debug, Args)]
struct AssessArgs {
    #[command(flatten)]
    plan: PlanArgs,
    /// lock.json of the new version, with its weights beside it.
    #[arg(long, value_name = "LOCK")]
    lock: PathBuf,
    /// Scores of the new version on the study's cases.
    #[arg(long, value_name = "SCORES")]
    scores: PathBuf,
    /// Why the test set is opened again, for documents [default: that the plan foresees it].
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    who: WhoArgs,
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// The plan: change/plan.toml of a study, or the study's folder.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Where the predecessor's bundle lies [default: where the plan says].
    #[arg(long, value_name = "BUNDLE")]
    predecessor: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in a plan; `Error::Lock` where it is violated; `Error::Evidence` where the predecessor
/// does not hold.
pub fn run(args: &ChangeArgs, context: Context) -> Result<Outcome> {
    match &args.what {
        What::Init(args) => init(args, context),
        What::Check(args) => check(args, context),
        What::Lock(args) => lock(args, context),
        What::Assess(args) => assess(args, context),
    }
}

fn init(args: &InitArgs, context: Context) -> Result<Outcome> {
    let plan = change::init(&args.folder, &args.predecessor)?;
    if context.json {
        println!("{:#}", json!({"study": args.folder, "plan": plan}));
        return Ok(Outcome::Done);
    }
    println!("wrote {} with the predecessor's protocol, cases, reads and scores", args.folder.display());
    println!("next: complete {}, then", plan.display());
    println!("  sequester change check {}", plan.display());
    println!("  sequester change lock {}", plan.display());
    Ok(Outcome::Done)
}

fn check(args: &CheckArgs, context: Context) -> Result<Outcome> {
    let study = change::study_of(&args.plan.plan, None)?;
    let planned = change_permit::plan_of(&study)?;
    change::check_predecessor(&study, &planned, args.plan.predecessor.as_deref())?;
    let warnings = change_permit::doubts(&planned);
    if context.json {
        let report = json!({
            "plan": planned.plan.id, "digest": planned.digest(), "predecessor": planned.plan.predecessor,
            "allowed": planned.plan.modifications.iter().map(|m| m.kind).collect::<Vec<_>>(),
            "openings": planned.plan.openings, "warnings": warnings,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    for warning in &warnings {
        eprintln!("{warning}");
    }
    let kinds: Vec<&str> = planned.plan.modifications.iter().map(|m| m.kind.name()).collect();
    println!("the plan {} can be locked", planned.plan.id);
    println!("allowed: {}; openings of the test set: {}", kinds.join(", "), planned.plan.openings);
    println!("predecessor: root {}", planned.plan.predecessor.root);
    println!("SHA-256 {}", planned.digest());
    Ok(Outcome::Done)
}

fn lock(args: &LockArgs, context: Context) -> Result<Outcome> {
    let study = change::study_of(&args.plan.plan, None)?;
    let outside = args.who.outside(context)?;
    let _alone = if args.dry_run { None } else { Some(study.alone()?) };
    let locked = change::lock_plan(&study, args.plan.predecessor.as_deref(), args.dry_run, &outside)?;
    let (plan, digest) = (&locked.planned.plan, locked.planned.digest());
    let warnings = change_permit::doubts(&locked.planned);
    if context.json {
        let report = json!({
            "plan": plan.id, "digest": digest, "locked_at": study.ledger()?.last(Event::ChangePlanLocked)
                .map(|entry| entry.at.clone()),
            "already_locked": locked.before.is_some(), "dry_run": args.dry_run, "warnings": warnings,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    for warning in &warnings {
        eprintln!("{warning}");
    }
    match (&locked.before, args.dry_run) {
        (Some(at), _) => println!("the plan {} is as it was locked at {at}", plan.id),
        (None, true) => println!("would lock the plan {}; dry run: nothing was done", plan.id),
        (None, false) => println!("locked the plan {}", plan.id),
    }
    println!("SHA-256 {digest}");
    Ok(Outcome::Done)
}

fn assess(args: &AssessArgs, context: Context) -> Result<Outcome> {
    let study = change::study_of(&args.plan.plan, None)?;
    let outside = args.who.outside(context)?;
    let validated = {
        let _alone = study.alone()?;
        let candidate = Candidate {
            lock: &args.lock,
            scores: &args.scores,
            predecessor: args.plan.predecessor.as_deref(),
            reason: args.reason.as_deref(),
        };
        change::assess(&study, candidate, &outside)?
    };
    // Every study with a plan has it.
    let Some(found) = &validated.results.change else { return Ok(Outcome::CriterionNotMet) };
    let used = study.ledger()?.count(Event::TestSetOpened);
    if context.json {
        let report = json!({
            "bundle": validated.bundle, "unchanged": validated.unchanged, "openings_used": used,
            "conclusion": validated.results.conclusion, "change": found,
        });
        println!("{report:#}");
    } else {
        show(found, used);
        let how = if validated.unchanged { "unchanged" } else { "written" };
        println!("evidence {how}: {}", validated.bundle.display());
        println!("next: sequester report {} --documents all", study.folder.display());
    }
    Ok(if found.verdict == Verdict::Met { Outcome::Done } else { Outcome::CriterionNotMet })
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::NotMet => "NOT MET",
        Verdict::NotEvaluable => "not evaluable",
    }
}

fn show(found: &ChangeResult, used: usize) {
    for change in &found.found {
        let allowed = if change.allowed { "allowed" } else { "NOT ALLOWED" };
        println!("change of {}: {allowed} ({} values)", change.kind.name(), change.differences.len());
    }
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
    for Acceptance { subgroup, judged, result, .. } in &found.acceptance {
        let place = subgroup.as_ref().map_or("overall".to_owned(), ToString::to_string);
        let answer = if *judged { word(result.verdict) } else { "too few cases to be judged, as declared" };
        println!(
            "{} ({place}, {} cases): {} less {} is {}, {}; {} by {}: {answer}",
            result.id,
            result.n,
            number(result.device),
            number(result.other),
            number(result.difference),
            validate::limits(result),
            result.aim.id(),
            result.margin,
        );
    }
    println!("the study's own primary endpoints: {}", word(found.goals));
    println!("openings of the test set: {used} of {}", found.openings);
    println!(
        "{}",
        match found.verdict {
            Verdict::Met => "the new version is accepted by its plan",
            Verdict::NotMet => "the new version is NOT accepted by its plan",
            Verdict::NotEvaluable => "whether the new version can be accepted is not evaluable: it is not",
        }
    );
}
