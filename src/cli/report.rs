//! `sequester report`: renders the documents from a bundle.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Outcome};
use crate::diagnostic::Result;
use crate::report::Formats;
use crate::workflow::report::{find_bundle, render, reports_of};

/// Render the documents from the evidence bundle.
///
/// Computes nothing: every number comes from the bundle, and so do the templates, so that rendering
/// twice gives the same bytes. To change the wording, edit device.toml or the study's templates/ and
/// run `sequester validate` again: the same results are published with the new words.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Study folder (its newest run is rendered) or the folder of a bundle.
    #[arg(value_name = "STUDY|BUNDLE")]
    target: PathBuf,
    /// Which run of the study, for example run-1 [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Folder for the documents [default: reports/<run> beside evidence/].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write HTML and Markdown alone.
    #[arg(long)]
    no_pdf: bool,
}

/// Runs the command.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact; nothing is rendered from it then.
pub fn run(args: &ReportArgs, context: Context) -> Result<Outcome> {
    let bundle = find_bundle(&args.target, args.run.as_deref())?;
    let folder = args.out.clone().unwrap_or_else(|| reports_of(&bundle));
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let files = render(&bundle, &folder, formats, &context.outside())?;
    if context.json {
        println!("{:#}", serde_json::json!({"bundle": bundle, "folder": folder, "files": files}));
    } else {
        for file in files {
            println!("{}", folder.join(file).display());
        }
    }
    Ok(Outcome::Done)
}
