//! The tables of the plan.

use super::words::{alpha, symbols, value};
use super::{Source, compared};
use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::protocol::{Endpoint, Missing, SampleMethod, Shortage, Variable};
use crate::report::submission::tables::flow::definitions;
use crate::report::submission::tables::{comparisons, triage};
use crate::statistics::proportion::clopper_pearson;
use crate::study::planning::{PlannedEndpoint, Prospect};
use crate::study::results::Rules;

/// The ids of all tables.
pub const IDS: &[&str] = &[
    "title",
    "eligibility",
    "sample",
    "hypotheses",
    "comparisons",
    "estimation",
    "assumptions",
    "power",
    "comparison-power",
    "what-if",
    "subgroups",
    "triage",
];

/// A table by its id. `None`: there is no such id.
pub fn build(source: &Source, id: &str) -> Option<Table> {
    Some(match id {
        "title" => title(source),
        "eligibility" => eligibility(source),
        "sample" => sample(source),
        "hypotheses" => hypotheses(source),
        "comparisons" => comparisons::declared(&source.protocol),
        "triage" => triage::declared(&source.protocol),
        "estimation" => estimation(source),
        "assumptions" => assumptions(source),
        "power" => power(source),
        "comparison-power" => compared::power(source),
        "what-if" => what_if(source),
        "subgroups" => subgroups(source),
        _ => return None,
    })
}

fn endpoints(source: &Source) -> impl Iterator<Item = (&Endpoint, &PlannedEndpoint)> {
    source.protocol.endpoints.iter().zip(&source.plan.endpoints)
}

fn dash() -> String {
    "\u{2013}".to_owned()
}

fn title(source: &Source) -> Table {
    let study = &source.protocol.study;
    let locked = match &source.locked_at {
        Some(at) => format!("locked at {at}"),
        None => "not locked yet: this is a draft".to_owned(),
    };
    let rows = [
        ("Study protocol", format!("{}, version {}: {}", study.id, study.version, study.title), Look::Plain),
        ("Finding", study.finding.clone(), Look::Plain),
        ("State of the protocol", locked, Look::Strong),
        ("Date of this plan", source.date.clone(), Look::Plain),
        ("Program", format!("Sequester {}", source.version), Look::Plain),
        ("Protocol, SHA-256", source.digest.clone(), Look::Code),
    ];
    let rows = rows.into_iter().map(|(key, value, look)| {
        Row::Cells(vec![Cell::new(key).look(Look::Strong), Cell::new(value).look(look)])
    });
    Table::or_none("", vec![Column::left("", 0.0), Column::left("", 1.0)], rows.collect())
}

fn eligibility(source: &Source) -> Table {
    let rows = source.protocol.eligibility.iter().map(|criterion| {
        let missing = match criterion.missing {
            Missing::Exclude => "excluded",
            Missing::Include => "kept",
        };
        Row::plain([criterion.id.clone(), criterion.reason.clone(), missing.to_owned()])
    });
    let mut table = Table::or_none(
        "Reasons for exclusion, in the order in which a case is counted under them",
        vec![
            Column::left("Criterion", 0.5),
            Column::left("Excluded is a case with", 1.2),
            Column::left("Where it is not recorded", 0.6),
        ],
        rows.collect(),
    );
    table.notes.extend(definitions(&source.protocol));
    table
}

fn sample(source: &Source) -> Table {
    let sample = &source.protocol.sample;
    let mut rows = Vec::new();
    let mut row = |key: &str, value: String| rows.push(Row::plain([key.to_owned(), value]));
    match sample.target {
        Some(target) => {
            row("Cases", format::count(target.cases));
            let positives = target.positives.map_or_else(
                || "as they come".to_owned(),
                |n| format!("{}, by the label that came with the data", format::count(n)),
            );
            row("Of them positive", positives);
        }
        None => row("Cases", "every eligible one".to_owned()),
    }
    row(
        "Images of a patient",
        if sample.one_image_per_patient { "at most one" } else { "any number" }.to_owned(),
    );
    row("Seed of the draw", sample.seed.to_string());
    match &sample.method {
        SampleMethod::Random => {}
        SampleMethod::Stratified { by, counts } => {
            row("Method", format!("at random within strata by {}", by.join(" and ")));
            if counts.is_empty() {
                row("Cases of each stratum", "in proportion to the eligible ones".to_owned());
            }
            for count in counts {
                row(&format!("Of them {}", count.levels.join(", ")), format::count(count.cases));
            }
        }
        SampleMethod::Enriched => row(
            "Method",
            "at random within the classes of that label; weights bring estimates back to the eligible cases"
                .to_owned(),
        ),
        SampleMethod::Consecutive { order_by } => {
            row("Method", format!("consecutive: the first by {order_by}; chance has no part in it"));
        }
    }
    if sample.shortage == Shortage::Take {
        let what = "all that are there are drawn, and documents say how many are lacking";
        row("Where fewer are eligible", what.to_owned());
    }
    if source.protocol.data.separate_sites {
        row("Sites", "none of them is a site of training or tuning, as the protocol states".to_owned());
    }
    Table::or_none("The sample", vec![Column::left("What", 0.6), Column::left("Declared", 1.2)], rows)
}

