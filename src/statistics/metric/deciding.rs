//! Which interval decides a criterion. The declared one does, unless it is none: it does not exist, it
//! collapsed, it rests on a share without an error or on a single one, or it takes the cases of one patient
//! as independent. Then a sound one decides by the declared rule, or nothing does (`docs/statistics.md`,
//! "Intervals that decide").

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::auc;
use crate::clustered::Shares;
use crate::estimate::{Estimate, Interval, IntervalMethod as By, ResamplingUnit};
use crate::metric::auc::{disjoint_pairs, exact_share};
use crate::metric::counted::{Counted, counted};
use crate::metric::intervals::respects_patients;
use crate::metric::kind::Metric;
use crate::metric::paired::independent_pairs;
use crate::metric::plan::{Plan, Sample};
use crate::metric::single::estimate;
use crate::metric::weighted::exact_average_precision;
use crate::proportion::{self, Limits};
use crate::ranks;
use sequester_diagnostic::Code;

/// What decides where the declared interval is none. With one case a patient both rules give the exact
/// interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// Patients with several cases: the effective number of cases where a design effect can be estimated,
    /// else patients.
    #[default]
    EffectiveNumber,
    /// Patients with several cases: each patient is one trial.
    Patients,
    /// Nothing decides: the endpoint is not evaluable.
    None,
}

impl Fallback {
    /// Every rule with its name in protocols.
    pub const NAMES: [(&'static str, Self); 3] =
        [("effective-number", Self::EffectiveNumber), ("patients", Self::Patients), ("none", Self::None)];

    /// The name in protocols.
    pub fn id(self) -> &'static str {
        Self::NAMES.iter().find(|(_, rule)| *rule == self).map_or("", |(name, _)| name)
    }
}

/// Why the declared interval does not decide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// `clustering-ignored`, `interval-not-evaluable`, `interval-collapsed`, `at-boundary`,
    /// `rests-on-one-case`.
    pub code: Code,
    /// In words.
    pub message: String,
}

/// Which interval decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The interval; none where the declared one is none and no other stands in for it.
    pub interval: Option<Interval>,
    /// Why it is not the declared one.
    pub fault: Option<Fault>,
}

/// Everything that decides about the intervals of one metric on one sample.
struct Question<'a> {
    metric: Metric,
    sample: &'a Sample<'a>,
    threshold: Option<f64>,
    counted: Option<Counted>,
    clustered: bool,
}

