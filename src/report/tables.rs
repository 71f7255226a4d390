//! The tables of a document, each from the facts of the bundle alone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Align, Cell, Column, Look, Row, Table};
use super::{Source, description, format, text};
use crate::diagnostic::Code;
use crate::statistics::estimate::{Estimate, IntervalMethod, Scenario, SubgroupLevel};
use crate::study::results::{Results, Verdict};

/// What every page says when any case was made by a program.
pub const SYNTHETIC_BANNER: &str =
    "SYNTHETIC DATA: the images and reads were made by a program. The results have no clinical meaning.";

/// The ids of all tables, for the error that names them.
pub const IDS: &[&str] = &[
    "title",
    "cohort",
    "flow",
    "eligibility",
    "readers",
    "consensus",
    "agreement",
    "endpoints",
    "results",
    "intervals",
    "intended-use",
    "confusion",
    "subgroups",
    "sensitivity-analyses",
    "gate",
    "acceptance",
    "lock",
    "stages",
    "development",
    "training",
    "openings",
    "warnings",
    "digests",
    "description",
    "description-findings",
    "description-missing",
    "to-complete",
];

/// What to print for a field that only people can fill.
pub const TO_COMPLETE: &str = "[to be completed by the submitter]";

/// A table by its id; `path` selects a part of the lock. `None`: there is no such id.
pub fn build(source: &Source, id: &str, path: &str, to_complete: &[String]) -> Option<Table> {
    let results = &source.results;
    let level = format::level(results.method.level);
    Some(match id {
        "title" => title(source),
        "cohort" => cohort(results),
        "flow" => flow(results),
        "eligibility" => eligibility(results),
        "readers" => readers(results),
        "consensus" => consensus(results),
        "agreement" => agreement(results, &level),
        "endpoints" => endpoints(results, &level),
        "results" => overall(results, &level),
        "intervals" => intervals(results),
        "intended-use" => intended_use(results, &level),
        "confusion" => confusion(results),
        "subgroups" => subgroups(results, &level),
        "sensitivity-analyses" => sensitivity_analyses(results, &level),
        "gate" => gate(source),
        "acceptance" => acceptance(source),
        "lock" => facts(
            source.lock.as_ref().and_then(|lock| at(lock, path)),
            if path.is_empty() {
                "The locked model".to_owned()
            } else {
                text::humanise(&path.replace('.', " "))
            },
        ),
        "stages" => stages(source),
        "development" => development(source),
        "training" => training(source),
        "openings" => openings(source),
        "warnings" => warnings(results),
        "digests" => digests(source),
        "to-complete" => completion(to_complete),
        _ if id.starts_with("description") && IDS.contains(&id) => {
            let nothing = table("The data", vec![left("", 1.0)], Vec::new());
            let part = id.trim_start_matches("description");
            source.description.as_ref().map_or(Some(nothing), |d| description::table_for_document(d, part))?
        }
        _ => return None,
    })
}

fn left(header: &str, weight: f64) -> Column {
    Column { header: header.to_owned(), align: Align::Left, weight }
}

fn right(header: &str) -> Column {
    Column { header: header.to_owned(), align: Align::Right, weight: 0.0 }
}

fn table(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Table {
    let mut table = Table { caption: caption.into(), number: 0, columns, rows, notes: Vec::new() };
    if table.rows.is_empty() {
        table.rows.push(Row::Group("None.".to_owned()));
    }
    table
}

fn cells<const N: usize>(texts: [String; N]) -> Row {
    Row::Cells(texts.into_iter().map(Cell::new).collect())
}

/// A value below a dotted path; the empty path is the value itself.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, |value, part| match value {
        Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => value.get(part),
    })
}

/// A value of a lock or a protocol in words; numbers exactly as recorded.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            map.iter().map(|(key, value)| format!("{key} = {}", words(value))).collect::<Vec<_>>().join("; ")
        }
    }
}

