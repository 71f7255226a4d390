//! A rehearsal of a study in a folder of its own. The study is read and never written.

use std::path::{Path, PathBuf};

use super::report::{fonts, templates};
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::evidence::bundle;
use crate::protocol::{DeclaredReaders, OperatingPointSource};
use crate::storage;
use crate::study::rehearsal::{Quality, Rehearsal, rehearse};
use crate::study::{self, Step};

/// The folder of a rehearsal where none is named.
pub fn place(study: &Study) -> PathBuf {
    study.out.join("rehearsal")
}

/// Reads what a rehearsal is made of; nothing is written.
///
/// # Errors
/// What is wrong in the case tables.
pub fn prepare(study: &Study, quality: &Quality) -> Result<Rehearsal> {
    let mut inputs = study.inputs(Step::Cohort)?;
    let mut beside = Vec::new();
    if let DeclaredReaders::File(path) = &study.protocol.reference_standard.declared {
        beside.push(path.clone());
    }
    if let OperatingPointSource::Tuning { cases, .. } = &study.protocol.operating_point {
        beside.push(cases.path.clone());
    }
    for path in beside {
        let file = path.below(&study.data);
        if file.is_file() {
            inputs.files.insert(path, storage::read(&file)?.into());
        }
    }
    let cohort = study::cohort(&inputs)?;
    let text = String::from_utf8_lossy(&study.protocol_bytes).into_owned();
    rehearse(&text, &inputs, &cohort, quality)
}

/// Writes a rehearsal as a study of its own, with the study's words, templates and fonts.
///
/// # Errors
/// `file-exists` where something lies there; when a file cannot be written.
pub fn write(study: &Study, rehearsal: &Rehearsal, folder: &Path) -> Result<()> {
    if folder.exists() {
        let problem = Diagnostic::error(Code::FileExists, "a rehearsal is written to a new folder");
        return Err(problem
            .at(Location::file(folder))
            .hint("remove it, or name another one with --out")
            .into());
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let beside = tempfile::Builder::new()
        .prefix(".sequester-")
        .tempdir_in(parent)
        .map_err(|e| crate::diagnostic::Error::io("create a folder in", parent, &e))?;
    let fresh = beside.path().join("fresh");
    storage::create_folder(&fresh)?;
    storage::write_atomic(&fresh.join("protocol.toml"), rehearsal.protocol.as_bytes())?;
    for (path, bytes) in &rehearsal.simulated {
        storage::write_atomic(&path.below(&fresh), &bytes.read())?;
    }
    for path in &rehearsal.taken {
        storage::write_atomic(&path.below(&fresh), &storage::read(&path.below(&study.data))?)?;
    }
    let device = study.folder.join(bundle::DEVICE);
    if device.is_file() {
        storage::write_atomic(&fresh.join(bundle::DEVICE), &storage::read(&device)?)?;
    }
    if study.folder.join(bundle::TEMPLATES).is_dir() {
        for (name, text) in templates(&study.folder)? {
            storage::write_atomic(&fresh.join(bundle::TEMPLATES).join(name), text.as_bytes())?;
        }
    }
    for (name, bytes) in fonts(&study.folder)? {
        storage::write_atomic(&fresh.join(bundle::FONTS).join(name), &bytes)?;
    }
    storage::publish_folder(&fresh, folder)
}
