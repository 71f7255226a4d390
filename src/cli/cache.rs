//! `sequester cache`: lists and removes what trainings keep with `--cache`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::HumanBytes;
use serde_json::json;

use super::{Context, Outcome};
use crate::diagnostic::{Diagnostic, Error, Location, Result};

/// List or remove what `sequester train --cache DIR` keeps: resized images and the output of frozen layers.
///
/// Everything in it can be computed again. Each part is named by the digest of what it was made from.
#[derive(Debug, Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// List what is there.
    List {
        /// The folder.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Remove all of it, or the named parts.
    Remove {
        /// The folder.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Names of parts, as `list` shows them [default: all].
        #[arg(value_name = "PART")]
        parts: Vec<String>,
        /// Show what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Files of one part, with their sizes.
#[derive(Debug, Default)]
struct Part {
    files: Vec<PathBuf>,
    bytes: u64,
    finished: bool,
}

/// Runs the command.
///
/// # Errors
/// `cache-part-unknown` for a name that is not there; what reading and removing report.
pub fn run(args: &CacheArgs, context: Context) -> Result<Outcome> {
    match &args.command {
        CacheCommand::List { folder } => {
            let parts = parts(folder)?;
            show(folder, &parts, context, "there");
        }
        CacheCommand::Remove { folder, parts: names, dry_run } => {
            let mut found = parts(folder)?;
            if let Some(unknown) = names.iter().find(|name| !found.contains_key(*name)) {
                let problem =
                    Diagnostic::error("cache-part-unknown", format!("there is no part \"{unknown}\""));
                return Err(problem
                    .at(Location::file(folder))
                    .hint("`sequester cache list` shows the parts")
                    .into());
            }
            found.retain(|name, _| names.is_empty() || names.contains(name));
            if !dry_run {
                for file in found.values().flat_map(|part| &part.files) {
                    std::fs::remove_file(file).map_err(|e| Error::io("remove", file, &e))?;
                }
            }
            show(folder, &found, context, if *dry_run { "would be removed" } else { "removed" });
        }
    }
    Ok(Outcome::Done)
}

/// Only names that a training writes: nothing else in the folder is touched.
fn parts(folder: &Path) -> Result<BTreeMap<String, Part>> {
    let wrong = |e: std::io::Error| Error::io("read", folder, &e);
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((stem, ending)) = name.rsplit_once('.') else { continue };
        let digest = stem.strip_prefix("planes-").or_else(|| stem.strip_prefix("activations-"));
        let ours = digest.is_some_and(|d| d.len() == 16 && d.bytes().all(|b| b.is_ascii_hexdigit()));
        if !ours || !["f32", "marks", "key"].contains(&ending) {
            continue;
        }
        let part = parts.entry(stem.to_owned()).or_default();
        part.files.push(entry.path());
        part.bytes += entry.metadata().map_err(wrong)?.len();
        part.finished |= ending == "key";
    }
    Ok(parts)
}

fn show(folder: &Path, parts: &BTreeMap<String, Part>, context: Context, what: &str) {
    let bytes: u64 = parts.values().map(|part| part.bytes).sum();
    if context.json {
        let list: Vec<_> = parts
            .iter()
            .map(|(name, part)| json!({"part": name, "bytes": part.bytes, "finished": part.finished}))
            .collect();
        println!("{:#}", json!({"folder": folder, "state": what, "bytes": bytes, "parts": list}));
        return;
    }
    for (name, part) in parts {
        let state = match (name.starts_with("planes-"), part.finished) {
            (true, _) => "resized images",
            (false, true) => "output of frozen layers",
            (false, false) => "output of frozen layers, not finished",
        };
        println!("{:>12}  {name}  {state}", HumanBytes(part.bytes).to_string());
    }
    println!("{:>12}  {what}, in {}", HumanBytes(bytes).to_string(), folder.display());
}