fn title(source: &Source) -> Table {
    let results = &source.results;
    let study = &results.study;
    let field = |path: &str| {
        at(&source.device, path)
            .map(words)
            .filter(|text| !text.trim().is_empty())
            .unwrap_or_else(|| TO_COMPLETE.to_owned())
    };
    let digest = |path: &str| source.digests.get(path).cloned();
    let mut rows: Vec<(&str, String, Look)> = vec![
        ("Device", field("device.name"), Look::Strong),
        ("Device version", field("device.version"), Look::Plain),
        ("Submitter", field("submitter.name"), Look::Plain),
        ("Predicate device", field("predicate.name"), Look::Plain),
        ("Study protocol", format!("{}, version {}: {}", study.id, study.version, study.title), Look::Plain),
        ("Finding", study.finding.clone(), Look::Plain),
        ("Run", source.run_id.clone(), Look::Plain),
        ("Date of the evidence", source.date.clone(), Look::Plain),
        (
            "Program",
            format!(
                "Sequester {} (analysis), {} (this document)",
                results.method.program_version, source.program_version
            ),
            Look::Plain,
        ),
    ];
    if let Some(digest) = digest("data/protocol.toml") {
        rows.push(("Protocol, SHA-256", digest, Look::Code));
    }
    match (&source.lock, digest("data/model/weights.safetensors").or_else(|| digest("data/model/lock.json")))
    {
        (Some(_), Some(digest)) => rows.push(("Locked model, SHA-256", digest, Look::Code)),
        (Some(_), None) => rows.push(("Locked model", "digest not recorded".to_owned(), Look::Plain)),
        (None, _) => {
            rows.push(("Model", "scored elsewhere; no model in this evidence".to_owned(), Look::Plain))
        }
    }
    rows.push(("Bundle root, SHA-256", source.root_digest.clone(), Look::Code));
    let rows = rows
        .into_iter()
        .map(|(key, value, look)| {
            Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
        })
        .collect();
    // No caption and no header: the title page says what it is.
    table("", vec![left("", 0.0), left("", 1.0)], rows)
}

fn cohort(results: &Results) -> Table {
    let analysed = results.flow.analysed;
    let mut rows = Vec::new();
    let mut variable = "";
    for row in &results.cohort {
        if row.variable != variable {
            variable = &row.variable;
            rows.push(Row::Group(text::humanise(variable)));
        }
        rows.push(cells([
            row.level.clone(),
            format::count(row.cases),
            format::share(row.cases, analysed),
            format::count(row.patients),
            format!("{} ({})", format::count(row.positives), format::share(row.positives, row.cases)),
        ]));
    }
    let mut table = table(
        format!(
            "Characteristics of the analysed cases ({} cases of {} patients)",
            format::count(analysed),
            format::count(results.flow.analysed_patients)
        ),
        vec![
            left("Characteristic", 1.0),
            right("Cases"),
            right("Share of cases"),
            right("Patients"),
            right("Positive by reference standard"),
        ],
        rows,
    );
    table
        .notes
        .push("A patient with several cases can appear at several levels of one characteristic.".to_owned());
    table
}

fn flow(results: &Results) -> Table {
    let flow = &results.flow;
    let patients = |n: u64| Cell::count(n);
    let none = || Cell::new("");
    let mut rows = vec![Row::Cells(vec![
        Cell::new("Considered").look(Look::Strong),
        Cell::count(flow.considered),
        patients(flow.considered_patients),
    ])];
    for reason in &flow.excluded {
        let name = format!("Excluded: {}", reason.reason);
        rows.push(Row::Cells(vec![Cell::new(name), Cell::count(reason.count), none()]));
    }
    rows.extend([
        Row::Cells(vec![Cell::new("Eligible").look(Look::Strong), Cell::count(flow.eligible), none()]),
        Row::Cells(vec![Cell::new("Eligible, not sampled"), Cell::count(flow.not_sampled), none()]),
        Row::Cells(vec![
            Cell::new("Sampled into the test set").look(Look::Strong),
            Cell::count(flow.sampled),
            patients(flow.sampled_patients),
        ]),
        Row::Cells(vec![Cell::new("Without consensus"), Cell::count(flow.without_consensus), none()]),
        Row::Cells(vec![
            Cell::new("With consensus, without a score"),
            Cell::count(flow.without_score),
            none(),
        ]),
        Row::Cells(vec![
            Cell::new("In the primary analysis").look(Look::Strong),
            Cell::count(flow.analysed),
            patients(flow.analysed_patients),
        ]),
        Row::Cells(vec![
            Cell::new("Positive by the reference standard"),
            Cell::count(flow.positives),
            none(),
        ]),
        Row::Cells(vec![
            Cell::new("Negative by the reference standard"),
            Cell::count(flow.negatives),
            none(),
        ]),
    ]);
    table(
        "Accounting for every case considered",
        vec![left("Step", 1.0), right("Cases"), right("Patients")],
        rows,
    )
}

