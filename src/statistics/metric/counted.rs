//! What a number of a 2×2 table counts, by patient, and the exact limits that follow.

use crate::clustered::Shares;
use crate::estimate::IntervalMethod as By;
use crate::metric::kind::Metric;
use crate::metric::plan::Sample;
use crate::proportion::{Limits, clopper_pearson};
use crate::ranks;

/// The shares of cases that a number is made from: one of a proportion and of F1, else sensitivity and
/// specificity.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// Each with its name.
    pub shares: Vec<(&'static str, Shares)>,
    /// Whether no patient has cases of both classes, so that two shares are independent.
    apart: bool,
    /// Share of positives, which Matthews correlation holds fixed.
    prevalence: f64,
}

/// What `metric` counts of a sample with these calls, one a case. Without patients each case is its own.
pub(super) fn counted(metric: Metric, sample: &Sample<'_>, calls: &[bool]) -> Counted {
    let (patients, count) = match sample.patients {
        Some(patients) => ranks::dense_ids(patients),
        None => ((0..sample.labels.len() as u32).collect(), sample.labels.len()),
    };
    let rows = || patients.iter().zip(sample.labels).zip(calls).map(|((&p, &label), &call)| (p, label, call));
    let shares = |counts: &dyn Fn(bool, bool) -> Option<bool>| {
        Shares::of(count, rows().filter_map(|(p, label, call)| Some((p, counts(label, call)?))))
    };
    let sensitivity = |label: bool, call: bool| label.then_some(call);
    let specificity = |label: bool, call: bool| (!label).then_some(!call);
    let one = match metric {
        Metric::Sensitivity => Some(("the sensitivity", shares(&sensitivity))),
        Metric::Specificity => Some(("the specificity", shares(&specificity))),
        Metric::Ppv => Some(("the PPV", shares(&|label, call| call.then_some(label)))),
        Metric::Npv => Some(("the NPV", shares(&|label, call| (!call).then_some(!label)))),
        Metric::Accuracy => Some(("the accuracy", shares(&|label, call| Some(label == call)))),
        Metric::Prevalence => Some(("the prevalence", shares(&|label, _| Some(label)))),
        Metric::F1 => Some((
            "the share of true positives among those positive or called positive",
            shares(&|label, call| (label || call).then_some(label && call)),
        )),
        _ => None,
    };
    let mut seen = vec![[false; 2]; count];
    for (patient, label, _) in rows() {
        seen[patient as usize][usize::from(label)] = true;
    }
    Counted {
        shares: one.map_or_else(
            || vec![("the sensitivity", shares(&sensitivity)), ("the specificity", shares(&specificity))],
            |one| vec![one],
        ),
        apart: seen.iter().all(|s| !(s[0] && s[1])),
        prevalence: sample.labels.iter().filter(|&&l| l).count() as f64 / sample.labels.len().max(1) as f64,
    }
}

impl Counted {
    /// Whether a patient has several cases among those that count.
    pub fn is_clustered(&self) -> bool {
        self.shares.iter().any(|(_, s)| s.is_clustered()) || self.shares.len() > 1 && !self.apart
    }

    /// The same cases, all of them right or all of them wrong.
    pub fn all(&self, right: bool) -> Self {
        let shares = self.shares.iter().map(|(name, s)| (*name, s.all(right))).collect();
        Self { shares, ..*self }
    }

    /// The level of each share's interval, so that all hold together at `level`: independent shares multiply,
    /// those of the same patients share the error.
    fn level_of_each(&self, level: f64) -> f64 {
        match self.shares.len() {
            1 => level,
            _ if self.apart => level.sqrt(),
            n => 1.0 - (1.0 - level) / n as f64,
        }
    }

    /// The limits of each share by an exact method, at the level that holds for all together. Of the
    /// effective number: a share whose design effect cannot be estimated has its limits on patients, but not
    /// all of them.
    pub fn limits_of_each(&self, method: By, level: f64) -> Option<Vec<Limits>> {
        let level = self.level_of_each(level);
        let all = self.shares.iter().map(|(_, s)| s);
        match method {
            By::ClopperPearson => {
                all.map(|s| (s.cases() > 0).then(|| clopper_pearson(s.right(), s.cases(), level))).collect()
            }
            By::ClopperPearsonPatients => all.map(|s| s.on_patients(level)).collect(),
            By::KornGraubard => {
                let estimable = all.clone().any(|s| s.is_clustered() && s.design_effect().is_some());
                if self.is_clustered() && !estimable && self.shares.iter().any(|(_, s)| s.is_clustered()) {
                    return None;
                }
                all.map(|s| s.korn_graubard(level).or_else(|| s.on_patients(level))).collect()
            }
            _ => None,
        }
    }

    /// The limits of `metric` from those of its shares: all rise with each of them, but LR−, which falls.
    pub fn limits(&self, metric: Metric, method: By, level: f64) -> Option<Limits> {
        let each = self.limits_of_each(method, level)?;
        match each[..] {
            [(lower, upper)] if metric == Metric::F1 => {
                // Given TP+FP+FN, TP is binomial; F1 = 2J/(1+J) rises with J.
                Some((2.0 * lower / (1.0 + lower), 2.0 * upper / (1.0 + upper)))
            }
            [one] => Some(one),
            [se, sp] => {
                let of = |se: f64, sp: f64| projected(metric, self.prevalence, se, sp);
                let (low, high) = (of(se.0, sp.0)?, of(se.1, sp.1)?);
                Some(if metric == Metric::LrNegative { (high, low) } else { (low, high) })
            }
            _ => None,
        }
    }
}

/// A number of sensitivity, specificity and, of Matthews correlation, prevalence.
fn projected(metric: Metric, p: f64, se: f64, sp: f64) -> Option<f64> {
    match metric {
        Metric::Youden => Some(se + sp - 1.0),
        Metric::BalancedAccuracy => Some((se + sp) / 2.0),
        Metric::Mcc => {
            let called = p * se + (1.0 - p) * (1.0 - sp);
            let room = (called * (1.0 - called)).sqrt();
            Some(if room > 0.0 { (se + sp - 1.0) * (p * (1.0 - p)).sqrt() / room } else { 0.0 })
        }
        Metric::LrPositive => Some(se / (1.0 - sp)),
        Metric::LrNegative => Some((1.0 - se) / sp),
        Metric::DiagnosticOddsRatio => Some(se * sp / ((1.0 - se) * (1.0 - sp))),
        _ => None,
    }
}
