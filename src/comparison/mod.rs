//! Several models on the same cases: each with its estimates, every difference with its test, and whether the
//! one with the highest AUC is shown to be the best.
//!
//! The statistics are those of [`crate::statistics::metric`], [`crate::statistics::roc`] and
//! [`crate::statistics::mcnemar`]; what is new here is which of them are computed and how their p values are
//! adjusted for the number of comparisons. Where patients have several cases, AUCs are compared after
//! Obuchowski (1997) and calls after Obuchowski (1998); otherwise after DeLong (1988) and by McNemar's exact
//! test. Nothing depends on the order in which models are given: of a pair the one with the higher AUC comes
//! first, of equals the one whose name sorts first.

mod document;
mod ensemble;
mod published;

use crate::statistics::calibration::{Edge, equal_edges, reliability};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use crate::statistics::mcnemar::{clustered_p, mcnemar};
use crate::statistics::metric::{Metric, Plan, Sample, estimate, estimate_difference};
use crate::statistics::multiplicity::{Rule, adjusted};
use crate::statistics::roc::PrecisionRecallPoint;
use crate::statistics::roc::{precision_recall_points, roc_points};

pub use document::*;
pub use ensemble::{search_weights, weighted_average};
pub use published::{Published, compare_published, from_counts};

/// Thresholds at which sensitivity and specificity are drawn.
const THRESHOLDS: u32 = 200;
/// Bins of the reliability curve.
const BINS: usize = 10;

/// Adjusts p values so that the probability of at least one false claim among them stays below the level
/// ([`Rule::Holm`]). A comparison without a test counts among them and gets nothing.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    // Without a test is like 1: it comes last and changes no other.
    let all: Vec<f64> = p_values.iter().map(|p| p.unwrap_or(1.0)).collect();
    let adjusted = adjusted(&Rule::Holm, &all);
    p_values.iter().zip(adjusted).map(|(p, adjusted)| p.map(|_| adjusted)).collect()
}

/// The cases, one entry a case everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Cases<'a> {
    /// Reference standard or source label.
    pub labels: &'a [bool],
    /// Patient of each case, where patients have several.
    pub patients: Option<&'a [u32]>,
}

/// What is to be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Two-sided confidence level in (0, 1).
    pub level: f64,
    /// Which pairs are compared.
    pub family: Family,
    /// Bootstrap replicates; 0: no bootstrap.
    pub replicates: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Settings {
    fn plan(&self, methods: Vec<IntervalMethod>, clustered: bool) -> Plan {
        let unit = if clustered { ResamplingUnit::Patient } else { ResamplingUnit::Case };
        Plan::new(self.level, methods, unit, self.replicates, self.seed)
    }

    fn bootstrap(&self) -> Option<IntervalMethod> {
        (self.replicates > 0).then_some(IntervalMethod::BootstrapPercentile)
    }
}