impl<'a> Question<'a> {
    fn new(metric: Metric, sample: &'a Sample<'a>, threshold: Option<f64>) -> Self {
        let counted = threshold.filter(|_| metric.is_of_table()).map(|threshold| {
            let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= threshold).collect();
            counted(metric, sample, &calls)
        });
        let clustered = match &counted {
            Some(counted) => counted.is_clustered(),
            None => sample.patients.is_some_and(|p| ranks::dense_ids(p).1 < p.len()),
        };
        Self { metric, sample, threshold, counted, clustered }
    }

    /// Why an interval of this method and these limits, if there is one, cannot decide.
    fn fault(&self, method: By, unit: ResamplingUnit, interval: Option<&Interval>) -> Option<Fault> {
        let fault = |code: Code, message: String| Some(Fault { code, message });
        if self.clustered && !respects_patients(self.metric, method, unit, self.sample) {
            return fault(
                Code::ClusteringIgnored,
                "the declared interval takes the cases of one patient as independent".into(),
            );
        }
        let Some(interval) = interval else {
            return fault(
                Code::IntervalNotEvaluable,
                "the declared interval does not exist on these cases".into(),
            );
        };
        if interval.is_point() {
            return fault(
                Code::IntervalCollapsed,
                format!("the declared interval is the point {}", interval.lower),
            );
        }
        match self.metric {
            _ if is_exact(method) => None,
            Metric::Auc | Metric::AveragePrecision => self.fault_of_ranks(method, interval),
            _ => self.fault_of_counts(method, interval),
        }
    }

    /// A share without an error has no spread that an asymptotic or a bootstrap interval could see; with one
    /// error, limits that go beyond those of a perfect result claim more than perfection would. Few errors
    /// say little of a design effect either, so limits on the effective number never go there.
    fn fault_of_counts(&self, method: By, interval: &Interval) -> Option<Fault> {
        let counted = self.counted.as_ref()?;
        let effective = method == By::KornGraubard;
        for (what, shares) in &counted.shares {
            let (k, n) = (shares.right(), shares.cases());
            if (k == 0 || k == n) && !effective {
                let message = format!(
                    "{what} is {k} of {n}, where the declared interval sees no spread and an exact one is \
                     needed"
                );
                return Some(Fault { code: Code::AtBoundary, message });
            }
        }
        let single = |s: &Shares| s.patients() - s.all_right() <= 1 || s.any_right() <= 1;
        let (what, shares) = counted.shares.iter().find(|(_, shares)| effective || single(shares))?;
        let extreme = |perfect: bool| {
            counted.all(perfect).limits(self.metric, By::ClopperPearsonPatients, interval.level)
        };
        let extremes = [extreme(true), extreme(false)];
        let lower = extremes.iter().flatten().map(|l| l.0).fold(f64::NEG_INFINITY, f64::max);
        let upper = extremes.iter().flatten().map(|l| l.1).fold(f64::INFINITY, f64::min);
        (interval.lower > lower || interval.upper < upper).then(|| {
            let (k, n) = (shares.right(), shares.cases());
            let message = format!(
                "{what} is {k} of {n}: the spread of the declared interval rests on hardly any case, and its \
                 limits go beyond those of a perfect result"
            );
            Fault { code: Code::RestsOnOneCase, message }
        })
    }

    /// The same for the order of scores: a class whose cases all have one placement shows no spread.
    fn fault_of_ranks(&self, method: By, interval: &Interval) -> Option<Fault> {
        let sample = self.sample;
        let placements = auc::placements(sample.labels, sample.scores);
        let sums = auc::auc_sums(sample.labels, sample.scores);
        let most = |label: bool| 2 * if label { sums.negatives } else { sums.positives };
        let of = |label: bool| {
            (0..sample.labels.len()).filter(move |&i| sample.labels[i] == label).map(|i| (i, placements[i]))
        };
        for (label, class) in [(true, "positive"), (false, "negative")] {
            let first = of(label).next().map(|(_, placement)| placement);
            if method != By::HanleyMcneil && of(label).all(|(_, placement)| Some(placement) == first) {
                let message = format!(
                    "the {class} cases do not vary in their placement, so the declared interval sees no \
                     spread there"
                );
                return Some(Fault { code: Code::AtBoundary, message });
            }
        }
        // Cases, or patients, that are not at the good end, and that are not at the bad one.
        let units = |label: bool, end: u64| {
            let off = of(label).filter(|(_, placement)| *placement != end);
            off.map(|(i, _)| sample.patients.map_or(i as u32, |p| p[i])).collect::<BTreeSet<u32>>().len()
        };
        let few =
            |good: bool| [true, false].into_iter().any(|l| units(l, if good { most(l) } else { 0 }) <= 1);
        let (lower, upper) = match self.metric {
            Metric::AveragePrecision => {
                let perfect: Vec<f64> = sample.labels.iter().map(|&l| f64::from(u8::from(l))).collect();
                let perfect = Sample { scores: &perfect, ..*sample };
                (exact_average_precision(&perfect, interval.level).map_or(1.0, |l| l.0), 0.0)
            }
            _ => {
                let pairs = disjoint_pairs(sample, &sums);
                (exact_share(pairs, pairs, interval.level).0, exact_share(0, pairs, interval.level).1)
            }
        };
        let beyond = few(true) && interval.lower > lower || few(false) && interval.upper < upper;
        beyond.then(|| Fault {
            code: Code::RestsOnOneCase,
            message:
                "the spread of the declared interval rests on one case or patient of a class, and its limits \
                      go beyond those of a perfect result"
                    .into(),
        })
    }

    /// The interval that stands in for the declared one.
    fn stand_in(&self, rule: Fallback, declared: By, plan: &Plan) -> Option<Interval> {
        if rule == Fallback::None {
            return None;
        }
        let interval = |method: By, limits: Limits| Interval::closed(method, plan.level, limits);
        let by = |methods: &[By], unit: ResamplingUnit| {
            let plan = Plan { methods: methods.to_vec(), unit, ..plan.clone() };
            let found = estimate(self.metric, self.sample, self.threshold, &plan);
            let sound =
                |i: &Interval| methods.contains(&i.method) && self.fault(i.method, unit, Some(i)).is_none();
            methods.iter().find_map(|m| found.intervals.iter().find(|i| i.method == *m && sound(i)).cloned())
        };
        let effective = self.clustered && rule == Fallback::EffectiveNumber;
        match self.metric {
            Metric::Auc => {
                if effective && let Some(found) = by(&[By::Obuchowski], plan.unit) {
                    return Some(found);
                }
                let sums = auc::auc_sums(self.sample.labels, self.sample.scores);
                let value = sums.auc()?;
                if value == 0.0 || value == 1.0 {
                    let pairs = disjoint_pairs(self.sample, &sums);
                    let won = if value == 1.0 { pairs } else { 0 };
                    return (pairs > 0)
                        .then(|| interval(By::ClopperPearson, exact_share(won, pairs, plan.level)));
                }
                let units = independent_pairs(self.sample);
                (units > 0).then(|| interval(By::Hoeffding, proportion::hoeffding(value, units, plan.level)))
            }
            Metric::AveragePrecision => {
                if effective && let Some(found) = by(&[declared], ResamplingUnit::Patient) {
                    return Some(found);
                }
                exact_average_precision(self.sample, plan.level).map(|l| interval(By::ClopperPearson, l))
            }
            _ => {
                let methods: &[By] = match (self.clustered, rule) {
                    (false, _) => &[By::ClopperPearson],
                    (true, Fallback::Patients) => &[By::ClopperPearsonPatients],
                    (true, _) => &[By::KornGraubard, By::ClopperPearsonPatients],
                };
                by(methods, plan.unit)
            }
        }
    }
}

