//! Several models on the same cases: each with its estimates, every difference with its test, and whether the one
//! with the highest AUC is shown to be the best.
//!
//! The statistics are those of [`super::metric`], [`super::roc`] and [`super::mcnemar`]; what is new here is which of
//! them are computed and how their p values are adjusted for the number of comparisons. Where patients have several
//! cases, AUCs are compared after Obuchowski (1997) and calls after Obuchowski (1998); otherwise after DeLong
//! (1988) and by McNemar's exact test. Nothing depends on the order in which models are given: of a pair the one with
//! the higher AUC comes first, of equals the one whose name sorts first.

use serde::Serialize;

use super::calibration::{Edge, equal_edges, reliability};
use super::confusion::Confusion;
use super::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use super::mcnemar::{clustered_p, mcnemar};
use super::metric::{Metric, Plan, Sample, estimate, estimate_difference, estimate_from_table};
use super::results::{PrecisionRecallPoint, RocPoint, Warning};
use super::roc::{self, hanley_mcneil_variance, precision_recall_points, roc_points};
use super::special::{normal_two_sided, z_two_sided};

/// Version of the JSON document. It rises when a key changes its meaning.
pub const FORMAT: &str = "sequester-comparison/1";

/// Thresholds at which sensitivity and specificity are drawn.
const THRESHOLDS: u32 = 200;
/// Bins of the reliability curve.
const BINS: usize = 10;
/// Steps of a weight when weights are searched: a twentieth, a tenth for more than three members.
const STEPS: (usize, usize) = (20, 10);

/// Everything that is compared, and what came out. What a document prints is here and nowhere else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// [`FORMAT`].
    pub format: String,
    /// `major.minor.patch` of the program.
    pub program_version: String,
    /// On which cases.
    pub data: Data,
    /// How.
    pub method: Method,
    /// In the order given.
    pub contenders: Vec<Contender>,
    /// Every comparison of the family.
    pub pairs: Vec<Pair>,
    /// `None`: there is one contender alone.
    pub best: Option<Best>,
    /// What the reader has to know.
    pub warnings: Vec<Warning>,
}

/// Where the scores or counts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The tuning split of training runs: it chose epochs and operating points.
    Tuning,
    /// Tables from elsewhere.
    Given,
    /// Counts and AUCs as somebody printed them: no cases.
    PublishedCounts,
}

/// On which cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Data {
    /// Where they come from.
    pub split: Split,
    /// Cases that every contender scored.
    pub cases: u64,
    /// Positive among them.
    pub positives: u64,
    /// Negative among them.
    pub negatives: u64,
    /// Patients, where every table names them.
    pub patients: Option<u64>,
    /// Patients have several cases, so that they and not cases are taken as independent.
    pub clustered: bool,
    /// The contenders' sets of cases differ, and only the common ones are compared.
    pub common_only: bool,
    /// A program made the images.
    pub synthetic: bool,
}

/// Which pairs are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Each with each.
    AllPairs,
    /// The one with the highest AUC with each other one. The same data choose it, so its p values are too small.
    AgainstBest,
    /// A contender that was named beforehand with each other one.
    AgainstReference(String),
}

/// How.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Method {
    /// Confidence level of the intervals; one minus it is the level of the tests.
    pub level: f64,
    /// Which pairs are compared.
    pub family: Family,
    /// How many there are: what p values are adjusted for.
    pub comparisons: u64,
    /// `holm` (Holm 1979), within each kind of test.
    pub correction: String,
    /// How AUCs are compared.
    pub auc_test: AucTest,
    /// How calls are compared; `None`: they are not.
    pub call_test: Option<CallTest>,
    /// Bootstrap replicates; 0: no bootstrap.
    pub replicates: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// A test of a difference of AUCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AucTest {
    /// Paired, independent cases: DeLong et al. 1988.
    Delong,
    /// Paired, several cases of a patient: Obuchowski 1997.
    Obuchowski,
    /// Not paired: standard errors of Hanley and McNeil 1982 from AUC and class sizes.
    HanleyMcneilUnpaired,
}

/// A test of a difference of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallTest {
    /// Exact McNemar test (1947), independent cases.
    McnemarExact,
    /// Obuchowski 1998, several cases of a patient.
    Obuchowski1998,
}

/// What a contender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A training run.
    Run,
    /// A table of scores.
    Table,
    /// A weighted average of others.
    Ensemble,
    /// Printed numbers.
    Counts,
}

/// A member of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// A contender's name.
    pub name: String,
    /// Its weight; weights sum to 1.
    pub weight: f64,
}

