//! What every page of every kind of document says about data that a program made, and about a protocol that
//! was changed too late.

/// What every page says when any case was made by a program.
pub const SYNTHETIC_BANNER: &str =
    "SYNTHETIC DATA: the images and reads were made by a program. The results have no clinical meaning.";

/// What every page of a rehearsal says.
pub const REHEARSAL_BANNER: &str =
    "REHEARSAL: scores and reads were simulated. The results say nothing about the device.";

/// What every page says when the protocol was amended after an opening of the test set.
pub const AMENDED_BANNER: &str = "The protocol was AMENDED AFTER THE TEST SET WAS OPENED.";

/// The banner of a document, where it needs one.
pub fn banner(synthetic: bool) -> Option<String> {
    banner_of(synthetic, false, false)
}

/// The banner of a study's document, where it needs one. A rehearsal's words hold for synthetic cases too.
pub fn banner_of(synthetic: bool, rehearsal: bool, amended_after_opening: bool) -> Option<String> {
    let data = if rehearsal { Some(REHEARSAL_BANNER) } else { synthetic.then_some(SYNTHETIC_BANNER) };
    let said: Vec<&str> = data.into_iter().chain(amended_after_opening.then_some(AMENDED_BANNER)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}
