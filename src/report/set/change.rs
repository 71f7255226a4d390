//! Tables of a new version under a predetermined change control plan: what the plan says, what was changed,
//! how the version stands beside its predecessor, and the versions one after the other.

use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::protocol::change::{ChangeKind, ChangePlan, JudgedBy};
use crate::report::submission::Source;
use crate::report::wording;
use crate::statistics::comparative::Aim;
use crate::study::results::{Acceptance, ChangeResult, DeviceVersion, Rules, Verdict};

/// A table by its id; `None`: there is no such id.
pub fn build(source: &Source, id: &str) -> Option<Table> {
    Some(match id {
        "change-allowed" => allowed(source),
        "change-outline" => outline(source),
        "change-method" => method(source),
        "change-acceptance-declared" => declared(source),
        "change-impact" => impact(source),
        "change-found" => found(source),
        "change-differences" => differences(source),
        "change-acceptance" => acceptance(source),
        "change-assessed" => assessed(source),
        "change-versions" => versions(source),
        _ => return None,
    })
}

fn look(verdict: Verdict) -> Look {
    if verdict == Verdict::Met { Look::Good } else { Look::Bad }
}

fn answer(verdict: Verdict) -> Cell {
    Cell::new(wording::verdict(Some(verdict))).look(look(verdict))
}

fn plan(source: &Source) -> Option<&ChangePlan> {
    source.change_plan.as_ref()
}

fn result(source: &Source) -> Option<&ChangeResult> {
    source.results.change.as_ref()
}

/// A kind in words.
fn kind_words(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Weights => "weights and training",
        ChangeKind::Threshold => "threshold",
        ChangeKind::Preprocessing => "preprocessing",
        ChangeKind::Gate => "gate: which images are accepted",
        ChangeKind::Architecture => "network architecture",
    }
}

fn allowed(source: &Source) -> Table {
    let rows = plan(source).map_or(&[][..], |plan| &plan.modifications).iter().map(|m| {
        Row::Cells(vec![
            Cell::new(kind_words(m.kind)).look(Look::Strong),
            Cell::new(m.description.clone()),
            Cell::new(m.reason.clone()),
        ])
    });
    Table::or_none(
        "Kinds of change that the plan allows; every other one is refused",
        vec![Column::left("Kind", 0.6), Column::left("Modification", 1.2), Column::left("Why", 1.0)],
        rows.collect(),
    )
}

/// What a public summary carries: kinds, how a version is made and by what it is accepted. No digest.
fn outline(source: &Source) -> Table {
    let Some(plan) = plan(source) else {
        return Table::or_none("Outline of the plan", vec![Column::left("", 1.0)], Vec::new());
    };
    let kinds: Vec<String> =
        plan.modifications.iter().map(|m| format!("{}: {}", kind_words(m.kind), m.description)).collect();
    let accepted: Vec<String> = plan.acceptance.iter().map(aim_words).collect();
    let risks: Vec<String> =
        plan.impact.risks.iter().map(|r| format!("{} ({})", r.risk, r.mitigation)).collect();
    let row =
        |what: &str, text: String| Row::Cells(vec![Cell::new(what).look(Look::Strong), Cell::new(text)]);
    Table::or_none(
        "Outline of the predetermined change control plan",
        vec![Column::left("Part", 0.5), Column::left("In the submitter's words, and as declared", 1.5)],
        vec![
            row("Modifications", kinds.join("; ")),
            row("Data", plan.method.data.clone()),
            row("Training", plan.method.training.clone()),
            row("Evaluation", plan.method.evaluation.clone()),
            row("Acceptance", format!("{}; {}", accepted.join("; "), subgroup_words(plan))),
            row("Test set", format!("opened at most {} times under the plan", format::count(plan.openings))),
            row("Update", plan.method.update.clone()),
            row("Benefits", plan.impact.benefits.join("; ")),
            row("Risks and mitigations", risks.join("; ")),
            row("Changes together", plan.impact.together.clone()),
        ],
    )
}

