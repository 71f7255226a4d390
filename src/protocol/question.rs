//! What the size of a study means for one endpoint before there are data: its criterion, or its margin, as a
//! question about power. The check of a protocol and its plan ask the same one.

mod compared;

use super::{AcceptanceCriterion, Bound, Endpoint, Protocol, Role, SampleMethod};
use crate::statistics::design::{
    AucVariance, Size, auc_bound_power, auc_shown_from, binomial_power, binomial_shown_from, binomial_size,
    design_effect,
};
use crate::statistics::estimate::ResamplingUnit;
use crate::statistics::metric::Metric;
use crate::statistics::proportion::clopper_pearson;
use crate::statistics::sizing::auc_bound_size;
use crate::statistics::sizing::rates::{Chance, ExpectedRates, Measure};
use crate::statistics::special::normal_quantile;

pub use compared::ComparedQuestion;

/// The variance that plans of an AUC rest on.
pub(super) const VARIANCE: AucVariance = AucVariance::HanleyMcneil;

/// Whether power can be asked of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Asked<Q> {
    /// It can.
    Question(Q),
    /// There is nothing to meet.
    NoCriterion,
    /// For this measure no power is computed.
    NotComputed,
    /// The share of positive cases is not declared.
    NotDeclared,
}

/// How an endpoint's chance follows from its true value and the number of sampled cases.
pub trait Question {
    /// Cases of so many sampled ones that count for it, after the design effect.
    fn counted(&self, cases: f64) -> f64;
    /// The probability that it is met where the value is `value`, with so many sampled cases.
    fn power(&self, value: f64, cases: f64) -> f64;
    /// The same as the sum over every table, where that is another number.
    fn exact_power(&self, value: f64, cases: f64) -> Option<f64>;
    /// Sampled cases for this power.
    fn needed(&self, value: f64, power: f64) -> Option<u64>;
    /// The interval that is to be expected: of the value, or of the difference.
    fn interval(&self, value: f64, cases: f64) -> (f64, f64);
    /// The smallest true value (for an upper bound the largest) that is shown with this power.
    fn shown_from(&self, cases: f64, power: f64) -> Option<f64>;
    /// Whether a true value is one that is claimed.
    fn satisfies(&self, value: f64) -> bool;
    /// Some values between the least that is claimed and perfection.
    fn values(&self) -> Vec<f64>;
}

/// Which cases count for a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Those with the finding.
    Positives,
    /// Those without.
    Negatives,
    /// Every case.
    All,
}

/// How many cases of which class a number of sampled ones is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Composition {
    /// By which sizes for independent cases are multiplied.
    pub design_effect: f64,
    /// Share of sampled cases that have a score and a reference standard.
    pub usable: f64,
    /// Share of positive cases among them.
    pub positives: f64,
}

impl Composition {
    fn of(protocol: &Protocol, positives: f64) -> Self {
        Self {
            design_effect: protocol.planned_design_effect(),
            usable: 1.0 - protocol.planning.unusable,
            positives,
        }
    }

    /// Positive and negative cases of so many sampled ones, after the design effect.
    pub fn effective(&self, cases: f64) -> Size {
        let usable = cases * self.usable / self.design_effect.max(f64::MIN_POSITIVE);
        Size { positives: usable * self.positives, negatives: usable * (1.0 - self.positives) }
    }

    fn counted(&self, counted: Counted, cases: f64) -> f64 {
        let size = self.effective(cases);
        match counted {
            Counted::Positives => size.positives,
            Counted::Negatives => size.negatives,
            Counted::All => size.positives + size.negatives,
        }
    }

    /// The share of usable cases that counts.
    fn share(&self, counted: Counted) -> f64 {
        match counted {
            Counted::Positives => self.positives,
            Counted::Negatives => 1.0 - self.positives,
            Counted::All => 1.0,
        }
    }

    /// Negative cases for each positive one.
    fn ratio(&self) -> f64 {
        (1.0 - self.positives) / self.positives
    }

    /// Sampled cases of which so many are left.
    fn sampled(&self, effective: f64) -> u64 {
        (effective * self.design_effect / self.usable).ceil() as u64
    }
}

/// How the power of a criterion is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    /// Normal, with the variance of Hanley and McNeil.
    Auc,
    /// Binomial; an upper bound is a lower bound of the opposite.
    Share { counted: Counted, turned: bool },
    /// Normal on the logit scale, made from a sensitivity and a specificity of which one is as expected, and
    /// the other follows from the value.
    Rates { measure: Measure, known: f64, chance: Chance },
}

