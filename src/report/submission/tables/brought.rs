//! How the readers' files and given labels came in: who brought them, when, and what the readers saw.

use super::readers::{MOST_LISTED, not_shown};
use crate::document::format;
use crate::document::tree::{Column, Row, Table};
use crate::report::submission::source::Source;
use crate::study::imports::BroughtFile;

/// What nobody recorded.
pub(in crate::report) const NOT_RECORDED: &str = "not recorded";

/// One row a file; files of one folder that came in alike are one row.
pub fn files(source: &Source) -> Table {
    let mut groups: Vec<(&BroughtFile, usize)> = Vec::new();
    for file in &source.brought {
        match groups.last_mut() {
            Some((first, count)) if alike(first, file) => *count += 1,
            _ => groups.push((file, 1)),
        }
    }
    let rows = groups
        .iter()
        .take(MOST_LISTED)
        .map(|(file, count)| {
            let name = match count {
                1 => file.path.clone(),
                n => format!("{} and {} more of this folder", file.path, format::count(*n as u64 - 1)),
            };
            let import = file.import.as_ref();
            let said = |text: Option<String>| text.unwrap_or_else(|| NOT_RECORDED.to_owned());
            Row::plain([
                name,
                said(import.map(|import| import.at.clone())),
                said(file.by()),
                said(file.blinding().map(str::to_owned)),
                remarks(file),
            ])
        })
        .collect();
    let mut table = Table::or_none(
        "The files of the reference standard, and how they came in",
        vec![
            Column::left("File", 0.8),
            Column::left("Brought in at", 0.7),
            Column::left("By", 0.7),
            Column::left("What the readers saw and did not see", 1.2),
            Column::left("Remarks", 1.2),
        ],
        rows,
    );
    table.notes.extend(not_shown(groups.len()));
    table
}

/// Whether two files of one folder came in with the same words, and neither has anything of its own to say.
fn alike(one: &BroughtFile, other: &BroughtFile) -> bool {
    let folder = |file: &BroughtFile| file.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let words = |file: &BroughtFile| {
        file.import.as_ref().map(|import| (import.at.clone(), file.by(), import.blinding.clone()))
    };
    let plain = |file: &BroughtFile| remarks(file) == "none";
    folder(one) == folder(other) && words(one) == words(other) && plain(one) && plain(other)
}

/// Columns that were withheld, what the file corrects, and what took its place.
pub(in crate::report) fn remarks(file: &BroughtFile) -> String {
    let mut said = Vec::new();
    if let Some(import) = &file.import {
        if let Some(withheld) = &import.withheld {
            said.push(format!("withheld: {}", withheld.columns.join(", ")));
        }
        if let Some(correction) = &import.correction {
            said.push(format!(
                "takes the place of {} ({}): {} reads and the reference standard of {} cases changed",
                correction.supersedes,
                correction.reason,
                format::count(correction.reads.len() as u64),
                format::count(correction.reference.len() as u64)
            ));
        }
    }
    if let Some(later) = &file.superseded_by {
        said.push(format!("does not count: superseded by {later}"));
    }
    if said.is_empty() { "none".to_owned() } else { said.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::imports::Import;

    fn brought(path: &str, import: Option<Import>) -> BroughtFile {
        BroughtFile { path: path.to_owned(), sha256: String::new(), import, superseded_by: None }
    }

    fn import(blinding: Option<&str>) -> Import {
        Import {
            file: "reads/a.csv".parse().expect("a path"),
            sha256: crate::digest::Digest::of(b"a"),
            at: "2026-01-01T00:00:00Z".to_owned(),
            by: Some("A. Example".to_owned()),
            role: Some("coordinator".to_owned()),
            blinding: blinding.map(str::to_owned),
            withheld: None,
            correction: None,
        }
    }

    #[test]
    fn files_that_came_in_alike_are_one_row_and_others_are_not() {
        let one = brought("reads/r1/a.json", Some(import(Some("images alone"))));
        let other = brought("reads/r1/b.json", Some(import(Some("images alone"))));
        assert!(alike(&one, &other));
        assert!(!alike(&one, &brought("reads/r2/b.json", Some(import(Some("images alone"))))));
        assert!(!alike(&one, &brought("reads/r1/b.json", Some(import(None)))));
        assert!(!alike(&one, &brought("reads/r1/b.json", None)));
        let superseded = BroughtFile { superseded_by: Some("reads/r1/c.json".to_owned()), ..other };
        assert!(!alike(&one, &superseded));
        assert!(remarks(&superseded).contains("does not count"));
        assert_eq!(one.by().as_deref(), Some("A. Example (coordinator)"));
    }
}
