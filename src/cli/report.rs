//! `sequester report`: renders the documents from a bundle.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Context, Outcome};
use crate::audit;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::report::set::{Answer, State, count};
use crate::report::trace::Kind;
use crate::report::{Documents, Formats};
use crate::workflow::drafts::{self, drafts_of};
use crate::workflow::explore::{self, PAGE, views_of};
use crate::workflow::report::{
    coverage_of, ecopy, ecopy_of, find_bundle, render, reports_of, trace_of, values_of,
};
use crate::workflow::signature_record;

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
    /// Folder for the documents [default: reports/<run> beside evidence/, of drafts drafts/<run>, of
    /// the page views/<run>, of an eCopy ecopy/<run>].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write HTML and Markdown alone.
    #[arg(long)]
    no_pdf: bool,
    /// Write drafts to go on with instead, as DOCX. They are no evidence.
    #[arg(long)]
    docx: bool,
    /// Styles and page of the drafts, from a file of your company [default: templates/style.docx of the
    /// study, where it is].
    #[arg(long, value_name = "DOCX", requires = "docx")]
    docx_template: Option<PathBuf>,
    /// Write one page to look at the evidence with instead: a threshold to move, cases with filters. It is no
    /// document of the record.
    #[arg(long, conflicts_with_all = ["docx", "docx_template"])]
    explore: bool,
    /// Write the PDFs of every document instead, numbered and named as an eCopy asks for. An error where one
    /// is too large for it.
    #[arg(long, conflicts_with_all = ["docx", "docx_template", "explore", "no_pdf", "documents"])]
    ecopy: bool,
    /// Write nothing: say of every number in the documents where it comes from, and what contradicts the
    /// evidence. Ends with 10 where anything does.
    #[arg(long, conflicts_with_all = ["out", "docx", "docx_template", "explore", "ecopy"])]
    trace: bool,
    /// Write nothing: list what a template can ask for in this study, with what it gives.
    #[arg(long, conflicts_with_all = ["out", "docx", "docx_template", "explore", "ecopy", "trace"])]
    list_values: bool,
    /// Which documents: the validation report with the truthing report, or all of the set beside them
    /// too [default: those that the folder holds already, else report].
    #[arg(long, value_name = "WHICH")]
    documents: Option<Wanted>,
    /// Folder of the signatures, for their record [default: signatures/<run> beside evidence/].
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
    /// Write nothing: say which of the requirements of regulations, guidances and reporting lists the
    /// documents answer, and what is missing.
    #[arg(long, conflicts_with_all = ["out", "ecopy"])]
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
    /// Instead of these the record of who signed, as what, meaning what, in reports/signatures/<run>.
    Signatures,
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
    if args.list_values {
        return listed(&bundle, context);
    }
    if args.trace {
        return traced(&bundle, context);
    }
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let documents = match args.documents {
        Some(Wanted::Signatures) => return signed(&bundle, args, formats, context),
        Some(Wanted::Report) => Some(Documents::Report),
        Some(Wanted::All) => Some(Documents::All),
        None => None,
    };
    let (folder, files) = if args.explore {
        let folder = args.out.clone().unwrap_or_else(|| views_of(&bundle));
        explore::write(&bundle, &folder.join(PAGE))?;
        (folder, vec![PAGE.to_owned()])
    } else if args.ecopy {
        let folder = args.out.clone().unwrap_or_else(|| ecopy_of(&bundle));
        let files = ecopy(&bundle, &folder, &context.outside())?;
        (folder, files)
    } else if args.docx {
        let folder = args.out.clone().unwrap_or_else(|| drafts_of(&bundle));
        let look = drafts::look(&bundle, args.docx_template.as_deref())?;
        let documents = documents.unwrap_or(Documents::Report);
        let files = drafts::write(&bundle, &folder, documents, look, &context.outside())?;
        (folder, files)
    } else {
        let folder = args.out.clone().unwrap_or_else(|| reports_of(&bundle));
        let files = render(&bundle, &folder, documents, formats, &context.outside())?;
        (folder, files)
    };
    written(&bundle, &folder, &files, context);
    Ok(Outcome::Done)
}

/// Says which files were written.
fn written(bundle: &Path, folder: &Path, files: &[String], context: Context) {
    if context.json {
        println!("{:#}", serde_json::json!({"bundle": bundle, "folder": folder, "files": files}));
        return;
    }
    for file in files {
        println!("{}", folder.join(file).display());
    }
}

/// Writes the record of the signatures.
fn signed(bundle: &Path, args: &ReportArgs, formats: Formats, context: Context) -> Result<Outcome> {
    if args.docx || args.explore {
        let problem = Diagnostic::error(Code::Usage, "the record of signatures is no draft and no page");
        return Err(Error::usage(problem.hint("leave --docx and --explore out")));
    }
    let lying = args.signatures.clone().unwrap_or_else(|| audit::signatures_of(bundle));
    let folder = args.out.clone().unwrap_or_else(|| audit::record_beside(&reports_of(bundle)));
    let files = signature_record::write(bundle, &lying, &folder, formats, &context.outside())?;
    written(bundle, &folder, &files, context);
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

/// What a template can ask for.
fn listed(bundle: &Path, context: Context) -> Result<Outcome> {
    let values = values_of(bundle)?;
    if context.json {
        println!("{:#}", serde_json::json!({"bundle": bundle, "values": values}));
    } else {
        for one in values {
            println!("{}  {}", one.call, one.gives);
        }
    }
    Ok(Outcome::Done)
}

/// Where every number comes from, and what contradicts the evidence.
fn traced(bundle: &Path, context: Context) -> Result<Outcome> {
    let trace = trace_of(bundle)?;
    if context.json {
        let told = serde_json::json!({
            "bundle": bundle,
            "numerals": trace.numerals,
            "findings": trace.findings,
        });
        println!("{told:#}");
    } else {
        for one in &trace.numerals {
            let of = if one.from.is_empty() { String::new() } else { format!(": {}", one.from) };
            println!("{}, {}: {} ({}{of})", one.document, one.place, one.numeral, one.kind.words());
        }
        println!();
        for kind in Kind::ALL {
            let count = trace.numerals.iter().filter(|one| one.kind == kind).count();
            if count > 0 {
                println!("{count} {}", kind.words());
            }
        }
        for finding in &trace.findings {
            println!("{}: {}", finding.code.as_str(), finding.message);
        }
        match trace.findings.len() {
            0 => println!("nothing contradicts the evidence"),
            1 => println!("1 thing contradicts the evidence or cannot be traced"),
            n => println!("{n} things contradict the evidence or cannot be traced"),
        }
    }
    Ok(if trace.findings.is_empty() { Outcome::Done } else { Outcome::CriterionNotMet })
}
