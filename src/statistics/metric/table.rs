//! Numbers made from a 2×2 table.

use crate::bootstrap;
use crate::bootstrap::{Replicates, Resampler};
use crate::confusion::{Confusion, log_interval};
use crate::estimate::{Estimate, IntervalMethod as By};
use crate::metric::counted::{Counted, counted};
use crate::metric::intervals::*;
use crate::metric::kind::Metric;
use crate::metric::plan::*;
use crate::special::z_two_sided;
use crate::warning::Warning;
use crate::{exact_law, proportion};
use sequester_diagnostic::Code;

/// A metric of a 2×2 table alone: no patients, bootstrap by case or by class.
pub fn estimate_from_table(metric: Metric, table: &Confusion, plan: &Plan) -> Estimate {
    let mut out = Estimate {
        id: metric.id().into(),
        n: table.total(),
        positives: table.positives(),
        ..Estimate::default()
    };
    if !metric.is_of_table() {
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
    estimate_table(metric, &sample, &calls, &counted(metric, &sample, &calls), plan, &mut out);
    out
}

pub(super) fn estimate_table(
    metric: Metric,
    sample: &Sample<'_>,
    calls: &[bool],
    counted: &Counted,
    plan: &Plan,
    out: &mut Estimate,
) {
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
        if method == By::BootstrapExact {
            push_exact_law(out, plan, plan.unit, |stratified| {
                exact_law::percentile(metric, &table, stratified, plan.level)
            });
        } else if method.draws_replicates() {
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
            let limits = match method {
                By::ClopperPearson | By::ClopperPearsonPatients | By::KornGraubard => {
                    counted.limits(metric, method, plan.level)
                }
                _ => table_limits(metric, method, &table, value, plan.level),
            };
            push(out, method, plan, limits, why_none(method));
        }
    }
    if let Some((_, n)) = counts.filter(|c| c.1 < FEW_UNITS)
        && out.intervals.iter().any(|i| i.method.draws_replicates() || i.method == By::BootstrapExact)
    {
        out.warnings.push(Warning::new(
            Code::SmallClass,
            format!(
                "with {n} cases below the line the bootstrap covers less often than its level says; exact \
             intervals do not"
            ),
        ));
    }
    let of_both_classes = matches!(
        metric,
        Metric::Youden
            | Metric::BalancedAccuracy
            | Metric::Mcc
            | Metric::LrPositive
            | Metric::LrNegative
            | Metric::DiagnosticOddsRatio
    );
    if of_both_classes {
        warn_about_small_class(sample, metric.id(), out);
    }
    // Never a point alone: exact limits stand beside it.
    let exact = matches!(metric, Metric::LrPositive | Metric::LrNegative | Metric::DiagnosticOddsRatio);
    let collapsed = out.intervals.iter().any(|i| i.is_point());
    if collapsed {
        out.warnings.push(no_spread_beside_exact());
    }
    let missing = out.intervals.is_empty() && !plan.methods.is_empty() && exact;
    if (collapsed || missing) && !out.intervals.iter().any(|i| i.method == By::ClopperPearson) {
        let limits = counted.limits(metric, By::ClopperPearson, plan.level);
        push(out, By::ClopperPearson, plan, limits, "an exact limit is unbounded");
    }
}

/// Why a closed form gives no limits.
fn why_none(method: By) -> &'static str {
    match method {
        By::ClopperPearson => "an exact limit is unbounded",
        By::ClopperPearsonPatients => {
            "patients with more cases are right more or less often than others, or a limit is unbounded"
        }
        By::KornGraubard => {
            "the design effect cannot be estimated: the cases are all right or all wrong, or \
             patients do not differ"
        }
        _ => "a cell of the table is zero",
    }
}

/// Closed-form limits of a number made from a table.
fn table_limits(metric: Metric, method: By, table: &Confusion, value: f64, level: f64) -> Option<(f64, f64)> {
    let binomial = |(k, n): (u64, u64)| -> Option<(f64, f64)> {
        if n == 0 {
            return None;
        }
        match method {
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
    let log = |se: Option<f64>| Some(log_interval(value, se?, level));
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
        Metric::LrPositive if method == By::Log => log(table.lr_positive_log_se()),
        Metric::LrNegative if method == By::Log => log(table.lr_negative_log_se()),
        Metric::DiagnosticOddsRatio if method == By::Log => log(table.diagnostic_odds_ratio_log_se()),
        _ => None,
    }
}
