//! From cases to estimates: each metric with its value, its standard error and the intervals that exist for
//! it. What cannot be computed says why; nothing is NaN, and an interval that collapses is
//! accompanied by one that does not.

use serde::{Deserialize, Serialize};

use super::bootstrap::{self, Cases, Replicates, Resampler};
use super::calibration;
use super::confusion::{Confusion, log_interval, share};
use super::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use super::mcnemar::McNemar;
use super::proportion;
use super::roc;
use super::special::{normal_two_sided, z_two_sided};
use super::transported;

/// The cases an estimate is made from: one entry a case everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Reference standard.
    pub labels: &'a [bool],
    /// Scores; higher means positive.
    pub scores: &'a [f64],
    /// Patient of each case.
    pub patients: Option<&'a [u32]>,
    /// Site of each case.
    pub sites: Option<&'a [u32]>,
}

/// What is to be computed beside the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Two-sided confidence level in (0, 1).
    pub level: f64,
    /// Interval methods in the order wanted; those that a metric does not accept are passed over.
    pub methods: Vec<IntervalMethod>,
    /// What the bootstrap draws.
    pub unit: ResamplingUnit,
    /// Bootstrap replicates.
    pub replicates: u64,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Upper end of the false positive rates of `partial_auc`, in (0, 1].
    pub partial_fpr: f64,
    /// Edges of the bins of `ece` and `mce`, ascending from 0 to 1; bins are closed on the left, the last on both sides.
    pub bin_edges: Vec<f64>,
}

impl Plan {
    /// A plan with `partial_fpr` 0.1 and ten equal bins.
    pub fn new(
        level: f64,
        methods: Vec<IntervalMethod>,
        unit: ResamplingUnit,
        replicates: u64,
        seed: u64,
    ) -> Self {
        let bin_edges = calibration::equal_edges(10);
        Self { level, methods, unit, replicates, seed, partial_fpr: 0.1, bin_edges }
    }
}

/// What can be estimated of one model. The serialised names are the ids in `results.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Area under the ROC curve.
    Auc,
    /// Average precision.
    AveragePrecision,
    /// Partial area, standardised (McClish 1989).
    PartialAuc,
    /// TP / (TP + FN).
    Sensitivity,
    /// TN / (TN + FP).
    Specificity,
    /// TP / (TP + FP).
    Ppv,
    /// TN / (TN + FN).
    Npv,
    /// (TP + TN) / n.
    Accuracy,
    /// (TP + FN) / n.
    Prevalence,
    /// 2TP / (2TP + FP + FN).
    F1,
    /// Mean of sensitivity and specificity.
    BalancedAccuracy,
    /// Sensitivity + specificity − 1.
    Youden,
    /// Matthews correlation.
    Mcc,
    /// Positive likelihood ratio.
    LrPositive,
    /// Negative likelihood ratio.
    LrNegative,
    /// Diagnostic odds ratio.
    DiagnosticOddsRatio,
    /// Brier score.
    Brier,
    /// Log loss.
    LogLoss,
    /// Expected calibration error, ten equal bins, left-closed.
    Ece,
    /// Maximum calibration error, same bins.
    Mce,
    /// Calibration slope.
    CalibrationSlope,
    /// Calibration intercept.
    CalibrationIntercept,
    /// Calibration in the large.
    CalibrationInTheLarge,
}

use IntervalMethod as By;

impl Metric {
    /// Every metric, in the order of documents.
    pub const ALL: [Self; 23] = [
        Self::Auc,
        Self::AveragePrecision,
        Self::PartialAuc,
        Self::Sensitivity,
        Self::Specificity,
        Self::Ppv,
        Self::Npv,
        Self::Accuracy,
        Self::Prevalence,
        Self::F1,
        Self::BalancedAccuracy,
        Self::Youden,
        Self::Mcc,
        Self::LrPositive,
        Self::LrNegative,
        Self::DiagnosticOddsRatio,
        Self::Brier,
        Self::LogLoss,
        Self::Ece,
        Self::Mce,
        Self::CalibrationSlope,
        Self::CalibrationIntercept,
        Self::CalibrationInTheLarge,
    ];

    /// The id in files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::AveragePrecision => "average_precision",
            Self::PartialAuc => "partial_auc",
            Self::Sensitivity => "sensitivity",
            Self::Specificity => "specificity",
            Self::Ppv => "ppv",
            Self::Npv => "npv",
            Self::Accuracy => "accuracy",
            Self::Prevalence => "prevalence",
            Self::F1 => "f1",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::Youden => "youden",
            Self::Mcc => "mcc",
            Self::LrPositive => "lr_positive",
            Self::LrNegative => "lr_negative",
            Self::DiagnosticOddsRatio => "diagnostic_odds_ratio",
            Self::Brier => "brier",
            Self::LogLoss => "log_loss",
            Self::Ece => "ece",
            Self::Mce => "mce",
            Self::CalibrationSlope => "calibration_slope",
            Self::CalibrationIntercept => "calibration_intercept",
            Self::CalibrationInTheLarge => "calibration_in_the_large",
        }
    }

    /// The metric of an id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.id() == id)
    }

    /// Whether the metric holds at a threshold.
    pub fn needs_threshold(self) -> bool {
        self >= Self::Sensitivity && self <= Self::DiagnosticOddsRatio && self != Self::Prevalence
    }

    /// Whether scores must be probabilities in 0..1.
    pub fn needs_probabilities(self) -> bool {
        self >= Self::Brier
    }

    /// Whether the value depends on how common the finding is in the sample.
    pub fn depends_on_prevalence(self) -> bool {
        matches!(
            self,
            Self::Ppv
                | Self::Npv
                | Self::Accuracy
                | Self::Prevalence
                | Self::F1
                | Self::Mcc
                | Self::AveragePrecision
        ) || self.needs_probabilities()
    }

    /// A single share of cases k/n.
    pub fn is_proportion(self) -> bool {
        use Metric::{Accuracy, Npv, Ppv, Prevalence, Sensitivity, Specificity};
        matches!(self, Sensitivity | Specificity | Ppv | Npv | Accuracy | Prevalence)
    }

    /// Whether an interval by this method exists for the metric. `patients`: the method is to account
    /// for several cases of one patient.
    pub fn accepts(self, method: IntervalMethod) -> bool {
        let bootstrap = matches!(method, By::BootstrapPercentile | By::BootstrapBasic | By::BootstrapBca);
        let binomial = matches!(method, By::ClopperPearson | By::Wilson | By::AgrestiCoull | By::Jeffreys);
        match self {
            Self::Auc => {
                bootstrap
                    || matches!(
                        method,
                        By::Delong | By::DelongLogit | By::HanleyMcneil | By::Obuchowski | By::UStatistic
                    )
            }
            _ if bootstrap => true,
            // F1 = 2J/(1+J) of the share J = TP/(TP+FP+FN).
            _ if self.is_proportion() || self == Self::F1 => binomial,
            Self::BalancedAccuracy | Self::Youden => matches!(method, By::Wald | By::ClopperPearson),
            Self::Mcc => method == By::ClopperPearson,
            Self::LrPositive | Self::LrNegative | Self::DiagnosticOddsRatio => method == By::Log,
            Self::Brier
            | Self::LogLoss
            | Self::CalibrationSlope
            | Self::CalibrationIntercept
            | Self::CalibrationInTheLarge => method == By::Wald,
            _ => false,
        }
    }

    /// The statistic of a 2×2 table, for metrics that need a threshold.
    pub fn of_table(self, table: &Confusion) -> Option<f64> {
        let of = |(k, n): (u64, u64)| share(k, n);
        match self {
            Self::Sensitivity => of(table.sensitivity()),
            Self::Specificity => of(table.specificity()),
            Self::Ppv => of(table.ppv()),
            Self::Npv => of(table.npv()),
            Self::Accuracy => of(table.accuracy()),
            Self::Prevalence => of(table.prevalence()),
            Self::F1 => table.f1(),
            Self::BalancedAccuracy => table.balanced_accuracy(),
            Self::Youden => table.youden(),
            Self::Mcc => table.mcc(),
            Self::LrPositive => table.lr_positive(),
            Self::LrNegative => table.lr_negative(),
            Self::DiagnosticOddsRatio => table.diagnostic_odds_ratio(),
            _ => None,
        }
    }

    /// [`Self::of_table`] as a function pointer, for the bootstrap.
    fn table_statistic(self) -> fn(&Confusion) -> Option<f64> {
        match self {
            Self::Sensitivity => |t| Self::Sensitivity.of_table(t),
            Self::Specificity => |t| Self::Specificity.of_table(t),
            Self::Ppv => |t| Self::Ppv.of_table(t),
            Self::Npv => |t| Self::Npv.of_table(t),
            Self::Accuracy => |t| Self::Accuracy.of_table(t),
            Self::Prevalence => |t| Self::Prevalence.of_table(t),
            Self::F1 => |t| Self::F1.of_table(t),
            Self::BalancedAccuracy => |t| Self::BalancedAccuracy.of_table(t),
            Self::Youden => |t| Self::Youden.of_table(t),
            Self::Mcc => |t| Self::Mcc.of_table(t),
            Self::LrPositive => |t| Self::LrPositive.of_table(t),
            Self::LrNegative => |t| Self::LrNegative.of_table(t),
            Self::DiagnosticOddsRatio => |t| Self::DiagnosticOddsRatio.of_table(t),
            _ => |_| None,
        }
    }

    /// Why there is no value for a table that gives none.
    fn why_none(self, table: &Confusion) -> String {
        let (m, n) = (table.positives(), table.negatives());
        match self {
            _ if table.total() == 0 => "there are no cases".into(),
            Self::Sensitivity => "there is no positive case".into(),
            Self::Specificity => "there is no negative case".into(),
            Self::Ppv => "no case is called positive".into(),
            Self::Npv => "no case is called negative".into(),
            Self::F1 => "no case is positive or called positive".into(),
            _ if m == 0 => "there is no positive case".into(),
            _ if n == 0 => "there is no negative case".into(),
            Self::Mcc => "all calls are the same".into(),
            Self::LrPositive => "no negative case is called positive: the ratio is unbounded".into(),
            Self::LrNegative => "no negative case is called negative: the ratio is unbounded".into(),
            _ => "a cell of the table that divides is zero: the ratio is unbounded".into(),
        }
    }
}

