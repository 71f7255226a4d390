//! Which case an id of the readers' files stands for: exports that name images by UID, accession number or
//! record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::protocol::CaseMapTable;
use crate::reads::export::Export;
use crate::table::{Table, cell, limited};

/// So many ids are named in a message.
const NAMED: usize = 8;

/// Cases by foreign id.
#[derive(Clone, Debug)]
pub struct CaseMap {
    path: PathBuf,
    by_id: BTreeMap<String, (String, u64)>,
    /// Ids that the map does not have are left as they stand: reads of cases of other studies.
    leave_others: bool,
}

impl CaseMap {
    /// Reads a map. Several ids may stand for one case; a row without an id is a case that has none.
    /// `leave_others`: whether an id that the map does not have is no error.
    ///
    /// # Errors
    /// `column-missing`; `value-missing` for an id without a case; `case-map-ambiguous` for an id of two
    /// cases.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        declared: &CaseMapTable,
        leave_others: bool,
    ) -> Result<Self, Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let mut problems = Vec::new();
        let [case, id] = [&declared.case_column, &declared.id_column]
            .map(|name| table.required(name).map_err(|problem| problems.push(problem)).ok());
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut by_id: BTreeMap<String, (String, u64)> = BTreeMap::new();
        for row in table.rows() {
            let Some(id) = row.get(id) else { continue };
            let Some(case) = row.get(case) else {
                let message = format!("the cell `{}` is empty, and there is an id", declared.case_column);
                let hint = "say which case it is, or remove the row";
                problems
                    .push(Diagnostic::error(Code::ValueMissing, message).at(table.at(row.line)).hint(hint));
                continue;
            };
            match by_id.get(id) {
                Some((other, line)) if other != case => {
                    let message = format!(
                        "the id `{}` is the case `{}` here and `{}` on line {line}",
                        cell::short(id),
                        cell::short(case),
                        cell::short(other)
                    );
                    let hint = "an id stands for one case: where it is one of a study with several images, \
                                map what tells the images apart";
                    let problem = Diagnostic::error(Code::CaseMapAmbiguous, message).at(table.at(row.line));
                    problems.push(problem.hint(hint));
                }
                Some(_) => {}
                None => {
                    by_id.insert(id.to_owned(), (case.to_owned(), row.line));
                }
            }
        }
        if problems.is_empty() {
            Ok(Self { path: path.to_path_buf(), by_id, leave_others })
        } else {
            Err(limited(problems, path))
        }
    }

    /// The case of an id; the id itself where others are left as they stand. `None`: it is not in the map.
    pub fn of<'m>(&'m self, id: &'m str) -> Option<&'m str> {
        self.by_id.get(id).map(|(case, _)| case.as_str()).or(self.leave_others.then_some(id))
    }

    /// Puts the case in place of its id in everything that a file says.
    ///
    /// # Errors
    /// `case-map-unknown` with the ids that the map does not have.
    pub fn apply(&self, path: &Path, export: &mut Export) -> Result<(), Vec<Diagnostic>> {
        let mut unknown = Unknown::default();
        for answer in export.answers.iter_mut().chain(&mut export.given) {
            match self.of(&answer.case_id) {
                Some(case) => answer.case_id = case.into(),
                None => unknown.add(&answer.case_id, &answer.at),
            }
        }
        for none in &mut export.no_reads {
            if let Some(case) = none.case_id.as_deref().and_then(|id| self.of(id)) {
                none.case_id = Some(case.to_owned());
            }
        }
        unknown.problem(path, self).map_or(Ok(()), |problem| Err(vec![problem]))
    }
}

/// Ids that a map does not have, each with the place where it stands first.
#[derive(Default)]
pub struct Unknown {
    ids: BTreeMap<String, Location>,
    first: Option<Location>,
}

impl Unknown {
    /// Adds one.
    pub fn add(&mut self, id: &str, at: &Location) {
        self.first.get_or_insert_with(|| at.clone());
        self.ids.entry(id.to_owned()).or_insert_with(|| at.clone());
    }

    /// The problem of all of them, if there are any. `path` is the file that names them.
    pub fn problem(self, path: &Path, map: &CaseMap) -> Option<Diagnostic> {
        let at = self.first?;
        let ids = self.ids.keys().map(|id| format!("`{}`", cell::short(id)));
        let message = format!(
            "{} ids are not in the map of cases ({}): {}",
            self.ids.len(),
            map.path.display(),
            few::and_so_on(ids, NAMED)
        );
        let at = if at.line.is_some() { at } else { Location::file(path) };
        Some(Diagnostic::error(Code::CaseMapUnknown, message).at(at).hint(
            "complete the map, name another `id_column`, or declare `other_cases = \"ignore\"` where the \
             readers read more than this study",
        ))
    }
}
