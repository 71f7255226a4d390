//! A description of sets of cases as a page, as Markdown, as CSV tables and as figures. As elsewhere in `report`
//! nothing is computed here: every number comes from [`Description`] and is only written out.

use std::collections::BTreeMap;

use super::document::{
    Align, Block, Callout, Cell, Column, Document, Facts, Figure, Image, Inline, Look, Row, Table, number,
};
use super::figures::canvas::{BLUE, Canvas, MUTED, RED};
use super::{format, html, tables, text};
use crate::dataset::describe::{
    Comparison, Description, Difference, DifferenceKind, Finding, Numbers, SetDescription, Share,
};
use crate::dataset::facts::Fact;
use crate::dataset::standardised::NOTABLE;
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::RelativePath;

mod figures;

use figures::Series;

/// Bins of the figure of images per patient: the first and the last number of images.
const IMAGES: [(u64, Option<u64>); 9] = [
    (1, Some(1)),
    (2, Some(2)),
    (3, Some(3)),
    (4, Some(4)),
    (5, Some(5)),
    (6, Some(10)),
    (11, Some(20)),
    (21, Some(50)),
    (51, None),
];
/// Sets that get a figure of their own where a figure shows one set; the tables show all.
const DRAWN: usize = 4;

/// All files of a description: `description.html`, `description.md`, `figures/*.svg`, `tables/*.csv`. The JSON is the
/// description itself.
///
/// # Errors
/// None that the description's own text can cause.
pub fn render(description: &Description) -> Result<BTreeMap<RelativePath, Vec<u8>>> {
    let mut pieces = Pieces { blocks: Vec::new(), tables: Vec::new() };
    body(description, &mut pieces);
    let Pieces { mut blocks, tables } = pieces;
    number(&mut blocks);
    let names: Vec<&str> = description.sets.iter().map(|s| s.name.as_str()).collect();
    let title = "Description of the data";
    let document = Document {
        facts: Facts {
            title: title.to_owned(),
            running_title: text::fit(&text::one_line(&format!("{title}: {}", names.join(", "))), 8.0, 460.0),
            author: String::new(),
            banner: description.synthetic.then(|| tables::SYNTHETIC_BANNER.to_owned()),
            footer: text::one_line(&format!("Sequester {}", env!("CARGO_PKG_VERSION"))),
            date: String::new(),
            identifier: String::new(),
        },
        cover: cover(description, title),
        body: blocks,
        footnotes: Vec::new(),
    };
    let mut files = BTreeMap::new();
    let mut add = |path: String, bytes: Vec<u8>| -> Result<()> {
        let path: RelativePath =
            path.parse().map_err(|e| Diagnostic::error("figure-name", format!("{e}")))?;
        files.insert(path, bytes);
        Ok(())
    };
    for image in document.figures() {
        add(format!("figures/{}.svg", image.name), image.svg.clone().into_bytes())?;
    }
    let mut markdown = format!("# {title}\n");
    for (name, table) in &tables {
        markdown.push_str(&format!("\n## {}\n\n", text::humanise(name)));
        // In a document of its own the caption is a paragraph above the table, and the notes stand below.
        let lines = table.to_markdown();
        for line in lines.lines() {
            match (line.strip_prefix("caption: "), line.strip_prefix("note: ")) {
                (Some(caption), _) => markdown.push_str(&format!("{caption}\n\n")),
                (_, Some(note)) => markdown.push_str(&format!("\n{note}\n")),
                _ => markdown.push_str(&format!("{line}\n")),
            }
        }
        add(format!("tables/{name}.csv"), csv(table)?)?;
    }
    add("description.md".to_owned(), markdown.into_bytes())?;
    add("description.html".to_owned(), html::page(&document).into_bytes())?;
    Ok(files)
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

/// How far two sets lie apart, in a sentence.
pub fn sentence(comparison: &Comparison) -> String {
    let mut notable: Vec<&Difference> =
        comparison.differences.iter().filter(|d| d.value.is_some_and(|v| v.abs() > NOTABLE)).collect();
    let size = |d: &Difference| d.value.unwrap_or(0.0).abs();
    notable.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let (first, second) = (text::one_line(&comparison.first), text::one_line(&comparison.second));
    let largest = comparison.largest.map_or_else(|| "none".to_owned(), |v| format::fixed(v, 3));
    if notable.is_empty() {
        return format!(
            "{first} and {second}: no standardised difference beyond {NOTABLE}; the largest is {largest}"
        );
    }
    let named: Vec<String> = notable
        .iter()
        .take(6)
        .map(|d| {
            let name = variable(&d.variable, d.level.as_deref());
            format!("{name} {}", format::fixed(d.value.unwrap_or(0.0), 3))
        })
        .collect();
    let more = if notable.len() > 6 { format!(" and {} more", notable.len() - 6) } else { String::new() };
    format!("{first} and {second}: standardised differences beyond {NOTABLE}: {}{more}", named.join(", "))
}

struct Pieces {
    blocks: Vec<Block>,
    /// In document order, with the names of their files.
    tables: Vec<(&'static str, Table)>,
}

impl Pieces {
    fn heading(&mut self, words: &str) {
        self.blocks.push(Block::Heading {
            level: 2,
            number: None,
            anchor: String::new(),
            content: vec![Inline::Text(words.to_owned())],
        });
    }

    fn paragraph(&mut self, words: impl Into<String>) {
        self.blocks.push(Block::Paragraph(vec![Inline::Text(words.into())]));
    }

    fn table(&mut self, name: &'static str, table: Table) {
        if table.rows.is_empty() {
            return;
        }
        self.tables.push((name, table.clone()));
        self.blocks.push(Block::Table(table));
    }

    fn figure(&mut self, name: &str, width: f64, caption: String, alt: &str, images: Vec<Canvas>) {
        if images.is_empty() {
            return;
        }
        let several = images.len() > 1;
        let images = images
            .into_iter()
            .enumerate()
            .map(|(index, canvas)| {
                let name = if several { format!("{name}-{}", index + 1) } else { name.to_owned() };
                Image { svg: canvas.finish(&text::humanise(&name), alt), name, width }
            })
            .collect();
        self.blocks.push(Block::Figure(Figure { caption, number: 0, alt: alt.to_owned(), images }));
    }
}

/// A share in percent: one decimal from 10 % on, two below.
fn percent(value: f64) -> String {
    if value == 0.0 {
        return "0%".to_owned();
    }
    if value > 0.0 && value < 0.000_05 {
        return "<0.01%".to_owned();
    }
    let decimals = if value < 0.1 && value > 0.0 { 2 } else { 1 };
    format!("{}%", format::fixed(value * 100.0, decimals))
}

/// `1,431/112,120 (1.28%)`.
pub fn share(share: Share) -> String {
    let counts = format!("{}/{}", format::count(share.numerator), format::count(share.denominator));
    share.value.map_or_else(|| counts.clone(), |value| format!("{counts} ({})", percent(value)))
}

/// The stated number of a fact and the found one, the latter with two more decimals.
pub fn fact_numbers(fact: &Fact) -> (String, String) {
    let stated = fact.stated.to_string();
    let decimals = stated.split_once('.').map_or(0, |(_, after)| after.len());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below 10^15")]
    let words = |value: f64, decimals: usize| {
        if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
            format::count(value as u64)
        } else {
            format::fixed(value, decimals)
        }
    };
    let found = fact.found.map_or_else(|| "not there".to_owned(), |found| words(found, decimals + 2));
    (words(fact.stated, decimals), found)
}

/// A finding's name in words.
fn finding_name(name: &str) -> String {
    text::one_line(&name.replace('_', " "))
}

/// A level in words: an age band without an end says so.
fn level_words(field: &str, level: &str) -> String {
    match level.strip_suffix('-') {
        Some(first) if field == "age_band" => format!("{first} and over"),
        _ => text::one_line(level),
    }
}

fn difference(value: Option<f64>) -> Cell {
    match value {
        None => Cell::new("not evaluable").look(Look::Muted),
        Some(value) if value.abs() > NOTABLE => Cell::new(format::fixed(value, 3)).look(Look::Strong),
        Some(value) => Cell::new(format::fixed(value, 3)),
    }
}

/// A variable's name in words, with its level.
fn variable(name: &str, level: Option<&str>) -> String {
    let words = match name {
        "label" => "Label".to_owned(),
        "finding" => String::new(),
        "age" => "Age".to_owned(),
        other => text::humanise(&other.replace('_', "-")),
    };
    match level {
        None => words,
        Some(level) if words.is_empty() => text::one_line(&level.replace('_', " ")),
        Some(level) => format!("{words}: {}", level_words(name, level)),
    }
}

fn columns(first: &str, rest: impl Iterator<Item = String>) -> Vec<Column> {
    let mut out = vec![Column { header: first.to_owned(), align: Align::Left, weight: 1.0 }];
    out.extend(rest.map(|header| Column { header, align: Align::Right, weight: 0.0 }));
    out
}

fn names(description: &Description) -> impl Iterator<Item = String> {
    description.sets.iter().map(|s| text::one_line(&s.name))
}

fn table(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Table {
    Table { caption: caption.into(), number: 0, columns, rows, notes: Vec::new() }
}

fn row(first: impl Into<String>, rest: impl Iterator<Item = String>) -> Row {
    let mut cells = vec![Cell::new(first)];
    cells.extend(rest.map(Cell::new));
    Row::Cells(cells)
}

fn finding_words(description: &Description) -> String {
    if description.positive.is_empty() {
        "positive".to_owned()
    } else {
        text::one_line(&description.positive.join(" or "))
    }
}

fn cover(description: &Description, title: &str) -> Vec<Block> {
    let mut rows = Vec::new();
    for input in &description.inputs {
        rows.push(Row::Cells(vec![
            Cell::new(text::one_line(&input.name)),
            Cell::new(format!("SHA-256 {}", input.sha256)).look(Look::Code),
        ]));
    }
    let mut blocks = vec![
        Block::Heading {
            level: 1,
            number: None,
            anchor: "title".to_owned(),
            content: vec![Inline::Text(title.to_owned())],
        },
        Block::Paragraph(vec![Inline::Text(format!(
            "Positive means {}, by the label that came with the data: it is no reference standard. A case is one image.",
            finding_words(description)
        ))]),
    ];
    if !rows.is_empty() {
        blocks.push(Block::Table(Table {
            caption: String::new(),
            number: 0,
            columns: columns("File", ["Digest".to_owned()].into_iter()),
            rows,
            notes: Vec::new(),
        }));
    }
    for comparison in description.comparisons.iter().filter(|c| c.shared_patients > 0) {
        blocks.push(Block::Callout {
            kind: Callout::Warning,
            content: vec![Block::Paragraph(vec![Inline::Text(format!(
                "{} and {} share {} patients.",
                text::one_line(&comparison.first),
                text::one_line(&comparison.second),
                format::count(comparison.shared_patients)
            ))])],
        });
    }
    blocks
}

fn body(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    pieces.heading("Overview");
    pieces.table("overview", overview(description));
    facts(description, pieces);
    differences(description, pieces);
    age_and_sex(description, pieces);
    levels(description, pieces);
    findings(description, pieces);
    patients(description, pieces);
    if sets.iter().any(|s| !s.missing.is_empty()) {
        pieces.heading("What is not recorded");
        let fields: Vec<&str> =
            sets.first().map_or(Vec::new(), |s| s.missing.iter().map(|m| m.field).collect());
        let rows = fields
            .iter()
            .enumerate()
            .map(|(i, field)| {
                row(
                    variable(field, None),
                    sets.iter().map(|s| s.missing.get(i).map_or(String::new(), |m| share(m.images))),
                )
            })
            .collect();
        pieces.table(
            "missing",
            table(
                "Images for which a field is not recorded, of all images",
                columns("Field", names(description)),
                rows,
            ),
        );
    }
    intensity(description, pieces);
    pieces.heading("How it was computed");
    pieces.paragraph(
        "Counts are exact. Percentages stand beside numerator and denominator and are rounded once. Standard deviations \
         have n \u{2212} 1; quartiles are of type 7. Ages are completed years; an age that is not human is not recorded. \
         A level that is not recorded is a level of its own.",
    );
    pieces.paragraph(
        "Standardised differences are the difference of means or shares over the square root of the mean of both \
         variances (Austin 2009, Statistics in Medicine 28:3083\u{2013}3107); over all levels of a variable the \
         Mahalanobis distance of the shares (Yang and Dalton 2012). They do not depend on the number of images. Images of \
         one patient are not independent, and no test is made.",
    );
}

fn years(numbers: Option<Numbers>, part: fn(Numbers) -> Option<String>) -> String {
    numbers.and_then(part).unwrap_or_else(|| "\u{2013}".to_owned())
}

fn mean_sd(numbers: Numbers) -> Option<String> {
    let sd = numbers.sd.map_or_else(|| "\u{2013}".to_owned(), |sd| format::fixed(sd, 1));
    Some(format!("{} (SD {sd})", format::fixed(numbers.mean?, 1)))
}

fn middle(numbers: Numbers) -> Option<String> {
    let [low, median, high] = numbers.quartiles?;
    let plain = |v: f64| format::fixed(v, usize::from(v.fract() != 0.0));
    Some(format!("{} ({} to {})", plain(median), plain(low), plain(high)))
}

fn range(numbers: Numbers) -> Option<String> {
    Some(format!("{} to {}", numbers.minimum?, numbers.maximum?))
}

fn overview(description: &Description) -> Table {
    let sets = &description.sets;
    let one = |name: &str, cell: &dyn Fn(&SetDescription) -> String| row(name, sets.iter().map(cell));
    let positive = finding_words(description);
    let mut rows = vec![
        one("Images", &|s| format::count(s.images)),
        one("Patients", &|s| format::count(s.patients)),
        one(&format!("Images positive ({positive})"), &|s| share(s.positives)),
        one("Patients with a positive image", &|s| share(s.positive_patients)),
    ];
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

fn facts(description: &Description, pieces: &mut Pieces) {
    if description.facts.is_empty() {
        return;
    }
    pieces.heading("Facts that were stated elsewhere");
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

fn differences(description: &Description, pieces: &mut Pieces) {
    let Some(first) = description.comparisons.first() else { return };
    pieces.heading("Sets side by side");
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
        "Beyond {NOTABLE} in either direction a difference is set in bold: it is worth a look (Austin 2009). A variable's own \
         line is the distance over all its levels and has no sign."
    ));
    pieces.figure(
        "differences",
        1.0,
        format!("Absolute standardised differences. The dashed line is at {NOTABLE}."),
        "Dot plot of absolute standardised differences; the numbers are those of the table.",
        vec![figures::differences(&description.comparisons)],
    );
    pieces.table("differences", all);
}

fn age_and_sex(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    if sets.iter().all(|s| s.age.is_none()) {
        return;
    }
    pieces.heading("Age and sex");
    let most = sets.iter().map(|s| s.age_histogram.len()).max().unwrap_or(0);
    let drawn = sets.iter().take(DRAWN).filter(|s| !s.age_histogram.is_empty()).map(|set| {
        let bins = &set.age_histogram;
        let positives: u64 = bins.iter().map(|b| b.positives).sum();
        let others: u64 = bins.iter().map(|b| b.images - b.positives).sum();
        let series =
            |name: &str, color, count: fn(&crate::dataset::describe::AgeBin) -> u64, of: u64| Series {
                name: format!("{name}, {}", text::one_line(&set.name)),
                color,
                values: (0..most).map(|i| Share::new(bins.get(i).map_or(0, count), of).value).collect(),
            };
        [
            series("other images", BLUE, |b| b.images - b.positives, others),
            series("positive images", RED, |b| b.positives, positives),
        ]
    });
    let drawn: Vec<[Series; 2]> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let last = sets.iter().filter_map(|s| s.age_histogram.last()).map(|b| b.last).max().unwrap_or(99);
    let range = (0.0, f64::from(last) + 1.0);
    let images = drawn.iter().map(|series| figures::outlines("Age in years", range, series, true, largest));
    pieces.figure(
        "ages",
        0.8,
        "Ages in bins of five years, as shares of the positive and of the other images.".to_owned(),
        "Histogram of ages of the positive and of the other images.",
        images.collect(),
    );
    if sets.iter().all(|s| s.by_age_and_sex.is_empty()) {
        return;
    }
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for cell in sets.iter().flat_map(|s| &s.by_age_and_sex) {
        let key = (cell.age_band.as_str(), cell.sex.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut rows = Vec::new();
    let mut band = "";
    for &(age_band, sex) in &keys {
        if band != age_band {
            rows.push(Row::Group(if age_band.starts_with(|c: char| c.is_ascii_digit()) {
                match age_band.strip_suffix('-') {
                    Some(first) => format!("{first} years and over"),
                    None => format!("{age_band} years"),
                }
            } else {
                age_band.to_owned()
            }));
            band = age_band;
        }
        let cell = |s: &SetDescription| {
            let found = s.by_age_and_sex.iter().find(|c| c.age_band == age_band && c.sex == sex);
            found.map_or_else(|| "0/0".to_owned(), |c| share(c.positives))
        };
        rows.push(row(format!("\u{2003}{sex}"), sets.iter().map(cell)));
    }
    pieces.table(
        "positives-by-age-and-sex",
        table(
            "Positive images by age band and sex, of the labelled images",
            columns("Age and sex", names(description)),
            rows,
        ),
    );
    let mut bands: Vec<&str> = Vec::new();
    let mut sexes: Vec<&str> = Vec::new();
    for (band, sex) in &keys {
        if !bands.contains(band) {
            bands.push(band);
        }
        if !sexes.contains(sex) {
            sexes.push(sex);
        }
    }
    let drawn = sets.iter().take(DRAWN).map(|set| {
        let series: Vec<Series> = sexes
            .iter()
            .enumerate()
            .map(|(i, sex)| Series {
                name: format!("{sex}, {}", text::one_line(&set.name)),
                color: figures::color(i),
                values: bands
                    .iter()
                    .map(|b| {
                        let cell = set.by_age_and_sex.iter().find(|c| c.age_band == *b && c.sex == *sex);
                        cell.and_then(|c| c.positives.value)
                    })
                    .collect(),
            })
            .collect();
        series
    });
    let drawn: Vec<Vec<Series>> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let labels: Vec<String> = bands.iter().map(|band| level_words("age_band", band)).collect();
    let title = "Positive images, of the labelled images of that age and sex";
    let images = drawn.iter().map(|series| figures::bars(title, &labels, series, largest));
    pieces.figure(
        "positives-by-age-and-sex",
        0.9,
        "Share of positive images by age band and sex.".to_owned(),
        "Bars of the share of positive images by age band and sex; the numbers are those of the table.",
        images.collect(),
    );
}

fn levels(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let Some(first) = sets.first().filter(|s| !s.covariates.is_empty()) else { return };
    pieces.heading("Sex, view and the other variables");
    let (mut images, mut positives) = (Vec::new(), Vec::new());
    for (place, covariate) in first.covariates.iter().enumerate() {
        let mut names: Vec<&str> = Vec::new();
        for level in sets.iter().filter_map(|s| s.covariates.get(place)).flat_map(|c| &c.levels) {
            if !names.contains(&level.level.as_str()) {
                names.push(&level.level);
            }
        }
        images.push(Row::Group(variable(covariate.field, None)));
        positives.push(Row::Group(variable(covariate.field, None)));
        for name in names {
            let find = |s: &SetDescription| {
                s.covariates.get(place).and_then(|c| c.levels.iter().find(|l| l.level == name)).cloned()
            };
            let label = format!("\u{2003}{}", level_words(covariate.field, name));
            images.push(row(
                label.clone(),
                sets.iter().map(|s| share(find(s).map_or(Share::new(0, s.images), |l| l.images))),
            ));
            positives.push(row(
                label,
                sets.iter().map(|s| share(find(s).map_or(Share::new(0, 0), |l| l.positives))),
            ));
        }
    }
    pieces.table(
        "levels",
        table("Images at each level, of all images", columns("Level", names(description)), images),
    );
    pieces.table(
        "prevalence-by-level",
        table(
            "Positive images at each level, of the labelled images at that level",
            columns("Level", names(description)),
            positives,
        ),
    );
}

fn findings(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let Some(first) = sets.first().filter(|s| !s.findings.is_empty()) else { return };
    pieces.heading("Findings");
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
        .take(figures::SERIES.len())
        .enumerate()
        .map(|(i, s)| Series {
            name: s.name.clone(),
            color: figures::color(i),
            values: all
                .iter()
                .take(30)
                .map(|name| find(s, name).map_or(Share::new(0, s.images), |f| f.images).value)
                .collect(),
        })
        .collect();
    pieces.figure(
        "findings",
        0.95,
        "Images with each finding, of all images.".to_owned(),
        "Bars of the share of images with each finding; the numbers are those of the table.",
        vec![figures::bars("Share of images", &drawn, &series, figures::largest(series.iter()))],
    );
    beside(description, pieces);
    if first.co_occurrence.findings.len() > 1 {
        pieces.figure(
            "co-occurrence",
            1.0,
            format!(
                "Findings on the same images, {}: of the images with the row's finding, the percentage that also has the \
                 column's; on the diagonal the number of images.",
                text::one_line(&first.name)
            ),
            "Matrix of findings by findings; description.json holds all counts.",
            vec![figures::matrix(first)],
        );
    }
    let most = sets.iter().flat_map(|s| &s.comorbidity).map(|c| c.findings).max().unwrap_or(0).min(100);
    let mut rows = Vec::new();
    for (group, part) in [("Of all images", false), ("Of the positive images", true)] {
        rows.push(Row::Group(group.to_owned()));
        for number in 0..=most {
            let cell = |s: &SetDescription| {
                let total = if part { s.positives.numerator } else { s.images };
                let found = s.comorbidity.iter().find(|c| c.findings == number);
                let of = |c: &crate::dataset::describe::Comorbidity| {
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
    pieces.heading(&format!("What occurs beside {positive}"));
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
            series("positive images", RED, |f| f.among_positives, |s| s.positives.numerator),
            series("negative images", BLUE, |f| f.among_negatives, negatives),
        ]
    });
    let drawn: Vec<[Series; 2]> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let title = "Share of images with the finding";
    let images = drawn.iter().map(|series| figures::bars(title, &labels, series, largest));
    pieces.figure(
        "co-occurring",
        0.95,
        format!("Findings beside {positive}, as shares of the positive and of the negative images."),
        "Bars of the share of each finding among positive and negative images; the numbers are those of the table.",
        images.collect(),
    );
    let mut rows = Vec::new();
    for set in &listed {
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

fn patients(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    pieces.heading("Images per patient");
    let labels: Vec<String> = IMAGES
        .iter()
        .map(|(first, last)| match last {
            Some(last) if first == last => first.to_string(),
            Some(last) => format!("{first}\u{2013}{last}"),
            None => format!("{first} or more"),
        })
        .collect();
    let counted = |s: &SetDescription, (first, last): (u64, Option<u64>)| {
        let within = s
            .images_per_patient_counts
            .iter()
            .filter(|c| c.images >= first && last.is_none_or(|last| c.images <= last));
        Share::new(within.map(|c| c.patients).sum(), s.patients)
    };
    let rows = labels
        .iter()
        .zip(IMAGES)
        .map(|(label, bin)| row(label.clone(), sets.iter().map(|s| share(counted(s, bin)))))
        .collect();
    pieces.table(
        "images-per-patient",
        table(
            "Patients by their number of images, of all patients",
            columns("Images", names(description)),
            rows,
        ),
    );
    let series: Vec<Series> = sets
        .iter()
        .take(figures::SERIES.len())
        .enumerate()
        .map(|(i, s)| Series {
            name: s.name.clone(),
            color: figures::color(i),
            values: IMAGES.map(|bin| counted(s, bin).value).to_vec(),
        })
        .collect();
    pieces.figure(
        "images-per-patient",
        0.8,
        "Patients by their number of images, of all patients.".to_owned(),
        "Bars of the share of patients by their number of images; the numbers are those of the table.",
        vec![figures::bars("Share of patients", &labels, &series, figures::largest(series.iter()))],
    );
}

fn intensity(description: &Description, pieces: &mut Pieces) {
    let sets: Vec<&SetDescription> = description.sets.iter().filter(|s| !s.intensity.is_empty()).collect();
    if sets.is_empty() {
        return;
    }
    pieces.heading("Intensities of the images");
    pieces.paragraph(
        "Stored intensities over the largest value that the file can hold; 0 is black. Every image weighs the same. Where a \
         group has more images than were read, those were read whose SHA-256 of the case id is smallest.",
    );
    let mut rows = Vec::new();
    for set in &sets {
        if sets.len() > 1 {
            rows.push(Row::Group(text::one_line(&set.name)));
        }
        for group in &set.intensity {
            let pair = |mean: Option<f64>, sd: Option<f64>| match (mean, sd) {
                (Some(mean), Some(sd)) => format!("{} (SD {})", format::fixed(mean, 3), format::fixed(sd, 3)),
                (Some(mean), None) => format::fixed(mean, 3),
                _ => "\u{2013}".to_owned(),
            };
            rows.push(row(
                group.group.clone(),
                [
                    format::count(group.of),
                    format::count(group.there),
                    format::count(group.read),
                    pair(group.mean, group.mean_sd),
                    pair(group.contrast, group.contrast_sd),
                ]
                .into_iter(),
            ));
        }
    }
    let heads = ["Images", "There", "Read", "Mean intensity", "Contrast"].map(str::to_owned).into_iter();
    let mut listed = table("Intensities by group", columns("Group", heads), rows);
    listed.notes.push(
        "Mean intensity: mean over images of an image's mean. Contrast: mean over images of the standard deviation within an \
         image. SD: over images."
            .to_owned(),
    );
    pieces.table("intensity", listed);
    let drawn = sets.iter().take(DRAWN).map(|set| {
        let mut series: Vec<Series> = set
            .intensity
            .iter()
            .filter(|g| g.read > 0)
            .map(|g| Series {
                name: format!("{} ({}), {}", g.group, format::count(g.read), text::one_line(&set.name)),
                color: match g.group.as_str() {
                    "positive" => RED,
                    "other finding" => MUTED,
                    _ => BLUE,
                },
                values: g.bins.iter().map(|v| Some(*v)).collect(),
            })
            .collect();
        // The healthy first: the first is filled, in the blue of the healthy.
        series.sort_by_key(|s| s.color != BLUE);
        series
    });
    let drawn: Vec<Vec<Series>> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let images =
        drawn.iter().map(|series| figures::outlines("Intensity", (0.0, 1.0), series, false, largest));
    pieces.figure(
        "intensity",
        0.85,
        "Distribution of intensities of healthy and diseased images, in 64 bins; in brackets the images that were read.".to_owned(),
        "Outlines of the distributions of intensities by group.",
        images.collect(),
    );
}

/// A table as CSV: the cells as the page has them; a group's name in a column of its own where there are groups.
fn csv(table: &Table) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Diagnostic::error("table-unwritable", e.to_string());
    let grouped = table.rows.iter().any(|r| matches!(r, Row::Group(_)));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |group: &str, cells: &[&str]| {
        let mut record: Vec<String> = Vec::new();
        if grouped {
            record.push(group.to_owned());
        }
        // A spreadsheet takes a leading `=` for a formula (CSV injection); a quote in front keeps it text.
        record.extend(cells.iter().map(|cell| {
            let cell = cell.trim_start_matches('\u{2003}');
            if cell.starts_with(['=', '+', '@']) { format!("'{cell}") } else { cell.to_owned() }
        }));
        writer.write_record(record).map_err(failed)
    };
    let heads: Vec<&str> = table.columns.iter().map(|c| c.header.as_str()).collect();
    write("group", &heads)?;
    let mut group = "";
    for row in &table.rows {
        match row {
            Row::Group(name) => group = name,
            Row::Cells(cells) => {
                write(group, &cells.iter().map(|c| c.text.as_str()).collect::<Vec<_>>())?;
            }
        }
    }
    writer.into_inner().map_err(|e| Diagnostic::error("table-unwritable", e.to_string()).into())
}
