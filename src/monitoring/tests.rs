use std::collections::BTreeMap;
use std::path::Path;

use super::batch::{Batch, BoundTo};
use super::judgement::{Judgement, judge};
use super::ledger::{Acting, BatchLedger, MonitoringEvent};
use super::month::Month;
use super::plan::{Measure, MonitoringPlan};
use super::sealed::{CohortCase, SEAL_FORMAT, Seal, SealedChart, ValidationCohort};
use crate::declared::replaced;
use crate::diagnostic::Error;
use crate::digest::Digest;
use crate::random::Stream;

const PLAN: &str = r#"format = "sequester-monitoring/1"
[monitoring]
id = "M"
title = "t"
batch_minimum = 20
[columns]
case = "case_id"
patient = "patient_id"
score = "score"
refused = "refused"
label = "label"
date = "day"
[[chart]]
id = "scores"
measure = "mean-score"
run_length = 100
[[chart]]
id = "calls"
measure = "positive-calls"
direction = "up"
run_length = 100
[[chart]]
id = "sensitivity"
measure = "sensitivity"
direction = "down"
run_length = 100
[[input]]
column = "age"
kind = "number"
[[input]]
column = "sex"
kind = "category"
[[performance]]
metric = "auc"
at_least = 0.6
[[performance]]
metric = "sensitivity"
"#;

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn plan(text: &str) -> MonitoringPlan {
    MonitoringPlan::parse(Path::new("p"), text).expect("a plan")
}

fn codes(text: &str) -> Vec<String> {
    let problems = MonitoringPlan::parse(Path::new("p"), text).expect_err("a problem");
    assert!(problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())), "{problems:?}");
    problems.iter().map(|p| p.code.as_str().to_owned()).collect()
}

#[test]
fn a_wrong_value_is_one_problem() {
    let problems = |text: &str| MonitoringPlan::parse(Path::new("plan.toml"), text).err();
    let (mistyped, unknown) = (replaced::of_another_type(PLAN, problems), replaced::words(PLAN, problems));
    assert!(mistyped > 50 && unknown > 2, "{mistyped} {unknown}");
}

#[test]
fn a_limit_of_performance_lies_where_the_metric_can() {
    for limit in ["60", "-1", "1.5", "-0.01"] {
        assert_eq!(
            codes(&PLAN.replace("at_least = 0.6", &format!("at_least = {limit}"))),
            ["monitoring-plan"]
        );
    }
    for limit in ["0", "1", "0.6"] {
        plan(&PLAN.replace("at_least = 0.6", &format!("at_least = {limit}")));
    }
}

#[test]
fn a_plan_is_read_and_its_limits_follow() {
    let read = plan(PLAN);
    assert_eq!((read.charts.len(), read.inputs.len(), read.performance.len()), (3, 2, 2));
    // Two sums with a mean time of 100 between false alarms, and one.
    assert!(read.charts[0].limit > read.charts[1].limit && read.charts[1].limit > 1.0);
    assert_eq!(read.charts[1].watched, [true, false]);
    assert_eq!((read.drift.alpha, read.limits.missing), (0.01, 0.05));
    // The plan that `monitor init` writes is one.
    plan(include_str!("../../protocols/monitoring.toml"));
}