/// The threshold of a contender, and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// The rule, in words.
    pub rule: String,
    /// On which data, in words.
    pub provenance: String,
    /// The cases that are compared chose it.
    pub on_these_cases: bool,
}

/// One epoch of a training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Counted from 1 over all stages.
    pub epoch: u32,
    /// Name of the stage.
    pub stage: String,
    /// Mean loss over the training cases.
    pub training_loss: f64,
    /// Mean loss over the tuning cases.
    pub tuning_loss: f64,
    /// AUC on the tuning cases.
    pub tuning_auc: f64,
}

/// One model with what it does on the cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contender {
    /// Unique.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// In words, such as the experiment's title.
    pub title: String,
    /// The cases that are compared chose its weights: it is shown, and not tested.
    pub exploratory: bool,
    /// Members of an ensemble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// Digest of the table of scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores_sha256: Option<String>,
    /// Cases in its table that are not compared.
    pub left_out: u64,
    /// Its operating point.
    pub operating_point: Option<Threshold>,
    /// Counts at it.
    pub confusion: Option<Confusion>,
    /// Its estimates.
    pub estimates: Vec<Estimate>,
    /// Its curves.
    pub curves: Curves,
    /// Its training.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub training: Vec<Epoch>,
}

impl Contender {
    /// An estimate by its id.
    pub fn estimate(&self, id: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|e| e.id == id)
    }

    /// The area under its ROC curve.
    pub fn auc(&self) -> Option<f64> {
        self.estimate("auc")?.value
    }
}

/// Points for figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Curves {
    /// Corners of the ROC curve.
    pub roc: Vec<RocPoint>,
    /// Precision against recall, from high to low thresholds.
    pub precision_recall: Vec<PrecisionRecallPoint>,
    /// Sensitivity and specificity at equidistant thresholds.
    pub thresholds: Vec<ThresholdPoint>,
    /// Bins of equal width that hold a case; empty where scores are no probabilities.
    pub reliability: Vec<ReliabilityPoint>,
}

/// Sensitivity and specificity at a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThresholdPoint {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// In 0..1.
    pub sensitivity: f64,
    /// In 0..1.
    pub specificity: f64,
}

/// One bin of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityPoint {
    /// Mean score in the bin.
    pub mean_score: f64,
    /// Share of positives in the bin.
    pub observed: f64,
    /// Cases in the bin.
    pub cases: u64,
}

/// Two contenders, the one with the higher AUC first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Name of the one with the higher AUC; of equals the name that sorts first.
    pub first: String,
    /// Name of the other.
    pub second: String,
    /// First minus second, never below 0, with its unadjusted p value.
    pub auc_difference: Estimate,
    /// The p value, adjusted for the number of comparisons; `None`: there is no test.
    pub adjusted_p: Option<f64>,
    /// Not paired: how high the correlation of the two AUCs would have to be for the unadjusted p value to fall
    /// below the level of the test; `None`: it is below already, or no correlation is high enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_needed: Option<f64>,
    /// Differences of calls, each at the contenders' own operating points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallDifference>,
}

/// A difference of shares of right calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallDifference {
    /// `accuracy`, `sensitivity` or `specificity`.
    pub id: String,
    /// Cases that count: all, the positive, or the negative.
    pub n: u64,
    /// Cases that the first alone calls right.
    pub only_first_correct: u64,
    /// Cases that the second alone calls right.
    pub only_second_correct: u64,
    /// Share of the first minus share of the second; `None` without cases.
    pub difference: Option<f64>,
    /// Of [`Method::call_test`]; `None`: both are right on the same cases, or there are no cases.
    pub p_value: Option<f64>,
    /// The same, adjusted for the number of comparisons.
    pub adjusted_p: Option<f64>,
    /// Exact McNemar test, which takes cases as independent.
    pub exact_p: Option<f64>,
    /// Mid-p McNemar test, which takes cases as independent.
    pub mid_p: Option<f64>,
}

/// Whether the highest AUC is shown to be the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Its adjusted p value is below the level of the test against every other one.
    Shown,
    /// At least one is not.
    NotShown,
    /// It was not compared with every other one.
    NotCompared,
}

/// The contender with the highest AUC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Best {
    /// Its name; of equals the one that sorts first.
    pub name: String,
    /// Its AUC.
    pub auc: f64,
    /// Others with the same AUC, sorted: nobody is the best alone then.
    pub tied: Vec<String>,
    /// Whether it is shown to be the best.
    pub verdict: Verdict,
    /// The others that it was compared with, from the smallest difference.
    pub against: Vec<Against>,
    /// The others that it was not compared with.
    pub not_compared: Vec<String>,
}

