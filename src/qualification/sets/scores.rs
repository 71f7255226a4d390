//! Every statistic of scores, and of calls at a threshold, against exact arithmetic.

use std::collections::BTreeSet;

use crate::qualification::compared::{Compared, Values, beside};
use crate::qualification::embedded::{Table, sets, table};
use crate::statistics::calibration::{self, Edge};
use crate::statistics::confusion::{Confusion, log_interval, share};
use crate::statistics::mcnemar::mcnemar;
use crate::statistics::operating_point::{self, OperatingPointRule};
use crate::statistics::special::{normal_two_sided, z_two_sided};
use crate::statistics::{auc, proportion, roc};

use super::{FLOOR, LEVEL};

/// The tables of scores that are embedded.
pub const TABLES: [&str; 9] = [
    "d01_tiny20",
    "d02_bal1000",
    "d03_prev1000",
    "d05_ties2000",
    "d06_perfect200",
    "d07_subgroups600",
    "d08_clustered",
    "d09_const50",
    "d10_reversed300",
];

/// Every table and the sites of d07.
fn units() -> Vec<(String, Table)> {
    let mut out = Vec::new();
    for name in TABLES {
        let whole = table(name);
        if name.starts_with("d07") {
            for site in whole.sites.iter().collect::<BTreeSet<_>>() {
                out.push((format!("{name}|site={site}"), whole.only(|row| &whole.sites[row] == site)));
            }
        }
        out.push((name.to_owned(), whole));
    }
    out
}

/// `exact.json`.
pub fn exact() -> Vec<Compared> {
    let mut reference = sets("exact");
    let mut out = Vec::new();
    for (unit, t) in units() {
        let Some(truth) = reference.get_mut(&unit).and_then(serde_json::Value::as_object_mut) else {
            continue;
        };
        // A sandwich with one common factor, for comparison only; we report Obuchowski's.
        truth.remove("cluster_if_var");
        let mut ours = Values::new();
        ours.insert("n".into(), Some(t.labels.len() as f64));
        ours.insert("n_pos".into(), Some(t.labels.iter().filter(|label| **label).count() as f64));
        discrimination(&t, &mut ours);
        // The reference fits no slope to separated or constant scores.
        calibrated(&t, truth.contains_key("cal_slope"), &mut ours);
        for threshold in [0.5, 0.4] {
            at_threshold(&t, threshold, &mut ours);
        }
        let key_of = |key: &str| match key.strip_prefix("thr0.") {
            Some(rest) => rest.get(2..).unwrap_or_default().to_owned(),
            None => key.to_owned(),
        };
        out.extend(beside(&unit, truth, &ours, FLOOR, key_of));
    }
    out
}

fn discrimination(t: &Table, out: &mut Values) {
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(key.to_owned(), value);
    };
    let z = z_two_sided(LEVEL);
    let sums = auc::auc_sums(&t.labels, &t.scores);
    put("auc", sums.auc());
    put("auc_b", auc::auc(&t.labels, &t.scores_b));
    let (Some(area), Some(variance)) = (sums.auc(), sums.delong_variance()) else { return };
    let se = variance.sqrt();
    put("delong_var", Some(variance));
    put("delong_se", Some(se));
    put("delong_lo_raw", Some(area - z * se));
    put("delong_hi_raw", Some(area + z * se));
    let clipped = auc::clipped_interval(area, se, LEVEL);
    put("delong_lo", Some(clipped.0));
    put("delong_hi", Some(clipped.1));
    let logit = auc::logit_interval(area, se, LEVEL);
    put("delong_logit_lo", logit.map(|limits| limits.0));
    put("delong_logit_hi", logit.map(|limits| limits.1));
    put("hanley_mcneil_se", sums.hanley_mcneil_se());
    for (bound, name) in [(0.1, "fpr10"), (0.2, "fpr20")] {
        let partial = roc::partial_area(&t.labels, &t.scores, bound);
        put(&format!("pauc_{name}"), partial);
        put(&format!("pauc_mcclish_{name}"), partial.map(|part| roc::mcclish(part, bound)));
    }
    put("obuchowski_var", auc::obuchowski_variance(&t.labels, &t.scores, &t.patients));
    if let Some(paired) = auc::paired(&t.labels, &t.scores, &t.scores_b, None) {
        put("delong_var_b", paired.variance_b);
        put("delong_cov", paired.covariance);
        if let Some(se) = paired.difference_variance.filter(|v| *v > 0.0).map(f64::sqrt) {
            put("auc_diff", Some(paired.difference));
            put("paired_se", Some(se));
            put("paired_z", Some(paired.difference / se));
            put("paired_p", Some(normal_two_sided(paired.difference / se)));
            put("paired_diff_lo", Some(paired.difference - z * se));
            put("paired_diff_hi", Some(paired.difference + z * se));
        }
    }
    put("ap", roc::average_precision(&t.labels, &t.scores));
    // Trapezoids over the precision-recall points, starting at precision 1: only to check the points.
    let (mut area, mut before) = (0.0, (0.0, 1.0));
    for point in roc::precision_recall_points(&t.labels, &t.scores) {
        area += (point.recall - before.0) * (point.precision + before.1) / 2.0;
        before = (point.recall, point.precision);
    }
    put("pr_auc_trapz", Some(area));
    let best = operating_point::choose(OperatingPointRule::Youden, &t.labels, &t.scores).ok();
    put("youden_max", best.as_ref().and_then(|best| best.table.youden()));
    put("youden_thr_lowest", best.as_ref().map(|best| best.threshold));
}