/// One estimate of a metric. `threshold` is required by metrics that [need one](Metric::needs_threshold);
/// positive is score >= threshold. The intervals come in the order of `plan.methods`; one that collapses to
/// a point is followed by one that does not, with a warning.
pub fn estimate(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>, plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: threshold.filter(|_| metric.needs_threshold()),
        ..Estimate::default()
    };
    if let Some(reason) = unusable(metric, sample, threshold) {
        out.not_evaluable = Some(reason);
        return out;
    }
    match metric {
        Metric::Auc => estimate_auc(sample, plan, &mut out),
        _ if metric.needs_threshold() || metric == Metric::Prevalence => {
            let cut = threshold.unwrap_or(0.0);
            let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= cut).collect();
            estimate_table(metric, sample, &calls, plan, &mut out);
        }
        _ => estimate_weighted(metric, sample, plan, &mut out),
    }
    warn_about_clusters(sample, &mut out);
    out
}

/// A metric of a 2×2 table alone: no patients, bootstrap by case or by class.
pub fn estimate_from_table(metric: Metric, table: &Confusion, plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: table.total(),
        positives: table.positives(),
        ..Estimate::default()
    };
    if !metric.needs_threshold() && metric != Metric::Prevalence {
        out.not_evaluable = Some("a 2x2 table does not hold what this needs".into());
        return out;
    }
    let rows = [
        (true, true, table.true_positives),
        (true, false, table.false_negatives),
        (false, true, table.false_positives),
        (false, false, table.true_negatives),
    ];
    let expand = |pick: fn(&(bool, bool, u64)) -> bool| -> Vec<bool> {
        rows.iter().flat_map(|row| std::iter::repeat_n(pick(row), row.2 as usize)).collect()
    };
    let (labels, calls) = (expand(|r| r.0), expand(|r| r.1));
    let sample = Sample { labels: &labels, scores: &[], patients: None, sites: None };
    estimate_table(metric, &sample, &calls, plan, &mut out);
    out
}

/// PPV, NPV or F1 carried to another prevalence (in 0..1, exclusive); see [`transported`]. Intervals:
/// `log` (PPV, NPV), `clopper-pearson`, and the bootstrap with each class's size fixed.
pub fn estimate_at_prevalence(
    metric: Metric,
    sample: &Sample<'_>,
    threshold: f64,
    prevalence: f64,
    plan: &Plan,
) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: Some(threshold),
        prevalence: Some(prevalence),
        ..Estimate::default()
    };
    type Carried = fn(f64, f64, f64) -> Option<f64>;
    type LogitSe = fn(&Confusion) -> Option<f64>;
    let (carried, logit_se): (Carried, Option<LogitSe>) = match metric {
        Metric::Ppv => (transported::ppv, Some(transported::ppv_logit_se)),
        Metric::Npv => (transported::npv, Some(transported::npv_logit_se)),
        Metric::F1 => (transported::f1, None),
        _ => {
            out.not_evaluable = Some("only PPV, NPV and F1 are carried to another prevalence".into());
            return out;
        }
    };
    if !(prevalence > 0.0 && prevalence < 1.0) {
        out.not_evaluable = Some(format!("the prevalence {prevalence} is not between 0 and 1"));
        return out;
    }
    if let Some(reason) = unusable(metric, sample, Some(threshold)) {
        out.not_evaluable = Some(reason);
        return out;
    }
    let table = Confusion::at(sample.labels, sample.scores, threshold);
    let Some(value) = transported::at_prevalence(&table, prevalence, carried) else {
        out.not_evaluable = Some(Metric::Youden.why_none(&table));
        if table.youden().is_some() {
            out.not_evaluable = Some(metric.why_none(&table));
        }
        return out;
    };
    out.value = Some(value);
    // The prevalence is not the sample's, so each class keeps its size.
    let unit = if plan.unit == ResamplingUnit::Case { ResamplingUnit::CaseStratified } else { plan.unit };
    let calls: Vec<bool> = sample.scores.iter().map(|&s| s >= threshold).collect();
    let statistic = |t: &Confusion| transported::at_prevalence(t, prevalence, carried);
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in &plan.methods {
        match method {
            By::Log => {
                if let Some(se) = logit_se {
                    let limits = se(&table).and_then(|se| transported::logit_limits(value, se, plan.level));
                    push(&mut out, method, plan, limits, "sensitivity or specificity is 0 or 1");
                }
            }
            By::ClopperPearson => {
                let limits = transported::exact_limits(&table, prevalence, plan.level, carried);
                push(&mut out, method, plan, limits, "a class is empty");
            }
            By::BootstrapPercentile | By::BootstrapBasic | By::BootstrapBca => {
                let resampler = || Resampler::new(unit, &cases_of(sample));
                let drawn = replicates.get_or_insert_with(|| {
                    Ok(bootstrap::confusion_with(
                        &resampler()?,
                        sample.labels,
                        &calls,
                        plan.replicates,
                        plan.seed,
                        statistic,
                    ))
                });
                push_bootstrap_of(&mut out, method, plan, unit, value, drawn, || {
                    resampler().map_or(Vec::new(), |r| {
                        bootstrap::confusion_jackknife(&r, sample.labels, &calls, statistic)
                    })
                });
            }
            _ => {}
        }
    }
    let collapsed = out.intervals.iter().any(|i| i.lower == i.upper);
    if collapsed {
        out.warnings.push(NO_SPREAD_BESIDE_EXACT.into());
    }
    let exact = out.intervals.iter().any(|i| i.method == By::ClopperPearson);
    if !exact && (collapsed || out.intervals.is_empty()) {
        let limits = transported::exact_limits(&table, prevalence, plan.level, carried);
        push(&mut out, By::ClopperPearson, plan, limits, "a class is empty");
    }
    warn_about_clusters(sample, &mut out);
    out
}