fn method(source: &Source) -> Table {
    let row = |what: &str, text: &str| Row::Cells(vec![Cell::new(what).look(Look::Strong), Cell::new(text)]);
    let rows = plan(source).map(|plan| {
        vec![
            row("Data management", &plan.method.data),
            row("Training", &plan.method.training),
            row("Performance evaluation", &plan.method.evaluation),
            row("Update", &plan.method.update),
        ]
    });
    Table::or_none(
        "Modification protocol, in the submitter's words",
        vec![Column::left("Part", 0.5), Column::left("How", 1.5)],
        rows.unwrap_or_default(),
    )
}

fn margin(margin: f64, metric: crate::statistics::metric::Metric) -> String {
    format::number(margin, wording::style_of(metric.id(), false))
}

/// What an acceptance has to show, in words.
fn aim_words(endpoint: &crate::protocol::ComparativeEndpoint) -> String {
    let name = wording::metric(endpoint.metric.id());
    let by = margin(endpoint.margin, endpoint.metric);
    match endpoint.aim {
        Aim::NonInferiority => format!("{name} not below the predecessor's by {by} or more"),
        Aim::Equivalence => format!("{name} within {by} of the predecessor's"),
        Aim::Superiority if endpoint.margin == 0.0 => format!("{name} above the predecessor's"),
        Aim::Superiority => format!("{name} above the predecessor's by more than {by}"),
    }
}

/// How the acceptance holds in subgroups, in words.
fn subgroup_words(plan: &ChangePlan) -> String {
    let rule = &plan.subgroups;
    let which = match &rule.by {
        None => "in each level of every declared subgroup".to_owned(),
        Some(by) if by.is_empty() => return "overall; no subgroup is judged".to_owned(),
        Some(by) => format!("in each level of {}", by.join(", ")),
    };
    let judged = match rule.judged_by {
        JudgedBy::Interval => "by its interval",
        JudgedBy::Estimate => "by the observed difference alone, which shows less than an interval does",
    };
    let least = match rule.minimum {
        0 => String::new(),
        least => {
            format!(", levels with fewer than {} cases being reported and not judged", format::count(least))
        }
    };
    format!("overall and {which}, {judged}{least}")
}

fn declared(source: &Source) -> Table {
    let rows = plan(source).map_or(&[][..], |plan| &plan.acceptance).iter().map(|endpoint| {
        Row::Cells(vec![
            Cell::new(endpoint.id.clone()).look(Look::Strong),
            Cell::new(aim_words(endpoint)),
            Cell::new(endpoint.justification.clone().unwrap_or_default()),
        ])
    });
    let mut table = Table::or_none(
        "Acceptance as the plan declares it; every row has to be met, and every primary endpoint of the \
         protocol",
        vec![
            Column::left("Endpoint", 0.5),
            Column::left("To be shown", 1.0),
            Column::left("Why this margin", 1.0),
        ],
        rows.collect(),
    );
    if let Some(plan) = plan(source) {
        table.notes.push(format!("It has to hold {}.", subgroup_words(plan)));
        if let Some(margin) = plan.subgroups.margin {
            table.notes.push(format!("Margin in a level of a subgroup: {}.", format::fixed(margin, 3)));
        }
    }
    table
}

fn impact(source: &Source) -> Table {
    let rows = plan(source).map_or(&[][..], |plan| &plan.impact.risks).iter();
    let rows = rows.map(|r| Row::plain([r.risk.clone(), r.mitigation.clone()])).collect();
    let columns = vec![Column::left("Risk", 1.0), Column::left("Mitigation", 1.0)];
    let mut table = Table::or_none("Risks of the changes, and what is done about them", columns, rows);
    if let Some(plan) = plan(source) {
        table.notes.push(format!("Benefits: {}.", plan.impact.benefits.join("; ").trim_end_matches('.')));
        table.notes.push(format!("Changes together: {}.", plan.impact.together.trim_end_matches('.')));
    }
    table
}