#[test]
fn what_a_plan_cannot_mean_is_told_at_its_place() {
    let changed = |from: &str, to: &str| codes(&PLAN.replacen(from, to, 1));
    assert_eq!(codes("format = \"sequester-monitoring/1\"\n").len(), 3, "two tables, and nothing is watched");
    assert_eq!(changed("sequester-monitoring/1", "sequester-monitoring/9"), ["format-unknown"]);
    assert_eq!(changed("id = \"calls\"", "id = \"scores\""), ["monitoring-plan"]);
    assert_eq!(changed("measure = \"mean-score\"", "measure = \"mean\""), ["value-unknown"]);
    assert_eq!(changed("run_length = 100", "run_length = 1"), ["value-range"]);
    // A single value beyond three standard errors on either side comes once in 370 months.
    assert_eq!(changed("run_length = 100", "run_length = 100\nreference_value = 3"), ["monitoring-plan"]);
    assert_eq!(changed("run_length = 100\n", ""), ["key-missing"]);
    assert_eq!(changed("label = \"label\"\n", ""), ["monitoring-plan"; 3], "one chart and two metrics");
    assert_eq!(changed("score = \"score\"\n", ""), ["monitoring-plan"; 3]);
    assert_eq!(changed("score = \"score\"\n", "score = \"score\"\ncall = \"c\"\n"), ["monitoring-plan"]);
    assert_eq!(changed("case = \"case_id\"\n", ""), ["key-missing"]);
    assert_eq!(changed("kind = \"number\"", "kind = \"numbers\""), ["value-unknown"]);
    assert_eq!(changed("column = \"sex\"", "column = \"age\""), ["monitoring-plan"]);
    assert_eq!(changed("metric = \"auc\"", "metric = \"area\""), ["value-unknown"]);
    assert_eq!(changed("title = \"t\"", "title = \"t\"\ntitel = 1"), ["unknown-key"]);
    assert_eq!(changed("date = \"day\"", "date = \"day\"\nversion = \"v\""), ["key-missing"]);
    assert_eq!(
        changed("measure = \"mean-score\"", "measure = \"mean-score\"\nin_control = 0.4"),
        ["monitoring-plan"]
    );
    assert_eq!(
        changed("direction = \"up\"", "direction = \"up\"\nin_control = 1.5"),
        ["value-range"],
        "a share lies between 0 and 1"
    );
}

#[test]
fn months_are_read_in_two_ways_and_in_order() {
    for (text, of) in [
        ("2026-03-14", Some("2026-03")),
        (" 20260314 ", Some("2026-03")),
        ("2026-03-14T10:00:00Z", Some("2026-03")),
        ("2026-03-14 10:00", Some("2026-03")),
        ("2026-3-14", None),
        ("2026-02-30", None),
        ("14.03.2026", None),
        ("2603", None),
        ("", None),
        ("２０２６-03-14", None),
    ] {
        assert_eq!(Month::of_day(text), of.map(month), "{text}");
    }
    for bad in
        ["2026-13", "2026-00", "26-03", "2026-3", "0000-01", "+026-03", "2026-+3", "2026", "2026-03-01"]
    {
        assert!(bad.parse::<Month>().is_err(), "{bad}");
    }
    assert!(month("2025-12") < month("2026-01"));
    assert_eq!(month("0999-01").to_string(), "0999-01");
}

/// Cases whose scores are a sum of three uniform numbers, moved by `shift`.
fn draw(stream: &mut Stream, count: usize, shift: f64) -> Vec<(f64, bool, u64, &'static str)> {
    let mut uniform = move || stream.below(1 << 30) as f64 / f64::from(1 << 30);
    (0..count)
        .map(|_| {
            let positive = uniform() < 0.4;
            let base = (uniform() + uniform() + uniform()) / 3.0 * 0.7 + if positive { 0.2 } else { 0.0 };
            let age = 20 + (uniform() * 60.0) as u64;
            let sex = if uniform() < 0.5 { "F" } else { "M" };
            ((base + shift).clamp(0.0, 1.0), positive, age, sex)
        })
        .collect()
}

fn cohort(stream: &mut Stream, count: usize) -> ValidationCohort {
    let cases =
        draw(stream, count, 0.0).into_iter().zip(1_u64..).map(|((score, label, age, sex), patient)| {
            let inputs =
                BTreeMap::from([("age".to_owned(), age.to_string()), ("sex".to_owned(), sex.to_owned())]);
            CohortCase { patient, score: Some(score), label: Some(label), inputs }
        });
    ValidationCohort { cases: cases.collect() }
}

