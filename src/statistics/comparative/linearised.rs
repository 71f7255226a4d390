//! Metrics of a 2×2 table of one device less the mean of others' on the same cases, with the variance of the
//! linearised statistic (delta method, infinitesimal jackknife), patients kept together.
//!
//! Each metric is a function of means over cases, so that its estimate is a sum of contributions of cases up
//! to terms of higher order; the contributions of a patient's cases are added up, and K/(K − 1)·Σ(sums)² over
//! the K patients is the variance. For a sensitivity or specificity it is Obuchowski's (1998); with one case
//! a patient it is Wald's times n/(n − 1). Devices and readers are fixed: it speaks of cases, not of other
//! readers.

use crate::at_prevalence;
use crate::metric::Metric;
use crate::proportion::Limits;
use crate::ranks::dense_ids;
use crate::special::{normal_equivalent_of_t, t_two_sided};

/// The calls of one device or reader: one entry a case, none where it made no call.
pub type Calls = [Option<bool>];

/// A metric's value and what each case contributes to its deviation.
#[derive(Clone, Debug, PartialEq)]
pub struct Linearised {
    /// The value.
    pub value: f64,
    /// One entry a case; they sum to 0.
    pub contributions: Vec<f64>,
    /// The calls that it is of, one entry a case.
    pub calls: Vec<Option<bool>>,
}

/// A value, and what each case contributes to its deviation.
type Deviations = (f64, Vec<f64>);

/// Shares that a metric is made from.
struct Rates {
    positives: f64,
    negatives: f64,
    true_positives: f64,
    true_negatives: f64,
}

impl Linearised {
    /// A metric of one device's calls; `prevalence` carries PPV, NPV and F1 to another one than the sample's.
    ///
    /// # Errors
    /// In words, where the metric has no value or is no metric of this kind.
    pub fn of(
        metric: Metric,
        labels: &[bool],
        calls: &Calls,
        prevalence: Option<f64>,
    ) -> Result<Self, String> {
        let (value, contributions) = deviations(metric, labels, calls, prevalence)?;
        Ok(Self { value, contributions, calls: calls.to_vec() })
    }

    /// Of scores at a threshold.
    pub fn calls(scores: &[f64], threshold: f64) -> Vec<Option<bool>> {
        scores.iter().map(|score| Some(*score >= threshold)).collect()
    }
}

fn deviations(
    metric: Metric,
    labels: &[bool],
    calls: &Calls,
    prevalence: Option<f64>,
) -> Result<Deviations, String> {
    let called = || labels.iter().zip(calls).filter_map(|(l, c)| c.map(|c| (*l, c)));
    let count = |label: bool, call: bool| called().filter(|pair| *pair == (label, call)).count() as f64;
    let (tp, fn_, fp, tn) = (count(true, true), count(true, false), count(false, true), count(false, false));
    let rates = Rates { positives: tp + fn_, negatives: fp + tn, true_positives: tp, true_negatives: tn };
    let per_case = |of: &dyn Fn(bool, bool) -> f64| -> Vec<f64> {
        labels.iter().zip(calls).map(|(l, c)| c.map_or(0.0, |c| of(*l, c))).collect()
    };
    let share = |k: f64, n: f64, counts: &dyn Fn(bool, bool) -> bool, right: &dyn Fn(bool, bool) -> bool| {
        if n == 0.0 {
            return Err(format!("{}: {}", metric.id(), why_none(metric)));
        }
        let value = k / n;
        let one = |l: bool, c: bool| match counts(l, c) {
            true => (f64::from(u8::from(right(l, c))) - value) / n,
            false => 0.0,
        };
        Ok((value, per_case(&one)))
    };
    match (metric, prevalence) {
        (Metric::Ppv | Metric::Npv | Metric::F1, Some(prevalence)) => {
            rates.carried(metric, prevalence, &per_case)
        }
        (Metric::Sensitivity, _) => share(tp, tp + fn_, &|l, _| l, &|_, c| c),
        (Metric::Specificity, _) => share(tn, tn + fp, &|l, _| !l, &|_, c| !c),
        (Metric::Ppv, None) => share(tp, tp + fp, &|_, c| c, &|l, _| l),
        (Metric::Npv, None) => share(tn, tn + fn_, &|_, c| !c, &|l, _| !l),
        (Metric::Accuracy, _) => share(tp + tn, tp + tn + fp + fn_, &|_, _| true, &|l, c| l == c),
        (Metric::F1, None) => {
            let all = 2.0 * tp + fp + fn_;
            if all == 0.0 {
                return Err(format!("{}: {}", metric.id(), why_none(metric)));
            }
            let value = 2.0 * tp / all;
            let one = |l: bool, c: bool| match (l, c) {
                (true, true) => (2.0 - 2.0 * value) / all,
                (false, false) => 0.0,
                _ => -value / all,
            };
            Ok((value, per_case(&one)))
        }
        _ => Err(format!("{} is not compared by calls", metric.id())),
    }
}

