//! Rows and notes of the tables of estimates.

use crate::document::tree::{Cell, Look, Row};
use crate::report::origins::of_estimate;
use crate::report::wording;
use crate::statistics::estimate::{Estimate, IntervalMethod};
use crate::statistics::metric::Metric;
use crate::study::results::{Results, Rules};

/// The methods of the declared intervals, each with the estimates it was used for.
pub fn method_note(estimates: &[&Estimate]) -> Option<String> {
    let mut methods: Vec<(String, Vec<String>)> = Vec::new();
    for estimate in estimates {
        let Some(interval) = estimate.intervals.first() else { continue };
        let mut interval = interval.clone();
        // How many replicates were left out differs from row to row and stands in the list of all intervals.
        interval.dropped = None;
        let method = wording::method(&interval, estimate.quantity());
        let name = wording::metric(&estimate.id);
        match methods.iter_mut().find(|(m, _)| *m == method) {
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => methods.push((method, vec![name])),
        }
    }
    if methods.is_empty() {
        return None;
    }
    let list: Vec<String> =
        methods.into_iter().map(|(method, names)| format!("{}: {method}", names.join(", "))).collect();
    Some(format!("Interval methods. {}.", list.join("; ")))
}

/// Why some intervals are much wider than those beside them, where any of these is.
pub fn wide_note(results: &Results, estimates: &[&Estimate]) -> Option<String> {
    let stands_in =
        |e: &&Estimate| e.intervals.first().is_some_and(|i| i.method == IntervalMethod::Hoeffding);
    let any = results.rules() == Rules::Current && estimates.iter().any(stands_in);
    any.then(|| {
        "Hoeffding's interval stands where the declared one cannot decide: its spread rests on a single \
         case or patient, or it sees none, or takes a patient's cases as independent. Hoeffding's takes \
         nothing for granted of how scores are spread, and is wide."
            .to_owned()
    })
}

/// Estimates whose first, quoted interval takes the cases of one patient as independent.
pub fn quoting_clusters<'a>(estimates: &[&'a Estimate]) -> impl Iterator<Item = &'a Estimate> {
    let quotes = |e: &&Estimate| {
        let first = e.intervals.first().map(|i| i.method.describe(e.quantity()));
        let warned = wording::clustering(e);
        first.zip(warned).is_some_and(|(first, warned)| warned.contains(first))
    };
    estimates.iter().copied().filter(quotes)
}

/// The warnings of intervals that take the cases of one patient as independent, each with the measures it
/// holds for.
pub fn clustering_notes<'a>(estimates: impl Iterator<Item = &'a Estimate>) -> Vec<String> {
    let mut warnings: Vec<(String, Vec<String>)> = Vec::new();
    for estimate in estimates {
        let Some(warning) = wording::clustering(estimate) else { continue };
        let name = row_name(estimate);
        match warnings.iter_mut().find(|(known, _)| *known == warning) {
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => warnings.push((warning, vec![name])),
        }
    }
    warnings.into_iter().map(|(warning, names)| format!("{}: {warning}.", names.join(", "))).collect()
}

/// Name of an estimate in a row: the metric, and the model where there are several.
pub fn row_name(estimate: &Estimate) -> String {
    match &estimate.model {
        Some(model) => format!("{}, {model}", wording::metric(&estimate.id)),
        None => wording::metric(&estimate.id),
    }
}

pub fn is_primary(estimate: &Estimate) -> bool {
    estimate.subgroup.is_none() && estimate.scenario.is_none()
}

/// Whether it says how far scores are probabilities.
pub fn is_calibration(estimate: &Estimate) -> bool {
    Metric::from_id(&estimate.id).is_some_and(|metric| Metric::CALIBRATION.contains(&metric))
}

pub fn is_per_thousand(estimate: &Estimate) -> bool {
    estimate.id.replace('_', "-").starts_with("per-1000-")
}

pub fn estimate_row(e: &Estimate, name: String) -> Row {
    let muted = if e.value.is_none() { Look::Muted } else { Look::Plain };
    Row::Cells(vec![
        Cell::new(name),
        Cell::new(wording::value(e)).look(muted).of(of_estimate(e)),
        Cell::new(wording::interval(e)),
        Cell::new(wording::fraction(e).unwrap_or_else(|| "\u{2013}".to_owned())),
        Cell::count(e.n),
    ])
}
