//! Differences of levels to a reference level, and claims that each level has to meet.

use std::collections::BTreeSet;

use super::cases::{Analysed, Columns, NOT_RECORDED, count};
use super::plan::StudyPlan;
use super::subgroups::levels;
use crate::protocol::{OUTSIDE, PoweredClaim};
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::statistics::metric::{Metric, Plan, decide};
use crate::statistics::square_and_add::{Limited, difference};
use crate::study::results::{LevelClaim, LevelDifference, Verdict};

/// An estimate of a level with its first interval.
fn limited(estimates: &[Estimate], metric: Metric, variable: &str, level: &str) -> Option<(Limited, f64)> {
    let subgroup = Some(SubgroupLevel::new(variable, level));
    let found =
        estimates.iter().find(|e| e.id == metric.id() && e.subgroup == subgroup && e.scenario.is_none())?;
    let interval = found.intervals.first()?;
    Some((Limited { value: found.value?, lower: interval.lower, upper: interval.upper }, interval.level))
}

impl StudyPlan<'_> {
    /// Differences to the reference level of each subgroup that declares one. `estimates` hold those of the
    /// levels.
    pub(super) fn level_differences(
        &self,
        cases: &[Analysed],
        estimates: &[Estimate],
    ) -> Vec<LevelDifference> {
        let mut differences = Vec::new();
        for subgroup in &self.protocol.subgroups {
            let Some(reference) = &subgroup.reference else { continue };
            let (variable, levels) = (subgroup.by.name(), levels(&subgroup.by, cases));
            let patients = |level: &str| -> BTreeSet<&str> {
                let members = levels.iter().find(|(name, _)| name == level).map_or(&[][..], |(_, all)| all);
                members.iter().map(|c| c.case.patient_id.as_str()).collect()
            };
            let known = patients(reference);
            for (level, _) in levels.iter().filter(|(level, _)| level != reference && level != NOT_RECORDED) {
                for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity] {
                    let of = |level: &str| limited(estimates, metric, &variable, level);
                    let (Some((a, confidence)), Some((b, _))) = (of(level), of(reference)) else { continue };
                    let found = difference(a, b);
                    differences.push(LevelDifference {
                        variable: variable.clone(),
                        level: level.clone(),
                        reference: reference.clone(),
                        metric,
                        value: found.value,
                        lower: found.lower,
                        upper: found.upper,
                        confidence,
                        shared_patients: count(patients(level).intersection(&known).count()),
                    });
                }
            }
        }
        differences
    }

    /// The verdict of each level of which something is claimed.
    pub(super) fn level_claims(&self, cases: &[Analysed]) -> Vec<LevelClaim> {
        let mut claims = Vec::new();
        for subgroup in &self.protocol.subgroups {
            let Some(claim) = &subgroup.powered else { continue };
            for (level, members) in levels(&subgroup.by, cases) {
                if level != NOT_RECORDED && level != OUTSIDE {
                    claims.extend(self.level_claim(claim, subgroup.by.name(), level, &members));
                }
            }
        }
        claims
    }

    fn level_claim(
        &self,
        claim: &PoweredClaim,
        variable: String,
        level: String,
        members: &[Analysed],
    ) -> Option<LevelClaim> {
        let endpoint = self.protocol.endpoints.iter().find(|e| e.id == claim.endpoint)?;
        let (metric, method) = (endpoint.metric, endpoint.interval);
        let estimate = self.one(metric, members, &[]);
        let columns = Columns::of(members);
        let plan = Plan { level: self.protocol.analysis.level, ..self.plan(vec![method]) };
        let threshold = Some(self.threshold);
        let fallback = endpoint.fallback;
        let decision = decide(&estimate, metric, &columns.sample(), threshold, method, fallback, &plan);
        let verdict = match &decision.interval {
            None => Verdict::NotEvaluable,
            Some(interval) if claim.criterion.accepts(interval.lower, interval.upper) => Verdict::Met,
            Some(_) => Verdict::NotMet,
        };
        Some(LevelClaim {
            variable,
            level,
            endpoint: endpoint.id.clone(),
            criterion: claim.criterion.text.clone(),
            cases: count(members.len()),
            value: estimate.value,
            interval: decision.interval,
            verdict,
        })
    }
}
