//! Do the documents beside the evidence render from it?

use std::collections::BTreeMap;
use std::path::Path;

use super::answer::{Answer, State};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::RelativePath;
use crate::evidence::bag::{DEEPEST, Opened};
use crate::report::set::is_of_set;
use crate::report::{Documents, Formats};

/// The documents beside the evidence are what it renders to.
pub(super) fn report(opened: &Opened, reports: Option<&Path>) -> Result<Answer> {
    let words = "Does the report render to the same bytes?";
    let Some(folder) = reports.filter(|folder| folder.is_dir()) else {
        return Ok(Answer::open("report", words, State::NotShown, "no documents beside the evidence"));
    };
    let mut on_disk = BTreeMap::new();
    list(folder, "", &mut on_disk)?;
    // Documents may be written without a PDF; one that is there is rendered again.
    let has_pdf = on_disk.keys().any(|name| name.ends_with(".pdf"));
    let formats = if has_pdf { Formats::All } else { Formats::WithoutPdf };
    // The set beside the report is written where it is asked for; one that is there is rendered again, whole.
    let has_set = on_disk.keys().any(|name| is_of_set(name));
    let documents = if has_set { Documents::All } else { Documents::Report };
    let rendered = match crate::report::from_bundle(&opened.payload, opened.root)
        .and_then(|s| crate::report::render(&s, documents, formats))
    {
        Ok(rendered) => rendered.files,
        Err(error) => return Ok(Answer::of("report", words, "the bundle".to_owned(), error.diagnostics())),
    };
    let mut problems = Vec::new();
    let mut compared = 0;
    for (name, bytes) in &on_disk {
        let at = Location::file(folder.join(name));
        match name.parse::<RelativePath>().ok().and_then(|path| rendered.get(&path)) {
            Some(expected) if expected == bytes => compared += 1,
            Some(_) => problems
                .push(Diagnostic::error(Code::ReportDiffers, "is not what the bundle renders to").at(at)),
            None if name.ends_with(".pdf") && !cfg!(feature = "pdf") => {}
            None => {
                problems.push(Diagnostic::error(Code::ReportExtra, "is not rendered from the bundle").at(at))
            }
        }
    }
    for path in rendered.keys().filter(|path| !on_disk.contains_key(path.as_str())) {
        problems
            .push(Diagnostic::error(Code::ReportLost, "is not there").at(Location::file(path.below(folder))));
    }
    let pdf = match (has_pdf, cfg!(feature = "pdf")) {
        (false, _) => "; no PDF beside them",
        (true, false) => "; this build cannot render PDF",
        (true, true) => "",
    };
    Ok(Answer::of("report", words, format!("{compared} files rendered again{pdf}"), problems))
}

/// Says what a document that differs stands for. Rendering it again makes it agree with the bundle, also with
/// one that was changed: so that is offered only where nothing else is contradicted, and after a look at it.
pub(super) fn explain(answers: &mut [Answer]) {
    let others_hold = answers.iter().all(|a| a.question == "report" || a.answer != State::No);
    let hint = if others_hold {
        "the document was edited, or comes from another bundle or another version of the program: `sequester \
         verify --against` it names the words that differ; the bundle is the record"
    } else {
        "the bundle itself is contradicted: rendering it again would only make the document agree with that"
    };
    let documents = answers.iter_mut().filter(|a| a.question == "report").flat_map(|a| &mut a.discrepancies);
    for problem in documents.filter(|p| p.code == Code::ReportDiffers) {
        problem.hint = Some(hint.to_owned());
    }
}

fn list(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let here = folder.join(below);
    let wrong = |e: std::io::Error| crate::diagnostic::Error::io("list", &here, &e);
    for entry in std::fs::read_dir(&here).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        // A link is not followed: it may lead in a circle, or anywhere.
        let kind = entry.file_type().map_err(wrong)?;
        if kind.is_dir() && path.matches('/').count() < DEEPEST {
            list(folder, &path, files)?;
        } else if kind.is_file() {
            files.insert(path, crate::storage::read(&entry.path())?);
        } else {
            files.insert(path, Vec::new());
        }
    }
    Ok(())
}
