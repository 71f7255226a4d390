//! Better model or easier data? Two versions of a device on old and on new data, and what of the change of a
//! measure is the version's and what the data's.
//!
//! The four values and their differences are those that assessments of adaptive devices tell apart (Burgon,
//! Petrick, Sahiner, Pennello and Samala 2023, *Performance evaluation approach for AI/ML devices with
//! sequential modifications*: learning, potential, retention).

use serde::Serialize;

use super::quoted::{how, quoted};
use crate::statistics::comparative::deciding::{
    Units, decide_auc, decide_contrast, decide_paired, independent_units,
};
use crate::statistics::comparative::{Contrast, Linearised};
use crate::statistics::estimate::{Interval, IntervalMethod};
use crate::statistics::metric::{Decision, Fallback, Metric, Sample};
use crate::statistics::paired_shares::PairedShares;
use crate::statistics::square_and_add::{self, Limited};

/// One set of cases with the scores of both versions.
#[derive(Clone, Debug, Default)]
pub struct BothVersions {
    /// Reference standard.
    pub labels: Vec<bool>,
    /// Scores of the old version.
    pub old: Vec<f64>,
    /// Scores of the new version.
    pub new: Vec<f64>,
    /// Patient of each case.
    pub patients: Option<Vec<u32>>,
}

/// What is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// A value of a version on a set of cases.
    OldVersionOldData,
    /// The same.
    NewVersionOldData,
    /// The same.
    OldVersionNewData,
    /// The same.
    NewVersionNewData,
    /// New less old version on the new data: what the version gained.
    Gain,
    /// New less old version on the old data: below 0 where the new version lost.
    OnOldData,
    /// New less old data, of the old version: above 0 where the new data are easier for it.
    DataForOld,
    /// New less old data, of the new version.
    DataForNew,
    /// The new version on the new data less the old version on the old data: what is seen from outside, gain
    /// and data together.
    Whole,
}

impl Component {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::OldVersionOldData => "old version, old data",
            Self::NewVersionOldData => "new version, old data",
            Self::OldVersionNewData => "old version, new data",
            Self::NewVersionNewData => "new version, new data",
            Self::Gain => "gain: new less old version, new data",
            Self::OnOldData => "on old data: new less old version",
            Self::DataForOld => "change of the data: new less old data, old version",
            Self::DataForNew => "change of the data: new less old data, new version",
            Self::Whole => "whole change: gain and change of the data, old version",
        }
    }
}

/// A number with its interval.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// `auc`, `sensitivity`, `specificity`.
    pub measure: &'static str,
    /// What it is.
    pub component: Component,
    /// Its value; `None` where a class has no case.
    pub value: Option<f64>,
    /// `None` where there is none; `note` then says why.
    pub interval: Option<Interval>,
    /// Whether it is of the same cases.
    pub paired: bool,
    /// Why the interval is not the usual one, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Every component of the AUC and, with the thresholds of old and new version, of sensitivity and
/// specificity.
pub fn told_apart(
    old_data: &BothVersions,
    new_data: &BothVersions,
    thresholds: Option<[f64; 2]>,
    level: f64,
) -> Vec<Compared> {
    let mut metrics = vec![Metric::Auc];
    if thresholds.is_some() {
        metrics.extend([Metric::Sensitivity, Metric::Specificity]);
    }
    let at = thresholds.unwrap_or([0.5, 0.5]);
    metrics.into_iter().flat_map(|metric| of_metric(metric, [old_data, new_data], at, level)).collect()
}

