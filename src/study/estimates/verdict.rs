//! The verdict of each endpoint, and of the study.

use super::cases::{Analysed, Columns};
use super::plan::{StudyPlan, is_judged};
use crate::protocol::{Bound, Endpoint};
use crate::statistics::estimate::{Estimate, Interval};
use crate::statistics::metric::{Decision, Plan, decide};
use crate::study::results::{EndpointResult, FallbackRecord, Verdict};

impl StudyPlan<'_> {
    /// The verdict of each endpoint; an interval that stands in for a declared one is added to its estimate.
    pub(super) fn endpoints(&self, cases: &[Analysed], estimates: &mut [Estimate]) -> Vec<EndpointResult> {
        let columns = Columns::of(cases);
        let sample = columns.sample();
        let mut results = Vec::new();
        for endpoint in &self.protocol.endpoints {
            let level = self.adjusted_level().filter(|_| is_judged(endpoint));
            let level = level.unwrap_or(self.protocol.analysis.level);
            let plan = Plan { level, ..self.plan(vec![endpoint.interval]) };
            let Some(estimate) = estimates.iter_mut().find(|e| e.id == endpoint.metric.id()) else {
                results.push(endpoint_result(
                    endpoint,
                    None,
                    Decision { interval: None, fault: None },
                    level,
                ));
                continue;
            };
            let (metric, rule) = (endpoint.metric, endpoint.fallback);
            let threshold = Some(self.threshold);
            let decision = decide(estimate, metric, &sample, threshold, endpoint.interval, rule, &plan);
            let stands_in = decision.interval.clone().filter(|_| decision.fault.is_some());
            results.push(endpoint_result(endpoint, Some(estimate), decision, level));
            if let Some(interval) = stands_in.filter(|i| !estimate.intervals.contains(i)) {
                // That of the level of all intervals is the one to quote.
                let first = level == self.protocol.analysis.level;
                estimate.intervals.insert(if first { 0 } else { estimate.intervals.len() }, interval);
            }
        }
        results
    }
}

/// The result of an endpoint whose interval at `level` decides as found.
fn endpoint_result(
    endpoint: &Endpoint,
    estimate: Option<&Estimate>,
    decision: Decision,
    level: f64,
) -> EndpointResult {
    let method = endpoint.interval;
    let declared = |i: &&Interval| i.method == method && i.level == level;
    let interval = decision.interval;
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
        fallback: decision.fault.map(|fault| FallbackRecord {
            rule: endpoint.fallback,
            reason: fault.code,
            message: fault.message,
            declared: estimate.and_then(|e| e.intervals.iter().find(declared)).cloned(),
        }),
        interval,
        bound,
        verdict,
    }
}
