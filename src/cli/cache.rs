//! `sequester cache`: lists, bounds and removes what trainings keep with `--cache`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use indicatif::HumanBytes;
use serde_json::json;

use super::{Context, Outcome, interrupted};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};

/// List, bound or remove what `sequester train --cache DIR` keeps: resized images and the output of frozen
/// layers.
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
    /// Remove the parts whose last use is longest ago, until the rest is no larger than a size.
    ///
    /// A part is used when a training opens or writes it. Parts used at the same time go in the order of
    /// their names. A part goes as a whole; a training makes again what it misses. An interrupted prune is
    /// taken up by the same command.
    Prune {
        /// The folder.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// What may stay: bytes, or a number with kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB
        /// (powers of 1024).
        #[arg(long, value_name = "SIZE", value_parser = size)]
        to: u64,
        /// Show what would be removed, and remove nothing.
        #[arg(long)]
        dry_run: bool,
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
    /// When a training last opened or wrote it.
    used: Option<SystemTime>,
}

impl Part {
    /// What says that it is whole goes first: half of a part is never taken for all of it.
    fn remove(&self) -> Result<()> {
        let mut files: Vec<&PathBuf> = self.files.iter().collect();
        files.sort_by_key(|file| {
            let ending = file.extension().and_then(|e| e.to_str());
            ["key", "marks", "f32"].iter().position(|known| ending == Some(known))
        });
        for file in files {
            match std::fs::remove_file(file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", file, &e));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `20GB`, `1.5 GiB`, `0`.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no size such as 500MB, 20GB, 1.5GiB or a number of bytes");
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000_u64.pow(2),
        "gb" => 1000_u64.pow(3),
        "tb" => 1000_u64.pow(4),
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(wrong()),
    };
    let number = number.trim();
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit).ok_or_else(wrong);
    }
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let value = number.parse::<f64>().ok().filter(|_| digits && unit > 1).ok_or_else(wrong)?;
    #[expect(clippy::cast_precision_loss, reason = "units are exact")]
    let bytes = value * unit as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^63, and parts of a byte are none"
    )]
    if bytes < 9.2e18 { Ok(bytes as u64) } else { Err(wrong()) }
}

/// Names of the parts that have to go for the rest to fit, in the order in which they go.
fn surplus(parts: &BTreeMap<String, Part>, most: u64) -> Vec<&str> {
    let mut order: Vec<(&String, &Part)> = parts.iter().collect();
    order.sort_by_key(|(name, part)| (part.used, *name));
    let mut left: u64 = parts.values().map(|part| part.bytes).sum();
    let mut out = Vec::new();
    for (name, part) in order {
        if left <= most {
            break;
        }
        left -= part.bytes;
        out.push(name.as_str());
    }
    out
}

/// Runs the command.
///
/// # Errors
/// `cache-part-unknown` for a name that is not there; what reading and removing report.
pub fn run(args: &CacheArgs, context: Context) -> Result<Outcome> {
    match &args.command {
        CacheCommand::List { folder } => {
            let parts = parts(folder)?;
            show(folder, &parts.iter().collect::<Vec<_>>(), context, "there", None);
        }
        CacheCommand::Prune { folder, to, dry_run } => {
            let parts = parts(folder)?;
            let gone: Vec<(&String, &Part)> =
                surplus(&parts, *to).into_iter().filter_map(|name| parts.get_key_value(name)).collect();
            for (_, part) in gone.iter().filter(|_| !dry_run) {
                if interrupted().load(Ordering::Relaxed) {
                    return Err(Error::Interrupted("the same command removes the rest".to_owned()));
                }
                part.remove()?;
            }
            let removed: u64 = gone.iter().map(|(_, part)| part.bytes).sum();
            let left = parts.values().map(|part| part.bytes).sum::<u64>() - removed;
            let what = if *dry_run { "would be removed" } else { "removed" };
            show(folder, &gone, context, what, Some((*to, left)));
        }
        CacheCommand::Remove { folder, parts: names, dry_run } => {
            let mut found = parts(folder)?;
            if let Some(unknown) = names.iter().find(|name| !found.contains_key(*name)) {
                let problem =
                    Diagnostic::error(Code::CachePartUnknown, format!("there is no part \"{unknown}\""));
                return Err(problem
                    .at(Location::file(folder))
                    .hint("`sequester cache list` shows the parts")
                    .into());
            }
            found.retain(|name, _| names.is_empty() || names.contains(name));
            if !dry_run {
                for part in found.values() {
                    part.remove()?;
                }
            }
            let what = if *dry_run { "would be removed" } else { "removed" };
            show(folder, &found.iter().collect::<Vec<_>>(), context, what, None);
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
        let metadata = entry.metadata().map_err(wrong)?;
        part.bytes += metadata.len();
        part.used = part.used.max(metadata.modified().ok());
        part.finished |= ending == "key";
    }
    Ok(parts)
}

/// `bound`: the most that may stay, and what stays.
fn show(folder: &Path, parts: &[(&String, &Part)], context: Context, what: &str, bound: Option<(u64, u64)>) {
    let bytes: u64 = parts.iter().map(|(_, part)| part.bytes).sum();
    if context.json {
        let list: Vec<_> = parts
            .iter()
            .map(|(name, part)| json!({"part": name, "bytes": part.bytes, "finished": part.finished}))
            .collect();
        let mut document = json!({"folder": folder, "state": what, "bytes": bytes, "parts": list});
        if let Some((most, left)) = bound {
            document["limit_bytes"] = json!(most);
            document["left_bytes"] = json!(left);
        }
        println!("{document:#}");
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
    if let Some((_, left)) = bound {
        let stays = if what == "removed" { "left" } else { "would be left" };
        println!("{:>12}  {stays}", HumanBytes(left).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_usually_written() {
        let good = [
            ("0", 0),
            ("17", 17),
            ("2kB", 2000),
            ("1.5GiB", 3 << 29),
            ("20 GB", 20_000_000_000),
            ("3M", 3 << 20),
        ];
        for (text, bytes) in good {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "-1", "1.5", "1e3", "NaN", "1 parsec", "99999999999TB", "1.2.3MB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_longest_unused_goes_first_and_equal_times_go_by_name() {
        let part = |bytes, seconds| Part {
            bytes,
            used: Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)),
            ..Part::default()
        };
        let parts: BTreeMap<String, Part> =
            [("a", part(10, 9)), ("b", part(10, 3)), ("c", part(10, 3)), ("d", part(10, 5))]
                .map(|(name, part)| (name.to_owned(), part))
                .into();
        for (most, gone) in [(40, &[][..]), (39, &["b"]), (20, &["b", "c"]), (0, &["b", "c", "d", "a"])] {
            assert_eq!(surplus(&parts, most), gone, "{most}");
        }
    }
}