/// AUC of the sample's scores minus AUC of `other` scores on the same cases: `auc_difference`, with the p value
/// of the first method that has a variance. Methods: `delong`, `obuchowski` (patients), the bootstrap.
pub fn estimate_difference(sample: &Sample<'_>, other: &[f64], plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: "auc_difference".into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        ..Estimate::default()
    };
    let second = Sample { scores: other, ..*sample };
    if let Some(reason) = unusable(Metric::Auc, sample, None).or_else(|| unusable(Metric::Auc, &second, None))
    {
        out.not_evaluable = Some(reason);
        return out;
    }
    let Some(independent) = roc::paired(sample.labels, sample.scores, other, None) else {
        let which = if out.positives == 0 { "positive" } else { "negative" };
        out.not_evaluable = Some(format!("there is no {which} case"));
        return out;
    };
    let value = independent.difference;
    out.value = Some(value);
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in &plan.methods {
        if matches!(method, By::Delong | By::Obuchowski) {
            let variance = match (method, sample.patients) {
                (By::Obuchowski, Some(patients)) => {
                    roc::paired(sample.labels, sample.scores, other, Some(patients))
                        .and_then(|p| p.difference_variance)
                }
                _ => independent.difference_variance,
            };
            let se = variance.filter(|v| *v > 0.0).map(f64::sqrt);
            if let Some(se) = se.filter(|_| out.standard_error.is_none()) {
                out.standard_error = Some(se);
                out.p_value = Some(normal_two_sided(value / se));
            }
            let limits = se.map(|se| {
                let half = z_two_sided(plan.level) * se;
                ((value - half).max(-1.0), (value + half).min(1.0))
            });
            push(&mut out, method, plan, limits, "the difference has no variance to estimate");
        } else if matches!(method, By::BootstrapPercentile | By::BootstrapBasic | By::BootstrapBca) {
            let resampler = || Resampler::new(plan.unit, &cases_of(sample));
            let drawn = replicates.get_or_insert_with(|| {
                Ok(bootstrap::auc_difference(
                    &resampler()?,
                    sample.labels,
                    sample.scores,
                    other,
                    plan.replicates,
                    plan.seed,
                ))
            });
            push_bootstrap(&mut out, method, plan, value, drawn, || {
                resampler().map_or(Vec::new(), |r| {
                    let first = bootstrap::auc_jackknife(&r, sample.labels, sample.scores);
                    let second = bootstrap::auc_jackknife(&r, sample.labels, other);
                    first.iter().zip(&second).map(|(a, b)| (a.0 - b.0, a.1)).collect()
                })
            });
        }
    }
    if out.intervals.iter().any(|i| i.lower == i.upper) {
        match exact_difference(sample, other, value, plan.level) {
            Some((pairs, limits)) => {
                out.warnings.push(format!(
                    "no-spread: the two scores differ alike in every pair of a positive and a negative, so an \
                     interval collapsed to a point; the Clopper-Pearson interval is the exact one of {pairs} disjoint \
                     pairs"
                ));
                push(&mut out, By::ClopperPearson, plan, Some(limits), "");
            }
            None => out.warnings.push(NO_SPREAD.into()),
        }
    }
    warn_about_clusters(sample, &mut out);
    out
}

/// Limits of a difference of AUCs where it is the same in every pair of a positive and a negative: disjoint pairs are
/// independent, so with the exact bound u on the share of pairs that differ otherwise, the difference moves by at most
/// u(1 + |difference|). With the number of pairs; none where pairs are not alike.
fn exact_difference(sample: &Sample<'_>, other: &[f64], value: f64, level: f64) -> Option<(u64, (f64, f64))> {
    let alike = if value.abs() == 1.0 {
        true
    } else {
        // The same order in both scores, ties included.
        let mut order: Vec<usize> = (0..other.len()).collect();
        order.sort_by(|&i, &j| {
            sample.scores[i].total_cmp(&sample.scores[j]).then(other[i].total_cmp(&other[j]))
        });
        value == 0.0
            && order.windows(2).all(|w| {
                let [i, j] = [w[0], w[1]];
                (sample.scores[i] == sample.scores[j]) == (other[i] == other[j]) && other[i] <= other[j]
            })
    };
    if !alike {
        return None;
    }
    let pairs = disjoint_pairs(sample, &roc::auc_sums(sample.labels, sample.scores));
    let reach = exact_share(0, pairs, level).1 * (1.0 + value.abs());
    Some((pairs, ((value - reach).max(-1.0), (value + reach).min(1.0))))
}

/// Said where an interval collapsed and there is no other.
const NO_SPREAD: &str = "no-spread: an interval collapsed to a point; it says that these cases do not vary, not that the value is certain";

/// Accuracy of the sample's calls minus accuracy of the calls of `other` scores at one threshold: `mcnemar`, with
/// the exact p value of McNemar's test; numerator: cases that only the first calls right; denominator: cases
/// on which exactly one is right.
pub fn estimate_mcnemar(sample: &Sample<'_>, other: &[f64], threshold: f64) -> (Estimate, McNemar) {
    let mut out = Estimate {
        id: "mcnemar".into(),
        n: sample.labels.len() as u64,
        positives: sample.labels.iter().filter(|&&l| l).count() as u64,
        threshold: Some(threshold),
        ..Estimate::default()
    };
    let second = Sample { scores: other, ..*sample };
    let unusable = |sample: &Sample<'_>| unusable(Metric::Accuracy, sample, Some(threshold));
    if let Some(reason) = unusable(sample).or_else(|| unusable(&second)) {
        out.not_evaluable = Some(reason);
        return (out, McNemar::default());
    }
    let calls = |scores: &[f64]| -> Vec<bool> { scores.iter().map(|&s| s >= threshold).collect() };
    let test = super::mcnemar::mcnemar(sample.labels, &calls(sample.scores), &calls(other));
    let (b, c) = (test.only_first_correct, test.only_second_correct);
    out.value = Some((b as f64 - c as f64) / out.n as f64);
    out.numerator = Some(b);
    out.denominator = Some(b + c);
    out.p_value = test.exact_p();
    if out.p_value.is_none() {
        out.warnings.push("no-discordant-case: both are right on the same cases, so there is no test".into());
    }
    if has_clusters(sample).is_some() {
        out.warnings.push(
            "clustering-ignored: McNemar's test treats several cases of one patient as independent".into(),
        );
    }
    (out, test)
}

fn unusable(metric: Metric, sample: &Sample<'_>, threshold: Option<f64>) -> Option<String> {
    let n = sample.labels.len();
    let fits = |len: usize| len == n;
    let aligned = fits(sample.scores.len())
        && sample.patients.is_none_or(|p| fits(p.len()))
        && sample.sites.is_none_or(|s| fits(s.len()));
    if !aligned {
        return Some("labels, scores, patients and sites do not have the same length".into());
    }
    if n == 0 {
        return Some("there are no cases".into());
    }
    if let Some(bad) = sample.scores.iter().find(|s| !s.is_finite()) {
        return Some(format!("a score is not a finite number: {bad}"));
    }
    if metric.needs_threshold() && !threshold.is_some_and(f64::is_finite) {
        return Some("it holds at a threshold, and none was given".into());
    }
    if metric.needs_probabilities() && sample.scores.iter().any(|s| !(0.0..=1.0).contains(s)) {
        return Some("the scores are not probabilities in 0..1".into());
    }
    None
}

