//! `sequester plan`: the statistical analysis plan, before any data.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Outcome};
use crate::diagnostic::Result;
use crate::report::Formats;
use crate::study::planning::Prospect;
use crate::workflow::plan;
use crate::workflow::study::Study;

/// Write the statistical analysis plan, before there are data.
///
/// For each endpoint: hypotheses in words and symbols, estimator, interval with its source, level, power at
/// the planned size and the size for a wanted power, expected width, and assurance where what is expected is
/// uncertain. The protocol declares what is expected in [planning] and [[expected]]. Nothing but the protocol
/// is read; the test set is not opened.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// Study folder: it holds protocol.toml.
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Folder for the plan [default: reports/plan in the study folder].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write HTML and Markdown alone.
    #[arg(long)]
    no_pdf: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the protocol; when a file cannot be written.
pub fn run(args: &PlanArgs, context: Context) -> Result<Outcome> {
    let study = Study::open(&args.study, None, None)?;
    let folder = args.out.clone().unwrap_or_else(|| plan::place(&study));
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let files = plan::write(&study, &folder, formats, &context.outside())?;
    let planned = plan::of(&study);
    if context.json {
        let report = json!({"format": "sequester-plan/1", "folder": folder, "files": files, "plan": planned});
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    for endpoint in planned.endpoints.iter().chain(&planned.comparisons) {
        let words = match endpoint.prospect {
            Prospect::Enough => "the planned size suffices",
            Prospect::TooFew => "the planned size is too small",
            Prospect::CannotBeShown => "cannot be shown: what is expected does not satisfy the criterion",
            Prospect::NotDeclared => "what is expected, or how many cases there will be, is not declared",
            Prospect::NoCriterion => "no criterion",
            Prospect::NotComputed => "no power is computed for this measure",
        };
        let power = endpoint
            .at_planned
            .map(|at| format!("power {:.1} %", at.exact_power.unwrap_or(at.power) * 100.0));
        let assurance = endpoint.at_planned.and_then(|at| at.assurance);
        let assurance = assurance.map(|share| format!("assurance {:.1} %", share * 100.0));
        let needed =
            endpoint.cases_needed.map(|cases| format!("{cases} cases for {:.0} %", planned.power * 100.0));
        let more: Vec<String> = [power, assurance, needed].into_iter().flatten().collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
        println!("{}: {words}{more}", endpoint.endpoint);
    }
    for file in files.iter().filter(|f| f.ends_with(".html") || f.ends_with(".pdf")) {
        println!("document: {}", folder.join(file).display());
    }
    Ok(Outcome::Done)
}
