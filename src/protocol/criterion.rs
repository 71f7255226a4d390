//! A criterion that is none: what was probably meant.

use crate::diagnostic::{Code, Diagnostic};
use crate::statistics::metric::Metric;

/// Words for the estimate itself.
const ESTIMATE: [&str; 7] = ["estimate", "point", "mean", "value", "median", "average", "observed"];
/// Names of metrics that protocols of others use.
const ALSO: [&str; 10] =
    ["auroc", "aucroc", "roc", "sens", "spec", "tpr", "tnr", "recall", "precision", "kappa"];
/// Words that speak of a bound.
const BOUND: [&str; 6] = ["lower", "upper", "bound", "limit", "lcl", "ucl"];

/// Why `text` is no comparison of a confidence bound with a number.
pub(super) fn refused(text: &str) -> Diagnostic {
    let apart: String = text
        .to_lowercase()
        .chars()
        .flat_map(|c| if "<>=\u{2265}\u{2264}".contains(c) { vec![' ', c, ' '] } else { vec![c] })
        .collect();
    let words: Vec<&str> = apart.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default();
    let number = words.iter().find_map(|word| word.parse::<f64>().ok()).filter(|n| n.is_finite());
    let named = words.iter().map(|word| word.replace('-', "_")).any(|word| {
        let word = word.as_str();
        Metric::from_id(word).is_some() || ESTIMATE.contains(&word) || ALSO.contains(&word)
    });
    let of_bound = words.iter().any(|word| BOUND.contains(word));
    // A bare comparison, such as "> 0.8", is one of the estimate too.
    let bare = first.starts_with(['<', '>', '=', '\u{2265}', '\u{2264}']) || first.parse::<f64>().is_ok();
    if (named && !of_bound) || bare {
        let goal = number.unwrap_or(0.8);
        let message = format!(
            "\"{text}\" compares the estimate: of all studies of a device that has just this value half \
             would pass"
        );
        return Diagnostic::error(Code::CriterionOnEstimate, message).hint(format!(
            "compare the confidence bound: \"lower > {goal}\", or \"upper < {goal}\" where less is better"
        ));
    }
    let message = format!("\"{text}\" is not a criterion on a confidence bound, such as \"lower > 0.80\"");
    Diagnostic::error(Code::Criterion, message)
        .hint("write `lower >`, `lower >=`, `upper <` or `upper <=`, a blank, and a number")
}
