//! Where every number of a study's documents comes from, and what in their words contradicts the evidence.
//!
//! The documents are put together once more with marks around what templates name (`document::trace`). A
//! numeral is then traced to the function that gave it, to a file of the evidence that has it, to a field of
//! `device.toml` that was typed, or to the list of those that may be typed (`templates/numerals.toml`). What
//! was typed is beside the evidence: its numbers with what they name, its digests, its references, its
//! captions, and phrases that say more than a study shows.

mod allowed;
mod arithmetic;
mod claims;
mod known;
mod listed;
mod overclaims;
mod sums;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use serde_json::Value as Json;

use self::claims::Claims;
use self::known::{Known, hexadecimal};
use self::listed::Listed;
use super::documents::Documents;
use super::submission::{Formats, Source, own_templates};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::document::format;
use crate::document::lint::{self, Mark};
use crate::document::render::Files;
use crate::document::trace::numerals::{Numeral, numerals};
use crate::document::trace::{Passage, Role, Span};

/// How a numeral came into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Through a name: an estimate, a count, a fact of the bundle.
    Named,
    /// In a table or a figure, with a number that a file of the evidence has.
    Recorded,
    /// In a table, computed from numbers beside it.
    Computed,
    /// In a field that people fill.
    Typed,
    /// In words, for a reason that is listed.
    Allowed,
    /// On a scale of a figure.
    Scale,
    /// In no way that is known.
    Untraced,
}

impl Kind {
    /// Every kind, in the order in which they are counted.
    pub const ALL: [Self; 7] = [
        Self::Named,
        Self::Recorded,
        Self::Computed,
        Self::Typed,
        Self::Allowed,
        Self::Scale,
        Self::Untraced,
    ];

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Named => "asked for by name",
            Self::Recorded => "recorded in the evidence",
            Self::Computed => "computed from what stands beside it",
            Self::Typed => "typed in a field",
            Self::Allowed => "typed for a reason",
            Self::Scale => "on a scale",
            Self::Untraced => "not traced",
        }
    }
}

/// A numeral and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traced {
    /// The document's name.
    pub document: String,
    /// Where it stands.
    pub place: String,
    /// As it stands there.
    pub numeral: String,
    /// How it came there.
    pub kind: Kind,
    /// What it comes from, in words.
    pub from: String,
}

/// What a study's documents say, beside its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// Every numeral, in the order of the documents.
    pub numerals: Vec<Traced>,
    /// What contradicts the evidence, or cannot be traced.
    #[serde(skip)]
    pub findings: Vec<Diagnostic>,
}

/// Traces every document of a bundle: validation report, truthing report and the set.
///
/// # Errors
/// As the documents' rendering.
pub fn trace(source: &Source) -> Result<Trace> {
    let source = Source { traced: true, ..source.clone() };
    let of = |documents| super::documents::render(&source, documents, Formats::Traced);
    match of(Documents::All) {
        Ok(rendered) => beside(&source, &rendered.files),
        // A set that is refused, as for an id in the public summary, is no reason not to look at the report.
        Err(Error::Input(problems)) => {
            let mut trace = beside(&source, &of(Documents::Report)?.files)?;
            trace.findings.extend(problems);
            Ok(trace)
        }
        Err(other) => Err(other),
    }
}

/// Passages of documents, beside the evidence.
fn beside(source: &Source, files: &Files) -> Result<Trace> {
    let mut tracing = Tracing {
        known: Known::of(source),
        claims: Claims::of(source),
        listed: Listed::of(files),
        typed: typed(&source.device),
        marks: source.templates.values().flat_map(|text| lint::marks(text)).collect(),
        totals: totals(source),
        own: !own_templates(&source.templates).is_empty(),
        printed: BTreeMap::new(),
        source,
        trace: Trace { numerals: Vec::new(), findings: Vec::new() },
    };
    for problem in sums::disagreements(&source.results) {
        tracing.find(Code::NumbersDisagree, "results.json", problem);
    }
    for (path, bytes) in files {
        let Some(document) = path.as_str().strip_suffix(".trace.json") else { continue };
        let passages: Vec<Passage> = serde_json::from_slice(bytes)
            .map_err(|e| Error::from(Diagnostic::error(Code::TemplateContext, e.to_string())))?;
        tracing.document(document, &passages);
    }
    Ok(tracing.trace)
}

