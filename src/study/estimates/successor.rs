//! A new version against its predecessor on the same cases: overall, and in each level of the subgroups that
//! its plan names.

use super::cases::{Analysed, StudyCase, count};
use super::comparisons::Compared;
use super::plan::StudyPlan;
use super::subgroups::levels;
use crate::protocol::change::JudgedBy;
use crate::protocol::{ComparativeEndpoint, Protocol, Subgroup};
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::SubgroupLevel;
use crate::study::change::Succession;
use crate::study::results::{Acceptance, ComparisonResult, Rules, Verdict};

/// Every comparison that the plan declares: of each endpoint the overall one, and then one a level.
/// `threshold` is that of the new version; the predecessor calls by its own. `version` is the program's, as
/// of [`super::analyse`].
pub fn acceptance(
    protocol: &Protocol,
    drawn: &[StudyCase],
    threshold: f64,
    succession: &Succession,
    version: &str,
) -> Vec<Acceptance> {
    let analysed: Vec<Analysed> =
        drawn.iter().filter_map(|c| Some(c.analysed(c.consensus.positive()?, c.score?))).collect();
    let (study, plan) = (StudyPlan::new(protocol, threshold, Rules::of(version)), &succession.plan);
    let rule = &plan.subgroups;
    let named = |subgroup: &&Subgroup| rule.by.as_ref().is_none_or(|by| by.contains(&subgroup.by.name()));
    let mut found = Vec::new();
    for endpoint in &plan.acceptance {
        found.push(Acceptance {
            subgroup: None,
            judged: true,
            judged_by: JudgedBy::Interval,
            result: study.with_predecessor(endpoint, &analysed, succession),
        });
        let in_level = within(endpoint, rule.margin);
        for subgroup in protocol.subgroups.iter().filter(named) {
            for (level, members) in levels(&subgroup.by, &analysed) {
                // A band that is declared and that no case falls into.
                if members.is_empty() {
                    continue;
                }
                let mut result = study.with_predecessor(&in_level, &members, succession);
                if rule.judged_by == JudgedBy::Estimate {
                    result.verdict = by_estimate(&result);
                }
                found.push(Acceptance {
                    judged: result.n >= rule.minimum,
                    subgroup: Some(SubgroupLevel::new(subgroup.by.name(), level)),
                    judged_by: rule.judged_by,
                    result,
                });
            }
        }
    }
    found
}

/// The endpoint as it holds in a level. A gain overall has to be no loss in any level.
fn within(endpoint: &ComparativeEndpoint, margin: Option<f64>) -> ComparativeEndpoint {
    let mut within = endpoint.clone();
    if let Some(margin) = margin {
        within.margin = margin;
        if within.aim == Aim::Superiority {
            within.aim = Aim::NonInferiority;
        }
    }
    within
}

/// Whether the observed difference lies within the margin, whatever its interval.
fn by_estimate(result: &ComparisonResult) -> Verdict {
    match result.difference {
        None => Verdict::NotEvaluable,
        Some(observed) if result.aim.holds(result.margin, (observed, observed)) => Verdict::Met,
        Some(_) => Verdict::NotMet,
    }
}

impl StudyPlan<'_> {
    /// Cases that the predecessor refused are left out, and counted.
    fn with_predecessor(
        &self,
        endpoint: &ComparativeEndpoint,
        analysed: &[Analysed],
        succession: &Succession,
    ) -> ComparisonResult {
        let threshold = succession.results.operating_point.threshold;
        let (mut cases, mut scores, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for case in analysed {
            let Some(score) = succession.scores.get(&case.case.case_id).and_then(|s| s.score) else {
                continue;
            };
            cases.push(*case);
            scores.push(score);
            calls.push(Some(score >= threshold));
        }
        let without = count(analysed.len() - cases.len());
        let name = format!("the predecessor, lock {}", succession.plan.predecessor.lock.short());
        let compared = Compared { cases, scores, calls: vec![calls], name, without };
        // Every comparison has to be met, so each is judged at the study's own level.
        self.comparison_at(endpoint, &compared, self.protocol.analysis.level)
    }
}
