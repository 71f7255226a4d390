//! All documents of a study from its evidence bundle: the submission, the truthing report beside it, and the
//! set.

use super::submission::{self, Formats, Rendered, Source};
use super::{set, truthing};
use crate::diagnostic::Result;

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
/// As [`submission::render`], [`truthing::render`] and [`set::render`].
pub fn render(source: &Source, documents: Documents, formats: Formats) -> Result<Rendered> {
    let mut rendered = submission::render(source, formats)?;
    if let Some(more) = truthing::render(source, formats)? {
        rendered.files.extend(more.files);
        for field in more.to_complete {
            let key = |line: &str| line.split(": ").next().map(str::to_owned);
            if !rendered.to_complete.iter().any(|listed| key(listed) == key(&field)) {
                rendered.to_complete.push(field);
            }
        }
    }
    if documents == Documents::All {
        set::render(source, formats, &mut rendered)?;
    }
    Ok(rendered)
}
