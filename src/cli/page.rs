//! `sequester reads page`: the page on which a reader reads.

use clap::Args;
use serde_json::json;

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::workflow::page;

/// Write the page on which a reader reads a round: one file that works from disk, without server or network.
///
/// The page shows the images of the round in the reader's order, each under its code, with zoom, window and
/// level; answers are given by keyboard or mouse, kept in the browser with every change, and saved to a file
/// that `sequester reads import` takes back. It says nothing but codes, and asks the network for nothing.
/// Images are read at full depth with the window that their file declares; nothing of a DICOM header goes
/// along.
///
/// The page is written to OUT/rounds/NAME/NAME-READER.html and holds the images of patients: hand it out as
/// such. It is no part of the evidence. For large rounds --folder puts the images beside the page.
#[derive(Debug, Args)]
pub struct PageArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Name of the round.
    #[arg(long, value_name = "NAME")]
    round: String,
    /// Whose page.
    #[arg(long, value_name = "ID")]
    reader: String,
    /// Write a folder with page.html and its images, instead of one file.
    #[arg(long = "folder")]
    in_folder: bool,
}

/// One file of more bytes opens slowly, or not at all.
const LARGE: u64 = 300_000_000;

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the round and its images.
pub fn run(args: &PageArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let written = page::write(&study, &args.round, &args.reader, args.in_folder, &context.outside())?;
    if !args.in_folder && written.bytes > LARGE {
        let message = format!("the page has {} MB and opens slowly", written.bytes / 1_000_000);
        let warning = Diagnostic::warning(Code::PageLarge, message).at(Location::file(&written.page));
        eprintln!("{}", warning.hint("--folder puts the images beside the page"));
    }
    if context.json {
        let report = json!({
            "page": written.page, "round": args.round, "reader": args.reader, "cases": written.cases,
            "bytes": written.bytes, "worklist": written.worklist.to_string(),
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("page of {}, {} cases: {}", args.reader, written.cases, written.page.display());
    println!("it holds images of the study; what the reader saves comes back with `sequester reads import`");
    Ok(Outcome::Done)
}
