//! Labels that were not computed here: a reference standard that is given, or the label that came with the
//! reads.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::LabelTable;
use crate::reads::files::{Read, ReadRow};
use crate::table::{Table, cell, limited, pattern};

/// Labels that a reader's file marks as ground truth.
#[derive(Clone, Debug, Default)]
pub struct Marked {
    /// Those whose words have a declared meaning.
    pub labels: Vec<ReadRow>,
    /// What is wrong with the others.
    pub unknown: Vec<Diagnostic>,
}

/// Labels by case, each with the place where it stands.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    by_case: BTreeMap<String, (Read, Location)>,
}

impl Labels {
    /// The label of a case; `None`: the table has none.
    pub fn of(&self, case_id: &str) -> Option<Read> {
        self.by_case.get(case_id).map(|(label, _)| *label)
    }

    /// The cases that have a label.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.by_case.keys().map(String::as_str)
    }

    /// Adds the labels of a file. An empty cell is no label; a case may stand in several rows that say the
    /// same.
    ///
    /// # Errors
    /// `column-missing`; `value-missing` for a label of no case; `read-unknown` for a label whose meaning is
    /// not declared; `label-contradicts` where a case has two different labels.
    pub fn add(&mut self, path: &Path, bytes: &[u8], declared: &LabelTable) -> Result<(), Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let mut problems = Vec::new();
        let [case, label] = [&declared.case_column, &declared.label_column]
            .map(|name| table.required(name).map_err(|p| problems.push(p)).ok());
        if !problems.is_empty() {
            return Err(problems);
        }
        for row in table.rows() {
            let Some(text) = row.get(label) else { continue };
            let at = || table.at(row.line);
            let named = row.get(case);
            let fits = named.map(|text| match &declared.case_pattern {
                Some(wanted) => pattern::case_in(wanted, text).ok_or((wanted, text)),
                None => Ok(text),
            });
            if let Some(Err((wanted, text))) = fits {
                let message = format!("`{}` holds no case: it does not fit `{wanted}`", cell::short(text));
                let hint = "`case_pattern` beside `file`: `*` stands for the case, `?` for any sign";
                problems.push(Diagnostic::error(Code::CasePattern, message).at(at()).hint(hint));
                continue;
            }
            let Some(case_id) = fits.and_then(Result::ok) else {
                let message = format!("the cell `{}` is empty, and there is a label", declared.case_column);
                let hint = "say which case it is, or remove the row";
                problems.push(Diagnostic::error(Code::ValueMissing, message).at(at()).hint(hint));
                continue;
            };
            let Some(label) = meaning(text, declared) else {
                let message = format!("the label {} has no declared meaning", cell::shown(text));
                let words = [&declared.positive[..], &declared.negative, &declared.indeterminate].concat();
                let hint = format!("declared for `{}` are: {}", declared.label_column, words.join(", "));
                problems.push(Diagnostic::error(Code::ReadUnknown, message).at(at()).hint(hint));
                continue;
            };
            problems.extend(self.take(case_id, label, at()));
        }
        if problems.is_empty() { Ok(()) } else { Err(limited(problems, path)) }
    }

    /// Adds the labels that a reader's file marks as ground truth.
    ///
    /// # Errors
    /// `read-unknown` for one whose meaning is not declared; `label-contradicts`.
    pub fn add_marked(&mut self, marked: &Marked) -> Result<(), Vec<Diagnostic>> {
        let mut problems = marked.unknown.clone();
        for row in &marked.labels {
            problems.extend(self.take(&row.case_id, row.read, Location::line(&row.file, row.line)));
        }
        match marked.labels.first() {
            _ if problems.is_empty() => Ok(()),
            Some(row) => Err(limited(problems, row.file.as_path())),
            None => Err(problems),
        }
    }

    /// Adds one label; the problem where the case has another one.
    fn take(&mut self, case_id: &str, label: Read, at: Location) -> Option<Diagnostic> {
        match self.by_case.get(case_id) {
            None => {
                self.by_case.insert(case_id.to_owned(), (label, at));
                None
            }
            Some((other, place)) if *other != label => {
                let message = format!("the case `{case_id}` has another label in {place}");
                let hint = "a case has one reference standard: bring a table with one label a case";
                Some(Diagnostic::error(Code::LabelContradicts, message).at(at).hint(hint))
            }
            Some(_) => None,
        }
    }

    /// How many labels there are of each kind.
    pub fn counts(&self) -> BTreeMap<Read, usize> {
        self.by_case.values().fold(BTreeMap::new(), |mut counts, (label, _)| {
            *counts.entry(*label).or_default() += 1;
            counts
        })
    }
}

fn meaning(text: &str, declared: &LabelTable) -> Option<Read> {
    let is = |words: &[String]| words.iter().any(|word| cell::is_word(word, text));
    if is(&declared.positive) {
        Some(Read::Positive)
    } else if is(&declared.negative) {
        Some(Read::Negative)
    } else {
        is(&declared.indeterminate).then_some(Read::Indeterminate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> LabelTable {
        LabelTable {
            files: Vec::new(),
            from_reads: false,
            case_pattern: None,
            case_column: "case".to_owned(),
            label_column: "culture".to_owned(),
            positive: vec!["1".to_owned(), "grown".to_owned()],
            negative: vec!["0".to_owned()],
            indeterminate: vec!["contaminated".to_owned()],
            source: "culture".to_owned(),
        }
    }

    fn add(text: &str) -> Result<Labels, Vec<Diagnostic>> {
        let mut labels = Labels::default();
        labels.add(Path::new("l.csv"), text.as_bytes(), &declared()).map(|()| labels)
    }

    #[test]
    fn a_label_has_its_declared_meaning_and_an_empty_cell_has_none() {
        let labels = add("case,culture\na,Grown\nb,0\nc,\nd,contaminated\na,1.0\n").expect("read");
        let of = |id| labels.of(id);
        assert_eq!(of("a"), Some(Read::Positive));
        assert_eq!(of("b"), Some(Read::Negative));
        assert_eq!((of("c"), of("e")), (None, None));
        assert_eq!(of("d"), Some(Read::Indeterminate));
    }

    #[test]
    fn what_is_wrong_with_labels_is_told_with_its_line() {
        let check = |text: &str, code: Code, line: u64| {
            let problems = add(text).expect_err("refused");
            assert_eq!((problems.len(), problems[0].code), (1, code), "{problems:?}");
            assert_eq!(problems[0].location, Some(Location::line("l.csv", line)), "{text}");
        };
        check("case,label\na,1\n", Code::ColumnMissing, 1);
        check("case,culture\na,1\n,0\n", Code::ValueMissing, 3);
        check("case,culture\na,maybe\n", Code::ReadUnknown, 2);
        check("case,culture\na,1\nb,0\na,0\n", Code::LabelContradicts, 4);
    }

    #[test]
    fn the_cases_of_a_table_are_those_that_have_a_label() {
        let labels = add("case,culture\nb,0\na,1\nc,\nd,contaminated\na,1\n").expect("read");
        assert_eq!(labels.cases().collect::<Vec<_>>(), ["a", "b", "d"]);
        assert_eq!(Labels::default().cases().count(), 0);
    }
}
