//! `[gate]`: which images the device accepts.

use std::path::Path;

use crate::dataset::gate::{AgeRange, AspectRange, BurnedIn, Gate};
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic};

/// The gate of a TOML text: its `[gate]` table, or the whole text as one. `path` is for messages.
///
/// # Errors
/// Everything wrong with the gate at once, as in a protocol; other tables of a protocol are not looked at.
pub fn parse_gate(path: &Path, text: &str) -> Result<Gate, Vec<Diagnostic>> {
    let document = Document::new(path, text);
    let table = document.parse();
    let rules = table.as_ref().map(|table| {
        let root = Section::root(&document, table);
        gate(if root.has("gate") { root.section("gate") } else { root })
    });
    let problems = document.into_problems();
    match rules {
        Some(rules) if problems.is_empty() => Ok(rules),
        _ => Err(problems),
    }
}

/// `[gate]` as typed.
pub(super) fn gate(section: Section) -> Gate {
    let gate = Gate {
        modality: section.strings("modality").map(upper),
        body_part: section.strings("body_part").map(upper),
        view: section.strings("view").map(upper),
        age_years: age_range(&section),
        age_from_dates: section.boolean("age_from_dates").unwrap_or(false),
        minimum_dimension: section.whole("minimum_dimension").map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        maximum_dimension: section.whole("maximum_dimension").map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        aspect_ratio: aspect_range(&section),
        photometric_interpretation: section.strings("photometric_interpretation").map(upper),
        burned_in_annotation: section.has("burned_in_annotation").then(|| {
            let choices = [("no", BurnedIn::No), ("not-yes", BurnedIn::NotYes)];
            section.choice("burned_in_annotation", &choices, BurnedIn::No)
        }),
    };
    if let (Some(least), Some(most)) = (gate.minimum_dimension, gate.maximum_dimension)
        && least > most
    {
        section.wrong(
            "maximum_dimension",
            Code::ValueRange,
            format!("minimum_dimension {least} is above maximum_dimension {most}"),
        );
    }
    if gate.age_from_dates && gate.age_years.is_none() && !section.faulty(&["age_years"]) {
        section.wrong("age_from_dates", Code::KeyMissing, "`gate.age_from_dates` needs `gate.age_years`");
    }
    section.finish();
    gate
}

fn aspect_range(section: &Section) -> Option<AspectRange> {
    let aspect = section.section("aspect_ratio");
    if !aspect.is_present() {
        return None;
    }
    let side = |key: &'static str| {
        if !aspect.has(key) {
            aspect.wrong(key, Code::KeyMissing, format!("`gate.aspect_ratio.{key}` is missing: a number"));
        }
        aspect.number_in(key, "above 0", |n| n > 0.0).unwrap_or(1.0)
    };
    let range = AspectRange { min: side("min"), max: side("max") };
    if range.min > range.max && !aspect.faulty(&["min", "max"]) {
        aspect.wrong("min", Code::ValueRange, format!("min {} is above max {}", range.min, range.max));
    }
    aspect.finish();
    Some(range)
}

fn age_range(section: &Section) -> Option<AgeRange> {
    let age = section.section("age_years");
    if !age.is_present() {
        return None;
    }
    let range = AgeRange { min: years(&age, "min"), max: years(&age, "max") };
    if range.min > range.max && !age.faulty(&["min", "max"]) {
        age.wrong("min", Code::ValueRange, format!("min {} is above max {}", range.min, range.max));
    }
    age.finish();
    Some(range)
}

/// Completed years, 0 to 150.
pub(super) fn years(section: &Section, key: &'static str) -> u16 {
    let value = section.required_whole(key);
    u16::try_from(value).ok().filter(|y| *y <= 150).unwrap_or_else(|| {
        section.wrong(key, Code::ValueRange, format!("`{key}` is {value}, must be 0 to 150 years"));
        0
    })
}

/// Texts in capitals, as they are compared.
pub(super) fn upper(list: Vec<String>) -> Vec<String> {
    list.into_iter().map(|text| text.to_uppercase()).collect()
}