fn eligibility(results: &Results) -> Table {
    let rows = results
        .flow
        .excluded
        .iter()
        .map(|r| {
            cells([
                r.id.clone(),
                r.reason.clone(),
                format::count(r.count),
                format::share(r.count, results.flow.considered),
                format::count(r.count_any),
            ])
        })
        .collect();
    let mut table = table(
        format!(
            "Exclusions by criterion, of {} cases considered; {} are eligible",
            format::count(results.flow.considered),
            format::count(results.flow.eligible)
        ),
        vec![
            left("Criterion", 0.6),
            left("Reason for exclusion", 1.0),
            right("First reason"),
            right("Share"),
            right("Any reason"),
        ],
        rows,
    );
    table.notes.push(
        "Criteria are applied in this order. A case is counted once under \u{201c}first reason\u{201d} and under every \
         criterion it fails under \u{201c}any reason\u{201d}."
            .to_owned(),
    );
    table
}

fn readers(results: &Results) -> Table {
    let rows = results
        .readers
        .iter()
        .map(|r| {
            cells([
                r.id.clone(),
                format::count(r.reads),
                format::count(r.positive),
                format::count(r.negative),
                format::count(r.indeterminate),
                format::count(r.set_aside),
                r.missing.map_or_else(|| "not fixed".to_owned(), format::count),
            ])
        })
        .collect();
    table(
        format!("Readers and their reads of the {} sampled cases", format::count(results.flow.sampled)),
        vec![
            left("Reader", 1.0),
            right("Reads"),
            right("Positive"),
            right("Negative"),
            right("Indeterminate"),
            right("Set aside"),
            right("Missing"),
        ],
        rows,
    )
}

fn consensus(results: &Results) -> Table {
    let c = &results.consensus;
    let sampled = results.flow.sampled;
    let row = |name: &str, n: u64| cells([name.to_owned(), format::count(n), format::share(n, sampled)]);
    table(
        format!("How the consensus of the {} sampled cases came about", format::count(sampled)),
        vec![left("Consensus", 1.0), right("Cases"), right("Share of sampled")],
        vec![
            row("Unanimous, all votes given", c.unanimous),
            row("By majority, all votes given", c.majority),
            row("From fewer votes: a read was missing, indeterminate or set aside", c.incomplete),
            row("No consensus", c.none),
            row("Positive by consensus", c.positive),
            row("Negative by consensus", c.negative),
        ],
    )
}

fn agreement(results: &Results, level: &str) -> Table {
    let rows = results
        .agreement
        .iter()
        .map(|e| {
            cells([
                format::metric(&e.id),
                e.model.clone().unwrap_or_else(|| "all readers".to_owned()),
                match e.p_value {
                    Some(p) if p < 0.0001 => format!("{}, p < 0.0001", format::value(e)),
                    Some(p) => format!("{}, p = {p:.4}", format::value(e)),
                    None => format::value(e),
                },
                format::interval(e),
                format::count(e.n),
            ])
        })
        .collect();
    let mut table = table(
        "Agreement between readers, and the device beside them",
        vec![
            left("Measure", 0.7),
            left("Between", 1.0),
            right("Value"),
            right(&format!("{level} CI")),
            right("Cases"),
        ],
        rows,
    );
    table.notes.extend(method_note(&results.agreement.iter().collect::<Vec<_>>()));
    table
}

/// The methods of the declared intervals, each with the estimates it was used for.
fn method_note(estimates: &[&Estimate]) -> Option<String> {
    let mut methods: Vec<(String, Vec<String>)> = Vec::new();
    for estimate in estimates {
        let Some(interval) = estimate.intervals.first() else { continue };
        let mut interval = interval.clone();
        // How many replicates were left out differs from row to row and stands in the list of all intervals.
        interval.dropped = None;
        let method = format::method(&interval);
        let name = format::metric(&estimate.id);
        match methods.iter_mut().find(|(m, _)| *m == method) {
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => methods.push((method, vec![name])),
        }
    }
    if methods.is_empty() {
        return None;
    }
    let list: Vec<String> =
        methods.into_iter().map(|(method, names)| format!("{}: {method}", names.join(", "))).collect();
    Some(format!("Interval methods. {}.", list.join("; ")))
}

