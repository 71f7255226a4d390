//! What follows from the batches so far: charts, drift, refusals, empty cells, duplicates and, where a batch
//! has labels, its metrics. The same plan, seal and batches give the same judgement.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::batch::{Batch, BatchRow};
use super::month::Month;
use super::plan::{ChartPlan, InputKind, MonitoringPlan};
use super::quoted::quoted;
use super::sealed::{Seal, SealedChart, ValidationCohort};
use super::watched::{Standardised, from_control};
use crate::dataset::standardised;
use crate::statistics::estimate::Estimate;
use crate::statistics::metric::Sample;
use crate::statistics::monitoring::{Cusum, Side, average_run_length, category_test, smirnov};
use crate::statistics::multiplicity::{Rule, adjusted, is_rejected};

/// Everything that is judged.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// One a batch, in order.
    pub months: Vec<MonthJudged>,
    /// How far run lengths hold where values in control are the cohort's own.
    pub caveats: Vec<ChartCaveat>,
}

/// A batch.
#[derive(Clone, Debug, Serialize)]
pub struct MonthJudged {
    /// Which.
    pub month: Month,
    /// Rows of the file.
    pub rows: u64,
    /// Rows whose case was in an earlier batch; they are left out of everything else.
    pub duplicates: u64,
    /// Cases that count: rows without duplicates.
    pub cases: u64,
    /// Cases that are one a patient.
    pub patients: u64,
    /// Cases with a call.
    pub calls: u64,
    /// Positive calls.
    pub positive_calls: u64,
    /// Refused cases by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Empty cells of each declared column.
    pub missing: BTreeMap<String, u64>,
    /// Labelled cases.
    pub labels: u64,
    /// Whether there are enough cases to judge charts and drift.
    pub enough: bool,
    /// The charts, in the plan's order; those that have no value here are left out.
    pub charts: Vec<ChartJudged>,
    /// Distributions beside the cohort's; empty where there are too few cases.
    pub drift: Vec<DriftJudged>,
    /// Metrics with intervals: of batches with labels alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub performance: Vec<Estimate>,
    /// What is an alarm.
    pub alarms: Vec<Alarm>,
}

/// A chart at a batch.
#[derive(Clone, Debug, Serialize)]
pub struct ChartJudged {
    /// As in the plan.
    pub id: String,
    /// The measure's value.
    pub value: f64,
    /// Cases, one a patient.
    pub cases: u64,
    /// Standard errors from the value in control.
    pub z: f64,
    /// The sum upwards.
    pub up: f64,
    /// The sum downwards.
    pub down: f64,
    /// Whether the chart signals; the sums then begin again at 0.
    pub alarm: bool,
}

/// A distribution beside the cohort's.
#[derive(Clone, Debug, Serialize)]
pub struct DriftJudged {
    /// `score`, or the column.
    pub what: String,
    /// `smirnov`, or `equal-shares`.
    pub test: &'static str,
    /// Values of the batch, one a patient.
    pub cases: u64,
    /// Values of the cohort.
    pub cohort_cases: u64,
    /// In standard deviations; `None` where nothing varies.
    pub difference: Option<f64>,
    /// `None` where nothing can be tested.
    pub p: Option<f64>,
    /// Adjusted for the tests of this batch (Holm 1979).
    pub adjusted_p: Option<f64>,
    /// Whether both thresholds are passed.
    pub alarm: bool,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// `chart scores`, `drift age`, `missing age`, `duplicates`, `performance auc`: as the ledger has it.
    pub name: String,
    /// In words.
    pub message: String,
}

/// What an error of the value in control does to a chart.
#[derive(Clone, Debug, Serialize)]
pub struct ChartCaveat {
    /// The chart.
    pub id: String,
    /// The standard error of the cohort's value, in standard errors of a batch of the mean size so far.
    pub reference_error: f64,
    /// Batches up to an alarm, on average, where nothing has changed and the cohort's value is off by that.
    pub run_length_if_off: Option<f64>,
}