fn calibrated(t: &Table, fits: bool, out: &mut Values) {
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(key.to_owned(), value);
    };
    put("brier", calibration::brier(&t.labels, &t.scores, None));
    put("logloss", calibration::log_loss(&t.labels, &t.scores, None));
    for (edge, name) in [(Edge::Left, "left_closed"), (Edge::Right, "right_closed")] {
        let bins = calibration::reliability(&t.labels, &t.scores, None, &calibration::equal_edges(10), edge);
        put(&format!("ece10_{name}"), calibration::expected_error(&bins));
        put(&format!("mce10_{name}"), calibration::maximum_error(&bins));
    }
    if fits {
        let fit = calibration::recalibrate(&t.labels, &t.scores, None);
        put("cal_intercept", fit.map(|fit| fit.intercept.value));
        put("cal_intercept_se", fit.map(|fit| fit.intercept.standard_error));
        put("cal_slope", fit.map(|fit| fit.slope.value));
        put("cal_slope_se", fit.map(|fit| fit.slope.standard_error));
        put("cal_in_the_large", calibration::in_the_large(&t.labels, &t.scores, None).map(|c| c.value));
    }
}

fn at_threshold(t: &Table, threshold: f64, out: &mut Values) {
    let table = Confusion::at(&t.labels, &t.scores, threshold);
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(format!("thr{threshold}.{key}"), value);
    };
    for (name, cell) in ["tp", "fn", "fp", "tn"].iter().zip(table.cells()) {
        put(name, Some(cell));
    }
    for (name, (k, n)) in [
        ("sens", table.sensitivity()),
        ("spec", table.specificity()),
        ("ppv", table.ppv()),
        ("npv", table.npv()),
        ("acc", table.accuracy()),
    ] {
        put(&format!("{name}.est"), share(k, n));
        if n == 0 {
            continue;
        }
        for (method, limits) in [
            ("cp", proportion::clopper_pearson(k, n, LEVEL)),
            ("wilson", proportion::wilson(k, n, LEVEL)),
            ("ac", proportion::agresti_coull_unclipped(k, n, LEVEL)),
            ("jeff_raw", proportion::jeffreys_raw(k, n, LEVEL)),
            ("jeff", proportion::jeffreys(k, n, LEVEL)),
            ("wald", proportion::wald_unclipped(k, n, LEVEL)),
        ] {
            put(&format!("{name}.{method}_lo"), Some(limits.0));
            put(&format!("{name}.{method}_hi"), Some(limits.1));
        }
    }
    put("f1", table.f1());
    put("mcc", table.mcc());
    put("youden", table.youden());
    put("balacc", table.balanced_accuracy());
    put("kappa_vs_truth", table.kappa().filter(|_| table.positives() > 0 && table.negatives() > 0));
    for (name, value, se) in [
        ("lrpos", table.lr_positive(), table.lr_positive_log_se()),
        ("lrneg", table.lr_negative(), table.lr_negative_log_se()),
        ("dor", table.diagnostic_odds_ratio(), table.diagnostic_odds_ratio_log_se()),
    ] {
        // The reference has a ratio only where it also has an interval.
        let limits = value.zip(se).map(|(value, se)| log_interval(value, se, LEVEL));
        put(name, value.filter(|_| limits.is_some()));
        put(&format!("{name}_lo"), limits.map(|limits| limits.0));
        put(&format!("{name}_hi"), limits.map(|limits| limits.1));
    }
    let calls = |scores: &[f64]| -> Vec<bool> { scores.iter().map(|&s| s >= threshold).collect() };
    let test = mcnemar(&t.labels, &calls(&t.scores), &calls(&t.scores_b));
    put("mcnemar_b", Some(test.only_first_correct as f64));
    put("mcnemar_c", Some(test.only_second_correct as f64));
    put("mcnemar_exact_p", test.exact_p());
    put("mcnemar_midp", test.mid_p());
    put("mcnemar_stat", test.statistic());
    put("mcnemar_p", test.p());
    put("mcnemar_cc_stat", test.corrected_statistic());
    put("mcnemar_cc_p", test.corrected_p());
}