fn cases_of<'a>(sample: &Sample<'a>) -> Cases<'a> {
    Cases { labels: sample.labels, patients: sample.patients, sites: sample.sites }
}

/// Adds an interval, or the warning that there is none.
fn push(out: &mut Estimate, method: By, plan: &Plan, limits: Option<(f64, f64)>, why_none: &str) {
    match limits.filter(|l| l.0.is_finite() && l.1.is_finite()) {
        Some((lower, upper)) => out.intervals.push(Interval {
            method,
            level: plan.level,
            lower,
            upper,
            unit: None,
            replicates: None,
            seed: None,
            dropped: None,
        }),
        None => out
            .warnings
            .push(format!("interval-not-evaluable: no interval by {}: {why_none}", method.describe())),
    }
}

/// Adds a bootstrap interval from replicates that were drawn once for all methods.
fn push_bootstrap(
    out: &mut Estimate,
    method: By,
    plan: &Plan,
    value: f64,
    drawn: &Result<Replicates, String>,
    jackknife: impl FnOnce() -> Vec<(f64, u64)>,
) {
    push_bootstrap_of(out, method, plan, plan.unit, value, drawn, jackknife);
}

/// [`push_bootstrap`] where another unit was drawn than the plan's.
fn push_bootstrap_of(
    out: &mut Estimate,
    method: By,
    plan: &Plan,
    unit: ResamplingUnit,
    value: f64,
    drawn: &Result<Replicates, String>,
    jackknife: impl FnOnce() -> Vec<(f64, u64)>,
) {
    let replicates = match drawn {
        Ok(replicates) => replicates,
        Err(reason) => return push(out, method, plan, None, reason),
    };
    let limits = match method {
        By::BootstrapBasic => replicates.basic(value, plan.level),
        By::BootstrapBca => replicates.bca(value, bootstrap::acceleration(&jackknife()), plan.level),
        _ => replicates.percentile(plan.level),
    };
    let why_none = if replicates.values.is_empty() {
        "no replicate could be evaluated"
    } else {
        "every replicate lies on one side of the estimate"
    };
    let before = out.intervals.len();
    push(out, method, plan, limits, why_none);
    if let Some(interval) = out.intervals.get_mut(before) {
        interval.unit = Some(unit);
        interval.replicates = Some(plan.replicates);
        interval.seed = Some(plan.seed);
        interval.dropped = Some(replicates.dropped);
    }
    let code = "replicates-dropped:";
    if replicates.dropped > 0 && !out.warnings.iter().any(|w| w.starts_with(code)) {
        out.warnings.push(format!(
            "{code} {} of {} replicates could not be evaluated and were left out of the quantiles",
            replicates.dropped, plan.replicates
        ));
    }
}

fn is_bootstrap(method: By) -> bool {
    matches!(method, By::BootstrapPercentile | By::BootstrapBasic | By::BootstrapBca)
}

fn has_clusters(sample: &Sample<'_>) -> Option<(usize, usize)> {
    let (_, patients) = roc::dense_ids(sample.patients?);
    (patients < sample.labels.len()).then_some((sample.labels.len(), patients))
}

/// Says so when an interval treats several cases of one patient as independent.
fn warn_about_clusters(sample: &Sample<'_>, out: &mut Estimate) {
    let Some((cases, patients)) = has_clusters(sample) else { return };
    let naive: Vec<&str> = out
        .intervals
        .iter()
        .filter(|i| {
            i.method != By::Obuchowski
                && !matches!(
                    i.unit,
                    Some(ResamplingUnit::Patient | ResamplingUnit::Site | ResamplingUnit::SiteThenPatient)
                )
        })
        .map(|i| i.method.describe())
        .collect();
    if !naive.is_empty() {
        out.warnings.push(format!(
            "clustering-ignored: {} {} the {cases} cases of {patients} patients as independent",
            naive.join(", "),
            if naive.len() == 1 { "treats" } else { "treat" }
        ));
    }
}

fn estimate_auc(sample: &Sample<'_>, plan: &Plan, out: &mut Estimate) {
    let sums = roc::auc_sums(sample.labels, sample.scores);
    let Some(value) = sums.auc() else {
        let which = if sums.positives == 0 { "positive" } else { "negative" };
        out.not_evaluable = Some(format!("there is no {which} case"));
        return;
    };
    out.value = Some(value);
    let delong = sums.delong_variance();
    let obuchowski = sample
        .patients
        .and_then(|p| roc::obuchowski_variance(sample.labels, sample.scores, p))
        .or(if sample.patients.is_none() { delong } else { None });
    let wants = |method| plan.methods.contains(&method);
    let variance = if wants(By::Obuchowski) { obuchowski } else { delong };
    out.standard_error = variance.map(f64::sqrt);
    let too_few = "each class needs at least two cases";
    let symmetric = |variance: Option<f64>| {
        variance.filter(|v| *v >= 0.0).map(|v| roc::clipped_interval(value, v.sqrt(), plan.level))
    };
    let mut replicates: Option<Result<Replicates, String>> = None;
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    for &method in plan.methods.iter().filter(|m| Metric::Auc.accepts(**m)) {
        match method {
            By::Delong => push(out, method, plan, symmetric(delong), too_few),
            By::DelongLogit => {
                let limits = delong.and_then(|v| roc::logit_interval(value, v.sqrt(), plan.level));
                let why = if delong.is_none() { too_few } else { "the AUC or its variance is at a boundary" };
                push(out, method, plan, limits, why);
            }
            By::HanleyMcneil => {
                let variance = sums.hanley_mcneil_se().map(|se| se * se);
                push(out, method, plan, symmetric(variance), too_few);
            }
            By::UStatistic => {
                let variance = sums.u_statistic_variance();
                let why = if variance.is_some() { "the unbiased variance is negative" } else { too_few };
                push(out, method, plan, symmetric(variance), why);
            }
            By::Obuchowski => {
                let why = "two patients with positive and two with negative cases are needed, and a variance that is not \
                           negative";
                push(out, method, plan, symmetric(obuchowski), why);
            }
            _ => {
                let drawn = replicates.get_or_insert_with(|| {
                    Ok(bootstrap::auc(
                        &resampler()?,
                        sample.labels,
                        sample.scores,
                        plan.replicates,
                        plan.seed,
                    ))
                });
                push_bootstrap(out, method, plan, value, drawn, || {
                    resampler()
                        .map_or(Vec::new(), |r| bootstrap::auc_jackknife(&r, sample.labels, sample.scores))
                });
            }
        }
    }
    guard_auc(sample, plan, value, &sums, out);
    warn_about_small_class(sample, &sums, out);
}

/// Said where a collapsed interval has an exact one beside it.
const NO_SPREAD_BESIDE_EXACT: &str = "no-spread: the cases do not vary in what this counts, so an interval collapsed to a point; the Clopper-Pearson \
     interval does not rest on that";

/// Below this many units in a class, simulated intervals of the AUC cover less than 92 % at level 0.95
/// (`docs/coverage.md`): 75 % with four, 86 % with seven.
const FEW_UNITS: u64 = 15;