/// Judges all batches, which are in order.
pub fn judge(plan: &MonitoringPlan, seal: &Seal, cohort: &ValidationCohort, batches: &[Batch]) -> Judgement {
    let mut seen = BTreeSet::new();
    let mut months = Vec::new();
    let mut on_charts: Vec<Vec<(usize, Standardised)>> = vec![Vec::new(); plan.charts.len()];
    for (nth, batch) in batches.iter().enumerate() {
        let fresh: Vec<&BatchRow> =
            batch.rows.iter().filter(|row| !seen.contains(row.case.as_str())).collect();
        let one_each = one_of_each_patient(&fresh);
        let month = counted(plan, batch, &fresh, one_each.len());
        if month.enough {
            for (points, (chart, sealed)) in on_charts.iter_mut().zip(plan.charts.iter().zip(&seal.charts)) {
                let found = from_control(chart.measure, sealed, &one_each);
                points.extend(found.filter(|s| s.cases >= plan.batch_minimum.min(10)).map(|s| (nth, s)));
            }
        }
        months.push(of_batch(plan, seal, cohort, month, &fresh, &one_each));
        seen.extend(batch.rows.iter().map(|row| row.case.as_str()));
    }
    for (points, chart) in on_charts.iter().zip(&plan.charts) {
        let sums =
            Cusum { reference_value: chart.reference_value, limit: chart.limit, watched: chart.watched };
        let values: Vec<f64> = points.iter().map(|(_, s)| s.z).collect();
        for ((nth, found), point) in points.iter().zip(sums.points(&values, true)) {
            let month = &mut months[*nth];
            month.charts.push(ChartJudged {
                id: chart.id.clone(),
                value: found.value,
                cases: found.cases,
                z: found.z,
                up: point.up,
                down: point.down,
                alarm: point.alarm.is_some(),
            });
            if let Some(side) = point.alarm {
                let (way, sum) = match side {
                    Side::Up => ("risen", point.up),
                    Side::Down => ("fallen", point.down),
                };
                let message = format!(
                    "the {} has {way}: {:.4} in {} cases, the sum {sum:.2} is above its limit {:.2}",
                    chart.measure.words(),
                    found.value,
                    found.cases,
                    chart.limit,
                );
                month.alarms.insert(0, Alarm { name: format!("chart {}", chart.id), message });
            }
        }
    }
    Judgement { caveats: caveats(plan, seal, &on_charts), months }
}

/// The first row of each patient; rows without a patient stand for themselves.
fn one_of_each_patient<'a>(rows: &[&'a BatchRow]) -> Vec<&'a BatchRow> {
    let mut seen = BTreeSet::new();
    rows.iter()
        .copied()
        .filter(|row| row.patient.as_ref().is_none_or(|patient| seen.insert(patient)))
        .collect()
}

fn counted(plan: &MonitoringPlan, batch: &Batch, fresh: &[&BatchRow], patients: usize) -> MonthJudged {
    let mut refusals = BTreeMap::new();
    for reason in fresh.iter().filter_map(|row| row.refused.clone()) {
        *refusals.entry(reason).or_default() += 1;
    }
    let count = |of: &dyn Fn(&BatchRow) -> bool| fresh.iter().filter(|row| of(row)).count() as u64;
    MonthJudged {
        month: batch.month,
        rows: batch.rows.len() as u64,
        duplicates: (batch.rows.len() - fresh.len()) as u64,
        cases: fresh.len() as u64,
        patients: patients as u64,
        calls: count(&|row| row.call.is_some()),
        positive_calls: count(&|row| row.call == Some(true)),
        refusals,
        missing: batch.missing.clone(),
        labels: count(&|row| row.label.is_some()),
        enough: patients as u64 >= plan.batch_minimum,
        charts: Vec::new(),
        drift: Vec::new(),
        performance: Vec::new(),
        alarms: Vec::new(),
    }
}

fn of_batch(
    plan: &MonitoringPlan,
    seal: &Seal,
    cohort: &ValidationCohort,
    mut month: MonthJudged,
    fresh: &[&BatchRow],
    one_each: &[&BatchRow],
) -> MonthJudged {
    let share = |part: u64, whole: u64| part as f64 / (whole as f64).max(1.0);
    if month.enough {
        month.drift = drift(plan, cohort, one_each);
        for moved in month.drift.iter().filter(|moved| moved.alarm) {
            let message = format!(
                "the values of {} differ from the validation's by {:.2} standard deviations (p {:.1e})",
                moved.what,
                moved.difference.unwrap_or_default(),
                moved.adjusted_p.unwrap_or_default(),
            );
            month.alarms.push(Alarm { name: format!("drift {}", moved.what), message });
        }
    }
    for (column, empty) in &month.missing {
        if share(*empty, month.rows) > plan.limits.missing {
            let message = format!("{empty} of {} cells of `{column}` are empty", month.rows);
            month.alarms.push(Alarm { name: format!("missing {column}"), message });
        }
    }
    if share(month.duplicates, month.rows) > plan.limits.duplicates {
        let message = format!("{} of {} rows were in an earlier batch", month.duplicates, month.rows);
        month.alarms.push(Alarm { name: "duplicates".to_owned(), message });
    }
    if month.labels > 0 {
        month.performance = performance(plan, seal, fresh);
        for (found, wanted) in month.performance.iter().zip(&plan.performance) {
            let upper = found.intervals.first().map(|interval| interval.upper);
            if let (Some(goal), Some(upper)) = (wanted.at_least, upper)
                && upper < goal
            {
                let message =
                    format!("{}: the whole interval, up to {upper:.4}, lies below {goal}", found.id);
                month.alarms.push(Alarm { name: format!("performance {}", found.id), message });
            }
        }
    }
    month
}

