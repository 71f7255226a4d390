//! The variables with levels, and the level of a case.

use std::collections::BTreeSet;

use super::age_band::{AgeBand, NOT_RECORDED, age_level};
use crate::dataset::case::Case;
use crate::table::Word;

/// The fields with levels, as `--stratify` and `--subgroup` name them.
pub const FIELDS: [&str; 9] =
    ["sex", "view", "age_band", "site", "country", "manufacturer", "modality", "body_part", "label"];

/// The level of a case in a field of [`FIELDS`].
pub fn level(case: &Case, field: &str, bands: &[AgeBand]) -> String {
    let text = |value: &Option<Word>| value.as_deref().unwrap_or(NOT_RECORDED).to_owned();
    match field {
        "sex" => case.sex.map_or_else(|| NOT_RECORDED.to_owned(), |sex| sex.to_string()),
        "view" => text(&case.view),
        "age_band" => age_level(case.age_years, bands),
        "site" => text(&case.site),
        "country" => text(&case.country),
        "manufacturer" => text(&case.manufacturer),
        "modality" => text(&case.modality),
        "body_part" => text(&case.body_part),
        "label" => match case.source_label {
            Some(true) => "positive".to_owned(),
            Some(false) => "negative".to_owned(),
            None => NOT_RECORDED.to_owned(),
        },
        _ => NOT_RECORDED.to_owned(),
    }
}

/// Whether the tables give what a field of [`FIELDS`] needs.
pub fn has_field(fields: &BTreeSet<&'static str>, field: &str) -> bool {
    fields.contains(if field == "age_band" { "age_years" } else { field })
}