/// Says so when a class is too small for what the intervals assume.
fn warn_about_small_class(sample: &Sample<'_>, sums: &roc::AucSums, out: &mut Estimate) {
    let (what, positives, negatives) = match (has_clusters(sample), sample.patients) {
        (Some(_), Some(patients)) => {
            let seen = classes_of_patients(sample, patients);
            let with = |class: usize| seen.iter().filter(|s| s[class]).count() as u64;
            ("patients", with(1), with(0))
        }
        _ => ("cases", sums.positives, sums.negatives),
    };
    let (class, count) =
        if positives <= negatives { ("positive", positives) } else { ("negative", negatives) };
    if count < FEW_UNITS && !out.intervals.is_empty() {
        out.warnings.push(format!(
            "small-class: with {count} {class} {what} the intervals of the AUC cover less often than their level says"
        ));
    }
}

/// For each patient, whether there is a negative and a positive case.
fn classes_of_patients(sample: &Sample<'_>, patients: &[u32]) -> Vec<[bool; 2]> {
    let (dense, count) = roc::dense_ids(patients);
    let mut seen = vec![[false; 2]; count];
    for (&patient, &label) in dense.iter().zip(sample.labels) {
        seen[patient as usize][usize::from(label)] = true;
    }
    seen
}

/// An AUC without spread: say why, and add an interval that does not collapse.
fn guard_auc(sample: &Sample<'_>, plan: &Plan, value: f64, sums: &roc::AucSums, out: &mut Estimate) {
    let collapsed = out.intervals.iter().any(|i| i.lower == i.upper);
    let extreme = value == 0.0 || value == 1.0;
    if extreme {
        let pairs = disjoint_pairs(sample, sums);
        out.warnings.push(format!(
            "perfect-separation: the classes do not overlap, so variances estimated from them are zero; the \
             Clopper-Pearson interval is the exact one of {pairs} disjoint pairs, all of them in one order"
        ));
        let won = if value == 1.0 { pairs } else { 0 };
        push(out, By::ClopperPearson, plan, Some(exact_share(won, pairs, plan.level)), "");
    } else if collapsed {
        out.warnings.push(
            "no-spread: the placements do not vary (constant scores), so the estimated variance is zero; the \
             Hanley-McNeil interval does not rest on them"
                .into(),
        );
        if !out.intervals.iter().any(|i| i.method == By::HanleyMcneil) {
            let limits = sums.hanley_mcneil_se().map(|se| roc::clipped_interval(value, se, plan.level));
            push(out, By::HanleyMcneil, plan, limits, "a class is empty");
        }
    }
}

/// Clopper-Pearson limits; no trial excludes nothing.
fn exact_share(k: u64, n: u64, level: f64) -> (f64, f64) {
    if n == 0 { (0.0, 1.0) } else { proportion::clopper_pearson(k, n, level) }
}

/// How many pairs of a positive and a negative share neither case nor patient.
fn disjoint_pairs(sample: &Sample<'_>, sums: &roc::AucSums) -> u64 {
    let Some(patients) = sample.patients else { return sums.positives.min(sums.negatives) };
    let seen = classes_of_patients(sample, patients);
    let with = |class: usize| seen.iter().filter(|s| s[class]).count() as u64;
    with(0).min(with(1)).min(seen.len() as u64 / 2)
}

fn estimate_table(metric: Metric, sample: &Sample<'_>, calls: &[bool], plan: &Plan, out: &mut Estimate) {
    let mut table = Confusion::default();
    for (&label, &call) in sample.labels.iter().zip(calls) {
        table.count(label, call);
    }
    let Some(value) = metric.of_table(&table) else {
        out.not_evaluable = Some(metric.why_none(&table));
        return;
    };
    out.value = Some(value);
    let counts = match metric {
        Metric::Sensitivity => Some(table.sensitivity()),
        Metric::Specificity => Some(table.specificity()),
        Metric::Ppv => Some(table.ppv()),
        Metric::Npv => Some(table.npv()),
        Metric::Accuracy => Some(table.accuracy()),
        Metric::Prevalence => Some(table.prevalence()),
        _ => None,
    };
    if let Some((k, n)) = counts {
        out.numerator = Some(k);
        out.denominator = Some(n);
        out.standard_error = Some((value * (1.0 - value) / n as f64).sqrt());
    }
    out.standard_error = match metric {
        Metric::Youden => table.youden_se(),
        Metric::BalancedAccuracy => table.youden_se().map(|se| se / 2.0),
        _ => out.standard_error,
    };
    let mut replicates: Option<Result<Replicates, String>> = None;
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    for &method in plan.methods.iter().filter(|m| metric.accepts(**m)) {
        if is_bootstrap(method) {
            let statistic = metric.table_statistic();
            let drawn = replicates.get_or_insert_with(|| {
                Ok(bootstrap::confusion_with(
                    &resampler()?,
                    sample.labels,
                    calls,
                    plan.replicates,
                    plan.seed,
                    statistic,
                ))
            });
            push_bootstrap(out, method, plan, value, drawn, || {
                resampler().map_or(Vec::new(), |r| {
                    bootstrap::confusion_jackknife(&r, sample.labels, calls, statistic)
                })
            });
        } else {
            let limits = table_limits(metric, method, &table, value, plan.level);
            push(out, method, plan, limits, "a cell of the table is zero");
        }
    }
    if let Some((_, n)) = counts.filter(|c| c.1 < FEW_UNITS)
        && out.intervals.iter().any(|i| is_bootstrap(i.method))
    {
        out.warnings.push(format!(
            "small-class: with {n} cases below the line the bootstrap covers less often than its level says; exact \
             intervals do not"
        ));
    }
    // Never a point alone: exact limits stand beside it.
    let exact = matches!(metric, Metric::LrPositive | Metric::LrNegative | Metric::DiagnosticOddsRatio);
    let collapsed = out.intervals.iter().any(|i| i.lower == i.upper);
    if collapsed {
        out.warnings.push(NO_SPREAD_BESIDE_EXACT.into());
    }
    let missing = out.intervals.is_empty() && !plan.methods.is_empty() && exact;
    if (collapsed || missing) && !out.intervals.iter().any(|i| i.method == By::ClopperPearson) {
        let limits = table_limits(metric, By::ClopperPearson, &table, value, plan.level);
        push(out, By::ClopperPearson, plan, limits, "an exact limit is unbounded");
    }
}

