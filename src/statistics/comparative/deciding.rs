//! Which interval of a difference decides, and the p value that goes with it. As for a single metric
//! (`statistics::metric::deciding`): the declared one, unless it is none, a point, sees no spread, or takes a
//! patient's cases as independent; then an exact one by the declared rule, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::auc::placements;
use crate::comparative::aim::Aim;
use crate::comparative::exact_paired::exact_interval;
use crate::comparative::linearised::Contrast;
use crate::estimate::{Interval, IntervalMethod as By, ResamplingUnit};
use crate::metric::{Decision, Fallback, Fault, Plan, Sample, estimate_difference, hoeffding_of_difference};
use crate::paired_shares::PairedShares;
use crate::proportion::{self, Limits};
use crate::ranks::dense_ids;
use crate::roc::partial_placements;
use sequester_diagnostic::Code;

/// The interval of a difference of paired shares by a method; none where it does not exist.
pub fn paired_limits(shares: &PairedShares, method: By, level: f64) -> Option<Limits> {
    match method {
        By::Tango => shares.tango(level),
        By::Newcombe => shares.newcombe(level),
        By::NewcombeUncorrected => shares.newcombe_uncorrected(level),
        By::BonettPrice => shares.bonett_price(level),
        By::AgrestiMin => shares.agresti_min(level),
        By::Wald => shares.wald(level),
        By::ExactPaired => exact_interval(shares, level),
        By::ClopperPearson => shares.exact_outer(level),
        _ => None,
    }
}

/// Methods of [`paired_limits`], for each case a patient of its own.
pub const PAIRED: [By; 7] = [
    By::Tango,
    By::Newcombe,
    By::NewcombeUncorrected,
    By::BonettPrice,
    By::AgrestiMin,
    By::Wald,
    By::ExactPaired,
];

/// Which interval of a difference of paired shares decides, where each case is a patient of its own.
pub fn decide_paired(shares: &PairedShares, declared: By, level: f64, rule: Fallback) -> Decision {
    let found =
        paired_limits(shares, declared, level).map(|limits| Interval::closed(declared, level, limits));
    let exact = matches!(declared, By::ExactPaired | By::ClopperPearson);
    let discordant = shares.only_first + shares.only_second;
    let fault = match &found {
        None => Some((
            Code::IntervalNotEvaluable,
            "the declared interval does not exist on these cases".to_owned(),
        )),
        Some(i) if i.is_point() => {
            Some((Code::IntervalCollapsed, format!("the declared interval is the point {}", i.lower)))
        }
        Some(_) if exact => None,
        Some(_) if discordant == 0 => Some((
            Code::AtBoundary,
            format!(
                "both are right on the same of {} cases, where the declared interval sees no spread and an \
                 exact one is needed",
                shares.cases()
            ),
        )),
        // With one discordant case, limits that go beyond those of none claim more than none would.
        Some(i) if discordant == 1 => {
            let none = PairedShares { both: shares.cases(), only_first: 0, only_second: 0, neither: 0 };
            let (lower, upper) = none.exact_outer(level).unwrap_or((-1.0, 1.0));
            (i.lower > lower || i.upper < upper).then(|| {
                let message = "one case is called right by one of the two alone: the spread of the declared \
                               interval rests on it, and its limits go beyond those of no such case";
                (Code::RestsOnOneCase, message.to_owned())
            })
        }
        Some(_) => None,
    };
    let Some((code, message)) = fault else { return Decision { interval: found, fault: None } };
    let stand_in = match rule {
        Fallback::None => None,
        _ => shares.exact_outer(level).map(|limits| Interval::closed(By::ClopperPearson, level, limits)),
    };
    Decision { interval: stand_in, fault: Some(Fault { code, message }) }
}

/// Which interval of a linearised contrast decides. `units`: as how many independent terms in −1..1 the
/// difference counts at least, where it is a mean of such; an interval that needs no spread then stands in.
pub fn decide_contrast(
    contrast: &Contrast,
    declared: By,
    level: f64,
    rule: Fallback,
    units: Option<u64>,
) -> Decision {
    let found = contrast.limits(level).map(|limits| Interval::closed(declared, level, limits));
    let fault = match &found {
        None => Some((
            Code::IntervalNotEvaluable,
            "there are fewer than two patients, so there is no variance".to_owned(),
        )),
        Some(i) if contrast.moving == 0 || i.is_point() => Some((
            Code::AtBoundary,
            "no patient's cases move the difference, so the declared interval sees no spread".to_owned(),
        )),
        Some(_) if contrast.moving == 1 => Some((
            Code::RestsOnOneCase,
            "one patient's cases alone move the difference, so the spread rests on them".to_owned(),
        )),
        Some(_) => None,
    };
    let Some((code, message)) = fault else { return Decision { interval: found, fault: None } };
    let stand_in = units.filter(|u| *u > 0 && rule != Fallback::None).map(|units| {
        let limits = proportion::hoeffding((contrast.difference + 1.0) / 2.0, units, level);
        Interval::closed(By::Hoeffding, level, (2.0 * limits.0 - 1.0, 2.0 * limits.1 - 1.0))
    });
    Decision { interval: stand_in, fault: Some(Fault { code, message }) }
}

