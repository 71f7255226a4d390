//! All sets in one table, stated facts, and how far the sets lie apart.

use super::figures;
use super::pieces::Pieces;
use super::words::{
    columns, difference, fact_numbers, finding_words, level_words, names, row, share, table, variable,
};
use crate::dataset::describe::{Description, Difference, DifferenceKind, Numbers, SetDescription};
use crate::dataset::standardised::NOTABLE;
use crate::document::tree::{Cell, Look, Row, Table};
use crate::document::{format, text};

pub(super) fn years(numbers: Option<Numbers>, part: fn(Numbers) -> Option<String>) -> String {
    numbers.and_then(part).unwrap_or_else(|| "\u{2013}".to_owned())
}

pub(super) fn mean_sd(numbers: Numbers) -> Option<String> {
    let sd = numbers.sd.map_or_else(|| "\u{2013}".to_owned(), |sd| format::fixed(sd, 1));
    Some(format!("{} (SD {sd})", format::fixed(numbers.mean?, 1)))
}

pub(super) fn middle(numbers: Numbers) -> Option<String> {
    let [low, median, high] = numbers.quartiles?;
    let plain = |v: f64| format::fixed(v, usize::from(v.fract() != 0.0));
    Some(format!("{} ({} to {})", plain(median), plain(low), plain(high)))
}

pub(super) fn range(numbers: Numbers) -> Option<String> {
    Some(format!("{} to {}", numbers.minimum?, numbers.maximum?))
}

pub(super) fn overview(description: &Description) -> Table {
    let sets = &description.sets;
    let one = |name: &str, cell: &dyn Fn(&SetDescription) -> String| row(name, sets.iter().map(cell));
    let positive = finding_words(description);
    let mut rows = vec![
        one("Images", &|s| format::count(s.images)),
        one("Patients", &|s| format::count(s.patients)),
        one(&format!("Images positive ({positive})"), &|s| share(s.positives)),
        one("Patients with a positive image", &|s| share(s.positive_patients)),
    ];
    // Those that the share above is not of.
    let unlabelled = |s: &SetDescription| s.patients.saturating_sub(s.positive_patients.denominator);
    if sets.iter().any(|s| unlabelled(s) > 0) {
        rows.push(one("Patients without a label", &|s| format::count(unlabelled(s))));
    }
    if sets.iter().any(|s| s.without_finding.is_some()) {
        rows.push(one("Images without finding", &|s| s.without_finding.map_or(String::new(), share)));
    }
    if sets.iter().any(|s| s.age.is_some()) {
        rows.push(one("Age in years, mean (SD)", &|s| years(s.age, mean_sd)));
        rows.push(one("Age, median (quartiles)", &|s| years(s.age, middle)));
        rows.push(one("Age, range", &|s| years(s.age, range)));
    }
    rows.push(one("Images per patient, mean (SD)", &|s| years(Some(s.images_per_patient), mean_sd)));
    rows.push(one("Images per patient, median (quartiles)", &|s| years(Some(s.images_per_patient), middle)));
    rows.push(one("Images per patient, range", &|s| years(Some(s.images_per_patient), range)));
    table("The data", columns("", names(description)), rows)
}

pub(super) fn facts(description: &Description, pieces: &mut Pieces) {
    if description.facts.is_empty() {
        return;
    }
    let rows = description
        .facts
        .iter()
        .map(|fact| {
            let (stated, found) = fact_numbers(fact);
            let (words, look) = if fact.holds { ("holds", Look::Good) } else { ("does not hold", Look::Bad) };
            Row::Cells(vec![
                Cell::new(text::one_line(&fact.statement)),
                Cell::new(stated),
                Cell::new(found),
                Cell::new(words).look(look),
            ])
        })
        .collect();
    let heads = ["Stated", "Found", ""].map(str::to_owned).into_iter();
    let mut facts = table("Stated facts and what the data give", columns("Fact", heads), rows);
    facts.notes.push("A stated number holds when the found one rounds to it.".to_owned());
    pieces.table("facts", facts);
}

pub(super) fn differences(description: &Description, pieces: &mut Pieces) {
    let Some(first) = description.comparisons.first() else { return };
    let heads =
        description.comparisons.iter().map(|c| text::one_line(&format!("{} \u{2212} {}", c.first, c.second)));
    let mut rows = Vec::new();
    let mut head = String::new();
    for (index, line) in first.differences.iter().enumerate() {
        if line.variable == "finding" && head != "finding" {
            rows.push(Row::Group("Findings".to_owned()));
        }
        head.clone_from(&line.variable);
        let under = line.level.is_some() && line.kind == DifferenceKind::Binary && line.variable != "label";
        let name = match (&line.level, under) {
            (Some(level), true) if line.variable != "finding" => {
                format!("\u{2003}{}", level_words(&line.variable, level))
            }
            _ => variable(&line.variable, line.level.as_deref()),
        };
        let mut cells = vec![Cell::new(name)];
        for comparison in &description.comparisons {
            // Levels differ between pairs: a line is found by what it is about, at best at its own place.
            let same =
                |d: &&Difference| d.variable == line.variable && d.level == line.level && d.kind == line.kind;
            let found = comparison
                .differences
                .get(index)
                .filter(same)
                .or_else(|| comparison.differences.iter().find(same));
            cells.push(found.map_or_else(|| Cell::new("\u{2013}"), |d| difference(d.value)));
        }
        rows.push(Row::Cells(cells));
    }
    let mut all = table("Standardised differences between the sets", columns("Variable", heads), rows);
    all.notes.push(format!(
        "Beyond {NOTABLE} in either direction a difference is set in bold: it is worth a look (Austin \
         2009). A variable's own line is the distance over all its levels and has no sign."
    ));
    pieces.figure(
        "differences",
        format!("Absolute standardised differences. The dashed line is at {NOTABLE}."),
        "Dot plot of absolute standardised differences; the numbers are those of the table.",
        vec![figures::differences(&description.comparisons)],
    );
    pieces.table("differences", all);
}

/// The first table of the page, cell by cell with its header, for a terminal.
pub fn overview_cells(description: &Description) -> Vec<Vec<String>> {
    let table = overview(description);
    let mut lines = vec![table.columns.into_iter().map(|c| c.header).collect()];
    lines.extend(table.rows.into_iter().filter_map(|row| match row {
        Row::Cells(cells) => Some(cells.into_iter().map(|c| c.text).collect()),
        Row::Group(_) => None,
    }));
    lines
}
