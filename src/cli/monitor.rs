//! `sequester monitor`: a device in use, by a plan that was sealed before the first batch.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::who::WhoArgs;
use super::{Context, Outcome, versions};
use crate::diagnostic::{Code, Diagnostic, Error, Result, Severity};
use crate::monitoring::judgement::MonthJudged;
use crate::monitoring::month::Month;
use crate::report::Formats;
use crate::storage;
use crate::workflow::monitor::{self, Monitored, Standing};

/// Watch a device in use, by a plan that is sealed before the first batch.
///
/// `init` writes a plan, `seal` binds it to the evidence of the validation, `add` takes the scores
/// of a month, `report` and `status` say what they show, `answer` writes down what followed from an
/// alarm, `verify` checks that everything is as it was recorded. Without labels nothing is said
/// about how well the device performs. `versions` compares two versions of a device on old and new
/// data.
///
///   sequester monitor init watch
///
///   sequester monitor seal watch --study study
///
///   sequester monitor add watch march.csv --month 2026-03
///
/// Exit code 10: an alarm. 30: the plan is not the one that was sealed, or a batch is of another
/// device. 20: a file is not the one that was recorded.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MonitorArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Init(InitArgs),
    Seal(SealArgs),
    Add(AddArgs),
    Status(StatusArgs),
    Report(ReportArgs),
    Answer(AnswerArgs),
    Verify(VerifyArgs),
    Versions(versions::VersionsArgs),
}

/// Write a plan to begin from.
#[derive(Debug, Args)]
struct InitArgs {
    /// Folder of the plan; it may exist, but must not hold one.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Bind the plan to the evidence of the validation; from here on it does not change.
///
/// The evidence is verified first. What the plan compares with is taken from it: the scores, the reference
/// standard and the declared columns of the validation's cases, the operating point and the model's lock.
#[derive(Debug, Args)]
struct SealArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The evidence bundle of the validation.
    #[arg(long, value_name = "DIR", required_unless_present = "study", conflicts_with = "study")]
    bundle: Option<PathBuf>,
    /// The study whose last bundle is meant.
    #[arg(long, value_name = "STUDY")]
    study: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Take the scores of a month, with or without labels.
///
/// The months come in the order of time, each once. A batch that is refused leaves nothing behind.
#[derive(Debug, Args)]
struct AddArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The table of the batch, one row a case.
    #[arg(value_name = "BATCH.csv")]
    batch: PathBuf,
    /// The month, such as 2026-03 [default: that of the declared column of days].
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<Month>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Say what the batches so far show.
///
/// Exit code 10 as long as an alarm has no answer.
#[derive(Debug, Args)]
struct StatusArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
}

/// Write the report of the batches so far.
///
/// Exit code 10 as long as an alarm has no answer.
#[derive(Debug, Args)]
struct ReportArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Folder for the report [default: reports in the plan's folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder with a monitoring.md of your own in place of the built-in one.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// A font for characters that the built-in fonts lack (.ttf, .otf, .ttc); may be given several times.
    #[arg(long, value_name = "FILE")]
    font: Vec<PathBuf>,
    /// Write HTML and Markdown alone.
    #[arg(long)]
    no_pdf: bool,
}

/// Write down what followed from the alarms of a month.
#[derive(Debug, Args)]
struct AnswerArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The month, such as 2026-03.
    #[arg(long, value_name = "YYYY-MM")]
    month: Month,
    /// What was found and done.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    who: WhoArgs,
}

