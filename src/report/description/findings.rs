//! Findings, and what occurs beside the positive one.

use super::figures::{self, Series};
use super::pieces::{DRAWN, Pieces};
use super::words::{columns, finding_name, finding_words, names, row, share, table};
use crate::dataset::describe::{Comorbidity, Description, Finding, SetDescription, Share};
use crate::document::canvas::{BLUE, ORANGE};
use crate::document::text;
use crate::document::tree::Row;

pub(super) fn findings(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let Some(first) = sets.first().filter(|s| !s.findings.is_empty()) else { return };
    let mut all: Vec<&str> = Vec::new();
    for finding in sets.iter().flat_map(|s| &s.findings) {
        if !all.contains(&finding.finding.as_str()) {
            all.push(&finding.finding);
        }
    }
    let find = |s: &SetDescription, name: &str| s.findings.iter().find(|f| f.finding == name).cloned();
    let mut rows: Vec<Row> = all
        .iter()
        .map(|name| {
            row(
                finding_name(name),
                sets.iter().map(|s| share(find(s, name).map_or(Share::new(0, s.images), |f| f.images))),
            )
        })
        .collect();
    rows.push(row("no finding", sets.iter().map(|s| s.without_finding.map_or(String::new(), share))));
    pieces.table(
        "findings",
        table(
            "Images with each finding, of all images; an image may have several",
            columns("Finding", names(description)),
            rows,
        ),
    );
    let drawn: Vec<String> = all.iter().take(30).map(|name| finding_name(name)).collect();
    let series: Vec<Series> = sets
        .iter()
        .take(figures::MOST_SERIES)
        .enumerate()
        .map(|(i, s)| Series {
            name: s.name.clone(),
            color: crate::document::plot::color(i),
            values: all
                .iter()
                .take(30)
                .map(|name| find(s, name).map_or(Share::new(0, s.images), |f| f.images).value)
                .collect(),
        })
        .collect();
    pieces.figure(
        "findings",
        "Images with each finding, of all images.".to_owned(),
        "Bars of the share of images with each finding; the numbers are those of the table.",
        vec![figures::bars("Share of images", &drawn, &series, figures::largest(series.iter()))],
    );
    beside(description, pieces);
    if first.co_occurrence.findings.len() > 1 {
        pieces.figure(
            "co-occurrence",
            format!(
                "Findings on the same images, {}: of the images with the row's finding, the percentage that \
                 also has the column's; on the diagonal the number of images.",
                text::one_line(&first.name)
            ),
            "Matrix of findings by findings; description.json holds all counts.",
            vec![figures::matrix(first)],
        );
    }
    comorbidity(description, pieces);
}

/// How many findings an image has.
fn comorbidity(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let most = sets.iter().flat_map(|s| &s.comorbidity).map(|c| c.findings).max().unwrap_or(0).min(100);
    let mut rows = Vec::new();
    for (group, part) in [("Of all images", false), ("Of the positive images", true)] {
        rows.push(Row::Group(group.to_owned()));
        for number in 0..=most {
            let cell = |s: &SetDescription| {
                let total = if part { s.positives.numerator } else { s.images };
                let found = s.comorbidity.iter().find(|c| c.findings == number);
                let of = |c: &Comorbidity| {
                    if part { c.among_positives } else { c.images }
                };
                share(found.map_or(Share::new(0, total), of))
            };
            rows.push(row(format!("\u{2003}{number}"), sets.iter().map(cell)));
        }
    }
    pieces.table(
        "comorbidity",
        table("Images by their number of findings", columns("Findings", names(description)), rows),
    );
}

/// What occurs beside the positive finding.
fn beside(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let listed: Vec<&SetDescription> = sets.iter().filter(|s| !s.co_occurring.is_empty()).collect();
    if listed.is_empty() {
        return;
    }
    let positive = finding_words(description);
    let mut names_of: Vec<&str> = Vec::new();
    for finding in listed.iter().flat_map(|s| &s.co_occurring) {
        if !names_of.contains(&finding.finding.as_str()) {
            names_of.push(&finding.finding);
        }
    }
    let find = |s: &SetDescription, name: &str| s.findings.iter().find(|f| f.finding == name).cloned();
    let line = |name: &str, part: fn(&Finding) -> Share, of: fn(&SetDescription) -> u64| {
        row(
            finding_name(name),
            sets.iter().map(|s| share(find(s, name).map_or(Share::new(0, of(s)), |f| part(&f)))),
        )
    };
    let mut rows = vec![Row::Group("Of the positive images".to_owned())];
    rows.extend(names_of.iter().map(|n| line(n, |f| f.among_positives, |s| s.positives.numerator)));
    rows.push(Row::Group("Of the negative images".to_owned()));
    let negatives: fn(&SetDescription) -> u64 = |s| s.positives.denominator - s.positives.numerator;
    rows.extend(names_of.iter().map(|n| line(n, |f| f.among_negatives, negatives)));
    pieces.table(
        "co-occurring",
        table(
            format!("Findings beside {positive}, and the same findings elsewhere"),
            columns("Finding", names(description)),
            rows,
        ),
    );
    // The findings of the table in its order, in every set: what is not there is a bar of no length.
    let shown = &names_of[..names_of.len().min(20)];
    let labels: Vec<String> = shown.iter().map(|name| finding_name(name)).collect();
    let drawn = listed.iter().take(DRAWN).map(|set| {
        let series = |name: &str, color, part: fn(&Finding) -> Share, of: fn(&SetDescription) -> u64| {
            let value =
                |finding: &&str| find(set, finding).map_or(Share::new(0, of(set)), |f| part(&f)).value;
            let name = format!("{name}, {}", text::one_line(&set.name));
            Series { name, color, values: shown.iter().map(value).collect() }
        };
        [
            series("positive images", ORANGE, |f| f.among_positives, |s| s.positives.numerator),
            series("negative images", BLUE, |f| f.among_negatives, negatives),
        ]
    });
    let drawn: Vec<[Series; 2]> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let title = "Share of images with the finding";
    let images = drawn.iter().map(|series| figures::bars(title, &labels, series, largest));
    pieces.figure(
        "co-occurring",
        format!("Findings beside {positive}, as shares of the positive and of the negative images."),
        "Bars of the share of each finding among positive and negative images; the numbers are those of the \
         table.",
        images.collect(),
    );
    combinations(sets, &listed, pieces);
}

/// All findings of a positive image together.
fn combinations(sets: &[SetDescription], listed: &[&SetDescription], pieces: &mut Pieces) {
    let mut rows = Vec::new();
    for set in listed {
        if sets.len() > 1 {
            rows.push(Row::Group(text::one_line(&set.name)));
        }
        for combination in &set.combinations {
            rows.push(row(
                finding_name(&combination.findings.join(" + ")),
                std::iter::once(share(combination.images)),
            ));
        }
        if set.other_combinations > 0 {
            let rest = Share::new(set.other_combinations, set.positives.numerator);
            rows.push(row("other combinations", std::iter::once(share(rest))));
        }
    }
    pieces.table(
        "combinations",
        table(
            "All findings of a positive image together, the most frequent first",
            columns("Findings", ["Of the positive images".to_owned()].into_iter()),
            rows,
        ),
    );
}
