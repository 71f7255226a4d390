//! Which requirements the rendered documents answer, told from the documents themselves.
//!
//! What answers a requirement is written as alternatives, separated by ` | `, of parts that all have to
//! hold, separated by ` & `: `c:report/Flow of cases` a table or figure whose caption begins so,
//! `s:summary/Clinical tests` a section, `x:report/Rule:` words, `d:device.name` a field that is filled and
//! printed, `b:summary.txt` a file, `r:sites` something the results have, `n:software-only` a rule by which
//! it does not apply.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::title_of;
use super::outline::{Outline, Section};
use super::requirements::{Requirement, requirements};
use super::rules;
use crate::diagnostic::Result;
use crate::document::text;
use crate::document::tree::{Column, Row};
use crate::report::submission::{Source, at, words};

/// How a requirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Printed from the evidence.
    Printed,
    /// In the submitter's words.
    Typed,
    /// A rule says that it does not apply.
    NotApplicable,
    /// Nothing answers it.
    Empty,
}

impl State {
    /// In the order of tables.
    pub const ALL: [Self; 4] = [Self::Printed, Self::Typed, Self::NotApplicable, Self::Empty];

    /// As documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Printed => "printed",
            Self::Typed => "typed",
            Self::NotApplicable => "not applicable",
            Self::Empty => "empty",
        }
    }
}

/// A requirement with how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is asked for.
    pub requirement: &'static Requirement,
    /// How it stands.
    pub state: State,
    /// Where: documents with their sections, and fields.
    pub places: String,
    /// Pages and anchors that `places` names.
    pub anchors: Vec<(String, String)>,
    /// By which rule it does not apply, or what is missing.
    pub note: String,
}

/// The pages of a rendered set by their names, with the names of all files.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// `report` → what `report.html` holds.
    pub outlines: BTreeMap<String, Outline>,
    /// Names of the files of the set.
    pub files: BTreeSet<String>,
}

/// Where a part of an answer stands.
#[derive(Clone, Debug)]
struct Place {
    words: String,
    field: Option<String>,
    anchor: Option<(String, String)>,
}

/// Every requirement with how it stands, in the order of the list.
pub fn answers(source: &Source, pages: &Pages) -> Vec<Answer> {
    let mut fields = BTreeMap::new();
    requirements().iter().map(|requirement| answer(source, pages, requirement, &mut fields)).collect()
}

/// Fields that were looked for already.
type Fields = BTreeMap<String, Option<Place>>;

fn answer(source: &Source, pages: &Pages, requirement: &'static Requirement, fields: &mut Fields) -> Answer {
    let mut missing: Option<Vec<String>> = None;
    for alternative in requirement.evidence.split(" | ") {
        let parts: Vec<(&str, &str)> =
            alternative.split(" & ").filter_map(|part| part.trim().split_once(':')).collect();
        let mut found = Vec::new();
        let mut lacking = Vec::new();
        for (kind, what) in &parts {
            match part(source, pages, kind, what, fields) {
                Ok(place) => found.push(place),
                Err(why) => lacking.push(why),
            }
        }
        if lacking.is_empty() && !parts.is_empty() {
            return answered(requirement, &parts, found);
        }
        // What the first alternative lacks is what to do; later ones are ways around it.
        missing.get_or_insert(lacking);
    }
    let note = missing.unwrap_or_default().join("; ");
    Answer { requirement, state: State::Empty, places: String::new(), anchors: Vec::new(), note }
}

fn answered(requirement: &'static Requirement, parts: &[(&str, &str)], found: Vec<Place>) -> Answer {
    let has = |kinds: &[&str]| parts.iter().any(|(kind, _)| kinds.contains(kind));
    let typed = has(&["d"]) && (!requirement.is_automatic || !has(&["c", "s", "x"]));
    // Fields that stand in one section are named together.
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    let mut anchors = Vec::new();
    for place in found.into_iter().filter(|place| !place.words.is_empty()) {
        match places.iter_mut().find(|(words, _)| *words == place.words) {
            Some((_, fields)) => fields.extend(place.field),
            None => places.push((place.words, place.field.into_iter().collect())),
        }
        anchors.extend(place.anchor);
    }
    let named = |(words, fields): &(String, Vec<String>)| match fields.as_slice() {
        [] => words.clone(),
        fields => format!("{words} ({})", fields.join(", ")),
    };
    let places: Vec<String> = places.iter().map(named).collect();
    let places = places.join("; ");
    if has(&["n"]) {
        return Answer {
            requirement,
            state: State::NotApplicable,
            places: String::new(),
            anchors,
            note: places,
        };
    }
    let state = if typed { State::Typed } else { State::Printed };
    Answer { requirement, state, places, anchors, note: String::new() }
}

