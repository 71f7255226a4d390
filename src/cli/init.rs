//! `sequester init`: a study to start from.

mod dialogue;
mod kinds;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::protocol::language::{SCHEMA_FILE, schema};
use crate::storage;
use crate::synthetic::{self, Cohort, Settings};

pub use kinds::{Kind, Scored};

/// The declared protocol of experiment 2A.
const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");
/// The experiment that a study trains whose device is made here.
const EXPERIMENT: &str = include_str!("../../protocols/exp-demo.toml");
/// A protocol for scores that come from elsewhere differs in these places.
const EXTERNAL: &str = "\n[scores]\nfile = \"scores.csv\"              \
                        # case_id, score; a row without score says why in a column `refused`\n";
/// Cases from which the sample of a study with invented data is drawn.
const POOL: usize = 900;

/// Write a study to start from.
///
/// With --kind, or asked for on a terminal, it is a study that runs at once: a protocol of that kind, a
/// device file, and invented cases, scores and reads, which every file and every document says; `sequester
/// run DIR` works before the first edit. With --scored here the device is trained in the study, on invented
/// images, which needs a build with libtorch.
///
/// Without either, the protocol is the one of experiment 2A with every choice explained, beside an empty
/// device.toml, and no data; with --external-scores it takes the scores of a device that lives elsewhere,
/// with an operating point that is declared beforehand. Nothing that exists is overwritten.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Folder of the study; it may exist, but must not hold a protocol.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the device does, and so which endpoints are declared.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Whether the device scores elsewhere, or is trained and scores here.
    #[arg(long, value_enum, value_name = "WHERE", requires = "kind")]
    scored: Option<Scored>,
    /// Without --kind: the device lives elsewhere, and scores.csv is brought.
    #[arg(long, conflicts_with_all = ["kind", "scored"])]
    external_scores: bool,
}

/// Runs the command.
///
/// # Errors
/// `folder-exists` when there is a study already.
pub fn run(args: &InitArgs, context: Context) -> Result<Outcome> {
    refuse_existing(&args.folder)?;
    let chosen = match args.kind {
        Some(kind) => Some((kind, args.scored.unwrap_or(Scored::Elsewhere))),
        None if args.external_scores || context.json => None,
        None => dialogue::ask(),
    };
    match chosen {
        Some((kind, scored)) => invented(&args.folder, kind, scored)?,
        None => explained(args)?,
    }
    let (protocol, device) = (args.folder.join("protocol.toml"), args.folder.join("device.toml"));
    if context.json {
        println!("{:#}", serde_json::json!({"protocol": protocol, "device": device}));
        return Ok(Outcome::Done);
    }
    println!("wrote {} and {}", protocol.display(), device.display());
    if let Some((_, scored)) = chosen {
        let what = match scored {
            Scored::Here => {
                "images and reads that are invented and an experiment that trains a small network"
            }
            Scored::Elsewhere => "cases, scores and reads that are invented",
        };
        println!("with {what}, so that it runs as it is:");
        println!("  sequester run {}", args.folder.display());
        println!("then put your own data there, change the protocol in a new folder, and");
    } else {
        println!("next: put cases.csv and the readers' files (reads/*.csv) there, then");
    }
    println!("  sequester check {}", args.folder.display());
    Ok(Outcome::Done)
}

fn refuse_existing(folder: &Path) -> Result<()> {
    for path in ["protocol.toml", "device.toml"].map(|name| folder.join(name)) {
        if path.exists() {
            return Err(Diagnostic::error(Code::FolderExists, "there is a study here already")
                .at(Location::file(&path))
                .hint("choose another folder; a study is never overwritten")
                .into());
        }
    }
    Ok(())
}

/// The protocol of experiment 2A, every choice explained.
fn explained(args: &InitArgs) -> Result<()> {
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
    write_study(&args.folder, &text, crate::report::DEVICE_EXAMPLE)?;
    storage::create_folder(&args.folder.join("reads"))
}

/// Protocol and device file, and the schema by which editors complete the protocol without a network.
fn write_study(folder: &Path, protocol: &str, device: &str) -> Result<()> {
    write_schema(folder)?;
    storage::write_atomic(&folder.join("protocol.toml"), with_schema(protocol).as_bytes())?;
    storage::write_atomic(&folder.join("device.toml"), device.as_bytes())
}

/// The schema of this version, beside the protocol.
///
/// # Errors
/// When it cannot be written.
pub fn write_schema(folder: &Path) -> Result<()> {
    let text = format!("{:#}\n", schema());
    storage::write_atomic(&folder.join(SCHEMA_FILE), text.as_bytes())
}

/// The protocol with the line that names its schema to editors.
fn with_schema(protocol: &str) -> String {
    let rest = protocol
        .strip_prefix("#:schema")
        .map_or(protocol, |rest| rest.split_once('\n').map_or("", |(_, rest)| rest));
    format!("#:schema ./{SCHEMA_FILE}\n{rest}")
}

/// A study with invented data.
fn invented(folder: &Path, kind: Kind, scored: Scored) -> Result<()> {
    let settings = match scored {
        Scored::Elsewhere => Settings { pool: POOL, development: 0, ..Settings::default() },
        Scored::Here => Settings { pool: POOL, development: POOL, size: 64, ..Settings::default() },
    };
    let cohort = Cohort::generate(&settings)?;
    let files = synthetic::sample(&cohort, kind == Kind::BesideReaders, kind == Kind::Triage);
    let is_brought = |name: &str| name.starts_with("reads/") || scored == Scored::Elsewhere;
    if scored == Scored::Here {
        synthetic::write(&cohort, folder, EXPERIMENT, &|_| ControlFlow::Continue(()))?;
    }
    for (name, bytes) in files.iter().filter(|(name, _)| is_brought(name)) {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            storage::create_folder(parent)?;
        }
        storage::write_atomic(&path, bytes)?;
    }
    let device = match scored {
        Scored::Here => synthetic::DEVICE.to_owned(),
        Scored::Elsewhere => synthetic::device_elsewhere(),
    };
    write_study(folder, &kinds::protocol(kind, scored, cohort.summary().sample), &device)
}