/// Estimates, counts and curves of one contender at its threshold. Scores are finite.
pub fn measure(
    cases: &Cases<'_>,
    scores: &[f64],
    threshold: f64,
    settings: &Settings,
) -> (Vec<Estimate>, Confusion, Curves) {
    use IntervalMethod as By;
    let clustered = cases.patients.is_some();
    let sample = Sample { labels: cases.labels, scores, patients: cases.patients, sites: None };
    let probabilities = scores.iter().all(|s| (0.0..=1.0).contains(s));
    let table = [
        Metric::Sensitivity,
        Metric::Specificity,
        Metric::Ppv,
        Metric::Npv,
        Metric::Accuracy,
        Metric::BalancedAccuracy,
        Metric::F1,
    ];
    let calibration = [Metric::Brier, Metric::Ece, Metric::CalibrationSlope, Metric::CalibrationIntercept];
    let mut estimates = Vec::new();
    let mut add = |metric: Metric, methods: Vec<By>| {
        estimates.push(estimate(metric, &sample, Some(threshold), &settings.plan(methods, clustered)));
    };
    let boot = || settings.bootstrap();
    add(
        Metric::Auc,
        [if clustered { By::Obuchowski } else { By::Delong }].into_iter().chain(boot()).collect(),
    );
    add(Metric::AveragePrecision, boot().into_iter().collect());
    for metric in table {
        // Wilson's takes cases as independent.
        let closed: &[By] =
            if clustered { &[By::KornGraubard, By::ClopperPearsonPatients] } else { &[By::Wilson] };
        let closed = closed.iter().copied().filter(|m| metric.accepts(*m));
        add(
            metric,
            boot()
                .filter(|_| clustered)
                .into_iter()
                .chain(closed)
                .chain(boot().filter(|_| !clustered))
                .collect(),
        );
    }
    for metric in calibration.into_iter().filter(|_| probabilities) {
        add(metric, vec![By::Wald]);
    }
    let bins = if probabilities {
        reliability(cases.labels, scores, None, &equal_edges(BINS), Edge::Left)
    } else {
        Vec::new()
    };
    let curves = Curves {
        roc: roc_points(cases.labels, scores),
        precision_recall: precision_recall_points(cases.labels, scores)
            .iter()
            .map(|p| PrecisionRecallPoint {
                threshold: p.threshold,
                recall: p.recall,
                precision: p.precision,
            })
            .collect(),
        thresholds: over_thresholds(cases.labels, scores),
        reliability: bins
            .iter()
            .filter(|bin| bin.cases > 0.0)
            .map(|bin| ReliabilityPoint {
                mean_score: bin.mean_score,
                observed: bin.observed,
                cases: bin.cases as u64,
            })
            .collect(),
    };
    (estimates, Confusion::at(cases.labels, scores, threshold), curves)
}

/// Equidistant thresholds over 0..1, or over the scores where they leave it.
fn over_thresholds(labels: &[bool], scores: &[f64]) -> Vec<ThresholdPoint> {
    let range = |(low, high): (f64, f64), s: &f64| (low.min(*s), high.max(*s));
    let (low, high) = scores.iter().fold((0.0, 1.0), range);
    (0..=THRESHOLDS)
        .filter_map(|step| {
            let threshold = low + (high - low) * f64::from(step) / f64::from(THRESHOLDS);
            let table = Confusion::at(labels, scores, threshold);
            Some(ThresholdPoint {
                threshold,
                sensitivity: Metric::Sensitivity.of_table(&table)?,
                specificity: Metric::Specificity.of_table(&table)?,
            })
        })
        .collect()
}

/// What is compared: a name, its AUC, its scores, and its calls.
struct Tested<'a> {
    name: &'a str,
    auc: f64,
    scores: &'a [f64],
    calls: Vec<bool>,
}

/// Indices of the pairs of a family, each with the higher AUC first, in the order of the contenders.
fn pairs_of(names: &[(&str, f64)], family: &Family) -> Vec<(usize, usize)> {
    let best = best_of(names);
    let mut pairs = Vec::new();
    for i in 0..names.len() {
        for j in i + 1..names.len() {
            let wanted = match family {
                Family::AllPairs => true,
                Family::AgainstBest => best == Some(i) || best == Some(j),
                Family::AgainstReference(name) => names[i].0 == name || names[j].0 == name,
            };
            if wanted {
                pairs.push(if before(names[i], names[j]) { (i, j) } else { (j, i) });
            }
        }
    }
    pairs
}

/// Higher AUC first; of equals the name that sorts first.
fn before(a: (&str, f64), b: (&str, f64)) -> bool {
    b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)).is_lt()
}

fn best_of(names: &[(&str, f64)]) -> Option<usize> {
    (0..names.len()).reduce(|best, i| if before(names[i], names[best]) { i } else { best })
}

/// Every pair of the family with its tests, adjusted for their number. `contenders` and `scores` are in one
/// order; those that are exploratory, or have no AUC or threshold, are left out.
pub fn compare_pairs(
    cases: &Cases<'_>,
    contenders: &[Contender],
    scores: &[&[f64]],
    settings: &Settings,
) -> Vec<Pair> {
    let tested: Vec<Tested<'_>> = contenders
        .iter()
        .zip(scores)
        .filter(|(contender, _)| !contender.exploratory)
        .filter_map(|(contender, scores)| {
            let cut = contender.operating_point.as_ref()?.threshold;
            let calls = scores.iter().map(|&s| s >= cut).collect();
            Some(Tested { name: &contender.name, auc: contender.auc()?, scores, calls })
        })
        .collect();
    let names: Vec<(&str, f64)> = tested.iter().map(|t| (t.name, t.auc)).collect();
    let mut pairs: Vec<Pair> = pairs_of(&names, &settings.family)
        .into_iter()
        .map(|(a, b)| paired(cases, &tested[a], &tested[b], settings))
        .collect();
    adjust(&mut pairs);
    pairs
}