struct Tracing<'a> {
    source: &'a Source,
    known: Known,
    claims: Claims,
    listed: Listed,
    /// Texts of `device.toml` with their keys.
    typed: Vec<(String, String)>,
    /// Lines of templates whose numbers have a reason.
    marks: Vec<Mark>,
    /// Counts of the flow, over which shares are taken.
    totals: Vec<f64>,
    /// Whether any template is the user's own.
    own: bool,
    /// What was asked for by name: its words, and where they stood first.
    printed: BTreeMap<String, (String, String)>,
    trace: Trace,
}

impl Tracing<'_> {
    fn find(&mut self, code: Code, place: &str, message: String) {
        let message = format!("{place}: {message}");
        // One sentence may be printed in several documents.
        if !self.trace.findings.iter().any(|known| known.code == code && known.message == message) {
            self.trace.findings.push(Diagnostic::error(code, message));
        }
    }

    fn document(&mut self, document: &str, passages: &[Passage]) {
        let count = |label: &str| {
            let prefix = format!("the caption of {label} ");
            passages.iter().filter(|p| p.role == Role::Caption && p.place.starts_with(&prefix)).count()
        };
        let (tables, figures) = (count("Table"), count("Figure"));
        for passage in passages {
            let place = format!("{document}, {}", passage.place);
            for numeral in numerals(&passage.text) {
                self.numeral(document, passage, &numeral);
            }
            self.digests(&place, passage);
            self.agrees(&place, passage);
            // The words that people typed: fields, and templates of the user's own.
            for (words, from) in self.typed_parts(passage) {
                self.words(&place, &words, &from, (tables, figures));
            }
            if passage.role == Role::Caption {
                self.caption(&place, passage);
            }
        }
    }

    fn numeral(&mut self, document: &str, passage: &Passage, numeral: &Numeral) {
        let (kind, from) = self.origin(document, passage, numeral);
        let sign = if numeral.percent { "%" } else { "" };
        let printed = format!("{}{sign}", numeral.digits);
        if kind == Kind::Untraced {
            let message =
                format!("nothing in the evidence has {printed}: \"{}\"", around(&passage.text, numeral));
            self.find(Code::NumeralUntraced, &format!("{document}, {}", passage.place), message);
        }
        self.trace.numerals.push(Traced {
            document: document.to_owned(),
            place: passage.place.clone(),
            numeral: printed,
            kind,
            from,
        });
    }

    fn origin(&self, document: &str, passage: &Passage, numeral: &Numeral) -> (Kind, String) {
        let text = passage.text.as_str();
        let span = passage.spans.iter().find(|span| span.at.contains(&numeral.at.start));
        if let Some(span) = span.filter(|span| !span.from.starts_with("caption ")) {
            return self.named(document, passage, numeral, span);
        }
        if let Some((key, _)) = self.sources(text).find(|(_, at)| at.contains(&numeral.at.start)) {
            return (Kind::Typed, format!("device {key}"));
        }
        if let Some(reason) = self.listed.reason(text).filter(|_| passage.role == Role::Program) {
            return (Kind::Allowed, reason.to_owned());
        }
        if let Some(key) = self.field(text) {
            return (Kind::Typed, format!("device {key}"));
        }
        let typed_here = passage.role == Role::Template
            || passage.role == Role::Caption && passage.origin(numeral.at.start).is_some();
        if numeral.in_name {
            return (Kind::Allowed, "part of a name".to_owned());
        }
        if let Some(reason) = allowed::reason(text, numeral).or_else(|| cited(text, numeral)) {
            return (Kind::Allowed, reason.to_owned());
        }
        if typed_here {
            let before = text.get(..numeral.at.start).unwrap_or_default();
            let near: String = before.chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect();
            let near = format!("{near}{}", numeral.digits);
            if let Some(mark) = self.marks.iter().find(|mark| mark.text.contains(near.trim_start())) {
                return (Kind::Allowed, format!("typed in a template: {}", mark.reason));
            }
            return (Kind::Untraced, String::new());
        }
        if let Some(path) = self.known.number(&numeral.plain(), numeral.percent) {
            return (Kind::Recorded, path.to_owned());
        }
        if self.listed.has(document, numeral) {
            return (Kind::Recorded, "coverage.csv".to_owned());
        }
        if let Some(how) = computed(passage, numeral, &self.totals) {
            return (Kind::Computed, how);
        }
        if passage.around == "drawn" {
            return (Kind::Scale, "a scale of the figure".to_owned());
        }
        (Kind::Untraced, String::new())
    }

    /// What a template asked for by name: the evidence has its numerals, or they were computed in the
    /// template.
    fn named(&self, document: &str, passage: &Passage, numeral: &Numeral, span: &Span) -> (Kind, String) {
        let from = span.from.clone();
        if from.starts_with("device ") {
            return (Kind::Typed, from);
        }
        let text = passage.text.get(span.at.clone()).unwrap_or_default();
        if from == "a text of the bundle" || from.starts_with("digest ") || from == "digest" {
            return (Kind::Named, from);
        }
        if let Some(path) = self.known.number(&numeral.plain(), numeral.percent) {
            let from = if from == "a value" { format!("a value, as in {path}") } else { from };
            return (Kind::Named, from);
        }
        if self.listed.has(document, numeral) {
            return (Kind::Named, "a value, as in coverage.csv".to_owned());
        }
        if let Some(key) = self.field(text) {
            return (Kind::Typed, format!("device {key}"));
        }
        let reason = allowed::reason(&passage.text, numeral).or_else(|| cited(&passage.text, numeral));
        if let Some(reason) = reason.or(numeral.in_name.then_some("part of a name")) {
            return (Kind::Allowed, reason.to_owned());
        }
        (Kind::Untraced, String::new())
    }

    /// What a template asks for by one name is the same wherever it is printed.
    fn agrees(&mut self, place: &str, passage: &Passage) {
        for span in passage.spans.iter().filter(|span| span.from.starts_with("estimate ")) {
            let words = passage.text.get(span.at.clone()).unwrap_or_default();
            match self.printed.get(&span.from).cloned() {
                None => drop(self.printed.insert(span.from.clone(), (words.to_owned(), place.to_owned()))),
                Some((first, _)) if first == words => {}
                Some((first, there)) => {
                    let message = format!("{} is {words} here and {first} in {there}", span.from);
                    self.find(Code::NumbersDisagree, place, message);
                }
            }
        }
    }

    /// The field of `device.toml` that a text is, or is an item of.
    fn field(&self, text: &str) -> Option<&str> {
        let text = text.trim();
        let of = |(_, typed): &&(String, String)| {
            !text.is_empty() && (typed == text || typed.contains(text) && text.len() > 20)
        };
        self.typed.iter().find(of).map(|(key, _)| key.as_str())
    }

    /// Typed sources within a text, such as a note below a table: key and place. They speak of other studies,
    /// whose numbers contradict nothing here.
    fn sources<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (&'t str, Range<usize>)> {
        let of = |(key, _): &&(String, String)| SOURCES.contains(&key.as_str());
        self.typed.iter().filter(of).flat_map(move |(key, words)| {
            let words = words.trim_end_matches('.');
            let found = text.match_indices(words).filter(|(_, found)| !found.is_empty());
            found.map(move |(start, _)| (key.as_str(), start..start + words.len()))
        })
    }

    /// What of a passage people typed, with where they did.
    fn typed_parts(&self, passage: &Passage) -> Vec<(String, String)> {
        let mut parts = Vec::new();
        for span in passage.spans.iter().filter(|span| span.from.starts_with("device ")) {
            let words = passage.text.get(span.at.clone()).unwrap_or_default();
            parts.push((words.to_owned(), span.from.clone()));
        }
        if let Some(key) = self.field(&passage.text) {
            parts.push((passage.text.clone(), format!("device {key}")));
        }
        let given = passage.spans.iter().any(|span| span.from.starts_with("caption "));
        if self.own && (passage.role == Role::Template || given) {
            // Words of the template alone: what it names is as it is.
            let mut words = passage.text.clone();
            for span in passage.spans.iter().rev().filter(|span| !span.from.starts_with("caption ")) {
                let digits = words.get(span.at.clone()).unwrap_or_default();
                let blank: String =
                    digits.chars().map(|c| if c.is_alphanumeric() { '_' } else { c }).collect();
                words.replace_range(span.at.clone(), &blank);
            }
            parts.push((words, "a template".to_owned()));
        }
        parts
    }

    /// Typed words beside the evidence.
    fn words(&mut self, place: &str, words: &str, from: &str, (tables, figures): (usize, usize)) {
        for contradiction in self.claims.contradictions(words) {
            let message = format!(
                "{from} says {} of {}, the evidence {}",
                contradiction.numeral, contradiction.of, contradiction.recorded
            );
            self.find(Code::TypedContradicts, place, message);
        }
        for (phrase, why) in overclaims::overclaims(self.source, words) {
            self.find(Code::Overclaim, place, format!("{from} says \"{phrase}\": {why}"));
        }
        for (label, last) in [("Table ", tables), ("Figure ", figures)] {
            for (at, _) in words.match_indices(label) {
                let digits: String =
                    words[at + label.len()..].chars().take_while(char::is_ascii_digit).collect();
                if digits.parse::<usize>().is_ok_and(|number| number == 0 || number > last) {
                    let message = format!("{from} names {label}{digits}, and there are {last}");
                    self.find(Code::ReferenceMissing, place, message);
                }
            }
        }
        for message in arithmetic::wrong(words) {
            self.find(Code::NumbersDisagree, place, format!("{from} says that {message}"));
        }
        if let Some((low, high)) = unlike_roundings(words) {
            let message =
                format!("{from} rounds the ends of {low} to {high} differently, or has them turned");
            self.find(Code::NumbersDisagree, place, message);
        }
    }

    fn digests(&mut self, place: &str, passage: &Passage) {
        let stale: Vec<String> =
            hexadecimal(&passage.text).filter(|hex| !self.known.is_digest(hex)).map(str::to_owned).collect();
        for hex in stale {
            self.find(Code::DigestStale, place, format!("no file of the evidence has the digest {hex}"));
        }
    }

    /// A caption that a template gives names what the table or the figure has.
    fn caption(&mut self, place: &str, passage: &Passage) {
        let Some(own) = passage.spans.iter().find_map(|span| span.from.strip_prefix("caption ")) else {
            return;
        };
        let held = format!("{own} | {}", passage.around).to_ascii_lowercase();
        let lower = passage.text.to_ascii_lowercase();
        let unfit: Vec<&str> =
            TOPICS.iter().copied().filter(|topic| lower.contains(topic) && !held.contains(topic)).collect();
        if !unfit.is_empty() {
            let message = format!("the caption names {}, of which there is nothing here", unfit.join(", "));
            self.find(Code::CaptionUnfit, place, message);
        }
    }
}

