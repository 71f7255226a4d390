//! A criterion that is none: what was probably meant.

use crate::diagnostic::{Code, Diagnostic};
use crate::statistics::metric::Metric;

/// Words for the estimate itself.
const ESTIMATE: [&str; 7] = ["estimate", "point", "mean", "value", "median", "average", "observed"];

/// Why `text` is no comparison of a confidence bound with a number.
pub(super) fn refused(text: &str) -> Diagnostic {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default().replace('-', "_");
    let number = words.iter().find_map(|word| word.parse::<f64>().ok()).filter(|n| n.is_finite());
    let named = Metric::from_id(&first).is_some() || ESTIMATE.contains(&first.as_str());
    // A bare comparison, such as "> 0.8", is one of the estimate too.
    let bare = first.starts_with(['<', '>', '=']) || first.parse::<f64>().is_ok();
    if named || bare {
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
