//! Which cases belong to which set: NIH's official lists (one image name a line), or a table with `case_id`
//! and `split` as `dataset split` writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::case::Case;
use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::table::{Table, limited, text};

/// Names of sets in the order in which people expect them; others follow by name.
const ORDER: [&str; 8] =
    ["train_val_list", "train", "training", "tuning", "validation", "val", "test", "test_list"];

/// A set of case ids with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// From the command line, from the table, or the file's name without its endings.
    pub name: String,
    /// Sorted.
    pub cases: BTreeSet<String>,
}

/// A file's name without `.gz` and what stands before it: `train_val_list.txt.gz` is `train_val_list`.
pub fn stem(path: &Path) -> String {
    let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if stem.is_empty() { name.to_owned() } else { stem.to_owned() }
}

/// Reads a list or a table of lists. `name` names a plain list.
///
/// # Errors
/// What [`Table::parse`] and [`text`] report; `list-empty`; `duplicate-case` with both lines;
/// `value-unreadable` for a line of a list that is no id; `case-id-missing` and `split-missing` for empty
/// cells.
pub fn parse(path: &Path, bytes: &[u8], name: Option<&str>) -> Result<Vec<List>, Vec<Diagnostic>> {
    let content = text(path, bytes)?;
    let first = content.text.lines().next().unwrap_or_default();
    // A table has a header that names the column; a list's first line is an id.
    if first.split([',', ';', '\t']).any(|cell| cell.trim().trim_matches('"') == "case_id") {
        return of_table(path, bytes);
    }
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    let mut problems = Vec::new();
    for (number, line) in (1_u64..).zip(content.text.lines()) {
        let id = line.trim();
        if id.is_empty() {
            continue;
        }
        if id.len() > 512 || id.contains([',', ';', '\t', '"']) {
            let shown: String = id.chars().take(60).collect();
            problems.push(
                Diagnostic::error(Code::ValueUnreadable, format!("`{shown}` is not one case id"))
                    .at(Location::line(path, number))
                    .hint("a list has one case id a line; a table needs the columns case_id and split"),
            );
            continue;
        }
        if let Some(before) = lines.insert(id, number) {
            problems.push(twice(id, before).at(Location::line(path, number)));
        }
    }
    if lines.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::error(Code::ListEmpty, "the list names no case")
                .at(Location::file(path))
                .hint("one case id a line"),
        );
    }
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    let name = name.map_or_else(|| stem(path), str::to_owned);
    Ok(vec![List { name, cases: lines.into_keys().map(str::to_owned).collect() }])
}

fn twice(id: &str, line: u64) -> Diagnostic {
    Diagnostic::error(Code::DuplicateCase, format!("the case `{id}` is already on line {line}"))
}

fn of_table(path: &Path, bytes: &[u8]) -> Result<Vec<List>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let case = table.required("case_id").map_err(|p| vec![p])?;
    let split = table.required("split").map_err(|p| vec![p])?;
    let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in table.rows() {
        let (id, name) = (row.get(Some(case)), row.get(Some(split)));
        let (Some(id), Some(name)) = (id, name) else {
            let empty = if id.is_none() {
                Diagnostic::error(Code::CaseIdMissing, "the cell `case_id` is empty")
            } else {
                Diagnostic::error(Code::SplitMissing, "the cell `split` is empty")
            };
            problems.push(empty.at(table.at(row.line)).hint("fill it, or remove the row"));
            continue;
        };
        if let Some(before) = lines.insert(id, row.line) {
            problems.push(twice(id, before).at(table.at(row.line)));
        }
        lists.entry(name.to_owned()).or_default().insert(id.to_owned());
    }
    if lists.is_empty() && problems.is_empty() {
        problems.push(Diagnostic::error(Code::ListEmpty, "the table names no case").at(Location::file(path)));
    }
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    let mut out: Vec<List> = lists.into_iter().map(|(name, cases)| List { name, cases }).collect();
    out.sort_by_key(|list| ORDER.iter().position(|name| *name == list.name).unwrap_or(ORDER.len()));
    Ok(out)
}

/// The cases of each list, and what does not fit.
#[derive(Clone, Debug, Default)]
pub struct Assigned {
    /// Places in the table, one list of places a list, in table order.
    pub places: Vec<Vec<usize>>,
    /// Cases that the lists name and the table does not have; cases in no list.
    pub warnings: Vec<Diagnostic>,
}