fn endpoints(results: &Results, level: &str) -> Table {
    let rows = results
        .endpoints
        .iter()
        .map(|e| {
            let style = format::style_of(e.metric.id(), false);
            let look = match e.verdict {
                Some(Verdict::Met) => Look::Good,
                Some(_) => Look::Bad,
                None => Look::Plain,
            };
            Row::Cells(vec![
                Cell::new(format!("{} ({})", format::metric(e.metric.id()), e.role.name()))
                    .look(Look::Strong),
                Cell::new(e.criterion.clone().unwrap_or_else(|| "none declared".to_owned())),
                Cell::new(e.value.map_or_else(|| "not evaluable".to_owned(), |v| format::number(v, style))),
                Cell::new(e.interval.as_ref().map_or_else(
                    || "\u{2013}".to_owned(),
                    |i| match format::level(i.level) {
                        own if own == level => format::limits(i, style),
                        own => format!("{} ({own})", format::limits(i, style)),
                    },
                )),
                Cell::new(
                    e.bound
                        .map_or_else(|| "\u{2013}".to_owned(), |b| format::bound(b, e.criterion.as_deref())),
                ),
                Cell::new(format::verdict(e.verdict)).look(look),
            ])
        })
        .collect();
    let mut table = table(
        "Endpoints, acceptance criteria and verdicts",
        vec![
            left("Endpoint", 1.2),
            left("Criterion", 0.8),
            right("Estimate"),
            right(&format!("{level} CI")),
            right("Bound"),
            left("Verdict", 0.0),
        ],
        rows,
    );
    let methods: BTreeMap<&str, Vec<String>> =
        results.endpoints.iter().fold(BTreeMap::new(), |mut map, e| {
            map.entry(e.interval_method.describe())
                .or_insert_with(Vec::new)
                .push(format::metric(e.metric.id()));
            map
        });
    if !methods.is_empty() {
        let list: Vec<String> =
            methods.into_iter().map(|(method, names)| format!("{}: {method}", names.join(", "))).collect();
        table.notes.push(format!("Declared interval methods. {}.", list.join("; ")));
    }
    if results.method.criterion_level.is_some() {
        table.notes.push(format!("Several primary endpoints: {}.", format::multiplicity(&results.method)));
    }
    table.notes.push(
        "The bound of the declared two-sided interval is compared with the criterion, on the scale of 0 to 1 and \
         without rounding."
            .to_owned(),
    );
    table
}

/// Name of an estimate in a row: the metric, and the model where there are several.
fn row_name(estimate: &Estimate) -> String {
    match &estimate.model {
        Some(model) => format!("{}, {model}", format::metric(&estimate.id)),
        None => format::metric(&estimate.id),
    }
}

fn is_primary(estimate: &Estimate) -> bool {
    estimate.subgroup.is_none() && estimate.scenario.is_none()
}

fn is_per_thousand(estimate: &Estimate) -> bool {
    estimate.id.replace('_', "-").starts_with("per-1000-")
}

fn estimate_row(e: &Estimate, name: String) -> Row {
    let muted = if e.value.is_none() { Look::Muted } else { Look::Plain };
    Row::Cells(vec![
        Cell::new(name),
        Cell::new(format::value(e)).look(muted),
        Cell::new(format::interval(e)),
        Cell::new(format::fraction(e).unwrap_or_else(|| "\u{2013}".to_owned())),
        Cell::count(e.n),
    ])
}

fn overall(results: &Results, level: &str) -> Table {
    let list: Vec<&Estimate> = results
        .estimates
        .iter()
        .filter(|e| is_primary(e) && e.prevalence.is_none() && !is_per_thousand(e))
        .collect();
    let rows = list.iter().map(|e| estimate_row(e, row_name(e))).collect();
    let mut table = table(
        format!(
            "Performance in the primary analysis ({} positive and {} negative cases)",
            format::count(results.flow.positives),
            format::count(results.flow.negatives)
        ),
        vec![
            left("Measure", 1.0),
            right("Estimate"),
            right(&format!("{level} CI")),
            right("Count"),
            right("Cases"),
        ],
        rows,
    );
    table.notes.extend(method_note(&list));
    table.notes.push(format!(
        "Measures other than the AUC hold at the operating point: a case is called positive when its score is at least {}.",
        format::threshold(results.operating_point.threshold)
    ));
    if list.iter().any(|e| matches!(e.id.as_str(), "ppv" | "npv" | "f1" | "accuracy")) {
        table.notes.push(format!(
            "Predictive values, accuracy and F1 depend on prevalence; here it is that of the sample, {} ({} of {}).",
            format::share(results.flow.positives, results.flow.analysed),
            format::count(results.flow.positives),
            format::count(results.flow.analysed)
        ));
    }
    table
}

