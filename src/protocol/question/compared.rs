//! The same question of an endpoint that is compared with the predicate on the same cases, or of readers with
//! the device beside readers without it.

use super::{Asked, Composition, Counted, Question, STEPS};
use crate::protocol::{
    Against, ComparativeEndpoint, Expected, PlannedReading, Protocol, ReaderStudySource, ReadingDesign,
};
use crate::statistics::comparative::Aim;
use crate::statistics::comparative::power::{Claim, ExpectedAreas};
use crate::statistics::metric::Metric;
use crate::statistics::mrmc::Population;
use crate::statistics::mrmc::design::{self, Assumed, Layout};
use crate::statistics::sizing::PairedShares;
use crate::statistics::special::normal_quantile;

/// More cases than this are not looked for.
const MOST_CASES: u32 = 1_000_000;

/// What is compared, and how far both are expected to go together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    /// AUCs, with the correlation of both estimates.
    Auc { correlation: f64 },
    /// Shares, with the share of cases in which exactly one is right; `None`: as if they erred independently.
    Share { counted: Counted, discordant: Option<f64> },
    /// Readers and cases as populations, from declared components of variance.
    Readers { readers: u32, components: Assumed, population: Population },
}

/// A comparison with all that its power depends on but the device's value and the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComparedQuestion {
    law: Law,
    /// What the predicate is expected to have.
    other: f64,
    claim: Claim,
    sample: Composition,
}

impl Protocol {
    /// What can be asked of an endpoint that is compared. Without `expected` nothing is known of the
    /// predicate.
    pub fn compared_question(
        &self,
        endpoint: &ComparativeEndpoint,
        expected: Option<&Expected>,
    ) -> Asked<ComparedQuestion> {
        if matches!(endpoint.against, Against::UnaidedReaders | Against::ReaderPopulation) {
            return self.reading_question(endpoint, expected);
        }
        let discordant = expected.and_then(|e| e.discordant);
        let law = match endpoint.metric {
            _ if endpoint.against != Against::Predicate => return Asked::NotComputed,
            Metric::Auc => Law::Auc { correlation: expected.and_then(|e| e.correlation).unwrap_or(0.0) },
            Metric::Sensitivity => Law::Share { counted: Counted::Positives, discordant },
            Metric::Specificity => Law::Share { counted: Counted::Negatives, discordant },
            _ => return Asked::NotComputed,
        };
        let (Some(share), Some(other)) = (self.planned_positive_share(), expected.and_then(|e| e.comparator))
        else {
            return Asked::NotDeclared;
        };
        let alpha = (1.0 - self.planned_level(endpoint.role)) / 2.0;
        let claim = Claim { aim: endpoint.aim, margin: endpoint.margin, alpha };
        Asked::Question(ComparedQuestion { law, other, claim, sample: Composition::of(self, share) })
    }

    /// Of readers with and without the device, or of the device alone and readers without it, as
    /// `[reader_study.planned]` assumes them. The components belong to one metric of a pilot: endpoints of
    /// other metrics are not asked by them.
    fn reading_question(
        &self,
        endpoint: &ComparativeEndpoint,
        expected: Option<&Expected>,
    ) -> Asked<ComparedQuestion> {
        let Some(source) = &self.reader_study else { return Asked::NotComputed };
        let (Some(planned), Some(other)) = (&source.planned, expected.and_then(|e| e.comparator)) else {
            return Asked::NotDeclared;
        };
        if planned.metric != endpoint.metric {
            return Asked::NotDeclared;
        }
        let Some(layout) = planned_layout(source, planned, endpoint.against) else {
            return Asked::NotDeclared;
        };
        let components = Assumed {
            layout,
            difference: 1.0,
            within: (endpoint.aim == Aim::Equivalence).then_some(endpoint.margin),
            interaction: planned.interaction,
            variance: planned.variance,
            cov1: planned.cov1,
            cov2: planned.cov2,
            cov3: planned.cov3,
            pilot_cases: f64::from(planned.pilot_cases),
        };
        let law = Law::Readers { readers: planned.readers, components, population: source.holds_for };
        let alpha = (1.0 - self.planned_level(endpoint.role)) / 2.0;
        let claim = Claim { aim: endpoint.aim, margin: endpoint.margin, alpha };
        let share = self.planned_positive_share().unwrap_or(0.5);
        Asked::Question(ComparedQuestion { law, other, claim, sample: Composition::of(self, share) })
    }
}

/// How readers and cases are to meet, with the components that this layout needs; `None` where they are not
/// declared, and for the device alone beside groups of readers with cases of their own, whose device's figure
/// is not one on all cases.
fn planned_layout(source: &ReaderStudySource, planned: &PlannedReading, against: Against) -> Option<Layout> {
    match (against, source.design) {
        (Against::ReaderPopulation, ReadingDesign::SplitPlot) => None,
        (Against::ReaderPopulation, _) => Some(Layout::DeviceAlone {
            reader: planned.reader_variance?,
            device: planned.device_variance?,
            with_reader: planned.device_cov?,
        }),
        (_, ReadingDesign::Crossed) => Some(Layout::Crossed),
        (_, ReadingDesign::Nested) => Some(Layout::Nested { reader: planned.reader_variance? }),
        (_, ReadingDesign::SplitPlot) => Some(Layout::SplitPlot { groups: planned.groups? }),
    }
}

