//! `[[endpoint]]` as typed: what is judged, by which interval, and what decides where that is none.

use std::collections::BTreeSet;

use super::criterion::refused;
use super::reader::Section;
use super::*;
use crate::diagnostic::{Code, Diagnostic};

/// Every endpoint in the order of the text. `unit` is what the bootstrap draws.
pub(super) fn endpoints(root: &Section, unit: ResamplingUnit) -> Vec<Endpoint> {
    let mut ids = BTreeSet::new();
    let mut endpoints = Vec::new();
    for section in root.sections("endpoint") {
        let id = section.required_string("id");
        if !ids.insert(id.clone()) {
            section.wrong("id", Code::DuplicateId, format!("two endpoints have the id `{id}`"));
        }
        section.required_string("metric");
        let metric =
            section.choice("metric", &Metric::ENDPOINTS.map(|metric| (metric.id(), metric)), Metric::Auc);
        section.required_string("interval");
        let methods: Vec<_> = metric.methods().filter(|m| m.exists_for(unit)).map(|m| (m.id(), m)).collect();
        let interval = section.choice("interval", &methods, IntervalMethod::BootstrapPercentile);
        section.required_string("role");
        let role = section.choice(
            "role",
            &[("primary", Role::Primary), ("secondary", Role::Secondary)],
            Role::Primary,
        );
        let criterion = section.string("criterion").and_then(|text| {
            let parsed = acceptance(&text);
            if parsed.is_none() {
                section.report(refused(&text).at(section.at("criterion")));
            }
            parsed
        });
        if role == Role::Primary && !section.has("criterion") {
            section.wrong(
                "role",
                Code::KeyMissing,
                "a primary endpoint needs a `criterion`, such as \"lower > 0.80\"",
            );
        }
        let fallback = section.choice("fallback", &Fallback::NAMES, Fallback::default());
        section.finish();
        endpoints.push(Endpoint { id, metric, role, interval, fallback, criterion });
    }
    if !endpoints.iter().any(|e| e.role == Role::Primary) {
        root.report(
            Diagnostic::error(Code::EndpointMissing, "the protocol declares no primary endpoint")
                .at(root.at("endpoint"))
                .hint("add [[endpoint]] with id, metric, role = \"primary\", interval and criterion"),
        );
    }
    endpoints
}

/// A criterion as typed in a table; what is none is reported there.
pub(super) fn criterion(section: &Section, text: &str) -> Option<AcceptanceCriterion> {
    let parsed = acceptance(text);
    if parsed.is_none() {
        section.report(refused(text).at(section.at("criterion")));
    }
    parsed
}

/// `lower > 0.80`, `lower >= 0.80`, `upper < 0.1`, `upper <= 0.1`.
fn acceptance(text: &str) -> Option<AcceptanceCriterion> {
    let mut words = text.split_whitespace();
    let (bound, operator, goal) = (words.next()?, words.next()?, words.next()?.parse::<f64>().ok()?);
    let (bound, strict) = match (bound, operator) {
        ("lower", ">") => (Bound::Lower, true),
        ("lower", ">=") => (Bound::Lower, false),
        ("upper", "<") => (Bound::Upper, true),
        ("upper", "<=") => (Bound::Upper, false),
        _ => return None,
    };
    (words.next().is_none() && goal.is_finite()).then(|| AcceptanceCriterion {
        bound,
        strict,
        goal,
        text: text.to_owned(),
    })
}
