//! Comparisons with another device or with readers, and what the rule of multiplicity says of all endpoints.

use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::protocol::{Against, ComparativeEndpoint, Protocol};
use crate::report::origins::of_comparison;
use crate::report::wording;
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::Quantity;
use crate::statistics::metric::Metric;
use crate::study::results::{ComparisonResult, Results, Verdict};

fn look(verdict: Verdict) -> Look {
    if verdict == Verdict::Met { Look::Good } else { Look::Bad }
}

/// The measure in words, with where it holds.
fn measure(metric: Metric, prevalence: Option<f64>, most_fpr: Option<f64>) -> String {
    let name = wording::metric(metric.id());
    match (prevalence, most_fpr) {
        (Some(p), _) => format!("{name} at prevalence {}", format::prevalence(p)),
        (_, Some(rate)) => format!("{name} up to a false positive rate of {}", format::prevalence(rate)),
        _ => name,
    }
}

fn quantity(metric: Metric) -> Quantity {
    if metric == Metric::Auc { Quantity::Area } else { Quantity::Projected }
}

/// H0 in words; H1 is its opposite.
fn null_hypothesis(aim: Aim, margin: &str, against: Against) -> String {
    let (own, other) = match against {
        Against::Predicate => ("the device's", "that of the predicate"),
        Against::ComparisonReaders => ("the device's", "the mean of the comparison readers"),
        Against::UnaidedReaders => ("the mean of readers with the device", "the mean of readers without it"),
        Against::ReaderPopulation => ("the device's", "the mean of readers without it"),
    };
    match aim {
        Aim::Superiority if margin.is_empty() => format!("{own} is not above {other}"),
        Aim::Superiority => format!("{own} is above {other} by no more than {margin}"),
        Aim::NonInferiority => format!("{own} is below {other} by {margin} or more"),
        Aim::Equivalence => format!("{own} differs from {other} by {margin} or more"),
    }
}

fn margin_words(margin: f64, metric: Metric) -> String {
    let style = wording::style_of(metric.id(), false);
    if margin == 0.0 { String::new() } else { format::number(margin, style) }
}

/// What the protocol declares, before any result.
pub fn declared(protocol: &Protocol) -> Table {
    let row = |e: &ComparativeEndpoint| {
        let margin = margin_words(e.margin, e.metric);
        let interval = e.interval.map_or_else(
            || "as fits the cases".to_owned(),
            |method| method.describe(quantity(e.metric)).to_owned(),
        );
        Row::plain([
            e.id.clone(),
            measure(e.metric, e.prevalence, (e.metric == Metric::PartialAuc).then_some(e.most_fpr)),
            format!("{} ({})", e.aim.id(), e.role.name()),
            null_hypothesis(e.aim, &margin, e.against),
            if margin.is_empty() { "0".to_owned() } else { margin },
            interval,
        ])
    };
    let mut table = Table::or_none(
        "Comparisons as declared in the protocol; what is shown is the opposite of the null hypothesis",
        vec![
            Column::left("Endpoint", 0.9),
            Column::left("Measure", 0.9),
            Column::left("Aim", 0.9),
            Column::left("Null hypothesis", 1.6),
            Column::right("Margin"),
            Column::left("Interval", 1.0),
        ],
        protocol.comparisons.iter().map(row).collect(),
    );
    for endpoint in &protocol.comparisons {
        if let Some(why) = &endpoint.justification {
            table.notes.push(format!("Margin of {}: {why}", endpoint.id));
        }
    }
    if let Some(predicate) = &protocol.predicate {
        table
            .notes
            .push(format!("The predicate is {}, with its own output on the same cases.", predicate.name));
    }
    table
}

/// Differences with their verdicts.
pub fn comparisons(results: &Results, level: &str) -> Table {
    let row = |c: &ComparisonResult| {
        let style = wording::style_of(c.metric.id(), false);
        let number = |v: Option<f64>| v.map_or_else(|| "\u{2013}".to_owned(), |v| format::number(v, style));
        let interval = c.interval.as_ref().map_or_else(
            || "\u{2013}".to_owned(),
            |i| match format::level(i.level) {
                own if own == level => wording::limits_beside_margin(c, i, results.rules()),
                own => format!("{} ({own})", wording::limits_beside_margin(c, i, results.rules())),
            },
        );
        let p = |p: Option<f64>| p.map_or_else(|| "\u{2013}".to_owned(), format::p_value);
        let margin = margin_words(c.margin, c.metric);
        Row::Cells(vec![
            Cell::new(format!("{} ({})", measure(c.metric, c.prevalence, c.most_fpr), c.role.name()))
                .look(Look::Strong),
            Cell::new(match c.against {
                Against::UnaidedReaders => {
                    format!("readers with the device: {} to {}", c.aim.id(), c.comparator)
                }
                _ => format!("{} to {}", c.aim.id(), c.comparator),
            }),
            Cell::new(number(c.device)),
            Cell::new(number(c.other)),
            Cell::new(number(c.difference)).of(of_comparison(c)),
            Cell::new(interval),
            Cell::new(if margin.is_empty() { "0".to_owned() } else { margin }),
            Cell::new(p(c.p_value)),
            Cell::new(p(c.adjusted_p)),
            Cell::new(wording::verdict(Some(c.verdict))).look(look(c.verdict)),
        ])
    };
    let mut table = Table::or_none(
        "Comparisons on the same cases: the device less what it is compared with",
        vec![
            Column::left("Measure", 1.0),
            Column::left("Aim", 1.0),
            Column::right("Device"),
            Column::right("Comparator"),
            Column::right("Difference"),
            Column::right(&format!("{level} CI")),
            Column::right("Margin"),
            Column::right("p"),
            Column::right("Adjusted p"),
            Column::left("Verdict", 0.0),
        ],
        results.comparisons.iter().map(row).collect(),
    );
    for c in &results.comparisons {
        table.notes.push(note(c));
        if let Some(why) = &c.justification {
            table.notes.push(format!("Margin of {}: {why}", c.id));
        }
    }
    table.notes.push(
        "p values are one-sided, of the null hypothesis that the protocol declares; the deciding two-sided \
         interval decides the same. Adjusted p values follow the declared rule of multiplicity."
            .to_owned(),
    );
    table
}