fn of_metric(metric: Metric, data: [&BothVersions; 2], at: [f64; 2], level: f64) -> Vec<Compared> {
    use Component as C;
    let single = |data: &BothVersions, new: bool, component: C| {
        let sample = data.sample(new);
        let found = quoted(metric, &sample, at[usize::from(new)], level);
        let (value, note) = (found.value, found.not_evaluable);
        let interval = found.intervals.into_iter().next();
        Compared { measure: metric.id(), component, value, interval, paired: false, note }
    };
    let [old_data, new_data] = data;
    let four = [
        single(old_data, false, C::OldVersionOldData),
        single(old_data, true, C::NewVersionOldData),
        single(new_data, false, C::OldVersionNewData),
        single(new_data, true, C::NewVersionNewData),
    ];
    let unpaired = |of: &Compared, less: &Compared, component: C| {
        let limited = |one: &Compared| {
            let interval = one.interval.as_ref()?;
            Some(Limited { value: one.value?, lower: interval.lower, upper: interval.upper })
        };
        let both = limited(of).zip(limited(less));
        let interval = both.map(|(of, less)| {
            let found = square_and_add::difference(of, less);
            let limits = (found.lower.max(-1.0), found.upper.min(1.0));
            Interval::closed(IntervalMethod::Newcombe, level, limits)
        });
        let note = interval.is_none().then(|| "one of the two values has no interval".to_owned());
        let value = of.value.zip(less.value).map(|(of, less)| of - less);
        Compared { measure: metric.id(), component, value, interval, paired: false, note }
    };
    let more = [
        paired(metric, new_data, at, level, C::Gain),
        paired(metric, old_data, at, level, C::OnOldData),
        unpaired(&four[2], &four[0], C::DataForOld),
        unpaired(&four[3], &four[1], C::DataForNew),
        unpaired(&four[3], &four[0], C::Whole),
    ];
    four.into_iter().chain(more).collect()
}

/// New less old version on the same cases: DeLong's difference of areas (Obuchowski's where patients have
/// several cases), Tango's of shares (that of the linearised contrast where patients have several).
fn paired(metric: Metric, data: &BothVersions, at: [f64; 2], level: f64, component: Component) -> Compared {
    let patients = data.patients.as_deref().filter(|patients| {
        let distinct: std::collections::BTreeSet<&u32> = patients.iter().collect();
        distinct.len() < patients.len()
    });
    let (value, decision) = if metric == Metric::Auc {
        let sample = Sample { patients, ..data.sample(true) };
        let method = if patients.is_some() { IntervalMethod::Obuchowski } else { IntervalMethod::Delong };
        let plan = how(&sample, level);
        let values = [true, false].map(|new| crate::statistics::auc::auc(&data.labels, data.scores(new)));
        let difference = values[0].zip(values[1]).map(|(new, old)| new - old);
        (difference, decide_auc(&sample, &data.old, method, &plan, Fallback::default(), Units::Patients))
    } else {
        let wanted = metric == Metric::Sensitivity;
        let of_class =
            || data.labels.iter().enumerate().filter(|(_, label)| **label == wanted).map(|(i, _)| i);
        let called = |i: usize, new: bool| (data.scores(new)[i] >= at[usize::from(new)]) == wanted;
        if let Some(patients) = patients {
            let linear = |new: bool| {
                let calls = Linearised::calls(data.scores(new), at[usize::from(new)]);
                Linearised::of(metric, &data.labels, &calls, None).ok()
            };
            let contrast = linear(true).zip(linear(false)).and_then(|(new, old)| {
                Contrast::of(&new, &[old], Some(patients), |i| data.labels[i] == wanted)
            });
            let units = independent_units(of_class().map(|i| patients[i]));
            match contrast {
                Some(contrast) => {
                    let rule = Fallback::default();
                    let method = IntervalMethod::Delta;
                    let decision = decide_contrast(&contrast, method, level, rule, Some(units));
                    (Some(contrast.difference), decision)
                }
                None => (None, Decision { interval: None, fault: None }),
            }
        } else {
            let mut shares = PairedShares::default();
            of_class().for_each(|i| shares.count(called(i, true), called(i, false)));
            (shares.difference(), decide_paired(&shares, IntervalMethod::Tango, level, Fallback::default()))
        }
    };
    let missing = || value.is_none().then(|| "a class has no case".to_owned());
    let note = decision.fault.map(|fault| fault.message).or_else(missing);
    Compared { measure: metric.id(), component, value, interval: decision.interval, paired: true, note }
}

impl BothVersions {
    fn scores(&self, new: bool) -> &[f64] {
        if new { &self.new } else { &self.old }
    }

    fn sample(&self, new: bool) -> Sample<'_> {
        let patients = self.patients.as_deref();
        Sample { labels: &self.labels, scores: self.scores(new), patients, sites: None }
    }
}