/// Fields that are printed within a sentence of the program.
const SOURCES: &[&str] = &["comparison.source", "population.source"];

/// What captions of a validation report are about.
const TOPICS: &[&str] = &[
    "sensitivity",
    "specificity",
    "auc",
    "roc",
    "precision",
    "recall",
    "calibration",
    "confusion",
    "subgroup",
    "reader",
    "kappa",
    "agreement",
    "training",
    "loss",
    "histogram",
    "forest",
    "prevalence",
    "likelihood",
    "exclu",
    "flow",
    "site",
    "patient",
    "net benefit",
    "threshold",
    "sample size",
    "power",
    "poolab",
];

/// A date or the number of a standard, which are no results.
fn cited(text: &str, numeral: &Numeral) -> Option<&'static str> {
    const NAMES: [&str; 13] = [
        "ISO", "IEC", "RFC", "CFR", "PDF", "STARD", "CLAIM", "TRIPOD", "DICOM", "BagIt", "Part", "part",
        "\u{a7}",
    ];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let before = text.get(..numeral.at.start).unwrap_or_default();
    let after = text.get(numeral.at.end..).unwrap_or_default();
    let word = |t: &str| -> String { t.chars().filter(|c| c.is_alphabetic() || *c == '\u{a7}').collect() };
    let last = before.split_whitespace().next_back().map(word).unwrap_or_default();
    let next = after.split_whitespace().next().map(word).unwrap_or_default();
    let year = numeral.digits.len() == 4
        && (numeral.digits.starts_with("19") || numeral.digits.starts_with("20"))
        && after.starts_with([')', ','])
        && last.chars().next().is_some_and(char::is_uppercase);
    if year {
        return Some("the year of a publication");
    }
    if NAMES.contains(&last.as_str()) && numeral.decimals() < 5 {
        return Some("the number of a standard or a part of it");
    }
    let iso_date = |t: &str| {
        t.len() == 10
            && t.bytes()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
    };
    let start = before.rfind(|c: char| !(c.is_ascii_digit() || c == '-')).map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or_default();
    let whole = rest.get(..rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len()));
    let dated =
        MONTHS.contains(&last.as_str()) || MONTHS.contains(&next.as_str()) || whole.is_some_and(iso_date);
    dated.then_some("a date")
}

