//! The tables that only documents of the set have, by their ids.

use super::coverage::{self, State};
use super::device;
use super::drafts;
use super::facts;
use super::requirements::{fields, requirements};
use super::shared::Shared;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::report::citations::citations;
use crate::report::origins;
use crate::report::submission::{Source, TO_COMPLETE, at, words};
use crate::study::results::Rules;

/// The ids of all of them.
pub const IDS: [&str; 28] = [
    "device-facts",
    "predicate-comparison",
    "population",
    "limitations",
    "grid",
    "subgroup-shares",
    "wrong-by-subgroup",
    "site-two-by-two",
    "site-left-out",
    "site-sets",
    "site-flow",
    "steps",
    "made-by",
    "ages",
    "declared",
    "requirements",
    "special-controls",
    "coverage",
    "change-allowed",
    "change-outline",
    "change-method",
    "change-acceptance-declared",
    "change-impact",
    "change-found",
    "change-differences",
    "change-acceptance",
    "change-assessed",
    "change-versions",
];

/// A table by its id; `path` selects a part of it. `None`: there is no such id.
pub fn build(shared: &Shared, id: &str, path: &str) -> Option<Table> {
    let source = &shared.source;
    Some(match id {
        "device-facts" => device_facts(source),
        "predicate-comparison" => predicate_comparison(shared),
        "population" => super::population::table(source),
        "limitations" => limitations(source),
        "grid" => super::performance::grid(source),
        "subgroup-shares" => super::performance::subgroup_shares(source),
        "wrong-by-subgroup" => super::performance::wrong_by_subgroup(source),
        "site-two-by-two" => super::performance::site_two_by_two(source),
        "site-left-out" => super::performance::site_left_out(source),
        "site-sets" => super::performance::site_sets(source),
        "site-flow" => super::performance::site_flow(source),
        "steps" => steps(source),
        "made-by" => made_by(source),
        "ages" => ages(source),
        "declared" => declared(source, path),
        "requirements" => asked_for(shared, |citation, _| citation == path),
        "special-controls" => special_controls(shared),
        "coverage" => totals(shared),
        _ => return super::change::build(source, id),
    })
}

/// A field in the submitter's words; what is empty is said so.
fn field(source: &Source, path: &str) -> Cell {
    let typed = at(&source.device, path).map(words).filter(|text| !text.trim().is_empty());
    typed.map_or_else(|| Cell::new(TO_COMPLETE).look(Look::Muted), |text| Cell::new(text::one_line(&text)))
}

fn facts_table(caption: &str, rows: Vec<(&str, Cell)>) -> Table {
    let row = |(name, cell): (&str, Cell)| Row::Cells(vec![Cell::new(name).look(Look::Strong), cell]);
    let columns = vec![Column::left("Item", 0.5), Column::left("Value", 1.0)];
    Table::or_none(caption, columns, rows.into_iter().map(row).collect())
}

fn device_facts(source: &Source) -> Table {
    let results = &source.results;
    let model = source.lock.as_ref().map_or_else(
        || Cell::new("scored elsewhere; the model is not part of this evidence"),
        |lock| Cell::new(lock.architecture.to_string()),
    );
    facts_table(
        "The device",
        vec![
            ("Name", field(source, "device.name")),
            ("Version", field(source, "device.version")),
            ("Submitter", field(source, "submitter.name")),
            ("Regulation", field(source, "device.regulation")),
            ("Product code", field(source, "device.product_code")),
            ("Finding", Cell::new(results.study.finding.clone())),
            ("Network", model),
            (
                "Operating point",
                Cell::new(format!(
                    "positive where the score is at least {}",
                    format::threshold(results.operating_point.threshold)
                )),
            ),
            ("Date of the evidence", Cell::new(source.date.clone())),
        ],
    )
}