/// The best against one other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    /// Its name.
    pub name: String,
    /// How much lower its AUC is.
    pub difference: f64,
    /// Adjusted for the number of comparisons.
    pub adjusted_p: Option<f64>,
    /// The adjusted p value is below the level of the test.
    pub shown: bool,
}

/// Adjusts p values so that the probability of at least one false claim among them stays below the level (Holm 1979):
/// the k-th smallest of m is multiplied by m − k + 1, is at least the one before it and at most 1. A comparison
/// without a test counts among the m and gets nothing.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        p_values.iter().enumerate().filter_map(|(index, p)| Some(((*p)?, index))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut adjusted = vec![None; p_values.len()];
    let mut before = 0.0_f64;
    for (rank, (p, index)) in order.into_iter().enumerate() {
        before = before.max(((p_values.len() - rank) as f64 * p).min(1.0));
        adjusted[index] = Some(before);
    }
    adjusted
}

/// The weighted average of scores, one list a member, one entry a case in each. Terms are added in the order given.
pub fn weighted_average(members: &[&[f64]], weights: &[f64]) -> Vec<f64> {
    let cases = members.first().map_or(0, |scores| scores.len());
    (0..cases).map(|i| members.iter().zip(weights).map(|(scores, weight)| weight * scores[i]).sum()).collect()
}

/// The weights with the highest AUC on these cases, from a grid of equal steps; of equals those nearest to equal
/// weights, then the first in order. What comes out fits these cases better than any others.
pub fn search_weights(labels: &[bool], members: &[&[f64]]) -> Vec<f64> {
    let steps = if members.len() <= 3 { STEPS.0 } else { STEPS.1 };
    let mut best: Option<(f64, usize, Vec<usize>)> = None;
    let mut parts = vec![0; members.len()];
    each_composition(&mut parts, 0, steps, &mut |parts| {
        let weights: Vec<f64> = parts.iter().map(|p| *p as f64 / steps as f64).collect();
        let Some(auc) = roc::auc(labels, &weighted_average(members, &weights)) else { return };
        let uneven: usize = parts.iter().map(|p| p * p).sum();
        let better = best.as_ref().is_none_or(|(a, u, _)| auc > *a || (auc == *a && uneven < *u));
        if better {
            best = Some((auc, uneven, parts.to_vec()));
        }
    });
    let chosen = best.map_or(parts, |(_, _, parts)| parts);
    chosen.iter().map(|p| *p as f64 / steps as f64).collect()
}

