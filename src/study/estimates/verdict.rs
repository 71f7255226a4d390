//! The verdict of each endpoint, and of the study.

use crate::protocol::{Bound, Endpoint, Role};
use crate::statistics::estimate::{Estimate, Interval};
use crate::study::results::{EndpointResult, Verdict};

/// Whether an endpoint is one of several that decide.
pub(super) fn is_judged(endpoint: &Endpoint) -> bool {
    endpoint.role == Role::Primary && endpoint.criterion.is_some()
}

/// The verdict on an endpoint; `adjusted` is the level of primary criteria where multiplicity changes it.
pub(super) fn endpoint_result(
    endpoint: &Endpoint,
    estimates: &[Estimate],
    adjusted: Option<f64>,
) -> EndpointResult {
    let estimate = estimates.iter().find(|e| e.id == endpoint.metric.id());
    let method = endpoint.interval;
    let adjusted = adjusted.filter(|_| is_judged(endpoint));
    let wanted = |i: &&Interval| i.method == method && adjusted.is_none_or(|level| i.level == level);
    let interval = estimate.and_then(|e| e.intervals.iter().find(wanted)).cloned();
    let bound =
        endpoint.criterion.as_ref().zip(interval.as_ref()).map(|(criterion, interval)| {
            match criterion.bound {
                Bound::Lower => interval.lower,
                Bound::Upper => interval.upper,
            }
        });
    let verdict = endpoint.criterion.as_ref().map(|criterion| match &interval {
        None => Verdict::NotEvaluable,
        Some(interval) if criterion.accepts(interval.lower, interval.upper) => Verdict::Met,
        Some(_) => Verdict::NotMet,
    });
    EndpointResult {
        id: endpoint.id.clone(),
        metric: endpoint.metric,
        role: endpoint.role,
        criterion: endpoint.criterion.as_ref().map(|c| c.text.clone()),
        interval_method: method,
        value: estimate.and_then(|e| e.value),
        interval,
        bound,
        verdict,
    }
}