/// Scores and declared columns beside the cohort's.
fn drift(plan: &MonitoringPlan, cohort: &ValidationCohort, rows: &[&BatchRow]) -> Vec<DriftJudged> {
    let mut found = Vec::new();
    if plan.columns.score.is_some() {
        let scores: Vec<f64> = rows.iter().filter_map(|row| row.score).collect();
        found.push(numbers("score", &cohort.scores(), &scores));
    }
    for input in &plan.inputs {
        let column = &input.column;
        found.push(match input.kind {
            InputKind::Number => {
                let values: Vec<f64> =
                    rows.iter().filter_map(|row| row.numbers.get(column).copied()).collect();
                numbers(column, &cohort.numbers(column), &values)
            }
            InputKind::Category => words(column, &cohort.words(column), rows),
        });
    }
    let tests: Vec<f64> = found.iter().map(|one| one.p.unwrap_or(1.0)).collect();
    for (one, adjusted_p) in found.iter_mut().zip(adjusted(&Rule::Holm, &tests)) {
        one.adjusted_p = one.p.map(|_| adjusted_p);
        // Where no difference exists although values differ, nothing varies: they are as far apart as can be.
        let far = one.difference.is_none_or(|d| d.abs() >= plan.drift.minimum_difference);
        one.alarm = one.p.is_some() && far && is_rejected(adjusted_p, plan.drift.alpha);
    }
    found
}

/// Mean and standard deviation; `None` with fewer than two values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (values.len() > 1).then(|| (mean, (squares / (n - 1.0)).sqrt()))
}

fn numbers(what: &str, cohort: &[f64], batch: &[f64]) -> DriftJudged {
    DriftJudged {
        what: what.to_owned(),
        test: "smirnov",
        cases: batch.len() as u64,
        cohort_cases: cohort.len() as u64,
        difference: moments(batch).zip(moments(cohort)).and_then(|(a, b)| standardised::continuous(a, b)),
        p: smirnov(cohort, batch).map(|test| test.p),
        adjusted_p: None,
        alarm: false,
    }
}

fn words(column: &str, cohort: &BTreeMap<String, u64>, rows: &[&BatchRow]) -> DriftJudged {
    let mut counts: BTreeMap<&str, (u64, u64)> =
        cohort.iter().map(|(word, count)| (word.as_str(), (*count, 0))).collect();
    for word in rows.iter().filter_map(|row| row.words.get(column)) {
        counts.entry(word).or_default().1 += 1;
    }
    let pairs: Vec<(u64, u64)> = counts.into_values().collect();
    let (of_cohort, of_batch): (Vec<u64>, Vec<u64>) = pairs.iter().copied().unzip();
    let both = pairs.iter().any(|pair| pair.0 > 0) && pairs.iter().any(|pair| pair.1 > 0);
    DriftJudged {
        what: column.to_owned(),
        test: "equal-shares",
        cases: pairs.iter().map(|pair| pair.1).sum(),
        cohort_cases: pairs.iter().map(|pair| pair.0).sum(),
        difference: standardised::categorical(&of_cohort, &of_batch),
        p: if both { category_test(&pairs) } else { None },
        adjusted_p: None,
        alarm: false,
    }
}

/// The declared metrics of the labelled cases, each with its interval.
fn performance(plan: &MonitoringPlan, seal: &Seal, rows: &[&BatchRow]) -> Vec<Estimate> {
    let known: Vec<&&BatchRow> =
        rows.iter().filter(|row| row.label.is_some() && row.call.is_some()).collect();
    let labels: Vec<bool> = known.iter().map(|row| row.label == Some(true)).collect();
    let has_scores = plan.columns.score.is_some();
    // A call without a score is one: 1 or 0, beside a threshold between them.
    let call = |row: &BatchRow| if row.call == Some(true) { 1.0 } else { 0.0 };
    let scores: Vec<f64> = known.iter().map(|row| row.score.unwrap_or_else(|| call(row))).collect();
    let threshold = if has_scores { seal.threshold } else { 0.5 };
    let mut ids = BTreeMap::new();
    let patients: Vec<u32> = known
        .iter()
        .map(|row| {
            let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            *ids.entry(row.patient.as_deref().unwrap_or(&row.case)).or_insert(next)
        })
        .collect();
    let patients = plan.columns.patient.as_ref().map(|_| patients.as_slice());
    let sample = Sample { labels: &labels, scores: &scores, patients, sites: None };
    plan.performance.iter().map(|wanted| quoted(wanted.metric, &sample, threshold, plan.level)).collect()
}

fn caveats(plan: &MonitoringPlan, seal: &Seal, points: &[Vec<(usize, Standardised)>]) -> Vec<ChartCaveat> {
    let of = |((chart, sealed), points): ((&ChartPlan, &SealedChart), &Vec<(usize, Standardised)>)| {
        let cohort = sealed.cohort_cases.filter(|_| !points.is_empty())? as f64;
        let size = points.iter().map(|(_, s)| s.cases as f64).sum::<f64>() / points.len() as f64;
        let off = (size / cohort).sqrt();
        let sums =
            Cusum { reference_value: chart.reference_value, limit: chart.limit, watched: chart.watched };
        let length = average_run_length(chart.reference_value, chart.limit, off, sums.sides());
        Some(ChartCaveat { id: chart.id.clone(), reference_error: off, run_length_if_off: length })
    };
    plan.charts.iter().zip(&seal.charts).zip(points).filter_map(of).collect()
}