fn intervals(results: &Results) -> Table {
    let mut rows = Vec::new();
    for e in results.estimates.iter().filter(|e| is_primary(e) && !is_per_thousand(e)) {
        let name = match e.prevalence {
            Some(p) => format!("{} at prevalence {}", row_name(e), format::prevalence(p)),
            None => row_name(e),
        };
        for (index, i) in e.intervals.iter().enumerate() {
            rows.push(cells([
                if index == 0 { name.clone() } else { String::new() },
                format::limits(i, format::style(e)),
                format::level(i.level),
                format::method(i),
            ]));
        }
    }
    let mut table = table(
        "Every interval of the primary analysis, the declared one first",
        vec![left("Measure", 0.8), right("Interval"), right("Level"), left("Method", 1.2)],
        rows,
    );
    table
        .notes
        .push("Verdicts rest on the declared interval alone; the others show how little or how much depends on the method.".to_owned());
    table
}

fn intended_use(results: &Results, level: &str) -> Table {
    let list: Vec<&Estimate> = results
        .estimates
        .iter()
        .filter(|e| is_primary(e) && e.prevalence.is_some() && !is_per_thousand(e))
        .collect();
    let rows = list
        .iter()
        .map(|e| {
            cells([
                row_name(e),
                e.prevalence.map(format::prevalence).unwrap_or_default(),
                format::value(e),
                format::interval(e),
            ])
        })
        .collect();
    let mut table = table(
        "Measures that depend on prevalence, at the prevalence of intended use",
        vec![left("Measure", 1.0), right("Prevalence"), right("Estimate"), right(&format!("{level} CI"))],
        rows,
    );
    table.notes.extend(method_note(&list));
    table
}

fn confusion(results: &Results) -> Table {
    let c = &results.curves.confusion;
    let row = |name: &str, a: u64, b: u64| {
        Row::Cells(vec![
            Cell::new(name).look(Look::Strong),
            Cell::count(a),
            Cell::count(b),
            Cell::count(a + b),
        ])
    };
    table(
        format!(
            "Device against reference standard at the operating point (score at least {})",
            format::threshold(results.operating_point.threshold)
        ),
        vec![left("Device", 1.0), right("Reference positive"), right("Reference negative"), right("Total")],
        vec![
            row("Called positive", c.true_positives, c.false_positives),
            row("Called negative", c.false_negatives, c.true_negatives),
            row("Total", c.true_positives + c.false_negatives, c.false_positives + c.true_negatives),
        ],
    )
}

/// The levels of all subgroups in the order of the results: (variable, level).
pub fn subgroup_levels(results: &Results) -> Vec<(String, String)> {
    let mut levels: Vec<(String, String)> = Vec::new();
    for subgroup in results.estimates.iter().filter_map(|e| e.subgroup.as_ref()) {
        let pair = (subgroup.variable.clone(), subgroup.level.clone());
        if !levels.contains(&pair) {
            levels.push(pair);
        }
    }
    // Levels of one variable stand together, variables in the order they first appear.
    let order: Vec<String> = levels.iter().fold(Vec::new(), |mut order, (variable, _)| {
        if !order.contains(variable) {
            order.push(variable.clone());
        }
        order
    });
    levels.sort_by_key(|(variable, _)| order.iter().position(|v| v == variable));
    levels
}

/// An estimate of the primary scenario in a subgroup, at the sample's prevalence.
pub fn in_subgroup<'a>(results: &'a Results, id: &str, variable: &str, level: &str) -> Option<&'a Estimate> {
    let subgroup = Some(SubgroupLevel::new(variable, level));
    let of = |e: &&Estimate| e.subgroup == subgroup && e.scenario.is_none() && e.prevalence.is_none();
    results.estimates.iter().filter(|e| e.id == id).find(of)
}

/// Whether the protocol's minimum says that a subgroup is too small to rely on.
pub fn is_insufficient(results: &Results, estimate: &Estimate) -> bool {
    estimate.n < results.method.subgroup_minimum
        || estimate.warnings.iter().any(|w| matches!(w.code, Code::Insufficient | Code::SubgroupInsufficient))
}

