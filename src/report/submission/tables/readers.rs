//! Readers, their reads, their consensus and how far they agree.

use super::rows::method_note;
use crate::document::format;
use crate::document::tree::{Column, Row, Table};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::study::results::Results;

pub fn readers(results: &Results) -> Table {
    let rows = results
        .readers
        .iter()
        .map(|r| {
            Row::plain([
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
    Table::or_none(
        format!("Readers and their reads of the {} sampled cases", format::count(results.flow.sampled)),
        vec![
            Column::left("Reader", 1.0),
            Column::right("Reads"),
            Column::right("Positive"),
            Column::right("Negative"),
            Column::right("Indeterminate"),
            Column::right("Set aside"),
            Column::right("Missing"),
        ],
        rows,
    )
}

pub fn consensus(results: &Results) -> Table {
    let c = &results.consensus;
    let sampled = results.flow.sampled;
    let row = |name: &str, n: u64| Row::plain([name.to_owned(), format::count(n), format::share(n, sampled)]);
    Table::or_none(
        format!("How the consensus of the {} sampled cases came about", format::count(sampled)),
        vec![Column::left("Consensus", 1.0), Column::right("Cases"), Column::right("Share of sampled")],
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

/// More pairs of readers than this (six readers) are told by the lowest, the middle and the highest.
const MOST_PAIRS: usize = 15;

/// The rows of the table, each with who is compared; and what is to be said of pairs that are not shown.
fn shown(agreement: &[Estimate]) -> (Vec<(&Estimate, String)>, Option<String>) {
    let between = |e: &Estimate| e.model.clone().unwrap_or_else(|| "all readers".to_owned());
    let is_pair = |e: &&Estimate| e.id == "cohen_kappa" && e.model.is_some();
    let (pairs, others): (Vec<&Estimate>, Vec<&Estimate>) = agreement.iter().partition(is_pair);
    if pairs.len() <= MOST_PAIRS {
        return (agreement.iter().map(|e| (e, between(e))).collect(), None);
    }
    let mut valued: Vec<(f64, &Estimate)> = pairs.iter().filter_map(|e| Some((e.value?, *e))).collect();
    valued.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rows = Vec::new();
    if let (Some(lowest), Some(highest)) = (valued.first(), valued.last()) {
        let middle = valued[(valued.len() - 1) / 2];
        for (which, (_, estimate)) in [("lowest", lowest), ("middle", &middle), ("highest", highest)] {
            rows.push((*estimate, format!("{which} of the pairs: {}", between(estimate))));
        }
    }
    let note = format!(
        "Of {} pairs of readers, {} with a kappa, the lowest, the middle and the highest are shown; \
         results.json has each.",
        format::count(pairs.len() as u64),
        format::count(valued.len() as u64)
    );
    rows.extend(others.into_iter().map(|e| (e, between(e))));
    (rows, Some(note))
}

pub fn agreement(results: &Results, level: &str) -> Table {
    let (shown, note) = shown(&results.agreement);
    let of_method: Vec<&Estimate> = shown.iter().map(|(e, _)| *e).collect();
    let rows = shown
        .iter()
        .map(|(e, between)| {
            Row::plain([
                wording::metric(&e.id),
                between.clone(),
                match e.p_value {
                    Some(p) if p < 0.0001 => format!("{}, p < 0.0001", wording::value(e)),
                    Some(p) => format!("{}, p = {p:.4}", wording::value(e)),
                    None => wording::value(e),
                },
                wording::interval(e),
                format::count(e.n),
            ])
        })
        .collect();
    let device = shown.iter().any(|(e, _)| e.model.as_deref().is_some_and(|m| m.starts_with("device")));
    let caption = if device {
        "Agreement between readers, and the device beside them"
    } else {
        "Agreement between readers"
    };
    let mut table = Table::or_none(
        caption,
        vec![
            Column::left("Measure", 0.7),
            Column::left("Between", 1.0),
            Column::right("Value"),
            Column::right(&format!("{level} CI")),
            Column::right("Cases"),
        ],
        rows,
    );
    table.notes.extend(note);
    table.notes.extend(method_note(&of_method));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(count: usize) -> Vec<Estimate> {
        let kappa = |i: usize| Estimate {
            id: "cohen_kappa".into(),
            value: (i > 0).then(|| i as f64 / 100.0),
            model: Some(format!("R{i} vs S")),
            ..Estimate::default()
        };
        let all = Estimate { id: "fleiss_kappa".into(), value: Some(0.5), ..Estimate::default() };
        (0..count).map(kappa).chain([all]).collect()
    }

    #[test]
    fn a_few_pairs_are_all_shown_and_many_by_their_range() {
        let few = pairs(MOST_PAIRS);
        assert!(shown(&few).0.len() == MOST_PAIRS + 1 && shown(&few).1.is_none());
        let many = pairs(36);
        let (rows, note) = shown(&many);
        let between: Vec<&str> = rows.iter().map(|(_, between)| between.as_str()).collect();
        let expected = [
            "lowest of the pairs: R1 vs S",
            "middle of the pairs: R18 vs S",
            "highest of the pairs: R35 vs S",
            "all readers",
        ];
        assert_eq!(between, expected);
        assert!(note.is_some_and(|note| note.contains("36 pairs") && note.contains("35 with a kappa")));
    }
}
