//! Estimates of a study under its declared analysis.

use super::cases::{Analysed, Columns};
use crate::protocol::{Endpoint, Protocol, Role};
use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::statistics::metric::{Fallback, Metric, Plan, deciding_first, estimate, sound_first};
use crate::study::results::Rules;

/// Intervals that leave the cases of one patient together, without drawing.
const CLUSTERED: [IntervalMethod; 3] =
    [IntervalMethod::Obuchowski, IntervalMethod::KornGraubard, IntervalMethod::ClopperPearsonPatients];

/// Whether a patient has several cases.
pub(super) fn has_clusters(cases: &[Analysed]) -> bool {
    let mut patients: Vec<u32> = cases.iter().map(|c| c.patient).collect();
    patients.sort_unstable();
    patients.windows(2).any(|two| two[0] == two[1])
}

/// Whether an endpoint is one of several that decide.
pub(super) fn is_judged(endpoint: &Endpoint) -> bool {
    endpoint.role == Role::Primary && endpoint.criterion.is_some()
}

pub(super) struct StudyPlan<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) threshold: f64,
    pub(super) unit: ResamplingUnit,
    pub(super) rules: Rules,
}

impl<'a> StudyPlan<'a> {
    pub(super) fn new(protocol: &'a Protocol, threshold: f64, rules: Rules) -> Self {
        Self { protocol, threshold, unit: protocol.analysis.resampling_unit, rules }
    }

    /// The level that primary criteria are judged at, where it is not the level of all intervals.
    pub(super) fn adjusted_level(&self) -> Option<f64> {
        let compared = self.protocol.comparisons.iter().filter(|e| e.role == Role::Primary).count();
        let criteria = compared + self.protocol.endpoints.iter().filter(|e| is_judged(e)).count();
        let level = self.protocol.analysis.criterion_level(criteria);
        (level != self.protocol.analysis.level).then_some(level)
    }

    /// The methods that the protocol declares for a metric, one an endpoint.
    fn declared(&self, metric: Metric) -> impl Iterator<Item = IntervalMethod> {
        self.protocol.endpoints.iter().filter(move |e| e.metric == metric).map(|e| e.interval)
    }

    /// One estimate with the declared interval and those of `methods`; where patients have several cases,
    /// also with those that leave a patient's cases together. First comes what would decide an endpoint on
    /// these cases.
    pub(super) fn one(&self, metric: Metric, cases: &[Analysed], methods: &[IntervalMethod]) -> Estimate {
        let mut in_order: Vec<IntervalMethod> = Vec::new();
        for method in self.declared(metric) {
            if !in_order.contains(&method) {
                in_order.push(method);
            }
        }
        let clustered: &[IntervalMethod] = if has_clusters(cases) { &CLUSTERED } else { &[] };
        for method in methods.iter().chain(clustered) {
            if metric.accepts(*method) && !in_order.contains(method) {
                in_order.push(*method);
            }
        }
        let columns = Columns::of(cases);
        let (sample, threshold) = (columns.sample(), Some(self.threshold));
        let plan = self.plan(in_order);
        let mut found = estimate(metric, &sample, threshold, &plan);
        if self.rules == Rules::First {
            sound_first(&mut found, metric, &sample, threshold);
            return found;
        }
        let endpoint = self.protocol.endpoints.iter().find(|e| e.metric == metric);
        let by = endpoint.map_or((None, Fallback::default()), |e| (Some(e.interval), e.fallback));
        deciding_first(&mut found, metric, &sample, threshold, by, &plan);
        found
    }

    pub(super) fn plan(&self, methods: Vec<IntervalMethod>) -> Plan {
        let analysis = &self.protocol.analysis;
        Plan::new(analysis.level, methods, self.unit, analysis.replicates, analysis.seed)
    }
}