fn part(
    source: &Source,
    pages: &Pages,
    kind: &str,
    what: &str,
    fields: &mut Fields,
) -> std::result::Result<Place, String> {
    let nowhere = |words: &str| Place { words: words.to_owned(), field: None, anchor: None };
    let quoted = |rest: &str| format!("\u{201c}{rest}\u{201d}");
    match kind {
        "n" => rules::not_applicable(source, what).map(|why| nowhere(&why)),
        "r" => rules::holds(source, what).map(|()| nowhere("")),
        "b" => {
            let there = pages.files.contains(what) || source.digests.contains_key(what);
            if there { Ok(nowhere(what)) } else { Err(format!("no file {what}")) }
        }
        "d" => {
            let found = fields.entry(what.to_owned()).or_insert_with(|| field(source, pages, what));
            let empty = at(&source.device, what).is_none_or(|value| words(value).trim().is_empty());
            found.clone().ok_or_else(|| {
                let why = if empty { "is empty" } else { "is filled and no document prints it" };
                format!("{what} {why}")
            })
        }
        _ => {
            let (short, rest) = what.split_once('/').unwrap_or((what, ""));
            let name = full_name(short);
            let title = title_of(name);
            let outline =
                pages.outlines.get(name).ok_or_else(|| format!("no document \u{201c}{title}\u{201d}"))?;
            let holds = |section: &&Section| match kind {
                "c" => section.captions.iter().any(|caption| caption.starts_with(rest)),
                "s" => !section.number.is_empty() && section.title.starts_with(rest),
                _ => section.words.contains(rest),
            };
            let missing = || match kind {
                "c" => format!("{title} has no table or figure {}", quoted(rest)),
                "s" => format!("{title} has no section {}", quoted(rest)),
                _ => format!("{title} does not say {}", quoted(rest)),
            };
            let section = outline.sections.iter().find(holds).ok_or_else(missing)?;
            Ok(place(name, section))
        }
    }
}

/// The name of a document's files from the short one of the list.
fn full_name(short: &str) -> &str {
    match short {
        "map" => "evidence-map",
        "card" => "model-card",
        name => name,
    }
}

fn place(name: &str, section: &Section) -> Place {
    let title = title_of(name);
    let words = if section.number.is_empty() {
        format!("{title}, title page")
    } else {
        format!("{title}, {} {}", section.number, section.title)
    };
    let anchor = (!section.anchor.is_empty()).then(|| (format!("{name}.html"), section.anchor.clone()));
    Place { words, field: None, anchor }
}

/// Where the words of a field are printed.
fn field(source: &Source, pages: &Pages, path: &str) -> Option<Place> {
    let value = at(&source.device, path)?;
    let first = match value {
        serde_json::Value::Array(items) => items.iter().map(words).find(|item| !item.trim().is_empty())?,
        other => words(other),
    };
    let line = first.lines().map(text::one_line).find(|line| !line.trim().is_empty())?;
    let wanted: Vec<&str> = line.split_whitespace().collect();
    let wanted: String = wanted.join(" ").chars().take(60).collect();
    // The summary first, for it is what is read; the list of all fields last.
    let order = |name: &str| (name == "declarations", name != "summary");
    let mut names: Vec<&String> = pages.outlines.keys().collect();
    names.sort_by_key(|name| order(name));
    names.into_iter().find_map(|name| {
        let sections = &pages.outlines.get(name)?.sections;
        let section = sections.iter().find(|section| section.words.contains(&wanted))?;
        Some(Place { field: Some(path.to_owned()), ..place(name, section) })
    })
}

/// How many requirements stand so.
pub fn count(answers: &[Answer], automatic: bool, state: State) -> usize {
    answers.iter().filter(|a| a.requirement.is_automatic == automatic && a.state == state).count()
}

/// The table for other programs: `id,fill,state,where,note`.
///
/// # Errors
/// None that a table can cause.
pub fn table(answers: &[Answer]) -> Result<Vec<u8>> {
    let columns = ["id", "fill", "state", "where", "note"].map(|name| Column::left(name, 1.0));
    let row = |answer: &Answer| {
        let requirement = answer.requirement;
        let fill = if requirement.is_automatic { "auto" } else { "manual" };
        let cells: [&str; 5] = [&requirement.id, fill, answer.state.name(), &answer.places, &answer.note];
        Row::plain(cells.map(str::to_owned))
    };
    crate::document::writers::csv::rows(&columns, false, answers.iter().map(row))
}