fn subgroups(results: &Results, level: &str) -> Table {
    let mut rows = Vec::new();
    let mut current = String::new();
    let mut shown = Vec::new();
    for (variable, name) in subgroup_levels(results) {
        if variable != current {
            current.clone_from(&variable);
            rows.push(Row::Group(text::humanise(&variable)));
        }
        let metrics: Vec<Option<&Estimate>> = ["auc", "sensitivity", "specificity"]
            .iter()
            .map(|id| in_subgroup(results, id, &variable, &name))
            .collect();
        let first = results
            .estimates
            .iter()
            .find(|e| e.subgroup == Some(SubgroupLevel::new(&variable, &name)) && e.scenario.is_none());
        // Sensitivity alone has the positives as its cases: take the largest n the subgroup has.
        let insufficient = metrics.iter().flatten().any(|e| is_insufficient(results, e))
            || first.is_some_and(|e| is_insufficient(results, e));
        let look = if insufficient { Look::Muted } else { Look::Plain };
        let auc = metrics.first().copied().flatten().or(first);
        let mut row = vec![
            Cell::new(if insufficient { format!("{name} \u{2020}") } else { name.clone() }).look(look),
            Cell::new(auc.map_or_else(
                || "\u{2013}".to_owned(),
                |e| format!("{} ({})", format::count(e.n), format::count(e.positives)),
            ))
            .look(look),
        ];
        for estimate in &metrics {
            let text = match estimate {
                Some(e) if e.value.is_some() => match e.intervals.first() {
                    Some(i) => format!("{} ({})", format::value(e), format::limits(i, format::style(e))),
                    None => format::value(e),
                },
                Some(_) => "not evaluable".to_owned(),
                None => "\u{2013}".to_owned(),
            };
            row.push(Cell::new(text).look(look));
        }
        shown.extend(metrics.into_iter().flatten());
        rows.push(Row::Cells(row));
    }
    let header = |name: &str| right(&format!("{name} ({level} CI)"));
    let mut table = table(
        "Performance in subgroups",
        vec![
            left("Subgroup", 1.0),
            right("Cases (positive)"),
            header("AUC"),
            header("Sensitivity"),
            header("Specificity"),
        ],
        rows,
    );
    if !shown.is_empty() {
        table.notes.push(format!(
            "\u{2020} Insufficient: fewer cases than the protocol's minimum of {}, or too few of one class. Shown, but not to be relied on.",
            format::count(results.method.subgroup_minimum)
        ));
        table.notes.extend(method_note(&shown));
        let reasons: Vec<String> = shown
            .iter()
            .filter_map(|e| {
                let reason = e.not_evaluable.as_ref()?;
                Some(format!(
                    "{} in {}: {reason}",
                    format::metric(&e.id),
                    e.subgroup.as_ref().map(ToString::to_string).unwrap_or_default()
                ))
            })
            .collect();
        if !reasons.is_empty() {
            table.notes.push(format!("Not evaluable. {}.", reasons.join("; ")));
        }
    }
    table
}

fn sensitivity_analyses(results: &Results, level: &str) -> Table {
    let scenarios = |e: &&Estimate| e.scenario.is_some() && e.subgroup.is_none() && e.prevalence.is_none();
    let mut ids: Vec<(&str, Option<&str>)> = Vec::new();
    for e in results.estimates.iter().filter(scenarios) {
        let key = (e.id.as_str(), e.model.as_deref());
        if !ids.contains(&key) {
            ids.push(key);
        }
    }
    let mut rows = Vec::new();
    for (id, model) in ids {
        let of = |e: &&Estimate| e.id == id && e.model.as_deref() == model;
        let primary = results.estimates.iter().filter(of).find(|e| is_primary(e) && e.prevalence.is_none());
        let name = primary.map_or_else(|| format::metric(id), row_name);
        rows.push(Row::Group(name));
        if let Some(e) = primary {
            rows.push(estimate_row(e, "primary analysis".to_owned()));
        }
        for e in results.estimates.iter().filter(of).filter(scenarios) {
            let scenario = e.scenario.map_or("", Scenario::name);
            rows.push(estimate_row(e, scenario.replace(['-', '_'], " ")));
        }
    }
    table(
        "Sensitivity analyses: cases without consensus or without a score handled differently",
        vec![
            left("Analysis", 1.0),
            right("Estimate"),
            right(&format!("{level} CI")),
            right("Count"),
            right("Cases"),
        ],
        rows,
    )
}

