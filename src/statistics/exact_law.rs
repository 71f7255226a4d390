//! Bootstrap laws in closed form: what the percentile interval tends to as replicates grow without bound.
//!
//! A share k/n resampled by case within its class is Binomial(n, k/n)/n. Resampled by case from all
//! cases, the class size itself is binomial, and the law is a mixture over it. Quantiles are
//! inverses of the distribution function (the smallest value whose cumulated probability reaches p). What is
//! not a share is summed over every 2×2 table that can be drawn.

use crate::confusion::Confusion;
use crate::metric::kind::Metric;
use crate::special::binomial_density;

/// Probabilities that differ by less are taken as equal when a quantile falls on a step.
const STEP: f64 = 1e-14;

/// Counts that are less likely are not summed.
const NEGLIGIBLE: f64 = 1e-18;

/// The percentile interval of a law, and the probability of tables that give no value and are left out of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactPercentile {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
    /// Left out, in 0..1.
    pub dropped: f64,
}

/// The bootstrap percentile interval of a metric of a 2×2 table without drawing: cases are resampled within
/// their class (`stratified`) or from all cases. None where too many tables can be drawn, or none of them has
/// a value.
pub fn percentile(
    metric: Metric,
    table: &Confusion,
    stratified: bool,
    level: f64,
) -> Option<ExactPercentile> {
    let tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0];
    let total = table.total();
    let of_share = |(k, class): (u64, u64)| -> Option<ExactPercentile> {
        let limits = mixed_size_quantiles(k, class, total, &tails)?;
        let rate = class as f64 / total as f64;
        let dropped = binomial_density(0.0, total as f64, rate, 1.0 - rate);
        Some(ExactPercentile { lower: limits[0], upper: limits[1], dropped })
    };
    let of_fixed = |(k, n): (u64, u64)| -> Option<ExactPercentile> {
        let [lower, upper] = tails.map(|p| fixed_size_quantile(k, n, p));
        (n > 0).then_some(ExactPercentile { lower, upper, dropped: 0.0 })
    };
    match metric {
        Metric::Sensitivity if stratified => of_fixed(table.sensitivity()),
        Metric::Specificity if stratified => of_fixed(table.specificity()),
        Metric::Accuracy if !stratified => of_fixed(table.accuracy()),
        Metric::Prevalence if !stratified => of_fixed(table.prevalence()),
        Metric::Sensitivity => of_share(table.sensitivity()),
        Metric::Specificity => of_share(table.specificity()),
        Metric::Ppv if !stratified => of_share(table.ppv()),
        Metric::Npv if !stratified => of_share(table.npv()),
        Metric::F1 if !stratified => {
            let among = table.true_positives + table.false_positives + table.false_negatives;
            let of = of_share((table.true_positives, among))?;
            // F1 = 2J/(1+J) of the share J rises with it.
            let f1 = |j: f64| 2.0 * j / (1.0 + j);
            Some(ExactPercentile { lower: f1(of.lower), upper: f1(of.upper), ..of })
        }
        _ => table_percentile(table, stratified, level, |t| metric.of_table(t)),
    }
}

/// [`percentile`] of any number made from a table, summed over all tables that can be drawn.
pub fn table_percentile(
    table: &Confusion,
    stratified: bool,
    level: f64,
    statistic: impl Fn(&Confusion) -> Option<f64>,
) -> Option<ExactPercentile> {
    let (m, total) = (table.positives(), table.total());
    if total == 0 {
        return None;
    }
    let rate = |k: u64, n: u64| if n == 0 { 0.0 } else { k as f64 / n as f64 };
    let (share, hit, alarm) =
        (rate(m, total), rate(table.true_positives, m), rate(table.false_positives, total - m));
    let sizes = if stratified { (m, m) } else { range(total, share) };
    // Counts with all but a negligible part of a binomial law.
    let counts = |n: u64, p: f64| -> Vec<(u64, f64)> {
        let (first, last) = range(n, p);
        (first..=last)
            .map(|k| (k, binomial_density(k as f64, n as f64, p, 1.0 - p)))
            .filter(|(_, weight)| *weight > NEGLIGIBLE)
            .collect()
    };
    let mut drawn_sizes = Vec::new();
    let mut terms = 0;
    for m in sizes.0..=sizes.1 {
        let of_size =
            if stratified { 1.0 } else { binomial_density(m as f64, total as f64, share, 1.0 - share) };
        if of_size > NEGLIGIBLE {
            let (hits, alarms) = (counts(m, hit), counts(total - m, alarm));
            terms += hits.len() * alarms.len();
            drawn_sizes.push((m, of_size, hits, alarms));
        }
        if terms as f64 > MOST_TERMS {
            return None;
        }
    }
    let mut law = Vec::with_capacity(terms);
    let mut dropped = 0.0;
    for (m, of_size, hits, alarms) in drawn_sizes {
        for (tp, of_hits) in hits {
            for &(fp, of_alarms) in &alarms {
                let weight = of_size * of_hits * of_alarms;
                let drawn = Confusion {
                    true_positives: tp,
                    false_negatives: m - tp,
                    false_positives: fp,
                    true_negatives: total - m - fp,
                };
                match statistic(&drawn).filter(|value| value.is_finite()) {
                    Some(value) => law.push((value, weight)),
                    None => dropped += weight,
                }
            }
        }
    }
    let evaluable: f64 = law.iter().map(|l| l.1).sum();
    law.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    let lower = quantile_of(&law, evaluable, (1.0 - level) / 2.0)?;
    let upper = quantile_of(&law, evaluable, (1.0 + level) / 2.0)?;
    Some(ExactPercentile { lower, upper, dropped })
}