fn hypotheses(source: &Source) -> Table {
    let rows = endpoints(source).map(|(endpoint, planned)| {
        let [null, alternative] = symbols(endpoint, source.rules()).unwrap_or_else(|| [dash(), dash()]);
        let family = source.protocol.family.as_ref().filter(|_| source.rules() == Rules::Current);
        let shared = family.is_some_and(|family| family.endpoints.contains(&endpoint.id));
        let alpha = match &endpoint.criterion {
            Some(_) if shared => format!("{}, shared", alpha(planned.level)),
            Some(_) => alpha(planned.level),
            None => dash(),
        };
        Row::plain([endpoint.id.clone(), endpoint.role.name().to_owned(), null, alternative, alpha])
    });
    Table::or_none(
        "Hypotheses in symbols",
        vec![
            Column::left("Endpoint", 0.0),
            Column::left("Role", 0.5),
            Column::left("H0", 1.0),
            Column::left("H1", 1.0),
            Column::right("\u{3b1}, one-sided"),
        ],
        rows.collect(),
    )
}

fn estimation(source: &Source) -> Table {
    let rows = endpoints(source).map(|(endpoint, planned)| {
        Row::plain([
            endpoint.id.clone(),
            endpoint.interval.describe(endpoint.metric.quantity()).to_owned(),
            format::level(planned.level),
            endpoint.fallback.id().to_owned(),
            endpoint.criterion.as_ref().map_or_else(dash, |c| c.text.clone()),
        ])
    });
    let mut table = Table::or_none(
        "How each endpoint is estimated and judged",
        vec![
            Column::left("Endpoint", 0.0),
            Column::left("Interval", 1.2),
            Column::right("Level"),
            Column::left("Fallback", 0.0),
            Column::left("Criterion", 0.0),
        ],
        rows.collect(),
    );
    table.notes.push(
        "The fallback decides where the declared interval collapses, does not exist, or takes images of one \
         patient as independent."
            .to_owned(),
    );
    table
}

fn assumptions(source: &Source) -> Table {
    let of_goals = endpoints(source).filter_map(|(endpoint, planned)| {
        let expected = planned.expected.as_ref()?;
        let range = expected.range.map_or_else(dash, |(low, high)| {
            format!("{} to {}, {}", value(endpoint, low), value(endpoint, high), expected.spread.name())
        });
        Some(Row::plain([
            endpoint.id.clone(),
            value(endpoint, expected.value),
            range,
            expected.source.clone(),
        ]))
    });
    let compared = source.protocol.comparisons.iter().zip(&source.plan.comparisons);
    let of_comparisons = compared.filter_map(|(endpoint, planned)| {
        let expected = planned.expected.as_ref()?;
        let value = |v: f64| compared::value(endpoint, v);
        let range = expected.range.map_or_else(dash, |(low, high)| {
            format!("device {} to {}, {}", value(low), value(high), expected.spread.name())
        });
        Some(Row::plain([
            endpoint.id.clone(),
            format!("{} / {}", value(expected.value), expected.comparator.map_or_else(dash, value)),
            range,
            expected.source.clone(),
        ]))
    });
    let rows = of_goals.chain(of_comparisons);
    Table::or_none(
        "What is expected, and where that comes from",
        vec![
            Column::left("Endpoint", 0.0),
            Column::right("Expected"),
            Column::left("Thought possible", 1.0),
            Column::left("Source", 1.6),
        ],
        rows.collect(),
    )
}

