//! Two columns of scores of the same cases: areas, and calls at thresholds, patients kept together.

use std::collections::BTreeMap;

use super::found::{Asked, Comparison, Table};
use super::paired::of_calls;
use crate::statistics::comparative::deciding::{Units, decide_auc, decide_contrast, independent_units};
use crate::statistics::comparative::{AucDifference, Contrast, Linearised, PairedCalls};
use crate::statistics::estimate::{IntervalMethod as By, ResamplingUnit};
use crate::statistics::metric::{Fallback, Metric, Plan, Sample};
use crate::statistics::ranks::dense_ids;
use crate::statistics::special::normal_two_sided;
use crate::table::labelled::LabelledScores;

/// How scores become calls.
#[derive(Clone, Copy, Debug)]
pub struct Scored {
    /// The first calls positive at or above this.
    pub first: f64,
    /// The second at or above this.
    pub second: f64,
    /// PPV, NPV and F1 are compared at this prevalence, too.
    pub prevalence: Option<f64>,
}

/// Everything of a table of scores with a second column.
pub fn scored(table: &LabelledScores, at: &Scored, asked: &Asked) -> Table {
    let second = table.second.as_deref().unwrap_or(&table.scores);
    let patients = table.clusters.as_ref().map(|c| &c.ids[..]);
    let clustered = patients.is_some_and(|p| dense_ids(p).1 < p.len());
    let mut comparisons = vec![auc(table, second, asked)];
    let calls = [Linearised::calls(&table.scores, at.first), Linearised::calls(second, at.second)];
    if !clustered {
        let mut counts = PairedCalls::default();
        for (i, label) in table.labels.iter().enumerate() {
            counts.count(*label, calls[0][i] == Some(true), calls[1][i] == Some(true));
        }
        comparisons.extend(of_calls(&counts, asked));
    }
    let all = [Metric::Sensitivity, Metric::Specificity, Metric::Ppv, Metric::Npv, Metric::F1];
    for metric in all {
        let is_share = matches!(metric, Metric::Sensitivity | Metric::Specificity);
        if clustered || !is_share {
            comparisons.push(contrast(table, &calls, metric, None, asked));
        }
        if !is_share && at.prevalence.is_some() {
            comparisons.push(contrast(table, &calls, metric, at.prevalence, asked));
        }
    }
    Table { id: "scores".to_owned(), comparisons }
}

fn auc(table: &LabelledScores, second: &[f64], asked: &Asked) -> Comparison {
    let patients = table.clusters.as_ref().map(|c| &c.ids[..]);
    let mut out =
        Comparison { what: "auc".to_owned(), counts: counts(&table.labels), ..Comparison::default() };
    let found = AucDifference::of(&table.labels, &table.scores, second, patients);
    let plain = AucDifference::of(&table.labels, &table.scores, second, None);
    let (Some(found), Some(plain)) = (found, plain) else {
        out.none("difference", "a class has no case");
        return out;
    };
    out.first = Some(found.values[0]);
    out.second = Some(found.values[1]);
    out.difference = Some(found.difference);
    let still = "the difference has no variance to estimate";
    let method = if patients.is_some() { By::Obuchowski } else { By::Delong };
    if patients.is_some() {
        out.interval("difference", By::Obuchowski, found.limits(asked.level), still);
    }
    out.interval("difference", By::Delong, plain.limits(asked.level), still);
    let z = found.z(0.0);
    let (id, name) = match method {
        By::Obuchowski => ("obuchowski", "Obuchowski (1997), clustered"),
        _ => ("delong", "DeLong (1988)"),
    };
    out.test(id, name, z, z.map(normal_two_sided), still);
    out.margin(method, asked.margin, |delta| found.z(delta), still);
    let sample = Sample { labels: &table.labels, scores: &table.scores, patients, sites: None };
    out.decide(asked, method, &|delta| found.z(delta), &|level| {
        let plan = Plan::new(level, Vec::new(), ResamplingUnit::Patient, 0, 0);
        decide_auc(&sample, second, method, &plan, Fallback::EffectiveNumber, Units::Patients)
    });
    out
}

fn counts(labels: &[bool]) -> BTreeMap<&'static str, u64> {
    let positives = labels.iter().filter(|l| **l).count() as u64;
    BTreeMap::from([("cases", labels.len() as u64), ("positives", positives)])
}

/// A metric of calls, linearised, with patients kept together.
fn contrast(
    table: &LabelledScores,
    calls: &[Vec<Option<bool>>; 2],
    metric: Metric,
    prevalence: Option<f64>,
    asked: &Asked,
) -> Comparison {
    let patients = table.clusters.as_ref().map(|c| &c.ids[..]);
    let name = prevalence.map_or_else(|| metric.id().to_owned(), |p| format!("{} at {p}", metric.id()));
    let mut out = Comparison { what: name, counts: counts(&table.labels), ..Comparison::default() };
    let of = |calls: &[Option<bool>]| Linearised::of(metric, &table.labels, calls, prevalence);
    let (first, second) = match (of(&calls[0]), of(&calls[1])) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(reason), _) | (_, Err(reason)) => {
            out.none("difference", &reason);
            return out;
        }
    };
    let class = match metric {
        Metric::Sensitivity => Some(true),
        Metric::Specificity => Some(false),
        _ => None,
    };
    let counts = |i: usize| class.is_none_or(|class| table.labels[i] == class);
    let Some(found) = Contrast::of(&first, &[second], patients, counts) else { return out };
    let found = if prevalence.is_some() { found.of_both_classes(&table.labels, patients) } else { found };
    out.first = Some(found.values[0]);
    out.second = Some(found.values[1]);
    out.difference = Some(found.difference);
    let still = "no patient's cases move the difference, or there are fewer than two patients";
    let limits = found.limits(asked.level).filter(|_| found.z(0.0).is_some());
    out.interval("difference", By::Delta, limits, still);
    let z = found.z(0.0);
    out.test("delta", "linearised (Student's t), patients kept together", z, z.map(normal_two_sided), still);
    out.margin(By::Delta, asked.margin, |delta| found.z(delta), still);
    let units = class.map(|_| {
        let all = 0..table.labels.len();
        independent_units(all.filter(|i| counts(*i)).map(|i| patients.map_or(i as u32, |p| p[i])))
    });
    out.decide(asked, By::Delta, &|delta| found.z(delta), &|level| {
        decide_contrast(&found, By::Delta, level, Fallback::EffectiveNumber, units)
    });
    out
}