fn paired(cases: &Cases<'_>, a: &Tested<'_>, b: &Tested<'_>, settings: &Settings) -> Pair {
    let clustered = cases.patients.is_some();
    let test = if clustered { IntervalMethod::Obuchowski } else { IntervalMethod::Delong };
    let sample = Sample { labels: cases.labels, scores: a.scores, patients: cases.patients, sites: None };
    let methods = [test].into_iter().chain(settings.bootstrap()).collect();
    let calls = [("accuracy", None), ("sensitivity", Some(true)), ("specificity", Some(false))];
    let mut auc_difference = estimate_difference(&sample, b.scores, &settings.plan(methods, clustered));
    // An interval that collapsed says nothing: the one that needs no spread stands before it.
    auc_difference.intervals.sort_by_key(Interval::is_point);
    Pair {
        first: a.name.to_owned(),
        second: b.name.to_owned(),
        auc_difference,
        adjusted_p: None,
        correlation_needed: None,
        calls: calls.into_iter().map(|(id, class)| difference_of_calls(id, class, cases, a, b)).collect(),
    }
}

/// The difference among cases of one class, or among all.
fn difference_of_calls(
    id: &str,
    class: Option<bool>,
    cases: &Cases<'_>,
    a: &Tested<'_>,
    b: &Tested<'_>,
) -> CallDifference {
    let rows: Vec<usize> =
        (0..cases.labels.len()).filter(|&i| class.is_none_or(|class| cases.labels[i] == class)).collect();
    let pick = |list: &[bool]| -> Vec<bool> { rows.iter().map(|&i| list[i]).collect() };
    let (labels, first, second) = (pick(cases.labels), pick(&a.calls), pick(&b.calls));
    let test = mcnemar(&labels, &first, &second);
    let n = rows.len() as u64;
    let gap = test.only_first_correct as f64 - test.only_second_correct as f64;
    let p_value = match cases.patients {
        None => test.exact_p(),
        Some(patients) => {
            let patients: Vec<u32> = rows.iter().map(|&i| patients[i]).collect();
            clustered_p(&labels, &first, &second, &patients)
        }
    };
    CallDifference {
        id: id.to_owned(),
        n,
        only_first_correct: test.only_first_correct,
        only_second_correct: test.only_second_correct,
        difference: (n > 0).then(|| gap / n as f64),
        p_value,
        adjusted_p: None,
        exact_p: test.exact_p(),
        mid_p: test.mid_p(),
    }
}

/// Adjusts the p values of each kind of test for the number of pairs.
fn adjust(pairs: &mut [Pair]) {
    let of_auc: Vec<Option<f64>> = pairs.iter().map(|p| p.auc_difference.p_value).collect();
    for (pair, adjusted) in pairs.iter_mut().zip(holm(&of_auc)) {
        pair.adjusted_p = adjusted;
    }
    let kinds = pairs.first().map_or(0, |p| p.calls.len());
    for kind in 0..kinds {
        let of_calls: Vec<Option<f64>> = pairs.iter().map(|p| p.calls[kind].p_value).collect();
        for (pair, adjusted) in pairs.iter_mut().zip(holm(&of_calls)) {
            pair.calls[kind].adjusted_p = adjusted;
        }
    }
}

/// AUCs of the same cases that differ by less are one number with other roundings.
const TIED: f64 = 1e-12;

/// Whether scores take two values at most, as calls do.
pub fn two_valued(scores: &[f64]) -> bool {
    let mut distinct: Vec<f64> = Vec::new();
    scores.iter().all(|score| {
        if !distinct.contains(score) {
            distinct.push(*score);
        }
        distinct.len() <= 2
    })
}