/// From a value of label and call to that value of each case.
type PerCase<'a> = &'a dyn Fn(&dyn Fn(bool, bool) -> f64) -> Vec<f64>;

impl Rates {
    /// A metric at another prevalence: a function of sensitivity and specificity.
    fn carried(&self, metric: Metric, prevalence: f64, per_case: PerCase<'_>) -> Result<Deviations, String> {
        if self.positives == 0.0 || self.negatives == 0.0 {
            let class = if self.positives == 0.0 { "positive" } else { "negative" };
            return Err(format!("{}: there is no {class} case", metric.id()));
        }
        let (se, sp) = (self.true_positives / self.positives, self.true_negatives / self.negatives);
        let (here, there) = (prevalence, 1.0 - prevalence);
        let (value, below) = match metric {
            Metric::Ppv => (at_prevalence::ppv(se, sp, prevalence), here * se + there * (1.0 - sp)),
            Metric::Npv => (at_prevalence::npv(se, sp, prevalence), there * sp + here * (1.0 - se)),
            _ => (at_prevalence::f1(se, sp, prevalence), here * se + there * (1.0 - sp) + here),
        };
        let Some(value) = value.filter(|_| below > 0.0) else {
            return Err(format!("{}: {}", metric.id(), why_none(metric)));
        };
        let square = below * below;
        let (by_se, by_sp) = match metric {
            Metric::Ppv => (here * there * (1.0 - sp) / square, here * there * se / square),
            Metric::Npv => (here * there * sp / square, here * there * (1.0 - se) / square),
            _ => {
                let rest = there * (1.0 - sp) + here;
                (2.0 * here * rest / square, 2.0 * here * se * there / square)
            }
        };
        let one = |label: bool, call: bool| match label {
            true => by_se * (f64::from(u8::from(call)) - se) / self.positives,
            false => by_sp * (f64::from(u8::from(!call)) - sp) / self.negatives,
        };
        Ok((value, per_case(&one)))
    }
}

fn why_none(metric: Metric) -> &'static str {
    match metric {
        Metric::Sensitivity => "there is no positive case",
        Metric::Specificity => "there is no negative case",
        Metric::Ppv => "no case is called positive",
        Metric::Npv => "no case is called negative",
        Metric::F1 => "no case is positive or called positive",
        _ => "there are no cases",
    }
}

/// A metric of one device less the mean of others'.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// Of the device, and the mean of the comparators.
    pub values: [f64; 2],
    /// The first less the second.
    pub difference: f64,
    /// Standard error with patients kept together; none with fewer than two patients.
    pub se: Option<f64>,
    /// Patients with a counted case that the device calls otherwise than a comparator who calls it, too: what
    /// the difference and its spread rest on.
    pub moving: u64,
    /// Patients whose contributions do not cancel. Where one case is called differently, both values differ,
    /// and by that every case of the class contributes.
    pub contributing: u64,
    /// Degrees of freedom of the standard error: patients that the metric counts, less one; at least 1.
    pub freedom: f64,
}

impl Contrast {
    /// Of a device and at least one comparator; `patients` has one id a case, without it each case is one.
    /// `counts` says which cases are of the metric's class, for the number of patients.
    pub fn of(
        device: &Linearised,
        comparators: &[Linearised],
        patients: Option<&[u32]>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        Self::beside(std::slice::from_ref(device), comparators, patients, counts)
    }

