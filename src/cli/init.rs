//! `sequester init`: a study to start from.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::storage;

/// The declared protocol of experiment 2A.
const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");
/// A protocol for scores that come from elsewhere differs in these places.
const EXTERNAL: &str = "\n[scores]\nfile = \"scores.csv\"              \
                        # case_id, score; a row without score says why in a column `refused`\n";

/// Write a study to start from: protocol.toml with every choice explained, and an empty device.toml.
///
/// The protocol is the one of experiment 2A. With --external-scores it takes the scores of a device that
/// lives elsewhere, with an operating point that is declared beforehand. Nothing that exists is overwritten.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder of the study; it may exist, but must not hold a protocol.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The device lives elsewhere: scores.csv is brought.
    #[arg(long)]
    external_scores: bool,
}

/// Runs the command.
///
/// # Errors
/// `folder-exists` when there is a study already.
pub fn run(args: &InitArgs, context: Context) -> Result<Outcome> {
    let protocol = args.folder.join("protocol.toml");
    let device = args.folder.join("device.toml");
    for path in [&protocol, &device] {
        if path.exists() {
            return Err(Diagnostic::error(Code::FolderExists, "there is a study here already")
                .at(Location::file(path))
                .hint("choose another folder; a study is never overwritten")
                .into());
        }
    }
    let text = if args.external_scores {
        let declared = "[operating_point]\nsource = \"declared\"\nthreshold = 0.5\n\
                        rationale = \"\"                   # why this number; required";
        let locked = "[operating_point]\n\
                      source = \"lock\"                  \
                      # fixed on the tuning split before the test set is opened";
        PROTOCOL
            .replace(locked, declared)
            .replace("\n[operating_point]", &format!("{EXTERNAL}\n[operating_point]"))
    } else {
        PROTOCOL.to_owned()
    };
    storage::write_atomic(&protocol, text.as_bytes())?;
    storage::write_atomic(&device, crate::report::DEVICE_EXAMPLE.as_bytes())?;
    storage::create_folder(&args.folder.join("reads"))?;
    if context.json {
        println!("{:#}", serde_json::json!({"protocol": protocol, "device": device}));
        return Ok(Outcome::Done);
    }
    println!("wrote {} and {}", protocol.display(), device.display());
    println!("next: put cases.csv and the readers' files (reads/*.csv) there, then");
    println!("  sequester check {}", args.folder.display());
    Ok(Outcome::Done)
}