/// Whether an interval rests on counts or orders of independent units alone, so that it holds where nothing
/// varies. An effective number rests on how patients vary.
fn is_exact(method: By) -> bool {
    matches!(method, By::ClopperPearson | By::ClopperPearsonPatients | By::Hoeffding)
}

/// Which interval decides a criterion on a metric: the one of `declared` at `plan.level` among those of
/// `found`, or the one that stands in for it. `threshold` as for [`estimate`].
pub fn decide(
    found: &Estimate,
    metric: Metric,
    sample: &Sample<'_>,
    threshold: Option<f64>,
    declared: By,
    rule: Fallback,
    plan: &Plan,
) -> Decision {
    if found.value.is_none() {
        return Decision { interval: None, fault: None };
    }
    let question = Question::new(metric, sample, threshold);
    let wanted = |i: &&Interval| i.method == declared && i.level == plan.level;
    let interval = found.intervals.iter().find(wanted);
    match question.fault(declared, plan.unit, interval) {
        None => Decision { interval: interval.cloned(), fault: None },
        fault => Decision { interval: question.stand_in(rule, declared, plan), fault },
    }
}

/// What takes the cases of one patient as independent cannot be judged by, whatever the cases are: for a
/// warning before there are scores. `patients` and `sites` have one entry a case.
pub fn ignores_patients(
    metric: Metric,
    declared: By,
    unit: ResamplingUnit,
    patients: &[u32],
    sites: &[u32],
) -> bool {
    let sample = Sample { labels: &[], scores: &[], patients: Some(patients), sites: Some(sites) };
    ranks::dense_ids(patients).1 < patients.len() && !respects_patients(metric, declared, unit, &sample)
}

/// Puts the intervals that can decide before those that cannot; the order is kept otherwise.
pub fn sound_first(found: &mut Estimate, metric: Metric, sample: &Sample<'_>, threshold: Option<f64>) {
    if found.intervals.len() < 2 || found.value.is_none() {
        return;
    }
    let question = Question::new(metric, sample, threshold);
    let unit = |i: &Interval| i.unit.unwrap_or(ResamplingUnit::Case);
    found.intervals.sort_by_cached_key(|i| question.fault(i.method, unit(i), Some(i)).is_some());
}

/// Puts first what is to be quoted: the interval of `declared`, or the one that stands in for it by `rule` at
/// the level of `plan`; where no method is declared, one that can decide.
pub fn deciding_first(
    found: &mut Estimate,
    metric: Metric,
    sample: &Sample<'_>,
    threshold: Option<f64>,
    (declared, rule): (Option<By>, Fallback),
    plan: &Plan,
) {
    sound_first(found, metric, sample, threshold);
    if found.value.is_none() {
        return;
    }
    let question = Question::new(metric, sample, threshold);
    let sound =
        |i: &Interval| question.fault(i.method, i.unit.unwrap_or(ResamplingUnit::Case), Some(i)).is_none();
    let first = found.intervals.first();
    let Some(declared) = declared.or(first.map(|first| first.method)) else { return };
    if first.is_some_and(|first| first.method == declared && sound(first)) {
        return;
    }
    if let Some(interval) = question.stand_in(rule, declared, plan) {
        found.intervals.retain(|other| *other != interval);
        found.intervals.insert(0, interval);
    }
}

#[cfg(test)]
mod tests;
