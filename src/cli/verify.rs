//! `sequester verify`: answers an auditor's questions about a bundle and the documents beside it.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Context, Outcome, cores, interrupted, machine, say};
use crate::audit::{self, Audit, Beside, Rescore, TOLERANCE};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::workflow::report::{find_bundle, reports_of};

/// Check a bundle and its documents: every byte, the ledger, every number, the rendering, the weights.
///
/// Everything is recomputed from the recorded inputs; libtorch is not needed. Every discrepancy is
/// listed. Exit code 0: everything holds; 20: the evidence is not intact. The same bytes can be checked
/// without this program: `cd evidence/run-1 && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt`.
///
/// With --rescore the locked weights score the study's images again. With the program and on the kind of
/// machine that made the scores they must come out equal to the last bit, with others within --tolerance.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Study folder (its newest run is checked) or the folder of a bundle.
    #[arg(value_name = "STUDY|BUNDLE")]
    target: PathBuf,
    /// Which run of the study, for example run-1 [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Root digest as a document prints it; the bundle must have this one.
    #[arg(long, value_name = "SHA256")]
    root: Option<String>,
    /// Folder of the documents [default: reports/<run> beside evidence/].
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// Folder of the locked model [default: model/ beside evidence/].
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Score the images again with the locked weights and compare with the recorded scores.
    #[arg(long)]
    rescore: bool,
    /// With --rescore: the folder that the protocol's image folder is relative to [default: the study
    /// folder].
    #[arg(long, value_name = "DIR", requires = "rescore")]
    data: Option<PathBuf>,
    /// With --rescore: how much a score (0 to 1) made on another kind of machine may differ.
    #[arg(long, value_name = "X", requires = "rescore", default_value_t = TOLERANCE)]
    tolerance: f64,
    /// With --rescore: images that are decoded and scored at a time [default: the number of cores].
    #[arg(long, value_name = "N", requires = "rescore")]
    workers: Option<usize>,
}

/// Runs the command.
///
/// # Errors
/// `Error::Evidence` with every discrepancy.
pub fn run(args: &VerifyArgs, context: Context) -> Result<Outcome> {
    let root = match &args.root {
        None => None,
        Some(text) => Some(
            text.parse::<Digest>()
                .map_err(|e| Error::usage(Diagnostic::error(Code::Usage, format!("--root: {e}"))))?,
        ),
    };
    let bundle = find_bundle(&args.target, args.run.as_deref())?;
    let reports = args.reports.clone().unwrap_or_else(|| reports_of(&bundle));
    let beside = reports.parent().and_then(Path::parent).map(|p| p.join("model"));
    let model = args.model.clone().or(beside);
    say("verify", &format!("{}", bundle.display()));
    if !args.tolerance.is_finite() || args.tolerance < 0.0 {
        let problem = Diagnostic::error(Code::Usage, format!("--tolerance is {}", args.tolerance));
        return Err(Error::usage(problem.hint("a difference of scores, such as 1e-5")));
    }
    let absolute = std::path::absolute(&bundle).unwrap_or_else(|_| bundle.clone());
    // The bundle is evidence/run-N of its study.
    let study = absolute.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let data = args.data.as_deref().unwrap_or(study);
    let machine = machine();
    let bar = ProgressBar::no_length();
    let style = ProgressStyle::with_template("  rescore  {wide_bar} {pos}/{len} {per_sec} eta {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let rescore = args.rescore.then(|| Rescore {
        data,
        tolerance: args.tolerance,
        machine: &machine,
        workers: args.workers.unwrap_or_else(cores),
        stop: interrupted(),
        done: &done,
    });
    let beside = Beside { reports: Some(&reports), model: model.as_deref(), root, rescore };
    let audit = audit::audit(&bundle, &beside)?;
    bar.finish_and_clear();
    show(&audit, &bundle, context);
    if audit.holds() {
        return Ok(Outcome::Done);
    }
    if context.json {
        // The document on standard output holds everything already.
        return Err(Error::Evidence(Vec::new()));
    }
    Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()))
}

/// Prints the answers.
pub fn show(audit: &Audit, bundle: &Path, context: Context) {
    if context.json {
        let report = serde_json::json!({
            "bundle": bundle, "root": audit.root, "holds": audit.holds(), "answers": audit.answers,
        });
        println!("{report:#}");
        return;
    }
    for answer in &audit.answers {
        let word = match answer.holds {
            Some(true) => "yes",
            Some(false) => "NO ",
            None => "-  ",
        };
        println!("{word}  {}  ({})", answer.words, answer.looked_at);
    }
    if let Some(root) = audit.root {
        println!("root digest {root}");
    }
    let n: usize = audit.answers.iter().map(|a| a.discrepancies.len()).sum();
    println!("{}", if n == 0 { "the evidence is intact".to_owned() } else { format!("{n} discrepancies") });
}
