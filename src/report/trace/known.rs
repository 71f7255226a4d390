//! Every number and digest that the evidence has, as documents may print it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::document::format::{self, Style};
use crate::document::trace::numerals::numerals;
use crate::report::graph;
use crate::report::submission::Source;
use crate::report::wording;
use crate::study::planning::{SizePlan, size_plan};
use crate::study::results::ChangeResult;

/// Lists longer than this are counted, and walked no further: points of curves, scores.
const WALKED: usize = 20_000;

/// What the evidence has.
pub(super) struct Known {
    /// Numerals without thousands, with a percent sign where they have one, and the first file and key.
    numbers: BTreeMap<String, String>,
    digests: BTreeSet<String>,
}

impl Known {
    pub(super) fn of(source: &Source) -> Self {
        let mut known = Self { numbers: BTreeMap::new(), digests: BTreeSet::new() };
        if let Ok(results) = serde_json::to_value(&source.results) {
            known.walk("results.json", &results);
        }
        known.walk("protocol.toml", &source.recorded.protocol);
        if let Ok(effective) = serde_json::to_value(&source.protocol) {
            known.walk("protocol.toml", &effective);
        }
        if let Some(lock) = &source.recorded.lock {
            known.walk("model/lock.json", lock);
        }
        if let Some(description) = source.description.as_ref().and_then(|d| serde_json::to_value(d).ok()) {
            known.walk("description.json", &description);
        }
        for (name, value) in [
            ("ledger.jsonl", serde_json::to_value(&source.openings)),
            ("training", serde_json::to_value(&source.training)),
            ("cases.csv", serde_json::to_value(&source.flow_by_site[..])),
        ] {
            known.walk(name, &value.unwrap_or_default());
        }
        known.text("the run", &format!("{} {} {}", source.run_id, source.date, source.program_version));
        known.text("protocol.toml", &source.protocol_text);
        for file in &source.brought {
            known.text("imports.json", &format!("{file:?}"));
        }
        if let Some(plan) = source.change_plan.as_ref().and_then(|plan| serde_json::to_value(plan).ok()) {
            known.walk("change/plan.toml", &plan);
        }
        if let Some(change) = &source.results.change {
            known.of_change(source, change);
        }
        known.digests.extend(source.digests.values().cloned());
        known.digests.insert(source.root_digest.clone());
        let maker = &source.maker;
        known.text("environment.json", &format!("{} {}", maker.program, maker.platform));
        known.digests.insert(maker.libraries_sha256.clone());
        for step in &source.steps {
            let reason = step.reason.as_deref().unwrap_or_default();
            known.text("ledger.jsonl", &format!("{} {} {reason}", step.date, step.by));
        }
        let plan = size_plan(&source.protocol);
        known.walk("the plan, from protocol.toml", &serde_json::to_value(&plan).unwrap_or_default());
        known.of_comparisons(source, &plan);
        for difference in crate::report::set::population_differences(source) {
            known.text("results.json cohort beside device population", &difference);
        }
        known.count("cases.csv", crate::report::set::searched(source) as u64);
        for drafts in crate::report::set::drafted(source) {
            known.count("limitations drafted from results.json", drafts as u64);
        }
        known.count("derivation.csv", source.derivation.len() as u64);
        known.of_errors(source);
        known
    }

    /// One-sided errors: of the level, and of each endpoint's share of it under a rule of multiplicity.
    fn of_errors(&mut self, source: &Source) {
        let analysis = &source.protocol.analysis;
        let level = source.results.method.criterion_level;
        for level in std::iter::once(analysis.level).chain(level) {
            self.value("protocol.toml, half of what the level leaves", (1.0 - level) / 2.0, None);
        }
        if let Some(drawn) = graph::Drawn::of(&source.protocol) {
            self.text("protocol.toml, the rule of multiplicity", &drawn.words());
        }
    }

    /// What the documents compute of two recorded numbers of a comparison: the difference that is expected,
    /// and half of an interval's width.
    fn of_comparisons(&mut self, source: &Source, plan: &SizePlan) {
        let half = |(lower, upper): (f64, f64)| (upper - lower) / 2.0;
        for (endpoint, planned) in source.protocol.comparisons.iter().zip(&plan.comparisons) {
            let style = Some(wording::style_of(endpoint.metric.id(), false));
            let path = format!("the plan of {}, from protocol.toml", endpoint.id);
            let expected = planned.expected.as_ref();
            if let Some((device, other)) = expected.and_then(|e| Some((e.value, e.comparator?))) {
                self.value(&path, device - other, style);
            }
            if let Some(at) = planned.at_planned {
                self.value(&path, half(at.interval), style);
            }
        }
        for found in &source.results.comparisons {
            if let Some(interval) = &found.interval {
                let style = Some(wording::style_of(found.metric.id(), false));
                let path = format!("results.json, half of the interval of {}", found.id);
                self.value(&path, half((interval.lower, interval.upper)), style);
                let path = format!("results.json, the interval of {}", found.id);
                self.add(&path, &wording::limits_beside_margin(found, interval, source.results.rules()));
            }
        }
        let acceptance = source.results.change.iter().flat_map(|change| &change.acceptance);
        for found in acceptance.map(|acceptance| &acceptance.result) {
            let path = format!("results.json, the comparison {} with the predecessor", found.id);
            let limits = found.interval.iter().flat_map(|i| [i.lower, i.upper]);
            for value in limits.chain(found.difference) {
                self.add(&path, &wording::beside_margin(found, value, source.results.rules()));
            }
        }
    }

