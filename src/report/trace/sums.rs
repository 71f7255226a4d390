//! Whether the numbers of the results agree with each other: what is a sum is one, what is a share is one.

use crate::document::format::Style;
use crate::protocol::Role;
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::study::results::{Results, Verdict};

/// Every relation that does not hold, in words.
pub(super) fn disagreements(results: &Results) -> Vec<String> {
    let flow = &results.flow;
    let mut found = Vec::new();
    let excluded: u64 = flow.excluded.iter().map(|reason| reason.count).sum();
    let sums = [
        ("considered", flow.considered, "excluded and eligible", excluded + flow.eligible),
        ("eligible", flow.eligible, "sampled and not sampled", flow.sampled + flow.not_sampled),
        (
            "sampled",
            flow.sampled,
            "analysed and without reference standard or score",
            flow.analysed + flow.without_consensus + flow.without_score,
        ),
        ("analysed", flow.analysed, "positive and negative", flow.positives + flow.negatives),
    ];
    for (name, whole, parts, sum) in sums {
        if whole != sum {
            found.push(format!("{whole} cases are {name}, and {sum} {parts}"));
        }
    }
    for estimate in &results.estimates {
        let id = &estimate.id;
        let of = estimate.subgroup.as_ref().map(|level| format!(" in {level}")).unwrap_or_default();
        if estimate.positives > estimate.n {
            found.push(format!("{id}{of}: {} positives of {} cases", estimate.positives, estimate.n));
        }
        if let (Some(part), Some(whole)) = (estimate.numerator, estimate.denominator) {
            #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
            let share = part as f64 / whole as f64;
            let is_share = wording::style(estimate) == Style::Percent && estimate.prevalence.is_none();
            let differs = estimate.value.is_some_and(|v| whole > 0 && (v - share).abs() > 1e-9);
            if part > whole || is_share && differs {
                found
                    .push(format!("{id}{of} is {}, and {part} of {whole} counted", wording::value(estimate)));
            }
        }
        for interval in &estimate.intervals {
            if interval.lower > interval.upper {
                found.push(format!("{id}{of}: an interval from {} to {}", interval.lower, interval.upper));
            }
        }
    }
    for endpoint in &results.endpoints {
        let id = endpoint.metric.id();
        let mut same = results.estimates.iter().filter(|e| e.id == id).peekable();
        let near = |e: &Estimate| e.value.zip(endpoint.value).is_some_and(|(a, b)| (a - b).abs() < 5e-4);
        if same.peek().is_some() && endpoint.value.is_some() && !same.any(near) {
            found.push(format!("the endpoint {} has a value that no estimate of {id} has", endpoint.id));
        }
        if let (Some(bound), Some(criterion), Some(verdict)) =
            (endpoint.bound, endpoint.criterion.as_deref(), endpoint.verdict)
            && let Some(holds) = holds(bound, criterion)
            && verdict != Verdict::NotEvaluable
            && results.family.is_none()
            && holds != (verdict == Verdict::Met)
        {
            let verdict = wording::verdict(Some(verdict));
            found.push(format!("the endpoint {} is {verdict}, with {bound} for {criterion}", endpoint.id));
        }
    }
    let primary: Vec<Option<Verdict>> =
        results.endpoints.iter().filter(|e| e.role == Role::Primary).map(|e| e.verdict).collect();
    let all_met = !primary.is_empty() && primary.iter().all(|v| *v == Some(Verdict::Met));
    if results.conclusion == Verdict::Met
        && !all_met
        && results.comparisons.is_empty()
        && results.family.is_none()
    {
        found.push("the conclusion is met, and a primary endpoint is not".to_owned());
    }
    found
}

/// Whether a bound satisfies a criterion such as `lower > 0.80`.
fn holds(bound: f64, criterion: &str) -> Option<bool> {
    let mut words = criterion.split_whitespace().rev();
    let limit: f64 = words.next()?.parse().ok()?;
    match words.next()? {
        ">" => Some(bound > limit),
        ">=" | "≥" => Some(bound >= limit),
        "<" => Some(bound < limit),
        "<=" | "≤" => Some(bound <= limit),
        _ => None,
    }
}
