//! Regulations, guidances, standards and lists that documents cite, each with how far its text was
//! confirmed: one table, made by hand and held in the program, that documents print and the list of
//! requirements names.

use std::sync::LazyLock;

use crate::document::tree::{Column, Row, Table};

/// A regulation, a guidance, a standard or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Names it in the list of requirements and in templates.
    pub key: String,
    /// As documents cite it.
    pub citation: String,
    /// What it is about.
    pub subject: String,
    /// How far its text was confirmed: V by the text, P in part or through others, K from general knowledge.
    pub mark: String,
}

/// Every citation.
pub fn citations() -> &'static [Citation] {
    static ALL: LazyLock<Vec<Citation>> = LazyLock::new(|| {
        let mut table = csv::ReaderBuilder::new().from_reader(include_str!("set/citations.csv").as_bytes());
        let cells = |row: csv::StringRecord| {
            let cells: Vec<String> = row.iter().map(str::to_owned).collect();
            let [key, citation, subject, mark] = <[String; 4]>::try_from(cells).ok()?;
            Some(Citation { key, citation, subject, mark })
        };
        table.records().filter_map(|row| row.ok().and_then(cells)).collect()
    });
    &ALL
}

/// Citations with their marks; `path` names the keys that are wanted, all where it is empty.
pub fn table(path: &str) -> Table {
    let wanted: Vec<&str> = path.split_whitespace().collect();
    let chosen = citations().iter().filter(|one| wanted.is_empty() || wanted.contains(&one.key.as_str()));
    let row = |one: &Citation| Row::plain([one.citation.clone(), one.subject.clone(), one.mark.clone()]);
    let mut table = Table::or_none(
        "Citations, and how far each text was confirmed",
        vec![Column::left("Citation", 1.0), Column::left("Subject", 1.0), Column::left("Mark", 0.5)],
        chosen.map(row).collect(),
    );
    table.notes.push(
        "V: confirmed by the text itself; P: in part, or through others; K: from general knowledge, to be \
         confirmed before it is relied on. The submitter confirms what is cited on the day of submission."
            .to_owned(),
    );
    table
}
