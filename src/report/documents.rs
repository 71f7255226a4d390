//! All documents of a study from its evidence bundle: the submission, the truthing report and the
//! reader-study report beside it, and the set.

use super::at_once::at_once;
use super::submission::{self, Formats, Rendered, Source};
use super::{reader_study, set, truthing};
use crate::diagnostic::Result;

/// Documents of more cases are rendered one after the other.
const AT_ONCE: usize = 50_000;

/// Which documents are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// The validation report and the truthing report.
    Report,
    /// These and the set beside them.
    All,
}

/// Every file that lies in `reports/run-N/`. A bundle whose templates know no truthing report has none, and
/// one whose templates know no document of the set has no such document.
///
/// # Errors
/// As [`submission::render`], [`truthing::render`], [`reader_study::render`], [`set::parts`] and
/// [`set::mapped`].
pub fn render(source: &Source, documents: Documents, formats: Formats) -> Result<Rendered> {
    // A large table is held once and not twice.
    let is_small = source.derivation.len() <= AT_ONCE;
    if documents == Documents::Report {
        return reports(source, formats, is_small);
    }
    let reports = || reports(source, formats, is_small);
    let parts = || set::parts(source, formats);
    let (rendered, parts) = if is_small { at_once(reports, parts) } else { (reports(), parts()) };
    let mut rendered = rendered?;
    let Some(parts) = parts? else { return Ok(rendered) };
    set::keep(&mut rendered.files, parts);
    let of_record = matches!(formats, Formats::All | Formats::WithoutPdf);
    let as_pages = if of_record || !set::has_map(source) {
        None
    } else {
        let plain = Source { traced: false, ..source.clone() };
        Some(render(&plain, documents, Formats::WithoutPdf)?.files)
    };
    set::mapped(source, formats, as_pages.as_ref(), &mut rendered)?;
    Ok(rendered)
}

/// Validation report, truthing report, reader-study report.
fn reports(source: &Source, formats: Formats, is_small: bool) -> Result<Rendered> {
    // Setting the pages is most of the work.
    let (rendered, more) = if formats == Formats::All && is_small {
        at_once(|| submission::render(source, formats), || truthing::render(source, formats))
    } else {
        let rendered = submission::render(source, formats)?;
        (Ok(rendered), truthing::render(source, formats))
    };
    let mut rendered = rendered?;
    let of_readers = reader_study::render(source, formats)?;
    for more in [more?, of_readers].into_iter().flatten() {
        rendered.files.extend(more.files);
        for field in more.to_complete {
            let key = |line: &str| line.split(": ").next().map(str::to_owned);
            if !rendered.to_complete.iter().any(|listed| key(listed) == key(&field)) {
                rendered.to_complete.push(field);
            }
        }
    }
    Ok(rendered)
}
