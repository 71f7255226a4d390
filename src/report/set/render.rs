//! Renders every document of the set that the bundle's templates have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::content::Part;
use super::coverage::{self, Answer, Pages};
use super::kinds::{CARD, KINDS, Kind, MAP, PLAN};
use super::shared::Shared;
use super::{card, device, facts, outline, plain, privacy};
use crate::diagnostic::{Code, Diagnostic, Location, Result, Severity};
use crate::document::content::Content as _;
use crate::document::render::{Files, add, compose};
use crate::document::writers::html;
use crate::report::plan;
use crate::report::submission::{Formats, Rendered, Source, Submission, with_way_out};
use crate::study::results::Rules;

/// The set but its map: each document in every format, the summary as plain text, the cards for programs.
/// `None` where the bundle's templates have no document of the set.
///
/// # Errors
/// What is wrong in `device.toml`; what a public document must not hold; and as the report's.
pub fn parts(source: &Source, formats: Formats) -> Result<Option<Files>> {
    let has = |kind: &Kind| source.templates.contains_key(kind.template);
    let kinds: Vec<&'static Kind> = KINDS.into_iter().filter(|kind| has(kind)).collect();
    if kinds.is_empty() && !has(&MAP) && !has(&PLAN) {
        return Ok(None);
    }
    refuse_wrong_device(source)?;
    let shared = Arc::new(Shared { source: source.clone(), answers: Vec::new() });
    // Rendered at the same time, looked at in order: the first problem is always the same one.
    let (parts, plan): (Vec<Result<Files>>, Option<Result<Files>>) = rayon::join(
        || kinds.par_iter().map(|&kind| document(kind, &shared, formats)).collect(),
        || has(&PLAN).then(|| planned(source, formats)),
    );
    let mut all = Files::new();
    for files in parts.into_iter().chain(plan) {
        keep(&mut all, files?);
    }
    // What programs read is of the record alone.
    if has(&CARD) && is_of_record(formats) {
        add(&mut all, "model-card.json", card::json(&shared)?)?;
        add(&mut all, "model-card-chai.xml", card::xml(&shared))?;
    }
    Ok(Some(all))
}

fn is_of_record(formats: Formats) -> bool {
    matches!(formats, Formats::All | Formats::WithoutPdf)
}

/// Adds the map of requirements with its table. What it says is read from the pages of all other documents:
/// where other formats are wanted, `as_pages` is the whole set as pages.
///
/// # Errors
/// As the report's.
pub fn mapped(
    source: &Source,
    formats: Formats,
    as_pages: Option<&Files>,
    rendered: &mut Rendered,
) -> Result<()> {
    if !has_map(source) {
        return Ok(());
    }
    let pages = as_pages.map_or_else(|| pages(&rendered.files), before_the_map);
    let (files, answers) = map(source, pages, formats)?;
    keep(&mut rendered.files, files);
    if is_of_record(formats) || formats == Formats::Traced {
        add(&mut rendered.files, "coverage.csv", coverage::table(&answers)?)?;
    }
    Ok(())
}

/// Pages as the map of the record sees them: before it is there itself.
fn before_the_map(files: &Files) -> Pages {
    let is_earlier = |path: &str| !path.starts_with(MAP.name) && path != "coverage.csv";
    let earlier = files.iter().filter(|(path, _)| is_earlier(path.as_str()));
    pages(&earlier.map(|(path, bytes)| (path.clone(), bytes.clone())).collect())
}

/// Adds files; a figure that another document has already stays that document's.
pub fn keep(files: &mut Files, more: Files) {
    for (path, bytes) in more {
        files.entry(path).or_insert(bytes);
    }
}

/// Whether the bundle's templates have the map of requirements.
pub fn has_map(source: &Source) -> bool {
    source.templates.contains_key(MAP.template)
}

/// How the requirements stand in a set that is rendered.
pub fn coverage_of(source: &Source, files: &Files) -> Vec<Answer> {
    coverage::answers(source, &pages(files))
}

