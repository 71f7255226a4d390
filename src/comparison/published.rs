//! Models of which printed numbers alone are known.

use crate::comparison::{Contender, Curves, Kind, Pair, Settings, adjust, pairs_of};
use crate::diagnostic::Code;
use crate::statistics::auc::hanley_mcneil_variance;
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod};
use crate::statistics::metric::{Metric, estimate_from_table};
use crate::statistics::proportion::clopper_pearson;
use crate::statistics::special::{normal_two_sided, z_two_sided};
use crate::statistics::warning::Warning;

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

/// A contender from printed numbers: the AUC with the standard error of Hanley and McNeil (1982), and what a
/// 2x2 table gives, with Wilson intervals.
pub fn from_counts(published: &Published, settings: &Settings) -> Contender {
    let (m, n) = (published.positives, published.negatives);
    let variance = hanley_mcneil_variance(published.auc, m as f64, n as f64).max(0.0);
    let half = z_two_sided(settings.level) * variance.sqrt();
    let (interval, se) = if variance > 0.0 {
        let limits = ((published.auc - half).max(0.0), (published.auc + half).min(1.0));
        (Interval::closed(IntervalMethod::HanleyMcneil, settings.level, limits), Some(variance.sqrt()))
    } else {
        // All pairs are in one order, which shows no spread: as many of them as share no case are trials.
        let pairs = m.min(n);
        let won = if published.auc > 0.5 { pairs } else { 0 };
        let limits = clopper_pearson(won, pairs, settings.level);
        (Interval::closed(IntervalMethod::ClopperPearson, settings.level, limits), None)
    };
    let mut estimates = vec![Estimate {
        id: Metric::Auc.id().into(),
        value: Some(published.auc),
        standard_error: se,
        n: m + n,
        positives: m,
        intervals: vec![interval],
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
        two_valued: false,
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

/// Pairs of models of which printed numbers alone are known, as if each had been tested on cases of its own:
/// the variance of a difference is the sum of both. On the same cases AUCs are correlated, and the true
/// variance is less by 2·r·SE₁·SE₂ (Hanley and McNeil 1983); r cannot be known from printed numbers, so the r
/// that a claim would need is given instead.
pub fn compare_published(contenders: &[Contender], settings: &Settings) -> Vec<Pair> {
    let of = |c| -> Option<(&Contender, f64, Option<f64>)> {
        let c: &Contender = c;
        Some((c, c.auc()?, c.estimate("auc")?.standard_error))
    };
    let known: Vec<(&Contender, f64, Option<f64>)> = contenders.iter().filter_map(of).collect();
    let names: Vec<(&str, f64)> = known.iter().map(|(c, auc, _)| (c.name.as_str(), *auc)).collect();
    let mut pairs: Vec<Pair> = pairs_of(&names, &settings.family)
        .into_iter()
        .map(|(i, j)| {
            let ((a, auc_a, se_a), (b, auc_b, se_b)) = (&known[i], &known[j]);
            let difference = auc_a - auc_b;
            // An AUC of 0 or 1 has no standard error, and a difference with it none.
            let errors = se_a.zip(*se_b);
            let se = errors.map(|(a, b)| a.hypot(b)).filter(|se| *se > 0.0);
            let z = z_two_sided(settings.level);
            let limits = se.map(|se| ((difference - z * se).max(-1.0), (difference + z * se).min(1.0)));
            let p_value = se.map(|se| normal_two_sided(difference / se));
            let needed =
                errors.map_or(f64::NAN, |(a, b)| (a * a + b * b - (difference / z).powi(2)) / (2.0 * a * b));
            let interval = |limits| Interval::closed(IntervalMethod::HanleyMcneil, settings.level, limits);
            let value = Estimate {
                id: "auc_difference".into(),
                value: Some(difference),
                standard_error: se,
                p_value,
                n: a.estimate("auc").map_or(0, |e| e.n),
                positives: a.estimate("auc").map_or(0, |e| e.positives),
                intervals: limits.map(interval).into_iter().collect(),
                warnings: vec![Warning::new(
                    Code::Unpaired,
                    "the models are compared as if each had cases of its own; the p value is an \
                     approximation",
                )],
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
