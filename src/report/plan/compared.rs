//! The chance of comparisons in the plan: in words and as a table.

use serde_json::{Value as Json, json};

use super::Source;
use super::words::alpha;
use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::protocol::{Against, ComparativeEndpoint, Expected};
use crate::report::wording;
use crate::statistics::metric::Metric;
use crate::study::planning::{PlannedEndpoint, Prospect, SizePlan};

/// A value of the measure as documents write it.
pub fn value(endpoint: &ComparativeEndpoint, value: f64) -> String {
    format::number(value, wording::style_of(endpoint.metric.id(), false))
}

fn pairs(source: &Source) -> impl Iterator<Item = (&ComparativeEndpoint, &PlannedEndpoint)> {
    source.protocol.comparisons.iter().zip(&source.plan.comparisons)
}

/// How far both are expected to go together.
fn together(endpoint: &ComparativeEndpoint, expected: &Expected) -> String {
    let percent = |share: f64| format::number(share, Style::Percent);
    if endpoint.against.is_reader_study() {
        return "components of variance as declared".to_owned();
    }
    match (endpoint.metric, expected.discordant, expected.correlation) {
        (Metric::Auc, _, Some(correlation)) => {
            format!("estimates correlated {}", format::fixed(correlation, 2))
        }
        (Metric::Auc, _, None) => "estimates taken as independent".to_owned(),
        (_, Some(discordant), _) => format!("exactly one is right on {}", percent(discordant)),
        (_, None, _) => "errors taken as independent".to_owned(),
    }
}

/// What the planned size can show of every comparison.
pub fn prospects(source: &Source) -> Vec<Json> {
    let one = |(endpoint, planned): (&ComparativeEndpoint, &PlannedEndpoint)| {
        let text = prospect(&source.plan, endpoint, planned);
        json!({"id": endpoint.id, "text": text})
    };
    pairs(source).map(one).collect()
}

fn prospect(plan: &SizePlan, endpoint: &ComparativeEndpoint, planned: &PlannedEndpoint) -> String {
    let percent = |share: f64| format::number(share, Style::Percent);
    let (Some(expected), Some(other)) =
        (&planned.expected, planned.expected.as_ref().and_then(|e| e.comparator))
    else {
        return match planned.prospect {
            Prospect::NotComputed => not_computed(),
            _ if endpoint.against.is_reader_study() => {
                "No expected values, or no components of variance of a pilot, are declared, so no \
                 probability can be given for it."
                    .to_owned()
            }
            _ => "No expected values are declared, so no probability can be given for it.".to_owned(),
        };
    };
    if planned.prospect == Prospect::NotComputed {
        return not_computed();
    }
    let [device, other] = [expected.value, other].map(|v| value(endpoint, v));
    let aim = endpoint.aim.id();
    let [own, of_other] = match endpoint.against {
        Against::UnaidedReaders => ["readers with the device", "readers without it"],
        Against::ReaderPopulation => ["the device", "readers without it"],
        Against::Predicate | Against::ComparisonReaders => ["the device", "the predicate"],
    };
    let given = format!(
        "If the true values are {device} of {own} and {other} of {of_other} ({})",
        together(endpoint, expected)
    );
    let at_power = percent(plan.power);
    let needed = planned.cases_needed.map(format::count);
    let chance = planned.at_planned.and_then(|at| at.assurance).map_or_else(String::new, |chance| {
        let chance = percent(chance);
        format!(" Over the range that is thought possible the probability is {chance} (assurance).")
    });
    let cases = plan.planned.map(|p| format::count(p.cases)).unwrap_or_default();
    let probability = planned.at_planned.map_or_else(String::new, |at| match at.exact_power {
        Some(exact) => format!("{} ({} by the normal law)", percent(exact), percent(at.power)),
        None => percent(at.power),
    });
    match planned.prospect {
        Prospect::Enough => {
            format!("{given}, {cases} sampled cases show {aim} with a probability of {probability}.{chance}")
        }
        Prospect::TooFew => format!(
            "{given}, {cases} sampled cases show {aim} with a probability of {probability} only. {}{chance}",
            needed.map_or_else(
                || format!("No number of cases gives a probability of {at_power}."),
                |n| format!("For a probability of {at_power}, {n} cases are needed.")
            )
        ),
        Prospect::CannotBeShown => format!(
            "{given}, {aim} is not true, so it is shown by chance alone, with a probability of at most \
             about {}, and more cases make that rarer. The margin, or the device, has to be another \
             one.{chance}",
            alpha(planned.level)
        ),
        _ => match needed {
            Some(needed) => format!(
                "How many cases there will be is not declared. {given}, {needed} sampled cases show {aim} \
                 with a probability of {at_power}."
            ),
            None => "The share of positive cases is not declared, so nothing can be said.".to_owned(),
        },
    }
}

fn not_computed() -> String {
    "No probability is computed for it: that is done for AUC, sensitivity and specificity against a \
     predicate, and for crossed readers with and without the device who are to be better or not worse."
        .to_owned()
}

/// Power of every comparison of which values are expected.
pub fn power(source: &Source) -> Table {
    let percent = |share: f64| format::number(share, Style::Percent);
    let dash = || "\u{2013}".to_owned();
    let rows = pairs(source).filter_map(|(endpoint, planned)| {
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
        let of = |v: Option<f64>| v.map_or_else(dash, |v| value(endpoint, v));
        Some(Row::Cells(vec![
            Cell::new(endpoint.id.clone()),
            Cell::new(format!("{} / {}", value(endpoint, expected.value), of(expected.comparator))),
            Cell::new(together(endpoint, expected)),
            Cell::new(at.map_or_else(dash, |at| format::count(at.effective.round() as u64))),
            Cell::new(at.map_or_else(dash, |at| percent(at.power))).look(look),
            Cell::new(at.and_then(|at| at.exact_power).map_or_else(dash, percent)).look(look),
            Cell::new(at.and_then(|at| at.assurance).map_or_else(dash, percent)),
            Cell::new(at.map_or_else(dash, |at| {
                let (low, high) = at.interval;
                format!("{} to {}", value(endpoint, low), value(endpoint, high))
            })),
            Cell::new(needed),
        ]))
    });
    let mut table = Table::or_none(
        "Power of the comparisons at the planned size, and the size for the power asked for",
        vec![
            Column::left("Endpoint", 0.0),
            Column::right("Device / predicate"),
            Column::left("Assumed", 0.9),
            Column::right("Count"),
            Column::right("Power"),
            Column::right("Exact"),
            Column::right("Assurance"),
            Column::left("Expected interval of the difference", 0.9),
            Column::right("Cases needed"),
        ],
        rows.collect(),
    );
    table.notes.push(
        "Power: shares by the normal law of Tango's score test (Nam 1997), AUCs with the variance of \
         Hanley and McNeil (1982) and the declared correlation of both estimates (1983). Exact: the sum \
         over every table of discordant cases, by the interval that decides. A design effect, where one is \
         declared, divides the count. Where no share of discordant cases or no correlation is declared, \
         both are taken to err independently, which asks for more cases than devices that err on the same \
         ones."
            .to_owned(),
    );
    table
}
