//! Documents beside a bundle: found, rendered, and put in place in one step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::study::runs;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::RelativePath;
use crate::evidence::{bag, bundle, names};
use crate::report::set::{Answer, is_of_set};
use crate::report::trace::Trace;
use crate::report::{Documents, Formats, Offered};
use crate::storage;

/// The bundle that a target names: itself, or a run of a study.
///
/// # Errors
/// When there is none.
pub fn find_bundle(target: &Path, run: Option<&str>) -> Result<PathBuf> {
    if target.join("manifest-sha256.txt").is_file() || target.join("bagit.txt").is_file() {
        return Ok(target.to_path_buf());
    }
    let runs = runs(target);
    let names: Vec<String> = runs.iter().map(|(number, _)| format!("run-{number}")).collect();
    if let Some(name) = run.filter(|name| !names.is_empty() && !names.iter().any(|n| n == name)) {
        let problem = Diagnostic::error(Code::NotABundle, format!("the study has no `{name}`"));
        return Err(problem.at(Location::file(target)).hint(format!("there is {}", names.join(", "))).into());
    }
    let found = match run {
        Some(name) => runs.into_iter().find(|(number, _)| name == format!("run-{number}")),
        None => runs.into_iter().next_back(),
    };
    found.map(|(_, folder)| folder).ok_or_else(|| {
        let hint = match bundle_within(target) {
            Some(within) => format!("{} is one", within.display()),
            None => {
                "name a study folder after `sequester validate`, or a folder below its `evidence/`".into()
            }
        };
        Diagnostic::error(Code::NotABundle, "there is no evidence bundle here")
            .at(Location::file(target))
            .hint(hint)
            .into()
    })
}

/// A bundle that lies right in a folder: what a person means who names one level too high.
fn bundle_within(folder: &Path) -> Option<PathBuf> {
    let inside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    inside.filter(|path| path.join("bagit.txt").is_file()).min()
}

/// `reports/<run>` beside `evidence/<run>`.
pub fn reports_of(bundle: &Path) -> PathBuf {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let run = bundle.file_name().unwrap_or_default();
    let study = bundle.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    study.join("reports").join(run)
}

/// The documents that a folder holds already: what was asked for once stays.
fn as_there(folder: &Path) -> Documents {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    if names.any(|name| is_of_set(&name)) { Documents::All } else { Documents::Report }
}

/// Renders a bundle into a folder and gives the names of the files; without `documents` those that the folder
/// holds already.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact; nothing is rendered from it then.
pub fn render(
    bundle: &Path,
    folder: &Path,
    documents: Option<Documents>,
    formats: Formats,
    outside: &Outside<'_>,
) -> Result<Vec<String>> {
    let opened = bag::open(bundle)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    outside.say("report", "rendering the documents");
    let source = crate::report::from_bundle(&opened.payload, opened.root)?;
    let documents = documents.unwrap_or_else(|| as_there(folder));
    let rendered = crate::report::render(&source, documents, formats)?;
    publish(&rendered.files, folder)?;
    Ok(rendered.files.keys().map(ToString::to_string).collect())
}

/// `ecopy/<run>` beside `evidence/<run>`.
pub fn ecopy_of(bundle: &Path) -> PathBuf {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let run = bundle.file_name().unwrap_or_default();
    let study = bundle.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    study.join("ecopy").join(run)
}

/// Writes the PDFs of the whole set under the names of an eCopy and gives these names.
///
/// # Errors
/// As [`render`]; `typesetting` in a build without PDF; `ecopy-too-large`.
pub fn ecopy(bundle: &Path, folder: &Path, outside: &Outside<'_>) -> Result<Vec<String>> {
    let opened = intact(bundle)?;
    outside.say("report", "rendering the documents");
    let source = crate::report::from_bundle(&opened.payload, opened.root)?;
    let rendered = crate::report::render(&source, Documents::All, Formats::All)?;
    let copies = crate::report::set::copies(&rendered.files)?;
    publish(&copies, folder)?;
    Ok(copies.keys().map(ToString::to_string).collect())
}

