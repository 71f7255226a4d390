//! The statistical analysis plan of a study, from its protocol alone.

use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::report::{fonts, publish};
use super::study::Study;
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::document::font::FontFile;
use crate::document::render::Look;
use crate::evidence::ledger::Event;
use crate::report::Formats;
use crate::report::plan::{Source, render};
use crate::study::planning::{SizePlan, size_plan};

/// The folder of the plan where none is named.
pub fn place(study: &Study) -> PathBuf {
    study.out.join("reports").join("plan")
}

/// What the protocol can be expected to show.
pub fn of(study: &Study) -> SizePlan {
    size_plan(&study.protocol)
}

/// Renders the plan into a folder and gives the names of the files. Reads the protocol and the ledger alone.
///
/// # Errors
/// When a font cannot be read or a file cannot be written.
pub fn write(study: &Study, folder: &Path, formats: Formats, outside: &Outside<'_>) -> Result<Vec<String>> {
    let digest = Digest::of(&study.protocol_bytes);
    let ledger = study.ledger()?;
    let locked = ledger.last(Event::ProtocolLocked);
    let locked = locked.filter(|entry| entry.digests.get("protocol.toml") == Some(&digest));
    let fonts = fonts(&study.folder)?.into_iter().map(|(name, bytes)| FontFile { name, bytes }).collect();
    let source = Source {
        protocol: study.protocol.clone(),
        digest: digest.to_string(),
        locked_at: locked.map(|entry| entry.at.clone()),
        openings: ledger.count(Event::TestSetOpened),
        banner: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: of(study),
        date: outside.at(),
        fonts,
        look: Look::default(),
    };
    let files = render(&source, formats)?;
    publish(&files, folder)?;
    Ok(files.keys().map(ToString::to_string).collect())
}