fn seal(plan: &MonitoringPlan, cohort: &ValidationCohort) -> Seal {
    let charts = plan
        .charts
        .iter()
        .map(|chart| SealedChart::new(chart, cohort, 0.5, Path::new("p")).expect("a value in control"));
    Seal {
        format: SEAL_FORMAT.to_owned(),
        plan: plan.id.clone(),
        plan_sha256: Digest::of(b"p"),
        study: "S".to_owned(),
        study_version: "1".to_owned(),
        bundle_root: Digest::of(b"b"),
        lock_sha256: None,
        threshold: 0.5,
        cohort_sha256: Digest::of(b"c"),
        charts: charts.collect(),
    }
}

/// A batch of a month; `labels`: whether they are known.
fn table(stream: &mut Stream, name: &str, count: usize, shift: f64, labels: bool) -> String {
    let mut text = "case_id,patient_id,score,refused,label,day,age,sex\n".to_owned();
    for (nth, (score, label, age, sex)) in draw(stream, count, shift).into_iter().enumerate() {
        let label = if labels { u8::from(label).to_string() } else { String::new() };
        text += &format!("{name}-{nth},P{name}-{nth},{score:.4},,{label},{name}-05,{age},{sex}\n");
    }
    text
}

fn read(plan: &MonitoringPlan, name: &str, text: &str) -> crate::diagnostic::Result<Batch> {
    let bound = BoundTo { lock: None, threshold: 0.5, version: plan.version.as_deref() };
    Batch::parse(Path::new("b.csv"), text.as_bytes(), month(name), plan, &bound)
}

fn judged(shifts: &[f64], labels: bool) -> Judgement {
    let plan = plan(PLAN);
    let mut stream = Stream::new(3, 9);
    let cohort = cohort(&mut stream, 2000);
    let seal = seal(&plan, &cohort);
    let batches: Vec<Batch> = shifts
        .iter()
        .zip(1..)
        .map(|(shift, nth)| {
            let name = format!("2026-{nth:02}");
            read(&plan, &name, &table(&mut stream, &name, 150, *shift, labels)).expect("a batch")
        })
        .collect();
    judge(&plan, &seal, &cohort, &batches)
}

#[test]
fn a_shift_is_found_in_its_month_and_nothing_before() {
    let judgement = judged(&[0.0, 0.0, 0.0, 0.15, 0.0], false);
    let alarmed: Vec<bool> = judgement.months.iter().map(|month| !month.alarms.is_empty()).collect();
    assert_eq!(alarmed, [false, false, false, true, false], "{:?}", judgement.months[3].alarms);
    let names: Vec<&str> = judgement.months[3].alarms.iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(names, ["chart calls", "chart scores", "drift score"]);
    // What has no labels has neither a metric nor a chart of one.
    for month in &judgement.months {
        assert!(month.performance.is_empty() && month.charts.iter().all(|chart| chart.id != "sensitivity"));
        assert!(!serde_json::to_string(month).expect("JSON").contains("performance"));
    }
    assert!(judgement.caveats.iter().all(|caveat| (caveat.reference_error - 0.2739).abs() < 1e-3));
}

#[test]
fn labels_bring_metrics_with_intervals() {
    let judgement = judged(&[0.0, 0.0], true);
    for month in &judgement.months {
        let ids: Vec<&str> = month.performance.iter().map(|found| found.id.as_str()).collect();
        assert_eq!(ids, ["auc", "sensitivity"]);
        assert!(month.performance.iter().all(|found| found.value.is_some() && found.intervals.len() == 1));
        assert!(month.charts.iter().any(|chart| chart.id == "sensitivity"));
    }
}