fn gate(source: &Source) -> Table {
    let gate = source.lock.as_ref().and_then(|lock| lock.get("gate")).or_else(|| source.protocol.get("gate"));
    let mut rows = Vec::new();
    if let Some(Value::Object(rules)) = gate {
        for (rule, accepted) in rules {
            let (name, attribute) = match rule.as_str() {
                "modality" => ("Modality", "(0008,0060)"),
                "body_part" => ("Body part examined", "(0018,0015)"),
                "view" => ("View position, or patient position where it holds the projection", "(0018,5101)"),
                "age_years" => ("Patient's age", "(0010,1010)"),
                "age_from_dates" => ("Age from birth date and study date", "(0010,0030), (0008,0020)"),
                "minimum_dimension" | "maximum_dimension" => ("Rows and columns", "(0028,0010), (0028,0011)"),
                "aspect_ratio" => ("Columns divided by rows", "(0028,0011), (0028,0010)"),
                "photometric_interpretation" => ("Photometric interpretation", "(0028,0004)"),
                "burned_in_annotation" => ("Burned-in annotation", "(0028,0301)"),
                other => (other, ""),
            };
            let accepted = match (accepted.get("min"), accepted.get("max")) {
                (Some(min), Some(max)) if rule == "aspect_ratio" => {
                    format!("{} to {}", words(min), words(max))
                }
                (Some(min), Some(max)) => format!("{} to {} years", words(min), words(max)),
                _ if rule == "minimum_dimension" => format!("at least {} pixels", words(accepted)),
                _ if rule == "maximum_dimension" => format!("at most {} pixels", words(accepted)),
                _ if rule == "age_from_dates" => "where the age is not given".to_owned(),
                _ if rule == "burned_in_annotation" && accepted == "not-yes" => "not YES".to_owned(),
                _ if rule == "burned_in_annotation" => "NO".to_owned(),
                _ => words(accepted),
            };
            rows.push(cells([name.to_owned(), attribute.to_owned(), accepted]));
        }
    }
    let mut table = table(
        "DICOM checks: an image that fails any of them is refused and not scored",
        vec![left("Check", 1.2), left("Attribute", 0.8), left("Accepted", 1.0)],
        rows,
    );
    table
        .notes
        .push("An attribute that a rule needs and the image does not give is refused as well.".to_owned());
    table
}

fn acceptance(source: &Source) -> Table {
    let empty = Vec::new();
    let list = source.protocol.get("endpoint").and_then(Value::as_array).unwrap_or(&empty);
    let get = |e: &Value, key: &str| e.get(key).map(words).unwrap_or_else(|| "\u{2013}".to_owned());
    let rows = list
        .iter()
        .map(|e| {
            cells([
                get(e, "id"),
                format::metric(&get(e, "metric")),
                get(e, "role"),
                e.get("interval")
                    .and_then(|m| serde_json::from_value::<IntervalMethod>(m.clone()).ok())
                    .map_or_else(|| get(e, "interval"), |m| m.describe().to_owned()),
                get(e, "criterion"),
            ])
        })
        .collect();
    table(
        "Performance standard: endpoints and acceptance criteria as declared in the protocol",
        vec![
            left("Endpoint", 1.0),
            left("Measure", 1.0),
            left("Role", 0.7),
            left("Interval", 1.8),
            left("Acceptance criterion", 1.2),
        ],
        rows,
    )
}

/// A value of the lock as a list of facts, nested keys joined by a dot.
fn facts(value: Option<&Value>, caption: String) -> Table {
    fn collect(prefix: &str, value: &Value, rows: &mut Vec<Row>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    // The curve has a table of its own.
                    if key == "history" && value.is_array() {
                        continue;
                    }
                    let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    collect(&name, value, rows);
                }
            }
            Value::Array(items) if items.iter().any(|i| i.is_object() || i.is_array()) => {
                for (index, value) in items.iter().enumerate() {
                    collect(&format!("{prefix} {}", index + 1), value, rows);
                }
            }
            value => {
                let text = words(value);
                let look = if is_digest(&text) { Look::Code } else { Look::Plain };
                let name = text::humanise(&prefix.replace('.', ": "));
                rows.push(Row::Cells(vec![Cell::new(name), Cell::new(text).look(look)]));
            }
        }
    }
    let mut rows = Vec::new();
    if let Some(value) = value {
        collect("", value, &mut rows);
    }
    table(caption, vec![left("Fact", 0.55), left("Value", 1.0)], rows)
}