/// Check that plan, seal, cohort, batches and alarms are as they were recorded.
#[derive(Debug, Args)]
struct VerifyArgs {
    /// Folder of the plan, or monitoring.toml in it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// The evidence bundle of the validation: seal and cohort are then taken from it again.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Whatever keeps the plan or a batch from being read, and what is not as it was recorded.
pub fn run(args: &MonitorArgs, context: Context) -> Result<Outcome> {
    match &args.what {
        What::Init(args) => init(args, context),
        What::Seal(args) => seal(args, context),
        What::Add(args) => add(args, context),
        What::Status(args) => status(args, context),
        What::Report(args) => report(args, context),
        What::Answer(args) => answer(args, context),
        What::Verify(args) => verify(args, context),
        What::Versions(args) => versions::run(args, context),
    }
}

fn init(args: &InitArgs, context: Context) -> Result<Outcome> {
    let path = monitor::init(&args.folder)?;
    if context.json {
        println!("{:#}", json!({"format": "sequester-monitor-init/1", "plan": path}));
    } else {
        println!("plan: {}", path.display());
    }
    Ok(Outcome::Done)
}

fn seal(args: &SealArgs, context: Context) -> Result<Outcome> {
    let Some(evidence) = args.bundle.as_ref().or(args.study.as_ref()) else {
        let problem = Diagnostic::error(Code::NotABundle, "neither --bundle nor --study is given");
        return Err(Error::usage(problem));
    };
    let mut monitored = Monitored::open(&args.plan)?;
    let seal = monitored.seal(evidence, &args.who.outside(context)?)?;
    if context.json {
        println!("{:#}", json!({"format": "sequester-monitor-seal/1", "seal": seal}));
        return Ok(Outcome::Done);
    }
    println!("sealed: {} with study {} version {}", seal.plan, seal.study, seal.study_version);
    println!("  plan     {}", seal.plan_sha256);
    println!("  evidence {}", seal.bundle_root);
    if let Some(lock) = seal.lock_sha256 {
        println!("  lock     {lock}");
    }
    for chart in &seal.charts {
        let from = match chart.cohort_cases {
            Some(cases) => format!("{cases} cases of the validation"),
            None => "declared".to_owned(),
        };
        println!(
            "  chart {}: in control {:.4} ({from}), limit {:.4}; months up to an alarm: {:.0} in \
             control, {:.1} after \
             a shift of one standard error of a month, {:.1} after two",
            chart.id,
            chart.in_control,
            chart.limit,
            chart.run_length,
            chart.run_length_after_one,
            chart.run_length_after_two,
        );
    }
    Ok(Outcome::Done)
}

fn add(args: &AddArgs, context: Context) -> Result<Outcome> {
    let mut monitored = Monitored::open(&args.plan)?;
    let judged = monitored.add(&args.batch, args.month, &args.who.outside(context)?)?;
    if context.json {
        println!(
            "{:#}",
            json!({"format": "sequester-monitor-add/1", "plan": monitored.plan.id, "batch": judged})
        );
    } else {
        month(&judged);
    }
    Ok(if judged.alarms.is_empty() { Outcome::Done } else { Outcome::CriterionNotMet })
}

fn month(judged: &MonthJudged) {
    let refused: u64 = judged.refusals.values().sum();
    println!(
        "{}: {} rows, {} cases ({} duplicates), {} calls, {} positive, {refused} refused, {} with a label",
        judged.month,
        judged.rows,
        judged.cases,
        judged.duplicates,
        judged.calls,
        judged.positive_calls,
        judged.labels,
    );
    if !judged.enough {
        println!("  too few patients ({}): counted, not judged", judged.patients);
    }
    for chart in &judged.charts {
        let (id, value, up, down) = (&chart.id, chart.value, chart.up, chart.down);
        println!("  chart {id}: {value:.4} in {} cases, sums {up:.2} up and {down:.2} down", chart.cases);
    }
    for found in &judged.performance {
        let interval = found.intervals.first().map(|i| format!(" ({:.4} to {:.4})", i.lower, i.upper));
        match found.value {
            Some(value) => println!("  {}: {value:.4}{}", found.id, interval.unwrap_or_default()),
            None => println!("  {}: {}", found.id, found.not_evaluable.as_deref().unwrap_or("no value")),
        }
    }
    for alarm in &judged.alarms {
        println!("  ALARM {}: {}", alarm.name, alarm.message);
    }
    if judged.labels == 0 {
        println!("  no labels: nothing here says how well the device performs");
    }
}

/// Exit code 10 as long as an alarm has no answer.
fn outcome(monitored: &Monitored) -> Outcome {
    if monitored.ledger.unanswered().is_empty() { Outcome::Done } else { Outcome::CriterionNotMet }
}

fn status(args: &StatusArgs, context: Context) -> Result<Outcome> {
    let monitored = Monitored::open(&args.plan)?;
    let standing = monitored.standing()?;
    if context.json {
        println!("{:#}", monitored.json(&standing));
    } else {
        told(&monitored, &standing);
    }
    Ok(outcome(&monitored))
}

fn told(monitored: &Monitored, standing: &Standing) {
    let seal = &standing.seal;
    println!(
        "{}: {}, sealed with study {} version {}",
        seal.plan, monitored.plan.title, seal.study, seal.study_version
    );
    for judged in &standing.judgement.months {
        month(judged);
        for entry in monitored.ledger.answers(judged.month) {
            println!("  answered: {}", entry.reason.as_deref().unwrap_or_default());
        }
    }
    for caveat in &standing.judgement.caveats {
        if let Some(length) = caveat.run_length_if_off {
            println!(
                "chart {}: its value in control is an estimate, off by {:.2} standard errors of a month as \
                 a rule; \
                 where it is, {length:.0} months lie before a false alarm",
                caveat.id, caveat.reference_error,
            );
        }
    }
    match monitored.ledger.unanswered()[..] {
        [] => println!("no alarm without an answer"),
        ref open => {
            let months: Vec<String> = open.iter().map(ToString::to_string).collect();
            println!("alarms without an answer: {}", months.join(", "));
        }
    }
}

fn report(args: &ReportArgs, context: Context) -> Result<Outcome> {
    let monitored = Monitored::open(&args.plan)?;
    let standing = monitored.standing()?;
    let folder = args.out.clone().unwrap_or_else(|| monitored.folder.join(monitor::REPORTS));
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let template = match &args.templates {
        None => None,
        Some(folder) => {
            let path = folder.join("monitoring.md");
            let text = String::from_utf8(storage::read(&path)?);
            Some(text.map_err(|_| {
                Diagnostic::error(Code::Template, "not UTF-8").at(crate::diagnostic::Location::file(&path))
            })?)
        }
    };
    let files = monitor::report::write(
        &monitored,
        &standing,
        &monitor::report::Asked {
            folder: &folder,
            template: template.as_deref(),
            fonts: &args.font,
            formats,
        },
        &context.outside(),
    )?;
    if context.json {
        let open = monitored.ledger.unanswered();
        println!(
            "{:#}",
            json!({"format": "sequester-monitor-report/1", "folder": folder, "files": files,
                "unanswered": open})
        );
    } else {
        for file in files.iter().filter(|f| f.ends_with(".html") || f.ends_with(".pdf")) {
            println!("document: {}", folder.join(file).display());
        }
    }
    Ok(outcome(&monitored))
}

fn answer(args: &AnswerArgs, context: Context) -> Result<Outcome> {
    let mut monitored = Monitored::open(&args.plan)?;
    monitored.answer(args.month, &args.reason, &args.who.outside(context)?)?;
    let open = monitored.ledger.unanswered();
    if context.json {
        println!(
            "{:#}",
            json!({"format": "sequester-monitor-answer/1", "month": args.month, "unanswered": open})
        );
    } else {
        println!("{}: answered; alarms without an answer: {}", args.month, open.len());
    }
    Ok(Outcome::Done)
}

fn verify(args: &VerifyArgs, context: Context) -> Result<Outcome> {
    let monitored = Monitored::open(&args.plan)?;
    let (warnings, problems): (Vec<_>, Vec<_>) = monitored
        .verify(args.bundle.as_deref())?
        .into_iter()
        .partition(|problem| problem.severity == Severity::Warning);
    for warning in &warnings {
        eprintln!("{warning}");
    }
    if !problems.is_empty() {
        return Err(Error::Evidence(problems));
    }
    let batches = monitored.ledger.batches().count();
    let head = monitored.ledger.head().map(|head| head.to_string());
    if context.json {
        let report = json!({"format": "sequester-monitor-verify/1", "plan": monitored.plan.id,
            "batches": batches,
            "ledger_head": head, "evidence": args.bundle.is_some(), "warnings": warnings});
        println!("{report:#}");
    } else {
        println!("plan, seal, cohort and {batches} batches are as they were recorded");
        if args.bundle.is_none() {
            println!("not looked at: the evidence of the validation (--bundle)");
        }
    }
    Ok(Outcome::Done)
}
