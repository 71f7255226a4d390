//! Words that no font has: a PDF cannot show them, and is not written. Better known before the test set is
//! opened than after it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity, few};
use crate::document::font::FontFile;
use crate::document::{render, text};
use crate::storage;
use crate::study::Cohort;
use crate::workflow::report;
use crate::workflow::study::Study;

/// So many characters are named of a place.
const NAMED: usize = 10;

/// A warning of each place whose words no PDF can show: the protocol, which is printed as it stands, the
/// levels of subgroups, the readers, and what the submitter typed. A character is told once.
///
/// # Errors
/// When a font or `device.toml` cannot be read.
pub fn without_font(
    study: &Study,
    cohort: &Cohort,
    readers: Option<&BTreeSet<String>>,
) -> Result<Vec<Diagnostic>> {
    let fonts = report::fonts(&study.folder)?.into_iter();
    let fonts: Vec<FontFile> = fonts.map(|(name, bytes)| FontFile { name, bytes }).collect();
    let texts = texts(study, cohort, readers)?;
    // Fonts are large: they are asked once, of every character.
    let characters: BTreeSet<char> = texts.values().flat_map(|words| words.chars()).collect();
    let mut lacking = render::without_font(&String::from_iter(characters), &fonts)?;
    let mut found = Vec::new();
    for (place, words) in texts {
        let here: BTreeSet<char> = text::clean(&words).chars().filter(|c| lacking.remove(c)).collect();
        if here.is_empty() {
            continue;
        }
        let named = here.into_iter().map(text::with_number);
        let message = format!("no font has {}{}", few::and_more(named, NAMED), place.words());
        found.push(Diagnostic::warning(Code::FontMissing, message).at(place.location(study)).hint(
            "put a font that has them (.ttf, .otf, .ttc) into the study's `fonts/` folder, or write the \
             documents without PDF (`--no-pdf`)",
        ));
    }
    Ok(found)
}

/// The same as errors, for a run that is to write PDFs.
///
/// # Errors
/// `font-missing`, and those of [`without_font`].
pub fn have_fonts(study: &Study, cohort: &Cohort, readers: &BTreeSet<String>) -> Result<()> {
    let found = without_font(study, cohort, Some(readers))?;
    if found.is_empty() {
        return Ok(());
    }
    let as_error = |problem| Diagnostic { severity: Severity::Error, ..problem };
    Err(Error::Input(found.into_iter().map(as_error).collect()))
}

/// What is printed, by the place it comes from.
fn texts(
    study: &Study,
    cohort: &Cohort,
    readers: Option<&BTreeSet<String>>,
) -> Result<BTreeMap<Place, String>> {
    let mut texts = BTreeMap::new();
    for (line, words) in (1..).zip(String::from_utf8_lossy(&study.protocol_bytes).lines()) {
        texts.insert(Place::Protocol(line), words.to_owned());
    }
    for subgroup in &study.protocol.subgroups {
        let levels: BTreeSet<String> =
            cohort.drawn_cases().filter_map(|case| subgroup.by.level(case)).collect();
        texts.insert(Place::Levels(subgroup.by.name()), Vec::from_iter(levels).join(" "));
    }
    let readers: Vec<&str> = readers.into_iter().flatten().map(String::as_str).collect();
    texts.insert(Place::Readers, readers.join(" "));
    let device = study.folder.join("device.toml");
    if device.is_file() {
        // One that is no TOML is told where it is looked at.
        let typed = String::from_utf8(storage::read(&device)?).ok();
        let typed: Option<toml::Value> = typed.and_then(|text| toml::from_str(&text).ok());
        let mut words = String::new();
        typed.iter().for_each(|value| strings(value, &mut words));
        texts.insert(Place::Device, words);
    }
    Ok(texts)
}

/// Where words stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A line of the protocol.
    Protocol(u64),
    /// The levels of a subgroup.
    Levels(String),
    /// The names of the readers.
    Readers,
    /// What the submitter typed.
    Device,
}

impl Place {
    fn words(&self) -> String {
        match self {
            Self::Protocol(_) | Self::Device => String::new(),
            Self::Levels(name) => format!(": a level of {name}"),
            Self::Readers => ": the name of a reader".to_owned(),
        }
    }

    fn location(&self, study: &Study) -> Location {
        match self {
            Self::Protocol(line) => Location::line(study.folder.join("protocol.toml"), *line),
            Self::Device => Location::file(study.folder.join("device.toml")),
            Self::Levels(_) | Self::Readers => Location::file(&study.folder),
        }
    }
}

/// Every text of a TOML value.
fn strings(value: &toml::Value, out: &mut String) {
    match value {
        toml::Value::String(text) => {
            out.push_str(text);
            out.push(' ');
        }
        toml::Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        toml::Value::Table(table) => table.iter().for_each(|(_, item)| strings(item, out)),
        _ => {}
    }
}