/// Closed-form limits of a number made from a table.
fn table_limits(metric: Metric, method: By, table: &Confusion, value: f64, level: f64) -> Option<(f64, f64)> {
    let binomial = |(k, n): (u64, u64)| -> Option<(f64, f64)> {
        if n == 0 {
            return None;
        }
        match method {
            By::ClopperPearson => Some(proportion::clopper_pearson(k, n, level)),
            By::Wilson => Some(proportion::wilson(k, n, level)),
            By::AgrestiCoull => Some(proportion::agresti_coull(k, n, level)),
            By::Jeffreys => Some(proportion::jeffreys(k, n, level)),
            _ => None,
        }
    };
    let wald = |se: Option<f64>, least: f64| {
        let half = z_two_sided(level) * se?;
        Some(((value - half).max(least), (value + half).min(1.0)))
    };
    // Exact limits of sensitivity and specificity at level^½ each, carried through a function that rises
    // with both (they come from different cases): coverage is at least the level.
    let carried = |f: &dyn Fn(f64, f64) -> f64| {
        let (sensitivity, specificity) = (table.sensitivity(), table.specificity());
        if sensitivity.1 == 0 || specificity.1 == 0 {
            return None;
        }
        let each = level.sqrt();
        let se = proportion::clopper_pearson(sensitivity.0, sensitivity.1, each);
        let sp = proportion::clopper_pearson(specificity.0, specificity.1, each);
        Some((f(se.0, sp.0), f(se.1, sp.1)))
    };
    let log = |se: Option<f64>| Some(log_interval(value, se?, level));
    let p = share(table.positives(), table.total())?;
    match metric {
        Metric::Sensitivity => binomial(table.sensitivity()),
        Metric::Specificity => binomial(table.specificity()),
        Metric::Ppv => binomial(table.ppv()),
        Metric::Npv => binomial(table.npv()),
        Metric::Accuracy => binomial(table.accuracy()),
        Metric::Prevalence => binomial(table.prevalence()),
        Metric::F1 => {
            // Given TP+FP+FN, TP is binomial; F1 = 2J/(1+J) rises with J.
            let among = table.true_positives + table.false_positives + table.false_negatives;
            let (lower, upper) = binomial((table.true_positives, among))?;
            Some((2.0 * lower / (1.0 + lower), 2.0 * upper / (1.0 + upper)))
        }
        Metric::Youden if method == By::Wald => wald(table.youden_se(), -1.0),
        Metric::BalancedAccuracy if method == By::Wald => wald(table.youden_se().map(|se| se / 2.0), 0.0),
        Metric::Youden => carried(&|se, sp| se + sp - 1.0),
        Metric::BalancedAccuracy => carried(&|se, sp| (se + sp) / 2.0),
        Metric::Mcc => carried(&|se, sp| {
            let called = p * se + (1.0 - p) * (1.0 - sp);
            let room = (called * (1.0 - called)).sqrt();
            if room > 0.0 { (se + sp - 1.0) * (p * (1.0 - p)).sqrt() / room } else { 0.0 }
        }),
        Metric::LrPositive if method == By::Log => log(table.lr_positive_log_se()),
        Metric::LrNegative if method == By::Log => log(table.lr_negative_log_se()),
        Metric::DiagnosticOddsRatio if method == By::Log => log(table.diagnostic_odds_ratio_log_se()),
        Metric::LrPositive => carried(&|se, sp| se / (1.0 - sp)),
        Metric::LrNegative => carried(&|se, sp| (1.0 - se) / sp).map(|(a, b)| (b, a)),
        Metric::DiagnosticOddsRatio => carried(&|se, sp| se * sp / ((1.0 - se) * (1.0 - sp))),
        _ => None,
    }
}

fn estimate_weighted(metric: Metric, sample: &Sample<'_>, plan: &Plan, out: &mut Estimate) {
    let (labels, scores) = (sample.labels, sample.scores);
    let statistic: Box<dyn Fn(Option<&[u32]>) -> Option<f64> + Sync + Send + '_> = match metric {
        Metric::AveragePrecision | Metric::PartialAuc => {
            let ordered = WeightedGroups::new(labels, scores);
            let bound = plan.partial_fpr;
            Box::new(move |weights| {
                let groups = ordered.weigh(weights);
                if metric == Metric::AveragePrecision {
                    roc::average_precision_of(&groups)
                } else {
                    roc::partial_area_of(&groups, bound).map(|area| roc::mcclish(area, bound))
                }
            })
        }
        Metric::Brier => Box::new(|w| calibration::brier(labels, scores, w)),
        Metric::LogLoss => Box::new(|w| calibration::log_loss(labels, scores, w)),
        Metric::Ece | Metric::Mce => {
            let error =
                if metric == Metric::Ece { calibration::expected_error } else { calibration::maximum_error };
            let edges = &plan.bin_edges;
            Box::new(move |w| {
                error(&calibration::reliability(labels, scores, w, edges, calibration::Edge::Left))
            })
        }
        Metric::CalibrationSlope => {
            Box::new(|w| calibration::recalibrate(labels, scores, w).map(|r| r.slope.value))
        }
        Metric::CalibrationIntercept => {
            Box::new(|w| calibration::recalibrate(labels, scores, w).map(|r| r.intercept.value))
        }
        _ => Box::new(|w| calibration::in_the_large(labels, scores, w).map(|c| c.value)),
    };
    let Some(value) = statistic(None) else {
        out.not_evaluable = Some(why_not_weighted(metric, sample, out.positives));
        return;
    };
    out.value = Some(value);
    out.standard_error = standard_error_of(metric, sample);
    let resampler = || Resampler::new(plan.unit, &cases_of(sample));
    let mut replicates: Option<Result<Replicates, String>> = None;
    for &method in plan.methods.iter().filter(|m| metric.accepts(**m)) {
        if method == By::Wald {
            let limits = out.standard_error.map(|se| {
                let half = z_two_sided(plan.level) * se;
                (value - half, value + half)
            });
            push(out, method, plan, limits, "there is no standard error");
            continue;
        }
        let drawn = replicates.get_or_insert_with(|| {
            Ok(bootstrap::weighted(&resampler()?, plan.replicates, plan.seed, |w| statistic(Some(w))))
        });
        push_bootstrap(out, method, plan, value, drawn, || {
            resampler().map_or(Vec::new(), |r| bootstrap::weighted_jackknife(&r, |w| statistic(Some(w))))
        });
    }
    if out.intervals.iter().any(|i| i.lower == i.upper) {
        let limits = match metric {
            Metric::PartialAuc => exact_partial_auc(sample, plan),
            Metric::AveragePrecision => exact_average_precision(sample, plan.level),
            _ => None,
        };
        match limits {
            Some(limits) => {
                out.warnings.push(
                    "no-spread: an interval collapsed to a point; the Clopper-Pearson interval carries exact limits of \
                     the sensitivity and the specificity at a negative of fixed rank through the curve"
                        .into(),
                );
                push(out, By::ClopperPearson, plan, Some(limits), "");
            }
            None => out.warnings.push(NO_SPREAD.into()),
        }
    }
}

/// Counts of independent units for bounds at the negative of rank `rank` (1 is the highest): (positives at or above
/// it, positives), where several cases of one patient count once: a patient's positives are at or above when all (for
/// lower bounds) or any (for upper bounds) of them are.
fn positives_above(sample: &Sample<'_>, cut: f64, strictly: bool, any: bool) -> (u64, u64) {
    let own: Vec<u32>;
    let patients = match sample.patients {
        Some(patients) => patients,
        None => {
            own = (0..sample.labels.len() as u32).collect();
            &own
        }
    };
    let (dense, count) = roc::dense_ids(patients);
    let mut seen: Vec<Option<bool>> = vec![None; count];
    for ((&patient, &label), &score) in dense.iter().zip(sample.labels).zip(sample.scores) {
        if label {
            let above = if strictly { score > cut } else { score >= cut };
            let so_far = &mut seen[patient as usize];
            *so_far = Some(match *so_far {
                None => above,
                Some(before) if any => before || above,
                Some(before) => before && above,
            });
        }
    }
    let positives = seen.iter().flatten();
    (positives.clone().filter(|a| **a).count() as u64, positives.count() as u64)
}

/// The highest score of each patient's (or case's) negatives, descending: independent draws that lie at or above
/// those of the cases.
fn highest_negatives(sample: &Sample<'_>, lowest: bool) -> Vec<f64> {
    let mut best: std::collections::BTreeMap<u32, f64> = std::collections::BTreeMap::new();
    for (i, (&label, &score)) in sample.labels.iter().zip(sample.scores).enumerate() {
        if !label {
            let unit = sample.patients.map_or(i as u32, |p| p[i]);
            let entry = best.entry(unit).or_insert(score);
            *entry = if lowest { entry.min(score) } else { entry.max(score) };
        }
    }
    let mut out: Vec<f64> = best.into_values().collect();
    out.sort_unstable_by(|a, b| b.total_cmp(a));
    out
}

/// Lowest sensitivity above the highest negative, and the most negatives that can lie above it: exact one-sided
/// bounds at a quarter of the error each. The share of negatives above the highest of n has the law Beta(1, n), which
/// is the Clopper-Pearson bound of 0 of n.
fn bound_above_negatives(sample: &Sample<'_>, level: f64) -> Option<(f64, f64)> {
    let negatives = highest_negatives(sample, false);
    let each = (1.0 + level) / 2.0;
    let (above, positives) = positives_above(sample, *negatives.first()?, true, false);
    let sensitivity = exact_share(above, positives, each).0;
    Some((sensitivity, exact_share(0, negatives.len() as u64, each).1))
}