    /// A new version under a change control plan: which it is, and what the ledger says of each assessment.
    fn of_change(&mut self, source: &Source, change: &ChangeResult) {
        self.count("results.json", change.history.len() as u64 + 1);
        for step in &source.steps {
            self.text(
                "ledger.jsonl",
                &format!("{} {}", step.date, step.reason.as_deref().unwrap_or_default()),
            );
        }
    }

    /// Where the evidence has a numeral.
    pub(super) fn number(&self, plain: &str, percent: bool) -> Option<&str> {
        let key = if percent { format!("{plain}%") } else { plain.to_owned() };
        self.numbers.get(&key).map(String::as_str)
    }

    /// Whether a run of hexadecimal digits begins a digest that the evidence has or names.
    pub(super) fn is_digest(&self, hex: &str) -> bool {
        self.digests.iter().any(|digest| digest.starts_with(hex))
    }

    fn add(&mut self, from: &str, printed: &str) {
        for numeral in numerals(printed) {
            let sign = if numeral.percent { "%" } else { "" };
            self.numbers.entry(format!("{}{sign}", numeral.plain())).or_insert_with(|| from.to_owned());
        }
    }

    fn count(&mut self, from: &str, count: u64) {
        self.add(from, &count.to_string());
    }

    /// The numerals and digests that a text of the evidence has.
    fn text(&mut self, from: &str, text: &str) {
        self.add(from, text);
        for hex in hexadecimal(text) {
            self.digests.insert(hex.to_owned());
        }
    }

    fn walk(&mut self, path: &str, value: &Json) {
        match value {
            Json::Object(fields) if fields.contains_key("intervals") || fields.contains_key("metric") => {
                self.estimate(path, fields);
            }
            Json::Object(fields) => {
                for (key, value) in fields {
                    self.text(path, key);
                    self.walk(&format!("{path} {key}"), value);
                }
            }
            Json::Array(items) => {
                self.count(path, items.len() as u64);
                for item in items.iter().take(WALKED) {
                    self.walk(path, item);
                }
            }
            Json::String(text) => self.text(path, text),
            Json::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => self.count(path, count),
                (None, Some(value)) => self.value(path, value, None),
                _ => self.add(path, &number.to_string()),
            },
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// A number as it is printed: in the style of its metric alone, where it has one.
    fn value(&mut self, path: &str, value: f64, style: Option<Style>) {
        match style {
            Some(style) => {
                self.add(path, &format::number(value, style));
                if style == Style::Percent {
                    // A difference of shares is printed in points.
                    self.add(path, &format::fixed(format::hundredfold(value), 1));
                }
            }
            None => {
                for style in [Style::Index, Style::Percent, Style::Ratio, Style::Count] {
                    self.add(path, &format::number(value, style));
                }
                self.add(path, &value.to_string());
                self.add(path, &format!("{value:?}"));
                self.add(path, &format::level(value));
                self.add(path, &format::prevalence(value));
                self.add(path, &format::threshold(value));
                self.add(path, &format::fixed(value, 1));
                self.add(path, &format::fixed(value, 2));
                // Points of percent.
                self.add(path, &format::fixed(format::hundredfold(value), 1));
            }
        }
    }

    /// An estimate or an endpoint: its value and its limits in its own style, the rest as everywhere.
    fn estimate(&mut self, path: &str, fields: &serde_json::Map<String, Json>) {
        let text = |key: &str| fields.get(key).and_then(Json::as_str).unwrap_or_default();
        let id = if text("metric").is_empty() { text("id") } else { text("metric") };
        let style = wording::style_of(id, fields.get("denominator").is_some_and(Json::is_u64));
        let path = format!("{path} {}", text("id"));
        let count = |key: &str| fields.get(key).and_then(Json::as_u64);
        if let (Some(right), Some(all)) = (count("numerator"), count("denominator")) {
            // Those that are not counted: missed, or called in vain.
            self.count(&path, all.saturating_sub(right));
        }
        let criterion = fields.get("criterion").and_then(Json::as_str);
        for (key, value) in fields {
            match (key.as_str(), value.as_f64()) {
                ("value", Some(value)) if !value.is_nan() => {
                    self.value(&path, value, Some(style));
                    // Beside a criterion it stands on the criterion's own scale.
                    self.add(&path, &format::bound(value, criterion));
                }
                ("bound", Some(bound)) => {
                    self.value(&path, bound, Some(style));
                    self.add(&path, &format::bound(bound, criterion));
                }
                ("p_value", Some(p)) => self.add(&path, &format::p_value(p)),
                ("intervals", None) | ("interval", None) => {
                    let one = [value.clone()];
                    let intervals = value.as_array().map_or(&one[..], Vec::as_slice);
                    for interval in intervals {
                        for (key, limit) in interval.as_object().into_iter().flatten() {
                            match (key.as_str(), limit.as_f64()) {
                                ("lower" | "upper", Some(limit)) => {
                                    self.value(&path, limit, Some(style));
                                    self.add(&path, &format::bound(limit, criterion));
                                }
                                _ => self.walk(&path, limit),
                            }
                        }
                    }
                }
                _ => self.walk(&path, value),
            }
        }
    }
}

/// Runs of at least 12 hexadecimal digits that hold both digits and letters: digests, and beginnings of them.
pub(super) fn hexadecimal(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| {
        word.len() >= 12
            && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && word.bytes().any(|b| b.is_ascii_digit())
            && word.bytes().any(|b| b.is_ascii_alphabetic())
    })
}