/// What was to be shown of what and beside what, in words: `non-inferiority of sensitivity to P, margin
/// 5.0%`.
pub fn aim_in_words(c: &ComparisonResult) -> String {
    let margin = margin_words(c.margin, c.metric);
    let margin = if margin.is_empty() { margin } else { format!(", margin {margin}") };
    let measure = text::within(&measure(c.metric, c.prevalence, c.most_fpr));
    let whose = match c.against {
        Against::UnaidedReaders => " of readers with the device",
        Against::Predicate | Against::ComparisonReaders | Against::ReaderPopulation => "",
    };
    let aim = match c.aim {
        Aim::Superiority => "Superiority",
        Aim::NonInferiority => "Non-inferiority",
        Aim::Equivalence => "Equivalence",
    };
    format!("{aim} of the {measure}{whose} to {}{margin}", c.comparator)
}

/// Why another interval than the declared one decides, or none, in words.
pub fn why_not_declared(c: &ComparisonResult) -> Option<String> {
    c.not_evaluable.clone().or_else(|| c.fallback.as_ref().map(|f| f.message.clone()))
}

/// Cases, method and what else has to be known of one comparison.
fn note(c: &ComparisonResult) -> String {
    let mut text = format!(
        "{}: {} cases of {} patients, {} positive",
        c.id,
        format::count(c.n),
        format::count(c.patients),
        format::count(c.positives)
    );
    if c.without_comparator > 0 {
        let left_out = format::count(c.without_comparator);
        text += &format!("; {left_out} analysed cases without an answer of the comparator are left out");
    }
    if let Some([both, device, other, neither]) = c.right {
        text += &format!(
            "; right are both on {}, the device alone on {}, the comparator alone on {}, neither on {}",
            format::count(both),
            format::count(device),
            format::count(other),
            format::count(neither)
        );
    }
    let of = quantity(c.metric);
    match (&c.not_evaluable, &c.fallback, &c.interval) {
        (Some(reason), _, _) => text += &format!("; not evaluable: {reason}"),
        (_, None, _) => text += &format!("; interval by {}", c.interval_method.describe(of)),
        (_, Some(fallback), Some(interval)) => {
            text += &format!(
                "; judged by {} and not by {}: {} ({})",
                interval.method.describe(of),
                c.interval_method.describe(of),
                fallback.message,
                fallback.reason
            );
        }
        (_, Some(fallback), None) => {
            text += &format!("; not judged: {} ({})", fallback.message, fallback.reason);
        }
    }
    if c.against == Against::ComparisonReaders {
        text += "; the readers are these, and it says nothing of others";
    }
    if c.against == Against::UnaidedReaders {
        text += "; what stands under Device is the mean of readers with the device";
    }
    text + "."
}

/// All endpoints under the rule of multiplicity: shares of α and where they go.
pub fn family(results: &Results) -> Table {
    let Some(family) = &results.family else {
        return Table::or_none("Multiplicity", vec![Column::left("", 1.0)], Vec::new());
    };
    let share = |value: f64| format::fixed(value, 3);
    let rows = family.members.iter().map(|m| {
        let passes: Vec<String> =
            m.passes_on.iter().map(|(to, part)| format!("{} to {to}", share(*part))).collect();
        Row::Cells(vec![
            Cell::new(format!("{} ({})", m.id, m.role.name())).look(Look::Strong),
            Cell::new(m.weight.map_or_else(|| "\u{2013}".to_owned(), share)),
            Cell::new(if passes.is_empty() { "\u{2013}".to_owned() } else { passes.join(", ") }),
            Cell::new(m.p_value.map_or_else(|| "not evaluable".to_owned(), format::p_value)),
            Cell::new(format::p_value(m.adjusted_p)),
            Cell::new(wording::verdict(Some(m.verdict))).look(look(m.verdict)),
        ])
    });
    let mut table = Table::or_none(
        format!("Endpoints under one rule of multiplicity, one-sided \u{3b1} {}", family.alpha),
        vec![
            Column::left("Endpoint", 1.2),
            Column::right("Share of \u{3b1}"),
            Column::left("Passes on once met", 1.4),
            Column::right("p"),
            Column::right("Adjusted p"),
            Column::left("Verdict", 0.0),
        ],
        rows.collect(),
    );
    table.notes.push(format!("Rule: {}.", wording::multiplicity(&results.method)));
    table.notes.push(
        "An endpoint is met where its adjusted p value is at most \u{3b1}. The p value of an endpoint with a \
         goal is the least one-sided error at which its deciding interval lies on the right side of the goal."
            .to_owned(),
    );
    table
}
