//! `sequester qualify`: installation and operational qualification on this machine.

use std::path::{Path, PathBuf};

use clap::Args;

use super::run::Here;
use super::{Context, Outcome, cores, libtorch, machine};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::qualification::{Outcome as Ended, Place, Program, Qualification};
use crate::report::{Formats, qualification};
use crate::storage;
use crate::workflow::qualify::{Given, qualify};
use crate::workflow::report::publish;

/// Qualify this installation: what is installed, and whether it computes what it is documented to compute.
///
/// Computes every statistic of docs/statistics.md from embedded inputs and compares it with embedded
/// reference values; decodes generated DICOM images; runs a study with one thread and with all, changes its
/// evidence and looks whether that is found; renders documents. Nothing is read from outside, and no
/// network is used. Writes a report (HTML, Markdown, PDF where this build writes PDF) with a form for your
/// performance qualification, and the same as JSON. Exit code 10 when a test failed.
#[derive(Debug, Args)]
pub struct QualifyArgs {
    /// Folder for the report; it must not exist yet.
    #[arg(long, value_name = "DIR", default_value = "qualification")]
    out: PathBuf,
    /// Write the report without PDF.
    #[arg(long)]
    no_pdf: bool,
    /// Write a draft of the report as DOCX too, to go on with: your performance qualification can be filled
    /// in there. It is no record.
    #[arg(long)]
    docx: bool,
}

/// Runs the command.
///
/// # Errors
/// `file-exists`; when no folder can be made or a file cannot be written.
pub fn run(args: &QualifyArgs, context: Context) -> Result<Outcome> {
    if args.out.exists() {
        let problem = Diagnostic::error(Code::FileExists, "there is a folder of this name");
        return Err(problem.at(Location::file(&args.out)).hint("name another --out, or move it away").into());
    }
    let parent = args.out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let given = Given {
        program: program()?,
        machine: place(),
        libtorch: libtorch::program().map(|path| path.display().to_string()),
        folder: parent,
        threads: cores().max(2),
    };
    let found = qualify(&given, &Here { libtorch: context.libtorch }, &context.outside())?;
    let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
    let mut files = qualification::render(&found, formats)?;
    if args.docx {
        files.extend(qualification::draft(&found)?);
    }
    let json = serde_json::json!(found);
    let name = "qualification.json".parse().map_err(|e| Diagnostic::error(Code::Path, format!("{e}")))?;
    files.insert(name, format!("{json:#}\n").into_bytes());
    publish(&files, &args.out)?;
    if context.json {
        println!("{json:#}");
    } else {
        show(&found);
        for file in files.keys() {
            println!("written: {}", file.below(&args.out).display());
        }
    }
    Ok(if found.passed { Outcome::Done } else { Outcome::CriterionNotMet })
}

fn show(found: &Qualification) {
    for test in found.tests.iter().filter(|test| test.outcome == Ended::Failed) {
        println!("{} {}: {}", test.id, test.outcome.words(), test.requirement);
        println!("  expected {}", test.expected);
        println!("  found    {}", test.found);
        for line in test.numbers.iter().flat_map(|numbers| &numbers.beyond) {
            println!("  {line}");
        }
    }
    let values: usize = found.tests.iter().filter_map(|t| t.numbers.as_ref()).map(|n| n.compared).sum();
    println!(
        "{} tests: {} passed, {} failed, {} not applicable; {values} values compared with references",
        found.tests.len(),
        found.count(Ended::Passed),
        found.count(Ended::Failed),
        found.count(Ended::NotApplicable)
    );
    println!("program SHA-256 {}", found.program.sha256);
    println!("{}", if found.passed { "qualified: no test failed" } else { "NOT QUALIFIED: a test failed" });
}

/// The program that runs.
fn program() -> Result<Program> {
    let path = std::env::current_exe().map_err(|e| Error::io("find", Path::new("this program"), &e))?;
    let wrong = |e: &std::io::Error| Error::io("read", &path, e);
    let bytes = std::fs::metadata(&path).map_err(|e| wrong(&e))?.len();
    let sha256 = Digest::of_file(&path).map_err(|e| wrong(&e))?.to_string();
    let code = machine().code;
    let features = [("pdf", cfg!(feature = "pdf")), ("torch", cfg!(feature = "torch"))];
    Ok(Program {
        version: code.version,
        sha256,
        bytes,
        features: features.into_iter().filter(|f| f.1).map(|f| f.0.to_owned()).collect(),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
        cargo_lock_sha256: code.cargo_lock_sha256.to_string(),
    })
}

fn place() -> Place {
    let machine = machine();
    Place {
        os: machine.os,
        arch: machine.arch,
        vectors: machine.vectors,
        processor: machine.processor,
        cores: cores(),
    }
}
