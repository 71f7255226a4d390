//! All documents of a study from its evidence bundle: the submission, and the truthing report beside it.

use super::submission::{self, Formats, Rendered, Source};
use super::truthing;
use crate::diagnostic::Result;

/// Every file that lies in `reports/run-N/`. A bundle whose templates know no truthing report has none.
///
/// # Errors
/// As [`submission::render`] and [`truthing::render`].
pub fn render(source: &Source, formats: Formats) -> Result<Rendered> {
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
    Ok(rendered)
}