/// Exact limits of the standardised partial area, conservative: below, the curve is at least the sensitivity bound
/// from the highest negative on; above, it is at most the bound at the first negative whose rank is certain to lie
/// beyond the rate.
fn exact_partial_auc(sample: &Sample<'_>, plan: &Plan) -> Option<(f64, f64)> {
    let bound = plan.partial_fpr;
    let (sensitivity, rate) = bound_above_negatives(sample, plan.level)?;
    let lower = sensitivity * (bound - rate).max(0.0);
    let negatives = highest_negatives(sample, true);
    let each = (1.0 + plan.level) / 2.0;
    let n = negatives.len() as u64;
    let least = |rank: u64| exact_share(rank, n, each).0;
    let rank = (1..=n).find(|&rank| least(rank) >= bound).unwrap_or(n);
    let (above, positives) = positives_above(sample, negatives[rank as usize - 1], false, true);
    let most = exact_share(above, positives, each).1;
    let reached = least(rank).min(bound);
    let upper = most * reached + (bound - reached);
    Some((roc::mcclish(lower, bound).clamp(0.0, 1.0), roc::mcclish(upper, bound).clamp(0.0, 1.0)))
}

/// Exact limits of average precision at the sample's prevalence, conservative: precision at recall r is at least
/// pr/(pr + (1 − p)f), where f is the bound on the rate above the highest negative up to the sensitivity bound, and 1
/// beyond.
fn exact_average_precision(sample: &Sample<'_>, level: f64) -> Option<(f64, f64)> {
    let (sensitivity, rate) = bound_above_negatives(sample, level)?;
    let m = sample.labels.iter().filter(|&&l| l).count() as f64;
    let odds = (sample.labels.len() as f64 - m) / m;
    // Integral of r/(r + c) from 0 to x.
    let area = |x: f64, c: f64| if c > 0.0 { x - c * (x / c).ln_1p() } else { x };
    let lower = area(sensitivity, odds * rate) + area(1.0, odds) - area(sensitivity, odds);
    Some((lower.clamp(0.0, 1.0), 1.0))
}

fn why_not_weighted(metric: Metric, sample: &Sample<'_>, positives: u64) -> String {
    if positives == 0 {
        return "there is no positive case".into();
    }
    if positives == sample.labels.len() as u64 {
        return "there is no negative case".into();
    }
    match metric {
        Metric::LogLoss => "probability zero was given to what occurred".into(),
        Metric::CalibrationSlope | Metric::CalibrationIntercept | Metric::CalibrationInTheLarge => {
            if sample.scores.iter().any(|&s| s <= 0.0 || s >= 1.0) {
                "a score of 0 or 1 has no logit".into()
            } else {
                "the scores are constant or separate the classes: there is no finite fit".into()
            }
        }
        _ => "it is undefined for these cases".into(),
    }
}

fn standard_error_of(metric: Metric, sample: &Sample<'_>) -> Option<f64> {
    let (labels, scores) = (sample.labels, sample.scores);
    let terms = |term: fn(f64) -> f64| -> Vec<f64> {
        labels.iter().zip(scores).map(|(&l, &s)| term(if l { 1.0 - s } else { s })).collect()
    };
    match metric {
        Metric::Brier => calibration::mean_standard_error(&terms(|miss| miss * miss)),
        Metric::LogLoss => calibration::mean_standard_error(&terms(|miss| -(-miss).ln_1p())),
        Metric::CalibrationSlope => {
            calibration::recalibrate(labels, scores, None).map(|r| r.slope.standard_error)
        }
        Metric::CalibrationIntercept => {
            calibration::recalibrate(labels, scores, None).map(|r| r.intercept.standard_error)
        }
        Metric::CalibrationInTheLarge => {
            calibration::in_the_large(labels, scores, None).map(|c| c.standard_error)
        }
        _ => None,
    }
}

/// Distinct scores with their cases, so that a replicate is weighed without sorting.
struct WeightedGroups {
    /// (group, label) of each case.
    place: Vec<(u32, bool)>,
    keys: Vec<u64>,
}

impl WeightedGroups {
    fn new(labels: &[bool], scores: &[f64]) -> Self {
        let keys: Vec<u64> = roc::groups(labels, scores).iter().map(|g| g.key).collect();
        let place = labels
            .iter()
            .zip(scores)
            .map(|(&l, &s)| (keys.partition_point(|k| *k < roc::key(s)) as u32, l))
            .collect();
        Self { place, keys }
    }

