//! `[[endpoint]]` as typed: what is judged, by which interval, and what decides where that is none.

use std::collections::BTreeSet;

use super::comparisons::{comparative, refuse_without_against};
use super::criterion::refused;
use super::family::Share;
use super::*;
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};

/// Every `[[endpoint]]` in the order of the text.
#[derive(Default)]
pub(super) struct Endpoints {
    /// Those that are judged by a goal.
    pub(super) endpoints: Vec<Endpoint>,
    /// Those that are compared with another device or with readers.
    pub(super) comparisons: Vec<ComparativeEndpoint>,
    /// Roles and shares of α of both.
    pub(super) shares: Vec<Share>,
}

const ROLES: [(&str, Role); 3] =
    [("primary", Role::Primary), ("key-secondary", Role::KeySecondary), ("secondary", Role::Secondary)];

/// Every endpoint in the order of the text. `unit` is what the bootstrap draws.
pub(super) fn endpoints(root: &Section, unit: ResamplingUnit) -> Endpoints {
    let mut ids = BTreeSet::new();
    let mut found = Endpoints::default();
    for section in root.sections("endpoint") {
        let id = section.id(&mut ids, "endpoints");
        section.required_string("role");
        let role = section.choice("role", &ROLES, Role::Primary);
        found.shares.push(Share::of(&section, &id, role));
        if section.has("against") {
            found.comparisons.push(comparative(&section, id, role, unit));
            section.finish();
            continue;
        }
        refuse_without_against(&section);
        section.required_string("metric");
        let metric =
            section.choice("metric", &Metric::ENDPOINTS.map(|metric| (metric.id(), metric)), Metric::Auc);
        section.required_string("interval");
        let methods: Vec<_> = metric.methods().filter(|m| m.exists_for(unit)).map(|m| (m.id(), m)).collect();
        // Which intervals there are, the metric says.
        let interval = if section.faulty(&["metric"]) {
            IntervalMethod::BootstrapPercentile
        } else {
            section.choice("interval", &methods, IntervalMethod::BootstrapPercentile)
        };
        let criterion = section.string("criterion").and_then(|text| {
            let parsed = acceptance(&text);
            if parsed.is_none() {
                section.report(refused(&text).at(section.at("criterion")));
            }
            parsed
        });
        if role != Role::Secondary && !section.has("criterion") && !section.faulty(&["role"]) {
            let name = if role == Role::Primary { "primary" } else { "key secondary" };
            let message = format!("a {name} endpoint needs a `criterion`, such as \"lower > 0.80\"");
            section.wrong("role", Code::KeyMissing, message);
        }
        let fallback = section.choice("fallback", &Fallback::NAMES, Fallback::default());
        section.finish();
        found.endpoints.push(Endpoint { id, metric, role, interval, fallback, criterion });
    }
    if !found.shares.iter().any(|share| share.role == Role::Primary) {
        root.report(
            Diagnostic::error(Code::EndpointMissing, "the protocol declares no primary endpoint")
                .at(root.at("endpoint"))
                .hint("add [[endpoint]] with id, metric, role = \"primary\", interval and criterion"),
        );
    }
    found
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