/// The power of a difference; of other aims than equivalence `shift` is how far it lies from the nearest one
/// that is not claimed.
fn power_of_readers(
    (readers, components, population): (u32, Assumed, Population),
    shift: f64,
    cases: f64,
    alpha: f64,
) -> Option<f64> {
    if shift <= 0.0 && components.within.is_none() {
        // The test rejects in the other direction then, which shows nothing.
        return Some(if shift < 0.0 { 0.0 } else { alpha });
    }
    let assumed = Assumed { difference: shift, ..components };
    design::power(&assumed, readers, cases.max(1.0) as u32, population, 2.0 * alpha).map(|found| found.power)
}

impl ComparedQuestion {
    /// The pairs where the device has this share: as discordant as declared, as far as two such shares can
    /// be.
    fn pairs(&self, value: f64, discordant: Option<f64>) -> Option<PairedShares> {
        let least = (value - self.other).abs();
        let most = (value + self.other).min(2.0 - value - self.other);
        let typed = discordant.unwrap_or_else(|| PairedShares::independent(value, self.other));
        PairedShares::new(value, self.other, typed.clamp(least, most.max(least)))
    }

    fn areas(&self, value: f64, correlation: f64) -> ExpectedAreas {
        ExpectedAreas { device: value, other: self.other, correlation }
    }

    /// What readers' components are asked of: the difference itself where it is to lie within a margin, else
    /// what it lies above the least one that is claimed.
    fn compared_by(&self, components: &Assumed, value: f64) -> f64 {
        if components.within.is_some() { value - self.other } else { value - self.least() }
    }

    /// The device's value at which the claim just begins not to be true.
    fn least(&self) -> f64 {
        self.other + self.claim.above()
    }
}

impl Question for ComparedQuestion {
    fn counted(&self, cases: f64) -> f64 {
        match self.law {
            Law::Auc { .. } | Law::Readers { .. } => self.sample.counted(Counted::All, cases),
            Law::Share { counted, .. } => self.sample.counted(counted, cases),
        }
    }

    fn power(&self, value: f64, cases: f64) -> f64 {
        let power = match self.law {
            Law::Auc { correlation } => {
                self.areas(value, correlation).power_of(self.claim, [self.sample.effective(cases); 2])
            }
            Law::Share { discordant, .. } => self
                .pairs(value, discordant)
                .and_then(|pairs| pairs.power_of(self.claim, self.counted(cases))),
            Law::Readers { readers, components, population } => power_of_readers(
                (readers, components, population),
                self.compared_by(&components, value),
                self.counted(cases),
                self.claim.alpha,
            ),
        };
        power.unwrap_or(0.0)
    }

    fn exact_power(&self, value: f64, cases: f64) -> Option<f64> {
        let Law::Share { discordant, .. } = self.law else { return None };
        let n = self.counted(cases).floor().max(0.0) as u64;
        self.pairs(value, discordant)?.exact_power_of(self.claim, n)
    }

    fn needed(&self, value: f64, power: f64) -> Option<u64> {
        let effective = match self.law {
            Law::Auc { correlation } => {
                let size = self.areas(value, correlation).size_of(self.claim, self.sample.ratio(), power)?;
                size.positives + size.negatives
            }
            Law::Share { counted, discordant } => {
                self.pairs(value, discordant)?.size_of(self.claim, power)? / self.sample.share(counted)
            }
            Law::Readers { readers, components, population } => {
                let difference = self.compared_by(&components, value);
                let assumed = Assumed { difference, ..components };
                let alpha = 2.0 * self.claim.alpha;
                let found = design::fewest_cases(&assumed, readers, population, alpha, power, MOST_CASES)?;
                f64::from(found.0)
            }
        };
        Some(self.sample.sampled(effective))
    }

    /// Of the difference.
    fn interval(&self, value: f64, cases: f64) -> (f64, f64) {
        let se = match self.law {
            Law::Auc { correlation } => {
                self.areas(value, correlation).standard_error([self.sample.effective(cases); 2])
            }
            Law::Share { discordant, .. } => {
                self.pairs(value, discordant).map(|pairs| pairs.standard_error(self.counted(cases).max(1.0)))
            }
            Law::Readers { readers, components, population } => {
                // Of a difference of 1 the non-centrality is the inverse of its variance.
                let cases = self.counted(cases).max(1.0) as u32;
                let alpha = 2.0 * self.claim.alpha;
                let found = design::power(&components, readers, cases, population, alpha);
                found.map(|found| (1.0 / found.noncentrality).sqrt())
            }
        };
        let half = normal_quantile(1.0 - self.claim.alpha) * se.unwrap_or(1.0);
        let difference = value - self.other;
        ((difference - half).max(-1.0), (difference + half).min(1.0))
    }

    fn shown_from(&self, cases: f64, power: f64) -> Option<f64> {
        if self.claim.aim == Aim::Equivalence {
            return None;
        }
        let enough = |value: f64| self.power(value, cases) >= power;
        let (mut low, mut high) = (self.least().max(0.0), 1.0 - 1e-9);
        if !enough(high) {
            return None;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if enough(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    fn satisfies(&self, value: f64) -> bool {
        self.claim.is_true_of(value - self.other)
    }

    fn values(&self) -> Vec<f64> {
        let (low, high) = match self.claim.aim {
            Aim::Equivalence => (self.least(), self.other + self.claim.margin),
            _ => (self.least(), 1.0),
        };
        let at = STEPS.into_iter().map(|step| low + step * (high - low));
        at.filter(|value| *value > 0.0 && *value < 1.0).collect()
    }
}