/// A criterion with all that its power depends on but value and size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GoalQuestion {
    law: Law,
    goal: f64,
    level: f64,
    sample: Composition,
}

/// What PPV, NPV and F1 are made from, where `metric` is one of them.
fn measure(metric: Metric) -> Option<Measure> {
    match metric {
        Metric::Ppv => Some(Measure::Ppv),
        Metric::Npv => Some(Measure::Npv),
        Metric::F1 => Some(Measure::F1),
        _ => None,
    }
}

impl Protocol {
    /// The two-sided level at which an endpoint of this role is judged before any rule passes α on.
    pub fn planned_level(&self, role: Role) -> f64 {
        if role != Role::Primary {
            return self.analysis.level;
        }
        let goals = self.endpoints.iter().filter(|e| e.role == Role::Primary && e.criterion.is_some());
        let compared = self.comparisons.iter().filter(|e| e.role == Role::Primary);
        self.analysis.criterion_level(goals.count() + compared.count())
    }

    /// By which sizes for independent cases are multiplied.
    pub fn planned_design_effect(&self) -> f64 {
        let planning = &self.planning;
        design_effect(planning.images_per_patient, planning.images_per_patient_cv, planning.icc)
            .unwrap_or(1.0)
    }

    /// How a criterion is planned for.
    fn law(&self, endpoint: &Endpoint, criterion: &AcceptanceCriterion) -> Asked<Law> {
        let turned = criterion.bound == Bound::Upper;
        let share = |counted| Asked::Question(Law::Share { counted, turned });
        match endpoint.metric {
            Metric::Auc if !turned => Asked::Question(Law::Auc),
            Metric::Sensitivity => share(Counted::Positives),
            Metric::Specificity => share(Counted::Negatives),
            Metric::Accuracy => share(Counted::All),
            // Weights make them of another population than the one that is drawn.
            metric if !turned && self.sample.method != SampleMethod::Enriched => {
                let Some(measure) = measure(metric) else { return Asked::NotComputed };
                let Some(known) = self.rate_beside(endpoint, measure) else { return Asked::NotDeclared };
                let fixed = self.sample.target.is_some_and(|target| target.positives.is_some());
                let in_interval = self.analysis.resampling_unit != ResamplingUnit::CaseStratified;
                let chance = Chance { sampled: !fixed, in_interval };
                Asked::Question(Law::Rates { measure, known, chance })
            }
            _ => Asked::NotComputed,
        }
    }

    /// The rate that is expected beside a PPV, an NPV or an F1: as declared with it, else of the endpoint
    /// that measures it.
    fn rate_beside(&self, endpoint: &Endpoint, measure: Measure) -> Option<f64> {
        let declared = self.planning.of_id(&endpoint.id)?;
        let (typed, metric) = match measure {
            Measure::Ppv => (declared.sensitivity, Metric::Sensitivity),
            Measure::Npv | Measure::F1 => (declared.specificity, Metric::Specificity),
        };
        let elsewhere = || {
            let other = self.endpoints.iter().find(|e| e.metric == metric)?;
            Some(self.planning.of_id(&other.id)?.value)
        };
        typed.or_else(elsewhere)
    }

    /// What can be asked of an endpoint that is judged by a goal.
    pub fn question(&self, endpoint: &Endpoint) -> Asked<GoalQuestion> {
        let Some(criterion) = &endpoint.criterion else { return Asked::NoCriterion };
        let inside = criterion.goal > 0.0 && criterion.goal < 1.0;
        let law = match self.law(endpoint, criterion) {
            Asked::Question(law) if inside => law,
            Asked::NotDeclared => return Asked::NotDeclared,
            _ => return Asked::NotComputed,
        };
        // An accuracy counts every case, whatever their share.
        let all = matches!(law, Law::Share { counted: Counted::All, .. });
        let Some(share) = self.planned_positive_share().or(all.then_some(0.5)) else {
            return Asked::NotDeclared;
        };
        let (goal, level) = (criterion.goal, self.planned_level(endpoint.role));
        Asked::Question(GoalQuestion { law, goal, level, sample: Composition::of(self, share) })
    }
}

impl GoalQuestion {
    fn class(&self) -> Counted {
        match self.law {
            Law::Share { counted, .. } => counted,
            Law::Auc | Law::Rates { .. } => Counted::All,
        }
    }

    fn turned(&self, value: f64) -> f64 {
        if matches!(self.law, Law::Share { turned: true, .. }) { 1.0 - value } else { value }
    }

