//! Single elements of a data set.

use dicom_core::Tag;
use dicom_object::InMemDicomObject;

/// The values of an element joined by `\`, trimmed; `None` when absent or empty.
pub(super) fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let element = object.get(tag)?;
    let values = element.value().to_multi_str().ok()?;
    let joined: Vec<&str> = values.iter().map(|v| v.trim_matches([' ', '\0'])).collect();
    let joined: String = joined.join("\\").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (!joined.is_empty()).then_some(joined)
}

/// A whole number of an element; `None` when absent or not one.
pub(super) fn whole(object: &InMemDicomObject, tag: Tag) -> Option<u32> {
    text(object, tag)?.parse().ok()
}

/// A tag as the standard writes it.
pub(super) fn shown(tag: Tag) -> String {
    format!("({:04X},{:04X})", tag.group(), tag.element())
}
