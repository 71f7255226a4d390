//! Reading a plan: everything that is wrong in it at once, each at its place.

use std::collections::BTreeSet;
use std::path::Path;

use super::plan::{
    BatchColumns, ChartPlan, Drift, FORMAT, InputColumn, InputKind, Limits, Measure, MonitoringPlan,
    PerformancePlan,
};
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic};
use crate::statistics::metric::Metric;
use crate::statistics::monitoring::{Sides, decision_limit};

/// More of them in a plan are refused: each is computed for every batch.
const MOST: usize = 100;

impl MonitoringPlan {
    /// Reads a plan.
    ///
    /// # Errors
    /// Every problem of the text, located: those of TOML files, and `monitoring-plan` for what a plan cannot
    /// mean.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::new(path, text);
        let plan = document.parse().map(|table| read(Section::root(&document, &table)));
        match (plan, document.into_problems()) {
            (Some(plan), problems) if problems.is_empty() => Ok(plan),
            (_, problems) => Err(problems),
        }
    }
}

fn read(root: Section<'_, '_>) -> MonitoringPlan {
    root.format(FORMAT);
    let about = root.required_section("monitoring");
    let id = about.required_string("id");
    let title = about.required_string("title");
    let batch_minimum = about.whole("batch_minimum").unwrap_or(50);
    if batch_minimum < 2 {
        let message = format!("`monitoring.batch_minimum` is {batch_minimum}, must be 2 or more");
        about.wrong("batch_minimum", Code::ValueRange, message);
    }
    let level = about.number_in("level", "between 0.5 and 1", |l| l > 0.5 && l < 1.0).unwrap_or(0.95);
    about.finish();
    let of_columns = root.required_section("columns");
    let columns = columns(&of_columns);
    of_columns.finish();
    let device = root.section("device");
    let version = device.string("version");
    if columns.version.is_some() != device.has("version")
        && (device.is_present() || columns.version.is_some())
    {
        device.report(
            Diagnostic::error(
                Code::KeyMissing,
                "`device.version` and `columns.version` go together: a version, and where rows name it",
            )
            .at(device.here())
            .hint("write both, or neither"),
        );
    }
    device.finish();
    let (mut ids, mut compared) = (BTreeSet::new(), BTreeSet::new());
    let (mut charts, mut inputs) = (Vec::new(), Vec::new());
    for section in root.sections("chart").into_iter().take(MOST) {
        let id = section.string("id").unwrap_or_default();
        if !id.is_empty() && !ids.insert(id.clone()) {
            section.wrong("id", Code::MonitoringPlan, format!("two charts are called `{id}`"));
        }
        charts.extend(chart(&section, &columns));
        section.finish();
    }
    for section in root.sections("input") {
        let column = section.string("column").unwrap_or_default();
        if !column.is_empty() && !compared.insert(column.clone()) {
            let message = format!("the column `{column}` is compared twice");
            section.wrong("column", Code::MonitoringPlan, message);
        }
        inputs.push(input(section));
    }
    let drift = drift(root.section("drift"));
    let limits = limits(root.section("limits"));
    let performance: Vec<PerformancePlan> = root
        .sections("performance")
        .into_iter()
        .filter_map(|section| performance(section, &columns))
        .collect();
    too_many(&root, ["chart", "input", "performance"]);
    if !root.has("chart") && !root.has("input") {
        root.report(
            Diagnostic::error(
                Code::MonitoringPlan,
                "the plan watches nothing: no [[chart]] and no [[input]]",
            )
            .at(root.here())
            .hint("`sequester monitor init` writes a plan to begin from"),
        );
    }
    root.finish();
    MonitoringPlan {
        id,
        title,
        batch_minimum,
        level,
        columns,
        version,
        charts,
        inputs,
        drift,
        limits,
        performance,
    }
}

fn too_many(root: &Section<'_, '_>, keys: [&'static str; 3]) {
    for key in keys {
        let count = root.sections(key).len();
        if count > MOST {
            let message = format!("{count} of [[{key}]]: at most {MOST} can be declared");
            root.wrong(key, Code::ValueRange, message);
        }
    }
}

fn columns(section: &Section<'_, '_>) -> BatchColumns {
    let filled = |key: &'static str| {
        // One that is no text is declared all the same.
        let text = section.string(key).or_else(|| section.faulty(&[key]).then(String::new))?;
        if text.trim().is_empty() && !section.faulty(&[key]) {
            section.wrong(key, Code::ValueEmpty, format!("`columns.{key}` is empty"));
        }
        Some(text)
    };
    let columns = BatchColumns {
        case: section.required_string("case"),
        patient: filled("patient"),
        score: filled("score"),
        call: filled("call"),
        positive: filled("positive"),
        refused: filled("refused"),
        label: filled("label"),
        date: filled("date"),
        lock: filled("lock"),
        version: filled("version"),
    };
    let of_two = |message: &str, key: &'static str, hint: &str| {
        let at = if section.has(key) { section.at(key) } else { section.here() };
        section.report(Diagnostic::error(Code::MonitoringPlan, message).at(at).hint(hint));
    };
    if section.is_present() && columns.score.is_some() == columns.call.is_some() {
        let hint = "`score` where batches hold scores, beside which the sealed threshold is; `call` where \
                    they hold the device's answer alone";
        of_two("`columns.score` or `columns.call`: one of the two is declared", "call", hint);
    }
    if columns.positive.is_some() && columns.call.is_none() {
        of_two(
            "`columns.positive` is a word of the column of calls, and none is declared",
            "positive",
            "remove it",
        );
    }
    columns
}

