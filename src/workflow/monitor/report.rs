//! The report on the batches so far, into a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folder::{Monitored, Standing};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::document::font::FontFile;
use crate::report::Formats;
use crate::report::monitoring::{MonitoringSource, Told, default_template, render};
use crate::storage;
use crate::workflow::outside::Outside;
use crate::workflow::report::publish;

/// Where the report goes, and how it looks.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Replaced where it holds an earlier report.
    pub folder: &'a Path,
    /// In place of the built-in one.
    pub template: Option<&'a str>,
    /// For what the built-in ones lack.
    pub fonts: &'a [PathBuf],
    /// Whether there is a PDF.
    pub formats: Formats,
}

/// Writes the report and gives the names of its files.
///
/// # Errors
/// `out-occupied` for a folder that holds something else; what is wrong in a template or a font.
pub fn write(
    monitored: &Monitored,
    standing: &Standing,
    asked: &Asked<'_>,
    outside: &Outside<'_>,
) -> Result<Vec<String>> {
    refuse_foreign(asked.folder)?;
    let font = |path: &PathBuf| -> Result<FontFile> {
        Ok(FontFile { name: path.display().to_string(), bytes: storage::read(path)? })
    };
    let fonts = match asked.formats {
        Formats::All => Some(asked.fonts.iter().map(font).collect::<Result<_>>()?),
        Formats::WithoutPdf | Formats::Drafts | Formats::Traced => None,
    };
    let mut seen = BTreeSet::new();
    let mut scores = Vec::new();
    for batch in &standing.batches {
        let fresh = batch.rows.iter().filter(|row| seen.insert(row.case.clone()));
        scores.push(fresh.filter_map(|row| row.score).collect());
    }
    let answers = standing.judgement.months.iter().flat_map(|judged| {
        monitored.ledger.answers(judged.month).map(|entry| Told {
            month: judged.month,
            at: entry.at.clone(),
            by: entry.by.clone().unwrap_or_else(|| "not recorded".to_owned()),
            reason: entry.reason.clone().unwrap_or_default(),
        })
    });
    let sealed_at = monitored.ledger.entries().first().map(|entry| entry.at.clone()).unwrap_or_default();
    let source = MonitoringSource {
        plan: monitored.plan.clone(),
        seal: standing.seal.clone(),
        sealed_at,
        cohort: standing.cohort.clone(),
        scores,
        judgement: standing.judgement.clone(),
        answers: answers.collect(),
        unanswered: monitored.ledger.unanswered(),
        ledger_head: monitored.ledger.head().map(|head| head.to_string()).unwrap_or_default(),
        date: outside.at(),
        data: format!("{:#}\n", monitored.json(standing)).into_bytes(),
        fonts,
    };
    let files = render(&source, asked.template.unwrap_or(default_template()))?;
    publish(&files, asked.folder)?;
    Ok(files.keys().map(ToString::to_string).collect())
}

/// A folder with anything else than an earlier report in it is left alone.
fn refuse_foreign(folder: &Path) -> Result<()> {
    let occupied = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some() && !folder.join("monitoring.json").is_file(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(e) => return Err(Error::io("list", folder, &e)),
    };
    if !occupied {
        return Ok(());
    }
    Err(Diagnostic::error(Code::OutOccupied, "the folder holds something else than an earlier report")
        .at(Location::file(folder))
        .hint("name a folder that does not exist yet")
        .into())
}
