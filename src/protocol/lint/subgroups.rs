//! Subgroups that cannot say anything, and those that are missing.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::{Bound, Field, Protocol, Rule, Subgroup, Variable};
use crate::statistics::metric::Metric;
use crate::statistics::proportion::clopper_pearson;

/// Fewer cases than this describe nothing.
const LEAST: u64 = 10;

impl<'a> Look<'a> {
    /// Ages that the criteria and, where they ask for it, the gate admit.
    fn eligible_ages(&self) -> (u16, u16) {
        let (mut min, mut max) = (0, 150);
        for criterion in &self.protocol.eligibility {
            let range = match &criterion.rule {
                Rule::Age { min, max } => Some((*min, *max)),
                Rule::Gate => self.protocol.gate.age_years.map(|age| (age.min, age.max)),
                _ => None,
            };
            if let Some((from, to)) = range {
                (min, max) = (min.max(from), max.min(to));
            }
        }
        (min, max)
    }

    /// Values of a field that the criteria admit, where they list them.
    fn eligible_values(&self, field: Field) -> Option<&'a [String]> {
        let protocol: &'a Protocol = self.protocol;
        protocol.eligibility.iter().find_map(|criterion| match &criterion.rule {
            Rule::OneOf { field: of, allowed } if *of == field => Some(allowed.as_slice()),
            _ => None,
        })
    }

    pub(super) fn subgroups(&mut self) {
        let protocol = self.protocol;
        let minimum = protocol.analysis.subgroup_minimum;
        let by_sex = |s: &Subgroup| s.by == Variable::Field { field: Field::Sex };
        let by_age = |s: &Subgroup| matches!(s.by, Variable::Age { .. });
        let absent: Vec<&str> =
            [("sex", protocol.subgroups.iter().any(by_sex)), ("age", protocol.subgroups.iter().any(by_age))]
                .into_iter()
                .filter_map(|(name, there)| (!there).then_some(name))
                .collect();
        if !absent.is_empty() {
            self.asks(
                Code::SubgroupsMissing,
                "subgroup",
                format!("no subgroup by {} is declared", absent.join(" and by ")),
                "reviewers ask for sex, age, race, ethnicity, site and equipment: add [[subgroup]] for \
                 what the table \
                 has",
            );
        }
        if minimum < LEAST && !protocol.subgroups.is_empty() {
            self.asks(
                Code::SubgroupMinimumLow,
                "analysis.subgroup_minimum",
                format!(
                    "subgroups of {minimum} cases are not marked as too small: their limits say next \
                 to nothing"
                ),
                format!("declare {LEAST} at least; 30 is the default"),
            );
        }
        for (index, subgroup) in protocol.subgroups.iter().enumerate() {
            let place = format!("subgroup[{}]", index + 1);
            let levels = match &subgroup.by {
                Variable::Age { bands } => {
                    self.bands(bands, &place);
                    let (min, max) = self.eligible_ages();
                    bands.iter().filter(|(from, to)| *to >= min && *from <= max).count()
                }
                Variable::Field { field } => {
                    let values = self.eligible_values(*field);
                    if let Some([only]) = values {
                        let message = format!(
                            "the criteria admit {} = {only} alone: the subgroup by it is everybody",
                            field.name()
                        );
                        self.asks(
                            Code::SubgroupOneLevel,
                            &format!("{place}.by"),
                            message,
                            "take the subgroup out, or admit other values",
                        );
                    }
                    values.map_or(1, <[String]>::len)
                }
                Variable::Column { .. } | Variable::Crossed { .. } => {
                    subgroup.by.declared_levels().len().max(1)
                }
            };
            let levels = if let Variable::Crossed { of } = &subgroup.by {
                of.iter().map(|variable| variable.declared_levels().len().max(2)).product()
            } else {
                levels
            };
            self.claim(subgroup, levels, &place);
            if let Some(target) = protocol.sample.target
                && target.cases < minimum * levels as u64
            {
                self.asks(
                    Code::SubgroupUnreachable,
                    &place,
                    format!(
                        "{} cases in {levels} levels: not every one can reach the {minimum} that \
                         `subgroup_minimum` asks for",
                        target.cases
                    ),
                    "draw more cases, or declare fewer and wider levels",
                );
            }
        }
    }

    /// Each level alone has to carry the claim.
    fn claim(&mut self, subgroup: &Subgroup, levels: usize, place: &str) {
        let (Some(claim), Some(target)) = (&subgroup.powered, self.protocol.sample.target) else { return };
        let Some(endpoint) = self.protocol.endpoints.iter().find(|e| e.id == claim.endpoint) else { return };
        let of_class = match (endpoint.metric, target.positives) {
            (Metric::Sensitivity, Some(positives)) => positives,
            (Metric::Specificity, Some(positives)) => target.cases - positives,
            _ => target.cases,
        };
        let mean = of_class / levels.max(2) as u64;
        let goal = claim.criterion.goal;
        let shares = endpoint.metric.is_proportion() && claim.criterion.bound == Bound::Lower;
        if !shares || mean == 0 || !(0.0..1.0).contains(&goal) {
            return;
        }
        let lower = clopper_pearson(mean, mean, self.protocol.analysis.level).0;
        if !claim.criterion.accepts(lower, 1.0) {
            self.asks(
                Code::GoalUnreachable,
                &format!("{place}.criterion"),
                format!(
                    "a level of {} has some {mean} cases that `{}` counts: when all are right, the exact \
                     lower limit \
                     is {lower:.3}, and the criterion is \"{}\"",
                    subgroup.by.name(),
                    endpoint.id,
                    claim.criterion.text
                ),
                "draw more cases, claim less, or let the subgroup describe",
            );
        }
    }

    fn bands(&mut self, bands: &[(u16, u16)], place: &str) {
        let (min, max) = self.eligible_ages();
        let at = format!("{place}.bands");
        for (from, to) in bands {
            if *to < min || *from > max {
                self.asks(
                    Code::BandOutsideEligibility,
                    &at,
                    format!(
                        "the band {from}-{to} lies outside the ages that the criteria admit, \
                     {min}-{max}: it stays \
                             empty"
                    ),
                    "let bands and criteria cover the same ages",
                );
            }
        }
        let covered = |year: u16| bands.iter().any(|(from, to)| (*from..=*to).contains(&year));
        let last = bands.last().map_or(0, |(_, to)| *to);
        // Without a criterion the ages end where the bands do.
        let (min, max) = (
            if min == 0 { bands.first().map_or(0, |b| b.0) } else { min },
            if max == 150 { last } else { max },
        );
        let gap: Vec<u16> = (min..=max).filter(|year| !covered(*year)).collect();
        if let (Some(first), Some(end)) = (gap.first(), gap.last()) {
            self.asks(
                Code::BandsGap,
                &at,
                format!(
                    "{} years of age are in no band, the first is {first} and the last {end}: such \
                 cases are shown \
                         as outside the bands",
                    gap.len()
                ),
                "let the bands cover every age that the criteria admit",
            );
        }
    }
}
