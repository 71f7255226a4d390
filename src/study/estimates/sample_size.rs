//! What was planned beside what was achieved, and what a study of that size can show.

use crate::protocol::{AcceptanceCriterion, Bound, Endpoint};
use crate::statistics::design::{AucVariance, Size, auc_shown_from, binomial_shown_from};
use crate::statistics::metric::Metric;
use crate::study::planning::size_plan;
use crate::study::results::{EndpointResult, Flow, PlannedValue, SampleSize};

use super::plan::{StudyPlan, is_judged};

/// The probability that is asked for: of 80 and 90 %, the two in use, the one that asks for more.
const POWER: f64 = 0.9;

impl StudyPlan<'_> {
    /// One entry an endpoint whose criterion is a lower bound of sensitivity, specificity or the AUC.
    pub(super) fn sample_sizes(&self, results: &[EndpointResult], flow: &Flow) -> Vec<SampleSize> {
        let target = self.protocol.sample.target.as_ref();
        let planned = target.and_then(|t| Some([t.positives?, t.cases.checked_sub(t.positives?)?]));
        let analysed = [flow.positives, flow.negatives];
        let plan = size_plan(self.protocol);
        let of_plan = |id: &str| {
            let planned = plan.endpoints.iter().find(|planned| planned.endpoint == id)?;
            Some(PlannedValue {
                expected: planned.expected.as_ref()?.value,
                power: planned.at_planned.map(|at| at.power),
                half_width: planned.at_planned.map(|at| (at.interval.1 - at.interval.0) / 2.0),
            })
        };
        let endpoints = self.protocol.endpoints.iter().zip(results);
        endpoints
            .filter_map(|(endpoint, result)| {
                let criterion = endpoint.criterion.as_ref().filter(|c| c.bound == Bound::Lower)?;
                let shown_from = self.shown_from(endpoint, criterion, analysed)?;
                Some(SampleSize {
                    endpoint: endpoint.id.clone(),
                    planned,
                    analysed,
                    half_width: result.interval.as_ref().map(|i| (i.upper - i.lower) / 2.0),
                    shown_from,
                    power: POWER,
                    plan: of_plan(&endpoint.id),
                })
            })
            .collect()
    }

    /// Nothing for a metric of which this is not known.
    fn shown_from(
        &self,
        endpoint: &Endpoint,
        criterion: &AcceptanceCriterion,
        [positives, negatives]: [u64; 2],
    ) -> Option<Option<f64>> {
        let level = self.adjusted_level().filter(|_| is_judged(endpoint));
        let level = level.unwrap_or(self.protocol.analysis.level);
        let share = |n| binomial_shown_from(n, criterion.goal, (1.0 - level) / 2.0, POWER);
        let size = Size { positives: positives as f64, negatives: negatives as f64 };
        match endpoint.metric {
            Metric::Sensitivity => Some(share(positives)),
            Metric::Specificity => Some(share(negatives)),
            Metric::Auc => {
                Some(auc_shown_from(AucVariance::HanleyMcneil, criterion.goal, size, level, POWER))
            }
            _ => None,
        }
    }
}