/// Finds the cases of lists.
///
/// # Errors
/// `case-on-both-sides` for cases in two lists; `list-cases-unknown` when the table has not one case of a
/// list.
pub fn assign(cases: &[Case], lists: &[List]) -> Result<Assigned, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut owner: BTreeMap<&str, usize> = BTreeMap::new();
    let mut both: BTreeMap<(usize, usize), Vec<&str>> = BTreeMap::new();
    for (nth, list) in lists.iter().enumerate() {
        for id in &list.cases {
            if let Some(other) = owner.insert(id, nth) {
                both.entry((other, nth)).or_default().push(id);
            }
        }
    }
    for ((a, b), ids) in both {
        let (first, second) = (&lists[a].name, &lists[b].name);
        let message = format!("{} cases are in {first} and in {second}: {}", ids.len(), some(&ids));
        problems.push(
            Diagnostic::error(Code::CaseOnBothSides, message)
                .hint("a case belongs to one set; correct the lists"),
        );
    }
    let mut out = Assigned { places: vec![Vec::new(); lists.len()], warnings: Vec::new() };
    let mut outside = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        match owner.get(case.case_id.as_str()) {
            Some(&nth) => out.places[nth].push(place),
            None => outside.push(case.case_id.as_str()),
        }
    }
    let known: BTreeSet<&str> = cases.iter().map(|c| c.case_id.as_str()).collect();
    for (list, places) in lists.iter().zip(&out.places) {
        let unknown: Vec<&str> =
            list.cases.iter().map(String::as_str).filter(|id| !known.contains(id)).collect();
        if places.is_empty() && unknown.len() == list.cases.len() {
            let message = format!(
                "the tables have none of the {} cases of {}, such as {}",
                list.cases.len(),
                list.name,
                some(&unknown)
            );
            problems.push(
                Diagnostic::error(Code::ListCasesUnknown, message)
                    .hint("lists name cases by case_id (NIH: Image Index), exactly as the table has them"),
            );
        } else if !unknown.is_empty() {
            let message = format!(
                "{} of the {} cases of {} are in no table: {}",
                unknown.len(),
                list.cases.len(),
                list.name,
                some(&unknown)
            );
            out.warnings.push(Diagnostic::warning(Code::ListCasesUnknown, message));
        }
    }
    if !outside.is_empty() {
        let message =
            format!("{} of {} cases are in no list: {}", outside.len(), cases.len(), some(&outside));
        out.warnings.push(Diagnostic::warning(Code::CaseInNoList, message));
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

/// The first few.
fn some(ids: &[&str]) -> String {
    few::and_more(ids, 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<List>, Vec<Diagnostic>> {
        parse(Path::new("a/train_val_list.txt"), text.as_bytes(), None)
    }

    #[test]
    fn lists_and_tables_of_lists_are_read() {
        let list = read("\u{feff}b.png\r\n\na.png\n").expect("reads");
        assert_eq!(list[0].name, "train_val_list");
        assert_eq!(list[0].cases.iter().collect::<Vec<_>>(), ["a.png", "b.png"]);
        let tables = read("case_id,split\nx,test\ny,training\nz,own\nw,test\n").expect("reads");
        let found: Vec<(&str, usize)> = tables.iter().map(|l| (l.name.as_str(), l.cases.len())).collect();
        assert_eq!(found, [("training", 1), ("test", 2), ("own", 1)]);
    }

    #[test]
    fn a_files_name_names_its_list() {
        let names = ["a/train_val_list.txt.gz", "b.csv", ".gz", "x"].map(|p| stem(Path::new(p)));
        assert_eq!(names, ["train_val_list", "b", "", "x"]);
    }

    #[test]
    fn what_is_wrong_with_a_list_has_its_line() {
        let code = |text: &str| {
            let problems = read(text).expect_err("refused");
            (problems[0].code.as_str(), problems[0].location.as_ref().and_then(|l| l.line))
        };
        assert_eq!(code("a\nb\na\n"), ("duplicate-case", Some(3)));
        assert_eq!(code("a\nb,c\n"), ("value-unreadable", Some(2)));
        assert_eq!(code("\n"), ("list-empty", None));
        assert_eq!(code("case_id,split\na,\n"), ("split-missing", Some(2)));
        assert_eq!(code("case_id,set\na,b\n"), ("column-missing", Some(1)));
    }

    #[test]
    fn cases_in_two_lists_in_none_and_in_no_table_are_said() {
        let case = |id: &str| Case { case_id: id.into(), ..Case::default() };
        let list = |name: &str, ids: &[&str]| List {
            name: name.to_owned(),
            cases: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let cases = [case("a"), case("b"), case("c")];
        let found = assign(&cases, &[list("one", &["a", "x"]), list("two", &["b"])]).expect("assigns");
        assert_eq!(found.places, [vec![0], vec![1]]);
        let codes: Vec<_> = found.warnings.iter().map(|w| w.code.as_str()).collect();
        assert_eq!(codes, ["list-cases-unknown", "case-in-no-list"]);
        let problems = assign(&cases, &[list("one", &["a"]), list("two", &["a"]), list("three", &["y"])])
            .expect_err("refused");
        let codes: Vec<_> = problems.iter().map(|w| w.code.as_str()).collect();
        assert_eq!(codes, ["case-on-both-sides", "list-cases-unknown"]);
    }
}