/// Whether the highest AUC is shown to be the highest, from the pairs of a family. A contender of two values
/// takes no part: the AUC of one point says nothing beside that of a curve. `None` with fewer than two others
/// that are tested.
pub fn best(contenders: &[Contender], pairs: &[Pair], level: f64) -> Option<Best> {
    let tested: Vec<(&str, f64)> = contenders
        .iter()
        .filter(|c| !c.exploratory && !c.two_valued)
        .filter_map(|c| Some((c.name.as_str(), c.auc()?)))
        .collect();
    let (name, auc) = *tested.get(best_of(&tested)?)?;
    if tested.len() < 2 {
        return None;
    }
    let mut against: Vec<Against> = pairs
        .iter()
        .filter(|pair| pair.first == name && tested.iter().any(|(other, _)| *other == pair.second))
        .filter_map(|pair| {
            let difference = pair.auc_difference.value?;
            Some(Against {
                name: pair.second.clone(),
                difference,
                adjusted_p: pair.adjusted_p,
                shown: difference > 0.0 && pair.adjusted_p.is_some_and(|p| p < 1.0 - level),
            })
        })
        .collect();
    let mut tied: Vec<String> = tested
        .iter()
        .filter(|(other, theirs)| *other != name && (auc - theirs).abs() <= TIED)
        .map(|(other, _)| (*other).to_owned())
        .collect();
    tied.sort();
    against.sort_by(|a, b| a.difference.total_cmp(&b.difference).then_with(|| a.name.cmp(&b.name)));
    let mut not_compared: Vec<String> = tested
        .iter()
        .map(|(other, _)| *other)
        .filter(|other| *other != name && against.iter().all(|a| a.name != *other))
        .map(str::to_owned)
        .collect();
    not_compared.sort();
    let verdict = if against.iter().any(|a| !a.shown) {
        Verdict::NotShown
    } else if not_compared.is_empty() {
        Verdict::Shown
    } else {
        Verdict::NotCompared
    };
    Some(Best { name: name.to_owned(), auc, tied, verdict, against, not_compared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_two_values_and_scores_are_not() {
        for (scores, expected) in [
            (&[0.0, 1.0, 1.0][..], true),
            (&[0.5, 0.5], true),
            (&[0.0, -0.0, 1.0], true),
            (&[0.0, 0.5, 1.0], false),
            (&[1.0, 2.0, 1.0, 3.0], false),
        ] {
            assert_eq!(two_valued(scores), expected, "{scores:?}");
        }
    }
    use crate::statistics::auc;
    use proptest::prelude::*;

    /// Holm's own scheme by hand: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.04,
    /// and no adjusted value is below the one before it.
    #[test]
    fn holm_matches_values_by_hand() {
        let check = |p: &[Option<f64>], expected: &[Option<f64>]| {
            let got = holm(p);
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(expected) {
                match (got, expected) {
                    (Some(a), Some(b)) => assert!((a - b).abs() < 1e-15, "{a} {b}"),
                    (a, b) => assert_eq!(a, b),
                }
            }
        };
        check(
            &[Some(0.04), Some(0.01), Some(0.03), Some(0.02)],
            &[Some(0.06), Some(0.04), Some(0.06), Some(0.06)],
        );
        check(&[Some(0.01), Some(0.04), Some(0.03)], &[Some(0.03), Some(0.06), Some(0.06)]);
        check(&[Some(0.6), Some(0.5)], &[Some(1.0), Some(1.0)]);
        check(&[Some(0.02)], &[Some(0.02)]);
        // What cannot be tested still counts: 3 times 0.01, 2 times 0.02.
        check(&[None, Some(0.01), Some(0.02)], &[None, Some(0.03), Some(0.04)]);
        check(&[], &[]);
    }

    #[test]
    fn searched_weights_prefer_equal_ones_and_find_the_informative_member() {
        let labels = [false, true, false, true, true, false];
        let good = [0.1, 0.9, 0.2, 0.8, 0.7, 0.3];
        let noise = [0.9, 0.1, 0.1, 0.2, 0.9, 0.8];
        assert_eq!(search_weights(&labels, &[&good, &good]), [0.5, 0.5]);
        let weights = search_weights(&labels, &[&good, &noise]);
        assert!(weights[0] > 0.5, "{weights:?}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let auc = auc::auc(&labels, &weighted_average(&[&good, &noise], &weights));
        assert_eq!(auc, Some(1.0));
    }

    #[test]
    fn equal_models_are_not_shown_to_differ_and_the_first_name_leads() {
        let labels = [false, true, false, true, true, false];
        let scores = [0.1, 0.9, 0.2, 0.8, 0.3, 0.4];
        let cases = Cases { labels: &labels, patients: None };
        let settings = Settings { level: 0.95, family: Family::AllPairs, replicates: 0, seed: 7 };
        let contenders =
            [contender("b", &cases, &scores, &settings), contender("a", &cases, &scores, &settings)];
        let pairs = compare_pairs(&cases, &contenders, &[&scores, &scores], &settings);
        assert_eq!((pairs[0].first.as_str(), pairs[0].adjusted_p), ("a", None));
        let best = best(&contenders, &pairs, 0.95).expect("two");
        assert_eq!((best.name.as_str(), best.verdict), ("a", Verdict::NotShown));
    }

    pub(super) fn contender(name: &str, cases: &Cases<'_>, scores: &[f64], settings: &Settings) -> Contender {
        let (estimates, confusion, curves) = measure(cases, scores, 0.5, settings);
        let operating_point = Some(Threshold {
            threshold: 0.5,
            rule: "given".into(),
            provenance: "given".into(),
            on_these_cases: false,
        });
        Contender {
            name: name.into(),
            kind: Kind::Table,
            title: String::new(),
            exploratory: false,
            two_valued: false,
            members: Vec::new(),
            scores_sha256: None,
            left_out: 0,
            operating_point,
            confusion: Some(confusion),
            estimates,
            curves,
            training: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn the_order_of_models_changes_no_statistic(
            rows in prop::collection::vec((any::<bool>(), 0..9_u32, 0..9_u32, 0..9_u32), 6..40),
            clustered in any::<bool>(),
            family in 0..3_usize,
        ) {
            let labels: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let columns: [Vec<f64>; 3] = [0, 1, 2].map(|k| {
                rows.iter().map(|r| f64::from([r.1, r.2, r.3][k]) / 8.0).collect()
            });
            let patients: Vec<u32> = (0..rows.len()).map(|i| (i / 2) as u32).collect();
            let cases = Cases { labels: &labels, patients: clustered.then_some(&patients[..]) };
            let family =
                [Family::AllPairs, Family::AgainstBest, Family::AgainstReference("b".into())][family].clone();
            let settings = Settings { level: 0.95, family, replicates: 20, seed: 7 };
            let run = |order: [usize; 3]| {
                let list: Vec<Contender> = order
                    .iter()
                    .map(|&k| contender(["a", "b", "c"][k], &cases, &columns[k], &settings))
                    .collect();
                let scores: Vec<&[f64]> = order.iter().map(|&k| &columns[k][..]).collect();
                let mut pairs = compare_pairs(&cases, &list, &scores, &settings);
                let best = best(&list, &pairs, 0.95);
                pairs.sort_by(|x, y| (&x.first, &x.second).cmp(&(&y.first, &y.second)));
                (pairs, best)
            };
            let straight = run([0, 1, 2]);
            prop_assert_eq!(&straight, &run([2, 0, 1]));
            prop_assert_eq!(&straight, &run([1, 2, 0]));
        }

        #[test]
        fn holm_keeps_the_order_and_never_lowers_a_p_value(p in prop::collection::vec(0.0..1.0_f64, 1..12)) {
            let given: Vec<Option<f64>> = p.iter().copied().map(Some).collect();
            let adjusted: Vec<f64> = holm(&given).into_iter().flatten().collect();
            for i in 0..p.len() {
                prop_assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
                prop_assert!(adjusted[i] <= (p.len() as f64 * p[i]).min(1.0) + 1e-15 || adjusted[i] >= p[i]);
                for j in 0..p.len() {
                    if p[i] < p[j] { prop_assert!(adjusted[i] <= adjusted[j]); }
                }
            }
        }
    }
}