#[test]
fn a_small_month_is_counted_and_judges_nothing() {
    let plan = plan(PLAN);
    let mut stream = Stream::new(4, 1);
    let cohort = cohort(&mut stream, 300);
    let seal = seal(&plan, &cohort);
    let text = table(&mut stream, "2026-01", 19, 0.4, false);
    let batch = read(&plan, "2026-01", &text).expect("a batch");
    let judgement = judge(&plan, &seal, &cohort, &[batch]);
    let month = &judgement.months[0];
    assert!(!month.enough && month.charts.is_empty() && month.drift.is_empty() && month.alarms.is_empty());
    assert_eq!((month.cases, month.calls), (19, 19));
}

#[test]
fn duplicates_refusals_and_empty_cells_are_counted_and_their_alarms_told() {
    let plan = plan(PLAN);
    let mut stream = Stream::new(6, 1);
    let cohort = cohort(&mut stream, 300);
    let seal = seal(&plan, &cohort);
    let first = table(&mut stream, "2026-01", 60, 0.0, false);
    let mut second = table(&mut stream, "2026-02", 60, 0.0, false);
    second += "2026-01-3,P,0.5,,,2026-02-01,40,F\n2026-01-4,P,0.5,,,2026-02-01,40,F\n";
    second += "x,PX,,blurred,,2026-02-01,40,F\ny,PY,,,,2026-02-01,,\n";
    let batches =
        [read(&plan, "2026-01", &first).expect("a batch"), read(&plan, "2026-02", &second).expect("a batch")];
    let judgement = judge(&plan, &seal, &cohort, &batches);
    let month = &judgement.months[1];
    assert_eq!((month.rows, month.duplicates, month.cases, month.calls), (64, 2, 62, 60));
    assert_eq!(month.refusals, BTreeMap::from([("blurred".to_owned(), 1)]));
    assert_eq!(month.missing.get("score"), Some(&1));
    assert_eq!((month.missing.get("age"), month.missing.get("sex")), (Some(&1), Some(&1)));
    assert_eq!(month.alarms.iter().filter(|alarm| alarm.name == "duplicates").count(), 1);
}

#[test]
fn wrong_rows_are_refused_at_their_lines() {
    let read_with = |plan_text: &str, rows: &str| {
        let text = format!("case_id,patient_id,score,refused,label,day,age,sex,version\n{rows}");
        read(&plan(plan_text), "2026-01", &text)
    };
    let told = |rows: &str| -> Vec<(String, Option<u64>)> {
        let Err(Error::Input(problems)) = read_with(PLAN, rows) else { panic!("{rows}: read") };
        problems
            .iter()
            .map(|p| (p.code.as_str().to_owned(), p.location.as_ref().and_then(|l| l.line)))
            .collect()
    };
    let good = "a,P1,0.5,,,2026-01-02,40,F,1\n";
    for (row, code) in [
        (",P2,0.5,,,2026-01-02,40,F,1\n", "case-id-missing"),
        ("a,P2,0.5,,,2026-01-02,40,F,1\n", "duplicate-case"),
        ("b,P2,1.5,,,2026-01-02,40,F,1\n", "score-not-a-number"),
        ("b,P2,0.5,why,,2026-01-02,40,F,1\n", "score-not-a-number"),
        ("b,P2,0.5,,maybe,2026-01-02,40,F,1\n", "label-not-binary"),
        ("b,P2,0.5,,,2026-02-02,40,F,1\n", "batch-month"),
        ("b,P2,0.5,,,soon,40,F,1\n", "batch-month"),
        ("b,P2,0.5,,,2026-01-02,old,F,1\n", "value-unreadable"),
    ] {
        assert_eq!(told(&format!("{good}{row}")), [(code.to_owned(), Some(3))], "{row}");
    }
    assert_eq!(told("").first().map(|(code, _)| code.as_str()), Some("table-empty"));
    let versioned = PLAN.replacen("date = \"day\"", "date = \"day\"\nversion = \"version\"", 1).replacen(
        "[[chart]]",
        "[device]\nversion = \"2\"\n[[chart]]",
        1,
    );
    let Err(Error::Lock(problems)) = read_with(&versioned, good) else { panic!("another version was read") };
    assert_eq!(problems[0].code.as_str(), "batch-device");
    assert_eq!(problems[0].location.as_ref().and_then(|l| l.line), Some(2));
    assert!(read_with(&versioned.replace("version = \"2\"", "version = \"1\""), good).is_ok());
}