    fn one_sided(&self) -> f64 {
        (1.0 - self.level) / 2.0
    }

    fn rates(&self, measure: Measure, value: f64, known: f64) -> Option<ExpectedRates> {
        ExpectedRates::with_value(measure, value, self.sample.positives, known)
    }
}

impl Question for GoalQuestion {
    fn counted(&self, cases: f64) -> f64 {
        self.sample.counted(self.class(), cases)
    }

    fn power(&self, value: f64, cases: f64) -> f64 {
        match self.law {
            Law::Auc => auc_bound_power(VARIANCE, value, self.goal, self.sample.effective(cases), self.level)
                .unwrap_or(0.0),
            Law::Rates { measure, known, chance } => self
                .rates(measure, value, known)
                .and_then(|rates| rates.power(self.goal, self.sample.effective(cases), self.level, chance))
                .unwrap_or(0.0),
            Law::Share { .. } => {
                let n = self.counted(cases).floor().max(0.0) as u64;
                if n == 0 {
                    return 0.0;
                }
                binomial_power(n, self.turned(self.goal), self.turned(value), self.one_sided())
            }
        }
    }

    fn exact_power(&self, _: f64, _: f64) -> Option<f64> {
        None
    }

    fn needed(&self, value: f64, power: f64) -> Option<u64> {
        let effective = match self.law {
            Law::Auc => {
                let size =
                    auc_bound_size(VARIANCE, value, self.goal, self.sample.ratio(), self.level, power)?;
                size.positives + size.negatives
            }
            Law::Rates { measure, known, chance } => {
                self.rates(measure, value, known)?.size(self.goal, power, self.level, chance)?
            }
            Law::Share { counted, .. } => {
                let (goal, value) = (self.turned(self.goal), self.turned(value));
                let design = binomial_size(goal, value, self.one_sided(), power)?;
                design.stable as f64 / self.sample.share(counted)
            }
        };
        Some(self.sample.sampled(effective))
    }

    fn interval(&self, value: f64, cases: f64) -> (f64, f64) {
        match self.law {
            Law::Auc => {
                let size = self.sample.effective(cases);
                let half = normal_quantile(f64::midpoint(1.0, self.level))
                    * VARIANCE.of(value, size.positives.max(1.0), size.negatives.max(1.0)).sqrt();
                ((value - half).max(0.0), (value + half).min(1.0))
            }
            Law::Rates { measure, known, chance } => self
                .rates(measure, value, known)
                .map_or((0.0, 1.0), |rates| rates.interval(self.sample.effective(cases), self.level, chance)),
            Law::Share { .. } => {
                let n = self.counted(cases).floor().max(1.0) as u64;
                let k = ((value * n as f64).round() as u64).min(n);
                clopper_pearson(k, n, self.level)
            }
        }
    }

    fn shown_from(&self, cases: f64, power: f64) -> Option<f64> {
        match self.law {
            Law::Auc => auc_shown_from(VARIANCE, self.goal, self.sample.effective(cases), self.level, power),
            Law::Rates { measure, known, .. } => {
                let reached = |value: f64| self.power(value, cases) >= power;
                // Above the most that an F1 can be with this specificity there is no power to speak of.
                let beyond =
                    |value: f64| measure == Measure::F1 && self.rates(measure, value, known).is_none();
                let (mut low, mut high) = (self.goal, 1.0 - 1e-9);
                for _ in 0..60 {
                    let middle = f64::midpoint(low, high);
                    if reached(middle) || beyond(middle) { high = middle } else { low = middle }
                }
                reached(high).then_some(high)
            }
            Law::Share { .. } => {
                let n = self.counted(cases).floor().max(0.0) as u64;
                let found = binomial_shown_from(n, self.turned(self.goal), self.one_sided(), power)?;
                Some(self.turned(found))
            }
        }
    }

    fn satisfies(&self, value: f64) -> bool {
        self.turned(value) > self.turned(self.goal)
    }

    fn values(&self) -> Vec<f64> {
        let goal = self.turned(self.goal);
        let values = STEPS.into_iter().map(|step| self.turned(goal + step * (1.0 - goal)));
        let possible = |value: &f64| match self.law {
            Law::Rates { measure, known, .. } => self.rates(measure, *value, known).is_some(),
            Law::Auc | Law::Share { .. } => true,
        };
        values.filter(possible).collect()
    }
}

/// Of the way from what is just not claimed to perfection.
const STEPS: [f64; 7] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8];