    fn weigh(&self, weights: Option<&[u32]>) -> Vec<roc::Group> {
        let mut groups: Vec<roc::Group> =
            self.keys.iter().map(|&key| roc::Group { key, positives: 0, negatives: 0 }).collect();
        for (case, &(group, label)) in self.place.iter().enumerate() {
            let weight = weights.map_or(1, |w| u64::from(w[case]));
            let group = &mut groups[group as usize];
            if label { group.positives += weight } else { group.negatives += weight }
        }
        groups.retain(|g| g.positives + g.negatives > 0);
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [By; 14] = [
        By::Delong,
        By::DelongLogit,
        By::HanleyMcneil,
        By::Obuchowski,
        By::UStatistic,
        By::ClopperPearson,
        By::Wilson,
        By::AgrestiCoull,
        By::Jeffreys,
        By::Log,
        By::Wald,
        By::BootstrapPercentile,
        By::BootstrapBasic,
        By::BootstrapBca,
    ];

    fn plan(unit: ResamplingUnit) -> Plan {
        Plan::new(0.95, EVERY.to_vec(), unit, 200, 7)
    }

    /// Values and limits are finite, a missing value has a reason, and a point interval has company.
    fn check_honest(estimate: &Estimate, what: &str) {
        assert_eq!(estimate.value.is_none(), estimate.not_evaluable.is_some(), "{what}: {estimate:?}");
        assert!(estimate.value.is_none_or(f64::is_finite), "{what}: {estimate:?}");
        assert!(estimate.standard_error.is_none_or(f64::is_finite), "{what}: {estimate:?}");
        for i in &estimate.intervals {
            assert!(i.lower.is_finite() && i.upper.is_finite() && i.lower <= i.upper, "{what}: {estimate:?}");
        }
        if estimate.intervals.iter().any(|i| i.lower == i.upper) {
            assert!(!estimate.warnings.is_empty(), "{what}: {estimate:?}");
        }
    }

    fn every_estimate(sample: &Sample<'_>, unit: ResamplingUnit) -> Vec<Estimate> {
        let plan = plan(unit);
        let mut out: Vec<Estimate> =
            Metric::ALL.iter().map(|&m| estimate(m, sample, Some(0.5), &plan)).collect();
        for metric in [Metric::Ppv, Metric::Npv, Metric::F1] {
            out.push(estimate_at_prevalence(metric, sample, 0.5, 0.05, &plan));
        }
        out
    }

    #[test]
    fn edges_give_values_or_reasons_and_never_nan() {
        let edges: [(&str, Vec<bool>, Vec<f64>); 8] = [
            ("no case", vec![], vec![]),
            ("one case", vec![true], vec![0.4]),
            ("one class", vec![false; 5], vec![0.1, 0.2, 0.6, 0.7, 0.8]),
            ("one of each", vec![true, false], vec![0.9, 0.1]),
            ("perfect", vec![true, true, false, false], vec![0.9, 0.8, 0.2, 0.1]),
            ("reversed", vec![false, false, true, true], vec![0.9, 0.8, 0.2, 0.1]),
            ("constant", vec![true, false, true, false], vec![0.5; 4]),
            ("ends", vec![true, false, true, false], vec![1.0, 0.0, 0.0, 1.0]),
        ];
        for (what, labels, scores) in &edges {
            let ids: Vec<u32> = (0..labels.len() as u32).map(|i| i / 2).collect();
            let sample = Sample { labels, scores, patients: Some(&ids), sites: Some(&ids) };
            for unit in [
                ResamplingUnit::Case,
                ResamplingUnit::CaseStratified,
                ResamplingUnit::Patient,
                ResamplingUnit::Site,
                ResamplingUnit::SiteThenPatient,
            ] {
                for estimate in every_estimate(&sample, unit) {
                    check_honest(&estimate, what);
                }
            }
        }
    }

    #[test]
    fn perfect_separation_is_never_a_bare_one() {
        let labels: Vec<bool> = (0..100).map(|i| i >= 60).collect();
        let scores: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let plan = Plan::new(0.95, vec![By::Delong], ResamplingUnit::Case, 200, 7);
        let auc = estimate(Metric::Auc, &sample, None, &plan);
        assert_eq!(auc.value, Some(1.0));
        assert!(auc.warnings[0].starts_with("perfect-separation: "));
        let exact = auc.intervals.iter().find(|i| i.method == By::ClopperPearson).expect("exact");
        // 40 disjoint pairs, all won.
        assert!((exact.lower - 0.025_f64.powf(1.0 / 40.0)).abs() < 1e-14);
        assert_eq!(exact.upper, 1.0);
        let sensitivity = estimate(
            Metric::Sensitivity,
            &sample,
            Some(0.6),
            &Plan { methods: vec![By::BootstrapPercentile], ..plan },
        );
        assert_eq!(sensitivity.value, Some(1.0));
        assert!(sensitivity.intervals.iter().any(|i| i.method == By::ClopperPearson && i.lower < 0.95));
    }

    #[test]
    fn one_on_separated_classes_always_has_another_interval() {
        let labels: Vec<bool> = (0..100).map(|i| i >= 60).collect();
        let scores: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
        let reversed: Vec<f64> = scores.iter().map(|s| 1.0 - s).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let stratified = plan(ResamplingUnit::CaseStratified);
        let exact = |e: &Estimate| {
            let wide = |i: &&Interval| i.method == By::ClopperPearson && i.lower < i.upper;
            e.intervals.iter().find(wide).map(|i| (i.lower, i.upper)).unwrap_or_else(|| panic!("{e:?}"))
        };
        let partial = exact(&estimate(Metric::PartialAuc, &sample, None, &stratified));
        // A quarter of the error each: 0.0125 for 40 of 40 positives and for 0 of 60 negatives.
        let (se, rate) = (0.0125_f64.powf(1.0 / 40.0), 1.0 - 0.0125_f64.powf(1.0 / 60.0));
        assert!((partial.0 - roc::mcclish(se * (0.1 - rate).max(0.0), 0.1)).abs() < 1e-12, "{partial:?}");
        assert_eq!(partial.1, 1.0);
        let precision = exact(&estimate(Metric::AveragePrecision, &sample, None, &stratified));
        assert!(precision.0 > 0.5 && precision.0 < 1.0 && precision.1 == 1.0, "{precision:?}");
        let difference = exact(&estimate_difference(&sample, &reversed, &stratified));
        let reach = 2.0 * (1.0 - 0.025_f64.powf(1.0 / 40.0));
        assert!((difference.0 - (1.0 - reach)).abs() < 1e-12 && difference.1 == 1.0, "{difference:?}");
        // One patient holds both classes: there is no pair, and nothing is excluded.
        let (labels, scores) = ([true, false], [0.9, 0.1]);
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&[4, 4]), sites: None };
        let auc = estimate(Metric::Auc, &sample, None, &plan(ResamplingUnit::Patient));
        assert_eq!(exact(&auc), (0.0, 1.0));
    }

    #[test]
    fn an_interval_at_another_prevalence_names_the_unit_that_was_drawn() {
        let labels = [true, true, false, false, false];
        let scores = [0.9, 0.4, 0.6, 0.1, 0.2];
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let carried = estimate_at_prevalence(Metric::Npv, &sample, 0.5, 0.05, &plan(ResamplingUnit::Case));
        let units: Vec<_> = carried.intervals.iter().filter_map(|i| i.unit).collect();
        assert!(
            !units.is_empty() && units.iter().all(|u| *u == ResamplingUnit::CaseStratified),
            "{carried:?}"
        );
    }

    #[test]
    fn several_cases_of_a_patient_are_noticed() {
        let labels = [true, true, false, false, true, false];
        let scores = [0.9, 0.4, 0.6, 0.1, 0.7, 0.3];
        let patients = [0, 0, 1, 1, 2, 3];
        let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
        let delong = Plan::new(0.95, vec![By::Delong], ResamplingUnit::Patient, 200, 7);
        let warned = estimate(Metric::Auc, &sample, None, &delong);
        assert!(warned.warnings.iter().any(|w| w.starts_with("clustering-ignored: ")));
        let robust = Plan { methods: vec![By::Obuchowski, By::BootstrapPercentile], ..delong };
        let quiet = estimate(Metric::Auc, &sample, None, &robust);
        assert!(!quiet.warnings.iter().any(|w| w.starts_with("clustering-ignored: ")), "{quiet:?}");
        assert_eq!(quiet.intervals.len(), 2);
        let few = "small-class: with 2 positive patients the intervals of the AUC cover less often than their level says";
        assert!(quiet.warnings.iter().any(|w| w == few), "{quiet:?}");
    }

    #[test]
    fn an_interval_for_clusters_is_missing_only_with_too_few_patients_and_says_so() {
        let patients = [0, 0, 1, 1, 2, 2];
        let obuchowski = Plan::new(0.95, vec![By::Obuchowski], ResamplingUnit::Patient, 0, 7);
        let why = "two patients with positive and two with negative cases are needed, and a variance that is not negative";
        let (mut given, mut missing) = (0, 0);
        for code in 0..64 * 729_u32 {
            let labels: Vec<bool> = (0..6).map(|i| (code % 64) >> i & 1 == 1).collect();
            let scores: Vec<f64> = (0..6).map(|i| f64::from(code / 64 / 3_u32.pow(i) % 3)).collect();
            let sample = Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: None };
            let auc = estimate(Metric::Auc, &sample, None, &obuchowski);
            if auc.value.is_none() {
                continue;
            }
            let seen = classes_of_patients(&sample, &patients);
            let enough = (0..2).all(|class| seen.iter().filter(|s| s[class]).count() >= 2);
            let found = auc.intervals.iter().any(|i| i.method == By::Obuchowski);
            let said =
                auc.warnings.iter().any(|w| w.starts_with("interval-not-evaluable: ") && w.ends_with(why));
            assert_eq!((found, said), (enough, !enough), "{auc:?}");
            *(if enough { &mut given } else { &mut missing }) += 1;
        }
        assert!(given > 1000 && missing > 1000, "{given} {missing}");
    }

    #[test]
    fn serialised_names_are_the_ids() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).expect("json"), metric.id());
            assert_eq!(Metric::from_id(metric.id()), Some(metric));
        }
    }

    #[test]
    fn weighted_statistics_with_weights_of_one_are_the_plain_ones() {
        let labels = [true, false, true, false, false];
        let scores = [0.9, 0.4, 0.6, 0.6, 0.3];
        let groups = WeightedGroups::new(&labels, &scores);
        assert_eq!(groups.weigh(None), roc::groups(&labels, &scores));
        assert_eq!(groups.weigh(Some(&[1; 5])), roc::groups(&labels, &scores));
    }
}