/// As how many independent terms a mean over these cases counts at least: all of them by the most that one
/// patient has (Hoeffding 1963, section 5d).
pub fn independent_units(patients: impl Iterator<Item = u32>) -> u64 {
    let mut cases: BTreeMap<u32, u64> = BTreeMap::new();
    patients.for_each(|patient| *cases.entry(patient).or_default() += 1);
    let all: u64 = cases.values().sum();
    all / cases.values().copied().max().unwrap_or(1)
}

/// What the cases that move a difference of AUCs are counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Each case by itself, as versions before 1.1 did: several cases of one patient passed for several.
    Cases,
    /// Patients.
    Patients,
}

/// Which interval of a difference of AUCs decides. `plan.methods` is not looked at.
pub fn decide_auc(
    sample: &Sample<'_>,
    other: &[f64],
    declared: By,
    plan: &Plan,
    rule: Fallback,
    units: Units,
) -> Decision {
    let clustered = sample.patients.is_some_and(|p| dense_ids(p).1 < p.len());
    let by_patient = !matches!(plan.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    let keeps_patients = declared == By::Obuchowski || declared.draws_replicates() && by_patient;
    let of = |method: By| {
        let found = estimate_difference(sample, other, &Plan { methods: vec![method], ..plan.clone() });
        let wanted = found.intervals.iter().find(|i| i.method == method).cloned();
        (found, wanted)
    };
    let (found, wanted) = of(declared);
    let Some(value) = found.value else { return Decision { interval: None, fault: None } };
    let counted = match units {
        Units::Cases => Sample { patients: None, ..*sample },
        Units::Patients => *sample,
    };
    let few = moving_areas(&counted, other) <= 1;
    let fault = match &wanted {
        _ if clustered && !keeps_patients => Some((
            Code::ClusteringIgnored,
            "the declared interval takes the cases of one patient as independent".to_owned(),
        )),
        None => Some((
            Code::IntervalNotEvaluable,
            "the declared interval does not exist on these cases".to_owned(),
        )),
        Some(i) if i.is_point() => {
            Some((Code::IntervalCollapsed, format!("the declared interval is the point {}", i.lower)))
        }
        Some(_) if few => Some((
            Code::RestsOnOneCase,
            // Results hold these words: those of earlier versions stay as they are.
            match units {
                Units::Cases => {
                    "all cases of a class but one are placed alike by both scores, so the spread rests on it"
                }
                Units::Patients => {
                    "all cases of a class but those of one patient are placed alike by both scores, so the \
                     spread rests on them"
                }
            }
            .to_owned(),
        )),
        Some(_) => None,
    };
    let Some((code, message)) = fault else { return Decision { interval: wanted, fault: None } };
    let stand_in = || {
        if rule == Fallback::None {
            return None;
        }
        if clustered && rule == Fallback::EffectiveNumber && !few {
            let (_, clustered) = of(By::Obuchowski);
            if let Some(sound) = clustered.filter(|i| !i.is_point()) {
                return Some(sound);
            }
        }
        let exact = found.intervals.iter().find(|i| i.method == By::ClopperPearson);
        exact.cloned().or_else(|| {
            hoeffding_of_difference(sample, value, plan.level)
                .map(|l| Interval::closed(By::Hoeffding, plan.level, l))
        })
    };
    Decision { interval: stand_in(), fault: Some(Fault { code, message }) }
}

/// How many patients, of the class where they are fewer, have a case that both scores place otherwise than
/// most of the class: by as much as the others it moves the difference, but shows no spread.
fn moving_areas(sample: &Sample<'_>, other: &[f64]) -> u64 {
    let (first, second) = (placements(sample.labels, sample.scores), placements(sample.labels, other));
    moving(sample, |i| first[i] as i64 - second[i] as i64)
}

/// The same of a difference of partial AUCs up to a false positive rate.
pub fn moving_partial_areas(sample: &Sample<'_>, other: &[f64], most_fpr: f64) -> u64 {
    let of = |scores: &[f64]| partial_placements(sample.labels, scores, most_fpr);
    let (first, second) = (of(sample.scores), of(other));
    // Quotients of small numbers: what is nearer than this is equal. One negative that leaves the false
    // positives lets another in: their placements along the whole curve tell that one from two.
    let differs = |i: usize| ((first[i] - second[i]) * 1e6).round() as i64;
    let fewest = moving(sample, differs).min(moving_areas(sample, other));
    // A class whose cases are all moved alike shows no spread, and something moves them.
    fewest.max(u64::from((0..first.len()).any(|i| differs(i) != 0)))
}

fn moving(sample: &Sample<'_>, differs: impl Fn(usize) -> i64) -> u64 {
    let of_class = |label: bool| {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        let own = || (0..sample.labels.len()).filter(|i| sample.labels[*i] == label);
        own().for_each(|i| *counts.entry(differs(i)).or_default() += 1);
        let most = counts.iter().max_by_key(|(_, cases)| **cases).map(|(difference, _)| *difference);
        let unlike = own().filter(|i| Some(differs(*i)) != most);
        unlike.map(|i| sample.patients.map_or(i as u32, |p| p[i])).collect::<BTreeSet<u32>>().len() as u64
    };
    of_class(true).min(of_class(false))
}

/// Precision of the logarithm of a p value where limits are computed in closed form, and where they are
/// drawn.
pub const PRECISION: [f64; 2] = [1e-10, 1e-4];

/// Below this a p value is given as this: nearer to 1 the levels of intervals cannot be told apart.
pub const LEAST_P: f64 = 1e-12;

/// One-sided p value of an interval that is known at every level: the least one-sided error at which it lies
/// where H0 does not. For methods without a statistic of their own; `precision` is of its logarithm. Where
/// there is no interval at a level, it lies nowhere: `limits` are those of one method at all levels, also
/// where they are a point, as a drawn interval is at a level near 0.
pub fn p_by_inversion(aim: Aim, margin: f64, precision: f64, limits: &dyn Fn(f64) -> Option<Limits>) -> f64 {
    let less = |goal: f64| move |(lower, upper): Limits| (lower - goal, upper - goal);
    let above = |goal: f64| p_of_bound(precision, Side::Beyond, &|level| limits(level).map(less(goal)));
    let below = |goal: f64| {
        let turned = |(lower, upper): Limits| (goal - upper, goal - lower);
        p_of_bound(precision, Side::Beyond, &|level| limits(level).map(turned))
    };
    match aim {
        Aim::Superiority => above(margin),
        Aim::NonInferiority => above(-margin),
        Aim::Equivalence => above(-margin).max(below(margin)),
    }
}

/// Where limits have to lie for a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Beyond the goal: `>`, `<`.
    Beyond,
    /// Beyond the goal or at it: `>=`, `<=`.
    AtOrBeyond,
}

