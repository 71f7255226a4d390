//! What every page of every kind of document says about data that a program made.

/// What every page says when any case was made by a program.
pub const SYNTHETIC_BANNER: &str =
    "SYNTHETIC DATA: the images and reads were made by a program. The results have no clinical meaning.";

/// The banner of a document, where it needs one.
pub fn banner(synthetic: bool) -> Option<String> {
    synthetic.then(|| SYNTHETIC_BANNER.to_owned())
}
