//! Sensitivity analyses: incomplete cases for and against the device, unanimous cases alone.

use super::cases::{Analysed, StudyCase};
use super::plan::StudyPlan;
use crate::reads::consensus::{Basis, Consensus};
use crate::statistics::estimate::{Estimate, IntervalMethod, Scenario};
use crate::statistics::metric::Metric;

impl StudyPlan<'_> {
    /// Incomplete cases counted for and against the device, and the unanimous cases alone.
    pub(super) fn scenarios(&self, drawn: &[StudyCase]) -> Vec<Estimate> {
        let called = |score: f64| score >= self.threshold;
        let filled = |device_is_right: bool| -> Vec<Analysed> {
            drawn
                .iter()
                .map(|c| {
                    let (positive, score) = match (c.consensus.positive(), c.score) {
                        (Some(positive), Some(score)) => (positive, score),
                        (Some(positive), None) => {
                            (positive, f64::from(u8::from(positive == device_is_right)))
                        }
                        (None, Some(score)) => (called(score) == device_is_right, score),
                        // Nothing is known: a positive case, found or missed.
                        (None, None) => (true, f64::from(u8::from(device_is_right))),
                    };
                    c.analysed(positive, score)
                })
                .collect()
        };
        let unanimous: Vec<Analysed> = drawn
            .iter()
            .filter_map(|c| match c.consensus {
                Consensus::Reached { positive, basis: Basis::Unanimous } => {
                    Some(c.analysed(positive, c.score?))
                }
                _ => None,
            })
            .collect();
        let mut estimates = Vec::new();
        for (scenario, cases) in [
            (Scenario::BestCase, filled(true)),
            (Scenario::WorstCase, filled(false)),
            (Scenario::UnanimousOnly, unanimous),
        ] {
            // Where no votes are counted, no case can be unanimous.
            if scenario == Scenario::UnanimousOnly && !self.protocol.reference_standard.rule.is_vote() {
                continue;
            }
            for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity, Metric::F1] {
                let mut estimate =
                    self.one(metric, &cases, &[IntervalMethod::Delong, IntervalMethod::ClopperPearson]);
                estimate.scenario = Some(scenario);
                estimates.push(estimate);
            }
        }
        estimates
    }
}
