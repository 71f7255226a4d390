//! Studies whose endpoints are compared, with a predicate or with readers: what their tests share.

use super::{path, protocol};
use crate::study::results::{ComparisonResult, Results};
use crate::study::{Files, Inputs, derive};

/// An endpoint that is compared; `more` are its role, aim and margin.
pub(super) fn endpoint(id: &str, metric: &str, against: &str, more: &str) -> String {
    format!("[[endpoint]]\nid = \"{id}\"\nmetric = \"{metric}\"\nagainst = \"{against}\"\n{more}\n")
}

/// A study of these files: `sections` stand before `[scores]`, `analysis` in `[analysis]`.
pub(super) fn inputs(files: Files, sections: &str, analysis: &str) -> Inputs {
    let scores = format!("{sections}[scores]\n");
    let analysis = format!("seed = 7\n{analysis}");
    let edits = [("readers = 3\n", ""), ("[scores]\n", scores.as_str()), ("seed = 7\n", analysis.as_str())];
    Inputs {
        protocol: protocol(&edits),
        files,
        lock: None,
        manifests: Files::new(),
        program_version: "0".to_owned(),
    }
}

/// Its results, as they are written and read again.
pub(super) fn results(inputs: &Inputs) -> Results {
    let derived = derive(inputs).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics()));
    let text = &derived.files[&path("results.json")];
    let again: Results = serde_json::from_slice(&text.read()).expect("results");
    assert_eq!(again, derived.results, "results read back as they are");
    derived.results
}

/// The comparison of an endpoint.
pub(super) fn compared<'r>(results: &'r Results, id: &str) -> &'r ComparisonResult {
    results.comparisons.iter().find(|c| c.id == id).expect("a comparison")
}
