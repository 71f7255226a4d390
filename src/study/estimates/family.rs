//! What a rule of multiplicity says of all primary and key secondary endpoints together.

use super::cases::{Analysed, Columns};
use super::plan::StudyPlan;
use crate::protocol::{Bound, Endpoint};
use crate::statistics::comparative::deciding::{PRECISION, p_of_bound};
use crate::statistics::metric::{Plan, decide, estimate};
use crate::statistics::multiplicity::{adjusted, is_rejected};
use crate::study::results::{ComparisonResult, EndpointResult, FamilyMember, FamilyResult, Rules, Verdict};

impl StudyPlan<'_> {
    /// Adjusts the p values of the family's endpoints and gives each its verdict by the rule; nothing where
    /// each is judged by itself.
    pub(super) fn family(
        &self,
        cases: &[Analysed],
        endpoints: &mut [EndpointResult],
        comparisons: &mut [ComparisonResult],
    ) -> Option<FamilyResult> {
        let analysis = &self.protocol.analysis;
        let Some(family) = &self.protocol.family else {
            self.adjust_by_number(comparisons);
            return None;
        };
        let columns = Columns::of(cases);
        let p_of = |id: &String| -> Option<f64> {
            if let Some(compared) = comparisons.iter().find(|c| c.id == *id) {
                return compared.p_value;
            }
            let endpoint = self.protocol.endpoints.iter().find(|e| e.id == *id)?;
            self.p_of_goal(endpoint, &columns)
        };
        let p: Vec<Option<f64>> = family.endpoints.iter().map(p_of).collect();
        // What cannot be evaluated is never met.
        let values: Vec<f64> = p.iter().map(|p| p.unwrap_or(1.0)).collect();
        let found = adjusted(&family.rule(analysis.multiplicity), &values);
        // As it would be typed: .025, and not what is left of it by rounding.
        let alpha = ((1.0 - analysis.level) / 2.0 * 1e12).round() / 1e12;
        let mut members = Vec::new();
        for (place, id) in family.endpoints.iter().enumerate() {
            let verdict = match p[place] {
                None => Verdict::NotEvaluable,
                Some(_) if is_rejected(found[place], alpha) => Verdict::Met,
                Some(_) => Verdict::NotMet,
            };
            let passes_on = family.transitions.get(place).map_or_else(Vec::new, |row| {
                let parts = family.endpoints.iter().cloned().zip(row.iter().copied());
                parts.filter(|(_, part)| *part > 0.0).collect()
            });
            let role = if let Some(endpoint) = endpoints.iter_mut().find(|e| e.id == *id) {
                endpoint.verdict = Some(verdict);
                endpoint.role
            } else if let Some(compared) = comparisons.iter_mut().find(|c| c.id == *id) {
                compared.verdict = verdict;
                compared.adjusted_p = Some(found[place]);
                compared.role
            } else {
                continue;
            };
            members.push(FamilyMember {
                id: id.clone(),
                role,
                weight: family.weights.get(place).copied(),
                passes_on,
                p_value: p[place],
                adjusted_p: found[place],
                verdict,
            });
        }
        Some(FamilyResult { rule: analysis.multiplicity, alpha, members })
    }

    /// Bonferroni: the p values that go with intervals at the shared level.
    fn adjust_by_number(&self, comparisons: &mut [ComparisonResult]) {
        use crate::protocol::Role;
        let Some(level) = self.adjusted_level() else { return };
        let criteria = (1.0 - self.protocol.analysis.level) / (1.0 - level);
        for compared in comparisons.iter_mut().filter(|c| c.role == Role::Primary) {
            compared.adjusted_p = compared.p_value.map(|p| (p * criteria.round()).min(1.0));
        }
    }

    /// One-sided p value of an endpoint that is judged by a goal: the least error at which the interval of
    /// the method that decides lies on the right side of it.
    fn p_of_goal(&self, endpoint: &Endpoint, columns: &Columns) -> Option<f64> {
        let criterion = endpoint.criterion.as_ref()?;
        let (sample, threshold) = (columns.sample(), Some(self.threshold));
        let (metric, declared) = (endpoint.metric, endpoint.interval);
        let found = |level: f64| {
            let plan = Plan { level, ..self.plan(vec![declared]) };
            (estimate(metric, &sample, threshold, &plan), plan)
        };
        let decided = |level: f64| {
            let (found, plan) = found(level);
            decide(&found, metric, &sample, threshold, declared, endpoint.fallback, &plan).interval
        };
        let level = self.protocol.analysis.level;
        let nominal = decided(level)?;
        let decides = nominal.method;
        // That method at every level: another may decide where the declared one collapses.
        let at = |level: f64| match self.rules {
            Rules::First => decided(level),
            Rules::Current if decides == declared => {
                found(level).0.intervals.into_iter().find(|i| i.method == declared)
            }
            Rules::Current => decided(level).filter(|i| i.method == decides),
        };
        let precision = PRECISION[usize::from(decides.draws_replicates())];
        let side = self.rules.side(criterion.strict);
        let p = p_of_bound(precision, side, &|level| {
            let interval = at(level)?;
            Some(match criterion.bound {
                Bound::Lower => (interval.lower - criterion.goal, interval.upper - criterion.goal),
                Bound::Upper => (criterion.goal - interval.upper, criterion.goal - interval.lower),
            })
        });
        // A bound that is the goal to the last bit is met at this error, not at the next that was looked at.
        let met = self.rules == Rules::Current && criterion.accepts(nominal.lower, nominal.upper);
        Some(if met { p.min((1.0 - level) / 2.0) } else { p })
    }
}
