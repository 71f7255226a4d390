//! Readers, their reads, their consensus and how far they agree.

use super::rows::method_note;
use crate::document::format;
use crate::document::tree::{Cell, Column, Row, Table};
use crate::protocol::{ConsensusRule, ReaderRole, TieRule};
use crate::report::origins::of_estimate;
use crate::report::submission::source::Source;
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::study::results::Results;

pub fn readers(results: &Results) -> Table {
    let declared = results.readers.iter().any(|r| r.role.is_some());
    let uninterpretable = results.readers.iter().any(|r| r.uninterpretable > 0);
    let rows = results
        .readers
        .iter()
        .map(|r| {
            let mut cells = vec![r.id.clone()];
            cells.extend(declared.then(|| r.role.map_or("not declared", ReaderRole::name).to_owned()));
            cells.push(format::count(r.reads));
            if r.role == Some(ReaderRole::Ignored) {
                // Their rows are counted, and nobody looked at what they say.
                cells.extend(std::iter::repeat_n("not used".to_owned(), 5 + usize::from(uninterpretable)));
                return Row::Cells(cells.into_iter().map(Cell::new).collect());
            }
            cells.extend([r.positive, r.negative, r.indeterminate].map(format::count));
            cells.extend(uninterpretable.then(|| format::count(r.uninterpretable)));
            cells.push(format::count(r.set_aside));
            cells.push(r.missing.map_or_else(|| "not fixed".to_owned(), format::count));
            Row::Cells(cells.into_iter().map(Cell::new).collect())
        })
        .collect();
    let mut columns = vec![Column::left("Reader", 1.0)];
    columns.extend(declared.then(|| Column::left("Role", 1.0)));
    columns.extend(["Reads", "Positive", "Negative", "Indeterminate"].map(Column::right));
    columns.extend(uninterpretable.then(|| Column::right("Uninterpretable")));
    columns.extend(["Set aside", "Missing"].map(Column::right));
    let mut table = Table::or_none(
        format!("Readers and their reads of the {} sampled cases", format::count(results.flow.sampled)),
        columns,
        rows,
    );
    if results.readers.iter().any(|r| r.role == Some(ReaderRole::Ignored)) {
        table
            .notes
            .push("Reads of an ignored reader are counted over all cases, and used nowhere.".to_owned());
    }
    table
}

/// Who the readers are, as declared.
pub fn qualifications(results: &Results) -> Table {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "as of all".to_owned());
    let rows = results
        .readers
        .iter()
        .filter_map(|r| {
            Some(Row::plain([
                r.id.clone(),
                r.role?.name().to_owned(),
                said(&r.qualification),
                r.specialty.clone().unwrap_or_else(|| "not declared".to_owned()),
                r.years.map_or_else(|| "not declared".to_owned(), |years| years.to_string()),
                if r.labelled_training_data { "yes" } else { "no" }.to_owned(),
            ]))
        })
        .collect();
    Table::or_none(
        "The readers as declared before they read",
        vec![
            Column::left("Reader", 0.0),
            Column::left("Role", 0.7),
            Column::left("Qualification", 1.0),
            Column::left("Specialty", 1.0),
            Column::right("Years of experience"),
            Column::right("Labelled training data"),
        ],
        rows,
    )
}

pub fn consensus(source: &Source) -> Table {
    let results = &source.results;
    let rule = &source.protocol.reference_standard;
    let c = &results.consensus;
    let sampled = results.flow.sampled;
    let row = |name: &str, n: u64| Row::plain([name.to_owned(), format::count(n), format::share(n, sampled)]);
    let mut rows = Vec::new();
    if rule.rule.is_vote() {
        rows.extend([
            row("Unanimous, all votes given", c.unanimous),
            row("By majority, all votes given", c.majority),
            row("From fewer votes: a read was missing, indeterminate or set aside", c.incomplete),
        ]);
        if c.tie > 0 || matches!(rule.tie, TieRule::Positive | TieRule::Negative) {
            rows.push(row("Tie, decided as declared", c.tie));
        }
        if rule.has_adjudication() {
            rows.push(row("By an adjudicator", c.adjudicated));
        }
        rows.push(row("No consensus", c.none));
    } else if rule.rule == ConsensusRule::Panel {
        rows.extend([row("By a panel", c.adjudicated), row("No label by the panel", c.none)]);
    } else {
        rows.extend([row("Given", c.given), row("No label given, or an indeterminate one", c.none)]);
    }
    rows.extend([
        row("Positive by the reference standard", c.positive),
        row("Negative by the reference standard", c.negative),
    ]);
    Table::or_none(
        format!("How the reference standard of the {} sampled cases came about", format::count(sampled)),
        vec![
            Column::left("Reference standard", 1.0),
            Column::right("Cases"),
            Column::right("Share of sampled"),
        ],
        rows,
    )
}