/// The smallest value of an ascending law whose cumulated share of `all` reaches `p`.
fn quantile_of(law: &[(f64, f64)], all: f64, p: f64) -> Option<f64> {
    let mut sum = 0.0;
    for &(value, weight) in law {
        sum += weight / all;
        if sum >= p - STEP {
            return Some(value);
        }
    }
    law.last().map(|l| l.0)
}

/// Most (class size, count) pairs that a mixture is summed over: above, use replicates.
const MOST_TERMS: f64 = 5e6;

/// Quantile at `p` of the share k/n when its `n` > 0 cases are resampled with n fixed.
pub fn fixed_size_quantile(k: u64, n: u64, p: f64) -> f64 {
    let share = k as f64 / n as f64;
    let (first, last) = range(n, share);
    let mut sum = 0.0;
    for x in first..=last {
        sum += binomial_density(x as f64, n as f64, share, 1.0 - share);
        if sum >= p - STEP {
            return x as f64 / n as f64;
        }
    }
    last as f64 / n as f64
}

/// Quantiles at each of `p` of the share `k` of `class` cases when all `total` cases are resampled;
/// replicates without a case of the class are left out. None when the class is empty or the sum would be too
/// long.
pub fn mixed_size_quantiles(k: u64, class: u64, total: u64, p: &[f64]) -> Option<Vec<f64>> {
    if class == 0 || class > total {
        return None;
    }
    let rate = class as f64 / total as f64;
    let share = k as f64 / class as f64;
    let (first, last) = range(total, rate);
    let width = |n: u64| {
        let (a, b) = range(n, share);
        (b - a + 1) as f64
    };
    if (last - first + 1) as f64 * width(last) > MOST_TERMS {
        return None;
    }
    let mut law: Vec<(f64, f64)> = Vec::new();
    let mut evaluable = 0.0;
    for size in first.max(1)..=last {
        let outer = binomial_density(size as f64, total as f64, rate, 1.0 - rate);
        evaluable += outer;
        if outer < 1e-16 {
            continue;
        }
        let (a, b) = range(size, share);
        for x in a..=b {
            let inner = binomial_density(x as f64, size as f64, share, 1.0 - share);
            law.push((x as f64 / size as f64, outer * inner));
        }
    }
    law.sort_unstable_by(|x, y| x.0.total_cmp(&y.0));
    p.iter().map(|&p| quantile_of(&law, evaluable, p)).collect()
}