fn chart(section: &Section<'_, '_>, columns: &BatchColumns) -> Option<ChartPlan> {
    let id = section.required_string("id");
    if !section.has("measure") {
        section.required_string("measure");
    }
    let measure = section.choice("measure", &Measure::ALL, Measure::Refusals);
    let directions = [("both", [true, true]), ("up", [true, false]), ("down", [false, true])];
    let watched = section.choice("direction", &directions, [true, true]);
    let reference_value =
        section.number_in("reference_value", "0.1 to 5", |k| (0.1..=5.0).contains(&k)).unwrap_or(0.5);
    let run_length = section.number_in("run_length", "2 to 100000", |l| (2.0..=1e5).contains(&l));
    if !section.has("run_length") {
        section.report(
            Diagnostic::error(
                Code::KeyMissing,
                "`run_length` is missing: how many batches lie before a false alarm",
            )
            .at(section.here())
            .hint("`sequester design cusum` shows what each choice finds, and how soon"),
        );
    }
    let range = |value: f64| measure == Measure::MeanScore || (value > 0.0 && value < 1.0);
    let in_control = section.number_in("in_control", "between 0 and 1", range);
    let deviation = section.number_in("deviation", "above 0", |d| d > 0.0);
    let needed = |key: &'static str, message: &str| {
        section.report(Diagnostic::error(Code::MonitoringPlan, message).at(section.at(key)));
    };
    if section.faulty(&["measure"]) {
        return None;
    }
    if section.has("deviation") && measure != Measure::MeanScore {
        needed("deviation", "`deviation` belongs to mean-score: that of a share follows from its value");
    }
    if measure == Measure::MeanScore && section.has("in_control") != section.has("deviation") {
        needed("in_control", "a mean score in control is declared with the `deviation` of a score");
    }
    if measure == Measure::MeanScore && columns.score.is_none() {
        needed("measure", "there is no column of scores whose mean could be watched");
    }
    if measure == Measure::Refusals && columns.refused.is_none() {
        needed("measure", "refusals are watched, and `columns.refused` is not declared");
    }
    if measure.needs_labels() && columns.label.is_none() {
        needed("measure", "the measure needs labels, and `columns.label` is not declared");
    }
    let run_length = run_length?;
    let sides = if watched == [true, true] { Sides::Two } else { Sides::One };
    let Some(limit) = decision_limit(reference_value, run_length, sides) else {
        let message = format!(
            "no limit has a run length of {run_length} with a reference value of {reference_value}: single \
             batches alone have a longer one"
        );
        section.wrong("run_length", Code::MonitoringPlan, message);
        return None;
    };
    Some(ChartPlan { id, measure, watched, reference_value, run_length, limit, in_control, deviation })
}

fn input(section: Section<'_, '_>) -> InputColumn {
    let column = section.required_string("column");
    let cohort = section.string("cohort_column").unwrap_or_else(|| column.clone());
    if !section.has("kind") {
        section.required_string("kind");
    }
    let kinds = [("number", InputKind::Number), ("category", InputKind::Category)];
    let kind = section.choice("kind", &kinds, InputKind::Category);
    section.finish();
    InputColumn { column, cohort, kind }
}

fn drift(section: Section<'_, '_>) -> Drift {
    let alpha = section.number_in("alpha", "above 0 and at most 0.2", |a| a > 0.0 && a <= 0.2);
    let difference = section.number_in("minimum_difference", "0 to 5", |d| (0.0..=5.0).contains(&d));
    section.finish();
    Drift { alpha: alpha.unwrap_or(0.01), minimum_difference: difference.unwrap_or(0.2) }
}

fn limits(section: Section<'_, '_>) -> Limits {
    let share = |key: &'static str| section.number_in(key, "0 to 1", |s| (0.0..=1.0).contains(&s));
    let (missing, duplicates) = (share("missing"), share("duplicates"));
    section.finish();
    Limits { missing: missing.unwrap_or(0.05), duplicates: duplicates.unwrap_or(0.01) }
}

fn performance(section: Section<'_, '_>, columns: &BatchColumns) -> Option<PerformancePlan> {
    let id = section.required_string("metric");
    let metric = Metric::from_id(&id)
        .filter(|metric| metric.is_proportion() || matches!(metric, Metric::Auc | Metric::F1));
    if section.has("metric") && metric.is_none() {
        let hint = "auc, sensitivity, specificity, ppv, npv, accuracy, prevalence or f1";
        section.report(
            Diagnostic::error(
                Code::ValueUnknown,
                format!("`metric` is \"{id}\", which a batch does not have"),
            )
            .at(section.at("metric"))
            .hint(hint),
        );
    }
    if metric == Some(Metric::Auc) && columns.score.is_none() {
        section.wrong("metric", Code::MonitoringPlan, "an AUC needs scores, and batches hold calls alone");
    }
    if columns.label.is_none() {
        section.wrong(
            "metric",
            Code::MonitoringPlan,
            "a metric needs labels, and `columns.label` is not declared",
        );
    }
    let at_least = section.number("at_least");
    if at_least.is_some_and(|goal| !(0.0..=1.0).contains(&goal)) {
        let message = "must be a number from 0 to 1, as the metric is";
        section.wrong("at_least", Code::MonitoringPlan, message);
    }
    section.finish();
    Some(PerformancePlan { metric: metric?, at_least })
}
