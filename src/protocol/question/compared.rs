//! The same question of an endpoint that is compared with the predicate on the same cases.

use super::{Asked, Composition, Counted, Question, STEPS};
use crate::protocol::{Against, ComparativeEndpoint, Expected, Protocol};
use crate::statistics::comparative::Aim;
use crate::statistics::comparative::power::{Claim, ExpectedAreas};
use crate::statistics::metric::Metric;
use crate::statistics::sizing::PairedShares;
use crate::statistics::special::normal_quantile;

/// What is compared, and how far both are expected to go together.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    /// AUCs, with the correlation of both estimates.
    Auc { correlation: f64 },
    /// Shares, with the share of cases in which exactly one is right; `None`: as if they erred independently.
    Share { counted: Counted, discordant: Option<f64> },
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

    /// The device's value at which the claim just begins not to be true.
    fn least(&self) -> f64 {
        self.other + self.claim.above()
    }
}

impl Question for ComparedQuestion {
    fn counted(&self, cases: f64) -> f64 {
        match self.law {
            Law::Auc { .. } => self.sample.counted(Counted::All, cases),
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
