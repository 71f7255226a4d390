//! `sequester dataset folder`: a case table from a folder whose sub-folders are the classes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use regex::Regex;
use serde_json::json;

use super::{Context, Outcome};
use crate::dataset::folder;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;

/// Make a case table from a folder of images whose sub-folders are the classes.
///
/// The table has case_id, patient_id, image and label, for `sequester train --case-table`. Images of one
/// patient have to share its id, or a patient would be trained on and tuned on: --patient-pattern says where
/// in a file's name it stands.
///
///   sequester dataset folder train --positive PNEUMONIA --patient-pattern '^(person\d+|.*IM-\d+)' --out
///   development.csv
#[derive(Debug, Args)]
pub struct FolderArgs {
    /// Folder whose sub-folders are the classes.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Sub-folder whose images are positive; may be given several times.
    #[arg(long, value_name = "NAME", required = true)]
    positive: Vec<String>,
    /// Regular expression that finds the patient in a file's name: its first group, or the whole match.
    #[arg(long, alias = "patient", value_name = "REGEX")]
    patient_pattern: String,
    /// The table that is written.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the pattern or the folder; `file-exists` when the table is there with other content.
pub fn run(args: &FolderArgs, context: Context) -> Result<Outcome> {
    let pattern = Regex::new(&args.patient_pattern).map_err(|e| {
        Error::usage(Diagnostic::error(Code::Regex, format!("--patient is no regular expression: {e}")))
    })?;
    let positive: BTreeSet<String> = args.positive.iter().cloned().collect();
    let found = folder::read(&args.folder, &positive, &pattern)?;
    let bytes = folder::table(&found.rows)?;
    let there = args.out.exists();
    if there && storage::read(&args.out)? != bytes {
        let problem = Diagnostic::error(Code::FileExists, "there is another table of this name");
        return Err(problem.at(Location::file(&args.out)).hint("name another --out, or move it away").into());
    }
    if !args.dry_run && !there {
        storage::write_atomic(&args.out, &bytes)?;
    }
    let patients: BTreeSet<&str> = found.rows.iter().map(|row| row.patient_id.as_str()).collect();
    let positives = found.rows.iter().filter(|row| row.label).count();
    if context.json {
        let report = json!({"table": args.out, "images": found.rows.len(), "patients": patients.len(),
            "positives": positives, "classes": found.classes, "files_passed_over": found.others,
            "written": !args.dry_run});
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    for (class, count) in &found.classes {
        println!("{count:>8} images in {class}{}", if positive.contains(class) { ", positive" } else { "" });
    }
    if found.others > 0 {
        println!("{:>8} files passed over: no PNG, JPEG or DICOM by their names", found.others);
    }
    println!("{:>8} images of {} patients, {positives} positive", found.rows.len(), patients.len());
    let done = if args.dry_run { "dry run: nothing was written to" } else { "written to" };
    println!("{done} {}", args.out.display());
    Ok(Outcome::Done)
}
