//! What an image says about itself, before anybody judges it.

use crate::diagnostic::Diagnostic;

/// What an image says about itself. `None`: it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Modality, upper case.
    pub modality: Option<String>,
    /// Body part, upper case.
    pub body_part: Option<String>,
    /// Projection, upper case.
    pub view: Option<String>,
    /// Completed years.
    pub age_years: Option<u16>,
    /// Completed years between birth and study.
    pub age_from_dates: Option<u16>,
    /// Columns and rows.
    pub dimensions: Option<(u32, u32)>,
    /// Photometric interpretation, upper case.
    pub photometric: Option<String>,
    /// Burned-in annotation, upper case.
    pub burned_in: Option<String>,
    /// Whether the device can take the pixels as the header describes them, with the reason why not. `None`:
    /// nothing is known of pixels, as of a row of a table; then nothing is checked.
    pub pixels: Option<Result<(), Diagnostic>>,
}