fn power(source: &Source) -> Table {
    let percent = |value: f64| format::number(value, Style::Percent);
    let rows = endpoints(source).filter_map(|(endpoint, planned)| {
        let expected = planned.expected.as_ref()?;
        let at = planned.at_planned;
        let look = match planned.prospect {
            Prospect::Enough => Look::Good,
            Prospect::TooFew | Prospect::CannotBeShown => Look::Bad,
            _ => Look::Plain,
        };
        let needed = match (planned.prospect, planned.cases_needed) {
            (Prospect::CannotBeShown, _) => "none suffices".to_owned(),
            (_, Some(needed)) => format::count(needed),
            _ => dash(),
        };
        Some(Row::Cells(vec![
            Cell::new(endpoint.id.clone()),
            Cell::new(value(endpoint, expected.value)),
            Cell::new(at.map_or_else(dash, |at| format::count(at.effective.round() as u64))),
            Cell::new(at.map_or_else(dash, |at| percent(at.power))).look(look),
            Cell::new(at.and_then(|at| at.assurance).map_or_else(dash, percent)),
            Cell::new(at.map_or_else(dash, |at| {
                let (low, high) = at.interval;
                format!("{} to {}", value(endpoint, low), value(endpoint, high))
            })),
            Cell::new(at.and_then(|at| at.shown_from).map_or_else(dash, |from| value(endpoint, from))),
            Cell::new(needed),
        ]))
    });
    let mut table = Table::or_none(
        "Power at the planned size, and the size for the power asked for",
        vec![
            Column::left("Endpoint", 0.0),
            Column::right("Expected"),
            Column::right("Count"),
            Column::right("Power"),
            Column::right("Assurance"),
            Column::left("Expected interval", 0.9),
            Column::right("Shown from"),
            Column::right("Cases needed"),
        ],
        rows.collect(),
    );
    table.notes.push(format!(
        "Count: usable cases that count for the endpoint, divided by the design effect. Assurance: the power \
         averaged over what is thought possible (O'Hagan, Stevens and Campbell 2005). Shown from: the \
         smallest true value (for an upper bound the largest) that meets the criterion with a probability of \
         {}. Cases needed: sampled cases for that probability at the expected value.",
        percent(source.plan.power)
    ));
    table.notes.push(
        "Shares by the binomial law with the exact limits of Clopper and Pearson (1934), the AUC with the \
         variance of Hanley and McNeil (1982), PPV, NPV and F1 on the logit scale by the delta method \
         (Mercaldo, Lau and Zhou 2007). Where another interval is declared its power differs a little from \
         this."
            .to_owned(),
    );
    table
}

fn what_if(source: &Source) -> Table {
    let mut rows = Vec::new();
    for (endpoint, planned) in endpoints(source) {
        if planned.what_if.is_empty() {
            continue;
        }
        let of = |what: fn(&Endpoint, f64, f64) -> String| -> Vec<String> {
            planned.what_if.iter().map(|point| what(endpoint, point.value, point.power)).collect()
        };
        let first = Cell::new(endpoint.id.clone()).look(Look::Strong);
        let values = of(|endpoint, at, _| value(endpoint, at));
        let powers = of(|_, _, power| format::number(power, Style::Percent));
        let named = |name: &str, texts: Vec<String>, head: Cell| {
            let cells = [head, Cell::new(name)].into_iter();
            Row::Cells(cells.chain(texts.into_iter().map(Cell::new)).collect())
        };
        rows.push(named("true value", values, first));
        rows.push(named("power", powers, Cell::new("")));
    }
    let mut columns = vec![Column::left("Endpoint", 0.0), Column::left("", 0.6)];
    columns.extend((0..7).map(|_| Column::right("")));
    Table::or_none("Power at the planned size if the true value were another", columns, rows)
}

fn subgroups(source: &Source) -> Table {
    let minimum = source.protocol.analysis.subgroup_minimum.max(1);
    let level = source.protocol.analysis.level;
    let rows = source.protocol.subgroups.iter().map(|subgroup| {
        let claim = match &subgroup.powered {
            Some(claim) => format!("{} in each level: {}", claim.endpoint, claim.criterion.text),
            None => "describes".to_owned(),
        };
        let compared = subgroup.reference.clone().unwrap_or_else(|| "none".to_owned());
        Row::plain([subgroup.by.name(), levels(&subgroup.by), compared, claim])
    });
    let mut table = Table::or_none(
        "Subgroups that are reported",
        vec![
            Column::left("By", 0.5),
            Column::left("Levels", 1.4),
            Column::left("Compared with", 0.5),
            Column::left("Claim", 0.9),
        ],
        rows.collect(),
    );
    let half = |share: f64| {
        let k = (share * minimum as f64).round() as u64;
        let (low, high) = clopper_pearson(k.min(minimum), minimum, level);
        format::number((high - low) / 2.0, Style::Percent)
    };
    table.notes.push(format!(
        "A share of {} cases, the smallest subgroup that is not marked, is known to about \u{b1}{} where it \
         is {} and to about \u{b1}{} where it is {} ({} interval). The conclusion of \
         the study rests on its primary endpoints alone.",
        format::count(minimum),
        half(0.5),
        format::number(0.5, Style::Percent),
        half(0.9),
        format::number(0.9, Style::Percent),
        format::level(level),
    ));
    table
}

/// The levels of a variable, as far as they are known before there are data.
fn levels(by: &Variable) -> String {
    let declared = by.declared_levels();
    if declared.is_empty() { "every level that occurs".to_owned() } else { declared.join(", ") }
}