impl Side {
    fn holds(self, limit: f64) -> bool {
        limit > 0.0 || self == Self::AtOrBeyond && limit == 0.0
    }
}

/// The least one-sided error at which limits lie above 0; above a half, one less that at which they lie
/// below; 1 where they lie on neither side at any error.
pub fn p_of_bound(precision: f64, side: Side, limits: &dyn Fn(f64) -> Option<Limits>) -> f64 {
    // The error at which a sign of the limits first holds, on the log scale.
    let least = |holds: &dyn Fn(Limits) -> bool| -> Option<f64> {
        let at = |error: f64| limits(1.0 - 2.0 * error).is_some_and(holds);
        if !at(MOST_ERROR) {
            return None;
        }
        if at(LEAST_P) {
            return Some(LEAST_P);
        }
        let (mut no, mut yes) = (LEAST_P.ln(), MOST_ERROR.ln());
        while yes - no > precision {
            let middle = no + (yes - no) / 2.0;
            *(if at(middle.exp()) { &mut yes } else { &mut no }) = middle;
        }
        Some(yes.exp())
    };
    match least(&|(lower, _)| side.holds(lower)) {
        Some(p) => p,
        None => least(&|(_, upper)| upper < 0.0).map_or(1.0, |p| 1.0 - p),
    }
}

/// The one-sided error of the narrowest interval that is looked at.
const MOST_ERROR: f64 = 0.499_999;