/// Where Binomial(n, p) has all but less than 10⁻¹⁸ of its mass.
fn range(n: u64, p: f64) -> (u64, u64) {
    let mean = n as f64 * p;
    let reach = 9.0 * (mean * (1.0 - p)).sqrt() + 20.0;
    ((mean - reach).max(0.0) as u64, ((mean + reach) as u64 + 1).min(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::{Cases, Resampler, confusion_with};
    use crate::estimate::ResamplingUnit;

    /// Shares have closed laws, and the sum over all tables gives the same limits.
    #[test]
    fn the_sum_over_tables_is_the_closed_law_of_shares() {
        let table =
            Confusion { true_positives: 9, false_negatives: 5, false_positives: 4, true_negatives: 22 };
        for level in [0.8, 0.95] {
            for (metric, stratified) in [
                (Metric::Sensitivity, true),
                (Metric::Specificity, true),
                (Metric::Sensitivity, false),
                (Metric::Specificity, false),
                (Metric::Accuracy, false),
                (Metric::Ppv, false),
                (Metric::Npv, false),
                (Metric::F1, false),
            ] {
                let closed = percentile(metric, &table, stratified, level).expect("law");
                let summed =
                    table_percentile(&table, stratified, level, |t| metric.of_table(t)).expect("law");
                assert!(
                    (closed.lower - summed.lower).abs() < 1e-12
                        && (closed.upper - summed.upper).abs() < 1e-12
                        && (closed.dropped - summed.dropped).abs() < 1e-12,
                    "{metric:?} {stratified} {closed:?} {summed:?}"
                );
            }
        }
    }

    /// Replicates tend to the law: 100,000 of them fall below each limit as often as it says, within five
    /// standard errors.
    #[test]
    fn replicates_tend_to_the_law() {
        let table =
            Confusion { true_positives: 12, false_negatives: 6, false_positives: 7, true_negatives: 35 };
        let rows = [(true, true, 12), (true, false, 6), (false, true, 7), (false, false, 35)];
        let column = |pick: fn(&(bool, bool, usize)) -> bool| -> Vec<bool> {
            rows.iter().flat_map(|r| std::iter::repeat_n(pick(r), r.2)).collect()
        };
        let (labels, calls) = (column(|r| r.0), column(|r| r.1));
        for (unit, stratified) in [(ResamplingUnit::CaseStratified, true), (ResamplingUnit::Case, false)] {
            let cases = Cases { labels: &labels, patients: None, sites: None };
            let resampler = Resampler::new(unit, &cases).expect("unit");
            for metric in [Metric::Youden, Metric::Mcc, Metric::Ppv, Metric::LrNegative, Metric::Accuracy] {
                let law = percentile(metric, &table, stratified, 0.95).expect("law");
                let drawn = confusion_with(&resampler, &labels, &calls, 100_000, 5, |t| metric.of_table(t));
                let n = drawn.values.len() as f64;
                let error = 5.0 * (0.025 * 0.975 / n).sqrt();
                for (limit, p) in [(law.lower, 0.025), (law.upper, 0.975)] {
                    let below = drawn.values.iter().filter(|v| **v < limit - 1e-12).count() as f64 / n;
                    let up_to = drawn.values.iter().filter(|v| **v <= limit + 1e-12).count() as f64 / n;
                    assert!(
                        below < p + error && up_to > p - error,
                        "{metric:?} {unit:?} {limit}: {below} {up_to}"
                    );
                }
            }
        }
    }

    /// Counts of 200,000 cases spread over some 4,000 values each: 16 million tables are too many.
    #[test]
    fn a_law_of_too_many_tables_is_not_summed() {
        let of = |n: u64, stratified| {
            let table =
                Confusion { true_positives: n, false_negatives: n, false_positives: n, true_negatives: n };
            percentile(Metric::Youden, &table, stratified, 0.95)
        };
        assert_eq!(of(100_000, true), None);
        assert_eq!(of(100_000, false), None);
        assert!(of(50, true).is_some());
    }

    /// Ten of ten positives and none of ten negatives are right. Within their classes every draw gives a
    /// half; from all cases the class sizes vary, and the accuracy with them. Of a number whose parts are
    /// drawn by class there is no closed law of a share.
    #[test]
    fn within_classes_only_the_shares_of_a_class_have_a_closed_law() {
        let half =
            Confusion { true_positives: 10, false_negatives: 0, false_positives: 10, true_negatives: 0 };
        let limits = |metric, stratified| {
            percentile(metric, &half, stratified, 0.95).map(|law| (law.lower, law.upper))
        };
        for metric in [Metric::Accuracy, Metric::Prevalence, Metric::Ppv] {
            assert_eq!(limits(metric, true), Some((0.5, 0.5)), "{metric:?}");
            let (lower, upper) = limits(metric, false).expect("a law");
            assert!(lower < 0.4 && upper > 0.6, "{metric:?} {lower} {upper}");
        }
        let table =
            Confusion { true_positives: 3, false_negatives: 9, false_positives: 2, true_negatives: 40 };
        for metric in [Metric::Accuracy, Metric::Prevalence, Metric::Ppv, Metric::Npv, Metric::F1] {
            let summed = table_percentile(&table, true, 0.8, |t| metric.of_table(t));
            assert_eq!(percentile(metric, &table, true, 0.8), summed, "{metric:?}");
        }
    }
}
