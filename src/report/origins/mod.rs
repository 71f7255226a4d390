//! Where the numbers of a study's documents come from, by keys: `estimate auc`, `endpoint auc`, `table flow`.
//! A key is made where a number is printed, and answered here; `document::origins` brings the two together.
//!
//! Estimates of several levels of a subgroup variable have one key, and so have all pairs of readers: the row
//! says of each from how many cases it is.

mod formulas;
mod tables;

#[cfg(test)]
mod tests;

use crate::document::format;
use crate::document::origins::Origin;
use crate::document::tree::Cell;
use crate::report::submission::Source;
use crate::report::wording;
use crate::statistics::estimate::{Estimate, Scenario};
use crate::study::results::{ComparisonResult, EndpointResult, Results};

/// Parts of a group that are named with their numbers of cases.
const NAMED: usize = 12;
/// Inputs that are named with their digests.
const INPUTS: usize = 6;

/// The key of an estimate.
pub(super) fn of_estimate(estimate: &Estimate) -> String {
    let mut key = format!("estimate {}", estimate.id);
    if let Some(level) = &estimate.subgroup {
        key.push_str(&format!(" by {}", level.variable));
    }
    if let Some(scenario) = estimate.scenario {
        key.push_str(&format!(" in {}", scenario.name()));
    }
    if estimate.prevalence.is_some() {
        key.push_str(" at intended use");
    }
    if estimate.model.is_some() {
        key.push_str(" of each");
    }
    key
}

/// A cell with what is printed of an estimate; without one it leads nowhere.
pub(super) fn cell(text: impl Into<String>, estimate: Option<&Estimate>) -> Cell {
    let cell = Cell::new(text);
    match estimate {
        Some(estimate) => cell.of(of_estimate(estimate)),
        None => cell,
    }
}

/// The key of an endpoint.
pub(super) fn of_endpoint(endpoint: &EndpointResult) -> String {
    format!("endpoint {}", endpoint.id)
}

/// The key of an endpoint that compares.
pub(super) fn of_comparison(comparison: &ComparisonResult) -> String {
    format!("comparison {}", comparison.id)
}

/// Whether the tables of an id come from one place of their own; others have a key in each row.
pub(super) fn of_table(id: &str) -> Option<String> {
    tables::of_table(id).map(|_| format!("table {id}"))
}

/// The key of a figure.
pub(super) fn of_figure(id: &str) -> Option<String> {
    // A figure that shows what a table has comes from where the table does.
    match id {
        "confusion" | "flow" | "training" | "repeatability" => of_table(id),
        "roc" | "precision-recall" => Some("figure curves".to_owned()),
        _ => tables::of_figure(id).map(|_| format!("figure {id}")),
    }
}

/// What a key stands for. A public document names no file of the inputs.
pub(super) fn origin(source: &Source, key: &str, is_public: bool) -> Option<Origin> {
    let (kind, rest) = key.split_once(' ')?;
    let results = &source.results;
    let mut origin = match kind {
        "estimate" => estimates(results, key)?,
        "endpoint" => endpoint(results, results.endpoints.iter().find(|e| e.id == rest)?),
        "comparison" => comparison(results.comparisons.iter().find(|c| c.id == rest)?),
        "table" => tables::of_table(rest)?.origin(results),
        "figure" => tables::of_figure(rest)?.origin(results),
        _ => return None,
    };
    if is_public {
        "the recorded results of the study".clone_into(&mut origin.recorded);
    }
    Some(origin)
}

/// What holds of all numbers: their inputs, and the command that computes them again.
pub(super) fn notes(source: &Source, is_public: bool) -> Vec<String> {
    if is_public {
        return vec![
            "Every number is computed from the recorded inputs by the locked protocol. The command sequester \
             verify computes it again from the evidence and compares; the inputs with their digests are part \
             of the evidence, which is not public."
                .to_owned(),
        ];
    }
    let digest = |path: &str| source.digests.get(path).and_then(|digest| digest.get(..16));
    let named = |path: &str| digest(path).map(|digest| format!("{path} {digest}\u{2026}"));
    let is_input = |path: &&String| {
        path.starts_with("data/inputs/")
            || ["data/protocol.toml", "data/model/lock.json"].contains(&path.as_str())
    };
    let inputs: Vec<String> = source.digests.keys().filter(is_input).filter_map(|path| named(path)).collect();
    let more = match inputs.len().saturating_sub(INPUTS) {
        0 => String::new(),
        more => format!(" and {} more, each in the bundle's manifest", format::count(more as u64)),
    };
    let inputs: Vec<String> = inputs.into_iter().take(INPUTS).collect();
    let inputs = if inputs.is_empty() { "not listed".to_owned() } else { inputs.join(", ") + &more };
    let results = named("data/results.json").unwrap_or_else(|| "data/results.json".to_owned());
    vec![format!(
        "sequester verify evidence/{} computes every number again from the inputs and compares. Recorded: \
         {results}. Inputs, SHA-256: {inputs}.",
        source.run_id
    )]
}

