//! A description of sets of cases as a page, as Markdown, as CSV tables and as figures. As elsewhere in `report`
//! nothing is computed here: every number comes from [`Description`] and is only written out.

use std::collections::BTreeMap;

use super::document::{
    Block, Callout, Cell, Document, Facts, Figure, Image, Inline, Look, Row, Table, number,
};
use super::figures::canvas::Canvas;
use super::{format, html, tables, text};
use crate::dataset::describe::{Comparison, Description, Difference};
use crate::dataset::standardised::NOTABLE;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::RelativePath;

mod figures;
mod findings;
mod groups;
mod images;
mod overview;
mod side_by_side;
mod words;

use words::{columns, finding_words, variable};
pub use words::{fact_numbers, share};

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
            path.parse().map_err(|e| Diagnostic::error(Code::FigureName, format!("{e}")))?;
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
    let table = overview::overview(description);
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

/// A table of a submission document, by the part of its id after `description`. `None`: there is no such id.
pub(super) fn table_for_document(description: &Description, id: &str) -> Option<Table> {
    match id {
        "" => Some(side_by_side::all(description)),
        "-findings" => Some(side_by_side::findings(description)),
        "-missing" => Some(side_by_side::missing(description)),
        _ => None,
    }
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
    pieces.table("overview", overview::overview(description));
    overview::facts(description, pieces);
    overview::differences(description, pieces);
    groups::age_and_sex(description, pieces);
    groups::levels(description, pieces);
    findings::findings(description, pieces);
    images::patients(description, pieces);
    if sets.iter().any(|s| !s.missing.is_empty()) {
        pieces.heading("What is not recorded");
        pieces.table("missing", side_by_side::missing(description));
    }
    images::intensity(description, pieces);
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

/// A table as CSV: the cells as the page has them; a group's name in a column of its own where there are groups.
fn csv(table: &Table) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Diagnostic::error(Code::TableUnwritable, e.to_string());
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
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}