/// Counts of the flow and of the consensus.
fn totals(source: &Source) -> Vec<f64> {
    let flow = &source.results.flow;
    let counts = [
        flow.analysed,
        flow.sampled,
        flow.eligible,
        flow.considered,
        flow.positives,
        flow.negatives,
        flow.analysed_patients,
        flow.considered - flow.eligible.min(flow.considered),
    ];
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    counts.map(|count| count as f64).to_vec()
}

/// How a numeral of a table follows from those of its row.
fn computed(passage: &Passage, numeral: &Numeral, totals: &[f64]) -> Option<String> {
    let beside = numerals(&passage.around).into_iter().chain(numerals(&passage.text));
    let counts: Vec<f64> =
        beside.filter(|n| n.decimals() == 0 && !n.percent).filter_map(|n| n.plain().parse().ok()).collect();
    let parts = || counts.iter().chain(totals);
    for (part, whole) in parts().flat_map(|part| totals.iter().map(move |whole| (part, whole))) {
        let share = numeral.percent && part <= whole && *whole > 0.0;
        if share && format::fixed(100.0 * part / whole, numeral.decimals()) == numeral.plain() {
            return Some(format!("{part}/{whole}"));
        }
    }
    let value: f64 = numeral.plain().parse().ok()?;
    for (i, first) in counts.iter().enumerate() {
        for (j, second) in counts.iter().enumerate() {
            if numeral.percent && *second > 0.0 && first <= second {
                let share = format::fixed(100.0 * first / second, numeral.decimals());
                if share == numeral.plain() {
                    return Some(format!("{first}/{second}"));
                }
            }
            let whole = numeral.decimals() == 0 && !numeral.percent && i != j;
            if whole && first + second == value {
                return Some(format!("{first} + {second}"));
            }
            if whole && first - second == value {
                return Some(format!("{first} - {second}"));
            }
        }
    }
    None
}

