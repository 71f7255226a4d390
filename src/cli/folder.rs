//! `sequester dataset folder`: a case table from a folder whose sub-folders are the classes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use regex::Regex;
use serde_json::json;

use super::{Context, Outcome};
use crate::dataset::folder::{self, Wanted};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;

/// Make a case table from a folder of images whose sub-folders, or whose names, say the class.
///
/// The table has case_id, patient_id, image and label, for a study or `sequester train
/// --case-table`. Images of one patient have to share its id, or a patient would be trained on and
/// tuned on: --patient-pattern says where in a file's name it stands. Where nobody knows,
/// --each-case takes every image as a patient of its own. With --uids the table also says which
/// case a SOP Instance UID or Study Instance UID is.
///
///   sequester dataset folder train --positive PNEUMONIA --patient-pattern '^(person\d+|.*IM-\d+)' --out
///   development.csv
///   sequester dataset folder images --label-pattern '_([01])\.png$' --positive 1 --patient-pattern
///   '^([A-Z]+_\d+)' --out cases.csv
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct FolderArgs {
    /// Folder of the images.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Class whose images are positive: the name of a sub-folder, or what --label-pattern finds. Repeatable;
    /// without it the table has no label.
    #[arg(long, value_name = "NAME")]
    positive: Vec<String>,
    /// Regular expression that finds the patient in a file's name: its first group, or the whole match.
    #[arg(long, alias = "patient", value_name = "REGEX", required_unless_present = "each_case")]
    patient_pattern: Option<String>,
    /// Take each image as a patient of its own.
    #[arg(long, conflicts_with = "patient_pattern")]
    each_case: bool,
    /// Regular expression that finds the class in a file's name: its first group, or the whole match.
    #[arg(long, value_name = "REGEX", requires = "positive")]
    label_pattern: Option<String>,
    /// Write the UIDs of DICOM files as columns, for readers' files that name images by them (`case_map`).
    #[arg(long)]
    uids: bool,
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
    let regex = |option: &str, text: &Option<String>| {
        text.as_deref().map(Regex::new).transpose().map_err(|e| {
            Error::usage(Diagnostic::error(Code::Regex, format!("{option} is no regular expression: {e}")))
        })
    };
    let patient = regex("--patient-pattern", &args.patient_pattern)?;
    let class = regex("--label-pattern", &args.label_pattern)?;
    let positive: BTreeSet<String> = args.positive.iter().cloned().collect();
    let wanted =
        Wanted { positive: &positive, patient: patient.as_ref(), class: class.as_ref(), uids: args.uids };
    let found = folder::read(&args.folder, &wanted)?;
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
    let positives = found.rows.iter().filter(|row| row.label == Some(true)).count();
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
    let labels = if positive.is_empty() { "no label".to_owned() } else { format!("{positives} positive") };
    println!("{:>8} images of {} patients, {labels}", found.rows.len(), patients.len());
    let done = if args.dry_run { "dry run: nothing was written to" } else { "written to" };
    println!("{done} {}", args.out.display());
    Ok(Outcome::Done)
}