fn refuse_wrong_device(source: &Source) -> Result<()> {
    let mut wrong = device::check(Path::new("data/device.toml"), &source.device_text);
    wrong.retain(|problem| problem.severity == Severity::Error);
    for row in device::comparisons(&source.device) {
        if let Some(Err(why)) = row.subject.strip_prefix("auto:").map(|id| facts::fact(source, id.trim())) {
            wrong.push(
                Diagnostic::error(Code::UnknownFact, why)
                    .at(Location::file("data/device.toml"))
                    .hint(format!("the row \"{}\" of [[comparison]] asks for it", row.characteristic)),
            );
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// One document in every format.
fn document(kind: &'static Kind, shared: &Arc<Shared>, formats: Formats) -> Result<Files> {
    let source = &shared.source;
    let content = Arc::new(Part::of(kind, shared));
    let composed = compose(&content, kind.template, &needed(kind.template, &source.templates))?;
    let mut more = Files::new();
    // Marks around words are for the trace alone, which hands nothing over.
    if kind.is_public && formats != Formats::Traced {
        let found = privacy::problems(source, &outline::read(&html::page(&composed.document)));
        if !found.is_empty() {
            return Err(found.into());
        }
        add(&mut more, &format!("{}.txt", kind.name), plain::text_of(&composed.document).into_bytes())?;
    }
    let mut files = composed.files(kind.name, formats.of(source)).map_err(|e| with_way_out(e, source))?;
    if formats == Formats::Drafts {
        return Ok(files);
    }
    files.extend(more);
    Ok(files)
}

/// A template with those that it includes, at any depth.
fn needed(main: &str, templates: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut wanted = vec![main.to_owned()];
    let mut found = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        if let (false, Some(text)) = (found.contains_key(&name), templates.get(&name)) {
            let others = templates.keys().filter(|other| text.contains(&format!("\"{other}\"")));
            wanted.extend(others.cloned());
            found.insert(name, text.clone());
        }
    }
    found
}

/// The plan as it was, from the protocol of the bundle.
fn planned(source: &Source, formats: Formats) -> Result<Files> {
    let locked = source.steps.iter().rfind(|step| step.event == "protocol-locked");
    let rules = source.results.rules();
    let template = source.templates.get(PLAN.template).map_or("", String::as_str);
    let plan = plan::Source {
        protocol: source.protocol.clone(),
        digest: source.digests.get("data/protocol.toml").cloned().unwrap_or_default(),
        locked_at: locked.map(|step| step.date.clone()),
        openings: source.openings.len(),
        banner: (rules == Rules::Current).then(|| Submission::of(source.clone()).facts().banner).flatten(),
        version: source.results.method.program_version.clone(),
        plan: crate::study::planning::size_plan(&source.protocol),
        date: source.date.clone(),
        fonts: source.fonts.clone(),
        look: source.look.clone(),
    };
    plan::render_with(&plan, template, Submission::of(source.clone()).notice(), formats)
}

/// The map, which stands in itself: once to know where its sections are, and once with them.
fn map(source: &Source, mut pages: Pages, formats: Formats) -> Result<(Files, Vec<Answer>)> {
    let mut answers = coverage::answers(source, &pages);
    let templates = needed(MAP.template, &source.templates);
    let compose = |answers: Vec<Answer>, traced: bool| {
        let shared = Arc::new(Shared { source: Source { traced, ..source.clone() }, answers });
        compose(&Arc::new(Part::of(&MAP, &shared)), MAP.template, &templates)
    };
    let first = compose(answers, false)?;
    pages.outlines.insert(MAP.name.to_owned(), outline::read(&html::page(&first.document)));
    answers = coverage::answers(source, &pages);
    let composed = compose(answers.clone(), source.traced)?;
    let files = composed.files(MAP.name, formats.of(source)).map_err(|e| with_way_out(e, source))?;
    Ok((files, answers))
}

/// What the pages hold.
fn pages(files: &Files) -> Pages {
    let names: BTreeSet<String> = files.keys().map(ToString::to_string).collect();
    let outlines = files
        .par_iter()
        .filter_map(|(path, bytes)| {
            let name = path.as_str().strip_suffix(".html").filter(|name| !name.contains('/'))?;
            Some((name.to_owned(), outline::read(&String::from_utf8_lossy(bytes))))
        })
        .collect();
    Pages { outlines, files: names }
}