/// Every estimate of the results that a table prints.
fn all(results: &Results) -> impl Iterator<Item = (&'static str, &Estimate)> {
    let of = |name: &'static str, list| std::iter::repeat(name).zip::<std::slice::Iter<'_, Estimate>>(list);
    of("estimates", results.estimates.iter())
        .chain(of("agreement", results.agreement.iter()))
        .chain(of("agreement_explained", results.agreement_explained.iter()))
        .chain(of("agreement_by_group", results.agreement_by_group.iter()))
        .chain(of("ordinal_agreement", results.ordinal_agreement.iter()))
        .chain(of("intra_reader", results.intra_reader.iter()))
}

/// The estimates of a key.
fn estimates(results: &Results, key: &str) -> Option<Origin> {
    let found: Vec<(&str, &Estimate)> = all(results).filter(|(_, e)| of_estimate(e) == key).collect();
    let (list, first) = *found.first()?;
    let mut what = wording::metric(&first.id);
    if let Some(level) = &first.subgroup {
        what.push_str(&format!(" by {}", level.variable.replace(['-', '_'], " ")));
    }
    match first.scenario {
        Some(Scenario::UnanimousOnly) => what.push_str(", cases with a unanimous reference standard"),
        Some(scenario) => what.push_str(&format!(", {}", scenario.name().replace('-', " "))),
        None => {}
    }
    if let Some(prevalence) = first.prevalence {
        what.push_str(&format!(" at a prevalence of {}", format::prevalence(prevalence)));
    }
    // Agreement of readers has no reference standard, and so no positive cases.
    let cases = |e: &Estimate| match list {
        "estimates" => format!("{} cases ({} positive)", format::count(e.n), format::count(e.positives)),
        _ => format!("{} cases", format::count(e.n)),
    };
    let counted = |e: &Estimate| match wording::fraction(e) {
        Some(fraction) => format!("{fraction}, of {}", cases(e)),
        None => cases(e),
    };
    let part = |e: &Estimate| {
        let level = e.subgroup.as_ref().map(|level| level.level.clone());
        let name = level.or_else(|| e.model.clone()).unwrap_or_default();
        format!("{name}: {}", format::count(e.n))
    };
    let n = if let [(_, one)] = found.as_slice() {
        counted(one)
    } else {
        let parts: Vec<String> = found.iter().take(NAMED).map(|(_, e)| part(e)).collect();
        let more = found.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        format!("cases: {}{more}", parts.join("; "))
    };
    // Levels and pairs may have intervals of several methods, as their cases allow.
    let mut methods: Vec<String> = Vec::new();
    for (_, e) in &found {
        let Some(mut interval) = e.intervals.first().cloned() else { continue };
        interval.dropped = None;
        let method =
            format!("{} CI: {}", format::level(interval.level), wording::method(&interval, e.quantity()));
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let formula = match first.prevalence {
        Some(_) => formulas::at_prevalence(&first.id),
        None => formulas::formula(&first.id),
    };
    let how = match methods.as_slice() {
        [] => format!("{formula}."),
        methods => format!("{formula}. {}.", methods.join("; or ")),
    };
    let from = if list == "estimates" { "scores and reference standard" } else { "readers' answers" };
    Some(Origin { what, how, n, recorded: format!("{from}; results.json, {list}, id {}", first.id) })
}

fn endpoint(results: &Results, endpoint: &EndpointResult) -> Origin {
    let metric = endpoint.metric;
    let same = |e: &&Estimate| {
        e.id == metric.id() && e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none()
    };
    let found = results.estimates.iter().find(same);
    let interval = match &endpoint.interval {
        Some(interval) => {
            let method = wording::method(interval, metric.quantity());
            format!("{} CI that decides: {method}", format::level(interval.level))
        }
        None => "no interval decides".to_owned(),
    };
    let criterion = endpoint.criterion.as_ref().map(|c| format!(" Criterion: {c}.")).unwrap_or_default();
    let n = found.map_or_else(
        || format!("{} cases", format::count(results.flow.analysed)),
        |e| format!("{} cases ({} positive)", format::count(e.n), format::count(e.positives)),
    );
    Origin {
        what: format!("Endpoint {}: {}", endpoint.id, wording::metric(metric.id())),
        how: format!("{}. {interval}.{criterion}", formulas::formula(metric.id())),
        n,
        recorded: format!("scores and reference standard; results.json, endpoints, id {}", endpoint.id),
    }
}

fn comparison(found: &ComparisonResult) -> Origin {
    Origin {
        what: format!("Comparison {}: {}", found.id, wording::metric(found.metric.id())),
        how: format!(
            "{}, of the device less that of what it is compared with, on the same cases.",
            formulas::formula(found.metric.id())
        ),
        n: format!("{} cases ({} positive)", format::count(found.n), format::count(found.positives)),
        recorded: format!("scores or answers of both; results.json, comparisons, id {}", found.id),
    }
}
