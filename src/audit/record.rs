//! Is the record of signatures, a document beside the others, what bundle and signatures give?

use std::path::{Path, PathBuf};

use super::answer::{Answer, State};
use super::claim;
use super::signed::Signature;
use crate::attestation::Kind;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::report::Formats;
use crate::report::signatures::{self, Judged, Record};
use crate::storage;

/// `reports/signatures/<run>` beside `reports/<run>`: the record lies apart from what a bundle renders to.
pub fn record_beside(reports: &Path) -> PathBuf {
    let run = reports.file_name().unwrap_or_default();
    reports.parent().unwrap_or(Path::new(".")).join(signatures::NAME).join(run)
}

/// What the record of a bundle says, with the signatures that hold.
///
/// # Errors
/// What is wrong with the results.
pub fn record(opened: &Opened, held: &[Signature]) -> Result<Record> {
    let said = claim::verdicts(&opened.payload)?;
    let environment = bundle::environment(&opened.payload);
    let (run, created) = environment.map(|found| (found.run, found.created)).unwrap_or_default();
    let verdicts = said.endpoints.into_iter().map(|endpoint| Judged {
        bound: endpoint.bound.or(endpoint.value).unwrap_or_default(),
        criterion: endpoint.criterion.unwrap_or_default(),
        id: endpoint.id,
        verdict: endpoint.verdict.unwrap_or_default(),
    });
    let signature = |one: &Signature| signatures::Signature {
        file: one.file.clone(),
        name: one.name.clone(),
        role: one.role.clone(),
        meaning: one.meaning.to_owned(),
        of: if one.kind == Kind::Committed.name() {
            "the commitment, made before the opening of the test set".to_owned()
        } else {
            "the bundle, after it was verified".to_owned()
        },
        at: one.at.clone(),
        key: one.key.clone(),
    };
    Ok(Record {
        study: said.study,
        run,
        root: opened.root.map(|root| root.to_string()).unwrap_or_default(),
        created,
        conclusion: said.conclusion,
        verdicts: verdicts.collect(),
        signatures: held.iter().map(signature).collect(),
        fonts: crate::report::fonts_of(&opened.payload),
    })
}

/// What of a record that lies there is not what bundle and signatures give; none where there is none.
fn problems(opened: &Opened, held: &[Signature], folder: &Path) -> Result<Vec<Diagnostic>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let with_pdf = folder.join(format!("{}.pdf", signatures::NAME)).is_file() && cfg!(feature = "pdf");
    let formats = if with_pdf { Formats::All } else { Formats::WithoutPdf };
    let files = signatures::render(&record(opened, held)?, formats)?;
    let mut found = Vec::new();
    for (path, bytes) in &files {
        let at = path.below(folder);
        if !at.is_file() || storage::read(&at)? != *bytes {
            let message = "is not what the bundle and its signatures render to";
            let hint = "somebody signed since, or it was edited: `sequester report STUDY --documents \
                        signatures` writes it again";
            let problem = Diagnostic::error(Code::ReportDiffers, message).at(Location::file(at));
            found.push(problem.hint(hint));
        }
    }
    Ok(found)
}

/// Puts what contradicts the record into the answer on documents. Where a signature is contradicted, that is
/// told, and the record is not looked at.
pub(super) fn ask(
    opened: &Opened,
    held: &[Signature],
    reports: Option<&Path>,
    answers: &mut [Answer],
) -> Result<()> {
    let contradicted = answers.iter().any(|answer| answer.answer == State::No);
    let Some(folder) = reports.map(record_beside).filter(|folder| folder.is_dir() && !contradicted) else {
        return Ok(());
    };
    let found = problems(opened, held, &folder)?;
    if let Some(answer) = answers.iter_mut().find(|a| a.question == "report" && !found.is_empty()) {
        answer.answer = State::No;
        answer.discrepancies.extend(found);
        answer.discrepancies.sort();
    }
    Ok(())
}