fn found(source: &Source) -> Table {
    let rows = result(source).map_or(&[][..], |change| &change.found).iter().map(|found| {
        let (word, look) = if found.allowed { ("allowed", Look::Good) } else { ("not allowed", Look::Bad) };
        Row::Cells(vec![
            Cell::new(kind_words(found.kind)).look(Look::Strong),
            Cell::new(format::count(found.differences.len() as u64)),
            Cell::new(word).look(look),
        ])
    });
    Table::or_none(
        "Kinds of change that a comparison of the two locks shows",
        vec![
            Column::left("Kind", 1.0),
            Column::right("Values that differ"),
            Column::left("By the plan", 0.6),
        ],
        rows.collect(),
    )
}

/// So much of a value as fits a cell.
fn short(value: Option<&String>) -> String {
    const MOST: usize = 64;
    let Some(value) = value else { return "\u{2013}".to_owned() };
    match value.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.clone(),
    }
}

fn differences(source: &Source) -> Table {
    /// Rows that are printed; the bundle holds all.
    const MOST: usize = 40;
    let Some(change) = result(source) else {
        return Table::or_none("What differs", vec![Column::left("", 1.0)], Vec::new());
    };
    let of_device = change.found.iter().flat_map(|f| f.differences.iter().map(|d| (kind_words(f.kind), d)));
    let beside = change.circumstances.iter().map(|d| ("none: names, program, machine", d));
    let all: Vec<_> = of_device.chain(beside).collect();
    let rows = all.iter().take(MOST).map(|(kind, d)| {
        Row::plain([(*kind).to_owned(), d.key.clone(), short(d.first.as_ref()), short(d.second.as_ref())])
    });
    let mut table = Table::or_none(
        "What differs between the two locks, key by key",
        vec![
            Column::left("Kind", 0.5),
            Column::left("Value", 0.9),
            Column::left("Predecessor", 0.9),
            Column::left("This version", 0.9),
        ],
        rows.collect(),
    );
    if all.len() > MOST {
        let more = format::count((all.len() - MOST) as u64);
        table.notes.push(format!("{more} more values differ; the results in the bundle list them."));
    }
    table
}

fn acceptance(source: &Source) -> Table {
    let rows = result(source).map_or(&[][..], |change| &change.acceptance);
    let rows = rows.iter().map(|of| row(of, source.results.rules()));
    let level = format::level(source.results.method.level);
    let mut table = Table::or_none(
        "This version less its predecessor, on the same cases and reference standard",
        vec![
            Column::left("Measure", 0.8),
            Column::left("Cases of", 0.8),
            Column::right("Cases"),
            Column::right("This version"),
            Column::right("Predecessor"),
            Column::right("Difference"),
            Column::right(&format!("{level} CI")),
            Column::right("Margin"),
            Column::left("Verdict", 0.0),
        ],
        rows.collect(),
    );
    let reasons = result(source).into_iter().flat_map(|change| &change.acceptance).filter_map(|a| {
        let why = a.result.not_evaluable.as_ref().or(a.result.fallback.as_ref().map(|f| &f.message))?;
        let place = a.subgroup.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
        Some(format!("{} ({place}): {why}.", a.result.id))
    });
    table.notes.extend(reasons);
    let left_out = result(source)
        .into_iter()
        .flat_map(|change| change.acceptance.first())
        .map(|a| a.result.without_comparator)
        .find(|left_out| *left_out > 0);
    if let Some(left_out) = left_out {
        let left_out = format::count(left_out);
        table.notes.push(format!("{left_out} analysed cases that the predecessor refused are left out."));
    }
    table.notes.push(
        "Each comparison is judged at the study's own level: all of them have to be met. Where a level is \
         judged by the observed difference, that it is not worse was seen and not shown."
            .to_owned(),
    );
    table
}