/// The stages of the training, with the layers that were frozen and trained.
fn stages(source: &Source) -> Table {
    let list =
        source.lock.as_ref().and_then(|l| at(l, "experiment.experiment.stages")).and_then(Value::as_array);
    let rows = list
        .into_iter()
        .flatten()
        .map(|stage| {
            let get = |path: &str| at(stage, path).map_or_else(|| "\u{2013}".to_owned(), words);
            let number =
                |path: &str| at(stage, path).and_then(Value::as_u64).map_or_else(|| get(path), format::count);
            cells([
                get("name"),
                get("epochs"),
                at(stage, "learning_rate")
                    .and_then(Value::as_f64)
                    .map_or_else(|| get("learning_rate"), |r| format!("{r:e}")),
                get("batch_size"),
                format!("{} of {}", get("trainable.first_layer"), get("trainable.layers")),
                get("trainable.first_module"),
                number("trainable.trained_parameters"),
                number("trainable.frozen_parameters"),
            ])
        })
        .collect();
    let mut table = table(
        "Stages of the training: what was frozen and what was trained",
        vec![
            left("Stage", 0.6),
            right("Epochs"),
            right("Learning rate"),
            right("Batch"),
            right("Frozen layers"),
            left("First trained module", 1.0),
            right("Trained"),
            right("Frozen"),
        ],
        rows,
    );
    table.notes.push(
        "Layers of the base are counted as Keras counts them; \u{201c}trained\u{201d} and \u{201c}frozen\u{201d} are numbers of parameters."
            .to_owned(),
    );
    table
}

/// The development data, as counted by the training.
fn development(source: &Source) -> Table {
    let rows = [("Training", "experiment.training"), ("Tuning", "experiment.tuning")]
        .into_iter()
        .filter_map(|(name, path)| {
            let side = at(source.lock.as_ref()?, path)?;
            let number = |key: &str| side.get(key).and_then(Value::as_u64).unwrap_or_default();
            let positives = format::count(number("positives"));
            Some(cells([
                name.to_owned(),
                format::count(number("cases")),
                format::count(number("patients")),
                format!("{positives} ({})", format::share(number("positives"), number("cases"))),
            ]))
        })
        .collect();
    table(
        "Development data of the locked model",
        vec![left("Split", 1.0), right("Cases"), right("Patients"), right("Positive by source label")],
        rows,
    )
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn training(source: &Source) -> Table {
    let rows = source
        .training
        .iter()
        .map(|e| {
            cells([
                e.epoch.to_string(),
                e.stage.to_string(),
                format::fixed(e.loss, 4),
                e.tuning_auc
                    .map_or_else(|| "\u{2013}".to_owned(), |auc| format::number(auc, format::Style::Index)),
            ])
        })
        .collect();
    table(
        "Training log",
        vec![right("Epoch"), right("Stage"), right("Training loss"), right("AUC, tuning split")],
        rows,
    )
}

fn openings(source: &Source) -> Table {
    let rows = source
        .openings
        .iter()
        .enumerate()
        .map(|(index, opening)| {
            cells([
                (index + 1).to_string(),
                opening.date.clone(),
                opening.reason.clone().unwrap_or_else(|| {
                    if index == 0 { "first opening" } else { "no reason recorded" }.to_owned()
                }),
            ])
        })
        .collect();
    table(
        "Openings of the sealed test set",
        vec![right("Opening"), left("Date", 0.6), left("Reason", 1.0)],
        rows,
    )
}

fn warnings(results: &Results) -> Table {
    let rows = results.warnings.iter().map(|w| cells([w.code.to_string(), w.message.clone()])).collect();
    table("Warnings of the analysis", vec![left("Code", 0.5), left("Meaning", 1.0)], rows)
}

fn digests(source: &Source) -> Table {
    let rows = source
        .digests
        .iter()
        .map(|(path, digest)| {
            Row::Cells(vec![Cell::new(path.clone()), Cell::new(digest.clone()).look(Look::Code)])
        })
        .collect();
    table(
        "Files of the evidence bundle and their SHA-256 digests",
        vec![left("File", 0.48), left("SHA-256", 1.0)],
        rows,
    )
}

fn completion(to_complete: &[String]) -> Table {
    let rows = to_complete
        .iter()
        .map(|line| {
            let (field, what) = line.split_once(": ").unwrap_or((line, ""));
            Row::Cells(vec![Cell::new(field).look(Look::Code), Cell::new(what)])
        })
        .collect();
    table(
        "Fields of device.toml that the submitter still has to fill",
        vec![left("Field", 0.7), left("What it says", 1.0)],
        rows,
    )
}
