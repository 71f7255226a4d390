//! `sequester report`: renders the documents from a bundle.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Context, Outcome};
use crate::diagnostic::Result;
use crate::report::set::{Answer, State, count};
use crate::report::{Documents, Formats};
use crate::workflow::report::{coverage_of, find_bundle, render, reports_of};

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
    /// Which documents: the validation report with the truthing report, or all of the set beside them
    /// too [default: those that the folder holds already, else report].
    #[arg(long, value_name = "WHICH")]
    documents: Option<Wanted>,
    /// Write nothing: say which of the requirements of regulations, guidances and reporting lists the
    /// documents answer, and what is missing.
    #[arg(long, conflicts_with = "out")]
    coverage: bool,
}

/// What `--documents` may name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Wanted {
    /// Validation report and truthing report.
    Report,
    /// These, and the set: 510(k) summary, predicate, sites, algorithm, software, labelling, model card,
    /// the source project's document, declarations, plan and evidence map.
    All,
}

/// Runs the command.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact; nothing is rendered from it then.
pub fn run(args: &ReportArgs, context: Context) -> Result<Outcome> {
    let bundle = find_bundle(&args.target, args.run.as_deref())?;
    if args.coverage {
        return coverage(&bundle, context);
    }
    let folder = args.out.clone().unwrap_or_else(|| reports_of(&bundle));
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let documents = args.documents.map(|wanted| match wanted {
        Wanted::Report => Documents::Report,
        Wanted::All => Documents::All,
    });
    let files = render(&bundle, &folder, documents, formats, &context.outside())?;
    if context.json {
        println!("{:#}", serde_json::json!({"bundle": bundle, "folder": folder, "files": files}));
    } else {
        for file in files {
            println!("{}", folder.join(file).display());
        }
    }
    Ok(Outcome::Done)
}

/// Prints how the requirements stand.
fn coverage(bundle: &Path, context: Context) -> Result<Outcome> {
    let answers = coverage_of(bundle, &context.outside())?;
    if context.json {
        let row = |a: &Answer| {
            serde_json::json!({
                "id": a.requirement.id, "fill": fill(a), "state": a.state.name(), "where": a.places,
                "note": a.note, "field": a.requirement.field,
            })
        };
        let rows: Vec<_> = answers.iter().map(row).collect();
        println!("{:#}", serde_json::json!({"bundle": bundle, "requirements": rows}));
        return Ok(Outcome::Done);
    }
    for answer in answers.iter().filter(|a| a.state == State::Empty) {
        println!("{:<20} {:<7} missing: {}", answer.requirement.id, fill(answer), answer.note);
    }
    for (automatic, name) in [(true, "answered by the program"), (false, "answered by people")] {
        let of = |state| count(&answers, automatic, state);
        let all = answers.iter().filter(|a| a.requirement.is_automatic == automatic).count();
        println!(
            "{all} {name}: {} printed, {} typed, {} not applicable, {} empty",
            of(State::Printed),
            of(State::Typed),
            of(State::NotApplicable),
            of(State::Empty)
        );
    }
    let of_people = || answers.iter().filter(|a| !a.requirement.is_automatic);
    let placed = of_people().filter(|a| !a.requirement.field.is_empty()).count();
    println!("{placed} of {} that people answer have a place to be typed", of_people().count());
    Ok(Outcome::Done)
}

/// Who answers a requirement.
fn fill(answer: &Answer) -> &'static str {
    if answer.requirement.is_automatic { "auto" } else { "manual" }
}
