//! `sequester verify`: answers an auditor's questions about a bundle and the documents beside it.

use std::path::PathBuf;

use clap::Args;

use super::report::{find_bundle, reports_of};
use super::{Context, Outcome, say};
use crate::audit::{self, Audit};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::digest::Digest;

/// Check a bundle and its documents: every byte, the ledger, every number, the rendering, the weights.
///
/// Everything is recomputed from the recorded inputs; libtorch is not needed. Every discrepancy is
/// listed. Exit code 0: everything holds; 20: the evidence is not intact. The same bytes can be checked
/// without this program: `cd evidence/run-1 && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt`.
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
                .map_err(|e| Error::usage(Diagnostic::error("usage", format!("--root: {e}"))))?,
        ),
    };
    let bundle = find_bundle(&args.target, args.run.as_deref())?;
    let reports = args.reports.clone().unwrap_or_else(|| reports_of(&bundle));
    let beside = reports.parent().and_then(std::path::Path::parent).map(|p| p.join("model"));
    let model = args.model.clone().or(beside);
    say("verify", &format!("{}", bundle.display()));
    let audit = audit::audit(&bundle, Some(&reports), model.as_deref(), root)?;
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
pub fn show(audit: &Audit, bundle: &std::path::Path, context: Context) {
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