#[test]
fn the_ledger_of_batches_is_a_chain_in_the_order_of_time() {
    let acting = Acting { at: "2026-01-01T00:00:00Z", by: Some("A. Example"), role: None };
    let mut ledger = BatchLedger::default();
    let add = |ledger: &mut BatchLedger, event, name: Option<&str>, alarms: &[&str], reason: Option<&str>| {
        let alarms = alarms.iter().map(|a| (*a).to_owned()).collect();
        let digests = BTreeMap::from([("x".to_owned(), Digest::of(b"x"))]);
        ledger.append(acting, event, name.map(month), digests, alarms, reason.map(str::to_owned)).is_ok()
    };
    use MonitoringEvent::{AlarmAnswered, BatchAdded, PlanSealed};
    assert!(!add(&mut ledger, BatchAdded, Some("2026-01"), &[], None), "not sealed");
    assert!(add(&mut ledger, PlanSealed, None, &[], None));
    assert!(!add(&mut ledger, PlanSealed, None, &[], None), "twice");
    assert!(add(&mut ledger, BatchAdded, Some("2026-02"), &["chart scores"], None));
    assert!(!add(&mut ledger, BatchAdded, Some("2026-02"), &[], None), "twice");
    assert!(!add(&mut ledger, BatchAdded, Some("2026-01"), &[], None), "before");
    assert!(!add(&mut ledger, BatchAdded, None, &[], None), "no month");
    assert!(add(&mut ledger, BatchAdded, Some("2026-04"), &[], None));
    assert_eq!(ledger.unanswered(), [month("2026-02")]);
    assert!(!add(&mut ledger, AlarmAnswered, Some("2026-04"), &[], Some("why")), "no alarm");
    assert!(!add(&mut ledger, AlarmAnswered, Some("2026-02"), &[], Some(" ")), "no reason");
    assert!(add(&mut ledger, AlarmAnswered, Some("2026-02"), &[], Some("a new scanner")));
    assert!(ledger.unanswered().is_empty());
    let bytes = ledger.to_bytes();
    assert_eq!(BatchLedger::parse(Path::new("l"), &bytes).expect("holds"), ledger);
    let end = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').expect("lines");
    for at in 0..=end {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(BatchLedger::parse(Path::new("l"), &changed).is_err(), "byte {at}");
    }
    assert!(
        BatchLedger::parse(Path::new("l"), &bytes[..bytes.len() - 1]).is_err(),
        "a line that does not end"
    );
}

#[test]
fn the_cohort_is_written_and_read_back() {
    let plan = plan(PLAN);
    let mut whole = cohort(&mut Stream::new(8, 1), 50);
    whole.cases[3].score = None;
    whole.cases[4].label = None;
    whole.cases[5].inputs.clear();
    whole.cases[6].patient = 1;
    let bytes = whole.to_bytes(&plan);
    assert_eq!(ValidationCohort::parse(Path::new("c"), &bytes, &plan).expect("reads"), whole);
    assert_eq!(whole.first_of_patients().len(), 49);
    let lacking = PLAN.replacen("column = \"age\"", "column = \"age\"\ncohort_column = \"weight\"", 1);
    assert!(whole.lacks(&plan, Path::new("p")).is_empty());
    let empty = ValidationCohort { cases: vec![CohortCase::default(); 3] };
    assert_eq!(empty.lacks(&self::plan(&lacking), Path::new("p")).len(), 2);
    let chart = plan.charts.iter().find(|chart| chart.measure == Measure::PositiveCalls).expect("declared");
    let refused = SealedChart::new(chart, &empty, 0.5, Path::new("p")).expect_err("no value");
    assert_eq!(refused.code.as_str(), "monitoring-chart");
}
