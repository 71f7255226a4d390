//! `sequester lock`: makes a trained model the model: weights, gate and operating point, once.

use std::path::{Path, PathBuf};

use clap::Args;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::model::lock::{self, Lock};
use crate::statistics::operating_point::OperatingPointRule;
use crate::workflow::lock::{lock_run, lock_study};

/// Lock a trained model: its weights, its intended-use gate and its operating point.
///
/// Writes weights.safetensors and lock.json, once: a lock is never replaced, and scoring refuses
/// weights that do not match it. The threshold is chosen on the tuning cases. With STUDY, gate and
/// rule are those of its protocol.
///
///   sequester lock my-study
///
///   sequester lock --training-run model/run --out model --gate protocol.toml --rule sensitivity=0.9
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct LockArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY", required_unless_present = "training_run", conflicts_with = "training_run")]
    study: Option<PathBuf>,
    /// Folder that the study's paths are relative to [default: the study folder].
    #[arg(long, value_name = "DIR", requires = "study")]
    data: Option<PathBuf>,
    /// Folder of a complete training run.
    #[arg(long, alias = "run", value_name = "DIR", requires = "out")]
    training_run: Option<PathBuf>,
    /// Study: folder for everything that is written [default: the study folder]. Otherwise: the model's
    /// folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// TOML file with the intended-use [gate], for example a protocol [default: the study's; without study:
    /// none].
    #[arg(long, value_name = "FILE", conflicts_with = "study")]
    gate: Option<PathBuf>,
    /// How the threshold is chosen on the tuning cases: `youden`, `sensitivity=0.9`, `specificity=0.9`,
    /// `threshold=0.4` or `cost=20@0.0136` (a missed positive costs 20 false alarms, at that prevalence)
    /// [default: the study's; without study: youden].
    #[arg(long, alias = "operating-point", value_name = "RULE", conflicts_with = "study")]
    rule: Option<OperatingPointRule>,
    #[command(flatten)]
    who: WhoArgs,
}

/// Runs the command.
///
/// # Errors
/// `Error::Lock` when the model is locked already; `run-missing`, `run-incomplete`, `run-damaged`.
pub fn run(args: &LockArgs, context: Context) -> Result<Outcome> {
    let outside = args.who.outside(context)?;
    let (lock, folder) = if let Some(folder) = &args.study {
        let args = StudyArgs { folder: folder.clone(), data: args.data.clone(), out: args.out.clone() };
        let study = args.open()?;
        let _alone = study.alone()?;
        (lock_study(&study, &outside)?, study.model_folder())
    } else {
        let (Some(run), Some(out)) = (&args.training_run, &args.out) else {
            return Err(Error::usage(Diagnostic::error(
                Code::Usage,
                "without a study, --training-run and --out are needed",
            )));
        };
        let gate = args.gate.as_deref().map(super::score::read_gate).transpose()?.unwrap_or_default();
        (lock_run(run, out, gate, args.rule.unwrap_or(OperatingPointRule::Youden))?, out.clone())
    };
    show(&lock, &folder, context);
    Ok(Outcome::Done)
}

fn show(lock: &Lock, folder: &Path, context: Context) {
    if context.json {
        println!("{:#}", serde_json::json!({"folder": folder, "lock": lock}));
        return;
    }
    let point = &lock.operating_point;
    println!("locked           {}", folder.join(lock::FILE).display());
    println!(
        "weights          {} ({} bytes, SHA-256 {})",
        lock.weights.path, lock.weights.bytes, lock.weights.sha256
    );
    println!("initial weights  {}", lock.initial_weights().describe());
    println!("threshold        {}: {}", point.threshold, point.rule.describe());
    println!(
        "chosen on        {} tuning images of {} patients, {} positive",
        point.provenance.cases, point.provenance.patients, point.provenance.positives
    );
    println!("next             sequester score");
}