fn row(of: &Acceptance, rules: Rules) -> Row {
    let c = &of.result;
    let style = wording::style_of(c.metric.id(), false);
    let dash = || "\u{2013}".to_owned();
    let number = |v: Option<f64>| v.map_or_else(dash, |v| format::number(v, style));
    let place = of.subgroup.as_ref().map_or_else(|| "all".to_owned(), ToString::to_string);
    let verdict = match (of.judged, of.judged_by) {
        (false, _) => Cell::new("not judged: too few cases").look(Look::Muted),
        (true, JudgedBy::Interval) => answer(c.verdict),
        (true, JudgedBy::Estimate) => {
            Cell::new(format!("{}, as observed", wording::verdict(Some(c.verdict)))).look(look(c.verdict))
        }
    };
    Row::Cells(vec![
        Cell::new(wording::metric(c.metric.id())).look(Look::Strong),
        Cell::new(place),
        Cell::new(format::count(c.n)),
        Cell::new(number(c.device)),
        Cell::new(number(c.other)),
        Cell::new(c.difference.map_or_else(dash, |d| wording::beside_margin(c, d, rules))),
        Cell::new(c.interval.as_ref().map_or_else(dash, |i| wording::limits_beside_margin(c, i, rules))),
        Cell::new(margin(c.margin, c.metric)),
        verdict,
    ])
}

/// What of the ledger is of the plan: every version that was held against it, and every opening.
fn assessed(source: &Source) -> Table {
    let event = |name: &str| match name {
        "change-plan-locked" => Some("the plan was locked"),
        "change-assessed" => Some("a version was held against the plan"),
        "test-set-opened" => Some("the test set was opened"),
        _ => None,
    };
    let rows = source.steps.iter().filter_map(|step| {
        let reason = step.reason.clone().unwrap_or_else(|| "\u{2013}".to_owned());
        Some(Row::plain([step.date.clone(), event(step.event)?.to_owned(), step.by.clone(), reason]))
    });
    let mut table = Table::or_none(
        "Assessments and openings under the plan, as the ledger has them",
        vec![
            Column::left("When", 0.6),
            Column::left("What", 0.8),
            Column::left("Who", 0.5),
            Column::left("Reason, or why it was refused", 1.0),
        ],
        rows.collect(),
    );
    if let Some(change) = result(source) {
        table.notes.push(format!(
            "The test set was opened {} of {} times that the plan allows, and {} times by the versions \
             before. The more often one set of cases is looked at, the less a result on it says of new \
             cases.",
            format::count(source.openings.len() as u64),
            format::count(change.openings),
            format::count(change.openings_before)
        ));
    }
    table
}

/// The versions, the oldest first; this one is the last.
fn versions(source: &Source) -> Table {
    let Some(change) = result(source) else {
        return Table::or_none("Versions", vec![Column::left("", 1.0)], Vec::new());
    };
    let under = |version: &DeviceVersion| match &version.change {
        None => ("\u{2013}".to_owned(), Cell::new("first version").look(Look::Muted)),
        Some(accepted) => (accepted.plan.clone(), answer(accepted.verdict)),
    };
    let mut rows: Vec<Row> = change
        .history
        .iter()
        .enumerate()
        .map(|(number, version)| {
            let (plan, verdict) = under(version);
            Row::Cells(vec![
                Cell::new(format::count(number as u64 + 1)).look(Look::Strong),
                Cell::new(version.lock_sha256.to_string()),
                Cell::new(version.root.to_string()),
                Cell::new(format::threshold(version.threshold)),
                answer(version.goals),
                Cell::new(plan),
                verdict,
            ])
        })
        .collect();
    rows.push(Row::Cells(vec![
        Cell::new(format!("{}, this one", change.history.len() + 1)).look(Look::Strong),
        Cell::new(change.lock_sha256.to_string()),
        Cell::new(source.root_digest.clone()),
        Cell::new(format::threshold(source.results.operating_point.threshold)),
        answer(change.goals),
        Cell::new(change.plan.clone()),
        answer(change.verdict),
    ]));
    Table::or_none(
        "Version history",
        vec![
            Column::left("Version", 0.4),
            Column::left("Lock, SHA-256", 1.0),
            Column::left("Root of its evidence", 1.0),
            Column::right("Threshold"),
            Column::left("Primary endpoints", 0.4),
            Column::left("Plan", 0.5),
            Column::left("By its plan", 0.4),
        ],
        rows,
    )
}
