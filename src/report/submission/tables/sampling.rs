//! How the sample was drawn, and what it says of the cases that it was drawn from.

use crate::document::format::{self, Style};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::wording;
use crate::study::results::{Results, Sampling};

const NONE: &str = "\u{2013}";

/// The method in words.
pub(in crate::report) fn method(sampling: &Sampling) -> String {
    let by = sampling.by.join(" and ");
    match sampling.method.as_str() {
        "stratified" => format!("at random within strata by {by}"),
        "enriched" => "at random within the classes of the source label, with weights".to_owned(),
        "consecutive" => format!("the first by {by}"),
        _ => "at random".to_owned(),
    }
}

/// Each stratum with what was asked for, what there was and what was drawn.
pub fn sampling(results: &Results) -> Table {
    let columns = vec![
        Column::left("Drawn from", 1.2),
        Column::right("Could be drawn"),
        Column::right("Asked for"),
        Column::right("Drawn"),
        Column::right("In the primary analysis"),
        Column::right("Each stands for"),
    ];
    let Some(sampling) = &results.sampling else {
        return Table::or_none("How the sample was drawn", columns, Vec::new());
    };
    let rows = sampling.strata.iter().map(|stratum| {
        let lacking = stratum.wanted.is_some_and(|wanted| stratum.drawn < wanted);
        let name = if stratum.name.is_empty() { "every eligible case" } else { &stratum.name };
        Row::Cells(vec![
            Cell::new(name),
            Cell::count(stratum.pool),
            Cell::new(stratum.wanted.map_or_else(|| "all".to_owned(), format::count)),
            Cell::count(stratum.drawn).look(if lacking { Look::Bad } else { Look::Plain }),
            Cell::count(stratum.analysed),
            Cell::new(stratum.weight.map_or_else(|| NONE.to_owned(), |weight| format::fixed(weight, 2))),
        ])
    });
    let title = format!("How the sample was drawn: {}", method(sampling));
    let mut table = Table::or_none(title, columns, rows.collect());
    if sampling.other_images > 0 {
        table.notes.push(format!(
            "{} eligible cases could not be drawn, because another image of their patient could: a patient \
             gives one.",
            format::count(sampling.other_images)
        ));
    }
    if sampling.lacking > 0 {
        table.notes.push(format!(
            "{} cases were asked for and are not there; the protocol declares that all that are there are \
             drawn then.",
            format::count(sampling.lacking)
        ));
    }
    if sampling.weighted.is_some() {
        table.notes.push(
            "What each stands for is its weight: cases that could be drawn, divided by drawn ones. It is in \
             the sealed cohort and in the table of all cases."
                .to_owned(),
        );
    }
    table
}

/// Measures with each case counted by its weight.
pub fn weighted(results: &Results) -> Table {
    let title = "Weighted to the eligible cases that the sample was drawn from";
    let weighted = results.sampling.as_ref().and_then(|sampling| sampling.weighted.as_ref());
    let level = weighted.map_or(results.method.level, |weighted| weighted.level);
    let columns = vec![
        Column::left("Measure", 1.0),
        Column::right("Value"),
        Column::right(&format!("{} CI", format::level(level))),
        Column::right("Standard error"),
    ];
    let Some(weighted) = weighted else { return Table::or_none(title, columns, Vec::new()) };
    let rows = weighted.estimates.iter().map(|estimate| {
        let name = if estimate.id == "prevalence" {
            "Prevalence by the reference standard".to_owned()
        } else {
            wording::metric(&estimate.id)
        };
        let style =
            if estimate.id == "prevalence" { Style::Percent } else { wording::style_of(&estimate.id, false) };
        let number = |value: f64| format::number(value, style);
        let limits = estimate.limits.map(|(low, high)| format!("{} to {}", number(low), number(high)));
        Row::plain([
            name,
            estimate.value.map_or_else(|| "not evaluable".to_owned(), number),
            limits.unwrap_or_else(|| NONE.to_owned()),
            estimate.standard_error.map_or_else(|| NONE.to_owned(), number),
        ])
    });
    let mut table = Table::or_none(title, columns, rows.collect());
    table.notes.push(format!(
        "The analysed cases stand for {} cases; their weights make them worth {} cases of equal weight (Kish \
         1965). PPV, NPV, accuracy and F1 hold at the prevalence given here, which is that of the cases that \
         could be drawn, and not of intended use. Ratios of weighted totals with linearised standard errors \
         (S\u{e4}rndal, Swensson and Wretman 1992), patients together; limits on the logit scale, none where \
         nothing varies. No verdict rests on them.",
        format::count(weighted.cases.round() as u64),
        format::fixed(weighted.effective, 1),
    ));
    table
}
