//! Facts of the evidence by an id, for the column of the device in the comparison with the predicate.

use super::drafts;
use crate::document::format;
use crate::report::submission::{Source, at, words};
use crate::report::wording;
use crate::statistics::estimate::Estimate;

/// Names of facts that are no estimate, as the error lists them.
const NAMES: [&str; 12] = [
    "cases",
    "patients",
    "positives",
    "negatives",
    "sites",
    "threshold",
    "finding",
    "architecture",
    "training-cases",
    "training-patients",
    "prevalence",
    "version",
];

/// A fact in words.
///
/// # Errors
/// What there is, where the id names nothing.
pub fn fact(source: &Source, id: &str) -> Result<String, String> {
    let results = &source.results;
    let flow = &results.flow;
    let training = source.lock.as_ref().map(|lock| &lock.experiment.training);
    let none = || "not part of this evidence".to_owned();
    Ok(match id {
        "cases" => format::count(flow.analysed),
        "patients" => format::count(flow.analysed_patients),
        "positives" => format::count(flow.positives),
        "negatives" => format::count(flow.negatives),
        "sites" => match drafts::levels_of(results, "site").len() {
            0 => "not recorded".to_owned(),
            n => n.to_string(),
        },
        "threshold" => format!("score of at least {}", format::threshold(results.operating_point.threshold)),
        "finding" => results.study.finding.clone(),
        "architecture" => source.lock.as_ref().map_or_else(none, |lock| lock.architecture.to_string()),
        "training-cases" => training.map_or_else(none, |side| format::count(side.cases)),
        "training-patients" => training.map_or_else(none, |side| format::count(side.patients)),
        "prevalence" => results
            .method
            .intended_use_prevalence
            .map_or_else(|| "not declared".to_owned(), format::prevalence),
        "version" => words(at(&source.device, "device.version").unwrap_or(&"".into())),
        _ => {
            if let Some(path) = id.strip_prefix("lock.") {
                let found = source.recorded.lock.as_ref().and_then(|lock| at(lock, path));
                return found.map(words).ok_or_else(|| format!("the lock has no `{path}`"));
            }
            match estimate(source, id) {
                Some(found) => wording::sentence(found),
                None => return Err(unknown(source, id)),
            }
        }
    })
}

/// An estimate of the primary analysis.
pub fn estimate<'a>(source: &'a Source, id: &str) -> Option<&'a Estimate> {
    let primary = |e: &&Estimate| {
        e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none() && e.model.is_none()
    };
    source.results.estimates.iter().filter(primary).find(|e| e.id == id)
}

fn unknown(source: &Source, id: &str) -> String {
    let mut known: Vec<&str> = NAMES.to_vec();
    for estimate in &source.results.estimates {
        if !known.contains(&estimate.id.as_str()) {
            known.push(&estimate.id);
        }
    }
    format!("there is no fact `{id}`; there are {}, and lock.<path>", known.join(", "))
}