    /// The same where the device has a value beside each comparator, of the cases that both called: one entry
    /// a comparator, or one for all.
    pub fn beside(
        devices: &[Linearised],
        comparators: &[Linearised],
        patients: Option<&[u32]>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        if devices.len() != 1 && devices.len() != comparators.len() {
            return None;
        }
        let (one, share) = (devices.first()?, 1.0 / comparators.len() as f64);
        if comparators.is_empty() {
            return None;
        }
        // A device that is the same beside all is not averaged: its value stays what it is to the last bit.
        let mean = |all: &[Linearised], of: &dyn Fn(&Linearised) -> f64| match all {
            [one] => of(one),
            all => all.iter().map(of).sum::<f64>() / all.len() as f64,
        };
        let value = mean(devices, &|d| d.value);
        let other = comparators.iter().map(|c| c.value).sum::<f64>() * share;
        let n = one.contributions.len();
        let (dense, count) = match patients {
            Some(patients) => dense_ids(patients),
            None => ((0..n as u32).collect(), n),
        };
        let (mut sums, mut sizes) = (vec![0.0; count], vec![0.0_f64; count]);
        let (mut there, mut unlike) = (vec![false; count], vec![false; count]);
        for (i, &patient) in dense.iter().enumerate() {
            let of_others = comparators.iter().map(|c| c.contributions[i]).sum::<f64>() * share;
            let patient = patient as usize;
            let own = mean(devices, &|d| d.contributions[i]);
            sums[patient] += own - of_others;
            sizes[patient] += own.abs() + of_others.abs();
            there[patient] |= counts(i);
            let differs = |(device, other): (&Linearised, &Linearised)| {
                device.calls[i].zip(other.calls[i]).is_some_and(|(own, theirs)| own != theirs)
            };
            unlike[patient] |= counts(i) && devices.iter().cycle().zip(comparators).any(differs);
        }
        let number = |of: &[bool]| of.iter().filter(|t| **t).count();
        let known = number(&there) as f64;
        // What is left of equal contributions is rounding.
        let moves = |(sum, size): (&f64, &f64)| sum.abs() > 1e-12 * size;
        let contributing = sums.iter().zip(&sizes).filter(|pair| moves((pair.0, pair.1))).count() as u64;
        let moving = number(&unlike) as u64;
        let squares = sums.iter().zip(&sizes).filter(|pair| moves((pair.0, pair.1)));
        let squares = squares.map(|(sum, _)| sum * sum).sum::<f64>();
        let se = (known >= 2.0).then(|| (known / (known - 1.0) * squares).sqrt());
        let freedom = (known - 1.0).max(1.0);
        let (values, difference) = ([value, other], value - other);
        Some(Self { values, difference, se, moving, contributing, freedom })
    }

    /// Of a metric that is a function of a share of each class: its error rests on the class with the fewer
    /// patients, and its degrees of freedom are theirs less one.
    #[must_use]
    pub fn of_both_classes(self, labels: &[bool], patients: Option<&[u32]>) -> Self {
        let patient = |i: usize| patients.map_or(i as u32, |p| p[i]);
        let of = |class: bool| {
            let own = (0..labels.len()).filter(|i| labels[*i] == class).map(patient);
            own.collect::<std::collections::BTreeSet<u32>>().len() as f64
        };
        Self { freedom: (of(true).min(of(false)) - 1.0).max(1.0), ..self }
    }

    /// The statistic of the hypothesis that the difference is Δ, on the normal scale: the normal deviate
    /// with the tail that (difference − Δ)/se has under Student's t, so that tests and limits decide alike.
    /// None without spread.
    pub fn z(&self, delta: f64) -> Option<f64> {
        let se = self.se.filter(|se| *se > 0.0)?;
        Some(normal_equivalent_of_t((self.difference - delta) / se, self.freedom))
    }

    /// Symmetric limits with Student's t of [`Self::freedom`], which few patients need (`docs/coverage.md`);
    /// none with fewer than two patients.
    pub fn limits(&self, level: f64) -> Option<Limits> {
        let half = t_two_sided(level, self.freedom) * self.se?;
        Some((self.difference - half, self.difference + half))
    }
}