/// How the requirements stand in the documents that a bundle renders to; nothing is written.
///
/// # Errors
/// As [`render`].
pub fn coverage_of(bundle: &Path, outside: &Outside<'_>) -> Result<Vec<Answer>> {
    let opened = intact(bundle)?;
    outside.say("report", "rendering the documents");
    let source = crate::report::from_bundle(&opened.payload, opened.root)?;
    let mut files = crate::report::render(&source, Documents::All, Formats::WithoutPdf)?.files;
    // What is asked of the PDF is that it is there: this build writes it with the others, and it need not be
    // waited for here.
    if cfg!(feature = "pdf") {
        crate::document::render::add(&mut files, "report.pdf", Vec::new())?;
    }
    Ok(crate::report::set::coverage_of(&source, &files))
}

/// Where every number of a bundle's documents comes from.
///
/// # Errors
/// As [`render`].
pub fn trace_of(bundle: &Path) -> Result<Trace> {
    let opened = intact(bundle)?;
    crate::report::trace::trace(&crate::report::from_bundle(&opened.payload, opened.root)?)
}

/// A bundle whose every byte is the one that was recorded.
fn intact(bundle: &Path) -> Result<bag::Opened> {
    let opened = bag::open(bundle)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    Ok(opened)
}

/// Everything that the templates of a bundle can ask for, with what it gives.
///
/// # Errors
/// `Error::Evidence` when the bundle is not intact.
pub fn values_of(bundle: &Path) -> Result<Vec<Offered>> {
    let opened = intact(bundle)?;
    Ok(crate::report::offered(&crate::report::from_bundle(&opened.payload, opened.root)?))
}

/// Writes a folder of finished files in one step; what was there goes when all of them are on disk.
///
/// # Errors
/// When a file cannot be written; the old folder is then untouched.
pub fn publish(files: &BTreeMap<RelativePath, Vec<u8>>, folder: &Path) -> Result<()> {
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let beside = tempfile::Builder::new()
        .prefix(".sequester-")
        .tempdir_in(parent)
        .map_err(|e| Error::io("create a folder in", parent, &e))?;
    let fresh = beside.path().join("fresh");
    storage::create_folder(&fresh)?;
    for (path, bytes) in files {
        storage::write_atomic(&path.below(&fresh), bytes)?;
    }
    if folder.exists() {
        std::fs::rename(folder, beside.path().join("old")).map_err(|e| Error::io("replace", folder, &e))?;
    }
    storage::publish_folder(&fresh, folder)
}

/// The built-in templates, with those of the study's `templates/` folder in their place.
///
/// # Errors
/// When one cannot be read or is not UTF-8.
pub fn templates(study: &Path) -> Result<BTreeMap<String, String>> {
    let mut templates = crate::report::default_templates();
    let folder = study.join("templates");
    if folder.is_dir() {
        let entries = std::fs::read_dir(&folder).map_err(|e| Error::io("list", &folder, &e))?;
        for entry in entries {
            let path = entry.map_err(|e| Error::io("list", &folder, &e))?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_file() && name.to_string_lossy().ends_with(".md") {
                let name = names::of_system(name, Location::file(&path))?;
                let text = String::from_utf8(storage::read(&path)?).map_err(|e| {
                    Diagnostic::error(Code::Template, format!("not UTF-8: {e}")).at(Location::file(&path))
                })?;
                templates.insert(name, text);
            }
        }
    }
    Ok(templates)
}

/// The fonts of the study's `fonts/` folder: what the built-in ones lack is taken from them.
///
/// # Errors
/// When one cannot be read.
pub fn fonts(study: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut fonts = BTreeMap::new();
    let folder = study.join(bundle::FONTS);
    if folder.is_dir() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("list", &folder, &e))? {
            let path = entry.map_err(|e| Error::io("list", &folder, &e))?.path();
            let name = path.file_name().unwrap_or_default();
            let lower = name.to_string_lossy().to_lowercase();
            if path.is_file() && [".ttf", ".otf", ".ttc"].iter().any(|end| lower.ends_with(end)) {
                fonts.insert(names::of_system(name, Location::file(&path))?, storage::read(&path)?);
            }
        }
    }
    Ok(fonts)
}
