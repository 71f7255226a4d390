//! Estimates over all analysed cases, as sampled and at the prevalence of intended use.

use super::cases::{Analysed, Columns};
use super::plan::{StudyPlan, has_clusters, is_judged};
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod};
use crate::statistics::metric::{Metric, Plan, estimate, estimate_at_prevalence, estimates};

impl StudyPlan<'_> {
    pub(super) fn overall(&self, cases: &[Analysed]) -> Vec<Estimate> {
        use IntervalMethod::{BootstrapPercentile, ClopperPearson, Delong, Log, Obuchowski, Wilson};
        let methods = [Delong, Obuchowski, ClopperPearson, Wilson, Log, BootstrapPercentile];
        let mut estimates: Vec<Estimate> =
            Metric::ENDPOINTS.iter().map(|metric| self.one(*metric, cases, &methods)).collect();
        if let Some(level) = self.adjusted_level() {
            let columns = Columns::of(cases);
            for endpoint in self.protocol.endpoints.iter().filter(|e| is_judged(e)) {
                let (metric, method) = (endpoint.metric, endpoint.interval);
                if let Some(place) = estimates.iter_mut().find(|e| e.id == metric.id()) {
                    let plan = Plan { level, ..self.plan(vec![method]) };
                    let judged = estimate(metric, &columns.sample(), Some(self.threshold), &plan);
                    place.intervals.extend(judged.intervals.into_iter().filter(|i| i.method == method));
                }
            }
        }
        estimates
    }

    /// How far scores can be taken as probabilities, at the prevalence of the sample. Where patients have
    /// several cases the bootstrap leaves them together; Wald's limits take them apart.
    pub(super) fn calibration(&self, cases: &[Analysed]) -> Vec<Estimate> {
        let columns = Columns::of(cases);
        let method =
            if has_clusters(cases) { IntervalMethod::BootstrapPercentile } else { IntervalMethod::Wald };
        let plan = self.plan(vec![method]);
        estimates(&Metric::CALIBRATION, &columns.sample(), Some(self.threshold), &plan)
    }

    /// What 1,000 patients at the prevalence of intended use may expect, with the exact limits of sensitivity
    /// and specificity.
    pub(super) fn per_thousand(&self, cases: &[Analysed]) -> Vec<Estimate> {
        let Some(prevalence) = self.protocol.analysis.intended_use_prevalence else { return Vec::new() };
        let shares = [(Metric::Sensitivity, prevalence), (Metric::Specificity, 1.0 - prevalence)];
        let names = [["true-positives", "false-negatives"], ["true-negatives", "false-positives"]];
        let mut out = Vec::new();
        for ((metric, share), [right, wrong]) in shares.into_iter().zip(names) {
            let of = self.one(metric, cases, &[IntervalMethod::ClopperPearson]);
            let Some(value) = of.value else { continue };
            // Sound ones come first; a bootstrap's limits are no exact ones.
            let exact = of.intervals.iter().find(|i| {
                use IntervalMethod::{ClopperPearson, ClopperPearsonPatients, KornGraubard};
                matches!(i.method, ClopperPearson | ClopperPearsonPatients | KornGraubard)
            });
            let scale = 1000.0 * share;
            let mut add = |name: &str, value: f64, limits: Option<(f64, f64)>| {
                let interval =
                    exact.zip(limits).map(|(i, (lower, upper))| Interval { lower, upper, ..i.clone() });
                out.push(Estimate {
                    id: format!("per-1000-{name}"),
                    value: Some(value),
                    standard_error: None,
                    numerator: None,
                    denominator: None,
                    intervals: interval.into_iter().collect(),
                    prevalence: Some(prevalence),
                    ..of.clone()
                });
            };
            add(right, scale * value, exact.map(|i| (scale * i.lower, scale * i.upper)));
            add(
                wrong,
                scale * (1.0 - value),
                exact.map(|i| (scale * (1.0 - i.upper), scale * (1.0 - i.lower))),
            );
        }
        out
    }

    pub(super) fn at_intended_use_prevalence(&self, cases: &[Analysed]) -> Vec<Estimate> {
        let Some(prevalence) = self.protocol.analysis.intended_use_prevalence else { return Vec::new() };
        let columns = Columns::of(cases);
        let mut methods =
            vec![IntervalMethod::Log, IntervalMethod::ClopperPearson, IntervalMethod::BootstrapPercentile];
        if has_clusters(cases) {
            methods.extend([IntervalMethod::KornGraubard, IntervalMethod::ClopperPearsonPatients]);
        }
        let plan = self.plan(methods);
        [Metric::Ppv, Metric::Npv, Metric::F1]
            .into_iter()
            .map(|metric| {
                estimate_at_prevalence(metric, &columns.sample(), self.threshold, prevalence, &plan)
            })
            .collect()
    }
}
