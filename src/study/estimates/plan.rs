//! Estimates of a study under its declared analysis.

use super::cases::{Analysed, Columns};
use super::verdict::is_judged;
use crate::protocol::Protocol;
use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::statistics::metric::{Metric, Plan, estimate};

pub(super) struct StudyPlan<'a> {
    pub(super) protocol: &'a Protocol,
    pub(super) threshold: f64,
    pub(super) unit: ResamplingUnit,
}

impl<'a> StudyPlan<'a> {
    pub(super) fn new(protocol: &'a Protocol, threshold: f64) -> Self {
        Self { protocol, threshold, unit: protocol.analysis.resampling_unit }
    }

    /// The level that primary criteria are judged at, where it is not the level of all intervals.
    pub(super) fn adjusted_level(&self) -> Option<f64> {
        let criteria = self.protocol.endpoints.iter().filter(|e| is_judged(e)).count();
        let level = self.protocol.analysis.criterion_level(criteria);
        (level != self.protocol.analysis.level).then_some(level)
    }

    /// The method the protocol declares for a metric, if it does.
    pub(super) fn declared(&self, metric: Metric) -> Option<IntervalMethod> {
        self.protocol.endpoints.iter().find(|e| e.metric == metric).map(|e| e.interval)
    }

    pub(super) fn one(&self, metric: Metric, cases: &[Analysed], methods: &[IntervalMethod]) -> Estimate {
        let mut in_order: Vec<IntervalMethod> = self.declared(metric).into_iter().collect();
        for method in methods {
            if metric.accepts(*method) && !in_order.contains(method) {
                in_order.push(*method);
            }
        }
        let columns = Columns::of(cases);
        estimate(metric, &columns.sample(), Some(self.threshold), &self.plan(in_order))
    }

    pub(super) fn plan(&self, methods: Vec<IntervalMethod>) -> Plan {
        let analysis = &self.protocol.analysis;
        Plan::new(analysis.level, methods, self.unit, analysis.replicates, analysis.seed)
    }
}