pub fn reads_per_case(results: &Results) -> Table {
    let sampled = results.flow.sampled;
    let rows = results
        .consensus
        .reads_per_case
        .iter()
        .map(|r| {
            Row::plain([format::count(r.reads), format::count(r.cases), format::share(r.cases, sampled)])
        })
        .collect();
    Table::or_none(
        "How many reference readers read a case",
        vec![
            Column::left("Reference readers of a case", 1.0),
            Column::right("Cases"),
            Column::right("Share of sampled"),
        ],
        rows,
    )
}

pub fn repeated_reads(results: &Results) -> Table {
    let rows = results
        .consensus
        .repeated
        .iter()
        .take(MOST_LISTED)
        .map(|r| {
            let counts = r.counts_as.clone().unwrap_or_else(|| "set aside".to_owned());
            Row::plain([r.case_id.clone(), r.reader_id.clone(), format::count(r.reads), counts])
        })
        .collect();
    let columns = vec![
        Column::left("Case", 1.0),
        Column::left("Reader", 1.0),
        Column::right("Reads"),
        Column::right("Count as"),
    ];
    let mut table = Table::or_none("Several reads of one reader on one case", columns, rows);
    table.notes.extend(not_shown(results.consensus.repeated.len()));
    table
}

pub fn label_differences(results: &Results) -> Table {
    let differences = results.consensus.compared.as_ref().map_or(&[][..], |compared| &compared.differences);
    let rows = differences
        .iter()
        .take(MOST_LISTED)
        .map(|d| Row::plain([d.case_id.clone(), d.computed.clone(), d.level.clone(), d.label.clone()]))
        .collect();
    let columns = vec![
        Column::left("Case", 1.0),
        Column::right("Computed"),
        Column::right("Level"),
        Column::right("Label that came with the reads"),
    ];
    let caption = "Cases on which the computed reference standard is not the label that came with the reads";
    let mut table = Table::or_none(caption, columns, rows);
    table.notes.extend(not_shown(differences.len()));
    table
}

/// So many cases are listed one by one.
pub(super) const MOST_LISTED: usize = 200;

pub(super) fn not_shown(all: usize) -> Option<String> {
    (all > MOST_LISTED).then(|| {
        format!(
            "Of {} rows the first {} are shown; results.json has each.",
            format::count(all as u64),
            format::count(MOST_LISTED as u64)
        )
    })
}

/// More pairs of readers than this (six readers) are told by the lowest, the middle and the highest.
const MOST_PAIRS: usize = 15;

/// The rows of the table, each with who is compared; and what is to be said of pairs that are not shown.
fn shown(agreement: &[Estimate]) -> (Vec<(&Estimate, String)>, Option<String>) {
    let between = |e: &Estimate| e.model.clone().unwrap_or_else(|| "all readers".to_owned());
    // A reader beside the reference standard is no pair of readers.
    let beside = |e: &Estimate| e.model.as_deref().is_some_and(|m| m.contains("vs reference standard"));
    let is_pair = |e: &&Estimate| e.id == "cohen_kappa" && e.model.is_some() && !beside(e);
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
            let value = match e.p_value {
                Some(p) => format!("{}, p {}", wording::value(e), format::p_is(p)),
                None => wording::value(e),
            };
            Row::Cells(vec![
                Cell::new(wording::metric(&e.id)),
                Cell::new(between.clone()),
                Cell::new(value).of(of_estimate(e)),
                Cell::new(wording::interval(e)),
                Cell::count(e.n),
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
        let beside = Estimate { model: Some("C1 vs reference standard".into()), ..few[0].clone() };
        let mixed: Vec<Estimate> = few.iter().cloned().chain([beside]).collect();
        assert!(shown(&mixed).0.len() == MOST_PAIRS + 2 && shown(&mixed).1.is_none());
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