/// Calls `visit` with every way to divide `rest` among the entries from `at` on.
fn each_composition(parts: &mut [usize], at: usize, rest: usize, visit: &mut dyn FnMut(&[usize])) {
    if at + 1 >= parts.len() {
        if let Some(last) = parts.last_mut() {
            *last = rest;
        }
        return visit(parts);
    }
    for part in 0..=rest {
        parts[at] = part;
        each_composition(parts, at + 1, rest - part, visit);
    }
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
        // Binomial intervals take cases as independent.
        let exact = if clustered && boot().is_some() { None } else { Some(By::Wilson) };
        let exact = exact.filter(|m| metric.accepts(*m));
        add(metric, exact.into_iter().chain(boot()).collect());
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

/// Every pair of the family with its tests, adjusted for their number. `contenders` and `scores` are in one order;
/// those that are exploratory, or have no AUC or threshold, are left out.
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
    Pair {
        first: a.name.to_owned(),
        second: b.name.to_owned(),
        auc_difference: estimate_difference(&sample, b.scores, &settings.plan(methods, clustered)),
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

/// Printed numbers of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Unique.
    pub name: String,
    /// As printed.
    pub auc: f64,
    /// Positive cases.
    pub positives: u64,
    /// Negative cases.
    pub negatives: u64,
    /// Counts, where they were printed.
    pub confusion: Option<Confusion>,
}

/// A contender from printed numbers: the AUC with the standard error of Hanley and McNeil (1982), and what a 2x2 table
/// gives, with Wilson intervals.
pub fn from_counts(published: &Published, settings: &Settings) -> Contender {
    let (m, n) = (published.positives, published.negatives);
    let variance = hanley_mcneil_variance(published.auc, m as f64, n as f64).max(0.0);
    let half = z_two_sided(settings.level) * variance.sqrt();
    let limits = ((published.auc - half).max(0.0), (published.auc + half).min(1.0));
    let mut estimates = vec![Estimate {
        id: Metric::Auc.id().into(),
        value: Some(published.auc),
        standard_error: Some(variance.sqrt()),
        n: m + n,
        positives: m,
        intervals: vec![interval(IntervalMethod::HanleyMcneil, limits, settings.level)],
        ..Estimate::default()
    }];
    if let Some(table) = &published.confusion {
        let plan = settings.plan(vec![IntervalMethod::Wilson], false);
        for metric in
            [Metric::Sensitivity, Metric::Specificity, Metric::Ppv, Metric::Npv, Metric::Accuracy, Metric::F1]
        {
            estimates.push(estimate_from_table(metric, table, &plan));
        }
    }
    Contender {
        name: published.name.clone(),
        kind: Kind::Counts,
        title: String::new(),
        exploratory: false,
        members: Vec::new(),
        scores_sha256: None,
        left_out: 0,
        operating_point: None,
        confusion: published.confusion,
        estimates,
        curves: Curves::default(),
        training: Vec::new(),
    }
}

fn interval(method: IntervalMethod, limits: (f64, f64), level: f64) -> Interval {
    Interval {
        method,
        level,
        lower: limits.0,
        upper: limits.1,
        unit: None,
        replicates: None,
        seed: None,
        dropped: None,
    }
}

/// Pairs of models of which printed numbers alone are known, as if each had been tested on cases of its own: the
/// variance of a difference is the sum of both. On the same cases AUCs are correlated, and the true variance is less
/// by 2·r·SE₁·SE₂ (Hanley and McNeil 1983); r cannot be known from printed numbers, so the r that a claim would need is
/// given instead.
pub fn compare_published(contenders: &[Contender], settings: &Settings) -> Vec<Pair> {
    let known: Vec<(&Contender, f64, f64)> =
        contenders.iter().filter_map(|c| Some((c, c.auc()?, c.estimate("auc")?.standard_error?))).collect();
    let names: Vec<(&str, f64)> = known.iter().map(|(c, auc, _)| (c.name.as_str(), *auc)).collect();
    let mut pairs: Vec<Pair> = pairs_of(&names, &settings.family)
        .into_iter()
        .map(|(i, j)| {
            let ((a, auc_a, se_a), (b, auc_b, se_b)) = (&known[i], &known[j]);
            let difference = auc_a - auc_b;
            let se = se_a.hypot(*se_b);
            let z = z_two_sided(settings.level);
            let half = z * se;
            let usable = se > 0.0;
            let p_value = usable.then(|| normal_two_sided(difference / se));
            let room = se_a * se_a + se_b * se_b - (difference / z).powi(2);
            let needed = room / (2.0 * se_a * se_b);
            let value = Estimate {
                id: "auc_difference".into(),
                value: Some(difference),
                standard_error: usable.then_some(se),
                p_value,
                n: a.estimate("auc").map_or(0, |e| e.n),
                positives: a.estimate("auc").map_or(0, |e| e.positives),
                intervals: vec![interval(
                    IntervalMethod::HanleyMcneil,
                    ((difference - half).max(-1.0), (difference + half).min(1.0)),
                    settings.level,
                )],
                warnings: vec![
                    "unpaired: the models are compared as if each had cases of its own; the p value is an \
                     approximation"
                        .into(),
                ],
                ..Estimate::default()
            };
            Pair {
                first: a.name.clone(),
                second: b.name.clone(),
                auc_difference: value,
                adjusted_p: None,
                correlation_needed: (difference > 0.0 && needed > 0.0 && needed < 1.0).then_some(needed),
                calls: Vec::new(),
            }
        })
        .collect();
    adjust(&mut pairs);
    pairs
}

/// AUCs of the same cases that differ by less are one number with other roundings.
const TIED: f64 = 1e-12;

/// Whether the highest AUC is shown to be the highest, from the pairs of a family. `None` with fewer than two
/// contenders that are tested.
pub fn best(contenders: &[Contender], pairs: &[Pair], level: f64) -> Option<Best> {
    let tested: Vec<(&str, f64)> = contenders
        .iter()
        .filter(|c| !c.exploratory)
        .filter_map(|c| Some((c.name.as_str(), c.auc()?)))
        .collect();
    let (name, auc) = *tested.get(best_of(&tested)?)?;
    if tested.len() < 2 {
        return None;
    }
    let mut against: Vec<Against> = pairs
        .iter()
        .filter(|pair| pair.first == name)
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
    use proptest::prelude::*;

    /// Holm's own scheme by hand: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.04, and no
    /// adjusted value is below the one before it.
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
        let auc = roc::auc(&labels, &weighted_average(&[&good, &noise], &weights));
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