/// The device beside its predicate, as far as the submitter wrote rows.
fn predicate_comparison(shared: &Shared) -> Table {
    let mut notes = Vec::new();
    let rows = device::comparisons(&shared.source.device)
        .into_iter()
        .map(|row| {
            let asked = row.subject.strip_prefix("auto:").map(str::trim);
            let estimate = asked.and_then(|id| facts::estimate(&shared.source, id));
            let subject = match asked {
                Some(id) => facts::fact(&shared.source, id).unwrap_or_else(|why| why),
                None => row.subject.clone(),
            };
            if !row.source.is_empty() {
                notes.push(format!(
                    "{} of the predicate: {}.",
                    row.characteristic,
                    row.source.trim_end_matches('.')
                ));
            }
            let empty = row.predicate.is_empty();
            let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
            Row::Cells(vec![
                Cell::new(row.characteristic).look(Look::Strong),
                origins::cell(or(subject, TO_COMPLETE), estimate),
                Cell::new(or(row.predicate, TO_COMPLETE)),
                Cell::new(match (empty, row.same) {
                    (true, _) => "\u{2013}",
                    (_, true) => "same",
                    (_, false) => "different",
                }),
                Cell::new(or(row.discussion, "\u{2013}")),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "Characteristics of the device and of the predicate",
        vec![
            Column::left("Characteristic", 0.7),
            Column::left("Device", 1.0),
            Column::left("Predicate", 1.0),
            Column::left("Same?", 0.0),
            Column::left("Discussion", 1.1),
        ],
        rows,
    );
    table.notes = notes;
    if !table.notes.is_empty() {
        table.notes.push(
            "Numbers of the predicate were typed by the submitter and are not part of this evidence. Another \
             study on other cases gave them: a difference of the two is no comparison on the same data."
                .to_owned(),
        );
    }
    table
}

/// Drafted limitations with what was decided on each.
fn limitations(source: &Source) -> Table {
    let (drafts, stale) = drafts::decided(source);
    let mut rows: Vec<Row> = drafts
        .into_iter()
        .map(|decided| {
            let (words, look) = match &decided.decision {
                None => ("not decided yet".to_owned(), Look::Muted),
                Some(decision) if decision.accepted => ("accepted".to_owned(), Look::Plain),
                Some(decision) => (format!("declined: {}", decision.reason), Look::Plain),
            };
            Row::Cells(vec![
                Cell::new(decided.draft.sentence),
                Cell::new(decided.draft.rule),
                Cell::new(words).look(look),
                Cell::new(decided.draft.id).look(Look::Code),
            ])
        })
        .collect();
    rows.extend(stale.into_iter().map(|decision| {
        Row::Cells(vec![
            Cell::new("These results draft no such limitation."),
            Cell::new("a decision without a draft"),
            Cell::new(if decision.accepted { "accepted" } else { "declined" }.to_owned()),
            Cell::new(decision.id).look(Look::Code),
        ])
    }));
    let mut table = Table::or_none(
        "Limitations drafted from the results",
        vec![
            Column::left("Draft", 1.4),
            Column::left("Rule", 0.7),
            Column::left("Decision", 0.7),
            Column::left("Id", 0.8),
        ],
        rows,
    );
    table.notes.push(
        "Each draft is accepted or declined with a reason in device.toml, [[limitation]], by its id. \
         Levels are \
         many: an upper bound below the overall estimate can come about by chance."
            .to_owned(),
    );
    table
}

/// Every step of the study in the order in which it was written down.
fn steps(source: &Source) -> Table {
    let rows = source.steps.iter().enumerate().map(|(index, step)| {
        Row::plain([
            (index + 1).to_string(),
            step.date.clone(),
            what(source, step.event),
            step.by.clone(),
            step.reason.clone().unwrap_or_else(|| "\u{2013}".to_owned()),
        ])
    });
    let mut table = Table::or_none(
        "The order of events",
        vec![
            Column::right("Step"),
            Column::left("Date", 0.6),
            Column::left("What", 0.8),
            Column::left("By", 0.6),
            Column::left("Reason", 0.9),
        ],
        rows.collect(),
    );
    table.notes.push(
        "From the ledger, each line of which holds the digest of the one before; the program refuses another \
         order. The ledger shows what was written in it, and cannot show that nothing else was done."
            .to_owned(),
    );
    table
}

/// A step in words. Of a device that was scored elsewhere no model is locked: what is fixed are its scores.
fn what(source: &Source, event: &str) -> String {
    let elsewhere = source.lock.is_none() && source.results.rules() == Rules::Current;
    if elsewhere && event == "model-locked" { "Scores fixed".to_owned() } else { text::humanise(event) }
}

fn made_by(source: &Source) -> Table {
    let maker = &source.maker;
    let code = |text: &str| Cell::new(text).look(Look::Code);
    facts_table(
        "What made this evidence",
        vec![
            ("Program", Cell::new(maker.program.clone())),
            ("Analysis by version", Cell::new(source.results.method.program_version.clone())),
            ("Machine", Cell::new(maker.platform.clone())),
            ("Cargo.lock, SHA-256", code(&maker.libraries_sha256)),
        ],
    )
}

/// Ages as the gate, the criteria, the submitter and the cases have them.
fn ages(source: &Source) -> Table {
    use crate::protocol::Rule;
    let band = |min: u16, max: u16| format!("{min} to {max} years");
    let gate = source.lock.as_ref().map_or(&source.protocol.gate, |lock| &lock.gate);
    let criteria: Vec<String> = source
        .protocol
        .eligibility
        .iter()
        .filter_map(|criterion| match criterion.rule {
            Rule::Age { min, max } => Some(band(min, max)),
            _ => None,
        })
        .collect();
    let none = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "none declared".to_owned()));
    let analysed: Vec<String> = drafts::levels_of(&source.results, "age")
        .into_iter()
        .filter(|row| row.cases > 0)
        .map(|row| format!("{} ({})", row.level, format::count(row.cases)))
        .collect();
    let mut table = facts_table(
        "Ages, as four places have them",
        vec![
            ("The checks of an image", none(gate.age_years.map(|age| band(age.min, age.max)))),
            ("The criteria of the study", none((!criteria.is_empty()).then(|| criteria.join(", ")))),
            ("Indications for use, as typed", field(source, "device.indications")),
            (
                "Analysed cases by age",
                Cell::new(if analysed.is_empty() { "not recorded".to_owned() } else { analysed.join(", ") }),
            ),
        ],
    );
    table.notes.push(
        "Whether the four agree is for the reader; the command check compares the first three.".to_owned(),
    );
    table
}

/// Fields of a group of the device file with the submitter's words and who asks for them.
fn declared(source: &Source, group: &str) -> Table {
    let prefix = format!("{group}.");
    let rows = fields().iter().filter(|field| field.path.starts_with(&prefix)).map(|one| {
        let asked: Vec<String> = requirements()
            .iter()
            .filter(|requirement| requirement.field.split(", ").any(|path| path == one.path))
            .map(|requirement| requirement.id.clone())
            .collect();
        Row::Cells(vec![
            Cell::new(one.path.strip_prefix(&prefix).unwrap_or(&one.path)).look(Look::Code),
            Cell::new(one.what.clone()),
            Cell::new(if asked.is_empty() { "\u{2013}".to_owned() } else { asked.join(", ") }),
            field(source, &one.path),
        ])
    });
    Table::or_none(
        format!("Declared by the submitter: fields of [{group}]"),
        vec![
            Column::left("Field", 0.9),
            Column::left("What it says", 1.0),
            Column::left("Asked for by", 0.6),
            Column::left("In the submitter's words", 1.2),
        ],
        rows.collect(),
    )
}

/// Requirements with how each stands.
fn asked_for(shared: &Shared, wanted: impl Fn(&str, &str) -> bool) -> Table {
    let chosen = shared.answers.iter().filter(|a| wanted(&a.requirement.citation, &a.requirement.id));
    let rows = chosen.map(|answer| {
        let (look, place) = match answer.state {
            State::Empty => (Look::Muted, format!("missing: {}", answer.note)),
            State::NotApplicable => (Look::Plain, answer.note.clone()),
            State::Printed | State::Typed => (Look::Plain, answer.places.clone()),
        };
        Row::Cells(vec![
            Cell::new(answer.requirement.id.clone()).look(Look::Strong),
            Cell::new(answer.requirement.requirement.clone()),
            Cell::new(answer.state.name()).look(look),
            Cell::new(place).look(look),
        ])
    });
    Table::or_none(
        "What is asked for, and where it stands",
        vec![
            Column::left("Item", 0.0),
            Column::left("What is asked for", 1.2),
            Column::left("State", 0.0),
            Column::left("Where, or why not", 1.4),
        ],
        rows.collect(),
    )
}

/// The special controls of the regulation that the submitter names; both where none is named.
fn special_controls(shared: &Shared) -> Table {
    let declared = at(&shared.source.device, "device.regulation").map(words).unwrap_or_default();
    let keys = ["892.2080", "892.2070"];
    let of = |key: &str| match key {
        "892.2070" => declared.contains("892.2070") || declared.contains("892.2090"),
        key => declared.contains(key),
    };
    let named = keys.iter().any(|key| of(key));
    let mut table = asked_for(shared, |citation, _| keys.contains(&citation) && (!named || of(citation)));
    table.caption = "Special controls, and where each is answered".to_owned();
    table
}

/// How many requirements of each source stand how.
fn totals(shared: &Shared) -> Table {
    let mut rows = Vec::new();
    let mut add = |name: &str, key: Option<&str>, look: Look| {
        for (automatic, by) in [(true, "program"), (false, "people")] {
            let of = |a: &&coverage::Answer| {
                a.requirement.is_automatic == automatic && key.is_none_or(|key| a.requirement.citation == key)
            };
            let chosen: Vec<coverage::Answer> = shared.answers.iter().filter(of).cloned().collect();
            if chosen.is_empty() {
                continue;
            }
            let mut cells = vec![Cell::new(name).look(look), Cell::new(by).look(look)];
            cells.extend(
                State::ALL
                    .iter()
                    .map(|state| Cell::count(coverage::count(&chosen, automatic, *state) as u64).look(look)),
            );
            rows.push(Row::Cells(cells));
        }
    };
    for one in citations() {
        add(&format!("{} [{}]", one.citation, one.mark), Some(&one.key), Look::Plain);
    }
    add("All", None, Look::Strong);
    let mut columns = vec![Column::left("Source", 1.0), Column::left("Answered by", 0.25)];
    columns.extend(State::ALL.iter().map(|state| Column::right(&text::humanise(state.name()))));
    Table::or_none("How the requirements stand", columns, rows)
}