/// An interval in words whose ends have unlike decimals, or stand the wrong way round.
fn unlike_roundings(words: &str) -> Option<(String, String)> {
    let found = numerals(words);
    found.windows(2).find_map(|pair| {
        let [low, high] = [pair.first()?, pair.last()?];
        let between = words.get(low.at.end..high.at.start)?.trim_matches(['%', ' ']);
        let interval = matches!(between, "to" | "-" | "\u{2013}");
        let printed = low.decimals() > 0 && high.decimals() > 0 && !low.in_name && !high.in_name;
        let turned = low.plain().parse::<f64>().ok()? > high.plain().parse::<f64>().ok()?;
        let wrong = interval && printed && (low.decimals() != high.decimals() || turned);
        wrong.then(|| (low.digits.clone(), high.digits.clone()))
    })
}

/// A numeral with the words around it.
fn around(text: &str, numeral: &Numeral) -> String {
    const WORDS: usize = 40;
    let before: Vec<char> = text.get(..numeral.at.start).unwrap_or_default().chars().collect();
    let before: String = before.iter().skip(before.len().saturating_sub(WORDS)).collect();
    let after: String = text.get(numeral.at.start..).unwrap_or_default().chars().take(WORDS).collect();
    format!("{before}{after}").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Texts of the device file with their keys; lists by item.
fn typed(device: &Json) -> Vec<(String, String)> {
    fn walk(value: &Json, path: &str, out: &mut Vec<(String, String)>) {
        match value {
            Json::Object(fields) => {
                for (key, value) in fields {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(value, &path, out);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| walk(item, path, out)),
            Json::String(text) => {
                let text = crate::document::text::one_line(text);
                if !text.is_empty() {
                    out.push((path.to_owned(), text));
                }
            }
            Json::Number(number) => out.push((path.to_owned(), number.to_string())),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(device, "", &mut out);
    let shares = crate::report::set::intended_population(device).into_iter();
    out.extend(shares.map(|level| ("population.percent".to_owned(), level.printed())));
    out
}
