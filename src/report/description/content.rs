//! A description of sets of cases as a kind of document: a page, Markdown, CSV tables and figures. Nothing is
//! computed here: every number comes from [`Description`] and is only written out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::pieces::Pieces;
use super::words::{columns, finding_words};
use super::{findings, groups, images, overview, side_by_side};
use crate::dataset::describe::Description;
use crate::diagnostic::Result;
use crate::document::content::Content;
use crate::document::render::{Files, add, compose};
use crate::document::text;
use crate::document::tree::{Block, Cell, Facts, Figure, Look, Row, Table};
use crate::document::writers::csv;
use crate::report::banner::banner;

const TITLE: &str = "Description of the data";

const TEMPLATE: &str = "description.md";

/// The ids of all tables.
const TABLES: &[&str] = &[
    "inputs",
    "overview",
    "facts",
    "differences",
    "positives-by-age-and-sex",
    "levels",
    "prevalence-by-level",
    "findings",
    "co-occurring",
    "combinations",
    "comorbidity",
    "images-per-patient",
    "missing",
    "intensity",
];

/// The ids of all figures.
const FIGURES: &[&str] = &[
    "differences",
    "ages",
    "positives-by-age-and-sex",
    "findings",
    "co-occurring",
    "co-occurrence",
    "images-per-patient",
    "intensity",
];

/// All files of a description: `description.html`, `description.md`, `figures/*.svg`, `tables/*.csv`. The
/// JSON is the description itself.
///
/// # Errors
/// None that the description's own text can cause.
pub fn render(description: &Description) -> Result<Files> {
    let content = Arc::new(Described { pieces: pieces(description), description: description.clone() });
    let template = include_str!("../../../templates/description.md").to_owned();
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template)]);
    let mut composed = compose(&content, TEMPLATE, &templates)?;
    // What links to the page links to this anchor.
    if let Some(Block::Heading { anchor, .. }) = composed.document.cover.first_mut() {
        "title".clone_into(anchor);
    }
    let mut files = composed.page("description")?;
    let mut markdown = format!("# {TITLE}\n");
    for (name, table) in &content.pieces.tables {
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
        add(&mut files, &format!("tables/{name}.csv"), csv::table(table)?)?;
    }
    add(&mut files, "description.md", markdown.into_bytes())?;
    Ok(files)
}

fn pieces(description: &Description) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.table("overview", overview::overview(description));
    overview::facts(description, &mut pieces);
    overview::differences(description, &mut pieces);
    groups::age_and_sex(description, &mut pieces);
    groups::levels(description, &mut pieces);
    findings::findings(description, &mut pieces);
    images::patients(description, &mut pieces);
    if description.sets.iter().any(|s| !s.missing.is_empty()) {
        pieces.table("missing", side_by_side::missing(description));
    }
    images::intensity(description, &mut pieces);
    pieces
}

/// A description that is written down.
struct Described {
    description: Description,
    pieces: Pieces,
}

impl Described {
    /// The files that were described, with their digests.
    fn inputs(&self) -> Table {
        let rows = self.description.inputs.iter().map(|input| {
            Row::Cells(vec![
                Cell::new(text::one_line(&input.name)),
                Cell::new(format!("SHA-256 {}", input.sha256)).look(Look::Code),
            ])
        });
        Table::new("", columns("File", ["Digest".to_owned()].into_iter()), rows.collect())
    }
}

impl Content for Described {
    fn facts(&self) -> Facts {
        let names: Vec<String> = self.description.sets.iter().map(|s| s.name.clone()).collect();
        Facts {
            title: TITLE.to_owned(),
            running_title: text::fit(&text::one_line(&format!("{TITLE}: {}", names.join(", "))), 8.0, 460.0),
            author: String::new(),
            banner: banner(self.description.synthetic),
            footer: text::one_line(&format!("Sequester {}", env!("CARGO_PKG_VERSION"))),
            date: String::new(),
            identifier: String::new(),
        }
    }

    fn context(&self) -> Json {
        let description = &self.description;
        let shared = description.comparisons.iter().filter(|c| c.shared_patients > 0).map(|c| {
            json!({
                "first": text::one_line(&c.first),
                "second": text::one_line(&c.second),
                "patients": c.shared_patients,
            })
        });
        json!({
            "positive": finding_words(description),
            "shared": shared.collect::<Vec<_>>(),
            "has_ages": description.sets.iter().any(|s| s.age.is_some()),
            "tables": self.pieces.tables.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            "figures": self.pieces.figures.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        })
    }

    fn table_ids(&self) -> &[&str] {
        TABLES
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        if id == "inputs" {
            return Some(self.inputs());
        }
        let found = self.pieces.tables.iter().find(|(own, _)| *own == id).map(|(_, table)| table.clone());
        found.or_else(|| TABLES.contains(&id).then(|| Table::new("", Vec::new(), Vec::new())))
    }

    fn figure_ids(&self) -> &[&str] {
        FIGURES
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        let found = self.pieces.figures.iter().find(|(own, _)| *own == id).map(|(_, figure)| figure.clone());
        let nothing = || (String::new(), String::new());
        found.or_else(|| {
            FIGURES.contains(&id).then(|| Figure::drawn(id, nothing(), Vec::new(), text::humanise))
        })
    }
}
